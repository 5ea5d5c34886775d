/** A window of a frame made ready: the twins in src/kernels/window.ts. */

const F32: usize = 4;
const F64: usize = 8;
const RUN: i32 = 1024;

/** `n` unsigned 16-bit samples less `black` as floats. */
export function floatsOfWords(words: usize, n: i32, black: f32, into: usize): void {
  const blacks = f32x4.splat(black);
  let k = 0;
  for (; k + 8 <= n; k += 8) {
    const eight = v128.load(words + <usize>k * 2);
    const low = f32x4.convert_i32x4_u(i32x4.extend_low_i16x8_u(eight));
    const high = f32x4.convert_i32x4_u(i32x4.extend_high_i16x8_u(eight));
    v128.store(into + <usize>k * F32, f32x4.sub(low, blacks));
    v128.store(into + <usize>(k + 4) * F32, f32x4.sub(high, blacks));
  }
  for (; k < n; k++) store<f32>(into + <usize>k * F32, <f32>load<u16>(words + <usize>k * 2) - black);
}

/** Sum of the finite light where `open` is above 0 and the number of such pixels, into two doubles. */
export function openLight(light: usize, open: usize, n: i32, sums: usize): void {
  const zero = f32x4.splat(0);
  let total: f64 = 0;
  let counts = i32x4.splat(0);
  let known = 0;
  let k = 0;
  while (k + 4 <= n) {
    let sum = zero;
    const end = min(n - 3, k + RUN);
    for (; k < end; k += 4) {
      const off = <usize>k * F32;
      const value = v128.load(light + off);
      const counted = v128.and(f32x4.gt(v128.load(open + off), zero), f32x4.eq(f32x4.sub(value, value), zero));
      sum = f32x4.add(sum, v128.and(value, counted));
      counts = i32x4.sub(counts, counted);
    }
    total +=
      <f64>f32x4.extract_lane(sum, 0) +
      <f64>f32x4.extract_lane(sum, 1) +
      <f64>f32x4.extract_lane(sum, 2) +
      <f64>f32x4.extract_lane(sum, 3);
  }
  for (; k < n; k++) {
    const value = load<f32>(light + <usize>k * F32);
    if (load<f32>(open + <usize>k * F32) > 0 && value - value === 0) {
      total += <f64>value;
      known++;
    }
  }
  known +=
    i32x4.extract_lane(counts, 0) +
    i32x4.extract_lane(counts, 1) +
    i32x4.extract_lane(counts, 2) +
    i32x4.extract_lane(counts, 3);
  store<f64>(sums, total);
  store<f64>(sums + F64, <f64>known);
}

/** slow no less than `least`, and light that is not finite becomes slow, in place. */
export function fillLight(light: usize, slow: usize, n: i32, least: f32): void {
  const leasts = f32x4.splat(least);
  const zero = f32x4.splat(0);
  let k = 0;
  for (; k + 4 <= n; k += 4) {
    const off = <usize>k * F32;
    const value = v128.load(light + off);
    const own = v128.load(slow + off);
    const base = v128.bitselect(own, leasts, f32x4.ge(own, leasts));
    v128.store(slow + off, base);
    v128.store(light + off, v128.bitselect(value, base, f32x4.eq(f32x4.sub(value, value), zero)));
  }
  for (; k < n; k++) {
    const off = <usize>k * F32;
    const value = load<f32>(light + off);
    const own = load<f32>(slow + off);
    const base = own >= least ? own : least;
    store<f32>(slow + off, base);
    if (!(value - value === 0)) store<f32>(light + off, base);
  }
}

/**
 * Sums of taper * (light / slow - 1), the latter kept within -1 ... 1 and 0 where it is not a number, over squares of
 * `binning` pixels, into `coarse` of coarseWidth * coarseHeight floats. Light and slow have `stride` floats a row, of which
 * the window begins `margin` rows and columns in. `line`: scratch of `width` floats.
 */
export function coarseLight(
  light: usize,
  slow: usize,
  stride: i32,
  margin: i32,
  taper: usize,
  width: i32,
  height: i32,
  binning: i32,
  coarse: usize,
  coarseWidth: i32,
  coarseHeight: i32,
  line: usize,
): void {
  memory.fill(coarse, 0, <usize>(coarseWidth * coarseHeight) * F32);
  const one = f32x4.splat(1);
  const less = f32x4.splat(-1);
  const zero = f32x4.splat(0);
  for (let y = 0; y < height; y++) {
    const row = <usize>((y + margin) * stride + margin) * F32;
    const weights = taper + <usize>(y * width) * F32;
    let x = 0;
    for (; x + 4 <= width; x += 4) {
      const off = <usize>x * F32;
      let value = f32x4.sub(f32x4.div(v128.load(light + row + off), v128.load(slow + row + off)), one);
      value = f32x4.min(one, f32x4.max(less, value));
      value = v128.and(value, f32x4.eq(f32x4.sub(value, value), zero));
      v128.store(line + off, f32x4.mul(v128.load(weights + off), value));
    }
    for (; x < width; x++) {
      const off = <usize>x * F32;
      const value = load<f32>(light + row + off) / load<f32>(slow + row + off) - 1;
      const kept: f32 = value - value === 0 ? min<f32>(1, max<f32>(-1, value)) : value > 0 ? 1 : value < 0 ? -1 : 0;
      store<f32>(line + off, load<f32>(weights + off) * kept);
    }
    let to = coarse + <usize>((y / binning) * coarseWidth) * F32;
    for (let left = 0; left < width; left += binning, to += F32) {
      const end = min(width, left + binning);
      let sum: f32 = 0;
      for (x = left; x < end; x++) sum += load<f32>(line + <usize>x * F32);
      store<f32>(to, load<f32>(to) + sum);
    }
  }
}

/**
 * Means of squares of `bin` pixels less `black` as floats: `width` * `height` of them, from unsigned 16-bit samples of which
 * `stride` make a row.
 */
export function floatsOfSquares(
  words: usize,
  stride: i32,
  bin: i32,
  width: i32,
  height: i32,
  black: f32,
  into: usize,
): void {
  const share = <f32>1 / <f32>(bin * bin);
  const shares = f32x4.splat(share);
  const blacks = f32x4.splat(black);
  for (let y = 0; y < height; y++) {
    const top = words + <usize>(y * bin * stride) * 2;
    const to = into + <usize>(y * width) * F32;
    let x = 0;
    if (bin === 2) {
      const below = top + <usize>stride * 2;
      for (; x + 4 <= width; x += 4) {
        const off = <usize>x * 4;
        const sum = i32x4.add(
          i32x4.extadd_pairwise_i16x8_u(v128.load(top + off)),
          i32x4.extadd_pairwise_i16x8_u(v128.load(below + off)),
        );
        v128.store(to + <usize>x * F32, f32x4.sub(f32x4.mul(f32x4.convert_i32x4_u(sum), shares), blacks));
      }
    }
    for (; x < width; x++) {
      let sum: u32 = 0;
      for (let v = 0; v < bin; v++) {
        const row = top + <usize>(v * stride + x * bin) * 2;
        for (let u = 0; u < bin; u++) sum += <u32>load<u16>(row + <usize>u * 2);
      }
      store<f32>(to + <usize>x * F32, <f32>sum * share - black);
    }
  }
}
