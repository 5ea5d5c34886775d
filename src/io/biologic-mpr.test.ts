import * as fc from "fast-check";
import { expect, test } from "vitest";
import { buildMpr, type MprColumnSpec, type MprSpec } from "../../fixtures/cycling-builders.js";
import type { CyclingFile } from "../model/cycling.js";
import { FormatError } from "../model/errors.js";
import { readMpr, sniffMpr } from "./biologic-mpr.js";
import { memorySource } from "./bytes.js";
import { isCycling } from "./cycling.js";

async function read(bytes: Uint8Array): Promise<CyclingFile> {
  const file = await readMpr(memorySource("run.mpr", bytes));
  if (!isCycling(file)) throw new Error(file.description);
  return file;
}

const flags = (values: ArrayLike<number>): MprColumnSpec => ({ ids: [1, 2, 3, 21, 31, 65], type: "u1", values });
const time = (values: ArrayLike<number>): MprColumnSpec => ({ ids: [4], type: "f8", values });
const Ewe = (values: ArrayLike<number>): MprColumnSpec => ({ ids: [6], type: "f4", values });

/** A galvanostatic run as EC-Lab stores it: no current, but the charge since the row before. */
function gcpl(time_s: readonly number[], current_mA: readonly number[], frame: MprSpec["frame"] = 3): MprSpec {
  const dq = time_s.map((t, row) => (row === 0 ? 0 : (current_mA[row]! * (t - time_s[row - 1]!)) / 3600));
  let sum = 0;
  const q = dq.map((value) => (sum += value));
  return {
    frame,
    columns: [
      flags(time_s.map(() => 1)),
      { ids: [131], type: "u2", values: time_s.map(() => 0) },
      time(time_s),
      { ids: [7], type: "f8", values: dq },
      { ids: [13], type: "f8", values: q },
      Ewe(time_s.map((_, row) => 3 + row / 8)),
      { ids: [frame === 0 ? 212 : 468], type: "u4", values: time_s.map((_, row) => (row < 2 ? 0 : row)) },
    ],
  };
}

const frame = fc.constantFrom<MprSpec["frame"]>(0, 2, 3, "new");

test("time and potential are exact wherever their columns stand, in every frame, with ids raised by 256", async () => {
  const others = fc.shuffledSubarray<Omit<MprColumnSpec, "values">>([
    { ids: [1, 2, 3, 21, 31, 65], type: "u1" },
    { ids: [131], type: "u2" },
    { ids: [39], type: "u2" },
    { ids: [212], type: "u4" },
    { ids: [8], type: "f4" },
    { ids: [32], type: "f4" },
    { ids: [123], type: "f8" },
    { ids: [11], type: "f8" },
    { ids: [182], type: "f8" },
  ]);
  await fc.assert(
    fc.asyncProperty(
      frame,
      others,
      fc.nat({ max: 30 }),
      fc.array(fc.tuple(fc.double({ min: 0, max: 1e7, noNaN: true }), fc.float({ min: -5, max: 5, noNaN: true })), {
        minLength: 1,
        maxLength: 40,
      }),
      fc.nat({ max: 3 }),
      async (frame, others, place, rows, raised) => {
        const sorted = [...rows].sort((a, b) => a[0] - b[0]);
        const columns: MprColumnSpec[] = others.map((column) => ({
          ...column,
          values: rows.map((_, row) => (row * 7) % 200),
        }));
        columns.splice(place % (columns.length + 1), 0, time(sorted.map(([t]) => t)));
        columns.splice((place * 3) % (columns.length + 1), 0, Ewe(sorted.map(([, potential]) => potential)));
        // Only wide ids can be raised; those of the flags are not.
        const raise = (id: number): number => (frame === 0 || id === 1 ? id : id + 256 * raised);
        const built = columns.map((column) =>
          column.ids.length > 1 ? column : { ...column, ids: column.ids.map(raise) },
        );
        const file = await read(buildMpr({ frame, columns: built, technique: 0x0b }));
        expect([...file.time_s]).toEqual(sorted.map(([t]) => t));
        expect([...file.potential_V]).toEqual(sorted.map(([, potential]) => potential));
      },
    ),
  );
});

test("the current of a galvanostatic run is 3600 dq / dt: 0 in the first row, carried where no time passed", async () => {
  await fc.assert(
    fc.asyncProperty(
      frame,
      fc.array(fc.tuple(fc.constantFrom(0, 0.001, 0.5, 10, 120), fc.double({ min: -5, max: 5, noNaN: true })), {
        minLength: 2,
        maxLength: 30,
      }),
      async (frame, rows) => {
        let now = 0;
        const time_s = rows.map(([dt]) => (now += dt));
        const file = await read(
          buildMpr(
            gcpl(
              time_s,
              rows.map(([, current]) => current),
              frame,
            ),
          ),
        );
        let carried = 0;
        for (const [row, [dt, current]] of rows.entries()) {
          if (row > 0 && dt > 0) carried = current;
          expect(file.current_mA[row]).toBeCloseTo(row === 0 ? 0 : carried, 7);
        }
        expect(file.charge_mAh[0]).toBe(0);
        const passed = rows.reduce((sum, [dt, current], row) => sum + (row === 0 ? 0 : (dt * current) / 3600), 0);
        expect(file.charge_mAh.at(-1)).toBeCloseTo(passed, 9);
      },
    ),
  );
});

test("cycles are half the half cycles, whose numbers may skip", async () => {
  const file = await read(buildMpr(gcpl([0, 1, 2, 3], [0, 1, 1, 1])));
  expect(file.cycles).toBe(1.5);
  expect(file.columns).toContain("half cycle");
});

test.each([0x249, 465, 469, 473])("the start stands at byte %i of the log module", async (startAt) => {
  const file = await read(buildMpr({ ...gcpl([0, 1], [0, 1]), start_days: 44130.53469907408, startAt }));
  expect(file.start).toBe("2020-10-26T12:49:58");
});

test("without a log module the start is unknown", async () => {
  const file = await read(buildMpr({ ...gcpl([0, 1], [0, 1]), start_days: null }));
  expect(file.start).toBeNull();
  expect(file.warnings).toEqual(["run.mpr: the file has no log module with a start time: when it began is unknown."]);
});

test("a cut file gives its whole rows and says how many are lost, or is refused; rows are never wrong", async () => {
  for (const kind of [3, "new"] as const) {
    const time_s = Array.from({ length: 12 }, (_, row) => row * 1.5);
    const whole = buildMpr(
      gcpl(
        time_s,
        time_s.map(() => 0.25),
        kind,
      ),
    );
    let refused = 0;
    let lost = 0;
    for (let length = 0; length < whole.length; length++) {
      try {
        const file = await read(whole.subarray(0, length));
        expect([...file.time_s]).toEqual(time_s.slice(0, file.time_s.length));
        // A cut between two modules shows in what is missing alone.
        expect(file.warnings.join(" ")).toMatch(/cut|no log module/);
        if (file.time_s.length < 12) {
          expect(file.warnings.join(" ")).toContain(`${12 - file.time_s.length} of 12 rows are lost`);
          lost++;
        }
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError);
        expect((error as FormatError).offset).toBeLessThanOrEqual(length);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(600);
    expect(lost).toBeGreaterThan(12 * 40);
  }
});

test("a column of unknown id is passed over when the length of a row tells its width", async () => {
  for (const type of ["u1", "u2", "f4", "f8"] as const) {
    const spec = gcpl([0, 1, 2], [0, 1, 1]);
    const unknown: MprColumnSpec = { ids: [250], type, values: [9, 9, 9] };
    const file = await read(buildMpr({ ...spec, columns: [unknown, ...spec.columns] }));
    expect([...file.time_s]).toEqual([0, 1, 2]);
    expect(file.warnings[0]).toContain("250");
  }
});

test("columns of unknown id and width take with them only what stands between them", async () => {
  const spec = gcpl([0, 1, 2], [0, 1, 1]);
  const wide: MprColumnSpec = { ids: [250], type: "u2", values: [9, 9, 9] };
  const narrow: MprColumnSpec = { ids: [251], type: "u1", values: [9, 9, 9] };
  const [flagged, ns, ...rest] = spec.columns;
  const before = await read(buildMpr({ ...spec, columns: [wide, narrow, ...spec.columns] }));
  const between = await read(buildMpr({ ...spec, columns: [flagged!, wide, ns!, narrow, ...rest] }));
  for (const file of [before, between]) {
    expect([...file.time_s]).toEqual([0, 1, 2]);
    expect(file.current_mA[2]).toBeCloseTo(1, 12);
  }
  expect(between.warnings[0]).toMatch(/250, 251 are not known, nor how wide each is: Ns cannot be read/);
  const around = buildMpr({ ...spec, columns: [wide, ...spec.columns, narrow] });
  await expect(read(around)).rejects.toThrow(
    /time\/s stands among columns of unknown width \(ids 250, 251\); still readable: none/,
  );
});

test("rows that do not fill the module are refused, and the unknown ids named", async () => {
  const spec = gcpl([0, 1, 2], [0, 1, 1]);
  const odd: MprColumnSpec[] = [1, 2, 3].map(() => ({ ids: [250], type: "u1", values: [9, 9, 9] }));
  // One id for three bytes, which no type has.
  const three = odd.map((column, index) => ({ ...column, ids: index === 0 ? [250] : [] }));
  await expect(read(buildMpr({ ...spec, columns: [...spec.columns, ...three] }))).rejects.toThrow(
    /unknown width: 250; known before them: mode, .*half cycle/,
  );
  await expect(read(buildMpr({ ...spec, declaredRows: 2 }))).rejects.toThrow(/do not fill/);
  await expect(read(buildMpr({ ...gcpl([], []), declaredRows: 7 }))).rejects.toThrow(/do not fill/);
});

test("ids that are not their remainder by 256 are told by the length of a row", async () => {
  for (const type of ["f8", "f4"] as const) {
    const extra: MprColumnSpec[] = [498, 499].map((id) => ({ ids: [id], type, values: [1, 2, 3] }));
    const spec = gcpl([0, 1, 2], [0, 1, 1], "new");
    const file = await read(buildMpr({ ...spec, columns: [...extra, ...spec.columns] }));
    expect([...file.time_s]).toEqual([0, 1, 2]);
    expect(file.columns[0]).toBe(type === "f8" ? "Q charge/mA.h" : "|Ece h2|/V");
    expect(file.warnings).toEqual([]);
  }
});

test("a rest has no current, so it is 0; elsewhere a missing current is unknown and said so", async () => {
  const columns = [time([0, 1]), Ewe([3, 3])];
  expect([...(await read(buildMpr({ frame: 2, technique: 0x0b, columns }))).current_mA]).toEqual([0, 0]);
  const resting = await read(buildMpr({ frame: 2, columns: [flags([0x57, 0x57]), ...columns] }));
  expect([...resting.charge_mAh]).toEqual([0, 0]);
  const unknown = await read(buildMpr({ frame: 2, columns }));
  expect([...unknown.current_mA, ...unknown.charge_mAh]).toEqual([NaN, NaN, NaN, NaN]);
  expect(unknown.warnings[0]).toMatch(/no column of current/);
});

test("Ewe comes before <Ewe>, that before Ecell; I before <I>", async () => {
  const cell = await read(
    buildMpr({
      frame: 3,
      columns: [time([0, 1]), { ids: [27], type: "f4", values: [4, 4] }, { ids: [8], type: "f4", values: [1, 1] }],
    }),
  );
  expect(cell.potential_V[0]).toBe(4);
  expect(cell.warnings[0]).toMatch(/that of the cell \(Ewe-Ece\)/);
  const phase = buildMpr({
    frame: "new",
    columns: [
      Ewe([3, 3]),
      { ids: [174], type: "f4", values: [90, 90] },
      time([0, 1]),
      { ids: [430], type: "f4", values: [9, 9] },
    ],
  });
  const named = await read(phase);
  expect([named.potential_V[0], named.columns[1], named.columns[3]]).toEqual([
    3,
    "Phase(Zwe-ce)/deg",
    "Phase(Zwe-ce)/deg",
  ]);
  const columns: MprColumnSpec[] = [
    { ids: [77], type: "f4", values: [1, 1] },
    { ids: [76], type: "f4", values: [10, 10] },
    time([0, 1]),
  ];
  const averaged = await read(buildMpr({ frame: "new", columns }));
  expect([averaged.potential_V[0], averaged.current_mA[0]]).toEqual([1, 10]);
  const both = [...columns, Ewe([2, 2]), { ids: [8], type: "f4", values: [20, 20] } as const];
  const sampled = await read(buildMpr({ frame: "new", columns: both }));
  expect([sampled.potential_V[0], sampled.current_mA[0]]).toEqual([2, 20]);
});

test("a run without a row is a record without a row; a spectrum without time is something else", async () => {
  expect((await read(buildMpr(gcpl([], [])))).time_s.length).toBe(0);
  const spectrum = await readMpr(
    memorySource("z.mpr", buildMpr({ frame: 3, columns: [{ ids: [32], type: "f4", values: [1e5, 1e4] }] })),
  );
  expect(isCycling(spectrum)).toBe(false);
  expect("description" in spectrum && spectrum.description).toMatch(/impedance spectrum/);
});

test("damaged bytes are read or refused, never a crash, and memory is bounded by the file", async () => {
  const whole = buildMpr(gcpl([0, 1, 2, 3, 4], [0, 1, 1, 1, 1], "new"));
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat({ max: whole.length - 1 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 20 }),
      async (damage) => {
        const bytes = Uint8Array.from(whole);
        for (const [at, byte] of damage) bytes[at] = byte;
        try {
          const file = await readMpr(memorySource("run.mpr", bytes));
          if (isCycling(file)) expect(file.time_s.length).toBeLessThan(bytes.length);
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      },
    ),
    { numRuns: 400 },
  );
});

test("an .mpr is told by its first bytes", () => {
  expect(sniffMpr(buildMpr(gcpl([0], [0])))).toBe(true);
  expect(sniffMpr(new TextEncoder().encode("BIO-LOGIC"))).toBe(false);
});
