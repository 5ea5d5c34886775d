/** Nb14W3O44. */
import type { Cited, Material } from "../../model/material.js";

const cited = (value: number, source: string): Cited => ({ value, source });

/** LixNb14/17W3/17O44/17, x counting lithium per transition metal: a solid solution, taken as an anode. */
export const nb14w3o44: Material = {
  name: "Nb14W3O44",
  formula: "Lix(Nb14W3O44)1/17",
  temperature_K: cited(298.15, "room temperature"),
  sites_mol_m3: cited(29000, "assumed: one site a transition metal at a density of 4.4 g/cm3"),
  molarMass_g_mol: cited(150.36, "IUPAC atomic weights, 2556.2 g/mol over 17 transition metals"),
  nominal_mAh_g: cited(178.3, "one lithium a transition metal in an hour"),
  least_x: cited(0.01, "as prepared"),
  most_x: cited(0.99, "one lithium a transition metal"),
  least_V: cited(1, "usual cut-off of niobium tungsten oxides: Griffith et al., Nature 559, 556 (2018)"),
  most_V: cited(3, "usual cut-off of niobium tungsten oxides: Griffith et al., Nature 559, 556 (2018)"),
  openCircuit: {
    kind: "table",
    x: [0, 0.05, 0.15, 0.3, 0.5, 0.7, 0.85, 1],
    values: [2.9, 2.25, 1.98, 1.82, 1.68, 1.5, 1.28, 1],
    source:
      "assumed: the slope that shear-phase niobium tungsten oxides share (Griffith et al., Nature 559, 556 (2018)), not a measurement of this one",
  },
  freeEnergy: { kind: "open-circuit" },
  diffusivity: {
    kind: "constant",
    D_um2_s: cited(1, "1e-12 to 1e-11 m2/s, calculated: Kocer et al., Chem. Mater. 32, 3980 (2020)"),
  },
  exchange_A_m2: cited(1, "assumed"),
  rateLaw: "lattice-gas",
  lattice: null,
  optics: null,
};
