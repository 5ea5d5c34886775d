import { expect, test } from "vitest";
import { z } from "zod";
import { flagsOf } from "../src/cli/flags.js";
import { completeRecipe } from "../src/operations/recipe.js";
import { filesParams, sources } from "../src/operations/sources.js";
import { steps } from "../src/operations/steps.js";

interface Property {
  readonly description?: string;
  readonly default?: unknown;
  readonly type?: string;
}

const properties = (params: z.ZodObject): [string, Property][] =>
  Object.entries(
    (z.toJSONSchema(params, { io: "input" }) as { properties?: Record<string, Property> }).properties ?? {},
  );

test("each step has a summary in one sentence, and each parameter a description and a default", () => {
  for (const step of steps) {
    expect(step.summary, step.name).toMatch(/^[A-Z].+\.$/);
    for (const [name, property] of properties(step.params)) {
      expect(property.description, `${step.name}.${name}`).toMatch(/\w.+/);
      expect("default" in property, `${step.name}.${name} has a default`).toBe(true);
    }
  }
  for (const source of sources) {
    for (const [name, property] of properties(source.params)) expect(property.description, name).toMatch(/\w.+/);
  }
});

test("a number with a dimension bears its unit in its name", () => {
  const bare = new Set(["threshold", "least_contrast", "reference_frames", "c_rate_factor", "seed", "blackLevel"]);
  for (const step of [...steps, ...sources]) {
    for (const [name, property] of properties(step.params)) {
      if (property.type !== "number" && property.type !== "integer") continue;
      if (bare.has(name)) continue;
      expect(name, step.name).toMatch(/_(s|um|px|V|mV|mA|mAh|mg|mAh_g|um_s|nm|deg)$/);
    }
  }
});

test("each step takes only what an earlier one gives", () => {
  const given = new Set<string>(["experiment"]);
  for (const step of steps) {
    for (const key of step.takes) expect(given, `${step.name} takes ${key}`).toContain(key);
    for (const key of step.gives) {
      expect(given.has(key), `${step.name} gives ${key} again`).toBe(false);
      given.add(key);
    }
  }
});

test("no two flags of analyse share a name", () => {
  const names = [...flagsOf(filesParams), ...steps.flatMap((step) => flagsOf(step.params, step.name))].map(
    ({ name }) => name,
  );
  expect(new Set(names).size).toBe(names.length);
});

test("a recipe with the source alone has every default, and one with a misspelt parameter is refused by name", () => {
  const complete = completeRecipe({ files: { movie: "cell.tif" } });
  for (const step of steps) expect(complete.steps[step.name]).toEqual(step.params.parse({}));
  expect(() => completeRecipe({ files: { movie: "cell.tif" }, fronts: { lag: 20 } })).toThrow(
    /fronts\.lag is not a parameter/,
  );
  expect(() => completeRecipe({ files: { movie: "cell.tif" }, kinetics: { bandwidth_s: -1 } })).toThrow(
    /kinetics\.bandwidth_s is -1/,
  );
  expect(() => completeRecipe({})).toThrow(/one source/);
});
