import { assert, double, property } from "fast-check";
import { expect, test } from "vitest";
import { arrivalMap, type MapOptions } from "../../test/arrival-maps.js";
import { median } from "../kernels/stats.js";
import type { Estimate } from "../model/experiment.js";
import { isochroneVelocity } from "./isochrones.js";
import { mapNoise } from "./map-noise.js";

const PSF_UM = 0.118;

function measured(passing_s: (x: number, y: number) => number, options: MapOptions = {}): Estimate | null {
  const map = arrivalMap(passing_s, options);
  return isochroneVelocity(map, { psf_um: PSF_UM, noise: mapNoise(map, PSF_UM) });
}

const plane = (velocity_um_s: number, angle: number) => (x: number, y: number) =>
  300 + (x * Math.cos(angle) + y * Math.sin(angle)) / velocity_um_s;

test("a straight front on a map without noise has its velocity, whatever its way, speed and the pixels' size", () => {
  assert(
    property(
      double({ min: 0.005, max: 0.15, noNaN: true }),
      double({ min: 0, max: 2 * Math.PI, noNaN: true }),
      double({ min: 0.05, max: 0.1, noNaN: true }),
      (velocity_um_s, angle, pixelSize_um) => {
        const found = measured(plane(velocity_um_s, angle), { semi_um: [1.6, 1.4], pixelSize_um })!;
        expect(Math.abs(found.value / velocity_um_s - 1)).toBeLessThan(2e-3);
      },
    ),
    { numRuns: 6 },
  );
});

test("round fronts and a closing ring have theirs; where two fronts meet no way leads across", () => {
  const round = measured((x, y) => Math.hypot(x + 2.2, y) / 0.02)!;
  expect(Math.abs(round.value / 0.02 - 1)).toBeLessThan(0.01);
  const ring = measured((x, y) => (2 - Math.hypot(x, y)) / 0.03, { semi_um: [2, 2] })!;
  expect(Math.abs(ring.value / 0.03 - 1)).toBeLessThan(0.01);
  const meeting = measured((x) => (2.4 - Math.abs(x)) / 0.02)!;
  expect(Math.abs(meeting.value / 0.02 - 1)).toBeLessThan(0.005);
});

test("its standard error is true on noisy maps", () => {
  const z: number[] = [];
  const errors: number[] = [];
  for (let seed = 0; seed < 24; seed++) {
    const found = measured(plane(0.02, seed), { semi_um: [1.3, 1.1], sd_s: 1.2, seed })!;
    errors.push(found.value / 0.02 - 1);
    z.push((found.value - 0.02) / found.sd!);
  }
  expect(Math.abs(median(errors))).toBeLessThan(0.01);
  const within = z.filter((one) => Math.abs(one) < 1).length / z.length;
  // Binomial: 0.68 give or take 0.095; two and a half times that.
  expect(within).toBeGreaterThan(0.44);
  expect(within).toBeLessThan(0.93);
});

test("a map at one moment, or of a few pixels, has no isochrones", () => {
  expect(measured(() => 100)).toBeNull();
  expect(measured(plane(0.02, 1), { semi_um: [0.1, 0.1] })).toBeNull();
});
