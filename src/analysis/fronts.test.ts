import { assert, constantFrom, double, integer, property } from "fast-check";
import { describe, expect, test } from "vitest";
import {
  inwardFront,
  movingFront,
  planeFront,
  withNoise,
  type MovingFront,
  type Scene,
} from "../../test/moving-front.js";
import { random } from "../kernels/random.js";
import { madSigma, median } from "../kernels/stats.js";
import type { Estimator, FrontMap } from "../model/experiment.js";
import type { Stack } from "../model/movie.js";
import { mapFront } from "./fronts.js";
import { phaseFraction, singleParticleCRate } from "./phase-fraction.js";
import { frontVelocity } from "./velocity.js";

const small = [1.5, 1.2] as const;

function mapped(made: MovingFront, stack: Stack, estimator: Estimator = "step+line"): FrontMap | null {
  return mapFront(stack, made.window, {
    particle: 0,
    transition: 0,
    mask: made.mask,
    origin_px: [0, 0],
    estimator,
    lag_s: 20,
    psf_um: made.psf_um,
  });
}

/** Errors of the arrivals deeper than two point spreads. */
function errors({ passing_s, depth_um, psf_um }: MovingFront, front: FrontMap): Float64Array {
  return Float64Array.from(front.arrival_s, (t_s, at) => (depth_um[at]! > 2 * psf_um ? t_s - passing_s[at]! : NaN));
}

test("any straight front: arrivals within a fifth of a frame, velocity within 2 %", () => {
  assert(
    property(
      double({ min: 0.008, max: 0.05, noNaN: true }),
      double({ min: 0, max: 360, noNaN: true }),
      constantFrom(0.06, 0.1, 0.08),
      constantFrom(0, 0.5, 1),
      constantFrom(0.15, -0.12, 0.3),
      double({ min: 0, max: 6e-4, noNaN: true }),
      integer({ min: 1, max: 1e6 }),
      (speed, angle, pixelSize_um, line, step, ramp, seed) => {
        const scene: Scene = { semi_um: small, ...planeFront(speed, angle), pixelSize_um, step, seed };
        // A bright line is bright whatever the step's sign is.
        const made = movingFront({ ...scene, line: line * Math.sign(step), common: (t_s) => 1 + ramp * t_s });
        const front = mapped(made, withNoise(made.clean, 0.008, seed))!;
        expect(front.covered).toBeGreaterThan(0.95);
        expect(Math.abs(median(errors(made, front)))).toBeLessThan(1);
        expect(Math.abs(frontVelocity(front)!.value / speed - 1)).toBeLessThan(0.02);
        expect(Math.sign(median(front.step))).toBe(Math.sign(step));
        expect(Math.abs(median(front.step) / step - 1)).toBeLessThan(0.1);
      },
    ),
    { numRuns: 4, endOnFailure: true },
  );
});

test("the standard error of an arrival is its scatter", () => {
  for (const [noise, seed] of [
    [0.005, 3],
    [0.02, 4],
  ] as const) {
    const made = movingFront({ semi_um: small, ...planeFront(0.02, 40) });
    const front = mapped(made, withNoise(made.clean, noise, seed))!;
    const error = errors(made, front);
    const z = madSigma(error.map((one, at) => (one - median(error)) / front.sd_s[at]!));
    expect(z).toBeGreaterThan(0.8);
    expect(z).toBeLessThan(1.3);
  }
});

test("missing frames, uneven times and pixels without light leave the arrivals where they are", () => {
  const dice = random(21);
  const all = Float64Array.from({ length: 70 }, (_, k) => 10 + 5 * k + 1.5 * dice.uniform());
  const time_s = all.filter((_, k) => k % 17 !== 3);
  const made = movingFront({ semi_um: small, ...planeFront(0.02, 100, 180), line: 0.5, time_s });
  const stack = withNoise(made.clean, 0.01, 8);
  const { width, height } = stack;
  const area = width * height;
  const data = Float32Array.from(stack.data);
  data.fill(NaN, 20 * area, 21 * area);
  for (let k = 0; k < time_s.length; k++) {
    for (let at = 0; at < area; at++) if (dice.uniform() < 0.03) data[k * area + at] = NaN;
    // A shift brings in no light at one side.
    for (let y = 0; y < height; y++) for (let x = 0; x < 12 + (k % 4); x++) data[k * area + y * width + x] = NaN;
  }
  const front = mapped(made, { ...stack, data })!;
  expect(Math.abs(median(errors(made, front)))).toBeLessThan(1);
  expect(Math.abs(frontVelocity(front)!.value / 0.02 - 1)).toBeLessThan(0.02);
});

test("a minute without frames is bridged: neighbours tell when the front passed in it", () => {
  const time_s = Float64Array.from({ length: 70 }, (_, k) => 5 * k + (k >= 34 ? 60 : 0));
  const made = movingFront({ semi_um: [2, 1.4], ...planeFront(0.02, 0, 200), time_s });
  const front = mapped(made, withNoise(made.clean, 0.01, 5))!;
  const { t50_s, filled } = phaseFraction(front);
  expect(filled).toBeGreaterThan(0.1);
  const truth = median(made.passing_s);
  expect(Math.abs(t50_s!.value - truth)).toBeLessThan(4);
  // A window of 20 s is 0.4 um: 2 b 0.4 / (pi a b) of the ellipse about its middle, the greatest rate; none is taken from the gap.
  const rate = singleParticleCRate(front, { c_rate_factor: 0.353 }).max!;
  const greatest = (0.353 * 3600 * 0.8) / (Math.PI * 2) / 20;
  expect(Math.abs(rate.value / greatest - 1)).toBeLessThan(0.08);
});

test("what no front reached is unchanged, not unknown", () => {
  const plane = planeFront(0.02, 0);
  const made = movingFront({
    semi_um: small,
    passing_s: (x, y, depth) => (x < 0.2 ? plane.passing_s(x, y, depth) : Infinity),
    speed_um_s: () => 0.02,
  });
  const front = mapped(made, withNoise(made.clean, 0.01, 6))!;
  const pixels = made.mask.reduce((sum, one) => sum + one, 0);
  const share = made.passing_s.filter(Number.isFinite).length / pixels;
  const unchanged = front.unchanged.reduce((sum, one) => sum + one, 0) / pixels;
  expect(Math.abs(unchanged - (1 - share))).toBeLessThan(0.04);
  const { value } = phaseFraction(front);
  expect(Math.abs(value[value.length - 1]! - share)).toBeLessThan(0.04);
});

describe("where nothing moves no front is found", () => {
  const made = movingFront({
    semi_um: small,
    passing_s: () => Infinity,
    speed_um_s: () => 0.02,
    time_s: Float64Array.from({ length: 60 }, (_, k) => 5 * k),
  });
  const window = { ...made.window, start_s: 80, end_s: 220 };
  const { width, height, time_s, data } = made.clean;
  const area = width * height;
  const disturbed: Record<string, (value: number, at: number, k: number) => number> = {
    "but noise": (value) => value,
    "but a ramp with a kink": (value, _, k) => value * (1 + 1e-3 * Math.max(0, k - 30)),
    "but the lamp": (value, _, k) => value * (1 + 0.003 * Math.sin(7 * k)),
    "but the stage, a tenth of a pixel": (value, at, k) =>
      k < 30 || at % width === 0 ? value : value + 0.1 * (data[k * area + at - 1]! - value),
  };
  test.each(Object.keys(disturbed))("%s", (name) => {
    for (let seed = 0; seed < 2; seed++) {
      const moved = data.map((value, i) => disturbed[name]!(value, i % area, Math.floor(i / area)));
      const stack = withNoise(
        { width, height, pixelSize_um: 0.08, time_s, data: moved },
        [0.003, 0.03][seed % 2]!,
        seed,
      );
      expect(mapped({ ...made, window }, stack)).toBeNull();
    }
  });
});

test("too few frames are no front, nor is a window that holds none", () => {
  const made = movingFront({ semi_um: small, ...planeFront(0.02, 0) });
  const { clean } = made;
  const area = clean.width * clean.height;
  const few = { ...clean, time_s: clean.time_s.slice(0, 6), data: clean.data.slice(0, 6 * area) };
  expect(mapped(made, few)).toBeNull();
  expect(mapped(made, { ...clean, time_s: new Float64Array(0), data: new Float32Array(0) })).toBeNull();
});

describe("the other estimators have the bias that is known of them", () => {
  const movies = {
    0: movingFront({ semi_um: small, ...planeFront(0.02, 20), step: 0.1 }),
    0.5: movingFront({ semi_um: small, ...planeFront(0.02, 20), step: 0.1, line: 0.5 }),
  };
  // Measured with a step of 10 %, lag 20 s, 20 nm/s: a line makes all of them early.
  const cases = [
    { estimator: "argmax", line: 0, from_s: -2.5, to_s: 2.5 },
    { estimator: "argmax", line: 0.5, from_s: -9, to_s: -1 },
    { estimator: "matched", line: 0, from_s: -1, to_s: 1 },
    { estimator: "matched", line: 0.5, from_s: -8, to_s: -2 },
    { estimator: "half-rise", line: 0, from_s: -1.5, to_s: 1.5 },
    { estimator: "half-rise", line: 0.5, from_s: -9, to_s: -2 },
    { estimator: "step+line", line: 0, from_s: -0.7, to_s: 0.7 },
    { estimator: "step+line", line: 0.5, from_s: -1, to_s: 1 },
  ] as const;
  test.each(cases)("$estimator, line $line of the step", ({ estimator, line, from_s, to_s }) => {
    const made = movies[line];
    const front = mapped(made, withNoise(made.clean, 0.003, 2), estimator)!;
    const bias_s = median(errors(made, front));
    expect(bias_s).toBeGreaterThan(from_s);
    expect(bias_s).toBeLessThan(to_s);
    expect(front.bias_s).toBe(estimator === "argmax" ? 10 : 0);
    // A shift that all pixels share changes no velocity.
    expect(Math.abs(frontVelocity(front)!.value / 0.02 - 1)).toBeLessThan(0.04);
  });
});

test("the localisation is that of the formula: noise over step, point spread, pixel, a micrometre of front", () => {
  const made = movingFront({ semi_um: small, ...planeFront(0.02, 0), step: 0.1, texture: 0 });
  const front = mapped(made, withNoise(made.clean, 0.01, 3))!;
  const expected_nm = 1000 * 0.1 * Math.sqrt(2 * Math.sqrt(Math.PI) * 0.118 * 0.08 ** 2);
  expect(Math.abs(front.localisation_nm_per_segment_um!.value / expected_nm - 1)).toBeLessThan(0.1);
});

test("a ring that shrinks and speeds up keeps its arrivals under a bright line", () => {
  const made = movingFront({ semi_um: [1.8, 1.8], ...inwardFront(0.014, 0.037, 1.8), line: 0.7 });
  const front = mapped(made, withNoise(made.clean, 0.006, 9))!;
  expect(Math.abs(median(errors(made, front)))).toBeLessThan(1.5);
  const clear = made.speed_um_s.filter((_, at) => made.depth_um[at]! > made.psf_um);
  expect(Math.abs(frontVelocity(front)!.value / median(clear) - 1)).toBeLessThan(0.04);
});

test("a slow front in a small particle is followed while the whole brightens by more than its step, ever faster", () => {
  const speed = 0.0035;
  const semi_um = [1.3, 1.2] as const;
  const scene: Scene = {
    semi_um,
    ...planeFront(speed, 15),
    pixelSize_um: 0.1,
    interval_s: 8,
    margin_s: 240,
    step: 0.08,
    common: (t_s) => 1 + 0.06 * (t_s / 500) ** 3,
    seed: 12,
  };
  const made = movingFront(scene);
  const front = mapped(made, withNoise(made.clean, 0.008, 12));
  expect(front).not.toBeNull();
  expect(Math.abs(median(errors(made, front!)))).toBeLessThan(8);
  expect(Math.abs(frontVelocity(front!)!.value / speed - 1)).toBeLessThan(0.05);
});

test("the last places of a ring that closes are passed when they are: within a point spread's time of its middle", () => {
  const speed = 0.02;
  const made = movingFront({ semi_um: [1.8, 1.8], ...inwardFront(speed, speed, 1.8) });
  const front = mapped(made, withNoise(made.clean, 0.005, 17))!;
  const late = made.depth_um.map((depth, at) => (depth > 1.4 ? front.arrival_s[at]! - made.passing_s[at]! : NaN));
  expect(Math.abs(median(late))).toBeLessThan((0.3 * made.psf_um) / speed);
});

test("phases that brighten at a pace of their own, each on its side of a slow front, do not move it", () => {
  const speed = 0.012;
  const made = movingFront({ semi_um: small, ...planeFront(speed, 25), margin_s: 150, seed: 23 });
  const { clean, passing_s, mask } = made;
  const area = clean.width * clean.height;
  // The new phase brightens by 5e-4 a second, as LiCoO2 does at 2C; the old one rests.
  const data = clean.data.map((value, i) => {
    const at = i % area;
    const since_s = clean.time_s[Math.floor(i / area)]! - passing_s[at]!;
    return mask[at] === 1 && since_s > 0 ? value * (1 + 5e-4 * since_s) : value;
  });
  const front = mapped(made, withNoise({ ...clean, data }, 0.005, 23))!;
  expect(Math.abs(median(errors(made, front)))).toBeLessThan(1.2);
  expect(Math.abs(frontVelocity(front)!.value / speed - 1)).toBeLessThan(0.02);
});

test("a point spread that is not the one it is said to be is seen, and spoils no velocity of a small crystal", () => {
  const speed = 0.025;
  const scene = { semi_um: [1.8, 1.8], ...inwardFront(speed, speed, 1.8), psf_um: 0.14 } as const;
  const made = movingFront(scene);
  const front = mapped({ ...made, psf_um: 0.118 }, withNoise(made.clean, 0.005, 31))!;
  expect(front.shown_psf_um!).toBeGreaterThan(0.13);
  expect(front.shown_psf_um!).toBeLessThan(0.155);
  expect(Math.abs(frontVelocity(front, { psf_um: 0.118 })!.value / speed - 1)).toBeLessThan(0.03);
});

test("where a front stood near the rim the arrivals say that they are in doubt", () => {
  const stood: Scene = {
    semi_um: [2, 2],
    passing_s: (_x, _y, depth) => 100 + depth / 0.02 + (depth > 0.2 ? 120 : 0),
    speed_um_s: () => 0.02,
  };
  const made = movingFront(stood);
  const front = mapped(made, withNoise(made.clean, 0.005, 37))!;
  const z = front.arrival_s.map((t_s, at) => (t_s - made.passing_s[at]!) / front.sd_s[at]!).filter(Number.isFinite);
  const within = z.filter((one) => Math.abs(one) < 2).length / z.length;
  expect(within).toBeGreaterThan(0.8);
});
