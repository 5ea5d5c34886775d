/** How a pattern that stands still in the camera shows between images laid on the same scene. */
import { splineNoiseGain, splineOverlap } from "../kernels/resample.js";

/** Places at which the scene lay in the frames that an image is the mean of, px. */
export type Shifts = readonly (readonly [number, number])[];

/**
 * Variance of the difference of two images, each the mean of frames laid on the scene by cubic splines, that a white
 * pattern of variance 1 fixed to the camera leaves in it: 0 where the scene did not move, near 2 where it did by pixels.
 */
export function patternBetween(a: Shifts, b: Shifts): number {
  return Math.max(0, patternAmong(a, a) + patternAmong(b, b) - 2 * patternAmong(a, b));
}

/** Covariance of the pattern's part in two such images. */
function patternAmong(a: Shifts, b: Shifts): number {
  let sum = 0;
  for (const [x, y] of a) for (const [u, v] of b) sum += splineOverlap(x, y, u, v);
  return sum / (a.length * b.length);
}

/** Variance that white noise of variance 1 a frame keeps in such an image. */
export function noiseKept(shifts: Shifts): number {
  return shifts.reduce((sum, [x, y]) => sum + splineNoiseGain(x, y), 0) / shifts.length ** 2;
}
