import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ridges } from "./ridges.js";

const [width, height] = [61, 61];

function line(angle_rad: number, sigma_px: number): Float64Array {
  return Float64Array.from({ length: width * height }, (_, at) => {
    const across = -Math.sin(angle_rad) * ((at % width) - 30) + Math.cos(angle_rad) * (Math.floor(at / width) - 30);
    return Math.exp(-0.5 * (across / sigma_px) ** 2);
  });
}

test("a line of the filter's own width answers with its height over 2^1.5, at its own direction, whatever that is", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: Math.PI - 1e-6, noNaN: true }),
      fc.double({ min: 1.5, max: 4, noNaN: true }),
      (angle, sigma_px) => {
        const found = ridges(line(angle, sigma_px), width, height, sigma_px);
        const centre = 30 * width + 30;
        const off = Math.abs(found.angle_rad[centre]! - angle);
        expect(Math.min(off, Math.PI - off)).toBeLessThan(0.01);
        expect(found.strength[centre]!).toBeCloseTo(2 ** -1.5, 2);
      },
    ),
    { numRuns: 40 },
  );
});

test("a plane has no ridge, and a dark line none on its floor", () => {
  const plane = Float64Array.from({ length: width * height }, (_, at) => 3 + 0.1 * (at % width) - 0.2 * (at / width));
  const middle = 30 * width + 30;
  expect(Math.abs(ridges(plane, width, height, 2).strength[middle]!)).toBeLessThan(1e-3);
  const dark = line(0.4, 2).map((value) => -value);
  expect(ridges(dark, width, height, 2).strength[middle]!).toBeLessThan(1e-3);
});
