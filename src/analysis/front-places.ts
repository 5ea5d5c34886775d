/** Where a front stands on a line in each frame, and how fast it goes along it. */
import { invertSymmetric } from "../kernels/normal-equations.js";
import { madSigma, median, theilSen } from "../kernels/stats.js";
import type { Estimate, RidgePlace } from "../model/experiment.js";
import { normalCdf } from "./passing-shape.js";

/** Places are sought in such parts of a sample. */
const FINE = 0.1;
/** A frame's own level and height may differ from those of before and after by about so much of the step. */
const LOOSE = 0.15;
/** A bright line of the boundary: width in point spreads of the light, and how high it may be, in steps. */
const LINE = { width: 1.2, height: 1, common: 0.01 } as const;
/** A place explains more than none, far beyond the line's ends, by so many variances of the noise. */
const FAR = 6;
const THERE = 25;
/** The front must be so many point spreads from both ends of the line. */
const END = 1.5;
/** What the fit of a place leaves beside noise, in point spreads, found on synthetic movies: all of it, and what changes along the way. */
const PLACE_SD = { all: 0.065, along: 0.05 } as const;
const FEWEST_PLACES = 5;
/** Huber's limit, in standard deviations. */
const HUBER = 1.5;

/** Samples of a line in time. */
export interface Profiles {
  /** Samples on the line. */
  readonly n: number;
  /** Point spread in samples. */
  readonly psf: number;
  readonly time_s: Float64Array;
  readonly distance_um: Float64Array;
}

/**
 * The front's place in each frame: first with a line of its own in every frame, then with the line that is typical of them,
 * which leaves the place less in doubt.
 */
export function ridgeOf(share: Float32Array, profiles: Profiles): RidgePlace[] {
  const { n, psf } = profiles;
  const way = directionOf(share, n, profiles.time_s);
  if (way === 0 || n < 4 * END * psf) return [];
  const looked = { way, psf, noise: noiseOf(share, n, psf) } as const;
  const free = placesOf(share, profiles, { ...looked, line: 0, lineSd: LINE.height });
  if (free.length === 0) return [];
  const found = placesOf(share, profiles, {
    ...looked,
    line: median(free.map(({ line }) => line)),
    lineSd: LINE.common,
  });
  return found.map(({ time_s, distance_um, sd_um }) => ({ time_s, distance_um, sd_um }));
}

/** How a frame is looked at: the line's height, and how far from it the frame's own may be. */
interface Look {
  readonly way: -1 | 1;
  readonly psf: number;
  readonly noise: number;
  readonly line: number;
  readonly lineSd: number;
}

function placesOf(
  share: Float32Array,
  { n, psf, time_s, distance_um }: Profiles,
  look: Look,
): (RidgePlace & { readonly line: number })[] {
  const sample_um = distance_um[1]! - distance_um[0]!;
  const found: (RidgePlace & { readonly line: number })[] = [];
  const step = FINE * psf;
  const whole = Array.from({ length: n }, (_, at) => templateAt(n, at, look));
  const beside = new Map<number, readonly [Template, Template]>();
  const none = [templateAt(n, -FAR * psf, look), templateAt(n, n + FAR * psf, look)] as const;
  for (let k = 0; k < time_s.length; k++) {
    const row = share.subarray(k * n, (k + 1) * n);
    if (!row.every(Number.isFinite)) continue;
    const seen = { row, sum: sumOf(row), squares: dot(row, row) };
    let best = { at: NaN, cost: Infinity };
    for (let at = 0; at <= n - 1; at++) {
      const { cost } = misfit(seen, whole[at]!, look);
      if (cost < best.cost) best = { at, cost };
    }
    if (!(best.at >= END * psf && best.at <= n - 1 - END * psf)) continue;
    // Before the front comes and after it has gone no place is better than none.
    if (best.cost > Math.min(misfit(seen, none[0], look).cost, misfit(seen, none[1], look).cost) - THERE) continue;
    const near = beside.get(best.at) ?? [templateAt(n, best.at - step, look), templateAt(n, best.at + step, look)];
    beside.set(best.at, near);
    const [low, high] = [misfit(seen, near[0], look).cost, misfit(seen, near[1], look).cost];
    const bend = low - 2 * best.cost + high;
    if (!(bend > 0)) continue;
    const moved = (0.5 * step * (low - high)) / bend;
    const at = best.at + Math.max(-1, Math.min(1, moved));
    // Half the second derivative of the misfit in variances of the noise is the inverse of the place's own.
    const sd = (step * Math.SQRT2) / Math.sqrt(bend);
    found.push({
      time_s: time_s[k]!,
      distance_um: at * sample_um,
      sd_um: Math.hypot(sd, PLACE_SD.all * psf) * sample_um,
      line: misfit(seen, templateAt(n, at, look), look).line,
    });
  }
  return found;
}

/** 1 where earlier samples change first, -1 where later ones do; 0 where neither can be told. */
function directionOf(share: Float32Array, n: number, time_s: Float64Array): -1 | 0 | 1 {
  const place: number[] = [];
  const half_s: number[] = [];
  for (let i = 0; i < n; i++) {
    for (let k = 1; k < time_s.length; k++) {
      if (!(share[(k - 1) * n + i]! < 0.5 && share[k * n + i]! >= 0.5)) continue;
      place.push(i);
      half_s.push(time_s[k]!);
      break;
    }
  }
  if (place.length < FEWEST_PLACES) return 0;
  return Math.sign(theilSen(place, half_s).slope) as -1 | 0 | 1;
}

/**
 * Noise of one sample as a share of the step, as if samples were independent: neighbours share pixels, so it is that of
 * means over a point spread, times its root.
 */
function noiseOf(share: Float32Array, n: number, psf: number): number {
  const reach = Math.max(1, Math.round(psf));
  const frames = share.length / n;
  const values: number[] = [];
  for (let k = 1; k < frames - 1; k++) {
    for (let i = reach; i < n - reach; i += 2 * reach + 1) {
      let sum = 0;
      for (let j = i - reach; j <= i + reach; j++) {
        sum += share[k * n + j]! - 0.5 * (share[(k - 1) * n + j]! + share[(k + 1) * n + j]!);
      }
      values.push(sum / (2 * reach + 1));
    }
  }
  return Math.max(1e-6, (madSigma(values) * Math.sqrt(2 * reach + 1)) / Math.sqrt(1.5));
}

/** A row of samples with a front at one place, and what every fit of it takes. */
interface Template {
  /** What lies behind the front, and its glow, a sample each. */
  readonly behind: Float64Array;
  readonly glow: Float64Array;
  /** Sums of 1, behind and glow times what is expected, behind + line glow, and of the latter's square. */
  readonly expected: readonly [number, number, number];
  readonly square: number;
  /** Inverse of the normal matrix of 1, behind and glow; null where it has none. */
  readonly inverse: Float64Array | null;
}

function templateAt(n: number, at: number, { way, psf, noise, line, lineSd }: Look): Template {
  const behind = new Float64Array(n);
  const glow = new Float64Array(n);
  const normal = new Float64Array(9);
  const expected: [number, number, number] = [0, 0, 0];
  let square = 0;
  for (let i = 0; i < n; i++) {
    const u = (i - at) / psf;
    behind[i] = normalCdf(-way * u);
    glow[i] = Math.exp(-0.5 * (u / LINE.width) ** 2);
    const terms = [1, behind[i]!, glow[i]!];
    const light = behind[i]! + line * glow[i]!;
    square += light * light;
    for (let a = 0; a < 3; a++) {
      expected[a] = expected[a]! + terms[a]! * light;
      for (let b = 0; b < 3; b++) normal[3 * a + b] = normal[3 * a + b]! + terms[a]! * terms[b]!;
    }
  }
  for (const [a, sd] of [LOOSE, LOOSE, lineSd].entries()) normal[4 * a] = normal[4 * a]! + (noise / sd) ** 2;
  return { behind, glow, expected, square, inverse: invertSymmetric(normal, 3) };
}

/** A row of samples, their sum and that of their squares. */
interface Seen {
  readonly row: Float32Array;
  readonly sum: number;
  readonly squares: number;
}

/** Least misfit, in variances of the noise, with the front at one place: level, height and line are free about theirs. */
function misfit(
  { row, sum, squares }: Seen,
  { behind, glow, expected, square, inverse }: Template,
  { noise, line }: Look,
): { readonly cost: number; readonly line: number } {
  const alongBehind = dot(row, behind);
  const alongGlow = dot(row, glow);
  const left = squares - 2 * (alongBehind + line * alongGlow) + square;
  if (inverse === null) return { cost: left / (noise * noise), line };
  const [a, b, c] = [sum - expected[0], alongBehind - expected[1], alongGlow - expected[2]];
  const height = inverse[0]! * a + inverse[1]! * b + inverse[2]! * c;
  const step = inverse[3]! * a + inverse[4]! * b + inverse[5]! * c;
  const more = inverse[6]! * a + inverse[7]! * b + inverse[8]! * c;
  return { cost: (left - height * a - step * b - more * c) / (noise * noise), line: line + more };
}

function dot(a: Float32Array, b: Float32Array | Float64Array): number {
  // Four sums at once do not wait for each other.
  let [p, q, r, s] = [0, 0, 0, 0];
  const fours = a.length & ~3;
  for (let i = 0; i < fours; i += 4) {
    p += a[i]! * b[i]!;
    q += a[i + 1]! * b[i + 1]!;
    r += a[i + 2]! * b[i + 2]!;
    s += a[i + 3]! * b[i + 3]!;
  }
  for (let i = fours; i < a.length; i++) p += a[i]! * b[i]!;
  return p + q + (r + s);
}

function sumOf(row: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < row.length; i++) sum += row[i]!;
  return sum;
}

/** Robust slope of place by time: Huber's weights about a line, starting from Theil and Sen's. */
export function velocityOf(ridge: readonly RidgePlace[], psf_um: number): Estimate | null {
  if (ridge.length < FEWEST_PLACES) return null;
  const t = ridge.map(({ time_s }) => time_s);
  const x = ridge.map(({ distance_um }) => distance_um);
  const first = theilSen(t, x);
  let slope = first.slope;
  let intercept = first.intercept;
  let weights = t.map(() => 1);
  for (let round = 0; round < 8; round++) {
    const off = x.map((value, k) => value - intercept - slope * t[k]!);
    const scale = Math.max(madSigma(off), 1e-9);
    weights = off.map((one) => Math.min(1, (HUBER * scale) / Math.abs(one)));
    const sum = weights.reduce((all, w) => all + w, 0);
    const meanT = weights.reduce((all, w, k) => all + w * t[k]!, 0) / sum;
    const meanX = weights.reduce((all, w, k) => all + w * x[k]!, 0) / sum;
    let tt = 0;
    let tx = 0;
    for (let k = 0; k < t.length; k++) {
      tt += weights[k]! * (t[k]! - meanT) ** 2;
      tx += weights[k]! * (t[k]! - meanT) * (x[k]! - meanX);
    }
    slope = tx / tt;
    intercept = meanX - slope * meanT;
  }
  const off = x.map((value, k) => value - intercept - slope * t[k]!);
  const sum = weights.reduce((all, w) => all + w, 0);
  const meanT = weights.reduce((all, w, k) => all + w * t[k]!, 0) / sum;
  const tt = weights.reduce((all, w, k) => all + w * (t[k]! - meanT) ** 2, 0);
  const variance = weights.reduce((all, w, k) => all + w * off[k]! ** 2, 0) / Math.max(1, sum - 2);
  // A front that is not quite even leaves neighbours on one side of the line: so many fewer tell of it.
  let products = 0;
  let squares = 0;
  for (let k = 0; k < off.length; k++) {
    squares += off[k]! ** 2;
    if (k > 0) products += off[k]! * off[k - 1]!;
  }
  const alike = Math.min(0.9, Math.max(0, products / squares));
  const inflated = (1 + alike) / (1 - alike);
  // What is common to near frames may differ from one end of the way to the other.
  const ends = (Math.SQRT2 * PLACE_SD.along * psf_um) / Math.abs(slope * (t[t.length - 1]! - t[0]!));
  return {
    value: slope,
    sd: Math.hypot(Math.sqrt((variance * inflated) / tt), ends * slope),
    n: ridge.length / inflated,
  };
}
