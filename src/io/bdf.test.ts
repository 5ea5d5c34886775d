import * as fc from "fast-check";
import { expect, test } from "vitest";
import { bytesOf } from "../../fixtures/cycling-builders.js";
import { encodeBdf, readBdf, sniffBdf } from "./bdf.js";
import { memorySource } from "./bytes.js";
import { integrateCurrent } from "./cycling-record.js";

// Numbers so small that they lose digits themselves are none that a cycler writes.
const number = fc.double({ min: -1e4, max: 1e4, noNaN: true }).map((value) => (Math.abs(value) < 1e-290 ? 0 : value));

test("what is written is read again: times and potentials to the last digit, currents to one unit in it", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.double({ min: 0, max: 1e7, noNaN: true }), number, number), { minLength: 1, maxLength: 40 }),
      fc.constantFrom(
        null,
        "2020-10-26T12:49:58",
        "2020-10-26T12:49:58.250",
        "2020-10-26T12:49:58.250Z",
        "2020-10-26T12:49:58+02:00",
      ),
      async (rows, start) => {
        const sorted = [...rows].sort((a, b) => a[0] - b[0]);
        const time_s = Float64Array.from(sorted, ([t]) => t + 0);
        const current_mA = Float64Array.from(sorted, ([, , current]) => current);
        const written = {
          time_s,
          potential_V: Float64Array.from(sorted, ([, potential]) => potential),
          current_mA,
          charge_mAh: integrateCurrent(time_s, current_mA),
        };
        const bytes = bytesOf(encodeBdf(written, start));
        expect(sniffBdf(bytes)).toBe(true);
        const file = await readBdf(memorySource("run.bdf.csv", bytes));
        expect(file.format).toBe("bdf-csv");
        expect([...file.time_s]).toEqual([...time_s]);
        expect([...file.potential_V]).toEqual([...written.potential_V]);
        for (const row of time_s.keys()) {
          expect(Math.abs(file.current_mA[row]! - current_mA[row]!)).toBeLessThanOrEqual(
            3e-16 * Math.abs(current_mA[row]!),
          );
          expect(Math.abs(file.charge_mAh[row]! - written.charge_mAh[row]!)).toBeLessThanOrEqual(
            1e-13 + 3e-16 * Math.abs(written.charge_mAh[row]!),
          );
        }
        // A zone becomes UTC; times of day are kept to the millisecond.
        const wanted = start === "2020-10-26T12:49:58+02:00" ? "2020-10-26T10:49:58Z" : start;
        if (wanted === null) expect(file.start).toBeNull();
        else expect(Math.abs(Date.parse(file.start!) - Date.parse(wanted))).toBeLessThanOrEqual(1);
      },
    ),
  );
});

test("heads for machines are read with their units", async () => {
  const text =
    "test_time_millisecond,voltage_volt,current_ampere,unix_time_second\n0,3.5,0.001,1603716598\n500,3.6,0.002,1603716598\n";
  const file = await readBdf(memorySource("run.csv", bytesOf(text)));
  expect([...file.time_s]).toEqual([0, 0.5]);
  expect([...file.current_mA]).toEqual([1, 2]);
  expect(file.start).toBe("2020-10-26T12:49:58Z");
});

test("other tables of text are not taken for the format", () => {
  expect(sniffBdf(bytesOf("time_s,potential_V,current_mA\n"))).toBe(false);
  expect(sniffBdf(bytesOf("Test_Time,Current,Voltage\n"))).toBe(false);
  expect(sniffBdf(bytesOf('"Test Time / s","Voltage / V","Current / A"\n'))).toBe(true);
});

test("an unknown number is an empty cell", () => {
  const one = Float64Array.of(1);
  const text = encodeBdf({ time_s: one, potential_V: one, current_mA: Float64Array.of(NaN), charge_mAh: one });
  expect(text).toBe("Test Time / s,Voltage / V,Current / A,Net Capacity / Ah\n1,1,,0.001\n");
});
