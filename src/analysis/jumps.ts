/** Sudden even changes of a particle's light: far quicker than the solid solution, the same all over its face. */
import { linearFit, madSigma } from "../kernels/stats.js";
import type { RelativeLight } from "./relative-light.js";

/** The least jump, in ln I, and the evidence asked of it as a multiple of the threshold. */
const LEAST_JUMP = 0.02;
const EVIDENCE = 2;
/** A jump must be so many times what the ramp beside it does in the same time. */
const ABOVE_RAMP = 5;

/** A sudden even change. */
export interface EvenJump {
  readonly start_s: number;
  readonly end_s: number;
  readonly sd_s: number;
  /** Step of the light as a fraction. */
  readonly step: number;
}

/**
 * Jumps of the mean light. On each side of a moment a straight line is laid through three lags of the trace; what parts
 * the two lines at that moment is the jump, so that neither a ramp nor a kink of it counts. None is sought within a lag of
 * a split (the start of a half cycle, where the light may answer the current) nor within a window that is `taken`.
 */
export function findEvenJumps(
  light: RelativeLight,
  {
    lag_s,
    threshold,
    splits_s,
    taken,
  }: {
    lag_s: number;
    threshold: number;
    splits_s: readonly number[];
    taken: readonly { readonly start_s: number; readonly end_s: number }[];
  },
): EvenJump[] {
  const { time_s, interval_s } = light;
  const trace = meanTrace(light);
  const noise = traceNoise(trace, time_s);
  const guard_s = Math.max(0.25 * lag_s, 1.01 * interval_s);
  const found: (Omit<EvenJump, "sd_s"> & { at_s: number; strength: number })[] = [];
  for (let bin = 0; bin < time_s.length; bin++) {
    const at_s = time_s[bin]!;
    if (splits_s.some((split_s) => Math.abs(split_s - at_s) < lag_s + guard_s)) continue;
    if (taken.some(({ start_s, end_s }) => at_s > start_s - 2 * lag_s && at_s < end_s + 2 * lag_s)) continue;
    const from_s = Math.max(at_s - 3 * lag_s, ...splits_s.filter((split_s) => split_s < at_s));
    const to_s = Math.min(at_s + 3 * lag_s, ...splits_s.filter((split_s) => split_s > at_s));
    const before = lineThrough(trace, time_s, from_s, at_s - guard_s, at_s);
    const after = lineThrough(trace, time_s, at_s + guard_s, to_s, at_s);
    if (before === null || after === null) continue;
    const jump = after.value - before.value;
    const sd = Math.hypot(Math.max(before.sd, noise * before.gain), Math.max(after.sd, noise * after.gain));
    const ramp = 2 * guard_s * Math.max(Math.abs(before.slope), Math.abs(after.slope));
    if (!(Math.abs(jump) > Math.max(LEAST_JUMP, EVIDENCE * threshold * sd, ABOVE_RAMP * ramp))) continue;
    const one = {
      at_s,
      step: Math.expm1(jump),
      strength: Math.abs(jump),
      ...riseOf(trace, time_s, before, after, at_s, guard_s),
    };
    const last = found[found.length - 1];
    if (last === undefined || at_s - last.at_s > 3 * lag_s) found.push(one);
    else if (one.strength > last.strength) found[found.length - 1] = one;
  }
  return found.map(({ start_s, end_s, step }) => ({ start_s, end_s, sd_s: interval_s / Math.sqrt(3), step }));
}

/** The last moment below 15 % of a jump and the next above 85 %, within twice the guard of a moment near it. */
function riseOf(
  trace: Float64Array,
  time_s: Float64Array,
  before: Line,
  after: Line,
  at_s: number,
  guard_s: number,
): { start_s: number; end_s: number } {
  let start_s = at_s - 2 * guard_s;
  let end_s = at_s + 2 * guard_s;
  for (let bin = time_s.length - 1; bin >= 0; bin--) {
    const t_s = time_s[bin]!;
    if (Math.abs(t_s - at_s) > 2 * guard_s) continue;
    const low = before.value + before.slope * (t_s - at_s);
    const high = after.value + after.slope * (t_s - at_s);
    const share = (trace[bin]! - low) / (high - low);
    if (share > 0.85) end_s = t_s;
    if (share >= 0.15) continue;
    start_s = t_s;
    break;
  }
  return { start_s, end_s };
}

interface Line {
  readonly value: number;
  readonly slope: number;
  /** Error of the value from the scatter about the line, and its ratio to that of one point. */
  readonly sd: number;
  readonly gain: number;
}

function meanTrace({ value, time_s, noise }: RelativeLight): Float64Array {
  const samples = noise.length;
  return time_s.map((_, bin) => {
    let sum = 0;
    let known = 0;
    for (let sample = 0; sample < samples; sample++) {
      const one = value[bin * samples + sample]!;
      if (Number.isNaN(one)) continue;
      sum += one;
      known++;
    }
    return known > 0.5 * samples ? sum / known : NaN;
  });
}

/** Noise of one value of the trace, by second differences. */
function traceNoise(trace: Float64Array, time_s: Float64Array): number {
  const rough: number[] = [];
  for (let bin = 1; bin + 1 < trace.length; bin++) {
    const before = (time_s[bin + 1]! - time_s[bin]!) / (time_s[bin + 1]! - time_s[bin - 1]!);
    const bend = trace[bin]! - before * trace[bin - 1]! - (1 - before) * trace[bin + 1]!;
    rough.push(bend / Math.sqrt(1 + before ** 2 + (1 - before) ** 2));
  }
  return madSigma(rough);
}

/** A line through a stretch of the trace, its value at `at_s` with the sd from its scatter; null with fewer than five points. */
function lineThrough(
  trace: Float64Array,
  time_s: Float64Array,
  from_s: number,
  to_s: number,
  at_s: number,
): Line | null {
  const x: number[] = [];
  const y: number[] = [];
  for (let bin = 0; bin < time_s.length; bin++) {
    if (time_s[bin]! < from_s || time_s[bin]! > to_s || Number.isNaN(trace[bin]!)) continue;
    x.push(time_s[bin]! - at_s);
    y.push(trace[bin]!);
  }
  if (x.length < 5) return null;
  const { slope, intercept, interceptSd } = linearFit(x, y);
  const mean = x.reduce((sum, one) => sum + one, 0) / x.length;
  const spread = x.reduce((sum, one) => sum + (one - mean) ** 2, 0);
  return { value: intercept, sd: interceptSd, gain: Math.sqrt(1 / x.length + (mean * mean) / spread), slope };
}
