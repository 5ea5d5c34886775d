/** The answers of a twin whose lithium a phase field moved, by the definitions that a measurement is held to. */
import { containsPoint, distanceToPolygon, polygonArea, polygonCentroid } from "../kernels/polygon.js";
import { mean, median, quantile } from "../kernels/stats.js";
import { SECONDS_PER_HOUR } from "../model/units.js";
import { lithiumPerHour } from "./electrode.js";
import { thermodynamics } from "./free-energy.js";
import { placesInside, type Place } from "./outline.js";
import { between, mapAt, valuesAt, type ParticleRaster } from "./phase-field-twin-film.js";
import type { ParticleLithium, SceneLithium } from "./phase-field-twin-lithium.js";
import { frontWay } from "./phase-field-twin-way.js";
import {
  boxOf,
  C_RATE_BANDWIDTH_s,
  COLLISION_COS,
  mostWithin,
  pixelsOf,
  type Truth,
  type TruthKinetics,
} from "./truth.js";
import type { Twin } from "./twin.js";

/** Maps of lithium that the truth keeps of each particle, evenly over the movie. */
const LITHIUM_MAPS = 60;
/** A transition that has come so far by the movie's end has a front and numbers. */
const COMPLETE = 0.5;

type Writable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer U)[] ? U[] : T[K] };
type Answers = Writable<Pick<Truth, "transitions" | "kinetics" | "mechanisms" | "maps">> & {
  domains: NonNullable<Truth["domains"]>[number][];
  lithium: NonNullable<Truth["lithium"]>[number][];
};

/** Computes the answers of a twin from its lithium; `nominal_mAh_g` is the one value of 1C. */
export function phaseFieldTruth(made: Twin, lithium: SceneLithium, nominal_mAh_g: number): Truth {
  const { pixelSize_um, acquisition } = made;
  const found: Answers = { transitions: [], kinetics: [], mechanisms: [], maps: [], domains: [], lithium: [] };
  const gap = thermodynamics(lithium.material).gap;
  const width_x = gap === null ? 0 : gap.rich_x - gap.poor_x;
  const factor = width_x / lithiumPerHour(lithium.material, nominal_mAh_g);
  for (const [index, particle] of lithium.particles.entries()) {
    const before = found.transitions.length;
    for (const front of frontsOf(particle)) tell(made, index, particle, front, factor, found);
    if (found.transitions.length === before) {
      found.mechanisms.push({ particle: index, transition: null, kind: "none", nuclei_um: [] });
    }
    found.lithium.push(sampledLithium(made, index, particle));
  }
  return {
    drift: { x_px: [...acquisition.x_px], y_px: [...acquisition.y_px] },
    gain: [...acquisition.gain],
    particles: lithium.particles.map(({ outline_um }, id) => {
      const outline_px = outline_um.map(([x, y]): Place => [x / pixelSize_um, y / pixelSize_um]);
      return { id, centre_px: polygonCentroid(outline_px), area_um2: polygonArea(outline_um), outline_px };
    }),
    ...found,
  };
}

/** A front as the truth takes it. */
interface Front {
  readonly kind: "biphasic" | "ordering";
  readonly direction: "delithiation" | "lithiation";
  readonly rate_C: number | null;
  readonly arrival_s: Float32Array;
  readonly domains: NonNullable<Truth["domains"]>[number] | null;
}

/** All fronts of a particle in the order of time. */
function frontsOf({ ways, ordering, raster }: ParticleLithium): Front[] {
  const fronts: Front[] = ways.map(({ direction, electrodeRate_C, arrival_s }) => {
    return { kind: "biphasic", direction, rate_C: electrodeRate_C, arrival_s, domains: null };
  });
  for (const passage of ordering?.result.transitions ?? []) {
    const { domains, collision } = passage;
    const [ox, oy] = raster.origin_um;
    fronts.push({
      kind: "ordering",
      direction: passage.kind === "ordering" ? "delithiation" : "lithiation",
      rate_C: null,
      arrival_s: passage.arrival_s,
      domains: {
        particle: 0,
        transition: 0,
        count: domains.count,
        wall_angles_deg: domains.walls.map(({ meeting_deg, angle_deg }) => meeting_deg ?? angle_deg),
        meeting_um: domains.walls.flatMap(({ meeting_um }): Place[] =>
          meeting_um === null ? [] : [[meeting_um[0] + ox, meeting_um[1] + oy]],
        ),
        collision,
      },
    });
  }
  return fronts.filter(({ arrival_s }) => arrival_s.some(Number.isFinite)).sort((a, b) => first(a) - first(b));
}

function first({ arrival_s }: Front): number {
  return arrival_s.reduce((least, value) => (value < least ? value : least), Infinity);
}

function tell(
  made: Twin,
  particle: number,
  { outline_um, raster }: ParticleLithium,
  front: Front,
  factor: number,
  found: Answers,
): void {
  const end_s = made.acquisition.time_s.at(-1)!;
  const known = front.arrival_s.map((value) => (value <= end_s ? value : NaN));
  const places = placesInside(outline_um, 20_000);
  const values = new Float64Array(places.length);
  valuesAt(between(raster, places), known, values);
  const arrivals = values.filter(Number.isFinite).sort();
  if (arrivals.length === 0) return;
  const transition = found.transitions.length;
  const share = arrivals.length / places.length;
  const way = frontWay(raster, known);
  found.transitions.push({
    id: transition,
    particle,
    kind: front.kind,
    direction: front.direction,
    start_s: arrivals[0]!,
    end_s: arrivals.at(-1)!,
    step: NaN,
    rate_C: front.rate_C,
    covered: share,
  });
  if (front.domains !== null) found.domains.push({ ...front.domains, particle, transition });
  found.mechanisms.push({
    particle,
    transition,
    kind: way.kind,
    nuclei_um: way.nuclei_um,
    rim50: way.rim50,
    rim80: way.rim80,
    depth: way.depth,
  });
  if (share < COMPLETE) return;
  const all = values.map((value) => (Number.isNaN(value) ? Infinity : value)).sort();
  found.kinetics.push(
    kineticsOf(made, particle, transition, outline_um, raster, known, all, front, factor, way.nuclei_um),
  );
  const box = boxOf(made, outline_um);
  const pixels = pixelsOf(made, outline_um);
  const map = new Float64Array(pixels.length);
  valuesAt(between(raster, pixels), known, map);
  const arrival_s = Float32Array.from(map, (value, at) => (containsPoint(outline_um, ...pixels[at]!) ? value : NaN));
  found.maps.push({ particle, transition, ...box, arrival_s });
}

function kineticsOf(
  made: Twin,
  particle: number,
  transition: number,
  outline_um: readonly Place[],
  raster: ParticleRaster,
  arrival_s: Float32Array,
  all: Float64Array,
  front: Front,
  factor: number,
  nuclei_um: readonly Place[],
): TruthKinetics {
  const biphasic = front.kind === "biphasic";
  const [t5_s, t50_s, t95_s] = [0.05, 0.5, 0.95].map((share) => shareTurned(all, share)) as [number, number, number];
  const complete = t95_s < Infinity;
  const pixels = clearPixels(made, outline_um, raster, arrival_s, nuclei_um);
  const velocities = pixels.map(({ velocity_um_s }) => velocity_um_s);
  const late = pixels
    .filter(({ at_s }) => at_s <= t95_s && at_s >= t95_s - 0.1 * (t95_s - t5_s))
    .map(({ velocity_um_s }) => velocity_um_s);
  const perHour = factor * SECONDS_PER_HOUR;
  const none = velocities.length === 0;
  return {
    particle,
    transition,
    velocity_um_s: none ? null : median(velocities),
    velocity_mean_um_s: none ? null : mean(velocities),
    velocity_late_um_s: complete && late.length > 0 ? median(late) : null,
    velocity_range_um_s: none ? null : [quantile(velocities, 0.05), quantile(velocities, 0.95)],
    t50_s,
    duration_s: complete ? t95_s - t5_s : NaN,
    c_rate_max: biphasic ? (perHour * turnedWithin(all, C_RATE_BANDWIDTH_s)) / C_RATE_BANDWIDTH_s : null,
    c_rate_mean: biphasic && complete ? (perHour * 0.9) / (t95_s - t5_s) : null,
    c_rate_factor: factor,
    c_rate_bandwidth_s: C_RATE_BANDWIDTH_s,
  };
}

/** When a share of all places has turned; sorted times, Infinity for places that never did. */
function shareTurned(sorted: Float64Array, share: number): number {
  return sorted[Math.floor(share * (sorted.length - 1))]!;
}

/** The greatest share of all places that turned within a window. */
function turnedWithin(sorted: Float64Array, window_s: number): number {
  const turned = sorted.filter(Number.isFinite);
  return (mostWithin(turned, window_s) * turned.length) / sorted.length;
}

/** Velocity, 1 / |grad arrival|, at the pixels in which one is defined. */
function clearPixels(
  made: Twin,
  outline_um: readonly Place[],
  raster: ParticleRaster,
  arrival_s: Float32Array,
  nuclei_um: readonly Place[],
): { at_s: number; velocity_um_s: number }[] {
  const psf_um = made.scenario.optics.psf_um;
  const pixels = pixelsOf(made, outline_um).filter(
    ([x, y]) =>
      containsPoint(outline_um, x, y) &&
      distanceToPolygon(outline_um, x, y) > psf_um &&
      !nuclei_um.some((nucleus) => Math.hypot(x - nucleus[0], y - nucleus[1]) <= psf_um),
  );
  const away_um = Math.max(psf_um, raster.h_um);
  // The pixel itself and eight places around it.
  const places = pixels.flatMap(([x, y]): Place[] => [
    [x, y],
    ...Array.from({ length: 8 }, (_, turn): Place => {
      const angle = (turn * Math.PI) / 4;
      return [x + away_um * Math.cos(angle), y + away_um * Math.sin(angle)];
    }),
  ]);
  const [slopeX, slopeY] = slopes(raster, arrival_s);
  const where = between(raster, places);
  const read = (map: Float32Array): Float64Array => {
    const values = new Float64Array(places.length);
    valuesAt(where, map, values);
    return values;
  };
  const [gx, gy, at_s] = [read(slopeX), read(slopeY), read(arrival_s)];
  const found: { at_s: number; velocity_um_s: number }[] = [];
  for (let pixel = 0; pixel < pixels.length; pixel++) {
    const at = 9 * pixel;
    const slope = Math.hypot(gx[at]!, gy[at]!);
    if (!(slope > 0 && Number.isFinite(at_s[at]!))) continue;
    let apart = false;
    for (let other = at + 1; other < at + 9; other++) {
      const there = Math.hypot(gx[other]!, gy[other]!);
      if (gx[at]! * gx[other]! + gy[at]! * gy[other]! < COLLISION_COS * slope * there) apart = true;
    }
    if (!apart) found.push({ at_s: at_s[at]!, velocity_um_s: 1 / slope });
  }
  return found;
}

/** Slopes of a map along x and y, s/um, from the cells on both sides, or on one at the rim; NaN where neither is known. */
function slopes({ width, height, h_um, mask }: ParticleRaster, map: Float32Array): [Float32Array, Float32Array] {
  const along = (step: number): Float32Array => {
    const slope = new Float32Array(map.length).fill(NaN);
    for (let at = 0; at < map.length; at++) {
      if (mask[at] !== 1 || Number.isNaN(map[at]!)) continue;
      const inside = (other: number): boolean =>
        other >= 0 && other < width * height && mask[other] === 1 && !Number.isNaN(map[other]!);
      const before = inside(at - step) ? at - step : at;
      const after = inside(at + step) ? at + step : at;
      if (after !== before) slope[at] = (map[after]! - map[before]!) / (((after - before) / step) * h_um);
    }
    return slope;
  };
  return [along(1), along(width)];
}

/** Lithium of a particle: its mean and the share of the poor phase in every frame, and maps at some moments. */
function sampledLithium(
  made: Twin,
  particle: number,
  { x, raster, outline_um }: ParticleLithium,
): NonNullable<Truth["lithium"]>[number] {
  const frames = made.acquisition.time_s;
  const map = new Float64Array(raster.mask.length);
  const inside = raster.mask.reduce((sum, one) => sum + one, 0);
  const x_mean = Array.from(frames, (time_s) => {
    mapAt(x, time_s, map);
    return map.reduce((sum, value) => sum + value, 0) / inside;
  });
  const count = Math.min(LITHIUM_MAPS, frames.length);
  const box = boxOf(made, outline_um);
  const pixels = pixelsOf(made, outline_um);
  const where = between(raster, pixels);
  const holds = pixels.map((place) => containsPoint(outline_um, ...place));
  const values = new Float64Array(pixels.length);
  const time_s: number[] = [];
  const maps = new Float32Array(count * pixels.length);
  for (let at = 0; at < count; at++) {
    const frame = count === 1 ? 0 : Math.round((at * (frames.length - 1)) / (count - 1));
    time_s.push(frames[frame]!);
    mapAt(x, frames[frame]!, map);
    valuesAt(where, map, values);
    for (let pixel = 0; pixel < values.length; pixel++) {
      maps[at * values.length + pixel] = holds[pixel] ? values[pixel]! : NaN;
    }
  }
  return { particle, x_mean, time_s, ...box, x: maps };
}
