/**
 * Refractive indices n + ik of media, as functions of records.
 *
 * Dispersion formulas are numbered and their coefficients ordered as in the refractiveindex.info database
 * (Polyanskiy, Sci. Data 11, 94, 2024); wavelengths are those in vacuum, um.
 *
 *     1  n^2 - 1 = C1 + sum of C2i L^2 / (L^2 - C(2i+1)^2)                         Sellmeier
 *     2  n^2 - 1 = C1 + sum of C2i L^2 / (L^2 - C(2i+1))                           Sellmeier, squares given
 *     4  n^2 = C1 + C2 L^C3 / (L^2 - C4^C5) + C6 L^C7 / (L^2 - C8^C9) + C10 L^C11 + ...
 *     5  n = C1 + C2 L^C3 + C4 L^C5 + ...                                          Cauchy
 */
import { ParameterError } from "../model/errors.js";

/** n + ik; light decays as exp(-4 pi k z / wavelength), so k is not negative. */
export interface ComplexIndex {
  readonly n: number;
  readonly k: number;
}

/** A law n(L) by coefficients, or a quantity at rising wavelengths, straight lines between them. */
export type Dispersion =
  | {
      readonly kind: "formula";
      readonly formula: 1 | 2 | 4 | 5;
      readonly coefficients: readonly number[];
      readonly range_um: readonly [number, number];
    }
  | { readonly kind: "table"; readonly wavelength_um: readonly number[]; readonly value: readonly number[] }
  | { readonly kind: "constant"; readonly value: number; readonly range_um: readonly [number, number] };

/** A medium as a record: each part with its own range of wavelengths. */
export interface OpticalMedium {
  readonly name: string;
  /** Where the numbers come from; says so where they are an assumption. */
  readonly source: string;
  readonly n: Dispersion;
  /** null: transparent. */
  readonly k: Dispersion | null;
}

/**
 * The index of a medium at a wavelength in vacuum, um.
 * Throws ParameterError outside the range that its numbers were measured in: nothing is extrapolated.
 */
export function refractiveIndex(medium: OpticalMedium, wavelength_um: number): ComplexIndex {
  const n = dispersed(medium.n, wavelength_um, medium.name);
  const k = medium.k === null ? 0 : dispersed(medium.k, wavelength_um, medium.name);
  if (!(n > 0) || !(k >= 0)) {
    throw new ParameterError(
      `${medium.name}: n is ${n} and k is ${k} at ${wavelength_um} um. Mend the medium's record.`,
      {
        parameter: "wavelength_um",
        value: wavelength_um,
      },
    );
  }
  return { n, k };
}

/** The value of one dispersion record at a wavelength, um. Throws ParameterError outside its range. */
export function dispersed(law: Dispersion, wavelength_um: number, name: string): number {
  const [least, most] = law.kind === "table" ? ends(law.wavelength_um) : law.range_um;
  if (!(wavelength_um >= least && wavelength_um <= most)) {
    throw new ParameterError(
      `wavelength_um is ${wavelength_um}: ${name} is known from ${least} to ${most} um. Stay within.`,
      {
        parameter: "wavelength_um",
        value: wavelength_um,
      },
    );
  }
  if (law.kind === "constant") return law.value;
  if (law.kind === "table") return alongTable(law.wavelength_um, law.value, wavelength_um);
  return byFormula(law.formula, law.coefficients, wavelength_um);
}

function byFormula(formula: 1 | 2 | 4 | 5, c: readonly number[], L: number): number {
  const L2 = L * L;
  const at = (index: number): number => c[index] ?? 0;
  if (formula === 1 || formula === 2) {
    let sum = 1 + at(0);
    for (let i = 1; i < c.length; i += 2) sum += (at(i) * L2) / (L2 - (formula === 1 ? at(i + 1) ** 2 : at(i + 1)));
    return Math.sqrt(sum);
  }
  let sum = at(0);
  let next = 1;
  if (formula === 4) {
    for (; next < Math.min(9, c.length); next += 4) {
      sum += (at(next) * L ** at(next + 1)) / (L2 - at(next + 2) ** at(next + 3));
    }
  }
  for (; next < c.length; next += 2) sum += at(next) * L ** at(next + 1);
  return formula === 4 ? Math.sqrt(sum) : sum;
}

function ends(values: readonly number[]): [number, number] {
  return [values[0] ?? NaN, values[values.length - 1] ?? NaN];
}

/** Straight between the entries of a rising list, held at its ends. */
export function alongTable(at: readonly number[], value: readonly number[], place: number): number {
  const last = at.length - 1;
  if (place <= at[0]!) return value[0]!;
  if (place >= at[last]!) return value[last]!;
  let upper = 1;
  while (at[upper]! < place) upper++;
  const share = (place - at[upper - 1]!) / (at[upper]! - at[upper - 1]!);
  return value[upper - 1]! + share * (value[upper]! - value[upper - 1]!);
}
