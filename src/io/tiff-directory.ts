/**
 * The directories of a TIFF: tags with their numbers and texts, read through a few windows.
 *
 *     classic: u16 count, count x (u16 tag, u16 type, u32 count, 4 bytes value or offset), u32 next
 *     big:     u64 count, count x (u16 tag, u16 type, u64 count, 8 bytes value or offset), u64 next
 *
 * Source: TIFF revision 6.0 (Adobe, 1992), section 2; BigTIFF as in libtiff's documentation.
 */
import type { ByteSource } from "./bytes.js";

/** A file that is a TIFF, and how its numbers are written. */
export interface TiffFile {
  readonly source: ByteSource;
  readonly littleEndian: boolean;
  readonly big: boolean;
}

/** The tags of one directory. */
export interface Directory {
  readonly offset: number;
  readonly entries: readonly Entry[];
  readonly next: number;
  /** Its bytes, from the count of its tags to the place of the next. */
  readonly raw: Uint8Array;
}

interface Entry {
  readonly tag: number;
  readonly type: number;
  readonly count: number;
  /** Absolute offset of the values. */
  readonly at: number;
}

/** More tags than any page has; values of one tag that are looked at. */
export const maxEntries = 4096;

const typeBytes = new Map<number, number>([
  ...([1, 2, 6, 7] as const).map((type): [number, number] => [type, 1]),
  ...([3, 8] as const).map((type): [number, number] => [type, 2]),
  ...([4, 9, 11, 13] as const).map((type): [number, number] => [type, 4]),
  ...([5, 10, 12, 16, 17, 18] as const).map((type): [number, number] => [type, 8]),
]);

/** Whether a file begins as a TIFF does. */
export function isTiff(head: Uint8Array): boolean {
  return tiffKind(head) !== null;
}

/** Byte order and size of offsets by a file's first four bytes; null where it is no TIFF. */
export function tiffKind(head: Uint8Array): { littleEndian: boolean; big: boolean } | null {
  const [a, b, c, d] = head;
  if (a === 0x49 && b === 0x49 && (c === 42 || c === 43) && d === 0) return { littleEndian: true, big: c === 43 };
  if (a === 0x4d && b === 0x4d && c === 0 && (d === 42 || d === 43)) return { littleEndian: false, big: d === 43 };
  return null;
}

/**
 * The directory at an offset: null where the file ends before it does, a sentence where it is malformed.
 */
export async function readDirectory(
  file: TiffFile,
  offset: number,
  reader: Reader = windows(file.source),
): Promise<Directory | string | null> {
  const { littleEndian, big } = file;
  const head = await reader(offset, big ? 8 : 2);
  if (head === null) return null;
  const count = big ? wide(head, 0, file) : head.getUint16(0, littleEndian);
  if (count === 0 || count > maxEntries) return `has ${count} tags, 1 to ${maxEntries} are possible`;
  const entryBytes = big ? 20 : 12;
  const first = offset + head.byteLength;
  const all = await reader(offset, head.byteLength + count * entryBytes + (big ? 8 : 4));
  if (all === null) return null;
  const raw = new Uint8Array(all.buffer, all.byteOffset, all.byteLength);
  const view = new DataView(all.buffer, all.byteOffset + head.byteLength, all.byteLength - head.byteLength);
  const entries: Entry[] = [];
  for (let index = 0; index < count; index++) {
    const at = index * entryBytes;
    const type = view.getUint16(at + 2, littleEndian);
    const values = big ? wide(view, at + 4, file) : view.getUint32(at + 4, littleEndian);
    const size = (typeBytes.get(type) ?? 0) * values;
    const slot = at + (big ? 12 : 8);
    const pointed = big ? wide(view, slot, file) : view.getUint32(slot, littleEndian);
    const inline = size <= (big ? 8 : 4);
    entries.push({
      tag: view.getUint16(at, littleEndian),
      type,
      count: values,
      at: inline ? first + slot : pointed,
    });
  }
  const next = count * entryBytes;
  return { offset, entries, raw, next: big ? wide(view, next, file) : view.getUint32(next, littleEndian) };
}

/**
 * The first `limit` numbers of a tag: undefined where the tag is absent or not a number,
 * null where they lie outside the file. A rational is a quotient.
 */
export async function tagNumbers(
  file: TiffFile,
  directory: Directory,
  tag: number,
  limit = 1,
  reader: Reader = windows(file.source),
): Promise<number[] | undefined | null> {
  const entry = directory.entries.find((candidate) => candidate.tag === tag);
  const size = entry === undefined ? undefined : typeBytes.get(entry.type);
  if (entry === undefined || size === undefined || entry.type === 2 || entry.count === 0) return undefined;
  const count = Math.min(entry.count, limit);
  const view = await reader(entry.at, count * size);
  if (view === null) return null;
  return Array.from({ length: count }, (_, index) => number(view, index * size, entry.type, file));
}

/** The texts of a tag, one an occurrence, as UTF-8 or else Latin-1; null for one that lies outside the file. */
export async function tagTexts(file: TiffFile, directory: Directory, tag: number): Promise<(string | null)[]> {
  const texts: (string | null)[] = [];
  for (const entry of directory.entries) {
    if (entry.tag !== tag || (entry.type !== 2 && entry.type !== 1 && entry.type !== 7)) continue;
    if (entry.at + entry.count > file.source.size || entry.count > maxTextBytes) {
      texts.push(null);
      continue;
    }
    const bytes = new Uint8Array(entry.count);
    const got = await file.source.read(entry.at, bytes);
    texts.push(got < bytes.length ? null : decodeText(bytes));
  }
  return texts;
}

const maxTextBytes = 1 << 26;

function decodeText(bytes: Uint8Array): string {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  const text = bytes.subarray(0, end);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(text);
  } catch {
    return new TextDecoder("latin1").decode(text);
  }
}

function number(view: DataView, at: number, type: number, file: TiffFile): number {
  const little = file.littleEndian;
  switch (type) {
    case 3:
      return view.getUint16(at, little);
    case 4:
    case 13:
      return view.getUint32(at, little);
    case 5:
      return view.getUint32(at, little) / view.getUint32(at + 4, little);
    case 6:
      return view.getInt8(at);
    case 8:
      return view.getInt16(at, little);
    case 9:
      return view.getInt32(at, little);
    case 10:
      return view.getInt32(at, little) / view.getInt32(at + 4, little);
    case 11:
      return view.getFloat32(at, little);
    case 12:
      return view.getFloat64(at, little);
    case 16:
    case 18:
      return wide(view, at, file);
    case 17:
      return Number(view.getBigInt64(at, little));
    default:
      return view.getUint8(at);
  }
}

/** A u64 as a number; inexact beyond 2^53, where no file reaches. */
export function wide(view: DataView, at: number, file: TiffFile): number {
  return Number(view.getBigUint64(at, file.littleEndian));
}

/** A stretch of a file as a view; null where it leaves the file. */
export type Reader = (offset: number, length: number) => Promise<DataView | null>;

const firstWindow = 2048;
const largestWindow = 1 << 20;

/**
 * Reads a file through four windows, so that thousands of small reads cost few calls.
 * A read that goes on where a window ends doubles that window; any other opens a small one.
 */
export function windows(source: ByteSource): Reader {
  const open: { start: number; bytes: Uint8Array }[] = [];
  return async (offset, length) => {
    if (!(offset >= 0 && offset + length <= source.size)) return null;
    let at = open.findIndex(({ start, bytes }) => offset >= start && offset + length <= start + bytes.length);
    if (at < 0) {
      at = open.findIndex(({ start, bytes }) => offset >= start && offset <= start + bytes.length + 64);
      const ahead = at < 0 ? firstWindow : Math.min(2 * open[at]!.bytes.length, largestWindow);
      if (at >= 0) open.splice(at, 1);
      else if (open.length === 4) open.pop();
      const bytes = new Uint8Array(Math.min(Math.max(length, ahead), source.size - offset));
      // Waiting for a promise costs more than reading a few kilobytes.
      const small = bytes.length <= firstWindow ? source.readNow : undefined;
      const got = small === undefined ? await source.read(offset, bytes) : small(offset, bytes);
      if (got < length) return null;
      open.unshift({ start: offset, bytes: bytes.subarray(0, got) });
    } else if (at > 0) open.unshift(...open.splice(at, 1));
    const { start, bytes } = open[0]!;
    return new DataView(bytes.buffer, bytes.byteOffset + offset - start, length);
  };
}
