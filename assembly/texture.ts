/** Sums over the pixels of a texture: the twins in src/kernels/texture-sums.ts. */

const F32: usize = 4;
const F64: usize = 8;
/** Sums are carried in single precision over so many pixels, then in double. */
const RUN: i32 = 256;

function absolute(value: v128): v128 {
  return f32x4.abs(value);
}

/** Adds the four lanes to a double. */
function addLanes(at: usize, lanes: v128): void {
  const pairs = f64x2.add(
    f64x2.promote_low_f32x4(lanes),
    f64x2.promote_low_f32x4(i8x16.shuffle(lanes, lanes, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7)),
  );
  store<f64>(at, load<f64>(at) + f64x2.extract_lane(pairs, 0) + f64x2.extract_lane(pairs, 1));
}

/**
 * ratio = moved / (share * slow), and the six sums of Gauss and Newton's step into `sums`. All arrays have `n` floats, n a
 * multiple of four.
 */
export function shiftSums(
  moved: usize,
  share: usize,
  slow: usize,
  value: usize,
  gradientX: usize,
  gradientY: usize,
  pullX: usize,
  pullY: usize,
  n: i32,
  limit: f32,
  ratio: usize,
  sums: usize,
): void {
  memory.fill(sums, 0, 6 * F64);
  const inverse = f32x4.splat(1 / limit);
  const one = f32x4.splat(1);
  const zero = f32x4.splat(0);
  for (let from = 0; from < n; from += RUN) {
    const end = min(n, from + RUN);
    let x = zero;
    let y = zero;
    let xx = zero;
    let xy = zero;
    let yx = zero;
    let yy = zero;
    for (let k = from; k < end; k += 4) {
      const off = <usize>k * F32;
      const light = f32x4.div(v128.load(moved + off), f32x4.mul(v128.load(share + off), v128.load(slow + off)));
      v128.store(ratio + off, light);
      const r = f32x4.sub(light, v128.load(value + off));
      const u = f32x4.mul(r, inverse);
      const left = f32x4.sub(one, f32x4.mul(u, u));
      // False for NaN.
      const counts = f32x4.gt(left, zero);
      const weight = v128.and(f32x4.mul(left, left), counts);
      const px = f32x4.mul(weight, v128.load(pullX + off));
      const py = f32x4.mul(weight, v128.load(pullY + off));
      const known = v128.and(r, counts);
      const gx = v128.load(gradientX + off);
      const gy = v128.load(gradientY + off);
      x = f32x4.add(x, f32x4.mul(px, known));
      y = f32x4.add(y, f32x4.mul(py, known));
      xx = f32x4.add(xx, f32x4.mul(px, gx));
      xy = f32x4.add(xy, f32x4.mul(px, gy));
      yx = f32x4.add(yx, f32x4.mul(py, gx));
      yy = f32x4.add(yy, f32x4.mul(py, gy));
    }
    addLanes(sums, x);
    addLanes(sums + F64, y);
    addLanes(sums + 2 * F64, xx);
    addLanes(sums + 3 * F64, xy);
    addLanes(sums + 4 * F64, yx);
    addLanes(sums + 5 * F64, yy);
  }
}

/** The six sums of influences over the pixels whose `half` is 0 into `sums`, and over the others behind them. */
export function influenceSums(
  ratio: usize,
  value: usize,
  half: usize,
  gradientX: usize,
  gradientY: usize,
  pullX: usize,
  pullY: usize,
  n: i32,
  limit: f32,
  sums: usize,
): void {
  memory.fill(sums, 0, 12 * F64);
  const inverse = f32x4.splat(1 / limit);
  const one = f32x4.splat(1);
  const five = f32x4.splat(5);
  const zero = f32x4.splat(0);
  for (let side = 0; side < 2; side++) {
    const into = sums + <usize>(6 * side) * F64;
    const wanted = f32x4.splat(<f32>side);
    for (let from = 0; from < n; from += RUN) {
      const end = min(n, from + RUN);
      let x = zero;
      let y = zero;
      let xx = zero;
      let xy = zero;
      let yx = zero;
      let yy = zero;
      for (let k = from; k < end; k += 4) {
        const off = <usize>k * F32;
        const r = f32x4.sub(v128.load(ratio + off), v128.load(value + off));
        const u = f32x4.mul(r, inverse);
        const square = f32x4.mul(u, u);
        const left = f32x4.sub(one, square);
        const counts = v128.and(f32x4.gt(left, zero), f32x4.eq(v128.load(half + off), wanted));
        const known = v128.and(r, counts);
        const weight = v128.and(f32x4.mul(left, left), counts);
        const slope = v128.and(f32x4.mul(left, f32x4.sub(one, f32x4.mul(five, square))), counts);
        const pullXs = v128.load(pullX + off);
        const pullYs = v128.load(pullY + off);
        const gx = v128.load(gradientX + off);
        const gy = v128.load(gradientY + off);
        x = f32x4.add(x, f32x4.mul(f32x4.mul(weight, pullXs), known));
        y = f32x4.add(y, f32x4.mul(f32x4.mul(weight, pullYs), known));
        const px = f32x4.mul(slope, pullXs);
        const py = f32x4.mul(slope, pullYs);
        xx = f32x4.add(xx, f32x4.mul(px, gx));
        xy = f32x4.add(xy, f32x4.mul(px, gy));
        yx = f32x4.add(yx, f32x4.mul(py, gx));
        yy = f32x4.add(yy, f32x4.mul(py, gy));
      }
      addLanes(into, x);
      addLanes(into + F64, y);
      addLanes(into + 2 * F64, xx);
      addLanes(into + 3 * F64, xy);
      addLanes(into + 4 * F64, yx);
      addLanes(into + 5 * F64, yy);
    }
  }
}

/**
 * Over the pixels whose ratio is within `limit` of the texture's: of what the ratio differs by, its products with `fine` and
 * `coarse`; and, where the slow share is within `spread` of `usual`, the light and the reference's. Into four doubles.
 * `counted` is 0 at pixels that say nothing.
 */
export function lightSums(
  moved: usize,
  share: usize,
  ratio: usize,
  value: usize,
  light: usize,
  counted: usize,
  fine: usize,
  coarse: usize,
  n: i32,
  limit: f32,
  usual: f32,
  spread: f32,
  sums: usize,
): void {
  memory.fill(sums, 0, 4 * F64);
  const limits = f32x4.splat(limit);
  const usuals = f32x4.splat(usual);
  const spreads = f32x4.splat(spread);
  const zero = f32x4.splat(0);
  for (let from = 0; from < n; from += RUN) {
    const end = min(n, from + RUN);
    let alongFine = zero;
    let alongCoarse = zero;
    let sum = zero;
    let reference = zero;
    for (let k = from; k < end; k += 4) {
      const off = <usize>k * F32;
      const change = f32x4.sub(v128.load(ratio + off), v128.load(value + off));
      const counts = v128.and(f32x4.le(absolute(change), limits), f32x4.gt(v128.load(counted + off), zero));
      const known = v128.and(change, counts);
      alongFine = f32x4.add(alongFine, f32x4.mul(known, v128.load(fine + off)));
      alongCoarse = f32x4.add(alongCoarse, f32x4.mul(known, v128.load(coarse + off)));
      const even = v128.and(counts, f32x4.le(absolute(f32x4.sub(v128.load(share + off), usuals)), spreads));
      sum = f32x4.add(sum, v128.and(v128.load(moved + off), even));
      reference = f32x4.add(reference, v128.and(v128.load(light + off), even));
    }
    addLanes(sums, alongFine);
    addLanes(sums + F64, alongCoarse);
    addLanes(sums + 2 * F64, sum);
    addLanes(sums + 3 * F64, reference);
  }
}
