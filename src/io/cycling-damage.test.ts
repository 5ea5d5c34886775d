/** Damaged text of each cycler is read or refused with a sentence, never a crash, and soon. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { buildDta, buildMpt, buildTable, bytesOf } from "../../fixtures/cycling-builders.js";
import { FormatError } from "../model/errors.js";
import { memorySource } from "./bytes.js";
import { formatOf, isCycling } from "./cycling.js";

const rows = Array.from({ length: 40 }, (_, row) => row);
const row20 = (name: string, ...cells: string[]): string => [name, ...cells].map((cell) => cell.padEnd(20)).join("");

const files: Readonly<Record<string, Uint8Array>> = {
  "run.mpt": bytesOf(
    buildMpt({
      header: [
        "",
        "Galvanostatic Cycling with Potential Limitation",
        "",
        "Acquisition started on : 10/26/2020 12:49:58.250",
        "Mass of active material : 4.970 mg",
        row20("Ns", "0", "1"),
        row20("Is", "0.000", "-115.130"),
        row20("unit Is", "mA", "µA"),
        "",
      ],
      columns: [
        ["time/s", rows],
        ["Ewe/V", rows.map((row) => 3 + row / 40)],
        ["I/mA", rows.map(() => 1)],
        ["(Q-Qo)/mA.h", rows.map((row) => row / 3600)],
        ["half cycle", rows.map((row) => String(row > 20 ? 1 : 0))],
      ],
    }),
    "latin1",
  ),
  "run.mps": bytesOf(
    `EC-LAB SETTING FILE\r\n\r\nNumber of linked techniques : 1\r\n\r\nTechnique : 1\r\nChronopotentiometry\r\n${row20("Is", "1")}\r\n${row20("unit Is", "mA")}\r\n`,
  ),
  "run.DTA": bytesOf(
    buildDta({
      tag: "PWR800_CHARGE",
      date: "5/13/2024",
      time: "9:00:00",
      keys: ["AREA\tQUANT\t1.0E+000\tElectrode &Area (cm^2)"],
      tables: [
        {
          name: "CURVE",
          columns: [
            ["T", "s", rows],
            ["Vf", "V", rows],
            ["Im", "A", rows],
          ],
        },
      ],
      after: ["STARTTIMEOFFSET\tQUANT\t16.8\tStart Time Offset (s)"],
    }),
  ),
  "run.001": bytesOf(
    "Today's Date 04/04/2016  Date of Test:\t04/01/2016\t Filename:\tC:\\a\n" +
      buildTable(
        ["Rec#", "Cyc#", "Test (Min)", "Amp-hr", "Watt-hr", "Amps", "Volts", "State", "DPt Time"],
        rows.map((row) => [row, 0, row, row / 60, row / 16, 1, 3.7, row > 20 ? "D" : "C", `16:${10 + row}:31`]),
        "\t",
      ),
  ),
  "run.csv": bytesOf(
    buildTable(
      ["Cell", "Date", "Test Time / s", "Voltage / V", "Current / A", "Net Capacity / Ah", "Power / W", "Cycle Index"],
      rows.map((row) => ["A", `2024-05-13 10:00:${10 + row}`, row, 3.7, 1, row / 3600, 3.7, 1]),
    ),
  ),
};

const damage = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant("set" as const),
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      byte: fc.nat({ max: 255 }),
    }),
    fc.record({
      kind: fc.constant("cut" as const),
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      byte: fc.constant(0),
    }),
    fc.record({
      kind: fc.constant("double" as const),
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      byte: fc.nat({ max: 200 }),
    }),
    fc.record({
      kind: fc.constant("drop" as const),
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      byte: fc.nat({ max: 200 }),
    }),
  ),
  { minLength: 1, maxLength: 6 },
);

test.each(Object.keys(files))("%s with bytes changed, doubled, dropped or cut is read or refused", async (name) => {
  await fc.assert(
    fc.asyncProperty(damage, async (changes) => {
      let bytes = files[name]!;
      for (const { kind, at, byte } of changes) {
        const place = Math.floor(at * bytes.length);
        if (kind === "cut") bytes = bytes.slice(0, Math.max(1, place));
        else if (kind === "drop") bytes = Uint8Array.from([...bytes.slice(0, place), ...bytes.slice(place + byte)]);
        else if (kind === "double") {
          bytes = Uint8Array.from([...bytes.slice(0, place + byte), ...bytes.slice(place)]);
        } else {
          bytes = Uint8Array.from(bytes);
          bytes[place] = byte;
        }
      }
      const source = memorySource(name, bytes);
      try {
        const file = await (await formatOf(bytes.subarray(0, 65536), source))?.read(source);
        if (file === undefined || !isCycling(file)) return;
        expect(file.potential_V.length).toBe(file.time_s.length);
        expect(file.charge_mAh.length).toBe(file.time_s.length);
        expect(file.time_s.length).toBeLessThan(bytes.length);
        for (let row = 1; row < file.time_s.length; row++) {
          expect(file.time_s[row]).toBeGreaterThanOrEqual(file.time_s[row - 1]!);
        }
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        expect(error.message).toContain(name);
        expect(error.message).not.toContain("\n");
      }
    }),
    { numRuns: 150 },
  );
});
