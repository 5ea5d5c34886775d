/** A PNG as a movie of one frame. */
import { decode } from "fast-png";
import { FormatError } from "../model/errors.js";
import type { Dtype, MovieFile, Samples } from "../model/movie.js";
import { readBytes, type ByteSource } from "./bytes.js";

/** What the first 33 bytes of a PNG say: IHDR, of which the palette's indices count as grey. */
export interface PngHeader {
  readonly width: number;
  readonly height: number;
  readonly dtype: Dtype;
  readonly samplesPerPixel: number;
  readonly palette: boolean;
}

const channels = new Map<number, number>([
  [0, 1],
  [2, 3],
  [3, 1],
  [4, 2],
  [6, 4],
]);

/** Whether a file begins as a PNG does. */
export function isPng(head: Uint8Array): boolean {
  return [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a].every((byte, at) => head[at] === byte);
}

/** Reads the header from a file's first bytes. Throws FormatError where it is malformed or claims too much. */
export function pngHeader(head: Uint8Array, source: ByteSource): PngHeader {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (head.length < 33 || view.getUint32(12) !== 0x49484452) throw fault(source, "its header is cut off or malformed.");
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  const [depth, colour] = [head[24]!, head[25]!];
  const samplesPerPixel = channels.get(colour);
  if (samplesPerPixel === undefined || ![1, 2, 4, 8, 16].includes(depth) || width === 0 || height === 0) {
    throw fault(source, `its header says ${width} x ${height} px of ${depth} bits, colour type ${colour}.`);
  }
  // Deflate makes at most 1032 bytes of one.
  const bytes = (width * height * samplesPerPixel * depth) / 8;
  if (bytes > source.size * 1040 || bytes > 1 << 30) {
    throw fault(source, `it claims ${width} x ${height} px in ${source.size} bytes.`);
  }
  return { width, height, dtype: depth === 16 ? "uint16" : "uint8", samplesPerPixel, palette: colour === 3 };
}

function fault(source: ByteSource, what: string, cause?: unknown): FormatError {
  return new FormatError(`${source.name}: ${what} Export it again.`, { path: source.name, cause });
}

/** Decodes a whole file into raw samples. Throws FormatError where it is damaged. */
export async function readPng(
  source: ByteSource,
  header: PngHeader,
  into: Samples,
  signal?: AbortSignal,
): Promise<void> {
  const bytes = await readBytes(source, 0, source.size, signal);
  let data: ArrayLike<number>;
  try {
    const image = decode(bytes, { checkCrc: true });
    data =
      image.depth < 8 ? unpackBits(image.data, image.width * image.channels, image.height, image.depth) : image.data;
  } catch (cause) {
    throw fault(source, "its pixels cannot be decoded.", cause);
  }
  const wanted = header.width * header.height * header.samplesPerPixel;
  if (data.length < wanted) throw fault(source, `holds ${data.length} of ${wanted} samples.`);
  if (into.length !== wanted) throw new RangeError(`an array of ${into.length} cannot hold ${wanted} samples`);
  into.set(data);
}

function unpackBits(packed: ArrayLike<number>, perRow: number, rows: number, bits: number): Uint8Array {
  const rowBytes = Math.ceil((perRow * bits) / 8);
  const samples = new Uint8Array(perRow * rows);
  for (let row = 0; row < rows; row++) {
    for (let index = 0; index < perRow; index++) {
      const at = index * bits;
      const byte = packed[row * rowBytes + (at >> 3)]!;
      samples[row * perRow + index] = (byte >> (8 - bits - (at & 7))) & ((1 << bits) - 1);
    }
  }
  return samples;
}

/** Whether the chunk that announces an animation stands before the pixels, in a file's first bytes. */
function isAnimated(head: Uint8Array): boolean {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  for (let at = 8; at + 8 <= head.length; at += 12 + view.getUint32(at)) {
    const kind = view.getUint32(at + 4);
    if (kind === 0x6163544c) return true;
    if (kind === 0x49444154) return false;
  }
  return false;
}

/** Opens a PNG as a movie of one frame, without scale and clock. Throws FormatError where it is malformed. */
export async function openPng(source: ByteSource): Promise<MovieFile> {
  const head = await readBytes(source, 0, 1 << 12);
  const header = pngHeader(head, source);
  const { width, height, dtype, samplesPerPixel } = header;
  const warnings: string[] = [];
  if (samplesPerPixel > 1) {
    warnings.push(`the image is in colour or has transparency, ${samplesPerPixel} samples a pixel. Export it as grey.`);
  }
  if (isAnimated(head))
    warnings.push("the file is an animation, of which only the still image is read. Export it as TIFF.");
  if (header.palette) warnings.push("the file has a palette: its stored indices are taken as grey values.");
  return {
    name: source.name,
    format: "png",
    width,
    height,
    frames: 1,
    dtype,
    ...(samplesPerPixel > 1 ? { samplesPerPixel } : {}),
    pixelSize_um: null,
    pixelSizeSource: "missing",
    time_s: null,
    timeSource: "missing",
    frameStamp: "unknown",
    start: null,
    warnings,
    async read(index, into, signal) {
      if (index !== 0) throw new RangeError(`frame ${index} of 1`);
      if (samplesPerPixel > 1 && into.length === width * height) {
        throw fault(source, `is in colour or has transparency, ${samplesPerPixel} samples a pixel.`);
      }
      await readPng(source, header, into, signal);
    },
    close: () => source.close(),
  };
}
