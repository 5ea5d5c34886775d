import { expect, test } from "vitest";
import type { HalfCycle } from "../model/cycling.js";
import type { Transition } from "../model/experiment.js";
import { framesBeside } from "./domains-frames.js";

const time_s = Float64Array.from({ length: 200 }, (_, frame) => 5 * frame);
const window = { id: 1, particle: 0, start_s: 400, end_s: 460 };

test("three minutes on both sides, where nothing is in the way", () => {
  expect(framesBeside(time_s, window, { others: [], halfCycles: [] })).toEqual({ first: 44, last: 128 });
});

test("no farther than a neighbouring window of the same particle and the half cycle's ends", () => {
  const others = [
    { id: 0, particle: 0, start_s: 200, end_s: 300, sd_s: 5 },
    { id: 1, particle: 0, start_s: 400, end_s: 460, sd_s: 5 },
    { id: 2, particle: 7, start_s: 480, end_s: 500, sd_s: 5 },
  ] as Transition[];
  const halfCycles = [{ start_s: 100, end_s: 520 }] as HalfCycle[];
  expect(framesBeside(time_s, window, { others, halfCycles })).toEqual({ first: 61, last: 104 });
});
