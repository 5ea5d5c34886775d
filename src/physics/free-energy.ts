/** What lithium costs: chemical potential and free energy of a site against lithium, in kT, without gradients. */
import type { Material } from "../model/material.js";
import { openCircuitPotential, thermalVoltage } from "./open-circuit.js";

/** The thermodynamics of one material. Potentials in kT are counted from that of the plateau (`reference_V`). */
export interface Thermodynamics {
  /** kT/e. */
  readonly thermal_V: number;
  /** Potential against lithium metal at which mu is 0. */
  readonly reference_V: number;
  /** Lithium of the two phases; null in a solid solution. */
  readonly gap: { readonly poor_x: number; readonly rich_x: number } | null;
  /** Lithium at which a place counts as passed by the front: the middle of the gap. */
  readonly middle_x: number;
  /** Free energy in the middle above the line that touches both phases; 0 without a gap. */
  readonly barrier_kT: number;
  /** Chemical potential of lithium, kT. */
  readonly mu: (x: number) => number;
  /**
   * d mu / dx that turns a chemical diffusivity into a mobility, kT per unit of x; positive. In and above the gap (in a regular
   * solution of two phases everywhere) that of the phases at rest, so that the tail towards x = 1 quickens the diffusion.
   */
  readonly slope: (x: number) => number;
}

/** Where the logarithms of saturation go on straight and the wall begins: at this share of the way left. */
const SATURATED = 0.01;
/** So far beyond the material's limits of potential the wall at the last site stands up to. */
const BEYOND_V = 0.5;
/** Sites that are taken to be left beyond a measured potential's range, where it goes to the end. */
const LEAST_LEFT = 0.01;
/** Where those of a regular solution do, as a share of its sites. */
const REGULAR_END = 5e-4;
/** Least d mu / dx that a measured potential is believed to have, kT: a flat stretch of a fit is no infinite mobility. */
const LEAST_SLOPE_KT = 1;

/**
 * The thermodynamics of a material. Two phases with a quartic between them, s = (x - middle) / half, half = Dx / 2:
 *
 *     mu = -(8 h / Dx) s (1 - s^2)   in the gap,   slope 32 h / Dx^2 beside it
 *     mu += a [ln((1 - rich) / (1 - x)) - (x - rich) / (1 - rich)]   above it
 *
 * or a regular solution on the sites between two compositions, t = (x - least) / (most - least):
 *
 *     mu = ln(t / (1 - t)) + Omega (1 - 2 t)
 *
 * or, in a solid solution, the open-circuit potential: mu = -(E - E_reference) / (kT/e). Along a measured potential below a
 * gap E_reference is the potential measured at the gap's edge, so that mu is 0 there.
 *
 * The logarithms go on straight from a hundredth of the way left (x = 0.9995 in LiCoO2), those of the regular solution from
 * t = 5e-4 and 1 - 5e-4. There a wall begins, which rises with the square of the way into it; the last site, or the last
 * lithium, is taken half a volt beyond the material's limits of potential. Straight alone, x went on to 1.01 within them.
 */
export function thermodynamics(material: Material): Thermodynamics {
  const energy = material.freeEnergy;
  const { least_x, most_x } = material;
  const measuredEmpty = endOf(least_x.value, -1, least_x.value);
  if (energy.kind === "quartic-gap") {
    const full = { x: 1, width: SATURATED * (1 - energy.rich_x.value) };
    return walled(
      material,
      quarticGap(material, energy),
      energy.below === "open-circuit" ? measuredEmpty : null,
      energy.richTail_kT.value > 0 ? full : null,
    );
  }
  if (energy.kind === "regular-solution") {
    const width = REGULAR_END * (energy.most_x.value - energy.least_x.value);
    return walled(
      material,
      regularSolution(material, energy),
      { x: energy.least_x.value, width },
      { x: energy.most_x.value, width },
    );
  }
  const thermal_V = thermalVoltage(material);
  const middle_x = (least_x.value + most_x.value) / 2;
  const reference_V = openCircuitPotential(material.openCircuit, middle_x);
  const mu = (x: number): number => measured(material, x, thermal_V, reference_V);
  const law = { thermal_V, reference_V, gap: null, middle_x, barrier_kT: 0, mu, slope: (x: number) => slopeOf(mu, x) };
  return walled(material, law, measuredEmpty, endOf(most_x.value, 1, 1 - most_x.value));
}

/** Where lithium, or its sites, run out, and how wide a wall stands before it. */
interface End {
  readonly x: number;
  readonly width: number;
}

/** The end of so many sites beyond x. */
function endOf(x: number, towards: 1 | -1, left: number): End {
  const all = Math.max(left, LEAST_LEFT);
  return { x: x + towards * all, width: SATURATED * all };
}

/** A law with walls at its ends. In a wall mu' and the slope for the mobility grow alike: diffusion is as fast as before it. */
function walled(material: Material, law: Thermodynamics, empty: End | null, full: End | null): Thermodynamics {
  const { thermal_V, reference_V } = law;
  const outward_kT = (material.most_V.value + BEYOND_V - reference_V) / thermal_V;
  const inward_kT = (reference_V - material.least_V.value + BEYOND_V) / thermal_V;
  const atEmpty = empty === null ? null : wallOf(law, empty, -1, outward_kT + law.mu(empty.x));
  const atFull = full === null ? null : wallOf(law, full, 1, inward_kT - law.mu(full.x));
  return {
    ...law,
    mu: (x) => law.mu(x) + (atFull?.rise(x) ?? 0) - (atEmpty?.rise(x) ?? 0),
    slope: (x) => law.slope(x) * (atFull?.steeper(x) ?? 1) * (atEmpty?.steeper(x) ?? 1),
  };
}

/** height (d / width)^2, d the way into the wall, straight on beyond the end; and how many times steeper mu is by it. */
function wallOf(
  law: Thermodynamics,
  { x: end, width }: End,
  towards: 1 | -1,
  height_kT: number,
): { readonly rise: (x: number) => number; readonly steeper: (x: number) => number } {
  const height = Math.max(0, height_kT);
  const before = (law.mu(end) - law.mu(end - towards * width)) / (towards * width);
  const share = (x: number): number => Math.max(0, 1 - (towards * (end - x)) / width);
  return {
    rise(x) {
      const into = share(x);
      return height * (into < 1 ? into * into : 2 * into - 1);
    },
    steeper: (x) => 1 + (2 * height * Math.min(1, share(x))) / (width * before),
  };
}

/** Potential against lithium metal in equilibrium with a uniform composition, V: the plateau throughout the gap. */
export function equilibriumPotential(of: Thermodynamics, x: number): number {
  const inGap = of.gap !== null && x >= of.gap.poor_x && x <= of.gap.rich_x;
  return of.reference_V - of.thermal_V * (inGap ? 0 : of.mu(x));
}

type Kind<K extends Material["freeEnergy"]["kind"]> = Extract<Material["freeEnergy"], { kind: K }>;

function quarticGap(material: Material, energy: Kind<"quartic-gap">): Thermodynamics {
  const thermal_V = thermalVoltage(material);
  const poor_x = energy.poor_x.value;
  const rich_x = energy.rich_x.value;
  const reference_V = energy.plateau_V.value;
  const h = energy.barrier_kT.value;
  const tail = energy.richTail_kT.value;
  const half = (rich_x - poor_x) / 2;
  const middle_x = (poor_x + rich_x) / 2;
  const well = (8 * h) / (half * half);
  const left = 1 - rich_x;
  const atGap_V = openCircuitPotential(material.openCircuit, poor_x);
  const mu = (x: number): number => {
    if (x < poor_x && energy.below === "open-circuit") return measured(material, x, thermal_V, atGap_V);
    const s = (x - middle_x) / half;
    const inside = Math.max(-1, Math.min(1, s));
    let value = -((4 * h) / half) * inside * (1 - inside * inside) + well * half * (s - inside);
    if (x > rich_x && tail > 0) {
      const y = Math.min(x, 1 - SATURATED * left);
      value += tail * (Math.log(left / (1 - y)) - (y - rich_x) / left + (x - y) * (1 / (SATURATED * left) - 1 / left));
    }
    return value;
  };
  const slope = (x: number): number => (x < poor_x && energy.below === "open-circuit" ? slopeOf(mu, x) : well);
  return { thermal_V, reference_V, gap: { poor_x, rich_x }, middle_x, barrier_kT: h, mu, slope };
}

function regularSolution(material: Material, energy: Kind<"regular-solution">): Thermodynamics {
  const least = energy.least_x.value;
  const span = energy.most_x.value - least;
  const omega = energy.omega_kT.value;
  const mu = (x: number): number => {
    const t = (x - least) / span;
    const clipped = Math.max(REGULAR_END, Math.min(1 - REGULAR_END, t));
    const straight = (t - clipped) / (clipped * (1 - clipped));
    return Math.log(clipped / (1 - clipped)) + straight + omega * (1 - 2 * t);
  };
  const low = binodal(omega);
  const well = (1 / (low * (1 - low)) - 2 * omega) / span;
  const common = Math.log(low) * low + Math.log(1 - low) * (1 - low) + omega * low * (1 - low);
  const twoPhases = omega > 2;
  return {
    thermal_V: thermalVoltage(material),
    reference_V: energy.plateau_V.value,
    gap: twoPhases ? { poor_x: least + span * low, rich_x: least + span * (1 - low) } : null,
    middle_x: least + span / 2,
    barrier_kT: twoPhases ? span * (omega / 4 - Math.LN2 - common) : 0,
    mu,
    slope: twoPhases ? () => well : (x) => slopeOf(mu, x),
  };
}

/** Lower composition in equilibrium of a symmetric regular solution: ln((1 - t) / t) = Omega (1 - 2 t). */
function binodal(omega: number): number {
  if (!(omega > 2)) return 0.5;
  let low = Number.MIN_VALUE;
  // The spinodal lies above the binodal.
  let high = (1 - Math.sqrt(1 - 2 / omega)) / 2;
  for (let halving = 0; halving < 200; halving++) {
    const middle = (low + high) / 2;
    if (Math.log((1 - middle) / middle) > omega * (1 - 2 * middle)) low = middle;
    else high = middle;
  }
  return low;
}

/**
 * mu along the measured potential. Beyond the range of the numbers it goes on straight, and sites run out as they do in the
 * tail above a gap: + ln((1 - most) / (1 - x)) - (x - most) / (1 - most), and the like towards x = 0.
 */
function measured(material: Material, x: number, thermal_V: number, reference_V: number): number {
  const least = material.least_x.value;
  const most = material.most_x.value;
  const at = Math.max(least, Math.min(most, x));
  const E_V = openCircuitPotential(material.openCircuit, at);
  if (at === x) return (reference_V - E_V) / thermal_V;
  const step = 1e-3 * (most - least);
  const inward_V = openCircuitPotential(material.openCircuit, at + (x < least ? step : -step));
  const rise = Math.max(LEAST_SLOPE_KT, Math.abs(inward_V - E_V) / (step * thermal_V));
  const straight = (reference_V - E_V) / thermal_V + rise * (x - at);
  return x > at ? straight + runningOut(x - at, 1 - most) : straight - runningOut(at - x, least);
}

/** What it costs, kT, to take `taken` of the last `left` sites beyond what straight costs; itself straight from a hundredth on. */
function runningOut(taken: number, left: number): number {
  const all = Math.max(left, LEAST_LEFT);
  const by = Math.min(taken, (1 - SATURATED) * all);
  return Math.log(all / (all - by)) - by / all + (taken - by) * (1 / (SATURATED * all) - 1 / all);
}

function slopeOf(mu: (x: number) => number, x: number): number {
  const step = 1e-4;
  return Math.max(LEAST_SLOPE_KT, (mu(x + step) - mu(x - step)) / (2 * step));
}
