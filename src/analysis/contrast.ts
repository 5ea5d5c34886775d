/** Contrast images of a stack: against the start, against a moment before, across a whole transition. */
import { median } from "../kernels/stats.js";
import { ParameterError } from "../model/errors.js";
import type { Image, Stack } from "../model/movie.js";

/** A stretch of time, both ends included. */
export interface Span {
  readonly start_s: number;
  readonly end_s: number;
}

/**
 * Intensity since the start: B(p, t) = I(p, t) - I(p, reference), in the stack's own units.
 *
 * The reference is the frame nearest to reference_s; left out, the first frame that holds any light. The stack stays
 * as it was. After Merryweather et al. 2021, Fig. 2b.
 */
export function backgroundSubtracted(stack: Stack, reference_s?: number): Stack {
  const { time_s, data } = stack;
  const size = stack.width * stack.height;
  let reference = 0;
  if (reference_s === undefined) reference = firstLit(stack);
  else {
    checkWithin(time_s, reference_s, "reference_s");
    reference = nearest(time_s, reference_s);
  }
  const before = data.subarray(reference * size, (reference + 1) * size);
  const difference = new Float32Array(data.length);
  for (let frame = 0, at = 0; frame < time_s.length; frame++)
    for (let pixel = 0; pixel < size; pixel++, at++) difference[at] = data[at]! - before[pixel]!;
  return { ...stack, data: difference };
}

/**
 * Sequential contrast: D(p, t) = I(p, t) / I(p, t - lag_s) - 1, as many frames as the stack has, stamped as they are.
 *
 * The frame before is the one whose stamp is nearest to t - lag_s, within half an interval; where there is none (the
 * first lag_s, a pause) the frame is NaN. With width_s, means over width_s about both moments are compared, and
 * frames whose means would reach beyond the stack are NaN. NaN too where the denominator is not positive.
 * After Merryweather et al. 2021, Figs 3 and 5. The stack's black level must have been subtracted, or the contrast is
 * too small by the pedestal's share.
 */
export function differentialContrast(
  stack: Stack,
  { lag_s, width_s = 0 }: { readonly lag_s: number; readonly width_s?: number },
): Stack {
  const { time_s, data } = stack;
  const size = stack.width * stack.height;
  const interval_s = checkLag(time_s, lag_s, width_s);
  const contrast = new Float32Array(data.length).fill(NaN);
  if (time_s.length < 2) return { ...stack, data: contrast };
  const reach_s = 0.5 * interval_s * (1 + 1e-6);
  const half_s = 0.5 * width_s + (width_s > 0 ? 1e-6 * interval_s : 0);
  const later = new Float64Array(size);
  const earlier = new Float64Array(size);
  for (let frame = 0; frame < time_s.length; frame++) {
    const before_s = time_s[frame]! - lag_s;
    const before = nearest(time_s, before_s);
    if (before >= frame || Math.abs(time_s[before]! - before_s) > reach_s) continue;
    const start = frame * size;
    if (width_s === 0) {
      ratio(data.subarray(start, start + size), data.subarray(before * size, (before + 1) * size), contrast, start);
      continue;
    }
    if (time_s[before]! - half_s < time_s[0]! - reach_s) continue;
    if (time_s[frame]! + half_s > time_s[time_s.length - 1]! + reach_s) continue;
    meanBetween(stack, time_s[frame]! - half_s, time_s[frame]! + half_s, later);
    meanBetween(stack, time_s[before]! - half_s, time_s[before]! + half_s, earlier);
    ratio(later, earlier, contrast, start);
  }
  return { ...stack, data: contrast };
}

/**
 * Total contrast over a transition: T(p) = I(p, after) / I(p, before) - 1, each the mean over its span's frames.
 * NaN where a pixel has no light in a span or the denominator is not positive.
 * After Merryweather et al. 2021, Fig. 5a, b.
 */
export function totalContrast(stack: Stack, before: Span, after: Span): Image {
  const size = stack.width * stack.height;
  const earlier = new Float64Array(size);
  const later = new Float64Array(size);
  if (meanBetween(stack, before.start_s, before.end_s, earlier) === 0) throw noFrames("before", before, stack);
  if (meanBetween(stack, after.start_s, after.end_s, later) === 0) throw noFrames("after", after, stack);
  const data = new Float32Array(size);
  ratio(later, earlier, data, 0);
  return { width: stack.width, height: stack.height, pixelSize_um: stack.pixelSize_um, data };
}

/** a / b - 1 into `into` from `at` on. */
function ratio(a: ArrayLike<number>, b: ArrayLike<number>, into: Float32Array, at: number): void {
  for (let pixel = 0; pixel < a.length; pixel++) into[at + pixel] = b[pixel]! > 0 ? a[pixel]! / b[pixel]! - 1 : NaN;
}

/** Mean of every pixel over the frames stamped from start_s to end_s, NaN left out; gives the number of frames. */
function meanBetween(stack: Stack, start_s: number, end_s: number, into: Float64Array): number {
  const { time_s, data } = stack;
  const size = into.length;
  const known = new Int32Array(size);
  into.fill(0);
  let frames = 0;
  for (let frame = 0; frame < time_s.length; frame++) {
    if (time_s[frame]! < start_s || time_s[frame]! > end_s) continue;
    frames++;
    for (let pixel = 0, at = frame * size; pixel < size; pixel++, at++) {
      const value = data[at]!;
      if (Number.isNaN(value)) continue;
      into[pixel] = into[pixel]! + value;
      known[pixel] = known[pixel]! + 1;
    }
  }
  for (let pixel = 0; pixel < size; pixel++) into[pixel] = into[pixel]! / known[pixel]!;
  return frames;
}

function firstLit({ time_s, data, width, height }: Stack): number {
  const size = width * height;
  for (let frame = 0; frame < time_s.length; frame++) {
    for (let at = frame * size; at < (frame + 1) * size; at++) if (!Number.isNaN(data[at]!)) return frame;
  }
  return 0;
}

/** The frame whose stamp is nearest; stamps rise. */
function nearest(time_s: Float64Array, moment_s: number): number {
  let low = 0;
  let high = time_s.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (time_s[middle]! <= moment_s) low = middle;
    else high = middle;
  }
  return high > low && time_s[high]! - moment_s < moment_s - time_s[low]! ? high : low;
}

/** The frames' usual interval, once lag and width are known to be possible with it. */
function checkLag(time_s: Float64Array, lag_s: number, width_s: number): number {
  const steps = Array.from({ length: Math.max(0, time_s.length - 1) }, (_, at) => time_s[at + 1]! - time_s[at]!);
  const interval_s = steps.length > 0 ? median(steps) : 0;
  const least = Number(interval_s.toPrecision(3));
  // A hundredth allows for stamps that jitter about the nominal interval.
  if (!(lag_s > 0) || lag_s < 0.99 * interval_s) {
    throw new ParameterError(`lag_s is ${lag_s} but frames are ${least} s apart. Use at least ${least}.`, {
      parameter: "lag_s",
      value: lag_s,
    });
  }
  if (!(width_s >= 0) || width_s > lag_s) {
    throw new ParameterError(
      `width_s is ${width_s} but the moments compared are ${lag_s} s apart. Use 0 to ${lag_s}, so that the means do not overlap.`,
      { parameter: "width_s", value: width_s },
    );
  }
  return interval_s;
}

function checkWithin(time_s: Float64Array, moment_s: number, parameter: string): void {
  const [first, last] = [time_s[0] ?? NaN, time_s[time_s.length - 1] ?? NaN];
  if (moment_s >= first && moment_s <= last) return;
  throw new ParameterError(
    `${parameter} is ${moment_s} but the stack runs from ${first} to ${last} s. Choose a time within it.`,
    { parameter, value: moment_s },
  );
}

function noFrames(parameter: string, { start_s, end_s }: Span, { time_s }: Stack): ParameterError {
  const extent = time_s.length > 0 ? `it runs from ${time_s[0]} to ${time_s[time_s.length - 1]} s` : "it has none";
  return new ParameterError(
    `${parameter} is ${start_s} to ${end_s} s but no frame of the stack lies there; ${extent}. Choose a span that holds a frame.`,
    { parameter, value: [start_s, end_s] },
  );
}
