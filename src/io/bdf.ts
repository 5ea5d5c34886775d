/** Battery Data Format as text and as Parquet: one row a sample, heads with units, positive current charges. Read and written. */
import type { Cycling, CyclingFile } from "../model/cycling.js";
import type { ByteSource } from "./bytes.js";
import { later, readCivilTime, unixMilliseconds, type CivilTime } from "./civil-time.js";
import { readCyclingCsv } from "./cycling-csv.js";
import { headLines, looksLikeText } from "./text.js";

const timeHead = /(^|[,;\t"\uFEFF])(Test Time \/ \w+|test_time_(second|millisecond|minute|hour))(?=$|[,;\t"])/i;
const potentialHead = /(^|[,;\t"])(Voltage \/ m?V|voltage_(milli)?volt)(?=$|[,;\t"])/i;

/** Whether a file's first line has the heads of the format, for people or for machines. */
export function sniffBdf(head: Uint8Array): boolean {
  if (!looksLikeText(head)) return false;
  const first = headLines(head)[0] ?? "";
  return timeHead.test(first) && potentialHead.test(first);
}

/**
 * Reads a BDF table as any table of text; `start` comes from "Unix Time / s" and is in UTC ("Z").
 * Throws FormatError as that does.
 */
export function readBdf(source: ByteSource): Promise<CyclingFile> {
  return readCyclingCsv(source, "bdf-csv");
}

/**
 * A cycling record as BDF text: "Test Time / s", "Voltage / V", "Current / A", "Net Capacity / Ah", and "Unix Time / s"
 * where the start of the record (the civil time at which its time is 0) has a zone. A local start stands in a column
 * "Date Time", which the format does not know. Numbers are written in full; an unknown number is an empty cell. The
 * format fixes the ampere: a current in mA may lose one unit of its last digit.
 */
export function encodeBdf(cycling: Cycling, start: string | null = null): string {
  const columns = bdfColumns(cycling, start);
  const lines = [columns.map(({ head }) => head).join(",")];
  const rows = cycling.time_s.length;
  for (let row = 0; row < rows; row++)
    lines.push(columns.map(({ head, cells }) => cellText(head, cells[row]!)).join(","));
  lines.push("");
  return lines.join("\n");
}

/** The same columns as a Parquet table (snappy): numbers are doubles, null where unknown; "Date Time" is a string. */
export async function encodeBdfParquet(cycling: Cycling, start: string | null = null): Promise<Uint8Array> {
  const { parquetWriteBuffer } = await import("hyparquet-writer");
  const columnData = bdfColumns(cycling, start).map(({ head, cells }) => {
    if (!(cells instanceof Float64Array))
      return { name: head, data: [...cells], type: "STRING" as const, nullable: false };
    const known = cells.every(Number.isFinite);
    const data = known ? cells : Array.from(cells, (value) => (Number.isFinite(value) ? value : null));
    return { name: head, data, type: "DOUBLE" as const, nullable: !known };
  });
  return new Uint8Array(parquetWriteBuffer({ columnData, createdBy: "ionoscope" }));
}

interface BdfColumn {
  readonly head: string;
  readonly cells: Float64Array | readonly string[];
}

function bdfColumns({ time_s, potential_V, current_mA, charge_mAh }: Cycling, start: string | null): BdfColumn[] {
  const columns: BdfColumn[] = [
    { head: "Test Time / s", cells: time_s },
    { head: "Voltage / V", cells: potential_V },
    { head: "Current / A", cells: current_mA.map((value) => value / 1000) },
    { head: "Net Capacity / Ah", cells: charge_mAh.map((value) => value / 1000) },
  ];
  const civil = start === null ? null : readCivilTime(start);
  if (civil === null) return columns;
  const moments = Array.from(time_s, (time) => later(civil, time));
  if (civil.zone === "") return [...columns, { head: "Date Time", cells: moments.map(civilCell) }];
  return [
    ...columns,
    { head: "Unix Time / s", cells: Float64Array.from(moments, (time) => unixMilliseconds(time) / 1000) },
  ];
}

// Milliseconds are written even where they are zero: a clock that shows none is taken to have none.
function cellText(head: string, cell: number | string): string {
  if (typeof cell === "string") return cell;
  if (!Number.isFinite(cell)) return "";
  return head === "Unix Time / s" ? cell.toFixed(3) : String(cell);
}

function civilCell({ ms }: CivilTime): string {
  return Number.isNaN(ms) ? "" : new Date(ms).toISOString().slice(0, -1);
}
