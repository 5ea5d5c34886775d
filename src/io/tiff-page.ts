/**
 * One page of a TIFF: how its pixels are laid out and where its strips or tiles stand; no pixel is read.
 *
 * Source: TIFF revision 6.0 (Adobe, 1992); the extensions as in libtiff's documentation.
 */
import { maxEntries, tagNumbers, type Directory, type Reader, type TiffFile } from "./tiff-directory.js";

/** How the pixels of a page are laid out. Pages that agree share one record. */
export interface PageLayout {
  readonly width: number;
  readonly height: number;
  /** Images in the page along z, side by side in the same strips or tiles; 1 as a rule. */
  readonly depth: number;
  readonly samplesPerPixel: number;
  readonly bitsPerSample: number;
  readonly sampleFormat: "uint" | "int" | "float" | "complex";
  /** 0 white is zero, 1 black is zero, 2 RGB, 3 palette, others are colours too. */
  readonly photometric: number;
  /** Samples of a pixel stand in planes of their own. */
  readonly separate: boolean;
  readonly compression: number;
  readonly predictor: number;
  /** 1: the first bit of a byte is its highest; 2: its lowest. */
  readonly fillOrder: number;
  /** Kinds of the samples beyond grey or colour: 1, 2 are transparency, 0 is not said. */
  readonly extraSamples: string;
  readonly tiled: boolean;
  /** Size of a tile, or image width x rows of a strip. */
  readonly blockWidth: number;
  readonly blockHeight: number;
  readonly blockDepth: number;
}

/** One page: its directory's place, its layout, and its pixels' place where they lie bare and in one piece. */
export interface TiffPage {
  readonly ifdOffset: number;
  readonly layout: PageLayout;
  /** Offset of the first sample where all lie uncompressed, in order and without a gap; else -1. */
  readonly dataOffset: number;
  /** Whether all its bytes lie inside the file. */
  readonly whole: boolean;
  /** Marked as a smaller version of another page (a thumbnail). */
  readonly reduced: boolean;
  /** Where the values of the tag stand that the index was asked to keep, and their bytes. */
  readonly note?: { readonly at: number; readonly bytes: number };
}

/** Offsets and lengths of the strips or tiles of a page; a length is NaN where the file does not say. */
export interface Blocks {
  readonly offsets: ArrayLike<number>;
  readonly lengths: ArrayLike<number>;
}

const maxBlocks = 1 << 20;
const maxFrameBytes = 1 << 30;

/** Bytes that one compressed byte can become at most, by compression; bounds what a small file may claim. */
const expansion = new Map<number, number>([
  [5, 4096],
  [8, 1040],
  [32946, 1040],
  [32773, 64],
  [50000, 45_000],
]);

/** Compressions whose bytes may be differences: of bare pixels the tag is ignored, since cameras' programs set it there without meaning it. */
const predictedCodecs = new Set([5, 8, 32946, 32773, 50000]);

/** Number of strips or tiles of one plane of samples, all of its depth. */
export function blocksPerPlane(layout: PageLayout): number {
  const across = Math.ceil(layout.width / layout.blockWidth);
  const down = Math.ceil(layout.height / layout.blockHeight);
  return across * down * Math.ceil(layout.depth / layout.blockDepth);
}

/** Bytes of `rows` rows of a block when decoded; rows are padded to whole bytes. */
export function rowBytes(layout: PageLayout): number {
  return Math.ceil((layout.blockWidth * (layout.separate ? 1 : layout.samplesPerPixel) * layout.bitsPerSample) / 8);
}

/** Bytes of a decoded strip or tile; the last strip of a plane may be shorter, a tile never is. */
export function blockBytes(layout: PageLayout, block: number): number {
  if (layout.tiled) return rowBytes(layout) * layout.blockHeight * layout.blockDepth;
  const down = Math.ceil(layout.height / layout.blockHeight);
  return rowBytes(layout) * Math.min(layout.blockHeight, layout.height - (block % down) * layout.blockHeight);
}

/**
 * The page of a directory: null where a part of it lies outside the file, a sentence where it is malformed.
 * A page laid out like the last shares its layout.
 */
export async function readPage(
  file: TiffFile,
  directory: Directory,
  reader: Reader,
  last: PageLayout | null,
): Promise<TiffPage | string | null> {
  const one = async (tag: number): Promise<number | undefined | null> => {
    const numbers = await tagNumbers(file, directory, tag, 1, reader);
    return numbers?.[0] ?? (numbers === null ? null : undefined);
  };
  const several = async (tag: number, fallback: number): Promise<number | string | null> => {
    const numbers = await tagNumbers(file, directory, tag, maxEntries, reader);
    if (numbers === null) return null;
    if (numbers === undefined) return fallback;
    return numbers.every((value) => value === numbers[0])
      ? numbers[0]!
      : `its samples differ in kind (tag ${tag}: ${numbers.slice(0, 8).join(", ")})`;
  };
  const bits = await several(258, 1);
  const format = await several(339, 1);
  if (bits === null || format === null) return null;
  if (typeof bits === "string") return bits;
  if (typeof format === "string") return format;
  const tiled = directory.entries.some(({ tag }) => tag === 322);
  const width = (await one(256)) ?? 0;
  const height = (await one(257)) ?? 0;
  const rows = (await one(278)) ?? height;
  const extra = (await tagNumbers(file, directory, 338, 64, reader)) ?? [];
  const compression = (await one(259)) ?? 1;
  const found: PageLayout = {
    width,
    height,
    depth: (await one(32997)) ?? 1,
    samplesPerPixel: (await one(277)) ?? 1,
    bitsPerSample: bits,
    sampleFormat: sampleFormat(format),
    photometric: (await one(262)) ?? 1,
    separate: (await one(284)) === 2,
    compression,
    predictor: predictedCodecs.has(compression) ? ((await one(317)) ?? 1) : 1,
    fillOrder: (await one(266)) ?? 1,
    extraSamples: extra.join(","),
    tiled,
    blockWidth: tiled ? ((await one(322)) ?? 0) : width,
    blockHeight: tiled ? ((await one(323)) ?? 0) : rows === 0 ? height : Math.min(rows, height),
    blockDepth: tiled ? ((await one(32998)) ?? 1) : 1,
  };
  const fault = layoutFault(found);
  if (fault !== null) return fault;
  const layout = last !== null && sameLayout(last, found) ? last : found;
  const blocks = await blockTable(file, directory, layout, reader);
  if (blocks === null || typeof blocks === "string") return blocks;
  const subfile = await one(254);
  return {
    ifdOffset: directory.offset,
    layout,
    reduced: typeof subfile === "number" && subfile % 2 === 1,
    ...placePixels(layout, blocks, file.source.size),
  };
}

function sampleFormat(code: number): PageLayout["sampleFormat"] {
  if (code === 2) return "int";
  if (code === 3) return "float";
  return code === 5 || code === 6 ? "complex" : "uint";
}

/** A tag may be of a type that holds fractions, and a damaged one be of any. */
function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1;
}

function layoutFault(layout: PageLayout): string | null {
  for (const key of ["width", "height", "depth", "samplesPerPixel", "bitsPerSample"] as const) {
    if (!isCount(layout[key])) return `its ${key} is ${layout[key]}`;
  }
  for (const key of ["blockWidth", "blockHeight", "blockDepth"] as const) {
    if (!isCount(layout[key])) return `its ${layout.tiled ? "tiles have" : "strips have"} a ${key} of ${layout[key]}`;
  }
  if (layout.bitsPerSample > 128) return `it has ${layout.bitsPerSample} bits a sample`;
  const planes = layout.separate ? layout.samplesPerPixel : 1;
  const bytes = blocksPerPlane(layout) * planes * rowBytes(layout) * layout.blockHeight * layout.blockDepth;
  if (bytes > maxFrameBytes) {
    return `it claims ${layout.width} x ${layout.height} px of ${layout.samplesPerPixel} samples, more than 1 GiB`;
  }
  return null;
}

function sameLayout(a: PageLayout, b: PageLayout): boolean {
  for (const key of Object.keys(a) as (keyof PageLayout)[]) if (a[key] !== b[key]) return false;
  return true;
}

/** The strips or tiles of a page: null where their table lies outside the file, a sentence where it is malformed. */
export async function blockTable(
  file: TiffFile,
  directory: Directory,
  layout: PageLayout,
  reader: Reader,
): Promise<Blocks | string | null> {
  const planes = layout.separate ? layout.samplesPerPixel : 1;
  const perPlane = blocksPerPlane(layout);
  const count = perPlane * planes;
  const what = layout.tiled ? "tiles" : "strips";
  if (count > maxBlocks) return `it has ${count} ${what}`;
  const has = (tag: number): boolean => directory.entries.some((entry) => entry.tag === tag);
  const offsets = await tagNumbers(file, directory, layout.tiled && has(324) ? 324 : 273, count, reader);
  if (offsets === null) return null;
  if (offsets === undefined || offsets.length < count) return `it names ${offsets?.length ?? 0} of ${count} ${what}`;
  const lengths = await tagNumbers(file, directory, layout.tiled && has(325) ? 325 : 279, count, reader);
  if (lengths === null) return null;
  const bare = layout.compression === 1;
  if ((lengths === undefined || lengths.length < count) && !bare) {
    return `the lengths of its compressed ${what} are not there`;
  }
  const known = Float64Array.from({ length: count }, (_, block) => lengths?.[block] || Number.NaN);
  let claimed = 0;
  let inside = true;
  for (let block = 0; block < count; block++) {
    const bytes = blockBytes(layout, block % perPlane);
    if (!Number.isSafeInteger(offsets[block]!) || offsets[block]! < 0) {
      return `${what.slice(0, -1)} ${block} is at ${offsets[block]}, which is no offset`;
    }
    claimed += bytes;
    if (offsets[block]! + bytes > file.source.size) inside = false;
    if (bare && known[block]! < bytes) return `${what.slice(0, -1)} ${block} holds ${known[block]} of ${bytes} bytes`;
    if (!bare && Number.isNaN(known[block]!)) return `${what.slice(0, -1)} ${block} is empty`;
  }
  if (!bare) {
    const held = known.reduce((sum, length) => sum + Math.min(length, file.source.size), 0);
    const most = held * (expansion.get(layout.compression) ?? Infinity) + 1024;
    // Blocks may share bytes, but a file whose blocks are many times its size would be read for hours.
    if (held > 16 * file.source.size) return `its ${what} claim ${held} bytes of a file of ${file.source.size}`;
    if (claimed > most) return `it claims ${claimed} bytes of pixels from ${held} compressed ones`;
  }
  if (bare && inside && claimed > file.source.size) return `its ${what} overlap`;
  return { offsets, lengths: known };
}

function placePixels(layout: PageLayout, blocks: Blocks, size: number): { dataOffset: number; whole: boolean } {
  const bare = layout.compression === 1;
  const perPlane = blocksPerPlane(layout);
  const aligned = [8, 16, 32, 64].includes(layout.bitsPerSample) && layout.fillOrder === 1;
  const asImage = layout.blockWidth === layout.width && layout.blockDepth === 1;
  const fullHeight = !layout.tiled || layout.height % layout.blockHeight === 0;
  let inOnePiece = bare && aligned && asImage && fullHeight;
  let whole = true;
  let end = blocks.offsets[0]!;
  for (let block = 0; block < blocks.offsets.length; block++) {
    const offset = blocks.offsets[block]!;
    if (offset !== end) inOnePiece = false;
    end = offset + (bare ? blockBytes(layout, block % perPlane) : blocks.lengths[block]!);
    if (!(end <= size)) whole = false;
  }
  return { dataOffset: inOnePiece ? blocks.offsets[0]! : -1, whole };
}
