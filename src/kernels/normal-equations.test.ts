import * as fc from "fast-check";
import { expect, test } from "vitest";
import { invertSymmetric, timesVector } from "./normal-equations.js";
import { random } from "./random.js";

test("the inverse undoes the matrix, whatever the units of its rows", () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 1, max: 7 }), (seed, n) => {
      const from = random(seed);
      const rows = Array.from({ length: 3 * n }, () =>
        Float64Array.from({ length: n }, (_, at) => 10 ** (2 * at) * from.normal()),
      );
      const matrix = Float64Array.from({ length: n * n }, (_, at) =>
        rows.reduce((sum, row) => sum + row[Math.floor(at / n)]! * row[at % n]!, 0),
      );
      const vector = Float64Array.from({ length: n }, () => from.normal());
      const back = timesVector(invertSymmetric(matrix, n)!, timesVector(matrix, vector, n), n);
      const scale = Math.max(...vector.map((value, at) => Math.abs(value) * 10 ** (2 * at)));
      for (let at = 0; at < n; at++)
        expect(Math.abs(back[at]! - vector[at]!) * 10 ** (2 * at)).toBeLessThan(1e-4 * scale);
    }),
  );
});

test("a matrix that is not positive definite has none", () => {
  expect(invertSymmetric([1, 2, 2, 4], 2)).toBeNull();
  expect(invertSymmetric([0], 1)).toBeNull();
});
