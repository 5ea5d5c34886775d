/** A line through the variances of levels of light: reading, photons, and what grows with the light itself. */
import { invertSymmetric, timesVector } from "../kernels/normal-equations.js";
import type { Estimate } from "../model/experiment.js";
import type { NoiseLevel } from "../model/noise.js";

/** Brightest level over darkest from which slope and intercept can be told apart. */
export const LEAST_RANGE = 1.25;
/** By how much a further term must improve chi^2: three standard errors. */
const NEEDED = 9;

/**
 * A fit whose errors take in what another choice of pixels makes of it: how much the scene's own steps still show. `part`
 * is that of a part of the fit's pixels; what chance makes of their difference (the variances' difference) is not doubt.
 */
export function withDoubt(fit: Fit, part: Fit): Fit {
  const wider = (one: Estimate | null, two: Estimate | null): Estimate | null => {
    if (one === null || two === null) return one;
    const chance = Math.max(0, two.sd! ** 2 - one.sd! ** 2);
    return { ...one, sd: Math.sqrt(one.sd! ** 2 + Math.max(0, (one.value - two.value) ** 2 - chance)) };
  };
  return { ...fit, gain: wider(fit.gain, part.gain), read: wider(fit.read, part.read) };
}

/** A line's coefficients, and the numbers that it tells. */
export interface Fit {
  /** Variance at no signal, counts squared; with an unknown black level only a line's end. */
  readonly offset: number;
  readonly slope: number;
  readonly proportional: number;
  readonly read: Estimate | null;
  readonly gain: Estimate | null;
  readonly levels: readonly NoiseLevel[];
}

/** Brightest light over darkest. */
export function rangeOf(levels: readonly NoiseLevel[]): number {
  return levels.at(-1)!.signal_counts / levels[0]!.signal_counts;
}

/**
 * Fits variance = read^2 + gain signal + (proportional signal)^2, no term below 0, the last one only where it improves
 * chi^2 by more than NEEDED. Numbers are null where the light ranges too little, or the variance does not grow with it as
 * that of photons does; reading too where black is unknown, and the first term then has any sign.
 */
export function fitLevels(levels: readonly NoiseLevel[], blackKnown: boolean): Fit {
  const none = { offset: 0, slope: 0, proportional: 0, read: null, gain: null, levels };
  if (levels.length < 3 || !(rangeOf(levels) >= LEAST_RANGE || !blackKnown)) return none;
  const fitted = (powers: readonly number[]): Line | null => {
    const whole = leastSquares(levels, powers);
    if (whole === null) return null;
    if (!blackKnown || whole.value.every((one) => one >= 0)) return whole;
    // No variance below none: the line then goes through the origin.
    const through = leastSquares(levels, powers.slice(1));
    return through && { ...through, value: [0, ...through.value], sd: [whole.sd[0]!, ...through.sd] };
  };
  const plain = fitted([0, 1]);
  if (plain === null) return none;
  const curved = levels.length >= 5 ? fitted([0, 1, 2]) : null;
  const bends =
    curved !== null &&
    curved.value[2]! ** 2 > NEEDED * curved.sd[2]! ** 2 &&
    curved.value[2]! > 0 &&
    curved.chi2 < plain.chi2 - NEEDED;
  const best = bends ? curved : plain;
  const slope = best.value[1]!;
  if (!(slope > 2 * best.sd[1]!)) return none;
  const n = levels.length;
  const read = Math.sqrt(Math.max(0, best.value[0]!));
  // Where reading does not show, its error is that of the variance's root.
  const readSd = read > 0 ? Math.min(best.sd[0]! / (2 * read), Math.sqrt(best.sd[0]!)) : Math.sqrt(best.sd[0]!);
  return {
    offset: best.value[0]!,
    slope,
    proportional: bends ? Math.sqrt(Math.max(0, best.value[2]!)) : 0,
    gain: { value: slope, sd: best.sd[1]!, n },
    read: blackKnown ? { value: read, sd: readSd, n } : null,
    levels,
  };
}

/** Coefficients of the powers of the signal, and how well they fit. */
interface Line {
  readonly value: readonly number[];
  readonly sd: readonly number[];
  readonly chi2: number;
}

/** Variance as a sum of powers of the signal, weighted; errors widened where the levels scatter more than they should. */
function leastSquares(levels: readonly NoiseLevel[], powers: readonly number[]): Line | null {
  const n = powers.length;
  const scale = levels.at(-1)!.signal_counts;
  const matrix = new Float64Array(n * n);
  const right = new Float64Array(n);
  const terms = (signal: number): number[] => powers.map((power) => (signal / scale) ** power);
  for (const { signal_counts, variance_counts2, sd_counts2 } of levels) {
    const own = terms(signal_counts);
    for (let i = 0; i < n; i++) {
      right[i] = right[i]! + (own[i]! * variance_counts2) / sd_counts2 ** 2;
      for (let j = 0; j < n; j++) matrix[i * n + j] = matrix[i * n + j]! + (own[i]! * own[j]!) / sd_counts2 ** 2;
    }
  }
  const inverse = invertSymmetric(matrix, n);
  if (inverse === null) return null;
  const value = timesVector(inverse, right, n);
  let chi2 = 0;
  for (const { signal_counts, variance_counts2, sd_counts2 } of levels) {
    const model = terms(signal_counts).reduce((sum, one, i) => sum + one * value[i]!, 0);
    chi2 += ((variance_counts2 - model) / sd_counts2) ** 2;
  }
  const wider = Math.sqrt(Math.max(1, chi2 / Math.max(1, levels.length - n)));
  return {
    value: Array.from(value, (one, i) => one / scale ** powers[i]!),
    sd: powers.map((power, i) => (wider * Math.sqrt(inverse[i * n + i]!)) / scale ** power),
    chi2,
  };
}

/** Variance at a signal: from the fit where there is one, else from the nearest level in proportion to the light. */
export function varianceOf(
  fit: Pick<Fit, "offset" | "slope" | "proportional" | "levels">,
  signal_counts: number,
): number {
  if (fit.slope > 0) return fit.offset + fit.slope * signal_counts + (fit.proportional * signal_counts) ** 2;
  const nearest = nearestLevel(fit.levels, signal_counts);
  return (nearest.variance_counts2 * signal_counts) / nearest.signal_counts;
}

/** The level whose light is nearest to a signal; there must be one. */
export function nearestLevel(levels: readonly NoiseLevel[], signal_counts: number): NoiseLevel {
  return levels.reduce((best, level) =>
    Math.abs(level.signal_counts - signal_counts) < Math.abs(best.signal_counts - signal_counts) ? level : best,
  );
}
