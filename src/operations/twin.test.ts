import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ParameterError } from "../model/errors.js";
import { scenarios } from "../physics/scenarios.js";
import { checkScenario, makeTwin, twinExperiment } from "./twin.js";

const outline = { kind: "ellipse", centre_um: [2, 2], radii_um: [1.2, 0.9] };
const small = { movie: { width: 48, height: 48, frames: 3 }, particles: [{ outline }] };

test("every named scenario is JSON and comes back from it as it was", () => {
  for (const [name, scenario] of Object.entries(scenarios)) {
    expect(checkScenario(JSON.parse(JSON.stringify(scenario))), name).toEqual(scenario);
  }
});

test("what is left out is still and plain: no drift, no flicker, no cycler, a crystal that does nothing", () => {
  const complete = checkScenario(small);
  expect(complete.drift.linear_um).toEqual([0, 0]);
  expect(complete.lamp.flicker).toBe(0);
  expect(complete.cycling).toBeNull();
  expect(complete.particles[0]!.changes).toEqual([]);
  expect(checkScenario(complete)).toEqual(complete);
});

test("a wrong scenario is refused in one line with the key, the value and the cure", () => {
  const front = { kind: "inward", start_s: 0, velocity_um_s: 0.02 };
  const change = { kind: "front", front, to: 1.1 };
  const withChange = (wrong: object): object => ({
    ...small,
    particles: [{ outline, changes: [{ ...change, ...wrong }] }],
  });
  const cases: [unknown, RegExp][] = [
    [{ ...small, speckle: 1 }, /^speckle is not a parameter/],
    [{ ...small, movie: { widht: 48 } }, /^movie\.widht is not a parameter/],
    [{ ...small, movie: { width: "48" } }, /^movie\.width is "48"\. .*number/],
    [{ ...small, movie: { frames: 0 } }, /^movie\.frames is 0\. Give a whole number/],
    [{ ...small, camera: { noiseAt: "glass" } }, /^camera\.noiseAt is "glass"\./],
    [{ movie: {} }, /^particles is missing/],
    [
      {
        particles: [],
        phaseField: {
          particles: [
            {
              outline: {
                kind: "polygon",
                points_um: [
                  [1, 1],
                  [4, 1],
                  [2, 4],
                ],
              },
            },
          ],
        },
      },
      /^phaseField\.particles\.0\.drive is missing\. Expected object/,
    ],
    [{ ...small, particles: [{ outline: { kind: "circle" } }] }, /^particles\.0\.outline\.kind is "circle"/],
    [withChange({ front: { ...front, velocity_um_s: -1 } }), /^particles\.0\.changes\.0\.front\.velocity_um_s is -1\./],
    [withChange({ to: -2 }), /^particles\.0\.changes\.0\.to is -2\./],
    [
      {
        ...small,
        particles: [
          {
            outline: {
              kind: "polygon",
              points_um: [
                [0, 0],
                [3, 3],
                [3, 0],
                [0, 3],
              ],
            },
          },
        ],
      },
      /^particles\.0\.outline crosses itself near 1\.50,1\.50 um/,
    ],
    [null, /null/],
  ];
  for (const [scenario, message] of cases) {
    let thrown: unknown = null;
    try {
      makeTwin(scenario);
    } catch (error) {
      thrown = error;
    }
    expect(thrown, String(message)).toBeInstanceOf(ParameterError);
    expect((thrown as ParameterError).message).toMatch(message);
    expect((thrown as ParameterError).message).not.toContain("\n");
  }
});

test("no value in place of another ends in anything but a clear refusal or a twin", () => {
  const keys = ["seed", "movie", "optics", "camera", "drift", "lamp", "particles", "cycling", "summary"];
  fc.assert(
    fc.property(fc.constantFrom(...keys), fc.jsonValue({ maxDepth: 3 }), (key, value) => {
      try {
        checkScenario({ ...small, [key]: value });
      } catch (error) {
        expect(error).toBeInstanceOf(ParameterError);
      }
    }),
    { numRuns: 200 },
  );
});

test("an analysis is given what files would tell, and the truth lies beside it", async () => {
  const { experiment, truth } = twinExperiment(scenarios["dropped-frames"], 12);
  const { movie } = experiment;
  expect(movie.frames).toBeLessThan(scenarios["dropped-frames"]!.movie.frames);
  expect(movie.time_s).toHaveLength(movie.frames);
  expect(experiment.frameNumber[movie.frames - 1]).toBe(movie.frames - 1);
  expect(experiment.blackLevel).toEqual({ value: 100, source: "twin" });
  expect([movie.frameStamp, movie.start]).toEqual(["middle", "2020-10-26T12:49:58.000Z"]);
  expect(experiment.cyclingStart).toBe("2020-10-26T12:48:58.000Z");
  expect(truth.drift.x_px).toHaveLength(movie.frames);
  const counts = new Uint16Array(movie.width * movie.height);
  await movie.read(2, counts);
  const again = new Uint16Array(counts.length);
  makeTwin(scenarios["dropped-frames"], 12).read(2, again);
  expect(again).toEqual(counts);
  await expect(movie.read(0, counts, AbortSignal.abort())).rejects.toThrow();
});

test("a seed that is no whole number is refused", () => {
  expect(() => makeTwin(small, -1)).toThrow(ParameterError);
  expect(() => makeTwin(small, 1.5)).toThrow(/seed is 1\.5/);
});
