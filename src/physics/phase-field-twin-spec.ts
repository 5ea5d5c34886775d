/** A scene whose lithium a phase field moves, as plain data, and whether its numbers make sense. */
import { ParameterError } from "../model/errors.js";
import type { Material } from "../model/material.js";
import type { ElectrodeSpec } from "./electrode.js";
import type { FocusSpec } from "./expose-camera-path.js";
import { checkMaterial } from "./material-check.js";
import { materials, withTransport, type Transport } from "./materials/library.js";
import type { WallSpec } from "./ordering-spec.js";
import type { OutlineSpec, Place } from "./outline.js";
import type { EdgeSpec } from "./phase-field-edge.js";
import type { Series } from "./phase-field-drive.js";

/** One way of a particle under a current of its own. */
export interface LithiumWaySpec {
  readonly direction: "delithiation" | "lithiation";
  /** On the movie's clock. */
  readonly start_s: number;
  /** Lithium everywhere at its beginning, and the mean at its end. */
  readonly x0: number;
  readonly until_x: number;
  /** Lithium per site and hour at times from start_s on, positive either way (LiCoO2 at 155 mAh/g: 1C is 0.566). */
  readonly x_per_h: Series;
  /** Another cycle has other places at which lithiation begins. */
  readonly cycle: number;
}

/** How a particle orders near x = 1/2. */
export interface ParticleOrderingSpec {
  /** Nuclei of order: 1 makes one domain, 3 of different variants three. */
  readonly nuclei: number;
  readonly walls: WallSpec;
  readonly seed: number;
  /** Lithium between which the ordered phase is stable, and the undercooling at which nuclei come. */
  readonly window_x: readonly [number, number];
  readonly nucleationAt: number;
  /** Of a straight front at full undercooling. */
  readonly frontVelocity_um_s: number;
}

/** A particle of the scene. */
export interface PhaseFieldCrystalSpec {
  readonly outline: OutlineSpec;
  readonly edge: EdgeSpec;
  /** Places at which lithiation begins; null: as many as the edge has. */
  readonly lithiationSpots: number | null;
  /** Exchange current density; null: the material's. */
  readonly exchange_A_m2: number | null;
  /** Lithium at the beginning. */
  readonly x0: number;
  /** A current of its own, the electrode's potential, or nothing: a particle without contact. */
  readonly drive:
    { readonly kind: "current"; readonly ways: readonly LithiumWaySpec[] } | { readonly kind: "electrode" | "none" };
  readonly ordering: ParticleOrderingSpec | null;
  /** Gap between window and face, in fringes (wavelength / 2 n): at 1/4 the light follows the material's law alone. */
  readonly gap_fringes: number;
  /** Slope of the face against the window along x and along y: the gap, given at the outline's centroid, grows that way. */
  readonly tilt_deg: Place;
  /** Roughness of the face, standard deviation. */
  readonly roughness_nm: number;
  readonly thickness_um: number;
}

/** The microscope, beside point spread, camera, lamp and drift. */
export interface PhaseFieldOpticsSpec {
  readonly wavelength_um: number;
  /** Sets how fast the image blurs out of focus; the blur in focus is the scenario's `optics.psf_um`. */
  readonly na: number;
  readonly visibility: number;
  /**
   * Whether fields add up before they are squared: a step of weak contrast is then blurred by the spread of the field,
   * sqrt(2) wider than that of a point's light.
   */
  readonly imaging: "coherent" | "incoherent";
  /** Reflectance of the face in the lithium-rich phase. */
  readonly reflectance: number;
  /** Light of the carbon as a share of that of a lithium-rich face. */
  readonly carbon: number;
  /** Part of the swelling along c that goes towards the window; 0: the face stays. */
  readonly swelling: number;
  /** Light of the boundary as a share of the step between the phases; null: the material's. */
  readonly boundary: number | null;
  /** Light that order adds, and that of a wall between domains, in units of the lithium-rich face's. */
  readonly order: number;
  readonly wall: number;
  readonly focus: FocusSpec;
  /**
   * Short exposures whose mean is a frame, evenly over the movie's exposure. Their noise is drawn for each; lithium, drift and
   * focus are those of the burst's middle.
   */
  readonly burst: number;
}

/** The scene. */
export interface PhaseFieldSceneSpec {
  /** Name in the library of materials, or one of the user's own. */
  readonly material: string | Material;
  /** What of its transport is otherwise; null: nothing. */
  readonly transport: Transport | null;
  /** Side of a cell and half width of the boundary, um. */
  readonly h_um: number;
  readonly delta_um: number;
  readonly particles: readonly PhaseFieldCrystalSpec[];
  /** Whose potential drives particles that follow it, and whose record the cycler logs; null: the cycler stands by itself. */
  readonly electrode: ElectrodeSpec | null;
  readonly microscope: PhaseFieldOpticsSpec;
}

/** The material of a scene. */
export function materialOf({ material, transport }: PhaseFieldSceneSpec): Material {
  const known = typeof material === "string" ? materials[material]! : material;
  return transport === null ? known : withTransport(known, transport, "the scenario's");
}

/** Throws a ParameterError with the first number of a scene that makes no sense. `hasCycling`: whether a cycler runs. */
export function checkPhaseFieldScene(scene: PhaseFieldSceneSpec, hasCycling: boolean): void {
  if (typeof scene.material === "string" && !Object.hasOwn(materials, scene.material)) {
    refuse("phaseField.material", scene.material, `Give one of ${Object.keys(materials).join(", ")}, or a material`);
  }
  const material = materialOf(scene);
  checkMaterial(material);
  if (material.optics === null) {
    const seen = Object.keys(materials).filter((name) => materials[name]!.optics !== null);
    refuse(
      "phaseField.material",
      typeof scene.material === "string" ? scene.material : material.name,
      `The light of its face is not known: give its optics, or one of ${seen.join(", ")}`,
    );
  }
  within("phaseField.h_um", scene.h_um, 0.02, scene.delta_um);
  within("phaseField.delta_um", scene.delta_um, 0.02, 2);
  if (scene.electrode !== null) {
    within("phaseField.electrode.lnExchange_sd", scene.electrode.lnExchange_sd, 0, 2);
    within("phaseField.electrode.contact_ohm_m2", scene.electrode.contact_ohm_m2, 0, 1);
    within("phaseField.electrode.h_um", scene.electrode.h_um, 0.02, scene.electrode.delta_um);
    if (!hasCycling) refuse("cycling", null, "An electrode is driven by a cycler's programme: give one");
  }
  const { microscope } = scene;
  within("phaseField.microscope.wavelength_um", microscope.wavelength_um, 0.2, 2);
  within("phaseField.microscope.na", microscope.na, 0.1, 2);
  within("phaseField.microscope.visibility", microscope.visibility, 0, 1);
  within("phaseField.microscope.reflectance", microscope.reflectance, 0.001, 0.6);
  within("phaseField.microscope.carbon", microscope.carbon, 0.001, 10);
  within("phaseField.microscope.swelling", microscope.swelling, 0, 1);
  if (microscope.boundary !== null) within("phaseField.microscope.boundary", microscope.boundary, -5, 5);
  within("phaseField.microscope.order", microscope.order, -0.5, 0.5);
  within("phaseField.microscope.wall", microscope.wall, -0.5, 1);
  if (!(Number.isInteger(microscope.burst) && microscope.burst >= 1 && microscope.burst <= 10_000)) {
    refuse("phaseField.microscope.burst", microscope.burst, "Give a whole number, 1 to 10000");
  }
  for (const [index, particle] of scene.particles.entries()) {
    const name = `phaseField.particles.${index}`;
    within(`${name}.x0`, particle.x0, 0.3, 0.999);
    if (particle.exchange_A_m2 !== null) within(`${name}.exchange_A_m2`, particle.exchange_A_m2, 1e-6, 1e4);
    within(`${name}.gap_fringes`, particle.gap_fringes, 0, 100);
    for (const slope_deg of particle.tilt_deg) within(`${name}.tilt_deg`, slope_deg, -10, 10);
    within(`${name}.roughness_nm`, particle.roughness_nm, 0, 100);
    within(`${name}.thickness_um`, particle.thickness_um, 0, 100);
    if (particle.drive.kind === "electrode" && scene.electrode === null) {
      refuse(`${name}.drive`, "electrode", "Give phaseField.electrode, or the particle a current of its own");
    }
    if (particle.drive.kind !== "current") continue;
    let before_s = -Infinity;
    for (const [at, way] of particle.drive.ways.entries()) {
      within(`${name}.drive.ways.${at}.start_s`, way.start_s, 0, 1e7);
      if (!(way.start_s > before_s)) {
        refuse(`${name}.drive.ways.${at}.start_s`, way.start_s, "Give the ways in the order of time");
      }
      if (way.direction === "delithiation" ? !(way.until_x < way.x0) : !(way.until_x > way.x0)) {
        refuse(
          `${name}.drive.ways.${at}.until_x`,
          way.until_x,
          `A ${way.direction} from ${way.x0} does not lead there`,
        );
      }
      before_s = way.start_s;
    }
  }
}

function within(name: string, value: number, least: number, most: number): void {
  if (!(value >= least && value <= most)) refuse(name, value, `Give ${least} to ${most}`);
}

function refuse(name: string, value: unknown, cure: string): never {
  throw new ParameterError(`${name} is ${JSON.stringify(value)}. ${cure}.`, { parameter: name, value });
}
