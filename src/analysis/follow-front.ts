/** A front followed through a particle: which pixels it passed, when, and how wide the passing was there. */
import { medianFilter } from "../kernels/filter.js";
import { labelComponents } from "../kernels/label.js";
import { median, medianStep } from "../kernels/stats.js";
import type { Transition } from "../model/experiment.js";
import { fitArrivals, type ArrivalFit, type FitOptions, type FrontRoom } from "./arrival-fit.js";
import { commonCourse, everyPixelsCourse, withoutCommon } from "./common-course.js";
import { boundaryProfile, type BoundaryProfile } from "./boundary-profile.js";
import { laid, passings, spreadOf, type Grid, type Passings } from "./passings.js";
import { underLens, type PixelCourses } from "./pixel-courses.js";

/** Arrivals at the places from which the courses' light comes. */
export interface FollowedFront {
  /** The courses that were fitted last. */
  readonly courses: PixelCourses;
  readonly fit: ArrivalFit;
  /** How they were fitted. */
  readonly options: FitOptions;
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
/** Share of the stepping pixels that may step the other way. */
const MOST_AGAINST = 0.25;
/** At most so many courses, far enough apart to have noise of their own, tell the boundary's look. */
const SAMPLE = 320;
/** Skew up to which a passing tells the boundary's look, unless only fewer are so even. */
const EVEN = 0.06;
const LEAST_SAMPLE = 60;
/** A step is sought again so many widths about where it stood. */
const AGAIN = 3;
/** The lens is told from the passings' width within these factors of what it was said to be, and as closely as this. */
const LENS = { least: 0.75, most: 1.4, told: 0.04 } as const;
/** What decides how sharply a front is looked at in the end. */
export interface Seen {
  /** Point spread as the passings show it. */
  readonly psf_um: number;
  /** Step as a share of the light before it. */
  readonly step: number;
  readonly speed_um_s: number;
}

/**
 * Passes of the fit, each with what the one before has told: first one width for all and either sign; then each pixel's
 * width from the slope of the arrivals there (point spread over speed) and the common sign; then without what brightens
 * the whole particle; then the boundary's common look; then, where `sharper` gives courses under less blur, those; last, pixels far off their neighbours are
 * sought again near them. Courses and templates are laid in `room`, whose owner releases it. Null where no front passes: too few pixels step in one sense, and no coherent region does.
 */
export function followFront(
  blurred: PixelCourses,
  window: Transition,
  grid: Grid,
  sharper: (seen: Seen) => PixelCourses | null,
  room: FrontRoom,
): FollowedFront | null {
  let courses = blurred;
  let looked = firstLook(courses, window, grid);
  if (looked === null) {
    // What brightens the whole particle, unevenly and long, looks like steps of either sense.
    courses = withoutCommon(blurred, everyPixelsCourse(blurred), room.courses);
    looked = firstLook(courses, window, grid);
  }
  if (looked === null) return null;
  const { sign, step, radius_px } = looked;
  let { options, fit, kept } = looked;

  options = { ...options, width_s: passings(fit, kept, courses, grid, radius_px).width_s, sign };
  fit = fitArrivals(courses, options);
  kept = judge(fit, sign);
  // Where the whole particle brightens unevenly in time, that is taken off, and the fit made anew.
  const common = commonCourse(blurred, fit, kept, 4 * Math.PI * (blurred.blur_um / grid.pixelSize_um) ** 2);
  if (common !== null) {
    courses = withoutCommon(blurred, common, room.courses);
    fit = fitArrivals(courses, options);
    kept = judge(fit, sign);
  }
  if (!isCoherent(fit, kept, courses, grid)) return null;

  // What is told of the boundary's look moves the arrivals, and these tell how each pixel sees it: twice around.
  let passing = passings(fit, kept, courses, grid, radius_px);
  let profile: BoundaryProfile | null = null;
  for (let round = 0; round < 2; round++) {
    profile = boundaryProfile(courses, fit.arrival_s, passing, sampled(fit, kept, passing, courses, grid), profile);
    if (profile === null) break;
    // A line found under arrivals that knew of none is not yet the line that it is.
    const settled = round > 0 || profile.shape.line === 0;
    // Beside a line a width is told half as well.
    const told = profile.shape.line === 0 ? profile.scale : Math.sqrt(profile.scale);
    const psf_um = settled ? lensOf(told, courses, blurred.psf_um) : null;
    if (psf_um !== null) {
      const spread_um = Math.hypot(courses.psf_um, courses.blur_um);
      courses = underLens(courses, grid, psf_um);
      profile = { ...profile, scale: (profile.scale * spread_um) / Math.hypot(psf_um, courses.blur_um) };
      passing = passings(fit, kept, courses, grid, radius_px);
    }
    const { shape, scale } = profile;
    options = {
      ...options,
      ...passing,
      shape,
      width_s: passing.width_s.map((width) => width * scale),
      templates: room.fresh(),
    };
    fit = fitArrivals(courses, { ...options, ...nearby(fit, kept, courses, grid) });
    kept = judge(fit, sign);
    passing = passings(fit, kept, courses, grid, radius_px);
  }

  const under = sharper({ step, speed_um_s: speedOf(passing, courses, grid), psf_um: courses.psf_um });
  if (under !== null) {
    const sharp = common === null ? under : withoutCommon(under, common, room.courses);
    const { shape, scale } = seenThrough(profile ?? { shape: options.shape, scale: 1 }, courses, sharp);
    passing = passings(fit, kept, courses, grid, radius_px, sharp);
    options = {
      ...options,
      ...passing,
      shape,
      width_s: passing.width_s.map((width) => width * scale),
      templates: room.fresh(),
    };
    const near = nearby(fit, kept, courses, grid);
    courses = sharp;
    fit = fitArrivals(courses, { ...options, ...near });
    kept = judge(fit, sign);
  }
  const again = strays(fit, kept, courses, grid);
  if (again !== null) {
    fit = merged(fit, fitArrivals(courses, { ...options, ...again }), again.only);
    kept = judge(fit, sign);
    const still = strays(fit, kept, courses, grid);
    kept = kept.map((one, i) => (still?.only[i] === 1 ? 0 : one));
  }
  if (!isCoherent(fit, kept, courses, grid)) return null;
  if (under !== null) passing = passings(fit, kept, courses, grid, radius_px);
  return {
    courses,
    fit,
    options,
    kept,
    sign,
    speed_um_s: speedOf(passing, courses, grid),
    carry_s: passing.carry_s,
    common_sd_s: profile === null ? null : commonSd(profile, passing, speedOf(passing, courses, grid), blurred, grid),
  };
}

/**
 * Point spread that makes passings `scale` times as wide as expected, their blur known; null where it is the present one
 * within what can be told.
 */
function lensOf(scale: number, { psf_um, blur_um }: PixelCourses, said_um: number): number | null {
  const lens2 = scale ** 2 * (psf_um ** 2 + blur_um ** 2) - blur_um ** 2;
  const lens_um = Math.sqrt(Math.max(lens2, 0));
  const believed_um = Math.min(LENS.most * said_um, Math.max(LENS.least * said_um, lens_um));
  return Math.abs(believed_um / psf_um - 1) < LENS.told ? null : believed_um;
}

/**
 * Standard error of all arrivals together: what the shape's own leaves open, and, with a line, by how much one that bends
 * with the front's changing speed is only known to first order.
 */
function commonSd(
  { offsetSd, shape }: BoundaryProfile,
  { bend }: Passings,
  speed_um_s: number,
  courses: PixelCourses,
  grid: Grid,
): number {
  const width_s = (spreadOf(courses, grid) * grid.pixelSize_um) / speed_um_s;
  return width_s * Math.hypot(offsetSd, shape.line === 0 ? 0 : 2 * Math.abs(median(bend)));
}

function speedOf({ width_s }: Passings, courses: PixelCourses, grid: Grid): number {
  return (spreadOf(courses, grid) * grid.pixelSize_um) / median(width_s);
}

/**
 * A boundary's look under another blur: its light is spread by psf^2 + blur^2, so that what is wider than expected under
 * one blur is the lens's, and a line keeps its own width and its light.
 */
function seenThrough(
  { shape, scale }: Pick<BoundaryProfile, "shape" | "scale">,
  before: PixelCourses,
  after: PixelCourses,
): Pick<BoundaryProfile, "shape" | "scale"> {
  const { psf_um } = before;
  const spread2 = scale ** 2 * (psf_um ** 2 + before.blur_um ** 2);
  const lens2 = Math.max(0.25 * psf_um ** 2, spread2 - before.blur_um ** 2);
  const now2 = lens2 + after.blur_um ** 2;
  const own2 = (shape.lineWidth ** 2 - 1) * spread2;
  const lineWidth = Math.sqrt(Math.max(1, 1 + own2 / now2));
  const line = (shape.line * shape.lineWidth * Math.sqrt(spread2)) / (lineWidth * Math.sqrt(now2));
  return {
    shape: { line, lineWidth, kink_per_s: shape.kink_per_s },
    scale: Math.sqrt(now2 / (psf_um ** 2 + after.blur_um ** 2)),
  };
}

/** The first pass, with one width for all. */
interface FirstLook {
  readonly options: FitOptions;
  readonly fit: ArrivalFit;
  readonly kept: Uint8Array;
  readonly sign: -1 | 1;
  /** Typical step, as a share of the light before it. */
  readonly step: number;
  /** Disc over which slopes are taken. */
  readonly radius_px: number;
}

/** One width and either sign; null where too few pixels step in one sense to be a front. */
function firstLook(courses: PixelCourses, window: Transition, grid: Grid): FirstLook | null {
  const { pixels, time_s } = courses;
  const interval_s = medianStep(time_s);
  const length_s = Math.max(window.end_s - window.start_s, 4 * interval_s);
  const pad_s = Math.max(2 * window.sd_s, 0.05 * length_s, interval_s);
  const spread_px = spreadOf(courses, grid);
  const across_px = Math.sqrt(pixels.length);
  const radius_px = Math.min(0.5 * across_px, Math.max(2.5 * spread_px, (1.2 * interval_s * across_px) / length_s));
  // A front that takes the whole window to cross the particle passes a point spread in this time.
  const width_s = (length_s * spread_px) / across_px;
  const options: FitOptions = {
    shape: { line: 0, lineWidth: 1, kink_per_s: 0 },
    width_s: new Float32Array(pixels.length).fill(width_s),
    skew: new Float32Array(pixels.length),
    bend: new Float32Array(pixels.length),
    narrowing: new Float32Array(pixels.length).fill(1),
    sign: 0,
    from_s: window.start_s - pad_s,
    to_s: window.end_s + pad_s,
  };
  const fit = fitArrivals(courses, options);
  const sign = commonSign(fit);
  if (sign === 0) return null;
  const kept = judge(fit, sign);
  if (count(kept) < 0.3 * COHERENT_SHARE * pixels.length) return null;
  const step = sign * median(fit.height.map((value, i) => (kept[i] === 1 ? value / fit.level[i]! : NaN)));
  return { options, fit, kept, sign, step, radius_px };
}

function count(kept: Uint8Array): number {
  return kept.reduce((sum, one) => sum + one, 0);
}

/** The sense in which the light steps; 0 where too much of it steps the other way: a drift, or slow noise. */
function commonSign(fit: ArrivalFit): -1 | 0 | 1 {
  const strong = [0, 0];
  for (let i = 0; i < fit.strength.length; i++) {
    if (fit.strength[i]! > STRENGTH) strong[fit.height[i]! < 0 ? 0 : 1]!++;
  }
  const [down, up] = strong as [number, number];
  if (Math.min(down, up) > MOST_AGAINST * (down + up)) return 0;
  return down > up ? -1 : 1;
}

/** 1 where a step in the common sense is beyond chance and inside what was searched. */
function judge(fit: ArrivalFit, sign: -1 | 1): Uint8Array {
  return Uint8Array.from(fit.strength, (strength, i) =>
    strength > STRENGTH && fit.atRim[i] === 0 && sign * fit.height[i]! > 0 && fit.level[i]! > 0 ? 1 : 0,
  );
}

/** Whether enough pixels step, and at moments like their neighbours'. */
function isCoherent(fit: ArrivalFit, kept: Uint8Array, courses: PixelCourses, grid: Grid): boolean {
  const { area_px } = labelComponents(coherentOf(fit, kept, courses, grid), grid.width, grid.height);
  const largest = area_px.reduce((most, area) => Math.max(most, area), 0);
  const all = area_px.reduce((sum, area) => sum + area, 0);
  const spread_px2 = 4 * Math.PI * (courses.psf_um / grid.pixelSize_um) ** 2;
  const n = kept.length;
  return all > SHARE * n
    ? largest > COHERENT_SHARE * n
    : largest > Math.max(COHERENT_SHARE * n, COHERENT_AREAS * spread_px2);
}

/** 1 in the image where a step is kept that came when its neighbours' did. */
function coherentOf(fit: ArrivalFit, kept: Uint8Array, courses: PixelCourses, grid: Grid): Uint8Array {
  const arrival_s = laid(fit.arrival_s, kept, courses, grid);
  const around_s = medianFilter(arrival_s, grid.width, grid.height, 1);
  const coherent = new Uint8Array(arrival_s.length);
  for (let i = 0; i < kept.length; i++) {
    const at = courses.pixels[i]!;
    const off_s = Math.abs(arrival_s[at]! - around_s[at]!);
    if (off_s < 1.5 * fit.width_s[i]! + 3 * fit.sd_s[i]!) coherent[at] = 1;
  }
  return coherent;
}

/** Steps that came when their neighbours' did are sought again about where they stand, the others anywhere. */
function nearby(
  fit: ArrivalFit,
  kept: Uint8Array,
  courses: PixelCourses,
  grid: Grid,
): Required<Pick<FitOptions, "near_s" | "reach_s">> {
  const coherent = coherentOf(fit, kept, courses, grid);
  const near_s = fit.arrival_s.map((t_s, i) => (coherent[courses.pixels[i]!] === 1 ? t_s : NaN));
  return { near_s, reach_s: fit.width_s.map((width_s) => AGAIN * width_s) };
}

/**
 * Courses that tell the boundary's look: strong, away from outline and bends, and too far apart to share noise, or, where
 * those are too few, with how many each shares it.
 */
function sampled(
  fit: ArrivalFit,
  kept: Uint8Array,
  passing: Passings,
  courses: PixelCourses,
  grid: Grid,
): { readonly chosen: readonly number[]; readonly shared: number } {
  const psf_px = courses.psf_um / grid.pixelSize_um;
  const apart_px = Math.max(1, Math.ceil((2.5 * courses.blur_um) / grid.pixelSize_um));
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
  const even = good.filter((i) => uneven(i) < EVEN);
  const wide = even.length < LEAST_SAMPLE ? good.sort((a, b) => uneven(a) - uneven(b)).slice(0, LEAST_SAMPLE) : even;
  // Closer together than their noise is one, where the particle is small.
  for (let stride = apart_px; ; stride--) {
    const chosen = wide.filter((i) => {
      const at = courses.pixels[i]!;
      return (at % grid.width) % stride === 0 && Math.floor(at / grid.width) % stride === 0;
    });
    if (chosen.length < LEAST_SAMPLE && stride > 1) continue;
    const every = Math.ceil(chosen.length / SAMPLE);
    return { chosen: chosen.filter((_, k) => k % every === 0), shared: (apart_px / stride) ** 2 };
  }
}

/** Kept courses far off their neighbours, and where those point; null where there is none. */
function strays(
  fit: ArrivalFit,
  kept: Uint8Array,
  courses: PixelCourses,
  grid: Grid,
): { readonly only: Uint8Array; readonly near_s: Float32Array; readonly reach_s: Float32Array } | null {
  const arrival_s = laid(fit.arrival_s, kept, courses, grid);
  const radius_px = Math.max(1, Math.round((1.5 * courses.psf_um) / grid.pixelSize_um));
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
    misfit_s: take(first.misfit_s, second.misfit_s),
    width_s: take(first.width_s, second.width_s),
    atRim: take(first.atRim, second.atRim),
  };
}
