import { expect, test } from "vitest";
import { analyseExperiment } from "../src/operations/analyse.js";
import { completeRecipe } from "../src/operations/recipe.js";
import { summarise } from "../src/operations/summary.js";
import { experimentOf, runTwin } from "../src/operations/twin.js";
import { paperScenarios } from "../src/physics/paper-scenarios.js";
import { truthOf } from "../src/physics/truth.js";

test("an analysis finds the domains of a charge, their walls where order left them, and says so in its summary", async () => {
  const scenario = paperScenarios["fig5-three-domains"]!;
  const made = await runTwin({ ...scenario, movie: { ...scenario.movie, frames: 100 } });
  const truth = truthOf(made).domains![0]!;
  const experiment = experimentOf(made);
  const { findings, warnings } = await analyseExperiment(
    completeRecipe({ twin: { scenario: "fig5-three-domains" } }),
    experiment,
  );
  const [domains] = findings.domains!;
  expect(domains!.count).toBe(3);
  const nearest = (known: number): number =>
    Math.min(...domains!.wall_angles_deg.map((angle) => Math.abs(((angle - known + 540) % 360) - 180)));
  expect(truth.wall_angles_deg).toHaveLength(3);
  for (const known of truth.wall_angles_deg) expect(nearest(known)).toBeLessThan(3);
  expect(domains!.threefold.p!).toBeLessThan(0.05);
  // No disordering follows in this film: nothing is said of whether the light comes back.
  expect(domains!.reversibility).toBeNull();
  const told = summarise(experiment, findings, warnings) as { domains: Record<string, unknown>[] };
  expect(told.domains[0]).toMatchObject({ particle: 0, count: 3, collision: domains!.collision });
  expect(told.domains[0]!["contrast"]).toBe("findings/domains/0/contrast.npy");
});
