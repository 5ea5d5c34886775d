/** Parts of a phase correlation on half spectra of floats: the twins in src/kernels/phase-correlation.ts. */

const F32: usize = 4;
const F64: usize = 8;

/** conj(R) I into re and im, where I lies, and a copy of it into toRe and toIm. `n` values. */
export function crossSpectrum(
  referenceRe: usize,
  referenceIm: usize,
  re: usize,
  im: usize,
  toRe: usize,
  toIm: usize,
  n: i32,
): void {
  let k = 0;
  for (; k + 4 <= n; k += 4) {
    const off = <usize>k * F32;
    const a = v128.load(re + off);
    const b = v128.load(im + off);
    const c = v128.load(referenceRe + off);
    const d = v128.load(referenceIm + off);
    const x = f32x4.add(f32x4.mul(c, a), f32x4.mul(d, b));
    const y = f32x4.sub(f32x4.mul(c, b), f32x4.mul(d, a));
    v128.store(re + off, x);
    v128.store(im + off, y);
    v128.store(toRe + off, x);
    v128.store(toIm + off, y);
  }
  for (; k < n; k++) {
    const off = <usize>k * F32;
    const a = load<f32>(re + off);
    const b = load<f32>(im + off);
    const c = load<f32>(referenceRe + off);
    const d = load<f32>(referenceIm + off);
    const x = c * a + d * b;
    const y = c * b - d * a;
    store<f32>(re + off, x);
    store<f32>(im + off, y);
    store<f32>(toRe + off, x);
    store<f32>(toIm + off, y);
  }
}

/** Place of the first greatest of `n` values; the sum of their squares into the double at `squares`. */
export function highest(values: usize, n: i32, squares: usize): i32 {
  const none = <f32>-Infinity;
  let most = f32x4.splat(none);
  let total: f64 = 0;
  let k = 0;
  while (k + 4 <= n) {
    let sum = f32x4.splat(0);
    const end = min(n - 3, k + 1024);
    for (; k < end; k += 4) {
      const value = v128.load(values + <usize>k * F32);
      most = f32x4.max(most, value);
      sum = f32x4.add(sum, f32x4.mul(value, value));
    }
    total +=
      <f64>f32x4.extract_lane(sum, 0) +
      <f64>f32x4.extract_lane(sum, 1) +
      <f64>f32x4.extract_lane(sum, 2) +
      <f64>f32x4.extract_lane(sum, 3);
  }
  let greatest = max(
    max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1)),
    max(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3)),
  );
  for (; k < n; k++) {
    const value = load<f32>(values + <usize>k * F32);
    if (value > greatest) greatest = value;
    total += <f64>value * <f64>value;
  }
  store<f64>(squares, total);
  for (let at = 0; at < n; at++) if (load<f32>(values + <usize>at * F32) === greatest) return at;
  return 0;
}

/**
 * Sums over a half spectrum of rows of `half` values: gradient x, y and curvature xx, xy, yy of its Fourier series at one place,
 * into five doubles. `along` holds, one after the other, `half` floats each: cosines and sines of kx dx, and count kx^0, kx and
 * kx^2, where count is 1/2 for the first, 0 for a frequency without a sign, and 1; `down` the cosine, sine and ky of each row, as
 * doubles.
 */
export function hill(re: usize, im: usize, half: i32, height: i32, along: usize, down: usize, sums: usize): void {
  const row4 = <usize>half * F32;
  const sine = along + row4;
  const count = along + 2 * row4;
  const first = along + 3 * row4;
  const second = along + 4 * row4;
  let gx: f64 = 0;
  let gy: f64 = 0;
  let hxx: f64 = 0;
  let hxy: f64 = 0;
  let hyy: f64 = 0;
  const fours = half & ~3;
  for (let v = 0; v < height; v++) {
    const c = <f32>load<f64>(down + <usize>(3 * v) * F64);
    const s = <f32>load<f64>(down + <usize>(3 * v + 1) * F64);
    const ky = load<f64>(down + <usize>(3 * v + 2) * F64);
    const row = <usize>v * row4;
    const cs = f32x4.splat(c);
    const ss = f32x4.splat(s);
    let re0 = f32x4.splat(0);
    let im0 = f32x4.splat(0);
    let re1 = f32x4.splat(0);
    let im1 = f32x4.splat(0);
    let re2 = f32x4.splat(0);
    for (let u = 0; u < fours; u += 4) {
      const off = <usize>u * F32;
      const a = v128.load(along + off);
      const b = v128.load(sine + off);
      const phaseRe = f32x4.sub(f32x4.mul(a, cs), f32x4.mul(b, ss));
      const phaseIm = f32x4.add(f32x4.mul(a, ss), f32x4.mul(b, cs));
      const p = v128.load(re + row + off);
      const q = v128.load(im + row + off);
      const valueRe = f32x4.sub(f32x4.mul(p, phaseRe), f32x4.mul(q, phaseIm));
      const valueIm = f32x4.add(f32x4.mul(p, phaseIm), f32x4.mul(q, phaseRe));
      const n0 = v128.load(count + off);
      const n1 = v128.load(first + off);
      const n2 = v128.load(second + off);
      re0 = f32x4.add(re0, f32x4.mul(n0, valueRe));
      im0 = f32x4.add(im0, f32x4.mul(n0, valueIm));
      re1 = f32x4.add(re1, f32x4.mul(n1, valueRe));
      im1 = f32x4.add(im1, f32x4.mul(n1, valueIm));
      re2 = f32x4.add(re2, f32x4.mul(n2, valueRe));
    }
    let sumRe = lanes(re0);
    let sumIm = lanes(im0);
    let sumKxRe = lanes(re1);
    let sumKxIm = lanes(im1);
    let sumKxxRe = lanes(re2);
    for (let u = fours; u < half; u++) {
      const off = <usize>u * F32;
      const a = load<f32>(along + off);
      const b = load<f32>(sine + off);
      const phaseRe = a * c - b * s;
      const phaseIm = a * s + b * c;
      const p = load<f32>(re + row + off);
      const q = load<f32>(im + row + off);
      const valueRe = p * phaseRe - q * phaseIm;
      const valueIm = p * phaseIm + q * phaseRe;
      sumRe += <f64>(load<f32>(count + off) * valueRe);
      sumIm += <f64>(load<f32>(count + off) * valueIm);
      sumKxRe += <f64>(load<f32>(first + off) * valueRe);
      sumKxIm += <f64>(load<f32>(first + off) * valueIm);
      sumKxxRe += <f64>(load<f32>(second + off) * valueRe);
    }
    gx -= sumKxIm;
    gy -= ky * sumIm;
    hxx -= sumKxxRe;
    hxy -= ky * sumKxRe;
    hyy -= ky * ky * sumRe;
  }
  store<f64>(sums, gx);
  store<f64>(sums + F64, gy);
  store<f64>(sums + 2 * F64, hxx);
  store<f64>(sums + 3 * F64, hxy);
  store<f64>(sums + 4 * F64, hyy);
}

function lanes(sum: v128): f64 {
  return (
    <f64>f32x4.extract_lane(sum, 0) +
    <f64>f32x4.extract_lane(sum, 1) +
    <f64>f32x4.extract_lane(sum, 2) +
    <f64>f32x4.extract_lane(sum, 3)
  );
}
