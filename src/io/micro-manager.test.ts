import * as fc from "fast-check";
import { expect, test } from "vitest";
import { buildMicroManager, type AcquisitionSpec, type ImageSpec } from "../../test/micro-manager-builder.js";
import { FormatError } from "../model/errors.js";
import type { MovieFile } from "../model/movie.js";
import { memoryFolder, memorySource } from "./bytes.js";
import { openTiff } from "./tiff.js";
import { timeSeries } from "./time-series.js";

const summary = {
  Prefix: "run",
  Channels: 1,
  Slices: 1,
  Frames: 3,
  Positions: 1,
  ChNames: ["633"],
  PixelSize_um: 0.08,
  Interval_ms: 5000,
  StartTime: "2024-05-17 14:09:11.250 -0700",
};

/** Images one after another in time, one every so many ms; their value is their frame. */
const inTime = (elapsed_ms: readonly (number | null)[], first = 0): ImageSpec[] =>
  elapsed_ms.map((ms, at) => ({
    frame: first + at,
    value: first + at,
    note: { Channel: "633", "Exposure-ms": 20, ...(ms === null ? {} : { "ElapsedTime-ms": ms }) },
  }));

const open = (spec: AcquisitionSpec, name = "run_MMStack.ome.tif"): Promise<MovieFile> =>
  openTiff(memorySource(name, buildMicroManager(spec)));

async function values(movie: MovieFile): Promise<number[]> {
  const found: number[] = [];
  for (let index = 0; index < movie.frames; index++) {
    const into = new Uint16Array(movie.width * movie.height);
    await movie.read(index, into);
    expect(new Set(into).size).toBe(1);
    found.push(into[0]!);
  }
  return found;
}

test("scale, names, start and the time of each image are those that Micro-Manager wrote", async () => {
  for (const littleEndian of [true, false]) {
    const movie = await open({ images: inTime([100, 5103, 10_099]), summary, littleEndian });
    expect(movie).toMatchObject({ format: "micro-manager", frames: 3, dtype: "uint16", width: 2, warnings: [] });
    expect(movie).toMatchObject({ pixelSize_um: 0.08, pixelSizeSource: "Micro-Manager PixelSize_um" });
    expect(movie).toMatchObject({ channelNames: ["633"], frameStamp: "unknown" });
    expect(movie.timeSource).toBe("Micro-Manager ElapsedTime-ms");
    for (const [at, time_s] of [0, 5.003, 9.999].entries()) expect(movie.time_s![at]).toBeCloseTo(time_s, 9);
    expect(movie.start).toBe("2024-05-17T14:09:11.350-07:00");
    expect(movie.planes).toBeUndefined();
    expect(await values(movie)).toEqual([0, 1, 2]);
  }
});

test("an image's own civil time is the start; it serves as clock where no time has elapsed", async () => {
  const images = [0, 1, 2].map((frame): ImageSpec => {
    return { frame, value: frame, note: { ReceivedTime: `2024-05-17 14:09:1${2 + 2 * frame}.5 -0700` } };
  });
  const movie = await open({ images, summary });
  expect(movie).toMatchObject({ start: "2024-05-17T14:09:12.5-07:00", timeSource: "Micro-Manager ReceivedTime" });
  expect([...movie.time_s!]).toEqual([0, 2, 4]);
});

test("the nominal interval serves only where no image has a time; one of zero is none", async () => {
  const nominal = await open({ images: inTime([null, null, null]), summary });
  expect(nominal.timeSource).toBe("Micro-Manager Interval_ms");
  expect([...nominal.time_s!]).toEqual([0, 5, 10]);
  const none = await open({ images: inTime([null, null, null]), summary: { ...summary, Interval_ms: 0 } });
  expect(none).toMatchObject({ time_s: null, timeSource: "missing" });
  const missing = await open({ images: inTime(Array.from({ length: 20 }, (_, at) => (at === 4 ? null : 100 * at))) });
  expect(missing.time_s![4]).toBeNaN();
  expect(missing.warnings.join()).toMatch(/ElapsedTime-ms is missing for frame 4/);
});

test("a pixel size that nobody calibrated is missing; one that the images contradict is said", async () => {
  const images = inTime([0, 5000]);
  const none = await open({ images, summary: { ...summary, Frames: 2, PixelSize_um: 0 } });
  expect(none).toMatchObject({ pixelSize_um: null, pixelSizeSource: "missing", warnings: [] });
  const noted = images.map((image) => ({ ...image, note: { ...image.note, PixelSizeUm: 0.1 } }));
  const own = await open({ images: noted, summary: { ...summary, PixelSize_um: 0 } });
  expect(own).toMatchObject({ pixelSize_um: 0.1, pixelSizeSource: "Micro-Manager PixelSizeUm" });
  expect((await open({ images: noted, summary })).warnings.join()).toMatch(/pixels of 0\.08 um, .* of 0\.1 um/);
});

test("images of several channels, slices and positions are told apart, by the map or by their own words", async () => {
  const images: ImageSpec[] = [];
  for (let position = 0; position < 2; position++) {
    for (let frame = 0; frame < 3; frame++) {
      for (let slice = 0; slice < 2; slice++) {
        for (let channel = 0; channel < 2; channel++) {
          const value = 1000 * position + 100 * frame + 10 * slice + channel;
          const note = {
            "ElapsedTime-ms": value + 1000 * frame,
            PositionName: `Pos${position}`,
            Channel: "ab"[channel],
          };
          images.push({ position, frame, slice, channel, value, note });
        }
      }
    }
  }
  for (const closed of [true, false]) {
    // Whatever the order in which they were taken.
    const turned = [...images].reverse();
    const movie = await open({ images: turned, summary: { ...summary, ChNames: '["a","b"]', Positions: 2 }, closed });
    expect(movie.frames).toBe(24);
    expect(movie).toMatchObject({ channelNames: ["a", "b"], imageNames: ["Pos0", "Pos1"] });
    const series = timeSeries(movie, { position: "Pos1", channel: "b", slice: 1 });
    expect(await values(series)).toEqual([1011, 1111, 1211]);
    expect([...series.time_s!].map((time) => Math.round(1000 * time))).toEqual([0, 1100, 2200]);
  }
});

test("a file that was never closed gives all its images, and says so; so does one that was laid out in advance", async () => {
  for (const zeros of [0, 4096]) {
    const movie = await open({
      images: inTime([0, 5000, 10_000]),
      summary: { ...summary, Frames: 900 },
      closed: false,
      zeros,
    });
    expect(movie).toMatchObject({ format: "micro-manager", frames: 3, pixelSize_um: 0.08 });
    expect([...movie.time_s!]).toEqual([0, 5, 10]);
    expect(movie.warnings.join(" ")).toMatch(/never closed the file/);
    expect(movie.warnings.join(" ")).toMatch(/was to take 900 images but 3 are there/);
  }
});

test("a map that leads astray is left aside for the chain of pages", async () => {
  const bytes = buildMicroManager({ images: inTime([0, 5000, 10_000]), summary });
  const view = new DataView(bytes.buffer);
  const map = view.getUint32(12, true);
  for (const wrong of [7, 0xfffffff0, map]) {
    view.setUint32(map + 8 + 20 + 16, wrong, true);
    const movie = await openTiff(memorySource("run.tif", bytes));
    expect(await values(movie)).toEqual([0, 1, 2]);
    expect([...movie.time_s!]).toEqual([0, 5, 10]);
    expect(movie.warnings.join()).not.toMatch(/do not say what they show/);
  }
});

test("an image that was taken again stands for the one before", async () => {
  const images = [...inTime([0, 5000]), { frame: 1, value: 77, note: { "ElapsedTime-ms": 6000 } }];
  const movie = await open({ images, summary: { ...summary, Frames: 2 } });
  expect(await values(movie)).toEqual([0, 77]);
  expect([...movie.time_s!]).toEqual([0, 6]);
});

test("files that an acquisition was split into are one dataset, in the order of time; a lost one is missing", async () => {
  const long = { ...summary, Frames: 9 };
  const part = (first: number): Uint8Array =>
    buildMicroManager({
      images: inTime(
        [0, 1, 2].map((at) => 1000 * (first + at) + 40),
        first,
      ),
      summary: long,
    });
  const other = buildMicroManager({ images: inTime([0]), summary: { ...summary, StartTime: "2020-01-01 10:00:00" } });
  const all = {
    "run_MMStack.ome.tif": part(0),
    "run_MMStack_1.ome.tif": part(3),
    "run_MMStack_2.ome.tif": part(6),
    "run2_MMStack.ome.tif": other,
    "notes.txt": new Uint8Array(3),
  };
  for (const name of ["run_MMStack.ome.tif", "run_MMStack_2.ome.tif"]) {
    const movie = await openTiff(await memoryFolder("day", all).open(name));
    expect(movie.frames).toBe(3);
    expect(movie.warnings).toEqual([]);
    expect(movie.dataset).toMatchObject({ frames: 9, missing: [] });
    expect(movie.dataset!.files).toEqual(["run_MMStack.ome.tif", "run_MMStack_1.ome.tif", "run_MMStack_2.ome.tif"]);
    const whole = await movie.dataset!.open();
    expect(whole).toMatchObject({ frames: 9, format: "micro-manager", pixelSize_um: 0.08, warnings: [] });
    expect(await values(whole)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    for (let at = 0; at < 9; at++) expect(whole.time_s![at]).toBeCloseTo(at, 9);
    expect(whole.start).toBe("2024-05-17T14:09:11.290-07:00");
    await whole.close();
  }
  const { "run_MMStack_1.ome.tif": _, ...less } = all;
  const movie = await openTiff(await memoryFolder("day", less).open("run_MMStack.ome.tif"));
  expect(movie.dataset).toMatchObject({ frames: 6, missing: ["run_MMStack_1.ome.tif"] });
  const rest = await movie.dataset!.open();
  expect(await values(rest)).toEqual([0, 1, 2, 6, 7, 8]);
  expect([...rest.time_s!].map(Math.round)).toEqual([0, 1, 2, 6, 7, 8]);
  expect(rest.warnings.join(" ")).toMatch(/1 file is not in the folder \(run_MMStack_1\.ome\.tif\)/);
  expect(rest.warnings.join(" ")).toMatch(/was to take 9 images but 6 are there/);
});

test("stage positions in files of their own are images of one dataset; a file alone has none", async () => {
  const at = (position: number): Uint8Array =>
    buildMicroManager({
      images: [0, 1].map((frame) => {
        const note = { "ElapsedTime-ms": 100 * frame + position, PositionName: `Pos${position}` };
        return { position, frame, value: 10 * position + frame, note };
      }),
      summary: { ...summary, Frames: 2, Positions: 2 },
    });
  const files = { "run_MMStack_Pos0.ome.tif": at(0), "run_MMStack_Pos1.ome.tif": at(1) };
  const movie = await openTiff(await memoryFolder("day", files).open("run_MMStack_Pos1.ome.tif"));
  expect(movie.dataset).toMatchObject({ frames: 4, missing: [] });
  const whole = await movie.dataset!.open();
  expect(whole.imageNames).toEqual(["Pos0", "Pos1"]);
  expect(await values(timeSeries(whole, { position: "Pos1" }))).toEqual([10, 11]);
  const alone = await openTiff(
    await memoryFolder("day", { "run_MMStack_Pos0.ome.tif": at(0) }).open("run_MMStack_Pos0.ome.tif"),
  );
  expect(alone.dataset).toBeUndefined();
  expect(alone.warnings.join()).toMatch(/was to take 4 images but 2 are there/);
});

test("a file cut at any byte gives the images before the cut, or is refused", async () => {
  const whole = buildMicroManager({ images: inTime([0, 5000, 10_000]), summary });
  for (let size = 0; size < whole.length; size++) {
    try {
      const movie = await openTiff(memorySource("cut.tif", whole.subarray(0, size)));
      expect(await values(movie)).toEqual([0, 1, 2].slice(0, movie.frames));
    } catch (error) {
      expect(error).toBeInstanceOf(FormatError);
    }
  }
});

test("whatever bytes are damaged, the file is read or refused, never more", async () => {
  const whole = buildMicroManager({ images: inTime([0, 5000, 10_000]), summary, description: "<OME><x/></OME>" });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 }), async (hits) => {
      const bytes = whole.slice();
      for (const [at, value] of hits) bytes[at % bytes.length] = value;
      try {
        const folder = memoryFolder("day", { "a_MMStack.tif": bytes, "a_MMStack_1.tif": whole });
        const movie = await openTiff(await folder.open("a_MMStack.tif"));
        if (movie.width * movie.height > 1e6) return;
        const into = movie.dtype === "uint8" ? new Uint8Array(4) : new Uint16Array(4);
        if (movie.width * movie.height === 4 && /uint(8|16)/.test(movie.dtype)) await movie.read(0, into);
        await (await movie.dataset?.open())?.close();
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError);
      }
    }),
    { numRuns: 300 },
  );
});
