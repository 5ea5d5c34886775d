/**
 * The metadata of a TDMS segment: objects with their properties, and how many samples of which type follow.
 * Its layout stands in tdms-segments.ts.
 */

/** A property: a number, a text, a time stamp in milliseconds since 1970, or null for a type that is not looked at. */
export type TdmsValue = number | string | { readonly stamp_ms: number } | null;

/** The type of channels that stand in the raw layout of a DAQmx device. */
export const daqmxType = 0xffffffff;

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
/** The type of texts. */
export const textType = 0x20;

/** Bytes of a sample of a type; null where it has no fixed size or is unknown. */
export function tdmsSampleBytes(type: number): number | null {
  return sampleBytes.get(type) ?? null;
}

/** Metadata that cannot be what it claims, and where. */
export class MalformedMetadata extends Error {
  readonly at: number;
  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

/** More things than the bytes hold: the file is wrong where all of them are there, cut where they are not. */
function tooMany({ whole }: Cursor, what: string, at: number): Error {
  return whole ? new MalformedMetadata(what, at) : new RangeError(what);
}

interface Cursor {
  readonly view: DataView;
  at: number;
  readonly littleEndian: boolean;
  /** Whether all of the segment is there. */
  readonly whole: boolean;
}

/** What a segment says of an object. */
export interface TdmsUpdate {
  readonly path: string;
  readonly properties: (readonly [string, TdmsValue])[];
  /** Null: no data here; undefined: as before. */
  readonly index: { type: number; perChunk: number; bytes: number } | null | undefined;
}

/**
 * Reads what a segment says of its objects. `whole` is false where the segment is cut.
 * Throws MalformedMetadata where it is wrong, RangeError where it ends before its end.
 */
export function readTdmsMetadata(view: DataView, littleEndian: boolean, whole: boolean): TdmsUpdate[] {
  const cursor: Cursor = { view, at: 0, littleEndian, whole };
  const count = u32(cursor);
  // The shortest object: a path of one letter, no data, no property.
  if (count > view.byteLength / 12) throw tooMany(cursor, `claims ${count} objects`, 0);
  const updates: TdmsUpdate[] = [];
  for (let number = 0; number < count; number++) updates.push(readObject(cursor));
  return updates;
}

function readObject(cursor: Cursor): TdmsUpdate {
  const path = readText(cursor);
  const at = cursor.at;
  const kind = u32(cursor);
  let index: TdmsUpdate["index"] = null;
  if (kind === 0) index = undefined;
  else if (kind === 0x1269 || kind === 0x126a || kind === 0x1369) index = readDaqmx(cursor);
  else if (kind !== 0xffffffff) {
    const type = u32(cursor);
    const dimension = u32(cursor);
    const samples = u64(cursor);
    if (dimension !== 1) throw new MalformedMetadata(`has ${dimension} dimensions in ${path}, 1 is possible`, at);
    const size = type === textType ? null : tdmsSampleBytes(type);
    if (size === null && type !== textType)
      throw new MalformedMetadata(`has samples of the unknown type ${type} in ${path}`, at);
    const bytes = size === null ? u64(cursor) : samples * size;
    if (!Number.isSafeInteger(bytes))
      throw new MalformedMetadata(`claims ${samples} samples of ${path} in a chunk`, at);
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
  if (widths > 1024) throw new MalformedMetadata(`claims ${widths} raw buffers`, cursor.at);
  for (let buffer = 0; buffer < widths; buffer++) u32(cursor);
  return { type: daqmxType, perChunk: samples, bytes: 0 };
}

function readValue(cursor: Cursor): TdmsValue {
  const type = u32(cursor);
  if (type === textType) return readText(cursor);
  const size = tdmsSampleBytes(type);
  if (size === null) throw new MalformedMetadata(`has a property of the unknown type ${type}`, cursor.at);
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
export function splitTdmsPath(path: string): string[] {
  return [...path.matchAll(/\/'((?:[^']|'')*)'/g)].map((match) => match[1]!.replaceAll("''", "'"));
}
