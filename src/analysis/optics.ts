/**
 * A particle's mean intensity against the half cycles: how much it brightens, whether it comes back, where it is
 * straight.
 */
import { linearFit, madSigma } from "../kernels/stats.js";
import type { Cycling, HalfCycle } from "../model/cycling.js";
import type { Estimate, Optics, SolidSolution, Trace } from "../model/experiment.js";
import { SECONDS_PER_HOUR } from "../model/units.js";
import { fitParabola } from "./parabola.js";
import { valleyBeside } from "./valley.js";

/** An edge's level comes from this share of the half cycle beside it, and from this many frames at least. */
const EDGE_SHARE = 0.04;
const EDGE_FRAMES = 5;
/**
 * The straight part lies in the later part of a charge and the earlier of a discharge, and is as long as this at least.
 */
const STRAIGHT_PART = 0.6;
const STRAIGHT_LEAST = 0.2;
const STRAIGHT_FRAMES = 10;
/** Deviations of the noise, and share of its own change, by which a straight part may miss the line. */
const STRAIGHT_SIGMA = 1.4;
const STRAIGHT_BEND = 0.015;
/** Deviations of the smoothed noise, and share of the level, by which a peak stands out. */
const PEAK_SIGMA = 6;
const PEAK_SHARE = 0.003;
/** The peak of the two-phase step is sought outside this share of the half cycle, on the straight part's side. */
const PEAK_PART = 0.75;

/** The frames of one half cycle that carry an intensity. */
interface Stretch {
  readonly halfCycle: HalfCycle;
  readonly time_s: Float64Array;
  readonly intensity: Float64Array;
  /** Charge passed since the half cycle began, one entry a frame. */
  readonly charge_mAh: Float64Array;
  /** Noise of one frame's mean intensity. */
  readonly noise: number;
}

interface Part {
  readonly stretch: Stretch;
  readonly first: number;
  readonly last: number;
  readonly slope_per_s: number;
  readonly slopeSd_per_s: number;
  readonly r2: number;
}

/**
 * One entry for each half cycle whose beginning and end the movie shows.
 *
 * `ratio`: the level at the end over that at the beginning; a level is that of a straight line through the frames of
 * the first or last 4 % (five at least), at the edge itself, with the line's standard error. `return_error`: the level
 * at the end of a discharge over that at the beginning of the charge before it, minus one.
 *
 * `solid_solution`: the longest stretch in the last 60 % of a charge, or the first 60 % of a discharge, a fifth of it
 * at least, that a line misses by no more than the noise and 1.5 % of its own change. `hysteresis`: intensity on
 * discharge minus that on charge where both are straight at equal charge, what was discharged taken off what was
 * charged. `peak_at_mAh`: where the intensity is greatest within a bump that stands out of the noise, in the first 75 %
 * of a charge or the last 75 % of a discharge (the two-phase step); from a parabola through its upper half.
 *
 * Charge comes from the record where it is given, else from the time since the half cycle began.
 */
export function measureOptics(
  trace: Trace,
  halfCycles: readonly HalfCycle[],
  cycling: Cycling | null = null,
): Optics[] {
  const found: Optics[] = [];
  const parts = halfCycles.map((halfCycle) => straightPart(stretchOf(trace, halfCycle, cycling)));
  for (const [at, halfCycle] of halfCycles.entries()) {
    const begin = levelAt(trace, halfCycle, "start");
    const end = levelAt(trace, halfCycle, "end");
    if (begin === null || end === null) continue;
    const before = halfCycles[at - 1];
    const after = halfCycles[at + 1];
    const charged =
      halfCycle.kind === "discharge" && before?.kind === "charge" ? levelAt(trace, before, "start") : null;
    const back = charged === null ? null : quotient(end, charged);
    const part = parts[at] ?? null;
    const partner =
      halfCycle.kind === "charge"
        ? after?.kind === "discharge"
          ? parts[at + 1]
          : null
        : before?.kind === "charge"
          ? parts[at - 1]
          : null;
    found.push({
      particle: trace.particle,
      halfCycle: halfCycle.id,
      ratio: quotient(end, begin),
      return_error: back === null ? null : { ...back, value: back.value - 1 },
      solid_solution: part === null ? null : solidSolution(part, partner ?? null),
      peak_at_mAh: intensityPeak(stretchOf(trace, halfCycle, cycling), part),
    });
  }
  return found;
}

function quotient(over: Estimate, under: Estimate): Estimate {
  const value = over.value / under.value;
  return {
    value,
    sd: Math.abs(value) * Math.hypot(over.sd! / over.value, under.sd! / under.value),
    n: over.n + under.n,
  };
}

/** The intensity at a half cycle's edge; null where the movie does not show it. */
function levelAt({ time_s, intensity }: Trace, halfCycle: HalfCycle, edge: "start" | "end"): Estimate | null {
  const { start_s, end_s } = halfCycle;
  const inside = Array.from(time_s.keys()).filter(
    (frame) => time_s[frame]! >= start_s && time_s[frame]! <= end_s && Number.isFinite(intensity[frame]!),
  );
  if (inside.length < 3) return null;
  if (edge === "end") inside.reverse();
  const edge_s = edge === "start" ? start_s : end_s;
  const away_s = (frame: number): number => Math.abs(time_s[frame]! - edge_s);
  const usual_s = (end_s - start_s) / inside.length;
  if (away_s(inside[0]!) > Math.max(2 * usual_s, 0.02 * (end_s - start_s))) return null;
  const near = inside.filter((frame, rank) => rank < EDGE_FRAMES || away_s(frame) <= EDGE_SHARE * (end_s - start_s));
  const line = linearFit(
    near.map(away_s),
    near.map((frame) => intensity[frame]!),
  );
  return Number.isFinite(line.intercept) ? { value: line.intercept, sd: line.interceptSd, n: near.length } : null;
}

function stretchOf(trace: Trace, halfCycle: HalfCycle, cycling: Cycling | null): Stretch {
  const { start_s, end_s } = halfCycle;
  const frames = Array.from(trace.time_s.keys()).filter(
    (frame) =>
      trace.time_s[frame]! >= start_s && trace.time_s[frame]! <= end_s && Number.isFinite(trace.intensity[frame]!),
  );
  const time_s = Float64Array.from(frames, (frame) => trace.time_s[frame]!);
  const intensity = Float64Array.from(frames, (frame) => trace.intensity[frame]!);
  const bends = intensity.slice(2).map((now, at) => now - 2 * intensity[at + 1]! + intensity[at]!);
  return {
    halfCycle,
    time_s,
    intensity,
    charge_mAh: time_s.map((now_s) => passed_mAh(halfCycle, cycling, now_s)),
    noise: madSigma(bends) / Math.sqrt(6),
  };
}

function passed_mAh(halfCycle: HalfCycle, cycling: Cycling | null, now_s: number): number {
  const { start_s, end_s, charge_mAh } = halfCycle;
  if (cycling !== null) {
    const passed = Math.abs(chargeAt_mAh(cycling, now_s) - chargeAt_mAh(cycling, start_s));
    if (Number.isFinite(passed)) return passed;
  }
  return (charge_mAh * (now_s - start_s)) / (end_s - start_s);
}

function chargeAt_mAh({ time_s, charge_mAh }: Cycling, now_s: number): number {
  let low = 0;
  let high = time_s.length - 1;
  if (now_s <= time_s[low]!) return charge_mAh[low]!;
  if (now_s >= time_s[high]!) return charge_mAh[high]!;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (time_s[middle]! <= now_s) low = middle;
    else high = middle;
  }
  const share = (now_s - time_s[low]!) / (time_s[high]! - time_s[low]!);
  return charge_mAh[low]! + share * (charge_mAh[high]! - charge_mAh[low]!);
}

/** The longest straight part of a half cycle where the lithium content is expected to change evenly. */
function straightPart(stretch: Stretch): Part | null {
  const { halfCycle, time_s, intensity, noise } = stretch;
  const { start_s, end_s, kind } = halfCycle;
  const length_s = end_s - start_s;
  const from_s = kind === "charge" ? end_s - STRAIGHT_PART * length_s : start_s;
  const fitted = (begin_s: number, long_s: number): (Part & { readonly miss: number }) | null => {
    const first = time_s.findIndex((now_s) => now_s >= begin_s);
    let last = first;
    while (last + 1 < time_s.length && time_s[last + 1]! <= begin_s + long_s + 1e-9) last++;
    if (first < 0 || last - first + 1 < STRAIGHT_FRAMES || time_s[last]! - time_s[first]! < 0.9 * long_s) return null;
    const x = time_s.subarray(first, last + 1);
    const y = intensity.subarray(first, last + 1);
    const line = linearFit(x, y);
    let left = 0;
    let total = 0;
    const mean = line.intercept + line.slope * (x.reduce((sum, value) => sum + value, 0) / x.length);
    for (let at = 0; at < x.length; at++) {
      left += (y[at]! - line.intercept - line.slope * x[at]!) ** 2;
      total += (y[at]! - mean) ** 2;
    }
    const change = line.slope * (x.at(-1)! - x[0]!);
    return {
      stretch,
      first,
      last,
      slope_per_s: line.slope,
      slopeSd_per_s: line.slopeSd,
      r2: total > 0 ? 1 - left / total : 0,
      miss: Math.sqrt(left / (x.length - 2)) / Math.hypot(STRAIGHT_SIGMA * noise, STRAIGHT_BEND * change),
    };
  };
  const grain = 0.025;
  for (let share = STRAIGHT_PART; share > STRAIGHT_LEAST - 1e-9; share -= grain) {
    let best: (Part & { readonly miss: number }) | null = null;
    for (let shift = 0; shift <= STRAIGHT_PART - share + 1e-9; shift += grain) {
      const part = fitted(from_s + shift * length_s, share * length_s);
      if (part !== null && part.miss <= 1 && (best === null || part.miss < best.miss)) best = part;
    }
    if (best !== null) return best;
  }
  return null;
}

function solidSolution(part: Part, partner: Part | null): SolidSolution {
  const { time_s } = part.stretch;
  return {
    slope_per_h: {
      value: SECONDS_PER_HOUR * part.slope_per_s,
      sd: SECONDS_PER_HOUR * part.slopeSd_per_s,
      n: part.last - part.first + 1,
    },
    r2: part.r2,
    start_s: time_s[part.first]!,
    end_s: time_s[part.last]!,
    hysteresis: partner === null ? null : hysteresis(part, partner),
  };
}

function hysteresis(one: Part, other: Part): Estimate | null {
  const [charge, discharge] = one.stretch.halfCycle.kind === "charge" ? [one, other] : [other, one];
  const whole_mAh = charge.stretch.halfCycle.charge_mAh;
  const up = charge.stretch;
  const low_mAh = up.charge_mAh[charge.first]!;
  const high_mAh = up.charge_mAh[charge.last]!;
  const differences: number[] = [];
  let at = charge.first;
  let least_mAh = Infinity;
  let most_mAh = -Infinity;
  for (let frame = discharge.last; frame >= discharge.first; frame--) {
    const left_mAh = whole_mAh - discharge.stretch.charge_mAh[frame]!;
    if (left_mAh < low_mAh || left_mAh > high_mAh) continue;
    while (at < charge.last - 1 && up.charge_mAh[at + 1]! < left_mAh) at++;
    const share = (left_mAh - up.charge_mAh[at]!) / (up.charge_mAh[at + 1]! - up.charge_mAh[at]!);
    const onCharge = up.intensity[at]! + share * (up.intensity[at + 1]! - up.intensity[at]!);
    if (!Number.isFinite(onCharge)) continue;
    differences.push(discharge.stretch.intensity[frame]! - onCharge);
    least_mAh = Math.min(least_mAh, left_mAh);
    most_mAh = Math.max(most_mAh, left_mAh);
  }
  if (differences.length < 5 || most_mAh - least_mAh < 0.05 * whole_mAh) return null;
  const n = differences.length;
  const value = differences.reduce((sum, difference) => sum + difference, 0) / n;
  const variance = differences.reduce((sum, difference) => sum + (difference - value) ** 2, 0) / (n - 1);
  return { value, sd: Math.sqrt(variance / n), n };
}

function intensityPeak(stretch: Stretch, part: Part | null): Estimate | null {
  const { halfCycle, time_s, intensity, charge_mAh, noise } = stretch;
  const { start_s, end_s, kind } = halfCycle;
  const limit_s = kind === "charge" ? start_s + PEAK_PART * (end_s - start_s) : end_s - PEAK_PART * (end_s - start_s);
  const straight_s = part === null ? limit_s : kind === "charge" ? time_s[part.first]! : time_s[part.last]!;
  const inside = Array.from(time_s.keys()).filter((frame) =>
    kind === "charge"
      ? time_s[frame]! <= Math.min(limit_s, straight_s)
      : time_s[frame]! >= Math.max(limit_s, straight_s),
  );
  const reach = Math.max(2, Math.round(0.015 * intensity.length));
  const smooth = inside.map((frame) => {
    const near = intensity.subarray(Math.max(0, frame - reach), frame + reach + 1);
    return near.reduce((sum, value) => sum + value, 0) / near.length;
  });
  const least = (level: number): number =>
    Math.max((PEAK_SIGMA * noise) / Math.sqrt(2 * reach + 1), PEAK_SHARE * level);
  let best = { at: -1, prominence: 0 };
  for (let at = 1; at < smooth.length - 1; at++) {
    if (!(smooth[at]! > smooth[at - 1]! && smooth[at]! >= smooth[at + 1]!)) continue;
    const prominence = smooth[at]! - Math.max(valleyBeside(smooth, at, -1), valleyBeside(smooth, at, 1));
    if (prominence > least(smooth[at]!) && prominence > best.prominence) best = { at, prominence };
  }
  if (best.at < 0) return null;
  const half = smooth[best.at]! - 0.5 * best.prominence;
  let from = best.at;
  while (from > 0 && smooth[from - 1]! > half) from--;
  let to = best.at;
  while (to < smooth.length - 1 && smooth[to + 1]! > half) to++;
  const frames = inside.slice(from, to + 1);
  if (frames.length < 5) return null;
  const { vertex, vertexSd, bend } = fitParabola(
    frames.map((frame) => charge_mAh[frame]!),
    frames.map((frame) => intensity[frame]!),
  );
  const within = vertex >= charge_mAh[frames[0]!]! && vertex <= charge_mAh[frames.at(-1)!]!;
  return bend < 0 && within ? { value: vertex, sd: vertexSd, n: frames.length } : null;
}
