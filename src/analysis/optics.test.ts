import * as fc from "fast-check";
import { expect, test } from "vitest";
import { random } from "../kernels/random.js";
import type { HalfCycle } from "../model/cycling.js";
import type { Trace } from "../model/experiment.js";
import { fitParabola } from "./parabola.js";
import { measureOptics } from "./optics.js";

const charge_mAh = 0.1;

function halfCycle(id: number, kind: HalfCycle["kind"], start_s: number, end_s: number): HalfCycle {
  return { id, cycle: 1, kind, start_s, end_s, rate_C: 2, charge_mAh, efficiency: null, peaks: [] };
}

interface Particle {
  readonly interval_s: number;
  readonly noise: number;
  /** Height of the bump in the two-phase step. */
  readonly bump: number;
  /** Step of the two-phase transition, and rise of the solid solution over its part. */
  readonly step: number;
  readonly rise: number;
  /** Intensity kept after a whole cycle, and that the discharge lies above the charge. */
  readonly lost: number;
  readonly above: number;
  readonly seed: number;
}

const bumpAt = 0.3;

/** Brightness as a function of the share charged: flat, a step with a bump in it, then a straight rise. */
function level(share: number, { bump, step, rise }: Particle): number {
  const fraction = Math.min(1, Math.max(0, (share - 0.12) / 0.36));
  const smooth = fraction * fraction * (3 - 2 * fraction);
  return (
    1 + step * smooth + bump * Math.exp(-(((share - bumpAt) / 0.06) ** 2)) + (rise * Math.max(0, share - 0.48)) / 0.52
  );
}

/** A charge of 1500 s from 100 s, a discharge of 1500 s after it, a rest on both sides. */
function movie(particle: Particle): { trace: Trace; halfCycles: HalfCycle[] } {
  const source = random(particle.seed);
  const frames = Math.floor(3200 / particle.interval_s);
  const time_s = Float64Array.from({ length: frames }, (_, frame) => frame * particle.interval_s);
  const intensity = time_s.map((now_s) => {
    const since = Math.min(2, Math.max(0, (now_s - 100) / 1500));
    const share = since <= 1 ? since : 2 - since;
    const back =
      since > 1
        ? particle.above * Math.min(1, 20 * (since - 1)) * Math.min(1, 4 * (2 - since)) - particle.lost * (since - 1)
        : 0;
    return level(share, particle) + back + particle.noise * source.normal();
  });
  return {
    trace: { particle: 3, time_s, intensity },
    halfCycles: [halfCycle(0, "charge", 100, 1600), halfCycle(1, "discharge", 1600, 3100)],
  };
}

const particles = fc.record({
  interval_s: fc.constantFrom(1, 2.5, 5, 10),
  noise: fc.constantFrom(1e-4, 5e-4, 2e-3),
  bump: fc.constant(0),
  step: fc.constantFrom(-0.15, 0.05, 0.2),
  rise: fc.constantFrom(0.1, 0.35),
  lost: fc.constant(0),
  above: fc.constant(0),
  seed: fc.integer({ min: 1, max: 1e6 }),
});

test("the ratio is that of the levels at the half cycle's ends, within its sd", () => {
  let squares = 0;
  let count = 0;
  fc.assert(
    fc.property(particles, (particle) => {
      const { trace, halfCycles } = movie(particle);
      const [charge, discharge] = measureOptics(trace, halfCycles);
      const top = 1 + particle.step + particle.rise;
      expect(charge!.particle).toBe(3);
      expect(charge!.return_error).toBeNull();
      for (const [found, truth] of [
        [charge!.ratio, top],
        [discharge!.ratio, 1 / top],
      ] as const) {
        expect(Math.abs(found.value - truth)).toBeLessThan(6 * found.sd! + 1e-3);
        squares += ((found.value - truth) / found.sd!) ** 2;
        count++;
      }
    }),
    { numRuns: 60 },
  );
  expect(Math.sqrt(squares / count)).toBeLessThan(2);
});

test("what does not come back is the return error of the discharge", () => {
  const { trace, halfCycles } = movie({
    interval_s: 5,
    noise: 3e-4,
    bump: 0,
    step: 0.2,
    rise: 0.3,
    lost: 0.02,
    above: 0,
    seed: 5,
  });
  const [charge, discharge] = measureOptics(trace, halfCycles);
  expect(charge!.return_error).toBeNull();
  expect(Math.abs(discharge!.return_error!.value + 0.02)).toBeLessThan(5 * discharge!.return_error!.sd!);
  expect(discharge!.return_error!.sd!).toBeLessThan(1e-3);
});

test("the solid solution's slope is found in the straight part, and its hysteresis at equal charge", () => {
  fc.assert(
    fc.property(particles, fc.constantFrom(0, 0.01, -0.02), (particle, above) => {
      const { trace, halfCycles } = movie({ ...particle, above });
      const [charge, discharge] = measureOptics(trace, halfCycles);
      const truth_per_h = (particle.rise / (0.52 * 1500)) * 3600;
      for (const [at, found] of [charge!.solid_solution!, discharge!.solid_solution!].entries()) {
        const sign = at === 0 ? 1 : -1;
        // The step's last smooth tail may lie within the part.
        expect(Math.abs(sign * found.slope_per_h.value - truth_per_h)).toBeLessThan(
          5 * found.slope_per_h.sd! + 0.03 * truth_per_h + (at === 1 ? 0.5 * Math.abs(above) : 0),
        );
        expect(found.end_s - found.start_s).toBeGreaterThan(250);
      }
      expect(charge!.solid_solution!.hysteresis).toEqual(discharge!.solid_solution!.hysteresis);
      const hysteresis = charge!.solid_solution!.hysteresis!;
      expect(Math.abs(hysteresis.value - above)).toBeLessThan(5 * hysteresis.sd! + 0.15 * Math.abs(above));
    }),
    { numRuns: 40 },
  );
});

test("the peak within the two-phase step is found at its charge; without a bump there is none", () => {
  fc.assert(
    fc.property(particles, fc.constantFrom(0.04, 0.1), (particle, bump) => {
      const with_ = movie({ ...particle, step: 0.05, noise: Math.min(particle.noise, 1e-3), bump });
      const [charge, discharge] = measureOptics(with_.trace, with_.halfCycles);
      expect(Math.abs(charge!.peak_at_mAh!.value - bumpAt * charge_mAh)).toBeLessThan(0.015 * charge_mAh);
      expect(Math.abs(discharge!.peak_at_mAh!.value - (1 - bumpAt) * charge_mAh)).toBeLessThan(0.015 * charge_mAh);

      const without = movie({ ...particle, bump: 0, step: 0.2 });
      for (const found of measureOptics(without.trace, without.halfCycles)) expect(found.peak_at_mAh).toBeNull();
    }),
    { numRuns: 30 },
  );
});

test("the charge of a peak follows the record where its current was not even", () => {
  const { trace, halfCycles } = movie({
    interval_s: 5,
    noise: 2e-4,
    bump: 0.1,
    step: 0.05,
    rise: 0.3,
    lost: 0,
    above: 0,
    seed: 2,
  });
  const time_s = Float64Array.from({ length: 1601 }, (_, row) => 2 * row);
  const charge = time_s.map((now_s) => charge_mAh * Math.sqrt(Math.min(1, Math.max(0, (now_s - 100) / 1500))));
  const cycling = { time_s, potential_V: time_s, current_mA: time_s, charge_mAh: charge };
  const [found] = measureOptics(trace, halfCycles, cycling);
  expect(found!.peak_at_mAh!.value / charge_mAh).toBeCloseTo(Math.sqrt(bumpAt), 1.7);
});

test("a half cycle that the movie does not show whole has no entry; a gap in the frames is no harm", () => {
  const { trace, halfCycles } = movie({
    interval_s: 5,
    noise: 5e-4,
    bump: 0,
    step: 0.1,
    rise: 0.3,
    lost: 0,
    above: 0,
    seed: 9,
  });
  const cut = Array.from(trace.time_s.keys()).filter((frame) => trace.time_s[frame]! < 2500);
  const short: Trace = {
    particle: 0,
    time_s: Float64Array.from(cut, (frame) => trace.time_s[frame]!),
    intensity: Float64Array.from(cut, (frame) => (frame > 150 && frame < 180 ? NaN : trace.intensity[frame]!)),
  };
  const found = measureOptics(short, halfCycles);
  expect(found.map(({ halfCycle }) => halfCycle)).toEqual([0]);
  expect(found[0]!.ratio.value).toBeCloseTo(1.4, 2);
  expect(measureOptics(trace, [])).toEqual([]);
});

test("nothing is called straight that is curved all along", () => {
  const { trace, halfCycles } = movie({
    interval_s: 2.5,
    noise: 1e-4,
    bump: 0,
    step: 0,
    rise: 0,
    lost: 0,
    above: 0,
    seed: 1,
  });
  const curved = {
    ...trace,
    intensity: trace.time_s.map((now_s, frame) => trace.intensity[frame]! + 0.5 * ((now_s - 100) / 1500) ** 4),
  };
  expect(measureOptics(curved, halfCycles.slice(0, 1))[0]!.solid_solution).toBeNull();
});

test("a parabola's vertex is found within its standard error, unevenly sampled or not", () => {
  const source = random(12);
  let squares = 0;
  for (let draw = 0; draw < 200; draw++) {
    const vertex = source.normal();
    const x = Array.from({ length: 30 }, () => 3 + 2 * source.uniform() ** 2).sort((a, b) => a - b);
    const found = fitParabola(
      x.map((at) => at + vertex),
      x.map((at) => 2 - 1.5 * (at - 3.8) ** 2 + 0.02 * source.normal()),
    );
    expect(found.bend).toBeCloseTo(-1.5, 0);
    expect(found.level).toBeCloseTo(2, 1);
    squares += ((found.vertex - vertex - 3.8) / found.vertexSd) ** 2;
  }
  expect(Math.sqrt(squares / 200)).toBeGreaterThan(0.8);
  expect(Math.sqrt(squares / 200)).toBeLessThan(1.25);
});
