/** The offset between two clocks, found where a particle's brightness answers the steps of the current. */
import { madSigma, median } from "../kernels/stats.js";
import type { Cycling } from "../model/cycling.js";
import type { Trace } from "../model/experiment.js";
import { directionOf, findSteps } from "./cycling-steps.js";
import { fitParabola } from "./parabola.js";

/** Movie time minus cycler time, with its standard error and the number of steps that it rests on. */
export interface StepOffset {
  readonly offset_s: number;
  readonly sd_s: number;
  readonly events: number;
}

/** Similarity of brightness and current below which nothing is believed, and its least lead over any other offset. */
const LEAST_SIMILARITY = 0.55;
const LEAST_LEAD = 0.08;
/** Samples of the movie that are compared with the record, and products formed in all, at most. */
const MOST_SAMPLES = 600;
const MOST_PRODUCTS = 5e7;
/** About a step the brightness is taken for two parabolas, each over so many frames or this share of the step. */
const SIDE_FRAMES = 12;
const SIDE_SHARES = [0.05, 0.15];
/** How much better two curves must be than one, in units of the noise per step. */
const LEAST_BREAK = 12;

/**
 * On traces of known offset the error was 1.4 times what the residuals' curvature says: two parabolas are not the
 * truth.
 */
const CURVES_ARE_ROUGH = 1.5;

/** A change of the current's direction, on the cycler's clock, and how long it may have taken unseen between rows. */
interface Event {
  readonly time_s: number;
  readonly gap_s: number;
}

/**
 * The offset at which the particle's brightness moves when the current drives it, one way on charge and the other on
 * discharge; null where that is not clear, not unique, or rests on fewer than two steps within the movie.
 *
 * First over all offsets, by the similarity of d(brightness)/dt and current, both clipped so that a sudden change
 * counts no more than a steady one, nothing being driven outside the record:
 *
 *     r = sum(g c) / sqrt(sum(g^2) max(sum(g^2), sum(c^2)))
 *
 * then by least squares: brightness as two parabolas that meet at each step, one offset for all. The sd comes from the
 * curvature of the residuals and from the time between the rows about a step. A particle that darkens on charge serves
 * as well.
 */
export function offsetFromSteps(trace: Trace, cycling: Cycling): StepOffset | null {
  const frames = Array.from(trace.time_s.keys()).filter((frame) => Number.isFinite(trace.intensity[frame]!));
  const time_s = Float64Array.from(frames, (frame) => trace.time_s[frame]!);
  const intensity = Float64Array.from(frames, (frame) => trace.intensity[frame]!);
  const events = turns(cycling);
  if (time_s.length < 4 * SIDE_FRAMES || events.length < 2) return null;
  const coarse = likeliest(time_s, intensity, cycling);
  if (coarse === null) return null;
  const interval_s = median(time_s.slice(1).map((now_s, frame) => now_s - time_s[frame]!));
  // A wider look bears more noise, and more of what else the particle does.
  for (const share of SIDE_SHARES) {
    const look = { time_s, intensity, events, interval_s, share };
    const first = refine(look, coarse.offset_s, coarse.within_s);
    if (first === null) continue;
    const within_s = Math.max(4 * interval_s, 5 * first.sd_s, coarse.within_s / 5);
    // What a closer look takes back, a wider one makes no truer: the steps were answered at different times.
    return refine(look, first.offset_s, within_s);
  }
  return null;
}

function turns(cycling: Cycling): Event[] {
  const steps = findSteps(cycling);
  const events: Event[] = [];
  for (let at = 1; at < steps.length; at++) {
    const [before, after] = [steps[at - 1]!, steps[at]!];
    if (directionOf(before) === directionOf(after)) continue;
    events.push({ time_s: 0.5 * (before.end_s + after.start_s), gap_s: after.start_s - before.end_s });
  }
  return events;
}

/** The offset of greatest similarity, and how far the truth may lie from it; null where another is nearly as good. */
function likeliest(
  time_s: Float64Array,
  intensity: Float64Array,
  cycling: Cycling,
): { readonly offset_s: number; readonly within_s: number } | null {
  const { time_s: record_s, charge_mAh } = cycling;
  const span_s = time_s.at(-1)! - time_s[0]!;
  const recordSpan_s = record_s.at(-1)! - record_s[0]!;
  const affordable = Math.floor(Math.sqrt((MOST_PRODUCTS * span_s) / (span_s + recordSpan_s)));
  const samples = Math.min(MOST_SAMPLES, time_s.length, affordable);
  if (samples < 40 || !(recordSpan_s > 0)) return null;
  const step_s = span_s / samples;
  const lag = Math.max(2, Math.round(samples / 60));
  const response = clippedResponse(binned(time_s, intensity, samples), lag);
  const drive = clippedDrive(record_s, charge_mAh, step_s, lag);
  const squares = new Float64Array(drive.length + 1);
  for (let at = 0; at < drive.length; at++) squares[at + 1] = squares[at]! + drive[at]! ** 2;
  const ownSquares = response.reduce((sum, value) => sum + value * value, 0);

  const similarity = new Float64Array(drive.length + samples);
  let best = 0;
  for (let shift = 0; shift < similarity.length; shift++) {
    // Sample `at` of the movie meets sample at + shift - samples of the record.
    const from = Math.max(0, samples - shift);
    const to = Math.min(samples, drive.length + samples - shift);
    let sum = 0;
    for (let at = from; at < to; at++) sum += response[at]! * drive[at + shift - samples]!;
    const energy = squares[Math.max(from, to) + shift - samples]! - squares[from + shift - samples]!;
    similarity[shift] = Math.abs(sum) / Math.sqrt(ownSquares * Math.max(ownSquares, energy) || 1);
    if (similarity[shift]! > similarity[best]!) best = shift;
  }
  const top = similarity[best]!;
  let left = best;
  while (left > 0 && similarity[left - 1]! > 0.5 * top) left--;
  let right = best;
  while (right < similarity.length - 1 && similarity[right + 1]! > 0.5 * top) right++;
  const other = similarity.reduce((most, value, at) => (at < left || at > right ? Math.max(most, value) : most), 0);
  if (top < LEAST_SIMILARITY || top - other < LEAST_LEAD) return null;
  // The record's samples begin `lag` samples before its first row.
  return { offset_s: time_s[0]! - record_s[0]! + (lag + samples - best) * step_s, within_s: lag * step_s };
}

/** Means of equal stretches of time; where no frame lies, on the straight line between neighbours. */
function binned(time_s: Float64Array, value: Float64Array, samples: number): Float64Array {
  const sum = new Float64Array(samples);
  const count = new Float64Array(samples);
  const scale = samples / (time_s.at(-1)! - time_s[0]!);
  for (let at = 0; at < time_s.length; at++) {
    const bin = Math.min(samples - 1, Math.floor((time_s[at]! - time_s[0]!) * scale));
    sum[bin]! += value[at]!;
    count[bin]! += 1;
  }
  const mean = sum.map((total, bin) => total / count[bin]!);
  let before = 0;
  for (let bin = 1; bin < samples; bin++) {
    if (count[bin] === 0) continue;
    for (let gap = before + 1; gap < bin; gap++) {
      mean[gap] = mean[before]! + ((gap - before) / (bin - before)) * (mean[bin]! - mean[before]!);
    }
    before = bin;
  }
  return mean;
}

function clippedResponse(value: Float64Array, lag: number): Float64Array {
  const samples = value.length;
  const change = value.map((_, at) => value[Math.min(samples - 1, at + lag)]! - value[Math.max(0, at - lag)]!);
  const bends = value.slice(2).map((now, at) => now - 2 * value[at + 1]! + value[at]!);
  const noise = (Math.SQRT2 * madSigma(bends)) / Math.sqrt(6);
  const scale = Math.max(median(change.map(Math.abs)), 3 * noise) || 1;
  return change.map((rate) => Math.tanh(rate / scale));
}

/**
 * Charge passed about each sample, clipped; `lag` samples are added before and after the record, where nothing passes.
 */
function clippedDrive(time_s: Float64Array, charge_mAh: Float64Array, step_s: number, lag: number): Float64Array {
  const samples = Math.ceil((time_s.at(-1)! - time_s[0]!) / step_s) + 2 * lag + 1;
  const charge = new Float64Array(samples + 2 * lag);
  let row = 0;
  let known_mAh = charge_mAh.find(Number.isFinite) ?? 0;
  for (let at = 0; at < charge.length; at++) {
    const now_s = time_s[0]! + (at - 2 * lag) * step_s;
    while (row < time_s.length && time_s[row]! <= now_s) {
      if (Number.isFinite(charge_mAh[row]!)) known_mAh = charge_mAh[row]!;
      row++;
    }
    charge[at] = known_mAh;
    if (row === 0 || row === time_s.length) continue;
    const share = (now_s - time_s[row - 1]!) / (time_s[row]! - time_s[row - 1]!);
    const ahead_mAh = charge_mAh[row]! - known_mAh;
    if (Number.isFinite(ahead_mAh)) charge[at] = known_mAh + share * ahead_mAh;
  }
  const passed = Float64Array.from({ length: samples }, (_, at) => charge[at + 2 * lag]! - charge[at]!);
  const most = passed.reduce((a, b) => Math.max(a, Math.abs(b)), 0) || 1;
  return passed.map((value) => Math.tanh(value / (0.3 * most)));
}

interface Look {
  readonly time_s: Float64Array;
  readonly intensity: Float64Array;
  readonly events: readonly Event[];
  readonly interval_s: number;
  /** Share of a step's length that is looked at on each side. */
  readonly share: number;
}

/** Two curves about every step: the common offset within `within_s` of a first guess that leaves least. */
function refine(
  { time_s, intensity, events, interval_s, share }: Look,
  guess_s: number,
  within_s: number,
): StepOffset | null {
  const windows: { time_s: number; gap_s: number; frames: number[] }[] = [];
  for (const [at, event] of events.entries()) {
    const before_s = event.time_s - (events[at - 1]?.time_s ?? -Infinity);
    const after_s = (events[at + 1]?.time_s ?? Infinity) - event.time_s;
    const shorter_s = Math.min(before_s, after_s, time_s.at(-1)! - time_s[0]!);
    const side_s = Math.max(SIDE_FRAMES * interval_s, share * shorter_s);
    const half_s = Math.min(side_s + within_s, 0.5 * Math.min(before_s, after_s));
    const middle_s = event.time_s + guess_s;
    const frames = Array.from(time_s.keys()).filter((frame) => Math.abs(time_s[frame]! - middle_s) <= half_s);
    const early = frames.filter((frame) => time_s[frame]! < middle_s - within_s).length;
    const late = frames.filter((frame) => time_s[frame]! > middle_s + within_s).length;
    if (early >= 6 && late >= 6) windows.push({ ...event, frames });
  }
  if (windows.length < 2) return null;
  const left = (offset_s: number): number => {
    let sum = 0;
    for (const { time_s: turn_s, frames } of windows)
      sum += brokenCurveLeft(time_s, intensity, frames, turn_s + offset_s);
    return sum;
  };
  const half = 20;
  const step_s = within_s / half;
  const squares = Float64Array.from({ length: 2 * half + 1 }, (_, at) => left(guess_s + (at - half) * step_s));
  const lowest = squares.indexOf(squares.reduce((a, b) => Math.min(a, b)));
  if (lowest === 0 || lowest === 2 * half) return null;
  const least = squares[lowest]!;
  const count = windows.reduce((sum, { frames }) => sum + frames.length, 0);
  const variance = least / Math.max(1, count - 5 * windows.length - 1);
  const unbroken = left(Infinity);
  if (unbroken - least < LEAST_BREAK * windows.length * variance) return null;
  // Wide enough that the raggedness of the squares does not pass for their curvature.
  const { from, to } = stretchBelow(squares, lowest, least + 9 * variance);
  const { vertex, bend } = fitParabola(
    Array.from({ length: to - from + 1 }, (_, at) => from + at),
    squares.subarray(from, to + 1),
  );
  const elsewhere = squares.some((value, at) => (at < from || at > to) && value <= least + 9 * variance);
  if (elsewhere || !(bend > 0) || Math.abs(vertex - lowest) > half / 4) return null;
  const unseen_s = Math.sqrt(windows.reduce((sum, { gap_s }) => sum + gap_s * gap_s, 0) / 12) / windows.length;
  return {
    offset_s: guess_s + (vertex - half) * step_s,
    sd_s: Math.hypot(CURVES_ARE_ROUGH * step_s * Math.sqrt(variance / bend), unseen_s),
    events: windows.length,
  };
}

/** First and last entry about the least one that lie below a height, two at least on each side. */
function stretchBelow(squares: Float64Array, lowest: number, height: number): { from: number; to: number } {
  let from = lowest;
  while (from > 0 && (squares[from - 1]! <= height || lowest - from < 2)) from--;
  let to = lowest;
  while (to < squares.length - 1 && (squares[to + 1]! <= height || to - lowest < 2)) to++;
  return { from, to };
}

/**
 * Squares left by two parabolas that meet at one time, fitted to some frames; by one parabola where that time is
 * infinite.
 */
function brokenCurveLeft(time_s: Float64Array, value: Float64Array, frames: readonly number[], turn_s: number): number {
  const broken = Number.isFinite(turn_s);
  const about_s = broken ? turn_s : time_s[frames[0]!]!;
  const since_s = frames.map((frame) => time_s[frame]! - about_s);
  const columns = [since_s.map(() => 1), since_s, since_s.map((s) => s * s)];
  if (broken)
    columns.push(
      since_s.map(Math.abs),
      since_s.map((s) => s * Math.abs(s)),
    );
  // Gram-Schmidt: what is left of the values after each column's share is taken out.
  const rest = frames.map((frame) => value[frame]!);
  const used: number[][] = [];
  for (const column of columns) {
    const direction = [...column];
    for (const earlier of used) take(direction, earlier);
    const size = Math.sqrt(direction.reduce((sum, entry) => sum + entry * entry, 0));
    if (!(size > 1e-9 * Math.sqrt(column.reduce((sum, entry) => sum + entry * entry, 0)))) continue;
    const unit = direction.map((entry) => entry / size);
    take(rest, unit);
    used.push(unit);
  }
  return rest.reduce((sum, entry) => sum + entry * entry, 0);
}

function take(from: number[], unit: readonly number[]): void {
  let share = 0;
  for (let at = 0; at < unit.length; at++) share += from[at]! * unit[at]!;
  for (let at = 0; at < unit.length; at++) from[at]! -= share * unit[at]!;
}
