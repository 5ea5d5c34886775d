import { expect, test } from "vitest";
import { FormatError, ParameterError } from "../model/errors.js";
import type { FramePlace, MovieFile } from "../model/movie.js";
import { calibrateMovie } from "./calibrate.js";
import { seriesNote, timeSeries } from "./time-series.js";

/** A movie whose every frame holds its own number. */
function movieFile(more: Partial<MovieFile> = {}): MovieFile {
  return {
    name: "cell.tif",
    format: "tiff",
    width: 1,
    height: 1,
    frames: 4,
    dtype: "uint8",
    pixelSize_um: 0.08,
    pixelSizeSource: "OME PhysicalSizeX",
    time_s: Float64Array.from([0, 5, 10, 20]),
    timeSource: "OME DeltaT",
    frameStamp: "unknown",
    start: null,
    warnings: [],
    read: async (index, into) => void (into[0] = index),
    close: async () => {},
    ...more,
  };
}

async function frameNumbers(movie: MovieFile): Promise<number[]> {
  const numbers: number[] = [];
  for (let index = 0; index < movie.frames; index++) {
    const into = new Uint8Array(1);
    await movie.read(index, into);
    numbers.push(into[0]!);
  }
  return numbers;
}

test("what the file says is taken, with its source", () => {
  const movie = calibrateMovie(movieFile(), {});
  expect(movie).toMatchObject({ pixelSize_um: 0.08, pixelSizeSource: "OME PhysicalSizeX", timeSource: "OME DeltaT" });
  expect([...movie.time_s]).toEqual([0, 5, 10, 20]);
  expect(movie.warnings).toEqual([]);
});

test("scale and clock that nobody tells are asked for by the name of their flag", () => {
  const bare = movieFile({ pixelSize_um: null, time_s: null, pixelSizeSource: "missing", timeSource: "missing" });
  const cases = [
    [{}, "pixelSize_um", "pixelSize_um is not in cell.tif; give --pixel-size-um"],
    [{ pixelSize_um: 0.1 }, "interval_s", "frame times are not in cell.tif; give --interval-s"],
  ] as const;
  for (const [stated, parameter, message] of cases) {
    let caught: unknown;
    try {
      calibrateMovie(bare, stated);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(ParameterError);
    expect(caught).toMatchObject({ parameter, message });
  }
  const movie = calibrateMovie(bare, { pixelSize_um: 0.1, interval_s: 2, frameStamp: "end" });
  expect(movie).toMatchObject({ pixelSizeSource: "flag", timeSource: "flag", frameStamp: "end", warnings: [] });
  expect([...movie.time_s]).toEqual([0, 2, 4, 6]);
});

test("a statement overrides the file and warns where they differ", () => {
  const movie = calibrateMovie(movieFile(), { pixelSize_um: 0.1, interval_s: 5 });
  expect(movie.pixelSize_um).toBe(0.1);
  expect([...movie.time_s]).toEqual([0, 5, 10, 15]);
  expect(movie.warnings).toHaveLength(2);
  const same = calibrateMovie(movieFile({ time_s: Float64Array.from([0, 5, 10, 15]) }), {
    pixelSize_um: 0.08,
    interval_s: 5,
  });
  expect(same.warnings).toEqual([]);
});

test("a statement that is no positive number is refused", () => {
  for (const value of [0, -1, Number.NaN, Infinity]) {
    expect(() => calibrateMovie(movieFile(), { pixelSize_um: value })).toThrow(ParameterError);
    expect(() => calibrateMovie(movieFile(), { interval_s: value })).toThrow(ParameterError);
  }
});

test("frames without a time are left out; the others keep theirs", async () => {
  const movie = calibrateMovie(movieFile({ time_s: Float64Array.from([Number.NaN, 5, Number.NaN, 20]) }), {});
  expect([...movie.time_s]).toEqual([0, 15]);
  expect(await frameNumbers(movie)).toEqual([1, 3]);
  expect(movie.warnings.join()).toMatch(/frames 0, 2 of 4 left out/);
});

test("frames whose pixels are not all in the file are left out, with times of the file or of the user", async () => {
  const time_s = Float64Array.from([0, 5, 10, 15]);
  const file = movieFile({ time_s, incomplete: [0, 2], start: "2024-03-01T10:00:00" });
  const movie = calibrateMovie(file, {});
  expect(await frameNumbers(movie)).toEqual([1, 3]);
  expect([...movie.time_s]).toEqual([0, 10]);
  expect(movie.start).toBe("2024-03-01T10:00:05.000");
  expect(movie.warnings.join()).toMatch(/frames 0, 2 of 4 left out: their pixels are not all in the file/);
  expect([...calibrateMovie(file, { interval_s: 2 }).time_s]).toEqual([0, 4]);
  expect(() => calibrateMovie(movieFile({ time_s, incomplete: [0, 1, 2, 3] }), {})).toThrow(/no frame has all/);
});

test("times that do not rise are refused with the frame, unless an interval is stated", () => {
  const file = movieFile({ time_s: Float64Array.from([0, 5, 5, 10]) });
  expect(() => calibrateMovie(file, {})).toThrow(FormatError);
  expect(() => calibrateMovie(file, {})).toThrow(/frame 2 .*--interval-s/);
  expect([...calibrateMovie(file, { interval_s: 1 }).time_s]).toEqual([0, 1, 2, 3]);
  expect(() => calibrateMovie(movieFile({ time_s: new Float64Array(4).fill(Number.NaN) }), {})).toThrow(FormatError);
});

test("a movie in colour is not analysed", () => {
  expect(() => calibrateMovie(movieFile({ samplesPerPixel: 3 }), {})).toThrow(/colour.*grey/);
});

test("of several channels and slices the first series is taken, in its own times", async () => {
  const planes: FramePlace[] = [];
  for (const time of [0, 1, 3]) {
    for (const slice of [0, 1]) for (const channel of [0, 1]) planes.push({ image: 0, channel, slice, time });
  }
  const time_s = Float64Array.from(planes, ({ time, slice, channel }) => 7 + 10 * time + 2 * slice + channel);
  const file = movieFile({ frames: 12, planes, time_s });
  const series = timeSeries(file);
  expect(await frameNumbers(series)).toEqual([0, 4, 8]);
  expect([...series.time_s!]).toEqual([0, 10, 30]);
  expect(seriesNote(planes)).toMatch(/takes channel 0 of 2, slice 0 of 2, 3 of 12 frames/);
  expect(seriesNote(planes.slice(0, 1))).toBeNull();
  // The third moment is missing from the file, and a stated interval leaves its room.
  expect([...calibrateMovie(file, { interval_s: 2 }).time_s]).toEqual([0, 2, 6]);
  expect(calibrateMovie(file, {}).planes).toBeUndefined();
});
