import { expect, test } from "vitest";
import type { FramePlace, MovieFile } from "../model/movie.js";
import { seriesNote, timeSeries } from "./time-series.js";

/** Two positions x two channels x three moments of 1 x 1 px frames, each frame of its own number. */
const planes: FramePlace[] = [0, 1].flatMap((image) =>
  [0, 1, 2].flatMap((time) => [0, 1].map((channel) => ({ image, channel, slice: 0, time }))),
);

const file: MovieFile = {
  name: "set.tif",
  format: "ome-tiff",
  width: 1,
  height: 1,
  frames: planes.length,
  dtype: "uint16",
  planes,
  channelNames: ["iSCAT", "1"],
  imageNames: ["Pos0", "Pos1"],
  pixelSize_um: null,
  pixelSizeSource: "missing",
  time_s: Float64Array.from(planes, ({ time, channel, image }) => 10 * time + channel + 100 * image),
  timeSource: "OME DeltaT",
  frameStamp: "unknown",
  start: null,
  warnings: [seriesNote(planes)!, "another warning."],
  async read(index, into) {
    into[0] = index;
  },
  async close() {},
};

async function numbers(movie: MovieFile): Promise<number[]> {
  const into = new Uint16Array(1);
  const all: number[] = [];
  for (let frame = 0; frame < movie.frames; frame++) {
    await movie.read(frame, into);
    all.push(into[0]!);
  }
  return all;
}

test("without a choice the first frame's series is taken, and the note names the flags", async () => {
  const series = timeSeries(file);
  expect(await numbers(series)).toEqual([0, 2, 4]);
  expect(series.warnings[0]).toBe(
    "the file holds more than one series in time: an analysis takes position 0 of 2, channel 0 of 2, 3 of 12 frames. " +
      "Choose with --position, --channel.",
  );
});

test("channel and position are chosen by number or by name, a name first; the note is then needless", async () => {
  const series = timeSeries(file, { channel: "iSCAT", position: "Pos1" });
  expect(await numbers(series)).toEqual([6, 8, 10]);
  expect([...series.time_s!]).toEqual([0, 10, 20]);
  expect(series.warnings).toEqual(["another warning."]);
  expect(await numbers(timeSeries(file, { channel: "1" }))).toEqual([1, 3, 5]);
  expect(await numbers(timeSeries(file, { channel: 0, position: 1, slice: 0 }))).toEqual([6, 8, 10]);
});

test("a choice that the file does not hold is refused, and what it holds is named", () => {
  expect(() => timeSeries(file, { channel: 2 })).toThrow(
    "channel is 2 but set.tif holds 0 (iSCAT), 1 (1). Give one of these with --channel.",
  );
  expect(() => timeSeries(file, { slice: 1 })).toThrow("slice is 1 but set.tif holds 0.");
  const { planes: _, channelNames: __, imageNames: ___, ...plain } = file;
  expect(timeSeries(plain, { channel: 0 }).frames).toBe(12);
  expect(() => timeSeries(plain, { channel: "iSCAT" })).toThrow("channel is iSCAT but set.tif holds 0.");
});
