/** A kymograph: the light along a line in time, and the front's way through it, frame by frame. */
import { gaussianBlur } from "../kernels/filter.js";
import { distanceTransform } from "../kernels/distance.js";
import { invertSymmetric, timesVector } from "../kernels/normal-equations.js";
import { madSigma, mean, median, theilSen } from "../kernels/stats.js";
import type { Crop, Estimate, FrontMap, Kymograph, Polyline, RidgePlace, Transition } from "../model/experiment.js";
import type { Stack } from "../model/movie.js";
import { fillArrivals } from "./fill-arrivals.js";

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
/** Places are sought in such parts of a sample. */
const FINE = 0.1;
/** A frame's own level and height may differ from those of before and after by about so much of the step. */
const LOOSE = 0.15;
/** A bright line of the boundary: width in point spreads of the light, and how high it may be, in steps. */
const LINE = { width: 1.2, height: 1, common: 0.01 } as const;
/** A place explains more than none, far beyond the line's ends, by so many variances of the noise. */
const FAR = 6;
const THERE = 25;
/** The front must be so many point spreads from both ends of the line. */
const END = 1.5;
/** A step of the line's light below this share of the light tells no place. */
const LEAST_STEP = 0.01;
/** What the fit of a place leaves beside noise, in point spreads, found on synthetic movies: all of it, and what changes along the way. */
const PLACE_SD = { all: 0.08, along: 0.05 } as const;
const FEWEST_PLACES = 5;
/** Huber's limit, in standard deviations. */
const HUBER = 1.5;

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
    velocity_um_s: velocityOf(ridge, PLACE_SD.along * psf_um),
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

interface Profiles {
  /** Samples on the line. */
  readonly n: number;
  /** Point spread in samples. */
  readonly psf: number;
  readonly time_s: Float64Array;
  readonly distance_um: Float64Array;
}

/**
 * The front's place in each frame: first with a line of its own in every frame, then with the line that is typical of them,
 * which leaves the place less in doubt.
 */
function ridgeOf(share: Float32Array, profiles: Profiles): RidgePlace[] {
  const { n, psf } = profiles;
  const way = directionOf(share, n, profiles.time_s);
  if (way === 0 || n < 4 * END * psf) return [];
  const looked = { way, psf, noise: noiseOf(share, n, psf) } as const;
  const free = placesOf(share, profiles, { ...looked, line: 0, lineSd: LINE.height });
  if (free.length === 0) return [];
  const found = placesOf(share, profiles, {
    ...looked,
    line: median(free.map(({ line }) => line)),
    lineSd: LINE.common,
  });
  return found.map(({ time_s, distance_um, sd_um }) => ({ time_s, distance_um, sd_um }));
}

/** How a frame is looked at: the line's height, and how far from it the frame's own may be. */
interface Look {
  readonly way: -1 | 1;
  readonly psf: number;
  readonly noise: number;
  readonly line: number;
  readonly lineSd: number;
}

function placesOf(
  share: Float32Array,
  { n, psf, time_s, distance_um }: Profiles,
  look: Look,
): (RidgePlace & { readonly line: number })[] {
  const sample_um = distance_um[1]! - distance_um[0]!;
  const found: (RidgePlace & { readonly line: number })[] = [];
  for (let k = 0; k < time_s.length; k++) {
    const row = share.subarray(k * n, (k + 1) * n);
    if (!row.every(Number.isFinite)) continue;
    const cost = (at: number): number => misfit(row, at, look).cost;
    let best = { at: NaN, cost: Infinity };
    for (let at = 0; at <= n - 1; at++) {
      const one = cost(at);
      if (one < best.cost) best = { at, cost: one };
    }
    if (!(best.at >= END * psf && best.at <= n - 1 - END * psf)) continue;
    // Before the front comes and after it has gone no place is better than none.
    if (best.cost > Math.min(cost(-FAR * psf), cost(n + FAR * psf)) - THERE) continue;
    const [low, high] = [cost(best.at - FINE * psf), cost(best.at + FINE * psf)];
    const bend = low - 2 * best.cost + high;
    if (!(bend > 0)) continue;
    const moved = (0.5 * FINE * psf * (low - high)) / bend;
    const at = best.at + Math.max(-1, Math.min(1, moved));
    // Half the second derivative of the misfit in variances of the noise is the inverse of the place's own.
    const sd = (FINE * psf * Math.SQRT2) / Math.sqrt(bend);
    found.push({
      time_s: time_s[k]!,
      distance_um: at * sample_um,
      sd_um: Math.hypot(sd, PLACE_SD.all * psf) * sample_um,
      line: misfit(row, at, look).line,
    });
  }
  return found;
}

/** 1 where earlier samples change first, -1 where later ones do; 0 where neither can be told. */
function directionOf(share: Float32Array, n: number, time_s: Float64Array): -1 | 0 | 1 {
  const place: number[] = [];
  const half_s: number[] = [];
  for (let i = 0; i < n; i++) {
    for (let k = 1; k < time_s.length; k++) {
      if (!(share[(k - 1) * n + i]! < 0.5 && share[k * n + i]! >= 0.5)) continue;
      place.push(i);
      half_s.push(time_s[k]!);
      break;
    }
  }
  if (place.length < FEWEST_PLACES) return 0;
  return Math.sign(theilSen(place, half_s).slope) as -1 | 0 | 1;
}

/**
 * Noise of one sample as a share of the step, as if samples were independent: neighbours share pixels, so it is that of
 * means over a point spread, times its root.
 */
function noiseOf(share: Float32Array, n: number, psf: number): number {
  const reach = Math.max(1, Math.round(psf));
  const frames = share.length / n;
  const values: number[] = [];
  for (let k = 1; k < frames - 1; k++) {
    for (let i = reach; i < n - reach; i += 2 * reach + 1) {
      let sum = 0;
      for (let j = i - reach; j <= i + reach; j++) {
        sum += share[k * n + j]! - 0.5 * (share[(k - 1) * n + j]! + share[(k + 1) * n + j]!);
      }
      values.push(sum / (2 * reach + 1));
    }
  }
  return Math.max(1e-6, (madSigma(values) * Math.sqrt(2 * reach + 1)) / Math.sqrt(1.5));
}

/** Least misfit, in variances of the noise, with the front at one place: level, height and line are free about theirs. */
function misfit(
  row: Float32Array,
  at: number,
  { way, psf, noise, line, lineSd }: Look,
): { readonly cost: number; readonly line: number } {
  const loose = [LOOSE, LOOSE, lineSd].map((sd) => (noise / sd) ** 2);
  const normal = new Float64Array(9);
  const moment = new Float64Array(3);
  let squares = 0;
  for (let i = 0; i < row.length; i++) {
    const u = (i - at) / psf;
    const behind = normalCdf(-way * u);
    const glow = Math.exp(-0.5 * (u / LINE.width) ** 2);
    const terms = [1, behind, glow];
    const y = row[i]! - behind - line * glow;
    squares += y * y;
    for (let a = 0; a < 3; a++) {
      moment[a] = moment[a]! + terms[a]! * y;
      for (let b = 0; b < 3; b++) normal[3 * a + b] = normal[3 * a + b]! + terms[a]! * terms[b]!;
    }
  }
  for (let a = 0; a < 3; a++) normal[4 * a] = normal[4 * a]! + loose[a]!;
  const inverse = invertSymmetric(normal, 3);
  if (inverse === null) return { cost: squares / (noise * noise), line };
  const solved = timesVector(inverse, moment, 3);
  const explained = solved.reduce((sum, value, a) => sum + value * moment[a]!, 0);
  return { cost: (squares - explained) / (noise * noise), line: line + solved[2]! };
}

/** Robust slope of place by time: Huber's weights about a line, starting from Theil and Sen's. */
function velocityOf(ridge: readonly RidgePlace[], place_sd_um: number): Estimate | null {
  if (ridge.length < FEWEST_PLACES) return null;
  const t = ridge.map(({ time_s }) => time_s);
  const x = ridge.map(({ distance_um }) => distance_um);
  const first = theilSen(t, x);
  let slope = first.slope;
  let intercept = first.intercept;
  let weights = t.map(() => 1);
  for (let round = 0; round < 8; round++) {
    const off = x.map((value, k) => value - intercept - slope * t[k]!);
    const scale = Math.max(madSigma(off), 1e-9);
    weights = off.map((one) => Math.min(1, (HUBER * scale) / Math.abs(one)));
    const sum = weights.reduce((all, w) => all + w, 0);
    const meanT = weights.reduce((all, w, k) => all + w * t[k]!, 0) / sum;
    const meanX = weights.reduce((all, w, k) => all + w * x[k]!, 0) / sum;
    let tt = 0;
    let tx = 0;
    for (let k = 0; k < t.length; k++) {
      tt += weights[k]! * (t[k]! - meanT) ** 2;
      tx += weights[k]! * (t[k]! - meanT) * (x[k]! - meanX);
    }
    slope = tx / tt;
    intercept = meanX - slope * meanT;
  }
  const off = x.map((value, k) => value - intercept - slope * t[k]!);
  const sum = weights.reduce((all, w) => all + w, 0);
  const meanT = weights.reduce((all, w, k) => all + w * t[k]!, 0) / sum;
  const tt = weights.reduce((all, w, k) => all + w * (t[k]! - meanT) ** 2, 0);
  const variance = weights.reduce((all, w, k) => all + w * off[k]! ** 2, 0) / Math.max(1, sum - 2);
  // A front that is not quite even leaves neighbours on one side of the line: so many fewer tell of it.
  let products = 0;
  let squares = 0;
  for (let k = 0; k < off.length; k++) {
    squares += off[k]! ** 2;
    if (k > 0) products += off[k]! * off[k - 1]!;
  }
  const alike = Math.min(0.9, Math.max(0, products / squares));
  const inflated = (1 + alike) / (1 - alike);
  // What is common to near frames may differ from one end of the way to the other.
  const ends = (Math.SQRT2 * place_sd_um) / Math.abs(slope * (t[t.length - 1]! - t[0]!));
  return {
    value: slope,
    sd: Math.hypot(Math.sqrt((variance * inflated) / tt), ends * slope),
    n: ridge.length / inflated,
  };
}

/** The normal distribution's integral, to 1e-7: Abramowitz and Stegun 26.2.17. */
function normalCdf(u: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(u));
  const tail =
    Math.exp(-0.5 * u * u) *
    0.3989422804014327 *
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return u > 0 ? 1 - tail : tail;
}
