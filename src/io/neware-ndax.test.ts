import * as fc from "fast-check";
import { unzipSync, zipSync } from "fflate";
import { expect, test } from "vitest";
import { buildNdax, type NdaxSpec } from "../../test/neware-builder.js";
import { drawnSteps, newareRun, type Run } from "../../test/neware-run.js";
import { random } from "../kernels/random.js";
import type { CyclingFile } from "../model/cycling.js";
import { FormatError } from "../model/errors.js";
import { memorySource } from "./bytes.js";
import { readNdax, sniffNdax } from "./neware-ndax.js";
import { openAny, readCycling } from "./open.js";

const START_MS = Date.UTC(2024, 4, 6, 6, 59, 1, 250);
const versions = [2, 5, 11, 14, 16, 17] as const;
const separate = [11, 14, 16, 17] as const;

function read(bytes: Uint8Array): Promise<CyclingFile> {
  return readNdax(memorySource("folder/run.ndax", bytes));
}

function near(found: ArrayLike<number>, known: readonly number[], within: number): void {
  expect(found.length).toBe(known.length);
  let worst = 0;
  for (const [at, value] of known.entries()) worst = Math.max(worst, Math.abs(found[at]! - value));
  expect(worst).toBeLessThanOrEqual(within);
}

const steps = [
  { kind: "rest", rows: 4, interval_ms: 10_000, last_ms: 3000, current: 0 },
  { kind: "charge", rows: 700, interval_ms: 30_000, last_ms: 7000, current: 500 },
  { kind: "discharge", rows: 400, interval_ms: 30_000, last_ms: 12_000, current: 400 },
  { kind: "charge", rows: 9, interval_ms: 60_000, last_ms: 60_000, current: 500 },
] as const;
const longRun = newareRun(steps, START_MS, 1e-3);

function spec(version: NdaxSpec["version"], run: Run, more: Partial<NdaxSpec> = {}): NdaxSpec {
  return { version, rows: run.rows, range: 10, unit_mA: 1e-3, ...more };
}

function holds(file: CyclingFile, run: Run, version: NdaxSpec["version"]): void {
  const whole = version === 2 || version === 5;
  near(file.time_s, run.time_s, whole ? 1 : 2e-6);
  near(file.potential_V, run.potential_V, whole ? 1e-12 : 1e-6);
  near(file.current_mA, run.current_mA, 1e-5);
  const most_mAh = Math.max(1, ...run.charge_mAh.map(Math.abs));
  near(file.charge_mAh, run.charge_mAh, (whole ? 1e-12 : 1e-5) * most_mAh);
  expect(file.cycles).toBe(run.cycles);
}

test("drawn runs come back from every version, whether runInfo tells of all rows or of a few", async () => {
  for (const version of versions) {
    await fc.assert(
      fc.asyncProperty(drawnSteps(false), fc.boolean(), fc.boolean(), async (drawn, sparse, holes) => {
        const run = newareRun(drawn, START_MS, 1e-3);
        // The second row of a step tells the interval, the last has one of its own.
        const ends = new Set<number>();
        for (let at = 0, first = 0; at < drawn.length; first += drawn[at]!.rows, at++) {
          for (const row of [first + 1, first + drawn[at]!.rows - 1]) ends.add(row);
        }
        const told = (row: number): boolean => !sparse || ends.has(row);
        holds(await read(buildNdax(spec(version, run, { told, holes }))), run, version);
      }),
      { numRuns: 4 },
    );
  }
});

test("streams of many pages are read, by their bits or, where those are not set, by the count in each page", async () => {
  for (const version of versions) {
    for (const bitless of [false, true]) {
      const told = (row: number): boolean => row % 7 === 0 || longRun.rows[row]!.elapsed_ms <= 30_000;
      const isLast = (row: number): boolean => longRun.rows[row]!.stepsBegun !== longRun.rows[row + 1]?.stepsBegun;
      const file = await read(buildNdax(spec(version, longRun, { bitless, told: (row) => told(row) || isLast(row) })));
      holds(file, longRun, version);
      expect(file.warnings).toEqual([]);
    }
  }
});

test("a row of exactly 0 V and 0 mA is a row", async () => {
  const rows = longRun.rows.map((row, at) => (at % 5 === 0 ? { ...row, potential_100uV: 0, current: 0 } : row));
  for (const version of separate) {
    const file = await read(buildNdax(spec(version, { ...longRun, rows })));
    expect(file.time_s).toHaveLength(rows.length);
    expect(file.potential_V.filter((value) => value === 0)).toHaveLength(Math.ceil(rows.length / 5));
  }
});

test("the start is the first row's, in the zone that the start of the test tells", async () => {
  const start = async (started: string): Promise<string | null> =>
    (await read(buildNdax(spec(17, longRun, { started })))).start;
  expect(await start("2024-05-06 08:58:57")).toBe("2024-05-06T08:59:01.250+02:00");
  expect(await start("2024-05-06 06:58:57")).toBe("2024-05-06T06:59:01.250+00:00");
  expect(await start("2024-05-01 06:58:57")).toBe("2024-05-06T06:59:01.250Z");
  expect(await start("yesterday")).toBe("2024-05-06T06:59:01.250Z");
  const civil = await read(buildNdax(spec(5, longRun)));
  expect(civil.start).toBe("2024-05-06T06:59:01");
});

test("settings and programme are told as they stand, people and hosts are not", async () => {
  const file = await read(buildNdax(spec(14, longRun)));
  expect(file.settings).toEqual({
    "ndc version": 14,
    SvrVer: "BTSServer 8.0",
    SCQ: 4000,
    StartTime: "2024-05-06 08:58:57",
    Remark: "a < b",
  });
  expect(file.programme).toEqual([
    { Step_ID: 1, Step_Type: "Rest", Time: 10_000 },
    { Step_ID: 2, Step_Type: "CC Chg", Curr: 1.94, Stop_Volt: 49_000 },
    { Step_ID: 3, Step_Type: "type 99" },
  ]);
  expect(file.columns.at(-1)).toBe("T1");
});

test("text in GB2312 is read; a document that is damaged or missing takes nothing else along", async () => {
  const text = (value: number[]): Uint8Array =>
    Uint8Array.from([
      ...new TextEncoder().encode(`<?xml version="1.0" encoding="GB2312"?><config><TestInfo Remark="`),
      ...value,
      ...new TextEncoder().encode(`" StartTime="2024-05-06 08:58:57"/></config>`),
    ]);
  const chinese = await read(
    buildNdax(spec(14, longRun, { more: { "TestInfo.xml": text([0xb5, 0xe7, 0xb3, 0xd8]) } })),
  );
  expect(chinese.settings!["Remark"]).toBe("\u7535\u6c60");
  const broken = await read(buildNdax(spec(14, longRun, { more: { "TestInfo.xml": text([0xff, 0x22, 0xff]) } })));
  holds(broken, longRun, 14);
  for (const without of ["TestInfo.xml", "Step.xml", "VersionInfo.xml", "data_AUX_225_3_1.ndc"]) {
    holds(await read(buildNdax(spec(14, longRun, { without: [without] }))), longRun, 14);
  }
  const noSteps = await read(buildNdax(spec(14, longRun, { without: ["data_step.ndc"] })));
  expect(noSteps.cycles).toBeNull();
});

test("streams are found by the byte that tells their kind where their names do not", async () => {
  const names = { "data.ndc": "x/a_1.ndc", "data_runInfo.ndc": "x/a_2.NDC", "data_step.ndc": "x/a_3.ndc" };
  holds(await read(buildNdax(spec(17, longRun, { names }))), longRun, 17);
  holds(await read(buildNdax(spec(2, longRun, { names: { "data.ndc": "20230928_1_1.ndc" } }))), longRun, 2);
});

test("cycles begin with the charges where the archive's settings bid so", async () => {
  const config = new TextEncoder().encode(`<root><config><config CycleMode="1"/></config></root>`);
  const cycle = ["charge", "rest", "discharge"] as const;
  const kinds = [...cycle, ...cycle, ...cycle, ...cycle];
  const drawn = kinds.map((kind) => ({ kind, rows: 3, interval_ms: 1000, last_ms: 1000, current: 9 }));
  const run = newareRun(drawn, START_MS, 1e-3);
  const rows = run.rows.map((row) => ({ ...row, cycle: 0 }));
  const cycles = async (more: Partial<NdaxSpec>): Promise<number | null> =>
    (await read(buildNdax(spec(17, { ...run, rows }, more)))).cycles;
  expect(await cycles({})).toBe(1);
  expect(await cycles({ more: { "NdaxConfig.xml": config } })).toBe(4);
});

test("a test that recorded nothing has no row, is no error, and says when it began", async () => {
  for (const version of versions) {
    const file = await read(buildNdax(spec(version, { ...longRun, rows: [] })));
    expect(file.time_s).toHaveLength(0);
    expect(file.start).toBe("2024-05-06T08:58:57");
    expect(file.warnings.join(" ")).toMatch(/recorded no row/);
  }
});

test("an .ndax is told from other zips by the files in it", async () => {
  const sniff = async (bytes: Uint8Array): Promise<boolean> => sniffNdax(bytes, memorySource("x", bytes));
  const whole = buildNdax(spec(14, longRun));
  expect(await sniff(whole)).toBe(true);
  expect(await sniff(whole.subarray(0, whole.length >> 1))).toBe(true);
  const some = new Uint8Array(40);
  for (const name of ["xl/workbook.xml", "arr_0.npy", "run.csv", "data.ndc.txt"]) {
    expect(await sniff(zipSync({ [name]: some }))).toBe(false);
  }
  expect((await readCycling([memorySource("run.bin", whole)])).format).toBe("neware-ndax");
  const packed = await openAny(memorySource("run.zip", zipSync({ "run.ndax": whole })));
  expect(packed.kind === "cycling" ? packed.cycling.format : packed.kind).toBe("neware-ndax");
});

test("what is not read is refused in a sentence", async () => {
  const refused = async (bytes: Uint8Array, words: RegExp): Promise<void> => {
    await expect(read(bytes)).rejects.toThrow(FormatError);
    await expect(read(bytes)).rejects.toThrow(words);
  };
  await refused(buildNdax(spec(14, longRun, { without: ["data.ndc"] })), /holds no stream of data, only Step\.xml/);
  await refused(
    buildNdax(spec(14, longRun, { without: ["data_runInfo.ndc"] })),
    /holds no runInfo, the times of its 1113/,
  );
  const other = new Uint8Array(8192).fill(1, 0, 1);
  other[2] = 99;
  await refused(buildNdax(spec(14, longRun, { more: { "data.ndc": other } })), /version 99 of \.ndc.*2, 4, 5, 11/);
  await refused(buildNdax(spec(5, longRun, { range: 77 })), /current range 77/);
  const stored = buildNdax(spec(14, longRun, { level: 0 }));
  stored[stored.length >> 1]! ^= 1;
  await refused(stored, /damaged/);
  const locked = buildNdax(spec(14, longRun));
  for (let at = 0; at + 4 < locked.length; at++) {
    const word = locked[at]! | (locked[at + 1]! << 8) | (locked[at + 2]! << 16) | (locked[at + 3]! << 24);
    if (word === 0x04034b50) locked[at + 6]! |= 1;
    if (word === 0x02014b50) locked[at + 8]! |= 1;
  }
  await refused(locked, /data\.ndc in the archive is encrypted/);
});

test("an archive cut anywhere gives the rows before the cut whose times are there, or a sentence", async () => {
  const run = newareRun(
    steps.map((step) => ({ ...step, rows: Math.min(step.rows, 120) })),
    START_MS,
    1e-3,
  );
  const noise = random(3);
  const rows = run.rows.map((row) => ({ ...row, potential_100uV: 36_000 + Math.floor(4000 * noise.uniform()) }));
  for (const level of [0, 6] as const) {
    const bytes = buildNdax(spec(17, { ...run, rows }, { level }));
    let most = 0;
    for (let end = 30; end < bytes.length; end += level === 0 ? 997 : 101) {
      try {
        const file = await read(bytes.subarray(0, end));
        expect(file.warnings.join(" ")).toMatch(/was cut after \d+ bytes/);
        near(file.time_s, run.time_s.slice(0, file.time_s.length), 2e-6);
        expect(file.time_s.length).toBeGreaterThanOrEqual(most);
        most = file.time_s.length;
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError);
        expect(most).toBe(0);
      }
    }
    expect(most).toBe(run.rows.length);
  }
});

test("a stream that claims to swell beyond bounds is refused before it is unpacked", async () => {
  const claiming = (bytes: Uint8Array, size: number): Uint8Array => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = 0; at + 46 < bytes.length; at++) {
      if (view.getUint32(at, true) === 0x02014b50) view.setUint32(at + 24, size, true);
      if (view.getUint32(at, true) === 0x04034b50) view.setUint32(at + 22, size, true);
    }
    return bytes;
  };
  const rows = longRun.rows.slice(0, 40);
  await expect(read(claiming(buildNdax(spec(14, { ...longRun, rows })), 2 ** 31))).rejects.toThrow(/claims 2147483648/);
  const draws = random(5);
  const noise = Uint8Array.from({ length: 100_000 }, () => draws.integer(256));
  const large = buildNdax(spec(14, longRun, { more: { "data.ndc": noise } }));
  await expect(read(claiming(large, 70 << 20))).rejects.toThrow(/data\.ndc .* 73400320 bytes, more than 33554432/);
  const cut = claiming(large, 70 << 20).subarray(0, large.length - 10);
  await expect(read(cut)).rejects.toThrow(/data\.ndc .* 73400320 bytes, more than 33554432/);
});

test("bytes changed at random in the archive or its streams give a record or a sentence", async () => {
  const run = newareRun(
    steps.map((step) => ({ ...step, rows: Math.min(step.rows, 30) })),
    START_MS,
    1e-3,
  );
  const draw = random(11);
  const check = async (bytes: Uint8Array): Promise<void> => {
    try {
      const file = await read(bytes);
      for (let row = 1; row < file.time_s.length; row++) {
        expect(file.time_s[row]!).toBeGreaterThanOrEqual(file.time_s[row - 1]!);
      }
    } catch (error) {
      expect(error).toBeInstanceOf(FormatError);
      expect((error as Error).message).not.toMatch(/\n/);
    }
  };
  for (const version of [5, 14, 16] as const) {
    const whole = buildNdax(spec(version, run));
    for (let trial = 0; trial < 15; trial++) {
      const bytes = whole.slice();
      const changes = 1 + draw.integer(8);
      for (let change = 0; change < changes; change++) bytes[draw.integer(bytes.length)] = draw.integer(256);
      await check(bytes);
    }
    // Within the streams no checksum stands between the changes and the reader.
    const streams = new Map<string, Uint8Array>();
    for (const [name, stream] of Object.entries(unzipSync(whole))) streams.set(name, stream);
    for (let trial = 0; trial < 15; trial++) {
      const changed = Object.fromEntries([...streams].map(([name, stream]) => [name, stream.slice()]));
      for (let change = 1 + draw.integer(12); change > 0; change--) {
        const stream = Object.values(changed)[draw.integer(streams.size)]!;
        const near = draw.uniform() < 0.5 ? Math.min(stream.length, 4096 + 300) : stream.length;
        stream[draw.integer(near)] = [0, 1, 0x7f, 0x80, 0xff][draw.integer(5)]!;
      }
      await check(zipSync(changed, { level: 0 }));
    }
  }
});
