/**
 * Wall-clock time of a Neware record: from the date stamp of each row, refined by the time within its step.
 *
 * Old formats stamp whole seconds, and computers' clocks are set back and forth; the time within a step is fine and
 * even but stands still while a test is paused. Neither alone gives when a row was measured.
 */

/** What the rows of a record say of time; columns of one length. */
export interface RowTimes {
  /** Date stamp in seconds since 1970, as the file's clock counts them; NaN where there is none. */
  readonly stamp_s: Float64Array;
  /** How coarse a stamp is. */
  readonly resolution_s: number;
  /** Time since the step began, or since the test began where `elapsed` is "test"; NaN where there is none. */
  readonly elapsed_s: Float64Array;
  readonly elapsed: "step" | "test";
  /** Whether a row is the first of a step. */
  readonly begins: (row: number) => boolean;
}

/** Seconds from the first row, and the stamp that stands for 0. */
export interface RowClock {
  readonly time_s: Float64Array;
  /** Seconds since 1970 on the file's clock at which `time_s` is 0; NaN without stamps. */
  readonly zero_s: number;
  /** Seconds that the clock went on while the time within a step stood still, and how often by more than a minute. */
  readonly paused_s: number;
  readonly pauses: number;
  /** Longest step back of the stamps, in seconds; 0 where they never go back. */
  readonly setBack_s: number;
}

/** A clock set back by more is taken for another hour of the day, not for a correction. */
const CORRECTION_S = 1800;
/** So much longer must the clock have gone on within a step to count as a pause. */
const PAUSE_S = 60;

/**
 * The rows' times: they follow the time within the steps as long as that stays within the resolution of the stamps,
 * and the stamps otherwise (a pause counts). Where the stamps step back by up to half an hour the time runs at half
 * speed until they have caught up; where they step back further (an end of summer time) it goes on by the steps alone.
 * `time_s` never decreases.
 */
export function rowClock({ stamp_s, resolution_s, elapsed_s, elapsed, begins }: RowTimes): RowClock {
  const rows = stamp_s.length;
  const time_s = new Float64Array(rows);
  let zero_s = NaN;
  let moved_s = 0;
  let paused_s = 0;
  let pauses = 0;
  let setBack_s = 0;
  for (let row = 0; row < rows; row++) {
    const before_s = row === 0 ? 0 : time_s[row - 1]!;
    const gone_s = row === 0 ? 0 : goneSince(row);
    const expected_s = before_s + (Number.isNaN(gone_s) ? 0 : gone_s);
    const stamp = stamp_s[row]!;
    if (Number.isNaN(stamp)) {
      time_s[row] = expected_s;
      continue;
    }
    if (Number.isNaN(zero_s)) zero_s = stamp - expected_s;
    let told_s = stamp - zero_s + moved_s;
    const back_s = before_s - told_s - resolution_s;
    if (row > 0 && back_s > 0) {
      const step_s = stamp_s[row - 1]! - stamp;
      if (step_s > setBack_s) setBack_s = step_s;
      if (back_s > CORRECTION_S) {
        moved_s += expected_s - told_s;
        told_s = expected_s;
      }
    }
    if (row > 0 && told_s - resolution_s - expected_s > PAUSE_S && !begins(row) && !Number.isNaN(gone_s)) {
      paused_s += told_s - expected_s;
      pauses++;
    }
    const within_s = Number.isNaN(gone_s)
      ? told_s
      : Math.min(Math.max(expected_s, told_s - resolution_s), told_s + resolution_s);
    time_s[row] = Math.max(within_s, before_s + (expected_s - before_s) / 2);
  }
  // Dates in seconds since 1970 carry an error of some 1e-7 s.
  return { time_s: time_s.map((time) => Math.round(time * 1e6) / 1e6), zero_s, paused_s, pauses, setBack_s };

  /** Time since the row before by the file's own count; NaN where it does not tell. */
  function goneSince(row: number): number {
    const now_s = elapsed_s[row]!;
    const gone_s = now_s - elapsed_s[row - 1]!;
    if (elapsed === "test" || !begins(row)) return gone_s >= 0 ? gone_s : NaN;
    return now_s >= 0 ? now_s : NaN;
  }
}

/** Zones lie half hours from UTC, from 12 hours west to 14 hours east, and at these three quarters. */
const HALF_HOUR_S = 1800;
const ZONE_FIRST_S = -12 * 3600;
const ZONE_LAST_S = 14 * 3600;
const QUARTERS_S = [5.75, 8.75, 12.75].map((hours) => 3600 * hours);
/** A test's first row comes at most so long after its start, and its start at most so long after it. */
const LATE_S = 300;
const EARLY_S = 10;

/**
 * The zone of the computer that wrote a record, in seconds east of UTC: from the first row in UTC and the civil time at
 * which the test was started. Null where the two differ by no zone.
 */
export function zoneOffset_s(firstRow_s: number, started_s: number): number | null {
  const differ_s = started_s - firstRow_s;
  const halves_s = HALF_HOUR_S * Math.round((differ_s + LATE_S / 2) / HALF_HOUR_S);
  for (const offset_s of [halves_s, ...QUARTERS_S]) {
    const late_s = offset_s - differ_s;
    const fits = late_s <= LATE_S && late_s >= -EARLY_S;
    if (fits && offset_s >= ZONE_FIRST_S && offset_s <= ZONE_LAST_S) return offset_s;
  }
  return null;
}
