/** The slowly varying ratio of two images, or of an image to a mask: its local mean. */

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
 * within a few per cent of its weights.
 */
export function slowRatio(
  a: Float64Array,
  b: Float64Array | Uint8Array,
  width: number,
  height: number,
  sigma_px: number,
  into: Float64Array,
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
  blur(sumsA, columns, rows, half);
  blur(sumsB, columns, rows, half);
  const least = (LEAST * cell * cell) / known;
  for (let at = 0; at < sumsA.length; at++) sumsA[at] = (sumsA[at]! + least * totalA) / (sumsB[at]! + least * totalB);
  interpolate(sumsA, columns, rows, cell, width, height, into);
}

/** Values at pixels from those at the centres of cells, bilinear; constant beyond the outermost centres. */
function interpolate(
  cells: Float64Array,
  columns: number,
  rows: number,
  cell: number,
  width: number,
  height: number,
  into: Float64Array,
): void {
  const left = new Int32Array(width);
  const share = new Float64Array(width);
  for (let x = 0; x < width; x++) {
    const place = Math.min(Math.max((x + 0.5) / cell - 0.5, 0), columns - 1);
    left[x] = Math.floor(place);
    share[x] = place - left[x]!;
  }
  const line = new Float64Array(columns);
  const rise = new Float64Array(columns);
  for (let y = 0, at = 0; y < height; y++) {
    const place = Math.min(Math.max((y + 0.5) / cell - 0.5, 0), rows - 1);
    const above = Math.floor(place) * columns;
    const below = Math.min(Math.floor(place) + 1, rows - 1) * columns;
    const part = place - Math.floor(place);
    for (let column = 0; column < columns; column++)
      line[column] = (1 - part) * cells[above + column]! + part * cells[below + column]!;
    for (let column = 0; column < columns - 1; column++) rise[column] = line[column + 1]! - line[column]!;
    for (let x = 0; x < width; x++, at++) into[at] = line[left[x]!]! + share[x]! * rise[left[x]!]!;
  }
}

/** The right half of a Gaussian whose whole sums to 1. */
function gaussian(sigma: number): Float64Array {
  const half = Float64Array.from({ length: Math.ceil(CUT * sigma) + 1 }, (_, at) => Math.exp(-0.5 * (at / sigma) ** 2));
  const sum = 2 * half.reduce((total, value) => total + value, 0) - half[0]!;
  return half.map((value) => value / sum);
}

/** In place, nothing beyond the edges. */
function blur(values: Float64Array, columns: number, rows: number, half: Float64Array): void {
  const reach = half.length - 1;
  const line = new Float64Array(columns + 2 * reach);
  for (let start = 0; start < values.length; start += columns) {
    line.set(values.subarray(start, start + columns), reach);
    for (let column = 0; column < columns; column++) {
      const centre = column + reach;
      let sum = half[0]! * line[centre]!;
      for (let d = 1; d <= reach; d++) sum += half[d]! * (line[centre - d]! + line[centre + d]!);
      values[start + column] = sum;
    }
  }
  const along = values.slice();
  for (let row = 0; row < rows; row++) {
    const start = row * columns;
    for (let column = 0; column < columns; column++) values[start + column] = half[0]! * along[start + column]!;
    for (let d = 1; d <= reach; d++) {
      const weight = half[d]!;
      for (const from of [start - d * columns, start + d * columns]) {
        if (from < 0 || from >= along.length) continue;
        for (let column = 0; column < columns; column++)
          values[start + column] = values[start + column]! + weight * along[from + column]!;
      }
    }
  }
}
