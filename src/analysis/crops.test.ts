import * as fc from "fast-check";
import { expect, test } from "vitest";
import { altered, driftingCarrier } from "../../test/drifting-carrier.js";
import type { Drift } from "../model/experiment.js";
import type { Movie } from "../model/movie.js";
import type { Particle } from "../model/particle.js";
import { cropParticles, readStack } from "./crops.js";

/** The drift as it truly was. */
function known(x_px: ArrayLike<number>, y_px: ArrayLike<number>, gain?: ArrayLike<number>): Drift {
  return {
    x_px: Float64Array.from(x_px),
    y_px: Float64Array.from(y_px),
    gain: gain === undefined ? new Float64Array(x_px.length).fill(1) : Float64Array.from(gain),
    residual_nm: { value: 0, sd: 0, n: 0 },
    bound_nm: 0,
    noise: 0,
    focus: new Float64Array(x_px.length).fill(1),
    focus_sd: 0.01,
    final_um: [0, 0],
    carrier: new Uint8Array(0),
    anchors: [],
    warnings: [],
  };
}

function square(id: number, left: number, top: number, side: number): Particle {
  return {
    id,
    centre_px: [left + side / 2, top + side / 2],
    area_um2: 0,
    outline_px: [
      [left, top],
      [left + side, top],
      [left + side, top + side],
      [left, top + side],
    ],
    source: "drawn",
    touchesBorder: false,
  };
}

/** Frames whose pixel at x, y holds x + 100 y, moved by whole pixels. */
function ramp(width: number, height: number, moves: readonly (readonly [number, number])[]): Movie {
  const { movie } = driftingCarrier({ width, height, frames: moves.length, semi_um: null, contrast: 0 });
  return altered(movie, (frame, samples) => {
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        samples[y * width + x] = 200 + x - moves[frame]![0] + 100 * (y - moves[frame]![1]);
  });
}

test("a crystal that drifts lies still when its crop is read: light, shift, lamp and pedestal are undone", async () => {
  const frames = 12;
  const made = driftingCarrier({
    width: 110,
    height: 100,
    frames,
    pixelSize_um: 0.08,
    semi_um: [2, 1.4],
    noise: 0,
    brightening: 1,
    flicker: 0.02,
    drift_px: (frame) => [0.83 * frame, 3 * Math.sin(frame)],
  });
  const drift = known(
    made.drift_px.map(([x]) => x),
    made.drift_px.map(([, y]) => y),
    made.lamp,
  );
  const [crop] = await cropParticles(made.movie, made.particles, drift, { blackLevel: 100, ring_px: 6 });
  const { data, width, height } = readStack(crop!);
  const size = width * height;
  const bright = data.subarray(0, size).reduce((sum, value) => sum + value, 0) / size;
  for (let frame = 1; frame < frames; frame++) {
    let squares = 0;
    for (let at = 0; at < size; at++)
      squares += (data[frame * size + at]! / made.lamp[0]! - data[at]! / made.lamp[0]!) ** 2;
    expect(Math.sqrt(squares / size) / bright).toBeLessThan(0.003);
  }
  // The crystal is 2.2 times the carbon's 6000 counts, whatever the lamp did.
  let inside = 0;
  for (let at = 0; at < size; at++) if (crop!.mask[at]) inside += data[5 * size + at]!;
  const area = crop!.mask.reduce((sum, value) => sum + value, 0);
  expect(inside / area / 6000).toBeGreaterThan(2);
  expect(inside / area / 6000).toBeLessThan(2.25);
});

test("drift by whole pixels is undone to the last bit, and NaN is where the image ended", async () => {
  const moves = [
    [0, 0],
    [7, -3],
    [-20, 4],
    [30, 30],
  ] as const;
  const movie = ramp(40, 30, moves);
  const drift = known(
    moves.map(([x]) => x),
    moves.map(([, y]) => y),
  );
  const [crop] = await cropParticles(movie, [square(4, 10, 8, 12)], drift, { blackLevel: 200, ring_px: 3 });
  expect(crop!.particle).toBe(4);
  expect(crop!.origin_px).toEqual([7, 5]);
  const { data, width, height } = readStack(crop!);
  expect([width, height]).toEqual([19, 19]);
  for (const [frame, [dx, dy]] of moves.entries()) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const [sceneX, sceneY] = [7 + x, 5 + y];
        const seen = sceneX + dx >= 0 && sceneX + dx < 40 && sceneY + dy >= 0 && sceneY + dy < 30;
        expect(data[(frame * height + y) * width + x]).toBe(seen ? sceneX + 100 * sceneY : NaN);
      }
    }
  }
});

test("a frame is the same whatever range it is read in", async () => {
  const made = driftingCarrier({
    width: 64,
    height: 60,
    frames: 10,
    semi_um: [1.2, 1],
    drift_px: (frame) => [4.3 * frame, -2.7 * frame],
  });
  const drift = known(
    made.drift_px.map(([x], frame) => (frame === 4 ? NaN : x)),
    made.drift_px.map(([, y], frame) => (frame === 4 ? NaN : y)),
    made.lamp,
  );
  const [crop] = await cropParticles(made.movie, made.particles, drift, { blackLevel: 100, ring_px: 8 });
  const whole = readStack(crop!);
  const size = whole.width * whole.height;
  expect(whole.data.some(Number.isNaN)).toBe(true);
  fc.assert(
    fc.property(fc.integer({ min: -2, max: 11 }), fc.integer({ min: -2, max: 11 }), (a, b) => {
      const [first, last] = [Math.min(a, b), Math.max(a, b)];
      const part = readStack(crop!, { first, last });
      const [from, to] = [Math.max(0, first), Math.min(9, last)];
      const frames = Math.max(0, to - from + 1);
      expect(part.data.length).toBe(frames * size);
      expect(part.data.every((value, at) => Object.is(value, whole.data[from * size + at]))).toBe(true);
      expect(part.time_s).toEqual(whole.time_s.slice(from, from + frames));
    }),
  );
});

test("frames left out are NaN and those after them are where they belong", async () => {
  const moves = [
    [0, 0],
    [2, 1],
    [2, 1],
    [5, 2],
  ] as const;
  const drift = known([0, 2, NaN, 5], [0, 1, NaN, 2], [1, 1, NaN, 1]);
  const [crop] = await cropParticles(ramp(40, 30, moves), [square(0, 10, 8, 9)], drift, {
    blackLevel: 200,
    ring_px: 2,
  });
  const { data, width, height } = readStack(crop!);
  const size = width * height;
  for (let at = 0; at < size; at++) {
    expect(data[2 * size + at]).toBeNaN();
    expect(data[3 * size + at]).toBe(data[at]);
  }
});

test("many particles are cut in one pass, raw, each as far as frame 0 shows it", async () => {
  let reads = 0;
  const source = ramp(
    50,
    40,
    Array.from({ length: 6 }, () => [0, 0] as const),
  );
  const movie = altered(source, () => (reads += 1));
  const done: number[] = [];
  const particles = [square(0, 1, 2, 6), square(1, 20, 15, 10), square(2, 41, 30, 8)];
  const drift = known([0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]);
  const crops = await cropParticles(movie, particles, drift, {
    blackLevel: null,
    ring_px: 4,
    onFrame: (n) => done.push(n),
  });
  expect(reads).toBe(6);
  expect(done).toEqual([1, 2, 3, 4, 5, 6]);
  expect(crops.map(({ origin_px, width, height }) => [...origin_px, width, height])).toEqual([
    [0, 0, 12, 13],
    [16, 11, 19, 19],
    [37, 26, 13, 14],
  ]);
  for (const crop of crops) {
    expect(crop.dtype).toBe("uint16");
    const { data, width } = readStack(crop, { first: 3, last: 3 });
    const [left, top] = crop.origin_px;
    for (let at = 0; at < data.length; at++)
      expect(data[at]).toBe(200 + left + (at % width) + 100 * (top + Math.floor(at / width)));
  }
  expect(await cropParticles(movie, [], drift, { blackLevel: null, ring_px: 4 })).toEqual([]);
});
