/** The recipe: one key an operation, a source among them; what is left out takes its default. */
import { z } from "zod";
import { ParameterError } from "../model/errors.js";
import { parseParams } from "./parameters.js";
import { filesParams, twinParams, type FilesParams, type TwinParams } from "./sources.js";
import { steps, type StepName } from "./steps.js";

type ParamsOf<Name extends StepName> = z.infer<Extract<(typeof steps)[number], { name: Name }>["params"]>;

/** The parameters of every step, complete. */
export type StepParams = { readonly [Name in StepName]: ParamsOf<Name> };

/** What a user writes: anything may be left out but the source. */
export type Recipe = {
  readonly files?: z.input<typeof filesParams>;
  readonly twin?: z.input<typeof twinParams>;
  /** What the user notes of the experiment (electrolyte, temperature, ...); kept, never used. */
  readonly conditions?: Readonly<Record<string, unknown>>;
  /** Whether every finding is measured again in experiments spoiled on purpose. */
  readonly controls?: boolean;
} & { readonly [Name in StepName]?: z.input<Extract<(typeof steps)[number], { name: Name }>["params"]> };

/** A recipe with every default filled in. */
export interface CompleteRecipe {
  readonly files?: FilesParams;
  readonly twin?: TwinParams;
  readonly conditions?: Readonly<Record<string, unknown>>;
  readonly controls: boolean;
  readonly steps: StepParams;
}

const stepShape = Object.fromEntries(steps.map((step) => [step.name, (step.params as z.ZodObject).prefault({})]));

/** Keys that a written recipe bears beside its parameters; they are read back and checked elsewhere. */
const provenance = {
  ionoscope: z.string().optional(),
  inputs: z.array(z.unknown()).optional(),
  conditions: z.record(z.string(), z.unknown()).optional(),
};

/** The schema of a recipe as JSON. */
export const recipeSchema = z.strictObject({
  ...provenance,
  files: filesParams.optional(),
  twin: twinParams.optional(),
  controls: z.boolean().default(false),
  ...stepShape,
});

/** Fills in defaults and checks every parameter. Throws a ParameterError that names the first wrong one. */
export function completeRecipe(recipe: unknown): CompleteRecipe {
  const parsed = parseParams(recipeSchema, recipe, "") as Record<string, unknown>;
  if ((parsed["files"] === undefined) === (parsed["twin"] === undefined)) {
    throw new ParameterError("a recipe needs one source: files or twin, and not both.", {
      parameter: "files",
      value: parsed["files"],
    });
  }
  const own = Object.fromEntries(steps.map((step) => [step.name, parsed[step.name]])) as unknown as StepParams;
  for (const step of steps) if ("check" in step) step.check?.(own[step.name] as never);
  return {
    ...(parsed["files"] === undefined ? {} : { files: parsed["files"] as FilesParams }),
    ...(parsed["twin"] === undefined ? {} : { twin: parsed["twin"] as TwinParams }),
    ...(parsed["conditions"] === undefined ? {} : { conditions: parsed["conditions"] as Record<string, unknown> }),
    controls: parsed["controls"] as boolean,
    steps: own,
  };
}
