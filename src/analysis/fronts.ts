/** When the phase boundary passed each pixel: from a stretch of movie to a map of arrivals. */
import { frontRoom, type FrontRoom } from "./arrival-fit.js";
import { mean, median, quantile, medianStep } from "../kernels/stats.js";
import type { Estimator, FrontMap, Transition } from "../model/experiment.js";
import type { Stack } from "../model/movie.js";
import { NM_PER_UM } from "../model/units.js";
import { pickArrivals } from "./arrival-pick.js";
import { fillArrivals } from "./fill-arrivals.js";
import { fitBias } from "./fit-bias.js";
import { followFront, type FollowedFront } from "./follow-front.js";
import type { Grid } from "./passings.js";
import { MOST_BLUR, pixelCourses, type PixelCourses } from "./pixel-courses.js";

export interface FrontOptions {
  readonly particle: number;
  readonly transition: number;
  /** 1 inside the outline. */
  readonly mask: Uint8Array;
  readonly origin_px: readonly [number, number];
  readonly estimator: Estimator;
  /** Time compared before and after by "matched" and "argmax"; null for the time the front takes for 0.35 um. */
  readonly lag_s: number | null;
  /** Standard deviation of the point spread. */
  readonly psf_um: number;
}

/** Frames without which no front is sought. */
const FEWEST_FRAMES = 9;
/** A step below this share of the typical one is mostly the light of other pixels. */
const LEAST_STEP = 0.4;
/**
 * Frames are missing where they stand so many intervals apart. About there, an arrival less certain than so many typical
 * widths of a passing, and than so many typical arrivals, is none.
 */
const GAP = { intervals: 2.5, widths: 0.4, typical: 3 } as const;
/** The way of a front after which a lag is best. */
export const LAG_WAY_UM = 0.35;
/** Noise of one frame, as a share of the step, at which a passing is placed well. */
const NOISE = 0.06;
/** Frame intervals that a point spread takes to pass, above which no blur is needed between frames. */
const RESOLVED = 0.8;
/** Length of front for which the localisation is stated. */
const SEGMENT_UM = 1;

/**
 * The moment at which the phase boundary passed each pixel of a particle, in seconds on the movie's clock.
 *
 * "step+line" fits each pixel's course by a step (an error function as wide in time as the point spread is in space,
 * divided by the front's speed there), a bright line whose height relative to the step is common to the particle, and
 * a slope that may differ before and behind the boundary (arrival-fit.ts, boundary-profile.ts). The arrival is the common
 * middle of step and line. Near the outline, where light comes from within, arrivals are carried back to their pixels along
 * the local slope; the point spread itself is told from the passings' width. Then the map's own picture is fitted the same
 * way, and what the fit does to it is taken off (fit-bias.ts).
 * The other estimators pick the moment from the same courses, where that fit finds a step (arrival-pick.ts).
 *
 * Bias, on drawn movies of the paper's signal (test/accuracy/arrival.ts): a hundredth of a frame without a bright boundary;
 * with one of 0.2 to 1 step a few hundredths in the median, a third of a frame in one movie of ten, most where a slow ring
 * closes; \`common_sd_s\` states it. Of the others, with the lag of 0.35 um over the speed: "argmax" and "matched" come 0.4
 * frames early in the median under a bright boundary and "half-rise" 0.5, up to a frame.
 *
 * \`sd_s\` is the likelihood's own with each fit's scatter, the error that all share, and what fits leave: shares of the
 * misfit, of the bias taken off, of jumps between neighbours, and of the window where a part of the pixel's light stepped
 * out of the fit's sight. A pixel is \`unchanged\` where no step stands, or a small one, and its light before and after the
 * whole window differs by less than LEAST_STEP of the typical step. \`localisation\` is the precision with which one frame
 * places a straight piece of the boundary, (noise / step) sqrt(2 sqrt(pi) psf pixel^2 / length).
 * Null where the frames are too few or no coherent part of the particle steps.
 */
export function mapFront(stack: Stack, transition: Transition, options: FrontOptions): FrontMap | null {
  const room = frontRoom();
  try {
    return mapIn(room, stack, transition, options);
  } finally {
    room.release();
  }
}

function mapIn(room: FrontRoom, stack: Stack, transition: Transition, options: FrontOptions): FrontMap | null {
  const { mask, psf_um } = options;
  const { width, height, pixelSize_um } = stack;
  const grid = { mask, width, height, pixelSize_um };
  const blurred = pixelCourses(stack, mask, { psf_um, blur_um: MOST_BLUR * psf_um }, room.courses);
  if (blurred === null || blurred.time_s.length < FEWEST_FRAMES) return null;
  const front = followFront(
    blurred,
    transition,
    grid,
    ({ step, speed_um_s, psf_um: shown_um }) => {
      const blur_um = blurFor(blurred.pixelNoise / step, pixelSize_um, psf_um);
      // A passing that falls between frames is placed by the pixels that a blur brings together.
      const resolved = psf_um / speed_um_s > RESOLVED * medianStep(blurred.time_s);
      return resolved && blur_um < blurred.blur_um
        ? pixelCourses(stack, mask, { psf_um: shown_um, blur_um }, room.courses)
        : null;
    },
    room,
  );
  if (front === null) return null;
  const { courses, fit, kept } = front;
  const lag_s = Math.max(options.lag_s ?? LAG_WAY_UM / front.speed_um_s, medianStep(courses.time_s));
  const picked =
    options.estimator === "step+line"
      ? { arrival_s: fit.arrival_s, sd_s: fit.sd_s, bias_s: 0, lag_s: median(fit.width_s) }
      : pickArrivals(courses, front, { estimator: options.estimator, lag_s });

  const step = new Float32Array(width * height).fill(NaN);
  const arrival_s = new Float32Array(width * height).fill(NaN);
  const sd_s = new Float32Array(width * height).fill(NaN);
  const unchanged = new Uint8Array(width * height);
  const typical = front.sign * median(fit.height.map((value, i) => (kept[i] === 1 ? value : NaN)));
  const width_s = median(fit.width_s);
  const gaps = gapsOf(courses.time_s, width_s);
  const typicalSd_s = median(fit.sd_s.map((value, i) => (kept[i] === 1 ? value : NaN)));
  const whole = wholeChange(courses, front, transition);
  for (const [i, at] of courses.pixels.entries()) {
    const share = (front.sign * fit.height[i]!) / typical;
    const shareSd = fit.heightSd[i]! / typical;
    const nearRim = Math.hypot(courses.origin.x_px[i]!, courses.origin.y_px[i]!) * pixelSize_um > 0.3 * psf_um;
    // A passing in a gap between frames is better told by its neighbours.
    const uncertain = fit.sd_s[i]! > Math.max(GAP.widths * width_s, GAP.typical * typicalSd_s);
    const inGap = uncertain && gaps.some(([from_s, to_s]) => fit.arrival_s[i]! > from_s && fit.arrival_s[i]! < to_s);
    const changed = (front.sign * whole.change[i]!) / typical;
    const doubt = kept[i] === 0 ? (3 * whole.sd[i]!) / typical : 0;
    const small = kept[i] === 0 || (!nearRim && share + 2 * shareSd < LEAST_STEP);
    if (small && changed + doubt < LEAST_STEP) {
      unchanged[at] = 1;
    } else if (kept[i] === 1 && !inGap && Number.isFinite(picked.arrival_s[i]!)) {
      arrival_s[at] = picked.arrival_s[i]! - picked.bias_s + front.carry_s[i]!;
      sd_s[at] = picked.sd_s[i]!;
      step[at] = fit.height[i]! / fit.level[i]!;
    }
  }
  const outline = mask.reduce((sum, one) => sum + (one === 0 ? 0 : 1), 0);
  const covered = arrival_s.reduce((sum, value) => sum + (Number.isFinite(value) ? 1 : 0), 0) / outline;
  const noiseToStep = courses.pixelNoise / Math.abs(median(step));
  const localisation_um = noiseToStep * Math.sqrt((2 * Math.sqrt(Math.PI) * psf_um * pixelSize_um ** 2) / SEGMENT_UM);
  const map: FrontMap = {
    particle: options.particle,
    transition: options.transition,
    width,
    height,
    pixelSize_um,
    origin_px: options.origin_px,
    mask,
    arrival_s,
    sd_s,
    ...(front.common_sd_s === null ? {} : { common_sd_s: front.common_sd_s }),
    blur_um: courses.blur_um,
    shown_psf_um: courses.psf_um,
    step,
    unchanged,
    estimator: options.estimator,
    bias_s: picked.bias_s,
    covered,
    lag_s: picked.lag_s,
    localisation_nm_per_segment_um: Number.isFinite(localisation_um)
      ? { value: NM_PER_UM * localisation_um, segment_um: SEGMENT_UM }
      : null,
  };
  if (options.estimator !== "step+line") return map;
  return unbiased(map, front, grid, elsewhere(whole, front, transition));
}

/** An arrival is moved by no more than so many widths of its passing, and by little where that is within so many errors. */
const MOVED = { most_widths: 1.5, sds: 1.5 } as const;
/**
 * What fits leave beside noise, found on synthetic movies: shares of the area between course and fit (up to so many
 * widths), of the bias taken off, of the jump to the neighbours, of the way to the rim, and of the width times its skew.
 */
const LEFT = { misfit: 0.48, most_widths: 12, bias: 1.2, jump: 0.65, carry: 0.3, bend: 0.95 } as const;

/** A map freed of its fits' errors makes a better picture: once more tells the rest, most near the rim of a ring. */
const ROUNDS = 2;

/** A part of a step that stands elsewhere counts beyond so many errors and this share; its time, beyond this part of the window. */
const ELSEWHERE = { sds: 4, least: 0.12, window: 0.5 } as const;

/**
 * The map freed of what its fits do to a front like it (fit-bias.ts): a ring that closes, a front that meets another, and
 * the rim. A bias within the noise is mostly the noise's own. The standard errors take in what is left.
 */
function unbiased(map: FrontMap, front: FollowedFront, grid: Grid, elsewhere_s: Float32Array): FrontMap {
  const { courses, fit, options, carry_s } = front;
  const arrival_s = Float32Array.from(map.arrival_s);
  const sd_s = Float32Array.from(map.sd_s);
  const only = Uint8Array.from(courses.pixels, (at) => (Number.isFinite(arrival_s[at]!) ? 1 : 0));
  let bias_s: Float32Array = new Float32Array(courses.pixels.length);
  for (let round = 0; round < ROUNDS; round++) {
    const filled_s = fillArrivals({ ...map, arrival_s }, courses.psf_um).arrival_s;
    for (let at = 0; at < filled_s.length; at++) if (map.unchanged[at] === 1) filled_s[at] = Infinity;
    bias_s = fitBias(filled_s, front, grid, only);
    for (const [i, at] of courses.pixels.entries()) {
      if (!Number.isFinite(bias_s[i]!)) continue;
      const most_s = MOVED.most_widths * fit.width_s[i]!;
      const moved_s = Math.max(-most_s, Math.min(most_s, bias_s[i]!));
      const doubt2 = (MOVED.sds * map.sd_s[at]!) ** 2;
      arrival_s[at] = map.arrival_s[at]! - (moved_s * moved_s ** 2) / (moved_s ** 2 + doubt2);
    }
  }
  const jump_s = jumpsOf(arrival_s, map);
  for (const [i, at] of courses.pixels.entries()) {
    if (only[i] === 0) continue;
    const width_s = fit.width_s[i]!;
    sd_s[at] = Math.hypot(
      map.sd_s[at]!,
      map.common_sd_s ?? 0,
      LEFT.misfit * Math.min(LEFT.most_widths * width_s, fit.misfit_s[i]!),
      LEFT.bias * (Number.isFinite(bias_s[i]!) ? bias_s[i]! : width_s),
      LEFT.jump * jump_s[at]!,
      elsewhere_s[i]!,
      LEFT.carry * carry_s[i]!,
      LEFT.bend * options.bend[i]! * width_s,
    );
  }
  return { ...map, arrival_s, sd_s, noise_sd_s: map.sd_s };
}

/**
 * By how much each arrival is in doubt because a part of the pixel's light stepped at another time, out of the fit's sight:
 * under a front that stood within a point spread of it. The part is what the fitted height lacks of the whole change, as
 * compared with the typical pixel's; the time is anywhere in the window.
 */
function elsewhere(
  whole: { readonly change: Float32Array; readonly sd: Float32Array },
  { fit, kept }: FollowedFront,
  window: Transition,
): Float32Array {
  const ratio = fit.height.map((height, i) => height / whole.change[i]!);
  const typical = median(ratio.filter((_, i) => kept[i] === 1));
  return ratio.map((one, i) => {
    const part = Math.abs(1 - one / typical);
    const doubt = ELSEWHERE.sds * Math.abs(whole.sd[i]! / whole.change[i]!) + ELSEWHERE.least;
    return part > doubt ? ELSEWHERE.window * Math.sqrt(Math.min(1, part - doubt)) * (window.end_s - window.start_s) : 0;
  });
}

/** Range of the arrivals about each pixel, beyond twice the typical one: a front that stands there for a time. */
function jumpsOf(arrival_s: Float32Array, { width, height }: FrontMap): Float32Array {
  const range = new Float32Array(arrival_s.length).fill(NaN);
  for (let at = 0; at < arrival_s.length; at++) {
    if (!Number.isFinite(arrival_s[at]!)) continue;
    const [x0, y0] = [at % width, Math.floor(at / width)];
    let least = Infinity;
    let most = -Infinity;
    for (let y = Math.max(0, y0 - 1); y <= Math.min(height - 1, y0 + 1); y++) {
      for (let x = Math.max(0, x0 - 1); x <= Math.min(width - 1, x0 + 1); x++) {
        const t_s = arrival_s[y * width + x]!;
        if (t_s < least) least = t_s;
        if (t_s > most) most = t_s;
      }
    }
    range[at] = most - least;
  }
  const typical_s = median(range);
  return range.map((one) => (one > 2 * typical_s ? one - 2 * typical_s : 0));
}

/** The least blur that brings a frame's noise down to NOISE of the step; none where a pixel alone does. */
function blurFor(noiseToStep: number, pixelSize_um: number, psf_um: number): number {
  const most_um = MOST_BLUR * psf_um;
  const blur_um = (noiseToStep / (2 * Math.sqrt(Math.PI) * NOISE)) * pixelSize_um;
  if (blur_um < 0.3 * pixelSize_um) return 0;
  return blur_um > 0.7 * most_um ? most_um : blur_um;
}

/** Times between frames where some are missing, a passing's width wider on both sides. */
function gapsOf(time_s: Float64Array, width_s: number): (readonly [number, number])[] {
  const interval_s = medianStep(time_s);
  const gaps: [number, number][] = [];
  for (let k = 1; k < time_s.length; k++) {
    if (time_s[k]! - time_s[k - 1]! > GAP.intervals * interval_s)
      gaps.push([time_s[k - 1]! - width_s, time_s[k]! + width_s]);
  }
  return gaps;
}

/** Change of each course from before the window and the first arrivals to after the last, less the slope common to all, and its error. */
function wholeChange(
  { time_s, relative, pixels, noise }: PixelCourses,
  { fit, kept }: FollowedFront,
  window: Transition,
): { readonly change: Float32Array; readonly sd: Float32Array } {
  const arrivals_s = fit.arrival_s.filter((_, i) => kept[i] === 1);
  const width_s = median(fit.width_s);
  const slope_per_s = median(fit.slope_per_s.filter((_, i) => kept[i] === 1));
  const frames = time_s.length;
  const before = Math.max(
    2,
    time_s.findIndex((t_s) => t_s > Math.min(window.start_s, quantile(arrivals_s, 0.02)) - width_s),
  );
  const after = Math.min(
    frames - 2,
    time_s.findLastIndex((t_s) => t_s < Math.max(window.end_s, quantile(arrivals_s, 0.98)) + width_s) + 1,
  );
  const mean_s = [mean(time_s.subarray(0, before)), mean(time_s.subarray(after))] as const;
  const change = Float32Array.from(pixels, (_, i) => {
    const course = relative.subarray(i * frames, (i + 1) * frames);
    return mean(course.subarray(after)) - mean(course.subarray(0, before)) - slope_per_s * (mean_s[1] - mean_s[0]);
  });
  return { change, sd: noise.map((sd) => sd * Math.sqrt(1 / before + 1 / (frames - after))) };
}
