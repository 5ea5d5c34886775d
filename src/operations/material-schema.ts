/** A material as JSON: what may stand in it, what each key means; every number with its source. */
import { z } from "zod";
import type { Material } from "../model/material.js";

const cited = z
  .strictObject({
    value: z.number(),
    source: z.string().min(1).describe("A paper, a data base, or `assumed` with the reason."),
  })
  .readonly();
const table = {
  x: z.array(z.number()).min(2).readonly().describe("Lithium per site, rising."),
  values: z.array(z.number()).min(2).readonly().describe("The quantity at each x."),
  source: z.string().min(1),
};

/** The schema of a material of the user's own. */
export const materialSchema = z.strictObject({
  name: z.string().min(1),
  formula: z.string().min(1),
  temperature_K: cited,
  sites_mol_m3: cited.describe("Concentration of lithium at x = 1."),
  molarMass_g_mol: cited.describe("Mass of the formula unit that holds one site."),
  nominal_mAh_g: cited.describe("Capacity that 1C passes in an hour."),
  least_x: cited.describe("Least lithium for which the numbers hold."),
  most_x: cited.describe("Most lithium for which the numbers hold."),
  least_V: cited.describe("Lower cut-off against lithium metal."),
  most_V: cited.describe("Upper cut-off against lithium metal."),
  openCircuit: z
    .discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("table"), ...table }),
      z.strictObject({
        kind: z.literal("tanh"),
        stretch: z.number(),
        constant_V: z.number(),
        linear_V: z.number(),
        terms: z
          .array(z.tuple([z.number(), z.number(), z.number()]).readonly())
          .readonly()
          .describe("[amplitude_V, offset, slope] of amplitude tanh(offset + slope stretch x)."),
        cap_x: z.number().nullable().describe("Above it the value here is held; null: the form holds throughout."),
        source: z.string().min(1),
      }),
    ])
    .describe("Open-circuit potential against lithium metal, falling with lithium."),
  freeEnergy: z
    .discriminatedUnion("kind", [
      z.strictObject({
        kind: z.literal("quartic-gap"),
        poor_x: cited,
        rich_x: cited,
        plateau_V: cited,
        barrier_kT: cited,
        richTail_kT: cited,
        below: z.enum(["straight", "open-circuit"]),
      }),
      z.strictObject({
        kind: z.literal("regular-solution"),
        omega_kT: cited,
        least_x: cited,
        most_x: cited,
        plateau_V: cited,
      }),
      z.strictObject({ kind: z.literal("open-circuit") }),
    ])
    .describe("Two phases with a barrier between them, a regular solution, or a solid solution along the potential."),
  diffusivity: z
    .discriminatedUnion("kind", [
      z.strictObject({ kind: z.enum(["log", "linear", "divacancy"]), poor_um2_s: cited, rich_um2_s: cited }),
      z.strictObject({ kind: z.literal("constant"), D_um2_s: cited }),
      z.strictObject({ kind: z.literal("table"), ...table }),
    ])
    .describe("Chemical diffusivity in the plane that is seen; 1 um2/s is 1e-8 cm2/s."),
  exchange_A_m2: cited.describe("Exchange current density at the rim."),
  rateLaw: z.enum(["constant", "lattice-gas", "excluded-site"]).describe("Its share at x: 1, 2 sqrt(x(1-x)), 4(1-x)."),
  lattice: z
    .strictObject({ a_A: z.strictObject(table), c_A: z.strictObject(table) })
    .nullable()
    .default(null),
  optics: z
    .strictObject({
      intensity: z.strictObject(table).describe("Light of a face, 1 in the reference state."),
      boundary: cited.describe("Light of the phase boundary as a share of the step between the phases."),
      boundaryWidth_um: cited,
    })
    .nullable()
    .default(null),
}) satisfies z.ZodType<Material>;
