/** Output is written beside its final name and renamed: a folder is whole or not there. */
import { access, mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { ParameterError } from "../model/errors.js";

/** A folder being written. */
export interface Draft {
  /** Where files go until the folder is whole. */
  readonly path: string;
  /** Writes one file, its path relative with forward slashes. */
  write(name: string, content: string | Uint8Array): Promise<void>;
  /** Gives the folder its final name. */
  commit(): Promise<void>;
  /** Lets go of what was written. */
  discard(): Promise<void>;
}

/**
 * Begins a folder. An existing one is replaced only when ionoscope made it (it holds `marker`) or it is empty;
 * otherwise a ParameterError asks for another name.
 */
export async function draftFolder(dir: string, marker: string): Promise<Draft> {
  const final = path.resolve(dir);
  await refuseForeign(dir, final, marker);
  await mkdir(path.dirname(final), { recursive: true });
  const draft = `${final}.partial-${process.pid}`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true });
  return {
    path: draft,
    async write(name, content) {
      const target = path.join(draft, ...name.split("/"));
      await mkdir(path.dirname(target), { recursive: true });
      await writeFile(target, content);
    },
    async commit() {
      const old = `${final}.old-${process.pid}`;
      const replaced = await renameIfThere(final, old);
      try {
        await patiently(() => rename(draft, final));
      } catch (error) {
        if (replaced) await rename(old, final);
        throw error;
      }
      await rm(old, { recursive: true, force: true, maxRetries: 5 });
    },
    discard: () => rm(draft, { recursive: true, force: true, maxRetries: 5 }),
  };
}

async function refuseForeign(dir: string, final: string, marker: string): Promise<void> {
  const entries = await readdir(final).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw new ParameterError(`${dir} is there and is no folder. Give another --out.`, { parameter: "out", value: dir });
  });
  if (entries === null || entries.length === 0) return;
  const ours = await access(path.join(final, marker)).then(
    () => true,
    () => false,
  );
  if (!ours) {
    throw new ParameterError(
      `${dir} is there and holds no ${marker}: it is something else and is not replaced. Give another --out, or remove it.`,
      {
        parameter: "out",
        value: dir,
      },
    );
  }
}

async function renameIfThere(from: string, to: string): Promise<boolean> {
  try {
    await patiently(() => rename(from, to));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

/** Windows refuses a rename while a viewer or a virus scanner holds a file; it lets go soon. */
async function patiently(act: () => Promise<void>): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await act();
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? "";
      if (attempt >= 20 || !["EPERM", "EBUSY", "EACCES"].includes(code)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
