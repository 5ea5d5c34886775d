/**
 * A whole electrode under a cycler: many particles share its potential, their currents sum to the applied one.
 *
 * One value of 1C holds for cell, particle and C-rate factor: 1C takes nominal / theoretical capacity out of each site in an
 * hour, 155 / 273.8 = 0.566 in LiCoO2. From x0 = 0.955 a charge at 2C comes to x = 1/2 after 24 min and enters the ordered
 * phase's window, 0.52, after 23.
 */
import type { Cycling } from "../model/cycling.js";
import type { Material } from "../model/material.js";
import type { Random } from "../kernels/random.js";
import { coverageOfPolygon } from "../kernels/polygon.js";
import { MOST_V, pair, positive, record, refuse, seeded, stoppable, whole, within } from "./check.js";
import { checkCycling, type CyclingSpec } from "./cycler.js";
import { checkMaterial } from "./material-check.js";
import { theoreticalCapacity } from "./open-circuit.js";
import { checkExtent } from "./masked-grid.js";
import { outlineOf, type Place } from "./outline.js";
import type { ElectrodeStep } from "./phase-field-drive.js";
import { simulateEnsemble, type EnsembleParticle, type EnsembleResult } from "./phase-field-ensemble.js";
import { stream } from "./streams.js";

/** The particles of an electrode, drawn by seed. */
export interface ElectrodeSpec {
  readonly seed: number;
  readonly particles: number;
  /** Radii of the smallest and the largest, from the centre to the farthest corner, um; evenly between. */
  readonly radii_um: readonly [number, number];
  /** Standard deviation of ln of the exchange current between particles; the logarithms lie evenly. */
  readonly lnExchange_sd: number;
  /** Largest contact resistance of a particle, referred to its rim; evenly from 0. */
  readonly contact_ohm_m2: number;
  /**
   * Potential that 1C loses on its way through the electrode to its face at the window, V. The particles lie evenly along
   * the way, those that are watched at its end.
   */
  readonly window_V: number;
  /** Side of a cell and half width of the boundary: coarse, since only the sum of the currents is wanted of them. */
  readonly h_um: number;
  readonly delta_um: number;
}

/** One driven step of an electrode's programme: its way on the record's clock. */
export interface ElectrodeHalfCycle {
  readonly kind: "charge" | "discharge";
  readonly rate_C: number;
  /** Number of the cycle, from 0; a discharge shares it with the charge before it. */
  readonly cycle: number;
  readonly start_s: number;
  readonly end_s: number;
  /** Potential that the particles see (without the cell's own resistance) at times from start_s on. */
  readonly E_V: readonly (readonly [number, number])[];
  readonly endedBy: "potential" | "lithium" | "time";
}

/** What a cycled electrode leaves. */
export interface ElectrodeCycling {
  /** What the cycler logs, on the record's own clock. */
  readonly record: Cycling;
  /** The driven steps that moved lithium. */
  readonly halfCycles: readonly ElectrodeHalfCycle[];
  /** The particles behind it. */
  readonly ensemble: EnsembleResult;
}

/** Lithium per site that 1C of an electrode moves in an hour. */
export function lithiumPerHour(material: Material, nominal_mAh_g = material.nominal_mAh_g.value): number {
  return nominal_mAh_g / theoreticalCapacity(material);
}

/**
 * The mask of an outline on square cells: those of which the outline covers more than half, two empty ones around them.
 * Throws ParameterError for one of too many cells.
 */
export function maskOfOutline(
  outline_um: readonly Place[],
  h_um: number,
): { mask: Uint8Array; width: number; height: number; h_um: number; origin_um: Place } {
  const left = Math.min(...outline_um.map(([x]) => x)) - 2 * h_um;
  const top = Math.min(...outline_um.map(([, y]) => y)) - 2 * h_um;
  const width = Math.ceil((Math.max(...outline_um.map(([x]) => x)) - left) / h_um) + 3;
  const height = Math.ceil((Math.max(...outline_um.map(([, y]) => y)) - top) / h_um) + 3;
  checkExtent("outline", width, height);
  const inCells = outline_um.map(([x, y]): Place => [(x - left) / h_um, (y - top) / h_um]);
  const cover = coverageOfPolygon(inCells, width, height, 16);
  return {
    mask: Uint8Array.from(cover, (share) => (share > 0.5 ? 1 : 0)),
    width,
    height,
    h_um,
    origin_um: [left, top],
  };
}

/**
 * The particles of an electrode as the phase field takes them. Sizes, exchange currents, contacts and places on the way each
 * fill their range evenly, so that a few stand for the many of a real electrode; the seed draws which goes with which.
 */
export function electrodeParticles(spec: ElectrodeSpec, material: Material): EnsembleParticle[] {
  checkElectrode("electrode", spec);
  const [least_um, most_um] = spec.radii_um;
  const { window_V } = spec;
  const random = stream(spec.seed, "electrode");
  const [exchange, contact, way] = ["exchange", "contact", "way"].map((name) =>
    shuffledRanks(spec.particles, stream(spec.seed, `electrode ${name}`)),
  ) as [number[], number[], number[]];
  return Array.from({ length: spec.particles }, (_, at) => {
    const share = spec.particles === 1 ? 0.5 : at / (spec.particles - 1);
    const radius_um = least_um + share * (most_um - least_um);
    const seed = Math.floor(random.uniform() * 2 ** 31);
    const outline = outlineOf({ kind: "crystal", centre_um: [0, 0], radius_um, corners: 6, seed });
    const { mask, width, height, h_um } = maskOfOutline(outline, spec.h_um);
    return {
      mask,
      width,
      height,
      h_um,
      edge: { seed, hotSpots: 1 },
      exchange_A_m2:
        material.exchange_A_m2.value * Math.exp(spec.lnExchange_sd * Math.sqrt(3) * (2 * exchange[at]! - 1)),
      contact_ohm_m2: spec.contact_ohm_m2 * contact[at]!,
      way_V_h: (window_V * way[at]!) / lithiumPerHour(material),
    };
  });
}

/**
 * Throws a ParameterError, its names after `name`, for an electrode that cannot be. A particle has at least two cells to its
 * radius, and no more than a simulation of many of them bears.
 */
export function checkElectrode(name: string, spec: ElectrodeSpec): void {
  record(name, spec, "Give seed, particles, radii_um, lnExchange_sd, contact_ohm_m2, window_V, h_um and delta_um");
  seeded(`${name}.seed`, spec.seed);
  whole(`${name}.particles`, spec.particles, 1, 500);
  within(`${name}.h_um`, spec.h_um, 1e-3, 100);
  positive(`${name}.delta_um`, spec.delta_um, "Give the half width of a phase boundary in um, such as 0.25");
  const [least_um, most_um] = [2 * spec.h_um, MOST_RADIUS * spec.h_um];
  const cure = `Give the smaller first, ${least_um} to ${most_um}: 2 to ${MOST_RADIUS} cells`;
  pair(`${name}.radii_um`, spec.radii_um, least_um, most_um, cure);
  if (spec.radii_um[0] > spec.radii_um[1]) refuse(`${name}.radii_um`, spec.radii_um, cure);
  within(`${name}.lnExchange_sd`, spec.lnExchange_sd, 0, 5);
  within(`${name}.contact_ohm_m2`, spec.contact_ohm_m2, 0, 1e6);
  within(`${name}.window_V`, spec.window_V, 0, 1);
}

/** Cells of the largest particle's radius at the most. */
const MOST_RADIUS = 500;

/** The middles of n equal parts of 0 to 1, in an order drawn. */
function shuffledRanks(n: number, random: Random): number[] {
  const ranks = Array.from({ length: n }, (_, at) => (at + 0.5) / n);
  for (let left = n - 1; left > 0; left--) {
    const other = Math.floor(random.uniform() * (left + 1));
    [ranks[left], ranks[other]] = [ranks[other]!, ranks[left]!];
  }
  return ranks;
}

/**
 * Cycles an electrode by a cycler's programme: galvanostatic steps that end at their potential, their time, or, on
 * discharge, when the lithium of the beginning is back, whichever comes first (`endedBy`); no limit is held. Down to 3.0 V
 * alone the rich phase would fill its last sites, to 0.9994 at 2C and 0.977 at 6C, which a real first cycle has lost. The
 * record is what the cycler logs: every `interval_s` and at each step's end the potential (the electrode's and
 * `overpotential_V` times the rate for the cell's resistance, with noise), the current and the charge. `cycling.x0` is the
 * lithium at the beginning, `cycling.nominal_mAh_g` the one value of 1C. Throws ParameterError for numbers that cannot be, and the signal's reason.
 */
export async function cycleElectrode(
  electrode: ElectrodeSpec,
  material: Material,
  cycling: CyclingSpec,
  seed: number,
  signal?: AbortSignal,
): Promise<ElectrodeCycling> {
  checkMaterial(material);
  checkElectrode("electrode", electrode);
  checkCycling("cycling", cycling);
  seeded("seed", seed);
  stoppable(signal);
  const perC = lithiumPerHour(material, cycling.nominal_mAh_g);
  const steps = cycling.programme.map((step): ElectrodeStep => {
    if (step.kind === "rest") return { kind: "rest", lasts_s: step.lasts_s };
    const ohmic_V = cycling.overpotential_V * step.rate_C;
    if (ohmic_V > MOST_V)
      refuse(
        "cycling.overpotential_V",
        cycling.overpotential_V,
        `At ${step.rate_C}C it is ${ohmic_V.toPrecision(3)} V: give less`,
      );
    return step.kind === "charge"
      ? { kind: "delithiation", x_per_h: step.rate_C * perC, until_V: step.until_V - ohmic_V, lasts_s: step.lasts_s }
      : {
          kind: "lithiation",
          x_per_h: step.rate_C * perC,
          until_V: step.until_V + ohmic_V,
          until_x: cycling.x0,
          lasts_s: step.lasts_s,
        };
  });
  const run = simulateEnsemble({
    particles: electrodeParticles(electrode, material),
    material,
    delta_um: electrode.delta_um,
    x0: cycling.x0,
    steps,
    stepChange_x: 0.02,
    snapshots_s: 1e6,
    signal,
  });
  let next = await run.next();
  while (!next.done) next = await run.next();
  const ensemble = next.value;
  return {
    record: recordOf(ensemble, cycling, perC, seed),
    halfCycles: halfCyclesOf(ensemble, cycling, electrode.window_V),
    ensemble,
  };
}

function halfCyclesOf(ensemble: EnsembleResult, cycling: CyclingSpec, window_V: number): ElectrodeHalfCycle[] {
  const found: ElectrodeHalfCycle[] = [];
  let charges = 0;
  for (const [index, step] of cycling.programme.entries()) {
    if (step.kind === "rest") continue;
    const first = ensemble.step.indexOf(index);
    const last = ensemble.step.lastIndexOf(index);
    const start_s = ensemble.t_s[first]!;
    if (step.kind === "charge") charges++;
    // A step whose limit is passed as it begins moves nothing.
    if (first === last) continue;
    const lost_V = (step.kind === "charge" ? 1 : -1) * step.rate_C * window_V;
    found.push({
      kind: step.kind,
      rate_C: step.rate_C,
      cycle: Math.max(0, charges - 1),
      start_s,
      end_s: ensemble.t_s[last]!,
      E_V: Array.from({ length: last - first + 1 }, (_, at) => {
        return [ensemble.t_s[first + at]! - start_s, ensemble.potential_V[first + at]! - lost_V] as const;
      }),
      endedBy: ensemble.ends[index]!,
    });
  }
  return found;
}

/** The ensemble's columns as a cycler logs them. */
function recordOf(ensemble: EnsembleResult, cycling: CyclingSpec, perC: number, seed: number): Cycling {
  const random = stream(seed, "cycler");
  const { t_s, step, potential_V } = ensemble;
  const oneC_mA = (cycling.nominal_mAh_g * cycling.active_mass_mg) / 1000;
  const rates_C = cycling.programme.map((one) =>
    one.kind === "rest" ? 0 : one.kind === "charge" ? one.rate_C : -one.rate_C,
  );
  const rows = {
    time_s: [] as number[],
    potential_V: [] as number[],
    current_mA: [] as number[],
    charge_mAh: [] as number[],
  };
  const log = (time_s: number, E_V: number, rate_C: number, x: number): void => {
    rows.time_s.push(time_s);
    rows.potential_V.push(E_V + cycling.overpotential_V * rate_C + cycling.noise_V * random.normal());
    rows.current_mA.push(rate_C * oneC_mA);
    rows.charge_mAh.push(((cycling.x0 - x) / perC) * oneC_mA);
  };
  let due_s = 0;
  for (let at = 0; at < t_s.length; at++) {
    const rate_C = rates_C[step[at]!]!;
    const x = ensemble.x_mean;
    if (at > 0 && step[at] === step[at - 1]) {
      for (; due_s < t_s[at]!; due_s += cycling.interval_s) {
        const share = (due_s - t_s[at - 1]!) / (t_s[at]! - t_s[at - 1]!);
        const mix = (column: Float64Array): number => column[at - 1]! + share * (column[at]! - column[at - 1]!);
        log(due_s, mix(potential_V), rate_C, mix(x));
      }
    }
    const ends = at === t_s.length - 1 || step[at + 1] !== step[at];
    if (at === 0 || ends) {
      log(t_s[at]!, potential_V[at]!, rate_C, x[at]!);
      due_s = (Math.floor(t_s[at]! / cycling.interval_s + 1e-9) + 1) * cycling.interval_s;
    }
  }
  const column = (values: readonly number[]): Float64Array => Float64Array.from(values);
  return {
    time_s: column(rows.time_s),
    potential_V: column(rows.potential_V),
    current_mA: column(rows.current_mA),
    charge_mAh: column(rows.charge_mAh),
  };
}
