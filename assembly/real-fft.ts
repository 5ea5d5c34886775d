/**
 * Transform of a real image of floats and back: the twins in src/kernels/real-fft.ts. Stockham's form with radices 4, 2, 3
 * and 5, eight lines side by side, so that every step takes four neighbours in memory at once.
 *
 * A plan of one length lies in memory as: number of stages, their radices (i32 each, eight places in all), then for each
 * stage and each p the pairs cos, sin of -2 pi p k / length, k = 1 ... radix - 1, as floats.
 */

const F32: usize = 4;
const LINES: i32 = 8;
const PLAN: usize = 16 * 4;
const SIN_60: f32 = <f32>0.8660254037844386;
const COS_72: f32 = <f32>0.30901699437494745;
const COS_144: f32 = <f32>-0.8090169943749473;
const SIN_72: f32 = <f32>0.9510565162951535;
const SIN_144: f32 = <f32>0.5877852522924732;

/**
 * Half of the spectrum, frequencies 0 ... width / 2 along x, of `image` (width * height floats) into re and im
 * (height * (width / 2 + 1) floats). `scratch`: 32 floats for each place of the longer side.
 */
export function realFft2(
  image: usize,
  re: usize,
  im: usize,
  width: i32,
  height: i32,
  planX: usize,
  planY: usize,
  scratch: usize,
): void {
  const half = width / 2 + 1;
  const part = <usize>(max(width, height) * LINES) * F32;
  for (let y = 0; y < height; y += 2 * LINES) {
    gather(image, width, y, height, scratch);
    gather(image, width, y + LINES, height, scratch + part);
    const at = stages(scratch, part, width, planX, scratch);
    // The transforms of two real rows p, q lie in that of p + i q as its even and odd halves under u -> -u.
    if (y + 2 * LINES <= height) unpackFours(re, im, y, half, width, at, part);
    else unpackFrom(re, im, y, height, 0, half, width, at, part);
  }
  columns(re, im, half, height, planY, scratch, part);
}

/** The image again, from half of its spectrum, which is used up. */
export function realFft2Inverse(
  re: usize,
  im: usize,
  image: usize,
  width: i32,
  height: i32,
  planX: usize,
  planY: usize,
  scratch: usize,
): void {
  const half = width / 2 + 1;
  const part = <usize>(max(width, height) * LINES) * F32;
  const scale: f32 = <f32>(1 / (<f64>width * <f64>height));
  // The inverse is the transform with real and imaginary parts changed over.
  columns(im, re, half, height, planY, scratch, part);
  for (let y = 0; y < height; y += 2 * LINES) {
    memory.fill(scratch, 0, 2 * part);
    const lines = min(LINES, height - y);
    for (let line = 0; line < lines; line++) {
      const both = y + line + LINES < height;
      const p = <usize>((y + line) * half) * F32;
      const q = p + <usize>(LINES * half) * F32;
      for (let u = 0; u < half; u++) {
        const off = <usize>u * F32;
        const pRe = load<f32>(re + p + off);
        const pIm = load<f32>(im + p + off);
        const qRe: f32 = both ? load<f32>(re + q + off) : 0;
        const qIm: f32 = both ? load<f32>(im + q + off) : 0;
        // P + i Q, changed over: its imaginary part first.
        const a = scratch + <usize>(u * LINES + line) * F32;
        store<f32>(a, pIm + qRe);
        store<f32>(a + part, pRe - qIm);
        if (u === 0 || 2 * u === width) continue;
        const b = scratch + <usize>((width - u) * LINES + line) * F32;
        store<f32>(b, qRe - pIm);
        store<f32>(b + part, pRe + qIm);
      }
    }
    const at = stages(scratch, part, width, planX, scratch);
    const scales = f32x4.splat(scale);
    const stride = <usize>width * F32;
    let x = 0;
    if (y + 2 * LINES <= height) {
      for (; x + 4 <= width; x += 4) {
        for (let line = 0; line < LINES; line += 4) {
          const from = at + <usize>(x * LINES + line) * F32;
          const p = image + <usize>(y + line) * stride + <usize>x * F32;
          scatter(p, stride, from + part, scales);
          scatter(p + <usize>LINES * stride, stride, from, scales);
        }
      }
    }
    for (let line = 0; line < lines; line++) {
      const p = image + <usize>((y + line) * width) * F32;
      const q = p + <usize>LINES * stride;
      const both = y + line + LINES < height;
      for (let place = x; place < width; place++) {
        const from = at + <usize>(place * LINES + line) * F32;
        const off = <usize>place * F32;
        store<f32>(p + off, scale * load<f32>(from + part));
        if (both) store<f32>(q + off, scale * load<f32>(from));
      }
    }
  }
}

/** Rows y ... y + 7 and y + 8 ... y + 15 of half a spectrum, four lines and four frequencies at a time. */
function unpackFours(re: usize, im: usize, y: i32, half: i32, width: i32, at: usize, part: usize): void {
  const stride = <usize>half * F32;
  const q = <usize>LINES * stride;
  // u = 0 is its own mirror.
  unpackFrom(re, im, y, y + 2 * LINES, 0, 1, width, at, part);
  let u = 1;
  for (; u + 4 <= half; u += 4) {
    for (let line = 0; line < LINES; line += 4) {
      const a = at + <usize>(u * LINES + line) * F32;
      const b = at + <usize>((width - u) * LINES + line) * F32;
      const to = <usize>(y + line) * stride + <usize>u * F32;
      unpackBlock(re + to, im + to, q, stride, a, b, part);
    }
  }
  unpackFrom(re, im, y, y + 2 * LINES, u, half, width, at, part);
}

const NEXT: usize = 32;

function unpackBlock(re: usize, im: usize, q: usize, stride: usize, a: usize, b: usize, part: usize): void {
  const halves = f32x4.splat(0.5);
  const aRe0 = v128.load(a);
  const aRe1 = v128.load(a + NEXT);
  const aRe2 = v128.load(a + 2 * NEXT);
  const aRe3 = v128.load(a + 3 * NEXT);
  const bRe0 = v128.load(b);
  const bRe1 = v128.load(b - NEXT);
  const bRe2 = v128.load(b - 2 * NEXT);
  const bRe3 = v128.load(b - 3 * NEXT);
  const aIm0 = v128.load(a + part);
  const aIm1 = v128.load(a + part + NEXT);
  const aIm2 = v128.load(a + part + 2 * NEXT);
  const aIm3 = v128.load(a + part + 3 * NEXT);
  const bIm0 = v128.load(b + part);
  const bIm1 = v128.load(b + part - NEXT);
  const bIm2 = v128.load(b + part - 2 * NEXT);
  const bIm3 = v128.load(b + part - 3 * NEXT);
  turnFour(
    re,
    stride,
    f32x4.mul(halves, f32x4.add(aRe0, bRe0)),
    f32x4.mul(halves, f32x4.add(aRe1, bRe1)),
    f32x4.mul(halves, f32x4.add(aRe2, bRe2)),
    f32x4.mul(halves, f32x4.add(aRe3, bRe3)),
  );
  turnFour(
    im,
    stride,
    f32x4.mul(halves, f32x4.sub(aIm0, bIm0)),
    f32x4.mul(halves, f32x4.sub(aIm1, bIm1)),
    f32x4.mul(halves, f32x4.sub(aIm2, bIm2)),
    f32x4.mul(halves, f32x4.sub(aIm3, bIm3)),
  );
  turnFour(
    re + q,
    stride,
    f32x4.mul(halves, f32x4.add(aIm0, bIm0)),
    f32x4.mul(halves, f32x4.add(aIm1, bIm1)),
    f32x4.mul(halves, f32x4.add(aIm2, bIm2)),
    f32x4.mul(halves, f32x4.add(aIm3, bIm3)),
  );
  turnFour(
    im + q,
    stride,
    f32x4.mul(halves, f32x4.sub(bRe0, aRe0)),
    f32x4.mul(halves, f32x4.sub(bRe1, aRe1)),
    f32x4.mul(halves, f32x4.sub(bRe2, aRe2)),
    f32x4.mul(halves, f32x4.sub(bRe3, aRe3)),
  );
}

/** Four places of four lines, scaled, into four rows. */
function scatter(to: usize, stride: usize, from: usize, scales: v128): void {
  turnFour(
    to,
    stride,
    f32x4.mul(scales, v128.load(from)),
    f32x4.mul(scales, v128.load(from + NEXT)),
    f32x4.mul(scales, v128.load(from + 2 * NEXT)),
    f32x4.mul(scales, v128.load(from + 3 * NEXT)),
  );
}

/** Four vectors of four lines become four rows of four places, `stride` bytes apart. */
function turnFour(to: usize, stride: usize, a: v128, b: v128, c: v128, d: v128): void {
  const ab = i32x4.shuffle(a, b, 0, 4, 1, 5);
  const cd = i32x4.shuffle(c, d, 0, 4, 1, 5);
  const abHigh = i32x4.shuffle(a, b, 2, 6, 3, 7);
  const cdHigh = i32x4.shuffle(c, d, 2, 6, 3, 7);
  v128.store(to, i32x4.shuffle(ab, cd, 0, 1, 4, 5));
  v128.store(to + stride, i32x4.shuffle(ab, cd, 2, 3, 6, 7));
  v128.store(to + 2 * stride, i32x4.shuffle(abHigh, cdHigh, 0, 1, 4, 5));
  v128.store(to + 3 * stride, i32x4.shuffle(abHigh, cdHigh, 2, 3, 6, 7));
}

/** The same for frequencies first ... end - 1, one by one, of the rows from y on that are below `height`. */
function unpackFrom(
  re: usize,
  im: usize,
  y: i32,
  height: i32,
  first: i32,
  end: i32,
  width: i32,
  at: usize,
  part: usize,
): void {
  const half = width / 2 + 1;
  const lines = min(LINES, height - y);
  for (let line = 0; line < lines; line++) {
    const both = y + line + LINES < height;
    const p = <usize>((y + line) * half) * F32;
    const q = p + <usize>(LINES * half) * F32;
    for (let u = first; u < end; u++) {
      const a = at + <usize>(u * LINES + line) * F32;
      const b = at + <usize>((u === 0 ? 0 : width - u) * LINES + line) * F32;
      const aRe = load<f32>(a);
      const aIm = load<f32>(a + part);
      const bRe = load<f32>(b);
      const bIm = load<f32>(b + part);
      const off = <usize>u * F32;
      store<f32>(re + p + off, <f32>0.5 * (aRe + bRe));
      store<f32>(im + p + off, <f32>0.5 * (aIm - bIm));
      if (!both) continue;
      store<f32>(re + q + off, <f32>0.5 * (aIm + bIm));
      store<f32>(im + q + off, <f32>0.5 * (bRe - aRe));
    }
  }
}

function four(at: usize, stride: usize): v128 {
  let value = v128.load32_zero(at);
  value = v128.load32_lane(at + stride, value, 1);
  value = v128.load32_lane(at + 2 * stride, value, 2);
  return v128.load32_lane(at + 3 * stride, value, 3);
}

/** Eight rows from y on, side by side; 0 beyond the image. */
function gather(image: usize, width: i32, y: i32, height: i32, into: usize): void {
  const stride = <usize>width * F32;
  if (y + LINES <= height) {
    const row = image + <usize>y * stride;
    let x = 0;
    for (; x + 4 <= width; x += 4) {
      const from = row + <usize>x * F32;
      const to = into + <usize>(x * LINES) * F32;
      turnFour(
        to,
        NEXT,
        v128.load(from),
        v128.load(from + stride),
        v128.load(from + 2 * stride),
        v128.load(from + 3 * stride),
      );
      const lower = from + 4 * stride;
      turnFour(
        to + 16,
        NEXT,
        v128.load(lower),
        v128.load(lower + stride),
        v128.load(lower + 2 * stride),
        v128.load(lower + 3 * stride),
      );
    }
    for (; x < width; x++) {
      const at = row + <usize>x * F32;
      const to = into + <usize>(x * LINES) * F32;
      v128.store(to, four(at, stride));
      v128.store(to + 16, four(at + 4 * stride, stride));
    }
    return;
  }
  memory.fill(into, 0, <usize>(width * LINES) * F32);
  for (let line = 0; line < LINES && y + line < height; line++) {
    for (let x = 0; x < width; x++) {
      const value = load<f32>(image + <usize>((y + line) * width + x) * F32);
      store<f32>(into + <usize>(x * LINES + line) * F32, value);
    }
  }
}

/** Transforms all columns of re + i im, eight at a time. */
function columns(re: usize, im: usize, width: i32, height: i32, plan: usize, scratch: usize, part: usize): void {
  for (let x = 0; x < width; x += LINES) {
    const bytes = <usize>min(LINES, width - x) * F32;
    for (let y = 0; y < height; y++) {
      const from = <usize>(y * width + x) * F32;
      const to = scratch + <usize>(y * LINES) * F32;
      if (bytes === 32) {
        v128.store(to, v128.load(re + from));
        v128.store(to + 16, v128.load(re + from + 16));
        v128.store(to + part, v128.load(im + from));
        v128.store(to + part + 16, v128.load(im + from + 16));
      } else {
        memory.copy(to, re + from, bytes);
        memory.copy(to + part, im + from, bytes);
      }
    }
    const at = stages(scratch, part, height, plan, scratch);
    for (let y = 0; y < height; y++) {
      const to = <usize>(y * width + x) * F32;
      const from = at + <usize>(y * LINES) * F32;
      if (bytes === 32) {
        v128.store(re + to, v128.load(from));
        v128.store(re + to + 16, v128.load(from + 16));
        v128.store(im + to, v128.load(from + part));
        v128.store(im + to + 16, v128.load(from + part + 16));
      } else {
        memory.copy(re + to, from, bytes);
        memory.copy(im + to, from + part, bytes);
      }
    }
  }
}

/**
 * Transforms the eight lines at `scratch` (real parts; the imaginary ones lie `part` behind), to and fro between there and
 * the two parts behind; gives where the result lies, its imaginary parts again `part` behind.
 */
function stages(first: usize, part: usize, length: i32, plan: usize, scratch: usize): usize {
  let from = first;
  let to = scratch + 2 * part;
  let twiddles = plan + PLAN;
  let stride = LINES;
  let rest = length;
  const count = load<i32>(plan);
  for (let stage = 0; stage < count; stage++) {
    const radix = load<i32>(plan + <usize>(stage + 1) * 4);
    rest /= radix;
    if (radix === 4) stage4(from, to, part, rest, stride, twiddles);
    else if (radix === 2) stage2(from, to, part, rest, stride, twiddles);
    else if (radix === 3) stage3(from, to, part, rest, stride, twiddles);
    else stage5(from, to, part, rest, stride, twiddles);
    twiddles += <usize>(rest * (radix - 1)) * 2 * F32;
    stride *= radix;
    const other = from;
    from = to;
    to = other;
  }
  return from;
}

function turned(to: usize, part: usize, re: v128, im: v128, c: v128, d: v128): void {
  v128.store(to, f32x4.sub(f32x4.mul(re, c), f32x4.mul(im, d)));
  v128.store(to + part, f32x4.add(f32x4.mul(re, d), f32x4.mul(im, c)));
}

function root(twiddles: usize, at: i32): v128 {
  return v128.load32_splat(twiddles + <usize>at * F32);
}

function stage2(from: usize, to: usize, part: usize, m: i32, s: i32, twiddles: usize): void {
  const apart = <usize>(s * m) * F32;
  const step = <usize>s * F32;
  for (let p = 0; p < m; p++) {
    const c = root(twiddles, 2 * p);
    const d = root(twiddles, 2 * p + 1);
    let into = to + 2 * step * <usize>p;
    const begin = from + step * <usize>p;
    const end = begin + step;
    for (let at = begin; at < end; at += 16, into += 16) {
      const aRe = v128.load(at);
      const aIm = v128.load(at + part);
      const bRe = v128.load(at + apart);
      const bIm = v128.load(at + apart + part);
      v128.store(into, f32x4.add(aRe, bRe));
      v128.store(into + part, f32x4.add(aIm, bIm));
      turned(into + step, part, f32x4.sub(aRe, bRe), f32x4.sub(aIm, bIm), c, d);
    }
  }
}

function stage3(from: usize, to: usize, part: usize, m: i32, s: i32, twiddles: usize): void {
  const apart = <usize>(s * m) * F32;
  const step = <usize>s * F32;
  const sin60 = f32x4.splat(SIN_60);
  const half = f32x4.splat(0.5);
  for (let p = 0; p < m; p++) {
    const c1 = root(twiddles, 4 * p);
    const d1 = root(twiddles, 4 * p + 1);
    const c2 = root(twiddles, 4 * p + 2);
    const d2 = root(twiddles, 4 * p + 3);
    let into = to + 3 * step * <usize>p;
    const begin = from + step * <usize>p;
    const end = begin + step;
    for (let at = begin; at < end; at += 16, into += 16) {
      const aRe = v128.load(at);
      const aIm = v128.load(at + part);
      const bRe = v128.load(at + apart);
      const bIm = v128.load(at + apart + part);
      const cRe = v128.load(at + 2 * apart);
      const cIm = v128.load(at + 2 * apart + part);
      const sumRe = f32x4.add(bRe, cRe);
      const sumIm = f32x4.add(bIm, cIm);
      const differenceRe = f32x4.mul(sin60, f32x4.sub(bRe, cRe));
      const differenceIm = f32x4.mul(sin60, f32x4.sub(bIm, cIm));
      const middleRe = f32x4.sub(aRe, f32x4.mul(half, sumRe));
      const middleIm = f32x4.sub(aIm, f32x4.mul(half, sumIm));
      v128.store(into, f32x4.add(aRe, sumRe));
      v128.store(into + part, f32x4.add(aIm, sumIm));
      turned(into + step, part, f32x4.add(middleRe, differenceIm), f32x4.sub(middleIm, differenceRe), c1, d1);
      turned(into + 2 * step, part, f32x4.sub(middleRe, differenceIm), f32x4.add(middleIm, differenceRe), c2, d2);
    }
  }
}

function stage4(from: usize, to: usize, part: usize, m: i32, s: i32, twiddles: usize): void {
  const apart = <usize>(s * m) * F32;
  const step = <usize>s * F32;
  for (let p = 0; p < m; p++) {
    const c1 = root(twiddles, 6 * p);
    const d1 = root(twiddles, 6 * p + 1);
    const c2 = root(twiddles, 6 * p + 2);
    const d2 = root(twiddles, 6 * p + 3);
    const c3 = root(twiddles, 6 * p + 4);
    const d3 = root(twiddles, 6 * p + 5);
    let into = to + 4 * step * <usize>p;
    const begin = from + step * <usize>p;
    const end = begin + step;
    for (let at = begin; at < end; at += 16, into += 16) {
      const aRe = v128.load(at);
      const aIm = v128.load(at + part);
      const bRe = v128.load(at + apart);
      const bIm = v128.load(at + apart + part);
      const cRe = v128.load(at + 2 * apart);
      const cIm = v128.load(at + 2 * apart + part);
      const dRe = v128.load(at + 3 * apart);
      const dIm = v128.load(at + 3 * apart + part);
      const evenRe = f32x4.add(aRe, cRe);
      const evenIm = f32x4.add(aIm, cIm);
      const lessRe = f32x4.sub(aRe, cRe);
      const lessIm = f32x4.sub(aIm, cIm);
      const oddRe = f32x4.add(bRe, dRe);
      const oddIm = f32x4.add(bIm, dIm);
      const oddLessRe = f32x4.sub(bRe, dRe);
      const oddLessIm = f32x4.sub(bIm, dIm);
      v128.store(into, f32x4.add(evenRe, oddRe));
      v128.store(into + part, f32x4.add(evenIm, oddIm));
      turned(into + step, part, f32x4.add(lessRe, oddLessIm), f32x4.sub(lessIm, oddLessRe), c1, d1);
      turned(into + 2 * step, part, f32x4.sub(evenRe, oddRe), f32x4.sub(evenIm, oddIm), c2, d2);
      turned(into + 3 * step, part, f32x4.sub(lessRe, oddLessIm), f32x4.add(lessIm, oddLessRe), c3, d3);
    }
  }
}

function stage5(from: usize, to: usize, part: usize, m: i32, s: i32, twiddles: usize): void {
  const apart = <usize>(s * m) * F32;
  const step = <usize>s * F32;
  const cos72 = f32x4.splat(COS_72);
  const cos144 = f32x4.splat(COS_144);
  const sin72 = f32x4.splat(SIN_72);
  const sin144 = f32x4.splat(SIN_144);
  for (let p = 0; p < m; p++) {
    const w = 8 * p;
    let into = to + 5 * step * <usize>p;
    const begin = from + step * <usize>p;
    const end = begin + step;
    for (let at = begin; at < end; at += 16, into += 16) {
      const aRe = v128.load(at);
      const aIm = v128.load(at + part);
      const bRe = v128.load(at + apart);
      const bIm = v128.load(at + apart + part);
      const cRe = v128.load(at + 2 * apart);
      const cIm = v128.load(at + 2 * apart + part);
      const dRe = v128.load(at + 3 * apart);
      const dIm = v128.load(at + 3 * apart + part);
      const eRe = v128.load(at + 4 * apart);
      const eIm = v128.load(at + 4 * apart + part);
      const outerRe = f32x4.add(bRe, eRe);
      const outerIm = f32x4.add(bIm, eIm);
      const outerLessRe = f32x4.sub(bRe, eRe);
      const outerLessIm = f32x4.sub(bIm, eIm);
      const innerRe = f32x4.add(cRe, dRe);
      const innerIm = f32x4.add(cIm, dIm);
      const innerLessRe = f32x4.sub(cRe, dRe);
      const innerLessIm = f32x4.sub(cIm, dIm);
      const m1Re = f32x4.add(aRe, f32x4.add(f32x4.mul(cos72, outerRe), f32x4.mul(cos144, innerRe)));
      const m1Im = f32x4.add(aIm, f32x4.add(f32x4.mul(cos72, outerIm), f32x4.mul(cos144, innerIm)));
      const m2Re = f32x4.add(aRe, f32x4.add(f32x4.mul(cos144, outerRe), f32x4.mul(cos72, innerRe)));
      const m2Im = f32x4.add(aIm, f32x4.add(f32x4.mul(cos144, outerIm), f32x4.mul(cos72, innerIm)));
      const n1Re = f32x4.add(f32x4.mul(sin72, outerLessRe), f32x4.mul(sin144, innerLessRe));
      const n1Im = f32x4.add(f32x4.mul(sin72, outerLessIm), f32x4.mul(sin144, innerLessIm));
      const n2Re = f32x4.sub(f32x4.mul(sin144, outerLessRe), f32x4.mul(sin72, innerLessRe));
      const n2Im = f32x4.sub(f32x4.mul(sin144, outerLessIm), f32x4.mul(sin72, innerLessIm));
      v128.store(into, f32x4.add(aRe, f32x4.add(outerRe, innerRe)));
      v128.store(into + part, f32x4.add(aIm, f32x4.add(outerIm, innerIm)));
      turned(into + step, part, f32x4.add(m1Re, n1Im), f32x4.sub(m1Im, n1Re), root(twiddles, w), root(twiddles, w + 1));
      turned(
        into + 2 * step,
        part,
        f32x4.add(m2Re, n2Im),
        f32x4.sub(m2Im, n2Re),
        root(twiddles, w + 2),
        root(twiddles, w + 3),
      );
      turned(
        into + 3 * step,
        part,
        f32x4.sub(m2Re, n2Im),
        f32x4.add(m2Im, n2Re),
        root(twiddles, w + 4),
        root(twiddles, w + 5),
      );
      turned(
        into + 4 * step,
        part,
        f32x4.sub(m1Re, n1Im),
        f32x4.add(m1Im, n1Re),
        root(twiddles, w + 6),
        root(twiddles, w + 7),
      );
    }
  }
}
