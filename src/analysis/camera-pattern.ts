/** How a pattern that stands still in the camera shows between images laid on the same scene. */
import { sharpOverlap, splineNoiseGain, splineOverlap } from "../kernels/resample.js";

/** Places at which the scene lay in the frames that an image is the mean of, px. */
export type Shifts = readonly (readonly [number, number])[];

/**
 * Variance of the difference of two images, each the mean of frames laid on the scene by cubic splines, that a white
 * pattern of variance 1 fixed to the camera leaves in it: 0 where the scene did not move, near 2 where it did by pixels.
 */
export function patternBetween(a: Shifts, b: Shifts): number {
  return between(a, b, splineOverlap);
}

/** The same of the difference sharpened by [1 -2 1] / sqrt(6) along both axes: of what is smooth, nothing is left in it. */
export function sharpPatternBetween(a: Shifts, b: Shifts): number {
  return between(a, b, sharpOverlap);
}

/** Variance that white noise of variance 1 a frame keeps in such an image, so sharpened. */
export function sharpNoiseKept(shifts: Shifts): number {
  return shifts.reduce((sum, [x, y]) => sum + sharpOverlap(x, y, x, y), 0) / shifts.length ** 2;
}

type Overlap = (x: number, y: number, u: number, v: number) => number;

function between(a: Shifts, b: Shifts, overlap: Overlap): number {
  return Math.max(0, among(a, a, overlap) + among(b, b, overlap) - 2 * among(a, b, overlap));
}

/** Covariance of the pattern's part in two such images. */
function among(a: Shifts, b: Shifts, overlap: Overlap): number {
  let sum = 0;
  for (const [x, y] of a) for (const [u, v] of b) sum += overlap(x, y, u, v);
  return sum / (a.length * b.length);
}

/** Variance that white noise of variance 1 a frame keeps in such an image. */
export function noiseKept(shifts: Shifts): number {
  return shifts.reduce((sum, [x, y]) => sum + splineNoiseGain(x, y), 0) / shifts.length ** 2;
}
