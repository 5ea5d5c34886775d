import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ParameterError } from "../model/errors.js";
import type { Stack } from "../model/movie.js";
import { random } from "../kernels/random.js";
import { backgroundSubtracted, differentialContrast, totalContrast } from "./contrast.js";

/** A 3 x 2 stack whose pixels follow `intensity(pixel, t)` at the given stamps. */
function stackOf(time_s: readonly number[], intensity: (pixel: number, t_s: number, frame: number) => number): Stack {
  const data = new Float32Array(time_s.length * 6);
  for (const [frame, t] of time_s.entries())
    for (let pixel = 0; pixel < 6; pixel++) data[frame * 6 + pixel] = intensity(pixel, t, frame);
  return { width: 3, height: 2, pixelSize_um: 0.08, time_s: Float64Array.from(time_s), data };
}

const every5 = Array.from({ length: 60 }, (_, frame) => 5 * frame);

test("a steady 0.4 % a frame is a contrast of 1.6 % at four frames' lag, to the movie's end", () => {
  const stack = stackOf(every5, (_, t) => 100 * 1.004 ** (t / 5));
  const contrast = differentialContrast(stack, { lag_s: 20 });
  for (let at = 0; at < contrast.data.length; at++) {
    if (at < 4 * 6) expect(contrast.data[at]).toBeNaN();
    else expect(contrast.data[at]).toBeCloseTo(1.004 ** 4 - 1, 6);
  }
});

test("contrasts leave the stack as it was and keep its length and stamps", () => {
  const stack = stackOf(every5, (pixel, t) => 50 + pixel + t);
  const before = stack.data.slice();
  for (const made of [
    differentialContrast(stack, { lag_s: 20 }),
    differentialContrast(stack, { lag_s: 20, width_s: 10 }),
    backgroundSubtracted(stack),
  ]) {
    expect(stack.data).toEqual(before);
    expect(made.data).not.toBe(stack.data);
    expect(made.data.length).toBe(stack.data.length);
    expect(made.time_s).toEqual(stack.time_s);
  }
  totalContrast(stack, { start_s: 0, end_s: 20 }, { start_s: 100, end_s: 120 });
  expect(stack.data).toEqual(before);
});

test("a stretch of a stack has the contrast of the whole, wherever it is cut", () => {
  const draw = random(4);
  const stack = stackOf(every5, () => 100 + draw.normal());
  const whole = differentialContrast(stack, { lag_s: 15 });
  for (const first of [1, 7, 30]) {
    const part = differentialContrast(
      { ...stack, time_s: stack.time_s.slice(first), data: stack.data.slice(first * 6) },
      { lag_s: 15 },
    );
    expect(part.data.subarray(3 * 6)).toEqual(whole.data.subarray((first + 3) * 6));
    expect(part.data.subarray(0, 3 * 6).every(Number.isNaN)).toBe(true);
  }
});

test("the lag is one of time: dropped frames and uneven stamps do not stretch it", () => {
  fc.assert(
    fc.property(fc.integer(), fc.constantFrom(1, 2, 5, 12.5), fc.integer({ min: 1, max: 6 }), (seed, interval_s, n) => {
      const draw = random(seed);
      const stamps = Array.from({ length: 50 }, (_, frame) => frame)
        .filter((frame) => frame === 0 || draw.uniform() > 0.15)
        .map((frame) => interval_s * (frame + 0.2 * (draw.uniform() - 0.5)));
      const lag_s = n * interval_s * 1.2;
      const stack = stackOf(stamps, (_, t) => Math.exp(1e-3 * t));
      const contrast = differentialContrast(stack, { lag_s });
      for (const [frame, t] of stamps.entries()) {
        const found = contrast.data[frame * 6]!;
        const apart = stamps.slice(0, frame).map((other) => Math.abs(t - lag_s - other));
        if (apart.every((gap) => gap > 0.62 * interval_s)) expect(found).toBeNaN();
        else if (apart.some((gap) => gap < 0.4 * interval_s)) {
          const elapsed_s = Math.log(found + 1) / 1e-3;
          expect(Math.abs(elapsed_s - lag_s)).toBeLessThan(0.62 * interval_s);
        }
      }
    }),
  );
});

test("no frame lies where a pause was: NaN, not the nearest one there is", () => {
  const paused = [0, 5, 10, 15, 80, 85, 90, 95, 100];
  const contrast = differentialContrast(
    stackOf(paused, () => 10),
    { lag_s: 10 },
  );
  const known = paused.map((_, frame) => !Number.isNaN(contrast.data[frame * 6]!));
  expect(known).toEqual([false, false, true, true, false, false, true, true, true]);
});

test("a lag shorter than the interval is refused with the interval", () => {
  const stack = stackOf(every5, () => 1);
  expect(() => differentialContrast(stack, { lag_s: 2 })).toThrow(
    new ParameterError("lag_s is 2 but frames are 5 s apart. Use at least 5.", { parameter: "lag_s", value: 2 }),
  );
  for (const lag_s of [0, -5, NaN]) expect(() => differentialContrast(stack, { lag_s })).toThrow(ParameterError);
  expect(() => differentialContrast(stack, { lag_s: 20, width_s: 25 })).toThrow("Use 0 to 20");
  expect(() => differentialContrast(stack, { lag_s: 5 })).not.toThrow();
});

test("means over a width compare the two moments with less noise", () => {
  const draw = random(9);
  const stack = stackOf(every5, (_, t) => (t < 150 ? 100 : 110) * (1 + 0.01 * draw.normal()));
  const narrow = differentialContrast(stack, { lag_s: 50 });
  const wide = differentialContrast(stack, { lag_s: 50, width_s: 40 });
  const spread = (data: Float32Array): number => {
    const flat = data.filter((value, at) => !Number.isNaN(value) && at < 6 * 26);
    return Math.sqrt(flat.reduce((sum, value) => sum + value * value, 0) / flat.length);
  };
  // Nine frames a mean: a third of the noise.
  expect(spread(wide.data) / spread(narrow.data)).toBeLessThan(0.45);
  const middle = wide.data.subarray(6 * 35, 6 * 36);
  for (const value of middle) expect(Math.abs(value - 0.1)).toBeLessThan(0.025);
  expect(wide.data.subarray(0, 6 * 14).every(Number.isNaN)).toBe(true);
  expect(wide.data.subarray(-6 * 4).every(Number.isNaN)).toBe(true);
  expect(wide.data.subarray(6 * 14, 6 * 56).some(Number.isNaN)).toBe(false);
});

test("where no light came in before, the contrast is NaN and never infinite", () => {
  const stack = stackOf(every5, (pixel, t) => (pixel === 0 ? 0 : pixel === 1 ? NaN : pixel === 2 && t < 50 ? -1 : 100));
  const differential = differentialContrast(stack, { lag_s: 5 });
  const total = totalContrast(stack, { start_s: 0, end_s: 20 }, { start_s: 200, end_s: 220 });
  for (const pixel of [0, 1]) {
    expect(total.data[pixel]).toBeNaN();
    for (let frame = 0; frame < 60; frame++) expect(differential.data[frame * 6 + pixel]).toBeNaN();
  }
  expect(total.data[2]).toBeNaN();
  expect([...differential.data].some((value) => Math.abs(value) === Infinity)).toBe(false);
  expect(total.data[5]).toBe(0);
});

test("a flat share of every pixel's light that is not the sample's dilutes the contrast by that share", () => {
  const signal = stackOf(every5, (_, t) => (t < 150 ? 300 : 330));
  const raised = { ...signal, data: signal.data.map((value) => value + 100) };
  const spans = [
    { start_s: 0, end_s: 100 },
    { start_s: 200, end_s: 290 },
  ] as const;
  expect(totalContrast(signal, ...spans).data[0]).toBeCloseTo(0.1, 6);
  expect(totalContrast(raised, ...spans).data[0]).toBeCloseTo(0.075, 6);
});

test("total contrast is the ratio of means over both spans, missing frames left out", () => {
  const stack = stackOf(every5, (pixel, t, frame) =>
    frame === 2 || frame === 45 ? NaN : (1 + pixel) * (t < 150 ? 2 : 3),
  );
  const total = totalContrast(stack, { start_s: 0, end_s: 50 }, { start_s: 200, end_s: 250 });
  for (const value of total.data) expect(value).toBeCloseTo(0.5, 6);
  expect(() => totalContrast(stack, { start_s: 1, end_s: 2 }, { start_s: 200, end_s: 250 })).toThrow(
    "before is 1 to 2 s but no frame of the stack lies there",
  );
});

test("the background is the first frame that holds light, or the one asked for", () => {
  const stack = stackOf(every5, (pixel, t, frame) => (frame === 0 ? NaN : 10 * pixel + t));
  const since = backgroundSubtracted(stack);
  for (let frame = 1; frame < 60; frame++)
    for (let pixel = 0; pixel < 6; pixel++) expect(since.data[frame * 6 + pixel]).toBe(5 * frame - 5);
  const asked = backgroundSubtracted(stack, 101);
  expect(asked.data[20 * 6]).toBe(0);
  expect(asked.data[30 * 6 + 4]).toBe(50);
  expect(() => backgroundSubtracted(stack, 1000)).toThrow("reference_s is 1000 but the stack runs from 0 to 295 s");
});
