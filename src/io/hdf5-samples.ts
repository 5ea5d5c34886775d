/** Element types of HDF5 as samples: integers, floats of 16, 32 and 64 bits, booleans. Bytes come with the lowest first. */
import type { Dtype, Samples } from "../model/movie.js";
import { bytesOf, machineIsLittle, swapBytes } from "./byte-order.js";
import { frameBuffer } from "./views.js";

/** What the library tells of a type; `type` is its class. */
export interface StoredType {
  readonly type: number;
  readonly size: number;
  readonly signed: boolean;
  readonly littleEndian: boolean;
  readonly vlen: boolean;
  readonly enum_type?: { readonly type: number; readonly members: Readonly<Record<string, number>> };
  readonly array_type?: StoredType & { readonly total_size: number };
  readonly compound_type?: {
    readonly members: readonly (StoredType & { readonly name: string; readonly offset: number })[];
  };
}

/** A type whose elements are numbers: the samples that hold it, and how it is stored where that differs. */
export interface SampleType {
  readonly dtype: Dtype;
  readonly stored: Dtype | "float16" | "int64" | "uint64";
}

const classes = [
  "integer",
  "float",
  "time",
  "text",
  "bits",
  "opaque",
  "compound",
  "reference",
  "enum",
  "lists",
  "array",
];
const integer = 0;
const float = 1;
const enumeration = 8;

/** The samples that hold a stored type; null with its name where it is no plain number. */
export function sampleType(stored: StoredType): { readonly type: SampleType | null; readonly typeName: string } {
  const { size, signed } = stored;
  const named = (dtype: Dtype, as: SampleType["stored"] = dtype) => ({ type: { dtype, stored: as }, typeName: as });
  const ofInteger = (isSigned: boolean) => {
    if (size === 1 || size === 2 || size === 4) {
      return named(`${isSigned ? "int" : "uint"}${(8 * size) as 8 | 16 | 32}`);
    }
    // Samples have no 64-bit integer: what float64 holds exactly is read.
    return size === 8 ? named("float64", isSigned ? "int64" : "uint64") : null;
  };
  const { type } = stored;
  const found =
    type === integer
      ? ofInteger(signed)
      : type === enumeration && stored.enum_type?.type === integer
        ? ofInteger(signed && !isBoolean(stored))
        : type === float && size === 4
          ? named("float32")
          : type === float && size === 8
            ? named("float64")
            : type === float && size === 2
              ? named("float32", "float16")
              : null;
  return found ?? { type: null, typeName: `${classes[type] ?? "unknown"}${type <= 1 ? 8 * size : ""}` };
}

function isBoolean({ enum_type }: StoredType): boolean {
  return enum_type !== undefined && Object.keys(enum_type.members).every((name) => /^(true|false)$/i.test(name));
}

/** Whether stored bytes are the samples themselves. */
export function isPlain({ dtype, stored }: SampleType): boolean {
  return dtype === stored;
}

/** Stored bytes into samples of the type's dtype. False where a 64-bit integer is too large to be exact. */
export function toSamples(bytes: Uint8Array, type: SampleType, into: Samples): boolean {
  if (isPlain(type)) {
    bytesOf(into).set(bytes);
    if (!machineIsLittle) swapBytes(into);
    return true;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (type.stored === "float16") {
    for (let at = 0; at < into.length; at++) into[at] = half(view.getUint16(2 * at, true));
    return true;
  }
  let exact = true;
  for (let at = 0; at < into.length; at++) {
    const value = Number(type.stored === "int64" ? view.getBigInt64(8 * at, true) : view.getBigUint64(8 * at, true));
    if (Math.abs(value) > Number.MAX_SAFE_INTEGER) exact = false;
    into[at] = value;
  }
  return exact;
}

/** Stored bytes as numbers; an integer beyond 2^53 is rounded. */
export function toNumbers(bytes: Uint8Array, type: SampleType): Float64Array {
  const count = bytes.length / storedBytes(type);
  const samples = frameBuffer({ width: count, height: 1, dtype: type.dtype });
  toSamples(bytes, type, samples);
  return samples instanceof Float64Array ? samples : Float64Array.from(samples);
}

function storedBytes({ stored }: SampleType): number {
  return Number(/\d+$/.exec(stored)![0]) / 8;
}

/** IEEE 754 binary16: 1 sign bit, 5 of exponent, 10 of fraction. */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}
