import * as fc from "fast-check";
import { expect, test } from "vitest";
import { buildArray, textBytes, type BuiltArray } from "../../test/zarr-builder.js";
import { FormatError } from "../model/errors.js";
import type { MovieFile } from "../model/movie.js";
import { memoryFolder, type FolderSource } from "./bytes.js";
import { frameBuffer } from "./views.js";
import { isZarrFolder, openZarr } from "./zarr.js";

const open = async (files: Record<string, Uint8Array>): Promise<MovieFile> => openZarr(memoryFolder("m.zarr", files));

async function samplesOf(movie: MovieFile): Promise<number[]> {
  const all: number[] = [];
  for (let frame = 0; frame < movie.frames; frame++) {
    const into = frameBuffer(movie);
    await movie.read(frame, into);
    all.push(...into);
  }
  return all;
}

const ramp = (length: number): number[] => Array.from({ length }, (_, at) => (7 * at) % 250);

const arrays: fc.Arbitrary<BuiltArray> = fc
  .record({
    version: fc.constantFrom(2 as const, 3 as const),
    shape: fc.tuple(fc.integer({ min: 2, max: 6 }), fc.integer({ min: 2, max: 9 }), fc.integer({ min: 2, max: 9 })),
    chunk: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 10 })),
    sharded: fc.boolean(),
    indexAtStart: fc.boolean(),
    type: fc.constantFrom("uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64", "bool"),
    packing: fc.constantFrom([], ["gzip"], ["zlib"], ["zstd"], ["blosc"], ["lz4"], ["zstd", "crc32c"], ["crc32c"]),
    order: fc.constantFrom("C" as const, "F" as const),
    littleEndian: fc.boolean(),
    separator: fc.constantFrom("/" as const, "." as const),
    keys: fc.constantFrom("default" as const, "v2" as const),
  })
  .map(({ sharded, shape, chunk, type, ...rest }) => ({
    ...rest,
    shape,
    chunk,
    type,
    packing: (rest.version === 2
      ? rest.packing.slice(0, 1).filter((kind) => kind !== "crc32c")
      : rest.packing) as never,
    ...(sharded && rest.version === 3 ? { shard: [2 * chunk[0], chunk[1], 3 * chunk[2]] } : {}),
    samples: ramp(shape[0] * shape[1] * shape[2]).map((value) =>
      type === "bool" ? value % 2 : type.startsWith("u") || type.startsWith("f") ? value : value - 125,
    ),
  }));

test("an array of either version is read the same, however it is cut, packed, ordered and named", async () => {
  await fc.assert(
    fc.asyncProperty(arrays, async (array) => {
      const movie = await open(await buildArray(array));
      expect([movie.frames, movie.height, movie.width]).toEqual(array.shape);
      expect(movie.dtype).toBe(array.type === "bool" ? "uint8" : array.type);
      expect(await samplesOf(movie)).toEqual(array.samples);
      expect(movie).toMatchObject({ format: "zarr", pixelSize_um: null, time_s: null, frameStamp: "unknown" });
    }),
    { numRuns: 150 },
  );
});

test("each chunk of several frames is unpacked once when frames are read one after another", async () => {
  const files = await buildArray({
    version: 3,
    shape: [12, 4, 4],
    chunk: [6, 4, 2],
    type: "uint16",
    samples: ramp(192),
    packing: ["zstd"],
  });
  let opened = 0;
  const folder = memoryFolder("m.zarr", files);
  const counted: FolderSource = {
    ...folder,
    open: (entry) => {
      if (entry.startsWith("c/")) opened++;
      return folder.open(entry);
    },
  };
  expect(await samplesOf(await openZarr(counted))).toEqual(ramp(192));
  expect(opened).toBe(4);
});

test("of chunks that are not packed no more than a frame is read", async () => {
  const files = await buildArray({
    version: 2,
    shape: [50, 8, 8],
    chunk: [50, 8, 8],
    type: "uint16",
    samples: ramp(3200),
  });
  let bytes = 0;
  const folder = memoryFolder("m.zarr", files);
  const counted: FolderSource = {
    ...folder,
    async open(entry) {
      const source = await folder.open(entry);
      if (!/^\d/.test(entry)) return source;
      return { ...source, read: (offset, into) => ((bytes += into.length), source.read(offset, into)) };
    },
  };
  const movie = await openZarr(counted);
  const into = frameBuffer(movie);
  await movie.read(37, into);
  expect([...into]).toEqual(ramp(3200).slice(37 * 64, 38 * 64));
  expect(bytes).toBe(128);
});

test("names of axes say which is which; else their number does", async () => {
  const shape = [2, 3, 4, 5];
  const array = { version: 3, shape, chunk: [1, 1, 4, 5], type: "uint8", samples: ramp(120) } as const;
  const named = await open(await buildArray({ ...array, names: ["time", "c", "y", "x"] }));
  expect(named).toMatchObject({ frames: 6, width: 5, height: 4 });
  expect(named.planes![4]).toEqual({ image: 0, channel: 1, slice: 0, time: 1 });
  expect(await samplesOf(named)).toEqual(array.samples);
  const turned = await open(
    await buildArray({ ...array, shape: [3, 2], chunk: [3, 2], names: ["x", "y"], samples: [1, 2, 3, 4, 5, 6] }),
  );
  expect([turned.width, turned.height]).toEqual([3, 2]);
  expect(await samplesOf(turned)).toEqual([1, 3, 5, 2, 4, 6]);
  const xarray = await buildArray({ ...array, version: 2, attributes: { _ARRAY_DIMENSIONS: ["c", "z", "y", "x"] } });
  expect((await open(xarray)).planes!.map(({ slice, channel }) => `${slice}${channel}`).join()).toBe(
    "00,01,10,11,20,21",
  );
  await expect(open(await buildArray(array))).rejects.toThrow(/shape is \[2,3,4,5\] and its axes are not named/);
  const squeezed = await open(await buildArray({ ...array, shape: [1, 6, 1, 4, 5], chunk: [1, 1, 1, 4, 5] }));
  expect(squeezed).toMatchObject({ frames: 6, width: 5, height: 4 });
  expect(squeezed.planes).toBeUndefined();
  expect(squeezed.warnings[0]).toMatch(/bare Zarr array.*\[1,6,1,4,5\] is taken as \(t, y, x\)/);
});

test("missing chunks are told, and read as the fill value", async () => {
  const array: BuiltArray = {
    version: 3,
    shape: [6, 4, 4],
    chunk: [1, 2, 4],
    type: "int16",
    samples: ramp(96),
    fill: -5,
    packing: ["gzip"],
  };
  for (const more of [{}, { shard: [2, 2, 4] }, { separator: "." as const }]) {
    const holes = await buildArray({ ...array, ...more, without: ([t, y]) => t === 3 || (t === 4 && y === 1) });
    const movie = await open(holes);
    expect(movie.warnings.join()).toMatch(
      /chunks of frames 3 to 4 of 6 are missing: they are read as the fill value -5/,
    );
    const wanted = ramp(96).map((value, at) => (at >= 48 && at < 64 ? -5 : at >= 72 && at < 80 ? -5 : value));
    expect(await samplesOf(movie)).toEqual(wanted);
  }
  const lower = await open(await buildArray({ ...array, without: ([, y]) => y === 1 }));
  expect(lower.warnings.join()).toMatch(/every frame lacks one of its 2 chunks/);
  const none = await open(await buildArray({ ...array, without: () => true }));
  expect(none.warnings.join()).toMatch(/not one of its chunks is there: every sample is read as the fill value -5/);
  expect(await samplesOf(none)).toEqual(Array(96).fill(-5));
  const whole = await open(await buildArray(array));
  expect(whole.warnings.length).toBe(1);
});

test("fill values are read in each of their spellings", async () => {
  for (const [type, fill, value] of [
    ["float32", "NaN", Number.NaN],
    ["float64", "-Infinity", -Infinity],
    ["float32", "0x3fc00000", 1.5],
    ["bool", true, 1],
    ["uint8", null, 0],
  ] as const) {
    for (const version of [2, 3] as const) {
      const array = { version, shape: [1, 1], chunk: [1, 1], type, fill, samples: [0], without: () => true };
      expect(await samplesOf(await open(await buildArray(array)))).toEqual([value]);
    }
  }
});

test("chunks in nested folders are found where version 2 leaves the separator open", async () => {
  const array = {
    version: 2,
    shape: [2, 2, 2],
    chunk: [1, 2, 2],
    type: "uint8",
    samples: ramp(8),
    separator: "/",
  } as const;
  const files = await buildArray(array);
  const meta = JSON.parse(new TextDecoder().decode(files[".zarray"])) as Record<string, unknown>;
  delete meta["dimension_separator"];
  const movie = await open({ ...files, ".zarray": textBytes(meta) });
  expect(await samplesOf(movie)).toEqual(ramp(8));
  expect(movie.warnings.join()).toMatch(/nested folders/);
});

test("a shard whose index is damaged, cut or points outside is named when the movie is opened", async () => {
  const array: BuiltArray = {
    version: 3,
    shape: [4, 4, 4],
    chunk: [1, 4, 4],
    shard: [2, 4, 4],
    type: "uint16",
    samples: ramp(64),
    packing: ["zstd"],
  };
  for (const indexAtStart of [false, true]) {
    const files = await buildArray({ ...array, indexAtStart });
    const shard = files["c/1/0/0"]!;
    const flipped = shard.slice();
    flipped[indexAtStart ? 3 : shard.length - 7]! ^= 64;
    await expect(open({ ...files, "c/1/0/0": flipped })).rejects.toThrow(/index of shard c\/1\/0\/0 .*CRC-32C/);
    await expect(open({ ...files, "c/1/0/0": shard.subarray(0, 20) })).rejects.toThrow(/holds 20 bytes, its index/);
  }
});

test("a damaged or cut chunk is named when it is read, and the others are read", async () => {
  const array = { version: 3, shape: [3, 4, 4], chunk: [1, 4, 4], type: "uint16", samples: ramp(48) } as const;
  for (const packing of [[], ["zstd"], ["gzip"], ["blosc"], ["crc32c"]] as const) {
    const files = await buildArray({ ...array, packing });
    const cut = await open({ ...files, "c/1/0/0": files["c/1/0/0"]!.subarray(0, -3) });
    const into = frameBuffer(cut);
    await expect(cut.read(1, into)).rejects.toThrow(/^m\.zarr: chunk c\/1\/0\/0 /);
    await expect(cut.read(1, into)).rejects.toThrow(FormatError);
    await cut.read(2, into);
    expect([...into]).toEqual(ramp(48).slice(32));
  }
});

test("what is not read is named, with a cure", async () => {
  const files = await buildArray({ version: 3, shape: [2, 4, 4], chunk: [1, 4, 4], type: "uint8", samples: ramp(32) });
  const three = JSON.parse(new TextDecoder().decode(files["zarr.json"])) as Record<string, unknown>;
  const old = await buildArray({ version: 2, shape: [2, 4, 4], chunk: [1, 4, 4], type: "uint8", samples: ramp(32) });
  const two = JSON.parse(new TextDecoder().decode(old[".zarray"])) as Record<string, unknown>;
  const bytes = { name: "bytes", configuration: { endian: "little" } };
  const cases: [Record<string, unknown>, RegExp][] = [
    [{ ...three, data_type: "int64" }, /zarr\.json: its samples are "int64"; .*uint16 or float32/],
    [{ ...three, data_type: { name: "numpy.datetime64" } }, /samples are \{"name":"numpy\.datetime64"\}/],
    [{ ...three, codecs: [bytes, { name: "zfp" }] }, /codec "zfp" is not read; gzip, zlib, zstd/],
    [{ ...three, codecs: [{ name: "delta" }, bytes] }, /codec "delta" is not read before/],
    [{ ...three, codecs: [] }, /none of them turns samples into bytes/],
    [{ ...three, chunk_grid: { name: "rectilinear" } }, /chunk grid is "rectilinear"/],
    [{ ...three, shape: [2, -4, 4] }, /shape is \[2,-4,4\]/],
    [{ ...three, shape: [2, 4] }, /shape is \[2,4\] but its chunks are \[1,4,4\]/],
    [{ ...three, zarr_format: 4 }, /zarr_format is 4, not 3/],
    [{ ...three, storage_transformers: [{ name: "x" }] }, /storage transformer "x"/],
    [{ ...two, dtype: "<i8" }, /\.zarray: its samples are "<i8"/],
    [{ ...two, dtype: [["a", "<f4"]] }, /samples are \[\["a"/],
    [{ ...two, filters: [{ id: "delta" }] }, /filter "delta", which is not read/],
    [{ ...two, compressor: { id: "bz2" } }, /codec "bz2" is not read/],
    [{ ...two, chunks: [1, 70_000, 70_000], shape: [1, 70_000, 70_000] }, /its frames are 70000 x 70000 px of uint8/],
    [{ ...two, chunks: [9999, 999, 99], compressor: { id: "zlib" } }, /its chunks .* are 988911099 bytes/],
    [{ ...two, chunks: [1, 1, 1], shape: [1, 30_000, 30_000] }, /its frames lie in 900000000 chunks each/],
    [{ ...two, chunks: [1, 4, 4], shape: [2_000_000_000, 4, 4] }, /larger than any movie/],
  ];
  for (const [meta, words] of cases) {
    const name = meta["zarr_format"] === 2 ? ".zarray" : "zarr.json";
    await expect(open({ [name]: textBytes(meta) })).rejects.toThrow(words);
    await expect(open({ [name]: textBytes(meta) })).rejects.toThrow(FormatError);
  }
  await expect(open({ "zarr.json": textBytes("{ not json") })).rejects.toThrow(/zarr\.json: it is no JSON object/);
});

test("a group that is no image names its arrays; folders without metadata are none of Zarr", async () => {
  const array = await buildArray(
    { version: 2, shape: [2, 2], chunk: [2, 2], type: "uint8", samples: ramp(4) },
    "movie",
  );
  await expect(open({ ".zgroup": textBytes({ zarr_format: 2 }), ...array })).rejects.toThrow(
    /group without multiscales.*Name one of its arrays: m\.zarr\/movie\./,
  );
  await expect(open({ ".zgroup": textBytes({ zarr_format: 2 }) })).rejects.toThrow(/Name the folder of an OME-Zarr/);
  expect(await isZarrFolder(memoryFolder("m", { "0.0": new Uint8Array(4) }))).toBe(false);
  expect(await isZarrFolder(memoryFolder("m", { ".zattrs": textBytes({}) }))).toBe(true);
});

test("bytes changed and files cut or left out give a movie or a sentence, and never a hang", async () => {
  const base = { shape: [4, 6, 6], chunk: [2, 3, 6], type: "uint16", samples: ramp(144) } as const;
  const kinds = [
    await buildArray({ ...base, version: 2, packing: ["blosc"] }),
    await buildArray({ ...base, version: 3, packing: ["zstd"], shard: [4, 6, 6] }),
    await buildArray({ ...base, version: 3, packing: ["gzip"] }),
  ];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...kinds),
      fc.array(fc.tuple(fc.nat(), fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 5 }),
      fc.nat(),
      async (files, changes, cut) => {
        const names = Object.keys(files);
        const broken = Object.fromEntries(names.map((name) => [name, files[name]!.slice()]));
        for (const [file, at, value] of changes) {
          const bytes = broken[names[file % names.length]!]!;
          bytes[at % bytes.length] = value;
        }
        const name = names[cut % names.length]!;
        if (cut % 3 === 0) broken[name] = broken[name]!.subarray(0, cut % (broken[name]!.length + 1));
        if (cut % 7 === 0) delete broken[name];
        const start = performance.now();
        try {
          const movie = await open(broken);
          for (const frame of [0, movie.frames - 1]) await movie.read(frame, frameBuffer(movie));
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
          expect((error as FormatError).message).not.toMatch(/\n/);
        }
        expect(performance.now() - start).toBeLessThan(1000);
      },
    ),
    { numRuns: 400 },
  );
});

test("a movie in one large chunk that is not packed is read frame by frame", async () => {
  const frames = 3000;
  const meta = { zarr_format: 2, shape: [frames, 512, 512], chunks: [frames, 512, 512], dtype: ">u2", order: "C" };
  const more = { compressor: null, filters: null, fill_value: 0, dimension_separator: "." };
  const folder = memoryFolder("m.zarr", { ".zarray": textBytes({ ...meta, ...more }), "0.0.0": new Uint8Array(1) });
  const large: FolderSource = {
    ...folder,
    async open(entry) {
      const source = await folder.open(entry);
      if (entry !== "0.0.0") return source;
      // 1.5 GB, of which every byte tells the frame that it lies in.
      const read = async (offset: number, into: Uint8Array): Promise<number> => {
        into.fill(Math.floor(offset / 524_288) & 255);
        return into.length;
      };
      return { ...source, size: frames * 524_288, read };
    },
  };
  const movie = await openZarr(large);
  const into = frameBuffer(movie);
  await movie.read(2999, into);
  expect([into[0], into.at(-1)]).toEqual([0xb7b7, 0xb7b7]);
});

test("a fill value in quotes is the number that it says", async () => {
  const meta = { zarr_format: 2, shape: [2, 2, 2], chunks: [1, 2, 2], dtype: "|i1", order: "C" };
  const more = { compressor: null, filters: [], fill_value: "-3", dimension_separator: "." };
  const folder = memoryFolder("m.zarr", {
    ".zarray": textBytes({ ...meta, ...more }),
    "0.0.0": new Uint8Array([1, 2]),
  });
  const movie = await openZarr(folder);
  const into = frameBuffer(movie);
  await movie.read(1, into);
  expect([...into]).toEqual([-3, -3, -3, -3]);
});
