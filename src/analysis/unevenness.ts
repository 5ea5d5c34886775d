/** How unevenly a particle's light changes: the spread of its differential image, against what noise alone gives. */
import { gaussianBlur } from "../kernels/filter.js";
import { madSigma, mean, median, quantile } from "../kernels/stats.js";
import type { Stack } from "../model/movie.js";

/** A spread below this share of the mean change counts as even: a crystal's face never answers in perfect step. */
const EVEN_SHARE = 0.1;
/** Excess of slow noise, in variance, that the quiet frames may show. */
const MOST_EXCESS = 3;

/**
 * A particle's light relative to its mean image, smoothed by one PSF within the outline, as natural logarithms:
 * a differential image is then a difference, and D = I(t) / I(t - lag) - 1 is its value as long as it is small.
 * Sampled about once a PSF; frames much closer together than the lag are averaged into bins.
 */
export interface RelativeLight {
  /** Mean time stamp of each bin. */
  readonly time_s: Float64Array;
  /** Bin of each frame of the stack. */
  readonly binOfFrame: Int32Array;
  /** Frames in each bin. */
  readonly frames: Int32Array;
  /** Median interval between bins. */
  readonly interval_s: number;
  /** Places of the samples in the crop, px. */
  readonly x_px: Float32Array;
  readonly y_px: Float32Array;
  /** bins * samples; NaN where a bin has no light. */
  readonly value: Float32Array;
  /** What the microscope itself makes: patterns of a shift along x, along y and of a defocus; orthonormal, without mean. */
  readonly disturbances: readonly Float32Array[];
  /** Standard deviation of the smoothing. */
  readonly smoothing_px: number;
  /** Area that one sample stands for. */
  readonly sampleArea_um2: number;
  /** Noise of each sample in a bin of one frame, by differences of neighbouring bins; per bin, a factor on it. */
  readonly noise: Float64Array;
  readonly noiseOfBin: Float64Array;
  /** Independent values in one image. */
  readonly freedom: number;
}

/** Differential images over one lag, their even part removed. */
export interface Differential {
  readonly lag_s: number;
  /** Middle of the two times compared; NaN where a bin has no partner one lag earlier. */
  readonly centre_s: Float64Array;
  /** bins * samples: D, its mean and the drift's part removed; NaN without partner. */
  readonly residual: Float32Array;
  /** The mean that was removed. */
  readonly even: Float64Array;
  /** Noise of D in units of the sample's noise in one frame. */
  readonly noiseFactor: Float64Array;
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

/** Light inside the outline relative to the mean image; null where the outline holds too few pixels or frames. */
export function relativeLight(
  stack: Stack,
  mask: Uint8Array,
  { psf_um, lag_s }: { psf_um: number; lag_s: number },
): RelativeLight | null {
  const { width, height, pixelSize_um } = stack;
  const sigma_px = Math.max(psf_um / pixelSize_um, 0.5);
  const reference = meanImage(stack);
  const inside = interior(mask, reference, width, height, sigma_px);
  const bins = binFrames(stack.time_s, lag_s);
  const stride = Math.max(1, Math.floor(sigma_px));
  const samples = sampleGrid(inside, width, height, stride);
  if (samples.length < 6 || bins.time_s.length < 8) return null;

  const value = new Float32Array(bins.time_s.length * samples.length);
  const image = new Float32Array(width * height);
  const same = new Float32Array(width * height);
  const whole = blurInside(reference, inside, width, height, sigma_px);
  for (let bin = 0, from = 0; bin < bins.time_s.length; bin++) {
    const complete = averageFrames(stack, inside, from, bins.frames[bin]!, image);
    from += bins.frames[bin]!;
    let below = whole;
    if (!complete) {
      for (let at = 0; at < image.length; at++) same[at] = Number.isNaN(image[at]!) ? NaN : reference[at]!;
      below = blurInside(same, inside, width, height, sigma_px);
    }
    const above = blurInside(image, inside, width, height, sigma_px);
    for (let sample = 0; sample < samples.length; sample++) {
      const at = samples[sample]!;
      const ratio = above[at]! / below[at]!;
      // Less than half of the pixels around it: too far from any light.
      const seen = below[at]! > 0.5 * whole[at]! && ratio > 0;
      value[bin * samples.length + sample] = seen ? Math.log(ratio) : NaN;
    }
  }
  const rough = {
    ...bins,
    x_px: Float32Array.from(samples, (at) => at % width),
    y_px: Float32Array.from(samples, (at) => Math.floor(at / width)),
    value,
    disturbances: disturbancesOf(reference, inside, samples, width, height, sigma_px),
    smoothing_px: sigma_px,
    sampleArea_um2: (stride * pixelSize_um) ** 2,
    freedom: Math.max(4, (count(inside) - 4) / (2 * Math.PI * sigma_px * sigma_px)),
  };
  const noisy = { ...rough, ...frameNoise(rough) };
  return { ...noisy, value: withoutOwnAnswer(noisy, lag_s) };
}

/**
 * The light freed of what sets each sample's answer to an even change apart: a spot of dirt, a rim that shares its light
 * with the ground. The answer is the ratio of the sample's change to the mean change, in the median over stretches in which
 * the change is even on the whole (half-lag means one lag apart); it counts as far as it exceeds three times its error
 * by the scatter of the stretches, so that a front, which passes once, is not taken for it.
 */
function withoutOwnAnswer(light: RelativeLight, lag_s: number): Float32Array {
  const { time_s, value, noise, disturbances } = light;
  const samples = noise.length;
  const blocks = blockMeans(light, 0.5 * lag_s);
  const stretches: { even: number; change: Float32Array }[] = [];
  for (let block = 0; block + 2 < blocks.length; block++) {
    const early = blocks[block]!;
    const late = blocks[block + 2]!;
    if (late.time_s - early.time_s > 1.5 * lag_s) continue;
    const change = late.value.map((one, sample) => one - early.value[sample]!);
    const even = removeEven(change, disturbances);
    if (even === null || !(length(change) < 0.5 * Math.abs(even) * Math.sqrt(samples))) continue;
    stretches.push({ even, change });
  }
  const enough =
    0.3 *
    quantile(
      Float64Array.from(stretches, ({ even }) => Math.abs(even)),
      0.9,
    );
  const clear = stretches.filter(({ even }) => Math.abs(even) >= enough);
  if (clear.length < 10) return value;
  const answer = new Float64Array(samples);
  const ratios = new Float64Array(clear.length);
  for (let sample = 0; sample < samples; sample++) {
    clear.forEach(({ even, change }, at) => (ratios[at] = change[sample]! / even));
    const middle = median(ratios);
    // Neighbouring stretches share a mean, hence 2 instead of 1.25.
    const sd = (2 * madSigma(ratios)) / Math.sqrt(clear.length);
    const kept = middle * Math.max(0, 1 - ((3 * sd) / middle) ** 2);
    if (Number.isFinite(kept)) answer[sample] = kept;
  }
  const result = new Float32Array(value.length);
  for (let bin = 0; bin < time_s.length; bin++) {
    const row = value.subarray(bin * samples, (bin + 1) * samples);
    const even = mean(row);
    for (let sample = 0; sample < samples; sample++) {
      result[bin * samples + sample] = row[sample]! - answer[sample]! * even;
    }
  }
  return result;
}

/** Means over stretches of about `length_s`. */
function blockMeans(
  { time_s, value, frames, noise }: RelativeLight,
  length_s: number,
): { time_s: number; frames: number; value: Float32Array }[] {
  const samples = noise.length;
  const found = [];
  for (let first = 0; first < time_s.length;) {
    let end = first + 1;
    while (end < time_s.length && time_s[end]! < time_s[first]! + 0.999 * length_s) end++;
    const sum = new Float32Array(samples);
    const known = new Float32Array(samples);
    let weight = 0;
    let moment = 0;
    for (let bin = first; bin < end; bin++) {
      weight += frames[bin]!;
      moment += frames[bin]! * time_s[bin]!;
      for (let sample = 0; sample < samples; sample++) {
        const one = value[bin * samples + sample]!;
        if (Number.isNaN(one)) continue;
        sum[sample] = sum[sample]! + frames[bin]! * one;
        known[sample] = known[sample]! + frames[bin]!;
      }
    }
    found.push({ time_s: moment / weight, frames: weight, value: sum.map((one, sample) => one / known[sample]!) });
    first = end;
  }
  return found;
}

/**
 * Differential images over one lag, by time stamps: bins within a quarter of the lag about t and about t - lag are
 * averaged first. A bin whose nearest partner is off by more than a quarter of the lag and a frame (a pause) has none.
 */
export function differential(light: RelativeLight, lag_s: number): Differential {
  const { time_s, noise, noiseOfBin, interval_s } = light;
  const bins = time_s.length;
  const samples = noise.length;
  const moving = movingMean(light, 0.25 * lag_s);
  const found = {
    lag_s,
    centre_s: new Float64Array(bins).fill(NaN),
    residual: new Float32Array(bins * samples).fill(NaN),
    even: new Float64Array(bins).fill(NaN),
    noiseFactor: new Float64Array(bins).fill(NaN),
  };
  for (let bin = 0, partner = 0; bin < bins; bin++) {
    const sought_s = time_s[bin]! - lag_s;
    while (partner + 1 < bin && Math.abs(time_s[partner + 1]! - sought_s) <= Math.abs(time_s[partner]! - sought_s)) {
      partner++;
    }
    if (partner === bin && bin > 0) partner = bin - 1;
    if (partner === bin || Math.abs(time_s[partner]! - sought_s) > Math.max(0.26 * lag_s, 1.05 * interval_s)) continue;
    const field = found.residual.subarray(bin * samples, (bin + 1) * samples);
    for (let sample = 0; sample < samples; sample++) {
      field[sample] = moving.value[bin * samples + sample]! - moving.value[partner * samples + sample]!;
    }
    const even = removeEven(field, light.disturbances);
    if (even === null) {
      field.fill(NaN);
      continue;
    }
    found.even[bin] = even;
    found.centre_s[bin] = 0.5 * (moving.time_s[bin]! + moving.time_s[partner]!);
    found.noiseFactor[bin] = Math.sqrt(
      moving.variance[bin]! * noiseOfBin[bin]! ** 2 + moving.variance[partner]! * noiseOfBin[partner]! ** 2,
    );
  }
  return found;
}

/**
 * Unevenness over one lag, frame by frame.
 *
 * The statistic is the sum of squares of D over its noise, sample by sample: chi-squared with as many degrees of
 * freedom as there are independent spots, made a normal deviate by Wilson and Hilferty (PNAS 17, 684, 1931).
 * Noise comes from neighbouring frames; what the quietest tenth of the images shows above it is taken for noise, too,
 * within a limit, so that a movie without a quiet frame is not taken for noise as a whole.
 */
export function unevenness(light: RelativeLight, lag_s: number): Unevenness {
  const { noise, freedom } = light;
  const { centre_s, residual, even, noiseFactor } = differential(light, lag_s);
  const bins = centre_s.length;
  const samples = noise.length;
  const spread = new Float64Array(bins).fill(NaN);
  const ratio = new Float64Array(bins).fill(NaN);
  for (let bin = 0; bin < bins; bin++) {
    if (Number.isNaN(centre_s[bin]!)) continue;
    let square = 0;
    let whitened = 0;
    let n = 0;
    for (let sample = 0; sample < samples; sample++) {
      const value = residual[bin * samples + sample]!;
      if (Number.isNaN(value)) continue;
      square += value * value;
      whitened += (value / noise[sample]!) ** 2;
      n++;
    }
    spread[bin] = Math.sqrt(square / n);
    ratio[bin] = whitened / n / noiseFactor[bin]! ** 2;
  }
  const low = (1 - 2 / (9 * freedom) - 1.2816 * Math.sqrt(2 / (9 * freedom))) ** 3;
  const excess = Math.min(MOST_EXCESS, Math.max(1, quantile(ratio, 0.1) / low));
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

/**
 * Takes the mean and what a small shift or defocus of the scene would give out of a differential image, in place, by least
 * squares; returns the mean, or null where less than half of the samples are known. The disturbances are orthonormal and
 * without mean; where samples are unknown they are made so again over the others.
 */
function removeEven(field: Float32Array, disturbances: readonly Float32Array[]): number | null {
  let n = 0;
  let even = 0;
  for (let at = 0; at < field.length; at++) {
    const one = field[at]!;
    if (Number.isNaN(one)) continue;
    n++;
    even += one;
  }
  if (n < 0.5 * field.length) return null;
  even /= n;
  for (let at = 0; at < field.length; at++) field[at] = field[at]! - even;
  const patterns = n === field.length ? disturbances : orthonormal(disturbances, field);
  for (const pattern of patterns) subtractAlong(field, pattern);
  return even;
}

/** Patterns freed of their mean and of each other, of unit length, over the samples that `known` knows. */
function orthonormal(patterns: readonly Float32Array[], known: Float32Array): Float32Array[] {
  const found: Float32Array[] = [];
  for (const pattern of patterns) {
    let n = 0;
    let mean = 0;
    for (let at = 0; at < pattern.length; at++) {
      if (Number.isNaN(known[at]!)) continue;
      n++;
      mean += pattern[at]!;
    }
    mean /= n;
    const free = new Float32Array(pattern.length);
    for (let at = 0; at < pattern.length; at++) free[at] = Number.isNaN(known[at]!) ? 0 : pattern[at]! - mean;
    const before = length(free);
    for (const other of found) subtractAlong(free, other);
    const after = length(free);
    if (!(after > 1e-3 * before)) continue;
    for (let at = 0; at < free.length; at++) free[at] = free[at]! / after;
    found.push(free);
  }
  return found;
}

function length(values: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < values.length; at++) sum += values[at]! * values[at]!;
  return Math.sqrt(sum);
}

/** Takes the part along a pattern of unit length out of some values; values that are NaN stay so. */
function subtractAlong(values: Float32Array, pattern: Float32Array): void {
  let along = 0;
  for (let at = 0; at < values.length; at++) {
    const one = values[at]!;
    if (!Number.isNaN(one)) along += one * pattern[at]!;
  }
  for (let at = 0; at < values.length; at++) values[at] = values[at]! - along * pattern[at]!;
}

/** Bins averaged within `reach_s` on both sides of each; the variance of each mean in units of a frame's. */
function movingMean(
  { time_s, value, frames }: Pick<RelativeLight, "time_s" | "value" | "frames">,
  reach_s: number,
): { time_s: Float64Array; value: Float32Array; variance: Float64Array } {
  const bins = time_s.length;
  const samples = value.length / bins;
  const result = {
    time_s: new Float64Array(bins),
    value: new Float32Array(value.length),
    variance: new Float64Array(bins),
  };
  const sum = new Float64Array(samples);
  const known = new Float64Array(samples);
  for (let bin = 0, first = 0, last = -1; bin < bins; bin++) {
    while (time_s[first]! < time_s[bin]! - reach_s * 1.001) first++;
    while (last + 1 < bins && time_s[last + 1]! <= time_s[bin]! + reach_s * 1.001) last++;
    sum.fill(0);
    known.fill(0);
    let n = 0;
    for (let at = first; at <= last; at++) {
      let any = false;
      const weight = frames[at]!;
      for (let sample = 0; sample < samples; sample++) {
        const one = value[at * samples + sample]!;
        if (Number.isNaN(one)) continue;
        sum[sample] = sum[sample]! + weight * one;
        known[sample] = known[sample]! + weight;
        any = true;
      }
      if (!any) continue;
      n += weight;
      result.time_s[bin] = result.time_s[bin]! + weight * time_s[at]!;
    }
    result.time_s[bin] = result.time_s[bin]! / n;
    result.variance[bin] = 1 / n;
    for (let sample = 0; sample < samples; sample++) {
      result.value[bin * samples + sample] = sum[sample]! / known[sample]!;
    }
  }
  return result;
}

/**
 * Noise of each sample and how it changes in time, from second differences of neighbouring bins: a front passes a sample
 * in few of them, so a median over time does not see it; of one bin's samples it passes few, so a median over them
 * does not either.
 */
function frameNoise(
  light: Pick<RelativeLight, "time_s" | "value" | "frames" | "disturbances">,
): Pick<RelativeLight, "noise" | "noiseOfBin"> {
  const { time_s, value, frames, disturbances } = light;
  const bins = time_s.length;
  const samples = value.length / bins;
  const rough = new Float32Array(bins * samples).fill(NaN);
  for (let bin = 1; bin + 1 < bins; bin++) {
    const before = (time_s[bin + 1]! - time_s[bin]!) / (time_s[bin + 1]! - time_s[bin - 1]!);
    const after = 1 - before;
    const scale = 1 / Math.sqrt(1 / frames[bin]! + before ** 2 / frames[bin - 1]! + after ** 2 / frames[bin + 1]!);
    const field = rough.subarray(bin * samples, (bin + 1) * samples);
    for (let sample = 0; sample < samples; sample++) {
      const at = bin * samples + sample;
      field[sample] = scale * (value[at]! - before * value[at - samples]! - after * value[at + samples]!);
    }
    if (removeEven(field, disturbances) === null) field.fill(NaN);
  }
  const noise = new Float64Array(samples);
  const column = new Float64Array(bins);
  for (let sample = 0; sample < samples; sample++) {
    for (let bin = 0; bin < bins; bin++) column[bin] = rough[bin * samples + sample]!;
    noise[sample] = madSigma(column);
  }
  const typical = median(noise);
  const least = typical > 0 ? 0.2 * typical : 1e-6;
  for (let sample = 0; sample < samples; sample++) noise[sample] = noise[sample]! > least ? noise[sample]! : least;
  const row = new Float64Array(samples);
  const level = new Float64Array(bins).fill(NaN);
  for (let bin = 0; bin < bins; bin++) {
    for (let sample = 0; sample < samples; sample++) row[sample] = rough[bin * samples + sample]! / noise[sample]!;
    level[bin] = madSigma(row);
  }
  const noiseOfBin = new Float64Array(bins);
  const around = 20;
  for (let bin = 0; bin < bins; bin++) {
    const near = level.subarray(Math.max(0, bin - around), Math.min(bins, bin + around + 1));
    const factor = median(near);
    noiseOfBin[bin] = factor > 0.2 ? factor : 1;
  }
  return { noise, noiseOfBin };
}

/** Frames gathered into bins of at most an eighth of the lag. */
function binFrames(
  time_s: Float64Array,
  lag_s: number,
): Pick<RelativeLight, "time_s" | "binOfFrame" | "frames" | "interval_s"> {
  const intervals = time_s.slice(1).map((t_s, at) => t_s - time_s[at]!);
  const most = Math.max(1, Math.floor(lag_s / 8 / median(intervals)));
  const binOfFrame = new Int32Array(time_s.length);
  const frames: number[] = [];
  const sums: number[] = [];
  let start_s = -Infinity;
  for (const [frame, t_s] of time_s.entries()) {
    const full = frames.length === 0 || frames[frames.length - 1] === most || t_s - start_s > lag_s / 8;
    if (full) {
      frames.push(0);
      sums.push(0);
      start_s = t_s;
    }
    const bin = frames.length - 1;
    frames[bin] = frames[bin]! + 1;
    sums[bin] = sums[bin]! + t_s;
    binOfFrame[frame] = bin;
  }
  const middle_s = Float64Array.from(sums, (sum, bin) => sum / frames[bin]!);
  return {
    time_s: middle_s,
    binOfFrame,
    frames: Int32Array.from(frames),
    interval_s: median(middle_s.slice(1).map((t_s, at) => t_s - middle_s[at]!)),
  };
}

/** Mean over the frames where a pixel is known. */
function meanImage({ width, height, data, time_s }: Stack): Float32Array {
  const n = width * height;
  const sum = new Float64Array(n);
  const known = new Int32Array(n);
  for (let frame = 0; frame < time_s.length; frame++) {
    for (let at = 0; at < n; at++) {
      const value = data[frame * n + at]!;
      if (!Number.isFinite(value)) continue;
      sum[at] = sum[at]! + value;
      known[at] = known[at]! + 1;
    }
  }
  return Float32Array.from(sum, (value, at) => (known[at]! > 0.5 * time_s.length ? value / known[at]! : NaN));
}

/** Pixels of the outline whose light comes from the particle: about half a PSF within the edge, where enough remain. */
function interior(
  mask: Uint8Array,
  reference: Float32Array,
  width: number,
  height: number,
  sigma_px: number,
): Uint8Array {
  const cover = gaussianBlur(mask, width, height, sigma_px);
  const take = (least: number): Uint8Array =>
    mask.map((one, at) => (one !== 0 && cover[at]! >= least && reference[at]! > 0 ? 1 : 0));
  const inner = take(0.7);
  return count(inner) >= 0.5 * count(mask) ? inner : take(0);
}

/** One pixel of each `stride` * `stride` block, where it lies inside. */
function sampleGrid(inside: Uint8Array, width: number, height: number, stride: number): Int32Array {
  const found: number[] = [];
  for (let y = stride >> 1; y < height; y += stride) {
    for (let x = stride >> 1; x < width; x += stride) if (inside[y * width + x] !== 0) found.push(y * width + x);
  }
  return Int32Array.from(found);
}

/** Mean of a bin's frames inside, NaN where none knows the pixel; whether every pixel was known throughout. */
function averageFrames(
  { width, height, data }: Stack,
  inside: Uint8Array,
  from: number,
  frames: number,
  into: Float32Array,
): boolean {
  const n = width * height;
  let complete = true;
  for (let at = 0; at < n; at++) {
    into[at] = NaN;
    if (inside[at] === 0) continue;
    let sum = 0;
    let known = 0;
    for (let frame = from; frame < from + frames; frame++) {
      const value = data[frame * n + at]!;
      if (!Number.isFinite(value)) continue;
      sum += value;
      known++;
    }
    if (known > 0) into[at] = sum / known;
    else complete = false;
  }
  return complete;
}

/** The image blurred with nothing outside; not normalised, as only ratios of two such images are taken. */
function blurInside(
  image: Float32Array,
  inside: Uint8Array,
  width: number,
  height: number,
  sigma_px: number,
): Float32Array {
  const masked = image.map((value, at) => (inside[at] !== 0 && Number.isFinite(value) ? value : 0));
  return gaussianBlur(masked, width, height, sigma_px);
}

/**
 * What a shift adds to each sample (the gradient of the mean image over its light) and what a wider PSF does (its
 * Laplacian), smoothed as the light is.
 */
function disturbancesOf(
  reference: Float32Array,
  inside: Uint8Array,
  samples: Int32Array,
  width: number,
  height: number,
  sigma_px: number,
): Float32Array[] {
  const whole = blurInside(reference, inside, width, height, sigma_px);
  const seen = (of: (ahead: (step: number) => number, middle: number) => number): Float32Array => {
    const image = reference.map((middle, at) => {
      if (inside[at] === 0) return 0;
      // Beyond the image, or where nothing is known, the light goes on as it is.
      const ahead = (step: number): number => {
        const other = reference[at + step] ?? NaN;
        return Number.isFinite(other) ? other : middle;
      };
      return of(ahead, middle);
    });
    const smooth = blurInside(image, inside, width, height, sigma_px);
    return Float32Array.from(samples, (at) => smooth[at]! / whole[at]!);
  };
  const patterns = [
    seen((ahead) => ahead(1) - ahead(-1)),
    seen((ahead) => ahead(width) - ahead(-width)),
    seen((ahead, middle) => ahead(1) + ahead(-1) + ahead(width) + ahead(-width) - 4 * middle),
  ];
  return orthonormal(patterns, new Float32Array(samples.length));
}

function count(mask: Uint8Array): number {
  let n = 0;
  for (const one of mask) n += one;
  return n;
}

function meanOf(values: Float64Array, of: (value: number) => number): number {
  let sum = 0;
  for (const value of values) sum += of(value);
  return sum / values.length;
}
