/** A scenario as an experiment, as if its files had been opened: everything here runs in a browser too. */
import { ParameterError } from "../model/errors.js";
import type { Experiment } from "../model/experiment.js";
import type { Movie } from "../model/movie.js";
import { checkScenario as checkNumbers, type Scenario } from "../physics/scenario.js";
import { truthOf, type Truth } from "../physics/truth.js";
import { phaseFieldTwin } from "../physics/phase-field-twin.js";
import type { LithiumWatch } from "../physics/phase-field-twin-lithium.js";
import { twin, type Twin } from "../physics/twin.js";
import { parseParams } from "./parameters.js";
import { scenarioSchema } from "./scenario-schema.js";

/**
 * A scenario with every default filled in. Throws a ParameterError that names the first key that is unknown, of a wrong
 * type or out of range, with its value and the cure.
 */
export function checkScenario(scenario: unknown): Scenario {
  const complete: Scenario = parseParams(scenarioSchema, scenario, "");
  const given = scenario as { readonly particles?: unknown };
  if (given.particles === undefined && complete.phaseField === undefined) {
    throw new ParameterError("particles is missing. Give a list of particles, or phaseField.", {
      parameter: "particles",
      value: undefined,
    });
  }
  checkNumbers(complete);
  return complete;
}

/**
 * The twin of a scenario that may leave things to defaults; `seed` overrides the scenario's own. Throws ParameterError, also for
 * one with a phase field: see runTwin.
 */
export function makeTwin(scenario: unknown, seed: number | null = null): Twin {
  checkSeed(seed);
  return twin(checkScenario(scenario), seed);
}

/** The twin of any scenario; one with a phase field runs its lithium first, which takes seconds. Throws ParameterError. */
export async function runTwin(scenario: unknown, seed: number | null = null, watch: LithiumWatch = {}): Promise<Twin> {
  checkSeed(seed);
  const complete = checkScenario(scenario);
  return complete.phaseField === undefined ? twin(complete, seed) : phaseFieldTwin(complete, seed, watch);
}

function checkSeed(seed: number | null): void {
  if (seed === null || (Number.isInteger(seed) && seed >= 0)) return;
  throw new ParameterError(`seed is ${seed}. Give a whole number, 0 or more.`, { parameter: "seed", value: seed });
}

/** The experiment of a scenario, and its answers. Throws ParameterError for a scenario that makes no sense. */
export function twinExperiment(scenario: unknown, seed: number | null): { experiment: Experiment; truth: Truth } {
  const made = makeTwin(scenario, seed);
  return { experiment: experimentOf(made), truth: truthOf(made) };
}

/** What an analysis is given of a twin: all that files would tell, and nothing of its answers. */
export function experimentOf(made: Twin): Experiment {
  const cell = made.scenario.cycling;
  return {
    movie: movieOf(made),
    cycling: made.cycling,
    cyclingStart: made.cyclingStart,
    statedOffset_s: null,
    cellFacts: {
      imaged: "working",
      role: "cathode",
      currentSign: "anodic-positive",
      source: "default",
      active_mass_mg: cell?.active_mass_mg ?? null,
      nominal_mAh_g: cell?.nominal_mAh_g ?? 155,
      nominal_mAh: null,
    },
    blackLevel: { value: made.blackLevel, source: "twin" },
    darkFrame: null,
    skipped: [],
    frameNumber: Int32Array.from({ length: made.frames }, (_, index) => index),
    framesInFile: made.frames,
    region_px: null,
    warnings: [],
  };
}

function movieOf(made: Twin): Movie {
  return {
    name: "twin",
    format: "twin",
    width: made.width,
    height: made.height,
    frames: made.frames,
    dtype: made.dtype,
    pixelSize_um: made.pixelSize_um,
    pixelSizeSource: "twin",
    time_s: made.acquisition.time_s,
    timeSource: "twin",
    frameStamp: "middle",
    start: made.start,
    warnings: [],
    async read(index, into, signal) {
      signal?.throwIfAborted();
      made.read(index, into);
    },
    async close() {},
  };
}
