/**
 * Where the chunks of a Zarr array lie, and which of them are there.
 *
 *     a chunk at (3, 0, 1)   3/0/1 or 3.0.1; with the default keys of version 3, c/3/0/1 or c.3.0.1
 *     a shard, so named      chunks end to end; at its end or beginning for each chunk, in C order,
 *                            u64 offset, u64 length (both all ones: missing), then u32 CRC-32C of these
 *
 * A chunk that is missing stands for the fill value, which is also how half a copy looks; so the folders are listed
 * when a movie is opened. At most 30,000 folders are listed and 10,000 shard indexes read; chunks beyond are looked
 * for when they are read, and one that is missing there is an error.
 * Source: the Zarr specifications (zarr-specs.readthedocs.io), sharding-indexed 1.0.
 */
import { FormatError } from "../model/errors.js";
import { readBytes, type ByteSource, type FolderSource } from "./bytes.js";
import { checkedCrc32c, mostPackedBytes } from "./zarr-codecs.js";
import type { ZarrArray } from "./zarr-metadata.js";

/** A chunk's bytes in a file, which is to be closed. */
export interface ChunkPlace {
  readonly source: ByteSource;
  readonly offset: number;
  readonly length: number;
  /** For messages: "chunk 0/3/0/1". */
  readonly label: string;
}

/** The chunks of an array. */
export interface ZarrChunks {
  /** How many chunks of one plane are there, by the plane's place in the grid of chunks; null where not looked for. */
  present(at: readonly number[]): number | null;
  /** Opens a chunk by its place in the grid; null where it is missing. Throws FormatError for a damaged shard. */
  locate(at: readonly number[]): Promise<ChunkPlace | null>;
  readonly warnings: readonly string[];
}

const maxFolders = 30_000;
const maxShards = 10_000;
/** Shard indexes kept at one time. */
const heldIndexes = 16;
/** Folders or shards looked into at one time; a share on the network answers them together. */
const atOnce = 16;

/**
 * Looks for the chunks of an array at a path below a folder. `planeAxes` are the two that a plane extends along;
 * the grid of chunks along the others is counted, so its size must have been checked.
 */
export async function findChunks(
  folder: FolderSource,
  path: string,
  array: ZarrArray,
  planeAxes: readonly number[],
): Promise<ZarrChunks> {
  const { shape, fileShape, chunk, shard } = array;
  const grid = shape.map((size, axis) => Math.ceil(size / chunk[axis]!));
  const files = shape.map((size, axis) => Math.ceil(size / fileShape[axis]!));
  const leading = [...shape.keys()].filter((axis) => !planeAxes.includes(axis));
  const slotOf = (at: readonly number[]): number => leading.reduce((slot, axis) => slot * grid[axis]! + at[axis]!, 0);
  const counts = new Uint32Array(leading.reduce((product, axis) => product * grid[axis]!, 1));
  const warnings: string[] = [];

  const listed: number[][] = [];
  let separator = array.separator;
  let complete = await listFiles(folder, path, { ...array, separator }, files, listed);
  if (listed.length === 0 && complete === null && !array.separatorTold) {
    complete = await listFiles(folder, path, { ...array, separator: "/" }, files, listed);
    if (listed.length > 0) {
      separator = "/";
      warnings.push("its chunks lie in nested folders, though its metadata do not say so: they are read.");
    }
  }
  const keyOf = (at: readonly number[]): string => {
    const parts = array.prefix === "" ? at : [array.prefix, ...at];
    return (path === "" ? "" : `${path}/`) + parts.join(separator);
  };

  /** First file along the first axis that was not looked for; null where all were. */
  let unlisted = complete;
  const indexes = shard === null ? null : shardIndexes(folder, array, keyOf);
  if (indexes === null) for (const at of listed) counts[slotOf(at)]!++;
  else {
    for (let first = 0; first < Math.min(listed.length, maxShards); first += atOnce) {
      await Promise.all(
        listed.slice(first, Math.min(first + atOnce, maxShards)).map(async (at) => {
          const index = await indexes.read(at);
          indexes.each(at, grid, (inner, entry) => {
            if (index !== null && index[2 * entry + 1]! >= 0) counts[slotOf(inner)]!++;
          });
        }),
      );
    }
    if (listed.length > maxShards) unlisted = Math.min(unlisted ?? Infinity, listed[maxShards]![0]!);
  }
  const present = (at: readonly number[]): number | null => {
    const file = Math.floor((at[0]! * chunk[0]!) / fileShape[0]!);
    return unlisted !== null && file >= unlisted ? null : counts[slotOf(at)]!;
  };
  return {
    present,
    warnings,
    async locate(at) {
      const count = present(at);
      if (count === 0) return null;
      const place = indexes === null ? await placeOfFile(folder, array, keyOf(at)) : await indexes.locate(at);
      if (place === null && count === null) {
        const file = at.map((number, axis) => Math.floor((number * chunk[axis]!) / fileShape[axis]!));
        const label = labelOf(keyOf(file), indexes === null ? null : at);
        throw fault(folder, `${label} is missing. Copy the whole folder again.`);
      }
      return place;
    },
  };
}

function fault(folder: FolderSource, what: string, cause?: unknown): FormatError {
  return new FormatError(`${folder.name}: ${what}`, { path: folder.name, cause });
}

function labelOf(key: string, inner: readonly number[] | null): string {
  return inner === null ? `chunk ${key}` : `chunk (${inner.join(", ")}) of shard ${key}`;
}

function absent(error: unknown): null {
  if (error instanceof FormatError) return null;
  throw error;
}

async function placeOfFile(folder: FolderSource, array: ZarrArray, key: string): Promise<ChunkPlace | null> {
  const source = await folder.open(key).catch(absent);
  if (source === null) return null;
  const most = mostPackedBytes(chunkBytes(array));
  if (source.size > most) {
    await source.close();
    throw fault(folder, `chunk ${key} is ${source.size} bytes long; ${most} at most are needed. Copy it again.`);
  }
  return { source, offset: 0, length: source.size, label: labelOf(key, null) };
}

/** Bytes of an unpacked chunk. */
export function chunkBytes({ chunk, type }: ZarrArray): number {
  return chunk.reduce((product, size) => product * size, type.bytes);
}

/**
 * Finds files of chunks, by their names alone, into `found`.
 * Gives the first place along the first axis that was not reached, null where all were.
 */
async function listFiles(
  folder: FolderSource,
  path: string,
  array: Pick<ZarrArray, "prefix" | "separator">,
  files: readonly number[],
  found: number[][],
): Promise<number | null> {
  const { prefix, separator } = array;
  const root = separator === "/" && prefix !== "" ? (path === "" ? prefix : `${path}/${prefix}`) : path;
  const base = root === "" ? folder : await folder.openFolder(root).catch(() => null);
  if (base === null) return null;
  if (separator === "." || files.length === 1) {
    const head = separator === "." && prefix !== "" ? [prefix] : [];
    for (const entry of base.entries) {
      const parts = entry.split(".");
      if (head.some((part, at) => parts[at] !== part)) continue;
      const at = parts.slice(head.length).map((part, axis) => numberBelow(part, files[axis] ?? 0));
      if (at.length === files.length && !at.includes(-1)) found.push(at);
    }
    found.sort((a, b) => a[0]! - b[0]!);
    return null;
  }
  let left = maxFolders;
  const last = files.length - 1;
  const walk = async (level: FolderSource, at: readonly number[], into: number[][]): Promise<void> => {
    for (const name of at.length === last ? level.entries : level.folders) {
      const number = numberBelow(name, files[at.length]!);
      if (number < 0) continue;
      if (at.length === last) into.push([...at, number]);
      else await descend(level, name, [...at, number], into);
    }
  };
  /** Through folders that can hold one folder only, without listing them. */
  const descend = async (level: FolderSource, name: string, at: readonly number[], into: number[][]): Promise<void> => {
    let [below, place] = [name, at];
    while (place.length < last && files[place.length] === 1) [below, place] = [`${below}/0`, [...place, 0]];
    if (--left < 0) return;
    const inner = await level.openFolder(below).catch(absent);
    if (inner !== null) await walk(inner, place, into);
  };
  const firsts = base.folders.filter((name) => numberBelow(name, files[0]!) >= 0);
  for (let at = 0; at < firsts.length; at += atOnce) {
    if (left <= 0) return Number(firsts[at]);
    const stretch = firsts.slice(at, at + atOnce);
    const parts = stretch.map((): number[][] => []);
    await Promise.all(stretch.map((name, part) => descend(base, name, [Number(name)], parts[part]!)));
    if (left < 0) return Number(stretch[0]);
    for (const part of parts) for (const place of part) found.push(place);
  }
  return null;
}

/** A whole number as chunks are named, below a limit; -1 where it is none. */
function numberBelow(name: string, limit: number): number {
  const number = /^(0|[1-9]\d{0,9})$/.test(name) ? Number(name) : -1;
  return number < limit ? number : -1;
}

interface ShardIndexes {
  /** Offset and length for each chunk of a shard, both -1 where it is missing; null where the shard is missing. */
  read(file: readonly number[]): Promise<Float64Array | null>;
  /** The chunks of a shard that lie in the array: their places and their entries in the index. */
  each(file: readonly number[], grid: readonly number[], visit: (at: readonly number[], entry: number) => void): void;
  locate(at: readonly number[]): Promise<ChunkPlace | null>;
}

function shardIndexes(folder: FolderSource, array: ZarrArray, keyOf: (at: readonly number[]) => string): ShardIndexes {
  const { fileShape, chunk } = array;
  const { littleEndian, checksums, atEnd } = array.shard!;
  const counts = fileShape.map((size, axis) => size / chunk[axis]!);
  const chunks = counts.reduce((product, count) => product * count, 1);
  const indexBytes = 16 * chunks + 4 * checksums;
  const most = mostPackedBytes(chunkBytes(array));

  const readIndex = async (source: ByteSource, key: string): Promise<Float64Array> => {
    const wrong = (what: string, cause?: unknown): FormatError =>
      fault(folder, `the index of shard ${key} cannot be read: ${what}. Copy it again.`, cause);
    if (source.size < indexBytes) throw wrong(`the file holds ${source.size} bytes, its index alone is ${indexBytes}`);
    let bytes: Uint8Array;
    try {
      bytes = await readBytes(source, atEnd ? source.size - indexBytes : 0, indexBytes);
      for (let at = 0; at < checksums; at++) bytes = checkedCrc32c(bytes);
    } catch (cause) {
      throw wrong(cause instanceof Error ? cause.message : String(cause), cause);
    }
    if (bytes.length !== 16 * chunks) throw wrong(`it is cut off after ${bytes.length} bytes`);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const index = new Float64Array(2 * chunks);
    for (let entry = 0; entry < chunks; entry++) {
      const [offset, length] = [
        view.getBigUint64(16 * entry, littleEndian),
        view.getBigUint64(16 * entry + 8, littleEndian),
      ];
      const missing = offset === 2n ** 64n - 1n && length === 2n ** 64n - 1n;
      if (!missing && (offset + length > BigInt(source.size) || length > BigInt(most))) {
        throw wrong(`its chunk ${entry} is said to lie at ${offset}, ${length} bytes long, of ${source.size}`);
      }
      index[2 * entry] = missing ? -1 : Number(offset);
      index[2 * entry + 1] = missing ? -1 : Number(length);
    }
    return index;
  };
  const held = new Map<string, Float64Array>();
  const indexOf = async (source: ByteSource, key: string): Promise<Float64Array> => {
    const index = held.get(key) ?? (await readIndex(source, key));
    held.delete(key);
    held.set(key, index);
    if (held.size > heldIndexes) held.delete(held.keys().next().value!);
    return index;
  };
  return {
    async read(file) {
      const source = await folder.open(keyOf(file)).catch(absent);
      if (source === null) return null;
      try {
        return await readIndex(source, keyOf(file));
      } finally {
        await source.close();
      }
    },
    each(file, grid, visit) {
      const at = file.map((number, axis) => number * counts[axis]!);
      const step = file.map(() => 0);
      for (let entry = 0; entry < chunks; entry++) {
        const inner = at.map((first, axis) => first + step[axis]!);
        if (inner.every((number, axis) => number < grid[axis]!)) visit(inner, entry);
        for (let axis = step.length - 1; axis >= 0; axis--) {
          if (++step[axis]! < counts[axis]!) break;
          step[axis] = 0;
        }
      }
    },
    async locate(at) {
      const file = at.map((number, axis) => Math.floor(number / counts[axis]!));
      const key = keyOf(file);
      const source = await folder.open(key).catch(absent);
      if (source === null) return null;
      try {
        const index = await indexOf(source, key);
        const entry = at.reduce((sum, number, axis) => sum * counts[axis]! + (number % counts[axis]!), 0);
        const [offset, length] = [index[2 * entry]!, index[2 * entry + 1]!];
        if (length >= 0) return { source, offset, length, label: labelOf(key, at) };
      } catch (error) {
        await source.close();
        throw error;
      }
      await source.close();
      return null;
    },
  };
}
