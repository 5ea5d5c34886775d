/** A scenario: everything a twin is made of, as plain data. */
import type { DriftSpec, LampSpec, MovieSpec } from "./acquisition.js";
import type { CameraSpec } from "./camera.js";
import { oneOf, pair, record, records, refuse, whole, within } from "./check.js";
import type { CrystalSpec } from "./crystal.js";
import { checkCycling, type CyclingSpec } from "./cycler.js";
import { checkPhaseFieldScene, type PhaseFieldSceneSpec } from "./phase-field-twin-spec.js";
import { checkFront } from "./prescribed-front.js";
import type { OpticsSpec } from "./scene.js";

/** A synthetic experiment, complete: nothing is left to a default. */
export interface Scenario {
  /** One sentence. */
  readonly summary: string;
  /** Draws noise, speckle, faces, walk and lamp. */
  readonly seed: number;
  readonly movie: MovieSpec;
  readonly optics: OpticsSpec;
  readonly camera: CameraSpec;
  readonly drift: DriftSpec;
  readonly lamp: LampSpec;
  readonly particles: readonly CrystalSpec[];
  readonly cycling: CyclingSpec | null;
  /** A scene whose lithium a phase field moves, instead of `particles`. */
  readonly phaseField?: PhaseFieldSceneSpec | undefined;
}

/**
 * Checks that the numbers of a scenario make sense together.
 * Throws a ParameterError with the first that does not, its value and the cure.
 */
export function checkScenario(scenario: Scenario): void {
  record("scenario", scenario, "Give summary, seed, movie, optics, camera, drift, lamp, particles and cycling");
  const { movie, optics, camera, drift, lamp, particles, cycling, phaseField } = scenario;
  for (const [name, part] of Object.entries({ movie, optics, camera, drift, lamp })) {
    record(name, part, "Give a record of its numbers");
  }
  whole("seed", scenario.seed, 0, 2 ** 32 - 1);
  whole("movie.width", movie.width, 8, 2048);
  whole("movie.height", movie.height, 8, 2048);
  whole("movie.frames", movie.frames, 1, 100_000);
  within("movie.pixelSize_um", movie.pixelSize_um, 0.005, 1);
  within("movie.interval_s", movie.interval_s, 1e-6, 1e6);
  within("movie.exposure_s", movie.exposure_s, 0, movie.interval_s);
  within("movie.late_s", movie.late_s, 0, 0.9 * movie.interval_s);
  within("movie.droppedFraction", movie.droppedFraction, 0, 0.9);
  if (!Array.isArray(movie.dropped)) refuse("movie.dropped", movie.dropped, "Give a list of frames, such as []");
  for (const frame of movie.dropped) whole("movie.dropped", frame, 1, movie.frames - 1);
  const zoned = typeof movie.start === "string" && /(Z|[+-]\d\d:?\d\d)$/.test(movie.start);
  if (!zoned || !Number.isFinite(Date.parse(movie.start))) {
    refuse("movie.start", movie.start, "Give a time with its zone, such as 2020-10-26T12:49:58Z");
  }
  within("optics.psf_um", optics.psf_um, 0.01, 2);
  if (optics.psf_um < 0.5 * movie.pixelSize_um) {
    refuse("optics.psf_um", optics.psf_um, `Give at least half a pixel, ${movie.pixelSize_um / 2}`);
  }
  within("optics.speckleContrast", optics.speckleContrast, 0, 1);
  within("camera.noise", camera.noise, 0, 1);
  oneOf("camera.noiseAt", camera.noiseAt, ["particle", "carbon"]);
  within("camera.level", camera.level, 1, 65535);
  within("camera.blackLevel", camera.blackLevel, 0, 65535);
  within("camera.readNoise", camera.readNoise, 0, 65535);
  whole("camera.bitDepth", camera.bitDepth, 1, 16);
  within("camera.prnu", camera.prnu, 0, 0.2);
  within("camera.vignette", camera.vignette, 0, 0.95);
  pair("drift.linear_um", drift.linear_um, -100, 100, "Give two numbers, -100 to 100");
  within("drift.walk_um", drift.walk_um, 0, 10);
  within("drift.wobble_um", drift.wobble_um, 0, 10);
  within("drift.wobblePeriod_s", drift.wobblePeriod_s, 1e-3, 1e9);
  within("lamp.flicker", lamp.flicker, 0, 0.2);
  within("lamp.fading", lamp.fading, -0.9, 10);
  records("particles", particles, 0, 10_000, "Give a list of crystals, or an empty one");
  for (const [index, particle] of particles.entries()) checkParticle(particle, `particles.${index}`);
  if (cycling !== null) {
    checkCycling("cycling", cycling);
    within("cycling.x0", cycling.x0, 0.4, 0.98);
    for (const [index, step] of cycling.programme.entries()) {
      if (step.kind !== "rest") within(`cycling.programme.${index}.until_V`, step.until_V, 2.5, 4.6);
    }
  }
  if (phaseField === undefined) return;
  if (particles.length > 0) {
    refuse("particles", particles.length, "A scene has either particles or phaseField.particles: leave these empty");
  }
  checkPhaseFieldScene(phaseField, cycling !== null);
}

function checkParticle(particle: CrystalSpec, name: string): void {
  within(`${name}.brightness`, particle.brightness, 0, 1000);
  within(`${name}.texture`, particle.texture, 0, 0.3);
  within(`${name}.textureScale_um`, particle.textureScale_um, 0.02, 5);
  records(`${name}.changes`, particle.changes, 0, 1000, "Give a list of fronts and ramps, or an empty one");
  for (const [index, change] of particle.changes.entries()) {
    const at = `${name}.changes.${index}`;
    oneOf(`${at}.kind`, change.kind, ["front", "ramp"]);
    within(`${at}.to`, change.to, 0, 100);
    if (change.kind === "front") {
      oneOf(`${at}.transition`, change.transition, ["biphasic", "ordering"]);
      oneOf(`${at}.direction`, change.direction, ["delithiation", "lithiation"]);
      checkFront(`${at}.front`, change.front);
      record(`${at}.line`, change.line, "Give height and width_um");
      within(`${at}.line.height`, change.line.height, -1, 10);
      within(`${at}.line.width_um`, change.line.width_um, 0.01, 5);
      continue;
    }
    within(`${at}.start_s`, change.start_s, -1e9, 1e9);
    within(`${at}.end_s`, change.end_s, change.start_s, 1e9, `Give at least start_s, ${change.start_s}`);
  }
}
