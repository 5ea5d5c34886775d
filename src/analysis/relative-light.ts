/** A particle's light, frame by frame, relative to its own mean image: what differential images are made of. */
import { newArena } from "../kernels/compiled.js";
import { gaussianBlur, halfGaussian } from "../kernels/filter.js";
import { gridOf, sampledBlur } from "../kernels/sampled-blur.js";
import { madSigmaInPlace, mean, median, transposed } from "../kernels/stats.js";
import type { Stack } from "../model/movie.js";
import { disturbancesOf, removeEven } from "./disturbances.js";
import { withoutOwnAnswer } from "./own-answer.js";

/**
 * A particle's light relative to its mean image, smoothed by one PSF within the outline, as natural logarithms:
 * a differential image is then a difference, and D = I(t) / I(t - lag) - 1 is its value as long as it is small.
 * Sampled about once a PSF; frames much closer together than the lag are averaged into bins.
 */
export interface RelativeLight {
  /** Mean time stamp of each bin. */
  readonly time_s: Float64Array;
  /** Bin of each frame of the stack; -1 for a frame without light. */
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
  const { members, ...bins } = binFrames(stack, inside, lag_s);
  const stride = Math.max(1, Math.floor(sigma_px));
  const samples = sampleGrid(inside, width, height, stride);
  if (samples.length < 6 || bins.time_s.length < 8) return null;

  const value = blurredRatios(stack, { members, inside, reference, samples, stride, sigma_px });
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

/** What light is made relative with. */
interface Reference {
  /** Frames of each bin. */
  readonly members: readonly (readonly number[])[];
  readonly inside: Uint8Array;
  readonly reference: Float32Array;
  /** Pixels of the samples, on a grid of so many px. */
  readonly samples: Int32Array;
  readonly stride: number;
  readonly sigma_px: number;
}

/** Bins * samples: the logarithm of each bin's blurred light over that of the mean image. */
function blurredRatios(
  stack: Stack,
  { members, inside, reference, samples, stride, sigma_px }: Reference,
): Float32Array {
  const { width, height } = stack;
  const { grid, places } = gridOf(samples, width, stride);
  const half = halfGaussian(sigma_px);
  const pixels = pixelsOf(inside);
  const value = new Float32Array(members.length * samples.length);
  const arena = newArena();
  try {
    const image = arena.floats(width * height);
    const blurred = arena.floats(grid.columns * grid.rows);
    const blur = (): void => sampledBlur(image, width, height, half, grid, blurred);
    for (let k = 0; k < pixels.length; k++) image[pixels[k]!] = reference[pixels[k]!]!;
    blur();
    const whole = blurred.slice();
    for (let bin = 0; bin < members.length; bin++) {
      const known = averageFrames(stack, pixels, members[bin]!, image);
      blur();
      const above = known === null ? blurred : blurred.slice();
      let below: Float32Array = whole;
      if (known !== null) {
        for (let k = 0; k < pixels.length; k++) image[pixels[k]!] = known[k] === 0 ? 0 : reference[pixels[k]!]!;
        blur();
        below = blurred;
      }
      for (let sample = 0, to = bin * samples.length; sample < samples.length; sample++, to++) {
        const at = places[sample]!;
        const ratio = above[at]! / below[at]!;
        // Less than half of the pixels around it: too far from any light.
        value[to] = below[at]! > 0.5 * whole[at]! && ratio > 0 ? Math.log(ratio) : NaN;
      }
    }
  } finally {
    arena.release();
  }
  return value;
}

function pixelsOf(mask: Uint8Array): Int32Array {
  const found = new Int32Array(count(mask));
  let n = 0;
  for (let at = 0; at < mask.length; at++) if (mask[at] !== 0) found[n++] = at;
  return found;
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
  const columns = transposed(rough, bins, samples);
  for (let sample = 0; sample < samples; sample++) {
    let n = 0;
    for (let at = sample * bins; at < (sample + 1) * bins; at++)
      if (!Number.isNaN(columns[at]!)) column[n++] = columns[at]!;
    noise[sample] = madSigmaInPlace(column, n);
  }
  const typical = median(noise);
  const least = typical > 0 ? 0.2 * typical : 1e-6;
  for (let sample = 0; sample < samples; sample++) noise[sample] = noise[sample]! > least ? noise[sample]! : least;
  const row = new Float64Array(samples);
  const level = new Float64Array(bins).fill(NaN);
  for (let bin = 0; bin < bins; bin++) {
    let n = 0;
    for (let sample = 0, at = bin * samples; sample < samples; sample++, at++) {
      if (!Number.isNaN(rough[at]!)) row[n++] = rough[at]! / noise[sample]!;
    }
    level[bin] = madSigmaInPlace(row, n);
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

/** Frames with light, gathered into bins of at most an eighth of the lag. */
function binFrames(
  stack: Stack,
  inside: Uint8Array,
  lag_s: number,
): Pick<RelativeLight, "time_s" | "binOfFrame" | "frames" | "interval_s"> & { readonly members: number[][] } {
  const { time_s } = stack;
  const pixels = pixelsOf(inside);
  const lit = Array.from(time_s, (_, frame) => frame).filter((frame) => isLit(stack, pixels, frame));
  const most = Math.max(1, Math.floor(lag_s / 8 / (median(intervalsOf(lit.map((frame) => time_s[frame]!))) || lag_s)));
  const members: number[][] = [];
  const binOfFrame = new Int32Array(time_s.length).fill(-1);
  for (const frame of lit) {
    const open = members[members.length - 1];
    if (open === undefined || open.length === most || time_s[frame]! - time_s[open[0]!]! > lag_s / 8) {
      members.push([frame]);
    } else open.push(frame);
    binOfFrame[frame] = members.length - 1;
  }
  const middle_s = Float64Array.from(members, (frames) => mean(frames.map((frame) => time_s[frame]!)));
  return {
    members,
    time_s: middle_s,
    binOfFrame,
    frames: Int32Array.from(members, (frames) => frames.length),
    interval_s: median(intervalsOf(middle_s)),
  };
}

/** Whether a frame shows at least half of the particle. */
function isLit({ width, height, data }: Stack, pixels: Int32Array, frame: number): boolean {
  const start = frame * width * height;
  let known = 0;
  for (let k = 0; k < pixels.length; k++) {
    const value = data[start + pixels[k]!]!;
    if (value - value === 0) known++;
  }
  return 2 * known > pixels.length;
}

function intervalsOf(time_s: ArrayLike<number>): Float64Array {
  return Float64Array.from({ length: Math.max(0, time_s.length - 1) }, (_, at) => time_s[at + 1]! - time_s[at]!);
}

/** Mean over the frames where a pixel is known; NaN where those are less than half as many as where most are. */
function meanImage({ width, height, data, time_s }: Stack): Float32Array {
  const n = width * height;
  const sum = new Float64Array(n);
  const known = new Int32Array(n);
  for (let frame = 0; frame < time_s.length; frame++) {
    const start = frame * n;
    for (let at = 0; at < n; at++) {
      const value = data[start + at]!;
      if (value - value !== 0) continue;
      sum[at] = sum[at]! + value;
      known[at] = known[at]! + 1;
    }
  }
  const most = known.reduce((a, b) => Math.max(a, b), 0);
  return Float32Array.from(sum, (value, at) => (2 * known[at]! > most ? value / known[at]! : NaN));
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

/** Mean of a bin's frames at some pixels, 0 where none knows one; 1 for each that is known, null where all are. */
function averageFrames(
  { width, height, data }: Stack,
  pixels: Int32Array,
  frames: readonly number[],
  into: Float32Array,
): Uint8Array | null {
  const n = width * height;
  let known: Uint8Array | null = null;
  for (let k = 0; k < pixels.length; k++) {
    const at = pixels[k]!;
    let sum = 0;
    let seen = 0;
    for (let turn = 0; turn < frames.length; turn++) {
      const value = data[frames[turn]! * n + at]!;
      // Not so where it is not finite.
      if (value - value !== 0) continue;
      sum += value;
      seen++;
    }
    into[at] = seen > 0 ? sum / seen : 0;
    if (seen > 0) continue;
    known ??= new Uint8Array(pixels.length).fill(1);
    known[k] = 0;
  }
  return known;
}

function count(mask: Uint8Array): number {
  let n = 0;
  for (const one of mask) n += one;
  return n;
}
