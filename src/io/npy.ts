/**
 * NumPy's .npy as a movie: one image, or images in time (t, y, x). Read by position, never whole.
 *
 *     0x93 "NUMPY", u8 major, u8 minor, u16 or (from version 2) u32 length of the header, header, samples
 *
 * The header is a Python dictionary: descr, fortran_order, shape.
 * Source: numpy.lib.format.
 */
import { FormatError } from "../model/errors.js";
import type { Dtype, MovieFile, Samples } from "../model/movie.js";
import { bytesOf, halfFloat, machineIsLittle, swapBytes } from "./byte-order.js";
import { readBytes, type ByteSource } from "./bytes.js";
import { maxFrames } from "./tiff-index.js";

interface Header {
  readonly dtype: Dtype;
  readonly bytes: number;
  readonly littleEndian: boolean;
  readonly fortran: boolean;
  readonly frames: number;
  readonly height: number;
  readonly width: number;
  readonly dataOffset: number;
}

const dtypes = new Map<string, [Dtype, number]>([
  ["u1", ["uint8", 1]],
  ["b1", ["uint8", 1]],
  ["i1", ["int8", 1]],
  ["u2", ["uint16", 2]],
  ["i2", ["int16", 2]],
  ["u4", ["uint32", 4]],
  ["i4", ["int32", 4]],
  ["f2", ["float32", 2]],
  ["f4", ["float32", 4]],
  ["f8", ["float64", 8]],
]);

/** Whether a file begins as .npy does. */
export function isNpy(head: Uint8Array): boolean {
  return [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59].every((byte, at) => head[at] === byte);
}

/**
 * Opens a .npy file as a movie without scale and clock; axes of length 1 are passed over.
 * Throws FormatError where type or shape cannot be a movie or not one frame is whole.
 */
export async function openNpy(source: ByteSource): Promise<MovieFile> {
  const header = await readHeader(source);
  const { frames, width, height, bytes, dataOffset, fortran } = header;
  const frameBytes = width * height * bytes;
  const held = Math.max(0, source.size - dataOffset);
  const whole = fortran ? (held < frameBytes * frames ? 0 : frames) : Math.min(frames, Math.floor(held / frameBytes));
  if (whole === 0) {
    const part = fortran ? "column by column, and is cut off" : "and is cut off inside its first frame";
    throw fault(source, `holds ${held} of ${frameBytes * frames} bytes ${part}. Copy it again.`);
  }
  const warnings: string[] = [];
  if (whole < frames) {
    warnings.push(
      `the file is cut off: ${frames - whole} of ${frames} frames are missing, the first ${whole} are used.`,
    );
  }
  const gather = fortran && frames > 1 ? columnOrder(source, header) : null;
  return {
    name: source.name,
    format: "npy",
    width,
    height,
    frames: whole,
    dtype: header.dtype,
    pixelSize_um: null,
    pixelSizeSource: "missing",
    time_s: null,
    timeSource: "missing",
    frameStamp: "unknown",
    start: null,
    warnings,
    async read(index: number, into: Samples, signal?: AbortSignal): Promise<void> {
      signal?.throwIfAborted();
      if (!(index >= 0 && index < whole)) throw new RangeError(`frame ${index} of ${whole}`);
      if (into.length !== width * height) throw new RangeError(`an array of ${into.length} for ${width * height}`);
      // Half floats are read as they are stored, and made whole ones.
      const halves = bytes === 2 && header.dtype === "float32" ? new Uint16Array(into.length) : null;
      const stored = halves ?? into;
      const target = bytesOf(stored);
      if (gather !== null) target.set(await gather(index, signal));
      else {
        const got = await source.read(dataOffset + index * frameBytes, target, signal);
        if (got < target.length) throw fault(source, `ends inside frame ${index}. Copy it again.`);
        if (fortran) transpose(target, width, height, bytes);
      }
      if (header.littleEndian !== machineIsLittle) swapBytes(stored);
      if (halves !== null) into.set(Float32Array.from(halves, halfFloat));
    },
    close: () => source.close(),
  };
}

function fault(source: ByteSource, what: string): FormatError {
  return new FormatError(`${source.name}: ${what}`, { path: source.name });
}

async function readHeader(source: ByteSource): Promise<Header> {
  const start = await readBytes(source, 0, 12);
  const major = start[6] ?? 0;
  if (start.length < 12) throw fault(source, `ends inside its header, after ${source.size} bytes. Copy it again.`);
  if (major < 1 || major > 3) throw fault(source, `is .npy version ${major}; 1 to 3 are known. Save it again.`);
  const view = new DataView(start.buffer, start.byteOffset);
  const [length, at] = major === 1 ? [view.getUint16(8, true), 10] : [view.getUint32(8, true), 12];
  if (length > 1 << 20) throw fault(source, `claims a header of ${length} bytes. Save it again.`);
  const bytes = await readBytes(source, at, length);
  const text = new TextDecoder("latin1").decode(bytes);
  if (bytes.length < length) throw fault(source, "ends inside its header. Copy it again.");
  const descr = /["']descr["']:\s*["']([<>|=]?)([a-z]\d+)["']/.exec(text);
  const order = /["']fortran_order["']:\s*(True|False)/.exec(text)?.[1];
  const shape = /["']shape["']:\s*\(([\d,\sL]*)\)/.exec(text)?.[1];
  if (descr === null || order === undefined || shape === undefined) {
    const said = /["']descr["']:[^}]{0,60}/.exec(text)?.[0] ?? text.slice(0, 60);
    throw fault(source, `its header is "${said.trim()}". Save one plain array of numbers.`);
  }
  const type = dtypes.get(descr[2]!);
  if (type === undefined) {
    throw fault(
      source,
      `its samples are ${descr[2]}; u1 to u4, i1 to i4 and f2 to f8 are read. Save it as uint16 or float32.`,
    );
  }
  const sizes = shape.split(",").flatMap((part) => (part.trim() === "" ? [] : [Number.parseInt(part, 10)]));
  const axes = sizes.filter((size) => size !== 1);
  const image = axes.length < 2 ? sizes.slice(-2) : axes.slice(-2);
  const [height, width] = image as [number, number];
  const frames = axes.length === 3 ? axes[0]! : 1;
  const fits = sizes.length >= 2 && axes.length <= 3 && width >= 1 && height >= 1 && frames >= 1;
  if (!fits) throw fault(source, `its shape is (${sizes.join(", ")}). Save an array of (t, y, x) or (y, x).`);
  if (frames > maxFrames || width * height * type[1] > 1 << 30) {
    throw fault(source, `its shape (${sizes.join(", ")}) is larger than any movie. Save it again.`);
  }
  return {
    dtype: type[0],
    bytes: type[1],
    littleEndian: descr[1] !== ">",
    fortran: order === "True",
    frames,
    height,
    width,
    dataOffset: at + length,
  };
}

/** From column after column to row after row, in place. */
function transpose(bytes: Uint8Array, width: number, height: number, size: number): void {
  const columns = bytes.slice();
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = (x * height + y) * size;
      for (let byte = 0; byte < size; byte++) bytes[(y * width + x) * size + byte] = columns[from + byte]!;
    }
  }
}

const chunkBytes = 1 << 23;
const heldBytes = 1 << 26;

/**
 * Frames of a stack in column order, where the samples of a frame lie all over the file.
 * One pass over the file gathers as many frames in a row as 64 MiB hold.
 */
function columnOrder(
  source: ByteSource,
  { frames, width, height, bytes, dataOffset }: Header,
): (index: number, signal?: AbortSignal) => Promise<Uint8Array> {
  const frameBytes = width * height * bytes;
  const atOnce = Math.max(1, Math.min(frames, Math.floor(heldBytes / frameBytes)));
  let held: { first: number; data: Uint8Array } | null = null;
  const gather = async (first: number, signal?: AbortSignal): Promise<{ first: number; data: Uint8Array }> => {
    const count = Math.min(atOnce, frames - first);
    const data = new Uint8Array(count * frameBytes);
    const pixelBytes = frames * bytes;
    const pixelsAtOnce = Math.max(1, Math.floor(chunkBytes / pixelBytes));
    for (let pixel = 0; pixel < width * height; pixel += pixelsAtOnce) {
      const pixels = Math.min(pixelsAtOnce, width * height - pixel);
      const chunk = await readBytes(source, dataOffset + pixel * pixelBytes, pixels * pixelBytes, signal);
      if (chunk.length < pixels * pixelBytes) throw fault(source, "is cut off. Copy it again.");
      for (let index = 0; index < pixels; index++) {
        const place = ((pixel + index) % height) * width + Math.floor((pixel + index) / height);
        for (let frame = 0; frame < count; frame++) {
          const from = index * pixelBytes + (first + frame) * bytes;
          const to = frame * frameBytes + place * bytes;
          for (let byte = 0; byte < bytes; byte++) data[to + byte] = chunk[from + byte]!;
        }
      }
    }
    return { first, data };
  };
  // Frames are asked for one after another, so a stretch is gathered once; reads wait for each other.
  let queue: Promise<unknown> = Promise.resolve();
  return (index, signal) => {
    const next = queue.then(async () => {
      if (held === null || index < held.first || (index - held.first + 1) * frameBytes > held.data.length) {
        held = null;
        held = await gather(index, signal);
      }
      const at = (index - held.first) * frameBytes;
      return held.data.subarray(at, at + frameBytes);
    });
    queue = next.catch(() => undefined);
    return next;
  };
}
