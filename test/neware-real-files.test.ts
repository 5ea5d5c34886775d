/** Real Neware files, held to the vendor's own exports of the same tests. */
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { unzipSync } from "fflate";
import { expect, test } from "vitest";
import { openPath } from "../src/io/bytes.node.js";
import { memorySource } from "../src/io/bytes.js";
import { readCycling } from "../src/io/open.js";
import type { CyclingFile } from "../src/model/cycling.js";
import { dataFolder } from "./data-folder.js";

const real = test.skipIf(dataFolder === null);

async function read(name: string): Promise<CyclingFile> {
  const file = path.join(dataFolder!, name);
  if (!name.endsWith(".zip")) {
    const source = await openPath(file);
    try {
      return await readCycling([source]);
    } finally {
      await source.close();
    }
  }
  const [[inner, bytes]] = Object.entries(unzipSync(readFileSync(file))) as [[string, Uint8Array]];
  return readCycling([memorySource(inner, bytes)]);
}

interface Expected {
  readonly rows: number;
  readonly stats: Readonly<Record<string, { readonly min: number; readonly max: number; readonly sum: number }>>;
  readonly first_date_utc: string;
  readonly last_date_utc: string;
}

function table(file: string): Record<string, string>[] {
  const [head, ...lines] = readFileSync(file, "utf8").trim().split(/\r?\n/);
  const names = head!.split(",");
  return lines.map((line) => Object.fromEntries(line.split(",").map((cell, at) => [names[at]!, cell])));
}

const folder = "echem/neware";
const exported =
  dataFolder === null
    ? []
    : readdirSync(path.join(dataFolder, folder)).filter((name) => /\.(ndax|nda|nda\.zip)$/.test(name));

real.each(exported)("%s: rows, ranges, dates and cycles are the vendor's", async (name) => {
  const base = path.join(dataFolder!, folder, name.replace(/\.(ndax|nda|nda\.zip)$/, ""));
  const { rows, stats, first_date_utc, last_date_utc } = JSON.parse(
    readFileSync(`${base}.expected.json`, "utf8"),
  ) as Expected;
  const file = await read(`${folder}/${name}`);
  expect(file.format).toBe(name.endsWith(".ndax") ? "neware-ndax" : "neware-nda");
  expect(file.time_s).toHaveLength(rows);
  const sum = (column: Float64Array): number => column.reduce((total, value) => total + value, 0);
  const mostOf = (column: Float64Array): number => column.reduce((most, value) => Math.max(most, value), -Infinity);
  const leastOf = (column: Float64Array): number => -mostOf(column.map((value) => -value));
  const voltage = stats["Voltage(mV)"]!;
  const current = stats["Current(uA)"]!;
  // The exports are rounded to 0.1 mV and, in part, to 1 uA.
  expect(Math.abs(leastOf(file.potential_V) - voltage.min / 1000)).toBeLessThan(6e-5);
  expect(Math.abs(mostOf(file.potential_V) - voltage.max / 1000)).toBeLessThan(6e-5);
  expect(Math.abs(sum(file.potential_V) - voltage.sum / 1000)).toBeLessThan(6e-5 * rows);
  expect(Math.abs(leastOf(file.current_mA) - current.min / 1000)).toBeLessThan(6e-4);
  expect(Math.abs(mostOf(file.current_mA) - current.max / 1000)).toBeLessThan(6e-4);
  expect(Math.abs(sum(file.current_mA) - current.sum / 1000)).toBeLessThan(6e-4 * rows);
  expect(file.cycles).toBe(stats["Cycle Index"]!.max - stats["Cycle Index"]!.min + 1);
  // Dates count pauses, the vendor's total time does not; where dates are whole seconds both ends are open by one.
  const coarse = first_date_utc.endsWith(".000Z") && last_date_utc.endsWith(".000Z");
  const lasted_s = (Date.parse(last_date_utc) - Date.parse(first_date_utc)) / 1000;
  expect(file.time_s[0]).toBe(0);
  expect(Math.abs(file.time_s.at(-1)! - lasted_s)).toBeLessThan(coarse ? 1.001 : 0.021);
  // The vendor shows dates in the zone of the computer that exports: whole hours are open.
  const zoned = /(Z|[+-]\d\d:\d\d)$/.test(file.start!) ? file.start! : `${file.start!}Z`;
  const apart_h = (Date.parse(zoned) - Date.parse(first_date_utc)) / 3_600_000;
  expect(Math.abs(apart_h - Math.round(apart_h))).toBeLessThan(1e-9);

  const steps = new Map<string, number>();
  let before = "";
  let base_mAh = 0;
  for (const row of table(`${base}.expected_rows.csv`)) {
    const at = Number(row["row"]);
    expect(Math.abs(file.potential_V[at]! - Number(row["Voltage(mV)"]) / 1000)).toBeLessThan(6e-5);
    expect(Math.abs(file.current_mA[at]! - Number(row["Current(uA)"]) / 1000)).toBeLessThan(6e-4);
    const since_s = (Date.parse(row["Date"]!) - Date.parse(first_date_utc)) / 1000;
    const slack_s = coarse ? 1.001 : name.startsWith("TestFile") ? 175 : 0.021;
    expect(Math.abs(file.time_s[at]! - since_s)).toBeLessThan(slack_s);
    // Charge within a step, from where its first listed row stands.
    const step = row["Step Count"]!;
    if (step !== before) base_mAh = file.charge_mAh[at]!;
    if (!steps.has(step)) steps.set(step, Math.abs(Number(row["Capacity(mAs)"])) / 3600);
    if (step === before) {
      const passed_mAh = Math.abs(Number(row["Capacity(mAs)"])) / 3600 - steps.get(step)!;
      const here_mAh = file.charge_mAh[at]! - base_mAh;
      expect(Math.abs(Math.abs(here_mAh) - Math.abs(passed_mAh))).toBeLessThan(6e-4 + 1e-6 * Math.abs(passed_mAh));
    }
    before = step;
  }
});

real(
  "operando NaCoO2: rows, dates, 0.5098 mA both ways after the holds' first moments, charge as counted",
  async () => {
    const run = `${folder}/operando_nacoo2/jdb11-4_e1_xs3_NaCoO2_DLS_cell6`;
    const file = await read(`${run}.nda`);
    expect(file.start).toBe("2022-05-13T19:12:16");
    const rows = table(path.join(dataFolder!, `${run}.expected.csv`));
    expect(file.time_s).toHaveLength(1396);
    expect(rows).toHaveLength(1396);
    const begin_ms = Date.parse(`${rows[0]!["Timestamp"]!.replace(" ", "T")}Z`);
    let base_mAh = 0;
    let last_mAh = 0;
    for (const [at, row] of rows.entries()) {
      const since_s = (Date.parse(`${row["Timestamp"]!.replace(" ", "T")}Z`) - begin_ms) / 1000;
      expect(Math.abs(file.time_s[at]! - since_s)).toBeLessThan(1.001);
      expect(file.potential_V[at]).toBeCloseTo(Number(row["Voltage"]), 6);
      expect(file.current_mA[at]).toBeCloseTo(Number(row["Current(mA)"]), 6);
      if (at > 0 && row["Step"] !== rows[at - 1]!["Step"]) base_mAh += last_mAh;
      last_mAh = Number(row["Charge_Capacity(mAh)"]) - Number(row["Discharge_Capacity(mAh)"]);
      expect(Math.abs(file.charge_mAh[at]! - base_mAh - last_mAh)).toBeLessThan(1e-6);
    }
    expect(rows.at(-1)!["Timestamp"]).toBe("2022-05-14 09:26:36");
    const constant = (sign: number): number[] =>
      [...file.current_mA].filter(
        (current, at) => rows[at]!["Status"]!.startsWith("CC") && Math.sign(current) === sign,
      );
    for (const sign of [1, -1]) {
      const currents = constant(sign).sort((a, b) => a - b);
      expect(currents[currents.length >> 1]).toBeCloseTo(sign * 0.5098, 3);
    }
  },
);

real("the export of a test as a table and its .ndax are one record", async () => {
  const [archive, text] = await Promise.all([
    read(`${folder}/interp-test.ndax`),
    read(`${folder}/interp-test_vendor_export.csv`),
  ]);
  expect(text.time_s).toHaveLength(archive.time_s.length);
  for (let row = 0; row < archive.time_s.length; row++) {
    // The table's total time leaves out 0.2 s that the dates have between two rows.
    expect(Math.abs(text.time_s[row]! - archive.time_s[row]!)).toBeLessThan(0.21);
    expect(Math.abs(text.potential_V[row]! - archive.potential_V[row]!)).toBeLessThan(6e-5);
    expect(text.current_mA[row]).toBe(archive.current_mA[row]);
  }
});

real("an empty test has no row; an archive without its directory is read up to its cut", async () => {
  const empty = await read("malformed/echem/empty.ndax");
  expect(empty.time_s).toHaveLength(0);
  expect(empty.start).toBe("2025-04-25T16:21:28");
  expect(empty.warnings.join(" ")).toMatch(/recorded no row/);
  const [whole, cut] = await Promise.all([
    read(`${folder}/nw4-120-1-6-53.ndax`),
    read("malformed/truncated/nw4_cut70.ndax"),
  ]);
  expect(cut.time_s).toHaveLength(10_280);
  for (const column of ["time_s", "potential_V", "current_mA", "charge_mAh"] as const) {
    expect(cut[column]).toEqual(whole[column].slice(0, 10_280));
  }
  expect(cut.warnings.join(" ")).toMatch(/cut after 162541 bytes/);
  expect(cut.warnings.join(" ")).toMatch(/10280 of 18700 rows; the 8420 others are left out/);
});
