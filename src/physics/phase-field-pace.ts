/** When a run stops to show itself: snapshots, times at which steps must end, and room for other work. */
import { refuse } from "./check.js";

/** Times at which states are wanted. */
export interface Snapshots {
  /** The next one after a time; Infinity when there is none. */
  readonly next: (t_s: number) => number;
  /** Whether one is due at a time that has been reached. */
  readonly due: (t_s: number) => boolean;
}

/** More often, and at more times, nobody wants to see a run. */
const LEAST_INTERVAL_s = 1e-6;
const MOST_TIMES = 1e7;

/**
 * Snapshots at the given times, every so many seconds from 0, or never.
 * Throws ParameterError for a time or an interval that is none.
 */
export function snapshotTimes(given: ArrayLike<number> | number | undefined): Snapshots {
  if (given === undefined) return { next: () => Infinity, due: () => false };
  if (typeof given === "number") {
    if (!(given >= LEAST_INTERVAL_s)) {
      refuse("snapshots_s", given, `Give an interval of at least ${LEAST_INTERVAL_s} s, or times`);
    }
    const next = (t_s: number): number => {
      const number = Math.floor(t_s / given) + 1;
      // Rounding may leave t_s a hair below the snapshot it stands at.
      return number * given > t_s ? number * given : (number + 1) * given;
    };
    let shown = -1;
    const due = (t_s: number): boolean => {
      const number = Math.round(t_s / given);
      if (number <= shown || number * given !== t_s) return false;
      shown = number;
      return true;
    };
    return { next, due };
  }
  const listed: unknown = given;
  const cure = "Give times of at least 0, or an interval, in s";
  if (typeof listed !== "object" || listed === null || !Number.isInteger(given.length) || given.length > MOST_TIMES) {
    refuse("snapshots_s", listed, cure);
  }
  for (let at = 0; at < given.length; at++) {
    const t_s: unknown = given[at];
    if (!(typeof t_s === "number" && t_s >= 0 && t_s < Infinity)) refuse("snapshots_s", t_s, cure);
  }
  const times = Float64Array.from(given).sort();
  let shown = 0;
  return {
    next: (t_s) => landingAfter(times, t_s),
    due: (t_s) => {
      if (!(times[shown]! <= t_s)) return false;
      while (times[shown]! <= t_s) shown++;
      return true;
    },
  };
}

/** The first of rising times after t_s; Infinity when there is none. */
export function landingAfter(times_s: ArrayLike<number>, t_s: number): number {
  let low = 0;
  let high = times_s.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times_s[middle]! > t_s) high = middle;
    else low = middle + 1;
  }
  return times_s[low] ?? Infinity;
}

/** When other work last had its turn, ms. */
export interface Breath {
  since: number;
}

/** So long a run keeps the thread to itself. */
const BREATH_ms = 50;

/** Lets timers, messages and an abort through, now and then. */
export async function breathe(breath: Breath): Promise<void> {
  if (performance.now() - breath.since < BREATH_ms) return;
  await new Promise((resolve) => {
    setTimeout(resolve, 0);
  });
  breath.since = performance.now();
}
