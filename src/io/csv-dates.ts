/** Dates in a table of text: what they say of its start, and whether its column of time agrees. */
import { civilText, clockZero, fromOleDays, fromUnixTime, later, readCivilTime, type CivilTime } from "./civil-time.js";
import type { CsvLayout } from "./csv-layout.js";
import { numberOf } from "./text.js";

/**
 * A date as text, as OLE days, or as time since 1970 in seconds, milliseconds, microseconds, tenths of them (Arbin) or
 * nanoseconds, told by its size; null where it is none of them.
 */
export function dateOf(
  cell: string | undefined,
  { dates, comma }: Pick<CsvLayout, "dates" | "comma">,
): CivilTime | null {
  const value = numberOf(cell, comma);
  if (Number.isNaN(value)) return readCivilTime(cell ?? "", dates);
  for (const [least, most, second] of epochs) if (value > least && value <= most) return fromUnixTime(value / second);
  return value > 20000 && value < 80000 ? fromOleDays(value) : null;
}

// Sizes that a time since 1970 has in the years 1973 to 2120, and how many of its units make a second.
const epochs: readonly (readonly [least: number, most: number, second: number])[] = [
  [1e8, 1e11, 1],
  [1e11, 1e14, 1e3],
  [1e14, 5e15, 1e6],
  [5e15, 5e16, 1e7],
  [9e17, 5e18, 1e9],
];

/** Clocks of no cycler were set before. */
const EARLIEST_MS = Date.UTC(1980, 0, 1);

/** The step of the last digit that a date shows, in seconds. */
function dateStep(cell: string): number {
  const days = /^\s*\d{5}(?:[.,](\d*))?\s*$/.exec(cell);
  if (days !== null) return Number((86400 / 10 ** (days[1]?.length ?? 0)).toPrecision(3));
  if (/\d[.,]\d+\D*$/.test(cell) || Number(cell) > 1e14) return 0.001;
  return /:\d{2}:\d{2}|^\s*\d{9,13}\s*$/.test(cell) ? 1 : 60;
}

/** The first and the last row of a table: their cells and their times. */
export interface Ends {
  readonly firstCells: readonly string[];
  readonly lastCells: readonly string[];
  readonly first_s: number;
  readonly last_s: number;
}

/**
 * When a table's time is 0: from the date of its first row, else from a line "start: ..." above the heads.
 * Null where neither is there, or where the dates are coarser than two minutes.
 */
export function startOf(ends: Ends | null, layout: CsvLayout, say: (sentence: string) => void): string | null {
  const at = layout.roles.date?.at;
  const date = at === undefined || ends === null ? null : dateOf(ends.firstCells[at], layout);
  if (date !== null && date.ms < EARLIEST_MS) {
    say(
      `its dates begin in ${new Date(date.ms).getUTCFullYear()}, as of a clock that was not set: the start is unknown.`,
    );
  } else if (at !== undefined && ends !== null && date !== null) {
    const step_s = Math.min(dateStep(ends.firstCells[at]!), dateStep(ends.lastCells[at] ?? ""));
    if (step_s < 120) {
      const start = civilText(clockZero(date, ends.first_s, step_s >= 1));
      if (step_s <= 1) return start;
      say(`its dates show no seconds: the start is known to ${step_s} s.`);
      return start.slice(0, 16) + date.zone;
    }
    say(`its dates are given in steps of ${step_s} s, too coarse for a start time.`);
  }
  const time = at === undefined || ends === null ? NaN : timeOfDay(ends.firstCells[at]);
  if (!Number.isNaN(time)) {
    const start = testDate(layout, time - ends!.first_s);
    if (start !== null) {
      say("its rows have a time of day alone: the start is that on the date of test.");
      return start;
    }
  }
  for (const line of layout.preamble) {
    const match =
      /\bstart(?:ed|\s*time)?(?:\s+(?:of test|on|at))?\s*[:=;,\t]+\s*(.+?)[\s;,"]*$/i.exec(line) ??
      /\bdate of test\s*[:,;\t]+\s*(.+?)[\s;,"]*$/i.exec(line);
    const start = match === null ? null : readCivilTime(match[1]!, layout.dates);
    if (start !== null) return civilText(start);
  }
  return null;
}

/** "16:05:31" in seconds of the day; NaN where there is a date too, or none. */
function timeOfDay(cell: string | undefined): number {
  const match = /^\s*(\d{1,2}):(\d{2}):(\d{2}(?:\.\d+)?)\s*$/.exec(cell ?? "");
  return match === null ? NaN : 3600 * Number(match[1]) + 60 * Number(match[2]) + Number(match[3]);
}

/** The moment so many seconds after midnight of a day "Date of Test" above the heads; null where there is none. */
function testDate({ preamble, dates }: CsvLayout, seconds: number): string | null {
  for (const line of preamble) {
    const day = /\bdate of test\s*[:,;\t]+\s*(\d{1,4}[-/.]\w{1,3}[-/.]\d{1,4})/i.exec(line)?.[1];
    const midnight = day === undefined ? null : readCivilTime(`${day} 0:00:00`, dates);
    if (midnight !== null) return civilText(later(midnight, ((seconds % 86400) + 86400) % 86400));
  }
  return null;
}

const timeUnits: readonly (readonly [name: string, factor: number])[] = [
  ["minutes", 60],
  ["hours", 3600],
  ["days", 86400],
  ["milliseconds", 1e-3],
];

/**
 * The factor from a table's column of time to seconds that its dates tell: 1 where they go together. Where the head
 * names no unit, dates that span 60, 3600, 86400 or 1/1000 times as much, to 1 %, tell the unit; else the difference
 * is said and the factor is 1.
 */
export function timeFactor(ends: Ends | null, layout: CsvLayout, say: (sentence: string) => void): number {
  const { time, date } = layout.roles;
  if (date === null || time === null || ends === null) return 1;
  const first = dateOf(ends.firstCells[date.at], layout);
  const last = dateOf(ends.lastCells[date.at], layout);
  if (first === null || last === null) return 1;
  const dated_s = (last.ms - first.ms) / 1000;
  const counted_s = ends.last_s - ends.first_s;
  const step_s = Math.max(dateStep(ends.firstCells[date.at]!), dateStep(ends.lastCells[date.at]!));
  if (Math.abs(dated_s - counted_s) <= Math.max(5, 2 * step_s, 0.02 * dated_s)) return 1;
  const unit = timeUnits.find(([, factor]) => Math.abs(dated_s - factor * counted_s) < 0.01 * dated_s);
  const isClock = ends.lastCells[time.at]?.includes(":") === true;
  if (!time.unitStated && !isClock && unit !== undefined && dated_s > 200 * step_s) {
    say(`the column ${layout.heads[time.at]} names no unit: ${unit[0]}, as its dates tell.`);
    return unit[1];
  }
  say(
    `its dates span ${dated_s} s but its column of time ${Number(counted_s.toPrecision(7))} s: ` +
      "check the unit of time, or whether the test was paused.",
  );
  return 1;
}
