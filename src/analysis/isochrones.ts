/** Velocity of the phase boundary from the distance between its places at two moments: isochrones of the arrival map. */
import { distanceTransform } from "../kernels/distance.js";
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
/** Isochrones of one set lie half-way between those of the other. */
const SETS = [0.25, 0.75];
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

/** A piece of an isochrone: two ends, in px. */
interface Piece {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
}

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
  if (own.length < FEWEST) return null;
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
  const drawn = noisy.map((some) => (some.length < FEWEST ? NaN : toVelocity * weightedMedian(some)));
  const sd = spread(drawn);
  // Ways that noise bends are shorter or longer than their own; by as much as noise added once more makes them.
  const finite = drawn.filter(Number.isFinite);
  const luck = sd === null ? 0 : finite.reduce((sum, one) => sum + one, 0) / finite.length - found;
  const value = found - luck;
  const area_px2 = own.reduce((sum, { area_px2: one }) => sum + one, 0) / SETS.length;
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
function spreadOf(own: readonly Way[], noisy: readonly (readonly Way[])[]): number {
  const range = (some: readonly Way[]): number => {
    const lengths = some.map(({ length_px }) => length_px);
    return quantile(lengths, 0.9) - quantile(lengths, 0.1);
  };
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
  const known = map_s.filter(Number.isFinite).sort();
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

/** A shortest way between isochrones and the area that its piece of front covers on it. */
interface Way {
  readonly length_px: number;
  readonly area_px2: number;
}

function ways(map_s: Float32Array, step_s: number, grid: Grid): Way[] {
  let first_s = Infinity;
  let last_s = -Infinity;
  for (const t_s of map_s) {
    if (t_s < first_s) first_s = t_s;
    if (t_s > last_s) last_s = t_s;
  }
  const found: Way[] = [];
  for (const offset of SETS) {
    let before = piecesAt(map_s, grid.width, first_s + offset * step_s);
    for (let t_s = first_s + (offset + 1) * step_s; t_s < last_s; t_s += step_s) {
      const after = piecesAt(map_s, grid.width, t_s);
      for (const piece of before) {
        const way = wayFrom(piece, before, after, map_s, grid);
        if (way !== null) found.push(way);
      }
      before = after;
    }
  }
  return found;
}

function wayFrom(
  piece: Piece,
  before: readonly Piece[],
  after: readonly Piece[],
  map_s: Float32Array,
  { width, depth_px, least_px }: Grid,
): Way | null {
  const x = 0.5 * (piece.x0 + piece.x1);
  const y = 0.5 * (piece.y0 + piece.y1);
  const at = Math.round(y) * width + Math.round(x);
  if (!(depth_px[at]! > least_px)) return null;
  const there = nearest(after, x, y);
  if (there === null) return null;
  const end = Math.round(there.y) * width + Math.round(there.x);
  if (!(depth_px[end]! > least_px)) return null;
  const back = nearest(before, there.x, there.y)!;
  if (Math.hypot(back.x - x, back.y - y) > BACK * there.far) return null;
  const slopeX = map_s[at + 1]! - map_s[at - 1]!;
  const slopeY = map_s[at + width]! - map_s[at - width]!;
  const along = slopeX * (there.x - x) + slopeY * (there.y - y);
  if (!(along > ALIGNED_COS * Math.hypot(slopeX, slopeY) * there.far)) return null;
  const length_px = 0.5 * (there.far + back.far);
  return { length_px, area_px2: length_px * Math.hypot(piece.x1 - piece.x0, piece.y1 - piece.y0) };
}

/** Pieces of the line of equal arrival between pixels that all have one (marching squares). */
function piecesAt(map_s: Float32Array, width: number, t_s: number): Piece[] {
  const pieces: Piece[] = [];
  const ends: number[] = [];
  for (let at = 0; at + width + 1 < map_s.length; at++) {
    const x = at % width;
    if (x === width - 1) continue;
    const [a, b, c, d] = [map_s[at]!, map_s[at + 1]!, map_s[at + width + 1]!, map_s[at + width]!];
    if (Number.isNaN(a + b + c + d)) continue;
    const above = (a > t_s ? 1 : 0) + (b > t_s ? 1 : 0) + (c > t_s ? 1 : 0) + (d > t_s ? 1 : 0);
    if (above === 0 || above === 4) continue;
    const y = Math.floor(at / width);
    ends.length = 0;
    if (a > t_s !== b > t_s) ends.push(x + (t_s - a) / (b - a), y);
    if (b > t_s !== c > t_s) ends.push(x + 1, y + (t_s - b) / (c - b));
    if (c > t_s !== d > t_s) ends.push(x + 1 - (t_s - c) / (d - c), y + 1);
    if (d > t_s !== a > t_s) ends.push(x, y + 1 - (t_s - d) / (a - d));
    // A saddle: two fronts meet there.
    if (ends.length === 4) pieces.push({ x0: ends[0]!, y0: ends[1]!, x1: ends[2]!, y1: ends[3]! });
  }
  return pieces;
}

/** The nearest place on any of the pieces, and how far it is. */
function nearest(pieces: readonly Piece[], x: number, y: number): { x: number; y: number; far: number } | null {
  let least = Infinity;
  let nx = 0;
  let ny = 0;
  for (const { x0, y0, x1, y1 } of pieces) {
    const ux = x1 - x0;
    const uy = y1 - y0;
    const length2 = ux * ux + uy * uy;
    const share = length2 > 0 ? Math.min(1, Math.max(0, ((x - x0) * ux + (y - y0) * uy) / length2)) : 0;
    const px = x0 + share * ux;
    const py = y0 + share * uy;
    const far2 = (px - x) ** 2 + (py - y) ** 2;
    if (far2 >= least) continue;
    least = far2;
    nx = px;
    ny = py;
  }
  return least === Infinity ? null : { x: nx, y: ny, far: Math.sqrt(least) };
}

function weightedMedian(found: readonly Way[]): number {
  const sorted = found.toSorted((a, b) => a.length_px - b.length_px);
  const half = sorted.reduce((sum, { area_px2 }) => sum + area_px2, 0) / 2;
  let sum = 0;
  for (const { length_px, area_px2 } of sorted) {
    sum += area_px2;
    if (sum >= half) return length_px;
  }
  return NaN;
}
