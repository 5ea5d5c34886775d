/** Moving an image by a fraction of a pixel, with cubic B-splines. */
import { compiledKernels } from "./compiled.js";

/** Images in either precision: floats are compiled where that runs, within single precision of the same in TypeScript. */
type Image = Float64Array | Float32Array;

/** Pole of the prefilter of the cubic B-spline. */
const POLE = Math.sqrt(3) - 2;
/** Terms after which the pole's powers are below double precision. */
const HORIZON = 28;
/** Pixels beyond which a sample's weight is below a ten-thousandth. */
const REACH = 8;

/**
 * The image with its content moved by +dx_px, +dy_px: cubic B-spline interpolation with mirror boundaries.
 *
 * Samples go through: a shift by whole pixels copies, and none gives the image back to the last bit. NaN where the
 * shift brought in no light, and where one of the (up to four) pixels around a place is NaN.
 * After Unser, Aldroubi and Eden 1993, part II.
 */
export function shiftImage(
  image: ArrayLike<number>,
  width: number,
  height: number,
  dx_px: number,
  dy_px: number,
): Float32Array {
  const into = new Float32Array(width * height);
  resampleWindow(Float64Array.from(image), width, height, -dx_px, -dy_px, into, 0, width, height);
  return into;
}

/**
 * An image's values at x0 + i, y0 + j, i < windowWidth, j < windowHeight, into `into` from `at` on; NaN by the rule of
 * shiftImage. `image` is used up: it holds spline coefficients afterwards, unless the place lies on whole pixels.
 */
export function resampleWindow(
  image: Image,
  width: number,
  height: number,
  x0: number,
  y0: number,
  into: Float32Array,
  at: number,
  windowWidth: number,
  windowHeight: number,
): void {
  if (Number.isInteger(x0) && Number.isInteger(y0)) {
    for (let j = 0; j < windowHeight; j++) {
      const row = y0 + j >= 0 && y0 + j < height ? (y0 + j) * width : -1;
      for (let i = 0; i < windowWidth; i++) {
        const x = x0 + i;
        into[at + j * windowWidth + i] = row >= 0 && x >= 0 && x < width ? image[row + x]! : NaN;
      }
    }
    return;
  }
  const missing = bridgeGaps(image, width, height);
  splineCoefficients(image, width, height);
  sampleSpline(image, width, height, x0, y0, into, at, windowWidth, windowHeight);
  if (missing === null) return;
  const left = Math.floor(x0);
  const top = Math.floor(y0);
  const right = x0 > left ? 1 : 0;
  const below = y0 > top ? width : 0;
  for (let j = Math.max(0, -top); j < windowHeight && top + j + (below > 0 ? 1 : 0) < height; j++) {
    for (let i = Math.max(0, -left); i < windowWidth && left + i + right < width; i++) {
      const from = (top + j) * width + left + i;
      if (missing[from] || missing[from + right] || missing[from + below] || missing[from + below + right])
        into[at + j * windowWidth + i] = NaN;
    }
  }
}

/**
 * Replaces samples by the coefficients of the cubic B-spline that goes through them, in place; mirror boundaries about
 * the outermost pixels. Every sample must be finite.
 */
export function splineCoefficients(image: Image, width: number, height: number): void {
  const compiled = compiledKernels();
  if (compiled === null || image instanceof Float64Array) return splineCoefficientsPlain(image, width, height);
  const [at, sum] = compiled.lend(image, 4 * width) as [number, number];
  compiled.run.splineCoefficients(at, width, height, sum);
  compiled.fetch(image, at);
}

/** The same in TypeScript. */
export function splineCoefficientsPlain(image: Image, width: number, height: number): void {
  if (width > 1) for (let y = 0; y < height; y++) filterRow(image, y * width, width);
  if (height > 1) filterColumns(image, width, height);
}

/**
 * Values at x0 + i, y0 + j of the spline with the given coefficients, into `into` from `at` on; NaN outside the span
 * of pixel centres.
 */
export function sampleSpline(
  coefficients: Image,
  width: number,
  height: number,
  x0: number,
  y0: number,
  into: Image,
  at: number,
  windowWidth: number,
  windowHeight: number,
): void {
  const compiled = compiledKernels();
  if (compiled === null || coefficients instanceof Float64Array || into instanceof Float64Array)
    return sampleSplinePlain(coefficients, width, height, x0, y0, into, at, windowWidth, windowHeight);
  const window = into.subarray(at, at + windowWidth * windowHeight);
  const [from, to, line] = compiled.lend(coefficients, window, 4 * (windowWidth + 3)) as [number, number, number];
  compiled.run.sampleSpline(from, width, height, x0, y0, to, windowWidth, windowHeight, line);
  compiled.fetch(window, to);
}

/** The same in TypeScript. */
export function sampleSplinePlain(
  coefficients: Image,
  width: number,
  height: number,
  x0: number,
  y0: number,
  into: Image,
  at: number,
  windowWidth: number,
  windowHeight: number,
): void {
  const left = Math.floor(x0);
  const top = Math.floor(y0);
  const [a, b, c, d] = weights(x0 - left);
  const [e, f, g, h] = weights(y0 - top);
  const first = Math.min(windowWidth, Math.max(0, Math.ceil(-x0)));
  const end = Math.max(first, Math.min(windowWidth, Math.floor(width - 1 - x0) + 1));
  // One row of the window before it is filtered along x; its entry 0 is the column left + first - 1.
  const line = new Float64Array(end - first + 3);
  const start = left + first - 1;
  const from = Math.max(0, -start);
  const to = Math.min(line.length, width - start);
  for (let j = 0; j < windowHeight; j++) {
    const row = at + j * windowWidth;
    if (y0 + j < 0 || y0 + j > height - 1 || first === end) {
      into.fill(NaN, row, row + windowWidth);
      continue;
    }
    const y = top + j;
    const above = reflect(y - 1, height) * width + start;
    const here = reflect(y, height) * width + start;
    const next = reflect(y + 1, height) * width + start;
    const last = reflect(y + 2, height) * width + start;
    for (let x = from; x < to; x++) {
      line[x] =
        e * coefficients[above + x]! +
        f * coefficients[here + x]! +
        g * coefficients[next + x]! +
        h * coefficients[last + x]!;
    }
    for (let x = 0; x < from; x++) line[x] = line[reflect(start + x, width) - start]!;
    for (let x = to; x < line.length; x++) line[x] = line[reflect(start + x, width) - start]!;
    if (first > 0) into.fill(NaN, row, row + first);
    for (let i = first, k = 0; i < end; i++, k++)
      into[row + i] = a * line[k]! + b * line[k + 1]! + c * line[k + 2]! + d * line[k + 3]!;
    if (end < windowWidth) into.fill(NaN, row + end, row + windowWidth);
  }
}

/**
 * Variance that white noise of variance 1 keeps when an image is moved by dx_px, dy_px: 1 for whole pixels, least at
 * halves. The sum of squares of the interpolation's weights.
 */
export function splineNoiseGain(dx_px: number, dy_px: number): number {
  return noiseGainAlong(dx_px) * noiseGainAlong(dy_px);
}

/**
 * Covariance of what interpolation finds in white noise of variance 1 at two places, dx_px, dy_px and toX_px, toY_px off a
 * pixel: the products of their weights, summed. splineNoiseGain where both are one.
 */
export function splineOverlap(dx_px: number, dy_px: number, toX_px: number, toY_px: number): number {
  return overlapAlong(dx_px, toX_px) * overlapAlong(dy_px, toY_px);
}

/**
 * The same after the filter [1 -2 1] / sqrt(6) along both axes, which keeps white noise of variance 1 as it is and takes
 * what is smooth away.
 */
export function sharpOverlap(dx_px: number, dy_px: number, toX_px: number, toY_px: number): number {
  return sharpAlong(dx_px, toX_px) * sharpAlong(dy_px, toY_px);
}

/** Autocorrelation of that filter, from two pixels before to two after. */
const SHARP = [1 / 6, -4 / 6, 1, -4 / 6, 1 / 6] as const;

function sharpAlong(a: number, b: number): number {
  return SHARP.reduce((sum, weight, at) => sum + weight * overlapAlong(a, b + at - 2), 0);
}

function overlapAlong(a: number, b: number): number {
  const from = Math.floor(Math.max(a, b)) - REACH;
  const to = Math.ceil(Math.min(a, b)) + REACH;
  let sum = 0;
  for (let pixel = from; pixel <= to; pixel++) sum += cardinal(Math.abs(a - pixel)) * cardinal(Math.abs(b - pixel));
  return sum;
}

/** The cardinal cubic spline: weight of a sample in what interpolation finds so far from it. */
function cardinal(distance: number): number {
  if (cardinalCoefficients === null) {
    cardinalCoefficients = new Float64Array(2 * HORIZON + 1);
    cardinalCoefficients[HORIZON] = 1;
    filterRow(cardinalCoefficients, 0, cardinalCoefficients.length);
  }
  const whole = Math.floor(distance);
  if (whole + 3 > HORIZON) return 0;
  const [a, b, c, d] = weights(distance - whole);
  const x = HORIZON + whole;
  const row = cardinalCoefficients;
  return a * row[x - 1]! + b * row[x]! + c * row[x + 1]! + d * row[x + 2]!;
}

let cardinalCoefficients: Float64Array | null = null;

function noiseGainAlong(shift: number): number {
  const impulse = new Float64Array(2 * HORIZON + 1);
  impulse[HORIZON] = 1;
  filterRow(impulse, 0, impulse.length);
  const [a, b, c, d] = weights(shift - Math.floor(shift));
  let sum = 0;
  for (let x = 1; x < impulse.length - 2; x++) {
    const value = a * impulse[x - 1]! + b * impulse[x]! + c * impulse[x + 1]! + d * impulse[x + 2]!;
    sum += value * value;
  }
  return sum;
}

/** The cubic B-spline at t + 1, t, t - 1, t - 2. */
function weights(t: number): [number, number, number, number] {
  const s = 1 - t;
  const t3 = t * t * t;
  const s3 = s * s * s;
  return [s3 / 6, (3 * t3 - 6 * t * t + 4) / 6, (3 * s3 - 6 * s * s + 4) / 6, t3 / 6];
}

/** The place within 0 ... n - 1 that a mirror about the outermost samples shows at `place`. */
function reflect(place: number, n: number): number {
  if (place >= 0 && place < n) return place;
  if (n === 1) return 0;
  const period = 2 * n - 2;
  const within = ((place % period) + period) % period;
  return within < n ? within : period - within;
}

function filterRow(data: Image, start: number, n: number): void {
  let sum = 0;
  for (let k = HORIZON; k > 0; k--) sum = POLE * (sum + data[start + reflect(k, n)]!);
  let value = data[start]! + sum;
  data[start] = value;
  for (let at = start + 1; at < start + n; at++) {
    value = data[at]! + POLE * value;
    data[at] = value;
  }
  const last = start + n - 1;
  value = ((6 * POLE) / (POLE * POLE - 1)) * (data[last]! + POLE * data[last - 1]!);
  data[last] = value;
  for (let at = last - 1; at >= start; at--) {
    value = POLE * (value - 6 * data[at]!);
    data[at] = value;
  }
}

function filterColumns(data: Image, width: number, height: number): void {
  const sum = new Float64Array(width);
  for (let k = HORIZON; k > 0; k--) {
    const row = reflect(k, height) * width;
    for (let x = 0; x < width; x++) sum[x] = POLE * (sum[x]! + data[row + x]!);
  }
  for (let x = 0; x < width; x++) data[x] = data[x]! + sum[x]!;
  const size = width * height;
  for (let at = width; at < size; at++) data[at] = data[at]! + POLE * data[at - width]!;
  const factor = (6 * POLE) / (POLE * POLE - 1);
  for (let at = size - width; at < size; at++) data[at] = factor * (data[at]! + POLE * data[at - width]!);
  for (let at = size - width - 1; at >= 0; at--) data[at] = POLE * (data[at + width]! - 6 * data[at]!);
}

/** Fills what is NaN with the nearest known sample of its row, else of the rows beside; gives the gaps, null if none. */
function bridgeGaps(image: Image, width: number, height: number): Uint8Array | null {
  let missing: Uint8Array | null = null;
  for (let at = 0; at < image.length; at++) {
    if (Number.isNaN(image[at]!)) {
      missing ??= new Uint8Array(image.length);
      missing[at] = 1;
    }
  }
  if (missing === null) return null;
  const empty: number[] = [];
  const full: number[] = [];
  for (let y = 0; y < height; y++) {
    const known: number[] = [];
    for (let x = 0; x < width; x++) if (!missing[y * width + x]) known.push(x);
    (known.length === 0 ? empty : full).push(y);
    if (known.length === 0) continue;
    for (let x = 0, at = 0; x < width; x++) {
      while (at + 1 < known.length && Math.abs(known[at + 1]! - x) <= Math.abs(known[at]! - x)) at++;
      if (missing[y * width + x]) image[y * width + x] = image[y * width + known[at]!]!;
    }
  }
  for (const y of empty) {
    const nearest = full.reduce((best, row) => (Math.abs(row - y) < Math.abs(best - y) ? row : best), full[0] ?? -1);
    if (nearest < 0) image.fill(0, y * width, (y + 1) * width);
    else image.copyWithin(y * width, nearest * width, (nearest + 1) * width);
  }
  return missing;
}
