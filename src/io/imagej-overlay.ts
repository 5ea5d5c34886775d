/**
 * Regions that ImageJ keeps inside a TIFF: its overlay, and the selection that was active when it was saved.
 *
 *     tag 50838: u32 bytes of the header and of every block
 *     tag 50839: u32 "IJIJ", then for every kind u32 kind, u32 blocks; the blocks one after another
 *
 * in the file's byte order; kinds "over" and "roi " hold regions as in imagej-roi.ts, others are passed over.
 * Source: ij.io.TiffDecoder of ImageJ 1 (public domain).
 */
import { FormatError } from "../model/errors.js";
import { readBytes, type ByteSource } from "./bytes.js";
import { decodeRoi, isRoi, type RoiArea, type RoiOther } from "./imagej-roi.js";
import { ROI_BYTES, ROI_SET_BYTES, ROI_SET_REGIONS } from "./imagej-roi-set.js";
import { readDirectory, tagNumbers, tiffKind, wide, type TiffFile } from "./tiff-directory.js";

const IJIJ = 0x494a494a;
const OVERLAY = 0x6f766572;
const SELECTION = 0x726f6920;

/**
 * The regions inside a TIFF, those of the overlay first; none where it has none or its directory cannot be read.
 * Throws FormatError where they are damaged or more than a set may hold.
 */
export async function readOverlay(source: ByteSource): Promise<(RoiArea | RoiOther)[]> {
  const head = await readBytes(source, 0, 16);
  const kind = tiffKind(head);
  if (kind === null || head.length < 16) return [];
  const file: TiffFile = { source, ...kind };
  const view = new DataView(head.buffer);
  const directory = await readDirectory(file, kind.big ? wide(view, 8, file) : view.getUint32(4, kind.littleEndian));
  if (directory === null || typeof directory === "string") return [];
  const counts = await tagNumbers(file, directory, 50838, ROI_SET_REGIONS + 1000);
  const data = directory.entries.find(({ tag }) => tag === 50839);
  if (counts === undefined || counts === null || data === undefined) return [];

  const refuse = (what: string): never => {
    throw new FormatError(
      `${source.name}: ImageJ's regions inside it ${what} (at byte ${data.at}). Save them as a set.`,
      {
        path: source.name,
        offset: data.at,
      },
    );
  };
  const headerBytes = Math.min(counts[0] ?? 0, 1 << 16);
  const header = await readBytes(source, data.at, headerBytes);
  const words = new DataView(header.buffer, header.byteOffset, header.byteLength);
  if (header.length < 12 || words.getUint32(0, kind.littleEndian) !== IJIJ) return [];
  const found: Record<"overlay" | "selection", (RoiArea | RoiOther)[]> = { overlay: [], selection: [] };
  let at = data.at + counts[0]!;
  let block = 1;
  let left = ROI_SET_BYTES;
  for (let word = 4; word + 8 <= header.length; word += 8) {
    const type = words.getUint32(word, kind.littleEndian);
    const blocks = words.getUint32(word + 4, kind.littleEndian);
    const into = type === OVERLAY ? found.overlay : type === SELECTION ? found.selection : null;
    if (into !== null && blocks > ROI_SET_REGIONS) refuse(`are ${blocks}, more than ${ROI_SET_REGIONS}`);
    for (let index = 0; index < blocks && block < counts.length; index++, block++) {
      const length = counts[block]!;
      if (into !== null) {
        if (length > Math.min(ROI_BYTES, left)) refuse(`claim ${length} bytes for one`);
        const bytes = await readBytes(source, at, length);
        if (bytes.length < length) refuse("are cut off");
        left -= length;
        if (isRoi(bytes)) into.push(decodeRoi(bytes, `${source.name}, region ${into.length}`));
      }
      at += length;
    }
  }
  return found.overlay.length > 0 ? found.overlay : found.selection;
}
