import * as fc from "fast-check";
import { expect, test } from "vitest";
import { random } from "../kernels/random.js";
import type { Dtype, Movie } from "../model/movie.js";
import { referenceImage } from "./reference.js";

const [width, height] = [24, 18];
const scene = Float64Array.from({ length: width * height }, (_, at) => (at % 7 === 0 ? 900 : 300));

function movieOf(frames: ArrayLike<number>[], dtype: Dtype = "float32"): Movie {
  return {
    name: "test",
    format: "npy",
    width,
    height,
    frames: frames.length,
    dtype,
    pixelSize_um: 0.08,
    pixelSizeSource: "flag",
    time_s: Float64Array.from(frames, (_, at) => at),
    timeSource: "flag",
    frameStamp: "middle",
    start: null,
    warnings: [],
    async read(index, into) {
      into.set(Array.from(frames[index]!));
    },
    async close() {},
  };
}

/** The farthest that an image, whatever its overall light, is from the scene, as a part of it. */
function farthest(data: Float32Array): number {
  const gain = data[1]! / scene[1]!;
  return Math.max(...data.map((value, at) => Math.abs(value / gain / scene[at]! - 1)));
}

test("a lamp that flickers gives the scene in the light of the median frame, black level subtracted", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), fc.constantFrom(0, 100), async (seed, black) => {
      const source = random(seed);
      const gains = Array.from({ length: 9 }, () => 0.8 + 0.4 * source.uniform());
      const frames = gains.map((gain) => scene.map((value) => black + gain * value));
      const image = await referenceImage(movieOf(frames), { frames: 9, blackLevel: black });
      expect(farthest(image.data)).toBeLessThan(1e-5);
      const middle = gains.sort((a, b) => a - b)[4]!;
      expect(image.data[1]! / scene[1]!).toBeCloseTo(middle, 5);
      expect(image).toMatchObject({ width, height, pixelSize_um: 0.08 });
    }),
    { numRuns: 20 },
  );
});

test("the noise of a mean of nine frames is a third of one frame's", async () => {
  const source = random(1);
  const frames = Array.from({ length: 9 }, () => scene.map((value) => value + 10 * source.normal()));
  const { data } = await referenceImage(movieOf(frames), { frames: 9, blackLevel: null });
  const gain = data.reduce((sum, value, at) => sum + value / scene[at]! / data.length, 0);
  const squares = data.reduce((sum, value, at) => sum + (value - gain * scene[at]!) ** 2 / data.length, 0);
  expect(Math.sqrt(squares)).toBeGreaterThan(10 / 3 / 1.2);
  expect(Math.sqrt(squares)).toBeLessThan((10 / 3) * 1.2);
});

const spoiled: [string, ArrayLike<number>][] = [
  ["constant", new Float64Array(width * height).fill(300)],
  ["saturated", scene.map((value, at) => (at % 5 === 0 ? value : 65535))],
  ["full of NaN", scene.map((value, at) => (at % 5 === 0 ? value : NaN))],
  ["a flash", scene.map((value, at) => value * 20 + 500 * (at % 3))],
  ["dark", scene.map((_, at) => at % 3)],
];

test.each(spoiled)("a frame that is %s takes no part, wherever it stands", async (_, bad) => {
  for (const place of [0, 2, 4]) {
    const frames = Array.from({ length: 5 }, (_, at) => (at === place ? bad : scene));
    const { data } = await referenceImage(movieOf(frames), { frames: 5, blackLevel: null });
    expect(farthest(data)).toBeLessThan(1e-6);
  }
});

test("single pixels without a value are filled from other frames, and stay unknown where no frame has one", async () => {
  const hole = (...places: number[]) => scene.map((value, at) => (places.includes(at) ? NaN : value));
  const { data } = await referenceImage(movieOf([hole(3, 9), hole(5, 9)]), { frames: 2, blackLevel: null });
  expect(data[3]).toBe(scene[3]);
  expect(data[5]).toBe(scene[5]);
  expect(data[9]).toBeNaN();
});

test("where no frame shows a scene, what is there is given", async () => {
  const flat = new Float64Array(width * height).fill(7);
  expect((await referenceImage(movieOf([flat, flat]), { frames: 2, blackLevel: 2 })).data[0]).toBe(5);
  const none = flat.map(() => NaN);
  expect((await referenceImage(movieOf([none]), { frames: 1, blackLevel: null })).data[0]).toBeNaN();
});

test("only the first frames count, of any type, and no more than there are", async () => {
  const frames = [scene, scene, scene.map((value) => 2000 - value)];
  for (const dtype of ["uint16", "int32", "float64"] as const) {
    const two = await referenceImage(movieOf(frames, dtype), { frames: 2, blackLevel: null });
    expect([...two.data]).toEqual([...scene]);
  }
  const one = await referenceImage(movieOf([scene]), { frames: 8, blackLevel: null });
  expect([...one.data]).toEqual([...scene]);
});

test("a scene about zero is averaged as it is", async () => {
  const about = scene.map((value) => value - 300);
  const { data } = await referenceImage(movieOf([about, about.map((value) => value + 2)]), {
    frames: 2,
    blackLevel: null,
  });
  expect(data[1]).toBe(1);
  expect(data[0]).toBe(601);
});

test("Ctrl-C is heard", async () => {
  const stop = new AbortController();
  stop.abort(new Error("stopped"));
  const reading = referenceImage(movieOf([scene]), { frames: 1, blackLevel: null, signal: stop.signal });
  await expect(reading).rejects.toThrow("stopped");
});
