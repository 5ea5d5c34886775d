/** Cubic B-splines through images of floats and their values between pixels: the twins in src/kernels/resample.ts. */

const F32: usize = 4;
const POLE: f32 = <f32>(Math.sqrt(3) - 2);
const LAST: f32 = <f32>((6 * (Math.sqrt(3) - 2)) / ((Math.sqrt(3) - 2) * (Math.sqrt(3) - 2) - 1));
/** Terms after which the pole's powers are below single precision, as in the twin. */
const HORIZON: i32 = 28;

/** Samples become coefficients, in place. `sum`: scratch of `width` floats. */
export function splineCoefficients(image: usize, width: i32, height: i32, sum: usize): void {
  if (width > 1) {
    let y = 0;
    for (; y + 8 <= height; y += 8) eightRows(image + <usize>(y * width) * F32, width);
    for (; y < height; y++) oneRow(image + <usize>(y * width) * F32, width);
  }
  if (height > 1) columns(image, width, height, sum);
}

/** The place within 0 ... n - 1 that a mirror about the outermost samples shows at `place`. */
function reflect(place: i32, n: i32): i32 {
  if (place >= 0 && place < n) return place;
  if (n === 1) return 0;
  const period = 2 * n - 2;
  let at = place % period;
  if (at < 0) at += period;
  return at < n ? at : period - at;
}

function oneRow(row: usize, n: i32): void {
  let sum: f32 = 0;
  for (let k = HORIZON; k > 0; k--) sum = POLE * (sum + load<f32>(row + <usize>reflect(k, n) * F32));
  let value = load<f32>(row) + sum;
  store<f32>(row, value);
  for (let x = 1; x < n; x++) {
    const at = row + <usize>x * F32;
    value = load<f32>(at) + POLE * value;
    store<f32>(at, value);
  }
  const last = row + <usize>(n - 1) * F32;
  value = LAST * (load<f32>(last) + POLE * load<f32>(last - F32));
  store<f32>(last, value);
  for (let x = n - 2; x >= 0; x--) {
    const at = row + <usize>x * F32;
    value = POLE * (value - 6 * load<f32>(at));
    store<f32>(at, value);
  }
}

function four(at: usize, stride: usize): v128 {
  let value = v128.load32_zero(at);
  value = v128.load32_lane(at + stride, value, 1);
  value = v128.load32_lane(at + 2 * stride, value, 2);
  return v128.load32_lane(at + 3 * stride, value, 3);
}

function put(at: usize, stride: usize, value: v128): void {
  v128.store32_lane(at, value, 0);
  v128.store32_lane(at + stride, value, 1);
  v128.store32_lane(at + 2 * stride, value, 2);
  v128.store32_lane(at + 3 * stride, value, 3);
}

/** Eight rows side by side: each waits for its own last value, and the others fill the time. */
function eightRows(row: usize, n: i32): void {
  const stride = <usize>n * F32;
  const lower = 4 * stride;
  const pole = f32x4.splat(POLE);
  let sumA = f32x4.splat(0);
  let sumB = f32x4.splat(0);
  for (let k = HORIZON; k > 0; k--) {
    const at = row + <usize>reflect(k, n) * F32;
    sumA = f32x4.mul(pole, f32x4.add(sumA, four(at, stride)));
    sumB = f32x4.mul(pole, f32x4.add(sumB, four(at + lower, stride)));
  }
  let a = f32x4.add(four(row, stride), sumA);
  let b = f32x4.add(four(row + lower, stride), sumB);
  put(row, stride, a);
  put(row + lower, stride, b);
  for (let x = 1; x < n; x++) {
    const at = row + <usize>x * F32;
    a = f32x4.add(four(at, stride), f32x4.mul(pole, a));
    b = f32x4.add(four(at + lower, stride), f32x4.mul(pole, b));
    put(at, stride, a);
    put(at + lower, stride, b);
  }
  const last = row + <usize>(n - 1) * F32;
  const factor = f32x4.splat(LAST);
  a = f32x4.mul(factor, f32x4.add(four(last, stride), f32x4.mul(pole, four(last - F32, stride))));
  b = f32x4.mul(factor, f32x4.add(four(last + lower, stride), f32x4.mul(pole, four(last - F32 + lower, stride))));
  put(last, stride, a);
  put(last + lower, stride, b);
  const six = f32x4.splat(6);
  for (let x = n - 2; x >= 0; x--) {
    const at = row + <usize>x * F32;
    a = f32x4.mul(pole, f32x4.sub(a, f32x4.mul(six, four(at, stride))));
    b = f32x4.mul(pole, f32x4.sub(b, f32x4.mul(six, four(at + lower, stride))));
    put(at, stride, a);
    put(at + lower, stride, b);
  }
}

function columns(data: usize, width: i32, height: i32, sum: usize): void {
  const stride = <usize>width * F32;
  memory.fill(sum, 0, stride);
  for (let k = HORIZON; k > 0; k--) each(sum, sum, data + <usize>reflect(k, height) * stride, width, 0);
  each(data, data, sum, width, 1);
  for (let y = 1; y < height; y++) {
    const row = data + <usize>y * stride;
    each(row, row, row - stride, width, 2);
  }
  const last = data + <usize>(height - 1) * stride;
  each(last, last, last - stride, width, 3);
  for (let y = height - 2; y >= 0; y--) {
    const row = data + <usize>y * stride;
    each(row, row, row + stride, width, 4);
  }
}

/** One step of the columns' filter on a whole row, four columns at a time. */
function each(into: usize, own: usize, other: usize, width: i32, step: i32): void {
  const pole = f32x4.splat(POLE);
  const six = f32x4.splat(6);
  const factor = f32x4.splat(LAST);
  let x = 0;
  for (; x + 4 <= width; x += 4) {
    const off = <usize>x * F32;
    const a = v128.load(own + off);
    const b = v128.load(other + off);
    let c: v128;
    if (step === 0) c = f32x4.mul(pole, f32x4.add(a, b));
    else if (step === 1) c = f32x4.add(a, b);
    else if (step === 2) c = f32x4.add(a, f32x4.mul(pole, b));
    else if (step === 3) c = f32x4.mul(factor, f32x4.add(a, f32x4.mul(pole, b)));
    else c = f32x4.mul(pole, f32x4.sub(b, f32x4.mul(six, a)));
    v128.store(into + off, c);
  }
  for (; x < width; x++) {
    const off = <usize>x * F32;
    const a = load<f32>(own + off);
    const b = load<f32>(other + off);
    let c: f32;
    if (step === 0) c = POLE * (a + b);
    else if (step === 1) c = a + b;
    else if (step === 2) c = a + POLE * b;
    else if (step === 3) c = LAST * (a + POLE * b);
    else c = POLE * (b - 6 * a);
    store<f32>(into + off, c);
  }
}

/**
 * Values of the spline at x0 + i, y0 + j, into `into` (windowWidth * windowHeight floats); NaN outside the span of pixel
 * centres. `line`: scratch of windowWidth + 3 floats.
 */
export function sampleSpline(
  coefficients: usize,
  width: i32,
  height: i32,
  x0: f64,
  y0: f64,
  into: usize,
  windowWidth: i32,
  windowHeight: i32,
  line: usize,
): void {
  const left = <i32>Math.floor(x0);
  const top = <i32>Math.floor(y0);
  const t = x0 - left;
  const s = 1 - t;
  const u = y0 - top;
  const v = 1 - u;
  const a = <f32>((s * s * s) / 6);
  const b = <f32>((3 * (t * t * t) - 6 * t * t + 4) / 6);
  const c = <f32>((3 * (s * s * s) - 6 * s * s + 4) / 6);
  const d = <f32>((t * t * t) / 6);
  const e = <f32>((v * v * v) / 6);
  const f = <f32>((3 * (u * u * u) - 6 * u * u + 4) / 6);
  const g = <f32>((3 * (v * v * v) - 6 * v * v + 4) / 6);
  const h = <f32>((u * u * u) / 6);
  const first = min(windowWidth, max(0, <i32>Math.ceil(-x0)));
  const end = max(first, min(windowWidth, <i32>Math.floor(width - 1 - x0) + 1));
  const length = end - first + 3;
  const start = left + first - 1;
  const from = max(0, -start);
  const to = min(length, width - start);
  const stride = <usize>width * F32;
  for (let j = 0; j < windowHeight; j++) {
    const row = into + <usize>(j * windowWidth) * F32;
    if (y0 + j < 0 || y0 + j > height - 1 || first === end) {
      fillNaN(row, 0, windowWidth);
      continue;
    }
    const y = top + j;
    const shift = <usize>start * F32;
    const above = coefficients + <usize>reflect(y - 1, height) * stride + shift;
    const here = coefficients + <usize>reflect(y, height) * stride + shift;
    const next = coefficients + <usize>reflect(y + 1, height) * stride + shift;
    const below = coefficients + <usize>reflect(y + 2, height) * stride + shift;
    blend(line, above, here, next, below, e, f, g, h, from, to);
    for (let x = 0; x < from; x++)
      store<f32>(line + <usize>x * F32, load<f32>(line + <usize>(reflect(start + x, width) - start) * F32));
    for (let x = to; x < length; x++)
      store<f32>(line + <usize>x * F32, load<f32>(line + <usize>(reflect(start + x, width) - start) * F32));
    fillNaN(row, 0, first);
    blend(row + <usize>first * F32, line, line + F32, line + 2 * F32, line + 3 * F32, a, b, c, d, 0, end - first);
    fillNaN(row, end, windowWidth);
  }
}

/** The sum of four lines times their weights, from one place to another. */
function blend(
  into: usize,
  p: usize,
  q: usize,
  r: usize,
  s: usize,
  e: f32,
  f: f32,
  g: f32,
  h: f32,
  from: i32,
  to: i32,
): void {
  const ee = f32x4.splat(e);
  const ff = f32x4.splat(f);
  const gg = f32x4.splat(g);
  const hh = f32x4.splat(h);
  let x = from;
  for (; x + 4 <= to; x += 4) {
    const off = <usize>x * F32;
    const one = f32x4.add(f32x4.mul(ee, v128.load(p + off)), f32x4.mul(ff, v128.load(q + off)));
    const other = f32x4.add(f32x4.mul(gg, v128.load(r + off)), f32x4.mul(hh, v128.load(s + off)));
    v128.store(into + off, f32x4.add(one, other));
  }
  for (; x < to; x++) {
    const off = <usize>x * F32;
    const one = e * load<f32>(p + off) + f * load<f32>(q + off);
    const other = g * load<f32>(r + off) + h * load<f32>(s + off);
    store<f32>(into + off, one + other);
  }
}

function fillNaN(row: usize, from: i32, to: i32): void {
  for (let x = from; x < to; x++) store<f32>(row + <usize>x * F32, <f32>NaN);
}
