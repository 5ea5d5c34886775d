import * as fc from "fast-check";
import { expect, test } from "vitest";
import { cycler, type Order } from "../../test/cycler.js";
import { random } from "../kernels/random.js";
import type { Cycling } from "../model/cycling.js";
import { ParameterError } from "../model/errors.js";
import type { Trace } from "../model/experiment.js";
import { alignClocks, shiftCycling, type ClockEvidence } from "./clock.js";

const cycle: Order[] = [
  { current_mA: 0, for_s: 240 },
  { current_mA: 0.2, until_V: 4.3 },
  { current_mA: -0.2, until_V: 3.5 },
  { current_mA: 0, for_s: 300 },
];
const record = cycler(cycle, { interval_s: 2, logging: "derived" });

function evidence(given: Partial<ClockEvidence>): ClockEvidence {
  const time_s = Float64Array.from({ length: 600 }, (_, frame) => 5 * frame);
  return {
    movie: { name: "cell.tif", time_s, start: null, frameStamp: "middle" },
    cycling: record.cycling,
    cyclingStart: null,
    statedOffset_s: null,
    trace: null,
    ...given,
  };
}

function starting(
  movieStart: string | null,
  cyclingStart: string | null,
  more: Partial<ClockEvidence> = {},
): ClockEvidence {
  const base = evidence({ cyclingStart, ...more });
  return { ...base, movie: { ...base.movie, start: movieStart } };
}

/** Brightness as a function of lithium, flat first, then a step with a bump, then linear; frames at their own times. */
function brightness(
  x: Float64Array,
  cycling: Cycling,
  options: {
    offset_s: number;
    interval_s: number;
    from_s: number;
    to_s: number;
    noise: number;
    gain: number;
    seed: number;
  },
): Trace {
  const source = random(options.seed);
  const frames = Math.floor((options.to_s - options.from_s) / options.interval_s);
  const time_s = Float64Array.from({ length: frames }, (_, frame) => frame * options.interval_s);
  const intensity = time_s.map((now_s) => {
    const cycler_s = now_s - options.offset_s;
    let row = cycling.time_s.findIndex((stamp_s) => stamp_s >= cycler_s);
    if (row < 0) row = cycling.time_s.length - 1;
    const before = Math.max(0, row - 1);
    const share =
      row === before
        ? 0
        : Math.min(
            1,
            Math.max(0, (cycler_s - cycling.time_s[before]!) / (cycling.time_s[row]! - cycling.time_s[before]! || 1)),
          );
    const lithium = x[before]! + share * (x[row]! - x[before]!);
    const fraction = Math.min(1, Math.max(0, (0.93 - lithium) / 0.18));
    const level =
      1 + options.gain * (0.15 * fraction + 0.08 * Math.sin(Math.PI * fraction) + 1.3 * Math.max(0, 0.75 - lithium));
    return level + options.noise * source.normal();
  });
  return { particle: 0, time_s, intensity };
}

test("a stated offset is taken as it stands, whatever the files say", () => {
  const { clock, warnings } = alignClocks(
    starting("2024-05-01T12:00:00", "2024-05-01T12:10:00", { statedOffset_s: -30 }),
  );
  expect(clock).toEqual({ source: "stated", offset_s: { value: -30, sd: 0 }, drift_ppm: 0 });
  expect(warnings).toEqual([]);
});

test("two civil starts give the offset, zones and fractions respected, with the sd of their resolution", () => {
  const cases: [string, string, number, number][] = [
    ["2024-05-01T12:00:00", "2024-05-01T12:00:00", 0, 0.408],
    ["2024-05-01T12:00:00", "2024-05-01T11:58:30", -90, 0.408],
    ["2024-05-01T12:00:00.250", "2024-05-01T12:00:01.5", 1.25, 0.0289],
    ["2024-05-01T10:00:00Z", "2024-05-01T12:00:10+02:00", 10, 0.408],
    ["2024-05-01T12:00:00-0330", "2024-05-01T15:30:20Z", 20, 0.408],
    ["2024-05-01 12:00", "2024-05-01T12:01", 60, 24.49],
    ["2024-02-29T23:59:50", "2024-03-01T00:00:05", 15, 0.408],
  ];
  for (const [movieStart, cyclingStart, offset_s, sd_s] of cases) {
    const { clock, warnings } = alignClocks(starting(movieStart, cyclingStart));
    expect(clock.source).toBe("shared");
    expect(clock.offset_s.value).toBeCloseTo(offset_s, 9);
    expect(clock.offset_s.sd).toBeCloseTo(sd_s, sd_s > 1 ? 1 : 3);
    expect(warnings).toEqual([]);
  }
});

test("a frame stamp of unknown meaning adds interval / sqrt 12 to the sd", () => {
  const base = starting("2024-05-01T12:00:00.000", "2024-05-01T12:00:00.001");
  const { clock } = alignClocks({ ...base, movie: { ...base.movie, frameStamp: "unknown" } });
  expect(clock.offset_s.sd).toBeCloseTo(5 / Math.sqrt(12), 4);
});

test("a start without a zone is read in the other's zone where they then overlap, and said so", () => {
  const { clock, warnings } = alignClocks(starting("2024-05-01T12:00:00Z", "2024-05-01T12:00:30"));
  expect(clock).toMatchObject({ source: "shared", offset_s: { value: 30 } });
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toMatch(/the cycler's start has no zone.*--offset-s/);
});

test("where only whole hours bring them together nothing is guessed: none, with the candidates", () => {
  const { clock, warnings } = alignClocks(starting("2024-05-01T10:00:00Z", "2024-05-01T12:00:30"));
  expect(clock).toEqual({ source: "none", offset_s: { value: 0, sd: null }, drift_ppm: 0 });
  expect(warnings[0]).toMatch(/30 \(UTC\+2\)/);
  expect(warnings.at(-1)).toMatch(/--offset-s/);
  expect(alignClocks(starting("2024-05-01T12:00:00", "2024-05-01T10:00:30Z")).warnings[0]).toMatch(/30 \(UTC\+2\)/);
});

test("clocks that leave no common moment are refused with both spans and the cure", () => {
  const refused = (given: ClockEvidence): ParameterError => {
    try {
      alignClocks(given);
    } catch (error) {
      if (error instanceof ParameterError) return error;
    }
    throw new Error("was not refused");
  };
  const shared = refused(starting("2024-05-01T12:00:00", "2024-05-02T12:00:00"));
  expect(shared.parameter).toBe("offset_s");
  expect(shared.message).toMatch(/2024-05-01T12:00:00 to 2024-05-01T12:49:55.*2024-05-02T12:00:00.*--offset-s/);
  const stated = refused(evidence({ statedOffset_s: 90_000 }));
  expect(stated.message).toMatch(/offset_s 90000.*from 0 to 2995 s.*from 90000 to \d+ s/);
  expect(stated.value).toBe(90_000);
});

test("without starts, statement and trace, both begin at 0 together", () => {
  const { clock, warnings } = alignClocks(evidence({}));
  expect(clock).toEqual({ source: "none", offset_s: { value: 0, sd: null }, drift_ppm: 0 });
  expect(warnings.join()).toMatch(/--offset-s/);
  const late = shiftCycling(record.cycling, 700);
  const found = alignClocks(evidence({ cycling: late })).clock;
  expect(shiftCycling(late, found.offset_s.value).time_s[0]).toBe(0);
});

test("the current's steps in a particle's brightness give the offset within its sd, brightening or darkening", () => {
  const pulls: number[] = [];
  fc.assert(
    fc.property(
      fc.record({
        offset_s: fc.integer({ min: -200, max: 900 }),
        interval_s: fc.constantFrom(1, 2.5, 5, 10),
        noise: fc.constantFrom(2e-4, 1e-3, 2e-3),
        gain: fc.constantFrom(1, 0.5, -0.6),
        seed: fc.integer({ min: 1, max: 1e6 }),
      }),
      (drawn) => {
        const end_s = record.cycling.time_s.at(-1)! + drawn.offset_s;
        const trace = brightness(record.x, record.cycling, { ...drawn, from_s: 0, to_s: end_s + 200 });
        const base = evidence({ trace });
        const { clock, warnings } = alignClocks({ ...base, movie: { ...base.movie, time_s: trace.time_s } });
        expect(clock.source).toBe("steps");
        expect(clock.offset_s.sd!).toBeLessThan(60);
        pulls.push((clock.offset_s.value - drawn.offset_s) / clock.offset_s.sd!);
        expect(Math.abs(pulls.at(-1)!)).toBeLessThan(5);
        expect(warnings.join()).toMatch(/steps of the current/);
      },
    ),
    { numRuns: 40 },
  );
  expect(Math.sqrt(pulls.reduce((sum, pull) => sum + pull * pull, 0) / pulls.length)).toBeLessThan(1.5);
});

test("one cycle out of several alike could be any of them: none", () => {
  const five = cycler([...cycle, ...cycle, ...cycle, ...cycle, ...cycle], { interval_s: 4, logging: "derived" });
  const trace = brightness(five.x, five.cycling, {
    offset_s: -6400,
    interval_s: 5,
    from_s: 0,
    to_s: 3000,
    noise: 1e-3,
    gain: 1,
    seed: 2,
  });
  const base = evidence({ cycling: five.cycling, trace });
  expect(alignClocks({ ...base, movie: { ...base.movie, time_s: trace.time_s } }).clock.source).toBe("none");
});

test("noise, and a particle that brightens within one charge, give no offset", () => {
  const source = random(6);
  const time_s = Float64Array.from({ length: 600 }, (_, frame) => 5 * frame);
  const noise: Trace = { particle: 0, time_s, intensity: time_s.map(() => 1 + 0.002 * source.normal()) };
  expect(alignClocks(evidence({ trace: noise })).clock.source).toBe("none");
  const wander = time_s.map(() => 0);
  for (let frame = 1; frame < wander.length; frame++) wander[frame] = wander[frame - 1]! + 0.002 * source.normal();
  expect(alignClocks(evidence({ trace: { ...noise, intensity: wander } })).clock.source).toBe("none");
  const rising = time_s.map((now_s) => 1 + 1e-4 * now_s + 0.001 * source.normal());
  expect(alignClocks(evidence({ trace: { ...noise, intensity: rising } })).clock.source).toBe("none");
});

test("a stated offset that the brightness contradicts is kept, with a warning", () => {
  const trace = brightness(record.x, record.cycling, {
    offset_s: 0,
    interval_s: 5,
    from_s: 0,
    to_s: 3000,
    noise: 1e-3,
    gain: 1,
    seed: 4,
  });
  const right = alignClocks(evidence({ trace, statedOffset_s: 2 }));
  expect(right.warnings).toEqual([]);
  const wrong = alignClocks(evidence({ trace, statedOffset_s: 300 }));
  expect(wrong.clock.offset_s.value).toBe(300);
  expect(wrong.warnings.join()).toMatch(/earlier than the clocks say/);
});

test("a particle whose light comes to rest before each turn of the current does not contradict the files", () => {
  const slow = cycler(
    [
      { current_mA: 0, for_s: 60 },
      { current_mA: 0.02, until_V: 4.5, for_s: 6700 },
      { current_mA: -0.02, until_V: 2, for_s: 6700 },
      { current_mA: 0, for_s: 60 },
    ],
    { interval_s: 10, logging: "derived" },
  );
  // A transition and a pause; the most light at 6500 s, falling from 7060 s on; full 300 s before the end.
  const knots = [
    [0, 1],
    [150, 1],
    [1200, 1.09],
    [1850, 1.22],
    [2500, 1.238],
    [3300, 1.245],
    [6500, 1.59],
    [7060, 1.59],
    [10800, 1.15],
    [13150, 1],
    [14000, 1],
  ] as const;
  const source = random(8);
  const time_s = Float64Array.from({ length: 460 }, (_, frame) => 30 * frame);
  const intensity = time_s.map((t_s) => {
    const after = knots.findIndex(([knot_s]) => knot_s > t_s);
    const [[from_s, from], [to_s, to]] = [knots[after - 1]!, knots[after]!];
    return from + ((t_s - from_s) / (to_s - from_s)) * (to - from) + 3e-4 * source.normal();
  });
  const base = starting("2024-05-01T12:00:00Z", "2024-05-01T12:00:00Z", {
    cycling: slow.cycling,
    trace: { particle: 0, time_s, intensity },
  });
  expect(alignClocks({ ...base, movie: { ...base.movie, time_s } }).warnings).toEqual([]);
});
