/** Blur of an image of floats within itself: the twin in src/kernels/filter.ts. */

const F32: usize = 4;

/** Values that are not finite become 0, in place; gives how many there were. */
export function zeroHoles(values: usize, n: i32): i32 {
  const zero = f32x4.splat(0);
  let counts = i32x4.splat(0);
  let k = 0;
  for (; k + 4 <= n; k += 4) {
    const at = values + <usize>k * F32;
    const value = v128.load(at);
    const finite = f32x4.eq(f32x4.sub(value, value), zero);
    v128.store(at, v128.and(value, finite));
    counts = i32x4.add(counts, i32x4.add(finite, i32x4.splat(1)));
  }
  let holes =
    i32x4.extract_lane(counts, 0) +
    i32x4.extract_lane(counts, 1) +
    i32x4.extract_lane(counts, 2) +
    i32x4.extract_lane(counts, 3);
  for (; k < n; k++) {
    const at = values + <usize>k * F32;
    const value = load<f32>(at);
    if (value - value === 0) continue;
    store<f32>(at, 0);
    holes++;
  }
  return holes;
}

/**
 * `values`: width * height floats, in place, nothing beyond the image; `half`: weights at 0 ... reach. `row`: scratch of
 * width + 2 reach floats. `kept`: scratch of (reach + 2) * width floats.
 */
export function blurFloats(
  values: usize,
  width: i32,
  height: i32,
  half: usize,
  reach: i32,
  row: usize,
  kept: usize,
): void {
  const stride = <usize>width * F32;
  memory.fill(row, 0, <usize>(width + 2 * reach) * F32);
  for (let y = 0; y < height; y++) {
    const start = values + <usize>y * stride;
    memory.copy(row + <usize>reach * F32, start, stride);
    alongRow(start, row, width, half, reach);
  }
  const ring = reach + 1;
  const sums = kept + <usize>ring * stride;
  for (let y = 0; y < height; y++) {
    const start = values + <usize>y * stride;
    memory.copy(kept + <usize>(y % ring) * stride, start, stride);
    scaled(sums, start, load<f32>(half), width);
    for (let d = 1; d <= reach; d++) {
      const weight = load<f32>(half + <usize>d * F32);
      if (y - d >= 0) addTimes(sums, kept + <usize>((y - d) % ring) * stride, weight, width);
      if (y + d < height) addTimes(sums, start + <usize>d * stride, weight, width);
    }
    memory.copy(start, sums, stride);
  }
}

/** values[y][x] divided by alongX[x] * alongY[y], in place. */
export function divideEdges(values: usize, width: i32, height: i32, alongX: usize, alongY: usize): void {
  for (let y = 0; y < height; y++) {
    const row = values + <usize>(y * width) * F32;
    const own = load<f32>(alongY + <usize>y * F32);
    const owns = f32x4.splat(own);
    let x = 0;
    for (; x + 4 <= width; x += 4) {
      const off = <usize>x * F32;
      v128.store(row + off, f32x4.div(v128.load(row + off), f32x4.mul(owns, v128.load(alongX + off))));
    }
    for (; x < width; x++) {
      const off = <usize>x * F32;
      store<f32>(row + off, load<f32>(row + off) / (own * load<f32>(alongX + off)));
    }
  }
}

/** values / weights where the weight is at least `least`, else NaN, in place. */
export function divideWeights(values: usize, weights: usize, n: i32, least: f32): void {
  const leasts = f32x4.splat(least);
  const none = f32x4.splat(<f32>NaN);
  let k = 0;
  for (; k + 4 <= n; k += 4) {
    const off = <usize>k * F32;
    const weight = v128.load(weights + off);
    const mean = f32x4.div(v128.load(values + off), weight);
    v128.store(values + off, v128.bitselect(mean, none, f32x4.ge(weight, leasts)));
  }
  for (; k < n; k++) {
    const off = <usize>k * F32;
    const weight = load<f32>(weights + off);
    store<f32>(values + off, weight >= least ? load<f32>(values + off) / weight : <f32>NaN);
  }
}

function alongRow(into: usize, row: usize, width: i32, half: usize, reach: i32): void {
  const middle = f32x4.splat(load<f32>(half));
  let x = 0;
  for (; x + 4 <= width; x += 4) {
    const centre = row + <usize>(x + reach) * F32;
    let sum = f32x4.mul(middle, v128.load(centre));
    for (let d = 1; d <= reach; d++) {
      const off = <usize>d * F32;
      const pair = f32x4.add(v128.load(centre - off), v128.load(centre + off));
      sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(half + off), pair));
    }
    v128.store(into + <usize>x * F32, sum);
  }
  for (; x < width; x++) {
    const centre = row + <usize>(x + reach) * F32;
    let sum = load<f32>(half) * load<f32>(centre);
    for (let d = 1; d <= reach; d++) {
      const off = <usize>d * F32;
      sum += load<f32>(half + off) * (load<f32>(centre - off) + load<f32>(centre + off));
    }
    store<f32>(into + <usize>x * F32, sum);
  }
}

function scaled(into: usize, from: usize, weight: f32, n: i32): void {
  const weights = f32x4.splat(weight);
  let x = 0;
  for (; x + 4 <= n; x += 4) v128.store(into + <usize>x * F32, f32x4.mul(weights, v128.load(from + <usize>x * F32)));
  for (; x < n; x++) store<f32>(into + <usize>x * F32, weight * load<f32>(from + <usize>x * F32));
}

function addTimes(into: usize, from: usize, weight: f32, n: i32): void {
  const weights = f32x4.splat(weight);
  let x = 0;
  for (; x + 4 <= n; x += 4) {
    const off = <usize>x * F32;
    v128.store(into + off, f32x4.add(v128.load(into + off), f32x4.mul(weights, v128.load(from + off))));
  }
  for (; x < n; x++) {
    const off = <usize>x * F32;
    store<f32>(into + off, load<f32>(into + off) + weight * load<f32>(from + off));
  }
}
