/** Noise of the still ground as it is found, beside what photons and reading must give there. */
import { resampleWindow } from "../kernels/resample.js";
import { madSigma, madSigmaInPlace, median, quantileInPlace } from "../kernels/stats.js";
import type { Drift } from "../model/experiment.js";
import type { Movie, Samples } from "../model/movie.js";
import type { NoiseModel } from "../model/noise.js";
import { noiseKept } from "./camera-pattern.js";
import { samplesOf } from "./frames.js";
import { nearestLevel, varianceOf, type Fit } from "./noise-model-fit.js";
import { runsOf } from "./noise-model-runs.js";

/** Pixels of ground that tell it, of each two frames. */
const FEWEST = 400;
/** Relative error of a robust spread of one normal value, and by how much neighbours share theirs after interpolation. */
const ROBUST = 1.17;
const SHARED = 1.3;
/** Standard error of a median over that of a mean. */
const MEDIAN = 1.25;

/**
 * Noise of one pixel of one frame on the carrier, in proportion to its median light: neighbouring frames, laid on the scene,
 * one over the other, each pixel's contrast held against what photons and reading give at its light. What moves, flickers
 * or shakes between the two frames counts: it is there. Of each run the two frames that lie most alike are taken.
 * Null where there is no level, or no ground.
 */
export async function carrierNoise(
  movie: Movie,
  drift: Drift,
  fit: Fit,
  black: number,
  signal?: AbortSignal,
): Promise<NoiseModel["carrier"]> {
  if (fit.levels.length === 0) return null;
  const { width, height } = movie;
  const samples = samplesOf(movie.dtype, width * height);
  const light = async (frame: number): Promise<Float32Array> => {
    await movie.read(frame, samples, signal);
    signal?.throwIfAborted();
    const counts = countsOf(samples, black, drift.gain[frame]!);
    const laid = new Float32Array(width * height);
    resampleWindow(counts, width, height, drift.x_px[frame]!, drift.y_px[frame]!, laid, 0, width, height);
    return laid;
  };
  const limit = { ...fit, proportional: 0 };
  const grounds: number[] = [];
  const spreads: number[] = [];
  let pixels = 0;
  for (const run of runsOf(movie, drift)) {
    const [early, late] = closest(run, drift);
    const [before, after] = [await light(early), await light(late)];
    const kept = [early, late].reduce((sum, frame) => sum + noiseKept([[drift.x_px[frame]!, drift.y_px[frame]!]]), 0);
    const own = new Float64Array(before.length);
    const all = new Float64Array(before.length);
    const n = contrasts({ before, after, carrier: drift.carrier }, limit, kept, own, all);
    if (n < FEWEST) continue;
    spreads.push(madSigmaInPlace(own, n));
    grounds.push(quantileInPlace(all, n, 0.5));
    pixels += n;
  }
  if (spreads.length === 0) return null;
  const signal_counts = median(grounds);
  const least = Math.sqrt(varianceOf(limit, signal_counts)) / signal_counts;
  const level = nearestLevel(fit.levels, signal_counts);
  const ratio = median(spreads);
  const counted = (ROBUST * SHARED) / Math.sqrt(pixels);
  const scattered = (MEDIAN * madSigma(spreads)) / ratio / Math.sqrt(spreads.length);
  const relative = Math.max(counted, scattered);
  const told = fit.slope > 0;
  return {
    signal_counts,
    noise: { value: ratio * least, sd: ratio * least * relative, n: pixels },
    photonLimit: fit.gain === null || fit.read === null ? null : Math.sqrt(fit.gain.value / signal_counts),
    shotLimit: told ? least : null,
    // The limit's own error beside it: half of that of the variance of the level nearest to it.
    ratio: told
      ? {
          value: ratio,
          sd: ratio * Math.hypot(relative, (0.5 * level.sd_counts2) / level.variance_counts2),
          n: spreads.length,
        }
      : null,
  };
}

/** A frame above black, over its own light. */
export function countsOf(samples: Samples, black: number, gain: number): Float32Array {
  const counts = new Float32Array(samples.length);
  const scale = 1 / gain;
  for (let at = 0; at < counts.length; at++) counts[at] = (samples[at]! - black) * scale;
  return counts;
}

/** What changes from one frame to the next on the ground, over its noise by `limit`, and its light; gives how many. */
function contrasts(
  { before, after, carrier }: { before: Float32Array; after: Float32Array; carrier: Uint8Array },
  limit: Fit,
  kept: number,
  own: Float64Array,
  all: Float64Array,
): number {
  let n = 0;
  for (let at = 0; at < before.length; at++) {
    if (carrier[at] !== 1) continue;
    const here = 0.5 * (before[at]! + after[at]!);
    if (!(here > 0)) continue;
    all[n] = here;
    own[n++] = (after[at]! - before[at]!) / Math.sqrt(kept * Math.max(1e-9, varianceOf(limit, here)));
  }
  return n;
}

/** Neighbours of a run between which the scene moved least. */
function closest(run: readonly number[], { x_px, y_px }: Drift): [number, number] {
  const way = (at: number): number =>
    Math.hypot(x_px[run[at + 1]!]! - x_px[run[at]!]!, y_px[run[at + 1]!]! - y_px[run[at]!]!);
  let best = 0;
  for (let at = 1; at + 1 < run.length; at++) if (way(at) < way(best)) best = at;
  return [run[best]!, run[best + 1]!];
}
