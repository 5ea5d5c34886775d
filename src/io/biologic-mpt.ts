/** BioLogic .mpt, the text export of EC-Lab and BT-Lab. */
import type { CyclingFile, OtherFile, ProgrammeStep } from "../model/cycling.js";
import { FormatError } from "../model/errors.js";
import { headerTechnique, textSettings } from "./biologic-text.js";
import { readBytes, type ByteSource } from "./bytes.js";
import { civilText, dateOrder, readCivilTime, type CivilTime, type DateOrder } from "./civil-time.js";
import { columnHead, unitFactor, type Dimension } from "./column-names.js";
import { currentFromCharge, cyclesOf, cyclingRecord, differences, runningSum } from "./cycling-record.js";
import { judgeBroken, numberTable, warningsOf, type WantedColumn } from "./number-table.js";
import { hasDecimalComma, headLines, numberOf, sniffEncoding, textLines } from "./text.js";

const HEADER_BYTES = 1 << 20;
const title = /^(EC|BT)-Lab ASCII FILE/i;

/** Whether a file's first bytes are those of an .mpt, with or without its header. */
export function sniffMpt(head: Uint8Array): boolean {
  const first = headLines(head.subarray(0, 4096)).find((line) => line.trim() !== "") ?? "";
  // Saved anew as a table of another kind it has no tabs.
  return (title.test(first) && !(head.length > 1024 && !head.includes(9))) || isColumnLine(first);
}

function isColumnLine(line: string): boolean {
  const cells = line.split("\t").map((cell) => cell.trim());
  return (
    cells.length > 1 && cells.some((cell) => cell === "time/s" || cell === "freq/Hz" || /^<?E(we|cell).*\/V/.test(cell))
  );
}

/**
 * Reads an .mpt, with decimal point or comma, in cp1252 or UTF-8.
 *
 * `potential_V` is Ewe, else <Ewe>, else Ecell; `current_mA` is I, else <I>, else 3600 dq / dt, else the set current;
 * `charge_mAh` is (Q-Qo), else the running sum of dq, else the integral of the current. `start` is "Acquisition
 * started on", from which time/s counts; a column of date-times is counted from it too.
 *
 * Throws FormatError for a header without columns and for rows that are mostly not numbers; a cut last row is
 * dropped with a warning.
 */
export async function readMpt(source: ByteSource): Promise<CyclingFile | OtherFile> {
  const { warnings, say } = warningsOf(source.name);
  const head = await readBytes(source, 0, HEADER_BYTES);
  const encoding = sniffEncoding(head);
  const lines = headLines(head);
  const columnLine = findColumnLine(source, lines, say);
  const header = lines.slice(0, columnLine);
  const columns = lines[columnLine]!.split("\t").map((cell) => cell.trim());
  while (columns.at(-1) === "") columns.pop();
  const sample = lines.slice(columnLine + 1, columnLine + 50).map((line) => line.split("\t"));
  checkWidth(source, columns.length, sample);
  const comma = hasDecimalComma(sample.flat());
  const started = header.map((line) => /^Acquisition started on\s*:\s*(.+?)\s*$/i.exec(line)?.[1]).find(Boolean);
  const timeColumn = place(columns, "time", ["time"]);
  const { order } = dateOrder([started ?? "", ...sample.map((cells) => cells[timeColumn?.at ?? -1] ?? "")]);
  let start = started === undefined ? null : readCivilTime(started, order);
  if (started !== undefined && start === null) say(`the start "${started}" is no date that is understood.`);
  if (header.every((text) => text.trim() === "")) say("the header is missing, and with it the start time.");

  const told = contextOf(header);
  const potentialColumn = place(columns, "potential", ["ewe", "<ewe>", "ecell", "<ecell>", "ewe-ece", "<ewe-ece>"]);
  const spectrum = columns.includes("freq/Hz");
  if (timeColumn === null || potentialColumn === null) {
    const missing = timeColumn === null ? "time" : "potential of the working electrode or the cell";
    return {
      name: source.name,
      format: "biologic-mpt",
      description: `${spectrum ? "an impedance spectrum" : "a BioLogic export"} without a column of ${missing}.`,
      start: start === null ? null : civilText(start),
      columns,
      ...told,
      warnings,
    };
  }
  const firstTime = sample[0]?.[timeColumn.at] ?? "";
  if (readCivilTime(firstTime, order) !== null) start ??= readCivilTime(firstTime, order);
  const roles: readonly [string, Place | null, boolean][] = [
    ["time", timeColumn, true],
    ["potential", potentialColumn, true],
    ["current", place(columns, "current", ["i", "<i>"]), true],
    ["charge", place(columns, "charge", ["(q-qo)", "q-qo"]), false],
    ["dq", place(columns, "charge", ["dq"]), false],
    ["set", place(columns, "current", ["control"]), false],
    ["half cycle", place(columns, null, ["half cycle"]), false],
    ["cycle", place(columns, null, ["cycle number"]), false],
    ["mode", place(columns, null, ["mode"]), false],
    ["frequency", place(columns, null, ["freq/hz"]), false],
  ];
  const found = roles.filter((role): role is [string, Place, boolean] => role[1] !== null);
  const table = numberTable(
    found.map(([role, { at, factor }, needed]): WantedColumn => {
      const number = (cell: string | undefined): number => factor * numberOf(cell, comma);
      return { at, needed, read: role === "time" ? timeReader(number, start, order) : number };
    }),
  );

  const needed = Math.max(...found.map(([, { at }]) => at)) + 1;
  let width = Math.max(needed, columns.length);
  let line = 0;
  let before: string | null = null;
  for await (const batch of textLines(source, encoding)) {
    for (const [index, text] of batch.lines.entries()) {
      line++;
      if (line <= columnLine + 1 || text.trim() === "") continue;
      const cells = text.split("\t");
      const last = !batch.ended && index === batch.lines.length - 1;
      if (last && isCut(cells, before, width)) {
        say(`the file was cut in line ${line}: that row is dropped, and what followed is lost.`);
        continue;
      }
      // Where a name is empty, EC-Lab writes fewer numbers than names.
      width = Math.max(needed, Math.min(columns.length, cells.length));
      before = cells[width - 1] ?? "";
      table.add(cells, line);
    }
  }
  judgeBroken(source.name, table, columns, say);

  const values = new Map(table.columns().map((column, index) => [found[index]![0], column]));
  const time_s = values.get("time")!;
  const dq_mAh = values.get("dq") ?? null;
  const charge_mAh = values.get("charge") ?? runningSum(dq_mAh);
  let current_mA = values.get("current") ?? null;
  if (current_mA === null && charge_mAh !== null) {
    current_mA = currentFromCharge(time_s, dq_mAh ?? differences(charge_mAh));
  }
  const mode = values.get("mode");
  const rest = /open circuit/i.test(header[3] ?? "") || (mode !== undefined && mode.every((value) => value === 3));
  if (current_mA === null && !rest && values.has("set")) {
    current_mA = values.get("set")!;
    say("the file has no measured current: the set current is used.");
  }
  const frequencies = values.get("frequency")?.reduce((count, value) => count + (value > 0 ? 1 : 0), 0) ?? 0;
  if (frequencies > 0) {
    const rows = frequencies === time_s.length ? "the rows" : `${frequencies} of ${time_s.length} rows`;
    say(`${rows} are the frequencies of an impedance spectrum, with the mean potential and current of each.`);
  }
  const halfCycle = values.get("half cycle") ?? null;
  const cycle = values.get("cycle") ?? null;
  return cyclingRecord({
    name: source.name,
    format: "biologic-mpt",
    start: start === null ? null : civilText(start),
    columns,
    time_s,
    potential_V: values.get("potential")!,
    current_mA,
    charge_mAh,
    rest,
    cycles: cyclesOf(halfCycle, cycle, say),
    ...told,
    warnings,
  });
}

/** What a long header says of the cell and of the programme; nothing for a short one. */
function contextOf(header: readonly string[]): { settings?: ProgrammeStep; programme?: readonly ProgrammeStep[] } {
  if (header.length < 5) return {};
  const technique = headerTechnique(header);
  const named: ProgrammeStep = technique === null ? {} : { Technique: technique.name };
  const settings = { ...named, ...textSettings(header) };
  if (technique === null || technique.sequences.length === 0) return { settings };
  return { settings, programme: technique.sequences.map((step) => ({ ...named, ...step })) };
}

/** Where the names of the columns stand, by the header's own count or, where that is wrong, by what they are. */
function findColumnLine(source: ByteSource, lines: readonly string[], say: (sentence: string) => void): number {
  const first = lines.findIndex((line) => line.trim() !== "");
  if (isColumnLine(lines[first] ?? "")) return first;
  const stated = Number(/^Nb header lines\s*:\s*(\d+)/i.exec(lines[1] ?? "")?.[1] ?? NaN);
  if (isColumnLine(lines[stated - 1] ?? "")) return stated - 1;
  const found = lines.findIndex(isColumnLine);
  if (found >= 0) {
    say(`the header says it has ${stated} lines, but the column names stand in line ${found + 1}.`);
    return found;
  }
  const promised = Number.isNaN(stated) ? "" : ` of the ${stated} header lines it promises`;
  throw new FormatError(
    `${source.name}: has ${lines.length} lines${promised} and no line of column names with time/s and Ewe/V. Export it again from EC-Lab.`,
    { path: source.name },
  );
}

/** Refuses rows of more numbers than there are names: which is which is then not known. */
function checkWidth(source: ByteSource, names: number, sample: readonly (readonly string[])[]): void {
  const widths = sample
    .map((cells) => cells.findLastIndex((cell) => cell.trim() !== "") + 1)
    .filter((width) => width > 1);
  const least = Math.min(...widths);
  if (widths.length === 0 || least <= names) return;
  throw new FormatError(
    `${source.name}: its rows have ${least} numbers and its line of column names ${names}: which name belongs to which is not known. Export it again from EC-Lab.`,
    { path: source.name },
  );
}

interface Place {
  readonly at: number;
  /** To the house's unit. */
  readonly factor: number;
}

function place(columns: readonly string[], dimension: Dimension | null, quantities: readonly string[]): Place | null {
  const heads = columns.map(columnHead);
  for (const quantity of quantities) {
    const at = heads.findIndex(
      (head) =>
        head.quantity === quantity && (dimension === null || !Number.isNaN(unitFactor(dimension, head.unit ?? ""))),
    );
    if (at >= 0) return { at, factor: dimension === null ? 1 : unitFactor(dimension, heads[at]!.unit!) };
  }
  return null;
}

/** Seconds, or a date-time counted from the start. */
function timeReader(
  number: (cell: string | undefined) => number,
  start: CivilTime | null,
  order: DateOrder,
): WantedColumn["read"] {
  return (cell) => {
    const value = number(cell);
    if (!Number.isNaN(value) || start === null || cell === undefined) return value;
    const date = readCivilTime(cell, order);
    return date === null ? NaN : (date.ms - start.ms) / 1000;
  };
}

/** Whether the file's last line, which has no end, lacks cells or the end of its last number. */
function isCut(cells: readonly string[], lastCellBefore: string | null, width: number): boolean {
  if (cells.length < width) return true;
  const last = cells[width - 1]!;
  const whole = /e[-+]\d{3}\s*$/i;
  // EC-Lab writes a column of real numbers with exponents of three digits throughout.
  if (lastCellBefore === null) return cells.some((cell) => whole.test(cell)) && !whole.test(last);
  return whole.test(lastCellBefore) && !whole.test(last);
}
