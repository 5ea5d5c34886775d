/**
 * Neware .nda, the binary record of BTS 5 to 8 (file versions 5 to 29) and BTS 9 (129, 130).
 *
 *     0   "NEWARE", 8 digits of a date                14  u8 version
 *     16  u32 begin and length of the channel's block: i32 current range at 26 in it (u16 generation in BTS 9)
 *     24  u32 begin and length of the test's blocks: the time of its start as text at 37 (36 before version 11)
 *     64  u32 begin and length of the records (length 0: to the end of the file)
 *     144 u32 active mass / ug (at 152 since version 9)
 *
 * Records: neware-layouts.ts; those of BTS 9: neware-bts9.ts. Where the header points to no records they are
 * searched for. Source: NewareNDA and fastnda (BSD-3), checked on files of 8, 22, 26, 29 and 130.
 */
import type { CyclingFile, ProgrammeStep } from "../model/cycling.js";
import { FormatError } from "../model/errors.js";
import { readBytes, type ByteSource } from "./bytes.js";
import { civilText, readCivilTime, type CivilTime } from "./civil-time.js";
import { readBts9 } from "./neware-bts9.js";
import { ndaLayouts, type RowLayout } from "./neware-layouts.js";
import { countUnit_mA } from "./neware-ranges.js";
import { newareColumns, newareRecord } from "./neware-record.js";
import { rowTable, stampAt } from "./neware-rows.js";
import { baseName } from "./text.js";

const MAGIC = "NEWARE";
const VERSION_AT = 14;
const HEADER_BYTES = 256;
/** The first record is searched for so far where the header does not point to it. */
const SEARCH_BYTES = 16 << 20;
const CHUNK_BYTES = 1 << 22;
const CURE = "Open it in Neware's BTSDA and export it as CSV.";

/** Whether a file's first bytes are those of an .nda. */
export function sniffNda(head: Uint8Array): boolean {
  return MAGIC === String.fromCharCode(...head.subarray(0, MAGIC.length));
}

/**
 * Reads an .nda. `time_s` runs on the wall clock, from the rows' dates and the times within the steps; `start` is
 * the first row's date: a civil time without zone, or with one where the file counts in UTC (versions before 26, BTS
 * 9). `charge_mAh` adds up the steps' own charges. `cycles` is how many the rows count; null in BTS 9.0, which
 * counts none.
 *
 * A file that was cut gives its whole rows and a warning. Throws FormatError for a version that is not known, a
 * current range of unknown unit, and where no records are found. Memory: about three times the file's size.
 */
export async function readNda(source: ByteSource): Promise<CyclingFile> {
  const head = await readBytes(source, 0, HEADER_BYTES);
  const version = head[VERSION_AT] ?? 0;
  if (version === 129 || version === 130) return readBts9(source, version);
  const layout = ndaLayouts.get(version);
  if (layout === undefined || head.length < HEADER_BYTES) {
    const what =
      head.length < HEADER_BYTES
        ? `the file was cut after ${source.size} bytes, inside its header. Copy it again`
        : `version ${version} of .nda (at byte ${VERSION_AT}); 5 to 9, 11 to 20, 22 to 29, 129 and 130 are read. ${CURE.slice(0, -1)}`;
    throw new FormatError(`${source.name}: ${what}.`, { path: source.name, offset: VERSION_AT });
  }
  const warnings: string[] = [];
  const say = (sentence: string): void => void warnings.push(`${baseName(source.name)}: ${sentence}`);
  if (!layout.checked) {
    say(`version ${version} of .nda has not been compared with the vendor's own export: check the values.`);
  }
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  const region = await findRecords(source, view, layout);
  const fileRange = await rangeOfFile(source, view, layout);
  const there = Math.max(0, Math.floor((region.end - region.begin) / layout.bytes));
  if (region.claimed > source.size) {
    const lost = Math.ceil((region.claimed - region.begin) / layout.bytes) - there;
    say(`the file was cut after ${source.size} bytes: ${lost} of ${there + lost} records are lost.`);
  } else if (region.end - region.begin > there * layout.bytes) {
    say("the file ends inside a record, which is left out: it was cut, or is still being written.");
  }
  const table = rowTable({
    name: source.name,
    layout,
    room: there,
    fileRange,
    cycleShift: version === 6 || version === 8 ? 0 : 1,
    cure: CURE,
  });
  const atOnce = Math.max(1, Math.floor(CHUNK_BYTES / layout.bytes));
  for (let record = 0; record < there; record += atOnce) {
    const from = region.begin + record * layout.bytes;
    const bytes = await readBytes(source, from, Math.min(atOnce, there - record) * layout.bytes);
    const chunk = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = 0; at + layout.bytes <= bytes.length; at += layout.bytes) table.take(chunk, at, from + at);
  }
  if (table.unranged > 0) {
    say(`${table.unranged} rows count a current in the current range 0, whose unit is not known: they are taken as 0.`);
  }
  const started = await startOfTest(source, view, version);
  return newareRecord(table.rows(), {
    name: source.name,
    format: "neware-nda",
    columns: newareColumns,
    resolution_s: 1,
    elapsed: "step",
    clock: layout.dated === "civil" ? "civil" : "utc",
    started,
    settings: settingsOf(view, version, started, fileRange),
    warnings,
  });
}

interface Region {
  readonly begin: number;
  /** Where the records end in this file. */
  readonly end: number;
  /** Where they end by the header; past the file's size where it was cut. */
  readonly claimed: number;
}

async function findRecords(source: ByteSource, head: DataView, layout: RowLayout): Promise<Region> {
  const begin = head.getUint32(64, true);
  const length = head.getUint32(68, true);
  const claimed = length === 0 ? source.size : begin + length;
  if (begin >= HEADER_BYTES && begin <= source.size) {
    const first = await readBytes(source, begin, 2 * layout.bytes);
    const isRecord = (at: number): boolean =>
      at >= first.length || eventKinds.has(first[at]!) || isRow(first, at, layout);
    if (isRecord(0) && isRecord(layout.bytes)) return { begin, end: Math.min(claimed, source.size), claimed };
  }
  const bytes = await readBytes(source, HEADER_BYTES, Math.min(SEARCH_BYTES, source.size));
  for (let at = 0; at + layout.bytes <= bytes.length; at++) {
    if (bytes[at] !== 0x55 || bytes[at + layout.index] !== 1 || !isRow(bytes, at, layout)) continue;
    const next = at + layout.bytes;
    if (next < bytes.length && !eventKinds.has(bytes[next]!) && !layout.kinds.includes(bytes[next]!)) continue;
    return { begin: HEADER_BYTES + at, end: source.size, claimed: source.size };
  }
  throw new FormatError(
    begin > source.size
      ? `${source.name}: the file was cut after ${source.size} bytes, before its records at byte ${begin}. Copy it again.`
      : `${source.name}: no records are found at byte ${begin}, where the header puts them, or elsewhere. ${CURE}`,
    { path: source.name, offset: Math.min(begin, source.size) },
  );
}

/** First bytes of records that are no rows: auxiliary channels, events. */
const eventKinds = new Set([0x65, 0x74, 0xaa, 0xff]);
const LAST_STATUS = 40;

/** Whether a row's record may begin at a place: its kind, number, status and date are such. */
function isRow(bytes: Uint8Array, at: number, layout: RowLayout): boolean {
  if (at + layout.bytes > bytes.length) return layout.kinds.includes(bytes[at]!);
  const status = bytes[at + layout.status]!;
  if (!layout.kinds.includes(bytes[at]!) || status > LAST_STATUS) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, layout.bytes);
  const number = view.getUint32(layout.index, true);
  return number > 0 && number < 0x4000_0000 && !Number.isNaN(stampAt(view, layout.date, layout.dated));
}

/** The current range of the whole file; null where it is not told and each record tells its own. */
async function rangeOfFile(source: ByteSource, head: DataView, layout: RowLayout): Promise<number | null> {
  const at = head.getUint32(16, true) + 26;
  const bytes = at < HEADER_BYTES ? new Uint8Array() : await readBytes(source, at, 4);
  const range = bytes.length < 4 ? null : new DataView(bytes.buffer, bytes.byteOffset, 4).getInt32(0, true);
  if (range !== null && countUnit_mA(range) !== null) return range;
  if (layout.range !== null) return null;
  throw new FormatError(
    `${source.name}: the file's current range is ${range ?? "missing"} (at byte ${at}), whose unit is not known. ${CURE}`,
    { path: source.name, offset: Math.min(at, source.size) },
  );
}

/** When the test was started, from the first of its blocks. */
async function startOfTest(source: ByteSource, head: DataView, version: number): Promise<CivilTime | null> {
  const begin = head.getUint32(24, true);
  if (begin < HEADER_BYTES) return null;
  const bytes = await readBytes(source, begin + (version < 11 ? 36 : 37), 19);
  return readCivilTime(String.fromCharCode(...bytes));
}

function settingsOf(
  head: DataView,
  version: number,
  started: CivilTime | null,
  fileRange: number | null,
): ProgrammeStep {
  const mass_ug = head.getUint32(version < 9 ? 144 : 152, true);
  return {
    "nda version": version,
    ...(started === null ? {} : { "start of test": civilText(started) }),
    ...(fileRange === null ? {} : { "current range / mA": fileRange }),
    "active mass / mg": mass_ug === 0 ? null : mass_ug / 1000,
  };
}
