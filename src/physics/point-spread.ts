/**
 * The point spread of an objective of high numerical aperture: Airy's, and the Gaussian that stands for it.
 *
 * Scalar and paraxial: polarisation and apodisation of a high aperture are left out; they widen an Airy disc at NA 1.4 by
 * a few per cent along the polarisation.
 */
import { fft2, fft2Real, nextFastSize } from "../kernels/fft.js";

/** What decides the size of a point. */
export interface Objective {
  readonly na: number;
  /** In vacuum. */
  readonly wavelength_um: number;
  /** Index of the liquid that the object lies in. */
  readonly medium_n: number;
}

/** How an image is spread: by a Gaussian, given by the standard deviation of its intensity, or by Airy's pattern. */
export type Spread =
  { readonly kind: "gaussian"; readonly psf_um: number } | { readonly kind: "airy"; readonly objective: Objective };

/** Light steeper than total reflection at the window never reaches the object: NA is at most the liquid's index. */
export function effectiveNa({ na, medium_n }: Objective): number {
  return Math.min(na, medium_n);
}

/**
 * Standard deviation of the Gaussian nearest to Airy's intensity (least squares over the plane), um, `defocus_um` away
 * from best focus.
 *
 *     s0 = 0.2103 wavelength / NA,   s(z)^2 = s0^2 (1 + (z / zR)^2),   zR = 4 pi n s0^2 / wavelength
 *
 * The widening is that of a Gaussian beam whose waist is 2 s0 (Saleh and Teich, Fundamentals of Photonics, 3.1).
 */
export function spreadOf_um(objective: Objective, defocus_um = 0): number {
  const best_um = (0.2103 * objective.wavelength_um) / effectiveNa(objective);
  return best_um * Math.hypot(1, defocus_um / rayleighRange_um(objective));
}

/** Distance from best focus at which the point's area has doubled, um. */
export function rayleighRange_um(objective: Objective): number {
  const best_um = (0.2103 * objective.wavelength_um) / effectiveNa(objective);
  return (4 * Math.PI * objective.medium_n * best_um * best_um) / objective.wavelength_um;
}

/** Airy's intensity at a distance from the middle of a point, 1 there: (2 J1(v) / v)^2, v = 2 pi NA r / wavelength. */
export function airyIntensity(r_um: number, objective: Objective): number {
  const v = (2 * Math.PI * effectiveNa(objective) * Math.abs(r_um)) / objective.wavelength_um;
  if (v < 1e-6) return 1;
  const amplitude = (2 * besselJ1(v)) / v;
  return amplitude * amplitude;
}

/** J1 by Bessel's integral; the mean over a whole period converges faster than any power. */
function besselJ1(v: number): number {
  const points = 24 + Math.ceil(2 * v);
  let sum = 0;
  for (let at = 0; at < points; at++) {
    const angle = (2 * Math.PI * at) / points;
    sum += Math.cos(angle - v * Math.sin(angle));
  }
  return sum / points;
}

/**
 * Right half of the discrete Gaussian exp(-t) I_n(t), whose variance is exactly t = sigma^2 however narrow it is; the
 * whole sums to 1. Lindeberg, IEEE Trans. Pattern Anal. 12, 234 (1990); by Miller's backward recurrence.
 */
export function discreteGaussian(sigma_cells: number): Float64Array {
  const t = sigma_cells * sigma_cells;
  if (!(t > 1e-12)) return Float64Array.of(1);
  const reach = Math.ceil(5 * sigma_cells) + 2;
  const start = reach + 10 + Math.ceil(2 * sigma_cells);
  const half = new Float64Array(reach + 1);
  let above = 0;
  let here = 1e-250;
  let sum = 0;
  for (let n = start; n >= 0; n--) {
    if (n <= reach) {
      half[n] = here;
      sum += n === 0 ? here : 2 * here;
    }
    const below = above + ((2 * n) / t) * here;
    above = here;
    here = below;
    if (here > 1e200) {
      // Only the ratios count.
      above *= 1e-200;
      here *= 1e-200;
      sum *= 1e-200;
      for (let at = 0; at <= reach; at++) half[at] = half[at]! * 1e-200;
    }
  }
  return half.map((weight) => weight / sum);
}

/**
 * Blurs an image in place, along rows and then along columns, by the right half of a kernel; nothing lies beyond the
 * image. `work` is as large as the image. The sum stays where the image is dark within the kernel's reach of its border.
 */
export function blurInPlace(
  image: Float64Array,
  width: number,
  height: number,
  half: Float64Array,
  work: Float64Array,
): void {
  const reach = half.length - 1;
  if (reach === 0) return;
  const middle = half[0]!;
  const line = new Float64Array(width + 2 * reach);
  for (let y = 0; y < height; y++) {
    const row = y * width;
    line.set(image.subarray(row, row + width), reach);
    for (let x = 0; x < width; x++) {
      const centre = x + reach;
      let sum = middle * line[centre]!;
      for (let d = 1; d <= reach; d++) sum += half[d]! * (line[centre - d]! + line[centre + d]!);
      work[row + x] = sum;
    }
  }
  for (let y = 0; y < height; y++) {
    const row = y * width;
    const inside = Math.min(reach, y, height - 1 - y);
    for (let x = 0; x < width; x++) {
      const here = row + x;
      let sum = middle * work[here]!;
      for (let d = 1, away = width; d <= inside; d++, away += width) {
        sum += half[d]! * (work[here - away]! + work[here + away]!);
      }
      for (let d = inside + 1; d <= reach; d++) {
        if (y - d >= 0) sum += half[d]! * work[here - d * width]!;
        else if (y + d < height) sum += half[d]! * work[here + d * width]!;
      }
      image[here] = sum;
    }
  }
}

/** Spreads light (or, with `im`, the complex field) of cells in place, each time the same way and in the same memory. */
export type Spreading = (re: Float64Array, im: Float64Array | null) => void;

/**
 * Makes a spread ready for images of one size. Light is spread by the intensity's point spread, a field by the
 * amplitude's: a Gaussian sqrt(2) wider, or a pupil that passes spatial frequencies up to NA / wavelength alone. Airy's
 * pattern acts through its transfer function, exactly, with dark beyond the image.
 */
export function spreading(spread: Spread, width: number, height: number, cell_um: number): Spreading {
  if (spread.kind === "gaussian") {
    const light = discreteGaussian(spread.psf_um / cell_um);
    const field = discreteGaussian((Math.SQRT2 * spread.psf_um) / cell_um);
    const work = new Float64Array(width * height);
    return (re, im) => {
      blurInPlace(re, width, height, im === null ? light : field, work);
      if (im !== null) blurInPlace(im, width, height, field, work);
    };
  }
  const { objective } = spread;
  const cutoff = effectiveNa(objective) / objective.wavelength_um;
  const margin = Math.ceil(3 / (cutoff * cell_um));
  const wide = nextFastSize(width + margin);
  const high = nextFastSize(height + margin);
  const a = new Float64Array(wide * high);
  const b = new Float64Array(wide * high);
  const frequency = frequencies(wide, high, cell_um).map((f) => f / cutoff);
  const light = frequency.map((f) => incoherentTransfer(f / 2));
  const field = frequency.map((f) => (f <= 1 ? 1 : 0));
  return (re, im) => {
    const transfer = im === null ? light : field;
    copyRows(re, width, height, a, wide);
    if (im === null) fft2Real(a, b, wide, high);
    else {
      copyRows(im, width, height, b, wide);
      fft2(a, b, wide, high, false);
    }
    for (let at = 0; at < a.length; at++) {
      a[at] = a[at]! * transfer[at]!;
      b[at] = b[at]! * transfer[at]!;
    }
    fft2(a, b, wide, high, true);
    for (let y = 0; y < height; y++) {
      re.set(a.subarray(y * wide, y * wide + width), y * width);
      im?.set(b.subarray(y * wide, y * wide + width), y * width);
    }
  };
}

/** Spatial frequency of each coefficient of a transform, per um. */
function frequencies(wide: number, high: number, cell_um: number): Float64Array {
  return Float64Array.from({ length: wide * high }, (_, at) => {
    const u = at % wide;
    const v = Math.floor(at / wide);
    return Math.hypot(Math.min(u, wide - u) / wide, Math.min(v, high - v) / high) / cell_um;
  });
}

/** Overlap of two round pupils: what an incoherent image keeps of a frequency, in units of 2 NA / wavelength. */
function incoherentTransfer(f: number): number {
  return f >= 1 ? 0 : (2 / Math.PI) * (Math.acos(f) - f * Math.sqrt(1 - f * f));
}

function copyRows(from: Float64Array, width: number, height: number, into: Float64Array, wide: number): void {
  into.fill(0);
  for (let y = 0; y < height; y++) into.set(from.subarray(y * width, (y + 1) * width), y * wide);
}
