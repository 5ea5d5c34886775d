/** The camera's noise from the movie itself: photon transfer on neighbouring frames, and the pattern that does not move. */
import type { Drift } from "../model/experiment.js";
import type { Movie } from "../model/movie.js";
import type { NoiseModel } from "../model/noise.js";
import { carrierNoise } from "./noise-model-carrier.js";
import { fitLevels, LEAST_RANGE, rangeOf, varianceOf, withDoubt } from "./noise-model-fit.js";
import { byLevel, differences, levelsOf } from "./noise-model-levels.js";
import { patternOf } from "./noise-model-pattern.js";

/** Share of each level's pixels that is looked at, the flattest, and a smaller one that tells what steepness does. */
const FLATTER = 0.5;
const FLATTEST = 0.2;

/**
 * Noise of a movie's camera.
 *
 * Of three neighbouring frames, each divided by its own light, the second difference is taken where they lie: what is
 * fixed to the camera falls out, and so does light that changes steadily. What the scene's known steps make of its mean
 * image is taken off. A sixth of the variance of these differences, outliers clipped, against the signal gives
 *
 *     variance = read^2 + gain signal + (proportional signal)^2
 *
 * by weighted least squares; the last term only where it improves the fit by three standard deviations (EMVA 1288, photon
 * transfer). The pattern fixed to the camera is what is left between two groups of frames, laid on each other where the
 * scene lay at different places, beyond that noise, on the still carrier.
 *
 * Counts are those above the black level; where that is unknown (null) the gain is still told and reading is not.
 * Standard errors count each pixel of each three once, less what overlapping threes share, widened by the fit's scatter.
 */
export async function noiseModel(
  movie: Movie,
  drift: Drift,
  {
    blackLevel,
    psf_um,
    around_px = null,
    signal,
  }: {
    readonly blackLevel: number | null;
    readonly psf_um: number;
    /** A place within a crystal of frame 0. */
    readonly around_px?: readonly [number, number] | null;
    readonly signal?: AbortSignal;
  },
): Promise<NoiseModel> {
  const black = blackLevel ?? 0;
  const psf_px = psf_um / movie.pixelSize_um;
  const because: string[] = [];
  const { found, triples } = await differences(movie, drift, around_px, {
    black,
    ...(signal === undefined ? {} : { signal }),
  });
  const levelled = byLevel(found);
  const levels = levelsOf(levelled, FLATTER);
  const fit = withDoubt(
    fitLevels(levels, blackLevel !== null),
    fitLevels(levelsOf(levelled, FLATTEST), blackLevel !== null),
  );
  if (levels.length === 0) because.push("no two neighbouring frames show enough of the scene to compare");
  else if (fit.gain === null) {
    because.push(
      rangeOf(levels) < LEAST_RANGE
        ? `the light ranges over a factor of ${rangeOf(levels).toPrecision(3)} only: photons and reading are not told apart`
        : "noise does not grow with light as that of photons does: photons and reading are not told apart",
    );
  } else if (blackLevel === null) because.push("the black level is unknown: noise of reading is not told");
  const fixedPattern =
    levels.length === 0 ? null : await patternOf(movie, drift, fit, { black, psf_px, signal, because });
  return {
    levels,
    read_counts: fit.read,
    gain_counts_per_electron: fit.gain,
    intercept_counts2: fit.slope > 0 ? fit.offset : null,
    proportional: fit.proportional,
    fixedPattern,
    carrier: await carrierNoise(movie, drift, fit, black, signal),
    triples,
    because,
  };
}

/** Variance of one pixel of one frame at a signal, counts squared. */
export function varianceAt(model: NoiseModel, signal_counts: number): number {
  return varianceOf(
    {
      offset: model.intercept_counts2 ?? 0,
      slope: model.gain_counts_per_electron?.value ?? 0,
      proportional: model.proportional,
      levels: model.levels,
    },
    signal_counts,
  );
}
