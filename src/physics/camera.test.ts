import { expect, test } from "vitest";
import { ParameterError } from "../model/errors.js";
import { cameraOf, type CameraSpec } from "./camera.js";
import { stream } from "./streams.js";

const spec: CameraSpec = {
  noise: 0.01,
  noiseAt: "particle",
  level: 12_000,
  blackLevel: 100,
  readNoise: 3,
  bitDepth: 16,
  prnu: 0,
  vignette: 0,
};
const side = 200;

/** Mean and variance of the counts of evenly lit frames. */
function counts(
  given: Partial<CameraSpec>,
  light: number,
  gain = 1,
): { mean: number; variance: number; all: Uint16Array } {
  const camera = cameraOf({ ...spec, ...given }, side, side, 3, 1);
  const all = new Uint16Array(side * side);
  camera.expose(new Float64Array(side * side).fill(light), gain, stream(7, "noise"), all);
  const mean = all.reduce((sum, value) => sum + value, 0) / all.length;
  const variance = all.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (all.length - 1);
  return { mean, variance, all };
}

// 40 000 pixels: a mean is known to sd / 200, a variance to 0.7 %; four standard errors are allowed.
test("at the light of the crystal the counts are the level above black, and their noise the one asked for", () => {
  for (const noise of [0.002, 0.01, 0.03]) {
    const { mean, variance } = counts({ noise }, 3);
    expect(Math.abs(mean - 12_100)).toBeLessThan((4 * noise * 12_000) / side);
    expect(Math.abs(variance / (noise * 12_000) ** 2 - 1)).toBeLessThan(0.03);
  }
});

test("variance grows with light as photons do, from that of reading", () => {
  const perElectron = cameraOf(spec, side, side, 3, 1).countsPerElectron!;
  for (const light of [0, 0.3, 1, 4.8]) {
    const { mean, variance } = counts({}, light);
    const signal = light * 4000;
    const exact = perElectron * signal + 9 + 1 / 12;
    expect(Math.abs(variance / exact - 1)).toBeLessThan(0.03);
    expect(Math.abs(mean - 100 - signal)).toBeLessThan((4 * Math.sqrt(exact)) / side);
  }
});

test("a frame's gain is that of its light", () => {
  expect(counts({}, 3, 1.05).mean / counts({}, 3).mean).toBeCloseTo(12_700 / 12_100, 3);
});

test("without noise counts are light, rounded, and end at the camera's depth", () => {
  expect(counts({ noise: 0 }, 3).variance).toBe(0);
  expect(counts({ noise: 0 }, 3).mean).toBe(12_100);
  expect(counts({ noise: 0, bitDepth: 12, level: 3000 }, 30).mean).toBe(4095);
  expect(cameraOf({ ...spec, bitDepth: 8 }, 8, 8, 3, 1).dtype).toBe("uint8");
});

test("unevenness of response and loss in the corners stay on the camera", () => {
  const { all, variance, mean } = counts({ noise: 0, prnu: 0.02 }, 3);
  expect(Math.sqrt(variance) / (mean - 100)).toBeCloseTo(0.02, 3);
  expect(counts({ noise: 0, prnu: 0.02 }, 3).all).toEqual(all);
  const dark = counts({ noise: 0, vignette: 0.4 }, 3).all;
  expect(dark[0]! - 100).toBe(0.6 * 12_000);
  expect(dark[(side / 2) * side + side / 2]! - 100).toBeGreaterThan(11_990);
});

test("a camera whose reading alone is noisier than asked for is refused", () => {
  expect(() => cameraOf({ ...spec, noise: 0.001, readNoise: 20 }, 8, 8, 3, 1)).toThrow(ParameterError);
  expect(() => cameraOf({ ...spec, noise: 0.001, readNoise: 20 }, 8, 8, 3, 1)).toThrow(
    /camera\.noise is 0\.001 but reading alone gives 0\.00167/,
  );
});
