/**
 * NDTiff datasets (Micro-Manager, Pycro-Manager), versions 2 and 3, as movies: frames by the index alone.
 *
 *     v3: folder / NDTiff.index, <name>_NDTiffStack.tif, <name>_NDTiffStack_1.tif (4 GiB each), display_settings.txt
 *     v2, and pyramids of v3: folder / "Full resolution" / the same; "Downsampled_x2" beside
 *
 * The layout of index and TIFFs stands in ndtiff-index.ts.
 */
import { FormatError } from "../model/errors.js";
import type { Dataset, FramePlace, MovieFile, Samples } from "../model/movie.js";
import { bytesOf, machineIsLittle, swapBytes } from "./byte-order.js";
import { isFolder, readBytes, type ByteSource, type FolderSource, type Source } from "./bytes.js";
import { frameList } from "./frame-times.js";
import { datasetFolder, gatherNdtiff, holdsDataset, ndtiffFault, type NdtiffContents } from "./ndtiff-contents.js";
import { isNdtiffIndex, isNdtiffStack, maxMetadataBytes, readMetadata, typeBytes } from "./ndtiff-index.js";
import { placesOf } from "./ndtiff-places.js";
import { readStamps, scaleOf, startOf, timesOf, type PlacedImage } from "./ndtiff-times.js";
import { baseName } from "./text.js";
import { seriesNote } from "./time-series.js";

/** Metadata that may be read beyond what the TIFFs can hold without overlap. */
const spareMetadataBytes = 1 << 26;

/** Whether a folder is an NDTiff dataset: it, or its "Full resolution", holds an index or a TIFF of a dataset. */
export async function isNdtiffFolder(folder: FolderSource): Promise<boolean> {
  return (await datasetFolder(folder)) !== null;
}

/** Whether a source is an NDTiff dataset: its folder, or its index named itself. */
export async function isNdtiff(head: Uint8Array, source: Source): Promise<boolean> {
  return isFolder(source) ? isNdtiffFolder(source) : isNdtiffIndex(head);
}

/**
 * Opens an NDTiff dataset, by its folder or its index, as a movie of all its channels, slices and positions.
 *
 * An image that was written again counts once, as it was written last. Within a series (image, channel, slice) frames
 * are in the order of their times, or of their time axis where they have none. An index that is cut, never closed or
 * missing is made good by the directories of the TIFFs. What is in a TIFF that is empty, cut off or not there is left
 * out and told. Times are those of each image's metadata. Throws FormatError where no image can be read.
 */
export async function openNdtiff(source: Source): Promise<MovieFile> {
  const contents = await gatherNdtiff(source);
  try {
    return await asMovie(source, contents);
  } catch (error) {
    await contents.close();
    throw error;
  }
}

/** The dataset that a TIFF belongs to, where it is an NDTiff's; null where it is none or nothing lies beside it. */
export async function ndtiffDataset(source: ByteSource): Promise<Dataset | null> {
  const { beside } = source;
  if (beside === undefined || !isNdtiffStack(await readBytes(source, 0, 16))) return null;
  const folder = await beside();
  if (!(await holdsDataset(folder))) return null;
  const contents = await gatherNdtiff(folder).catch((error: unknown) => {
    if (error instanceof FormatError) return null;
    throw error;
  });
  if (contents === null) return null;
  await contents.close();
  const { files, missing, images } = contents;
  if (!files.includes(baseName(source.name))) return null;
  return { files, missing, frames: images.length, open: async () => openNdtiff(await beside()) };
}

async function asMovie(named: Source, contents: NdtiffContents): Promise<MovieFile> {
  const { images: written, bigEndian, summary } = contents;
  const warnings = [...contents.warnings];
  const { entry: kind } = written[0]!;
  const placed = placesOf(
    written.map(({ entry }) => entry.axes),
    await channelNames(written, summary),
  );
  warnings.push(...placed.warnings);
  const series = seriesOf(placed.places);
  const overlaps = metadataOverlaps(written);
  if (overlaps) warnings.push("the images claim more metadata than their TIFFs hold: their times are not read.");
  const stamps = overlaps ? null : await readStamps(written, series);
  const order = inOrder(placed.places, series, stamps?.stamps_s ?? null);
  const images = order.map((at) => written[at]!);
  const places = order.map((at) => placed.places[at]!);
  const times =
    stamps === null
      ? { time_s: null, timeSource: "missing", warnings: [] }
      : timesOf({ ...stamps, stamps_s: Float64Array.from(order, (at) => stamps.stamps_s[at]!) }, seriesOf(places));
  warnings.push(...times.warnings);
  const gaps = missingTimes(places);
  if (gaps !== null) warnings.push(gaps);
  const colours = kind.pixelType === 2 ? 3 : 1;
  if (colours > 1) {
    warnings.push("frames are in colour, 3 samples a pixel: an analysis needs a grey movie. Export it as grey.");
  }
  const note = seriesNote(places);
  if (note !== null) warnings.push(note);
  const told = await readMetadata(images[0]!.source, images[0]!.entry);
  const { width, height } = kind;
  return {
    name: named.name,
    format: "ndtiff",
    width,
    height,
    frames: images.length,
    dtype: typeBytes(kind.pixelType) === 2 ? "uint16" : "uint8",
    ...(colours > 1 ? { samplesPerPixel: colours } : {}),
    ...(series.length > 1 ? { planes: places } : {}),
    ...(placed.channelNames === undefined ? {} : { channelNames: placed.channelNames }),
    ...(placed.imageNames === undefined ? {} : { imageNames: placed.imageNames }),
    ...scaleOf(told, summary),
    time_s: times.time_s,
    timeSource: times.timeSource,
    frameStamp: "unknown",
    start: startOf(told, summary),
    warnings,
    async read(index: number, into: Samples, signal?: AbortSignal): Promise<void> {
      signal?.throwIfAborted();
      const image = images[index];
      if (image === undefined) throw new RangeError(`frame ${index} of ${images.length}`);
      if (colours > 1 && into.length === width * height) {
        throw ndtiffFault(named, "frames are in colour, 3 samples a pixel. Export the movie as grey.");
      }
      if (into.length !== width * height * colours) {
        throw new RangeError(`an array of ${into.length} for ${width * height * colours}`);
      }
      const target = bytesOf(into);
      const got = await image.source.read(image.entry.pixelOffset, target, signal);
      if (got < target.length) {
        throw new FormatError(
          `${image.source.name}: ends inside frame ${index}, after ${image.source.size} bytes. Copy it again.`,
          {
            path: image.source.name,
            offset: image.entry.pixelOffset,
          },
        );
      }
      if (bigEndian.has(image.source) === machineIsLittle) swapBytes(into);
    },
    close: contents.close,
  };
}

/** Whether images claim so much metadata that it cannot stand in their TIFFs: it would be read for hours. */
function metadataOverlaps(images: readonly PlacedImage[]): boolean {
  const claimed = images.reduce((sum, { entry }) => sum + Math.min(entry.metadataLength, maxMetadataBytes), 0);
  const held = [...new Set(images.map(({ source }) => source))].reduce((sum, { size }) => sum + size, 0);
  return claimed > held + spareMetadataBytes;
}

/** Frames of each series (image, channel, slice), in the order given; the first frame's series first. */
function seriesOf(places: readonly FramePlace[]): number[][] {
  const series = new Map<string, number[]>();
  for (const [frame, { image, channel, slice }] of places.entries()) {
    const key = `${image},${channel},${slice}`;
    const frames = series.get(key);
    if (frames === undefined) series.set(key, [frame]);
    else frames.push(frame);
  }
  return [...series.values()];
}

/** Frames in the order in which they were written, but each series within its places by time. */
function inOrder(
  places: readonly FramePlace[],
  series: readonly (readonly number[])[],
  stamps_s: Float64Array | null,
): number[] {
  const order = Array.from({ length: places.length }, (_, frame) => frame);
  for (const frames of series) {
    const stamped = stamps_s !== null && frames.every((frame) => Number.isFinite(stamps_s[frame]!));
    const moment = (frame: number): number => (stamped ? stamps_s[frame]! : places[frame]!.time);
    const sorted = [...frames].sort((a, b) => moment(a) - moment(b) || a - b);
    for (const [at, frame] of frames.entries()) order[frame] = sorted[at]!;
  }
  return order;
}

/** Names of channels that the index gives by number: those of the dataset, else those of their first images. */
async function channelNames(
  images: readonly PlacedImage[],
  summary: Readonly<Record<string, unknown>> | null,
): Promise<Map<number, string>> {
  const named = new Map<number, string>();
  const declared = summary?.["ChNames"];
  for (const { entry, source } of images) {
    const channel = Object.entries(entry.axes ?? {}).find(([name]) => name.toLowerCase() === "channel")?.[1];
    if (typeof channel !== "number" || named.has(channel) || named.size === maxNames) continue;
    const own: unknown = Array.isArray(declared) ? declared[channel] : (await readMetadata(source, entry))?.["Channel"];
    named.set(channel, typeof own === "string" && own !== "" ? own : `${channel}`);
  }
  const distinct = new Set(named.values()).size === named.size;
  return distinct ? named : new Map();
}

const maxNames = 64;

/** Says which times of the first series have no image; null where none is missing. */
function missingTimes(places: readonly FramePlace[]): string | null {
  const first = seriesOf(places)[0]!.map((frame) => places[frame]!.time);
  const held = new Set(first);
  const most = first.reduce((a, b) => Math.max(a, b), 0);
  const least = first.reduce((a, b) => Math.min(a, b), most);
  const absent: number[] = [];
  for (let time = least; time <= most; time++) if (!held.has(time)) absent.push(time);
  if (absent.length === 0) return null;
  const list = frameList(absent).replace("frame", "time");
  return `no image of ${list} of ${most + 1} is in the dataset.`;
}
