/** The transform of a real image and back, in single precision, by half of its spectrum. */
import { compiledKernels } from "./compiled.js";
import { fft2, fft2Real, radicesOf } from "./fft.js";

/** Frequencies along x that say all of a real image `width` wide: 0 ... width / 2. */
export function halfSpectrum(width: number): number {
  return Math.floor(width / 2) + 1;
}

/**
 * Half of the spectrum of a real image: F(u, v) for u = 0 ... width / 2, the others follow from F(-u, -v) = conj F(u, v).
 * `re` and `im` hold height * halfSpectrum(width) values, row by row; signs as in fft2, sides as there. Compiled where that
 * runs, within single precision of its twin.
 */
export function realFft2(image: Float32Array, re: Float32Array, im: Float32Array, width: number, height: number): void {
  const compiled = compiledKernels();
  if (compiled === null) return realFft2Plain(image, re, im, width, height);
  const [from, toRe, toIm, planX, planY, scratch] = compiled.lend(
    image,
    re,
    im,
    planOf(width),
    planOf(height),
    32 * 4 * Math.max(width, height),
  ) as [number, number, number, number, number, number];
  compiled.run.realFft2(from, toRe, toIm, width, height, planX, planY, scratch);
  compiled.fetch(re, toRe);
  compiled.fetch(im, toIm);
}

/** The image of half of a spectrum, which is used up. Divided by width * height, so that it undoes realFft2. */
export function realFft2Inverse(
  re: Float32Array,
  im: Float32Array,
  image: Float32Array,
  width: number,
  height: number,
): void {
  const compiled = compiledKernels();
  if (compiled === null) return realFft2InversePlain(re, im, image, width, height);
  const [fromRe, fromIm, to, planX, planY, scratch] = compiled.lend(
    re,
    im,
    image,
    planOf(width),
    planOf(height),
    32 * 4 * Math.max(width, height),
  ) as [number, number, number, number, number, number];
  compiled.run.realFft2Inverse(fromRe, fromIm, to, width, height, planX, planY, scratch);
  compiled.fetch(image, to);
}

/** realFft2 in TypeScript. */
export function realFft2Plain(
  image: Float32Array,
  re: Float32Array,
  im: Float32Array,
  width: number,
  height: number,
): void {
  const whole = Float64Array.from(image);
  const other = new Float64Array(whole.length);
  fft2Real(whole, other, width, height);
  const half = halfSpectrum(width);
  for (let v = 0; v < height; v++) {
    re.set(whole.subarray(v * width, v * width + half), v * half);
    im.set(other.subarray(v * width, v * width + half), v * half);
  }
}

/** realFft2Inverse in TypeScript. */
export function realFft2InversePlain(
  re: Float32Array,
  im: Float32Array,
  image: Float32Array,
  width: number,
  height: number,
): void {
  const half = halfSpectrum(width);
  const whole = new Float64Array(width * height);
  const other = new Float64Array(width * height);
  for (let v = 0; v < height; v++) {
    const mirrored = (v === 0 ? 0 : height - v) * half;
    for (let u = 0; u < width; u++) {
      const from = u < half ? v * half + u : mirrored + width - u;
      whole[v * width + u] = re[from]!;
      other[v * width + u] = u < half ? im[from]! : -im[from]!;
    }
  }
  fft2(whole, other, width, height, true);
  image.set(whole);
}

/** Stages, of which there are fewer than this, and after them the roots of unity. */
const HEAD = 16;

const plans = new Map<number, Float32Array>();

/** A plan as the compiled kernel reads it (assembly/real-fft.ts). */
function planOf(length: number): Float32Array {
  const known = plans.get(length);
  if (known !== undefined) return known;
  const radices = radicesOf(length);
  const roots: number[] = [];
  let rest = length;
  for (const radix of radices) {
    const m = rest / radix;
    for (let p = 0; p < m; p++) {
      for (let k = 1; k < radix; k++) {
        const angle = (-2 * Math.PI * p * k) / rest;
        roots.push(Math.cos(angle), Math.sin(angle));
      }
    }
    rest = m;
  }
  const plan = new Float32Array(HEAD + roots.length);
  new Int32Array(plan.buffer, 0, HEAD).set([radices.length, ...radices]);
  plan.set(roots, HEAD);
  plans.set(length, plan);
  return plan;
}
