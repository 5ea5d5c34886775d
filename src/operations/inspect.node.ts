/** Files of this machine, told and inspected. */
import { openPath } from "../io/bytes.node.js";
import { openAnyPath, type GuardOptions } from "../io/guarded.node.js";
import { isForeign, tellKind } from "../io/open.js";
import { ParameterError } from "../model/errors.js";
import { factsOf, type Facts } from "./inspect.js";

/** Facts of a file or folder by its path; see `inspect`. */
export async function inspectPath(
  name: string,
  options: GuardOptions & { readonly full?: boolean } = {},
): Promise<Facts> {
  return factsOf(await openAnyPath(name, options), options);
}

/** Whether a path holds a movie, a cycling record (or a folder of them) or something else, told by its content. */
export async function kindOfPath(name: string): Promise<"movie" | "cycling" | "other"> {
  const source = await openPath(name);
  try {
    if (!(await isForeign(source))) return await tellKind(source);
  } finally {
    await source.close();
  }
  try {
    const opened = await openAnyPath(name);
    if (opened.kind === "movie") await opened.movie.close();
    return opened.kind;
  } catch (error) {
    // What is asked for tells what it is.
    if (error instanceof ParameterError && error.parameter === "potentiostatRows") return "cycling";
    if (error instanceof ParameterError && error.parameter === "dataset") return "movie";
    throw error;
  }
}
