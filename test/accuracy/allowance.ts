/** What chance may add to a figure of a few draws before it says that a statement is not true. */

/**
 * Standard deviations that chance is allowed: none in a full run, whose figures are judged as they stand; four in a sample,
 * so that some thirty true statements together fail in fewer than one of a thousand runs.
 */
export function allowedSigmas(draws: number, full: number): number {
  return draws >= full ? 0 : 4;
}

/** Whether a root mean square of `n` independent normal errors may come from one of at most `limit`. */
export function rmsWithin(rms: number, n: number, limit: number, sigmas: number): boolean {
  // chi^2 of n degrees of freedom, by the cube root that is nearly normal (Wilson and Hilferty 1931).
  const spread = 2 / (9 * Math.max(1, n));
  const most = Math.max(1, (1 - spread + sigmas * Math.sqrt(spread)) ** 1.5);
  return rms <= (sigmas > 0 ? limit * most : limit);
}

/** Whether the mean of independent values may lie within -limit ... limit; their scatter is theirs. */
export function meanWithin(values: readonly number[], limit: number, sigmas: number): boolean {
  const n = values.length;
  if (n === 0) return false;
  const mean = values.reduce((sum, value) => sum + value / n, 0);
  if (Math.abs(mean) <= limit) return true;
  if (sigmas === 0 || n < 2) return false;
  const sd = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1));
  return Math.abs(mean) - wider(sigmas, n - 1) * (sd / Math.sqrt(n)) <= limit;
}

/** Whether `hits` of `n` may come from a true share of at least `least`: the binomial's lower tail. */
export function shareAtLeast(hits: number, n: number, least: number, sigmas: number): boolean {
  if (hits >= least * n) return true;
  return sigmas > 0 && least < 1 && binomialBelow(hits, n, least) >= normalTail(sigmas);
}

/** Whether `hits` of `n` may come from a true share of at most `most`. */
export function shareAtMost(hits: number, n: number, most: number, sigmas: number): boolean {
  return shareAtLeast(n - hits, n, 1 - most, sigmas);
}

/** Whether the median of independent values may be at most `limit`: half of them lie within it, as far as chance allows. */
export function medianAtMost(values: readonly number[], limit: number, sigmas: number): boolean {
  return shareAtLeast(values.filter((value) => value <= limit).length, values.length, 0.5, sigmas);
}

/**
 * Whether stated standard deviations are right: the share of |z| <= 1 is 68.27 % within `points` (0.05: five points).
 * Where z-scores of one draw hang together, give as `n` the number that are independent, and the share among all as `share`.
 */
export function sigmasRight(share: number, n: number, points: number, sigmas: number): boolean {
  const expected = 0.6827;
  return Math.abs(share - expected) <= points + sigmas * Math.sqrt((expected * (1 - expected)) / Math.max(1, n));
}

/** Student's quantile for the normal's, by Wallace's form (1959). */
function wider(sigmas: number, freedom: number): number {
  const normal = (sigmas * (8 * freedom + 3)) / (8 * freedom + 1);
  return Math.sqrt(freedom * Math.expm1(normal ** 2 / freedom));
}

function binomialBelow(hits: number, n: number, share: number): number {
  let sum = 0;
  let term = (1 - share) ** n;
  for (let k = 0; k <= hits; k++) {
    sum += term;
    term *= ((n - k) / (k + 1)) * (share / (1 - share));
  }
  return Math.min(1, sum);
}

/** Chance of a normal value beyond so many standard deviations, on one side (Abramowitz and Stegun 26.2.17). */
function normalTail(sigmas: number): number {
  const t = 1 / (1 + 0.2316419 * sigmas);
  const series = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return (Math.exp(-0.5 * sigmas * sigmas) / Math.sqrt(2 * Math.PI)) * series;
}
