import * as fc from "fast-check";
import { expect, test } from "vitest";
import { bytesOf } from "../../fixtures/cycling-builders.js";
import { memorySource } from "./bytes.js";
import { clockSeconds, hasDecimalComma, headLines, looksLikeText, numberOf, sniffEncoding, textLines } from "./text.js";

async function lines(bytes: Uint8Array): Promise<{ lines: string[]; ended: boolean }> {
  const all: string[] = [];
  let ended = true;
  for await (const batch of textLines(memorySource("a.txt", bytes), sniffEncoding(bytes))) {
    all.push(...batch.lines);
    ended = batch.ended;
  }
  return { lines: all, ended };
}

test.each(["utf-8", "latin1", "utf-16le", "utf-16be"] as const)(
  "units in %s are read as they were meant",
  async (encoding) => {
    const bytes = bytesOf("I/µA\tT/°C\r\n1\t2\r\n", encoding);
    expect((await lines(bytes)).lines).toEqual(["I/µA\tT/°C", "1\t2"]);
    expect(headLines(bytes)[0]).toBe("I/µA\tT/°C");
    expect(looksLikeText(bytes)).toBe(true);
  },
);

test("a byte order mark is no part of the first head", async () => {
  expect((await lines(bytesOf("\uFEFFtime_s,potential_V\n"))).lines).toEqual(["time_s,potential_V"]);
});

test("bytes of an image are no text", () => {
  expect(looksLikeText(Uint8Array.of(0x49, 0x49, 42, 0, 8, 0, 0, 0, 1, 2, 3, 4))).toBe(false);
  expect(looksLikeText(new Uint8Array(Uint16Array.from({ length: 600 }, (_, at) => at % 250).buffer))).toBe(false);
});

test("lines end with a line feed, a carriage return, or both; the last may lack its end", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.stringMatching(/^[a-z0-9\t,;µ]{0,8}$/), { maxLength: 8 }),
      fc.constantFrom("\n", "\r\n", "\r"),
      fc.boolean(),
      async (wanted, end, ended) => {
        const text = wanted.join(end) + (ended ? end : "");
        if (wanted.length === 0 || (wanted.at(-1) === "" && !ended)) return;
        expect(await lines(bytesOf(text))).toEqual({ lines: wanted, ended });
      },
    ),
  );
});

test("lines that lie across the blocks in which a file is read are whole", async () => {
  for (const end of ["\n", "\r\n", "\r"]) {
    // 21 bytes and its end do not divide the block; characters of two bytes lie across it.
    const wanted = Array.from({ length: 210_000 }, (_, row) => `${String(row).padStart(7, "0")} µµ °C µ µ`);
    const got = await lines(bytesOf(wanted.join(end) + end));
    expect(got.lines.length).toBe(wanted.length);
    expect(got.lines.findIndex((line, row) => line !== wanted[row])).toBe(-1);
    expect(got.ended).toBe(true);
  }
});

test("a decimal comma is told from the numbers, and every number survives it", () => {
  expect(hasDecimalComma(["1,5", "-2,4566256E-001", "42", "a"])).toBe(true);
  expect(hasDecimalComma(["1.5", "3", "..........a", "1,2"])).toBe(false);
  fc.assert(
    // Text has no negative zero.
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      expect(numberOf(String(value), false)).toBe(value + 0);
      expect(numberOf(` ${String(value).replace(".", ",")} `, true)).toBe(value + 0);
    }),
  );
});

test("what is no number is NaN, blanks too", () => {
  for (const cell of ["", "  ", "\t", "pass", "1.2.3", "--", undefined]) expect(numberOf(cell, false)).toBeNaN();
});

test.each([
  ["00:00:10", 10],
  ["131:44:13", 131 * 3600 + 44 * 60 + 13],
  ["1d 02:03:04.5", 86400 + 7384.5],
  [" 2 days 00:00:01", 172801],
  ["00:01:30.363", 90.363],
])("%s is %f s", (cell, wanted) => expect(clockSeconds(cell)).toBeCloseTo(wanted, 9));

test("a time of day with a date is no length of time", () => {
  expect(clockSeconds("2024-04-30 10:00:00")).toBeNaN();
  expect(clockSeconds("abc")).toBeNaN();
});
