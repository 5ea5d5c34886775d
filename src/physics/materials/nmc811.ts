/** LiNi0.8Mn0.1Co0.1O2. */
import type { Cited, Material } from "../../model/material.js";

const CHEN = "Chen et al., J. Electrochem. Soc. 167, 080534 (2020)";
const cited = (value: number, source: string): Cited => ({ value, source });

/** LixNi0.8Mn0.1Co0.1O2, a solid solution throughout. */
export const nmc811: Material = {
  name: "NMC811",
  formula: "LixNi0.8Mn0.1Co0.1O2",
  temperature_K: cited(298.15, CHEN),
  sites_mol_m3: cited(63104, CHEN),
  molarMass_g_mol: cited(97.28, "IUPAC atomic weights"),
  nominal_mAh_g: cited(180, "assumed: usual capacity to 4.2 V"),
  least_x: cited(0.2661, `lithium at the end of charge, ${CHEN}`),
  most_x: cited(0.9084, `lithium at the end of discharge, ${CHEN}`),
  least_V: cited(2.5, CHEN),
  most_V: cited(4.3, "assumed: cut-off against lithium; 4.2 V against graphite, Chen et al. (2020)"),
  openCircuit: {
    kind: "tanh",
    stretch: 1,
    constant_V: 4.4875,
    linear_V: -0.809,
    terms: [
      [-0.0428, -18.5138 * 0.5542, 18.5138],
      [-17.7326, -15.789 * 0.3117, 15.789],
      [17.5842, -15.9308 * 0.312, 15.9308],
    ],
    cap_x: null,
    source: CHEN,
  },
  freeEnergy: { kind: "open-circuit" },
  diffusivity: { kind: "constant", D_um2_s: cited(0.004, `4e-15 m2/s as tuned in PyBaMM's set after ${CHEN}`) },
  exchange_A_m2: cited(3.41, `3.42e-6 sqrt(c_e) c_max / 2 at 1 mol/l and x = 1/2, ${CHEN}`),
  rateLaw: "lattice-gas",
  lattice: null,
  optics: null,
};
