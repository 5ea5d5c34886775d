/** The cycler's record cut into steps, by current and potential alone. */
import { madSigma, median } from "../kernels/stats.js";
import type { Cycling, CyclingStep } from "../model/cycling.js";
import { SECONDS_PER_HOUR } from "../model/units.js";

/** Below this share of the current at which most of the charge passes, a cell rests, whatever the noise. */
const REST_SHARE = 0.002;
/** Noise at rest lifts the limit, but not beyond this share. */
const REST_SHARE_LIMIT = 0.02;
/** 0.01 nA: no cycler drives less. */
const FLOOR_MA = 1e-8;

/** Rows first ... last (inclusive) whose current has one sign; 0: at rest. */
interface Run {
  sign: -1 | 0 | 1;
  first: number;
  last: number;
}

/**
 * Steps of the record in order, covering every row: driven either way, at rest, or held at a potential while the
 * current decays.
 *
 * Rest is |I| below 0.2 % of the current at which most of the charge passes, or below four times the noise at rest
 * where that is more (at most 2 %). A single row that differs from both its neighbours is a glitch and belongs to what
 * came before. A hold is the end of a driven stretch along which the potential stays within its noise (at least 2 mV)
 * and the current falls by more than a tenth; a step that is a hold from its first row was driven by the potential.
 * Rows without a current take it from the charge. A record with neither has no step.
 */
export function findSteps(cycling: Cycling): CyclingStep[] {
  const current_mA = knownCurrent(cycling);
  if (current_mA === null) return [];
  const steps: CyclingStep[] = [];
  for (const run of runsOfOneSign(cycling, current_mA)) {
    if (run.sign === 0) {
      steps.push(step(cycling, current_mA, "rest", run.first, run.last));
      continue;
    }
    const driven = run.sign > 0 ? "charge" : "discharge";
    const hold = holdStart(cycling, current_mA, run);
    if (hold > run.first) steps.push(step(cycling, current_mA, driven, run.first, hold - 1));
    if (hold <= run.last) steps.push(step(cycling, current_mA, "hold", hold, run.last));
  }
  return steps;
}

/** Which way a step drives the imaged electrode: 1 delithiates, -1 lithiates, 0 rests. */
export function directionOf(step: CyclingStep): -1 | 0 | 1 {
  if (step.kind === "rest") return 0;
  if (step.kind === "charge") return 1;
  if (step.kind === "discharge") return -1;
  return step.mean_current_mA > 0 ? 1 : -1;
}

/**
 * The current with gaps closed: from the charge where that goes on, else as it was before; null where nothing is known.
 */
export function knownCurrent({ time_s, current_mA, charge_mAh }: Cycling): Float64Array | null {
  const known = Float64Array.from(current_mA);
  const first = known.findIndex(Number.isFinite);
  if (first < 0 && !charge_mAh.some((charge) => Number.isFinite(charge) && charge !== 0)) return null;
  for (let row = 0; row < known.length; row++) {
    if (Number.isFinite(known[row]!)) continue;
    const from = row === 0 ? 0 : row - 1;
    const to = row === 0 ? 1 : row;
    const derived = (SECONDS_PER_HOUR * (charge_mAh[to]! - charge_mAh[from]!)) / (time_s[to]! - time_s[from]!);
    const before = row > 0 ? known[row - 1]! : first >= 0 ? known[first]! : 0;
    known[row] = Number.isFinite(derived) ? derived : before;
  }
  return known;
}

function runsOfOneSign({ time_s }: Cycling, current_mA: Float64Array): Run[] {
  const limit_mA = restLimit_mA(time_s, current_mA);
  const runs: Run[] = [];
  for (let row = 0; row < current_mA.length; row++) {
    const value = current_mA[row]!;
    const sign = Math.abs(value) <= limit_mA ? 0 : value > 0 ? 1 : -1;
    const before = runs.at(-1);
    if (before !== undefined && before.sign === sign) before.last = row;
    else runs.push({ sign, first: row, last: row });
  }
  return withoutGlitches(time_s, current_mA, runs);
}

/** The current that parts rest from drive; infinite where the record is nothing but noise. */
function restLimit_mA(time_s: Float64Array, current_mA: Float64Array): number {
  const n = current_mA.length;
  const size = Float64Array.from(current_mA, Math.abs);
  const steady = Float64Array.from(size, (value, row) =>
    row === 0 || row === n - 1 ? value : median([size[row - 1]!, value, size[row + 1]!]),
  );
  const interval_s = Float64Array.from({ length: n }, (_, row) => (row === 0 ? 0 : time_s[row]! - time_s[row - 1]!));
  const usual_s = median(interval_s.filter((value) => value > 0));
  // Most of the charge passes at up to this current; a long gap in the record counts as ten usual intervals.
  const order = Array.from({ length: n }, (_, row) => row).sort((a, b) => steady[a]! - steady[b]!);
  const weight = (row: number): number => steady[row]! * Math.min(Math.max(interval_s[row]!, 0), 10 * usual_s || 1);
  const total = order.reduce((sum, row) => sum + weight(row), 0);
  let passed = 0;
  let typical_mA = 0;
  for (const row of order) {
    passed += weight(row);
    typical_mA = steady[row]!;
    if (passed >= 0.9 * total) break;
  }
  if (!(typical_mA > FLOOR_MA)) return Infinity;
  if (flipsLikeNoise(current_mA, typical_mA)) return Infinity;
  const resting: number[] = [];
  for (let row = 1; row < n; row++) {
    if (size[row]! < 0.05 * typical_mA && size[row - 1]! < 0.05 * typical_mA) {
      resting.push(current_mA[row]! - current_mA[row - 1]!);
    }
  }
  const noise_mA = resting.length < 8 ? 0 : madSigma(resting) / Math.SQRT2;
  return Math.max(FLOOR_MA, Math.min(Math.max(REST_SHARE * typical_mA, 4 * noise_mA), REST_SHARE_LIMIT * typical_mA));
}

/**
 * Whether currents of the size at which charge passes change sign at more than a quarter of the rows, as noise does at
 * half.
 */
function flipsLikeNoise(current_mA: Float64Array, typical_mA: number): boolean {
  let pairs = 0;
  let flips = 0;
  for (let row = 1; row < current_mA.length; row++) {
    const [before, now] = [current_mA[row - 1]!, current_mA[row]!];
    if (Math.min(Math.abs(before), Math.abs(now)) < 0.2 * typical_mA) continue;
    pairs++;
    if (before * now < 0) flips++;
  }
  return pairs > 8 && flips > 0.25 * pairs;
}

function withoutGlitches(time_s: Float64Array, current_mA: Float64Array, runs: readonly Run[]): Run[] {
  const usual_s = median(time_s.slice(1).map((now_s, row) => now_s - time_s[row]!));
  const kept: Run[] = [];
  for (const [index, run] of runs.entries()) {
    const before = kept.at(-1);
    const after = runs[index + 1];
    const single = run.first === run.last;
    if (before?.sign === run.sign) before.last = run.last;
    else if (before === undefined && after !== undefined && single && current_mA[0] === 0) {
      // A current derived from the charge is 0 in the first row of all.
      kept.push({ sign: after.sign, first: run.first, last: run.first });
    } else if (before !== undefined && after !== undefined && single) {
      // A row that stands for a long time, as where only the end of a rest was logged, is no glitch.
      if (time_s[after.first]! - time_s[before.last]! <= 5 * usual_s) before.last = run.last;
      else kept.push({ ...run });
    } else kept.push({ ...run });
  }
  return kept;
}

/** First row of the hold that ends a driven run; one past its last row where there is none. */
function holdStart({ potential_V }: Cycling, current_mA: Float64Array, run: Run): number {
  const none = run.last + 1;
  const rows = run.last - run.first + 1;
  if (rows < 5) return none;
  const held_V = median(potential_V.subarray(run.last - 4, run.last + 1));
  const tolerance_V = Math.min(
    0.01,
    Math.max(0.002, 4 * potentialNoise_V(potential_V.subarray(run.first, run.last + 1))),
  );
  const near = (row: number): boolean => Math.abs(potential_V[row]! - held_V) <= tolerance_V;
  let start = run.last;
  for (let row = run.last; row >= run.first; row--) {
    if (near(row)) start = row;
    else if (row < run.last && !near(row + 1)) break;
  }
  const size = (from: number, to: number): number => Math.abs(median(current_mA.subarray(from, to)));
  const imposed_mA = start > run.first ? size(Math.max(run.first, start - 5), start) : size(start, start + 1);
  // The potential comes near its limit a little before the current gives way.
  let last = start - 1;
  for (let row = start; row <= run.last; row++) if (Math.abs(current_mA[row]!) >= 0.97 * imposed_mA) last = row;
  const from = start === run.first ? start : last + 1;
  const held = run.last - from + 1;
  if (held < 3) return none;
  const third = Math.max(1, Math.floor(held / 3));
  const early_mA = size(from, from + third);
  const late_mA = size(run.last + 1 - third, run.last + 1);
  return late_mA < 0.9 * imposed_mA && late_mA < early_mA ? from : none;
}

/** Noise of one row's potential: what second differences scatter by (those of a smooth curve are near zero). */
function potentialNoise_V(potential_V: Float64Array): number {
  const bends: number[] = [];
  for (let row = 2; row < potential_V.length; row++) {
    bends.push(potential_V[row]! - 2 * potential_V[row - 1]! + potential_V[row - 2]!);
  }
  return bends.length < 8 ? 0 : madSigma(bends) / Math.sqrt(6);
}

function step(
  cycling: Cycling,
  current_mA: Float64Array,
  kind: CyclingStep["kind"],
  first: number,
  last: number,
): CyclingStep {
  const { time_s } = cycling;
  return {
    kind,
    first,
    last,
    start_s: time_s[first]!,
    end_s: time_s[last]!,
    charge_mAh: passedCharge_mAh(cycling, current_mA, first, last),
    mean_current_mA: meanOfRows_mA(cycling, current_mA, first, last),
  };
}

/**
 * Charge passed in rows first ... last. What passed before the first row's stamp since the row before counts
 * where it goes the same way: a row's charge is that at its stamp, and the step began between the two.
 */
function passedCharge_mAh(cycling: Cycling, current_mA: Float64Array, first: number, last: number): number {
  const { time_s, charge_mAh } = cycling;
  const passed_mAh = charge_mAh[last]! - charge_mAh[first]!;
  if (!Number.isFinite(passed_mAh)) return integral_mAs(time_s, current_mA, first, last) / SECONDS_PER_HOUR;
  const lead_mAh = first === 0 ? 0 : charge_mAh[first]! - charge_mAh[first - 1]!;
  return lead_mAh * current_mA[last]! > 0 ? passed_mAh + lead_mAh : passed_mAh;
}

/** Mean current in rows first ... last, by the charge between their stamps where that is known. */
function meanOfRows_mA({ time_s, charge_mAh }: Cycling, current_mA: Float64Array, first: number, last: number): number {
  const duration_s = time_s[last]! - time_s[first]!;
  if (!(duration_s > 0)) return current_mA[last]!;
  const passed_mAh = charge_mAh[last]! - charge_mAh[first]!;
  if (Number.isFinite(passed_mAh)) return (SECONDS_PER_HOUR * passed_mAh) / duration_s;
  return integral_mAs(time_s, current_mA, first, last) / duration_s;
}

function integral_mAs(time_s: Float64Array, current_mA: Float64Array, first: number, last: number): number {
  let sum = 0;
  for (let row = first + 1; row <= last; row++) {
    sum += 0.5 * (current_mA[row]! + current_mA[row - 1]!) * (time_s[row]! - time_s[row - 1]!);
  }
  return sum;
}
