/** A folder of single frames, TIFF or PNG, as a movie in the natural order of its names. */
import { FormatError } from "../model/errors.js";
import type { MovieFile, Samples } from "../model/movie.js";
import { readBytes, type ByteSource, type FolderSource } from "./bytes.js";
import { metadataName, separateImages } from "./micro-manager-folder.js";
import { tell } from "./micro-manager-told.js";
import { isPng, openPng } from "./png.js";
import { isTiff } from "./tiff-directory.js";
import { openTiff } from "./tiff.js";
import type { Told } from "./tiff-told.js";
import { seriesNote } from "./time-series.js";

/** What every frame of a folder has to agree in. */
interface FrameKind {
  readonly width: number;
  readonly height: number;
  readonly dtype: string;
  readonly samplesPerPixel: number;
}

/** Files looked into at one time; a share on the network answers them together. */
const atOnce = 8;

/** Whether a folder holds an image, or one folder of Micro-Manager's that does. */
export async function isFrameFolder(folder: FolderSource): Promise<boolean> {
  if (await holdsImage(folder)) return true;
  const inside = await onlySeries(folder);
  if (inside === null) return false;
  try {
    return await isFrameFolder(inside);
  } finally {
    await inside.close();
  }
}

async function holdsImage(folder: FolderSource): Promise<boolean> {
  for (const entry of folder.entries) if (await isImage(folder, entry)) return true;
  return false;
}

async function within(folder: FolderSource, inside: FolderSource): Promise<MovieFile> {
  const movie = await openFolderMovie(inside);
  return {
    ...movie,
    name: folder.name,
    async close() {
      await movie.close();
      await folder.close();
    },
  };
}

/** The only folder inside one, where Micro-Manager's images of one position lie: "Default", "Pos0". */
async function onlySeries(folder: FolderSource): Promise<FolderSource | null> {
  const [only, ...others] = folder.folders;
  if (only === undefined || others.length > 0) return null;
  const inside = await folder.openFolder(only);
  if (inside.entries.includes(metadataName)) return inside;
  await inside.close();
  return null;
}

/** What is told of a series; scale and start as of its first file where that alone has them. */
function completed(told: Omit<Told, "frames">, first: MovieFile): Omit<Told, "frames"> {
  const { pixelSize_um, pixelSizeSource } = told.pixelSize_um === null ? first : told;
  return { ...told, pixelSize_um, pixelSizeSource, start: told.start ?? first.start };
}

async function isImage(folder: FolderSource, entry: string): Promise<boolean> {
  return using(folder, entry, async (source) => {
    const head = await readBytes(source, 0, 16);
    return isTiff(head) || isPng(head);
  });
}

async function using<T>(folder: FolderSource, entry: string, work: (source: ByteSource) => Promise<T>): Promise<T> {
  const source = await folder.open(entry);
  try {
    return await work(source);
  } finally {
    await source.close();
  }
}

/**
 * Opens a folder with one frame a file, or one that holds a recording: the files of one dataset, or a single stack.
 * Every file is looked into at once, its pixels are decoded when asked for.
 *
 * Scale comes from the first file where it tells one; times, places and scale from Micro-Manager's metadata.txt where it
 * lies beside. Other files are passed over and counted.
 * Throws FormatError naming the file that differs in size or type from the first, that holds several frames,
 * or that is damaged.
 */
export async function openFolderMovie(folder: FolderSource): Promise<MovieFile> {
  const inside = await onlySeries(folder);
  if (inside !== null) {
    if (!(await holdsImage(folder))) return within(folder, inside);
    await inside.close();
  }
  const whole = await openRecording(folder);
  if (whole !== null) return { ...whole, name: folder.name };
  const looked = await inStretches(folder.entries, async (entry) => ({ entry, frame: await lookInto(folder, entry) }));
  const names: string[] = [];
  let first: { readonly entry: string; readonly frame: MovieFile } | null = null;
  for (const { entry, frame } of looked) {
    if (frame === null) continue;
    if (frame.frames !== 1) {
      throw fault(folder, `${entry} holds ${frame.frames} frames, not one. Name that file itself.`);
    }
    first ??= { entry, frame };
    const differs = difference(kindOf(first.frame), kindOf(frame));
    if (differs !== null) {
      throw fault(folder, `${entry} is ${differs} but ${first.entry} is not. Move it out of the folder.`);
    }
    names.push(entry);
  }
  if (first === null) throw fault(folder, "holds no TIFF and no PNG. Name a folder of frames.");
  const { frame } = first;
  const warnings = [...frame.warnings];
  const images = await separateImages(folder, names, warnings);
  const told = images === null ? null : tell(images.placed, images.summary, warnings);
  const ordered = told?.ordered.map(({ frame: name }) => name) ?? names;
  const note = told?.told.planes === undefined ? null : seriesNote(told.told.planes);
  if (note !== null) warnings.push(note);
  const others = folder.entries.length - names.length - (images === null ? 0 : 1);
  if (others > 0) warnings.push(`${others} ${others === 1 ? "file is" : "files are"} no image and passed over.`);
  return {
    name: folder.name,
    width: frame.width,
    height: frame.height,
    frames: ordered.length,
    dtype: frame.dtype,
    ...(frame.samplesPerPixel === undefined ? {} : { samplesPerPixel: frame.samplesPerPixel }),
    pixelSize_um: frame.pixelSize_um,
    pixelSizeSource: frame.pixelSizeSource,
    time_s: null,
    timeSource: "missing",
    frameStamp: "unknown",
    start: frame.start,
    ...(told === null ? {} : completed(told.told, frame)),
    format: "folder",
    warnings,
    async read(index: number, into: Samples, signal?: AbortSignal): Promise<void> {
      const name = ordered[index];
      if (name === undefined) throw new RangeError(`frame ${index} of ${ordered.length}`);
      await using(folder, name, async (source) => (await openFrame(alone(source)))?.read(0, into, signal));
    },
    close: () => folder.close(),
  };
}

/** The recording that a folder holds: a set of which its first image is a part, or its only image, where it is a stack. */
async function openRecording(folder: FolderSource): Promise<MovieFile | null> {
  const images: string[] = [];
  for (const entry of folder.entries) {
    if (await isImage(folder, entry)) images.push(entry);
    if (images.length > 1) break;
  }
  const [entry] = images;
  if (entry === undefined) return null;
  const source = await folder.open(entry);
  const first = await openFrame(source).catch(async (error: unknown) => {
    await source.close();
    throw error;
  });
  if (first?.dataset === undefined) {
    if (images.length === 1 && first !== null && first.frames > 1) return first;
    await source.close();
    return null;
  }
  const { dataset } = first;
  await source.close();
  return dataset.files.length > 1 || images.length === 1 ? dataset.open() : null;
}

async function lookInto(folder: FolderSource, entry: string): Promise<MovieFile | null> {
  return using(folder, entry, (source) => openFrame(alone(source)));
}

/** A file as if there were none beside it: what it is a part of was looked for before. */
function alone({ name, size, read, readNow, close }: ByteSource): ByteSource {
  return { name, size, read, ...(readNow === undefined ? {} : { readNow }), close };
}

async function openFrame(source: ByteSource): Promise<MovieFile | null> {
  const head = await readBytes(source, 0, 16);
  if (isTiff(head)) return openTiff(source);
  return isPng(head) ? openPng(source) : null;
}

async function inStretches<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const done: R[] = [];
  for (let at = 0; at < items.length; at += atOnce) {
    done.push(...(await Promise.all(items.slice(at, at + atOnce).map(work))));
  }
  return done;
}

function kindOf(frame: MovieFile): FrameKind {
  const { width, height, dtype, samplesPerPixel = 1 } = frame;
  return { width, height, dtype, samplesPerPixel };
}

function difference(first: FrameKind, other: FrameKind): string | null {
  if (first.width !== other.width || first.height !== other.height) return `${other.width} x ${other.height} px`;
  if (first.dtype !== other.dtype) return other.dtype;
  if (first.samplesPerPixel === other.samplesPerPixel) return null;
  return other.samplesPerPixel > 1 ? "in colour" : "grey";
}

function fault(folder: FolderSource, what: string): FormatError {
  return new FormatError(`${folder.name}: ${what}`, { path: folder.name });
}
