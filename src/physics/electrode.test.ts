import { array, assert, asyncProperty, constantFrom, double, integer, property, record } from "fast-check";
import { expect, test } from "vitest";
import { refusesJunk } from "../../test/junk.js";
import { finish } from "../../test/phase-field-ladder.js";
import type { CyclingSpec } from "./cycler.js";
import { cycleElectrode, electrodeParticles, lithiumPerHour, type ElectrodeSpec } from "./electrode.js";
import { withTransport } from "./materials/library.js";
import { lco, lcoMeasured } from "./materials/lco.js";
import { simulateEnsemble, type EnsembleResult } from "./phase-field-ensemble.js";
import type { ElectrodeStep } from "./phase-field-drive.js";

const small: ElectrodeSpec = {
  seed: 1,
  particles: 3,
  radii_um: [0.9, 1.6],
  lnExchange_sd: 0.8,
  contact_ohm_m2: 0,
  window_V: 0.01,
  h_um: 0.36,
  delta_um: 0.5,
};
const cycling = (rate_C: number, given: Partial<CyclingSpec> = {}): CyclingSpec => ({
  before_s: 0,
  interval_s: 5,
  active_mass_mg: 0.812,
  nominal_mAh_g: 155,
  x0: 0.955,
  overpotential_V: 0.01,
  noise_V: 0,
  programme: [
    { kind: "rest", lasts_s: 30 },
    { kind: "charge", rate_C, until_V: 4.3, lasts_s: 20_000 },
    { kind: "discharge", rate_C, until_V: 3, lasts_s: 20_000 },
  ],
  ...given,
});
const C = lithiumPerHour(lco);

/** Steps in and out at rates, rests between. */
const thereAndBack = (rates_C: readonly number[], rest_s: number): ElectrodeStep[] =>
  rates_C.flatMap((rate_C): ElectrodeStep[] => [
    { kind: "rest", lasts_s: rest_s },
    { kind: "delithiation", x_per_h: rate_C * C, until_V: 4.28 },
    { kind: "rest", lasts_s: rest_s },
    { kind: "lithiation", x_per_h: rate_C * C, until_V: 3.02, until_x: 0.955 },
  ]);

async function run(
  electrode: ElectrodeSpec,
  steps: readonly ElectrodeStep[],
  material = lcoMeasured,
): Promise<EnsembleResult> {
  const particles = electrodeParticles(electrode, material);
  const { result } = await finish(
    simulateEnsemble({
      particles,
      material,
      delta_um: electrode.delta_um,
      x0: 0.955,
      steps,
      stepChange_x: 0.02,
      snapshots_s: 1e6,
    }),
  );
  return result;
}

test("whatever contacts, ways and rates, an electrode runs to its ends, keeps its lithium and has a potential throughout", async () => {
  await assert(
    asyncProperty(
      record({
        seed: integer({ min: 0, max: 2 ** 31 - 1 }),
        contact_ohm_m2: double({ min: 0, max: 0.1, noNaN: true }),
        window_V: double({ min: 0, max: 0.04, noNaN: true }),
        lnExchange_sd: double({ min: 0, max: 1.5, noNaN: true }),
      }),
      array(double({ min: 0.5, max: 6, noNaN: true }), { minLength: 1, maxLength: 1 }),
      double({ min: 1, max: 300, noNaN: true }),
      constantFrom("constant" as const, "lattice-gas" as const, "excluded-site" as const),
      async (drawn, rates_C, rest_s, rateLaw) => {
        const material = withTransport(lcoMeasured, { rateLaw }, "test");
        const result = await run({ ...small, ...drawn }, thereAndBack([...rates_C, 6], rest_s), material);
        expect(result.massError).toBeLessThan(1e-9);
        expect(result.potential_V.every(Number.isFinite)).toBe(true);
        expect(result.ends).toHaveLength(4 * (rates_C.length + 1));
        for (const end of result.ends) expect(["potential", "lithium", "time"]).toContain(end);
        // A charge never passes its limit, nor a discharge.
        result.potential_V.forEach((E_V, at) => {
          const kind = result.step[at]! % 4;
          if (kind === 1) expect(E_V).toBeLessThan(4.28 + 1e-9);
          if (kind === 3) expect(E_V).toBeGreaterThan(3.02 - 1e-9);
        });
      },
    ),
    { numRuns: 4, endOnFailure: true },
  );
});

test("a charge at 6C after a rest, whose first steps are far too long and end in no number, begins all the same", async () => {
  for (const contact_ohm_m2 of [0, 0.005, 0.05]) {
    for (const spots of [true, false]) {
      const particles = electrodeParticles({ ...small, contact_ohm_m2 }, lcoMeasured).map((own) =>
        spots ? own : { ...own, edge: undefined },
      );
      const { result } = await finish(
        simulateEnsemble({
          particles,
          material: lcoMeasured,
          delta_um: small.delta_um,
          x0: 0.955,
          steps: [
            { kind: "rest", lasts_s: 60 },
            { kind: "delithiation", x_per_h: 6 * C, until_x: 0.85, lasts_s: 300 },
          ],
          stepChange_x: 0.02,
          snapshots_s: 1e6,
        }),
      );
      expect(result.ends).toEqual(["time", "lithium"]);
      expect(result.massError).toBeLessThan(1e-9);
      expect(result.potential_V.every(Number.isFinite)).toBe(true);
    }
  }
});

test("the electrode turns round at its limits: a charge ends at 4.3 V, a discharge at 3.0 V or when the lithium is back", async () => {
  const slow = await cycleElectrode(small, lcoMeasured, cycling(2), 1);
  expect(slow.halfCycles.map(({ kind, endedBy }) => [kind, endedBy])).toEqual([
    ["charge", "potential"],
    ["discharge", "lithium"],
  ]);
  expect(slow.ensemble.x_mean.at(-1)).toBeCloseTo(0.955, 8);
  expect(Math.max(...slow.record.potential_V)).toBeCloseTo(4.3, 6);
  // The discharge begins at once, with the charge's lithium.
  expect(slow.halfCycles[1]!.start_s).toBe(slow.halfCycles[0]!.end_s);

  const fast = await cycleElectrode(
    { ...small, contact_ohm_m2: 0.1 },
    lcoMeasured,
    cycling(2, {
      programme: [
        { kind: "charge", rate_C: 2, until_V: 4.3, lasts_s: 20_000 },
        { kind: "discharge", rate_C: 12, until_V: 3, lasts_s: 20_000 },
      ],
    }),
    1,
  );
  expect(fast.halfCycles.map(({ endedBy }) => endedBy)).toEqual(["potential", "potential"]);
  expect(fast.ensemble.x_mean.at(-1)).toBeLessThan(0.95);
  expect(Math.min(...fast.record.potential_V)).toBeCloseTo(3, 6);

  const brief = await cycleElectrode(
    small,
    lcoMeasured,
    cycling(2, { programme: [{ kind: "charge", rate_C: 2, until_V: 4.3, lasts_s: 50 }] }),
    1,
  );
  expect(brief.halfCycles.map(({ endedBy }) => endedBy)).toEqual(["time"]);

  // Behind a contact that alone loses more than there is between plateau and limit nothing moves.
  const none = await cycleElectrode({ ...small, contact_ohm_m2: 1 }, lcoMeasured, cycling(20), 1);
  expect(none.halfCycles).toEqual([]);
  expect(none.ensemble.ends).toEqual(["time", "potential", "potential"]);
});

test("nothing but the potential would end a discharge that may go on: it then fills the sites", async () => {
  const result = await run(small, [
    { kind: "delithiation", x_per_h: C, until_x: 0.8 },
    { kind: "lithiation", x_per_h: C, until_V: 3 },
  ]);
  expect(result.ends[1]).toBe("potential");
  expect(result.x_mean.at(-1)).toBeGreaterThan(0.98);
});

test("the particles at the window see what the way through the electrode has left", async () => {
  const cycled = await cycleElectrode(small, lcoMeasured, cycling(2), 1);
  const { ensemble, halfCycles } = cycled;
  for (const { kind, start_s, E_V } of halfCycles) {
    const lost_V = kind === "charge" ? 0.02 : -0.02;
    for (const [t_s, at_V] of E_V.slice(1, -1)) {
      const row = ensemble.t_s.indexOf(start_s + t_s);
      expect(at_V).toBeCloseTo(ensemble.potential_V[row]! - lost_V, 9);
    }
  }
  // One particle half way along: the terminal stands off by half of what 2C loses.
  const alone = { ...small, particles: 1 };
  const steps: ElectrodeStep[] = [{ kind: "delithiation", x_per_h: 2 * C, until_x: 0.95 }];
  const near = await run({ ...alone, window_V: 0 }, steps);
  const far = await run(alone, steps);
  expect(far.potential_V[0]! - near.potential_V[0]!).toBeCloseTo(0.01, 9);
});

test("sizes, exchange currents, contacts and ways fill their ranges, whatever the seed", () => {
  assert(
    property(integer({ min: 0, max: 2 ** 31 - 1 }), (seed) => {
      const particles = electrodeParticles({ ...small, seed, particles: 12, contact_ohm_m2: 0.012 }, lco);
      const logs = particles.map(({ exchange_A_m2 }) => Math.log(exchange_A_m2!));
      const sd = Math.sqrt(logs.reduce((sum, value) => sum + value ** 2, 0) / logs.length);
      expect(logs.reduce((sum, value) => sum + value, 0)).toBeCloseTo(0, 9);
      expect(sd).toBeCloseTo(0.8, 2);
      const even = Array.from({ length: 12 }, (_, at) => (at + 0.5) / 12);
      const sorted = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);
      sorted(particles.map(({ contact_ohm_m2 }) => contact_ohm_m2! / 0.012)).forEach((share, at) =>
        expect(share).toBeCloseTo(even[at]!, 9),
      );
      sorted(particles.map(({ way_V_h }) => (way_V_h! * C) / 0.01)).forEach((share, at) =>
        expect(share).toBeCloseTo(even[at]!, 9),
      );
    }),
    { numRuns: 20 },
  );
});

test("senseless values in any field are refused, and none keeps the electrode from stopping", async () => {
  const electrode = { ...small, particles: 2, radii_um: [0.8, 1] as const };
  const short = cycling(20, {
    interval_s: 1,
    programme: [
      { kind: "charge", rate_C: 20, until_V: 4.3, lasts_s: 10 },
      { kind: "rest", lasts_s: 2 },
      { kind: "discharge", rate_C: 20, until_V: 3, lasts_s: 5 },
    ],
  });
  await refusesJunk([electrode, lco, short, 1] as const, ([of, material, cycler, seed], signal) =>
    cycleElectrode(of, material, cycler, seed, signal),
  );
  await expect(cycleElectrode(electrode, lco, short, 1, {} as AbortSignal)).rejects.toThrow(/^signal is/);
});
