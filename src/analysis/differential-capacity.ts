/** Differential capacity dQ/dV of each half cycle, and its peaks with their times. */
import { sgg } from "ml-savitzky-golay-generalized";
import { isotonic, madSigma, median } from "../kernels/stats.js";
import type { CapacityPeak, Cycling, DifferentialCapacity, HalfCycle } from "../model/cycling.js";
import type { CellFacts } from "../model/experiment.js";
import { directionOf, findSteps } from "./cycling-steps.js";
import { valleyPlace } from "./valley.js";

/** Width of the Savitzky-Golay window in potential steps, at least and at most. */
const WIDTH = { least: 4, most: 15 } as const;
/** The window is widened until noise of the potential moves dQ/dV by no more than this share of itself. */
const NOISE_SHARE = 0.01;
/** Noise alone makes valleys and maxima about five deviations apart; a peak stands out by more ... */
const PROMINENCE_SIGMA = 7;
/** ... and by this share of the half cycle's greatest dQ/dV. */
const PROMINENCE_SHARE = 0.01;
/** A parabola's slope is so many times less sure at the end of its points than in their middle. */
const END = 4;
/** The charge is read off the potential at this many levels a step, so that every row counts. */
const FINER = 8;
/**
 * On a plateau, levels between the steps are kept where the potential takes longer than this share of the half cycle.
 */
const LONGEST_WAIT = 0.01;
/** Standard error of a line's slope: this times noise / (length root n). */
const LINE = Math.sqrt(12);

/** Charge and time at each level of the potential, which rises strictly along the list. */
interface Knots {
  /** 1 where the potential rises in time, -1 where it falls. */
  readonly way: 1 | -1;
  /** way * potential. */
  readonly level_V: Float64Array;
  readonly charge_mAh: Float64Array;
  readonly time_s: Float64Array;
  /** Noise of one row's potential, and rows a volt. */
  readonly noise_V: number;
  readonly rows_V: number;
}

/**
 * dQ/dV of each half cycle against potential and time, positive while the imaged electrode is delithiated and negative
 * while it is lithiated, and the half cycles with their peaks.
 *
 * Only rows of imposed current count: holds and rests are left out. The potential is made monotone (isotonic least
 * squares against the rows' order, so that noise averages out and charge is kept), the charge taken from it at equal
 * steps, and differentiated by a Savitzky-Golay filter of order 2, 4 to 15 times `dV_V` wide, the wider the noisier the
 * potential. The curve stands at multiples of `dV_V`, and at eighths of it where the potential hardly moves, so that it
 * is smooth in time too. A half cycle whose potential moves less than the filter is wide has an empty curve.
 *
 * A peak is a maximum of |dQ/dV| that stands out of the valleys beside it by seven deviations of the noise, four times as
 * large for a valley at the curve's end, and 1 % of the greatest value. It is placed with a window as narrow as one step where the noise allows it;
 * `start_s` and `end_s` are where the curve passes half of that prominence, `height_mAh_V` is the curve's greatest
 * |dQ/dV|. Names are those of LiCoO2 in Merryweather et al., Fig. 1d: the greatest peak is I (charge, 3.85 to 4.2 V) or
 * IV (discharge, 3.6 to 3.97 V), of the two-phase step, and the next one 0.08 to 0.22 V above it is II or III, of the
 * lithium order near Li0.5. Only for a cathode, and "" elsewhere.
 */
export function differentialCapacity(
  cycling: Cycling,
  halfCycles: readonly HalfCycle[],
  { dV_V, role = "cathode" }: { readonly dV_V: number; readonly role?: CellFacts["role"] },
): { readonly halfCycles: HalfCycle[]; readonly curves: DifferentialCapacity[] } {
  const steps = findSteps(cycling);
  const withPeaks: HalfCycle[] = [];
  const curves: DifferentialCapacity[] = [];
  for (const halfCycle of halfCycles) {
    const sign = halfCycle.kind === "charge" ? 1 : -1;
    const rows: number[] = [];
    for (const step of steps) {
      if (step.kind === "hold" || directionOf(step) !== sign) continue;
      if (step.start_s < halfCycle.start_s || step.end_s > halfCycle.end_s) continue;
      for (let row = step.first; row <= step.last; row++) rows.push(row);
    }
    const knots = monotone(cycling, rows);
    const used_V = knots === null ? NaN : width_V(knots, meanSlope_mAh_V(knots), WIDTH.least * dV_V, WIDTH.most * dV_V);
    const everywhere = knots === null ? null : slopeAtLevels(knots, dV_V / FINER, used_V);
    if (knots === null || everywhere === null) {
      const none = new Float64Array(0);
      curves.push({ halfCycle: halfCycle.id, potential_V: none, time_s: none, dQdV_mAh_V: none });
      withPeaks.push({ ...halfCycle, peaks: [] });
      continue;
    }
    const shown = keptWhere(everywhere, (level_V, before_V) => {
      const waited_s = timeAt(knots, level_V) - timeAt(knots, before_V);
      return isMultiple(level_V, dV_V) || waited_s > LONGEST_WAIT * (halfCycle.end_s - halfCycle.start_s);
    });
    curves.push({
      halfCycle: halfCycle.id,
      potential_V: shown.level_V.map((level_V) => knots.way * level_V),
      time_s: shown.level_V.map((level_V) => timeAt(knots, level_V)),
      dQdV_mAh_V: shown.value_mAh_V.map((value) => sign * value),
    });
    const slope = keptWhere(everywhere, (level_V) => isMultiple(level_V, dV_V));
    const peaks = findPeaks(knots, slope, dV_V, used_V);
    withPeaks.push({ ...halfCycle, peaks: role === "cathode" ? named(peaks, halfCycle.kind, knots.way) : peaks });
  }
  return { halfCycles: withPeaks, curves };
}

function monotone({ time_s, potential_V, charge_mAh }: Cycling, rows: readonly number[]): Knots | null {
  const kept = rows.filter((row) => Number.isFinite(potential_V[row]!) && Number.isFinite(charge_mAh[row]!));
  if (kept.length < 4) return null;
  const tenth = Math.max(1, Math.round(kept.length / 10));
  const potential = Float64Array.from(kept, (row) => potential_V[row]!);
  const way = median(potential.subarray(kept.length - tenth)) >= median(potential.subarray(0, tenth)) ? 1 : -1;
  const level = isotonic(potential.map((value) => way * value));
  // Rows pooled at one level become one knot, at the middle of their charge and time.
  const [level_V, charge, time]: number[][] = [[], [], []];
  for (let first = 0; first < kept.length;) {
    let last = first;
    while (last + 1 < kept.length && level[last + 1]! <= level[first]!) last++;
    level_V!.push(level[first]!);
    charge!.push(0.5 * (charge_mAh[kept[first]!]! + charge_mAh[kept[last]!]!));
    time!.push(0.5 * (time_s[kept[first]!]! + time_s[kept[last]!]!));
    first = last + 1;
  }
  const bends = Float64Array.from(
    { length: kept.length - 2 },
    (_, at) => potential[at]! - 2 * potential[at + 1]! + potential[at + 2]!,
  );
  return {
    way,
    level_V: Float64Array.from(level_V!),
    charge_mAh: Float64Array.from(charge!),
    time_s: Float64Array.from(time!),
    noise_V: madSigma(bends) / Math.sqrt(6),
    rows_V: kept.length / Math.max(1e-9, level_V!.at(-1)! - level_V![0]!),
  };
}

/** |dQ/dV| at equal steps of the potential. */
interface Slope {
  readonly level_V: Float64Array;
  readonly value_mAh_V: Float64Array;
}

/** The window's width where dQ/dV has a value: as wide as noise and the rows there ask, within limits. */
function width_V(knots: Knots, value_mAh_V: number, least_V: number, most_V: number): number {
  const rows_V = (knots.rows_V * value_mAh_V) / meanSlope_mAh_V(knots);
  return Math.min(most_V, Math.max(least_V, ((LINE * knots.noise_V) / (NOISE_SHARE * Math.sqrt(rows_V))) ** (2 / 3)));
}

function meanSlope_mAh_V({ level_V, charge_mAh }: Knots): number {
  return Math.abs(charge_mAh.at(-1)! - charge_mAh[0]!) / (level_V.at(-1)! - level_V[0]!);
}

function slopeAtLevels(knots: Knots, step_V: number, width_V: number): Slope | null {
  const first = Math.ceil(knots.level_V[0]! / step_V);
  const count = Math.floor(knots.level_V.at(-1)! / step_V) - first + 1;
  const windowSize = 2 * Math.round(width_V / step_V / 2) + 1;
  if (count < windowSize) return null;
  const level_V = Float64Array.from({ length: count }, (_, at) => (first + at) * step_V);
  const charge_mAh = level_V.map((level) => interpolate(knots.level_V, knots.charge_mAh, level));
  return { level_V, value_mAh_V: sgg(charge_mAh, step_V, { windowSize, derivative: 1, polynomial: 2 }).map(Math.abs) };
}

/** The levels to keep, each asked about with the one kept before it. */
function keptWhere({ level_V, value_mAh_V }: Slope, keep: (level_V: number, before_V: number) => boolean): Slope {
  let before_V = level_V[0]!;
  const kept = Array.from(level_V.keys()).filter((at) => {
    const kept = keep(level_V[at]!, before_V);
    if (kept) before_V = level_V[at]!;
    return kept;
  });
  return {
    level_V: Float64Array.from(kept, (at) => level_V[at]!),
    value_mAh_V: Float64Array.from(kept, (at) => value_mAh_V[at]!),
  };
}

function isMultiple(level_V: number, step_V: number): boolean {
  return Math.abs(level_V / step_V - Math.round(level_V / step_V)) < 0.5 / FINER;
}

/** Standard error of the slope at one level: that of a line through the rows within the window. */
function slopeSd_mAh_V(knots: Knots, value_mAh_V: number, width_V: number): number {
  const rows = Math.max(1, (knots.rows_V * width_V * value_mAh_V) / meanSlope_mAh_V(knots));
  return (value_mAh_V * LINE * knots.noise_V) / (width_V * Math.sqrt(rows));
}

/** The greatest value on the fine grid between two levels; NaN where none is. */
function placed_V(fine: Slope, from_V: number, to_V: number): number {
  let best = -1;
  for (let at = 1; at < fine.level_V.length - 1; at++) {
    if (fine.level_V[at]! < from_V || fine.level_V[at]! > to_V) continue;
    if (best < 0 || fine.value_mAh_V[at]! > fine.value_mAh_V[best]!) best = at;
  }
  if (best < 0) return NaN;
  const place_V = fine.level_V[best]! + vertex(fine.value_mAh_V, best) * (fine.level_V[1]! - fine.level_V[0]!);
  return Math.min(to_V, Math.max(from_V, place_V));
}

/** Where the parabola through a maximum and its neighbours has its vertex, in steps from the middle one. */
function vertex(value: Float64Array, at: number): number {
  const bend = value[at - 1]! - 2 * value[at]! + value[at + 1]!;
  return bend < 0 ? Math.min(1, Math.max(-1, (0.5 * (value[at - 1]! - value[at + 1]!)) / bend)) : 0;
}

function findPeaks(knots: Knots, { level_V, value_mAh_V: value }: Slope, dV_V: number, used_V: number): CapacityPeak[] {
  const greatest = value.reduce((a, b) => Math.max(a, b), 0);
  const half_window = used_V / dV_V / 2;
  const peaks: CapacityPeak[] = [];
  for (let at = 1; at < value.length - 1; at++) {
    if (!(value[at]! > value[at - 1]! && value[at]! >= value[at + 1]!)) continue;
    const valleys = [valleyPlace(value, at, -1), valleyPlace(value, at, 1)];
    const base = Math.max(...valleys.map((place) => value[place]!));
    const prominence = value[at]! - base;
    if (prominence < PROMINENCE_SHARE * greatest) continue;
    const sd = slopeSd_mAh_V(knots, value[at]!, used_V);
    const standsOut = (place: number): boolean => {
      const atEnd = Math.min(place, value.length - 1 - place) < half_window;
      return value[at]! - value[place]! >= PROMINENCE_SIGMA * sd * (atEnd ? END : 1);
    };
    if (!valleys.every(standsOut)) continue;
    const shift = vertex(value, at);
    const coarse_V = level_V[at]! + shift * dV_V;
    const half = base + 0.5 * prominence;
    const from_V = crossing(level_V, value, at, -1, half);
    const to_V = crossing(level_V, value, at, 1, half);
    const fine = slopeAtLevels(knots, dV_V / FINER, width_V(knots, value[at]!, dV_V, used_V))!;
    const finer_V = placed_V(fine, Math.max(from_V, coarse_V - 1.5 * dV_V), Math.min(to_V, coarse_V + 1.5 * dV_V));
    const place_V = Number.isNaN(finer_V) ? coarse_V : finer_V;
    peaks.push({
      name: "",
      potential_V: knots.way * place_V,
      t_s: timeAt(knots, place_V),
      start_s: timeAt(knots, from_V),
      end_s: timeAt(knots, to_V),
      height_mAh_V: value[at]! - 0.25 * (value[at - 1]! - value[at + 1]!) * shift,
    });
  }
  return peaks;
}

function crossing(level_V: Float64Array, value: Float64Array, peak: number, side: -1 | 1, height: number): number {
  for (let at = peak; at + side >= 0 && at + side < value.length; at += side) {
    const [inner, outer] = [value[at]!, value[at + side]!];
    if (outer > height) continue;
    return level_V[at]! + ((inner - height) / (inner - outer)) * (level_V[at + side]! - level_V[at]!);
  }
  return side < 0 ? level_V[0]! : level_V.at(-1)!;
}

function named(peaks: readonly CapacityPeak[], kind: HalfCycle["kind"], way: 1 | -1): CapacityPeak[] {
  const charge = kind === "charge";
  // In a full cell seen from the other electrode the potential goes the other way, and the names mean nothing.
  if (way > 0 !== charge || peaks.length === 0) return [...peaks];
  const main = peaks.reduce((a, b) => (b.height_mAh_V > a.height_mAh_V ? b : a));
  const [low_V, high_V] = charge ? [3.85, 4.2] : [3.6, 3.97];
  if (main.potential_V < low_V || main.potential_V > high_V) return [...peaks];
  const above = (peak: CapacityPeak): number => peak.potential_V - main.potential_V;
  const ordering = peaks
    .filter((peak) => above(peak) >= 0.08 && above(peak) <= 0.22)
    .sort((a, b) => above(a) - above(b))[0];
  return peaks.map((peak) => {
    if (peak === main) return { ...peak, name: charge ? "I" : "IV" };
    return peak === ordering ? { ...peak, name: charge ? "II" : "III" } : peak;
  });
}

function timeAt({ level_V, time_s }: Knots, level: number): number {
  return interpolate(level_V, time_s, level);
}

/** Linear between rising knots, level beyond them. */
function interpolate(x: Float64Array, y: Float64Array, at: number): number {
  let low = 0;
  let high = x.length - 1;
  if (at <= x[low]!) return y[low]!;
  if (at >= x[high]!) return y[high]!;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (x[middle]! <= at) low = middle;
    else high = middle;
  }
  return y[low]! + ((at - x[low]!) / (x[high]! - x[low]!)) * (y[high]! - y[low]!);
}
