/**
 * Tables of a Microsoft Jet 4 database (.mdb under any name, Arbin's .res among them; .accdb has the same pages).
 *
 * Pages of 4096 bytes. Page 0: 00 01 00 00 "Standard Jet DB" or "Standard ACE DB", u8 version at 0x14 (0 is Jet 3,
 * with other pages); from 0x18 128 bytes ciphered by RC4 with the key C7 DA 39 6B, in them at 0x3E a u32 that is not
 * zero where the other pages are ciphered too, each by RC4 with that number XOR its own.
 * Definition of a table: u8 2; u32@4 page on which it goes on (without that page's first 8 bytes); u32@16 rows,
 * u16@43 columns of varying length, u16@45 columns, u32@51 indexes; from 63 on 12 bytes an index, then 25 bytes a
 * column: u8@0 type, u16@5 number, u16@7 place among those of varying length, u8@15 flags (bit 0 fixed length), u16@21
 * offset, u16@23 length; then the names, u16 bytes and UTF-16 each. The catalogue MSysObjects is defined on page 2.
 * Rows: u8 1; u32@4 page of the definition, u16@12 rows, u16 an offset each (0x4000: deleted, or moved elsewhere; the
 * rest is 13 bits), filled from the page's end. A row: u16 columns, fixed fields, varying fields, u16 offset of the
 * end of those, their offsets backwards, u16 their number, one bit a column that is set where it is not null.
 *
 * Every page says whose it is, so all of them are looked at once in the order of the file and no index is believed:
 * a file that was cut gives the rows that it still has.
 * Layout after mdbtools' HACKING.md and the Jackcess project, which describe it independently.
 */
import { FormatError } from "../model/errors.js";
import { readBytes, type ByteSource } from "./bytes.js";

const PAGE = 4096;
const PAGES_AT_ONCE = 256;
const CATALOGUE = 2;
/** A definition may go on over so many pages: 255 columns fill fewer. */
const DEFINITION_PAGES = 64;
const MAX_COLUMNS = 255;
/** No database of Jet is larger (2 GiB): what is, is none. */
export const JET_BYTES = 2 ** 31;
/** Tables of a database that are looked into. */
export const JET_TABLES = 10_000;

/** A field of a row; dates are days since 1899-12-30. Null too for kinds that are not read (memos, objects). */
export type JetValue = number | string | boolean | null;

/** A column of a table. */
export interface JetColumn {
  readonly name: string;
  readonly type: number;
  readonly number: number;
  readonly isFixed: boolean;
  /** Of a fixed field in a row; of another among its kind. */
  readonly place: number;
  readonly length: number;
}

/** A table as its definition tells it. */
export interface JetTable {
  readonly name: string;
  /** Of its definition. */
  readonly page: number;
  /** Rows that it should have. */
  readonly rows: number;
  readonly columns: readonly JetColumn[];
}

/** What is wanted of a table, and who takes it: fields in the order of the columns asked for. */
export interface JetWish {
  readonly table: JetTable;
  readonly columns: readonly string[];
  take(fields: readonly JetValue[]): void;
}

/** A database whose tables are known. */
export interface JetDatabase {
  /** Names of its tables, those of the system left out. */
  readonly names: readonly string[];
  /** The definition of a table. Throws FormatError where it is damaged or lies behind a cut. */
  table(name: string): Promise<JetTable>;
  /** Goes through the whole file once and hands out the rows of some tables, as they lie. Gives the rows that were damaged. */
  rows(wishes: readonly JetWish[]): Promise<number>;
}

/** Whether a file begins as a database of Jet or ACE. */
export function sniffJet(head: Uint8Array): boolean {
  const text = String.fromCharCode(...head.subarray(4, 19));
  return head[0] === 0 && head[1] === 1 && (text === "Standard Jet DB" || text === "Standard ACE DB");
}

/** Opens a database. Throws FormatError for Jet 3, over JET_BYTES, where it is cut before its catalogue, or damaged in it. */
export async function openJet(source: ByteSource): Promise<JetDatabase> {
  const refuse = (what: string, offset?: number): FormatError =>
    new FormatError(`${source.name}: ${what}`, { path: source.name, ...(offset === undefined ? {} : { offset }) });
  const first = await readBytes(source, 0, PAGE);
  if (first[0x14] === 0) {
    throw refuse(
      "is a database of Jet 3 (Access 97), which is not read. Convert it by a later Access, or export the run as CSV.",
    );
  }
  if (first.length < PAGE) {
    throw refuse(`the database was cut after ${first.length} bytes, within its first page. Copy the file again.`);
  }
  if (source.size > JET_BYTES) {
    throw refuse(`has ${source.size} bytes, and no Jet database has more than ${JET_BYTES}. Export the run as CSV.`);
  }
  const header = rc4(Uint8Array.of(0xc7, 0xda, 0x39, 0x6b), first.subarray(0x18, 0x98));
  const cipher = new DataView(header.buffer).getUint32(0x3e - 0x18, true);
  const decipher = (page: Uint8Array, number: number): Uint8Array => {
    if (cipher === 0) return page;
    const key = new Uint8Array(4);
    new DataView(key.buffer).setUint32(0, (cipher ^ number) >>> 0, true);
    return rc4(key, page);
  };
  const pages = Math.floor(source.size / PAGE);
  const pageOf = async (number: number): Promise<Uint8Array> =>
    decipher(await readBytes(source, number * PAGE, PAGE), number);

  const define = async (name: string, start: number): Promise<JetTable> => {
    const wrong = (what: string): FormatError =>
      refuse(
        `the definition of the table ${name} ${what} (page ${start}). Copy the file again or export the run as CSV.`,
        start * PAGE,
      );
    const parts: Uint8Array[] = [];
    for (let number = start; number !== 0;) {
      if (number >= pages) {
        throw refuse(
          `the database was cut after ${source.size} bytes, before the definition of its table ${name} (page ${number}). Copy the file again.`,
          source.size,
        );
      }
      if (parts.length === DEFINITION_PAGES) throw wrong(`goes on over more than ${DEFINITION_PAGES} pages`);
      const page = await pageOf(number);
      if (page[0] !== 2) throw wrong(`is none: its page is of kind ${page[0]}`);
      number = viewOf(page).getUint32(4, true);
      parts.push(parts.length === 0 ? page : page.subarray(8));
    }
    const columns = columnsOf(joined(parts));
    if (columns === null) throw wrong("is damaged");
    return { name, page: start, rows: viewOf(parts[0]!).getUint32(16, true), columns };
  };

  const rows = async (wishes: readonly JetWish[]): Promise<number> => {
    const takers = new Map(wishes.map((wish) => [wish.table.page, takerOf(wish)]));
    let broken = 0;
    for (let number = 1; number < pages; number += PAGES_AT_ONCE) {
      const block = await readBytes(source, number * PAGE, Math.min(PAGES_AT_ONCE, pages - number) * PAGE);
      for (let at = 0; at + PAGE <= block.length; at += PAGE) {
        const page = decipher(block.subarray(at, at + PAGE), number + at / PAGE);
        if (page[0] !== 1) continue;
        const take = takers.get(viewOf(page).getUint32(4, true));
        if (take !== undefined) broken += take(page);
      }
    }
    return broken;
  };

  const found = new Map<string, number>();
  const catalogue = await define("MSysObjects", CATALOGUE);
  let listed = 0;
  await rows([
    {
      table: catalogue,
      columns: ["Id", "Name", "Type"],
      take([id, name, type]) {
        listed++;
        if (typeof id !== "number" || typeof name !== "string" || typeof type !== "number") return;
        if ((type & 0x7f) === 1 && !name.startsWith("MSys") && found.size < JET_TABLES) found.set(name, id & 0xff_ffff);
      },
    },
  ]);
  if (listed === 0) {
    throw refuse(
      `the database was cut after ${source.size} bytes: its catalogue of tables is missing. Copy the file again.`,
    );
  }
  return {
    names: [...found.keys()],
    async table(name) {
      const page = found.get(name);
      if (page === undefined) throw refuse(`the database has no table ${name}. Export the run as CSV.`);
      return define(name, page);
    },
    rows,
  };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The columns of a definition; null where it is damaged. */
function columnsOf(definition: Uint8Array): JetColumn[] | null {
  const view = viewOf(definition);
  const count = view.getUint16(45, true);
  const from = 63 + 12 * view.getUint32(51, true);
  let name = from + 25 * count;
  if (count > MAX_COLUMNS || name > definition.length) return null;
  const columns: JetColumn[] = [];
  for (let index = 0; index < count; index++) {
    const at = from + 25 * index;
    if (name + 2 > definition.length) return null;
    const bytes = view.getUint16(name, true);
    if (name + 2 + bytes > definition.length) return null;
    const isFixed = (definition[at + 15]! & 1) !== 0;
    columns.push({
      name: textOf(definition.subarray(name + 2, name + 2 + bytes)),
      type: definition[at]!,
      number: view.getUint16(at + 5, true),
      isFixed,
      place: view.getUint16(at + (isFixed ? 21 : 7), true),
      length: view.getUint16(at + 23, true),
    });
    name += 2 + bytes;
  }
  return columns;
}

/** UTF-16, or after FF FE one byte a character, where a zero changes between the two. */
function textOf(bytes: Uint8Array): string {
  if (bytes[0] !== 0xff || bytes[1] !== 0xfe) return new TextDecoder("utf-16le").decode(bytes);
  let text = "";
  let isShort = true;
  for (let at = 2; at < bytes.length;) {
    if (bytes[at] === 0) {
      isShort = !isShort;
      at++;
    } else if (isShort) text += String.fromCharCode(bytes[at++]!);
    else {
      text += String.fromCharCode(bytes[at]! | ((bytes[at + 1] ?? 0) << 8));
      at += 2;
    }
  }
  return text;
}

const BOOLEAN = 1;
const TEXT = 10;

/** How a fixed field of a type is read, and its bytes; types not named here are not read. */
const fixed = new Map<number, { readonly bytes: number; read(view: DataView, at: number): number }>([
  [2, { bytes: 1, read: (view, at) => view.getUint8(at) }],
  [3, { bytes: 2, read: (view, at) => view.getInt16(at, true) }],
  [4, { bytes: 4, read: (view, at) => view.getInt32(at, true) }],
  [5, { bytes: 8, read: (view, at) => Number(view.getBigInt64(at, true)) / 1e4 }],
  [6, { bytes: 4, read: (view, at) => view.getFloat32(at, true) }],
  [7, { bytes: 8, read: (view, at) => view.getFloat64(at, true) }],
  [8, { bytes: 8, read: (view, at) => view.getFloat64(at, true) }],
  [19, { bytes: 8, read: (view, at) => Number(view.getBigInt64(at, true)) }],
]);

/** Reads the rows of one page; gives how many of them are damaged. */
function takerOf({ table, columns, take }: JetWish): (page: Uint8Array) => number {
  const readers = columns.map((name) => {
    const column = table.columns.find((each) => each.name === name);
    return column === undefined ? null : fieldReader(column);
  });
  return (page) => {
    const view = viewOf(page);
    const count = view.getUint16(12, true);
    if (14 + 2 * count > PAGE) return 1;
    let broken = 0;
    let end = PAGE;
    for (let index = 0; index < count; index++) {
      const entry = view.getUint16(14 + 2 * index, true);
      const start = entry & 0x1fff;
      const row: Row = { page, view, start, end };
      end = start;
      if ((entry & 0x4000) !== 0) continue;
      const isSound = start >= 14 + 2 * count && row.end - start >= 3 && row.end <= PAGE;
      const numbered = isSound ? view.getUint16(start, true) : 0;
      if (!isSound || numbered > MAX_COLUMNS || start + 2 + ((numbered + 7) >> 3) > row.end) {
        broken++;
        continue;
      }
      take(readers.map((read) => (read === null ? null : read(row, numbered))));
    }
    return broken;
  };
}

interface Row {
  readonly page: Uint8Array;
  readonly view: DataView;
  /** Where it begins, and where the one before it does. */
  readonly start: number;
  readonly end: number;
}

function fieldReader({ type, number, isFixed, place }: JetColumn): ((row: Row, numbered: number) => JetValue) | null {
  const kind = fixed.get(type);
  if (kind === undefined && type !== BOOLEAN && type !== TEXT) return null;
  return ({ page, view, start, end }, numbered) => {
    const mask = end - ((numbered + 7) >> 3);
    // A row that was written before the column was added has fewer.
    const isThere = number < numbered && (page[mask + (number >> 3)]! & (1 << (number & 7))) !== 0;
    if (type === BOOLEAN) return isThere;
    if (!isThere) return null;
    if (isFixed) {
      const at = start + 2 + place;
      return kind !== undefined && at + kind.bytes <= mask ? kind.read(view, at) : null;
    }
    if (mask - 4 < start + 2 || place >= view.getUint16(mask - 2, true)) return null;
    const last = mask - 4 - 2 * (place + 1);
    if (last < start + 2) return null;
    const from = start + view.getUint16(last + 2, true);
    const to = start + view.getUint16(last, true);
    return type === TEXT && from >= start + 2 && from <= to && to <= mask ? textOf(page.subarray(from, to)) : null;
  };
}

/** The cipher RC4, which undoes itself. */
function rc4(key: Uint8Array, data: Uint8Array): Uint8Array {
  const state = Uint8Array.from({ length: 256 }, (_, at) => at);
  const swap = (a: number, b: number): void => {
    [state[a], state[b]] = [state[b]!, state[a]!];
  };
  for (let at = 0, other = 0; at < 256; at++) {
    other = (other + state[at]! + key[at % key.length]!) & 255;
    swap(at, other);
  }
  const out = new Uint8Array(data.length);
  for (let at = 0, index = 0, other = 0; at < data.length; at++) {
    index = (index + 1) & 255;
    other = (other + state[index]!) & 255;
    swap(index, other);
    out[at] = data[at]! ^ state[(state[index]! + state[other]!) & 255]!;
  }
  return out;
}
