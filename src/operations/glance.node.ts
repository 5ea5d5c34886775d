/** A glance at a movie by its path, and what it leaves on disk: glance.json and a picture. */
import { draftFolder, type Draft } from "./folder.node.js";
import { glance, type Glance, type GlanceWatch } from "./glance.js";
import { glanceSheet } from "./glance-sheet.js";
import { glanceFacts } from "./glance-facts.js";
import { openMovies } from "./movies.node.js";
import { jsonText } from "./summary.js";
import type { SeriesChoice } from "../io/time-series.js";

/** Time for opening and looking together, and the least for looking; drawing takes some seconds more. */
const GLANCE_S = 30;
const LEAST_S = 10;
/** Pixels of the PNG for one of the figure. */
const PNG_SCALE = 2;

/**
 * Looks at the movies named, joined in sequence, and where a folder is named writes `glance.json`, `glance.png` and
 * `glance.svg` into it. The folder appears whole or not at all; whether it may be written is known before the look.
 * Throws FormatError and ParameterError as the movies' readers do, ParameterError where the folder is not a glance's
 * own, and the signal's reason when stopped.
 */
export async function glanceAt(
  names: readonly string[],
  dir: string | null,
  choice: SeriesChoice,
  watch: GlanceWatch,
): Promise<Glance> {
  if (dir === null) return look(names, choice, watch);
  const draft = await draftFolder(dir, "glance.json");
  try {
    const seen = await look(names, choice, watch);
    await write(seen, draft, watch.signal);
    await draft.commit();
    return seen;
  } catch (error) {
    await draft.discard();
    throw error;
  }
}

async function look(names: readonly string[], choice: SeriesChoice, watch: GlanceWatch): Promise<Glance> {
  const began = performance.now();
  const opened = await openMovies(names, choice);
  const opening_s = (performance.now() - began) / 1000;
  try {
    return await glance(opened.movie, { budget_s: Math.max(LEAST_S, GLANCE_S - opening_s), ...watch });
  } finally {
    await opened.close();
  }
}

async function write(seen: Glance, draft: Draft, signal?: AbortSignal): Promise<void> {
  const [{ shippedFont }, { renderPng, renderSvg, withFont }] = await Promise.all([
    import("../figures/font.node.js"),
    import("../figures/render.js"),
  ]);
  const fontCss = await shippedFont();
  const sheet = glanceSheet(seen);
  await draft.write("glance.json", `${jsonText(glanceFacts(seen))}\n`);
  // Drawing is long and of one piece: Ctrl-C is heard between.
  const heard = async (): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, 0));
    signal?.throwIfAborted();
  };
  await heard();
  await draft.write("glance.svg", withFont(await renderSvg(sheet), fontCss));
  await heard();
  await draft.write("glance.png", await renderPng(sheet, PNG_SCALE));
  await heard();
}
