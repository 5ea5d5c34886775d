/** The separate areas of one mask as particles of an electrode. */
import { labelComponents } from "../kernels/label.js";
import { ParameterError } from "../model/errors.js";
import { entries, refuse } from "./check.js";
import { checkSteps, type EnsembleDrive } from "./phase-field-drive.js";
import { simulateEnsemble, type EnsembleParticle, type EnsembleState } from "./phase-field-ensemble.js";
import { checkRaster } from "./masked-grid.js";
import { boundaryUnits } from "./phase-field-particle.js";
import type { PhaseFieldResult, PhaseFieldSpec, PhaseFieldState } from "./phase-field-spec.js";

/**
 * Runs the areas of a mask, each a particle, under one electrode; its states and result are put together on the mask again,
 * and the result's `ensemble` holds each area by itself. The last step ends at xStop too, where it leads there.
 * Throws ParameterError as `simulateEnsemble` does, and for lists that are not one entry an area.
 */
export async function* simulateAreas(
  spec: PhaseFieldSpec,
  drive: EnsembleDrive,
): AsyncGenerator<PhaseFieldState, PhaseFieldResult> {
  const { width, height, xStop } = spec;
  checkRaster(spec.mask, width, height);
  const mask = Uint8Array.from({ length: spec.mask.length }, (_, at) => (spec.mask[at] ? 1 : 0));
  const { labels, count } = labelComponents(mask, width, height);
  if (count === 0) {
    throw new ParameterError("mask has no cell inside. Give 1 for the particles' cells.", {
      parameter: "mask",
      value: 0,
    });
  }
  if (spec.until_s !== undefined) {
    refuse("until_s", spec.until_s, "Under an ensemble give the last step lasts_s instead");
  }
  for (const name of ["weights", "contact_ohm_m2"] as const) {
    if (drive[name] === undefined) continue;
    const cure = `Give one an area of the mask, ${count}, in the order of their first cells, or leave it out`;
    entries(`drive.${name}`, drive[name], count, cure);
  }
  checkSteps("drive.steps", drive.steps);
  const boundary = spec.boundary === undefined ? undefined : boundaryUnits(spec.boundary, spec.material, spec.delta_um);
  const particles = Array.from({ length: count }, (_, area): EnsembleParticle => ({
    mask: Uint8Array.from(labels, (label) => (label === area + 1 ? 1 : 0)),
    width,
    height,
    h_um: spec.h_um,
    weight: drive.weights?.[area],
    contact_ohm_m2: drive.contact_ohm_m2?.[area],
    edge: spec.edge === undefined ? undefined : { ...spec.edge, seed: spec.edge.seed + area },
    boundary: boundaryOf(boundary, labels, area + 1),
  }));
  const steps = drive.steps.map((step, at) => {
    const leads = step.kind === "delithiation" ? xStop < spec.x0 : step.kind === "lithiation" && xStop > spec.x0;
    return at === drive.steps.length - 1 && leads ? { ...step, until_x: step.until_x ?? xStop } : step;
  });
  const cells = mask.reduce((sum, one) => sum + one, 0);
  const sizes = particles.map((particle) => (particle.mask as Uint8Array).reduce((sum, one) => sum + one, 0));
  const rich = xStop > spec.x0;
  const fractionOf = (poor: (area: number) => number): number => {
    const share = sizes.reduce((sum, size, area) => sum + size * poor(area), 0) / cells;
    return rich ? 1 - share : share;
  };
  const shown = (state: EnsembleState): PhaseFieldState => ({
    t_s: state.t_s,
    x_mean: state.x_mean,
    fraction: fractionOf((area) => state.particles[area]!.poor),
    potential_V: state.potential_V,
    phi: state.phi,
    x_per_h: state.x_per_h,
    limited: false,
    progress: Math.max(0, Math.min(1, (state.x_mean - spec.x0) / (xStop - spec.x0))),
    x: together(state.particles, labels),
  });
  const run = simulateEnsemble({ ...spec, particles, steps });
  let turn = await run.next();
  for (; turn.done !== true; turn = await run.next()) yield shown(turn.value);
  const result = turn.value;
  const arrival_s = new Float32Array(mask.length).fill(NaN);
  for (const { halfCycles } of result.particles) {
    halfCycles.at(-1)?.arrival_s.forEach((t_s, at) => {
      if (!Number.isNaN(t_s)) arrival_s[at] = t_s;
    });
  }
  return {
    t_s: result.t_s,
    x_mean: result.x_mean,
    fraction: result.t_s.map((_, at) => fractionOf((area) => result.particles[area]!.poor[at]!)),
    potential_V: result.potential_V,
    phi: result.phi,
    x_per_h: result.x_per_h,
    arrival_s,
    x: together(result.particles, labels),
    massError: result.massError,
    ended: result.ends.at(-1) === "lithium" ? "xStop" : "drive",
    limited_s: null,
    ensemble: result,
  };
}

function together(particles: readonly { readonly x: Float64Array }[], labels: Int32Array): Float64Array {
  return Float64Array.from(labels, (label, at) => (label === 0 ? NaN : particles[label - 1]!.x[at]!));
}

/** The part of a stated boundary that belongs to one area; it must be stated cell by cell of the mask. */
function boundaryOf(
  boundary: PhaseFieldSpec["boundary"],
  labels: Int32Array,
  label: number,
): PhaseFieldSpec["boundary"] {
  if (boundary === undefined) return undefined;
  const own: { -readonly [K in "length_um" | "k" | "wetting"]?: ArrayLike<number> } = {};
  for (const key of ["length_um", "k", "wetting"] as const) {
    const given = boundary[key];
    if (given === undefined) continue;
    if (given.length !== labels.length) {
      throw new ParameterError(
        `boundary.${key} has ${given.length} entries. Under an ensemble give one a cell of the mask, ${labels.length}.`,
        { parameter: `boundary.${key}`, value: given.length },
      );
    }
    own[key] = Float64Array.from(labels, (area, at) => (area === label ? given[at]! : 0));
  }
  return own;
}
