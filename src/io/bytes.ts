/** Bytes by position: a path, a Blob and memory are alike to every reader. */
import { FormatError } from "../model/errors.js";

/** A file whose bytes are asked for by position. Opened read-only; never changed. */
export interface ByteSource {
  /** As the user named it; used in messages. */
  readonly name: string;
  /** Size in bytes when it was opened. */
  readonly size: number;
  /** Fills `into` from `offset`; returns how many bytes there were (fewer only at the end of the file). */
  read(offset: number, into: Uint8Array, signal?: AbortSignal): Promise<number>;
  /** The same without waiting, where the source can: for libraries that read in the middle of their own work. */
  readNow?(offset: number, into: Uint8Array): number;
  /** The folder that the file lies in, where there is one: a dataset may be spread over the files beside it. */
  beside?(): Promise<FolderSource>;
  close(): Promise<void>;
}

/** A folder of files, names without path, in natural order (frame2 before frame10), hidden ones left out. */
export interface FolderSource {
  readonly name: string;
  /** Its plain files. */
  readonly entries: readonly string[];
  /** Its folders. */
  readonly folders: readonly string[];
  /** A file by its name, or by a path below the folder with forward slashes. Throws FormatError where it is not there. */
  open(entry: string): Promise<ByteSource>;
  /** A folder below this one. Throws FormatError where it is not there. */
  openFolder(entry: string): Promise<FolderSource>;
  close(): Promise<void>;
}

/** What a dataset may be made of. */
export type Source = ByteSource | FolderSource;

/** Whether a source is a folder. */
export function isFolder(source: Source): source is FolderSource {
  return "entries" in source;
}

/** Bytes in memory as a source. */
export function memorySource(name: string, bytes: Uint8Array): ByteSource {
  const readNow = (offset: number, into: Uint8Array): number => {
    const part = bytes.subarray(Math.min(offset, bytes.length), Math.min(offset + into.length, bytes.length));
    into.set(part);
    return part.length;
  };
  return { name, size: bytes.length, read: async (offset, into) => readNow(offset, into), readNow, async close() {} };
}

/** Files in memory as a folder, by their paths below it with forward slashes. */
export function memoryFolder(name: string, files: Readonly<Record<string, Uint8Array>>): FolderSource {
  const paths = Object.keys(files);
  const folder: FolderSource = {
    name,
    entries: naturalOrder(paths.filter((path) => !path.includes("/"))),
    folders: naturalOrder([...new Set(paths.filter((path) => path.includes("/")).map((path) => path.split("/")[0]!))]),
    async open(entry) {
      const bytes = Object.hasOwn(files, entry) ? files[entry] : undefined;
      if (bytes === undefined) throw notThere(name, entry);
      const at = entry.lastIndexOf("/");
      const beside = async (): Promise<FolderSource> => (at < 0 ? folder : folder.openFolder(entry.slice(0, at)));
      return { ...memorySource(`${name}/${entry}`, bytes), beside };
    },
    async openFolder(entry) {
      const below = paths.filter((path) => path.startsWith(`${entry}/`));
      if (below.length === 0) throw notThere(name, entry);
      const cut = (path: string): string => path.slice(entry.length + 1);
      return memoryFolder(`${name}/${entry}`, Object.fromEntries(below.map((path) => [cut(path), files[path]!])));
    },
    async close() {},
  };
  return folder;
}

/** Names in natural order: frame2 before frame10. */
export function naturalOrder(names: readonly string[]): string[] {
  return [...names].sort((a, b) => natural.compare(a, b));
}

const natural = new Intl.Collator("en", { numeric: true });

/** The refusal of a name that a folder does not hold. */
export function notThere(folder: string, entry: string): FormatError {
  return new FormatError(`${folder}: holds no ${entry}. Copy the whole folder again.`, { path: folder });
}

/** A browser's File or Blob as a source. */
export function blobSource(name: string, blob: Blob): ByteSource {
  return {
    name,
    size: blob.size,
    async read(offset, into) {
      const part = new Uint8Array(await blob.slice(offset, offset + into.length).arrayBuffer());
      into.set(part);
      return part.length;
    },
    async close() {},
  };
}

/** Exactly `length` bytes from `offset`, or as many as there are. */
export async function readBytes(
  source: ByteSource,
  offset: number,
  length: number,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const room = Math.max(0, Math.min(length, source.size - offset));
  const into = new Uint8Array(room);
  const got = await source.read(offset, into, signal);
  return got === room ? into : into.subarray(0, got);
}
