/** The digital twin of a scenario whose lithium a phase field moves, seen by an interferometric microscope. */
import { ParameterError } from "../model/errors.js";
import { callable, record, seeded, stoppable } from "./check.js";
import { crystalOf } from "./crystal.js";
import { cyclerRecord } from "./cycler.js";
import { gridOf } from "./cells.js";
import { exposeCamera, marginNeeded_px, type ExposureSpec } from "./expose-camera.js";
import { sceneLight } from "./phase-field-twin-light.js";
import { sceneLithium, type LithiumWatch, type SceneLithium } from "./phase-field-twin-lithium.js";
import type { PhaseFieldSceneSpec } from "./phase-field-twin-spec.js";
import { phaseFieldTruth } from "./phase-field-twin-truth.js";
import { rayleighRange_um } from "./point-spread.js";
import { checkScenario, type Scenario } from "./scenario.js";
import { refuseOverlap, refuseUnseen, type Twin } from "./twin.js";
import type { Truth } from "./truth.js";

/** A twin whose lithium is known at any moment. */
export interface PhaseFieldTwin extends Twin {
  readonly lithium: SceneLithium;
}

/** Part of the converter's range that the lithium-rich face fills: at 1.6 times its light there is room left. */
const FILLED = 0.45;
const SENSOR_BITS = 12;
/** Moments at which a scene is drawn for a frame that is exposed until the next one: an eighth of the way that a front runs. */
const MOMENTS = 8;

/**
 * Makes the twin of a scenario with a phase field: runs the lithium (seconds), after which frames are drawn when they are
 * asked for. `seed` overrides the scenario's own; rims, electrode and order have seeds of their own, which move with it.
 * Throws ParameterError for a scenario that makes no sense, and the signal's reason.
 */
export async function phaseFieldTwin(
  scenario: Scenario,
  seed: number | null = null,
  watch: LithiumWatch = {},
): Promise<PhaseFieldTwin> {
  checkScenario(scenario);
  if (seed !== null) seeded("seed", seed);
  record("watch", watch, "Give signal or onProgress, or leave it out");
  stoppable(watch.signal);
  callable("watch.onProgress", watch.onProgress);
  if (scenario.phaseField === undefined) {
    throw new ParameterError(
      "phaseField is missing: this scenario's fronts are prescribed. Give phaseField, or take twin.",
      {
        parameter: "phaseField",
        value: null,
      },
    );
  }
  const { movie, cycling } = scenario;
  const drawn = seed ?? scenario.seed;
  const scene = reseeded(scenario.phaseField, drawn - scenario.seed);
  const crystals = scene.particles.map(({ outline }, index) =>
    crystalOf(
      { outline, brightness: 1 / scene.microscope.carbon, texture: 0, textureScale_um: 0.5, changes: [] },
      `phaseField.particles.${index}`,
    ),
  );
  refuseOverlap(crystals, "phaseField.particles");
  refuseUnseen(crystals, movie, "phaseField.particles");
  const duration_s = movie.frames * movie.interval_s;
  const lithium = await sceneLithium(scene, cycling, movie.interval_s, duration_s, drawn, watch);
  const margined = filmOf(scenario, scene, 1, 0);
  const margin_px = marginNeeded_px(margined, drawn);
  const { field } = filmOf(scenario, scene, 1, margin_px);
  const { light, reference } = sceneLight(
    scene,
    lithium,
    field,
    scenario.optics.psf_um,
    scenario.optics.speckleContrast,
    drawn,
  );
  const film = exposeCamera(filmOf(scenario, scene, reference, margin_px), light, drawn);
  const { path } = film;
  const start_ms = Date.parse(movie.start);
  const perCarbon = 1 / (scene.microscope.carbon * reference);
  let truth: Truth | null = null;
  const made: PhaseFieldTwin = {
    scenario,
    seed: drawn,
    width: movie.width,
    height: movie.height,
    frames: film.frames,
    pixelSize_um: movie.pixelSize_um,
    dtype: film.dtype,
    blackLevel: film.blackLevel,
    start: new Date(start_ms).toISOString(),
    acquisition: {
      time_s: path.time_s,
      x_px: path.time_s.map((t) => path.x_um(t) / movie.pixelSize_um),
      y_px: path.time_s.map((t) => path.y_um(t) / movie.pixelSize_um),
      gain: path.lamp,
    },
    crystals,
    cycling: lithium.electrode?.record ?? (cycling === null ? null : cyclerRecord(cycling, drawn)),
    cyclingStart: cycling === null ? null : new Date(start_ms - Math.round(1000 * cycling.before_s)).toISOString(),
    read: film.read,
    light(index, into) {
      film.light(index, into);
      for (let at = 0; at < into.length; at++) into[at] = into[at]! * perCarbon;
    },
    answers: () =>
      (truth ??= phaseFieldTruth(made, lithium, cycling?.nominal_mAh_g ?? lithium.material.nominal_mAh_g.value)),
    lithium,
  };
  return made;
}

/** A scene whose seeds all move by so much: another electrode, other rims, other nuclei. */
function reseeded(scene: PhaseFieldSceneSpec, by: number): PhaseFieldSceneSpec {
  const moved = (seed: number): number => (((seed + 7919 * by) % 2 ** 31) + 2 ** 31) % 2 ** 31;
  return {
    ...scene,
    electrode: scene.electrode === null ? null : { ...scene.electrode, seed: moved(scene.electrode.seed) },
    particles: scene.particles.map((particle) => ({
      ...particle,
      edge: { ...particle.edge, seed: moved(particle.edge.seed) },
      ordering: particle.ordering === null ? null : { ...particle.ordering, seed: moved(particle.ordering.seed) },
    })),
  };
}

/**
 * The film of a scenario. The camera's noise, level and reading are those of a stored frame, as for prescribed fronts: they
 * become a sensor whose burst of short exposures has them in its mean.
 */
function filmOf(scenario: Scenario, scene: PhaseFieldSceneSpec, reference: number, margin_px: number): ExposureSpec {
  const { movie, camera, optics, drift, lamp } = scenario;
  const { microscope } = scene;
  const { burst } = microscope;
  const photonNoise2 = camera.noise ** 2 - (camera.readNoise / camera.level) ** 2;
  if (!(photonNoise2 > 0)) {
    throw new ParameterError(
      `camera.noise is ${camera.noise}: a camera has more than its reading alone, ${(camera.readNoise / camera.level).toPrecision(3)}. Raise it, or lower camera.readNoise.`,
      { parameter: "camera.noise", value: camera.noise },
    );
  }
  const bits = Math.min(SENSOR_BITS, camera.bitDepth);
  const full = 2 ** bits - 1;
  const shown = camera.noiseAt === "particle" ? 1 : microscope.carbon;
  const storedPerCount = camera.level / shown / (FILLED * full);
  const exposure_e = 1 / photonNoise2 / shown / burst;
  const electronsPerCount = exposure_e / (FILLED * full);
  const exposure_s = movie.exposure_s / burst;
  return {
    field: {
      width: movie.width,
      height: movie.height,
      pixelSize_um: movie.pixelSize_um,
      perPixel: gridOf(movie.pixelSize_um, optics.psf_um).perPixel,
      margin_px,
    },
    timing: movie,
    burst: {
      exposures: burst,
      exposure_s,
      spacing_s: exposure_s,
      moments: Math.max(1, Math.ceil((MOMENTS * movie.exposure_s) / movie.interval_s)),
    },
    drift,
    focus: microscope.focus,
    psf_um: optics.psf_um,
    rayleighRange_um: rayleighRange_um({ na: microscope.na, wavelength_um: microscope.wavelength_um, medium_n: 1.39 }),
    lamp,
    sensor: {
      fullWell_e: full * electronsPerCount,
      electronsPerCount,
      readNoise_e: (camera.readNoise * electronsPerCount * Math.sqrt(burst)) / storedPerCount,
      dark_e_s: 0,
      blackLevel: camera.blackLevel / storedPerCount,
      bitDepth: bits,
      prnu: camera.prnu,
      dsnu_e: 0,
      vignette: camera.vignette,
    },
    electronsPerLight: exposure_e / reference,
    storedPerCount,
  };
}
