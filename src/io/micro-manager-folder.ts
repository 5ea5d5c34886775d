/**
 * What Micro-Manager writes beside images of one file each: metadata.txt, one JSON object of the whole folder.
 *
 *     { "Summary": { "Interval_ms": 1000, "PixelSize_um": 0.1, ... },
 *       version 1   "FrameKey-<frame>-<channel>-<slice>": { "FileName": "img_000000000_Default_000.tif",
 *                                                           "FrameIndex": 0, "ElapsedTime-ms": 503, ... },
 *       version 2   "Coords-Default/img_channel000_position000_time000000000_z000.tif": { "FrameIndex": 0, ... },
 *                   "Metadata-Default/img_channel000_position000_time000000000_z000.tif": { "ElapsedTime-ms": 503, ... } }
 *
 * The file grows with the acquisition, some kilobytes an image, and lacks its last brace where that was interrupted: it
 * is read in stretches, each entry by itself, never as one tree.
 * Sources: micro-manager.org, "Micro-Manager File Formats" and "Metadata".
 */
import type { ByteSource, FolderSource } from "./bytes.js";
import { noteReader, parseFields, valueText, type Fields, type ImageNote } from "./micro-manager.js";
import { baseName } from "./ome-parts.js";
import type { Placed } from "./micro-manager-told.js";

/** Name of the file of metadata. */
export const metadataName = "metadata.txt";

/** Bytes of metadata that are read: those of 100,000 images. */
const maxBytes = 1 << 30;
/** Bytes read at one time, and at most held of one entry. */
const stretchBytes = 1 << 22;

/** Images of single files with their places and notes, and the summary of the acquisition. */
export interface SeparateImages {
  readonly placed: readonly Placed<string>[];
  readonly summary: Fields | null;
}

/**
 * What metadata.txt says of the images of a folder, in the order of their names; null where there is no such file, or
 * where it speaks of none of them. Images that it does not name are told, and make all be taken in that order.
 */
export async function separateImages(
  folder: FolderSource,
  names: readonly string[],
  warnings: string[],
): Promise<SeparateImages | null> {
  if (!folder.entries.includes(metadataName)) return null;
  const source = await folder.open(metadataName);
  try {
    const { notes, summary } = await readEntries(source);
    const known = names.filter((name) => notes.has(name)).length;
    if (known === 0) return null;
    const lost = names.filter((name) => !notes.get(name)?.place).length;
    if (lost > 0) {
      warnings.push(
        `${metadataName} does not place ${lost} of ${names.length} images: all are taken in the order of their names.`,
      );
    }
    const placed = names.map((name, at) => {
      const note = notes.get(name);
      const place = lost > 0 ? { image: 0, channel: 0, slice: 0, time: at } : note!.place!;
      return { frame: name, place, note };
    });
    return { placed, summary };
  } finally {
    await source.close();
  }
}

async function readEntries(
  source: ByteSource,
): Promise<{ readonly notes: ReadonlyMap<string, ImageNote>; readonly summary: Fields | null }> {
  const read = noteReader(false);
  const notes = new Map<string, ImageNote>();
  let summary: Fields | null = null;
  /** The places of an image of version 2 stand before its metadata. */
  let coords: { readonly name: string; readonly text: string } | null = null;
  const take = (key: string, text: string): void => {
    if (key === "Summary") {
      const body = text.slice(text.indexOf("{")).replace(/[\s,]*$/, "");
      // Where it is all that there is, the brace of the whole file stands behind it.
      summary = parseFields(body) ?? parseFields(body.slice(0, -1));
    } else if (key.startsWith("Coords-")) coords = { name: baseName(key.slice(7)), text };
    else if (key.startsWith("Metadata-")) {
      const name = baseName(key.slice(9));
      notes.set(name, read(coords?.name === name ? coords.text + text : text));
    } else {
      const name = valueText(text, "FileName");
      if (name !== null) notes.set(baseName(name), read(text));
    }
  };
  const decoder = new TextDecoder();
  const end = Math.min(source.size, maxBytes);
  let held = "";
  for (let offset = 0; offset < end; offset += stretchBytes) {
    const bytes = new Uint8Array(Math.min(stretchBytes, end - offset));
    const got = await source.read(offset, bytes);
    held += decoder.decode(bytes.subarray(0, got), { stream: true });
    held = takeWhole(held, take);
    if (held.length > stretchBytes) held = "";
  }
  const rest = entryKey.exec(held);
  if (rest !== null) take(rest[1]!, held.slice(rest.index));
  return { notes, summary };
}

/** The name of an entry and the brace behind it. */
const entryKey = /"(Summary|FrameKey-[\d-]+|Coords-[^"]+|Metadata-[^"]+)"\s*:\s*\{/;

/** Gives the entries of a text that are followed by another; returns the text from the last one on. */
function takeWhole(text: string, take: (key: string, text: string) => void): string {
  const every = new RegExp(entryKey, "g");
  let before: { readonly key: string; readonly at: number } | null = null;
  for (let match = every.exec(text); match !== null; match = every.exec(text)) {
    // Some versions repeat the summary inside an entry.
    if (match[1] === "Summary" && before !== null) continue;
    if (before !== null) take(before.key, text.slice(before.at, match.index));
    before = { key: match[1]!, at: match.index };
  }
  return before === null ? text : text.slice(before.at);
}
