/** How unevenly a particle's light changes: the spread of its differential image, against what noise alone gives. */
import { quantile } from "../kernels/stats.js";
import { removeEven } from "./disturbances.js";
import type { RelativeLight } from "./relative-light.js";

/** A spread below this share of the mean change counts as even: a crystal's face never answers in perfect step. */
const EVEN_SHARE = 0.1;
/** Variance of the quietest tenth of the images over noise up to which it counts as noise itself. */
const MOST_EXCESS = 3;

/** Differential images over one lag. */
export interface Differential {
  readonly lag_s: number;
  /** Middle of the two times compared; NaN where a bin has no partner one lag earlier. */
  readonly centre_s: Float64Array;
  /** Noise of D in units of the sample's noise in one frame. */
  readonly noiseFactor: Float64Array;
  /** D of a bin that has a partner. */
  image(bin: number, into: Float32Array): void;
}

/** The unevenness of each bin's differential image over one lag. */
export interface Unevenness {
  readonly lag_s: number;
  /** Middle of the two times compared; NaN where a bin has no partner one lag earlier. */
  readonly centre_s: Float64Array;
  /** Standard deviation of D over the particle, its mean and the drift's part removed. */
  readonly spread: Float64Array;
  /** What noise alone gives for it. */
  readonly expected: Float64Array;
  /** Excess of the spread over noise and over what still counts as even, as a standard normal deviate. */
  readonly sigmas: Float64Array;
}

/**
 * Differential images over one lag, by time stamps: bins within a quarter of the lag about t and about t - lag are
 * averaged first. A bin whose nearest partner is off by more than a quarter of the lag and a frame has none,
 * unless a pause of up to `pause_s` lies between.
 */
export function differential(light: RelativeLight, lag_s: number, pause_s = 0): Differential {
  const { time_s, noise, noiseOfBin, interval_s } = light;
  const bins = time_s.length;
  const samples = noise.length;
  const moving = movingMean(light, 0.25 * lag_s);
  const centre_s = new Float64Array(bins).fill(NaN);
  const noiseFactor = new Float64Array(bins).fill(NaN);
  const partners = new Int32Array(bins);
  for (let bin = 0, partner = 0; bin < bins; bin++) {
    const sought_s = time_s[bin]! - lag_s;
    while (partner + 1 < bin && Math.abs(time_s[partner + 1]! - sought_s) <= Math.abs(time_s[partner]! - sought_s)) {
      partner++;
    }
    const tolerance_s = Math.max(0.26 * lag_s, 1.05 * interval_s);
    if (partner > 0 && (partner === bin || time_s[partner]! - sought_s > tolerance_s)) partner--;
    const late_s = time_s[partner]! - sought_s;
    if (partner === bin || late_s > tolerance_s || -late_s > Math.max(tolerance_s, pause_s)) continue;
    if (2 * knownIn(moving.value, bin, partner, samples) < samples) continue;
    partners[bin] = partner;
    centre_s[bin] = 0.5 * (moving.time_s[bin]! + moving.time_s[partner]!);
    noiseFactor[bin] = Math.sqrt(
      moving.variance[bin]! * noiseOfBin[bin]! ** 2 + moving.variance[partner]! * noiseOfBin[partner]! ** 2,
    );
  }
  const { value } = moving;
  return {
    lag_s,
    centre_s,
    noiseFactor,
    image(bin, into) {
      const late = bin * samples;
      const early = partners[bin]! * samples;
      for (let sample = 0; sample < samples; sample++) into[sample] = value[late + sample]! - value[early + sample]!;
    },
  };
}

/** Samples known in two bins. */
function knownIn(value: Float32Array, bin: number, partner: number, samples: number): number {
  let known = 0;
  for (let late = bin * samples, early = partner * samples; late < (bin + 1) * samples; late++, early++) {
    if (!Number.isNaN(value[late]! - value[early]!)) known++;
  }
  return known;
}

/**
 * Unevenness over one lag, frame by frame.
 *
 * The statistic is the sum of squares of D over its noise, sample by sample: chi-squared with as many degrees of
 * freedom as there are independent spots, made a normal deviate by Wilson and Hilferty (PNAS 17, 684, 1931).
 * Noise comes from neighbouring frames; what the quietest tenth of the images shows above it is taken for slow noise,
 * unless it is so much that the movie has no quiet tenth.
 */
export function unevenness(light: RelativeLight, lag_s: number): Unevenness {
  const { noise, freedom } = light;
  const { centre_s, noiseFactor, image } = differential(light, lag_s);
  const bins = centre_s.length;
  const samples = noise.length;
  const field = new Float32Array(samples);
  const even = new Float64Array(bins).fill(NaN);
  const inverse = noise.map((sigma) => 1 / sigma);
  const spread = new Float64Array(bins).fill(NaN);
  const ratio = new Float64Array(bins).fill(NaN);
  for (let bin = 0; bin < bins; bin++) {
    if (Number.isNaN(centre_s[bin]!)) continue;
    image(bin, field);
    even[bin] = removeEven(field, light.disturbances)!;
    let square = 0;
    let whitened = 0;
    let n = 0;
    for (let sample = 0; sample < samples; sample++) {
      const value = field[sample]!;
      if (Number.isNaN(value)) continue;
      square += value * value;
      const deviate = value * inverse[sample]!;
      whitened += deviate * deviate;
      n++;
    }
    spread[bin] = Math.sqrt(square / n);
    ratio[bin] = whitened / n / noiseFactor[bin]! ** 2;
  }
  const low = (1 - 2 / (9 * freedom) - 1.2816 * Math.sqrt(2 / (9 * freedom))) ** 3;
  const quietest = quantile(ratio, 0.1) / low;
  const excess = quietest > MOST_EXCESS ? 1 : Math.max(1, quietest);
  const meanSquare = meanOf(noise, (sigma) => sigma * sigma);
  const meanInverse = meanOf(noise, (sigma) => 1 / (sigma * sigma));
  return {
    lag_s,
    centre_s,
    spread,
    expected: noiseFactor.map((factor) => factor * Math.sqrt(meanSquare * excess)),
    sigmas: ratio.map((value, bin) => {
      const stillEven = (EVEN_SHARE * even[bin]!) ** 2 * meanInverse;
      return wilsonHilferty(value / (excess + stillEven / noiseFactor[bin]! ** 2), freedom);
    }),
  };
}

/** A standard normal deviate for chi-squared over its degrees of freedom. */
function wilsonHilferty(ratio: number, freedom: number): number {
  const width = 2 / (9 * freedom);
  return (Math.cbrt(ratio) - (1 - width)) / Math.sqrt(width);
}

/** Bins averaged within `reach_s` on both sides of each; the variance of each mean in units of a frame's. */
function movingMean(
  { time_s, value, frames }: Pick<RelativeLight, "time_s" | "value" | "frames">,
  reach_s: number,
): { time_s: Float64Array; value: Float32Array; variance: Float64Array } {
  const bins = time_s.length;
  const samples = value.length / bins;
  const lit = litBins(value, bins, samples);
  const result = {
    time_s: new Float64Array(bins),
    value: new Float32Array(value.length),
    variance: new Float64Array(bins),
  };
  // Weights are whole numbers, so that what has been added can be taken off again; `known` is of bins partly lit.
  const sum = new Float64Array(samples);
  const known = new Float64Array(samples);
  let whole = 0;
  for (let bin = 0, first = 0, last = -1; bin < bins; bin++) {
    while (last + 1 < bins && time_s[last + 1]! <= time_s[bin]! + reach_s * 1.001) {
      last++;
      addRow(value, last * samples, frames[last]!, lit[last]!, sum, known);
      if (lit[last] === 2) whole += frames[last]!;
    }
    while (time_s[first]! < time_s[bin]! - reach_s * 1.001) {
      addRow(value, first * samples, -frames[first]!, lit[first]!, sum, known);
      if (lit[first] === 2) whole -= frames[first]!;
      first++;
    }
    let n = 0;
    let partly = false;
    for (let at = first; at <= last; at++) {
      if (lit[at] === 0) continue;
      if (lit[at] === 1) partly = true;
      n += frames[at]!;
      result.time_s[bin] = result.time_s[bin]! + frames[at]! * time_s[at]!;
    }
    result.time_s[bin] = result.time_s[bin]! / n;
    result.variance[bin] = 1 / n;
    const to = bin * samples;
    if (partly || n === 0) {
      for (let sample = 0; sample < samples; sample++) {
        const weight = whole + known[sample]!;
        result.value[to + sample] = weight > 0 ? sum[sample]! / weight : NaN;
      }
    } else {
      const share = 1 / n;
      for (let sample = 0; sample < samples; sample++) result.value[to + sample] = sum[sample]! * share;
    }
  }
  return result;
}

/** 2 for bins in which all samples are known, 1 where some are, 0 where none is. */
function litBins(value: Float32Array, bins: number, samples: number): Uint8Array {
  const lit = new Uint8Array(bins);
  for (let bin = 0; bin < bins; bin++) {
    let known = 0;
    for (let at = bin * samples; at < (bin + 1) * samples; at++) if (!Number.isNaN(value[at]!)) known++;
    lit[bin] = known === samples ? 2 : known > 0 ? 1 : 0;
  }
  return lit;
}

/** Adds a bin's samples, so many times, to sums and, where not all are known, to the weights of those that are. */
function addRow(
  value: Float32Array,
  from: number,
  weight: number,
  lit: number,
  sum: Float64Array,
  known: Float64Array,
): void {
  const samples = sum.length;
  if (lit === 0) return;
  if (lit === 2) {
    for (let sample = 0; sample < samples; sample++) sum[sample] = sum[sample]! + weight * value[from + sample]!;
    return;
  }
  for (let sample = 0; sample < samples; sample++) {
    const one = value[from + sample]!;
    if (Number.isNaN(one)) continue;
    sum[sample] = sum[sample]! + weight * one;
    known[sample] = known[sample]! + weight;
  }
}

function meanOf(values: Float64Array, of: (value: number) => number): number {
  let sum = 0;
  for (const value of values) sum += of(value);
  return sum / values.length;
}
