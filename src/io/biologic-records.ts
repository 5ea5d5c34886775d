/**
 * The data module of a BioLogic .mpr: a list of column ids, then packed records.
 *
 *     0  u32 number of rows     4  u8 number of ids     5  ids
 *
 *     frame          version   an id is            the first record is at
 *     before 11.50   0         u8                  100
 *                    2         u16 little-endian   405
 *                    3         u16 little-endian   406
 *     since 11.50    any       u16 big-endian      1007
 */
import { FormatError } from "../model/errors.js";
import { mprColumn, mprWidth, otherMprColumn, type MprColumn } from "./biologic-columns.js";
import type { MprModule } from "./biologic-modules.js";
import { readBytes, type ByteSource } from "./bytes.js";

/** One column and its place. */
export interface MprField extends MprColumn {
  readonly id: number;
  /** Byte offset in a record; null where columns of unknown width leave it open. */
  readonly at: number | null;
}

/** Where the records lie and what each holds. */
export interface MprLayout {
  /** In the file's order. */
  readonly fields: readonly MprField[];
  /** Whole rows that the file has. */
  readonly rows: number;
  readonly recordBytes: number;
  /** Where the first record begins in the file. */
  readonly first: number;
}

const FIRST_RECORD: Readonly<Record<number, number>> = { 0: 100, 2: 405, 3: 406 };
const FIRST_RECORD_NEW = 1007;

/**
 * Reads a data module's list of columns and places them in a record.
 *
 * Columns of unknown id are passed over where the length of a record leaves one width for each; where it leaves
 * several, what lies between the first and the last of them has no place. Throws FormatError, with the byte offset and
 * the unknown ids, where the columns do not fill a record, and for a module of unknown version or cut in its list.
 */
export async function readLayout(
  source: ByteSource,
  data: MprModule,
  say: (sentence: string) => void,
): Promise<MprLayout> {
  const head = await readBytes(source, data.body, Math.min(data.present, FIRST_RECORD_NEW));
  const refuse = (message: string, offset: number): never => {
    throw new FormatError(`${source.name}: ${message}`, {
      path: source.name,
      offset: Math.min(source.size, data.body + offset),
    });
  };
  const wide = data.newFrame || data.version >= 2;
  const count = head[4] ?? 0;
  if (head.length < 5 + (wide ? 2 : 1) * count) {
    refuse(`the file was cut after ${source.size} bytes, inside the list of its columns. Copy it again.`, head.length);
  }
  const firstRecord = data.newFrame ? FIRST_RECORD_NEW : FIRST_RECORD[data.version];
  if (firstRecord === undefined) {
    return refuse(
      `data module of version ${data.version}; versions 0, 2, 3 and those of EC-Lab 11.50 and later are read. Export it as text (.mpt).`,
      0,
    );
  }
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  const rows = view.getUint32(0, true);
  const ids = Array.from({ length: count }, (_, index) =>
    wide ? view.getUint16(5 + 2 * index, !data.newFrame) : head[5 + index]!,
  );
  const unknown = ids.filter((id) => mprColumn(id) === null);
  const recordBytes = rows === 0 ? 0 : (data.length - firstRecord) / rows;
  const fields = rows === 0 ? placed(ids, mprColumn, []) : placeFields(ids, recordBytes);
  if (fields === null) {
    const sure = ids.slice(
      0,
      ids.findIndex((id) => mprColumn(id) === null),
    );
    return refuse(
      `${rows} rows of ${ids.length} columns do not fill the ${data.length - firstRecord} bytes of the data module` +
        (unknown.length === 0
          ? ""
          : `; column ids of unknown width: ${unknown.join(", ")}; known before them: ${sure.map((id) => mprColumn(id)!.name).join(", ") || "none"}`) +
        ". Export the run as text (.mpt).",
      firstRecord,
    );
  }
  if (rows > 0 && unknown.length > 0) {
    const lost = fields.filter(({ at, id }) => at === null && mprColumn(id) !== null).map(({ name }) => name);
    say(
      lost.length === 0
        ? `column ids ${unknown.join(", ")} are not known; the others are placed by the length of a row.`
        : `column ids ${unknown.join(", ")} are not known, nor how wide each is: ${lost.join(", ")} cannot be read.`,
    );
  }
  const there = rows === 0 ? 0 : Math.max(0, Math.floor((data.present - firstRecord) / recordBytes));
  if (there < rows) say(`the file was cut: ${rows - there} of ${rows} rows are lost.`);
  return { fields, rows: Math.min(rows, there), recordBytes, first: data.body + firstRecord };
}

type Meaning = (id: number) => MprColumn | null;

/** Where each column lies in a record of known length, by the first reading of the ids that fills it; else null. */
function placeFields(ids: readonly number[], recordBytes: number): MprField[] | null {
  if (!Number.isInteger(recordBytes)) return null;
  const meanings: Meaning[] = [mprColumn, (id) => otherMprColumn(id) ?? mprColumn(id)];
  for (const meaning of meanings) {
    const left = recordBytes - widthOf(ids, meaning);
    const unknown = ids.filter((id) => meaning(id) === null).length;
    const ways = compositions(left, unknown);
    if (recordBytes === 0 || ways.length === 0) continue;
    return placed(ids, meaning, ways.length === 1 ? ways[0]! : null, recordBytes);
  }
  return null;
}

/** Bytes of the columns that are known; the flags share one. */
function widthOf(ids: readonly number[], meaning: Meaning): number {
  const columns = ids.map(meaning).filter((column) => column !== null);
  const others = columns.filter(({ type }) => type !== "flag");
  return (others.length < columns.length ? 1 : 0) + others.reduce((sum, { type }) => sum + mprWidth[type], 0);
}

const unknownTypes = { 1: "u1", 2: "u2", 4: "f4", 8: "f8" } as const;

/** So many unknown columns may be told from a record's length; more are not guessed at. */
const UNKNOWN = 32;

/** Ways to make a sum of so many widths, in their order; two at most are told, as more say no more. */
function compositions(sum: number, count: number): (keyof typeof unknownTypes)[][] {
  if (count === 0) return sum === 0 ? [[]] : [];
  if (count > UNKNOWN) return [];
  const ways: (keyof typeof unknownTypes)[][] = [];
  for (const width of [4, 8, 2, 1] as const) {
    const rest = sum - width;
    if (rest < count - 1 || rest > 8 * (count - 1)) continue;
    for (const way of compositions(rest, count - 1)) if (ways.length < 2) ways.push([width, ...way]);
    if (ways.length === 2) break;
  }
  return ways;
}

/**
 * Columns at their places. `widths` are those of the unknown ids in their order; without them what stands between the
 * first and the last unknown one has no place, and what follows is placed from the record's end.
 */
function placed(
  ids: readonly number[],
  meaning: Meaning,
  widths: readonly (keyof typeof unknownTypes)[] | null,
  recordBytes = 0,
): MprField[] {
  const fields: MprField[] = [];
  let at: number | null = 0;
  let flags: number | null | undefined;
  let unknown = 0;
  const lastUnknown = ids.findLastIndex((id) => meaning(id) === null);
  for (const [index, id] of ids.entries()) {
    const width = widths?.[unknown];
    const column = meaning(id) ?? { name: `column ${id}`, type: width === undefined ? "f4" : unknownTypes[width] };
    if (meaning(id) === null) {
      unknown++;
      fields.push({ ...column, id, at: widths === null ? null : at });
      if (widths === null) {
        at = null;
        if (index === lastUnknown) at = recordBytes - widthOf(stillToCome(ids.slice(index + 1), flags), meaning);
        continue;
      }
    } else {
      if (column.type === "flag" && flags !== undefined) {
        fields.push({ ...column, id, at: flags });
        continue;
      }
      if (column.type === "flag") flags = at;
      fields.push({ ...column, id, at });
    }
    if (at !== null) at += mprWidth[column.type];
  }
  return renamed(fields);
}

/** Flags that have had their byte take none. */
function stillToCome(ids: readonly number[], flags: number | null | undefined): readonly number[] {
  return flags === undefined ? ids : ids.filter((id) => mprColumn(id)?.type !== "flag");
}

/** Column 174 is the mean potential, but where Ewe or <Ewe> is there already the phase between the two electrodes. */
function renamed(fields: readonly MprField[]): MprField[] {
  const has = (name: string, except: number): boolean =>
    fields.some((field) => field.name === name && field.id !== except);
  return fields.map((field) =>
    field.id === 174 && (has("Ewe/V", 174) || has("<Ewe>/V", 174)) ? { ...field, name: "Phase(Zwe-ce)/deg" } : field,
  );
}

const CHUNK_BYTES = 1 << 22;

/** The values of some columns, a few megabytes of the file at a time. */
export async function readRecords(
  source: ByteSource,
  { rows, recordBytes, first }: MprLayout,
  fields: readonly MprField[],
): Promise<Map<MprField, Float64Array>> {
  const values = new Map(fields.map((field) => [field, new Float64Array(rows)]));
  const rowsAtOnce = Math.max(1, Math.floor(CHUNK_BYTES / Math.max(1, recordBytes)));
  for (let row = 0; row < rows; row += rowsAtOnce) {
    const count = Math.min(rowsAtOnce, rows - row);
    const bytes = await readBytes(source, first + row * recordBytes, count * recordBytes);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (const [{ at, type }, column] of values) {
      for (let index = 0, offset = at!; index < count; index++, offset += recordBytes) {
        column[row + index] = readValue(view, offset, type);
      }
    }
  }
  return values;
}

function readValue(view: DataView, offset: number, type: MprColumn["type"]): number {
  switch (type) {
    case "f8":
      return view.getFloat64(offset, true);
    case "f4":
      return view.getFloat32(offset, true);
    case "u4":
      return view.getUint32(offset, true);
    case "u2":
      return view.getUint16(offset, true);
    default:
      return view.getUint8(offset);
  }
}
