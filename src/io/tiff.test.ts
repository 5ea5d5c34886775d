import * as fc from "fast-check";
import { expect, test } from "vitest";
import { buildTiff, samplesFor, tiffSource, type FileSpec, type PageSpec } from "../../test/tiff-builder.js";
import { FormatError } from "../model/errors.js";
import type { MovieFile, Samples } from "../model/movie.js";
import { memorySource } from "./bytes.js";
import { openTiff } from "./tiff.js";

async function readFrame(movie: MovieFile, index: number): Promise<number[]> {
  const into = emptyFrame(movie);
  await movie.read(index, into);
  return [...into];
}

function emptyFrame({ dtype, width, height, samplesPerPixel = 1 }: MovieFile): Samples {
  const format = dtype.startsWith("float") ? 3 : dtype.startsWith("int") ? 2 : 1;
  return samplesFor(Number(/\d+$/.exec(dtype)![0]), format, width * height * samplesPerPixel);
}

function grey(samples: readonly number[], width: number, more: Partial<PageSpec> = {}): PageSpec {
  return { width, height: samples.length / width, samples, bits: 8, ...more };
}

const kinds = [
  { bits: 8, format: 1, dtype: "uint8" },
  { bits: 8, format: 2, dtype: "int8" },
  { bits: 16, format: 1, dtype: "uint16" },
  { bits: 16, format: 2, dtype: "int16" },
  { bits: 32, format: 1, dtype: "uint32" },
  { bits: 32, format: 2, dtype: "int32" },
  { bits: 32, format: 3, dtype: "float32" },
  { bits: 64, format: 3, dtype: "float64" },
  { bits: 16, format: 3, dtype: "float32" },
  { bits: 10, format: 2, dtype: "int16" },
  { bits: 12, format: 2, dtype: "int16" },
  { bits: 14, format: 2, dtype: "int16" },
  { bits: 24, format: 1, dtype: "uint32" },
  { bits: 2, format: 1, dtype: "uint8" },
  { bits: 1, format: 1, dtype: "uint8" },
  { bits: 4, format: 1, dtype: "uint8" },
  { bits: 10, format: 1, dtype: "uint16" },
  { bits: 12, format: 1, dtype: "uint16" },
  { bits: 14, format: 1, dtype: "uint16" },
] as const;

/** A float that fits in its width. */
function fractionOf(bits: number, value: number): number {
  return bits === 16 ? Math.round(value * 2000) / 4 : value * 1e4;
}

const anyStack = fc
  .record({
    kind: fc.constantFrom(...kinds),
    width: fc.integer({ min: 1, max: 19 }),
    height: fc.integer({ min: 1, max: 13 }),
    frames: fc.integer({ min: 1, max: 4 }),
    littleEndian: fc.boolean(),
    big: fc.boolean(),
    directoriesLast: fc.boolean(),
    rowsPerStrip: fc.integer({ min: 1, max: 20 }),
    tile: fc.option(fc.tuple(fc.constantFrom(16, 32), fc.constantFrom(16, 32)), { nil: undefined }),
    compression: fc.constantFrom(1 as const, 5 as const, 8 as const, 32773 as const, 32946 as const, 50000 as const),
    oldLzw: fc.boolean(),
    predictor: fc.constantFrom(1 as const, 2 as const, 3 as const),
    channels: fc.constantFrom(1, 1, 1, 3),
    separate: fc.boolean(),
    fillOrder: fc.constantFrom(1 as const, 2 as const),
    seed: fc.integer(),
  })
  .map((chosen) => {
    const { kind, width, height, frames, seed } = chosen;
    let state = seed >>> 0;
    const next = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
    const { channels } = chosen;
    const pixels = Array.from({ length: frames }, () => {
      const data = samplesFor(kind.bits, kind.format, width * height * channels);
      const top = 2 ** kind.bits;
      for (let at = 0; at < data.length; at++) {
        data[at] =
          kind.format === 3
            ? fractionOf(kind.bits, next() - 0.5)
            : Math.floor(next() * top) - (kind.format === 2 ? top / 2 : 0);
      }
      return data;
    });
    // Predictor 2 is for whole bytes, 3 for floats; bare pixels have none.
    const fits = chosen.predictor === 2 ? [8, 16, 32, 64].includes(kind.bits) : kind.format === 3;
    const predictor = fits && chosen.compression !== 1 ? chosen.predictor : 1;
    const pages = pixels.map((samples): PageSpec => {
      return {
        ...kind,
        width,
        height,
        samples,
        rowsPerStrip: chosen.rowsPerStrip,
        ...(chosen.tile === undefined ? {} : { tile: chosen.tile }),
        compression: chosen.compression,
        predictor,
        oldLzw: chosen.oldLzw && chosen.fillOrder === 1,
        ...(channels > 1 ? { samplesPerPixel: channels, photometric: 2, separate: chosen.separate } : {}),
        fillOrder: chosen.fillOrder,
      };
    });
    const { littleEndian, big, directoriesLast } = chosen;
    return { spec: { pages, littleEndian, big, directoriesLast }, pixels, dtype: kind.dtype };
  });

test("whatever the type, byte order, strips, tiles, compression and predictor, the pixels come back", async () => {
  await fc.assert(
    fc.asyncProperty(anyStack, async ({ spec, pixels, dtype }) => {
      const movie = await openTiff(tiffSource(spec));
      expect(movie).toMatchObject({ dtype, frames: pixels.length, width: spec.pages[0]!.width });
      if (spec.pages[0]!.samplesPerPixel === undefined) expect(movie.warnings).toEqual([]);
      for (const [index, samples] of pixels.entries()) expect(await readFrame(movie, index)).toEqual([...samples]);
    }),
    { numRuns: 180 },
  );
});

test("a file cut at any byte gives the frames before the cut and says so, or is refused", async () => {
  const first = { bits: 16, rowsPerStrip: 2 } as const;
  const pages = [1, 2, 3].map((n) => grey([n, 0, 7, n * 9, 5, 6, 11, n], 2, first));
  for (const [order, littleEndian] of [true, false].entries()) {
    const whole = buildTiff({ pages, littleEndian, big: order === 1 });
    for (let size = 0; size < whole.length; size++) {
      const source = memorySource("cut.tif", whole.subarray(0, size));
      let movie: MovieFile;
      try {
        movie = await openTiff(source);
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError);
        continue;
      }
      expect(movie.frames).toBeLessThan(3);
      expect(movie.warnings.join()).toMatch(/cut off: at least \d frames? (is|are) missing/);
      for (let index = 0; index < movie.frames; index++) {
        expect(await readFrame(movie, index)).toEqual([...(pages[index]!.samples as number[])]);
      }
    }
  }
});

test("whatever bytes are damaged, the file is read or refused, never more", async () => {
  await fc.assert(
    fc.asyncProperty(
      anyStack,
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 }),
      async ({ spec }, hits) => {
        const bytes = buildTiff(spec);
        for (const [at, value] of hits) bytes[at % bytes.length] = value;
        try {
          const movie = await openTiff(memorySource("damaged.tif", bytes));
          const into = emptyFrame(movie);
          for (let index = 0; index < Math.min(movie.frames, 8); index++) await movie.read(index, into);
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      },
    ),
    { numRuns: 300 },
  );
});

test("a chain of pages that turns back gives the frames before it and says so", async () => {
  for (const loopTo of [0, 1, 2]) {
    const pages = [1, 2, 3].map((n) => grey([n, n, n, n], 2));
    const movie = await openTiff(tiffSource({ pages, loopTo }));
    expect(movie.frames).toBe(3);
    expect(movie.warnings.join()).toMatch(/turns back/);
  }
});

test("pages of another size or type and thumbnails are left out and counted", async () => {
  const small = grey([9], 1);
  const deep = grey([1, 2, 3, 4], 2, { bits: 16 });
  const thumbnail = grey([5, 5, 5, 5], 2, { tags: [[254, 4, [1]]] });
  const movie = await openTiff(
    tiffSource({ pages: [grey([1, 2, 3, 4], 2), small, deep, thumbnail, grey([5, 6, 7, 8], 2)] }),
  );
  expect(movie.frames).toBe(2);
  expect(await readFrame(movie, 1)).toEqual([5, 6, 7, 8]);
  expect(movie.warnings.join()).toMatch(/3 pages of another size or type/);
});

test("a thumbnail before the first image is no frame", async () => {
  const thumbnail = grey([9], 1, { tags: [[254, 4, [1]]] });
  const movie = await openTiff(tiffSource({ pages: [thumbnail, grey([1, 2, 3, 4], 2), grey([5, 6, 7, 8], 2)] }));
  expect([movie.frames, movie.width]).toEqual([2, 2]);
  expect(await readFrame(movie, 0)).toEqual([1, 2, 3, 4]);
  expect(movie.warnings).toEqual(["1 thumbnail before the first image left out."]);
  const alone = await openTiff(tiffSource({ pages: [thumbnail] }));
  expect([alone.frames, alone.warnings]).toEqual([1, []]);
});

test("planes of a page are frames, whether separate or interleaved; transparency is none", async () => {
  const planes = [
    [1, 2, 3, 4, 5, 6],
    [10, 20, 30, 40, 50, 60],
    [7, 7, 7, 9, 9, 9],
  ];
  const woven = planes[0]!.flatMap((_, pixel) => planes.map((plane) => plane[pixel]!));
  for (const compression of [1, 8] as const) {
    const common = { width: 3, height: 2, bits: 16, samplesPerPixel: 3, rowsPerStrip: 1, compression } as const;
    for (const page of [
      { ...common, samples: planes.flat(), separate: true },
      { ...common, samples: woven },
    ]) {
      const movie = await openTiff(tiffSource({ pages: [page, page], littleEndian: false }));
      expect(movie.frames).toBe(6);
      for (const index of [0, 1, 2, 5]) expect(await readFrame(movie, index)).toEqual(planes[index % 3]);
    }
    const clear = await openTiff(tiffSource({ pages: [{ ...common, samples: woven, tags: [[338, 3, [0, 2]]] }] }));
    expect(clear.frames).toBe(2);
    expect(clear.warnings.join()).toMatch(/transparency/);
  }
});

test("a frame in colour is one frame with all its samples, and no grey movie", async () => {
  const samples = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
  const page = { width: 2, height: 2, samples, bits: 8, samplesPerPixel: 3, photometric: 2 };
  const movie = await openTiff(tiffSource({ pages: [page, page] }));
  expect(movie).toMatchObject({ frames: 2, samplesPerPixel: 3 });
  expect(await readFrame(movie, 1)).toEqual(samples);
  await expect(movie.read(0, new Uint8Array(4))).rejects.toThrow(/colour/);
});

test("frames that lie bare cost one read each, however many strips they have", async () => {
  const samples = Array.from({ length: 60 * 40 }, (_, at) => at % 251);
  const pages = Array.from({ length: 5 }, () => grey(samples, 60, { rowsPerStrip: 3, bits: 16 }));
  const source = tiffSource({ pages, directoriesLast: true });
  let reads = 0;
  const counted = { ...source, read: (at: number, into: Uint8Array) => (reads++, source.read(at, into)) };
  const movie = await openTiff(counted);
  reads = 0;
  for (let index = 0; index < 5; index++) await readFrame(movie, index);
  expect(reads).toBe(5);
});

test("nine thousand directories side by side are indexed in a few dozen reads", async () => {
  // One directory after another, each of 9 tags, all pointing at the same byte of pixels.
  const count = 9000;
  const size = 2 + 9 * 12 + 4;
  const view = new DataView(new ArrayBuffer(8 + 1 + count * size + 1));
  view.setUint32(0, 0x49492a00);
  view.setUint32(4, 10, true);
  const tags = [256, 1, 257, 1, 258, 8, 259, 1, 262, 1, 273, 8, 277, 1, 278, 1, 279, 1];
  for (let page = 0; page < count; page++) {
    let at = 10 + page * size;
    view.setUint16(at, 9, true);
    at += 2;
    for (let tag = 0; tag < tags.length; tag += 2, at += 12) {
      view.setUint16(at, tags[tag]!, true);
      view.setUint16(at + 2, 4, true);
      view.setUint32(at + 4, 1, true);
      view.setUint32(at + 8, tags[tag + 1]!, true);
    }
    view.setUint32(at, page === count - 1 ? 0 : 10 + (page + 1) * size, true);
  }
  const source = memorySource("many.tif", new Uint8Array(view.buffer));
  let reads = 0;
  const counted = { ...source, read: (at: number, into: Uint8Array) => (reads++, source.read(at, into)) };
  expect((await openTiff(counted)).frames).toBe(count);
  expect(reads).toBeLessThan(40);
});

test("a small file that claims much is refused before anything is laid out for it", async () => {
  const claims: [string, FileSpec][] = [
    ["1 GiB", { pages: [{ ...grey([1], 1), width: 60_000, height: 60_000 }] }],
    ["compressed", { pages: [{ ...grey([1], 1, { compression: 8 }), width: 20_000, height: 20_000 }] }],
    ["holds", { pages: [{ ...grey([1], 1), width: 5000, height: 5000 }] }],
  ];
  for (const [word, spec] of claims) {
    // The pixels are those of the first row alone, whatever the tags say.
    const bytes = buildTiff({ pages: [grey([1, 2, 3, 4], 2, spec.pages[0]!.compression ? { compression: 8 } : {})] });
    const view = new DataView(bytes.buffer);
    const ifd = view.getUint32(4, true);
    for (let tag = 0; tag < view.getUint16(ifd, true); tag++) {
      const at = ifd + 2 + 12 * tag;
      const id = view.getUint16(at, true);
      if (id === 256) view.setUint32(at + 8, spec.pages[0]!.width, true);
      if (id === 257 || id === 278) view.setUint32(at + 8, spec.pages[0]!.height, true);
    }
    await expect(openTiff(memorySource("claim.tif", bytes))).rejects.toThrow(word);
  }
});

test("strips that lie on top of each other make no image larger than the file", async () => {
  const bytes = buildTiff({
    pages: [
      grey(
        [...Array(400).keys()].map((at) => at % 200),
        4,
        { rowsPerStrip: 1 },
      ),
    ],
  });
  const view = new DataView(bytes.buffer);
  const ifd = view.getUint32(4, true);
  for (let tag = 0; tag < view.getUint16(ifd, true); tag++) {
    const at = ifd + 2 + 12 * tag;
    if (view.getUint16(at, true) === 256) view.setUint32(at + 8, 300, true);
    if (view.getUint16(at, true) !== 273 && view.getUint16(at, true) !== 279) continue;
    const value = view.getUint16(at, true) === 273 ? 8 : 300;
    for (let strip = 0; strip < 100; strip++) view.setUint32(view.getUint32(at + 8, true) + 4 * strip, value, true);
  }
  await expect(openTiff(memorySource("overlap.tif", bytes))).rejects.toThrow(/strips overlap/);
});

test("what cannot be read is refused by its name and with a cure", async () => {
  const refusals: [number, RegExp][] = [
    [34925, /LZMA.*Save it without compression/],
    [7, /JPEG/],
    [34887, /LERC/],
    [12345, /number 12345/],
  ];
  for (const [code, words] of refusals) {
    const page = grey([1, 2, 3, 4], 2, { compression: code as 1 });
    await expect(openTiff(tiffSource({ pages: [page] }))).rejects.toThrow(words);
  }
  const complex = grey([1, 2, 3, 4], 2, { bits: 32, format: 6 });
  await expect(openTiff(tiffSource({ pages: [complex] }))).rejects.toThrow(/complex32/);
  const wide = grey([1, 2, 3, 4], 2, { bits: 64, format: 3, tags: [[33629, 4, [1, 2, 3]]] });
  await expect(openTiff(tiffSource({ pages: [wide] }))).rejects.toThrow(/MetaMorph/);
});

const imageJ = (lines: string): string => `ImageJ=1.53t\n${lines}`;
const resolution = (perUnit: number): PageSpec["tags"] => [
  [282, 5, [perUnit * 1e5, 1e5]],
  [283, 5, [perUnit * 1e5, 1e5]],
];

test("ImageJ's interval and unit become frame times and pixel size", async () => {
  const cases: [unit: string, perUnit: number, pixelSize_um: number | null][] = [
    ["unit=micron", 12.5, 0.08],
    ["unit=\\u00B5m", 12.5, 0.08],
    ["unit=µm", 10, 0.1],
    ["unit=nm", 0.0125, 0.08],
    ["unit=pixel", 1, null],
    ["unit=inch", 72, null],
    ["", 12.5, null],
  ];
  for (const [unit, perUnit, pixelSize_um] of cases) {
    const description = imageJ(`images=3\nframes=3\n${unit}\nfinterval=2.5\nfps=7`);
    const pages = [0, 1, 2].map((n) => grey([n], 1, n === 0 ? { description, tags: resolution(perUnit)! } : {}));
    const movie = await openTiff(tiffSource({ pages }));
    expect(movie.format).toBe("imagej-tiff");
    expect([...movie.time_s!]).toEqual([0, 2.5, 5]);
    expect(movie.timeSource).toBe("ImageJ finterval");
    if (pixelSize_um === null) expect(movie).toMatchObject({ pixelSize_um, pixelSizeSource: "missing" });
    else expect(movie.pixelSize_um).toBeCloseTo(pixelSize_um, 12);
  }
});

test("the printer's resolution and the rate of playback are not taken for scale and clock", async () => {
  const plain = await openTiff(tiffSource({ pages: [grey([1], 1, { tags: [...resolution(72)!, [296, 3, [2]]] })] }));
  expect(plain).toMatchObject({ pixelSize_um: null, pixelSizeSource: "missing", time_s: null });
  const description = imageJ("images=2\nframes=2\nfps=7");
  const played = await openTiff(tiffSource({ pages: [grey([1], 1, { description }), grey([2], 1)] }));
  expect(played.time_s).toBeNull();
  expect(played.warnings.join()).toMatch(/playback/);
});

test("ImageJ's time unit counts", async () => {
  const description = imageJ("images=2\nframes=2\nfinterval=250\ntunit=ms");
  const movie = await openTiff(tiffSource({ pages: [grey([1], 1, { description }), grey([2], 1)] }));
  expect([...movie.time_s!]).toEqual([0, 0.25]);
});

test("a stack of ImageJ with one page only is read to its last image, and one that lacks some says so", async () => {
  const frames = [1, 2, 3, 4].map((n) => grey([n, n + 1, n + 2, n + 3], 2, { bits: 16 }));
  for (const images of [4, 9]) {
    const description = imageJ(`images=${images}\nframes=${images}\nfinterval=1`);
    const pages = frames.map((page) => ({ ...page, description }));
    const whole = buildTiff({ pages, singleDirectory: true, littleEndian: false });
    const movie = await openTiff(memorySource("big.tif", whole));
    expect(movie.frames).toBe(4);
    for (const index of [0, 1, 2, 3]) expect(await readFrame(movie, index)).toEqual(frames[index]!.samples);
    expect(movie.warnings.join()).toMatch(
      images === 4 ? /^$/ : /says that it holds 9 frames but holds 4: 5 are missing/,
    );
  }
});

test("slices without frames are a movie; channels and slices of many moments are not one", async () => {
  const stack = (description: string, count: number): FileSpec => ({
    pages: Array.from({ length: count }, (_, n) => grey([n], 1, n === 0 ? { description } : {})),
  });
  const slices = await openTiff(tiffSource(stack(imageJ("images=6\nslices=6\nfinterval=2"), 6)));
  expect(slices.planes).toBeUndefined();
  expect([...slices.time_s!]).toEqual([0, 2, 4, 6, 8, 10]);
  expect(slices.warnings.join()).toMatch(/slices of one moment/);
  const many = await openTiff(
    tiffSource(stack(imageJ("images=12\nchannels=2\nslices=3\nframes=2\nhyperstack=true\nfinterval=4"), 12)),
  );
  expect(many.frames).toBe(12);
  expect(many.planes![7]).toEqual({ image: 0, channel: 1, slice: 0, time: 1 });
  expect(many.time_s![7]).toBe(4);
});

test("an aborted read stops", async () => {
  const movie = await openTiff(tiffSource({ pages: [grey([1], 1)] }));
  await expect(movie.read(0, new Uint8Array(1), AbortSignal.abort())).rejects.toThrow();
});

test("a width or an offset that is a fraction is refused, not rounded", async () => {
  const page = { width: 4, height: 3, bits: 16, samples: Array.from({ length: 12 }, (_, at) => at) };
  const bytes = buildTiff({ pages: [page] });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const directory = view.getUint32(4, true);
  const tagAt = (tag: number): number => {
    const count = view.getUint16(directory, true);
    for (let entry = 0; entry < count; entry++) {
      const at = directory + 2 + 12 * entry;
      if (view.getUint16(at, true) === tag) return at;
    }
    throw new RangeError(`no tag ${tag}`);
  };
  for (const [tag, words] of [
    [256, /width is 2\.5/],
    [273, /strip 0 is at 2\.5/],
  ] as const) {
    const changed = bytes.slice();
    const there = new DataView(changed.buffer);
    there.setUint16(tagAt(tag) + 2, 11, true);
    there.setFloat32(tagAt(tag) + 8, 2.5, true);
    await expect(openTiff(memorySource("a.tif", changed))).rejects.toThrow(words);
  }
});
