/** TIFF stacks as movies: plain, ImageJ and OME, read frame by frame through their index. */
import { FormatError } from "../model/errors.js";
import type { FramePlace, FrameStamp, MovieFile, Samples } from "../model/movie.js";
import type { ByteSource } from "./bytes.js";
import { checkStamps, laterCivilTime } from "./frame-times.js";
import { parseImageJ, type ImageJDescription } from "./imagej.js";
import { isOmeXml, parseOmeXml, placeInOrder, positionInOrder, type OmeDocument, type OmeImage } from "./ome-xml.js";
import { layoutDtype, layoutRefusal, readPlane, type Plane } from "./tiff-decode.js";
import {
  indexTiff,
  maxFrames,
  readDirectory,
  tagNumbers,
  tagTexts,
  type TiffIndex,
  type TiffPage,
} from "./tiff-index.js";

/** A frame's pixels: a page and which of its planes. */
interface FramePixels {
  readonly page: TiffPage;
  /** Number of the page in the file. */
  readonly number: number;
  readonly plane: Plane;
}

/** What the description adds to the bare frames; frames may be put in another order by it. */
interface Told {
  readonly format: string;
  readonly frames: readonly FramePixels[];
  readonly planes?: readonly FramePlace[];
  readonly pixelSize_um: number | null;
  readonly pixelSizeSource: string;
  readonly time_s: Float64Array | null;
  readonly timeSource: string;
  readonly frameStamp: FrameStamp;
  readonly start: string | null;
}

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
  const told = await readDescription(index, bare, warnings);
  const { layout } = first;
  const colours = planes[0]!.sample === null && layout.samplesPerPixel > 1 ? layout.samplesPerPixel : 1;
  const { frames, ...facts } = told;
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
      return await tellOme(index, bare, parseOmeXml(ome, index.source.name), warnings);
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
    return tellImageJ(index, bare, description, [across?.[0] ?? null, down?.[0] ?? null], warnings);
  }
  const images = texts.reduce((most, text) => Math.max(most, shapedImages(text, index.pages[0]!)), 0);
  if (images > bare.length) {
    const frames = contiguousFrames(index, bare, images);
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

/** Tag of MetaMorph's stacks, whose one page stands for all planes. */
const metaMorph = 33629;

/** Images that tifffile says to lie behind the only page of a truncated series: JSON with the whole shape. */
function shapedImages(text: string | null, { layout }: TiffPage): number {
  if (text === null || !/^\{"shape": \[[\d, ]+\].*"truncated": true/.test(text)) return 0;
  const shape = /\[([\d, ]+)\]/.exec(text)![1]!.split(",").map(Number);
  return shape.reduce((product, size) => product * size, 1) / (layout.width * layout.height * layout.samplesPerPixel);
}

function plain(format: string, frames: readonly FramePixels[]): Told {
  return {
    format,
    frames,
    pixelSize_um: null,
    pixelSizeSource: "missing",
    time_s: null,
    timeSource: "missing",
    frameStamp: "unknown",
    start: null,
  };
}

/** Says how much of a cut file is missing; `declared` is the number of frames it was to have, null where unknown. */
function sayCut(index: TiffIndex, frames: number, declared: number | null, warnings: string[]): void {
  const broken = index.pages.filter((page) => !page.whole).length;
  const cut = index.ending?.kind === "cut";
  if (declared !== null && declared > frames) {
    warnings.push(
      cut || broken > 0
        ? `the file is cut off: ${declared - frames} of ${declared} frames are missing, the first ${frames} are used.`
        : `the file says that it holds ${declared} frames but holds ${frames}: ${declared - frames} are missing.`,
    );
  } else if (cut || broken > 0) {
    const missing = broken + (cut ? 1 : 0);
    warnings.push(
      `the file is cut off: at least ${missing} ${missing === 1 ? "frame is" : "frames are"} missing, the first ${frames} are used.`,
    );
  }
}

function tellImageJ(
  index: TiffIndex,
  bare: readonly FramePixels[],
  description: ImageJDescription,
  [across, down]: readonly [number | null, number | null],
  warnings: string[],
): Told {
  warnings.push(...description.warnings);
  const frames = contiguousFrames(index, bare, description.images);
  sayCut(index, frames.length, description.images, warnings);
  const places = placesOf(frames.length, description, warnings);
  const { interval_s, unit_um } = description;
  const times = places?.map(({ time }) => time) ?? [...frames.keys()];
  const sized = unit_um !== null && across !== null && across > 0 && Number.isFinite(across);
  const size_um = sized ? unit_um / across : null;
  if (sized && down !== null && down > 0 && Math.abs(down / across - 1) > 0.01) {
    warnings.push(`pixels are ${size_um} um wide but ${unit_um / down} um high: the width is used.`);
  }
  return {
    ...plain("imagej-tiff", frames),
    ...(places === null ? {} : { planes: places }),
    ...(sized ? { pixelSize_um: size_um, pixelSizeSource: "ImageJ XResolution" } : {}),
    ...(interval_s === null
      ? {}
      : { time_s: Float64Array.from(times, (time) => time * interval_s), timeSource: "ImageJ finterval" }),
  };
}

/** ImageJ's stacks of one page, or of pages whose directories were cut off, go on behind their first image. */
function contiguousFrames(index: TiffIndex, bare: readonly FramePixels[], images: number): readonly FramePixels[] {
  const [first, second] = index.pages;
  const { layout, dataOffset } = first!;
  if (images <= bare.length || dataOffset < 0 || bare.length !== index.pages.length) return bare;
  const frameBytes = (layout.width * layout.height * layout.samplesPerPixel * layout.bitsPerSample) / 8;
  const follows = second === undefined ? bare.length === 1 : second.dataOffset === dataOffset + frameBytes;
  if (!follows || (second !== undefined && index.ending === null)) return bare;
  const held = Math.min(images, maxFrames, Math.floor((index.source.size - dataOffset) / frameBytes));
  return Array.from({ length: Math.max(held, bare.length) }, (_, number) => ({
    page: { ...first!, dataOffset: dataOffset + number * frameBytes },
    number,
    plane: bare[0]!.plane,
  }));
}

/** ImageJ's order: channel, slice, frame. Null where all follow in time. */
function placesOf(frames: number, description: ImageJDescription, warnings: string[]): FramePlace[] | null {
  const { channels, slices, frames: times } = description;
  if (frames > description.images) {
    warnings.push(
      `ImageJ's description speaks of ${description.images} images but there are ${frames}: all are taken as frames.`,
    );
    return null;
  }
  if (channels === 1 && slices === 1) return null;
  if (channels === 1 && times === 1) {
    warnings.push(`${slices} images are declared as slices of one moment: they are taken as frames in time.`);
    return null;
  }
  return Array.from({ length: frames }, (_, number) => {
    const channel = number % channels;
    const above = Math.floor(number / channels);
    // A stack along z alone, of several channels, is taken as one in time too.
    const [slice, time] = times === 1 ? [0, above] : [above % slices, Math.floor(above / slices)];
    return { image: 0, channel, slice, time };
  });
}

async function tellOme(
  index: TiffIndex,
  bare: readonly FramePixels[],
  document: OmeDocument,
  warnings: string[],
): Promise<Told> {
  warnings.push(...document.warnings);
  const image = document.images[0];
  if (image === undefined) {
    warnings.push(`the metadata is in ${document.companion}, which is not read: scale and times are missing.`);
    sayCut(index, bare.length, null, warnings);
    return plain("ome-tiff", bare);
  }
  const scale = scaleOf(image, index, warnings);
  const onePlane = bare.every(({ plane }) => plane === bare[0]!.plane);
  const assigned = onePlane ? assignPages(document, index, bare.length, warnings) : null;
  const start = image.date === null ? null : laterCivilTime(image.date, 0);
  if (image.date !== null && start === null) {
    warnings.push(`OME AcquisitionDate "${image.date}" is no date and time: the start is unknown.`);
  }
  if (assigned === null) {
    sayCut(index, bare.length, null, warnings);
    warnings.push(
      "the planes of its OME-XML do not match its pages: they are taken as frames in order, without times.",
    );
    return { ...plain("ome-tiff", bare), ...scale, start };
  }
  sayCut(index, Math.min(bare.length, assigned.declared), assigned.declared, warnings);
  const ordered = bare
    .flatMap((frame) => {
      const place = assigned.places.get(frame.number);
      return place === undefined ? [] : [{ frame, place }];
    })
    .sort(({ place: a }, { place: b }) => {
      return a.image - b.image || a.time - b.time || a.slice - b.slice || a.channel - b.channel;
    });
  if (ordered.length === 0) return { ...plain("ome-tiff", bare), ...scale, start };
  const places = ordered.map(({ place }) => place);
  const clock = omeTimes(document, places, warnings);
  const alone = places.every((place, at) => sameSeries(place, places[0]!) && place.time === at);
  return {
    format: "ome-tiff",
    frames: ordered.map(({ frame }) => frame),
    ...(alone ? {} : { planes: places }),
    ...scale,
    ...clock.times,
    frameStamp: document.frameStamp,
    start: start === null ? null : laterCivilTime(start, clock.first_s),
  };
}

function scaleOf(
  image: OmeImage,
  index: TiffIndex,
  warnings: string[],
): Pick<Told, "pixelSize_um" | "pixelSizeSource"> {
  const { width, height } = index.pages[0]!.layout;
  const missing = { pixelSize_um: null, pixelSizeSource: "missing" };
  if (image.width !== width || image.height !== height) {
    warnings.push(
      `its OME-XML speaks of ${image.width} x ${image.height} px but frames are ${width} x ${height}: its pixel size is not used.`,
    );
    return missing;
  }
  const { pixelSize_um, pixelHeight_um } = image;
  if (pixelSize_um === null) return missing;
  if (pixelHeight_um !== null && Math.abs(pixelHeight_um / pixelSize_um - 1) > 0.01) {
    warnings.push(`pixels are ${pixelSize_um} um wide but ${pixelHeight_um} um high: the width is used.`);
  }
  return { pixelSize_um, pixelSizeSource: "OME PhysicalSizeX" };
}

/** Which plane each page holds, and how many planes this file was to hold; null where pages and planes do not match. */
function assignPages(
  document: OmeDocument,
  index: TiffIndex,
  usable: number,
  warnings: string[],
): { places: Map<number, FramePlace>; declared: number } | null {
  const places = new Map<number, FramePlace>();
  const ours = ownPages(document, index.source.name);
  if (ours.others > 0) {
    warnings.push(
      `its OME-XML names ${ours.others} more planes in other files of the set: those of this file are used.`,
    );
  }
  let declared = 0;
  let next = 0;
  let steps = 0;
  for (const [number, image] of document.images.entries()) {
    const planes = image.channels * image.slices * image.times;
    const isPlane = ({ channel, slice, time }: { channel: number; slice: number; time: number }): boolean =>
      channel < image.channels && slice < image.slices && time < image.times;
    const stretches = image.pages.filter(ours.belongs);
    if (image.pages.length > 0 && stretches.length === 0) continue;
    const all = stretches.length > 0 ? stretches : [{ page: null, first: placeInOrder(image, 0), count: null }];
    for (const { page, first, count } of all) {
      const from = page ?? next;
      const begin = positionInOrder(image, first);
      const length = Math.min(count ?? (page === null ? planes - begin : 1), planes - begin);
      if (!(from >= 0) || !(length >= 0) || !isPlane(first)) return null;
      declared += length;
      next = from + length;
      for (let step = 0; step < length && from + step < index.pages.length; step++) {
        // A document that names the same pages over and over is malformed.
        if (++steps > 2 * maxFrames) return null;
        places.set(from + step, { image: number, ...placeInOrder(image, begin + step) });
      }
    }
  }
  // Pages beyond the declared ones have no place: someone changed the file and kept its description.
  return usable > declared ? null : { places: oneAxis(document, places, warnings), declared };
}

/** Tells planes of this file from those of other files of a set: by its UUID, else by its name. */
function ownPages(
  document: OmeDocument,
  name: string,
): { belongs: (pages: OmeImage["pages"][number]) => boolean; others: number } {
  const all = document.images.flatMap((image) => image.pages);
  const files = new Set(all.map(({ fileName, uuid }) => uuid ?? fileName));
  if (files.size <= 1) return { belongs: () => true, others: 0 };
  const own = name.split(/[\\/]/).at(-1);
  const byUuid = document.uuid !== null && all.some(({ uuid }) => uuid === document.uuid);
  const belongs = ({ fileName, uuid }: OmeImage["pages"][number]): boolean =>
    (fileName === null && uuid === null) || (byUuid ? uuid === document.uuid : fileName === own);
  return { belongs, others: all.filter((pages) => !belongs(pages)).length };
}

/** A stack along z at one time is taken as one in time. */
function oneAxis(document: OmeDocument, places: Map<number, FramePlace>, warnings: string[]): Map<number, FramePlace> {
  const [image] = document.images;
  if (document.images.length !== 1 || image!.times > 1 || image!.slices === 1) return places;
  warnings.push(`${image!.slices} images are declared as slices of one moment: they are taken as frames in time.`);
  return new Map([...places].map(([page, place]) => [page, { ...place, slice: 0, time: place.slice }]));
}

function omeTimes(
  document: OmeDocument,
  places: readonly FramePlace[],
  warnings: string[],
): { times: Pick<Told, "time_s" | "timeSource">; first_s: number } {
  const missing = { times: { time_s: null, timeSource: "missing" }, first_s: 0 };
  const stamps = new Map<string, number>();
  const turned = document.images.length === 1 && document.images[0]!.times === 1;
  for (const [number, image] of document.images.entries()) {
    for (const { channel, slice, time, stamp_s } of image.stamps) {
      stamps.set(turned ? `${number},${channel},0,${slice}` : `${number},${channel},${slice},${time}`, stamp_s);
    }
  }
  const stamps_s = Float64Array.from(places, ({ image, channel, slice, time }) => {
    return stamps.get(`${image},${channel},${slice},${time}`) ?? Number.NaN;
  });
  const series = [...places.keys()].filter((frame) => sameSeries(places[frame]!, places[0]!));
  const checked = checkStamps(
    Float64Array.from(series, (frame) => stamps_s[frame]!),
    "OME DeltaT",
  );
  const interval_s = document.images[0]!.interval_s;
  const nominal =
    interval_s === null ? null : Float64Array.from(places, ({ time }) => (time - places[0]!.time) * interval_s);
  if (stamps.size > 0) warnings.push(...checked.warnings);
  if (checked.sound && series.length > 1) {
    const origin = stamps_s[series[checked.time_s.indexOf(0)]!]!;
    const time_s = stamps_s.map((stamp) => stamp - origin);
    for (const [at, frame] of series.entries()) time_s[frame] = checked.time_s[at]!;
    return { times: { time_s, timeSource: "OME DeltaT" }, first_s: stamps_s[0]! > 0 ? stamps_s[0]! : 0 };
  }
  if (nominal !== null) {
    if (stamps.size > 0) warnings.push("the nominal OME TimeIncrement is used instead.");
    return { times: { time_s: nominal, timeSource: "OME TimeIncrement" }, first_s: 0 };
  }
  const some = checked.time_s.some((time) => time !== 0);
  const complete = !checked.time_s.some((time) => Number.isNaN(time));
  if (stamps.size > 0 && some && complete && series.length > 1) {
    return { times: { time_s: stamps_s.map((stamp) => stamp - stamps_s[0]!), timeSource: "OME DeltaT" }, first_s: 0 };
  }
  return missing;
}

function sameSeries(a: FramePlace, b: FramePlace): boolean {
  return a.image === b.image && a.channel === b.channel && a.slice === b.slice;
}
