import { expect, test } from "vitest";
import { rkl2, stableStep, stagesFor } from "./super-time-stepping.js";

/** A step of y' = rate(y, t), by the scheme as printed. */
function step(rate: (y: number, t: number) => number, y0: number, dt: number, stages: number): number {
  const { mu, nu, muTilde, gammaTilde, time } = rkl2(stages);
  const first = rate(y0, 0);
  let before = y0;
  let last = y0 + muTilde[1]! * dt * first;
  for (let j = 2; j <= stages; j++) {
    const next =
      mu[j]! * last +
      nu[j]! * before +
      (1 - mu[j]! - nu[j]!) * y0 +
      muTilde[j]! * dt * rate(last, time[j - 1]! * dt) +
      gammaTilde[j]! * dt * first;
    before = last;
    last = next;
  }
  return last;
}

test("the scheme is of second order, in y and in t", () => {
  for (const stages of [3, 9, 31]) {
    const error = (dt: number): number => Math.abs(step((y) => -y, 1, dt, stages) - Math.exp(-dt));
    expect(error(0.02) / error(0.01)).toBeCloseTo(8, 0);
    expect(step((_, t) => 3 + 5 * t, 1, 0.7, stages)).toBeCloseTo(1 + 3 * 0.7 + 2.5 * 0.49, 12);
  }
});

test("all rates of decay up to the stated one are damped in one step", () => {
  for (const stages of [3, 7, 25, 99, 199]) {
    const lambda = 50;
    const dt = stableStep(lambda, stages);
    for (let share = 0.01; share <= 1; share += 0.01) {
      expect(Math.abs(step((y) => -share * lambda * y, 1, dt, stages))).toBeLessThan(1);
    }
    expect(stagesFor(lambda, dt * 0.999)).toBe(stages);
  }
});
