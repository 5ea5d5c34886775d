/** Velocity of the phase boundary: inverse of the slope of the arrival map. */
import type { DiscFits } from "../kernels/disc.js";
import { linearFit, mean, median, quantile } from "../kernels/stats.js";
import type { Estimate, FrontMap } from "../model/experiment.js";
import { mapNoise, spread, type MapNoise } from "./map-noise.js";
import { fillArrivals, piecesOf, timeOfFraction, type FilledArrivals } from "./fill-arrivals.js";
import type { Slopes } from "./slopes.js";
import { thinned, velocityField, type VelocityField } from "./velocity-field.js";

/** The median velocity, and the others beside it. */
export interface FrontVelocity extends Estimate {
  readonly sd: number | null;
  readonly mean_um_s: Estimate;
  /** Along the steepest line of the map from its last pixel back to where that began; null where it is too short. */
  readonly path_um_s: Estimate | null;
  /** Over the pixels passed in the last tenth of the duration; null where there are too few. */
  readonly late_um_s: Estimate | null;
  /** 5th and 95th percentile over pixels. */
  readonly range_um_s: readonly [number, number];
}

export interface VelocityOptions {
  /** Standard deviation of the point spread with which the map was made. */
  readonly psf_um?: number;
  readonly noise?: MapNoise;
  /** The map with its gaps filled, where it is at hand. */
  readonly filled?: FilledArrivals;
}

/** Share of the value by which a velocity is uncertain where only the particle's inner part was left for it. */
const RELAXED_SD = 0.1;
/**
 * What the fits leave beside noise, as shares of the velocity, found on synthetic movies: always, of the mean of all
 * pixels and of how unlike the median that is, and of the relative change of speed within the time in which a point spread is passed.
 */
const MODEL_SD = { always: 0.003, mean: 0.008, unlike: 0.4, change: 0.3 } as const;
/** Ends of a path are known to this share of a point spread. */
const PATH_END = 0.2;
/** Velocities count in the mean as at most, and at least, so many times the median. */
const TAIL = 4;
/** Point spreads that a path must be long. */
const SHORTEST_PATH = 4;
const FEWEST_LATE = 4;

/**
 * Velocity of a front, um/s: 1 / |grad T| over covered pixels farther than one point spread from outline, nuclei and
 * collision lines, each pixel once; its median, mean, and percentiles.
 *
 * Noise lengthens a slope across its direction, |g|^2 -> |g|^2 + var, which is taken off again. The standard errors are
 * the spread over draws of the map's noise; `n` counts areas over which the noise is one. Null where no slope stands out.
 */
export function frontVelocity(front: FrontMap, options: VelocityOptions = {}): FrontVelocity | null {
  const { psf_um = 0.118 } = options;
  const noise = options.noise ?? mapNoise(front, psf_um);
  const field = velocityField(front, psf_um, noise);
  if (field === null) return null;
  const pieces = piecesOf(options.filled ?? fillArrivals(front, psf_um), front.width)();
  const last_s = timeOfFraction(pieces, 0.95);
  const duration_s = last_s - timeOfFraction(pieces, 0.05);
  const late_s: readonly [number, number] = [last_s - 0.1 * duration_s, last_s];
  const ways = { index: indexOf(field), late_s, psf_um };
  const arrival_s = Float64Array.from(field.operator.pixels, (at) => field.map.arrival_s[at]!);
  const own = statistics(field, field.found, arrival_s, ways);
  const sum = newField(arrival_s.length);
  const noisy_s = new Float64Array(arrival_s.length);
  const drawn = field.drawn.map((fits, draw) => {
    const draw_s = thinned(noise.draws_s[draw]!, front.width, front.height, field.map.stride);
    for (let i = 0; i < arrival_s.length; i++) {
      noisy_s[i] = arrival_s[i]! + draw_s[field.operator.pixels[i]!]!;
      sum.value[i] = field.found.value[i]! + fits.value[i]!;
      sum.x[i] = field.found.x[i]! + fits.x[i]!;
      sum.y[i] = field.found.y[i]! + fits.y[i]!;
    }
    return statistics(field, sum, noisy_s, ways);
  });
  const pixels = field.clear.reduce((sum, one) => sum + one, 0);
  const model = Math.hypot(
    MODEL_SD.always,
    MODEL_SD.change * Math.abs(own.change_per_s) * (psf_um / own.median_um_s),
    field.relaxed ? RELAXED_SD : 0,
  );
  // Pixels left out may be faster or slower than the others, as these are among themselves.
  const others_um_s = 0.5 * field.doubtful * (own.range_um_s[1] - own.range_um_s[0]);
  const estimate = (of: (one: Statistics) => number, count: number, share = 0): Estimate => {
    const value = of(own);
    const sd = spread(drawn.map(of));
    return { value, sd: sd === null ? null : Math.hypot(sd, model * value, share * value, others_um_s), n: count };
  };
  const areas = (px: number): number => Math.max(1, (px * field.map.stride ** 2) / noise.area_px2);
  return {
    ...estimate(({ median_um_s }) => median_um_s, areas(pixels)),
    mean_um_s: estimate(
      ({ mean_um_s }) => mean_um_s,
      areas(pixels),
      Math.hypot(MODEL_SD.mean, MODEL_SD.unlike * (own.mean_um_s / own.median_um_s - 1)),
    ),
    path_um_s: Number.isFinite(own.path_um_s)
      ? estimate(
          ({ path_um_s }) => path_um_s,
          Math.max(1, own.path_um / front.pixelSize_um / Math.sqrt(noise.area_px2)),
          (PATH_END * psf_um) / own.path_um,
        )
      : null,
    late_um_s: Number.isFinite(own.late_um_s) ? estimate(({ late_um_s }) => late_um_s, areas(own.latePixels)) : null,
    range_um_s: own.range_um_s,
  };
}

interface Statistics {
  readonly median_um_s: number;
  readonly mean_um_s: number;
  readonly range_um_s: readonly [number, number];
  readonly late_um_s: number;
  readonly latePixels: number;
  readonly path_um_s: number;
  readonly path_um: number;
  /** Relative change of the velocity in time. */
  readonly change_per_s: number;
}

/** `arrival_s`: of each pixel with a slope. */
function statistics(
  { map, operator, slopeVariance, clear }: VelocityField,
  found: DiscFits,
  arrival_s: Float64Array,
  { index, late_s, psf_um }: { index: Int32Array; late_s: readonly [number, number]; psf_um: number },
): Statistics {
  const velocity_um_s = new Float64Array(clear.length);
  const late = new Float64Array(clear.length);
  const evened = new Float64Array(clear.length);
  const logs = new Float64Array(clear.length);
  const times_s = new Float64Array(clear.length);
  let n = 0;
  let latePixels = 0;
  for (let i = 0; i < clear.length; i++) {
    if (clear[i] === 0) continue;
    const square = found.x[i]! * found.x[i]! + found.y[i]! * found.y[i]!;
    const variance = slopeVariance[i]!;
    const steepness = Math.sqrt(Math.max(square - variance, 0.1 * square));
    const own = map.pixelSize_um / steepness;
    velocity_um_s[n] = own;
    // The mean of 1 / (g + noise) is greater than 1 / g.
    evened[n] = own * Math.max(0.5, 1 - variance / (steepness * steepness));
    const t_s = arrival_s[i]!;
    logs[n] = Math.log(own);
    times_s[n++] = found.value[i]!;
    if (t_s >= late_s[0] && t_s <= late_s[1]) late[latePixels++] = own;
  }
  const path = steepestPath(map.width, operator, found, clear, index);
  const path_um = path.length_px * map.pixelSize_um;
  const all_um_s = velocity_um_s.subarray(0, n);
  const median_um_s = median(all_um_s);
  const tails = [median_um_s / TAIL, TAIL * median_um_s] as const;
  for (let i = 0; i < n; i++) evened[i] = Math.min(tails[1], Math.max(tails[0], evened[i]!));
  return {
    median_um_s,
    mean_um_s: mean(evened.subarray(0, n)),
    range_um_s: [quantile(all_um_s, 0.05), quantile(all_um_s, 0.95)],
    late_um_s: latePixels < FEWEST_LATE ? NaN : median(late.subarray(0, latePixels)),
    latePixels,
    path_um_s: path_um < SHORTEST_PATH * psf_um || !(path.time_s > 0) ? NaN : path_um / path.time_s,
    path_um,
    change_per_s: linearFit(times_s.subarray(0, n), logs.subarray(0, n)).slope || 0,
  };
}

/** Latest pixels from which a path is tried: the first may lie in a corner between fronts. */
const PATHS = 24;
/** Steps of a path that are taken as straight. */
const CHORD = 10;

interface Path {
  readonly length_px: number;
  readonly time_s: number;
}

function newField(n: number): DiscFits {
  return { value: new Float64Array(n), x: new Float64Array(n), y: new Float64Array(n) };
}

/** Place of each pixel of the map among those with a clear slope; -1 for the others. */
function indexOf({ map, operator, clear }: VelocityField): Int32Array {
  const index = new Int32Array(map.width * map.height).fill(-1);
  for (let i = 0; i < clear.length; i++) if (clear[i] === 1) index[operator.pixels[i]!] = i;
  return index;
}

/** Of the ways down the slope from the latest clear pixels, the one that takes longest. */
function steepestPath(width: number, { pixels }: Slopes, field: DiscFits, clear: Uint8Array, index: Int32Array): Path {
  let longest: Path = { length_px: 0, time_s: 0 };
  for (const start of latest(field.value, clear)) {
    const path = pathFrom(pixels[start]!, width, index, field);
    if (path.time_s > longest.time_s) longest = path;
  }
  return longest;
}

/** The clear pixels of the greatest values. */
function latest(value: Float64Array, clear: Uint8Array): number[] {
  const found: number[] = [];
  for (let i = 0; i < clear.length; i++) {
    if (clear[i] === 0 || (found.length === PATHS && !(value[i]! > value[found[PATHS - 1]!]!))) continue;
    let at = found.length;
    while (at > 0 && value[i]! > value[found[at - 1]!]!) at--;
    found.splice(at, 0, i);
    if (found.length > PATHS) found.pop();
  }
  return found;
}

/** Down the slope, half a pixel a step, as far as the map falls and is clear; its length by chords of CHORD steps, as noise makes each step lean. */
function pathFrom(start: number, width: number, index: Int32Array, field: DiscFits): Path {
  let x = start % width;
  let y = Math.floor(start / width);
  let [fromX, fromY, steps, length_px] = [x, y, 0, 0];
  let here: Spot = { value: 0, x: 0, y: 0 };
  let next: Spot = { value: 0, x: 0, y: 0 };
  between(index, width, field, x, y, here);
  const first_s = here.value;
  const step_px = 0.5;
  for (;;) {
    const steepness = Math.sqrt(here.x * here.x + here.y * here.y);
    if (!(steepness > 0)) break;
    const toX = x - (step_px * here.x) / steepness;
    const toY = y - (step_px * here.y) / steepness;
    if (!between(index, width, field, toX, toY, next) || next.value >= here.value) break;
    x = toX;
    y = toY;
    [here, next] = [next, here];
    if (++steps % CHORD !== 0) continue;
    length_px += Math.hypot(x - fromX, y - fromY);
    [fromX, fromY] = [x, y];
  }
  return { length_px: length_px + Math.hypot(x - fromX, y - fromY), time_s: first_s - here.value };
}

/** Value and slope at one place. */
interface Spot {
  value: number;
  x: number;
  y: number;
}

/** Value and slope between the four pixels around a place; false where one of them has none. */
function between(index: Int32Array, width: number, field: DiscFits, x: number, y: number, into: Spot): boolean {
  const left = Math.floor(x);
  const top = Math.floor(y);
  const u = x - left;
  const v = y - top;
  into.value = 0;
  into.x = 0;
  into.y = 0;
  for (let corner = 0; corner < 4; corner++) {
    const dx = corner & 1;
    const dy = corner >> 1;
    const share = (dx === 0 ? 1 - u : u) * (dy === 0 ? 1 - v : v);
    if (share === 0) continue;
    const at = (top + dy) * width + left + dx;
    const i = left + dx < 0 || left + dx >= width || at < 0 || at >= index.length ? -1 : index[at]!;
    if (i < 0) return false;
    into.value += share * field.value[i]!;
    into.x += share * field.x[i]!;
    into.y += share * field.y[i]!;
  }
  return true;
}
