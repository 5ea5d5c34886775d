/** Other ways to pick the moment of passing from a course: simpler, and each with its bias. */
import { madSigma } from "../kernels/stats.js";
import type { Estimator } from "../model/experiment.js";
import type { FollowedFront } from "./follow-front.js";
import type { PixelCourses } from "./pixel-courses.js";

export interface PickOptions {
  readonly estimator: Exclude<Estimator, "step+line">;
  /** Time compared before and after. */
  readonly lag_s: number;
}

export interface PickedArrivals {
  readonly arrival_s: Float32Array;
  readonly sd_s: Float32Array;
  /** To be subtracted from the arrivals. */
  readonly bias_s: number;
  readonly lag_s: number;
}

/**
 * One moment a kept course, sought within two lags of the fitted passing.
 *
 * "matched": where the mean of the next lag exceeds that of the lag before most, the slope taken off, by a parabola; a
 * bright line moves it early. "argmax": the frame at which I(t) / I(t - lag) - 1 is greatest; for a pure step that is
 * lag / 2 late, which is stated as its bias, less with a line. "half-rise": where the course, its slope
 * taken off, first rises through half of the step; a bright line moves it early.
 *
 * The standard error, one for all, is the scatter of these moments about the fitted ones.
 */
export function pickArrivals(
  courses: PixelCourses,
  { fit, kept, sign }: FollowedFront,
  { estimator, lag_s }: PickOptions,
): PickedArrivals {
  const { time_s, relative } = courses;
  const frames = time_s.length;
  const pick = { matched, argmax, "half-rise": halfRise }[estimator];
  const arrival_s = new Float32Array(kept.length).fill(NaN);
  const straight = new Float64Array(frames);
  for (let i = 0; i < kept.length; i++) {
    if (kept[i] === 0) continue;
    const centre_s = fit.arrival_s[i]!;
    const level = fit.level[i]!;
    // The course as a share of its step, upward, with the slope taken off.
    for (let k = 0; k < frames; k++) {
      const without = relative[i * frames + k]! - level - fit.slope_per_s[i]! * (time_s[k]! - centre_s);
      straight[k] = (sign * without) / Math.abs(fit.height[i]!);
    }
    arrival_s[i] = pick({
      time_s,
      straight,
      lag_s,
      from_s: centre_s - 2 * lag_s,
      to_s: centre_s + 2 * lag_s,
      level: (sign * level) / Math.abs(fit.height[i]!),
    });
  }
  const bias_s = estimator === "argmax" ? lag_s / 2 : 0;
  const scatter_s = madSigma(arrival_s.map((value, i) => value - fit.arrival_s[i]!));
  const sd_s = arrival_s.map((value, i) => (Number.isFinite(value) ? Math.hypot(scatter_s, fit.sd_s[i]!) : NaN));
  return { arrival_s, sd_s, bias_s, lag_s };
}

interface Course {
  readonly time_s: Float64Array;
  /** 0 before, 1 after the step. */
  readonly straight: Float64Array;
  readonly lag_s: number;
  readonly from_s: number;
  readonly to_s: number;
  /** Light before the step, in steps. */
  readonly level: number;
}

/** Candidates lie on frames and between them, so that both sides hold the same number of frames in turn. */
function matched({ time_s, straight, lag_s, from_s, to_s }: Course): number {
  const at: number[] = [];
  const contrast: number[] = [];
  for (let k = 0; k < time_s.length - 1; k++) {
    const middle_s = 0.5 * (time_s[k]! + time_s[k + 1]!);
    if (middle_s < from_s || middle_s > to_s) continue;
    const before = meanBetween(time_s, straight, middle_s - lag_s, middle_s);
    const after = meanBetween(time_s, straight, middle_s, middle_s + lag_s);
    if (!Number.isFinite(after - before)) continue;
    at.push(middle_s);
    contrast.push(after - before);
  }
  return peak(at, contrast);
}

function meanBetween(time_s: Float64Array, values: Float64Array, from_s: number, to_s: number): number {
  let sum = 0;
  let n = 0;
  for (let k = 0; k < time_s.length; k++) {
    if (time_s[k]! <= from_s || time_s[k]! > to_s || !Number.isFinite(values[k]!)) continue;
    sum += values[k]!;
    n++;
  }
  return n === 0 ? NaN : sum / n;
}

/** Place of the greatest value, by a parabola through it and its neighbours. */
function peak(at: readonly number[], value: readonly number[]): number {
  let best = -1;
  for (let k = 0; k < value.length; k++) if (best < 0 || value[k]! > value[best]!) best = k;
  if (best < 0) return NaN;
  if (best === 0 || best === value.length - 1) return at[best]!;
  const [x0, x1, x2] = [at[best - 1]! - at[best]!, 0, at[best + 1]! - at[best]!];
  const [y0, y1, y2] = [value[best - 1]!, value[best]!, value[best + 1]!];
  const left = (y1 - y0) / (x1 - x0);
  const right = (y2 - y1) / (x2 - x1);
  const bend = (right - left) / (x2 - x0);
  if (!(bend < 0)) return at[best]!;
  return at[best]! + Math.max(x0, Math.min(x2, 0.5 * (x0 + x1) - left / (2 * bend)));
}

function argmax({ time_s, straight, lag_s, from_s, to_s, level }: Course): number {
  let best_s = NaN;
  let most = -Infinity;
  for (let k = 1; k < time_s.length; k++) {
    if (time_s[k]! < from_s || time_s[k]! > to_s + lag_s) continue;
    const earlier = valueAt(time_s, straight, time_s[k]! - lag_s);
    const ratio = (straight[k]! + level) / (earlier + level);
    const rise = level < 0 ? 1 - ratio : ratio - 1;
    if (rise > most) {
      most = rise;
      best_s = time_s[k]!;
    }
  }
  return best_s;
}

/** Between frames by a straight line; NaN outside them. */
function valueAt(time_s: Float64Array, values: Float64Array, t_s: number): number {
  for (let k = 1; k < time_s.length; k++) {
    if (time_s[k]! < t_s) continue;
    if (t_s < time_s[0]!) return NaN;
    const share = (t_s - time_s[k - 1]!) / (time_s[k]! - time_s[k - 1]!);
    return values[k - 1]! + share * (values[k]! - values[k - 1]!);
  }
  return NaN;
}

function halfRise({ time_s, straight, from_s, to_s }: Course): number {
  for (let k = 1; k < time_s.length; k++) {
    if (time_s[k]! < from_s || time_s[k - 1]! > to_s) continue;
    const [before, after] = [straight[k - 1]!, straight[k]!];
    if (before < 0.5 && after >= 0.5) {
      return time_s[k - 1]! + ((0.5 - before) / (after - before)) * (time_s[k]! - time_s[k - 1]!);
    }
  }
  return NaN;
}
