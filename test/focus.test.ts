import { expect, test } from "vitest";
import { estimateDrift } from "../src/analysis/drift.js";
import { defocused, focusChange } from "../src/analysis/focus-course.js";
import { findParticles } from "../src/analysis/particles.js";
import { referenceImage } from "../src/analysis/reference.js";
import { random, type Random } from "../src/kernels/random.js";
import type { Drift } from "../src/model/experiment.js";
import type { Movie } from "../src/model/movie.js";
import { scenarios } from "../src/physics/scenarios.js";
import type { Scenario } from "../src/physics/scenario.js";
import { disturbed, type Disturbance } from "./accuracy/disturbed.js";

const PSF_UM = 0.118;
const FRAMES = 60;

/** A field with an inert crystal, of any carbon, drift and lamp. */
function field(draw: Random, seed: number): Scenario {
  const base = scenarios["inert"]!;
  const between = (low: number, high: number): number => low + (high - low) * draw.uniform();
  return {
    ...base,
    seed,
    cycling: null,
    movie: { ...base.movie, width: 160, height: 160, frames: FRAMES, dropped: [], droppedFraction: 0, late_s: 0 },
    optics: { ...base.optics, speckleContrast: between(0.15, 0.45) },
    drift: { linear_um: [between(-0.2, 0.2), between(-0.2, 0.2)], walk_um: 0.01, wobble_um: 0.03, wobblePeriod_s: 90 },
    particles: base.particles.slice(0, 1),
  };
}

async function driftUnder(seed: number, draw: Random, what: Disturbance, start_s: number): Promise<[Drift, Movie]> {
  const { movie, blackLevel } = disturbed(field(draw, seed), what, { start_s, lasts_s: 60 }, 0.007);
  const black = blackLevel?.value ?? null;
  const image = await referenceImage(movie, { frames: 8, blackLevel: black });
  const particles = findParticles(image, { minDiameter_um: 1.5, psf_um: PSF_UM, region_px: null });
  return [await estimateDrift(movie, particles, { blackLevel: black, region_px: null, psf_um: PSF_UM }), movie];
}

test("a refocus or a slow loss of focus is marked where it is, whatever carbon, drift and lamp", async () => {
  for (let seed = 1; seed <= 8; seed++) {
    const draw = random(4000 + seed);
    const start_s = 100 + 80 * draw.uniform();
    const kind = seed % 2 === 0 ? "refocus" : "focus-ramp";
    const [drift, movie] = await driftUnder(seed, draw, { kind, blur_px: 0.7 + 0.8 * draw.uniform() }, start_s);
    const marks = defocused(drift.focus, drift.focus_sd);
    const marked = [...drift.focus.keys()].filter((frame) =>
      marks.some(({ first, last }) => frame >= first && frame <= last),
    );
    const full_s = start_s + (kind === "refocus" ? 10 : 60);
    const blurred = [...movie.time_s.keys()].filter((frame) => movie.time_s[frame]! > full_s);
    expect(blurred.every((frame) => marked.includes(frame))).toBe(true);
    expect(marked.every((frame) => movie.time_s[frame]! > start_s - 15)).toBe(true);
    expect(drift.warnings.join(" ")).toContain("focus is not that of the first frames");
    const inside = focusChange(drift, movie.time_s, { start_s: start_s - 30, end_s: start_s + 90 });
    expect(inside!.value).toBeGreaterThan(0.05);
  }
});

test("no frame is marked in movies that stay in focus, and the error of one frame is right", async () => {
  const scatters: number[] = [];
  for (let seed = 1; seed <= 12; seed++) {
    const draw = random(5000 + seed);
    const factor = 1 + 0.1 * (draw.uniform() - 0.5);
    const [drift] = await driftUnder(seed, draw, { kind: "lamp-step", factor, slope: 0.05 * draw.uniform() }, 120);
    expect(defocused(drift.focus, drift.focus_sd)).toEqual([]);
    const later = drift.focus.subarray(8);
    const mean = later.reduce((sum, one) => sum + one / later.length, 0);
    const sd = Math.sqrt(later.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (later.length - 1));
    scatters.push(sd / drift.focus_sd);
    expect(Math.abs(mean - 1)).toBeLessThan(0.02);
  }
  const mean = scatters.reduce((sum, one) => sum + one / scatters.length, 0);
  expect(mean).toBeGreaterThan(0.7);
  expect(mean).toBeLessThan(1.5);
});
