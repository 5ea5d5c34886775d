/** A kymograph: the light along a line in time, and the front's way through it, frame by frame. */
import { gaussianBlur } from "../kernels/filter.js";
import { distanceTransform } from "../kernels/distance.js";
import { mean, median } from "../kernels/stats.js";
import type { Crop, FrontMap, Kymograph, Polyline, Transition } from "../model/experiment.js";
import type { Stack } from "../model/movie.js";
import { fillArrivals } from "./fill-arrivals.js";
import { ridgeOf, velocityOf } from "./front-places.js";

export interface KymographOptions {
  readonly particle: number;
  readonly transition: number;
  /** From where the front comes to where it goes; a front that goes the other way has a negative velocity. */
  readonly line_px: Polyline;
  /** Averaged so far across the line. */
  readonly width_um: number;
  /** Time between the images of a differential one. */
  readonly lag_s: number;
  /** Standard deviation of the point spread. */
  readonly psf_um: number;
}

/** Samples a pixel along the line. */
const DENSITY = 2;
/** Frames on each side of the window from which the light before and after it is taken. */
const FEWEST_SIDE = 2;
const MOST_SIDE = 12;
/** A step of the line's light below this share of the light tells no place. */
const LEAST_STEP = 0.01;

/**
 * Light along `line_px`, averaged over `width_um` across it.
 *
 * In each frame the front's place s is where a + c Phi((s - x) / psf) + b exp(-((x - s) / 1.2 psf)^2 / 2) fits best the
 * light as a share of the step at x, from before to after the window: a step seen through the lens and a bright line, with
 * level a, height c and line b left free about 0, 1 and 0. So the place is the middle of the boundary, not its foot, and
 * an even change of the whole face moves nothing. The standard error of a place follows from what the fit leaves.
 * The velocity is the slope of a straight line through the places by Huber's weights, its error from their scatter,
 * neighbours' likeness counted. Along a line that does not run across the front it is the speed of the crossing.
 */
export function kymograph(stack: Stack, window: Transition, options: KymographOptions): Kymograph {
  const { line_px, width_um, lag_s, psf_um } = options;
  const { time_s, pixelSize_um } = stack;
  const places = samplesAlong(line_px, 1 / DENSITY);
  const light = lightAlong(stack, places, width_um / pixelSize_um);
  const n = places.length;
  const distance_um = Float64Array.from(places, (_, i) => (i * pixelSize_um) / DENSITY);
  const before = levelOf(light, n, sideFrames(time_s, window, -1));
  const after = levelOf(light, n, sideFrames(time_s, window, 1));
  const intensity = light.map((value, at) => value / before[at % n]! - 1);
  const differential = new Float32Array(light.length).fill(NaN);
  for (let k = 0; k < time_s.length; k++) {
    const earlier = nearestFrame(time_s, time_s[k]! - lag_s);
    if (earlier < 0 || earlier === k) continue;
    for (let i = 0; i < n; i++) differential[k * n + i] = light[k * n + i]! / light[earlier * n + i]! - 1;
  }
  const step = after.map((value, i) => value - before[i]!);
  const telling = Math.abs(median(step)) > LEAST_STEP * Math.abs(median(before));
  const share = light.map((value, at) => (value - before[at % n]!) / step[at % n]!);
  const psf = (psf_um / pixelSize_um) * DENSITY;
  const ridge = telling ? ridgeOf(share, { n, psf, time_s, distance_um }) : [];
  return {
    particle: options.particle,
    transition: options.transition,
    line_px,
    width_um,
    lag_s,
    time_s,
    distance_um,
    intensity,
    differential,
    ridge,
    velocity_um_s: velocityOf(ridge, psf_um),
  };
}

/**
 * The steepest way through an arrival map: from its last place down its slope to where that began, given from there. The
 * map is smoothed by a point spread. Null where the way is shorter than four point spreads.
 */
export function steepestLine(front: FrontMap, psf_um: number): Polyline | null {
  const { width, height, mask, pixelSize_um } = front;
  const psf_px = psf_um / pixelSize_um;
  const map_s = gaussianBlur(fillArrivals(front, psf_um).arrival_s, width, height, psf_px);
  const depth_px = distanceTransform(mask, width, height);
  let last = -1;
  for (let at = 0; at < map_s.length; at++) {
    if (!(depth_px[at]! > psf_px) || !Number.isFinite(map_s[at]!)) continue;
    if (last < 0 || map_s[at]! > map_s[last]!) last = at;
  }
  if (last < 0) return null;
  const places: [number, number][] = [[last % width, Math.floor(last / width)]];
  for (let turn = 0; turn < 4 * (width + height); turn++) {
    const [x, y] = places[places.length - 1]!;
    const slope = slopeAt(map_s, width, height, x, y);
    const steepness = slope === null ? 0 : Math.hypot(slope[0], slope[1]);
    if (slope === null || !(steepness > 0)) break;
    const next: [number, number] = [x - (0.5 * slope[0]) / steepness, y - (0.5 * slope[1]) / steepness];
    const [before, now] = [valueAt(map_s, width, height, x, y), valueAt(map_s, width, height, next[0], next[1])];
    if (!(now < before) || !(mask[Math.round(next[1]) * width + Math.round(next[0])] === 1)) break;
    places.push(next);
  }
  return 0.5 * (places.length - 1) * pixelSize_um < 4 * psf_um ? null : places.toReversed();
}

/** Whether a line in px of a crop runs over its particle. */
export function crossesParticle(
  line_px: Polyline,
  { mask, width, height }: Pick<Crop, "mask" | "width" | "height">,
): boolean {
  return samplesAlong(line_px, 1).some(({ x, y }) => {
    const [column, row] = [Math.round(x), Math.round(y)];
    return column >= 0 && row >= 0 && column < width && row < height && mask[row * width + column] === 1;
  });
}

/** Places along a polyline, `apart_px` from each other, with the direction across it. */
function samplesAlong(
  line_px: Polyline,
  apart_px: number,
): { readonly x: number; readonly y: number; readonly acrossX: number; readonly acrossY: number }[] {
  const along: [number, number][] = [];
  let rest = 0;
  for (let k = 1; k < line_px.length; k++) {
    const [x0, y0] = line_px[k - 1]!;
    const [x1, y1] = line_px[k]!;
    const length = Math.hypot(x1 - x0, y1 - y0);
    if (length === 0) continue;
    const steps = Math.floor((length - rest) / apart_px) + 1;
    for (let step = 0; step < steps; step++) {
      const share = (rest + step * apart_px) / length;
      along.push([x0 + share * (x1 - x0), y0 + share * (y1 - y0)]);
    }
    rest += steps * apart_px - length;
  }
  // The direction is taken over some pixels: a steepest way is made of short steps.
  const reach = Math.max(1, Math.round(3 / apart_px));
  return along.map(([x, y], i) => {
    const [ax, ay] = along[Math.max(0, i - reach)]!;
    const [bx, by] = along[Math.min(along.length - 1, i + reach)]!;
    const length = Math.hypot(bx - ax, by - ay) || 1;
    return { x, y, acrossX: -(by - ay) / length, acrossY: (bx - ax) / length };
  });
}

function lightAlong(
  { width, height, time_s, data }: Stack,
  places: ReturnType<typeof samplesAlong>,
  across_px: number,
): Float32Array {
  const rows = Math.max(1, Math.round(across_px));
  const light = new Float32Array(time_s.length * places.length);
  for (let k = 0; k < time_s.length; k++) {
    const image = data.subarray(k * width * height, (k + 1) * width * height);
    for (const [i, { x, y, acrossX, acrossY }] of places.entries()) {
      let sum = 0;
      for (let row = 0; row < rows; row++) {
        const off = rows === 1 ? 0 : (row / (rows - 1) - 0.5) * (across_px - 1);
        sum += valueAt(image, width, height, x + off * acrossX, y + off * acrossY);
      }
      light[k * places.length + i] = sum / rows;
    }
  }
  return light;
}

/** Between the four pixels about a place; NaN beyond the image. */
function valueAt(image: ArrayLike<number>, width: number, height: number, x: number, y: number): number {
  const left = Math.min(width - 2, Math.floor(x));
  const top = Math.min(height - 2, Math.floor(y));
  if (!(left >= 0 && top >= 0 && x <= width - 1 && y <= height - 1)) return NaN;
  const [u, v] = [x - left, y - top];
  const at = top * width + left;
  const upper = (1 - u) * image[at]! + u * image[at + 1]!;
  const lower = (1 - u) * image[at + width]! + u * image[at + width + 1]!;
  return (1 - v) * upper + v * lower;
}

function slopeAt(map_s: Float32Array, width: number, height: number, x: number, y: number): [number, number] | null {
  const slope: [number, number] = [
    valueAt(map_s, width, height, x + 1, y) - valueAt(map_s, width, height, x - 1, y),
    valueAt(map_s, width, height, x, y + 1) - valueAt(map_s, width, height, x, y - 1),
  ];
  return Number.isFinite(slope[0] + slope[1]) ? slope : null;
}

/** Frames next to the window on one side; the first or last ones where it leaves too few. */
function sideFrames(time_s: Float64Array, { start_s, end_s, sd_s }: Transition, side: -1 | 1): number[] {
  const frames = Array.from(time_s.keys());
  const beyond =
    side < 0
      ? frames.filter((k) => time_s[k]! < start_s - sd_s).slice(-MOST_SIDE)
      : frames.filter((k) => time_s[k]! > end_s + sd_s).slice(0, MOST_SIDE);
  if (beyond.length >= FEWEST_SIDE) return beyond;
  return side < 0 ? frames.slice(0, FEWEST_SIDE) : frames.slice(-FEWEST_SIDE);
}

function levelOf(light: Float32Array, n: number, frames: readonly number[]): Float64Array {
  return Float64Array.from({ length: n }, (_, i) => mean(frames.map((k) => light[k * n + i]!)));
}

/** The frame nearest to a moment, no farther than half an interval beyond the first; -1 where there is none. */
function nearestFrame(time_s: Float64Array, t_s: number): number {
  const interval_s = time_s.length < 2 ? 0 : time_s[1]! - time_s[0]!;
  if (t_s < time_s[0]! - 0.5 * interval_s) return -1;
  let best = 0;
  for (let k = 1; k < time_s.length; k++) {
    if (Math.abs(time_s[k]! - t_s) < Math.abs(time_s[best]! - t_s)) best = k;
  }
  return best;
}
