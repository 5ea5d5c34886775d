import * as fc from "fast-check";
import { expect, test } from "vitest";
import { altered, type CarrierMovie, driftingCarrier } from "../../test/drifting-carrier.js";
import { random } from "../kernels/random.js";
import type { Drift } from "../model/experiment.js";
import type { Movie } from "../model/movie.js";
import { estimateDrift } from "./drift.js";

const usual = { blackLevel: 100, region_px: null, psf_um: 0.118 } as const;

/** A way of `total` px, bent, with jitter. */
function way(total_px: number, frames: number, seed: number): (frame: number) => readonly [number, number] {
  const draw = random(seed);
  const turn = 2 * Math.PI * draw.uniform();
  const jitter = Array.from({ length: frames }, () => [0.1 * draw.normal(), 0.1 * draw.normal()] as const);
  return (frame) => {
    const t = frame / (frames - 1);
    const along = total_px * t;
    const across = 0.1 * total_px * Math.sin(4 * t);
    return [
      along * Math.cos(turn) - across * Math.sin(turn) + jitter[frame]![0],
      along * Math.sin(turn) + across * Math.cos(turn) + jitter[frame]![1],
    ];
  };
}

/** Root mean square over frames, x and y of the shift's error against frame 0. */
function errorOf(drift: Drift, truth: CarrierMovie["drift_px"]): number {
  let squares = 0;
  let n = 0;
  for (const [frame, [x, y]] of truth.entries()) {
    if (Number.isNaN(drift.x_px[frame]!)) continue;
    squares += (drift.x_px[frame]! - (x - truth[0]![0])) ** 2 + (drift.y_px[frame]! - (y - truth[0]![1])) ** 2;
    n += 2;
  }
  return Math.sqrt(squares / n);
}

test("1 um of drift beside a crystal that brightens 1.6 times is found to 0.01 px, the lamp to 0.05 %", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 1e6 }), async (seed) => {
      const made = driftingCarrier({ seed, frames: 16, drift_px: way(12.5, 16, seed), flicker: 0.01 });
      const drift = await estimateDrift(made.movie, made.particles, usual);
      expect(errorOf(drift, made.drift_px)).toBeLessThan(0.01);
      const lamp = made.lamp.map((value, frame) => drift.gain[frame]! / value);
      const mean = lamp.reduce((sum, value) => sum + value, 0) / lamp.length;
      for (const value of lamp) expect(Math.abs(value / mean - 1)).toBeLessThan(5e-4);
      expect(Math.abs(drift.noise / 0.01 - 1)).toBeLessThan(0.1);
      const [x, y] = made.drift_px[15]!;
      expect(Math.abs(drift.final_um[0] - 0.08 * (x - made.drift_px[0]![0]))).toBeLessThan(0.001);
      expect(Math.abs(drift.final_um[1] - 0.08 * (y - made.drift_px[0]![1]))).toBeLessThan(0.001);
      expect(drift.warnings).toEqual([]);
    }),
    { numRuns: 2 },
  );
});

test("the residual that is reported is the error there is, and no less than the bound", async () => {
  for (const noise of [0.01, 0.03]) {
    const made = driftingCarrier({
      seed: 5,
      width: 128,
      height: 128,
      frames: 30,
      noise,
      semi_um: [2.4, 1.8],
      drift_px: way(6, 30, 3),
    });
    const drift = await estimateDrift(made.movie, made.particles, usual);
    // Frame 0 is the origin, so its own error stands in every other's: scatter about the mean is one frame's.
    const errors = ["x_px", "y_px"].map((axis, k) =>
      made.drift_px.map((place, frame) => drift[axis as "x_px" | "y_px"][frame]! - place[k]!),
    );
    const scatter = Math.sqrt(
      errors.reduce((sum, axis) => {
        const mean = axis.reduce((a, b) => a + b, 0) / axis.length;
        return sum + axis.reduce((a, b) => a + (b - mean) ** 2, 0) / (axis.length - 1) / 2;
      }, 0),
    );
    expect(drift.residual_nm.value / 80 / scatter).toBeGreaterThan(0.6);
    expect(drift.residual_nm.value / 80 / scatter).toBeLessThan(1.6);
    expect(drift.residual_nm.value + 3 * drift.residual_nm.sd!).toBeGreaterThan(drift.bound_nm);
    expect(drift.residual_nm.value).toBeLessThan(3 * drift.bound_nm);
  }
});

test("what is fixed to the camera does not hold the scene: vignette, pixel gains, dust", async () => {
  for (const total_px of [0.7, 10]) {
    const made = driftingCarrier({
      seed: 11,
      width: 144,
      height: 144,
      frames: 20,
      semi_um: [3, 2.2],
      drift_px: way(total_px, 20, 8),
      vignette: 0.2,
      prnu: 0.01,
      dust: 5,
    });
    expect(errorOf(await estimateDrift(made.movie, made.particles, usual), made.drift_px)).toBeLessThan(0.015);
  }
});

test("any pixel size, and jumps of several px from frame to frame", async () => {
  for (const pixelSize_um of [0.035, 0.1]) {
    const made = driftingCarrier({
      seed: 3,
      width: 144,
      height: 128,
      frames: 12,
      pixelSize_um,
      semi_um: [30 * pixelSize_um, 20 * pixelSize_um],
      drift_px: (frame) => [3 * (frame % 3) - 0.37 * frame, frame > 6 ? -4.2 : 0.4 * frame],
      vignette: 0.2,
      prnu: 0.01,
      flicker: 0.01,
    });
    const drift = await estimateDrift(made.movie, made.particles, usual);
    expect(errorOf(drift, made.drift_px)).toBeLessThan(0.015);
    expect(drift.warnings).toEqual([]);
  }
});

test("a crystal without an outline moves neither the shift nor the gain", async () => {
  const made = driftingCarrier({ seed: 9, frames: 16, semi_um: [2.4, 1.8], drift_px: way(5, 16, 2), flicker: 0.01 });
  const drift = await estimateDrift(made.movie, [], usual);
  expect(errorOf(drift, made.drift_px)).toBeLessThan(0.01);
  const lamp = made.lamp.map((value, frame) => drift.gain[frame]! / value);
  for (const value of lamp) expect(Math.abs(value / lamp[8]! - 1)).toBeLessThan(2e-3);
});

test("frames without the scene are NaN and named; those around them are as good as ever", async () => {
  const made = driftingCarrier({
    seed: 21,
    width: 128,
    height: 128,
    frames: 20,
    semi_um: [2, 1.5],
    drift_px: way(6, 20, 5),
  });
  const draw = random(1);
  const movie = altered(made.movie, (frame, samples) => {
    if (frame === 6) samples.fill(100);
    if (frame === 12 || frame === 13) samples.fill(4000);
    if (frame === 17) for (let at = 0; at < samples.length; at++) samples[at] = 2000 + 60 * draw.normal();
  });
  const drift = await estimateDrift(movie, made.particles, usual);
  const lost = [...drift.x_px.keys()].filter((frame) => Number.isNaN(drift.x_px[frame]!));
  expect(lost).toEqual([6, 12, 13, 17]);
  for (const frame of lost) expect(drift.gain[frame]).toBeNaN();
  expect(drift.warnings).toEqual([
    "frames 6, 12-13, 17 of 20 cannot be laid on the carrier of the first ones and are left out.",
  ]);
  expect(errorOf(drift, made.drift_px)).toBeLessThan(0.01);
});

test("a spoiled first frame passes its place on to the next", async () => {
  const made = driftingCarrier({
    seed: 22,
    width: 128,
    height: 128,
    frames: 12,
    semi_um: [2, 1.5],
    drift_px: way(4, 12, 5),
  });
  const movie = altered(made.movie, (frame, samples) => (frame === 0 ? samples.fill(100) : undefined));
  const drift = await estimateDrift(movie, made.particles, usual);
  expect(drift.x_px[0]).toBeNaN();
  expect(drift.x_px[1]).toBe(0);
  for (let frame = 2; frame < 12; frame++)
    expect(Math.abs(drift.x_px[frame]! - (made.drift_px[frame]![0] - made.drift_px[1]![0]))).toBeLessThan(0.02);
  expect(drift.warnings.join(" ")).toContain("drift is counted from frame 1");
});

test("a carrier that shows nothing gives no drift, and a sentence instead of an exception", async () => {
  const small = { width: 96, height: 96, frames: 10, semi_um: [1.6, 1.2] as const, drift_px: way(5, 10, 1) };
  const cases: [CarrierMovie, string][] = [
    [driftingCarrier({ ...small, contrast: 0, flicker: 0.01 }), "drift cannot be measured and is taken as none"],
    [
      driftingCarrier({ ...small, contrast: 0, flicker: 0.01, prnu: 0.01 }),
      "drift cannot be measured and is taken as none",
    ],
    [driftingCarrier({ ...small, contrast: 0, noise: 0 }), "drift cannot be measured and is taken as none"],
    [driftingCarrier({ ...small, semi_um: [9, 9] }), "no carrier lies around the crystals"],
  ];
  for (const [made, sentence] of cases) {
    const drift = await estimateDrift(made.movie, made.particles, usual);
    expect(drift.warnings.join(" ")).toContain(sentence);
    expect([...drift.x_px, ...drift.y_px].every((value) => value === 0)).toBe(true);
    expect(drift.residual_nm.value).toBeNaN();
    expect(drift.final_um).toEqual([0, 0]);
    if (sentence.startsWith("drift"))
      for (let frame = 0; frame < 10; frame++)
        expect(Math.abs(drift.gain[frame]! / drift.gain[0]! / (made.lamp[frame]! / made.lamp[0]!) - 1)).toBeLessThan(
          1e-3,
        );
  }
  const alone = driftingCarrier({ ...small, frames: 1 });
  expect((await estimateDrift(alone.movie, alone.particles, usual)).x_px[0]).toBe(0);
});

test("nothing looks ahead: the shifts of a movie's beginning are those of the whole", async () => {
  const made = driftingCarrier({
    seed: 4,
    width: 112,
    height: 112,
    frames: 18,
    semi_um: [2, 1.5],
    drift_px: way(6, 18, 9),
  });
  const whole = await estimateDrift(made.movie, made.particles, usual);
  const begun = await estimateDrift({ ...made.movie, frames: 10 }, made.particles, usual);
  expect(begun.x_px).toEqual(whole.x_px.slice(0, 10));
  expect(begun.gain).toEqual(whole.gain.slice(0, 10));
});

test("carrier is what lies outside crystals and within the region, in a window that is bounded", async () => {
  const made = driftingCarrier({ seed: 6, width: 320, height: 240, frames: 2, semi_um: [4, 3], contrast: 0.15 });
  const [centreX, centreY] = made.particles[0]!.centre_px;
  const region_px = [0, 0, 320, 180] as const;
  const { carrier } = await estimateDrift(made.movie, made.particles, { ...usual, region_px });
  const columns = new Set<number>();
  const rows = new Set<number>();
  for (let at = 0; at < carrier.length; at++) {
    if (carrier[at] === 0) continue;
    const [x, y] = [at % 320, Math.floor(at / 320)];
    columns.add(x);
    rows.add(y);
    expect(y).toBeLessThan(180);
    expect(Math.hypot(x - centreX, y - centreY)).toBeGreaterThan(3 / 0.08 + 4);
  }
  expect(columns.size).toBeGreaterThan(200);
  expect(columns.size).toBeLessThanOrEqual(256);
});

test("missing pixels are passed over", async () => {
  const made = driftingCarrier({
    seed: 13,
    width: 112,
    height: 112,
    frames: 12,
    semi_um: [2, 1.5],
    drift_px: way(4, 12, 4),
  });
  const draw = random(2);
  const dead = Array.from({ length: 40 }, () => draw.integer(112 * 112));
  const movie: Movie = {
    ...altered(made.movie, (_, samples) => dead.forEach((at) => (samples[at] = NaN))),
    dtype: "float32",
  };
  const drift = await estimateDrift(movie, made.particles, usual);
  expect(errorOf(drift, made.drift_px)).toBeLessThan(0.02);
});

test("it stops when it is told to", async () => {
  const made = driftingCarrier({ width: 64, height: 64, frames: 12, semi_um: null });
  const stop = new AbortController();
  await expect(
    estimateDrift(made.movie, [], {
      ...usual,
      signal: stop.signal,
      onFrame: (done) => (done === 4 ? stop.abort() : undefined),
    }),
  ).rejects.toThrow("aborted");
});
