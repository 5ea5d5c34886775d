/** The movie's clock and the cycler's made one: t_movie = t_cycler + offset. */
import { median } from "../kernels/stats.js";
import type { Cycling } from "../model/cycling.js";
import { ParameterError } from "../model/errors.js";
import type { Clock, Trace } from "../model/experiment.js";
import type { Movie } from "../model/movie.js";
import { SECONDS_PER_HOUR } from "../model/units.js";
import { offsetFromSteps } from "./clock-steps.js";

/** All that can tell how the clocks stand to each other. */
export interface ClockEvidence {
  readonly movie: Pick<Movie, "name" | "time_s" | "start" | "frameStamp">;
  readonly cycling: Cycling;
  /** Civil time at which the record's time is 0. */
  readonly cyclingStart: string | null;
  /** Movie time minus cycler time as the user states it. */
  readonly statedOffset_s: number | null;
  /** Mean intensity of a particle; null where none is known yet. */
  readonly trace: Trace | null;
}

/** Whole hours by which a zone may differ from UTC. */
const ZONES = { first: -12, last: 14 } as const;

/**
 * Joins the clocks by the best evidence there is: `stated` by the user, else `shared` where both files say when they
 * began, else `steps` where the particle's brightness answers the current's steps clearly and in one way only, else
 * `none`: movie and record then begin together, and the offset has no sd.
 *
 * A stated offset is taken as exact. The sd of a shared one comes from the resolution of the two stamps, r / sqrt(12)
 * each. A frame stamp of unknown meaning adds interval / sqrt(12) to either. Civil times without a zone are read on one
 * wall clock. The drift of the clocks is not measured and stands as 0.
 *
 * Throws ParameterError where a stated or shared offset leaves movie and record no moment in common.
 */
export function alignClocks(evidence: ClockEvidence): { readonly clock: Clock; readonly warnings: string[] } {
  const { movie, cycling, statedOffset_s, trace } = evidence;
  const stamp_s = movie.frameStamp === "unknown" ? interval_s(movie.time_s) / Math.sqrt(12) : 0;
  if (statedOffset_s !== null) {
    const warnings = checkOverlap(evidence, statedOffset_s, "stated");
    return joined("stated", statedOffset_s, stamp_s, [...warnings, ...checkSteps(evidence, statedOffset_s, stamp_s)]);
  }
  const shared = sharedOffset(evidence);
  if (shared !== null && shared.offset_s !== null) {
    const sd_s = Math.hypot(shared.sd_s, stamp_s);
    const warnings = [...shared.warnings, ...checkOverlap(evidence, shared.offset_s, "shared")];
    return joined("shared", shared.offset_s, sd_s, [...warnings, ...checkSteps(evidence, shared.offset_s, sd_s)]);
  }
  const found = trace === null ? null : offsetFromSteps(trace, cycling);
  if (found !== null) {
    return joined("steps", found.offset_s, Math.hypot(found.sd_s, stamp_s), [
      ...(shared?.warnings ?? []),
      `the clocks are joined by ${found.events} steps of the current seen in the particle's brightness: movie time is cycler time ` +
        `${found.offset_s < 0 ? "-" : "+"} ${Math.abs(found.offset_s).toFixed(1)} s, to ${found.sd_s.toFixed(1)} s. Give --offset-s if it is known.`,
    ]);
  }
  const begin_s = cycling.time_s[0] ?? 0;
  return joined("none", begin_s === 0 ? 0 : -begin_s, null, [
    ...(shared?.warnings ?? []),
    "nothing joins the clocks of movie and cycler: both are taken to begin together. Give --offset-s (movie time minus cycler time).",
  ]);
}

/** The record on the movie's clock. */
export function shiftCycling(cycling: Cycling, offset_s: number): Cycling {
  return { ...cycling, time_s: cycling.time_s.map((time_s) => time_s + offset_s) };
}

function joined(
  source: Clock["source"],
  value: number,
  sd: number | null,
  warnings: string[],
): { clock: Clock; warnings: string[] } {
  return { clock: { source, offset_s: { value, sd }, drift_ppm: 0 }, warnings };
}

/** A wall clock's reading: milliseconds as if in UTC, the zone's minutes where one is written, seconds it resolves. */
interface Reading {
  readonly wall_ms: number;
  readonly zone_min: number | null;
  readonly resolution_s: number;
}

function read(text: string | null): Reading | null {
  const match = /^(\d{4}-\d\d-\d\d[T ]\d\d:\d\d)(:\d\d)?(?:[.,](\d+))?\s*(Z|[+-]\d\d:?\d\d)?$/i.exec(
    text?.trim() ?? "",
  );
  if (match === null) return null;
  const [, minute, second, fraction, zone] = match;
  const wall_ms = Date.parse(`${minute!.replace(" ", "T")}${second ?? ":00"}Z`) + 1000 * Number(`0.${fraction ?? 0}`);
  if (!Number.isFinite(wall_ms)) return null;
  const digits = zone?.replace(":", "") ?? "";
  const zone_min =
    zone === undefined
      ? null
      : /z/i.test(zone)
        ? 0
        : Number(`${digits[0]}1`) * (60 * Number(digits.slice(1, 3)) + Number(digits.slice(3)));
  return {
    wall_ms,
    zone_min,
    resolution_s: second === undefined ? 60 : fraction === undefined ? 1 : 10 ** -fraction.length,
  };
}

/**
 * The offset by civil starts; its value is null where two readings are possible and none is believed. Null without
 * starts.
 */
function sharedOffset(
  evidence: ClockEvidence,
): { readonly offset_s: number | null; readonly sd_s: number; readonly warnings: string[] } | null {
  const movie = read(evidence.movie.start);
  const cycler = read(evidence.cyclingStart);
  if (movie === null || cycler === null) return null;
  const sd_s = Math.hypot(movie.resolution_s, cycler.resolution_s) / Math.sqrt(12);
  const wall_s = (cycler.wall_ms - movie.wall_ms) / 1000;
  if (movie.zone_min !== null && cycler.zone_min !== null) {
    return { offset_s: wall_s - 60 * (cycler.zone_min - movie.zone_min), sd_s, warnings: [] };
  }
  if (movie.zone_min === null && cycler.zone_min === null) return { offset_s: wall_s, sd_s, warnings: [] };
  const without = movie.zone_min === null ? "the movie's" : "the cycler's";
  const written = movie.zone_min === null ? evidence.cyclingStart : evidence.movie.start;
  if (overlap_s(evidence, wall_s) > 0) {
    return {
      offset_s: wall_s,
      sd_s,
      warnings: [
        `${without} start has no zone and is read in the zone of the other (${written}). Give --offset-s if it is not.`,
      ],
    };
  }
  // The start without a zone was local time somewhere: which whole hours make the records meet?
  const candidates: string[] = [];
  for (let hour: number = ZONES.first; hour <= ZONES.last; hour++) {
    const shift_s =
      movie.zone_min === null
        ? hour * SECONDS_PER_HOUR - 60 * cycler.zone_min!
        : 60 * movie.zone_min - hour * SECONDS_PER_HOUR;
    const offset_s = wall_s + shift_s;
    if (overlap_s(evidence, offset_s) > 0) candidates.push(`${offset_s.toFixed(0)} (UTC${hour < 0 ? "" : "+"}${hour})`);
  }
  if (candidates.length === 0) return { offset_s: wall_s, sd_s, warnings: [] };
  return {
    offset_s: null,
    sd_s,
    warnings: [
      `${without} start has no zone and only another than that of the other (${written}) makes the two overlap. ` +
        `Give --offset-s; whole hours would give ${candidates.join(", ")}.`,
    ],
  };
}

/** Seconds that movie and record have in common; 0 or less where none. */
function overlap_s({ movie, cycling }: ClockEvidence, offset_s: number): number {
  const begin_s = Math.max(movie.time_s[0]!, cycling.time_s[0]! + offset_s);
  const end_s = Math.min(movie.time_s.at(-1)!, cycling.time_s.at(-1)! + offset_s);
  return end_s - begin_s;
}

function checkOverlap(evidence: ClockEvidence, offset_s: number, source: "stated" | "shared"): string[] {
  const { movie, cycling } = evidence;
  const common_s = overlap_s(evidence, offset_s);
  const movie_s = [movie.time_s[0]!, movie.time_s.at(-1)!] as const;
  const record_s = [cycling.time_s[0]! + offset_s, cycling.time_s.at(-1)! + offset_s] as const;
  if (common_s > 0) {
    const shorter_s = Math.min(movie_s[1] - movie_s[0], record_s[1] - record_s[0]);
    if (common_s >= 0.1 * shorter_s) return [];
    return [
      `movie and cycler's record have only ${common_s.toFixed(0)} s in common, of ${shorter_s.toFixed(0)} s of the shorter one. Check --offset-s.`,
    ];
  }
  const start = read(movie.start);
  const span = ([from_s, to_s]: readonly [number, number]): string => {
    if (source === "stated" || start === null) return `from ${from_s.toFixed(0)} to ${to_s.toFixed(0)} s`;
    const wall = (time_s: number): string => new Date(start.wall_ms + 1000 * time_s).toISOString().slice(0, 19);
    return `from ${wall(from_s)} to ${wall(to_s)}`;
  };
  const why =
    source === "stated"
      ? `with offset_s ${offset_s}`
      : `by their civil starts (movie ${movie.start}, cycler ${evidence.cyclingStart})`;
  const cure =
    source === "stated"
      ? "Give movie time minus cycler time."
      : "Give --offset-s (movie time minus cycler time), or the record of this movie.";
  throw new ParameterError(
    `${why} the movie runs ${span(movie_s)} and the cycler's record ${span(record_s)} on one clock: they do not overlap. ${cure}`,
    { parameter: "offset_s", value: offset_s },
  );
}

/** A warning where the particle's brightness clearly answers the current at another offset than the files say. */
function checkSteps({ movie, cycling, trace }: ClockEvidence, offset_s: number, sd_s: number): string[] {
  const found = trace === null ? null : offsetFromSteps(trace, cycling);
  if (found === null) return [];
  const off_s = found.offset_s - offset_s;
  if (Math.abs(off_s) <= 5 * Math.hypot(found.sd_s, sd_s) + 3 * interval_s(movie.time_s)) return [];
  return [
    `the particle's brightness answers the current's steps ${Math.abs(off_s).toFixed(0)} s ${off_s > 0 ? "later" : "earlier"} than the clocks say. ` +
      `Check the clocks of camera and cycler, or give --offset-s ${found.offset_s.toFixed(1)}.`,
  ];
}

function interval_s(time_s: Float64Array): number {
  return time_s.length < 2 ? 0 : median(time_s.slice(1).map((now_s, frame) => now_s - time_s[frame]!));
}
