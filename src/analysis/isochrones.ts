/** Velocity of the phase boundary from the distance between its places at two moments: isochrones of the arrival map. */
import { distanceTransform } from "../kernels/distance.js";
import { sortEven } from "../kernels/order.js";
import { median, quantile } from "../kernels/stats.js";
import type { Estimate, FrontMap, Kinetics } from "../model/experiment.js";
import { NM_PER_UM } from "../model/units.js";
import { fillArrivals, type FilledArrivals } from "./fill-arrivals.js";
import { spread, type MapNoise } from "./map-noise.js";

export interface IsochroneOptions {
  /** Standard deviation of the point spread with which the map was made. */
  readonly psf_um: number;
  readonly noise: MapNoise;
  /** The map with its gaps filled, where it is at hand. */
  readonly filled?: FilledArrivals;
}

/** Way of the front between two isochrones that is aimed at, and the share of all arrivals' time that it may take at most. */
const WAY_UM = 0.35;
const MOST_SHARE = 0.2;
/** Sets of isochrones, those of one half-way between those of the other. */
const SETS = 2;
/** From an isochrone to the next and back must lead so near to where one began, as a share of the way. */
const BACK = 0.35;
/** Direction of the shortest way and of the slope may differ by so much. */
const ALIGNED_COS = Math.cos((35 * Math.PI) / 180);
const FEWEST = 8;
/** Draws of the map's noise from which the standard error follows. */
const DRAWS = 12;
/** What is left beside noise, as a share, found on synthetic movies. */
const MODEL_SD = 0.005;
/** Share of the ways' spread that stands for places where there is none. */
const UNSEEN = 0.5;

/**
 * Median velocity of a front, um/s, each piece of area once: from every piece of an isochrone the shortest way to the next
 * isochrone, over the time between them. The way of a local fit of slopes is not taken: no slope enters but to tell
 * whether the way leads across the front.
 *
 * Left out is what begins or ends within a point spread of the outline, and what does not lead back to its beginning from
 * the next isochrone: about nuclei and where fronts meet. The time between isochrones is that in which the front covers
 * 0.35 um, or less in a small particle. What noise adds on the mean is taken off. The standard error is the spread over draws of the map's noise. Null where
 * isochrones are too few or too short.
 */
export function isochroneVelocity(front: FrontMap, options: IsochroneOptions): Estimate | null {
  const { psf_um, noise, filled = fillArrivals(front, psf_um) } = options;
  const { width, height, mask, pixelSize_um } = front;
  const map_s = filled.arrival_s.map((t_s, at) => (Number.isFinite(front.arrival_s[at]!) ? t_s : NaN));
  const step_s = intervalOf(map_s, width, pixelSize_um);
  if (step_s === null) return null;
  const depth_px = distanceTransform(mask, width, height).map((px) => px - 0.5);
  const grid = { width, height, depth_px, least_px: psf_um / pixelSize_um };
  const own = ways(map_s, step_s, grid);
  if (own.length_px.length < FEWEST) return null;
  const toVelocity = pixelSize_um / step_s;
  const found = toVelocity * weightedMedian(own);
  const noisy = noise.draws_s.slice(0, DRAWS).map((draw_s) => {
    const smooth_s = filled.smoothed(draw_s);
    return ways(
      map_s.map((t_s, at) => t_s + smooth_s[at]!),
      step_s,
      grid,
    );
  });
  const drawn = noisy.map((some) => (some.length_px.length < FEWEST ? NaN : toVelocity * weightedMedian(some)));
  const sd = spread(drawn);
  // Ways that noise bends are shorter or longer than their own; by as much as noise added once more makes them.
  const finite = drawn.filter(Number.isFinite);
  const luck = sd === null ? 0 : finite.reduce((sum, one) => sum + one, 0) / finite.length - found;
  const value = found - luck;
  const area_px2 = totalOf(own.area_px2) / SETS;
  // Where no way leads the front may be faster or slower, as the ways are among themselves.
  const clear_px2 = depth_px.reduce((sum, depth) => sum + (depth > grid.least_px ? 1 : 0), 0);
  const unseen = Math.max(0, 1 - area_px2 / Math.max(1, clear_px2));
  const others = toVelocity * UNSEEN * unseen * spreadOf(own, noisy);
  return {
    value,
    sd: sd === null ? null : Math.hypot(sd, MODEL_SD * value, others),
    n: Math.max(1, area_px2 / noise.area_px2),
  };
}

/** From the 10th to the 90th percentile of the ways' lengths, without what noise adds to it. */
function spreadOf(own: Ways, noisy: readonly Ways[]): number {
  const range = ({ length_px }: Ways): number => quantile(length_px, 0.9) - quantile(length_px, 0.1);
  const seen = range(own);
  const withNoise = median(noisy.map(range));
  return Math.sqrt(Math.max(0, seen ** 2 - Math.max(0, withNoise ** 2 - seen ** 2)));
}

/** A difference of so many standard errors is one. */
const DIFFERS = 3;

/** A sentence where the velocities from slopes and from isochrones differ beyond their errors; null where they agree. */
export function disagreement({
  velocity_um_s,
  velocity_isochrone_um_s,
}: Pick<Kinetics, "velocity_um_s" | "velocity_isochrone_um_s">): string | null {
  if (velocity_isochrone_um_s === null || velocity_um_s.sd === null || velocity_isochrone_um_s.sd === null) return null;
  const off_um_s = Math.abs(velocity_um_s.value - velocity_isochrone_um_s.value);
  const sds = off_um_s / Math.hypot(velocity_um_s.sd, velocity_isochrone_um_s.sd);
  if (!(sds > DIFFERS)) return null;
  const nm = (value_um_s: number): string => (NM_PER_UM * value_um_s).toFixed(1);
  return `the velocity is ${nm(velocity_um_s.value)} nm/s by the map's slopes and ${nm(velocity_isochrone_um_s.value)} nm/s by its isochrones, ${sds.toFixed(1)} standard errors apart: the front is uneven within a point spread, or the map is.`;
}

/** Time between isochrones; null where the map has no extent in time. */
function intervalOf(map_s: Float32Array, width: number, pixelSize_um: number): number | null {
  const known = sortEven(Float64Array.from(map_s.filter(Number.isFinite)));
  if (known.length < FEWEST) return null;
  const length_s = known[Math.floor(0.98 * (known.length - 1))]! - known[Math.floor(0.02 * (known.length - 1))]!;
  const slope_s_px = median(
    map_s.map((_, at) => {
      const x = at % width;
      if (x === 0 || x === width - 1) return NaN;
      return Math.hypot(map_s[at + 1]! - map_s[at - 1]!, map_s[at + width]! - map_s[at - width]!) / 2;
    }),
  );
  const step_s = Math.min((WAY_UM / pixelSize_um) * slope_s_px, MOST_SHARE * length_s);
  return step_s > 0 ? step_s : null;
}

interface Grid {
  readonly width: number;
  readonly height: number;
  readonly depth_px: ArrayLike<number>;
  readonly least_px: number;
}

/** Shortest ways between isochrones and the area that each one's piece of front covers on it. */
interface Ways {
  readonly length_px: Float64Array;
  readonly area_px2: Float64Array;
}

/** An isochrone in pieces, in the order of rows: both ends of each, four numbers, and where each row's pieces begin. */
interface Isochrone {
  readonly ends: number[];
  readonly rows: Int32Array;
}

function ways(map_s: Float32Array, step_s: number, grid: Grid): Ways {
  const lines = isochrones(map_s, step_s, grid);
  const lengths: number[] = [];
  const areas: number[] = [];
  const [there, back] = [newPlace(), newPlace()];
  for (let line = 0; line + SETS < lines.length; line++) {
    const [before, after] = [lines[line]!, lines[line + SETS]!];
    const { ends } = before;
    for (let at = 0; at < ends.length; at += 4) {
      const x = 0.5 * (ends[at]! + ends[at + 2]!);
      const y = 0.5 * (ends[at + 1]! + ends[at + 3]!);
      if (!isWay(x, y, { before, after, there, back }, map_s, grid)) continue;
      const length_px = 0.5 * (there.far + back.far);
      lengths.push(length_px);
      areas.push(length_px * Math.hypot(ends[at + 2]! - ends[at]!, ends[at + 3]! - ends[at + 1]!));
    }
  }
  return { length_px: Float64Array.from(lengths), area_px2: Float64Array.from(areas) };
}

/** A place and how far off it is, px. */
interface Place {
  x: number;
  y: number;
  far: number;
}

function newPlace(): Place {
  return { x: 0, y: 0, far: Infinity };
}

/** Whether a way that counts leads from a place to the next isochrone and back; writes both ends. */
function isWay(
  x: number,
  y: number,
  { before, after, there, back }: { before: Isochrone; after: Isochrone; there: Place; back: Place },
  map_s: Float32Array,
  { width, depth_px, least_px }: Grid,
): boolean {
  const at = Math.round(y) * width + Math.round(x);
  if (!(depth_px[at]! > least_px)) return false;
  nearest(after, x, y, there);
  if (there.far === Infinity) return false;
  const end = Math.round(there.y) * width + Math.round(there.x);
  if (!(depth_px[end]! > least_px)) return false;
  const slopeX = map_s[at + 1]! - map_s[at - 1]!;
  const slopeY = map_s[at + width]! - map_s[at - width]!;
  const along = slopeX * (there.x - x) + slopeY * (there.y - y);
  if (!(along > ALIGNED_COS * Math.sqrt(slopeX * slopeX + slopeY * slopeY) * there.far)) return false;
  nearest(before, there.x, there.y, back);
  return !(Math.hypot(back.x - x, back.y - y) > BACK * there.far);
}

/**
 * Lines of equal arrival between pixels that all have one (marching squares), half an interval from each other, from a
 * quarter after the first arrival on.
 */
function isochrones(map_s: Float32Array, step_s: number, { width, height }: Grid): Isochrone[] {
  let first_s = Infinity;
  let last_s = -Infinity;
  for (let at = 0; at < map_s.length; at++) {
    const t_s = map_s[at]!;
    if (t_s < first_s) first_s = t_s;
    if (t_s > last_s) last_s = t_s;
  }
  const apart_s = step_s / SETS;
  const from_s = first_s + 0.5 * apart_s;
  const count = last_s > from_s ? Math.ceil((last_s - from_s) / apart_s) : 0;
  const lines = Array.from({ length: count }, () => ({ ends: [] as number[], rows: new Int32Array(height + 1) }));
  for (let y = 0; y + 1 < height; y++) {
    for (const { ends, rows } of lines) rows[y] = ends.length;
    for (let x = 0, at = y * width; x + 1 < width; x++, at++) {
      const a = map_s[at]!;
      const b = map_s[at + 1]!;
      const c = map_s[at + width + 1]!;
      const d = map_s[at + width]!;
      const least = Math.min(a, b, c, d);
      const most = Math.max(a, b, c, d);
      if (!(most > least)) continue;
      const end = Math.min(count - 1, Math.floor((most - from_s) / apart_s));
      for (let line = Math.max(0, Math.ceil((least - from_s) / apart_s)); line <= end; line++) {
        addPiece(lines[line]!.ends, x, y, a, b, c, d, from_s + line * apart_s);
      }
    }
  }
  for (const { ends, rows } of lines) rows.fill(ends.length, height - 1);
  return lines;
}

/** The piece in a square whose corners, in turn, are a, b, c, d; none at a saddle, where two fronts meet. */
function addPiece(ends: number[], x: number, y: number, a: number, b: number, c: number, d: number, t_s: number): void {
  const [overA, overB, overC, overD] = [a > t_s, b > t_s, c > t_s, d > t_s];
  const top = overA !== overB;
  const right = overB !== overC;
  const bottom = overC !== overD;
  const left = overD !== overA;
  if ((top ? 1 : 0) + (right ? 1 : 0) + (bottom ? 1 : 0) + (left ? 1 : 0) !== 2) return;
  if (top) ends.push(x + (t_s - a) / (b - a), y);
  if (right) ends.push(x + 1, y + (t_s - b) / (c - b));
  if (bottom) ends.push(x + 1 - (t_s - c) / (d - c), y + 1);
  if (left) ends.push(x, y + 1 - (t_s - d) / (a - d));
}

/** The nearest place on an isochrone; infinitely far where it has none. Rows are looked through from the place's own on. */
function nearest({ ends, rows }: Isochrone, x: number, y: number, found: Place): void {
  found.far = Infinity;
  let least2 = Infinity;
  const last = rows.length - 2;
  const own = Math.min(last, Math.floor(y));
  for (let up = own, down = own + 1; up >= 0 || down <= last; up--, down++) {
    const above = y - (up + 1);
    const below = down - y;
    if (up < 0 || (above > 0 && above * above >= least2)) up = -1;
    else least2 = nearestInRow(ends, rows[up]!, rows[up + 1]!, x, y, least2, found);
    if (down > last || below * below >= least2) down = last + 1;
    else least2 = nearestInRow(ends, rows[down]!, rows[down + 1]!, x, y, least2, found);
  }
  found.far = Math.sqrt(least2);
}

function nearestInRow(
  ends: number[],
  from: number,
  to: number,
  x: number,
  y: number,
  before2: number,
  found: Place,
): number {
  let least2 = before2;
  for (let at = from; at < to; at += 4) {
    const x0 = ends[at]!;
    const aside = Math.abs(x0 - x) - 1;
    // A piece is no wider than its pixel.
    if (aside > 0 && aside * aside >= least2) continue;
    const y0 = ends[at + 1]!;
    const ux = ends[at + 2]! - x0;
    const uy = ends[at + 3]! - y0;
    const length2 = ux * ux + uy * uy;
    const share = length2 > 0 ? Math.min(1, Math.max(0, ((x - x0) * ux + (y - y0) * uy) / length2)) : 0;
    const px = x0 + share * ux;
    const py = y0 + share * uy;
    const far2 = (px - x) * (px - x) + (py - y) * (py - y);
    if (far2 >= least2) continue;
    least2 = far2;
    found.x = px;
    found.y = py;
  }
  return least2;
}

/** The length up to which ways cover half of the area. */
function weightedMedian({ length_px, area_px2 }: Ways): number {
  const order = Uint32Array.from(length_px.keys()).sort((a, b) => length_px[a]! - length_px[b]!);
  const half = totalOf(area_px2) / 2;
  let sum = 0;
  for (const at of order) {
    sum += area_px2[at]!;
    if (sum >= half) return length_px[at]!;
  }
  return NaN;
}

function totalOf(values: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < values.length; at++) sum += values[at]!;
  return sum;
}
