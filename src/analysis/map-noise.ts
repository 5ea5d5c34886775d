/** The noise of an arrival map as it truly is: neighbours share it over the blur that made the map. */
import { gaussianBlur } from "../kernels/filter.js";
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

/** So many draws give a standard error that is itself known to 11 %. */
const DRAWS = 40;
/** Disc against which roughness is measured, in standard deviations of the point spread. */
const ROUGHNESS_RADIUS = 3;
const MOST_FACTOR = 4;

/**
 * Noise with each pixel's standard error and the correlation of the blur. Where the map is rougher about a smooth
 * surface than such noise would be (texture, a frame interval longer than the passing), the draws are as much larger.
 */
export function mapNoise(front: FrontMap, psf_um: number): MapNoise {
  const { width, height, mask, arrival_s, sd_s, pixelSize_um } = front;
  const sigma_px = (front.blur_um ?? MOST_BLUR * psf_um) / pixelSize_um;
  const typical_s = median(sd_s);
  const sd = Float32Array.from(mask, (inside, at) => {
    if (inside === 0) return 0;
    return Number.isFinite(sd_s[at]!) ? sd_s[at]! : Number.isFinite(typical_s) ? typical_s : 0;
  });
  const dice = random(0x51ed + front.particle * 977 + front.transition);
  const white = new Float64Array(width * height);
  const draws_s: Float32Array[] = [];
  for (let draw = 0; draw < DRAWS; draw++) {
    for (let at = 0; at < white.length; at++) white[at] = dice.normal();
    const field = gaussianBlur(white, width, height, sigma_px);
    let square = 0;
    for (let at = 0; at < field.length; at++) square += field[at]! * field[at]!;
    const unit = 1 / Math.sqrt(square / field.length);
    draws_s.push(field.map((value, at) => value * unit * sd[at]!));
  }
  const radius_px = Math.max(2.5, (ROUGHNESS_RADIUS * psf_um) / pixelSize_um);
  const weight = Float32Array.from(arrival_s, (value) => (Number.isFinite(value) ? 1 : 0));
  const operator = slopes({ width, height, weight, radius_px });
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

/** Standard deviation of a statistic over the draws; null where it is missing in more than a third of them. */
export function spread(values: readonly number[]): number | null {
  const finite = values.filter(Number.isFinite);
  if (finite.length < 2 || finite.length < (2 / 3) * values.length) return null;
  const mean = finite.reduce((sum, value) => sum + value, 0) / finite.length;
  return Math.sqrt(finite.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (finite.length - 1));
}
