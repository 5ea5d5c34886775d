import * as fc from "fast-check";
import { expect, test } from "vitest";
import { buildDta, bytesOf, type DtaSpec } from "../../fixtures/cycling-builders.js";
import type { CyclingFile } from "../model/cycling.js";
import { FormatError } from "../model/errors.js";
import { memorySource } from "./bytes.js";
import { isCycling } from "./cycling.js";
import { readGamry, sniffGamry } from "./gamry.js";

async function read(spec: DtaSpec | string): Promise<CyclingFile> {
  const bytes = bytesOf(typeof spec === "string" ? spec : buildDta(spec), "latin1");
  expect(sniffGamry(bytes)).toBe(true);
  const file = await readGamry(memorySource("run.DTA", bytes));
  if (!isCycling(file)) throw new Error(file.description);
  return file;
}

const table = (name: string, time_s: ArrayLike<number>, declared?: number): DtaSpec["tables"][number] => ({
  name,
  ...(declared === undefined ? {} : { declared }),
  columns: [
    ["T", "s", time_s],
    ["Vf", "V vs. Ref.", Array.from(time_s, (t) => 3 + t / 16)],
    ["Im", "A", Array.from(time_s, (t) => (t + 1) / 1024)],
  ],
});

const charge: DtaSpec = {
  tag: "PWR800_CHARGE",
  date: "11/12/2015",
  time: "11:16:43",
  tables: [table("CURVE", [0.5, 1, 2])],
};

test("T, Vf and Im are read with point or comma, Im in mA, the charge as its integral", async () => {
  const number = fc.double({ min: -10, max: 10, noNaN: true }).map((value) => value + 0);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.double({ min: 0, max: 1e6, noNaN: true }), number, number), { minLength: 1 }),
      fc.boolean(),
      async (rows, comma) => {
        const sorted = [...rows].sort((a, b) => a[0] - b[0]);
        const time_s = sorted.map(([t]) => t + 0);
        const file = await read({
          tag: "CHRONOP",
          comma,
          tables: [
            {
              name: "CURVE",
              columns: [
                ["T", "s", time_s],
                ["Vf", "V", sorted.map(([, v]) => v)],
                ["Im", "A", sorted.map(([, , i]) => i)],
              ],
            },
          ],
        });
        expect([...file.time_s]).toEqual(time_s);
        expect([...file.potential_V]).toEqual(sorted.map(([, v]) => v));
        expect([...file.current_mA]).toEqual(sorted.map(([, , i]) => 1000 * i));
        let passed = 0;
        for (const [row, [t, , i]] of sorted.entries()) {
          if (row > 0) passed += ((i + sorted[row - 1]![2]) * 500 * (t - sorted[row - 1]![0])) / 3600;
          expect(file.charge_mAh[row]).toBeCloseTo(passed, 6);
        }
      },
    ),
  );
});

test("the start is DATE and TIME plus STARTTIMEOFFSET; other dates of the header tell the order of day and month", async () => {
  const american = await read({
    ...charge,
    keys: ["DCCALDATE\tLABEL\t12/17/2014\tDC Calibration Date"],
    after: ["STARTTIMEOFFSET\tQUANT\t16.83167\tStart Time Offset (s)"],
  });
  expect(american.start).toBe("2015-11-12T11:16:59.832");
  expect(american.warnings).toEqual([]);
  const german = await read({ ...charge, date: "11.12.2015" });
  expect(german.start).toBe("2015-12-11T11:16:43");
  const british = await read({ ...charge, keys: ["DCCALDATE\tLABEL\t17/12/2014\tDC Calibration Date"] });
  expect(british.start).toBe("2015-12-11T11:16:43");
  const unsure = await read(charge);
  expect(unsure.start).toBe("2015-11-12T11:16:43");
  expect(unsure.warnings[0]).toMatch(/month\/day\/year/);
});

test("the numbers of the header come under their labels; a step that goes the other way is said", async () => {
  const file = await read({
    ...charge,
    date: "11/13/2015",
    keys: ["AREA\tQUANT\t1.5E+000\tElectrode &Area (cm^2)", "PSTAT\tPSTAT\tIFC1000-06123\tPotentiostat"],
  });
  expect(file.settings).toEqual({ Technique: "PWR800_CHARGE", "Electrode Area (cm^2)": 1.5 });
  expect(file.warnings).toEqual([]);
  const other = await read({ ...charge, date: "11/13/2015", tag: "PWR800_DISCHARGE" });
  expect(other.warnings[0]).toMatch(/called PWR800_DISCHARGE, but its current is positive/);
});

test("a table ends where its rows end, whatever it declares; its units may be empty", async () => {
  const wrong = await read({ ...charge, date: "11/13/2015", tables: [table("CURVE", [0, 1, 2], 5258)] });
  expect(wrong.time_s.length).toBe(3);
  expect(wrong.warnings).toEqual(["run.DTA: table CURVE declares 5258 rows, 3 are there."]);
  const bare = await read({
    ...charge,
    tables: [
      {
        name: "CURVE",
        columns: [
          ["T", "", [0, 1]],
          ["Vf", "", [3, 3]],
          ["Im", "", [0.25, 0.25]],
        ],
      },
    ],
  });
  expect([...bare.current_mA]).toEqual([250, 250]);
  const milli = await read({
    ...charge,
    tables: [
      {
        name: "CURVE",
        columns: [
          ["T", "s", [0, 1]],
          ["Vf", "mV", [3000, 3500]],
          ["Im", "mA", [0.25, 0.25]],
        ],
      },
    ],
  });
  expect([...milli.potential_V, ...milli.current_mA]).toEqual([3, 3.5, 0.25, 0.25]);
});

test("tables follow each other: T that goes on goes on, T that begins anew is laid end to end", async () => {
  const rest: DtaSpec["tables"][number] = {
    name: "OCVCURVE",
    columns: [
      ["T", "s", [0.5, 1]],
      ["Vf", "V", [3, 3]],
    ],
  };
  const file = await read({
    tag: "CV",
    tables: [rest, table("CURVE1", [0.25, 0.5]), table("CURVE2", [0.75, 1])],
    keys: ["EOC\tQUANT\t3\tOpen Circuit (V)"],
  });
  expect([...file.time_s]).toEqual([0.5, 1, 1.25, 1.5, 1.75, 2]);
  expect([...file.current_mA.subarray(0, 2)]).toEqual([0, 0]);
  expect(file.warnings).toEqual([
    "run.DTA: table CURVE1 begins at T = 0.25 s anew: it is laid end to end after the table before it.",
  ]);
});

test("spectra and summaries are told to be something else", async () => {
  const z = buildDta({
    tag: "EISPOT",
    tables: [
      {
        name: "OCVCURVE",
        columns: [
          ["T", "s", [1, 2, 3]],
          ["Vf", "V", [3, 3, 3]],
        ],
      },
      {
        name: "ZCURVE",
        columns: [
          ["Time", "s", [1, 2]],
          ["Freq", "Hz", [100, 10]],
          ["Zreal", "ohm", [1, 2]],
        ],
      },
    ],
  });
  const spectrum = await readGamry(memorySource("z.DTA", bytesOf(z)));
  expect(spectrum).toMatchObject({ rows: 2, description: "an impedance spectrum of 2 frequencies (EISPOT)." });
  const capacity = buildDta({
    tag: "PWR800_CYCLICCHARGEDISCHARGE",
    tables: [
      {
        name: "CAPACITYCURVE",
        columns: [
          ["Time", "s", [10]],
          ["Charge", "C", [5]],
        ],
      },
    ],
  });
  const summary = await readGamry(memorySource("c.DTA", bytesOf(capacity)));
  expect("description" in summary && summary.description).toMatch(/summary of 1 half cycles/);
});

test("a current counted cathodic-positive is left as it is and said", async () => {
  const file = await read({ ...charge, keys: ["CONVENTION\tIQUANT\t0\tCurrent Convention"] });
  expect(file.current_mA[0]).toBeGreaterThan(0);
  expect(file.warnings.join(" ")).toMatch(/--current-sign cathodic-positive/);
});

test("a header without a table is a record without a row", async () => {
  const file = await read({ tag: "CV", tables: [] });
  expect(file.time_s.length).toBe(0);
  expect(file.warnings[0]).toMatch(/no table/);
});

test("a file cut anywhere is refused or gives whole rows, each as it was", async () => {
  const time_s = [0.5, 1.5, 2.5, 3.5];
  const whole = buildDta({ ...charge, tables: [table("CURVE", time_s)] });
  let cut = 0;
  for (let length = 30; length < whole.length; length++) {
    try {
      const file = await readGamry(memorySource("run.DTA", bytesOf(whole.slice(0, length))));
      // Cut inside the names of its columns, the table cannot be told.
      if (!isCycling(file)) continue;
      const rows = file.time_s.length;
      if (rows < 4) cut++;
      expect([...file.time_s]).toEqual(time_s.slice(0, rows));
      expect([...file.potential_V]).toEqual(time_s.slice(0, rows).map((t) => 3 + t / 16));
    } catch (error) {
      expect(error).toBeInstanceOf(FormatError);
    }
  }
  expect(cut).toBeGreaterThan(100);
});
