/** The slowly varying ratio of two images of floats: the twin in src/kernels/slow-ratio.ts. */
import { convolve } from "./convolve";

const F32: usize = 4;
const F64: usize = 8;

/**
 * As slowRatio of the twin. Sums over cells of `cell` pixels go to sumsA and sumsB (columns * rows doubles); `half` has the
 * Gaussian's weights at 0 ... reach; `line`: scratch of 2 * width floats; `row` and `kept`: those of the convolution;
 * `wide`: scratch of rows * width floats. Gives the number of pixels that count; without any, `into` is left as it is.
 */
export function slowRatio(
  a: usize,
  b: usize,
  width: i32,
  height: i32,
  cell: i32,
  half: usize,
  reach: i32,
  least: f64,
  sumsA: usize,
  sumsB: usize,
  line: usize,
  row: usize,
  kept: usize,
  wide: usize,
  into: usize,
): i32 {
  const columns = (width + cell - 1) / cell;
  const rows = (height + cell - 1) / cell;
  const known = cells(a, b, width, height, cell, columns, sumsA, sumsB, line);
  if (known === 0) return 0;
  const n = columns * rows;
  let totalA: f64 = 0;
  let totalB: f64 = 0;
  for (let at = 0; at < n; at++) {
    totalA += load<f64>(sumsA + <usize>at * F64);
    totalB += load<f64>(sumsB + <usize>at * F64);
  }
  convolve(sumsA, columns, rows, half, reach, row, kept);
  convolve(sumsB, columns, rows, half, reach, row, kept);
  const share = (least * cell * cell) / known;
  for (let at = 0; at < n; at++) {
    const off = <usize>at * F64;
    store<f64>(sumsA + off, (load<f64>(sumsA + off) + share * totalA) / (load<f64>(sumsB + off) + share * totalB));
  }
  interpolate(sumsA, columns, rows, cell, width, height, wide, into);
  return known;
}

function cells(
  a: usize,
  b: usize,
  width: i32,
  height: i32,
  cell: i32,
  columns: i32,
  sumsA: usize,
  sumsB: usize,
  line: usize,
): i32 {
  const lineB = line + <usize>width * F32;
  const zero = f32x4.splat(0);
  let counts = i32x4.splat(0);
  let known = 0;
  let out: usize = 0;
  for (let top = 0; top < height; top += cell) {
    memory.fill(line, 0, 2 * <usize>width * F32);
    const end = min(height, top + cell);
    for (let y = top; y < end; y++) {
      const start = <usize>(y * width) * F32;
      let x = 0;
      for (; x + 4 <= width; x += 4) {
        const off = <usize>x * F32;
        const value = v128.load(a + start + off);
        const weight = v128.load(b + start + off);
        // Infinity and NaN less themselves are NaN.
        const counted = v128.and(f32x4.gt(weight, zero), f32x4.eq(f32x4.sub(value, value), zero));
        v128.store(line + off, f32x4.add(v128.load(line + off), v128.and(value, counted)));
        v128.store(lineB + off, f32x4.add(v128.load(lineB + off), v128.and(weight, counted)));
        counts = i32x4.sub(counts, counted);
      }
      for (; x < width; x++) {
        const off = <usize>x * F32;
        const value = load<f32>(a + start + off);
        const weight = load<f32>(b + start + off);
        if (weight > 0 && value - value === 0) {
          store<f32>(line + off, load<f32>(line + off) + value);
          store<f32>(lineB + off, load<f32>(lineB + off) + weight);
          known++;
        }
      }
    }
    for (let column = 0; column < columns; column++) {
      let sumA: f64 = 0;
      let sumB: f64 = 0;
      const last = min(width, (column + 1) * cell);
      for (let x = column * cell; x < last; x++) {
        sumA += <f64>load<f32>(line + <usize>x * F32);
        sumB += <f64>load<f32>(lineB + <usize>x * F32);
      }
      store<f64>(sumsA + out, sumA);
      store<f64>(sumsB + out, sumB);
      out += F64;
    }
  }
  return (
    known +
    i32x4.extract_lane(counts, 0) +
    i32x4.extract_lane(counts, 1) +
    i32x4.extract_lane(counts, 2) +
    i32x4.extract_lane(counts, 3)
  );
}

/** Values at pixels from those at the centres of cells, bilinear: along rows of cells first, then between them. */
function interpolate(
  cells: usize,
  columns: i32,
  rows: i32,
  cell: i32,
  width: i32,
  height: i32,
  wide: usize,
  into: usize,
): void {
  for (let x = 0; x < width; x++) {
    const place = min(max((<f64>x + 0.5) / <f64>cell - 0.5, 0), <f64>(columns - 1));
    const left = <i32>Math.floor(place);
    const right = min(left + 1, columns - 1);
    const share = place - <f64>left;
    for (let row = 0; row < rows; row++) {
      const p = load<f64>(cells + <usize>(row * columns + left) * F64);
      const q = load<f64>(cells + <usize>(row * columns + right) * F64);
      store<f32>(wide + <usize>(row * width + x) * F32, <f32>(p + share * (q - p)));
    }
  }
  for (let y = 0; y < height; y++) {
    const place = min(max((<f64>y + 0.5) / <f64>cell - 0.5, 0), <f64>(rows - 1));
    const top = <i32>Math.floor(place);
    const above = wide + <usize>(top * width) * F32;
    const below = wide + <usize>(min(top + 1, rows - 1) * width) * F32;
    const part = <f32>(place - <f64>top);
    const parts = f32x4.splat(part);
    const to = into + <usize>(y * width) * F32;
    let x = 0;
    for (; x + 4 <= width; x += 4) {
      const off = <usize>x * F32;
      const p = v128.load(above + off);
      const q = v128.load(below + off);
      v128.store(to + off, f32x4.add(p, f32x4.mul(parts, f32x4.sub(q, p))));
    }
    for (; x < width; x++) {
      const off = <usize>x * F32;
      const p = load<f32>(above + off);
      store<f32>(to + off, p + part * (load<f32>(below + off) - p));
    }
  }
}
