/** HDF5: stacks, the operando recording's clock and rows, tables with names, offsets past 4 GiB, cuts and damage. */
import path from "node:path";
import { array, assert, asyncProperty, constantFrom, nat, record as recordOf, tuple } from "fast-check";
import { describe, expect, test } from "vitest";
import { memorySource, type ByteSource } from "../src/io/bytes.js";
import { openFile } from "../src/io/bytes.node.js";
import { openHdf5 } from "../src/io/hdf5.js";
import { readHdf5Cycling } from "../src/io/hdf5-cycling.js";
import { holdsHdf5Movie, openHdf5Movie } from "../src/io/hdf5-movie.js";
import { openAny, openMovie, readCycling } from "../src/io/open.js";
import { frameBuffer } from "../src/io/views.js";
import { isCycling } from "../src/io/cycling.js";
import { FormatError, isIonoscopeError, ParameterError } from "../src/model/errors.js";
import type { Dataset, File } from "h5wasm";
import type { CyclingFile } from "../src/model/cycling.js";
import type { MovieFile } from "../src/model/movie.js";
import { dataFolder } from "./data-folder.js";
import { fillOperando, hdf5Bytes, lzfInstead, ramp } from "./hdf5-builder.js";

const rows = { potentiostatRows: ["time_s", "potential_V", "current_mA"] };
/** What a movie says that has a record beside it. */
const holdsRecord =
  "it holds a potentiostat's record too: name the file once more with --cycling, and its rows with --potentiostat-rows.";

async function frame(movie: MovieFile, index: number): Promise<number[]> {
  const into = frameBuffer(movie);
  await movie.read(index, into);
  return Array.from(into);
}

async function refusal(work: Promise<unknown>): Promise<Error> {
  return work.then(
    () => new Error("nothing was refused"),
    (error: Error) => error,
  );
}

describe("the recording of an operando microscope", () => {
  test("is a movie whose times are the row of seconds, pauses kept, without a pixel size", async () => {
    for (const version of ["earliest", "latest"] as const) {
      const opened = await openAny(memorySource("a.h5", await hdf5Bytes(fillOperando, version)));
      if (opened.kind !== "movie") throw new Error(opened.kind);
      const { movie } = opened;
      expect([movie.format, movie.frames, movie.height, movie.width, movie.dtype]).toEqual([
        "hdf5",
        8,
        20,
        16,
        "uint16",
      ]);
      expect([movie.pixelSize_um, movie.frameStamp, movie.start]).toEqual([null, "unknown", null]);
      expect(Array.from(movie.time_s!)).toEqual([0, 10, 20, 30, 40, 180, 190, 200]);
      expect(movie.timeSource).toBe("/camera_timing row 1 (seconds)");
      expect(movie.warnings).toEqual([holdsRecord]);
      expect(await frame(movie, 7)).toEqual(Array.from(ramp(8, 20, 16).subarray(7 * 320)));
      await movie.close();
    }
  });

  test("packed, or in chunks of several frames, it gives the same samples in any order", async () => {
    for (const chunks of [
      [1, 20, 16],
      [3, 20, 16],
      [5, 7, 16],
    ]) {
      const bytes = await hdf5Bytes((file) => fillOperando(file, { chunks, compression: "gzip" }));
      const movie = await openMovie(memorySource("a.h5", bytes));
      for (const index of [7, 0, 3, 2, 7]) {
        expect(await frame(movie, index)).toEqual(Array.from(ramp(8, 20, 16).subarray(index * 320, (index + 1) * 320)));
      }
      await movie.close();
    }
  });

  test("packed by h5py's LZF it gives the same samples, also of chunks that LZF did not make smaller", async () => {
    for (const chunks of [
      [1, 20, 16],
      [3, 20, 16],
      [5, 7, 16],
    ]) {
      const bytes = await hdf5Bytes((file) => fillOperando(file, { chunks, compression: "gzip" }));
      for (const bare of [[], [1, 2]]) {
        const packed = lzfInstead(bytes, 3, bare);
        const movie = await openMovie(memorySource("a.h5", packed));
        for (const index of [7, 0, 3, 2, 7]) {
          const expected = ramp(8, 20, 16).subarray(index * 320, (index + 1) * 320);
          expect(await frame(movie, index)).toEqual(Array.from(expected));
        }
        expect([...movie.time_s!]).toEqual([0, 10, 20, 30, 40, 180, 190, 200]);
        await movie.close();
      }
    }
  });

  test("packed by LZF and damaged it is read or refused", async () => {
    const bytes = await hdf5Bytes((file) => fillOperando(file, { chunks: [1, 20, 16], compression: "gzip" }));
    const packed = lzfInstead(bytes, 3);
    for (let at = bytes.length; at < packed.length; at += 41) {
      const damaged = packed.slice();
      damaged[at]! ^= 0xff;
      try {
        const movie = await openMovie(memorySource("a.h5", damaged));
        for (let index = 0; index < movie.frames; index++) await frame(movie, index);
        await movie.close();
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError);
        expect((error as Error).message).toMatch(/LZF that is damaged/);
      }
    }
    const cut = await openMovie(memorySource("a.h5", packed.subarray(0, packed.length - 700)));
    expect(cut.warnings.join()).toMatch(/cut off/);
    expect(await frame(cut, cut.frames - 1)).toEqual(
      Array.from(ramp(8, 20, 16).subarray((cut.frames - 1) * 320, cut.frames * 320)),
    );
    await cut.close();
  });

  test.each([
    [
      "rows the other way round",
      [
        [0, 1, 2, 3],
        [1e16, 1e16 + 1e7, 1e16 + 2e7, 1e16 + 3e7],
      ],
      [0, 1, 2, 3],
      /row 0 \(seconds/,
      null,
    ],
    [
      "ticks alone",
      [
        [1e16, 1e16 + 1e7, 1e16 + 2e7, 1e16 + 4e7],
        [5, 1, 2, 0],
      ],
      [0, 1, 2, 4],
      /row 0 \(ticks/,
      null,
    ],
    [
      "no clock",
      [
        [3, 1, 2, 0],
        [5, 1, 2, 0],
      ],
      null,
      /missing/,
      /no row .* rises.*frame times are unknown/,
    ],
    [
      "a count of frames below the seconds",
      [
        [1e16, 1e16 + 1e8, 1e16 + 2e8, 1e16 + 4e8],
        [7, 17, 27, 47],
        [0, 1, 2, 3],
      ],
      [0, 10, 20, 40],
      /row 1 \(seconds/,
      null,
    ],
    ["more times than frames", [[1, 2, 3, 4, 5, 6]], [0, 1, 2, 3], /seconds/, /6 times for 4 frames: the first 4/],
    ["fewer times", [[1, 2, 3]], [0, 1, 2, NaN], /seconds/, /3 times for 4 frames: the last 1 have none/],
    ["an array that was not filled to its end", [[1, 2, 3, 0]], [0, 1, 2, NaN], /seconds/, /3 times for 4/],
    [
      "clocks that disagree",
      [
        [1e16, 1e16 + 1e7, 1e16 + 2e7, 1e16 + 9e9],
        [0, 1, 2, 3],
      ],
      [0, 1, 2, 3],
      /row 1/,
      /spans 900.* but row 1 spans 3/,
    ],
  ])("%s", async (_, timing, time_s, source, warning) => {
    const bytes = await hdf5Bytes((file) => {
      file.create_dataset({ name: "movie", data: ramp(4, 20, 16), shape: [4, 20, 16], dtype: "<H" });
      file.create_dataset({
        name: "camera_timing",
        data: Float64Array.from(timing.flat()),
        shape: [timing.length, timing[0]!.length],
      });
    });
    const movie = await openHdf5Movie(memorySource("a.h5", bytes));
    expect(movie.time_s === null ? null : Array.from(movie.time_s)).toEqual(time_s);
    expect(movie.timeSource).toMatch(source);
    if (warning === null) expect(movie.warnings).toEqual([]);
    else expect(movie.warnings.join(" ")).toMatch(warning);
    await movie.close();
  });

  test("its potentiostat's rows are read once they are named, and never guessed", async () => {
    const bytes = await hdf5Bytes(fillOperando);
    const asked = (await refusal(readCycling([memorySource("a.h5", bytes)]))) as ParameterError;
    expect(asked).toBeInstanceOf(ParameterError);
    expect(asked.parameter).toBe("potentiostatRows");
    expect(asked.message).toMatch(
      /--potentiostat-rows time_s,potential_V,current_mA .*row 0: 5 to 203, never falls.*row 2: -0.2 to 0.2/,
    );
    expect(asked.message).not.toContain("\n");

    const record = await readCycling([memorySource("a.h5", bytes)], rows);
    expect([record.format, record.start, record.time_s.length]).toEqual(["operando-hdf5", null, 100]);
    expect([record.time_s[1], record.potential_V[0], record.current_mA[99]]).toEqual([7, 3.6, -0.2]);
    expect(record.charge_mAh[49]).toBeCloseTo((0.2 * 98) / 3600, 12);
    expect(record.warnings.join(" ")).toMatch(
      /camera from 0 to 200 s; that both count from one moment is not in the file/,
    );

    const inAmperes = await readCycling([memorySource("a.h5", bytes)], {
      potentiostatRows: ["time_ms", "potential_V", "current_A"],
    });
    expect([inAmperes.time_s[1], inAmperes.current_mA[0]]).toEqual([0.007, 200]);
  });

  test.each([
    [["potential_V", "time_s", ""], /row 1 is no time, for it falls/],
    [["", "time_s", "potential_V"], /row 1 is no time/],
    [["time_s", "current_mA", "potential_V"], /look exchanged/],
    [["potential_V", "", "time_s"], /row 2 is no time/],
    [["time_s", "potential_V"], /names 2 rows .* the file has 3/],
    [["time_s", "", "current_mA"], /names no potential/],
    [["time_s", "potential_V", "colour"], /"colour" is no name of a row/],
    [["time_s", "potential_V", "potential_mV"], /"potential_mV" is no name of a row, or the second/],
  ])("what the numbers contradict is refused: %j", async (potentiostatRows, message) => {
    const source = memorySource("a.h5", await hdf5Bytes(fillOperando));
    const error = await refusal(readHdf5Cycling(source, { potentiostatRows }));
    expect(error).toBeInstanceOf(ParameterError);
    expect(error.message).toMatch(message);
  });
});

describe("any other HDF5 file", () => {
  const stack = (file: File, name: string): void =>
    void file.create_dataset({ name, data: ramp(2, 20, 16), shape: [2, 20, 16], dtype: "<H" });

  test("with one stack it is the movie, its path told; its pixel size is the attribute's", async () => {
    const bytes = await hdf5Bytes((file) => {
      file.create_group("entry");
      stack(file, "entry/data");
      (file.get("entry/data") as Dataset).create_attribute("element_size_um", Float64Array.from([1, 0.08, 0.08]));
      file.create_dataset({ name: "table", data: [1, 2, 3] });
    });
    const movie = await openMovie(memorySource("a.h5", bytes));
    expect(movie.warnings).toEqual(["/entry/data is taken as the movie, its axes as t, y, x."]);
    expect([movie.time_s, movie.timeSource, movie.frames]).toEqual([null, "missing", 2]);
    expect([movie.pixelSize_um, movie.pixelSizeSource]).toEqual([0.08, "element_size_um of /entry/data"]);
    await movie.close();
  });

  test("in a group with its clock beside it is a recording like one at the root", async () => {
    const bytes = await hdf5Bytes((file) => {
      file.create_group("run 1");
      stack(file, "run 1/movie");
      const clock = Float64Array.from([1.6e16, 1.6e16 + 5e7, 3, 8]);
      file.create_dataset({ name: "run 1/camera_timing", data: clock, shape: [2, 2] });
    });
    const movie = await openMovie(memorySource("a.h5", bytes));
    expect([...movie.time_s!]).toEqual([0, 5]);
    expect(movie.timeSource).toBe("/run 1/camera_timing row 1 (seconds)");
    expect(movie.warnings).toEqual([]);
    await movie.close();
  });

  test("whose last frames were never written ends before them, however small its frames", async () => {
    for (const chunks of [
      [1, 20, 16],
      [2, 20, 16],
    ]) {
      const bytes = await hdf5Bytes((file) => {
        const shape = [40, 20, 16];
        const data = ramp(40, 20, 16);
        file.create_dataset({ name: "movie", data, shape, dtype: "<H", chunks, maxshape: [null, 20, 16] });
        (file.get("movie") as Dataset).resize([60, 20, 16]);
      });
      const movie = await openMovie(memorySource("a.h5", bytes));
      expect(movie.frames).toBe(40);
      expect(movie.warnings.join()).toMatch(/20 of 60 frames are missing, the first 40 are used/);
      expect(await frame(movie, 39)).toEqual(Array.from(ramp(40, 20, 16).subarray(39 * 320)));
      await movie.close();
    }
  });

  test("of one frame that was cut inside it is refused", async () => {
    const bytes = await hdf5Bytes((file) => {
      file.create_dataset({ name: "movie", data: ramp(1, 20, 16), shape: [1, 20, 16], dtype: "<H" });
    });
    for (let missing = 1; missing < 600; missing += 37) {
      const source = memorySource("a.h5", bytes.subarray(0, bytes.length - missing));
      expect((await refusal(openMovie(source))).message).toMatch(/no frame of \/movie can be read/);
    }
  });

  test("with several the user names one", async () => {
    const bytes = await hdf5Bytes((file) => {
      stack(file, "a");
      stack(file, "b");
      file.create_dataset({ name: "line", data: [1, 2, 3] });
    });
    const error = (await refusal(openMovie(memorySource("a.h5", bytes)))) as ParameterError;
    expect([error.name, error.parameter]).toEqual(["ParameterError", "dataset"]);
    expect(error.message).toMatch(/2 stacks: \/a 2 x 20 x 16 uint16, \/b .*--dataset PATH/);
    const movie = await openMovie(memorySource("a.h5", bytes), { dataset: "b" });
    expect(movie.warnings[0]).toMatch(/^\/b /);
    await movie.close();
    for (const dataset of ["c", "/line"]) {
      expect(await refusal(openMovie(memorySource("a.h5", bytes), { dataset }))).toBeInstanceOf(ParameterError);
    }
  });

  test("every type of number is read, 64-bit integers as far as float64 is exact", async () => {
    for (const [dtype, data, as] of [
      ["<b", Int8Array.from({ length: 320 }, (_, at) => at - 128), "int8"],
      ["<i", Int32Array.from({ length: 320 }, (_, at) => 70_000 - at * 1000), "int32"],
      ["<f", Float32Array.from({ length: 320 }, (_, at) => at / 8), "float32"],
      ["<d", Float64Array.from({ length: 320 }, (_, at) => at / 7), "float64"],
      ["<Q", BigUint64Array.from({ length: 320 }, (_, at) => BigInt(at) * 10_000_000_000n), "float64"],
    ] as const) {
      const bytes = await hdf5Bytes((file) => void file.create_dataset({ name: "x", data, shape: [1, 20, 16], dtype }));
      const movie = await openMovie(memorySource("a.h5", bytes));
      expect(movie.dtype).toBe(as);
      expect(await frame(movie, 0)).toEqual(Array.from(data as ArrayLike<number | bigint>, Number));
      await movie.close();
    }
  });

  test("without stack or record it is something else, its datasets told", async () => {
    const bytes = await hdf5Bytes((file) => void file.create_dataset({ name: "line", data: [1, 2, 3] }));
    const opened = await openAny(memorySource("a.h5", bytes));
    expect(opened.kind).toBe("other");
    if (opened.kind === "other") expect(opened.other.description).toBe("an HDF5 file with /line 3 int32.");
    expect((await refusal(openMovie(memorySource("a.h5", bytes)))).message).toMatch(/no stack of images, only \/line/);
  });

  test("a table with names is a cycling record", async () => {
    const bytes = await hdf5Bytes((file) => {
      const columns = new Map<string, Float64Array>([
        ["Test Time (s)", Float64Array.from([0, 1, 2])],
        ["Voltage (V)", Float64Array.from([3, 3.1, 3.2])],
        ["Current (A)", Float64Array.from([0.001, 0.001, 0.001])],
      ]);
      file.create_dataset({ name: "cell", data: columns });
    });
    const record = (await readHdf5Cycling(memorySource("a.h5", bytes))) as CyclingFile;
    expect(record.format).toBe("pandas-hdf5");
    expect(Array.from(record.current_mA)).toEqual([1, 1, 1]);
    expect(Array.from(record.potential_V)).toEqual([3, 3.1, 3.2]);
  });

  test("a group that holds itself is looked at once", async () => {
    const bytes = await hdf5Bytes((file) => {
      file.create_group("g");
      stack(file, "g/x");
      file.create_hard_link("/", "g/up");
    });
    const movie = await openMovie(memorySource("a.h5", bytes));
    expect(movie.warnings[0]).toMatch(/^\/g\/(up\/g\/)?x is taken/);
    await movie.close();
  });
});

test("a file behind a user block, or one that cannot read at once, gives the same movie", async () => {
  const bytes = await hdf5Bytes(fillOperando);
  const behind = new Uint8Array(512 + bytes.length);
  behind.set(bytes, 512);
  const superblock = new DataView(behind.buffer, 512);
  superblock.setBigUint64(24, 512n, true);
  superblock.setBigUint64(40, BigInt(behind.length), true);
  const moved = await openMovie(memorySource("a.h5", behind));
  expect(moved.warnings).toEqual([holdsRecord]);
  expect((await frame(moved, 3))[1]).toBe(3001);
  await moved.close();
  const { readNow: _, ...slow } = memorySource("a.h5", bytes);
  const movie = await openMovie(slow);
  expect((await frame(movie, 3))[1]).toBe(3001);
  await movie.close();
  const large: ByteSource = { ...slow, size: 600 << 20 };
  expect((await refusal(openHdf5Movie(large))).message).toMatch(/600 MiB .*up to 512 MiB/);
});

test("frames that lie beyond 4 GiB are read where they lie", async () => {
  const bytes = await hdf5Bytes(
    (file) => void file.create_dataset({ name: "movie", data: ramp(8, 20, 16), shape: [8, 20, 16], dtype: "<H" }),
  );
  const view = new DataView(bytes.buffer);
  const first = new Uint8Array(ramp(8, 20, 16).buffer);
  const at = Buffer.from(bytes).indexOf(first);
  const beyond = 43 * 2 ** 30;
  // The message of the layout: version 3, in one piece, address and size. The superblock says where the file ends.
  const layout = Buffer.from(bytes).indexOf(
    Uint8Array.of(3, 1, ...new Uint8Array(BigUint64Array.of(BigInt(at)).buffer)),
  );
  view.setBigUint64(layout + 2, BigInt(beyond), true);
  const size = beyond + first.length;
  view.setBigUint64(40, BigInt(size), true);
  const reads: number[] = [];
  const readNow = (offset: number, into: Uint8Array): number => {
    reads.push(into.length);
    for (let index = 0; index < into.length; index++) {
      into[index] = (offset >= beyond ? first[offset - beyond + index] : bytes[offset + index]) ?? 0;
    }
    return Math.max(0, Math.min(into.length, size - offset));
  };
  const source: ByteSource = {
    name: "a.h5",
    size,
    read: async (offset, into) => readNow(offset, into),
    readNow,
    async close() {},
  };
  const movie = await openMovie(source);
  reads.length = 0;
  expect(await frame(movie, 5)).toEqual(Array.from(ramp(8, 20, 16).subarray(5 * 320, 6 * 320)));
  expect(reads.length).toBeLessThanOrEqual(2);
  expect(Math.max(...reads)).toBeLessThan(1 << 17);
  await movie.close();
});

test("a file that was cut is used up to the cut, wherever it was cut", async () => {
  const bytes = await hdf5Bytes(fillOperando);
  const whole = ramp(8, 20, 16);
  const told = { movies: 0, refused: 0 };
  for (let length = 0; length < bytes.length; length += 97) {
    const source = memorySource("a.h5", bytes.subarray(0, length));
    try {
      const movie = await openHdf5Movie(source);
      told.movies++;
      expect(movie.warnings.join(" ")).toContain(`${bytes.length - length} bytes are missing`);
      const last = movie.frames - 1;
      expect(await frame(movie, last)).toEqual(Array.from(whole.subarray(last * 320, (last + 1) * 320)));
      await movie.close();
    } catch (error) {
      expect(error).toBeInstanceOf(FormatError);
      told.refused++;
    }
  }
  expect(told.movies).toBeGreaterThan(10);
  expect(told.refused).toBeGreaterThan(10);
});

test("a damaged file is read or refused, never more", async () => {
  const fixtures = [
    await hdf5Bytes(fillOperando),
    await hdf5Bytes((file) => fillOperando(file, { chunks: [2, 20, 16], compression: "gzip" }), "latest"),
  ];
  const told = { read: 0, refused: 0 };
  const damage = recordOf({
    fixture: nat(fixtures.length - 1),
    changes: array(tuple(nat(4095), constantFrom(0, 1, 2, 127, 128, 255)), { minLength: 1, maxLength: 4 }),
  });
  await assert(
    asyncProperty(damage, async ({ fixture, changes }) => {
      const bytes = fixtures[fixture]!.slice();
      for (const [at, value] of changes) bytes[at] = value;
      for (const work of [
        async () => {
          const movie = await openHdf5Movie(memorySource("a.h5", bytes));
          try {
            await frame(movie, 0);
            await frame(movie, movie.frames - 1);
          } finally {
            await movie.close();
          }
        },
        async () => readHdf5Cycling(memorySource("a.h5", bytes), rows),
      ]) {
        try {
          await work();
          told.read++;
        } catch (error) {
          if (!isIonoscopeError(error)) throw error;
          expect(error.message).not.toMatch(/library failed|\n/);
          told.refused++;
        }
      }
    }),
    { numRuns: 200 },
  );
  expect(Math.min(told.read, told.refused)).toBeGreaterThan(20);
});

describe.skipIf(dataFolder === null)("real files", () => {
  const real = (...parts: string[]): Promise<ByteSource> => openFile(path.join(dataFolder!, ...parts));

  test("the recording packed from the common array has its pixels and times", async () => {
    const movie = await openMovie(await real("images", "derived_containers", "bf16_operando_layout.h5"));
    const same = await openMovie(await real("images", "derived_containers", "bf16_expected.npy"));
    expect(movie.frames).toBe(same.frames);
    for (let index = 0; index < movie.frames; index++)
      expect(await frame(movie, index)).toEqual(await frame(same, index));
    expect(Array.from(movie.time_s!)).toEqual(Array.from({ length: 16 }, (_, at) => at / 2));
    await Promise.all([movie.close(), same.close()]);
  });

  test("cut in half it gives the frames before the cut", async () => {
    const movie = await openMovie(await real("malformed", "truncated", "bf16_cut50.h5"));
    const same = await openMovie(await real("images", "derived_containers", "bf16_expected.npy"));
    expect(movie.warnings[0]).toMatch(/159841 bytes are missing at its end; 9 of 16 frames are missing/);
    for (let index = 0; index < movie.frames; index++)
      expect(await frame(movie, index)).toEqual(await frame(same, index));
    await Promise.all([movie.close(), same.close()]);
  });

  test("a cycler's log by its labelled columns", async () => {
    const record = await readCycling([await real("echem", "hdf5", "indigo_test_sample.h5")]);
    expect([record.format, record.time_s.length, record.cycles]).toEqual(["pandas-hdf5", 20_000, 84]);
    expect(Math.max(...record.potential_V)).toBeCloseTo(4.1583261, 6);
    expect(Math.min(...record.current_mA)).toBeCloseTo(-205_416.69, 1);
  });

  test.each(["array.h5", "compressed.h5", "empty.h5"])("%s is neither movie nor record", async (name) => {
    expect(await holdsHdf5Movie(await real("images", "hdf5", name))).toBe(false);
    const read = await readHdf5Cycling(await real("images", "hdf5", name));
    expect(isCycling(read)).toBe(false);
  });

  test("numbers with the highest byte first are read as they are", async () => {
    const file = await openHdf5(await real("images", "hdf5", "array.h5"));
    expect(Array.from(file.numbers(file.find("/bigendian")!))).toEqual([3, 2, 1]);
    file.close();
  });

  test("szip, scale-offset and gzip are unpacked to their known ranges", async () => {
    for (const [dataset, max] of [
      ["gzip", 0.9998681],
      ["gzip_shuffle", 0.9998681],
      ["szip", 0.9998681],
      ["scaleoffset", 0.9998915],
    ] as const) {
      const movie = await openMovie(await real("images", "hdf5", "compressed.h5"), { dataset });
      expect(Math.max(...(await frame(movie, 0)))).toBeCloseTo(max, 7);
      await movie.close();
    }
  });
});
