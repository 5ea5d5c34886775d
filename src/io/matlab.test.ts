import * as fc from "fast-check";
import { zlibSync } from "fflate";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { dataFolder } from "../../test/data-folder.js";
import { FormatError } from "../model/errors.js";
import { memorySource } from "./bytes.js";
import { openFile } from "./bytes.node.js";
import { isMatlab, readMatlab } from "./matlab.js";

/** An element: tag, data, filled up to eight bytes. */
function element(type: number, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(8 + data.length + (-data.length & 7));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, data.length, true);
  bytes.set(data, 8);
  return bytes;
}

const letters = (word: string): Uint8Array => new TextEncoder().encode(word);
const joined = (...parts: Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]));
const int32 = (...values: number[]): Uint8Array => new Uint8Array(Int32Array.from(values).buffer);

function variable(name: string, kind: number, shape: number[], ...rest: Uint8Array[]): Uint8Array {
  return element(
    14,
    joined(element(6, int32(kind, 0)), element(5, int32(...shape)), element(1, letters(name)), ...rest),
  );
}

const doubles = (name: string, count: number): Uint8Array =>
  variable(name, 6, [count, 1], element(9, new Uint8Array(8 * count)));

function struct(name: string, fields: Readonly<Record<string, number>>): Uint8Array {
  const names = new Uint8Array(32 * Object.keys(fields).length);
  for (const [at, field] of Object.keys(fields).entries()) names.set(letters(field), 32 * at);
  const arrays = Object.values(fields).map((count) => doubles("", count));
  // The length of a field's name is a small element: its four bytes stand in the tag.
  return variable(name, 2, [1, 1], joined(Uint8Array.of(5, 0, 4, 0), int32(32)), element(1, names), ...arrays);
}

function matFile(...elements: Uint8Array[]): Uint8Array {
  const head = new Uint8Array(128).fill(32);
  head.set(letters("MATLAB 5.0 MAT-file"));
  head.set([0, 1, 0x49, 0x4d], 124);
  return joined(head, ...elements);
}

const zipped = (inner: Uint8Array): Uint8Array => {
  const data = zlibSync(inner);
  return element(15, data).subarray(0, 8 + data.length);
};

const file = matFile(
  doubles("time", 7),
  zipped(struct("cell", { voltage: 532, normalizedCapacity: 532 })),
  doubles("x", 1),
);

test("variables are told by name, size and class, packed ones and the fields of a struct too", async () => {
  expect(isMatlab(file)).toBe(true);
  const told = await readMatlab(memorySource("a.mat", file));
  expect(told.description).toBe(
    "a MATLAB file with time 7 x 1 double, cell 1 x 1 struct (voltage 532 x 1 double, normalizedCapacity 532 x 1 double), x 1 x 1 double. " +
      "Its numbers are not read; export the record as CSV.",
  );
  expect(told.columns).toEqual(["time", "cell", "x"]);
  expect(told.warnings).toEqual([]);
});

test("a file that was cut says so, and what is no element is refused with its place", async () => {
  const cut = await readMatlab(memorySource("a.mat", file.subarray(0, file.length - 4)));
  expect(cut.warnings.join()).toMatch(/cut off: 4 bytes of its last variable/);
  await expect(readMatlab(memorySource("a.mat", matFile(element(99, int32(1)))))).rejects.toThrow(
    /at byte 128 is an element of type 99/,
  );
});

test("a packed variable that swells without end is looked at up to its limit", async () => {
  const bomb = matFile(zipped(new Uint8Array(24 << 20)));
  const told = await readMatlab(memorySource("a.mat", bomb));
  expect(told.columns).toHaveLength(1);
});

test("a damaged file is told or refused, never more", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(file.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }),
      fc.nat(file.length),
      async (changes, length) => {
        const bytes = file.slice();
        for (const [at, value] of changes) bytes[at] = value;
        const error = await readMatlab(memorySource("a.mat", bytes.subarray(0, Math.max(128, length)))).then(
          () => null,
          (cause: unknown) => cause,
        );
        if (error !== null) expect(error).toBeInstanceOf(FormatError);
      },
    ),
    { numRuns: 300 },
  );
});

describe.skipIf(dataFolder === null)("real files", () => {
  test.each([
    ["Gr_Delithiation_Hossain", /Gr_Delithiation_Hossain 1 x 1 struct \(.*voltage 532 x 1 double/],
    ["Gr_Lithiation_Rehm", /voltage 18069 x 1 double/],
    ["LGM36_PE_coin_Cathode_Delithiation_0C04", /MRe_M36_PE_coin_Cathode_Delithiation_0C04 .*voltage 4437 x 1 double/],
  ])("%s", async (name, words) => {
    const source = await openFile(path.join(dataFolder!, "echem", "mat", `${name}.mat`));
    expect((await readMatlab(source)).description).toMatch(words);
    await source.close();
  });
});
