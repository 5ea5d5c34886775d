/** ImageJ's set of regions: a zip archive of .roi files, one a region, as its ROI Manager saves it. */
import { zipSync } from "fflate";
import { FormatError } from "../model/errors.js";
import type { DrawnOutline } from "../model/particle.js";
import type { ByteSource } from "./bytes.js";
import { decodeRoi, encodeRoi, isRoi, type RoiArea, type RoiOther } from "./imagej-roi.js";
import { readZipDirectory, readZipEntry } from "./zip.js";

/** A set of more regions than this is refused. */
export const ROI_SET_REGIONS = 20_000;
/** Most bytes of one region, and of all regions of a set, unpacked. */
export const ROI_BYTES = 16 << 20;
export const ROI_SET_BYTES = 256 << 20;

/**
 * Reads the regions of a set in its order; one without a name of its own has its entry's. Entries that are no regions
 * are passed over. Null where the archive holds no region at all.
 * Throws FormatError where the archive or a region is damaged, or holds more than the limits above.
 */
export async function readRoiSet(source: ByteSource): Promise<(RoiArea | RoiOther)[] | null> {
  const entries = await readZipDirectory(source);
  if (entries === null) return null;
  const named = entries.filter(
    ({ name, isFolder }) => !isFolder && /\.roi$/i.test(name) && !name.startsWith("__MACOSX/"),
  );
  if (named.length > ROI_SET_REGIONS) {
    throw new FormatError(
      `${source.name}: holds ${named.length} regions, more than ${ROI_SET_REGIONS}. Split the set.`,
      {
        path: source.name,
      },
    );
  }
  const regions: (RoiArea | RoiOther)[] = [];
  let left = ROI_SET_BYTES;
  for (const entry of named) {
    const bytes = await readZipEntry(source, entry, Math.min(ROI_BYTES, left));
    left -= bytes.length;
    if (!isRoi(bytes)) continue;
    const region = decodeRoi(bytes, `${source.name}, ${entry.name}`);
    const own = region.name ?? entry.name.replace(/^.*\//, "").replace(/\.roi$/i, "");
    regions.push({ ...region, name: own });
  }
  return regions.length === 0 ? null : regions;
}

/**
 * A set as a zip archive: the same bytes for the same outlines, whenever they are written. Names that are taken get a
 * number behind them, what no file name may hold becomes a hyphen.
 */
export function encodeRoiSet(outlines: readonly DrawnOutline[]): Uint8Array {
  const files: Record<string, Uint8Array> = {};
  for (const [at, outline] of outlines.entries()) {
    const name = outline.name ?? `outline ${at}`;
    const stem = name
      .replaceAll(/[/\\:*?"<>|]/g, "-")
      .replaceAll(/\p{Cc}/gu, "-")
      .slice(0, 200);
    let entry = `${stem}.roi`;
    for (let copy = 2; Object.hasOwn(files, entry); copy++) entry = `${stem}-${copy}.roi`;
    files[entry] = encodeRoi({ ...outline, name });
  }
  return zipSync(files, { mtime: new Date(1980, 0, 1), level: 6 });
}
