/** One particle of a phase field: its cells, its rim, its material as tables, and one stage of one step. */
import { ParameterError } from "../model/errors.js";
import type { Material } from "../model/material.js";
import { oneOf, positive, record, refuse, seeded, whole, within } from "./check.js";
import { FARADAY_C_MOL } from "./constants.js";
import { rimOf, rimRates, wet, type Rim, type RimRates } from "./edge-reaction.js";
import { thermodynamics, type Thermodynamics } from "./free-energy.js";
import { maskedGrid, type MaskedGrid } from "./masked-grid.js";
import { mobility } from "./mobility.js";
import { chemicalPotential, phaseFieldArrays, type PhaseFieldArrays } from "./phase-field-kernel.js";
import { hotSpotWetting, rateFactors, type EdgeSpec } from "./phase-field-edge.js";
import { freeEnergyAt, stateTable, type StateTable } from "./state-table.js";

/**
 * The rim as stated. Each array has one entry a cell of the mask, a cell inside it, or a cell of the rim (a cell inside with a
 * closed face), told by its length; always row by row from the first row, and along a row from its first cell. Entries of
 * cells that are not of the rim are not read.
 */
export interface PhaseFieldBoundary {
  /** Length of rim in a cell, um. */
  readonly length_um?: ArrayLike<number>;
  /**
   * Rate constant of the reaction, m/s: j0 = F c k, 2.01e-10 m/s is 1 A/m^2 in LiCoO2. Where the largest exceeds 1e-6 all are
   * taken as um/s.
   */
  readonly k?: ArrayLike<number>;
  /**
   * n . grad x at the rim, 1/m: positive holds it rich, negative poor, whatever the direction. Where none exceeds ten times
   * the steepest of a boundary at rest, half the gap over delta_um (0.4 1/um for LiCoO2 and 0.25 um), all are taken as 1/um.
   */
  readonly wetting?: ArrayLike<number>;
}

/** What a particle is made of. */
export interface PhaseFieldParticleSpec {
  readonly mask: ArrayLike<number>;
  readonly width: number;
  readonly height: number;
  readonly h_um: number;
  readonly material: Material;
  /** Half width of the boundary between the phases: x = middle + half gap tanh(z / delta). */
  readonly delta_um: number;
  /** Rates and hot spots by seed; without it the rim is even and has no hot spot. */
  readonly edge?: EdgeSpec | undefined;
  /** Overrides, key by key, what mask, material and seed give. */
  readonly boundary?: PhaseFieldBoundary | undefined;
  /** Of this particle, where it is not the material's. */
  readonly exchange_A_m2?: number | undefined;
}

/** In m/s a larger rate constant were an exchange current above 5 kA/m^2: what is larger is in um/s. */
const LARGEST_K_M_S = 1e-6;
/** No wetting in 1/um is so many times steeper than a boundary at rest: what is larger is in 1/m. */
const LARGEST_WETTING = 10;
/** A length of rim below this share of a cell's side is taken for one in metres. */
const LEAST_LENGTH = 1e-3;

/** More hot spots no rim has room for, and no electrode lives through more cycles. */
const MOST_SPOTS = 1e6;
const MOST_CYCLES = 1e9;
/** A boundary of more cells than this is one no particle has room for. */
const MOST_CELLS = 200;

/** A particle ready to be stepped. */
export interface PhaseFieldParticle {
  readonly grid: MaskedGrid;
  readonly thermo: Thermodynamics;
  readonly table: StateTable;
  readonly kappa_um2: number;
  readonly rim: Rim;
  readonly arrays: PhaseFieldArrays;
  readonly rates: RimRates;
  /** Mean current density on the rim for a rate of 1/s, A/m^2. */
  readonly current_A_m2_s: number;
}

/** Rate constant k (um/s) of an exchange current density: j0 = F c k. */
export function rateConstant(material: Material, exchange_A_m2 = material.exchange_A_m2.value): number {
  return (1e6 * exchange_A_m2) / (FARADAY_C_MOL * material.sites_mol_m3.value);
}

/**
 * A particle from its mask, lithium everywhere x0.
 * Throws ParameterError for what no particle can be, with its name, value and cure.
 */
export function phaseFieldParticle(
  spec: PhaseFieldParticleSpec,
  x0: number,
  direction: "delithiation" | "lithiation",
): PhaseFieldParticle {
  const { material, delta_um, edge, boundary = {} } = spec;
  const grid = maskedGrid(spec.mask, spec.width, spec.height, spec.h_um);
  const thermo = thermodynamics(material);
  if (thermo.gap !== null) checkWidth(delta_um, spec.h_um);
  checkRim(edge, boundary);
  const exchange_A_m2 = spec.exchange_A_m2 ?? material.exchange_A_m2.value;
  within("exchange_A_m2", exchange_A_m2, 1e-12, 1e9, "Give the exchange current density in A/m2, such as 1");
  const k0_um_s = rateConstant(material, exchange_A_m2);
  const length_um = alongRim("boundary.length_um", boundary.length_um, grid) ?? grid.rim_um;
  const k_um_s =
    inMicrometres(alongRim("boundary.k", boundary.k, grid), LARGEST_K_M_S, 1e6) ??
    (edge === undefined ? new Float64Array(grid.rim.length).fill(1) : rateFactors(grid, edge)).map((f) => f * k0_um_s);
  const wetting_per_um =
    inMicrometres(alongRim("boundary.wetting", boundary.wetting, grid), largestWetting(thermo, delta_um), 1e-6) ??
    (edge === undefined ? new Float64Array(grid.rim.length) : hotSpotWetting(grid, thermo, delta_um, edge, direction));
  const rim_um = notNegative("boundary.length_um", length_um);
  const longest = length_um.reduce((most, length) => Math.max(most, length), 0);
  if (longest < LEAST_LENGTH * spec.h_um) {
    refuse(
      "boundary.length_um",
      longest,
      `Cells are ${spec.h_um} um wide: give the length of rim in a cell in um, not m`,
    );
  }
  notNegative("boundary.k", k_um_s);
  const table = stateTable(thermo.mu, mobility(material, thermo));
  return {
    grid,
    thermo,
    table,
    kappa_um2: gradientEnergy(thermo, delta_um),
    rim: rimOf(grid, length_um, k_um_s, wetting_per_um, material.rateLaw),
    arrays: phaseFieldArrays(grid, table, x0),
    rates: { into: 0, outOf: 0 },
    current_A_m2_s: (FARADAY_C_MOL * material.sites_mol_m3.value * grid.area_um2 * 1e-6) / rim_um,
  };
}

/**
 * kappa (um^2) that gives the boundary between the phases the half width delta: 2 barrier (2 delta / Dx)^2. In the quartic
 * gap the profile is middle + half gap tanh(z / delta), its energy (8 / 3) barrier delta; 0 in a solid solution.
 */
export function gradientEnergy({ gap, barrier_kT }: Thermodynamics, delta_um: number): number {
  return gap === null ? 0 : 2 * barrier_kT * ((2 * delta_um) / (gap.rich_x - gap.poor_x)) ** 2;
}

/** Chemical potential, mobility and the rim's rates for the lithium x. */
export function evaluate(particle: PhaseFieldParticle, x: Float64Array): void {
  const { grid, arrays, rim } = particle;
  chemicalPotential(grid, particle.table, particle.kappa_um2, x, arrays);
  wet(rim, particle.kappa_um2, arrays.mu);
  rimRates(rim, grid.area_um2, x, arrays.mu, particle.rates);
}

/** Free energy of a particle, kT times the sites of one um^3 of a plate 1 um thick: bulk, gradients and wetting. */
export function particleEnergy(particle: PhaseFieldParticle): number {
  const { grid, arrays, table, kappa_um2, rim } = particle;
  const x = arrays.start;
  let bulk = 0;
  let gradients = 0;
  for (let run = 0; run < grid.runs.length; run += 2) {
    for (let at = grid.runs[run]!; at < grid.runs[run + 1]!; at++) {
      bulk += freeEnergyAt(table, x[at]!);
      if (at + 1 < grid.runs[run + 1]!) gradients += (x[at + 1]! - x[at]!) ** 2;
      gradients += grid.openBelow[at]! * (x[at + grid.stride]! - x[at]!) ** 2;
    }
  }
  const cell_um2 = grid.h_um * grid.h_um;
  const wetting = rim.cells.reduce((sum, cell, at) => sum + rim.pull[at]! * x[cell]!, 0);
  return bulk * cell_um2 + 0.5 * kappa_um2 * gradients - kappa_um2 * wetting * cell_um2;
}

/** A raster of the mask's own size from one of the grid, NaN outside. */
export function onMask(grid: MaskedGrid, raster: Float64Array, into: Float64Array | Float32Array): void {
  into.fill(NaN);
  for (const cell of grid.cells) {
    into[(Math.floor(cell / grid.stride) - 1) * grid.width + (cell % grid.stride) - 1] = raster[cell]!;
  }
}

/** Refuses a rim by seed that is none, and one stated that is not even a record. */
function checkRim(edge: EdgeSpec | undefined, boundary: unknown): void {
  record("boundary", boundary, "Give length_um, k or wetting, or leave it out");
  if (edge !== undefined) checkEdge("edge", edge);
}

/** Throws a ParameterError for a boundary thinner than a cell, or wider than any particle has room for. */
export function checkWidth(delta_um: number, h_um: number): void {
  positive("delta_um", delta_um, "Give the half width of a phase boundary in um, such as 0.25");
  if (h_um > delta_um) {
    const least = (0.7 * delta_um).toPrecision(2);
    refuse("h_um", h_um, `Cells must not be larger than delta_um, ${delta_um}: give ${least} or less`);
  }
  if (delta_um > MOST_CELLS * h_um)
    refuse("delta_um", delta_um, `Give at most ${MOST_CELLS} cells, ${MOST_CELLS * h_um}`);
}

/** Throws a ParameterError, named `name`, for what is no lithium per site of a particle that is neither empty nor full. */
export function checkLithium(name: string, x: number): void {
  if (typeof x === "number" && x > 0 && x < 1) return;
  refuse(name, x, "Lithium per site lies between 0, where a particle is empty, and 1: give a number between");
}

/** Throws a ParameterError, named `name`, for a rim by seed that is none. */
export function checkEdge(name: string, edge: EdgeSpec): void {
  record(name, edge, "Give a seed, such as { seed: 1 }, or leave it out");
  seeded(`${name}.seed`, edge.seed);
  const { lnRate_sd = 0, hotSpots = 0, hotSpot_um = 1, hotSpotsAt = "corners", cycle = 0 } = edge;
  within(`${name}.lnRate_sd`, lnRate_sd, 0, 5);
  whole(`${name}.hotSpots`, hotSpots, 0, MOST_SPOTS);
  positive(`${name}.hotSpot_um`, hotSpot_um, "Give the half width of a hot spot in um, such as 0.5");
  oneOf(`${name}.hotSpotsAt`, hotSpotsAt, ["corners", "anywhere"]);
  whole(`${name}.cycle`, cycle, 0, MOST_CYCLES);
}

/**
 * A stated rim with its rate constants in m/s and its wetting in 1/um, whichever they are stated in: so it can be taken
 * apart, and a part without large values means the same.
 */
export function boundaryUnits(boundary: PhaseFieldBoundary, material: Material, delta_um: number): PhaseFieldBoundary {
  const { k, wetting } = boundary;
  const limit = largestWetting(thermodynamics(material), delta_um);
  const list = (given: ArrayLike<number>): Float64Array => Float64Array.from(given);
  return {
    ...boundary,
    ...(k === undefined ? {} : { k: inMicrometres(list(k), LARGEST_K_M_S, 1e6)!.map((value) => 1e-6 * value) }),
    ...(wetting === undefined ? {} : { wetting: inMicrometres(list(wetting), limit, 1e-6)! }),
  };
}

function largestWetting({ gap }: Thermodynamics, delta_um: number): number {
  return gap === null ? Infinity : (LARGEST_WETTING * (gap.rich_x - gap.poor_x)) / 2 / delta_um;
}

function alongRim(name: string, given: ArrayLike<number> | undefined, grid: MaskedGrid): Float64Array | null {
  if (given === undefined) return null;
  if (typeof given !== "object" || given === null || !Number.isInteger(given.length)) {
    refuse(name, given, "Give an array, one entry a cell");
  }
  const { rim, stride, width, height, cells, count } = grid;
  let values: number[];
  if (given.length === rim.length) values = Array.from(given);
  else if (given.length === width * height) {
    values = Array.from(rim, (at) => given[(Math.floor(at / stride) - 1) * width + (at % stride) - 1]!);
  } else if (given.length === count) {
    let next = 0;
    values = Array.from(rim, (at) => {
      while (cells[next] !== at) next++;
      return given[next]!;
    });
  } else {
    throw new ParameterError(
      `${name} has ${given.length} entries. Give one a cell of the mask (${width * height}), a cell inside (${count}) or a cell of the rim (${rim.length}), row by row.`,
      { parameter: name, value: given.length },
    );
  }
  for (const value of values) {
    if (!Number.isFinite(value)) refuse(name, value, "Give a number for every cell of the rim");
  }
  return Float64Array.from(values);
}

/** Values given in SI where they are at most `limit` (k) or above it (wetting, which `perMetre` divides) become um. */
function inMicrometres(values: Float64Array | null, limit: number, perMetre: number): Float64Array | null {
  if (values === null) return null;
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const inSI = perMetre > 1 ? largest <= limit : largest > limit;
  return inSI ? values.map((value) => value * perMetre) : values;
}

/** The sum of values none of which may be negative, nor all 0. */
function notNegative(name: string, values: Float64Array): number {
  let sum = 0;
  for (const value of values) {
    if (value < 0) refuse(name, value, "Give at least 0");
    sum += value;
  }
  if (!(sum > 0)) refuse(name, sum, "Give some cell of the rim more than 0");
  return sum;
}
