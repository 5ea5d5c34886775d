import { expect, test } from "vitest";
import { noiseField } from "./noise-field.js";
import { random } from "./random.js";

test("every pixel has mean square 1 and neighbours are alike as under a Gaussian", () => {
  const [width, height] = [32, 32];
  const mask = new Uint8Array(width * height).fill(1);
  for (const sigma_px of [0.4, 1, 3.1]) {
    const draw = noiseField(mask, width, height, sigma_px);
    const dice = random(8);
    const draws = 1500;
    const lags = [0, 1, 2, 3, 5];
    const across = lags.map(() => 0);
    const down = lags.map(() => 0);
    const square = new Float64Array(width * height);
    for (let turn = 0; turn < draws; turn++) {
      const field = draw(dice);
      for (let at = 0; at < field.length; at++) square[at]! += field[at]! ** 2 / draws;
      for (const [k, lag] of lags.entries()) {
        for (const from of [0, 7, 8, 9, 15]) {
          const at = (10 + from) * width + 10 + from;
          across[k]! += (field[at]! * field[at + lag]!) / (5 * draws);
          down[k]! += (field[at]! * field[at + lag * width]!) / (5 * draws);
        }
      }
    }
    for (const one of square) expect(Math.abs(one - 1)).toBeLessThan(5 * Math.sqrt(2 / draws));
    // Below a pixel the pixels themselves are the grid.
    if (sigma_px < 0.9) continue;
    for (const [k, lag] of lags.entries()) {
      const wanted = Math.exp((-0.25 * lag * lag) / (sigma_px * sigma_px));
      expect(Math.abs(across[k]! - wanted)).toBeLessThan(0.08);
      expect(Math.abs(down[k]! - wanted)).toBeLessThan(0.08);
    }
  }
});

test("there is no noise outside the mask, and a draw is the same for the same dice", () => {
  const [width, height] = [20, 16];
  const mask = Uint8Array.from({ length: width * height }, (_, at) => (at % width > 4 && at % 3 === 0 ? 1 : 0));
  const draw = noiseField(mask, width, height, 2);
  const field = draw(random(3));
  expect(draw(random(3))).toEqual(field);
  for (let at = 0; at < mask.length; at++) expect(field[at] === 0).toBe(mask[at] === 0);
  expect(noiseField(new Uint8Array(20), 5, 4, 2)(random(1))).toEqual(new Float32Array(20));
});
