/** One image of the scene as the movie begins. */
import { madSigma, median } from "../kernels/stats.js";
import type { Image, Movie, Samples } from "../model/movie.js";
import { samplesOf } from "./frames.js";

/** A frame whose light differs from the others' by more than this factor is a flash or a lamp switched off. */
const LARGEST_CHANGE = 1.5;
/** A frame with less than so much of it finite, or more of it at its greatest value, shows no scene. */
const HALF = 0.5;

/** What a frame is worth: the median of its finite samples, and whether it shows a scene at all. */
interface Worth {
  readonly index: number;
  readonly level: number;
  readonly sound: boolean;
}

/**
 * The mean of the first frames, each divided by its own light so that one bright moment does not outweigh the others; the
 * result has the light of the median frame. The black level is subtracted where it is known; null subtracts nothing.
 *
 * Frames that are constant, mostly NaN or mostly saturated, and those whose light is far from the others', take no part, as
 * long as others remain. A pixel that is finite in none is NaN. No frame is moved: drift is slow against a few frames.
 */
export async function referenceImage(
  movie: Movie,
  options: { readonly frames: number; readonly blackLevel: number | null; readonly signal?: AbortSignal },
): Promise<Image> {
  const { width, height, pixelSize_um } = movie;
  const black = options.blackLevel ?? 0;
  const count = Math.min(movie.frames, options.frames);
  const samples = samplesOf(movie.dtype, width * height);
  const worths: Worth[] = [];
  for (let index = 0; index < count; index++) {
    await movie.read(index, samples, options.signal);
    options.signal?.throwIfAborted();
    worths.push({ index, level: medianOf(samples) - black, sound: showsScene(samples) });
  }
  const chosen = steady(worths);
  const level = median(chosen.map((worth) => worth.level));
  // In an image about zero, freed of its background, the median is no measure of the lamp.
  const isLight = chosen.every((worth) => worth.level > 0.2 * level && worth.level > 0);
  const sum = new Float64Array(width * height);
  const known = new Uint32Array(width * height);
  for (const worth of chosen) {
    await movie.read(worth.index, samples, options.signal);
    options.signal?.throwIfAborted();
    const gain = isLight ? level / worth.level : 1;
    addFrame(samples, black, gain, sum, known);
  }
  const data = Float32Array.from(sum, (total, at) => (known[at] === 0 ? NaN : total / known[at]!));
  return { width, height, pixelSize_um, data };
}

/** Adds a frame's finite samples above black, times its gain, to sums and counts. */
function addFrame(samples: Samples, black: number, gain: number, sum: Float64Array, known: Uint32Array): void {
  for (let at = 0; at < sum.length; at++) {
    const value = samples[at]!;
    if (value - value !== 0) continue;
    sum[at] = sum[at]! + gain * (value - black);
    known[at] = known[at]! + 1;
  }
}

/** Median of a frame's finite samples; of whole numbers by counting. */
function medianOf(samples: Samples): number {
  if (!(samples instanceof Uint16Array || samples instanceof Uint8Array) || samples.length === 0)
    return median(samples);
  const counts = new Int32Array(1 << (8 * samples.BYTES_PER_ELEMENT));
  for (let at = 0; at < samples.length; at++) counts[samples[at]!]!++;
  const atRank = (rank: number): number => {
    let value = 0;
    for (let below = counts[0]!; below <= rank; below += counts[value]!) value++;
    return value;
  };
  return 0.5 * (atRank(Math.floor((samples.length - 1) / 2)) + atRank(Math.ceil((samples.length - 1) / 2)));
}

function showsScene(samples: Samples): boolean {
  let low = Infinity;
  let high = -Infinity;
  let finite = 0;
  let highest = 0;
  for (let at = 0; at < samples.length; at++) {
    const value = samples[at]!;
    if (value - value !== 0) continue;
    finite++;
    if (value < low) low = value;
    if (value > high) {
      high = value;
      highest = 0;
    }
    if (value === high) highest++;
  }
  return high > low && finite >= HALF * samples.length && highest <= HALF * finite;
}

/** The frames that show the scene in the light that most of them have; all of them where none does. */
function steady(worths: readonly Worth[]): readonly Worth[] {
  const sound = worths.filter((worth) => worth.sound);
  if (sound.length === 0) return worths;
  const levels = sound.map((worth) => worth.level);
  const usual = median(levels);
  const flicker = 5 * madSigma(levels);
  return sound.filter(({ level }) => {
    const change = Math.abs(Math.log(level / usual));
    return !(usual > 0) || Math.abs(level - usual) <= flicker || change <= Math.log(LARGEST_CHANGE);
  });
}
