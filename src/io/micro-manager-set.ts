/**
 * A recording by Micro-Manager as a movie: the frames of one file, and those of all files that it was split into.
 *
 * A file ends at 4 GiB, and every stage position may have files of its own:
 *
 *     name_MMStack.ome.tif       name_MMStack_1.ome.tif         name_MMStack_2.ome.tif
 *     name_MMStack_Pos0.ome.tif  name_MMStack_Pos0_1.ome.tif    name_MMStack_Pos1.ome.tif
 */
import type { Dataset, MovieFile, Samples } from "../model/movie.js";
import { naturalOrder, type ByteSource, type FolderSource } from "./bytes.js";
import {
  microManagerHeader,
  noteTag,
  readNotes,
  type Fields,
  type ImageNote,
  type MicroManagerHeader,
} from "./micro-manager.js";
import { numberIn, tell, type Placed } from "./micro-manager-told.js";
import { baseName } from "./ome-parts.js";
import { frameKind, readFrame, tiffFrames, type TiffFrames } from "./tiff-frames.js";
import { openFiles, setFile, setMovie, type SetFile, type SetFrame } from "./tiff-set.js";
import type { FramePixels } from "./tiff-told.js";
import { seriesNote } from "./time-series.js";

/** Files of a folder that are looked into for being of the same acquisition. */
const maxLookedInto = 1024;

/**
 * Opens a file that Micro-Manager wrote, closed or not: its frames come from its map of images, or from the chain of
 * pages where there is none, their times from the metadata of each. The whole acquisition is its `dataset`.
 */
export async function openMicroManager(source: ByteSource, header: MicroManagerHeader): Promise<MovieFile> {
  const warnings: string[] = [];
  const opened = await framesOf(source, header, warnings);
  if (header.map === null) {
    warnings.push("Micro-Manager never closed the file: its frames are found by walking through it.");
  }
  const placed = place(opened, header, await readNotes(opened.index, isMapped(opened, header)), opened.bare, warnings);
  const { ordered, told } = tell(placed, header.summary, warnings);
  const frames = ordered.map(({ frame }) => frame);
  const dataset = await datasetOf(source, opened, header);
  if (dataset === null) sayFewer(frames.length, header.summary, warnings);
  if (told.planes !== undefined) {
    const series = seriesNote(told.planes);
    if (series !== null) warnings.push(series);
  }
  return {
    name: source.name,
    ...frameKind(opened),
    frames: frames.length,
    ...told,
    ...(dataset === null ? {} : { dataset }),
    warnings,
    async read(number: number, into: Samples, signal?: AbortSignal): Promise<void> {
      const frame = frames[number];
      if (frame === undefined) throw new RangeError(`frame ${number} of ${frames.length}`);
      await readFrame(opened, frame, into, signal);
    },
    close: () => source.close(),
  };
}

/** The pages that the map names, or those of the chain where they are more. */
async function framesOf(source: ByteSource, header: MicroManagerHeader, warnings: string[]): Promise<TiffFrames> {
  if (header.map !== null) {
    const said: string[] = [];
    const mapped = await tiffFrames(source, said, { note: noteTag, offsets: [...header.map.keys()] }).catch(() => null);
    if (mapped !== null && mapped.index.pages.length === header.map.size) {
      warnings.push(...said);
      return mapped;
    }
    warnings.push("the map of images does not fit the file: its pages are followed one by one.");
  }
  return tiffFrames(source, warnings, { note: noteTag });
}

/** Whether the map of images places every page. */
function isMapped({ index }: TiffFrames, { map }: MicroManagerHeader): boolean {
  return map !== null && index.pages.every(({ ifdOffset }) => map.has(ifdOffset));
}

function place<F>(
  { index, bare }: TiffFrames,
  { map }: MicroManagerHeader,
  notes: readonly (ImageNote | undefined)[],
  frames: readonly F[],
  warnings: string[],
): Placed<F>[] {
  const placed = bare.map(({ number }, at) => {
    const note = notes[number];
    const known = map?.get(index.pages[number]!.ifdOffset) ?? note?.place ?? null;
    return { frame: frames[at]!, place: known, note };
  });
  const lost = placed.filter(({ place: known }) => known === null).length;
  if (lost > 0) {
    warnings.push(`${lost} of ${placed.length} frames do not say what they show: all are taken as frames in order.`);
  }
  return placed.map((one, at) => {
    const known = lost > 0 ? { image: 0, channel: 0, slice: 0, time: at } : one.place!;
    return { ...one, place: known };
  });
}

/** Says where the summary announced more images than there are. */
function sayFewer(frames: number, summary: Fields | null, warnings: string[]): void {
  const size = (name: string): number => {
    const value = numberIn(summary, name);
    return value >= 1 ? value : 1;
  };
  const announced = size("Frames") * size("Slices") * size("Channels") * size("Positions");
  if (announced <= frames) return;
  warnings.push(
    `the acquisition was to take ${announced} images but ${frames} are there: it was stopped early, or files are missing.`,
  );
}

/** The other files of the acquisition, where there are any or should be. */
async function datasetOf(source: ByteSource, like: TiffFrames, header: MicroManagerHeader): Promise<Dataset | null> {
  const folder = (await source.beside?.().catch(() => null)) ?? null;
  if (folder === null) return null;
  const own = baseName(source.name);
  const stem = /^(.*_MMStack)(?:_.*)?\.tiff?$/i.exec(own.replace(/\.ome(?=\.tiff?$)/i, ""))?.[1] ?? null;
  const likely = folder.entries.filter((entry) => {
    if (!/\.tiff?$/i.test(entry)) return false;
    return entry === own || stem === null || entry.startsWith(`${stem}.`) || entry.startsWith(`${stem}_`);
  });
  const files: { readonly entry: string; readonly frames: number }[] = [];
  for (const entry of likely.slice(0, maxLookedInto)) {
    if (entry === own) files.push({ entry, frames: like.bare.length });
    else {
      const frames = await countOf(folder, entry, header.summary, stem !== null);
      if (frames !== null) files.push({ entry, frames });
    }
  }
  // The first part has no number; with its ending it would come last.
  const stemOf = (entry: string): string => entry.replace(/(?:\.ome)?\.tiff?$/i, "");
  const order = naturalOrder(files.map(({ entry }) => stemOf(entry)));
  files.sort((a, b) => order.indexOf(stemOf(a.entry)) - order.indexOf(stemOf(b.entry)));
  const missing = missingParts(files.map(({ entry }) => entry));
  if (files.length + missing.length < 2) return null;
  return {
    files: files.map(({ entry }) => entry),
    missing,
    frames: files.reduce((sum, { frames }) => sum + frames, 0),
    open: () =>
      openSet(
        source.name,
        folder,
        files.map(({ entry }) => entry),
        missing,
        like,
        header.summary,
      ),
  };
}

/** Images of another file of the folder; null where it is not of the same acquisition. */
async function countOf(
  folder: FolderSource,
  entry: string,
  summary: Fields | null,
  named: boolean,
): Promise<number | null> {
  const source = await folder.open(entry);
  try {
    const header = await microManagerHeader(source);
    if (header === null || !sameAcquisition(summary, header.summary, named)) return null;
    if (header.map !== null) return header.map.size;
    return (await tiffFrames(source, []).catch(() => null))?.bare.length ?? null;
  } finally {
    await source.close();
  }
}

/** Whether two summaries are of one acquisition: what both tell of its beginning and name agrees. */
function sameAcquisition(a: Fields | null, b: Fields | null, named: boolean): boolean {
  const both = ["StartTime", "UUID", "Prefix", "Time"].filter((key) => {
    return typeof a?.[key] === "string" && typeof b?.[key] === "string";
  });
  if (both.length === 0) return named;
  return both.every((key) => a![key] === b![key]);
}

/** Names of parts that the numbers of the others leave out: a_MMStack_2 without a_MMStack_1. */
function missingParts(entries: readonly string[]): string[] {
  const there = new Set(entries);
  const missing = new Set<string>();
  for (const entry of entries) {
    const match = /^(.+)_([1-9]\d{0,3})((?:\.ome)?\.tiff?)$/i.exec(entry);
    if (match === null) continue;
    const [, stem, number, ending] = match as unknown as [string, string, string, string];
    // A number that is part of a position's name is none of a file.
    if (!stem.endsWith("_MMStack") && !there.has(`${stem}${ending}`)) continue;
    for (let part = 0; part < Number(number); part++) {
      const name = part === 0 ? `${stem}${ending}` : `${stem}_${part}${ending}`;
      if (!there.has(name)) missing.add(name);
    }
  }
  return [...missing];
}

async function openSet(
  name: string,
  folder: FolderSource,
  entries: readonly string[],
  missing: readonly string[],
  like: TiffFrames,
  summary: Fields | null,
): Promise<MovieFile> {
  const warnings: string[] = [];
  const pool = openFiles(folder);
  const placed: Placed<SetFrame>[] = [];
  for (const entry of entries) {
    const source = await folder.open(entry);
    const header = await microManagerHeader(source);
    await source.close();
    const offsets = header?.map === null || header === null ? undefined : [...header.map.keys()];
    let file = await setFile(folder, pool, entry, like, {
      note: noteTag,
      ...(offsets === undefined ? {} : { offsets }),
    });
    if (offsets !== undefined && (typeof file === "string" || file.frames.index.pages.length < offsets.length)) {
      file = await setFile(folder, pool, entry, like, { note: noteTag });
    }
    if (typeof file === "string") {
      warnings.push(file);
      continue;
    }
    const notes = await notesOf(folder, file, header !== null && isMapped(file.frames, header));
    const frames = file.frames.bare.map((pixels: FramePixels): SetFrame => ({ file: file as SetFile, pixels }));
    placed.push(...place(file.frames, header ?? { summary, map: null }, notes, frames, warnings));
  }
  if (missing.length > 0) {
    warnings.push(
      `${missing.length === 1 ? "1 file is" : `${missing.length} files are`} not in the folder (${missing.slice(0, 4).join(", ")}): its frames are missing.`,
    );
  }
  const { ordered, told } = tell(placed, summary, warnings);
  sayFewer(ordered.length, summary, warnings);
  const series = told.planes === undefined ? null : seriesNote(told.planes);
  if (series !== null) warnings.push(series);
  return setMovie(
    name,
    like,
    ordered.map(({ frame }) => frame),
    told,
    warnings,
    pool,
  );
}

/** The metadata of one file of a set, read while it is open by itself. */
async function notesOf(folder: FolderSource, file: SetFile, placed: boolean): Promise<(ImageNote | undefined)[]> {
  const source = await folder.open(file.name);
  try {
    return await readNotes({ ...file.frames.index, source }, placed);
  } finally {
    await source.close();
  }
}
