/** Maps of a particle at moments, and the map at any moment between; places between the cells of a particle's raster. */
import type { Place } from "./outline.js";

/** The raster of a particle's cells in the image's frame; place (0, 0) of the raster is the centre of its first cell. */
export interface ParticleRaster {
  readonly mask: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly h_um: number;
  readonly origin_um: Place;
}

/** Maps at rising moments, height * width each; two maps at one moment are a jump. */
export interface MapFilm {
  readonly t_s: readonly number[];
  readonly maps: readonly Float32Array[];
}

/** The map at a moment into `into`: straight between moments, held before the first and after the last. */
export function mapAt({ t_s, maps }: MapFilm, time_s: number, into: Float64Array): void {
  const last = t_s.length - 1;
  let low = 0;
  let high = last;
  if (time_s >= t_s[last]!) low = last;
  else if (time_s > t_s[0]!) {
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (t_s[middle]! <= time_s) low = middle;
      else high = middle;
    }
  }
  const before = maps[low]!;
  const after = maps[Math.min(last, low + 1)]!;
  const span_s = t_s[Math.min(last, low + 1)]! - t_s[low]!;
  const share = span_s > 0 ? Math.min(1, Math.max(0, (time_s - t_s[low]!) / span_s)) : 0;
  for (let at = 0; at < into.length; at++) into[at] = before[at]! + share * (after[at]! - before[at]!);
}

/** For each of some places four cells of a raster and their weights, which sum to 1. */
export interface Between {
  readonly cells: Int32Array;
  readonly weights: Float32Array;
}

/**
 * Where places lie between the centres of a raster's cells: bilinear over those of the four cells that are inside; where
 * none is (the outline reaches a little beyond the mask) the nearest cell inside.
 */
export function between(raster: ParticleRaster, places: readonly Place[]): Between {
  const { mask, width, height, h_um, origin_um } = raster;
  const cells = new Int32Array(4 * places.length);
  const weights = new Float32Array(4 * places.length);
  for (const [index, [x_um, y_um]] of places.entries()) {
    const u = (x_um - origin_um[0]) / h_um;
    const v = (y_um - origin_um[1]) / h_um;
    const left = Math.floor(u);
    const top = Math.floor(v);
    let sum = 0;
    for (let corner = 0; corner < 4; corner++) {
      const i = left + (corner & 1);
      const j = top + (corner >> 1);
      if (i < 0 || j < 0 || i >= width || j >= height || mask[j * width + i] !== 1) continue;
      const weight = Math.abs((1 - (corner & 1) - (u - left)) * (1 - (corner >> 1) - (v - top)));
      cells[4 * index + corner] = j * width + i;
      weights[4 * index + corner] = weight;
      sum += weight;
    }
    if (sum > 1e-6) {
      for (let corner = 0; corner < 4; corner++) {
        weights[4 * index + corner] = weights[4 * index + corner]! / sum;
        if (weights[4 * index + corner] === 0) cells[4 * index + corner] = heaviest(cells, weights, index);
      }
      continue;
    }
    const nearest = nearestInside(raster, u, v);
    for (let corner = 0; corner < 4; corner++) {
      cells[4 * index + corner] = nearest;
      weights[4 * index + corner] = corner === 0 ? 1 : 0;
    }
  }
  return { cells, weights };
}

/** The value of a map at each place; NaN where a cell that counts has none. */
export function valuesAt({ cells, weights }: Between, map: ArrayLike<number>, into: Float64Array): void {
  for (let at = 0, from = 0; at < into.length; at++, from += 4) {
    into[at] =
      weights[from]! * map[cells[from]!]! +
      weights[from + 1]! * map[cells[from + 1]!]! +
      weights[from + 2]! * map[cells[from + 2]!]! +
      weights[from + 3]! * map[cells[from + 3]!]!;
  }
}

/** The cell that counts most for a place: one without weight points there, so that it adds nothing, not even NaN. */
function heaviest(cells: Int32Array, weights: Float32Array, index: number): number {
  let best = 4 * index;
  for (let at = 4 * index; at < 4 * index + 4; at++) if (weights[at]! > weights[best]!) best = at;
  return cells[best]!;
}

function nearestInside({ mask, width, height }: ParticleRaster, u: number, v: number): number {
  let best = 0;
  let away2 = Infinity;
  for (let j = 0, at = 0; j < height; j++) {
    for (let i = 0; i < width; i++, at++) {
      if (mask[at] !== 1) continue;
      const here2 = (i - u) ** 2 + (j - v) ** 2;
      if (here2 >= away2) continue;
      away2 = here2;
      best = at;
    }
  }
  return best;
}
