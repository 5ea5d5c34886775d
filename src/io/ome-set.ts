/** A recording that OME-XML spreads over several TIFFs, as one movie in the order of its document. */
import { FormatError } from "../model/errors.js";
import type { Dataset, FramePlace, MovieFile } from "../model/movie.js";
import { readBytes, type ByteSource } from "./bytes.js";
import { laterCivilTime } from "./frame-times.js";
import { baseName, partsOf, type OmePart, type OmeParts } from "./ome-parts.js";
import { assignPages, byPlace, namesOf, omeTimes, oneAxis, placesIfSeveral, scaleOf, startOf } from "./ome-tiff.js";
import { isOmeXml, parseOmeXml } from "./ome-xml.js";
import { seriesNote } from "./time-series.js";
import { tiffFrames, type TiffFrames } from "./tiff-frames.js";
import { openFiles, setFile, setMovie, type SetFile, type SetFrame } from "./tiff-set.js";

/** Files of a set whose pages are counted when one of them is opened; of more, the document is believed. */
const maxCounted = 256;

/** Files read at one time; a share on the network answers them together. */
const atOnce = 8;

/**
 * The whole of a set, for one of its files whose pages are known; null where the document names no other file, or
 * where the folder is not known.
 */
export async function omeDataset(like: TiffFrames, set: OmeParts): Promise<Dataset | null> {
  const { folder, parts, document, own } = set;
  if (folder === null || parts.length === 0 || (parts.length === 1 && parts[0] === own)) return null;
  const there = parts.filter(({ entry }) => entry !== null);
  const missing = parts.filter(({ entry }) => entry === null).map(nameOf);
  let frames = 0;
  if (there.length <= maxCounted) {
    const pool = openFiles(folder);
    const opened = await readFiles(like, set, pool);
    frames = placeFrames(set, opened.files).length;
    await pool.close();
  } else {
    for (const part of there) frames += assignPages(document, part, Infinity)?.places.size ?? 0;
  }
  return {
    files: there.map(({ entry }) => entry!),
    missing,
    frames,
    open: () => openOmeSet(like.index.source.name, like, set),
  };
}

/** Whether a file begins as OME-XML does. */
export function isOmeDocument(head: Uint8Array): boolean {
  return head[0] !== 0 && isOmeXml(new TextDecoder().decode(head.subarray(0, 4096)));
}

/**
 * Opens a set by its document alone: a companion file. Throws FormatError where the document holds its pixels itself,
 * names no file, or where none of the files is there.
 */
export async function openOmeDocument(source: ByteSource): Promise<MovieFile> {
  const fault = (what: string): FormatError => new FormatError(`${source.name}: ${what}`, { path: source.name });
  if (source.size > maxDocumentBytes) {
    throw fault(`is OME-XML of ${source.size} bytes, at most ${maxDocumentBytes} are read. Name the TIFF of it.`);
  }
  const text = new TextDecoder().decode(await readBytes(source, 0, source.size));
  if (!isOmeXml(text)) throw fault("is no OME-XML. Name the TIFF that belongs to it.");
  const document = parseOmeXml(text, source.name);
  const parts = partsOf(document);
  if (parts.length === 0) {
    const inside = /<(?:[\w.-]+:)?BinData[\s>]/.test(text);
    throw fault(
      inside
        ? "is OME-XML that holds its pixels as text, which is not read. Export it as OME-TIFF."
        : "is OME-XML without pixels. Name the TIFF that belongs to it.",
    );
  }
  const folder = (await source.beside?.()) ?? null;
  const entries = new Set(folder?.entries ?? []);
  const found = parts.map((part): OmePart => {
    const entry = part.fileName === null ? null : baseName(part.fileName);
    return { ...part, entry: entry !== null && entries.has(entry) ? entry : null };
  });
  const first = found.find(({ entry }) => entry !== null);
  if (folder === null || first === undefined) {
    throw fault(
      `is OME-XML without pixels, and ${parts.length === 1 ? "the file" : `none of the ${parts.length} files`} that it names ` +
        `(${nameOf(parts[0]!)}) is ${parts.length === 1 ? "not " : ""}beside it. Copy them there or name one of them.`,
    );
  }
  const opened = await folder.open(first.entry!);
  try {
    const like = await tiffFrames(opened, []);
    return await openOmeSet(source.name, like, { document, parts: found, own: null, folder });
  } finally {
    await opened.close();
    await source.close();
  }
}

const maxDocumentBytes = 1 << 26;

async function openOmeSet(name: string, like: TiffFrames, set: OmeParts): Promise<MovieFile> {
  const { document } = set;
  const folder = set.folder!;
  const pool = openFiles(folder);
  const { files, faults } = await readFiles(like, set, pool);
  const warnings = [...document.warnings, ...faults];
  const placed = placeFrames(set, files);
  if (placed.length === 0) {
    await pool.close();
    throw new FormatError(
      `${name}: the files of its set hold none of the frames that its OME-XML names. Export the movie again.`,
      { path: name },
    );
  }
  sayMissing(set, placed.length, warnings);
  const turned = oneAxis(document, new Map(placed.map(({ place }, at) => [at, place])), warnings);
  const ordered = placed
    .map(({ frame }, at) => ({ frame, place: turned.get(at)! }))
    .sort(({ place: a }, { place: b }) => byPlace(a, b));
  const places = ordered.map(({ place }) => place);
  const [image] = document.images;
  const { width, height } = like.index.pages[0]!.layout;
  const scale = scaleOf(image!, width, height, warnings);
  const start = startOf(image!, warnings);
  const clock = omeTimes(document, places, warnings);
  const planes = placesIfSeveral(places);
  const series = planes.planes === undefined ? null : seriesNote(planes.planes);
  if (series !== null) warnings.push(series);
  return setMovie(
    name,
    like,
    ordered.map(({ frame }) => frame),
    {
      format: "ome-tiff",
      ...planes,
      ...namesOf(document),
      ...scale,
      ...clock.times,
      frameStamp: document.frameStamp,
      start: start === null ? null : laterCivilTime(start, clock.first_s),
    },
    warnings,
    pool,
  );
}

async function readFiles(
  like: TiffFrames,
  { parts, folder }: OmeParts,
  pool: ReturnType<typeof openFiles>,
): Promise<{ readonly files: ReadonlyMap<OmePart, SetFile>; readonly faults: readonly string[] }> {
  const there = parts.filter(({ entry }) => entry !== null);
  const files = new Map<OmePart, SetFile>();
  const faults: string[] = [];
  for (let at = 0; at < there.length; at += atOnce) {
    const some = there.slice(at, at + atOnce);
    const read = await Promise.all(some.map(({ entry }) => setFile(folder!, pool, entry!, like)));
    for (const [number, one] of read.entries()) {
      if (typeof one === "string") faults.push(one);
      else files.set(some[number]!, one);
    }
  }
  return { files, faults };
}

/** The frames that are there, and their places. */
function placeFrames(
  { document, parts }: OmeParts,
  files: ReadonlyMap<OmePart, SetFile>,
): { readonly frame: SetFrame; readonly place: FramePlace }[] {
  return parts.flatMap((part) => {
    const file = files.get(part);
    if (file === undefined) return [];
    const assigned = assignPages(document, part, file.frames.index.pages.length);
    return file.frames.bare.flatMap((pixels) => {
      const place = assigned?.places.get(pixels.number);
      return place === undefined ? [] : [{ frame: { file, pixels }, place }];
    });
  });
}

function sayMissing({ document, parts }: OmeParts, held: number, warnings: string[]): void {
  const declared = document.images.reduce((sum, { channels, slices, times, pages }) => {
    const named = pages.reduce((count, one) => count + (one.count ?? 1), 0);
    return sum + (pages.some(({ page }) => page === null) ? channels * slices * times : named);
  }, 0);
  const lost = parts.filter(({ entry }) => entry === null);
  if (lost.length > 0) {
    const names = lost.slice(0, 4).map(nameOf).join(", ");
    const more = lost.length > 4 ? ` and ${lost.length - 4} others` : "";
    const are = lost.length === 1 ? "1 file is" : `${lost.length} files are`;
    warnings.push(`${are} not in the folder (${names}${more}): ${declared - held} of ${declared} frames are missing.`);
  } else if (held < declared) {
    warnings.push(`the set says that it holds ${declared} frames but holds ${held}: ${declared - held} are missing.`);
  }
}

function nameOf({ fileName, uuid }: OmePart): string {
  return fileName ?? uuid ?? "a file without a name";
}
