/** Images to look at, made from crops when asked for; none is kept. */
import { backgroundSubtracted, differentialContrast, totalContrast } from "../analysis/contrast.js";
import { readStack } from "../analysis/crops.js";
import { medianStep } from "../kernels/stats.js";
import type { Crop, Transition } from "../model/experiment.js";
import type { Image, Stack } from "../model/movie.js";

/** An image with its words. */
export interface LabelledImage {
  readonly image: Image;
  readonly label: string;
}

/** The three contrasts of the paper for one transition. */
export interface ContrastViews {
  /** Intensity minus that before the window, as a fraction of the particle's mean (Fig. 2b). */
  readonly background: readonly LabelledImage[];
  /** I(t) / I(t - lag) - 1 (Fig. 3a, b). */
  readonly sequential: readonly LabelledImage[];
  /** After the window over before it, minus 1 (Fig. 5a, b); null where the movie lacks either side. */
  readonly total: LabelledImage | null;
  readonly lag_s: number;
}

/**
 * Contrast images of a transition at `count` moments spread over its window.
 * The lag is 20 s, 5 s for ordering, as in the paper, and at least the frames' interval.
 */
export function contrastViews(crop: Crop, transition: Transition, count: number): ContrastViews {
  const { time_s } = crop;
  const interval_s = medianStep(time_s);
  const lag_s = Math.max(transition.kind === "ordering" ? 5 : 20, interval_s);
  const reach_s = lag_s + 3 * interval_s;
  const first = frameAt(time_s, transition.start_s - reach_s);
  const last = frameAt(time_s, transition.end_s + reach_s);
  const stack = readStack(crop, { first, last });
  const span_s = transition.end_s - transition.start_s;
  const moments = Array.from({ length: count }, (_, at) => transition.start_s + ((at + 0.5) / count) * span_s);
  const since = backgroundSubtracted(stack);
  const level = meanInside(stack, crop.mask);
  const sequential = differentialContrast(stack, { lag_s });
  const pick = (from: Stack, scale: number): LabelledImage[] =>
    moments.map((moment_s) => {
      const frame = frameAt(stack.time_s, moment_s);
      return { image: frameOf(from, frame, scale), label: timeLabel(stack.time_s[frame]!) };
    });
  return {
    background: pick(since, 1 / level),
    sequential: pick(sequential, 1),
    total: total(stack, transition, reach_s),
    lag_s,
  };
}

function total(stack: Stack, { start_s, end_s }: Transition, reach_s: number): LabelledImage | null {
  const before = { start_s: start_s - reach_s, end_s: start_s };
  const after = { start_s: end_s, end_s: end_s + reach_s };
  const holds = (span: { start_s: number; end_s: number }): boolean =>
    stack.time_s.some((time) => time >= span.start_s && time <= span.end_s);
  if (!holds(before) || !holds(after)) return null;
  return { image: totalContrast(stack, before, after), label: "after / before - 1" };
}

function frameOf(stack: Stack, frame: number, scale: number): Image {
  const size = stack.width * stack.height;
  const data = stack.data.slice(frame * size, (frame + 1) * size);
  if (scale !== 1) for (let at = 0; at < size; at++) data[at]! *= scale;
  return { width: stack.width, height: stack.height, pixelSize_um: stack.pixelSize_um, data };
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
