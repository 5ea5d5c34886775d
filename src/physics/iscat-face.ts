/**
 * What a particle's face reflects at a lithium fraction x, and how far it swells: the optical side of a material.
 *
 * Two laws stand side by side. One computes the reflection from n + ik at x; the other is calibrated by what is seen and
 * promises no index. All tables are straight between their points and held at their ends.
 */
import { ParameterError } from "../model/errors.js";
import type { Material } from "../model/material.js";
import { oneOf, record, refuse, within } from "./check.js";
import { thermodynamics } from "./free-energy.js";
import { checkMaterial } from "./material-check.js";
import type { LineSpec } from "./reflectivity.js";
import { alongTable, type ComplexIndex } from "./refractive-index.js";

/** Reflection from optical constants at some lithium fractions, rising. */
export interface IndexLaw {
  readonly kind: "indices";
  readonly source: string;
  readonly x: readonly number[];
  readonly n: readonly number[];
  readonly k: readonly number[];
  /** The fraction whose light is called 1 by the boundary's line and by light that is added. */
  readonly xReference: number;
}

/** Light at some lithium fractions, rising, in units of that at `xReference`; the window's own light is counted. */
export interface CalibratedLaw {
  readonly kind: "calibrated";
  readonly source: string;
  readonly x: readonly number[];
  readonly light: readonly number[];
  readonly xReference: number;
  /** Reflectance of the face at `xReference`, without the window's. */
  readonly reflectance: number;
}

export type FaceLaw = IndexLaw | CalibratedLaw;

/** Height of the unit cell along c at some lithium fractions, rising. */
export interface Swelling {
  readonly source: string;
  readonly x: readonly number[];
  readonly c_A: readonly number[];
  /** The fraction at which the gap has its given width. */
  readonly xRest: number;
  /** Part of the swelling that goes towards the window: 1 where the particle's back is held. */
  readonly towardsWindow: number;
}

/**
 * LiCoO2 at 780 to 785 nm. No table of its optical constants over x is known to us: these are assumptions, such that a
 * face grows metallic and brighter as lithium leaves. Treat them as parameters of a fit.
 */
export const assumedLicoo2Indices: IndexLaw = {
  kind: "indices",
  source: "assumption: n 2.2 to 2.35 and k 0.1 to 0.75 from x = 1 to 0.5, straight on to 0.4; not measured",
  x: [0.4, 0.5, 0.75, 0.95, 1],
  n: [2.39, 2.35, 2.25, 2.2, 2.2],
  k: [0.91, 0.75, 0.35, 0.15, 0.1],
  xReference: 0.95,
};

/** The law of a material's measured light. Throws ParameterError where none is known. */
export function calibratedFace(material: Material, reflectance: number): CalibratedLaw {
  checkMaterial(material);
  within("reflectance", reflectance, 1e-9, 1);
  const { optics = null } = material;
  if (optics === null) throw unknown(material, "optics", "light");
  const { x, values, source } = optics.intensity;
  const xReference = restOf(material);
  const unit = alongTable(x, values, xReference);
  return { kind: "calibrated", source, x, light: values.map((light) => light / unit), xReference, reflectance };
}

/** How a material swells along c, from the rich phase on. Throws ParameterError where its lattice is not known. */
export function swellingAlongC(material: Material, towardsWindow: number): Swelling {
  checkMaterial(material);
  within("towardsWindow", towardsWindow, 0, 1);
  const { lattice = null } = material;
  if (lattice === null) throw unknown(material, "lattice", "lattice");
  const { x, values, source } = lattice.c_A;
  return { source, x, c_A: values, xRest: restOf(material), towardsWindow };
}

/**
 * The line of light that a material's phase boundary carries, a share of the step between its phases in units of the rich
 * phase's light, and the lithium that it follows; null for a material of one phase.
 */
export function boundaryLine(material: Material): (LineSpec & { readonly x: number }) | null {
  checkMaterial(material);
  const { optics = null } = material;
  if (optics === null) throw unknown(material, "optics", "light");
  const { gap, middle_x } = thermodynamics(material);
  if (gap === null) return null;
  const { intensity, boundary, boundaryWidth_um } = optics;
  const light = (x: number): number => alongTable(intensity.x, intensity.values, x);
  const step = light(gap.poor_x) / light(gap.rich_x) - 1;
  return { height: boundary.value * step, width_um: boundaryWidth_um.value, x: middle_x };
}

function restOf(material: Material): number {
  return thermodynamics(material).gap?.rich_x ?? material.most_x.value;
}

function unknown(material: Material, key: string, what: string): ParameterError {
  return new ParameterError(`material.${key} is null: the ${what} of ${material.name} is not known. Give it.`, {
    parameter: `material.${key}`,
    value: null,
  });
}

/** Optical constants of an index law at x. */
export function faceIndex(law: IndexLaw, x: number): ComplexIndex {
  return { n: alongTable(law.x, law.n, x), k: alongTable(law.x, law.k, x) };
}

/** Growth of the unit cell along c from the fraction at rest to x, as a part of its height. */
export function swellingOf(swelling: Swelling, x: number): number {
  return alongTable(swelling.x, swelling.c_A, x) / alongTable(swelling.x, swelling.c_A, swelling.xRest) - 1;
}

/**
 * Amplitude that a face at x reflects back into the electrolyte, real part and imaginary part into `into`. The calibrated
 * law says nothing of phase: its amplitude turns by half a turn as at any denser medium, and is what is left of its light
 * once the window's own, `referenceLight` = |r|^2, is taken away.
 */
export function faceAmplitude(
  law: FaceLaw,
  electrolyte: ComplexIndex,
  referenceLight: number,
  x: number,
  into: Float64Array,
): void {
  if (law.kind === "calibrated") {
    const light = alongTable(law.x, law.light, x) * (law.reflectance + referenceLight) - referenceLight;
    into[0] = -Math.sqrt(Math.max(0, light));
    into[1] = 0;
    return;
  }
  // (N1 - N2) / (N1 + N2), as in reflectedAmplitude.
  const n = alongTable(law.x, law.n, x);
  const k = alongTable(law.x, law.k, x);
  const differenceN = electrolyte.n - n;
  const differenceK = electrolyte.k - k;
  const sumN = electrolyte.n + n;
  const sumK = electrolyte.k + k;
  const size = sumN * sumN + sumK * sumK;
  into[0] = (differenceN * sumN + differenceK * sumK) / size;
  into[1] = (differenceK * sumN - differenceN * sumK) / size;
}

/** Lithium fractions of a phase map: 0 is the phase before, 1 the one behind the front. */
export function lithiumOfPhase(phase: ArrayLike<number>, before: number, behind: number): Float64Array {
  return Float64Array.from(phase, (share) => before + share * (behind - before));
}

/** Throws a ParameterError where a law makes no sense. */
export function checkFace(law: FaceLaw, swelling: Swelling | null): void {
  record("face", law, "Give a law of kind indices or calibrated");
  oneOf("face.kind", law.kind, ["indices", "calibrated"]);
  if (law.kind === "indices") {
    column("face.x", law.x, law.x, 0, 1);
    column("face.n", law.n, law.x, 1e-3, MOST_VALUE);
    column("face.k", law.k, law.x, 0, MOST_VALUE);
  } else {
    column("face.x", law.x, law.x, 0, 1);
    column("face.light", law.light, law.x, 1e-6, MOST_VALUE);
    within("face.reflectance", law.reflectance, 1e-9, 1);
  }
  rising("face.x", law.x);
  within("face.xReference", law.xReference, 0, 1);
  if (swelling === null) return;
  record("swelling", swelling, "Give x, c_A, xRest and towardsWindow, or null");
  column("swelling.x", swelling.x, swelling.x, 0, 1);
  column("swelling.c_A", swelling.c_A, swelling.x, 1e-3, MOST_VALUE);
  rising("swelling.x", swelling.x);
  within("swelling.xRest", swelling.xRest, 0, 1);
  within("swelling.towardsWindow", swelling.towardsWindow, 0, 1);
}

/** No light, index or length of a cell in a law is larger. */
const MOST_VALUE = 1e6;

function column(name: string, values: readonly number[], x: readonly number[], least: number, most: number): void {
  if (!Array.isArray(values) || values.length === 0) refuse(name, values, "Give a list of at least one number");
  for (const value of values) within(name, value, least, most);
  if (values.length !== x.length) refuse(name, values, `Give as many as there are lithium fractions, ${x.length}`);
}

function rising(name: string, x: readonly number[]): void {
  const fallen = x.findIndex((value, at) => at > 0 && !(value > x[at - 1]!));
  if (fallen > 0) refuse(name, x[fallen], "Give lithium fractions that rise");
}
