/** Photon transfer: variance of a pixel from frame to frame, level of light by level of light. */
import { resampleWindow } from "../kernels/resample.js";
import { madSigma, median, quantile } from "../kernels/stats.js";
import type { Drift } from "../model/experiment.js";
import type { Movie, Samples } from "../model/movie.js";
import type { NoiseLevel } from "../model/noise.js";
import { samplesOf } from "./frames.js";
import { runsOf } from "./noise-model-runs.js";

/** Side of the window that is looked at, and what is left out at its border. */
const SIDE_px = 256;
const RIM_px = 6;
const LEVELS = 14;
/** Variance of a second difference of white noise, and by how much the squares of overlapping ones are less than independent. */
const BEND_VARIANCE = 6;
const BEND_SHARED = 1 + 2 * ((4 / 6) ** 2 + (1 / 6) ** 2);
/** Second differences that a level needs. */
const FEWEST = 400;
/** Differences beyond so many standard deviations are something that happened. */
const CLIP = 4;
/** What a Gaussian's variance loses by that. */
const CLIPPED_VARIANCE = 0.99893;

/** Signal, second difference and steepness of the scene in turn, for every pixel and three frames. */
export type Differences = Float64Array;

/**
 * Second differences of three neighbouring frames, each over its own light, where they lie; what the scene's known steps
 * make of the run's mean image is taken off, and saturated pixels are left out. In counts above `black`, within a window
 * about a crystal `around` (px), or the middle.
 */
export async function differences(
  movie: Movie,
  drift: Drift,
  around: readonly [number, number] | null,
  { black, signal }: { readonly black: number; readonly signal?: AbortSignal },
): Promise<{ found: Differences; triples: number }> {
  const box = windowOf(movie, around);
  const { left, top, width, height } = box;
  const size = width * height;
  const samples = samplesOf(movie.dtype, movie.width * movie.height);
  const runs = runsOf(movie, drift);
  const inner = Math.max(0, width - 2 * RIM_px) * Math.max(0, height - 2 * RIM_px);
  const all = new Float64Array(3 * inner * runs.reduce((sum, run) => sum + Math.max(0, run.length - 2), 0));
  let filled = 0;
  let triples = 0;
  for (const run of runs) {
    const lights: Float64Array[] = [];
    const scene = new Float64Array(size);
    const moved = new Float32Array(size);
    const off = run.map((frame): [number, number] => [
      drift.x_px[frame]! - drift.x_px[run[0]!]!,
      drift.y_px[frame]! - drift.y_px[run[0]!]!,
    ]);
    let most = Infinity;
    for (const [turn, frame] of run.entries()) {
      await movie.read(frame, samples, signal);
      signal?.throwIfAborted();
      most = Math.min(most, (saturation(samples) - black) / drift.gain[frame]!);
      const light = new Float64Array(size);
      for (let y = 0; y < height; y++) {
        const row = (top + y) * movie.width + left;
        for (let x = 0; x < width; x++) light[y * width + x] = (samples[row + x]! - black) / drift.gain[frame]!;
      }
      lights.push(light);
      resampleWindow(light.slice(), width, height, off[turn]![0], off[turn]![1], moved, 0, width, height);
      for (let at = 0; at < size; at++) scene[at] = scene[at]! + moved[at]! / run.length;
    }
    // What the scene alone gives in each frame, from the mean of the run.
    const alone = off.map(([x, y]) => {
      const image = new Float32Array(size);
      resampleWindow(scene.slice(), width, height, -x, -y, image, 0, width, height);
      return image;
    });
    for (let turn = 1; turn + 1 < run.length; turn++, triples++) {
      const own = [turn - 1, turn, turn + 1] as const;
      const [before, here, after] = own.map((at) => lights[at]!) as [Float64Array, Float64Array, Float64Array];
      const [was, is, will] = own.map((at) => alone[at]!) as [Float32Array, Float32Array, Float32Array];
      for (let y = RIM_px; y < height - RIM_px; y++) {
        for (let x = RIM_px; x < width - RIM_px; x++) {
          const at = y * width + x;
          if (before[at]! >= most || here[at]! >= most || after[at]! >= most) continue;
          const bend = before[at]! - 2 * here[at]! + after[at]! - (was[at]! - 2 * is[at]! + will[at]!);
          const slope = Math.hypot(is[at + 1]! - is[at - 1]!, is[at + width]! - is[at - width]!);
          if (!Number.isFinite(bend) || !Number.isFinite(slope)) continue;
          all[filled] = is[at]!;
          all[filled + 1] = bend;
          all[filled + 2] = slope;
          filled += 3;
        }
      }
    }
  }
  return { found: all.subarray(0, filled), triples };
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** A window of at most SIDE_px about a crystal, or the middle: crystal and ground give a range of light. */
function windowOf({ width, height }: Movie, around: readonly [number, number] | null): Box {
  const [x, y] = around ?? [width / 2, height / 2];
  const start = (middle: number, length: number): number =>
    Math.max(0, Math.min(length - SIDE_px, Math.round(middle - SIDE_px / 2)));
  return {
    left: start(x, width),
    top: start(y, height),
    width: Math.min(SIDE_px, width),
    height: Math.min(SIDE_px, height),
  };
}

/** The greatest value of the camera, where some pixels stand at it; Infinity where none does. */
function saturation(samples: Samples): number {
  let most = -Infinity;
  let count = 0;
  for (let at = 0; at < samples.length; at++) {
    const value = samples[at]!;
    if (value > most) [most, count] = [value, 0];
    if (value === most) count++;
  }
  return count > 3 ? most : Infinity;
}

/** Levels of light and their variance, from the `flattest` share of each level's pixels, outliers clipped. */
export function levelsOf(found: Differences, flattest: number): NoiseLevel[] {
  const n = found.length / 3;
  const stride = Math.max(1, Math.floor(n / 50_000));
  const some = Float64Array.from({ length: Math.floor(n / stride) }, (_, k) => found[3 * stride * k]!);
  if (some.length === 0) return [];
  const [low, high] = [quantile(some, 0.002), quantile(some, 0.998)];
  // Even steps between the extremes, so that the few bright pixels have levels of their own.
  const bends: number[][] = Array.from({ length: LEVELS }, () => []);
  const slopes: number[][] = Array.from({ length: LEVELS }, () => []);
  const sums = new Float64Array(LEVELS);
  const counts = new Float64Array(LEVELS);
  for (let k = 0; k < n; k++) {
    const level = Math.floor((LEVELS * (found[3 * k]! - low)) / (high - low));
    if (!(level >= 0 && level < LEVELS)) continue;
    bends[level]!.push(found[3 * k + 1]!);
    slopes[level]!.push(found[3 * k + 2]!);
  }
  // Where the scene is steep, what it does alone is told worst.
  const limits = slopes.map((own) => (own.length > 0 ? quantile(own, flattest) : 0));
  for (let k = 0; k < n; k++) {
    const level = Math.floor((LEVELS * (found[3 * k]! - low)) / (high - low));
    if (!(level >= 0 && level < LEVELS) || found[3 * k + 2]! > limits[level]!) continue;
    sums[level] = sums[level]! + found[3 * k]!;
    counts[level] = counts[level]! + 1;
  }
  return bends.flatMap((all, level): NoiseLevel[] => {
    const own = all.filter((_, k) => slopes[level]![k]! <= limits[level]!);
    if (own.length < FEWEST) return [];
    const variance = clippedVariance(own) / BEND_VARIANCE;
    return [
      {
        signal_counts: sums[level]! / counts[level]!,
        variance_counts2: variance,
        sd_counts2: variance * Math.sqrt((2 * BEND_SHARED) / own.length),
      },
    ];
  });
}

/** Variance about the mean of what lies within CLIP standard deviations, made that of the whole Gaussian. */
function clippedVariance(values: readonly number[]): number {
  let middle = median(values);
  let sigma = Math.max(madSigma(values), 1e-9);
  for (let round = 0; round < 4; round++) {
    let [n, sum, squares] = [0, 0, 0];
    for (const value of values) {
      if (Math.abs(value - middle) > CLIP * sigma) continue;
      n++;
      sum += value - middle;
      squares += (value - middle) ** 2;
    }
    const shift = sum / n;
    sigma = Math.sqrt(Math.max(1e-18, squares / n - shift * shift) / CLIPPED_VARIANCE);
    middle += shift;
  }
  return sigma * sigma;
}
