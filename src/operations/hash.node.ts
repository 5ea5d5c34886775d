/** The fingerprint of a user's file: provenance says which bytes were measured. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import path from "node:path";

/** A file or a folder that went in, as the recipe keeps it. */
export interface Input {
  readonly role: "movie" | "cycling" | "dark";
  /** Relative to the folder that holds the recipe, forward slashes. */
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
}

/**
 * SHA-256 of a file; of a folder, of the names, sizes and hashes of the files in and below it in sorted order,
 * hidden ones left out as readers leave them out.
 */
export async function hashPath(name: string, signal?: AbortSignal): Promise<{ sha256: string; bytes: number }> {
  const info = await stat(name);
  if (!info.isDirectory()) return hashFile(name, signal);
  return hashAll(name, await filesBelow(name), signal);
}

/** The fingerprint of what was named; of a set of files, of all of them as of a folder that holds them alone. */
export async function hashFiles(
  name: string,
  files: readonly string[],
  signal?: AbortSignal,
): Promise<{ sha256: string; bytes: number }> {
  if (files.length === 1 && files[0] === name) return hashPath(name, signal);
  const folder = path.dirname(name);
  return hashAll(
    folder,
    files.map((file) => path.relative(folder, file)),
    signal,
  );
}

async function filesBelow(folder: string, prefix = ""): Promise<string[]> {
  const files: string[] = [];
  for (const entry of await readdir(path.join(folder, prefix), { withFileTypes: true })) {
    const hidden = entry.name.startsWith(".") && !zarrMetadata.has(entry.name);
    if (hidden) continue;
    const below = path.join(prefix, entry.name);
    const kind = entry.isSymbolicLink() ? await stat(path.join(folder, below)).catch(() => entry) : entry;
    if (kind.isDirectory()) files.push(...(await filesBelow(folder, below)));
    else if (kind.isFile()) files.push(below);
  }
  return files;
}

/** Files of a dataset that begin with a dot and yet are read. */
const zarrMetadata = new Set([".zattrs", ".zarray", ".zgroup", ".zmetadata"]);

async function hashAll(
  folder: string,
  names: readonly string[],
  signal?: AbortSignal,
): Promise<{ sha256: string; bytes: number }> {
  const digest = createHash("sha256");
  let bytes = 0;
  for (const name of names.map((entry) => entry.split(path.sep).join("/")).sort()) {
    const file = await hashFile(path.join(folder, name), signal);
    digest.update(`${name}\n${file.bytes}\n${file.sha256}\n`);
    bytes += file.bytes;
  }
  return { sha256: digest.digest("hex"), bytes };
}

async function hashFile(name: string, signal?: AbortSignal): Promise<{ sha256: string; bytes: number }> {
  const digest = createHash("sha256");
  let bytes = 0;
  for await (const chunk of createReadStream(name, { highWaterMark: 1 << 20, signal }) as AsyncIterable<Buffer>) {
    digest.update(chunk);
    bytes += chunk.length;
  }
  return { sha256: digest.digest("hex"), bytes };
}
