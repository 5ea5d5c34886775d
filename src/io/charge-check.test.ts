import * as fc from "fast-check";
import { expect, test } from "vitest";
import { checkCharge, type CountedColumn, type CountedKind, type Measured } from "./charge-check.js";
import { integrateCurrent } from "./cycling-record.js";

/** A few charges and discharges with rests between, and what a cycler counts of them. */
function run(halves: readonly number[], step_s: number): Measured {
  const current_mA = Float64Array.from(halves.flatMap((current) => [...Array(30).fill(current), ...Array(5).fill(0)]));
  const time_s = Float64Array.from(current_mA, (_, row) => row * step_s);
  const potential_V = Float64Array.from(current_mA, (current, row) => 3.7 + 0.2 * Math.sin(row / 9) + current / 100);
  return { time_s, potential_V, current_mA };
}

/** Counters of each kind as cyclers write them; those of charge in and out begin anew with each half cycle. */
function counters({ time_s, potential_V, current_mA }: Measured): Record<CountedKind, Float64Array> {
  const power = current_mA.map((current, row) => current * potential_V[row]!);
  const part = (column: Float64Array, sign: number): Float64Array => {
    const total = integrateCurrent(
      time_s,
      column.map((value) => Math.max(0, sign * value)),
    );
    let from = 0;
    return total.map((value, row) => {
      if (row > 0 && current_mA[row - 1] === 0 && current_mA[row] !== 0) from = total[row - 1]!;
      return value - from;
    });
  };
  const size = part(current_mA.map(Math.abs), 1);
  return {
    "running charge": integrateCurrent(time_s, current_mA).map((value) => value + 5),
    "running energy": integrateCurrent(time_s, power),
    "charge in": part(current_mA, 1),
    "charge out": part(current_mA, -1),
    "energy in": part(power, 1),
    "energy out": part(power, -1),
    "step charge": size,
    power,
  };
}

function told(measured: Measured, counted: readonly CountedColumn[]): string[] {
  const sentences: string[] = [];
  checkCharge(measured, counted, (sentence) => void sentences.push(sentence));
  return sentences;
}

const halves = fc
  .array(fc.double({ min: 0.05, max: 5, noNaN: true }), { minLength: 2, maxLength: 8 })
  .map((sizes) => sizes.map((size, half) => (half % 2 === 0 ? size : -size)));
const steps_s = fc.constantFrom(0.5, 10, 120);

test("counters that are the current's own are no reason to speak, and every slip of a unit is", () => {
  fc.assert(
    fc.property(
      halves,
      steps_s,
      fc.constantFrom(1000, 1e-3, 3600, 1 / 3600, 60, 1 / 60, 3.6, 1 / 3.6, 1e6),
      (currents, step_s, slip) => {
        const measured = run(currents, step_s);
        const right = counters(measured);
        const columns = (factor: number): CountedColumn[] =>
          Object.entries(right).map(([kind, values]) => ({
            name: kind,
            kind: kind as CountedKind,
            values: values.map((value) => factor * value),
          }));
        expect(told(measured, columns(1))).toEqual([]);
        const [sentence, ...others] = told(measured, columns(slip));
        expect(others).toEqual([]);
        const factor = Math.max(slip, 1 / slip);
        const named = factor > 1e5 ? "factor of a million" : factor < 10 ? "(3.6)" : `factor of ${Math.round(factor)}:`;
        expect(sentence).toContain(named);
        for (const kind of Object.keys(right)) expect(sentence).toContain(kind);
      },
    ),
    { numRuns: 60 },
  );
});

test("a charge with the other sign is said", () => {
  const measured = run([1, -1, 1], 10);
  const values = integrateCurrent(measured.time_s, measured.current_mA).map((value) => -value);
  expect(told(measured, [{ name: "Q", kind: "running charge", values }])[0]).toMatch(
    /^Q counts -1 times what the current passes, and with the other sign/,
  );
});

test("a unit that slips in some steps alone is said with the first of them", () => {
  const measured = run([1, -1, 1, -1, 1, -1], 10);
  const spoilt = measured.current_mA.map((current, row) => (row >= 70 && row < 105 ? current / 1000 : current));
  const values = integrateCurrent(measured.time_s, measured.current_mA);
  const [sentence] = told({ ...measured, current_mA: spoilt }, [{ name: "Q", kind: "running charge", values }]);
  expect(sentence).toMatch(/more than 3-fold in 1 of 6 steps, first in that from 700 s/);
});

test("charge that passed between two rows, unlogged, is no slip", () => {
  const measured = run([1, -1, 1, -1, 1, -1], 10);
  const values = integrateCurrent(measured.time_s, measured.current_mA).map((value, row) => value + (row > 80 ? 1 : 0));
  expect(told(measured, [{ name: "Q", kind: "running charge", values }])).toEqual([]);
});

test("what does not follow the current at all is not taken for a slip", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.double({ min: -5, max: 5, noNaN: true }), fc.double({ min: -1e3, max: 1e3, noNaN: true })), {
        minLength: 60,
        maxLength: 80,
      }),
      (rows) => {
        const current_mA = Float64Array.from(rows, ([current]) => current);
        const time_s = Float64Array.from(rows, (_, row) => row);
        const values = Float64Array.from(rows, ([, value]) => value);
        const measured = { time_s, potential_V: time_s, current_mA };
        expect(told(measured, [{ name: "Q", kind: "running charge", values }]).join("")).not.toMatch(/factor/);
      },
    ),
    { numRuns: 50 },
  );
});

test("a rest, few rows and a counter that stands still say nothing", () => {
  const measured = run([0, 0], 10);
  const still = measured.time_s.map(() => 3);
  for (const kind of ["running charge", "charge in", "step charge", "power"] as const) {
    expect(told(measured, [{ name: "Q", kind, values: still }])).toEqual([]);
    expect(told(run([1, -1], 10), [{ name: "Q", kind, values: still }]).join("")).not.toMatch(/factor/);
  }
  const short = {
    time_s: Float64Array.of(0, 1),
    potential_V: Float64Array.of(3, 3),
    current_mA: Float64Array.of(1, 1),
  };
  expect(told(short, [{ name: "Q", kind: "running charge", values: Float64Array.of(0, 5) }])).toEqual([]);
});
