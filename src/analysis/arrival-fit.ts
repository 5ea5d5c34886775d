/** The moment of passing in one time course: a step and a bright line on a slope, by least squares. */
import { type Arena, compiledKernels, newArena, ordinaryArrays } from "../kernels/compiled.js";
import { median, medianStep } from "../kernels/stats.js";
import { explain, setTemplate, templateBlock, type TemplateBlock } from "../kernels/templates.js";
import {
  type Course,
  courseAt,
  NARROWING_STEP,
  roundedNarrowing,
  roundedSkew,
  shapeTable,
  SKEW_STEP,
  type Shape,
} from "./passing-shape.js";
import type { PixelCourses } from "./pixel-courses.js";

/** Half of the stretch of a course that a fit looks at, in widths of the passing. */
export const STRETCH = 10;
/** Frames that must stand on either side of a passing. */
const SIDE = 3;
/** Ratio of neighbouring widths for which templates are made. */
const WIDTH_RATIO = 1.06;
/** Squares left of a fit, over those of the noise, that chance leaves to most. */
const BEYOND_NOISE = 1.3;
/** A width is at least this share of the frame interval: a sharper step cannot be told. */
const LEAST_WIDTH = 0.3;

export interface FitOptions {
  readonly shape: Shape;
  /** Standard deviation in time of the passing's error function, one a course. */
  readonly width_s: Float32Array;
  /** Skew of the passing where the front's speed changes within the point spread: -skew u^2 exp(-u^2 / 2) / sqrt(2 pi). */
  readonly skew: Float32Array;
  /** The part of the skew that comes from the front's changing speed; it skews the line too. */
  readonly bend: Float32Array;
  /** Spread of the light along the way of the front, as a share of that deep inside: near the outline a line is wider. */
  readonly narrowing: Float32Array;
  /** Passings are sought from here to here. */
  readonly from_s: number;
  readonly to_s: number;
  /** Sign that the step must have; 0 for either. */
  readonly sign: -1 | 0 | 1;
  /** Where a passing is expected, and how far from it one is sought; NaN for anywhere. */
  readonly near_s?: Float32Array;
  readonly reach_s?: Float32Array;
  /** 1 for the courses to fit; all where it is not given. */
  readonly only?: Uint8Array;
  /** Kept from one fit to the next of the same times, shape and typical width. */
  readonly templates?: Templates;
}

/** Templates that were made, by width and form, and where they lie. */
export interface Templates {
  readonly banks: Map<number, Bank>;
  readonly tables: Map<number, Float64Array>;
  readonly arena: Arena;
}

export function newTemplates(arena: Arena): Templates {
  return { banks: new Map(), tables: new Map(), arena };
}

/** Where a front's courses lie, and the templates of one look at it: those of the look before are gone. */
export interface FrontRoom {
  readonly courses: Arena;
  fresh(): Templates;
  release(): void;
}

export function frontRoom(): FrontRoom {
  const courses = newArena();
  let templates: Arena | null = null;
  return {
    courses,
    fresh() {
      templates?.release();
      templates = newArena();
      return newTemplates(templates);
    },
    release() {
      templates?.release();
      courses.release();
    },
  };
}

/** One entry a course; NaN where no passing could be placed. */
export interface ArrivalFit {
  readonly arrival_s: Float32Array;
  readonly sd_s: Float32Array;
  /** Height of the step and level and slope before it, in the course's own units. */
  readonly height: Float32Array;
  readonly level: Float32Array;
  readonly slope_per_s: Float32Array;
  /** Standard error of the height with the passing where it is. */
  readonly heightSd: Float32Array;
  /** Squared height over its variance: how much the step explains beyond level and slope. */
  readonly strength: Float32Array;
  /** Area in time between course and fit beyond what noise gives: by so much light steps elsewhere. */
  readonly misfit_s: Float32Array;
  /** Width used, after rounding to the templates' steps. */
  readonly width_s: Float32Array;
  /** 1 where the best place is the end of what was searched. */
  readonly atRim: Uint8Array;
}

/** Passings at some moments, in their order, each on one stretch of frames and freed of level and slope. */
interface Moments {
  readonly arrival_s: Float64Array;
  /** Their templates, from `from` to `end` - 1 made at the latest by this. */
  made(from: number, end: number): TemplateBlock;
}

/** Templates of one width on one list of times. */
interface Bank {
  readonly coarse: Moments;
  /** Passings closely about a coarse one's, all on its stretch, as far as the likelihood of a poor course may reach. */
  fine(anchor: number): Moments;
  /** The same no farther than a good course's; null where frames are too few for it. */
  near(anchor: number): Moments | null;
  /** First and last frame of a coarse one's stretch. */
  stretch(anchor: number): readonly [number, number];
  readonly step_s: number;
}

/**
 * Least-squares passing of each course: level + slope t + height * shape((t - T) / width), on a stretch of
 * STRETCH widths about T, so that slow changes elsewhere do not count. On a stretch symmetric about T slope and step are
 * odd and the sensitivity to T is even: the slope costs no precision and no ramp moves T.
 *
 * T is first sought among templates half a width apart, then refined on a fixed stretch by a parabola, or,
 * where the passing falls between frames and the likelihood is flat, as the mean of the likelihood. The standard
 * error is that of the likelihood with the scatter about the fit.
 */
export function fitArrivals(courses: PixelCourses, options: FitOptions): ArrivalFit {
  const { pixels, time_s, relative, noise } = courses;
  const n = pixels.length;
  const frames = time_s.length;
  const nan = (): Float32Array => new Float32Array(n).fill(NaN);
  const fit = {
    arrival_s: nan(),
    sd_s: nan(),
    height: nan(),
    level: nan(),
    slope_per_s: nan(),
    heightSd: nan(),
    strength: nan(),
    misfit_s: nan(),
    width_s: nan(),
    atRim: new Uint8Array(n),
  };
  const interval_s = medianStep(time_s);
  const arena = newArena();
  const { banks, tables, arena: room } = options.templates ?? newTemplates(arena);
  const explained = arena.doubles(MOST_MOMENTS);
  const laidOut = inArena(relative, arena);
  const typical_s = median(options.width_s);
  for (let i = 0; i < n; i++) {
    if (options.only !== undefined && options.only[i] === 0) continue;
    const wanted_s = Math.max(options.width_s[i]!, LEAST_WIDTH * interval_s);
    if (!Number.isFinite(wanted_s)) continue;
    const rung = Math.round(Math.log(wanted_s / typical_s) / Math.log(WIDTH_RATIO));
    const width_s = typical_s * WIDTH_RATIO ** rung;
    const form = {
      skew: roundedSkew(options.skew[i]!),
      bend: roundedSkew(options.bend[i]!),
      narrowing: roundedNarrowing(options.narrowing[i]!),
    };
    // One number for each form, and one for each form and width.
    const look = Math.round(form.skew / SKEW_STEP) * 4096 + Math.round(form.bend / SKEW_STEP) * 64;
    const formKey = look + Math.round(form.narrowing / NARROWING_STEP);
    const plain = tables.get(formKey) ?? shapeTable(options.shape, form);
    tables.set(formKey, plain);
    const course = { table: plain, kink: options.shape.kink_per_s * width_s, width_s };
    const key = rung * 2 ** 20 + formKey;
    let [values, at] = [laidOut, i * frames];
    let times = time_s;
    let bank: Bank;
    if (isWhole(laidOut, at, frames)) {
      bank = banks.get(key) ?? makeBank(times, interval_s, course, options, room);
      banks.set(key, bank);
    } else {
      const known = Array.from({ length: frames }, (_, k) => k).filter((k) => Number.isFinite(laidOut[at + k]!));
      if (known.length < 0.5 * frames) continue;
      const start = at;
      times = Float64Array.from(known, (k) => time_s[k]!);
      [values, at] = [Float32Array.from(known, (k) => laidOut[start + k]!), 0];
      bank = makeBank(times, interval_s, course, options, ordinaryArrays);
    }
    const near_s = options.near_s?.[i] ?? NaN;
    const reach_s = options.reach_s?.[i] ?? Infinity;
    fit.width_s[i] = width_s;
    const { sign } = options;
    placeOne(fit, i, { values, at, times }, bank, { near_s, reach_s, sign, noise: noise[i]!, course, explained });
  }
  arena.release();
  return fit;
}

/** The same values where the kernels see them. */
function inArena(values: Float32Array, arena: Arena): Float32Array {
  if (compiledKernels()?.holds(values) === true) return values;
  const laidOut = arena.floats(values.length);
  laidOut.set(values);
  return laidOut;
}

function isWhole(values: Float32Array, at: number, frames: number): boolean {
  for (let k = at; k < at + frames; k++) if (values[k]! - values[k]! !== 0) return false;
  return true;
}

/** Widths from so many frame intervals on are sampled well: the likelihood has no finer structure than they. */
const RESOLVED = 2;
/** A good course's passing is sought so many steps about the coarse one, and its error is below this part of the width. */
const NEAR_STEPS = 6;
const GOOD = 0.12;
/** Least sum of squares of a passing freed of level and slope. */
const LEAST_NORM2 = 1e-3;
/** Moments for which room is kept from course to course. */
const MOST_MOMENTS = 1 << 16;

interface One {
  readonly near_s: number;
  readonly reach_s: number;
  readonly sign: -1 | 0 | 1;
  readonly noise: number;
  readonly course: Course;
  /** Room for what each moment explains. */
  readonly explained: Float64Array;
}

/** A course among others, and its times. */
interface Values {
  readonly values: Float32Array;
  /** Where it begins. */
  readonly at: number;
  readonly times: Float64Array;
}

function placeOne(
  fit: { -readonly [K in keyof ArrivalFit]: ArrivalFit[K] },
  i: number,
  of: Values,
  bank: Bank,
  one: One,
): void {
  const { arrival_s: moments_s } = bank.coarse;
  const explained = moments_s.length > one.explained.length ? new Float64Array(moments_s.length) : one.explained;
  const [from, end] = within(moments_s, one.near_s, one.reach_s);
  const anchor = explain(bank.coarse.made(from, end), of.values, of.at, from, end, one.sign, explained);
  if (anchor < 0) return;
  const near = bank.near(anchor);
  const placed =
    (near === null ? null : placeAmong(near, anchor, of, bank, { ...one, explained }, true)) ??
    placeWidely(anchor, of, bank, { ...one, explained });
  fit.arrival_s[i] = placed.arrival_s;
  fit.sd_s[i] = placed.sd_s;
  fit.height[i] = placed.height;
  fit.level[i] = placed.level;
  fit.slope_per_s[i] = placed.slope_per_s;
  fit.heightSd[i] = placed.heightSd;
  fit.misfit_s[i] = placed.misfit_s;
  fit.strength[i] = (placed.height / placed.heightSd) ** 2;
  fit.atRim[i] = placed.rim ? 1 : 0;
}

interface Placed extends Solved {
  readonly arrival_s: number;
  readonly sd_s: number;
  /** Whether the best place is the end of what was searched. */
  readonly rim: boolean;
}

/** A passing sought as far about a coarse one as the likelihood reaches, or about another to which that points. */
function placeWidely(anchor: number, of: Values, bank: Bank, one: One): Placed {
  const fine = bank.fine(anchor);
  const { length } = fine.arrival_s;
  const best = Math.max(0, explain(fine.made(0, length), of.values, of.at, 0, length, 0, one.explained));
  if (best === 0 || best === length - 1) {
    // The coarse template was one off: once more from where the fine ones point.
    const other = nearest(bank.coarse.arrival_s, fine.arrival_s[best]!);
    if (other !== anchor) {
      bank.coarse.made(other, other + 1);
      return placeAmong(bank.fine(other), other, of, bank, one, false)!;
    }
  }
  return placeAmong(fine, anchor, of, bank, one, false)!;
}

/** The passing among some moments; null where `good` is asked for and the likelihood reaches beyond them. */
function placeAmong(
  { arrival_s: moments_s, made }: Moments,
  anchor: number,
  { values, at, times }: Values,
  { step_s, stretch }: Bank,
  one: One,
  good: boolean,
): Placed | null {
  const { explained } = one;
  const last = moments_s.length - 1;
  const best = Math.max(0, explain(made(0, last + 1), values, at, 0, last + 1, 0, explained));
  const rim = best === 0 || best === last;
  if (rim && good) return null;
  let arrival_s = moments_s[best]!;
  const bend = rim ? 0 : explained[best - 1]! - 2 * explained[best]! + explained[best + 1]!;
  if (bend < 0) {
    const lean = (0.5 * (explained[best - 1]! - explained[best + 1]!)) / bend;
    arrival_s += Math.max(-1, Math.min(1, lean)) * step_s;
  }
  const [first, end] = stretch(anchor);
  let solved = solve(values, at, times, first, end, arrival_s, one);
  let sd_s = bend < 0 ? step_s * Math.sqrt((2 * solved.variance) / -bend) : Infinity;
  if (good && !(sd_s < GOOD * one.course.width_s)) return null;
  if (sd_s > 0.5 * step_s) {
    const { mean_s, spread_s } = likelihoodMean(moments_s, explained, explained[best]!, solved.variance);
    arrival_s = mean_s;
    sd_s = Math.hypot(spread_s, step_s / Math.sqrt(12));
    solved = solve(values, at, times, first, end, arrival_s, one);
  }
  return { ...solved, arrival_s, sd_s, rim };
}

/** First and end of the moments no farther from one than `reach_s`; all of them where none is given. */
function within(moments_s: Float64Array, near_s: number, reach_s: number): readonly [number, number] {
  if (!Number.isFinite(near_s)) return [0, moments_s.length];
  let from = 0;
  while (from < moments_s.length && moments_s[from]! < near_s - reach_s) from++;
  let end = from;
  while (end < moments_s.length && moments_s[end]! <= near_s + reach_s) end++;
  return [from, end];
}

function nearest(moments_s: Float64Array, t_s: number): number {
  let best = 0;
  for (let k = 1; k < moments_s.length; k++)
    if (Math.abs(moments_s[k]! - t_s) < Math.abs(moments_s[best]! - t_s)) best = k;
  return best;
}

/** Mean and spread of the passing under the likelihood exp(explained / 2 variance). */
function likelihoodMean(
  moments_s: Float64Array,
  explained: Float64Array,
  most: number,
  variance: number,
): { readonly mean_s: number; readonly spread_s: number } {
  let sum = 0;
  let first = 0;
  let second = 0;
  const origin_s = moments_s[0]!;
  for (let at = 0; at < moments_s.length; at++) {
    const weight = Math.exp((explained[at]! - most) / (2 * variance));
    const t = moments_s[at]! - origin_s;
    sum += weight;
    first += weight * t;
    second += weight * t * t;
  }
  const mean = first / sum;
  return { mean_s: origin_s + mean, spread_s: Math.sqrt(Math.max(0, second / sum - mean * mean)) };
}

let shaped = new Float64Array(1024);

/** A passing at a moment, sampled at times first ... last - 1, in an array that holds until the next is asked for. */
function shapedAt(course: Course, arrival_s: number, times: Float64Array, first: number, last: number): Float64Array {
  if (shaped.length < last - first) shaped = new Float64Array(2 * (last - first));
  courseAt(course, arrival_s, times, first, last, shaped);
  return shaped;
}

interface Solved {
  readonly height: number;
  readonly heightSd: number;
  readonly level: number;
  readonly slope_per_s: number;
  readonly variance: number;
  readonly misfit_s: number;
}

/** Level and slope before, height and scatter with the passing at a given moment. */
function solve(
  values: Float32Array,
  at: number,
  times: Float64Array,
  first: number,
  last: number,
  arrival_s: number,
  { course, noise }: One,
): Solved {
  const n = last - first;
  const model = shapedAt(course, arrival_s, times, first, last);
  let meanT = 0;
  let meanM = 0;
  let meanY = 0;
  for (let k = first; k < last; k++) {
    meanT += times[k]! - arrival_s;
    meanM += model[k - first]!;
    meanY += values[at + k]!;
  }
  meanT /= n;
  meanM /= n;
  meanY /= n;
  let tt = 0;
  let tm = 0;
  let ty = 0;
  let mm = 0;
  let my = 0;
  let yy = 0;
  for (let k = first; k < last; k++) {
    const t = times[k]! - arrival_s - meanT;
    const m = model[k - first]! - meanM;
    const y = values[at + k]! - meanY;
    tt += t * t;
    tm += t * m;
    ty += t * y;
    mm += m * m;
    my += m * y;
    yy += y * y;
  }
  const norm2 = mm - (tm * tm) / tt;
  const height = (my - (tm * ty) / tt) / norm2;
  const slope_per_s = (ty - height * tm) / tt;
  const left = Math.max(0, yy - (ty * ty) / tt - height * height * norm2);
  const freedom = Math.max(1, n - 4);
  const frame_s = (times[last - 1]! - times[first]!) / (n - 1);
  // The scatter about the fit and the course's white noise tell the same, unless the fit is poor.
  const pooled = (left + 30 * noise * noise) / (freedom + 30);
  const variance = Math.max(pooled, left / freedom / (1 + 2 * Math.sqrt(2 / freedom)));
  return {
    height,
    heightSd: Math.sqrt(variance / norm2),
    level: meanY - slope_per_s * meanT - height * meanM,
    slope_per_s,
    variance,
    // Cauchy and Schwarz: the area under what is left, of which noise is taken off.
    misfit_s: (Math.sqrt(Math.max(0, left - BEYOND_NOISE * freedom * noise * noise) * n) * frame_s) / Math.abs(height),
  };
}

function makeBank(
  times: Float64Array,
  interval_s: number,
  course: Course,
  { from_s, to_s }: FitOptions,
  arena: Arena,
): Bank {
  const { width_s } = course;
  const half_s = Math.max(STRETCH * width_s, (SIDE + 2.5) * interval_s);
  const spacing_s = Math.max(0.5 * width_s, 0.5 * interval_s);
  const arrivals_s: number[] = [];
  const firsts: number[] = [];
  const lasts: number[] = [];
  const count = Math.max(1, Math.ceil((to_s - from_s) / spacing_s));
  for (let a = 0; a <= count; a++) {
    const arrival_s = from_s + ((to_s - from_s) * a) / count;
    const first = firstNotBefore(times, arrival_s - half_s);
    const last = firstNotBefore(times, arrival_s + half_s);
    const passed = firstNotBefore(times, arrival_s);
    if (passed - first < SIDE || last - passed < SIDE || last - first < 2 * SIDE + 1) continue;
    arrivals_s.push(arrival_s);
    firsts.push(first);
    lasts.push(last);
  }
  const resolved = width_s >= RESOLVED * interval_s;
  const step_s = resolved ? width_s / 8 : Math.min(width_s / 5, interval_s / 3);
  const reach = Math.ceil(Math.max(2.5 * width_s, spacing_s + width_s) / step_s);
  const all = new Map<number, Moments>();
  const few = new Map<number, Moments>();
  const stretch = (anchor: number): readonly [number, number] => [firsts[anchor]!, lasts[anchor]!];
  const about = (anchor: number, before: number, after: number): Moments => {
    const moments: number[] = [];
    for (let j = -before; j <= after; j++) {
      const moment_s = arrivals_s[anchor]! + j * step_s;
      if (moment_s >= from_s - step_s && moment_s <= to_s + step_s) moments.push(moment_s);
    }
    return momentsOf(moments, times, () => stretch(anchor), course, arena);
  };
  return {
    coarse: momentsOf(arrivals_s, times, stretch, course, arena),
    step_s,
    stretch,
    near(anchor) {
      if (!resolved) return null;
      const found = few.get(anchor) ?? about(anchor, NEAR_STEPS, NEAR_STEPS);
      few.set(anchor, found);
      return found;
    },
    fine(anchor) {
      const found = all.get(anchor);
      if (found !== undefined) return found;
      const arrival_s = arrivals_s[anchor]!;
      // Where frames are missing the passing may lie anywhere between those around.
      const next = firstNotBefore(times, arrival_s);
      const gap_s = [arrival_s - (times[next - 1] ?? arrival_s), (times[next] ?? arrival_s) - arrival_s] as const;
      const before = Math.max(reach, Math.ceil((gap_s[0] + 1.5 * width_s) / step_s));
      const after = Math.max(reach, Math.ceil((gap_s[1] + 1.5 * width_s) / step_s));
      const moments = about(anchor, before, after);
      all.set(anchor, moments);
      return moments;
    },
  };
}

/** Passings at some moments, made when they are first wanted; one that nothing tells from level and slope explains nothing. */
function momentsOf(
  arrivals_s: readonly number[],
  times: Float64Array,
  stretch: (k: number) => readonly [number, number],
  course: Course,
  arena: Arena,
): Moments {
  const arrival_s = Float64Array.from(arrivals_s);
  const longest = arrivals_s.length === 0 ? 0 : stretch(0)[1] - stretch(0)[0];
  const block = templateBlock(arrival_s.length, longest, arena);
  return {
    arrival_s,
    made(from, end) {
      for (let k = from; k < end; k++) {
        if (block.length[k] !== 0) continue;
        const [first, last] = stretch(k);
        const { values, norm2 } = template(times, first, last, arrival_s[k]!, course);
        setTemplate(block, k, first, values, norm2 > LEAST_NORM2 ? norm2 : Infinity);
      }
      return block;
    },
  };
}

function template(
  times: Float64Array,
  first: number,
  last: number,
  arrival_s: number,
  course: Course,
): { readonly values: Float64Array; readonly norm2: number } {
  const n = last - first;
  const values = shapedAt(course, arrival_s, times, first, last).slice(0, n);
  let meanT = 0;
  let meanM = 0;
  for (let k = 0; k < n; k++) {
    meanT += times[first + k]!;
    meanM += values[k]!;
  }
  meanT /= n;
  meanM /= n;
  let tt = 0;
  let tm = 0;
  for (let k = 0; k < n; k++) {
    const t = times[first + k]! - meanT;
    tt += t * t;
    tm += t * values[k]!;
  }
  const slope = tm / tt;
  let norm2 = 0;
  for (let k = 0; k < n; k++) {
    const value = values[k]! - meanM - slope * (times[first + k]! - meanT);
    values[k] = value;
    norm2 += value * value;
  }
  return { values, norm2 };
}

function firstNotBefore(times: Float64Array, t_s: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle]! < t_s) low = middle + 1;
    else high = middle;
  }
  return low;
}
