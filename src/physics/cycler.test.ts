import { expect, test } from "vitest";
import { cyclerRecord, openCircuit, type CyclingSpec } from "./cycler.js";
import { scenarios } from "./scenarios.js";

const spec: CyclingSpec = { ...scenarios["paper-cycle"]!.cycling!, noise_V: 0 };
const record = cyclerRecord(spec, 1);
const { time_s, potential_V, current_mA, charge_mAh } = record;

/** Charge that passes while the potential is between two values, in one direction of the current. */
function chargeBetween(low_V: number, high_V: number, sign: number): number {
  let sum = 0;
  for (let row = 1; row < time_s.length; row++) {
    const inside = potential_V[row]! >= low_V && potential_V[row]! < high_V;
    if (inside && Math.sign(current_mA[row]!) === sign) sum += Math.abs(charge_mAh[row]! - charge_mAh[row - 1]!);
  }
  return sum;
}

test("2C of 0.812 mg is 0.2517 mA; charge is positive and counts up", () => {
  expect(Math.max(...current_mA)).toBeCloseTo(2 * 0.155 * 0.812, 9);
  expect(Math.min(...current_mA)).toBeCloseTo(-2 * 0.155 * 0.812, 9);
  for (let row = 1; row < time_s.length; row++) {
    const passed = (current_mA[row]! * (time_s[row]! - time_s[row - 1]!)) / 3600;
    expect(charge_mAh[row]! - charge_mAh[row - 1]!).toBeCloseTo(passed, 12);
  }
});

test("the cell is charged to 4.3 V and discharged to 3.0 V in about 25 minutes each", () => {
  const charging = [...current_mA.keys()].filter((row) => current_mA[row]! > 0);
  const discharging = [...current_mA.keys()].filter((row) => current_mA[row]! < 0);
  expect(potential_V[charging.at(-1)!]).toBeGreaterThanOrEqual(4.3);
  expect(potential_V[charging.at(-2)!]).toBeLessThan(4.3);
  expect(potential_V[discharging.at(-1)!]).toBeLessThanOrEqual(3);
  expect(charging.length / 60).toBeGreaterThan(24);
  expect(charging.length / 60).toBeLessThan(26);
  expect(discharging.length / charging.length).toBeCloseTo(1, 1);
});

test("dQ/dV peaks near 4.0 V on charge and 3.8 V on discharge, as peaks I and IV of the paper", () => {
  const bins = Array.from({ length: 60 }, (_, bin) => 3.5 + 0.0125 * bin);
  const highest = (sign: number): number =>
    bins.reduce((best, low) =>
      chargeBetween(low, low + 0.0125, sign) > chargeBetween(best, best + 0.0125, sign) ? low : best,
    );
  expect(Math.abs(highest(1) - 4)).toBeLessThan(0.02);
  expect(Math.abs(highest(-1) - 3.82)).toBeLessThan(0.02);
});

test("the open-circuit potential has its plateau and falls with lithium", () => {
  // Values of the fit as tabulated elsewhere.
  for (const [x, U] of [
    [0.5, 4.186],
    [0.75, 3.921],
    [0.85, 3.909],
    [0.95, 3.721],
  ] as const) {
    expect(Math.abs(openCircuit(x) - U)).toBeLessThan(0.001);
  }
  for (let x = 0.45; x < 0.97; x += 0.005) expect(openCircuit(x + 0.005)).toBeLessThan(openCircuit(x));
});

test("a record begins at rest, steps as its programme does, and is the same for a seed", () => {
  const noisy = cyclerRecord({ ...spec, noise_V: 1e-3, interval_s: 0.5 }, 9);
  expect(noisy.time_s[0]).toBe(0);
  expect(noisy.time_s[181]).toBe(90.5);
  expect([noisy.current_mA[180], noisy.current_mA[181]! > 0]).toEqual([0, true]);
  expect(cyclerRecord({ ...spec, noise_V: 1e-3, interval_s: 0.5 }, 9)).toEqual(noisy);
  expect(cyclerRecord({ ...spec, noise_V: 1e-3, interval_s: 0.5 }, 10).potential_V).not.toEqual(noisy.potential_V);
});
