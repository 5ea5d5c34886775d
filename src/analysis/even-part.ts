/** What all spots of a particle share while a front passes them one after another. */
import { median } from "../kernels/stats.js";
import type { RelativeLight } from "./relative-light.js";

/**
 * The change that all samples share, from those not within three quarters of their lag of their own step.
 *
 * Least squares of value(p, t) = level(p, before or after) + even(t); the levels are eliminated, what is left for even(t)
 * is solved by conjugate gradients. A slight preference for straight lines decides what the data leave open: where all
 * samples step at once, the step is theirs and not the even part's.
 */
export function evenPart(light: RelativeLight, at_s: Float64Array, lag_s: Float64Array): Float64Array {
  const { time_s, value } = light;
  const bins = time_s.length;
  const samples = at_s.length;
  const phases: Phase[] = [];
  const right = new Float64Array(bins);
  for (let sample = 0; sample < samples; sample++) {
    for (const phase of phasesOf(time_s, at_s[sample]!, 0.75 * lag_s[sample]!)) {
      let sum = 0;
      for (let bin = phase.first; bin < phase.end; bin++) sum += value[bin * samples + sample]!;
      // One unknown value, and the sample stands aside: bins without any light are filled before.
      if (Number.isNaN(sum)) continue;
      const level = sum / (phase.end - phase.first);
      for (let bin = phase.first; bin < phase.end; bin++) {
        right[bin] = right[bin]! + value[bin * samples + sample]! - level;
      }
      phases.push(phase);
    }
  }
  const stiffness = { weight: 3 * samples, span: Math.max(2, Math.round(median(lag_s) / light.interval_s)) };
  return conjugateGradients((even) => normalMatrix(even, phases, stiffness), right, 200);
}

/** A stretch of bins in which a sample keeps its level. */
interface Phase {
  readonly first: number;
  readonly end: number;
}

/** The price of a bend of the even part, from one mean over `span` bins to the next. */
interface Stiffness {
  readonly weight: number;
  readonly span: number;
}

function phasesOf(time_s: Float64Array, at_s: number, guard_s: number): Phase[] {
  if (Number.isNaN(at_s)) return [{ first: 0, end: time_s.length }];
  let end = 0;
  while (end < time_s.length && time_s[end]! <= at_s - guard_s) end++;
  let first = end;
  while (first < time_s.length && time_s[first]! < at_s + guard_s) first++;
  return [
    { first: 0, end },
    { first, end: time_s.length },
  ].filter((phase) => phase.end - phase.first > 1);
}

/** Normal equations of the even part, by running sums: each phase counts a bin less the phase's mean. */
function normalMatrix(even: Float64Array, phases: readonly Phase[], stiffness: Stiffness): Float64Array {
  const bins = even.length;
  const upTo = new Float64Array(bins + 1);
  for (let bin = 0; bin < bins; bin++) upTo[bin + 1] = upTo[bin]! + even[bin]!;
  const counted = new Float64Array(bins + 1);
  const means = new Float64Array(bins + 1);
  for (const { first, end } of phases) {
    const mean = (upTo[end]! - upTo[first]!) / (end - first);
    counted[first] = counted[first]! + 1;
    counted[end] = counted[end]! - 1;
    means[first] = means[first]! + mean;
    means[end] = means[end]! - mean;
  }
  const result = new Float64Array(bins);
  let n = 0;
  let mean = 0;
  for (let bin = 0; bin < bins; bin++) {
    n += counted[bin]!;
    mean += means[bin]!;
    result[bin] = n * even[bin]! - mean;
  }
  // Means over `span` bins, bent from one stretch to the next; then the same backwards.
  const { weight, span } = stiffness;
  const bends = new Float64Array(bins + 1);
  for (let bin = 0; bin + 3 * span <= bins; bin++) {
    const bend = upTo[bin + 3 * span]! - 3 * upTo[bin + 2 * span]! + 3 * upTo[bin + span]! - upTo[bin]!;
    const force = (weight * bend) / (span * span);
    bends[bin] = bends[bin]! + force;
    bends[bin + span] = bends[bin + span]! - 3 * force;
    bends[bin + 2 * span] = bends[bin + 2 * span]! + 3 * force;
    bends[bin + 3 * span] = bends[bin + 3 * span]! - force;
  }
  let force = 0;
  for (let bin = 0; bin < bins; bin++) {
    force += bends[bin]!;
    result[bin] = result[bin]! + force;
  }
  return result;
}

/** Solves a symmetric system whose null space does not matter. */
function conjugateGradients(
  apply: (vector: Float64Array) => Float64Array,
  right: Float64Array,
  most: number,
): Float64Array {
  const solution = new Float64Array(right.length);
  const rest = right.slice();
  const direction = right.slice();
  let square = dot(rest, rest);
  const enough = 1e-12 * square;
  for (let round = 0; round < most && square > enough; round++) {
    const image = apply(direction);
    const along = square / dot(direction, image);
    for (let at = 0; at < solution.length; at++) {
      solution[at] = solution[at]! + along * direction[at]!;
      rest[at] = rest[at]! - along * image[at]!;
    }
    const next = dot(rest, rest);
    for (let at = 0; at < solution.length; at++) direction[at] = rest[at]! + (next / square) * direction[at]!;
    square = next;
  }
  return solution;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += a[at]! * b[at]!;
  return sum;
}
