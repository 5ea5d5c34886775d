/** The noise of an arrival map as it truly is: neighbours share it over the blur that made the map. */
import { noiseField } from "../kernels/noise-field.js";
import { random } from "../kernels/random.js";
import { madSigma, median } from "../kernels/stats.js";
import type { FrontMap } from "../model/experiment.js";
import { MOST_BLUR } from "./pixel-courses.js";
import { applySlopes, slopes } from "./slopes.js";

/** Draws of a map's noise, from which the standard errors of all that is made of the map follow. */
export interface MapNoise {
  /** Each as large as the map, in seconds, to be added to the arrivals. */
  readonly draws_s: readonly Float32Array[];
  /** Area over which the noise is one, in px^2: the inverse of the mean square of the blur's kernel. */
  readonly area_px2: number;
  /** By how much the map is rougher than its standard errors say; the draws have it. */
  readonly factor: number;
}

/** So many draws give a standard error that is itself known to 12 %. */
const DRAWS = 32;
/** Disc against which roughness is measured, in standard deviations of the point spread. */
const ROUGHNESS_RADIUS = 3;
const MOST_FACTOR = 4;
/** Spacing of the pixels at which it is, in standard deviations of the blur. */
const ROUGHNESS_STRIDE = 0.7;

/** Errors of fits are alike over so many point spreads: standard deviation of the kernel that makes them. */
const ALIKE = 1.3;

/**
 * Errors with each pixel's standard error: that of the camera's noise is as alike among neighbours as the blur of the
 * courses makes it, that of the fits over more than a point spread; what all arrivals share is in neither. Where the map is
 * rougher about a smooth surface than such noise would be (texture, a frame interval longer than the passing), the draws
 * are as much larger.
 */
export function mapNoise(front: FrontMap, psf_um: number): MapNoise {
  const { width, height, mask, arrival_s, pixelSize_um, common_sd_s = 0 } = front;
  const noise_sd_s = front.noise_sd_s ?? front.sd_s;
  const sigma_px = (front.blur_um ?? MOST_BLUR * psf_um) / pixelSize_um;
  const sd = overMask(mask, noise_sd_s);
  const fitted = front.noise_sd_s !== undefined;
  const fitSd = overMask(
    mask,
    front.sd_s.map((sd_s, at) => Math.sqrt(Math.max(0, sd_s ** 2 - noise_sd_s[at]! ** 2 - common_sd_s ** 2))),
  );
  const dice = random(0x51ed + front.particle * 977 + front.transition);
  const camera = noiseField(mask, width, height, sigma_px);
  const alike = fitted ? noiseField(mask, width, height, (ALIKE * psf_um) / pixelSize_um) : null;
  const draws_s: Float32Array[] = [];
  for (let draw = 0; draw < DRAWS; draw++) {
    const one = camera(dice);
    for (let at = 0; at < one.length; at++) one[at] = one[at]! * sd[at]!;
    if (alike !== null) {
      const field = alike(dice);
      for (let at = 0; at < one.length; at++) one[at] = one[at]! + field[at]! * fitSd[at]!;
    }
    draws_s.push(one);
  }
  const radius_px = Math.max(2.5, (ROUGHNESS_RADIUS * psf_um) / pixelSize_um);
  const weight = Float32Array.from(arrival_s, (value) => (Number.isFinite(value) ? 1 : 0));
  // Neighbours much closer than the blur tell the same.
  const stride = Math.max(1, Math.floor(ROUGHNESS_STRIDE * sigma_px));
  const wanted = Uint8Array.from(weight, (one, at) =>
    one === 1 && (at % width) % stride === 0 && Math.floor(at / width) % stride === 0 ? 1 : 0,
  );
  const operator = slopes({ width, height, weight, wanted, radius_px });
  const roughness = (values: Float32Array): number => {
    const smooth = applySlopes(operator, values).value;
    return madSigma(smooth.map((value, i) => (values[operator.pixels[i]!]! - value) / sd[operator.pixels[i]!]!));
  };
  const ratio = roughness(arrival_s) / median([0, 1, 2].map((draw) => roughness(draws_s[draw]!)));
  const factor = ratio > 1 ? Math.min(MOST_FACTOR, ratio) : 1;
  return {
    draws_s: factor === 1 ? draws_s : draws_s.map((draw) => draw.map((value) => value * factor)),
    area_px2: Math.max(1, 4 * Math.PI * sigma_px * sigma_px),
    factor,
  };
}

/** The same of the camera's noise alone: what differs between two movies of one front. */
export function cameraNoise(front: FrontMap, psf_um: number): MapNoise {
  const { noise_sd_s, ...rest } = front;
  return mapNoise(noise_sd_s === undefined ? rest : { ...rest, sd_s: noise_sd_s }, psf_um);
}

/** The values of the mask's pixels, the typical one where there is none; 0 outside. */
function overMask(mask: Uint8Array, values: Float32Array): Float32Array {
  const typical = median(values);
  const instead = Number.isFinite(typical) ? typical : 0;
  return Float32Array.from(mask, (inside, at) => {
    if (inside === 0) return 0;
    return Number.isFinite(values[at]!) ? values[at]! : instead;
  });
}

/** Standard deviation of a statistic over the draws; null where it is missing in more than a third of them. */
export function spread(values: readonly number[]): number | null {
  const finite = values.filter(Number.isFinite);
  if (finite.length < 2 || finite.length < (2 / 3) * values.length) return null;
  const mean = finite.reduce((sum, value) => sum + value, 0) / finite.length;
  return Math.sqrt(finite.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (finite.length - 1));
}

/** Root mean square of the draws about a value that noise may shift as well as scatter; null as for `spread`. */
export function spreadAbout(value: number, values: readonly number[]): number | null {
  const finite = values.filter(Number.isFinite);
  if (finite.length < 2 || finite.length < (2 / 3) * values.length) return null;
  return Math.sqrt(finite.reduce((sum, one) => sum + (one - value) ** 2, 0) / finite.length);
}
