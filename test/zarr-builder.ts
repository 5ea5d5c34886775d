/** Small Zarr arrays of our own making, of either version, in memory. */
import { gzipSync, zlibSync } from "fflate";
import { crc32c, type Packing } from "../src/io/zarr-codecs.js";

/** An array to be built; samples in C order. */
export interface BuiltArray {
  readonly version: 2 | 3;
  readonly shape: readonly number[];
  readonly chunk: readonly number[];
  /** Shape of a shard, a multiple of the chunk's. */
  readonly shard?: readonly number[];
  readonly indexAtStart?: boolean;
  readonly type: string;
  readonly samples: ArrayLike<number>;
  readonly packing?: readonly Packing[];
  readonly order?: "C" | "F";
  readonly littleEndian?: boolean;
  readonly separator?: "/" | ".";
  readonly keys?: "default" | "v2";
  readonly fill?: unknown;
  readonly names?: readonly string[];
  readonly attributes?: object;
  /** Chunks that are not written. */
  readonly without?: (at: readonly number[]) => boolean;
}

const codes = new Map([
  ["uint8", "u1"],
  ["int8", "i1"],
  ["uint16", "u2"],
  ["int16", "i2"],
  ["uint32", "u4"],
  ["int32", "i4"],
  ["float32", "f4"],
  ["float64", "f8"],
  ["bool", "b1"],
]);

export const textBytes = (value: unknown): Uint8Array =>
  new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));

/** The files of an array by their paths, below `path` where one is given. */
export async function buildArray(array: BuiltArray, path = ""): Promise<Record<string, Uint8Array>> {
  const { version, shape, chunk, shard, packing = [], order = "C", littleEndian = true } = array;
  const separator = array.separator ?? (version === 3 ? "/" : ".");
  const keys = array.keys ?? "default";
  const files: Record<string, Uint8Array> = {};
  const put = (name: string, bytes: Uint8Array): void => {
    files[path === "" ? name : `${path}/${name}`] = bytes;
  };
  const code = codes.get(array.type)!;
  if (version === 2) {
    put(
      ".zarray",
      textBytes({
        zarr_format: 2,
        shape,
        chunks: chunk,
        dtype: `${code.endsWith("1") ? "|" : littleEndian ? "<" : ">"}${code}`,
        order,
        compressor: packing.length === 0 ? null : { id: packing[0] },
        filters: null,
        fill_value: array.fill ?? 0,
        dimension_separator: separator,
      }),
    );
    if (array.attributes !== undefined) put(".zattrs", textBytes(array.attributes));
  } else {
    const endian = littleEndian ? "little" : "big";
    const inner = [
      ...(order === "F" ? [{ name: "transpose", configuration: { order: [...shape.keys()].reverse() } }] : []),
      { name: "bytes", configuration: { endian } },
      ...packing.map((name) => ({ name, configuration: {} })),
    ];
    put(
      "zarr.json",
      textBytes({
        zarr_format: 3,
        node_type: "array",
        shape,
        data_type: array.type,
        chunk_grid: { name: "regular", configuration: { chunk_shape: shard ?? chunk } },
        chunk_key_encoding: { name: keys, configuration: { separator } },
        fill_value: array.fill ?? 0,
        codecs:
          shard === undefined
            ? inner
            : [
                {
                  name: "sharding_indexed",
                  configuration: {
                    chunk_shape: chunk,
                    codecs: inner,
                    index_codecs: [{ name: "bytes", configuration: { endian: "little" } }, { name: "crc32c" }],
                    index_location: array.indexAtStart === true ? "start" : "end",
                  },
                },
              ],
        dimension_names: array.names,
        attributes: array.attributes ?? {},
      }),
    );
  }
  const keyOf = (at: readonly number[]): string =>
    (version === 3 && keys === "default" ? ["c", ...at] : at).join(separator);
  for (const file of places(shape, shard ?? chunk)) {
    if (shard === undefined) {
      if (array.without?.(file) !== true) put(keyOf(file), await chunkBytes(array, file));
      continue;
    }
    const parts: Uint8Array[] = [];
    const index = new BigUint64Array(2 * [...places(shard, chunk)].length).fill(2n ** 64n - 1n);
    const indexBytes = index.byteLength + 4;
    let offset = array.indexAtStart === true ? indexBytes : 0;
    for (const [entry, within] of [...places(shard, chunk)].entries()) {
      const at = within.map((number, axis) => number + file[axis]! * (shard[axis]! / chunk[axis]!));
      if (at.some((number, axis) => number * chunk[axis]! >= shape[axis]!) || array.without?.(at) === true) continue;
      const bytes = await chunkBytes(array, at);
      index[2 * entry] = BigInt(offset);
      index[2 * entry + 1] = BigInt(bytes.length);
      offset += bytes.length;
      parts.push(bytes);
    }
    const sealed = withCrc32c(new Uint8Array(index.buffer));
    put(keyOf(file), joined(array.indexAtStart === true ? [sealed, ...parts] : [...parts, sealed]));
  }
  return files;
}

/** Places of parts in a grid, in C order. */
function* places(shape: readonly number[], part: readonly number[]): Generator<number[]> {
  const counts = shape.map((size, axis) => Math.ceil(size / part[axis]!));
  const all = counts.reduce((product, count) => product * count, 1);
  for (let number = 0; number < all; number++) {
    const at: number[] = [];
    for (let axis = counts.length - 1, rest = number; axis >= 0; axis--) {
      at.unshift(rest % counts[axis]!);
      rest = Math.floor(rest / counts[axis]!);
    }
    yield at;
  }
}

async function chunkBytes(array: BuiltArray, at: readonly number[]): Promise<Uint8Array> {
  const { shape, chunk, order = "C", littleEndian = true } = array;
  const size = Number(codes.get(array.type)!.slice(1));
  const view = new DataView(new ArrayBuffer(size * chunk.reduce((product, count) => product * count, 1)));
  for (const within of places(
    chunk,
    chunk.map(() => 1),
  )) {
    const place = within.map((number, axis) => number + at[axis]! * chunk[axis]!);
    const inside = place.every((number, axis) => number < shape[axis]!);
    const from = place.reduce((sum, number, axis) => sum * shape[axis]! + number, 0);
    const axes = order === "C" ? [...chunk.keys()] : [...chunk.keys()].reverse();
    const to = axes.reduce((sum, axis) => sum * chunk[axis]! + within[axis]!, 0);
    const value = inside ? array.samples[from]! : 0;
    const put = {
      uint8: view.setUint8,
      bool: view.setUint8,
      int8: view.setInt8,
      uint16: view.setUint16,
      int16: view.setInt16,
      uint32: view.setUint32,
      int32: view.setInt32,
      float32: view.setFloat32,
      float64: view.setFloat64,
    }[array.type as "uint8"] as (this: DataView, at: number, value: number, little: boolean) => void;
    put.call(view, to * size, value, littleEndian);
  }
  let bytes = new Uint8Array(view.buffer);
  for (const kind of array.packing ?? []) bytes = new Uint8Array(await pack(kind, bytes, size));
  return bytes;
}

/** Bytes packed by one codec, with libraries other than those that read them where there are two. */
export async function pack(kind: Packing, bytes: Uint8Array, size = 1): Promise<Uint8Array> {
  if (kind === "gzip") return gzipSync(bytes);
  if (kind === "zlib") return zlibSync(bytes);
  if (kind === "crc32c") return withCrc32c(bytes);
  if (kind === "lz4") return new (await import("numcodecs/lz4")).default(1).encode(bytes);
  if (kind === "zstd") return new (await import("numcodecs/zstd")).default(1).encode(bytes);
  const { default: Blosc } = await import("numcodecs/blosc");
  return new Blosc(5, "lz4", size > 1 ? Blosc.SHUFFLE : Blosc.NOSHUFFLE, 0).encode(bytes);
}

function withCrc32c(bytes: Uint8Array): Uint8Array {
  const sum = new Uint8Array(4);
  new DataView(sum.buffer).setUint32(0, crc32c(bytes), true);
  return joined([bytes, sum]);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** What is told of an OME-Zarr image whose array lies in "0". */
export interface BuiltImage {
  readonly version?: string;
  readonly axes?: readonly unknown[];
  readonly scale?: readonly number[];
  readonly whole?: readonly number[];
  readonly omero?: unknown;
  readonly more?: object;
}

/** The files of an OME-Zarr image: of 0.5 where the array is of version 3, else of 0.4 or what is told. */
export async function buildImage(
  array: BuiltArray,
  told: BuiltImage = {},
  path = "",
): Promise<Record<string, Uint8Array>> {
  const at = (name: string): string => (path === "" ? name : `${path}/${name}`);
  const transformed = (scale: readonly number[] | undefined): object =>
    scale === undefined ? {} : { coordinateTransformations: [{ type: "scale", scale }] };
  const multiscales = [
    {
      ...(array.version === 2 ? { version: told.version ?? "0.4" } : {}),
      axes: told.axes,
      datasets: [{ path: "0", ...transformed(told.scale) }],
      ...transformed(told.whole),
    },
  ];
  const ome = { multiscales, ...(told.omero === undefined ? {} : { omero: told.omero }) };
  const group: Record<string, Uint8Array> =
    array.version === 2
      ? { [at(".zgroup")]: textBytes({ zarr_format: 2 }), [at(".zattrs")]: textBytes({ ...ome, ...told.more }) }
      : {
          [at("zarr.json")]: textBytes({
            zarr_format: 3,
            node_type: "group",
            attributes: { ome: { version: told.version ?? "0.5", ...ome }, ...told.more },
          }),
        };
  return { ...group, ...(await buildArray(array, at("0"))) };
}
