/**
 * Wall-clock times as instruments write them: local, mostly without a zone, in the order of the exporting computer.
 * They leave as ISO 8601 text, "2020-10-26T12:49:58", with milliseconds only where they are not zero.
 */

/** A moment on a wall clock: milliseconds since 1970 as that clock counts them, and its zone ("Z", "+02:00"), "" where unknown. */
export interface CivilTime {
  readonly ms: number;
  readonly zone: string;
}

/** Which comes first in 03/04/2024. */
export type DateOrder = "month-first" | "day-first";

const clock = String.raw`(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*([ap]m)?\s*(z|utc|gmt|[+-]\d{2}:?\d{2})?`;
const yearFirst = new RegExp(String.raw`^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})[t\s]+${clock}$`, "i");
const yearLast = new RegExp(String.raw`^(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2}),?[t\s]+${clock}$`, "i");
const namedMonth = new RegExp(String.raw`^(\d{1,2})[-/. ]([a-z]{3})[a-z]*[-/. ](\d{4}|\d{2}),?\s+${clock}$`, "i");
const monthFirst = new RegExp(
  String.raw`^(?:[a-z]{3,9},?\s+)?([a-z]{3})[a-z]*\.?\s+(\d{1,2}),?\s+(\d{4}),?\s+${clock}$`,
  "i",
);
const yearAtEnd = /^((?:[a-z]{3,9},?\s+)?[a-z]{3}[a-z]*\.?\s+\d{1,2}),?\s+([\d:.]+(?:\s*[ap]m)?)\s+(\d{4})$/i;
const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/**
 * Reads "2024-04-30 14:33:19.5+02:00", "04/30/2024 14:33:19", "30.04.2024 2:33:19 PM", "23-Nov-23 3:56:11 PM",
 * "Nov 23, 2023 15:56:11" or "Thu Nov 23 15:56:11 2023".
 * A two-digit year is of this century. Null where it is no date with a time of day, or no such day exists.
 */
export function readCivilTime(text: string, order: DateOrder = "month-first"): CivilTime | null {
  const trimmed = text.trim().replace(yearAtEnd, "$1 $3 $2");
  let match = yearFirst.exec(trimmed);
  let year: number;
  let month: number;
  let day: number;
  if (match !== null) {
    [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  } else if ((match = yearLast.exec(trimmed)) !== null) {
    year = Number(match[3]);
    [month, day] =
      order === "month-first" ? [Number(match[1]), Number(match[2])] : [Number(match[2]), Number(match[1])];
  } else if ((match = namedMonth.exec(trimmed)) !== null) {
    [year, month, day] = [Number(match[3]), months.indexOf(match[2]!.toLowerCase()) + 1, Number(match[1])];
  } else if ((match = monthFirst.exec(trimmed)) !== null) {
    [year, month, day] = [Number(match[3]), months.indexOf(match[1]!.toLowerCase()) + 1, Number(match[2])];
  } else return null;
  if (year < 100) year += 2000;

  const half = match[8]?.toLowerCase();
  let hour = Number(match[4]);
  if (half !== undefined) hour = (hour % 12) + (half === "pm" ? 12 : 0);
  const minute = Number(match[5]);
  const second = Number(match[6] ?? 0);
  const fraction_ms = Math.round(1000 * Number(`0.${match[7] ?? 0}`));
  const midnight = Date.UTC(year, month - 1, day);
  const date = new Date(midnight);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null;
  if (hour > 23 || minute > 59 || second > 60) return null;
  return { ms: midnight + 1000 * (60 * (60 * hour + minute) + second) + fraction_ms, zone: zoneOf(match[9]) };
}

function zoneOf(text: string | undefined): string {
  if (text === undefined) return "";
  if (/^[a-z]/i.test(text)) return "Z";
  const digits = text.replace(":", "");
  return `${digits.slice(0, 3)}:${digits.slice(3)}`;
}

/**
 * The order of day and month in a file, from every date in it: a number above 12 tells, else dots mean day first.
 * `certain` is false where nothing in the file tells it.
 */
export function dateOrder(texts: Iterable<string>): { readonly order: DateOrder; readonly certain: boolean } {
  let dots = false;
  let ambiguous = false;
  for (const text of texts) {
    const match = /^\s*(\d{1,2})([-/.])(\d{1,2})\2(?:\d{4}|\d{2})\b/.exec(text);
    if (match === null) continue;
    const [first, second] = [Number(match[1]), Number(match[3])];
    if (first > 12) return { order: "day-first", certain: true };
    if (second > 12) return { order: "month-first", certain: true };
    if (first !== second) ambiguous = true;
    if (match[2] === ".") dots = true;
  }
  return { order: dots ? "day-first" : "month-first", certain: !ambiguous || dots };
}

/** OLE days (since 1899-12-30, local), to the millisecond. */
export function fromOleDays(days: number): CivilTime {
  return { ms: Math.round((days - 25569) * 86_400_000), zone: "" };
}

/** Unix seconds, which are UTC, to the millisecond. */
export function fromUnixTime(seconds: number): CivilTime {
  return { ms: Math.round(seconds * 1000), zone: "Z" };
}

/** ISO 8601 text; milliseconds only where they are not zero, a zone only where there is one. */
export function civilText({ ms, zone }: CivilTime): string {
  const text = new Date(ms).toISOString();
  return text.slice(0, ms % 1000 === 0 ? 19 : 23) + zone;
}

/** The moment some seconds later, to the millisecond. */
export function later(time: CivilTime, seconds: number): CivilTime {
  return { ms: Math.round(time.ms + 1000 * seconds), zone: time.zone };
}

/**
 * The moment at which a record's time is 0, from the civil time of a row and that row's time.
 * Where the clock shows whole seconds only, so does the answer.
 */
export function clockZero(row: CivilTime, time_s: number, wholeSeconds: boolean): CivilTime {
  const zero = later(row, -time_s);
  return wholeSeconds ? { ms: 1000 * Math.round(zero.ms / 1000), zone: row.zone } : zero;
}

/** Seconds from one ISO 8601 time to another; null where only one of them has a zone. */
export function secondsBetween(from: string, to: string): number | null {
  const a = readCivilTime(from);
  const b = readCivilTime(to);
  if (a === null || b === null || (a.zone === "") !== (b.zone === "")) return null;
  return (unixMilliseconds(b) - unixMilliseconds(a)) / 1000;
}

/** Milliseconds since 1970 in UTC of a time with a zone; one without is taken as UTC. */
export function unixMilliseconds({ ms, zone }: CivilTime): number {
  return ms - 60_000 * zoneMinutes(zone);
}

function zoneMinutes(zone: string): number {
  if (zone === "" || zone === "Z") return 0;
  const sign = zone.startsWith("-") ? -1 : 1;
  return sign * (60 * Number(zone.slice(1, 3)) + Number(zone.slice(4, 6)));
}
