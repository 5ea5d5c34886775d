/** How the boundary's passing looks in each course: what the way of the front and the origin of the light make of it. */
import { median } from "../kernels/stats.js";
import type { ArrivalFit } from "./arrival-fit.js";
import { alongDirection } from "./light-origin.js";
import type { PixelCourses } from "./pixel-courses.js";
import { surface } from "./slopes.js";

/** The grid on which the courses lie. */
export interface Grid {
  readonly mask: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly pixelSize_um: number;
}

/** Second derivatives are noisier than first ones and taken over a wider disc, by this factor. */
const CURVATURE_RADIUS = 1.6;
/** An arrival off the surface through its neighbours by so many widths stands at a cliff. */
const CLIFF = 0.7;
/** So many typical steps from pixel to pixel are a cliff themselves. */
const CLIFF_STEPS = 6;
/** Arrivals at the outline are carried back by at most so many widths: a straight front asks for 1.4. */
const MOST_CARRY = 2;
/** Widths may differ from the typical one by these factors. */
const WIDTHS = [0.35, 3] as const;

/** Values of the kept courses laid on the grid; NaN elsewhere. */
export function laid(
  values: Float32Array,
  kept: Uint8Array,
  { pixels }: PixelCourses,
  { width, height }: Grid,
): Float32Array {
  const image = new Float32Array(width * height).fill(NaN);
  for (let i = 0; i < pixels.length; i++) if (kept[i] === 1) image[pixels[i]!] = values[i]!;
  return image;
}

/** Slope (s/px) and second derivatives (s/px^2) of the arrivals at each course's pixel; NaN where there are none. */
interface Bending {
  /** By how much each arrival lies off the surface. */
  readonly off_s: Float32Array;
  readonly x: Float32Array;
  readonly y: Float32Array;
  readonly xx: Float32Array;
  readonly xy: Float32Array;
  readonly yy: Float32Array;
}

/**
 * The arrivals as a smooth surface, from the places where their light comes from. It is fitted on a lattice as fine as
 * the disc asks for; pixels between take the slope of the nearest fit, carried on by its second derivatives.
 */
function bendingOf(fit: ArrivalFit, kept: Uint8Array, courses: PixelCourses, grid: Grid, radius_px: number): Bending {
  const { pixels, origin } = courses;
  const { width, height } = grid;
  const n = width * height;
  const weight = new Float64Array(n);
  const wanted = new Uint8Array(n);
  const shiftX_px = new Float32Array(n);
  const shiftY_px = new Float32Array(n);
  const least_s = 0.3 * median(fit.sd_s);
  const stride = Math.max(1, Math.floor(radius_px / 2.2));
  // Pixels far finer than the blur need not all be neighbours.
  const thin = Math.max(1, Math.floor((0.8 * courses.blur_um) / grid.pixelSize_um));
  for (let i = 0; i < pixels.length; i++) {
    const at = pixels[i]!;
    const x = at % width;
    const y = Math.floor(at / width);
    if (x % stride === 0 && y % stride === 0) wanted[at] = 1;
    shiftX_px[at] = origin.x_px[i]!;
    shiftY_px[at] = origin.y_px[i]!;
    if (kept[i] === 1 && x % thin === 0 && y % thin === 0) weight[at] = 1 / (fit.sd_s[i]! ** 2 + least_s ** 2);
  }
  const arrival_s = laid(fit.arrival_s, kept, courses, grid);
  const wall = cliffs(arrival_s, width, 2 * median(fit.width_s));
  const fitted = surface(arrival_s, {
    width,
    height,
    weight,
    wanted,
    radius_px,
    shiftX_px,
    shiftY_px,
    ...(wall === null ? {} : { wall }),
  });
  const nan = (): Float32Array => new Float32Array(pixels.length).fill(NaN);
  const found = { off_s: nan(), x: nan(), y: nan(), xx: nan(), xy: nan(), yy: nan() };
  for (const [i, at] of pixels.entries()) {
    const x = at % width;
    const y = Math.floor(at / width);
    let nearest = -1;
    let least = Infinity;
    for (let ny = Math.floor(y / stride) - 1; ny <= Math.floor(y / stride) + 2; ny++) {
      for (let nx = Math.floor(x / stride) - 1; nx <= Math.floor(x / stride) + 2; nx++) {
        const other = ny * stride * width + nx * stride;
        if (nx < 0 || nx * stride >= width || ny < 0 || ny * stride >= height) continue;
        const far = (nx * stride - x) ** 2 + (ny * stride - y) ** 2;
        if (far >= least || !Number.isFinite(fitted.value[other]!)) continue;
        least = far;
        nearest = other;
      }
    }
    if (nearest < 0) continue;
    const dx = x - (nearest % width);
    const dy = y - Math.floor(nearest / width);
    found.xx[i] = fitted.xx[nearest]!;
    found.xy[i] = fitted.xy[nearest]!;
    found.yy[i] = fitted.yy[nearest]!;
    found.x[i] = fitted.x[nearest]! + dx * found.xx[i]! + dy * found.xy[i]!;
    found.y[i] = fitted.y[nearest]! + dx * found.xy[i]! + dy * found.yy[i]!;
    const lx = dx + origin.x_px[i]!;
    const ly = dy + origin.y_px[i]!;
    const bent_s = 0.5 * (lx * lx * found.xx[i]! + 2 * lx * ly * found.xy[i]! + ly * ly * found.yy[i]!);
    const there_s = fitted.value[nearest]! + lx * fitted.x[nearest]! + ly * fitted.y[nearest]! + bent_s;
    found.off_s[i] = Math.abs(fit.arrival_s[i]! - there_s);
  }
  return found;
}

/** 1 where neighbours differ by more than `least_s` and by far more than is typical: a front stood there. Null where none did. */
function cliffs(arrival_s: Float32Array, width: number, least_s: number): Uint8Array | null {
  const step_s = new Float32Array(arrival_s.length).fill(NaN);
  for (let at = 0; at < arrival_s.length; at++) {
    const onX = at % width < width - 1 ? Math.abs(arrival_s[at + 1]! - arrival_s[at]!) : NaN;
    const onY = Math.abs((arrival_s[at + width] ?? NaN) - arrival_s[at]!);
    step_s[at] = onX >= onY || Number.isNaN(onY) ? onX : onY;
  }
  const most_s = Math.max(least_s, CLIFF_STEPS * median(step_s));
  const wall = Uint8Array.from(step_s, (step) => (step > most_s ? 1 : 0));
  return wall.includes(1) ? wall : null;
}

/** What the way of the front and the origin of the light make of each course's passing. */
export interface Passings {
  /** Width in time: the spread of the light along the way times the slope of the arrivals. */
  readonly width_s: Float32Array;
  readonly skew: Float32Array;
  readonly bend: Float32Array;
  readonly narrowing: Float32Array;
  /** By how much the fitted moment lies before that of the mean place of the light, and before that of the pixel. */
  readonly lead_s: Float32Array;
  readonly carry_s: Float32Array;
}

/** Spread of the light deep inside. */
export function spreadOf({ psf_um, blur_um }: PixelCourses, { pixelSize_um }: Grid): number {
  return Math.hypot(psf_um, blur_um) / pixelSize_um;
}

/**
 * Light that comes from places xi about their mean sees the arrivals T + g.xi + xi.H.xi / 2. With its variance sigma^2
 * and skewness gamma along the slope, the passing is to first order, with u = (t - T) / (sigma |g|),
 *
 *     Phi(u) - (gamma / 6) (u^2 - 1) phi(u) - (sigma^2 / 2 sigma |g|) (H_nn u^2 + H_tt) phi(u)
 *
 * (Edgeworth's first term; n along the slope, t across). What stands with u^2 phi(u) skews the passing; what stands with
 * phi(u) alone moves it. The arrivals are those of `courses`; the passings may be those of the same pixels under
 * another blur.
 */
export function passings(
  fit: ArrivalFit,
  kept: Uint8Array,
  courses: PixelCourses,
  grid: Grid,
  radius_px: number,
  seenBy: PixelCourses = courses,
): Passings {
  const found = bendingOf(fit, kept, courses, grid, radius_px);
  const bent = bendingOf(fit, kept, courses, grid, CURVATURE_RADIUS * radius_px);
  const { pixels, origin } = seenBy;
  const spread_px = spreadOf(seenBy, grid);
  const steepness = found.x.map((x, i) => Math.hypot(x, found.y[i]!));
  const typical_s_px = median(steepness);
  const width_s = new Float32Array(pixels.length).fill(spread_px * typical_s_px);
  const skew = new Float32Array(pixels.length);
  const bend = new Float32Array(pixels.length);
  const narrowing = new Float32Array(pixels.length).fill(1);
  const lead_s = new Float32Array(pixels.length);
  const carry_s = new Float32Array(pixels.length);
  for (let i = 0; i < pixels.length; i++) {
    if (!(steepness[i]! > 0)) continue;
    const nx = found.x[i]! / steepness[i]!;
    const ny = found.y[i]! / steepness[i]!;
    const along = nx * nx * bent.xx[i]! + 2 * nx * ny * bent.xy[i]! + ny * ny * bent.yy[i]!;
    const across = ny * ny * bent.xx[i]! - 2 * nx * ny * bent.xy[i]! + nx * nx * bent.yy[i]!;
    const light = alongDirection(origin, i, nx, ny);
    const steep = Math.min(WIDTHS[1] * typical_s_px, Math.max(WIDTHS[0] * typical_s_px, steepness[i]!));
    const width = light.spread_px * steep;
    width_s[i] = width;
    narrowing[i] = light.spread_px / spread_px;
    bend[i] = (0.5 * light.spread_px ** 2 * along) / width;
    skew[i] = bend[i]! + light.skewness / 6;
    const late_s = Math.max(-0.3 * width, Math.min(0.3 * width, 0.5 * spread_px ** 2 * across));
    lead_s[i] = (light.skewness / 6) * width - late_s;
    // A front that pauses makes a cliff, along which nothing can be carried.
    const along_s = found.x[i]! * origin.x_px[i]! + found.y[i]! * origin.y_px[i]!;
    const smooth = found.off_s[i]! < CLIFF * width + 3 * fit.sd_s[i]!;
    carry_s[i] = smooth ? lead_s[i]! - Math.max(-MOST_CARRY * width, Math.min(MOST_CARRY * width, along_s)) : 0;
  }
  return { width_s, skew, bend, narrowing, lead_s, carry_s };
}
