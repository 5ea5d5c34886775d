import { expect, test } from "vitest";
import { gaussianBlur } from "../kernels/filter.js";
import { random } from "../kernels/random.js";
import { fineContrast } from "./focus.js";

const [width, height] = [128, 96];

/** Speckle of a coherence length of a few px around 1, seen through a Gaussian of `blur_px`. */
function scene(blur_px: number): Float32Array {
  const stream = random(5);
  const white = Float64Array.from({ length: width * height }, () => 1 + stream.normal());
  return gaussianBlur(white, width, height, Math.hypot(1.2, blur_px));
}

/** A frame of it: `light` a pixel on average, with noise of standard deviation `noise`. */
function frame(image: Float32Array, light: number, noise: number, seed: number): Float64Array {
  const stream = random(seed);
  return Float64Array.from(image, (value) => light * value + noise * stream.normal());
}

test("the more the scene is blurred, the less is its fine contrast", () => {
  const contrasts = [0, 0.7, 1.2, 1.7, 2.2].map((blur_px) =>
    fineContrast(scene(blur_px), scene(blur_px), width, height),
  );
  for (let at = 1; at < contrasts.length; at++) expect(contrasts[at]!).toBeLessThan(0.9 * contrasts[at - 1]!);
});

test("neither noise nor the lamp change it", () => {
  const sharp = scene(0);
  const still = fineContrast(sharp, sharp, width, height);
  for (const [light, noise] of [
    [1000, 0],
    [50, 0],
    [1000, 100],
    [1000, 200],
  ] as const) {
    const seen = fineContrast(frame(sharp, light, noise, 1), frame(sharp, light, noise, 2), width, height);
    expect(Math.abs(seen / still - 1)).toBeLessThan(0.02 + 0.3 * (noise / light));
  }
});

test("noise alone has next to none, and pixels that are not known are left out", () => {
  const flat = new Float32Array(width * height).fill(1);
  expect(fineContrast(frame(flat, 100, 5, 1), frame(flat, 100, 5, 2), width, height)).toBeLessThan(0.004);
  const holed = scene(0);
  const whole = fineContrast(holed, holed, width, height);
  holed.fill(NaN, 20 * width, 24 * width);
  expect(Math.abs(fineContrast(holed, holed, width, height) / whole - 1)).toBeLessThan(0.1);
});

test("an image that is too small or dark tells nothing", () => {
  expect(fineContrast(new Float32Array(100), new Float32Array(100), 10, 10)).toBeNaN();
  expect(fineContrast(new Float32Array(900), new Float32Array(900), 30, 30)).toBeNaN();
});
