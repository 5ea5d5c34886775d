import { expect, test } from "vitest";
import type { HalfCycle } from "../model/cycling.js";
import type { Transition } from "../model/experiment.js";
import { framesAround } from "./windows.js";

const time_s = Float64Array.from({ length: 401 }, (_, k) => 5 * k);
const window = (id: number, start_s: number, end_s: number, particle = 0): Transition =>
  ({ id, particle, start_s, end_s }) as Transition;
const around = (
  one: Transition,
  others: readonly Transition[] = [],
  halfCycles: readonly HalfCycle[] = [],
): number[] => {
  const { first, last } = framesAround(time_s, one, { others: [one, ...others], halfCycles });
  return [time_s[first]!, time_s[last]!];
};

test("half of the window on both sides, and at least a minute", () => {
  expect(around(window(0, 600, 1000))).toEqual([400, 1200]);
  expect(around(window(0, 600, 640))).toEqual([540, 700]);
});

test("at least eight frames, however far apart they are", () => {
  const slow_s = Float64Array.from({ length: 100 }, (_, k) => 20 * k);
  const { first, last } = framesAround(slow_s, window(0, 600, 700), { others: [], halfCycles: [] });
  expect([slow_s[first], slow_s[last]]).toEqual([440, 860]);
});

test("half of the way to the particle's next window; another particle's does not count", () => {
  expect(around(window(0, 600, 1000), [window(1, 1100, 1300), window(2, 300, 500)])).toEqual([550, 1050]);
  expect(around(window(0, 600, 1000), [window(1, 1100, 1300, 7)])).toEqual([400, 1200]);
});

test("not beyond the half cycle, where the intensity has a kink, nor beyond the movie", () => {
  const half = { start_s: 500, end_s: 1080 } as HalfCycle;
  expect(around(window(0, 600, 1000), [], [half])).toEqual([500, 1080]);
  expect(around(window(0, 20, 1990))).toEqual([0, 2000]);
});
