/** TIFF stacks as movies: plain, ImageJ and OME, read frame by frame through their index. */
import { FormatError } from "../model/errors.js";
import type { MovieFile, Samples } from "../model/movie.js";
import { readBytes, type ByteSource } from "./bytes.js";
import { contiguousFrames, tellImageJ } from "./imagej-tiff.js";
import { parseImageJ } from "./imagej.js";
import { tellOme } from "./ome-tiff.js";
import { isOmeXml, parseOmeXml } from "./ome-xml.js";
import { layoutDtype, layoutRefusal, readPlane, type Plane } from "./tiff-decode.js";
import { readDirectory, tagNumbers, tagTexts } from "./tiff-directory.js";
import { indexTiff, maxFrames, type TiffIndex } from "./tiff-index.js";
import { type TiffPage } from "./tiff-page.js";
import { seriesNote } from "./time-series.js";
import { plain, sayCut, type FramePixels, type Told } from "./tiff-told.js";

/**
 * Opens a TIFF as a movie.
 *
 * Frames are the pages of the first page's size and type; a page with several planes (ImageDepth, separate or
 * interleaved grey samples) gives one frame a plane. Colour stays one frame a page with `samplesPerPixel` set.
 * A file that is cut off is used up to the cut. Pixel size and times come from OME or ImageJ metadata alone: the
 * resolution of a plain TIFF is the printer's. Throws FormatError where nothing can be read.
 */
export async function openTiff(source: ByteSource): Promise<MovieFile> {
  const index = await indexTiff(source);
  const first = index.pages[0]!;
  const refusal = layoutRefusal(first.layout);
  if (refusal !== null) throw fault(source, refusal);
  if (!first.whole) {
    throw fault(source, `is cut off inside its first frame, after ${source.size} bytes. Copy it again.`);
  }
  const warnings: string[] = [];
  const pages = usablePages(index, warnings);
  const planes = planesOf(first, warnings);
  if (pages.length * planes.length > maxFrames) {
    throw fault(source, `it claims ${pages.length * planes.length} frames, more than ${maxFrames}. Export it again.`);
  }
  const bare = pages.flatMap((number) => {
    return planes.map((plane): FramePixels => ({ page: index.pages[number]!, number, plane }));
  });
  const note = await recorderNote(source);
  if (note !== null) warnings.push(note);
  const told = await readDescription(index, bare, warnings);
  const { layout } = first;
  const colours = planes[0]!.sample === null && layout.samplesPerPixel > 1 ? layout.samplesPerPixel : 1;
  const { frames, ...facts } = told;
  const series = told.planes === undefined ? null : seriesNote(told.planes);
  if (series !== null) warnings.push(series);
  return {
    name: source.name,
    width: layout.width,
    height: layout.height,
    frames: frames.length,
    dtype: layoutDtype(layout),
    ...(colours > 1 ? { samplesPerPixel: colours } : {}),
    ...facts,
    warnings,
    async read(number: number, into: Samples, signal?: AbortSignal): Promise<void> {
      signal?.throwIfAborted();
      const frame = frames[number];
      if (frame === undefined) throw new RangeError(`frame ${number} of ${frames.length}`);
      if (colours > 1 && into.length === layout.width * layout.height) {
        throw fault(source, `frames are in colour, ${colours} samples a pixel. Export the movie as grey.`);
      }
      await readPlane(index, frame.page, frame.plane, into, signal);
    },
    close: () => source.close(),
  };
}

function fault(source: ByteSource, what: string): FormatError {
  return new FormatError(`${source.name}: ${what}`, { path: source.name });
}

/** Numbers of the pages like the first, up to where the file is cut; what is left out is said. */
function usablePages(index: TiffIndex, warnings: string[]): number[] {
  const first = index.pages[0]!;
  const kept: number[] = [];
  let others = 0;
  for (const [number, page] of index.pages.entries()) {
    if (!page.whole) break;
    if (sameKind(page, first)) kept.push(number);
    else others++;
  }
  if (others > 0) {
    const pages = others === 1 ? "1 page" : `${others} pages`;
    warnings.push(`${pages} of another size or type than the first (a thumbnail, say) left out.`);
  }
  if (index.ending !== null && index.ending.kind !== "cut") {
    const before = kept.length === 1 ? "page before is" : "pages before are";
    warnings.push(`${index.ending.because}: the ${kept.length} ${before} used.`);
  }
  return kept;
}

function sameKind(page: TiffPage, first: TiffPage): boolean {
  const [a, b] = [page.layout, first.layout];
  if (page.reduced !== first.reduced) return false;
  if (a === b) return true;
  return (
    a.width === b.width &&
    a.height === b.height &&
    a.depth === b.depth &&
    a.samplesPerPixel === b.samplesPerPixel &&
    a.bitsPerSample === b.bitsPerSample &&
    a.sampleFormat === b.sampleFormat &&
    a.photometric === b.photometric &&
    a.separate === b.separate &&
    a.extraSamples === b.extraSamples &&
    layoutRefusal(a) === null
  );
}

/** The planes of a page that are frames of their own. */
function planesOf({ layout }: TiffPage, warnings: string[]): Plane[] {
  const { photometric, samplesPerPixel, depth } = layout;
  if (photometric === 0) warnings.push("white is zero in this file: stored values fall where the image is brighter.");
  if (photometric === 3) warnings.push("the file has a palette: its stored indices are taken as grey values.");
  if (photometric === 32803) warnings.push("the file is a colour mosaic: neighbouring pixels see different colours.");
  if (depth > 1) {
    warnings.push(`a page holds ${depth} planes in depth: they are taken as frames, in order.`);
    return Array.from({ length: depth }, (_, z) => ({ z, sample: null }));
  }
  if (samplesPerPixel === 1) return [{ z: 0, sample: null }];
  if (photometric > 1 && photometric !== 3) {
    warnings.push(
      `frames are in colour, ${samplesPerPixel} samples a pixel: an analysis needs a grey movie. Export it as grey.`,
    );
    return [{ z: 0, sample: null }];
  }
  const alpha = layout.extraSamples.split(",").filter((kind) => kind === "1" || kind === "2").length;
  const grey = Math.max(1, samplesPerPixel - alpha);
  if (alpha > 0) warnings.push("the file has a channel of transparency: it is left out.");
  if (grey > 1) warnings.push(`a page holds ${grey} planes of samples: they are taken as frames, in order.`);
  return Array.from({ length: grey }, (_, sample) => ({ z: 0, sample }));
}

async function readDescription(index: TiffIndex, bare: readonly FramePixels[], warnings: string[]): Promise<Told> {
  const directory = await readDirectory(index, index.pages[0]!.ifdOffset);
  if (directory === null || typeof directory === "string") throw fault(index.source, "changed while it was read.");
  const texts = await tagTexts(index, directory, 270);
  const ome = texts.find((text) => text !== null && isOmeXml(text));
  if (ome !== undefined && ome !== null) {
    try {
      return tellOme(index, bare, parseOmeXml(ome, index.source.name), warnings);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      warnings.push(`${error.message} Its pages are taken as frames in order.`);
    }
  }
  for (const text of texts) {
    const description = text === null ? null : parseImageJ(text);
    if (description === null) continue;
    const across = await tagNumbers(index, directory, 282);
    const down = await tagNumbers(index, directory, 283);
    return tellImageJ(index, directory, bare, description, [across?.[0] ?? null, down?.[0] ?? null], warnings);
  }
  const images = texts.reduce((most, text) => Math.max(most, shapedImages(text, index.pages[0]!)), 0);
  if (images > bare.length) {
    const frames = contiguousFrames(index, directory, bare, images);
    sayCut(index, frames.length, images, warnings);
    return plain("tiff", frames);
  }
  if (directory.entries.some(({ tag, count }) => tag === metaMorph && count > 1)) {
    throw fault(
      index.source,
      "is a MetaMorph stack, of which only the first image would be seen. Export it as OME-TIFF.",
    );
  }
  if (texts.includes(null)) warnings.push("the file's description lies beyond its end: scale and times are lost.");
  sayCut(index, bare.length, null, warnings);
  return plain("tiff", bare);
}

/** What the recorder's mark behind the header means for the order of pages; null where there is none. */
async function recorderNote(source: ByteSource): Promise<string | null> {
  const bytes = await readBytes(source, 8, 4);
  if (bytes.length < 4 || new DataView(bytes.buffer).getUint32(0, true) !== ndtiff) return null;
  return (
    "the file is part of an NDTiff dataset whose index is not read: pages are frames as they stand, " +
    "of all channels, slices and positions. Export it as OME-TIFF where it has more than one."
  );
}

/** u32 at byte 8 of NDTiff's stacks. */
const ndtiff = 483729;

/** Tag of MetaMorph's stacks, whose one page stands for all planes. */
const metaMorph = 33629;

/** Images that tifffile says to lie behind the only page of a truncated series: JSON with the whole shape. */
function shapedImages(text: string | null, { layout }: TiffPage): number {
  if (text === null || !/^\{"shape": \[[\d, ]+\].*"truncated": true/.test(text)) return 0;
  const shape = /\[([\d, ]+)\]/.exec(text)![1]!.split(",").map(Number);
  return shape.reduce((product, size) => product * size, 1) / (layout.width * layout.height * layout.samplesPerPixel);
}
