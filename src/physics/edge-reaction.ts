/**
 * Charge transfer at the rim: symmetric Butler-Volmer, and the potential at which a prescribed current flows.
 *
 *     J = k g(x) [exp(-(phi + mu) / 2) - exp((phi + mu) / 2)]      lithium into the rim, um/s of lithium fraction
 *
 * phi is the particle's potential above that of the plateau, mu its chemical potential at the rim, both in kT.
 */
import type { RateLaw } from "../model/material.js";
import type { MaskedGrid } from "./masked-grid.js";
import { muSlopeAt, type StateTable } from "./state-table.js";

/** The rim of one particle: entries run along `grid.rim`. */
export interface Rim {
  readonly cells: Int32Array;
  readonly length_um: Float64Array;
  readonly k_um_s: Float64Array;
  /** n . grad x that the rim asks for, 1/um: positive holds it rich in lithium, negative poor, 0 leaves it alone. */
  readonly wetting_per_um: Float64Array;
  /** What the wetting takes from mu, kT per um^2 of kappa. */
  readonly pull: Float64Array;
  readonly law: RateLaw;
  /** Rates of reaction at phi = 0, per area of the particle: into it and out of it, 1/s. */
  readonly into: Float64Array;
  readonly outOf: Float64Array;
}

/** Least share of the rate that a rate law falls to, so that an empty or full rim can be left again. */
const LEAST_RATE = 1e-6;

/** A rim from its lengths, rates and wetting. */
export function rimOf(
  grid: MaskedGrid,
  length_um: Float64Array,
  k_um_s: Float64Array,
  wetting_per_um: Float64Array,
  law: RateLaw,
): Rim {
  const cell_um2 = grid.h_um * grid.h_um;
  return {
    cells: grid.rim,
    length_um,
    k_um_s,
    wetting_per_um,
    pull: length_um.map((length, at) => (wetting_per_um[at]! * length) / cell_um2),
    law,
    into: new Float64Array(grid.rim.length),
    outOf: new Float64Array(grid.rim.length),
  };
}

/** Gives a rim another wetting, 1/um. */
export function rewet(rim: Rim, grid: MaskedGrid, wetting_per_um: Float64Array): void {
  const cell_um2 = grid.h_um * grid.h_um;
  rim.wetting_per_um.set(wetting_per_um);
  for (let at = 0; at < rim.pull.length; at++) rim.pull[at] = (wetting_per_um[at]! * rim.length_um[at]!) / cell_um2;
}

/** The share of the exchange rate at a rim of lithium x: 1, 2 sqrt(x (1 - x)) or 4 (1 - x). */
export function rateShare(law: RateLaw, x: number): number {
  if (law === "constant") return 1;
  const share = law === "lattice-gas" ? 2 * Math.sqrt(Math.max(0, x * (1 - x))) : 4 * (1 - x);
  return share > LEAST_RATE ? share : LEAST_RATE;
}

/** Takes the wetting from the chemical potential of the rim's cells. */
export function wet(rim: Rim, kappa_um2: number, mu: Float64Array): void {
  const { cells, pull } = rim;
  for (let at = 0; at < cells.length; at++) mu[cells[at]!] = mu[cells[at]!]! - kappa_um2 * pull[at]!;
}

/** Sums over a rim: the particle's rate is into exp(-phi / 2) - outOf exp(phi / 2), d<x>/dt in 1/s. */
export interface RimRates {
  into: number;
  outOf: number;
}

/** Rates of the rim at phi = 0, into `rim.into` and `rim.outOf`, and their sums into `sums`. */
export function rimRates(rim: Rim, area_um2: number, x: Float64Array, mu: Float64Array, sums: RimRates): void {
  const { cells, length_um, k_um_s, law, into, outOf } = rim;
  let sumInto = 0;
  let sumOut = 0;
  for (let at = 0; at < cells.length; at++) {
    const cell = cells[at]!;
    const rate = (length_um[at]! * k_um_s[at]! * rateShare(law, x[cell]!)) / area_um2;
    const half = Math.exp(-0.5 * mu[cell]!);
    into[at] = rate * half;
    outOf[at] = rate / half;
    sumInto += into[at]!;
    sumOut += outOf[at]!;
  }
  sums.into = sumInto;
  sums.outOf = sumOut;
}

/** Adds weight_s times the rim's reaction at phi (kT) to a raster of lithium; `cells_in_area` is the particle's number of cells. */
export function react(rim: Rim, phi: number, weight_s: number, cells_in_area: number, x: Float64Array): void {
  const { cells, into, outOf } = rim;
  const u = Math.exp(-0.5 * phi);
  const inward = weight_s * cells_in_area * u;
  const outward = (weight_s * cells_in_area) / u;
  for (let at = 0; at < cells.length; at++) {
    const cell = cells[at]!;
    x[cell] = x[cell]! + inward * into[at]! - outward * outOf[at]!;
  }
}

/**
 * Fastest rate of decay that the reaction alone would have, 1/s: with d mu / dx of the rim's lithium where that rises, and
 * with what the rate law takes from a rim as it fills or empties. `gradient_kT` is d mu / dx by the gradient energy.
 */
export function fastestReaction(
  rim: Rim,
  phi: number,
  cells_in_area: number,
  table: StateTable,
  gradient_kT: number,
  x: Float64Array,
): number {
  const { cells, law, into, outOf } = rim;
  const u = Math.exp(-0.5 * phi);
  let fastest = 0;
  for (let at = 0; at < cells.length; at++) {
    const inward = into[at]! * u;
    const outward = outOf[at]! / u;
    const here = x[cells[at]!]!;
    const stiffness = Math.max(0, muSlopeAt(table, here)) + gradient_kT;
    const shut = Math.max(0, -lnShareSlope(law, here) * (inward - outward));
    const rate = cells_in_area * (0.5 * (inward + outward) * stiffness + shut);
    if (rate > fastest) fastest = rate;
  }
  return fastest;
}

/** d ln(share of the exchange rate) / dx. */
function lnShareSlope(law: RateLaw, x: number): number {
  if (law === "constant" || rateShare(law, x) <= LEAST_RATE) return 0;
  return law === "lattice-gas" ? (1 - 2 * x) / (2 * x * (1 - x)) : -1 / (1 - x);
}

/**
 * phi (kT) at which a total rate I flows: I = A u - B / u with u = exp(-phi / 2), so u = (I + sqrt(I^2 + 4 A B)) / (2 A);
 * written so that nothing cancels.
 */
export function potentialFor(rate_per_s: number, { into, outOf }: RimRates): number {
  const root = Math.sqrt(rate_per_s * rate_per_s + 4 * into * outOf);
  const u = rate_per_s >= 0 ? (rate_per_s + root) / (2 * into) : (2 * outOf) / (root - rate_per_s);
  return -2 * Math.log(u);
}

/** Rate at phi, d<x>/dt in 1/s. */
export function rateAt(phi: number, { into, outOf }: RimRates): number {
  const u = Math.exp(-0.5 * phi);
  return into * u - outOf / u;
}
