/**
 * Cells and the pixels that gather them. Cells are squares, a whole number to a pixel's side, each with the mean light of its
 * area. As they tile the pixels, the weights along x and along y are the same for every pixel of a frame.
 */
import { windowedGaussian } from "./gaussian.js";
import type { Place } from "./outline.js";

/** How fine the cells are. */
export interface Grid {
  /** Cells along a pixel's side. */
  readonly perPixel: number;
  readonly cell_um: number;
  /** Standard deviation of the point spread in cells, less what the width of a cell itself blurs (1/12 in its square). */
  readonly psf_cells: number;
}

/** A rectangle of cells. Cell 0 begins at the left (upper) edge of pixel 0. */
export interface Cells {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly light: Float32Array;
}

/** Weights with which a pixel gathers cells along one axis. */
export interface Gather {
  /** First cell, counted from the pixel's own first one. */
  readonly first: number;
  readonly weights: Float64Array;
}

/** Cells so fine that the point spread is at least two and a half of them wide. */
export function gridOf(pixelSize_um: number, psf_um: number): Grid {
  const perPixel = Math.max(1, Math.ceil((2.5 * pixelSize_um) / psf_um));
  const cell_um = pixelSize_um / perPixel;
  return { perPixel, cell_um, psf_cells: Math.sqrt((psf_um / cell_um) ** 2 - 1 / 12) };
}

/** Places in cells, the centre of cell 0 at 0; that of pixel 0 lies at (perPixel - 1) / 2. */
export function inCells(outline_um: readonly Place[], { perPixel, cell_um }: Grid): Place[] {
  const middle = (perPixel - 1) / 2;
  return outline_um.map(([x, y]) => [x / cell_um + middle, y / cell_um + middle]);
}

/** Gathers a scene shifted by `shift_px` through the point spread and the pixel's own width: nothing is interpolated. */
export function throughSpread({ perPixel, psf_cells }: Grid, shift_px: number): Gather {
  const centre = (0.5 - shift_px) * perPixel - 0.5;
  const reach = 4.5 * psf_cells + perPixel / 2;
  const first = Math.ceil(centre - reach);
  const weights = new Float64Array(Math.floor(centre + reach) - first + 1);
  let sum = 0;
  for (let at = 0; at < weights.length; at++) {
    weights[at] = windowedGaussian(first + at - centre, perPixel, psf_cells);
    sum += weights[at]!;
  }
  return { first, weights: weights.map((weight) => weight / sum) };
}

/** Gathers what is an image already, over the pixel's width alone, between cells by Lagrange polynomials through six. */
export function throughPixel({ perPixel }: Grid, shift_px: number): Gather {
  const place = -shift_px * perPixel;
  const whole = Math.floor(place);
  const t = place - whole;
  const weights = new Float64Array(6 + perPixel - 1);
  for (let at = 0; at < 6; at++) {
    let product = 1;
    for (let other = 0; other < 6; other++) {
      if (other !== at) product *= (t - (other - 2)) / (at - other);
    }
    for (let step = 0; step < perPixel; step++) weights[at + step] = weights[at + step]! + product / perPixel;
  }
  return { first: whole - 2, weights };
}

/** The pixels that gather, and room for what they have gathered along x alone. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly perPixel: number;
  rows: Float64Array;
}

/** Adds to each pixel what it gathers of some cells, times a level: first along x, then along y. */
export function addCells(
  cells: Cells,
  level: number,
  along: readonly [Gather, Gather],
  pixels: Pixels,
  into: Float64Array,
): void {
  const { width, perPixel } = pixels;
  const [left, right] = reached(cells.left, cells.width, along[0], perPixel, width);
  const [top, bottom] = reached(cells.top, cells.height, along[1], perPixel, pixels.height);
  const wide = right - left + 1;
  if (wide <= 0 || bottom < top) return;
  const [alongX, alongY] = [along[0].weights, along[1].weights];
  const startY = along[1].first - cells.top;
  const firstRow = Math.max(0, top * perPixel + startY);
  const lastRow = Math.min(cells.height - 1, bottom * perPixel + startY + alongY.length - 1);
  if (pixels.rows.length < wide * cells.height) pixels.rows = new Float64Array(wide * cells.height);
  const { rows } = pixels;
  const { light } = cells;
  for (let row = firstRow; row <= lastRow; row++) {
    for (let x = left; x <= right; x++) {
      const start = x * perPixel + along[0].first - cells.left;
      const to = Math.min(alongX.length, cells.width - start);
      const origin = row * cells.width + start;
      let sum = 0;
      for (let at = Math.max(0, -start); at < to; at++) sum += alongX[at]! * light[origin + at]!;
      rows[row * wide + x - left] = sum;
    }
  }
  for (let y = top; y <= bottom; y++) {
    const start = y * perPixel + startY;
    const to = Math.min(alongY.length, cells.height - start);
    const pixel = y * width + left;
    for (let at = Math.max(0, -start); at < to; at++) {
      const weight = level * alongY[at]!;
      const row = (start + at) * wide;
      for (let x = 0; x < wide; x++) into[pixel + x] = into[pixel + x]! + weight * rows[row + x]!;
    }
  }
}

/** First and last pixel along one axis that gather any of `n` cells from `from`. */
function reached(from: number, n: number, gather: Gather, perPixel: number, size: number): [number, number] {
  const low = Math.ceil((from - gather.first - gather.weights.length + 1) / perPixel);
  const high = Math.floor((from + n - 1 - gather.first) / perPixel);
  return [Math.max(0, low), Math.min(size - 1, high)];
}
