/**
 * Label images: one frame in which a pixel's value is the number of its particle, 0 for none, as Cellpose, ilastik,
 * StarDist and Fiji write them.
 *
 * Read from any movie's format with one frame of whole numbers; written as a TIFF of one strip, little-endian 16 bits,
 * ImageJ's description telling it the range to show:
 *
 *     header 8 bytes, directory of 12 tags, description, pixels row by row
 */
import { FormatError } from "../model/errors.js";
import type { MovieFile, Samples } from "../model/movie.js";
import { littleEndianBytes } from "./byte-order.js";
import { frameBuffer } from "./views.js";

/** A label image of more pixels than this is refused. */
export const LABEL_PIXELS = 1 << 26;

/** Labels row by row from the top left, whole numbers of 0 and more. */
export interface LabelImage {
  readonly width: number;
  readonly height: number;
  readonly labels: Samples;
}

/**
 * Reads a movie's only frame as labels. Throws FormatError where it has several frames or colours, is larger than
 * LABEL_PIXELS, or holds a value that is no whole number of 0 and more, naming the pixel.
 */
export async function readLabelImage(movie: MovieFile, signal?: AbortSignal): Promise<LabelImage> {
  const { name, width, height, frames, samplesPerPixel = 1 } = movie;
  const refuse = (what: string): never => {
    throw new FormatError(
      `${name}: ${what}. As outlines, give a label image (one frame, 0 outside, 1, 2, 3 ... in each particle), ` +
        "a region set of Fiji or GeoJSON.",
      { path: name },
    );
  };
  if (frames !== 1) refuse(`holds ${frames} frames, a label image has one`);
  if (samplesPerPixel !== 1) refuse(`is in colour, ${samplesPerPixel} samples a pixel`);
  if (width * height > LABEL_PIXELS) refuse(`has ${width} x ${height} px, more than ${LABEL_PIXELS}`);
  const labels = frameBuffer(movie);
  await movie.read(0, labels, signal);
  for (let at = 0; at < labels.length; at++) {
    const value = labels[at]!;
    if (value >= 0 && Number.isInteger(value) && value <= 0xffff_ffff) continue;
    refuse(`has the value ${value} at x ${at % width}, y ${Math.floor(at / width)}, which is no label`);
  }
  return { width, height, labels };
}

/** Labels as a TIFF of 16 bits. `labels` has width * height entries of 0 to 65535. */
export function encodeLabelImage(labels: Uint16Array, width: number, height: number): Uint8Array {
  let most = 1;
  for (let at = 0; at < labels.length; at++) if (labels[at]! > most) most = labels[at]!;
  const description = new TextEncoder().encode(`ImageJ=1.53t\nimages=1\nmin=0\nmax=${most}\n\0`);
  const [short, long, ascii] = [3, 4, 2];
  const tagCount = 12;
  const text = 8 + 2 + 12 * tagCount + 4;
  const pixels = Math.ceil((text + description.length) / 16) * 16;
  const bytes = new Uint8Array(pixels + 2 * labels.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0x4949, true);
  view.setUint16(2, 42, true);
  view.setUint32(4, 8, true);
  view.setUint16(8, tagCount, true);
  const tags: readonly (readonly [tag: number, type: number, count: number, value: number])[] = [
    [254, long, 1, 0],
    [256, long, 1, width],
    [257, long, 1, height],
    [258, short, 1, 16],
    [259, short, 1, 1],
    [262, short, 1, 1],
    [270, ascii, description.length, text],
    [273, long, 1, pixels],
    [277, short, 1, 1],
    [278, long, 1, height],
    [279, long, 1, 2 * labels.length],
    [339, short, 1, 1],
  ];
  for (const [index, [tag, type, count, value]] of tags.entries()) {
    const at = 10 + 12 * index;
    view.setUint16(at, tag, true);
    view.setUint16(at + 2, type, true);
    view.setUint32(at + 4, count, true);
    view.setUint32(at + 8, value, true);
  }
  bytes.set(description, text);
  bytes.set(littleEndianBytes(labels), pixels);
  return bytes;
}
