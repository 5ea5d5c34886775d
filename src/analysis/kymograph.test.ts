import { expect, test } from "vitest";
import { inwardFront, movingFront, planeFront, withNoise, type MovingFront } from "../../test/moving-front.js";
import { random } from "../kernels/random.js";
import { madSigma, median } from "../kernels/stats.js";
import type { Kymograph, Polyline } from "../model/experiment.js";
import { mapFront } from "./fronts.js";
import { kymograph, steepestLine } from "./kymograph.js";

const PIXEL_UM = 0.08;

function along(made: MovingFront, line_px: Polyline, width_um: number, seed: number): Kymograph {
  return kymograph(withNoise(made.clean, 0.005, seed), made.window, {
    particle: 0,
    transition: 0,
    line_px,
    width_um,
    lag_s: 20,
    psf_um: made.psf_um,
  });
}

/** A straight line through the particle's middle. */
function through({ clean }: MovingFront, angle_deg: number, half_um: number): Polyline {
  const [x, y] = [(clean.width - 1) / 2, (clean.height - 1) / 2];
  const [dx, dy] = [Math.cos((angle_deg * Math.PI) / 180), Math.sin((angle_deg * Math.PI) / 180)];
  const reach = half_um / PIXEL_UM;
  return [
    [x - reach * dx, y - reach * dy],
    [x + reach * dx, y + reach * dy],
  ];
}

test("along its way a straight front has its velocity within 1 % and its places within 10 nm, a bright boundary or none", () => {
  const { uniform } = random(7);
  for (const line of [0, 0.5]) {
    const angle = 360 * uniform();
    const speed = 0.015 + 0.02 * uniform();
    const made = movingFront({ semi_um: [1.8, 1.7], ...planeFront(speed, angle), line, common: (t) => 1 + 3e-4 * t });
    const found = along(made, through(made, angle, 1.4), 1, 3);
    expect(Math.abs(found.velocity_um_s!.value / speed - 1)).toBeLessThan(0.01);
    expect(Math.abs(found.velocity_um_s!.value - speed)).toBeLessThan(5 * found.velocity_um_s!.sd!);
    // At the line's middle the front passes at 100 s.
    const errors = found.ridge.map((one) => one.distance_um - 1.4 - speed * (one.time_s - 100));
    expect(found.ridge.length).toBeGreaterThan(8);
    expect(Math.abs(median(errors))).toBeLessThan(0.01);
    expect(madSigma(errors)).toBeLessThan(0.01);
  }
});

test("a line drawn against the front has the same speed with the other sign, one drawn askew the speed of the crossing", () => {
  const made = movingFront({ semi_um: [1.8, 1.7], ...planeFront(0.02, 30) });
  const against = along(made, through(made, 210, 1.4), 0.5, 5).velocity_um_s!.value;
  expect(Math.abs(against / -0.02 - 1)).toBeLessThan(0.015);
  const askew = along(made, through(made, 60, 1.4), 0.24, 5).velocity_um_s!.value;
  expect(Math.abs((askew * Math.cos(Math.PI / 6)) / 0.02 - 1)).toBeLessThan(0.02);
});

test("the steepest line leads from the rim of a closing ring to its middle, and the front along it has the ring's speed", () => {
  const made = movingFront({ semi_um: [2.4, 2], ...inwardFront(0.02, 0.02, 2) });
  const front = mapFront(withNoise(made.clean, 0.005, 9), made.window, {
    particle: 0,
    transition: 0,
    mask: made.mask,
    origin_px: [0, 0],
    estimator: "step+line",
    lag_s: null,
    psf_um: made.psf_um,
  })!;
  const line = steepestLine(front, made.psf_um)!;
  const depth = ([x, y]: readonly [number, number]): number =>
    made.depth_um[Math.round(y) * made.clean.width + Math.round(x)]!;
  expect(depth(line[0]!)).toBeLessThan(0.3);
  expect(depth(line[line.length - 1]!)).toBeGreaterThan(1.7);
  const found = along(made, line, 0.4, 9);
  expect(Math.abs(found.velocity_um_s!.value / 0.02 - 1)).toBeLessThan(0.06);
});

test("images are those of their definitions", () => {
  const made = movingFront({ semi_um: [1.4, 1.2], ...planeFront(0.03, 0), texture: 0 });
  const { time_s, distance_um, intensity, differential } = along(made, through(made, 0, 1), 0.4, 2);
  const n = distance_um.length;
  const middle = Math.floor(n / 2);
  const last = time_s.length - 1;
  expect(intensity[middle]!).toBeCloseTo(0, 1);
  expect(Math.abs(intensity[last * n + middle]! - 0.12)).toBeLessThan(0.01);
  const k = time_s.findIndex((t) => t >= 110);
  const earlier = time_s.findIndex((t) => t >= time_s[k]! - 20 - 1e-9);
  const expected = (1 + intensity[k * n + middle]!) / (1 + intensity[earlier * n + middle]!) - 1;
  expect(differential[k * n + middle]!).toBeCloseTo(expected, 6);
  expect(Number.isNaN(differential[middle]!)).toBe(true);
});

test("where nothing moves there is no place and no velocity", () => {
  const still = movingFront({
    semi_um: [1.4, 1.2],
    passing_s: () => Infinity,
    speed_um_s: () => 0.02,
    time_s: Float64Array.from({ length: 40 }, (_, k) => 5 * k),
  });
  const made = { ...still, window: { ...still.window, start_s: 60, end_s: 140 } };
  const found = along(made, through(made, 0, 1), 0.4, 4);
  expect(found.ridge).toEqual([]);
  expect(found.velocity_um_s).toBeNull();
});
