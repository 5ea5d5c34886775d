/** Stretches of uneven images: runs above noise over a short and a long lag, put together. */
import { mean } from "../kernels/stats.js";
import type { RelativeLight } from "./relative-light.js";
import { unevenness, type Unevenness } from "./unevenness.js";

/** Uneven images before and after a pause of up to so many lags are one run. */
const LONGEST_PAUSE = 30;
/** Mean deviate of images that are not quiet, though none of them exceeds the threshold. */
const RESTLESS = 1.5;
/** The second, longer lag, in lags: it sees fronts that move less than a PSF within one lag. */
const LONG = 4;

/** A stretch of images that are more uneven than noise, by the middle of the two times compared. */
export interface Run {
  readonly from_s: number;
  readonly to_s: number;
  /** Where its changes may lie at most. */
  readonly reach_s: readonly [number, number];
  /** Whether it was on already in the first image that could be judged, and in the last. */
  readonly atBeginning: boolean;
  readonly atEnd: boolean;
}

/**
 * Runs of images that exceed noise by `threshold` standard deviations over one lag or over four, in the order of time;
 * none spans a split. With them the unevenness over one lag.
 */
export function unevenRuns(
  light: RelativeLight,
  { lag_s, threshold, splits_s }: { lag_s: number; threshold: number; splits_s: readonly number[] },
): { readonly runs: readonly Run[]; readonly found: Unevenness } {
  const found = unevenness(light, lag_s);
  const short = runsAbove(found, threshold, lag_s, splits_s);
  const long = runsAbove(unevenness(light, LONG * lag_s), threshold, lag_s, splits_s);
  return { runs: joinScales(short, long, found), found };
}

/** Runs of images above the threshold; quiet ones for up to `bridge_s` do not part them, a split or a long pause does. */
function runsAbove(
  { centre_s, sigmas, lag_s }: Unevenness,
  threshold: number,
  bridge_s: number,
  splits: readonly number[],
): Run[] {
  const found: { from_s: number; to_s: number; atBeginning: boolean; atEnd: boolean }[] = [];
  let judged = 0;
  let quiet = 0;
  for (let bin = 0; bin < centre_s.length; bin++) {
    if (Number.isNaN(sigmas[bin]!)) continue;
    judged++;
    const open = found[found.length - 1];
    if (sigmas[bin]! < threshold) {
      if (open !== undefined) open.atEnd = false;
      quiet++;
      continue;
    }
    const t_s = centre_s[bin]!;
    const gap_s = t_s - (open?.to_s ?? -Infinity);
    const parted = splits.some((split_s) => split_s > t_s - gap_s && split_s <= t_s);
    if (open !== undefined && !parted && gap_s <= (quiet === 0 ? LONGEST_PAUSE * bridge_s : bridge_s)) {
      open.to_s = t_s;
      open.atEnd = true;
    } else found.push({ from_s: t_s, to_s: t_s, atBeginning: judged === 1, atEnd: true });
    quiet = 0;
  }
  return found.map((run) => ({ ...run, reach_s: [run.from_s - 0.5 * lag_s, run.to_s + 0.5 * lag_s] }));
}

/**
 * Runs over one lag, joined and widened by what four lags show around them, and those that only four lags show.
 * Two runs within one long run are joined where the images between them are not quiet: a front that is now and then
 * too slow for one lag.
 */
function joinScales(short: readonly Run[], long: readonly Run[], found: Unevenness): Run[] {
  const { lag_s } = found;
  const joined: Run[] = [];
  for (const run of short) {
    const last = joined[joined.length - 1];
    const common = last !== undefined && long.some((other) => other.from_s <= last.to_s && other.to_s >= run.from_s);
    if (common && meanSigmas(found, last.to_s, run.from_s) > RESTLESS) {
      joined[joined.length - 1] = {
        from_s: last.from_s,
        to_s: run.to_s,
        reach_s: [last.reach_s[0], run.reach_s[1]],
        atBeginning: last.atBeginning,
        atEnd: run.atEnd,
      };
    } else joined.push(run);
  }
  // What changes within a run is seen over four lags up to two and a half lags before and after it.
  const blur_s = 0.75 * LONG * lag_s;
  const meets = (a: Run, b: Run, margin_s: number): boolean =>
    a.from_s <= b.to_s + margin_s && b.from_s <= a.to_s + margin_s;
  const widened = joined.map((run) => {
    const around = long.filter((other) => meets(run, other, 0));
    return {
      ...run,
      reach_s: [
        Math.min(run.reach_s[0], ...around.map((other) => other.from_s + lag_s)),
        Math.max(run.reach_s[1], ...around.map((other) => other.to_s - lag_s)),
      ] as const,
      atBeginning:
        run.atBeginning ||
        (around.some((other) => other.atBeginning) && meanSigmas(found, -Infinity, run.from_s) > RESTLESS),
      atEnd: run.atEnd || (around.some((other) => other.atEnd) && meanSigmas(found, run.to_s, Infinity) > RESTLESS),
    };
  });
  const alone = long.filter((run) => !joined.some((other) => meets(run, other, blur_s)));
  return [...widened, ...alone].sort((a, b) => a.from_s - b.from_s);
}

function meanSigmas({ centre_s, sigmas }: Unevenness, from_s: number, to_s: number): number {
  return mean(sigmas.filter((_, bin) => centre_s[bin]! > from_s && centre_s[bin]! < to_s));
}
