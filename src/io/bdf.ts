/** Battery Data Format as CSV: one row a sample, heads with units, positive current charges. Read and written. */
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
 * "Date Time", which the format does not know. Numbers are written in full; an unknown number is an empty cell.
 */
export function encodeBdf(cycling: Cycling, start: string | null = null): string {
  const civil = start === null ? null : readCivilTime(start);
  const heads = ["Test Time / s", "Voltage / V", "Current / A", "Net Capacity / Ah"];
  if (civil !== null) heads.push(civil.zone === "" ? "Date Time" : "Unix Time / s");
  const lines = [heads.join(",")];
  const { time_s, potential_V, current_mA, charge_mAh } = cycling;
  for (let row = 0; row < time_s.length; row++) {
    const cells = [
      numberText(time_s[row]!),
      numberText(potential_V[row]!),
      numberText(current_mA[row]! / 1000),
      numberText(charge_mAh[row]! / 1000),
    ];
    if (civil !== null) cells.push(dateText(later(civil, time_s[row]!)));
    lines.push(cells.join(","));
  }
  lines.push("");
  return lines.join("\n");
}

function numberText(value: number): string {
  return Number.isFinite(value) ? String(value) : "";
}

function dateText(time: CivilTime): string {
  if (Number.isNaN(time.ms)) return "";
  return time.zone === "" ? new Date(time.ms).toISOString().slice(0, -1) : (unixMilliseconds(time) / 1000).toFixed(3);
}
