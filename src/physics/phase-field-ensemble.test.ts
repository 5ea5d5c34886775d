import { expect, test } from "vitest";
import { drained, refusesJunk, stoppedBy } from "../../test/junk.js";
import { finish, hexagon, phaseFieldOf } from "../../test/phase-field-ladder.js";
import { ParameterError } from "../model/errors.js";
import { maskedGrid, outlineGrid } from "./masked-grid.js";
import { lco } from "./materials/lco.js";
import { hotSpotWetting, rateFactors } from "./phase-field-edge.js";
import { simulateEnsemble, type EnsembleParticle, type EnsembleSpec } from "./phase-field-ensemble.js";
import { thermodynamics } from "./free-energy.js";

const crystal = (scale: number, seed: number, own: Partial<EnsembleParticle> = {}): EnsembleParticle => ({
  ...outlineGrid(hexagon(scale), 0.175),
  edge: { seed },
  ...own,
});
const spec: EnsembleSpec = {
  particles: [crystal(0.3, 1, { exchange_A_m2: 2 }), crystal(0.35, 2), crystal(0.25, 3, { exchange_A_m2: 0.5 })],
  material: lco,
  delta_um: 0.25,
  x0: 0.96,
  steps: [
    { kind: "delithiation", x_per_h: 2, until_x: 0.72 },
    { kind: "rest", lasts_s: 20 },
    { kind: "lithiation", x_per_h: 2, until_V: 3.6 },
  ],
};

test("particles share one potential and together carry the electrode's current", async () => {
  const { result } = await finish(simulateEnsemble(spec));
  expect(result.ends).toEqual(["lithium", "time", "potential"]);
  expect(result.massError).toBeLessThan(1e-11);
  const area = spec.particles.map(({ mask, width, height, h_um }) => maskedGrid(mask, width, height, h_um).area_um2);
  const total = area.reduce((sum, own) => sum + own, 0);
  result.t_s.forEach((_, at) => {
    const sum = result.particles.reduce((of, { x_per_h }, index) => of + (x_per_h[at]! * area[index]!) / total, 0);
    expect(sum).toBeCloseTo(result.x_per_h[at]!, 9);
    const aim = [-2, 0, 2][result.step[at]!]!;
    if (at < result.t_s.length - 1) expect(result.x_per_h[at]).toBeCloseTo(aim, 9);
  });
  expect(result.potential_V.at(-1)).toBeCloseTo(3.6, 9);
  // The one with the fast rim runs ahead of the electrode.
  const peak = Math.max(...result.particles[0]!.x_per_h.map(Math.abs));
  expect(peak).toBeGreaterThan(4);
  for (const { halfCycles } of result.particles) {
    expect(halfCycles.map(({ direction }) => direction)).toEqual(["delithiation", "lithiation"]);
    for (const { arrival_s, start_s, end_s } of halfCycles) {
      for (const t_s of arrival_s) if (!Number.isNaN(t_s)) expect(t_s >= start_s && t_s <= end_s).toBe(true);
    }
  }
});

test("without resistance one particle in an electrode is a particle under its current", async () => {
  const own = crystal(0.3, 5);
  const { result } = await finish(
    simulateEnsemble({ ...spec, particles: [own], steps: [{ kind: "delithiation", x_per_h: 2, until_x: 0.75 }] }),
  );
  const alone = await phaseFieldOf({
    ...own,
    material: lco,
    delta_um: 0.25,
    drive: { kind: "current", x_per_h: [[0, 2]] },
    x0: 0.96,
    xStop: 0.75,
  });
  const n = Math.min(alone.t_s.length, result.t_s.length) - 1;
  expect(result.phi.slice(0, n)).toEqual(alone.phi.slice(0, n));
});

test("behind a contact the electrode stands off by the current times the resistance", async () => {
  const steps = [{ kind: "delithiation", x_per_h: 2, until_x: 0.95 }] as const;
  const run = async (contact_ohm_m2: number): Promise<number> => {
    const particles = [crystal(0.3, 5, { contact_ohm_m2 })];
    const { result } = await finish(simulateEnsemble({ ...spec, particles, steps, snapshots_s: [] }));
    expect(result.massError).toBeLessThan(1e-12);
    return result.potential_V[0]!;
  };
  const own = spec.particles[0]!;
  const grid = maskedGrid(own.mask, own.width, own.height, own.h_um);
  const rim_um = grid.rim_um.reduce((sum, length) => sum + length, 0);
  const current_A_m2 = (96485.33212 * 51500 * (2 / 3600) * grid.area_um2 * 1e-6) / rim_um;
  expect((await run(0.01)) - (await run(0))).toBeCloseTo(0.01 * current_A_m2, 9);
});

test("contacts of unlike resistance still pass the electrode's current to rounding", async () => {
  const particles = spec.particles.map((own, at) => ({ ...own, contact_ohm_m2: 0.02 * at, weight: 1 + at }));
  const { result } = await finish(simulateEnsemble({ ...spec, particles, steps: [spec.steps[0]!] }));
  expect(result.massError).toBeLessThan(1e-11);
  expect(result.x_mean.at(-1)).toBeLessThan(0.72);
});

test("areas of one mask are particles of an electrode", async () => {
  const one = outlineGrid(hexagon(0.3), 0.175);
  const width = 2 * one.width;
  const mask = Uint8Array.from(
    { length: width * one.height },
    (_, at) => one.mask[Math.floor(at / width) * one.width + (at % one.width)]!,
  );
  const result = await phaseFieldOf({
    mask,
    width,
    height: one.height,
    h_um: 0.175,
    delta_um: 0.25,
    material: lco,
    edge: { seed: 1 },
    drive: { kind: "ensemble", steps: [{ kind: "delithiation", x_per_h: 2 }], weights: [1, 3] },
    x0: 0.96,
    xStop: 0.74,
  });
  expect(result.ended).toBe("xStop");
  expect(result.ensemble!.particles).toHaveLength(2);
  expect(result.fraction.at(-1)).toBeGreaterThan(0.9);
  expect(result.massError).toBeLessThan(1e-11);
  result.x.forEach((x, at) => expect(Number.isNaN(x)).toBe(mask[at] === 0));
});

test("rims are drawn by seed: rates of the stated spread, spots on corners that hold the new phase", () => {
  const laid = outlineGrid(hexagon(1), 0.15);
  const grid = maskedGrid(laid.mask, laid.width, laid.height, 0.15);
  const logs = Array.from({ length: 200 }, (_, seed) => [...rateFactors(grid, { seed })].map(Math.log)).flat();
  const mean = logs.reduce((sum, value) => sum + value, 0) / logs.length;
  const sd = Math.sqrt(logs.reduce((sum, value) => sum + (value - mean) ** 2, 0) / logs.length);
  expect(mean).toBeCloseTo(0, 1);
  expect(sd).toBeCloseTo(0.3, 1);
  const of = thermodynamics(lco);
  const out = hotSpotWetting(grid, of, 0.25, { seed: 1, hotSpots: 2 }, "delithiation");
  expect(Math.min(...out)).toBeCloseTo(-0.4, 9);
  expect(Math.max(...out)).toBeLessThanOrEqual(0);
  const first = hotSpotWetting(grid, of, 0.25, { seed: 1 }, "lithiation");
  const later = Array.from({ length: 6 }, (_, cycle) =>
    hotSpotWetting(grid, of, 0.25, { seed: 1, cycle: cycle + 1 }, "lithiation"),
  );
  expect(Math.max(...first)).toBeCloseTo(0.4, 9);
  expect(later.some((wetting) => wetting.some((value, at) => value !== first[at]))).toBe(true);
});

test.each<[string, Partial<EnsembleSpec>, string]>([
  ["no particle", { particles: [] }, "particles"],
  ["no step", { steps: [] }, "steps"],
  ["a rest without end", { steps: [{ kind: "rest" }] }, "steps.0.lasts_s"],
  ["no current", { steps: [{ kind: "lithiation", x_per_h: 0 }] }, "steps.0.x_per_h"],
  ["no weight", { particles: [{ ...spec.particles[0]!, weight: 0 }] }, "particles.0.weight"],
  ["a negative contact", { particles: [{ ...spec.particles[0]!, contact_ohm_m2: -1 }] }, "particles.0.contact_ohm_m2"],
  ["an empty particle", { x0: 0 }, "x0"],
])("refused: %s", async (_, change, parameter) => {
  const error = await finish(simulateEnsemble({ ...spec, ...change })).then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ParameterError);
  expect((error as ParameterError).parameter).toBe(parameter);
});

test("senseless values in any field are refused, and none keeps the run from stopping", async () => {
  const particle = { ...outlineGrid(hexagon(0.3), 0.175), weight: 1, contact_ohm_m2: 0.001, way_V_h: 0.001 };
  const quick: EnsembleSpec = {
    particles: [
      { ...particle, exchange_A_m2: 1, x0: 0.96, edge: { seed: 1 } },
      { ...particle, edge: { seed: 2 } },
    ],
    material: lco,
    delta_um: 0.25,
    x0: 0.96,
    steps: [
      { kind: "delithiation", x_per_h: 20, until_V: 4.3, until_x: 0.92, lasts_s: 50 },
      { kind: "rest", lasts_s: 1 },
      { kind: "lithiation", x_per_h: 20, until_V: 3, until_x: 0.93, lasts_s: 50 },
    ],
    snapshots_s: 5,
    stepChange_x: 0.02,
  };
  await refusesJunk([quick], async ([given], signal) => {
    const { x_per_h, particles } = await drained(simulateEnsemble(stoppedBy(given, signal)));
    expect(x_per_h.every((rate) => Math.abs(rate) < 1e9)).toBe(true);
    for (const { x } of particles) expect(x.every((one) => Number.isNaN(one) || (one >= 0 && one <= 1))).toBe(true);
  });
});

test("a step that no potential ends is stopped where the rim is full", async () => {
  for (const until_V of [0.4, 0.1, -5]) {
    const steps = [{ kind: "lithiation" as const, x_per_h: 5, until_V }];
    const going = drained(simulateEnsemble({ ...spec, x0: 0.8, steps }));
    await expect(going).rejects.toThrow(/^drive is 5\. At .* overfills the rim/);
  }
});
