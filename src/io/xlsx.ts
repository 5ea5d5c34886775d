/**
 * Workbooks of spreadsheets (.xlsx, Office Open XML), sheet by sheet and row by row, cells as text.
 *
 * A zip: xl/workbook.xml names the sheets and their r:id, xl/_rels/workbook.xml.rels says where each lies,
 * xl/sharedStrings.xml holds texts by number, xl/styles.xml the number formats by style (cellXfs). A sheet is rows of
 * <c r="B2" s="style" t="kind"><v>value</v></c>; kind s: a shared text, inlineStr: <is><t>, str: a formula's text,
 * b: 0 or 1, e: an error, d: ISO date, else a number. Dates are numbers (days since 1899-12-30, or since 1904-01-01
 * where the workbook says so) whose style is a format of dates.
 */
import { FormatError } from "../model/errors.js";
import type { ByteSource } from "./bytes.js";
import { civilText, fromOleDays } from "./civil-time.js";
import { crc32, inflated } from "./zip-inflate.js";
import { isZip, readZipDirectory, readZipEntry, unreadEntry, zipDataOffset, type ZipEntry } from "./zip.js";

/** What names sheets, styles and shared texts may have so many bytes each. */
export const XLSX_PART_BYTES = 64 << 20;
/** A sheet may have so many bytes. */
export const XLSX_SHEET_BYTES = 1 << 30;
/** Beyond 16 MiB, no part may have more than so many times its packed bytes: spreadsheets of numbers have 5 to 20. */
export const XLSX_RATIO = 50;
const RATIO_FROM_BYTES = 16 << 20;
/** Cells of all rows that are read, empty ones within a row among them. */
export const XLSX_CELLS = 100_000_000;
/** Cells further to the right are left out. */
export const XLSX_COLUMNS = 1024;
const ROW_CHARACTERS = 1 << 20;

/** A workbook: its sheets in their order. */
export interface Workbook {
  readonly sheets: readonly string[];
  /** The rows of a sheet, cells as text: "" where empty, dates as ISO 8601, durations as h:mm:ss. */
  rows(sheet: string): AsyncGenerator<string[]>;
}

/** Whether a file is a workbook, as the names in its archive tell. */
export async function sniffXlsx(head: Uint8Array, source: ByteSource): Promise<boolean> {
  if (!isZip(head)) return false;
  try {
    return (await readZipDirectory(source))?.some(({ name }) => name === "xl/workbook.xml") ?? false;
  } catch (error) {
    if (error instanceof FormatError) return false;
    throw error;
  }
}

/** Opens a workbook. Throws FormatError where a part of it is missing, damaged, larger than is allowed, or no plain XML. */
export async function openWorkbook(source: ByteSource): Promise<Workbook> {
  const refuse = (what: string): FormatError => new FormatError(`${source.name}: ${what}`, { path: source.name });
  const entries = new Map((await readZipDirectory(source))?.map((entry) => [entry.name.replace(/^\//, ""), entry]));
  const part = async (name: string): Promise<string> => {
    const entry = entries.get(name);
    if (entry === undefined) return "";
    if (swells(entry.size, entry)) throw refuse(`${name} in the workbook claims ${entry.size} bytes. Save it anew.`);
    return plainXml(decode(await readZipEntry(source, entry, XLSX_PART_BYTES)), refuse);
  };
  const workbook = await part("xl/workbook.xml");
  const places = new Map<string, string>();
  for (const { Id, Target } of tags(await part("xl/_rels/workbook.xml.rels"), "Relationship")) {
    if (Id !== undefined && Target !== undefined)
      places.set(Id, Target.startsWith("/") ? Target.slice(1) : `xl/${Target}`);
  }
  const sheets = new Map<string, string>();
  for (const { name, id } of tags(workbook, "sheet")) {
    const place = places.get(id ?? "");
    if (name !== undefined && place !== undefined && entries.has(place)) sheets.set(name, place);
  }
  if (sheets.size === 0) throw refuse("the workbook has no sheet. Export the record as CSV.");
  const context: Context = {
    texts: sharedTexts(await part("xl/sharedStrings.xml")),
    isDate: dateStyles(await part("xl/styles.xml")),
    days1904: /^(1|true)$/.test(tags(workbook, "workbookPr")[0]?.["date1904"] ?? "") ? 1462 : 0,
  };
  let cells = 0;
  return {
    sheets: [...sheets.keys()],
    async *rows(sheet) {
      const entry = entries.get(sheets.get(sheet) ?? "");
      if (entry === undefined) throw refuse(`the workbook has no sheet ${sheet}. Export the record as CSV.`);
      for await (const row of rowTexts(source, entry, refuse)) {
        const found = cellsOf(row, context);
        cells += found.length;
        if (cells > XLSX_CELLS)
          throw refuse(`the workbook has more than ${XLSX_CELLS} cells. Export the record as CSV.`);
        yield found;
      }
    },
  };
}

type Refuse = (what: string) => FormatError;

function swells(bytes: number, { packedSize }: ZipEntry): boolean {
  return bytes > RATIO_FROM_BYTES && bytes > XLSX_RATIO * packedSize;
}

interface Context {
  readonly texts: readonly string[];
  readonly isDate: readonly boolean[];
  readonly days1904: number;
}

function decode(bytes: Uint8Array): string {
  const wide =
    bytes[0] === 0xff && bytes[1] === 0xfe ? "utf-16le" : bytes[0] === 0xfe && bytes[1] === 0xff ? "utf-16be" : "utf-8";
  return new TextDecoder(wide).decode(bytes);
}

/** Entities of a document's own are not looked up: they can be made to swell without end. */
function plainXml(text: string, refuse: Refuse): string {
  if (text.includes("<!DOCTYPE") || text.includes("<!ENTITY")) {
    throw refuse("the workbook's XML declares entities, which are not read. Save it anew, or export it as CSV.");
  }
  return text;
}

/** An element of a document: its attributes as they stand, and what is in it (null where it is empty or only its tag was asked for). */
interface Element {
  readonly attributes: string;
  readonly content: string | null;
  readonly start: number;
  /** Where the text goes on behind it. */
  readonly end: number;
}

/**
 * The next element of a name, whatever its prefix; null where there is none or it does not end. Each character is
 * looked at once, however wrong the document is.
 */
function element(text: string, name: string, from: number, tagOnly = false): Element | null {
  for (let at = text.indexOf("<", from); at >= 0;) {
    const close = text.indexOf(">", at);
    if (close < 0) return null;
    let end = at + 1;
    let local = end;
    for (; end < close && end - at < 80; end++) {
      const code = text.charCodeAt(end);
      if (code <= 32 || code === 47) break;
      if (code === 58) local = end + 1;
    }
    if (end - local === name.length && text.startsWith(name, local)) {
      const isEmpty = text.charCodeAt(close - 1) === 47;
      const attributes = text.slice(end, isEmpty ? close - 1 : close);
      if (isEmpty || tagOnly) return { attributes, content: null, start: at, end: close + 1 };
      const closing = `</${text.slice(at + 1, end)}>`;
      const last = text.indexOf(closing, close);
      if (last < 0) return null;
      return { attributes, content: text.slice(close + 1, last), start: at, end: last + closing.length };
    }
    at = text.indexOf("<", close);
  }
  return null;
}

/** Every element of a name, in order. */
function* elements(text: string, name: string, tagOnly = false): Generator<Element> {
  let found = element(text, name, 0, tagOnly);
  for (; found !== null; found = element(text, name, found.end, tagOnly)) yield found;
}

/** The attributes of every element of a name, without prefixes: r:id is id. */
function tags(xml: string, name: string): Record<string, string | undefined>[] {
  return Array.from(elements(xml, name, true), ({ attributes }) => attributesOf(attributes));
}

function attributesOf(text: string): Record<string, string | undefined> {
  const attributes: Record<string, string | undefined> = Object.create(null) as Record<string, string | undefined>;
  for (const [, key, double, single] of text.matchAll(/(?:[\w.-]+:)?([\w.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)) {
    attributes[key!] = unescaped(double ?? single ?? "");
  }
  return attributes;
}

const named: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

function unescaped(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(
    /&(?:#(\d{1,7})|#x([\da-f]{1,6})|(\w{1,5}));/gi,
    (whole, decimal, hex, name: string | undefined) => {
      if (name !== undefined) return named[name] ?? whole;
      const code = decimal === undefined ? Number.parseInt(String(hex), 16) : Number(decimal);
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    },
  );
}

/** Texts by their number; a text may stand in several runs. */
function sharedTexts(xml: string): string[] {
  return Array.from(elements(xml, "si"), ({ content }) => runsOf(content ?? ""));
}

/** The text of runs, without what tells how it is spoken (rPh). */
function runsOf(xml: string): string {
  let plain = xml;
  if (xml.includes("rPh")) {
    plain = "";
    let from = 0;
    for (const { start, end } of elements(xml, "rPh")) {
      plain += xml.slice(from, start);
      from = end;
    }
    plain += xml.slice(from);
  }
  let text = "";
  for (const { content } of elements(plain, "t")) text += unescaped(content ?? "");
  return text;
}

/** Which styles show a number as a date or a time of day. */
function dateStyles(xml: string): boolean[] {
  const own = new Map<number, string>();
  for (const { numFmtId, formatCode } of tags(xml, "numFmt")) own.set(Number(numFmtId), formatCode ?? "");
  const styles = element(xml, "cellXfs", 0)?.content ?? "";
  return tags(styles, "xf").map(({ numFmtId }) => {
    const id = Number(numFmtId ?? 0);
    const code = own.get(id);
    if (code !== undefined) return isDateFormat(code);
    return (id >= 14 && id <= 22) || (id >= 27 && id <= 36) || (id >= 45 && id <= 47) || (id >= 50 && id <= 58);
  });
}

/** What is quoted, escaped or in brackets (a colour, a currency) is no part of a date; [h], [m] and [s] are. */
function isDateFormat(code: string): boolean {
  const [first] = code.split(";");
  const bare = first!.replace(/"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]/gi, "");
  return !/general/i.test(bare) && /[ymdhs]/i.test(bare);
}

/** The text of each row of a sheet, unpacked as it is wanted. */
async function* rowTexts(source: ByteSource, entry: ZipEntry, refuse: Refuse): AsyncGenerator<string> {
  const unread = unreadEntry(entry);
  if (unread !== null) throw refuse(`${entry.name} in the workbook ${unread}.`);
  const from = await zipDataOffset(source, entry);
  const decoder = new TextDecoder();
  let rest = "";
  let bytes = 0;
  let crc = 0;
  const add = (piece: Uint8Array): void => {
    bytes += piece.length;
    crc = crc32(piece, crc);
    if (bytes > XLSX_SHEET_BYTES || swells(bytes, entry)) {
      throw refuse(`${entry.name} in the workbook swells to more than ${bytes} bytes. Export the record as CSV.`);
    }
    rest += decoder.decode(piece, { stream: true });
  };
  for await (const piece of piecesOf(source, entry, from)) {
    const first = bytes === 0;
    add(piece);
    if (first) plainXml(rest.slice(0, 4096), refuse);
    let done = 0;
    for (const { content, end } of elements(rest, "row")) {
      if (content !== null) yield content;
      done = end;
    }
    rest = rest.slice(done);
    if (rest.length > ROW_CHARACTERS + piece.length) {
      // Much else may stand before the first row and behind the last; a single row is never so long.
      const row = element(rest, "row", 0, true);
      if (row !== null && row.start < rest.length - ROW_CHARACTERS) {
        throw refuse(
          `${entry.name} in the workbook has a row of more than ${ROW_CHARACTERS} characters. Export the record as CSV.`,
        );
      }
      rest = rest.slice(row === null ? -1024 : row.start);
    }
  }
  if (bytes !== entry.size || crc !== entry.crc32) {
    throw refuse(
      `${entry.name} in the workbook is damaged: its length or checksum is not the one stored. Copy it again.`,
    );
  }
}

async function* piecesOf(source: ByteSource, entry: ZipEntry, from: number): AsyncGenerator<Uint8Array> {
  if (entry.method === 8) {
    yield* inflated(source, from, from + entry.packedSize);
    return;
  }
  for (let at = 0; at < entry.packedSize; at += 1 << 20) {
    const piece = new Uint8Array(Math.min(1 << 20, entry.packedSize - at));
    await source.read(from + at, piece);
    yield piece;
  }
}

function cellsOf(row: string, context: Context): string[] {
  const cells: string[] = [];
  let next = 0;
  for (const { attributes, content } of elements(row, "c")) {
    const reference = /\sr="([A-Z]{1,3})\d*"/.exec(attributes)?.[1];
    const column = reference === undefined ? next : columnOf(reference);
    next = column + 1;
    if (column >= XLSX_COLUMNS || content === null) continue;
    const text = cellText(attributes, content, context);
    if (text === "") continue;
    while (cells.length < column) cells.push("");
    cells[column] = text;
  }
  return cells;
}

function columnOf(letters: string): number {
  let column = 0;
  for (let at = 0; at < letters.length; at++) column = 26 * column + letters.charCodeAt(at) - 64;
  return column - 1;
}

function cellText(attributes: string, content: string, { texts, isDate, days1904 }: Context): string {
  const kind = /\st="(\w+)"/.exec(attributes)?.[1] ?? "n";
  if (kind === "inlineStr") return runsOf(content);
  const value = unescaped(element(content, "v", 0)?.content ?? "");
  if (kind === "s") return texts[Number(value)] ?? "";
  if (kind === "e") return "";
  if (kind !== "n" || value === "") return value;
  const style = /\ss="(\d+)"/.exec(attributes)?.[1];
  if (style === undefined || isDate[Number(style)] !== true) return value;
  const days = Number(value);
  if (!Number.isFinite(days) || Math.abs(days) > 2_958_466) return value;
  // No cycler is older than 1954; what is shorter is a duration.
  return days + days1904 >= 20_000 ? civilText(fromOleDays(days + days1904)) : durationText(days);
}

function durationText(days: number): string {
  const ms = Math.round(days * 86_400_000);
  const digits = (value: number, width: number): string => String(Math.floor(value)).padStart(width, "0");
  const clock = `${digits(ms / 3_600_000, 1)}:${digits((ms / 60_000) % 60, 2)}:${digits((ms / 1000) % 60, 2)}`;
  return ms % 1000 === 0 ? clock : `${clock}.${digits(ms % 1000, 3)}`;
}
