/** How sharp a frame is: the contrast of its finest structure. */
import { gaussianBlur } from "../kernels/filter.js";

/** Standard deviations of the two blurs whose difference passes the finest structure that optics let through. */
const FINE_PX = 1;
const COARSE_PX = 2;
/** What the blurs see of the border. */
const MARGIN_PX = 6;

/**
 * Rms contrast of fine structure, relative to the mean light:
 *
 *     sqrt(sum of B(a) B(b) / n) / sqrt(mean a * mean b),   B = Gaussian of 1 px minus Gaussian of 2 px
 *
 * of a frame `a` and the one after it `b`: noise, which differs between them, adds nothing, and a brighter lamp changes
 * nothing. Structure of one to a few px fades first as focus is lost. Row-major, `width` x `height` px.
 * 0 where noise is all there is; NaN where the images are smaller than 20 px or hold no light.
 */
export function fineContrast(a: ArrayLike<number>, b: ArrayLike<number>, width: number, height: number): number {
  if (width < 20 || height < 20) return NaN;
  const [meanA, meanB] = [meanOf(a), meanOf(b)];
  if (!(meanA > 0 && meanB > 0)) return NaN;
  const [fineA, fineB] = [finePart(a, width, height), finePart(b, width, height)];
  let sum = 0;
  let known = 0;
  for (let y = MARGIN_PX; y < height - MARGIN_PX; y++) {
    for (let x = MARGIN_PX; x < width - MARGIN_PX; x++) {
      const product = fineA[y * width + x]! * fineB[y * width + x]!;
      if (Number.isNaN(product)) continue;
      sum += product;
      known++;
    }
  }
  return known === 0 ? NaN : Math.sqrt(Math.max(0, sum / known) / (meanA * meanB));
}

function finePart(image: ArrayLike<number>, width: number, height: number): Float32Array {
  const fine = gaussianBlur(image, width, height, FINE_PX);
  const coarse = gaussianBlur(image, width, height, COARSE_PX);
  for (let at = 0; at < fine.length; at++) fine[at] = fine[at]! - coarse[at]!;
  return fine;
}

function meanOf(image: ArrayLike<number>): number {
  let sum = 0;
  let known = 0;
  for (let at = 0; at < image.length; at++) {
    const value = image[at]!;
    if (!Number.isFinite(value)) continue;
    sum += value;
    known++;
  }
  return known === 0 ? NaN : sum / known;
}
