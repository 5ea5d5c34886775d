/**
 * The planes of a Zarr array: two of its axes, at a place along the others.
 *
 * Where chunks are not packed, a plane is one positioned read in each chunk that it crosses. Else chunks are unpacked;
 * those that hold several planes are kept, up to 256 MiB, so that reading one plane after another unpacks each once.
 * A chunk to be unpacked may hold 512 MiB, a plane 1 GiB in at most 16,384 chunks.
 */
import { FormatError } from "../model/errors.js";
import type { Dtype, Samples } from "../model/movie.js";
import { bytesOf, halfFloat, machineIsLittle, swapBytes } from "./byte-order.js";
import { readBytes, type FolderSource } from "./bytes.js";
import { chunkBytes, findChunks, type ChunkPlace } from "./zarr-chunks.js";
import { unpack } from "./zarr-codecs.js";
import { said, type ZarrArray } from "./zarr-metadata.js";

/** The planes of an array. */
export interface ZarrPlanes {
  readonly width: number;
  readonly height: number;
  readonly dtype: Dtype;
  /** Chunks that a plane crosses. */
  readonly chunksOfPlane: number;
  /** How many of these are there; null where they were not looked for. `at` has an entry for every axis. */
  present(at: readonly number[]): number | null;
  /** Reads a plane; the fill value stands where a chunk is missing. Throws FormatError naming a damaged chunk. */
  read(at: readonly number[], into: Samples, signal?: AbortSignal): Promise<void>;
  readonly warnings: readonly string[];
}

const maxChunksOfPlane = 1 << 14;
const maxUnpackedBytes = 2 ** 29;
const heldBytes = 2 ** 28;
const maxPlaneBytes = 2 ** 30;

/** The planes along axes `y` and `x` of an array at a path below a folder; rows along `x` where `y` is null. */
export async function openPlanes(
  folder: FolderSource,
  path: string,
  array: ZarrArray,
  axes: { readonly y: number | null; readonly x: number },
): Promise<ZarrPlanes> {
  const { shape, chunk, type } = array;
  const { x, y } = axes;
  const [width, height] = [shape[x]!, y === null ? 1 : shape[y]!];
  const [tileWidth, tileHeight] = [chunk[x]!, y === null ? 1 : chunk[y]!];
  const across = Math.ceil(width / tileWidth);
  const down = Math.ceil(height / tileHeight);
  const wrong = (what: string): FormatError => new FormatError(`${folder.name}: ${what}`, { path: folder.name });
  if (width * height * type.bytes > maxPlaneBytes) {
    throw wrong(`its frames are ${width} x ${height} px of ${type.name}; ${maxPlaneBytes} bytes are read.`);
  }
  if (across * down > maxChunksOfPlane) {
    throw wrong(`its frames lie in ${across * down} chunks each; ${maxChunksOfPlane} are read. Write larger chunks.`);
  }
  const chunks = await findChunks(folder, path, array, y === null ? [x] : [y, x]);
  const stride = stridesOf(array);
  const rowStride = y === null ? tileWidth : stride[y]!;
  const tileBytes = chunkBytes(array);
  const planesOfChunk = chunk.reduce((product, size) => product * size, 1) / (tileWidth * tileHeight);
  const unpacked = array.packing.length === 0 && stride[x] === 1 && rowStride === tileWidth && type.name !== "float16";
  if (!unpacked && tileBytes > maxUnpackedBytes) {
    throw wrong(
      `its chunks ${said(chunk)} of ${type.name} are ${tileBytes} bytes; ${maxUnpackedBytes} are unpacked. Write smaller ones.`,
    );
  }
  const warnings = [...chunks.warnings];
  const together = across * down * tileBytes;
  if (!unpacked && planesOfChunk > 1 && together > heldBytes) {
    warnings.push(
      `a frame lies in chunks of ${Math.round(together / 2 ** 20)} MiB together, which are unpacked for every frame: reading is slow. Write it with chunks of fewer frames.`,
    );
  }
  const held = new Map<string, Promise<Samples | null>>();
  const room = Math.max(1, Math.floor(heldBytes / tileBytes));
  const unpackedChunk = (at: readonly number[]): Promise<Samples | null> => {
    const key = at.join();
    const known = held.get(key);
    if (known !== undefined) {
      held.delete(key);
      held.set(key, known);
      return known;
    }
    const chunk = unpackChunk(folder, array, chunks.locate(at));
    if (planesOfChunk === 1) return chunk;
    held.set(key, chunk);
    chunk.catch(() => held.delete(key));
    if (held.size > room) held.delete(held.keys().next().value!);
    return chunk;
  };

  const readTile = async (at: readonly number[], place: readonly number[], into: Samples): Promise<void> => {
    const left = at[x]! * tileWidth;
    const top = y === null ? 0 : at[y]! * tileHeight;
    const columns = Math.min(tileWidth, width - left);
    const rows = Math.min(tileHeight, height - top);
    const first = stride.reduce((sum, step, axis) => {
      return axis === x || axis === y ? sum : sum + step * (place[axis]! - at[axis]! * chunk[axis]!);
    }, 0);
    if (unpacked) {
      const located = await chunks.locate(at);
      if (located === null) return fillTile(into, array.fill, { width, left, top, columns, rows });
      try {
        if (located.length !== tileBytes) {
          throw wrong(`${located.label} holds ${located.length} of ${tileBytes} bytes. Copy it again.`);
        }
        const whole = columns === tileWidth && columns === width;
        const target = whole
          ? into.subarray(top * width, (top + rows) * width)
          : new (into.constructor as new (length: number) => Samples)(rows * tileWidth);
        const got = await located.source
          .read(located.offset + first * type.bytes, bytesOf(target))
          .catch((cause: unknown) => {
            throw unreadable(folder, located, cause);
          });
        if (got < target.byteLength) throw wrong(`${located.label} ends inside a frame. Copy it again.`);
        if (array.littleEndian !== machineIsLittle) swapBytes(target);
        if (whole) return;
        for (let row = 0; row < rows; row++) {
          into.set(target.subarray(row * tileWidth, row * tileWidth + columns), (top + row) * width + left);
        }
      } finally {
        await located.source.close();
      }
      return;
    }
    const samples = await unpackedChunk(at);
    if (samples === null) return fillTile(into, array.fill, { width, left, top, columns, rows });
    for (let row = 0; row < rows; row++) {
      const from = first + row * rowStride;
      const to = (top + row) * width + left;
      if (stride[x] === 1) into.set(samples.subarray(from, from + columns), to);
      else for (let column = 0; column < columns; column++) into[to + column] = samples[from + column * stride[x]!]!;
    }
  };

  const chunkOf = (place: readonly number[]): number[] => place.map((at, axis) => Math.floor(at / chunk[axis]!));
  return {
    width,
    height,
    dtype: type.dtype,
    chunksOfPlane: across * down,
    warnings,
    present: (place) => chunks.present(chunkOf(place)),
    async read(place, into, signal) {
      const at = chunkOf(place);
      for (let row = 0; row < down; row++) {
        if (y !== null) at[y] = row;
        for (at[x] = 0; at[x]! < across; at[x]!++) {
          signal?.throwIfAborted();
          await readTile(at, place, into);
        }
      }
      signal?.throwIfAborted();
    },
  };
}

/** Samples from one to the next along each axis of a stored chunk. */
function stridesOf({ chunk, order }: ZarrArray): number[] {
  const strides = chunk.map(() => 1);
  let step = 1;
  for (const axis of [...order].reverse()) {
    strides[axis] = step;
    step *= chunk[axis]!;
  }
  return strides;
}

interface Tile {
  readonly width: number;
  readonly left: number;
  readonly top: number;
  readonly columns: number;
  readonly rows: number;
}

function fillTile(into: Samples, value: number, { width, left, top, columns, rows }: Tile): void {
  for (let row = top; row < top + rows; row++) into.fill(value, row * width + left, row * width + left + columns);
}

/** The samples of a chunk as they are stored; null where it is missing. */
async function unpackChunk(
  folder: FolderSource,
  array: ZarrArray,
  located: Promise<ChunkPlace | null>,
): Promise<Samples | null> {
  const place = await located;
  if (place === null) return null;
  try {
    const packed = await readBytes(place.source, place.offset, place.length);
    if (packed.length < place.length) throw new RangeError(`it holds ${packed.length} of ${place.length} bytes`);
    return samplesOf(await unpack(array.packing, packed, chunkBytes(array)), array);
  } catch (cause) {
    throw unreadable(folder, place, cause);
  } finally {
    await place.source.close();
  }
}

function unreadable(folder: FolderSource, { label }: ChunkPlace, cause: unknown): FormatError {
  const what = (cause instanceof Error ? cause.message : String(cause)).split(/[\r\n]/)[0]!;
  return new FormatError(`${folder.name}: ${label} cannot be read: ${what}. Copy it again.`, {
    path: folder.name,
    cause,
  });
}

function samplesOf(bytes: Uint8Array, { type, littleEndian }: ZarrArray): Samples {
  const own = bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength;
  const buffer = (own ? bytes : new Uint8Array(bytes)).buffer as ArrayBuffer;
  const samples = type.name === "float16" ? new Uint16Array(buffer) : new arrays[type.dtype](buffer);
  if (littleEndian !== machineIsLittle) swapBytes(samples);
  return type.name === "float16" ? Float32Array.from(samples, halfFloat) : samples;
}

const arrays: Record<Dtype, new (buffer: ArrayBuffer) => Samples> = {
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  float32: Float32Array,
  float64: Float64Array,
};
