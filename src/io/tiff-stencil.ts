/**
 * A directory that repeats the one before but for its offsets, told by its bytes.
 *
 * Cameras write thousands of pages alike: one strip, bare, the same tags. Comparing 200 bytes is ten times as quick as
 * reading every tag anew.
 */
import { wide, type Directory, type Reader, type TiffFile } from "./tiff-directory.js";
import type { TiffPage } from "./tiff-page.js";

/** The bytes of a directory that was understood, and which of them may differ in one like it. */
export interface Stencil {
  readonly bytes: Uint8Array;
  /** Bytes that must be the same: 1, and 0 where a value may differ. */
  readonly fixed: Uint8Array;
  readonly page: TiffPage;
  /** Bytes of the page's pixels. */
  readonly pixelBytes: number;
  /** Where the offset of the only strip stands, whether as u16, u32 or u64. */
  readonly offsetAt: number;
  readonly offsetType: number;
  /** Where the entry stands whose place is noted; -1 for none. */
  readonly noteAt: number;
}

/** Tags that say how pixels are laid out: their values must be the same. */
const layoutTags = new Set([
  254, 256, 257, 258, 259, 262, 266, 277, 278, 279, 284, 317, 322, 323, 325, 338, 339, 32997, 32998,
]);

/** The stencil of a page whose pixels lie bare in one strip and whose layout stands inside its directory; else null. */
export function stencilOf(
  file: TiffFile,
  { page, directory }: { readonly page: TiffPage; readonly directory: Directory },
  note: number | undefined,
): Stencil | null {
  const { entries, raw } = directory;
  if (page.dataOffset < 0 || page.layout.tiled) return null;
  const [entryBytes, room, head] = file.big ? [20, 8, 8] : [12, 4, 2];
  const bytes = raw.slice();
  const fixed = new Uint8Array(bytes.length).fill(1);
  fixed.fill(0, head + entries.length * entryBytes);
  let offsetAt = -1;
  let offsetType = 0;
  let noteAt = -1;
  for (const [index, { tag, type, count, at }] of entries.entries()) {
    const start = head + index * entryBytes;
    const value = start + entryBytes - room;
    if (layoutTags.has(tag)) {
      if (at !== directory.offset + value) return null;
    } else if (tag === 273) {
      if (count !== 1 || at !== directory.offset + value || ![3, 4, 16].includes(type)) return null;
      [offsetAt, offsetType] = [value, type];
      fixed.fill(0, value, value + room);
    } else {
      // The count of a text may differ from page to page.
      fixed.fill(0, start + 4, start + entryBytes);
      if (tag === note && noteAt < 0) noteAt = start;
    }
  }
  const { width, height, depth, samplesPerPixel, bitsPerSample } = page.layout;
  const pixelBytes = (width * height * depth * samplesPerPixel * bitsPerSample) / 8;
  return offsetAt < 0 ? null : { bytes, fixed, page, pixelBytes, offsetAt, offsetType, noteAt };
}

/** The page of a directory that repeats the stencil's, and the next directory's place; null where it does not. */
export async function likeBefore(
  file: TiffFile,
  offset: number,
  stencil: Stencil,
  reader: Reader,
): Promise<{ readonly page: TiffPage; readonly next: number } | null> {
  const { bytes, fixed, page, noteAt } = stencil;
  const view = await reader(offset, bytes.length);
  if (view === null) return null;
  for (let at = 0; at < bytes.length; at++) if (fixed[at] === 1 && view.getUint8(at) !== bytes[at]) return null;
  const long = (at: number): number => (file.big ? wide(view, at, file) : view.getUint32(at, file.littleEndian));
  const little = file.littleEndian;
  const { offsetAt, offsetType } = stencil;
  const dataOffset =
    offsetType === 3
      ? view.getUint16(offsetAt, little)
      : offsetType === 4
        ? view.getUint32(offsetAt, little)
        : long(offsetAt);
  const found = {
    ifdOffset: offset,
    layout: page.layout,
    dataOffset,
    whole: dataOffset + stencil.pixelBytes <= file.source.size,
    reduced: page.reduced,
  };
  const next = long(bytes.length - (file.big ? 8 : 4));
  if (noteAt < 0) return { page: found, next };
  const count = long(noteAt + 4);
  const room = file.big ? 8 : 4;
  const slot = noteAt + (file.big ? 12 : 8);
  return { page: { ...found, note: { at: count <= room ? offset + slot : long(slot), bytes: count } }, next };
}
