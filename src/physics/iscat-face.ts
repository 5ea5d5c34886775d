/**
 * What a particle's face reflects at a lithium fraction x, and how far it swells: the optical side of a material.
 *
 * Two laws stand side by side. One computes the reflection from n + ik at x; the other is calibrated by what is seen and
 * promises no index: even before, a step across the two-phase gap, then a straight line in the solid solution.
 */
import { ParameterError } from "../model/errors.js";
import { reflectedAmplitude, type Amplitude } from "./fresnel.js";
import { alongTable, type ComplexIndex } from "./refractive-index.js";

/** Reflection from optical constants at some lithium fractions, rising; straight lines between and beyond them. */
export interface IndexLaw {
  readonly kind: "indices";
  readonly source: string;
  readonly x: readonly number[];
  readonly n: readonly number[];
  readonly k: readonly number[];
  /** The fraction whose light is called 1 by the boundary's line and by light that is added. */
  readonly xReference: number;
}

/**
 * Light in units of that of the rich phase, the reference's own light counted: 1 down to `xRich`, `step` at `xPoor`,
 * `end` at `xEnd` and straight on beyond.
 */
export interface CalibratedLaw {
  readonly kind: "calibrated";
  readonly source: string;
  readonly xRich: number;
  readonly xPoor: number;
  readonly step: number;
  readonly xEnd: number;
  readonly end: number;
  /** Reflectance of the face at 1, without the reference. */
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
  source: "assumption: n 2.2 to 2.35 and k 0.1 to 0.75 from x = 1 to 0.5; not measured",
  x: [0.5, 0.75, 0.95, 1],
  n: [2.35, 2.25, 2.2, 2.2],
  k: [0.75, 0.35, 0.15, 0.1],
  xReference: 0.95,
};

/**
 * LiCoO2 as it is seen: 1.6 times the light at the end of charge, linear in the solid solution (Merryweather et al.,
 * Nature 594, 522, 2021, Fig. 2a). The step across the gap is not given there; 1.15 is an assumption within 1.10 to 1.25.
 */
export const licoo2Light: CalibratedLaw = {
  kind: "calibrated",
  source: "Merryweather et al., Nature 594, 522 (2021), Fig. 2a for 1.6; the step of 1.15 and x = 0.45 are assumptions",
  xRich: 0.95,
  xPoor: 0.75,
  step: 1.15,
  xEnd: 0.45,
  end: 1.6,
  reflectance: 0.053,
};

/**
 * c axis of LiCoO2: 14.05 A at x = 1, about 14.06 and 14.2 A at the edges of the gap, 14.42 A at x = 0.5 (Reimers and
 * Dahn, J. Electrochem. Soc. 139, 2091, 1992, rounded).
 */
export const licoo2Swelling: Swelling = {
  source: "rounded from Reimers and Dahn, J. Electrochem. Soc. 139, 2091 (1992)",
  x: [0.5, 0.75, 0.95, 1],
  c_A: [14.42, 14.2, 14.06, 14.05],
  xRest: 0.95,
  towardsWindow: 1,
};

/** Light that the calibrated law gives a face at x, in units of that of the rich phase. */
export function calibratedLight(law: CalibratedLaw, x: number): number {
  if (x >= law.xRich) return 1;
  if (x >= law.xPoor) return 1 + ((law.step - 1) * (law.xRich - x)) / (law.xRich - law.xPoor);
  return law.step + ((law.end - law.step) * (law.xPoor - x)) / (law.xPoor - law.xEnd);
}

/** Optical constants of an index law at x. */
export function faceIndex(law: IndexLaw, x: number): ComplexIndex {
  return { n: alongTable(law.x, law.n, x), k: Math.max(0, alongTable(law.x, law.k, x)) };
}

/** Growth of the unit cell along c from the fraction at rest to x, as a part of its height. */
export function swellingOf(swelling: Swelling, x: number): number {
  return alongTable(swelling.x, swelling.c_A, x) / alongTable(swelling.x, swelling.c_A, swelling.xRest) - 1;
}

/**
 * Amplitude that a face at x reflects back into the electrolyte. The calibrated law says nothing of phase: its amplitude
 * turns by half a turn as at any denser medium, and is what is left of its light once the reference's, `referenceLight`
 * = |r|^2, is taken away.
 */
export function faceAmplitude(law: FaceLaw, electrolyte: ComplexIndex, referenceLight: number, x: number): Amplitude {
  if (law.kind === "indices") return reflectedAmplitude(electrolyte, faceIndex(law, x));
  const light = calibratedLight(law, x) * (law.reflectance + referenceLight) - referenceLight;
  return { re: -Math.sqrt(Math.max(0, light)), im: 0 };
}

/** Lithium fractions of a phase map: 0 is the phase before, 1 the one behind the front. */
export function lithiumOfPhase(phase: ArrayLike<number>, before: number, behind: number): Float64Array {
  return Float64Array.from(phase, (share) => before + share * (behind - before));
}

/** Throws a ParameterError where a law makes no sense. */
export function checkFace(law: FaceLaw, swelling: Swelling | null): void {
  if (law.kind === "indices") {
    checkTable("face.x", law.x, [law.n, law.k]);
  } else {
    const { xRich, xPoor, xEnd, reflectance, step, end } = law;
    if (!(xRich > xPoor && xPoor > xEnd)) {
      refuse("face.xPoor", xPoor, `Give xEnd < xPoor < xRich; they are ${xEnd}, ${xPoor} and ${xRich}`);
    }
    if (!(reflectance > 0 && reflectance <= 1))
      refuse("face.reflectance", reflectance, "Give more than 0 and at most 1");
    if (!(step > 0 && end > 0)) refuse("face.step", [step, end], "Give step and end above 0");
  }
  if (swelling === null) return;
  checkTable("swelling.x", swelling.x, [swelling.c_A]);
  if (!(swelling.towardsWindow >= 0 && swelling.towardsWindow <= 1)) {
    refuse("swelling.towardsWindow", swelling.towardsWindow, "Give 0 to 1");
  }
}

function checkTable(name: string, x: readonly number[], columns: readonly (readonly number[])[]): void {
  const rising = x.length > 0 && x.every((value, at) => Number.isFinite(value) && (at === 0 || value > x[at - 1]!));
  const whole = columns.every((column) => column.length === x.length && column.every(Number.isFinite));
  if (!rising || !whole) refuse(name, x, "Give rising lithium fractions and as many finite values");
}

function refuse(name: string, value: unknown, cure: string): never {
  throw new ParameterError(`${name} is ${JSON.stringify(value)}. ${cure}.`, { parameter: name, value });
}
