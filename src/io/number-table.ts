/** Rows of text gathered into typed columns, with the broken ones counted. */
import { FormatError } from "../model/errors.js";
import { baseName } from "./text.js";

/** One column to gather. */
export interface WantedColumn {
  /** Place of the cell in a row. */
  readonly at: number;
  /** The cell as a number; NaN where it is none. */
  readonly read: (cell: string | undefined) => number;
  /** Rows in which this one is not finite are dropped. */
  readonly needed: boolean;
}

/** Gathers rows; grows as they come. */
export interface NumberTable {
  /** Takes one row's cells; `line` counts from 1 in the file. Gives false where the row is dropped as broken. */
  add(cells: readonly string[], line: number): boolean;
  readonly rows: number;
  /** Broken rows so far, and the first of them. */
  readonly broken: number;
  readonly firstBroken: { readonly line: number; readonly cell: string; readonly at: number } | null;
  /** The columns gathered so far. */
  columns(): Float64Array[];
}

/** An empty table of these columns. */
export function numberTable(wanted: readonly WantedColumn[]): NumberTable {
  let room = 4096;
  let columns = wanted.map(() => new Float64Array(room));
  let rows = 0;
  let broken = 0;
  let firstBroken: NumberTable["firstBroken"] = null;
  return {
    add(cells, line) {
      if (rows === room) {
        room *= 2;
        columns = columns.map((column) => {
          const larger = new Float64Array(room);
          larger.set(column);
          return larger;
        });
      }
      for (const [index, { at, read, needed }] of wanted.entries()) {
        const value = read(cells[at]);
        if (needed && !Number.isFinite(value)) {
          broken++;
          firstBroken ??= { line, cell: cells[at] ?? "", at };
          return false;
        }
        columns[index]![rows] = value;
      }
      rows++;
      return true;
    },
    get rows() {
      return rows;
    },
    get broken() {
      return broken;
    },
    get firstBroken() {
      return firstBroken;
    },
    columns: () => columns.map((column) => column.slice(0, rows)),
  };
}

/**
 * Says how many rows were dropped because a number was missing or not finite.
 * Throws FormatError where more than one in ten were: the file is then not what it was taken for.
 */
export function judgeBroken(
  name: string,
  table: NumberTable,
  columns: readonly string[],
  say: (sentence: string) => void,
): void {
  const { rows, broken, firstBroken } = table;
  if (firstBroken === null) return;
  const column = columns[firstBroken.at] ?? `number ${firstBroken.at + 1}`;
  const first = `in line ${firstBroken.line} column ${column} holds "${shortened(firstBroken.cell.trim())}"`;
  if (broken > Math.max(2, 0.1 * (rows + broken))) {
    throw new FormatError(
      `${name}: ${broken} of ${rows + broken} rows lack a finite number; ${first}. Check delimiter, decimal mark and columns of the export.`,
      { path: name },
    );
  }
  say(`${broken} of ${rows + broken} rows lack a finite number and were dropped; ${first}.`);
}

/** What a file holds, for a message: forty characters at most. */
export function shortened(text: string): string {
  return text.length > 40 ? `${text.slice(0, 37)}...` : text;
}

/** A collector of warnings that begin with the file's own name. */
export function warningsOf(name: string): { readonly warnings: string[]; say(sentence: string): void } {
  const warnings: string[] = [];
  return { warnings, say: (sentence) => void warnings.push(`${baseName(name)}: ${sentence}`) };
}
