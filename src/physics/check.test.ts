import { expect, test } from "vitest";
import { ParameterError } from "../model/errors.js";
import { entries, MOST_V, oneOf, pair, potential, refuse, seeded, shown, stoppable, whole, within } from "./check.js";

function refused(run: () => void): ParameterError {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(ParameterError);
    return error as ParameterError;
  }
  throw new Error("not refused");
}

test("a refusal is one line with the name, the value and the cure, whatever the value", () => {
  const around: Record<string, unknown> = {};
  around["itself"] = around;
  const values: [unknown, string][] = [
    [3, "a is 3. Give 4."],
    [NaN, "a is NaN. Give 4."],
    ["x\ny", 'a is "x\\ny". Give 4.'],
    [10n, "a is 10. Give 4."],
    [Symbol("s"), "a is Symbol(s). Give 4."],
    [undefined, "a is undefined. Give 4."],
    [() => 1, "a is a function. Give 4."],
    [[1, NaN, null], "a is [1, NaN, null]. Give 4."],
    [{ b: 1 }, "a is { b: 1 }. Give 4."],
    [{}, "a is {}. Give 4."],
    [new Float64Array(2), "a is Float64Array of 16 bytes. Give 4."],
    [around, "a is { itself: { itself: ... } }. Give 4."],
  ];
  for (const [value, message] of values) {
    const error = refused(() => refuse("a", value, "Give 4"));
    expect(error.message).toBe(message);
    expect([error.parameter, error.value]).toEqual(["a", value]);
  }
  expect(shown("long".repeat(1000)).length).toBeLessThan(70);
  expect(shown(Array.from({ length: 1e6 }, () => 1.23456789)).length).toBeLessThan(70);
});

test("a number in words, a list in a number's place and a number beyond its bounds are refused", () => {
  for (const value of ["3", [3], 3n, null, undefined, NaN, Infinity, 4.001, true]) {
    expect(refused(() => within("a", value, 2, 4)).message).toMatch(/Give 2 to 4\.$/);
    expect(refused(() => whole("a", value, 2, 4)).message).toMatch(/Give a whole number, 2 to 4\.$/);
    expect(refused(() => pair("a", [2, value], 2, 4, "Give two")).message).toMatch(/Give two\.$/);
  }
  within("a", 4, 2, 4);
  whole("a", 2, 2, 4);
  pair("a", [2, 4], 2, 4, "Give two");
  for (const value of [2 ** 60, 0.5, "1"]) refused(() => seeded("seed", value));
  for (const value of [MOST_V + 1e-9, -11, NaN]) refused(() => potential("E_V", value));
  refused(() => oneOf("a", "wave", ["core", "hybrid"]));
});

test("an array has its length and numbers in it, NaN too", () => {
  entries("a", [1, NaN], 2, "Give two");
  entries("a", new Float32Array(2), 2, "Give two");
  expect(refused(() => entries("a", [1], 2, "Give two")).message).toBe("a has 1 entries, not 2. Give two.");
  for (const value of ["ab", null, { length: NaN }, new BigInt64Array(2), [1, "2"], [1, 2n]]) {
    refused(() => entries("a", value, 2, "Give two"));
  }
});

test("what can stop a run has a way to say so", () => {
  stoppable(undefined);
  stoppable(new AbortController().signal);
  for (const value of [null, 1, {}, new AbortController()]) refused(() => stoppable(value));
});
