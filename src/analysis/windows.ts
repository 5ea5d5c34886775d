/** The frames around a transition that a fit of it may see. */
import { median } from "../kernels/stats.js";
import type { HalfCycle } from "../model/cycling.js";
import type { Transition } from "../model/experiment.js";

/** What the margins must not reach into. */
export interface Limits {
  /** Windows of all particles; only those of the same particle count. */
  readonly others: readonly Transition[];
  /** Half cycles on the movie's clock; empty where the clocks are not joined. */
  readonly halfCycles: readonly HalfCycle[];
}

/** Least margin: a fit needs level and slope on both sides of the last passing, too. */
const LEAST_S = 60;
const LEAST_FRAMES = 8;

/**
 * First and last frame (inclusive) of a window with a margin on both sides.
 *
 * The margin is half the window's length, at least 60 s and 8 frames; it ends at the neighbouring window of the same
 * particle (half of the way to it) and at the half cycle's ends, where the intensity has a kink.
 */
export function framesAround(
  time_s: Float64Array,
  window: Transition,
  { others, halfCycles }: Limits,
): { readonly first: number; readonly last: number } {
  const frames_s = LEAST_FRAMES * median(Float64Array.from(time_s.subarray(1), (t_s, k) => t_s - time_s[k]!));
  const margin_s = Math.max(LEAST_S, 0.5 * (window.end_s - window.start_s), frames_s || 0);
  let from_s = window.start_s - margin_s;
  let to_s = window.end_s + margin_s;
  for (const other of others) {
    if (other.particle !== window.particle || other.id === window.id) continue;
    if (other.end_s <= window.start_s) from_s = Math.max(from_s, 0.5 * (other.end_s + window.start_s));
    if (other.start_s >= window.end_s) to_s = Math.min(to_s, 0.5 * (other.start_s + window.end_s));
  }
  for (const { start_s, end_s } of halfCycles) {
    for (const edge_s of [start_s, end_s]) {
      if (edge_s <= window.start_s) from_s = Math.max(from_s, edge_s);
      if (edge_s >= window.end_s) to_s = Math.min(to_s, edge_s);
    }
  }
  let first = 0;
  while (first < time_s.length - 1 && time_s[first]! < from_s) first++;
  let last = time_s.length - 1;
  while (last > first && time_s[last]! > to_s) last--;
  return { first, last };
}
