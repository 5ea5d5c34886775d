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
  const { width, height, weight, wanted, radius_px, shiftX_px, shiftY_px, wall } = options;
  const farthest = (shift: ArrayLike<number> | undefined): number => {
    let most = 0;
    for (let at = 0; at < (shift?.length ?? 0); at++) most = Math.max(most, Math.abs(shift![at]!) || 0);
    return most;
  };
  const reach = Math.ceil(radius_px + Math.max(farthest(shiftX_px), farthest(shiftY_px)));
  const near = new Int32Array((2 * reach + 1) ** 2);
  const rows = new Float64Array(near.length * 6);
  const kernel = new Float64Array(near.length);
  for (let at = 0; at < width * height; at++) {
    if (wanted === undefined ? !(weight[at]! > 0) : wanted[at] === 0) continue;
    const x0 = at % width;
    const y0 = Math.floor(at / width);
    let n = 0;
    let sum = 0;
    let sum2 = 0;
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
        const weighs = own * (1 - far) * (1 - far);
        near[n] = other;
        kernel[n] = weighs;
        const row = n * 6;
        rows[row] = 1;
        rows[row + 1] = u;
        rows[row + 2] = v;
        rows[row + 3] = u * u;
        rows[row + 4] = u * v;
        rows[row + 5] = v * v;
        sum += weighs;
        sum2 += weighs * weighs;
        n++;
      }
    }
    const effective = sum2 > 0 ? (sum * sum) / sum2 : 0;
    if (effective < ENOUGH_FOR_PLANE) continue;
    let terms = effective < ENOUGH_FOR_CURVE ? 3 : 6;
    let inverse = inverseNormal(rows, kernel, n, terms);
    if (inverse === null && terms === 6) {
      terms = 3;
      inverse = inverseNormal(rows, kernel, n, terms);
    }
    if (inverse !== null) take(at, { n, near, rows, kernel, inverse, terms });
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

/** The inverse of the normal matrix, by Cholesky; null where it is singular. */
function inverseNormal(rows: Float64Array, kernel: Float64Array, n: number, terms: number): Float64Array | null {
  const a = new Float64Array(terms * terms);
  for (let k = 0; k < n; k++) {
    for (let i = 0; i < terms; i++) {
      const wi = kernel[k]! * rows[k * 6 + i]!;
      for (let j = 0; j <= i; j++) a[i * terms + j] = a[i * terms + j]! + wi * rows[k * 6 + j]!;
    }
  }
  const total = a[0]!;
  for (let i = 0; i < terms; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * terms + j]!;
      for (let k = 0; k < j; k++) sum -= a[i * terms + k]! * a[j * terms + k]!;
      if (i === j) {
        if (!(sum > 1e-6 * total)) return null;
        a[i * terms + i] = Math.sqrt(sum);
      } else a[i * terms + j] = sum / a[j * terms + j]!;
    }
  }
  const inverse = new Float64Array(terms * terms);
  const column = new Float64Array(terms);
  for (let c = 0; c < terms; c++) {
    column.fill(0);
    column[c] = 1;
    for (let i = c; i < terms; i++) {
      let sum = column[i]!;
      for (let k = c; k < i; k++) sum -= a[i * terms + k]! * column[k]!;
      column[i] = sum / a[i * terms + i]!;
    }
    for (let i = terms - 1; i >= 0; i--) {
      let sum = column[i]!;
      for (let k = i + 1; k < terms; k++) sum -= a[k * terms + i]! * column[k]!;
      column[i] = sum / a[i * terms + i]!;
    }
    inverse.set(column, c * terms);
  }
  return inverse;
}
