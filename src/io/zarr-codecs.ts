/**
 * The packing of a Zarr chunk undone: gzip, zlib, Zstandard, LZ4, Blosc and the checksum CRC-32C.
 *
 * How many bytes must come out is known before, so nothing is unpacked beyond that: what a header claims is compared
 * first, and a stream without a claim is stopped where it passes the limit.
 * Source: the Zarr specifications (zarr-specs.readthedocs.io) and numcodecs' documentation.
 */
import { unpackBlosc } from "./zarr-blosc.js";
import { unpackLz4 } from "./zarr-lz.js";
import { unpackZstd, unpackZstdUpTo } from "./zstd.js";

/** How bytes are packed, by Zarr's names. */
export const packings = ["gzip", "zlib", "zstd", "lz4", "blosc", "crc32c"] as const;
export type Packing = (typeof packings)[number];

/** Bytes that packing may add to what cannot be packed, beside an eighth. */
const spareBytes = 1 << 16;

/** The most bytes that a chunk of so many unpacked bytes may hold. */
export function mostPackedBytes(expected: number): number {
  return expected + Math.ceil(expected / 8) + spareBytes;
}

/**
 * Undoes packings, given in the order in which they were applied, to exactly `expected` bytes.
 * Throws an Error that says what is wrong with the bytes, to follow "the chunk cannot be read: ".
 */
export async function unpack(packing: readonly Packing[], input: Uint8Array, expected: number): Promise<Uint8Array> {
  // What each packing must unpack to: known up to the first that has no fixed length.
  const sizes: { readonly size: number; readonly exact: boolean }[] = [];
  let size = expected;
  let exact = true;
  for (const kind of packing) {
    sizes.push({ size, exact });
    if (kind === "crc32c") size += 4;
    else [size, exact] = [mostPackedBytes(size), false];
  }
  let bytes = input;
  for (let at = packing.length - 1; at >= 0; at--) {
    bytes = await unpackOne(packing[at]!, bytes, sizes[at]!.size, sizes[at]!.exact);
  }
  if (bytes.length !== expected) throw new RangeError(`it holds ${bytes.length} bytes, not ${expected}`);
  return bytes;
}

async function unpackOne(kind: Packing, input: Uint8Array, size: number, exact: boolean): Promise<Uint8Array> {
  if (kind === "crc32c") return checkedCrc32c(input);
  if (kind === "gzip" || kind === "zlib") return inflate(kind, input, size);
  if (kind === "zstd") return exact ? unpackZstd(input, size) : unpackZstdUpTo(input, size);
  if (kind === "blosc") return unpackBlosc(input, exact ? size : claimed(input, 4, size));
  const output = new Uint8Array(exact ? size : claimed(input, 0, size));
  if (claimed(input, 0, size) !== output.length) {
    throw new RangeError(`its LZ4 header tells ${claimed(input, 0, size)} bytes, not ${size}`);
  }
  unpackLz4(input.subarray(4), output);
  return output;
}

/** The u32 LE at an offset of a header, where it is `limit` at most. */
function claimed(input: Uint8Array, offset: number, limit: number): number {
  if (input.length < offset + 4) throw new RangeError(`its header is cut off after ${input.length} bytes`);
  const value = new DataView(input.buffer, input.byteOffset, input.byteLength).getUint32(offset, true);
  if (value > limit) throw new RangeError(`its header tells ${value} bytes, not ${limit}`);
  return value;
}

async function inflate(kind: "gzip" | "zlib", input: Uint8Array, limit: number): Promise<Uint8Array> {
  const packed = new Blob([input as Uint8Array<ArrayBuffer>]).stream();
  const stream = packed.pipeThrough(new DecompressionStream(kind === "gzip" ? "gzip" : "deflate"));
  const reader = stream.getReader();
  const output = new Uint8Array(limit);
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return output.subarray(0, length);
    if (value.length > limit - length) {
      await reader.cancel().catch(() => undefined);
      throw new RangeError(`its ${kind} data unpack to more than ${limit} bytes`);
    }
    output.set(value, length);
    length += value.length;
  }
}

/** Bytes less the u32 LE at their end, which must be their CRC-32C. */
export function checkedCrc32c(input: Uint8Array): Uint8Array {
  if (input.length < 4) throw new RangeError(`its checksum is cut off after ${input.length} bytes`);
  const bytes = input.subarray(0, -4);
  const stored = new DataView(input.buffer, input.byteOffset, input.byteLength).getUint32(bytes.length, true);
  const found = crc32c(bytes);
  if (found !== stored) {
    const hex = (value: number): string => value.toString(16).padStart(8, "0");
    throw new RangeError(`its CRC-32C is ${hex(found)} but ${hex(stored)} was stored: it is damaged`);
  }
  return bytes;
}

/** CRC-32C (Castagnoli) of bytes. Source: RFC 3720, appendix B.4. */
export function crc32c(bytes: Uint8Array): number {
  const tables = (crcTables ??= makeTables());
  let crc = 0xffffffff;
  let at = 0;
  // Four bytes at a time.
  for (; at + 4 <= bytes.length; at += 4) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    crc =
      tables[768 + (crc & 255)]! ^
      tables[512 + ((crc >>> 8) & 255)]! ^
      tables[256 + ((crc >>> 16) & 255)]! ^
      tables[crc >>> 24]!;
  }
  for (; at < bytes.length; at++) crc = tables[(crc ^ bytes[at]!) & 255]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

let crcTables: Uint32Array | null = null;

function makeTables(): Uint32Array {
  const tables = new Uint32Array(1024);
  for (let value = 0; value < 256; value++) {
    let crc = value;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
    tables[value] = crc;
  }
  for (let at = 256; at < 1024; at++) tables[at] = tables[tables[at - 256]! & 255]! ^ (tables[at - 256]! >>> 8);
  return tables;
}
