/** How much of what changes in a window a shift of the scene would explain: the first doubt about any differential image. */
import { gaussianBlur } from "../kernels/filter.js";
import { invertSymmetric, timesVector } from "../kernels/normal-equations.js";
import type { Estimate, ShiftShare, Transition } from "../model/experiment.js";
import type { Stack } from "../model/movie.js";
import { NM_PER_UM } from "../model/units.js";

/** The still image is the mean over so many lags before the window, or after it. */
const STILL_LAGS = 6;
/** Pairs of frames that must be there. */
const LEAST_PAIRS = 3;

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
  const { width, height, pixelSize_um, time_s, data } = stack;
  const size = width * height;
  const psf_px = psf_um / pixelSize_um;
  const still = stillImage(stack, start_s, end_s, lag_s);
  if (still === null) return null;
  const smooth = gaussianBlur(still.map(Math.log), width, height, psf_px);
  const pixels = [...mask.keys()].filter((at) => {
    const x = at % width;
    const y = (at - x) / width;
    const inner = x > 0 && y > 0 && x < width - 1 && y < height - 1;
    return (
      mask[at] !== 0 && inner && [at, at - 1, at + 1, at - width, at + width].every((one) => isKnown(smooth[one]!))
    );
  });
  const [along, down] = [1, width].map((step) =>
    centred(Float64Array.from(pixels, (at) => (smooth[at + step]! - smooth[at - step]!) / 2)),
  ) as [Float64Array, Float64Array];
  const across = dot(along, down);
  const inverse = invertSymmetric([dot(along, along), across, across, dot(down, down)], 2);
  if (inverse === null) return null;

  const pairs: Pair[] = [];
  let shown: {
    readonly frame: number;
    readonly whole: number;
    readonly d: Float64Array;
    readonly s: [number, number];
  } = {
    frame: -1,
    whole: -1,
    d: along,
    s: [0, 0],
  };
  for (let frame = 0; frame < time_s.length; frame++) {
    if (time_s[frame]! < start_s || time_s[frame]! > end_s) continue;
    const before = partnerOf(time_s, frame, lag_s);
    if (before === null) continue;
    const change = new Float32Array(size);
    for (let at = 0; at < size; at++) change[at] = Math.log(data[frame * size + at]! / data[before * size + at]!);
    const seen = gaussianBlur(change, width, height, psf_px);
    const d = centred(Float64Array.from(pixels, (at) => seen[at]!));
    if (!d.every(isKnown)) continue;
    const [x, y] = [dot(d, along), dot(d, down)];
    const [sx, sy] = timesVector(inverse, [x, y], 2) as unknown as [number, number];
    const pair = {
      lag: Math.floor((time_s[frame]! - start_s) / lag_s),
      explained: sx * x + sy * y,
      whole: dot(d, d),
      square: sx * sx + sy * sy,
    };
    pairs.push(pair);
    if (pair.whole > shown.whole) shown = { frame, whole: pair.whole, d, s: [sx, sy] };
  }
  if (pairs.length < LEAST_PAIRS) return null;
  const map = (values: (k: number) => number): Float32Array => {
    const image = new Float32Array(size).fill(NaN);
    pixels.forEach((at, k) => (image[at] = values(k)));
    return image;
  };
  const nm_px = pixelSize_um * NM_PER_UM;
  return {
    share: ratioOver(pairs, (some) => sum(some, "explained") / sum(some, "whole")),
    shift_nm: ratioOver(pairs, (some) => nm_px * Math.sqrt(sum(some, "square") / some.length)),
    moment_s: time_s[shown.frame]!,
    lag_s,
    width,
    height,
    pixelSize_um,
    contrast: map((k) => shown.d[k]!),
    explained: map((k) => shown.s[0] * along[k]! + shown.s[1] * down[k]!),
  };
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
    const frames = [...time_s.keys()].filter((frame) => time_s[frame]! >= from_s && time_s[frame]! < to_s);
    const mean = new Float64Array(size);
    const known = new Int32Array(size);
    for (const frame of frames) {
      for (let at = 0; at < size; at++) {
        const value = data[frame * size + at]!;
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
