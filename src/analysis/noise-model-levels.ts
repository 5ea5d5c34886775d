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
/** Values that tell a quantile well. */
const ENOUGH = 50_000;
/** Variance of a second difference of white noise, and by how much the squares of overlapping ones are less than independent. */
const BEND_VARIANCE = 6;
const BEND_SHARED = 1 + 2 * ((4 / 6) ** 2 + (1 / 6) ** 2);
/** Second differences that a level needs. */
const FEWEST = 400;
/** Differences beyond so many standard deviations are something that happened. */
const CLIP = 4;
/** What a Gaussian's variance loses by that. */
const CLIPPED_VARIANCE = 0.99893;

/** Second differences of pixels over three frames, in no order. */
export interface Differences {
  /** Signal, second difference and steepness of the scene, of each. */
  readonly signal: Float32Array;
  readonly bend: Float32Array;
  readonly slope: Float32Array;
}

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
  const { width, height } = box;
  const size = width * height;
  const samples = samplesOf(movie.dtype, movie.width * movie.height);
  const runs = runsOf(movie, drift);
  const inner = Math.max(0, width - 2 * RIM_px) * Math.max(0, height - 2 * RIM_px);
  const most = inner * runs.reduce((sum, run) => sum + Math.max(0, run.length - 2), 0);
  const [all, bends, slopes] = [new Float32Array(most), new Float32Array(most), new Float32Array(most)];
  let filled = 0;
  let triples = 0;
  for (const run of runs) {
    const lights: Float32Array[] = [];
    const scene = new Float32Array(size);
    const moved = new Float32Array(size);
    const off = run.map((frame): [number, number] => [
      drift.x_px[frame]! - drift.x_px[run[0]!]!,
      drift.y_px[frame]! - drift.y_px[run[0]!]!,
    ]);
    let full = Infinity;
    for (const [turn, frame] of run.entries()) {
      await movie.read(frame, samples, signal);
      signal?.throwIfAborted();
      const light = lightIn(box, samples, movie.width, black, drift.gain[frame]!);
      full = Math.min(full, saturation(light));
      lights.push(light);
      resampleWindow(light.slice(), width, height, off[turn]![0], off[turn]![1], moved, 0, width, height);
      addTimes(scene, moved, 1 / run.length);
    }
    // What the scene alone gives in each frame, from the mean of the run.
    const alone = off.map(([x, y]) => {
      const image = new Float32Array(size);
      resampleWindow(scene.slice(), width, height, -x, -y, image, 0, width, height);
      return image;
    });
    for (let turn = 1; turn + 1 < run.length; turn++, triples++) {
      const [before, here, after] = [lights[turn - 1]!, lights[turn]!, lights[turn + 1]!];
      const [was, is, will] = [alone[turn - 1]!, alone[turn]!, alone[turn + 1]!];
      const into = { signal: all, bend: bends, slope: slopes, filled };
      filled = addBends({ before, here, after, was, is, will }, { width, height, full }, into);
    }
  }
  const part = (values: Float32Array): Float32Array => values.subarray(0, filled);
  return { found: { signal: part(all), bend: part(bends), slope: part(slopes) }, triples };
}

/** The light of a frame within a window, in counts above black over the frame's own. */
function lightIn(
  { left, top, width, height }: Box,
  samples: Samples,
  stride: number,
  black: number,
  gain: number,
): Float32Array {
  const light = new Float32Array(width * height);
  const scale = 1 / gain;
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0, of = (top + y) * stride + left; x < width; x++, at++, of++)
      light[at] = (samples[of]! - black) * scale;
  }
  return light;
}

function addTimes(into: Float32Array, values: Float32Array, weight: number): void {
  for (let at = 0; at < into.length; at++) into[at] = into[at]! + weight * values[at]!;
}

/** Three frames, and what the scene alone gives in them. */
interface Three {
  readonly before: Float32Array;
  readonly here: Float32Array;
  readonly after: Float32Array;
  readonly was: Float32Array;
  readonly is: Float32Array;
  readonly will: Float32Array;
}

/** Adds the second differences of three frames, but for light from `full` on; gives how many are filled then. */
function addBends(
  { before, here, after, was, is, will }: Three,
  { width, height, full }: { readonly width: number; readonly height: number; readonly full: number },
  { signal, bend, slope, filled }: Differences & { readonly filled: number },
): number {
  let n = filled;
  for (let y = RIM_px; y < height - RIM_px; y++) {
    for (let x = RIM_px, at = y * width + RIM_px; x < width - RIM_px; x++, at++) {
      if (before[at]! >= full || here[at]! >= full || after[at]! >= full) continue;
      const own = before[at]! - 2 * here[at]! + after[at]! - (was[at]! - 2 * is[at]! + will[at]!);
      const alongX = is[at + 1]! - is[at - 1]!;
      const alongY = is[at + width]! - is[at - width]!;
      const steep = Math.sqrt(alongX * alongX + alongY * alongY);
      const both = own + steep;
      if (both - both !== 0) continue;
      signal[n] = is[at]!;
      bend[n] = own;
      slope[n++] = steep;
    }
  }
  return n;
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

/** The greatest light, where some pixels stand at it, as at the camera's greatest value; Infinity where none does. */
function saturation(light: Float32Array): number {
  let most = -Infinity;
  let count = 0;
  for (let at = 0; at < light.length; at++) {
    const value = light[at]!;
    if (value < most) continue;
    if (value > most) count = 0;
    most = value;
    count++;
  }
  return count > 3 ? most : Infinity;
}

/** Differences by their level of light, those of one level beside each other. */
export interface Levelled {
  /** Where each level begins; one entry more. */
  readonly first: Int32Array;
  readonly signal: Float32Array;
  readonly bend: Float32Array;
  readonly slope: Float32Array;
}

/** Even levels between the extremes of light, so that the few bright pixels have levels of their own. */
export function byLevel({ signal, bend, slope }: Differences): Levelled {
  const n = signal.length;
  const stride = Math.max(1, Math.floor(n / ENOUGH));
  const some = Float64Array.from({ length: Math.floor(n / stride) }, (_, k) => signal[stride * k]!);
  const [low, high] = [quantile(some, 0.002), quantile(some, 0.998)];
  const scale = LEVELS / (high - low);
  const first = new Int32Array(LEVELS + 1);
  const own = new Int8Array(n).fill(-1);
  for (let k = 0; k < n; k++) {
    const level = Math.floor(scale * (signal[k]! - low));
    if (!(level >= 0 && level < LEVELS)) continue;
    own[k] = level;
    first[level + 1] = first[level + 1]! + 1;
  }
  for (let level = 0; level < LEVELS; level++) first[level + 1] = first[level + 1]! + first[level]!;
  const total = first[LEVELS]!;
  const next = first.slice();
  const found = {
    first,
    signal: new Float32Array(total),
    bend: new Float32Array(total),
    slope: new Float32Array(total),
  };
  for (let k = 0; k < n; k++) {
    const level = own[k]!;
    if (level < 0) continue;
    const to = next[level]!;
    next[level] = to + 1;
    found.signal[to] = signal[k]!;
    found.bend[to] = bend[k]!;
    found.slope[to] = slope[k]!;
  }
  return found;
}

/** Levels of light and their variance, from the `flattest` share of each level's pixels, outliers clipped. */
export function levelsOf({ first, signal, bend, slope }: Levelled, flattest: number): NoiseLevel[] {
  const levels: NoiseLevel[] = [];
  for (let level = 0; level < LEVELS; level++) {
    const [from, to] = [first[level]!, first[level + 1]!];
    if (from === to) continue;
    // Where the scene is steep, what it does alone is told worst.
    const limit = quantile(thinned(slope.subarray(from, to)), flattest);
    const own = new Float32Array(to - from);
    let [n, sum] = [0, 0];
    for (let k = from; k < to; k++) {
      if (slope[k]! > limit) continue;
      own[n++] = bend[k]!;
      sum += signal[k]!;
    }
    if (n < FEWEST) continue;
    const variance = clippedVariance(own.subarray(0, n)) / BEND_VARIANCE;
    levels.push({
      signal_counts: sum / n,
      variance_counts2: variance,
      sd_counts2: variance * Math.sqrt((2 * BEND_SHARED) / n),
    });
  }
  return levels;
}

/** As many values as tell a quantile well. */
function thinned(values: Float32Array): Float32Array {
  const stride = Math.max(1, Math.floor(values.length / ENOUGH));
  const some = new Float32Array(Math.ceil(values.length / stride));
  for (let k = 0; k < some.length; k++) some[k] = values[k * stride]!;
  return some;
}

/** Variance about the mean of what lies within CLIP standard deviations, made that of the whole Gaussian. */
function clippedVariance(values: Float32Array): number {
  const some = thinned(values);
  let middle = median(some);
  let sigma = Math.max(madSigma(some), 1e-9);
  for (let round = 0; round < 4; round++) {
    let [n, sum, squares] = [0, 0, 0];
    const most = CLIP * sigma;
    for (let k = 0; k < values.length; k++) {
      const off = values[k]! - middle;
      if (off > most || off < -most) continue;
      n++;
      sum += off;
      squares += off * off;
    }
    const shift = sum / n;
    sigma = Math.sqrt(Math.max(1e-18, squares / n - shift * shift) / CLIPPED_VARIANCE);
    middle += shift;
  }
  return sigma * sigma;
}
