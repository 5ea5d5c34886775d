/** What a file holds, read and told; nothing is written. */
import type { Source } from "../io/bytes.js";
import { medianStep } from "../kernels/stats.js";
import { frameStats, type FrameStats } from "../io/frame-stats.js";
import { openAny, type Opened } from "../io/open.js";
import { timeSeries } from "../io/time-series.js";
import type { CyclingFile, OtherFile, ProgrammeStep } from "../model/cycling.js";
import type { MovieFile } from "../model/movie.js";

/** A movie's facts, as `ionoscope inspect --json` prints them. */
export interface MovieFacts {
  readonly kind: "movie";
  readonly format: string;
  readonly width: number;
  readonly height: number;
  readonly frames: number;
  readonly dtype: string;
  readonly pixelSize_um: number | null;
  readonly pixelSizeSource: string;
  readonly time: {
    readonly first_s: number;
    readonly last_s: number;
    readonly median_interval_s: number | null;
    readonly longest_interval_s: number | null;
    readonly source: string;
  } | null;
  readonly start: string | null;
  readonly frameStamp: string;
  /** What lies along each axis, where the file holds more than one series in time; names where it has them. */
  readonly series?: {
    readonly positions: number;
    readonly channels: number;
    readonly slices: number;
    readonly times: number;
    readonly channelNames?: readonly string[];
    readonly positionNames?: readonly string[];
  };
  /** The whole set, where the file is one of several. */
  readonly dataset?: {
    readonly files: readonly string[];
    readonly missing: readonly string[];
    readonly frames: number;
  };
  readonly firstFrame: FrameStats;
  readonly lastFrame: FrameStats;
  /** Over every frame; only where all were asked for. */
  readonly allFrames?: FrameStats;
  readonly warnings: readonly string[];
}

interface Range {
  readonly min: number | null;
  readonly max: number | null;
}

/** A cycling record's facts. */
export interface CyclingFacts {
  readonly kind: "cycling";
  readonly format: string;
  readonly rows: number;
  readonly start: string | null;
  readonly time_s: { readonly first: number | null; readonly last: number | null };
  readonly potential_V: Range;
  readonly current_mA: Range;
  readonly charge_mAh: { readonly last: number | null };
  readonly cycles: number | null;
  readonly columns: readonly string[];
  readonly settings?: ProgrammeStep;
  readonly programme?: readonly ProgrammeStep[];
  readonly warnings: readonly string[];
}

/** What a file is that holds neither images in time nor a cycling record. */
export interface OtherFacts extends Omit<OtherFile, "name"> {
  readonly kind: "other";
}

export type Facts = MovieFacts | CyclingFacts | OtherFacts;

/**
 * Reads a source's facts: header and index, first and last frame of a movie; every row of a cycling record.
 * With `full` every frame is decoded, so that a damaged one is found. Throws FormatError where it is neither.
 */
export async function inspect(source: Source, options: { full?: boolean; signal?: AbortSignal } = {}): Promise<Facts> {
  return factsOf(await openAny(source), options);
}

/** The facts of what a source turned out to hold; a movie is closed. */
export async function factsOf(opened: Opened, options: { full?: boolean; signal?: AbortSignal } = {}): Promise<Facts> {
  if (opened.kind === "cycling") return cyclingFacts(opened.cycling);
  if (opened.kind === "other") {
    const { name: _, ...facts } = opened.other;
    return { kind: "other", ...facts };
  }
  try {
    return await movieFacts(opened.movie, options);
  } finally {
    await opened.movie.close();
  }
}

async function movieFacts(movie: MovieFile, options: { full?: boolean; signal?: AbortSignal }): Promise<MovieFacts> {
  const firstFrame = await frameStats(movie, 0);
  const lastFrame = movie.frames === 1 ? firstFrame : await frameStats(movie, movie.frames - 1);
  let allFrames: FrameStats | null = null;
  if (options.full === true) {
    for (let index = 0; index < movie.frames; index++) {
      options.signal?.throwIfAborted();
      const one = await frameStats(movie, index);
      allFrames =
        allFrames === null
          ? one
          : {
              min: lesser(allFrames.min, one.min, Math.min),
              max: lesser(allFrames.max, one.max, Math.max),
              sum: allFrames.sum + one.sum,
            };
    }
  }
  return {
    kind: "movie",
    format: movie.format,
    width: movie.width,
    height: movie.height,
    frames: movie.frames,
    dtype: movie.dtype,
    pixelSize_um: movie.pixelSize_um,
    pixelSizeSource: movie.pixelSizeSource,
    // Of several channels or planes, those of the first: the others were taken at the same moments.
    time: times(timeSeries(movie)),
    start: movie.start,
    frameStamp: movie.frameStamp,
    ...series(movie),
    ...dataset(movie),
    firstFrame,
    lastFrame,
    ...(allFrames === null ? {} : { allFrames }),
    warnings: movie.warnings,
  };
}

function series({ planes, channelNames, imageNames }: MovieFile): Pick<MovieFacts, "series"> {
  if (planes === undefined) return {};
  const count = (axis: "image" | "channel" | "slice" | "time"): number =>
    new Set(planes.map((place) => place[axis])).size;
  return {
    series: {
      positions: count("image"),
      channels: count("channel"),
      slices: count("slice"),
      times: count("time"),
      ...(channelNames === undefined ? {} : { channelNames }),
      ...(imageNames === undefined ? {} : { positionNames: imageNames }),
    },
  };
}

function dataset({ dataset }: MovieFile): Pick<MovieFacts, "dataset"> {
  if (dataset === undefined) return {};
  const { files, missing, frames } = dataset;
  return { dataset: { files, missing, frames } };
}

function lesser(a: number | null, b: number | null, pick: (a: number, b: number) => number): number | null {
  if (a === null) return b;
  return b === null ? a : pick(a, b);
}

function times(movie: MovieFile): MovieFacts["time"] {
  const time_s = movie.time_s;
  if (time_s === null || time_s.length === 0) return null;
  const median_s = medianStep(time_s);
  let longest_s: number | null = null;
  for (let at = 1; at < time_s.length; at++) {
    const interval_s = time_s[at]! - time_s[at - 1]!;
    if (!Number.isNaN(interval_s)) longest_s = Math.max(longest_s ?? interval_s, interval_s);
  }
  return {
    first_s: time_s[0]!,
    last_s: time_s[time_s.length - 1]!,
    median_interval_s: Number.isNaN(median_s) ? null : median_s,
    longest_interval_s: longest_s,
    source: movie.timeSource,
  };
}

function cyclingFacts(file: CyclingFile): CyclingFacts {
  return {
    kind: "cycling",
    format: file.format,
    rows: file.time_s.length,
    start: file.start,
    time_s: { first: file.time_s[0] ?? null, last: file.time_s.at(-1) ?? null },
    potential_V: range(file.potential_V),
    current_mA: range(file.current_mA),
    charge_mAh: { last: file.charge_mAh.at(-1) ?? null },
    cycles: file.cycles,
    columns: file.columns,
    ...(file.settings === undefined ? {} : { settings: file.settings }),
    ...(file.programme === undefined ? {} : { programme: file.programme }),
    warnings: file.warnings,
  };
}

function range(values: Float64Array): Range {
  let min = Infinity;
  let max = -Infinity;
  for (const value of values) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return min > max ? { min: null, max: null } : { min, max };
}
