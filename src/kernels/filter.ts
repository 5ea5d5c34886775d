/** Images made smooth. */
import { type Arena, compiledKernels, newArena } from "./compiled.js";
import { quantileInPlace } from "./stats.js";

/** Gaussians are cut off here, in standard deviations; the rest weighs 6e-5. */
const CUT = 4;
/** A pixel with nothing finite within so many standard deviations stays unknown. */
const REACH = 3;

/**
 * The image blurred by a Gaussian of standard deviation `sigma_px`, as a mean weighted over the finite pixels near by
 * (normalised convolution: Knutsson and Westin, CVPR 1993). Pixels that are not finite, and all beyond the image, weigh
 * nothing; NaN is given only where no finite pixel lies within 3 sigma.
 */
export function gaussianBlur(image: ArrayLike<number>, width: number, height: number, sigma_px: number): Float32Array {
  if (!(sigma_px > 0)) return finiteOnly(image);
  const compiled = compiledKernels();
  if (compiled === null) return gaussianBlurPlain(image, width, height, sigma_px);
  const half = halfGaussian(sigma_px);
  const n = width * height;
  const reach = half.length - 1;
  const sum = roomFor(n, 0);
  sum.set(image);
  const { run } = compiled;
  const [at] = compiled.lend(sum) as [number];
  const holes = run.zeroHoles(at, n);
  compiled.fetch(sum, at);
  if (holes === 0) {
    const [values, weights, row, kept, alongX, alongY] = compiled.lend(
      sum,
      Float32Array.from(half),
      4 * (width + 2 * reach),
      4 * (reach + 2) * width,
      edgeWeights(width, half),
      edgeWeights(height, half),
    ) as [number, number, number, number, number, number];
    run.blurFloats(values, width, height, weights, reach, row, kept);
    run.divideEdges(values, width, height, alongX, alongY);
    compiled.fetch(sum, values);
    return sum.slice();
  }
  const weight = roomFor(n, 1);
  for (let k = 0; k < n; k++) weight[k] = Number.isFinite(image[k]!) ? 1 : 0;
  const [values, known, weights, row, kept] = compiled.lend(
    sum,
    weight,
    Float32Array.from(half),
    4 * (width + 2 * reach),
    4 * (reach + 2) * width,
  ) as [number, number, number, number, number];
  run.blurFloats(values, width, height, weights, reach, row, kept);
  run.blurFloats(known, width, height, weights, reach, row, kept);
  run.divideWeights(values, known, n, leastWeight(half));
  compiled.fetch(sum, values);
  return sum.slice();
}

function finiteOnly(image: ArrayLike<number>): Float32Array {
  const result = new Float32Array(image.length);
  result.set(image);
  for (let at = 0; at < result.length; at++) if (result[at]! - result[at]! !== 0) result[at] = NaN;
  return result;
}

/** The same in TypeScript and in double precision. */
export function gaussianBlurPlain(
  image: ArrayLike<number>,
  width: number,
  height: number,
  sigma_px: number,
): Float32Array {
  const half = halfGaussian(sigma_px);
  const n = width * height;
  const sum = new Float64Array(n);
  const weight = new Float64Array(n);
  for (let at = 0; at < n; at++) {
    if (!Number.isFinite(image[at]!)) continue;
    sum[at] = image[at]!;
    weight[at] = 1;
  }
  convolvePlain(sum, width, height, half);
  convolvePlain(weight, width, height, half);
  const least = leastWeight(half);
  return Float32Array.from(sum, (value, at) => (weight[at]! < least ? NaN : value / weight[at]!));
}

/** Rooms of this thread, where the compiled kernels work in place. */
const rooms: { values: Float32Array; arena: Arena }[] = [];

/** The first `length` places of a room, whatever is in them. */
function roomFor(length: number, which: number): Float32Array {
  const room = rooms[which];
  if (room !== undefined && room.values.length >= length) return room.values.subarray(0, length);
  room?.arena.release();
  const arena = newArena();
  const values = arena.floats(length);
  rooms[which] = { values, arena };
  return values;
}

/** Weight of what is finite about a place, below which nothing finite lies within 3 sigma. */
export function leastWeight(half: Float64Array): number {
  return half[0]! * half[0]! * Math.exp(-0.5 * REACH * REACH) * (1 - 1e-6);
}

/** The right half of a Gaussian whose whole sums to 1. */
export function halfGaussian(sigma_px: number): Float64Array {
  const half = new Float64Array(Math.ceil(CUT * sigma_px) + 1);
  let sum = 0;
  for (let at = 0; at < half.length; at++) {
    half[at] = Math.exp((-0.5 * at * at) / (sigma_px * sigma_px));
    sum += at === 0 ? half[at]! : 2 * half[at]!;
  }
  for (let at = 0; at < half.length; at++) half[at] = half[at]! / sum;
  return half;
}

/** How much of the Gaussian about each place of a line lies on the line. */
function edgeWeights(length: number, half: Float64Array): Float32Array {
  // The middle of a Gaussian tells it from others that are cut off as far.
  const key = `${length},${half.length},${half[0]}`;
  const known = edges.get(key);
  if (known !== undefined) return known;
  const weights = new Float64Array(length).fill(1);
  convolve(weights, length, 1, half);
  if (edges.size >= MOST_EDGES) edges.clear();
  const own = Float32Array.from(weights, (weight) => weight / half[0]!);
  edges.set(key, own);
  return own;
}

const edges = new Map<string, Float32Array>();
const MOST_EDGES = 64;

/**
 * Convolution in place with an even kernel, weights `half` at 0, 1, ...: first along rows, then along columns, with nothing
 * beyond the image. Compiled where that runs, the same to the last bit.
 */
export function convolve(values: Float64Array, width: number, height: number, half: Float64Array): void {
  const compiled = compiledKernels();
  if (compiled === null) return convolvePlain(values, width, height, half);
  const reach = half.length - 1;
  const [at, weights, row, kept] = compiled.lend(values, half, 8 * (width + 2 * reach), 8 * (reach + 2) * width) as [
    number,
    number,
    number,
    number,
  ];
  compiled.run.convolve(at, width, height, weights, reach, row, kept);
  compiled.fetch(values, at);
}

/** The same in TypeScript. */
export function convolvePlain(values: Float64Array, width: number, height: number, half: Float64Array): void {
  const reach = half.length - 1;
  const middle = half[0]!;
  const row = new Float64Array(width + 2 * reach);
  for (let y = 0; y < height; y++) {
    const start = y * width;
    row.set(values.subarray(start, start + width), reach);
    for (let x = 0; x < width; x++) {
      const centre = x + reach;
      let sum = middle * row[centre]!;
      for (let d = 1; d <= reach; d++) sum += half[d]! * (row[centre - d]! + row[centre + d]!);
      values[start + x] = sum;
    }
  }
  // Rows not yet overwritten are read as they were; those above are kept in a ring.
  const kept = new Float64Array((reach + 1) * width);
  const sum = new Float64Array(width);
  for (let y = 0; y < height; y++) {
    const start = y * width;
    kept.set(values.subarray(start, start + width), (y % (reach + 1)) * width);
    for (let x = 0; x < width; x++) sum[x] = middle * values[start + x]!;
    for (let d = 1; d <= reach; d++) {
      const weight = half[d]!;
      if (y - d >= 0) {
        const above = ((y - d) % (reach + 1)) * width;
        for (let x = 0; x < width; x++) sum[x] = sum[x]! + weight * kept[above + x]!;
      }
      if (y + d < height) {
        const below = start + d * width;
        for (let x = 0; x < width; x++) sum[x] = sum[x]! + weight * values[below + x]!;
      }
    }
    values.set(sum, start);
  }
}

/**
 * The median over the square of (2 `radius_px` + 1)^2 pixels about each pixel. Pixels that are not finite, and all beyond
 * the image, take no part; NaN where none is finite.
 */
export function medianFilter(image: ArrayLike<number>, width: number, height: number, radius_px: number): Float32Array {
  const radius = Math.max(0, Math.floor(radius_px));
  const result = new Float32Array(width * height);
  const window = new Float64Array((2 * radius + 1) ** 2);
  for (let y = 0; y < height; y++) {
    const top = Math.max(0, y - radius);
    const bottom = Math.min(height - 1, y + radius);
    for (let x = 0; x < width; x++) {
      const left = Math.max(0, x - radius);
      const right = Math.min(width - 1, x + radius);
      let n = 0;
      for (let row = top; row <= bottom; row++) {
        for (let at = row * width + left; at <= row * width + right; at++) {
          const value = image[at]!;
          if (Number.isFinite(value)) window[n++] = value;
        }
      }
      result[y * width + x] = quantileInPlace(window, n, 0.5);
    }
  }
  return result;
}
