/** A material by its name in the library, or from a JSON file. */
import { readFile } from "node:fs/promises";
import { FormatError, ParameterError } from "../model/errors.js";
import { materials } from "../physics/materials/library.js";

/**
 * The name itself where the library has it, else the JSON value of the file, not yet checked.
 * Throws ParameterError where it is neither, and FormatError for a file that is no JSON.
 */
export async function readMaterial(nameOrFile: string): Promise<unknown> {
  if (Object.hasOwn(materials, nameOrFile)) return nameOrFile;
  const text = await readFile(nameOrFile, "utf8").catch((cause: unknown) => {
    throw new ParameterError(
      `there is no material ${nameOrFile} and no such file. Materials are ${Object.keys(materials).join(", ")}.`,
      { parameter: "material", value: nameOrFile, cause },
    );
  });
  try {
    return JSON.parse(text.replace(/^\uFEFF/, "")) as unknown;
  } catch (cause) {
    throw new FormatError(`${nameOrFile}: ${(cause as Error).message}. Give a material as JSON.`, {
      path: nameOrFile,
      cause,
    });
  }
}
