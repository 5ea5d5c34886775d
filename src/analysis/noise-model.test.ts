import { expect, test } from "vitest";
import { keptMovie } from "../../test/accuracy/kept-movie.js";
import { driftingCarrier, type DriftingCarrier } from "../../test/drifting-carrier.js";
import { random } from "../kernels/random.js";
import type { Movie } from "../model/movie.js";
import type { NoiseModel } from "../model/noise.js";
import { estimateDrift } from "./drift.js";
import { noiseModel, varianceAt } from "./noise-model.js";

const PSF_UM = 0.118;

async function measured(
  scene: DriftingCarrier,
  { black = "known", seen = (movie) => movie }: { black?: "known" | "unknown"; seen?: (movie: Movie) => Movie } = {},
): Promise<NoiseModel> {
  const { movie: made, particles, blackLevel } = driftingCarrier({ frames: 24, brightening: 1.05, ...scene });
  const movie = keptMovie(seen(made));
  const level = black === "known" ? blackLevel : null;
  const drift = await estimateDrift(movie, particles, { blackLevel: level, region_px: null, psf_um: PSF_UM });
  const around_px = particles[0]?.centre_px ?? null;
  return noiseModel(movie, drift, { blackLevel: level, psf_um: PSF_UM, around_px });
}

/** Two px in all, slowly. */
const creep = (frame: number): readonly [number, number] => [0.08 * frame, -0.04 * frame];

test("gain and pattern of a camera that counts photons alone, with their errors", async () => {
  const [counts, noise, prnu] = [6000, 0.01, 0.01];
  const model = await measured({ counts, noise, prnu, drift_px: creep, flicker: 0.005, seed: 5 });
  const gain = counts * noise * noise;
  const found = model.gain_counts_per_electron!;
  expect(Math.abs(found.value / gain - 1)).toBeLessThan(0.04);
  expect(Math.abs(found.value - gain)).toBeLessThan(4 * found.sd!);
  expect(model.read_counts!.value).toBeLessThan(4 * model.read_counts!.sd! + 1);
  expect(Math.abs(model.fixedPattern!.value / prnu - 1)).toBeLessThan(0.1);
  expect(model.proportional).toBe(0);
  const { signal_counts, noise: seen, photonLimit, shotLimit, ratio } = model.carrier!;
  expect(photonLimit! / Math.sqrt(gain / signal_counts)).toBeCloseTo(1, 1);
  expect(shotLimit!).toBeCloseTo(Math.sqrt(varianceAt(model, signal_counts)) / signal_counts, 6);
  expect(seen.value).toBeCloseTo(ratio!.value * shotLimit!, 6);
  // The pattern shows a little between neighbours, that is all.
  expect(ratio!.value).toBeGreaterThan(0.97);
  expect(ratio!.value).toBeLessThan(1.1);
  expect(model.because).toEqual([]);
});

test("with an unknown black level the gain stands and reading is not told", async () => {
  const model = await measured(
    { counts: 6000, noise: 0.01, blackLevel: 500, drift_px: creep, seed: 6 },
    { black: "unknown" },
  );
  expect(model.gain_counts_per_electron!.value / (6000 * 0.01 ** 2)).toBeCloseTo(1, 1);
  expect(model.read_counts).toBeNull();
  const { photonLimit, ratio } = model.carrier!;
  // Counts hold the pedestal here, which has no noise.
  expect(varianceAt(model, 8500) / (0.6 * 8000)).toBeCloseTo(1, 1);
  expect(photonLimit).toBeNull();
  expect(ratio!.value).toBeCloseTo(1, 1);
  expect(model.because.join()).toContain("black level is unknown");
});

test("a scene that stands still tells no pattern, and says so", async () => {
  const model = await measured({ prnu: 0.01, drift_px: () => [0, 0], seed: 7 });
  expect(model.fixedPattern).toBeNull();
  expect(model.because.join()).toContain("moved too little");
  expect(model.gain_counts_per_electron).not.toBeNull();
});

test("even light does not tell photons from reading, but how noisy it is", async () => {
  const model = await measured({ semi_um: null, contrast: 0.02, noise: 0.02, drift_px: () => [0, 0], seed: 8 });
  expect(model.gain_counts_per_electron).toBeNull();
  expect(model.because.join()).toContain("not told apart");
  expect(model.carrier!.noise.value / 0.02).toBeCloseTo(1, 1);
  expect(model.carrier!.shotLimit).toBeNull();
  expect(model.carrier!.ratio).toBeNull();
});

test("light that flickers pixel by pixel is noise that neither photons nor reading give", async () => {
  const [counts, noise, flicker] = [6000, 0.006, 0.012];
  const draw = random(12);
  const model = await measured(
    { counts, noise, blackLevel: 0, drift_px: creep, seed: 12 },
    {
      seen: (movie) => ({
        ...movie,
        async read(frame, into, signal) {
          await movie.read(frame, into, signal);
          for (let at = 0; at < into.length; at++) into[at] = Math.round(into[at]! * (1 + flicker * draw.normal()));
        },
      }),
    },
  );
  const { signal_counts, ratio } = model.carrier!;
  const expected = Math.sqrt(1 + (flicker ** 2 * signal_counts) / (counts * noise ** 2));
  expect(expected).toBeGreaterThan(1.5);
  expect(ratio!.value / expected).toBeGreaterThan(0.85);
  expect(ratio!.value / expected).toBeLessThan(1.15);
  expect(model.proportional / flicker).toBeCloseTo(1, 0);
});

test("three frames are too few", async () => {
  const { movie, particles, blackLevel } = driftingCarrier({ frames: 3, seed: 9 });
  const drift = await estimateDrift(movie, particles, { blackLevel, region_px: null, psf_um: PSF_UM });
  const model = await noiseModel(movie, drift, { blackLevel, psf_um: PSF_UM });
  expect(model.levels).toEqual([]);
  expect(model.carrier).toBeNull();
  expect(model.because).not.toEqual([]);
});
