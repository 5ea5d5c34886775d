import { expect, test } from "vitest";
import { random } from "../kernels/random.js";
import type { FrontMap, Kinetics, Transition } from "../model/experiment.js";
import { likenessOf, measureRepeats, spreadsOf } from "./likeness.js";

const [width, height] = [44, 40];

/** A crystal of 16 by 12 px half axes with one corner cut off, passed as `arrival` says. */
function mapOf(arrival: (x: number, y: number) => number, noise_s = 0, seed = 1, transition = 0): FrontMap {
  const from = random(seed);
  const mask = Uint8Array.from({ length: width * height }, (_, at) => {
    const [x, y] = [(at % width) - 21.5, Math.floor(at / width) - 19.5];
    return (x / 16) ** 2 + (y / 12) ** 2 < 1 && x + y < 16 ? 1 : 0;
  });
  const arrival_s = Float32Array.from(mask, (one, at) =>
    one === 1 ? arrival((at % width) - 21.5, Math.floor(at / width) - 19.5) + noise_s * from.normal() : NaN,
  );
  return {
    particle: 0,
    transition,
    width,
    height,
    pixelSize_um: 0.08,
    origin_px: [5, 3],
    mask,
    arrival_s,
    sd_s: arrival_s.map(() => 1),
    step: arrival_s.map(() => 0.12),
    unchanged: new Uint8Array(mask.length),
    estimator: "step+line",
    bias_s: 0,
    covered: 1,
    lag_s: 10,
    localisation_nm_per_segment_um: null,
  };
}

const window = (id: number, start_s: number, direction: Transition["direction"] = "delithiation"): Transition => ({
  id,
  particle: 0,
  kind: "biphasic",
  direction,
  directionSource: "cycler",
  halfCycle: id,
  since_half_start_s: 0,
  rate_C: 2,
  start_s,
  end_s: start_s + 100,
  sd_s: 5,
  closed: true,
  order: "front",
  lag_to_dQdV: null,
});

test("a path that repeats at another pace is like itself, by no chance", () => {
  const first = mapOf((x, y) => 100 + 3 * x + y, 2, 1);
  const again = mapOf((x, y) => 900 + 0.02 * (3 * x + y + 80) ** 2, 2, 2);
  const { likeness, byShape, p } = likenessOf(first, again);
  expect(likeness!.value).toBeGreaterThan(0.97);
  expect(likeness!.sd!).toBeLessThan(0.02);
  expect(byShape!).toBeLessThan(0.3);
  expect(p!).toBeLessThan(0.1);
});

test("a wave the other way is unlike, one across it is neither", () => {
  const first = mapOf((x) => 100 + 3 * x);
  expect(
    likenessOf(
      first,
      mapOf((x) => 100 - 3 * x),
    ).likeness!.value,
  ).toBeCloseTo(-1, 6);
  const across = likenessOf(
    first,
    mapOf((_, y) => 100 + 3 * y),
  );
  expect(Math.abs(across.likeness!.value)).toBeLessThan(0.3);
  expect(Math.abs(across.likeness!.value)).toBeLessThan(4 * across.likeness!.sd!);
});

test("two cores are alike by the crystal's shape: chance says so", () => {
  const core = (x: number, y: number): number => 100 - 3 * Math.hypot(x, y);
  const { likeness, byShape, p } = likenessOf(mapOf(core, 1, 1), mapOf(core, 1, 2));
  expect(likeness!.value).toBeGreaterThan(0.95);
  expect(byShape!).toBeGreaterThan(0.9);
  expect(p!).toBeGreaterThan(0.2);
});

test("the stated error is that of drawn noise that hangs together over a point spread", () => {
  const values: number[] = [];
  const stated: number[] = [];
  for (let seed = 1; seed <= 40; seed++) {
    const from = random(seed);
    const bumps = Array.from({ length: 12 }, () => [32 * from.uniform() - 16, 24 * from.uniform() - 12, from.normal()]);
    const rough = (x: number, y: number): number =>
      bumps.reduce((sum, [a, b, h]) => sum + 25 * h! * Math.exp(-((x - a!) ** 2 + (y - b!) ** 2) / 18), 0);
    const { likeness } = likenessOf(
      mapOf((x) => 3 * x),
      mapOf((x, y) => 3 * x + rough(x, y)),
    );
    values.push(likeness!.value);
    stated.push(likeness!.sd!);
  }
  const middle = values.reduce((sum, value) => sum + value / 40, 0);
  const scatter = Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / 39);
  const mean = stated.reduce((sum, value) => sum + value / 40, 0);
  expect(mean / scatter).toBeGreaterThan(0.5);
  expect(mean / scatter).toBeLessThan(2);
});

test("pairs are of one particle, kind and direction, the earlier first; too few common places have no likeness", () => {
  const fronts = [mapOf((x) => x, 0, 1, 2), mapOf((x) => x, 0, 1, 0), mapOf((x) => x, 0, 1, 1)];
  const windows = [window(0, 100), window(1, 1000, "lithiation"), window(2, 2000)];
  expect(measureRepeats(fronts, windows).map(({ transition, other }) => [transition, other])).toEqual([[0, 2]]);
  const few = { ...fronts[1]!, arrival_s: fronts[1]!.arrival_s.map((t_s, at) => (at % 97 === 0 ? t_s : NaN)) };
  expect(likenessOf(fronts[0]!, few)).toEqual({ likeness: null, byShape: null, p: null });
});

test("spread within particles and between them is told apart", () => {
  const from = random(9);
  const windows: Transition[] = [];
  const kinetics = Array.from({ length: 300 }, (_, id) => {
    windows.push({ ...window(id, 100), particle: id % 60 });
    const own = random(id % 60).normal();
    return {
      particle: id % 60,
      transition: id,
      velocity_um_s: { value: 0.02 + 0.004 * own + 0.001 * from.normal(), sd: 0.0002, n: 9 },
      c_rate_max: null,
      duration_s: null,
    } as unknown as Kinetics;
  });
  const [spread, ...others] = spreadsOf(kinetics, windows);
  expect(others).toEqual([]);
  expect(spread).toMatchObject({ quantity: "velocity_um_s", particles: 60, fronts: 300 });
  expect(spread!.within! / 0.001).toBeCloseTo(1, 0);
  expect(spread!.between! / 0.004).toBeCloseTo(1, 0);
});
