/** Arbin's files of real cells: what they hold, and the LiCoO2 run's dQ/dV. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { differentialCapacity } from "../src/analysis/differential-capacity.js";
import { findHalfCycles, findSteps } from "../src/analysis/half-cycles.js";
import { orientCycling } from "../src/analysis/orientation.js";
import { openPath } from "../src/io/bytes.node.js";
import { readCycling } from "../src/io/open.js";
import type { CyclingFile } from "../src/model/cycling.js";
import { dataFolder } from "./data-folder.js";

const real = test.skipIf(dataFolder === null);
const at = (file: string): string => path.join(dataFolder!, file);

async function read(file: string): Promise<CyclingFile> {
  const source = await openPath(at(file));
  try {
    return await readCycling([source]);
  } finally {
    await source.close();
  }
}

interface Expected {
  readonly rows: number;
  readonly columns: Record<string, { readonly min: number; readonly max: number; readonly sum: number }>;
}

const sum = (column: Float64Array): number => column.reduce((total, value) => total + value, 0);

real("the .res of the LiCoO2 run holds the rows of its table, in order, each with its values", async () => {
  const file = await read("echem/arbin/lco/arbin_example.res");
  const { rows, columns } = JSON.parse(
    readFileSync(at("echem/arbin/lco/arbin_example.expected.json"), "utf8"),
  ) as Expected;
  expect(file.format).toBe("arbin-res");
  expect(file.time_s.length).toBe(rows);
  expect(file.start).toBe("2023-07-24T18:50:00");
  expect(file.cycles).toBe(5);
  const milli = (value: number): number => 1000 * value;
  expect(Math.abs(sum(file.time_s) / columns["Test_Time"]!.sum - 1)).toBeLessThan(1e-12);
  expect(Math.abs(sum(file.potential_V) / columns["Voltage"]!.sum - 1)).toBeLessThan(1e-7);
  expect(Math.abs(sum(file.current_mA) / milli(columns["Current"]!.sum) - 1)).toBeLessThan(1e-6);
  const lines = readFileSync(at("echem/arbin/lco/arbin_example.expected_rows.csv"), "utf8").trim().split(/\r?\n/);
  const heads = lines[0]!.split(",");
  for (const [row, line] of lines.slice(1).entries()) {
    const cell = (head: string): number => Number(line.split(",")[heads.indexOf(head)]);
    expect(Math.abs(file.time_s[row]! / cell("Test_Time") - 1)).toBeLessThan(1e-14);
    expect(Math.abs(file.potential_V[row]! - cell("Voltage"))).toBeLessThan(3e-7);
    expect(Math.abs(file.current_mA[row]! - milli(cell("Current")))).toBeLessThan(1e-8);
  }
  expect(file.warnings).toEqual([]);
  expect(JSON.stringify(file.settings)).not.toMatch(/AliceM/);
});

real(
  "LiCoO2 from the .res: dQ/dV is largest at 3.93 V on charge and at 3.89 V on discharge, 0.47 to 0.49 mAh",
  async () => {
    const file = await read("echem/arbin/lco/arbin_example.res");
    const signs = { imaged: "working", role: "cathode", currentSign: "anodic-positive" } as const;
    const facts = { active_mass_mg: null, nominal_mAh_g: 155, nominal_mAh: 1 };
    const { cycling, warnings } = orientCycling(file, signs);
    expect(warnings).toEqual([]);
    const { halfCycles } = differentialCapacity(cycling, findHalfCycles(cycling, findSteps(cycling), facts), {
      dV_V: 0.004,
    });
    expect(halfCycles.map(({ kind }) => kind)).toEqual([1, 2, 3, 4].flatMap(() => ["charge", "discharge"]));
    for (const { kind, peaks, charge_mAh } of halfCycles) {
      const largest = peaks.reduce((a, b) => (Math.abs(b.height_mAh_V) > Math.abs(a.height_mAh_V) ? b : a));
      expect(Math.abs(largest.potential_V - (kind === "charge" ? 3.93 : 3.89))).toBeLessThan(0.01);
      expect(Math.abs(charge_mAh)).toBeGreaterThan(0.465);
      expect(Math.abs(charge_mAh)).toBeLessThan(0.49);
    }
  },
);

real(
  "its published export as Battery Data Format has currents and charges that slipped by 1000, and is told so",
  async () => {
    const [own, exported] = [
      await read("echem/arbin/lco/arbin_example.res"),
      await read("echem/arbin/lco/arbin_example.bdf.csv"),
    ];
    expect(exported.warnings.join(" ")).toMatch(/1000/);
    const row = own.current_mA.findIndex((current) => current > 0);
    expect(own.current_mA[row]! / exported.current_mA[row]!).toBeCloseTo(1000, 3);
  },
);

real("the half of the .res is refused for what it lacks", async () => {
  await expect(read("malformed/truncated/arbin_cut50.res")).rejects.toThrow(
    /arbin_cut50\.res: the database was cut after 266240 bytes: none of its 2150 rows is left/,
  );
});

real("the workbook of the graphite run", async () => {
  const file = await read("echem/arbin/graphite/bs542_004_gr_li_50ua_50mv_1v_191020_Channel_11.xlsx");
  expect(file.format).toBe("arbin-xlsx");
  expect(file.time_s.length).toBe(4526);
  expect(file.start).toMatch(/^2020-10-19T11:31:4/);
  expect(file.cycles).toBe(1);
  expect([file.time_s[0], file.time_s.at(-1)]).toEqual([1.001, 1204815.8106799999]);
  expect(Math.abs(sum(file.potential_V) / 1324.377353668213 - 1)).toBeLessThan(1e-12);
  expect(Math.abs(sum(file.current_mA) / -82.52510125748813 - 1)).toBeLessThan(1e-9);
  expect(file.warnings).toEqual([]);
});

real("Arbin's tables of text and a Parquet table of the Battery Data Format are read", async () => {
  for (const [name, rows] of [
    ["2017-05-09_test-TC-contact_CH33", 287],
    ["arbin_example", 2142],
    ["sample_data_arbin", 13],
  ] as const) {
    expect((await read(`echem/arbin/csv/${name}.csv`)).time_s.length).toBe(rows);
  }
  const parquet = await read("echem/other/bdf/legacy.bdf.parquet");
  expect([parquet.format, parquet.time_s.length, parquet.cycles]).toEqual(["bdf-parquet", 5000, 3]);
  expect(parquet.start).toBe("2024-07-02T15:18:58.046Z");
  expect(parquet.time_s.at(-1)).toBe(148781.953);
});
