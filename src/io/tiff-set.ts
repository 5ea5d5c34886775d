/** A movie whose frames lie in several TIFFs of one folder. */
import { FormatError } from "../model/errors.js";
import type { MovieFile, Samples } from "../model/movie.js";
import type { ByteSource, FolderSource } from "./bytes.js";
import { frameKind, readFrame, sameKind, tiffFrames, type TiffFrames } from "./tiff-frames.js";
import type { IndexOptions } from "./tiff-index.js";
import type { FramePixels, Told } from "./tiff-told.js";

/** A file of a set whose pages are known. */
export interface SetFile {
  readonly name: string;
  readonly frames: TiffFrames;
}

/** A frame of a set: the file it lies in, and where there. */
export interface SetFrame {
  readonly file: SetFile;
  readonly pixels: FramePixels;
}

/** Files of a set that are held open at one time. */
const maxOpen = 16;

/**
 * The files of a folder, each opened when it is first read and closed when many others have been read since.
 */
export interface OpenFiles {
  /** A file as a source of the size that it has now. */
  source(entry: string): Promise<ByteSource>;
  close(): Promise<void>;
}

/** Keeps at most sixteen files of a folder open. */
export function openFiles(folder: FolderSource): OpenFiles {
  const held = new Map<string, { readonly source: Promise<ByteSource>; busy: number }>();
  const hold = (entry: string): { readonly source: Promise<ByteSource>; busy: number } => {
    const one = held.get(entry) ?? { source: folder.open(entry), busy: 0 };
    // The order of the map is that of use.
    held.delete(entry);
    held.set(entry, one);
    for (const [other, { source, busy }] of held) {
      if (held.size <= maxOpen) break;
      if (busy > 0 || other === entry) continue;
      held.delete(other);
      void source.then((opened) => opened.close()).catch(() => undefined);
    }
    return one;
  };
  return {
    async source(entry) {
      const { name, size } = await hold(entry).source;
      return {
        name,
        size,
        async read(offset, into, signal) {
          const one = hold(entry);
          one.busy++;
          try {
            return await (await one.source).read(offset, into, signal);
          } finally {
            one.busy--;
          }
        },
        async close() {},
      };
    },
    async close() {
      const all = [...held.values()];
      held.clear();
      for (const { source } of all) await source.then((opened) => opened.close()).catch(() => undefined);
      await folder.close();
    },
  };
}

/**
 * The pages of one file of a set, which must be like those of the file that was named; a sentence where they are not,
 * or where the file cannot be read. The file is open only while its pages are read.
 */
export async function setFile(
  folder: FolderSource,
  files: OpenFiles,
  entry: string,
  like: TiffFrames,
  options: IndexOptions = {},
): Promise<SetFile | string> {
  try {
    const source = await folder.open(entry);
    try {
      const frames = await tiffFrames(source, [], options);
      const alike = sameKind(frames.index.pages[0]!, like.index.pages[0]!);
      if (!alike) return `${entry} holds frames of another size or type and is left out.`;
      return { name: entry, frames: { ...frames, index: { ...frames.index, source: await files.source(entry) } } };
    } finally {
      await source.close();
    }
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return `${error.message} Its frames are missing.`;
  }
}

/** A set as one movie; `told` is what is known of its frames, in their order. */
export function setMovie(
  name: string,
  like: TiffFrames,
  frames: readonly SetFrame[],
  told: Omit<Told, "frames">,
  warnings: readonly string[],
  files: OpenFiles,
): MovieFile {
  return {
    name,
    ...frameKind(like),
    frames: frames.length,
    ...told,
    warnings,
    async read(number: number, into: Samples, signal?: AbortSignal): Promise<void> {
      const frame = frames[number];
      if (frame === undefined) throw new RangeError(`frame ${number} of ${frames.length}`);
      await readFrame(frame.file.frames, frame.pixels, into, signal);
    },
    close: () => files.close(),
  };
}
