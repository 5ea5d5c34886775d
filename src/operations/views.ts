/** Images to look at, made from crops when asked for; none is kept. */
import { contrastNoise, type ContrastNoise } from "../analysis/contrast-noise.js";
import { backgroundSubtracted, differentialContrast, totalContrast } from "../analysis/contrast.js";
import { readStack } from "../analysis/crops.js";
import { medianStep } from "../kernels/stats.js";
import type { HalfCycle } from "../model/cycling.js";
import type { Crop, Drift, Transition } from "../model/experiment.js";
import type { Image, Stack } from "../model/movie.js";
import type { NoiseModel } from "../model/noise.js";

/** An image with its words. */
export interface LabelledImage {
  readonly image: Image;
  readonly label: string;
}

/** Images of one kind and the noise of one of them; null where no noise model is at hand. */
export interface ContrastRow {
  readonly images: readonly LabelledImage[];
  readonly noise: ContrastNoise | null;
}

/** The three contrasts of the paper for one transition. */
export interface ContrastViews {
  /** Intensity minus that at `since_s`, as a fraction of the particle's mean then (Fig. 2b). */
  readonly background: ContrastRow;
  /** Moment whose image is subtracted, and whether a cycle begins there. */
  readonly since_s: number;
  readonly sinceCycle: boolean;
  /** I(t) / I(t - lag) - 1 (Fig. 3a, b). */
  readonly sequential: ContrastRow;
  /** After the window over before it, minus 1 (Fig. 5a, b); null where the movie lacks either side. */
  readonly total: ContrastRow | null;
  readonly lag_s: number;
}

/** What else the images need. */
export interface ViewOptions {
  /** Images spread over the window. */
  readonly count: number;
  readonly drift: Drift;
  readonly noise: NoiseModel | null;
  readonly psf_um: number;
  /** On the movie's clock; empty where the clocks are not joined. */
  readonly halfCycles: readonly HalfCycle[];
}

/**
 * Contrast images of a transition at moments spread over its window.
 *
 * The lag is 20 s, 5 s for ordering, as in the paper, and at least the frames' interval. The background is the light as the
 * transition's cycle begins, where the cycler says when that is and the movie shows it; else before the window.
 */
export function contrastViews(crop: Crop, transition: Transition, options: ViewOptions): ContrastViews {
  const { time_s } = crop;
  const interval_s = medianStep(time_s);
  const lag_s = Math.max(transition.kind === "ordering" ? 5 : 20, interval_s);
  const reach_s = lag_s + 3 * interval_s;
  const first = frameAt(time_s, transition.start_s - reach_s);
  const last = frameAt(time_s, transition.end_s + reach_s);
  const stack = readStack(crop, { first, last });
  const span_s = transition.end_s - transition.start_s;
  const moments = Array.from({ length: options.count }, (_, at) =>
    frameAt(stack.time_s, transition.start_s + ((at + 0.5) / options.count) * span_s),
  );
  const middle = moments[moments.length >> 1]!;
  const cycle_s = cycleStart(crop, transition, options.halfCycles);
  const reference = cycle_s === null ? first : frameAt(time_s, cycle_s);
  const start = readStack(crop, { first: reference, last: reference });
  const level = meanInside(start, crop.mask);
  const since = backgroundSubtracted(joined(start, stack, moments));
  const sequential = differentialContrast(stack, { lag_s });
  const noiseOf = made(crop, options);
  const background = moments.map((frame, at) => labelled(frameOf(since, at + 1, 1 / level), stack.time_s[frame]!));
  const shown = moments.map((frame) => labelled(frameOf(sequential, frame, 1), stack.time_s[frame]!));
  const before = frameAt(time_s, stack.time_s[middle]! - lag_s);
  return {
    background: {
      images: background,
      noise: noiseOf(
        { before: start.data, contrast: background[moments.length >> 1]!.image.data, over_counts: level },
        [first + middle],
        [reference],
      ),
    },
    since_s: time_s[reference]!,
    sinceCycle: cycle_s !== null,
    sequential: {
      images: shown,
      noise: noiseOf(
        {
          before: frameOf(stack, Math.max(0, before - first), 1).data,
          contrast: shown[moments.length >> 1]!.image.data,
        },
        [first + middle],
        [before],
      ),
    },
    total: total(stack, transition, reach_s, first, noiseOf),
    lag_s,
  };
}

type NoiseOf = (
  light: {
    readonly before: ArrayLike<number>;
    readonly contrast: ArrayLike<number>;
    readonly over_counts?: number;
  },
  after: readonly number[],
  earlier: readonly number[],
) => ContrastNoise | null;

/** Noise of a contrast between means of frames, by their numbers in the movie. */
function made(crop: Crop, { drift, noise, psf_um }: ViewOptions): NoiseOf {
  const places = (frames: readonly number[]): [number, number][] =>
    frames
      .map((frame): [number, number] => [drift.x_px[frame]!, drift.y_px[frame]!])
      .filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y));
  return (light, after, earlier) =>
    noise === null
      ? null
      : contrastNoise(noise, {
          ...light,
          mask: crop.mask,
          width: crop.width,
          height: crop.height,
          psf_px: psf_um / crop.pixelSize_um,
          a_px: places(after),
          b_px: places(earlier),
        });
}

/** When the transition's cycle begins; null where that is unknown, or not in the movie. */
function cycleStart(
  { time_s }: Crop,
  { halfCycle, start_s }: Transition,
  halfCycles: readonly HalfCycle[],
): number | null {
  const own = halfCycles.find(({ id }) => id === halfCycle);
  if (own === undefined) return null;
  const begins_s = Math.min(...halfCycles.filter(({ cycle }) => cycle === own.cycle).map((one) => one.start_s));
  return begins_s >= time_s[0]! - 0.5 * medianStep(time_s) && begins_s < start_s ? begins_s : null;
}

/** One frame before some of another stack. */
function joined(start: Stack, stack: Stack, frames: readonly number[]): Stack {
  const size = stack.width * stack.height;
  const data = new Float32Array((frames.length + 1) * size);
  data.set(start.data.subarray(0, size));
  for (const [at, frame] of frames.entries())
    data.set(stack.data.subarray(frame * size, (frame + 1) * size), (at + 1) * size);
  return {
    ...stack,
    data,
    time_s: Float64Array.from([start.time_s[0]!, ...frames.map((frame) => stack.time_s[frame]!)]),
  };
}

function labelled(image: Image, time_s: number): LabelledImage {
  return { image, label: timeLabel(time_s) };
}

function total(
  stack: Stack,
  { start_s, end_s }: Transition,
  reach_s: number,
  first: number,
  noiseOf: NoiseOf,
): ContrastRow | null {
  const before = { start_s: start_s - reach_s, end_s: start_s };
  const after = { start_s: end_s, end_s: end_s + reach_s };
  const within = (span: { start_s: number; end_s: number }): number[] =>
    [...stack.time_s.keys()].filter((at) => stack.time_s[at]! >= span.start_s && stack.time_s[at]! <= span.end_s);
  const [early, late] = [within(before), within(after)];
  if (early.length === 0 || late.length === 0) return null;
  const image = totalContrast(stack, before, after);
  const inMovie = (frames: readonly number[]): number[] => frames.map((frame) => first + frame);
  return {
    images: [{ image, label: "after / before − 1" }],
    noise: noiseOf({ before: meanOf(stack, early), contrast: image.data }, inMovie(late), inMovie(early)),
  };
}

function frameOf(stack: Stack, frame: number, scale: number): Image {
  const size = stack.width * stack.height;
  const data = stack.data.slice(frame * size, (frame + 1) * size);
  if (scale !== 1) for (let at = 0; at < size; at++) data[at]! *= scale;
  return { width: stack.width, height: stack.height, pixelSize_um: stack.pixelSize_um, data };
}

function meanOf({ width, height, data }: Stack, frames: readonly number[]): Float64Array {
  const size = width * height;
  return Float64Array.from({ length: size }, (_, at) =>
    frames.reduce((sum, frame) => sum + data[frame * size + at]! / frames.length, 0),
  );
}

function meanInside(stack: Stack, mask: Uint8Array): number {
  let sum = 0;
  let known = 0;
  for (let at = 0; at < mask.length; at++) {
    const value = stack.data[at]!;
    if (mask[at] === 0 || Number.isNaN(value)) continue;
    sum += value;
    known++;
  }
  return known > 0 && sum > 0 ? sum / known : 1;
}

function frameAt(time_s: Float64Array, moment_s: number): number {
  let best = 0;
  for (let at = 1; at < time_s.length; at++) {
    if (Math.abs(time_s[at]! - moment_s) < Math.abs(time_s[best]! - moment_s)) best = at;
  }
  return best;
}

/** A moment as the paper prints it: minutes from 300 s on. */
export function timeLabel(time_s: number): string {
  return Math.abs(time_s) >= 300 ? `${(time_s / 60).toFixed(1)} min` : `${time_s.toFixed(0)} s`;
}
