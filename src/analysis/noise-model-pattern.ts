/** The pattern that stands still in the camera, from frames that saw the scene at different places. */
import { gaussianBlur } from "../kernels/filter.js";
import { resampleWindow } from "../kernels/resample.js";
import { linearFit, madSigma, quantile } from "../kernels/stats.js";
import type { Drift, Estimate } from "../model/experiment.js";
import type { Movie } from "../model/movie.js";
import { noiseKept, patternBetween } from "./camera-pattern.js";
import { samplesOf } from "./frames.js";
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
  const { width, height } = movie;
  const ratio = Float64Array.from(early.image, (value, at) =>
    carrier[at] === 1 && value > 0 ? late.image[at]! / value : NaN,
  );
  const slow = gaussianBlur(ratio, width, height, SLOW_PSF * psf_px);
  const kept = noiseKept(early.shifts) + noiseKept(late.shifts);
  const places: number[] = [];
  const residuals: number[] = [];
  const expected: number[] = [];
  // Where the scene is steep, a place told a little wrong looks like a pattern: what is left at no steepness is it.
  const steepness = (at: number): number =>
    Math.hypot(early.image[at + 1]! - early.image[at - 1]!, early.image[at + width]! - early.image[at - width]!) /
    early.image[at]!;
  const steep = ratio.map((one, at) => (Number.isFinite(one) ? steepness(at) : NaN));
  const limit = quantile(steep.filter(Number.isFinite), FLATTER);
  const steepness2: number[] = [];
  for (let at = 0; at < ratio.length; at++) {
    const one = ratio[at]! / slow[at]! - 1;
    if (!Number.isFinite(one) || !(steep[at]! <= limit)) continue;
    const light = early.image[at]!;
    residuals.push(one);
    places.push(at);
    steepness2.push(steep[at]! ** 2);
    expected.push((kept * varianceOf(fit, light)) / light ** 2);
  }
  if (residuals.length < FEWEST) {
    because.push("too few pixels of still carrier to tell the pattern fixed to the camera");
    return null;
  }
  const most = CLIP * madSigma(residuals);
  const within = [...residuals.keys()].filter((k) => Math.abs(residuals[k]!) <= most);
  const beyond = (k: number): number => residuals[k]! ** 2 / CLIPPED_VARIANCE - expected[k]!;
  const { value: mean, weights } = atNone(
    within.map((k) => steepness2[k]!),
    within.map(beyond),
  );
  const blocks = new Map<number, number>();
  for (const [turn, k] of within.entries()) {
    const [x, y] = [places[k]! % width, Math.floor(places[k]! / width)];
    const block = Math.floor(y / BLOCK_px) * width + Math.floor(x / BLOCK_px);
    blocks.set(block, (blocks.get(block) ?? 0) + weights[turn]!);
  }
  const scatter = Math.sqrt([...blocks.values()].reduce((sum, one) => sum + one ** 2, 0));
  const variance = Math.max(0, mean) / shows;
  // The noise that is taken off is itself known to some hundredths only.
  const taken = expected.reduce((sum, one) => sum + one / expected.length, 0);
  const sd2 = Math.hypot(scatter, NOISE_ERROR * taken) / shows;
  const value = Math.sqrt(variance);
  return { value, sd: value > 0 ? Math.min(sd2 / (2 * value), Math.sqrt(sd2)) : Math.sqrt(sd2), n: within.length };
}

/** A straight line's value at x = 0 by least squares, and what each residual adds to its error. */
function atNone(x: readonly number[], y: readonly number[]): { value: number; weights: Float64Array } {
  const { slope, intercept } = linearFit(x, y);
  const n = x.length;
  const mean = x.reduce((sum, one) => sum + one / n, 0);
  const spread = x.reduce((sum, one) => sum + (one - mean) ** 2, 0);
  return {
    value: intercept,
    weights: Float64Array.from(
      x,
      (one, k) => (1 / n - ((one - mean) * mean) / spread) * (y[k]! - intercept - slope * one),
    ),
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
    const light = Float64Array.from(samples, (value) => (value - black) / gain[frame]!);
    const [x, y] = [x_px[frame]!, y_px[frame]!];
    resampleWindow(light, width, height, x, y, moved, 0, width, height);
    for (let at = 0; at < size; at++) image[at] = image[at]! + moved[at]! / frames.length;
    shifts.push([x, y]);
  }
  return { image, shifts };
}
