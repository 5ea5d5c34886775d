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
import {
  isNdtiffIndex,
  isNdtiffStack,
  maxMetadataBytes,
  pixelBytes,
  readMetadata,
  readNdtiffHeader,
  readNdtiffIndex,
  typeBytes,
  walkStack,
  type NdtiffEntry,
  type NdtiffIndex,
} from "./ndtiff-index.js";
import { placesOf } from "./ndtiff-places.js";
import { readStamps, scaleOf, startOf, timesOf, type PlacedImage } from "./ndtiff-times.js";
import { baseName } from "./text.js";
import { maxFrames } from "./tiff-index.js";
import { seriesNote } from "./time-series.js";

const indexName = "NDTiff.index";
const fullName = "Full resolution";
const stackName = /NDTiffStack(?:_(\d+))?\.tiff?$/i;
/** TIFFs of one dataset that are held open: 2 TiB. */
const maxFiles = 512;
const maxFrameBytes = 1 << 30;
const maxAxes = 64;
/** Metadata that may be read beyond what the TIFFs can hold without overlap. */
const spareMetadataBytes = 1 << 26;

/** Whether a folder is an NDTiff dataset: it, or its "Full resolution", holds an index or a TIFF of a dataset. */
export async function isNdtiffFolder(folder: FolderSource): Promise<boolean> {
  return (await datasetFolder(folder)) !== null;
}

async function datasetFolder(folder: FolderSource): Promise<FolderSource | null> {
  if (await holdsDataset(folder)) return folder;
  if (!folder.folders.includes(fullName)) return null;
  const full = await folder.openFolder(fullName);
  if (await holdsDataset(full)) return full;
  await full.close();
  return null;
}

async function holdsDataset(folder: FolderSource): Promise<boolean> {
  if (folder.entries.includes(indexName)) return true;
  const stack = folder.entries.find((entry) => stackName.test(entry)) ?? null;
  return (
    stack !== null && (await using(folder, stack, async (source) => isNdtiffStack(await readBytes(source, 0, 16))))
  );
}

async function using<T>(folder: FolderSource, entry: string, work: (source: ByteSource) => Promise<T>): Promise<T> {
  const source = await folder.open(entry);
  try {
    return await work(source);
  } finally {
    await source.close();
  }
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
  const contents = await gather(source);
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
  const contents = await gather(folder).catch((error: unknown) => {
    if (error instanceof FormatError) return null;
    throw error;
  });
  if (contents === null) return null;
  await contents.close();
  const { files, missing, images } = contents;
  if (!files.includes(baseName(source.name))) return null;
  return { files, missing, frames: images.length, open: async () => openNdtiff(await beside()) };
}

/** What a dataset holds: its images of one kind, each once, in the order in which they were written. */
interface Contents {
  readonly images: readonly PlacedImage[];
  /** TIFFs whose numbers have the highest byte first. */
  readonly bigEndian: ReadonlySet<ByteSource>;
  readonly files: readonly string[];
  readonly missing: readonly string[];
  readonly summary: Record<string, unknown> | null;
  readonly warnings: string[];
  close(): Promise<void>;
}

async function gather(named: Source): Promise<Contents> {
  const opened: Source[] = [];
  const close = async (): Promise<void> => {
    for (const source of [...opened, named]) await source.close();
  };
  try {
    const folder = isFolder(named) ? await datasetFolder(named) : await named.beside?.();
    if (folder === null || folder === undefined) {
      throw fault(named, "is the index of an NDTiff dataset without its folder. Name the folder.");
    }
    if (folder !== named) opened.push(folder);
    const warnings: string[] = [];
    const index = await indexOf(named, folder, opened);
    const stacks = await openStacks(named, folder, index, opened, warnings);
    const entries = [...(index?.entries ?? [])];
    const recovered = await recover(stacks, entries);
    sayEnding(index, recovered.length, warnings);
    entries.push(...recovered);
    if (entries.length > maxFrames) throw fault(named, `it claims ${entries.length} frames, more than ${maxFrames}.`);
    const axes = new Set(entries.flatMap((entry) => Object.keys(entry.axes ?? {})));
    if (axes.size > maxAxes)
      throw fault(named, `its images have ${axes.size} axes, more than ${maxAxes}. Export it as OME-TIFF.`);
    const images = usable(named, entries, stacks, warnings);
    return {
      images,
      bigEndian: new Set([...stacks.values()].flatMap(({ source, little }) => (little ? [] : [source]))),
      files: [...stacks.values()].map(({ entry }) => entry),
      missing: [...new Set(entries.map(({ file }) => file))].filter((name) => !stacks.has(name)),
      summary: [...stacks.values()].find(({ summary }) => summary !== null)?.summary ?? null,
      warnings,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function indexOf(named: Source, folder: FolderSource, opened: Source[]): Promise<NdtiffIndex | null> {
  if (!isFolder(named)) return readNdtiffIndex(named);
  if (!folder.entries.includes(indexName)) return null;
  const source = await folder.open(indexName);
  opened.push(source);
  return readNdtiffIndex(source);
}

/** A TIFF of a dataset that is there. */
interface Stack {
  /** Its name in the folder. */
  readonly entry: string;
  readonly source: ByteSource;
  readonly little: boolean;
  readonly header: Awaited<ReturnType<typeof readNdtiffHeader>>;
  readonly summary: Record<string, unknown> | null;
}

/** Opens the TIFFs of a dataset, by the names that its index gives them and those that lie beside. */
async function openStacks(
  named: Source,
  folder: FolderSource,
  index: NdtiffIndex | null,
  opened: Source[],
  warnings: string[],
): Promise<Map<string, Stack>> {
  const wanted = [...new Set(index?.entries.map(({ file }) => file))];
  const others = folder.entries.filter((entry) => stackName.test(entry) && !wanted.includes(entry));
  const stacks = new Map<string, Stack>();
  const add = async (name: string, entry: string): Promise<void> => {
    if (stacks.size === maxFiles) throw fault(named, `has more than ${maxFiles} TIFFs. Analyse them one by one.`);
    const source = await folder.open(entry);
    opened.push(source);
    const header = await readNdtiffHeader(source);
    stacks.set(name, {
      entry,
      source,
      header,
      little: header?.file.littleEndian ?? true,
      summary: header?.summary ?? null,
    });
  };
  for (const name of wanted) {
    if (folder.entries.includes(name)) await add(name, name);
    else {
      // The dataset's files may have been renamed: their number tells which is meant.
      const same = others.filter((entry) => stackName.exec(entry)![1] === stackName.exec(name)?.[1]);
      if (!stackName.test(name) || same.length !== 1) continue;
      warnings.push(`${name} is not there: ${same[0]} is taken for it.`);
      others.splice(others.indexOf(same[0]!), 1);
      await add(name, same[0]!);
    }
  }
  for (const entry of others) {
    const isOne = await using(folder, entry, async (source) => isNdtiffStack(await readBytes(source, 0, 16)));
    if (isOne) await add(entry, entry);
  }
  return stacks;
}

/** Images of the TIFFs beyond those that the index names. */
async function recover(stacks: ReadonlyMap<string, Stack>, entries: readonly NdtiffEntry[]): Promise<NdtiffEntry[]> {
  const known = new Map<string, NdtiffEntry>();
  for (const entry of entries) {
    const last = known.get(entry.file);
    if (last === undefined || entry.pixelOffset > last.pixelOffset) known.set(entry.file, entry);
  }
  const found: NdtiffEntry[] = [];
  for (const [name, { header }] of stacks) {
    if (header === null) continue;
    const last = known.get(name);
    for (const entry of await walkStack(header, name, last === undefined ? [] : [last])) found.push(entry);
  }
  return found;
}

function sayEnding(index: NdtiffIndex | null, recovered: number, warnings: string[]): void {
  const images = recovered === 1 ? "1 image" : `${recovered} images`;
  const beyond =
    recovered === 0
      ? "no image beyond it was found in the TIFFs"
      : `${images} beyond it ${recovered === 1 ? "was" : "were"} found in the TIFFs`;
  if (index === null) {
    warnings.push(`the dataset has no ${indexName}: ${images} ${recovered === 1 ? "was" : "were"} found in the TIFFs.`);
  } else if (index.ending === "cut") {
    warnings.push(
      `the index is cut off inside its entry ${index.entries.length}, at byte ${index.endedAt}: ${beyond}.`,
    );
  } else if (index.ending === "malformed") {
    warnings.push(`entry ${index.entries.length} of the index, at byte ${index.endedAt}, is malformed: ${beyond}.`);
  } else if (index.ending === "open" || recovered > 0) {
    warnings.push(`the index was not closed, the acquisition may have been interrupted: ${beyond}.`);
  }
}

/** The images of the first one's kind whose pixels are there, each once; what is left out is said. */
function usable(
  named: Source,
  entries: readonly NdtiffEntry[],
  stacks: ReadonlyMap<string, Stack>,
  warnings: string[],
): PlacedImage[] {
  const first = entries[0];
  if (first === undefined) throw fault(named, "the NDTiff dataset holds no image. Copy the whole folder again.");
  checkKind(named, first);
  const lost = new Map<string, { count: number; because: string }>();
  const latest = new Map<string, PlacedImage>();
  let others = 0;
  let again = 0;
  for (const entry of entries) {
    if (!sameKind(entry, first)) {
      others++;
      continue;
    }
    const source = stacks.get(entry.file)?.source;
    const because =
      source === undefined
        ? "is not there"
        : source.size === 0
          ? "is empty"
          : entry.pixelOffset + pixelBytes(entry) > source.size
            ? `is cut off after ${source.size} bytes`
            : null;
    if (because !== null || source === undefined) {
      const count = lost.get(entry.file)?.count ?? 0;
      lost.set(entry.file, { count: count + 1, because: because ?? "" });
      continue;
    }
    const key = entry.axes === null ? `${entry.file}\0${entry.pixelOffset}` : keyOf(entry.axes);
    // Deleted first, so that an image that was written again stands where it was written last.
    if (latest.delete(key)) again++;
    latest.set(key, { entry, source });
  }
  const missing = [...lost].map(([file, { count, because }]) => {
    return `${file} ${because}: ${count} of ${entries.length} images are missing`;
  });
  const said = [...missing.slice(0, 8), ...(missing.length > 8 ? [`${missing.length - 8} more TIFFs are so`] : [])];
  if (latest.size === 0) {
    const what = said[0] ?? "no image is whole";
    throw fault(named, `${what}. Copy the whole folder again.`);
  }
  for (const sentence of said) warnings.push(`${sentence}.`);
  if (others > 0) {
    warnings.push(`${others === 1 ? "1 image" : `${others} images`} of another size or type than the first left out.`);
  }
  if (again > 0) {
    const images = again === 1 ? "1 image was" : `${again} images were`;
    warnings.push(`${images} written again under the same axes: the one that was written last is used.`);
  }
  return [...latest.values()];
}

function checkKind(named: Source, { pixelType, pixelCompression, width, height, file }: NdtiffEntry): void {
  if (pixelCompression !== 0) {
    throw fault(
      named,
      `the pixels of ${file} are compressed (kind ${pixelCompression}); 0, bare, is read. Save them uncompressed.`,
    );
  }
  const bytes = typeBytes(pixelType);
  if (bytes === null) throw fault(named, `its pixel type is ${pixelType}; 0 to 6 are known. Export it as OME-TIFF.`);
  if (width < 1 || height < 1 || width * height * bytes > maxFrameBytes) {
    throw fault(named, `its images are ${width} x ${height} px, which no camera takes. Copy the whole folder again.`);
  }
}

function sameKind(a: NdtiffEntry, b: NdtiffEntry): boolean {
  const kind = ({ pixelType }: NdtiffEntry): string => (pixelType === 2 ? "RGB" : `${typeBytes(pixelType)}`);
  return (
    a.width === b.width && a.height === b.height && kind(a) === kind(b) && a.pixelCompression === b.pixelCompression
  );
}

function keyOf(axes: Readonly<Record<string, number | string>>): string {
  const entries = Object.entries(axes);
  return JSON.stringify(entries.length < 2 ? entries : entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function asMovie(named: Source, contents: Contents): Promise<MovieFile> {
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
        throw fault(named, "frames are in colour, 3 samples a pixel. Export the movie as grey.");
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

function fault(named: Source, what: string): FormatError {
  return new FormatError(`${named.name}: ${what}`, { path: named.name });
}
