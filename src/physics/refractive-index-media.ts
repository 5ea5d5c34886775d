/** Media of an optical cell: windows, immersion, electrolyte. Each number has its source, each guess its name. */
import type { Dispersion, OpticalMedium } from "./refractive-index.js";

function sellmeier(formula: 1 | 2, range_um: readonly [number, number], coefficients: readonly number[]): Dispersion {
  return { kind: "formula", formula, coefficients, range_um };
}

/** Crown glass of thick windows. */
export const nBk7: OpticalMedium = {
  name: "N-BK7",
  source: "SCHOTT Zemax catalogue 2017-01-20b, by refractiveindex.info specs/schott/optical/N-BK7 (CC0); k below 2e-8",
  n: sellmeier(2, [0.3, 2.5], [0, 1.03961212, 0.00600069867, 0.231792344, 0.0200179144, 1.01046945, 103.560653]),
  k: null,
};

/** Borosilicate of cover slips. */
export const d263: OpticalMedium = {
  name: "D263 T eco",
  source: "SCHOTT Zemax catalogue 2017-01-20b, by refractiveindex.info specs/schott/misc/D263TECO (CC0); k below 5e-8",
  n: sellmeier(2, [0.334, 2.325], [0, 1.23795755, 0.00863080926, 0.0466468888, 0.0469074501, 2.46700556, 264.146296]),
  k: null,
};

/** Fused silica at 20 C. */
export const fusedSilica: OpticalMedium = {
  name: "fused silica",
  source: "Malitson, J. Opt. Soc. Am. 55, 1205 (1965)",
  n: sellmeier(1, [0.21, 6.7], [0, 0.6961663, 0.0684043, 0.4079426, 0.1162414, 0.8974794, 9.896161]),
  k: null,
};

/** Sapphire at 20 C, ordinary ray: a window cut across the c axis, seen along it. */
export const sapphire: OpticalMedium = {
  name: "sapphire, ordinary ray",
  source:
    "Malitson and Dodge, J. Opt. Soc. Am. 62, 1405 (1972); coefficients by Dodge, Handbook of Laser Science and Technology IV (1986)",
  n: sellmeier(1, [0.2, 5], [0, 1.4313493, 0.0726631, 0.65054713, 0.1193242, 5.3414021, 18.028251]),
  k: null,
};

/**
 * 1 M LiPF6 in ethylene and dimethyl carbonate (1:1) in the near infrared: an estimate, not a measurement. Ethylene
 * carbonate is given as 1.387 at 25 C in Sensors 25, 6092 (2025); mixtures with salt lie at 1.38 to 1.40.
 */
export const carbonateElectrolyte: OpticalMedium = {
  name: "carbonate electrolyte",
  source:
    "estimate 1.39 +- 0.01: ethylene carbonate 1.387 (Sensors 25, 6092, 2025), raised by the salt; no dispersion is known",
  n: { kind: "constant", value: 1.39, range_um: [0.6, 0.9] },
  k: null,
};
