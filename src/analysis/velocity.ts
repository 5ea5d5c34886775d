/** Velocity of the phase boundary: inverse of the slope of the arrival map. */
import { linearFit, mean, median, quantile } from "../kernels/stats.js";
import type { Estimate, FrontMap } from "../model/experiment.js";
import { mapNoise, spread, type MapNoise } from "./map-noise.js";
import { fillArrivals, piecesOf, timeOfFraction, type FilledArrivals } from "./fill-arrivals.js";
import { applySlopes, type Slopes } from "./slopes.js";
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
  const own = statistics(field, field.map.arrival_s, late_s, psf_um);
  const drawn = noise.draws_s.map((draw_s) => {
    const draw = thinned(draw_s, front.width, front.height, field.map.stride);
    return statistics(
      field,
      field.map.arrival_s.map((t, at) => t + draw[at]!),
      late_s,
      psf_um,
    );
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

function statistics(
  { map, operator, slopeVariance, clear }: VelocityField,
  arrival_s: Float32Array,
  late_s: readonly [number, number],
  psf_um: number,
): Statistics {
  const found = applySlopes(operator, arrival_s);
  const velocity_um_s: number[] = [];
  const late: number[] = [];
  const evened: number[] = [];
  const logs: number[] = [];
  const times_s: number[] = [];
  for (let i = 0; i < clear.length; i++) {
    if (clear[i] === 0) continue;
    const square = found.x[i]! ** 2 + found.y[i]! ** 2;
    const variance = slopeVariance[i]!;
    const steepness = Math.sqrt(Math.max(square - variance, 0.1 * square));
    const own = map.pixelSize_um / steepness;
    velocity_um_s.push(own);
    // The mean of 1 / (g + noise) is greater than 1 / g.
    evened.push(own * Math.max(0.5, 1 - variance / (steepness * steepness)));
    const t_s = arrival_s[operator.pixels[i]!]!;
    logs.push(Math.log(own));
    times_s.push(found.value[i]!);
    if (t_s >= late_s[0] && t_s <= late_s[1]) late.push(own);
  }
  const path = steepestPath(map.width, operator, found, clear);
  const path_um = path.length_px * map.pixelSize_um;
  const median_um_s = median(velocity_um_s);
  return {
    median_um_s,
    mean_um_s: mean(evened.map((own) => Math.min(TAIL * median_um_s, Math.max(median_um_s / TAIL, own)))),
    range_um_s: [quantile(velocity_um_s, 0.05), quantile(velocity_um_s, 0.95)],
    late_um_s: late.length < FEWEST_LATE ? NaN : median(late),
    latePixels: late.length,
    path_um_s: path_um < SHORTEST_PATH * psf_um || !(path.time_s > 0) ? NaN : path_um / path.time_s,
    path_um,
    change_per_s: linearFit(times_s, logs).slope || 0,
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

interface Field {
  readonly value: Float64Array;
  readonly x: Float64Array;
  readonly y: Float64Array;
}

/** Of the ways down the slope from the latest clear pixels, the one that takes longest. */
function steepestPath(width: number, operator: Slopes, field: Field, clear: Uint8Array): Path {
  const index = new Map<number, number>();
  for (const [i, at] of operator.pixels.entries()) if (clear[i] === 1) index.set(at, i);
  const starts = [...index.values()].sort((a, b) => field.value[b]! - field.value[a]!).slice(0, PATHS);
  let longest: Path = { length_px: 0, time_s: 0 };
  for (const start of starts) {
    const path = pathFrom(operator.pixels[start]!, width, index, field);
    if (path.time_s > longest.time_s) longest = path;
  }
  return longest;
}

/** Down the slope, half a pixel a step, as far as the map falls and is clear. */
function pathFrom(start: number, width: number, index: ReadonlyMap<number, number>, field: Field): Path {
  let x = start % width;
  let y = Math.floor(start / width);
  const places: [number, number][] = [[x, y]];
  let here = between(index, width, field, x, y)!;
  const first_s = here.value;
  const step_px = 0.5;
  for (;;) {
    const steepness = Math.hypot(here.x, here.y);
    if (!(steepness > 0)) break;
    const next = between(index, width, field, x - (step_px * here.x) / steepness, y - (step_px * here.y) / steepness);
    if (next === null || next.value >= here.value) break;
    x -= (step_px * here.x) / steepness;
    y -= (step_px * here.y) / steepness;
    places.push([x, y]);
    here = next;
  }
  return { length_px: lengthOf(places), time_s: first_s - here.value };
}

/** Length of a way by chords of CHORD steps: noise makes each step lean, and the sum of steps too long. */
function lengthOf(places: readonly (readonly [number, number])[]): number {
  let length_px = 0;
  let last = 0;
  while (last < places.length - 1) {
    const next = Math.min(places.length - 1, last + CHORD);
    length_px += Math.hypot(places[next]![0] - places[last]![0], places[next]![1] - places[last]![1]);
    last = next;
  }
  return length_px;
}

/** Value and slope between the four pixels around a place; null where one of them has none. */
function between(
  index: ReadonlyMap<number, number>,
  width: number,
  field: Field,
  x: number,
  y: number,
): { readonly value: number; readonly x: number; readonly y: number } | null {
  const left = Math.floor(x);
  const top = Math.floor(y);
  const sum = { value: 0, x: 0, y: 0 };
  for (const [dx, dy] of [
    [0, 0],
    [1, 0],
    [0, 1],
    [1, 1],
  ] as const) {
    const share = (dx === 0 ? 1 - (x - left) : x - left) * (dy === 0 ? 1 - (y - top) : y - top);
    if (share === 0) continue;
    const i = left + dx < 0 || left + dx >= width ? undefined : index.get((top + dy) * width + left + dx);
    if (i === undefined) return null;
    sum.value += share * field.value[i]!;
    sum.x += share * field.x[i]!;
    sum.y += share * field.y[i]!;
  }
  return sum;
}
