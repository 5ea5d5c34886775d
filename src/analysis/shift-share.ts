/** How much of what changes in a window a shift of the scene would explain: the first doubt about any differential image. */
import { newArena } from "../kernels/compiled.js";
import { gaussianBlur, halfGaussian, leastWeight } from "../kernels/filter.js";
import { invertSymmetric, timesVector } from "../kernels/normal-equations.js";
import { gridOf, sampledBlur } from "../kernels/sampled-blur.js";
import type { Estimate, ShiftShare, Transition } from "../model/experiment.js";
import type { Stack } from "../model/movie.js";
import { NM_PER_UM } from "../model/units.js";

/** The still image is the mean over so many lags before the window, or after it. */
const STILL_LAGS = 6;
/** Pairs of frames that must be there. */
const LEAST_PAIRS = 3;
/** Spacing of the samples in point spreads, and how many there must be. */
const SPACING_PSF = 0.85;
const FEWEST_SAMPLES = 400;

/**
 * Share of the change within a window that is what a shift of the scene would make of it.
 *
 * Each differential image D(p) = ln I(p, t) - ln I(p, t - lag), smoothed by the point spread, is laid out by least squares
 * over the pixels within the outline,
 *
 *     D = m - s . grad ln I0,
 *
 * with I0 the still image before the window (after it, where the movie does not reach before). The share is the squares
 * along grad ln I0 over all squares about the mean m, both summed over the pairs of frames in the window; its sd comes
 * from leaving out one lag's pairs at a time, and n is the number of lags. `shift_nm` is the root mean square of s, x and y
 * together; it is an upper limit of how far registration is off, as noise and any front add to it.
 * `contrast` and `explained` are D and -s . grad ln I0 where the window's change is greatest.
 *
 * A front that crosses a face leaves some per cent; a window that drift alone opened, most.
 * Null where the window holds too few pairs, or the scene no gradient to see a shift by.
 */
export function shiftShare(
  stack: Stack,
  { start_s, end_s }: Pick<Transition, "start_s" | "end_s">,
  { mask, lag_s, psf_um }: { readonly mask: Uint8Array; readonly lag_s: number; readonly psf_um: number },
): Omit<ShiftShare, "particle" | "transition" | "origin_px" | "focus_change"> | null {
  const { width, height, pixelSize_um, time_s } = stack;
  const size = width * height;
  const psf_px = psf_um / pixelSize_um;
  const still = stillImage(stack, start_s, end_s, lag_s);
  if (still === null) return null;
  const smooth = gaussianBlur(still.map(Math.log), width, height, psf_px);
  const pixels = knownPixels(mask, smooth, width, height);
  const { samples, stride } = thinned(pixels, width, psf_px);
  const [along, down] = [slopesAt(smooth, samples, 1), slopesAt(smooth, samples, width)];
  const across = dot(along, down);
  const inverse = invertSymmetric([dot(along, along), across, across, dot(down, down)], 2);
  if (inverse === null) return null;

  const pairs: Pair[] = [];
  let shown = { frame: -1, before: -1, whole: -1, s: [0, 0] as readonly [number, number] };
  const change = changes(stack, { samples, stride, psf_px });
  try {
    for (let frame = 0; frame < time_s.length; frame++) {
      if (time_s[frame]! < start_s || time_s[frame]! > end_s) continue;
      const before = partnerOf(time_s, frame, lag_s);
      if (before === null) continue;
      const d = change.between(before, frame);
      if (d === null) continue;
      const [x, y] = [dot(d, along), dot(d, down)];
      const [sx, sy] = timesVector(inverse, [x, y], 2) as unknown as [number, number];
      const pair = {
        lag: Math.floor((time_s[frame]! - start_s) / lag_s),
        explained: sx * x + sy * y,
        whole: dot(d, d),
        square: sx * sx + sy * sy,
      };
      pairs.push(pair);
      if (pair.whole > shown.whole) shown = { frame, before, whole: pair.whole, s: [sx, sy] };
    }
  } finally {
    change.release();
  }
  if (pairs.length < LEAST_PAIRS) return null;
  const map = (values: Float64Array): Float32Array => {
    const image = new Float32Array(size).fill(NaN);
    for (let k = 0; k < pixels.length; k++) image[pixels[k]!] = values[k]!;
    return image;
  };
  const nm_px = pixelSize_um * NM_PER_UM;
  const [alongAll, downAll] = [slopesAt(smooth, pixels, 1), slopesAt(smooth, pixels, width)];
  return {
    share: ratioOver(pairs, (some) => sum(some, "explained") / sum(some, "whole")),
    shift_nm: ratioOver(pairs, (some) => nm_px * Math.sqrt(sum(some, "square") / some.length)),
    moment_s: time_s[shown.frame]!,
    lag_s,
    width,
    height,
    pixelSize_um,
    contrast: map(wholeChange(stack, shown.before, shown.frame, pixels, psf_px)),
    explained: map(alongAll.map((slope, k) => shown.s[0] * slope + shown.s[1] * downAll[k]!)),
  };
}

/** Pixels of the mask about which the smooth image is known. */
function knownPixels(mask: Uint8Array, smooth: Float32Array, width: number, height: number): Int32Array {
  const found: number[] = [];
  for (let y = 1; y + 1 < height; y++) {
    for (let x = 1, at = y * width + 1; x + 1 < width; x++, at++) {
      if (mask[at] === 0) continue;
      const all = smooth[at]! + smooth[at - 1]! + smooth[at + 1]! + smooth[at - width]! + smooth[at + width]!;
      if (isKnown(all)) found.push(at);
    }
  }
  return Int32Array.from(found);
}

/** The pixels on a grid as wide as the point spread leaves without loss, where enough lie on it. */
function thinned(pixels: Int32Array, width: number, psf_px: number): { samples: Int32Array; stride: number } {
  const stride = Math.max(1, Math.floor(SPACING_PSF * psf_px));
  const samples = pixels.filter((at) => (at % width) % stride === 0 && Math.floor(at / width) % stride === 0);
  return samples.length < FEWEST_SAMPLES ? { samples: pixels, stride: 1 } : { samples, stride };
}

/** Slope of an image from pixel to pixel at some pixels, along x for a step of 1, about its mean. */
function slopesAt(image: Float32Array, pixels: Int32Array, step: number): Float64Array {
  return centred(Float64Array.from(pixels, (at) => (image[at + step]! - image[at - step]!) / 2));
}

/** ln of one frame over another, smoothed, at all the pixels. */
function wholeChange(
  { width, height, data }: Stack,
  before: number,
  frame: number,
  pixels: Int32Array,
  psf_px: number,
): Float64Array {
  const size = width * height;
  const change = new Float32Array(size);
  for (let at = 0; at < size; at++) change[at] = Math.log(data[frame * size + at]! / data[before * size + at]!);
  const seen = gaussianBlur(change, width, height, psf_px);
  return centred(Float64Array.from(pixels, (at) => seen[at]!));
}

/** Changes of a stack from frame to frame. */
interface Changes {
  /** ln of the second over the first, smoothed, at the samples, about its mean, good until the next call; null where one is unknown. */
  between(before: number, frame: number): Float64Array | null;
  release(): void;
}

function changes(
  { width, height, data }: Stack,
  { samples, stride, psf_px }: { readonly samples: Int32Array; readonly stride: number; readonly psf_px: number },
): Changes {
  const size = width * height;
  const { grid, places } = gridOf(samples, width, stride);
  const half = halfGaussian(psf_px);
  const arena = newArena();
  const image = arena.floats(size);
  const blurred = arena.floats(grid.columns * grid.rows);
  const seen = arena.floats(blurred.length);
  const least = leastWeight(half);
  const d = new Float64Array(samples.length);
  const known = new Float32Array(size);
  let holes = -1;
  return {
    between(before, frame) {
      const [late, early] = [frame * size, before * size];
      let unknown = 0;
      for (let at = 0; at < size; at++) {
        const one = logRatio(data[late + at]!, data[early + at]!);
        const isOne = one - one === 0;
        image[at] = isOne ? one : 0;
        known[at] = isOne ? 1 : 0;
        if (!isOne) unknown++;
      }
      sampledBlur(image, width, height, half, grid, blurred);
      // Where all is known, as it was last time, so is its weight.
      if (unknown > 0 || holes !== 0) {
        image.set(known);
        sampledBlur(image, width, height, half, grid, seen);
        holes = unknown;
      }
      let mean = 0;
      for (let k = 0; k < d.length; k++) {
        const weight = seen[places[k]!]!;
        if (weight < least) return null;
        d[k] = blurred[places[k]!]! / weight;
        mean += d[k]!;
      }
      mean /= d.length;
      for (let k = 0; k < d.length; k++) d[k] = d[k]! - mean;
      return d;
    },
    release: arena.release,
  };
}

/** ln(a / b), by its series where they are alike, right to 1e-10. */
function logRatio(a: number, b: number): number {
  const z = (a - b) / (a + b);
  const z2 = z * z;
  return z2 < 0.01 ? 2 * z * (1 + z2 * (1 / 3 + z2 * (1 / 5 + z2 * (1 / 7 + z2 / 9)))) : Math.log(a / b);
}

/** What one pair of frames says. */
interface Pair {
  /** Which lag of the window it falls into. */
  readonly lag: number;
  readonly explained: number;
  readonly whole: number;
  readonly square: number;
}

function sum(pairs: readonly Pair[], key: "explained" | "whole" | "square"): number {
  return pairs.reduce((total, pair) => total + pair[key], 0);
}

/** A number from all pairs, with its error from leaving out one lag's pairs at a time. */
function ratioOver(pairs: readonly Pair[], of: (pairs: readonly Pair[]) => number): Estimate {
  const lags = [...new Set(pairs.map(({ lag }) => lag))];
  const value = of(pairs);
  if (lags.length < 2) return { value, sd: null, n: lags.length };
  const without = lags.map((one) => of(pairs.filter(({ lag }) => lag !== one)));
  const mean = without.reduce((total, one) => total + one, 0) / lags.length;
  const squares = without.reduce((total, one) => total + (one - mean) ** 2, 0);
  return { value, sd: Math.sqrt(((lags.length - 1) / lags.length) * squares), n: lags.length };
}

/** Mean over some lags before the window; after it where there is nothing before; null where there is neither. */
function stillImage(
  { width, height, time_s, data }: Stack,
  start_s: number,
  end_s: number,
  lag_s: number,
): Float64Array | null {
  const size = width * height;
  const reach_s = STILL_LAGS * lag_s;
  for (const [from_s, to_s] of [
    [start_s - reach_s, start_s],
    [end_s, end_s + reach_s],
  ] as const) {
    const mean = new Float64Array(size);
    const known = new Int32Array(size);
    for (let frame = 0; frame < time_s.length; frame++) {
      if (!(time_s[frame]! >= from_s && time_s[frame]! < to_s)) continue;
      for (let at = 0, of = frame * size; at < size; at++, of++) {
        const value = data[of]!;
        if (!(value > 0)) continue;
        mean[at] = mean[at]! + value;
        known[at] = known[at]! + 1;
      }
    }
    for (let at = 0; at < size; at++) mean[at] = known[at]! > 0 ? mean[at]! / known[at]! : NaN;
    if (mean.some(isKnown)) return mean;
  }
  return null;
}

/** The frame one lag before another, within half of the lag; null where there is none. */
function partnerOf(time_s: Float64Array, frame: number, lag_s: number): number | null {
  const sought_s = time_s[frame]! - lag_s;
  let best = -1;
  for (let at = frame - 1; at >= 0; at--) {
    if (best < 0 || Math.abs(time_s[at]! - sought_s) < Math.abs(time_s[best]! - sought_s)) best = at;
    if (time_s[at]! < sought_s) break;
  }
  return best >= 0 && Math.abs(time_s[best]! - sought_s) <= 0.5 * lag_s ? best : null;
}

function centred(values: Float64Array): Float64Array {
  const mean = values.reduce((total, value) => total + value, 0) / values.length;
  return values.map((value) => value - mean);
}

function dot(a: Float64Array, b: Float64Array): number {
  let total = 0;
  for (let at = 0; at < a.length; at++) total += a[at]! * b[at]!;
  return total;
}

function isKnown(value: number): boolean {
  return value - value === 0;
}
