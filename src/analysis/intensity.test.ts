import { expect, test } from "vitest";
import { random } from "../kernels/random.js";
import type { Stack } from "../model/movie.js";
import { meanIntensity, type Stretches } from "./intensity.js";

const [width, height, frames] = [12, 10, 40];
const mask = Uint8Array.from({ length: width * height }, (_, at) => {
  const [x, y] = [at % width, Math.floor(at / width)];
  return x > 1 && x < 10 && y > 1 && y < 9 ? 1 : 0;
});
const outline = mask.reduce((sum, value) => sum + value, 0);

/** A particle of uneven brightness that goes to 1.6 times; what lies outside does something else. */
function brightening(): { stack: Stack; truth: number[] } {
  const draw = random(2);
  const pattern = Array.from({ length: width * height }, () => 100 + 80 * draw.uniform());
  const truth = Array.from({ length: frames }, (_, frame) => 1 + 0.6 * Math.max(0, (frame - 10) / (frames - 11)));
  const data = new Float32Array(frames * width * height);
  for (let frame = 0; frame < frames; frame++) {
    for (const [at, value] of pattern.entries())
      data[frame * width * height + at] = mask[at] ? value * truth[frame]! : 1000 * draw.uniform();
  }
  const time_s = Float64Array.from({ length: frames }, (_, frame) => 5 * frame);
  return { stack: { width, height, pixelSize_um: 0.08, time_s, data }, truth };
}

/** The stack in stretches of three frames. */
function inParts(stack: Stack): Stretches {
  const size = stack.width * stack.height;
  return {
    time_s: stack.time_s,
    *each() {
      for (let first = 0; first < stack.time_s.length; first += 3) {
        const end = Math.min(stack.time_s.length, first + 3);
        yield { ...stack, time_s: stack.time_s.slice(first, end), data: stack.data.subarray(first * size, end * size) };
      }
    },
  };
}

test("a particle that brightens 1.6 times has a trace from 1 to 1.6, whatever lies around it", () => {
  const { stack, truth } = brightening();
  const trace = meanIntensity(inParts(stack), mask, 3);
  expect(trace.particle).toBe(3);
  for (const [frame, value] of truth.entries()) expect(trace.intensity[frame]).toBeCloseTo(value, 5);
});

test("a missing pixel does not move the mean; more than 5 % missing is no mean", () => {
  const { stack, truth } = brightening();
  const inside = [...mask.keys()].filter((at) => mask[at]);
  const allowed = Math.floor(0.05 * outline);
  for (let frame = 0; frame < frames; frame++) {
    const missing = frame % 2 === 0 ? allowed : allowed + 1;
    for (let k = 0; k < missing; k++) stack.data[frame * width * height + inside[k]!] = NaN;
  }
  const { intensity } = meanIntensity(inParts(stack), mask, 0);
  for (const [frame, value] of truth.entries()) {
    if (frame % 2 === 0) expect(intensity[frame]).toBeCloseTo(value, 5);
    else expect(intensity[frame]).toBeNaN();
  }
});

test("frames left out are NaN, and the first frames are those that show the particle", () => {
  const { stack, truth } = brightening();
  stack.data.fill(NaN, 0, width * height);
  const { intensity } = meanIntensity(inParts(stack), mask, 0);
  expect(intensity[0]).toBeNaN();
  for (let frame = 1; frame < frames; frame++) expect(intensity[frame]).toBeCloseTo(truth[frame]!, 5);
  expect(meanIntensity(inParts({ ...stack, data: stack.data.fill(NaN) }), mask, 0).intensity.every(Number.isNaN)).toBe(
    true,
  );
  expect(meanIntensity(inParts({ ...stack, data: stack.data.fill(0) }), mask, 0).intensity.every(Number.isNaN)).toBe(
    true,
  );
});
