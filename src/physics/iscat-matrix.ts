/** What lies around a particle in the image, and how the map of another raster comes onto the cells of this one. */
import { entries, pair, record, seeded, whole, within } from "./check.js";
import { checkGrid, WIDEST_CELLS } from "./iscat-check.js";
import type { CellGrid } from "./iscat.js";
import { stream } from "./streams.js";
import { speckle } from "./texture.js";

/** Carbon and binder around the particles: a speckle that stays. */
export interface MatrixSpec {
  /** Mean reflectance, the window's own light counted. */
  readonly reflectance: number;
  /** Contrast of its speckle: 1 is fully developed. */
  readonly contrast: number;
  /** Standard deviation of the intensity's point spread, which sets the size of a grain. */
  readonly psf_um: number;
}

/** The matrix's light in best focus, one value a cell, as a share of the light sent in. `seed` draws the speckle. */
export function matrixLight(grid: CellGrid, spec: MatrixSpec, seed: number): Float64Array {
  checkGrid(grid);
  record("matrix", spec, "Give reflectance, contrast and psf_um");
  within("matrix.reflectance", spec.reflectance, 0, 1);
  within("matrix.contrast", spec.contrast, 0, 1);
  within("matrix.psf_um", spec.psf_um, 1e-4, WIDEST_CELLS * grid.cell_um);
  seeded("seed", seed);
  const grains = speckle(grid.width, grid.height, spec.psf_um / grid.cell_um, stream(seed, "speckle"));
  return Float64Array.from(grains, (grain) => spec.reflectance * (1 + spec.contrast * (grain - 1)));
}

/** A raster of values, NaN where there is no particle, and where the centre of its first cell lies. */
export interface SourceMap {
  readonly values: ArrayLike<number>;
  readonly width: number;
  readonly height: number;
  readonly h_um: number;
  /** Place of the centre of its first cell, from the centre of the first cell of the raster it goes to. */
  readonly origin_um: readonly [number, number];
}

/**
 * A map on another raster, straight between its cells' centres, into `into`. Around its particles each map is first
 * carried on outwards by `grow` cells, each taking the mean of its known neighbours, so that a rim that a finer raster
 * still covers has a value; NaN beyond.
 */
export function mapOntoCells(source: SourceMap, grid: CellGrid, grow: number, into: Float64Array): void {
  checkGrid(grid);
  record("source", source, "Give values, width, height, h_um and origin_um");
  const { width, height, h_um, origin_um } = source;
  whole("source.width", width, 1, 1e5);
  whole("source.height", height, 1, 1e5);
  within("source.h_um", h_um, 1e-4, 1000);
  pair("source.origin_um", origin_um, -1e6, 1e6, "Give a place x,y in um");
  entries("source.values", source.values, width * height, `Give one value for each of ${width * height} cells`);
  whole("grow", grow, 0, MOST_RINGS);
  entries("into", into, grid.width * grid.height, "Give an array with room for each cell");
  const values = carriedOn(source, grow);
  for (let row = 0; row < grid.height; row++) {
    const v = (row * grid.cell_um - origin_um[1]) / h_um;
    for (let column = 0; column < grid.width; column++) {
      const u = (column * grid.cell_um - origin_um[0]) / h_um;
      const inside = u >= -0.5 && u <= width - 0.5 && v >= -0.5 && v <= height - 0.5;
      into[row * grid.width + column] = inside ? bilinear(values, width, height, u, v) : NaN;
    }
  }
}

/** Rings of cells by which a map is carried on at the most. */
const MOST_RINGS = 100;

/** Weighted mean of the four cells about a place, of those that are known; the outermost cells reach to their edge. */
function bilinear(values: Float64Array, width: number, height: number, u: number, v: number): number {
  const x = Math.min(width - 1, Math.max(0, u));
  const y = Math.min(height - 1, Math.max(0, v));
  const left = Math.floor(x);
  const top = Math.floor(y);
  let sum = 0;
  let weight = 0;
  for (let j = 0; j < 2; j++) {
    for (let i = 0; i < 2; i++) {
      const w = (i === 0 ? left + 1 - x : x - left) * (j === 0 ? top + 1 - y : y - top);
      if (w === 0) continue;
      const value = values[(top + j) * width + left + i]!;
      if (Number.isNaN(value)) continue;
      sum += w * value;
      weight += w;
    }
  }
  return weight > 0 ? sum / weight : NaN;
}

function carriedOn({ values, width, height }: SourceMap, grow: number): Float64Array {
  let known = Float64Array.from(values);
  for (let ring = 0; ring < grow; ring++) {
    const next = known.slice();
    for (let y = 0, at = 0; y < height; y++) {
      for (let x = 0; x < width; x++, at++) {
        if (!Number.isNaN(known[at]!)) continue;
        let sum = 0;
        let n = 0;
        for (let dy = -1; dy <= 1; dy++) {
          for (let dx = -1; dx <= 1; dx++) {
            if (x + dx < 0 || x + dx >= width || y + dy < 0 || y + dy >= height) continue;
            const value = known[at + dy * width + dx]!;
            if (Number.isNaN(value)) continue;
            sum += value;
            n++;
          }
        }
        if (n > 0) next[at] = sum / n;
      }
    }
    known = next;
  }
  return known;
}
