/** How fast and how far one transition went in one particle: everything that is read off one arrival map. */
import type { FrontMap, Kinetics, Transition } from "../model/experiment.js";
import { drawnPieces, fillArrivals } from "./fill-arrivals.js";
import { isochroneVelocity } from "./isochrones.js";
import { mapNoise } from "./map-noise.js";
import { phaseFraction, singleParticleCRate } from "./phase-fraction.js";
import { stagesOf } from "./stages.js";
import { frontVelocity } from "./velocity.js";

export interface KineticsOptions {
  readonly kind: Transition["kind"];
  /** Charge of the whole transition in units of 1C. */
  readonly c_rate_factor: number;
  readonly bandwidth_s: number;
  /** Standard deviation of the point spread with which the map was made. */
  readonly psf_um: number;
  /** Standard error of the offset between the movie's clock and the cycler's; null where they are not joined. */
  readonly clock_sd_s: number | null;
  /** Relative error of the pixel size, where the user knows it; a calibration slide gives about 1 %. */
  readonly pixelSize_error?: number;
  /** Relative error of the C-rate factor: the literature allows 0.33 to 0.48. */
  readonly c_rate_factor_error?: number;
}

/**
 * Phase fraction, C-rate (of no meaning for ordering, and then null), velocity and stages of a front, all with standard
 * errors from the same draws of the map's noise. What does not average stands in `systematic`. Null where the map is too
 * incomplete for a velocity and a half time.
 */
export function measureKinetics(front: FrontMap, options: KineticsOptions): Kinetics | null {
  const { kind, c_rate_factor, bandwidth_s, psf_um, clock_sd_s } = options;
  const noise = mapNoise(front, psf_um);
  const filled = fillArrivals(front, psf_um);
  const velocity = frontVelocity(front, { psf_um, noise, filled });
  if (velocity === null) return null;
  const drawn = drawnPieces(filled, front.width, noise.draws_s);
  const made = { psf_um, bandwidth_s, noise, filled, drawn };
  const fraction = phaseFraction(front, made);
  if (fraction.t50_s === null) return null;
  const rate = kind === "ordering" ? null : singleParticleCRate(front, { ...made, c_rate_factor });
  return {
    particle: front.particle,
    transition: front.transition,
    velocity_um_s: { value: velocity.value, sd: velocity.sd, n: velocity.n },
    velocity_mean_um_s: velocity.mean_um_s,
    velocity_path_um_s: velocity.path_um_s,
    velocity_late_um_s: velocity.late_um_s,
    velocity_isochrone_um_s: isochroneVelocity(front, { psf_um, noise, filled }),
    velocity_range_um_s: velocity.range_um_s,
    duration_s: fraction.duration_s,
    t50_s: fraction.t50_s,
    c_rate_max: rate?.max ?? null,
    c_rate_mean: rate?.mean ?? null,
    c_rate_factor,
    c_rate_bandwidth_s: bandwidth_s,
    filled: fraction.filled,
    phaseFraction: { time_s: fraction.time_s, value: fraction.value, sd: fraction.sd },
    cRate: rate === null ? null : { time_s: rate.time_s, value: rate.value, sd: rate.sd },
    stages: stagesOf(fraction, bandwidth_s),
    systematic: {
      pixelSize: options.pixelSize_error ?? 0.01,
      c_rate_factor: options.c_rate_factor_error ?? 0.2,
      clock_s: clock_sd_s,
    },
  };
}
