import { expect, test } from "vitest";
import { keptMovie } from "../../test/accuracy/kept-movie.js";
import type { ContrastNoise } from "../analysis/contrast-noise.js";
import { cropParticles } from "../analysis/crops.js";
import { estimateDrift } from "../analysis/drift.js";
import { noiseModel } from "../analysis/noise-model.js";
import { findParticles } from "../analysis/particles.js";
import { referenceImage } from "../analysis/reference.js";
import { random } from "../kernels/random.js";
import { median } from "../kernels/stats.js";
import type { Transition } from "../model/experiment.js";
import type { Image } from "../model/movie.js";
import { twin } from "../physics/twin.js";
import { checkScenario, experimentOf } from "./twin.js";
import { contrastViews } from "./views.js";

const PSF_UM = 0.118;
const SIDE_PX = 160;
const PIXEL_UM = 0.08;
const FRAMES = 32;
const INTERVAL_S = 5;

/** A crystal that brightens as a whole between 60 and 100 s, on carbon that drifts by some pixels. */
function drawn(seed: number): unknown {
  const draw = random(seed);
  const between = (low: number, high: number): number => low + (high - low) * draw.uniform();
  const level = between(3000, 20_000);
  const noise = between(0.005, 0.02);
  const middle_um = (SIDE_PX * PIXEL_UM) / 2;
  return {
    seed,
    movie: {
      width: SIDE_PX,
      height: SIDE_PX,
      pixelSize_um: PIXEL_UM,
      frames: FRAMES,
      interval_s: INTERVAL_S,
      exposure_s: 1,
    },
    optics: { psf_um: PSF_UM, speckleContrast: between(0.1, 0.4) },
    camera: {
      noise,
      level,
      blackLevel: 100,
      readNoise: between(0, 0.5) * noise * level,
      prnu: between(0.003, 0.012),
      vignette: between(0, 0.2),
    },
    drift: { linear_um: [between(-0.2, 0.2), between(0.08, 0.2)], walk_um: 0.01, wobble_um: 0 },
    lamp: { flicker: 0.005, fading: between(-0.02, 0.02) },
    particles: [
      {
        outline: { kind: "crystal", centre_um: [middle_um, middle_um], radius_um: between(1.8, 2.6), corners: 6, seed },
        brightness: between(1.8, 3),
        texture: 0.02,
        textureScale_um: 0.5,
        changes: [{ kind: "ramp", start_s: 60, end_s: 100, to: between(1.05, 1.3) }],
      },
    ],
    cycling: null,
  };
}

const window: Transition = {
  id: 0,
  particle: 0,
  kind: "biphasic",
  direction: "brightening",
  directionSource: "intensity",
  halfCycle: null,
  since_half_start_s: null,
  rate_C: null,
  start_s: 60,
  end_s: 100,
  sd_s: 5,
  closed: true,
  order: "front",
  lag_to_dQdV: null,
};

/** Spread of an image's fine structure inside the mask: what its neighbours to the left and right do not foretell. */
function fineSpread({ data, width }: Image, mask: Uint8Array): number {
  const found: number[] = [];
  for (let at = 2 * width; at < data.length - 2 * width; at++) {
    if ([-2, 0, 2].every((step) => mask[at + step] === 1))
      found.push(data[at]! - 0.5 * (data[at - 2]! + data[at + 2]!));
  }
  const middle = median(found);
  return median(found.map((value) => Math.abs(value - middle))) / 0.6745 / Math.sqrt(1.5);
}

test("every contrast image has the noise that is said of it, on still ground and on the crystal", async () => {
  for (const seed of [21, 22, 23]) {
    const made = twin(checkScenario(drawn(seed)), seed);
    const movie = keptMovie(experimentOf(made).movie);
    const { blackLevel } = made;
    const image = await referenceImage(movie, { frames: 8, blackLevel });
    const particles = findParticles(image, { minDiameter_um: 1.5, psf_um: PSF_UM, region_px: null });
    const drift = await estimateDrift(movie, particles, { blackLevel, region_px: null, psf_um: PSF_UM });
    const around_px = particles[0]!.centre_px;
    const noise = await noiseModel(movie, drift, { blackLevel, psf_um: PSF_UM, around_px });
    const [crop] = await cropParticles(movie, particles.slice(0, 1), drift, { blackLevel, ring_px: 16 });
    const options = { count: 3, drift, noise, psf_um: PSF_UM, halfCycles: [] };
    const views = contrastViews(crop!, window, options);
    const rows = [views.background, views.sequential, views.total!];
    for (const { images, noise: said } of rows) {
      const { crystal, photonLimit, ground } = said as ContrastNoise;
      expect(Math.abs(ground!.expected / ground!.found - 1)).toBeLessThan(0.15);
      const shown = images[images.length >> 1]!.image;
      expect(Math.abs(crystal / fineSpread(shown, crop!.mask) - 1)).toBeLessThan(0.25);
      expect(photonLimit!).toBeLessThan(crystal);
    }
    expect(contrastViews(crop!, window, { ...options, noise: null }).total!.noise).toBeNull();
    // Means of several frames are quieter, and no image is quieter than photons allow.
    expect(views.total!.noise!.crystal).toBeLessThan(views.sequential.noise!.crystal);
  }
}, 30_000);
