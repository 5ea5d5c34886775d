/** Local least squares on a map: value, slope and curvature at each pixel from its neighbours. */

export interface NeighbourOptions {
  readonly width: number;
  readonly height: number;
  /** Weight of each pixel's value; 0 or NaN leaves it out. */
  readonly weight: ArrayLike<number>;
  /** 1 where the fit is wanted; by default wherever a weight is. */
  readonly wanted?: Uint8Array;
  readonly radius_px: number;
  /** Where the values belong, relative to their pixels. */
  readonly shiftX_px?: ArrayLike<number>;
  readonly shiftY_px?: ArrayLike<number>;
  /** Pixels over which no neighbour is seen. */
  readonly wall?: Uint8Array;
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

/** The same as sums over neighbours, for maps that differ in their values alone. */
export interface Slopes {
  /** Pixels at which the fit stands, and where each one's neighbours begin in the lists below; one entry more. */
  readonly pixels: Int32Array;
  readonly start: Int32Array;
  readonly neighbour: Int32Array;
  /** Coefficients: value = sum(c0 v), d/dx = sum(cx v), d/dy = sum(cy v), per pixel. */
  readonly c0: Float32Array;
  readonly cx: Float32Array;
  readonly cy: Float32Array;
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
export function slopes(options: NeighbourOptions): Slopes {
  const pixels: number[] = [];
  const start: number[] = [0];
  let capacity = 1 << 16;
  let neighbour = new Int32Array(capacity);
  let c0 = new Float32Array(capacity);
  let cx = new Float32Array(capacity);
  let cy = new Float32Array(capacity);
  let filled = 0;
  neighbourhoods(options, (at, { n, near, rows, kernel, inverse, terms }) => {
    if (filled + n > capacity) {
      capacity *= 2;
      const grown = <T extends Int32Array | Float32Array>(bigger: T, old: T): T => (bigger.set(old), bigger);
      neighbour = grown(new Int32Array(capacity), neighbour);
      c0 = grown(new Float32Array(capacity), c0);
      cx = grown(new Float32Array(capacity), cx);
      cy = grown(new Float32Array(capacity), cy);
    }
    for (let k = 0; k < n; k++) {
      let a = 0;
      let b = 0;
      let c = 0;
      for (let term = 0; term < terms; term++) {
        const row = rows[k * 6 + term]! * kernel[k]!;
        a += inverse[term]! * row;
        b += inverse[terms + term]! * row;
        c += inverse[2 * terms + term]! * row;
      }
      neighbour[filled] = near[k]!;
      c0[filled] = a;
      cx[filled] = b / options.radius_px;
      cy[filled] = c / options.radius_px;
      filled++;
    }
    pixels.push(at);
    start.push(filled);
  });
  return {
    pixels: Int32Array.from(pixels),
    start: Int32Array.from(start),
    neighbour: neighbour.subarray(0, filled),
    c0: c0.subarray(0, filled),
    cx: cx.subarray(0, filled),
    cy: cy.subarray(0, filled),
  };
}

/** Value and slope of a map by the operator, one entry a pixel of it. */
export function applySlopes(
  operator: Slopes,
  values: ArrayLike<number>,
): { readonly value: Float64Array; readonly x: Float64Array; readonly y: Float64Array } {
  const n = operator.pixels.length;
  const value = new Float64Array(n);
  const x = new Float64Array(n);
  const y = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    let a = 0;
    let b = 0;
    let c = 0;
    for (let k = operator.start[i]!; k < operator.start[i + 1]!; k++) {
      const v = values[operator.neighbour[k]!]!;
      a += operator.c0[k]! * v;
      b += operator.cx[k]! * v;
      c += operator.cy[k]! * v;
    }
    value[i] = a;
    x[i] = b;
    y[i] = c;
  }
  return { value, x, y };
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
    let terms = flat || effective < ENOUGH_FOR_CURVE ? 3 : 6;
    let solved = invert(normal, terms, work, inverse);
    if (!solved && terms === 6) {
      terms = 3;
      solved = invert(normal, terms, work, inverse);
    }
    if (solved) take(at, { n, near, rows, kernel, inverse, terms });
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
 * The inverse of the first `terms` rows and columns of a symmetric 6 x 6 matrix given by its lower triangle, by Cholesky,
 * written without gaps; false where it is singular.
 */
function invert(normal: Float64Array, terms: number, work: Float64Array, inverse: Float64Array): boolean {
  for (let i = 0; i < terms; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = normal[6 * i + j]!;
      for (let k = 0; k < j; k++) sum -= work[6 * i + k]! * work[6 * j + k]!;
      if (i !== j) work[6 * i + j] = sum / work[6 * j + j]!;
      else if (sum > 1e-6 * normal[0]!) work[7 * i] = Math.sqrt(sum);
      else return false;
    }
  }
  for (let c = 0; c < terms; c++) {
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
