import * as fc from "fast-check";
import { expect, test } from "vitest";
import { random } from "./random.js";
import { resampleWindow, shiftImage, splineNoiseGain } from "./resample.js";

/** A sum of Gaussian grains, moved by (dx, dy) exactly; grains and image are drawn from the seed. */
function grains(seed: number, width: number, height: number, dx: number, dy: number, sigma = 1.8): Float32Array {
  const draw = random(seed);
  const image = new Float32Array(width * height).fill(1);
  for (let grain = 0; grain < 60; grain++) {
    const x0 = draw.uniform() * width + dx;
    const y0 = draw.uniform() * height + dy;
    const amplitude = draw.uniform() - 0.5;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++)
        image[y * width + x]! += amplitude * Math.exp(-((x - x0) ** 2 + (y - y0) ** 2) / (2 * sigma * sigma));
    }
  }
  return image;
}

test("no shift gives the image back to the last bit, and whole pixels copy it", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: -3, max: 3 }),
      fc.integer({ min: -3, max: 3 }),
      fc.integer(),
      (width, height, dx, dy, seed) => {
        const draw = random(seed);
        const image = Float32Array.from({ length: width * height }, () => draw.normal());
        expect(shiftImage(image, width, height, 0, 0)).toEqual(image);
        const moved = shiftImage(image, width, height, dx, dy);
        for (let y = 0; y < height; y++) {
          for (let x = 0; x < width; x++) {
            const inside = x - dx >= 0 && x - dx < width && y - dy >= 0 && y - dy < height;
            expect(moved[y * width + x]).toBe(inside ? image[(y - dy) * width + x - dx] : NaN);
          }
        }
      },
    ),
  );
});

test("content moves by +dx, +dy as the scene itself would", () => {
  for (let seed = 0; seed < 12; seed++) {
    const draw = random(seed + 100);
    const [dx, dy] = [4 * draw.uniform() - 2, 4 * draw.uniform() - 2];
    const [width, height] = [40, 33];
    const moved = shiftImage(grains(seed, width, height, 0, 0), width, height, dx, dy);
    const truth = grains(seed, width, height, dx, dy);
    let squares = 0;
    let texture = 0;
    for (let y = 6; y < height - 6; y++) {
      for (let x = 6; x < width - 6; x++) {
        squares += (moved[y * width + x]! - truth[y * width + x]!) ** 2;
        texture += (truth[y * width + x]! - 1) ** 2;
      }
    }
    // The spline errs by about 1e-3 of a texture with grains of 1.8 px (sd); 2e-3 leaves room for the draw.
    expect(Math.sqrt(squares / texture)).toBeLessThan(2e-3);
  }
});

test("NaN exactly where the place lies outside the centres of the outermost pixels", () => {
  fc.assert(
    fc.property(
      fc.double({ min: -9, max: 9, noNaN: true }),
      fc.double({ min: -9, max: 9, noNaN: true }),
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 1, max: 8 }),
      (dx, dy, width, height) => {
        const moved = shiftImage(new Float32Array(width * height).fill(7), width, height, dx, dy);
        for (let y = 0; y < height; y++) {
          for (let x = 0; x < width; x++) {
            const inside = x - dx >= 0 && x - dx <= width - 1 && y - dy >= 0 && y - dy <= height - 1;
            if (inside) expect(moved[y * width + x]).toBeCloseTo(7, 5);
            else expect(moved[y * width + x]).toBeNaN();
          }
        }
      },
    ),
  );
});

test("a missing pixel makes NaN of the places beside it and of no others, whose values hardly feel it", () => {
  const [width, height] = [30, 24];
  const image = grains(5, width, height, 0, 0);
  const whole = shiftImage(image, width, height, 0.3, -0.4);
  image[10 * width + 12] = NaN;
  const holed = shiftImage(image, width, height, 0.3, -0.4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [left, top] = [Math.floor(x - 0.3), Math.floor(y + 0.4)];
      const beside = (left === 12 || left === 11) && (top === 10 || top === 9);
      if (beside || Number.isNaN(whole[y * width + x]!)) expect(holed[y * width + x]).toBeNaN();
      else expect(Math.abs(holed[y * width + x]! - whole[y * width + x]!)).toBeLessThan(0.03);
    }
  }
  expect(shiftImage(new Float32Array(9).fill(NaN), 3, 3, 0.5, 0.5).every(Number.isNaN)).toBe(true);
});

test("a window of an image is the same place of the whole image moved", () => {
  const [width, height] = [26, 22];
  const image = grains(8, width, height, 0, 0);
  for (const [x0, y0] of [
    [4.25, 3.5],
    [-1.5, 2],
    [20.1, 17.9],
    [3, 3],
  ] as const) {
    const window = new Float32Array(100 + 5);
    resampleWindow(Float64Array.from(image), width, height, x0, y0, window, 5, 10, 10);
    const [left, top] = [Math.floor(x0), Math.floor(y0)];
    const moved = shiftImage(image, width, height, left - x0, top - y0);
    for (let j = 0; j < 10; j++) {
      for (let i = 0; i < 10; i++) {
        const inside = left + i >= 0 && left + i < width && top + j >= 0 && top + j < height;
        expect(window[5 + j * 10 + i]).toBe(inside ? moved[(top + j) * width + left + i] : NaN);
      }
    }
  }
});

test("white noise keeps the share of its variance that splineNoiseGain says", () => {
  const draw = random(3);
  const [width, height] = [160, 160];
  const noise = Float32Array.from({ length: width * height }, () => draw.normal());
  for (const [dx, dy] of [
    [0, 0],
    [0.5, 0.5],
    [0.2, -0.35],
    [1.5, 0],
  ] as const) {
    const moved = shiftImage(noise, width, height, dx, dy).filter((value) => !Number.isNaN(value));
    const variance = moved.reduce((sum, value) => sum + value * value, 0) / moved.length;
    expect(variance).toBeCloseTo(splineNoiseGain(dx, dy), 1);
    expect(Math.abs(variance / splineNoiseGain(dx, dy) - 1)).toBeLessThan(0.04);
  }
});
