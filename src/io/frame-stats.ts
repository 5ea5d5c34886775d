/** Smallest, largest and sum of one frame's raw stored values. */
import type { MovieFile, Samples } from "../model/movie.js";
import { frameBuffer } from "./views.js";

/** Over all samples that are numbers; `min` and `max` are null where there is none. */
export interface FrameStats {
  readonly min: number | null;
  readonly max: number | null;
  /** Exact for integers up to 2^53, beyond it the nearest double of the exact sum. */
  readonly sum: number;
}

/** Reads a frame, every sample of a colour one, and sums it up. Throws FormatError as the movie's reader does. */
export async function frameStats(movie: MovieFile, index: number, signal?: AbortSignal): Promise<FrameStats> {
  const samples = frameBuffer(movie);
  await movie.read(index, samples, signal);
  return sampleStats(samples);
}

/** Statistics of samples in memory; NaN is passed over. */
export function sampleStats(samples: Samples): FrameStats {
  let min = Infinity;
  let max = -Infinity;
  // Parts of 2^20 samples of at most 32 bits stay below 2^53; the parts are added exactly.
  let whole = 0n;
  let fraction = 0;
  const integer = !(samples instanceof Float32Array || samples instanceof Float64Array);
  for (let start = 0; start < samples.length; start += 1 << 20) {
    let part = 0;
    const end = Math.min(samples.length, start + (1 << 20));
    for (let at = start; at < end; at++) {
      const value = samples[at]!;
      if (value < min) min = value;
      if (value > max) max = value;
      if (integer || !Number.isNaN(value)) part += value;
    }
    if (integer) whole += BigInt(part);
    else fraction += part;
  }
  return { min: min > max ? null : min, max: min > max ? null : max, sum: integer ? Number(whole) : fraction };
}
