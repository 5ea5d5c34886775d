import { expect, test } from "vitest";
import { stream } from "./streams.js";
import { smoothNoise, speckle } from "./texture.js";

const side = 300;
const moments = (values: Float32Array): { mean: number; sd: number } => {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, sd: Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length) };
};

/** Correlation of an image with itself `lag` pixels to the right. */
function correlation(values: Float32Array, lag: number): number {
  const { mean, sd } = moments(values);
  let sum = 0;
  let n = 0;
  for (let y = 0; y < side; y++) {
    for (let x = 0; x + lag < side; x++, n++) {
      sum += (values[y * side + x]! - mean) * (values[y * side + x + lag]! - mean);
    }
  }
  return sum / n / (sd * sd);
}

test("speckle is fully developed: mean and contrast 1, light that falls off as exp(-I)", () => {
  const grains = speckle(side, side, 2, stream(1, "speckle"));
  const { mean, sd } = moments(grains);
  // Some 1800 grains: the mean is known to 2.4 %, the contrast to about 5 %.
  expect(Math.abs(mean - 1)).toBeLessThan(0.08);
  expect(Math.abs(sd - 1)).toBeLessThan(0.15);
  for (const level of [0.5, 1, 2]) {
    const above = grains.filter((value) => value > level).length / grains.length;
    expect(Math.abs(above - Math.exp(-level))).toBeLessThan(0.04);
  }
});

test("a grain is as wide as the point spread makes it", () => {
  const grains = speckle(side, side, 3, stream(2, "speckle"));
  // |<E E*>|^2 of an amplitude spread sqrt(2) s: exp(-lag^2 / 4 s^2).
  for (const lag of [2, 4, 6])
    expect(Math.abs(correlation(grains, lag) - Math.exp((-lag * lag) / 36))).toBeLessThan(0.06);
});

test("a smooth field has mean 0, standard deviation 1, and the same at its edges", () => {
  const field = smoothNoise(side, side, 3, stream(3, "face"));
  const { mean, sd } = moments(field);
  expect(Math.abs(mean)).toBeLessThan(0.15);
  expect(Math.abs(sd - 1)).toBeLessThan(0.1);
  for (const lag of [3, 6]) expect(Math.abs(correlation(field, lag) - Math.exp((-lag * lag) / 36))).toBeLessThan(0.08);
  const edge = moments(field.filter((_, at) => at % side < 4 || at % side >= side - 4));
  expect(Math.abs(edge.sd - 1)).toBeLessThan(0.25);
});
