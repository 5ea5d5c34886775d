/** What changes for good in the runs of uneven images, from the first light to the last. */
import { median, quantile } from "../kernels/stats.js";
import { followPassage, type Passage } from "./passage.js";
import type { RelativeLight } from "./relative-light.js";
import type { Run } from "./uneven-runs.js";

/** A smaller step, in ln I, is left to lamp and focus. */
const LEAST_STEP = 0.01;
/** A pattern that does not move and comes in more lags than this, or is fainter, is left to lamp and focus. */
const SLOW = 3;
const FAINT = 0.025;

/** A run with what changed in it. */
export interface Change {
  readonly run: Run;
  readonly passage: Passage;
  readonly start_s: number;
  readonly end_s: number;
  readonly open: { readonly start: boolean; readonly end: boolean };
  readonly sign: number;
  readonly order: "front" | "homogeneous" | "undecided";
}

/** What bounds a run's changes. */
interface Surroundings {
  readonly before: Run | undefined;
  readonly after: Run | undefined;
  readonly lag_s: number;
  readonly splits_s: readonly number[];
  readonly movie_s: readonly [number, number];
}

/**
 * What changed in each run, in the order of time. A run without a credible change is looked at once more in two parts:
 * two changes close together may undo each other.
 */
export function changesIn(
  light: RelativeLight,
  runs: readonly Run[],
  { lag_s, splits_s, psf_um, movie_s }: Omit<Surroundings, "before" | "after"> & { readonly psf_um: number },
): Change[] {
  const least = leastSamples(light, psf_um);
  const lasting = ({ passage }: Change): boolean =>
    passage.n >= least && median(passage.step.map(Math.abs)) > LEAST_STEP;
  const credible = ({ order, passage }: Change): boolean =>
    isCrystals({ order, rise_s: passage.rise_s, step: median(passage.step) }, lag_s);
  return runs.flatMap((run, at) => {
    const [before, after] = [runs[at - 1], runs[at + 1]];
    const whole = changeOf(light, run, { before, after, lag_s, splits_s, movie_s });
    if (lasting(whole) && credible(whole)) return [whole];
    let best: readonly Change[] = [whole].filter(lasting);
    for (const [first, second] of partings(run, lag_s)) {
      const parts = [
        changeOf(light, first, { before, after: second, lag_s, splits_s, movie_s }),
        changeOf(light, second, { before: first, after, lag_s, splits_s, movie_s }),
      ];
      if (parts.every((part) => lasting(part) && credible(part)) && lightIn(parts) > lightIn(best)) best = parts;
    }
    return best;
  });
}

/** Light that changed in all, in units of one sample's. */
function lightIn(changes: readonly Change[]): number {
  return changes.reduce((sum, { passage }) => sum + passage.n * median(passage.step.map(Math.abs)), 0);
}

/** Whether a change is one of the crystal: it moves, or is at least quick and no fainter than a phase. */
export function isCrystals(
  { order, rise_s, step }: { readonly order: Change["order"]; readonly rise_s: number; readonly step: number },
  lag_s: number,
): boolean {
  return order === "front" || (rise_s < SLOW * lag_s && Math.abs(step) > FAINT);
}

/** A run parted in two at up to seven places, neither part shorter than a lag. */
function partings(run: Run, lag_s: number): [Run, Run][] {
  const room_s = run.to_s - run.from_s - 2 * lag_s;
  if (room_s < 0) return [];
  const places = Math.min(7, 1 + Math.floor((2 * room_s) / lag_s));
  return Array.from({ length: places }, (_, place) => {
    const at_s = run.from_s + lag_s + (places === 1 ? 0.5 : place / (places - 1)) * room_s;
    return [
      { ...run, to_s: at_s, reach_s: [run.reach_s[0], at_s], atEnd: false },
      { ...run, from_s: at_s, reach_s: [at_s, run.reach_s[1]], atBeginning: false },
    ];
  });
}

function changeOf(light: RelativeLight, run: Run, { before, after, lag_s, splits_s, movie_s }: Surroundings): Change {
  const middle_s = 0.5 * (run.from_s + run.to_s);
  const lowest_s = Math.max(-Infinity, ...splits_s.filter((split_s) => split_s <= middle_s));
  const highest_s = Math.min(Infinity, ...splits_s.filter((split_s) => split_s > middle_s));
  const from_s = Math.max(
    run.reach_s[0],
    lowest_s,
    before === undefined ? -Infinity : 0.5 * (before.to_s + run.from_s),
  );
  const to_s = Math.min(run.reach_s[1], highest_s, after === undefined ? Infinity : 0.5 * (run.to_s + after.from_s));
  const passage = followPassage(
    stretch(
      light,
      // The other runs' changes begin half a lag within them, by the middle of the times compared.
      Math.max(from_s - 6 * lag_s, (before?.to_s ?? -Infinity) - 0.5 * lag_s),
      Math.min(to_s + 6 * lag_s, (after?.from_s ?? Infinity) + 0.5 * lag_s),
    ),
    [from_s, to_s],
    [0.25, 0.5, 1, 2, 4].map((factor) => factor * lag_s).filter((lag) => lag >= 0.99 * light.interval_s),
  );
  const spot = light.noise.length / light.freedom;
  const start_s = firstLight(passage, 1, spot);
  const end_s = firstLight(passage, -1, spot);
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
    order: orderOf(passage, light),
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
 * When the first light changes (`sense` 1) or the last has (-1), from the moments of half change of each spot.
 *
 * Of the earliest moments a whole independent spot is taken, and from it what is expected of the smallest of as many
 * errors as there are spots at that time. The half of a spot comes later than its first light by a share of the rise that
 * the PSF makes, here of the earliest tenth; the fewer spots begin together, the greater the share: 0.4 where a whole edge
 * begins at once, 0.6 where a plane meets a round outline, 0.9 at a single corner (fronts of these kinds at 5 to 50 nm/s).
 */
function firstLight({ half_s, riseOf_s, rise_s, sd_s }: Passage, sense: 1 | -1, spot: number): number {
  const order = Array.from(half_s.keys())
    .filter((sample) => !Number.isNaN(half_s[sample]!))
    .sort((a, b) => sense * (half_s[a]! - half_s[b]!));
  if (order.length === 0) return NaN;
  const early = order.slice(0, Math.max(Math.ceil(2 * spot), Math.floor(0.1 * order.length)));
  const ownRise_s = median(early.map((sample) => riseOf_s[sample]!)) || rise_s;
  const at = (rank: number): number => sense * half_s[order[Math.min(order.length - 1, Math.floor(rank))]!]!;
  const first_s = at(0.5 * spot);
  const spotsWithin = (reach_s: number): number =>
    order.filter((sample) => sense * half_s[sample]! <= first_s + reach_s).length / spot;
  const together = spotsWithin(3 * sd_s);
  const smallest_s = together > 1.5 ? 0.8 * Math.sqrt(2 * Math.log(together)) * sd_s : 0;
  const share = Math.min(1.1, 0.36 + 1.25 / spotsWithin(0.5 * ownRise_s));
  return sense * (first_s + smallest_s - share * ownRise_s);
}

/** Samples that a change must cover to be one of the crystal: one and a half spots of light, blurred twice by the PSF. */
function leastSamples({ sampleArea_um2 }: RelativeLight, psf_um: number): number {
  return Math.max(3, (1.5 * 2 * Math.PI * 2 * psf_um * psf_um) / sampleArea_um2);
}

/**
 * Front where the moments of change run over more than the time of one spot's own change and neighbours agree on them;
 * homogeneous where the whole face changes and they are spread no more than their errors; else undecided.
 */
function orderOf({ half_s, n, sd_s, rise_s }: Passage, light: RelativeLight): Change["order"] {
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
