/** Raw boxes of frames on a disk, where they are too many for memory. */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { samplesOf } from "../analysis/frames.js";
import { inMemory, type MakeStore, type RawStore } from "../analysis/raw-store.js";
import { FormatError } from "../model/errors.js";
import type { Samples } from "../model/movie.js";

/** Stores that are let go together. */
export interface Stores {
  readonly make: MakeStore;
  close(): void;
}

/** Boxes up to this stay in memory. */
const MOST_IN_MEMORY = 160e6;

/**
 * Stores in memory up to `most_bytes` all together, beyond that in files of the system's folder for temporary ones (TMPDIR). Such
 * a file is gone when the stores are closed, or, where the system allows it, when the process ends in any way.
 */
export function newStores(most_bytes = MOST_IN_MEMORY): Stores {
  let held = 0;
  const open: { close(): void }[] = [];
  return {
    make(frames, sizes, dtype) {
      const record = sizes.reduce((sum, size) => sum + size, 0);
      const bytes = frames * record * samplesOf(dtype, 1).BYTES_PER_ELEMENT;
      if (held + bytes <= most_bytes) {
        held += bytes;
        return inMemory(frames, sizes, dtype);
      }
      const file = newFile();
      open.push(file);
      return inFile(file.descriptor, sizes, samplesOf(dtype, record));
    },
    close() {
      for (const file of open.splice(0)) file.close();
    },
  };
}

interface OpenFile {
  readonly descriptor: number;
  close(): void;
}

function newFile(): OpenFile {
  const folder = mkdtempSync(path.join(tmpdir(), "ionoscope-"));
  const descriptor = openSync(path.join(folder, "crops"), "w+");
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    // An open file without a name lives as long as the process.
    remove();
  } catch {
    // Not everywhere; then it goes when it is closed.
  }
  return {
    descriptor,
    close() {
      closeSync(descriptor);
      remove();
    },
  };
}

/** All boxes of a frame lie together, frame after frame. */
function inFile(descriptor: number, sizes: readonly number[], record: Samples): RawStore {
  const starts = sizes.map((_, which) => sizes.slice(0, which).reduce((sum, size) => sum + size, 0));
  const bytes = new Uint8Array(record.buffer);
  const width = record.BYTES_PER_ELEMENT;
  return {
    write(frame, boxes) {
      for (const [which, samples] of boxes.entries()) record.set(samples, starts[which]!);
      try {
        for (let done = 0; done < bytes.length;)
          done += writeSync(descriptor, bytes, done, bytes.length - done, frame * bytes.length + done);
      } catch (cause) {
        throw new FormatError(
          `the particles' neighbourhoods do not fit into ${tmpdir()}: ${(cause as Error).message}. Set TMPDIR to a folder with more room, or outline fewer particles.`,
          { path: tmpdir(), cause },
        );
      }
    },
    box: (which) => ({
      read(frame, into) {
        const target = new Uint8Array(into.buffer, into.byteOffset, sizes[which]! * width);
        const from = frame * bytes.length + starts[which]! * width;
        for (let done = 0; done < target.length;) {
          const got = readSync(descriptor, target, done, target.length - done, from + done);
          if (got === 0) throw new Error(`frame ${frame} was never written`);
          done += got;
        }
      },
    }),
  };
}
