import { expect, test } from "vitest";
import { mapOntoCells } from "./iscat-matrix.js";

const source = { width: 20, height: 16, h_um: 0.175, origin_um: [0.3, 0.2] as const };
const plane = (x_um: number, y_um: number): number => 0.9 - 0.05 * x_um + 0.02 * y_um;

test("a plane is a plane on another raster", () => {
  const values = Float64Array.from({ length: 320 }, (_, at) =>
    plane(0.3 + 0.175 * (at % 20), 0.2 + 0.175 * Math.floor(at / 20)),
  );
  const grid = { width: 60, height: 50, cell_um: 0.06 };
  const into = new Float64Array(3000);
  mapOntoCells({ ...source, values }, grid, 0, into);
  for (const [column, row] of [
    [6, 4],
    [20, 30],
    [50, 40],
    [33, 17],
  ] as const) {
    expect(into[row * 60 + column]).toBeCloseTo(plane(column * 0.06, row * 0.06), 12);
  }
  expect(into[0]).toBeNaN();
  expect(into[59]).toBeNaN();
});

test("a particle is carried on over its rim, as far as asked for and with its own values", () => {
  const values = Float64Array.from({ length: 320 }, (_, at) => (at % 20 < 10 ? 0.7 : NaN));
  const grid = { width: 60, height: 40, cell_um: 0.06 };
  const into = new Float64Array(2400);
  for (const grow of [0, 2, 4]) {
    mapOntoCells({ ...source, values }, grid, grow, into);
    const known = into.subarray(20 * 60, 21 * 60).filter((value) => !Number.isNaN(value));
    for (const value of known) expect(value).toBeCloseTo(0.7, 12);
    const last = into.subarray(20 * 60, 21 * 60).findLastIndex((value) => !Number.isNaN(value)) * 0.06;
    // Known up to the next cell's centre, which a straight line no longer reaches.
    expect(Math.abs(last - (0.3 + 0.175 * (10 + grow)))).toBeLessThan(0.07);
  }
});
