/** Where the heads of a table of text stand, what parts its cells, and which column plays which part. */
import { parse } from "csv-parse/browser/esm/sync";
import { FormatError } from "../model/errors.js";
import { dateOrder, type DateOrder } from "./civil-time.js";
import { castColumns, type Roles } from "./csv-roles.js";
import { shortened } from "./number-table.js";
import { hasDecimalComma, numberOf } from "./text.js";

const delimiters = ["\t", ";", ",", "|"] as const;

/** How a table of text is laid out. */
export interface CsvLayout {
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
  /** The column of times of day that belong to the days of the dates beside them; null where there is none. */
  readonly clockAt: number | null;
}

/**
 * Finds the heads of a table and how its cells are written, from a file's first and last lines.
 * The row of heads is the first that names a potential and a time or a date. Throws FormatError where there is none.
 */
export function findLayout(name: string, lines: readonly string[], tail: readonly string[]): CsvLayout {
  for (const [headLine, line] of lines.entries()) {
    let best: { delimiter: string; heads: string[] } | null = null;
    if (!/[a-z]/i.test(line)) continue;
    for (const delimiter of delimiters) {
      if (!line.includes(delimiter)) continue;
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
    const sample = [...below.slice(units === null ? 0 : 1), ...splitLines(tail, delimiter)];
    const cast = datesForTime(castColumns(heads, units), sample);
    const clockAt = clockBeside(cast, sample);
    const roles = clockAt === null ? cast : { ...cast, time: null };
    const preamble = lines.slice(0, headLine);
    const dated = sample.map((cells) => cells[roles.date?.at ?? -1] ?? "");
    const { order, certain } = dateOrder([...dated, ...preamble.flatMap(datesIn)]);
    return {
      delimiter,
      headLine,
      firstLine: headLine + (units === null ? 1 : 2),
      heads,
      roles,
      comma: delimiter !== "," && hasDecimalComma(sample.flat()),
      dates: order,
      datesCertain: certain,
      leading: layered(heads, roles, sample),
      preamble,
      clockAt,
    };
  }
  const found = likelyHeads(lines);
  throw new FormatError(
    found === null
      ? `${name}: no row of column names was found. Wanted are at least a time and a potential, such as time_s,potential_V,current_mA.`
      : `${name}: its columns are ${listed(found)}; wanted are at least a time (time_s, Test Time / s, Total Time) and a potential (potential_V, Voltage / V, Ewe/V). Rename them or export them too.`,
    { path: name },
  );
}

/** How many empty cells lead a record where heads stand in layers; 0 where the first head alone is missing, as over an index. */
function layered(heads: readonly string[], roles: Roles, sample: readonly (readonly string[])[]): number {
  const leading = heads.findIndex((cell) => cell !== "");
  const clock = (roles.time ?? roles.date)!.at;
  const isRecord = (cells: readonly string[]): boolean =>
    cells.slice(0, leading).every((cell) => cell.trim() === "") && (cells[clock] ?? "").trim() !== "";
  return sample.some(isRecord) ? leading : 0;
}

const LISTED = 40;

function listed(heads: readonly string[]): string {
  const more = heads.length - LISTED;
  return heads.slice(0, LISTED).map(shortened).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

/** A column called time may hold dates, or seconds since 1970: it then plays the part of the dates. */
function datesForTime(roles: Roles, sample: readonly (readonly string[])[]): Roles {
  const at = roles.time?.at;
  if (at === undefined) return roles;
  const isDate = (cell: string | undefined): boolean =>
    Number(cell) > 1e9 || /\d[-/.]\d+[-/.]\d+[t\s]+\d+:\d+/i.test(cell ?? "");
  return sample.length > 0 && isDate(sample[0]![at]) ? { ...roles, time: null, date: roles.time } : roles;
}

/** A time of day in a column "Time" behind a column "Date" of days alone. */
function clockBeside({ date, time }: Roles, sample: readonly (readonly string[])[]): number | null {
  if (date?.quantity !== "date" || time?.quantity !== "time" || time.at !== date.at + 1) return null;
  const isDay = /^\s*(?:\d{1,4}[-/.]\w{1,3}[-/.]\d{1,4})\s*$/;
  const isClock = /^\s*\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:\s*[ap]m)?\s*$/i;
  const [first] = sample;
  return isDay.test(first?.[date.at] ?? "") && isClock.test(first?.[time.at] ?? "") ? time.at : null;
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

/** Days in a line that speaks of dates, with day and month in numbers. */
function datesIn(line: string): string[] {
  if (!/date|start|end|begin/i.test(line)) return [];
  const days = line.match(/(?<![\d.])\d{1,2}([-/.])\d{1,2}\1(?:\d{4}|\d{2})(?![\d.])/g) ?? [];
  return days.filter((day) =>
    day
      .split(/[-/.]/)
      .slice(0, 2)
      .every((number) => Number(number) <= 31),
  );
}

/**
 * Cells of lines. Quotes around whole cells are taken off, so are those around a whole line, as a spreadsheet leaves
 * them that took it for one cell; what is more than that is left to csv-parse.
 */
export function splitLines(lines: readonly string[], delimiter: string): string[][] {
  const rows: string[][] = [];
  for (const line of lines) {
    const whole = quotedWhole(line);
    const cells = (whole ?? line).split(delimiter);
    if (whole === null && line.includes('"') && line.length < QUOTED_CHARACTERS && !unquote(cells)) {
      return parseQuoted(lines, delimiter);
    }
    rows.push(cells);
  }
  return rows;
}

/** What stands between the only two quotes of a line, at its ends; null where there are others or none. */
function quotedWhole(line: string): string | null {
  if (!line.startsWith('"')) return null;
  const last = line.indexOf('"', 1);
  return last > 0 && last === line.length - 1 ? line.slice(1, -1) : null;
}

/** Takes quotes off cells that stand in them whole; false where a quote stands otherwise. */
function unquote(cells: string[]): boolean {
  for (const [at, cell] of cells.entries()) {
    const first = cell.indexOf('"');
    if (first < 0) continue;
    if (first > 0 || cell.length < 2 || cell.indexOf('"', 1) !== cell.length - 1) return false;
    cells[at] = cell.slice(1, -1);
  }
  return true;
}

/** A longer line is no row of a cycler: its quotes are not looked at. */
const QUOTED_CHARACTERS = 1 << 16;

function parseQuoted(lines: readonly string[], delimiter: string): string[][] {
  if (lines.some((line) => line.length > QUOTED_CHARACTERS)) return lines.map((line) => line.split(delimiter));
  try {
    const rows: string[][] = parse(lines.join("\n"), { delimiter, relax_quotes: true, relax_column_count: true });
    return rows.map((cells) => (cells.length === 1 ? cells[0]!.split(delimiter) : cells));
  } catch {
    // A quote that is never closed is no quote.
    return lines.map((line) => line.split(delimiter));
  }
}
