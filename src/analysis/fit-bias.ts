/** By how much fits misplace a front that bends, speeds up, stalls or meets another: told by fitting its own picture. */
import { type Arena, newArena } from "../kernels/compiled.js";
import { gaussianBlur } from "../kernels/filter.js";
import { median, medianStep } from "../kernels/stats.js";
import { fitArrivals, type FitOptions } from "./arrival-fit.js";
import type { FollowedFront } from "./follow-front.js";
import { slopeOf } from "./fill-arrivals.js";
import type { Grid } from "./passings.js";
import { type PixelCourses, TOGETHER, turnInto } from "./pixel-courses.js";

/** A line is drawn no narrower than the pixels allow. */
const PIXEL_SD = 1 / Math.sqrt(12);
/** Far from a passing by so many of its widths a picture is left as it is. */
const REACH = 6;
/** Passings are sought again so many widths about where they stand. */
const NEAR = 2.5;
/** Frames that a passing's width holds at most: more tell nothing of what the fit does. */
const FRAMES_A_WIDTH = 2.5;
/** Passings as even as this, in widths, are where the fit says. */
const EVEN = 0.02;

/**
 * A movie is made of the arrivals `map_s` (one a pixel; NaN outside the outline, Infinity where nothing passed): each
 * pixel is passed evenly along its own slope, the boundary's line drawn on it, and lens and blur laid over it as they lie
 * over the courses. Its courses, with the heights of the measured ones, are fitted with the same templates. Given is, a
 * course, what the fit finds, carried back to the pixel, less what the map says: the error of the fit, to first order, of a
 * front as this one. NaN where the fit finds nothing, and where `only` is 0; 0 where the front passes straight and evenly.
 */
export function fitBias(map_s: Float32Array, front: FollowedFront, grid: Grid, only: Uint8Array): Float32Array {
  const { courses, options, fit, carry_s } = front;
  const near_s = Float32Array.from(courses.pixels, (at, i) => map_s[at]! - carry_s[i]!);
  const reach_s = fit.width_s.map((width_s) => NEAR * width_s);
  const even = fit.width_s.map((width_s, i) => {
    const uneven = Math.max(Math.abs(options.skew[i]!), Math.abs(options.bend[i]!), Math.abs(carry_s[i]!) / width_s);
    return uneven < EVEN ? 1 : 0;
  });
  const wanted = only.map((one, i) => (even[i] === 1 ? 0 : one));
  const arena = newArena();
  const drawn = drawnCourses(map_s, front, grid, arena);
  const { templates, ...rest } = options;
  const shared = drawn.time_s === courses.time_s && templates !== undefined ? { templates } : {};
  const again = fitArrivals(drawn, { ...rest, ...shared, near_s, reach_s, only: wanted });
  arena.release();
  return again.arrival_s.map((t_s, i) =>
    wanted[i] === 0 && only[i] === 1 ? 0 : t_s + carry_s[i]! - map_s[courses.pixels[i]!]!,
  );
}

/** The part of an image that holds the outline: nothing beyond it has light. */
interface Box {
  readonly width: number;
  readonly height: number;
  /** Index in the image of each pixel of the box, and the other way round. */
  readonly inImage: Int32Array;
  readonly inBox: Int32Array;
}

function drawnCourses(
  map_s: Float32Array,
  { courses, fit, options }: FollowedFront,
  grid: Grid,
  arena: Arena,
): PixelCourses {
  const { pixelSize_um } = grid;
  const { pixels, psf_um, blur_um } = courses;
  const box = boxOf(grid);
  const { width, height } = box;
  const boxed = (values: ArrayLike<number>): Float32Array => Float32Array.from(box.inImage, (at) => values[at]!);
  const map = boxed(map_s);
  const weight = boxed(courses.weight);
  const inside = boxed(grid.mask).map((one) => (one === 0 ? 0 : 1));
  const psf_px = psf_um / pixelSize_um;
  const blur_px = blur_um / pixelSize_um;
  const { ramp_s, slope_s_px } = slopesOf(map, width);
  const line = ownLine(options, Math.hypot(psf_px, blur_px));
  const underLens = gaussianBlur(inside, width, height, psf_px);
  const underBlur = gaussianBlur(weight, width, height, blur_px);
  const stride = Math.max(1, Math.floor(median(fit.width_s) / (FRAMES_A_WIDTH * medianStep(courses.time_s))));
  const time_s = stride === 1 ? courses.time_s : courses.time_s.filter((_, k) => k % stride === 0);
  const frames = time_s.length;
  const relative = arena.floats(pixels.length * frames);
  const [first_s, last_s] = span(map, slope_s_px, (REACH * Math.hypot(psf_um, blur_um)) / pixelSize_um);
  const object = new Float32Array(map.length);
  const few = new Float32Array(pixels.length * TOGETHER);
  for (let k = 0; k < frames; k++) {
    const t_s = time_s[k]!;
    let seen: Float32Array | null = null;
    if (t_s > first_s && t_s < last_s) {
      for (let at = 0; at < map.length; at++) {
        if (inside[at] === 0 || Number.isNaN(map[at]!)) continue;
        const since_s = t_s - map[at]!;
        object[at] = ramp_s[at]! > 0 ? Math.min(1, Math.max(0, since_s / ramp_s[at]! + 0.5)) : since_s > 0 ? 1 : 0;
        if (line.height === 0 || !(slope_s_px[at]! > 0)) continue;
        const off = since_s / (slope_s_px[at]! * line.width_px);
        if (Math.abs(off) < 5) object[at] = object[at]! + line.height * Math.exp(-0.5 * off * off);
      }
      const lit = gaussianBlur(object, width, height, psf_px);
      for (let at = 0; at < lit.length; at++) lit[at] = weight[at]! > 0 ? (weight[at]! * lit[at]!) / underLens[at]! : 0;
      seen = gaussianBlur(lit, width, height, blur_px);
    }
    const row = (k % TOGETHER) * pixels.length;
    for (let i = 0; i < pixels.length; i++) {
      const own = box.inBox[pixels[i]!]!;
      const share = seen === null ? (t_s < map[own]! ? 0 : 1) : seen[own]! / underBlur[own]!;
      few[row + i] = 1 + fit.height[i]! * share;
    }
    if (k % TOGETHER === TOGETHER - 1 || k === frames - 1)
      turnInto(relative, frames, k - (k % TOGETHER), k + 1, few, pixels.length);
  }
  return { ...courses, time_s, relative, noise: courses.noise.map((sd) => sd / Math.sqrt(stride)) };
}

function boxOf({ mask, width, height }: Grid): Box {
  let [left, right, top, bottom] = [width, -1, height, -1];
  for (let at = 0; at < mask.length; at++) {
    if (mask[at] === 0) continue;
    const [x, y] = [at % width, Math.floor(at / width)];
    if (x < left) left = x;
    if (x > right) right = x;
    if (y < top) top = y;
    if (y > bottom) bottom = y;
  }
  const columns = right - left + 1;
  const rows = bottom - top + 1;
  const inBox = new Int32Array(mask.length).fill(-1);
  const inImage = Int32Array.from({ length: columns * rows }, (_, own) => {
    const at = (top + Math.floor(own / columns)) * width + left + (own % columns);
    inBox[at] = own;
    return at;
  });
  return { width: columns, height: rows, inImage, inBox };
}

/** How long a pixel takes to be passed, and how long a front takes for a pixel's length there. */
function slopesOf(map_s: Float32Array, width: number): { ramp_s: Float32Array; slope_s_px: Float32Array } {
  const ramp_s = new Float32Array(map_s.length);
  const slope_s_px = new Float32Array(map_s.length);
  for (let at = 0; at < map_s.length; at++) {
    if (!Number.isFinite(map_s[at]!)) continue;
    const x = at % width;
    const alongX = slopeOf(x > 0 ? map_s[at - 1]! : NaN, map_s[at]!, x < width - 1 ? map_s[at + 1]! : NaN);
    const alongY = slopeOf(map_s[at - width] ?? NaN, map_s[at]!, map_s[at + width] ?? NaN);
    ramp_s[at] = Math.abs(alongX) + Math.abs(alongY);
    slope_s_px[at] = Math.hypot(alongX, alongY);
  }
  return { ramp_s, slope_s_px };
}

/** The boundary's line as it is before lens and blur, which keep its light. */
function ownLine({ shape }: FitOptions, spread_px: number): { readonly height: number; readonly width_px: number } {
  const own_px = spread_px * Math.sqrt(Math.max(0, shape.lineWidth ** 2 - 1));
  const width_px = Math.max(own_px, PIXEL_SD);
  return { height: (shape.line * shape.lineWidth * spread_px) / width_px, width_px };
}

/** From before the first arrival to after the last, by what the front takes for `reach_px`. */
function span(map_s: Float32Array, slope_s_px: Float32Array, reach_px: number): readonly [number, number] {
  let first_s = Infinity;
  let last_s = -Infinity;
  for (let at = 0; at < map_s.length; at++) {
    if (!Number.isFinite(map_s[at]!)) continue;
    const reach_s = reach_px * slope_s_px[at]!;
    first_s = Math.min(first_s, map_s[at]! - reach_s);
    last_s = Math.max(last_s, map_s[at]! + reach_s);
  }
  return [first_s, last_s];
}
