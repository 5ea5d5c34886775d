import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { MovieFile } from "../model/movie.js";
import { joinMovies } from "./sequence.js";

interface Part {
  readonly name?: string;
  readonly start?: string | null;
  readonly times?: readonly number[] | null;
  readonly pixelSize_um?: number | null;
  readonly width?: number;
  /** Value of the first frame's only pixel; the next has one more. */
  readonly value?: number;
}

/** A movie of 1 x 1 px frames. */
function movie(part: Part): MovieFile {
  const { name = "a.tif", start = null, times = [0, 5, 10], pixelSize_um = 0.1, width = 1, value = 0 } = part;
  return {
    name,
    format: "tiff",
    width,
    height: 1,
    frames: times?.length ?? 3,
    dtype: "uint16",
    pixelSize_um,
    pixelSizeSource: pixelSize_um === null ? "missing" : "OME PhysicalSizeX",
    time_s: times === null ? null : Float64Array.from(times),
    timeSource: times === null ? "missing" : "OME DeltaT",
    frameStamp: "middle",
    start,
    warnings: [],
    async read(index, into) {
      into[0] = value + index;
    },
    async close() {},
  };
}

async function values(joined: MovieFile): Promise<number[]> {
  const into = new Uint16Array(1);
  const all: number[] = [];
  for (let frame = 0; frame < joined.frames; frame++) {
    await joined.read(frame, into);
    all.push(into[0]!);
  }
  return all;
}

test("files are put in the order of their starts on one clock, and a pause between them is told", async () => {
  const joined = joinMovies([
    movie({ name: "b.tif", start: "2024-03-01T10:01:00", value: 20 }),
    movie({ name: "a.tif", start: "2024-03-01T10:00:00", value: 10 }),
    movie({ name: "c.tif", start: "2024-03-01T10:01:15", value: 30 }),
  ]);
  expect([...joined.time_s!]).toEqual([0, 5, 10, 60, 65, 70, 75, 80, 85]);
  expect(await values(joined)).toEqual([10, 11, 12, 20, 21, 22, 30, 31, 32]);
  expect(joined.start).toBe("2024-03-01T10:00:00");
  expect(joined.warnings).toEqual([
    "the movies were put in the order of their starts, a.tif first.",
    "a gap of 50 s between a.tif and b.tif.",
  ]);
});

test("a file without a start follows after one usual interval, and the unknown gap is told", () => {
  const joined = joinMovies([movie({ name: "a.tif" }), movie({ name: "b.tif", times: [0, 2, 4] })]);
  expect([...joined.time_s!]).toEqual([0, 5, 10, 15, 17, 19]);
  expect(joined.warnings).toEqual([
    "b.tif does not tell when it began: b.tif is laid 5 s after a.tif, and how long the gap was is unknown.",
  ]);
});

test("a start on a clock with a zone and one without are not compared", () => {
  const joined = joinMovies([
    movie({ start: "2024-03-01T10:00:00Z" }),
    movie({ name: "b.tif", start: "2024-03-01T10:05:00" }),
  ]);
  expect(joined.time_s![3]).toBe(15);
  expect(joined.warnings.join(" ")).toMatch(/how long the gap was is unknown/);
});

test("without frame times in one, the whole has none; one scale serves both", () => {
  const joined = joinMovies([movie({ pixelSize_um: null }), movie({ name: "b.tif", times: null })]);
  expect(joined.time_s).toBeNull();
  expect(joined.pixelSize_um).toBe(0.1);
  expect(joined.warnings.join(" ")).toMatch(/only one tells its pixel size.*b\.tif has no frame times/);
});

test("what cannot be one recording is refused by name", () => {
  const both = (part: Part) => () => joinMovies([movie({}), movie({ name: "b.tif", ...part })]);
  expect(both({ width: 2 })).toThrow(/b\.tif: frames are 2 x 1 px of uint16, not 1 x 1 px of uint16 as in a\.tif/);
  expect(both({ pixelSize_um: 0.2 })).toThrow(/b\.tif: pixels are 0\.2 um, not 0\.1 um/);
  expect(() =>
    joinMovies([
      movie({ start: "2024-03-01T10:00:00" }),
      movie({ name: "b.tif", start: "2024-03-01T10:00:05", times: [0, 5, 10, 15] }),
    ]),
  ).toThrow(/b\.tif: begins 5 s before a\.tif ends/);
  expect(() => joinMovies([])).toThrow(/no movie was given/);
});

test("however a recording is chopped and named, its clock and its frames come back", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 100, max: 60_000 }), { minLength: 3, maxLength: 40 }),
      fc.array(fc.integer({ min: 1, max: 38 }), { maxLength: 4 }),
      fc.integer(),
      async (steps_ms, wanted, seed) => {
        let at = 0;
        const whole_ms = [0, ...steps_ms].map((step) => (at += step));
        const cuts = [...new Set(wanted.filter((cut) => cut < whole_ms.length))].sort((a, b) => a - b);
        const bounds = [0, ...cuts, whole_ms.length];
        const begin = Date.UTC(2024, 4, 1, 12);
        const parts = bounds.slice(1).map((end, part) => {
          const first = bounds[part]!;
          const start = new Date(begin + whole_ms[first]!).toISOString();
          const times = whole_ms.slice(first, end).map((time) => (time - whole_ms[first]!) / 1000);
          return movie({ name: `${part}.tif`, start, times, value: first });
        });
        const shuffled = [...parts].sort((a, b) => ((seed ^ a.frames) % 7) - ((seed ^ b.frames) % 7));
        const joined = joinMovies(shuffled);
        expect(await values(joined)).toEqual(whole_ms.map((_, frame) => frame));
        for (const [frame, time_ms] of whole_ms.entries()) {
          expect(joined.time_s![frame]).toBeCloseTo(time_ms / 1000, 6);
        }
      },
    ),
  );
});
