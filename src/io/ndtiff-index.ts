/**
 * The index of an NDTiff dataset, and the frames that a TIFF of it holds beyond its index.
 *
 *     NDTiff.index, little-endian, entry after entry:
 *         u32 n, n bytes JSON of the axes {"channel":"DAPI","time":0} | u32 m, m bytes name of the TIFF
 *         8 x u32: offset of the pixels, width, height, pixel type, compression of the pixels,
 *                  offset of the metadata (JSON), its length, its compression
 *     an index that was not closed goes on in zeros
 *
 *     *_NDTiffStack.tif: TIFF header, then from byte 8, little-endian
 *         u32 483729, u32 major | major 3: u32 minor | u32 2355492, u32 length, summary metadata (JSON)
 *         then directory, pixels, metadata (tag 51123) of each image
 *
 * Pixel type: 0 8 bit, 1 16 bit, 2 RGB of 8 bit, 3 10 bit, 4 12 bit, 5 14 bit, 6 11 bit; from 3 on in 16 bits.
 * Source: NDTiffStorage's specification (micro-manager/NDTiffStorage, README.md), and files of versions 2.0 to 3.3.
 */
import { readBytes, type ByteSource } from "./bytes.js";
import { readDirectory, tagNumbers, tiffKind, windows, type Reader, type TiffFile } from "./tiff-directory.js";
import { maxFrames } from "./tiff-index.js";

/** One image of a dataset and where it stands. */
export interface NdtiffEntry {
  /** By name of the axis; null where nothing tells. */
  readonly axes: Readonly<Record<string, number | string>> | null;
  /** Name of its TIFF, without path. */
  readonly file: string;
  readonly pixelOffset: number;
  readonly width: number;
  readonly height: number;
  readonly pixelType: number;
  readonly pixelCompression: number;
  readonly metadataOffset: number;
  readonly metadataLength: number;
  readonly metadataCompression: number;
}

/** What an index holds up to where it ends, and why it ends there. */
export interface NdtiffIndex {
  readonly entries: readonly NdtiffEntry[];
  /** "closed" at an entry's end; "open" in zeros, never closed; "cut" inside an entry; "malformed" where one is none. */
  readonly ending: "closed" | "open" | "cut" | "malformed";
  /** Byte at which the entry that could not be read begins. */
  readonly endedAt: number;
}

/** More bytes of index than two million images need. */
export const maxIndexBytes = 1 << 29;
const maxAxesBytes = 1 << 16;
const maxNameBytes = 4096;
/** Bytes of one image's metadata that are looked at; longer ones are passed over. */
export const maxMetadataBytes = 1 << 20;

/** Whether a file begins as an index does: the length of a JSON object, then that object. */
export function isNdtiffIndex(head: Uint8Array): boolean {
  if (head.length < 7) return false;
  const length = new DataView(head.buffer, head.byteOffset).getUint32(0, true);
  return length >= 2 && length <= maxAxesBytes && head[4] === 0x7b && (head[5] === 0x22 || head[5] === 0x7d);
}

/** Whether a file begins as a TIFF of a dataset does. */
export function isNdtiffStack(head: Uint8Array): boolean {
  if (head.length < 16 || tiffKind(head) === null) return false;
  return new DataView(head.buffer, head.byteOffset).getUint32(8, tiffKind(head)!.littleEndian) === mark;
}

const mark = 483729;
const summaryMark = 2355492;

/** Reads the entries of an index, at most two million; one that is longer than 512 MiB counts as malformed there. */
export async function readNdtiffIndex(source: ByteSource): Promise<NdtiffIndex> {
  const bytes = await readBytes(source, 0, Math.min(source.size, maxIndexBytes));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = new TextDecoder();
  const names = new Map<string, string>();
  const entries: NdtiffEntry[] = [];
  let at = 0;
  const end = (ending: NdtiffIndex["ending"]): NdtiffIndex => ({ entries, ending, endedAt: at });
  while (at < bytes.length) {
    if (entries.length === maxFrames) return end("malformed");
    if (at + 4 > bytes.length) return end("cut");
    const axesLength = view.getUint32(at, true);
    if (axesLength === 0) return end("open");
    if (axesLength > maxAxesBytes) return end("malformed");
    const nameAt = at + 4 + axesLength;
    if (nameAt + 4 > bytes.length) return end("cut");
    const nameLength = view.getUint32(nameAt, true);
    if (nameLength === 0 || nameLength > maxNameBytes) return end("malformed");
    const fields = nameAt + 4 + nameLength;
    if (fields + 32 > bytes.length) return end("cut");
    const axes = parseAxes(text.decode(bytes.subarray(at + 4, nameAt)));
    if (axes === null) return end("malformed");
    const name = text.decode(bytes.subarray(nameAt + 4, fields)).replace(/^.*[/\\]/, "");
    if (!names.has(name)) names.set(name, name);
    const field = (number: number): number => view.getUint32(fields + 4 * number, true);
    entries.push({
      axes,
      file: names.get(name)!,
      pixelOffset: field(0),
      width: field(1),
      height: field(2),
      pixelType: field(3),
      pixelCompression: field(4),
      metadataOffset: field(5),
      metadataLength: field(6),
      metadataCompression: field(7),
    });
    at = fields + 32;
  }
  return end("closed");
}

/** Axes by their names; null where the text is no object of integers and texts. */
export function parseAxes(text: string): Record<string, number | string> | null {
  const value = parseJson(text);
  return value === null ? null : axesOf(value);
}

/** The members of an object as axes; null where one is neither a number nor a text. */
export function axesOf(value: Readonly<Record<string, unknown>>): Record<string, number | string> | null {
  const axes: [string, number | string][] = [];
  for (const [name, place] of Object.entries(value)) {
    if (typeof place !== "string" && !(typeof place === "number" && Number.isFinite(place))) return null;
    axes.push([name, place]);
  }
  return Object.fromEntries(axes);
}

/** A JSON object; null where the text is none. */
export function parseJson(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null;
  }
}

/** What the header of a dataset's TIFF says; null where the file is none of a dataset. */
export interface NdtiffHeader {
  readonly file: TiffFile;
  readonly major: number;
  readonly firstDirectory: number;
  readonly summary: Record<string, unknown> | null;
}

/** Reads a TIFF's header and summary metadata; null where it is no TIFF of a dataset. */
export async function readNdtiffHeader(source: ByteSource): Promise<NdtiffHeader | null> {
  const head = await readBytes(source, 0, 28);
  const kind = tiffKind(head);
  if (kind === null || kind.big || !isNdtiffStack(head) || head.length < 28) return null;
  const view = new DataView(head.buffer, head.byteOffset);
  const field = (at: number): number => view.getUint32(at, kind.littleEndian);
  const at = field(16) === summaryMark ? 20 : field(20) === summaryMark ? 24 : null;
  let summary: Record<string, unknown> | null = null;
  if (at !== null && field(at) <= maxMetadataBytes) {
    summary = parseJson(new TextDecoder().decode(await readBytes(source, at + 4, field(at))));
  }
  return { file: { source, ...kind }, major: field(12), firstDirectory: field(4), summary };
}

/**
 * Images that a TIFF holds beyond those of the index: the chain of its directories is followed from the last image
 * that is known (`known`, in this file), else from the file's first directory, to where no image follows.
 * Their axes are those of their own metadata. At most two million.
 */
export async function walkStack(
  header: NdtiffHeader,
  name: string,
  known: readonly NdtiffEntry[],
): Promise<NdtiffEntry[]> {
  const { file } = header;
  const reader = windows(file.source);
  const last = known.reduce<NdtiffEntry | null>(
    (latest, entry) => (latest === null || entry.pixelOffset > latest.pixelOffset ? entry : latest),
    null,
  );
  let offset = last === null ? header.firstDirectory : await directoryAfter(file, last, reader);
  // Images follow each other in the file, so that no chain turns back or names one place over and over.
  let end = last === null ? 8 : last.pixelOffset + pixelBytes(last);
  const found: NdtiffEntry[] = [];
  while (offset >= end && found.length < maxFrames) {
    const read = await imageAt(file, name, offset, reader);
    if (read === null) break;
    const { pixelOffset, metadataOffset, metadataLength } = read.entry;
    const pixelsEnd = pixelOffset + pixelBytes(read.entry);
    if (pixelOffset < offset || (metadataLength > 0 && metadataOffset < pixelsEnd)) break;
    end = Math.max(pixelsEnd, metadataOffset + metadataLength);
    found.push({ ...read.entry, axes: await toldAxes(file.source, read.entry) });
    offset = read.next;
  }
  return found;
}

/** The axes that an image's own metadata tells; null where it tells none. */
async function toldAxes(source: ByteSource, entry: NdtiffEntry): Promise<Record<string, number | string> | null> {
  const axes = (await readMetadata(source, entry))?.["Axes"];
  return typeof axes === "object" && axes !== null ? axesOf({ ...axes }) : null;
}

/** Where the directory that follows a known image stands; 0 where the image is the last. */
async function directoryAfter(file: TiffFile, last: NdtiffEntry, reader: Reader): Promise<number> {
  // A directory lies before its pixels, with its 13 tags and their few values.
  for (const before of [178, 184]) {
    const directory = await readDirectory(file, last.pixelOffset - before, reader);
    if (directory === null || typeof directory === "string") continue;
    const [strip] = (await tagNumbers(file, directory, 273, 1, reader)) ?? [];
    if (strip === last.pixelOffset) return directory.next;
  }
  const end = Math.max(last.pixelOffset + pixelBytes(last), last.metadataOffset + last.metadataLength);
  return end + (end % 2);
}

async function imageAt(
  file: TiffFile,
  name: string,
  offset: number,
  reader: Reader,
): Promise<{ entry: NdtiffEntry; next: number } | null> {
  const directory = await readDirectory(file, offset, reader);
  if (directory === null || typeof directory === "string") return null;
  const one = async (tag: number): Promise<number | null> =>
    (await tagNumbers(file, directory, tag, 1, reader))?.[0] ?? null;
  const [width, height, pixelOffset, bits] = [await one(256), await one(257), await one(273), await one(258)];
  const colour = (await one(277)) === 3;
  if (width === null || height === null || pixelOffset === null || (bits !== 8 && bits !== 16)) return null;
  const metadata = directory.entries.find(({ tag }) => tag === 51123);
  const entry: NdtiffEntry = {
    axes: null,
    file: name,
    pixelOffset,
    width,
    height,
    pixelType: colour ? 2 : bits === 16 ? 1 : 0,
    pixelCompression: ((await one(259)) ?? 1) - 1,
    metadataOffset: metadata?.at ?? 0,
    metadataLength: metadata?.count ?? 0,
    metadataCompression: 0,
  };
  if (!(pixelOffset + pixelBytes(entry) <= file.source.size)) return null;
  return { entry, next: directory.next };
}

/** Bytes of a pixel by its type; null for an unknown one. */
export function typeBytes(pixelType: number): number | null {
  return [1, 2, 3, 2, 2, 2, 2][pixelType] ?? null;
}

/** Bytes of an image's pixels. */
export function pixelBytes({ width, height, pixelType }: NdtiffEntry): number {
  return width * height * (typeBytes(pixelType) ?? 1);
}

/** The text of an image's metadata; null where it is compressed, too long or not in the file. */
export async function metadataText(source: ByteSource, entry: NdtiffEntry): Promise<string | null> {
  const { metadataOffset, metadataLength, metadataCompression } = entry;
  if (metadataCompression !== 0 || metadataLength < 2 || metadataLength > maxMetadataBytes) return null;
  if (metadataOffset + metadataLength > source.size) return null;
  const bytes = await readBytes(source, metadataOffset, metadataLength);
  return bytes.length < metadataLength ? null : new TextDecoder().decode(bytes);
}

/** An image's metadata; null where it has none that can be read. */
export async function readMetadata(source: ByteSource, entry: NdtiffEntry): Promise<Record<string, unknown> | null> {
  const text = await metadataText(source, entry);
  return text === null ? null : parseJson(text.replace(/\0+$/, ""));
}
