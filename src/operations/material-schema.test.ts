import { expect, test } from "vitest";
import { ParameterError } from "../model/errors.js";
import { materials } from "../physics/materials/library.js";
import { materialSchema } from "./material-schema.js";
import { completeRecipe } from "./recipe.js";
import { checkScenario } from "./twin.js";

test.each(Object.entries(materials))("%s is the same after a way through JSON", (_, material) => {
  expect(materialSchema.parse(JSON.parse(JSON.stringify(material)))).toEqual(material);
});

test("a number without a source is refused, and a misspelt key", () => {
  const lco = JSON.parse(JSON.stringify(materials["lco"])) as Record<string, unknown>;
  expect(materialSchema.safeParse({ ...lco, exchange_A_m2: { value: 1 } }).success).toBe(false);
  expect(materialSchema.safeParse({ ...lco, exchange_A_m2: { value: 1, source: "" } }).success).toBe(false);
  expect(materialSchema.safeParse({ ...lco, rate_law: "constant" }).success).toBe(false);
});

/** A material of one's own as JSON: LiCoO2 by another name, changed. */
function own(changes: object): object {
  return { ...(JSON.parse(JSON.stringify(materials["lco"])) as object), name: "mine", ...changes };
}

test("a scenario and the step regime take a material of the user's own", () => {
  const phaseField = { material: own({ exchange_A_m2: { value: 2, source: "mine" } }), particles: [] };
  expect(checkScenario({ phaseField, cycling: null }).phaseField!.material).toMatchObject({ name: "mine" });
  const recipe = completeRecipe({ files: { movie: "a.tif" }, regime: { material: own({}) } });
  expect(recipe.steps.regime.material).toMatchObject({ name: "mine" });
});

test.each<[string, unknown, string]>([
  ["a name that is none", "lc0", 'regime.material is "lc0". Expected one of'],
  [
    "a number without a source",
    own({ exchange_A_m2: { value: 2 } }),
    "regime.material.exchange_A_m2.source is missing",
  ],
  ["a misspelt key", own({ rate_law: "constant" }), "regime.material.rate_law is not a parameter"],
  ["a D below 0", own({ diffusivity: { kind: "constant", D_um2_s: { value: -1, source: "mine" } } }), "D_um2_s"],
  ["a solid solution", own({ freeEnergy: { kind: "open-circuit" } }), "a solid solution: it has no front"],
])("%s is refused at the door, with what is wrong", (_, material, message) => {
  const wish = (): unknown => completeRecipe({ files: { movie: "a.tif" }, regime: { material } });
  expect(wish).toThrow(ParameterError);
  expect(wish).toThrow(message);
});
