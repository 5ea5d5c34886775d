/** A TIFF that OME-XML describes: scale, times, and which page holds which plane. */
import type { FramePlace } from "../model/movie.js";
import { checkStamps, laterCivilTime } from "./frame-times.js";
import { liesIn, type OmePart, type OmeParts } from "./ome-parts.js";
import { placeInOrder, positionInOrder, type OmeDocument, type OmeImage } from "./ome-xml.js";
import { maxFrames, type TiffIndex } from "./tiff-index.js";
import { sameSeries } from "./time-series.js";
import { plain, sayCut, type FramePixels, type Told } from "./tiff-told.js";

/**
 * What a document adds to the frames. They are put in the order of time, then slice, then channel; DeltaT is preferred
 * to TimeIncrement. Where planes and pages do not match, the pages are frames in their own order, without times.
 */
export function tellOme(
  index: TiffIndex,
  bare: readonly FramePixels[],
  { document, parts, own }: OmeParts,
  warnings: string[],
): Told {
  warnings.push(...document.warnings);
  const image = document.images[0];
  if (image === undefined) {
    warnings.push(
      `the metadata is in ${document.companion}, which is not beside it: scale and times are missing. Copy it there.`,
    );
    sayCut(index, bare.length, null, warnings);
    return plain("ome-tiff", bare);
  }
  const { width, height } = index.pages[0]!.layout;
  const scale = scaleOf(image, width, height, warnings);
  const onePlane = bare.every(({ plane }) => plane === bare[0]!.plane);
  const stranger = own === null && parts.length > 1;
  const assigned = onePlane && !stranger ? assignPages(document, own, index.pages.length) : null;
  const start = startOf(image, warnings);
  // Pages beyond the declared ones have no place: someone changed the file and kept its description.
  if (assigned === null || bare.length > assigned.declared) {
    sayCut(index, bare.length, null, warnings);
    warnings.push(
      "the planes of its OME-XML do not match its pages: they are taken as frames in order, without times.",
    );
    return { ...plain("ome-tiff", bare), ...scale, start };
  }
  if (assigned.others > 0) {
    warnings.push(
      `its OME-XML names ${assigned.others} more planes in other files of the set: those of this file are used.`,
    );
  }
  sayCut(index, Math.min(bare.length, assigned.declared), assigned.declared, warnings);
  const placesOfPages = oneAxis(document, assigned.places, warnings);
  const ordered = bare
    .flatMap((frame) => {
      const place = placesOfPages.get(frame.number);
      return place === undefined ? [] : [{ frame, place }];
    })
    .sort(({ place: a }, { place: b }) => byPlace(a, b));
  if (ordered.length === 0) return { ...plain("ome-tiff", bare), ...scale, start };
  const places = ordered.map(({ place }) => place);
  const clock = omeTimes(document, places, warnings);
  return {
    format: "ome-tiff",
    frames: ordered.map(({ frame }) => frame),
    ...placesIfSeveral(places),
    ...namesOf(document),
    ...scale,
    ...clock.times,
    frameStamp: document.frameStamp,
    start: start === null ? null : laterCivilTime(start, clock.first_s),
  };
}

/** The order of frames: image by image, each in time, then by slice, then by channel. */
export function byPlace(a: FramePlace, b: FramePlace): number {
  return a.image - b.image || a.time - b.time || a.slice - b.slice || a.channel - b.channel;
}

/** The places of frames in that order; nothing where they simply follow each other in time. */
export function placesIfSeveral(places: readonly FramePlace[]): Pick<Told, "planes"> {
  const alone = places.every((place, at) => sameSeries(place, places[0]!) && place.time === at);
  return alone ? {} : { planes: places };
}

/** Names of channels, as of the first image, and of images, where the document has any. */
export function namesOf({ images }: OmeDocument): Pick<Told, "channelNames" | "imageNames"> {
  const channels = images[0]!.channelNames;
  return {
    ...(channels.some((name) => name !== null) ? { channelNames: channels.map((name) => name ?? "") } : {}),
    ...(images.some(({ name }) => name !== null) ? { imageNames: images.map(({ name }) => name ?? "") } : {}),
  };
}

/** When the experiment began, as the document dates it. */
export function startOf(image: OmeImage, warnings: string[]): string | null {
  const start = image.date === null ? null : laterCivilTime(image.date, 0);
  if (image.date !== null && start === null) {
    warnings.push(`OME AcquisitionDate "${image.date}" is no date and time: the start is unknown.`);
  }
  return start;
}

/** The pixel size of an image whose frames are of the size that its document gives it. */
export function scaleOf(
  image: OmeImage,
  width: number,
  height: number,
  warnings: string[],
): Pick<Told, "pixelSize_um" | "pixelSizeSource"> {
  const missing = { pixelSize_um: null, pixelSizeSource: "missing" };
  if (image.width !== width || image.height !== height) {
    warnings.push(
      `its OME-XML speaks of ${image.width} x ${image.height} px but frames are ${width} x ${height}: its pixel size is not used.`,
    );
    return missing;
  }
  const { pixelSize_um, pixelHeight_um } = image;
  if (pixelSize_um === null) return missing;
  if (pixelHeight_um !== null && Math.abs(pixelHeight_um / pixelSize_um - 1) > 0.01) {
    warnings.push(`pixels are ${pixelSize_um} um wide but ${pixelHeight_um} um high: the width is used.`);
  }
  return { pixelSize_um, pixelSizeSource: "OME PhysicalSizeX" };
}

/**
 * Which plane each page of one file holds, how many planes the file was to hold, and how many stand in others;
 * null where pages and planes do not match. `part` is the file, null where the document names none.
 */
export function assignPages(
  document: OmeDocument,
  part: OmePart | null,
  pages: number,
): { readonly places: Map<number, FramePlace>; readonly declared: number; readonly others: number } | null {
  const places = new Map<number, FramePlace>();
  const belongs = liesIn(part);
  let [declared, others, next, steps] = [0, 0, 0, 0];
  for (const [number, image] of document.images.entries()) {
    const planes = image.channels * image.slices * image.times;
    const isPlane = ({ channel, slice, time }: { channel: number; slice: number; time: number }): boolean =>
      channel < image.channels && slice < image.slices && time < image.times;
    const stretches = image.pages.filter(belongs);
    for (const one of image.pages) if (!belongs(one)) others += one.count ?? 1;
    if (image.pages.length > 0 && stretches.length === 0) continue;
    const all = stretches.length > 0 ? stretches : [{ page: null, first: placeInOrder(image, 0), count: null }];
    for (const { page, first, count } of all) {
      const from = page ?? next;
      const begin = positionInOrder(image, first);
      const length = Math.min(count ?? (page === null ? planes - begin : 1), planes - begin);
      if (!(from >= 0) || !(length >= 0) || !isPlane(first)) return null;
      declared += length;
      next = from + length;
      for (let step = 0; step < length && from + step < pages; step++) {
        // A document that names the same pages over and over is malformed.
        if (++steps > 2 * maxFrames) return null;
        places.set(from + step, { image: number, ...placeInOrder(image, begin + step) });
      }
    }
  }
  return { places, declared, others };
}

/** A stack along z at one time is taken as one in time. */
export function oneAxis<K>(
  document: OmeDocument,
  places: ReadonlyMap<K, FramePlace>,
  warnings: string[],
): ReadonlyMap<K, FramePlace> {
  const [image] = document.images;
  if (document.images.length !== 1 || image!.times > 1 || image!.slices === 1) return places;
  warnings.push(`${image!.slices} images are declared as slices of one moment: they are taken as frames in time.`);
  return new Map([...places].map(([page, place]) => [page, { ...place, slice: 0, time: place.slice }]));
}

/** When the planes at these places were taken, and what the first one's stamp was. */
export function omeTimes(
  document: OmeDocument,
  places: readonly FramePlace[],
  warnings: string[],
): { times: Pick<Told, "time_s" | "timeSource">; first_s: number } {
  const missing = { times: { time_s: null, timeSource: "missing" }, first_s: 0 };
  const stamps = new Map<string, number>();
  const turned = document.images.length === 1 && document.images[0]!.times === 1;
  for (const [number, image] of document.images.entries()) {
    for (const { channel, slice, time, stamp_s } of image.stamps) {
      stamps.set(turned ? `${number},${channel},0,${slice}` : `${number},${channel},${slice},${time}`, stamp_s);
    }
  }
  const stamps_s = Float64Array.from(places, ({ image, channel, slice, time }) => {
    return stamps.get(`${image},${channel},${slice},${time}`) ?? Number.NaN;
  });
  const series = [...places.keys()].filter((frame) => sameSeries(places[frame]!, places[0]!));
  const checked = checkStamps(
    Float64Array.from(series, (frame) => stamps_s[frame]!),
    "OME DeltaT",
  );
  const interval_s = document.images[0]!.interval_s;
  const nominal =
    interval_s === null ? null : Float64Array.from(places, ({ time }) => (time - places[0]!.time) * interval_s);
  if (stamps.size > 0) warnings.push(...checked.warnings);
  if (checked.sound && series.length > 1) {
    const origin = stamps_s[series[checked.time_s.indexOf(0)]!]!;
    const time_s = stamps_s.map((stamp) => stamp - origin);
    for (const [at, frame] of series.entries()) time_s[frame] = checked.time_s[at]!;
    return { times: { time_s, timeSource: "OME DeltaT" }, first_s: stamps_s[0]! > 0 ? stamps_s[0]! : 0 };
  }
  if (nominal !== null) {
    if (stamps.size > 0) warnings.push("the nominal OME TimeIncrement is used instead.");
    return { times: { time_s: nominal, timeSource: "OME TimeIncrement" }, first_s: 0 };
  }
  const some = checked.time_s.some((time) => time !== 0);
  const complete = !checked.time_s.some((time) => Number.isNaN(time));
  if (stamps.size > 0 && some && complete && series.length > 1) {
    return { times: { time_s: stamps_s.map((stamp) => stamp - stamps_s[0]!), timeSource: "OME DeltaT" }, first_s: 0 };
  }
  return missing;
}
