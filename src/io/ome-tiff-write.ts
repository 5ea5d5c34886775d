/**
 * OME-TIFF written frame by frame: little-endian, one strip a frame, classic up to 4 GiB and BigTIFF beyond.
 *
 * Everything but the pixels stands before them, so the file is written from front to back and one that is cut off
 * is still read up to its cut:
 *
 *     header, one directory a frame, OME-XML, frames without a gap
 *
 * OME-XML is of the schema 2016-06; each plane has its DeltaT. Source: docs.openmicroscopy.org/ome-model.
 */
import { ParameterError } from "../model/errors.js";
import type { Dtype, FramePlace, FrameStamp, Samples } from "../model/movie.js";
import { littleEndianBytes } from "./byte-order.js";
import { annotationNamespace } from "./ome-xml.js";

/** Where the bytes go. */
export interface Sink {
  write(bytes: Uint8Array, position: number): Promise<void>;
}

/** A movie to be written. */
export interface OmeTiffMovie {
  readonly width: number;
  readonly height: number;
  readonly dtype: Dtype;
  /** Null where it is unknown: nothing is then written of it. */
  readonly pixelSize_um: number | null;
  /** One entry a frame, seconds from the first, NaN for one without a stamp; null where they are unknown. */
  readonly time_s: ArrayLike<number> | null;
  /** Number of frames, where neither times nor places tell it. */
  readonly frameCount?: number;
  /** One entry a frame where they are of several images, channels or slices. */
  readonly planes?: readonly FramePlace[];
  readonly channelNames?: readonly string[];
  readonly imageNames?: readonly string[];
  /** Civil time of the first frame, ISO 8601; null where there is none. */
  readonly start: string | null;
  readonly frameStamp: FrameStamp;
  /** Each of width * height samples. */
  readonly frames: AsyncIterable<Samples> | Iterable<Samples>;
  readonly sink: Sink;
}

const omeTypes: Record<Dtype, { readonly name: string; readonly bytes: number; readonly format: number }> = {
  uint8: { name: "uint8", bytes: 1, format: 1 },
  int8: { name: "int8", bytes: 1, format: 2 },
  uint16: { name: "uint16", bytes: 2, format: 1 },
  int16: { name: "int16", bytes: 2, format: 2 },
  uint32: { name: "uint32", bytes: 4, format: 1 },
  int32: { name: "int32", bytes: 4, format: 2 },
  float32: { name: "float", bytes: 4, format: 3 },
  float64: { name: "double", bytes: 8, format: 3 },
};

/**
 * Writes the movie to its sink and gives the length of the file in bytes.
 * Throws ParameterError where a size is no positive number, where times do not rise, or where frames do not fit
 * what was said of them.
 */
export async function writeOmeTiff(movie: OmeTiffMovie): Promise<number> {
  checkMovie(movie);
  const frames = framesOf(movie);
  const frameBytes = movie.width * movie.height * omeTypes[movie.dtype].bytes;
  const xml = new TextEncoder().encode(omeXml(movie));
  const classic = layOut(movie, xml.length, false);
  const layout = classic.end <= 0xffffffff ? classic : layOut(movie, xml.length, true);
  const head = new Uint8Array(layout.firstFrame);
  writeHead(head, movie, layout);
  head.set(xml, layout.xml);
  await movie.sink.write(head, 0);

  let written = 0;
  for await (const samples of movie.frames) {
    if (written === frames) throw tooMany(frames);
    if (samples.length !== movie.width * movie.height || samples.byteLength !== frameBytes) {
      throw new ParameterError(
        `frame ${written} has ${samples.length} samples of ${samples.BYTES_PER_ELEMENT} bytes; ` +
          `${movie.width} x ${movie.height} of ${movie.dtype} were announced.`,
        { parameter: "frames", value: samples.length },
      );
    }
    await movie.sink.write(littleEndianBytes(samples), layout.firstFrame + written * frameBytes);
    written++;
  }
  if (written < frames) {
    throw new ParameterError(`${written} frames were given of the ${frames} announced. Give all of them.`, {
      parameter: "frames",
      value: written,
    });
  }
  return layout.end;
}

function checkMovie(movie: OmeTiffMovie): void {
  for (const parameter of ["width", "height"] as const) {
    const value = movie[parameter];
    if (Number.isInteger(value) && value > 0) continue;
    throw new ParameterError(`${parameter} is ${value}. Give a whole number above 0.`, { parameter, value });
  }
  const { pixelSize_um, time_s, planes } = movie;
  if (pixelSize_um !== null && !(pixelSize_um > 0 && Number.isFinite(pixelSize_um))) {
    throw new ParameterError(`pixelSize_um is ${pixelSize_um}. Give a number above 0, or null.`, {
      parameter: "pixelSize_um",
      value: pixelSize_um,
    });
  }
  const frames = framesOf(movie);
  for (const [parameter, list] of [
    ["time_s", time_s],
    ["planes", planes ?? null],
  ] as const) {
    if (list === null || list.length === frames) continue;
    throw new ParameterError(`${parameter} has ${list.length} entries for ${frames} frames. Give one for each.`, {
      parameter,
      value: list.length,
    });
  }
  if (time_s !== null) checkTimes(time_s, planes !== undefined);
}

/** Times rise; those of several series are in each other's way and only have to be numbers. */
function checkTimes(time_s: ArrayLike<number>, several: boolean): void {
  let before = -Infinity;
  for (let frame = 0; frame < time_s.length; frame++) {
    const time = time_s[frame]!;
    if (Number.isNaN(time)) continue;
    if (Number.isFinite(time) && (several || time > before)) {
      before = time;
      continue;
    }
    throw new ParameterError(`time_s of frame ${frame} is ${time}. Give times that rise.`, {
      parameter: "time_s",
      value: time,
    });
  }
}

function framesOf({ time_s, planes, frameCount }: OmeTiffMovie): number {
  const frames = frameCount ?? time_s?.length ?? planes?.length ?? 0;
  if (Number.isInteger(frames) && frames > 0) return frames;
  throw new ParameterError(`there are ${frames} frames. Give at least one, with its time or place.`, {
    parameter: "time_s",
    value: frames,
  });
}

function tooMany(frames: number): ParameterError {
  return new ParameterError(`more frames than the ${frames} announced were given. Announce them all.`, {
    parameter: "frames",
    value: frames + 1,
  });
}

interface FileLayout {
  readonly big: boolean;
  /** Offset of the first directory; the others follow at `firstBytes`, then every `otherBytes`. */
  readonly directories: number;
  readonly firstBytes: number;
  readonly otherBytes: number;
  readonly xml: number;
  readonly xmlBytes: number;
  readonly firstFrame: number;
  readonly end: number;
}

const tagsOfAll = 11;

function layOut(movie: OmeTiffMovie, xmlBytes: number, big: boolean): FileLayout {
  const frames = framesOf(movie);
  const bytes = (tags: number): number => (big ? 8 + 20 * tags + 8 : 2 + 12 * tags + 4);
  const directories = big ? 16 : 8;
  // The first directory has the description more.
  const firstBytes = bytes(tagsOfAll + 1);
  const otherBytes = bytes(tagsOfAll);
  const xml = directories + firstBytes + (frames - 1) * otherBytes;
  // Pixels begin at a multiple of 16, so that they can be mapped into memory.
  const firstFrame = Math.ceil((xml + xmlBytes + 1) / 16) * 16;
  const frameBytes = movie.width * movie.height * omeTypes[movie.dtype].bytes;
  return { big, directories, firstBytes, otherBytes, xml, xmlBytes, firstFrame, end: firstFrame + frames * frameBytes };
}

function writeHead(head: Uint8Array, movie: OmeTiffMovie, layout: FileLayout): void {
  const { big } = layout;
  const view = new DataView(head.buffer);
  const type = omeTypes[movie.dtype];
  const frames = framesOf(movie);
  const frameBytes = movie.width * movie.height * type.bytes;
  const put = (at: number, value: number): void => {
    if (big) view.setBigUint64(at, BigInt(value), true);
    else view.setUint32(at, value, true);
  };
  view.setUint16(0, 0x4949, true);
  view.setUint16(2, big ? 43 : 42, true);
  if (big) view.setUint16(4, 8, true);
  put(big ? 8 : 4, layout.directories);

  let at = layout.directories;
  const [short, long, ascii] = [3, big ? 16 : 4, 2];
  for (let frame = 0; frame < frames; frame++) {
    const tags: (readonly [tag: number, type: number, value: number])[] = [
      [254, 4, 0],
      [256, 4, movie.width],
      [257, 4, movie.height],
      [258, short, type.bytes * 8],
      [259, short, 1],
      [262, short, 1],
      ...(frame === 0 ? [[270, ascii, layout.xml] as const] : []),
      [273, long, layout.firstFrame + frame * frameBytes],
      [277, short, 1],
      [278, 4, movie.height],
      [279, long, frameBytes],
      [339, short, type.format],
    ];
    if (big) view.setBigUint64(at, BigInt(tags.length), true);
    else view.setUint16(at, tags.length, true);
    at += big ? 8 : 2;
    for (const [tag, kind, value] of tags) {
      view.setUint16(at, tag, true);
      view.setUint16(at + 2, kind, true);
      put(at + 4, kind === ascii ? layout.xmlBytes + 1 : 1);
      put(at + (big ? 12 : 8), value);
      at += big ? 20 : 12;
    }
    put(at, frame === frames - 1 ? 0 : at + (big ? 8 : 4));
    at += big ? 8 : 4;
  }
}

const schema = "http://www.openmicroscopy.org/Schemas/OME/2016-06";

function omeXml(movie: OmeTiffMovie): string {
  const { frameStamp } = movie;
  const frames = framesOf(movie);
  const planes =
    movie.planes ?? Array.from({ length: frames }, (_, time) => ({ image: 0, channel: 0, slice: 0, time }));
  const images = [...new Set(planes.map(({ image }) => image))].sort((a, b) => a - b);
  const told = frameStamp !== "unknown";
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<OME xmlns="${schema}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="${schema} ${schema}/ome.xsd" Creator="ionoscope">`,
    ...images.flatMap((image, number) => imageXml(movie, planes, image, number, told)),
    ...(told
      ? [
          `<StructuredAnnotations><MapAnnotation ID="Annotation:0" Namespace="${annotationNamespace}"><Value><M K="frameStamp">${frameStamp}</M></Value></MapAnnotation></StructuredAnnotations>`,
        ]
      : []),
    "</OME>",
  ];
  return lines.join("\n");
}

function imageXml(
  { width, height, dtype, pixelSize_um, time_s, start, planes: given, channelNames, imageNames }: OmeTiffMovie,
  planes: readonly FramePlace[],
  image: number,
  number: number,
  told: boolean,
): string[] {
  const own = [...planes.entries()].filter(([, place]) => place.image === image);
  const size = (axis: "slice" | "channel" | "time"): number => Math.max(...own.map(([, place]) => place[axis])) + 1;
  const scale =
    pixelSize_um === null
      ? ""
      : ` PhysicalSizeX="${pixelSize_um}" PhysicalSizeXUnit="µm" PhysicalSizeY="${pixelSize_um}" PhysicalSizeYUnit="µm"`;
  const places =
    given === undefined
      ? [`<TiffData IFD="0" FirstZ="0" FirstC="0" FirstT="0" PlaneCount="${planes.length}"/>`]
      : own.map(
          ([frame, { slice, channel, time }]) =>
            `<TiffData IFD="${frame}" FirstZ="${slice}" FirstC="${channel}" FirstT="${time}" PlaneCount="1"/>`,
        );
  const stamps = own.flatMap(([frame, { slice, channel, time }]) => {
    const stamp_s = time_s?.[frame] ?? Number.NaN;
    if (Number.isNaN(stamp_s)) return [];
    return [`<Plane TheZ="${slice}" TheC="${channel}" TheT="${time}" DeltaT="${stamp_s}" DeltaTUnit="s"/>`];
  });
  return [
    `<Image ID="Image:${number}" Name="${escape(imageNames?.[image] ?? "movie")}">`,
    ...(start === null ? [] : [`<AcquisitionDate>${escape(start)}</AcquisitionDate>`]),
    `<Pixels ID="Pixels:${number}" DimensionOrder="XYZCT" Type="${omeTypes[dtype].name}" SizeX="${width}" SizeY="${height}" SizeZ="${size("slice")}" SizeC="${size("channel")}" SizeT="${size("time")}" BigEndian="false"${scale}>`,
    ...Array.from({ length: size("channel") }, (_, channel) => {
      const name = channelNames?.[channel];
      return `<Channel ID="Channel:${number}:${channel}"${name === undefined ? "" : ` Name="${escape(name)}"`} SamplesPerPixel="1"/>`;
    }),
    ...places,
    ...stamps,
    "</Pixels>",
    ...(told ? ['<AnnotationRef ID="Annotation:0"/>'] : []),
    "</Image>",
  ];
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
