import { expect, test } from "vitest";
import { random } from "../kernels/random.js";
import type { Stack } from "../model/movie.js";
import { relativeLight } from "./relative-light.js";
import { unevenness } from "./unevenness.js";

/** A square of white noise; `passed` is the light's step behind a line that sweeps it from left to right. */
function square({
  seed,
  side,
  noise,
  pixelSize_um = 0.1,
  interval_s = 5,
  sweep,
}: {
  seed: number;
  side: number;
  noise: number;
  pixelSize_um?: number;
  interval_s?: number;
  sweep?: { from_s: number; to_s: number; step: number };
}): { stack: Stack; mask: Uint8Array } {
  const source = random(seed);
  const time_s = Float64Array.from({ length: 200 }, (_, frame) => frame * interval_s);
  const texture = Float64Array.from({ length: side * side }, () => 1 + 0.1 * source.normal());
  const data = Float32Array.from({ length: time_s.length * side * side }, (_, at) => {
    const pixel = at % (side * side);
    const t_s = time_s[Math.floor(at / (side * side))]!;
    const arrival_s = sweep && sweep.from_s + ((sweep.to_s - sweep.from_s) * (pixel % side)) / side;
    const passed = sweep && t_s > arrival_s! ? 1 + sweep.step : 1;
    return 500 * texture[pixel]! * passed * (1 + noise * source.normal());
  });
  const mask = new Uint8Array(side * side).fill(1);
  return { stack: { width: side, height: side, pixelSize_um, time_s, data }, mask };
}

const options = { psf_um: 0.118, lag_s: 20 };

test("noise alone gives standard normal deviates, for small and large crystals and both lags", () => {
  for (const [side, pixelSize_um] of [
    [20, 0.1],
    [40, 0.1],
    [45, 0.05],
  ] as const) {
    const lights = [1, 2].map((seed) => {
      const { stack, mask } = square({ seed, side, noise: 0.01, pixelSize_um });
      return relativeLight(stack, mask, options)!;
    });
    for (const lag_s of [20, 80]) {
      const all = lights.flatMap((light) => [...unevenness(light, lag_s).sigmas].filter((one) => !Number.isNaN(one)));
      const mean = all.reduce((sum, one) => sum + one, 0) / all.length;
      const sd = Math.sqrt(all.reduce((sum, one) => sum + (one - mean) ** 2, 0) / all.length);
      // Neighbouring images share frames: some twenty of them are independent at the longer lag.
      expect(Math.abs(mean)).toBeLessThan(0.6);
      expect(sd).toBeGreaterThan(0.7);
      expect(sd).toBeLessThan(1.4);
    }
  }
});

test("expected noise is the frame's own, also where a front fills nine tenths of the movie", () => {
  const still = square({ seed: 4, side: 30, noise: 0.01 });
  const swept = square({ seed: 4, side: 30, noise: 0.01, sweep: { from_s: 50, to_s: 950, step: 0.2 } });
  const [quiet, busy] = [still, swept].map(({ stack, mask }) => {
    const { expected } = unevenness(relativeLight(stack, mask, options)!, 20);
    return expected[100]!;
  }) as [number, number];
  // White noise blurred by a Gaussian, three frames averaged on both sides; the rim, blurred by less, has more.
  const blurred = 0.01 / (2 * Math.sqrt(Math.PI) * 1.18);
  expect(quiet / (blurred * Math.sqrt(2 / 3))).toBeGreaterThan(1);
  expect(quiet / (blurred * Math.sqrt(2 / 3))).toBeLessThan(1.12);
  expect(busy / quiet).toBeCloseTo(1, 1);
});

test("images are compared by their stamps: nothing is compared across a pause", () => {
  const { stack, mask } = square({ seed: 1, side: 20, noise: 0.01 });
  const paused = { ...stack, time_s: stack.time_s.map((t_s) => (t_s >= 500 ? t_s + 300 : t_s)) };
  const { centre_s, spread } = unevenness(relativeLight(paused, mask, options)!, 20);
  for (let frame = 0; frame < 200; frame++) {
    const t_s = stack.time_s[frame]!;
    const hasPartner = t_s >= 15 && (t_s < 500 || t_s >= 515);
    expect(Number.isNaN(spread[frame]!)).toBe(!hasPartner);
    if (hasPartner) expect(Math.abs(centre_s[frame]! - (paused.time_s[frame]! - 10))).toBeLessThanOrEqual(5);
  }
});

test("frames twenty times closer than the lag are averaged, and every frame knows its bin", () => {
  const { stack, mask } = square({ seed: 1, side: 20, noise: 0.01, interval_s: 0.5 });
  const light = relativeLight(stack, mask, options)!;
  expect(light.time_s.length).toBe(40);
  expect([...light.binOfFrame.subarray(0, 11)]).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2]);
  expect(light.time_s[1]).toBeCloseTo(3.5, 9);
});
