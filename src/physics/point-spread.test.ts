import * as fc from "fast-check";
import { expect, test } from "vitest";
import { random } from "../kernels/random.js";
import {
  airyIntensity,
  blurInPlace,
  discreteGaussian,
  effectiveNa,
  rayleighRange_um,
  spreading,
  spreadOf_um,
  type Objective,
} from "./point-spread.js";

const oil: Objective = { na: 1.4, wavelength_um: 0.785, medium_n: 1.39 };

test("Airy's pattern has its first dark ring at 0.61 wavelength / NA and half its height at 0.257", () => {
  const unit = 0.785 / 1.39;
  expect(airyIntensity(0, oil)).toBe(1);
  expect(airyIntensity(0.60983 * unit, oil)).toBeLessThan(1e-9);
  expect(airyIntensity(0.25724 * unit, oil)).toBeCloseTo(0.5, 4);
  // The second bright ring.
  expect(airyIntensity(0.8174 * unit, oil)).toBeCloseTo(0.0175, 4);
});

test("the Gaussian is the nearest to Airy's pattern, by least squares over the plane", () => {
  const misfit = (sigma: number): number => {
    let sum = 0;
    for (let r = 0.0005; r < 1.5; r += 0.001) {
      sum += r * (airyIntensity(r, oil) - Math.exp((-r * r) / (2 * sigma * sigma))) ** 2;
    }
    return sum;
  };
  const ours = spreadOf_um(oil);
  expect(ours).toBeCloseTo(0.1188, 4);
  for (const factor of [0.99, 1.01]) expect(misfit(ours)).toBeLessThan(misfit(factor * ours));
});

test("no aperture is larger than the liquid's index: steeper light is reflected at the window", () => {
  expect(effectiveNa(oil)).toBe(1.39);
  expect(spreadOf_um({ ...oil, na: 1.45 })).toBe(spreadOf_um(oil));
  expect(spreadOf_um({ ...oil, na: 0.7 })).toBeCloseTo((0.2103 * 0.785) / 0.7, 12);
});

test("out of focus the spread widens: its area doubles at the Rayleigh range, alike on both sides", () => {
  const zR = rayleighRange_um(oil);
  expect(zR).toBeCloseTo(0.31, 2);
  expect(spreadOf_um(oil, zR) ** 2).toBeCloseTo(2 * spreadOf_um(oil) ** 2, 12);
  expect(spreadOf_um(oil, -0.4)).toBe(spreadOf_um(oil, 0.4));
});

test("the discrete Gaussian sums to one and has the variance asked for, however narrow", () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-5, max: 12, noNaN: true }), (sigma) => {
      const half = discreteGaussian(sigma);
      let sum = half[0]!;
      let variance = 0;
      for (let at = 1; at < half.length; at++) {
        sum += 2 * half[at]!;
        variance += 2 * at * at * half[at]!;
        expect(half[at]!).toBeLessThanOrEqual(half[at - 1]!);
      }
      expect(sum).toBeCloseTo(1, 12);
      expect(Math.abs(variance / sigma ** 2 - 1)).toBeLessThan(1e-4);
    }),
  );
  expect([...discreteGaussian(0)]).toEqual([1]);
});

test("a blur keeps the sum of the light, and two of them are one", () => {
  const [width, height] = [64, 48];
  const draw = random(3);
  const image = new Float64Array(width * height);
  for (let y = 20; y < 28; y++) for (let x = 20; x < 40; x++) image[y * width + x] = draw.uniform();
  const total = image.reduce((sum, value) => sum + value, 0);
  const work = new Float64Array(image.length);
  const twice = image.slice();
  blurInPlace(twice, width, height, discreteGaussian(1.2), work);
  blurInPlace(twice, width, height, discreteGaussian(1.6), work);
  blurInPlace(image, width, height, discreteGaussian(2), work);
  expect(image.reduce((sum, value) => sum + value, 0) / total).toBeCloseTo(1, 9);
  for (let at = 0; at < image.length; at++) expect(Math.abs(image[at]! - twice[at]!)).toBeLessThan(1e-6);
});

test.each(["gaussian", "airy"] as const)("%s: light is kept, not made, wherever it lies", (kind) => {
  const spread = kind === "airy" ? { kind, objective: oil } : { kind, psf_um: spreadOf_um(oil) };
  const side = 120;
  const spreadLight = spreading(spread, side, side, 0.05);
  const image = new Float64Array(side * side);
  image[60 * side + 60] = 1;
  image[55 * side + 64] = 2;
  spreadLight(image, null);
  // Airy's rings are wide: some thousandths lie beyond the image.
  expect(image.reduce((sum, value) => sum + value, 0)).toBeCloseTo(3, kind === "airy" ? 1 : 9);
  expect(Math.min(...image)).toBeGreaterThan(-1e-12);
});

test("a point through the transfer function is Airy's pattern", () => {
  const side = 160;
  const cell_um = 0.04;
  const image = new Float64Array(side * side);
  image[80 * side + 80] = 1;
  spreading({ kind: "airy", objective: oil }, side, side, cell_um)(image, null);
  const peak = image[80 * side + 80]!;
  for (const away of [1, 2, 4, 6, 8, 12, 16]) {
    expect(image[80 * side + 80 + away]! / peak).toBeCloseTo(airyIntensity(away * cell_um, oil), 3);
  }
});

test("a field's point squared is the light's: coherent and incoherent agree on a single point", () => {
  const side = 160;
  for (const spread of [
    { kind: "airy", objective: oil },
    { kind: "gaussian", psf_um: 0.119 },
  ] as const) {
    const blur = spreading(spread, side, side, 0.04);
    const light = new Float64Array(side * side);
    light[80 * side + 80] = 1;
    const re = light.slice();
    const im = new Float64Array(side * side);
    blur(light, null);
    blur(re, im);
    const [peak, crest] = [light[80 * side + 80]!, re[80 * side + 80]!];
    for (const away of [1, 3, 5, 8]) {
      // Cells of a third of the spread: a square of sums is the sum of squares within a per cent.
      const squared = (re[80 * side + 80 + away]! / crest) ** 2;
      expect(Math.abs(squared - light[80 * side + 80 + away]! / peak)).toBeLessThan(0.01);
    }
    expect(Math.max(...im.map(Math.abs))).toBeLessThan(1e-12);
  }
});
