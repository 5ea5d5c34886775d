/** The mean intensity of a particle in time. */
import type { Trace } from "../model/experiment.js";
import type { Stack } from "../model/movie.js";

/** Frames at the start whose mean is 1. */
const REFERENCE_FRAMES = 5;
/** Share of the outline's pixels that may be missing from a frame. */
const MISSING = 0.05;

/**
 * Mean intensity over the outline's pixels relative to the first (up to five) frames that show the particle:
 *
 *     i(t) = sum of I(p, t) / sum of I(p, first frames), over the pixels p known in both
 *
 * so that a pixel missing from a frame does not change its mean. NaN where more than 5 % of the outline is missing,
 * and everywhere if there is no light in the first frames. The frames come in stretches, so that not all have to be held.
 */
export function meanIntensity({ time_s, each }: Stretches, mask: Uint8Array, particle: number): Trace {
  const inside = Int32Array.from(
    [...mask.keys()].filter((pixel) => mask[pixel] !== 0),
    Number,
  );
  const least = Math.max(1, (1 - MISSING) * inside.length);
  const reference = referenceOf(each(), inside, least);
  const intensity = new Float64Array(time_s.length).fill(NaN);
  let at = 0;
  for (const stack of each()) {
    const size = stack.width * stack.height;
    for (let frame = 0; frame < stack.time_s.length; frame++, at++)
      intensity[at] = relativeMean(stack.data, frame * size, inside, reference, least);
  }
  return { particle, time_s, intensity };
}

/** Frames in order, some at a time, as often as they are asked for. */
export interface Stretches {
  readonly time_s: Float64Array;
  each(): Iterable<Stack>;
}

/** Mean of each pixel over the first frames that show enough of them; NaN for one that is in none. */
function referenceOf(stretches: Iterable<Stack>, inside: Int32Array, least: number): Float64Array {
  const sums = new Float64Array(inside.length);
  const counts = new Int32Array(inside.length);
  let used = 0;
  for (const { width, height, time_s, data } of stretches) {
    for (let frame = 0; frame < time_s.length && used < REFERENCE_FRAMES; frame++) {
      const start = frame * width * height;
      if (knownPixels(data, start, inside) < least) continue;
      used++;
      for (let k = 0; k < inside.length; k++) {
        const value = data[start + inside[k]!]!;
        if (Number.isNaN(value)) continue;
        sums[k] = sums[k]! + value;
        counts[k] = counts[k]! + 1;
      }
    }
    if (used === REFERENCE_FRAMES) break;
  }
  return sums.map((sum, k) => (counts[k] === 0 ? NaN : sum / counts[k]!));
}

function relativeMean(
  data: Float32Array,
  start: number,
  inside: Int32Array,
  reference: Float64Array,
  least: number,
): number {
  let [light, before, known] = [0, 0, 0];
  for (let k = 0; k < inside.length; k++) {
    const value = data[start + inside[k]!]!;
    const own = reference[k]!;
    if (Number.isNaN(value) || Number.isNaN(own)) continue;
    light += value;
    before += own;
    known++;
  }
  return known >= least && before > 0 ? light / before : NaN;
}

function knownPixels(data: Float32Array, start: number, inside: Int32Array): number {
  let known = 0;
  for (let k = 0; k < inside.length; k++) if (!Number.isNaN(data[start + inside[k]!]!)) known++;
  return known;
}
