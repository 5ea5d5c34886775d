/** The pattern that stands still in the camera, from frames that saw the scene at different places. */
import { halfGaussian, leastWeight } from "../kernels/filter.js";
import { resampleWindow } from "../kernels/resample.js";
import { sampledBlur } from "../kernels/sampled-blur.js";
import { linearFit, madSigmaInPlace, quantile } from "../kernels/stats.js";
import type { Drift, Estimate } from "../model/experiment.js";
import type { Movie } from "../model/movie.js";
import { noiseKept, patternBetween } from "./camera-pattern.js";
import { samplesOf } from "./frames.js";
import { countsOf } from "./noise-model-carrier.js";
import { varianceOf, type Fit } from "./noise-model-fit.js";

/** Frames of each of the two groups that show the pattern, and how much of it must show between them. */
const GROUP = 8;
const LEAST_SHOWN = 0.8;
/** Error of the noise that is taken from what is between the groups, as a part of it. */
const NOISE_ERROR = 0.02;
/** Slow light between the groups: what varies over so many point spreads. */
const SLOW_PSF = 6;
/** Pixels of carrier that tell it, and how much a difference may be beyond their spread. */
const FEWEST = 400;
/** Values that tell a quantile well. */
const ENOUGH = 20_000;
/** Share of them that is looked at, the flattest. */
const FLATTER = 0.75;
const CLIP = 4;
/** Side of blocks of pixels that are independent of each other. */
const BLOCK_px = 8;
/** What a Gaussian's variance loses by that. */
const CLIPPED_VARIANCE = 0.99893;

/** Frames of a group, laid on the scene of frame 0, their mean over their own light. */
interface Group {
  readonly image: Float64Array;
  readonly shifts: [number, number][];
}

/**
 * Standard deviation of the pattern, as a fraction: what the ratio of two groups of frames, laid on the scene, scatters on the
 * still carrier beyond the noise of `fit`, over what of a pattern shows between them. Its error counts blocks of pixels, as
 * neighbours share what interpolation finds. Null, with a sentence in `because`, where the scene hardly moved.
 */
export async function patternOf(
  movie: Movie,
  drift: Drift,
  fit: Fit,
  {
    black,
    psf_px,
    signal,
    because,
  }: {
    readonly black: number;
    readonly psf_px: number;
    readonly signal: AbortSignal | undefined;
    readonly because: string[];
  },
): Promise<Estimate | null> {
  const { x_px, y_px, carrier } = drift;
  const known = [...x_px.keys()].filter((frame) => Number.isFinite(x_px[frame]! + y_px[frame]! + drift.gain[frame]!));
  const first = known.slice(0, GROUP);
  if (first.length === 0) return null;
  const place = (frame: number): [number, number] => [x_px[frame]!, y_px[frame]!];
  // The frames that show most of it beside the first ones.
  const from = known
    .slice(GROUP)
    .filter((_, at, all) => at + GROUP <= all.length)
    .reduce<number | null>((best, frame) => {
      const off = (one: number): number => Math.hypot(x_px[one]! - x_px[first[0]!]!, y_px[one]! - y_px[first[0]!]!);
      return best === null || off(frame) > off(best) ? frame : best;
    }, null);
  const second = from === null ? [] : known.filter((frame) => frame >= from).slice(0, GROUP);
  const shows = second.length === 0 ? 0 : patternBetween(first.map(place), second.map(place));
  // Two means of GROUP frames that moved little within themselves show nearly 2.
  if (!(shows >= LEAST_SHOWN)) {
    because.push("the scene moved too little to tell a pattern fixed to the camera from its own");
    return null;
  }
  const [early, late] = [
    await groupOf(movie, drift, first, black, signal),
    await groupOf(movie, drift, second, black, signal),
  ];
  const found = leftBetween(early, late, movie, { carrier, fit, psf_px, shows });
  if (found === null) because.push("too few pixels of still carrier to tell the pattern fixed to the camera");
  return found;
}

/** The pattern by what is left between two groups; null where too few pixels tell it. */
function leftBetween(
  early: Group,
  late: Group,
  { width, height }: { readonly width: number; readonly height: number },
  {
    carrier,
    fit,
    psf_px,
    shows,
  }: { readonly carrier: Uint8Array; readonly fit: Fit; readonly psf_px: number; readonly shows: number },
): Estimate | null {
  const size = width * height;
  const ratio = new Float32Array(size).fill(NaN);
  const steep = new Float32Array(size).fill(NaN);
  let seen = 0;
  for (let at = 0; at < size; at++) {
    const light = early.image[at]!;
    if (carrier[at] !== 1 || !(light > 0)) continue;
    ratio[at] = late.image[at]! / light;
    // Where the scene is steep, a place told a little wrong looks like a pattern: what is left at no steepness is it.
    const alongX = early.image[at + 1]! - early.image[at - 1]!;
    const alongY = early.image[at + width]! - early.image[at - width]!;
    if (!Number.isFinite(ratio[at]!)) continue;
    steep[at] = Math.sqrt(alongX * alongX + alongY * alongY) / light;
    seen++;
  }
  const slow = slowlyVarying(ratio, width, height, SLOW_PSF * psf_px);
  const kept = noiseKept(early.shifts) + noiseKept(late.shifts);
  const every = Math.max(1, Math.floor(seen / ENOUGH));
  const limit = quantile(
    steep.filter((one) => !Number.isNaN(one)).filter((_, at) => at % every === 0),
    FLATTER,
  );
  const places = new Int32Array(size);
  const residuals = new Float64Array(size);
  const scratch = new Float64Array(size);
  let n = 0;
  for (let at = 0; at < size; at++) {
    if (!(steep[at]! <= limit)) continue;
    const one = ratio[at]! / slow[at]! - 1;
    if (!Number.isFinite(one)) continue;
    residuals[n] = one;
    scratch[n] = one;
    places[n++] = at;
  }
  if (n < FEWEST) return null;
  const most = CLIP * madSigmaInPlace(scratch, n);
  const [steepness2, beyond] = [new Float64Array(n), new Float64Array(n)];
  let within = 0;
  let taken = 0;
  for (let k = 0; k < n; k++) {
    const light = early.image[places[k]!]!;
    const expected = (kept * varianceOf(fit, light)) / light ** 2;
    // The noise that is taken off is itself known to some hundredths only.
    taken += expected / n;
    if (Math.abs(residuals[k]!) > most) continue;
    places[within] = places[k]!;
    steepness2[within] = steep[places[k]!]! ** 2;
    beyond[within++] = residuals[k]! ** 2 / CLIPPED_VARIANCE - expected;
  }
  const { value: mean, weights } = atNone(steepness2.subarray(0, within), beyond.subarray(0, within));
  const columns = Math.ceil(width / BLOCK_px);
  const blocks = new Float64Array(columns * Math.ceil(height / BLOCK_px));
  for (let k = 0; k < within; k++) {
    const [x, y] = [places[k]! % width, Math.floor(places[k]! / width)];
    const block = Math.floor(y / BLOCK_px) * columns + Math.floor(x / BLOCK_px);
    blocks[block] = blocks[block]! + weights[k]!;
  }
  const scatter = Math.sqrt(blocks.reduce((sum, one) => sum + one * one, 0));
  const variance = Math.max(0, mean) / shows;
  const sd2 = Math.hypot(scatter, NOISE_ERROR * taken) / shows;
  const value = Math.sqrt(variance);
  return { value, sd: value > 0 ? Math.min(sd2 / (2 * value), Math.sqrt(sd2)) : Math.sqrt(sd2), n: within };
}

/** An image blurred so much that a grid of a quarter of that tells it, straight in between; NaN where nothing is near. */
function slowlyVarying(image: Float32Array, width: number, height: number, sigma_px: number): Float32Array {
  const stride = Math.max(1, Math.floor(sigma_px / 4));
  const half = halfGaussian(sigma_px);
  const least = leastWeight(half);
  const grid = {
    left: 0,
    top: 0,
    stride,
    columns: Math.floor((width - 1) / stride) + 1,
    rows: Math.floor((height - 1) / stride) + 1,
  };
  const sums = new Float32Array(grid.columns * grid.rows);
  const weights = new Float32Array(sums.length);
  const some = image.map((one) => (one - one === 0 ? one : 0));
  sampledBlur(some, width, height, half, grid, sums);
  for (let at = 0; at < some.length; at++) some[at] = Number.isFinite(image[at]!) ? 1 : 0;
  sampledBlur(some, width, height, half, grid, weights);
  for (let at = 0; at < sums.length; at++) sums[at] = weights[at]! < least ? NaN : sums[at]! / weights[at]!;
  const found = new Float32Array(image.length);
  for (let y = 0, at = 0; y < height; y++) {
    const row = Math.min(grid.rows - 1, Math.floor(y / stride));
    const below = Math.min(grid.rows - 1, row + 1) * grid.columns;
    const v = y / stride - row;
    for (let x = 0; x < width; x++, at++) {
      const column = Math.min(grid.columns - 1, Math.floor(x / stride));
      const right = Math.min(grid.columns - 1, column + 1);
      const u = x / stride - column;
      const above = row * grid.columns;
      found[at] =
        (1 - v) * ((1 - u) * sums[above + column]! + u * sums[above + right]!) +
        v * ((1 - u) * sums[below + column]! + u * sums[below + right]!);
    }
  }
  return found;
}

/** A straight line's value at x = 0 by least squares, and what each residual adds to its error. */
function atNone(x: Float64Array, y: Float64Array): { value: number; weights: Float64Array } {
  const { slope, intercept } = linearFit(x, y);
  const n = x.length;
  const mean = x.reduce((sum, one) => sum + one / n, 0);
  const spread = x.reduce((sum, one) => sum + (one - mean) ** 2, 0);
  return {
    value: intercept,
    weights: x.map((one, k) => (1 / n - ((one - mean) * mean) / spread) * (y[k]! - intercept - slope * one)),
  };
}

async function groupOf(
  movie: Movie,
  { x_px, y_px, gain }: Drift,
  frames: readonly number[],
  black: number,
  signal?: AbortSignal,
): Promise<Group> {
  const { width, height } = movie;
  const size = width * height;
  const samples = samplesOf(movie.dtype, size);
  const image = new Float64Array(size);
  const moved = new Float32Array(size);
  const shifts: [number, number][] = [];
  for (const frame of frames) {
    await movie.read(frame, samples, signal);
    signal?.throwIfAborted();
    const light = countsOf(samples, black, gain[frame]!);
    const [x, y] = [x_px[frame]!, y_px[frame]!];
    resampleWindow(light, width, height, x, y, moved, 0, width, height);
    addTimes(image, moved, 1 / frames.length);
    shifts.push([x, y]);
  }
  return { image, shifts };
}

function addTimes(into: Float64Array, values: Float32Array, weight: number): void {
  for (let at = 0; at < into.length; at++) into[at] = into[at]! + weight * values[at]!;
}
