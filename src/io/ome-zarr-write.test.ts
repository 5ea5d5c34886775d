import * as fc from "fast-check";
import { expect, test } from "vitest";
import * as zarrita from "zarrita";
import { ParameterError } from "../model/errors.js";
import type { Dtype, FramePlace, MovieFile } from "../model/movie.js";
import { memoryFolder } from "./bytes.js";
import { inOmeZarrOrder, writeOmeZarr, type OmeZarrOptions } from "./ome-zarr-write.js";
import { frameBuffer } from "./views.js";
import { openZarr } from "./zarr.js";

/** A movie in memory whose samples are told by frame and place. */
function movieOf(facts: Partial<MovieFile> & { frames: number }): MovieFile {
  const movie: MovieFile = {
    name: "cell.tif",
    format: "tiff",
    width: 5,
    height: 4,
    dtype: "uint16",
    pixelSize_um: null,
    pixelSizeSource: "missing",
    time_s: null,
    timeSource: "missing",
    frameStamp: "unknown",
    start: null,
    warnings: [],
    async read(index, into) {
      for (let at = 0; at < into.length; at++) into[at] = sampleAt(movie.dtype, index, at);
    },
    async close() {},
    ...facts,
  };
  return movie;
}

/** A large movie, each frame of one value. */
const flat: Partial<MovieFile> = { read: async (index, into) => void into.fill(index + 1) };

function sampleAt(dtype: Dtype, frame: number, at: number): number {
  const value = ((frame * 131 + at * 17) % 251) - (dtype.startsWith("u") ? 0 : 120);
  return dtype.startsWith("float") ? value / 8 : dtype === "int8" ? value % 100 : value;
}

async function written(movie: MovieFile, options: OmeZarrOptions = {}): Promise<Record<string, Uint8Array>> {
  const files: Record<string, Uint8Array> = {};
  // A copy, as a disk makes one.
  const write = async (path: string, bytes: Uint8Array): Promise<void> => void (files[path] = bytes.slice());
  const told = await writeOmeZarr(movie, { write }, options);
  expect(told.files).toBe(Object.keys(files).length);
  expect(told.bytes).toBe(Object.values(files).reduce((sum, { length }) => sum + length, 0));
  return files;
}

async function expectSame(back: MovieFile, movie: MovieFile): Promise<void> {
  for (const key of ["frames", "width", "height", "dtype", "pixelSize_um", "frameStamp", "start"] as const) {
    expect(back[key], key).toBe(movie[key]);
  }
  expect(back.time_s).toEqual(movie.time_s);
  for (let frame = 0; frame < movie.frames; frame++) {
    const [wanted, found] = [frameBuffer(movie), frameBuffer(back)];
    await movie.read(frame, wanted);
    await back.read(frame, found);
    expect(found, `frame ${frame}`).toEqual(wanted);
  }
}

const movies = fc
  .record({
    frames: fc.integer({ min: 1, max: 9 }),
    width: fc.integer({ min: 1, max: 9 }),
    height: fc.integer({ min: 1, max: 9 }),
    dtype: fc.constantFrom<Dtype>("uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"),
    pixelSize_um: fc.option(fc.double({ min: 1e-3, max: 1e3, noNaN: true })),
    steps_s: fc.option(fc.array(fc.double({ min: 1e-3, max: 1e4, noNaN: true }), { minLength: 9, maxLength: 9 })),
    lost: fc.nat(20),
    frameStamp: fc.constantFrom("start" as const, "middle" as const, "end" as const, "unknown" as const),
    start: fc.constantFrom(null, "2024-05-17T14:09:11", "2024-05-17T14:09:11.250+02:00"),
    compression: fc.constantFrom("zstd" as const, "none" as const),
  })
  .map(({ steps_s, lost, compression, ...facts }) => {
    let time = 0;
    const time_s =
      steps_s === null
        ? null
        : Float64Array.from({ length: facts.frames }, (_, at) => (at === 0 ? 0 : (time += steps_s[at]!)));
    if (time_s !== null && lost > 0 && lost < time_s.length) time_s[lost] = Number.NaN;
    return { movie: movieOf({ ...facts, time_s }), compression };
  });

test("a movie written and read back has the same pixels, times, scale, start and meaning of its stamps", async () => {
  await fc.assert(
    fc.asyncProperty(movies, async ({ movie, compression }) => {
      const back = await openZarr(memoryFolder("m.ome.zarr", await written(movie, { compression })));
      expect(back.format).toBe("ome-zarr");
      expect(back.warnings).toEqual([]);
      await expectSame(back, movie);
    }),
    { numRuns: 60 },
  );
});

test("an independent reader finds the same array and valid metadata", async () => {
  const time_s = Float64Array.from([0, 0.5, 1.1]);
  const movie = movieOf({ frames: 3, time_s, pixelSize_um: 0.065 });
  for (const compression of ["zstd", "none"] as const) {
    const files = await written(movie, { compression });
    const store = new Map(Object.entries(files).map(([path, bytes]) => [`/${path}` as const, bytes]));
    const root = await zarrita.open.v3(zarrita.root(store), { kind: "group" });
    const { ome } = root.attrs as { ome: { version: string; multiscales: readonly Record<string, unknown>[] } };
    expect(ome.version).toBe("0.5");
    expect(ome.multiscales[0]).toMatchObject({
      axes: [
        { name: "t", type: "time", unit: "second" },
        { name: "y", type: "space", unit: "micrometer" },
        { name: "x", type: "space", unit: "micrometer" },
      ],
      datasets: [
        { path: "0", coordinateTransformations: [{ type: "scale", scale: [0.6000000000000001, 0.065, 0.065] }] },
      ],
    });
    const array = await zarrita.open.v3(root.resolve("0"), { kind: "array" });
    const { data, shape } = await zarrita.get(array);
    expect(shape).toEqual([3, 4, 5]);
    const wanted = Uint16Array.from({ length: 60 }, (_, at) => sampleAt("uint16", Math.floor(at / 20), at % 20));
    expect(data).toEqual(wanted);
    const times = await zarrita.get(await zarrita.open.v3(root.resolve("time_s"), { kind: "array" }));
    expect(times.data).toEqual(time_s);
  }
});

test("nothing is invented where scale and times are unknown", async () => {
  const files = await written(movieOf({ frames: 2 }));
  expect(Object.keys(files).sort()).toEqual(["0/c/0/0/0", "0/zarr.json", "zarr.json"]);
  const text = new TextDecoder().decode(files["zarr.json"]);
  expect(text).not.toMatch(/"unit"/);
  expect(JSON.parse(text)).toMatchObject({
    attributes: { ionoscope: { times: null, start: null, frameStamp: "unknown" } },
  });
  const back = await openZarr(memoryFolder("m", files));
  expect(back).toMatchObject({ pixelSize_um: null, time_s: null, warnings: [] });
});

test("several frames share a chunk of some megabytes; larger ones have their own", async () => {
  const small = await written(movieOf({ ...flat, frames: 130, width: 256, height: 200 }), { compression: "none" });
  const chunks = Object.entries(small).filter(([path]) => path.startsWith("0/c/"));
  expect(chunks.map(([path]) => path)).toEqual(["0/c/0/0/0", "0/c/1/0/0", "0/c/2/0/0"]);
  for (const [, bytes] of chunks) expect(bytes.length).toBe(61 * 256 * 200 * 2);
  const large = await written(movieOf({ ...flat, frames: 2, width: 2000, height: 1700 }), { compression: "none" });
  expect(large["0/c/1/0/0"]!.length).toBe(2000 * 1700 * 2);
});

const places = (times: number, slices: number, channels: number): FramePlace[] =>
  Array.from({ length: times * slices * channels }, (_, frame) => ({
    image: 0,
    channel: frame % channels,
    slice: Math.floor(frame / channels) % slices,
    time: Math.floor(frame / (channels * slices)),
  }));

test("channels and slices keep their places, names and times, in whatever order they come", async () => {
  const planes = places(3, 2, 2);
  const time_s = Float64Array.from(planes, ({ time, channel, slice }) => time + 0.1 * slice + 0.01 * channel);
  const movie = movieOf({ frames: 12, planes, time_s, channelNames: ["a", "b"] });
  const files = await written(movie);
  expect(
    Object.keys(files)
      .filter((path) => path.startsWith("0/c/"))
      .sort(),
  ).toEqual(["0/c/0/0/0/0/0", "0/c/0/0/1/0/0", "0/c/0/1/0/0/0", "0/c/0/1/1/0/0"]);
  const back = await openZarr(memoryFolder("m", files));
  expect(back.planes).toEqual(planes);
  expect(back.channelNames).toEqual(["a", "b"]);
  await expectSame(back, movie);

  const turned = [...planes.keys()].reverse();
  const backwards: MovieFile = {
    ...movie,
    planes: turned.map((frame) => planes[frame]!),
    time_s: time_s.slice().reverse(),
    read: (index, into) => movie.read(turned[index]!, into),
  };
  await expectSame(await openZarr(memoryFolder("m", await written(backwards))), movie);
});

test("a last moment that is not whole is left out and named; a hole in between is refused", async () => {
  const planes = places(3, 1, 2);
  const cut = inOmeZarrOrder(movieOf({ frames: 5, planes: planes.slice(0, 5) }));
  expect(cut.frames).toBe(4);
  expect(cut.warnings.join()).toMatch(/frame 4 of 5 left out/);
  await expectSame(await openZarr(memoryFolder("m", await written(cut))), cut);
  const wrong: [Partial<MovieFile>, RegExp][] = [
    [{ planes: [...planes.slice(0, 3), ...planes.slice(4)] }, /moment 1 does not hold all 2/],
    [{ planes: [planes[0]!, planes[0]!, planes[1]!, planes[1]!, planes[2]!] }, /two frames/],
    [{ planes: planes.slice(0, 5).map((place, image) => ({ ...place, image })) }, /stage positions.*--position/],
    [{ samplesPerPixel: 3 }, /in colour/],
  ];
  for (const [facts, words] of wrong) {
    expect(() => inOmeZarrOrder(movieOf({ frames: 5, ...facts }))).toThrow(words);
    await expect(written(movieOf({ frames: 5, ...facts }))).rejects.toThrow(ParameterError);
  }
});

test("progress is told frame by frame, and writing can be stopped", async () => {
  const done: number[] = [];
  await written(movieOf({ frames: 3 }), { onFrame: (frame, frames) => done.push(frame / frames) });
  expect(done).toEqual([1 / 3, 2 / 3, 1]);
  const stop = new AbortController();
  const stopping = written(movieOf({ frames: 9 }), {
    signal: stop.signal,
    onFrame: (frame) => (frame === 4 ? stop.abort() : undefined),
  });
  await expect(stopping).rejects.toThrow(/abort/i);
});

test("a folder whose writing was cut off tells which frames are missing", async () => {
  const time_s = Float64Array.from([0, 1, 2, 3, 4, 5]);
  const movie = movieOf({ ...flat, frames: 6, width: 1600, height: 1400, time_s });
  const files = await written(movie);
  for (const frame of [4, 5]) delete files[`0/c/${frame}/0/0`];
  const back = await openZarr(memoryFolder("m", files));
  expect(back.incomplete).toEqual([4, 5]);
  expect(back.warnings.join()).toMatch(/all chunks of frames 4 to 5 of 6 are missing/);
});
