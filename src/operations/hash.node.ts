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
 * SHA-256 of a file; of a folder, of the names, sizes and hashes of its plain files in sorted order.
 */
export async function hashPath(name: string, signal?: AbortSignal): Promise<{ sha256: string; bytes: number }> {
  const info = await stat(name);
  if (!info.isDirectory()) return hashFile(name, signal);
  const entries = (await readdir(name, { withFileTypes: true })).filter(
    (entry) => entry.isFile() && !entry.name.startsWith("."),
  );
  const digest = createHash("sha256");
  let bytes = 0;
  for (const entry of entries.map((file) => file.name).sort()) {
    const file = await hashFile(path.join(name, entry), signal);
    digest.update(`${entry}\n${file.bytes}\n${file.sha256}\n`);
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
