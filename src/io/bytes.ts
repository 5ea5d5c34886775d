/** Bytes by position: a path, a Blob and memory are alike to every reader. */

/** A file whose bytes are asked for by position. Opened read-only; never changed. */
export interface ByteSource {
  /** As the user named it; used in messages. */
  readonly name: string;
  /** Size in bytes when it was opened. */
  readonly size: number;
  /** Fills `into` from `offset`; returns how many bytes there were (fewer only at the end of the file). */
  read(offset: number, into: Uint8Array, signal?: AbortSignal): Promise<number>;
  close(): Promise<void>;
}

/** A folder of files, names without path, in natural order (frame2 before frame10). */
export interface FolderSource {
  readonly name: string;
  readonly entries: readonly string[];
  open(entry: string): Promise<ByteSource>;
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
  return {
    name,
    size: bytes.length,
    async read(offset, into) {
      const part = bytes.subarray(Math.min(offset, bytes.length), Math.min(offset + into.length, bytes.length));
      into.set(part);
      return part.length;
    },
    async close() {},
  };
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
