/**
 * Neware .ndax, the archive of BTS 8: streams of records (neware-ndc.ts) and documents (neware-xml.ts) in a zip.
 *
 *     data.ndc          potential and current of every row (whole rows in versions 2, 4, 5)
 *     data_runInfo.ndc  time, date and charge of some rows; those between follow evenly
 *     data_step.ndc     cycle and step of every step begun
 *     data_AUX_<channel>_<type>_<id>.ndc, data_<n>.ndc   auxiliary channels: named, not read
 *     TestInfo.xml, Step.xml, VersionInfo.xml, NdaxConfig.xml; of a test that was changed, those before: Step0.xml ...
 *
 * Source: NewareNDA and fastnda (BSD-3), checked against exports of the vendor's program.
 */
import type { CyclingFile, ProgrammeStep } from "../model/cycling.js";
import { FormatError } from "../model/errors.js";
import type { ByteSource } from "./bytes.js";
import { fileName, isStream, openArchive, readArchiveFile, streamKind, type NewareArchive } from "./neware-archive.js";
import { ndcRowLayouts } from "./neware-layouts.js";
import {
  ndcKinds,
  ndcLayouts,
  ndcRowPlaces,
  readNdcData,
  readRunInfo,
  readSteps,
  type BegunStep,
  type NdcData,
  type NdcLayout,
  type RunInfo,
} from "./neware-ndc.js";
import { countCycles, newareColumns, newareRecord, type NewareFacts, type NewareRows } from "./neware-record.js";
import { rowTable } from "./neware-rows.js";
import { statusDirection } from "./neware-status.js";
import { countsByCharge, readStepFile, readTestInfo, readVersionInfo, type TestInfo } from "./neware-xml.js";
import { baseName } from "./text.js";
import type { ZipEntry } from "./zip.js";

export { sniffNdax } from "./neware-archive.js";

const CURE = "Open it in Neware's BTSDA and export it as CSV.";
/** Documents are read up to here. */
const DOCUMENT_BYTES = 1 << 20;
/** So many streams of other names are looked into for one that is missing. */
const STREAMS = 64;

type Say = (sentence: string) => void;

/**
 * Reads an .ndax. `time_s` runs on the wall clock, from the dates in runInfo and the intervals between them; `start`
 * is the first row's, with the zone that TestInfo's local time of start tells, else "Z". `charge_mAh` adds up the
 * steps' own charges; between the entries of runInfo it follows the current, as the vendor's program has it. `cycles` is
 * how many the steps count, or the charges after discharges where NdaxConfig bids so. A test that recorded nothing has
 * no row.
 *
 * An archive that was cut is read by its local headers up to the cut: rows whose times are lost are left out,
 * with a warning. Throws FormatError for streams of unknown version, a damaged or encrypted archive, one cut before
 * its data or times, and one that unpacks to more than neware-archive.ts allows.
 */
export async function readNdax(source: ByteSource): Promise<CyclingFile> {
  const warnings: string[] = [];
  const say: Say = (sentence) => void warnings.push(`${baseName(source.name)}: ${sentence}`);
  const archive = await openArchive(source);
  const streams = await findStreams(source, archive);
  const documents = await readDocuments(source, archive, say);
  if (streams.data === undefined) {
    const cut = archive.cut ? `the archive was cut after ${source.size} bytes, before its data. Copy it again.` : null;
    const names = archive.entries.map(({ name }) => name).slice(0, 10);
    throw new FormatError(
      `${source.name}: ${cut ?? `the archive holds no stream of data, only ${names.join(", ") || "nothing"}. ${CURE}`}`,
      { path: source.name, offset: archive.cut ? source.size : 0 },
    );
  }
  const { bytes: data, size } = await readArchiveFile(source, archive, streams.data);
  if (archive.cut) say(`the archive was cut after ${source.size} bytes; it is read up to there.`);
  if (data.length < size) say(`${streams.data.name} has ${data.length} of its ${size} bytes.`);
  if (data.length < 3) {
    throw new FormatError(
      `${source.name}: ${streams.data.name} ${archive.cut ? `was cut: the archive ends after ${source.size} bytes` : "is empty"}. Copy it again.`,
      { path: source.name, offset: streams.data.offset },
    );
  }
  const version = data[2]!;
  const facts: NewareFacts = {
    name: source.name,
    format: "neware-ndax",
    columns: [...newareColumns, ...auxiliaryColumns(archive, streams, documents.test)],
    resolution_s: 0,
    elapsed: "step",
    clock: "utc",
    started: documents.test?.started ?? null,
    settings: { "ndc version": version, ...documents.settings },
    ...(documents.programme === null ? {} : { programme: documents.programme }),
    warnings,
  };
  if (ndcRowLayouts.has(version)) {
    return newareRecord(wholeRows(source.name, data, version, say), { ...facts, resolution_s: 1, clock: "civil" });
  }
  const layout = ndcLayouts.get(version);
  if (layout === undefined) {
    const known = [...ndcRowLayouts.keys(), ...ndcLayouts.keys()].join(", ");
    throw new FormatError(
      `${source.name}: ${streams.data.name} has version ${version} of .ndc (at byte 2 of it); ${known} are read. ${CURE}`,
      { path: source.name, offset: streams.data.offset },
    );
  }
  if (!layout.checked) {
    say(`version ${version} of .ndc has not been compared with the vendor's own export: check the values.`);
  }
  const columns = readNdcData(data, layout);
  if (columns.place.length === 0) return newareRecord(noRows, { ...facts, cycles: 0 });
  if (streams.runInfo === undefined) {
    throw new FormatError(
      `${source.name}: the archive ${archive.cut ? `was cut after ${source.size} bytes, before` : "holds no"} runInfo, ` +
        `the times of its ${columns.place.length} rows. ${archive.cut ? "Copy it again." : CURE}`,
      { path: source.name, offset: archive.cut ? source.size : 0 },
    );
  }
  const runInfo = await readArchiveFile(source, archive, streams.runInfo);
  const entries = readRunInfo(runInfo.bytes, layout);
  const isWhole = !(runInfo.bytes.length < runInfo.size) && !(archive.cut && Number.isNaN(runInfo.size));
  const rows = timedRows(source.name, columns, entries, isWhole, say);
  const steps = await stepsOf(source, archive, streams.steps, layout, entries, say);
  const cycles =
    steps === null || steps.length === 0
      ? null
      : documents.byCharge
        ? chargesAfterDischarges(steps)
        : countCycles(steps.map(({ cycle }) => cycle));
  return newareRecord(rows, { ...facts, cycles });
}

interface Streams {
  readonly data: ZipEntry | undefined;
  readonly runInfo: ZipEntry | undefined;
  readonly steps: ZipEntry | undefined;
}

/** The streams by their usual names, else by the byte that tells their kind. */
async function findStreams(source: ByteSource, archive: NewareArchive): Promise<Streams> {
  const streams = archive.entries.filter(({ name }) => isStream(name));
  const named = (name: string): ZipEntry | undefined =>
    streams.find((entry) => fileName(entry.name).toLowerCase() === name);
  const found = { data: named("data.ndc"), runInfo: named("data_runinfo.ndc"), steps: named("data_step.ndc") };
  const missing = (["data", "runInfo", "steps"] as const).filter((kind) => found[kind] === undefined);
  if (missing.length === 0) return found;
  const used = new Set(Object.values(found));
  for (const entry of streams.filter((stream) => !used.has(stream)).slice(0, STREAMS)) {
    const kind = (await streamKind(source, archive, entry))?.kind;
    for (const name of missing) if (kind === ndcKinds[name]) found[name] ??= entry;
  }
  return found;
}

interface Documents {
  readonly test: TestInfo | null;
  readonly settings: ProgrammeStep;
  readonly programme: readonly ProgrammeStep[] | null;
  /** Whether cycles begin with a charge, whatever the loops of the programme count. */
  readonly byCharge: boolean;
}

async function readDocuments(source: ByteSource, archive: NewareArchive, say: Say): Promise<Documents> {
  const read = async (name: string): Promise<Uint8Array | null> => {
    const entry = archive.entries.find((candidate) => fileName(candidate.name).toLowerCase() === name);
    if (entry === undefined) return null;
    try {
      return (await readArchiveFile(source, archive, entry, DOCUMENT_BYTES)).bytes;
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      say(`${entry.name} is not read: it is damaged, encrypted or too large.`);
      return null;
    }
  };
  const info = await read("testinfo.xml");
  const step = await read("step.xml");
  const version = await read("versioninfo.xml");
  const config = await read("ndaxconfig.xml");
  const test = info === null ? null : readTestInfo(info);
  const programme = step === null ? null : readStepFile(step);
  return {
    test,
    settings: {
      ...(version === null ? {} : readVersionInfo(version)),
      ...programme?.settings,
      ...test?.settings,
    },
    programme: programme === null || programme.programme.length === 0 ? null : programme.programme,
    byCharge: config !== null && countsByCharge(config),
  };
}

/** Names of the auxiliary channels: by TestInfo where it lists as many as there are streams, else by number. */
function auxiliaryColumns(archive: NewareArchive, streams: Streams, test: TestInfo | null): string[] {
  const used = new Set(Object.values(streams).map((entry) => entry?.name));
  const count = archive.entries.filter(
    ({ name }) => !used.has(name) && /^data_(AUX_\d+_\d+_)?\d+\.ndc$/i.test(fileName(name)),
  ).length;
  if (test !== null && test.auxiliary.length === count) return [...test.auxiliary];
  return Array.from({ length: count }, (_, at) => `Aux${at + 1}`);
}

function wholeRows(name: string, data: Uint8Array, version: number, say: Say): NewareRows {
  const layout = ndcRowLayouts.get(version)!;
  const places = ndcRowPlaces(data, version, layout);
  const table = rowTable({ name, layout, room: places.length, fileRange: null, cycleShift: 1, cure: CURE });
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  for (let row = 0; row < places.length; row++) table.take(view, places[row]!, places[row]!);
  if (table.unranged > 0) {
    say(`${table.unranged} rows count a current in the current range 0, whose unit is not known: they are taken as 0.`);
  }
  return table.rows();
}

const none = new Float64Array(0);
const noRows: NewareRows = {
  index: none,
  step: none,
  cycle: null,
  stamp_s: none,
  elapsed_s: none,
  potential_V: none,
  current_mA: none,
  stepCharge_mAh: none,
};

/** Rows with the times and charges of runInfo, and what follows evenly between its entries. */
function timedRows(name: string, data: NdcData, entries: readonly RunInfo[], isWhole: boolean, say: Say): NewareRows {
  const rows = data.place.length;
  const [first, last] = [entries[0], entries.at(-1)];
  if (first === undefined || last === undefined) {
    throw new FormatError(`${name}: runInfo has no entry: the times of ${rows} rows are not known. ${CURE}`, {
      path: name,
    });
  }
  // Rows are numbered by their places; where pages are filled in part, by their order if that is what runInfo counts.
  const byPlace = last.index > rows;
  const numberOf = (row: number): number => (byPlace ? data.place[row]! + 1 : row + 1);
  let from = 0;
  while (from < rows && numberOf(from) < first.index) from++;
  let to = rows;
  if (!isWhole) while (to > from && numberOf(to - 1) > last.index) to--;
  if (from > 0) say(`the first ${from} of ${rows} rows have no time and are left out.`);
  if (to < rows) say(`times are there for ${to} of ${rows} rows; the ${rows - to} others are left out.`);
  if (byPlace && last.index > data.place[rows - 1]! + 1) {
    say(`potential and current are there up to row ${data.place[rows - 1]! + 1}, times up to row ${last.index}.`);
  }
  const count = to - from;
  const column = (): Float64Array => new Float64Array(count);
  const [index, step, stamp_s, elapsed_s, stepCharge_mAh] = [column(), column(), column(), column(), column()];
  const potential_V = data.potential_V.subarray(from, to);
  const current_mA = data.current_mA.subarray(from, to);
  let entry = 0;
  let since = 0;
  for (let row = 0; row < count; row++) {
    const number = numberOf(from + row);
    while (entry + 1 < entries.length && entries[entry + 1]!.index <= number) {
      entry++;
      since = row;
    }
    const known = entries[entry]!;
    const next = entries[entry + 1];
    const gone_s = (number - known.index) * intervalAfter(known, next);
    index[row] = number;
    step[row] = known.step;
    stamp_s[row] = known.stamp_s + gone_s;
    elapsed_s[row] = known.elapsed_s + gone_s;
    if (number === known.index || row === since) stepCharge_mAh[row] = known.charge_mAh;
    else {
      const passed_mAh = (current_mA[row]! * (elapsed_s[row]! - elapsed_s[row - 1]!)) / 3600;
      stepCharge_mAh[row] = stepCharge_mAh[row - 1]! + (Number.isNaN(passed_mAh) ? 0 : passed_mAh);
    }
  }
  return { index, step, cycle: null, stamp_s, elapsed_s, potential_V, current_mA, stepCharge_mAh };
}

/** Seconds between the rows behind an entry: its own interval, or an even share where that would pass the next entry. */
function intervalAfter(known: RunInfo, next: RunInfo | undefined): number {
  if (next === undefined) return known.interval_s;
  const span_s = next.step === known.step ? next.elapsed_s - known.elapsed_s : next.stamp_s - known.stamp_s;
  const gap = next.index - known.index;
  const fits = known.interval_s > 0 && (gap - 1) * known.interval_s <= span_s;
  return fits || !(span_s >= 0) ? known.interval_s : span_s / gap;
}

/** The steps that runInfo has begun; null where they are not there. */
async function stepsOf(
  source: ByteSource,
  archive: NewareArchive,
  stream: ZipEntry | undefined,
  layout: NdcLayout,
  entries: readonly RunInfo[],
  say: Say,
): Promise<BegunStep[] | null> {
  if (stream === undefined) return null;
  try {
    const steps = readSteps((await readArchiveFile(source, archive, stream)).bytes, layout);
    return steps.slice(0, new Set(entries.map(({ step }) => step)).size);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    say(`${stream.name} is not read: it is damaged or encrypted; cycles are not counted.`);
    return null;
  }
}

/** How many cycles begin where each begins with the first charge after a discharge. */
function chargesAfterDischarges(steps: readonly BegunStep[]): number {
  let cycles = 1;
  let before = 0;
  for (const { status } of steps) {
    const direction = statusDirection(status);
    if (direction > 0 && before < 0) cycles++;
    if (direction !== 0) before = direction;
  }
  return cycles;
}
