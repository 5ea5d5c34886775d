/** Files and folders of this machine as sources. */
import { open, readdir, stat } from "node:fs/promises";
import path from "node:path";
import { FormatError } from "../model/errors.js";
import type { ByteSource, FolderSource, Source } from "./bytes.js";

/** Opens a file or a folder read-only. Throws FormatError where there is none. */
export async function openPath(name: string): Promise<Source> {
  const info = await stat(name).catch((cause: unknown) => {
    throw new FormatError(`${name}: there is no such file or folder. Check the path.`, { path: name, cause });
  });
  return info.isDirectory() ? openFolder(name) : openFile(name);
}

/** Opens a file read-only. */
export async function openFile(name: string): Promise<ByteSource> {
  const handle = await open(name, "r").catch((cause: NodeJS.ErrnoException) => {
    throw new FormatError(`${name}: cannot be opened (${cause.code ?? cause.message}). Check path and permissions.`, {
      path: name,
      cause,
    });
  });
  const { size } = await handle.stat();
  return {
    name,
    size,
    async read(offset, into) {
      let done = 0;
      // One read call gives at most 2 GiB, and may give less than asked.
      while (done < into.length) {
        const { bytesRead } = await handle.read(into, done, Math.min(into.length - done, 1 << 30), offset + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return done;
    },
    close: () => handle.close(),
  };
}

const natural = new Intl.Collator("en", { numeric: true });

/** Opens a folder: its plain files, in natural order, hidden ones left out. */
export async function openFolder(name: string): Promise<FolderSource> {
  const entries = await readdir(name, { withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && !entry.name.startsWith(".")).map((entry) => entry.name);
  return {
    name,
    entries: files.sort((a, b) => natural.compare(a, b)),
    open: (entry) => openFile(path.join(name, entry)),
    async close() {},
  };
}
