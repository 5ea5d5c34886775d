import * as fc from "fast-check";
import { expect, test } from "vitest";
import { buildXlsx, type BuiltSheet, type Cell } from "../../test/xlsx-builder.js";
import type { CyclingFile } from "../model/cycling.js";
import { FormatError } from "../model/errors.js";
import { readXlsx } from "./arbin-xlsx.js";
import { memorySource } from "./bytes.js";
import { openWorkbook, sniffXlsx } from "./xlsx.js";

const read = (bytes: Uint8Array): Promise<CyclingFile> => readXlsx(memorySource("run.xlsx", bytes));
const heads = [
  "Date_Time",
  "Test_Time(s)",
  "Cycle_Index",
  "Voltage(V)",
  "Current(A)",
  "Charge_Capacity(Ah)",
  "Discharge_Capacity(Ah)",
];
// 2020-10-19 11:31:45.500 in days.
const start_days = 44123 + (11 * 3600 + 31 * 60 + 45.5) / 86400;
const rowsOf = (from: number, to: number): Cell[][] =>
  Array.from({ length: to - from }, (_, at) => {
    const t = 10 * (from + at);
    return [{ days: start_days + t / 86400 }, t, 1, 3 + t / 1e5, 0.001, t / 3.6e6, 0];
  });
const info: BuiltSheet = {
  name: "Global_Info",
  rows: [
    [null, null, null, "TEST REPORT"],
    ["Channel", "Start DateTime", "Schedule File Name", "Creator", "Software Version"],
    [11, { days: start_days }, "Ada\\slow & steady.sdu", "Ada", "PV7.0"],
  ],
};

test("Arbin's workbook: sheets of one channel go on in the order of their numbers", async () => {
  for (const options of [{}, { prefix: "x:" }, { more: { "xl/media/a.png": new Uint8Array(9) } }]) {
    const bytes = buildXlsx(
      [
        info,
        { name: "Channel_11_2", rows: [heads, ...rowsOf(30, 50)] },
        { name: "Channel_11_1", rows: [heads, ...rowsOf(0, 30)] },
        {
          name: "Statistics_11",
          rows: [
            ["Cycle_Index", "Test_Time(s)", "Voltage(V)"],
            [1, 0, 3],
          ],
        },
      ],
      options,
    );
    expect(await sniffXlsx(bytes.subarray(0, 100), memorySource("run.xlsx", bytes))).toBe(true);
    const file = await read(bytes);
    expect([file.format, file.start, file.cycles]).toEqual(["arbin-xlsx", "2020-10-19T11:31:45.500", 1]);
    expect([...file.time_s]).toEqual(Array.from({ length: 50 }, (_, row) => 10 * row));
    expect(file.potential_V[49]).toBe(3 + 490 / 1e5);
    expect(new Set(file.current_mA)).toEqual(new Set([1]));
    expect(file.columns).toEqual(heads);
    expect(file.warnings).toEqual([]);
    expect(file.settings).toEqual({ channel: "11", schedule: "slow & steady.sdu", "software version": "PV7.0" });
  }
});

test("days are counted from 1904 where the workbook says so; without dates the start is Global_Info's", async () => {
  const later = (rows: Cell[][]): Cell[][] =>
    rows.map(([date, ...rest]) => [{ days: (date as { days: number }).days - 1462 }, ...rest]);
  const apple = buildXlsx([{ name: "Channel_1-006", rows: [heads, ...later(rowsOf(0, 5))] }], { date1904: true });
  expect((await read(apple)).start).toBe("2020-10-19T11:31:45.500");
  const undated = buildXlsx([
    info,
    { name: "Channel_11_1", rows: [heads.slice(1), ...rowsOf(0, 5).map((row) => row.slice(1))] },
  ]);
  expect((await read(undated)).start).toBe("2020-10-19T11:31:45.500");
});

test("another workbook: the first sheet with time and potential, heads below a preamble, durations as h:mm:ss", async () => {
  const bytes = buildXlsx([
    { name: "unit", rows: [["Start: 2024-05-01 10:00:00"], ["a", "b"]] },
    {
      name: "cycle",
      rows: [
        ["Cycle", "Capacity(mAh)"],
        [1, 0.5],
      ],
    },
    {
      name: "record",
      rows: [
        [{ inline: "Cell A & B" }],
        [],
        ["DataPoint", "Total Time", "Voltage(V)", "Current(mA)"],
        ...[0, 1, 2].map((hour): Cell[] => [hour + 1, { days: (hour + 23) / 24 }, 3.5 + hour / 10, -2]),
      ],
    },
  ]);
  const file = await read(bytes);
  expect(file.format).toBe("xlsx");
  expect([...file.time_s].map((t) => t - file.time_s[0]!)).toEqual([0, 3600, 7200]);
  expect([...file.current_mA]).toEqual([-2, -2, -2]);
  expect(file.warnings.join()).toMatch(/read from the sheet record/);
});

test("workbooks without such columns, or of several channels, are refused by name", async () => {
  const plain = buildXlsx([
    {
      name: "Sheet1",
      rows: [
        ["frequency", "Re Z"],
        [1, 2],
      ],
    },
  ]);
  await expect(read(plain)).rejects.toThrow(/run\.xlsx: no sheet of the workbook \(Sheet1\) has.*frequency, Re Z/);
  const two = buildXlsx([1, 2].map((channel) => ({ name: `Channel_${channel}_1`, rows: [heads, ...rowsOf(0, 3)] })));
  await expect(read(two)).rejects.toThrow(/records of 2 channels \(Channel_1_1, Channel_2_1\)/);
  await expect(read(buildXlsx([]))).rejects.toThrow(/has no sheet/);
});

test("a document that declares entities is refused; cells far to the right are left out", async () => {
  const evil = new TextEncoder().encode('<!DOCTYPE a [<!ENTITY b "cc">]><workbook/>');
  await expect(read(buildXlsx([info], { more: { "xl/workbook.xml": evil } }))).rejects.toThrow(/declares entities/);
  const wide = Array.from({ length: 2000 }, (): Cell => 7);
  const book = await openWorkbook(memorySource("run.xlsx", buildXlsx([{ name: "a", rows: [wide] }])));
  for await (const cells of book.rows("a")) expect(cells.length).toBe(1024);
});

test("cells come back as they were written, wherever they stand", async () => {
  const text = fc.string({ minLength: 1, maxLength: 8 });
  const cell: fc.Arbitrary<Cell> = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    text,
    text.map((inline) => ({ inline })),
    fc.constant(null),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(cell, { maxLength: 40 }), { maxLength: 6 }), async (rows) => {
      const book = await openWorkbook(memorySource("a.xlsx", buildXlsx([{ name: "a", rows }])));
      const found: string[][] = [];
      for await (const cells of book.rows("a")) found.push(cells);
      const wanted = rows.map((cells) => {
        const texts = cells.map((each) =>
          each === null ? "" : typeof each === "object" ? ("inline" in each ? each.inline : "") : String(each),
        );
        while (texts.at(-1) === "") texts.pop();
        return texts;
      });
      expect(found).toEqual(wanted.filter((cells) => cells.length > 0));
    }),
    { numRuns: 60 },
  );
});

test("a sheet that only opens elements takes no longer than one that closes them", async () => {
  const words = new TextEncoder().encode("<row><c><v>".repeat(300_000));
  const begun = performance.now();
  const bytes = buildXlsx([{ name: "a", rows: [] }], { more: { "xl/worksheets/sheet1.xml": [words, { level: 1 }] } });
  await expect(read(bytes)).rejects.toThrow(FormatError);
  expect(performance.now() - begun).toBeLessThan(1500);
});

test("workbooks with bytes flipped in any part, or cut anywhere, give a result or a sentence", async () => {
  const bytes = buildXlsx([{ name: "Channel_1_1", rows: [heads, ...rowsOf(0, 4)] }]);
  const attempt = async (changed: Uint8Array): Promise<void> => {
    try {
      await read(changed);
    } catch (error) {
      expect(error).toBeInstanceOf(FormatError);
    }
  };
  for (let cut = 0; cut < bytes.length; cut += 40) await attempt(bytes.subarray(0, cut));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }), async (flips) => {
      const changed = bytes.slice();
      for (const [at, value] of flips) changed[at % changed.length] = value;
      await attempt(changed);
    }),
    { numRuns: 150 },
  );
});
