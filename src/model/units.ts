/**
 * The house's units, one for each quantity, and the constants that lead to others.
 *
 * Time s, length um, potential V, current mA, charge mAh, angle deg, place in an image px, residual nm.
 * Only `io` converts on the way in and `figures` on the way out.
 */

/** Seconds in an hour; C-rates are per hour by definition. */
export const SECONDS_PER_HOUR = 3600;
/** Nanometres in a micrometre: a front of 0.02 um/s is printed as 20 nm/s. */
export const NM_PER_UM = 1000;
/** Theoretical capacity of LiCoO2, mAh/g: F / (3.6 M) with M = 97.87 g/mol. */
export const LCO_THEORETICAL_MAH_G = 273.8;
