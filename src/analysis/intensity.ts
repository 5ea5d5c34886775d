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
 * and everywhere if there is no light in the first frames.
 */
export function meanIntensity(stack: Stack, mask: Uint8Array, particle: number): Trace {
  const { time_s, data } = stack;
  const size = stack.width * stack.height;
  const inside: number[] = [];
  for (let pixel = 0; pixel < size; pixel++) if (mask[pixel]) inside.push(pixel);
  const least = Math.max(1, (1 - MISSING) * inside.length);

  const sums = new Float64Array(inside.length);
  const counts = new Int32Array(inside.length);
  for (let frame = 0, used = 0; frame < time_s.length && used < REFERENCE_FRAMES; frame++) {
    if (knownPixels(data, frame * size, inside) < least) continue;
    used++;
    for (const [at, pixel] of inside.entries()) {
      const value = data[frame * size + pixel]!;
      if (Number.isNaN(value)) continue;
      sums[at] = sums[at]! + value;
      counts[at] = counts[at]! + 1;
    }
  }

  const intensity = new Float64Array(time_s.length).fill(NaN);
  for (let frame = 0; frame < time_s.length; frame++) {
    let light = 0;
    let reference = 0;
    let known = 0;
    for (let at = 0; at < inside.length; at++) {
      const value = data[frame * size + inside[at]!]!;
      if (Number.isNaN(value) || counts[at] === 0) continue;
      light += value;
      reference += sums[at]! / counts[at]!;
      known++;
    }
    if (known >= least && reference > 0) intensity[frame] = light / reference;
  }
  return { particle, time_s, intensity };
}

function knownPixels(data: Float32Array, start: number, inside: readonly number[]): number {
  let known = 0;
  for (const pixel of inside) if (!Number.isNaN(data[start + pixel]!)) known++;
  return known;
}
