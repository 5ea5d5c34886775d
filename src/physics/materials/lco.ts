/** LiCoO2. */
import type { Cited, Material } from "../../model/material.js";

const MERRYWEATHER = "Merryweather et al., Nature 594, 522 (2021), arXiv 2011.10537";
const MARQUIS =
  "Dualfoil (Newman; measured by Garcia, 2001) as printed by Marquis et al., J. Electrochem. Soc. 166, A3693 (2019)";
const RAMADASS = "Ramadass et al., J. Electrochem. Soc. 151, A196 (2004): 51555 mol/m3, here 51.5 kmol/m3";
const CHOSEN = "chosen: reproduces cores on delithiation and waves on lithiation with fronts near 20 nm/s";
const cited = (value: number, source: string): Cited => ({ value, source });

/** LixCoO2 with its insulator-metal transition between x = 0.75 and 0.95, straight in potential below it. */
export const lco: Material = {
  name: "LiCoO2",
  formula: "LixCoO2",
  temperature_K: cited(298.15, "room temperature"),
  sites_mol_m3: cited(51500, RAMADASS),
  molarMass_g_mol: cited(97.873, "IUPAC atomic weights: Li 6.94, Co 58.933, O 15.999"),
  nominal_mAh_g: cited(
    155,
    `capacity at C/2, ${MERRYWEATHER}: the window of order, x = 0.52, is then met at 23 min of a 2C charge from x = 0.955`,
  ),
  least_x: cited(0.4, "ordered and staged phases below are not in the model"),
  most_x: cited(0.995, "as prepared"),
  least_V: cited(3, MERRYWEATHER),
  most_V: cited(4.3, MERRYWEATHER),
  openCircuit: {
    kind: "tanh",
    stretch: 1.062,
    constant_V: 2.16216,
    linear_V: 0,
    terms: [
      [0.07645, 30.834, -54.4806],
      [2.1581, 52.294, -50.294],
      [-0.14169, 11.0923, -19.8543],
      [0.2051, 1.4684, -5.4888],
      [0.2531, 0.56478 / 0.1316, -1 / 0.1316],
      [-0.02167, -0.525 / 0.006, 1 / 0.006],
    ],
    // The form dives from 3.90 V at 0.93; the plateau that LiCoO2 has up to 0.95 stands in the free energy.
    cap_x: 0.95,
    source: MARQUIS,
  },
  freeEnergy: {
    kind: "quartic-gap",
    poor_x: cited(0.75, MERRYWEATHER),
    rich_x: cited(0.95, MERRYWEATHER),
    plateau_V: cited(
      3.92,
      `chosen between the plateaus of charge near 4.0 V and discharge near 3.8 V, ${MERRYWEATHER}; the measured form has 3.906 to 3.913`,
    ),
    barrier_kT: cited(
      0.031,
      "from a slope of 24.8 kT per unit of x in the solid solution, about (4.05 - 3.92) V over 0.2",
    ),
    richTail_kT: cited(1, "assumed: ideal mixing of the last vacancies"),
    below: "straight",
  },
  diffusivity: {
    kind: "log",
    poor_um2_s: cited(1, `${CHOSEN}; at least 0.1, ${MERRYWEATHER}`),
    rich_um2_s: cited(0.005, `${CHOSEN}; much lower than in the poor phase, ${MERRYWEATHER}`),
  },
  exchange_A_m2: cited(
    1,
    `${CHOSEN}; 0.35 at x = 0.85 by Marquis et al. (2019), 3.7 by Torchio et al., J. Electrochem. Soc. 163, A1192 (2016)`,
  ),
  rateLaw: "constant",
  lattice: {
    a_A: {
      x: [0.5, 1],
      values: [2.81, 2.816],
      source: "Reimers and Dahn, J. Electrochem. Soc. 139, 2091 (1992), rounded",
    },
    c_A: {
      x: [0.5, 0.75, 0.95, 1],
      values: [14.42, 14.2, 14.06, 14.05],
      source: "Reimers and Dahn, J. Electrochem. Soc. 139, 2091 (1992), rounded",
    },
  },
  optics: {
    intensity: {
      x: [0.45, 0.75, 0.95, 1],
      values: [1.6, 1.15, 1, 1],
      source: `1.6 at the end of charge and straight in the solid solution: ${MERRYWEATHER}; 1.15 at 0.75 is assumed (1.10 to 1.25)`,
    },
    boundary: cited(0.4, "assumed, 0.3 to 1: the mean intensity has a peak within the transition"),
    boundaryWidth_um: cited(0.118, "the point spread of an objective of NA 1.4 at 785 nm"),
  },
};

/** The same, with the measured open-circuit potential below the gap: for whole cycles, which end near x = 0.45. */
export const lcoMeasured: Material = {
  ...lco,
  freeEnergy: {
    ...(lco.freeEnergy as Extract<Material["freeEnergy"], { kind: "quartic-gap" }>),
    below: "open-circuit",
  },
};
