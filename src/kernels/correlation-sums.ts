/** What a phase correlation sums over half spectra: its product, its highest place, and the hill about a place. */
import { compiledKernels } from "./compiled.js";

/** conj(R) I takes the place of I, re + i im, and is copied into to. All arrays are as long. */
export function crossSpectrum(
  reference: { readonly re: Float32Array; readonly im: Float32Array },
  re: Float32Array,
  im: Float32Array,
  toRe: Float32Array,
  toIm: Float32Array,
): void {
  const compiled = compiledKernels();
  if (compiled === null) return crossSpectrumPlain(reference, re, im, toRe, toIm);
  const at = compiled.lend(reference.re, reference.im, re, im, toRe, toIm);
  const [a, b, c, d, e, f] = at as [number, number, number, number, number, number];
  compiled.run.crossSpectrum(a, b, c, d, e, f, re.length);
  compiled.fetch(re, c);
  compiled.fetch(im, d);
  compiled.fetch(toRe, e);
  compiled.fetch(toIm, f);
}

export function crossSpectrumPlain(
  reference: { readonly re: Float32Array; readonly im: Float32Array },
  re: Float32Array,
  im: Float32Array,
  toRe: Float32Array,
  toIm: Float32Array,
): void {
  for (let at = 0; at < re.length; at++) {
    const [a, b] = [re[at]!, im[at]!];
    const [c, d] = [reference.re[at]!, reference.im[at]!];
    re[at] = c * a + d * b;
    im[at] = c * b - d * a;
  }
  toRe.set(re);
  toIm.set(im);
}

/** Place of the first of the greatest values, and the sum of the squares of all. */
export function highest(values: Float32Array): { readonly at: number; readonly squares: number } {
  const compiled = compiledKernels();
  if (compiled === null) return highestPlain(values);
  const squares = new Float64Array(1);
  const [from, to] = compiled.lend(values, squares) as [number, number];
  const at = compiled.run.highest(from, values.length, to);
  compiled.fetch(squares, to);
  return { at, squares: squares[0]! };
}

export function highestPlain(values: Float32Array): { readonly at: number; readonly squares: number } {
  let [at, squares] = [0, 0];
  for (let k = 0; k < values.length; k++) {
    squares += values[k]! * values[k]!;
    if (values[k]! > values[at]!) at = k;
  }
  return { at, squares };
}

/** Gradient and curvature of a surface at a place. */
export type Hill = readonly [x: number, y: number, xx: number, xy: number, yy: number];

/**
 * Gradient and curvature at dx, dy of the real surface whose half spectrum is re + i im, up to a factor:
 *
 *     c(s) = sum over k of F(k) exp(i k s)
 *
 * Frequencies u and -u say the same: those above 0 count, twice over, u = 0 once, and one without a sign not at all.
 */
export function hill(re: Float32Array, im: Float32Array, width: number, height: number, dx: number, dy: number): Hill {
  const compiled = compiledKernels();
  if (compiled === null) return hillPlain(re, im, width, height, dx, dy);
  const half = re.length / height;
  const along = new Float32Array(5 * half);
  for (let u = 0; u < half; u++) {
    const kx = (2 * Math.PI * u) / width;
    const count = u === 0 ? 0.5 : 2 * u === width ? 0 : 1;
    along[u] = Math.cos(kx * dx);
    along[half + u] = Math.sin(kx * dx);
    along[2 * half + u] = count;
    along[3 * half + u] = count * kx;
    along[4 * half + u] = count * kx * kx;
  }
  const down = new Float64Array(3 * height);
  for (let v = 0; v < height; v++) {
    const ky = frequency(v, height);
    down[3 * v] = Math.cos(ky * dy);
    down[3 * v + 1] = Math.sin(ky * dy);
    down[3 * v + 2] = ky;
  }
  const sums = new Float64Array(5);
  const [a, b, c, d, to] = compiled.lend(re, im, along, down, sums) as [number, number, number, number, number];
  compiled.run.hill(a, b, half, height, c, d, to);
  compiled.fetch(sums, to);
  return [sums[0]!, sums[1]!, sums[2]!, sums[3]!, sums[4]!];
}

export function hillPlain(
  re: Float32Array,
  im: Float32Array,
  width: number,
  height: number,
  dx: number,
  dy: number,
): Hill {
  const half = re.length / height;
  let [gx, gy, hxx, hxy, hyy] = [0, 0, 0, 0, 0];
  for (let v = 0; v < height; v++) {
    const ky = frequency(v, height);
    for (let u = 0; u < half; u++) {
      if (2 * u === width) continue;
      const kx = (2 * Math.PI * u) / width;
      const count = u === 0 ? 0.5 : 1;
      const [c, s] = [Math.cos(kx * dx + ky * dy), Math.sin(kx * dx + ky * dy)];
      const at = v * half + u;
      const valueRe = count * (re[at]! * c - im[at]! * s);
      const valueIm = count * (re[at]! * s + im[at]! * c);
      gx -= kx * valueIm;
      gy -= ky * valueIm;
      hxx -= kx * kx * valueRe;
      hxy -= kx * ky * valueRe;
      hyy -= ky * ky * valueRe;
    }
  }
  return [gx, gy, hxx, hxy, hyy];
}

/** Frequency of an entry of a transform, in radians a pixel: the later half are negative. */
export function frequency(index: number, length: number): number {
  return (2 * Math.PI * signed(index, length)) / length;
}

/** An entry of a transform, or a place on a circle, counted from 0 both ways. */
export function signed(index: number, length: number): number {
  return 2 * index > length ? index - length : index;
}
