/** The windows in time in which a particle changes unevenly, found from its images alone. */
import { median } from "../kernels/stats.js";
import type { Evenness } from "../model/experiment.js";
import type { Stack } from "../model/movie.js";
import { findEvenJumps } from "./jumps.js";
import { changesIn, isCrystals, type Change } from "./changes.js";
import { relativeLight, type RelativeLight } from "./relative-light.js";
import { unevenRuns } from "./uneven-runs.js";
import type { Unevenness } from "./unevenness.js";

export { nameTransitions } from "./naming.js";

/** Runs of one half cycle are one transition if at most this share of the smaller one changes again what had changed. */
const MOST_AGAIN = 0.4;

/** How windows are sought. */
export interface TransitionOptions {
  readonly particle: number;
  /** Time over which images are compared. */
  readonly lag_s: number;
  /** Unevenness above noise that counts, in standard deviations. */
  readonly threshold: number;
  /** Standard deviation of the point spread. */
  readonly psf_um: number;
  /** Starts of half cycles; no window spans one. */
  readonly splits_s: readonly number[];
}

/** A window as the images tell it, before the cycler names it. */
export interface FoundWindow {
  /** When the first light changed and when the last had. */
  readonly start_s: number;
  readonly end_s: number;
  readonly sd_s: number;
  readonly closed: boolean;
  readonly order: "front" | "homogeneous" | "undecided";
  /** Typical time from 15 to 85 % of one spot's step. */
  readonly rise_s: number;
  /** Typical step of the light where it changed, as a fraction; negative where it darkens. */
  readonly step: number;
  /** Share of the particle's face that changed. */
  readonly share: number;
  /** First and last time of the movie. */
  readonly movie_s: readonly [number, number];
}

/**
 * Windows in which a particle changes unevenly, the unevenness of every frame beside them.
 *
 * A differential image D = I(t) / I(t - lag) - 1, smoothed by a PSF, freed of its mean (a solid solution changes evenly)
 * and of what a shift or defocus of the scene would give, has a spread that noise alone explains, or not; a window is a run of
 * images whose spread exceeds noise by `threshold` standard deviations, over one lag or over four. Runs of one half cycle
 * that change different spots in the same sense are one transition (a burst, a pause, the rest); where the same spots
 * change again it is another. Start and end are those of the light itself, freed of lag and PSF: see `followPassage`.
 * Sudden even changes are added where nothing else explains them.
 */
export function findTransitions(
  stack: Stack,
  mask: Uint8Array,
  { particle, lag_s: wanted_s, threshold, psf_um, splits_s }: TransitionOptions,
): { readonly windows: FoundWindow[]; readonly evenness: Evenness; readonly warnings: string[] } {
  const warnings: string[] = [];
  const usual_s = stack.time_s.length > 1 ? median(stack.time_s.slice(1).map((t_s, at) => t_s - stack.time_s[at]!)) : 0;
  const lag_s = Math.max(wanted_s, usual_s);
  if (lag_s > wanted_s) {
    warnings.push(`frames are ${round(usual_s)} s apart, so images are compared over that instead of ${wanted_s} s.`);
  }
  const light = relativeLight(stack, mask, { psf_um, lag_s });
  if (light === null) {
    warnings.push("the movie or the outline is too small to tell uneven change from noise: no window is sought.");
    return { windows: [], evenness: noEvenness(particle, stack), warnings };
  }
  const splits = [...splits_s].sort((a, b) => a - b);
  const movie_s: readonly [number, number] = [stack.time_s[0]!, stack.time_s[stack.time_s.length - 1]!];
  const uneven = unevenRuns(light, { lag_s, threshold, splits_s: splits });
  const changes = changesIn(light, uneven.runs, { lag_s, splits_s: splits, psf_um, movie_s });
  const found = group(changes, splits, lag_s)
    .map((parts) => windowOf(parts, light, movie_s))
    .filter((window) => isCrystals(window, lag_s) && !answersCurrent(window, splits, lag_s));
  const jumps = findEvenJumps(light, { lag_s, threshold, splits_s: splits, taken: found }).map((jump) => ({
    ...jump,
    closed: true,
    order: "homogeneous" as const,
    rise_s: jump.end_s - jump.start_s,
    share: 1,
    movie_s,
  }));
  return {
    windows: [...found, ...jumps].sort((a, b) => a.start_s - b.start_s),
    evenness: frameByFrame(particle, stack, light, uneven.found),
    warnings,
  };
}

/** Whether a sudden change of the whole face lies within a lag of a half cycle's start, where the light answers the current. */
function answersCurrent({ order, start_s, end_s }: FoundWindow, splits: readonly number[], lag_s: number): boolean {
  return order === "homogeneous" && splits.some((at_s) => at_s > start_s - lag_s && at_s < end_s + lag_s);
}

/** Runs of one transition put together, in the order of time. */
function group(changes: readonly Change[], splits: readonly number[], lag_s: number): Change[][] {
  const groups: Change[][] = [];
  for (const change of changes) {
    const open = groups[groups.length - 1];
    if (open !== undefined && belongs(open, change, splits, lag_s)) open.push(change);
    else groups.push([change]);
  }
  return groups;
}

function belongs(parts: readonly Change[], next: Change, splits: readonly number[], lag_s: number): boolean {
  const last = parts[parts.length - 1]!;
  if (splits.some((split_s) => split_s > last.run.to_s && split_s <= next.run.from_s)) return false;
  if (last.sign !== next.sign) return false;
  const together_s = last.end_s - parts[0]!.start_s + next.end_s - next.start_s;
  if (next.start_s - last.end_s > Math.max(20 * lag_s, 3 * together_s)) return false;
  return changedAgain(parts, next) <= MOST_AGAIN;
}

/**
 * How much of the smaller change falls on spots that were whole before: 1 where the same spots change again, 0 where the
 * second change brings what the first has left, as at the border of both, where the PSF gives a spot a part of each.
 */
function changedAgain(parts: readonly Change[], next: Change): number {
  const typicalOf = ({ passage }: Change): number => median(passage.step.map(Math.abs));
  const whole = Math.max(...[...parts, next].map(typicalOf));
  const partOf = ({ passage }: Change, sample: number): number =>
    passage.changed[sample] === 1 ? Math.abs(passage.step[sample]!) / whole : 0;
  const total = { earlier: 0, later: 0 };
  const common = { earlier: 0, later: 0, samples: 0 };
  for (let sample = 0; sample < next.passage.step.length; sample++) {
    const earlier = parts.reduce((sum, part) => sum + partOf(part, sample), 0);
    const later = partOf(next, sample);
    total.earlier += earlier;
    total.later += later;
    if (earlier === 0 || later === 0) continue;
    common.samples++;
    common.earlier += earlier;
    common.later += later;
  }
  if (common.samples === 0) return 0;
  const smaller = total.earlier < total.later ? "earlier" : "later";
  const excess = common.earlier + common.later - common.samples;
  return (common[smaller] / total[smaller]) * Math.max(0, excess / Math.min(common.earlier, common.later));
}

function windowOf(parts: readonly Change[], light: RelativeLight, movie_s: readonly [number, number]): FoundWindow {
  const steps = parts.flatMap(({ passage }) => [...passage.step].filter((step) => !Number.isNaN(step)));
  const samples = light.noise.length;
  let n = 0;
  for (let sample = 0; sample < samples; sample++) {
    if (parts.some(({ passage }) => passage.changed[sample] === 1)) n++;
  }
  const greatest = parts.reduce((one, other) => (other.passage.n > one.passage.n ? other : one));
  const first = parts[0]!;
  const last = parts[parts.length - 1]!;
  const sd_s = Math.max(...parts.map(({ passage }) => Math.hypot(passage.sd_s, 0.1 * passage.rise_s)));
  return {
    start_s: first.start_s,
    end_s: Math.max(first.start_s, ...parts.map(({ end_s }) => end_s)),
    sd_s: Math.hypot(light.interval_s / Math.sqrt(12), sd_s),
    closed: !(first.open.start || last.open.end),
    order: greatest.order,
    rise_s: greatest.passage.rise_s,
    step: Math.expm1(median(steps)),
    share: n / samples,
    movie_s,
  };
}

function frameByFrame(particle: number, stack: Stack, light: RelativeLight, found: Unevenness): Evenness {
  const ofFrames = (values: Float64Array): Float64Array =>
    Float64Array.from(light.binOfFrame, (bin) => values[bin] ?? NaN);
  return {
    particle,
    time_s: stack.time_s,
    unevenness: ofFrames(found.spread),
    expected: ofFrames(found.expected),
  };
}

function noEvenness(particle: number, { time_s }: Stack): Evenness {
  const unknown = new Float64Array(time_s.length).fill(NaN);
  return { particle, time_s, unevenness: unknown, expected: unknown };
}

function round(value: number): number {
  return Number(value.toPrecision(3));
}
