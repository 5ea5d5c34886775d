import * as fc from "fast-check";
import { expect, test } from "vitest";
import { buildNda, type NdaSpec } from "../../test/neware-builder.js";
import { drawnSteps, newareRun, type Run } from "../../test/neware-run.js";
import type { CyclingFile } from "../model/cycling.js";
import { FormatError } from "../model/errors.js";
import { memorySource } from "./bytes.js";
import { readNda, sniffNda } from "./neware-nda.js";
import { readCycling } from "./open.js";

const START_MS = Date.UTC(2024, 4, 6, 8, 58, 58);
const versions = [8, 22, 29, "130-88", "130-52", "130-56", "130-60"] as const;

function read(bytes: Uint8Array): Promise<CyclingFile> {
  return readNda(memorySource("folder/run.nda", bytes));
}

function near(found: ArrayLike<number>, known: readonly number[], within: number): void {
  expect(found.length).toBe(known.length);
  let worst = 0;
  for (const [at, value] of known.entries()) worst = Math.max(worst, Math.abs(found[at]! - value));
  expect(worst).toBeLessThanOrEqual(within);
}

const steps = [
  { kind: "rest", rows: 4, interval_ms: 10_000, last_ms: 3000, current: 0 },
  { kind: "charge", rows: 20, interval_ms: 30_000, last_ms: 7000, current: 500 },
  { kind: "discharge", rows: 15, interval_ms: 30_000, last_ms: 12_000, current: 400 },
  { kind: "charge", rows: 9, interval_ms: 60_000, last_ms: 60_000, current: 500 },
] as const;

function spec(version: NdaSpec["version"], run: Run, more: Partial<NdaSpec> = {}): NdaSpec {
  return { version, rows: run.rows, range: 10, unit_mA: 1e-3, ...more };
}

test("drawn runs come back from every version: times, potentials, currents, charge running over the steps", async () => {
  for (const version of versions) {
    const single = typeof version === "string";
    await fc.assert(
      fc.asyncProperty(drawnSteps(version === 8), fc.boolean(), async (drawn, among) => {
        const run = newareRun(drawn, START_MS, 1e-3);
        const file = await read(buildNda(spec(version, run, { among: among && !single })));
        // Dates in whole seconds leave the moment of each row open by up to a second.
        near(file.time_s, run.time_s, single ? 1e-6 : 1);
        near(file.potential_V, run.potential_V, single ? 1e-6 : 1e-12);
        near(file.current_mA, run.current_mA, single ? 1e-5 : 1e-12);
        const most_mAh = Math.max(1, ...run.charge_mAh.map(Math.abs));
        near(file.charge_mAh, run.charge_mAh, (single ? 1e-5 : 1e-12) * most_mAh);
        expect(file.cycles).toBe(version === "130-88" ? null : run.cycles);
      }),
      { numRuns: 15 },
    );
  }
});

test("the time within steps gives the tenths of a second that whole-second dates lack", async () => {
  const run = newareRun([{ kind: "charge", rows: 200, interval_ms: 100, last_ms: 100, current: 500 }], START_MS, 1e-3);
  for (const version of [22, 29] as const) near((await read(buildNda(spec(version, run)))).time_s, run.time_s, 1e-9);
});

test("a pause counts in the time, and is told", async () => {
  const paused = steps.map((step, at) => (at === 1 ? { ...step, pause_ms: 600_000 } : step));
  const run = newareRun(paused, START_MS, 1e-3);
  for (const version of [8, 22, 29, "130-88", "130-56"] as const) {
    const file = await read(buildNda(spec(version, run)));
    near(file.time_s, run.time_s, 1);
    expect(file.warnings.join(" ")).toMatch(/stood still within a step once, (600|599) s/);
  }
});

test("a clock that is set back moves no row back: by an hour the steps go on, by a minute the dates are met again", async () => {
  const run = newareRun(
    [{ kind: "charge", rows: 100, interval_ms: 10_000, last_ms: 10_000, current: 500 }],
    START_MS,
    1e-3,
  );
  const setBack = (by_ms: number): Run["rows"] =>
    run.rows.map((row, at) => (at < 50 ? row : { ...row, stamp_ms: row.stamp_ms - by_ms }));
  for (const version of [29, "130-88", "130-56"] as const) {
    const winter = await read(buildNda(spec(version, { ...run, rows: setBack(3_600_000) })));
    near(winter.time_s, run.time_s, 1);
    expect(winter.warnings.join(" ")).toMatch(/set back by 3590 s/);
    const corrected = await read(buildNda(spec(version, { ...run, rows: setBack(60_000) })));
    near(
      corrected.time_s.subarray(70),
      run.time_s.slice(70).map((time) => time - 60),
      1.01,
    );
    for (let row = 1; row < 100; row++) expect(corrected.time_s[row]).toBeGreaterThan(corrected.time_s[row - 1]!);
  }
});

test("civil dates stay without zone; those in UTC get the zone of the start that the header tells", async () => {
  const run = newareRun(steps, START_MS, 1e-3);
  const start = async (version: NdaSpec["version"], started?: string): Promise<string | null> =>
    (await read(buildNda(spec(version, run, started === undefined ? {} : { started })))).start;
  expect(await start(29, "2024-05-06 08:58:50")).toBe("2024-05-06T08:58:58");
  expect(await start(22, "2024-05-06 10:58:50")).toBe("2024-05-06T10:58:58+02:00");
  expect(await start(22, "2024-05-06 14:28:40")).toBe("2024-05-06T14:28:58+05:30");
  expect(await start(8, "2024.05.06 04:58:50")).toBe("2024-05-06T04:58:58-04:00");
  expect(await start(22, "2024-05-06 10:40:00")).toBe("2024-05-06T08:58:58Z");
  expect(await start(22, "2024-05-06 14:42:00")).toBe("2024-05-06T14:43:58+05:45");
  expect(await start(22)).toBe("2024-05-06T08:58:58Z");
  expect(await start("130-56")).toBe("2024-05-06T08:58:58Z");
});

test("rows out of order are sorted by their numbers and repeated ones left out", async () => {
  const run = newareRun(steps, START_MS, 1e-3);
  const mixed = [...run.rows.slice(10), ...run.rows.slice(0, 12)];
  const file = await read(buildNda(spec(29, { ...run, rows: mixed })));
  near(file.time_s, run.time_s, 1);
  near(file.charge_mAh, run.charge_mAh, 1e-12);
  expect(file.warnings.join(" ")).toMatch(/2 rows repeat the number/);
});

test("the unit of the current follows from the range; an unknown range is refused by name", async () => {
  const run = newareRun(steps, START_MS, 1e-3);
  const first = async (range: number): Promise<number> =>
    Math.max(...(await read(buildNda(spec(29, run, { range })))).current_mA);
  for (const [range, unit_mA] of [
    [1, 1e-4],
    [50, 1e-3],
    [500, 1e-2],
    [6000, 0.1],
    [-1, 1e-5],
    [-25, 1e-4],
    [-100, 1e-3],
    [-200_000, 1e-2],
    [-100_000_000, 10],
  ] as const) {
    expect(await first(range)).toBeCloseTo(500 * unit_mA, 9);
  }
  for (const range of [7, 77, 777, -777, 300_000, 2 ** 31 - 1]) {
    for (const version of [29, 22] as const) {
      await expect(read(buildNda(spec(version, run, { range })))).rejects.toThrow(
        new RegExp(`row 1 \\(at byte 2701\\) has the current range ${range}, .*CSV`),
      );
    }
    await expect(read(buildNda(spec(8, run, { range })))).rejects.toThrow(
      new RegExp(`current range is ${range} \\(at byte 2074\\)`),
    );
  }
  await expect(read(buildNda(spec(29, run, { range: 77 })))).rejects.toThrow(FormatError);
  const zero = buildNda(spec(29, run, { range: 0 }));
  expect((await read(zero)).warnings.join(" ")).toMatch(/44 rows count a current in the current range 0/);
});

test("records are found where the header does not point to them", async () => {
  const run = newareRun(steps, START_MS, 1e-3);
  for (const version of [22, 29] as const) {
    const file = await read(buildNda(spec(version, run, { lost: true })));
    near(file.charge_mAh, run.charge_mAh, 1e-12);
  }
  const none = buildNda(spec(29, { ...run, rows: [] }, { lost: true }));
  await expect(read(none)).rejects.toThrow(/no records are found/);
  await expect(read(buildNda(spec(29, run)).subarray(0, 2500))).rejects.toThrow(
    /cut after 2500 bytes, before its records/,
  );
});

test("a single row is read, and steps of one number are told apart by their cycles", async () => {
  const one = newareRun(steps.slice(1, 2), START_MS, 1e-3);
  for (const version of versions) {
    const file = await read(buildNda(spec(version, { ...one, rows: one.rows.slice(0, 1) })));
    expect([...file.time_s]).toEqual([0]);
  }
  const again = newareRun([steps[1], steps[1], steps[1]], START_MS, 1e-3);
  const rows = again.rows.map((row) => ({ ...row, step: 1, cycle: row.stepsBegun - 1 }));
  for (const version of [8, 29, "130-56"] as const) {
    near((await read(buildNda(spec(version, { ...again, rows })))).charge_mAh, again.charge_mAh, 1e-4);
  }
});

test("a file without a charge of its own gives the integral of its current", async () => {
  const run = newareRun(steps, START_MS, 1e-3);
  const rows = run.rows.map((row) => ({ ...row, chargeIn: 0, chargeOut: 0 }));
  const file = await read(buildNda(spec(29, { ...run, rows })));
  expect(file.charge_mAh.at(-1)).toBeCloseTo(run.charge_mAh.at(-1)!, 2);
});

test("unknown statuses are rows like others; a version that is not known is refused by its number", async () => {
  const run = newareRun(steps, START_MS, 1e-3);
  const rows = run.rows.map((row) => ({ ...row, status: 250 }));
  for (const version of ["130-88", "130-56"] as const) {
    near((await read(buildNda(spec(version, { ...run, rows })))).charge_mAh, run.charge_mAh, 1e-4);
  }
  const other = run.rows.map((row) => ({ ...row, status: 33 }));
  near((await read(buildNda(spec(29, { ...run, rows: other })))).charge_mAh, run.charge_mAh, 1e-12);
  const bytes = buildNda(spec(29, run));
  bytes[14] = 77;
  await expect(read(bytes)).rejects.toThrow(/version 77 of \.nda \(at byte 14\); .*are read.*CSV/);
});

test("an empty test has no row and says so", async () => {
  for (const version of [8, 29, "130-88"] as const) {
    const file = await read(buildNda(spec(version, { ...newareRun(steps, START_MS, 1e-3), rows: [] })));
    expect(file.time_s).toHaveLength(0);
    expect(file.warnings.join(" ")).toMatch(/recorded no row/);
  }
});

test("a cut anywhere leaves the whole rows before it, and says how many are lost", async () => {
  const run = newareRun(steps.slice(0, 2), START_MS, 1e-3);
  for (const version of versions) {
    const bytes = buildNda(spec(version, run));
    const size = (bytes.length - (typeof version === "string" ? 1024 : 2701)) / run.rows.length;
    for (let end = 0; end < bytes.length; end += end < 2720 ? 97 : 5) {
      let file: CyclingFile;
      try {
        file = await read(bytes.subarray(0, end));
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError);
        continue;
      }
      const rows = Math.max(0, Math.floor((end - (bytes.length - size * run.rows.length)) / size));
      expect(file.time_s.length).toBe(rows);
      if (version === 8) continue;
      expect(file.warnings.join(" ")).toMatch(
        /cut after \d+ bytes(: \d+ of 24 records are lost|, before its first row)/,
      );
    }
  }
});

test("bytes changed at random give a record or a sentence", async () => {
  const run = newareRun(steps, START_MS, 1e-3);
  for (const version of versions) {
    const whole = buildNda(spec(version, run));
    const change = fc.record({
      at: fc.oneof(fc.nat(255), fc.nat(1150), fc.nat(whole.length - 1)),
      value: fc.constantFrom(0, 1, 0x55, 0x7f, 0x80, 0xff),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 12 }), async (changes) => {
        const bytes = whole.slice();
        for (const { at, value } of changes) bytes[at] = value;
        try {
          const file = await read(bytes);
          expect(file.time_s.length).toBeLessThanOrEqual(bytes.length / 52);
          for (let row = 1; row < file.time_s.length; row++) {
            expect(file.time_s[row]!).toBeGreaterThanOrEqual(file.time_s[row - 1]!);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
          expect((error as Error).message).not.toMatch(/\n/);
        }
      }),
      { numRuns: 60 },
    );
  }
});

test("the file is told by its first bytes", async () => {
  const bytes = buildNda(spec(29, newareRun(steps, START_MS, 1e-3)));
  expect(sniffNda(bytes)).toBe(true);
  expect(sniffNda(bytes.subarray(1))).toBe(false);
  const opened = await readCycling([memorySource("run.txt", bytes)]);
  expect(opened.format).toBe("neware-nda");
  expect(opened.settings).toMatchObject({ "nda version": 29, "active mass / mg": 12.5 });
});
