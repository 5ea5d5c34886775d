/** Focus through a movie: what becomes of the carrier's finest structure beside the coarser. */
import { gaussianBlur } from "../kernels/filter.js";
import { median } from "../kernels/stats.js";
import type { Drift, Estimate } from "../model/experiment.js";
import type { Texture } from "../kernels/texture-shift.js";

/** Point spreads between which structure is fine, and up to which it is coarse. */
const FINE_PSF = 1;
const COARSE_PSF = 3;
/** Frames on both sides of one whose median is its focus where a change is sought. */
const AROUND = 2;
/** What interpolation between pixels makes of the finest structure, found on synthetic movies. */
const INTERPOLATED = 0.002;
/** A change of focus counts from so many standard errors and this share on. */
const SDS = 5;
const LEAST = 0.05;

/** Fine and coarse structure of a carrier, pixel by pixel as its texture's maps, without mean; 0 where none counts. */
export interface Probe {
  readonly fine: Float32Array;
  readonly coarse: Float32Array;
  readonly fineSquare: number;
  readonly across: number;
  readonly coarseSquare: number;
}

/**
 * Makes ready to tell focus by a carrier. With S its light over slow light and G a Gaussian, fine = S - G(1 psf) S and
 * coarse = G(1 psf) S - G(3 psf) S. Null where it has no such structure.
 */
export function focusProbe(texture: Texture, relative: Float64Array, psf_px: number): Probe | null {
  const { width, height, pixels } = texture;
  const known = Float64Array.from(texture.light, (value, at) => (value > 0 ? relative[at]! : NaN));
  const near = gaussianBlur(known, width, height, FINE_PSF * psf_px);
  const far = gaussianBlur(known, width, height, COARSE_PSF * psf_px);
  const fine = centred(Float64Array.from(pixels, (at) => known[at]! - near[at]!));
  const coarse = centred(Float64Array.from(pixels, (at) => near[at]! - far[at]!));
  const probe = {
    fine: laidOut(fine, texture),
    coarse: laidOut(coarse, texture),
    fineSquare: dot(fine, fine),
    across: dot(fine, coarse),
    coarseSquare: dot(coarse, coarse),
  };
  return probe.fineSquare * probe.coarseSquare - probe.across ** 2 > 0 ? probe : null;
}

/**
 * Focus of a frame laid on the carrier: with `ratio` = m + a fine + b coarse by least squares, a / b, which is 1 as long as
 * the frame is as sharp as the reference, whatever its contrast; noise adds nothing to it in the mean. `alongFine` and
 * `alongCoarse` are the sums over its pixels of what the ratio differs from the reference by, times fine and coarse, so that
 * what is left out of them counts as unchanged. `sd` is the standard error for a noise of `spread` a pixel; `coarse` is b, the
 * part of the carrier's coarser structure that is still there.
 */
export function focusOf(
  { fineSquare, across, coarseSquare }: Probe,
  { alongFine, alongCoarse }: { readonly alongFine: number; readonly alongCoarse: number },
  spread: number,
): { readonly value: number; readonly sd: number; readonly coarse: number } {
  const determinant = fineSquare * coarseSquare - across ** 2;
  const a = 1 + (coarseSquare * alongFine - across * alongCoarse) / determinant;
  const b = 1 + (fineSquare * alongCoarse - across * alongFine) / determinant;
  const noise = (spread * Math.sqrt((coarseSquare + fineSquare + 2 * across) / determinant)) / Math.abs(b);
  return { value: a / b, sd: Math.hypot(noise, INTERPOLATED), coarse: b };
}

function laidOut(values: Float64Array, { pixels, maps }: Texture): Float32Array {
  const map = new Float32Array(maps.value.length);
  for (let k = 0; k < pixels.length; k++) map[pixels[k]!] = values[k]!;
  return map;
}

/** A stretch of frames out of the focus of the first ones. */
export interface Defocus {
  readonly first: number;
  readonly last: number;
  /** Focus less 1 where it is farthest off. */
  readonly change: number;
}

/** Medians over neighbouring frames: a single frame's focus is noisy. */
export function smoothFocus(focus: Float64Array): Float64Array {
  return focus.map((_, frame) => median(focus.subarray(Math.max(0, frame - AROUND), frame + AROUND + 1)));
}

/** Stretches in which focus is off that of the first frames by 5 % and five standard errors. */
export function defocused(focus: Float64Array, sd: number): Defocus[] {
  const found: { first: number; last: number; change: number }[] = [];
  const smooth = smoothFocus(focus);
  for (let frame = 0; frame < smooth.length; frame++) {
    const change = smooth[frame]! - 1;
    if (!(Math.abs(change) > leastChange(sd))) continue;
    const last = found.at(-1);
    if (last !== undefined && last.last === frame - 1) {
      last.last = frame;
      if (Math.abs(change) > Math.abs(last.change)) last.change = change;
    } else found.push({ first: frame, last: frame, change });
  }
  return found;
}

/** From where on a change of focus counts; `sd` is that of one frame. */
export function leastChange(sd: number): number {
  return Math.max(LEAST, SDS * sd * MEDIAN_ERROR);
}

/** Range of the smoothed focus within a window, with the error of its two ends; null where no frame of it tells it. */
export function focusChange(
  { focus, focus_sd }: Pick<Drift, "focus" | "focus_sd">,
  time_s: Float64Array,
  { start_s, end_s }: { readonly start_s: number; readonly end_s: number },
): Estimate | null {
  const own = smoothFocus(focus).filter(
    (one, at) => Number.isFinite(one) && time_s[at]! >= start_s && time_s[at]! <= end_s,
  );
  if (own.length === 0) return null;
  const sd = Math.SQRT2 * MEDIAN_ERROR * focus_sd;
  return { value: Math.max(...own) - Math.min(...own), sd, n: own.length };
}

/** Standard error of a median of five over that of one. */
const MEDIAN_ERROR = 0.54;

function centred(values: Float64Array): Float64Array {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.map((value) => value - mean);
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!;
  return sum;
}
