/** How much earlier a spot's light is half changed where the boundary itself is bright. */
import type { RelativeLight } from "./relative-light.js";

/** Width of a boundary's line over that of the step, both blurred: between 1 (a thin line) and 1.22 (a line as wide as the PSF). */
const LINE_WIDTH = 1.1;
/** A line fainter than this share of the step, or one that does not take away this share of the misfit, is none. */
const FAINTEST = 0.05;
const BETTER = 0.5;

/** What is known of the samples that changed. */
interface Steps {
  readonly half_s: Float64Array;
  readonly riseOf_s: Float64Array;
  readonly rise_s: number;
  readonly before: Float64Array;
  readonly step: Float64Array;
}

/**
 * From the moment of half change to that of the boundary's middle, for a sample of typical rise; 0 where the boundary
 * is no line of its own.
 *
 * All light curves are laid over each other at their moments of half change; their mean is fitted by
 * Phi((t - t0) / a) + b exp(-((t - t0) / (1.1 a))^2 / 2). A line is symmetric about the boundary, a step is not: t0 tells
 * them apart.
 */
export function lineDelay(light: RelativeLight, steps: Steps): number {
  const { rise_s } = steps;
  const width_s = Math.max(light.interval_s / 3, rise_s / 8);
  const profile = meanProfile(light, steps, width_s);
  let bare = Infinity;
  let best = { misfit: Infinity, delay_s: 0, line: 0 };
  for (let narrow = 0.25; narrow <= 0.75; narrow += 0.025) {
    for (let late = -0.1; late <= 0.5; late += 0.0125) {
      const delay_s = late * rise_s;
      const fit = fitLine(profile, delay_s, narrow * rise_s);
      bare = Math.min(bare, fit.withoutLine);
      if (fit.misfit < best.misfit) best = { misfit: fit.misfit, delay_s, line: fit.line };
    }
  }
  return best.line > FAINTEST && best.misfit < BETTER * bare ? best.delay_s : 0;
}

interface Point {
  readonly t_s: number;
  readonly share: number;
}

/** Mean share of the step against the time since half of it, of samples whose rise is no more than half as long again. */
function meanProfile(
  { time_s, value }: RelativeLight,
  { half_s, riseOf_s, rise_s, before, step }: Steps,
  width_s: number,
): Point[] {
  const samples = half_s.length;
  const reach = Math.ceil((2 * rise_s) / width_s);
  const sum = new Float64Array(2 * reach + 1);
  const n = new Int32Array(2 * reach + 1);
  for (let sample = 0; sample < samples; sample++) {
    if (!(riseOf_s[sample]! < 1.5 * rise_s)) continue;
    for (let bin = 0; bin < time_s.length; bin++) {
      const at = Math.round((time_s[bin]! - half_s[sample]!) / width_s) + reach;
      const share = (value[bin * samples + sample]! - before[sample]!) / step[sample]!;
      if (!(at >= 0 && at < sum.length) || Number.isNaN(share)) continue;
      sum[at] = sum[at]! + share;
      n[at] = n[at]! + 1;
    }
  }
  return Array.from(sum, (total, at) => ({ t_s: (at - reach) * width_s, share: total / n[at]! })).filter(({ share }) =>
    Number.isFinite(share),
  );
}

/** Least-squares height of a line beside a step at t0 of width a, and the misfits with and without it. */
function fitLine(
  profile: readonly Point[],
  t0_s: number,
  a_s: number,
): { line: number; misfit: number; withoutLine: number } {
  let along = 0;
  let square = 0;
  let withoutLine = 0;
  for (const { t_s, share } of profile) {
    const u = (t_s - t0_s) / a_s;
    const line = Math.exp(-0.5 * (u / LINE_WIDTH) ** 2);
    const rest = share - normalIntegral(u);
    along += rest * line;
    square += line * line;
    withoutLine += rest * rest;
  }
  const line = along / square;
  return { line, misfit: withoutLine - line * along, withoutLine };
}

/** Integral of the standard normal density up to u, to 1e-7: Abramowitz and Stegun, 26.2.17. */
function normalIntegral(u: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(u));
  const tail =
    0.3989423 *
    Math.exp(-0.5 * u * u) *
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return u > 0 ? 1 - tail : tail;
}
