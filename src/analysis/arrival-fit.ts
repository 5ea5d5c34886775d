/** The moment of passing in one time course: a step and a bright line on a slope, by least squares. */
import { median, medianStep } from "../kernels/stats.js";
import {
  NARROWING_STEP,
  roundedNarrowing,
  roundedSkew,
  shapeTable,
  SKEW_STEP,
  withKink,
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

/** Templates that were made, by width and form. */
export interface Templates {
  readonly banks: Map<number, Bank>;
  readonly tables: Map<number, (u: number) => number>;
}

export function newTemplates(): Templates {
  return { banks: new Map(), tables: new Map() };
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

/** A passing at one moment on one stretch of frames, freed of level and slope. */
interface Template {
  readonly arrival_s: number;
  readonly first: number;
  readonly u: Float64Array;
  readonly norm2: number;
}

/** Templates of one width on one list of times. */
interface Bank {
  readonly coarse: readonly Template[];
  /** Passings closely about the coarse template's, all on its stretch. */
  fine(anchor: number): readonly Template[];
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
  const { banks, tables } = options.templates ?? newTemplates();
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
    const course = withKink(plain, options.shape.kink_per_s * width_s);
    const key = rung * 2 ** 20 + formKey;
    const course32 = relative.subarray(i * frames, (i + 1) * frames);
    let values: Float32Array | Float64Array = course32;
    let times = time_s;
    let bank: Bank;
    if (isWhole(course32)) {
      bank = banks.get(key) ?? makeBank(times, width_s, interval_s, course, options);
      banks.set(key, bank);
    } else {
      const known = Array.from(values.keys()).filter((k) => Number.isFinite(values[k]!));
      if (known.length < 0.5 * frames) continue;
      times = Float64Array.from(known, (k) => time_s[k]!);
      values = Float64Array.from(known, (k) => values[k]!);
      bank = makeBank(times, width_s, interval_s, course, options);
    }
    const near_s = options.near_s?.[i] ?? NaN;
    const reach_s = options.reach_s?.[i] ?? Infinity;
    fit.width_s[i] = width_s;
    placeOne(fit, i, values, times, bank, { ...options, near_s, reach_s, noise: noise[i]!, width_s, course });
  }
  return fit;
}

function isWhole(values: Float32Array): boolean {
  for (let k = 0; k < values.length; k++) if (!Number.isFinite(values[k]!)) return false;
  return true;
}

interface One {
  readonly near_s: number;
  readonly reach_s: number;
  readonly sign: -1 | 0 | 1;
  readonly noise: number;
  readonly width_s: number;
  readonly course: (u: number) => number;
}

function placeOne(
  fit: { -readonly [K in keyof ArrivalFit]: ArrivalFit[K] },
  i: number,
  values: Float32Array | Float64Array,
  times: Float64Array,
  bank: Bank,
  one: One,
): void {
  let anchor = -1;
  let most = 0;
  for (let a = 0; a < bank.coarse.length; a++) {
    const template = bank.coarse[a]!;
    if (Math.abs(template.arrival_s - one.near_s) > one.reach_s) continue;
    const dot = along(template, values);
    if (one.sign * dot < 0) continue;
    const explained = (dot * dot) / template.norm2;
    if (explained > most) {
      most = explained;
      anchor = a;
    }
  }
  if (anchor < 0) return;
  let fine = bank.fine(anchor);
  let explained = explainedBy(fine, values);
  let best = greatest(explained);
  if (best === 0 || best === fine.length - 1) {
    // The coarse template was one off: once more from where the fine ones point.
    const wanted_s = fine[best]!.arrival_s;
    let other = anchor;
    for (let a = 0; a < bank.coarse.length; a++) {
      if (Math.abs(bank.coarse[a]!.arrival_s - wanted_s) < Math.abs(bank.coarse[other]!.arrival_s - wanted_s))
        other = a;
    }
    if (other !== anchor) {
      anchor = other;
      fine = bank.fine(anchor);
      explained = explainedBy(fine, values);
      best = greatest(explained);
    }
  }
  const stretch = bank.coarse[anchor]!;
  let arrival_s = fine[best]!.arrival_s;
  const rim = best === 0 || best === fine.length - 1;
  const bend = rim ? 0 : explained[best - 1]! - 2 * explained[best]! + explained[best + 1]!;
  if (bend < 0) {
    const lean = (0.5 * (explained[best - 1]! - explained[best + 1]!)) / bend;
    arrival_s += Math.max(-1, Math.min(1, lean)) * bank.step_s;
  }
  const last = stretch.first + stretch.u.length;
  let solved = solve(values, times, stretch.first, last, arrival_s, one);
  let sd_s = bend < 0 ? bank.step_s * Math.sqrt((2 * solved.variance) / -bend) : Infinity;
  if (sd_s > 0.5 * bank.step_s) {
    const { mean_s, spread_s } = likelihoodMean(fine, explained, explained[best]!, solved.variance);
    arrival_s = mean_s;
    sd_s = Math.hypot(spread_s, bank.step_s / Math.sqrt(12));
    solved = solve(values, times, stretch.first, last, arrival_s, one);
  }
  fit.arrival_s[i] = arrival_s;
  fit.sd_s[i] = sd_s;
  fit.height[i] = solved.height;
  fit.level[i] = solved.level;
  fit.slope_per_s[i] = solved.slope_per_s;
  fit.heightSd[i] = solved.heightSd;
  fit.misfit_s[i] = solved.misfit_s;
  fit.strength[i] = (solved.height / solved.heightSd) ** 2;
  fit.atRim[i] = rim ? 1 : 0;
}

function along({ first, u }: Template, values: ArrayLike<number>): number {
  let dot = 0;
  for (let k = 0; k < u.length; k++) dot += u[k]! * values[first + k]!;
  return dot;
}

function explainedBy(templates: readonly Template[], values: ArrayLike<number>): Float64Array {
  const explained = new Float64Array(templates.length);
  for (let at = 0; at < templates.length; at++) {
    const template = templates[at]!;
    const dot = along(template, values);
    explained[at] = (dot * dot) / template.norm2;
  }
  return explained;
}

function greatest(values: ArrayLike<number>): number {
  let best = 0;
  for (let at = 1; at < values.length; at++) if (values[at]! > values[best]!) best = at;
  return best;
}

/** Mean and spread of the passing under the likelihood exp(explained / 2 variance). */
function likelihoodMean(
  fine: readonly Template[],
  explained: ArrayLike<number>,
  most: number,
  variance: number,
): { readonly mean_s: number; readonly spread_s: number } {
  let sum = 0;
  let first = 0;
  let second = 0;
  const origin_s = fine[0]!.arrival_s;
  for (let at = 0; at < fine.length; at++) {
    const weight = Math.exp((explained[at]! - most) / (2 * variance));
    const t = fine[at]!.arrival_s - origin_s;
    sum += weight;
    first += weight * t;
    second += weight * t * t;
  }
  const mean = first / sum;
  return { mean_s: origin_s + mean, spread_s: Math.sqrt(Math.max(0, second / sum - mean * mean)) };
}

/** Level and slope before, height and scatter with the passing at a given moment. */
function solve(
  values: ArrayLike<number>,
  times: Float64Array,
  first: number,
  last: number,
  arrival_s: number,
  { course, width_s, noise }: One,
): { height: number; heightSd: number; level: number; slope_per_s: number; variance: number; misfit_s: number } {
  const n = last - first;
  let meanT = 0;
  let meanM = 0;
  let meanY = 0;
  for (let k = first; k < last; k++) {
    meanT += (times[k]! - arrival_s) / n;
    meanM += course((times[k]! - arrival_s) / width_s) / n;
    meanY += values[k]! / n;
  }
  let tt = 0;
  let tm = 0;
  let ty = 0;
  let mm = 0;
  let my = 0;
  let yy = 0;
  for (let k = first; k < last; k++) {
    const t = times[k]! - arrival_s - meanT;
    const m = course((times[k]! - arrival_s) / width_s) - meanM;
    const y = values[k]! - meanY;
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
  width_s: number,
  interval_s: number,
  course: (u: number) => number,
  { from_s, to_s }: FitOptions,
): Bank {
  const half_s = Math.max(STRETCH * width_s, (SIDE + 2.5) * interval_s);
  const spacing_s = Math.max(0.5 * width_s, 0.5 * interval_s);
  const coarse: Template[] = [];
  const count = Math.max(1, Math.ceil((to_s - from_s) / spacing_s));
  for (let a = 0; a <= count; a++) {
    const arrival_s = from_s + ((to_s - from_s) * a) / count;
    const first = firstNotBefore(times, arrival_s - half_s);
    const last = firstNotBefore(times, arrival_s + half_s);
    const passed = firstNotBefore(times, arrival_s);
    if (passed - first < SIDE || last - passed < SIDE || last - first < 2 * SIDE + 1) continue;
    const made = template(times, first, last, arrival_s, width_s, course);
    if (made.norm2 > 1e-3) coarse.push(made);
  }
  const step_s = Math.min(width_s / 5, interval_s / 3);
  const reach = Math.ceil(Math.max(2.5 * width_s, spacing_s + width_s) / step_s);
  const kept = new Map<number, readonly Template[]>();
  return {
    coarse,
    step_s,
    fine(anchor) {
      const found = kept.get(anchor);
      if (found !== undefined) return found;
      const { arrival_s, first, u } = coarse[anchor]!;
      const made: Template[] = [];
      // Where frames are missing the passing may lie anywhere between those around.
      const next = firstNotBefore(times, arrival_s);
      const gap_s = [arrival_s - (times[next - 1] ?? arrival_s), (times[next] ?? arrival_s) - arrival_s] as const;
      const before = Math.max(reach, Math.ceil((gap_s[0] + 1.5 * width_s) / step_s));
      const after = Math.max(reach, Math.ceil((gap_s[1] + 1.5 * width_s) / step_s));
      for (let j = -before; j <= after; j++) {
        const moment_s = arrival_s + j * step_s;
        if (moment_s < from_s - step_s || moment_s > to_s + step_s) continue;
        const one = template(times, first, first + u.length, moment_s, width_s, course);
        if (one.norm2 > 1e-3) made.push(one);
      }
      kept.set(anchor, made);
      return made;
    },
  };
}

function template(
  times: Float64Array,
  first: number,
  last: number,
  arrival_s: number,
  width_s: number,
  course: (u: number) => number,
): Template {
  const n = last - first;
  const u = new Float64Array(n);
  let meanT = 0;
  let meanM = 0;
  for (let k = 0; k < n; k++) {
    u[k] = course((times[first + k]! - arrival_s) / width_s);
    meanT += times[first + k]! / n;
    meanM += u[k]! / n;
  }
  let tt = 0;
  let tm = 0;
  for (let k = 0; k < n; k++) {
    const t = times[first + k]! - meanT;
    tt += t * t;
    tm += t * u[k]!;
  }
  let norm2 = 0;
  for (let k = 0; k < n; k++) {
    u[k] = u[k]! - meanM - (tm / tt) * (times[first + k]! - meanT);
    norm2 += u[k]! * u[k]!;
  }
  return { arrival_s, first, u, norm2 };
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
