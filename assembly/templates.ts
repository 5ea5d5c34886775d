/** How much templates explain of a time course: the twin in src/kernels/templates.ts. */

const F32: usize = 4;
const F64: usize = 8;

/**
 * For each template from `from` on before `end`: (sum of template times course)^2 / norm2 into `into`, or -1 where that sum has not
 * the wanted sign (0 for either). Template k has lengths[k] floats at data + offsets[k], and lies on the course from firsts[k]
 * on. Gives the number of the greatest, -1 where none is above 0.
 */
export function explain(
  values: usize,
  firsts: usize,
  lengths: usize,
  offsets: usize,
  norms: usize,
  data: usize,
  from: i32,
  end: i32,
  sign: f64,
  into: usize,
): i32 {
  let best = -1;
  let most: f64 = 0;
  for (let k = from; k < end; k++) {
    const length = load<i32>(lengths + <usize>k * 4);
    const a = data + <usize>load<i32>(offsets + <usize>k * 4) * F32;
    const b = values + <usize>load<i32>(firsts + <usize>k * 4) * F32;
    const sum = dot(a, b, length);
    let explained: f64 = -1;
    if (sign * sum >= 0) explained = (sum * sum) / load<f64>(norms + <usize>k * F64);
    store<f64>(into + <usize>k * F64, explained);
    if (explained > most) {
      most = explained;
      best = k;
    }
  }
  return best;
}

function dot(a: usize, b: usize, n: i32): f64 {
  let p = f32x4.splat(0);
  let q = f32x4.splat(0);
  let r = f32x4.splat(0);
  let s = f32x4.splat(0);
  let k = 0;
  for (; k + 16 <= n; k += 16) {
    const off = <usize>k * F32;
    p = f32x4.add(p, f32x4.mul(v128.load(a + off), v128.load(b + off)));
    q = f32x4.add(q, f32x4.mul(v128.load(a + off + 16), v128.load(b + off + 16)));
    r = f32x4.add(r, f32x4.mul(v128.load(a + off + 32), v128.load(b + off + 32)));
    s = f32x4.add(s, f32x4.mul(v128.load(a + off + 48), v128.load(b + off + 48)));
  }
  for (; k + 4 <= n; k += 4) {
    const off = <usize>k * F32;
    p = f32x4.add(p, f32x4.mul(v128.load(a + off), v128.load(b + off)));
  }
  const all = f32x4.add(f32x4.add(p, q), f32x4.add(r, s));
  let sum =
    <f64>f32x4.extract_lane(all, 0) +
    <f64>f32x4.extract_lane(all, 1) +
    <f64>f32x4.extract_lane(all, 2) +
    <f64>f32x4.extract_lane(all, 3);
  for (; k < n; k++) sum += <f64>load<f32>(a + <usize>k * F32) * <f64>load<f32>(b + <usize>k * F32);
  return sum;
}
