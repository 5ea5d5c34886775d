import { assert, double, integer, property } from "fast-check";
import { expect, test } from "vitest";
import { random } from "../kernels/random.js";
import type { Stack } from "../model/movie.js";
import "../../test/seed.js";
import { shiftShare } from "./shift-share.js";

const N = 48;
const PIXEL_UM = 0.08;
const PSF_UM = 0.118;
const INTERVAL_S = 5;
const FRAMES = 40;
const WINDOW = { start_s: 60, end_s: 140 };

/** A round crystal with a mottled face, exact at any shift; `at` gives what multiplies its light at a place. */
function scene(seed: number): {
  readonly mask: Uint8Array;
  frame(dx: number, dy: number, at: (x: number, y: number) => number): Float32Array;
} {
  const draw = random(seed);
  const spots = Array.from({ length: 60 }, () => [N * draw.uniform(), N * draw.uniform(), 0.2 * draw.uniform() - 0.1]);
  const middle = (N - 1) / 2;
  const light = (x: number, y: number): number => {
    const edge = 1 / (1 + Math.exp((Math.hypot(x - middle, y - middle) - 17) / 0.9));
    let face = 1;
    for (const [sx, sy, a] of spots) face += a! * Math.exp(-((x - sx!) ** 2 + (y - sy!) ** 2) / 12);
    return 2000 + 4000 * edge * face;
  };
  return {
    mask: Uint8Array.from({ length: N * N }, (_, at) =>
      Math.hypot((at % N) - middle, Math.floor(at / N) - middle) < 17 ? 1 : 0,
    ),
    frame: (dx, dy, at) =>
      Float32Array.from({ length: N * N }, (_, place) => {
        const [x, y] = [place % N, Math.floor(place / N)];
        return light(x - dx, y - dy) * at(x, y);
      }),
  };
}

function movie(seed: number, noise: number, frameAt: (frame: number) => Float32Array): Stack {
  const draw = random(seed + 1);
  const data = new Float32Array(FRAMES * N * N);
  for (let frame = 0; frame < FRAMES; frame++) {
    data.set(
      frameAt(frame).map((value) => value * (1 + noise * draw.normal())),
      frame * N * N,
    );
  }
  const time_s = Float64Array.from({ length: FRAMES }, (_, frame) => INTERVAL_S * frame);
  return { width: N, height: N, pixelSize_um: PIXEL_UM, time_s, data };
}

const options = (mask: Uint8Array) => ({ mask, lag_s: 20, psf_um: PSF_UM });

test("a window in which the scene creeps is a shift, and of the right size", () => {
  assert(
    property(
      integer({ min: 1, max: 1e6 }),
      double({ min: 0.02, max: 0.1, noNaN: true }),
      double({ min: 0, max: 6.28, noNaN: true }),
      (seed, creep_px, angle) => {
        const { mask, frame } = scene(seed);
        const found = shiftShare(
          movie(seed, 0.002, (k) => frame(creep_px * k * Math.cos(angle), creep_px * k * Math.sin(angle), () => 1)),
          WINDOW,
          options(mask),
        );
        expect(found!.share.value).toBeGreaterThan(0.7);
        const lag_px = 4 * creep_px;
        expect(found!.shift_nm.value / (80 * lag_px)).toBeGreaterThan(0.8);
        expect(found!.shift_nm.value / (80 * lag_px)).toBeLessThan(1.2);
      },
    ),
    { numRuns: 12 },
  );
});

test("a front that crosses a still face is not a shift, from whatever side it comes", () => {
  assert(
    property(
      integer({ min: 1, max: 1e6 }),
      double({ min: 0, max: 6.28, noNaN: true }),
      double({ min: 0.05, max: 0.2, noNaN: true }),
      (seed, angle, step) => {
        const { mask, frame } = scene(seed);
        const middle = (N - 1) / 2;
        const found = shiftShare(
          movie(seed, 0.005, (k) => {
            const front = ((INTERVAL_S * k - WINDOW.start_s) / (WINDOW.end_s - WINDOW.start_s) - 0.5) * 36;
            return frame(0, 0, (x, y) => {
              const ahead = (x - middle) * Math.cos(angle) + (y - middle) * Math.sin(angle) - front;
              return 1 + step / (1 + Math.exp(ahead / 0.9));
            });
          }),
          WINDOW,
          options(mask),
        );
        expect(found!.share.value).toBeLessThan(0.2);
      },
    ),
    { numRuns: 12 },
  );
});

test("noise alone is no shift, and the sd holds the scatter of the share", () => {
  const shares: number[] = [];
  const z: number[] = [];
  for (let seed = 1; seed <= 40; seed++) {
    const { mask, frame } = scene(3);
    const still = frame(0, 0, () => 1);
    const found = shiftShare(
      movie(100 * seed, 0.005, () => still),
      WINDOW,
      options(mask),
    )!;
    shares.push(found.share.value);
    z.push(found.share.sd!);
  }
  const mean = shares.reduce((sum, one) => sum + one / shares.length, 0);
  const scatter = Math.sqrt(shares.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (shares.length - 1));
  expect(mean).toBeLessThan(0.05);
  const stated = Math.sqrt(z.reduce((sum, one) => sum + (one * one) / z.length, 0));
  expect(stated / scatter).toBeGreaterThan(0.6);
  expect(stated / scatter).toBeLessThan(1.7);
});

test("a window with too few frames says nothing", () => {
  const { mask, frame } = scene(1);
  const still = frame(0, 0, () => 1);
  const few = movie(1, 0.01, () => still);
  expect(shiftShare(few, { start_s: 60, end_s: 66 }, options(mask))).toBeNull();
});
