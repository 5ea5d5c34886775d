/** How far one image lies from another: the continuous maximum of their cross-correlation. */
import { ordinaryArrays, type Arena } from "./compiled.js";
import { crossSpectrum, frequency, highest, hill, signed } from "./correlation-sums.js";
import { halfSpectrum, realFft2, realFft2Inverse } from "./real-fft.js";

/** A reference transformed once, for any number of images of its size. */
export interface CorrelationReference {
  readonly width: number;
  readonly height: number;
  /** Half of the reference's spectrum, times the square of the band-pass where one was given. */
  readonly re: Float32Array;
  readonly im: Float32Array;
}

/** Where an image lies against a reference. */
export interface CorrelationPeak {
  /** The image's content lies by dx, dy to the right of and below the reference's. */
  readonly dx_px: number;
  readonly dy_px: number;
  /** Height of the peak over the rms of the correlation at all shifts: 3 to 4.5 by chance, more for a match. */
  readonly significance: number;
}

/**
 * The reference's part of a correlation. Width and height of the form 2^a 3^b 5^c. The caller has windowed the image,
 * and windows those compared with it alike. `band` gives the share of an amplitude that passes at |k|, in radians a
 * pixel; it acts on both images of the pair, though it is multiplied in here, once.
 */
export function correlationReference(
  image: ArrayLike<number>,
  width: number,
  height: number,
  band: (k: number) => number = () => 1,
  arena: Arena = ordinaryArrays,
): CorrelationReference {
  const half = halfSpectrum(width);
  const re = arena.floats(half * height);
  const im = arena.floats(half * height);
  realFft2(Float32Array.from(image), re, im, width, height);
  for (let v = 0, at = 0; v < height; v++) {
    for (let u = 0; u < half; u++, at++) {
      // The highest frequency of an even length has no sign, so it cannot say which way the image moved.
      const passed =
        2 * u === width || 2 * v === height ? 0 : band(Math.hypot(frequency(u, width), frequency(v, height))) ** 2;
      re[at] = re[at]! * passed;
      im[at] = im[at]! * passed;
    }
  }
  return { width, height, re, im };
}

/** Arrays that a correlation works with, of one size. */
export interface CorrelationScratch {
  readonly re: Float32Array;
  readonly im: Float32Array;
  readonly usedRe: Float32Array;
  readonly usedIm: Float32Array;
  readonly correlation: Float32Array;
}

export function correlationScratch(width: number, height: number, arena: Arena = ordinaryArrays): CorrelationScratch {
  const n = halfSpectrum(width) * height;
  return {
    re: arena.floats(n),
    im: arena.floats(n),
    usedRe: arena.floats(n),
    usedIm: arena.floats(n),
    correlation: arena.floats(width * height),
  };
}

/**
 * Shift of an image against a reference: the highest whole-pixel place of their circular cross-correlation, and from
 * there the continuous maximum by Newton's steps on its Fourier series,
 *
 *     c(s) = sum over k of conj(R(k)) I(k) exp(i k s)
 *
 * Amplitudes are kept: normalising them away leaves smooth images to their noise. The shift is NaN where either image
 * is empty.
 */
export function phaseCorrelation(
  reference: CorrelationReference,
  image: Float32Array,
  scratch: CorrelationScratch = correlationScratch(reference.width, reference.height),
): CorrelationPeak {
  const { width, height } = reference;
  const { re, im, usedRe, usedIm, correlation } = scratch;
  realFft2(image, re, im, width, height);
  crossSpectrum(reference, re, im, usedRe, usedIm);
  realFft2Inverse(usedRe, usedIm, correlation, width, height);
  const { at, squares } = highest(correlation);
  const rms = Math.sqrt(squares / correlation.length);
  if (!(rms > 0)) return { dx_px: NaN, dy_px: NaN, significance: 0 };
  const x = signed(at % width, width);
  const y = signed(Math.floor(at / width), height);
  const [dx_px, dy_px] = climb(re, im, width, height, x, y);
  return { dx_px, dy_px, significance: correlation[at]! / rms };
}

/** After a step as small as this, less than a ten-thousandth of a pixel is left. */
const SETTLED_px = 3e-3;

/** Newton's steps from a whole-pixel maximum; stays there where the surface is no hill. */
function climb(
  re: Float32Array,
  im: Float32Array,
  width: number,
  height: number,
  x: number,
  y: number,
): [number, number] {
  let [dx, dy] = [x, y];
  for (let step = 0; step < 8; step++) {
    const [gx, gy, hxx, hxy, hyy] = hill(re, im, width, height, dx, dy);
    const determinant = hxx * hyy - hxy * hxy;
    if (!(hxx < 0 && determinant > 0)) return [x, y];
    const stepX = -(hyy * gx - hxy * gy) / determinant;
    const stepY = -(hxx * gy - hxy * gx) / determinant;
    dx += stepX;
    dy += stepY;
    if (!(Math.abs(dx - x) <= 1 && Math.abs(dy - y) <= 1)) return [x, y];
    // Newton's steps square what is left.
    if (Math.abs(stepX) < SETTLED_px && Math.abs(stepY) < SETTLED_px) break;
  }
  return [dx, dy];
}
