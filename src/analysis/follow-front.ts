/** A front followed through a particle: which pixels it passed, when, and how wide the passing was there. */
import { medianFilter } from "../kernels/filter.js";
import { labelComponents } from "../kernels/label.js";
import { median } from "../kernels/stats.js";
import type { Transition } from "../model/experiment.js";
import { fitArrivals, medianInterval, type ArrivalFit, type FitOptions } from "./arrival-fit.js";
import { boundaryProfile, type BoundaryProfile } from "./boundary-profile.js";
import { alongDirection } from "./light-origin.js";
import type { PixelCourses } from "./pixel-courses.js";
import { surface } from "./slopes.js";

/** The grid on which the courses lie. */
export interface Grid {
  readonly mask: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly pixelSize_um: number;
  readonly psf_um: number;
}

/** Arrivals at the places from which the courses' light comes. */
export interface FollowedFront {
  readonly fit: ArrivalFit;
  /** 1 where the passing stands: one entry a course. */
  readonly kept: Uint8Array;
  readonly sign: -1 | 1;
  /** Typical speed, from the slope of the arrivals. */
  readonly speed_um_s: number;
  /** To be added to the arrivals, so that they belong to the pixels themselves and to an unblurred boundary. */
  readonly carry_s: Float32Array;
  /** Standard error that the common shape leaves on all arrivals alike; null where no shape could be told. */
  readonly common_sd_s: number | null;
}

/** A step counts where its square is so many times its variance: chance alone gives it to one course in 10^4. */
const STRENGTH = 20;
/** A front stands on this share of the outline, or on a coherent region of the smaller share and of some point spreads. */
const SHARE = 0.3;
const COHERENT_SHARE = 0.1;
const COHERENT_AREAS = 8;
/** At most so many courses, far enough apart to have noise of their own, tell the boundary's look. */
const SAMPLE = 320;
/** Second derivatives are noisier than first ones and taken over a wider disc, by this factor. */
const CURVATURE_RADIUS = 1.6;
/** Arrivals at the outline are carried back by at most so many widths: a straight front asks for 1.4. */
const MOST_CARRY = 2;
/** Skew up to which a passing tells the boundary's look, unless only fewer are so even. */
const EVEN = 0.06;
const LEAST_SAMPLE = 60;
/** Widths may differ from the typical one by these factors. */
const WIDTHS = [0.35, 3] as const;

/**
 * Passes of the fit, each with what the one before has told: first one width for all and either sign; then each pixel's
 * width from the slope of the arrivals there (point spread over speed) and the common sign; then the boundary's
 * common look; last, pixels far off their neighbours are sought again near them.
 * Null where no front passes: too few pixels step in one sense, and no coherent region does.
 */
export function followFront(courses: PixelCourses, window: Transition, grid: Grid): FollowedFront | null {
  const { pixels, time_s } = courses;
  const interval_s = medianInterval(time_s);
  const length_s = Math.max(window.end_s - window.start_s, 4 * interval_s);
  const pad_s = Math.max(2 * window.sd_s, 0.05 * length_s, interval_s);
  const spread_px = Math.hypot(courses.psf_um, courses.blur_um) / grid.pixelSize_um;
  const across_px = Math.sqrt(pixels.length);
  const radius_px = Math.min(0.5 * across_px, Math.max(2.5 * spread_px, (1.2 * interval_s * across_px) / length_s));
  const scale = { spread_px, radius_px };

  // A front that takes the whole window to cross the particle passes a point spread in this time.
  const first_s = (length_s * spread_px) / across_px;
  let options: FitOptions = {
    shape: { line: 0, lineWidth: 1 },
    width_s: new Float32Array(pixels.length).fill(first_s),
    skew: new Float32Array(pixels.length),
    bend: new Float32Array(pixels.length),
    narrowing: new Float32Array(pixels.length).fill(1),
    sign: 0,
    from_s: window.start_s - pad_s,
    to_s: window.end_s + pad_s,
  };
  let fit = fitArrivals(courses, options);
  const sign = commonSign(fit);
  let kept = judge(fit, sign);
  if (count(kept) < 0.3 * COHERENT_SHARE * pixels.length) return null;

  options = { ...options, width_s: passings(fit, kept, courses, grid, scale).width_s, sign };
  fit = fitArrivals(courses, options);
  kept = judge(fit, sign);
  if (!isCoherent(fit, kept, courses, grid)) return null;

  // What is told of the boundary's look moves the arrivals, and these tell how each pixel sees it: twice around.
  let passing = passings(fit, kept, courses, grid, scale);
  let profile: BoundaryProfile | null = null;
  for (let round = 0; round < 2; round++) {
    profile = boundaryProfile(courses, fit.arrival_s, passing, sampled(fit, kept, passing, courses, grid), profile);
    if (profile === null) break;
    const { shape, scale: wider } = profile;
    options = { ...options, ...passing, shape, width_s: passing.width_s.map((width) => width * wider) };
    fit = fitArrivals(courses, options);
    kept = judge(fit, sign);
    passing = passings(fit, kept, courses, grid, scale);
  }
  const again = strays(fit, kept, courses, grid);
  if (again !== null) {
    fit = merged(fit, fitArrivals(courses, { ...options, ...again }), again.only);
    kept = judge(fit, sign);
    const still = strays(fit, kept, courses, grid);
    kept = kept.map((one, i) => (still?.only[i] === 1 ? 0 : one));
  }
  if (!isCoherent(fit, kept, courses, grid)) return null;
  return {
    fit,
    kept,
    sign,
    speed_um_s: (spread_px * grid.pixelSize_um) / median(passing.width_s),
    carry_s: passing.carry_s,
    common_sd_s: profile === null ? null : profile.offsetSd * median(fit.width_s),
  };
}

function count(kept: Uint8Array): number {
  return kept.reduce((sum, one) => sum + one, 0);
}

/** The sense in which most of the light steps. */
function commonSign(fit: ArrivalFit): -1 | 1 {
  let sum = 0;
  for (let i = 0; i < fit.strength.length; i++) {
    if (fit.strength[i]! > STRENGTH) sum += Math.sign(fit.height[i]!);
  }
  return sum < 0 ? -1 : 1;
}

/** 1 where a step in the common sense is beyond chance and inside what was searched. */
function judge(fit: ArrivalFit, sign: -1 | 1): Uint8Array {
  return Uint8Array.from(fit.strength, (strength, i) =>
    strength > STRENGTH && fit.atRim[i] === 0 && sign * fit.height[i]! > 0 && fit.level[i]! > 0 ? 1 : 0,
  );
}

/** Values of the kept courses laid on the grid; NaN elsewhere. */
function laid(values: Float32Array, kept: Uint8Array, { pixels }: PixelCourses, { width, height }: Grid): Float32Array {
  const image = new Float32Array(width * height).fill(NaN);
  for (let i = 0; i < pixels.length; i++) if (kept[i] === 1) image[pixels[i]!] = values[i]!;
  return image;
}

/** Whether enough pixels step, and at moments like their neighbours'. */
function isCoherent(fit: ArrivalFit, kept: Uint8Array, courses: PixelCourses, grid: Grid): boolean {
  const arrival_s = laid(fit.arrival_s, kept, courses, grid);
  const around_s = medianFilter(arrival_s, grid.width, grid.height, 1);
  const coherent = new Uint8Array(arrival_s.length);
  for (let i = 0; i < kept.length; i++) {
    const at = courses.pixels[i]!;
    const off_s = Math.abs(arrival_s[at]! - around_s[at]!);
    if (off_s < 1.5 * fit.width_s[i]! + 3 * fit.sd_s[i]!) coherent[at] = 1;
  }
  const { area_px } = labelComponents(coherent, grid.width, grid.height);
  const largest = area_px.reduce((most, area) => Math.max(most, area), 0);
  const all = area_px.reduce((sum, area) => sum + area, 0);
  const spread_px2 = 4 * Math.PI * (courses.psf_um / grid.pixelSize_um) ** 2;
  const n = kept.length;
  return all > SHARE * n
    ? largest > COHERENT_SHARE * n
    : largest > Math.max(COHERENT_SHARE * n, COHERENT_AREAS * spread_px2);
}

/** Slope (s/px) and second derivatives (s/px^2) of the arrivals at each course's pixel; NaN where there are none. */
interface Bending {
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
  const thin = Math.max(1, Math.floor((0.6 * grid.psf_um) / grid.pixelSize_um));
  for (let i = 0; i < pixels.length; i++) {
    const at = pixels[i]!;
    const x = at % width;
    const y = Math.floor(at / width);
    if (x % stride === 0 && y % stride === 0) wanted[at] = 1;
    shiftX_px[at] = origin.x_px[i]!;
    shiftY_px[at] = origin.y_px[i]!;
    if (kept[i] === 1 && x % thin === 0 && y % thin === 0) weight[at] = 1 / (fit.sd_s[i]! ** 2 + least_s ** 2);
  }
  const fitted = surface(laid(fit.arrival_s, kept, courses, grid), {
    width,
    height,
    weight,
    wanted,
    radius_px,
    shiftX_px,
    shiftY_px,
  });
  const nan = (): Float32Array => new Float32Array(pixels.length).fill(NaN);
  const found = { x: nan(), y: nan(), xx: nan(), xy: nan(), yy: nan() };
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
  }
  return found;
}

/** What the way of the front and the origin of the light make of each course's passing. */
interface Passings {
  /** Width in time: the spread of the light along the way times the slope of the arrivals. */
  readonly width_s: Float32Array;
  readonly skew: Float32Array;
  readonly bend: Float32Array;
  readonly narrowing: Float32Array;
  /** By how much the fitted moment lies before that of the mean place of the light, and before that of the pixel. */
  readonly lead_s: Float32Array;
  readonly carry_s: Float32Array;
}

/**
 * Light that comes from places xi about their mean sees the arrivals T + g.xi + xi.H.xi / 2. With its variance sigma^2
 * and skewness gamma along the slope, the passing is to first order, with u = (t - T) / (sigma |g|),
 *
 *     Phi(u) - (gamma / 6) (u^2 - 1) phi(u) - (sigma^2 / 2 sigma |g|) (H_nn u^2 + H_tt) phi(u)
 *
 * (Edgeworth's first term; n along the slope, t across). What stands with u^2 phi(u) skews the passing; what stands with
 * phi(u) alone moves it.
 */
function passings(
  fit: ArrivalFit,
  kept: Uint8Array,
  courses: PixelCourses,
  grid: Grid,
  { spread_px, radius_px }: { readonly spread_px: number; readonly radius_px: number },
): Passings {
  const found = bendingOf(fit, kept, courses, grid, radius_px);
  const bent = bendingOf(fit, kept, courses, grid, CURVATURE_RADIUS * radius_px);
  const { pixels, origin } = courses;
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
    carry_s[i] = lead_s[i]! - Math.max(-MOST_CARRY * width, Math.min(MOST_CARRY * width, along_s));
  }
  return { width_s, skew, bend, narrowing, lead_s, carry_s };
}

/** Courses that tell the boundary's look: strong, away from outline and bends, and too far apart to share noise. */
function sampled(fit: ArrivalFit, kept: Uint8Array, passing: Passings, courses: PixelCourses, grid: Grid): number[] {
  const psf_px = grid.psf_um / grid.pixelSize_um;
  const stride = Math.max(1, Math.ceil((2.5 * courses.blur_um) / grid.pixelSize_um));
  const typical_s = median(fit.width_s);
  // A bend moves a passing whole, a change of speed skews it: the first may be greater.
  const uneven = (i: number): number =>
    Math.max(Math.abs(passing.skew[i]!), 0.5 * Math.abs(passing.lead_s[i]! / passing.width_s[i]!));
  const good = Array.from(kept.keys()).filter(
    (i) =>
      kept[i] === 1 &&
      fit.strength[i]! > 3 * STRENGTH &&
      Math.hypot(courses.origin.x_px[i]!, courses.origin.y_px[i]!) < 0.25 * psf_px &&
      Math.abs(Math.log(fit.width_s[i]! / typical_s)) < Math.LN2,
  );
  const apart = good
    .filter((i) => {
      const at = courses.pixels[i]!;
      return (at % grid.width) % stride === 0 && Math.floor(at / grid.width) % stride === 0;
    })
    .sort((a, b) => uneven(a) - uneven(b));
  const even = apart.filter((i) => uneven(i) < EVEN);
  const chosen = even.length < LEAST_SAMPLE ? apart.slice(0, LEAST_SAMPLE) : even;
  const every = Math.ceil(chosen.length / SAMPLE);
  return chosen.filter((_, k) => k % every === 0);
}

/** Kept courses far off their neighbours, and where those point; null where there is none. */
function strays(
  fit: ArrivalFit,
  kept: Uint8Array,
  courses: PixelCourses,
  grid: Grid,
): { readonly only: Uint8Array; readonly near_s: Float32Array; readonly reach_s: Float32Array } | null {
  const arrival_s = laid(fit.arrival_s, kept, courses, grid);
  const radius_px = Math.max(1, Math.round((1.5 * grid.psf_um) / grid.pixelSize_um));
  const around_s = medianFilter(arrival_s, grid.width, grid.height, radius_px);
  const only = new Uint8Array(kept.length);
  const near_s = new Float32Array(kept.length).fill(NaN);
  const reach_s = new Float32Array(kept.length);
  let found = 0;
  for (let i = 0; i < kept.length; i++) {
    const at = courses.pixels[i]!;
    const off_s = Math.abs(arrival_s[at]! - around_s[at]!);
    if (!(off_s > 3 * fit.width_s[i]! + 4 * Math.min(fit.sd_s[i]!, fit.width_s[i]!))) continue;
    only[i] = 1;
    near_s[i] = around_s[at]!;
    reach_s[i] = 2.5 * fit.width_s[i]!;
    found++;
  }
  return found === 0 ? null : { only, near_s, reach_s };
}

/** The first fit with the second one's answers where those were sought anew. */
function merged(first: ArrivalFit, second: ArrivalFit, only: Uint8Array): ArrivalFit {
  const take = <T extends Float32Array | Uint8Array>(a: T, b: T): T =>
    a.map((value: number, i: number) => (only[i] === 1 ? b[i]! : value)) as T;
  return {
    arrival_s: take(first.arrival_s, second.arrival_s),
    sd_s: take(first.sd_s, second.sd_s),
    height: take(first.height, second.height),
    level: take(first.level, second.level),
    slope_per_s: take(first.slope_per_s, second.slope_per_s),
    heightSd: take(first.heightSd, second.heightSd),
    strength: take(first.strength, second.strength),
    width_s: take(first.width_s, second.width_s),
    atRim: take(first.atRim, second.atRim),
  };
}
