/**
 * What ImageJ writes into the description of a TIFF's first page: lines `key=value`, the first of them `ImageJ=1.53t`.
 *
 * Pages follow each other channel by channel, then slice by slice, then frame by frame. A stack larger than 4 GiB has
 * one page only, its images without a gap behind the first; `images` then tells how many there are.
 */
import { lengthUnit_um, timeUnit_s } from "./units.js";

/** A description by ImageJ; what it does not say is null, counts are 1. */
export interface ImageJDescription {
  /** Images that the file claims to hold. */
  readonly images: number;
  readonly channels: number;
  readonly slices: number;
  readonly frames: number;
  /** Time between frames. */
  readonly interval_s: number | null;
  /** Micrometres in the unit in which XResolution counts pixels; null where it is none of the sample. */
  readonly unit_um: number | null;
  readonly warnings: readonly string[];
}

/** Reads a description that begins with `ImageJ=`; null for any other. */
export function parseImageJ(text: string): ImageJDescription | null {
  if (!text.startsWith("ImageJ=")) return null;
  const fields = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const at = line.indexOf("=");
    if (at > 0) fields.set(line.slice(0, at).trim(), line.slice(at + 1).trim());
  }
  const warnings: string[] = [];
  const count = (key: string): number => {
    const value = Number(fields.get(key) ?? 1);
    return Number.isInteger(value) && value >= 1 && value <= 1e9 ? value : 1;
  };
  const [channels, slices, frames] = [count("channels"), count("slices"), count("frames")];
  const images = Math.max(count("images"), 1);
  const declared = channels * slices * frames;

  const unit_s = timeUnit_s(fields.get("tunit") ?? "s");
  const finterval = Number(fields.get("finterval") ?? 0);
  const fps = fields.get("fps");
  if (unit_s === null) {
    warnings.push(`ImageJ's time unit "${fields.get("tunit")}" is unknown: its frame interval is not used.`);
  } else if (!(finterval > 0) && fps !== undefined) {
    warnings.push(`ImageJ's fps=${fps} is the rate of playback and says nothing of when frames were taken.`);
  }
  const unit = fields.get("unit");
  return {
    images: fields.has("images") ? images : declared,
    ...(declared === images || !fields.has("images")
      ? { channels, slices, frames }
      : { channels: 1, slices: 1, frames: images }),
    interval_s: unit_s !== null && finterval > 0 && Number.isFinite(finterval) ? finterval * unit_s : null,
    // A stack without a unit of its own has the printer's: 72 dots an inch.
    unit_um: unit === undefined || unit === "cm" ? null : lengthUnit_um(unit),
    warnings,
  };
}
