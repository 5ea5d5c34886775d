import * as fc from "fast-check";
import { expect, test } from "vitest";
import { cycler, lcoPotential_V } from "../../test/cycler.js";
import type { Cycling, HalfCycle } from "../model/cycling.js";
import { differentialCapacity } from "./differential-capacity.js";
import { findHalfCycles, findSteps } from "./half-cycles.js";

const facts = { active_mass_mg: null, nominal_mAh_g: 155, nominal_mAh: 0.1 };
const resistance_kOhm = 0.3;

function analysed(cycling: Cycling, dV_V = 0.004): ReturnType<typeof differentialCapacity> {
  return differentialCapacity(cycling, findHalfCycles(cycling, findSteps(cycling), facts), { dV_V });
}

/** Lithium and open-circuit potential where -dx/dU of LiCoO2 is greatest between two potentials. */
function steepest(low_V: number, high_V: number): { x: number; potential_V: number } {
  let best = { x: NaN, potential_V: NaN, slope: 0 };
  for (let x = 0.96; x > 0.44; x -= 1e-4) {
    const potential_V = lcoPotential_V(x);
    const slope = 2e-4 / (lcoPotential_V(x - 1e-4) - lcoPotential_V(x + 1e-4));
    if (potential_V >= low_V && potential_V <= high_V && slope > best.slope) best = { x, potential_V, slope };
  }
  return best;
}

function peak(halfCycle: HalfCycle, name: string): HalfCycle["peaks"][number] {
  return halfCycle.peaks.find((one) => one.name === name)!;
}

test("the plateau of LiCoO2 is peak I on charge and IV on discharge, at the potential and time where it was crossed", () => {
  const plateau = steepest(3.8, 4.0);
  fc.assert(
    fc.property(
      fc.constantFrom(0.5, 1, 2),
      fc.constantFrom(1, 4, 10),
      fc.constantFrom(0, 3e-4, 1e-3),
      fc.integer({ min: 1, max: 1e6 }),
      (rate, interval_s, noise_V, seed) => {
        const current_mA = 0.1 * rate;
        const { cycling, x, truth } = cycler(
          [
            { current_mA, until_V: 4.3 },
            { current_mA: -current_mA, until_V: 3.5 },
          ],
          { interval_s, noise_V, seed, resistance_kOhm },
        );
        const { halfCycles } = analysed(cycling);
        // One potential step, and four times the noise of a row.
        const within_V = 0.004 + 4 * noise_V;
        for (const [at, name] of (["I", "IV"] as const).entries()) {
          const found = peak(halfCycles[at]!, name);
          const sign = at === 0 ? 1 : -1;
          expect(Math.abs(found.potential_V - plateau.potential_V - sign * current_mA * resistance_kOhm)).toBeLessThan(
            within_V,
          );
          const row = Array.from(cycling.time_s).findIndex((time_s) => time_s >= found.t_s);
          expect(Math.abs(lcoPotential_V(x[row]!) - plateau.potential_V)).toBeLessThan(within_V);
          expect(found.start_s).toBeLessThan(found.t_s);
          expect(found.end_s).toBeGreaterThan(found.t_s);
          expect(found.start_s).toBeGreaterThanOrEqual(truth[at]!.start_s);
          expect(found.end_s).toBeLessThanOrEqual(truth[at]!.end_s);
        }
      },
    ),
    { numRuns: 25 },
  );
});

test("the lithium order near Li0.5 is II on charge and III on discharge, and small peaks are found beside a great one", () => {
  const order = steepest(4.03, 4.1);
  const { cycling } = cycler(
    [
      { current_mA: 0.05, until_V: 4.3 },
      { current_mA: -0.05, until_V: 3.5 },
    ],
    { interval_s: 10, noise_V: 2e-4, seed: 3, resistance_kOhm },
  );
  const { halfCycles } = analysed(cycling);
  expect(peak(halfCycles[0]!, "II").potential_V).toBeCloseTo(order.potential_V + 0.015, 2);
  expect(peak(halfCycles[1]!, "III").potential_V).toBeCloseTo(order.potential_V - 0.015, 2);
  expect(peak(halfCycles[0]!, "II").height_mAh_V).toBeLessThan(0.3 * peak(halfCycles[0]!, "I").height_mAh_V);
});

test("the curve holds the charge that was passed, positive on charge, negative on discharge, along a rising clock", () => {
  const { cycling } = cycler(
    [
      { current_mA: 0.2, until_V: 4.3, hold_s: 300 },
      { current_mA: 0, for_s: 200 },
      { current_mA: -0.2, until_V: 3.5 },
    ],
    { interval_s: 2, noise_V: 3e-4, seed: 8 },
  );
  const { halfCycles, curves } = analysed(cycling);
  for (const [at, curve] of curves.entries()) {
    const sign = at === 0 ? 1 : -1;
    const { potential_V, dQdV_mAh_V } = curve;
    const sum_mAh = dQdV_mAh_V.reduce(
      (sum, value, row) => sum + value * Math.abs(potential_V[row]! - (potential_V[row - 1] ?? potential_V[row]!)),
      0,
    );
    const steps = findSteps(cycling).filter(({ kind }) => kind === halfCycles[at]!.kind);
    expect(sum_mAh / (sign * Math.abs(steps[0]!.charge_mAh))).toBeCloseTo(1, 1.5);
    expect(curve.dQdV_mAh_V.every((value) => sign * value >= 0)).toBe(true);
    expect(curve.time_s.every((time_s, row) => row === 0 || time_s >= curve.time_s[row - 1]!)).toBe(true);
    // Smooth on the clock as well: the potential of a plateau is told more finely.
    const gap_s = curve.time_s.reduce(
      (most, time_s, row) => Math.max(most, time_s - (curve.time_s[row - 1] ?? time_s)),
      0,
    );
    expect(gap_s).toBeLessThan(0.04 * (halfCycles[at]!.end_s - halfCycles[at]!.start_s));
    // The hold is no part of it.
    expect(curve.time_s.at(-1)).toBeLessThanOrEqual(steps[0]!.end_s);
    expect(sign * (curve.potential_V.at(-1)! - curve.potential_V[0]!)).toBeGreaterThan(0.5);
  }
});

test("a sloping record without a plateau has no peak, whatever the noise", () => {
  fc.assert(
    fc.property(fc.constantFrom(0, 1e-4, 1e-3, 3e-3), fc.integer({ min: 1, max: 1e6 }), (noise_V, seed) => {
      const { cycling } = cycler([{ current_mA: 0.1, for_s: 3600 }], { interval_s: 2, noise_V, seed });
      const sloping = {
        ...cycling,
        potential_V: cycling.potential_V.map((value, row) => 3.5 + value - noiseless[row]! + (0.8 * row) / 1800),
      };
      const { halfCycles } = analysed(sloping);
      expect(halfCycles[0]!.peaks.length).toBeLessThanOrEqual(noise_V > 5e-4 ? 1 : 0);
    }),
    { numRuns: 20 },
  );
});
const noiseless = cycler([{ current_mA: 0.1, for_s: 3600 }], { interval_s: 2 }).cycling.potential_V;

test("other potentials, another role and a potential that runs the other way get no names", () => {
  const { cycling } = cycler([{ current_mA: 0.1, until_V: 4.3 }], { interval_s: 5 });
  const halfCycles = findHalfCycles(cycling, findSteps(cycling), facts);
  const names = (record: Cycling, role?: "cathode" | "anode" | "unknown"): string[] =>
    differentialCapacity(record, halfCycles, { dV_V: 0.004, ...(role === undefined ? {} : { role }) })
      .halfCycles[0]!.peaks.map(({ name }) => name)
      .filter((name) => name !== "");
  expect(names(cycling)).toEqual(["I", "II"]);
  expect(names(cycling, "unknown")).toEqual([]);
  expect(names({ ...cycling, potential_V: cycling.potential_V.map((value) => value - 1.2) })).toEqual([]);
  expect(names({ ...cycling, potential_V: cycling.potential_V.map((value) => 7.8 - value) })).toEqual([]);
});

test("a half cycle that hardly moves the potential has an empty curve and no peak", () => {
  const { cycling } = cycler([{ current_mA: 0.1, for_s: 120 }], { interval_s: 2, x0: 0.85 });
  const { halfCycles, curves } = analysed(cycling, 0.05);
  expect(curves[0]!.potential_V).toHaveLength(0);
  expect(halfCycles[0]!.peaks).toEqual([]);
});
