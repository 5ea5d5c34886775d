/** Jet 4 databases of our own making, with what an independent reader needs to find its way in them. */

export type JetType = "boolean" | "byte" | "integer" | "long" | "money" | "float" | "double" | "date" | "text";
export type JetField = number | string | boolean | null;

export interface BuiltTable {
  readonly name: string;
  readonly columns: readonly (readonly [name: string, type: JetType])[];
  readonly rows: readonly (readonly JetField[])[];
  /** Rows a page, at most; as many as fit. */
  readonly rowsAPage?: number;
  /** Rows by their number that are marked as deleted, or as moved in from elsewhere. */
  readonly deleted?: readonly number[];
  readonly movedIn?: readonly number[];
}

const PAGE = 4096;
const codes: Readonly<Record<JetType, number>> = {
  boolean: 1,
  byte: 2,
  integer: 3,
  long: 4,
  money: 5,
  float: 6,
  double: 7,
  date: 8,
  text: 10,
};
const widths: Readonly<Record<JetType, number>> = {
  boolean: 0,
  byte: 1,
  integer: 2,
  long: 4,
  money: 8,
  float: 4,
  double: 8,
  date: 8,
  text: 0,
};

/** A database; data pages of its tables lie between each other, `cipher` is not zero where pages are ciphered. */
export function buildJet(tables: readonly BuiltTable[], { cipher = 0, ace = false } = {}): Uint8Array {
  const definitions = tables.map((_, at) => 3 + at);
  const catalogue: BuiltTable = {
    name: "MSysObjects",
    columns: [
      ["Id", "long"],
      ["Name", "text"],
      ["Type", "integer"],
      ["Flags", "long"],
    ],
    rows: [
      [2, "MSysObjects", 1, -2147483646],
      ...tables.map(({ name }, at): JetField[] => [definitions[at]!, name, 1, 0]),
      [99, "Form", -32768, 0],
    ],
  };
  const all = [catalogue, ...tables];
  const owners = [2, ...definitions];
  const queues = all.map((table) => dataPages(table));
  const pages: Uint8Array[] = [new Uint8Array(PAGE), new Uint8Array(PAGE)];
  const used = all.map((): number[] => []);
  for (const [at, table] of all.entries()) pages.push(definitionPage(table, at));
  for (let round = 0; queues.some((queue) => round < queue.length); round++) {
    for (const [at, queue] of queues.entries()) {
      const page = queue[round];
      if (page === undefined) continue;
      viewOf(page).setUint32(4, owners[at]!, true);
      used[at]!.push(pages.length);
      pages.push(page);
    }
  }
  pages[1] = rowPage(used.map(usageMap), 1, () => 0);
  const header = pages[0]!;
  header.set([0, 1, 0, 0, ...letters(`Standard ${ace ? "ACE" : "Jet"} DB`), 0, ace ? 2 : 1]);
  viewOf(header).setUint32(0x3e, cipher, true);
  header.set(rc4(Uint8Array.of(0xc7, 0xda, 0x39, 0x6b), header.slice(0x18, 0x98)), 0x18);
  const bytes = new Uint8Array(pages.length * PAGE);
  for (const [number, page] of pages.entries()) {
    const key = new Uint8Array(4);
    viewOf(key).setUint32(0, (cipher ^ number) >>> 0, true);
    bytes.set(cipher === 0 || number === 0 ? page : rc4(key, page), number * PAGE);
  }
  return bytes;
}

function letters(text: string): number[] {
  return [...text].map((letter) => letter.charCodeAt(0));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function utf16(text: string): Uint8Array {
  const bytes = new Uint8Array(2 * text.length);
  for (let at = 0; at < text.length; at++) viewOf(bytes).setUint16(2 * at, text.charCodeAt(at), true);
  return bytes;
}

/** Pages by a bit each, from page 0. */
function usageMap(pages: readonly number[]): Uint8Array {
  const map = new Uint8Array(5 + 64);
  for (const page of pages) map[5 + (page >> 3)]! |= 1 << (page & 7);
  return map;
}

function definitionPage(table: BuiltTable, order: number): Uint8Array {
  const page = new Uint8Array(PAGE);
  const view = viewOf(page);
  const { columns, rows } = table;
  page.set([2, 1, 0x56, 0x43]);
  view.setUint32(16, rows.length, true);
  page[40] = order === 0 ? 0x53 : 0x4e;
  view.setUint16(41, columns.length, true);
  view.setUint16(43, columns.filter(([, type]) => type === "text").length, true);
  view.setUint16(45, columns.length, true);
  view.setUint32(55, (1 << 8) | order, true);
  view.setUint32(59, (1 << 8) | order, true);
  let name = 63 + 25 * columns.length;
  let place = 0;
  let varying = 0;
  for (const [number, [title, type]] of columns.entries()) {
    const at = 63 + 25 * number;
    page[at] = codes[type];
    view.setUint16(at + 5, number, true);
    view.setUint16(at + 7, type === "text" ? varying++ : 0, true);
    page[at + 15] = type === "text" ? 2 : 3;
    view.setUint16(at + 21, place, true);
    view.setUint16(at + 23, type === "text" ? 255 : widths[type], true);
    place += widths[type];
    const text = utf16(title);
    view.setUint16(name, text.length, true);
    page.set(text, name + 2);
    name += 2 + text.length;
  }
  view.setUint32(8, name, true);
  return page;
}

function dataPages(table: BuiltTable): Uint8Array[] {
  const flag = (row: number): number =>
    table.deleted?.includes(row) ? 0xc000 : table.movedIn?.includes(row) ? 0x8000 : 0;
  const pages: Uint8Array[] = [];
  let batch: Uint8Array[] = [];
  let first = 0;
  const flush = (): void => {
    if (batch.length === 0) return;
    const from = first;
    pages.push(rowPage(batch, 0, (row) => flag(from + row)));
    first += batch.length;
    batch = [];
  };
  for (const row of table.rows) {
    const bytes = rowBytes(table, row);
    const size = batch.reduce((sum, each) => sum + each.length + 2, 14);
    if (size + bytes.length + 2 > PAGE || batch.length === (table.rowsAPage ?? 1000)) flush();
    batch.push(bytes);
  }
  flush();
  return pages;
}

function rowPage(rows: readonly Uint8Array[], owner: number, flag: (row: number) => number): Uint8Array {
  const page = new Uint8Array(PAGE);
  const view = viewOf(page);
  page.set([1, 1]);
  view.setUint32(4, owner, true);
  view.setUint16(12, rows.length, true);
  let end = PAGE;
  for (const [index, row] of rows.entries()) {
    end -= row.length;
    page.set(row, end);
    view.setUint16(14 + 2 * index, end | flag(index), true);
  }
  return page;
}

function rowBytes({ columns }: BuiltTable, row: readonly JetField[]): Uint8Array {
  const head = new Uint8Array(2 + columns.reduce((sum, [, type]) => sum + widths[type], 0));
  const view = viewOf(head);
  view.setUint16(0, columns.length, true);
  const mask = new Uint8Array((columns.length + 7) >> 3);
  const texts: Uint8Array[] = [];
  let at = 2;
  for (const [number, [, type]] of columns.entries()) {
    const value = row[number] ?? null;
    if (value !== null && value !== false) mask[number >> 3]! |= 1 << (number & 7);
    if (type === "text") texts.push(typeof value === "string" ? packedText(value) : new Uint8Array());
    else if (typeof value === "number") put(view, at, type, value);
    at += widths[type];
  }
  const parts: Uint8Array[] = [head, ...texts];
  if (columns.some(([, type]) => type === "text")) {
    const offsets = [head.length];
    for (const text of texts) offsets.push(offsets.at(-1)! + text.length);
    const table = new Uint8Array(2 * offsets.length + 2);
    for (const [index, offset] of offsets.toReversed().entries()) viewOf(table).setUint16(2 * index, offset, true);
    viewOf(table).setUint16(2 * offsets.length, texts.length, true);
    parts.push(table);
  }
  return Uint8Array.from([...parts, mask].flatMap((part) => [...part]));
}

/** Latin letters by one byte each, as Jet does where it can. */
function packedText(text: string): Uint8Array {
  const isLatin = text.length > 1 && [...text].every((letter) => letter > "\0" && letter <= "\u00ff");
  return isLatin ? Uint8Array.from([0xff, 0xfe, ...letters(text)]) : utf16(text);
}

function put(view: DataView, at: number, type: JetType, value: number): void {
  if (type === "byte") view.setUint8(at, value);
  else if (type === "integer") view.setInt16(at, value, true);
  else if (type === "long") view.setInt32(at, value, true);
  else if (type === "money") view.setBigInt64(at, BigInt(Math.round(value * 1e4)), true);
  else if (type === "float") view.setFloat32(at, value, true);
  else view.setFloat64(at, value, true);
}

function rc4(key: Uint8Array, data: Uint8Array): Uint8Array {
  const box = Array.from({ length: 256 }, (_, at) => at);
  for (let i = 0, j = 0; i < 256; i++) {
    j = (j + box[i]! + key[i % key.length]!) % 256;
    [box[i], box[j]] = [box[j]!, box[i]!];
  }
  let i = 0;
  let j = 0;
  return data.map((byte) => {
    i = (i + 1) % 256;
    j = (j + box[i]!) % 256;
    [box[i], box[j]] = [box[j]!, box[i]!];
    return byte ^ box[(box[i]! + box[j]!) % 256]!;
  });
}
