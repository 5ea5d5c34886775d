/**
 * The records of a cycler in a folder and the folders below it, as one: a Gamry sequence leaves `OCV_before.DTA` beside
 * `3_Charge_Discharge/CHARGE_DISCHARGE/CHARGE_#1.DTA`, EC-Lab one .mpr for each linked technique. What they follow
 * each other by is the time that stands in them: names sort wrong.
 */
import type { CyclingFile } from "../model/cycling.js";
import { FormatError } from "../model/errors.js";
import { readBytes, type FolderSource } from "./bytes.js";
import { dateOrder, type DateOrder } from "./civil-time.js";
import { formatOf, isCycling, joinCycling, type CyclingFormat, type CyclingOptions } from "./cycling.js";
import { headLines } from "./text.js";

const HEAD_BYTES = 1 << 16;
/** Folders below each other, and files in all of them, that are looked at. */
const DEPTH = 6;
const FILES = 5000;
/** So many names are told of what was passed over. */
const TOLD = 4;

/** The format that takes any text: in a folder, such files count only where none has a format of its own. */
const ANY_TEXT = "csv";

/** A cycler's file in a folder, by its path below it with forward slashes. */
export interface CyclerEntry {
  readonly path: string;
  readonly format: CyclingFormat;
  /** Its first 64 KiB. */
  readonly head: Uint8Array;
}

/**
 * The cycler's files in a folder and below it, in natural order, told by their content: those of a cycler's own format,
 * else tables of text. At most 5000 files in folders 6 deep are looked at. With `first`, the first one alone.
 */
export async function cyclerEntries(folder: FolderSource, first = false): Promise<CyclerEntry[]> {
  const own: CyclerEntry[] = [];
  const texts: CyclerEntry[] = [];
  for await (const path of pathsBelow(folder)) {
    const source = await folder.open(path);
    try {
      const head = await readBytes(source, 0, HEAD_BYTES);
      const format = source.size === 0 ? undefined : await formatOf(head, source);
      if (format !== undefined && format.aside !== true)
        (format.name === ANY_TEXT ? texts : own).push({ path, format, head });
    } finally {
      await source.close();
    }
    if (first && own.length > 0) return own;
  }
  return own.length > 0 ? own : texts;
}

async function* pathsBelow(folder: FolderSource): AsyncGenerator<string> {
  let files = 0;
  const open: { readonly folder: FolderSource; readonly path: string; readonly depth: number }[] = [
    { folder, path: "", depth: 0 },
  ];
  for (let at = 0; at < open.length; at++) {
    const { folder: here, path, depth } = open[at]!;
    for (const entry of here.entries) {
      if (++files > FILES) return;
      yield `${path}${entry}`;
    }
    if (depth === DEPTH) continue;
    for (const name of here.folders) {
      open.push({ folder: await here.openFolder(name), path: `${path}${name}/`, depth: depth + 1 });
    }
  }
}

/**
 * Reads a folder of a cycler's files as one record, joined on one clock by the times in them; gaps are reported.
 * Spectra, settings and summaries are passed over, so is a file that cannot be read, and the warnings tell which.
 * Null where the folder holds no record.
 */
export async function readCyclingFolder(
  folder: FolderSource,
  options: CyclingOptions = {},
): Promise<CyclingFile | null> {
  const entries = await cyclerEntries(folder);
  const order = orderOfDates(entries);
  const records: CyclingFile[] = [];
  const passed: string[] = [];
  for (const { path, format } of entries) {
    // What foreign code decodes runs apart, one file at a time.
    if (format.foreign === true) {
      passed.push(`${path} (${format.name}: name it by itself)`);
      continue;
    }
    const source = await folder.open(path);
    try {
      const read = await format.read(source, order === null ? options : { ...options, dateOrder: order });
      if (!isCycling(read)) passed.push(`${path} (${read.description.replace(/\.$/, "")})`);
      else if (isSpectrum(read)) passed.push(`${path} (an impedance spectrum)`);
      else records.push(read);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      passed.push(`${path} (${error.message.replace(`${source.name}: `, "")})`);
    } finally {
      await source.close();
    }
  }
  if (records.length === 0) return null;
  const joined = joinCycling(records);
  const warnings = passed.length === 0 ? joined.warnings : [passedOver(passed), ...joined.warnings];
  return { ...joined, name: folder.name, warnings };
}

function passedOver(passed: readonly string[]): string {
  const more = passed.length - TOLD;
  const told = `${passed.slice(0, TOLD).join("; ")}${more > 0 ? `; and ${more} more` : ""}`;
  return `${passed.length} ${passed.length === 1 ? "file of the folder holds" : "files of the folder hold"} no cycling record and ${passed.length === 1 ? "was" : "were"} passed over: ${told}.`;
}

/** Spectra that have potentials and currents in time, one row a frequency. */
function isSpectrum({ settings }: CyclingFile): boolean {
  return /Impedance Spectroscopy/.test(String(settings?.["Technique"] ?? ""));
}

/** The order of day and month that the dates of all Gamry files tell together; null where they do not. */
function orderOfDates(entries: readonly CyclerEntry[]): DateOrder | null {
  const dates = entries.flatMap(({ format, head }) =>
    format.name === "gamry-dta"
      ? headLines(head).flatMap((line) => /^(?:\w*DATE)\tLABEL\t(\S+)/.exec(line)?.[1] ?? [])
      : [],
  );
  if (dates.length === 0) return null;
  const { order, certain } = dateOrder(dates);
  return certain ? order : null;
}
