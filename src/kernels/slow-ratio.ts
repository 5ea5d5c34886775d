/** The slowly varying ratio of two images, or of an image to a mask: its local mean. */
import { compiledKernels } from "./compiled.js";
import { convolvePlain } from "./filter.js";

/** The Gaussian is cut off here, in standard deviations. */
const CUT = 3;
/** Share of a full neighbourhood below which the overall ratio takes over, so that there is a value everywhere. */
const LEAST = 1e-3;

/**
 * Local ratio of image a to image b into `into`: sums about each pixel, weighted by a Gaussian of standard deviation
 * sigma_px,
 *
 *     ratio = (G * a) / (G * b)     over the pixels where b > 0 and a is finite
 *
 * and far from all of these the overall ratio; NaN everywhere if there are none. With a mask for b it is the local mean.
 * Sums over cells half a sigma wide are blurred and interpolated: a hundredth of the work of the Gaussian itself, and
 * within a few per cent of its weights. Images of floats go to the compiled kernel where that runs, within single precision
 * of this.
 */
export function slowRatio(
  a: Light,
  b: Light | Uint8Array,
  width: number,
  height: number,
  sigma_px: number,
  into: Light,
): void {
  const compiled = compiledKernels();
  const floats = a instanceof Float32Array && b instanceof Float32Array && into instanceof Float32Array;
  if (compiled === null || !floats) return slowRatioPlain(a, b, width, height, sigma_px, into);
  const cell = Math.max(1, Math.round(sigma_px / 2));
  const half = gaussian(sigma_px / cell);
  const reach = half.length - 1;
  const columns = Math.ceil(width / cell);
  const rows = Math.ceil(height / cell);
  const at = compiled.lend(
    a,
    b,
    half,
    8 * columns * rows,
    8 * columns * rows,
    2 * 4 * width,
    8 * (columns + 2 * reach),
    8 * (reach + 2) * columns,
    4 * rows * width,
    into,
  );
  const [fromA, fromB, weights, sumsA, sumsB, line, row, kept, wide, to] = at as Addresses;
  const { run } = compiled;
  const scratch = [sumsA, sumsB, line, row, kept, wide] as const;
  const known = run.slowRatio(fromA, fromB, width, height, cell, weights, reach, LEAST, ...scratch, to);
  if (known === 0) into.fill(NaN);
  else compiled.fetch(into, to);
}

type Light = Float64Array | Float32Array;
type Addresses = [number, number, number, number, number, number, number, number, number, number];

/** The same in TypeScript. */
export function slowRatioPlain(
  a: Light,
  b: Light | Uint8Array,
  width: number,
  height: number,
  sigma_px: number,
  into: Light,
): void {
  const cell = Math.max(1, Math.round(sigma_px / 2));
  const columns = Math.ceil(width / cell);
  const rows = Math.ceil(height / cell);
  const sumsA = new Float64Array(columns * rows);
  const sumsB = new Float64Array(columns * rows);
  const lineA = new Float64Array(width);
  const lineB = new Float64Array(width);
  let known = 0;
  for (let top = 0, row = 0; top < height; top += cell, row += columns) {
    lineA.fill(0);
    lineB.fill(0);
    for (let y = top; y < Math.min(height, top + cell); y++) {
      const start = y * width;
      for (let x = 0; x < width; x++) {
        const value = a[start + x]!;
        const weight = b[start + x]!;
        // Infinity and NaN less themselves are NaN.
        if (weight > 0 && value - value === 0) {
          lineA[x] = lineA[x]! + value;
          lineB[x] = lineB[x]! + weight;
          known++;
        }
      }
    }
    for (let column = 0; column < columns; column++) {
      for (let x = column * cell; x < Math.min(width, (column + 1) * cell); x++) {
        sumsA[row + column] = sumsA[row + column]! + lineA[x]!;
        sumsB[row + column] = sumsB[row + column]! + lineB[x]!;
      }
    }
  }
  if (known === 0) {
    into.fill(NaN);
    return;
  }
  const totalA = sumsA.reduce((total, value) => total + value, 0);
  const totalB = sumsB.reduce((total, value) => total + value, 0);
  const half = gaussian(sigma_px / cell);
  convolvePlain(sumsA, columns, rows, half);
  convolvePlain(sumsB, columns, rows, half);
  const least = (LEAST * cell * cell) / known;
  for (let at = 0; at < sumsA.length; at++) sumsA[at] = (sumsA[at]! + least * totalA) / (sumsB[at]! + least * totalB);
  interpolate(sumsA, columns, rows, cell, width, height, into);
}

/** Values at pixels from those at the centres of cells, bilinear: along rows of cells first; constant beyond the outermost. */
function interpolate(
  cells: Float64Array,
  columns: number,
  rows: number,
  cell: number,
  width: number,
  height: number,
  into: Light,
): void {
  const wide = new Float64Array(rows * width);
  for (let x = 0; x < width; x++) {
    const place = Math.min(Math.max((x + 0.5) / cell - 0.5, 0), columns - 1);
    const left = Math.floor(place);
    const right = Math.min(left + 1, columns - 1);
    const share = place - left;
    for (let row = 0; row < rows; row++) {
      const from = cells[row * columns + left]!;
      wide[row * width + x] = from + share * (cells[row * columns + right]! - from);
    }
  }
  for (let y = 0, at = 0; y < height; y++) {
    const place = Math.min(Math.max((y + 0.5) / cell - 0.5, 0), rows - 1);
    const above = Math.floor(place) * width;
    const below = Math.min(Math.floor(place) + 1, rows - 1) * width;
    const part = place - Math.floor(place);
    for (let x = 0; x < width; x++, at++) into[at] = wide[above + x]! + part * (wide[below + x]! - wide[above + x]!);
  }
}

/** The right half of a Gaussian whose whole sums to 1. */
function gaussian(sigma: number): Float64Array {
  const half = Float64Array.from({ length: Math.ceil(CUT * sigma) + 1 }, (_, at) => Math.exp(-0.5 * (at / sigma) ** 2));
  const sum = 2 * half.reduce((total, value) => total + value, 0) - half[0]!;
  return half.map((value) => value / sum);
}
