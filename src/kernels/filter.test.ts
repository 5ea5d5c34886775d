import * as fc from "fast-check";
import { expect, test } from "vitest";
import { gaussianBlur, medianFilter } from "./filter.js";
import { random } from "./random.js";

/** The definition itself: a weighted mean over the finite pixels within the square of 4 sigma, and the nearest of them. */
function slowBlur(image: readonly number[], width: number, height: number, sigma: number) {
  const reach = Math.ceil(4 * sigma);
  return image.map((_, at) => {
    const x = at % width;
    const y = Math.floor(at / width);
    let sum = 0;
    let weights = 0;
    let nearest_px = Infinity;
    for (let v = Math.max(0, y - reach); v <= Math.min(height - 1, y + reach); v++) {
      for (let u = Math.max(0, x - reach); u <= Math.min(width - 1, x + reach); u++) {
        const value = image[v * width + u]!;
        if (!Number.isFinite(value)) continue;
        const away_px = Math.hypot(u - x, v - y);
        nearest_px = Math.min(nearest_px, away_px);
        const weight = Math.exp(-(away_px ** 2) / (2 * sigma * sigma));
        sum += weight * value;
        weights += weight;
      }
    }
    return { value: sum / weights, nearest_px };
  });
}

const images = fc.record({
  width: fc.integer({ min: 1, max: 24 }),
  height: fc.integer({ min: 1, max: 24 }),
  sigma: fc.double({ min: 0.3, max: 5, noNaN: true }),
  seed: fc.integer(),
  missing: fc.constantFrom(0, 0.2, 0.95),
});

function imageOf({ width, height, seed, missing }: { width: number; height: number; seed: number; missing: number }) {
  const source = random(seed);
  return Array.from({ length: width * height }, () => (source.uniform() < missing ? NaN : 100 + 10 * source.normal()));
}

test("the blur is the weighted mean over finite pixels, at the borders and around holes too", () => {
  fc.assert(
    fc.property(images, (draw) => {
      const image = imageOf(draw);
      const blurred = gaussianBlur(image, draw.width, draw.height, draw.sigma);
      const truth = slowBlur(image, draw.width, draw.height, draw.sigma);
      for (let at = 0; at < truth.length; at++) {
        const { value, nearest_px } = truth[at]!;
        if (Number.isNaN(blurred[at]!)) expect(nearest_px).toBeGreaterThan(3 * draw.sigma);
        // Sums are kept in single precision.
        else expect(Math.abs(blurred[at]! - value)).toBeLessThan(1e-6 * value);
      }
    }),
    { numRuns: 60 },
  );
});

test("a constant stays what it is, wherever pixels are missing", () => {
  fc.assert(
    fc.property(images, (draw) => {
      const image = imageOf(draw).map((value) => (Number.isNaN(value) ? NaN : 42));
      for (const value of gaussianBlur(image, draw.width, draw.height, draw.sigma)) {
        if (!Number.isNaN(value)) expect(value).toBeCloseTo(42, 4);
      }
    }),
    { numRuns: 30 },
  );
});

test("a point far from the borders becomes a Gaussian of the stated width and of the same sum", () => {
  const image = new Float64Array(81 * 81);
  image[40 * 81 + 40] = 1;
  for (const sigma of [0.8, 2, 6]) {
    const blurred = gaussianBlur(image, 81, 81, sigma);
    const sum = blurred.reduce((a, b) => a + b, 0);
    const variance = blurred.reduce((a, b, at) => a + b * ((at % 81) - 40) ** 2, 0);
    expect(sum).toBeCloseTo(1, 5);
    expect(Math.sqrt(variance) / sigma).toBeGreaterThan(0.997);
    expect(Math.sqrt(variance) / sigma).toBeLessThan(1.003);
  }
});

test("nothing is known where no finite pixel lies within three sigma, and always within", () => {
  const image = new Float64Array(41 * 41).fill(NaN);
  image[20 * 41 + 20] = 5;
  const blurred = gaussianBlur(image, 41, 41, 3);
  expect(blurred[20 * 41 + 29]).toBeCloseTo(5);
  expect(blurred[20 * 41 + 30]).toBeNaN();
  expect(gaussianBlur([NaN, Infinity], 2, 1, 1)).toEqual(Float32Array.of(NaN, NaN));
});

test("no width, no blur", () => {
  expect(gaussianBlur([1, Infinity, 3], 3, 1, 0)).toEqual(Float32Array.of(1, NaN, 3));
});

test("the median filter is the median of what is finite in its window", () => {
  fc.assert(
    fc.property(images, fc.integer({ min: 0, max: 3 }), (draw, radius) => {
      const { width, height } = draw;
      const image = imageOf(draw);
      const filtered = medianFilter(image, width, height, radius);
      for (let at = 0; at < image.length; at++) {
        const x = at % width;
        const y = Math.floor(at / width);
        const window = image
          .filter((_, to) => Math.abs((to % width) - x) <= radius && Math.abs(Math.floor(to / width) - y) <= radius)
          .filter(Number.isFinite)
          .sort((a, b) => a - b);
        const middle = window.length / 2;
        const truth =
          window.length % 2 === 1 ? window[Math.floor(middle)]! : (window[middle - 1]! + window[middle]!) / 2;
        if (window.length === 0) expect(filtered[at]).toBeNaN();
        else expect(filtered[at]).toBeCloseTo(truth, 4);
      }
    }),
    { numRuns: 30 },
  );
});
