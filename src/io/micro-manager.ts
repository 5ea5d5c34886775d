/**
 * What Micro-Manager adds to a TIFF that it writes: the summary of the acquisition, a map of its images, and the
 * metadata of each image, in the file's byte order.
 *
 *     8   u32 54773648    12  u32 offset of the map of images, 0 where the file was never closed
 *     16  u32 483765892   20  u32 offset of the display settings
 *     24  u32 99384722    28  u32 offset of the comments
 *     32  u32 2355492     36  u32 length of the summary    40  the summary, JSON
 *     map: u32 3453623, u32 count, count x 5 u32: channel, slice, frame, position, offset of the directory (0 ends it)
 *
 * Each page has the JSON of its image as tag 51123. Its `ElapsedTime-ms` counts from the beginning of the acquisition.
 * Sources: the files themselves; micro-manager.org, "Micro-Manager File Formats".
 */
import type { FramePlace } from "../model/movie.js";
import { readBytes, type ByteSource } from "./bytes.js";
import { tiffKind } from "./tiff-directory.js";
import { maxFrames, type TiffIndex } from "./tiff-index.js";

/** A JSON object of which nothing is certain. */
export type Fields = Readonly<Record<string, unknown>>;

/** The header that Micro-Manager writes behind that of the TIFF. */
export interface MicroManagerHeader {
  /** Null where it is no JSON. */
  readonly summary: Fields | null;
  /** Place of each image by the offset of its directory, in the order of the map; null in a file never closed. */
  readonly map: ReadonlyMap<number, FramePlace> | null;
}

/** Tag of the metadata of an image. */
export const noteTag = 51123;

const maxSummaryBytes = 1 << 24;
const maxNoteBytes = 1 << 20;

/** The header of a file that Micro-Manager wrote; null for any other. Summaries of more than 16 MiB are not read. */
export async function microManagerHeader(source: ByteSource): Promise<MicroManagerHeader | null> {
  const head = await readBytes(source, 0, 40);
  const kind = tiffKind(head);
  if (kind === null || kind.big || head.length < 40) return null;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const number = (at: number): number => view.getUint32(at, kind.littleEndian);
  if (number(8) !== 54_773_648 || number(32) !== 2_355_492) return null;
  const length = Math.min(number(36), source.size - 40);
  const summary = length > maxSummaryBytes ? null : parseFields(text(await readBytes(source, 40, length)));
  return { summary, map: await readMap(source, number(12), kind.littleEndian) };
}

async function readMap(
  source: ByteSource,
  offset: number,
  littleEndian: boolean,
): Promise<ReadonlyMap<number, FramePlace> | null> {
  if (offset === 0 || offset + 8 > source.size) return null;
  const head = await readBytes(source, offset, 8);
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const count = view.getUint32(4, littleEndian);
  if (view.getUint32(0, littleEndian) !== 3_453_623 || count > maxFrames || offset + 8 + 20 * count > source.size) {
    return null;
  }
  const bytes = await readBytes(source, offset + 8, 20 * count);
  const entries = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const map = new Map<number, FramePlace>();
  const offsets = new Map<string | number, number>();
  for (let at = 0; at + 20 <= bytes.length; at += 20) {
    const number = (more: number): number => entries.getUint32(at + more, littleEndian);
    const [channel, slice, time, image, directory] = [number(0), number(4), number(8), number(12), number(16)];
    if (directory === 0) break;
    // An image that was taken again replaces the one before.
    const small = channel < 4096 && slice < 4096 && image < 4096 && time < 65_536;
    const key = small
      ? ((time * 4096 + image) * 4096 + slice) * 4096 + channel
      : `${channel},${slice},${time},${image}`;
    const before = offsets.get(key);
    if (before !== undefined) map.delete(before);
    offsets.set(key, directory);
    map.set(directory, { image, channel, slice, time });
  }
  return map.size === 0 ? null : map;
}

/** What the metadata of one image says; NaN or null where it does not. */
export interface ImageNote {
  readonly elapsed_s: number;
  /** When the computer had it, as written: "2019-03-05 14:09:11.123 -0800". */
  readonly received: string | null;
  readonly place: FramePlace | null;
  readonly channel: string | null;
  readonly position: string | null;
  /** Of a pixel in the sample; 0 where nobody calibrated it. Told by the file's first note alone. */
  readonly pixelSize_um: number;
}

/**
 * The metadata of every page whose index kept tag 51123, undefined for a page without; one small read a page.
 * Metadata of more than 1 MiB are not read. Where places are known, as from the map of images, they are not looked for.
 */
export async function readNotes(index: TiffIndex, placed: boolean): Promise<(ImageNote | undefined)[]> {
  const { pages, source } = index;
  const notes: (ImageNote | undefined)[] = [];
  const reader = noteReader(placed);
  const sizeOf = ({ note }: (typeof pages)[number]): number =>
    note === undefined || note.bytes > maxNoteBytes || note.at + note.bytes > source.size ? 0 : note.bytes;
  if (source.readNow !== undefined) {
    const room = new Uint8Array(pages.reduce((most, page) => Math.max(most, sizeOf(page)), 0));
    for (const page of pages) {
      const into = room.subarray(0, sizeOf(page));
      const whole = into.length > 0 && source.readNow(page.note!.at, into) === into.length;
      notes.push(whole ? reader(text(into)) : undefined);
    }
    return notes;
  }
  for (let from = 0; from < pages.length; from += atOnce) {
    const some = pages.slice(from, from + atOnce).map(async (page) => {
      const into = new Uint8Array(sizeOf(page));
      const whole = into.length > 0 && (await source.read(page.note!.at, into)) === into.length;
      return whole ? reader(text(into)) : undefined;
    });
    notes.push(...(await Promise.all(some)));
  }
  return notes;
}

/** Notes asked for at one time, where they are waited for. */
const atOnce = 64;

const receivedNames = ["ReceivedTime", "TimeReceivedByCore", "Time"];

/**
 * Reads one note after another. Values are picked out by their names: a tree of each of 100,000 notes would take
 * seconds. Names that the first note has not are not looked for in the others, but for the time that has elapsed.
 */
export function noteReader(placed: boolean): (json: string) => ImageNote {
  const strings = new Map<string, string>();
  const kept = (value: string | null): string | null => {
    if (value === null) return null;
    const known = strings.get(value);
    if (known !== undefined) return known;
    if (strings.size < 4096) strings.set(value, value);
    return value;
  };
  let names: ReadonlySet<string> | null = null;
  return (json) => {
    const first = names === null;
    names ??= new Set(
      [...receivedNames, "Channel", "PositionName", "PositionIndex", "ChannelIndex", "SliceIndex", "FrameIndex"].filter(
        (name) => valueAt(json, name) >= 0,
      ),
    );
    const has = names;
    const word = (name: string): string | null => (has.has(name) ? valueText(json, name) : null);
    const index = (name: string, other: string): number => numberOf(json, has.has(name) ? name : other);
    const received = receivedNames.find((name) => has.has(name));
    let place: FramePlace | null = null;
    if (!placed) {
      place = {
        image: has.has("PositionIndex") ? Math.max(0, numberOf(json, "PositionIndex")) : 0,
        channel: index("ChannelIndex", "Channel"),
        slice: index("SliceIndex", "Slice"),
        time: index("FrameIndex", "Frame"),
      };
      if (![place.channel, place.slice, place.time, place.image].every((n) => Number.isInteger(n) && n >= 0))
        place = null;
    }
    return {
      elapsed_s: numberOf(json, "ElapsedTime-ms") / 1000,
      received: received === undefined ? null : valueText(json, received),
      place,
      channel: kept(word("Channel")),
      position: kept(word("PositionName")),
      pixelSize_um: first ? numberOf(json, "PixelSizeUm") : Number.NaN,
    };
  };
}

function valueAt(json: string, name: string): number {
  const key = `"${name}"`;
  for (let at = json.indexOf(key); at >= 0; at = json.indexOf(key, at + 1)) {
    let after = at + key.length;
    while (json.charCodeAt(after) <= 32) after++;
    if (json[after] !== ":") continue;
    after++;
    while (json.charCodeAt(after) <= 32) after++;
    return after;
  }
  return -1;
}

/** A number, which may stand in quotes; NaN where there is none. */
function numberOf(json: string, name: string): number {
  const at = valueAt(json, name);
  if (at < 0) return Number.NaN;
  const from = json[at] === '"' ? at + 1 : at;
  const match = /^-?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?/.exec(json.slice(from, from + 32));
  return match === null ? Number.NaN : Number(match[0]);
}

/** The text that a JSON object has under a name; null where it has none, or one that is escaped. */
export function valueText(json: string, name: string): string | null {
  const at = valueAt(json, name);
  if (at < 0 || json[at] !== '"') return null;
  const end = json.indexOf('"', at + 1);
  const inside = end < 0 ? "" : json.slice(at + 1, end);
  return inside === "" || inside.includes("\\") ? null : inside;
}

/** A JSON object; null where the text is none. */
export function parseFields(json: string): Fields | null {
  try {
    const value: unknown = JSON.parse(json.replace(/\0+$/, ""));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : null;
  } catch {
    return null;
  }
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** A civil time as Micro-Manager writes it ("2019-03-05 14:09:11.123 -0800") in ISO 8601; null for any other. */
export function civilTimeOf(written: string): string | null {
  const match = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d{1,3})?)\d*\s*(?:([+-]\d\d):?(\d\d)|(Z))?/.exec(
    written.trim(),
  );
  if (match === null || Number.isNaN(Date.parse(`${match[1]}T${match[2]}Z`))) return null;
  const zone = match[3] === undefined ? (match[5] ?? "") : `${match[3]}:${match[4]}`;
  return `${match[1]}T${match[2]}${zone}`;
}
