/** Pixels that gather the light of cells: over their own width, moved by a part of a pixel, and out of focus. */
import { throughPixel, type Gather } from "./cells.js";
import { discreteGaussian } from "./point-spread.js";

/** How an image on cells lies under the pixels of a camera. */
export interface CellField {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** Cells along a pixel's side. */
  readonly perPixel: number;
  /** Pixels by which the cells reach beyond the image on every side. */
  readonly margin_px: number;
}

/**
 * Weights along one axis for a scene moved by `shift_px` and blurred by a Gaussian of `blur_cells`: the mean over the
 * pixel's width, between cells by polynomials through six. They sum to 1.
 */
export function gatherAlong(perPixel: number, shift_px: number, blur_cells: number): Gather {
  const sharp = throughPixel({ perPixel, cell_um: 1, psf_cells: 1 }, shift_px);
  const half = discreteGaussian(blur_cells);
  const reach = half.length - 1;
  if (reach === 0) return sharp;
  const weights = new Float64Array(sharp.weights.length + 2 * reach);
  for (let at = 0; at < sharp.weights.length; at++) {
    for (let d = -reach; d <= reach; d++) {
      weights[at + d + reach] = weights[at + d + reach]! + sharp.weights[at]! * half[Math.abs(d)]!;
    }
  }
  return { first: sharp.first - reach, weights };
}

/**
 * Adds `share` of the light of cells to each pixel, first gathered along x, then along y. `rows` holds width entries for
 * each row of cells. The margin must be wide enough for the weights.
 */
export function gatherCells(
  cells: Float64Array,
  field: CellField,
  alongX: Gather,
  alongY: Gather,
  share: number,
  rows: Float64Array,
  into: Float64Array,
): void {
  const { width, height, perPixel, margin_px } = field;
  const wide = (width + 2 * margin_px) * perPixel;
  const offset = margin_px * perPixel;
  const [weightX, weightY] = [alongX.weights, alongY.weights];
  const firstRow = offset + alongY.first;
  const endRow = firstRow + (height - 1) * perPixel + weightY.length;
  for (let row = firstRow; row < endRow; row++) {
    const start = row * wide + offset + alongX.first;
    for (let x = 0; x < width; x++) {
      const origin = start + x * perPixel;
      let sum = 0;
      for (let at = 0; at < weightX.length; at++) sum += weightX[at]! * cells[origin + at]!;
      rows[row * width + x] = sum;
    }
  }
  for (let y = 0; y < height; y++) {
    for (let at = 0; at < weightY.length; at++) {
      const weight = share * weightY[at]!;
      const row = (firstRow + y * perPixel + at) * width;
      const pixel = y * width;
      for (let x = 0; x < width; x++) into[pixel + x] = into[pixel + x]! + weight * rows[row + x]!;
    }
  }
}

/** Pixels of margin that a shift of at most `reach_px` and a blur of at most `blur_cells` ask for. */
export function marginFor(perPixel: number, reach_px: number, blur_cells: number): number {
  return Math.ceil(reach_px + (discreteGaussian(blur_cells).length + 5) / perPixel);
}
