/** From what a file tells and what the user states to a movie with a scale and a clock; neither is ever guessed. */
import { FormatError, ParameterError } from "../model/errors.js";
import type { FrameStamp, Movie, MovieFile } from "../model/movie.js";
import { frameList, laterCivilTime } from "./frame-times.js";
import { completeFrames, select, timeSeries } from "./time-series.js";

/** What the user states; it overrides the file, with a warning where the file differs. */
export interface Calibration {
  readonly pixelSize_um?: number;
  readonly interval_s?: number;
  readonly frameStamp?: FrameStamp;
}

/**
 * The movie with its scale and clock, reduced to one image in time where the file holds several.
 *
 * Times count from the first frame; frames whose time the file does not tell are left out.
 * Throws ParameterError (`pixelSize_um`, `interval_s`) where neither file nor user says it or where a statement is no
 * positive number; FormatError for a movie in colour and for frame times that do not rise.
 */
export function calibrateMovie(file: MovieFile, stated: Calibration): Movie {
  if ((file.samplesPerPixel ?? 1) > 1) {
    throw new FormatError(
      `${file.name}: frames are in colour, ${file.samplesPerPixel} samples a pixel. Export the movie as grey.`,
      { path: file.name },
    );
  }
  for (const parameter of ["pixelSize_um", "interval_s"] as const) {
    const value = stated[parameter];
    if (value === undefined || (value > 0 && Number.isFinite(value))) continue;
    throw new ParameterError(`${parameter} is ${value}. Give a number above 0.`, { parameter, value });
  }
  const series = timeSeries(file);
  const warnings = [...series.warnings];
  const scaled = scale(series, stated.pixelSize_um, warnings);
  const clocked = complete(clock(series, stated.interval_s, warnings), warnings);
  const { planes: _, ...movie } = clocked;
  return { ...movie, ...scaled, frameStamp: stated.frameStamp ?? file.frameStamp, warnings };
}

function scale(
  movie: MovieFile,
  stated_um: number | undefined,
  warnings: string[],
): Pick<Movie, "pixelSize_um" | "pixelSizeSource"> {
  const { pixelSize_um, pixelSizeSource } = movie;
  if (stated_um === undefined) {
    if (pixelSize_um !== null) return { pixelSize_um, pixelSizeSource };
    throw new ParameterError(`pixelSize_um is not in ${movie.name}; give --pixel-size-um`, {
      parameter: "pixelSize_um",
      value: null,
    });
  }
  if (pixelSize_um !== null && Math.abs(pixelSize_um / stated_um - 1) > 1e-6) {
    warnings.push(`pixelSize_um is ${stated_um} as stated, though ${pixelSizeSource} says ${pixelSize_um}.`);
  }
  return { pixelSize_um: stated_um, pixelSizeSource: "flag" };
}

function clock(
  movie: MovieFile,
  interval_s: number | undefined,
  warnings: string[],
): MovieFile & Pick<Movie, "time_s"> {
  const { time_s } = movie;
  if (interval_s !== undefined) {
    // Where the file numbers its moments, one that is missing still counts.
    const moments = movie.planes?.map(({ time }) => time - movie.planes![0]!.time) ?? [...Array(movie.frames).keys()];
    const even_s = Float64Array.from(moments, (moment) => moment * interval_s);
    const last = movie.frames - 1;
    if (
      time_s !== null &&
      last > 0 &&
      even_s.some((even, at) => !(Math.abs(time_s[at]! - even) <= 1e-6 * interval_s))
    ) {
      const mean_s = (time_s[last]! - time_s[0]!) / last;
      warnings.push(
        `interval_s is ${interval_s} as stated and overrides ${movie.timeSource}, ${Number(mean_s.toPrecision(6))} s on average.`,
      );
    }
    return { ...movie, time_s: even_s, timeSource: "flag" };
  }
  if (time_s === null) {
    if (movie.frames === 1) return { ...movie, time_s: new Float64Array(1) };
    throw new ParameterError(`frame times are not in ${movie.name}; give --interval-s`, {
      parameter: "interval_s",
      value: null,
    });
  }
  const timed = knownTimes(movie, time_s, warnings);
  for (let frame = 1; frame < timed.frames; frame++) {
    if (timed.time_s[frame]! > timed.time_s[frame - 1]!) continue;
    throw new FormatError(
      `${movie.name}: ${movie.timeSource} of frame ${frame} is ${timed.time_s[frame]} s after ${timed.time_s[frame - 1]} s. Give --interval-s.`,
      { path: movie.name },
    );
  }
  return timed;
}

/** Leaves out frames whose pixels are not all in the file, where they have their times already. */
function complete(movie: MovieFile & Pick<Movie, "time_s">, warnings: string[]): MovieFile & Pick<Movie, "time_s"> {
  const { incomplete } = movie;
  if (incomplete === undefined) return movie;
  if (incomplete.length === movie.frames) {
    throw new FormatError(`${movie.name}: no frame has all its pixels in the file. Copy it again.`, {
      path: movie.name,
    });
  }
  warnings.push(`${frameList(incomplete)} of ${movie.frames} left out: their pixels are not all in the file.`);
  const whole = completeFrames(movie);
  return fromFirst(whole, whole.time_s!);
}

/** Times, and the start, counted from what is now the first frame. */
function fromFirst(movie: MovieFile, time_s: Float64Array): MovieFile & Pick<Movie, "time_s"> {
  const origin_s = time_s[0]!;
  const start = movie.start === null ? null : laterCivilTime(movie.start, origin_s);
  return { ...movie, start, time_s: time_s.map((time) => time - origin_s) };
}

/** Leaves out frames without a time. */
function knownTimes(movie: MovieFile, time_s: Float64Array, warnings: string[]): MovieFile & Pick<Movie, "time_s"> {
  const all = [...time_s.keys()];
  const known = all.filter((frame) => Number.isFinite(time_s[frame]!));
  if (known.length === 0) {
    throw new FormatError(`${movie.name}: no frame has a time that is a number. Give --interval-s.`, {
      path: movie.name,
    });
  }
  if (known.length === all.length) return fromFirst(movie, time_s);
  const lost = all.filter((frame) => !Number.isFinite(time_s[frame]!));
  warnings.push(`${frameList(lost)} of ${all.length} left out: when they were taken is unknown.`);
  const chosen = select(movie, known);
  return fromFirst(chosen, chosen.time_s!);
}
