/** A camera: light becomes electrons, electrons become counts. */
import { ParameterError } from "../model/errors.js";
import type { Dtype, Samples } from "../model/movie.js";
import type { Random } from "../kernels/random.js";
import { stream } from "./streams.js";

/** What a camera does to light. */
export interface CameraSpec {
  /** Relative noise of one pixel of one stored frame at the light of `noiseAt`: photons and reading together; 0 is none. */
  readonly noise: number;
  /** The light at which `noise` and `level` hold: the first crystal's before all changes, or the carbon's mean. */
  readonly noiseAt: "particle" | "carbon";
  /** Counts above the black level at that light. */
  readonly level: number;
  /** Counts without light. */
  readonly blackLevel: number;
  /** Standard deviation of reading, counts. */
  readonly readNoise: number;
  readonly bitDepth: number;
  /** Unevenness of the pixels' response, standard deviation, fixed on the camera. */
  readonly prnu: number;
  /** Loss of light in the corners of the image, fixed on the camera. */
  readonly vignette: number;
}

/** A camera made ready for images of one size. */
export interface Camera {
  readonly dtype: Extract<Dtype, "uint8" | "uint16">;
  /** Counts a photo-electron; null where there is no photon noise. */
  readonly countsPerElectron: number | null;
  /** Light, height * width in units of the carbon's mean, times `gain`, becomes counts. */
  expose(light: Float64Array, gain: number, random: Random, into: Samples): void;
}

/**
 * Makes a camera ready. With N electrons at the light of `noiseAt`, noise^2 = 1/N + (readNoise/level)^2.
 * `reference`: the light of `noiseAt`. Throws ParameterError where reading alone is noisier than `noise`.
 */
export function cameraOf(spec: CameraSpec, width: number, height: number, reference: number, seed: number): Camera {
  const photonNoise2 = spec.noise ** 2 - (spec.readNoise / spec.level) ** 2;
  if (spec.noise > 0 && photonNoise2 <= 0) {
    throw new ParameterError(
      `camera.noise is ${spec.noise} but reading alone gives ${(spec.readNoise / spec.level).toPrecision(3)}. Lower camera.readNoise or raise camera.level.`,
      { parameter: "camera.noise", value: spec.noise },
    );
  }
  const countsPerLight = spec.level / reference;
  const countsPerElectron = spec.noise > 0 ? spec.level * photonNoise2 : null;
  const readNoise = spec.noise > 0 ? spec.readNoise : 0;
  const illumination = vignetteOf(width, height, spec.vignette);
  const response = responses(width * height, spec.prnu, seed);
  const full = 2 ** spec.bitDepth - 1;
  return {
    dtype: spec.bitDepth <= 8 ? "uint8" : "uint16",
    countsPerElectron,
    expose(light, gain, random, into) {
      for (let at = 0; at < light.length; at++) {
        let counts = light[at]! * gain * countsPerLight;
        if (illumination !== null) counts *= illumination[at]!;
        if (countsPerElectron !== null) counts = countsPerElectron * random.poisson(counts / countsPerElectron);
        if (response !== null) counts *= response[at]!;
        if (readNoise > 0) counts += readNoise * random.normal();
        into[at] = Math.min(full, Math.max(0, Math.round(counts + spec.blackLevel)));
      }
    },
  };
}

/** Light falls with the square of the distance from the middle, by `loss` in the corners; null: it does not. */
export function vignetteOf(width: number, height: number, loss: number): Float64Array | null {
  if (loss === 0) return null;
  const [cx, cy] = [(width - 1) / 2, (height - 1) / 2];
  const corner2 = cx * cx + cy * cy;
  return Float64Array.from({ length: width * height }, (_, at) => {
    const x = (at % width) - cx;
    const y = Math.floor(at / width) - cy;
    return 1 - (loss * (x * x + y * y)) / corner2;
  });
}

function responses(size: number, prnu: number, seed: number): Float64Array | null {
  if (prnu === 0) return null;
  const random = stream(seed, "response");
  return Float64Array.from({ length: size }, () => 1 + prnu * random.normal());
}
