import * as fc from "fast-check";
import { parquetWriteBuffer } from "hyparquet-writer";
import { expect, test } from "vitest";
import type { CyclingFile } from "../model/cycling.js";
import { FormatError } from "../model/errors.js";
import { encodeBdfParquet } from "./bdf.js";
import { memorySource } from "./bytes.js";
import { integrateCurrent } from "./cycling-record.js";
import { readParquet, sniffParquet } from "./parquet.js";

type Columns = Parameters<typeof parquetWriteBuffer>[0]["columnData"];
const read = (bytes: Uint8Array): Promise<CyclingFile> => readParquet(memorySource("run.parquet", bytes));
const table = (columnData: Columns, more: object = {}): Uint8Array =>
  new Uint8Array(parquetWriteBuffer({ columnData, ...more }));
const doubles = (name: string, ...data: number[]): Columns[number] => ({ name, data, type: "DOUBLE" });

const number = fc.double({ min: -1e4, max: 1e4, noNaN: true }).map((value) => (Math.abs(value) < 1e-290 ? 0 : value));

test("what is written is read again: times and potentials to the last digit, currents to one unit in it", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.double({ min: 0, max: 1e7, noNaN: true }), number, number), { minLength: 1, maxLength: 40 }),
      fc.constantFrom(null, "2020-10-26T12:49:58", "2020-10-26T12:49:58.250Z", "2020-10-26T12:49:58+02:00"),
      async (rows, start) => {
        const sorted = [...rows].sort((a, b) => a[0] - b[0]);
        const time_s = Float64Array.from(sorted, ([t]) => t + 0);
        const current_mA = Float64Array.from(sorted, ([, , current]) => current);
        const potential_V = Float64Array.from(sorted, ([, potential]) => potential);
        const charge_mAh = integrateCurrent(time_s, current_mA);
        const bytes = await encodeBdfParquet({ time_s, potential_V, current_mA, charge_mAh }, start);
        expect(sniffParquet(bytes)).toBe(true);
        const file = await read(bytes);
        expect(file.format).toBe("bdf-parquet");
        expect([...file.time_s]).toEqual([...time_s]);
        expect([...file.potential_V]).toEqual([...potential_V]);
        for (const row of time_s.keys()) {
          const [current, charge] = [current_mA[row]!, charge_mAh[row]!];
          expect(Math.abs(file.current_mA[row]! - current)).toBeLessThanOrEqual(3e-16 * Math.abs(current));
          expect(Math.abs(file.charge_mAh[row]! - charge)).toBeLessThanOrEqual(1e-13 + 3e-16 * Math.abs(charge));
        }
        const wanted = start === "2020-10-26T12:49:58+02:00" ? "2020-10-26T10:49:58Z" : start;
        if (wanted === null) expect(file.start).toBeNull();
        else expect(Math.abs(Date.parse(file.start!) - Date.parse(wanted))).toBeLessThanOrEqual(1);
      },
    ),
    { numRuns: 40 },
  );
});

test("names for machines are read with their units, those of 2024 too, integers and floats alike", async () => {
  const file = await read(
    table([
      { name: "test_time_millisecond", data: [0n, 500n, 1000n], type: "INT64" },
      { name: "voltage_millivolt", data: Float32Array.of(3500, 3600.5, 3700), type: "FLOAT" },
      { name: "current_milliampere", data: Int32Array.of(1, 2, 3), type: "INT32" },
      { name: "cycle_dimensionless", data: Int32Array.of(1, 1, 2), type: "INT32" },
      { name: "date_time_millisecond", data: [1603716598250n, 1603716598750n, 1603716599250n], type: "INT64" },
      { name: "ambient_temperature_celsius", data: [25, 25, 25], type: "DOUBLE" },
    ]),
  );
  expect(file.format).toBe("bdf-parquet");
  expect([...file.time_s]).toEqual([0, 0.5, 1]);
  expect([...file.potential_V]).toEqual([3.5, 0.001 * 3600.5, 3.7]);
  expect([...file.current_mA]).toEqual([1, 2, 3]);
  expect(file.cycles).toBe(2);
  expect(file.start).toBe("2020-10-26T12:49:58.250Z");
  expect(file.columns).toContain("cycle_dimensionless");
});

test("another Parquet table is read by its names and units; a time stamp is its date, text is left aside", async () => {
  const file = await read(
    table([
      { name: "Timestamp", data: [0, 1000, 2500].map((ms) => new Date(Date.UTC(2024, 4, 1) + ms)), type: "TIMESTAMP" },
      { name: "operator", data: ["a\tb", "c\nd", ""], type: "STRING" },
      doubles("Cell Voltage (V)", 3.5, 3.6, 3.7),
      doubles("Current [mA]", 1, 1, 1),
    ]),
  );
  expect(file.format).toBe("parquet");
  expect([...file.time_s]).toEqual([0, 1, 2.5]);
  expect(file.start).toBe("2024-05-01T00:00:00Z");
  expect([...file.current_mA]).toEqual([1, 1, 1]);
});

test("several row groups, nulls and no row at all", async () => {
  const time = Array.from({ length: 2500 }, (_, row) => row);
  const many = table([doubles("time_s", ...time), doubles("potential_V", ...time.map((t) => 3 + t / 1e4))], {
    rowGroupSize: 1000,
  });
  const file = await read(many);
  expect(file.time_s.length).toBe(2500);
  expect(file.potential_V[2499]).toBe(3 + 2499 / 1e4);
  const holes = await read(
    table([
      doubles("time_s", ...time),
      { name: "potential_V", data: time.map((t) => (t === 7 ? null : 3)), type: "DOUBLE", nullable: true },
    ]),
  );
  expect(holes.time_s.length).toBe(2499);
  expect(holes.warnings.join()).toMatch(/1 of 2500 rows lack a finite number/);
  expect((await read(table([doubles("time_s"), doubles("potential_V")]))).time_s.length).toBe(0);
});

test("a table without time or potential is refused by its columns", async () => {
  await expect(read(table([doubles("frequency", 1), doubles("Z", 2)]))).rejects.toThrow(
    /run\.parquet: its columns are frequency, Z; wanted are/,
  );
});

test("a table that is cut, encrypted or not what it claims is refused with the cure", async () => {
  const bytes = table([doubles("time_s", 0, 1), doubles("potential_V", 3, 4)]);
  await expect(read(bytes.subarray(0, bytes.length - 20))).rejects.toThrow(/was cut.*Copy the file again/);
  const encrypted = bytes.slice();
  encrypted.set([0x45], bytes.length - 1);
  await expect(read(encrypted)).rejects.toThrow(/is encrypted/);
  const long = bytes.slice();
  long.set([0xff, 0xff, 0xff, 0x7f], bytes.length - 8);
  await expect(read(long)).rejects.toThrow(/directory claims 2147483647 bytes/);
});

test("bytes flipped in the directory and cuts anywhere give a result or a sentence", async () => {
  const bytes = table([doubles("time_s", 0, 1, 2), doubles("potential_V", 3, 4, 5), doubles("current_mA", 1, 1, 1)]);
  const length = new DataView(bytes.buffer).getUint32(bytes.length - 8, true);
  const attempt = async (changed: Uint8Array): Promise<void> => {
    try {
      await read(changed);
    } catch (error) {
      expect(error).toBeInstanceOf(FormatError);
    }
  };
  for (let cut = 0; cut < bytes.length; cut += 3) await attempt(bytes.subarray(0, cut));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }), async (flips) => {
      const changed = bytes.slice();
      for (const [at, value] of flips) changed[bytes.length - 8 - length + (at % (length + 8))] = value;
      await attempt(changed);
    }),
    { numRuns: 400 },
  );
});
