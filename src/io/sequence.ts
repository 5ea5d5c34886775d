/** Movies of one experiment that follow each other (a recording chopped into files) as one movie on one clock. */
import { FormatError, ParameterError } from "../model/errors.js";
import type { MovieFile } from "../model/movie.js";
import { secondsBetween } from "./civil-time.js";
import { medianStep } from "./cycling-record.js";
import { baseName } from "./text.js";

/**
 * Joins movies to one. Each is one series in time already.
 *
 * They are put in the order of their civil starts where all have one on one kind of clock, else left as given; the
 * time between two of them is that between their starts, and a longer pause than usual is told. A movie without a
 * start follows the one before it after one usual interval, and the gap, which is then unknown, is told. Where one
 * has no frame times, the whole has none. Scale and meaning of a stamp are the first's.
 *
 * Throws FormatError where they differ in size, type or scale, or overlap in time; ParameterError where none is given.
 */
export function joinMovies(parts: readonly MovieFile[]): MovieFile {
  const [only] = parts;
  if (only === undefined) throw new ParameterError("no movie was given. Name one.", { parameter: "movie", value: [] });
  if (parts.length === 1) return only;
  const warnings: string[] = [];
  const ordered = inOrder(parts, warnings);
  const first = ordered[0]!;
  for (const part of ordered.slice(1)) checkAlike(first, part, warnings);
  for (const part of ordered) warnings.push(...part.warnings.map((warning) => `${baseName(part.name)}: ${warning}`));
  const firstFrames: number[] = [];
  let frames = 0;
  for (const part of ordered) {
    firstFrames.push(frames);
    frames += part.frames;
  }
  const time_s = timesOf(ordered, warnings);
  const sources = new Set(ordered.map(({ timeSource }) => timeSource));
  const stamps = new Set(ordered.map(({ frameStamp }) => frameStamp));
  const scaled = ordered.find(({ pixelSize_um }) => pixelSize_um !== null) ?? first;
  const { planes: _, dataset: __, incomplete: ___, ...facts } = first;
  const incomplete = ordered.flatMap((part, at) => (part.incomplete ?? []).map((frame) => firstFrames[at]! + frame));
  return {
    ...facts,
    ...(incomplete.length === 0 ? {} : { incomplete }),
    name: `${first.name} and ${parts.length - 1} more`,
    frames,
    pixelSize_um: scaled.pixelSize_um,
    pixelSizeSource: scaled.pixelSizeSource,
    time_s,
    timeSource: time_s === null ? "missing" : [...sources].join(", "),
    frameStamp: stamps.size === 1 ? first.frameStamp : "unknown",
    warnings,
    read(index, into, signal) {
      let part = ordered.length - 1;
      while (part > 0 && firstFrames[part]! > index) part--;
      return ordered[part]!.read(index - firstFrames[part]!, into, signal);
    },
    close: async () => void (await Promise.all(ordered.map((part) => part.close()))),
  };
}

function inOrder(parts: readonly MovieFile[], warnings: string[]): MovieFile[] {
  const starts_s = parts.map((part) => between(parts[0]!, part));
  if (starts_s.some((start_s) => start_s === null)) return [...parts];
  const order = [...parts.keys()].sort((a, b) => starts_s[a]! - starts_s[b]!);
  if (order.some((part, at) => part !== at)) {
    warnings.push(`the movies were put in the order of their starts, ${baseName(parts[order[0]!]!.name)} first.`);
  }
  return order.map((part) => parts[part]!);
}

/** Seconds from the start of one movie to that of another; null where one is unknown or on another kind of clock. */
function between(a: MovieFile, b: MovieFile): number | null {
  return a.start === null || b.start === null ? null : secondsBetween(a.start, b.start);
}

function checkAlike(first: MovieFile, part: MovieFile, warnings: string[]): void {
  const differs = (what: string, cure: string): FormatError =>
    new FormatError(`${part.name}: ${what} as in ${baseName(first.name)}. ${cure}`, { path: part.name });
  const size = ({ width, height, dtype, samplesPerPixel = 1 }: MovieFile): string =>
    `${width} x ${height} px of ${dtype}${samplesPerPixel > 1 ? " in colour" : ""}`;
  if (size(part) !== size(first)) {
    throw differs(`frames are ${size(part)}, not ${size(first)}`, "Name the movies of one recording only.");
  }
  if (part.pixelSize_um === null || first.pixelSize_um === null) {
    if (part.pixelSize_um !== first.pixelSize_um) {
      warnings.push(`of ${baseName(first.name)} and ${baseName(part.name)} only one tells its pixel size: it is used.`);
    }
  } else if (Math.abs(part.pixelSize_um / first.pixelSize_um - 1) > 1e-4) {
    throw differs(
      `pixels are ${part.pixelSize_um} um, not ${first.pixelSize_um} um`,
      "Analyse movies of another magnification apart.",
    );
  }
}

function timesOf(parts: readonly MovieFile[], warnings: string[]): Float64Array | null {
  const without = parts.filter(({ time_s }) => time_s === null);
  if (without.length > 0) {
    if (without.length < parts.length) {
      warnings.push(`${baseName(without[0]!.name)} has no frame times: those of the others cannot be used alone.`);
    }
    return null;
  }
  const joined: number[] = [];
  const usual_s = Math.max(0, ...parts.map(({ time_s }) => medianStep(time_s!) || 0));
  let end_s = 0;
  let anchor: { readonly part: MovieFile; readonly at_s: number } | null = null;
  for (const [number, part] of parts.entries()) {
    const time_s = part.time_s!;
    const since_s: number | null = anchor === null ? null : between(anchor.part, part);
    const before = number === 0 ? null : baseName(parts[number - 1]!.name);
    let from_s = number === 0 ? 0 : end_s + usual_s;
    if (number > 0) {
      if (since_s !== null) {
        from_s = anchor!.at_s + since_s;
        const pause_s = from_s - end_s;
        // Starts are often written in whole seconds: two files may seem to touch by as much.
        if (pause_s <= 0 && pause_s > -startResolution_s) from_s = end_s + (usual_s || startResolution_s / 1000);
        else if (pause_s <= 0) {
          throw new FormatError(
            `${part.name}: begins ${seconds(-pause_s)} before ${before} ends. Name each movie once, and those of one camera only.`,
            { path: part.name },
          );
        } else if (pause_s > Math.max(2, 1.5 * usual_s)) {
          warnings.push(`a gap of ${seconds(pause_s)} between ${before} and ${baseName(part.name)}.`);
        }
      } else {
        warnings.push(
          `${part.start === null ? baseName(part.name) : before} does not tell when it began: ` +
            `${baseName(part.name)} is laid ${seconds(usual_s)} after ${before}, and how long the gap was is unknown.`,
        );
      }
    }
    if (part.start !== null && anchor === null) anchor = { part, at_s: from_s };
    for (const time of time_s) joined.push(time + from_s);
    const last = time_s.findLast((time) => Number.isFinite(time)) ?? 0;
    end_s = from_s + last;
  }
  return Float64Array.from(joined);
}

const startResolution_s = 2;

function seconds(value_s: number): string {
  return `${Number(value_s.toPrecision(4))} s`;
}
