/** What Micro-Manager tells of images whose places and notes are known: their order, times, scale and names. */
import type { FramePlace } from "../model/movie.js";
import { checkStamps, laterCivilTime } from "./frame-times.js";
import { civilTimeOf, type Fields, type ImageNote } from "./micro-manager.js";
import { byPlace, placesIfSeveral } from "./ome-tiff.js";
import type { Told } from "./tiff-told.js";
import { sameSeries } from "./time-series.js";

/** A frame, its place, and what its metadata say. */
export interface Placed<F> {
  readonly frame: F;
  readonly place: FramePlace;
  readonly note: ImageNote | undefined;
}

/** Frames in the order of time, and what is told of them; of an image that was taken again the last counts. */
export function tell<F>(
  placed: readonly Placed<F>[],
  summary: Fields | null,
  warnings: string[],
): { readonly ordered: readonly Placed<F>[]; readonly told: Omit<Told, "frames"> } {
  if (summary === null) warnings.push("the summary of the acquisition is no JSON: it is not used.");
  // An image that was taken again replaces the one before.
  const last = new Map(placed.map((one) => [placeKey(one.place), one]));
  const turned = oneMoment([...last.values()], warnings);
  const ordered = [...turned].sort((a, b) => byPlace(a.place, b.place));
  const places = ordered.map(({ place: at }) => at);
  const clock = timesOf(ordered, summary, warnings);
  return {
    ordered,
    told: {
      format: "micro-manager",
      ...placesIfSeveral(places),
      ...names(ordered, summary),
      ...scaleOf(ordered, summary, warnings),
      ...clock,
      frameStamp: "unknown",
      start: startOf(ordered, summary),
    },
  };
}

function placeKey({ image, channel, slice, time }: FramePlace): string {
  return `${image},${channel},${slice},${time}`;
}

/** A focus series at one moment is taken as one in time. */
function oneMoment<F>(placed: readonly Placed<F>[], warnings: string[]): readonly Placed<F>[] {
  const still = placed.every(
    ({ place: at }) => at.time === placed[0]!.place.time && at.image === placed[0]!.place.image,
  );
  const slices = new Set(placed.map(({ place: at }) => at.slice)).size;
  if (!still || slices === 1) return placed;
  warnings.push(`${slices} images are declared as slices of one moment: they are taken as frames in time.`);
  return placed.map((one) => ({ ...one, place: { ...one.place, slice: 0, time: one.place.slice } }));
}

function timesOf<F>(
  ordered: readonly Placed<F>[],
  summary: Fields | null,
  warnings: string[],
): Pick<Told, "time_s" | "timeSource"> {
  const series = [...ordered.keys()].filter((at) => sameSeries(ordered[at]!.place, ordered[0]!.place));
  const clocks = [
    { name: "Micro-Manager ElapsedTime-ms", stamp_s: (note: ImageNote | undefined) => note?.elapsed_s ?? Number.NaN },
    { name: "Micro-Manager ReceivedTime", stamp_s: receivedSeconds },
  ];
  const said: string[] = [];
  for (const { name, stamp_s } of clocks) {
    const stamps_s = Float64Array.from(ordered, ({ note }) => stamp_s(note));
    const own_s = Float64Array.from(series, (at) => stamps_s[at]!);
    const checked = checkStamps(own_s, name);
    if (checked.sound && series.length > 1) {
      warnings.push(...checked.warnings);
      const origin_s = own_s[checked.time_s.indexOf(0)]!;
      const time_s = stamps_s.map((stamp) => stamp - origin_s);
      for (const [at, frame] of series.entries()) time_s[frame] = checked.time_s[at]!;
      return { time_s, timeSource: name };
    }
    if (series.length > 1) said.push(...checked.warnings);
  }
  warnings.push(...said);
  const interval_s = numberIn(summary, "Interval_ms") / 1000;
  if (!(interval_s > 0)) return { time_s: null, timeSource: "missing" };
  if (said.length > 0) warnings.push("the nominal interval of the acquisition is used instead.");
  const first = ordered[0]!.place.time;
  return {
    time_s: Float64Array.from(ordered, ({ place: at }) => (at.time - first) * interval_s),
    timeSource: "Micro-Manager Interval_ms",
  };
}

function receivedSeconds(note: ImageNote | undefined): number {
  const civil = note?.received == null ? null : civilTimeOf(note.received);
  if (civil === null) return Number.NaN;
  return Date.parse(/(?:Z|[+-]\d\d:\d\d)$/.test(civil) ? civil : `${civil}Z`) / 1000;
}

/** The civil time of the first frame: as it was received, else that of the acquisition and the time since. */
function startOf<F>(ordered: readonly Placed<F>[], summary: Fields | null): string | null {
  const note = ordered[0]!.note;
  const received = note?.received == null ? null : civilTimeOf(note.received);
  if (received !== null) return received;
  const written = summary?.["StartTime"] ?? summary?.["Time"];
  const begun = typeof written === "string" ? civilTimeOf(written) : null;
  if (begun === null || note === undefined || Number.isNaN(note.elapsed_s)) return begun;
  return laterCivilTime(begun, note.elapsed_s);
}

function scaleOf<F>(
  ordered: readonly Placed<F>[],
  summary: Fields | null,
  warnings: string[],
): Pick<Told, "pixelSize_um" | "pixelSizeSource"> {
  const said_um = numberIn(summary, "PixelSize_um");
  const noted_um = ordered.find(({ note }) => (note?.pixelSize_um ?? 0) > 0)?.note?.pixelSize_um ?? Number.NaN;
  if (said_um > 0 && noted_um > 0 && Math.abs(noted_um / said_um - 1) > 0.001) {
    warnings.push(`the summary has pixels of ${said_um} um, the first image of ${noted_um} um: the image's are used.`);
    return { pixelSize_um: noted_um, pixelSizeSource: "Micro-Manager PixelSizeUm" };
  }
  if (said_um > 0) return { pixelSize_um: said_um, pixelSizeSource: "Micro-Manager PixelSize_um" };
  if (noted_um > 0) return { pixelSize_um: noted_um, pixelSizeSource: "Micro-Manager PixelSizeUm" };
  return { pixelSize_um: null, pixelSizeSource: "missing" };
}

function names<F>(ordered: readonly Placed<F>[], summary: Fields | null): Pick<Told, "channelNames" | "imageNames"> {
  const channels: string[] = [];
  const images: string[] = [];
  for (const { place: at, note } of ordered) {
    if (note?.channel != null && at.channel < maxNames) channels[at.channel] ??= note.channel;
    if (note?.position != null && at.image < maxNames) images[at.image] ??= note.position;
  }
  for (const [at, name] of textsIn(summary, "ChNames").entries()) channels[at] = name;
  const full = (found: string[]): string[] => Array.from(found, (name) => name ?? "");
  return {
    ...(channels.length > 0 ? { channelNames: full(channels) } : {}),
    ...(images.length > 0 ? { imageNames: full(images) } : {}),
  };
}

const maxNames = 65_536;

/** A number of the summary, which may stand in quotes; NaN where there is none. */
export function numberIn(fields: Fields | null, name: string): number {
  const value = fields?.[name];
  return typeof value === "number" || typeof value === "string" ? Number(value) : Number.NaN;
}

/** A list of texts, which older versions write as one text. */
function textsIn(fields: Fields | null, name: string): string[] {
  let value = fields?.[name];
  if (typeof value === "string" && value.startsWith("[")) {
    try {
      value = JSON.parse(value) as unknown;
    } catch {
      return [];
    }
  }
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === "string").slice(0, maxNames) : [];
}
