import { assert, double, property } from "fast-check";
import { expect, test } from "vitest";
import { arrivalMap } from "../../test/arrival-maps.js";
import { median } from "../kernels/stats.js";
import { frontVelocity } from "./velocity.js";

const plane = (velocity_um_s: number, angle: number) => (x: number, y: number) =>
  300 + (x * Math.cos(angle) + y * Math.sin(angle)) / velocity_um_s;

test("a straight front on a map without noise has its velocity to 1e-4, whatever its way, speed and the pixels' size", () => {
  assert(
    property(
      double({ min: 0.003, max: 0.15, noNaN: true }),
      double({ min: 0, max: 2 * Math.PI, noNaN: true }),
      double({ min: 0.04, max: 0.1, noNaN: true }),
      (velocity_um_s, angle, pixelSize_um) => {
        const found = frontVelocity(arrivalMap(plane(velocity_um_s, angle), { semi_um: [1.4, 1.1], pixelSize_um }))!;
        for (const one of [found, found.mean_um_s, found.path_um_s!]) {
          expect(Math.abs(one.value / velocity_um_s - 1)).toBeLessThan(1e-3);
        }
        expect(Math.abs(found.value / velocity_um_s - 1)).toBeLessThan(1e-4);
        expect(found.range_um_s[1] / found.range_um_s[0]).toBeLessThan(1.01);
      },
    ),
    { numRuns: 6 },
  );
});

test("a round front has its velocity, its nucleus left out", () => {
  const found = frontVelocity(arrivalMap((x, y) => Math.hypot(x + 0.6, y - 0.4) / 0.02))!;
  expect(found.value).toBeCloseTo(0.02, 4);
  expect(found.range_um_s[1]).toBeLessThan(0.0205);
});

test("where two fronts meet no velocity is taken across", () => {
  const found = frontVelocity(arrivalMap((x) => (2.4 - Math.abs(x)) / 0.02))!;
  expect(found.value).toBeCloseTo(0.02, 4);
  expect(found.range_um_s[0]).toBeGreaterThan(0.0195);
  expect(found.range_um_s[1]).toBeLessThan(0.0205);
});

test("an accelerating front: median over pixels, the last tenth, and the path are each their own", () => {
  // v = 0.02 exp(x / 3): T = 3 (1 - exp(-x / 3)) / 0.02.
  const found = frontVelocity(arrivalMap((x) => (3 * (1 - Math.exp(-x / 3))) / 0.02))!;
  expect(Math.abs(found.value / 0.02 - 1)).toBeLessThan(0.01);
  // Over an ellipse x has the variance a^2 / 4: the mean of exp(x / 3) is near exp(a^2 / 72), a without the rim.
  expect(Math.abs(found.mean_um_s.value / (0.02 * Math.exp(2.28 ** 2 / 72)) - 1)).toBeLessThan(0.01);
  // Along y = 0 from end to end: 4.8 um less two point spreads in the time between.
  const [from, to] = [-2.4 + 0.14, 2.4 - 0.14];
  const time_s = (3 * (Math.exp(-from / 3) - Math.exp(-to / 3))) / 0.02;
  expect(Math.abs(found.path_um_s!.value / ((to - from) / time_s) - 1)).toBeLessThan(0.02);
  expect(found.late_um_s!.value).toBeGreaterThan(0.032);
});

test("a map of pixels 25 nm wide is read as one of 75 nm is", () => {
  const options = { semi_um: [1.2, 1] as const, sd_s: 0 };
  const fine = frontVelocity(arrivalMap(plane(0.02, 1), { ...options, pixelSize_um: 0.025 }))!;
  expect(fine.value).toBeCloseTo(0.02, 5);
});

test("noise lengthens no slope and its standard error is true: 68 % within one, over 40 maps", () => {
  const truth = 0.02;
  const z: number[] = [];
  const errors: number[] = [];
  for (let seed = 0; seed < 40; seed++) {
    const map = arrivalMap(plane(truth, seed), { semi_um: [1.1, 0.9], sd_s: 1.2, seed });
    const found = frontVelocity(map)!;
    z.push((found.value - truth) / found.sd!);
    errors.push(found.value / truth - 1);
  }
  expect(Math.abs(median(errors))).toBeLessThan(0.003);
  const within = z.filter((one) => Math.abs(one) < 1).length / z.length;
  // Binomial: 0.68 give or take 0.074; two and a half times that.
  expect(within).toBeGreaterThan(0.5);
  expect(within).toBeLessThan(0.87);
});

test("where the whole particle changed at one moment there is no velocity", () => {
  expect(frontVelocity(arrivalMap(() => 100, { sd_s: 1 }))).toBeNull();
});
