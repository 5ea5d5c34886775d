/** The compressions of TIFF that are read, each bounded by the size that its strip claims. Inflating is fflate's, ZSTD numcodecs'. */
import { unzlibSync } from "fflate";
import { decodeLzw } from "./lzw.js";
import { unpackZstdBeginning } from "./zstd.js";

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
export function decoderOf(compression: number): Decoder {
  switch (compression) {
    case 1:
      return (stored) => stored;
    case 5:
      return decodeLzw;
    case 32773:
      return decodePackBits;
    case 50000:
      return unpackZstdBeginning;
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
