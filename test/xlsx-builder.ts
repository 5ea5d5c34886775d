/** Workbooks of our own making: sheets of rows of cells. */
import { zipSync, type Zippable } from "fflate";

/** A number, a text (shared), a text in its place, a date or duration in days with a style of dates, or nothing. */
export type Cell = number | string | { readonly inline: string } | { readonly days: number } | null;

export interface BuiltSheet {
  readonly name: string;
  readonly rows: readonly (readonly Cell[])[];
}

const letters = (text: string): Uint8Array => new TextEncoder().encode(text);
const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

/** A workbook; `prefix` goes before every element of its sheets, `date1904` counts days from 1904. */
export function buildXlsx(
  sheets: readonly BuiltSheet[],
  { prefix = "", date1904 = false, more = {} }: { prefix?: string; date1904?: boolean; more?: Zippable } = {},
): Uint8Array {
  const texts: string[] = [];
  const shared = (text: string): number => {
    if (!texts.includes(text)) texts.push(text);
    return texts.indexOf(text);
  };
  const column = (at: number): string =>
    at < 26 ? String.fromCharCode(65 + at) : `${column(Math.floor(at / 26) - 1)}${column(at % 26)}`;
  const cellXml = (cell: Cell, row: number, at: number): string => {
    if (cell === null) return "";
    const place = `r="${column(at)}${row + 1}"`;
    if (typeof cell === "number") return `<${prefix}c ${place}><${prefix}v>${cell}</${prefix}v></${prefix}c>`;
    if (typeof cell === "string") {
      return `<${prefix}c ${place} s="0" t="s"><${prefix}v>${shared(cell)}</${prefix}v></${prefix}c>`;
    }
    if ("days" in cell) return `<${prefix}c ${place} s="1"><${prefix}v>${cell.days}</${prefix}v></${prefix}c>`;
    return `<${prefix}c ${place} t="inlineStr"><${prefix}is><${prefix}t>${escaped(cell.inline)}</${prefix}t></${prefix}is></${prefix}c>`;
  };
  const files: Zippable = {
    "[Content_Types].xml": letters("<Types/>"),
    "xl/workbook.xml": letters(
      `<?xml version="1.0"?><workbook xmlns:r="r"><workbookPr date1904="${date1904 ? 1 : 0}"/><sheets>${sheets
        .map(({ name }, at) => `<sheet name="${escaped(name)}" sheetId="${at + 5}" r:id="rId${at + 1}"/>`)
        .join("")}</sheets></workbook>`,
    ),
    "xl/_rels/workbook.xml.rels": letters(
      `<Relationships>${sheets
        .map(
          (_, at) => `<Relationship Id="rId${at + 1}" Target="${at % 2 ? "/xl/" : ""}worksheets/sheet${at + 1}.xml"/>`,
        )
        .join("")}</Relationships>`,
    ),
    "xl/styles.xml": letters(
      '<styleSheet><numFmts><numFmt numFmtId="165" formatCode="[Red]mm/dd/yyyy\\ hh:mm:ss.000"/></numFmts>' +
        '<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="165"><a/></xf></cellXfs></styleSheet>',
    ),
  };
  for (const [at, { rows }] of sheets.entries()) {
    const xml = rows.map((cells, row) => {
      const inner = cells.map((cell, place) => cellXml(cell, row, place)).join("");
      return inner === "" ? `<${prefix}row r="${row + 1}"/>` : `<${prefix}row r="${row + 1}">${inner}</${prefix}row>`;
    });
    files[`xl/worksheets/sheet${at + 1}.xml`] = letters(
      `<?xml version="1.0"?><${prefix}worksheet><${prefix}sheetData>${xml.join("")}</${prefix}sheetData></${prefix}worksheet>`,
    );
  }
  files["xl/sharedStrings.xml"] = letters(
    `<sst>${texts.map((text) => `<si><r><t>${escaped(text.slice(0, 1))}</t></r><rPh><t>no</t></rPh><r><t xml:space="preserve">${escaped(text.slice(1))}</t></r></si>`).join("")}</sst>`,
  );
  return zipSync({ ...files, ...more });
}
