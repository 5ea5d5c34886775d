/**
 * The pages of a TIFF: where each image stands in the file and how it is laid out; no pixel is read.
 *
 * Classic TIFF and BigTIFF in both byte orders. A file holds a chain of directories (IFDs), one a page:
 *
 *     classic: u16 count, count x (u16 tag, u16 type, u32 count, 4 bytes value or offset), u32 next
 *     big:     u64 count, count x (u16 tag, u16 type, u64 count, 8 bytes value or offset), u64 next
 *
 * The chain is followed with a memory of where it has been and with limits, so that a file that is cut,
 * growing or malformed ends the walk and never hangs it.
 * Source: TIFF revision 6.0 (Adobe, 1992); BigTIFF and the extensions as in libtiff's documentation.
 */
import type { ByteSource } from "./bytes.js";
import { FormatError } from "../model/errors.js";

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
}

/** A file that is a TIFF, and how its numbers are written. */
export interface TiffFile {
  readonly source: ByteSource;
  readonly littleEndian: boolean;
  readonly big: boolean;
}

/** The pages of a TIFF in the order of its chain. */
export interface TiffIndex extends TiffFile {
  /** At least one. */
  readonly pages: readonly TiffPage[];
  /** Why the chain ended before its end; null where it ended as it should. */
  readonly ending: { readonly kind: "cut" | "loop" | "malformed" | "limit"; readonly because: string } | null;
}

/** The tags of one directory. */
export interface Directory {
  readonly offset: number;
  readonly entries: readonly Entry[];
  readonly next: number;
}

interface Entry {
  readonly tag: number;
  readonly type: number;
  readonly count: number;
  /** Absolute offset of the values. */
  readonly at: number;
}

/** Offsets and lengths of the strips or tiles of a page; a length is NaN where the file does not say. */
export interface Blocks {
  readonly offsets: ArrayLike<number>;
  readonly lengths: ArrayLike<number>;
}

/** More frames than any camera records; what claims more is malformed. */
export const maxFrames = 2_000_000;
const maxEntries = 4096;
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

const typeBytes = new Map<number, number>([
  ...([1, 2, 6, 7] as const).map((type): [number, number] => [type, 1]),
  ...([3, 8] as const).map((type): [number, number] => [type, 2]),
  ...([4, 9, 11, 13] as const).map((type): [number, number] => [type, 4]),
  ...([5, 10, 12, 16, 17, 18] as const).map((type): [number, number] => [type, 8]),
]);

/** Whether a file begins as a TIFF does. */
export function isTiff(head: Uint8Array): boolean {
  return tiffKind(head) !== null;
}

function tiffKind(head: Uint8Array): { littleEndian: boolean; big: boolean } | null {
  const [a, b, c, d] = head;
  if (a === 0x49 && b === 0x49 && (c === 42 || c === 43) && d === 0) return { littleEndian: true, big: c === 43 };
  if (a === 0x4d && b === 0x4d && c === 0 && (d === 42 || d === 43)) return { littleEndian: false, big: d === 43 };
  return null;
}

/**
 * Follows the chain of a TIFF's directories and notes where every page's pixels stand.
 * Throws FormatError where not even the first page can be understood.
 */
export async function indexTiff(source: ByteSource, options: { maxPages?: number } = {}): Promise<TiffIndex> {
  const reader = windows(source);
  const head = await reader(0, Math.min(16, source.size));
  const kind = head === null ? null : tiffKind(bytesOf(head));
  if (head === null || kind === null) throw refusal(source, "does not begin as a TIFF does. Export it as TIFF.", 0);
  const file: TiffFile = { source, ...kind };
  if (head.byteLength < (file.big ? 16 : 8)) throw refusal(source, cutShort("header", source), 0);
  let offset = file.big ? wide(head, 8, file) : head.getUint32(4, file.littleEndian);

  const pages: TiffPage[] = [];
  const seen = new Set<number>();
  const limit = options.maxPages ?? maxFrames;
  let ending: TiffIndex["ending"] = null;
  let layout: PageLayout | null = null;
  while (offset !== 0) {
    if (seen.has(offset)) {
      ending = { kind: "loop", because: `the chain of pages turns back to byte ${offset}` };
      break;
    }
    if (pages.length === limit) {
      ending = { kind: "limit", because: `it has more than ${limit} pages` };
      break;
    }
    seen.add(offset);
    const directory = await readDirectory(file, offset, reader);
    if (directory === null) {
      ending = {
        kind: "cut",
        because: `page ${pages.length}, at byte ${offset}, leaves the file of ${source.size} bytes`,
      };
      break;
    }
    if (typeof directory === "string") {
      ending = { kind: "malformed", because: `page ${pages.length} at byte ${offset} ${directory}` };
      break;
    }
    const page: TiffPage | string | null = await readPage(file, directory, reader, layout);
    if (typeof page === "string") {
      ending = { kind: "malformed", because: `page ${pages.length} at byte ${offset}: ${page}` };
      break;
    }
    if (page === null) {
      ending = {
        kind: "cut",
        because: `page ${pages.length}, at byte ${offset}, leaves the file of ${source.size} bytes`,
      };
      break;
    }
    layout = page.layout;
    pages.push(page);
    offset = directory.next;
  }
  if (pages.length === 0) {
    if (ending === null) throw refusal(source, "has no page. Export it again.", 4);
    const cure = ending.kind === "cut" ? "It is cut off or damaged: copy it again." : "Export it again.";
    throw refusal(source, `${ending.because}. ${cure}`, offset);
  }
  return { ...file, pages, ending };
}

function refusal(source: ByteSource, what: string, offset: number): FormatError {
  return new FormatError(`${source.name}: ${what}`, { path: source.name, offset });
}

function cutShort(part: string, source: ByteSource): string {
  return `ends inside its ${part}, after ${source.size} bytes. Copy it again.`;
}

/**
 * The directory at an offset: null where the file ends before it does, a sentence where it is malformed.
 */
export async function readDirectory(
  file: TiffFile,
  offset: number,
  reader: Reader = windows(file.source),
): Promise<Directory | string | null> {
  const { littleEndian, big } = file;
  const head = await reader(offset, big ? 8 : 2);
  if (head === null) return null;
  const count = big ? wide(head, 0, file) : head.getUint16(0, littleEndian);
  if (count === 0 || count > maxEntries) return `has ${count} tags, 1 to ${maxEntries} are possible`;
  const entryBytes = big ? 20 : 12;
  const first = offset + head.byteLength;
  const view = await reader(first, count * entryBytes + (big ? 8 : 4));
  if (view === null) return null;
  const entries: Entry[] = [];
  for (let index = 0; index < count; index++) {
    const at = index * entryBytes;
    const type = view.getUint16(at + 2, littleEndian);
    const values = big ? wide(view, at + 4, file) : view.getUint32(at + 4, littleEndian);
    const size = (typeBytes.get(type) ?? 0) * values;
    const slot = at + (big ? 12 : 8);
    const pointed = big ? wide(view, slot, file) : view.getUint32(slot, littleEndian);
    const inline = size <= (big ? 8 : 4);
    entries.push({
      tag: view.getUint16(at, littleEndian),
      type,
      count: values,
      at: inline ? first + slot : pointed,
    });
  }
  const next = count * entryBytes;
  return { offset, entries, next: big ? wide(view, next, file) : view.getUint32(next, littleEndian) };
}

/**
 * The first `limit` numbers of a tag: undefined where the tag is absent or not a number,
 * null where they lie outside the file. A rational is a quotient.
 */
export async function tagNumbers(
  file: TiffFile,
  directory: Directory,
  tag: number,
  limit = 1,
  reader: Reader = windows(file.source),
): Promise<number[] | undefined | null> {
  const entry = directory.entries.find((candidate) => candidate.tag === tag);
  const size = entry === undefined ? undefined : typeBytes.get(entry.type);
  if (entry === undefined || size === undefined || entry.type === 2 || entry.count === 0) return undefined;
  const count = Math.min(entry.count, limit);
  const view = await reader(entry.at, count * size);
  if (view === null) return null;
  return Array.from({ length: count }, (_, index) => number(view, index * size, entry.type, file));
}

/** The texts of a tag, one an occurrence, as UTF-8 or else Latin-1; null for one that lies outside the file. */
export async function tagTexts(file: TiffFile, directory: Directory, tag: number): Promise<(string | null)[]> {
  const texts: (string | null)[] = [];
  for (const entry of directory.entries) {
    if (entry.tag !== tag || (entry.type !== 2 && entry.type !== 1 && entry.type !== 7)) continue;
    if (entry.at + entry.count > file.source.size || entry.count > maxTextBytes) {
      texts.push(null);
      continue;
    }
    const bytes = new Uint8Array(entry.count);
    const got = await file.source.read(entry.at, bytes);
    texts.push(got < bytes.length ? null : decodeText(bytes));
  }
  return texts;
}

const maxTextBytes = 1 << 26;

function decodeText(bytes: Uint8Array): string {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  const text = bytes.subarray(0, end);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(text);
  } catch {
    return new TextDecoder("latin1").decode(text);
  }
}

/** Offsets and lengths of a page's strips or tiles, in the file's order; throws FormatError where they are lost. */
export async function readBlocks(file: TiffFile, page: TiffPage): Promise<Blocks> {
  const directory = await readDirectory(file, page.ifdOffset);
  const blocks =
    directory === null || typeof directory === "string"
      ? null
      : await blockTable(file, directory, page.layout, windows(file.source));
  if (blocks === null || typeof blocks === "string") {
    throw refusal(file.source, `the page at byte ${page.ifdOffset} cannot be read a second time.`, page.ifdOffset);
  }
  return blocks;
}

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

async function readPage(
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
  const found: PageLayout = {
    width,
    height,
    depth: (await one(32997)) ?? 1,
    samplesPerPixel: (await one(277)) ?? 1,
    bitsPerSample: bits,
    sampleFormat: sampleFormat(format),
    photometric: (await one(262)) ?? 1,
    separate: (await one(284)) === 2,
    compression: (await one(259)) ?? 1,
    predictor: (await one(317)) ?? 1,
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

function layoutFault(layout: PageLayout): string | null {
  for (const key of ["width", "height", "depth", "samplesPerPixel", "bitsPerSample"] as const) {
    if (!(layout[key] >= 1)) return `its ${key} is ${layout[key]}`;
  }
  for (const key of ["blockWidth", "blockHeight", "blockDepth"] as const) {
    if (!(layout[key] >= 1)) return `its ${layout.tiled ? "tiles have" : "strips have"} a ${key} of ${layout[key]}`;
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

async function blockTable(
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
  for (let block = 0; block < count; block++) {
    const bytes = blockBytes(layout, block % perPlane);
    claimed += bytes;
    if (bare && known[block]! < bytes) return `${what.slice(0, -1)} ${block} holds ${known[block]} of ${bytes} bytes`;
    if (!bare && Number.isNaN(known[block]!)) return `${what.slice(0, -1)} ${block} is empty`;
  }
  if (!bare) {
    const held = known.reduce((sum, length) => sum + Math.min(length, file.source.size), 0);
    const most = held * (expansion.get(layout.compression) ?? Infinity) + 1024;
    if (claimed > most) return `it claims ${claimed} bytes of pixels from ${held} compressed ones`;
  }
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

function number(view: DataView, at: number, type: number, file: TiffFile): number {
  const little = file.littleEndian;
  switch (type) {
    case 3:
      return view.getUint16(at, little);
    case 4:
    case 13:
      return view.getUint32(at, little);
    case 5:
      return view.getUint32(at, little) / view.getUint32(at + 4, little);
    case 6:
      return view.getInt8(at);
    case 8:
      return view.getInt16(at, little);
    case 9:
      return view.getInt32(at, little);
    case 10:
      return view.getInt32(at, little) / view.getInt32(at + 4, little);
    case 11:
      return view.getFloat32(at, little);
    case 12:
      return view.getFloat64(at, little);
    case 16:
    case 18:
      return wide(view, at, file);
    case 17:
      return Number(view.getBigInt64(at, little));
    default:
      return view.getUint8(at);
  }
}

function wide(view: DataView, at: number, file: TiffFile): number {
  return Number(view.getBigUint64(at, file.littleEndian));
}

function bytesOf(view: DataView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

/** A stretch of a file as a view; null where it leaves the file. */
type Reader = (offset: number, length: number) => Promise<DataView | null>;

const firstWindow = 8192;
const largestWindow = 1 << 20;

/**
 * Reads a file through four windows, so that thousands of small reads cost few calls.
 * A read that goes on where a window ends doubles that window; any other opens a small one.
 */
function windows(source: ByteSource): Reader {
  const open: { start: number; bytes: Uint8Array }[] = [];
  return async (offset, length) => {
    if (!(offset >= 0 && offset + length <= source.size)) return null;
    let at = open.findIndex(({ start, bytes }) => offset >= start && offset + length <= start + bytes.length);
    if (at < 0) {
      at = open.findIndex(({ start, bytes }) => offset >= start && offset <= start + bytes.length + 64);
      const ahead = at < 0 ? firstWindow : Math.min(2 * open[at]!.bytes.length, largestWindow);
      if (at >= 0) open.splice(at, 1);
      else if (open.length === 4) open.pop();
      const bytes = new Uint8Array(Math.min(Math.max(length, ahead), source.size - offset));
      const got = await source.read(offset, bytes);
      if (got < length) return null;
      open.unshift({ start: offset, bytes: bytes.subarray(0, got) });
    } else if (at > 0) open.unshift(...open.splice(at, 1));
    const { start, bytes } = open[0]!;
    return new DataView(bytes.buffer, bytes.byteOffset + offset - start, length);
  };
}
