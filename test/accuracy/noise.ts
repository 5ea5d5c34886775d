/** The camera's noise in movies drawn at random: gain, reading and fixed pattern, and the noise that contrast images are said to have. */
import { contrastNoise } from "../../src/analysis/contrast-noise.js";
import { cropParticles, readStack } from "../../src/analysis/crops.js";
import { differentialContrast } from "../../src/analysis/contrast.js";
import { estimateDrift } from "../../src/analysis/drift.js";
import { noiseModel } from "../../src/analysis/noise-model.js";
import { findParticles } from "../../src/analysis/particles.js";
import { referenceImage } from "../../src/analysis/reference.js";
import { random } from "../../src/kernels/random.js";
import { median, quantile } from "../../src/kernels/stats.js";
import { experimentOf } from "../../src/operations/twin.js";
import type { Scenario } from "../../src/physics/scenario.js";
import { twin } from "../../src/physics/twin.js";
import { allowedSigmas, shareAtLeast, sigmasRight } from "./allowance.js";
import type { AccuracyGroup, AccuracyRow } from "./group.js";
import { keptMovie } from "./kept-movie.js";

/** What came of one movie; errors as a part of the truth, null where a number was not told. */
export interface NoiseDraw {
  readonly gain: number | null;
  readonly gain_z: number | null;
  readonly read: number | null;
  readonly read_z: number | null;
  readonly pattern: number | null;
  readonly pattern_z: number | null;
  /** Variance of reading over that of photons at the ground's light. */
  readonly reading: number;
  /** Found over expected noise of a sequential image on the ground. */
  readonly contrast: number | null;
}

const PSF_UM = 0.118;
const PIXEL_UM = 0.08;
const SIDE_PX = 192;
const FRAMES = 40;
const INTERVAL_S = 5;
const LAG_S = 20;
const DRAWS = 150;
const MOST = 0.9;

export async function noiseDraw(seed: number): Promise<NoiseDraw> {
  const scenario = noiseScenario(seed);
  const { level, noise, readNoise, prnu } = scenario.camera;
  const made = twin(scenario, seed);
  const { movie } = experimentOf(made);
  const kept = keptMovie(movie);
  const { blackLevel } = made;
  const image = await referenceImage(kept, { frames: 8, blackLevel });
  const particles = findParticles(image, { minDiameter_um: 1.5, psf_um: PSF_UM, region_px: null });
  const drift = await estimateDrift(kept, particles, { blackLevel, region_px: null, psf_um: PSF_UM });
  const around_px = particles[0]?.centre_px ?? null;
  const model = await noiseModel(kept, drift, { blackLevel, psf_um: PSF_UM, around_px });
  const gain = level * (noise ** 2 - (readNoise / level) ** 2);
  const score = (found: { value: number; sd: number | null } | null, truth: number): [number | null, number | null] =>
    found === null ? [null, null] : [found.value / truth - 1, (found.value - truth) / found.sd!];
  const [gainError, gain_z] = score(model.gain_counts_per_electron, gain);
  // A quantised count has a twelfth of noise of its own.
  const [read, read_z] = score(model.read_counts, Math.hypot(readNoise, Math.sqrt(1 / 12)));
  const [pattern, pattern_z] = score(model.fixedPattern, prnu);
  const [crop] = await cropParticles(kept, particles.slice(0, 1), drift, { blackLevel, ring_px: 16 });
  let contrast: number | null = null;
  if (crop !== undefined) {
    const stack = readStack(crop);
    const [after, before] = [FRAMES - 2, FRAMES - 2 - LAG_S / INTERVAL_S];
    const size = crop.width * crop.height;
    const place = (frame: number): [number, number] => [drift.x_px[frame]!, drift.y_px[frame]!];
    const ground = contrastNoise(model, {
      before: stack.data.subarray(before * size, (before + 1) * size),
      contrast: differentialContrast(stack, { lag_s: LAG_S }).data.subarray(after * size, (after + 1) * size),
      mask: crop.mask,
      width: crop.width,
      height: crop.height,
      psf_px: PSF_UM / PIXEL_UM,
      a_px: [place(after)],
      b_px: [place(before)],
    })?.ground;
    contrast = ground === null || ground === undefined ? null : ground.found / ground.expected;
  }
  const light = model.carrier?.signal_counts ?? NaN;
  return {
    gain: gainError,
    gain_z,
    read,
    read_z,
    pattern,
    pattern_z,
    reading: readNoise ** 2 / (gain * light),
    contrast,
  };
}

/** One crystal that brightens on speckled carbon; a camera of any gain, reading and pattern. */
function noiseScenario(seed: number): Scenario {
  const from = random(seed);
  const between = (low: number, high: number): number => low + (high - low) * from.uniform();
  const inLog = (low: number, high: number): number => low * (high / low) ** from.uniform();
  const level = inLog(3000, 30_000);
  const noise = inLog(0.004, 0.02);
  const turn = 2 * Math.PI * from.uniform();
  const drift_um = between(0.1, 0.25);
  const field_um = SIDE_PX * PIXEL_UM;
  return {
    summary: "A crystal that brightens on carbon that drifts.",
    seed,
    movie: {
      width: SIDE_PX,
      height: SIDE_PX,
      pixelSize_um: PIXEL_UM,
      frames: FRAMES,
      interval_s: INTERVAL_S,
      exposure_s: 1,
      start: "2020-10-26T12:49:58.000Z",
      dropped: [],
      droppedFraction: 0,
      late_s: 0,
    },
    optics: { psf_um: PSF_UM, speckleContrast: between(0.1, 0.5) },
    camera: {
      noise,
      noiseAt: "particle",
      level,
      blackLevel: 100,
      readNoise: between(0.5, 0.6 * noise * level),
      bitDepth: 16,
      prnu: between(0.003, 0.015),
      vignette: between(0, 0.3),
    },
    drift: {
      linear_um: [drift_um * Math.cos(turn), drift_um * Math.sin(turn)],
      walk_um: between(0, 0.02),
      wobble_um: 0,
      wobblePeriod_s: 100,
    },
    lamp: { flicker: between(0, 0.01), fading: between(-0.03, 0.03) },
    particles: [
      {
        outline: {
          kind: "crystal",
          centre_um: [field_um / 2, field_um / 2],
          radius_um: between(2, 4),
          corners: 5 + from.integer(4),
          seed,
        },
        brightness: between(1.6, 3.5),
        texture: between(0, 0.05),
        textureScale_um: 0.5,
        changes: [{ kind: "ramp", start_s: 0, end_s: FRAMES * INTERVAL_S, to: between(1, 1.1) }],
      },
    ],
    cycling: null,
  };
}

export const noise: AccuracyGroup<NoiseDraw> = {
  title: "Noise of the camera",
  about: `${FRAMES} frames of ${SIDE_PX} x ${SIDE_PX} pixels of 80 nm that drift by 0.1 to 0.25 um, with a random walk beside it; a crystal of 2 to 4 um radius, 1.6 to 3.5 times as bright as the carbon, that brightens by up to a tenth. 3,000 to 30,000 counts on the crystal, noise of 0.4 to 2 % there, of which reading is up to 0.6; a fixed pattern of 0.3 to 1.5 %; flicker, fading and vignette. Where reading has less than a third of the photons' variance on the ground it is not counted: it does not show.`,
  draws: DRAWS,
  sample: 4,
  cost_s: 1.5,
  draw: noiseDraw,
  rows(draws) {
    const sigmas = allowedSigmas(draws.length, DRAWS);
    const within = (what: string, values: readonly number[], limit: number, note = ""): AccuracyRow => ({
      what,
      wanted: `<= ${limit} in ${100 * MOST} % of movies`,
      ours:
        values.length === 0
          ? "none"
          : `median ${median(values).toFixed(3)}, 68 % within ${quantile(values.map(Math.abs), 0.68).toFixed(3)}, 90 % within ${quantile(values.map(Math.abs), 0.9).toFixed(3)} (${values.length} movies)`,
      held:
        values.length === 0
          ? null
          : shareAtLeast(values.filter((one) => Math.abs(one) <= limit).length, values.length, MOST, sigmas),
      note,
    });
    const right = (what: string, z: readonly number[]): AccuracyRow => {
      const inside = z.filter((one) => Math.abs(one) <= 1).length / z.length;
      return {
        what: `standard error of ${what}: within one`,
        wanted: "68 % within 5 points",
        ours: z.length === 0 ? "none" : `${(100 * inside).toFixed(0)} % of ${z.length}`,
        held: z.length === 0 ? null : sigmasRight(inside, z.length, 0.05, sigmas),
        note: "",
      };
    };
    const of = (key: Exclude<keyof NoiseDraw, "reading">, some = draws): number[] =>
      some.flatMap((draw) => draw[key] ?? []);
    const shows = draws.filter(({ reading }) => reading >= 1 / 3);
    return [
      within("gain, error as a part", of("gain"), 0.05),
      within("reading where it shows", of("read", shows), 0.15),
      within("pattern fixed to the camera", of("pattern"), 0.15),
      within(
        "noise of a sequential image on the ground, found over expected less one",
        of("contrast").map((one) => one - 1),
        0.15,
      ),
      right("the gain", of("gain_z")),
      right("reading", of("read_z", shows)),
      right("the pattern", of("pattern_z")),
    ];
  },
};
