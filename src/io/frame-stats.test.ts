import * as fc from "fast-check";
import { expect, test } from "vitest";
import { sampleStats } from "./frame-stats.js";

test("sums of integers are exact, whatever the type", () => {
  fc.assert(
    fc.property(fc.int32Array({ minLength: 1, maxLength: 200 }), (samples) => {
      const sum = samples.reduce((total, value) => total + BigInt(value), 0n);
      const sorted = [...samples].sort((a, b) => a - b);
      expect(sampleStats(samples)).toEqual({ min: sorted[0], max: sorted.at(-1), sum: Number(sum) });
    }),
  );
});

test("a sum beyond 2^53 is the nearest double of the exact one", () => {
  const samples = new Uint32Array(2 ** 21 + 3).fill(0xffffffff);
  samples[0] = 0xfffffffe;
  const exact = BigInt(samples.length) * 0xffffffffn - 1n;
  expect(sampleStats(samples).sum).toBe(Number(exact));
});

test("what is no number is passed over; a frame without any has no minimum", () => {
  expect(sampleStats(Float32Array.from([Number.NaN, 2, -1, Number.NaN]))).toEqual({ min: -1, max: 2, sum: 1 });
  expect(sampleStats(new Float64Array(3).fill(Number.NaN))).toEqual({ min: null, max: null, sum: 0 });
});
