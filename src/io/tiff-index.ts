/**
 * The pages of a TIFF: where each image stands in the file and how it is laid out; no pixel is read.
 *
 * Classic TIFF and BigTIFF in both byte orders. The chain of directories, one a page, is followed with a memory of
 * where it has been and with limits, so that a file that is cut, growing or malformed ends the walk and never hangs it.
 * Source: TIFF revision 6.0 (Adobe, 1992); BigTIFF and the extensions as in libtiff's documentation.
 */
import { FormatError } from "../model/errors.js";
import type { ByteSource } from "./bytes.js";
import {
  readDirectory,
  tiffKind,
  wide,
  windows,
  type Directory,
  type Reader,
  type TiffFile,
} from "./tiff-directory.js";
import { blockTable, readPage, type Blocks, type TiffPage } from "./tiff-page.js";
import { likeBefore, stencilOf, type Stencil } from "./tiff-stencil.js";

/** The pages of a TIFF in the order of its chain. */
export interface TiffIndex extends TiffFile {
  /** At least one. */
  readonly pages: readonly TiffPage[];
  /** Why the chain ended before its end; null where it ended as it should. */
  readonly ending: Ending | null;
}

/** Why a chain ended early: "unwritten" where it leads to zeros, as in a file that its recorder never closed. */
export interface Ending {
  readonly kind: "cut" | "loop" | "malformed" | "limit" | "unwritten";
  readonly because: string;
}

/** More frames than any camera records; what claims more is malformed. */
export const maxFrames = 2_000_000;

/** What is wanted of an index beside the pages of the chain. */
export interface IndexOptions {
  /** Pages at which the walk ends; `maxFrames` where it is not given. */
  readonly maxPages?: number;
  /** Places of the directories, in the order wanted, instead of the chain. */
  readonly offsets?: ArrayLike<number>;
  /** A tag whose place is kept for every page. */
  readonly note?: number;
}

/**
 * Follows the chain of a TIFF's directories and notes where every page's pixels stand.
 *
 * A directory that repeats the last one but for its offsets is not read tag by tag, so a page costs one small read.
 * Throws FormatError where not even the first page can be understood.
 */
export async function indexTiff(source: ByteSource, options: IndexOptions = {}): Promise<TiffIndex> {
  const reader = windows(source);
  const head = await reader(0, Math.min(16, source.size));
  const kind = head === null ? null : tiffKind(new Uint8Array(head.buffer, head.byteOffset, head.byteLength));
  if (head === null || kind === null) throw refusal(source, "does not begin as a TIFF does. Export it as TIFF.", 0);
  const file: TiffFile = { source, ...kind };
  if (head.byteLength < (file.big ? 16 : 8)) throw refusal(source, cutShort("header", source), 0);
  const { offsets } = options;
  let offset = offsets?.[0] ?? (file.big ? wide(head, 8, file) : head.getUint32(4, file.littleEndian));

  const pages: TiffPage[] = [];
  const seen = new Set<number>();
  const limit = options.maxPages ?? maxFrames;
  let ending: Ending | null = null;
  let stencil: Stencil | null = null;
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
    let found: { readonly page: TiffPage; readonly next: number } | string | null =
      stencil === null ? null : await likeBefore(file, offset, stencil, reader);
    if (found === null) {
      const read = await slowly(file, offset, pages.at(-1), options.note, reader);
      if (read !== null && typeof read !== "string") stencil = stencilOf(file, read, options.note);
      found = read;
    }
    if (found === null || typeof found === "string") {
      ending = await whyEnded(found, pages.length, offset, source, reader);
      break;
    }
    pages.push(found.page);
    offset = offsets === undefined ? found.next : (offsets[pages.length] ?? 0);
  }
  if (pages.length === 0) {
    if (ending === null) throw refusal(source, "has no page. Export it again.", 4);
    const cure = ending.kind === "cut" ? "It is cut off or damaged: copy it again." : "Export it again.";
    throw refusal(source, `${ending.because}. ${cure}`, offset);
  }
  return { ...file, pages, ending };
}

async function slowly(
  file: TiffFile,
  offset: number,
  last: TiffPage | undefined,
  note: number | undefined,
  reader: Reader,
): Promise<{ readonly page: TiffPage; readonly directory: Directory; readonly next: number } | string | null> {
  const directory = await readDirectory(file, offset, reader);
  if (directory === null) return null;
  if (typeof directory === "string") return ` ${directory}`;
  const page = await readPage(file, directory, reader, last?.layout ?? null);
  if (page === null) return null;
  if (typeof page === "string") return `: ${page}`;
  const noted = note === undefined ? undefined : directory.entries.find(({ tag }) => tag === note);
  const kept = noted === undefined ? page : { ...page, note: { at: noted.at, bytes: noted.count } };
  return { page: kept, directory, next: directory.next };
}

async function whyEnded(
  found: string | null,
  pages: number,
  offset: number,
  source: ByteSource,
  reader: Reader,
): Promise<Ending> {
  if (found === null) {
    return { kind: "cut", because: `page ${pages}, at byte ${offset}, leaves the file of ${source.size} bytes` };
  }
  const head = await reader(offset, Math.min(64, source.size - offset));
  const zeros =
    head !== null && new Uint8Array(head.buffer, head.byteOffset, head.byteLength).every((byte) => byte === 0);
  if (zeros) return { kind: "unwritten", because: `page ${pages}, at byte ${offset}, was never written` };
  return { kind: "malformed", because: `page ${pages} at byte ${offset}${found}` };
}

function refusal(source: ByteSource, what: string, offset: number): FormatError {
  return new FormatError(`${source.name}: ${what}`, { path: source.name, offset });
}

function cutShort(part: string, source: ByteSource): string {
  return `ends inside its ${part}, after ${source.size} bytes. Copy it again.`;
}

/** Offsets and lengths of a page's strips or tiles, in the file's order; throws FormatError where they are lost. */
export async function readBlocks(file: TiffFile, page: TiffPage): Promise<Blocks> {
  const reader = windows(file.source);
  const directory = await readDirectory(file, page.ifdOffset, reader);
  const blocks =
    directory === null || typeof directory === "string" ? null : await blockTable(file, directory, page.layout, reader);
  if (blocks === null || typeof blocks === "string") {
    throw refusal(file.source, `the page at byte ${page.ifdOffset} cannot be read a second time.`, page.ifdOffset);
  }
  return blocks;
}
