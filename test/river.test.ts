/** Twins with known answers, from the camera's counts to the mechanism. */
import { beforeAll, describe, expect, test } from "vitest";
import { scenarios } from "../src/physics/scenarios.js";
import type { Truth } from "../src/physics/truth.js";
import { analyseExperiment, type Analysis } from "../src/operations/analyse.js";
import { completeRecipe } from "../src/operations/recipe.js";
import { summarise } from "../src/operations/summary.js";
import { twinExperiment } from "../src/operations/twin.js";

interface Story {
  readonly found: Analysis;
  readonly truth: Truth;
}

async function story(name: string, seed: number | null = null): Promise<Story> {
  const { experiment, truth } = twinExperiment(scenarios[name], seed);
  return { found: await analyseExperiment(completeRecipe({ twin: { scenario: name } }), experiment), truth };
}

/** Root mean square distance between the drift found and the truth, px. */
function driftError_px({ found, truth }: Story): number {
  const { x_px, y_px } = found.findings.drift!;
  let sum = 0;
  for (let frame = 0; frame < x_px.length; frame++) {
    sum += (x_px[frame]! - truth.drift.x_px[frame]!) ** 2 + (y_px[frame]! - truth.drift.y_px[frame]!) ** 2;
  }
  return Math.sqrt(sum / x_px.length);
}

describe("a straight front of 20 nm/s, 80 nm pixels, 5 s frames, 1 % noise, 1 um of drift, 1 % flicker", () => {
  let plane: Story;
  beforeAll(async () => {
    plane = await story("plane");
  });

  test("is measured within 3 %, and called a wave", () => {
    const { kinetics, mechanisms } = plane.found.findings;
    expect(kinetics).toHaveLength(1);
    expect(Math.abs(kinetics![0]!.velocity_um_s.value / 0.02 - 1)).toBeLessThan(0.03);
    expect(mechanisms!.map(({ kind }) => kind)).toEqual(["wave"]);
  });

  test("is half through within one frame of the truth", () => {
    const { kinetics } = plane.found.findings;
    expect(Math.abs(kinetics![0]!.t50_s.value - plane.truth.kinetics[0]!.t50_s)).toBeLessThan(5);
  });

  test("its window begins and ends within a few frames of the first and the last arrival", () => {
    const [window] = plane.found.findings.transitions!;
    const [truth] = plane.truth.transitions;
    expect(Math.abs(window!.start_s - truth!.start_s)).toBeLessThan(20);
    expect(Math.abs(window!.end_s - truth!.end_s)).toBeLessThan(20);
    expect(window!.closed).toBe(true);
  });

  test("its arrival map agrees with the truth pixel by pixel", () => {
    const front = plane.found.findings.fronts![0]!;
    const map = plane.truth.maps[0]!;
    const errors: number[] = [];
    for (let y = 0; y < front.height; y++) {
      for (let x = 0; x < front.width; x++) {
        const found = front.arrival_s[y * front.width + x]!;
        const [tx, ty] = [x + front.origin_px[0] - map.origin_px[0], y + front.origin_px[1] - map.origin_px[1]];
        if (Number.isNaN(found) || tx < 0 || ty < 0 || tx >= map.width || ty >= map.height) continue;
        const truth = map.arrival_s[ty * map.width + tx]!;
        if (!Number.isNaN(truth)) errors.push(found - truth);
      }
    }
    expect(errors.length).toBeGreaterThan(0.9 * front.mask.reduce((sum, inside) => sum + inside, 0));
    const sorted = errors.map(Math.abs).sort((a, b) => a - b);
    expect(sorted[sorted.length >> 1]!).toBeLessThan(2.5);
  });

  test("the outline found is that of the crystal", () => {
    const [particle] = plane.found.findings.particles!;
    const [truth] = plane.truth.particles;
    expect(Math.abs(particle!.area_um2 / truth!.area_um2 - 1)).toBeLessThan(0.03);
    expect(
      Math.hypot(particle!.centre_px[0] - truth!.centre_px[0], particle!.centre_px[1] - truth!.centre_px[1]),
    ).toBeLessThan(0.5);
  });

  test("registration is within 0.03 px rms", () => {
    expect(driftError_px(plane)).toBeLessThan(0.03);
  });
});

test("a ring that shrinks at 14 to 37 nm/s is called a core, its velocity within 3 %", async () => {
  const { found, truth } = await story("core");
  const { kinetics, mechanisms } = found.findings;
  expect(mechanisms!.map(({ kind }) => kind)).toEqual(["core"]);
  const [expected] = truth.kinetics;
  expect(Math.abs(kinetics![0]!.velocity_um_s.value / expected!.velocity_um_s! - 1)).toBeLessThan(0.03);
  expect(Math.abs(kinetics![0]!.t50_s.value - expected!.t50_s)).toBeLessThan(5);
});

test.each([3, 31])("an inert particle gives none (seed %d)", async (seed) => {
  const { found } = await story("inert", seed);
  const { particles, transitions, fronts, kinetics, mechanisms } = found.findings;
  expect(particles).toHaveLength(1);
  expect(transitions).toEqual([]);
  expect(fronts).toEqual([]);
  expect(kinetics).toEqual([]);
  expect(mechanisms!.map(({ kind, transition }) => [kind, transition])).toEqual([["none", null]]);
});

describe("the paper's 2C cycle", () => {
  let cycle: Story;
  beforeAll(async () => {
    cycle = await story("paper-cycle");
  });

  test("registration is within 0.03 px rms while the crystal brightens 1.6 times", () => {
    const { intensity } = cycle.found.findings.traces![0]!;
    expect(Math.max(...intensity.filter((value) => !Number.isNaN(value)))).toBeGreaterThan(1.55);
    expect(driftError_px(cycle)).toBeLessThan(0.03);
  });

  test("shows a core on delithiation and a wave on lithiation, each in its half cycle", () => {
    const { transitions, mechanisms, cell, clock } = cycle.found.findings;
    expect(clock!.source).toBe("shared");
    expect(cell!.halfCycles.map(({ kind }) => kind)).toEqual(["charge", "discharge"]);
    for (const half of cell!.halfCycles) expect(half.rate_C!).toBeCloseTo(2, 1);
    expect(
      transitions!.map(({ direction, directionSource, kind, halfCycle }) => [
        direction,
        directionSource,
        kind,
        halfCycle,
      ]),
    ).toEqual([
      ["delithiation", "cycler", "biphasic", 0],
      ["lithiation", "cycler", "biphasic", 1],
    ]);
    expect(mechanisms!.map(({ kind }) => kind)).toEqual(["core", "wave"]);
  });

  test("its half times are within a frame, its C-rates within the truth by the same definition", () => {
    for (const [index, truth] of cycle.truth.kinetics.entries()) {
      const found = cycle.found.findings.kinetics![index]!;
      expect(Math.abs(found.t50_s.value - truth.t50_s)).toBeLessThan(5);
      expect(Math.abs(found.c_rate_mean!.value / truth.c_rate_mean! - 1)).toBeLessThan(0.05);
    }
  });

  test("the summary has every key of the contract, and no number that is not finite where one must be", () => {
    const { experiment, findings, warnings } = cycle.found;
    const summary = JSON.parse(JSON.stringify(summarise(experiment, findings, warnings))) as Record<string, unknown>;
    for (const key of [
      "ionoscope",
      "warnings",
      "movie",
      "clock",
      "cell",
      "drift",
      "particles",
      "optics",
      "transitions",
      "fronts",
      "kinetics",
      "mechanisms",
    ]) {
      expect(summary, key).toHaveProperty(key);
    }
    for (const one of summary["kinetics"] as { t50_s: { value: unknown }; velocity_um_s: { value: unknown } }[]) {
      expect(one.t50_s.value).toEqual(expect.any(Number));
      expect(one.velocity_um_s.value).toEqual(expect.any(Number));
    }
  });
});
