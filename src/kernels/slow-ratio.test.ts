import * as fc from "fast-check";
import { expect, test } from "vitest";
import { random } from "./random.js";
import { slowRatio } from "./slow-ratio.js";

const [width, height] = [90, 70];

test("the ratio of an image to a multiple of itself is that multiple, everywhere and whatever is missing", () => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.double({ min: 0.1, max: 10, noNaN: true }),
      fc.constantFrom(1, 3, 8, 20),
      (seed, k, sigma) => {
        const draw = random(seed);
        const b = Float64Array.from({ length: width * height }, () =>
          draw.uniform() < 0.3 ? 0 : 0.5 + draw.uniform(),
        );
        const a = b.map((value) => (draw.uniform() < 0.2 ? NaN : k * value));
        const ratio = new Float64Array(a.length);
        slowRatio(a, b, width, height, sigma, ratio);
        expect(ratio.every((value) => Math.abs(value / k - 1) < 1e-9)).toBe(true);
      },
    ),
    { numRuns: 25 },
  );
});

test("slow light is followed, through the texture on it and to the borders", () => {
  const draw = random(1);
  const light = (x: number, y: number): number => 100 * (1 + 0.2 * Math.cos((x - 40) / 60) - 0.002 * y);
  const texture = Float64Array.from({ length: width * height }, () => 0.7 + 0.6 * draw.uniform());
  const image = texture.map((value, at) => value * light(at % width, Math.floor(at / width)));
  const ratio = new Float64Array(image.length);
  slowRatio(image, texture, width, height, 8, ratio);
  // Within, the light's curvature over the Gaussian counts; at a border, where that is one-sided, its slope.
  let [within, anywhere] = [0, 0];
  for (let at = 0; at < ratio.length; at++) {
    const [x, y] = [at % width, Math.floor(at / width)];
    const error = Math.abs(ratio[at]! / light(x, y) - 1);
    anywhere = Math.max(anywhere, error);
    if (x >= 16 && y >= 16 && x < width - 16 && y < height - 16) within = Math.max(within, error);
  }
  expect(within).toBeLessThan(0.006);
  expect(anywhere).toBeLessThan(0.03);
});

test("the local mean is that of the open pixels alone, and far from them that of all", () => {
  const open = Uint8Array.from({ length: width * height }, (_, at) => (at % width < 30 ? 1 : 0));
  const image = Float64Array.from({ length: width * height }, (_, at) => (at % width < 30 ? 5 : 1000));
  const mean = new Float64Array(image.length);
  slowRatio(image, open, width, height, 4, mean);
  expect(mean.every((value) => Math.abs(value - 5) < 1e-9)).toBe(true);
  slowRatio(image, new Uint8Array(open.length), width, height, 4, mean);
  expect(mean.every(Number.isNaN)).toBe(true);
});

test("it is the Gaussian's mean to a few per cent of the contrast", () => {
  const sigma = 6;
  const image = new Float64Array(width * height);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) image[y * width + x] = x < 45 ? 1 : 2;
  const mean = new Float64Array(image.length);
  slowRatio(image, new Uint8Array(image.length).fill(1), width, height, sigma, mean);
  for (let x = 25; x < 65; x++) {
    let [sum, weights] = [0, 0];
    for (let other = 0; other < width; other++) {
      const weight = Math.exp(-0.5 * ((other - x) / sigma) ** 2);
      sum += weight * (other < 45 ? 1 : 2);
      weights += weight;
    }
    expect(Math.abs(mean[35 * width + x]! - sum / weights)).toBeLessThan(0.03);
  }
});
