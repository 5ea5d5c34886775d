/** What changed within a stretch of uneven images: which spots, when, and by how much. */
import { median } from "../kernels/stats.js";
import { lineDelay } from "./bright-line.js";
import { evenPart } from "./even-part.js";
import type { RelativeLight } from "./relative-light.js";
import { differential, type Differential } from "./unevenness.js";

/** A step counts from so many standard errors on. */
const SIGNIFICANT = 5;
/** A spot's differential image stands out by itself from so many standard deviations on. */
const STANDS_OUT = 3.5;
/** A change is clear from so many standard deviations on; a shorter lag does if it shows this share of it. */
const CLEAR = 7;
const MOST_OF_IT = 0.7;
/** A step smaller than this share of the typical one is not the same change. */
const LEAST_SHARE = 0.35;
/** Noise of a light curve against its step, down to which bins are averaged. */
const CURVE_NOISE = 0.08;

/** The changes of all samples within a stretch of time; NaN where a sample did not change. */
export interface Passage {
  /** When half of a sample's step was done; freed of what a bright boundary adds. */
  readonly half_s: Float64Array;
  /** Step in ln I, the even change of all samples taken out. */
  readonly step: Float64Array;
  /** 1 where a sample changed. */
  readonly changed: Uint8Array;
  /** Changed samples. */
  readonly n: number;
  /** Standard error of one sample's half time. */
  readonly sd_s: number;
  /** Time from 15 to 85 % of each sample's step, and its median. */
  readonly riseOf_s: Float64Array;
  readonly rise_s: number;
}

/**
 * Follows each sample's light through a stretch of uneven images.
 *
 * The light is taken as ln I(p, t) = level(p; before or after) + even(t): both follow by least squares once the moment of
 * each sample's greatest change is known, and that moment is then sought again without the even part. `sought_s` is where a
 * change may lie; the light may hold more before and after, for the levels.
 * A spot counts as changed where its level after differs from that before: what comes and goes leaves no step.
 */
export function followPassage(light: RelativeLight, sought_s: readonly [number, number], lags_s: number[]): Passage {
  // No disturbance is taken off: a step is far above what drift and focus leave, and a ring of them looks like a defocus.
  const first = steepest(light, lags_s, sought_s, aboutMedian);
  const rough = withoutEven(light, first);
  const second = steepest(rough, lagsIn(first), sought_s, asItIs);
  const bare = withoutEven(light, second);
  return measureSteps(bare, steepest(bare, lagsIn(second), sought_s, asItIs), sought_s);
}

/** Sample by sample: the moment of the greatest change, the lag that shows it, its size and its size over noise. */
interface Peaks {
  readonly at_s: Float64Array;
  readonly lag_s: Float64Array;
  readonly size: Float64Array;
  readonly strength: Float64Array;
}

/**
 * The greatest change of each sample within the sought time, by the shortest lag that shows most of it clearly: parts of
 * one front may move many times faster than others.
 */
function steepest(
  light: RelativeLight,
  lags_s: readonly number[],
  [from_s, to_s]: readonly [number, number],
  change: (differential: Differential, bin: number, field: Float32Array) => void,
): Peaks {
  const samples = light.noise.length;
  const field = new Float32Array(samples);
  const trials = lags_s.map((lag_s) => {
    const images = differential(light, lag_s, to_s - from_s);
    const trial = emptyPeaks(samples);
    const { at_s, size, strength } = trial;
    trial.lag_s.fill(lag_s);
    for (let bin = 0; bin < images.centre_s.length; bin++) {
      if (!(images.centre_s[bin]! >= from_s && images.centre_s[bin]! <= to_s)) continue;
      change(images, bin, field);
      for (let sample = 0; sample < samples; sample++) {
        const value = Math.abs(field[sample]!);
        if (!(value > size[sample]!)) continue;
        size[sample] = value;
        at_s[sample] = images.centre_s[bin]!;
        strength[sample] = value / (light.noise[sample]! * images.noiseFactor[bin]!);
      }
    }
    return trial;
  });
  const found = emptyPeaks(samples);
  for (let sample = 0; sample < samples; sample++) {
    const clear = trials.filter(({ strength }) => strength[sample]! > CLEAR);
    const most = Math.max(...clear.map(({ size }) => size[sample]!));
    const best =
      clear.find(({ size }) => size[sample]! >= MOST_OF_IT * most) ??
      trials.reduce((one, other) => (other.strength[sample]! > one.strength[sample]! ? other : one));
    for (const key of ["at_s", "lag_s", "size", "strength"] as const) found[key][sample] = best[key][sample]!;
  }
  return found;
}

function emptyPeaks(samples: number): Peaks {
  return {
    at_s: new Float64Array(samples).fill(NaN),
    lag_s: new Float64Array(samples),
    size: new Float64Array(samples),
    strength: new Float64Array(samples),
  };
}

function lagsIn({ lag_s }: Peaks): number[] {
  return [...new Set(lag_s)].sort((a, b) => a - b);
}

/** A differential image less its median: the even part as long as less than half of the face changes at once. */
function aboutMedian(images: Differential, bin: number, field: Float32Array): void {
  images.image(bin, field);
  const middle = median(field);
  for (let sample = 0; sample < field.length; sample++) field[sample] = field[sample]! - middle;
}

/** A differential image from which nothing is removed: of a light that is freed of its even part. */
function asItIs(images: Differential, bin: number, field: Float32Array): void {
  images.image(bin, field);
}

/** The light freed of what all samples share; those that stand out step, the others keep one level. */
function withoutEven(light: RelativeLight, { at_s, strength, lag_s }: Peaks): RelativeLight {
  const samples = light.noise.length;
  const stepped_s = at_s.map((t_s, sample) => (strength[sample]! > STANDS_OUT ? t_s : NaN));
  const even = evenPart(light, stepped_s, lag_s);
  const value = new Float32Array(light.value.length);
  for (let bin = 0; bin < even.length; bin++) {
    const one = even[bin]!;
    for (let at = bin * samples; at < (bin + 1) * samples; at++) value[at] = light.value[at]! - one;
  }
  return { ...light, value };
}

/** Step and half time of each sample, from its own light curve. */
function measureSteps(light: RelativeLight, peak: Peaks, [from_s, to_s]: readonly [number, number]): Passage {
  const { time_s, value, noise, noiseOfBin, frames, interval_s } = light;
  const bins = time_s.length;
  const samples = noise.length;
  const perBin = median(noiseOfBin.map((factor, bin) => factor / Math.sqrt(frames[bin]!)));
  const step = new Float64Array(samples).fill(NaN);
  const before = new Float64Array(samples);
  const sdOfStep = new Float64Array(samples);
  const curve = new Float64Array(bins);
  for (let sample = 0; sample < samples; sample++) {
    const at_s = peak.at_s[sample]!;
    const guard_s = 0.6 * peak.lag_s[sample]!;
    const plateau_s = Math.max(2 * peak.lag_s[sample]!, 4 * interval_s);
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
    riseOf_s: new Float64Array(samples).fill(NaN),
  };
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
    const own_s = crossing(curve, time_s, t50, 0.85) - crossing(curve, time_s, t50, 0.15);
    if (!Number.isNaN(own_s)) {
      result.riseOf_s[sample] = own_s;
      sds.push((noisiness / Math.sqrt(2 * reach + 1)) * own_s * 1.2);
    }
  }
  const rise_s = median(result.riseOf_s);
  const delay_s = lineDelay(light, { ...result, rise_s, before });
  for (let sample = 0; sample < samples; sample++) {
    const own = result.riseOf_s[sample]! / rise_s;
    result.half_s[sample] = result.half_s[sample]! + delay_s * (own < 3 ? own : 1);
  }
  return { ...result, n, sd_s: median(sds), rise_s };
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
