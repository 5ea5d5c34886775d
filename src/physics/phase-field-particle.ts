/** One particle of a phase field: its cells, its rim, its material as tables, and one stage of one step. */
import { ParameterError } from "../model/errors.js";
import type { Material } from "../model/material.js";
import { FARADAY_C_MOL } from "./constants.js";
import { rimOf, rimRates, wet, type Rim, type RimRates } from "./edge-reaction.js";
import { thermodynamics, type Thermodynamics } from "./free-energy.js";
import { maskedGrid, type MaskedGrid } from "./masked-grid.js";
import { mobility } from "./mobility.js";
import { chemicalPotential, phaseFieldArrays, type PhaseFieldArrays } from "./phase-field-kernel.js";
import { freeEnergyAt, stateTable, type StateTable } from "./state-table.js";

/** The rim as stated: one entry a cell of the mask (row by row), a cell inside it, or a cell of the rim; in SI or um. */
export interface PhaseFieldBoundary {
  /** Length of rim in a cell. */
  readonly length_um?: ArrayLike<number>;
  /** Rate constant of the reaction, m/s: j0 = F c k, 2.01e-10 m/s is 1 A/m^2 in LiCoO2. Values above 1e-6 are um/s. */
  readonly k?: ArrayLike<number>;
  /** n . grad x at the rim, 1/m: positive holds it rich, negative poor. Where none exceeds 100 they are 1/um. */
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
  readonly boundary?: PhaseFieldBoundary | undefined;
}

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
export function phaseFieldParticle(spec: PhaseFieldParticleSpec, x0: number): PhaseFieldParticle {
  const { material, delta_um } = spec;
  const grid = maskedGrid(spec.mask, spec.width, spec.height, spec.h_um);
  const thermo = thermodynamics(material);
  if (thermo.gap !== null) {
    positive("delta_um", delta_um, "Give the half width of the phase boundary in um, such as 0.25");
    if (spec.h_um > delta_um) {
      refuse(
        "h_um",
        spec.h_um,
        `Cells must not be larger than delta_um, ${delta_um}: give at most ${(0.7 * delta_um).toPrecision(2)}`,
      );
    }
  }
  const kappa_um2 =
    thermo.gap === null ? 0 : 2 * thermo.barrier_kT * ((2 * delta_um) / (thermo.gap.rich_x - thermo.gap.poor_x)) ** 2;
  const boundary = spec.boundary ?? {};
  const k_um_s = alongRim("boundary.k", boundary.k, grid, rateConstant(material));
  const wetting = alongRim("boundary.wetting", boundary.wetting, grid, 0);
  const length_um =
    boundary.length_um === undefined ? grid.rim_um : alongRim("boundary.length_um", boundary.length_um, grid, 0);
  const inSI = { k: boundary.k !== undefined && most(k_um_s) <= 1e-6, wetting: most(wetting) > 100 };
  if (inSI.k) for (let at = 0; at < k_um_s.length; at++) k_um_s[at] = k_um_s[at]! * 1e6;
  if (inSI.wetting) for (let at = 0; at < wetting.length; at++) wetting[at] = wetting[at]! * 1e-6;
  const rim_um = length_um.reduce((sum, length) => sum + length, 0);
  if (length_um.some((length) => length < 0) || !(rim_um > 0)) {
    refuse("boundary.length_um", rim_um, "Give lengths of at least 0 that are not all 0");
  }
  if (k_um_s.some((k) => k < 0) || !(most(k_um_s) > 0)) {
    refuse("boundary.k", Math.min(...k_um_s), "Give rates of at least 0 that are not all 0");
  }
  return {
    grid,
    thermo,
    table: stateTable(thermo.mu, mobility(material, thermo)),
    kappa_um2,
    rim: rimOf(grid, length_um, k_um_s, wetting, material.rateLaw),
    arrays: phaseFieldArrays(grid, x0),
    rates: { into: 0, outOf: 0 },
    current_A_m2_s: (FARADAY_C_MOL * material.sites_mol_m3.value * grid.area_um2 * 1e-6) / rim_um,
  };
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

function alongRim(
  name: string,
  given: ArrayLike<number> | undefined,
  grid: MaskedGrid,
  otherwise: number,
): Float64Array {
  const { rim, stride, width, height, cells, count } = grid;
  if (given === undefined) return new Float64Array(rim.length).fill(otherwise);
  let values: Float64Array;
  if (given.length === rim.length) values = Float64Array.from(given);
  else if (given.length === width * height) {
    values = Float64Array.from(rim, (at) => given[(Math.floor(at / stride) - 1) * width + (at % stride) - 1]!);
  } else if (given.length === count) {
    let next = 0;
    values = Float64Array.from(rim, (at) => {
      while (cells[next] !== at) next++;
      return given[next]!;
    });
  } else {
    throw new ParameterError(
      `${name} has ${given.length} entries. Give one a cell of the mask (${width * height}), a cell inside (${count}) or a cell of the rim (${rim.length}), row by row.`,
      { parameter: name, value: given.length },
    );
  }
  const bad = values.find((value) => !Number.isFinite(value));
  if (bad !== undefined) refuse(name, bad, "Give a number for every cell of the rim");
  return values;
}

function most(values: Float64Array): number {
  return values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
}

/** Refuses a number that is not above 0. */
export function positive(name: string, value: number, cure: string): void {
  if (!(value > 0 && value < Infinity)) refuse(name, value, cure);
}

/** Refuses a value, with the cure. */
export function refuse(name: string, value: unknown, cure: string): never {
  throw new ParameterError(`${name} is ${typeof value === "number" ? value : JSON.stringify(value)}. ${cure}.`, {
    parameter: name,
    value,
  });
}
