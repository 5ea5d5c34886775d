import { expect, test } from "vitest";
import { acquire, type DriftSpec, type MovieSpec } from "./acquisition.js";

const movie: MovieSpec = {
  width: 64,
  height: 64,
  pixelSize_um: 0.08,
  frames: 201,
  interval_s: 5,
  exposure_s: 1,
  start: "2020-10-26T12:49:58Z",
  dropped: [],
  droppedFraction: 0,
  late_s: 0,
};
const still: DriftSpec = { linear_um: [0, 0], walk_um: 0, wobble_um: 0, wobblePeriod_s: 100 };
const steady = { flicker: 0, fading: 0 };

test("even drift ends where it is told, in pixels, positive to the right and down", () => {
  const { x_px, y_px, time_s } = acquire(movie, { ...still, linear_um: [0.8, -0.6] }, steady, 1);
  expect(x_px[200]).toBeCloseTo(10, 9);
  expect(y_px[200]).toBeCloseTo(-7.5, 9);
  expect(x_px[100]).toBeCloseTo(5, 9);
  expect([x_px[0], y_px[0], time_s[0], time_s[200]]).toEqual([0, 0, 0, 1000]);
});

test("a walk spreads to its standard deviation at the end, over many seeds", () => {
  const ends = Array.from(
    { length: 300 },
    (_, seed) => acquire(movie, { ...still, walk_um: 0.4 }, steady, seed).x_px[200]!,
  );
  const sd = Math.sqrt(ends.reduce((sum, end) => sum + end * end, 0) / ends.length);
  // 300 draws know a standard deviation to 4 %.
  expect(Math.abs(sd / 5 - 1)).toBeLessThan(0.16);
});

test("swinging begins at rest and stays within twice its amplitude", () => {
  const { x_px } = acquire(movie, { ...still, wobble_um: 0.08 }, steady, 3);
  expect(x_px[0]).toBe(0);
  expect(Math.max(...x_px) - Math.min(...x_px)).toBeCloseTo(2, 1);
});

test("a dropped frame leaves a gap in the stamps, and all others as they were", () => {
  const whole = acquire(movie, { ...still, walk_um: 0.3 }, { flicker: 0.01, fading: 0 }, 5);
  const gappy = acquire(
    { ...movie, dropped: [3, 4, 150] },
    { ...still, walk_um: 0.3 },
    { flicker: 0.01, fading: 0 },
    5,
  );
  const kept = [...whole.time_s.keys()].filter((frame) => ![3, 4, 150].includes(frame));
  expect([...gappy.time_s]).toEqual(kept.map((frame) => whole.time_s[frame]));
  expect([...gappy.x_px]).toEqual(kept.map((frame) => whole.x_px[frame]));
  expect([...gappy.gain]).toEqual(kept.map((frame) => whole.gain[frame]));
});

test("a part of the frames is dropped at random, never the first, and late ones say so in order", () => {
  const { time_s } = acquire({ ...movie, frames: 2000, droppedFraction: 0.2, late_s: 2 }, still, steady, 6);
  expect(Math.abs(time_s.length / 2000 - 0.8)).toBeLessThan(0.04);
  expect(time_s[0]).toBe(0);
  for (let at = 1; at < time_s.length; at++) {
    expect(time_s[at]!).toBeGreaterThan(time_s[at - 1]!);
    expect(time_s[at]! % 5).toBeLessThanOrEqual(2);
  }
});

test("a lamp flickers by its standard deviation and fades to its end", () => {
  const { gain } = acquire({ ...movie, frames: 4000 }, still, { flicker: 0.01, fading: 0 }, 7);
  const sd = Math.sqrt(gain.reduce((sum, value) => sum + (value - 1) ** 2, 0) / gain.length);
  expect(Math.abs(sd / 0.01 - 1)).toBeLessThan(0.05);
  expect(acquire(movie, still, { flicker: 0, fading: -0.3 }, 7).gain[200]).toBeCloseTo(0.7, 9);
});
