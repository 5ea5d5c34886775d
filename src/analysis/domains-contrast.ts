/** The total contrast of an ordering transition, freed of the microscope's part, and how much of it is noise. */
import { gaussianBlur } from "../kernels/filter.js";
import { invertSymmetric, timesVector } from "../kernels/normal-equations.js";
import { linearFit, madSigma, median, medianStep } from "../kernels/stats.js";
import type { Estimate } from "../model/experiment.js";
import type { Stack } from "../model/movie.js";

/** What ordering changed in each pixel. */
export interface OrderContrast {
  /** I(p, after) / I(p, before) - 1, drift and defocus taken out; NaN outside the outline. */
  readonly total: Float32Array;
  /** The same without its smooth part, a surface of second order; NaN where a line cannot be told from the rim. */
  readonly fine: Float32Array;
  /** Standard error of one pixel from the scatter of its frames; and the middle one, which a spot that blinks does not move. */
  readonly noise: number;
  /** Change of the mean light beside its course before and after. */
  readonly step: Estimate | null;
  readonly frames: { readonly before: number; readonly after: number };
}

/** Lines are sought where so much of a point spread lies within the outline: 1.5 of its standard deviations inside a straight edge. */
const INSIDE = 0.9332;
/** Fewer frames on either side tell no scatter. */
const LEAST_FRAMES = 3;
/** The mean light's course is straight for so long beside a window. */
const BESIDE_S = 60;
/** So many tell the scatter well. */
const MANY_FRAMES = 6;
/** Deviations that no longer steer the smooth part. */
const CLIP = 2.5;
const PASSES = 6;

/**
 * The total contrast between the frames of a stack before a window and those after it; null where there are too few, or the
 * outline holds too few pixels. After Merryweather et al. 2021, Fig. 5a, b.
 *
 * Frames less than `wait_s` after the window are left out where enough remain: new walls settle.
 *
 * What is left of the drift adds the gradient of the image over its light, a defocus its Laplacian: both are fitted, with
 * the smooth part, over the outline's pixels, walls and spots left out as outliers.
 */
export function orderContrast(
  stack: Stack,
  mask: Uint8Array,
  window: { readonly start_s: number; readonly end_s: number; readonly sd_s: number },
  { psf_um, wait_s }: { readonly psf_um: number; readonly wait_s: number },
): OrderContrast | null {
  const { width, height, data, time_s, pixelSize_um } = stack;
  const n = width * height;
  const guard_s = Math.max(window.sd_s, 0.5 * (medianStep(time_s) || 0));
  const lit = Array.from(time_s.keys()).filter((frame) => isLit(data, mask, frame));
  const before = lit.filter((frame) => time_s[frame]! < window.start_s - guard_s);
  const since = lit.filter((frame) => time_s[frame]! > window.end_s + guard_s);
  const settled = since.filter((frame) => time_s[frame]! > window.end_s + wait_s);
  const after = settled.length >= Math.max(MANY_FRAMES, 0.4 * since.length) ? settled : since;
  if (before.length < LEAST_FRAMES || after.length < LEAST_FRAMES) return null;
  const mean = (frame: number): number => {
    let [sum, known] = [0, 0];
    for (let at = 0; at < n; at++) {
      const value = data[frame * n + at]!;
      if (mask[at] === 0 || !Number.isFinite(value)) continue;
      sum += value;
      known++;
    }
    return sum / known;
  };
  const level = Float64Array.from(time_s, (_, frame) => (lit.includes(frame) ? mean(frame) : NaN));
  const early = meanOf(stack, before, level);
  const late = meanOf(stack, after, level);
  const total = new Float32Array(n).fill(NaN);
  const scatter: number[] = [];
  for (let at = 0; at < n; at++) {
    if (mask[at] === 0 || !(early.mean[at]! > 0) || !Number.isFinite(late.mean[at]!)) continue;
    total[at] = late.mean[at]! / early.mean[at]! - 1;
    scatter.push((late.mean[at]! / early.mean[at]!) ** 2 * (early.variance[at]! + late.variance[at]!));
  }
  const { smooth, disturbed } = smoothPart(
    total,
    Float32Array.from(early.mean),
    mask,
    width,
    height,
    psf_um / pixelSize_um,
  );
  if (smooth === null) return null;
  const cover = gaussianBlur(mask, width, height, Math.max(psf_um / pixelSize_um, 0.5));
  return {
    total: total.map((value, at) => value - disturbed[at]!),
    fine: total.map((value, at) => (cover[at]! >= INSIDE ? value - smooth[at]! - disturbed[at]! : NaN)),
    noise: Math.sqrt(median(scatter)),
    step: stepOf(
      time_s,
      level,
      before.filter((frame) => time_s[frame]! >= window.start_s - guard_s - BESIDE_S),
      since.filter((frame) => time_s[frame]! <= window.end_s + guard_s + BESIDE_S),
      0.5 * (window.start_s + window.end_s),
    ),
    frames: { before: before.length, after: after.length },
  };
}

function isLit(data: Float32Array, mask: Uint8Array, frame: number): boolean {
  const n = mask.length;
  let [known, all] = [0, 0];
  for (let at = 0; at < n; at++) {
    if (mask[at] === 0) continue;
    all++;
    if (Number.isFinite(data[frame * n + at]!)) known++;
  }
  return known > 0.5 * all;
}

/** Mean of some frames, and the variance of each pixel's mean about the common course, both as shares of the mean. */
function meanOf(
  { data, width, height }: Stack,
  frames: readonly number[],
  level: Float64Array,
): { readonly mean: Float64Array; readonly variance: Float64Array } {
  const n = width * height;
  const usual = frames.reduce((sum, frame) => sum + level[frame]!, 0) / frames.length;
  const mean = new Float64Array(n);
  const variance = new Float64Array(n);
  for (let at = 0; at < n; at++) {
    let [sum, square, known] = [0, 0, 0];
    for (const frame of frames) {
      const value = (data[frame * n + at]! * usual) / level[frame]!;
      if (!Number.isFinite(value)) continue;
      sum += value;
      square += value * value;
      known++;
    }
    if (2 * known < frames.length || known < 2) {
      mean[at] = NaN;
      continue;
    }
    mean[at] = sum / known;
    variance[at] = Math.max(0, square / known - mean[at]! ** 2) / (known - 1) / mean[at]! ** 2;
  }
  return { mean, variance };
}

/** A surface of second order, and what a shift and a defocus make of the image, fitted together. */
function smoothPart(
  total: Float32Array,
  reference: Float32Array,
  mask: Uint8Array,
  width: number,
  height: number,
  psf_px: number,
): { readonly smooth: Float64Array | null; readonly disturbed: Float64Array } {
  const soft = gaussianBlur(reference, width, height, Math.max(0.5, 0.5 * psf_px));
  const at1 = (at: number, step: number): number => (Number.isFinite(soft[at + step]!) ? soft[at + step]! : soft[at]!);
  const terms = (at: number): number[] => {
    const x = (2 * (at % width)) / width - 1;
    const y = (2 * Math.floor(at / width)) / height - 1;
    const here = soft[at]!;
    return [
      1, x, y, x * x, x * y, y * y,
      (at1(at, 1) - at1(at, -1)) / here,
      (at1(at, width) - at1(at, -width)) / here,
      (at1(at, 1) + at1(at, -1) + at1(at, width) + at1(at, -width) - 4 * here) / here,
    ]; // prettier-ignore
  };
  const size = 9;
  const even = 6;
  const known: { at: number; row: number[] }[] = [];
  for (let at = 0; at < total.length; at++) {
    if (mask[at] === 0 || !Number.isFinite(total[at]!)) continue;
    const row = terms(at);
    if (row.every(Number.isFinite)) known.push({ at, row });
  }
  const disturbed = new Float64Array(total.length);
  if (known.length < 10 * size) return { smooth: null, disturbed };
  const rest = new Float64Array(known.length);
  let limit = Infinity;
  let answer: Float64Array = new Float64Array(size);
  for (let pass = 0; pass < PASSES; pass++) {
    const normal = new Float64Array(size * size);
    const right = new Float64Array(size);
    for (const [k, { at, row }] of known.entries()) {
      if (Math.abs(rest[k]!) > limit) continue;
      for (let i = 0; i < size; i++) {
        right[i] = right[i]! + row[i]! * total[at]!;
        for (let j = 0; j < size; j++) normal[i * size + j] = normal[i * size + j]! + row[i]! * row[j]!;
      }
    }
    const inverse = invertSymmetric(normal, size);
    if (inverse === null) return { smooth: null, disturbed };
    answer = timesVector(inverse, right, size);
    known.forEach(({ at, row }, k) => {
      rest[k] = total[at]! - row.reduce((sum, term, i) => sum + term * answer[i]!, 0);
    });
    const middle = median(rest);
    for (let k = 0; k < rest.length; k++) rest[k] = rest[k]! - middle;
    limit = CLIP * madSigma(rest);
  }
  const smooth = new Float64Array(total.length).fill(NaN);
  disturbed.fill(NaN);
  for (const { at, row } of known) {
    const part = (from: number, to: number): number =>
      row.slice(from, to).reduce((sum, term, i) => sum + term * answer[from + i]!, 0);
    smooth[at] = part(0, even);
    disturbed[at] = part(even, size);
  }
  return { smooth, disturbed };
}

/** The mean light's change beside the straight courses before and after, at the middle of the window. */
function stepOf(
  time_s: Float64Array,
  level: Float64Array,
  before: readonly number[],
  after: readonly number[],
  middle_s: number,
): Estimate | null {
  if (before.length < 4 || after.length < 4) return null;
  const course = (frames: readonly number[]): ReturnType<typeof linearFit> =>
    linearFit(
      frames.map((frame) => time_s[frame]! - middle_s),
      frames.map((frame) => level[frame]!),
    );
  const [early, late] = [course(before), course(after)];
  const value = late.intercept / early.intercept - 1;
  const sd = Math.hypot(early.interceptSd, late.interceptSd) / early.intercept;
  return Number.isFinite(value) && Number.isFinite(sd) ? { value, sd, n: before.length + after.length } : null;
}
