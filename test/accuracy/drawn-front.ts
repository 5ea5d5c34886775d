/** One crystal with one front, both drawn at random: the crop as it is read from a movie, and the front's exact course. */
import { random } from "../../src/kernels/random.js";
import { containsPoint, distanceToPolygon } from "../../src/kernels/polygon.js";
import { mean, median, quantile } from "../../src/kernels/stats.js";
import type { Transition } from "../../src/model/experiment.js";
import type { Stack } from "../../src/model/movie.js";
import { outlineOf, placesInside, type Place } from "../../src/physics/outline.js";
import { prescribedFront, type FrontSpec, type PrescribedFront } from "../../src/physics/prescribed-front.js";
import type { Scenario } from "../../src/physics/scenario.js";
import { scenarios } from "../../src/physics/scenarios.js";
import { twin } from "../../src/physics/twin.js";

/** What may be drawn; each a number or the limits between which it is drawn evenly. */
export interface Limits {
  readonly seed: number;
  /** Kinds of fronts, one drawn for each movie: "meet" has two or three nuclei, "stall" a core that pauses. */
  readonly kinds: readonly FrontKind[];
  readonly radius_um: Limit;
  /** Drawn evenly in its logarithm. */
  readonly speed_nm_s: readonly [number, number];
  /** Velocity at the end of the way over that at its beginning, drawn evenly in its logarithm; both within the limits above. */
  readonly faster: readonly [number, number];
  readonly psf_um: Limit;
  readonly noise: number;
  readonly step: Limit;
  /** Boundary's own light as a share of the step, in half of the movies (none in the others). */
  readonly line: Limit;
  /** Change of light per second of the whole face, before, under and after the front. */
  readonly slope_per_s: Limit;
  readonly interval_s?: number;
}

export type FrontKind = "plane" | "wave" | "core" | "stall" | "meet";
type Limit = number | readonly [number, number];

/** A movie's crop and what is true of it. */
export interface DrawnFront {
  readonly kind: FrontKind;
  readonly stack: Stack;
  readonly mask: Uint8Array;
  readonly window: Transition;
  readonly psf_um: number;
  readonly step: number;
  readonly line: number;
  readonly speed_um_s: number;
  readonly faster: number;
  readonly radius_um: number;
  readonly interval_s: number;
  /** At the pixels' centres; NaN outside the outline. */
  readonly arrival_s: Float64Array;
  readonly depth_um: Float64Array;
  readonly motion: PrescribedFront;
  /** Whether a velocity is defined at a place: farther than a point spread from outline, nuclei and collision lines. */
  isClear(x_um: number, y_um: number): boolean;
}

const PIXEL_UM = 0.08;
const RING_UM = 0.8;
/** Fronts from directions farther apart than 45 degrees meet or part. */
const COLLISION_COS = Math.SQRT1_2;

/** Draws a movie. */
export function drawnFront(limits: Limits): DrawnFront {
  const { uniform, integer } = random(limits.seed);
  const evenly = (limit: Limit): number =>
    typeof limit === "number" ? limit : limit[0] + (limit[1] - limit[0]) * uniform();
  const inLog = ([low, high]: readonly [number, number]): number => low * (high / low) ** uniform();
  const kind = limits.kinds[integer(limits.kinds.length)]!;
  const radius_um = evenly(limits.radius_um);
  const side = Math.ceil((2.1 * radius_um + 2 * RING_UM) / PIXEL_UM);
  const centre_um: Place = [(0.5 * side + uniform() - 0.5) * PIXEL_UM, (0.5 * side + uniform() - 0.5) * PIXEL_UM];
  const round = uniform() < 0.3;
  const outline = round
    ? {
        kind: "ellipse" as const,
        centre_um,
        radii_um: [radius_um, radius_um * (0.65 + 0.35 * uniform())] as const,
        angle_deg: 180 * uniform(),
      }
    : { kind: "crystal" as const, centre_um, radius_um, corners: 5 + integer(3), seed: limits.seed };
  const speed_um_s = inLog(limits.speed_nm_s) / 1000;
  const faster = inLog([
    Math.max(limits.faster[0], limits.speed_nm_s[0] / (1000 * speed_um_s)),
    Math.min(limits.faster[1], limits.speed_nm_s[1] / (1000 * speed_um_s)),
  ]);
  const line = uniform() < 0.5 ? 0 : evenly(limits.line);
  const step = evenly(limits.step);
  const psf_um = evenly(limits.psf_um);
  const slope_per_s = evenly(limits.slope_per_s);
  const after_per_s = evenly(limits.slope_per_s);
  const interval_s = limits.interval_s ?? 5;
  const nuclei = kind === "wave" ? 1 : 2 + integer(2);
  const spin = 360 * uniform();
  const burst = 0.08 + 0.12 * uniform();
  const pace = {
    start_s: 0,
    velocity_um_s: [speed_um_s, speed_um_s * faster] as const,
    // A burst of about a tenth, some minutes of almost rest, and the way on.
    stages:
      kind === "stall"
        ? [
            { until: burst, lasts_s: null },
            { until: burst + 0.02 + 0.03 * uniform(), lasts_s: 60 + 120 * uniform() },
            { until: 1, lasts_s: null },
          ]
        : [],
  };
  const front: FrontSpec =
    kind === "plane"
      ? { kind: "plane", angle_deg: spin, ...pace }
      : kind === "core" || kind === "stall"
        ? { kind: "inward", ...pace }
        : {
            kind: "radial",
            nuclei: Array.from({ length: nuclei }, (_, at) => ({
              rim_deg: spin + (360 * (at + 0.3 * uniform())) / nuclei,
              delay_s: at === 0 ? 0 : (0.3 * uniform() * radius_um) / speed_um_s,
            })),
            ...pace,
          };
  const tried = prescribedFront(outlineOf(outline), front);
  const alone_s = Float64Array.from(placesInside(tried.outline_um, 2000), ([x, y]) => tried.arrival_s(x, y)).filter(
    Number.isFinite,
  );
  const length_s = quantile(alone_s, 1) - quantile(alone_s, 0);
  const margin_s = Math.max(60, 8 * interval_s, 0.5 * length_s);
  const start_s = margin_s + interval_s * uniform() - quantile(alone_s, 0);
  const frames = Math.ceil((2 * margin_s + length_s) / interval_s) + 2;
  const whole_s = frames * interval_s;
  const base = scenarios["core"]!;
  // The solid solution goes on under the front, or rests there and has a pace of its own on each side.
  const even = uniform() < 0.5;
  const [first_s, last_s] = [start_s + quantile(alone_s, 0), start_s + quantile(alone_s, 1)];
  const between = 1 + slope_per_s * (first_s + interval_s);
  const end = even ? 1 + slope_per_s * (whole_s + interval_s) : between + after_per_s * (whole_s - last_s);
  const scenario: Scenario = {
    ...base,
    seed: limits.seed,
    cycling: null,
    movie: { ...base.movie, width: side, height: side, pixelSize_um: PIXEL_UM, frames, interval_s, exposure_s: 1 },
    optics: { ...base.optics, psf_um },
    camera: { ...base.camera, noise: limits.noise, noiseAt: "particle" },
    drift: { linear_um: [0, 0], walk_um: 0, wobble_um: 0, wobblePeriod_s: 60 },
    lamp: { flicker: 0, fading: 0 },
    particles: [
      {
        ...base.particles[0]!,
        outline,
        brightness: 3,
        texture: 0.05 + 0.1 * uniform(),
        changes: [
          ...(even
            ? [{ kind: "ramp" as const, start_s: -interval_s, end_s: whole_s, to: end }]
            : [
                { kind: "ramp" as const, start_s: -interval_s, end_s: first_s, to: between },
                { kind: "ramp" as const, start_s: last_s, end_s: whole_s, to: end },
              ]),
          {
            kind: "front",
            transition: "biphasic",
            direction: "delithiation",
            to: end + step,
            line: { height: line * step, width_um: 0.05 + 0.1 * uniform() },
            front: { ...front, start_s },
          },
        ],
      },
    ],
  };
  const made = twin(scenario);
  const area = side * side;
  const data = new Float32Array(frames * area);
  const counts = new Uint16Array(area);
  const { level, blackLevel } = made.scenario.camera;
  for (let frame = 0; frame < made.frames; frame++) {
    made.read(frame, counts);
    for (let at = 0; at < area; at++) data[frame * area + at] = (counts[at]! - blackLevel) / level;
  }
  const { outline_um, fronts } = made.crystals[0]!;
  const { motion } = fronts[0]!;
  const arrival_s = new Float64Array(area).fill(NaN);
  const depth_um = new Float64Array(area).fill(NaN);
  const mask = new Uint8Array(area);
  for (let at = 0; at < area; at++) {
    const [x, y] = [(at % side) * PIXEL_UM, Math.floor(at / side) * PIXEL_UM];
    if (!containsPoint(outline_um, x, y)) continue;
    mask[at] = 1;
    arrival_s[at] = motion.arrival_s(x, y);
    depth_um[at] = distanceToPolygon(outline_um, x, y);
  }
  const told_s = (): number => interval_s * (2 * uniform() - 1);
  return {
    kind,
    stack: { width: side, height: side, pixelSize_um: PIXEL_UM, time_s: made.acquisition.time_s, data },
    mask,
    window: {
      id: 0,
      particle: 0,
      kind: "biphasic",
      direction: "brightening",
      directionSource: "intensity",
      halfCycle: null,
      since_half_start_s: null,
      rate_C: null,
      start_s: first_s + told_s(),
      end_s: last_s + told_s(),
      sd_s: interval_s,
      closed: true,
      order: "front",
      lag_to_dQdV: null,
    },
    psf_um,
    step,
    line,
    speed_um_s,
    faster,
    radius_um,
    interval_s,
    arrival_s,
    depth_um,
    motion,
    isClear(x, y) {
      if (!containsPoint(outline_um, x, y) || distanceToPolygon(outline_um, x, y) <= psf_um) return false;
      if (motion.nuclei_um.some(([u, v]) => Math.hypot(x - u, y - v) <= psf_um)) return false;
      const here = motion.passing(x, y);
      for (let turn = 0; turn < 8; turn++) {
        const there = motion.passing(
          x + psf_um * Math.cos((turn * Math.PI) / 4),
          y + psf_um * Math.sin((turn * Math.PI) / 4),
        );
        if (there.nucleus !== here.nucleus || here.nx * there.nx + here.ny * there.ny < COLLISION_COS) return false;
      }
      return true;
    },
  };
}

/** What is true of a front's kinetics, by the definitions of the measurement; null where it has no such number. */
export interface TrueKinetics {
  readonly velocity_um_s: number | null;
  readonly mean_um_s: number | null;
  readonly path_um_s: number | null;
  readonly late_um_s: number | null;
  readonly t50_s: number;
  readonly duration_s: number;
  readonly c_rate_max: number;
  readonly c_rate_mean: number;
  fraction(t_s: number): number;
}

/** Velocities over clear pixels, each once; the rest over places that fill the outline evenly. */
export function trueKinetics(
  drawn: DrawnFront,
  { c_rate_factor, bandwidth_s }: { readonly c_rate_factor: number; readonly bandwidth_s: number },
): TrueKinetics {
  const { motion, mask, stack, arrival_s, isClear, psf_um } = drawn;
  const arrivals = Float64Array.from(placesInside(motion.outline_um, 8000), ([x, y]) => motion.arrival_s(x, y))
    .filter(Number.isFinite)
    .sort();
  const clear: { readonly v: number; readonly t_s: number; readonly at: number }[] = [];
  for (let at = 0; at < mask.length; at++) {
    const [x, y] = [(at % stack.width) * PIXEL_UM, Math.floor(at / stack.width) * PIXEL_UM];
    if (mask[at] === 1 && isClear(x, y)) clear.push({ v: motion.velocity_um_s(x, y), t_s: arrival_s[at]!, at });
  }
  const of = (values: readonly number[], measure: (all: readonly number[]) => number, least: number): number | null =>
    values.length < least ? null : measure(values);
  const velocities = clear.map(({ v }) => v);
  const [t5_s, t95_s] = [quantile(arrivals, 0.05), quantile(arrivals, 0.95)];
  const late = clear.filter(({ t_s }) => t_s >= t95_s - 0.1 * (t95_s - t5_s) && t_s <= t95_s);
  const perHour = 3600 * c_rate_factor;
  return {
    velocity_um_s: of(velocities, median, 1),
    mean_um_s: of(velocities, mean, 1),
    path_um_s: clear.length === 0 ? null : pathOf(drawn, clear.reduce((a, b) => (b.t_s > a.t_s ? b : a)).at, psf_um),
    late_um_s: of(
      late.map(({ v }) => v),
      median,
      1,
    ),
    t50_s: quantile(arrivals, 0.5),
    duration_s: t95_s - t5_s,
    c_rate_max: (perHour * mostWithin(arrivals, bandwidth_s)) / bandwidth_s,
    c_rate_mean: (perHour * 0.9) / (t95_s - t5_s),
    fraction: (t_s) => below(arrivals, t_s) / arrivals.length,
  };
}

/** From the last clear pixel straight back along the front's way, as far as it is clear. */
function pathOf({ motion, stack, isClear }: DrawnFront, last: number, psf_um: number): number | null {
  const [x, y] = [(last % stack.width) * PIXEL_UM, Math.floor(last / stack.width) * PIXEL_UM];
  const { nx, ny } = motion.passing(x, y);
  const step_um = 0.01;
  let length_um = 0;
  while (isClear(x - (length_um + step_um) * nx, y - (length_um + step_um) * ny)) length_um += step_um;
  if (length_um < 4 * psf_um) return null;
  return length_um / (motion.arrival_s(x, y) - motion.arrival_s(x - length_um * nx, y - length_um * ny));
}

function mostWithin(sorted: Float64Array, window_s: number): number {
  let most = 0;
  for (let first = 0, last = 0; first < sorted.length; first++) {
    while (last < sorted.length && sorted[last]! <= sorted[first]! + window_s) last++;
    most = Math.max(most, last - first);
  }
  return most / sorted.length;
}

function below(sorted: Float64Array, t_s: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! <= t_s) low = middle + 1;
    else high = middle;
  }
  return low;
}
