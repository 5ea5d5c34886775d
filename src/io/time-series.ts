/** Of a file with several images, channels or focus planes, the frames that follow each other in time. */
import { ParameterError } from "../model/errors.js";
import type { FramePlace, MovieFile } from "../model/movie.js";

/** Which series of several is meant, by number counted from 0 or by name; the first frame's where nothing is said. */
export interface SeriesChoice {
  /** Stage position: an image of the file. */
  readonly position?: number | string | null;
  readonly channel?: number | string | null;
  readonly slice?: number | null;
}

const axes = [
  { name: "position", axis: "image" },
  { name: "channel", axis: "channel" },
  { name: "slice", axis: "slice" },
] as const;

/**
 * One image, channel and focus plane of a file that holds several, times counted from its first frame.
 * A movie that is one series already is returned as it is.
 * Throws ParameterError (`position`, `channel`, `slice`) where the file holds no such one, naming those it holds.
 */
export function timeSeries(file: MovieFile, choice: SeriesChoice = {}): MovieFile {
  const planes = file.planes ?? null;
  const wanted = { ...(planes?.[0] ?? { image: 0, channel: 0, slice: 0 }) };
  let chosen = false;
  for (const { name, axis } of axes) {
    const value = choice[name];
    if (value === undefined || value === null) continue;
    wanted[axis] = numberOf(file, name, axis, value);
    chosen = true;
  }
  if (planes === null) return file;
  const kept = [...planes.keys()].filter((frame) => sameSeries(planes[frame]!, wanted));
  if (kept.length === 0) {
    const parts = axes.map(({ name, axis }) => `${name} ${wanted[axis]}`).join(", ");
    throw new ParameterError(`${file.name}: holds no frame of ${parts}. Choose another.`, {
      parameter: axes.find(({ name }) => choice[name] !== undefined && choice[name] !== null)?.name ?? "channel",
      value: choice,
    });
  }
  const series = select(file, kept);
  const { time_s } = series;
  const note = chosen ? seriesNote(planes) : null;
  return {
    ...series,
    time_s: time_s?.map((time) => time - time_s[0]!) ?? null,
    warnings: note === null ? series.warnings : series.warnings.filter((warning) => warning !== note),
  };
}

function numberOf(
  file: MovieFile,
  name: (typeof axes)[number]["name"],
  axis: (typeof axes)[number]["axis"],
  value: number | string,
): number {
  const held = [...new Set(file.planes?.map((place) => place[axis]) ?? [0])].sort((a, b) => a - b);
  const names = name === "position" ? file.imageNames : name === "channel" ? file.channelNames : undefined;
  // A name of digits is a name first: "488" is a channel's wavelength, not its number.
  const named = names?.indexOf(String(value)) ?? -1;
  if (named >= 0 && held.includes(named)) return named;
  const number = typeof value === "number" ? value : /^\d+$/.test(value) ? Number(value) : Number.NaN;
  if (held.includes(number)) return number;
  const list = held.slice(0, 12).map((at) => (names?.[at] === undefined ? `${at}` : `${at} (${names[at]})`));
  const more = held.length > 12 ? ` and ${held.length - 12} more` : "";
  throw new ParameterError(
    `${name} is ${value} but ${file.name} holds ${list.join(", ")}${more}. Give one of these with --${name}.`,
    { parameter: name, value },
  );
}

/** Which series of several `timeSeries` takes, for the warnings of whoever opens the file; null where there is one. */
export function seriesNote(planes: readonly FramePlace[]): string | null {
  const [first] = planes;
  const several = axes.flatMap(({ name, axis }) => {
    const count = new Set(planes.map((place) => place[axis])).size;
    return count > 1 ? [{ name, part: `${name} ${first![axis]} of ${count}` }] : [];
  });
  if (several.length === 0) return null;
  const taken = planes.filter((place) => sameSeries(place, first!)).length;
  const flags = several.map(({ name }) => `--${name}`).join(", ");
  return (
    `the file holds more than one series in time: an analysis takes ${several.map(({ part }) => part).join(", ")}, ` +
    `${taken} of ${planes.length} frames. Choose with ${flags}.`
  );
}

/** Whether two frames are of one image, channel and focus plane. */
export function sameSeries(a: Omit<FramePlace, "time">, b: Omit<FramePlace, "time">): boolean {
  return a.image === b.image && a.channel === b.channel && a.slice === b.slice;
}

/** The file with some of its frames only, in the order given; their times stay as they are. */
export function select(file: MovieFile, kept: readonly number[]): MovieFile {
  const { time_s, planes, incomplete: lacking, ...facts } = file;
  const lost = new Set(lacking);
  const incomplete = [...kept.keys()].filter((frame) => lost.has(kept[frame]!));
  return {
    ...facts,
    ...(incomplete.length === 0 ? {} : { incomplete }),
    frames: kept.length,
    ...(planes === undefined ? {} : { planes: kept.map((frame) => planes[frame]!) }),
    time_s: time_s === null ? null : Float64Array.from(kept, (frame) => time_s[frame]!),
    read: (index, into, signal) => file.read(kept[index] ?? -1, into, signal),
    close: () => file.close(),
  };
}

/** The file without the frames whose pixels are not all in it. */
export function completeFrames(file: MovieFile): MovieFile {
  if (file.incomplete === undefined) return file;
  const lacking = new Set(file.incomplete);
  const kept = Array.from({ length: file.frames }, (_, frame) => frame).filter((frame) => !lacking.has(frame));
  return select(file, kept);
}
