import * as fc from "fast-check";
import { expect, test } from "vitest";
import { buildDta, buildMpr, buildMpt, bytesOf } from "../../fixtures/cycling-builders.js";
import type { CyclingFile } from "../model/cycling.js";
import { memorySource } from "./bytes.js";
import { formatOf, isCycling, joinCycling } from "./cycling.js";
import { integrateCurrent } from "./cycling-record.js";

function record(
  name: string,
  start: string | null,
  time_s: readonly number[],
  current_mA = 1,
  cycles: number | null = null,
): CyclingFile {
  const time = Float64Array.from(time_s);
  const current = new Float64Array(time.length).fill(current_mA);
  return {
    name: `folder/${name}`,
    format: "gamry-dta",
    start,
    columns: ["T", "Vf", "Im"],
    cycles,
    time_s: time,
    potential_V: time.map((t) => 3 + t / 1000),
    current_mA: current,
    charge_mAh: integrateCurrent(time, current),
    warnings: [],
  };
}

test("files are laid on the clock of the first by their starts, in whatever order they are named", () => {
  const files = [
    record("b.DTA", "2024-01-01T10:00:30", [0, 10, 20]),
    record("a.DTA", "2024-01-01T10:00:00", [0.5, 10, 20]),
    record("c.DTA", "2024-01-01T11:00:00", [1, 11]),
  ];
  for (const order of [files, [...files].reverse()]) {
    const joined = joinCycling(order);
    expect([...joined.time_s]).toEqual([0.5, 10, 20, 30, 40, 50, 3601, 3611]);
    expect(joined.start).toBe("2024-01-01T10:00:00");
    expect(joined.warnings).toEqual(["c.DTA: a gap of 3551 s after b.DTA; no charge is counted in it."]);
    expect(joined.columns).toEqual(["T", "Vf", "Im"]);
  }
});

test("the charge runs on across files, from the first file's own zero", () => {
  const first = { ...record("a", "2024-01-01T10:00:00", [0, 3600]), charge_mAh: Float64Array.of(0.25, 1.25) };
  const second = { ...record("b", "2024-01-01T11:00:01", [0, 3600], -2), charge_mAh: Float64Array.of(7, 5) };
  expect([...joinCycling([second, first]).charge_mAh]).toEqual([0.25, 1.25, 1.25, -0.75]);
});

test("a file whose charge is unknown leaves no hole behind it", () => {
  const unknown = { ...record("b", "2024-01-01T10:00:10", [1, 2]), charge_mAh: Float64Array.of(NaN, NaN) };
  const whole = [
    record("a", "2024-01-01T10:00:00", [0, 10], 360),
    unknown,
    record("c", "2024-01-01T10:00:20", [0, 10], 360),
  ];
  expect([...joinCycling(whole).charge_mAh]).toEqual([0, 1, NaN, NaN, 1, 2]);
});

test("a file without a start follows end to end, in the order given, and that is said", () => {
  const joined = joinCycling([record("b", null, [0, 10]), record("a", "2024-01-01T10:00:00", [5, 10, 15])]);
  expect([...joined.time_s]).toEqual([0, 10, 15, 20, 25]);
  // Its own start, 15 s into the record and 5 s before its first row, dates the whole.
  expect(joined.start).toBe("2024-01-01T09:59:50");
  expect(joined.warnings).toEqual(["a: what comes before the file has no start time; it is laid end to end after b."]);
  const unknownLast = joinCycling([record("a", "2024-01-01T10:00:00", [0, 10]), record("b", null, [0, 10])]);
  expect([...unknownLast.time_s]).toEqual([0, 10, 20, 30]);
  expect(unknownLast.warnings).toEqual(["b: the file has no start time; it is laid end to end after a."]);
});

test("a clock with a zone and one without are not compared", () => {
  const joined = joinCycling([
    record("a", "2024-01-01T10:00:00Z", [0, 10]),
    record("b", "2024-01-01T10:00:30", [0, 10]),
  ]);
  expect([...joined.time_s]).toEqual([0, 10, 20, 30]);
  expect(joined.warnings[0]).toMatch(/another kind of clock/);
});

test("starts in whole seconds may overlap by as much; a true overlap loses the later rows", () => {
  const close = joinCycling([
    record("a", "2024-01-01T10:00:00", [0, 10.5]),
    record("b", "2024-01-01T10:00:10", [0, 0.25]),
  ]);
  expect([...close.time_s]).toEqual([0, 10.5, 10.75, 11]);
  expect(close.warnings).toEqual([]);
  const over = joinCycling([
    record("a", "2024-01-01T10:00:00", [0, 10, 20]),
    record("b", "2024-01-01T10:00:10", [0, 9, 11, 20]),
  ]);
  expect([...over.time_s]).toEqual([0, 10, 20, 21, 30]);
  expect(over.warnings[0]).toMatch(/overlaps a by 10 s; its first 2 rows are left out/);
  const within = joinCycling([
    record("a", "2024-01-01T10:00:00", [0, 100]),
    record("b", "2024-01-01T10:00:10", [0, 9]),
  ]);
  expect([...within.time_s]).toEqual([0, 100]);
  expect(within.warnings[0]).toMatch(/left out/);
});

test("a linked technique's time counts from the start of the whole series", () => {
  const joined = joinCycling([
    record("02_MB", "2023-12-08T09:49:52.346", [6.166, 16.1658]),
    record("04_MB", "2023-12-08T09:49:52.346", [16.1674, 17.6672]),
  ]);
  expect([...joined.time_s]).toEqual([6.166, 16.1658, 16.1674, 17.6672]);
  expect(joined.start).toBe("2023-12-08T09:49:52.346");
});

test("cycles add up where every file counts them; files without a row are left out", () => {
  const one = record("a", "2024-01-01T10:00:00", [0, 10], 1, 1.5);
  const two = record("b", "2024-01-01T10:00:20", [0, 10], 1, 2);
  const empty = record("c", "2024-01-01T09:00:00", [], 1, 0);
  const joined = joinCycling([empty, two, one]);
  expect(joined.cycles).toBe(3.5);
  expect(joined.time_s.length).toBe(4);
  expect(joined.warnings).toContain("c: the file has no row and is left out.");
  expect(joinCycling([one, { ...two, cycles: null }]).cycles).toBeNull();
});

test("one file stays what it is, none is no wish", () => {
  const only = record("a", null, [3, 4]);
  expect(joinCycling([only])).toBe(only);
  expect(() => joinCycling([])).toThrow(/Name one/);
});

test("a run cut into files and joined is the run again", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 4, maxLength: 60 }),
      fc.array(fc.nat({ max: 58 }), { maxLength: 5 }),
      fc.integer(),
      (steps, cuts, turn) => {
        let now = 0;
        const time_s = steps.map((step) => (now += step));
        const edges = [...new Set([0, ...cuts.filter((cut) => cut < time_s.length), time_s.length])].sort(
          (a, b) => a - b,
        );
        const parts = edges.slice(0, -1).map((from, index) => {
          const own = time_s.slice(from, edges[index + 1]);
          const start = new Date(Date.UTC(2024, 0, 1) + 1000 * own[0]!).toISOString();
          return record(
            `part${index}`,
            start,
            own.map((t) => t - own[0]!),
          );
        });
        const at = Math.abs(turn) % parts.length;
        const joined = joinCycling([...parts.slice(at), ...parts.slice(0, at)]);
        expect([...joined.time_s]).toEqual(time_s.map((t) => t - time_s[0]!));
        for (let row = 1; row < time_s.length; row++)
          expect(joined.charge_mAh[row]).toBeGreaterThanOrEqual(joined.charge_mAh[row - 1]!);
      },
    ),
  );
});

test("each format is told from its first bytes alone", async () => {
  const files: [string, Uint8Array][] = [
    ["biologic-mpr", buildMpr({ frame: "new", columns: [{ ids: [4], type: "f8", values: [0] }] })],
    [
      "biologic-mpt",
      bytesOf(
        buildMpt({
          columns: [
            ["time/s", [0]],
            ["Ewe/V", [3]],
          ],
        }),
      ),
    ],
    ["biologic-mps", bytesOf("EC-LAB SETTING FILE\r\n")],
    ["gamry-dta", bytesOf(buildDta({ tag: "CV", tables: [] }))],
    ["bdf-csv", bytesOf("Test Time / s,Voltage / V,Current / A\n0,3,0\n")],
    ["csv", bytesOf("time_s,potential_V,current_mA\n0,3,0\n")],
    ["csv", new Uint8Array()],
  ];
  for (const [wanted, bytes] of files) {
    const source = memorySource("x", bytes);
    expect((await formatOf(bytes.subarray(0, 65536), source))?.name).toBe(wanted);
  }
  const image = Uint8Array.of(0x49, 0x49, 42, 0, 8, 0, 0, 0, 0, 0);
  expect(await formatOf(image, memorySource("x", image))).toBeUndefined();
  expect(isCycling({ name: "x", format: "biologic-mps", description: "settings.", warnings: [] })).toBe(false);
});
