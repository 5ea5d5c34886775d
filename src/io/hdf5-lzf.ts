/**
 * LZF, the quick filter that h5py adds to HDF5 (number 32000), which the HDF Group's library has not.
 *
 *     control byte c < 32     c + 1 bytes as they are
 *                  c >= 32    length c >> 5, from 7 on with the next byte added, and 2 more; repeated from
 *                             ((c & 31) << 8 | next byte) + 1 bytes before
 *
 * The library looks for the filter when it already holds the packed chunk, and gives up: where it read last is where
 * the chunk lies. Each place is learnt once. A chunk that LZF did not make smaller is stored without it, and is read by
 * the library as any other.
 * Sources: liblzf's description of its format; h5py's documentation of its filters.
 */

import { FormatError } from "../model/errors.js";
import type { Hdf5Dataset, Hdf5File } from "./hdf5.js";

/** Number of the filter. */
export const lzf = 32000;

/** Chunks whose places are held of one dataset. */
const maxLzfChunks = 1 << 20;

const [shuffle, fletcher32] = [2, 3];

/** Filters in their order, of which LZF is one; null where the others are not those that h5py puts around it. */
export function lzfPipeline(
  filters: readonly number[],
): { readonly shuffled: boolean; readonly summed: boolean } | null {
  const at = filters.indexOf(lzf);
  if (at < 0) return null;
  const before = filters.slice(0, at);
  const after = filters.slice(at + 1);
  const known = before.every((id) => id === shuffle) && after.every((id) => id === fletcher32);
  if (!known || before.length > 1 || after.length > 1) return null;
  return { shuffled: before.length === 1, summed: after.length === 1 };
}

/** Undoes LZF into bytes of the size that the chunk has. Throws RangeError where they do not come out. */
export function unpackLzf(stored: Uint8Array, into: Uint8Array): void {
  let [at, to] = [0, 0];
  while (at < stored.length) {
    const control = stored[at++]!;
    if (control < 32) {
      const run = control + 1;
      if (at + run > stored.length || to + run > into.length) throw new RangeError("a run leaves the chunk");
      into.set(stored.subarray(at, at + run), to);
      at += run;
      to += run;
      continue;
    }
    let length = control >> 5;
    if (length === 7) length += stored[at++] ?? Number.NaN;
    const from = to - ((control & 31) << 8) - (stored[at++] ?? Number.NaN) - 1;
    length += 2;
    if (!(from >= 0) || !(to + length <= into.length)) throw new RangeError("a repetition leaves the chunk");
    for (let step = 0; step < length; step++) into[to++] = into[from + step]!;
  }
  if (to !== into.length) throw new RangeError(`it holds ${to} of ${into.length} bytes`);
}

/** A chunk's samples from its packed bytes, the lowest byte first. Throws RangeError where they are damaged. */
export function unpackChunk(
  packed: Uint8Array,
  { shuffled, summed }: { readonly shuffled: boolean; readonly summed: boolean },
  size: { readonly chunk: number; readonly element: number; readonly littleEndian: boolean },
): Uint8Array {
  const bytes = new Uint8Array(size.chunk);
  // The library has looked at the checksum before it looked for LZF.
  unpackLzf(summed ? packed.subarray(0, packed.length - 4) : packed, bytes);
  const { element, littleEndian } = size;
  if (element === 1 || (!shuffled && littleEndian)) return bytes;
  const samples = new Uint8Array(size.chunk);
  const count = size.chunk / element;
  const [perRank, perSample] = shuffled ? [count, 1] : [1, element];
  for (let rank = 0; rank < element; rank++) {
    const place = littleEndian ? rank : element - 1 - rank;
    for (let at = 0; at < count; at++) samples[at * element + place] = bytes[rank * perRank + at * perSample]!;
  }
  return samples;
}

/** A part of an array: where it begins and how far it goes, along each axis. */
export interface Box {
  readonly offset: readonly number[];
  readonly count: readonly number[];
}

/** The chunks that a box touches, each with the part of the box that lies in it. */
export function chunksOf(
  { offset, count }: Box,
  chunks: readonly number[],
): { readonly origin: number[]; readonly part: Box }[] {
  let origins: number[][] = [[]];
  for (const [axis, size] of chunks.entries()) {
    const first = Math.floor(offset[axis]! / size) * size;
    const steps = Math.ceil((offset[axis]! + count[axis]! - first) / size);
    origins = origins.flatMap((origin) => Array.from({ length: steps }, (_, step) => [...origin, first + step * size]));
  }
  return origins.map((origin) => {
    const from = origin.map((at, axis) => Math.max(at, offset[axis]!));
    const part = {
      offset: from,
      count: from.map((at, axis) => Math.min(origin[axis]! + chunks[axis]!, offset[axis]! + count[axis]!) - at),
    };
    return { origin, part };
  });
}

/** Copies a part of an array from bytes that hold one box of it into bytes that hold another. */
export function copyPart(
  part: Box,
  from: { readonly bytes: Uint8Array; readonly box: Box },
  into: { readonly bytes: Uint8Array; readonly box: Box },
  element: number,
): void {
  const last = part.count.length - 1;
  const run = part.count[last]! * element;
  const rows = part.count.slice(0, last).reduce((product, size) => product * size, 1);
  const place = ({ offset, count }: Box, at: readonly number[]): number =>
    at.reduce((sum, value, axis) => sum * count[axis]! + value - offset[axis]!, 0) * element;
  const at = [...part.offset];
  for (let row = 0; row < rows; row++) {
    const start = place(from.box, at);
    into.bytes.set(from.bytes.subarray(start, start + run), place(into.box, at));
    for (let axis = last - 1; axis >= 0; axis--) {
      at[axis]!++;
      if (at[axis]! < part.offset[axis]! + part.count[axis]!) break;
      at[axis] = part.offset[axis]!;
    }
  }
}

/** What is asked of the file that the chunks lie in. */
export interface LzfNeeds {
  filtersOf(dataset: Hdf5Dataset): readonly { readonly id: number }[];
  readonly readByLibrary: Hdf5File["readBlock"];
  readNow(offset: number, into: Uint8Array): number;
  last(): { readonly offset: number; readonly length: number } | null;
  fault(what: string, cause?: unknown): FormatError;
}

/**
 * Reads blocks of datasets that LZF packs, chunk by chunk, as `readBlock` does; null for any other dataset. Throws
 * FormatError where a chunk is damaged or not in the file.
 */
export function lzfReader({ filtersOf, readByLibrary, readNow, last, fault }: LzfNeeds) {
  const pipelines = new Map<string, ReturnType<typeof lzfPipeline>>();
  const places = new Map<string, { readonly offset: number; readonly length: number }>();
  const storedChunk = (dataset: Hdf5Dataset, part: Box, key: string, into: Uint8Array): Uint8Array | number => {
    let place = places.get(key);
    if (place === undefined) {
      try {
        return readByLibrary(dataset, part.offset, part.count, into);
      } catch (error) {
        const found = last();
        const missing = error instanceof FormatError && /filter/.test(String(error.cause));
        if (found === null || !missing) throw error;
        place = found;
        if (places.size < maxLzfChunks) places.set(key, place);
      }
    }
    const stored = new Uint8Array(place.length);
    if (readNow(place.offset, stored) < stored.length)
      throw fault(`${dataset.path} ends inside a chunk. Copy it again.`);
    return stored;
  };
  return (
    dataset: Hdf5Dataset,
    offset: readonly number[],
    count: readonly number[],
    into: Uint8Array,
  ): number | null => {
    const { chunks, path, bytes: element } = dataset;
    if (chunks === null || dataset.type === null) return null;
    let pipeline = pipelines.get(path);
    if (pipeline === undefined) {
      pipeline = lzfPipeline(filtersOf(dataset).map(({ id }) => id));
      pipelines.set(path, pipeline);
    }
    if (pipeline === null) return null;
    const { littleEndian } = dataset.stored;
    const size = { chunk: chunks.reduce((product, length) => product * length, element), element, littleEndian };
    let given = 0;
    for (const { origin, part } of chunksOf({ offset, count }, chunks)) {
      const held = new Uint8Array(part.count.reduce((product, length) => product * length, element));
      const stored = storedChunk(dataset, part, `${path}:${origin.join()}`, held);
      const target = { bytes: into, box: { offset, count } };
      if (typeof stored === "number") {
        given += stored;
        copyPart(part, { bytes: held, box: part }, target, element);
        continue;
      }
      given += stored.length;
      try {
        const bytes = unpackChunk(stored, pipeline, size);
        copyPart(part, { bytes, box: { offset: origin, count: chunks } }, target, element);
      } catch (cause) {
        const why = cause instanceof Error ? cause.message : String(cause);
        throw fault(`${path} has a chunk of LZF that is damaged (${why}). Copy it again.`, cause);
      }
    }
    return given;
  };
}
