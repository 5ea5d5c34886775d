/** Whether the numbers of a material make sense together. */
import { ParameterError } from "../model/errors.js";
import type { CitedTable, Material } from "../model/material.js";

/**
 * Throws a ParameterError with the first number of a material that cannot be, its value and the cure; also where a part is
 * missing or of another kind than a material's.
 */
export function checkMaterial(material: Material): void {
  if (!isRecord(material)) {
    throw new ParameterError(`material is ${shown(material)}. Give a material, such as lco.`, {
      parameter: "material",
      value: material,
    });
  }
  finite("", material);
  for (const name of ["temperature_K", "sites_mol_m3", "molarMass_g_mol", "nominal_mAh_g", "exchange_A_m2"] as const) {
    above(name, number(name, material[name]), 0);
  }
  within("temperature_K", material.temperature_K.value, 1, 5000);
  const least_x = number("least_x", material.least_x);
  within("least_x", least_x, 0, 1);
  within("most_x", number("most_x", material.most_x), 0, 1);
  above("most_x", material.most_x.value, least_x);
  above("most_V", number("most_V", material.most_V), number("least_V", material.least_V));
  checkOpenCircuit(material);
  checkEnergy(material);
  checkDiffusivity(material);
  oneOf("rateLaw", material.rateLaw, ["constant", "lattice-gas", "excluded-site"]);
  const { lattice = null, optics = null } = material;
  if (lattice !== null) {
    if (!isRecord(lattice)) refuse("lattice", lattice, "Give a_A and c_A, or null");
    table("lattice.a_A", lattice.a_A);
    table("lattice.c_A", lattice.c_A);
  }
  if (optics !== null) {
    if (!isRecord(optics)) refuse("optics", optics, "Give intensity, boundary and boundaryWidth_um, or null");
    table("optics.intensity", optics.intensity);
  }
}

function checkOpenCircuit({ openCircuit: law }: Material): void {
  oneOf("openCircuit.kind", isRecord(law) ? law.kind : law, ["table", "tanh"]);
  if (law.kind === "table") {
    table("openCircuit", law);
    law.values.forEach((value, at, all) => {
      if (at > 0 && value > all[at - 1]!) {
        refuse("openCircuit", value, `The potential must not rise with lithium; it does at x = ${law.x[at]}`);
      }
    });
    return;
  }
  for (const name of ["stretch", "constant_V", "linear_V"] as const)
    number(`openCircuit.${name}`, { value: law[name] });
  if (law.cap_x !== null) number("openCircuit.cap_x", { value: law.cap_x });
  const { terms } = law;
  const sound =
    Array.isArray(terms) &&
    terms.every((term: unknown) => Array.isArray(term) && term.length === 3 && term.every(Number.isFinite));
  if (!sound) refuse("openCircuit.terms", terms, "Give a list of [amplitude_V, offset, slope]");
}

function checkEnergy({ freeEnergy: energy, least_V, most_V }: Material): void {
  oneOf("freeEnergy.kind", isRecord(energy) ? energy.kind : energy, [
    "quartic-gap",
    "regular-solution",
    "open-circuit",
  ]);
  if (energy.kind === "open-circuit") return;
  within("freeEnergy.plateau_V", number("freeEnergy.plateau_V", energy.plateau_V), least_V.value, most_V.value);
  if (energy.kind === "quartic-gap") {
    const poor_x = number("freeEnergy.poor_x", energy.poor_x);
    const rich_x = number("freeEnergy.rich_x", energy.rich_x);
    const tail = number("freeEnergy.richTail_kT", energy.richTail_kT);
    within("freeEnergy.poor_x", poor_x, 0, 1);
    within("freeEnergy.rich_x", rich_x, 0, 1);
    above("freeEnergy.rich_x", rich_x, poor_x);
    within("freeEnergy.barrier_kT", number("freeEnergy.barrier_kT", energy.barrier_kT), LEAST_BARRIER_KT, 10);
    within("freeEnergy.richTail_kT", tail, 0, 1000);
    if (tail > 0 && !(rich_x < 1)) refuse("freeEnergy.rich_x", rich_x, "Give less than 1, or richTail_kT 0");
    oneOf("freeEnergy.below", energy.below, ["straight", "open-circuit"]);
    return;
  }
  above("freeEnergy.omega_kT", number("freeEnergy.omega_kT", energy.omega_kT), 0);
  within("freeEnergy.omega_kT", energy.omega_kT.value, 0, 10);
  within("freeEnergy.least_x", number("freeEnergy.least_x", energy.least_x), -1, 1);
  within("freeEnergy.most_x", number("freeEnergy.most_x", energy.most_x), 0, 2);
  above("freeEnergy.most_x", energy.most_x.value, energy.least_x.value);
}

/** Less than this is no barrier: a tenth of a thousandth of kT a site. */
const LEAST_BARRIER_KT = 1e-4;
/** No lithium in a solid moves faster: 10 mm^2/s. */
const MOST_D_UM2_S = 1e7;

function checkDiffusivity({ diffusivity: law }: Material): void {
  oneOf("diffusivity.kind", isRecord(law) ? law.kind : law, ["log", "linear", "divacancy", "constant", "table"]);
  const moves = (name: string, D: number): void => {
    above(name, D, 0);
    within(name, D, 0, MOST_D_UM2_S);
  };
  if (law.kind === "constant") moves("diffusivity.D_um2_s", number("diffusivity.D_um2_s", law.D_um2_s));
  else if (law.kind === "table") {
    table("diffusivity", law);
    for (const D of law.values) moves("diffusivity.values", D);
  } else {
    moves("diffusivity.poor_um2_s", number("diffusivity.poor_um2_s", law.poor_um2_s));
    moves("diffusivity.rich_um2_s", number("diffusivity.rich_um2_s", law.rich_um2_s));
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The number of a cited value. */
function number(name: string, cited: unknown): number {
  const value = isRecord(cited) ? cited.value : cited;
  if (isRecord(cited) && typeof value === "number" && Number.isFinite(value)) return value;
  return refuse(name, value, "Give { value, source }, the value a number");
}

function oneOf(name: string, value: unknown, names: readonly string[]): void {
  if (typeof value !== "string" || !names.includes(value)) refuse(name, value, `Give one of ${names.join(", ")}`);
}

function finite(name: string, value: unknown): void {
  if (typeof value === "number" && !Number.isFinite(value)) refuse(name, value, "Give a number");
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) finite(name === "" ? key : `${name}.${key}`, inner);
}

function table(name: string, of: CitedTable): void {
  if (!isRecord(of) || !Array.isArray(of.x) || !Array.isArray(of.values)) refuse(name, of, "Give lists x and values");
  const { x, values } = of;
  if (x.length < 2 || x.length !== values.length) {
    refuse(name, `${x.length} x and ${values.length} values`, "Give as many values as x, at least two");
  }
  for (let at = 0; at < x.length; at++) {
    if (!Number.isFinite(x[at]!) || !Number.isFinite(values[at]!))
      refuse(name, `${x[at]}, ${values[at]}`, "Give numbers");
    if (at > 0 && !(x[at]! > x[at - 1]!)) refuse(`${name}.x`, x[at], "Give x that rises");
  }
}

function above(name: string, value: number, least: number): void {
  if (!(value > least && value < Infinity)) refuse(name, value, `Give more than ${least}`);
}

function within(name: string, value: number, least: number, most: number): void {
  if (!(value >= least && value <= most)) refuse(name, value, `Give ${least} to ${most}`);
}

function refuse(name: string, value: unknown, cure: string): never {
  throw new ParameterError(`material.${name} is ${shown(value)}. ${cure}.`, { parameter: `material.${name}`, value });
}

/** A value in a message, cut short. */
function shown(value: unknown): string {
  const text = typeof value === "object" ? (JSON.stringify(value) ?? "") : String(value);
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}
