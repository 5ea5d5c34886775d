/** How far one image lies from another: the continuous maximum of their cross-correlation. */
import { fft2, fft2Real } from "./fft.js";

/** A reference transformed once, for any number of images of its size. */
export interface CorrelationReference {
  readonly width: number;
  readonly height: number;
  /** Spectrum of the reference, times the square of the band-pass where one was given. */
  readonly re: Float64Array;
  readonly im: Float64Array;
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
): CorrelationReference {
  const re = Float64Array.from(image);
  const im = new Float64Array(re.length);
  fft2Real(re, im, width, height);
  for (let v = 0, at = 0; v < height; v++) {
    for (let u = 0; u < width; u++, at++) {
      // The highest frequency of an even length has no sign, so it cannot say which way the image moved.
      const passed =
        2 * u === width || 2 * v === height ? 0 : band(Math.hypot(frequency(u, width), frequency(v, height))) ** 2;
      re[at] = re[at]! * passed;
      im[at] = im[at]! * passed;
    }
  }
  return { width, height, re, im };
}

/**
 * Shift of an image against a reference: the highest whole-pixel place of their circular cross-correlation, and from
 * there the continuous maximum by Newton's steps on its Fourier series,
 *
 *     c(s) = sum over k of conj(R(k)) I(k) exp(i k s)
 *
 * Amplitudes are kept: normalising them away leaves smooth images to their noise. The shift is NaN where either image
 * is empty. `image` is used up.
 */
export function phaseCorrelation(reference: CorrelationReference, image: Float64Array): CorrelationPeak {
  const { width, height } = reference;
  const re = image;
  const im = new Float64Array(re.length);
  fft2Real(re, im, width, height);
  for (let at = 0; at < re.length; at++) {
    const a = re[at]!;
    const b = im[at]!;
    re[at] = reference.re[at]! * a + reference.im[at]! * b;
    im[at] = reference.re[at]! * b - reference.im[at]! * a;
  }
  const correlation = re.slice();
  fft2(correlation, im.slice(), width, height, true);
  let highest = 0;
  let squares = 0;
  for (let at = 0; at < correlation.length; at++) {
    squares += correlation[at]! * correlation[at]!;
    if (correlation[at]! > correlation[highest]!) highest = at;
  }
  const rms = Math.sqrt(squares / correlation.length);
  if (!(rms > 0)) return { dx_px: NaN, dy_px: NaN, significance: 0 };
  const x = signed(highest % width, width);
  const y = signed(Math.floor(highest / width), height);
  const [dx_px, dy_px] = climb(re, im, width, height, x, y);
  return { dx_px, dy_px, significance: correlation[highest]! / rms };
}

/** Newton's steps from a whole-pixel maximum; stays there where the surface is no hill. */
function climb(
  re: Float64Array,
  im: Float64Array,
  width: number,
  height: number,
  x: number,
  y: number,
): [number, number] {
  const half = Math.floor((width - 1) / 2);
  const cosX = new Float64Array(half + 1);
  const sinX = new Float64Array(half + 1);
  let [dx, dy] = [x, y];
  for (let step = 0; step < 8; step++) {
    for (let u = 0; u <= half; u++) {
      cosX[u] = Math.cos(frequency(u, width) * dx);
      sinX[u] = Math.sin(frequency(u, width) * dx);
    }
    let [gx, gy, hxx, hxy, hyy] = [0, 0, 0, 0, 0];
    for (let v = 0; v < height; v++) {
      const ky = frequency(v, height);
      const c = Math.cos(ky * dy);
      const s = Math.sin(ky * dy);
      const row = v * width;
      // Both images are real, so frequencies u and -u say the same: those above 0 count, twice over, u = 0 once.
      let [sumIm, sumKxIm, sumKxRe, sumKxxRe] = [0, 0, 0, 0];
      let sumRe = 0;
      for (let u = 0; u <= half; u++) {
        const kx = (2 * Math.PI * u) / width;
        const phaseRe = cosX[u]! * c - sinX[u]! * s;
        const phaseIm = cosX[u]! * s + sinX[u]! * c;
        const count = u === 0 ? 0.5 : 1;
        const valueRe = count * (re[row + u]! * phaseRe - im[row + u]! * phaseIm);
        const valueIm = count * (re[row + u]! * phaseIm + im[row + u]! * phaseRe);
        sumRe += valueRe;
        sumIm += valueIm;
        sumKxIm += kx * valueIm;
        sumKxRe += kx * valueRe;
        sumKxxRe += kx * kx * valueRe;
      }
      gx -= sumKxIm;
      gy -= ky * sumIm;
      hxx -= sumKxxRe;
      hxy -= ky * sumKxRe;
      hyy -= ky * ky * sumRe;
    }
    const determinant = hxx * hyy - hxy * hxy;
    if (!(hxx < 0 && determinant > 0)) return [x, y];
    const stepX = -(hyy * gx - hxy * gy) / determinant;
    const stepY = -(hxx * gy - hxy * gx) / determinant;
    dx += stepX;
    dy += stepY;
    if (!(Math.abs(dx - x) <= 1 && Math.abs(dy - y) <= 1)) return [x, y];
    if (Math.abs(stepX) < 1e-5 && Math.abs(stepY) < 1e-5) break;
  }
  return [dx, dy];
}

function frequency(index: number, length: number): number {
  return (2 * Math.PI * signed(index, length)) / length;
}

function signed(index: number, length: number): number {
  return 2 * index > length ? index - length : index;
}
