/** Files and folders of this machine as sources. */
import { readSync } from "node:fs";
import { open, readdir, stat } from "node:fs/promises";
import path from "node:path";
import { FormatError } from "../model/errors.js";
import { naturalOrder, notThere, type ByteSource, type FolderSource, type Source } from "./bytes.js";

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
    readNow(offset, into) {
      let done = 0;
      while (done < into.length) {
        const bytes = readSync(handle.fd, into, done, Math.min(into.length - done, 1 << 30), offset + done);
        if (bytes === 0) break;
        done += bytes;
      }
      return done;
    },
    beside: () => openFolder(path.dirname(name)),
    close: () => handle.close(),
  };
}

/** Opens a folder: its plain files and folders, in natural order, hidden ones left out. */
export async function openFolder(name: string): Promise<FolderSource> {
  const entries = (await readdir(name, { withFileTypes: true })).filter((entry) => !entry.name.startsWith("."));
  // A link counts as what it leads to; one that leads nowhere is left out.
  const told = await Promise.all(
    entries.map(async (entry) => {
      const kind = entry.isSymbolicLink() ? await stat(path.join(name, entry.name)).catch(() => null) : entry;
      return { name: entry.name, isFile: kind?.isFile() ?? false, isFolder: kind?.isDirectory() ?? false };
    }),
  );
  const below = async (entry: string): Promise<string> => {
    const inside = !path.isAbsolute(entry) && !entry.split(/[\\/]/).includes("..");
    const full = path.join(name, entry);
    if (!inside || (await stat(full).catch(() => null)) === null) throw notThere(name, entry);
    return full;
  };
  return {
    name,
    entries: naturalOrder(told.filter(({ isFile }) => isFile).map((entry) => entry.name)),
    folders: naturalOrder(told.filter(({ isFolder }) => isFolder).map((entry) => entry.name)),
    open: async (entry) => openFile(await below(entry)),
    openFolder: async (entry) => openFolder(await below(entry)),
    async close() {},
  };
}
