import {
  array,
  assert,
  asyncProperty,
  boolean,
  constantFrom,
  double,
  integer,
  nat,
  record,
  tuple,
  type Arbitrary,
} from "fast-check";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import { dataFolder } from "../../test/data-folder.js";
import {
  buildTdms,
  joined,
  sampleBytes,
  tdmsType,
  textBytes,
  type PropertySpec,
  type SegmentSpec,
} from "../../test/tdms-builder.js";
import { FormatError } from "../model/errors.js";
import type { MovieFile, Samples } from "../model/movie.js";
import { memorySource, type ByteSource } from "./bytes.js";
import { isTdmsMovie, openTdms, readTdmsOther } from "./tdms.js";

const arrays = {
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  float32: Float32Array,
  float64: Float64Array,
};

const kinds = [
  ["uint8", tdmsType.u8],
  ["int8", tdmsType.i8],
  ["uint16", tdmsType.u16],
  ["int16", tdmsType.i16],
  ["uint32", tdmsType.u32],
  ["int32", tdmsType.i32],
  ["float32", tdmsType.f32],
  ["float64", tdmsType.f64],
] as const;

const camera = ["img", "cam1"];

function sizes(width: number, height: number, rate?: number): Record<string, PropertySpec> {
  const size = { "Image size": height, "Image size 2": width };
  return rate === undefined ? size : { ...size, "Effective frame rate": rate };
}

async function frame(movie: MovieFile, index: number): Promise<number[]> {
  const into: Samples = new arrays[movie.dtype](movie.width * movie.height);
  await movie.read(index, into);
  return [...into];
}

async function frames(movie: MovieFile): Promise<number[]> {
  const all: number[] = [];
  for (let index = 0; index < movie.frames; index++) all.push(...(await frame(movie, index)));
  return all;
}

function source(bytes: Uint8Array, name = "cell.tdms"): ByteSource {
  return memorySource(name, bytes);
}

async function isMovie(bytes: Uint8Array): Promise<boolean> {
  return isTdmsMovie(bytes.subarray(0, 1 << 16), source(bytes));
}

/** A movie of 5 x 3 px in one segment. */
function simple(values: readonly number[], properties: Record<string, PropertySpec>): Uint8Array {
  return buildTdms([
    {
      newList: true,
      objects: [
        { path: [] },
        { path: ["img"] },
        { path: camera, index: { type: tdmsType.u16, perChunk: values.length }, properties },
      ],
      raw: sampleBytes(tdmsType.u16, values),
    },
  ]);
}

const ramp = (count: number): number[] => Array.from({ length: count }, (_, at) => (at * 37) % 1000);

test("a recording is unfolded as its public readers do it, with the times of its frame rate", async () => {
  const bytes = simple(ramp(45), sizes(5, 3, 100));
  expect(await isMovie(bytes)).toBe(true);
  const movie = await openTdms(source(bytes));
  expect(movie).toMatchObject({
    format: "tdms",
    width: 5,
    height: 3,
    frames: 3,
    dtype: "uint16",
    frameStamp: "unknown",
  });
  expect(movie).toMatchObject({ pixelSize_um: null, pixelSizeSource: "missing", start: null });
  expect([...movie.time_s!]).toEqual([0, 0.01, 0.02]);
  expect(movie.timeSource).toBe("TDMS Effective frame rate");
  expect(movie.warnings.join()).toMatch(/5 px wide \("Image size 2"\) and 3 px high \("Image size"\)/);
  expect(await frame(movie, 1)).toEqual(ramp(45).slice(15, 30));
});

test("after drift correction the names are width and height, wherever they stand, in any type", async () => {
  for (const [height, at] of [
    ["Heigth", "channel"],
    ["Height", "group"],
    ["heigth", "file"],
  ] as const) {
    const properties: Record<string, PropertySpec> = { Width: { u32: 5 }, [height]: { i32: 3 }, FPS: "2.5" };
    const bytes = buildTdms([
      {
        newList: true,
        objects: [
          { path: [], properties: at === "file" ? properties : {} },
          { path: ["group"], properties: at === "group" ? properties : {} },
          { path: ["group", "shift"], index: { type: tdmsType.f64, perChunk: 2 } },
          {
            path: ["group", "0"],
            index: { type: tdmsType.f32, perChunk: 30 },
            properties: at === "channel" ? properties : {},
          },
        ],
        raw: joined([sampleBytes(tdmsType.f64, [1, 2]), sampleBytes(tdmsType.f32, ramp(30))]),
      },
    ]);
    const movie = await openTdms(source(bytes));
    expect(movie).toMatchObject({
      width: 5,
      height: 3,
      frames: 2,
      dtype: "float32",
      timeSource: "TDMS FPS",
      warnings: [],
    });
    expect([...movie.time_s!]).toEqual([0, 0.4]);
    expect(await frames(movie)).toEqual(ramp(30));
  }
});

test("a frame rate that is absent or 0 gives no times", async () => {
  expect(await openTdms(source(simple(ramp(15), sizes(5, 3))))).toMatchObject({ time_s: null, timeSource: "missing" });
  const still = await openTdms(source(simple(ramp(15), sizes(5, 3, 0))));
  expect(still).toMatchObject({ time_s: null, timeSource: "missing" });
  expect(still.warnings.join()).toMatch(/"Effective frame rate" is 0/);
});

test("a waveform's start is the movie's, in either order of bytes", async () => {
  for (const bigEndian of [false, true]) {
    const stamp = [BigInt(Date.UTC(2021, 3, 5, 6, 7, 8) - Date.UTC(1904)) / 1000n, 1n << 63n] as const;
    const bytes = buildTdms([
      {
        newList: true,
        bigEndian,
        objects: [
          {
            path: camera,
            index: { type: tdmsType.u16, perChunk: 15 },
            properties: { ...sizes(5, 3), wf_start_time: { stamp } },
          },
        ],
        raw: sampleBytes(tdmsType.u16, ramp(15), bigEndian),
      },
    ]);
    const movie = await openTdms(source(bytes));
    expect(movie.start).toBe("2021-04-05T06:07:08.500Z");
    expect(await frames(movie)).toEqual(ramp(15));
  }
});

/** A movie of random frames, laid out over segments as a writer may do it. */
const layout = record({
  kind: constantFrom(...kinds),
  width: integer({ min: 1, max: 5 }),
  height: integer({ min: 1, max: 4 }),
  neighbour: constantFrom("none", "before", "after", "text"),
  segments: array(
    record({
      perChunk: integer({ min: 1, max: 23 }),
      chunks: integer({ min: 1, max: 4 }),
      interleaved: boolean(),
      bigEndian: boolean(),
      metadata: constantFrom("full", "none", "same", "camera"),
    }),
    { minLength: 1, maxLength: 6 },
  ),
  seed: integer({ min: 1, max: 1000 }),
});

type Layout = typeof layout extends Arbitrary<infer T> ? T : never;

function lay(spec: Layout): { bytes: Uint8Array; truth: number[]; ends: { at: number; samples: number }[] } {
  const { kind, neighbour, seed } = spec;
  const type = kind[1];
  const truth: number[] = [];
  const parts: Uint8Array[] = [];
  const ends: { at: number; samples: number }[] = [];
  let last = { perChunk: 0, beside: 0 };
  let length = 0;
  for (const [number, part] of spec.segments.entries()) {
    const known = number > 0 && part.metadata !== "full";
    // A text's bytes in a chunk are part of its index: a new length needs a new index.
    const metadata = neighbour === "text" && part.metadata === "camera" ? "full" : part.metadata;
    const perChunk = known && metadata !== "camera" ? last.perChunk : part.perChunk;
    const alike = !known || metadata === "camera" || last.beside === last.perChunk;
    const interleaved = part.interleaved && neighbour !== "text" && (alike || neighbour === "none");
    const bigEndian = part.bigEndian && neighbour !== "text";
    const texts = textBytes(["ab", "", "c"]);
    // Channels of one segment have one length where they are interleaved.
    const beside = !known ? perChunk : metadata === "camera" && interleaved ? perChunk : last.beside;
    const index = { type, perChunk };
    const other = { path: ["log", "U"], index: { type: tdmsType.f64, perChunk: beside } };
    const raws: Uint8Array[] = [];
    for (let chunk = 0; chunk < part.chunks; chunk++) {
      const values = Array.from({ length: perChunk }, (_, at) => ((truth.length + at) * 31 + seed) % 120);
      truth.push(...values);
      const own = sampleBytes(type, values, bigEndian);
      const log = sampleBytes(
        tdmsType.f64,
        values
          .map((value) => -value)
          .concat(Array.from({ length: beside }, () => 0))
          .slice(0, beside),
        bigEndian,
      );
      if (neighbour === "none") raws.push(own);
      else if (neighbour === "text") raws.push(texts, own);
      else if (!interleaved) raws.push(...(neighbour === "before" ? [log, own] : [own, log]));
      else {
        const size = own.length / perChunk;
        for (let at = 0; at < perChunk; at++) {
          const [a, b] = [own.subarray(size * at, size * at + size), log.subarray(8 * at, 8 * at + 8)];
          raws.push(...(neighbour === "before" ? [b, a] : [a, b]));
        }
      }
    }
    const cameraSpec = {
      path: camera,
      index: known && metadata === "same" ? ("same" as const) : index,
      properties: number === 0 ? sizes(spec.width, spec.height) : {},
    };
    const beyond =
      neighbour === "text"
        ? [
            {
              path: ["log", "note"],
              index: known && metadata === "same" ? ("same" as const) : { type: tdmsType.text, perChunk: 3 },
            },
          ]
        : [known && metadata === "same" ? { ...other, index: "same" as const } : other];
    const both =
      neighbour === "none" ? [cameraSpec] : neighbour === "after" ? [cameraSpec, ...beyond] : [...beyond, cameraSpec];
    const alone = beside === last.beside ? [cameraSpec] : both;
    const segment: SegmentSpec = {
      ...(known && metadata === "none" ? {} : { objects: known && metadata === "camera" ? alone : both }),
      newList: !known || metadata === "same",
      interleaved,
      bigEndian,
      raw: joined(raws),
    };
    // The builder takes the length of texts from raw: one chunk's.
    const built = neighbour === "text" ? textSegment(segment, texts.length) : buildTdms([segment]);
    parts.push(built);
    length += built.length;
    ends.push({ at: length, samples: truth.length });
    last = { perChunk, beside };
  }
  return { bytes: joined(parts), truth, ends };
}

function textSegment(segment: SegmentSpec, bytes: number): Uint8Array {
  const built = buildTdms([segment]);
  const view = new DataView(built.buffer, built.byteOffset);
  // Where the index of texts stands, its total length is set to that of one chunk.
  for (let at = 28; at + 28 <= built.length; at++) {
    if (
      view.getUint32(at, true) === 28 &&
      view.getUint32(at + 4, true) === tdmsType.text &&
      view.getUint32(at + 8, true) === 1
    ) {
      view.setBigUint64(at + 20, BigInt(bytes), true);
      break;
    }
  }
  return built;
}

test("frames are the same however their samples are spread over chunks, segments, neighbours and byte orders", async () => {
  await assert(
    asyncProperty(layout, async (spec) => {
      const { bytes, truth } = lay(spec);
      const frameSamples = spec.width * spec.height;
      const whole = Math.floor(truth.length / frameSamples);
      if (whole === 0) {
        await expect(openTdms(source(bytes))).rejects.toThrow(/a frame of .* has/);
        return;
      }
      const movie = await openTdms(source(bytes));
      expect(movie).toMatchObject({ width: spec.width, height: spec.height, frames: whole, dtype: spec.kind[0] });
      expect(await frames(movie)).toEqual(truth.slice(0, whole * frameSamples));
      expect(movie.warnings.some((warning) => /samples into a frame/.test(warning))).toBe(
        truth.length % frameSamples > 0,
      );
    }),
    { numRuns: 120 },
  );
});

test("a file that is cut anywhere is used up to the cut", async () => {
  await assert(
    asyncProperty(layout, double({ min: 0, max: 1, noNaN: true }), async (spec, share) => {
      const { bytes, truth, ends } = lay(spec);
      const at = Math.floor(share * bytes.length);
      const frameSamples = spec.width * spec.height;
      const sure = ends.filter((end) => end.at <= at).at(-1)?.samples ?? 0;
      const movie = await openTdms(source(bytes.subarray(0, at))).catch((error: unknown) => {
        expect(error).toBeInstanceOf(FormatError);
        return null;
      });
      if (movie === null) {
        expect(sure).toBeLessThan(frameSamples);
        return;
      }
      expect(movie.frames).toBeGreaterThanOrEqual(Math.floor(sure / frameSamples));
      expect(await frames(movie)).toEqual(truth.slice(0, movie.frames * frameSamples));
      if (!ends.some((end) => end.at === at) && at < bytes.length)
        expect(movie.warnings.join()).toMatch(/cut off|not closed/);
    }),
    { numRuns: 120 },
  );
});

test("a segment that was never closed holds what the file holds of it", async () => {
  const values = ramp(40);
  const bytes = buildTdms([
    {
      newList: true,
      objects: [{ path: camera, index: { type: tdmsType.u16, perChunk: 1000 }, properties: sizes(5, 3) }],
      raw: sampleBytes(tdmsType.u16, values),
      open: true,
    },
  ]);
  const movie = await openTdms(source(bytes));
  expect(movie.frames).toBe(2);
  expect(movie.warnings.join("\n")).toMatch(/was not closed/);
  expect(movie.warnings.join("\n")).toMatch(/10 samples into a frame of 15/);
  expect(await frames(movie)).toEqual(values.slice(0, 30));
});

test("cameras of one size are channels, one of another is left out by name", async () => {
  const of = (name: string, width: number, values: number[]): [SegmentSpec, number[]] => [
    {
      newList: true,
      objects: [
        { path: ["img", name], index: { type: tdmsType.u8, perChunk: values.length }, properties: sizes(width, 3, 10) },
      ],
      raw: sampleBytes(tdmsType.u8, values),
    },
    values,
  ];
  const [one] = of("cam1", 2, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  const [two] = of("cam2", 2, [20, 21, 22, 23, 24, 25]);
  const [odd] = of("thumb", 1, [9, 9, 9]);
  const movie = await openTdms(source(buildTdms([one, two, odd])));
  expect(movie).toMatchObject({ frames: 3, channelNames: ["cam1", "cam2"] });
  expect(movie.planes!.map(({ channel, time }) => [channel, time])).toEqual([
    [0, 0],
    [1, 0],
    [0, 1],
  ]);
  expect([...movie.time_s!]).toEqual([0, 0, 0.1]);
  expect(await frame(movie, 1)).toEqual([20, 21, 22, 23, 24, 25]);
  expect(movie.warnings.join("\n")).toMatch(/"thumb".*left out/);
  expect(movie.warnings.join("\n")).toMatch(/--channel/);
});

test("samples that cannot be shown are refused by name", async () => {
  const refused = async (index: "daqmx" | { type: number; perChunk: number }, words: RegExp): Promise<void> => {
    const bytes = buildTdms([
      {
        newList: true,
        daqmx: index === "daqmx",
        objects: [{ path: camera, index, properties: sizes(2, 2) }],
        raw: new Uint8Array(index === "daqmx" || index.type === tdmsType.i64 ? 32 : 4),
      },
    ]);
    expect(await isMovie(bytes)).toBe(true);
    await expect(openTdms(source(bytes))).rejects.toThrow(words);
    await expect(openTdms(source(bytes))).rejects.toBeInstanceOf(FormatError);
  };
  await refused("daqmx", /cell\.tdms: channel "cam1" of group "img" holds raw samples of a DAQmx device/);
  await refused({ type: tdmsType.i64, perChunk: 4 }, /64-bit integers/);
  await refused({ type: tdmsType.u16, perChunk: 2 }, /holds 2 samples, a frame of 2 x 2 px has 4/);
});

test("a file without images is told by its groups and channels", async () => {
  const bytes = buildTdms([
    {
      newList: true,
      objects: [
        { path: [], properties: { Operator: "N. N." } },
        { path: ["it's a log"] },
        {
          path: ["it's a log", "Voltage"],
          index: { type: tdmsType.f64, perChunk: 2 },
          properties: { unit_string: "V" },
        },
        { path: ["it's a log", "note"], index: { type: tdmsType.u8, perChunk: 1 } },
      ],
      raw: joined([sampleBytes(tdmsType.f64, [3.9, 4]), sampleBytes(tdmsType.u8, [1])]),
    },
  ]);
  expect(await isMovie(bytes)).toBe(false);
  const other = await readTdmsOther(source(bytes));
  expect(other).toMatchObject({ format: "tdms", rows: 2, columns: ["Voltage", "note"] });
  expect(other.description).toMatch(/group "it's a log" with "Voltage" \(2 values\), "note" \(1 value\)/);
  expect(other.warnings.join()).toMatch(/"Voltage" \(2 values\) is named or scaled like/);
  expect(JSON.stringify(other)).not.toContain("N. N.");
});

test("a frame in one piece is one read, and as many segments as frames are no burden", async () => {
  const count = 20_000;
  const first: SegmentSpec = {
    newList: true,
    objects: [{ path: camera, index: { type: tdmsType.u16, perChunk: 4 }, properties: sizes(2, 2) }],
    raw: sampleBytes(tdmsType.u16, [0, 0, 0, 0]),
  };
  const next = buildTdms([{ raw: sampleBytes(tdmsType.u16, [1, 2, 3, 4]) }]);
  const bytes = joined([buildTdms([first]), ...Array.from({ length: count - 1 }, () => next)]);
  let reads = 0;
  const held = memorySource("cell.tdms", bytes);
  const counted: ByteSource = {
    ...held,
    read: (offset, into) => {
      reads++;
      return held.read(offset, into);
    },
  };
  const begin = process.cpuUsage();
  const movie = await openTdms(counted);
  // The computing alone: what the machine does beside is not measured.
  expect(process.cpuUsage(begin).user / 1000).toBeLessThan(2000);
  expect(movie.frames).toBe(count);
  reads = 0;
  expect(await frame(movie, count - 1)).toEqual([1, 2, 3, 4]);
  expect(reads).toBe(1);
});

test("damage gives a movie, other words or a refusal, never more", async () => {
  await assert(
    asyncProperty(
      layout,
      array(tuple(nat(), constantFrom(0, 1, 2, 4, 0x7f, 0x80, 0xff), boolean()), {
        minLength: 1,
        maxLength: 6,
      }),
      async (spec, changes) => {
        const bytes = lay(spec).bytes.slice();
        for (const [at, value, flip] of changes) {
          const place = at % bytes.length;
          bytes[place] = flip ? bytes[place]! ^ (1 << (value % 8)) : value;
        }
        try {
          if (await isMovie(bytes)) {
            const movie = await openTdms(source(bytes));
            if (movie.width * movie.height < 1e6) await frame(movie, movie.frames - 1);
          } else await readTdmsOther(source(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
          expect((error as FormatError).message).not.toMatch(/\n/);
        }
      },
    ),
    { numRuns: 700 },
  );
});

test("claims of size are refused before anything is held for them", async () => {
  const huge = (perChunk: number, width: number): Uint8Array =>
    buildTdms([
      {
        newList: true,
        objects: [{ path: camera, index: { type: tdmsType.f64, perChunk }, properties: sizes(width, 1 << 20) }],
        raw: new Uint8Array(64),
      },
    ]);
  await expect(openTdms(source(huge(8, 1 << 20)))).rejects.toThrow(/more than any camera/);
  await expect(openTdms(source(huge(2 ** 52, 4)))).rejects.toBeInstanceOf(FormatError);
  const many = buildTdms([{ objects: [], raw: new Uint8Array(8) }]);
  new DataView(many.buffer).setUint32(28, 0xfffffff0, true);
  await expect(readTdmsOther(source(many))).rejects.toThrow(/claims 4294967280 objects/);
});

test.skipIf(dataFolder === null)("real files hold the channels that an independent reader finds", async () => {
  const expected: Record<string, [number, string[]]> = {
    "AdditionalProperties.tdms": [321, ["Freq (Hz)", "Uo (V AC)", "Ur (V AC)", "Re (Ohms)"]],
    "PropertyRewritten.tdms": [321, ["Freq (Hz)", "Uo (V AC)", "Ur (V AC)", "Re (Ohms)"]],
    "IncrementalMetaInformation.tdms": [6, ["channel1", "channel2"]],
  };
  for (const [name, [rows, columns]] of Object.entries(expected)) {
    const bytes = new Uint8Array(await readFile(path.join(dataFolder!, "images", "tdms", name)));
    expect(await isMovie(bytes)).toBe(false);
    expect(await readTdmsOther(source(bytes, name))).toMatchObject({ rows, columns });
  }
});
