/** The arrivals of a whole outline: smoothed within their noise, gaps filled from around. */
import { gaussianBlur } from "../kernels/filter.js";
import { median } from "../kernels/stats.js";
import type { FrontMap } from "../model/experiment.js";
import { applySlopes, slopes, surface } from "./slopes.js";

/** Arrivals of all pixels of an outline that were transformed. */
export interface FilledArrivals {
  /** NaN outside the outline and where a fit shows the pixel unchanged. */
  readonly arrival_s: Float32Array;
  /** The finite ones in ascending order. */
  readonly sorted_s: Float64Array;
  /** Pixels of the outline. */
  readonly outline: number;
  /** Share of them whose arrival comes from their neighbours, and 1 for each of those. */
  readonly filled: number;
  readonly guessed: Uint8Array;
  /** What is left of a draw of the map's noise, after the smoothing that the arrivals have had. */
  smoothed(draw_s: Float32Array): Float32Array;
}

/** Discs from which a missing arrival is taken, and over which arrivals are smoothed, in point spreads. */
const FILL_RADIUS = 3;
const SMOOTH_RADIUS = 2;
/** A gap with arrivals on all sides is bridged up to so many point spreads. */
const BRIDGE = 16;
/** An arrival is smoothed where that moves it by less than so many of its standard errors: not over kinks and cliffs. */
const SMOOTH_SDS = 3.5;

/**
 * The arrival map smoothed within its noise, and with its gaps filled. A pixel of the outline with no arrival of its own that is not shown unchanged
 * takes the value of a plane through its neighbours' arrivals, the disc growing until it holds enough of them; the plane
 * is not believed beyond the first and last arrival by more than the front takes for the disc.
 */
export function fillArrivals(front: FrontMap, psf_um: number): FilledArrivals {
  const { width, height, mask, unchanged, pixelSize_um } = front;
  const { arrival_s, smoothed } = smoothArrivals(front, psf_um);
  let outline = 0;
  let missing = 0;
  const weight = new Uint8Array(width * height);
  const wanted = new Uint8Array(width * height);
  for (let at = 0; at < mask.length; at++) {
    if (mask[at] === 0) arrival_s[at] = NaN;
    if (mask[at] === 0) continue;
    outline++;
    if (Number.isFinite(arrival_s[at]!)) weight[at] = 1;
    else if (unchanged[at] === 0) {
      wanted[at] = 1;
      missing++;
    }
  }
  const filled = outline === 0 ? 0 : missing / outline;
  const guessed = Uint8Array.from(wanted);
  if (missing > 0 && missing < outline) fillGaps(arrival_s, { width, height, weight, wanted }, psf_um / pixelSize_um);
  return { arrival_s, sorted_s: sortedFinite(arrival_s), outline, filled, guessed, smoothed };
}

interface Gaps {
  readonly width: number;
  readonly height: number;
  /** 1 where an arrival stands, and where one is wanted. */
  readonly weight: Uint8Array;
  readonly wanted: Uint8Array;
}

/**
 * Fills what is wanted, in place. A plane over the least disc that has arrivals on all sides serves first, up to
 * BRIDGE point spreads; pixels at the edge then take the plane of the least disc that has enough of them.
 */
function fillGaps(arrival_s: Float32Array, { width, height, weight, wanted }: Gaps, psf_px: number): void {
  const known = arrival_s.filter((_, at) => weight[at] === 1);
  const first_s = known.reduce((least, t) => Math.min(least, t), Infinity);
  const last_s = known.reduce((most, t) => Math.max(most, t), -Infinity);
  const least_px = Math.max(2.5, FILL_RADIUS * psf_px);
  const fill = (radius_px: number, may: (at: number) => boolean): void => {
    const now = wanted.map((one, at) => (one === 1 && may(at) ? 1 : 0));
    if (!now.includes(1)) return;
    const plane = surface(arrival_s, { width, height, weight, wanted: now, radius_px, flat: true });
    const slack_s = radius_px * median(plane.x.map((x, at) => Math.hypot(x, plane.y[at]!))) || 0;
    for (let at = 0; at < wanted.length; at++) {
      if (now[at] === 0 || !Number.isFinite(plane.value[at]!)) continue;
      arrival_s[at] = Math.min(last_s + slack_s, Math.max(first_s - slack_s, plane.value[at]!));
      wanted[at] = 0;
    }
  };
  for (let radius_px = least_px; radius_px < BRIDGE * psf_px; radius_px *= 1.4) {
    const off_px = lopsidedness(weight, width, height, 0.4 * radius_px);
    fill(radius_px, (at) => off_px[at]! < 0.15 * radius_px);
  }
  for (let radius_px = least_px; wanted.includes(1) && radius_px < 2 * Math.max(width, height); radius_px *= 1.6) {
    fill(radius_px, () => true);
  }
}

/** By how much the middle of the arrivals about each pixel lies off it. */
function lopsidedness(weight: Uint8Array, width: number, height: number, sigma_px: number): Float64Array {
  const under = gaussianBlur(weight, width, height, sigma_px);
  const x = gaussianBlur(
    Float32Array.from(weight, (one, at) => one * (at % width)),
    width,
    height,
    sigma_px,
  );
  const y = gaussianBlur(
    Float32Array.from(weight, (one, at) => one * Math.floor(at / width)),
    width,
    height,
    sigma_px,
  );
  return Float64Array.from(under, (sum, at) =>
    sum > 1e-3 ? Math.hypot(x[at]! / sum - (at % width), y[at]! / sum - Math.floor(at / width)) : Infinity,
  );
}

/** Arrivals on the quadratic through their neighbours, where their noise allows it. */
function smoothArrivals(front: FrontMap, psf_um: number): Pick<FilledArrivals, "arrival_s" | "smoothed"> {
  const { width, height, mask, pixelSize_um } = front;
  const sd_s = front.noise_sd_s ?? front.sd_s;
  const typical_s = median(sd_s);
  const arrival_s = Float32Array.from(front.arrival_s);
  if (!(typical_s > 0)) return { arrival_s, smoothed: (draw_s) => draw_s };
  const weight = Float64Array.from(arrival_s, (t, at) =>
    mask[at] !== 0 && Number.isFinite(t) ? 1 / (sd_s[at]! ** 2 + 0.1 * typical_s ** 2) : 0,
  );
  const radius_px = Math.max(2.5, (SMOOTH_RADIUS * psf_um) / pixelSize_um);
  const operator = slopes({ width, height, weight, radius_px });
  const { value } = applySlopes(operator, front.arrival_s);
  const within = operator.pixels.map((at, i) =>
    Math.abs(value[i]! - arrival_s[at]!) < SMOOTH_SDS * sd_s[at]! ? 1 : 0,
  );
  for (const [i, at] of operator.pixels.entries()) if (within[i] === 1) arrival_s[at] = value[i]!;
  const kept = new WeakMap<Float32Array, Float32Array>();
  return {
    arrival_s,
    smoothed(draw_s) {
      const before = kept.get(draw_s);
      if (before !== undefined) return before;
      const smooth = Float32Array.from(draw_s);
      const drawn = applySlopes(operator, draw_s).value;
      for (const [i, at] of operator.pixels.entries()) if (within[i] === 1) smooth[at] = drawn[i]!;
      kept.set(draw_s, smooth);
      return smooth;
    },
  };
}

function sortedFinite(values: Float32Array): Float64Array {
  return Float64Array.from(values.filter(Number.isFinite)).sort();
}

/** Equal pieces of an outline by the moment at which each was passed. */
export interface Pieces {
  /** Those that were passed, in ascending order. */
  readonly sorted_s: Float64Array;
  /** The same of those whose pixels have no arrival of their own. */
  readonly guessed_s: Float64Array;
  /** Pieces of the whole outline. */
  readonly whole: number;
}

/** Pieces of a pixel, one in each of its quarters. */
const PIECES = 4;
/** Slopes to two neighbours that differ by more than this factor are not one slope. */
const ONE_SLOPE = 3;

/**
 * Cuts each pixel into pieces, so that an area does not come in as many steps as there are rows of pixels. A piece lies
 * somewhere in its quarter, by a sequence that fills it evenly (Roberts' R2), and is passed as the slope to the pixel's
 * neighbours says; not across a kink or a cliff. Gives the pieces, for the arrivals themselves or with a draw of noise.
 */
export function piecesOf(filled: FilledArrivals, width: number): (draw_s?: Float32Array) => Pieces {
  const { arrival_s, outline } = filled;
  const pixels: number[] = [];
  for (let at = 0; at < arrival_s.length; at++) if (Number.isFinite(arrival_s[at]!)) pixels.push(at);
  const off_s = new Float64Array(PIECES * pixels.length);
  for (const [i, at] of pixels.entries()) {
    const x = at % width;
    const here = arrival_s[at]!;
    const alongX = slopeOf(x > 0 ? arrival_s[at - 1]! : NaN, here, x < width - 1 ? arrival_s[at + 1]! : NaN);
    const alongY = slopeOf(arrival_s[at - width] ?? NaN, here, arrival_s[at + width] ?? NaN);
    for (let piece = 0; piece < PIECES; piece++) {
      const u = 0.5 * ((piece % 2) + ((0.7548776662466927 * i) % 1)) - 0.5;
      const v = 0.5 * ((piece >> 1) + ((0.5698402909980532 * i) % 1)) - 0.5;
      off_s[PIECES * i + piece] = u * alongX + v * alongY;
    }
  }
  return (draw_s) => {
    const smooth_s = draw_s === undefined ? null : filled.smoothed(draw_s);
    const sorted_s = off_s.map((off, k) => {
      const at = pixels[Math.floor(k / PIECES)]!;
      return arrival_s[at]! + off + (smooth_s === null ? 0 : smooth_s[at]!);
    });
    const guessed_s = sorted_s.filter((_, k) => filled.guessed[pixels[Math.floor(k / PIECES)]!] === 1).sort();
    return { sorted_s: sorted_s.sort(), guessed_s, whole: PIECES * outline };
  };
}

/** The pieces of a map and those of its draws of noise. */
export interface DrawnPieces {
  readonly own: Pieces;
  readonly noisy: readonly Pieces[];
}

export function drawnPieces(filled: FilledArrivals, width: number, draws_s: readonly Float32Array[]): DrawnPieces {
  const pieces = piecesOf(filled, width);
  return { own: pieces(), noisy: draws_s.map(pieces) };
}

/** Slope a pixel through three values in a row, the outer ones perhaps NaN; neither over a kink nor over a cliff. */
export function slopeOf(before: number, here: number, after: number): number {
  const [back, on] = [here - before, after - here];
  if (!Number.isFinite(back)) return Number.isFinite(on) ? on : 0;
  if (!Number.isFinite(on)) return back;
  if (back * on <= 0) return 0;
  const [less, more] = Math.abs(back) < Math.abs(on) ? [back, on] : [on, back];
  return more / less > ONE_SLOPE ? less : 0.5 * (back + on);
}

/**
 * The moment at which a share of the outline is transformed: the order statistic of the pieces, linear in between; NaN
 * where so much never was.
 */
export function timeOfFraction({ sorted_s, whole }: Pieces, share: number): number {
  const rank = share * whole - 0.5;
  if (sorted_s.length === 0 || rank > sorted_s.length - 0.5) return NaN;
  const at = Math.min(Math.max(rank, 0), sorted_s.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted_s.length - 1);
  return sorted_s[below]! + (at - below) * (sorted_s[above]! - sorted_s[below]!);
}

/** Share of the outline whose arrivals are not after t. */
export function fractionAt({ sorted_s, whole }: Pieces, t_s: number): number {
  let low = 0;
  let high = sorted_s.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted_s[middle]! <= t_s) low = middle + 1;
    else high = middle;
  }
  return low / whole;
}
