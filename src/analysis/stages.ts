/** Stretches of a transition at its own pace: a burst, a lag, a steady part, an acceleration. */
import { median } from "../kernels/stats.js";
import type { Curve, Stage } from "../model/experiment.js";

/** A lag is slower than one of these shares of the pace at which the typical piece of area is transformed. */
const LAG_PACES = [0.05, 0.1, 0.15, 0.2, 0.25, 0.3];
/** An acceleration is faster than the first half of its part by this factor, up to its end. */
const FASTER = 1.4;
/** Shares of the whole time and of the area below which a stretch is none. */
const SHORTEST = 0.08;
const SMALLEST = 0.02;
const SMALLEST_ACCELERATION = 0.1;
/** Width of the window in which a pace is taken, as a share of the whole time. */
const WINDOW = 0.06;
/** The transition is taken from and to these shares of what it transforms. */
const ENDS = [0.005, 0.995] as const;

/**
 * Stages of a transition from its phase fraction.
 *
 * The pace is the derivative of phi over a window of `bandwidth_s` or 6 % of the whole time, if that is longer. A lag is the
 * longest stretch within the transition at less than a share of the pace typical of the area, of shares up to 0.3 the
 * least that gives one; what comes before it is a burst.
 * The rest is steady up to where its pace rises, for good until 95 %, by a factor of 1.4 over that of its first half.
 */
export function stagesOf({ time_s, value }: Curve, bandwidth_s: number): Stage[] {
  const whole = value[value.length - 1] ?? 0;
  if (!(whole > 0)) return [];
  const at = (share: number): number => value.findIndex((phi) => phi >= share * whole);
  const first = at(ENDS[0]);
  const last = at(ENDS[1]);
  const length_s = time_s[last]! - time_s[first]!;
  if (!(length_s > 0)) return [];
  const step_s = time_s[1]! - time_s[0]!;
  const half = Math.max(1, Math.round((0.5 * Math.max(bandwidth_s, WINDOW * length_s)) / step_s));
  // At its ends a window that reaches beyond the transition would make every start and end slow.
  const pace = Float64Array.from(time_s, (_, k) => {
    const before = Math.max(first, k - half);
    const after = Math.min(last, k + half);
    return after > before ? (value[after]! - value[before]!) / (time_s[after]! - time_s[before]!) : 0;
  });
  const typical = paceOfArea(value, pace, first, last);
  const shortest = Math.max(2 * half, Math.round((SHORTEST * length_s) / step_s));
  const stage = (kind: Stage["kind"], from: number, to: number): Stage => ({
    kind,
    start_s: time_s[from]!,
    end_s: time_s[to]!,
    fraction: value[to]! - value[from]!,
  });
  const lag = LAG_PACES.map((share) => longestBelow(pace, share * typical, first, last)).find(
    (stretch) => stretch !== null && stretch.to - stretch.from >= shortest,
  );
  const stages: Stage[] = [];
  let rest = first;
  if (lag && lag.to < last && value[last]! - value[lag.to]! > SMALLEST * whole) {
    if (value[lag.from]! - value[first]! > SMALLEST * whole) stages.push(stage("burst", first, lag.from));
    stages.push(stage("lag", stages.length === 0 ? first : lag.from, lag.to));
    rest = lag.to;
  }
  const faster = accelerationFrom(pace, rest, at(0.95));
  if (faster === null || value[last]! - value[faster]! < SMALLEST_ACCELERATION * whole || last - faster < 2 * half) {
    return [...stages, stage("steady", rest, last)];
  }
  if (faster > rest) stages.push(stage("steady", rest, faster));
  return [...stages, stage("acceleration", faster, last)];
}

/** Pace at which the middle piece of area, ordered by pace, is transformed. */
function paceOfArea(value: Float64Array, pace: Float64Array, first: number, last: number): number {
  const pieces = Array.from({ length: last - first }, (_, k) => ({
    pace: pace[first + k]!,
    area: value[first + k + 1]! - value[first + k]!,
  })).sort((a, b) => a.pace - b.pace);
  const half = pieces.reduce((sum, { area }) => sum + area, 0) / 2;
  let sum = 0;
  for (const piece of pieces) {
    sum += piece.area;
    if (sum >= half) return piece.pace;
  }
  return 0;
}

function longestBelow(
  pace: Float64Array,
  limit: number,
  first: number,
  last: number,
): { readonly from: number; readonly to: number } | null {
  let longest: { from: number; to: number } | null = null;
  for (let k = first; k <= last; k++) {
    if (pace[k]! >= limit) continue;
    const from = k;
    while (k < last && pace[k + 1]! < limit) k++;
    if (longest === null || k - from > longest.to - longest.from) longest = { from, to: k };
  }
  return longest;
}

/** From where on the pace stays above FASTER times that of the first half; null where it does not. */
function accelerationFrom(pace: Float64Array, first: number, last: number): number | null {
  const before = median(pace.subarray(first, Math.ceil((first + last) / 2) + 1));
  let from = last;
  while (from > first && pace[from - 1]! > FASTER * before) from--;
  return from < last ? from : null;
}
