/** Recipes as files: read with their inputs' paths, written so that they can be repeated. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { FormatError } from "../model/errors.js";
import { movePaths, relativePath } from "./files.node.js";
import type { Input } from "./hash.node.js";
import { completeRecipe, type CompleteRecipe, type Recipe } from "./recipe.js";
import { version } from "./version.js";

/** A recipe from a file, its paths as they lead from here. */
export interface WrittenRecipe {
  readonly name: string;
  readonly recipe: Recipe;
  /** What went in when it was written; empty for one written by hand. */
  readonly inputs: readonly Input[];
}

/**
 * Reads a recipe; paths in it count from its own folder. Throws FormatError where it is not JSON,
 * ParameterError where a parameter is wrong.
 */
export async function readRecipe(file: string): Promise<WrittenRecipe> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new FormatError(`${file}: cannot be read. Check the path.`, { path: file, cause });
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new FormatError(`${file}: is not JSON (${(cause as Error).message}). Give a recipe.json.`, {
      path: file,
      cause,
    });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new FormatError(
      `${file}: holds no recipe but ${Array.isArray(value) ? "a list" : typeof value}. Give a recipe.json.`,
      {
        path: file,
      },
    );
  }
  const complete = completeRecipe(value);
  const { inputs = [], ionoscope: _, ...recipe } = value as Recipe & { inputs?: readonly Input[]; ionoscope?: string };
  const folder = path.dirname(file);
  const files = complete.files;
  if (files === undefined) return { name: file, recipe, inputs };
  return { name: file, recipe: { ...recipe, files: movePaths(files, (name) => path.join(folder, name)) }, inputs };
}

/** Sentences for each input whose bytes are not those that the recipe was written with. */
export function checkInputs(written: WrittenRecipe, inputs: readonly Input[]): string[] {
  const before = new Map(written.inputs.map((input) => [`${input.role} ${path.basename(input.path)}`, input]));
  const moved = new Set(written.inputs.map(({ sha256 }) => sha256));
  return inputs.flatMap((input) => {
    const known = before.get(`${input.role} ${path.basename(input.path)}`);
    if (moved.size === 0 || moved.has(input.sha256)) return [];
    return [
      `${input.path} is not the file that ${written.name} was written with` +
        (known === undefined ? "." : ` (sha256 ${input.sha256.slice(0, 12)}, then ${known.sha256.slice(0, 12)}).`),
    ];
  });
}

/** A complete recipe as JSON for a folder: every parameter, inputs by relative path and hash, the version. */
export function recipeJson(recipe: CompleteRecipe, inputs: readonly Input[], folder: string): object {
  const relative = (name: string): string => relativePath(folder, name);
  return {
    ionoscope: version,
    inputs: inputs.map((input) => ({ ...input, path: relative(input.path) })),
    ...(recipe.conditions === undefined ? {} : { conditions: recipe.conditions }),
    ...(recipe.files === undefined ? {} : { files: movePaths(recipe.files, relative) }),
    ...(recipe.twin === undefined ? {} : { twin: recipe.twin }),
    ...(recipe.controls ? { controls: true } : {}),
    ...recipe.steps,
  };
}
