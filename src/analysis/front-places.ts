/** Where a front stands on a line in each frame, and how fast it goes along it. */
import { invertSymmetric, timesVector } from "../kernels/normal-equations.js";
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
  for (let k = 0; k < time_s.length; k++) {
    const row = share.subarray(k * n, (k + 1) * n);
    if (!row.every(Number.isFinite)) continue;
    const cost = (at: number): number => misfit(row, at, look).cost;
    let best = { at: NaN, cost: Infinity };
    for (let at = 0; at <= n - 1; at++) {
      const one = cost(at);
      if (one < best.cost) best = { at, cost: one };
    }
    if (!(best.at >= END * psf && best.at <= n - 1 - END * psf)) continue;
    // Before the front comes and after it has gone no place is better than none.
    if (best.cost > Math.min(cost(-FAR * psf), cost(n + FAR * psf)) - THERE) continue;
    const [low, high] = [cost(best.at - FINE * psf), cost(best.at + FINE * psf)];
    const bend = low - 2 * best.cost + high;
    if (!(bend > 0)) continue;
    const moved = (0.5 * FINE * psf * (low - high)) / bend;
    const at = best.at + Math.max(-1, Math.min(1, moved));
    // Half the second derivative of the misfit in variances of the noise is the inverse of the place's own.
    const sd = (FINE * psf * Math.SQRT2) / Math.sqrt(bend);
    found.push({
      time_s: time_s[k]!,
      distance_um: at * sample_um,
      sd_um: Math.hypot(sd, PLACE_SD.all * psf) * sample_um,
      line: misfit(row, at, look).line,
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

/** Least misfit, in variances of the noise, with the front at one place: level, height and line are free about theirs. */
function misfit(
  row: Float32Array,
  at: number,
  { way, psf, noise, line, lineSd }: Look,
): { readonly cost: number; readonly line: number } {
  const loose = [LOOSE, LOOSE, lineSd].map((sd) => (noise / sd) ** 2);
  const normal = new Float64Array(9);
  const moment = new Float64Array(3);
  let squares = 0;
  for (let i = 0; i < row.length; i++) {
    const u = (i - at) / psf;
    const behind = normalCdf(-way * u);
    const glow = Math.exp(-0.5 * (u / LINE.width) ** 2);
    const terms = [1, behind, glow];
    const y = row[i]! - behind - line * glow;
    squares += y * y;
    for (let a = 0; a < 3; a++) {
      moment[a] = moment[a]! + terms[a]! * y;
      for (let b = 0; b < 3; b++) normal[3 * a + b] = normal[3 * a + b]! + terms[a]! * terms[b]!;
    }
  }
  for (let a = 0; a < 3; a++) normal[4 * a] = normal[4 * a]! + loose[a]!;
  const inverse = invertSymmetric(normal, 3);
  if (inverse === null) return { cost: squares / (noise * noise), line };
  const solved = timesVector(inverse, moment, 3);
  const explained = solved.reduce((sum, value, a) => sum + value * moment[a]!, 0);
  return { cost: (squares - explained) / (noise * noise), line: line + solved[2]! };
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
