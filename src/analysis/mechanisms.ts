/** The way the new phase took: a shrinking core, a wave, a hybrid, all at once, or none. */
import { distanceTransform } from "../kernels/distance.js";
import { halfGaussian } from "../kernels/filter.js";
import { orderOf } from "../kernels/order.js";
import { random } from "../kernels/random.js";
import { sampledBlur } from "../kernels/sampled-blur.js";
import { median } from "../kernels/stats.js";
import type { FrontMap, Mechanism, Transition } from "../model/experiment.js";
import { cameraNoise } from "./map-noise.js";
import { valleysOf, type Valley } from "./nuclei.js";
import { fillArrivals } from "./fill-arrivals.js";

/** The rules' thresholds, and by how much they may well be drawn otherwise. */
interface Thresholds {
  /** Share of the rim that is transformed when 80 % of the area is, from which on it is a core. */
  readonly rim: number;
  /** Depth of the last 5 % of the area, in inradii, that parts core from the others. */
  readonly depth: number;
  /** Depth of a valley of arrivals that makes it a nucleus, in seconds. */
  readonly valley_s: number;
  /** Spread of arrivals that cannot be told from none. */
  readonly uniform_s: number;
}

const RIM = { value: 0.9, margin: 0.03 } as const;
const DEPTH = { value: 0.5, margin: 0.05 } as const;
/** A valley is a nucleus above so many standard errors of the smoothed map, or this share of the whole time. */
const VALLEY = { sds: 5, share: 0.06, margin: 0.15 } as const;
/** Share of the particle that a front must fill before it meets another, to count as one. */
const BASIN = 0.02;
/** Arrivals spread over less than so many standard errors, or widths of the passing, are one moment. */
const UNIFORM = { sds: 7, widths: 3, margin: 0.1 } as const;
/** A kind that fewer draws agree on is undecided. */
const AGREEMENT = 0.6;
/** Share of the outline below which a transition was too incomplete to be judged. */
const COMPLETE = 0.8;

/**
 * Mechanism of one front by rule, on its map with gaps filled and smoothed by a point spread.
 *
 * core: 90 % of the rim is transformed when 80 % of the area is, and the last 5 % of the area lie deeper than half the
 * inradius. wave: one nucleus, less of the rim then, and the last 5 % at the rim. hybrid: several nuclei on the rim, and
 * the last 5 % nearer the rim than half the inradius, however much of the rim is transformed before. uniform: all arrivals are one moment, within
 * noise or the width of the passing. What fits none, or not in most draws, is undecided.
 *
 * `score` is the share of draws of the map's noise, with thresholds drawn within their margins, that give that kind; of
 * an undecided front, the share that do not give the likeliest one. A nucleus stands at the pixel nearest to the middle of
 * the places first reached, in um in the image of frame 0.
 */
export function classifyMechanism(front: FrontMap, { psf_um = 0.118 }: { psf_um?: number } = {}): Mechanism {
  const { particle, transition, width, height, pixelSize_um, origin_px } = front;
  const filled = fillArrivals(front, psf_um);
  const share = filled.sorted_s.length / filled.outline;
  if (!(share >= COMPLETE)) {
    const because = `only ${percent(share)} of the particle is transformed`;
    return { particle, transition, kind: "undecided", score: 1, nuclei_um: [], because };
  }
  const noise = cameraNoise(front, psf_um);
  const sigma_px = psf_um / pixelSize_um;
  const depth_px = distanceTransform(front.mask, width, height);
  const smooth = smoother(filled.arrival_s, width, height, sigma_px);
  const map = smooth(filled.arrival_s);
  // The smooth map and the smooth noise add up to what is smoothed of both.
  const noises = noise.draws_s.map((draw_s) => smooth(filled.smoothed(draw_s)));
  // Fronts begin at the rim, and its arrivals are the noisier ones.
  const rim: number[] = [];
  for (let at = 0; at < map.length; at++) {
    if (!(depth_px[at]! <= 2 * RIM_PX) || Number.isNaN(map[at]!)) continue;
    let squares = 0;
    for (const one of noises) squares += one[at]! * one[at]!;
    rim.push(Math.sqrt(squares / noises.length));
  }
  const noise_s = median(rim);
  const drawn = noises.map((one) => one.map((value, at) => map[at]! + value));
  const whole_s = spanOf(map, orderOf(map));
  const thresholds: Thresholds = {
    rim: RIM.value,
    depth: DEPTH.value,
    valley_s: Math.max(VALLEY.sds * noise_s, VALLEY.share * whole_s),
    uniform_s: Math.max(UNIFORM.sds * noise_s, UNIFORM.widths * front.lag_s),
  };
  const known = front.arrival_s;
  const own = judge({ map, known, depth_px, width, height }, thresholds);
  const dice = random(0x3a7 + particle * 31 + transition);
  const counts = new Map<string, number>();
  for (const draw of drawn) {
    const { kind } = judge(
      { map: draw, known, depth_px, width, height },
      {
        rim: RIM.value + RIM.margin * dice.normal(),
        depth: DEPTH.value + DEPTH.margin * dice.normal(),
        valley_s: thresholds.valley_s * Math.exp(VALLEY.margin * dice.normal()),
        uniform_s: thresholds.uniform_s * Math.exp(UNIFORM.margin * dice.normal()),
      },
    );
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  const agreeing = (counts.get(own.kind) ?? 0) / drawn.length;
  const probabilities = Object.fromEntries([...counts].map(([kind, count]) => [kind, count / drawn.length]));
  const nuclei_um = own.valleys.map(({ pixels }): readonly [number, number] => {
    const at = middleOf(pixels, width);
    return [(origin_px[0] + (at % width)) * pixelSize_um, (origin_px[1] + Math.floor(at / width)) * pixelSize_um];
  });
  if (own.kind === "undecided" || agreeing < AGREEMENT) {
    const because =
      own.kind === "undecided"
        ? own.because
        : `${own.because}, but only ${percent(agreeing)} of draws of the noise agree`;
    const likeliest = Math.max(0, ...[...counts].map(([kind, count]) => (kind === "undecided" ? 0 : count)));
    return {
      particle,
      transition,
      kind: "undecided",
      score: 1 - likeliest / drawn.length,
      probabilities,
      nuclei_um,
      because,
    };
  }
  return { particle, transition, kind: own.kind, score: agreeing, probabilities, nuclei_um, because: own.because };
}

/** What is said of a particle, or of one of its windows, in which no front was followed. */
export function withoutFront(particle: number, transition: Transition | null): Mechanism {
  if (transition === null) {
    const because = "no front was found: the particle changed evenly, not at all, or in no way that could be followed";
    return { particle, transition: null, kind: "none", score: 1, nuclei_um: [], because };
  }
  if (transition.order === "homogeneous") {
    const because = "the whole particle changed at once";
    return { particle, transition: transition.id, kind: "uniform", score: 1, nuclei_um: [], because };
  }
  const because = "the particle changed unevenly, but no front could be followed through it";
  return { particle, transition: transition.id, kind: "undecided", score: 1, nuclei_um: [], because };
}

interface Scene {
  readonly map: Float32Array;
  /** NaN where the map is only extrapolated. */
  readonly known: Float32Array;
  readonly depth_px: Float64Array;
  readonly width: number;
  readonly height: number;
}

interface Judgement {
  readonly kind: "core" | "wave" | "hybrid" | "uniform" | "undecided";
  readonly valleys: readonly Valley[];
  readonly because: string;
}

/** The outermost pixels of a mask. */
const RIM_PX = 1.5;

function judge({ map, known, depth_px, width, height }: Scene, thresholds: Thresholds): Judgement {
  const order = orderOf(map);
  const area_px = order.length;
  if (spanOf(map, order) <= thresholds.uniform_s) {
    return {
      kind: "uniform",
      valleys: [],
      because: "all of the particle changed within the time that can be resolved",
    };
  }
  // A front does not begin where it was never seen, and one that fills next to nothing is a flaw of the rim.
  const valleys = valleysOf(map, width, height, thresholds.valley_s, order).filter(
    ({ pixels, basin_px }) =>
      basin_px >= BASIN * area_px && 2 * pixels.filter((at) => Number.isFinite(known[at]!)).length >= pixels.length,
  );
  const until_s = valueAt(map, order, 0.8);
  const last_s = valueAt(map, order, 0.95);
  let rim = 0;
  let passed = 0;
  let inradius_px = 0;
  let shallowest_px = Infinity;
  const lastDepths: number[] = [];
  for (let at = 0; at < map.length; at++) {
    if (!Number.isFinite(map[at]!)) continue;
    inradius_px = Math.max(inradius_px, depth_px[at]!);
    if (depth_px[at]! <= RIM_PX) {
      rim++;
      if (map[at]! <= until_s) passed++;
    }
    if (map[at]! < last_s) continue;
    lastDepths.push(depth_px[at]!);
    shallowest_px = Math.min(shallowest_px, depth_px[at]!);
  }
  const rimShare = passed / rim;
  const lastDepth = median(lastDepths) / inradius_px;
  const atRim = valleys.filter(({ pixels }) => pixels.some((at) => depth_px[at]! <= 2 * RIM_PX)).length;
  const because = `${percent(rimShare)} of the rim is transformed when 80 % of the area is, the last 5 % lie at ${lastDepth.toFixed(2)} of the inradius, and the front began in ${valleys.length === 1 ? "one place" : `${valleys.length} places`}`;
  const deep = lastDepth > thresholds.depth;
  const closed = rimShare >= thresholds.rim;
  if (closed && deep) return { kind: "core", valleys, because };
  if (!closed && !deep && valleys.length === 1 && shallowest_px <= RIM_PX) return { kind: "wave", valleys, because };
  if (!deep && atRim > 1) return { kind: "hybrid", valleys, because };
  return { kind: "undecided", valleys, because };
}

/** Smooths values at the pixels where a map has one, as far as it has; NaN elsewhere. */
function smoother(
  map: Float32Array,
  width: number,
  height: number,
  sigma_px: number,
): (values: Float32Array) => Float32Array {
  const half = halfGaussian(sigma_px);
  const grid = { left: 0, top: 0, stride: 1, columns: width, rows: height };
  const blurred = (image: Float32Array): Float32Array => {
    const into = new Float32Array(image.length);
    sampledBlur(image, width, height, half, grid, into);
    return into;
  };
  const known = map.map((value) => (Number.isFinite(value) ? 1 : 0));
  const weight = blurred(known);
  return (values) => {
    const result = blurred(values.map((value, at) => (known[at] === 1 ? value : 0)));
    for (let at = 0; at < result.length; at++) result[at] = known[at] === 1 ? result[at]! / weight[at]! : NaN;
    return result;
  };
}

/** Time from 5 % to 95 % of a map's pixels. */
function spanOf(map: Float32Array, order: Int32Array): number {
  return valueAt(map, order, 0.95) - valueAt(map, order, 0.05);
}

/** The value below which a share of a map's pixels lies. */
function valueAt(map: Float32Array, order: Int32Array, share: number): number {
  return map[order[Math.floor(share * (order.length - 1))]!]!;
}

/** The pixel nearest to the middle of a region. */
function middleOf(pixels: readonly number[], width: number): number {
  const x = pixels.reduce((sum, at) => sum + (at % width), 0) / pixels.length;
  const y = pixels.reduce((sum, at) => sum + Math.floor(at / width), 0) / pixels.length;
  const far = (at: number): number => ((at % width) - x) ** 2 + (Math.floor(at / width) - y) ** 2;
  return pixels.reduce((best, at) => (far(at) < far(best) ? at : best));
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}
