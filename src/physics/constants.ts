/** Constants of nature, CODATA 2018 (exact since the SI of 2019). */

/** Charge of a mole of electrons. */
export const FARADAY_C_MOL = 96485.33212;
/** Molar gas constant. */
export const GAS_J_MOL_K = 8.314462618;
