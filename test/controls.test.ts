import { expect, test } from "vitest";
import { cropParticles, readStack } from "../src/analysis/crops.js";
import { estimateDrift } from "../src/analysis/drift.js";
import { samplesOf } from "../src/analysis/frames.js";
import { findParticles } from "../src/analysis/particles.js";
import { referenceImage } from "../src/analysis/reference.js";
import { containsPoint } from "../src/kernels/polygon.js";
import type { Control } from "../src/model/control.js";
import { analyseExperiment } from "../src/operations/analyse.js";
import { verdictOf } from "../src/operations/controls.js";
import { completeRecipe } from "../src/operations/recipe.js";
import { inertPatch, shuffledCrop, stillMovie } from "../src/operations/spoiled.js";
import type { Samples } from "../src/model/movie.js";
import { experimentOf, runTwin } from "../src/operations/twin.js";
import type { Scenario } from "../src/physics/scenario.js";
import { scenarios } from "../src/physics/scenarios.js";
import { twin } from "../src/physics/twin.js";

/** A crystal of 2.6 um with room beside it, passed by a wave. */
const small = {
  seed: 7,
  movie: { width: 112, height: 72, pixelSize_um: 0.1, frames: 90, interval_s: 5 },
  camera: { noise: 0.005, level: 12000, blackLevel: 100 },
  drift: { linear_um: [0.3, -0.2] },
  lamp: { flicker: 0.005, fading: 0 },
  particles: [
    {
      outline: {
        kind: "polygon",
        points_um: [
          [1.4, 3.4],
          [2.6, 1.7],
          [4.2, 2.2],
          [4.4, 4.6],
          [2.2, 5.2],
        ],
      },
      changes: [
        {
          kind: "front",
          to: 1.12,
          front: { kind: "plane", start_s: 120, velocity_um_s: 0.02, angle_deg: 20 },
        },
      ],
    },
  ],
};

/** The beginning of a scenario. */
function brief(name: string): Scenario {
  const scenario = scenarios[name]!;
  return { ...scenario, movie: { ...scenario.movie, frames: 40 } };
}

test("a front stands where drift, shuffled frames and ground show none and outline and lag do not move it", async () => {
  const made = await runTwin(small);
  const recipe = completeRecipe({ twin: { scenario: "plane" }, controls: true });
  const words: string[] = [];
  const { findings } = await analyseExperiment(recipe, experimentOf(made), { onControl: (now) => words.push(now) });
  const [finding] = findings.controls!;
  expect(findings.controls).toHaveLength(1);
  expect(finding).toMatchObject({ particle: 0, transition: findings.kinetics![0]!.transition, verdict: "stands" });
  const { controls } = finding!;
  expect(controls.map(({ kind }) => kind)).toEqual([
    "drift-only",
    "shuffled",
    "inert-patch",
    "outline-in",
    "outline-out",
    "half-lag",
    "double-lag",
  ]);
  for (const { fronts } of controls.slice(0, 3)) expect(fronts).toBe(0);
  for (const { velocity_um_s } of controls.slice(3)) expect(velocity_um_s!.value).toBeCloseTo(0.02, 3);
  expect(words).toContain("particle 0: shuffled frames");
});

test("controls are run where they are asked for, and their absence says so", async () => {
  const made = await runTwin({ ...small, particles: [{ ...small.particles[0]!, changes: [] }] });
  const asked = completeRecipe({ twin: { scenario: "plane" }, controls: true });
  const { findings } = await analyseExperiment(asked, experimentOf(made));
  // Nothing was found: nothing is to be controlled.
  expect(findings.controls).toEqual([]);
  const plain = await analyseExperiment(completeRecipe({ twin: { scenario: "plane" } }), experimentOf(made));
  expect(plain.findings.controls).toBeUndefined();
});

test("the still movie drifts as the real one did, and its crystal does not change", async () => {
  const made = twin(brief("plane"), 31);
  const { movie } = experimentOf(made);
  const { blackLevel } = made;
  const image = await referenceImage(movie, { frames: 8, blackLevel });
  const particles = findParticles(image, { minDiameter_um: 1.5, psf_um: 0.118, region_px: null });
  const options = { blackLevel, region_px: null, psf_um: 0.118 };
  const drift = await estimateDrift(movie, particles, options);
  const still = stillMovie(movie, image, drift, { blackLevel, seed: 5 });
  const again = await estimateDrift(still, particles, options);
  for (const [at, x] of drift.x_px.entries()) expect(Math.abs(again.x_px[at]! - x)).toBeLessThan(0.05);
  expect(Math.abs(again.noise / drift.noise - 1)).toBeLessThan(0.1);
  const [crop] = await cropParticles(still, particles, again, { blackLevel, ring_px: 8 });
  const stack = readStack(crop!);
  const inside = [...crop!.mask.keys()].filter((at) => crop!.mask[at] === 1);
  const meanAt = (frame: number): number =>
    inside.reduce((sum, at) => sum + stack.data[frame * crop!.mask.length + at]!, 0) / inside.length;
  expect(meanAt(movie.frames - 1) / meanAt(0)).toBeCloseTo(1, 2);
  // A frame is the same whenever it is read.
  const [one, two] = [samplesOf(movie.dtype, image.data.length), samplesOf(movie.dtype, image.data.length)];
  await still.read(9, one);
  await still.read(3, two);
  await still.read(9, two);
  expect(two).toEqual(one);
});

test("ground for a patch is away from every crystal, or there is none", async () => {
  const made = twin(brief("many"), 11);
  const { movie } = experimentOf(made);
  const { blackLevel } = made;
  const image = await referenceImage(movie, { frames: 8, blackLevel });
  const particles = findParticles(image, { minDiameter_um: 1.5, psf_um: 0.118, region_px: null });
  const drift = await estimateDrift(movie, particles, { blackLevel, region_px: null, psf_um: 0.118 });
  for (const particle of particles) {
    const patch = inertPatch(particle, particles, drift, movie, 3);
    if (patch === null) continue;
    for (const [x, y] of patch.particle.outline_px) {
      for (const other of particles) expect(containsPoint(other.outline_px, x, y)).toBe(false);
    }
  }
  const full = { ...drift, carrier: new Uint8Array(drift.carrier.length) };
  expect(inertPatch(particles[0]!, particles, full, movie, 3)).toBeNull();
});

test("shuffled frames are the same frames, each with its own shift", () => {
  const raw = Uint16Array.from({ length: 40 }, (_, at) => at);
  const shift = Float64Array.from({ length: 10 }, (_, at) => at / 100);
  const crop = {
    particle: 0,
    origin_px: [0, 0] as const,
    width: 2,
    height: 2,
    margin_px: 0,
    pixelSize_um: 0.1,
    time_s: Float64Array.from({ length: 10 }, (_, at) => at),
    dtype: "uint16" as const,
    raw: { read: (frame: number, into: Samples) => into.set(raw.subarray(4 * frame, 4 * frame + 4)) },
    image_px: [8, 8] as const,
    wholeX_px: new Int32Array(10),
    wholeY_px: new Int32Array(10),
    shiftX_px: shift,
    shiftY_px: shift,
    gain: new Float64Array(10).fill(1),
    blackLevel: 0,
    mask: new Uint8Array(4).fill(1),
  };
  const { raw: mixed, shiftX_px } = shuffledCrop(crop, 4);
  const seen = new Uint16Array(4);
  const first = Array.from({ length: 10 }, (_, frame) => {
    mixed.read(frame, seen);
    return seen[0]! / 4;
  });
  expect([...first].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(first).not.toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect([...shiftX_px]).toEqual(first.map((frame) => frame / 100));
});

test("one control that does not hold makes a finding doubtful and says which; what was not possible is named", () => {
  const control = (kind: Control["kind"], holds: boolean | null): Control => ({
    kind,
    holds,
    fronts: holds === null ? null : 0,
    velocity_um_s: null,
    velocity_change: null,
    t50_s: null,
    mechanism: null,
    because: "a front, the first at 20.0 nm/s",
  });
  expect(verdictOf([control("shuffled", true), control("inert-patch", null)])).toEqual({
    verdict: "stands",
    because: "1 of 2 controls hold; not possible: still ground",
  });
  expect(verdictOf([control("shuffled", false), control("drift-only", true)])).toEqual({
    verdict: "doubtful",
    because: "shuffled frames: a front, the first at 20.0 nm/s",
  });
  expect(verdictOf([control("shuffled", null)]).verdict).toBe("untested");
});
