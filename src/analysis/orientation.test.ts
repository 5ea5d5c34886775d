import { expect, test } from "vitest";
import { cycler } from "../../test/cycler.js";
import { orientCycling } from "./orientation.js";

const half = { imaged: "working", role: "cathode", currentSign: "anodic-positive" } as const;

function twoHalfCycles(seed: number): ReturnType<typeof cycler>["cycling"] {
  return cycler(
    [
      { current_mA: 0, for_s: 100 },
      { current_mA: 0.2, until_V: 4.3, hold_s: 200 },
      { current_mA: -0.2, until_V: 3.4 },
      { current_mA: 0, for_s: 200 },
    ],
    { interval_s: 3, seed, noise_V: 5e-4, noise_mA: 2e-4 },
  ).cycling;
}

test("current and charge are turned once for an imaged counter electrode, once for cathodic-positive, twice not", () => {
  const record = twoHalfCycles(4);
  for (const imaged of ["working", "counter"] as const) {
    for (const currentSign of ["anodic-positive", "cathodic-positive"] as const) {
      const { cycling } = orientCycling(record, { ...half, imaged, currentSign });
      const sign = (imaged === "counter") === (currentSign === "cathodic-positive") ? 1 : -1;
      expect(cycling.current_mA).toEqual(record.current_mA.map((value) => sign * value));
      expect(cycling.charge_mAh).toEqual(record.charge_mAh.map((value) => (value === 0 ? 0 : sign * value)));
      expect(cycling.potential_V).toEqual(record.potential_V);
      expect(cycling.time_s).toEqual(record.time_s);
    }
  }
});

test("right statements give no warning: half cell either way, anode, counter electrode of a full cell", () => {
  const record = twoHalfCycles(7);
  const reversed = {
    ...record,
    current_mA: record.current_mA.map((value) => -value),
    charge_mAh: record.charge_mAh.map((value) => -value),
  };
  expect(orientCycling(record, half).warnings).toEqual([]);
  expect(orientCycling(record, { ...half, role: "anode" }).warnings).toEqual([]);
  expect(orientCycling(record, { ...half, imaged: "counter", role: "anode" }).warnings).toEqual([]);
  expect(orientCycling(reversed, { ...half, currentSign: "cathodic-positive" }).warnings).toEqual([]);
});

test("a potential that goes the other way is a warning that names the flags, and changes nothing", () => {
  const record = twoHalfCycles(9);
  const wrong = orientCycling(record, { ...half, currentSign: "cathodic-positive" });
  expect(wrong.warnings).toHaveLength(1);
  expect(wrong.warnings[0]).toMatch(/potential falls.*--imaged.*--current-sign/);
  expect(wrong.cycling.current_mA).toEqual(record.current_mA.map((value) => -value));
});

test("an unsigned current is told as such", () => {
  const record = twoHalfCycles(11);
  const { warnings } = orientCycling({ ...record, current_mA: record.current_mA.map(Math.abs) }, half);
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toMatch(/without its sign/);
});

test("rows without a time are left out and counted; rest alone is no contradiction", () => {
  const record = twoHalfCycles(13);
  const time_s = Float64Array.from(record.time_s);
  time_s[5] = NaN;
  time_s[9] = NaN;
  const { cycling, warnings } = orientCycling({ ...record, time_s }, half);
  expect(cycling.time_s).toHaveLength(time_s.length - 2);
  expect(cycling.potential_V[5]).toBe(record.potential_V[6]);
  expect(warnings).toEqual(["2 rows of the cycler's record have no time and are left out."]);

  const resting = cycler([{ current_mA: 0, for_s: 500 }], { interval_s: 1, noise_V: 1e-3 }).cycling;
  expect(orientCycling(resting, { ...half, currentSign: "cathodic-positive" }).warnings).toEqual([]);
});

test("the overshoot with which a plateau begins is no contradiction", () => {
  const time_s = Float64Array.from({ length: 900 }, (_, at) => at);
  // Nuclei come late: the potential jumps, falls by 40 mV as they grow, and rises slowly.
  const potential_V = time_s.map((t_s) => (t_s < 60 ? 3.91 : 3.985 + 0.042 * Math.exp((60 - t_s) / 80) + 2.5e-5 * t_s));
  const current_mA = time_s.map((t_s) => (t_s < 60 ? 0 : 0.25));
  const charge_mAh = time_s.map((t_s) => (Math.max(0, t_s - 60) * 0.25) / 3600);
  const record = { ...twoHalfCycles(15), time_s, potential_V, current_mA, charge_mAh };
  expect(orientCycling(record, half).warnings).toEqual([]);
});
