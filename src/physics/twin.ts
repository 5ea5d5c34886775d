/** The digital twin: a movie and a cycler's record whose answers are known. */
import { ParameterError } from "../model/errors.js";
import type { Cycling } from "../model/cycling.js";
import type { Dtype, Frame, Samples } from "../model/movie.js";
import { acquire, type Acquisition } from "./acquisition.js";
import { entries, seeded, whole } from "./check.js";
import { cameraOf } from "./camera.js";
import { crystalOf, type Crystal } from "./crystal.js";
import { cyclerRecord } from "./cycler.js";
import { overlap } from "./outline.js";
import { checkScenario, type Scenario } from "./scenario.js";
import { sceneOf } from "./scene.js";
import { stream } from "./streams.js";
import type { Truth } from "./truth.js";

/** A synthetic experiment. Frames are drawn when they are asked for, each the same whenever and in whatever order. */
export interface Twin {
  readonly scenario: Scenario;
  readonly seed: number;
  readonly width: number;
  readonly height: number;
  readonly frames: number;
  readonly pixelSize_um: number;
  readonly dtype: Extract<Dtype, "uint8" | "uint16">;
  /** Camera counts without light. */
  readonly blackLevel: number;
  /** Civil time of the first frame's stamp, in UTC. A stamp is the middle of its exposure. */
  readonly start: string;
  /** Times, drift and lamp of every frame. */
  readonly acquisition: Acquisition;
  readonly crystals: readonly Crystal[];
  /** On the record's own clock; null where the scenario has none. */
  readonly cycling: Cycling | null;
  /** Civil time of the record's first row, in UTC. */
  readonly cyclingStart: string | null;
  /** Counts of one frame, height * width. */
  read(index: number, into: Samples): void;
  /** Light on the pixels of one frame before the camera, height * width in units of the carbon's mean. */
  light(index: number, into: Float64Array): void;
  /** The answers, where they do not follow from the crystals' prescribed fronts. */
  answers?(): Truth;
}

/**
 * Makes the twin of a scenario; `seed` overrides the scenario's own.
 * Throws ParameterError for a scenario that makes no sense, and for one with a phase field: that is run by phaseFieldTwin.
 */
export function twin(scenario: Scenario, seed: number | null = null): Twin {
  checkScenario(scenario);
  if (seed !== null) seeded("seed", seed);
  if (scenario.phaseField !== undefined) {
    throw new ParameterError(
      "phaseField is given: its lithium has to be run first. Call phaseFieldTwin and wait for it.",
      {
        parameter: "phaseField",
        value: scenario.phaseField.material,
      },
    );
  }
  const { movie, camera: cameraSpec, cycling: cyclingSpec } = scenario;
  const drawn = seed ?? scenario.seed;
  const crystals = scenario.particles.map((particle, index) => crystalOf(particle, `particles.${index}`));
  refuseOverlap(crystals);
  refuseUnseen(crystals, movie);
  const acquisition = acquire(movie, scenario.drift, scenario.lamp, drawn);
  const reach_px = [...acquisition.x_px, ...acquisition.y_px].reduce((far, shift) => Math.max(far, Math.abs(shift)), 0);
  const scene = sceneOf(crystals, { ...movie, reach_px }, scenario.optics, drawn);
  const reference = cameraSpec.noiseAt === "particle" ? (scenario.particles[0]?.brightness ?? 1) : 1;
  refuseBlownOut(scenario, reference);
  const camera = cameraOf(cameraSpec, movie.width, movie.height, reference, drawn);
  const { time_s, x_px, y_px, gain } = acquisition;
  const buffer = new Float64Array(movie.width * movie.height);
  const checkRead = (index: number, into: ArrayLike<number>): void => {
    whole("index", index, 0, time_s.length - 1);
    entries("into", into, movie.width * movie.height, "Give an array with room for each pixel");
  };
  const light = (index: number, into: Float64Array): void => {
    checkRead(index, into);
    const half_s = movie.exposure_s / 2;
    scene.render(time_s[index]! - half_s, time_s[index]! + half_s, x_px[index]!, y_px[index]!, into);
  };
  const start_ms = Date.parse(movie.start);
  return {
    scenario,
    seed: drawn,
    width: movie.width,
    height: movie.height,
    frames: time_s.length,
    pixelSize_um: movie.pixelSize_um,
    dtype: camera.dtype,
    blackLevel: cameraSpec.blackLevel,
    start: new Date(start_ms).toISOString(),
    acquisition,
    crystals,
    cycling: cyclingSpec === null ? null : cyclerRecord(cyclingSpec, drawn),
    cyclingStart:
      cyclingSpec === null ? null : new Date(start_ms - Math.round(1000 * cyclingSpec.before_s)).toISOString(),
    read(index, into) {
      checkRead(index, into);
      light(index, buffer);
      camera.expose(buffer, gain[index]!, stream(drawn, "noise", index), into);
    },
    light,
  };
}

/** The frames of a twin one after another, each in an array of its own. */
export async function* twinFrames(made: Twin, signal?: AbortSignal): AsyncGenerator<Frame> {
  for (let index = 0; index < made.frames; index++) {
    signal?.throwIfAborted();
    const size = made.width * made.height;
    const data = made.dtype === "uint8" ? new Uint8Array(size) : new Uint16Array(size);
    made.read(index, data);
    yield { time_s: made.acquisition.time_s[index]!, data };
    if (index % 8 === 7) await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

/** Refuses crystals that share any ground; `list` is their name in the scenario. */
export function refuseOverlap(crystals: readonly Crystal[], list = "particles"): void {
  for (const [index, crystal] of crystals.entries()) {
    const other = crystals.findIndex((one, at) => at > index && overlap(crystal.outline_um, one.outline_um));
    if (other < 0) continue;
    throw new ParameterError(`${list}.${index} and ${list}.${other} overlap. Move one of them.`, {
      parameter: `${list}.${other}.outline`,
      value: crystals[other]!.spec.outline,
    });
  }
}

/** Refuses crystals of which the image shows nothing. */
export function refuseUnseen(
  crystals: readonly Crystal[],
  { width, height, pixelSize_um }: Scenario["movie"],
  list = "particles",
): void {
  for (const [index, { outline_um, spec }] of crystals.entries()) {
    const seen = (axis: 0 | 1, size: number): boolean =>
      outline_um.some((place) => place[axis] > 0) &&
      outline_um.some((place) => place[axis] < (size - 1) * pixelSize_um);
    if (seen(0, width) && seen(1, height)) continue;
    throw new ParameterError(
      `${list}.${index} lies outside the image of ${(width * pixelSize_um).toFixed(2)} x ${(height * pixelSize_um).toFixed(2)} um. Move it, or widen the movie.`,
      { parameter: `${list}.${index}.outline`, value: spec.outline },
    );
  }
}

/** A crystal must stay within the camera's range; single grains of the carbon may not. */
function refuseBlownOut({ camera, particles }: Scenario, reference: number): void {
  const full = 2 ** camera.bitDepth - 1;
  for (const [index, { brightness, changes }] of particles.entries()) {
    const brightest = Math.max(1, ...changes.map((change) => change.to));
    const counts = Math.round(camera.blackLevel + (camera.level * brightness * brightest) / reference);
    if (counts <= full) continue;
    throw new ParameterError(
      `camera.level is ${camera.level}: particles.${index} would reach ${counts} counts and ${camera.bitDepth} bits end at ${full}. Lower it.`,
      { parameter: "camera.level", value: camera.level },
    );
  }
}
