/** A glance as facts: for scripts, as a table in words, and as the lines under its picture. */
import type { Glance, Moment } from "./glance.js";
import { percent, seconds } from "./glance-warnings.js";

/** A glance as JSON: the movie's facts, one list for each thing measured, one entry a moment. */
export function glanceFacts(seen: Glance): object {
  const { movie, moments, saturation, time } = seen;
  const list = <T>(of: (moment: Moment) => T): T[] => moments.map(of);
  const all = <T>(values: T[]): T[] | null => (values.every((value) => value === null) ? null : values);
  return {
    kind: "glance",
    name: movie.name,
    format: movie.format,
    width: movie.width,
    height: movie.height,
    frames: movie.frames,
    dtype: movie.dtype,
    pixelSize_um: movie.pixelSize_um,
    pixelSizeSource: movie.pixelSizeSource,
    start: movie.start,
    frameStamp: movie.frameStamp,
    time: time === null ? null : { ...time, source: movie.timeSource },
    looked: {
      moments: moments.length,
      elapsed_s: seen.elapsed_s,
      readFrame_s: seen.readFrame_s,
      stopped: seen.stopped,
    },
    frame: list(({ frame }) => frame),
    time_s: all(list(({ time_s }) => time_s)),
    light: {
      mean: list(({ mean }) => mean),
      min: list(({ min }) => min),
      max: list(({ max }) => max),
      p1: list(({ p1 }) => p1),
      p50: list(({ p50 }) => p50),
      p99: list(({ p99 }) => p99),
      saturation,
      saturated: list((moment) => saturatedShare(moment, saturation)),
      zero: list(({ atZero }) => atZero),
    },
    flicker: { value: seen.flicker.value, n: seen.flicker.n, step: list(({ step }) => step) },
    repeated: moments.filter(({ repeated }) => repeated).map(({ frame }) => frame),
    blank: moments.filter(({ min, max }) => !(max > min)).map(({ frame }) => frame),
    sharpness: { fineContrast: list(({ fineContrast }) => fineContrast) },
    drift: { x_px: list(({ x_px }) => x_px), y_px: list(({ y_px }) => y_px) },
    expected: seen.expected,
    warnings: seen.warnings,
  };
}

function saturatedShare({ max, atMax }: Moment, saturation: number | null): number {
  return saturation !== null && max === saturation ? atMax : 0;
}

/** What was measured, a name and its words. */
export function glanceRows(seen: Glance): readonly (readonly [string, string])[] {
  const { movie, moments, time, saturation, flicker, expected } = seen;
  const means = moments.map(({ mean }) => mean).filter((mean) => Number.isFinite(mean));
  const most = Math.max(...moments.map((moment) => saturatedShare(moment, saturation)));
  return [
    ["frames", `${movie.frames} of ${movie.width} x ${movie.height} px, ${movie.dtype}, ${bytesText(expected.bytes)}`],
    [
      "pixel size",
      movie.pixelSize_um === null
        ? "not in the file: places are in px"
        : `${movie.pixelSize_um} um (${movie.pixelSizeSource})`,
    ],
    [
      "time",
      time === null
        ? "not in the file: frames are counted"
        : `${seconds(time.last_s - time.first_s)}, a frame every ${seconds(time.median_interval_s)}, at most ${seconds(time.longest_interval_s)} apart (${movie.timeSource})`,
    ],
    ["looked at", `${moments.length} ${moments.length === 1 ? "moment" : "moments"} in ${seen.elapsed_s.toFixed(1)} s`],
    [
      "light",
      means.length === 0
        ? "none"
        : `mean ${span(Math.min(...means), Math.max(...means))}, pixels from ${short(least(moments, "min"))} to ${short(-least(moments, "max", -1))}`,
    ],
    ["saturated", saturation === null ? "no pixel seen" : `at most ${percent(most)} of the pixels, at ${saturation}`],
    [
      "flicker",
      Number.isFinite(flicker.value)
        ? `${percent(flicker.value)} between neighbouring frames (${flicker.n} pairs)`
        : "not known: too few neighbouring frames",
    ],
    ["sharpness", sharpnessText(moments)],
    ["drift", driftText(seen)],
    [
      "one pass",
      `${wait(expected.read_s)} to read all frames at this rate, ${wait(expected.read_s + expected.registration_s)} or so with their drift on one core`,
    ],
  ];
}

/** The lines under the picture's title. */
export function factLines(seen: Glance): string[] {
  const rows = new Map(glanceRows(seen));
  const part = (...names: string[]): string => names.map((name) => `${name}: ${rows.get(name)!}`).join(" · ");
  return [part("frames", "pixel size", "time"), part("light", "saturated", "flicker"), part("sharpness", "drift")];
}

function least(moments: readonly Moment[], key: "min" | "max", sign = 1): number {
  return Math.min(...moments.map((moment) => sign * moment[key]).filter((value) => Number.isFinite(value)));
}

function wait(time_s: number): string {
  return time_s < 1 ? "under a second" : seconds(Math.round(time_s));
}

function span(low: number, high: number): string {
  return short(low) === short(high) ? short(low) : `${short(low)} to ${short(high)}`;
}

function short(value: number): string {
  return String(Number(value.toPrecision(Math.abs(value) >= 1000 ? 5 : 4)));
}

function bytesText(bytes: number): string {
  const [unit, of] = bytes >= 1e9 ? ["GB", 1e9] : bytes >= 1e6 ? ["MB", 1e6] : ["kB", 1e3];
  return `${Number((bytes / (of as number)).toPrecision(3))} ${unit}`;
}

function sharpnessText(moments: readonly Moment[]): string {
  const known = moments.map(({ fineContrast }) => fineContrast).filter((value) => Number.isFinite(value));
  const [first] = known;
  if (first === undefined) return "not known";
  if (!(first > 0)) return "no fine structure stands out of the noise";
  return `fine contrast ${percent(first)} at first, lowest ${percent(Math.min(...known) / first)} of that`;
}

function driftText({ moments, movie }: Glance): string {
  const found = moments.filter(({ x_px }) => Number.isFinite(x_px));
  const last = found.at(-1);
  if (last === undefined || found.length < 2) return "not known";
  const farthest = Math.max(...found.map(({ x_px, y_px }) => Math.hypot(x_px, y_px)));
  const scale_um = movie.pixelSize_um;
  const um = scale_um === null ? "" : ` (${(Math.hypot(last.x_px, last.y_px) * scale_um).toFixed(2)} um)`;
  if (farthest < 0.05) return "none: less than 0.05 px";
  const across = `${Math.abs(last.x_px).toFixed(1)} px ${last.x_px < 0 ? "left" : "right"}`;
  const along = `${Math.abs(last.y_px).toFixed(1)} px ${last.y_px < 0 ? "up" : "down"}`;
  return `${across}, ${along}${um} by frame ${last.frame}, farthest ${farthest.toFixed(1)} px`;
}
