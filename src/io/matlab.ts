/**
 * MATLAB .mat files of version 5 to 7: what variables they hold. Their numbers are not read, for nothing in them says
 * what is a time, a potential or a movie; version 7.3 is HDF5 and read as such.
 *
 *     @0 text, 116 bytes   @124 u16 0x0100   @126 "IM" (lowest byte first) or "MI"   @128 elements
 *     element: u32 type, u32 bytes, data, filled up to 8 bytes; small: u16 type, u16 bytes, 4 bytes of data
 *     15 packed (zlib) element, not filled up     14 array: flags (class in the lowest byte), dimensions, name, data
 *     class 2, struct: length of a field's name, names, then one array a field
 *
 * Source: MathWorks, MAT-File Format (level 5).
 */
import type { OtherFile } from "../model/cycling.js";
import { FormatError } from "../model/errors.js";
import { readBytes, type ByteSource } from "./bytes.js";
import { baseName } from "./text.js";

/** Variables and fields told, bytes of one variable that are looked at packed and unpacked. */
const mostVariables = 100;
const mostFields = 30;
const variableBytes = 16 << 20;
const unpackedBytes = 16 << 20;

const packed = 15;
const array = 14;
const structure = 2;
const classes = [
  "",
  "cell",
  "struct",
  "object",
  "char",
  "sparse",
  "double",
  "single",
  "int8",
  "uint8",
  "int16",
  "uint16",
  "int32",
  "uint32",
  "int64",
  "uint64",
  "function",
  "object",
];

/** Whether a file's first bytes are those of a MATLAB file of version 5 to 7. */
export function isMatlab(head: Uint8Array): boolean {
  if (head.length < 128 || String.fromCharCode(...head.subarray(0, 7)) !== "MATLAB ") return false;
  const order = String.fromCharCode(head[126]!, head[127]!);
  return (order === "IM" && head[125] === 1) || (order === "MI" && head[124] === 1);
}

/**
 * The variables of a MATLAB file by name, size and class, those of a struct with its fields. A file that was cut gives
 * those before the cut and a warning. Throws FormatError where the first element is none.
 */
export async function readMatlab(source: ByteSource): Promise<OtherFile> {
  const order = await readBytes(source, 126, 1);
  const little = order[0] === 0x49;
  const warnings: string[] = [];
  const variables: string[] = [];
  let offset = 128;
  while (offset + 8 <= source.size) {
    if (variables.length === mostVariables) {
      warnings.push(`${baseName(source.name)}: holds more than ${mostVariables} variables; the others are not listed.`);
      break;
    }
    const tag = new DataView((await readBytes(source, offset, 8)).buffer);
    const [type, bytes] = [tag.getUint32(0, little), tag.getUint32(4, little)];
    if (type !== packed && type !== array) {
      throw new FormatError(
        `${source.name}: at byte ${offset} is an element of type ${type}; 14 (array) or 15 (packed) is expected. Save it again.`,
        { path: source.name, offset },
      );
    }
    if (offset + 8 + bytes > source.size) {
      const missing = offset + 8 + bytes - source.size;
      warnings.push(
        `${baseName(source.name)}: the file is cut off: ${missing} bytes of its last variable are missing.`,
      );
    }
    const data = await readBytes(source, offset + 8, Math.min(bytes, variableBytes));
    const body = type === packed ? (await unpack(data)).subarray(8) : data;
    variables.push(variableInWords(body, little));
    offset += 8 + bytes + (type === array ? -bytes & 7 : 0);
  }
  const list = variables.length === 0 ? "without a variable" : `with ${variables.join(", ")}`;
  return {
    name: source.name,
    format: "matlab",
    description: `a MATLAB file ${list}. Its numbers are not read; export the record as CSV.`,
    columns: variables.map((variable) => variable.split(" ")[0]!),
    warnings,
  };
}

/** As much of a zlib stream as 16 MiB hold, and as there is of it. */
async function unpack(data: Uint8Array): Promise<Uint8Array> {
  const { Unzlib } = await import("fflate");
  const parts: Uint8Array[] = [];
  let size = 0;
  const stream = new Unzlib((part) => {
    parts.push(part);
    size += part.length;
  });
  const piece = 1 << 14;
  try {
    for (let at = 0; at < data.length; at += piece) {
      if (size >= unpackedBytes) break;
      stream.push(data.subarray(at, at + piece), at + piece >= data.length);
    }
  } catch {
    // A damaged stream is told by what came before the damage.
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

interface Element {
  readonly data: Uint8Array;
  /** Where the next element begins. */
  readonly end: number;
}

function elementAt(bytes: Uint8Array, at: number, little: boolean): Element | null {
  if (at + 8 > bytes.length) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at);
  const first = view.getUint32(0, little);
  if (first > 0xffff) return { data: bytes.subarray(at + 4, at + 4 + Math.min(4, first >>> 16)), end: at + 8 };
  const size = view.getUint32(4, little);
  return { data: bytes.subarray(at + 8, at + 8 + size), end: at + 8 + size + (-size & 7) };
}

/** "voltage 532 x 1 double"; of a struct "cell (voltage 532 x 1 double, ...)"; "unreadable" where it is cut or damaged. */
function variableInWords(body: Uint8Array, little: boolean, name = "", depth = 0): string {
  const unreadable = `${name || "a variable"} (unreadable)`;
  const flags = elementAt(body, 0, little);
  const dimensions = flags === null ? null : elementAt(body, flags.end, little);
  const ownName = dimensions === null ? null : elementAt(body, dimensions.end, little);
  if (flags === null || dimensions === null || ownName === null || flags.data.length < 4) return unreadable;
  const kind = little ? flags.data[0]! : flags.data[3]!;
  const called = name || text(ownName.data) || "unnamed";
  const view = new DataView(dimensions.data.buffer, dimensions.data.byteOffset, dimensions.data.byteLength);
  const shape = Array.from({ length: Math.min(8, view.byteLength >> 2) }, (_, at) => view.getInt32(4 * at, little));
  const told = `${called} ${shape.join(" x ")} ${classes[kind] || `class ${kind}`}`;
  if (kind !== structure || depth > 1) return told;
  const length = elementAt(body, ownName.end, little);
  const names = length === null ? null : elementAt(body, length.end, little);
  if (length === null || names === null || length.data.length < 4) return told;
  const each = new DataView(length.data.buffer, length.data.byteOffset).getInt32(0, little);
  if (each < 1 || each > 64) return told;
  const fields: string[] = [];
  let at = names.end;
  const count = Math.floor(names.data.length / each);
  for (let field = 0; field < Math.min(mostFields, count); field++) {
    const element = elementAt(body, at, little);
    if (element === null) break;
    const label = text(names.data.subarray(field * each, (field + 1) * each));
    fields.push(variableInWords(element.data, little, label, depth + 1));
    at = element.end;
  }
  const more = count > fields.length ? ", ..." : "";
  return fields.length === 0 ? told : `${told} (${fields.join(", ")}${more})`;
}

function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return String.fromCharCode(...bytes.subarray(0, Math.min(64, end < 0 ? bytes.length : end))).replace(
    /[^\x20-\x7e]/g,
    "?",
  );
}
