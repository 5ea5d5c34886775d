/** How much of a particle is transformed: areas of the arrival map in time. */
import { mean, median } from "../kernels/stats.js";
import type { Curve, Estimate, FrontMap } from "../model/experiment.js";
import { SECONDS_PER_HOUR } from "../model/units.js";
import { mapNoise, spread, type MapNoise } from "./map-noise.js";
import { applySlopes, slopes, surface } from "./slopes.js";

/** Arrivals of all pixels of an outline that were transformed. */
export interface FilledArrivals {
  /** NaN outside the outline and where a fit shows the pixel unchanged. */
  readonly arrival_s: Float32Array;
  /** The finite ones in ascending order. */
  readonly sorted_s: Float64Array;
  /** Pixels of the outline. */
  readonly outline: number;
  /** Share of them whose arrival comes from their neighbours. */
  readonly filled: number;
  /** What is left of a draw of the map's noise, after the smoothing that the arrivals have had. */
  smoothed(draw_s: Float32Array): Float32Array;
}

/** Discs from which a missing arrival is taken, and over which arrivals are smoothed, in point spreads. */
const FILL_RADIUS = 3;
const SMOOTH_RADIUS = 2;
/** An arrival is smoothed where that moves it by less than so many of its standard errors: not over kinks and cliffs. */
const SMOOTH_SDS = 3.5;

/**
 * The arrival map smoothed within its noise, and with its gaps filled. A pixel of the outline with no arrival of its own that is not shown unchanged
 * takes the value of a plane through its neighbours' arrivals, the disc growing until it holds enough of them; the plane
 * is not believed beyond the first and last arrival by more than the front takes for the disc.
 */
export function fillArrivals(front: FrontMap, psf_um: number): FilledArrivals {
  const { width, height, mask, unchanged, pixelSize_um } = front;
  const { arrival_s, smoothed } = smoothArrivals(front, psf_um);
  let outline = 0;
  let missing = 0;
  const weight = new Uint8Array(width * height);
  const wanted = new Uint8Array(width * height);
  for (let at = 0; at < mask.length; at++) {
    if (mask[at] === 0) arrival_s[at] = NaN;
    if (mask[at] === 0) continue;
    outline++;
    if (Number.isFinite(arrival_s[at]!)) weight[at] = 1;
    else if (unchanged[at] === 0) {
      wanted[at] = 1;
      missing++;
    }
  }
  const filled = outline === 0 ? 0 : missing / outline;
  if (missing < outline) {
    let radius_px = Math.max(2.5, (FILL_RADIUS * psf_um) / pixelSize_um);
    let first_s = Infinity;
    let last_s = -Infinity;
    for (let at = 0; at < arrival_s.length; at++) {
      if (weight[at] === 0) continue;
      first_s = Math.min(first_s, arrival_s[at]!);
      last_s = Math.max(last_s, arrival_s[at]!);
    }
    for (let left = missing; left > 0 && radius_px < 2 * Math.max(width, height); radius_px *= 1.6) {
      const plane = surface(arrival_s, { width, height, weight, wanted, radius_px, flat: true });
      let slack_s = radius_px * median(plane.x.map((x, at) => Math.hypot(x, plane.y[at]!)));
      if (!Number.isFinite(slack_s)) slack_s = 0;
      for (let at = 0; at < wanted.length; at++) {
        if (wanted[at] === 0 || !Number.isFinite(plane.value[at]!)) continue;
        arrival_s[at] = Math.min(last_s + slack_s, Math.max(first_s - slack_s, plane.value[at]!));
        wanted[at] = 0;
        left--;
      }
    }
  }
  return { arrival_s, sorted_s: sortedFinite(arrival_s), outline, filled, smoothed };
}

/** Arrivals on the quadratic through their neighbours, where their noise allows it. */
function smoothArrivals(front: FrontMap, psf_um: number): Pick<FilledArrivals, "arrival_s" | "smoothed"> {
  const { width, height, mask, sd_s, pixelSize_um } = front;
  const typical_s = median(sd_s);
  const arrival_s = Float32Array.from(front.arrival_s);
  if (!(typical_s > 0)) return { arrival_s, smoothed: (draw_s) => draw_s };
  const weight = Float64Array.from(arrival_s, (t, at) =>
    mask[at] !== 0 && Number.isFinite(t) ? 1 / (sd_s[at]! ** 2 + 0.1 * typical_s ** 2) : 0,
  );
  const radius_px = Math.max(2.5, (SMOOTH_RADIUS * psf_um) / pixelSize_um);
  const operator = slopes({ width, height, weight, radius_px });
  const { value } = applySlopes(operator, front.arrival_s);
  const within = operator.pixels.map((at, i) =>
    Math.abs(value[i]! - arrival_s[at]!) < SMOOTH_SDS * sd_s[at]! ? 1 : 0,
  );
  for (const [i, at] of operator.pixels.entries()) if (within[i] === 1) arrival_s[at] = value[i]!;
  return {
    arrival_s,
    smoothed(draw_s) {
      const smooth = Float32Array.from(draw_s);
      const drawn = applySlopes(operator, draw_s).value;
      for (const [i, at] of operator.pixels.entries()) if (within[i] === 1) smooth[at] = drawn[i]!;
      return smooth;
    },
  };
}

function sortedFinite(values: Float32Array): Float64Array {
  return Float64Array.from(values.filter(Number.isFinite)).sort();
}

/** The same outline with one draw of the map's noise. */
export function withNoise(filled: FilledArrivals, draw_s: Float32Array): FilledArrivals {
  const smooth_s = filled.smoothed(draw_s);
  const arrival_s = filled.arrival_s.map((value, at) => value + smooth_s[at]!);
  return { ...filled, arrival_s, sorted_s: sortedFinite(arrival_s) };
}

/**
 * The moment at which a share of the outline is transformed: the order statistic of the arrivals, linear in
 * between; NaN where so much never was.
 */
export function timeOfFraction({ sorted_s, outline }: FilledArrivals, share: number): number {
  const rank = share * outline - 0.5;
  if (sorted_s.length === 0 || rank > sorted_s.length - 0.5) return NaN;
  const at = Math.min(Math.max(rank, 0), sorted_s.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted_s.length - 1);
  return sorted_s[below]! + (at - below) * (sorted_s[above]! - sorted_s[below]!);
}

/** Share of the outline whose arrivals are not after t. */
export function fractionAt({ sorted_s, outline }: FilledArrivals, t_s: number): number {
  let low = 0;
  let high = sorted_s.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted_s[middle]! <= t_s) low = middle + 1;
    else high = middle;
  }
  return low / outline;
}

/** The transformed share in time, with what is read off it. */
export interface PhaseFraction extends Curve {
  /** When half of the outline is transformed; null where it never is. */
  readonly t50_s: Estimate | null;
  /** From 5 % to 95 %; null where 95 % never are. */
  readonly duration_s: Estimate | null;
  /** Share of the outline's pixels whose arrival comes from their neighbours. */
  readonly filled: number;
}

/** What a curve of a map is made with; all has a default. */
export interface CurveOptions {
  /** Standard deviation of the point spread with which the map was made. */
  readonly psf_um?: number;
  /** Time over which rates are taken; the curve reaches as far beyond the first and last arrival. */
  readonly bandwidth_s?: number;
  readonly noise?: MapNoise;
}

/**
 * What the fits leave beside noise, found on synthetic movies: in the duration, a share of the time in which the boundary
 * passes, for the rim at its ends; in the greatest rate, a share of it.
 */
const DURATION_SD = 0.06;
const MAX_RATE_SD = 0.02;
const PSF_UM = 0.118;
const BANDWIDTH_S = 20;
/** Samples of a curve at least and at most, and in one bandwidth. */
const SAMPLES = [200, 4000] as const;
const SAMPLES_A_BANDWIDTH = 8;

/**
 * Phase fraction: transformed area over outline area in time, the distribution of the arrivals, gaps filled.
 *
 * The standard errors are the spread over draws of the map's noise; those of t50 and of the curve also have the error
 * common to all arrivals. `n` counts areas over which the noise is one.
 */
export function phaseFraction(front: FrontMap, options: CurveOptions = {}): PhaseFraction {
  const { psf_um = PSF_UM, bandwidth_s = BANDWIDTH_S, noise = mapNoise(front, psf_um) } = options;
  const filled = fillArrivals(front, psf_um);
  const time_s = timesOf(filled, bandwidth_s);
  const value = time_s.map((t_s) => fractionAt(filled, t_s));
  const noisy = noise.draws_s.map((draw_s) => withNoise(filled, draw_s));
  const common_s = front.common_sd_s ?? 0;
  const sd = time_s.map((t_s, k) => {
    const own = spread(noisy.map((one) => fractionAt(one, t_s))) ?? 0;
    const rate = (value[Math.min(k + 1, value.length - 1)]! - value[Math.max(k - 1, 0)]!) / (time_s[2]! - time_s[0]!);
    return Math.hypot(own, rate * common_s);
  });
  const n = Math.max(1, filled.sorted_s.length / noise.area_px2);
  const estimate = (of: (one: FilledArrivals) => number, shared_s: number): Estimate | null => {
    const found = of(filled);
    const sdOwn = spread(noisy.map(of));
    if (!Number.isFinite(found)) return null;
    return { value: found, sd: sdOwn === null ? null : Math.hypot(sdOwn, shared_s), n };
  };
  return {
    time_s,
    value,
    sd,
    t50_s: estimate((one) => timeOfFraction(one, 0.5), common_s),
    duration_s: estimate(durationOf, DURATION_SD * front.lag_s),
    filled: filled.filled,
  };
}

function durationOf(filled: FilledArrivals): number {
  return timeOfFraction(filled, 0.95) - timeOfFraction(filled, 0.05);
}

/** Even times from a bandwidth before the first arrival to a bandwidth after the last. */
function timesOf({ sorted_s }: FilledArrivals, bandwidth_s: number): Float64Array {
  if (sorted_s.length === 0) return new Float64Array(0);
  const first_s = sorted_s[0]! - bandwidth_s;
  const length_s = sorted_s[sorted_s.length - 1]! + bandwidth_s - first_s;
  const wanted = Math.ceil((SAMPLES_A_BANDWIDTH * length_s) / bandwidth_s);
  const steps = Math.min(SAMPLES[1], Math.max(SAMPLES[0], wanted));
  return Float64Array.from({ length: steps + 1 }, (_, k) => first_s + (length_s * k) / steps);
}

/** The rate in time, with what is read off it. */
export interface CRate extends Curve {
  /** Greatest value over the window. */
  readonly max: Estimate | null;
  /** From 5 % to 95 %; null where 95 % never are transformed. */
  readonly mean: Estimate | null;
}

/**
 * Single-particle C-rate: how fast the new phase fills the particle, in full discharges an hour.
 *
 *     C(t) = factor * (phi(t + b/2) - phi(t - b/2)) / b * 3600
 *
 * phi: phase fraction; b: `bandwidth_s`, the full width of the window over which the derivative is averaged; factor:
 * charge of the whole transition in units of 1C. The mean is factor * 0.9 over the duration in hours.
 * After Merryweather et al., Fig. 3c, d. Standard errors as for the phase fraction; a common shift in time changes no rate.
 */
export function singleParticleCRate(
  front: FrontMap,
  options: CurveOptions & { readonly c_rate_factor: number },
): CRate {
  const { psf_um = PSF_UM, bandwidth_s = BANDWIDTH_S, noise = mapNoise(front, psf_um), c_rate_factor } = options;
  const filled = fillArrivals(front, psf_um);
  const perHour = (c_rate_factor * SECONDS_PER_HOUR) / bandwidth_s;
  const rate = (one: FilledArrivals, t_s: number): number =>
    perHour * (fractionAt(one, t_s + 0.5 * bandwidth_s) - fractionAt(one, t_s - 0.5 * bandwidth_s));
  const noisy = noise.draws_s.map((draw_s) => withNoise(filled, draw_s));
  const time_s = timesOf(filled, bandwidth_s);
  const n = Math.max(1, filled.sorted_s.length / noise.area_px2);
  const estimate = (of: (one: FilledArrivals) => number, share = 0): Estimate | null => {
    const value = of(filled);
    if (!Number.isFinite(value)) return null;
    const sd = spread(noisy.map(of));
    return { value, sd: sd === null ? null : Math.hypot(sd, share * value), n };
  };
  return {
    time_s,
    value: time_s.map((t_s) => rate(filled, t_s)),
    sd: time_s.map((t_s) => spread(noisy.map((one) => rate(one, t_s))) ?? 0),
    max: withoutLuck(
      estimate((one) => perHour * mostWithin(one, bandwidth_s)),
      noisy.map((one) => perHour * mostWithin(one, bandwidth_s)),
    ),
    mean: estimate(
      (one) => (c_rate_factor * 0.9 * SECONDS_PER_HOUR) / durationOf(one),
      (DURATION_SD * front.lag_s) / durationOf(filled),
    ),
  };
}

/** The greatest of noisy values is too great; by as much as noise added once more makes it greater still. */
function withoutLuck(found: Estimate | null, drawn: readonly number[]): Estimate | null {
  if (found === null) return null;
  const value = 2 * found.value - mean(drawn);
  return { ...found, value, sd: found.sd === null ? null : Math.hypot(found.sd, MAX_RATE_SD * value) };
}

/** The greatest share of the outline that is transformed within a window of the given length. */
function mostWithin({ sorted_s, outline }: FilledArrivals, window_s: number): number {
  let most = 0;
  for (let first = 0, last = 0; first < sorted_s.length; first++) {
    while (last < sorted_s.length && sorted_s[last]! <= sorted_s[first]! + window_s) last++;
    most = Math.max(most, last - first);
  }
  return most / outline;
}
