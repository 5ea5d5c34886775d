/** Senseless values in every field of what a function is given: it returns or refuses them, in one line and in time. */
import * as fc from "fast-check";
import { expect } from "vitest";
import { ParameterError } from "../src/model/errors.js";

const JUNK: readonly unknown[] = [
  null,
  undefined,
  NaN,
  Infinity,
  -Infinity,
  -1,
  0,
  1e300,
  -1e300,
  1e-300,
  1e7,
  0.5,
  3,
  "text",
  "",
  true,
  [],
  {},
  [null],
  [NaN],
  [[]],
  [0, 0],
  [1e300, 1e300],
  () => 1,
  10n,
  Symbol("junk"),
  new Float64Array(0),
  new Float64Array([NaN]),
];

type Place = readonly (string | number)[];

/** All places within a value: of a list its first and last entry, of an array of numbers its first and middle one. */
function placesOf(value: unknown, at: Place = []): Place[] {
  const here = at.length === 0 ? [] : [at];
  if (typeof value !== "object" || value === null) return here;
  if (ArrayBuffer.isView(value)) return [...here, [...at, 0], [...at, (value as Float64Array).length >> 1]];
  const entries: [string | number, unknown][] = Array.isArray(value)
    ? [...value.entries()].filter(([index]) => at.length === 0 || index === 0 || index === value.length - 1)
    : Object.entries(value);
  return [...here, ...entries.flatMap(([key, inner]) => placesOf(inner, [...at, key]))];
}

function replaced(value: unknown, place: Place, by: unknown): unknown {
  const [key, ...rest] = place;
  if (key === undefined) return by;
  if (typeof value !== "object" || value === null) return value;
  if (ArrayBuffer.isView(value) || Array.isArray(value)) {
    const list: unknown[] = Array.from(value as ArrayLike<unknown>);
    list[key as number] = replaced(list[key as number], rest, by);
    return list;
  }
  return { ...value, [key]: replaced((value as Record<string, unknown>)[key], rest, by) };
}

/** What can be given a signal with it; anything else as it is. */
export function stoppedBy<T>(spec: T, signal: AbortSignal): T {
  const isRecord = typeof spec === "object" && spec !== null && !Array.isArray(spec);
  return isRecord && !("signal" in spec) ? { ...spec, signal } : spec;
}

/** Runs a generator to its end. */
export async function drained<Result>(run: AsyncGenerator<unknown, Result>): Promise<Result> {
  let turn = await run.next();
  while (turn.done !== true) turn = await run.next();
  return turn.value;
}

/** A run is told to stop after so long, and has stopped after so long more. */
const STOP_ms = 200;
const GRACE_ms = 4000;

/**
 * Holds that a function which is given senseless values in one or two fields of its arguments returns, stops when told to, or
 * throws a ParameterError of one line that a reader bears.
 */
export async function refusesJunk<Given extends readonly unknown[]>(
  given: Given,
  call: (given: Given, signal: AbortSignal) => unknown,
  numRuns = 300,
): Promise<void> {
  const places = placesOf(given);
  const edit = fc.record({ place: fc.constantFrom(...places), junk: fc.nat(JUNK.length - 1) });
  await fc.assert(
    fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 2 }), async (edits) => {
      const spoiled = edits.reduce<unknown>((value, { place, junk }) => replaced(value, place, JUNK[junk]), given);
      const from = performance.now();
      try {
        await call(spoiled as Given, AbortSignal.timeout(STOP_ms));
      } catch (error) {
        if ((error as Error).name !== "TimeoutError") {
          expect(error).toBeInstanceOf(ParameterError);
          expect((error as Error).message).toMatch(/^\S.{10,200}$/);
        }
      }
      expect(performance.now() - from).toBeLessThan(STOP_ms + GRACE_ms);
    }),
    { numRuns },
  );
}
