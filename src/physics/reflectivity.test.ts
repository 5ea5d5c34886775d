import * as fc from "fast-check";
import { expect, test } from "vitest";
import { frontLight, rampShare, shareBehind } from "./reflectivity.js";

const seconds = fc.double({ min: 0, max: 10, noNaN: true });
const someSeconds = fc.double({ min: 0.01, max: 10, noNaN: true });

/** Mean of a function over midpoints of -1/2 ... 1/2. */
function overWindow(n: number, of: (share: number) => number): number {
  let sum = 0;
  for (let at = 0; at < n; at++) sum += of((at + 0.5) / n - 0.5);
  return sum / n;
}

test("the share of a cell behind a front is what counting over cell and exposure gives", () => {
  fc.assert(
    fc.property(fc.double({ min: -12, max: 12, noNaN: true }), someSeconds, seconds, seconds, (lead, a, b, c) => {
      const counted = overWindow(40, (x) =>
        overWindow(40, (y) => overWindow(40, (t) => (lead + a * x + b * y + c * t > 0 ? 1 : 0))),
      );
      // The count itself is coarse by about one part in its number along an axis.
      expect(Math.abs(shareBehind(lead, a, b, c) - counted)).toBeLessThan(0.02);
    }),
    { numRuns: 40 },
  );
});

test("the share of a cell rises from 0 to 1, is a half when the front is in its middle, and never jumps", () => {
  fc.assert(
    fc.property(someSeconds, seconds, seconds, (a, b, c) => {
      expect(shareBehind(0, a, b, c)).toBeCloseTo(0.5, 6);
      expect(shareBehind(-20, a, b, c)).toBe(0);
      expect(shareBehind(20, a, b, c)).toBe(1);
      let before = 0;
      for (let lead = -16; lead <= 16; lead += 0.1) {
        const now = shareBehind(lead, a, b, c);
        expect(now).toBeGreaterThanOrEqual(before - 1e-9);
        expect(now - before).toBeLessThanOrEqual(0.1 / Math.max(a, b, c) + 1e-6);
        before = now;
      }
    }),
    { numRuns: 30 },
  );
  expect(shareBehind(0.1, 0, 0, 0)).toBe(1);
  expect(shareBehind(-0.1, 0, 0, 0)).toBe(0);
});

test("the mean of a ramp over an exposure is that of its values", () => {
  const time = fc.double({ min: 0, max: 100, noNaN: true });
  const length = fc.double({ min: 0.01, max: 100, noNaN: true });
  fc.assert(
    fc.property(time, fc.oneof(length, fc.constant(0)), time, length, (start, lasts, from, exposure) => {
      const exact = overWindow(4000, (share) => {
        const t = from + exposure * (share + 0.5);
        return lasts === 0 ? (t >= start ? 1 : 0) : Math.min(1, Math.max(0, (t - start) / lasts));
      });
      expect(Math.abs(rampShare(start, start + lasts, from, from + exposure) - exact)).toBeLessThan(1e-3);
    }),
    { numRuns: 60 },
  );
  expect(rampShare(10, 20, 15, 15)).toBe(0.5);
  expect(rampShare(10, 10, 10, 10)).toBe(1);
});

test("the boundary's line is a Gaussian about the front and the step lies behind it", () => {
  const cell = { phase_s: 100, alongX_s: 0, alongY_s: 0, speed_um_s: 0.02 };
  const line = { height: 0.06, width_um: 0.12 };
  for (const lead_s of [-30, -10, -3, 3, 10, 30]) {
    const at = { from_s: 100 + lead_s, to_s: 100 + lead_s, weight: 1 };
    const exact = (lead_s > 0 ? 0.15 : 0) + 0.06 * Math.exp(-((0.02 * lead_s) ** 2) / (2 * 0.12 ** 2));
    expect(frontLight(cell, [at], 0.15, line)).toBeCloseTo(exact, 6);
  }
});

test("an exposure in which the front crosses a cell is the mean of its moments", () => {
  const cell = { phase_s: 100, alongX_s: 1.5, alongY_s: 0.7, speed_um_s: 0.04 };
  const line = { height: 0.06, width_um: 0.12 };
  const moments = overWindow(400, (share) => {
    const t = 102 + 10 * share;
    return frontLight(cell, [{ from_s: t, to_s: t, weight: 1 }], 0.15, line);
  });
  expect(frontLight(cell, [{ from_s: 97, to_s: 107, weight: 1 }], 0.15, line)).toBeCloseTo(moments, 4);
});
