/** What an NDTiff dataset holds: its folder, its TIFFs, and its images, each once and of one kind. */
import { FormatError } from "../model/errors.js";
import { isFolder, readBytes, type ByteSource, type FolderSource, type Source } from "./bytes.js";
import {
  isNdtiffStack,
  pixelBytes,
  readNdtiffHeader,
  readNdtiffIndex,
  typeBytes,
  walkStack,
  type NdtiffEntry,
  type NdtiffIndex,
} from "./ndtiff-index.js";
import type { PlacedImage } from "./ndtiff-times.js";
import { maxFrames } from "./tiff-index.js";

const indexName = "NDTiff.index";
const fullName = "Full resolution";
const stackName = /NDTiffStack(?:_(\d+))?\.tiff?$/i;
/** TIFFs of one dataset that are held open: 2 TiB. */
const maxFiles = 512;
const maxFrameBytes = 1 << 30;
const maxAxes = 64;

/** The folder with the index or a TIFF of a dataset: the one given or its "Full resolution"; null where it is none. */
export async function datasetFolder(folder: FolderSource): Promise<FolderSource | null> {
  if (await holdsDataset(folder)) return folder;
  if (!folder.folders.includes(fullName)) return null;
  const full = await folder.openFolder(fullName);
  if (await holdsDataset(full)) return full;
  await full.close();
  return null;
}

/** Whether a folder itself holds an index or a TIFF of a dataset. */
export async function holdsDataset(folder: FolderSource): Promise<boolean> {
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

/** What a dataset holds: its images of one kind, each once, in the order in which they were written. */
export interface NdtiffContents {
  readonly images: readonly PlacedImage[];
  /** TIFFs whose numbers have the highest byte first. */
  readonly bigEndian: ReadonlySet<ByteSource>;
  readonly files: readonly string[];
  readonly missing: readonly string[];
  readonly summary: Record<string, unknown> | null;
  readonly warnings: string[];
  close(): Promise<void>;
}

/**
 * Gathers the images of a dataset, named by its folder or its index: those of the index, then those that the TIFFs hold
 * beyond it. What cannot be used is told in the warnings. Throws FormatError where no image is left. All that is open
 * is closed with it.
 */
export async function gatherNdtiff(named: Source): Promise<NdtiffContents> {
  const opened: Source[] = [];
  const close = async (): Promise<void> => {
    for (const source of [...opened, named]) await source.close();
  };
  try {
    const folder = isFolder(named) ? await datasetFolder(named) : await named.beside?.();
    if (folder === null || folder === undefined) {
      throw ndtiffFault(named, "is the index of an NDTiff dataset without its folder. Name the folder.");
    }
    if (folder !== named) opened.push(folder);
    const warnings: string[] = [];
    const index = await indexOf(named, folder, opened);
    const stacks = await openStacks(named, folder, index, opened, warnings);
    const entries = [...(index?.entries ?? [])];
    const recovered = await recover(stacks, entries);
    sayEnding(index, recovered.length, warnings);
    entries.push(...recovered);
    if (entries.length > maxFrames)
      throw ndtiffFault(named, `it claims ${entries.length} frames, more than ${maxFrames}.`);
    const axes = new Set(entries.flatMap((entry) => Object.keys(entry.axes ?? {})));
    if (axes.size > maxAxes)
      throw ndtiffFault(named, `its images have ${axes.size} axes, more than ${maxAxes}. Export it as OME-TIFF.`);
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
    if (stacks.size === maxFiles) throw ndtiffFault(named, `has more than ${maxFiles} TIFFs. Analyse them one by one.`);
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
  if (first === undefined) throw ndtiffFault(named, "the NDTiff dataset holds no image. Copy the whole folder again.");
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
    throw ndtiffFault(named, `${what}. Copy the whole folder again.`);
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
    throw ndtiffFault(
      named,
      `the pixels of ${file} are compressed (kind ${pixelCompression}); 0, bare, is read. Save them uncompressed.`,
    );
  }
  const bytes = typeBytes(pixelType);
  if (bytes === null)
    throw ndtiffFault(named, `its pixel type is ${pixelType}; 0 to 6 are known. Export it as OME-TIFF.`);
  if (width < 1 || height < 1 || width * height * bytes > maxFrameBytes) {
    throw ndtiffFault(
      named,
      `its images are ${width} x ${height} px, which no camera takes. Copy the whole folder again.`,
    );
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

/** A dataset that cannot be read, in words. */
export function ndtiffFault(named: Source, what: string): FormatError {
  return new FormatError(`${named.name}: ${what}`, { path: named.name });
}
