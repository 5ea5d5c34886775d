/** Files of this machine, told and inspected. */
import { openPath } from "../io/bytes.node.js";
import { tellKind } from "../io/open.js";
import { inspect, type Facts } from "./inspect.js";

/** Facts of a file or folder by its path; see `inspect`. */
export async function inspectPath(
  name: string,
  options: { full?: boolean; signal?: AbortSignal } = {},
): Promise<Facts> {
  const source = await openPath(name);
  try {
    return await inspect(source, options);
  } finally {
    await source.close();
  }
}

/** Whether a path holds a movie, a cycling record (or a folder of them) or something else, told by its content. */
export async function kindOfPath(name: string): Promise<"movie" | "cycling" | "other"> {
  const source = await openPath(name);
  try {
    return await tellKind(source);
  } finally {
    await source.close();
  }
}
