/** A wall's line: a ridge of Gaussian profile fitted along a polynomial with no more bends than it shows. */
import { invertSymmetric, timesVector } from "../kernels/normal-equations.js";

/** What walls are fitted in. */
export interface Scene {
  /** Walls bright; NaN where no line is told. */
  readonly image: Float32Array;
  readonly width: number;
  readonly height: number;
  readonly pixelSize_um: number;
  readonly psf_px: number;
  readonly scale_px: number;
}

/** x, y in px. */
export type Place = readonly [number, number];

/** A wall's line in its own frame: u along `axis_rad` from `origin`, v across, a polynomial in t = (u - middle) / half. */
export interface LineFit {
  readonly origin: Place;
  readonly axis_rad: number;
  readonly middle_px: number;
  readonly half_px: number;
  /** Where the wall itself ends, u. */
  readonly begin_px: number;
  readonly end_px: number;
  /** Coefficients of t^0, t^1, ... and their covariance. */
  readonly bends: Float64Array;
  readonly covariance: Float64Array;
  readonly crest: number;
  readonly crestSd: number;
  readonly width_px: number;
  /** Independent values in the fit. */
  readonly n: number;
}

/** Beside a wall, in widths of the filter. */
const BESIDE = 4;
/** A bend more is fitted for each such length of a wall, as long as the last one is told from none by so many errors. */
const BEND_UM = 0.7;
const MOST_BENDS = 4;
const BEND_SD = 2.5;
/** Shorter ones, in widths, have no direction. */
const LEAST_SPAN = 2;
/** Where a wall longer than LONG_UM nears the rim it turns towards it and takes no part. */
const RIM_UM = 0.25;
const LONG_UM = 1.2;
/** Walls bend a little where it cannot be told: standard deviation of a wall's turn along its way. */
const TURN_DEG_UM = 1.2;
/** Stretches of a wall, in its widths, whose deviations are taken as independent; and how many of them tell an error. */
const STRETCH = 3;
const LEAST_STRETCHES = 5;
/** Steps of a fit. */
const STEPS = 12;

/**
 * The line of a wall: a polynomial of as few bends as it shows, its last one drawn towards none as far as it is not told from
 * that. Null where the wall is too short.
 */
export function fitLine(
  scene: Scene,
  places: readonly Place[],
  own: Place | null,
  others: readonly Place[],
  clear_px: number,
): LineFit | null {
  const { pixelSize_um } = scene;
  if (places.length < 3) return null;
  const { origin, axis_rad } = principal(places, own);
  const [cos, sin] = [Math.cos(axis_rad), Math.sin(axis_rad)];
  const local = ([x, y]: Place): Place => [
    cos * (x - origin[0]) + sin * (y - origin[1]),
    -sin * (x - origin[0]) + cos * (y - origin[1]),
  ];
  const ownPlaces = places.map(local);
  const end_px = Math.max(...ownPlaces.map(([u]) => u));
  const begin_px = own === null ? Math.min(...ownPlaces.map(([u]) => u)) : 0;
  const rim_px = end_px - begin_px > LONG_UM / pixelSize_um ? RIM_UM / pixelSize_um : 0;
  const to_px = end_px - rim_px;
  const from_px = own === null ? begin_px + rim_px : Math.min(clear_px, 0.5 * to_px);
  const half_px = 0.5 * (to_px - from_px);
  if (!(2 * half_px >= LEAST_SPAN * scene.scale_px)) return null;
  const middle_px = 0.5 * (from_px + to_px);
  const most = Math.max(1, Math.min(MOST_BENDS, Math.floor((2 * half_px * pixelSize_um) / BEND_UM)));
  const near = besideLine(scene, ownPlaces, local, others, { from_px, to_px, middle_px, half_px, clear_px });
  if (near === null) return null;
  const lowest = Math.min(2, most);
  const fits: Exclude<ReturnType<typeof fitRidge>, null>[] = [];
  let last = 0;
  for (let order = lowest; order <= most; order++) {
    const fit = fitRidge(scene, near.pixels, near.start, order, half_px);
    if (fit === null) break;
    fits.push(fit);
    const error2 = fit.covariance[order * (order + 1) + order]!;
    // One bend more than the last that is told from none.
    if (fit.bends[order]! ** 2 > BEND_SD ** 2 * error2) last = fits.length;
  }
  const fit = fits[Math.min(last, fits.length - 1)];
  if (fit === undefined) return null;
  const order = fit.bends.length - 1;
  // Of a straight wall's slight bend: t^2 is u^2 / half^2.
  const least = order === 2 ? 0.5 * TURN_DEG_UM * (Math.PI / 180) * pixelSize_um * half_px ** 2 : 0;
  const drawn = order < 2 ? fit : { ...fit, ...straightened(fit.bends, fit.covariance, least) };
  return { origin, axis_rad, middle_px, half_px, begin_px, end_px, ...drawn };
}

/** A pixel beside a wall: t along it, v across, px. */
interface Beside {
  readonly t: number;
  readonly v: number;
  readonly value: number;
  readonly x: number;
  readonly y: number;
}

/** Pixels beside a border, and the parabola through its places; null where they are too few. */
function besideLine(
  scene: Scene,
  places: readonly Place[],
  local: (place: Place) => Place,
  others: readonly Place[],
  along: {
    readonly from_px: number;
    readonly to_px: number;
    readonly middle_px: number;
    readonly half_px: number;
    readonly clear_px: number;
  },
): { readonly pixels: Beside[]; readonly start: Float64Array } | null {
  const { image, width, height, scale_px } = scene;
  const { from_px, to_px, middle_px, half_px, clear_px } = along;
  const start = throughPlaces(
    places.filter(([u]) => u >= from_px && u <= to_px).map(([u, v]): Place => [(u - middle_px) / half_px, v]),
  );
  if (start === null) return null;
  const reach = BESIDE * scale_px;
  const pixels: Beside[] = [];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const value = image[y * width + x]!;
      if (!Number.isFinite(value)) continue;
      const [u, v] = local([x, y]);
      const t = (u - middle_px) / half_px;
      if (u < from_px || u > to_px || Math.abs(v - polynomial(start, t)) > reach) continue;
      if (others.some((other) => Math.hypot(other[0] - x, other[1] - y) < clear_px)) continue;
      pixels.push({ t, v, value, x, y });
    }
  }
  return pixels.length < 15 ? null : { pixels, start };
}

/**
 * A ridge of Gaussian profile along a polynomial, on ground that is plane near it, by least squares (Levenberg and Marquardt).
 * Errors from what is left, whose neighbouring pixels share their deviations, or from what stretches of the wall say, if
 * that is more.
 */
function fitRidge(
  { width, psf_px, scale_px }: Scene,
  near: readonly Beside[],
  start: Float64Array,
  order: number,
  half_px: number,
): Pick<LineFit, "bends" | "covariance" | "crest" | "crestSd" | "width_px" | "n"> | null {
  const terms = order + 1;
  const size = terms + 5;
  const [CREST, WIDTH, GROUND, ACROSS, ALONG] = [terms, terms + 1, terms + 2, terms + 3, terms + 4];
  let at: Float64Array = new Float64Array(size);
  for (let k = 0; k < Math.min(terms, start.length); k++) at[k] = start[k]!;
  const levels = near.map(({ value }) => value);
  at[CREST] = Math.max(...levels) - levels.reduce((sum, value) => sum + value, 0) / levels.length;
  at[WIDTH] = scale_px;
  const row = new Float64Array(size);
  const evaluate = (parameters: Float64Array, { t, v }: Beside): number => {
    let power = 1;
    let d = v;
    for (let k = 0; k < terms; k++, power *= t) d -= parameters[k]! * power;
    const s = parameters[WIDTH]!;
    const crest = parameters[CREST]!;
    const bell = Math.exp((-0.5 * d * d) / (s * s));
    power = (crest * bell * d) / (s * s);
    for (let k = 0; k < terms; k++, power *= t) row[k] = power;
    row[CREST] = bell;
    row[WIDTH] = (crest * bell * d * d) / s ** 3;
    row[GROUND] = 1;
    row[ACROSS] = v;
    row[ALONG] = t;
    return crest * bell + parameters[GROUND]! + parameters[ACROSS]! * v + parameters[ALONG]! * t;
  };
  const misfit = (parameters: Float64Array): number =>
    near.reduce((sum, one) => sum + (one.value - evaluate(parameters, one)) ** 2, 0);
  const system = (damping: number): { inverse: Float64Array | null; right: Float64Array } => {
    const normal = new Float64Array(size * size);
    const right = new Float64Array(size);
    for (const one of near) {
      const rest = one.value - evaluate(at, one);
      for (let i = 0; i < size; i++) {
        right[i] = right[i]! + row[i]! * rest;
        for (let j = 0; j < size; j++) normal[i * size + j] = normal[i * size + j]! + row[i]! * row[j]!;
      }
    }
    for (let i = 0; i < size; i++) normal[i * size + i] = normal[i * size + i]! * (1 + damping);
    return { inverse: invertSymmetric(normal, size), right };
  };
  let damping = 1e-2;
  let best = misfit(at);
  for (let step = 0; step < STEPS; step++) {
    const { inverse, right } = system(damping);
    if (inverse === null) return null;
    const move = timesVector(inverse, right, size);
    const next = at.map((value, i) => value + move[i]!);
    next[WIDTH] = Math.min(3 * scale_px, Math.max(0.4 * psf_px, next[WIDTH]!));
    const found = misfit(next);
    if (found < best) {
      at = next;
      best = found;
      damping /= 5;
    } else damping *= 10;
  }
  const { inverse } = system(0);
  if (inverse === null) return null;
  const rests = near.map((one) => one.value - evaluate(at, one));
  const shared = sharedArea(near, rests, width, Math.ceil(2 * scale_px));
  const variance = (best / Math.max(1, near.length - size)) * shared;
  // What pixels say of the slope's error, and what stretches of the wall say: the greater counts.
  const count = Math.floor((2 * half_px) / (STRETCH * scale_px));
  const influence = new Float64Array(Math.max(1, count));
  for (const one of near) {
    const rest = one.value - evaluate(at, one);
    const stretch = Math.min(count - 1, Math.floor(0.5 * (one.t + 1) * count));
    if (stretch < 0) continue;
    for (let j = 0; j < size; j++) influence[stretch] = influence[stretch]! + inverse[size + j]! * row[j]! * rest;
  }
  // As many values of the line as it has terms are taken from these stretches themselves.
  const said = influence.reduce((sum, value) => sum + value * value, 0) * (count / (count - terms));
  const factor = count - terms >= LEAST_STRETCHES ? Math.max(1, said / (inverse[size + 1]! * variance)) : 1;
  return {
    bends: at.slice(0, terms),
    covariance: Float64Array.from(
      { length: terms * terms },
      (_, k) => inverse[Math.floor(k / terms) * size + (k % terms)]! * variance * factor,
    ),
    crest: at[CREST]!,
    crestSd: Math.sqrt(inverse[CREST * size + CREST]! * variance),
    width_px: at[WIDTH]!,
    n: near.length / shared,
  };
}

/**
 * A line's last bend drawn towards none as far as it is not told from that: its own variance is taken as what its square
 * exceeds its error by, and as `least` squared at the least; the other values follow by their covariance with it.
 */
function straightened(
  bends: Float64Array,
  covariance: Float64Array,
  least: number,
): Pick<LineFit, "bends" | "covariance"> {
  const terms = bends.length;
  const last = terms - 1;
  const error2 = covariance[last * terms + last]!;
  if (!(error2 > 0)) return { bends, covariance };
  const bend = bends[last]!;
  const own2 = Math.max(least * least, bend * bend - error2);
  const gone = error2 / (own2 + error2);
  const along = Float64Array.from(bends, (_, i) => covariance[i * terms + last]! / error2);
  return {
    bends: bends.map((value, i) => value - along[i]! * gone * bend),
    covariance: covariance.map((value, k) => value - along[Math.floor(k / terms)]! * along[k % terms]! * gone * error2),
  };
}

function polynomial(bends: Float64Array, t: number): number {
  let sum = 0;
  for (let k = bends.length - 1; k >= 0; k--) sum = sum * t + bends[k]!;
  return sum;
}

/** A linear form of a line's coefficients, such as its place or slope somewhere, and its variance. */
export function formOf({ bends, covariance }: LineFit, form: ArrayLike<number>): { value: number; variance: number } {
  const terms = bends.length;
  let [value, variance] = [0, 0];
  for (let i = 0; i < terms; i++) {
    value += form[i]! * bends[i]!;
    for (let j = 0; j < terms; j++) variance += form[i]! * form[j]! * covariance[i * terms + j]!;
  }
  return { value, variance: Math.max(0, variance) };
}

/** v of a line at a place along it. */
export function placeAt(fit: LineFit, u_px: number): { value: number; variance: number } {
  const t = (u_px - fit.middle_px) / fit.half_px;
  return formOf(
    fit,
    Array.from(fit.bends, (_, k) => t ** k),
  );
}

/** dv/du of a line at a place along it. */
export function slopeAt(fit: LineFit, u_px: number): { value: number; variance: number } {
  const t = (u_px - fit.middle_px) / fit.half_px;
  return formOf(
    fit,
    Array.from(fit.bends, (_, k) => (k === 0 ? 0 : (k * t ** (k - 1)) / fit.half_px)),
  );
}

/** The parabola, or line, of least squares through a border's places. */
function throughPlaces(places: readonly Place[]): Float64Array | null {
  const n = places.length > 8 ? 3 : 2;
  if (places.length < n) return null;
  const normal = new Float64Array(n * n);
  const right = new Float64Array(n);
  for (const [t, v] of places) {
    for (let i = 0; i < n; i++) {
      right[i] = right[i]! + t ** i * v;
      for (let j = 0; j < n; j++) normal[i * n + j] = normal[i * n + j]! + t ** (i + j);
    }
  }
  const inverse = invertSymmetric(normal, n);
  return inverse === null ? null : timesVector(inverse, right, n);
}

/** Pixels that share one deviation: the sum of the correlations of what is left with its neighbours, at least 1. */
function sharedArea(near: readonly Beside[], rests: readonly number[], width: number, reach: number): number {
  const at = new Map(near.map(({ x, y }, k) => [y * width + x, rests[k]!]));
  const power = rests.reduce((sum, rest) => sum + rest * rest, 0) / rests.length;
  let sum = 1;
  for (let dy = -reach; dy <= reach; dy++) {
    for (let dx = -reach; dx <= reach; dx++) {
      if ((dx === 0 && dy === 0) || dx * dx + dy * dy > reach * reach) continue;
      let [product, n] = [0, 0];
      for (const [k, { x, y }] of near.entries()) {
        const other = at.get((y + dy) * width + x + dx);
        if (other === undefined) continue;
        product += rests[k]! * other;
        n++;
      }
      if (n > 0.3 * near.length) sum += product / n / power;
    }
  }
  return Math.max(1, sum);
}

/** Principal direction of places, away from the meeting point where there is one. */
export function principal(
  places: readonly Place[],
  from: Place | null,
): { readonly origin: Place; readonly axis_rad: number } {
  const mx = places.reduce((sum, [x]) => sum + x, 0) / places.length;
  const my = places.reduce((sum, [, y]) => sum + y, 0) / places.length;
  let [xx, xy, yy] = [0, 0, 0];
  for (const [x, y] of places) {
    xx += (x - mx) ** 2;
    xy += (x - mx) * (y - my);
    yy += (y - my) ** 2;
  }
  let axis_rad = 0.5 * Math.atan2(2 * xy, xx - yy);
  if (from === null) return { origin: [mx, my], axis_rad };
  const [dx, dy] = [mx - from[0], my - from[1]];
  if (Math.cos(axis_rad) * dx + Math.sin(axis_rad) * dy < 0) axis_rad += Math.PI;
  return { origin: from, axis_rad };
}
