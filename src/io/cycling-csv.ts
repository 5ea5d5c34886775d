/** A cycler's record as a table of text: comma, semicolon, tab or bar between cells, heads that name quantity and unit. */
import { parse } from "csv-parse/sync";
import type { CyclingFile } from "../model/cycling.js";
import { FormatError } from "../model/errors.js";
import { readBytes, type ByteSource } from "./bytes.js";
import {
  civilText,
  clockZero,
  dateOrder,
  fromOleDays,
  fromUnixTime,
  readCivilTime,
  type CivilTime,
  type DateOrder,
} from "./civil-time.js";
import { castColumns, stateSign, type Role, type Roles } from "./csv-roles.js";
import { countDistinct, cyclingRecord, integrateCurrent, stepsBack } from "./cycling-record.js";
import { judgeBroken, numberTable, warningsOf, type NumberTable, type WantedColumn } from "./number-table.js";
import {
  clockSeconds,
  hasDecimalComma,
  headLines,
  looksLikeText,
  numberOf,
  sniffEncoding,
  textLines,
  type Encoding,
} from "./text.js";

const HEAD_BYTES = 1 << 18;
const TAIL_BYTES = 1 << 12;
const delimiters = ["\t", ";", ",", "|"] as const;

/** Whether a file may be a table of text: any text that is no XML and no JSON, and an empty file. */
export function sniffCyclingCsv(head: Uint8Array, source: ByteSource): boolean {
  if (source.size === 0) return true;
  if (!looksLikeText(head)) return false;
  const first = headLines(head.subarray(0, 4096)).join("").trimStart();
  return !/^[<{]|^\[\s*[[{"\d]/.test(first);
}

/**
 * Reads a table of text as `format`.
 *
 * The row of heads is the first that names a potential and a time or a date; what stands above is searched for a
 * start. Time may be seconds, minutes, hours or hh:mm:ss; without it the dates are counted from the first. `start`
 * comes from the dates, else from a line "start: ..." above the heads. An unsigned current takes its sign from a column
 * of states. `charge_mAh` is the file's running charge where it has one that runs with the current, else the integral
 * of the current. Rows without finite time, potential and current are dropped with a warning, and refused where they
 * are many. Odd units are told from charge against current, and from time against dates.
 *
 * Throws FormatError for an empty file, and for a table without time or potential: it names the columns found.
 */
export async function readCyclingCsv(source: ByteSource, format = "csv"): Promise<CyclingFile> {
  if (source.size === 0) throw new FormatError(`${source.name}: the file is empty (0 bytes).`, { path: source.name });
  const { warnings, say } = warningsOf(source.name);
  const head = await readBytes(source, 0, HEAD_BYTES);
  const encoding = sniffEncoding(head);
  const layout = findLayout(source.name, headLines(head), await tailLines(source, encoding));
  const { heads, roles } = layout;
  if (roles.current?.unitStated === false) say(`the column ${heads[roles.current.at]} names no unit: A was taken.`);
  if (roles.date !== null && !layout.datesCertain) {
    say(`its dates were read as ${layout.dates === "month-first" ? "month/day/year" : "day/month/year"}.`);
  }

  let read = await readRows(source, encoding, layout, roles.time ?? "date", say);
  if (roles.time !== null && roles.date !== null && stepsBack(read.column(roles.time)!) > 0) {
    const byDate = await readRows(source, encoding, layout, "date", () => undefined);
    if (byDate.table.rows === read.table.rows && stepsBack(byDate.column("date")!) === 0) {
      say(`the column ${heads[roles.time.at]} begins anew: time was taken from ${heads[roles.date.at]}.`);
      read = byDate;
    }
  }
  judgeBroken(source.name, read.table, heads, say);

  const time_s = read.column("date") ?? read.column(roles.time)!;
  const potential_V = read.column(roles.potential)!;
  const current_mA = signedCurrent(read.column(roles.current), read.column(roles.state), say);
  compareCurrents(current_mA, read.column(roles.secondCurrent), roles, heads, say);
  compareDates(read, time_s, layout, say);
  const halfCycle = read.column(roles.halfCycle);
  const cycle = read.column(roles.cycle);
  return cyclingRecord({
    name: source.name,
    format,
    start: startOf(read, time_s, layout, say),
    columns: heads,
    time_s,
    potential_V,
    current_mA,
    charge_mAh: runningCharge(read, time_s, current_mA, roles, say),
    rest: false,
    cycles: halfCycle !== null ? countDistinct(halfCycle) / 2 : cycle !== null ? countDistinct(cycle) : null,
    warnings,
  });
}

interface Layout {
  readonly delimiter: string;
  /** Line of the heads, from 0. */
  readonly headLine: number;
  /** First line of numbers, from 0. */
  readonly firstLine: number;
  readonly heads: readonly string[];
  readonly roles: Roles;
  readonly comma: boolean;
  readonly dates: DateOrder;
  readonly datesCertain: boolean;
  /** Heads in layers lead with empty cells: only rows that do so too are records. */
  readonly leading: number;
  readonly preamble: readonly string[];
}

function findLayout(name: string, lines: readonly string[], tail: readonly string[]): Layout {
  for (const [headLine, line] of lines.entries()) {
    let best: { delimiter: string; heads: string[] } | null = null;
    for (const delimiter of delimiters) {
      const heads = splitLines([line], delimiter)[0]!.map((cell) => cell.trim());
      const roles = castColumns(heads);
      if (roles.potential === null || (roles.time ?? roles.date) === null) continue;
      if (best === null || heads.length > best.heads.length) best = { delimiter, heads };
    }
    if (best === null) continue;
    const { delimiter, heads } = best;
    while (heads.at(-1) === "") heads.pop();
    const below = splitLines(lines.slice(headLine + 1, headLine + 60), delimiter);
    const units = isUnitRow(below[0]) ? below[0]! : null;
    const roles = castColumns(heads, units);
    const sample = [...below.slice(units === null ? 0 : 1), ...splitLines(tail, delimiter)];
    const preamble = lines.slice(0, headLine);
    const dated = sample.map((cells) => cells[roles.date?.at ?? -1] ?? "");
    const { order, certain } = dateOrder([...dated, ...preamble.map(afterColon)]);
    return {
      delimiter,
      headLine,
      firstLine: headLine + (units === null ? 1 : 2),
      heads,
      roles,
      comma: delimiter !== "," && hasDecimalComma(sample.flat()),
      dates: order,
      datesCertain: certain,
      leading: heads.findIndex((cell) => cell !== ""),
      preamble,
    };
  }
  const found = likelyHeads(lines);
  throw new FormatError(
    found === null
      ? `${name}: no row of column names was found. Wanted are at least a time and a potential, such as time_s,potential_V,current_mA.`
      : `${name}: its columns are ${found.join(", ")}; wanted are at least a time (time_s, Test Time / s, Total Time) and a potential (potential_V, Voltage / V, Ewe/V). Rename them or export them too.`,
    { path: name },
  );
}

/** The row that looks most like heads: the most words, with rows of as many cells and numbers below. */
function likelyHeads(lines: readonly string[]): string[] | null {
  let best: string[] | null = null;
  for (const [at, line] of lines.entries()) {
    for (const delimiter of delimiters) {
      if (!line.includes(delimiter)) continue;
      const [cells, ...below] = splitLines(lines.slice(at, at + 3), delimiter);
      const numbers = (row: readonly string[]): number =>
        row.filter((cell) => !Number.isNaN(numberOf(cell, delimiter !== ","))).length;
      const heads = cells!.map((cell) => cell.trim()).filter((cell) => cell !== "");
      if (heads.length < 2 || heads.length <= (best?.length ?? 0) || numbers(cells!) > 0 || below.length === 0)
        continue;
      if (below.every((row) => row.length >= heads.length && numbers(row) > 0)) best = heads;
    }
  }
  return best;
}

function isUnitRow(cells: readonly string[] | undefined): boolean {
  const filled = (cells ?? []).map((cell) => cell.trim().replace(/^[([]|[)\]]$/g, "")).filter((cell) => cell !== "");
  return (
    filled.length > 1 &&
    filled.every((cell) => /^[a-zµ°%#][\w.µ°/·-]*$/i.test(cell)) &&
    filled.some((cell) => /^m?s$|^m?V$|^[mµu]?A$/.test(cell))
  );
}

function afterColon(line: string): string {
  return line.replace(/^[^\d]*?[:=;,\t]\s*/, "");
}

/** Cells of lines; quotes are left to csv-parse, which is slower than a plain split. */
function splitLines(lines: readonly string[], delimiter: string): string[][] {
  if (!lines.some((line) => line.includes('"'))) return lines.map((line) => line.split(delimiter));
  return parse(lines.join("\n"), { delimiter, relax_quotes: true, relax_column_count: true });
}

async function tailLines(source: ByteSource, encoding: Encoding): Promise<string[]> {
  const from = Math.max(0, source.size - TAIL_BYTES) & ~1;
  const bytes = await readBytes(source, from, source.size - from);
  return new TextDecoder(encoding)
    .decode(bytes)
    .split(/\r\n|\n|\r/)
    .slice(1, -1);
}

interface Rows {
  readonly table: NumberTable;
  /** Cells of the first and the last row kept. */
  readonly firstCells: readonly string[];
  readonly lastCells: readonly string[];
  /** The column of a role; null where the role is null or was not read. */
  column(role: Role | "date" | null): Float64Array | null;
}

async function readRows(
  source: ByteSource,
  encoding: Encoding,
  layout: Layout,
  clock: Role | "date",
  say: (sentence: string) => void,
): Promise<Rows> {
  const { roles, comma, delimiter, headLine, firstLine, heads, leading } = layout;
  const number = (factor: number) => (cell: string | undefined) => factor * numberOf(cell, comma);
  const wanted: (WantedColumn & { role: Role | "date" })[] = [
    clock === "date"
      ? { role: "date", at: roles.date!.at, read: secondsOfDates(layout), needed: true }
      : { role: clock, at: clock.at, read: secondsOf(clock, comma), needed: true },
  ];
  const add = (role: Role | null, needed: boolean, read?: WantedColumn["read"]): void => {
    if (role !== null) wanted.push({ role, at: role.at, needed, read: read ?? number(role.factor) });
  };
  add(roles.potential, true);
  add(roles.current, true);
  for (const role of [
    roles.secondCurrent,
    roles.charge,
    roles.chargeIn,
    roles.chargeOut,
    roles.cycle,
    roles.halfCycle,
  ]) {
    add(role, false);
  }
  add(roles.state, false, stateSign);
  const table = numberTable(wanted);
  const width = Math.max(...wanted.filter(({ needed }) => needed).map(({ at }) => at)) + 1;

  let line = 0;
  let headText = "";
  let firstCells: readonly string[] = [];
  let lastCells: readonly string[] = [];
  for await (const batch of textLines(source, encoding)) {
    const cellsOf = splitLines(batch.lines, delimiter);
    for (const [index, cells] of cellsOf.entries()) {
      line++;
      if (line - 1 < firstLine) {
        if (line - 1 === headLine) headText = batch.lines[index] ?? "";
        continue;
      }
      if (cells.length === 1 && cells[0]!.trim() === "") continue;
      if (cells[0]!.startsWith("#") || batch.lines[index] === headText) continue;
      if (leading > 0 && cells.slice(0, leading).some((cell) => cell.trim() !== "")) continue;
      const last = !batch.ended && index === cellsOf.length - 1;
      if (last && cells.length < Math.max(width, Math.min(heads.length, firstCells.length))) {
        say(`the file was cut in line ${line}: that row is dropped, and what followed is lost.`);
        continue;
      }
      if (!table.add(cells, line)) continue;
      if (table.rows === 1) firstCells = cells;
      lastCells = cells;
    }
  }
  const columns = table.columns();
  return {
    table,
    firstCells,
    lastCells,
    column(role) {
      const index = wanted.findIndex((each) => each.role === role);
      return role === null || index < 0 ? null : columns[index]!;
    },
  };
}

function secondsOf({ factor }: Role, comma: boolean): WantedColumn["read"] {
  return (cell) => (cell?.includes(":") === true ? clockSeconds(cell) : factor * numberOf(cell, comma));
}

function secondsOfDates(layout: Layout): WantedColumn["read"] {
  let first_ms = NaN;
  return (cell) => {
    const ms = dateOf(cell, layout)?.ms ?? NaN;
    if (Number.isNaN(first_ms)) first_ms = ms;
    return (ms - first_ms) / 1000;
  };
}

/** A date as text, as Unix seconds or milliseconds, or as OLE days; null where it is none of them. */
function dateOf(cell: string | undefined, { dates, comma }: Pick<Layout, "dates" | "comma">): CivilTime | null {
  const value = numberOf(cell, comma);
  if (Number.isNaN(value)) return readCivilTime(cell ?? "", dates);
  if (value > 1e11) return fromUnixTime(value / 1000);
  if (value > 1e8) return fromUnixTime(value);
  return value > 20000 && value < 80000 ? fromOleDays(value) : null;
}

/** The step of the last digit that a date shows, in seconds. */
function dateStep(cell: string): number {
  const days = /^\s*\d{5}(?:[.,](\d*))?\s*$/.exec(cell);
  if (days !== null) return Number((86400 / 10 ** (days[1]?.length ?? 0)).toPrecision(3));
  if (/\d[.,]\d+\D*$/.test(cell)) return 0.001;
  return /:\d{2}:\d{2}|^\s*\d{9,13}\s*$/.test(cell) ? 1 : 60;
}

function startOf(rows: Rows, time_s: Float64Array, layout: Layout, say: (sentence: string) => void): string | null {
  const at = layout.roles.date?.at;
  const date = at === undefined || time_s.length === 0 ? null : dateOf(rows.firstCells[at], layout);
  if (at !== undefined && date !== null) {
    const step_s = Math.min(dateStep(rows.firstCells[at]!), dateStep(rows.lastCells[at]!));
    if (step_s < 120) {
      if (step_s > 1) say(`its dates show no seconds: the start is known to ${step_s} s.`);
      return civilText(clockZero(date, time_s[0]!, step_s >= 1));
    }
    say(`its dates are given in steps of ${step_s} s, too coarse for a start time.`);
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

/** Cyclers that log the size of the current alone tell its direction by a state. */
function signedCurrent(
  current_mA: Float64Array | null,
  state: Float64Array | null,
  say: (sentence: string) => void,
): Float64Array | null {
  if (current_mA === null || state === null || current_mA.some((value) => value < 0)) return current_mA;
  let discharging = 0;
  for (let row = 0; row < state.length; row++) if (state[row]! < 0 && current_mA[row]! > 0) discharging++;
  if (discharging === 0) return current_mA;
  say(`the current has no sign: it was made negative in the ${discharging} rows whose state is discharge.`);
  return current_mA.map((value, row) => (state[row]! < 0 ? -value : value));
}

/** A file that holds the same current twice, in different sizes, has one of the units wrong. */
function compareCurrents(
  current_mA: Float64Array | null,
  second_mA: Float64Array | null,
  roles: Roles,
  heads: readonly string[],
  say: (sentence: string) => void,
): void {
  if (current_mA === null || second_mA === null) return;
  const ratio = slope(current_mA, second_mA);
  if (ratio === null || Math.abs(ratio - 1) < 0.01) return;
  const [first, second] = [heads[roles.current!.at], heads[roles.secondCurrent!.at]];
  say(
    `the column ${second} holds ${Number(ratio.toPrecision(4))} times the current of ${first}: the unit of one is wrong. ` +
      `${first} was used; charge and C-rates scale with it.`,
  );
}

/** Time against dates, where the file has both. */
function compareDates(rows: Rows, time_s: Float64Array, layout: Layout, say: (sentence: string) => void): void {
  const at = layout.roles.date?.at;
  if (at === undefined || layout.roles.time === null || time_s.length < 2) return;
  const first = dateOf(rows.firstCells[at], layout);
  const last = dateOf(rows.lastCells[at], layout);
  if (first === null || last === null) return;
  const dated_s = (last.ms - first.ms) / 1000;
  const counted_s = time_s[time_s.length - 1]! - time_s[0]!;
  if (Math.abs(dated_s - counted_s) <= Math.max(5, 0.02 * dated_s)) return;
  say(
    `its dates span ${dated_s} s but its column of time ${Number(counted_s.toPrecision(7))} s: ` +
      "check the unit of time, or whether the test was paused.",
  );
}

/** The file's running charge where it runs with the current; null where the integral of the current is to be taken. */
function runningCharge(
  rows: Rows,
  time_s: Float64Array,
  current_mA: Float64Array | null,
  roles: Roles,
  say: (sentence: string) => void,
): Float64Array | null {
  const own = rows.column(roles.charge);
  if (current_mA === null || stepsBack(time_s) > 0) return own;
  const counted = own ?? netCharge(rows.column(roles.chargeIn), rows.column(roles.chargeOut));
  if (counted === null) return null;
  const ratio = slope(risesOf(integrateCurrent(time_s, current_mA)), risesOf(counted));
  // Rows that are far apart blur the integral; a wrong unit or sign does more than that.
  if (ratio === null || (ratio > 1 / 3 && ratio < 3)) return own;
  const slip = Math.abs(Math.abs(Math.log10(Math.abs(ratio))) - 3) < 0.1;
  say(
    `the charge it counts is ${Number(ratio.toPrecision(3))} times the integral of its current` +
      (slip ? ": a unit is wrong by a factor of 1000" : "") +
      ". The integral was taken; check the units, C-rates scale with the current.",
  );
  return null;
}

/** Charge in minus charge out, each of which may begin anew at 0 with a cycle or a step. */
function netCharge(chargeIn: Float64Array | null, chargeOut: Float64Array | null): Float64Array | null {
  if (chargeIn === null || chargeOut === null) return null;
  const net = new Float64Array(chargeIn.length);
  for (let row = 1; row < net.length; row++) {
    net[row] = net[row - 1]! + gain(chargeIn, row) - gain(chargeOut, row);
  }
  return net;
}

function gain(column: Float64Array, row: number): number {
  const rise = column[row]! - column[row - 1]!;
  const passed = rise >= 0 ? rise : column[row]!;
  return Number.isNaN(passed) ? 0 : passed;
}

/** What a column gains over each of some two hundred stretches of rows. */
function risesOf(column: Float64Array): Float64Array {
  const stretch = Math.max(1, Math.floor(column.length / 200));
  const count = Math.floor((column.length - 1) / stretch);
  return Float64Array.from(
    { length: Math.max(0, count) },
    (_, at) => column[(at + 1) * stretch]! - column[at * stretch]!,
  );
}

/** The factor from one column to another by least squares; null where either is all zero or unknown. */
function slope(from: Float64Array, to: Float64Array): number | null {
  let xx = 0;
  let xy = 0;
  for (let at = 0; at < from.length; at++) {
    const [x, y] = [from[at]!, to[at]!];
    if (!Number.isFinite(x) || !Number.isFinite(y)) continue;
    xx += x * x;
    xy += x * y;
  }
  return xx === 0 || xy === 0 ? null : xy / xx;
}
