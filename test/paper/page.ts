/** The table as a page. */
import type { Answer, Group, Row } from "./row.js";

/** A group with what it answered. */
export interface Answered {
  readonly group: Group;
  readonly answer: Answer;
}

/** The whole page in Markdown. */
export function pageOf(found: readonly Answered[], seed: number): string {
  const rows = found.flatMap(({ answer }) => answer.rows);
  const judged = rows.filter(({ held }) => held !== null);
  const missed = judged.filter(({ held }) => held === false);
  return [
    "# The paper's table",
    "",
    "What Merryweather et al., Nature 594, 522 (2021), saw or estimated, and what the phase field and the twins of ionoscope give. All of it is made by",
    "",
    "```sh",
    `npm run paper${seed === 2021 ? "" : ` -- --seed ${seed}`}`,
    "```",
    "",
    `from seeds that were used for no tuning (here ${seed}); another seed writes another page. "Held" says whether the row's own criterion is met; where there is nothing to be held against, it is left open.`,
    "",
    `**${judged.length - missed.length} of ${judged.length} rows are held.**${missed.length === 0 ? "" : " Missed:"}`,
    "",
    ...missed.map(({ observable, paper, ours, how }) => `- ${observable}: ${ours}, for ${paper}. ${how}`),
    ...(missed.length === 0 ? [] : [""]),
    ...found.flatMap(({ group, answer }) => [
      `## ${group.title}`,
      "",
      group.about,
      "",
      tableOf(answer.rows),
      "",
      ...answer.drawings.flatMap(({ name, caption }) => [`![${caption}](paper/${name}.png)`, "", caption, ""]),
    ]),
  ]
    .join("\n")
    .replace(/\n+$/, "\n");
}

/** Rows as a table in Markdown. */
export function tableOf(rows: readonly Row[]): string {
  const cell = (text: string): string => text.replaceAll("|", "\\|");
  return [
    "| observable | paper, or exact | ours | held | how | seeds |",
    "|---|---|---|---|---|---|",
    ...rows.map(
      ({ observable, paper, ours, held, how, seeds }) =>
        `| ${[observable, paper, ours, held === null ? "–" : held ? "yes" : "**no**", how, seeds].map(cell).join(" | ")} |`,
    ),
  ].join("\n");
}
