/** What changed within a stretch of uneven images: which spots, when, and by how much. */
import { median, quantile } from "../kernels/stats.js";
import { evenPart } from "./even-part.js";
import type { RelativeLight } from "./relative-light.js";
import { differential, type Differential } from "./unevenness.js";

/** A step counts from so many standard errors on. */
const SIGNIFICANT = 5;
/** A spot's differential image stands out by itself from so many standard deviations on. */
const STANDS_OUT = 3.5;
/** A step smaller than this share of the typical one is not the same change. */
const LEAST_SHARE = 0.35;
/** Noise of a light curve against its step, down to which bins are averaged. */
const CURVE_NOISE = 0.08;

/** The changes of all samples within a stretch of time; NaN where a sample did not change. */
export interface Passage {
  /** When half of a sample's step was done. */
  readonly half_s: Float64Array;
  /** Step in ln I, the even change of all samples taken out. */
  readonly step: Float64Array;
  /** 1 where a sample changed. */
  readonly changed: Uint8Array;
  /** Changed samples. */
  readonly n: number;
  /** Standard error of one sample's half time. */
  readonly sd_s: number;
  /** Typical time from 15 to 85 % of a sample's step. */
  readonly rise_s: number;
  /** Lag at which the steps were sought. */
  readonly lag_s: number;
}

/**
 * Follows each sample's light through a stretch of uneven images.
 *
 * The light is taken as ln I(p, t) = level(p; before or after) + even(t): both follow by least squares once the moment of
 * each sample's greatest change is known, and that moment is then sought again without the even part. `sought_s` is where a change may lie; the light may hold more before and after, for the levels.
 * A spot counts as changed where its level after differs from that before: what comes and goes leaves no step.
 */
export function followPassage(light: RelativeLight, sought_s: readonly [number, number], lags_s: number[]): Passage {
  // A step is far above what drift and focus leave, and a ring of them looks like a defocus.
  const plain = { ...light, disturbances: [] };
  const trials = lags_s.map((lag_s) => steepest(differential(plain, lag_s), light, sought_s));
  const first = chooseLag(trials);
  const rough = withoutEven(plain, first);
  const second = steepest(plainDifferential(rough, first.lag_s), rough, sought_s);
  const bare = withoutEven(plain, second);
  return measureSteps(bare, steepest(plainDifferential(bare, first.lag_s), bare, sought_s), sought_s);
}

interface Peak {
  readonly lag_s: number;
  /** Moment of the greatest change of each sample. */
  readonly at_s: Float64Array;
  /** Its size, and its size over noise. */
  readonly size: Float64Array;
  readonly strength: Float64Array;
}

/** The greatest change of each sample over one lag within the sought time. */
function steepest(
  { centre_s, residual, noiseFactor, lag_s }: Differential,
  { noise }: RelativeLight,
  [from_s, to_s]: readonly [number, number],
): Peak {
  const samples = noise.length;
  const at_s = new Float64Array(samples).fill(NaN);
  const size = new Float64Array(samples);
  const strength = new Float64Array(samples);
  for (let bin = 0; bin < centre_s.length; bin++) {
    if (!(centre_s[bin]! >= from_s && centre_s[bin]! <= to_s)) continue;
    for (let sample = 0; sample < samples; sample++) {
      const value = residual[bin * samples + sample]!;
      if (!(Math.abs(value) > Math.abs(size[sample]!))) continue;
      size[sample] = value;
      at_s[sample] = centre_s[bin]!;
      strength[sample] = Math.abs(value) / (noise[sample]! * noiseFactor[bin]!);
    }
  }
  return { lag_s, at_s, size, strength };
}

/** The shortest lag that catches most of the step clearly. */
function chooseLag(trials: readonly Peak[]): Peak {
  const sizes = trials.map(({ size }) => quantile(size.map(Math.abs), 0.9));
  const clear = trials.map(({ strength }) => quantile(strength, 0.9));
  const most = Math.max(...sizes.filter((_, at) => clear[at]! > 6 || clear[at] === Math.max(...clear)));
  const found = trials.findIndex((_, at) => sizes[at]! >= 0.7 * most && clear[at]! > 8);
  return trials[found >= 0 ? found : clear.indexOf(Math.max(...clear))]!;
}

/** The light freed of what all samples share; those that stand out step, the others keep one level. */
function withoutEven(light: RelativeLight, { at_s, strength, lag_s }: Peak): RelativeLight {
  const samples = light.noise.length;
  const stepped_s = at_s.map((t_s, sample) => (strength[sample]! > STANDS_OUT ? t_s : NaN));
  const even = evenPart(light, stepped_s, lag_s);
  return { ...light, value: light.value.map((one, at) => one - even[Math.floor(at / samples)]!) };
}

/** Differential images from which nothing is removed: of a light that is freed of its even part. */
function plainDifferential(light: RelativeLight, lag_s: number): Differential {
  const found = differential(light, lag_s);
  const samples = light.noise.length;
  return { ...found, residual: found.residual.map((one, at) => one + found.even[Math.floor(at / samples)]!) };
}

/** Step and half time of each sample, from its own light curve. */
function measureSteps(
  { time_s, value, noise, noiseOfBin, frames, interval_s }: RelativeLight,
  peak: Peak,
  [from_s, to_s]: readonly [number, number],
): Passage {
  const bins = time_s.length;
  const samples = noise.length;
  const guard_s = 0.6 * peak.lag_s;
  const plateau_s = Math.max(2 * peak.lag_s, 4 * interval_s);
  const perBin = median(noiseOfBin.map((factor, bin) => factor / Math.sqrt(frames[bin]!)));
  const step = new Float64Array(samples).fill(NaN);
  const before = new Float64Array(samples);
  const sdOfStep = new Float64Array(samples);
  const curve = new Float64Array(bins);
  for (let sample = 0; sample < samples; sample++) {
    const at_s = peak.at_s[sample]!;
    const low = levelIn(value, time_s, samples, sample, at_s - guard_s - plateau_s, at_s - guard_s);
    const high = levelIn(value, time_s, samples, sample, at_s + guard_s, at_s + guard_s + plateau_s);
    before[sample] = low.mean;
    step[sample] = high.mean - low.mean;
    sdOfStep[sample] = noise[sample]! * perBin * Math.sqrt(1 / low.n + 1 / high.n);
  }
  const clear = step.filter((one, sample) => Math.abs(one) > SIGNIFICANT * sdOfStep[sample]!);
  const typical = median(clear.map(Math.abs));
  const result = {
    half_s: new Float64Array(samples).fill(NaN),
    step,
    changed: new Uint8Array(samples),
  };
  const rises: number[] = [];
  // A step's slope at half height is 0.83 of itself in the time from 15 to 85 % of it.
  const sds: number[] = [];
  let n = 0;
  for (let sample = 0; sample < samples; sample++) {
    const size = Math.abs(step[sample]!);
    const noisiness = (noise[sample]! * perBin) / size;
    const reach = Math.min(8, Math.floor((noisiness / CURVE_NOISE) ** 2 / 2));
    let t50 = NaN;
    if (size > SIGNIFICANT * sdOfStep[sample]! && size > LEAST_SHARE * typical) {
      lightCurve(value, samples, sample, reach, curve);
      for (let bin = 0; bin < bins; bin++) curve[bin] = (curve[bin]! - before[sample]!) / step[sample]!;
      t50 = crossing(curve, time_s, peak.at_s[sample]!, 0.5);
    }
    if (!(t50 >= from_s && t50 <= to_s)) {
      step[sample] = NaN;
      continue;
    }
    result.changed[sample] = 1;
    n++;
    result.half_s[sample] = t50;
    const rise_s = crossing(curve, time_s, t50, 0.85) - crossing(curve, time_s, t50, 0.15);
    if (!Number.isNaN(rise_s)) {
      rises.push(rise_s);
      sds.push((noisiness / Math.sqrt(2 * reach + 1)) * rise_s * 1.2);
    }
  }
  return { ...result, n, sd_s: median(sds), rise_s: median(rises), lag_s: peak.lag_s };
}

/** One sample's light, each bin averaged with `reach` bins on both sides. */
function lightCurve(value: Float32Array, samples: number, sample: number, reach: number, into: Float64Array): void {
  for (let bin = 0; bin < into.length; bin++) {
    let sum = 0;
    let known = 0;
    for (let at = Math.max(0, bin - reach); at <= Math.min(into.length - 1, bin + reach); at++) {
      const one = value[at * samples + sample]!;
      if (Number.isNaN(one)) continue;
      sum += one;
      known++;
    }
    into[bin] = sum / known;
  }
}

function levelIn(
  value: Float32Array,
  time_s: Float64Array,
  samples: number,
  sample: number,
  from_s: number,
  to_s: number,
): { mean: number; n: number } {
  let sum = 0;
  let n = 0;
  for (let bin = 0; bin < time_s.length && time_s[bin]! <= to_s; bin++) {
    if (time_s[bin]! < from_s) continue;
    const one = value[bin * samples + sample]!;
    if (Number.isNaN(one)) continue;
    sum += one;
    n++;
  }
  return { mean: sum / n, n };
}

/** When a rising curve passes a level, walking from `from_s` to the side where the level lies; NaN if it never does. */
function crossing(curve: Float64Array, time_s: Float64Array, from_s: number, level: number): number {
  let bin = 0;
  while (bin < time_s.length - 1 && time_s[bin]! < from_s) bin++;
  if (curve[bin]! >= level) {
    while (bin > 0 && !(curve[bin - 1]! < level)) bin--;
  } else {
    bin++;
    while (bin < time_s.length && !(curve[bin]! >= level)) bin++;
  }
  if (bin <= 0 || bin >= time_s.length) return NaN;
  const below = curve[bin - 1]!;
  const above = curve[bin]!;
  return time_s[bin - 1]! + ((level - below) / (above - below)) * (time_s[bin]! - time_s[bin - 1]!);
}
