/** Text files as instruments write them: encodings, lines, decimal marks. */
import type { ByteSource } from "./bytes.js";

/** How a text file's bytes stand for characters. */
export type Encoding = "utf-8" | "utf-16le" | "utf-16be" | "windows-1252" | "gb18030";

/**
 * Tells the encoding from a file's first bytes: a byte order mark, zero bytes in turn, valid UTF-8, the words of a
 * cycler's columns in Chinese (GBK), else cp1252.
 */
export function sniffEncoding(head: Uint8Array): Encoding {
  if (head[0] === 0xff && head[1] === 0xfe) return "utf-16le";
  if (head[0] === 0xfe && head[1] === 0xff) return "utf-16be";
  const length = Math.min(head.length, 1024) & ~1;
  let even = 0;
  let odd = 0;
  for (let at = 0; at < length; at += 2) {
    if (head[at] === 0) even++;
    if (head[at + 1] === 0) odd++;
  }
  if (odd > length / 4 && even === 0) return "utf-16le";
  if (even > length / 4 && odd === 0) return "utf-16be";
  try {
    // In streaming mode a character that the head cuts is no error.
    new TextDecoder("utf-8", { fatal: true }).decode(head, { stream: true });
    return "utf-8";
  } catch {
    const chinese = new TextDecoder("gb18030").decode(head.subarray(0, 1 << 16), { stream: true });
    return /电压|电流|时间|工步|循环/.test(chinese) ? "gb18030" : "windows-1252";
  }
}

/**
 * Whether a file's first bytes are text, in any of the encodings: no zero, and no control bytes but tabs and line ends.
 * In a text of several lines one in two hundred may be another: cyclers leave stray bytes in names that were cut.
 */
export function looksLikeText(head: Uint8Array): boolean {
  if (head.length === 0) return false;
  const start = new TextDecoder(sniffEncoding(head)).decode(head.subarray(0, 4096), { stream: true });
  let strange = 0;
  let lines = 0;
  for (let at = 0; at < start.length; at++) {
    const code = start.charCodeAt(at);
    if (code >= 32 || code === 9 || code === 12 || code === 26) continue;
    if (code === 10 || code === 13) lines++;
    else if (code === 0) return false;
    else strange++;
  }
  return strange === 0 || (lines >= 5 && 200 * strange < start.length);
}

/** The lines of a file's first bytes, without line ends; the last one may be cut. */
export function headLines(head: Uint8Array): string[] {
  return linesOf(new TextDecoder(sniffEncoding(head)).decode(head, { stream: true }));
}

/** Lines that follow each other in a file. */
export interface LineBatch {
  readonly lines: readonly string[];
  /** False where the last line is the file's last and has no line end: it may be cut. */
  readonly ended: boolean;
}

const BATCH_BYTES = 1 << 22;

/** A file's lines in order, some megabytes at a time, without line ends. */
export async function* textLines(
  source: ByteSource,
  encoding: Encoding,
  signal?: AbortSignal,
): AsyncGenerator<LineBatch> {
  const decoder = new TextDecoder(encoding);
  const bytes = new Uint8Array(Math.min(BATCH_BYTES, source.size));
  let rest = "";
  let offset = 0;
  for (let last = false; !last;) {
    const got = await source.read(offset, bytes, signal);
    offset += got;
    last = got === 0 || offset >= source.size;
    const text = rest + decoder.decode(bytes.subarray(0, got), { stream: !last });
    const end = last ? text.length : lineEndBefore(text);
    rest = text.slice(end);
    const lines = linesOf(text.slice(0, end));
    const ended = lines.at(-1) === "";
    if (ended) lines.pop();
    if (lines.length > 0) yield { lines, ended };
  }
}

// A carriage return at the very end may be half of a line end.
function lineEndBefore(text: string): number {
  const feed = text.lastIndexOf("\n") + 1;
  return feed > 0 ? feed : text.lastIndexOf("\r", text.length - 2) + 1;
}

function linesOf(text: string): string[] {
  if (!text.includes("\r")) return text.split("\n");
  return text.split(/\r\n|\n|\r/);
}

const withComma = /^\s*[-+]?\d+,\d+(?:e[-+]?\d+)?\s*$/i;
const withDot = /^\s*[-+]?\d*\.\d+(?:e[-+]?\d+)?\s*$/i;

/** Whether numbers in these cells have a decimal comma: more of them with a comma than with a point. */
export function hasDecimalComma(cells: Iterable<string>): boolean {
  let commas = 0;
  let points = 0;
  for (const cell of cells) {
    if (withComma.test(cell)) commas++;
    else if (withDot.test(cell)) points++;
  }
  return commas > points;
}

/** A cell as a number, with or without marks between thousands; NaN where it is empty or no number. */
export function numberOf(cell: string | undefined, decimalComma: boolean): number {
  if (cell === undefined) return NaN;
  const text = decimalComma ? cell.replace(",", ".") : cell;
  const value = Number(text);
  if (Number.isNaN(value)) return groupedNumber(cell, decimalComma);
  // Number() takes blanks for 0.
  return value === 0 && text.trim() === "" ? NaN : value;
}

const groupedByComma = /^\s*[-+]?\d{1,3}([,'’ \u00a0\u202f])\d{3}(?:\1\d{3})*(?:\.\d+)?\s*$/;
const groupedByPoint = /^\s*[-+]?\d{1,3}([.'’ \u00a0\u202f])\d{3}(?:\1\d{3})*(?:,\d+)?\s*$/;

/** "1,234,567.8", or "1.234.567,8" where the comma is the decimal mark; NaN for anything else. */
function groupedNumber(cell: string, decimalComma: boolean): number {
  const mark = (decimalComma ? groupedByPoint : groupedByComma).exec(cell)?.[1];
  if (mark === undefined) return NaN;
  const plain = cell.trim().replaceAll(mark, "");
  return Number(decimalComma ? plain.replace(",", ".") : plain);
}

/** "1:02:03.5", "26:00:00", "1d 02:03:04", "1-02:03:04" or "10:50:00 PM" in seconds; NaN where it is no such thing. */
export function clockSeconds(cell: string | undefined): number {
  const match = /^\s*(?:(\d+)\s*(?:d|days?,?|\.|-)\s*)?(\d+):(\d{1,2}):(\d{1,2}(?:[.,]\d+)?)\s*([ap]m)?\s*$/i.exec(
    cell ?? "",
  );
  if (match === null) return NaN;
  const [, days, hours, minutes, seconds, half] = match;
  const hour = half === undefined ? Number(hours) : (Number(hours) % 12) + (half.toLowerCase() === "pm" ? 12 : 0);
  return 86400 * Number(days ?? 0) + 3600 * hour + 60 * Number(minutes) + Number(seconds!.replace(",", "."));
}

/** The file's own name, without its folders. */
export function baseName(name: string): string {
  return name.replace(/[/\\]+$/, "").replace(/^.*[/\\]/, "");
}
