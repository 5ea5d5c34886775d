/** What does not change: the carbon's speckle and the roughness of a crystal's face. */
import { gaussianBlur } from "../kernels/filter.js";
import type { Random } from "../kernels/random.js";

/**
 * Fully developed speckle, mean 1 and contrast 1: |E|^2 of a field E of random phasors seen through a coherent point
 * spread. An intensity point spread of standard deviation `psf_px` is that of an amplitude of sqrt(2) psf_px, which sets
 * the size of a grain (Goodman, Speckle Phenomena in Optics, ch. 4). height * width values.
 */
export function speckle(width: number, height: number, psf_px: number, random: Random): Float32Array {
  const re = smoothNoise(width, height, Math.SQRT2 * psf_px, random);
  const im = smoothNoise(width, height, Math.SQRT2 * psf_px, random);
  const intensity = new Float32Array(width * height);
  for (let at = 0; at < intensity.length; at++) intensity[at] = (re[at]! * re[at]! + im[at]! * im[at]!) / 2;
  return intensity;
}

/** A Gaussian random field, mean 0 and standard deviation 1, smooth over `scale_px`. height * width values. */
export function smoothNoise(width: number, height: number, scale_px: number, random: Random): Float32Array {
  // Beyond an edge there is nothing to blend with, so the field is drawn larger and cut.
  const margin = Math.ceil(4 * scale_px);
  const wide = width + 2 * margin;
  const high = height + 2 * margin;
  const white = Float32Array.from({ length: wide * high }, () => random.normal());
  const smooth = gaussianBlur(white, wide, high, scale_px);
  const scale = 1 / spreadLeft(scale_px, margin);
  const field = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) field[y * width + x] = scale * smooth[(y + margin) * wide + x + margin]!;
  }
  return field;
}

/** Standard deviation that white noise of 1 keeps when it is blurred along both axes: the sum of squared weights. */
function spreadLeft(scale_px: number, reach: number): number {
  let sum = 0;
  let squares = 0;
  for (let at = -reach; at <= reach; at++) {
    const weight = Math.exp((-0.5 * at * at) / (scale_px * scale_px));
    sum += weight;
    squares += weight * weight;
  }
  return squares / (sum * sum);
}
