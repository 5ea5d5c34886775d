import { expect, test } from "vitest";
import { cycler, type CyclerOptions, type Order } from "../../test/cycler.js";
import { random } from "../kernels/random.js";
import { differentialCapacity } from "./differential-capacity.js";
import { findHalfCycles, findSteps } from "./half-cycles.js";
import { overlayRecords, type OverlaidRecord } from "./records-overlay.js";

/** Cycles at one current between 3.2 and 4.25 V. */
function record(name: string, currents_mA: readonly number[], options: Partial<CyclerOptions>): OverlaidRecord {
  const orders: Order[] = currents_mA.flatMap((current_mA) => [
    { current_mA, until_V: 4.25 },
    { current_mA: 0, for_s: 300 },
    { current_mA: -current_mA, until_V: 3.2 },
    { current_mA: 0, for_s: 300 },
  ]);
  const { cycling } = cycler(orders, { interval_s: 20, ...options });
  const facts = { active_mass_mg: null, nominal_mAh_g: 155, nominal_mAh: null };
  const found = differentialCapacity(cycling, findHalfCycles(cycling, findSteps(cycling), facts), { dV_V: 0.004 });
  return { name, cycling, halfCycles: found.halfCycles, curves: found.curves };
}

test("a cell of more resistance and less material beside another: polarisation, shift of peaks, capacity", () => {
  for (let seed = 1; seed <= 5; seed++) {
    const draw = random(seed);
    const capacity = 0.5 + draw.uniform();
    const more_kOhm = 0.3 * draw.uniform();
    const current = 0.02;
    const coin = record("coin", [current, current], { capacity_mAh: 0.2, resistance_kOhm: 0.2, seed });
    const cell = record("cell", [current * capacity, current * capacity], {
      capacity_mAh: 0.2 * capacity,
      resistance_kOhm: 0.2 / capacity + more_kOhm,
      noise_V: 0.0003,
      seed: seed + 50,
    });
    const overlay = overlayRecords(coin, cell);
    expect(overlay.pairs.length).toBe(4);
    // Its own resistance does to its current what the other's does; the rest is a mV for each uA and kOhm.
    const extra_mV = 1000 * more_kOhm * current * capacity;
    const [own, other] = overlay.polarisation_mV;
    expect(other!.value - own!.value).toBeGreaterThan(extra_mV - 1.5);
    expect(other!.value - own!.value).toBeLessThan(extra_mV + 1.5);
    // The limits are reached a little earlier, so that equal shares are not quite equal lithium.
    for (const { kind, offset_mV } of overlay.pairs)
      expect(Math.abs(offset_mV - (kind === "charge" ? extra_mV : -extra_mV))).toBeLessThan(4);
    const peak = overlay.peak_shift_mV.find(({ name }) => name === "I")!;
    expect(Math.abs(peak.shift.value - extra_mV)).toBeLessThan(3);
    expect(Math.abs(overlay.capacity_ratio.charge!.value / capacity - 1)).toBeLessThan(0.03);
  }
});

test("half cycles at other rates are not compared", () => {
  const slow = record("slow", [0.01], {});
  const fast = record("fast", [0.03, 0.01], {});
  const overlay = overlayRecords(slow, fast);
  expect(overlay.pairs.length).toBe(2);
  for (const { rate_per_h } of overlay.pairs) expect(rate_per_h[1] / rate_per_h[0]).toBeCloseTo(1, 1);
  expect(overlay.unmatched).toEqual([0, 2]);
});

test("a record over itself differs in nothing", () => {
  const one = record("one", [0.02, 0.02], { noise_V: 0.0002 });
  const { pairs, capacity_ratio, polarisation_mV, peak_shift_mV } = overlayRecords(one, { ...one, name: "two" });
  expect(pairs.every(({ offset_mV, spread_mV }) => offset_mV === 0 && spread_mV === 0)).toBe(true);
  expect(capacity_ratio.charge).toEqual({ value: 1, sd: 0, n: 2 });
  expect(polarisation_mV[0]).toEqual(polarisation_mV[1]);
  expect(peak_shift_mV.every(({ shift }) => shift.value === 0)).toBe(true);
});
