import { beforeAll, expect, test } from "vitest";
import { containsPoint } from "../kernels/polygon.js";
import { cellsOfCamera } from "./expose-camera.js";
import { paperScenarios } from "./paper-scenarios.js";
import { mapAt } from "./phase-field-twin-film.js";
import { sceneLight } from "./phase-field-twin-light.js";
import type { LithiumWaySpec, PhaseFieldOpticsSpec } from "./phase-field-twin-spec.js";
import { phaseFieldTwin, type PhaseFieldTwin } from "./phase-field-twin.js";
import type { Scenario } from "./scenario.js";
import { truthOf } from "./truth.js";

/** A disc of 5 um on coarse cells and pixels, whose camera drifts, flickers and breathes as the paper's does. */
function disc(
  ways: readonly LithiumWaySpec[],
  frames: number,
  interval_s: number,
  given: Partial<Scenario["movie"]> = {},
): Scenario {
  const paper = paperScenarios["fig4-2C"]!;
  const first = paper.phaseField!.particles[0]!;
  return {
    ...paper,
    cycling: null,
    optics: { ...paper.optics, psf_um: 0.14 },
    movie: { ...paper.movie, width: 44, height: 44, pixelSize_um: 0.16, frames, interval_s, exposure_s: 1, ...given },
    phaseField: {
      ...paper.phaseField!,
      electrode: null,
      h_um: 0.28,
      delta_um: 0.3,
      particles: [
        {
          ...first,
          outline: { kind: "ellipse", centre_um: [3.5, 3.5], radii_um: [2.5, 2.5], angle_deg: 0 },
          x0: ways[0]!.x0,
          drive: { kind: "current", ways },
        },
      ],
    },
  };
}

/** Out and in again at a rate, in lithium per site and hour. */
function cycle(rate: number): Scenario {
  const lasts_s = (0.505 / rate) * 3600;
  const way = (direction: "delithiation" | "lithiation", start_s: number, x0: number, until_x: number) =>
    ({ direction, start_s, x0, until_x, x_per_h: [[0, rate]], cycle: 0 }) as const;
  const ways = [way("delithiation", 30, 0.955, 0.45), way("lithiation", 30 + lasts_s, 0.45, 0.955)];
  return disc(ways, 60, (60 + 2 * lasts_s) / 60);
}

/** A particle's mean light in each stored frame, black and lamp taken off, and its lithium: least, mean and most. */
function meansOf(made: PhaseFieldTwin): { light: number; least: number; mean: number; most: number }[] {
  const { raster, outline_um, x } = made.lithium.particles[0]!;
  const { acquisition, pixelSize_um } = made;
  const counts = new Uint16Array(made.width * made.height);
  const map = new Float64Array(raster.mask.length);
  return Array.from({ length: made.frames }, (_, frame) => {
    made.read(frame, counts);
    let sum = 0;
    let pixels = 0;
    counts.forEach((count, at) => {
      const column = (at % made.width) - acquisition.x_px[frame]!;
      const row = Math.floor(at / made.width) - acquisition.y_px[frame]!;
      if (!containsPoint(outline_um, column * pixelSize_um, row * pixelSize_um)) return;
      sum += (count - made.blackLevel) / acquisition.gain[frame]!;
      pixels++;
    });
    mapAt(x, acquisition.time_s[frame]!, map);
    const inside = map.filter((_value, at) => raster.mask[at] === 1);
    return {
      light: sum / pixels,
      least: Math.min(...inside),
      mean: inside.reduce((a, b) => a + b, 0) / inside.length,
      most: Math.max(...inside),
    };
  });
}

let slow: PhaseFieldTwin;
let fast: PhaseFieldTwin;
beforeAll(async () => {
  slow = await phaseFieldTwin(cycle(0.57));
  fast = await phaseFieldTwin(cycle(3.4));
});

test("at the end of charge stored frames hold 1.6 times the light of its start, straight in lithium at any rate, and back", () => {
  for (const made of [slow, fast]) {
    const rows = meansOf(made);
    const start = (rows[0]!.light + rows[1]!.light) / 2;
    const end = rows.reduce((least, row, at) => (row.mean < rows[least]!.mean ? at : least), 0);
    expect(Math.abs(rows[end]!.light / start / (1.6 - 1.5 * (rows[end]!.mean - 0.45)) - 1)).toBeLessThan(0.02);
    const solid = rows.map((row, at) => ({ ...row, at })).filter(({ most }) => most < 0.75);
    expect(solid.length).toBeGreaterThan(20);
    for (const { light, mean } of solid) {
      expect(Math.abs(light / start / (1.6 - 1.5 * (mean - 0.45)) - 1), `at ${mean}`).toBeLessThan(0.02);
    }
    const [out, back] = [solid.filter(({ at }) => at < end), solid.filter(({ at }) => at > end)];
    for (const one of back) {
      const other = out.reduce((a, b) => (Math.abs(a.mean - one.mean) < Math.abs(b.mean - one.mean) ? a : b));
      const apart = (one.light - other.light) / start + 1.5 * (one.mean - other.mean);
      expect(Math.abs(apart)).toBeLessThan(0.01);
    }
  }
});

/** Mean light over the particle through the first way, the boundary's own light given, in units of that at its start. */
function meanLight(made: PhaseFieldTwin, boundary: PhaseFieldOpticsSpec["boundary"]): number[] {
  const { phaseField, optics, movie } = made.scenario;
  const { width, height, pixelSize_um } = movie;
  const field = { width, height, perPixel: 1, margin_px: 0, pixelSize_um };
  const { cell_um } = cellsOfCamera(field);
  const scene = { ...phaseField!, microscope: { ...phaseField!.microscope, boundary } };
  const { light } = sceneLight(scene, made.lithium, field, optics.psf_um, 0, 1);
  const { outline_um, ways } = made.lithium.particles[0]!;
  const into = new Float64Array(width * height);
  const times = made.acquisition.time_s.filter((time_s) => time_s < ways[0]!.end_s);
  const means = Array.from(times, (time_s) => {
    light(time_s, into);
    const inside = into.filter((_, at) =>
      containsPoint(outline_um, (at % width) * cell_um, Math.floor(at / width) * cell_um),
    );
    return inside.reduce((a, b) => a + b, 0) / inside.length;
  });
  return means.map((mean) => mean / means[0]!);
}

test("mean light has a peak within the transition where the boundary shines by itself, and none where it does not", () => {
  const fall = (means: readonly number[]): number => {
    let most = 0;
    return Math.max(...means.map((mean) => (most = Math.max(most, mean)) - mean));
  };
  expect(fall(meanLight(slow, 0))).toBeLessThan(1e-3);
  const bright = meanLight(slow, paperScenarios["fig4-half-bright"]!.phaseField!.microscope.boundary);
  expect(fall(bright)).toBeGreaterThan(0.01);
});

test("a height leak is no front: nowhere is a boundary, and a fringe slides over the whole face and back", async () => {
  const leak = paperScenarios["height-leak"]!;
  const made = await phaseFieldTwin({
    ...leak,
    cycling: null,
    movie: { ...leak.movie, width: 86, height: 72, pixelSize_um: 0.16, frames: 50, interval_s: 40 },
    optics: { ...leak.optics, psf_um: 0.15 },
    drift: { linear_um: [0, 0], walk_um: 0, wobble_um: 0, wobblePeriod_s: 100 },
    phaseField: { ...leak.phaseField!, h_um: 0.3, delta_um: 0.4 },
  });
  const truth = truthOf(made);
  expect(truth.mechanisms).toEqual([{ particle: 0, transition: null, kind: "none", nuclei_um: [] }]);
  expect([truth.transitions, truth.kinetics, truth.domains, truth.maps]).toEqual([[], [], [], []]);
  // A gradient of diffusion, as straight over the face as it gets.
  expect(Math.max(...meansOf(made).map(({ least, most }) => most - least))).toBeLessThan(0.06);
  const light = new Float64Array(86 * 72);
  /** Place of the crest along the middle row, um. */
  const crest_um = (time_s: number): number => {
    made.light(made.acquisition.time_s.indexOf(time_s), light);
    const row = Array.from(light.subarray(36 * 86 + 26, 36 * 86 + 70));
    const mean = [...row.keys()].map((at) => row.slice(Math.max(0, at - 3), at + 4).reduce((a, b) => a + b, 0));
    return 0.16 * (26 + mean.indexOf(Math.max(...mean.slice(3, -3))));
  };
  const [start, middle, turn, back] = [120, 480, 920, 1720].map(crest_um) as [number, number, number, number];
  expect(middle - start).toBeGreaterThan(1);
  expect(turn - middle).toBeGreaterThan(1);
  expect(turn - start).toBeGreaterThan(4.5);
  expect(Math.abs(back - start)).toBeLessThan(1);
});

test("a frame is the mean over its exposure, not the moment in its middle", async () => {
  const ways = [
    { direction: "lithiation", start_s: 10, x0: 0.72, until_x: 0.96, x_per_h: [[0, 20]], cycle: 0 },
  ] as const;
  const still = { linear_um: [0, 0], walk_um: 0, wobble_um: 0, wobblePeriod_s: 100 } as const;
  const make = async (frames: number, interval_s: number, exposure_s: number): Promise<PhaseFieldTwin> =>
    phaseFieldTwin({
      ...disc(ways, frames, interval_s, { exposure_s }),
      drift: still,
      lamp: { flicker: 0, fading: 0 },
    });
  const instants = await make(60, 1, 0.01);
  const long = await make(12, 5, 5);
  const [a, b] = [new Float64Array(44 * 44), new Float64Array(44 * 44)];
  let fromMean = 0;
  let fromInstant = 0;
  for (let frame = 3; frame < 11; frame++) {
    const mean = new Float64Array(44 * 44);
    for (let away = -2; away <= 2; away++) {
      instants.light(5 * frame + away, a);
      mean.forEach((sum, at) => (mean[at] = sum + a[at]! / 5));
    }
    instants.light(5 * frame, a);
    long.light(frame, b);
    mean.forEach((value, at) => {
      fromMean += (b[at]! - value) ** 2;
      fromInstant += (a[at]! - value) ** 2;
    });
  }
  expect(fromMean).toBeLessThan(0.3 * fromInstant);
});
