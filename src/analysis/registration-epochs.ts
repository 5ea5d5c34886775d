/** A reference that is renewed from a registered mean where the carrier's texture slowly becomes another. */
import { sharpNoiseKept, sharpPatternBetween } from "./camera-pattern.js";
import { focusProbe } from "./focus-course.js";
import type { Ground } from "./laid-frames.js";
import { lightLaid, locate, type Reference, referenceOf, type Sight, type View } from "./registration.js";
import { interpolationError, patternError } from "./registration-bias.js";
import { splineCoefficients } from "../kernels/resample.js";
import { madSigma, median } from "../kernels/stats.js";
import { newLaid, textureShift } from "../kernels/texture-shift.js";
import type { Movie } from "../model/movie.js";
import { samplesOf } from "./frames.js";

/** Frames whose registered mean may become the next reference. */
const RENEWED_FROM = 50;
/** A reference is renewed where less than this part of its coarser structure is left, in the median over those frames. */
const LEFT = 0.85;
/** A frame shows the camera's pattern where so much of its variance is left beside the reference's. */
const MOVED = 0.5;
const FEWEST_MOVED = 5;
/** The pattern is taken off where its variance exceeds so many standard errors. */
const BEYOND_CHANCE = 3;

/** One reference and the frames that were laid on it. */
export interface Epoch {
  readonly reference: Reference;
  readonly ground: Ground;
  /** First frame that was laid on it. */
  readonly from: number;
  /** Frames that it is the mean of, of the epoch before; empty for the first. */
  readonly madeOf: readonly number[];
  /** How far its scene lies from the first reference's where the two are compared outright, px; NaN where they have too little in common. */
  readonly off_px: number;
}

/** Frames of an epoch whose mean may make the next. */
export interface Gathering {
  readonly frames: number[];
  readonly shifts: [number, number][];
  readonly gains: number[];
  readonly coarse: number[];
}

export function firstEpoch(reference: Reference, psf_px: number): Epoch {
  return { reference, ground: groundOf(reference, psf_px, 0), from: 0, madeOf: [], off_px: 0 };
}

export function newGathering(): Gathering {
  return { frames: [], shifts: [], gains: [], coarse: [] };
}

/** Whether a mean has the frames that it takes. */
export function isFull({ frames }: Gathering): boolean {
  return frames.length >= RENEWED_FROM;
}

/**
 * The next epoch, which begins at frame `from`, from the mean of the frames gathered on this one; null where this one's texture
 * is still the carrier's. Never from a single frame, whose error would stay in all that follow. The frames are read again.
 */
export async function nextEpoch(
  movie: Movie,
  view: View,
  epoch: Epoch,
  gathered: Gathering,
  {
    first,
    from,
    signal,
  }: { readonly first: Reference; readonly from: number; readonly signal?: AbortSignal | undefined },
): Promise<Epoch | null> {
  if (!(median(gathered.coarse) < LEFT)) return null;
  const light = await registeredMean(movie, view, epoch, gathered, signal);
  const reference = referenceOf(view, [light], gathered.shifts, epoch.reference.anchor);
  const ground = groundOf(reference, view.psf_px, epoch.ground.id + 1);
  if (ground.probe === null) return null;
  return { reference, ground, from, madeOf: [...gathered.frames], off_px: offFirst(view, light, first) };
}

function groundOf(reference: Reference, psf_px: number, id: number): Ground {
  const { texture, coarse, blind, relative } = reference;
  const probe = blind === null ? focusProbe(texture, relative, psf_px) : null;
  return { id, texture, coarse, probe, blind: blind !== null };
}

/** Mean light of frames laid on an epoch's reference, each over its lamp's; NaN where no frame shows a pixel. */
async function registeredMean(
  movie: Movie,
  view: View,
  { reference }: Epoch,
  { frames, shifts, gains }: Gathering,
  signal?: AbortSignal,
): Promise<Float64Array> {
  const size = view.carrier.width * view.carrier.height;
  const samples = samplesOf(movie.dtype, movie.width * movie.height);
  const sum = new Float64Array(size);
  const count = new Uint16Array(size);
  for (const [k, frame] of frames.entries()) {
    await movie.read(frame, samples, signal);
    if (locate(view, samples, reference, shifts[k]!) === null) continue;
    const light = lightLaid(view);
    for (let at = 0; at < size; at++) {
      const value = light[at]! / gains[k]!;
      if (value - value !== 0) continue;
      sum[at] = sum[at]! + value;
      count[at] = count[at]! + 1;
    }
  }
  return sum.map((value, at) => value / count[at]!);
}

/** Shift of a mean image against the first reference. */
function offFirst(
  { carrier: { width, height } }: View,
  light: Float64Array,
  { texture, light: earlier }: Reference,
): number {
  const coefficients = Float32Array.from(light, (value, at) => (value - value === 0 ? value : earlier[at]!));
  if (coefficients.some((value) => value - value !== 0)) return NaN;
  splineCoefficients(coefficients, width, height);
  const within = [0, 0, width - 1, height - 1] as const;
  const laid = newLaid(width, height);
  const { dx_px, dy_px } = textureShift(texture, coefficients, width, height, 0, 0, within, 0, 0, laid);
  return Math.hypot(dx_px, dy_px);
}

/**
 * Takes from every shift what interpolation and the camera's own pattern pull, epoch by epoch: a reference is off by the mean
 * of what its frames are, and so are all that were laid on it. `sharp` holds the sharp residual of the frames that were
 * asked for it, NaN at others.
 */
export function takeErrors(
  x_px: Float64Array,
  y_px: Float64Array,
  epochs: readonly Epoch[],
  { sight, sharp, noise }: { readonly sight: Sight; readonly sharp: Float64Array; readonly noise: number },
): void {
  const variance = patternVariance(x_px, y_px, epochs, sharp, noise);
  const takenX = new Float64Array(x_px.length);
  const takenY = new Float64Array(x_px.length);
  for (const [at, { reference, from, madeOf }] of epochs.entries()) {
    const { texture, shifts_px } = reference;
    const until = epochs[at + 1]?.from ?? x_px.length;
    const [waveX, waveY] = interpolationError(texture);
    const pattern = patternError(texture, sight.carrier.weight, shifts_px, sight.psf_px);
    const own = (taken: Float64Array): number => madeOf.reduce((sum, frame) => sum + taken[frame]! / madeOf.length, 0);
    const [offX, offY] = [own(takenX), own(takenY)];
    for (let frame = from; frame < until; frame++) {
      const [drawnX, drawnY] = pattern(x_px[frame]!, y_px[frame]!);
      takenX[frame] = waveX * Math.sin(2 * Math.PI * x_px[frame]!) + variance * drawnX + offX;
      takenY[frame] = waveY * Math.sin(2 * Math.PI * y_px[frame]!) + variance * drawnY + offY;
    }
  }
  for (let frame = 0; frame < x_px.length; frame++) {
    x_px[frame] = x_px[frame]! - takenX[frame]!;
    y_px[frame] = y_px[frame]! - takenY[frame]!;
  }
}

/**
 * Variance of a white pattern that stands still in the camera, as a share of the light squared: what is left sharp between
 * frame and reference beyond noise, over what the pattern would leave there, the median over frames that moved away from
 * the reference's. 0 where fewer than FEWEST_MOVED did, and where it is no more than chance gives. Texture that changes is smooth and does not count.
 */
function patternVariance(
  x_px: Float64Array,
  y_px: Float64Array,
  epochs: readonly Epoch[],
  sharp: Float64Array,
  noise: number,
): number {
  const found: number[] = [];
  for (const [at, { reference, from }] of epochs.entries()) {
    const until = epochs[at + 1]?.from ?? x_px.length;
    const own = sharpNoiseKept(reference.shifts_px);
    for (let frame = from; frame < until; frame++) {
      if (!Number.isFinite(sharp[frame]!)) continue;
      const here = [[x_px[frame]!, y_px[frame]!]] as const;
      const shows = sharpPatternBetween(here, reference.shifts_px);
      if (shows > MOVED) found.push((sharp[frame]! ** 2 - noise ** 2 * (sharpNoiseKept(here) + own)) / shows);
    }
  }
  if (found.length < FEWEST_MOVED) return 0;
  const variance = median(found);
  // The standard error of a median of normal deviates is 1.25 times that of their mean.
  const sd = (1.25 * madSigma(found)) / Math.sqrt(found.length);
  return variance > BEYOND_CHANCE * sd ? variance : 0;
}
