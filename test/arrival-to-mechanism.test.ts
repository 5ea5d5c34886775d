/** From a crystal's still frames to arrivals, velocity, phase fraction and mechanism, on fronts of known course. */
import { describe, expect, test } from "vitest";
import { mapFront } from "../src/analysis/fronts.js";
import { measureKinetics } from "../src/analysis/kinetics.js";
import { classifyMechanism, withoutFront } from "../src/analysis/mechanisms.js";
import { median } from "../src/kernels/stats.js";
import { random } from "../src/kernels/random.js";
import type { Estimator, FrontMap } from "../src/model/experiment.js";
import { inwardFront, movingFront, planeFront, withNoise, type MovingFront } from "./moving-front.js";

const NOISE = 0.01;

function mapped(made: MovingFront, noise: number, seed: number, estimator: Estimator = "step+line"): FrontMap | null {
  return mapFront(withNoise(made.clean, noise, seed), made.window, {
    particle: 0,
    transition: 0,
    mask: made.mask,
    origin_px: [0, 0],
    estimator,
    lag_s: null,
    psf_um: made.psf_um,
  });
}

function measured(front: FrontMap): ReturnType<typeof measureKinetics> {
  return measureKinetics(front, {
    kind: "biphasic",
    c_rate_factor: 0.353,
    bandwidth_s: 20,
    psf_um: 0.118,
    clock_sd_s: null,
  });
}

/** When half of the outline is transformed, by the truth. */
function halfTime({ passing_s, mask }: MovingFront): number {
  return median(passing_s.filter((_, at) => mask[at] === 1));
}

describe("a straight front is measured at its speed, whatever way it travels and however bright its line", () => {
  const { uniform } = random(41);
  const cases = [0.008, 0.02, 0.07].map((velocity_um_s, at) => ({
    velocity_um_s,
    angle_deg: 360 * uniform(),
    line: [0, 0.5, 1][at]!,
    interval_s: velocity_um_s > 0.05 ? 2 : 5,
  }));
  test.each(cases)("$velocity_um_s um/s, line $line of the step", ({ velocity_um_s, angle_deg, line, interval_s }) => {
    const made = movingFront({ semi_um: [2.4, 2], ...planeFront(velocity_um_s, angle_deg, 200), line, interval_s });
    const front = mapped(made, NOISE, 7)!;
    expect(front.covered).toBeGreaterThan(0.95);
    const errors = front.arrival_s.map((arrival, at) => arrival - made.passing_s[at]!);
    expect(Math.abs(median(errors))).toBeLessThan(0.3 * interval_s);
    const kinetics = measured(front)!;
    expect(Math.abs(kinetics.velocity_um_s.value / velocity_um_s - 1)).toBeLessThan(0.03);
    expect(Math.abs(kinetics.t50_s.value - halfTime(made))).toBeLessThan(0.5 * interval_s);
    expect(classifyMechanism(front).kind).toBe("wave");
  });
});

test("a ring that shrinks is called a core, its speed within 3 %", () => {
  const made = movingFront({ semi_um: [3, 2.4], ...inwardFront(0.014, 0.037, 2.4, 200), line: 0.5 });
  const front = mapped(made, NOISE, 3)!;
  const kinetics = measured(front)!;
  const { depth_um, speed_um_s, mask } = made;
  const truth = median(speed_um_s.filter((_, at) => mask[at] === 1 && depth_um[at]! > made.psf_um));
  expect(Math.abs(kinetics.velocity_um_s.value / truth - 1)).toBeLessThan(0.03);
  const mechanism = classifyMechanism(front);
  expect(mechanism.kind).toBe("core");
  expect(mechanism.score).toBeGreaterThan(0.8);
});

test("a darkening front is followed as well as a brightening one", () => {
  const made = movingFront({ semi_um: [2.2, 1.8], ...planeFront(0.02, 130, 200), step: -0.12 });
  const kinetics = measured(mapped(made, NOISE, 5)!)!;
  expect(Math.abs(kinetics.velocity_um_s.value / 0.02 - 1)).toBeLessThan(0.03);
});

test("the phase fraction never falls, and runs from none to all", () => {
  const made = movingFront({ semi_um: [2.2, 1.8], ...planeFront(0.02, 30, 200) });
  const { phaseFraction, duration_s, c_rate_mean } = measured(mapped(made, NOISE, 6)!)!;
  for (let at = 1; at < phaseFraction.value.length; at++) {
    expect(phaseFraction.value[at]!).toBeGreaterThanOrEqual(phaseFraction.value[at - 1]! - 1e-12);
  }
  expect(phaseFraction.value[0]!).toBeLessThan(0.02);
  expect(phaseFraction.value.at(-1)!).toBeGreaterThan(0.98);
  // Mean C-rate and duration say the same: 90 % of the factor over the time from 5 % to 95 %.
  expect(c_rate_mean!.value).toBeCloseTo((0.353 * 0.9 * 3600) / duration_s!.value, 3);
});

test("where nothing happened no front is found, for any estimator and seed", () => {
  for (const [seed, estimator] of (["step+line", "matched", "argmax", "half-rise"] as const).entries()) {
    const made = movingFront({
      semi_um: [2.2, 1.8],
      passing_s: () => Infinity,
      speed_um_s: () => 0.02,
      time_s: Float64Array.from({ length: 80 }, (_, at) => 5 * at),
    });
    const window = { ...made.window, start_s: 120, end_s: 280 };
    expect(mapped({ ...made, window }, NOISE, 60 + seed, estimator), estimator).toBeNull();
  }
});

test("the other estimators agree with the truth once their stated bias is taken off", () => {
  const made = movingFront({ semi_um: [2.4, 2], ...planeFront(0.02, 75, 200) });
  for (const estimator of ["matched", "argmax", "half-rise"] as const) {
    const front = mapped(made, 0.005, 9, estimator)!;
    const errors = front.arrival_s.map((arrival, at) => arrival - made.passing_s[at]!);
    expect(Math.abs(median(errors)), estimator).toBeLessThan(4);
    expect(front.estimator).toBe(estimator);
  }
});

test("what is said of a particle without a front", () => {
  expect(withoutFront(4, null)).toMatchObject({ particle: 4, transition: null, kind: "none" });
  const made = movingFront({ semi_um: [2, 2], ...planeFront(0.02, 0, 200) });
  expect(withoutFront(4, { ...made.window, id: 2, order: "homogeneous" })).toMatchObject({
    transition: 2,
    kind: "uniform",
  });
  expect(withoutFront(4, { ...made.window, id: 3, order: "front" })).toMatchObject({
    transition: 3,
    kind: "undecided",
  });
});
