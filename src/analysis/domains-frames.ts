/** The frames before and after a transition that show what order changed for good. */
import type { Transition } from "../model/experiment.js";
import type { Limits } from "./windows.js";

/** Longer than this no side needs to be: noise is averaged, and the course of the solid solution stays straight. */
const MOST_S = 180;

/**
 * First and last frame (inclusive) for the total contrast of a window: up to 180 s on both sides, no farther than the neighbouring
 * windows of the particle and the half cycle's ends. All the way to a neighbour, unlike the frames of a front's fit, since
 * walls settle and are seen best late.
 */
export function framesBeside(
  time_s: Float64Array,
  window: Pick<Transition, "id" | "particle" | "start_s" | "end_s">,
  { others, halfCycles }: Limits,
): { readonly first: number; readonly last: number } {
  let from_s = window.start_s - MOST_S;
  let to_s = window.end_s + MOST_S;
  for (const other of others) {
    if (other.particle !== window.particle || other.id === window.id) continue;
    if (other.end_s <= window.start_s) from_s = Math.max(from_s, other.end_s + other.sd_s);
    if (other.start_s >= window.end_s) to_s = Math.min(to_s, other.start_s - other.sd_s);
  }
  for (const edge_s of halfCycles.flatMap(({ start_s, end_s }) => [start_s, end_s])) {
    if (edge_s <= window.start_s) from_s = Math.max(from_s, edge_s);
    if (edge_s >= window.end_s) to_s = Math.min(to_s, edge_s);
  }
  let first = 0;
  while (first < time_s.length - 1 && time_s[first]! < from_s) first++;
  let last = time_s.length - 1;
  while (last > first && time_s[last]! > to_s) last--;
  return { first, last };
}
