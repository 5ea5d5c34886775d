/** The one function that runs the table: a recipe and an experiment in, findings out, step by step. */
import type { Experiment, Findings } from "../model/experiment.js";
import type { River, Workshop } from "./operation.js";
import type { StepParams } from "./recipe.js";
import { steps, type StepName } from "./steps.js";

/** What a run has come to. */
export interface Progress {
  readonly step: StepName;
  readonly findings: Findings;
  readonly warnings: readonly string[];
  /** False when the step rested: its parameters and all it takes were those of the last run. */
  readonly fresh: boolean;
}

/** What is kept of a run, so that the next one may rest where nothing changed. */
export interface Last {
  readonly experiment: Experiment;
  readonly params: StepParams;
  readonly findings: Findings;
  readonly warnings: Readonly<Partial<Record<StepName, readonly string[]>>>;
}

/** How a run is watched and stopped. */
export interface Watch {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((step: StepName, done: number, total: number) => void) | undefined;
  readonly workshop?: Workshop | undefined;
  /** Stop after this step. */
  readonly until?: StepName | undefined;
}

/**
 * Runs the steps in order and yields after each.
 *
 * A step rests when its parameters and everything it takes are the same as last time, so that an edit
 * runs again only from its own step down. Throws the signal's reason when aborted.
 */
export async function* run(
  params: StepParams,
  experiment: Experiment,
  watch: Watch = {},
  last?: Last,
): AsyncGenerator<Progress, Last> {
  let findings: Findings = {};
  const warned: Partial<Record<StepName, readonly string[]>> = {};
  for (const step of steps) {
    watch.signal?.throwIfAborted();
    const own = params[step.name];
    const river = { experiment, ...findings } as unknown as River;
    const rests = last !== undefined && canRest(step, river, own, last);
    if (rests) {
      warned[step.name] = last.warnings[step.name] ?? [];
      findings = { ...findings, ...pick(last.findings, step.gives) };
    } else {
      const sentences: string[] = [];
      const given = await step.run(river, own as never, {
        signal: watch.signal,
        progress: (done, total) => watch.onProgress?.(step.name, done, total),
        warn: (sentence) => sentences.push(sentence),
        ring_um: params.crops.ring_um,
        workshop: watch.workshop,
      });
      warned[step.name] = sentences;
      findings = { ...findings, ...given };
    }
    yield { step: step.name, findings, warnings: warned[step.name] ?? [], fresh: !rests };
    if (step.name === watch.until) break;
    // Let the event loop turn, so that Ctrl-C is heard between steps.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  return { experiment, params, findings, warnings: warned };
}

function canRest(step: (typeof steps)[number], river: River, own: unknown, last: Last): boolean {
  if (JSON.stringify(own) !== JSON.stringify(last.params[step.name])) return false;
  const before = { experiment: last.experiment, ...last.findings } as Record<string, unknown>;
  const now = river as unknown as Record<string, unknown>;
  return (
    step.takes.every((key) => now[key] === before[key]) && step.gives.every((key) => last.findings[key] !== undefined)
  );
}

function pick(findings: Findings, keys: readonly (keyof Findings)[]): Findings {
  return Object.fromEntries(keys.map((key) => [key, findings[key]]));
}
