import { expect, test } from "vitest";
import { correlationReference, phaseCorrelation } from "./phase-correlation.js";
import { random } from "./random.js";

/** Speckle of Gaussian grains on a torus, moved by (dx, dy) exactly. */
function torus(seed: number, width: number, height: number, dx: number, dy: number, sigma = 1.5): Float64Array {
  const draw = random(seed);
  const image = new Float64Array(width * height).fill(1);
  const around = (distance: number, length: number): number => distance - length * Math.round(distance / length);
  const reach = Math.ceil(6 * sigma);
  for (let grain = 0; grain < (width * height) / 10; grain++) {
    const [x0, y0, amplitude] = [draw.uniform() * width + dx, draw.uniform() * height + dy, draw.uniform() - 0.5];
    for (let y = Math.round(y0) - reach; y <= Math.round(y0) + reach; y++) {
      for (let x = Math.round(x0) - reach; x <= Math.round(x0) + reach; x++) {
        const at = (((y % height) + height) % height) * width + (((x % width) + width) % width);
        const r2 = around(x - x0, width) ** 2 + around(y - y0, height) ** 2;
        image[at]! += amplitude * Math.exp(-r2 / (2 * sigma * sigma));
      }
    }
  }
  return image;
}

const band = (sigma: number) => (k: number) => Math.exp(-0.5 * k * k * sigma * sigma) - Math.exp(-0.5 * k * k * 64);

test("a periodic image's shift is found exactly, of any size and far beyond a pixel", () => {
  for (const [width, height] of [
    [48, 40],
    [45, 54],
    [64, 64],
  ] as const) {
    const draw = random(width);
    for (let trial = 0; trial < 6; trial++) {
      const [dx, dy] = [(draw.uniform() - 0.5) * 0.9 * width, (draw.uniform() - 0.5) * 0.9 * height];
      const reference = correlationReference(torus(trial, width, height, 0, 0), width, height, band(1));
      const found = phaseCorrelation(reference, Float32Array.from(torus(trial, width, height, dx, dy)));
      expect(Math.abs(found.dx_px - dx)).toBeLessThan(1e-3);
      expect(Math.abs(found.dy_px - dy)).toBeLessThan(1e-3);
      expect(found.significance).toBeGreaterThan(6);
    }
  }
});

test("at 1 % noise the shift of 128 x 128 px of speckle is good to 0.01 px, with one reference for all", () => {
  const size = 128;
  const texture = torus(7, size, size, 0, 0);
  const draw = random(1);
  const reference = correlationReference(texture, size, size, band(1.2));
  let squares = 0;
  for (let trial = 0; trial < 10; trial++) {
    const [dx, dy] = [6 * draw.uniform() - 3, 6 * draw.uniform() - 3];
    const image = torus(7, size, size, dx, dy).map((value) => value * (1 + 0.01 * draw.normal()));
    const found = phaseCorrelation(reference, Float32Array.from(image));
    squares += (found.dx_px - dx) ** 2 + (found.dy_px - dy) ** 2;
  }
  expect(Math.sqrt(squares / 20)).toBeLessThan(0.01);
});

test("what has nothing in common is told by its significance", () => {
  const size = 96;
  const reference = correlationReference(torus(1, size, size, 0, 0), size, size, band(1.2));
  for (let seed = 2; seed < 12; seed++) {
    expect(phaseCorrelation(reference, Float32Array.from(torus(seed, size, size, 0, 0))).significance).toBeLessThan(5);
    const draw = random(seed);
    const noise = Float32Array.from({ length: size * size }, () => draw.normal());
    expect(phaseCorrelation(reference, noise).significance).toBeLessThan(5);
  }
  const empty = phaseCorrelation(reference, new Float32Array(size * size));
  expect(empty.significance).toBe(0);
  expect(empty.dx_px).toBeNaN();
});
