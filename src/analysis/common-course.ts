/** How the whole of a particle brightens in time while a front crosses it: a ramp, its kinks, what is left of flicker. */
import { type Arena, ordinaryArrays } from "../kernels/compiled.js";
import { median, quantileInPlace, medianStep } from "../kernels/stats.js";
import type { ArrivalFit } from "./arrival-fit.js";
import type { PixelCourses } from "./pixel-courses.js";

/** A pixel tells of the whole where the front is farther than so many widths of its passing. */
const FAR = 5;
/** Pixels that must tell, and as many as need be asked. */
const FEWEST = 40;
const ENOUGH = 2500;
/** Times the variance that noise gives, above which steps from frame to frame are uneven; the same for their sum. */
const UNEVEN = 2.5;
const UNEVEN_SUM = 4;

/**
 * Light of the whole particle in each frame, as a factor that is 1 in the first: from one frame to the next the median
 * ratio over the pixels that the front has left behind or not yet reached. Where too few are, the factor goes on at the
 * pace of the frames around. Where it is a straight line within noise, it is that line. Null where nothing tells of it.
 */
export function commonCourse(
  courses: PixelCourses,
  fit: ArrivalFit,
  kept: Uint8Array,
  area_px2: number,
): Float64Array | null {
  const { time_s, relative, pixels, noise } = courses;
  const frames = time_s.length;
  const stride = Math.max(1, Math.floor(pixels.length / ENOUGH));
  const buffer = new Float64Array(pixels.length);
  const rise = new Float64Array(frames - 1).fill(NaN);
  const variance = new Float64Array(frames - 1);
  const oneNoise = median(noise);
  for (let k = 0; k < frames - 1; k++) {
    let n = 0;
    for (let i = 0; i < pixels.length; i += stride) {
      const reach_s = FAR * fit.width_s[i]!;
      if (kept[i] === 1 && fit.arrival_s[i]! > time_s[k]! - reach_s && fit.arrival_s[i]! < time_s[k + 1]! + reach_s)
        continue;
      const ratio = relative[i * frames + k + 1]! / relative[i * frames + k]!;
      if (Number.isFinite(ratio)) buffer[n++] = ratio;
    }
    if (n < FEWEST) continue;
    rise[k] = quantileInPlace(buffer, n, 0.5) - 1;
    // Of the median of n ratios, of which as many are independent as there are blurs among the pixels.
    variance[k] = (Math.PI * oneNoise * oneNoise) / Math.max(1, Math.min(n, (n * stride) / area_px2));
  }
  const interval_s = medianStep(time_s);
  const pace = median(rise.map((value, k) => value / (time_s[k + 1]! - time_s[k]!)));
  let squares = 0;
  let sum = 0;
  let farthest = 0;
  let expected = 0;
  let n = 0;
  for (let k = 0; k < frames - 1; k++) {
    if (!Number.isFinite(rise[k]!)) continue;
    const off = rise[k]! - pace * (time_s[k + 1]! - time_s[k]!);
    squares += (off * off) / variance[k]!;
    sum += off;
    farthest = Math.max(farthest, Math.abs(sum));
    expected += variance[k]!;
    n++;
  }
  if (n < 3) return null;
  if (squares < UNEVEN * n && farthest < UNEVEN_SUM * Math.sqrt(expected)) {
    return time_s.map((t_s) => 1 + pace * (t_s - time_s[0]!));
  }
  const factor = new Float64Array(frames).fill(1);
  for (let k = 0; k < frames - 1; k++) {
    const own = Number.isFinite(rise[k]!)
      ? rise[k]!
      : paceAround(rise, time_s, k, interval_s) * (time_s[k + 1]! - time_s[k]!);
    factor[k + 1] = factor[k]! * (1 + own);
  }
  return factor;
}

/**
 * The same before any front is known: the median ratio over all pixels. Where a front passes a small part of the particle in a
 * frame it says little to that.
 */
export function everyPixelsCourse({ time_s, relative, pixels }: PixelCourses): Float64Array {
  const frames = time_s.length;
  const factor = new Float64Array(frames).fill(1);
  const buffer = new Float64Array(pixels.length);
  for (let k = 0; k < frames - 1; k++) {
    let n = 0;
    for (let i = 0; i < pixels.length; i++) {
      const ratio = relative[i * frames + k + 1]! / relative[i * frames + k]!;
      if (Number.isFinite(ratio)) buffer[n++] = ratio;
    }
    factor[k + 1] = factor[k]! * (n === 0 ? 1 : quantileInPlace(buffer, n, 0.5));
  }
  return factor;
}

/** Mean pace of the nearest frames on both sides that tell one. */
function paceAround(rise: Float64Array, time_s: Float64Array, k: number, interval_s: number): number {
  const found: number[] = [];
  for (const way of [-1, 1]) {
    for (let other = k + way; other >= 0 && other < rise.length; other += way) {
      if (!Number.isFinite(rise[other]!)) continue;
      found.push(rise[other]! / Math.max(time_s[other + 1]! - time_s[other]!, 0.1 * interval_s));
      break;
    }
  }
  return found.length === 0 ? 0 : found.reduce((sum, one) => sum + one, 0) / found.length;
}

/** Courses divided by the light of the whole, laid in `arena`. */
export function withoutCommon(
  courses: PixelCourses,
  factor: Float64Array,
  arena: Arena = ordinaryArrays,
): PixelCourses {
  const frames = courses.time_s.length;
  const relative = arena.floats(courses.relative.length);
  for (let start = 0; start < relative.length; start += frames) {
    for (let k = 0; k < frames; k++) relative[start + k] = courses.relative[start + k]! / factor[k]!;
  }
  return { ...courses, relative };
}
