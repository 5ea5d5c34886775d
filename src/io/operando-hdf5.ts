/**
 * The clock of an operando recording in HDF5, as the microscope's own program writes it.
 *
 *     /movie              (N, height, width) uint16
 *     /camera_timing      (2, N): the computer's ticks of 100 ns; seconds. Which row is which is told by its numbers.
 *     /potentiostat_value (rows, samples), rows without names (hdf5-potentiostat.ts)
 *     /average_intensity, /stage_position   not used
 *
 * There is no pixel size inside. The zero of either clock is not stated.
 */
import { FormatError } from "../model/errors.js";
import type { Hdf5File } from "./hdf5.js";

/** Frame times with the place that they were read from. */
export interface CameraTimes {
  /** Seconds from the first frame; NaN for a frame without a stamp. */
  readonly time_s: Float64Array;
  readonly source: string;
  /** The first frame's time as the file has it. */
  readonly first_s: number;
}

/** Ticks of 100 ns of a computer's clock are far beyond any count of seconds. */
const ticksFrom = 1e12;
const tick_s = 1e-7;
/** Seconds since 1904 or 1970 are still seconds. */
const latest_s = 1e10;

/**
 * Frame times of the camera_timing beside a movie of `frames` frames: those of the row of seconds, else those of the row
 * of ticks; null where neither row rises as a clock does. Pauses stay as they are.
 */
export function cameraTimes(
  file: Hdf5File,
  frames: number,
  say: (sentence: string) => void,
  movie = "/movie",
): CameraTimes | null {
  const path = timingPath(movie);
  const rows = timingRows(file, path);
  if (rows === null || rows === "unreadable") {
    const why = rows === null ? `the file has no ${path} of one time a frame` : `${path} is cut off or damaged`;
    say(`${why}: frame times are unknown.`);
    return null;
  }
  const clocks = rows.map((row) => clockOf(row));
  const seconds = clocks.flatMap((clock, row) => (clock?.unit === "s" ? [row] : []));
  const ticks = clocks.flatMap((clock, row) => (clock?.unit === "tick" ? [row] : []));
  const spanOf = (row: number): number => rows[row]![clocks[row]!.length - 1]! - rows[row]![0]!;
  // Of several rows that rise one may be a count of frames: the ticks tell it, else the last row is that of the layout.
  const agreeing = seconds.filter((row) => ticks.length > 0 && spansAgree(spanOf(ticks[0]!) * tick_s, spanOf(row)));
  const chosen = agreeing.at(-1) ?? seconds.at(-1) ?? ticks[0];
  if (chosen === undefined) {
    say(`no row of ${path} rises as a clock does (${rows.map(rangeInWords).join("; ")}): frame times are unknown.`);
    return null;
  }
  const isTicks = clocks[chosen]!.unit === "tick";
  const factor = isTicks ? tick_s : 1;
  const found = rows[chosen]!.subarray(0, clocks[chosen]!.length);
  if (seconds.length > 1 && agreeing.length !== 1) {
    say(`${path} has ${seconds.length} rows that could be seconds; row ${chosen} is taken.`);
  }
  if (ticks.length > 0 && !isTicks) {
    sayWhereTicksDiffer(path, { row: ticks[0]!, values: rows[ticks[0]!]! }, { row: chosen, values: found }, say);
  }
  if (found.length > frames) {
    say(`${path} has ${found.length} times for ${frames} frames: the first ${frames} are used.`);
  } else if (found.length < frames) {
    say(`${path} has ${found.length} times for ${frames} frames: the last ${frames - found.length} have none.`);
  }
  const first_s = found[0]! * factor;
  const time_s = new Float64Array(frames).fill(NaN);
  for (let at = 0; at < Math.min(frames, found.length); at++) time_s[at] = (found[at]! - found[0]!) * factor;
  return { time_s, source: `${path} row ${chosen} (${isTicks ? "ticks of 100 ns" : "seconds"})`, first_s };
}

/** Where the clock of a movie stands: beside it, "/run/camera_timing" for "/run/movie". */
export function timingPath(movie: string): string {
  return movie.replace(/[^/]*$/, "camera_timing");
}

/** The rows of a camera_timing, whichever way round it was written; null where it is no such table. */
function timingRows(file: Hdf5File, path: string): Float64Array[] | "unreadable" | null {
  if (file.unreadable.has(path)) return "unreadable";
  const dataset = file.find(path);
  if (dataset?.type == null) return null;
  const shape = dataset.shape.filter((size) => size !== 1);
  if (shape.length < 1 || shape.length > 2) return null;
  const [count, length] = shape.length === 1 ? [1, shape[0]!] : [Math.min(...shape), Math.max(...shape)];
  if (count > 8) return null;
  let numbers: Float64Array;
  try {
    numbers = file.numbers(dataset);
  } catch (error) {
    if (error instanceof FormatError) return "unreadable";
    throw error;
  }
  const rowsLast = shape.length === 2 && shape[0]! > shape[1]!;
  return Array.from({ length: count }, (_, row) =>
    rowsLast
      ? Float64Array.from({ length }, (_, at) => numbers[at * count + row]!)
      : numbers.slice(row * length, (row + 1) * length),
  );
}

interface Clock {
  readonly unit: "s" | "tick";
  /** Entries up to the last that was written: programs fill an array of zeros. */
  readonly length: number;
}

/** What a row counts, where it never falls and does rise; null where it is no clock. */
function clockOf(row: Float64Array): Clock | null {
  let length = row.length;
  while (length > 1 && !(row[length - 1]! > 0)) length--;
  for (let at = 0; at < length; at++) {
    const value = row[at]!;
    if (!Number.isFinite(value) || (at > 0 && value < row[at - 1]!)) return null;
  }
  const [first, last] = [row[0]!, row[length - 1]!];
  if (length > 1 && first === last) return null;
  if (first >= ticksFrom) return { unit: "tick", length };
  return first >= 0 && last <= latest_s ? { unit: "s", length } : null;
}

/** Whether two clocks, apart by less than a thousandth or a second, went on for the same time. */
function spansAgree(one_s: number, other_s: number): boolean {
  return Math.abs(one_s - other_s) <= Math.max(1, 1e-3 * other_s);
}

interface NumberedRow {
  readonly row: number;
  readonly values: Float64Array;
}

function sayWhereTicksDiffer(
  path: string,
  ticks: NumberedRow,
  seconds: NumberedRow,
  say: (sentence: string) => void,
): void {
  const last = seconds.values.length - 1;
  const byTicks_s = (ticks.values[last]! - ticks.values[0]!) * tick_s;
  const bySeconds_s = seconds.values[last]! - seconds.values[0]!;
  if (spansAgree(byTicks_s, bySeconds_s)) return;
  say(
    `${path}: row ${ticks.row}, as ticks of 100 ns, spans ${byTicks_s.toPrecision(6)} s but row ${seconds.row} spans ` +
      `${bySeconds_s.toPrecision(6)} s; the latter is used. Check it against the interval that was set.`,
  );
}

/** A row's range in words: "0 to 7.5". */
export function rangeInWords(row: Float64Array): string {
  let min = Infinity;
  let max = -Infinity;
  for (const value of row) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return min > max ? "no number" : `${Number(min.toPrecision(6))} to ${Number(max.toPrecision(6))}`;
}
