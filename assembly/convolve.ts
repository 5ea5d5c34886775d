/** Convolution with an even kernel along rows, then columns: the twin of `convolve` in src/kernels/filter.ts, to the last bit. */

const F64: usize = 8;

/**
 * `values`: width * height doubles, in place, nothing beyond the image. `half`: weights at 0 ... reach. `row`: scratch of
 * width + 2 reach doubles. `kept`: scratch of (reach + 2) * width doubles.
 */
export function convolve(
  values: usize,
  width: i32,
  height: i32,
  half: usize,
  reach: i32,
  row: usize,
  kept: usize,
): void {
  alongRows(values, width, height, half, reach, row);
  alongColumns(values, width, height, half, reach, kept);
}

function alongRows(values: usize, width: i32, height: i32, half: usize, reach: i32, row: usize): void {
  const stride = <usize>width * F64;
  memory.fill(row, 0, <usize>(width + 2 * reach) * F64);
  const middle = f64x2.splat(load<f64>(half));
  const even = width & ~1;
  for (let y = 0; y < height; y++) {
    const start = values + <usize>y * stride;
    memory.copy(row + <usize>reach * F64, start, stride);
    for (let x = 0; x < even; x += 2) {
      const centre = row + <usize>(x + reach) * F64;
      let sum = f64x2.mul(middle, v128.load(centre));
      for (let d = 1; d <= reach; d++) {
        const off = <usize>d * F64;
        const pair = f64x2.add(v128.load(centre - off), v128.load(centre + off));
        sum = f64x2.add(sum, f64x2.mul(v128.load64_splat(half + off), pair));
      }
      v128.store(start + <usize>x * F64, sum);
    }
    if (even < width) {
      const centre = row + <usize>(even + reach) * F64;
      let sum = load<f64>(half) * load<f64>(centre);
      for (let d = 1; d <= reach; d++) {
        const off = <usize>d * F64;
        sum += load<f64>(half + off) * (load<f64>(centre - off) + load<f64>(centre + off));
      }
      store<f64>(start + <usize>even * F64, sum);
    }
  }
}

function alongColumns(values: usize, width: i32, height: i32, half: usize, reach: i32, kept: usize): void {
  const stride = <usize>width * F64;
  const ring = reach + 1;
  const sums = kept + <usize>ring * stride;
  for (let y = 0; y < height; y++) {
    const start = values + <usize>y * stride;
    memory.copy(kept + <usize>(y % ring) * stride, start, stride);
    multiply(sums, start, load<f64>(half), width);
    for (let d = 1; d <= reach; d++) {
      const weight = load<f64>(half + <usize>d * F64);
      if (y - d >= 0) addTimes(sums, kept + <usize>((y - d) % ring) * stride, weight, width);
      if (y + d < height) addTimes(sums, start + <usize>d * stride, weight, width);
    }
    memory.copy(start, sums, stride);
  }
}

function multiply(into: usize, from: usize, weight: f64, n: i32): void {
  const weights = f64x2.splat(weight);
  const even = n & ~1;
  for (let x = 0; x < even; x += 2) {
    const off = <usize>x * F64;
    v128.store(into + off, f64x2.mul(weights, v128.load(from + off)));
  }
  if (even < n) store<f64>(into + <usize>even * F64, weight * load<f64>(from + <usize>even * F64));
}

function addTimes(into: usize, from: usize, weight: f64, n: i32): void {
  const weights = f64x2.splat(weight);
  const even = n & ~1;
  for (let x = 0; x < even; x += 2) {
    const off = <usize>x * F64;
    v128.store(into + off, f64x2.add(v128.load(into + off), f64x2.mul(weights, v128.load(from + off))));
  }
  if (even < n) {
    const off = <usize>even * F64;
    store<f64>(into + off, load<f64>(into + off) + weight * load<f64>(from + off));
  }
}
