/** A blurred image at the points of a grid: the twin of `sampledBlur` in src/kernels/sampled-blur.ts, in single precision. */

const F32: usize = 4;

/**
 * `image`: width * height floats. `whole`: weights at -reach ... reach, zeros up to `taps` of them, a multiple of four.
 * `line`: scratch of width + reach + taps + 4 floats. `into`: columns * rows floats.
 */
export function sampledBlur(
  image: usize,
  width: i32,
  height: i32,
  whole: usize,
  reach: i32,
  taps: i32,
  line: usize,
  left: i32,
  top: i32,
  stride: i32,
  columns: i32,
  rows: i32,
  into: usize,
): void {
  memory.fill(line, 0, <usize>(width + reach + taps + 4) * F32);
  const first = max(0, left - reach);
  const n = min(width, left + (columns - 1) * stride + reach + 1) - first;
  const start = line + <usize>(reach + first) * F32;
  let to = into;
  for (let row = 0; row < rows; row++) {
    const y = top + row * stride;
    downAt(image + <usize>first * F32, width, height, whole, reach, start, y, n);
    for (let column = 0; column < columns; column++) {
      store<f32>(to, along(line + <usize>(left + column * stride) * F32, whole, taps));
      to += F32;
    }
  }
}

/** One row of the image blurred along its columns. */
function downAt(image: usize, width: i32, height: i32, whole: usize, reach: i32, line: usize, y: i32, n: i32): void {
  const from = max(-reach, -y);
  const to = min(reach, height - 1 - y);
  const stride = <usize>width * F32;
  const fours = n & ~3;
  const begin = image + <usize>(y + from) * stride;
  for (let x = 0; x < fours; x += 4) {
    let at = begin + <usize>x * F32;
    let sum = f32x4.splat(0);
    for (let d = from; d <= to; d++) {
      sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(whole + <usize>(reach + d) * F32), v128.load(at)));
      at += stride;
    }
    v128.store(line + <usize>x * F32, sum);
  }
  for (let x = fours; x < n; x++) {
    let at = begin + <usize>x * F32;
    let sum: f32 = 0;
    for (let d = from; d <= to; d++) {
      sum += load<f32>(whole + <usize>(reach + d) * F32) * load<f32>(at);
      at += stride;
    }
    store<f32>(line + <usize>x * F32, sum);
  }
}

function along(at: usize, whole: usize, taps: i32): f32 {
  let sum = f32x4.splat(0);
  for (let tap = 0; tap < taps; tap += 4) {
    const off = <usize>tap * F32;
    sum = f32x4.add(sum, f32x4.mul(v128.load(whole + off), v128.load(at + off)));
  }
  return (
    f32x4.extract_lane(sum, 0) + f32x4.extract_lane(sum, 1) + (f32x4.extract_lane(sum, 2) + f32x4.extract_lane(sum, 3))
  );
}
