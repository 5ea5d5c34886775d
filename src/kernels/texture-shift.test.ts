import { expect, test } from "vitest";
import { random } from "./random.js";
import { splineCoefficients } from "./resample.js";
import { newLaid, prepareTexture, shiftBound, type Texture, type TextureShift, textureShift } from "./texture-shift.js";

const size = 80;
const margin = 6;
const padded = size + 2 * margin;

/** Speckle of Gaussian grains over the padded square, moved by (dx, dy) exactly. */
function speckle(seed: number, dx: number, dy: number, sigma = 1.6): Float64Array {
  const draw = random(seed);
  const image = new Float64Array(padded * padded).fill(0.4);
  for (let grain = 0; grain < 900; grain++) {
    const [x0, y0, a] = [draw.uniform() * padded + dx, draw.uniform() * padded + dy, draw.uniform()];
    for (let y = Math.max(0, Math.ceil(y0 - 9)); y <= Math.min(padded - 1, y0 + 9); y++) {
      for (let x = Math.max(0, Math.ceil(x0 - 9)); x <= Math.min(padded - 1, x0 + 9); x++)
        image[y * padded + x]! += a * Math.exp(-((x - x0) ** 2 + (y - y0) ** 2) / (2 * sigma * sigma));
    }
  }
  return image;
}

const ones = new Float64Array(size * size).fill(1);
const board = Uint8Array.from(
  { length: size * size },
  (_, at) => (((at % size) >> 4) + (Math.floor(at / size) >> 4)) % 2,
);

function textureOf(image: Float64Array, weights = ones): Texture {
  const inner = new Float64Array(size * size);
  for (let y = 0; y < size; y++)
    inner.set(image.subarray((y + margin) * padded + margin, (y + margin) * padded + margin + size), y * size);
  return prepareTexture(inner, size, size, weights, board, { sharp_px: 1.5, slow_px: 8 });
}

function find(texture: Texture, image: Float64Array, start: readonly [number, number] = [0, 0]): TextureShift {
  const coefficients = Float32Array.from(image);
  splineCoefficients(coefficients, padded, padded);
  const laid = newLaid(size, size);
  const all = [0, 0, padded - 1, padded - 1] as const;
  return textureShift(texture, coefficients, padded, padded, margin, margin, all, start[0], start[1], laid);
}

test("a shift within a grain of the start is found to a few thousandths of a pixel", () => {
  const texture = textureOf(speckle(3, 0, 0));
  for (const [dx, dy] of [
    [0, 0],
    [0.31, -0.77],
    [-0.5, 0.5],
    [0.9, 0.9],
  ] as const) {
    const found = find(texture, speckle(3, dx, dy), [dx + 0.2, dy - 0.2]);
    expect(Math.hypot(found.dx_px - dx, found.dy_px - dy)).toBeLessThan(0.003);
    expect(found.seen).toBe(1);
  }
});

test("light, contrast of the lamp and uneven light do not shift it", () => {
  const texture = textureOf(speckle(4, 0, 0));
  const lit = speckle(4, 0.4, 0.2).map(
    (value, at) => 300 * value * (1 + 0.004 * (at % padded) - 1e-5 * (at / padded) ** 2),
  );
  const found = find(texture, lit);
  expect(Math.hypot(found.dx_px - 0.4, found.dy_px - 0.2)).toBeLessThan(0.005);
  const washed = speckle(4, 0.4, 0.2).map((value) => 0.7 * value + 0.9);
  const pale = find(texture, washed);
  expect(Math.hypot(pale.dx_px - 0.4, pale.dy_px - 0.2)).toBeLessThan(0.02);
});

test("a tenth of the pixels may change: they have no say", () => {
  const texture = textureOf(speckle(5, 0, 0));
  const draw = random(6);
  const changed = speckle(5, -0.3, 0.45).map((value, at) => {
    const [x, y] = [at % padded, Math.floor(at / padded)];
    return (x > 30 && x < 52 && y > 40 && y < 66 ? 1.8 * value + 0.3 : value) * (1 + 0.003 * draw.normal());
  });
  const found = find(texture, changed);
  expect(Math.hypot(found.dx_px + 0.3, found.dy_px - 0.45)).toBeLessThan(0.01);
});

test("the scatter of the shift at white noise is near the Cramer-Rao bound, and the halves tell it", () => {
  const texture = textureOf(speckle(7, 0, 0));
  const draw = random(8);
  const noise = 0.02;
  const image = speckle(7, 0.25, -0.15);
  const slow = image.reduce((sum, value) => sum + value, 0) / image.length;
  let [squares, splits] = [0, 0];
  const trials = 60;
  for (let trial = 0; trial < trials; trial++) {
    const found = find(
      texture,
      image.map((value) => value + noise * slow * draw.normal()),
    );
    squares += (found.dx_px - 0.25) ** 2 + (found.dy_px + 0.15) ** 2;
    splits += (found.splitX_px ** 2 + found.splitY_px ** 2) / 4;
  }
  const scatter = Math.sqrt(squares / trials / 2);
  const [x, y] = shiftBound(texture, noise, 0);
  const bound = Math.hypot(x, y) * Math.SQRT1_2;
  // 120 shifts tell a standard deviation to 6.5 %; smoothing costs up to a quarter over the bound.
  expect(scatter / bound).toBeGreaterThan(0.85);
  expect(scatter / bound).toBeLessThan(1.45);
  expect(Math.sqrt(splits / trials / 2) / scatter).toBeGreaterThan(0.75);
  expect(Math.sqrt(splits / trials / 2) / scatter).toBeLessThan(1.35);
});

test("another scene is not found", () => {
  const texture = textureOf(speckle(9, 0, 0));
  let found = 0;
  for (let seed = 20; seed < 30; seed++) {
    const { dx_px, splitX_px, splitY_px } = find(texture, speckle(seed, 0, 0));
    if (Number.isFinite(dx_px) && Math.hypot(splitX_px, splitY_px) < 0.1) found++;
  }
  expect(found).toBe(0);
  expect(find(texture, new Float64Array(padded * padded).fill(NaN)).dx_px).toBeNaN();
});
