/**
 * From a file or folder to a movie or a cycling record, told by its content and never by its name.
 *
 * A format is one file and one line in a table: `movieFormats` here, `cyclingFormats` in cycling.ts.
 */
import type { CyclingFile, OtherFile } from "../model/cycling.js";
import { FormatError, oneLine } from "../model/errors.js";
import type { MovieFile } from "../model/movie.js";
import { isFolder, readBytes, type ByteSource, type FolderSource, type Source } from "./bytes.js";
import { cyclingFormats, isCycling, type CyclingFormat, type CyclingOptions } from "./cycling.js";
import { joinWithContext } from "./cycling-context.js";
import { cyclerEntries, readCyclingFolder } from "./cycling-folder.js";
import { describeContent, isText } from "./content.js";
import { isFrameFolder, openFolderMovie } from "./folder.js";
import { isHdf5 } from "./hdf5.js";
import { holdsHdf5Movie, openHdf5Movie, type DatasetOptions } from "./hdf5-movie.js";
import { isNdtiff, openNdtiff } from "./ndtiff.js";
import { isNpy, openNpy } from "./npy.js";
import { packWarnings, unpacked } from "./packed.js";
import { isPng, openPng } from "./png.js";
import { isTdmsMovie, openTdms } from "./tdms.js";
import { isOmeDocument, openOmeDocument } from "./ome-set.js";
import { isTiff } from "./tiff-directory.js";
import { openTiff } from "./tiff.js";
import { isZarrFolder, openZarr } from "./zarr.js";

/** A format of movies: how it is told from the first 64 KiB of a file (none for a folder), and its reader. */
export interface MovieFormat {
  readonly name: string;
  sniff(head: Uint8Array, source: Source): boolean | Promise<boolean>;
  /** Decoded by code that is not ours: on this machine it runs where it can be stopped. */
  readonly foreign?: boolean;
  /** Where the beginning does not tell it: whether there is a movie in it, or something else. */
  holds?(source: Source, options: OpenOptions): Promise<boolean>;
  open(source: Source, options?: OpenOptions): Promise<MovieFile>;
}

/** What the user states of a file that the file does not say; a format takes what concerns it. */
export interface OpenOptions extends CyclingOptions, DatasetOptions {}

/** In the order in which they are tried. */
export const movieFormats: readonly MovieFormat[] = [
  file("tiff", isTiff, openTiff),
  file("ome-xml", isOmeDocument, openOmeDocument),
  file("npy", isNpy, openNpy),
  file("png", isPng, openPng),
  {
    ...file("hdf5", isHdf5, openHdf5Movie),
    foreign: true,
    holds: async (source, options) => !isFolder(source) && holdsHdf5Movie(source, options),
  },
  { name: "tdms", sniff: isTdmsMovie, open: openTdms },
  { name: "ndtiff", sniff: isNdtiff, open: openNdtiff },
  { name: "ome-zarr", sniff: (_, source) => isFolder(source) && isZarrFolder(source), open: zarrOnly },
  { name: "folder of frames", sniff: (_, source) => isFolder(source) && isFrameFolder(source), open: folderOnly },
];

/** What a source turned out to hold. */
export type Opened =
  | { readonly kind: "movie"; readonly movie: MovieFile }
  | { readonly kind: "cycling"; readonly cycling: CyclingFile }
  | { readonly kind: "other"; readonly other: OtherFile };

function file(
  name: string,
  sniff: (head: Uint8Array) => boolean,
  open: (source: ByteSource, options?: OpenOptions) => Promise<MovieFile>,
): MovieFormat {
  return {
    name,
    sniff: (head, source) => !isFolder(source) && sniff(head),
    open: (source, options) => {
      if (isFolder(source)) throw new RangeError(`${source.name} is a folder`);
      return open(source, options);
    },
  };
}

function folderOnly(source: Source): Promise<MovieFile> {
  if (!isFolder(source)) throw new RangeError(`${source.name} is a file`);
  return openFolderMovie(source);
}

function zarrOnly(source: Source): Promise<MovieFile> {
  if (!isFolder(source)) throw new RangeError(`${source.name} is a file`);
  return openZarr(source);
}

/** Opens a movie. Throws FormatError where the source holds none, saying what it holds and what is read. */
export async function openMovie(given: Source, options: OpenOptions = {}): Promise<MovieFile> {
  const source = await unwrapped(given);
  const head = await headOf(source);
  const format = await movieFormat(head, source);
  if (format !== null) return printable(await format.open(source, options), source);
  if (!isFolder(source) && !isTextCalledImage(head, source)) {
    const cycler = await cyclerFormat(head, source, (name) => name !== anyText);
    if (cycler?.aside === true) {
      const read = await cycler.read(source);
      if (!isCycling(read)) throw refusal(source, `is ${read.description} Name a movie, or export it as TIFF.`);
    }
    if (cycler !== undefined) {
      throw refusal(source, `is a cycler's file (${cycler.name}), not a movie. Name it after the movie.`);
    }
  }
  throw unknown(head, source);
}

/**
 * Reads the cycler's files of one run as one record. Throws FormatError where one is a folder, a movie,
 * or a cycler's file without a record of potential and current.
 */
export async function readCycling(sources: readonly Source[], options: CyclingOptions = {}): Promise<CyclingFile> {
  return joinWithContext(await Promise.all(sources.map((source) => readCycler(source, options))));
}

/** One cycler's file, or the settings, spectrum or the like that it holds instead. Throws FormatError for a movie. */
export async function readCycler(source: Source, options: CyclingOptions = {}): Promise<CyclingFile | OtherFile> {
  const opened = (await openCycler(source, options)) ?? (await openAny(source, options));
  if (opened.kind === "movie") throw refusal(source, `is a movie (${opened.movie.format}), not a cycler's file.`);
  return opened.kind === "cycling" ? opened.cycling : opened.other;
}

/** What a file is as a cycler's, though it may be a movie too; null where no format of its own knows it. */
async function openCycler(given: Source, options: CyclingOptions): Promise<Opened | null> {
  const source = await unwrapped(given);
  if (isFolder(source)) return null;
  const head = await headOf(source);
  const format = await cyclerFormat(head, source, (name) => name !== anyText);
  return format === undefined ? null : told(printable(await format.read(source, options), source));
}

function told(read: CyclingFile | OtherFile): Opened {
  return isCycling(read) ? { kind: "cycling", cycling: read } : { kind: "other", other: read };
}

/** Opens whatever a source holds. Throws FormatError where it is nothing that is read. */
export async function openAny(given: Source, options: OpenOptions = {}): Promise<Opened> {
  const source = await unwrapped(given);
  const head = await headOf(source);
  const format = await movieFormat(head, source);
  if (format !== null && (await format.holds?.(source, options)) !== false) {
    return { kind: "movie", movie: printable(await format.open(source, options), source) };
  }
  if (isFolder(source)) {
    const cycling = await readCyclingFolder(source, options);
    if (cycling === null) throw unknown(head, source);
    return { kind: "cycling", cycling: printable(cycling, source) };
  }
  if (isTextCalledImage(head, source)) throw unknown(head, source);
  const cycler = await cyclerFormat(head, source);
  if (cycler === undefined) throw unknown(head, source);
  return told(printable(await cycler.read(source, options), source));
}

/** Whether a source is decoded by code that is not ours, as far as its beginning tells. */
export async function isForeign(given: Source): Promise<boolean> {
  const source = await unwrapped(given);
  const head = await headOf(source);
  const format = await movieFormat(head, source);
  if (format !== null || isFolder(source)) return format?.foreign === true;
  return (await cyclerFormat(head, source))?.foreign === true;
}

/**
 * What a source holds, as far as its beginning tells; a cycler's file is read to tell a record from a spectrum.
 * A folder is "cycling" where it, or a folder below it, holds no image but a cycler's file of its own format (.DTA, say).
 */
export async function tellKind(given: Source): Promise<Opened["kind"]> {
  const source = await unwrapped(given);
  const format = await movieFormat(await headOf(source), source);
  if (format !== null && (await format.holds?.(source, {})) !== false) return "movie";
  if (isFolder(source) && (await holdsCyclerFile(source))) return "cycling";
  return (await openAny(source)).kind;
}

async function holdsCyclerFile(folder: FolderSource): Promise<boolean> {
  return (await cyclerEntries(folder, true)).some(({ format }) => format.name !== anyText);
}

/** The format of cycling that takes any text, and so tells nothing by being recognised. */
const anyText = "csv";

async function cyclerFormat(
  head: Uint8Array,
  source: ByteSource,
  wanted: (name: string) => boolean = () => true,
): Promise<CyclingFormat | undefined> {
  for (const format of cyclingFormats) if (wanted(format.name) && (await format.sniff(head, source))) return format;
  return undefined;
}

async function movieFormat(head: Uint8Array, source: Source): Promise<MovieFormat | null> {
  for (const format of movieFormats) if (await format.sniff(head, source)) return format;
  return null;
}

async function headOf(source: Source): Promise<Uint8Array> {
  return isFolder(source) ? new Uint8Array() : readBytes(source, 0, 1 << 16);
}

/** Only to word a refusal: a text that is called an image is no table to its owner. */
function isTextCalledImage(head: Uint8Array, { name }: Source): boolean {
  return /\.(tiff?|png|npy)$/i.test(name) && isText(head);
}

function unknown(head: Uint8Array, source: Source): FormatError {
  const movies = movieFormats.map(({ name }) => name).join(", ");
  const records = cyclingFormats.map(({ name }) => name).join(", ");
  const read = `Movies are read from ${movies}; cycling from ${records}.`;
  if (isFolder(source)) {
    const count = source.entries.length;
    if (/\.zarr[\\/]?$/i.test(source.name)) {
      return refusal(source, "holds no zarr.json, .zgroup or .zarray. Copy it again with its hidden files.");
    }
    return refusal(source, `the folder holds ${count} files and no image among them. ${read}`);
  }
  const { what, cure } = describeContent(head, source);
  return refusal(source, cure === null ? `${what}. ${read}` : `${what}. ${cure}`);
}

/** With what its pack lacks. Words of a damaged file may stand in a warning. */
function printable<T extends { readonly warnings: readonly string[] }>(opened: T, source: Source): T {
  return { ...opened, warnings: [...packWarnings(source), ...opened.warnings].map(oneLine) };
}

/** What is within gzip or zip around a single file; the source itself where there is none. */
async function unwrapped(source: Source): Promise<Source> {
  if (isFolder(source)) return source;
  return unpacked(
    source,
    async (head, inner) => (await movieFormat(head, inner)) !== null || (await cyclerFormat(head, inner)) !== undefined,
  );
}

function refusal(source: Source, what: string): FormatError {
  return new FormatError(`${source.name}: ${what}`, { path: source.name });
}
