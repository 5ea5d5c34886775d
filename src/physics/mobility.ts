/** How easily lithium moves: chemical diffusivity against lithium, and the mobility that follows from it. */
import type { Material } from "../model/material.js";
import type { Thermodynamics } from "./free-energy.js";
import { tableAt } from "./open-circuit.js";

/**
 * Chemical diffusivity, um^2/s. Between the phases (without a gap: between the ends of the range) p rises smoothly from
 * 0 to 1, p = 3 q^2 - 2 q^3, and
 *
 *     log         ln D = (1 - p) ln D_poor + p ln D_rich
 *     linear         D = (1 - p) D_poor + p D_rich
 *     divacancy      D = D_poor ((1 - x) / (1 - x_poor))^2, never below D_rich
 *
 * or the same everywhere, or a table's, held at its ends. The divacancy law: Van der Ven and Ceder, Electrochem.
 * Solid-State Lett. 3, 301 (2000): a hop needs two empty sites.
 */
export function diffusivity(material: Material, of: Thermodynamics): (x: number) => number {
  const law = material.diffusivity;
  if (law.kind === "constant") return () => law.D_um2_s.value;
  if (law.kind === "table") return (x) => tableAt(law, x);
  const from = of.gap?.poor_x ?? material.least_x.value;
  const to = of.gap?.rich_x ?? material.most_x.value;
  const poor = law.poor_um2_s.value;
  const rich = law.rich_um2_s.value;
  if (law.kind === "divacancy") {
    return (x) => Math.max(rich, poor * (Math.max(0, 1 - x) / (1 - from)) ** 2);
  }
  return (x) => {
    const q = Math.max(0, Math.min(1, (x - from) / (to - from)));
    const p = q * q * (3 - 2 * q);
    return law.kind === "log" ? Math.exp((1 - p) * Math.log(poor) + p * Math.log(rich)) : (1 - p) * poor + p * rich;
  };
}

/**
 * Mobility, um^2/s per kT: the diffusivity over d mu / dx, in and above a gap over that of the phases at rest. The stated
 * diffusivities are thus chemical ones next to the phases; above the rich phase the effective one is D mu' / slope, greater.
 */
export function mobility(material: Material, of: Thermodynamics): (x: number) => number {
  const D = diffusivity(material, of);
  return (x) => D(x) / of.slope(x);
}
