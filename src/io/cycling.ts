/** The cycler's formats that are read, and files of one run joined on one clock. */
import type { CyclingFile, OtherFile } from "../model/cycling.js";
import { ParameterError } from "../model/errors.js";
import { sniffJet } from "./arbin-jet.js";
import { readArbinRes } from "./arbin-res.js";
import { readXlsx } from "./arbin-xlsx.js";
import { readMpr, sniffMpr } from "./biologic-mpr.js";
import { readMps, sniffMps } from "./biologic-mps.js";
import { readMpt, sniffMpt } from "./biologic-mpt.js";
import { readBdf, sniffBdf } from "./bdf.js";
import { readCyclingCsv, sniffCyclingCsv } from "./cycling-csv.js";
import { readGamry, sniffGamry } from "./gamry.js";
import { readNda, sniffNda } from "./neware-nda.js";
import { readNdax, sniffNdax } from "./neware-ndax.js";
import { readTdmsOther } from "./tdms.js";
import { isTdms } from "./tdms-segments.js";
import { isHdf5 } from "./hdf5.js";
import { readHdf5Cycling } from "./hdf5-cycling.js";
import { isMatlab, readMatlab } from "./matlab.js";
import type { ByteSource } from "./bytes.js";
import { civilText, later, readCivilTime, secondsBetween, type DateOrder } from "./civil-time.js";
import { medianStep } from "./cycling-record.js";
import { readParquet, sniffParquet } from "./parquet.js";
import { baseName } from "./text.js";
import { sniffXlsx } from "./xlsx.js";

/** What the user states of a cycler's files; a format takes what concerns it. */
export interface CyclingOptions {
  /** Meaning of the rows of an unlabelled table ("time_s", "potential_V", "current_mA", "current_A", ..., "" for none). */
  readonly potentiostatRows?: readonly string[];
  /** The order of day and month that other files of the same run tell. */
  readonly dateOrder?: DateOrder;
}

/** A format: how it is told from a file's first bytes (up to 64 KiB), and its reader. */
export interface CyclingFormat {
  readonly name: string;
  sniff(head: Uint8Array, source: ByteSource): boolean | Promise<boolean>;
  /** Decoded by code that is not ours: on this machine it runs where it can be stopped. */
  readonly foreign?: boolean;
  /** Its files are no cycler's: they are read to say what they hold. */
  readonly aside?: boolean;
  read(source: ByteSource, options?: CyclingOptions): Promise<CyclingFile | OtherFile>;
}

/** In the order in which they are tried; the last takes any text and says what it lacks. */
export const cyclingFormats: readonly CyclingFormat[] = [
  { name: "biologic-mpr", sniff: sniffMpr, read: readMpr },
  { name: "biologic-mpt", sniff: sniffMpt, read: readMpt },
  { name: "biologic-mps", sniff: sniffMps, read: readMps },
  { name: "tdms", sniff: isTdms, read: readTdmsOther, aside: true },
  { name: "gamry-dta", sniff: sniffGamry, read: readGamry },
  { name: "arbin-res", sniff: sniffJet, read: readArbinRes },
  { name: "xlsx", sniff: sniffXlsx, read: readXlsx },
  { name: "parquet", sniff: sniffParquet, foreign: true, read: readParquet },
  { name: "bdf-csv", sniff: sniffBdf, read: readBdf },
  { name: "hdf5", sniff: isHdf5, foreign: true, read: readHdf5Cycling },
  { name: "matlab", sniff: isMatlab, read: readMatlab },
  { name: "neware-nda", sniff: sniffNda, read: readNda },
  { name: "neware-ndax", sniff: sniffNdax, read: readNdax },
  { name: "csv", sniff: sniffCyclingCsv, read: (source) => readCyclingCsv(source) },
];

/** The format of a file by its first bytes; undefined where none of them knows it. */
export async function formatOf(head: Uint8Array, source: ByteSource): Promise<CyclingFormat | undefined> {
  for (const format of cyclingFormats) if (await format.sniff(head, source)) return format;
  return undefined;
}

/** Whether a file holds a cycling record, not something else. */
export function isCycling(file: CyclingFile | OtherFile): file is CyclingFile {
  return "time_s" in file;
}

/**
 * Files of one run as one record. They are ordered by the civil time of their first row where all have one on one
 * kind of clock, else taken as given; each file's time counts from its own start, so all are laid on one clock by
 * their starts. A file without a start follows the one before it end to end. The charge runs on across
 * files; what passed in a gap is not known. Gaps, overlaps and everything assumed stand in the warnings.
 */
export function joinCycling(files: readonly CyclingFile[]): CyclingFile {
  const warnings = files.flatMap((file) => file.warnings);
  const say = (file: CyclingFile, sentence: string): void => void warnings.push(`${baseName(file.name)}: ${sentence}`);
  const [only, ...others] = files;
  if (only === undefined)
    throw new ParameterError("no file was given to join. Name one.", { parameter: "cycling", value: [] });
  if (others.length === 0) return only;

  for (const file of files) if (file.time_s.length === 0) say(file, "the file has no row and is left out.");
  const parts = inOrder(files.filter(({ time_s }) => time_s.length > 0));
  const placed: Placed[] = [];
  for (const file of parts) {
    placed.push(place(file, anchorOf(placed), placed.at(-1), (sentence) => say(file, sentence)));
  }
  const rows = placed.reduce((sum, { file, from }) => sum + file.time_s.length - from, 0);
  const joined = {
    time_s: new Float64Array(rows),
    potential_V: new Float64Array(rows),
    current_mA: new Float64Array(rows),
    charge_mAh: new Float64Array(rows),
  };
  let at = 0;
  let charge_mAh = 0;
  for (const [index, { file, from, shift_s }] of placed.entries()) {
    const time_s = file.time_s.subarray(from);
    // The first file keeps its own zero of charge; a later one goes on from the charge before it.
    const rise_mAh = index === 0 ? 0 : charge_mAh - (file.charge_mAh[from] ?? 0);
    joined.potential_V.set(file.potential_V.subarray(from), at);
    joined.current_mA.set(file.current_mA.subarray(from), at);
    for (let row = 0; row < time_s.length; row++) {
      joined.time_s[at + row] = time_s[row]! + shift_s;
      joined.charge_mAh[at + row] = file.charge_mAh[from + row]! + rise_mAh;
    }
    at += time_s.length;
    // Where a file's current is unknown, so is its charge: the next goes on from the last that is known.
    const last_mAh = joined.charge_mAh[at - 1];
    if (last_mAh !== undefined && Number.isFinite(last_mAh)) charge_mAh = last_mAh;
  }
  const formats = new Set(files.map(({ format }) => format));
  const settings = parts.find((file) => file.settings !== undefined)?.settings;
  const programme = parts.flatMap((file) => file.programme ?? []);
  return {
    ...joined,
    name: `${only.name} and ${others.length} more`,
    format: [...formats].join("+"),
    start: startOf(anchorOf(placed)) ?? only.start,
    columns: [...new Set(files.flatMap(({ columns }) => columns))],
    cycles: files.some(({ cycles }) => cycles === null)
      ? null
      : files.reduce((sum, { cycles }) => sum + (cycles ?? 0), 0),
    ...(settings === undefined ? {} : { settings }),
    ...(programme.length === 0 ? {} : { programme }),
    warnings,
  };
}

interface Placed {
  readonly file: CyclingFile;
  /** Added to the file's times to count from the first file's zero. */
  readonly shift_s: number;
  /** First row that is used. */
  readonly from: number;
  readonly end_s: number;
}

function inOrder(files: readonly CyclingFile[]): CyclingFile[] {
  const reference = files[0]?.start ?? null;
  const begin = new Map<CyclingFile, number>();
  for (const file of files) {
    const seconds = reference === null || file.start === null ? null : secondsBetween(reference, file.start);
    if (seconds === null) return [...files];
    begin.set(file, seconds + file.time_s[0]!);
  }
  return [...files].sort((a, b) => begin.get(a)! - begin.get(b)!);
}

// Starts are often written in whole seconds: so much may two files overlap without meaning anything.
const START_RESOLUTION_S = 2;

/** The first file whose civil time is known: all others with a start are laid by it. */
function anchorOf(placed: readonly Placed[]): Placed | null {
  return placed.find(({ file }) => file.start !== null) ?? null;
}

/** Civil time at which the joined record's time is 0. */
function startOf(anchor: Placed | null): string | null {
  const start = anchor === null ? null : readCivilTime(anchor.file.start!);
  return start === null ? null : civilText(later(start, -anchor!.shift_s));
}

function place(
  file: CyclingFile,
  anchor: Placed | null,
  before: Placed | undefined,
  say: (sentence: string) => void,
): Placed {
  const { time_s } = file;
  const done = (shift_s: number, from = 0): Placed => ({ file, shift_s, from, end_s: time_s.at(-1)! + shift_s });
  if (before === undefined) return done(0);
  const name = baseName(before.file.name);
  const step_s = time_s.length > 1 ? time_s[1]! - time_s[0]! : 0;
  const endToEnd_s = before.end_s + step_s - time_s[0]!;
  const between_s = anchor === null || file.start === null ? null : secondsBetween(anchor.file.start!, file.start);
  if (between_s === null) {
    const why =
      file.start === null
        ? "the file has no start time"
        : anchor === null
          ? "what comes before the file has no start time"
          : "the file has a start time on another kind of clock";
    say(`${why}; it is laid end to end after ${name}.`);
    return done(endToEnd_s);
  }
  const start_s = between_s + anchor!.shift_s;
  const gap_s = time_s[0]! + start_s - before.end_s;
  if (gap_s >= 0) {
    const usual_s = Math.max(medianStep(time_s) || 0, medianStep(before.file.time_s) || 0);
    if (gap_s > Math.max(1, 5 * usual_s)) say(`a gap of ${seconds(gap_s)} after ${name}; no charge is counted in it.`);
    return done(start_s);
  }
  if (-gap_s <= START_RESOLUTION_S) return done(endToEnd_s);
  const from = time_s.findIndex((time) => time + start_s > before.end_s);
  if (from < 0) {
    say(`the file lies within ${name} by its start time and is left out.`);
    return { ...done(start_s, time_s.length), end_s: before.end_s };
  }
  say(`the file overlaps ${name} by ${seconds(-gap_s)}; its first ${from} rows are left out.`);
  return done(start_s, from);
}

function seconds(value_s: number): string {
  return `${Number(value_s.toPrecision(4))} s`;
}
