import { expect, test } from "vitest";
import { refusesJunk, stoppedBy } from "../../test/junk.js";
import { ParameterError } from "../model/errors.js";
import { electrodeParticles, cycleElectrode, lithiumPerHour, maskOfOutline } from "./electrode.js";
import { lcoMeasured } from "./materials/lco.js";
import { paperScenarios } from "./paper-scenarios.js";
import { mapAt } from "./phase-field-twin-film.js";
import { phaseFieldTwin } from "./phase-field-twin.js";
import type { PhaseFieldCrystalSpec } from "./phase-field-twin-spec.js";
import type { Scenario } from "./scenario.js";
import { scenarios } from "./scenarios.js";
import { truthOf } from "./truth.js";
import { twin } from "./twin.js";

const paper = paperScenarios["fig3-lithiation"]!;
const still = { linear_um: [0, 0], walk_um: 0, wobble_um: 0, wobblePeriod_s: 100 } as const;

/** A disc of 2 um that fills at 6 per hour, on coarse cells and pixels. */
function disc(given: Partial<PhaseFieldCrystalSpec> = {}, more: Partial<Scenario> = {}): Scenario {
  const first = paper.phaseField!.particles[0]!;
  return {
    ...paper,
    cycling: null,
    drift: still,
    lamp: { flicker: 0, fading: 0 },
    movie: { ...paper.movie, width: 48, height: 48, pixelSize_um: 0.12, frames: 36, interval_s: 5 },
    phaseField: {
      ...paper.phaseField!,
      h_um: 0.2,
      delta_um: 0.25,
      particles: [
        {
          ...first,
          outline: { kind: "ellipse", centre_um: [2.9, 2.8], radii_um: [1.9, 1.9], angle_deg: 0 },
          x0: 0.72,
          roughness_nm: 0,
          drive: {
            kind: "current",
            ways: [{ direction: "lithiation", start_s: 10, x0: 0.72, until_x: 0.96, x_per_h: [[0, 6]], cycle: 0 }],
          },
          ...given,
        },
      ],
    },
    ...more,
  };
}

test("lithium in the movie is what the current brought, held before and after", async () => {
  const made = await phaseFieldTwin(disc());
  const { lithium } = truthOf(made);
  const { x_mean } = lithium![0]!;
  for (const [frame, time_s] of made.acquisition.time_s.entries()) {
    const brought = (6 / 3600) * Math.max(0, time_s - 10);
    expect(x_mean[frame], `${time_s} s`).toBeCloseTo(Math.min(0.96, 0.72 + brought), 4);
  }
});

test("light is half-way between its two levels when the front passes, at any place", async () => {
  const scenario = disc();
  const made = await phaseFieldTwin({
    ...scenario,
    phaseField: { ...scenario.phaseField!, microscope: { ...scenario.phaseField!.microscope, boundary: 0 } },
  });
  const map = truthOf(made).maps[0]!;
  const light = new Float64Array(made.width * made.height);
  const frames = Array.from({ length: made.frames }, (_, index) => {
    made.light(index, light);
    return light.slice();
  });
  const late_s: number[] = [];
  for (let at = 0; at < map.arrival_s.length; at++) {
    const arrival_s = map.arrival_s[at]!;
    // Clear of the rim, whose light is the carbon's too.
    const x = map.origin_px[0] + (at % map.width);
    const y = map.origin_px[1] + Math.floor(at / map.width);
    if (Number.isNaN(arrival_s) || Math.hypot(x - 2.9 / 0.12, y - 2.8 / 0.12) > 12) continue;
    const trace = frames.map((frame) => frame[y * made.width + x]!);
    // From the poor phase's light when the way begins to the rich one's at its end.
    const half = (trace[3]! + trace.at(-1)!) / 2;
    const after = trace.findIndex((value) => value < half);
    const share = (trace[after - 1]! - half) / (trace[after - 1]! - trace[after]!);
    const half_s = made.acquisition.time_s[after - 1]! + share * 5;
    late_s.push(half_s - arrival_s);
  }
  late_s.sort((a, b) => a - b);
  expect(late_s.length).toBeGreaterThan(300);
  // Fronts of 40 nm/s: half a cell of the phase field.
  expect(Math.abs(late_s[Math.floor(late_s.length / 2)]!)).toBeLessThan(2.5);
});

test("a frame is the same whenever and in whatever order it is read; another seed is another rim", async () => {
  const scenario = disc();
  const made = await phaseFieldTwin(scenario);
  const again = await phaseFieldTwin(scenario);
  const frame = (index: number, of = made): Uint16Array => {
    const counts = new Uint16Array(made.width * made.height);
    of.read(index, counts);
    return counts;
  };
  const forward = [3, 20, 35].map((index) => frame(index));
  const backward = [35, 20, 3].map((index) => frame(index, again)).reverse();
  expect(backward).toEqual(forward);
  const other = await phaseFieldTwin(scenario, scenario.seed + 1);
  expect(truthOf(other).maps[0]!.arrival_s).not.toEqual(truthOf(made).maps[0]!.arrival_s);
});

test("a particle without contact keeps its lithium and is a mechanism `none`", async () => {
  const made = await phaseFieldTwin(disc({ drive: { kind: "none" } }));
  const truth = truthOf(made);
  expect(truth.mechanisms).toEqual([{ particle: 0, transition: null, kind: "none", nuclei_um: [] }]);
  expect(truth.maps).toEqual([]);
  const map = new Float64Array(made.lithium.particles[0]!.raster.mask.length);
  mapAt(made.lithium.particles[0]!.x, 100, map);
  expect(new Set(map)).toEqual(new Set([0, Math.fround(0.72)]));
});

test("the truth counts by the definitions: share, half time and mechanism of a disc that fills from its rim", async () => {
  const truth = truthOf(await phaseFieldTwin(disc()));
  const [transition] = truth.transitions;
  const [kinetics] = truth.kinetics;
  expect(transition!.covered).toBeGreaterThan(0.95);
  // Half of the gap's 0.2 has come when half of the area has turned, but for what the phases themselves take up.
  expect(kinetics!.t50_s).toBeGreaterThan(10 + (0.1 / 6) * 3600 - 20);
  expect(kinetics!.t50_s).toBeLessThan(10 + (0.15 / 6) * 3600 + 20);
  expect(kinetics!.c_rate_factor).toBeCloseTo((0.2 * 273.84) / 155, 3);
});

test("an electrode's record is galvanostatic, ends at its potentials, and comes to x = 1/2 after 24 min of 2C", async () => {
  const spec = {
    ...paperScenarios["fig4-rates"]!.phaseField!.electrode!,
    particles: 3,
    h_um: 0.4,
    radii_um: [1.8, 2.6],
  } as const;
  const cycling = {
    ...paperScenarios["fig4-rates"]!.cycling!,
    before_s: 20,
    noise_V: 0,
    programme: [
      { kind: "rest", lasts_s: 30 },
      { kind: "charge", rate_C: 2, until_V: 4.3, lasts_s: 4000 },
      { kind: "discharge", rate_C: 2, until_V: 3, lasts_s: 4000 },
    ],
  } as const;
  const { record, halfCycles, ensemble } = await cycleElectrode(spec, lcoMeasured, cycling, 1);
  const oneC_mA = 155 * 0.812e-3;
  expect(new Set([...record.current_mA].map((mA) => Math.round(mA / oneC_mA)))).toEqual(new Set([0, 2, -2]));
  expect(halfCycles.map(({ kind, cycle }) => [kind, cycle])).toEqual([
    ["charge", 0],
    ["discharge", 0],
  ]);
  const [charge] = halfCycles;
  expect(charge!.endedBy).toBe("potential");
  expect(Math.max(...record.potential_V)).toBeCloseTo(4.3, 2);
  // 2C takes 1.132 from each site in an hour.
  expect(2 * lithiumPerHour(lcoMeasured)).toBeCloseTo(1.132, 3);
  // From 0.955 to 0.5, by the charge that was logged.
  const half = record.charge_mAh.findIndex((mAh) => (mAh / oneC_mA) * lithiumPerHour(lcoMeasured) >= 0.455);
  expect((record.time_s[half]! - 30) / 60).toBeCloseTo(24.1, 1);
  expect(Math.min(...ensemble.x_mean)).toBeLessThan(0.5);
  for (let row = 1; row < record.time_s.length; row++) {
    expect(record.time_s[row]!).toBeGreaterThan(record.time_s[row - 1]!);
  }
  const passed_mAh = record.charge_mAh.reduce((most, value) => Math.max(most, value), 0);
  // But for the last step, in which the potential is held at its limit.
  expect(passed_mAh / oneC_mA).toBeCloseTo((2 * (charge!.end_s - charge!.start_s)) / 3600, 2);
  expect(record.charge_mAh.at(-1)! / passed_mAh).toBeCloseTo(0, 2);
});

test("the particles of an electrode are those of its seed, and rise in size", () => {
  const spec = paperScenarios["fig4-rates"]!.phaseField!.electrode!;
  const cells = (seed: number): number[] =>
    electrodeParticles({ ...spec, seed }, lcoMeasured).map(({ mask }) => Array.from(mask).filter(Boolean).length);
  expect(cells(5)).toEqual(cells(5));
  expect(cells(6)).not.toEqual(cells(5));
  expect(cells(5).at(-1)!).toBeGreaterThan(2 * cells(5)[0]!);
});

test("a mask covers its outline's area", () => {
  const corners = [
    [0.03, 0.01],
    [3.03, 0.01],
    [3.03, 3.01],
    [0.03, 3.01],
  ] as const;
  const { mask, h_um } = maskOfOutline(corners, 0.07);
  expect(Math.abs(mask.reduce((sum, one) => sum + one, 0) * h_um * h_um - 9)).toBeLessThan(0.45);
});

test("a scene that makes no sense is refused with its value and the cure", async () => {
  const scenario = disc();
  const with_ = (given: Partial<NonNullable<Scenario["phaseField"]>>): Scenario => ({
    ...scenario,
    phaseField: { ...scenario.phaseField!, ...given },
  });
  const wrong: [Scenario, RegExp][] = [
    [with_({ material: "gold" }), /phaseField\.material is "gold"\. Give one of lco/],
    [with_({ material: "lfp" }), /phaseField\.material is "lfp"\. The light of its face is not known/],
    [with_({ h_um: 0.4 }), /phaseField\.h_um is 0\.4\. Give 0\.02 to 0\.25/],
    [disc({ x0: NaN }), /phaseField\.particles\.0\.x0 is NaN/],
    [disc({ drive: { kind: "electrode" } }), /Give phaseField\.electrode/],
    [{ ...scenario, particles: scenarios["plane"]!.particles }, /either particles or phaseField\.particles/],
    [{ ...scenario, camera: { ...scenario.camera, noise: 0 } }, /camera\.noise is 0/],
  ];
  for (const [one, message] of wrong) {
    await expect(phaseFieldTwin(one)).rejects.toThrow(message);
    await expect(phaseFieldTwin(one)).rejects.toThrow(ParameterError);
  }
  expect(() => twin(scenario)).toThrow(/Call phaseFieldTwin/);
  await expect(phaseFieldTwin(scenarios["plane"]!)).rejects.toThrow(/phaseField is missing/);
});

test("a run that is stopped stops", async () => {
  const stop = new AbortController();
  stop.abort(new Error("enough"));
  await expect(phaseFieldTwin(disc(), null, { signal: stop.signal })).rejects.toThrow("enough");
});

test("senseless values in any field of a scene are refused, and none keeps its run from stopping", async () => {
  const few = disc(
    {
      outline: { kind: "hexagon", centre_um: [1.2, 1.2], radius_um: 0.8, angle_deg: 0, corner_um: 0.1 },
      drive: { kind: "electrode" },
      ordering: {
        nuclei: 1,
        walls: { kind: "isotropic" },
        seed: 1,
        window_x: [0.48, 0.52],
        nucleationAt: 0.9,
        frontVelocity_um_s: 0.075,
      },
    },
    {
      movie: { ...paper.movie, width: 24, height: 24, pixelSize_um: 0.1, frames: 3, interval_s: 2, exposure_s: 1 },
      cycling: {
        ...paper.cycling!,
        before_s: 0,
        programme: [{ kind: "discharge", rate_C: 20, until_V: 3, lasts_s: 8 }],
        x0: 0.72,
      },
    },
  );
  const electrode = {
    seed: 1,
    particles: 2,
    radii_um: [0.6, 0.8] as const,
    lnExchange_sd: 0.1,
    contact_ohm_m2: 0.001,
    window_V: 0.001,
    h_um: 0.25,
    delta_um: 0.25,
  };
  const scenario: Scenario = { ...few, phaseField: { ...few.phaseField!, electrode } };
  await phaseFieldTwin(scenario);
  await refusesJunk([scenario, 3, {}] as const, async ([given, seed, watch], signal) => {
    const made = await phaseFieldTwin(given, seed, stoppedBy(watch, signal));
    made.read(0, new Uint16Array(made.width * made.height));
  });
});
