/** Gamry .DTA: a header of keys, then tables of text. */
import type { CyclingFile, OtherFile } from "../model/cycling.js";
import { readBytes, type ByteSource } from "./bytes.js";
import { civilText, dateOrder, later, readCivilTime, type DateOrder } from "./civil-time.js";
import { unitFactor } from "./column-names.js";
import type { CyclingOptions } from "./cycling.js";
import { cyclingRecord } from "./cycling-record.js";
import { judgeBroken, numberTable, warningsOf, type NumberTable } from "./number-table.js";
import { hasDecimalComma, headLines, numberOf, sniffEncoding, textLines } from "./text.js";

/** Whether a file's first bytes are those of a Gamry .DTA. */
export function sniffGamry(head: Uint8Array): boolean {
  const [first, second] = headLines(head.subarray(0, 4096));
  return /^[A-Z0-9_]+\s*$/.test(first ?? "") && /^TAG\t\S/.test(second ?? "");
}

/** So many numbers of a header are told. */
const SETTINGS = 100;

interface Curve {
  readonly name: string;
  /** Rows that the file declares; NaN where it does not. */
  readonly declared: number;
  columns: string[];
  /** Null until names and units are read, and where the table has no time and potential. */
  table: NumberTable | null;
  hasCurrent: boolean;
  rows: number;
}

/**
 * Reads a .DTA.
 *
 * Tables CURVE, CURVE1, ... and OCVCURVE hold T, Vf and Im; they follow each other in one record, and a table whose T
 * begins anew is laid end to end after the one before. Im in A becomes mA; a table without Im is at open circuit, its
 * current 0. The sign of the current is the file's own; the charge is the integral of the current. `start` is DATE and
 * TIME plus STARTTIMEOFFSET, the time at which T is 0; where the file leaves open which of day and month comes first,
 * other files of the run may tell it (`options.dateOrder`).
 *
 * `settings` holds the numbers of the header under the labels that Gamry shows for them, units in the names.
 *
 * A table stops where its rows stop, whatever count it declares. An impedance spectrum, or a summary of half cycles,
 * comes back as what it is. Throws FormatError for rows that are mostly not numbers.
 */
export async function readGamry(source: ByteSource, options: CyclingOptions = {}): Promise<CyclingFile | OtherFile> {
  const { warnings, say } = warningsOf(source.name);
  const head = await readBytes(source, 0, 1 << 18);
  const encoding = sniffEncoding(head);
  const comma = hasDecimalComma(headLines(head).flatMap((line) => line.split("\t")));
  const keys = new Map<string, string>();
  const settings: Record<string, string | number> = {};
  const curves: Curve[] = [];
  let open: Curve | null = null;
  let line = 0;
  for await (const batch of textLines(source, encoding)) {
    for (const [index, text] of batch.lines.entries()) {
      line++;
      const cells = text.split("\t");
      if (open === null || cells[0] !== "" || text.trim() === "") {
        open = null;
        if (/^TABLE\b/.test(cells[1] ?? "")) {
          const declared = cells[2] === undefined || cells[2].trim() === "" ? NaN : Number(cells[2]);
          open = { name: cells[0]!, declared, columns: [], table: null, hasCurrent: false, rows: 0 };
          curves.push(open);
        } else if (cells.length > 2 && !keys.has(cells[0]!)) {
          keys.set(cells[0]!, cells[2]!.trim());
          const value = /^I?QUANT$/.test(cells[1]!) ? numberOf(cells[2], comma) : NaN;
          const name = (cells[3] ?? "").replace("&", "").trim();
          if (name !== "" && Number.isFinite(value) && Object.keys(settings).length < SETTINGS) settings[name] = value;
        }
        continue;
      }
      if (open.columns.length === 0) {
        open.columns = cells.map((cell) => cell.trim());
        openTable(open, null, comma);
      } else if (open.rows === 0 && cells[1]?.trim() === "#") openTable(open, cells, comma);
      else if (!batch.ended && index === batch.lines.length - 1 && cells.length < open.columns.length) {
        say(`the file was cut in line ${line}: that row is dropped, and what followed is lost.`);
      } else {
        open.rows++;
        open.table?.add(cells, line);
      }
    }
  }

  const tag = keys.get("TAG") ?? tagOf(headLines(head));
  const told = { settings: { Technique: tag, ...settings } };
  const start = startOf(keys, comma, options.dateOrder, say);
  if (keys.get("EXPERIMENTABORTED") === "T") say("the experiment was aborted by its operator.");
  const columns = [...new Set(curves.flatMap((curve) => curve.columns.filter((name) => name !== "")))];
  const other = whatElse(tag, curves);
  if (other !== null) {
    const rows = (curves.find(({ name }) => name.startsWith("ZCURVE")) ?? curves[0])?.rows ?? 0;
    return { name: source.name, format: "gamry-dta", description: other, start, rows, columns, ...told, warnings };
  }
  if (curves.length === 0) say("there is no table: the run recorded nothing, or the file was cut inside its header.");
  if (keys.get("CONVENTION") === "0") {
    say("the instrument counted cathodic current as positive (CONVENTION 0). Give --current-sign cathodic-positive.");
  }
  const joined = joinCurves(
    curves.filter(({ table }) => table !== null),
    say,
  );
  checkDirection(tag, joined.current_mA, say);
  const usable = curves.filter(({ table }) => table !== null);
  for (const { table, columns, declared, rows, name } of usable) {
    judgeBroken(source.name, table!, columns, say);
    if (declared > rows && rows > 0 && declared < 99999)
      say(`table ${name} declares ${declared} rows, ${rows} are there.`);
  }
  return cyclingRecord({
    name: source.name,
    format: "gamry-dta",
    start,
    columns,
    ...joined,
    charge_mAh: null,
    rest: true,
    cycles: null,
    ...told,
    warnings,
  });
}

const wanted: readonly { names: readonly string[]; dimension: keyof typeof baseUnit }[] = [
  { names: ["T", "Time"], dimension: "time" },
  { names: ["Vf", "Vm"], dimension: "potential" },
  { names: ["Im"], dimension: "current" },
];
const baseUnit = { time: "s", potential: "V", current: "A" } as const;

/** Prepares a table for its rows; `unitCells` is null until the row of units comes. */
function openTable(curve: Curve, unitCells: readonly string[] | null, comma: boolean): void {
  const places = wanted.map(({ names, dimension }) => {
    const at = names.map((name) => curve.columns.indexOf(name)).find((place) => place >= 0) ?? -1;
    const unit = unitCells?.[at]?.trim().split(" ")[0] ?? "";
    const factor = unitFactor(dimension, unit === "" ? baseUnit[dimension] : unit);
    return { at, factor: Number.isNaN(factor) ? unitFactor(dimension, baseUnit[dimension]) : factor };
  });
  const [time, potential, current] = places;
  if (time!.at < 0 || potential!.at < 0) return;
  curve.hasCurrent = current!.at >= 0;
  curve.table = numberTable(
    places
      .filter(({ at }) => at >= 0)
      .map(({ at, factor }) => ({ at, needed: true, read: (cell) => factor * numberOf(cell, comma) })),
  );
}

function tagOf(lines: readonly string[]): string {
  return /^TAG\t(\S*)/.exec(lines[1] ?? "")?.[1] ?? "";
}

/** What the file is where it is no record of potential and current in time; null where it is one. */
function whatElse(tag: string, curves: readonly Curve[]): string | null {
  const spectrum = curves.find(({ name }) => name.startsWith("ZCURVE"));
  if (spectrum !== undefined || /EIS/.test(tag))
    return `an impedance spectrum of ${spectrum?.rows ?? 0} frequencies (${tag}).`;
  if (curves.length === 0 || curves.some(({ table }) => table !== null)) return null;
  const names = curves.map(({ name }) => name).join(", ");
  const summary = curves.find(({ name }) => name === "CAPACITYCURVE");
  return summary === undefined
    ? `a Gamry file (${tag}) with ${names}, without a table of T and Vf.`
    : `a summary of ${summary.rows} half cycles (${tag}, CAPACITYCURVE), not the record of potential and current.`;
}

/** DATE and TIME plus STARTTIMEOFFSET; the order of day and month is taken from all dates of the header. */
function startOf(
  keys: ReadonlyMap<string, string>,
  comma: boolean,
  told: DateOrder | undefined,
  say: (sentence: string) => void,
): string | null {
  const date = keys.get("DATE");
  const time = keys.get("TIME");
  if (date === undefined || time === undefined) return null;
  const own = dateOrder([date, ...keys.values()]);
  const certain = own.certain || told !== undefined;
  const order = own.certain ? own.order : (told ?? own.order);
  const moment = readCivilTime(`${date} ${time}`, order);
  if (moment === null) {
    say(`the start "${date} ${time}" is no date that is understood.`);
    return null;
  }
  if (!certain) say(`the date ${date} was read as ${order === "month-first" ? "month/day/year" : "day/month/year"}.`);
  const offset_s = numberOf(keys.get("STARTTIMEOFFSET"), comma);
  return civilText(Number.isNaN(offset_s) ? moment : later(moment, offset_s));
}

/** Charge is positive and discharge negative in Gamry's own convention: says where a step goes the other way. */
function checkDirection(tag: string, current_mA: Float64Array, say: (sentence: string) => void): void {
  const wanted = tag.endsWith("_DISCHARGE") ? -1 : tag.endsWith("_CHARGE") ? 1 : 0;
  const mean_mA = current_mA.reduce((sum, value) => sum + value, 0) / Math.max(1, current_mA.length);
  if (wanted === 0 || mean_mA === 0 || Math.sign(mean_mA) === wanted) return;
  const sign = mean_mA > 0 ? "positive" : "negative";
  say(`the step is called ${tag}, but its current is ${sign}: check its sign, or give --current-sign.`);
}

function joinCurves(
  curves: readonly Curve[],
  say: (sentence: string) => void,
): { time_s: Float64Array; potential_V: Float64Array; current_mA: Float64Array } {
  const rows = curves.reduce((sum, { table }) => sum + table!.rows, 0);
  const time_s = new Float64Array(rows);
  const potential_V = new Float64Array(rows);
  const current_mA = new Float64Array(rows);
  let at = 0;
  let shift_s = 0;
  let end_s = -Infinity;
  for (const { table, hasCurrent, name } of curves) {
    const [time, potential, current] = table!.columns();
    if (time!.length > 0 && time![0]! < end_s) {
      shift_s = time_s[at - 1]!;
      say(`table ${name} begins at T = ${time![0]} s anew: it is laid end to end after the table before it.`);
    }
    end_s = time!.at(-1) ?? end_s;
    for (let row = 0; row < time!.length; row++) time_s[at + row] = time![row]! + shift_s;
    potential_V.set(potential!, at);
    if (hasCurrent) current_mA.set(current!, at);
    at += time!.length;
  }
  return { time_s, potential_V, current_mA };
}
