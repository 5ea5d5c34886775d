/** Walls as lines: each fitted along its crest, with its direction where it leaves the meeting point. */
import { invertSymmetric, timesVector } from "../kernels/normal-equations.js";
import type { DomainWall, WallMeeting } from "../model/domains.js";
import type { Estimate } from "../model/experiment.js";
import { borderPlaces } from "./domains-walls.js";

/** What walls are fitted in. */
interface Scene {
  /** Walls bright; NaN where no line is told. */
  readonly image: Float32Array;
  readonly width: number;
  readonly height: number;
  readonly pixelSize_um: number;
  readonly psf_px: number;
  readonly scale_px: number;
}

type Place = readonly [number, number];

/** A wall's line in its own frame: u along `axis_rad` from `origin`, v across; v = a + b u + c u^2. */
interface LineFit {
  readonly origin: Place;
  readonly axis_rad: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly crest: number;
  readonly width_px: number;
  /** Of a, b, c, crest. */
  readonly covariance: Float64Array;
  readonly from_px: number;
  readonly to_px: number;
  /** Independent values in the fit. */
  readonly n: number;
}

/** Direction is taken this far from the meeting point, where its bend is past: a few half widths of a wall as it is seen. */
const DIRECTION_AT_UM = 0.8;
/** Around a meeting point and beside a wall, in widths of the wall as it is seen. */
const CLEAR = 2.5;
const BESIDE = 4;
/** A wall bends only where it is longer than this. */
const BENDS_FROM_UM = 1.5;
/** Shorter ones, in widths, have no direction. */
const LEAST_SPAN = 2;
/** A line wider than this is no wall but a shade. */
export const SHARP_UM = 0.45;
const STEPS = 12;
/** Walls bend a little where it cannot be told: standard deviation of a wall's turn along its way. */
const TURN_DEG_UM = 0.6;
/** Stretches of a wall, in its widths, whose deviations are taken as independent; and how many of them tell an error. */
const STRETCH = 3;
const LEAST_STRETCHES = 5;

/** Walls and meeting points of a parted particle, places in px of the image. */
export function wallLines(
  scene: Scene,
  labels: Int32Array,
): { readonly walls: DomainWall[]; readonly meetings: WallMeeting[] } {
  const { width, height } = scene;
  const borders = new Map<string, Place[]>();
  for (const [x, y, a, b] of borderPlaces(labels, width, height)) {
    const key = `${a},${b}`;
    const places = borders.get(key);
    if (places === undefined) borders.set(key, [[x, y]]);
    else places.push([x, y]);
  }
  const corners = meetingsOf(labels, width, height, CLEAR * scene.scale_px);
  const traced = [...borders].map(([key, places]) => {
    const between = key.split(",").map(Number) as [number, number];
    // Of the meeting points that it runs to, the one it is told from is the first.
    const meeting = corners.findIndex(({ areas }) => between.every((area) => areas.has(area)));
    return { between, places, meeting };
  });
  let middles: Place[] = corners.map(({ x, y }) => [x, y]);
  let fits: (LineFit | null)[] = [];
  let meetings: WallMeeting[] = [];
  for (let turn = 0; turn < 3; turn++) {
    fits = traced.map(({ places, meeting }) => {
      const own = meeting < 0 ? null : middles[meeting]!;
      const others = middles.filter((_, at) => at !== meeting);
      return fitLine(scene, places, own, others);
    });
    meetings = middles.map((middle, at) => {
      const rays = fits.filter((fit, wall): fit is LineFit => fit !== null && traced[wall]!.meeting === at);
      return crossing(rays, middle, scene.scale_px);
    });
    middles = meetings.map(({ x_px, y_px }) => [x_px.value, y_px.value]);
  }
  const walls = traced.map(({ between, places, meeting }, at) => {
    const fit = fits[at]!;
    const own = meeting < 0 ? null : middles[meeting]!;
    return wallOf(scene, fit, between, places, meeting, own);
  });
  return { walls, meetings };
}

/** Places around which three areas or more lie; those nearer to each other than `near_px` are one. */
function meetingsOf(
  labels: Int32Array,
  width: number,
  height: number,
  near_px: number,
): { x: number; y: number; areas: Set<number> }[] {
  const found: { x: number; y: number; n: number; areas: Set<number> }[] = [];
  for (let y = 0; y + 2 < height; y++) {
    for (let x = 0; x + 2 < width; x++) {
      const areas = new Set<number>();
      for (let at = 0; at < 9; at++) areas.add(labels[(y + Math.floor(at / 3)) * width + x + (at % 3)]!);
      areas.delete(0);
      if (areas.size < 3) continue;
      const one = found.find((other) => Math.hypot(other.x - x - 1, other.y - y - 1) <= near_px);
      if (one === undefined) {
        found.push({ x: x + 1, y: y + 1, n: 1, areas });
        continue;
      }
      one.x = (one.n * one.x + x + 1) / (one.n + 1);
      one.y = (one.n * one.y + y + 1) / (one.n + 1);
      one.n++;
      for (const area of areas) one.areas.add(area);
    }
  }
  return found;
}

/** Principal direction of places, away from the meeting point where there is one. */
function principal(
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

/**
 * A ridge of Gaussian profile along a line, on ground that is plane near it, by least squares; errors from what is left, whose
 * neighbouring pixels share their deviations. Null where the wall is too short.
 */
function fitLine(scene: Scene, places: readonly Place[], own: Place | null, others: readonly Place[]): LineFit | null {
  const { image, width, height, pixelSize_um, psf_px, scale_px } = scene;
  if (places.length < 3) return null;
  const { origin, axis_rad } = principal(places, own);
  const [cos, sin] = [Math.cos(axis_rad), Math.sin(axis_rad)];
  const local = ([x, y]: Place): Place => [
    cos * (x - origin[0]) + sin * (y - origin[1]),
    -sin * (x - origin[0]) + cos * (y - origin[1]),
  ];
  const ownPlaces = places.map(local);
  const last = Math.max(...ownPlaces.map(([u]) => u));
  const first = Math.min(...ownPlaces.map(([u]) => u));
  const clear = CLEAR * Math.max(scale_px, psf_px);
  const from_px = own === null ? first : Math.min(clear, 0.5 * last);
  const to_px = last;
  const span = to_px - from_px;
  if (!(span >= LEAST_SPAN * scale_px)) return null;
  const bends = span * pixelSize_um >= BENDS_FROM_UM;
  const start = startLine(
    ownPlaces.filter(([u]) => u >= from_px),
    bends,
  );
  if (start === null) return null;

  const near: { u: number; v: number; value: number; x: number; y: number }[] = [];
  const reach = BESIDE * scale_px;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const value = image[y * width + x]!;
      if (!Number.isFinite(value)) continue;
      const [u, v] = local([x, y]);
      if (u < from_px || u > to_px || Math.abs(v - line(start, u)) > reach) continue;
      if (others.some((other) => Math.hypot(other[0] - x, other[1] - y) < clear)) continue;
      near.push({ u, v, value, x, y });
    }
  }
  if (near.length < 12) return null;
  // a, b, c, crest, width, ground, its slope across and along.
  const size = 8;
  let at = Float64Array.from([...start, 0, scale_px, 0, 0, 0]);
  const levels = near.map(({ value }) => value);
  at[3] = Math.max(...levels) - levels.reduce((sum, value) => sum + value, 0) / levels.length;
  const fixed = bends ? [] : [2];
  const row = new Float64Array(size);
  const evaluate = (parameters: Float64Array, one: { u: number; v: number }): number => {
    const d = one.v - parameters[0]! - parameters[1]! * one.u - parameters[2]! * one.u * one.u;
    const s = parameters[4]!;
    const bell = Math.exp((-0.5 * d * d) / (s * s));
    const crest = parameters[3]!;
    row[0] = (crest * bell * d) / (s * s);
    row[1] = row[0] * one.u;
    row[2] = row[1] * one.u;
    row[3] = bell;
    row[4] = (crest * bell * d * d) / s ** 3;
    row[5] = 1;
    row[6] = one.v;
    row[7] = one.u - from_px;
    return crest * bell + parameters[5]! + parameters[6]! * one.v + parameters[7]! * row[7];
  };
  const misfit = (parameters: Float64Array): number =>
    near.reduce((sum, one) => sum + (one.value - evaluate(parameters, one)) ** 2, 0);
  const system = (damping: number): { inverse: Float64Array | null; right: Float64Array } => {
    const normal = new Float64Array(size * size);
    const right = new Float64Array(size);
    for (const one of near) {
      const rest = one.value - evaluate(at, one);
      for (const i of fixed) row[i] = 0;
      for (let i = 0; i < size; i++) {
        right[i] = right[i]! + row[i]! * rest;
        for (let j = 0; j < size; j++) normal[i * size + j] = normal[i * size + j]! + row[i]! * row[j]!;
      }
    }
    for (let i = 0; i < size; i++) normal[i * size + i] = normal[i * size + i]! * (1 + damping);
    for (const i of fixed) normal[i * size + i] = 1;
    return { inverse: invertSymmetric(normal, size), right };
  };
  let damping = 1e-2;
  let best = misfit(at);
  for (let step = 0; step < STEPS; step++) {
    const { inverse, right } = system(damping);
    if (inverse === null) return null;
    const move = timesVector(inverse, right, size);
    const next = at.map((value, i) => value + move[i]!);
    next[4] = Math.min(3 * scale_px, Math.max(0.4 * psf_px, next[4]!));
    const found = misfit(next);
    if (found < best) {
      at = next;
      best = found;
      damping /= 5;
    } else damping *= 10;
  }
  const { inverse } = system(0);
  if (inverse === null) return null;
  const byStretches = (): number | null => {
    const count = Math.floor(span / (STRETCH * scale_px));
    if (count < LEAST_STRETCHES) return null;
    const influence = new Float64Array(count);
    for (const one of near) {
      const rest = one.value - evaluate(at, one);
      for (const i of fixed) row[i] = 0;
      const stretch = Math.min(count - 1, Math.floor(((one.u - from_px) / span) * count));
      for (let j = 0; j < size; j++) influence[stretch] = influence[stretch]! + inverse[size + j]! * row[j]! * rest;
    }
    // Two values of each line are taken from these stretches themselves.
    return (influence.reduce((sum, value) => sum + value * value, 0) * count) / (count - 2);
  };
  const rests = near.map((one) => one.value - evaluate(at, one));
  const variance = best / Math.max(1, near.length - size + fixed.length);
  const shared = sharedArea(near, rests, width, Math.ceil(2 * scale_px));
  const order = [0, 1, 2, 3];
  const covariance = Float64Array.from({ length: 16 }, (_, k) => {
    const [i, j] = [order[k >> 2]!, order[k & 3]!];
    return fixed.includes(i) || fixed.includes(j) ? 0 : inverse[i * size + j]! * variance * shared;
  });
  // What pixels say of the error, and what stretches of the wall say: the greater counts.
  const stretches = byStretches();
  const factor = stretches === null ? 1 : Math.max(1, stretches / covariance[5]!);
  for (let k = 0; k < 16; k++) covariance[k] = covariance[k]! * factor;
  const least = 0.5 * TURN_DEG_UM * (Math.PI / 180) * pixelSize_um;
  const straight = straightened([at[0]!, at[1]!, at[2]!, at[3]!], covariance, least);
  const [a, b, c, crest] = straight.values as [number, number, number, number];
  return {
    origin,
    axis_rad,
    a,
    b,
    c,
    crest,
    width_px: at[4]!,
    covariance: straight.covariance,
    from_px,
    to_px,
    n: near.length / shared,
  };
}

/**
 * A line drawn towards the straight one as far as its bend c is not told from none: the bend's own variance is taken as what
 * c^2 exceeds its error by, and as `least` at the least, so that a clear bend stays, and the other values follow by their covariance with it.
 */
function straightened(
  values: readonly number[],
  covariance: Float64Array,
  least: number,
): { readonly values: readonly number[]; readonly covariance: Float64Array } {
  const error2 = covariance[10]!;
  if (!(error2 > 0)) return { values, covariance };
  const bend = values[2]!;
  const own2 = Math.max(least * least, bend * bend - error2);
  const kept = own2 / (own2 + error2);
  const along = [0, 1, 2, 3].map((i) => covariance[4 * i + 2]! / error2);
  return {
    values: values.map((value, i) => value - along[i]! * (1 - kept) * bend),
    covariance: covariance.map((value, k) => value - along[k >> 2]! * along[k & 3]! * (1 - kept) * error2),
  };
}

function line([a, b, c]: readonly number[], u: number): number {
  return a! + b! * u + c! * u * u;
}

/** The line of least squares through a border's places; straight where it is short. */
function startLine(places: readonly Place[], bends: boolean): number[] | null {
  const n = bends && places.length > 6 ? 3 : 2;
  if (places.length < n) return null;
  const normal = new Float64Array(n * n);
  const right = new Float64Array(n);
  for (const [u, v] of places) {
    for (let i = 0; i < n; i++) {
      right[i] = right[i]! + u ** i * v;
      for (let j = 0; j < n; j++) normal[i * n + j] = normal[i * n + j]! + u ** (i + j);
    }
  }
  const inverse = invertSymmetric(normal, n);
  return inverse === null ? null : [...timesVector(inverse, right, n), 0].slice(0, 3);
}

/** Pixels that share one deviation: the sum of the correlations of what is left with its neighbours, at least 1. */
function sharedArea(
  near: readonly { readonly x: number; readonly y: number }[],
  rests: readonly number[],
  width: number,
  reach: number,
): number {
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

/** Where rays cross, by least squares over their lines near the place they start from. */
function crossing(rays: readonly LineFit[], middle: Place, scale_px: number): WallMeeting {
  const known = (value: number, sd: number): Estimate => ({ value, sd, n: rays.length });
  // A place that no ray tells is known as well as a pixel of the ridge map.
  const rough = 1 / (2 * scale_px) ** 2;
  let [xx, xy, yy, rx, ry] = [rough, 0, rough, 0, 0];
  for (const { axis_rad, a, b, covariance } of rays) {
    const [cos, sin] = [Math.cos(axis_rad), Math.sin(axis_rad)];
    // v - b u = a, with u and v of the place from the middle.
    const [nx, ny] = [-sin - b * cos, cos - b * sin];
    const weight = 1 / (covariance[0]! + 1e-4);
    xx += weight * nx * nx;
    xy += weight * nx * ny;
    yy += weight * ny * ny;
    rx += weight * nx * a;
    ry += weight * ny * a;
  }
  const determinant = xx * yy - xy * xy;
  return {
    x_px: known(middle[0] + (yy * rx - xy * ry) / determinant, Math.sqrt(yy / determinant)),
    y_px: known(middle[1] + (xx * ry - xy * rx) / determinant, Math.sqrt(xx / determinant)),
  };
}

function wallOf(
  { pixelSize_um, scale_px }: Scene,
  fit: LineFit | null,
  between: readonly [number, number],
  places: readonly Place[],
  meeting: number,
  own: Place | null,
): DomainWall {
  if (fit === null) {
    const { origin, axis_rad } = principal(places, own);
    const along = places.map(([x, y]) => Math.cos(axis_rad) * (x - origin[0]) + Math.sin(axis_rad) * (y - origin[1]));
    const [from, to] = [own === null ? Math.min(...along) : 0, Math.max(...along)];
    const at = (u: number): Place => [origin[0] + u * Math.cos(axis_rad), origin[1] + u * Math.sin(axis_rad)];
    return {
      between,
      angle_deg: null,
      meeting: meeting < 0 ? null : meeting,
      line_px: [at(from), at(to)],
      length_um: (to - from) * pixelSize_um,
      contrast: { value: NaN, sd: null, n: 0 },
      width_um: scale_px * pixelSize_um,
    };
  }
  const { origin, axis_rad, a, b, c, covariance, from_px, to_px, n } = fit;
  const start = own === null ? from_px : 0;
  const middle = 0.5 * (from_px + to_px);
  const where = own === null ? middle : Math.min(DIRECTION_AT_UM / pixelSize_um, middle);
  const slope = b + 2 * c * where;
  const variance = covariance[5]! + 4 * where * covariance[6]! + 4 * where * where * covariance[10]!;
  const angle = degrees(axis_rad + Math.atan(slope));
  const sd = ((Math.sqrt(variance) / (1 + slope * slope)) * 180) / Math.PI;
  const [cos, sin] = [Math.cos(axis_rad), Math.sin(axis_rad)];
  const points = Array.from({ length: 9 }, (_, k): Place => {
    const u = start + ((to_px - start) * k) / 8;
    const v = line([a, b, c], u);
    return [origin[0] + cos * u - sin * v, origin[1] + sin * u + cos * v];
  });
  let length_px = 0;
  for (let k = 1; k < points.length; k++)
    length_px += Math.hypot(points[k]![0] - points[k - 1]![0], points[k]![1] - points[k - 1]![1]);
  return {
    between,
    angle_deg: { value: own === null ? angle % 180 : angle, sd, n },
    meeting: meeting < 0 ? null : meeting,
    line_px: points,
    length_um: length_px * pixelSize_um,
    contrast: { value: fit.crest, sd: Math.sqrt(covariance[15]!), n },
    width_um: fit.width_px * pixelSize_um,
  };
}

function degrees(angle_rad: number): number {
  const angle = (angle_rad * 180) / Math.PI;
  return ((angle % 360) + 360) % 360;
}
