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
import {
  daqmxType,
  MalformedMetadata,
  readTdmsMetadata,
  splitTdmsPath,
  tdmsSampleBytes,
  textType,
  type TdmsUpdate,
  type TdmsValue,
} from "./tdms-metadata.js";
import { windows, type Reader } from "./tiff-directory.js";

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
    // All of the metadata is read before any of it counts.
    const updates = readTdmsMetadata(view, lead.littleEndian, lead.closed);
    update(objects, updates, (lead.toc & 4) !== 0);
    return null;
  } catch (error) {
    if (error instanceof MalformedMetadata) return `${error.message} (at byte ${start + error.at})`;
    if (error instanceof RangeError) {
      return lead.closed
        ? `has metadata that goes on beyond its ${view.byteLength} bytes`
        : `is cut off inside its metadata, after ${view.byteLength} bytes`;
    }
    throw error;
  }
}

/** Takes over what a segment says of its objects. */
function update(objects: Objects, updates: readonly TdmsUpdate[], newList: boolean): void {
  const { byPath, list, wanted } = objects;
  if (newList) {
    list.clear();
    objects.chunkBytes = 0;
    objects.daqmx = 0;
  }
  for (const { path, properties, index } of updates) {
    let object = byPath.get(path);
    if (object === undefined) {
      if (byPath.size === maxObjects) throw new MalformedMetadata(`names more than ${maxObjects} objects`, 0);
      const names = splitTdmsPath(path);
      const runs = wanted(names) ? [] : null;
      object = { path: names, properties: new Map(), type: null, perChunk: 0, bytes: 0, samples: 0, runs };
      byPath.set(path, object);
    }
    for (const [name, value] of properties) object.properties.set(name, value);
    if (index === undefined && object.type === null) {
      throw new MalformedMetadata(`has data of ${path} as before, but there was none`, 0);
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
        throw new MalformedMetadata(`changes the type of ${path} from ${object.type} to ${index.type}`, 0);
      }
      Object.assign(object, index);
    }
    list.add(object);
    objects.chunkBytes += object.bytes;
    if (object.type === daqmxType) objects.daqmx++;
  }
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
