/** Whether the numbers of a material make sense together. */
import type { CitedTable, Material } from "../model/material.js";
import { openCircuitPotential } from "./open-circuit.js";
import { finite, isRecord, oneOf, positive, potential, record, refuse, within } from "./check.js";

/**
 * Throws a ParameterError with the first number of a material that cannot be, its value and the cure; also where a part is
 * missing or of another kind than a material's.
 */
export function checkMaterial(material: Material): void {
  record("material", material, "Give a material, such as lco");
  noInfinity("material", material, 0);
  if (typeof material.name !== "string") refuse("material.name", material.name, "Give a name");
  for (const [name, least, most] of RANGES) {
    within(`material.${name}`, number(`material.${name}`, material[name]), least, most);
  }
  const least_x = number("material.least_x", material.least_x);
  within("material.least_x", least_x, 0, 1);
  within("material.most_x", number("material.most_x", material.most_x), 0, 1);
  above("material.most_x", material.most_x.value, least_x);
  for (const name of ["least_V", "most_V"] as const) {
    potential(`material.${name}`, number(`material.${name}`, material[name]));
  }
  above("material.most_V", number("material.most_V", material.most_V), number("material.least_V", material.least_V));
  checkOpenCircuit(material);
  for (const x of [least_x, material.most_x.value]) {
    potential(`material.openCircuit at x = ${x}`, openCircuitPotential(material.openCircuit, x));
  }
  checkEnergy(material);
  checkDiffusivity(material);
  oneOf("material.rateLaw", material.rateLaw, ["constant", "lattice-gas", "excluded-site"]);
  const { lattice = null, optics = null } = material;
  if (lattice !== null) {
    record("material.lattice", lattice, "Give a_A and c_A, or null");
    table("material.lattice.a_A", lattice.a_A, 0);
    table("material.lattice.c_A", lattice.c_A, 0);
  }
  if (optics !== null) {
    record("material.optics", optics, "Give intensity, boundary and boundaryWidth_um, or null");
    table("material.optics.intensity", optics.intensity, 0);
    number("material.optics.boundary", optics.boundary);
    const width_um = number("material.optics.boundaryWidth_um", optics.boundaryWidth_um);
    positive("material.optics.boundaryWidth_um", width_um, "Give more than 0, such as 0.118");
  }
}

function checkOpenCircuit({ openCircuit: law }: Material): void {
  oneOf("material.openCircuit.kind", isRecord(law) ? law.kind : law, ["table", "tanh"]);
  if (law.kind === "table") {
    table("material.openCircuit", law);
    law.values.forEach((value, at, all) => {
      if (at > 0 && value > all[at - 1]!) {
        refuse("material.openCircuit", value, `The potential must not rise with lithium; it does at x = ${law.x[at]}`);
      }
    });
    return;
  }
  for (const name of ["stretch", "constant_V", "linear_V"] as const)
    number(`material.openCircuit.${name}`, { value: law[name] });
  if (law.cap_x !== null) number("material.openCircuit.cap_x", { value: law.cap_x });
  const { terms } = law;
  const sound =
    Array.isArray(terms) &&
    terms.every((term: unknown) => Array.isArray(term) && term.length === 3 && term.every(Number.isFinite));
  if (!sound) refuse("material.openCircuit.terms", terms, "Give a list of [amplitude_V, offset, slope]");
}

function checkEnergy({ freeEnergy: energy, least_V, most_V }: Material): void {
  oneOf("material.freeEnergy.kind", isRecord(energy) ? energy.kind : energy, [
    "quartic-gap",
    "regular-solution",
    "open-circuit",
  ]);
  if (energy.kind === "open-circuit") return;
  within(
    "material.freeEnergy.plateau_V",
    number("material.freeEnergy.plateau_V", energy.plateau_V),
    least_V.value,
    most_V.value,
  );
  if (energy.kind === "quartic-gap") {
    const poor_x = number("material.freeEnergy.poor_x", energy.poor_x);
    const rich_x = number("material.freeEnergy.rich_x", energy.rich_x);
    const tail = number("material.freeEnergy.richTail_kT", energy.richTail_kT);
    within("material.freeEnergy.poor_x", poor_x, 0, 1);
    within("material.freeEnergy.rich_x", rich_x, 0, 1);
    above("material.freeEnergy.rich_x", rich_x, poor_x);
    within(
      "material.freeEnergy.barrier_kT",
      number("material.freeEnergy.barrier_kT", energy.barrier_kT),
      LEAST_BARRIER_KT,
      10,
    );
    within("material.freeEnergy.richTail_kT", tail, 0, 1000);
    if (tail > 0 && rich_x > MOST_RICH) {
      refuse("material.freeEnergy.rich_x", rich_x, `Give at most ${MOST_RICH}, or richTail_kT 0`);
    }
    oneOf("material.freeEnergy.below", energy.below, ["straight", "open-circuit"]);
    return;
  }
  above("material.freeEnergy.omega_kT", number("material.freeEnergy.omega_kT", energy.omega_kT), 0);
  within("material.freeEnergy.omega_kT", energy.omega_kT.value, 0, 10);
  within("material.freeEnergy.least_x", number("material.freeEnergy.least_x", energy.least_x), -1, 1);
  within("material.freeEnergy.most_x", number("material.freeEnergy.most_x", energy.most_x), 0, 2);
  above("material.freeEnergy.most_x", energy.most_x.value, energy.least_x.value);
}

/** Between these lie all materials, and some that are none. */
const RANGES = [
  ["temperature_K", 1, 5000],
  ["sites_mol_m3", 1, 1e6],
  ["molarMass_g_mol", 1, 1e5],
  ["nominal_mAh_g", 1e-3, 1e5],
  ["exchange_A_m2", 1e-9, 1e9],
] as const;
/** Less than this is no barrier: a tenth of a thousandth of kT a site. */
const LEAST_BARRIER_KT = 1e-4;
/** Sites that a rich phase leaves to its tail: fewer are none. */
const MOST_RICH = 0.999;
/** A record of a material goes no deeper. */
const MOST_DEPTH = 6;
/** No lithium in a solid moves faster: 10 mm^2/s. */
const MOST_D_UM2_S = 1e7;

function checkDiffusivity({ diffusivity: law }: Material): void {
  oneOf("material.diffusivity.kind", isRecord(law) ? law.kind : law, [
    "log",
    "linear",
    "divacancy",
    "constant",
    "table",
  ]);
  const moves = (name: string, D: number): void => {
    above(name, D, 0);
    within(name, D, 0, MOST_D_UM2_S);
  };
  if (law.kind === "constant")
    moves("material.diffusivity.D_um2_s", number("material.diffusivity.D_um2_s", law.D_um2_s));
  else if (law.kind === "table") {
    table("material.diffusivity", law);
    for (const D of law.values) moves("material.diffusivity.values", D);
  } else {
    moves("material.diffusivity.poor_um2_s", number("material.diffusivity.poor_um2_s", law.poor_um2_s));
    moves("material.diffusivity.rich_um2_s", number("material.diffusivity.rich_um2_s", law.rich_um2_s));
  }
}

/** The number of a cited value. */
function number(name: string, cited: unknown): number {
  const value = isRecord(cited) ? cited["value"] : cited;
  if (isRecord(cited) && typeof value === "number" && Number.isFinite(value)) return value;
  return refuse(name, value, "Give { value, source }, the value a number");
}

/** Refuses a number anywhere in a material that is none, and parts within parts without end. */
function noInfinity(name: string, value: unknown, depth: number): void {
  if (typeof value === "number") finite(name, value);
  if (typeof value !== "object" || value === null) return;
  if (depth > MOST_DEPTH) refuse(name, value, "Give no parts so deep");
  for (const [key, inner] of Object.entries(value)) noInfinity(`${name}.${key}`, inner, depth + 1);
}

function table(name: string, of: CitedTable, least = -Infinity): void {
  record(name, of, "Give lists x and values");
  const { x, values } = of;
  for (const [key, list] of Object.entries({ x, values })) {
    if (!Array.isArray(list) || list.length < 2) refuse(`${name}.${key}`, list, "Give at least two numbers");
    for (const one of list) finite(`${name}.${key}`, one, "Give numbers");
  }
  if (x.length !== values.length) refuse(`${name}.values`, values, `Give as many as x, ${x.length}`);
  for (let at = 0; at < x.length; at++) {
    if (at > 0 && !(x[at]! > x[at - 1]!)) refuse(`${name}.x`, x[at], "Give x that rises");
    above(`${name}.values`, values[at]!, least);
  }
}

function above(name: string, value: number, least: number): void {
  if (!(value > least && value < Infinity)) refuse(name, value, `Give more than ${least}`);
}
