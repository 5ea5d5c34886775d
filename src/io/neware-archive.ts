/**
 * The zip archive of a Neware .ndax: its streams and documents, each read with a bound, up to a cut.
 *
 * An archive that was cut has lost its directory, which stands at the end; its files are then found by their local
 * headers: u32 0x04034b50, u16 version, u16 flags (bit 0 encrypted, bit 3 sizes behind the data), u16 method, 2 x u16
 * date, u32 CRC-32, u32 packed bytes, u32 bytes, u16 name, u16 extra bytes; extra field 1 holds u64 bytes, u64
 * packed bytes where they are 0xFFFFFFFF.
 */
import { FormatError } from "../model/errors.js";
import { readBytes, type ByteSource } from "./bytes.js";
import { isZip, readZipDirectory, readZipEntry, unreadEntry, zipDataOffset, type ZipEntry } from "./zip.js";
import { inflated } from "./zip-inflate.js";

const LOCAL = 0x04034b50;
const MAX_U32 = 0xffff_ffff;
/** So many files are looked for by their local headers. */
const LOCAL_ENTRIES = 1000;
/** An archive with more files than this is no .ndax. */
const ENTRIES = 4096;

/** Any file of an archive may unpack to so many bytes, */
const ALWAYS_BYTES = 32 << 20;
/** and to so many times its packed size (streams of real tests stay below 20), */
const TIMES = 100;
/** but to no more than this. */
const MAX_BYTES = 1 << 30;

/** The files of an archive. */
export interface NewareArchive {
  readonly entries: readonly ZipEntry[];
  /** True where the archive has no directory: it was cut. */
  readonly cut: boolean;
}

/** A file of an archive, unpacked. */
export interface Unpacked {
  readonly bytes: Uint8Array;
  /** Bytes that it would have whole; less are there where the archive was cut. NaN where it is not known. */
  readonly size: number;
}

/** Whether a file is an .ndax: a zip archive that holds .ndc streams, or the documents that lie beside them. */
export function sniffNdax(head: Uint8Array, source: ByteSource): boolean | Promise<boolean> {
  return isZip(head) && holdsStreams(source);
}

async function holdsStreams(source: ByteSource): Promise<boolean> {
  try {
    const { entries } = await openArchive(source);
    return entries.some(({ name }) => isStream(name) || /^(TestInfo|VersionInfo)\d*\.xml$/i.test(fileName(name)));
  } catch (error) {
    if (error instanceof FormatError) return false;
    throw error;
  }
}

/** Whether a name is a stream's. */
export function isStream(name: string): boolean {
  return /\.ndc$/i.test(name);
}

/** A name without its folders. */
export function fileName(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}

/** The files of an archive, by its directory or, where it was cut, by their local headers. */
export async function openArchive(source: ByteSource): Promise<NewareArchive> {
  const directory = await readZipDirectory(source);
  if (directory !== null) {
    if (directory.length > ENTRIES) {
      throw new FormatError(`${source.name}: holds ${directory.length} files, more than the ${ENTRIES} of an .ndax.`, {
        path: source.name,
      });
    }
    return { entries: directory.filter(({ isFolder }) => !isFolder), cut: false };
  }
  const entries: ZipEntry[] = [];
  // Files without their sizes are unpacked to find their ends, all of them together up to a bound.
  let left = ALWAYS_BYTES;
  for (let at = 0; entries.length < LOCAL_ENTRIES;) {
    const found = await localEntry(source, at, left);
    if (found === null) break;
    entries.push(found.entry);
    at = found.next;
    left -= found.unpacked;
  }
  return { entries, cut: true };
}

async function localEntry(
  source: ByteSource,
  offset: number,
  bound: number,
): Promise<{ entry: ZipEntry; next: number; unpacked: number } | null> {
  const head = await readBytes(source, offset, 30);
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  if (head.length < 30 || view.getUint32(0, true) !== LOCAL) return null;
  const flags = view.getUint16(6, true);
  const nameBytes = view.getUint16(26, true);
  const extraBytes = view.getUint16(28, true);
  const rest = await readBytes(source, offset + 30, nameBytes + extraBytes);
  if (rest.length < nameBytes + extraBytes) return null;
  const long = new DataView(rest.buffer, rest.byteOffset, rest.length);
  let size = view.getUint32(22, true);
  let packedSize = view.getUint32(18, true);
  for (let at = nameBytes; at + 20 <= rest.length; at += 4 + long.getUint16(at + 2, true)) {
    if (long.getUint16(at, true) !== 1 || long.getUint16(at + 2, true) < 16) continue;
    if (size === MAX_U32) size = Number(long.getBigUint64(at + 4, true));
    if (packedSize === MAX_U32) packedSize = Number(long.getBigUint64(at + 12, true));
  }
  const name = new TextDecoder().decode(rest.subarray(0, nameBytes)).replaceAll("\\", "/");
  const from = offset + 30 + nameBytes + extraBytes;
  const entry = {
    name,
    size,
    packedSize,
    method: view.getUint16(8, true),
    encrypted: (flags & 1) !== 0,
    crc32: view.getUint32(14, true),
    offset,
    isFolder: name.endsWith("/"),
  };
  if ((flags & 8) === 0 || packedSize > 0) return { entry, next: from + packedSize, unpacked: 0 };
  const { bytes, end, whole } = await unpack(source, from, source.size, entry, bound);
  const next = (await nextHeader(source, end)) ?? end;
  return {
    entry: { ...entry, size: whole ? bytes.length : NaN, packedSize: end - from },
    next,
    unpacked: bytes.length,
  };
}

/** Where the next local header stands behind the sizes that follow packed data; null where none does. */
async function nextHeader(source: ByteSource, from: number): Promise<number | null> {
  const bytes = await readBytes(source, from, 32);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (const at of [16, 24, 12, 20]) {
    if (at + 4 <= bytes.length && view.getUint32(at, true) === LOCAL) return from + at;
  }
  return null;
}

/**
 * A file of an archive, unpacked as far as it is there. Throws FormatError where it is encrypted, packed otherwise than
 * by Deflate, damaged, or would unpack to more than ALWAYS_BYTES and TIMES its packed size, or MAX_BYTES, or `most`.
 */
export async function readArchiveFile(
  source: ByteSource,
  archive: NewareArchive,
  entry: ZipEntry,
  most = MAX_BYTES,
): Promise<Unpacked> {
  const bound = Math.min(most, MAX_BYTES, Math.max(ALWAYS_BYTES, TIMES * entry.packedSize));
  if (!archive.cut) return { bytes: await readZipEntry(source, entry, bound), size: entry.size };
  const fail = (what: string): FormatError =>
    new FormatError(`${source.name}: ${entry.name} in the archive ${what}.`, {
      path: source.name,
      offset: entry.offset,
    });
  if (entry.encrypted || (entry.method !== 0 && entry.method !== 8)) throw fail(unreadEntry(entry) ?? "is not read");
  if (entry.size > bound) throw fail(`has ${entry.size} bytes, more than ${bound}`);
  const header = await readBytes(source, entry.offset, 30);
  const view = new DataView(header.buffer, header.byteOffset, header.length);
  const from = entry.offset + 30 + view.getUint16(26, true) + view.getUint16(28, true);
  const { bytes } = await unpack(source, from, Math.min(source.size, from + entry.packedSize), entry, bound);
  return { bytes, size: entry.size };
}

/** Unpacks what lies between two places, at most so many bytes of it, and tells where it ends and whether it is whole. */
async function unpack(
  source: ByteSource,
  from: number,
  to: number,
  { name, method, offset }: Pick<ZipEntry, "name" | "method" | "offset">,
  bound: number,
): Promise<{ bytes: Uint8Array; end: number; whole: boolean }> {
  if (method === 0) {
    const bytes = await readBytes(source, from, Math.min(bound, Math.max(0, to - from)));
    return { bytes, end: from + bytes.length, whole: false };
  }
  const pieces: Uint8Array[] = [];
  let length = 0;
  const steps = inflated(source, from, to);
  for (;;) {
    const step = await steps.next();
    if (step.done === true) {
      const bytes = new Uint8Array(length);
      let at = 0;
      for (const piece of pieces) {
        bytes.set(piece, at);
        at += piece.length;
      }
      return { bytes, ...step.value };
    }
    pieces.push(step.value);
    length += step.value.length;
    if (length > bound) {
      throw new FormatError(`${source.name}: ${name} in the archive unpacks to more than ${bound} bytes.`, {
        path: source.name,
        offset,
      });
    }
  }
}

/** The first byte of a stream, which tells its kind; and the third, its version. Null where it has none. */
export async function streamKind(
  source: ByteSource,
  archive: NewareArchive,
  entry: ZipEntry,
): Promise<{ kind: number; version: number } | null> {
  if (unreadEntry({ ...entry, size: 0, packedSize: 0 }) !== null) return null;
  const from = archive.cut ? await dataOffset(source, entry) : await zipDataOffset(source, entry);
  const to = Math.min(source.size, from + entry.packedSize);
  let head: Uint8Array = new Uint8Array();
  if (entry.method === 0) head = await readBytes(source, from, Math.min(3, to - from));
  else {
    for await (const piece of inflated(source, from, to)) {
      head = piece;
      break;
    }
  }
  return head.length < 3 ? null : { kind: head[0]!, version: head[2]! };
}

async function dataOffset(source: ByteSource, { offset }: ZipEntry): Promise<number> {
  const header = await readBytes(source, offset, 30);
  const view = new DataView(header.buffer, header.byteOffset, header.length);
  return offset + 30 + view.getUint16(26, true) + view.getUint16(28, true);
}
