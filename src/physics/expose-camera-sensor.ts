/** A sensor: electrons in wells become counts, exposure by exposure. */
import type { Random } from "../kernels/random.js";
import { vignetteOf } from "./camera.js";
import { stream } from "./streams.js";

/** What a sensor does, in the terms of EMVA 1288. */
export interface SensorSpec {
  /** Electrons at which a pixel is full. */
  readonly fullWell_e: number;
  /** Electrons that make one count. */
  readonly electronsPerCount: number;
  readonly readNoise_e: number;
  /** Dark current, electrons a second and pixel. */
  readonly dark_e_s: number;
  /** Counts without light. */
  readonly blackLevel: number;
  /** Bits of the converter: counts end at 2^bits - 1. */
  readonly bitDepth: number;
  /** Unevenness of response, standard deviation as a share, fixed on the sensor. */
  readonly prnu: number;
  /** Unevenness of the black level, standard deviation in electrons, fixed on the sensor. */
  readonly dsnu_e: number;
  /** Loss of light in the corners of the image, fixed on the camera. */
  readonly vignette: number;
}

/** A sensor made ready: its fixed pattern drawn. */
export interface Sensor {
  /** Adds the counts of `n` exposures alike, each with `light_e` mean photo-electrons a pixel, to `into`. */
  expose(light_e: Float64Array, exposure_s: number, n: number, random: Random, into: Float64Array): void;
}

/** Standard deviations from a limit at which clipping is no longer reckoned with: 2e-9 of the draws. */
const SAFE = 6;

/**
 * Makes a sensor ready for images of one size; `seed` draws its fixed pattern.
 *
 * Each exposure: N from Poisson's law about light and dark current, no more than the well holds; reading adds its noise;
 * the converter rounds and ends. Where neither end is near, n exposures are drawn as one sum, which has the same law: the
 * sum of Poisson's is Poisson's, that of n readings has sqrt(n) their noise, and rounding adds 1/12 each, since the noise
 * is wider than a count. Elsewhere each is drawn by itself.
 */
export function sensorOf(spec: SensorSpec, width: number, height: number, seed: number): Sensor {
  const size = width * height;
  const response = new Float64Array(size).fill(1);
  const offset = new Float64Array(size).fill(spec.blackLevel);
  const shade = vignetteOf(width, height, spec.vignette);
  const pattern = stream(seed, "response");
  const black = stream(seed, "black");
  for (let at = 0; at < size; at++) {
    response[at] = Math.max(0, 1 + spec.prnu * pattern.normal()) * (shade?.[at] ?? 1);
    offset[at] = spec.blackLevel + (spec.dsnu_e * black.normal()) / spec.electronsPerCount;
  }
  const { fullWell_e, electronsPerCount, readNoise_e } = spec;
  const full = 2 ** spec.bitDepth - 1;
  const read2 = readNoise_e * readNoise_e;
  return {
    expose(light_e, exposure_s, n, random, into) {
      const dark_e = spec.dark_e_s * exposure_s;
      const spread = Math.sqrt((n * read2) / electronsPerCount ** 2 + n / 12);
      for (let at = 0; at < size; at++) {
        const mean_e = Math.max(0, light_e[at]! * response[at]! + dark_e);
        const sd_e = Math.sqrt(mean_e + read2);
        const zero = offset[at]!;
        const highest_e = mean_e + SAFE * sd_e;
        const clear =
          n > 1 &&
          highest_e < fullWell_e &&
          zero + highest_e / electronsPerCount < full &&
          zero + (mean_e - SAFE * sd_e) / electronsPerCount > 0 &&
          sd_e > 0.5 * electronsPerCount;
        if (clear) {
          into[at] = into[at]! + n * zero + random.poisson(n * mean_e) / electronsPerCount + spread * random.normal();
          continue;
        }
        let sum = 0;
        for (let exposure = 0; exposure < n; exposure++) {
          const held_e = Math.min(fullWell_e, random.poisson(mean_e));
          const read_e = readNoise_e > 0 ? readNoise_e * random.normal() : 0;
          sum += Math.min(full, Math.max(0, Math.round(zero + (held_e + read_e) / electronsPerCount)));
        }
        into[at] = into[at]! + sum;
      }
    },
  };
}
