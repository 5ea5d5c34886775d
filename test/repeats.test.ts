/** Two crystals through two cycles, from the camera's counts to what repeats. */
import { beforeAll, expect, test } from "vitest";
import { findingsTree } from "../src/io/tree.js";
import type { Findings } from "../src/model/experiment.js";
import { analyseExperiment, type Analysis } from "../src/operations/analyse.js";
import { completeRecipe } from "../src/operations/recipe.js";
import type { River } from "../src/operations/operation.js";
import { steps } from "../src/operations/steps.js";
import { tables } from "../src/operations/tables.js";
import { twinExperiment } from "../src/operations/twin.js";

/** Charges that begin at 60 and 660 s, discharges at 360 and 960 s, with fronts 80 s after each. */
const STARTS_S = [60, 360, 660, 960];

/** Velocities and ways of the four fronts of a crystal, charges and discharges in turn. */
function crystal(centre_um: readonly [number, number], speeds_um_s: readonly number[], angles_deg: readonly number[]) {
  return {
    outline: { kind: "ellipse", centre_um, radii_um: [2, 1.5], angle_deg: 15 },
    changes: STARTS_S.map((start_s, at) => ({
      kind: "front",
      direction: at % 2 === 0 ? "delithiation" : "lithiation",
      to: at % 2 === 0 ? 1.16 : 1,
      front: { kind: "plane", angle_deg: angles_deg[at]!, start_s: start_s + 80, velocity_um_s: speeds_um_s[at]! },
    })),
  };
}

/** The first crystal goes the same way again, at another speed; the second turns round on charge alone. */
const scene = {
  seed: 11,
  movie: { width: 105, height: 64, pixelSize_um: 0.1, frames: 182, interval_s: 7 },
  cycling: {
    before_s: 0,
    active_mass_mg: 0.812,
    programme: [
      { kind: "rest", lasts_s: 60 },
      ...[0, 1].flatMap(() => [
        { kind: "charge", rate_C: 2, lasts_s: 300 },
        { kind: "discharge", rate_C: 2, lasts_s: 300 },
      ]),
    ],
  },
  particles: [
    crystal([2.8, 3.1], [0.03, 0.03, 0.036, 0.03], [25, 200, 25, 200]),
    crystal([7.7, 3.2], [0.024, 0.024, 0.024, 0.024], [70, 140, 250, 140]),
  ],
};

let found: Analysis;
let findings: Findings;
beforeAll(async () => {
  const { experiment } = twinExperiment(scene, null);
  found = await analyseExperiment(completeRecipe({ twin: { scenario: "plane" } }), experiment);
  findings = found.findings;
});

test("a way that is taken again is told from one that turned round, each among its own direction", () => {
  const left = findings.particles!.find(({ centre_px }) => centre_px[0] < 50)!.id;
  const of = (particle: number, direction: string) => {
    const pairs = findings.repeats!.filter((one) => one.particle === particle && one.direction === direction);
    expect(pairs).toHaveLength(1);
    return pairs[0]!;
  };
  const right = 1 - left;
  for (const [particle, direction] of [
    [left, "delithiation"],
    [left, "lithiation"],
    [right, "lithiation"],
  ] as const) {
    const { likeness, byShape, p } = of(particle, direction);
    expect(likeness!.value).toBeGreaterThan(0.98);
    expect(likeness!.sd!).toBeLessThan(0.02);
    expect(byShape!).toBeLessThan(0.5);
    expect(p!).toBeLessThan(0.15);
  }
  expect(of(right, "delithiation").likeness!.value).toBeLessThan(-0.98);
  expect(of(right, "delithiation").p!).toBeGreaterThan(0.9);
});

test("velocities spread within a particle and between particles as they were drawn", () => {
  const spread = findings.spreads!.find(
    ({ quantity, direction }) => quantity === "velocity_um_s" && direction === "delithiation",
  );
  expect(spread).toMatchObject({ particles: 2, fronts: 4 });
  // Within: 30 and 36 of one, 24 and 24 of the other; between: means of 33 and 24 nm/s.
  expect(1000 * spread!.within!).toBeCloseTo(6 / Math.SQRT2 / Math.SQRT2, 0);
  expect(1000 * spread!.between!).toBeCloseTo(9 / Math.SQRT2, 0);
});

test("every pair and every spread stands in the tree as a file of its own", () => {
  const paths = [...findingsTree(findings)].map((file) => file.path);
  for (const [name, list] of [
    ["repeats", findings.repeats!],
    ["spreads", findings.spreads!],
  ] as const) {
    expect(paths.filter((path) => path.startsWith(`findings/${name}/`))).toEqual(
      list.map((_, index) => `findings/${name}/${index}.json`),
    );
  }
});

test("the table of cycles has a row a front, with its cycle, rate and speed", () => {
  const { cycles } = tables(found.experiment, findings);
  expect(Array.from(cycles!["half_cycle"]!).sort()).toEqual([0, 0, 1, 1, 2, 2, 3, 3]);
  for (let row = 0; row < 8; row++) {
    const half = Number(cycles!["half_cycle"]![row]);
    expect(cycles!["cycle"]![row]).toBe(half < 2 ? 1 : 2);
    expect(cycles!["direction"]![row]).toBe(half % 2 === 0 ? "delithiation" : "lithiation");
    expect(cycles!["mechanism"]![row]).toBe("wave");
    expect(Number(cycles!["rate_C"]![row])).toBeCloseTo(2, 1);
  }
});

test("a front that something else explains neither repeats nor spreads, and the table of cycles says so", () => {
  const because = "one moving gap";
  const fronts = findings.fronts!.map((front, at) =>
    at === 0 ? { ...front, explained_by: { cause: "height" as const, left: 0.01, ofFront: 0.5, because } } : front,
  );
  const step = steps.find(({ name }) => name === "repeats")!;
  const river = { experiment: found.experiment, ...findings, fronts } as unknown as River;
  const { repeats, spreads } = step.run(river, {} as never, {
    progress: () => {},
    warn: () => {},
  }) as Findings;
  expect(repeats).toHaveLength(findings.repeats!.length - 1);
  const { direction } = findings.transitions!.find(({ id }) => id === fronts[0]!.transition)!;
  expect(spreads!.find((one) => one.quantity === "velocity_um_s" && one.direction === direction)!.fronts).toBe(3);
  const { cycles } = tables(found.experiment, { ...findings, fronts });
  expect(Array.from(cycles!["explained_by"]!).filter((cause) => cause === "height")).toHaveLength(1);
});
