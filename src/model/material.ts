/** A battery material as data: every number with where it comes from, so that another material needs no code. */

/** A number and where it comes from: a paper, a data base, or "assumed" with the reason. Its unit stands in the key's name. */
export interface Cited {
  readonly value: number;
  readonly source: string;
}

/** A quantity against lithium, straight between its points, held at its ends; `x` rises. */
export interface CitedTable {
  readonly x: readonly number[];
  readonly values: readonly number[];
  readonly source: string;
}

/** Open-circuit potential against lithium metal as measured, V. */
export type OpenCircuit =
  | ({ readonly kind: "table" } & CitedTable)
  | {
      /** constant_V + linear_V s + sum of amplitude_V tanh(offset + slope s), with s = stretch x. */
      readonly kind: "tanh";
      readonly stretch: number;
      readonly constant_V: number;
      readonly linear_V: number;
      /** Each [amplitude_V, offset, slope]. */
      readonly terms: readonly (readonly [number, number, number])[];
      /** Above this lithium the form is not believed, and its value here is held; null: believed throughout. */
      readonly cap_x: number | null;
      readonly source: string;
    };

/** Free energy of a site without gradients, in kT. */
export type FreeEnergy =
  | {
      /** Two phases: a quartic between them, straight or measured below, saturating above. */
      readonly kind: "quartic-gap";
      /** Lithium of the two phases in equilibrium. */
      readonly poor_x: Cited;
      readonly rich_x: Cited;
      readonly plateau_V: Cited;
      /** Height of the barrier between the phases. */
      readonly barrier_kT: Cited;
      /** Weight of the logarithm by which the rich phase saturates towards x = 1. */
      readonly richTail_kT: Cited;
      /** Below the gap: straight with the slope at the gap, or along the open-circuit potential. */
      readonly below: "straight" | "open-circuit";
    }
  | {
      /** Two phases: ideal mixing and an interaction on the sites between least_x and most_x. */
      readonly kind: "regular-solution";
      readonly omega_kT: Cited;
      readonly least_x: Cited;
      readonly most_x: Cited;
      readonly plateau_V: Cited;
    }
  | {
      /** A solid solution: the open-circuit potential and no more. */
      readonly kind: "open-circuit";
    };

/** Chemical diffusivity in the plane that is seen, um^2/s (1 um^2/s is 1e-8 cm^2/s). */
export type Diffusivity =
  | {
      /** From the poor phase to the rich: smoothly in ln D, smoothly in D, or with the square of the vacancies. */
      readonly kind: "log" | "linear" | "divacancy";
      readonly poor_um2_s: Cited;
      readonly rich_um2_s: Cited;
    }
  | { readonly kind: "constant"; readonly D_um2_s: Cited }
  | ({ readonly kind: "table" } & CitedTable);

/** How the exchange current depends on lithium at the rim: not, as 2 sqrt(x (1 - x)), or as 4 (1 - x). */
export type RateLaw = "constant" | "lattice-gas" | "excluded-site";

/** A material that takes lithium in and gives it back; x counts lithium per formula unit's site. */
export interface Material {
  readonly name: string;
  readonly formula: string;
  readonly temperature_K: Cited;
  /** Sites for lithium: at x = 1 the concentration of lithium. */
  readonly sites_mol_m3: Cited;
  /** Mass of the formula unit that holds one site. */
  readonly molarMass_g_mol: Cited;
  /** Capacity that 1C passes in an hour. */
  readonly nominal_mAh_g: Cited;
  /** Lithium within which the numbers hold. */
  readonly least_x: Cited;
  readonly most_x: Cited;
  /** Potentials between which the electrode is cycled. */
  readonly least_V: Cited;
  readonly most_V: Cited;
  readonly openCircuit: OpenCircuit;
  readonly freeEnergy: FreeEnergy;
  readonly diffusivity: Diffusivity;
  readonly exchange_A_m2: Cited;
  readonly rateLaw: RateLaw;
  /** In-plane and stacking length of the cell, Angstrom; null where not known. */
  readonly lattice: { readonly a_A: CitedTable; readonly c_A: CitedTable } | null;
  /** Light of a face against lithium, and of a phase boundary; null where not known. */
  readonly optics: {
    /** Relative to the reference state, whose value is 1. */
    readonly intensity: CitedTable;
    /** Light of the boundary itself as a share of the step between the phases, and its width (standard deviation). */
    readonly boundary: Cited;
    readonly boundaryWidth_um: Cited;
  } | null;
}
