import { assert, array, double, property } from "fast-check";
import { expect, test } from "vitest";
import "../../test/seed.js";
import { orderOf, sortEven } from "./order.js";

test("values come in their order, equal ones in theirs, and what is not finite not at all", () => {
  assert(
    property(array(double({ min: -1e4, max: 1e4, noNaN: true }), { maxLength: 60 }), (given) => {
      const values = Float32Array.from(given, (one) => (Math.abs(one) > 5000 ? Math.sign(one) : one));
      const wanted = [...values.keys()]
        .filter((at) => Number.isFinite(values[at]!))
        .sort((a, b) => values[a]! - values[b]! || a - b);
      expect([...orderOf(values)]).toEqual(wanted);
    }),
  );
  expect([...orderOf(Float32Array.of(0, -0, Infinity, -1, NaN, 0))]).toEqual([3, 0, 1, 5]);
});

test("numbers come in ascending order, spread or heaped", () => {
  assert(
    property(
      array(double({ min: -50, max: 50, noNaN: true }), { maxLength: 200 }),
      array(double({ min: 0, max: 1e-6, noNaN: true }), { maxLength: 100 }),
      (spread, heaped) => {
        const values = Float64Array.from([...spread, ...heaped], (one) => one + 0);
        expect(sortEven(values.slice())).toEqual(values.slice().sort());
      },
    ),
  );
  expect(sortEven(new Float64Array(0))).toEqual(new Float64Array(0));
  expect(sortEven(Float64Array.of(2, 2, 2))).toEqual(Float64Array.of(2, 2, 2));
});
