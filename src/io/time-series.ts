/** Of a file with several images, channels or focus planes, the frames that follow each other in time. */
import type { FramePlace, MovieFile } from "../model/movie.js";

/**
 * One image, channel and focus plane of a file that holds several: those of its first frame, times counted from it.
 * A movie that is one series already is returned as it is.
 */
export function timeSeries(file: MovieFile): MovieFile {
  const { planes } = file;
  if (planes === undefined) return file;
  const kept = [...planes.keys()].filter((frame) => sameSeries(planes[frame]!, planes[0]!));
  const series = select(file, kept);
  const { time_s } = series;
  return { ...series, time_s: time_s?.map((time) => time - time_s[0]!) ?? null };
}

/** Which series of several `timeSeries` takes, for the warnings of whoever opens the file; null where there is one. */
export function seriesNote(planes: readonly FramePlace[]): string | null {
  const [first] = planes;
  const parts = (["image", "channel", "slice"] as const).flatMap((axis) => {
    const count = new Set(planes.map((place) => place[axis])).size;
    return count > 1 ? [`${axis} ${first![axis]} of ${count}`] : [];
  });
  if (parts.length === 0) return null;
  const taken = planes.filter((place) => sameSeries(place, first!)).length;
  return `the file holds more than one series in time: an analysis takes ${parts.join(", ")}, ${taken} of ${planes.length} frames.`;
}

/** Whether two frames are of one image, channel and focus plane. */
export function sameSeries(a: FramePlace, b: FramePlace): boolean {
  return a.image === b.image && a.channel === b.channel && a.slice === b.slice;
}

/** The file with some of its frames only, in the order given; their times stay as they are. */
export function select(file: MovieFile, kept: readonly number[]): MovieFile {
  const { time_s, planes } = file;
  return {
    ...file,
    frames: kept.length,
    ...(planes === undefined ? {} : { planes: kept.map((frame) => planes[frame]!) }),
    time_s: time_s === null ? null : Float64Array.from(kept, (frame) => time_s[frame]!),
    read: (index, into, signal) => file.read(kept[index] ?? -1, into, signal),
    close: () => file.close(),
  };
}
