import { expect, test } from "vitest";
import type { CapacityPeak, Cycling, HalfCycle } from "../model/cycling.js";
import type { Cell, Clock } from "../model/experiment.js";
import { nameTransitions } from "./naming.js";
import type { FoundWindow } from "./transitions.js";

/** The paper's 2C cycle of fifty minutes (its Figs 1d, 2a): 25 min of charge, 25 min of discharge at 0.18 mA. */
const HALF_S = 1500;
const CURRENT_MA = 0.18;

const peak = (name: string, t_s: number, width_s: number): CapacityPeak => ({
  name,
  potential_V: 4,
  t_s,
  start_s: t_s - width_s / 2,
  end_s: t_s + width_s / 2,
  height_mAh_V: 1,
});

const half = (id: number, peaks: readonly CapacityPeak[]): HalfCycle => ({
  id,
  cycle: 1,
  kind: id === 0 ? "charge" : "discharge",
  start_s: id * HALF_S,
  end_s: (id + 1) * HALF_S,
  rate_C: 2,
  charge_mAh: (CURRENT_MA * HALF_S) / 3600,
  efficiency: null,
  peaks,
});

const halfCycles = [
  half(0, [peak("I", 380, 300), peak("II", 1370, 60)]),
  half(1, [peak("III", 1630, 60), peak("IV", 2500, 400)]),
];

const cell: Cell = {
  imaged: "working",
  role: "cathode",
  currentSign: "anodic-positive",
  source: "default",
  active_mass_mg: null,
  nominal_mAh_g: 155,
  nominal_mAh: null,
  steps: [],
  halfCycles,
  differentialCapacity: [],
};

/** A row each ten seconds; positive current first, then `back`. */
function cycle(back = -CURRENT_MA): Cycling {
  const time_s = Float64Array.from({ length: 301 }, (_, row) => 10 * row);
  const current_mA = time_s.map((t_s) => (t_s < HALF_S ? CURRENT_MA : back));
  const charge_mAh = time_s.map(
    (t_s) => (CURRENT_MA * Math.min(t_s, HALF_S) + back * Math.max(0, t_s - HALF_S)) / 3600,
  );
  const most_mAh = (CURRENT_MA * HALF_S) / 3600;
  // About 3.98 and 3.8 V on the plateau, 4.14 and 4 V where order comes and goes.
  const potential_V = time_s.map((t_s, row) => {
    const place = charge_mAh[row]! / most_mAh;
    return t_s < HALF_S ? 3.9 + 0.27 * place : 3.7 + 0.33 * place;
  });
  return { time_s, current_mA, charge_mAh, potential_V };
}

const clock: Clock = { source: "shared", offset_s: { value: 0, sd: 3 }, drift_ppm: 0 };
const apart: Clock = { source: "none", offset_s: { value: 0, sd: null }, drift_ppm: 0 };

const window = (start_s: number, end_s: number, step: number): FoundWindow => ({
  start_s,
  end_s,
  sd_s: 4,
  closed: true,
  order: "front",
  rise_s: 15,
  step,
  share: 1,
  movie_s: [0, 3000],
});

/** Windows as the paper shades them: red, blue, blue, red. */
const shaded = [window(180, 720, 0.12), window(1360, 1440, 0.04), window(1580, 1660, -0.04), window(2340, 2880, -0.11)];

test("the paper's windows are named as the paper shades them", () => {
  const named = nameTransitions(shaded, { particle: 5, clock, cycling: cycle(), cell });
  expect(named.map(({ kind, direction, halfCycle }) => [kind, direction, halfCycle])).toEqual([
    ["biphasic", "delithiation", 0],
    ["ordering", "delithiation", 0],
    ["ordering", "lithiation", 1],
    ["biphasic", "lithiation", 1],
  ]);
  expect(named.map(({ since_half_start_s }) => since_half_start_s)).toEqual([180, 1360, 80, 840]);
  for (const { directionSource, rate_C, particle } of named) {
    expect([directionSource, rate_C, particle]).toEqual(["cycler", 2, 5]);
  }
});

test("each is named alone, too, and by charge alone where dQ/dV shows no peak", () => {
  const bare = { ...cell, halfCycles: halfCycles.map((one) => ({ ...one, peaks: [] })) };
  for (const [at, kind] of ["biphasic", "ordering", "ordering", "biphasic"].entries()) {
    for (const one of [cell, bare]) {
      const [named] = nameTransitions([shaded[at]!], { particle: 0, clock, cycling: cycle(), cell: one });
      expect(named!.kind).toBe(kind);
    }
  }
});

test("what lies half way between both is not named", () => {
  const bare = { ...cell, halfCycles: halfCycles.map((one) => ({ ...one, peaks: [] })) };
  const [named] = nameTransitions([window(950, 1150, 0.05)], { particle: 0, clock, cycling: cycle(), cell: bare });
  expect(named!.kind).toBe("unknown");
});

test("lags to dQ/dV are window minus peak, with the clocks' error in their sd", () => {
  const [first] = nameTransitions(shaded, { particle: 0, clock, cycling: cycle(), cell });
  const { start_mAh, centre_mAh, end_mAh, ...inTime } = first!.lag_to_dQdV!;
  expect(inTime).toEqual({
    peak: "I",
    start_s: { value: 180 - 230, sd: 5, n: 1 },
    centre_s: { value: 450 - 380, sd: 5, n: 1 },
    end_s: { value: 720 - 530, sd: 5, n: 1 },
  });
  // The current is the same throughout: charge is time times 0.18 mA.
  for (const [charge, lag_s] of [
    [start_mAh, -50],
    [centre_mAh, 70],
    [end_mAh, 190],
  ] as const) {
    expect(charge!.value).toBeCloseTo((CURRENT_MA * lag_s) / 3600, 9);
    expect(charge!.sd).toBeCloseTo((CURRENT_MA * 5) / 3600, 9);
  }
});

test("an end that the movie cut off has no lag", () => {
  const cut = { ...window(2340, 3000, -0.11), closed: false };
  const [named] = nameTransitions([cut], { particle: 0, clock, cycling: cycle(), cell });
  expect(named!.lag_to_dQdV!.end_s).toBeNull();
  expect(named!.lag_to_dQdV!.centre_s).toBeNull();
  expect(named!.lag_to_dQdV!.end_mAh).toBeNull();
  expect(named!.lag_to_dQdV!.start_s!.value).toBe(2340 - 2300);
});

test("without joined clocks nothing but a current of one sign tells the direction", () => {
  const [mixed] = nameTransitions(shaded, { particle: 0, clock: apart, cycling: cycle(), cell });
  expect([mixed!.direction, mixed!.directionSource]).toEqual(["brightening", "intensity"]);
  const [forth] = nameTransitions(shaded, { particle: 0, clock: apart, cycling: cycle(0), cell });
  expect([forth!.direction, forth!.directionSource]).toEqual(["delithiation", "cycler"]);
  // The movie ends before the current turns.
  const seen: FoundWindow = { ...shaded[0]!, movie_s: [0, 1400] };
  const [before] = nameTransitions([seen], { particle: 0, clock: apart, cycling: cycle(), cell });
  expect(before!.direction).toBe("delithiation");
  for (const { halfCycle, rate_C, since_half_start_s, lag_to_dQdV, kind } of [mixed!, forth!]) {
    expect([halfCycle, rate_C, since_half_start_s, lag_to_dQdV, kind]).toEqual([null, null, null, null, "unknown"]);
  }
});

test("where the role is unknown, there is no record or the cell rests, the light tells the direction and no kind is named", () => {
  const rest = cycle();
  rest.current_mA.fill(0, 0, 150);
  const cases = [
    { cycling: cycle(), cell: { ...cell, role: "unknown" as const } },
    { cycling: null, cell: null },
    { cycling: rest, cell: { ...cell, halfCycles: [halfCycles[1]!] } },
  ];
  for (const one of cases) {
    const [named] = nameTransitions([shaded[0]!], { particle: 0, clock, ...one });
    expect([named!.direction, named!.directionSource, named!.kind]).toEqual(["brightening", "intensity", "unknown"]);
  }
});

test("the turn of a cycle is no charge from the lithiated end: its windows are named by their potential", () => {
  // From 4.05 V at rest up to 4.34 V and back down to 3.97 V, an eighth of the capacity.
  const time_s = Float64Array.from({ length: 161 }, (_, row) => 5 * row);
  const current_mA = time_s.map((t_s) => (t_s < 40 ? 0 : t_s < 420 ? 0.25 : -0.25));
  const charge_mAh = time_s.map((t_s) => (0.25 * (t_s < 40 ? 0 : t_s < 420 ? t_s - 40 : 800 - t_s)) / 3600);
  const potential_V = time_s.map((t_s) =>
    t_s < 40 ? 4.048 : t_s < 420 ? 4.13 + (0.21 * (t_s - 40)) / 380 : 4.17 - (0.2 * (t_s - 420)) / 380,
  );
  const turn: readonly HalfCycle[] = [
    { ...half(0, [peak("", 105, 50)]), start_s: 40, end_s: 420, rate_C: null, charge_mAh: 0.0264 },
    { ...half(1, [peak("III", 574, 50), peak("IV", 765, 60)]), start_s: 420, end_s: 800, charge_mAh: 0.0264 },
  ];
  const named = nameTransitions([window(247, 382, 0.04), window(640, 770, -0.04)], {
    particle: 0,
    clock,
    cycling: { time_s, current_mA, charge_mAh, potential_V },
    cell: { ...cell, halfCycles: turn },
  });
  expect(named.map(({ kind, direction }) => [kind, direction])).toEqual([
    ["ordering", "delithiation"],
    ["ordering", "lithiation"],
  ]);
});

test("a discharge from the plateau holds no ordering, however early its window", () => {
  const time_s = Float64Array.from({ length: 161 }, (_, row) => 5 * row);
  const current_mA = time_s.map((t_s) => (t_s < 40 ? 0 : -0.25));
  const charge_mAh = time_s.map((t_s) => (-0.25 * Math.max(0, t_s - 40)) / 3600);
  const potential_V = time_s.map((t_s) => (t_s < 40 ? 3.93 : t_s < 700 ? 3.83 : 3.83 - 0.008 * (t_s - 700)));
  const only = { ...half(1, [peak("IV", 382, 400)]), id: 0, start_s: 40, end_s: 800, charge_mAh: 0.053 };
  const named = nameTransitions([window(47, 83, -0.03), window(127, 568, -0.1)], {
    particle: 0,
    clock,
    cycling: { time_s, current_mA, charge_mAh, potential_V },
    cell: { ...cell, halfCycles: [only] },
  });
  // Too faint and early to be sure of the first.
  expect(named.map(({ kind }) => kind)).toEqual(["unknown", "biphasic"]);
});
