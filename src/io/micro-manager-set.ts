/**
 * A recording by Micro-Manager as a movie: the frames of one file, and those of all files that it was split into.
 *
 * A file ends at 4 GiB, and every stage position may have files of its own:
 *
 *     name_MMStack.ome.tif       name_MMStack_1.ome.tif         name_MMStack_2.ome.tif
 *     name_MMStack_Pos0.ome.tif  name_MMStack_Pos0_1.ome.tif    name_MMStack_Pos1.ome.tif
 */
import type { Dataset, FramePlace, MovieFile, Samples } from "../model/movie.js";
import { naturalOrder, type ByteSource, type FolderSource } from "./bytes.js";
import { checkStamps, laterCivilTime } from "./frame-times.js";
import {
  civilTimeOf,
  microManagerHeader,
  noteTag,
  readNotes,
  type Fields,
  type ImageNote,
  type MicroManagerHeader,
} from "./micro-manager.js";
import { baseName } from "./ome-parts.js";
import { byPlace, placesIfSeveral } from "./ome-tiff.js";
import { frameKind, readFrame, tiffFrames, type TiffFrames } from "./tiff-frames.js";
import { openFiles, setFile, setMovie, type SetFile, type SetFrame } from "./tiff-set.js";
import type { FramePixels, Told } from "./tiff-told.js";
import { sameSeries, seriesNote } from "./time-series.js";

/** A frame, its place, and what its metadata say. */
interface Placed<F> {
  readonly frame: F;
  readonly place: FramePlace;
  readonly note: ImageNote | undefined;
}

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

/** Frames in the order of time, and what is told of them. */
function tell<F>(
  placed: readonly Placed<F>[],
  summary: Fields | null,
  warnings: string[],
): { readonly ordered: readonly Placed<F>[]; readonly told: Omit<Told, "frames"> } {
  if (summary === null) warnings.push("the summary of the acquisition is no JSON: it is not used.");
  // An image that was taken again replaces the one before.
  const last = new Map(placed.map((one) => [placeKey(one.place), one]));
  const turned = oneMoment([...last.values()], warnings);
  const ordered = [...turned].sort((a, b) => byPlace(a.place, b.place));
  const places = ordered.map(({ place: at }) => at);
  const clock = timesOf(ordered, summary, warnings);
  return {
    ordered,
    told: {
      format: "micro-manager",
      ...placesIfSeveral(places),
      ...names(ordered, summary),
      ...scaleOf(ordered, summary, warnings),
      ...clock,
      frameStamp: "unknown",
      start: startOf(ordered, summary),
    },
  };
}

function placeKey({ image, channel, slice, time }: FramePlace): string {
  return `${image},${channel},${slice},${time}`;
}

/** A focus series at one moment is taken as one in time. */
function oneMoment<F>(placed: readonly Placed<F>[], warnings: string[]): readonly Placed<F>[] {
  const still = placed.every(
    ({ place: at }) => at.time === placed[0]!.place.time && at.image === placed[0]!.place.image,
  );
  const slices = new Set(placed.map(({ place: at }) => at.slice)).size;
  if (!still || slices === 1) return placed;
  warnings.push(`${slices} images are declared as slices of one moment: they are taken as frames in time.`);
  return placed.map((one) => ({ ...one, place: { ...one.place, slice: 0, time: one.place.slice } }));
}

function timesOf<F>(
  ordered: readonly Placed<F>[],
  summary: Fields | null,
  warnings: string[],
): Pick<Told, "time_s" | "timeSource"> {
  const series = [...ordered.keys()].filter((at) => sameSeries(ordered[at]!.place, ordered[0]!.place));
  const clocks = [
    { name: "Micro-Manager ElapsedTime-ms", stamp_s: (note: ImageNote | undefined) => note?.elapsed_s ?? Number.NaN },
    { name: "Micro-Manager ReceivedTime", stamp_s: receivedSeconds },
  ];
  const said: string[] = [];
  for (const { name, stamp_s } of clocks) {
    const stamps_s = Float64Array.from(ordered, ({ note }) => stamp_s(note));
    const own_s = Float64Array.from(series, (at) => stamps_s[at]!);
    const checked = checkStamps(own_s, name);
    if (checked.sound && series.length > 1) {
      warnings.push(...checked.warnings);
      const origin_s = own_s[checked.time_s.indexOf(0)]!;
      const time_s = stamps_s.map((stamp) => stamp - origin_s);
      for (const [at, frame] of series.entries()) time_s[frame] = checked.time_s[at]!;
      return { time_s, timeSource: name };
    }
    if (series.length > 1) said.push(...checked.warnings);
  }
  warnings.push(...said);
  const interval_s = numberIn(summary, "Interval_ms") / 1000;
  if (!(interval_s > 0)) return { time_s: null, timeSource: "missing" };
  if (said.length > 0) warnings.push("the nominal interval of the acquisition is used instead.");
  const first = ordered[0]!.place.time;
  return {
    time_s: Float64Array.from(ordered, ({ place: at }) => (at.time - first) * interval_s),
    timeSource: "Micro-Manager Interval_ms",
  };
}

function receivedSeconds(note: ImageNote | undefined): number {
  const civil = note?.received == null ? null : civilTimeOf(note.received);
  if (civil === null) return Number.NaN;
  return Date.parse(/(?:Z|[+-]\d\d:\d\d)$/.test(civil) ? civil : `${civil}Z`) / 1000;
}

/** The civil time of the first frame: as it was received, else that of the acquisition and the time since. */
function startOf<F>(ordered: readonly Placed<F>[], summary: Fields | null): string | null {
  const note = ordered[0]!.note;
  const received = note?.received == null ? null : civilTimeOf(note.received);
  if (received !== null) return received;
  const written = summary?.["StartTime"] ?? summary?.["Time"];
  const begun = typeof written === "string" ? civilTimeOf(written) : null;
  if (begun === null || note === undefined || Number.isNaN(note.elapsed_s)) return begun;
  return laterCivilTime(begun, note.elapsed_s);
}

function scaleOf<F>(
  ordered: readonly Placed<F>[],
  summary: Fields | null,
  warnings: string[],
): Pick<Told, "pixelSize_um" | "pixelSizeSource"> {
  const said_um = numberIn(summary, "PixelSize_um");
  const noted_um = ordered.find(({ note }) => (note?.pixelSize_um ?? 0) > 0)?.note?.pixelSize_um ?? Number.NaN;
  if (said_um > 0 && noted_um > 0 && Math.abs(noted_um / said_um - 1) > 0.001) {
    warnings.push(`the summary has pixels of ${said_um} um, the first image of ${noted_um} um: the image's are used.`);
    return { pixelSize_um: noted_um, pixelSizeSource: "Micro-Manager PixelSizeUm" };
  }
  if (said_um > 0) return { pixelSize_um: said_um, pixelSizeSource: "Micro-Manager PixelSize_um" };
  if (noted_um > 0) return { pixelSize_um: noted_um, pixelSizeSource: "Micro-Manager PixelSizeUm" };
  return { pixelSize_um: null, pixelSizeSource: "missing" };
}

function names<F>(ordered: readonly Placed<F>[], summary: Fields | null): Pick<Told, "channelNames" | "imageNames"> {
  const channels: string[] = [];
  const images: string[] = [];
  for (const { place: at, note } of ordered) {
    if (note?.channel != null && at.channel < maxNames) channels[at.channel] ??= note.channel;
    if (note?.position != null && at.image < maxNames) images[at.image] ??= note.position;
  }
  for (const [at, name] of textsIn(summary, "ChNames").entries()) channels[at] = name;
  const full = (found: string[]): string[] => Array.from(found, (name) => name ?? "");
  return {
    ...(channels.length > 0 ? { channelNames: full(channels) } : {}),
    ...(images.length > 0 ? { imageNames: full(images) } : {}),
  };
}

const maxNames = 65_536;

function numberIn(fields: Fields | null, name: string): number {
  const value = fields?.[name];
  return typeof value === "number" || typeof value === "string" ? Number(value) : Number.NaN;
}

/** A list of texts, which older versions write as one text. */
function textsIn(fields: Fields | null, name: string): string[] {
  let value = fields?.[name];
  if (typeof value === "string" && value.startsWith("[")) {
    try {
      value = JSON.parse(value) as unknown;
    } catch {
      return [];
    }
  }
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === "string").slice(0, maxNames) : [];
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
