/**
 * What a Zarr folder says of itself: a group or an array, of version 2 or 3.
 *
 *     version 2   .zgroup, .zarray (shape, chunks, dtype, order, compressor, filters, fill_value,
 *                 dimension_separator), .zattrs beside them
 *     version 3   zarr.json (node_type, shape, data_type, chunk_grid, chunk_key_encoding, codecs, fill_value,
 *                 dimension_names, attributes)
 *
 * Each is at most 64 MiB of JSON, in which NaN and Infinity may stand bare, as Python writes them. Consolidated
 * metadata are passed over: each folder's own are read. Arrays have at most 8 axes, shards at most 262,144 chunks.
 * Source: the Zarr specifications (zarr-specs.readthedocs.io).
 */
import { FormatError } from "../model/errors.js";
import type { Dtype } from "../model/movie.js";
import { halfFloat } from "./byte-order.js";
import { readBytes, type FolderSource } from "./bytes.js";
import { packings, type Packing } from "./zarr-codecs.js";

/** A JSON object. */
export type Json = Readonly<Record<string, unknown>>;

/** A group or an array with its attributes. */
export interface ZarrNode {
  readonly version: 2 | 3;
  readonly attributes: Json;
  /** Null for a group. */
  readonly array: ZarrArray | null;
}

/** How samples are stored. */
export interface SampleType {
  /** By Zarr's name: "uint16", "float16", "bool". */
  readonly name: string;
  /** What they are read as: float16 as float32, bool as uint8. */
  readonly dtype: Dtype;
  readonly bytes: number;
}

/** An array: its shape, its chunks and how they are coded. */
export interface ZarrArray {
  readonly shape: readonly number[];
  /** Shape of what lies in one file: a chunk, or a shard of chunks. */
  readonly fileShape: readonly number[];
  /** Shape of what is packed as one. */
  readonly chunk: readonly number[];
  readonly type: SampleType;
  /** Axes of a stored chunk, the one that runs slowest first. */
  readonly order: readonly number[];
  readonly littleEndian: boolean;
  /** In the order in which they were applied. */
  readonly packing: readonly Packing[];
  /** Where a file holds several chunks: the index of their places. */
  readonly shard: { readonly littleEndian: boolean; readonly checksums: number; readonly atEnd: boolean } | null;
  /** Names of files: "c/0/1" has the prefix "c" and the separator "/". */
  readonly prefix: string;
  readonly separator: "/" | ".";
  /** False where the separator is the default of a file that does not tell it. */
  readonly separatorTold: boolean;
  readonly fill: number;
  readonly dimensionNames: readonly (string | null)[] | null;
}

const maxJsonBytes = 1 << 26;
const maxAxes = 8;
const maxSize = 2 ** 31 - 1;
const maxChunksOfShard = 1 << 18;

const types: readonly SampleType[] = [
  { name: "uint8", dtype: "uint8", bytes: 1 },
  { name: "int8", dtype: "int8", bytes: 1 },
  { name: "uint16", dtype: "uint16", bytes: 2 },
  { name: "int16", dtype: "int16", bytes: 2 },
  { name: "uint32", dtype: "uint32", bytes: 4 },
  { name: "int32", dtype: "int32", bytes: 4 },
  { name: "float16", dtype: "float32", bytes: 2 },
  { name: "float32", dtype: "float32", bytes: 4 },
  { name: "float64", dtype: "float64", bytes: 8 },
  { name: "bool", dtype: "uint8", bytes: 1 },
];

/** Whether a folder holds metadata of Zarr. Hidden files are not among a folder's entries, so they are asked for. */
export async function isZarrFolder(folder: FolderSource): Promise<boolean> {
  if (folder.entries.includes("zarr.json")) return true;
  for (const name of [".zattrs", ".zgroup", ".zarray"]) {
    const source = await folder.open(name).catch(absent);
    if (source === null) continue;
    await source.close();
    return true;
  }
  return false;
}

/**
 * Reads what lies at a path below a folder ("" for itself); null where there is no metadata of Zarr.
 * Throws FormatError where it is not to be read, naming the file and what is wrong.
 */
export async function readZarrNode(folder: FolderSource, path: string): Promise<ZarrNode | null> {
  const at = (name: string): string => (path === "" ? name : `${path}/${name}`);
  const three = await readZarrJson(folder, at("zarr.json"));
  if (three !== null) {
    const fault = faultOf(folder, at("zarr.json"));
    if (three["zarr_format"] !== 3) throw fault(`its zarr_format is ${said(three["zarr_format"])}, not 3.`);
    const kind = three["node_type"];
    if (kind !== "group" && kind !== "array") throw fault(`its node_type is ${said(kind)}, not "group" or "array".`);
    const array = kind === "array" ? arrayOfVersion3(three, fault) : null;
    return { version: 3, attributes: object(three["attributes"]), array };
  }
  const two = await readZarrJson(folder, at(".zarray"));
  const attributes = await readZarrJson(folder, at(".zattrs"));
  if (two !== null) {
    const fault = faultOf(folder, at(".zarray"));
    if (two["zarr_format"] !== 2) throw fault(`its zarr_format is ${said(two["zarr_format"])}, not 2.`);
    return { version: 2, attributes: attributes ?? {}, array: arrayOfVersion2(two, fault) };
  }
  const group = await readZarrJson(folder, at(".zgroup"));
  return group === null && attributes === null ? null : { version: 2, attributes: attributes ?? {}, array: null };
}

type Fault = (what: string) => FormatError;

function faultOf(folder: FolderSource, entry: string): Fault {
  return (what) => new FormatError(`${folder.name}: ${entry}: ${what}`, { path: folder.name });
}

function absent(error: unknown): null {
  if (error instanceof FormatError) return null;
  throw error;
}

/** A JSON object from a file below a folder; null where there is none. */
export async function readZarrJson(folder: FolderSource, entry: string): Promise<Json | null> {
  const fault = faultOf(folder, entry);
  const source = await folder.open(entry).catch(absent);
  if (source === null) return null;
  try {
    if (source.size > maxJsonBytes) throw fault(`it is ${source.size} bytes long; ${maxJsonBytes} are read.`);
    const bytes = await readBytes(source, 0, source.size).catch((cause: unknown) => {
      throw new FormatError(`${folder.name}: ${entry}: cannot be read. Copy it again.`, { path: folder.name, cause });
    });
    const value = parse(new TextDecoder().decode(bytes));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Json;
    throw fault("it is no JSON object. Copy it again.");
  } finally {
    await source.close();
  }
}

/** JSON in which NaN and Infinity may stand bare, read as their names; undefined where it is none. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    try {
      const tokens = /"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b/g;
      return JSON.parse(text.replace(tokens, (token) => (token.startsWith('"') ? token : `"${token}"`)));
    } catch {
      return undefined;
    }
  }
}

/** A value as an object, empty where it is none. */
export function object(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

/** A value as a list, empty where it is none. */
export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A value of a file in words of a message. */
export function said(value: unknown): string {
  const text = value === undefined ? "missing" : (JSON.stringify(value) ?? "missing");
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}

function arrayOfVersion2(told: Json, fault: Fault): ZarrArray {
  const shape = sizes(told["shape"], "shape", fault);
  const chunk = sizes(told["chunks"], "chunks", fault);
  const dtype = told["dtype"];
  const match = typeof dtype === "string" ? /^([<>|=])([a-zA-Z])(\d+)$/.exec(dtype) : null;
  const kinds: Record<string, string> = { u: "uint", i: "int", f: "float" };
  const kind = match?.[2] ?? "";
  const type = typeNamed(kind === "b" ? "bool" : `${kinds[kind] ?? kind}${8 * Number(match?.[3])}`, dtype, fault);
  const order = told["order"];
  if (order !== "C" && order !== "F") throw fault(`its order is ${said(order)}, not "C" or "F".`);
  const [filter] = list(told["filters"]);
  if (filter !== undefined) {
    throw fault(`its samples went through the filter ${said(object(filter)["id"])}, which is not read. ${plainly}`);
  }
  const separator = told["dimension_separator"];
  if (separator !== undefined && separator !== null && separator !== "/" && separator !== ".") {
    throw fault(`its dimension_separator is ${said(separator)}, not "/" or ".".`);
  }
  const axes = [...shape.keys()];
  return checked(
    {
      shape,
      fileShape: chunk,
      chunk,
      type,
      order: order === "C" ? axes : axes.reverse(),
      littleEndian: match?.[1] !== ">",
      packing: told["compressor"] === null ? [] : [packingNamed(object(told["compressor"])["id"], fault)],
      shard: null,
      prefix: "",
      separator: separator === "/" ? "/" : ".",
      separatorTold: separator === "/" || separator === ".",
      fill: fillValue(told["fill_value"], type, fault),
      dimensionNames: null,
    },
    fault,
  );
}

function arrayOfVersion3(told: Json, fault: Fault): ZarrArray {
  const shape = sizes(told["shape"], "shape", fault);
  const grid = named(told["chunk_grid"]);
  if (grid.name !== "regular") throw fault(`its chunk grid is ${said(grid.name)}; "regular" is read. ${plainly}`);
  const fileShape = sizes(grid.configuration["chunk_shape"], "chunk_shape", fault);
  const type = typeNamed(named(told["data_type"]).name, told["data_type"], fault);
  const [transformer] = list(told["storage_transformers"]);
  if (transformer !== undefined) {
    throw fault(`its storage transformer ${said(named(transformer).name)} is not read. ${plainly}`);
  }
  const keys = named(told["chunk_key_encoding"]);
  if (keys.name !== "default" && keys.name !== "v2") {
    throw fault(`its chunk key encoding is ${said(keys.name)}; "default" and "v2" are read.`);
  }
  const separator = keys.configuration["separator"] ?? (keys.name === "v2" ? "." : "/");
  if (separator !== "/" && separator !== ".") throw fault(`its separator is ${said(separator)}, not "/" or ".".`);
  const coding = codingOf(told["codecs"], shape.length, type, fault);
  const { shard } = coding;
  const inner =
    shard === null
      ? { ...coding, chunk: fileShape }
      : {
          ...codingOf(shard["codecs"], shape.length, type, fault),
          chunk: sizes(shard["chunk_shape"], "chunk_shape of its shards", fault),
        };
  if (shard !== null && inner.shard !== null) throw fault(`its shards hold shards, which is not read. ${plainly}`);
  if (shard !== null && coding.order.some((axis, at) => axis !== at)) {
    throw fault(`its shards are transposed, which is not read. ${plainly}`);
  }
  const names = told["dimension_names"];
  return checked(
    {
      shape,
      fileShape,
      chunk: inner.chunk,
      type,
      order: inner.order,
      littleEndian: inner.littleEndian,
      packing: inner.packing,
      shard: shard === null ? null : shardIndex(shard, fault),
      prefix: keys.name === "default" ? "c" : "",
      separator,
      separatorTold: true,
      fill: fillValue(told["fill_value"], type, fault),
      dimensionNames: Array.isArray(names) ? names.map((name) => (typeof name === "string" ? name : null)) : null,
    },
    fault,
  );
}

const plainly = "Write the array again without it.";

/** A name with a configuration; a bare string is a name. */
function named(value: unknown): { name: unknown; configuration: Json } {
  if (typeof value === "string") return { name: value, configuration: {} };
  return { name: object(value)["name"], configuration: object(object(value)["configuration"]) };
}

interface Coding {
  readonly order: readonly number[];
  readonly littleEndian: boolean;
  readonly packing: readonly Packing[];
  readonly shard: Json | null;
}

function codingOf(codecs: unknown, axes: number, type: SampleType, fault: Fault): Coding {
  let order = Array.from({ length: axes }, (_, axis) => axis);
  let littleEndian = true;
  let shard: Json | null = null;
  let bytes = false;
  const packing: Packing[] = [];
  for (const codec of list(codecs)) {
    const { name, configuration } = named(codec);
    if (name === "transpose" && !bytes) {
      const turned = configuration["order"];
      const turn = turned === "C" ? [...order.keys()] : turned === "F" ? [...order.keys()].reverse() : list(turned);
      if (
        turn.length !== axes ||
        new Set(turn).size !== axes ||
        !turn.every((axis) => order[axis as number] !== undefined)
      ) {
        throw fault(`its transpose order is ${said(turned)}, no order of ${axes} axes.`);
      }
      order = turn.map((axis) => order[axis as number]!);
    } else if ((name === "bytes" || name === "endian") && !bytes) {
      const { endian } = configuration;
      if (endian !== "little" && endian !== "big" && type.bytes > 1) {
        throw fault(`the endian of its samples is ${said(endian)}, not "little" or "big".`);
      }
      littleEndian = endian !== "big";
      bytes = true;
    } else if (name === "sharding_indexed" && !bytes) {
      shard = configuration;
      bytes = true;
    } else if (bytes && shard === null) packing.push(packingNamed(name, fault));
    else
      throw fault(
        `its codec ${said(name)} is not read ${shard === null ? "before" : "after"} the samples' bytes. ${plainly}`,
      );
  }
  if (!bytes) throw fault(`its codecs are ${said(codecs)}: none of them turns samples into bytes.`);
  return { order, littleEndian, packing, shard };
}

function shardIndex(told: Json, fault: Fault): ZarrArray["shard"] {
  const [first, ...rest] = list(told["index_codecs"]).map(named);
  const endian = first?.configuration["endian"];
  const plain = first?.name === "bytes" || first?.name === "endian";
  if (!plain || (endian !== "little" && endian !== "big") || rest.some(({ name }) => name !== "crc32c")) {
    throw fault(`the codecs of its shard index are ${said(told["index_codecs"])}; bytes and crc32c are read.`);
  }
  const location = told["index_location"] ?? "end";
  if (location !== "start" && location !== "end")
    throw fault(`its shard index is at ${said(location)}, not start or end.`);
  return { littleEndian: endian === "little", checksums: rest.length, atEnd: location === "end" };
}

function checked(array: ZarrArray, fault: Fault): ZarrArray {
  const { shape, fileShape, chunk } = array;
  for (const part of [fileShape, chunk]) {
    if (part.length !== shape.length) throw fault(`its shape is ${said(shape)} but its chunks are ${said(part)}.`);
  }
  const ofShard = fileShape.reduce((product, size, axis) => product * (size / chunk[axis]!), 1);
  if (fileShape.some((size, axis) => size % chunk[axis]! > 0) || ofShard > maxChunksOfShard) {
    throw fault(`its shards ${said(fileShape)} do not hold 1 to ${maxChunksOfShard} whole chunks ${said(chunk)}.`);
  }
  const names = array.dimensionNames;
  return names === null || names.length === shape.length ? array : { ...array, dimensionNames: null };
}

function sizes(value: unknown, what: string, fault: Fault): number[] {
  const numbers = list(value);
  const sound = numbers.every((size) => Number.isInteger(size) && (size as number) >= 1 && (size as number) <= maxSize);
  if (sound && numbers.length >= 1 && numbers.length <= maxAxes) return numbers as number[];
  throw fault(`its ${what} is ${said(value)}, not 1 to ${maxAxes} whole numbers above 0.`);
}

function typeNamed(name: unknown, told: unknown, fault: Fault): SampleType {
  const type = types.find((known) => known.name === name);
  if (type !== undefined) return type;
  throw fault(
    `its samples are ${said(told)}; uint8 to uint32, int8 to int32, float16 to float64 and bool are read. Save it as uint16 or float32.`,
  );
}

function packingNamed(name: unknown, fault: Fault): Packing {
  const bare = typeof name === "string" ? name.replace(/^numcodecs\./, "") : name;
  const packing = packings.find((known) => known === bare);
  if (packing !== undefined) return packing;
  throw fault(
    `its codec ${said(name)} is not read; ${packings.join(", ")} are. Write the array again with one of these.`,
  );
}

/** What stands where a chunk is missing; 0 where the file leaves it open. */
function fillValue(value: unknown, type: SampleType, fault: Fault): number {
  if (value === null || value === undefined || value === false) return 0;
  if (value === true) return 1;
  if (typeof value === "number") return value;
  const floating = type.name.startsWith("float");
  // Writers in Java put numbers in quotes.
  if (typeof value === "string" && /^-?\d+(\.\d*)?(e[-+]?\d+)?$/i.test(value)) return Number(value);
  if (floating && (value === "NaN" || value === "Infinity" || value === "-Infinity")) return Number(value);
  const bits = floating && typeof value === "string" ? /^0x([0-9a-f]{1,16})$/i.exec(value)?.[1] : undefined;
  if (bits === undefined) throw fault(`its fill_value is ${said(value)}, no ${type.name}.`);
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, BigInt(`0x${bits}`));
  return type.bytes === 8 ? view.getFloat64(0) : type.bytes === 4 ? view.getFloat32(4) : halfFloat(view.getUint16(6));
}
