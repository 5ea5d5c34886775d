/** A reference that is renewed from a registered mean where the carrier's texture slowly becomes another. */
import { sharpNoiseKept, sharpPatternBetween } from "./camera-pattern.js";
import { whiteNoise } from "./carrier.js";
import { focusProbe, type Probe } from "./focus-course.js";
import { type Place, type Reference, referenceOf, type View } from "./registration.js";
import { interpolationError, patternError } from "./registration-bias.js";
import { splineCoefficients } from "../kernels/resample.js";
import { median } from "../kernels/stats.js";
import { textureShift } from "../kernels/texture-shift.js";

/** Frames whose registered mean may become the next reference. */
const RENEWED_FROM = 50;
/** A reference is renewed where less than this part of its coarser structure is left, in the median over those frames. */
const LEFT = 0.85;
/** A frame shows the camera's pattern where so much of its variance is left beside the reference's. */
const MOVED = 0.5;
const FEWEST_MOVED = 5;

/** One reference and the frames that were laid on it. */
export interface Epoch {
  readonly reference: Reference;
  readonly probe: Probe | null;
  /** First frame that was laid on it. */
  readonly from: number;
  /** Frames that it is the mean of, of the epoch before; empty for the first. */
  readonly madeOf: readonly number[];
  /** How far its scene lies from the first reference's where the two are compared outright, px; NaN where they have too little in common. */
  readonly off_px: number;
}

/** A mean in the making. */
export interface Gathering {
  readonly sum: Float64Array;
  readonly count: Uint16Array;
  readonly frames: number[];
  readonly shifts: [number, number][];
  readonly coarse: number[];
}

export function firstEpoch(reference: Reference, psf_px: number): Epoch {
  const probe = reference.blind === null ? focusProbe(reference.texture, reference.relative, psf_px) : null;
  return { reference, probe, from: 0, madeOf: [], off_px: 0 };
}

export function newGathering(size: number): Gathering {
  return { sum: new Float64Array(size), count: new Uint16Array(size), frames: [], shifts: [], coarse: [] };
}

/** Adds a frame that lies on the reference: its light over the lamp's. */
export function gather(
  into: Gathering,
  moved: Float64Array,
  frame: number,
  { place, gain, coarse }: { readonly place: Place; readonly gain: number; readonly coarse: number },
): void {
  for (let at = 0; at < moved.length; at++) {
    const value = moved[at]! / gain;
    if (value - value !== 0) continue;
    into.sum[at] = into.sum[at]! + value;
    into.count[at] = into.count[at]! + 1;
  }
  into.frames.push(frame);
  into.shifts.push([place.x, place.y]);
  into.coarse.push(coarse);
}

/** Whether a mean has the frames that it takes. */
export function isFull({ frames }: Gathering): boolean {
  return frames.length >= RENEWED_FROM;
}

/**
 * The next epoch, from the mean of the last frames laid on this one; null where this one's texture is still the carrier's.
 * Never from a single frame, whose error would stay in all that follow.
 */
export function nextEpoch(view: View, epoch: Epoch, gathered: Gathering, first: Reference): Epoch | null {
  if (!(median(gathered.coarse) < LEFT)) return null;
  const light = gathered.sum.map((sum, at) => sum / gathered.count[at]!);
  const reference = referenceOf(view, [light], gathered.shifts, epoch.reference.anchor);
  const probe = focusProbe(reference.texture, reference.relative, view.psf_px);
  if (probe === null) return null;
  return {
    reference,
    probe,
    from: gathered.frames.at(-1)! + 1,
    madeOf: [...gathered.frames],
    off_px: offFirst(view, light, first),
  };
}

/** Shift of a mean image against the first reference. */
function offFirst(
  { carrier: { width, height } }: View,
  light: Float64Array,
  { texture, light: earlier }: Reference,
): number {
  const coefficients = light.map((value, at) => (value - value === 0 ? value : earlier[at]!));
  if (coefficients.some((value) => value - value !== 0)) return NaN;
  splineCoefficients(coefficients, width, height);
  const moved = new Float64Array(light.length);
  const ratio = new Float64Array(light.length);
  const within = [0, 0, width - 1, height - 1] as const;
  const { dx_px, dy_px } = textureShift(texture, coefficients, width, height, 0, 0, within, 0, 0, moved, ratio);
  return Math.hypot(dx_px, dy_px);
}

/** White noise of a frame laid on the carrier, less the reference's: what is sharper than any texture. */
export function sharpResidual({ carrier, ratio }: View, { relative }: Reference): number {
  const change = ratio.map((value, at) => value - relative[at]!);
  return whiteNoise(change, carrier.weight, carrier.width, carrier.height);
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
  { view, sharp, noise }: { readonly view: View; readonly sharp: Float64Array; readonly noise: number },
): void {
  const variance = patternVariance(x_px, y_px, epochs, sharp, noise);
  const takenX = new Float64Array(x_px.length);
  const takenY = new Float64Array(x_px.length);
  for (const [at, { reference, from, madeOf }] of epochs.entries()) {
    const { texture, shifts_px } = reference;
    const until = epochs[at + 1]?.from ?? x_px.length;
    const [waveX, waveY] = interpolationError(texture);
    const pattern = patternError(texture, view.carrier.weight, shifts_px, view.psf_px);
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
 * the reference's. 0 where fewer than FEWEST_MOVED did. Texture that changes is smooth and does not count.
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
  return found.length < FEWEST_MOVED ? 0 : Math.max(0, median(found));
}
