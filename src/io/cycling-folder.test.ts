import * as fc from "fast-check";
import { expect, test } from "vitest";
import { buildDta, buildMpr, buildTable, bytesOf, type DtaSpec } from "../../fixtures/cycling-builders.js";
import { memoryFolder } from "./bytes.js";
import { cyclerEntries, readCyclingFolder } from "./cycling-folder.js";
import { openAny, readCycling, tellKind } from "./open.js";

const step = (tag: string, date: string, time: string, current_A: number, rows = 5): Uint8Array =>
  bytesOf(
    buildDta({
      tag,
      date,
      time,
      tables: [
        {
          name: "CURVE",
          columns: [
            ["T", "s", Array.from({ length: rows }, (_, row) => 10 * row)],
            ["Vf", "V", Array.from({ length: rows }, (_, row) => 3.7 + row / 100)],
            ["Im", "A", Array.from({ length: rows }, () => current_A)],
          ],
        },
      ],
    }),
  );

const spectrum = bytesOf(
  buildDta({
    tag: "EISPOT",
    date: "5/13/2024",
    time: "8:00:00",
    tables: [{ name: "ZCURVE", columns: [["Freq", "Hz", [1]]] }],
  } satisfies DtaSpec),
);

test("a Gamry sequence in nested folders is one record, in the order of its times and not of its names", async () => {
  await fc.assert(
    fc.asyncProperty(fc.shuffledSubarray([1, 2, 3, 9, 10, 11, 100], { minLength: 2 }), async (numbers) => {
      // Files in an order of time that their names do not tell.
      const files: Record<string, Uint8Array> = {
        "OCV_before/OCV_before.DTA": step("PWR800_READVOLTAGE", "5/13/2024", "9:00:00", 0),
        "EIS/EISPOT.DTA": spectrum,
        "notes.txt": bytesOf("cell 7, charged twice\n"),
      };
      for (const [index, number] of numbers.entries()) {
        const name = `${(index % 3) + 1}_Charge_Discharge/CHARGE_DISCHARGE/CHARGE_#${number}.DTA`;
        const minute = String(index + 1).padStart(2, "0");
        files[name] = step("PWR800_CHARGE", "5/13/2024", `9:${minute}:00`, (index + 1) / 1000);
      }
      const cycling = await readCycling([memoryFolder("run", files)]);
      expect(cycling.start).toBe("2024-05-13T09:00:00");
      expect(cycling.format).toBe("gamry-dta");
      const firsts = [0, ...numbers.keys()].map((_, index) => 60 * index);
      for (const [index, first] of firsts.entries()) {
        expect(cycling.time_s[5 * index]).toBe(first);
        expect(cycling.current_mA[5 * index]).toBeCloseTo(index, 9);
      }
      expect(cycling.warnings[0]).toMatch(
        /1 file of the folder holds no cycling record and was passed over: EIS\/EISPOT.DTA \(an impedance spectrum of 1 /,
      );
    }),
    { numRuns: 30 },
  );
});

test("gaps between the files are reported, and no charge is counted in them", async () => {
  const folder = memoryFolder("run", {
    "a/CHARGE_#10.DTA": step("PWR800_CHARGE", "5/13/2024", "9:00:00", 0.001),
    "a/CHARGE_#9.DTA": step("PWR800_CHARGE", "5/13/2024", "10:00:00", 0.001),
  });
  const cycling = (await readCyclingFolder(folder))!;
  expect(cycling.name).toBe("run");
  expect([...cycling.time_s.subarray(4, 7)]).toEqual([40, 3600, 3610]);
  expect(cycling.warnings.join("\n")).toMatch(/CHARGE_#9.DTA: a gap of 3560 s after CHARGE_#10.DTA/);
  expect(cycling.charge_mAh.at(-1)).toBeCloseTo(80 / 3600, 9);
});

test("one file's date tells the order of day and month for all of a run", async () => {
  const folder = memoryFolder("run", {
    "OCV.DTA": step("PWR800_READVOLTAGE", "12/5/2024", "23:59:00", 0),
    "CHARGE.DTA": step("PWR800_CHARGE", "13/5/2024", "0:00:00", 0.001),
  });
  const cycling = (await readCyclingFolder(folder))!;
  expect(cycling.start).toBe("2024-05-12T23:59:00");
  expect(cycling.time_s.at(-1)).toBe(100);
  expect(cycling.warnings.join()).not.toMatch(/month\/day/);
});

test("linked techniques of EC-Lab lie on the clock of their run; their spectra are left out", async () => {
  const start_days = 45414.5;
  const columns = (from_s: number, current: number): Parameters<typeof buildMpr>[0]["columns"] => [
    { ids: [4], type: "f8", values: [from_s, from_s + 1, from_s + 2] },
    { ids: [6], type: "f4", values: [3, 3, 3] },
    { ids: [8], type: "f4", values: [current, current, current] },
    { ids: [32], type: "f4", values: [1, 1, 1] },
    { ids: [37], type: "f4", values: [1, 1, 1] },
  ];
  const mpr = (technique: number, from_s: number, current: number): Uint8Array => {
    const all = columns(from_s, current);
    return buildMpr({ frame: "new", technique, start_days, columns: technique === 0x1d ? all : all.slice(0, 3) });
  };
  const folder = memoryFolder("run", {
    "cell_02_MB.mpr": mpr(0x7f, 100, 1),
    "cell_01_OCV.mpr": mpr(0x0b, 0, 0),
    "cell_03_PEIS.mpr": mpr(0x1d, 102.5, 0),
    "cell.mps": bytesOf("EC-LAB SETTING FILE\r\n\r\nTechnique : 1\r\nOpen Circuit Voltage\r\n"),
  });
  const cycling = (await readCyclingFolder(folder))!;
  expect([...cycling.time_s]).toEqual([0, 1, 2, 100, 101, 102]);
  expect(cycling.settings).toMatchObject({ Technique: "Open Circuit Voltage" });
  expect(cycling.warnings[0]).toMatch(/2 files .* cell_03_PEIS.mpr \(an impedance spectrum\); cell.mps \(settings/);
});

test("tables of text count where no file has a format of its own; a damaged file is passed over and told", async () => {
  const table = (from_s: number): Uint8Array =>
    bytesOf(
      buildTable(
        ["Date", "time_s", "potential_V", "current_mA"],
        [0, 1, 2].map((row) => [`2024-05-13 10:00:0${from_s + row}`, row, 3, 1]),
      ),
    );
  const cycling = (await readCyclingFolder(
    memoryFolder("run", { "b.csv": table(0), "a.csv": table(5), "x.txt": bytesOf("hello\n") }),
  ))!;
  expect([...cycling.time_s]).toEqual([0, 1, 2, 5, 6, 7]);
  expect(cycling.warnings[0]).toMatch(/x.txt \(no row of column names/);
  const cut = buildMpr({ frame: 3, columns: [{ ids: [4], type: "f8", values: [0] }] }).subarray(0, 300);
  const some = memoryFolder("run", { "a.mpr": cut, "b.DTA": step("PWR800_CHARGE", "5/13/2024", "9:00:00", 1) });
  expect((await readCyclingFolder(some))!.warnings[0]).toMatch(/a.mpr \(the file was cut after 300 bytes/);
});

test("a folder of a cycler's files opens as cycling; one without any says so", async () => {
  const nested = memoryFolder("run", {
    "1/CHARGE_DISCHARGE/CHARGE_#1.DTA": step("PWR800_CHARGE", "5/13/2024", "9:00:00", 1),
  });
  expect(await tellKind(nested)).toBe("cycling");
  expect((await openAny(nested)).kind).toBe("cycling");
  expect(await openAny(nested)).toMatchObject({ kind: "cycling", cycling: { format: "gamry-dta", name: "run" } });
  expect((await cyclerEntries(nested, true)).map(({ path }) => path)).toEqual(["1/CHARGE_DISCHARGE/CHARGE_#1.DTA"]);
  await expect(openAny(memoryFolder("empty", { "a.bin": Uint8Array.of(0, 1, 2) }))).rejects.toThrow(
    /the folder holds 1 files? and no image/,
  );
  expect(await readCyclingFolder(memoryFolder("deep", { "1/2/3/4/5/6/7/a.DTA": spectrum }))).toBeNull();
});
