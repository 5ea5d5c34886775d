/** Local fits over a disc: the twin of `discFits` in src/kernels/disc.ts. */

const F64: usize = 8;
/** Columns of the disc's terms, and coefficients a place. */
const TERMS: usize = 6;
const FIT: usize = 18;

/**
 * `values`: a padded map of doubles. `places`: n places in it (i32). `fits`: 18 coefficients a place. `offsets`: two (i32) and
 * `terms`: six doubles for each of `size` places of a quarter disc. `sums`: scratch of 12 doubles. `into`: 3 n doubles, value
 * then slopes. Two neighbours at once where places follow each other.
 */
export function discFits(
  values: usize,
  places: usize,
  n: i32,
  fits: usize,
  offsets: usize,
  terms: usize,
  size: i32,
  sums: usize,
  into: usize,
): void {
  let i = 0;
  while (i < n) {
    const place = load<i32>(places + ((<usize>i) << 2));
    const at = values + <usize>place * F64;
    const two = i + 1 < n && load<i32>(places + ((<usize>(i + 1)) << 2)) == place + 1;
    sumPair(at, offsets, terms, size, sums);
    fit(sums, fits + <usize>i * FIT * F64, into + <usize>i * F64, n);
    if (two) fit(sums + F64, fits + <usize>(i + 1) * FIT * F64, into + <usize>(i + 1) * F64, n);
    i += two ? 2 : 1;
  }
}

/** Sums at a place and at the next, which may be thrown away: a padded map goes on beyond every place. */
function sumPair(at: usize, offsets: usize, terms: usize, size: i32, sums: usize): void {
  let s00 = f64x2.splat(0);
  let s10 = s00;
  let s01 = s00;
  let s20 = s00;
  let s11 = s00;
  let s02 = s00;
  let own = offsets;
  let term = terms;
  for (let k = 0; k < size; k++) {
    const far = (<isize>load<i32>(own)) << 3;
    const near = (<isize>load<i32>(own, 4)) << 3;
    const a = v128.load(at + far);
    const b = v128.load(at - far);
    const c = v128.load(at + near);
    const d = v128.load(at - near);
    const sumAB = f64x2.add(a, b);
    const sumCD = f64x2.add(c, d);
    const lessAB = f64x2.sub(a, b);
    const lessCD = f64x2.sub(c, d);
    const even = f64x2.add(sumAB, sumCD);
    s00 = f64x2.add(s00, f64x2.mul(v128.load64_splat(term), even));
    s20 = f64x2.add(s20, f64x2.mul(v128.load64_splat(term, 8), even));
    s02 = f64x2.add(s02, f64x2.mul(v128.load64_splat(term, 16), even));
    s10 = f64x2.add(s10, f64x2.mul(v128.load64_splat(term, 24), f64x2.sub(lessAB, lessCD)));
    s01 = f64x2.add(s01, f64x2.mul(v128.load64_splat(term, 32), f64x2.add(lessAB, lessCD)));
    s11 = f64x2.add(s11, f64x2.mul(v128.load64_splat(term, 40), f64x2.sub(sumAB, sumCD)));
    own += 8;
    term += TERMS * F64;
  }
  v128.store(sums, s00);
  v128.store(sums, s10, 16);
  v128.store(sums, s01, 32);
  v128.store(sums, s20, 48);
  v128.store(sums, s11, 64);
  v128.store(sums, s02, 80);
}

function fit(sums: usize, own: usize, into: usize, n: i32): void {
  const s00 = load<f64>(sums);
  const s10 = load<f64>(sums, 16);
  const s01 = load<f64>(sums, 32);
  const s20 = load<f64>(sums, 48);
  const s11 = load<f64>(sums, 64);
  const s02 = load<f64>(sums, 80);
  for (let row = 0; row < 3; row++) {
    const value =
      load<f64>(own) * s00 +
      load<f64>(own, 8) * s10 +
      load<f64>(own, 16) * s01 +
      load<f64>(own, 24) * s20 +
      load<f64>(own, 32) * s11 +
      load<f64>(own, 40) * s02;
    store<f64>(into, value);
    own += 48;
    into += <usize>n * F64;
  }
}
