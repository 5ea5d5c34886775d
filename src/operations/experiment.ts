/** From what the files say and what the user states to an experiment; what neither says is asked for, never guessed. */
import { alignClocks } from "../analysis/clock.js";
import { orientCycling } from "../analysis/orientation.js";
import { calibrateMovie } from "../io/calibrate.js";
import { frameBuffer, selectFrames, subtractDark } from "../io/views.js";
import type { CyclingFile } from "../model/cycling.js";
import { FormatError, ParameterError } from "../model/errors.js";
import type { Experiment, Stated } from "../model/experiment.js";
import type { Image, Movie, MovieFile } from "../model/movie.js";
import type { FilesParams } from "./sources.js";

/** What was opened. */
export interface Opened {
  readonly movie: MovieFile;
  readonly cycling: CyclingFile | null;
  /** The dark frame's movie, where one was named. */
  readonly dark: MovieFile | null;
}

/**
 * Joins movie, cycler's record and statements into an experiment.
 *
 * Throws ParameterError where pixel size or frame times are missing, where fewer than two frames are left,
 * or where the record and the movie share a clock but no moment.
 */
export async function assembleExperiment(opened: Opened, params: FilesParams): Promise<Experiment> {
  const whole = calibrateMovie(opened.movie, {
    ...(params.pixelSize_um === null ? {} : { pixelSize_um: params.pixelSize_um }),
    ...(params.interval_s === null ? {} : { interval_s: params.interval_s }),
    ...(params.frameStamp === null ? {} : { frameStamp: params.frameStamp }),
  });
  const warnings = [...whole.warnings, ...(opened.cycling?.warnings ?? [])];
  const centred = centreStamps(whole, params, warnings);
  const kept = keptFrames(centred, params);
  const selected = kept.length === centred.frames ? centred : selectFrames(centred, kept);
  const { movie, blackLevel, darkFrame } = await withoutDark(selected, opened.dark, params);
  if (blackLevel === null) {
    warnings.push(
      "the camera's black level is unknown: contrasts are too small by an unknown factor. Give --black-level.",
    );
  }

  const cellFacts = {
    imaged: params.imaged,
    role: params.role,
    currentSign: params.currentSign,
    source:
      params.imaged === "working" && params.role === "cathode" && params.currentSign === "anodic-positive"
        ? "default"
        : "flag",
    active_mass_mg: params.active_mass_mg,
    nominal_mAh_g: params.nominal_mAh_g,
    nominal_mAh: params.nominal_mAh,
  };
  let cycling = null;
  if (opened.cycling !== null && opened.cycling.time_s.length > 0) {
    const oriented = orientCycling(opened.cycling, cellFacts);
    cycling = oriented.cycling;
    warnings.push(...oriented.warnings);
    // The clocks are joined later in the river; what cannot overlap is refused here, before hours of reading.
    alignClocks({ movie, cycling, cyclingStart: opened.cycling.start, statedOffset_s: params.offset_s, trace: null });
  } else if (opened.cycling !== null) {
    warnings.push(`${opened.cycling.name} has no row: the movie is analysed without a cycler.`);
  }
  return {
    movie,
    cycling,
    cyclingStart: opened.cycling?.start ?? null,
    statedOffset_s: params.offset_s,
    cellFacts,
    blackLevel,
    darkFrame,
    skipped: params.skip,
    frameNumber: kept,
    framesInFile: whole.frames,
    region_px: region(movie, params),
    warnings,
  };
}

function centreStamps(movie: Movie, params: FilesParams, warnings: string[]): Movie {
  const stamp = movie.frameStamp;
  if (stamp === "start" || stamp === "end") {
    if (params.exposure_s === null) {
      warnings.push(
        `frame stamps mark the ${stamp} of the exposure, whose length is unknown: times are off by half of it. Give --exposure-s.`,
      );
      return movie;
    }
    // Times count from the first frame's stamp, so only the civil start moves.
    const shift_s = (stamp === "start" ? 0.5 : -0.5) * params.exposure_s;
    return { ...movie, start: movie.start === null ? null : moveCivilTime(movie.start, shift_s), frameStamp: "middle" };
  }
  return movie;
}

function moveCivilTime(start: string, shift_s: number): string {
  const zone = /(Z|[+-]\d\d:?\d\d)$/.exec(start)?.[0] ?? "";
  const civil = start.slice(0, start.length - zone.length);
  const moved = new Date(Date.parse(`${civil}Z`) + 1000 * shift_s);
  return moved.toISOString().slice(0, -1) + zone;
}

function keptFrames(movie: Movie, params: FilesParams): Int32Array {
  const from_s = params.from_s ?? -Infinity;
  const to_s = params.to_s ?? Infinity;
  const kept: number[] = [];
  for (let index = 0; index < movie.frames; index++) {
    const time_s = movie.time_s[index]!;
    if (time_s < from_s || time_s > to_s) continue;
    if (params.skip.some(({ first, last }) => index >= first && index <= last)) continue;
    kept.push(index);
  }
  if (movie.frames < 2) {
    throw new FormatError(
      `${movie.name} has ${movie.frames} frame: a front cannot be followed. Give the whole movie, or the folder of its frames.`,
      { path: movie.name },
    );
  }
  if (kept.length < 2) {
    const end_s = movie.time_s[movie.frames - 1]!;
    throw new ParameterError(
      `from_s, to_s and skip leave ${kept.length} of ${movie.frames} frames; the movie runs from 0 to ${end_s} s. Leave at least two.`,
      { parameter: params.from_s === null ? "to_s" : "from_s", value: params.from_s ?? params.to_s },
    );
  }
  return Int32Array.from(kept);
}

async function withoutDark(
  movie: Movie,
  dark: MovieFile | null,
  params: FilesParams,
): Promise<{ movie: Movie; blackLevel: Stated<number> | null; darkFrame: string | null }> {
  if (dark !== null) {
    const image = await meanFrame(dark, movie.pixelSize_um);
    return { movie: subtractDark(movie, image), blackLevel: { value: 0, source: "dark frame" }, darkFrame: dark.name };
  }
  if (typeof params.blackLevel === "number") {
    return { movie, blackLevel: { value: params.blackLevel, source: "flag" }, darkFrame: null };
  }
  return { movie, blackLevel: null, darkFrame: null };
}

async function meanFrame(movie: MovieFile, pixelSize_um: number): Promise<Image> {
  const buffer = frameBuffer(movie);
  const sum = new Float64Array(buffer.length);
  for (let index = 0; index < movie.frames; index++) {
    await movie.read(index, buffer);
    for (let at = 0; at < sum.length; at++) sum[at]! += buffer[at]!;
  }
  const data = Float32Array.from(sum, (value) => value / movie.frames);
  return { width: movie.width, height: movie.height, pixelSize_um, data };
}

function region(movie: Movie, params: FilesParams): Experiment["region_px"] {
  if (params.roi === null) return null;
  const [x, y, width, height] = params.roi;
  if (x + width > movie.width || y + height > movie.height) {
    throw new ParameterError(
      `roi ${params.roi.join(",")} leaves the image of ${movie.width} x ${movie.height} px. Give x,y,width,height inside it.`,
      { parameter: "roi", value: params.roi },
    );
  }
  return params.roi;
}
