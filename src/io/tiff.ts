/** TIFF stacks as movies: plain, ImageJ, OME and Micro-Manager, read frame by frame through their index. */
import { FormatError } from "../model/errors.js";
import type { Dataset, MovieFile, Samples } from "../model/movie.js";
import { readBytes, type ByteSource } from "./bytes.js";
import { contiguousFrames, tellImageJ } from "./imagej-tiff.js";
import { parseImageJ } from "./imagej.js";
import { microManagerHeader } from "./micro-manager.js";
import { openMicroManager } from "./micro-manager-set.js";
import { ndtiffDataset } from "./ndtiff.js";
import { isNdtiffStack } from "./ndtiff-index.js";
import { tellOme } from "./ome-tiff.js";
import { omeDataset } from "./ome-set.js";
import { findOmeParts } from "./ome-parts.js";
import { isOmeXml, parseOmeXml } from "./ome-xml.js";
import { readDirectory, tagNumbers, tagTexts } from "./tiff-directory.js";
import { frameKind, readFrame, tiffFrames, type TiffFrames } from "./tiff-frames.js";
import type { TiffPage } from "./tiff-page.js";
import { seriesNote } from "./time-series.js";
import { plain, sayCut, type Told } from "./tiff-told.js";

/**
 * Opens a TIFF as a movie.
 *
 * Frames are the pages of the first page's size and type; a page with several planes (ImageDepth, separate or
 * interleaved grey samples) gives one frame a plane. Colour stays one frame a page with `samplesPerPixel` set.
 * A file that is cut off is used up to the cut. Pixel size and times come from Micro-Manager, OME or ImageJ metadata
 * alone: the resolution of a plain TIFF is the printer's. A file that is one of several stands for itself; the whole
 * is its `dataset`. Throws FormatError where nothing can be read.
 */
export async function openTiff(source: ByteSource): Promise<MovieFile> {
  const recorded = await microManagerHeader(source);
  if (recorded !== null) return openMicroManager(source, recorded);
  const warnings: string[] = [];
  const opened = await tiffFrames(source, warnings);
  const { told, dataset = await ndtiffDataset(source) } = await readDescription(opened, warnings);
  if (isNdtiffStack(await readBytes(source, 0, 16))) warnings.push(ndtiffNote(dataset));
  const { frames, ...facts } = told;
  const series = told.planes === undefined ? null : seriesNote(told.planes);
  if (series !== null) warnings.push(series);
  return {
    name: source.name,
    ...frameKind(opened),
    frames: frames.length,
    ...facts,
    ...(dataset === null ? {} : { dataset }),
    warnings,
    async read(number: number, into: Samples, signal?: AbortSignal): Promise<void> {
      const frame = frames.at(number);
      if (frame === undefined || number < 0) throw new RangeError(`frame ${number} of ${frames.length}`);
      await readFrame(opened, frame, into, signal);
    },
    close: () => source.close(),
  };
}

function fault(source: ByteSource, what: string): FormatError {
  return new FormatError(`${source.name}: ${what}`, { path: source.name });
}

interface Described {
  readonly told: Told;
  readonly dataset?: Dataset;
}

async function readDescription(opened: TiffFrames, warnings: string[]): Promise<Described> {
  const { index, bare } = opened;
  const directory = await readDirectory(index, index.pages[0]!.ifdOffset);
  if (directory === null || typeof directory === "string") throw fault(index.source, "changed while it was read.");
  const texts = await tagTexts(index, directory, 270);
  const ome = texts.find((text) => text !== null && isOmeXml(text));
  if (ome !== undefined && ome !== null) {
    try {
      return await describeOme(opened, ome, warnings);
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
    const scales = [across?.[0] ?? null, down?.[0] ?? null] as const;
    return { told: tellImageJ(index, directory, bare, description, scales, warnings) };
  }
  const images = texts.reduce((most, text) => Math.max(most, shapedImages(text, index.pages[0]!)), 0);
  if (images > bare.length) {
    const frames = contiguousFrames(index, directory, bare, images);
    sayCut(index, frames.length, images, warnings);
    return { told: plain("tiff", frames) };
  }
  if (directory.entries.some(({ tag, count }) => tag === metaMorph && count > 1)) {
    throw fault(
      index.source,
      "is a MetaMorph stack, of which only the first image would be seen. Export it as OME-TIFF.",
    );
  }
  if (texts.includes(null)) warnings.push("the file's description lies beyond its end: scale and times are lost.");
  sayCut(index, bare.length, null, warnings);
  return { told: plain("tiff", bare) };
}

async function describeOme(opened: TiffFrames, text: string, warnings: string[]): Promise<Described> {
  const { index, bare } = opened;
  const { source } = index;
  const set = await findOmeParts(source, parseOmeXml(text, source.name), index.pages.length, warnings);
  const told = tellOme(index, bare, set, warnings);
  const dataset = await omeDataset(opened, set);
  return dataset === null ? { told } : { told, dataset };
}

/** What NDTiff's mark behind the header means for the order of pages. */
function ndtiffNote(dataset: Dataset | null): string {
  const alone = "pages of an NDTiff dataset are frames as they stand, of all channels, slices and positions";
  return dataset === null
    ? `${alone}: the dataset's other files are not beside it. Copy its whole folder.`
    : `${alone}: times and places stand in the dataset, which an analysis uses.`;
}

/** Tag of MetaMorph's stacks, whose one page stands for all planes. */
const metaMorph = 33629;

/** Images that tifffile says to lie behind the only page of a truncated series: JSON with the whole shape. */
function shapedImages(text: string | null, { layout }: TiffPage): number {
  if (text === null || !/^\{"shape": \[[\d, ]+\].*"truncated": true/.test(text)) return 0;
  const shape = /\[([\d, ]+)\]/.exec(text)![1]!.split(",").map(Number);
  return shape.reduce((product, size) => product * size, 1) / (layout.width * layout.height * layout.samplesPerPixel);
}
