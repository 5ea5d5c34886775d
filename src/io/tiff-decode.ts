/**
 * Pixels of one page of a TIFF, as stored: straight into the caller's array where they lie bare,
 * else strip by strip or tile by tile.
 */
import { FormatError } from "../model/errors.js";
import type { Dtype, Samples } from "../model/movie.js";
import { bytesOf, machineIsLittle, swapBytes } from "./byte-order.js";
import { decoderOf, unreadCompression } from "./tiff-compression.js";
import type { TiffFile } from "./tiff-directory.js";
import { readBlocks } from "./tiff-index.js";
import { blockBytes, blocksPerPlane, type PageLayout, type TiffPage } from "./tiff-page.js";
import { samplesOf } from "./tiff-samples.js";

/** Why samples of this layout cannot be read, with the cure; null where they can. */
export function layoutRefusal(layout: PageLayout): string | null {
  const name = unreadCompression(layout.compression);
  if (name !== null) {
    return `its compression is ${name}; none, LZW, Deflate, PackBits and ZSTD are read. Save it without compression.`;
  }
  const { bitsPerSample: bits, sampleFormat: format, predictor } = layout;
  const known = format === "float" ? [16, 32, 64].includes(bits) : format !== "complex" && bits <= 32;
  if (!known)
    return `its samples are ${format}${bits}; integers up to 32 bits and floats are read. Save it as float32.`;
  const predicted = predictor === 2 ? [8, 16, 32, 64].includes(bits) : predictor === 3 ? format === "float" : true;
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
  const decode = decoderOf(layout.compression);
  let bytes: Uint8Array;
  try {
    bytes = await decode(stored, size);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new FormatError(
      `${file.source.name}: a strip or tile cannot be decompressed (${why}). Copy or export it again.`,
      { path: file.source.name, cause },
    );
  }
  if (bytes.length < size) {
    throw new FormatError(
      `${file.source.name}: a strip or tile holds ${bytes.length} of ${size} bytes. Copy or export it again.`,
      { path: file.source.name },
    );
  }
  return samplesOf(layout, bytes.subarray(0, size), file.littleEndian);
}

function sameOrder(file: TiffFile): boolean {
  return file.littleEndian === machineIsLittle;
}

function reversed(byte: number): number {
  const swapped4 = ((byte & 0xf0) >> 4) | ((byte & 0x0f) << 4);
  const swapped2 = ((swapped4 & 0xcc) >> 2) | ((swapped4 & 0x33) << 2);
  return ((swapped2 & 0xaa) >> 1) | ((swapped2 & 0x55) << 1);
}
