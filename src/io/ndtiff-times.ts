/** When an NDTiff's images were taken and how large their pixels are, from the metadata (JSON) of dataset and images. */
import type { ByteSource } from "./bytes.js";
import { civilText, readCivilTime, unixMilliseconds } from "./civil-time.js";
import { checkStamps } from "./frame-times.js";
import { metadataText, parseJson, type NdtiffEntry } from "./ndtiff-index.js";

/** An image with the file that it stands in. */
export interface PlacedImage {
  readonly entry: NdtiffEntry;
  readonly source: ByteSource;
}

/** Stamps of all images by one key of their metadata. */
export interface NdtiffStamps {
  /** Seconds on the key's own clock, one an image, NaN where it has none. */
  readonly stamps_s: Float64Array;
  /** "ElapsedTime-ms", say. */
  readonly key: string;
}

/** Keys that hold an image's time, the ones to be trusted first. */
const elapsedKeys = ["ElapsedTime-ms"];
const civilKeys = ["TimeReceivedByCore", "ReceivedTime"];

/** Metadata of so many images is read before others may have their turn. */
const atOnce = 64;
/** Share of images whose series may contradict a key's stamps before the key is not believed. */
const tolerated = 0.1;

/**
 * Reads the stamps of images from their own metadata: "ElapsedTime-ms" where it rises, else "TimeReceivedByCore", else
 * "ReceivedTime". Every image's metadata is read, once a key, but none that is longer than 1 MiB.
 * Null where no key tells the time of images. `series` groups the images that should rise in time.
 */
export async function readStamps(
  images: readonly PlacedImage[],
  series: readonly (readonly number[])[],
): Promise<NdtiffStamps | null> {
  const several = series.some((frames) => frames.length > 1);
  const looked = await Promise.all(images.slice(0, 8).map(({ source, entry }) => metadataText(source, entry)));
  for (const key of [...elapsedKeys, ...civilKeys]) {
    const told = looked.map((text) => (text === null ? Number.NaN : stampIn(text, key)));
    // A clock that stands still is none.
    if (told.every(Number.isNaN) || (told.length > 2 && new Set(told).size === 1)) continue;
    const stamps_s = new Float64Array(images.length);
    for (let from = 0; from < images.length; from += atOnce) {
      const batch = images.slice(from, from + atOnce);
      const [first, ...rest] = batch;
      const texts = [await metadataText(first!.source, first!.entry), ...rest.map(metadataNow)];
      for (const [at, now] of texts.entries()) {
        const text = now === undefined ? await metadataText(batch[at]!.source, batch[at]!.entry) : now;
        stamps_s[from + at] = text === null ? Number.NaN : stampIn(text, key);
      }
    }
    if (several ? rises(stamps_s, series, key) : stamps_s.every(Number.isFinite) && new Set(stamps_s).size > 1) {
      return { key, stamps_s };
    }
  }
  return null;
}

/** An image's metadata without waiting; undefined where its source cannot. */
function metadataNow({ source, entry }: PlacedImage): string | null | undefined {
  const { metadataOffset, metadataLength, metadataCompression } = entry;
  if (source.readNow === undefined || metadataLength > maxNowBytes) return undefined;
  if (metadataCompression !== 0 || metadataLength < 2) return null;
  const into = room.subarray(0, metadataLength);
  return source.readNow(metadataOffset, into) < metadataLength ? null : decoder.decode(into);
}

// Waiting for a promise costs more than reading a few kilobytes.
const maxNowBytes = 1 << 14;
const room = new Uint8Array(maxNowBytes);
const decoder = new TextDecoder();

function rises(stamps_s: Float64Array, series: readonly (readonly number[])[], key: string): boolean {
  let unsound = 0;
  for (const frames of series) {
    const own = Float64Array.from(frames, (frame) => stamps_s[frame]!).sort();
    if (!strictlyRising(own) && !checkStamps(own, key).sound) unsound += own.length;
  }
  return unsound <= tolerated * stamps_s.length;
}

function strictlyRising(stamps_s: Float64Array): boolean {
  return stamps_s.every((stamp, at) => Number.isFinite(stamp) && (at === 0 || stamp > stamps_s[at - 1]!));
}

/** The time that a key gives in an image's metadata, in seconds; NaN where it gives none. */
function stampIn(text: string, key: string): number {
  const value = valueOf(text, key);
  if (elapsedKeys.includes(key)) {
    const ms = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
    return typeof ms === "number" ? ms / 1000 : Number.NaN;
  }
  return typeof value === "string" ? civilSeconds(value) : Number.NaN;
}

/** The value of a key at the top of a JSON object; parsed whole only where the text has the key more than once. */
function valueOf(text: string, key: string): unknown {
  const quoted = `"${key}"`;
  const at = text.indexOf(quoted);
  if (at < 0) return undefined;
  if (text.indexOf(quoted, at + 1) >= 0) return parseJson(text.replace(/\0+$/, ""))?.[key];
  const match = /^\s*:\s*(?:"([^"\\]{0,64})"|(-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)(?=\s*[,}]))/.exec(
    text.slice(at + quoted.length, at + quoted.length + 96),
  );
  return match === null ? undefined : (match[1] ?? Number(match[2]));
}

/** Seconds of a civil time from 2020 on, to the microsecond, on a clock of its own; NaN where it is none. */
function civilSeconds(text: string): number {
  const match = /^(\S+[T\s]+\d{1,2}:\d\d:\d\d)(?:[.,](\d{1,9}))?\s*(\S*)$/.exec(text.trim());
  if (match === null) return Number.NaN;
  const [, whole, fraction = "0", zone = ""] = match;
  const time = readCivilTime(`${whole}${/\d|^Z$/.test(zone) ? zone : ""}`);
  // Counted from near, so that a double holds the microseconds.
  return time === null ? Number.NaN : (unixMilliseconds(time) - Date.UTC(2020)) / 1000 + Number(`0.${fraction}`);
}

/** Times of frames, in seconds from the first frame of the first series; what is odd in that series is said. */
export function timesOf(
  stamps: NdtiffStamps,
  series: readonly (readonly number[])[],
): { time_s: Float64Array; timeSource: string; warnings: readonly string[] } {
  const { stamps_s } = stamps;
  const timeSource = `NDTiff ${stamps.key}`;
  const warnings: string[] = [];
  const good = stamps_s.slice();
  for (const frames of series) {
    const own = Float64Array.from(frames, (frame) => stamps_s[frame]!);
    if (strictlyRising(own)) continue;
    const checked = checkStamps(own, timeSource);
    for (const [at, frame] of frames.entries()) if (Number.isNaN(checked.time_s[at]!)) good[frame] = Number.NaN;
    if (frames === series[0]) warnings.push(...checked.warnings);
  }
  const origin = good[series[0]?.find((frame) => Number.isFinite(good[frame]!)) ?? 0]!;
  return { time_s: good.map((stamp) => stamp - origin), timeSource, warnings };
}

/** Civil time of the first image, from its own metadata, else that of the dataset; null where neither tells. */
export function startOf(
  image: Readonly<Record<string, unknown>> | null,
  summary: Readonly<Record<string, unknown>> | null,
): string | null {
  const wanted: [Readonly<Record<string, unknown>> | null, string][] = [
    [image, "TimeReceivedByCore"],
    [image, "ReceivedTime"],
    [image, "Time"],
    [summary, "StartTime"],
    [summary, "DateAndTime"],
  ];
  for (const [record, key] of wanted) {
    const text = record?.[key];
    // Micro-Manager leaves a lone dash where the zone would be.
    const time = typeof text === "string" ? readCivilTime(text.replace(/\s+-\s*$/, "")) : null;
    if (time !== null) return civilText(time);
  }
  return null;
}

/** Pixel size from the first image's metadata, else the dataset's; 0 stands for a scale that was never set. */
export function scaleOf(
  image: Readonly<Record<string, unknown>> | null,
  summary: Readonly<Record<string, unknown>> | null,
): { pixelSize_um: number | null; pixelSizeSource: string } {
  for (const record of [image, summary]) {
    for (const key of ["PixelSizeUm", "PixelSize_um"]) {
      const value = Number(record?.[key] ?? Number.NaN);
      if (value > 0 && Number.isFinite(value)) return { pixelSize_um: value, pixelSizeSource: `NDTiff ${key}` };
    }
  }
  return { pixelSize_um: null, pixelSizeSource: "missing" };
}
