/** What the face of a particle looks like before anything happens: whether its area may stand for its volume. */
import type { Estimate } from "./experiment.js";

export interface Face {
  readonly particle: number;
  /** Rms of what a plane and a curved surface fit of the light over the face, relative to it, roughness taken off. */
  readonly unevenness: Estimate;
  /** Rms of the light about that, over patches of 0.6 um, as a fraction. */
  readonly roughness: number;
  /** Slope of the light across the face, per um, as a fraction, and where it rises to, degrees from +x towards +y. */
  readonly slope_per_um: Estimate;
  readonly slope_deg: number;
  /** "flat": evenly lit within a few hundredths, as a flat face seen face on is in an interferometer. */
  readonly kind: "flat" | "uneven" | "undecided";
  /** How well the outline's edges lie along three directions 60 degrees apart: 1 for a hexagonal plate seen along c, and its chance. */
  readonly sixfold: { readonly value: number; readonly p: number; readonly edges: number };
  readonly view: "along c" | "other" | "undecided";
  readonly because: string;
}
