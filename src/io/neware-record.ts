/** From the rows of a Neware file to a cycling record: rows in order, times on the wall clock, charge running on. */
import type { CyclingFile, ProgrammeStep } from "../model/cycling.js";
import { civilText, type CivilTime } from "./civil-time.js";
import { cyclingRecord } from "./cycling-record.js";
import { rowClock, zoneOffset_s } from "./neware-clock.js";
import { baseName } from "./text.js";

/** Columns of a row, in the names and units of the vendor's export. */
export const newareColumns = [
  "Index",
  "Cycle Index",
  "Step Index",
  "Step Type",
  "Time(s)",
  "Voltage(V)",
  "Current(mA)",
  "Chg. Cap.(mAh)",
  "DChg. Cap.(mAh)",
  "Chg. Energy(mWh)",
  "DChg. Energy(mWh)",
  "Date",
];

/** Columns of one length, as read. */
export interface NewareRows {
  /** The file's own number of each row. */
  readonly index: Float64Array;
  /** A number that changes with the step; 0 for unknown. */
  readonly step: Float64Array;
  /** As the file counts; null where it does not. */
  readonly cycle: Float64Array | null;
  /** Date stamp in seconds since 1970; NaN for none. */
  readonly stamp_s: Float64Array;
  readonly elapsed_s: Float64Array;
  readonly potential_V: Float64Array;
  readonly current_mA: Float64Array;
  /** Charge passed within the step, charging positive. */
  readonly stepCharge_mAh: Float64Array;
}

/** What holds for all rows of a file. */
export interface NewareFacts {
  readonly name: string;
  readonly format: "neware-nda" | "neware-ndax";
  readonly columns: readonly string[];
  readonly resolution_s: number;
  readonly elapsed: "step" | "test";
  /** "utc" for stamps that count from 1970 in UTC, "civil" for a wall clock's date and time. */
  readonly clock: "utc" | "civil";
  /** Civil time at which the test was started, as its header says. */
  readonly started: CivilTime | null;
  /** Cycles, where they are not counted in the rows. */
  readonly cycles?: number | null;
  readonly settings: ProgrammeStep;
  readonly programme?: readonly ProgrammeStep[];
  readonly warnings: readonly string[];
}

/**
 * The record of a file's rows. Rows are brought into the order of their numbers, repeated ones left out. `time_s`
 * counts on the wall clock from the first row. `charge_mAh` adds up the charge of the steps from the first row; where
 * the file has none though current flows it is the integral of the current. `start` is the first row's civil
 * time, with a zone where the stamps are UTC (the computer's, where its header tells its clock, else "Z").
 */
export function newareRecord(found: NewareRows, facts: NewareFacts): CyclingFile {
  const warnings = [...facts.warnings];
  const say = (sentence: string): void => void warnings.push(`${baseName(facts.name)}: ${sentence}`);
  const rows = inOrderOfIndex(found, say);
  const count = rows.index.length;
  const { elapsed_s, step, stamp_s } = rows;
  const { cycle } = rows;
  const begins = (row: number): boolean => {
    if (row === 0) return false;
    if (step[row] !== step[row - 1]) return true;
    if (facts.elapsed === "step") return elapsed_s[row]! < elapsed_s[row - 1]!;
    return cycle !== null && cycle[row] !== cycle[row - 1];
  };
  const clock = rowClock({
    stamp_s,
    resolution_s: facts.resolution_s,
    elapsed_s,
    elapsed: facts.elapsed,
    begins,
  });
  if (clock.pauses > 0) {
    const times = clock.pauses === 1 ? "once" : `${clock.pauses} times`;
    say(`the test stood still within a step ${times}, ${clock.paused_s.toFixed(0)} s in all, which time_s counts.`);
  }
  if (clock.setBack_s > 2) {
    say(`the clock was set back by ${clock.setBack_s.toFixed(0)} s; time_s goes on through that.`);
  }
  if (count === 0) say("the test recorded no row.");
  else if (Number.isNaN(clock.zero_s)) say("no row has a date: when it began is unknown.");
  const record = cyclingRecord({
    name: facts.name,
    format: facts.format,
    start: startOf(clock.zero_s, facts),
    columns: facts.columns,
    time_s: clock.time_s,
    potential_V: rows.potential_V,
    current_mA: rows.current_mA,
    charge_mAh: runningCharge(rows, begins),
    rest: false,
    cycles: rows.cycle === null ? (facts.cycles ?? null) : countCycles(rows.cycle),
    warnings,
  });
  return {
    ...record,
    settings: facts.settings,
    ...(facts.programme === undefined ? {} : { programme: facts.programme }),
  };
}

/** Cycles from the first to the last that is counted (a count may skip some); null for none. */
export function countCycles(cycles: ArrayLike<number>): number | null {
  let [first, last] = [Infinity, -Infinity];
  for (let at = 0; at < cycles.length; at++) {
    first = Math.min(first, cycles[at]!);
    last = Math.max(last, cycles[at]!);
  }
  return cycles.length === 0 ? null : last - first + 1;
}

function startOf(zero_s: number, { clock, started }: NewareFacts): string | null {
  if (Number.isNaN(zero_s)) return started === null ? null : civilText(started);
  const ms = Math.round(zero_s * 1000);
  if (clock === "civil") return civilText({ ms, zone: "" });
  const east_s = started === null ? null : zoneOffset_s(zero_s, started.ms / 1000);
  if (east_s === null) return civilText({ ms, zone: "Z" });
  const minutes = Math.abs(east_s) / 60;
  const pair = (value: number): string => String(value).padStart(2, "0");
  const zone = `${east_s < 0 ? "-" : "+"}${pair(Math.floor(minutes / 60))}:${pair(minutes % 60)}`;
  return civilText({ ms: ms + 1000 * east_s, zone });
}

/** Null where the file counts no charge though current flows. */
function runningCharge(
  { stepCharge_mAh, current_mA }: NewareRows,
  begins: (row: number) => boolean,
): Float64Array | null {
  const flows = current_mA.some((current) => current !== 0);
  if (flows && stepCharge_mAh.every((charge) => charge === 0)) return null;
  const charge_mAh = new Float64Array(stepCharge_mAh.length);
  let before_mAh = 0;
  let inStep_mAh = 0;
  for (let row = 0; row < charge_mAh.length; row++) {
    if (begins(row)) {
      before_mAh += inStep_mAh;
      inStep_mAh = 0;
    }
    if (Number.isFinite(stepCharge_mAh[row]!)) inStep_mAh = stepCharge_mAh[row]!;
    if (row === 0) before_mAh = -inStep_mAh;
    // Adding 0 makes a negative zero none.
    charge_mAh[row] = before_mAh + inStep_mAh + 0;
  }
  return charge_mAh;
}

function inOrderOfIndex(rows: NewareRows, say: (sentence: string) => void): NewareRows {
  const { index } = rows;
  let rising = true;
  for (let row = 1; row < index.length && rising; row++) rising = index[row]! > index[row - 1]!;
  if (rising) return rows;
  const sorted = Uint32Array.from(index, (_, row) => row).sort((a, b) => index[a]! - index[b]! || a - b);
  const order = sorted.filter((row, at) => at === 0 || index[row] !== index[sorted[at - 1]!]);
  const left = index.length - order.length;
  say(
    left === 0
      ? "rows do not stand in the order of their numbers: they were sorted."
      : `${left} ${left === 1 ? "row repeats" : "rows repeat"} the number of another and ${left === 1 ? "is" : "are"} left out.`,
  );
  const sort = (column: Float64Array): Float64Array => Float64Array.from(order, (row) => column[row]!);
  return {
    index: sort(index),
    step: sort(rows.step),
    cycle: rows.cycle === null ? null : sort(rows.cycle),
    stamp_s: sort(rows.stamp_s),
    elapsed_s: sort(rows.elapsed_s),
    potential_V: sort(rows.potential_V),
    current_mA: sort(rows.current_mA),
    stepCharge_mAh: sort(rows.stepCharge_mAh),
  };
}
