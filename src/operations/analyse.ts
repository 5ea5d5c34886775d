/** From a recipe to findings: the whole river in one call. */
import type { Experiment, Findings } from "../model/experiment.js";
import { runControls, type ControlWatch } from "./controls.js";
import { completeRecipe, type CompleteRecipe, type Recipe } from "./recipe.js";
import { run, type Watch } from "./run.js";
import type { StepName } from "./steps.js";

/** What an analysis leaves: findings beside the experiment they are of. */
export interface Analysis {
  readonly recipe: CompleteRecipe;
  readonly experiment: Experiment;
  readonly findings: Findings;
  readonly warnings: readonly string[];
}

/** Draws the noise, the order and the places of controls. */
const CONTROL_SEED = 1;

/** Runs every step on an experiment that is already open, and the controls where the recipe asks for them. */
export async function analyseExperiment(
  recipe: CompleteRecipe,
  experiment: Experiment,
  watch: Watch & Pick<ControlWatch, "onControl"> = {},
  onStep?: (step: StepName | "controls", findings: Findings) => void,
): Promise<Analysis> {
  let findings: Findings = {};
  const warnings = [...experiment.warnings];
  for await (const progress of run(recipe.steps, experiment, watch)) {
    findings = progress.findings;
    warnings.push(...progress.warnings);
    onStep?.(progress.step, findings);
  }
  if (recipe.controls && watch.until === undefined) {
    const { signal, onControl } = watch;
    const controls = await runControls(recipe.steps, experiment, findings, { seed: CONTROL_SEED, signal, onControl });
    findings = { ...findings, controls };
    onStep?.("controls", findings);
  }
  return { recipe, experiment, findings, warnings: [...new Set(warnings)] };
}

/**
 * Analyses the files or the twin that a recipe names and gives the last findings.
 * Throws ParameterError for a wrong wish and FormatError for a wrong file.
 */
export async function analyse(recipe: Recipe, watch: Watch = {}): Promise<Findings> {
  const complete = completeRecipe(recipe);
  if (complete.twin !== undefined) {
    const { experimentOf, runTwin } = await import("./twin.js");
    const made = await runTwin(await scenarioOf(complete.twin.scenario), complete.twin.seed, { signal: watch.signal });
    return (await analyseExperiment(complete, experimentOf(made), watch)).findings;
  }
  const { openExperiment } = await import("./files.node.js");
  const opened = await openExperiment(complete.files!, watch.signal);
  try {
    return (await analyseExperiment(complete, opened.experiment, watch)).findings;
  } finally {
    await opened.close();
  }
}

async function scenarioOf(name: string): Promise<unknown> {
  const { readScenario } = await import("./twin.node.js");
  return readScenario(name);
}
