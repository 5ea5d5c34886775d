import { assert, integer, property } from "fast-check";
import { expect, test } from "vitest";
import "../../test/seed.js";
import { compiledKernels } from "./compiled.js";
import { convolve, convolvePlain } from "./filter.js";
import { random } from "./random.js";

test("the compiled kernels run here", () => {
  expect(compiledKernels()).not.toBeNull();
});

test("a compiled convolution is that of TypeScript to the last bit, whatever the size and the reach", () => {
  assert(
    property(
      integer({ min: 1, max: 70 }),
      integer({ min: 1, max: 70 }),
      integer({ min: 0, max: 90 }),
      integer({ min: 1, max: 1e6 }),
      (width, height, reach, seed) => {
        const draw = random(seed);
        const image = Float64Array.from({ length: width * height }, () => draw.normal());
        const half = Float64Array.from({ length: reach + 1 }, () => draw.normal());
        const [ours, plain] = [image.slice(), image.slice()];
        convolve(ours, width, height, half);
        convolvePlain(plain, width, height, half);
        expect(ours).toEqual(plain);
      },
    ),
  );
});

test("memory grows with the image and is used again", () => {
  const [width, height] = [1500, 900];
  const image = new Float64Array(width * height).fill(1);
  const half = Float64Array.from([0.5, 0.25]);
  convolve(image, width, height, half);
  expect(image[width * 450 + 700]).toBe(1);
  expect(image[0]).toBe(0.75 * 0.75);
  const small = Float64Array.from([1, 2, 3]);
  convolve(small, 3, 1, Float64Array.from([1, 0]));
  expect(small).toEqual(Float64Array.from([1, 2, 3]));
});
