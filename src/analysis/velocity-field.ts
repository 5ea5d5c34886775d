/** How fast and which way the boundary passed each pixel: the local slope of the arrival map. */
import type { DiscFits } from "../kernels/disc.js";
import { distanceTransform } from "../kernels/distance.js";
import { median } from "../kernels/stats.js";
import type { FrontMap } from "../model/experiment.js";
import type { MapNoise } from "./map-noise.js";
import { applySlopes, slopes, type Slopes } from "./slopes.js";

/** Slopes of an arrival map, one entry a pixel at which one stands. */
export interface VelocityField {
  /** The map, thinned where its pixels are much finer than the point spread. */
  readonly map: ThinMap;
  /** Gives value and slope, in s/px of the thin map, from arrivals thinned alike. */
  readonly operator: Slopes;
  /** Value and slope of the map at the operator's pixels, and those of the noise's draws. */
  readonly found: DiscFits;
  readonly drawn: readonly DiscFits[];
  /** Variance that noise gives to one component of the slope, (s/px)^2. */
  readonly slopeVariance: Float64Array;
  /** 1 where a velocity is defined: farther than a point spread from outline, nuclei and collision lines. */
  readonly clear: Uint8Array;
  /** Share of such pixels that are left out because their arrivals are in doubt. */
  readonly doubtful: number;
  /** Whether no pixel was, and the inner part of the particle stands in. */
  readonly relaxed: boolean;
}

/** A map of squares of pixels. */
export interface ThinMap {
  readonly width: number;
  readonly height: number;
  readonly stride: number;
  readonly pixelSize_um: number;
  readonly arrival_s: Float32Array;
  readonly sd_s: Float32Array;
  readonly noise_sd_s: Float32Array;
  readonly depth_um: Float32Array;
}

/** The slope's noise that is aimed at, as a share of the slope: the median of 1/|slope| is then right to 0.2 %. */
const SLOPE_NOISE = 0.06;
/** Least and greatest disc: in point spreads and px, in um and inradii. */
const LEAST_RADIUS = { psf: 1.5, px: 2.2 } as const;
const MOST_RADIUS = { um: 1, inradius: 0.5 } as const;
/** Directions on both sides of a nucleus or a collision line differ by more than this. */
const KINK_COS = Math.cos((50 * Math.PI) / 180);
/** An arrival less certain than so many typical ones and a width of the passing gives no slope. */
const DOUBTFUL = 3;
/** Draws of the noise from which the slopes' own is taken. */
const VARIANCE_DRAWS = 16;
/** Pixels that tell the typical slope. */
const ENOUGH = 1000;
/** Fewer clear pixels than this are none. */
const FEWEST = 4;

/**
 * Slope at each covered pixel, from a quadratic over a disc just wide enough for SLOPE_NOISE, weighted by the inverse
 * variances of the arrivals. Where the directions of travel on two sides of a pixel, a point spread (or the disc's reach)
 * away, differ by more than 50 degrees, fronts meet or begin: no velocity is defined there, and no disc looks
 * across. Null where the map holds no slope, or noise alone would give as steep ones.
 */
export function velocityField(front: FrontMap, psf_um: number, noise: MapNoise): VelocityField | null {
  const map = thin(front, psf_um);
  const { width, height, pixelSize_um, arrival_s, sd_s, noise_sd_s, depth_um } = map;
  const psf_px = psf_um / pixelSize_um;
  const typicalSd_s = median(sd_s);
  const weight = Float64Array.from(arrival_s, (t, at) => {
    if (!Number.isFinite(t)) return 0;
    return typicalSd_s > 0 ? 1 / ((sd_s[at]! || typicalSd_s) ** 2 + 0.1 * typicalSd_s ** 2) : 1;
  });
  const inradius_px = depth_um.reduce((most, depth) => Math.max(most, depth), 0) / pixelSize_um;
  const least_px = Math.max(LEAST_RADIUS.px, LEAST_RADIUS.psf * psf_px);
  const most_px = Math.max(least_px, Math.min(MOST_RADIUS.um / pixelSize_um, MOST_RADIUS.inradius * inradius_px));
  // White noise of the same power as the map's, a pixel of the thin map.
  const white_s = (at: number): number =>
    ((noise_sd_s[at]! || 0) * noise.factor * Math.sqrt(noise.area_px2)) / map.stride;
  const whiteTypical_s = median(arrival_s.map((t, at) => (Number.isFinite(t) ? white_s(at) : NaN)));
  // The disc's kernel gives a slope the variance 9.6 white^2 / (pi r^4).
  const radiusFor = (steepness: number): number => {
    const wanted = ((9.6 / Math.PI) * (whiteTypical_s / (SLOPE_NOISE * steepness)) ** 2) ** 0.25;
    return Math.min(most_px, Math.max(least_px, Number.isFinite(wanted) ? wanted : least_px));
  };
  let radius_px = Math.min(most_px, 1.4 * least_px);
  // The typical slope is told by some of the pixels.
  const wanted = someOf(weight, width);
  for (let round = 0; round < 2; round++) {
    const { x, y } = applySlopes(slopes({ width, height, weight, wanted, radius_px }), arrival_s);
    const wanted_px = radiusFor(median(x.map((value, i) => Math.hypot(value, y[i]!))));
    if (Math.abs(Math.log(wanted_px / radius_px)) < 0.1) break;
    radius_px = wanted_px;
  }
  let operator = slopes({ width, height, weight, radius_px });
  if (operator.pixels.length < FEWEST) return null;
  const kinks = kinksOf(map, operator, Math.max(psf_px, 0.7 * radius_px));
  if (kinks.some((kink) => kink === 1)) operator = slopes({ width, height, weight, radius_px, wall: kinks });
  const found = applySlopes(operator, arrival_s);
  const drawn = noise.draws_s.map((draw_s) =>
    applySlopes(operator, thinned(draw_s, front.width, front.height, map.stride)),
  );
  const slopeVariance = varianceOf(drawn.slice(0, VARIANCE_DRAWS), operator.pixels.length);
  const beyondNoise = median(found.x.map((x, i) => (x * x + found.y[i]! ** 2) / slopeVariance[i]!));
  if (beyondNoise < 4) return null;
  // Where a front stood and went on no one slope is its own.
  const most_s = DOUBTFUL * typicalSd_s + front.lag_s;
  const clearBelow = (least_um: number): Uint8Array =>
    Uint8Array.from(operator.pixels, (at) =>
      kinks[at] === 0 && depth_um[at]! > least_um && !(sd_s[at]! > most_s) ? 1 : 0,
    );
  const count = (clear: Uint8Array): number => clear.reduce((sum, one) => sum + one, 0);
  const clear = clearBelow(psf_um);
  const doubtful = operator.pixels.reduce(
    (sum, at) => sum + (kinks[at] === 0 && depth_um[at]! > psf_um && sd_s[at]! > most_s ? 1 : 0),
    0,
  );
  const rest = {
    map,
    operator,
    found,
    drawn,
    slopeVariance,
    doubtful: doubtful / Math.max(1, doubtful + count(clear)),
  };
  if (count(clear) >= FEWEST) return { ...rest, clear, relaxed: false };
  const inner = clearBelow(0.5 * inradius_px * pixelSize_um);
  return count(inner) < FEWEST ? null : { ...rest, clear: inner, relaxed: true };
}

/** 1 at pixels with a weight, or on a grid of them that still has ENOUGH. */
function someOf(weight: Float64Array, width: number): Uint8Array {
  const known = weight.reduce((sum, own) => sum + (own > 0 ? 1 : 0), 0);
  const stride = Math.max(1, Math.floor(Math.sqrt(known / ENOUGH)));
  return Uint8Array.from(weight, (own, at) =>
    own > 0 && (at % width) % stride === 0 && Math.floor(at / width) % stride === 0 ? 1 : 0,
  );
}

/** Mean square of one component of the slopes of the map's noise, by its draws. */
function varianceOf(drawn: readonly DiscFits[], n: number): Float64Array {
  const variance = new Float64Array(n);
  const share = 0.5 / drawn.length;
  for (const { x, y } of drawn) {
    for (let i = 0; i < n; i++) variance[i] = variance[i]! + share * (x[i]! * x[i]! + y[i]! * y[i]!);
  }
  return variance;
}

/** Means of the finite values over squares of `stride` pixels; NaN where less than half of a square has one. */
export function thinned(values: Float32Array, width: number, height: number, stride: number): Float32Array {
  if (stride === 1) return values;
  const thinWidth = Math.floor(width / stride);
  const thin = new Float32Array(thinWidth * Math.floor(height / stride));
  for (let at = 0; at < thin.length; at++) {
    const left = (at % thinWidth) * stride;
    const top = Math.floor(at / thinWidth) * stride;
    let sum = 0;
    let n = 0;
    for (let y = top; y < top + stride; y++) {
      for (let x = left; x < left + stride; x++) {
        const value = values[y * width + x]!;
        if (!Number.isFinite(value)) continue;
        sum += value;
        n++;
      }
    }
    thin[at] = 2 * n < stride * stride ? NaN : sum / n;
  }
  return thin;
}

/** The point spread leaves nothing to see between pixels closer than 0.6 of it. */
function thin(front: FrontMap, psf_um: number): ThinMap {
  const { width, height, mask, pixelSize_um } = front;
  const stride = Math.max(1, Math.floor((0.6 * psf_um) / pixelSize_um));
  const depth_um = Float32Array.from(distanceTransform(mask, width, height), (px) => (px - 0.5) * pixelSize_um);
  const part = (values: Float32Array): Float32Array => thinned(values, width, height, stride);
  return {
    width: Math.floor(width / stride),
    height: Math.floor(height / stride),
    stride,
    pixelSize_um: pixelSize_um * stride,
    arrival_s: part(front.arrival_s.map((t, at) => (mask[at] === 0 ? NaN : t))),
    sd_s: part(front.sd_s),
    noise_sd_s: part(front.noise_sd_s ?? front.sd_s),
    depth_um: part(depth_um),
  };
}

/** 1 where directions of travel on opposite sides, `reach_px` away, part or meet. */
function kinksOf({ width, height, arrival_s }: ThinMap, operator: Slopes, reach_px: number): Uint8Array {
  const { x, y } = applySlopes(operator, arrival_s);
  const steepness = x.map((value, i) => Math.hypot(value, y[i]!));
  const index = new Int32Array(width * height).fill(-1);
  for (const [i, at] of operator.pixels.entries()) index[at] = i;
  const kinks = new Uint8Array(width * height);
  for (let turn = 0; turn < 4; turn++) {
    const dx = Math.round(reach_px * Math.cos((turn * Math.PI) / 4));
    const dy = Math.round(reach_px * Math.sin((turn * Math.PI) / 4));
    for (const at of operator.pixels) {
      const x0 = at % width;
      const y0 = (at - x0) / width;
      const inside = (px: number, py: number): boolean => px >= 0 && py >= 0 && px < width && py < height;
      if (!inside(x0 + dx, y0 + dy) || !inside(x0 - dx, y0 - dy)) continue;
      const one = index[(y0 + dy) * width + x0 + dx]!;
      const other = index[(y0 - dy) * width + x0 - dx]!;
      if (one < 0 || other < 0) continue;
      if (x[one]! * x[other]! + y[one]! * y[other]! < KINK_COS * steepness[one]! * steepness[other]!) kinks[at] = 1;
    }
  }
  return kinks;
}
