/** From what was measured of a movie's particles to what limits them: bounds, Stefan estimate and regime of each transition. */
import { mean, quantile } from "../kernels/stats.js";
import { ParameterError } from "../model/errors.js";
import type { Cycling } from "../model/cycling.js";
import type { DiffusivityBound, Kinetics, Mechanism, Regime, StefanEstimate, Transition } from "../model/experiment.js";
import type { Material } from "../model/material.js";
import type { Particle } from "../model/particle.js";
import { SECONDS_PER_HOUR } from "../model/units.js";
import { entries, record, records, refuse, within } from "../physics/check.js";
import { checkMaterial } from "../physics/material-check.js";
import { checkPlaces } from "../physics/outline.js";
import { boundDiffusivity, checkOptions, type DiffusivityOptions } from "./diffusivity.js";
import { assessRegime, particleSize, type KnownDiffusivity, type ParticleSize } from "./regime.js";
import { frontCurrent, gapOf, type FrontDrive } from "./simulated-front.js";
import { quasiSteadyDiffusivity, stefanDiffusivity, surfaceLithium } from "./stefan.js";

/** What was measured, on the movie's clock. */
export interface MeasuredTransitions {
  readonly particles: readonly Particle[];
  readonly transitions: readonly Transition[];
  readonly kinetics: readonly Kinetics[];
  readonly mechanisms: readonly Mechanism[];
  readonly pixelSize_um: number;
  /** Record of the imaged electrode's potential; null where there is none, or no common clock. */
  readonly cycling: Cycling | null;
}

export interface MeasuredRegimeOptions extends Omit<DiffusivityOptions, "onProgress" | "material" | "scale_error"> {
  readonly material: Material;
  /** What of the potential is lost between reference and particle. */
  readonly ohmic_V?: number;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** One-sided, 95 %. */
const SIDE = 1.645;
/** Share of the outline between the ends of a duration. */
const BETWEEN = 0.9;
const POTENTIAL_POINTS = 60;
/** Simulations of one bound, for the progress. */
const EACH = 14;

/**
 * The regime of every two-phase transition with a front and a known direction. Delithiations get two bounds on D, under the
 * current that their own phase fraction tells and under the electrode's potential, and a Stefan estimate; what is found of a
 * particle's poor phase serves its lithiations, too. Throws ParameterError for findings or options that make no sense, and
 * the signal's reason when aborted.
 */
export async function measureRegimes(found: MeasuredTransitions, options: MeasuredRegimeOptions): Promise<Regime[]> {
  checkFound(found);
  checkOptions(options);
  checkMaterial(options.material);
  within("ohmic_V", options.ohmic_V ?? 0, 0, 1);
  const known = new Map<number, KnownDiffusivity>();
  const regimes = new Map<Kinetics, Regime>();
  const judged = found.kinetics.flatMap((kinetics) => {
    const transition = found.transitions.find(({ id }) => id === kinetics.transition);
    const particle = found.particles.find(({ id }) => id === kinetics.particle);
    if (transition === undefined || particle === undefined || kinetics.cRate === null) return [];
    const { direction } = transition;
    return direction === "delithiation" || direction === "lithiation" ? [{ kinetics, particle, direction }] : [];
  });
  const delithiations = judged.filter(({ direction }) => direction === "delithiation");
  const total = 2 * EACH * delithiations.length;
  let before = 0;
  for (const one of [...delithiations, ...judged.filter(({ direction }) => direction === "lithiation")]) {
    const { kinetics, particle, direction } = one;
    const outline_um = particle.outline_px.map(([x, y]): [number, number] => [
      x * found.pixelSize_um,
      y * found.pixelSize_um,
    ]);
    const size = particleSize(outline_um);
    let bounds: DiffusivityBound[] = [];
    if (direction === "delithiation") {
      bounds = await boundsOf(outline_um, kinetics, found.cycling, {
        ...options,
        onProgress: (done) => options.onProgress?.(Math.min(total, before + done), total),
      });
      before += 2 * EACH;
      options.onProgress?.(before, total);
      known.set(particle.id, better(known.get(particle.id), bounds));
    }
    const mechanism = found.mechanisms.find(({ transition }) => transition === kinetics.transition)?.kind;
    const poor = known.get(particle.id);
    const { poor_x, rich_x } = gapOf(options.material);
    const duration_s = kinetics.duration_s?.value ?? NaN;
    const verdict = assessRegime({
      direction,
      size,
      x_per_h: duration_s > 0 ? (BETWEEN * (rich_x - poor_x) * SECONDS_PER_HOUR) / duration_s : null,
      material: options.material,
      ...(poor === undefined ? {} : { poor }),
      ...(mechanism === undefined ? {} : { mechanism }),
    });
    regimes.set(kinetics, {
      particle: particle.id,
      transition: kinetics.transition,
      direction,
      ...verdict,
      bounds,
      stefan: direction === "delithiation" ? stefanOf(kinetics, size, found.cycling, options) : null,
    });
  }
  return found.kinetics.flatMap((kinetics) => regimes.get(kinetics) ?? []);
}

/** Throws a ParameterError for findings that are none. What a measurement may have left without a number is not looked at. */
function checkFound(found: MeasuredTransitions): void {
  record("found", found, "Give particles, transitions, kinetics, mechanisms, pixelSize_um and cycling");
  for (const name of ["particles", "transitions", "kinetics", "mechanisms"] as const) {
    records(name, found[name], 0, Infinity, "Give a list of findings, or an empty one");
  }
  within("pixelSize_um", found.pixelSize_um, 1e-4, 1000, "Give um a pixel, such as 0.1");
  if (found.cycling !== null) {
    record("cycling", found.cycling, "Give a record, or null");
    const { time_s, potential_V } = found.cycling;
    entries("cycling.time_s", time_s, time_s?.length, "Give an array of seconds");
    entries("cycling.potential_V", potential_V, time_s.length, "Give one for each time");
  }
  for (const [at, { outline_px }] of found.particles.entries()) checkPlaces(`particles.${at}.outline_px`, outline_px);
  for (const [at, kinetics] of found.kinetics.entries()) {
    const name = `kinetics.${at}`;
    for (const part of ["velocity_um_s", "phaseFraction", "systematic"] as const) {
      record(`${name}.${part}`, kinetics[part], "Give the finding as it was measured");
    }
    for (const part of ["duration_s", "cRate"] as const) {
      if (kinetics[part] !== null) record(`${name}.${part}`, kinetics[part], "Give the finding, or null");
    }
    const { velocity_um_s, duration_s, c_rate_factor, systematic } = kinetics;
    for (const [part, number] of Object.entries({
      "velocity_um_s.value": velocity_um_s.value,
      "velocity_um_s.sd": velocity_um_s.sd ?? 0,
      "duration_s.value": duration_s?.value ?? 0,
      c_rate_factor,
      "systematic.pixelSize": systematic.pixelSize,
      "systematic.c_rate_factor": systematic.c_rate_factor,
    })) {
      if (typeof number !== "number") refuse(`${name}.${part}`, number, "Give a number, NaN where there is none");
    }
    const { time_s, value } = kinetics.phaseFraction;
    entries(`${name}.phaseFraction.value`, value, value?.length, "Give an array of shares");
    entries(`${name}.phaseFraction.time_s`, time_s, value.length, "Give a time for each share");
  }
}

/** Both bounds of a delithiation; the second only where the potential is known. */
async function boundsOf(
  outline_um: readonly (readonly [number, number])[],
  kinetics: Kinetics,
  cycling: Cycling | null,
  options: MeasuredRegimeOptions,
): Promise<DiffusivityBound[]> {
  const { material, ohmic_V = 0 } = options;
  const { poor_x, rich_x } = gapOf(material);
  const potential = potentialOf(kinetics, cycling);
  const drives: { readonly kind: FrontDrive["kind"]; readonly of: () => FrontDrive }[] = [
    {
      kind: "current",
      of: () =>
        frontCurrent(kinetics.cRate!, (rich_x - poor_x) / kinetics.c_rate_factor, kinetics.systematic.c_rate_factor),
    },
  ];
  if (potential !== null)
    drives.push({ kind: "potential", of: () => ({ kind: "potential", E_V: potential, ohmic_V }) });
  const bounds: DiffusivityBound[] = [];
  for (const [turn, { kind, of }] of drives.entries()) {
    try {
      bounds.push(
        await boundDiffusivity({ outline_um, velocity_um_s: kinetics.velocity_um_s }, of(), {
          ...options,
          scale_error: kinetics.systematic.pixelSize,
          onProgress: (done) => options.onProgress?.(turn * EACH + Math.min(done, EACH), drives.length * EACH),
        }),
      );
    } catch (error) {
      // A measured current or outline that the model cannot follow is a finding, no wrong wish.
      if (!(error instanceof ParameterError)) throw error;
      bounds.push({
        drive: kind,
        kind: "none",
        D_cm2_s: null,
        atLeast_cm2_s: null,
        atMost_cm2_s: null,
        exponent: null,
        errors: {},
        tried: [],
        because: `No bound: the particle cannot be simulated. ${error.message}`,
      });
    }
  }
  return bounds;
}

/** The electrode's potential while the front crosses, from its first hundredth to its last; null where it is not recorded. */
function potentialOf({ phaseFraction }: Kinetics, cycling: Cycling | null): [number, number][] | null {
  if (cycling === null) return null;
  const { time_s, value } = phaseFraction;
  const last = value[value.length - 1] ?? 0;
  const from_s = time_s[value.findIndex((share) => share >= 0.01 * last)];
  const to_s = time_s[value.findIndex((share) => share >= 0.99 * last)];
  if (from_s === undefined || to_s === undefined || !(to_s > from_s)) return null;
  const inside: [number, number][] = [];
  for (let at = 0; at < cycling.time_s.length; at++) {
    const t_s = cycling.time_s[at]!;
    const E_V = cycling.potential_V[at]!;
    if (t_s >= from_s && t_s <= to_s && Number.isFinite(E_V)) inside.push([t_s - from_s, E_V]);
  }
  // Too few rows do not tell a course.
  if (inside.length < 3) return null;
  const part = Math.ceil(inside.length / POTENTIAL_POINTS);
  const points: [number, number][] = [];
  for (let at = 0; at < inside.length; at += part) {
    const rows = inside.slice(at, at + part);
    points.push([mean(rows.map(([t_s]) => t_s)), mean(rows.map(([, E_V]) => E_V))]);
  }
  return points;
}

/** The Stefan estimate at the mean potential; its least at the greatest. Without a record the material's upper limit holds the rim. */
function stefanOf(
  kinetics: Kinetics,
  size: ParticleSize,
  cycling: Cycling | null,
  { material, ohmic_V = 0 }: MeasuredRegimeOptions,
): StefanEstimate | null {
  const recorded = potentialOf(kinetics, cycling)?.map(([, E_V]) => E_V - ohmic_V) ?? null;
  const potential_V = recorded === null ? material.most_V.value : mean(recorded);
  const surface_x = surfaceLithium(material, potential_V);
  const most = surfaceLithium(material, recorded === null ? potential_V : quantile(recorded, 0.95));
  if (surface_x === null || most === null) return null;
  const { value, sd } = kinetics.velocity_um_s;
  const at = { velocity_um_s: value, radius_um: size.inradius_um, surface_x, ...gapOf(material) };
  // Speed and radius grow together with the scale.
  const relative = Math.hypot((sd ?? 0) / value, 2 * kinetics.systematic.pixelSize);
  return {
    surface_x,
    potential_V,
    source:
      recorded === null
        ? "the material's upper limit, for want of a record: the least that any potential allows"
        : `the cycler's record over the transition${ohmic_V > 0 ? `, less ${ohmic_V} V` : ""}`,
    D_cm2_s: stefanDiffusivity(at),
    quasiSteady_cm2_s: quasiSteadyDiffusivity(at),
    atLeast_cm2_s: stefanDiffusivity({ ...at, surface_x: Math.min(surface_x, most) }) * Math.exp(-SIDE * relative),
  };
}

/** The greatest lower bound so far. */
function better(before: KnownDiffusivity | undefined, bounds: readonly DiffusivityBound[]): KnownDiffusivity {
  let best = before ?? { atLeast_cm2_s: 0, atMost_cm2_s: Infinity, source: "not known: the fronts gave no bound" };
  for (const { kind, atLeast_cm2_s, drive } of bounds) {
    if (kind === "none" || atLeast_cm2_s === null || atLeast_cm2_s <= best.atLeast_cm2_s) continue;
    best = {
      atLeast_cm2_s,
      atMost_cm2_s: Infinity,
      source: `a lower bound by the speed of a delithiation front under its ${drive}`,
    };
  }
  return best;
}
