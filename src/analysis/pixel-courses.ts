/** How each pixel of a particle brightens in time, relative to itself and smoothed over less than a point spread. */
import { type Arena, ordinaryArrays } from "../kernels/compiled.js";
import { gaussianBlur } from "../kernels/filter.js";
import { median, quantileInPlace } from "../kernels/stats.js";
import type { Stack } from "../model/movie.js";
import { lightOrigin, type LightOrigin } from "./light-origin.js";

/** The most blur that is laid over the relative images, in standard deviations of the point spread. */
export const MOST_BLUR = 0.75;

/** Time courses of the pixels of a mask. */
export interface PixelCourses {
  /** Index of each pixel in the image. */
  readonly pixels: Int32Array;
  /** Times of the frames that hold anything. */
  readonly time_s: Float64Array;
  /** pixels * frames: intensity over the pixel's own mean, blurred; NaN where nothing is known. */
  readonly relative: Float32Array;
  /** Noise of one frame of each course, from its second differences: a ramp or a single step does not count. */
  readonly noise: Float32Array;
  /** From where the light of each course comes; deep inside, evenly from about its pixel. */
  readonly origin: LightOrigin;
  /** How much each pixel of the image weighs in the blur. */
  readonly weight: Float64Array;
  /** Noise of one pixel of one frame before the blur, median over pixels. */
  readonly pixelNoise: number;
  /** Standard deviations of the point spread and of the blur laid over it. */
  readonly psf_um: number;
  readonly blur_um: number;
}

/**
 * Courses of the mask's pixels that hold light. Each frame is divided by the pixels' own means, so that texture
 * does not weigh, and blurred by a Gaussian of `blur_um` within the mask (normalised convolution),
 * dark pixels weighing less. Frames with nothing in the mask are left out. Null where nothing remains. The courses are laid in `arena`.
 */
export function pixelCourses(
  stack: Stack,
  mask: Uint8Array,
  { psf_um, blur_um }: { readonly psf_um: number; readonly blur_um: number },
  arena: Arena = ordinaryArrays,
): PixelCourses | null {
  const { width, height } = stack;
  const area = width * height;
  const level = meanOverTime(stack, mask);
  const typical = median(level);
  if (!(typical > 0)) return null;
  const weight = new Float64Array(area);
  const inside: number[] = [];
  for (let at = 0; at < area; at++) {
    if (!(level[at]! > 0.05 * typical)) continue;
    weight[at] = Math.min(1, level[at]! / typical);
    inside.push(at);
  }
  const pixels = Int32Array.from(inside);
  const frames: number[] = [];
  for (let k = 0; k < stack.time_s.length; k++) {
    if (inside.some((at) => Number.isFinite(stack.data[k * area + at]!))) frames.push(k);
  }
  const sigma_px = blur_um / stack.pixelSize_um;
  const spread = gaussianBlur(weight, width, height, sigma_px);
  const relative = arena.floats(pixels.length * frames.length);
  const image = new Float32Array(area);
  const known = new Float32Array(area);
  const few = new Float32Array(pixels.length * TOGETHER);
  for (let start = 0; start < frames.length; start += TOGETHER) {
    const end = Math.min(frames.length, start + TOGETHER);
    for (let course = start; course < end; course++) {
      const from = frames[course]! * area;
      let whole = true;
      for (let i = 0; i < pixels.length; i++) {
        const at = pixels[i]!;
        const value = stack.data[from + at]! / level[at]!;
        const finite = value - value === 0;
        image[at] = finite ? weight[at]! * value : 0;
        known[at] = finite ? weight[at]! : 0;
        whole &&= finite;
      }
      const blurred = gaussianBlur(image, width, height, sigma_px);
      const under = whole ? spread : gaussianBlur(known, width, height, sigma_px);
      const row = (course - start) * pixels.length;
      for (let i = 0; i < pixels.length; i++) {
        const at = pixels[i]!;
        // A course may lean on its neighbours where it lacks light itself, but not on a mere few of them.
        few[row + i] = under[at]! > 0.3 * spread[at]! ? blurred[at]! / under[at]! : NaN;
      }
    }
    turnInto(relative, frames.length, start, end, few, pixels.length);
  }
  return {
    pixels,
    time_s: Float64Array.from(frames, (k) => stack.time_s[k]!),
    relative,
    noise: courseNoise(relative, pixels.length, frames.length),
    weight,
    origin: lightOrigin(mask, weight, pixels, stack, { psf_px: psf_um / stack.pixelSize_um, blur_px: sigma_px }),
    pixelNoise: pixelNoise(stack, level, pixels, frames),
    psf_um,
    blur_um,
  };
}

/** Frames that are written into courses together: alone, each value would lie far from the last in memory. */
export const TOGETHER = 16;

/** Writes frames start ... end - 1, `few` with `n` values each, into courses of `frames` values. */
export function turnInto(
  courses: Float32Array,
  frames: number,
  start: number,
  end: number,
  few: Float32Array,
  n: number,
): void {
  for (let i = 0; i < n; i++) {
    const to = i * frames;
    for (let k = start; k < end; k++) courses[to + k] = few[(k - start) * n + i]!;
  }
}

/** The same courses where the lens is known to spread light by `psf_um`: their light comes from elsewhere. */
export function underLens(
  courses: PixelCourses,
  {
    mask,
    width,
    height,
    pixelSize_um,
  }: Pick<Stack, "width" | "height" | "pixelSize_um"> & { readonly mask: Uint8Array },
  psf_um: number,
): PixelCourses {
  const { weight, pixels, blur_um } = courses;
  const sizes = { psf_px: psf_um / pixelSize_um, blur_px: blur_um / pixelSize_um };
  return { ...courses, psf_um, origin: lightOrigin(mask, weight, pixels, { width, height }, sizes) };
}

/** Mean of each pixel of the mask over the frames that hold it; NaN elsewhere. */
function meanOverTime(stack: Stack, mask: Uint8Array): Float64Array {
  const area = stack.width * stack.height;
  const sum = new Float64Array(area);
  const n = new Int32Array(area);
  for (let k = 0; k < stack.time_s.length; k++) {
    for (let at = 0; at < area; at++) {
      const value = stack.data[k * area + at]!;
      if (mask[at] === 0 || !Number.isFinite(value)) continue;
      sum[at] = sum[at]! + value;
      n[at] = n[at]! + 1;
    }
  }
  return sum.map((value, at) => value / n[at]!);
}

/**
 * Standard deviation of white noise in each course by the median absolute second difference,
 * leaning on the median of all courses as much as on 20 frames of its own.
 */
function courseNoise(relative: Float32Array, courses: number, frames: number): Float32Array {
  const own = new Float32Array(courses);
  const buffer = new Float64Array(frames);
  for (let i = 0; i < courses; i++) {
    let n = 0;
    for (let k = 1; k < frames - 1; k++) {
      const at = i * frames + k;
      const second = relative[at]! - 0.5 * (relative[at - 1]! + relative[at + 1]!);
      if (Number.isFinite(second)) buffer[n++] = Math.abs(second);
    }
    own[i] = (1.4826 / Math.sqrt(1.5)) * quantileInPlace(buffer, n, 0.5);
  }
  const common = median(own);
  return own.map((sd) =>
    Number.isFinite(sd) ? Math.sqrt((frames * sd * sd + 20 * common * common) / (frames + 20)) : common,
  );
}

/** The same of single pixels, from some 20 frames. */
function pixelNoise(stack: Stack, level: Float64Array, pixels: Int32Array, frames: readonly number[]): number {
  const area = stack.width * stack.height;
  const stride = Math.max(1, Math.floor(frames.length / 20));
  const all: number[] = [];
  for (let course = 1; course < frames.length - 1; course += stride) {
    for (const at of pixels) {
      const before = stack.data[frames[course - 1]! * area + at]!;
      const now = stack.data[frames[course]! * area + at]!;
      const after = stack.data[frames[course + 1]! * area + at]!;
      all.push(Math.abs((now - 0.5 * (before + after)) / level[at]!));
    }
  }
  return (1.4826 / Math.sqrt(1.5)) * median(all);
}
