import { expect, test } from "vitest";
import { analyseExperiment } from "../src/operations/analyse.js";
import { completeRecipe } from "../src/operations/recipe.js";
import { experimentOf, runTwin } from "../src/operations/twin.js";
import { paperScenarios } from "../src/physics/paper-scenarios.js";
import type { Scenario } from "../src/physics/scenario.js";
import { truthOf } from "../src/physics/truth.js";

/** A scenario on coarser pixels and cells, so that it takes seconds. */
function coarse(name: string): Scenario {
  const scenario = paperScenarios[name]!;
  return {
    ...scenario,
    movie: { ...scenario.movie, width: 86, height: 72, pixelSize_um: 0.16, frames: 66, interval_s: 10 },
    optics: { ...scenario.optics, psf_um: 0.15 },
    phaseField: { ...scenario.phaseField!, h_um: 0.2, delta_um: 0.26 },
  };
}

test("on delithiation with the paper's current a core shrinks, slowly after its first tenth and fast at its end", async () => {
  const truth = truthOf(await runTwin(coarse("fig3-delithiation")));
  expect(truth.mechanisms.map(({ kind }) => kind)).toEqual(["core"]);
  const [kinetics] = truth.kinetics;
  expect(kinetics!.velocity_um_s!).toBeGreaterThan(0.016);
  expect(kinetics!.velocity_um_s!).toBeLessThan(0.024);
  expect(kinetics!.velocity_late_um_s!).toBeGreaterThan(0.03);
  expect(kinetics!.c_rate_max!).toBeGreaterThan(7.5);
});

test("on lithiation the analysis finds the wave of the truth, its velocity and its moments", async () => {
  const made = await runTwin(coarse("fig3-lithiation"));
  const truth = truthOf(made);
  const known = truth.kinetics[0]!;
  expect(truth.mechanisms.map(({ kind }) => kind)).toEqual(["wave"]);
  const recipe = completeRecipe({ twin: { scenario: "fig3-lithiation" } });
  const { findings } = await analyseExperiment(recipe, experimentOf(made));
  expect(findings.mechanisms!.map(({ kind }) => kind)).toEqual(["wave"]);
  const [kinetics] = findings.kinetics!;
  expect(Math.abs(kinetics!.velocity_um_s.value / known.velocity_um_s! - 1)).toBeLessThan(0.05);
  expect(Math.abs(kinetics!.t50_s.value - known.t50_s)).toBeLessThan(4);
  expect(Math.abs(kinetics!.duration_s!.value - known.duration_s)).toBeLessThan(12);
  expect(Math.abs(kinetics!.c_rate_max!.value / known.c_rate_max! - 1)).toBeLessThan(0.1);
});
