import { expect, test } from "vitest";
import { materials } from "../physics/materials/library.js";
import { materialSchema } from "./material-schema.js";

test.each(Object.entries(materials))("%s is the same after a way through JSON", (_, material) => {
  expect(materialSchema.parse(JSON.parse(JSON.stringify(material)))).toEqual(material);
});

test("a number without a source is refused, and a misspelt key", () => {
  const lco = JSON.parse(JSON.stringify(materials["lco"])) as Record<string, unknown>;
  expect(materialSchema.safeParse({ ...lco, exchange_A_m2: { value: 1 } }).success).toBe(false);
  expect(materialSchema.safeParse({ ...lco, exchange_A_m2: { value: 1, source: "" } }).success).toBe(false);
  expect(materialSchema.safeParse({ ...lco, rate_law: "constant" }).success).toBe(false);
});
