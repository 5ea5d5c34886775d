/** Diffusivity from a front's speed alone: a flat front fed through the phase behind it (one-phase Stefan problem). */
import type { Material } from "../model/material.js";
import { potential, record, refuse, within } from "../physics/check.js";
import { equilibriumPotential, thermodynamics } from "../physics/free-energy.js";
import { checkMaterial } from "../physics/material-check.js";

/** 1 um^2/s in cm^2/s. */
export const CM2_PER_UM2 = 1e-8;

/** A front that has come a way at a speed, its rim held at some lithium. */
export interface StefanFront {
  readonly velocity_um_s: number;
  /** Depth of the particle: from rim to middle. */
  readonly radius_um: number;
  /** Lithium held at the rim, less than that of the poor phase. */
  readonly surface_x: number;
  /** Lithium of the two phases. */
  readonly poor_x: number;
  readonly rich_x: number;
}

/**
 * The L of a front at 2 L sqrt(D t) in a half space whose rim is held: sqrt(pi) L exp(L^2) erf(L) = drive, with
 * drive = (x_poor - x_surface) / (x_rich - x_poor). Carslaw and Jaeger, Conduction of Heat in Solids, 11.2.
 */
export function stefanNumber(drive: number): number {
  within("drive", drive, 1e-12, 1e6, "Give (x_poor - x_surface) / (x_rich - x_poor), more than 0");
  let low = 0;
  let high = 5;
  for (let halving = 0; halving < 80; halving++) {
    const middle = (low + high) / 2;
    if (Math.sqrt(Math.PI) * middle * Math.exp(middle * middle) * erf(middle) < drive) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/**
 * Diffusivity (cm^2/s) of the poor phase at which a flat front crosses the radius in radius / velocity:
 * D = velocity radius / (4 L^2), the velocity being the mean over the way.
 */
export function stefanDiffusivity(front: StefanFront): number {
  const L = stefanNumber(driveOf(front));
  return (CM2_PER_UM2 * front.velocity_um_s * front.radius_um) / (4 * L * L);
}

/** The same by the rule for slow fronts, whose profile is straight: D = velocity radius gap / (2 (x_poor - x_surface)). */
export function quasiSteadyDiffusivity(front: StefanFront): number {
  const drive = driveOf(front);
  return (CM2_PER_UM2 * front.velocity_um_s * front.radius_um) / (2 * drive);
}

/**
 * Lithium of a rim in equilibrium with a potential above the plateau; null at the plateau and below.
 * The material's own law, no further than the least lithium for which its numbers hold.
 */
export function surfaceLithium(material: Material, potential_V: number): number | null {
  checkMaterial(material);
  potential("potential_V", potential_V);
  const of = thermodynamics(material);
  if (of.gap === null || !(equilibriumPotential(of, of.gap.poor_x) < potential_V)) return null;
  let low = material.least_x.value;
  let high = of.gap.poor_x;
  if (equilibriumPotential(of, low) <= potential_V) return low;
  for (let halving = 0; halving < 60; halving++) {
    const middle = (low + high) / 2;
    if (equilibriumPotential(of, middle) > potential_V) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

function driveOf(front: StefanFront): number {
  record("front", front, "Give velocity_um_s, radius_um, surface_x, poor_x and rich_x");
  const { velocity_um_s, radius_um, surface_x, poor_x, rich_x } = front;
  within("velocity_um_s", velocity_um_s, 1e-12, 1e6, "Give the front's speed in um/s, such as 0.02");
  within("radius_um", radius_um, 1e-6, 1e6, "Give the particle's depth from rim to middle in um");
  for (const [name, x] of Object.entries({ surface_x, poor_x, rich_x })) within(name, x, 0, 1, "Give lithium per site");
  if (!(rich_x > poor_x)) refuse("rich_x", rich_x, `Give more lithium than in the poor phase, ${poor_x}`);
  if (!(poor_x > surface_x)) {
    refuse("poor_x", poor_x, `The rim must hold less lithium than the poor phase, and holds ${surface_x}`);
  }
  return (poor_x - surface_x) / (rich_x - poor_x);
}

/** The error function by its series; for the arguments here, below 5. */
function erf(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}
