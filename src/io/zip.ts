/**
 * The directory of a zip archive and its entries, each read with a bound.
 *
 * End record (at the end, a comment of up to 65,535 bytes behind it): u32 0x06054b50, u16 this disk, u16 first disk,
 * u16 entries here, u16 entries, u32 directory bytes, u32 directory offset, u16 comment bytes. zip64: 20 bytes before
 * it u32 0x07064b50, u32 disk, u64 offset of u32 0x06064b50, u64 its size, 2 × u16 version, 2 × u32 disk, u64 entries
 * here, u64 entries, u64 directory bytes, u64 directory offset.
 * Entry of the directory: u32 0x02014b50, 2 × u16 version, u16 flags (bit 0 encrypted, bit 11 UTF-8), u16 method,
 * 2 × u16 time and date, u32 CRC-32, u32 packed bytes, u32 bytes, u16 name, u16 extra, u16 comment bytes, u16 disk,
 * u16 and u32 attributes, u32 offset of its local header; extra field 1 holds u64 for those that are 0xFFFFFFFF.
 * Local header: u32 0x04034b50, 22 bytes as above, u16 name, u16 extra bytes; name, extra, data follow.
 */
import { FormatError } from "../model/errors.js";
import { readBytes, type ByteSource } from "./bytes.js";
import { crc32, inflated } from "./zip-inflate.js";

const END = 0x06054b50;
const END_BYTES = 22;
const END64 = 0x06064b50;
const LOCATOR64 = 0x07064b50;
const ENTRY = 0x02014b50;
const LOCAL = 0x04034b50;
const MAX_U32 = 0xffff_ffff;
const MAX_U16 = 0xffff;

/** A directory larger than this is refused. */
export const ZIP_DIRECTORY_BYTES = 64 << 20;
/** An archive with more entries than this is refused. */
export const ZIP_ENTRIES = 200_000;

/** One file of an archive. */
export interface ZipEntry {
  /** Path in the archive, with forward slashes. */
  readonly name: string;
  /** Bytes when unpacked, as the directory claims. */
  readonly size: number;
  readonly packedSize: number;
  /** 0 stored, 8 deflated. */
  readonly method: number;
  readonly encrypted: boolean;
  readonly crc32: number;
  /** Of its local header in the file. */
  readonly offset: number;
  /** Whether it is a folder, which holds no bytes. */
  readonly isFolder: boolean;
}

/** Whether a file begins as a zip archive does. */
export function isZip(head: Uint8Array): boolean {
  return head[0] === 0x50 && head[1] === 0x4b && ((head[2] === 3 && head[3] === 4) || (head[2] === 5 && head[3] === 6));
}

/**
 * The entries of an archive in the order of its directory; null where the file ends without one (it is no zip, or
 * was cut). Bytes before the archive are allowed for. Throws FormatError where the directory is inconsistent, spread
 * over several disks, larger than ZIP_DIRECTORY_BYTES or longer than ZIP_ENTRIES.
 */
export async function readZipDirectory(source: ByteSource): Promise<ZipEntry[] | null> {
  const end = await readEnd(source);
  if (end === null) return null;
  const { count, bytes, offset, before } = end;
  const wrong = (what: string, at: number): FormatError =>
    new FormatError(`${source.name}: the zip archive's directory ${what} (at byte ${at}). Pack or copy it again.`, {
      path: source.name,
      offset: at,
    });
  if (bytes > ZIP_DIRECTORY_BYTES) throw wrong(`has ${bytes} bytes, more than ${ZIP_DIRECTORY_BYTES}`, offset);
  if (count > ZIP_ENTRIES) throw wrong(`has ${count} entries, more than ${ZIP_ENTRIES}`, offset);
  if (!(offset >= 0 && offset + bytes <= source.size)) throw wrong("lies outside the file", offset);
  const directory = await readBytes(source, offset, bytes);
  const view = new DataView(directory.buffer, directory.byteOffset, directory.byteLength);
  const entries: ZipEntry[] = [];
  let at = 0;
  for (let index = 0; index < count; index++) {
    if (at + 46 > bytes || view.getUint32(at, true) !== ENTRY) {
      throw wrong(`says ${count} entries and holds ${index}`, offset + at);
    }
    const flags = view.getUint16(at + 8, true);
    const nameBytes = view.getUint16(at + 28, true);
    const extraBytes = view.getUint16(at + 30, true);
    const next = at + 46 + nameBytes + extraBytes + view.getUint16(at + 32, true);
    if (next > bytes) throw wrong(`breaks off in entry ${index + 1}`, offset + at);
    const name = nameOf(directory.subarray(at + 46, at + 46 + nameBytes), (flags & 0x800) !== 0);
    const large = longSizes(view, at, at + 46 + nameBytes, extraBytes);
    if (large.offset + before + 30 > source.size) throw wrong(`puts ${name} outside the file`, offset + at);
    entries.push({
      name,
      size: large.size,
      packedSize: large.packedSize,
      method: view.getUint16(at + 10, true),
      encrypted: (flags & 1) !== 0,
      crc32: view.getUint32(at + 16, true),
      offset: large.offset + before,
      isFolder: name.endsWith("/"),
    });
    at = next;
  }
  return entries;
}

interface End {
  readonly count: number;
  readonly bytes: number;
  /** Of the directory in the file. */
  readonly offset: number;
  /** Bytes that stand before the archive, which its own offsets leave out. */
  readonly before: number;
}

async function readEnd(source: ByteSource): Promise<End | null> {
  const length = Math.min(source.size, END_BYTES + MAX_U16);
  if (length < END_BYTES) return null;
  const from = source.size - length;
  const tail = await readBytes(source, from, length);
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  for (let at = tail.length - END_BYTES; at >= 0; at--) {
    if (view.getUint32(at, true) !== END) continue;
    // Bytes behind a comment are allowed for: some tools append zeros.
    if (at + END_BYTES + view.getUint16(at + 20, true) > tail.length) continue;
    const end = {
      count: view.getUint16(at + 10, true),
      bytes: view.getUint32(at + 12, true),
      offset: view.getUint32(at + 16, true),
    };
    const place = from + at;
    if (end.count < MAX_U16 && end.bytes < MAX_U32 && end.offset < MAX_U32) return placed(end, place);
    const long = await readEnd64(source, place);
    return long === null ? placed(end, place) : placed(long.end, long.place);
  }
  return null;
}

function placed(end: Omit<End, "before">, place: number): End {
  const before = Math.max(0, place - end.bytes - end.offset);
  return { ...end, offset: end.offset + before, before };
}

async function readEnd64(
  source: ByteSource,
  place: number,
): Promise<{ end: Omit<End, "before">; place: number } | null> {
  if (place < 20) return null;
  const locator = viewOf(await readBytes(source, place - 20, 20));
  if (locator.byteLength < 20 || locator.getUint32(0, true) !== LOCATOR64) return null;
  // Where bytes stand before the archive, the record is the one just before its locator.
  for (const at of [Number(locator.getBigUint64(8, true)), place - 20 - 56]) {
    if (!(at >= 0 && at + 56 <= place)) continue;
    const record = viewOf(await readBytes(source, at, 56));
    if (record.getUint32(0, true) !== END64) continue;
    return {
      end: {
        count: Number(record.getBigUint64(32, true)),
        bytes: Number(record.getBigUint64(40, true)),
        offset: Number(record.getBigUint64(48, true)),
      },
      place: at,
    };
  }
  return null;
}

/** Sizes and offset of an entry, from its extra field 1 where they do not fit into 32 bits. */
function longSizes(
  view: DataView,
  entry: number,
  extra: number,
  extraBytes: number,
): { size: number; packedSize: number; offset: number } {
  const found = {
    size: view.getUint32(entry + 24, true),
    packedSize: view.getUint32(entry + 20, true),
    offset: view.getUint32(entry + 42, true),
  };
  for (let at = extra; at + 4 <= extra + extraBytes;) {
    const length = view.getUint16(at + 2, true);
    const end = Math.min(at + 4 + length, extra + extraBytes);
    if (view.getUint16(at, true) === 1) {
      let place = at + 4;
      for (const key of ["size", "packedSize", "offset"] as const) {
        if (found[key] !== MAX_U32 || place + 8 > end) continue;
        found[key] = Number(view.getBigUint64(place, true));
        place += 8;
      }
    }
    at += 4 + length;
  }
  return found;
}

function nameOf(bytes: Uint8Array, isUtf8: boolean): string {
  const decode = (): string => {
    if (isUtf8) return new TextDecoder().decode(bytes);
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch {
      return new TextDecoder("windows-1252").decode(bytes);
    }
  };
  return decode().replaceAll("\\", "/");
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const methods = new Map<number, string>([
  [1, "Shrink"],
  [6, "Implode"],
  [9, "Deflate64"],
  [12, "bzip2"],
  [14, "LZMA"],
  [93, "Zstandard"],
  [95, "XZ"],
  [97, "WavPack"],
  [98, "PPMd"],
  [99, "AES encryption"],
]);

/**
 * Why an entry is not read, in words that follow its name; null where it is. DEFLATE shrinks to a 1032th at most: an
 * entry that claims more is none.
 */
export function unreadEntry({ method, encrypted, size, packedSize }: ZipEntry): string | null {
  if (encrypted || method === 99) return "is encrypted. Unpack it with its password";
  if (method !== 0 && method !== 8) {
    return `is packed by ${methods.get(method) ?? `method ${method}`}, not by Deflate. Unpack it`;
  }
  if (method === 0 && size !== packedSize) {
    return `claims ${size} bytes and holds ${packedSize}. Pack it again`;
  }
  if (method === 8 && size > 1032 * packedSize + 64) {
    return `claims ${size} bytes out of ${packedSize}, more than Deflate can pack. Pack it again`;
  }
  return null;
}

/** Where an entry's packed bytes begin in the file. Throws FormatError where its local header is wrong or cut. */
export async function zipDataOffset(source: ByteSource, entry: ZipEntry): Promise<number> {
  const header = viewOf(await readBytes(source, entry.offset, 30));
  const at = entry.offset;
  const wrong = (what: string): FormatError =>
    new FormatError(`${source.name}: ${entry.name} in the archive ${what} (at byte ${at}). Pack or copy it again.`, {
      path: source.name,
      offset: at,
    });
  if (header.byteLength < 30 || header.getUint32(0, true) !== LOCAL)
    throw wrong("has no header where the directory says");
  const from = at + 30 + header.getUint16(26, true) + header.getUint16(28, true);
  if (from + entry.packedSize > source.size) {
    throw wrong(`has ${entry.packedSize} packed bytes and the file ends after ${Math.max(0, source.size - from)}`);
  }
  return from;
}

/**
 * One entry unpacked, at most `maxBytes` of it in memory. Throws FormatError where it claims or gives more, is
 * encrypted, packed otherwise than by Deflate, damaged (CRC-32) or cut.
 */
export async function readZipEntry(source: ByteSource, entry: ZipEntry, maxBytes: number): Promise<Uint8Array> {
  const fail = (what: string): FormatError =>
    new FormatError(`${source.name}: ${entry.name} in the archive ${what}.`, {
      path: source.name,
      offset: entry.offset,
    });
  const unread = unreadEntry(entry);
  if (unread !== null) throw fail(unread);
  if (entry.size > maxBytes)
    throw fail(`has ${entry.size} bytes, more than ${maxBytes}. Unpack or export a smaller part`);
  const from = await zipDataOffset(source, entry);
  let bytes: Uint8Array;
  if (entry.method === 0) bytes = await readBytes(source, from, entry.size);
  else {
    bytes = new Uint8Array(entry.size);
    let at = 0;
    for await (const piece of inflated(source, from, from + entry.packedSize)) {
      if (at + piece.length > entry.size)
        throw fail(`gives more than the ${entry.size} bytes it claims. Pack it again`);
      bytes.set(piece, at);
      at += piece.length;
    }
    if (at < entry.size) throw fail(`gives ${at} of the ${entry.size} bytes it claims. Pack or copy it again`);
  }
  if (crc32(bytes) !== entry.crc32)
    throw fail("is damaged: its checksum (CRC-32) is not the one stored. Copy it again");
  return bytes;
}
