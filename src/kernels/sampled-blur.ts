/** A blurred image at the points of a grid alone. */
import { compiledKernels } from "./compiled.js";

/** Points of an image: `columns` by `rows` of them, `stride` px apart, the first one at (left, top). */
export interface Grid {
  readonly left: number;
  readonly top: number;
  readonly stride: number;
  readonly columns: number;
  readonly rows: number;
}

/** The part of a grid of pixels `stride` px apart that holds some of them, and each one's place on it. */
export function gridOf(samples: Int32Array, width: number, stride: number): { grid: Grid; places: Int32Array } {
  let [left, right, top, bottom] = [Infinity, 0, Infinity, 0];
  for (const at of samples) {
    const x = at % width;
    const y = (at - x) / width;
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  }
  const columns = (right - left) / stride + 1;
  const places = samples.map((at) => {
    const x = at % width;
    return (((at - x) / width - top) / stride) * columns + (x - left) / stride;
  });
  return { grid: { left, top, stride, columns, rows: (bottom - top) / stride + 1 }, places };
}

/**
 * The image convolved with an even kernel along both axes, weights `half` at 0, 1, ..., at the points of a grid, row by
 * row. There is nothing beyond the image. Compiled where that runs, in single precision.
 */
export function sampledBlur(
  image: Float32Array,
  width: number,
  height: number,
  half: Float64Array,
  grid: Grid,
  into: Float32Array,
): void {
  const compiled = compiledKernels();
  if (compiled === null) return sampledBlurPlain(image, width, height, half, grid, into);
  const reach = half.length - 1;
  // The whole kernel, in fours.
  const whole = new Float32Array(4 * Math.ceil((2 * reach + 1) / 4));
  for (let d = -reach; d <= reach; d++) whole[reach + d] = half[Math.abs(d)]!;
  const [from, weights, line, to] = compiled.lend(image, whole, 4 * (width + whole.length + reach + 4), into) as [
    number,
    number,
    number,
    number,
  ];
  const { left, top, stride, columns, rows } = grid;
  compiled.run.sampledBlur(
    from,
    width,
    height,
    weights,
    reach,
    whole.length,
    line,
    left,
    top,
    stride,
    columns,
    rows,
    to,
  );
  compiled.fetch(into, to);
}

/** The same in TypeScript. */
export function sampledBlurPlain(
  image: Float32Array,
  width: number,
  height: number,
  half: Float64Array,
  { left, top, stride, columns, rows }: Grid,
  into: Float32Array,
): void {
  const reach = half.length - 1;
  const line = new Float64Array(width + 2 * reach);
  const first = Math.max(0, left - reach);
  const end = Math.min(width, left + (columns - 1) * stride + reach + 1);
  for (let row = 0, to = 0; row < rows; row++) {
    const y = top + row * stride;
    for (let x = first; x < end; x++) line[reach + x] = half[0]! * image[y * width + x]!;
    for (let d = 1; d <= reach; d++) {
      const weight = half[d]!;
      if (y - d >= 0) {
        const above = (y - d) * width;
        for (let x = first; x < end; x++) line[reach + x] = line[reach + x]! + weight * image[above + x]!;
      }
      if (y + d < height) {
        const below = (y + d) * width;
        for (let x = first; x < end; x++) line[reach + x] = line[reach + x]! + weight * image[below + x]!;
      }
    }
    for (let column = 0; column < columns; column++, to++) {
      const centre = reach + left + column * stride;
      let sum = half[0]! * line[centre]!;
      for (let d = 1; d <= reach; d++) sum += half[d]! * (line[centre - d]! + line[centre + d]!);
      into[to] = sum;
    }
  }
}
