/**
 * Parquet tables, decoded by hyparquet; the Battery Data Format among them.
 *
 * File: "PAR1", pages of columns, directory (Thrift), u32 its length, "PAR1". Nothing can be read without the
 * directory, so a file that was cut is refused. "PARE" at the end: the directory is encrypted.
 */
import type { AsyncBuffer, ColumnData, FileMetaData, SchemaElement } from "hyparquet";
import type { CyclingFile } from "../model/cycling.js";
import { FormatError } from "../model/errors.js";
import { readBytes, type ByteSource } from "./bytes.js";
import { castColumns, type Role } from "./csv-roles.js";
import { readCyclingCsv } from "./cycling-csv.js";
import { tableText } from "./pieces.js";

/** A table of more rows is refused. */
export const PARQUET_ROWS = 10_000_000;
/** A table whose wanted columns claim more bytes when unpacked is refused. */
export const PARQUET_BYTES = 1 << 30;

/** Whether a file begins as a Parquet table. */
export function sniffParquet(head: Uint8Array): boolean {
  return head.length > 4 && String.fromCharCode(...head.subarray(0, 4)) === "PAR1";
}

/**
 * Reads a Parquet table whose columns are named as in a table of text: as "bdf-parquet" where they are those of the
 * Battery Data Format (for people or for machines), else as "parquet". Columns that play no part are not decoded;
 * nested ones cannot play one. Time stamps become dates: with a zone where the file says they are UTC.
 *
 * Throws FormatError for a table without time or potential (it names the columns), one that is cut, encrypted or
 * damaged, and one over PARQUET_ROWS or PARQUET_BYTES.
 */
export async function readParquet(source: ByteSource): Promise<CyclingFile> {
  const refuse = (what: string, cause?: unknown): FormatError =>
    new FormatError(`${source.name}: ${what}`, { path: source.name, cause });
  await checkEnd(source, refuse);
  const { parquetMetadataAsync, parquetRead } = await import("hyparquet");
  const { compressors } = await import("hyparquet-compressors");
  const file = bufferOf(source);
  const parsers = {
    timestampFromMilliseconds: Number,
    timestampFromMicroseconds: (micros: bigint) => Number(micros) / 1e3,
    timestampFromNanoseconds: (nanos: bigint) => Number(nanos) / 1e6,
    dateFromDays: (days: number) => days * 86_400_000,
  };
  const damaged = (cause: unknown): FormatError =>
    cause instanceof FormatError
      ? cause
      : refuse(`the Parquet table cannot be decoded (${words(cause)}). Write it again, or export it as CSV.`, cause);
  const metadata = await parquetMetadataAsync(file, { parsers, geoparquet: false }).catch((cause: unknown) => {
    throw damaged(cause);
  });
  const table = tableOf(metadata, refuse);
  const { heads, rows, schema } = table;
  const roles = castColumns(heads.map(currentName));
  if (roles.potential === null || (roles.time ?? roles.date) === null) {
    throw refuse(
      `its columns are ${heads.join(", ")}; wanted are at least a time (Test Time / s, test_time_second) and a potential (Voltage / V, voltage_volt). Rename them or export them too.`,
    );
  }
  const parts = new Set(
    Object.values(roles)
      .flat()
      .flatMap((role: Role | null) => (role === null ? [] : [role.at])),
  );
  const wanted = [...parts].sort((a, b) => a - b);
  checkSize(metadata, new Set(wanted.map((at) => heads[at]!)), source, refuse);

  const columns: string[][] = [];
  for (const at of wanted) {
    const cells = Array.from({ length: rows }, () => "");
    const toText = at === roles.date?.at ? dateText(schema[at]!) : cellText(schema[at]!);
    const onChunk = ({ columnData, rowStart }: ColumnData): void => {
      const count = Math.min(columnData.length, rows - rowStart);
      for (let row = 0; row < count; row++) cells[rowStart + row] = toText(columnData[row]);
    };
    await parquetRead({ file, metadata, columns: [heads[at]!], compressors, parsers, onChunk }).catch(
      (cause: unknown) => {
        throw damaged(cause);
      },
    );
    columns.push(cells);
  }
  const text = tableText();
  text.add(wanted.map((at) => currentName(heads[at]!)));
  for (let row = 0; row < rows; row++) text.add(columns.map((cells) => cells[row]!));
  const format = heads.some(isBdfTime) && heads.some(isBdfPotential) ? "bdf-parquet" : "parquet";
  return { ...(await readCyclingCsv(text.source(source.name), format)), columns: heads };
}

type Refuse = (what: string, cause?: unknown) => FormatError;

async function checkEnd(source: ByteSource, refuse: Refuse): Promise<void> {
  const tail = await readBytes(source, Math.max(0, source.size - 8), 8);
  const mark = String.fromCharCode(...tail.subarray(4));
  if (mark === "PARE") throw refuse("the Parquet table is encrypted. Export it without encryption.");
  if (mark !== "PAR1" || source.size < 12) {
    throw refuse(
      `the Parquet table was cut: its directory at the end is missing (at byte ${source.size}). Copy the file again; nothing can be read without it.`,
    );
  }
  const length = new DataView(tail.buffer, tail.byteOffset).getUint32(0, true);
  if (length > source.size - 12) {
    throw refuse(
      `the Parquet table's directory claims ${length} bytes and the file has ${source.size}. Copy the file again.`,
    );
  }
}

interface Table {
  readonly heads: readonly string[];
  /** Of each column; nested ones have no type. */
  readonly schema: readonly SchemaElement[];
  readonly rows: number;
}

/** The top level of the schema: after the root, each column is followed by its children. */
function tableOf({ schema, num_rows }: FileMetaData, refuse: Refuse): Table {
  const columns: SchemaElement[] = [];
  const skip = (at: number, depth: number): number => {
    if (depth > 100) throw refuse("the Parquet table's columns are nested more than 100 deep. Export it as CSV.");
    let next = at + 1;
    for (let child = schema[at]?.num_children ?? 0; child > 0 && next < schema.length; child--)
      next = skip(next, depth + 1);
    return next;
  };
  for (let at = 1; at < schema.length; at = skip(at, 0)) columns.push(schema[at]!);
  const rows = Number(num_rows);
  if (!(rows >= 0 && rows <= PARQUET_ROWS)) {
    throw refuse(`the Parquet table has ${rows} rows, more than ${PARQUET_ROWS}. Split it, or export fewer rows.`);
  }
  return { heads: columns.map(({ name }) => String(name)), schema: columns, rows };
}

/** Every length that the directory claims for these columns, before any of it is believed. */
function checkSize(
  { row_groups, num_rows }: FileMetaData,
  heads: Set<string>,
  source: ByteSource,
  refuse: Refuse,
): void {
  let bytes = 0;
  let rows = 0;
  for (const group of row_groups) {
    rows += Number(group.num_rows);
    for (const { meta_data: column } of group.columns) {
      if (column === undefined || !heads.has(column.path_in_schema[0] ?? "")) continue;
      const from = Number(column.dictionary_page_offset ?? column.data_page_offset);
      const end = from + Number(column.total_compressed_size);
      if (!(from >= 4 && end >= from && end <= source.size)) {
        throw refuse(
          `the Parquet table puts the column ${column.path_in_schema.join(".")} at bytes ${from} to ${end} of ${source.size}. Copy the file again.`,
        );
      }
      bytes += Number(column.total_uncompressed_size);
    }
  }
  if (bytes > PARQUET_BYTES) {
    throw refuse(
      `its columns claim ${bytes} bytes, more than ${PARQUET_BYTES}. Split the table, or export fewer rows.`,
    );
  }
  if (rows !== Number(num_rows)) {
    throw refuse(`the Parquet table claims ${Number(num_rows)} rows and its parts ${rows}. Write it again.`);
  }
}

function bufferOf(source: ByteSource): AsyncBuffer {
  return {
    byteLength: source.size,
    async slice(start, end = source.size) {
      const from = start < 0 ? source.size + start : start;
      const bytes = await readBytes(source, from, end - from);
      return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
    },
  };
}

/** How a value stands in a table of text: numbers in full, time stamps as dates, nothing for null. */
function cellText({ converted_type, logical_type, type }: SchemaElement): (value: unknown) => string {
  const adjusted = logical_type?.type === "TIMESTAMP" && logical_type.isAdjustedToUTC;
  const stamped =
    logical_type?.type === "TIMESTAMP" ||
    logical_type?.type === "DATE" ||
    type === "INT96" ||
    converted_type === "DATE" ||
    converted_type === "TIMESTAMP_MILLIS" ||
    converted_type === "TIMESTAMP_MICROS";
  // Before there were logical types, a time stamp was UTC.
  const isUtc = adjusted || (logical_type === undefined && (converted_type ?? "").startsWith("TIMESTAMP_"));
  return (value) => {
    if (value === null || value === undefined) return "";
    if (stamped) {
      const ms = Math.round(Number(value));
      return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString().slice(0, -1) + (isUtc ? "Z" : "") : "";
    }
    return typeof value === "object" ? "" : String(value);
  };
}

/** A date as a number, with as many digits as its column can hold: a clock that shows no milliseconds is taken to have none. */
function dateText(column: SchemaElement): (value: unknown) => string {
  const text = cellText(column);
  return (value) => {
    const cell = text(value);
    const number = cell === "" ? NaN : Number(cell);
    if (number > 1e11 && number < 8.64e15) return new Date(number).toISOString();
    return number > 1e8 && column.type === "DOUBLE" ? number.toFixed(3) : cell;
  };
}

/** Names of the format before 2025 in their later form: "cycle_dimensionless" is "cycle_count" now. */
function currentName(head: string): string {
  return head.replace(/^(cycle|step)_dimensionless$/i, "$1_count");
}

function isBdfTime(head: string): boolean {
  return /^(Test Time \/ \w+|test_time_\w+)$/i.test(head);
}

function isBdfPotential(head: string): boolean {
  return /^(Voltage \/ m?V|voltage_(milli)?volt)$/i.test(head);
}

function words(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).split("\n")[0]!.slice(0, 200);
}
