/** From the columns that a reader found to a cycling record: charge, order in time, and what is odd about them. */
import type { CyclingFile, ProgrammeStep } from "../model/cycling.js";
import { agrees, chargeVerdict, checkCharge, type CountedColumn } from "./charge-check.js";
import { baseName } from "./text.js";

/** What a reader found in one file. Columns of one length. */
export interface FoundColumns {
  readonly name: string;
  readonly format: string;
  readonly start: string | null;
  readonly columns: readonly string[];
  readonly time_s: Float64Array;
  readonly potential_V: Float64Array;
  /** Null where the file has none. */
  readonly current_mA: Float64Array | null;
  /** The file's own running charge, positive current raising it; null where it has none. */
  readonly charge_mAh: Float64Array | null;
  /** True where the integral of the current is the better charge wherever the two do not go together. */
  readonly chargeYields?: boolean;
  /** What else the file counts of charge, energy and power: held against the current, and said where they differ. */
  readonly counted?: readonly CountedColumn[];
  /** True where nothing is driven, so that a missing current is 0. */
  readonly rest: boolean;
  readonly cycles: number | null;
  readonly settings?: ProgrammeStep;
  readonly programme?: readonly ProgrammeStep[];
  readonly warnings: readonly string[];
}

/** No cell has more, nor a pack of cells that a cycler drives. */
const HIGHEST_V = 1000;

/**
 * A record from what was found: a missing current is 0 where the cell rests and NaN elsewhere; a missing charge is
 * the trapezoid integral of the current from the first row; rows are brought into the order of time. Charge that the
 * file counts is held against its current, and time against what a run can last; numbers are never changed for it.
 */
export function cyclingRecord(found: FoundColumns): CyclingFile {
  const warnings = [...found.warnings];
  const rows = found.time_s.length;
  const say = (sentence: string): void => void warnings.push(`${baseName(found.name)}: ${sentence}`);
  let current_mA = found.current_mA;
  if (current_mA === null) {
    current_mA = new Float64Array(rows).fill(found.rest ? 0 : NaN);
    if (!found.rest && rows > 0) say("the file has no column of current: it is unknown, and so is the charge.");
  }
  const { time_s, sort } = inOrderOfTime(found.time_s, say);
  const current = sort(current_mA);
  const potential_V = sort(found.potential_V);
  const charge_mAh = chargeOf(found, { time_s, potential_V, current_mA: current }, sort, say);
  const standing = time_s.reduce((count, time, row) => count + (row > 0 && time === time_s[row - 1]! ? 1 : 0), 0);
  if (standing > 10 && standing > 0.1 * rows) {
    say(`${standing} of ${rows} rows have the time of the row before: its clock is coarse, or rows are doubled.`);
  }
  const highest_V = potential_V.reduce((most, value) => Math.max(most, Math.abs(value) || 0), 0);
  if (highest_V > HIGHEST_V) {
    say(`its potential reaches ${Number(highest_V.toPrecision(5))} V: check the unit, as where mV were written for V.`);
  }
  const span_s = rows < 2 ? 0 : time_s[rows - 1]! - time_s[0]!;
  if (span_s > 4 * 365.25 * 86400) {
    const years = span_s / (365.25 * 86400);
    const step_s = medianStep(time_s);
    say(
      `the record spans ${years.toPrecision(3)} years with a row every ${step_s.toPrecision(4)} s; ` +
        "check the unit of its time column (taken as hours, a column of seconds is 3600 times too long).",
    );
  }
  return {
    name: found.name,
    format: found.format,
    start: found.start,
    columns: found.columns,
    cycles: found.cycles,
    time_s,
    potential_V,
    current_mA: current,
    charge_mAh,
    ...(found.settings === undefined ? {} : { settings: found.settings }),
    ...(found.programme === undefined ? {} : { programme: found.programme }),
    warnings,
  };
}

/** The file's running charge, or the integral of the current; says where what the file counts is not the current's. */
function chargeOf(
  found: FoundColumns,
  measured: { time_s: Float64Array; potential_V: Float64Array; current_mA: Float64Array },
  sort: (column: Float64Array) => Float64Array,
  say: (sentence: string) => void,
): Float64Array {
  const counted = (found.counted ?? []).map((column) => ({ ...column, values: sort(column.values) }));
  const own = found.charge_mAh === null ? null : sort(found.charge_mAh);
  if (own !== null && found.current_mA !== null) {
    counted.push({ name: "the charge of the file", kind: "running charge", values: own });
  }
  checkCharge(measured, counted, say);
  const verdict = own === null ? null : chargeVerdict(measured, own);
  const yields = found.chargeYields === true && verdict !== null && !agrees(verdict);
  if (yields) say("its running charge does not go with its current: the integral of the current was taken.");
  return own === null || yields ? integrateCurrent(measured.time_s, measured.current_mA) : own;
}

/**
 * Charge passed since the first row: the trapezoid integral of the current over time, in mAh.
 * A row without a current passes nothing; where no row has one the charge is NaN.
 */
export function integrateCurrent(time_s: Float64Array, current_mA: Float64Array): Float64Array {
  const charge_mAh = new Float64Array(time_s.length);
  if (current_mA.every(Number.isNaN)) return charge_mAh.fill(NaN);
  for (let row = 1; row < time_s.length; row++) {
    const mean_mA = 0.5 * (current_mA[row - 1]! + current_mA[row]!);
    const passed_mAh = (mean_mA * (time_s[row]! - time_s[row - 1]!)) / 3600;
    charge_mAh[row] = charge_mAh[row - 1]! + (Number.isNaN(passed_mAh) ? 0 : passed_mAh);
  }
  return charge_mAh;
}

/** The sum of a column up to each row; null for null. */
export function runningSum(column: Float64Array | null): Float64Array | null {
  if (column === null) return null;
  let sum = 0;
  return column.map((value) => (sum += value));
}

/** What a column gained since the row before; 0 in the first row. */
export function differences(column: Float64Array): Float64Array {
  return column.map((value, row) => (row === 0 ? 0 : value - column[row - 1]!));
}

/**
 * Mean current since the row before, mA: 3600 dq / dt with dq in mAh and t in s.
 * 0 in the first row; where no time passed the current of the row before stays.
 */
export function currentFromCharge(time_s: Float64Array, dq_mAh: Float64Array): Float64Array {
  const current_mA = new Float64Array(time_s.length);
  for (let row = 1; row < time_s.length; row++) {
    const dt_s = time_s[row]! - time_s[row - 1]!;
    current_mA[row] = dt_s > 0 ? (3600 * dq_mAh[row]!) / dt_s : current_mA[row - 1]!;
  }
  return current_mA;
}

/** Median of the steps between rows; NaN where there are none. */
export function medianStep(time_s: Float64Array): number {
  const steps = Float64Array.from({ length: Math.max(0, time_s.length - 1) }, (_, at) => time_s[at + 1]! - time_s[at]!);
  return steps.sort()[steps.length >> 1] ?? NaN;
}

/** How many rows step back in time. */
export function stepsBack(time_s: Float64Array): number {
  let count = 0;
  for (let row = 1; row < time_s.length; row++) if (time_s[row]! < time_s[row - 1]!) count++;
  return count;
}

interface Ordered {
  readonly time_s: Float64Array;
  /** A column in the same order. */
  sort(column: Float64Array): Float64Array;
}

/**
 * Rows in the order of time. Where each stretch begins near 0 anew, the record was made of several: they are laid end
 * to end. Else the rows were written out of order and are sorted.
 */
function inOrderOfTime(time_s: Float64Array, say: (sentence: string) => void): Ordered {
  const back = stepsBack(time_s);
  if (back === 0) return { time_s, sort: (column) => column };
  const step_s = Math.abs(medianStep(time_s));
  let restarts = true;
  let end_s = -Infinity;
  for (let row = 0; row < time_s.length && restarts; row++) {
    const time = time_s[row]!;
    if (row > 0 && time < time_s[row - 1]!) {
      restarts = time <= 2 * step_s + 0.02 * end_s;
      end_s = -Infinity;
    }
    end_s = Math.max(end_s, time);
  }
  if (restarts) {
    say(`time begins anew ${back} times: the stretches are laid end to end, pauses between them are not known.`);
    let shift_s = 0;
    const laid = time_s.map((time, row) => {
      if (row > 0 && time < time_s[row - 1]!) shift_s += time_s[row - 1]!;
      return time + shift_s;
    });
    return { time_s: laid, sort: (column) => column };
  }
  const order = Uint32Array.from(time_s, (_, row) => row).sort((a, b) => time_s[a]! - time_s[b]! || a - b);
  const sort = (column: Float64Array): Float64Array => Float64Array.from(order, (row) => column[row]!);
  say(`rows are not in the order of time (${back} steps back): they were sorted by time.`);
  return { time_s: sort(time_s), sort };
}

/** How many different values a column has. */
export function countDistinct(column: Float64Array): number {
  return new Set(column).size;
}

/**
 * Cycles done: half the half cycles where the file counts those, else its cycles; null where it counts neither.
 * Numbers that are passed over are no cycles, and are said.
 */
export function cyclesOf(
  halfCycle: Float64Array | null,
  cycle: Float64Array | null,
  say: (sentence: string) => void,
): number | null {
  const column = halfCycle ?? cycle;
  if (column === null) return null;
  const numbers = new Set(column);
  const count = numbers.size;
  let [least, most] = [Infinity, -Infinity];
  for (const number of numbers) [least, most] = [Math.min(least, number), Math.max(most, number)];
  const what = halfCycle === null ? "cycles" : "half cycles";
  // EC-Lab passes over number 1 where a run begins at rest.
  const missing = most - least + 1 - count - (least === 0 && !numbers.has(1) && halfCycle !== null ? 1 : 0);
  if (missing > 0 && count > 1) {
    say(`its ${what} are numbered ${least} to ${most}, but ${count} of these numbers occur: those are counted.`);
  }
  return halfCycle === null ? count : count / 2;
}
