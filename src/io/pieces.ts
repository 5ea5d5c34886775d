/** Bytes in memory in several pieces, as a source: what was unpacked or written out never has to lie in one array. */
import type { ByteSource } from "./bytes.js";

/** Pieces in their order as one source. */
export function piecesSource(name: string, pieces: readonly Uint8Array[]): ByteSource {
  const starts: number[] = [];
  let size = 0;
  for (const piece of pieces) {
    starts.push(size);
    size += piece.length;
  }
  const readNow = (offset: number, into: Uint8Array): number => {
    let done = 0;
    for (let at = lastAtOrBefore(starts, offset); at < pieces.length && done < into.length; at++) {
      const from = offset + done - starts[at]!;
      const part = pieces[at]!.subarray(from, from + into.length - done);
      into.set(part, done);
      done += part.length;
    }
    return done;
  };
  return { name, size, read: async (offset, into) => readNow(offset, into), readNow, async close() {} };
}

function lastAtOrBefore(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (starts[middle]! <= offset) low = middle;
    else high = middle;
  }
  return low;
}

const ROWS_A_PIECE = 4096;

/** A tab-separated text in UTF-8 that grows by rows, as a source for the readers of text. */
export interface TableText {
  /** Adds a row. What would end a cell or a line within a cell becomes a blank. */
  add(cells: readonly string[]): void;
  source(name: string): ByteSource;
}

/** An empty table. */
export function tableText(): TableText {
  const encoder = new TextEncoder();
  const pieces: Uint8Array[] = [];
  let lines: string[] = [];
  const flush = (): void => {
    if (lines.length > 0) pieces.push(encoder.encode(`${lines.join("\n")}\n`));
    lines = [];
  };
  return {
    add(cells) {
      lines.push(cells.map((cell) => (/[\t\r\n"]/.test(cell) ? cell.replace(/[\t\r\n"]+/g, " ") : cell)).join("\t"));
      if (lines.length === ROWS_A_PIECE) flush();
    },
    source(name) {
      flush();
      return piecesSource(name, pieces);
    },
  };
}
