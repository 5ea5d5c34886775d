/** Local least squares on a map: value, slope and curvature at each pixel from its neighbours. */
import { discFits, discMoments, discOf, FIT, MOMENTS, type Disc, type DiscFits, type Padded } from "../kernels/disc.js";

/** Which neighbours the operator of slopes is made of. */
export interface SlopeOptions {
  readonly width: number;
  readonly height: number;
  /** Weight of each pixel's value; 0 or NaN leaves it out. */
  readonly weight: ArrayLike<number>;
  /** 1 where the fit is wanted; by default wherever a weight is. */
  readonly wanted?: Uint8Array;
  readonly radius_px: number;
  /** Pixels over which no neighbour is seen. */
  readonly wall?: Uint8Array;
}

/** The same of a surface. */
export interface NeighbourOptions extends SlopeOptions {
  /** Where the values belong, relative to their pixels. */
  readonly shiftX_px?: ArrayLike<number>;
  readonly shiftY_px?: ArrayLike<number>;
  /** A plane everywhere, for values beyond the map's edge. */
  readonly flat?: boolean;
}

/** A surface fitted about each pixel: one entry a pixel of the map, NaN where no fit stands. */
export interface Surface {
  readonly value: Float32Array;
  readonly x: Float32Array;
  readonly y: Float32Array;
  /** Second derivatives; 0 where the neighbours allow a plane only. */
  readonly xx: Float32Array;
  readonly xy: Float32Array;
  readonly yy: Float32Array;
}

/** The same for maps that differ in their values alone: value and slope at each pixel as sums over a disc. */
export interface Slopes {
  /** Pixels at which the fit stands, in their order on the map. */
  readonly pixels: Int32Array;
  readonly width: number;
  readonly height: number;
  readonly disc: Disc;
  /** Weights of the map's pixels; 0 where one takes no part. */
  readonly weight: Float64Array;
  /** 18 coefficients a pixel, see `discFits`. */
  readonly coefficients: Float64Array;
  /** Pixels from which a wall is seen, which have neighbours of their own. */
  readonly walled: readonly WalledPixel[];
}

/** One pixel, by its place among those with a fit: value = sum(c0 v), d/dx = sum(cx v), d/dy = sum(cy v). */
export interface WalledPixel {
  readonly index: number;
  readonly neighbour: Int32Array;
  readonly c0: Float64Array;
  readonly cx: Float64Array;
  readonly cy: Float64Array;
}

/** Neighbours, counted by how much they weigh, from which a quadratic is drawn; fewer give a plane. */
const ENOUGH_FOR_CURVE = 14;
const ENOUGH_FOR_PLANE = 5;

/**
 * A quadratic (or, with few neighbours, a plane) about each pixel over the disc of `radius_px`, weighted by
 * (1 - d^2 / r^2)^2 times each value's own weight. At the edge of the map the quadratic keeps the slope unbiased
 * where a mean would not.
 */
export function surface(values: ArrayLike<number>, options: NeighbourOptions): Surface {
  const nan = (): Float32Array => new Float32Array(options.width * options.height).fill(NaN);
  const found = { value: nan(), x: nan(), y: nan(), xx: nan(), xy: nan(), yy: nan() };
  const moment = new Float64Array(6);
  const solution = new Float64Array(6);
  neighbourhoods(options, (at, { n, near, rows, kernel, inverse, terms }) => {
    moment.fill(0);
    for (let k = 0; k < n; k++) {
      const v = kernel[k]! * values[near[k]!]!;
      for (let term = 0; term < terms; term++) moment[term] = moment[term]! + v * rows[k * 6 + term]!;
    }
    solution.fill(0);
    for (let i = 0; i < terms; i++) {
      for (let j = 0; j < terms; j++) solution[i] = solution[i]! + inverse[i * terms + j]! * moment[j]!;
    }
    const r = options.radius_px;
    found.value[at] = solution[0]!;
    found.x[at] = solution[1]! / r;
    found.y[at] = solution[2]! / r;
    found.xx[at] = (2 * solution[3]!) / (r * r);
    found.xy[at] = solution[4]! / (r * r);
    found.yy[at] = (2 * solution[5]!) / (r * r);
  });
  return found;
}

/** The operator that gives value and slope of `surface` for any values on the same pixels with the same weights. */
export function slopes(options: SlopeOptions): Slopes {
  const { width, height, radius_px, wanted, wall } = options;
  const disc = discOf(radius_px);
  const weight = Float64Array.from(options.weight, (own) => (own > 0 ? own : 0));
  const map = padded(weight, null, width, height, disc.reach);
  const sees = wall === undefined ? null : near(wall, width, height, disc.reach);
  const found = new Map<number, Omit<WalledPixel, "index">>();
  if (sees !== null) {
    for (let at = 0; at < sees.length; at++)
      if (wanted === undefined ? weight[at] === 0 : wanted[at] === 0) sees[at] = 0;
    neighbourhoods({ ...options, wanted: sees }, (at, hood) => found.set(at, coefficientsOf(hood, radius_px)));
  }
  const pixels = new Int32Array(weight.length);
  const places = wanted ?? weight;
  let most = 0;
  for (let at = 0; at < places.length; at++) if (places[at] !== 0) most++;
  const coefficients = new Float64Array(FIT * most);
  const walled: WalledPixel[] = [];
  const moments = new Float64Array(MOMENTS);
  const normal = new Float64Array(36);
  const work = new Float64Array(36);
  const inverse = new Float64Array(36);
  let n = 0;
  for (let at = 0; at < weight.length; at++) {
    if (wanted === undefined ? weight[at] === 0 : wanted[at] === 0) continue;
    if (sees !== null && sees[at] !== 0) {
      const own = found.get(at);
      if (own === undefined) continue;
      walled.push({ index: n, ...own });
      pixels[n++] = at;
      continue;
    }
    discMoments(disc, map, placeIn(map, at, width, disc.reach), moments);
    const [s00, s20, s02, s10, s01, s11] = [
      moments[0]!,
      moments[1]!,
      moments[2]!,
      moments[3]!,
      moments[4]!,
      moments[5]!,
    ];
    const effective = s00 > 0 ? (s00 * s00) / moments[15]! : 0;
    if (effective < ENOUGH_FOR_PLANE) continue;
    normal[0] = s00;
    normal[6] = s10;
    normal[7] = s20;
    normal[12] = s01;
    normal[13] = s11;
    normal[14] = s02;
    normal[18] = s20;
    normal[19] = moments[9]!;
    normal[20] = moments[12]!;
    normal[21] = moments[6]!;
    normal[24] = s11;
    normal[25] = moments[12]!;
    normal[26] = moments[10]!;
    normal[27] = moments[13]!;
    normal[28] = moments[7]!;
    normal[30] = s02;
    normal[31] = moments[10]!;
    normal[32] = moments[11]!;
    normal[33] = moments[7]!;
    normal[34] = moments[14]!;
    normal[35] = moments[8]!;
    const terms = solvedTerms(normal, effective < ENOUGH_FOR_CURVE ? 3 : 6, 3, work, inverse);
    if (terms === 0) continue;
    for (let row = 0, into = FIT * n; row < 3; row++, into += 6) {
      const scale = row === 0 ? 1 : 1 / radius_px;
      for (let term = 0; term < terms; term++) coefficients[into + term] = scale * inverse[row * terms + term]!;
    }
    pixels[n++] = at;
  }
  return {
    pixels: pixels.slice(0, n),
    width,
    height,
    disc,
    weight,
    coefficients: coefficients.subarray(0, FIT * n),
    walled,
  };
}

function coefficientsOf(
  { n, near: neighbours, rows, kernel, inverse, terms }: Neighbourhood,
  radius_px: number,
): Omit<WalledPixel, "index"> {
  const sums = [new Float64Array(n), new Float64Array(n), new Float64Array(n)] as const;
  for (const [row, into] of sums.entries()) {
    const scale = row === 0 ? 1 : 1 / radius_px;
    for (let k = 0; k < n; k++) {
      let sum = 0;
      for (let term = 0; term < terms; term++) sum += inverse[row * terms + term]! * rows[k * 6 + term]!;
      into[k] = scale * kernel[k]! * sum;
    }
  }
  return { neighbour: neighbours.slice(0, n), c0: sums[0], cx: sums[1], cy: sums[2] };
}

/** 1 where a pixel of a mask lies within `reach` px along both axes. */
function near(mask: Uint8Array, width: number, height: number, reach: number): Uint8Array {
  const found = new Uint8Array(mask.length);
  for (let at = 0; at < mask.length; at++) {
    if (mask[at] === 0) continue;
    const x = at % width;
    const y = (at - x) / width;
    const left = Math.max(0, x - reach);
    const right = Math.min(width - 1, x + reach);
    for (let row = Math.max(0, y - reach); row <= Math.min(height - 1, y + reach); row++) {
      found.fill(1, row * width + left, row * width + right + 1);
    }
  }
  return found;
}

/** Value and slope of a map by the operator, one entry a pixel of it. */
export function applySlopes(operator: Slopes, values: ArrayLike<number>): DiscFits {
  const { width, height, disc, weight, pixels, walled } = operator;
  const map = padded(weight, values, width, height, disc.reach);
  const places = new Int32Array(pixels.length);
  for (let i = 0; i < places.length; i++) places[i] = placeIn(map, pixels[i]!, width, disc.reach);
  const found = discFits(disc, map, places, operator.coefficients);
  for (const { index, neighbour, c0, cx, cy } of walled) {
    let a = 0;
    let b = 0;
    let c = 0;
    for (let k = 0; k < neighbour.length; k++) {
      const v = values[neighbour[k]!]!;
      a += c0[k]! * v;
      b += cx[k]! * v;
      c += cy[k]! * v;
    }
    found.value[index] = a;
    found.x[index] = b;
    found.y[index] = c;
  }
  return found;
}

/** Weights, times values where there are some, with zeros `reach` px around them. */
function padded(
  weight: Float64Array,
  values: ArrayLike<number> | null,
  width: number,
  height: number,
  reach: number,
): Padded {
  const stride = width + 2 * reach;
  // A pair of places is read at once, so beyond the last there is one more.
  const into = new Float64Array(stride * (height + 2 * reach) + 1);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0, to = (y + reach) * stride + reach; x < width; x++, at++, to++) {
      const own = weight[at]!;
      if (own !== 0) into[to] = values === null ? own : own * values[at]!;
    }
  }
  return { values: into, stride };
}

function placeIn({ stride }: Padded, at: number, width: number, reach: number): number {
  const x = at % width;
  return ((at - x) / width + reach) * stride + x + reach;
}

/** The neighbours of one pixel and the inverse of their normal matrix. */
interface Neighbourhood {
  readonly n: number;
  readonly near: Int32Array;
  /** Six columns a neighbour: 1, u, v, u^2, u v, v^2 with u, v in radii. */
  readonly rows: Float64Array;
  readonly kernel: Float64Array;
  readonly inverse: Float64Array;
  /** 6 for a quadratic, 3 for a plane. */
  readonly terms: number;
}

function neighbourhoods(options: NeighbourOptions, take: (at: number, hood: Neighbourhood) => void): void {
  const { width, height, weight, wanted, radius_px, shiftX_px, shiftY_px, wall, flat = false } = options;
  const farthest = (shift: ArrayLike<number> | undefined): number => {
    let most = 0;
    for (let at = 0; at < (shift?.length ?? 0); at++) most = Math.max(most, Math.abs(shift![at]!) || 0);
    return most;
  };
  const reach = Math.ceil(radius_px + Math.max(farthest(shiftX_px), farthest(shiftY_px)));
  const near = new Int32Array((2 * reach + 1) ** 2);
  const rows = new Float64Array(near.length * 6);
  const kernel = new Float64Array(near.length);
  const normal = new Float64Array(36);
  const work = new Float64Array(36);
  const inverse = new Float64Array(36);
  for (let at = 0; at < width * height; at++) {
    if (wanted === undefined ? !(weight[at]! > 0) : wanted[at] === 0) continue;
    const x0 = at % width;
    const y0 = Math.floor(at / width);
    let n = 0;
    let sum2 = 0;
    let [m00, m10, m01, m20, m11, m02, m30, m21, m12, m03] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let [m40, m31, m22, m13, m04] = [0, 0, 0, 0, 0];
    for (let y = Math.max(0, y0 - reach); y <= Math.min(height - 1, y0 + reach); y++) {
      for (let x = Math.max(0, x0 - reach); x <= Math.min(width - 1, x0 + reach); x++) {
        const other = y * width + x;
        const own = weight[other]!;
        if (!(own > 0)) continue;
        const u = (x - x0 + (shiftX_px?.[other] ?? 0)) / radius_px;
        const v = (y - y0 + (shiftY_px?.[other] ?? 0)) / radius_px;
        const far = u * u + v * v;
        if (far >= 1) continue;
        if (wall !== undefined && isBehind(wall, width, x0, y0, x, y)) continue;
        const k = own * (1 - far) * (1 - far);
        near[n] = other;
        kernel[n] = k;
        const row = n * 6;
        const uu = u * u;
        const uv = u * v;
        const vv = v * v;
        rows[row] = 1;
        rows[row + 1] = u;
        rows[row + 2] = v;
        rows[row + 3] = uu;
        rows[row + 4] = uv;
        rows[row + 5] = vv;
        n++;
        sum2 += k * k;
        m00 += k;
        m10 += k * u;
        m01 += k * v;
        const kuu = k * uu;
        const kuv = k * uv;
        const kvv = k * vv;
        m20 += kuu;
        m11 += kuv;
        m02 += kvv;
        m30 += kuu * u;
        m21 += kuu * v;
        m12 += kvv * u;
        m03 += kvv * v;
        m40 += kuu * uu;
        m31 += kuu * uv;
        m22 += kuu * vv;
        m13 += kuv * vv;
        m04 += kvv * vv;
      }
    }
    const effective = sum2 > 0 ? (m00 * m00) / sum2 : 0;
    if (effective < ENOUGH_FOR_PLANE) continue;
    // Lower triangle of the normal matrix of 1, u, v, u^2, u v, v^2.
    normal.set([m00, 0, 0, 0, 0, 0]);
    normal.set([m10, m20, 0, 0, 0, 0], 6);
    normal.set([m01, m11, m02, 0, 0, 0], 12);
    normal.set([m20, m30, m21, m40, 0, 0], 18);
    normal.set([m11, m21, m12, m31, m22, 0], 24);
    normal.set([m02, m12, m03, m22, m13, m04], 30);
    const terms = solvedTerms(normal, flat || effective < ENOUGH_FOR_CURVE ? 3 : 6, 6, work, inverse);
    if (terms > 0) take(at, { n, near, rows, kernel, inverse, terms });
  }
}

/** Whether a wall stands on the straight way between two pixels, its ends not counted. */
function isBehind(wall: Uint8Array, width: number, x0: number, y0: number, x1: number, y1: number): boolean {
  const steps = Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0));
  for (let k = 1; k < steps; k++) {
    const x = Math.round(x0 + ((x1 - x0) * k) / steps);
    const y = Math.round(y0 + ((y1 - y0) * k) / steps);
    if (wall[y * width + x] !== 0) return true;
  }
  return false;
}

/**
 * The first `columns` columns of the inverse of a normal matrix of so many terms, of 3 where 6 are singular; gives the terms
 * that were solved for, 0 for none.
 */
function solvedTerms(
  normal: Float64Array,
  wanted: number,
  columns: number,
  work: Float64Array,
  inverse: Float64Array,
): number {
  if (invert(normal, wanted, columns, work, inverse)) return wanted;
  return wanted === 6 && invert(normal, 3, columns, work, inverse) ? 3 : 0;
}

/**
 * The inverse of the first `terms` rows and columns of a symmetric 6 x 6 matrix given by its lower triangle, by Cholesky,
 * its first columns alone, written without gaps; false where it is singular.
 */
function invert(
  normal: Float64Array,
  terms: number,
  columns: number,
  work: Float64Array,
  inverse: Float64Array,
): boolean {
  for (let i = 0; i < terms; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = normal[6 * i + j]!;
      for (let k = 0; k < j; k++) sum -= work[6 * i + k]! * work[6 * j + k]!;
      if (i !== j) work[6 * i + j] = sum / work[6 * j + j]!;
      else if (sum > 1e-6 * normal[0]!) work[7 * i] = Math.sqrt(sum);
      else return false;
    }
  }
  for (let c = 0; c < Math.min(columns, terms); c++) {
    const column = c * terms;
    for (let i = 0; i < terms; i++) {
      let sum = i === c ? 1 : 0;
      for (let k = c; k < i; k++) sum -= work[6 * i + k]! * inverse[column + k]!;
      inverse[column + i] = i < c ? 0 : sum / work[7 * i]!;
    }
    for (let i = terms - 1; i >= 0; i--) {
      let sum = inverse[column + i]!;
      for (let k = i + 1; k < terms; k++) sum -= work[6 * k + i]! * inverse[column + k]!;
      inverse[column + i] = sum / work[7 * i]!;
    }
  }
  return true;
}
