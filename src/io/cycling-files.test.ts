/** Every cycler's file of the folder of real files: the facts known of it are found, or it is refused by name. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { parse } from "csv-parse/sync";
import { describe, expect, test } from "vitest";
import { dataFolder } from "../../test/data-folder.js";
import type { CyclingFile, OtherFile } from "../model/cycling.js";
import { FormatError } from "../model/errors.js";
import { readBytes } from "./bytes.js";
import { openFile } from "./bytes.node.js";
import { formatOf, isCycling } from "./cycling.js";

const folder = dataFolder ?? "";

async function read(name: string): Promise<CyclingFile | OtherFile> {
  const source = await openFile(path.join(folder, name));
  try {
    const head = await readBytes(source, 0, 1 << 16);
    const format = await formatOf(head, source);
    if (format === undefined) throw new FormatError(`${name}: not recognised`);
    return await format.read(source);
  } finally {
    await source.close();
  }
}

async function record(name: string): Promise<CyclingFile> {
  const file = await read(name);
  if (!isCycling(file)) throw new Error(`${name} is ${file.description}`);
  return file;
}

function files(under: string): string[] {
  return readdirSync(path.join(folder, under)).flatMap((entry) => {
    const name = path.posix.join(under, entry);
    return statSync(path.join(folder, name)).isDirectory() ? files(name) : [name];
  });
}

interface Facts {
  readonly n_points: number;
  readonly start_timestamp: string;
  readonly half_cycle_values?: number;
  readonly columns: Readonly<Record<string, { first: number; last: number; min: number; max: number; sum: number }>>;
}

interface Found {
  readonly rows: number;
  readonly start: string | null;
  readonly warns?: RegExp;
}

// Rows and start of each record that is no .mpr; those have their facts beside them.
const records: Readonly<Record<string, Found>> = {
  "echem/biologic/ca_pair/test.mpt": { rows: 4501, start: "2021-10-20T14:01:10" },
  "echem/biologic/mpt_text/Pt_poly_cv_CUT.mpt": { rows: 223, start: "2020-07-29T10:31:01" },
  "echem/biologic/mpt_text/exampleDataBioLogic.mpt": { rows: 43, start: "2018-02-04T10:02:46", warns: /impedance/ },
  "echem/biologic/mpt_text/biologic_test_file_short.mpt": { rows: 1997, start: null },
  "echem/biologic/mpt_text/Sample_data_biologic_CA1.txt": { rows: 1397, start: "2024-05-13T11:19:51.602" },
  "echem/biologic/mpt_text/Sample_data_biologic_timestamped.txt": { rows: 8, start: "2024-11-20T11:38:41.707" },
  "echem/gamry/CHARGE_#3.DTA": { rows: 66, start: "2015-11-12T11:16:59.832" },
  "echem/gamry/mrg_OCP_before_CV_#1.DTA": { rows: 900, start: "2015-12-15T18:46:10" },
  "echem/gamry/chronoa_data.dta": { rows: 10, start: "2019-03-10T12:00:00", warns: /declares 5258 rows, 10 are there/ },
  "echem/gamry/chronoa_de_data.dta": { rows: 10, start: "2019-03-10T12:00:00", warns: /declares 5258 rows/ },
  "echem/gamry/ocp_data.dta": { rows: 21, start: "2020-10-02T17:18:00" },
  "echem/gamry/ocvcurve_data.dta": { rows: 40 + 11, start: "2019-08-15T11:50:33", warns: /CURVE1 begins/ },
  "echem/arbin/lco/arbin_example.bdf.csv": { rows: 2150, start: "2023-07-24T18:49:59.927", warns: /factor of 1000/ },
  "echem/arbin/csv/arbin_example.csv": { rows: 2142, start: "2017-07-02T14:39:13Z", warns: /no unit: A/ },
  "echem/arbin/csv/2017-05-09_test-TC-contact_CH33.csv": {
    rows: 287,
    start: "2017-05-10T00:47:33.170Z",
    warns: /no unit/,
  },
  "echem/arbin/csv/sample_data_arbin.csv": { rows: 13, start: "2024-09-20T08:32:04.558" },
  "echem/neware/neware_uio.csv": { rows: 9065, start: "2022-05-18T16:27:52" },
  "echem/neware/interp-test_vendor_export.csv": { rows: 333, start: "2025-06-17T09:26:39.383" },
  "echem/neware/nw_regular_export_ife_example.csv": { rows: 9295, start: "2026-03-06T12:37:25" },
  "echem/other/bdf/DLR__LiLNMOHydra0b__20221125__POCV__25degC__Basytec.bdf.csv": {
    rows: 17860,
    start: null,
    warns: /spans 16.8 years/,
  },
  "echem/other/landt/SINTEF__LiGrR2032__2024-04-30__25degC__Landt.csv": { rows: 25162, start: "2024-04-30T14:33:19" },
  "echem/other/landt/SINTEF__LiGrR2032__2024-04-30__25degC__Landt.bdf.csv": { rows: 25162, start: null },
  "echem/other/basytec/sample_data_basytec.txt": { rows: 74, start: "2023-06-19T17:56:53" },
  "echem/other/novonix/sample_data_novonix.csv": { rows: 207, start: "2025-07-19T15:26:20" },
  "echem/other/pec/Test25195.csv": { rows: 19, start: "2026-01-06T17:51:06", warns: /month\/day/ },
  "echem/other/maccor/maccor_example.001": { rows: 8, start: "2016-03-31T16:05:31" },
  "echem/other/maccor/maccor_example.002": { rows: 8, start: "2016-04-01T16:05:31", warns: /time of day alone/ },
  "echem/other/maccor/sample_data_maccor.csv": { rows: 15, start: "2023-11-23T15:56:11", warns: /no unit: A/ },
  "echem/other/maccor/PredictionDiagnostics_000151_test.052": { rows: 333, start: "2019-10-13T02:18:52" },
  "echem/other/maccor/xTESLADIAG_000038con.078": { rows: 3873, start: "2019-08-15T16:37:02" },
  "malformed/echem/Sample_data_biologic_no_header.mpt": { rows: 13, start: null, warns: /header is missing/ },
  "malformed/echem/cv_data_incompleteheader.dta": { rows: 0, start: "2019-03-06T16:35:22", warns: /no table/ },
  "malformed/echem/custom_nan_inf.csv": { rows: 57, start: null, warns: /3 of 60 rows lack a finite number/ },
  "malformed/echem/custom_truncated.csv": { rows: 59, start: null, warns: /cut in line 80/ },
  "malformed/truncated/Pt_poly_cv_cut.mpt": { rows: 159, start: "2020-07-29T10:31:01", warns: /cut in line 233/ },
  "malformed/truncated/CP_SSB_cut25.mpr": { rows: 7462, start: null, warns: /22746 of 30208 rows are lost/ },
};

const others: Readonly<Record<string, RegExp>> = {
  "echem/gamry/eispot_data.dta": /impedance spectrum of 6 frequencies/,
  "echem/gamry/exampleDataGamry.DTA": /impedance spectrum of 72 frequencies/,
  "echem/gamry/mrgPWRCAPACITY.DTA": /summary of 100 half cycles/,
  "malformed/echem/eispot_data_curveaborted.dta": /impedance spectrum of 5 frequencies/,
  "echem/biologic/ca_pair/test.mps": /settings.*Chronoamperometry/,
  "echem/biologic/nacoo2_c24/jdb11-1_c3_gcpl_5cycles_2V-3p8V_C-24_data.mps": /settings.*Galvanostatic/,
  "echem/biologic/nacoo2_rate/jdb11-4.mps": /settings.*Galvanostatic/,
};

const refused: Readonly<Record<string, RegExp>> = {
  "malformed/echem/noData.mpt": /empty \(0 bytes\)/,
  "malformed/echem/custom_missing_column.csv": /its columns are index, test_time, .*wanted are .* a potential/,
  "malformed/truncated/GCPL-0_cut40.mpr": /cut after 6604 bytes, before its data/,
  "echem/neware/operando_nacoo2/log_operando_cell6_run1.csv": /its columns are scan_number, cell_name, time/,
};

describe.skipIf(dataFolder === null)("real files", () => {
  const all = [...files("echem"), ...files("malformed/echem"), ...files("malformed/truncated")].filter(
    (name) => /\.(mpr|mpt|mps|txt|dta|csv|\d{3})$/i.test(name) && !/expected/.test(name),
  );
  const binary = all.filter((name) => name.startsWith("echem/") && name.endsWith(".mpr"));
  const headless = all.filter((name) => name.startsWith("echem/lco_enertech/"));

  test("each is in the tables of this test", () => {
    const known = new Set([
      ...Object.keys(records),
      ...Object.keys(others),
      ...Object.keys(refused),
      ...binary,
      ...headless,
    ]);
    expect(all.filter((name) => !known.has(name))).toEqual([]);
    expect([...known].filter((name) => !all.includes(name))).toEqual([]);
    console.log(
      `cyclers' files: ${binary.length} .mpr, ${Object.keys(records).length} other records, ` +
        `${Object.keys(others).length} of another kind, ${Object.keys(refused).length + headless.length} refused.`,
    );
  });

  test.each(binary)("%s has the facts that are known of it", async (name) => {
    const facts = JSON.parse(readFileSync(path.join(folder, name.replace(/mpr$/, "expected.json")), "utf8")) as Facts;
    const file = await record(name);
    expect(file.format).toBe("biologic-mpr");
    expect(file.time_s.length).toBe(facts.n_points);
    const seconds = Date.parse(`${file.start}Z`) - Date.parse(`${facts.start_timestamp.replace(" ", "T")}Z`);
    expect(Math.abs(seconds)).toBeLessThan(1);
    if (facts.half_cycle_values !== undefined) expect(file.cycles).toBe(facts.half_cycle_values / 2);

    const { columns } = facts;
    const pairs = [
      [columns["time/s"], file.time_s],
      [columns["Ewe/V"] ?? columns["<Ewe>/V"], file.potential_V],
      [columns["I/mA"] ?? columns["<I>/mA"], file.current_mA],
      [columns["(Q-Qo)/mA.h"], file.charge_mAh],
    ] as const;
    for (const [wanted, found] of pairs) {
      if (wanted === undefined) continue;
      expect(found[0]).toBe(wanted.first);
      expect(found.at(-1)).toBe(wanted.last);
      expect(found.reduce((a, b) => Math.min(a, b))).toBe(wanted.min);
      expect(found.reduce((a, b) => Math.max(a, b))).toBe(wanted.max);
      const scale = found.reduce((sum, value) => sum + Math.abs(value), 0);
      expect(Math.abs(found.reduce((a, b) => a + b) - wanted.sum)).toBeLessThanOrEqual(1e-11 * scale);
    }

    const rows = parse(readFileSync(path.join(folder, name.replace(/mpr$/, "expected_rows.csv")), "utf8"), {
      columns: true,
    }) as Record<string, string>[];
    expect(rows.length).toBeGreaterThan(1);
    const wrong: string[] = [];
    for (const row of rows) {
      const at = Number(row["row"]);
      const near = (found: number | undefined, cell: string | undefined): void => {
        if (cell === undefined || Math.abs(found! - Number(cell)) <= 5e-8 * Math.abs(Number(cell))) return;
        wrong.push(`row ${at}: ${found} is not ${cell}`);
      };
      near(file.time_s[at], row["time/s"]);
      near(file.potential_V[at], row["Ewe/V"] ?? row["<Ewe>/V"]);
      near(file.charge_mAh[at], row["(Q-Qo)/mA.h"]);
      near(file.current_mA[at], row["I/mA"] ?? row["<I>/mA"]);
      // GCPL: the charge since the row before is the derived current over the time since then.
      const dt_s = at === 0 ? 0 : file.time_s[at]! - file.time_s[at - 1]!;
      if (row["I/mA"] === undefined && row["dq/mA.h"] !== undefined && dt_s > 0) {
        near((file.current_mA[at]! * dt_s) / 3600, row["dq/mA.h"]);
      }
    }
    expect(wrong).toEqual([]);
  });

  test.each(Object.entries(records))("%s is a record", async (name, { rows, start, warns }) => {
    const file = await record(name);
    expect({ rows: file.time_s.length, start: file.start }).toEqual({ rows, start });
    if (warns === undefined) expect(file.warnings).toEqual([]);
    else expect(file.warnings.join("\n")).toMatch(warns);
    for (const column of [file.time_s, file.potential_V, file.current_mA, file.charge_mAh]) {
      expect(column.length).toBe(rows);
      expect(column.every(Number.isFinite)).toBe(true);
    }
  });

  test.each(Object.entries(others))("%s is something else", async (name, what) => {
    const file = await read(name);
    expect(isCycling(file)).toBe(false);
    expect("description" in file && file.description).toMatch(what);
  });

  test.each([...Object.entries(refused), ...headless.map((name) => [name, /no row of column names/] as const)])(
    "%s is refused by name",
    async (name, why) => {
      const error = await read(name).then(
        () => null,
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(FormatError);
      expect((error as FormatError).message).toMatch(why);
      expect((error as FormatError).message).toContain(path.basename(name));
    },
  );

  test("the columns of the .mpt are as the vendor names them", async () => {
    const list = JSON.parse(
      readFileSync(path.join(folder, "echem/biologic/mpt_text/mpt.expected.json"), "utf8"),
    ) as Record<string, { rows: number; columns: string[] }>;
    for (const [name, { rows, columns }] of Object.entries(list)) {
      const file = await record(name);
      expect(file.time_s.length).toBe(rows);
      expect(file.columns).toEqual(columns);
    }
  });

  test("binary and text of one run agree", async () => {
    const mpr = await record("echem/biologic/ca_pair/test.mpr");
    const mpt = await record("echem/biologic/ca_pair/test.mpt");
    expect([mpt.start, mpt.cycles]).toEqual([mpr.start, mpr.cycles]);
    const worst = (a: Float64Array, b: Float64Array): number =>
      a.reduce((most, value, row) => Math.max(most, Math.abs(value - b[row]!) / (Math.abs(value) || 1)), 0);
    expect(worst(mpr.time_s, mpt.time_s)).toBeLessThan(1e-15);
    expect(worst(mpr.potential_V, mpt.potential_V)).toBeLessThan(5e-8);
    expect(worst(mpr.current_mA, mpt.current_mA)).toBeLessThan(5e-8);
    expect(worst(mpr.charge_mAh, mpt.charge_mAh)).toBeLessThan(5e-8);
  });

  test("point and comma of one Gamry run agree", async () => {
    const point = await record("echem/gamry/chronoa_data.dta");
    const comma = await record("echem/gamry/chronoa_de_data.dta");
    expect([...comma.time_s]).toEqual([...point.time_s]);
    expect([...comma.current_mA.subarray(1)]).toEqual([...point.current_mA.subarray(1)]);
  });

  test("the export of the LiCoO2 cell has the times and potentials of its database, and a thousandth of its current", async () => {
    const file = await record("echem/arbin/lco/arbin_example.bdf.csv");
    const rows = parse(readFileSync(path.join(folder, "echem/arbin/lco/arbin_example.expected_rows.csv"), "utf8"), {
      columns: true,
    }) as Record<string, string>[];
    const wrong = rows.filter((row) => {
      const at = Number(row["Data_Point"]) - 1;
      const off = (found: number | undefined, cell: string | undefined): boolean =>
        !(Math.abs(found! - Number(cell)) <= 1e-12 * Math.abs(Number(cell)));
      return (
        off(file.time_s[at], row["Test_Time"]) ||
        off(file.potential_V[at], row["Voltage"]) ||
        off(file.current_mA[at], row["Current"])
      );
    });
    expect(rows.length).toBeGreaterThan(100);
    expect(wrong).toEqual([]);
  });

  test("the charge of each table of text is that of the capacities that its cycler counted", async () => {
    const cases: [name: string, charged_mAh: number, tolerance_mAh: number][] = [
      // Chg. Cap. minus DChg. Cap. of all steps; the last Capacity.
      ["echem/neware/neware_uio.csv", -2.97533, 0.001],
      ["echem/other/novonix/sample_data_novonix.csv", 1706.52976, 0.1],
    ];
    for (const [name, charged_mAh, tolerance_mAh] of cases) {
      const file = await record(name);
      expect(Math.abs(file.charge_mAh.at(-1)! - file.charge_mAh[0]! - charged_mAh)).toBeLessThan(tolerance_mAh);
    }
    const landt = await record("echem/other/landt/SINTEF__LiGrR2032__2024-04-30__25degC__Landt.csv");
    const converted = await record("echem/other/landt/SINTEF__LiGrR2032__2024-04-30__25degC__Landt.bdf.csv");
    expect(converted.time_s.every((time, row) => time === landt.time_s[row])).toBe(true);
    expect(converted.potential_V.every((potential, row) => potential === landt.potential_V[row])).toBe(true);
    expect(converted.current_mA.every((current, row) => current === landt.current_mA[row])).toBe(true);
  });
});
