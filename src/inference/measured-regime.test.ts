import { beforeAll, expect, test } from "vitest";
import { refusesJunk, stoppedBy } from "../../test/junk.js";
import { hexagon, phaseFieldOf } from "../../test/phase-field-ladder.js";
import { mapOf } from "../../test/paper/planted-diffusivity.js";
import { measureKinetics } from "../analysis/kinetics.js";
import type { Kinetics, Mechanism, Transition } from "../model/experiment.js";
import type { Particle } from "../model/particle.js";
import { outlineGrid } from "../physics/masked-grid.js";
import { lco } from "../physics/materials/lco.js";
import { withTransport } from "../physics/materials/library.js";
import { measureRegimes, type MeasuredRegimeOptions, type MeasuredTransitions } from "./measured-regime.js";

const PIXEL_UM = 0.05;
const START_S = 300;
const quick: MeasuredRegimeOptions = {
  material: lco,
  perDecade: 1,
  rims: [{ seed: 1 }],
  range_cm2_s: [1e-11, 1e-9],
};

const window = (id: number, direction: Transition["direction"]): Transition => ({
  id,
  particle: 4,
  kind: "biphasic",
  direction,
  directionSource: "cycler",
  halfCycle: 0,
  since_half_start_s: 0,
  rate_C: 2,
  start_s: START_S,
  end_s: START_S + 500,
  sd_s: 1,
  closed: true,
  order: "front",
  lag_to_dQdV: null,
});

let found: MeasuredTransitions;

/** A small crystal of 2e-10 cm2/s, delithiated from 300 s of the movie on. */
beforeAll(async () => {
  const outline_um = hexagon(0.5);
  const grid = outlineGrid(outline_um, 0.14);
  const result = await phaseFieldOf({
    ...grid,
    delta_um: 0.2,
    material: withTransport(lco, { D_um2_s: 0.02 }, "planted"),
    edge: { seed: 77 },
    drive: { kind: "current", x_per_h: [[0, 2.5]] },
    x0: 0.95,
    xStop: 0.65,
    snapshots_s: [],
  });
  const front = mapOf(
    grid,
    result.arrival_s.map((t_s) => t_s + START_S),
  );
  const measure = (transition: number): Kinetics => ({
    ...measureKinetics(front, {
      kind: "biphasic",
      c_rate_factor: 0.353,
      bandwidth_s: 20,
      psf_um: 0.118,
      clock_sd_s: 0,
    })!,
    particle: 4,
    transition,
  });
  const particle: Particle = {
    id: 4,
    centre_px: [0, 0],
    area_um2: 11,
    outline_px: outline_um.map(([x, y]) => [x / PIXEL_UM, y / PIXEL_UM] as const),
    source: "drawn",
    touchesBorder: false,
  };
  const mechanism = (transition: number, kind: Mechanism["kind"]): Mechanism => ({
    particle: 4,
    transition,
    kind,
    score: 1,
    nuclei_um: [],
    because: "",
  });
  found = {
    particles: [particle],
    transitions: [window(0, "lithiation"), window(1, "delithiation"), window(2, "brightening")],
    kinetics: [measure(0), measure(1), measure(2)],
    mechanisms: [mechanism(0, "wave"), mechanism(1, "core")],
    pixelSize_um: PIXEL_UM,
    cycling: {
      time_s: result.t_s.map((t_s) => t_s + START_S),
      potential_V: result.potential_V,
      current_mA: new Float64Array(result.t_s.length),
      charge_mAh: new Float64Array(result.t_s.length),
    },
  };
});

test("a delithiation has a bound by its current and one by its potential, both below the truth, and a Stefan estimate", async () => {
  const seen: number[] = [];
  const regimes = await measureRegimes(found, { ...quick, onProgress: (done, total) => seen.push(done / total) });
  expect(regimes.map(({ transition, direction }) => [transition, direction])).toEqual([
    [0, "lithiation"],
    [1, "delithiation"],
  ]);
  const [lithiation, delithiation] = regimes;
  expect(delithiation!.bounds.map(({ drive, kind }) => [drive, kind])).toEqual([
    ["current", "bound"],
    ["potential", "bound"],
  ]);
  for (const { atLeast_cm2_s } of delithiation!.bounds) expect(atLeast_cm2_s!).toBeLessThan(2e-10);
  expect(delithiation!.stefan!.source).toMatch(/cycler's record/);
  expect(delithiation!.stefan!.atLeast_cm2_s).toBeLessThan(delithiation!.stefan!.D_cm2_s);
  expect(delithiation!.kind).toBe("undecided");
  expect(delithiation!.implied!.phase).toBe("rich");

  // The delithiation's bound serves the lithiation that came before it.
  const best = Math.max(...delithiation!.bounds.map(({ atLeast_cm2_s }) => atLeast_cm2_s!));
  expect(lithiation!.bounds).toEqual([]);
  expect(lithiation!.stefan).toBeNull();
  expect(lithiation!.damkohler_poor!.most).toBeCloseTo((lithiation!.damkohler_poor!.value * 1e-8) / best, 3);
  expect(lithiation!.implied).toMatchObject({ phase: "poor", atMost_cm2_s: null });

  expect(seen.at(-1)).toBe(1);
  expect([...seen].sort((a, b) => a - b)).toEqual(seen);
});

test("without a record there is the current alone, and the Stefan estimate is the least that any potential allows", async () => {
  const [, delithiation] = await measureRegimes({ ...found, cycling: null }, quick);
  expect(delithiation!.bounds.map(({ drive }) => drive)).toEqual(["current"]);
  expect(delithiation!.stefan!.source).toMatch(/for want of a record/);
  expect(delithiation!.stefan!.surface_x).toBe(lco.least_x.value);
});

test("a current that the model's rim cannot pass is a finding, and an abort is none", async () => {
  const fast = found.kinetics.map((kinetics) => ({
    ...kinetics,
    cRate: { ...kinetics.cRate!, value: kinetics.cRate!.value.map((rate) => rate * 1e7) },
  }));
  const [, delithiation] = await measureRegimes({ ...found, kinetics: fast, cycling: null }, quick);
  expect(delithiation!.bounds[0]).toMatchObject({ kind: "none", atLeast_cm2_s: null });
  expect(delithiation!.bounds[0]!.because).toMatch(/cannot be simulated.*passes at most/);
  const signal = AbortSignal.abort(new Error("enough"));
  await expect(measureRegimes(found, { ...quick, signal })).rejects.toThrow("enough");
});

test("senseless findings and options are refused, and none keeps the work from stopping", async () => {
  await refusesJunk(
    [found, { ...quick, ohmic_V: 0.01 }] as const,
    ([of, options], signal) => measureRegimes(of, stoppedBy(options, signal)),
    30,
  );
});
