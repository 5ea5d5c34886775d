import * as fc from "fast-check";
import { expect, test } from "vitest";
import { cycler, type Order } from "../../test/cycler.js";
import { random } from "../kernels/random.js";
import type { Cycling } from "../model/cycling.js";
import { findHalfCycles, findSteps } from "./half-cycles.js";

const facts = { active_mass_mg: null, nominal_mAh_g: 155, nominal_mAh: 0.1 };

function columns(rows: readonly (readonly [time_s: number, potential_V: number, current_mA: number])[]): Cycling {
  const charge = new Float64Array(rows.length);
  for (let row = 1; row < rows.length; row++) {
    const [[before_s, , before_mA], [now_s, , now_mA]] = [rows[row - 1]!, rows[row]!];
    charge[row] = charge[row - 1]! + (0.5 * (now_s - before_s) * (before_mA + now_mA)) / 3600;
  }
  return {
    time_s: Float64Array.from(rows, ([time_s]) => time_s),
    potential_V: Float64Array.from(rows, ([, potential_V]) => potential_V),
    current_mA: Float64Array.from(rows, ([, , current_mA]) => current_mA),
    charge_mAh: charge,
  };
}

test("steps are found as they were ordered, whatever rate, interval, noise and way of logging", () => {
  fc.assert(
    fc.property(
      fc.record({
        rate: fc.constantFrom(0.5, 1, 2, 4),
        interval_s: fc.constantFrom(1, 5, 10),
        noise_V: fc.constantFrom(0, 1e-4, 1e-3),
        noise: fc.constantFrom(0, 1e-3, 4e-3),
        logging: fc.constantFrom("sampled" as const, "derived" as const),
        rests: fc.boolean(),
        hold: fc.boolean(),
        seed: fc.integer({ min: 1, max: 1e6 }),
      }),
      ({ rate, interval_s, noise_V, noise, logging, rests, hold, seed }) => {
        const current_mA = 0.1 * rate;
        const rest: Order[] = rests ? [{ current_mA: 0, for_s: 40 * interval_s }] : [];
        const charge: Order = { current_mA, until_V: 4.3, ...(hold ? { hold_s: 300 } : {}) };
        const { cycling, truth } = cycler(
          [...rest, charge, ...rest, { current_mA: -current_mA, until_V: 3.4 }, ...rest, charge, ...rest],
          { interval_s, noise_V, noise_mA: logging === "derived" ? 0 : noise * current_mA, logging, seed },
        );
        const steps = findSteps(cycling);
        expect(steps.map(({ kind }) => kind)).toEqual(truth.map(({ kind }) => kind));
        for (const [at, step] of steps.entries()) {
          // The hold's first rows still carry nearly the imposed current.
          const slack_s = step.kind === "hold" || steps[at + 1]?.kind === "hold" ? 60 + 2 * interval_s : 2 * interval_s;
          expect(Math.abs(step.start_s - truth[at]!.start_s)).toBeLessThanOrEqual(slack_s);
          expect(Math.abs(step.end_s - truth[at]!.end_s)).toBeLessThanOrEqual(slack_s);
        }
        const halfCycles = findHalfCycles(cycling, steps, facts);
        expect(halfCycles.map(({ kind, cycle }) => `${kind} ${cycle}`)).toEqual([
          "charge 1",
          "discharge 1",
          "charge 2",
        ]);
        for (const { rate_C } of halfCycles) expect(rate_C! / rate).toBeCloseTo(1, 2);
        const driven = truth.filter(({ kind }) => kind === "charge" || kind === "discharge");
        for (const [at, halfCycle] of halfCycles.entries()) {
          // Between two rows, by the charge; the record's own ends are rows.
          const held_s = hold && halfCycle.kind === "charge" ? 300 : 0;
          expect(Math.abs(halfCycle.start_s - driven[at]!.start_s)).toBeLessThanOrEqual(0.6);
          expect(Math.abs(halfCycle.end_s - driven[at]!.end_s - held_s)).toBeLessThanOrEqual(
            rests || at < 2 ? 0.6 : interval_s,
          );
        }
      },
    ),
    { numRuns: 40 },
  );
});

test("a half cycle's charge is what was passed, its hold included, and efficiency is discharge over charge", () => {
  const { cycling, truth } = cycler(
    [
      { current_mA: 0.2, until_V: 4.3, hold_s: 600 },
      { current_mA: -0.2, until_V: 3.4 },
    ],
    { interval_s: 2 },
  );
  const [charge, discharge] = findHalfCycles(cycling, findSteps(cycling), facts);
  const charged_mAh = truth[0]!.charge_mAh + truth[1]!.charge_mAh;
  const oneRow_mAh = (0.2 * 2) / 3600;
  expect(Math.abs(charge!.charge_mAh - charged_mAh)).toBeLessThan(2 * oneRow_mAh);
  expect(Math.abs(discharge!.charge_mAh + truth[2]!.charge_mAh)).toBeLessThan(2 * oneRow_mAh);
  expect(charge!.efficiency).toBeNull();
  expect(Math.abs(discharge!.efficiency! + truth[2]!.charge_mAh / charged_mAh)).toBeLessThan(
    (3 * oneRow_mAh) / charged_mAh,
  );
  expect(charge!.rate_C).toBeCloseTo(2, 3);
});

test("a current that changed between sparse rows did so where the charge says, else midway", () => {
  const { cycling, truth } = cycler(
    [
      { current_mA: 0, for_s: 1005 },
      { current_mA: 0.1, until_V: 4.2 },
      { current_mA: -0.1, until_V: 3.5 },
      { current_mA: 0, for_s: 600 },
    ],
    { interval_s: 30 },
  );
  const counted = findHalfCycles(cycling, findSteps(cycling), facts);
  const rows = Array.from(
    cycling.time_s,
    (time_s, row) => [time_s, cycling.potential_V[row]!, cycling.current_mA[row]!] as const,
  );
  const integrated = findHalfCycles(columns(rows), findSteps(cycling), facts);
  for (const [at, { start_s, end_s, charge_mAh }] of [truth[1]!, truth[2]!].entries()) {
    expect(Math.abs(counted[at]!.start_s - start_s)).toBeLessThan(1);
    expect(Math.abs(counted[at]!.end_s - end_s)).toBeLessThan(1);
    expect(counted[at]!.charge_mAh / Math.abs(charge_mAh)).toBeCloseTo(1, 3);
    expect(Math.abs(integrated[at]!.start_s - start_s)).toBeLessThanOrEqual(15.5);
    expect(Math.abs(integrated[at]!.end_s - end_s)).toBeLessThanOrEqual(15.5);
  }
});

test("a record that begins with a discharge has it alone in cycle 1", () => {
  const { cycling } = cycler(
    [
      { current_mA: -0.1, until_V: 3.4 },
      { current_mA: 0.1, until_V: 4.3 },
      { current_mA: -0.1, until_V: 3.4 },
    ],
    { interval_s: 10, x0: 0.7 },
  );
  const halfCycles = findHalfCycles(cycling, findSteps(cycling), facts);
  expect(halfCycles.map(({ kind, cycle, efficiency }) => [kind, cycle, efficiency !== null])).toEqual([
    ["discharge", 1, false],
    ["charge", 2, false],
    ["discharge", 2, true],
  ]);
});

test("rests and short pulses the other way do not part a half cycle, a pause in the record neither", () => {
  const pulsed: Order[] = [];
  for (let pulse = 0; pulse < 8; pulse++) {
    pulsed.push({ current_mA: 0.1, for_s: 180 }, { current_mA: 0, for_s: 300 }, { current_mA: -0.1, for_s: 5 });
  }
  const { cycling } = cycler([...pulsed, { current_mA: -0.1, until_V: 3.4 }], { interval_s: 1 });
  expect(findHalfCycles(cycling, findSteps(cycling), facts).map(({ kind }) => kind)).toEqual(["charge", "discharge"]);

  const { cycling: whole } = cycler([{ current_mA: 0.1, until_V: 4.2 }], { interval_s: 5 });
  const kept = Array.from(whole.time_s.keys()).filter((row) => row < 100 || row > 180);
  const paused = columns(kept.map((row) => [whole.time_s[row]!, whole.potential_V[row]!, whole.current_mA[row]!]));
  expect(findHalfCycles(paused, findSteps(paused), facts)).toHaveLength(1);
});

test("single wrong rows, a derived current of 0 in the first row, gaps and equal stamps change nothing", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e6 }), (seed) => {
      const source = random(seed);
      const { cycling, truth } = cycler(
        [
          { current_mA: 0.15, until_V: 4.3 },
          { current_mA: 0, for_s: 400 },
          { current_mA: -0.15, until_V: 3.4 },
        ],
        { interval_s: 4, logging: "derived" },
      );
      const current_mA = Float64Array.from(cycling.current_mA);
      for (let glitch = 0; glitch < 5; glitch++) {
        const row = 10 + 40 * glitch + source.integer(20);
        current_mA[row] = [0, -5, 40, NaN, -0.15][glitch]!;
      }
      const time_s = Float64Array.from(cycling.time_s);
      time_s[20] = time_s[19]!;
      const steps = findSteps({ ...cycling, time_s, current_mA });
      expect(steps.map(({ kind }) => kind)).toEqual(["charge", "rest", "discharge"]);
      for (const [at, step] of steps.entries()) {
        expect(Math.abs(step.start_s - truth[at]!.start_s)).toBeLessThanOrEqual(8);
        expect(Math.abs(step.end_s - truth[at]!.end_s)).toBeLessThanOrEqual(8);
      }
    }),
    { numRuns: 30 },
  );
});

test("a current without rows is taken from the charge; nothing known gives no step", () => {
  const { cycling, truth } = cycler(
    [
      { current_mA: 0, for_s: 300 },
      { current_mA: 0.1, until_V: 4.2 },
      { current_mA: -0.1, until_V: 3.5 },
    ],
    { interval_s: 5 },
  );
  const blank = new Float64Array(cycling.time_s.length).fill(NaN);
  const steps = findSteps({ ...cycling, current_mA: blank });
  expect(steps.map(({ kind }) => kind)).toEqual(truth.map(({ kind }) => kind));
  expect(findSteps({ ...cycling, current_mA: blank, charge_mAh: blank })).toEqual([]);
  expect(findSteps(columns([]))).toEqual([]);
});

test("noise about zero is rest, not two hundred half cycles", () => {
  const source = random(5);
  const record = columns(Array.from({ length: 500 }, (_, row) => [row, 3.9, 1e-5 * source.normal()] as const));
  const steps = findSteps(record);
  expect(steps.map(({ kind }) => kind)).toEqual(["rest"]);
  expect(findHalfCycles(record, steps, facts)).toEqual([]);
});

test("a potential that is held from the first row is a hold, and a plateau under constant current is not", () => {
  const held = columns(Array.from({ length: 200 }, (_, row) => [row, 4.2, 0.5 * Math.exp(-row / 60)] as const));
  expect(findSteps(held).map(({ kind }) => kind)).toEqual(["hold"]);
  expect(findHalfCycles(held, findSteps(held), facts).map(({ kind }) => kind)).toEqual(["charge"]);

  const source = random(3);
  const flat = columns(Array.from({ length: 400 }, (_, row) => [row, 3.43 + 1e-4 * source.normal(), -0.2] as const));
  expect(findSteps(flat).map(({ kind }) => kind)).toEqual(["discharge"]);
});

test("the rate needs a nominal capacity: stated, or from the active mass, else there is none", () => {
  const { cycling } = cycler([{ current_mA: 0.31, until_V: 4.2 }], { interval_s: 2 });
  const steps = findSteps(cycling);
  const rate = (given: { active_mass_mg?: number; nominal_mAh?: number }): number | null =>
    findHalfCycles(cycling, steps, { ...facts, nominal_mAh: null, ...given })[0]!.rate_C;
  expect(rate({})).toBeNull();
  expect(rate({ active_mass_mg: 1 })).toBeCloseTo(2, 6);
  expect(rate({ active_mass_mg: 1, nominal_mAh: 0.155 })).toBeCloseTo(2, 6);
});
