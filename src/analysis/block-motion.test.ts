import { expect, test } from "vitest";
import { random } from "../kernels/random.js";
import type { Movie } from "../model/movie.js";
import type { Particle } from "../model/particle.js";
import { blockMotion } from "./block-motion.js";
import { estimateDrift } from "./drift.js";

const N = 256;
const FRAMES = 20;
const PSF_UM = 0.118;
const SIGMA = PSF_UM / 0.08;

/** Grains about the middle that turn, stretch and drift steadily, and a crystal in a corner. */
function turning(seed: number, turn: number, stretch: number, noise = 0.01): { movie: Movie; particles: Particle[] } {
  const draw = random(seed);
  const middle = N / 2;
  const grains = Array.from({ length: 6000 }, () => [
    (draw.uniform() - 0.5) * (N + 40),
    (draw.uniform() - 0.5) * (N + 40),
    draw.uniform(),
  ]);
  const [driftX, driftY] = [draw.uniform() - 0.5, draw.uniform() - 0.5];
  const cache = new Map<number, Uint16Array>();
  const render = (frame: number): Uint16Array => {
    const share = frame / (FRAMES - 1);
    const [r, s] = [turn * share, 1 + stretch * share];
    const image = new Float64Array(N * N).fill(2000);
    const reach = 6;
    for (const [gx, gy, a] of grains) {
      const x0 = middle + s * (gx! * Math.cos(r) - gy! * Math.sin(r)) + 2 * driftX * share;
      const y0 = middle + s * (gx! * Math.sin(r) + gy! * Math.cos(r)) + 2 * driftY * share;
      const [left, top] = [Math.round(x0) - reach, Math.round(y0) - reach];
      for (let y = Math.max(0, top); y <= Math.min(N - 1, top + 2 * reach); y++) {
        const down = Math.exp(-((y - y0) ** 2) / (2 * SIGMA * SIGMA));
        for (let x = Math.max(0, left); x <= Math.min(N - 1, left + 2 * reach); x++)
          image[y * N + x]! += 700 * a! * down * Math.exp(-((x - x0) ** 2) / (2 * SIGMA * SIGMA));
      }
    }
    const noises = random(seed * 1000 + frame);
    return Uint16Array.from(image, (value) => value * (1 + noise * noises.normal()));
  };
  const corner: Particle = {
    id: 0,
    centre_px: [50, 50],
    area_um2: 10,
    touchesBorder: false,
    source: "drawn",
    outline_px: [
      [30, 30],
      [70, 30],
      [70, 70],
      [30, 70],
    ],
  };
  return {
    particles: [corner],
    movie: {
      name: "turning",
      format: "memory",
      start: null,
      width: N,
      height: N,
      frames: FRAMES,
      dtype: "uint16",
      pixelSize_um: 0.08,
      pixelSizeSource: "test",
      time_s: Float64Array.from({ length: FRAMES }, (_, frame) => 5 * frame),
      timeSource: "test",
      frameStamp: "middle",
      warnings: [],
      read: (index, into) => {
        const own = cache.get(index) ?? render(index);
        cache.set(index, own);
        into.set(own);
        return Promise.resolve();
      },
      close: () => Promise.resolve(),
    },
  };
}

async function measured(seed: number, turn: number, stretch: number) {
  const { movie, particles } = turning(seed, turn, stretch);
  const options = { blackLevel: 0, psf_um: PSF_UM };
  const drift = await estimateDrift(movie, particles, { ...options, region_px: null });
  return (await blockMotion(movie, particles, drift, options))!;
}

test("turn and stretch are found with their errors, and what they do to the farthest particle", async () => {
  const z: number[] = [];
  for (let seed = 1; seed <= 4; seed++) {
    const draw = random(70 + seed);
    const [turn, stretch] = [0.004 * (draw.uniform() - 0.5), 0.003 * (draw.uniform() - 0.5)];
    const found = await measured(seed, turn, stretch);
    // The last moment's frames are the last four, the first eight's mean is the reference.
    const share = (FRAMES - 2.5 - 3.5) / (FRAMES - 1);
    z.push((found.last.rotation_mrad.value - 1000 * turn * share) / found.last.rotation_mrad.sd!);
    z.push((found.last.scale.value - stretch * share) / found.last.scale.sd!);
    expect(Math.abs(found.last.rotation_mrad.value - 1000 * turn * share)).toBeLessThan(0.05 + 40 * Math.abs(turn));
    expect(Math.abs(found.last.scale.value - stretch * share)).toBeLessThan(5e-5 + 0.04 * Math.abs(stretch));
    const least = 80 * Math.hypot(turn * share, stretch * share);
    expect(found.displaced_px.value).toBeGreaterThan(0.8 * least);
  }
  expect(z.filter((one) => Math.abs(one) < 3).length).toBeGreaterThanOrEqual(7);
});

test("a scene that only drifts neither turns nor stretches", async () => {
  for (let seed = 11; seed <= 12; seed++) {
    const { last, displaced_px, blocks } = await measured(seed, 0, 0);
    expect(blocks).toBeGreaterThanOrEqual(6);
    expect(Math.abs(last.rotation_mrad.value)).toBeLessThan(4 * last.rotation_mrad.sd!);
    expect(Math.abs(last.scale.value)).toBeLessThan(4 * last.scale.sd!);
    expect(displaced_px.value).toBeLessThan(0.03);
  }
});
