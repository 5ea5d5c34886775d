/**
 * A pack around a single file, gzip (RFC 1952) or zip: what is in it is read as if it were not packed.
 *
 * gzip member: 1f 8b, 08 Deflate, u8 flags (2 header CRC, 4 extra field, 8 name, 16 comment), u32 time, 2 bytes;
 * u16 length and extra field; name and comment, each ended by a zero; u16 header CRC; packed data; u32 CRC-32 of what
 * was packed; u32 its length modulo 2^32. Members may follow each other (bgzip writes thousands), zeros may end them.
 * zip: see zip.ts.
 */
import { FormatError } from "../model/errors.js";
import { readBytes, type ByteSource } from "./bytes.js";
import { piecesSource } from "./pieces.js";
import { baseName } from "./text.js";
import { crc32, inflated, type InflateEnd } from "./zip-inflate.js";
import { isZip, readZipDirectory, unreadEntry, zipDataOffset, type ZipEntry } from "./zip.js";

/** What is unpacked is held in memory: at most so many bytes. A file that is stored in a zip as it is has no limit. */
export const UNPACKED_BYTES = 2 ** 31;
/** Beyond 64 MiB, what swells more than this many times is refused: no movie and no record does. */
export const UNPACKED_RATIO = 200;
const RATIO_FROM_BYTES = 64 << 20;
/** Packs within packs. */
export const PACK_DEPTH = 2;
/** Members of one gzip file: bgzip needs 33,000 for what may be unpacked; each takes some 40 µs, however small. */
const GZIP_MEMBERS = 40_000;
const GZIP_HEADER_BYTES = 1 << 17;
const BLOCK_BYTES = 1 << 20;

/** What was in a pack. */
interface UnpackedSource extends ByteSource {
  /** Sentences for the user: what of the pack is missing. */
  readonly packWarnings: readonly string[];
}

/** What of a pack is missing; nothing for a source that was not packed. */
export function packWarnings(source: object): readonly string[] {
  return "packWarnings" in source ? (source as UnpackedSource).packWarnings : [];
}

const known = new WeakMap<ByteSource, Promise<ByteSource>>();

/**
 * What a source holds within its packs, at most PACK_DEPTH deep; itself where it is no pack, or where `isFormat` knows
 * it as a format of its own (.ndax and .xlsx are zips). A source is unpacked once, however often it is asked for.
 * A pack that was cut gives what is before the cut, with a warning. What lies in a zip without being packed is read
 * where it lies, of any size, and its checksum is not looked at.
 *
 * Throws FormatError for a zip with several files or none (it names them), what is encrypted, packed otherwise than by
 * Deflate, damaged (CRC-32), over UNPACKED_BYTES or UNPACKED_RATIO, or packed deeper.
 */
export function unpacked(
  source: ByteSource,
  isFormat: (head: Uint8Array, source: ByteSource) => Promise<boolean>,
): Promise<ByteSource> {
  const before = known.get(source);
  if (before !== undefined) return before;
  const opened = open(source, isFormat);
  known.set(source, opened);
  return opened;
}

async function open(
  source: ByteSource,
  isFormat: (head: Uint8Array, source: ByteSource) => Promise<boolean>,
): Promise<ByteSource> {
  let inner = source;
  for (let depth = 0; ; depth++) {
    const head = await readBytes(inner, 0, 1 << 16);
    const pack = isGzip(head) ? unpackGzip : isZip(head) ? unpackZip : null;
    if (pack === null || (await isFormat(head, inner))) return inner;
    if (depth === PACK_DEPTH) {
      throw refusal(inner, `is packed more than ${PACK_DEPTH} times over. Unpack it and name what is in it.`);
    }
    inner = await pack(inner);
  }
}

function isGzip(head: Uint8Array): boolean {
  return head[0] === 0x1f && head[1] === 0x8b && head[2] === 8;
}

async function unpackGzip(source: ByteSource): Promise<ByteSource> {
  const gathered = gather(source, source.size);
  let name: string | null = null;
  let from = 0;
  for (let member = 0; from < source.size; member++) {
    if (member === GZIP_MEMBERS) throw refusal(source, `has more than ${GZIP_MEMBERS} gzip members. Unpack it first.`);
    const header = await gzipHeader(source, from);
    if (header === "other") {
      if (!(await onlyZeros(source, from))) {
        gathered.say(
          `${source.size - from} bytes behind the gzip data (from byte ${from}) are no gzip and are left out.`,
        );
      }
      break;
    }
    if (header === "cut") {
      gathered.cut();
      break;
    }
    name ??= header.name;
    const packed = await gathered.take(from + header.length, source.size);
    const trailer = await readBytes(source, packed.end, 8);
    if (!packed.whole || trailer.length < 8) {
      gathered.cut();
      break;
    }
    const view = new DataView(trailer.buffer, trailer.byteOffset);
    if (view.getUint32(0, true) !== packed.crc || view.getUint32(4, true) !== packed.bytes % 2 ** 32) {
      throw refusal(
        source,
        `the gzip data are damaged: their checksum is not the one stored (at byte ${packed.end}). Copy the file again.`,
        packed.end,
      );
    }
    from = packed.end + 8;
  }
  return gathered.source(innerName(source.name, name));
}

async function gzipHeader(
  source: ByteSource,
  from: number,
): Promise<{ length: number; name: string | null } | "cut" | "other"> {
  const start = await readBytes(source, from, 512);
  if (!isGzip(start)) return start.length < 3 && start[0] === 0x1f ? "cut" : "other";
  const parsed = parseGzipHeader(start);
  if (parsed !== null) return parsed;
  if (from + start.length >= source.size) return "cut";
  const long = await readBytes(source, from, GZIP_HEADER_BYTES);
  const again = parseGzipHeader(long);
  if (again !== null) return again;
  if (from + long.length >= source.size) return "cut";
  throw refusal(
    source,
    `the gzip header is longer than ${GZIP_HEADER_BYTES} bytes (at byte ${from}). Unpack it first.`,
    from,
  );
}

/** Null where the header goes on behind the bytes. */
function parseGzipHeader(bytes: Uint8Array): { length: number; name: string | null } | null {
  const flags = bytes[3] ?? 0;
  let at = 10;
  if (flags & 4) at += 2 + ((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8));
  let name: string | null = null;
  for (const flag of [8, 16]) {
    if (!(flags & flag)) continue;
    const end = bytes.indexOf(0, at);
    if (end < 0) return null;
    if (flag === 8) name = new TextDecoder("windows-1252").decode(bytes.subarray(at, end));
    at = end + 1;
  }
  if (flags & 2) at += 2;
  return at <= bytes.length ? { length: at, name } : null;
}

async function onlyZeros(source: ByteSource, from: number): Promise<boolean> {
  return (await readBytes(source, from, 1 << 16)).every((byte) => byte === 0);
}

async function unpackZip(source: ByteSource): Promise<ByteSource> {
  const entries = await readZipDirectory(source);
  if (entries === null) return unpackCutZip(source);
  const files = entries.filter(({ isFolder, name }) => !isFolder && !isLitter(name));
  const [file] = files;
  if (file === undefined) throw refusal(source, "the zip archive holds no file. Pack it again.");
  if (files.length > 1) throw refusal(source, severalFiles(files.map(({ name }) => name)));
  return unpackEntry(source, file, await checkedOffset(source, file));
}

async function checkedOffset(source: ByteSource, file: ZipEntry): Promise<number> {
  const unread = unreadEntry(file);
  if (unread !== null) throw refusal(source, `${file.name} in the zip archive ${unread}.`);
  return zipDataOffset(source, file);
}

async function unpackEntry(source: ByteSource, file: ZipEntry, from: number): Promise<ByteSource> {
  const name = innerName(source.name, file.name);
  if (file.method === 0) return windowOf(source, name, from, file.packedSize, []);
  if (file.size > UNPACKED_BYTES) throw tooLarge(source);
  const gathered = gather(source, file.packedSize);
  const packed = await gathered.take(from, from + file.packedSize);
  if (!packed.whole || packed.bytes !== file.size || packed.crc !== file.crc32) {
    const what =
      packed.whole && packed.bytes === file.size ? "its checksum is not the one stored" : "its length is wrong";
    throw refusal(
      source,
      `${file.name} in the zip archive is damaged: ${what} (at byte ${from}). Copy it again.`,
      from,
    );
  }
  return gathered.source(name);
}

/** A zip without its directory was cut: its first file is used, as far as it is there. */
async function unpackCutZip(source: ByteSource): Promise<ByteSource> {
  const header = await readBytes(source, 0, 30 + (1 << 16));
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const from = header.length < 30 ? Infinity : 30 + view.getUint16(26, true) + view.getUint16(28, true);
  if (!(from < source.size) || view.getUint32(0, true) !== 0x04034b50) {
    throw refusal(source, `the zip archive was cut after ${source.size} bytes, before anything in it. Copy it again.`);
  }
  const name = new TextDecoder().decode(header.subarray(30, 30 + view.getUint16(26, true)));
  const there = source.size - from;
  const stated = view.getUint32(18, true);
  const method = view.getUint16(8, true);
  const flags = view.getUint16(6, true);
  const file: ZipEntry = {
    name,
    method,
    size: there,
    packedSize: there,
    encrypted: (flags & 1) !== 0,
    crc32: 0,
    offset: 0,
    isFolder: name.endsWith("/"),
  };
  const unread = file.isFolder || isLitter(name) ? "comes first. Copy the archive again" : unreadEntry(file);
  const cut = `the zip archive was cut after ${source.size} bytes`;
  if (unread !== null) throw refusal(source, `${cut}; ${name} in it ${unread}.`);
  // A length that is not stated stands behind the data, which the cut has taken or hidden.
  if (method === 0 && (flags & 8) !== 0 && stated === 0) {
    throw refusal(source, `${cut}; how long ${name} in it is stood in what is lost. Copy it again.`);
  }
  const gathered = gather(source, there);
  gathered.cut();
  let end = from + stated;
  let inner: ByteSource;
  if (method === 0) {
    const length = stated === 0xffff_ffff ? there : Math.min(there, stated);
    end = from + length;
    inner = windowOf(source, innerName(source.name, name), from, length, gathered.warnings);
  } else {
    end = (await gathered.take(from, source.size)).end;
    inner = gathered.source(innerName(source.name, name));
  }
  const behind = await readBytes(source, end, 64);
  for (let at = 0; at + 4 <= behind.length; at++) {
    if (behind[at] === 0x50 && behind[at + 1] === 0x4b && behind[at + 2] === 3 && behind[at + 3] === 4) {
      throw refusal(source, `${cut} and holds more files than ${name}. Copy it again.`);
    }
  }
  return inner;
}

/** What a computer leaves in an archive beside what was packed. */
function isLitter(name: string): boolean {
  const own = baseName(name);
  return name.startsWith("__MACOSX/") || own.startsWith("._") || /^(\.DS_Store|Thumbs\.db|desktop\.ini)$/i.test(own);
}

function severalFiles(names: readonly string[]): string {
  const few = `${names.slice(0, 4).map(baseName).join(", ")}${names.length > 4 ? ", ..." : ""}`;
  const all = (pattern: RegExp): boolean => names.every((name) => pattern.test(name));
  if (names.some((name) => /(^|\/)(\.zarray|\.zgroup|zarr\.json)$/.test(name))) {
    return "is a packed Zarr dataset. Unpack it and name its folder.";
  }
  if (all(/\.roi$/i)) return `is a set of ${names.length} outlines of ImageJ (${few}). Name it by --outlines.`;
  if (all(/\.npy$/i)) return `holds ${names.length} arrays (${few}). Save the movie's array alone, as .npy.`;
  if (names.includes("[Content_Types].xml")) return "is an Office document without a table. Export the record as CSV.";
  return `the zip archive holds ${names.length} files (${few}). Unpack it and name the file, or the folder of frames, that is wanted.`;
}

interface Packed extends InflateEnd {
  readonly bytes: number;
  readonly crc: number;
}

interface Gathered {
  readonly warnings: readonly string[];
  /** Unpacks what lies between two places and keeps it. */
  take(from: number, to: number): Promise<Packed>;
  say(sentence: string): void;
  /** Says that the pack was cut. */
  cut(): void;
  source(name: string): UnpackedSource;
}

/** Gathers unpacked bytes within the limits. */
function gather(source: ByteSource, packedBytes: number): Gathered {
  const pieces: Uint8Array[] = [];
  let block = new Uint8Array();
  let used = 0;
  // Pieces share blocks: hundreds of thousands of arrays would be slow to hold.
  const keep = (piece: Uint8Array): void => {
    for (let at = 0; at < piece.length;) {
      if (used === block.length) {
        pieces.push((block = new Uint8Array(BLOCK_BYTES)));
        used = 0;
      }
      const part = piece.subarray(at, at + block.length - used);
      block.set(part, used);
      used += part.length;
      at += part.length;
    }
  };
  const warnings: string[] = [];
  let total = 0;
  const own = baseName(source.name);
  const say = (sentence: string): void => void warnings.push(`${own}: ${sentence}`);
  return {
    warnings,
    say,
    cut: () =>
      say(`the file was cut after ${source.size} bytes: what is packed before the cut is used, what followed is lost.`),
    async take(from, to) {
      const stream = inflated(source, from, to);
      let crc = 0;
      let bytes = 0;
      for (;;) {
        const next = await stream.next();
        if (next.done === true) return { ...next.value, bytes, crc };
        const piece = next.value;
        crc = crc32(piece, crc);
        bytes += piece.length;
        total += piece.length;
        if (total > UNPACKED_BYTES) throw tooLarge(source);
        if (total > RATIO_FROM_BYTES && total > UNPACKED_RATIO * packedBytes) {
          throw refusal(
            source,
            `swells to more than ${UNPACKED_RATIO} times its ${packedBytes} packed bytes, as no movie and no record does. Unpack it first if it is one.`,
          );
        }
        keep(piece);
      }
    },
    source(name) {
      const all = pieces.length === 0 ? [] : [...pieces.slice(0, -1), block.slice(0, used)];
      return { ...piecesSource(name, all), packWarnings: warnings, close: () => source.close() };
    },
  };
}

/** Bytes of a file that lie in it as they are. */
function windowOf(
  source: ByteSource,
  name: string,
  from: number,
  size: number,
  warnings: readonly string[],
): UnpackedSource {
  const clipped = (offset: number, into: Uint8Array): Uint8Array =>
    into.subarray(0, Math.max(0, Math.min(into.length, size - offset)));
  const { readNow } = source;
  return {
    name,
    size,
    packWarnings: warnings,
    read: async (offset, into, signal) => source.read(from + offset, clipped(offset, into), signal),
    ...(readNow === undefined
      ? {}
      : { readNow: (offset: number, into: Uint8Array) => readNow(from + offset, clipped(offset, into)) }),
    close: () => source.close(),
  };
}

/** "movie.tif.gz (movie.tif)": where the pack is, and what is in it. */
function innerName(name: string, inner: string | null): string {
  const own = baseName(name).replace(/^.* \((.*)\)$/, "$1");
  const unpackedName = own.replace(/\.(gz|gzip)$/i, "").replace(/\.tgz$/i, ".tar");
  const isStripped = unpackedName !== own && unpackedName !== "";
  return `${name} (${isStripped && !/\.zip$/i.test(own) ? unpackedName : inner === null ? "content" : baseName(inner)})`;
}

function tooLarge(source: ByteSource): FormatError {
  return refusal(
    source,
    `holds more than ${UNPACKED_BYTES / 2 ** 30} GiB when unpacked, which is held in memory. Unpack it and name what is in it.`,
  );
}

function refusal(source: ByteSource, what: string, offset?: number): FormatError {
  return new FormatError(`${source.name}: ${what}`, { path: source.name, ...(offset === undefined ? {} : { offset }) });
}
