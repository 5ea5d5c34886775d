/** A TIFF that ImageJ described: its scale, its interval, and the images that follow without a page of their own. */
import type { FramePlace } from "../model/movie.js";
import type { ImageJDescription } from "./imagej.js";
import type { Directory } from "./tiff-directory.js";
import { maxFrames, type TiffIndex } from "./tiff-index.js";
import { plain, sayCut, type FrameList, type FramePixels, type Told } from "./tiff-told.js";

/** What ImageJ's description adds to the frames; `across` and `down` are the tags XResolution and YResolution. */
export function tellImageJ(
  index: TiffIndex,
  directory: Directory,
  bare: readonly FramePixels[],
  description: ImageJDescription,
  [across, down]: readonly [number | null, number | null],
  warnings: string[],
): Told {
  warnings.push(...description.warnings);
  const frames = contiguousFrames(index, directory, bare, description.images);
  sayCut(index, frames.length, description.images, warnings);
  const places = placesOf(frames.length, description, warnings);
  const { interval_s, unit_um } = description;
  const times = places?.map(({ time }) => time) ?? Array.from({ length: frames.length }, (_, number) => number);
  const sized = unit_um !== null && across !== null && across > 0 && Number.isFinite(across);
  const size_um = sized ? unit_um / across : null;
  if (sized && down !== null && down > 0 && Math.abs(down / across - 1) > 0.01) {
    warnings.push(`pixels are ${size_um} um wide but ${unit_um / down} um high: the width is used.`);
  }
  return {
    ...plain("imagej-tiff", frames),
    ...(places === null ? {} : { planes: places }),
    ...(sized ? { pixelSize_um: size_um, pixelSizeSource: "ImageJ XResolution" } : {}),
    ...(interval_s === null
      ? {}
      : { time_s: Float64Array.from(times, (time) => time * interval_s), timeSource: "ImageJ finterval" }),
  };
}

/**
 * All images of a stack of one page, or of one whose later directories were cut off: they lie behind the first
 * without a gap. The frames as they are where that cannot be.
 */
export function contiguousFrames(
  index: TiffIndex,
  directory: Directory,
  bare: readonly FramePixels[],
  images: number,
): FrameList {
  const [first, second] = index.pages;
  const { layout, dataOffset } = first!;
  if (images <= bare.length || dataOffset < 0 || bare.length !== index.pages.length) return bare;
  const frameBytes = (layout.width * layout.height * layout.samplesPerPixel * layout.bitsPerSample) / 8;
  const follows = second === undefined ? bare.length === 1 : second.dataOffset === dataOffset + frameBytes;
  if (!follows || (second !== undefined && index.ending === null)) return bare;
  // What the directory itself holds is no pixel.
  const behind = [directory.offset, ...directory.entries.map(({ at }) => at)].filter((at) => at > dataOffset);
  const end = behind.reduce((least, at) => Math.min(least, at), index.source.size);
  const held = Math.min(images, maxFrames, Math.floor((end - dataOffset) / frameBytes));
  const { plane } = bare[0]!;
  return {
    length: Math.max(held, bare.length),
    at(number) {
      return { page: { ...first!, dataOffset: dataOffset + number * frameBytes }, number, plane };
    },
  };
}

/** ImageJ's order: channel, slice, frame. Null where all follow in time. */
function placesOf(frames: number, description: ImageJDescription, warnings: string[]): FramePlace[] | null {
  const { channels, slices, frames: times } = description;
  if (frames > description.images) {
    warnings.push(
      `ImageJ's description speaks of ${description.images} images but there are ${frames}: all are taken as frames.`,
    );
    return null;
  }
  if (channels === 1 && slices === 1) return null;
  if (channels === 1 && times === 1) {
    warnings.push(`${slices} images are declared as slices of one moment: they are taken as frames in time.`);
    return null;
  }
  return Array.from({ length: frames }, (_, number) => {
    const channel = number % channels;
    const above = Math.floor(number / channels);
    // A stack along z alone, of several channels, is taken as one in time too.
    const [slice, time] = times === 1 ? [0, above] : [above % slices, Math.floor(above / slices)];
    return { image: 0, channel, slice, time };
  });
}
