/**
 * A source as a read-only file in the file system of the HDF5 library (h5wasm, the HDF Group's own code in WebAssembly).
 *
 * The library reads by position and at once, so the source must read without waiting; nothing is held in memory.
 */
/** What is asked of Emscripten's file system. */
export interface LibraryFiles {
  readonly ErrnoError: new (errno: number) => Error;
  mkdir(path: string): unknown;
  rmdir(path: string): void;
  unlink(path: string): void;
  lookupPath(path: string): { readonly node: FileNode };
  createNode(parent: FileNode, name: string, mode: number, device: number): FileNode;
}

interface FileNode {
  readonly id: number;
  readonly mode: number;
  contents: Record<string, FileNode>;
  node_ops: object;
  stream_ops: object;
}

/** A source under a path of the library. */
export interface Mounted {
  readonly path: string;
  /** Bytes given so far: a read that asked for none touched nothing of the file. */
  given(): number;
  /** Where the last read lay; null where it failed. */
  last(): { readonly offset: number; readonly length: number } | null;
  unmount(): void;
}

/** What is mounted: `size` is the size to tell, which is past the end of a file that was cut. */
export interface MountedBytes {
  readonly size: number;
  readNow(offset: number, into: Uint8Array): number;
}

// Emscripten's numbers for a failed read, a wrong position and a file that cannot be written.
const EIO = 29;
const EINVAL = 28;
const EROFS = 69;
let mounts = 0;

/** Mounts bytes; a read past their true end fails, where the library by itself would take zeros for data. */
export function mountBytes(files: LibraryFiles, bytes: MountedBytes): Mounted {
  const folder = `/ionoscope-${++mounts}`;
  files.mkdir(folder);
  const parent = files.lookupPath(folder).node;
  const node = files.createNode(parent, "file.h5", 0o100444, 0);
  parent.contents["file.h5"] = node;
  let given = 0;
  let last: { readonly offset: number; readonly length: number } | null = null;
  const epoch = new Date(0);
  const { size } = bytes;
  node.node_ops = {
    getattr: ({ id, mode }: FileNode) => ({
      dev: 1,
      ino: id,
      mode,
      nlink: 1,
      uid: 0,
      gid: 0,
      rdev: 0,
      size,
      atime: epoch,
      mtime: epoch,
      ctime: epoch,
      blksize: 4096,
      blocks: Math.ceil(size / 512),
    }),
    setattr() {
      throw new files.ErrnoError(EROFS);
    },
  };
  node.stream_ops = {
    read(_: unknown, heap: Int8Array, at: number, length: number, offset: number): number {
      let got: number;
      last = null;
      try {
        got = bytes.readNow(offset, new Uint8Array(heap.buffer, heap.byteOffset + at, length));
      } catch {
        throw new files.ErrnoError(EIO);
      }
      if (got < length) throw new files.ErrnoError(EIO);
      given += got;
      last = { offset, length };
      return got;
    },
    write() {
      throw new files.ErrnoError(EROFS);
    },
    llseek(stream: { readonly position: number }, offset: number, whence: number): number {
      const position = offset + (whence === 1 ? stream.position : whence === 2 ? size : 0);
      if (!(position >= 0)) throw new files.ErrnoError(EINVAL);
      return position;
    },
  };
  return {
    path: `${folder}/file.h5`,
    given: () => given,
    last: () => last,
    unmount() {
      files.unlink(`${folder}/file.h5`);
      files.rmdir(folder);
    },
  };
}

const signature = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

/** Where HDF5 begins in a file's first 64 KiB (0, or after a user block of 512, 1024, ... bytes); -1 where it does not. */
export function hdf5Begins(head: Uint8Array): number {
  for (let at = 0; at < head.length; at = at === 0 ? 512 : 2 * at) {
    if (signature.every((byte, index) => head[at + index] === byte)) return at;
  }
  return -1;
}

/**
 * Where the file ended when its writer last said so; null where the superblock does not tell.
 *
 *     version 0, 1   u8 version @8, u8 size of offsets @13, base address @24 (version 1: @28), free space, end of file
 *     version 2, 3   u8 version @8, u8 size of offsets @9, base address @12, extension, end of file
 *
 * Source: HDF5 File Format Specification 3.0, II.A.
 */
export function hdf5End(head: Uint8Array, begins: number): number | null {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const version = head[begins + 8] ?? 255;
  if (version > 3) return null;
  const size = head[begins + (version < 2 ? 13 : 9)];
  const base = begins + (version === 0 ? 24 : version === 1 ? 28 : 12);
  if ((size !== 4 && size !== 8) || base + 3 * size > head.length) return null;
  const number = (at: number): number => (size === 4 ? view.getUint32(at, true) : Number(view.getBigUint64(at, true)));
  // Behind a user block the end is counted from the file's first byte; one that was put before it later moves it.
  const end = number(base + 2 * size) + begins - number(base);
  return end <= 2 ** 50 ? end : null;
}

/** The innermost reason in the library's account of an error, as a few words; the account itself is a page. */
export function libraryReason(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const reasons = [...text.matchAll(/#\d+: .*? in \w+\(\): (.*)/g)].map((match) => match[1]!);
  const reason = (reasons.at(-1) ?? text.split("\n")[0]!).replace(
    /file read failed: time = .*/,
    "it points past its end",
  );
  return reason.length > 160 ? `${reason.slice(0, 160)}...` : reason;
}
