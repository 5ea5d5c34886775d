/**
 * A Blosc 1 buffer: blocks that are shuffled and packed one by one.
 *
 *      0  u8 version (1 or 2), u8 version of the packer
 *      2  u8 flags: 1 bytes shuffled, 2 stored as it is, 4 bits shuffled, 16 blocks not split;
 *                   top 3 bits: 0 BloscLZ, 1 LZ4, 2 Snappy, 3 zlib, 4 Zstandard
 *      3  u8 bytes of a sample
 *      4  u32 bytes unpacked, u32 bytes of a block, u32 bytes of this buffer
 *     16  i32 offset of each block (or the bytes, where stored as they are)
 *         a block: for each of its parts (one a byte of the sample where split) i32 length and the packed bytes;
 *         a length equal to the part's own means that it is stored as it is
 *
 * Read here and not by the usual library, whose answer to a damaged buffer is what happens to be in its memory.
 * Every length is checked, so damage that shows in a length is an error; Blosc has no checksum.
 * Source: c-blosc, README_CHUNK_FORMAT.
 */
import { unpackBloscLz, unpackLz4 } from "./zarr-lz.js";
import { unpackZstd } from "./zstd.js";

const maxSplit = 16;
const minSplitBytes = 128;

/** Unpacks a buffer that must hold exactly `expected` bytes. Throws RangeError where it does not or is damaged. */
export async function unpackBlosc(input: Uint8Array, expected: number): Promise<Uint8Array> {
  if (input.length < 16) throw new RangeError(`its Blosc header is cut off after ${input.length} bytes`);
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  const [version, flags, sample] = [input[0]!, input[2]!, input[3]!];
  const [bytes, blockBytes, packed] = [view.getUint32(4, true), view.getUint32(8, true), view.getUint32(12, true)];
  if (version < 1 || version > 2) throw new RangeError(`its Blosc version is ${version}, not 1 or 2`);
  if (bytes !== expected) throw new RangeError(`its Blosc header tells ${bytes} bytes, not ${expected}`);
  if (packed !== input.length) throw new RangeError(`it holds ${input.length} of ${packed} bytes`);
  if (sample === 0) throw new RangeError("its Blosc header tells samples of 0 bytes");
  if ((flags & 2) !== 0) {
    if (input.length !== 16 + bytes) throw new RangeError(`it holds ${input.length - 16} of ${bytes} bytes`);
    return input.slice(16);
  }
  const output = new Uint8Array(bytes);
  if (bytes === 0) return output;
  if (blockBytes === 0) throw new RangeError("its Blosc header tells blocks of 0 bytes");
  const blocks = Math.ceil(bytes / blockBytes);
  if (16 + 4 * blocks > input.length) throw new RangeError(`its Blosc header tells ${blocks} blocks`);
  const shuffle = (flags & 1) !== 0 && sample > 1 ? unshuffleBytes : (flags & 4) !== 0 ? unshuffleBits : null;
  const draft = shuffle === null ? null : new Uint8Array(Math.min(blockBytes, bytes));
  for (let block = 0; block < blocks; block++) {
    const first = block * blockBytes;
    const target = output.subarray(first, Math.min(first + blockBytes, bytes));
    const whole = target.length === blockBytes;
    const split = (flags & 16) === 0 && sample <= maxSplit && Math.floor(blockBytes / sample) >= minSplitBytes && whole;
    const parts = split ? sample : 1;
    const partBytes = Math.floor(target.length / parts);
    const unpacked = draft === null ? target : draft.subarray(0, target.length);
    let at = view.getInt32(16 + 4 * block, true);
    for (let part = 0; part < parts; part++) {
      if (at < 16 || at + 4 > input.length) throw new RangeError(`its Blosc block ${block} begins at byte ${at}`);
      const length = view.getInt32(at, true);
      at += 4;
      if (length < 0 || length > input.length - at) throw new RangeError(`its Blosc block ${block} is cut off`);
      const into = unpacked.subarray(part * partBytes, part === parts - 1 ? target.length : (part + 1) * partBytes);
      const source = input.subarray(at, at + length);
      if (length === into.length) into.set(source);
      else await unpackPart(flags >> 5, source, into);
      at += length;
    }
    if (shuffle !== null) shuffle(unpacked, target, sample);
  }
  return output;
}

async function unpackPart(packer: number, source: Uint8Array, into: Uint8Array): Promise<void> {
  if (packer === 0) unpackBloscLz(source, into);
  else if (packer === 1) unpackLz4(source, into);
  else if (packer === 3) await unpackZlibPart(source, into);
  else if (packer === 4) into.set(await unpackZstd(source, into.length));
  else throw new RangeError(`its Blosc packer is ${packer === 2 ? "Snappy" : `number ${packer}`}, which is not read`);
}

async function unpackZlibPart(source: Uint8Array, into: Uint8Array): Promise<void> {
  const { unzlibSync } = await import("fflate");
  // One byte of room more than expected, so that more output shows.
  const unpacked = unzlibSync(source, { out: new Uint8Array(into.length + 1) });
  if (unpacked.length !== into.length) throw new RangeError("its zlib data are damaged");
  into.set(unpacked);
}

/** From all first bytes, all second bytes and so on to samples; what is left over stands at the end. */
function unshuffleBytes(from: Uint8Array, into: Uint8Array, sample: number): void {
  const samples = Math.floor(from.length / sample);
  for (let byte = 0; byte < sample; byte++) {
    const plane = byte * samples;
    for (let at = 0, to = byte; at < samples; at++, to += sample) into[to] = from[plane + at]!;
  }
  into.set(from.subarray(samples * sample), samples * sample);
}

/** From all lowest bits, all second bits and so on to samples; blocks of samples not in eights are as they were. */
function unshuffleBits(from: Uint8Array, into: Uint8Array, sample: number): void {
  const samples = Math.floor(from.length / sample);
  if (samples % 8 !== 0) {
    into.set(from);
    return;
  }
  const row = samples / 8;
  for (let byte = 0; byte < sample; byte++) {
    for (let eight = 0; eight < row; eight++) {
      // Eight samples' bits lie in eight rows: a matrix of 8 x 8 bits is transposed in two words.
      const first = 8 * byte * row + eight;
      let high =
        (from[first + 7 * row]! << 24) |
        (from[first + 6 * row]! << 16) |
        (from[first + 5 * row]! << 8) |
        from[first + 4 * row]!;
      let low =
        (from[first + 3 * row]! << 24) | (from[first + 2 * row]! << 16) | (from[first + row]! << 8) | from[first]!;
      let swap = (high ^ (high >>> 7)) & 0x00aa00aa;
      high ^= swap ^ (swap << 7);
      swap = (low ^ (low >>> 7)) & 0x00aa00aa;
      low ^= swap ^ (swap << 7);
      swap = (high ^ (high >>> 14)) & 0x0000cccc;
      high ^= swap ^ (swap << 14);
      swap = (low ^ (low >>> 14)) & 0x0000cccc;
      low ^= swap ^ (swap << 14);
      const upper = (high & 0xf0f0f0f0) | ((low >>> 4) & 0x0f0f0f0f);
      const lower = ((high << 4) & 0xf0f0f0f0) | (low & 0x0f0f0f0f);
      const to = 8 * eight * sample + byte;
      for (let at = 0; at < 4; at++) {
        into[to + at * sample] = lower >>> (8 * at);
        into[to + (at + 4) * sample] = upper >>> (8 * at);
      }
    }
  }
  into.set(from.subarray(samples * sample), samples * sample);
}
