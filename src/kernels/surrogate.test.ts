import { expect, test } from "vitest";
import { random } from "./random.js";
import { spectrumOf, surrogatesOf } from "./surrogate.js";

const [width, height] = [50, 44];

function variance(values: ArrayLike<number>): number {
  let [n, sum, square] = [0, 0, 0];
  for (let at = 0; at < values.length; at++) {
    if (!Number.isFinite(values[at]!)) continue;
    n++;
    sum += values[at]!;
    square += values[at]! ** 2;
  }
  return square / n - (sum / n) ** 2;
}

test("a surrogate fluctuates as much as the known part of its image", () => {
  const from = random(4);
  const image = Float32Array.from({ length: width * height }, (_, at) =>
    at % width < 30 && at > 5 * width ? 5 + 0.3 * from.normal() : NaN,
  );
  const spectrum = spectrumOf(image, width, height);
  const found = Array.from({ length: 10 }, () => surrogatesOf(spectrum, from).map(variance)).flat();
  const mean = found.reduce((sum, value) => sum + value, 0) / found.length;
  expect(mean / variance(image)).toBeGreaterThan(0.93);
  expect(mean / variance(image)).toBeLessThan(1.07);
});

test("a line's power goes in all directions, and its surrogates are different each time", () => {
  const image = Float32Array.from({ length: width * height }, (_, at) =>
    Math.exp(-0.5 * (((at % width) - 25) / 2) ** 2),
  );
  const spectrum = spectrumOf(image, width, height);
  const from = random(1);
  const [one, other] = surrogatesOf(spectrum, from);
  expect(variance(one) / variance(image)).toBeGreaterThan(0.6);
  expect(variance(one) / variance(image)).toBeLessThan(1.6);
  const product = one.reduce((sum, value, at) => sum + value * other[at]!, 0) / one.length;
  expect(Math.abs(product)).toBeLessThan(0.5 * variance(one));
  const changes = (step: number): number => {
    let sum = 0;
    for (let at = 0; at + width < one.length; at++) sum += (one[at + step]! - one[at]!) ** 2;
    return sum;
  };
  // The line itself does not change along y at all.
  expect(changes(width) / changes(1)).toBeGreaterThan(0.5);
});
