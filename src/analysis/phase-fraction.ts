/** How much of a particle is transformed: areas of the arrival map in time. */
import { mean } from "../kernels/stats.js";
import type { Curve, Estimate, FrontMap } from "../model/experiment.js";
import { SECONDS_PER_HOUR } from "../model/units.js";
import {
  drawnPieces,
  fillArrivals,
  fractionAt,
  timeOfFraction,
  type DrawnPieces,
  type FilledArrivals,
  type Pieces,
} from "./fill-arrivals.js";
import { mapNoise, spread, spreadAbout, type MapNoise } from "./map-noise.js";

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
  /** What is made of the map and its noise, where it is at hand. */
  readonly filled?: FilledArrivals;
  readonly drawn?: DrawnPieces;
}

/**
 * What the fits leave beside noise, found on synthetic movies: in the duration, a share of the time in which the boundary
 * passes, for the rim at its ends; in the greatest rate, a share of it; in a fraction between none and all, of the whole.
 */
const DURATION_SD = 0.08;
const MAX_RATE_SD = 0.01;
const FRACTION_SD = 0.0015;
const PSF_UM = 0.118;
const BANDWIDTH_S = 20;
/** Share of a window's pixels that may have their arrival from neighbours. */
const MOST_GUESSED = 0.15;
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
  const { filled = fillArrivals(front, psf_um) } = options;
  const { own, noisy } = options.drawn ?? drawnPieces(filled, front.width, noise.draws_s);
  const time_s = timesOf(own, bandwidth_s);
  const value = time_s.map((t_s) => fractionAt(own, t_s));
  const common_s = front.common_sd_s ?? 0;
  const sd = time_s.map((t_s, k) => {
    const random = spread(noisy.map((one) => fractionAt(one, t_s))) ?? 0;
    const rate = (value[Math.min(k + 1, value.length - 1)]! - value[Math.max(k - 1, 0)]!) / (time_s[2]! - time_s[0]!);
    const between = value[k]! > 0 && value[k]! < 1 ? FRACTION_SD : 0;
    return Math.hypot(random, rate * common_s, between);
  });
  const n = Math.max(1, filled.sorted_s.length / noise.area_px2);
  const estimate = (of: (one: Pieces) => number, shared_s: number): Estimate | null => {
    const found = of(own);
    const sdOwn = spreadAbout(found, noisy.map(of));
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

function durationOf(pieces: Pieces): number {
  return timeOfFraction(pieces, 0.95) - timeOfFraction(pieces, 0.05);
}

/** Even times from a bandwidth before the first arrival to a bandwidth after the last. */
function timesOf({ sorted_s }: Pieces, bandwidth_s: number): Float64Array {
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
  const { filled = fillArrivals(front, psf_um) } = options;
  const { own, noisy } = options.drawn ?? drawnPieces(filled, front.width, noise.draws_s);
  const perHour = (c_rate_factor * SECONDS_PER_HOUR) / bandwidth_s;
  const rate = (one: Pieces, t_s: number): number =>
    perHour * (fractionAt(one, t_s + 0.5 * bandwidth_s) - fractionAt(one, t_s - 0.5 * bandwidth_s));
  const greatest = new Map([own, ...noisy].map((one) => [one, perHour * mostWithin(one, bandwidth_s)]));
  const time_s = timesOf(own, bandwidth_s);
  const n = Math.max(1, filled.sorted_s.length / noise.area_px2);
  const estimate = (of: (one: Pieces) => number, share = 0): Estimate | null => {
    const value = of(own);
    if (!Number.isFinite(value)) return null;
    const sd = spreadAbout(value, noisy.map(of));
    return { value, sd: sd === null ? null : Math.hypot(sd, share * value), n };
  };
  return {
    time_s,
    value: time_s.map((t_s) => rate(own, t_s)),
    sd: time_s.map((t_s) => spread(noisy.map((one) => rate(one, t_s))) ?? 0),
    max: withoutLuck(
      estimate((one) => greatest.get(one)!),
      noisy.map((one) => greatest.get(one)!),
    ),
    mean: estimate(
      (one) => (c_rate_factor * 0.9 * SECONDS_PER_HOUR) / durationOf(one),
      (DURATION_SD * front.lag_s) / durationOf(own),
    ),
  };
}

/** The greatest of noisy values is too great; by as much as noise added once more makes it greater still. */
function withoutLuck(found: Estimate | null, drawn: readonly number[]): Estimate | null {
  if (found === null) return null;
  const value = found.value - Math.max(0, mean(drawn) - found.value);
  return { ...found, value, sd: found.sd === null ? null : Math.hypot(found.sd, MAX_RATE_SD * value) };
}

/**
 * The greatest share of the outline that is transformed within a window of the given length. A window in which too many
 * pixels have no arrival of their own is none, unless all are so: a rate across missing frames is not measured.
 */
function mostWithin({ sorted_s, guessed_s, whole }: Pieces, window_s: number): number {
  let most = 0;
  let mostOfAll = 0;
  let last = 0;
  let from = 0;
  let to = 0;
  for (let first = 0; first < sorted_s.length; first++) {
    const start_s = sorted_s[first]!;
    while (last < sorted_s.length && sorted_s[last]! <= start_s + window_s) last++;
    while (from < guessed_s.length && guessed_s[from]! < start_s) from++;
    while (to < guessed_s.length && guessed_s[to]! <= start_s + window_s) to++;
    mostOfAll = Math.max(mostOfAll, last - first);
    if (to - from <= MOST_GUESSED * (last - first)) most = Math.max(most, last - first);
  }
  return (most > 0 ? most : mostOfAll) / whole;
}
