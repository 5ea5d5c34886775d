/**
 * The compressions of TIFF that are read, each bounded by the size that its strip claims.
 *
 * ZSTD is geotiff's, inflating is fflate's. LZW and PackBits are ours: on corrupt LZW geotiff's decoder grows without
 * end, and geotiff cannot be loaded in a worker that was started without `workerData`.
 */
import { unzlibSync } from "fflate";
import { decodeLzw } from "./lzw.js";

const codecs = new Map<number, string>([
  [2, "CCITT"],
  [3, "CCITT fax 3"],
  [4, "CCITT fax 4"],
  [6, "old JPEG"],
  [7, "JPEG"],
  [32771, "CCITT"],
  [32809, "ThunderScan"],
  [33003, "JPEG 2000"],
  [33005, "JPEG 2000"],
  [33007, "JPEG"],
  [34661, "JBIG"],
  [34676, "SGI log"],
  [34677, "SGI log"],
  [34712, "JPEG 2000"],
  [34887, "LERC"],
  [34892, "lossy JPEG"],
  [34925, "LZMA"],
  [34933, "PNG"],
  [34934, "JPEG XR"],
  [50001, "WebP"],
  [50002, "JPEG XL"],
  [52546, "JPEG XL"],
]);

const readable = new Set([1, 5, 8, 32946, 32773, 50000]);

/** The name of a compression that is not read; null for one that is. */
export function unreadCompression(compression: number): string | null {
  if (readable.has(compression)) return null;
  return codecs.get(compression) ?? `number ${compression}`;
}

/** Undoes a compression: at least `size` bytes where the block is whole; throws where it is corrupt. */
export type Decoder = (stored: Uint8Array, size: number) => Uint8Array | Promise<Uint8Array>;

/** The decoder of a compression that `unreadCompression` does not name. */
export async function decoderOf(compression: number): Promise<Decoder> {
  switch (compression) {
    case 1:
      return (stored) => stored;
    case 5:
      return decodeLzw;
    case 32773:
      return decodePackBits;
    case 50000: {
      const { getDecoder } = await import("geotiff");
      const bare = { tileWidth: 0, tileHeight: 0, predictor: 1, bitsPerSample: 8, planarConfiguration: 1 };
      const decoder = await getDecoder(compression, bare);
      return async (stored, size) => {
        checkZstdSize(stored, size);
        return new Uint8Array(await decoder.decode(stored.slice().buffer));
      };
    }
    default:
      return (stored, size) => unzlibSync(stored, { out: new Uint8Array(size) });
  }
}

/** PackBits after TIFF 6.0, section 9: n bytes as they are (0 to 127), or one byte 1 - n times (-127 to -1). */
function decodePackBits(stored: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(size);
  let written = 0;
  for (let at = 0; at < stored.length && written < size;) {
    const count = stored[at++]!;
    if (count === 128) continue;
    if (count < 128) {
      const bytes = stored.subarray(at, Math.min(at + count + 1, at + size - written));
      out.set(bytes, written);
      written += bytes.length;
      at += count + 1;
    } else {
      const end = Math.min(size, written + 257 - count);
      if (at < stored.length) out.fill(stored[at]!, written, end);
      written = at < stored.length ? end : written;
      at++;
    }
  }
  return out.subarray(0, written);
}

/**
 * Refuses a ZSTD frame that says it becomes more than a strip holds.
 * Frame header after RFC 8878, 3.1.1.1: u32 magic, u8 descriptor, u8 window unless single segment, dictionary, size.
 */
function checkZstdSize(stored: Uint8Array, size: number): void {
  const view = new DataView(stored.buffer, stored.byteOffset, stored.byteLength);
  if (stored.length < 6 || view.getUint32(0, true) !== 0xfd2fb528) throw new Error("not a ZSTD frame");
  const descriptor = stored[4]!;
  const single = (descriptor & 0x20) !== 0;
  const width = [single ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
  const at = 5 + (single ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]!;
  if (at + width + 3 > stored.length) throw new Error("a ZSTD frame without a body");
  const says =
    width === 8
      ? Number(view.getBigUint64(at, true))
      : width === 4
        ? view.getUint32(at, true)
        : width === 2
          ? view.getUint16(at, true) + 256
          : stored[at]!;
  if (width > 0) {
    if (says > size) throw new Error(`a ZSTD frame of ${says} bytes in a strip of ${size}`);
    return;
  }
  // The size is not told, so the blocks are added up: u24 = last, type (raw, run, compressed), size.
  let most = 0;
  for (let block = at; block + 3 <= stored.length;) {
    const head = stored[block]! | (stored[block + 1]! << 8) | (stored[block + 2]! << 16);
    const type = (head >> 1) & 3;
    most += type === 2 ? zstdBlock : head >> 3;
    block += 3 + (type === 1 ? 1 : head >> 3);
    if ((head & 1) === 1) break;
  }
  if (most > 16 * size + 8 * zstdBlock) throw new Error(`a ZSTD frame of up to ${most} bytes in a strip of ${size}`);
}

const zstdBlock = 131_072;
