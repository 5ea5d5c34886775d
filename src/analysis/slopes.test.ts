import { expect, test } from "vitest";
import { random } from "../kernels/random.js";
import { applySlopes, slopes, surface } from "./slopes.js";

const width = 24;
const height = 20;
const size = width * height;
const place = (at: number): readonly [number, number] => [at % width, Math.floor(at / width)];

test("a quadratic is told exactly, at the edge and beside holes too, with its second derivatives", () => {
  const { uniform } = random(5);
  const truth = (x: number, y: number): number => 40 + 3 * x - 2 * y + 0.2 * x * x - 0.1 * x * y + 0.05 * y * y;
  const values = Float64Array.from({ length: size }, (_, at) => truth(...place(at)));
  const weight = Float64Array.from({ length: size }, () => (uniform() < 0.2 ? 0 : 0.5 + uniform()));
  const found = surface(values, { width, height, weight, radius_px: 4.5, wanted: new Uint8Array(size).fill(1) });
  for (let at = 0; at < size; at++) {
    const [x, y] = place(at);
    if (found.xx[at] === 0) continue;
    expect(found.value[at]!).toBeCloseTo(truth(x, y), 3);
    expect(found.x[at]!).toBeCloseTo(3 + 0.4 * x - 0.1 * y, 3);
    expect(found.y[at]!).toBeCloseTo(-2 - 0.1 * x + 0.1 * y, 3);
    expect(found.xx[at]!).toBeCloseTo(0.4, 3);
    expect(found.xy[at]!).toBeCloseTo(-0.1, 3);
    expect(found.yy[at]!).toBeCloseTo(0.1, 3);
  }
});

test("values that belong beside their pixels are put where they belong", () => {
  const { normal } = random(6);
  const shiftX_px = Float32Array.from({ length: size }, () => 0.3 * normal());
  const shiftY_px = Float32Array.from({ length: size }, () => 0.3 * normal());
  const values = Float64Array.from({ length: size }, (_, at) => {
    const [x, y] = place(at);
    return 5 * (x + shiftX_px[at]!) - 3 * (y + shiftY_px[at]!);
  });
  const weight = new Float64Array(size).fill(1);
  const found = surface(values, { width, height, weight, radius_px: 3.5, shiftX_px, shiftY_px });
  for (let at = 0; at < size; at++) {
    expect(found.x[at]!).toBeCloseTo(5, 3);
    expect(found.value[at]!).toBeCloseTo(5 * place(at)[0] - 3 * place(at)[1], 2);
  }
});

test("the operator gives the same as the surface, for any values", () => {
  const { normal, uniform } = random(7);
  const weight = Float64Array.from({ length: size }, () => (uniform() < 0.3 ? NaN : uniform()));
  const values = Float64Array.from({ length: size }, () => normal());
  const options = { width, height, weight, radius_px: 3.2 };
  const operator = slopes(options);
  const found = applySlopes(operator, values);
  const direct = surface(values, options);
  expect(operator.pixels.length).toBeGreaterThan(0.5 * size);
  for (const [i, at] of operator.pixels.entries()) {
    expect(found.value[i]!).toBeCloseTo(direct.value[at]!, 4);
    expect(found.x[i]!).toBeCloseTo(direct.x[at]!, 4);
    expect(found.y[i]!).toBeCloseTo(direct.y[at]!, 4);
  }
});

test("nothing is seen across a wall", () => {
  const wall = new Uint8Array(size);
  for (let y = 0; y < height; y++) wall[y * width + 12] = 1;
  const values = Float64Array.from({ length: size }, (_, at) => Math.abs(place(at)[0] - 12));
  const weight = new Float64Array(size).fill(1);
  const open = surface(values, { width, height, weight, radius_px: 4 });
  const walled = surface(values, { width, height, weight, radius_px: 4, wall });
  const beside = 10 * width + 10;
  expect(walled.x[beside]!).toBeCloseTo(-1, 6);
  expect(Math.abs(open.x[beside]! + 1)).toBeGreaterThan(0.05);
});
