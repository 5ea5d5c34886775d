import { assert, double, integer, property } from "fast-check";
import { expect, test } from "vitest";
import { arrivalMap } from "../../test/arrival-maps.js";
import { phaseFraction, singleParticleCRate } from "./phase-fraction.js";

const across = (x: number, y: number): number => 200 + (x + 0.4 * y) / 0.02;

test("the fraction is the share of the outline that is transformed, never falls and runs from 0 to 1", () => {
  assert(
    property(double({ min: 0.005, max: 0.1, noNaN: true }), integer({ min: 0, max: 1e6 }), (speed, seed) => {
      const map = arrivalMap((x, y) => (x - 0.3 * y) / speed, { semi_um: [1.2, 0.9], sd_s: 0.05 / speed, seed });
      const { value, time_s } = phaseFraction(map);
      expect(value[0]).toBe(0);
      expect(value[value.length - 1]).toBe(1);
      for (let k = 1; k < value.length; k++) expect(value[k]!).toBeGreaterThanOrEqual(value[k - 1]!);
      const arrivals = map.arrival_s.filter(Number.isFinite);
      for (const k of [20, 60, 100, 140]) {
        const counted = arrivals.filter((t) => t <= time_s[k]!).length / arrivals.length;
        expect(Math.abs(value[k]! - counted)).toBeLessThan(0.03);
      }
    }),
    { numRuns: 8 },
  );
});

test("half time and duration of a front across an ellipse", () => {
  const { t50_s, duration_s } = phaseFraction(arrivalMap(across, { semi_um: [2, 2] }));
  expect(t50_s!.value).toBeCloseTo(200, 0);
  // A circle's caps of 5 % are 0.805 radii from its middle: 2 * 0.8054 * 2 um over the speed along the way.
  const speed = 0.02 / Math.hypot(1, 0.4);
  expect(Math.abs(duration_s!.value / ((2 * 0.8054 * 2) / speed) - 1)).toBeLessThan(0.01);
});

test("pixels without an arrival are filled from around and counted; unchanged ones stay untransformed", () => {
  const gap = (x: number, y: number): number => (Math.abs(x) < 0.4 ? NaN : across(x, y));
  const holed = phaseFraction(arrivalMap(gap));
  const whole = phaseFraction(arrivalMap(across));
  expect(holed.filled).toBeGreaterThan(0.15);
  expect(holed.t50_s!.value).toBeCloseTo(whole.t50_s!.value, 1);
  expect(holed.duration_s!.value).toBeCloseTo(whole.duration_s!.value, 1);
  const half = phaseFraction(arrivalMap((x, y) => (x > 0.6 ? Infinity : across(x, y))));
  expect(half.filled).toBe(0);
  expect(half.value[half.value.length - 1]!).toBeLessThan(0.7);
  expect(half.duration_s).toBeNull();
  expect(phaseFraction(arrivalMap((x, y) => (x > -0.5 ? Infinity : across(x, y)))).t50_s).toBeNull();
});

test("the C-rate is the factor times the fraction gained over the bandwidth, per hour", () => {
  const map = arrivalMap(across);
  for (const bandwidth_s of [10, 30]) {
    const rate = singleParticleCRate(map, { c_rate_factor: 0.353, bandwidth_s });
    const fraction = phaseFraction(map, { bandwidth_s });
    const at = Math.floor(rate.time_s.length / 2);
    // Share of an ellipse on one side of a line.
    const phi = (t_s: number): number => {
      const u = Math.max(-1, Math.min(1, (0.02 * (t_s - 200)) / Math.hypot(2.4, 0.4 * 2)));
      return 0.5 + (u * Math.sqrt(1 - u * u) + Math.asin(u)) / Math.PI;
    };
    const t_s = rate.time_s[at]!;
    const gained = phi(t_s + bandwidth_s / 2) - phi(t_s - bandwidth_s / 2);
    // The outline itself is known to a pixel here: 2 % of a window that the front crosses in two of them.
    expect(Math.abs(rate.value[at]! / ((0.353 * 3600 * gained) / bandwidth_s) - 1)).toBeLessThan(0.02);
    expect(rate.mean!.value).toBeCloseTo((0.353 * 0.9 * 3600) / fraction.duration_s!.value, 6);
    expect(Math.abs(rate.max!.value / Math.max(...rate.value) - 1)).toBeLessThan(0.02);
  }
});

test("standard errors of half time and duration grow with the map's noise", () => {
  const [quiet, loud] = [0.3, 3].map((sd_s) => phaseFraction(arrivalMap(across, { sd_s, seed: 4 })));
  expect(loud!.t50_s!.sd!).toBeGreaterThan(4 * quiet!.t50_s!.sd!);
  expect(Math.abs(loud!.t50_s!.value - 200)).toBeLessThan(4 * loud!.t50_s!.sd!);
  expect(Math.abs(quiet!.t50_s!.value - 200)).toBeLessThan(4 * quiet!.t50_s!.sd!);
});

test("the error that all arrivals share moves t50 and no duration", () => {
  const map = arrivalMap(across, { sd_s: 0.2 });
  const shared = phaseFraction({ ...map, common_sd_s: 3 });
  expect(shared.t50_s!.sd!).toBeGreaterThan(2.9);
  expect(shared.duration_s!.sd!).toBeCloseTo(phaseFraction(map).duration_s!.sd!, 6);
});
