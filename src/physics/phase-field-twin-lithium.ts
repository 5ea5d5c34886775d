/** The lithium of a scene's particles through the whole movie: each runs its ways, and its maps are kept. */
import type { Material } from "../model/material.js";
import { refuse } from "./check.js";
import { cycleElectrode, maskOfOutline, type ElectrodeCycling } from "./electrode.js";
import type { CyclingSpec } from "./cycler.js";
import { simulateOrdering } from "./ordering.js";
import type { OrderingResult } from "./ordering-spec.js";
import { outlineOf, type Place } from "./outline.js";
import { simulatePhaseField } from "./phase-field.js";
import type { PhaseFieldDrive } from "./phase-field-drive.js";
import type { PhaseFieldResult } from "./phase-field-spec.js";
import type { MapFilm, ParticleRaster } from "./phase-field-twin-film.js";
import { materialOf, type PhaseFieldCrystalSpec, type PhaseFieldSceneSpec } from "./phase-field-twin-spec.js";

/** One way of a particle through its transition; it begins from even lithium, its x0 or the mean of the last way's end. */
export interface LithiumWay {
  readonly direction: "delithiation" | "lithiation";
  /** On the movie's clock. */
  readonly start_s: number;
  readonly end_s: number;
  /** Applied to the electrode; null where the particle had a current of its own. */
  readonly electrodeRate_C: number | null;
  /** When each cell passed the middle of the gap, on the movie's clock; NaN where it did not. */
  readonly arrival_s: Float32Array;
}

/** A particle through the whole movie. */
export interface ParticleLithium {
  readonly spec: PhaseFieldCrystalSpec;
  readonly outline_um: readonly Place[];
  readonly raster: ParticleRaster;
  readonly x: MapFilm;
  readonly ways: readonly LithiumWay[];
  /** Amount of order and of walls (1 in the middle of one), and the transitions behind them; null where it does not order. */
  readonly ordering: { readonly order: MapFilm; readonly walls: MapFilm; readonly result: OrderingResult } | null;
}

/** The lithium of a scene. */
export interface SceneLithium {
  readonly material: Material;
  readonly particles: readonly ParticleLithium[];
  /** null where no electrode runs. */
  readonly electrode: ElectrodeCycling | null;
}

/** How a scene's run is watched and stopped. */
export interface LithiumWatch {
  readonly signal?: AbortSignal | undefined;
  /** Share of the particles' ways that is done. */
  readonly onProgress?: ((share: number) => void) | undefined;
}

/** Numbers of the largest film of a particle's lithium. */
const MOST_SAMPLES = 2 ** 30;

/**
 * Runs the phase fields of a scene. `interval_s`: maps are kept so often while lithium moves. `duration_s`: of the movie; what
 * comes later is not run. Throws ParameterError as the phase field does.
 */
export async function sceneLithium(
  scene: PhaseFieldSceneSpec,
  cycling: CyclingSpec | null,
  interval_s: number,
  duration_s: number,
  seed: number,
  watch: LithiumWatch = {},
): Promise<SceneLithium> {
  const material = materialOf(scene);
  const electrode =
    scene.electrode === null || cycling === null
      ? null
      : await cycleElectrode(scene.electrode, material, cycling, seed, watch.signal);
  const before_s = cycling?.before_s ?? 0;
  const particles: ParticleLithium[] = [];
  for (const [index, spec] of scene.particles.entries()) {
    const outline_um = outlineOf(spec.outline, `phaseField.particles.${index}.outline`);
    const raster = maskOfOutline(outline_um, scene.h_um);
    const samples = raster.mask.length * (duration_s / interval_s);
    if (samples > MOST_SAMPLES)
      refuse("phaseField.h_um", scene.h_um, "Give larger cells, or fewer frames: all are kept");
    const recorder = recorderOf(raster, spec.x0);
    const drives = drivesOf(spec, electrode, before_s).filter(({ start_s }) => start_s < duration_s);
    const ways: LithiumWay[] = [];
    for (const [at, drive] of drives.entries()) {
      const next_s = drives[at + 1]?.start_s ?? Infinity;
      ways.push(
        await runWay(scene, material, spec, raster, drive, Math.min(next_s, duration_s), interval_s, recorder, watch),
      );
      watch.onProgress?.((index + (at + 1) / drives.length) / scene.particles.length);
    }
    const x = recorder.film();
    const ordering = spec.ordering === null ? null : await orderOf(spec, raster, x, interval_s, duration_s, watch);
    particles.push({ spec, outline_um, raster, x, ways, ordering });
  }
  return { material, particles, electrode };
}

/** A way to be run: what drives it, from when, how it may end. */
interface Drive {
  readonly direction: "delithiation" | "lithiation";
  readonly start_s: number;
  /** null: from where the last one ended. */
  readonly x0: number | null;
  readonly until_x: number;
  readonly lasts_s: number;
  readonly cycle: number;
  readonly electrodeRate_C: number | null;
  readonly drive: PhaseFieldDrive;
}

/** Bounds that a particle under a potential does not reach within its half cycle. */
const EMPTY_x = 0.3;
const FULL_x = 0.9995;

function drivesOf(spec: PhaseFieldCrystalSpec, electrode: ElectrodeCycling | null, before_s: number): Drive[] {
  if (spec.drive.kind === "none") return [];
  if (spec.drive.kind === "current") {
    return spec.drive.ways.map(({ direction, start_s, x0, until_x, x_per_h, cycle }) => {
      return {
        direction,
        start_s,
        x0,
        until_x,
        lasts_s: Infinity,
        cycle,
        electrodeRate_C: null,
        drive: { kind: "current", x_per_h },
      };
    });
  }
  return (electrode?.halfCycles ?? []).map(({ kind, rate_C, cycle, start_s, end_s, E_V }) => {
    return {
      direction: kind === "charge" ? "delithiation" : "lithiation",
      start_s: start_s - before_s,
      x0: null,
      until_x: kind === "charge" ? EMPTY_x : FULL_x,
      lasts_s: end_s - start_s,
      cycle,
      electrodeRate_C: rate_C,
      drive: { kind: "potential", E_V },
    };
  });
}

interface Recorder {
  /** Keeps a map of lithium at a time of the movie. */
  readonly keep: (t_s: number, x: ArrayLike<number>) => void;
  /** Lithium everywhere from this time on. */
  readonly even: (t_s: number, x: number) => void;
  readonly mean: () => number;
  readonly film: () => MapFilm;
}

/** Maps that lie outside the mask are kept as 0, so that they never make a number NaN. */
function recorderOf({ mask }: ParticleRaster, x0: number): Recorder {
  const inside = mask.reduce((sum, one) => sum + one, 0);
  const t_s: number[] = [];
  const maps: Float32Array[] = [];
  const push = (time_s: number, map: Float32Array): void => {
    t_s.push(time_s);
    maps.push(map);
  };
  push(
    -1e9,
    Float32Array.from(mask, (one) => one * x0),
  );
  return {
    keep: (time_s, x) =>
      push(
        time_s,
        Float32Array.from(mask, (one, at) => (one === 1 ? x[at]! : 0)),
      ),
    even: (time_s, x) =>
      push(
        time_s,
        Float32Array.from(mask, (one) => one * x),
      ),
    mean: () => maps.at(-1)!.reduce((sum, value) => sum + value, 0) / inside,
    film: () => ({ t_s, maps }),
  };
}

/** Time in which what is left of a way's gradients is taken to even out before the next one begins. */
const EVENING_s = 60;

async function runWay(
  scene: PhaseFieldSceneSpec,
  material: Material,
  spec: PhaseFieldCrystalSpec,
  raster: ParticleRaster,
  way: Drive,
  until_s: number,
  interval_s: number,
  recorder: Recorder,
  watch: LithiumWatch,
): Promise<LithiumWay> {
  const { start_s, direction } = way;
  const x0 = way.x0 ?? Math.min(recorder.mean(), FULL_x - 1e-3);
  const film = recorder.film();
  if (film.t_s.at(-1)! < start_s - EVENING_s) recorder.keep(start_s - EVENING_s, film.maps.at(-1)!);
  const run = simulatePhaseField({
    mask: raster.mask,
    width: raster.width,
    height: raster.height,
    h_um: raster.h_um,
    material:
      spec.exchange_A_m2 === null
        ? material
        : { ...material, exchange_A_m2: { value: spec.exchange_A_m2, source: "the scenario's" } },
    delta_um: scene.delta_um,
    edge: {
      ...spec.edge,
      cycle: (spec.edge.cycle ?? 0) + way.cycle,
      ...(direction === "lithiation" && spec.lithiationSpots !== null ? { hotSpots: spec.lithiationSpots } : {}),
    },
    x0,
    xStop: way.until_x,
    until_s: Math.min(way.lasts_s, Math.max(interval_s, until_s - start_s)),
    drive: way.drive,
    snapshots_s: interval_s,
    signal: watch.signal,
  });
  let next = await run.next();
  while (!next.done) {
    recorder.keep(start_s + next.value.t_s, next.value.x);
    next = await run.next();
  }
  const result: PhaseFieldResult = next.value;
  const end_s = start_s + result.t_s.at(-1)!;
  if (end_s > film.t_s.at(-1)!) recorder.keep(end_s, result.x);
  return {
    direction,
    start_s,
    end_s,
    electrodeRate_C: way.electrodeRate_C,
    arrival_s: result.arrival_s.map((arrival_s) => arrival_s + start_s),
  };
}

/** Less order than this is none. */
const NO_ORDER = 1e-6;

/** The order that follows the particle's mean lithium through its window; it does not act back on the lithium. */
async function orderOf(
  spec: PhaseFieldCrystalSpec,
  raster: ParticleRaster,
  x: MapFilm,
  interval_s: number,
  duration_s: number,
  watch: LithiumWatch,
): Promise<NonNullable<ParticleLithium["ordering"]>> {
  const { nuclei, walls, seed, window_x, nucleationAt, frontVelocity_um_s } = spec.ordering!;
  const inside = raster.mask.reduce((sum, one) => sum + one, 0);
  const course: [number, number][] = [];
  for (const [at, map] of x.maps.entries()) {
    const t_s = Math.max(0, x.t_s[at]!);
    if (course.length > 0 && t_s <= course.at(-1)![0]) course.pop();
    if (t_s <= duration_s) course.push([t_s, map.reduce((sum, value) => sum + value, 0) / inside]);
  }
  if (course.at(-1)![0] < duration_s) course.push([duration_s, course.at(-1)![1]]);
  const run = simulateOrdering({
    mask: raster.mask,
    width: raster.width,
    height: raster.height,
    h_um: raster.h_um,
    delta_um: Math.max(0.15, raster.h_um),
    drive: { kind: "lithium", x: course, window_x },
    nuclei,
    nucleationAt,
    frontVelocity_um_s,
    walls,
    seed,
    until_s: duration_s,
    snapshots_s: interval_s,
    signal: watch.signal,
  });
  const films = { t_s: [] as number[], order: [] as Float32Array[], walls: [] as Float32Array[] };
  const { mask } = raster;
  let resting = 0;
  let next = await run.next();
  while (!next.done) {
    const [a, b, c] = next.value.order;
    const order = Float32Array.from(mask, (one, at) => (one === 1 ? a[at]! + b[at]! + c[at]! : 0));
    resting = order.every((value) => value < NO_ORDER) ? resting + 1 : 0;
    // A long time without order needs its two ends alone.
    if (resting > 2) for (const column of Object.values(films)) column.pop();
    films.t_s.push(next.value.t_s);
    films.order.push(order);
    films.walls.push(
      Float32Array.from(mask, (one, at) => (one === 1 ? 4 * (a[at]! * b[at]! + a[at]! * c[at]! + b[at]! * c[at]!) : 0)),
    );
    next = await run.next();
  }
  return {
    order: { t_s: films.t_s, maps: films.order },
    walls: { t_s: films.t_s, maps: films.walls },
    result: next.value,
  };
}
