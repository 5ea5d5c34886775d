/** The windows in time in which a particle changes unevenly, found from its images alone. */
import { median, quantile } from "../kernels/stats.js";
import type { Evenness } from "../model/experiment.js";
import type { Stack } from "../model/movie.js";
import { findEvenJumps } from "./jumps.js";
import { followPassage, type Passage } from "./passage.js";
import { relativeLight, type RelativeLight } from "./relative-light.js";
import { unevenRuns, type Run } from "./uneven-runs.js";
import type { Unevenness } from "./unevenness.js";

export { nameTransitions } from "./naming.js";

/** Runs of one half cycle are one transition if of the smaller one's spots at most this share changes in both. */
const MOST_OVERLAP = 0.35;
/** A smaller step, in ln I, is left to lamp and focus. */
const LEAST_STEP = 0.01;
/** A pattern that does not move and comes in more lags than this, or is fainter, is left to them, too. */
const SLOW = 3;
const FAINT = 0.025;

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
 * and of what a shift of the scene would give, has a spread that noise alone explains, or not; a window is a run of
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
  const longest_s =
    stack.time_s.length > 1 ? median(stack.time_s.slice(1).map((t_s, at) => t_s - stack.time_s[at]!)) : 0;
  const lag_s = Math.max(wanted_s, longest_s);
  if (lag_s > wanted_s) {
    warnings.push(`frames are ${round(longest_s)} s apart, so images are compared over that instead of ${wanted_s} s.`);
  }
  const light = relativeLight(stack, mask, { psf_um, lag_s });
  if (light === null) {
    warnings.push("the movie or the outline is too small to tell uneven change from noise: no window is sought.");
    return { windows: [], evenness: noEvenness(particle, stack), warnings };
  }
  const splits = [...splits_s].sort((a, b) => a - b);
  const { runs, found } = unevenRuns(light, { lag_s, threshold, splits_s: splits });
  const movie_s: readonly [number, number] = [stack.time_s[0]!, stack.time_s[stack.time_s.length - 1]!];
  const least = leastSamples(light, psf_um);
  const changes = runs
    .map((run, at) => changeOf(light, run, { before: runs[at - 1], after: runs[at + 1], lag_s, splits, movie_s }))
    .filter(({ passage }) => passage.n >= least && median(passage.step.map(Math.abs)) > LEAST_STEP);
  const uneven = group(changes, splits, lag_s)
    .map((parts) => windowOf(parts, light, movie_s))
    .filter(({ order, rise_s, step }) => order !== "undecided" || (rise_s < SLOW * lag_s && Math.abs(step) > FAINT));
  const jumps = findEvenJumps(light, { lag_s, threshold, splits_s: splits, taken: uneven }).map((jump) => ({
    ...jump,
    closed: true,
    order: "homogeneous" as const,
    rise_s: jump.end_s - jump.start_s,
    share: 1,
    movie_s,
  }));
  return {
    windows: [...uneven, ...jumps].sort((a, b) => a.start_s - b.start_s),
    evenness: frameByFrame(particle, stack, light, found),
    warnings,
  };
}

/** A run with what changed in it. */
interface Change {
  readonly run: Run;
  readonly passage: Passage;
  readonly start_s: number;
  readonly end_s: number;
  readonly open: { readonly start: boolean; readonly end: boolean };
  readonly sign: number;
}

function changeOf(
  light: RelativeLight,
  run: Run,
  {
    before,
    after,
    lag_s,
    splits,
    movie_s,
  }: {
    before: Run | undefined;
    after: Run | undefined;
    lag_s: number;
    splits: readonly number[];
    movie_s: readonly [number, number];
  },
): Change {
  const middle_s = 0.5 * (run.from_s + run.to_s);
  const lowest_s = Math.max(-Infinity, ...splits.filter((split_s) => split_s <= middle_s));
  const highest_s = Math.min(Infinity, ...splits.filter((split_s) => split_s > middle_s));
  const from_s = Math.max(
    run.reach_s[0],
    lowest_s,
    before === undefined ? -Infinity : 0.5 * (before.to_s + run.from_s),
  );
  const to_s = Math.min(run.reach_s[1], highest_s, after === undefined ? Infinity : 0.5 * (run.to_s + after.from_s));
  const passage = followPassage(
    stretch(light, from_s - 6 * lag_s, to_s + 6 * lag_s),
    [from_s, to_s],
    [0.25, 0.5, 1, 2, 4].map((factor) => factor * lag_s).filter((lag) => lag >= 0.99 * light.interval_s),
  );
  const spot = light.noise.length / light.freedom;
  const start_s = firstLight(passage.half_s, passage, spot);
  const end_s = -firstLight(
    passage.half_s.map((t_s) => -t_s),
    passage,
    spot,
  );
  const open = {
    start: run.atBeginning && !(start_s > movie_s[0] + 2 * lag_s),
    end: run.atEnd && !(end_s < movie_s[1] - 2 * lag_s),
  };
  let brighter = 0;
  for (const step of passage.step) if (step > 0) brighter++;
  return {
    run,
    passage,
    start_s: open.start ? movie_s[0] : Math.min(Math.max(start_s, lowest_s, movie_s[0]), highest_s),
    end_s: open.end ? movie_s[1] : Math.max(Math.min(end_s, highest_s, movie_s[1]), lowest_s),
    open,
    sign: 2 * brighter >= passage.n ? 1 : -1,
  };
}

/** The light between two times. */
function stretch(light: RelativeLight, from_s: number, to_s: number): RelativeLight {
  const samples = light.noise.length;
  let first = 0;
  while (first < light.time_s.length - 1 && light.time_s[first]! < from_s) first++;
  let end = light.time_s.length;
  while (end > first + 1 && light.time_s[end - 1]! > to_s) end--;
  return {
    ...light,
    time_s: light.time_s.subarray(first, end),
    frames: light.frames.subarray(first, end),
    noiseOfBin: light.noiseOfBin.subarray(first, end),
    value: light.value.subarray(first * samples, end * samples),
  };
}

/**
 * When the first light changes, from the moments at which half of each spot's light has.
 *
 * Of the earliest moments a whole independent spot is taken, and from it what is expected of the smallest of as many
 * errors as there are spots at that time. The half of a spot comes later than its first light by a share of the rise
 * that the PSF makes; the fewer spots begin together, the later: 0.35 where a whole edge begins at once, 0.55 where a
 * plane meets a round outline, 0.9 at a single corner (from fronts of these kinds at 5 to 70 nm/s).
 */
function firstLight(half_s: Float64Array, { sd_s, rise_s }: Passage, spot: number): number {
  const sorted = half_s.filter((t_s) => !Number.isNaN(t_s)).sort();
  if (sorted.length === 0) return NaN;
  const first_s = sorted[Math.min(sorted.length - 1, Math.floor(0.5 * spot))]!;
  const spotsWithin = (reach_s: number): number => sorted.filter((t_s) => t_s <= first_s + reach_s).length / spot;
  const together = spotsWithin(3 * sd_s);
  const smallest_s = together > 1.5 ? 0.8 * Math.sqrt(2 * Math.log(together)) * sd_s : 0;
  const late = Math.min(1, 0.3 + 1.3 / spotsWithin(0.5 * rise_s));
  return first_s + smallest_s - late * rise_s;
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
  if (next.start_s - last.end_s > Math.max(15 * lag_s, 2 * together_s)) return false;
  return changedAgain(parts, next) <= MOST_OVERLAP;
}

/**
 * How much of the smaller change falls on spots that had changed before: steps in units of the typical one, and
 * only what two steps make beyond a whole one, as the PSF gives the spots at a border a part of both.
 */
function changedAgain(parts: readonly Change[], next: Change): number {
  const typicalOf = ({ passage }: Change): number => median(passage.step.map(Math.abs));
  const typical = Math.max(...[...parts, next].map(typicalOf));
  const samples = next.passage.step.length;
  let earlier = 0;
  let later = 0;
  let again = 0;
  for (let sample = 0; sample < samples; sample++) {
    const partOf = ({ passage }: Change): number =>
      passage.changed[sample] === 1 ? Math.min(1, Math.abs(passage.step[sample]!) / typical) : 0;
    const first = Math.min(
      1,
      parts.reduce((sum, part) => sum + partOf(part), 0),
    );
    const second = partOf(next);
    earlier += first;
    later += second;
    again += Math.max(0, first + second - 1.1);
  }
  return again / Math.min(earlier, later);
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
    end_s: Math.max(...parts.map(({ end_s }) => end_s)),
    sd_s: Math.hypot(light.interval_s / Math.sqrt(12), sd_s),
    closed: !(first.open.start || last.open.end),
    order: orderOf(greatest.passage, light),
    rise_s: greatest.passage.rise_s,
    step: Math.expm1(median(steps)),
    share: n / samples,
    movie_s,
  };
}

/**
 * Front where the moments of change run over more than the time of one spot's own change and neighbours agree on them;
 * homogeneous where the whole face changes and they are spread no more than their errors; else undecided.
 */
function orderOf({ half_s, n, sd_s, rise_s }: Passage, light: RelativeLight): FoundWindow["order"] {
  const range_s = quantile(half_s, 0.95) - quantile(half_s, 0.05);
  if (range_s < 3.3 * Math.hypot(sd_s, light.interval_s / Math.sqrt(12))) {
    return n > 0.9 * half_s.length ? "homogeneous" : "undecided";
  }
  return range_s > Math.max(rise_s, 2 * light.interval_s) && coherence(half_s, light) > 0.35 ? "front" : "undecided";
}

/** Correlation of the moments of change of spots about three PSF apart (Moran's I). */
function coherence(half_s: Float64Array, { x_px, y_px, smoothing_px }: RelativeLight): number {
  const changed: number[] = [];
  for (let at = 0; at < half_s.length; at++) if (!Number.isNaN(half_s[at]!)) changed.push(at);
  const mean = changed.reduce((sum, at) => sum + half_s[at]!, 0) / changed.length;
  const variance = changed.reduce((sum, at) => sum + (half_s[at]! - mean) ** 2, 0) / changed.length;
  const stride = Math.max(1, Math.floor(changed.length / 300));
  let product = 0;
  let pairs = 0;
  for (let pick = 0; pick < changed.length; pick += stride) {
    const a = changed[pick]!;
    for (const b of changed) {
      const distance_px = Math.hypot(x_px[a]! - x_px[b]!, y_px[a]! - y_px[b]!);
      if (distance_px < 2.5 * smoothing_px || distance_px > 3.5 * smoothing_px) continue;
      product += (half_s[a]! - mean) * (half_s[b]! - mean);
      pairs++;
    }
  }
  return pairs === 0 || variance === 0 ? 0 : product / pairs / variance;
}

/** Samples that a change must cover to be one of the crystal: one and a half spots of light, blurred twice by the PSF. */
function leastSamples({ sampleArea_um2 }: RelativeLight, psf_um: number): number {
  return Math.max(3, (1.5 * 2 * Math.PI * 2 * psf_um * psf_um) / sampleArea_um2);
}

function frameByFrame(particle: number, stack: Stack, light: RelativeLight, found: Unevenness): Evenness {
  const ofFrames = (values: Float64Array): Float64Array => Float64Array.from(light.binOfFrame, (bin) => values[bin]!);
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
