/** What a number, a list or a record must be at the door, and the refusal that names it, its value and the cure. */
import { ParameterError } from "../model/errors.js";

/** A value is told in so many characters, a list by so many entries. */
const SHOWN = 60;
const ENTRIES = 4;

/** Throws a ParameterError in one line: the name, the value cut short, and the cure, a sentence without its stop. */
export function refuse(name: string, value: unknown, cure: string): never {
  throw new ParameterError(`${name} is ${shown(value)}. ${cure}.`, { parameter: name, value });
}

/** Any value in a message, cut short. */
export function shown(value: unknown): string {
  const text = told(value, 2);
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}...` : text;
}

function told(value: unknown, depth: number): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, SHOWN));
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return String(value);
  if (ArrayBuffer.isView(value)) return `${value.constructor.name} of ${value.byteLength} bytes`;
  if (depth === 0) return "...";
  const more = (count: number): string => (count > ENTRIES ? ", ..." : "");
  if (Array.isArray(value)) {
    return `[${value
      .slice(0, ENTRIES)
      .map((one: unknown) => told(one, depth - 1))
      .join(", ")}${more(value.length)}]`;
  }
  const entries = Object.entries(value);
  const first = entries.slice(0, ENTRIES).map(([key, one]) => `${key}: ${told(one, depth - 1)}`);
  return entries.length === 0 ? "{}" : `{ ${first.join(", ")}${more(entries.length)} }`;
}

/** Whether a value has named parts: no list and not null. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

/** Refuses what has no named parts; `cure` says which. */
export function record(name: string, value: unknown, cure: string): void {
  if (!isRecord(value)) refuse(name, value, cure);
}

/** Refuses what is no list of records, `least` of them to `most`. */
export function records(name: string, value: unknown, least: number, most: number, cure: string): void {
  if (!Array.isArray(value) || value.length < least || value.length > most) refuse(name, value, cure);
  for (const [at, one] of value.entries()) record(`${name}.${at}`, one, cure);
}

/** Refuses what is no number, or not finite. */
export function finite(name: string, value: unknown, cure = "Give a number"): void {
  if (!Number.isFinite(value)) refuse(name, value, cure);
}

/** Refuses what is no number above 0. */
export function positive(name: string, value: unknown, cure: string): void {
  if (!(typeof value === "number" && value > 0 && value < Infinity)) refuse(name, value, cure);
}

/** Refuses what is no number from `least` to `most`, both allowed. */
export function within(
  name: string,
  value: unknown,
  least: number,
  most: number,
  cure = `Give ${least} to ${most}`,
): void {
  if (!(typeof value === "number" && value >= least && value <= most)) refuse(name, value, cure);
}

/** Refuses what is no whole number from `least` to `most`. */
export function whole(name: string, value: unknown, least: number, most: number): void {
  if (!(Number.isInteger(value) && (value as number) >= least && (value as number) <= most)) {
    refuse(name, value, `Give a whole number, ${least} to ${most}`);
  }
}

/** No cell has more volts, either way: beyond, the rates of a reaction are no numbers. */
export const MOST_V = 10;

/** Refuses what is no potential against lithium, V. */
export function potential(name: string, value: unknown): void {
  within(name, value, -MOST_V, MOST_V, `Give a potential against lithium in V, ${-MOST_V} to ${MOST_V}`);
}

/** Refuses what is no seed: a whole number that a double holds exactly. */
export function seeded(name: string, value: unknown): void {
  if (!Number.isSafeInteger(value)) refuse(name, value, "Give a whole number, such as 1");
}

/** Refuses what is none of some words. */
export function oneOf(name: string, value: unknown, words: readonly string[]): void {
  if (typeof value !== "string" || !words.includes(value)) refuse(name, value, `Give one of ${words.join(", ")}`);
}

/** Refuses what is no list of two numbers from `least` to `most`. */
export function pair(name: string, value: unknown, least: number, most: number, cure: string): void {
  if (!Array.isArray(value) || value.length !== 2) refuse(name, value, cure);
  for (const one of value) within(name, one, least, most, cure);
}

/** Refuses what is no array of numbers, or not of `length` entries; they may be NaN. */
export function entries(name: string, value: unknown, length: number, cure: string): void {
  if (typeof value !== "object" || value === null || !("length" in value) || !Number.isInteger(value.length)) {
    refuse(name, value, cure);
  }
  if (value.length !== length) {
    throw new ParameterError(`${name} has ${shown(value.length)} entries, not ${length}. ${cure}.`, {
      parameter: name,
      value: value.length,
    });
  }
  // A typed array holds numbers by itself, save that of the integers that are none.
  if (ArrayBuffer.isView(value) && !(value instanceof BigInt64Array) && !(value instanceof BigUint64Array)) return;
  const listed = value as ArrayLike<unknown>;
  for (let at = 0; at < length; at++) if (typeof listed[at] !== "number") refuse(`${name}.${at}`, listed[at], cure);
}

/** Refuses what can stop no run; left out, nothing does. */
export function stoppable(signal: unknown): void {
  if (signal === undefined) return;
  if (!isRecord(signal) || typeof signal["throwIfAborted"] !== "function") {
    refuse("signal", signal, "Give that of an AbortController, or leave it out");
  }
}

/** Refuses what is to be told something and is no function; left out, nobody is told. */
export function callable(name: string, told: unknown): void {
  if (told !== undefined && typeof told !== "function") refuse(name, told, "Give a function, or leave it out");
}
