/** A scenario: everything a twin is made of, as plain data. */
import { ParameterError } from "../model/errors.js";
import type { DriftSpec, LampSpec, MovieSpec } from "./acquisition.js";
import type { CameraSpec } from "./camera.js";
import type { CrystalSpec } from "./crystal.js";
import type { CyclingSpec } from "./cycler.js";
import { checkPhaseFieldScene, type PhaseFieldSceneSpec } from "./phase-field-twin-spec.js";
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
  const { movie, optics, camera, drift, lamp } = scenario;
  whole("seed", scenario.seed, 0, 2 ** 32 - 1);
  whole("movie.width", movie.width, 8, 2048);
  whole("movie.height", movie.height, 8, 2048);
  whole("movie.frames", movie.frames, 1, 100_000);
  within("movie.pixelSize_um", movie.pixelSize_um, 0.005, 1);
  within("movie.interval_s", movie.interval_s, 1e-6, 1e6);
  within("movie.exposure_s", movie.exposure_s, 0, movie.interval_s);
  within("movie.late_s", movie.late_s, 0, 0.9 * movie.interval_s);
  within("movie.droppedFraction", movie.droppedFraction, 0, 0.9);
  for (const frame of movie.dropped) whole("movie.dropped", frame, 1, movie.frames - 1);
  if (!/(Z|[+-]\d\d:?\d\d)$/.test(movie.start) || !Number.isFinite(Date.parse(movie.start))) {
    refuse("movie.start", movie.start, "Give a time with its zone, such as 2020-10-26T12:49:58Z");
  }
  within("optics.psf_um", optics.psf_um, 0.01, 2);
  if (optics.psf_um < 0.5 * movie.pixelSize_um) {
    refuse("optics.psf_um", optics.psf_um, `Give at least half a pixel, ${movie.pixelSize_um / 2}`);
  }
  within("optics.speckleContrast", optics.speckleContrast, 0, 1);
  within("camera.noise", camera.noise, 0, 1);
  within("camera.level", camera.level, 1, 65535);
  within("camera.blackLevel", camera.blackLevel, 0, 65535);
  within("camera.readNoise", camera.readNoise, 0, 65535);
  whole("camera.bitDepth", camera.bitDepth, 1, 16);
  within("camera.prnu", camera.prnu, 0, 0.2);
  within("camera.vignette", camera.vignette, 0, 0.95);
  for (const shift_um of drift.linear_um) within("drift.linear_um", shift_um, -100, 100);
  within("drift.walk_um", drift.walk_um, 0, 10);
  within("drift.wobble_um", drift.wobble_um, 0, 10);
  within("drift.wobblePeriod_s", drift.wobblePeriod_s, 1e-3, 1e9);
  within("lamp.flicker", lamp.flicker, 0, 0.2);
  within("lamp.fading", lamp.fading, -0.9, 10);
  for (const [index, particle] of scenario.particles.entries()) checkParticle(particle, `particles.${index}`);
  if (scenario.cycling !== null) checkCycling(scenario.cycling);
  if (scenario.phaseField === undefined) return;
  if (scenario.particles.length > 0) {
    refuse(
      "particles",
      scenario.particles.length,
      "A scene has either particles or phaseField.particles: leave these empty",
    );
  }
  checkPhaseFieldScene(scenario.phaseField, scenario.cycling !== null);
}

function checkParticle(particle: CrystalSpec, name: string): void {
  within(`${name}.brightness`, particle.brightness, 0, 1000);
  within(`${name}.texture`, particle.texture, 0, 0.3);
  within(`${name}.textureScale_um`, particle.textureScale_um, 0.02, 5);
  for (const [index, change] of particle.changes.entries()) {
    const at = `${name}.changes.${index}`;
    within(`${at}.to`, change.to, 0, 100);
    if (change.kind === "front") {
      within(`${at}.line.height`, change.line.height, -1, 10);
      within(`${at}.line.width_um`, change.line.width_um, 0.01, 5);
    } else if (!(change.end_s >= change.start_s)) {
      refuse(`${at}.end_s`, change.end_s, `Give at least start_s, ${change.start_s}`);
    }
  }
}

function checkCycling(cycling: CyclingSpec): void {
  within("cycling.before_s", cycling.before_s, -1e6, 1e6);
  within("cycling.interval_s", cycling.interval_s, 1e-3, 1e5);
  within("cycling.active_mass_mg", cycling.active_mass_mg, 1e-9, 1e9);
  within("cycling.nominal_mAh_g", cycling.nominal_mAh_g, 1, 1000);
  within("cycling.x0", cycling.x0, 0.4, 0.98);
  within("cycling.overpotential_V", cycling.overpotential_V, 0, 1);
  within("cycling.noise_V", cycling.noise_V, 0, 0.1);
  for (const [index, step] of cycling.programme.entries()) {
    within(`cycling.programme.${index}.lasts_s`, step.lasts_s, cycling.interval_s, 1e7);
    if (step.kind === "rest") continue;
    within(`cycling.programme.${index}.rate_C`, step.rate_C, 1e-4, 1000);
    within(`cycling.programme.${index}.until_V`, step.until_V, 2.5, 4.6);
  }
}

function within(name: string, value: number, least: number, most: number): void {
  if (!(value >= least && value <= most)) refuse(name, value, `Give ${least} to ${most}`);
}

function whole(name: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    refuse(name, value, `Give a whole number, ${least} to ${most}`);
  }
}

function refuse(name: string, value: unknown, cure: string): never {
  throw new ParameterError(`${name} is ${JSON.stringify(value)}. ${cure}.`, { parameter: name, value });
}
