/** A crystal of a scenario made ready: its outline, its fronts, its light in time. */
import { outlineOf, type OutlineSpec, type Place } from "./outline.js";
import { prescribedFront, type PrescribedFront } from "./prescribed-front.js";
import { rampShare, type ChangeSpec, type LineSpec } from "./reflectivity.js";

/** A crystal as a scenario tells it. */
export interface CrystalSpec {
  readonly outline: OutlineSpec;
  /** Light of its face before all changes; that of the carbon is 1 on average. */
  readonly brightness: number;
  /** Unevenness of its face: standard deviation as a part of its light, and size of a patch. */
  readonly texture: number;
  readonly textureScale_um: number;
  /** In the order of their levels; an inert crystal has none. */
  readonly changes: readonly ChangeSpec[];
}

/** One front of a crystal. */
export interface CrystalFront {
  readonly transition: "biphasic" | "ordering";
  readonly direction: "delithiation" | "lithiation";
  readonly kind: "plane" | "radial" | "inward";
  readonly motion: PrescribedFront;
  /** Change of level behind it. */
  readonly step: number;
  readonly line: LineSpec;
}

/** A crystal made ready. */
export interface Crystal {
  readonly spec: CrystalSpec;
  readonly outline_um: readonly Place[];
  readonly fronts: readonly CrystalFront[];
  /** Level that all places share, in the mean over an exposure: 1 and the ramps so far. */
  evenLevel(from_s: number, to_s: number): number;
}

/** Makes a crystal ready. Throws ParameterError as its outline and fronts do. */
export function crystalOf(spec: CrystalSpec, name: string): Crystal {
  const outline_um = outlineOf(spec.outline, `${name}.outline`);
  const fronts: CrystalFront[] = [];
  const ramps: { start_s: number; end_s: number; rise: number }[] = [];
  let level = 1;
  for (const [index, change] of spec.changes.entries()) {
    const rise = change.to - level;
    level = change.to;
    if (change.kind === "ramp") {
      ramps.push({ start_s: change.start_s, end_s: change.end_s, rise });
      continue;
    }
    fronts.push({
      transition: change.transition,
      direction: change.direction,
      kind: change.front.kind,
      motion: prescribedFront(outline_um, change.front, `${name}.changes.${index}.front`),
      step: rise,
      line: change.line,
    });
  }
  return {
    spec,
    outline_um,
    fronts,
    evenLevel: (from_s, to_s) =>
      ramps.reduce((sum, { start_s, end_s, rise }) => sum + rise * rampShare(start_s, end_s, from_s, to_s), 1),
  };
}
