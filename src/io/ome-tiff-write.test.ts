import * as fc from "fast-check";
import { expect, test } from "vitest";
import { samplesFor } from "../../test/tiff-builder.js";
import { ParameterError } from "../model/errors.js";
import type { Dtype, FrameStamp, MovieFile, Samples } from "../model/movie.js";
import { memorySource, type ByteSource } from "./bytes.js";
import { writeOmeTiff, type OmeTiffMovie, type Sink } from "./ome-tiff-write.js";
import { openTiff } from "./tiff.js";

/** A file in memory that is written from front to back. */
function memorySink(): { sink: Sink; bytes: () => Uint8Array } {
  const parts: Uint8Array[] = [];
  let end = 0;
  return {
    sink: {
      async write(part, position) {
        expect(position).toBe(end);
        parts.push(part.slice());
        end += part.length;
      },
    },
    bytes: () => Uint8Array.from(parts.flatMap((part) => [...part])),
  };
}

const kinds: Record<Dtype, readonly [bits: number, format: number]> = {
  uint8: [8, 1],
  int8: [8, 2],
  uint16: [16, 1],
  int16: [16, 2],
  uint32: [32, 1],
  int32: [32, 2],
  float32: [32, 3],
  float64: [64, 3],
};

function buffer({ dtype, width, height }: Pick<MovieFile, "dtype" | "width" | "height">): Samples {
  return samplesFor(...kinds[dtype], width * height);
}

test("what is written is read back: pixels, scale, times, start and the meaning of a stamp", async () => {
  const movies = fc.record({
    width: fc.integer({ min: 1, max: 12 }),
    height: fc.integer({ min: 1, max: 9 }),
    dtype: fc.constantFrom(...(Object.keys(kinds) as Dtype[])),
    pixelSize_um: fc.double({ min: 1e-3, max: 10, noNaN: true }),
    steps: fc.array(fc.double({ min: 1e-3, max: 100, noNaN: true }), { minLength: 1, maxLength: 6 }),
    start: fc.constantFrom(null, "2020-10-26T12:49:58", "2024-02-29T23:59:59.25Z"),
    frameStamp: fc.constantFrom<FrameStamp>("start", "middle", "end", "unknown"),
    seed: fc.nat(),
  });
  await fc.assert(
    fc.asyncProperty(movies, async ({ steps, seed, ...movie }) => {
      const time_s = Float64Array.from(steps, (_, at) => steps.slice(1, at + 1).reduce((sum, step) => sum + step, 0));
      const frames = steps.map((_, frame) => {
        const samples = buffer(movie);
        for (let at = 0; at < samples.length; at++) samples[at] = (Math.imul(seed + at, 40503 + frame) % 97) / 1.5;
        return samples;
      });
      const { sink, bytes } = memorySink();
      const length = await writeOmeTiff({ ...movie, time_s, frames, sink });
      expect(bytes().length).toBe(length);
      const read = await openTiff(memorySource("written.ome.tif", bytes()));
      const { width, height, dtype, pixelSize_um, start, frameStamp } = movie;
      expect(read).toMatchObject({ format: "ome-tiff", width, height, dtype, pixelSize_um, start, frameStamp });
      expect(read).toMatchObject({ timeSource: steps.length > 1 ? "OME DeltaT" : "missing", warnings: [] });
      if (steps.length > 1) expect([...read.time_s!]).toEqual([...time_s]);
      for (const [index, samples] of frames.entries()) {
        const into = buffer(movie);
        await read.read(index, into);
        expect(into).toEqual(samples);
      }
    }),
    { numRuns: 60 },
  );
});

test("a file that was cut while it was written is read up to the cut, with the number of missing frames", async () => {
  const { sink, bytes } = memorySink();
  const frames = [1, 2, 3, 4, 5].map((n) => new Uint16Array(16).fill(n));
  const movie = { width: 4, height: 4, dtype: "uint16", pixelSize_um: 0.1, start: null, frameStamp: "middle" } as const;
  await writeOmeTiff({ ...movie, time_s: [0, 1, 2, 3, 4], frames, sink });
  const cut = await openTiff(memorySource("cut.ome.tif", bytes().subarray(0, bytes().length - 40)));
  expect(cut.frames).toBe(3);
  expect([...cut.time_s!]).toEqual([0, 1, 2]);
  expect(cut.pixelSize_um).toBe(0.1);
  expect(cut.warnings).toEqual(["the file is cut off: 2 of 5 frames are missing, the first 3 are used."]);
});

test("beyond 4 GiB the file is a BigTIFF, and its last frame is found", async () => {
  const [width, height, count] = [4096, 8192, 66];
  const blank = new Uint16Array(width * height);
  const marked = blank.slice();
  marked[1] = 4711;
  let head: Uint8Array = new Uint8Array();
  let last: { position: number; bytes: Uint8Array } = { position: 0, bytes: head };
  const sink: Sink = {
    async write(bytes, position) {
      if (position === 0) head = bytes.slice();
      else last = { position, bytes: bytes.subarray(0, 64) };
    },
  };
  function* frames(): Generator<Samples> {
    for (let frame = 0; frame < count; frame++) yield frame === count - 1 ? marked : blank;
  }
  const time_s = Float64Array.from({ length: count }, (_, at) => at);
  const described = { width, height, dtype: "uint16", pixelSize_um: 0.05, start: null, frameStamp: "middle" } as const;
  const size = await writeOmeTiff({ ...described, time_s, frames: frames(), sink });
  expect(size).toBeGreaterThan(2 ** 32);
  expect([...head.subarray(0, 4)]).toEqual([0x49, 0x49, 43, 0]);
  const source: ByteSource = {
    name: "big.ome.tif",
    size,
    async read(offset, into) {
      into.fill(0);
      for (const { position, bytes } of [{ position: 0, bytes: head }, last]) {
        for (let at = Math.max(0, position - offset); at < into.length && offset + at < position + bytes.length; at++) {
          into[at] = bytes[offset + at - position]!;
        }
      }
      return into.length;
    },
    async close() {},
  };
  const movie = await openTiff(source);
  expect(movie).toMatchObject({ frames: count, warnings: [] });
  await movie.read(count - 1, blank);
  expect(blank[1]).toBe(4711);
});

test("a movie that does not fit its description is refused by the name of what is wrong", async () => {
  const good: OmeTiffMovie = {
    width: 2,
    height: 1,
    dtype: "uint8",
    pixelSize_um: 0.1,
    time_s: [0, 1],
    start: null,
    frameStamp: "middle",
    frames: [new Uint8Array(2), new Uint8Array(2)],
    sink: { async write() {} },
  };
  await expect(writeOmeTiff(good)).resolves.toBeGreaterThan(0);
  const wrong: [string, Partial<OmeTiffMovie>][] = [
    ["width", { width: 0 }],
    ["height", { height: 1.5 }],
    ["pixelSize_um", { pixelSize_um: Number.NaN }],
    ["time_s", { time_s: [0, 0] }],
    ["time_s", { time_s: [] }],
    ["frames", { frames: [new Uint8Array(2)] }],
    ["frames", { frames: [new Uint8Array(2), new Uint8Array(2), new Uint8Array(2)] }],
    ["frames", { frames: [new Uint8Array(2), new Uint8Array(3)] }],
    ["frames", { frames: [new Uint16Array(2), new Uint16Array(2)] }],
  ];
  for (const [parameter, part] of wrong) {
    const error = await writeOmeTiff({ ...good, ...part }).then(
      () => null,
      (caught: unknown) => caught,
    );
    expect(error).toBeInstanceOf(ParameterError);
    expect(error).toMatchObject({ parameter });
  }
});

test("several positions, channels and slices keep their places, names and stamps; what is unknown is not written", async () => {
  const shapes = fc.record({
    images: fc.integer({ min: 1, max: 2 }),
    channels: fc.integer({ min: 1, max: 3 }),
    slices: fc.integer({ min: 1, max: 2 }),
    times: fc.integer({ min: 2, max: 3 }),
    timed: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(shapes, async ({ images, channels, slices, times, timed }) => {
      const planes = Array.from({ length: images * times * slices * channels }, (_, at) => ({
        channel: at % channels,
        slice: Math.floor(at / channels) % slices,
        time: Math.floor(at / channels / slices) % times,
        image: Math.floor(at / channels / slices / times),
      }));
      const { sink, bytes } = memorySink();
      await writeOmeTiff({
        width: 1,
        height: 1,
        dtype: "uint16",
        pixelSize_um: null,
        time_s: timed ? planes.map(({ time, channel }) => 5 * time + 0.25 * channel) : null,
        planes,
        channelNames: ["iSCAT", 'bright "field"', "<dark>"],
        start: null,
        frameStamp: "unknown",
        frames: planes.map((_, at) => Uint16Array.of(at)),
        sink,
      });
      const movie = await openTiff(memorySource("set.ome.tif", bytes()));
      expect(movie.pixelSize_um).toBeNull();
      expect(movie.frames).toBe(planes.length);
      // A file of one series in time needs no places.
      if (images * channels * slices > 1) expect(movie.planes).toEqual(planes);
      if (timed) expect([...movie.time_s!]).toEqual(planes.map(({ time, channel }) => 5 * time + 0.25 * channel));
      else expect(movie.time_s).toBeNull();
      const into = new Uint16Array(1);
      for (let at = 0; at < planes.length; at++) {
        await movie.read(at, into);
        expect(into[0]).toBe(at);
      }
    }),
  );
});
