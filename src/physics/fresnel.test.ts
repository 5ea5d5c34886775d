import * as fc from "fast-check";
import { expect, test } from "vitest";
import { opticalDepth_um, reflectance, reflectedAmplitude, transmittedAmplitude } from "./fresnel.js";
import { nBk7 } from "./refractive-index-media.js";
import { refractiveIndex } from "./refractive-index.js";

const air = { n: 1, k: 0 };
const index = fc.record({
  n: fc.double({ min: 0.05, max: 6, noNaN: true }),
  k: fc.double({ min: 0, max: 10, noNaN: true }),
});
const clear = fc.record({ n: fc.double({ min: 0.5, max: 4, noNaN: true }), k: fc.constant(0) });

test("known surfaces: glass in air 4 %, glass in water 0.4 %, aluminium 87 %", () => {
  const glass = refractiveIndex(nBk7, 0.589);
  expect(reflectance(air, { n: 1.5, k: 0 })).toBeCloseTo(0.04, 12);
  expect(reflectance(air, glass)).toBeCloseTo(0.04216, 5);
  expect(reflectance(glass, { n: 1.333, k: 0 })).toBeCloseTo(0.004158, 5);
  // n and k of aluminium at 785 nm after Rakic (1995).
  expect(reflectance(air, { n: 2.69264, k: 8.43818 })).toBeCloseTo(0.873, 3);
});

test("no more comes back than was sent, and none from a like medium", () => {
  fc.assert(
    fc.property(clear, index, (from, into) => {
      const R = reflectance(from, into);
      expect(R).toBeGreaterThanOrEqual(0);
      expect(R).toBeLessThanOrEqual(1);
      expect(reflectance(into, into)).toBe(0);
    }),
  );
});

test("what is not reflected enters: R + T = 1 into any medium, T = n2 / n1 |t|^2", () => {
  fc.assert(
    fc.property(clear, index, (from, into) => {
      const t = transmittedAmplitude(from, into);
      const T = (into.n / from.n) * (t.re * t.re + t.im * t.im);
      expect(reflectance(from, into) + T).toBeCloseTo(1, 12);
    }),
  );
});

test("seen from the other side the reflection has the other sign, and t t' = 1 - r^2 (Stokes)", () => {
  fc.assert(
    fc.property(clear, clear, (a, b) => {
      const r = reflectedAmplitude(a, b).re;
      expect(reflectedAmplitude(b, a).re).toBeCloseTo(-r, 12);
      expect(transmittedAmplitude(a, b).re * transmittedAmplitude(b, a).re).toBeCloseTo(1 - r * r, 12);
    }),
  );
});

test("a denser medium turns the phase by half a turn, a perfect absorber reflects all", () => {
  expect(reflectedAmplitude(air, { n: 1.5, k: 0 }).re).toBeLessThan(0);
  expect(reflectance(air, { n: 0.1, k: 1e6 })).toBeCloseTo(1, 5);
});

test("light reaches as deep as absorption lets it: 620 nm at k = 0.1, 83 nm at 0.75", () => {
  expect(opticalDepth_um({ n: 2.2, k: 0.1 }, 0.785)).toBeCloseTo(0.62, 2);
  expect(opticalDepth_um({ n: 2.35, k: 0.75 }, 0.785)).toBeCloseTo(0.083, 3);
  expect(opticalDepth_um({ n: 2.35, k: 0 }, 0.785)).toBe(Infinity);
});
