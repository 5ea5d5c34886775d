/** Whether the numbers of a material make sense together. */
import { ParameterError } from "../model/errors.js";
import type { CitedTable, Material } from "../model/material.js";

/** Throws a ParameterError with the first number of a material that cannot be, its value and the cure. */
export function checkMaterial(material: Material): void {
  finite("", material);
  const { freeEnergy: energy, diffusivity: law } = material;
  above("temperature_K", material.temperature_K.value, 0);
  above("sites_mol_m3", material.sites_mol_m3.value, 0);
  above("molarMass_g_mol", material.molarMass_g_mol.value, 0);
  above("nominal_mAh_g", material.nominal_mAh_g.value, 0);
  within("least_x", material.least_x.value, 0, 1);
  within("most_x", material.most_x.value, 0, 1);
  above("most_x", material.most_x.value, material.least_x.value);
  above("most_V", material.most_V.value, material.least_V.value);
  above("exchange_A_m2", material.exchange_A_m2.value, 0);
  if (material.openCircuit.kind === "table") {
    table("openCircuit", material.openCircuit);
    material.openCircuit.values.forEach((value, at, all) => {
      if (at > 0 && value > all[at - 1]!) {
        refuse(
          "openCircuit",
          value,
          `The potential must not rise with lithium; it does at x = ${material.openCircuit.kind === "table" ? material.openCircuit.x[at] : ""}`,
        );
      }
    });
  }
  if (energy.kind === "quartic-gap") {
    within("freeEnergy.poor_x", energy.poor_x.value, 0, 1);
    within("freeEnergy.rich_x", energy.rich_x.value, 0, 1);
    above("freeEnergy.rich_x", energy.rich_x.value, energy.poor_x.value);
    above("freeEnergy.barrier_kT", energy.barrier_kT.value, 0);
    within("freeEnergy.richTail_kT", energy.richTail_kT.value, 0, 1000);
    if (energy.richTail_kT.value > 0 && !(energy.rich_x.value < 1)) {
      refuse("freeEnergy.rich_x", energy.rich_x.value, "Give less than 1, or richTail_kT 0");
    }
  }
  if (energy.kind === "regular-solution") {
    above("freeEnergy.omega_kT", energy.omega_kT.value, 0);
    above("freeEnergy.most_x", energy.most_x.value, energy.least_x.value);
  }
  if (law.kind === "constant") above("diffusivity.D_um2_s", law.D_um2_s.value, 0);
  else if (law.kind === "table") {
    table("diffusivity", law);
    for (const D of law.values) above("diffusivity.values", D, 0);
  } else {
    above("diffusivity.poor_um2_s", law.poor_um2_s.value, 0);
    above("diffusivity.rich_um2_s", law.rich_um2_s.value, 0);
  }
  if (material.lattice !== null) {
    table("lattice.a_A", material.lattice.a_A);
    table("lattice.c_A", material.lattice.c_A);
  }
  if (material.optics !== null) table("optics.intensity", material.optics.intensity);
}

function finite(name: string, value: unknown): void {
  if (typeof value === "number" && !Number.isFinite(value)) refuse(name, value, "Give a number");
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) finite(name === "" ? key : `${name}.${key}`, inner);
}

function table(name: string, { x, values }: CitedTable): void {
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
  throw new ParameterError(`material.${name} is ${String(value)}. ${cure}.`, { parameter: `material.${name}`, value });
}
