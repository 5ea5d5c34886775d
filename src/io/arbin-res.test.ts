import * as fc from "fast-check";
import MDBReader from "mdb-reader";
import { expect, test } from "vitest";
import { buildJet, type BuiltTable, type JetField, type JetType } from "../../test/jet-builder.js";
import type { CyclingFile } from "../model/cycling.js";
import { FormatError } from "../model/errors.js";
import { openJet, sniffJet, type JetValue } from "./arbin-jet.js";
import { readArbinRes } from "./arbin-res.js";
import { memorySource } from "./bytes.js";

const read = (bytes: Uint8Array): Promise<CyclingFile> => readArbinRes(memorySource("run.res", bytes));

const columns: BuiltTable["columns"] = [
  ["Test_ID", "long"],
  ["Data_Point", "long"],
  ["Test_Time", "double"],
  ["DateTime", "double"],
  ["Cycle_Index", "integer"],
  ["Current", "float"],
  ["Voltage", "float"],
  ["Charge_Capacity", "double"],
  ["Discharge_Capacity", "double"],
  ["Charge_Energy", "double"],
  ["Discharge_Energy", "double"],
];
// 2023-07-24 18:50:00 in days.
const start_days = 45131 + (18 * 3600 + 50 * 60) / 86400;
const PERIOD_S = 10;
const CYCLE_ROWS = 100;

/** Cycles of half charge and half discharge at 1 mA; the counters begin anew with each. */
function rowOf(row: number, test = 1): JetField[] {
  const inCycle = row % CYCLE_ROWS;
  const half = CYCLE_ROWS / 2;
  const charged = (Math.min(inCycle, half) * PERIOD_S * 0.001) / 3600;
  const discharged = (Math.max(0, inCycle - half) * PERIOD_S * 0.001) / 3600;
  const time_s = row * PERIOD_S + 0.07;
  const days = Math.round((start_days + time_s / 86400) * 86400) / 86400;
  const current = inCycle <= half && inCycle > 0 ? 0.001 : -0.001;
  const potential = 3 + Math.min(inCycle, CYCLE_ROWS - inCycle) / 100;
  return [test, row + 1, time_s, days, 1 + Math.floor(row / CYCLE_ROWS), current, potential, charged, discharged, 0, 0];
}

const normal = (rows: BuiltTable["rows"], more: Partial<BuiltTable> = {}): BuiltTable => ({
  name: "Channel_Normal_Table",
  columns,
  rows,
  ...more,
});
const global = (...tests: (readonly [id: number, name: string])[]): BuiltTable => ({
  name: "Global_Table",
  columns: [
    ["Test_ID", "long"],
    ["Test_Name", "text"],
    ["Channel_Index", "integer"],
    ["Creator", "text"],
    ["Schedule_File_Name", "text"],
    ["Mass", "float"],
  ],
  rows: tests.map(([id, name]) => [id, name, 7, "Ada", "Ada\\slow.sdu", 1]),
});
const shuffled = <T>(list: readonly T[]): T[] =>
  list
    .map((item, at) => ({ item, key: (at * 7919) % list.length }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);

test("rows are put in the order of Data_Point, counters run on where they begin anew, the start is the dates'", async () => {
  const rows = shuffled(Array.from({ length: 400 }, (_, row) => rowOf(row)));
  for (const options of [{}, { cipher: 0x1234_5678 }, { ace: true }]) {
    const bytes = buildJet([global([1, "cell µ 7"]), normal(rows, { rowsAPage: 9 })], options);
    expect(sniffJet(bytes)).toBe(true);
    const file = await read(bytes);
    expect([file.format, file.start, file.cycles]).toEqual(["arbin-res", "2023-07-24T18:50:00", 4]);
    expect([...file.time_s]).toEqual(Array.from({ length: 400 }, (_, row) => row * PERIOD_S + 0.07));
    expect(file.current_mA[1]).toBe(1000 * Math.fround(0.001));
    expect(file.charge_mAh[50]).toBeCloseTo((50 * PERIOD_S) / 3600, 12);
    // What passes between the last row of a cycle and the first of the next is in neither counter.
    expect(Math.abs(file.charge_mAh[399]!)).toBeLessThan(0.02);
    expect(file.settings).toEqual({ test: "cell µ 7", "channel index": 7, schedule: "slow.sdu", "mass / g": 1 });
    expect(file.warnings).toEqual([]);
  }
});

test("deleted rows are left out, rows that were moved are found", async () => {
  const rows = Array.from({ length: 50 }, (_, row) => rowOf(row));
  const file = await read(buildJet([normal([...rows, rowOf(77)], { deleted: [50], movedIn: [3, 4] })]));
  expect(file.time_s.length).toBe(50);
});

test("a file that was cut gives the rows that it has, and says how many are missing; without any it is refused", async () => {
  const bytes = buildJet([normal(shuffled(Array.from({ length: 400 }, (_, row) => rowOf(row))), { rowsAPage: 20 })]);
  const file = await read(bytes.subarray(0, 12 * 4096 + 1000));
  expect(file.time_s.length).toBeGreaterThan(100);
  expect(file.time_s.length).toBeLessThan(300);
  expect([...file.time_s]).toEqual([...file.time_s].sort((a, b) => a - b));
  expect(file.warnings[0]).toMatch(
    /run\.res: the file should hold 400 rows and holds \d+: \d+ are missing.*, in \d+ gaps.*copy it again/,
  );
  await expect(read(bytes.subarray(0, 4 * 4096))).rejects.toThrow(/cut after 16384 bytes: its catalogue/);
  await expect(read(bytes.subarray(0, 5 * 4096))).rejects.toThrow(/none of its 400 rows is left/);
  await expect(read(bytes.subarray(0, 3000))).rejects.toThrow(/cut after 3000 bytes, within its first page/);
});

test("several tests in one file are refused by name; another database by its tables", async () => {
  const rows = Array.from({ length: 30 }, (_, row) => rowOf(row % 15, row < 15 ? 4 : 9));
  await expect(read(buildJet([global([4, "first"], [9, "second"]), normal(rows)]))).rejects.toThrow(
    /holds 2 tests \(Test_ID 4 "first" of channel index 7, 15 rows; Test_ID 9 "second"/,
  );
  await expect(read(buildJet([global([1, "a"])]))).rejects.toThrow(
    /without Arbin's Channel_Normal_Table; its tables are Global_Table/,
  );
  const stray = Array.from({ length: 30 }, (_, row) => rowOf(row, row === 7 ? 4096 : 4));
  const file = await read(buildJet([global([4, "first"]), normal(stray)]));
  expect(file.time_s.length).toBe(29);
  expect(file.warnings.join()).toMatch(/should hold 30 rows and holds 29: 1 are missing/);
  const short = { ...normal([]), columns: columns.slice(0, 3) };
  await expect(read(buildJet([short]))).rejects.toThrow(/lacks Current, Voltage; its columns are Test_ID/);
  const jet3 = buildJet([normal([rowOf(0)])]);
  jet3[0x14] = 0;
  await expect(read(jet3)).rejects.toThrow(/Jet 3 \(Access 97\)/);
});

test("charge that slipped by a thousand against the current is told", async () => {
  const rows = Array.from({ length: 400 }, (_, row) =>
    rowOf(row).map((field, at) => (at === 7 || at === 8 ? 1000 * Number(field) : field)),
  );
  const { warnings } = await read(buildJet([normal(rows)]));
  expect(warnings.join()).toMatch(/1000/);
});

const kinds: JetType[] = ["boolean", "byte", "integer", "long", "float", "double", "text"];
const field = (type: JetType): fc.Arbitrary<JetField> => {
  if (type === "boolean") return fc.boolean();
  if (type === "text")
    return fc.option(
      fc
        .string({ minLength: 1, maxLength: 20, unit: "binary" })
        .filter((text) => text[0] !== "\ufeff" && !text.includes("\0")),
    );
  if (type === "float" || type === "double") return fc.option(fc.float({ noNaN: true }));
  const most = { byte: 255, integer: 32_767, long: 2 ** 31 - 1 }[type as "byte"];
  return fc.option(fc.integer({ min: type === "byte" ? 0 : -most, max: most }));
};

test("tables are read as an independent reader does, whatever their columns", async () => {
  const draw = fc
    .array(fc.constantFrom(...kinds), { minLength: 1, maxLength: 12 })
    .chain((types) =>
      fc.tuple(
        fc.constant(types),
        fc.array(fc.tuple(...types.map(field)), { maxLength: 15 }),
        fc.constantFrom(0, 0xdead_beef),
      ),
    );
  await fc.assert(
    fc.asyncProperty(draw, async ([types, rows, cipher]) => {
      const names = types.map((type, at) => `${type}_${at}`);
      const bytes = buildJet(
        [{ name: "drawn", columns: types.map((type, at) => [names[at]!, type] as const), rows, rowsAPage: 7 }],
        { cipher },
      );
      const database = await openJet(memorySource("a.mdb", bytes));
      const table = await database.table("drawn");
      const found: (readonly JetValue[])[] = [];
      expect(await database.rows([{ table, columns: names, take: (fields) => void found.push(fields) }])).toBe(0);
      const theirs = new MDBReader(Buffer.from(bytes)).getTable("drawn");
      expect(table.columns.map(({ name }) => name)).toEqual(theirs.getColumnNames());
      expect(found).toEqual(theirs.getData().map((row) => names.map((name) => row[name])));
      expect(found.length).toBe(rows.length);
    }),
    { numRuns: 15 },
  );
});

test("databases with bytes flipped or cut anywhere give a result or a sentence", async () => {
  const bytes = buildJet([global([1, "a"]), normal(Array.from({ length: 30 }, (_, row) => rowOf(row)))]);
  const attempt = async (changed: Uint8Array): Promise<void> => {
    try {
      await read(changed);
    } catch (error) {
      expect(error).toBeInstanceOf(FormatError);
    }
  };
  for (let cut = 0; cut < bytes.length; cut += 509) await attempt(bytes.subarray(0, cut));
  // Most of a page is empty: what is not is where a flip tells.
  const places = [...bytes.keys()].filter((at) => bytes[at] !== 0);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }), async (flips) => {
      const changed = bytes.slice();
      for (const [at, value] of flips) changed[places[at % places.length]!] = value;
      await attempt(changed);
    }),
    { numRuns: 200 },
  );
});
