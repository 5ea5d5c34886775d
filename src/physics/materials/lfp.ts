/** LiFePO4. */
import type { Cited, Material } from "../../model/material.js";

const MPET =
  "MPET 1.0 (Smith and Bazant, J. Electrochem. Soc. 164, E3291 (2017)), its parameters for LiFePO4 in the regular-solution model";
const cited = (value: number, source: string): Cited => ({ value, source });

/** LixFePO4: two phases near its two ends. */
export const lfp: Material = {
  name: "LiFePO4",
  formula: "LixFePO4",
  temperature_K: cited(298.15, "room temperature"),
  sites_mol_m3: cited(22904, `${MPET}: 1.3793e28 sites a cubic metre`),
  molarMass_g_mol: cited(157.76, "IUPAC atomic weights"),
  nominal_mAh_g: cited(170, "all its lithium in an hour"),
  least_x: cited(0, "empty: FePO4"),
  most_x: cited(1, "full: LiFePO4"),
  least_V: cited(2.5, "usual cut-off"),
  most_V: cited(4.2, "usual cut-off"),
  openCircuit: {
    kind: "table",
    x: [0, 0.01, 0.03, 0.97, 0.99, 1],
    values: [3.62, 3.5, 3.425, 3.425, 3.35, 3.2],
    source: "plateau rounded from Dreyer et al., Nature Materials 9, 448 (2010); its ends are assumed",
  },
  freeEnergy: {
    kind: "regular-solution",
    omega_kT: cited(4.509, `${MPET}: 1.8560e-20 J`),
    least_x: cited(0, "all sites mix"),
    most_x: cited(1, "all sites mix"),
    plateau_V: cited(3.425, "rounded from Dreyer et al., Nature Materials 9, 448 (2010)"),
  },
  diffusivity: { kind: "constant", D_um2_s: cited(5.3e-7, `${MPET}: 5.3e-19 m2/s`) },
  exchange_A_m2: cited(0.16, MPET),
  rateLaw: "lattice-gas",
  lattice: null,
  optics: null,
};
