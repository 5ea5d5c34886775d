/** From the time stamps that a file gives its frames to times that can be trusted. */

/** Times of frames, and whether they can serve as a clock. */
export interface FrameTimes {
  /** Seconds from the first stamp; NaN for a frame whose stamp is missing or contradicts its neighbours. */
  readonly time_s: Float64Array;
  /** False where there are too few stamps, or where too many contradict each other; `time_s` then holds them as given. */
  readonly sound: boolean;
  readonly warnings: readonly string[];
}

/** Share of frames that may lack a good stamp before the stamps as a whole are not believed. */
const tolerated = 0.1;

/**
 * Checks stamps, NaN where missing, that should rise from frame to frame. `name` is what the file calls them.
 * A few bad ones are set to NaN and named: those outside the longest strictly rising series.
 */
export function checkStamps(stamps_s: Float64Array, name: string): FrameTimes {
  const present: number[] = [];
  for (let frame = 0; frame < stamps_s.length; frame++) if (Number.isFinite(stamps_s[frame]!)) present.push(frame);
  const time_s = stamps_s.map((stamp) => (Number.isFinite(stamp) ? stamp - stamps_s[present[0]!]! : Number.NaN));
  const allowed = tolerated * stamps_s.length;
  const missing = stamps_s.length - present.length;
  if (missing > allowed) {
    const warnings = present.length === 0 ? [] : [`${missing} of ${stamps_s.length} frames have no ${name}.`];
    return { time_s, sound: false, warnings };
  }
  const rising = new Set(longestRise(time_s, present));
  const contrary = present.filter((frame) => !rising.has(frame));
  if (contrary.length > allowed) {
    const first = present.find((frame, at) => at > 0 && !(time_s[frame]! > time_s[present[at - 1]!]!))!;
    return { time_s, sound: false, warnings: [`${name} does not rise from frame ${first - 1} to frame ${first}.`] };
  }
  const warnings: string[] = [];
  if (missing > 0) {
    const absent = [...stamps_s.keys()].filter((frame) => !Number.isFinite(stamps_s[frame]!));
    warnings.push(`${name} is missing for ${frameList(absent)}: when they were taken is unknown.`);
  }
  if (contrary.length > 0) {
    warnings.push(`${name} of ${frameList(contrary)} contradicts its neighbours: when they were taken is unknown.`);
    for (const frame of contrary) time_s[frame] = Number.NaN;
  }
  const origin = time_s.find((time) => Number.isFinite(time)) ?? 0;
  return { time_s: time_s.map((time) => time - origin), sound: true, warnings };
}

/** The longest strictly rising series of values at the given places, by patience sorting. */
function longestRise(values: Float64Array, places: readonly number[]): number[] {
  const tails: number[] = [];
  const before = new Map<number, number>();
  for (const place of places) {
    let low = 0;
    let high = tails.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (values[tails[middle]!]! < values[place]!) low = middle + 1;
      else high = middle;
    }
    if (low > 0) before.set(place, tails[low - 1]!);
    tails[low] = place;
  }
  const series: number[] = [];
  for (let place = tails.at(-1); place !== undefined; place = before.get(place)) series.push(place);
  return series.reverse();
}

/** Frames in words: "frame 7", "frames 3 to 5, 9", at most eight stretches of them. */
export function frameList(frames: readonly number[]): string {
  if (frames.length === 1) return `frame ${frames[0]}`;
  const stretches: string[] = [];
  let first = 0;
  for (let at = 1; at <= frames.length; at++) {
    if (at < frames.length && frames[at] === frames[at - 1]! + 1) continue;
    stretches.push(at - 1 === first ? `${frames[first]}` : `${frames[first]} to ${frames[at - 1]}`);
    first = at;
  }
  const shown = stretches.slice(0, 8).join(", ");
  return `frames ${shown}${stretches.length > 8 ? ` and others, ${frames.length} in all` : ""}`;
}

/**
 * A civil time some seconds later, its zone kept as written; null where it is no ISO 8601 date and time.
 */
export function laterCivilTime(start: string, seconds: number): string | null {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:?\d\d)?$/.exec(start.trim());
  const time = match === null ? Number.NaN : Date.parse(`${match[1]}Z`);
  if (match === null || Number.isNaN(time)) return null;
  if (seconds === 0) return match[0];
  return new Date(time + Math.round(1000 * seconds)).toISOString().slice(0, -1) + (match[2] ?? "");
}
