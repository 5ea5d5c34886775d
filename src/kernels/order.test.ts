import { assert, array, double, property } from "fast-check";
import { expect, test } from "vitest";
import "../../test/seed.js";
import { orderOf } from "./order.js";

test("values come in their order, equal ones in theirs, and what is not finite not at all", () => {
  assert(
    property(array(double({ min: -1e4, max: 1e4 }), { maxLength: 60 }), (given) => {
      const values = Float32Array.from(given, (one) => (Math.abs(one) > 5000 ? Math.sign(one) : one));
      const wanted = [...values.keys()]
        .filter((at) => Number.isFinite(values[at]!))
        .sort((a, b) => values[a]! - values[b]! || a - b);
      expect([...orderOf(values)]).toEqual(wanted);
    }),
  );
  expect([...orderOf(Float32Array.of(0, -0, Infinity, -1, NaN, 0))]).toEqual([3, 0, 1, 5]);
});
