/** What an analysis leaves on disk: recipe, summary, findings, tables, figures and the report, as one whole folder. */
import { findingsTree } from "../io/tree.js";
import type { Findings } from "../model/experiment.js";
import type { Analysis } from "./analyse.js";
import { draftFolder } from "./folder.node.js";
import type { Input } from "./hash.node.js";
import { outlineFiles } from "./outlines.node.js";
import { recipeJson } from "./recipe.node.js";
import { jsonText, summarise } from "./summary.js";
import { csv, tables } from "./tables.js";

/** Which figures are drawn: those of the report, those of every particle and transition, or none. */
export type FigureChoice = "none" | "report" | "all";

/** Particles whose own figures stand in a report; all of them stand in its tables. */
const REPORTED_PARTICLES = 6;

/**
 * Writes DIR: `recipe.json`, `summary.json`, `findings/`, `tables/`, `figures/` and `report.html`.
 * The folder appears whole or not at all. Throws ParameterError where DIR is not ionoscope's own,
 * and the signal's reason when stopped.
 */
export async function writeAnalysis(
  analysis: Analysis,
  inputs: readonly Input[],
  dir: string,
  options: { readonly figures: FigureChoice; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const { recipe, experiment, findings, warnings } = analysis;
  const draft = await draftFolder(dir, "recipe.json");
  try {
    const summary = summarise(experiment, findings, warnings);
    const written = jsonText(recipeJson(recipe, inputs, dir));
    await draft.write("recipe.json", `${written}\n`);
    await draft.write("summary.json", `${jsonText(summary)}\n`);
    for (const { path, bytes } of [...findingsTree(findings), ...outlineFiles(findings.particles ?? [])]) {
      options.signal?.throwIfAborted();
      await draft.write(path, bytes);
    }
    const lists = tables(experiment, findings);
    for (const [name, table] of Object.entries(lists)) await draft.write(`tables/${name}.csv`, csv(table));

    const [{ shippedFont }, { withFont }, { drawFigures }, { reportHtml }] = await Promise.all([
      import("../figures/font.node.js"),
      import("../figures/render.js"),
      import("./pictures.js"),
      import("./report.js"),
    ]);
    const fontCss = await shippedFont();
    const drawn =
      options.figures === "none"
        ? []
        : await drawFigures(analysis, particlesToDraw(findings, options.figures), options.signal);
    for (const { name, svg } of drawn) await draft.write(`figures/${name}.svg`, withFont(svg, fontCss));
    await draft.write("report.html", reportHtml(analysis, inputs, drawn, written, fontCss));
    options.signal?.throwIfAborted();
    await draft.commit();
  } catch (error) {
    await draft.discard();
    throw error;
  }
}

function particlesToDraw(findings: Findings, choice: FigureChoice): ReadonlySet<number> {
  const ids = (findings.particles ?? []).map(({ id }) => id);
  if (choice === "all") return new Set(ids);
  // Those with a front come first: they are what a reader looks for.
  const moving = new Set((findings.fronts ?? []).map(({ particle }) => particle));
  const ordered = [...ids.filter((id) => moving.has(id)), ...ids.filter((id) => !moving.has(id))];
  return new Set(ordered.slice(0, REPORTED_PARTICLES));
}
