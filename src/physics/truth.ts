/**
 * The answers of a twin, from its exact arrival fields by the definitions that a measurement is held to.
 *
 * Velocity: of the pixels whose centres lie farther than one point spread from outline, nuclei and collision lines, each once.
 * Phase fraction: share of the outline's area that is transformed. Duration: from 5 % to 95 %.
 * C-rate: factor * (fraction gained over the bandwidth) / bandwidth, per hour.
 */
import { containsPoint, distanceToPolygon, polygonArea, polygonCentroid } from "../kernels/polygon.js";
import { mean, median, quantile } from "../kernels/stats.js";
import { LCO_THEORETICAL_MAH_G, SECONDS_PER_HOUR } from "../model/units.js";
import type { CrystalFront } from "./crystal.js";
import { placesInside, type Place } from "./outline.js";
import type { Twin } from "./twin.js";

/** Charge of the biphasic transition of LiCoO2 in units of 1C: dx Q_theory / Q_1C. */
const C_RATE_FACTOR = (0.2 * LCO_THEORETICAL_MAH_G) / 155;
export const C_RATE_BANDWIDTH_s = 20;
/** Fronts that come from directions farther apart than this meet in a collision line. */
export const COLLISION_COS = Math.SQRT1_2;

/** Arrival of one front at the pixel centres of a crop; NaN outside the outline. */
export interface TruthMap {
  readonly particle: number;
  readonly transition: number;
  readonly origin_px: Place;
  readonly width: number;
  readonly height: number;
  readonly arrival_s: Float32Array;
}

/** The answers of a twin as plain values; a transition's id is its place in `transitions`. */
export interface Truth {
  readonly drift: { readonly x_px: readonly number[]; readonly y_px: readonly number[] };
  readonly gain: readonly number[];
  readonly particles: readonly {
    readonly id: number;
    readonly centre_px: Place;
    readonly area_um2: number;
    readonly outline_px: readonly Place[];
  }[];
  readonly transitions: readonly {
    readonly id: number;
    readonly particle: number;
    readonly kind: "biphasic" | "ordering";
    readonly direction: "delithiation" | "lithiation";
    /** First and last arrival. */
    readonly start_s: number;
    readonly end_s: number;
    /** Change of light behind the front, in units of the crystal's light before all changes; NaN where lithium makes it. */
    readonly step: number;
    /** Applied rate of the electrode whose potential drove it. */
    readonly rate_C?: number | null;
    /** Share of the particle that had turned by the movie's end. */
    readonly covered?: number;
  }[];
  readonly kinetics: readonly TruthKinetics[];
  readonly mechanisms: readonly {
    readonly particle: number;
    readonly transition: number | null;
    readonly kind: "core" | "wave" | "hybrid" | "none";
    readonly nuclei_um: readonly Place[];
    /** Share of the rim that is transformed when half and 80 % of the area is, and depth of the last 5 % in inradii. */
    readonly rim50?: number;
    readonly rim80?: number;
    readonly depth?: number;
  }[];
  readonly maps: readonly TruthMap[];
  /** Domains of an ordering transition. */
  readonly domains?: readonly {
    readonly particle: number;
    readonly transition: number;
    readonly count: number;
    /** Walls as rays from their meeting point, from +x towards +y; a wall without one by its own direction. */
    readonly wall_angles_deg: readonly number[];
    readonly meeting_um: readonly Place[];
    readonly collision: boolean;
  }[];
  /** Lithium of each particle: its mean in every frame, and maps x(r) at some moments, one after another. */
  readonly lithium?: readonly TruthLithium[];
}

/** Lithium of a particle. */
export interface TruthLithium {
  readonly particle: number;
  readonly x_mean: readonly number[];
  /** Moments of the maps. */
  readonly time_s: readonly number[];
  readonly origin_px: Place;
  readonly width: number;
  readonly height: number;
  /** moments * height * width; NaN outside the outline. */
  readonly x: Float32Array;
}

/** Numbers of one front. */
export interface TruthKinetics {
  readonly particle: number;
  readonly transition: number;
  /** Median, mean, 5th and 95th percentile over pixels; null where the crystal is too small for one such pixel. */
  readonly velocity_um_s: number | null;
  readonly velocity_mean_um_s: number | null;
  readonly velocity_range_um_s: readonly [number, number] | null;
  /** Median over the last tenth of the duration. */
  readonly velocity_late_um_s?: number | null;
  readonly t50_s: number;
  /** NaN where the movie ends before. */
  readonly duration_s: number;
  /** Null for an ordering transition. */
  readonly c_rate_max: number | null;
  readonly c_rate_mean: number | null;
  readonly c_rate_factor: number;
  readonly c_rate_bandwidth_s: number;
}

/** Computes the answers of a twin. */
export function truthOf(made: Twin): Truth {
  if (made.answers !== undefined) return made.answers();
  const { pixelSize_um, acquisition, crystals } = made;
  const transitions: Truth["transitions"][number][] = [];
  const kinetics: TruthKinetics[] = [];
  const mechanisms: Truth["mechanisms"][number][] = [];
  const maps: TruthMap[] = [];
  for (const [particle, { outline_um, fronts }] of crystals.entries()) {
    const places = fronts.length === 0 ? [] : placesInside(outline_um, 20_000);
    for (const front of fronts) {
      const transition = transitions.length;
      const { kind, motion, step } = front;
      const passed = ([x, y]: Place): number => motion.time_s(motion.passing(x, y).phase_s);
      const arrivals = Float64Array.from(places, passed).sort();
      // The first and the last place lie on the rim, at a nucleus, or inside.
      const ends = [...outline_um, ...motion.nuclei_um.filter((nucleus) => holds(outline_um, nucleus))].map(passed);
      transitions.push({
        id: transition,
        particle,
        kind: front.transition,
        direction: front.direction,
        start_s: Math.min(arrivals[0]!, ...ends),
        end_s: Math.max(arrivals[arrivals.length - 1]!, ...ends),
        step,
      });
      kinetics.push(kineticsOf(made, particle, transition, front, arrivals));
      mechanisms.push({
        particle,
        transition,
        kind: kind === "inward" ? "core" : motion.nuclei_um.length > 1 ? "hybrid" : "wave",
        nuclei_um: motion.nuclei_um,
      });
      maps.push(mapOf(made, particle, transition, front));
    }
    if (fronts.length === 0) mechanisms.push({ particle, transition: null, kind: "none", nuclei_um: [] });
  }
  return {
    drift: { x_px: [...acquisition.x_px], y_px: [...acquisition.y_px] },
    gain: [...acquisition.gain],
    particles: crystals.map(({ outline_um }, id) => {
      const outline_px = outline_um.map(([x, y]): Place => [x / pixelSize_um, y / pixelSize_um]);
      return { id, centre_px: polygonCentroid(outline_px), area_um2: polygonArea(outline_um), outline_px };
    }),
    transitions,
    kinetics,
    mechanisms,
    maps,
  };
}

function holds(outline_um: readonly Place[], [x, y]: Place): boolean {
  return containsPoint(outline_um, x, y) || distanceToPolygon(outline_um, x, y) < 1e-6;
}

function kineticsOf(
  made: Twin,
  particle: number,
  transition: number,
  front: CrystalFront,
  arrivals: Float64Array,
): TruthKinetics {
  const velocities = clearPixels(made, front).map(([x, y]) => front.motion.velocity_um_s(x, y));
  const t5_s = quantile(arrivals, 0.05);
  const t95_s = quantile(arrivals, 0.95);
  const biphasic = front.transition === "biphasic";
  const perHour = C_RATE_FACTOR * SECONDS_PER_HOUR;
  const none = velocities.length === 0;
  return {
    particle,
    transition,
    velocity_um_s: none ? null : median(velocities),
    velocity_mean_um_s: none ? null : mean(velocities),
    velocity_range_um_s: none ? null : [quantile(velocities, 0.05), quantile(velocities, 0.95)],
    t50_s: quantile(arrivals, 0.5),
    duration_s: t95_s - t5_s,
    c_rate_max: biphasic ? (perHour * mostWithin(arrivals, C_RATE_BANDWIDTH_s)) / C_RATE_BANDWIDTH_s : null,
    c_rate_mean: biphasic ? (perHour * 0.9) / (t95_s - t5_s) : null,
    c_rate_factor: C_RATE_FACTOR,
    c_rate_bandwidth_s: C_RATE_BANDWIDTH_s,
  };
}

/** The greatest share of sorted times that fall within a window of the given length. */
export function mostWithin(sorted: Float64Array, window_s: number): number {
  let most = 0;
  for (let first = 0, last = 0; first < sorted.length; first++) {
    while (last < sorted.length && sorted[last]! <= sorted[first]! + window_s) last++;
    most = Math.max(most, last - first);
  }
  return most / sorted.length;
}

/** Centres, in um, of the pixels in which a velocity is defined. */
function clearPixels(made: Twin, { motion }: CrystalFront): Place[] {
  const { outline_um, nuclei_um } = motion;
  const psf_um = made.scenario.optics.psf_um;
  return pixelsOf(made, outline_um).filter(([x, y]) => {
    if (!containsPoint(outline_um, x, y) || distanceToPolygon(outline_um, x, y) <= psf_um) return false;
    if (nuclei_um.some((nucleus) => Math.hypot(x - nucleus[0], y - nucleus[1]) <= psf_um)) return false;
    const here = motion.passing(x, y);
    for (let turn = 0; turn < 8; turn++) {
      const angle = (turn * Math.PI) / 4;
      const there = motion.passing(x + psf_um * Math.cos(angle), y + psf_um * Math.sin(angle));
      if (there.nucleus !== here.nucleus || here.nx * there.nx + here.ny * there.ny < COLLISION_COS) return false;
    }
    return true;
  });
}

/** Centres, in um, of the pixels of the box about an outline, row by row. */
export function pixelsOf(made: Twin, outline_um: readonly Place[]): Place[] {
  const { origin_px, width, height } = boxOf(made, outline_um);
  return Array.from({ length: width * height }, (_, at): Place => [
    (origin_px[0] + (at % width)) * made.pixelSize_um,
    (origin_px[1] + Math.floor(at / width)) * made.pixelSize_um,
  ]);
}

/** The box about an outline, two pixels wider on each side, as far as the image goes. */
export function boxOf(
  { width, height, pixelSize_um }: Twin,
  outline_um: readonly Place[],
): { origin_px: Place; width: number; height: number } {
  const ends = (axis: 0 | 1, size: number): [number, number] => {
    const along = outline_um.map((place) => place[axis] / pixelSize_um);
    const first = Math.min(size - 1, Math.max(0, Math.floor(Math.min(...along)) - 2));
    return [first, Math.max(first, Math.min(size - 1, Math.ceil(Math.max(...along)) + 2))];
  };
  const [left, right] = ends(0, width);
  const [top, bottom] = ends(1, height);
  return { origin_px: [left, top], width: right - left + 1, height: bottom - top + 1 };
}

function mapOf(made: Twin, particle: number, transition: number, { motion }: CrystalFront): TruthMap {
  const box = boxOf(made, motion.outline_um);
  const arrival_s = Float32Array.from(pixelsOf(made, motion.outline_um), ([x, y]) => motion.arrival_s(x, y));
  return { particle, transition, ...box, arrival_s };
}
