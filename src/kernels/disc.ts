/** Local least squares over a disc that is the same everywhere: its sums, folded on the disc's two axes. */
import { compiledKernels } from "./compiled.js";

/**
 * A disc of weights k = (1 - d^2 / r^2)^2, one quarter of it: places (dx, dy) with dx, dy >= 0, each standing for the up to
 * four that mirror it.
 */
export interface Disc {
  readonly radius_px: number;
  /** Farthest place, px along x or y. */
  readonly reach: number;
  readonly dx: Int32Array;
  readonly dy: Int32Array;
  /** Columns of k, k u^2, k v^2, k u, k v, k u v a place, u and v in radii; less where places mirror themselves. */
  readonly terms: Float64Array;
  /** Columns of k u^4, k u^2 v^2, k v^4, k u^3, k u v^2, k v^3, k u^2 v, k u^3 v, k u v^3, k^2 a place, alike. */
  readonly higher: Float64Array;
}

/** Columns of `terms` and of `higher`. */
const TERMS = 6;
const HIGHER = 10;
/** Sums that make up one normal matrix, see `discMoments`. */
export const MOMENTS = 16;
/** Rows of the inverse that give value and slopes, of six terms each. */
export const FIT = 18;

/** The disc of a radius. */
export function discOf(radius_px: number): Disc {
  const dx: number[] = [];
  const dy: number[] = [];
  const terms: number[] = [];
  const higher: number[] = [];
  const reach = Math.ceil(radius_px);
  for (let y = 0; y <= reach; y++) {
    for (let x = 0; x <= reach; x++) {
      const u = x / radius_px;
      const v = y / radius_px;
      const left = 1 - u * u - v * v;
      if (!(left > 0)) continue;
      const share = (x === 0 ? 0.5 : 1) * (y === 0 ? 0.5 : 1);
      const k = share * left * left;
      dx.push(x);
      dy.push(y);
      terms.push(k, k * u * u, k * v * v, k * u, k * v, k * u * v);
      higher.push(k * u ** 4, k * u * u * v * v, k * v ** 4, k * u ** 3, k * u * v * v, k * v ** 3, k * u * u * v);
      higher.push(k * u ** 3 * v, k * u * v ** 3, share * left ** 4);
    }
  }
  return {
    radius_px,
    reach,
    dx: Int32Array.from(dx),
    dy: Int32Array.from(dy),
    terms: Float64Array.from(terms),
    higher: Float64Array.from(higher),
  };
}

/** A map with zeros around it, so that no disc looks beyond. */
export interface Padded {
  readonly values: Float64Array;
  readonly stride: number;
}

/**
 * Sums of k w u^i v^j about one place of a padded map of weights w, in the order (i, j) = 00 20 02 10 01 11 40 22 04 30 12
 * 03 21 31 13, and of (k w)^2, into 16 numbers.
 */
export function discMoments({ dx, dy, terms, higher }: Disc, map: Padded, at: number, into: Float64Array): void {
  const { values, stride } = map;
  let [s00, s20, s02, s10, s01, s11, s40, s22] = [0, 0, 0, 0, 0, 0, 0, 0];
  let [s04, s30, s12, s03, s21, s31, s13, square] = [0, 0, 0, 0, 0, 0, 0, 0];
  for (let place = 0, term = 0, high = 0; place < dx.length; place++, term += TERMS, high += HIGHER) {
    const down = dy[place]! * stride;
    const right = dx[place]!;
    const a = values[at + down + right]!;
    const b = values[at - down - right]!;
    const c = values[at + down - right]!;
    const d = values[at - down + right]!;
    const even = a + b + (c + d);
    const alongX = a - b - (c - d);
    const alongY = a - b + (c - d);
    const across = a + b - (c + d);
    s00 += terms[term]! * even;
    s20 += terms[term + 1]! * even;
    s02 += terms[term + 2]! * even;
    s10 += terms[term + 3]! * alongX;
    s01 += terms[term + 4]! * alongY;
    s11 += terms[term + 5]! * across;
    s40 += higher[high]! * even;
    s22 += higher[high + 1]! * even;
    s04 += higher[high + 2]! * even;
    s30 += higher[high + 3]! * alongX;
    s12 += higher[high + 4]! * alongX;
    s03 += higher[high + 5]! * alongY;
    s21 += higher[high + 6]! * alongY;
    s31 += higher[high + 7]! * across;
    s13 += higher[high + 8]! * across;
    square += higher[high + 9]! * (a * a + b * b + (c * c + d * d));
  }
  into[0] = s00;
  into[1] = s20;
  into[2] = s02;
  into[3] = s10;
  into[4] = s01;
  into[5] = s11;
  into[6] = s40;
  into[7] = s22;
  into[8] = s04;
  into[9] = s30;
  into[10] = s12;
  into[11] = s03;
  into[12] = s21;
  into[13] = s31;
  into[14] = s13;
  into[15] = square;
}

/** What is fitted at each of some places: value and slopes. */
export interface DiscFits {
  readonly value: Float64Array;
  readonly x: Float64Array;
  readonly y: Float64Array;
}

/**
 * Value and slopes at places of a padded map of values times their weights: the sums of k w, k w u, k w v, k w u^2, k w u v
 * and k w v^2 by 18 coefficients a place, six for the value, six for each slope. Compiled where that runs, the same but for
 * the order of sums.
 */
export function discFits(disc: Disc, map: Padded, places: Int32Array, coefficients: Float64Array): DiscFits {
  const compiled = compiledKernels();
  if (compiled === null) return discFitsPlain(disc, map, places, coefficients);
  const n = places.length;
  const offsets = new Int32Array(2 * disc.dx.length);
  for (let place = 0; place < disc.dx.length; place++) {
    offsets[2 * place] = disc.dy[place]! * map.stride + disc.dx[place]!;
    offsets[2 * place + 1] = disc.dy[place]! * map.stride - disc.dx[place]!;
  }
  const found = new Float64Array(3 * n);
  const [values, at, fits, own, terms, sums, into] = compiled.lend(
    map.values,
    places,
    coefficients,
    offsets,
    disc.terms,
    8 * 2 * TERMS,
    8 * found.length,
  ) as [number, number, number, number, number, number, number];
  compiled.run.discFits(values, at, n, fits, own, terms, disc.dx.length, sums, into);
  compiled.fetch(found, into);
  return { value: found.subarray(0, n), x: found.subarray(n, 2 * n), y: found.subarray(2 * n) };
}

/** The same in TypeScript. */
export function discFitsPlain(
  { dx, dy, terms }: Disc,
  { values, stride }: Padded,
  places: Int32Array,
  coefficients: Float64Array,
): DiscFits {
  const n = places.length;
  const value = new Float64Array(n);
  const x = new Float64Array(n);
  const y = new Float64Array(n);
  for (let i = 0, fit = 0; i < n; i++, fit += FIT) {
    const at = places[i]!;
    let [s00, s10, s01, s20, s11, s02] = [0, 0, 0, 0, 0, 0];
    for (let place = 0, term = 0; place < dx.length; place++, term += TERMS) {
      const down = dy[place]! * stride;
      const right = dx[place]!;
      const a = values[at + down + right]!;
      const b = values[at - down - right]!;
      const c = values[at + down - right]!;
      const d = values[at - down + right]!;
      const even = a + b + (c + d);
      s00 += terms[term]! * even;
      s20 += terms[term + 1]! * even;
      s02 += terms[term + 2]! * even;
      s10 += terms[term + 3]! * (a - b - (c - d));
      s01 += terms[term + 4]! * (a - b + (c - d));
      s11 += terms[term + 5]! * (a + b - (c + d));
    }
    const sum = (row: number): number =>
      coefficients[row]! * s00 +
      coefficients[row + 1]! * s10 +
      coefficients[row + 2]! * s01 +
      coefficients[row + 3]! * s20 +
      coefficients[row + 4]! * s11 +
      coefficients[row + 5]! * s02;
    value[i] = sum(fit);
    x[i] = sum(fit + 6);
    y[i] = sum(fit + 12);
  }
  return { value, x, y };
}
