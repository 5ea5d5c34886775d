/** A scene whose lithium a phase field moves, as plain data, and whether its numbers make sense. */
import type { Material } from "../model/material.js";
import { oneOf, pair, record, records, refuse, seeded, whole, within } from "./check.js";
import { checkElectrode, type ElectrodeSpec } from "./electrode.js";
import { checkFocus, type FocusSpec } from "./expose-camera-path.js";
import { checkMaterial } from "./material-check.js";
import { materials, withTransport, type Transport } from "./materials/library.js";
import { checkWindow } from "./ordering-drive.js";
import { checkWalls, type WallSpec } from "./ordering-spec.js";
import type { OutlineSpec, Place } from "./outline.js";
import type { EdgeSpec } from "./phase-field-edge.js";
import { checkedSeries, type Series } from "./phase-field-drive.js";
import { checkEdge, checkLithium } from "./phase-field-particle.js";

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
  record("phaseField", scene, "Give material, transport, h_um, delta_um, particles, electrode and microscope");
  checkSceneMaterial(scene);
  within("phaseField.delta_um", scene.delta_um, 0.02, 2);
  within("phaseField.h_um", scene.h_um, 0.02, scene.delta_um);
  if (scene.electrode !== null) {
    checkElectrode("phaseField.electrode", scene.electrode);
    within("phaseField.electrode.lnExchange_sd", scene.electrode.lnExchange_sd, 0, 2);
    within("phaseField.electrode.contact_ohm_m2", scene.electrode.contact_ohm_m2, 0, 1);
    within("phaseField.electrode.h_um", scene.electrode.h_um, 0.02, scene.electrode.delta_um);
    if (!hasCycling) refuse("cycling", null, "An electrode is driven by a cycler's programme: give one");
  }
  checkMicroscope("phaseField.microscope", scene.microscope);
  records("phaseField.particles", scene.particles, 0, 10_000, "Give a list of particles");
  for (const [index, particle] of scene.particles.entries()) {
    checkParticle(`phaseField.particles.${index}`, particle, scene.electrode !== null);
  }
}

function checkSceneMaterial(scene: PhaseFieldSceneSpec): void {
  const { material: given, transport } = scene;
  if (typeof given === "string" && !Object.hasOwn(materials, given)) {
    refuse("phaseField.material", given, `Give one of ${Object.keys(materials).join(", ")}, or a material`);
  }
  if (transport !== null) record("phaseField.transport", transport, "Give what is otherwise, or null");
  const material = materialOf(scene);
  checkMaterial(material);
  if ((material.optics ?? null) === null) {
    const seen = Object.keys(materials).filter((name) => materials[name]!.optics !== null);
    refuse(
      "phaseField.material",
      typeof given === "string" ? given : material.name,
      `The light of its face is not known: give its optics, or one of ${seen.join(", ")}`,
    );
  }
}

function checkMicroscope(name: string, microscope: PhaseFieldOpticsSpec): void {
  record(name, microscope, "Give a record of its numbers");
  within(`${name}.wavelength_um`, microscope.wavelength_um, 0.2, 2);
  within(`${name}.na`, microscope.na, 0.1, 2);
  within(`${name}.visibility`, microscope.visibility, 0, 1);
  oneOf(`${name}.imaging`, microscope.imaging, ["coherent", "incoherent"]);
  within(`${name}.reflectance`, microscope.reflectance, 0.001, 0.6);
  within(`${name}.carbon`, microscope.carbon, 0.001, 10);
  within(`${name}.swelling`, microscope.swelling, 0, 1);
  if (microscope.boundary !== null) within(`${name}.boundary`, microscope.boundary, -5, 5);
  within(`${name}.order`, microscope.order, -0.5, 0.5);
  within(`${name}.wall`, microscope.wall, -0.5, 1);
  checkFocus(`${name}.focus`, microscope.focus);
  whole(`${name}.burst`, microscope.burst, 1, 10_000);
}

function checkParticle(name: string, particle: PhaseFieldCrystalSpec, hasElectrode: boolean): void {
  checkEdge(`${name}.edge`, particle.edge);
  if (particle.lithiationSpots !== null) whole(`${name}.lithiationSpots`, particle.lithiationSpots, 0, 1e6);
  within(`${name}.x0`, particle.x0, 0.3, 0.999);
  if (particle.exchange_A_m2 !== null) within(`${name}.exchange_A_m2`, particle.exchange_A_m2, 1e-6, 1e4);
  within(`${name}.gap_fringes`, particle.gap_fringes, 0, 100);
  pair(`${name}.tilt_deg`, particle.tilt_deg, -10, 10, "Give two angles, -10 to 10");
  within(`${name}.roughness_nm`, particle.roughness_nm, 0, 100);
  within(`${name}.thickness_um`, particle.thickness_um, 0, 100);
  if (particle.ordering !== null) checkOrdering(`${name}.ordering`, particle.ordering);
  const { drive } = particle;
  record(`${name}.drive`, drive, "Give one, such as { kind: electrode }");
  oneOf(`${name}.drive.kind`, drive.kind, ["current", "electrode", "none"]);
  if (drive.kind === "electrode" && !hasElectrode) {
    refuse(`${name}.drive`, "electrode", "Give phaseField.electrode, or the particle a current of its own");
  }
  if (drive.kind !== "current") return;
  records(`${name}.drive.ways`, drive.ways, 0, 10_000, "Give a list of ways");
  let before_s = -Infinity;
  for (const [at, way] of drive.ways.entries()) {
    const { direction, start_s, x0, until_x } = way;
    const own = `${name}.drive.ways.${at}`;
    oneOf(`${own}.direction`, direction, ["delithiation", "lithiation"]);
    within(`${own}.start_s`, start_s, 0, 1e7);
    if (!(start_s > before_s)) refuse(`${own}.start_s`, start_s, "Give the ways in the order of time");
    checkLithium(`${own}.x0`, x0);
    checkLithium(`${own}.until_x`, until_x);
    if (direction === "delithiation" ? !(until_x < x0) : !(until_x > x0)) {
      refuse(`${own}.until_x`, until_x, `A ${direction} from ${x0} does not lead there`);
    }
    checkedSeries(`${own}.x_per_h`, way.x_per_h);
    whole(`${own}.cycle`, way.cycle, 0, 1e6);
    before_s = start_s;
  }
}

function checkOrdering(name: string, ordering: ParticleOrderingSpec): void {
  record(name, ordering, "Give nuclei, walls, seed, window_x, nucleationAt and frontVelocity_um_s, or null");
  whole(`${name}.nuclei`, ordering.nuclei, 1, 24);
  checkWalls(`${name}.walls`, ordering.walls);
  seeded(`${name}.seed`, ordering.seed);
  checkWindow(`${name}.window_x`, ordering.window_x);
  within(`${name}.nucleationAt`, ordering.nucleationAt, 1e-3, 1);
  within(`${name}.frontVelocity_um_s`, ordering.frontVelocity_um_s, 1e-6, 1e3);
}
