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

/** How far files may be hashed, so that this follows what reads them and finds them in the system's memory. */
export interface Pace {
  /** Resolves once so many bytes of all may be read. */
  until(bytes: number): Promise<void>;
}

/** Hashing that goes on beside a run. */
export interface Hashing {
  /** What was read of all by others, as a share. */
  seen(share: number): void;
  /** All that went in, once enough was seen. */
  readonly hashed: Promise<readonly Input[]>;
  /** The same without waiting for more to be seen. */
  inputs(): Promise<readonly Input[]>;
  /** Nobody will ask any more. */
  stop(): void;
}

/** What may be hashed before anybody has read it. */
const AHEAD_bytes = 32e6;

/** Begins to hash what goes in, in order, no faster than it is seen. Stops with `signal`. */
export function startHashing(
  files: readonly { readonly role: Input["role"]; readonly name: string; readonly files: readonly string[] }[],
  total_bytes: number,
  signal?: AbortSignal,
): Hashing {
  let allowed = AHEAD_bytes;
  let wake: (() => void) | null = null;
  let before = 0;
  const allow = (bytes: number): void => {
    allowed = Math.max(allowed, bytes);
    wake?.();
    wake = null;
  };
  const own = new AbortController();
  const stop = (): void => {
    own.abort();
    allow(Infinity);
  };
  signal?.addEventListener("abort", stop, { once: true });
  const pace: Pace = {
    async until(bytes) {
      const wanted = before + bytes;
      const mayBe = (): boolean => wanted <= allowed;
      while (!mayBe()) await new Promise<void>((resolve) => (wake = resolve));
    },
  };
  const hashed = (async () => {
    const inputs: Input[] = [];
    for (const { role, name, files: parts } of files) {
      const found = await hashFiles(name, parts, own.signal, pace);
      before += found.bytes;
      inputs.push({ role, path: name, ...found });
    }
    return inputs;
  })();
  // Whoever awaits it hears of a failure.
  hashed.catch(() => undefined);
  return {
    seen: (share) => allow(share * total_bytes + AHEAD_bytes),
    hashed,
    inputs() {
      allow(Infinity);
      return hashed;
    },
    stop,
  };
}

/**
 * SHA-256 of a file; of a folder, of the names, sizes and hashes of the files in and below it in sorted order,
 * hidden ones left out as readers leave them out.
 */
export async function hashPath(
  name: string,
  signal?: AbortSignal,
  pace?: Pace,
): Promise<{ sha256: string; bytes: number }> {
  const info = await stat(name);
  if (!info.isDirectory()) return hashFile(name, 0, signal, pace);
  return hashAll(name, await filesBelow(name), signal, pace);
}

/** The fingerprint of what was named; of a set of files, of all of them as of a folder that holds them alone. */
export async function hashFiles(
  name: string,
  files: readonly string[],
  signal?: AbortSignal,
  pace?: Pace,
): Promise<{ sha256: string; bytes: number }> {
  if (files.length === 1 && files[0] === name) return hashPath(name, signal, pace);
  const folder = path.dirname(name);
  return hashAll(
    folder,
    files.map((file) => path.relative(folder, file)),
    signal,
    pace,
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
  pace?: Pace,
): Promise<{ sha256: string; bytes: number }> {
  const digest = createHash("sha256");
  let bytes = 0;
  for (const name of names.map((entry) => entry.split(path.sep).join("/")).sort()) {
    const file = await hashFile(path.join(folder, name), bytes, signal, pace);
    digest.update(`${name}\n${file.bytes}\n${file.sha256}\n`);
    bytes += file.bytes;
  }
  return { sha256: digest.digest("hex"), bytes };
}

async function hashFile(
  name: string,
  before: number,
  signal?: AbortSignal,
  pace?: Pace,
): Promise<{ sha256: string; bytes: number }> {
  const digest = createHash("sha256");
  let bytes = 0;
  for await (const chunk of createReadStream(name, { highWaterMark: 1 << 20, signal }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    await pace?.until(before + bytes);
    digest.update(chunk);
  }
  return { sha256: digest.digest("hex"), bytes };
}
