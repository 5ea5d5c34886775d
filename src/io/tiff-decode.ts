/**
 * Pixels of one page of a TIFF, as stored: straight into the caller's array where they lie bare,
 * else strip by strip or tile by tile through a decoder, predictor and unpacking of odd bit depths.
 *
 * ZSTD is geotiff's, inflating is fflate's into a buffer of the size that the page claims. LZW, PackBits and the
 * predictors are here: on corrupt LZW geotiff's decoder grows without end, its predictor adds in the machine's byte
 * order whatever the file's is, and it cannot be loaded in a worker that was started without `workerData`.
 */
import { unzlibSync } from "fflate";
import { FormatError } from "../model/errors.js";
import type { Dtype, Samples } from "../model/movie.js";
import { bytesOf, machineIsLittle, swapBytes } from "./byte-order.js";
import { decodeLzw } from "./lzw.js";
import { blockBytes, blocksPerPlane, readBlocks, rowBytes, type PageLayout, type TiffFile } from "./tiff-index.js";
import type { TiffPage } from "./tiff-index.js";

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

/** Why samples of this layout cannot be read, with the cure; null where they can. */
export function layoutRefusal(layout: PageLayout): string | null {
  if (!readable.has(layout.compression)) {
    const name = codecs.get(layout.compression) ?? `number ${layout.compression}`;
    return `its compression is ${name}; none, LZW, Deflate, PackBits and ZSTD are read. Save it without compression.`;
  }
  const { bitsPerSample: bits, sampleFormat: format, predictor } = layout;
  const known = format === "float" ? [16, 32, 64].includes(bits) : format !== "complex" && bits <= 32;
  if (!known)
    return `its samples are ${format}${bits}; integers up to 32 bits and floats are read. Save it as float32.`;
  const predicted = predictor === 2 ? [8, 16, 32].includes(bits) : predictor === 3 ? format === "float" : true;
  if (predictor > 3 || !predicted) {
    return `its predictor ${predictor} on ${format}${bits} is not read. Save it without compression.`;
  }
  if (layout.depth > 1 && layout.samplesPerPixel > 1) {
    return `a page holds ${layout.depth} planes of ${layout.samplesPerPixel} samples. Save one plane a page.`;
  }
  return null;
}

/** The smallest standard type that holds a sample. */
export function layoutDtype({ bitsPerSample: bits, sampleFormat: format }: PageLayout): Dtype {
  if (format === "float") return bits === 64 ? "float64" : "float32";
  const size = bits <= 8 ? 8 : bits <= 16 ? 16 : 32;
  return format === "int" ? `int${size}` : `uint${size}`;
}

/** Which samples of a page are asked for: one plane of its depth, one of its samples, or all as they stand. */
export interface Plane {
  readonly z: number;
  /** A sample of each pixel; null for all, in the file's own order. */
  readonly sample: number | null;
}

/**
 * Raw samples of a page into an array of width * height (times the samples of a pixel, where all are asked for).
 * Throws FormatError where bytes are missing or cannot be decoded.
 */
export async function readPlane(
  file: TiffFile,
  page: TiffPage,
  plane: Plane,
  into: Samples,
  signal?: AbortSignal,
): Promise<void> {
  const { layout } = page;
  const pixels = layout.width * layout.height;
  const wanted = pixels * (plane.sample === null ? layout.samplesPerPixel : 1);
  if (into.length !== wanted) throw new RangeError(`an array of ${into.length} cannot hold ${wanted} samples`);
  const mixed = plane.sample !== null && !layout.separate && layout.samplesPerPixel > 1;
  if (page.dataOffset >= 0 && !mixed && into.BYTES_PER_ELEMENT === layout.bitsPerSample / 8) {
    const skip = (plane.z + (layout.separate ? (plane.sample ?? 0) : 0)) * pixels * into.BYTES_PER_ELEMENT;
    await readInto(file, page.dataOffset + skip, bytesOf(into), signal);
    if (!sameOrder(file)) swapBytes(into);
    return;
  }
  await readByBlocks(file, page, plane, into, signal);
}

async function readInto(file: TiffFile, offset: number, into: Uint8Array, signal?: AbortSignal): Promise<void> {
  const { source } = file;
  const got = await source.read(offset, into, signal);
  if (got === into.length) return;
  throw new FormatError(`${source.name}: ends at byte ${offset + got}, inside a frame. Copy it again.`, {
    path: source.name,
    offset: offset + got,
  });
}

async function readByBlocks(
  file: TiffFile,
  page: TiffPage,
  plane: Plane,
  into: Samples,
  signal?: AbortSignal,
): Promise<void> {
  const { layout } = page;
  const { width, height, blockWidth, blockHeight, blockDepth, samplesPerPixel, separate } = layout;
  const blocks = await readBlocks(file, page);
  const across = Math.ceil(width / blockWidth);
  const down = Math.ceil(height / blockHeight);
  const perPlane = blocksPerPlane(layout);
  const firstOfSlice = Math.floor(plane.z / blockDepth) * across * down;
  const inBlock = separate ? 1 : samplesPerPixel;
  const planes = separate && plane.sample === null ? Array.from({ length: samplesPerPixel }, (_, s) => s) : null;
  for (const sample of planes ?? [separate ? (plane.sample ?? 0) : 0]) {
    const base = planes === null ? 0 : sample * width * height;
    for (let index = 0; index < across * down; index++) {
      signal?.throwIfAborted();
      const block = sample * perPlane + firstOfSlice + index;
      const bare = layout.compression === 1;
      const size = blockBytes(layout, block % perPlane);
      const stored = new Uint8Array(bare ? size : Math.min(blocks.lengths[block]!, file.source.size));
      await readInto(file, blocks.offsets[block]!, stored, signal);
      const samples = await decodeBlock(file, layout, stored, size);
      const y0 = Math.floor(index / across) * blockHeight;
      const x0 = (index % across) * blockWidth;
      const rows = Math.min(blockHeight, height - y0);
      const columns = Math.min(blockWidth, width - x0);
      const first = (plane.z % blockDepth) * blockHeight * blockWidth * inBlock;
      const pick = plane.sample === null || separate ? null : plane.sample;
      const step = pick === null ? inBlock : 1;
      for (let row = 0; row < rows; row++) {
        const from = first + row * blockWidth * inBlock;
        const to = base + ((y0 + row) * width + x0) * step;
        if (pick === null) into.set(samples.subarray(from, from + columns * inBlock), to);
        else for (let x = 0; x < columns; x++) into[to + x] = samples[from + x * inBlock + pick]!;
      }
    }
  }
}

/** One strip or tile as samples in the machine's own order, each row as long as the block is wide. */
async function decodeBlock(file: TiffFile, layout: PageLayout, stored: Uint8Array, size: number): Promise<Samples> {
  if (layout.fillOrder === 2) for (let at = 0; at < stored.length; at++) stored[at] = reversed(stored[at]!);
  const decode = await decoderOf(layout.compression);
  let bytes: Uint8Array;
  try {
    bytes = await decode(stored, size);
  } catch (cause) {
    throw new FormatError(`${file.source.name}: a strip or tile cannot be decompressed. Copy or export it again.`, {
      path: file.source.name,
      cause,
    });
  }
  if (bytes.length < size) {
    throw new FormatError(
      `${file.source.name}: a strip or tile holds ${bytes.length} of ${size} bytes. Copy or export it again.`,
      { path: file.source.name },
    );
  }
  return samplesOf(layout, bytes.subarray(0, size), file.littleEndian);
}

type Decoder = (stored: Uint8Array, size: number) => Uint8Array | Promise<Uint8Array>;

async function decoderOf(compression: number): Promise<Decoder> {
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

function samplesOf(layout: PageLayout, bytes: Uint8Array, littleEndian: boolean): Samples {
  const { bitsPerSample: bits, predictor } = layout;
  const perRow = layout.blockWidth * (layout.separate ? 1 : layout.samplesPerPixel);
  const stride = layout.separate ? 1 : layout.samplesPerPixel;
  if (predictor === 3) {
    // The bytes of a row stand sorted by rank, highest first, whatever the file's order.
    return toStandard(layout, gatherFloats(bytes, perRow, stride, bits / 8));
  }
  if (bits % 8 !== 0 || bits === 24) return unpack(layout, bytes, perRow, littleEndian);
  // A copy, since a typed array must begin at a multiple of its size.
  const raw = rawArray(bits, bytes);
  if (littleEndian !== machineIsLittle) swapBytes(raw);
  if (predictor === 2) {
    for (let row = 0; row < raw.length; row += perRow) {
      for (let at = row + stride; at < row + perRow; at++) raw[at]! += raw[at - stride]!;
    }
  }
  return toStandard(layout, raw);
}

type Unsigned = Uint8Array | Uint16Array | Uint32Array | Float64Array;

function rawArray(bits: number, bytes: Uint8Array): Unsigned {
  const { buffer } = bytes.slice();
  if (bits === 8) return new Uint8Array(buffer);
  if (bits === 16) return new Uint16Array(buffer);
  return bits === 32 ? new Uint32Array(buffer) : new Float64Array(buffer);
}

/** The same bits seen as the layout's own type; half floats become float32. */
function toStandard(layout: PageLayout, raw: Unsigned): Samples {
  if (layout.sampleFormat === "float") {
    if (layout.bitsPerSample === 16) return Float32Array.from(raw as Uint16Array, halfToFloat);
    return layout.bitsPerSample === 64 ? raw : new Float32Array(raw.buffer);
  }
  if (layout.sampleFormat === "uint") return raw;
  if (layout.bitsPerSample === 8) return new Int8Array(raw.buffer);
  return layout.bitsPerSample === 16 ? new Int16Array(raw.buffer) : new Int32Array(raw.buffer);
}

/** Predictor 3 undone: bytes summed along the row, then put together again (Adobe, TIFF Technical Note 3). */
function gatherFloats(bytes: Uint8Array, perRow: number, stride: number, width: number): Unsigned {
  const whole = new Uint8Array(bytes.length);
  const rowLength = perRow * width;
  for (let row = 0; row < bytes.length; row += rowLength) {
    for (let at = row + stride; at < row + rowLength; at++) bytes[at]! += bytes[at - stride]!;
    for (let index = 0; index < perRow; index++) {
      for (let rank = 0; rank < width; rank++) {
        const place = machineIsLittle ? width - 1 - rank : rank;
        whole[row + index * width + place] = bytes[row + rank * perRow + index]!;
      }
    }
  }
  return rawArray(width * 8, whole);
}

/** Samples of any bit depth, highest bit first, each row begun at a byte; 24 bits in the file's byte order. */
function unpack(layout: PageLayout, bytes: Uint8Array, perRow: number, littleEndian: boolean): Samples {
  const { bitsPerSample: bits } = layout;
  const length = rowBytes(layout);
  const rows = Math.floor(bytes.length / length);
  const size = perRow * rows;
  const signed = layout.sampleFormat === "int";
  const samples = bits < 8 ? new Uint8Array(size) : bits < 16 ? new Uint16Array(size) : new Uint32Array(size);
  const sign = 2 ** (bits - 1);
  for (let row = 0; row < rows; row++) {
    let at = row * length;
    let held = 0;
    let value = 0;
    for (let index = 0; index < perRow; index++) {
      if (bits === 24) {
        const [low, high] = littleEndian ? [at, at + 2] : [at + 2, at];
        value = bytes[low]! + bytes[at + 1]! * 256 + bytes[high]! * 65536;
        at += 3;
      } else {
        let left = bits;
        value = 0;
        while (left > 0) {
          const take = Math.min(left, 8 - held);
          value = value * 2 ** take + ((bytes[at]! >> (8 - held - take)) & (2 ** take - 1));
          held += take;
          left -= take;
          if (held === 8) {
            held = 0;
            at++;
          }
        }
      }
      samples[row * perRow + index] = signed && value >= sign ? value - 2 * sign : value;
    }
  }
  if (!signed) return samples;
  if (bits < 8) return new Int8Array(samples.buffer);
  return bits < 16 ? new Int16Array(samples.buffer) : new Int32Array(samples.buffer);
}

/** IEEE 754 half precision: 1 sign, 5 exponent, 10 fraction bits. */
function halfToFloat(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

function sameOrder(file: TiffFile): boolean {
  return file.littleEndian === machineIsLittle;
}

function reversed(byte: number): number {
  const swapped4 = ((byte & 0xf0) >> 4) | ((byte & 0x0f) << 4);
  const swapped2 = ((swapped4 & 0xcc) >> 2) | ((swapped4 & 0x33) << 2);
  return ((swapped2 & 0xaa) >> 1) | ((swapped2 & 0x55) << 1);
}
