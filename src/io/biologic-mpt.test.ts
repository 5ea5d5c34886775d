import * as fc from "fast-check";
import { expect, test } from "vitest";
import { buildMpr, buildMpt, bytesOf, type MptSpec } from "../../fixtures/cycling-builders.js";
import type { CyclingFile } from "../model/cycling.js";
import { FormatError } from "../model/errors.js";
import { readMpr } from "./biologic-mpr.js";
import { readMpt, sniffMpt } from "./biologic-mpt.js";
import { memorySource } from "./bytes.js";
import { isCycling } from "./cycling.js";

async function read(bytes: Uint8Array): Promise<CyclingFile> {
  expect(sniffMpt(bytes)).toBe(true);
  const file = await readMpt(memorySource("run.mpt", bytes));
  if (!isCycling(file)) throw new Error(file.description);
  return file;
}

const header = [
  "",
  "Galvanostatic Cycling with Potential Limitation",
  "",
  "Run on channel : 9 (SN 10199)",
  "Acquisition started on : 10/26/2020 12:49:58.250",
  "Electrode surface area : 0.001 cm²",
];

const number = fc.double({ min: -1e6, max: 1e6, noNaN: true }).map((value) => value + 0);
const rows = fc.array(fc.tuple(fc.double({ min: 0, max: 1e7, noNaN: true }), number, number, number), {
  minLength: 1,
  maxLength: 30,
});

test("every number is read as it was written, with point or comma, in cp1252 or UTF-8", async () => {
  await fc.assert(
    fc.asyncProperty(
      rows,
      fc.boolean(),
      fc.constantFrom("utf-8" as const, "latin1" as const),
      async (all, comma, encoding) => {
        const sorted = [...all].sort((a, b) => a[0] - b[0]);
        const column = (index: 0 | 1 | 2 | 3): number[] => sorted.map((row) => row[index] + 0);
        const text = buildMpt({
          comma,
          header,
          columns: [
            ["mode", column(0).map(() => 1)],
            ["time/s", column(0)],
            ["Ewe/V", column(1)],
            ["Capacitance/µF", column(3)],
            ["I/mA", column(2)],
            ["(Q-Qo)/mA.h", column(3)],
          ],
        });
        const file = await read(bytesOf(text, encoding));
        expect([...file.time_s]).toEqual(column(0));
        expect([...file.potential_V]).toEqual(column(1));
        expect([...file.current_mA]).toEqual(column(2));
        expect([...file.charge_mAh]).toEqual(column(3));
        expect(file.columns[3]).toBe("Capacitance/µF");
        expect(file.start).toBe("2020-10-26T12:49:58.250");
        expect(file.warnings.filter((said) => !said.includes("its potential reaches"))).toEqual([]);
      },
    ),
  );
});

test("the binary and the text of one run agree: time and charge to the last digit, potential to the text's rounding", async () => {
  const time_s = Array.from({ length: 200 }, (_, row) => row * 7.3 + (row % 3) * 0.1);
  const dq = time_s.map((_, row) => (row === 0 ? 0 : 1e-4 * Math.sin(row / 20)));
  const Ewe = Float32Array.from(time_s, (_, row) => 3.9 + 0.1 * Math.cos(row / 30));
  const half = time_s.map((_, row) => Math.floor(row / 60) * 2);
  const binary = await readMpr(
    memorySource(
      "run.mpr",
      buildMpr({
        frame: 3,
        columns: [
          { ids: [4], type: "f8", values: time_s },
          { ids: [7], type: "f8", values: dq },
          { ids: [6], type: "f4", values: Ewe },
          { ids: [468], type: "u4", values: half },
        ],
      }),
    ),
  );
  const current = time_s.map((t, row) => (row === 0 ? 0 : (3600 * dq[row]!) / (t - time_s[row - 1]!)));
  const text = await read(
    bytesOf(
      buildMpt({
        columns: [
          ["time/s", time_s],
          ["dq/mA.h", dq],
          ["Ewe/V", Array.from(Ewe, (value) => Number(value.toPrecision(8)))],
          ["<I>/mA", current],
          ["half cycle", half.map(String)],
        ],
      }),
    ),
  );
  if (!isCycling(binary)) throw new Error("the .mpr is no record");
  expect(text.cycles).toBe(binary.cycles);
  for (const row of time_s.keys()) {
    expect(text.time_s[row]).toBe(binary.time_s[row]);
    expect(text.charge_mAh[row]).toBeCloseTo(binary.charge_mAh[row]!, 15);
    expect(text.current_mA[row]).toBeCloseTo(binary.current_mA[row]!, 12);
    expect(Math.abs(text.potential_V[row]! / binary.potential_V[row]! - 1)).toBeLessThan(5e-8);
  }
});

test.each([
  ["Ewe/V", 1, "V"],
  ["<Ewe>/V", 1, "V"],
  ["<Ewe/V>", 1, "V"],
  ["Ecell/V", 1, "V"],
  [" Ecell/V", 1, "V"],
  ["Ewe/mV", 1e-3, "mV"],
])("the potential is found under the name %s", async (name, factor) => {
  const file = await read(
    bytesOf(
      buildMpt({
        columns: [
          ["time/s", [0, 1]],
          [name, [3.5, 3.25]],
          ["I/mA", [0, 0]],
        ],
      }),
    ),
  );
  expect([...file.potential_V]).toEqual([3.5 * factor, 3.25 * factor]);
});

test("Ewe comes before <Ewe> before Ecell, I before <I>, whatever their order", async () => {
  const columns: MptSpec["columns"] = [
    ["Ecell/V", [9, 9]],
    ["<I>/mA", [8, 8]],
    ["<Ewe>/V", [7, 7]],
    ["I/A", [1, 2]],
    ["Ewe/V", [3, 4]],
    ["time/s", [0, 1]],
  ];
  const file = await read(bytesOf(buildMpt({ columns })));
  expect([...file.potential_V]).toEqual([3, 4]);
  expect([...file.current_mA]).toEqual([1000, 2000]);
});

test("date-times in the column of time count from the start of the acquisition", async () => {
  const stamps = ["10/26/2020 12:50:00.250", "10/26/2020 12:50:01.500", "10/27/2020 12:49:58.250"];
  const columns: MptSpec["columns"] = [
    ["time/s", stamps],
    ["Ewe/V", [3, 3, 3]],
    ["I/mA", [0, 0, 0]],
  ];
  const file = await read(bytesOf(buildMpt({ header, columns })));
  expect([...file.time_s]).toEqual([2, 3.25, 86400]);
  const bare = await read(bytesOf(buildMpt({ columns })));
  expect(bare.start).toBe("2020-10-26T12:50:00.250");
  expect([...bare.time_s]).toEqual([0, 1.25, 86398]);
});

test("a header of the wrong length, or none, is no obstacle", async () => {
  const columns: MptSpec["columns"] = [
    ["time/s", [0, 1]],
    ["Ewe/V", [3, 3]],
    ["I/mA", [0, 0]],
  ];
  const wrong = await read(bytesOf(buildMpt({ header, columns, statedLines: 61 })));
  expect(wrong.time_s.length).toBe(2);
  expect(wrong.start).toBe("2020-10-26T12:49:58.250");
  expect(wrong.warnings[0]).toMatch(/61 lines/);
  const text = buildMpt({ columns });
  const none = await read(bytesOf(text.slice(text.indexOf("time/s"))));
  expect(none.time_s.length).toBe(2);
  expect(none.warnings[0]).toMatch(/header is missing/);
});

test("a current is derived from dq, is 0 in a run at open circuit, else the set current is used and said", async () => {
  const base: MptSpec["columns"] = [
    ["time/s", [0, 10, 20]],
    ["Ewe/V", [3, 3, 3]],
  ];
  const derived = await read(bytesOf(buildMpt({ columns: [...base, ["dq/mA.h", [0, 1, 2]]] })));
  expect([...derived.current_mA]).toEqual([0, 360, 720]);
  expect([...derived.charge_mAh]).toEqual([0, 1, 3]);
  const rest = await read(bytesOf(buildMpt({ header: ["", "Open Circuit Voltage", ""], columns: base })));
  expect([...rest.current_mA]).toEqual([0, 0, 0]);
  const set = await read(bytesOf(buildMpt({ columns: [...base, ["control/mA", [1, 1, 1]]] })));
  expect([...set.current_mA]).toEqual([1, 1, 1]);
  expect(set.warnings[0]).toMatch(/set current/);
});

test("a file cut anywhere is refused or gives whole rows, each as it was", async () => {
  const time_s = Array.from({ length: 8 }, (_, row) => row * 1.25);
  for (const comma of [false, true]) {
    const whole = bytesOf(
      buildMpt({
        comma,
        header,
        columns: [
          ["time/s", time_s],
          ["Ewe/V", time_s.map((t) => 3 + t / 8)],
          ["I/mA", time_s.map((t) => -t - 0.5)],
        ],
      }),
      "latin1",
    );
    let shortest = 8;
    // The last line end may be missing: its row is whole.
    for (let length = 30; length < whole.length - 2; length++) {
      const part = whole.subarray(0, length);
      try {
        const file = await readMpt(memorySource("run.mpt", part));
        if (!isCycling(file)) continue;
        const rows = file.time_s.length;
        shortest = Math.min(shortest, rows);
        expect([...file.time_s]).toEqual(time_s.slice(0, rows));
        expect([...file.current_mA]).toEqual(time_s.slice(0, rows).map((t) => -t - 0.5));
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError);
      }
    }
    expect(shortest).toBe(0);
  }
});

test("rows that are no numbers are dropped and counted when few, refused when many", async () => {
  const some = Array.from({ length: 40 }, (_, row) => (row === 20 ? "---" : String(row)));
  const columns = (times: readonly string[]): MptSpec["columns"] => [
    ["time/s", times],
    ["Ewe/V", times.map(() => 3)],
    ["I/mA", times.map(() => 0)],
  ];
  const file = await read(bytesOf(buildMpt({ columns: columns(some) })));
  expect(file.time_s.length).toBe(39);
  expect(file.warnings[0]).toMatch(/1 of 40 rows.*line 24.*---/);
  const bad = bytesOf(buildMpt({ columns: columns(some.map((text, row) => (row % 2 === 0 ? text : "x"))) }));
  await expect(read(bad)).rejects.toThrow(/20 of 40|21 of 40/);
});

test("a spectrum without time is told to be something else; a header alone is refused", async () => {
  const spectrum = await readMpt(
    memorySource(
      "z.mpt",
      bytesOf(
        buildMpt({
          columns: [
            ["freq/Hz", [1e5]],
            ["Re(Z)/Ohm", [5]],
            ["<Ewe>/V", [3]],
          ],
        }),
      ),
    ),
  );
  expect(isCycling(spectrum)).toBe(false);
  await expect(read(bytesOf("EC-Lab ASCII FILE\r\nNb header lines : 59\r\n\r\nGCPL\r\n"))).rejects.toThrow(
    /59 header lines/,
  );
});

test("an empty name among the columns makes no row a cut one, and more numbers than names are refused", async () => {
  const whole = "time/s\tEwe/V\tI/mA\tRwe/Ohm\t\tEwe-Ece/V\r\n0\t3\t1\t5\t6\r\n1\t3.5\t1\t5\t6\r\n2\t4\t1\t5\t6";
  const file = await read(bytesOf(whole));
  expect([...file.time_s]).toEqual([0, 1, 2]);
  expect(file.warnings.join()).not.toMatch(/cut/);
  const cut = await read(bytesOf(whole.slice(0, -2)));
  expect([...cut.time_s]).toEqual([0, 1]);
  expect(cut.warnings.join()).toMatch(/cut in line 4/);
  const shifted = "time/s\tEwe/V\tI/mA\t\r\n1e5\t0\t3\t1\r\n1e4\t1\t3\t1\r\n";
  await expect(read(bytesOf(shifted))).rejects.toThrow(/rows have 4 numbers and its line of column names 3/);
});

test("blank lines may stand above the names; of a frequency only the rows that have one are a spectrum", async () => {
  const heads = "freq/Hz\ttime/s\tEwe/V\tI/mA\t\r\n";
  const file = await read(bytesOf(`\r\n${heads}0\t0\t3\t1\t\r\n1000\t1\t3\t1\t\r\n10\t2\t3\t1\t\r\n`));
  expect(file.format).toBe("biologic-mpt");
  expect(file.warnings.join("\n")).toMatch(/2 of 3 rows are the frequencies of an impedance spectrum/);
  const none = await read(bytesOf(`${heads}0\t0\t3\t1\t\r\n0\t1\t3\t1\t\r\n`));
  expect(none.warnings.join("\n")).not.toMatch(/spectrum/);
});
