/** What the draws say, as a page. */
import type { AccuracyRow } from "./group.js";

/** A draw that threw. */
export interface FailedDraw {
  readonly seed: number;
  readonly why: string;
}

/** A group with what its draws said together. */
export interface Answered {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  readonly rows: readonly AccuracyRow[];
  readonly draws: number;
  readonly failed: readonly FailedDraw[];
}

/** A table of any columns, for what stands beside the statements. */
export interface SideTable {
  readonly title: string;
  readonly about: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** The run that the page tells of. */
export interface RunFacts {
  readonly seed: number;
  readonly version: string;
  /** Year, month and day. */
  readonly date: string;
  /** Share of the full draws. */
  readonly share: number;
}

/** A statement that is not held, and why; one sentence or more. */
export function missedOf(answers: readonly Answered[]): string[] {
  return answers.flatMap(({ title, rows, failed, draws }) => [
    ...rows
      .filter(({ held }) => held === false)
      .map(({ what, ours, wanted, note }) => sentence(`${title}: ${what}: ${ours}, wanted ${wanted}`, note)),
    ...(failed.length === 0
      ? []
      : [
          `${title}: ${failed.length} of ${draws} draws failed, the first with seed ${failed[0]!.seed}: ${failed[0]!.why}`,
        ]),
  ]);
}

/** The whole page in Markdown. */
export function pageOf(answers: readonly Answered[], tables: readonly SideTable[], run: RunFacts): string {
  const judged = answers.flatMap(({ rows }) => rows).filter(({ held }) => held !== null);
  const held = judged.filter((row) => row.held === true).length;
  const missed = missedOf(answers);
  const command = `npm run accuracy -- --seed ${run.seed}${run.share === 1 ? "" : ` --draws ${run.share}`}`;
  return [
    "# Accuracy",
    "",
    `Every figure below comes from movies drawn at random, whose truth is known to the program that draws them and to nothing that measures them. ionoscope ${run.version}, ${run.date}, seed ${run.seed}:`,
    "",
    "```sh",
    command,
    "```",
    "",
    `Another seed draws other movies and writes another page; the same seed writes the same figures on any machine. A draw is counted whatever comes of it: one that throws is a failed draw and stands in the list of what is missed. ${judging(run.share)} Where nothing is wanted it is left open.`,
    "",
    `**${held} of ${judged.length} statements are held.**`,
    "",
    ...(missed.length === 0 ? [] : ["## Missed", "", ...missed.map((one) => `- ${one}`), ""]),
    ...answers.flatMap((answer) => [
      `## ${answer.title}`,
      "",
      answer.about,
      "",
      drawsOf(answer),
      "",
      tableOf(answer.rows),
      "",
    ]),
    ...tables.flatMap((side) => [`## ${side.title}`, "", side.about, "", sideTableOf(side), ""]),
  ]
    .join("\n")
    .replace(/\n+$/, "\n");
}

function judging(share: number): string {
  return share === 1
    ? "“Held” says whether the measured figure is the wanted one as it stands, without an allowance for chance."
    : `This page has ${100 * share} % of the full draws: “held” allows what chance may add to a true statement of so few.`;
}

/** Statements as a table in Markdown, and below it what is to be known of them. */
export function tableOf(rows: readonly AccuracyRow[]): string {
  const notes = rows.filter(({ note }) => note !== "");
  const body = rows.map(({ what, wanted, ours, held, note }) => [
    note === "" ? what : `${what} (${notes.findIndex((row) => row.what === what) + 1})`,
    wanted,
    ours,
    held === null ? "–" : held ? "yes" : "**no**",
  ]);
  const list = notes.map(({ note }, at) => `${at + 1}. ${note}`);
  return [table(["statement", "wanted", "measured", "held"], body), ...(list.length > 0 ? ["", ...list] : [])].join(
    "\n",
  );
}

/** A table of any columns in Markdown. */
export function sideTableOf({ columns, rows }: SideTable): string {
  return table(columns, rows);
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
  return [line(columns), `|${columns.map(() => "---").join("|")}|`, ...rows.map(line)].join("\n");
}

function drawsOf({ draws, failed }: Answered): string {
  if (failed.length === 0) return `${draws} draws.`;
  const which = failed.map(({ seed }) => seed).join(", ");
  return `${draws} draws, ${failed.length} of which failed (seed ${which}).`;
}

function sentence(first: string, note: string): string {
  return note === "" ? `${first}.` : `${first}. ${note}`;
}
