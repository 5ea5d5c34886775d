/** Rows as tables, on a terminal and on the page docs/performance.md. */
import { cpus, loadavg, totalmem } from "node:os";
import { figure, middle, ratioTo, wishesOf, type Row } from "./row.js";

/** What one bench found. */
export interface Found {
  readonly name: string;
  readonly about: string;
  readonly rows: readonly Row[];
  readonly wall_s: number;
  /** Why there are no rows. */
  readonly failed?: string;
}

const HEAD = ["", "unit", "least", "median", "greatest", "beside", "its median", "times as quick", "note"] as const;

/** Where the figures come from; load is that of the last minute. */
export function machineText(): string {
  const [first] = cpus();
  const memory_GB = totalmem() / 1e9;
  return `${first?.model ?? "unknown processor"}, ${cpus().length} cores, ${memory_GB.toFixed(0)} GB, node ${process.version}, ${process.platform} ${process.arch}, load ${loadavg()[0]!.toFixed(1)}`;
}

/** Lines of a table: one a row, and one for each further peer. */
export function linesOf(rows: readonly Row[]): string[][] {
  return rows.flatMap((row) => {
    const own = [
      row.what,
      row.unit,
      figure(Math.min(...row.values)),
      figure(middle(row.values)),
      figure(Math.max(...row.values)),
    ];
    const peers = row.peers ?? [];
    const note = row.note ?? "";
    if (peers.length === 0) return [[...own, "", "", "", note]];
    return peers.map((peer, at) => {
      const ratio = ratioTo(row, peer);
      const theirs = peer.values === null || peer.values.length === 0 ? "not installed" : figure(middle(peer.values));
      const line = [peer.name, theirs, ratio === null ? "" : figure(ratio)];
      return at === 0 ? [...own, ...line, note] : ["", "", "", "", "", ...line, ""];
    });
  });
}

/** A table for a terminal. */
export function terminalTable(rows: readonly Row[]): string {
  const lines = [[...HEAD], ...linesOf(rows)];
  const widths = HEAD.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  const numbers = new Set([2, 3, 4, 6, 7]);
  return lines
    .map((line) =>
      line
        .map((text, at) => (numbers.has(at) ? text.padStart(widths[at]!) : text.padEnd(widths[at]!)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** The page. */
export function pageOf(found: readonly Found[], machine: string, date: string): string {
  const wishes = wishesOf(found.flatMap(({ rows }) => rows));
  const said = { true: "held", false: "**missed**", null: "not installed" } as const;
  return [
    "# Performance",
    "",
    "Written by `npm run bench -- --write`; not to be edited. Machines differ: what counts are the ratios, taken on the same data in the same run. All figures are of the run in the middle.",
    "",
    `${date}, ${machine}.`,
    "",
    "## Wanted and measured",
    "",
    ...table(
      ["", "wanted", "measured", ""],
      wishes.map(({ what, wanted, measured, held }) => [what, wanted, measured ?? "", said[`${held}`]]),
    ),
    ...found.flatMap(({ name, about, rows, failed }) => [
      "",
      `## ${name}`,
      "",
      about,
      "",
      ...(failed === undefined ? table(HEAD, linesOf(rows)) : [`Not measured: ${failed}`]),
    ]),
    "",
  ].join("\n");
}

function table(head: readonly string[], lines: readonly (readonly string[])[]): string[] {
  const text = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [text(head), text(head.map(() => "---")), ...lines.map(text)];
}
