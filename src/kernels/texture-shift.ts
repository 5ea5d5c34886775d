/** How far a texture moved: least squares over chosen pixels, some of which may have changed. */
import { ordinaryArrays, type Arena } from "./compiled.js";
import { gaussianBlur } from "./filter.js";
import { sampleSpline, splineCoefficients } from "./resample.js";
import { slowRatio } from "./slow-ratio.js";
import { quantileInPlace } from "./stats.js";
import { influenceSums, shiftSums, type Sums, type TextureMaps } from "./texture-sums.js";

/** A texture prepared once, for any number of images of it. */
export interface Texture {
  readonly width: number;
  readonly height: number;
  /** Light of the pixels that count, 0 at others, and its slow part, everywhere. */
  readonly light: Float64Array;
  readonly slow: Float64Array;
  readonly slow_px: number;
  /** Places of the pixels that count: first those of one half, from `split` on those of the other. */
  readonly pixels: Int32Array;
  readonly split: number;
  /** One entry a pixel that counts: light over slow light, its gradient, and what a residual says of the shift. */
  readonly value: Float64Array;
  readonly gradientX: Float64Array;
  readonly gradientY: Float64Array;
  readonly pullX: Float64Array;
  readonly pullY: Float64Array;
  /** The same pixel by pixel, in single precision, with the light; rows in order, then up to three zeros. */
  readonly maps: TextureMaps & { readonly light: Float32Array };
}

/** An image laid on a texture, as long as the texture's maps; NaN where unseen. */
export interface Laid {
  /** Its light there. */
  readonly moved: Float32Array;
  /** Slow ratio q of that to the texture's light over the pixels they share. */
  readonly share: Float32Array;
  /** Light over q times the texture's slow light. */
  readonly ratio: Float32Array;
}

/** Where a texture lies in an image. */
export interface TextureShift {
  /** The content lies by dx, dy to the right of and below the texture's; NaN where the fit did not settle. */
  readonly dx_px: number;
  readonly dy_px: number;
  /** Shift by one half of the pixels minus that by the other; NaN where it was not asked for. */
  readonly splitX_px: number;
  readonly splitY_px: number;
  /** Robust standard deviation of image minus texture. */
  readonly residual: number;
  /** Share of the pixels that were within the image. */
  readonly seen: number;
}

/** A residual so many standard deviations from 0 has no say. */
const REJECT = 6;
/** About so many residuals are sorted to find their spread. */
const SORTED = 1024;
const STEPS = 12;
/** A step below this ends the search: each leaves a few hundredths of itself. */
const SETTLED_px = 2e-3;
const STRAY_px = 2;
/** The slow light is the same to a ten-thousandth where the shift changes by less. */
const ALIKE_px = 0.02;

/**
 * Prepares a texture from an image of its light. `weights` is 0 where a pixel says nothing; `half` tells the two halves
 * apart; what is not finite and positive counts nowhere.
 *
 * With S the light over its slow part (a Gaussian of standard deviation slow_px) and G a Gaussian of sharp_px, a
 * residual r at a pixel of weight w pulls by
 *
 *     P = w grad(G * S),   made orthogonal to 1 and S
 *
 * Smoothing keeps a pattern fixed to the camera, sharper than any texture, from pulling towards no shift; orthogonality
 * makes the shift blind to contrast.
 */
export function prepareTexture(
  image: ArrayLike<number>,
  width: number,
  height: number,
  weights: ArrayLike<number>,
  half: Uint8Array,
  {
    sharp_px,
    slow_px,
    arena = ordinaryArrays,
  }: { readonly sharp_px: number; readonly slow_px: number; readonly arena?: Arena },
): Texture {
  const light = Float64Array.from(image, (value, at) =>
    weights[at]! > 0 && value > 0 && value < Infinity ? value : 0,
  );
  const places = [...light.keys()].filter((at) => light[at]! > 0);
  const first = places.filter((at) => !half[at]);
  const pixels = Int32Array.from([...first, ...places.filter((at) => half[at])]);
  const slow = new Float64Array(light.length);
  slowRatio(light, light.map(Math.sign), width, height, slow_px, slow);
  const raw = Float64Array.from(image, (value, at) => finiteOr1(value / slow[at]!));
  const known = light.map((value, at) => (value > 0 ? value / slow[at]! : NaN));
  const smooth = Float64Array.from(gaussianBlur(known, width, height, sharp_px), finiteOr1);
  const value = Float64Array.from(pixels, (at) => raw[at]!);
  const [gradientX, gradientY] = gradients(raw, width, height, pixels);
  const [pullX, pullY] = gradients(smooth, width, height, pixels);
  for (const pull of [pullX, pullY]) {
    for (let k = 0; k < pixels.length; k++) pull[k] = pull[k]! * weights[pixels[k]!]!;
    removeLine(pull, value);
  }
  return {
    width,
    height,
    light,
    slow,
    slow_px,
    pixels,
    split: first.length,
    value,
    gradientX,
    gradientY,
    pullX,
    pullY,
    maps: mapsOf({ light, slow, pixels, split: first.length, value, gradientX, gradientY, pullX, pullY }, arena),
  };
}

function mapsOf(
  {
    light,
    slow,
    pixels,
    split,
    value,
    gradientX,
    gradientY,
    pullX,
    pullY,
  }: Omit<Texture, "width" | "height" | "slow_px" | "maps">,
  arena: Arena,
): Texture["maps"] {
  const n = inFours(light.length);
  const spread = (of: Float64Array): Float32Array => {
    const map = arena.floats(n);
    for (let k = 0; k < pixels.length; k++) map[pixels[k]!] = of[k]!;
    return map;
  };
  const whole = (of: Float64Array): Float32Array => {
    const map = arena.floats(n);
    map.set(of);
    return map;
  };
  return {
    value: spread(value),
    gradientX: spread(gradientX),
    gradientY: spread(gradientY),
    pullX: spread(pullX),
    pullY: spread(pullY),
    half: spread(Float64Array.from(pixels, (_, k) => (k < split ? 0 : 1))),
    slow: whole(slow),
    light: whole(light),
  };
}

/** Arrays for what is laid on textures of a size. */
export function newLaid(width: number, height: number, arena: Arena = ordinaryArrays): Laid {
  const n = inFours(width * height);
  return { moved: arena.floats(n), share: arena.floats(n), ratio: arena.floats(n) };
}

function inFours(n: number): number {
  return Math.ceil(n / 4) * 4;
}

/**
 * Shift of a texture in an image, by Gauss and Newton's steps from a start within half a grain of it:
 *
 *     sum over pixels of w(r) P r = 0,   r(x) = I(x + d) / (q(x) slow(x)) - S(x)
 *
 * q is the slow ratio of I(x + d) to the texture's light over the pixels they share, so that the camera's uneven light
 * and what lies beyond an edge say nothing; w(r) = (1 - (r / 6 sigma)^2)^2 with sigma from the median absolute residual
 * (Tukey's biweight), so that a pixel that has changed says nothing either.
 *
 * The image is given by its spline coefficients; pixel (x, y) of the texture lies at (x + left, y + top) + d. Pixels
 * outside `within` (left, top, right, bottom, inclusive, in the image's px) are unseen. `laid` receives the image laid on
 * the texture. Without `split` the halves are not asked and their difference is NaN.
 */
export function textureShift(
  texture: Texture,
  coefficients: Float32Array,
  imageWidth: number,
  imageHeight: number,
  left: number,
  top: number,
  within: readonly [number, number, number, number],
  startX: number,
  startY: number,
  laid: Laid,
  split = true,
): TextureShift {
  const { width, height, maps } = texture;
  const { moved, share, ratio } = laid;
  const failed = { dx_px: NaN, dy_px: NaN, splitX_px: NaN, splitY_px: NaN, residual: NaN, seen: 0 };
  let [dx, dy] = [startX, startY];
  // Settled before the first step, lest a row come and go as the shift passes a whole pixel.
  const seen = seenFrom(left + startX, top + startY, width, height, within);
  let lastStep = Infinity;
  let spread = { sigma: NaN, seen: 0 };
  for (let step = 0; step < STEPS; step++) {
    sampleSpline(coefficients, imageWidth, imageHeight, left + dx, top + dy, moved, 0, width, height);
    blank(moved, width, height, seen);
    if (lastStep > ALIKE_px) slowRatio(moved, maps.light, width, height, texture.slow_px, share);
    // Held after a few steps, so that limit and shift do not chase each other.
    if (step < 3) spread = residualSpread(texture, laid);
    if (!(spread.sigma >= 0)) return failed;
    const limit = Math.max(REJECT * spread.sigma, 1e-12);
    const [stepX, stepY] = solve(shiftSums(maps, moved, share, limit, ratio));
    dx -= stepX;
    dy -= stepY;
    if (!(Math.hypot(dx - startX, dy - startY) < STRAY_px)) return failed;
    lastStep = Math.hypot(stepX, stepY);
    if (lastStep > SETTLED_px) continue;
    const [splitX_px, splitY_px] = split ? splitOf(influenceSums(maps, ratio, limit)) : [NaN, NaN];
    return {
      dx_px: dx,
      dy_px: dy,
      splitX_px,
      splitY_px,
      residual: spread.sigma,
      seen: spread.seen,
    };
  }
  return failed;
}

/** The shift by the other half of the pixels less that by the one. */
function splitOf([one, other]: readonly [Sums, Sums]): readonly [number, number] {
  const [oneX, oneY] = solve(one);
  const [otherX, otherY] = solve(other);
  return [otherX - oneX, otherY - oneY];
}

/** Share and ratio of light laid on a texture. */
export function compareLight(texture: Texture, { moved, share, ratio }: Laid): void {
  const { width, height, slow_px, maps } = texture;
  slowRatio(moved, maps.light, width, height, slow_px, share);
  for (let at = 0; at < ratio.length; at++) ratio[at] = moved[at]! / (share[at]! * maps.slow[at]!);
}

/** Robust standard deviation of the ratio of light to its slow part about the texture's, and the share of its pixels seen. */
export function residualSpread(
  { pixels, value, maps: { slow } }: Texture,
  { moved, share }: Laid,
): { readonly sigma: number; readonly seen: number } {
  const stride = Math.max(1, Math.floor(pixels.length / SORTED));
  const asked = Math.ceil(pixels.length / stride);
  if (residuals.length < asked) residuals = new Float64Array(asked);
  let n = 0;
  for (let k = 0; k < pixels.length; k += stride) {
    const at = pixels[k]!;
    const r = Math.abs(moved[at]! / (share[at]! * slow[at]!) - value[k]!);
    if (r - r === 0) residuals[n++] = r;
  }
  return { sigma: 1.4826 * quantileInPlace(residuals, n, 0.5), seen: n / asked };
}

let residuals = new Float64Array(2 * SORTED);

/**
 * Least standard deviation of a shift's x and y that white noise of standard deviation `noise` a pixel allows:
 * the Cramer-Rao bound, from sums over the pixels that count of the gradients' products. `referenceNoise` is the
 * noise in the texture itself, whose share of the gradients is taken off.
 */
export function shiftBound(texture: Texture, noise: number, referenceNoise: number): readonly [number, number] {
  const { gradientX, gradientY } = texture;
  let [xx, xy, yy] = [0, 0, 0];
  for (let k = 0; k < gradientX.length; k++) {
    xx += gradientX[k]! ** 2;
    xy += gradientX[k]! * gradientY[k]!;
    yy += gradientY[k]! ** 2;
  }
  const chance = gradientX.length * gradientNoiseGain() * referenceNoise ** 2;
  xx -= chance;
  yy -= chance;
  const determinant = xx * yy - xy * xy;
  if (!(xx > 0 && yy > 0 && determinant > 0)) return [Infinity, Infinity];
  return [noise * Math.sqrt(yy / determinant), noise * Math.sqrt(xx / determinant)];
}

function solve([x, y, xx, xy, yx, yy]: Sums): [number, number] {
  const determinant = xx * yy - xy * yx;
  return [(yy * x - xy * y) / determinant, (xx * y - yx * x) / determinant];
}

/** What a window of some extent at x0, y0 sees of an image's trusted part: first and last column and row. */
function seenFrom(
  x0: number,
  y0: number,
  width: number,
  height: number,
  [left, top, right, bottom]: readonly [number, number, number, number],
): readonly [number, number, number, number] {
  return [
    Math.max(0, Math.ceil(left - x0)),
    Math.max(0, Math.ceil(top - y0)),
    Math.min(width - 1, Math.floor(right - x0)),
    Math.min(height - 1, Math.floor(bottom - y0)),
  ];
}

function blank(
  moved: Float32Array,
  width: number,
  height: number,
  [left, top, right, bottom]: readonly [number, number, number, number],
): void {
  if (left === 0 && top === 0 && right === width - 1 && bottom === height - 1) return;
  for (let y = 0; y < height; y++) {
    const row = y * width;
    if (y < top || y > bottom || left > right) moved.fill(NaN, row, row + width);
    else {
      moved.fill(NaN, row, row + left);
      moved.fill(NaN, row + right + 1, row + width);
    }
  }
}

/** Derivatives along x and y of the spline through an image, at chosen pixels. */
function gradients(
  image: Float64Array,
  width: number,
  height: number,
  pixels: Int32Array,
): [Float64Array, Float64Array] {
  const coefficients = image.slice();
  splineCoefficients(coefficients, width, height);
  const along = new Float64Array(pixels.length);
  const down = new Float64Array(pixels.length);
  for (let k = 0; k < pixels.length; k++) {
    const x = pixels[k]! % width;
    const y = (pixels[k]! - x) / width;
    const west = mirrored(x - 1, width);
    const east = mirrored(x + 1, width);
    const north = mirrored(y - 1, height) * width;
    const south = mirrored(y + 1, height) * width;
    const here = y * width;
    const column = (at: number): number =>
      (coefficients[north + at]! + 4 * coefficients[here + at]! + coefficients[south + at]!) / 6;
    const row = (at: number): number =>
      (coefficients[at + west]! + 4 * coefficients[at + x]! + coefficients[at + east]!) / 6;
    along[k] = (column(east) - column(west)) / 2;
    down[k] = (row(south) - row(north)) / 2;
  }
  return [along, down];
}

/** Variance of such a derivative in white noise of variance 1. */
function gradientNoiseGain(): number {
  const size = 33;
  const impulse = new Float64Array(size);
  impulse[size >> 1] = 1;
  const [along] = gradients(impulse, size, 1, Int32Array.from(impulse.keys()));
  return along.reduce((sum, value) => sum + value * value, 0);
}

function mirrored(place: number, n: number): number {
  if (n === 1) return 0;
  return place < 0 ? -place : place >= n ? 2 * n - 2 - place : place;
}

/** Takes from `pull` its mean and its part along `value`. */
function removeLine(pull: Float64Array, value: Float64Array): void {
  const n = pull.length;
  let [meanPull, meanValue] = [0, 0];
  for (let k = 0; k < n; k++) {
    meanPull += pull[k]! / n;
    meanValue += value[k]! / n;
  }
  let [product, square] = [0, 0];
  for (let k = 0; k < n; k++) {
    product += (pull[k]! - meanPull) * (value[k]! - meanValue);
    square += (value[k]! - meanValue) ** 2;
  }
  const slope = square > 0 ? product / square : 0;
  for (let k = 0; k < n; k++) pull[k] = pull[k]! - meanPull - slope * (value[k]! - meanValue);
}

function finiteOr1(value: number): number {
  return Number.isFinite(value) ? value : 1;
}
