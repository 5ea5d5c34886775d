import * as fc from "fast-check";
import { expect, test } from "vitest";
import { refusesJunk } from "../../test/junk.js";
import { ParameterError } from "../model/errors.js";
import type { Samples } from "../model/movie.js";
import { scenarios } from "./scenarios.js";
import type { Scenario } from "./scenario.js";
import { twin, twinFrames, type Twin } from "./twin.js";

const plane = scenarios["plane"]!;
const small: Scenario = {
  ...plane,
  movie: { ...plane.movie, width: 48, height: 40, frames: 40, pixelSize_um: 0.1 },
  particles: [
    {
      ...plane.particles[0]!,
      outline: { kind: "ellipse", centre_um: [2.3, 2], radii_um: [1.3, 1], angle_deg: 0 },
      changes: [
        {
          kind: "front",
          transition: "biphasic",
          direction: "delithiation",
          front: { kind: "inward", start_s: 50, velocity_um_s: 0.02, stages: [] },
          to: 1.2,
          line: { height: 0.1, width_um: 0.118 },
        },
        { kind: "ramp", start_s: 130, end_s: 190, to: 1.6 },
      ],
    },
  ],
};

function frame(made: Twin, index: number): Samples {
  const into = new Uint16Array(made.width * made.height);
  made.read(index, into);
  return into;
}

test("a frame is the same whenever and in whatever order it is read, and in every twin of its seed", async () => {
  const made = twin(small);
  const forward: Samples[] = [];
  for await (const { data } of twinFrames(made)) forward.push(data);
  expect(forward).toHaveLength(40);
  fc.assert(
    fc.property(fc.array(fc.nat(39), { minLength: 1, maxLength: 20 }), (order) => {
      const other = twin(small);
      for (const index of order) expect(frame(other, index)).toEqual(forward[index]);
    }),
    { numRuns: 10 },
  );
});

test("another seed is another speckle, drift and noise of the same crystal", () => {
  const one = twin(small);
  const other = twin(small, 77);
  expect(other.seed).toBe(77);
  expect(frame(other, 0)).not.toEqual(frame(one, 0));
  expect(other.acquisition.x_px[39]).not.toBe(one.acquisition.x_px[39]);
  expect(other.crystals[0]!.outline_um).toEqual(one.crystals[0]!.outline_um);
});

test("frames differ by their noise alone where nothing moves or changes", () => {
  const still: Scenario = {
    ...small,
    drift: { linear_um: [0, 0], walk_um: 0, wobble_um: 0, wobblePeriod_s: 100 },
    lamp: { flicker: 0, fading: 0 },
  };
  const made = twin(still);
  const [first, second] = [frame(made, 0), frame(made, 1)];
  const centre = 20 * 48 + 23;
  let square = 0;
  let n = 0;
  for (let at = 0; at < first.length; at++) {
    if (Math.hypot((at % 48) - 23, Math.floor(at / 48) - 20) > 6) continue;
    square += (first[at]! - second[at]!) ** 2 / 2;
    n++;
  }
  expect(first).not.toEqual(second);
  // One per cent at the crystal's light, from 113 differences: known to 7 %.
  expect(Math.abs(Math.sqrt(square / n) / (first[centre]! - 100) / 0.01 - 1)).toBeLessThan(0.25);
});

test("a crystal brightens by its step, then evenly to its last level", () => {
  const made = twin({ ...small, particles: [{ ...small.particles[0]!, texture: 0 }] });
  const light = new Float64Array(made.width * made.height);
  const middle = (index: number): number => {
    made.light(index, light);
    const x = Math.round(23 + made.acquisition.x_px[index]!);
    const y = Math.round(20 + made.acquisition.y_px[index]!);
    return light[y * made.width + x]! / 3;
  };
  expect(middle(0)).toBeCloseTo(1, 3);
  expect(middle(25)).toBeCloseTo(1.2, 3);
  expect(middle(32)).toBeCloseTo(1.4, 3);
  expect(middle(39)).toBeCloseTo(1.6, 3);
});

test("a frame is the mean over its exposure", () => {
  const still = { linear_um: [0, 0], walk_um: 0, wobble_um: 0, wobblePeriod_s: 100 } as const;
  const long = twin({ ...small, drift: still, movie: { ...small.movie, exposure_s: 5 } });
  const short = twin({
    ...small,
    drift: still,
    movie: { ...small.movie, exposure_s: 0, interval_s: 0.25, frames: 400 },
  });
  const mean = new Float64Array(long.width * long.height);
  const light = new Float64Array(mean.length);
  // Twenty moments from 60 - 2.375 to 60 + 2.375 s.
  for (let step = 0; step < 20; step++) {
    const before = new Float64Array(mean.length);
    short.light(240 - 10 + step, light);
    short.light(240 - 9 + step, before);
    for (let at = 0; at < mean.length; at++) mean[at] = mean[at]! + (light[at]! + before[at]!) / 40;
  }
  long.light(12, light);
  const worst = light.reduce((most, value, at) => Math.max(most, Math.abs(value - mean[at]!)), 0);
  expect(worst).toBeLessThan(1e-3);
});

test("every named scenario of prescribed fronts gives frames of its size, none of them black or blown out", () => {
  for (const [name, scenario] of Object.entries(scenarios)) {
    if (scenario.phaseField !== undefined) continue;
    const made = twin(scenario);
    for (const index of [0, Math.floor(made.frames / 2), made.frames - 1]) {
      const counts = frame(made, index);
      expect(counts, name).toHaveLength(scenario.movie.width * scenario.movie.height);
      let most = 0;
      for (const value of counts) most = Math.max(most, value);
      expect(most, name).toBeGreaterThan(9000);
      expect(most, name).toBeLessThan(65_535);
    }
  }
});

test("the clocks of movie and cycler agree to the millisecond", () => {
  const made = twin({
    ...small,
    movie: { ...small.movie, start: "2020-10-26T14:49:58.250+02:00" },
    cycling: { ...scenarios["paper-cycle"]!.cycling!, before_s: 61.5 },
  });
  expect(made.start).toBe("2020-10-26T12:49:58.250Z");
  expect(made.cyclingStart).toBe("2020-10-26T12:48:56.750Z");
  expect(twin({ ...small, cycling: null }).cyclingStart).toBeNull();
});

test("crystals that overlap, a start without zone and numbers out of range are refused", () => {
  const two = { ...small, particles: [small.particles[0]!, small.particles[0]!] };
  expect(() => twin(two)).toThrow(/particles\.0 and particles\.1 overlap/);
  const wrong: Scenario[] = [
    { ...small, movie: { ...small.movie, start: "2020-10-26T12:49:58" } },
    { ...small, movie: { ...small.movie, frames: 2.5 } },
    { ...small, movie: { ...small.movie, exposure_s: 6 } },
    { ...small, movie: { ...small.movie, dropped: [0] } },
    { ...small, optics: { ...small.optics, psf_um: 0.02 } },
    { ...small, camera: { ...small.camera, bitDepth: 24 } },
    { ...small, camera: { ...small.camera, noise: NaN } },
    { ...small, drift: { ...small.drift, wobblePeriod_s: 0 } },
    { ...small, camera: { ...small.camera, bitDepth: 12 } },
    {
      ...small,
      particles: [
        { ...small.particles[0]!, outline: { kind: "ellipse", centre_um: [9, 2], radii_um: [1, 1], angle_deg: 0 } },
      ],
    },
  ];
  for (const scenario of wrong) expect(() => twin(scenario)).toThrow(ParameterError);
});

test("senseless values in any field of a scenario are refused", async () => {
  const few: Scenario = {
    ...small,
    movie: { ...small.movie, frames: 2 },
    cycling: { ...scenarios["paper-cycle"]!.cycling!, interval_s: 100 },
  };
  await refusesJunk([few, 3] as const, ([scenario, seed]) => {
    const made = twin(scenario, seed);
    made.read(0, new Uint16Array(made.width * made.height));
  });
});
