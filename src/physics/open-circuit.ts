/** Open-circuit potential and other quantities of a material against lithium. */
import type { CitedTable, Material, OpenCircuit } from "../model/material.js";
import { FARADAY_C_MOL, GAS_J_MOL_K } from "./constants.js";

/** The table's value at x, straight between points, held beyond its ends. */
export function tableAt(table: Pick<CitedTable, "x" | "values">, x: number): number {
  const { x: xs, values } = table;
  const last = xs.length - 1;
  if (!(x > xs[0]!)) return Number.isNaN(x) ? NaN : values[0]!;
  if (x >= xs[last]!) return values[last]!;
  let low = 0;
  let high = last;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (xs[middle]! <= x) low = middle;
    else high = middle;
  }
  return values[low]! + ((values[high]! - values[low]!) * (x - xs[low]!)) / (xs[high]! - xs[low]!);
}

/** Open-circuit potential as measured, V; beyond a table's ends and above a form's cap its last value is held. */
export function openCircuitPotential(law: OpenCircuit, x: number): number {
  if (law.kind === "table") return tableAt(law, x);
  const s = law.stretch * (law.cap_x === null ? x : Math.min(x, law.cap_x));
  let E_V = law.constant_V + law.linear_V * s;
  for (const [amplitude_V, offset, slope] of law.terms) E_V += amplitude_V * Math.tanh(offset + slope * s);
  return E_V;
}

/** kT/e of a material, V. */
export function thermalVoltage(material: Material): number {
  return (GAS_J_MOL_K * material.temperature_K.value) / FARADAY_C_MOL;
}

/** Capacity of all sites, mAh/g: F / (3.6 M). */
export function theoreticalCapacity(material: Material): number {
  return FARADAY_C_MOL / (3.6 * material.molarMass_g_mol.value);
}
