import { expect, test } from "vitest";
import { valleysOf } from "./nuclei.js";

const width = 40;
const height = 20;
const map = (of: (x: number, y: number) => number): Float32Array =>
  Float32Array.from({ length: width * height }, (_, at) => of(at % width, Math.floor(at / width)));

test("every valley deeper than asked for is found, with the rise to its pass", () => {
  const values = map((x, y) => Math.min(Math.hypot(x - 8, y - 10), 3 + Math.hypot(x - 30, y - 10)));
  const [first, second, ...more] = valleysOf(values, width, height, 2);
  expect(more).toHaveLength(0);
  expect(first!.lowest_s).toBe(0);
  expect(first!.depth_s).toBe(Infinity);
  expect(second!.lowest_s).toBe(3);
  // They meet where 8 + d = 30 - (d - 3) along the line between: at 12.5 from the first.
  expect(Math.abs(second!.depth_s - (12.5 - 3))).toBeLessThan(0.6);
  expect(valleysOf(values, width, height, 11)).toHaveLength(1);
});

test("separate pieces have a valley each, and places outside are none", () => {
  const values = map((x) => (Math.abs(x - 20) < 3 ? NaN : x));
  const found = valleysOf(values, width, height, 1);
  expect(found.map(({ lowest_s }) => lowest_s)).toEqual([0, 23]);
  for (const { pixels } of found) for (const at of pixels) expect(Number.isFinite(values[at]!)).toBe(true);
});
