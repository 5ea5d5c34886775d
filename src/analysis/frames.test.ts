import { expect, test } from "vitest";
import type { Movie } from "../model/movie.js";
import { framesOf, samplesOf } from "./frames.js";

/** A movie whose every sample is the frame's number; `fails` is a frame that cannot be read. */
function numbered(frames: number, fails = -1): { movie: Movie; log: { now: number; most: number; read: number[] } } {
  const log = { now: 0, most: 0, read: [] as number[] };
  const movie: Movie = {
    name: "numbered",
    format: "memory",
    width: 2,
    height: 1,
    frames,
    dtype: "int16",
    pixelSize_um: 1,
    pixelSizeSource: "test",
    time_s: new Float64Array(frames),
    timeSource: "test",
    frameStamp: "middle",
    start: null,
    warnings: [],
    async read(index, into) {
      log.now++;
      log.most = Math.max(log.most, log.now);
      await new Promise((resolve) => setTimeout(resolve, 0));
      log.now--;
      if (index === fails) throw new Error(`frame ${index} is torn`);
      log.read.push(index);
      into.fill(index);
    },
    close: async () => undefined,
  };
  return { movie, log };
}

test("frames come in order, one read at a time, and hold while the next is read", async () => {
  const { movie, log } = numbered(40);
  let next = 0;
  for await (const { frame, samples } of framesOf(movie)) {
    expect(frame).toBe(next++);
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect(samples).toEqual(Int16Array.of(frame, frame));
  }
  expect(next).toBe(40);
  expect(log.most).toBe(1);
});

test("a frame that cannot be read stops it there, with the reader's own words", async () => {
  const seen: number[] = [];
  await expect(
    (async () => {
      for await (const { frame } of framesOf(numbered(9, 5).movie)) seen.push(frame);
    })(),
  ).rejects.toThrow("frame 5 is torn");
  expect(seen).toEqual([0, 1, 2, 3, 4]);
});

test("whoever leaves early leaves nothing being read", async () => {
  const { movie, log } = numbered(9);
  for await (const { frame } of framesOf(movie)) if (frame === 2) break;
  expect(log.now).toBe(0);
  const stop = new AbortController();
  stop.abort();
  await expect(framesOf(movie, stop.signal).next()).rejects.toThrow("aborted");
});

test("an array for samples is of the movie's own type", () => {
  for (const [dtype, type] of [
    ["uint8", Uint8Array],
    ["int8", Int8Array],
    ["uint16", Uint16Array],
    ["int16", Int16Array],
    ["uint32", Uint32Array],
    ["int32", Int32Array],
    ["float32", Float32Array],
    ["float64", Float64Array],
  ] as const) {
    expect(samplesOf(dtype, 3)).toEqual(new type(3));
  }
});
