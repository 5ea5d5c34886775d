/**
 * The segments of a LabVIEW TDMS file: its objects with their properties, and where the samples of each channel stand.
 *
 *     segment: 28 bytes lead-in, metadata, raw data
 *         "TDSm" | u32 what it holds (little-endian): 2 metadata, 4 new list of objects, 8 raw data, 32 interleaved,
 *         64 big-endian, 128 DAQmx | u32 version 4712 or 4713 | u64 bytes to the next segment | u64 bytes to raw data,
 *         both from the end of the lead-in; all ones in the first: the writer did not close the segment
 *     metadata: u32 objects, each: text path /'group'/'channel' | index | u32 properties, each: text, u32 type, value
 *         index: u32 0xffffffff no data | 0 as before | 0x1269, 0x126a, 0x1369 DAQmx
 *                else its length, u32 type, u32 dimension 1, u64 samples, for texts: u64 bytes
 *     raw data: chunks, each the samples of all channels, one channel after the other, or interleaved; texts are
 *         u32 ends, one a text, then their bytes
 *     text: u32 length, UTF-8. time stamp: u64 parts of 2^-64 s, i64 s since 1904-01-01 UTC; reversed in big-endian
 *
 * A segment without metadata repeats the last list. Objects that a segment does not list stay as they were, unless the
 * list is new. Source: "TDMS File Format Internal Structure" (NI), and files of LabVIEW and of others.
 */
import { FormatError } from "../model/errors.js";
import type { ByteSource } from "./bytes.js";
import { windows, type Reader } from "./tiff-directory.js";

/** A property: a number, a text, a time stamp in milliseconds since 1970, or null for a type that is not looked at. */
export type TdmsValue = number | string | { readonly stamp_ms: number } | null;

/** Samples of a channel that stand in one rhythm: `chunks` times `perChunk` samples, one every `stride` bytes. */
export interface TdmsRun {
  /** Number of the channel's first sample in it. */
  readonly first: number;
  readonly offset: number;
  readonly perChunk: number;
  readonly chunks: number;
  /** Bytes from one chunk to the next. */
  readonly chunkBytes: number;
  readonly stride: number;
  readonly littleEndian: boolean;
}

/** The file, a group or a channel. */
export interface TdmsObject {
  /** Empty for the file, one name for a group, two for a channel. */
  readonly path: readonly string[];
  readonly properties: ReadonlyMap<string, TdmsValue>;
  /** Type of the samples by its number; null where it has none. 0xffffffff is DAQmx. */
  readonly type: number | null;
  readonly samples: number;
  readonly runs: readonly TdmsRun[];
}

/** All that a file tells, up to where it is cut or damaged. */
export interface TdmsFile {
  readonly objects: readonly TdmsObject[];
  readonly segments: number;
  readonly warnings: readonly string[];
}

/** The type of channels that stand in the raw layout of a DAQmx device. */
export const daqmxType = 0xffffffff;

/** More segments than a frame each of any movie. */
export const maxSegments = 1_000_000;
/** Bytes of one segment's metadata. */
export const maxSegmentMetadataBytes = 1 << 26;
/** Objects in a file. */
export const maxObjects = 100_000;
/** Channels of all segments together, each counted in every segment that has samples of it. */
export const maxLooks = 50_000_000;

const leadBytes = 28;
const allOnes = 0xffffffffffffffffn;

/** Bytes of a sample by its type: integers, floats (also with a unit), bool, time stamp, complex; 0x20 are texts. */
const sampleBytes = new Map<number, number>([
  [0x01, 1],
  [0x02, 2],
  [0x03, 4],
  [0x04, 8],
  [0x05, 1],
  [0x06, 2],
  [0x07, 4],
  [0x08, 8],
  [0x09, 4],
  [0x0a, 8],
  [0x0b, 16],
  [0x19, 4],
  [0x1a, 8],
  [0x1b, 16],
  [0x21, 1],
  [0x44, 16],
  [0x08000c, 8],
  [0x10000d, 16],
]);
const textType = 0x20;

/** Bytes of a sample of a type; null where it has no fixed size or is unknown. */
export function tdmsSampleBytes(type: number): number | null {
  return sampleBytes.get(type) ?? null;
}

/** Whether a file begins as TDMS does. */
export function isTdms(head: Uint8Array): boolean {
  return head[0] === 0x54 && head[1] === 0x44 && head[2] === 0x53 && head[3] === 0x6d;
}

/** An object as it is built up over the segments. */
interface Growing {
  readonly path: readonly string[];
  readonly properties: Map<string, TdmsValue>;
  type: number | null;
  /** Samples and bytes in one chunk, by its last index. */
  perChunk: number;
  bytes: number;
  samples: number;
  readonly runs: TdmsRun[] | null;
}

interface Objects {
  readonly byPath: Map<string, Growing>;
  readonly wanted: (path: readonly string[]) => boolean;
  /** Those that have samples in the current segment, in their order, and the bytes of one chunk of all. */
  readonly list: Set<Growing>;
  chunkBytes: number;
  /** How many of the list are a DAQmx device's. */
  daqmx: number;
}

interface Lead {
  readonly toc: number;
  readonly littleEndian: boolean;
  readonly dataAt: number;
  readonly end: number;
  readonly closed: boolean;
}

/**
 * Follows the segments of a file, at most a million; no sample is read. Where the samples stand is noted of the
 * channels that are `wanted` alone.
 * A segment that is cut or damaged ends the walk with a warning, the segments before it are used.
 * Throws FormatError where not even the first can be read.
 */
export async function readTdms(
  source: ByteSource,
  wanted: (path: readonly string[]) => boolean = () => false,
): Promise<TdmsFile> {
  const reader = windows(source);
  const objects: Objects = { byPath: new Map(), wanted, list: new Set(), chunkBytes: 0, daqmx: 0 };
  const warnings: string[] = [];
  let at = 0;
  let segments = 0;
  let looks = 0;
  while (at < source.size) {
    const stop = (what: string): void => {
      if (segments === 0) {
        throw new FormatError(`${source.name}: its first segment ${what}. Copy it again.`, {
          path: source.name,
          offset: at,
        });
      }
      warnings.push(
        `segment ${segments} at byte ${at} ${what}: the ${source.size - at} bytes from there on are not used.`,
      );
    };
    if (segments === maxSegments) {
      stop(`is one of more than ${maxSegments}`);
      break;
    }
    const lead = await readLead(source, reader, at);
    if (typeof lead === "string") {
      stop(lead);
      break;
    }
    if ((lead.toc & 2) !== 0) {
      const trouble = await readMetadata(source, reader, at + leadBytes, lead, objects);
      if (trouble !== null) {
        stop(trouble);
        break;
      }
    }
    const held = Math.max(0, lead.end - lead.dataAt);
    if ((lead.toc & 8) !== 0 && held > 0) {
      const trouble = addRuns(lead, held, objects);
      if (trouble !== null) warnings.push(`segment ${segments} at byte ${at} ${trouble}.`);
      looks += objects.list.size;
    }
    if (looks > maxLooks) {
      stop(`has channels for the ${maxLooks}th time`);
      break;
    }
    if (!lead.closed) {
      warnings.push(
        `the last segment, at byte ${at}, was not closed or is cut off: what the file holds of it is used.`,
      );
    }
    segments++;
    at = lead.end;
  }
  if (segments === 0) {
    throw new FormatError(`${source.name}: holds no segment. Copy it again.`, { path: source.name, offset: 0 });
  }
  return {
    objects: [...objects.byPath.values()].map((object) => ({ ...object, runs: object.runs ?? [] })),
    segments,
    warnings,
  };
}

async function readLead(source: ByteSource, reader: Reader, at: number): Promise<Lead | string> {
  const view = await reader(at, leadBytes);
  if (view === null) return `is cut off inside its lead-in, after ${source.size - at} bytes`;
  const head = new Uint8Array(view.buffer, view.byteOffset, 4);
  if (!isTdms(head))
    return `begins with ${[...head].map((byte) => byte.toString(16).padStart(2, "0")).join(" ")}, not "TDSm"`;
  const toc = view.getUint32(4, true);
  const littleEndian = (toc & 64) === 0;
  const version = view.getUint32(8, littleEndian);
  if (version !== 4712 && version !== 4713) return `is of version ${version}; 4712 and 4713 are known`;
  const next = view.getBigUint64(12, littleEndian);
  const raw = view.getBigUint64(20, littleEndian);
  const start = at + leadBytes;
  const room = source.size - start;
  const closed = next !== allOnes && next <= BigInt(room);
  // Of a segment that was not closed, the offset of its data may be unknown too.
  const metadata = raw <= BigInt(room) ? Number(raw) : room;
  if (closed && raw > next) return `says that its data begins at byte ${raw} of ${next}`;
  return { toc, littleEndian, dataAt: start + metadata, end: closed ? start + Number(next) : source.size, closed };
}

/** Reads a segment's metadata into the objects and their list; gives what is wrong, or null. */
async function readMetadata(
  source: ByteSource,
  reader: Reader,
  start: number,
  lead: Lead,
  objects: Objects,
): Promise<string | null> {
  const length = lead.dataAt - start;
  if (length > maxSegmentMetadataBytes) {
    // A segment that was not closed does not say where its data begins.
    if (lead.closed) return `has ${length} bytes of metadata, more than ${maxSegmentMetadataBytes}`;
  }
  const view = await reader(start, Math.min(length, maxSegmentMetadataBytes));
  if (view === null) return `is cut off inside its metadata, after ${source.size - start} bytes`;
  try {
    parseMetadata({ view, at: 0, littleEndian: lead.littleEndian, whole: lead.closed }, lead.toc, objects);
    return null;
  } catch (error) {
    if (error instanceof Malformed) return `${error.message} (at byte ${start + error.at})`;
    if (error instanceof RangeError) {
      return lead.closed
        ? `has metadata that goes on beyond its ${view.byteLength} bytes`
        : `is cut off inside its metadata, after ${view.byteLength} bytes`;
    }
    throw error;
  }
}

class Malformed extends Error {
  readonly at: number;
  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

/** More things than the bytes hold: the file is wrong where all of them are there, cut where they are not. */
function tooMany({ whole }: Cursor, what: string, at: number): Error {
  return whole ? new Malformed(what, at) : new RangeError(what);
}

interface Cursor {
  readonly view: DataView;
  at: number;
  readonly littleEndian: boolean;
  /** Whether all of the segment is there. */
  readonly whole: boolean;
}

interface Update {
  readonly path: string;
  readonly properties: (readonly [string, TdmsValue])[];
  /** Null: no data here; undefined: as before. */
  readonly index: { type: number; perChunk: number; bytes: number } | null | undefined;
}

function parseMetadata(cursor: Cursor, toc: number, objects: Objects): void {
  const count = u32(cursor);
  // The shortest object: a path of one letter, no data, no property.
  if (count > cursor.view.byteLength / 12) throw tooMany(cursor, `claims ${count} objects`, 0);
  const updates: Update[] = [];
  // All of the metadata is read before any of it counts.
  for (let number = 0; number < count; number++) updates.push(readObject(cursor));
  const { byPath, list, wanted } = objects;
  if ((toc & 4) !== 0) {
    list.clear();
    objects.chunkBytes = 0;
    objects.daqmx = 0;
  }
  for (const { path, properties, index } of updates) {
    let object = byPath.get(path);
    if (object === undefined) {
      if (byPath.size === maxObjects) throw new Malformed(`names more than ${maxObjects} objects`, cursor.at);
      const names = splitPath(path);
      const runs = wanted(names) ? [] : null;
      object = { path: names, properties: new Map(), type: null, perChunk: 0, bytes: 0, samples: 0, runs };
      byPath.set(path, object);
    }
    for (const [name, value] of properties) object.properties.set(name, value);
    if (index === undefined && object.type === null) {
      throw new Malformed(`has data of ${path} as before, but there was none`, cursor.at);
    }
    if (list.has(object)) {
      objects.chunkBytes -= object.bytes;
      if (object.type === daqmxType) objects.daqmx--;
    }
    if (index === null) {
      list.delete(object);
      continue;
    }
    if (index !== undefined) {
      if (object.samples > 0 && object.type !== index.type) {
        throw new Malformed(`changes the type of ${path} from ${object.type} to ${index.type}`, cursor.at);
      }
      Object.assign(object, index);
    }
    list.add(object);
    objects.chunkBytes += object.bytes;
    if (object.type === daqmxType) objects.daqmx++;
  }
}

function readObject(cursor: Cursor): Update {
  const path = readText(cursor);
  const at = cursor.at;
  const kind = u32(cursor);
  let index: Update["index"] = null;
  if (kind === 0) index = undefined;
  else if (kind === 0x1269 || kind === 0x126a || kind === 0x1369) index = readDaqmx(cursor);
  else if (kind !== 0xffffffff) {
    const type = u32(cursor);
    const dimension = u32(cursor);
    const samples = u64(cursor);
    if (dimension !== 1) throw new Malformed(`has ${dimension} dimensions in ${path}, 1 is possible`, at);
    const size = type === textType ? null : tdmsSampleBytes(type);
    if (size === null && type !== textType)
      throw new Malformed(`has samples of the unknown type ${type} in ${path}`, at);
    const bytes = size === null ? u64(cursor) : samples * size;
    if (!Number.isSafeInteger(bytes)) throw new Malformed(`claims ${samples} samples of ${path} in a chunk`, at);
    index = { type, perChunk: samples, bytes };
  }
  const count = u32(cursor);
  // The shortest property: a name of no letter, a type, a byte.
  if (count > cursor.view.byteLength / 9) throw tooMany(cursor, `claims ${count} properties of ${path}`, at);
  const properties: (readonly [string, TdmsValue])[] = [];
  for (let number = 0; number < count; number++) properties.push([readText(cursor), readValue(cursor)]);
  return { path, properties, index };
}

/** Passes over the layout of a DAQmx channel: its samples are not read, only how many bytes they take. */
function readDaqmx(cursor: Cursor): { type: number; perChunk: number; bytes: number } {
  const digital = cursor.view.getUint32(cursor.at - 4, cursor.littleEndian) !== 0x1269;
  cursor.at += 8;
  const samples = u64(cursor);
  const scalers = u32(cursor);
  cursor.at += scalers * (digital ? 17 : 20);
  const widths = u32(cursor);
  if (widths > 1024) throw new Malformed(`claims ${widths} raw buffers`, cursor.at);
  for (let buffer = 0; buffer < widths; buffer++) u32(cursor);
  return { type: daqmxType, perChunk: samples, bytes: 0 };
}

function readValue(cursor: Cursor): TdmsValue {
  const type = u32(cursor);
  if (type === textType) return readText(cursor);
  const size = tdmsSampleBytes(type);
  if (size === null) throw new Malformed(`has a property of the unknown type ${type}`, cursor.at);
  const { view, at, littleEndian } = cursor;
  if (at + size > view.byteLength) throw new RangeError("property");
  cursor.at += size;
  switch (type) {
    case 0x01:
      return view.getInt8(at);
    case 0x02:
      return view.getInt16(at, littleEndian);
    case 0x03:
      return view.getInt32(at, littleEndian);
    case 0x04:
      return Number(view.getBigInt64(at, littleEndian));
    case 0x05:
    case 0x21:
      return view.getUint8(at);
    case 0x06:
      return view.getUint16(at, littleEndian);
    case 0x07:
      return view.getUint32(at, littleEndian);
    case 0x08:
      return Number(view.getBigUint64(at, littleEndian));
    case 0x09:
    case 0x19:
      return view.getFloat32(at, littleEndian);
    case 0x0a:
    case 0x1a:
      return view.getFloat64(at, littleEndian);
    case 0x44: {
      const seconds = Number(view.getBigInt64(at + (littleEndian ? 8 : 0), littleEndian));
      const parts = Number(view.getBigUint64(at + (littleEndian ? 0 : 8), littleEndian));
      return { stamp_ms: 1000 * (seconds + parts / 2 ** 64) + Date.UTC(1904) };
    }
    default:
      return null;
  }
}

function readText(cursor: Cursor): string {
  const length = u32(cursor);
  const { view, at } = cursor;
  if (length > view.byteLength - at) throw new RangeError("text");
  cursor.at += length;
  return new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + at, length));
}

function u32(cursor: Cursor): number {
  const value = cursor.view.getUint32(cursor.at, cursor.littleEndian);
  cursor.at += 4;
  return value;
}

function u64(cursor: Cursor): number {
  const value = Number(cursor.view.getBigUint64(cursor.at, cursor.littleEndian));
  cursor.at += 8;
  return value;
}

/** Names of group and channel; a quote inside a name is doubled. */
function splitPath(path: string): string[] {
  return [...path.matchAll(/\/'((?:[^']|'')*)'/g)].map((match) => match[1]!.replaceAll("''", "'"));
}

/** Notes where the samples of a segment stand; what is odd about them, or null. */
function addRuns(lead: Lead, held: number, { list, chunkBytes, daqmx }: Objects): string | null {
  // How many samples a DAQmx device wrote is not needed: its channels are named, not read.
  if ((lead.toc & 128) !== 0 || daqmx > 0) return null;
  if (chunkBytes === 0) return `holds ${held} bytes of samples that belong to no channel`;
  if (!Number.isSafeInteger(chunkBytes)) return `claims ${chunkBytes} bytes in a chunk`;
  if ((lead.toc & 32) !== 0)
    return addInterleaved(
      lead,
      held,
      [...list].filter(({ bytes }) => bytes > 0),
    );
  const chunks = Math.floor(held / chunkBytes);
  let offset = lead.dataAt;
  let rest = held - chunks * chunkBytes;
  for (const object of list) {
    if (chunks === 0 && rest === 0) break;
    const size = object.type === textType ? null : tdmsSampleBytes(object.type!)!;
    if (size !== null) {
      add(object, { offset, perChunk: object.perChunk, chunks, chunkBytes, stride: size }, lead);
      // The last chunk may be cut: its first channels are whole, one is partly there.
      const left = Math.floor(Math.min(rest, object.bytes) / size);
      if (left > 0) {
        add(
          object,
          { offset: offset + chunks * chunkBytes, perChunk: left, chunks: 1, chunkBytes, stride: size },
          lead,
        );
      }
    } else object.samples += object.perChunk * chunks;
    rest = Math.max(0, rest - object.bytes);
    offset += object.bytes;
  }
  return null;
}

function addInterleaved(lead: Lead, held: number, channels: readonly Growing[]): string | null {
  const [first] = channels;
  if (channels.some(({ type }) => type === textType)) return "has texts between samples, which is not possible";
  if (channels.some(({ perChunk }) => perChunk !== first!.perChunk))
    return "has interleaved channels of unlike lengths";
  const sizes = channels.map(({ type }) => tdmsSampleBytes(type!)!);
  const stride = sizes.reduce((sum, size) => sum + size, 0);
  const samples = Math.floor(held / stride);
  let offset = lead.dataAt;
  for (const [at, object] of channels.entries()) {
    if (samples > 0) add(object, { offset, perChunk: samples, chunks: 1, chunkBytes: held, stride }, lead);
    offset += sizes[at]!;
  }
  return null;
}

function add(object: Growing, run: Omit<TdmsRun, "first" | "littleEndian">, { littleEndian }: Lead): void {
  if (run.chunks === 0 || run.perChunk === 0) return;
  // Chunks without a gap between them are one.
  const whole = run.perChunk * run.stride === run.chunkBytes;
  const chunks = whole ? 1 : run.chunks;
  const perChunk = whole ? run.perChunk * run.chunks : run.perChunk;
  object.runs?.push({ ...run, chunks, perChunk, first: object.samples, littleEndian });
  object.samples += perChunk * chunks;
}
