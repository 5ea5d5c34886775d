/** A cycler's record as a table of text: comma, semicolon, tab or bar between cells, heads that name quantity and unit. */
import type { CyclingFile } from "../model/cycling.js";
import { FormatError } from "../model/errors.js";
import { readBytes, type ByteSource } from "./bytes.js";
import type { CountedColumn } from "./charge-check.js";
import { compareCurrents, signedCurrent } from "./csv-checks.js";
import { dateOf, startOf, timeFactor, type Ends } from "./csv-dates.js";
import { findLayout, splitLines, type CsvLayout } from "./csv-layout.js";
import { stateSign, type Role } from "./csv-roles.js";
import { cyclesOf, cyclingRecord, stepsBack } from "./cycling-record.js";
import { judgeBroken, numberTable, warningsOf, type NumberTable, type WantedColumn } from "./number-table.js";
import { clockSeconds, headLines, looksLikeText, numberOf, sniffEncoding, textLines, type Encoding } from "./text.js";

const HEAD_BYTES = 1 << 18;
const TAIL_BYTES = 1 << 12;
const DAY_S = 86400;
/** More names than this are no cells. */
const CELLS = 100;

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

  const told_s = read.column("date") ?? read.column(roles.time)!;
  const potential_V = read.column(roles.potential)!;
  const current_mA = signedCurrent(read.column(roles.current), read.column(roles.state), say);
  const twins = [roles.current, roles.secondCurrent].map((role) => heads[role?.at ?? -1] ?? "") as [string, string];
  compareCurrents(current_mA, read.column(roles.secondCurrent), twins, say);
  const endsOf = (column_s: Float64Array): Ends | null =>
    column_s.length === 0 ? null : { ...read, first_s: column_s[0]!, last_s: column_s.at(-1)! };
  const factor = timeFactor(endsOf(told_s), layout, say);
  const time_s = factor === 1 ? told_s : told_s.map((value) => factor * value);
  const counted = roles.counted.map((role): CountedColumn => ({
    name: `the column ${heads[role.at]}`,
    kind: role.kind,
    values: read.column(role)!,
    unitStated: role.unitStated,
  }));
  return cyclingRecord({
    name: source.name,
    format,
    start: startOf(endsOf(time_s), layout, say),
    columns: heads,
    time_s,
    potential_V,
    current_mA,
    charge_mAh: read.column(roles.charge),
    chargeYields: true,
    counted,
    rest: false,
    cycles: cyclesOf(read.column(roles.halfCycle), read.column(roles.cycle), say) ?? read.cycleLines,
    warnings,
  });
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
  /** Lines that begin a cycle where heads stand in layers; null elsewhere. */
  readonly cycleLines: number | null;
  /** The column of a role; null where the role is null or was not read. */
  column(role: Role | "date" | null): Float64Array | null;
}

async function readRows(
  source: ByteSource,
  encoding: Encoding,
  layout: CsvLayout,
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
  for (const role of [roles.secondCurrent, roles.charge, ...roles.counted, roles.cycle, roles.halfCycle]) {
    add(role, false);
  }
  add(roles.state, false, stateSign);
  const names = new Map<string, number>();
  add(roles.cell, false, (text) => {
    const name = (text ?? "").trim();
    if (!names.has(name) && names.size <= CELLS) names.set(name, names.size);
    return names.get(name) ?? -1;
  });
  const table = numberTable(wanted);
  const width = Math.max(...wanted.filter(({ needed }) => needed).map(({ at }) => at)) + 1;

  let line = 0;
  let headText = "";
  let firstCells: readonly string[] = [];
  let lastCells: readonly string[] = [];
  let cycleLines = 0;
  let lastOfFirst: readonly string[] = [];
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
      if (leading > 0 && cells.slice(0, leading).some((cell) => cell.trim() !== "")) {
        if (/^\d+$/.test(cells[0]!.trim())) cycleLines++;
        continue;
      }
      const last = !batch.ended && index === cellsOf.length - 1;
      if (last && cells.length < Math.max(width, Math.min(heads.length, firstCells.length))) {
        say(`the file was cut in line ${line}: that row is dropped, and what followed is lost.`);
        continue;
      }
      if (layout.clockAt !== null) cells[roles.date!.at] += ` ${cells[layout.clockAt]?.trim() ?? ""}`;
      if (!table.add(cells, line)) continue;
      if (table.rows === 1) firstCells = cells;
      lastCells = cells;
      if (roles.cell !== null && cells[roles.cell.at]?.trim() === firstCells[roles.cell.at]?.trim())
        lastOfFirst = cells;
    }
  }
  let columns = table.columns();
  const column = (role: Role | "date" | null): Float64Array | null => {
    const index = wanted.findIndex((each) => each.role === role);
    return role === null || index < 0 ? null : columns[index]!;
  };
  const cell = column(roles.cell);
  if (cell !== null && holdsSeveral(cell, names.size, columns[0]!)) {
    const others = [...names.keys()].slice(1, 6).join(", ");
    say(
      `the file holds ${names.size} cells: the rows of ${heads[roles.cell!.at]} ${names.keys().next().value} were read, ` +
        `those of others (${others}) were not. Give each cell a file of its own.`,
    );
    columns = columns.map((values) => values.filter((_, row) => cell[row] === 0));
    lastCells = lastOfFirst;
  }
  return {
    table,
    firstCells,
    lastCells,
    cycleLines: leading > 0 && cycleLines > 0 ? cycleLines : null,
    column,
  };
}

/**
 * Whether rows are of several cells: few names for many rows, that come and go in turn or turn back the time.
 * A cell that was moved to another channel is one cell still, and what counts on with each row is no name.
 */
function holdsSeveral(cell: Float64Array, names: number, time_s: Float64Array): boolean {
  if (names < 2 || names > CELLS || cell.length < 4 * names) return false;
  const done = new Set<number>();
  for (let row = 1; row < cell.length; row++) {
    if (cell[row] === cell[row - 1]) continue;
    done.add(cell[row - 1]!);
    if (done.has(cell[row]!) || time_s[row]! < time_s[row - 1]!) return true;
  }
  return false;
}

/** Seconds of numbers or of clocks; a time of day that begins anew at midnight goes on. */
function secondsOf({ factor }: Role, comma: boolean): WantedColumn["read"] {
  let [last_s, step_s, midnights] = [NaN, 60, 0];
  return (cell) => {
    if (cell?.includes(":") !== true) return factor * numberOf(cell, comma);
    const clock_s = clockSeconds(cell);
    if (last_s <= DAY_S && last_s > DAY_S - 5 * step_s && clock_s < 5 * step_s) midnights++;
    else if (clock_s > last_s) step_s = clock_s - last_s;
    if (!Number.isNaN(clock_s)) last_s = clock_s;
    return clock_s + DAY_S * midnights;
  };
}

function secondsOfDates(layout: CsvLayout): WantedColumn["read"] {
  let first_ms = NaN;
  return (cell) => {
    const ms = dateOf(cell, layout)?.ms ?? NaN;
    if (Number.isNaN(first_ms)) first_ms = ms;
    return (ms - first_ms) / 1000;
  };
}
