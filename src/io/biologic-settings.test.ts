import path from "node:path";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { buildMpr, buildMpt, bytesOf, type MprSpec } from "../../fixtures/cycling-builders.js";
import { dataFolder } from "../../test/data-folder.js";
import type { CyclingFile, OtherFile, ProgrammeStep } from "../model/cycling.js";
import { FormatError } from "../model/errors.js";
import { readMpr } from "./biologic-mpr.js";
import { readMps, sniffMps } from "./biologic-mps.js";
import { readMpt } from "./biologic-mpt.js";
import { memorySource } from "./bytes.js";
import { openFile } from "./bytes.node.js";

const GCPL = "Galvanostatic Cycling with Potential Limitation";

/** One sequence of GCPL, as EC-Lab shows it. */
interface Sequence {
  readonly Is: number;
  readonly unit: "A" | "mA" | "µA";
  readonly t1_s: number;
  readonly EM_V: number;
  readonly goto: number;
  readonly nc: number;
  readonly mode: "I" | "C / N" | "C x N";
  readonly N: number;
}

const single = (value: number): number => Number(Math.fround(value).toPrecision(6));
const sequences = fc.array(
  fc.record<Sequence>({
    Is: fc.double({ min: -500, max: 500, noNaN: true }).map((value) => Number(value.toFixed(3)) + 0),
    unit: fc.constantFrom("A", "mA", "µA"),
    t1_s: fc.nat({ max: 360_000 }),
    EM_V: fc.integer({ min: -5000, max: 5000 }).map((value) => value / 1000),
    goto: fc.nat({ max: 99 }),
    nc: fc.nat({ max: 1000 }),
    mode: fc.constantFrom("I", "C / N", "C x N"),
    N: fc.integer({ min: 1, max: 100 }),
  }),
  { minLength: 1, maxLength: 6 },
);

const places = { 32: 0x1845, 33: 0x1846, 30: 0x572, new: 0x1847 } as const;

/** The settings module of a GCPL, with 30, 32 or 33 parameters a sequence, or as since 11.50. */
function binary(all: readonly Sequence[], kind: keyof typeof places): Uint8Array {
  const bytes = new Uint8Array(places[kind] + 4 + all.length * 120);
  const view = new DataView(bytes.buffer);
  bytes[0] = 0x04;
  let at = places[kind];
  view.setUint16(at, all.length, true);
  view.setUint16(at + 2, kind === "new" ? 33 : kind, true);
  at += 4;
  const f4 = (value: number): void => {
    view.setFloat32(at, value, true);
    at += 4;
  };
  const u1 = (value: number): void => view.setUint8(at++, value);
  const u4 = (value: number): void => {
    view.setUint32(at, value, true);
    at += 4;
  };
  const either = kind === "new" ? u4 : u1;
  for (const { Is, unit, t1_s, EM_V, goto, nc, mode, N } of all) {
    u1(["I", "C / N", "C x N"].indexOf(mode));
    f4(Is);
    u1(["A", "mA", "µA"].indexOf(unit));
    either(2);
    f4(N);
    either(0);
    f4(t1_s);
    u1(11);
    u1(5);
    f4(5);
    f4(60);
    f4(EM_V);
    f4(0);
    f4(0.5);
    u1(1);
    if (kind !== 30) {
      f4(0);
      u1(1);
    }
    f4(-2.5);
    f4(5);
    f4(1);
    u1(1);
    f4(120);
    f4(0);
    u1(1);
    f4(0);
    if (kind === 33 || kind === "new") f4(NaN);
    f4(0);
    f4(0.1);
    f4(5);
    f4(15);
    f4(NaN);
    u4(goto);
    u4(nc);
  }
  return bytes.subarray(0, at);
}

/** The same in rows of 20-character columns. */
function rowsOf(all: readonly Sequence[], kind: keyof typeof places, comma: boolean): string[] {
  const number = (value: number, digits: number): string => value.toFixed(digits).replace(".", comma ? "," : ".");
  const clock = (seconds: number): string =>
    `${Math.floor(seconds / 3600)}:${String(Math.floor(seconds / 60) % 60).padStart(2, "0")}:${number(seconds % 60, 4)}`;
  const rows: [string, (sequence: Sequence, index: number) => string][] = [
    ["Ns", (_, index) => String(index)],
    ["Set I/C", ({ mode }) => mode],
    ["Is", ({ Is }) => number(Is, 3)],
    ["unit Is", ({ unit }) => unit],
    ["vs.", () => "<None>"],
    ["N", ({ N }) => number(N, 2)],
    ["I sign", () => "> 0"],
    ["t1 (h:m:s)", ({ t1_s }) => clock(t1_s)],
    ["I Range", () => "1 mA"],
    ["Bandwidth", () => "5"],
    ["dE1 (mV)", () => number(5, 2)],
    ["dt1 (s)", () => number(60, 4)],
    ["EM (V)", ({ EM_V }) => number(EM_V, 3)],
    ["tM (h:m:s)", () => clock(0)],
    ["Im", () => number(0.5, 3)],
    ["unit Im", () => "mA"],
    ["dI/dt", () => number(0, 3)],
    ["dunit dI/dt", () => "mA/s"],
    ["E range min (V)", () => number(-2.5, 3)],
    ["E range max (V)", () => number(5, 3)],
    ["dq", () => number(1, 3)],
    ["unit dq", () => "mA.h"],
    ["dtq (s)", () => number(120, 4)],
    ["dQM", () => number(0, 3)],
    ["unit dQM", () => "mA.h"],
    ["dxM", () => number(0, 3)],
    ["delta SoC (%)", () => "pass"],
    ["tR (h:m:s)", () => clock(0)],
    ["dER/dt (mV/h)", () => number(0.1, 1)],
    ["dER (mV)", () => number(5, 2)],
    ["dtR (s)", () => number(15, 4)],
    ["EL (V)", () => "pass"],
    ["goto Ns'", ({ goto }) => String(goto)],
    ["nc cycles", ({ nc }) => String(nc)],
  ];
  return rows
    .filter(([name]) => kind !== 30 || !name.includes("dI/dt"))
    .filter(([name]) => kind === 33 || kind === "new" || !name.startsWith("delta"))
    .map(([name, cell]) => name.padEnd(20) + all.map((sequence, index) => cell(sequence, index).padEnd(20)).join(""));
}

const plain = (frame: MprSpec["frame"], more: Partial<MprSpec>): Uint8Array =>
  buildMpr({
    frame,
    columns: [
      { ids: [4], type: "f8", values: [0, 1] },
      { ids: [6], type: "f4", values: [3, 3] },
      { ids: [8], type: "f4", values: [0, 0] },
    ],
    ...more,
  });

async function mpr(frame: MprSpec["frame"], more: Partial<MprSpec>): Promise<CyclingFile | OtherFile> {
  return readMpr(memorySource("run.mpr", plain(frame, more)));
}

/** Numbers to the digits that single precision has. */
function rounded(steps: readonly ProgrammeStep[] | undefined): unknown {
  return steps?.map((step) =>
    Object.fromEntries(
      Object.entries(step).map(([name, value]) => [name, typeof value === "number" ? single(value) : value]),
    ),
  );
}

test("the programme of a record, of its export and of its settings file are one, whatever the version", async () => {
  await fc.assert(
    fc.asyncProperty(
      sequences,
      fc.constantFrom<keyof typeof places>(30, 32, 33, "new"),
      fc.boolean(),
      async (all, kind, comma) => {
        const fromMpr = (await mpr(kind === "new" ? "new" : 3, { settings: binary(all, kind) })).programme;
        const rows = rowsOf(all, kind, comma);
        const mps = [
          "EC-LAB SETTING FILE",
          "",
          "Number of linked techniques : 1",
          "",
          "Technique : 1",
          GCPL,
          ...rows,
          "",
        ];
        const fromMps = await readMps(memorySource("run.mps", bytesOf(mps.join("\r\n"), "latin1")));
        const text = buildMpt({
          header: ["", GCPL, "", "Electrode surface area : 0.001 cm²", ...rows, ""],
          columns: [
            ["time/s", [0, 1]],
            ["Ewe/V", [3, 3]],
            ["I/mA", [0, 0]],
          ],
        });
        const fromMpt = (await readMpt(memorySource("run.mpt", bytesOf(text, "latin1")))).programme;
        expect(fromMpr).toHaveLength(all.length);
        expect(rounded(fromMpr)).toEqual(rounded(fromMps.programme));
        expect(rounded(fromMpt)).toEqual(rounded(fromMps.programme));
        expect(fromMps.warnings).toEqual([]);
        for (const [index, { Is, unit, t1_s, EM_V, goto, nc }] of all.entries()) {
          const step = fromMpr![index]!;
          const current_mA = Is * { A: 1e3, mA: 1, µA: 1e-3 }[unit];
          expect(Math.abs(Number(step["Is (mA)"]) - current_mA)).toBeLessThanOrEqual(1e-6 * Math.abs(current_mA));
          expect(step).toMatchObject({ Technique: GCPL, Ns: index, "t1 (s)": t1_s, "goto Ns'": goto, "nc cycles": nc });
          expect(Number(step["EM (V)"])).toBeCloseTo(EM_V, 6);
        }
      },
    ),
    { numRuns: 40 },
  );
});

test("the settings hold the cell's facts; what EC-Lab writes by itself says so; paths and addresses are left out", async () => {
  const settings = new Uint8Array(700);
  const view = new DataView(settings.buffer);
  const text = (at: number, words: string): void => {
    settings[at] = words.length;
    settings.set(bytesOf(words, "latin1"), at + 1);
  };
  settings[0] = 0x7f;
  text(0x007, "LiCoO2 on Al, 25 °C\r\nsecond cell");
  text(0x11e, "LCO");
  text(0x1c0, "C:\\Users\\somebody\\electrolyte.txt");
  text(0x215, "(unspecified)");
  view.setFloat32(0x107, 7000, true);
  view.setFloat32(0x10b, 1, true);
  view.setFloat32(0x10f, 97.87, true);
  view.setFloat32(0x113, 6.94, true);
  view.setFloat32(0x117, 0.9, true);
  view.setUint16(0x11b, 1, true);
  view.setFloat32(0x211, 1.131, true);
  view.setFloat32(0x24c, 4.97, true);
  settings[0x251] = 2;
  view.setFloat32(0x25c, 0.105, true);
  settings[0x260] = 2;
  const loop = new Uint8Array(Uint32Array.of(2, 0, 60).buffer);
  const file = await mpr(3, { settings, more: { "VMP loop": loop } });
  expect(file.settings).toEqual({
    Technique: "Modulo Bat",
    Comments: "LiCoO2 on Al, 25 °C second cell",
    "Electrode material": "LCO",
    "Mass of active material (mg)": "7000 (untouched default)",
    "at x": 1,
    "Molecular weight of active material (g/mol)": 97.87,
    "Atomic weight of intercalated ion (g/mol)": "6.94 (untouched default)",
    x0: "0.9 (untouched default)",
    "Number of e- transfered per intercalated ion": 1,
    "Electrode surface area": 1.131,
    "Characteristic mass (mg)": 4.97,
    "Battery capacity (mA.h)": 0.105,
    Loops: 2,
    "First row of each loop": "0, 60",
  });
  expect(file.programme).toBeUndefined();
});

test("analogue inputs bear the names of the external device", async () => {
  const external = new Uint8Array(200);
  external[0x36] = 4;
  external.set(bytesOf("T/°C", "latin1"), 0x37);
  const file = await mpr("new", {
    columns: [
      { ids: [4], type: "f8", values: [0] },
      { ids: [6], type: "f4", values: [3] },
      { ids: [16], type: "f4", values: [25] },
      { ids: [17], type: "f4", values: [0] },
    ],
    more: { "VMP ExtDev": external },
  });
  expect(file.columns).toEqual(["time/s", "Ewe/V", "T/°C", "Analog IN 2/V"]);
});

test("a settings file's linked techniques follow each other; one cut short says so", async () => {
  const text =
    "EC-LAB SETTING FILE\r\n\r\nNumber of linked techniques : 3\r\n\r\nFilename : C:\\Data\\somebody\\a.mps\r\n\r\n" +
    "Device : SP-200 (SN 0503)\r\nUser : somebody\r\nMass of active material : 12,500 mg\r\n at x = 0.500\r\n" +
    "Battery capacity : 105,000 µA.h\r\nCharacteristic mass : 0,001 g\r\nTurn to OCV between techniques\r\n\r\n" +
    "Technique : 1\r\nOpen Circuit Voltage\r\ntR (h:m:s)          1:30:5,5000         \r\nrecord              <Ewe>               \r\n\r\n" +
    "Technique : 2\r\nWait\r\n";
  const bytes = bytesOf(text, "latin1");
  expect(sniffMps(bytes)).toBe(true);
  const file = await readMps(memorySource("run.mps", bytes));
  expect(file).toMatchObject({
    format: "biologic-mps",
    description: "settings of a BioLogic run, no measured rows: Open Circuit Voltage, Wait.",
    settings: {
      Device: "SP-200",
      "Mass of active material (mg)": 12.5,
      "at x": 0.5,
      "Battery capacity (mA.h)": 0.105,
      "Characteristic mass (g)": "0.001 (untouched default)",
    },
    programme: [{ Technique: "Open Circuit Voltage", Ns: 0, "tR (s)": 5405.5, record: "<Ewe>" }, { Technique: "Wait" }],
  });
  expect(file.warnings[0]).toMatch(/3 techniques are linked, 2 are there/);
  expect(JSON.stringify(file)).not.toMatch(/somebody|0503/);
});

test("damaged settings never stop a record from being read", async () => {
  const whole = plain("new", {
    settings: binary([{ Is: 1, unit: "mA", t1_s: 10, EM_V: 4, goto: 0, nc: 1, mode: "I", N: 1 }], "new"),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.integer({ min: 117, max: 117 + 0x1847 + 130 }), fc.nat({ max: 255 })), { maxLength: 30 }),
      async (damage) => {
        const bytes = Uint8Array.from(whole);
        for (const [at, byte] of damage) bytes[at] = byte;
        const file = await readMpr(memorySource("run.mpr", bytes)).catch((error: unknown) => {
          expect(error).toBeInstanceOf(FormatError);
        });
        if (file !== undefined) expect(file.programme?.length ?? 0).toBeLessThanOrEqual(100);
      },
    ),
    { numRuns: 200 },
  );
});

test.skipIf(dataFolder === null).each([
  ["nacoo2_rate/jdb11-4.mpr", "nacoo2_rate/jdb11-4.mps", 12],
  [
    "nacoo2_c24/jdb11-1_c3_gcpl_5cycles_2V-3p8V_C-24_data_C09.mpr",
    "nacoo2_c24/jdb11-1_c3_gcpl_5cycles_2V-3p8V_C-24_data.mps",
    4,
  ],
  ["ca_pair/test.mpr", "ca_pair/test.mps", 1],
])("%s holds the programme that %s prints, in all %i sequences", async (record, settings, count) => {
  const open = (name: string): ReturnType<typeof openFile> =>
    openFile(path.join(dataFolder!, "echem", "biologic", name));
  const [a, b] = [await open(record), await open(settings)];
  const stored = (await readMpr(a)).programme!;
  const printed = (await readMps(b)).programme!.filter((step) => step["Technique"] === stored[0]!["Technique"]);
  await Promise.all([a.close(), b.close()]);
  expect(stored).toHaveLength(count);
  // How a row is recorded is a number in one and a word in the other.
  const told = (steps: readonly ProgrammeStep[]): unknown => rounded(steps.map((step) => ({ ...step, record: null })));
  expect(told(stored)).toEqual(told(printed));
});
