import * as fc from "fast-check";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import { dataFolder } from "../../test/data-folder.js";
import {
  buildNdtiff,
  stackName,
  type NdtiffBytes,
  type NdtiffImage,
  type NdtiffSpec,
} from "../../test/ndtiff-builder.js";
import { joined } from "../../test/tdms-builder.js";
import { FormatError } from "../model/errors.js";
import type { MovieFile } from "../model/movie.js";
import { openPath } from "./bytes.node.js";
import { memoryFolder, memorySource, type ByteSource, type FolderSource } from "./bytes.js";
import { isNdtiff, ndtiffDataset, openNdtiff } from "./ndtiff.js";

const [width, height] = [3, 2];

/** Pixels that tell which image they are of. */
function pixels(seed: number, most = 65535): number[] {
  return Array.from({ length: width * height }, (_, at) => (seed * 977 + at * 31) % (most + 1));
}

function image(
  seed: number,
  axes: NdtiffImage["axes"],
  metadata: NdtiffImage["metadata"] = {},
  stack = 0,
): NdtiffImage {
  return { axes, pixels: pixels(seed), metadata, stack };
}

function lapse(count: number, step_ms = 250): NdtiffImage[] {
  return Array.from({ length: count }, (_, time) => image(time, { time }, { "ElapsedTime-ms": 40 + step_ms * time }));
}

function build(images: readonly NdtiffImage[], more: Partial<NdtiffSpec> = {}): NdtiffBytes {
  return buildNdtiff({ width, height, images, ...more });
}

function folder({ index, stacks }: { index: Uint8Array | null; stacks: Record<string, Uint8Array> }): FolderSource {
  return memoryFolder("cell_1", {
    ...(index === null ? {} : { "NDTiff.index": index }),
    ...stacks,
    "display_settings.txt": new Uint8Array(4),
  });
}

async function frame(movie: MovieFile, index: number): Promise<number[]> {
  const count = movie.width * movie.height * (movie.samplesPerPixel ?? 1);
  const into = movie.dtype === "uint8" ? new Uint8Array(count) : new Uint16Array(count);
  await movie.read(index, into);
  return [...into];
}

/** The seeds of all frames, told by their first pixels. */
async function seeds(movie: MovieFile, known: readonly number[]): Promise<(number | undefined)[]> {
  const by = new Map(known.map((seed) => [pixels(seed).join(), seed]));
  const all: (number | undefined)[] = [];
  for (let index = 0; index < movie.frames; index++) all.push(by.get((await frame(movie, index)).join()));
  return all;
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

test("a dataset is a movie with times, scale and start of its metadata, by folder or by index", async () => {
  const images = lapse(5).map((one) => ({
    ...one,
    metadata: { ...one.metadata, PixelSizeUm: 0.065, Time: "2024-03-01 10:20:30 -", "Camera-Name": "x" },
  }));
  for (const major of [2, 3] as const) {
    const built = build(images, { major, summary: { PixelSize_um: 0.07, DateAndTime: "2024/03/01 10:20:00" } });
    const flat = folder(built);
    const inside = memoryFolder("cell_1", {
      ...Object.fromEntries(Object.entries(built.stacks).map(([name, bytes]) => [`Full resolution/${name}`, bytes])),
      "Full resolution/NDTiff.index": built.index,
      "Downsampled_x2/NDTiff.index": built.index,
      "display_settings.txt": new Uint8Array(2),
    });
    for (const source of [flat, inside, await flat.open("NDTiff.index")]) {
      expect(await isNdtiff(built.index.subarray(0, 1 << 16), source)).toBe(true);
      const movie = await openNdtiff(source);
      expect(movie).toMatchObject({ format: "ndtiff", width, height, frames: 5, dtype: "uint16", warnings: [] });
      expect(movie).toMatchObject({
        pixelSize_um: 0.065,
        pixelSizeSource: "NDTiff PixelSizeUm",
        frameStamp: "unknown",
      });
      expect(movie).toMatchObject({ start: "2024-03-01T10:20:30", timeSource: "NDTiff ElapsedTime-ms" });
      expect([...movie.time_s!].map((time) => Number(time.toFixed(6)))).toEqual([0, 0.25, 0.5, 0.75, 1]);
      expect(await seeds(movie, upTo(5))).toEqual(upTo(5));
      expect(movie.planes).toBeUndefined();
      await expect(movie.read(5, new Uint16Array(6))).rejects.toThrow(RangeError);
      await movie.close();
    }
  }
});

test("an elapsed time that stands still gives way to when the image was received", async () => {
  const images = upTo(4).map((time) =>
    image(time, { time }, { "ElapsedTime-ms": 0, TimeReceivedByCore: `2023-02-18 18:21:59.${900000 + 25_017 * time}` }),
  );
  const movie = await openNdtiff(folder(build(images)));
  expect(movie.timeSource).toBe("NDTiff TimeReceivedByCore");
  for (const time of upTo(4)) expect(movie.time_s![time]).toBeCloseTo(0.025017 * time, 6);
  expect(movie.start).toBe("2023-02-18T18:21:59.900");
  const without = await openNdtiff(folder(build(upTo(3).map((time) => image(time, { time })))));
  expect(without).toMatchObject({ time_s: null, timeSource: "missing", start: null, pixelSize_um: null });
});

test("a key that metadata has twice is taken from its top", async () => {
  const images = upTo(3).map((time) =>
    image(time, { time }, { UserData: { "ElapsedTime-ms": 7 }, "ElapsedTime-ms": `${100 * time}` }),
  );
  expect([...(await openNdtiff(folder(build(images)))).time_s!]).toEqual([0, 0.1, 0.2]);
});

test("pixel types are what they are called: 8 bit, 10 to 16 bit in two bytes, colour", async () => {
  for (const [pixelType, dtype] of [
    [0, "uint8"],
    [1, "uint16"],
    [3, "uint16"],
    [4, "uint16"],
    [5, "uint16"],
    [6, "uint16"],
  ] as const) {
    const most = pixelType === 0 ? 255 : 1000;
    const movie = await openNdtiff(folder(build([{ axes: {}, pixels: pixels(4, most) }], { pixelType })));
    expect(movie).toMatchObject({ dtype, frames: 1 });
    expect(await frame(movie, 0)).toEqual(pixels(4, most));
  }
  const rgb = Array.from({ length: 18 }, (_, at) => 7 * at);
  const colour = await openNdtiff(folder(build([{ axes: { time: 0 }, pixels: rgb }], { pixelType: 2 })));
  expect(colour).toMatchObject({ dtype: "uint8", samplesPerPixel: 3 });
  expect(await frame(colour, 0)).toEqual(rgb);
  await expect(colour.read(0, new Uint8Array(6))).rejects.toThrow(/in colour/);
});

test("what cannot be read is refused by name", async () => {
  const one = [image(1, { time: 0 })];
  await expect(openNdtiff(folder(build(one, { compression: 8 })))).rejects.toThrow(
    /cell_1: the pixels of .* compressed \(kind 8\)/,
  );
  await expect(openNdtiff(folder(build(one, { pixelType: 9 })))).rejects.toThrow(/pixel type is 9; 0 to 6 are known/);
  await expect(openNdtiff(folder({ index: build(one).index, stacks: {} }))).rejects.toThrow(
    /is not there: 1 of 1 images/,
  );
  await expect(openNdtiff(memorySource("NDTiff.index", build(one).index))).rejects.toThrow(/without its folder/);
  await expect(openNdtiff(folder({ index: new Uint8Array(), stacks: {} }))).rejects.toThrow(/holds no image/);
  for (const wrong of [{ compression: 8 }, { pixelType: 9 }]) {
    await expect(openNdtiff(folder(build(one, wrong)))).rejects.toBeInstanceOf(FormatError);
  }
});

test("axes of any names keep two different images apart", async () => {
  const axis = fc.constantFrom("time", "channel", "z", "position", "row", "column", "repeat");
  const value = fc.oneof(fc.integer({ min: -3, max: 5 }), fc.constantFrom("DAPI", "Phase", "Pos 2"));
  const drawn = fc.uniqueArray(fc.dictionary(axis, value, { maxKeys: 4 }), {
    minLength: 1,
    maxLength: 12,
    selector: (axes) => JSON.stringify(Object.entries(axes).sort()),
  });
  await fc.assert(
    fc.asyncProperty(drawn, async (all) => {
      const movie = await openNdtiff(folder(build(all.map((axes, seed) => image(seed, axes)))));
      expect(movie.frames).toBe(all.length);
      expect((await seeds(movie, upTo(all.length))).sort()).toEqual(upTo(all.length).sort());
      const places = movie.planes ?? upTo(all.length).map((time) => ({ image: 0, channel: 0, slice: 0, time }));
      expect(new Set(places.map((place) => Object.values(place).join())).size).toBe(all.length);
      for (const { image: number } of places)
        if (number > 0)
          expect(typeof movie.imageNames?.[number] === "string" || movie.imageNames === undefined).toBe(true);
    }),
    { numRuns: 150 },
  );
});

test("channels, slices and positions keep their numbers and names", async () => {
  const images = ["A1", "B2"].flatMap((position, p) =>
    upTo(2).flatMap((time) =>
      ["DAPI", "Phase"].map((channel, c) => image(4 * p + 2 * time + c, { position, channel, time, z: -1 })),
    ),
  );
  const movie = await openNdtiff(folder(build(images)));
  expect(movie).toMatchObject({ frames: 8, channelNames: ["DAPI", "Phase"], imageNames: ["A1", "B2"] });
  expect(movie.planes![5]).toEqual({ image: 1, channel: 1, slice: 0, time: 0 });
  expect(movie.warnings.join()).toMatch(/slices are -1 in the file/);
  expect(movie.warnings.join()).toMatch(/--position, --channel/);

  const numbered = upTo(4).map((at) =>
    image(at, { channel: at % 2, time: at >> 1 }, { Channel: ["Cy3", "Cy5"][at % 2] }),
  );
  expect((await openNdtiff(folder(build(numbered)))).channelNames).toEqual(["Cy3", "Cy5"]);
  const named = await openNdtiff(folder(build(numbered, { summary: { ChNames: ["a", "b"] } })));
  expect(named.channelNames).toEqual(["a", "b"]);

  const tiles = upTo(4).map((at) => image(at, { row: at % 2, column: 0, time: at >> 1 }));
  const tiled = await openNdtiff(folder(build(tiles)));
  expect(tiled.imageNames).toEqual(["row 0", "row 1"]);
  expect(tiled.warnings.join()).toMatch(/axis "row": each value is taken as a position/);

  const repeats = await openNdtiff(folder(build(upTo(3).map((repeat) => image(repeat, { repeat })))));
  expect(repeats.planes).toBeUndefined();
  expect(repeats.warnings.join()).toMatch(/its axis "repeat" is taken as time/);
});

test("an image that lacks an axis does not fall on one that has it", async () => {
  const movie = await openNdtiff(
    folder(build([image(0, { time: 0, z: 0 }), image(1, { time: 0 }), image(2, { time: 1, z: 0 })])),
  );
  expect(movie.frames).toBe(3);
  expect(movie.planes!.map(({ image: number }) => number)).toEqual([0, 1, 0]);
  expect(movie.imageNames![1]).toBe("time 0");
  expect(movie.warnings.join()).toMatch(/1 image lacks an axis/);
});

test("an image that was written again counts as it was written last", async () => {
  const images = [...lapse(3), image(9, { time: 1 }, { "ElapsedTime-ms": 300 })];
  const movie = await openNdtiff(folder(build(images)));
  expect(await seeds(movie, [0, 1, 2, 9])).toEqual([0, 9, 2]);
  expect(movie.time_s![1]).toBeCloseTo(0.26, 9);
  expect(movie.warnings.join()).toMatch(/1 image was written again/);
});

test("frames are in the order of their times, or of their time axis where they have none", async () => {
  const order = [2, 0, 3, 1];
  const stamped = order.map((time) => image(time, { time }, { "ElapsedTime-ms": 10 * time }));
  const bare = order.map((time) => image(time, { time }));
  for (const images of [stamped, bare]) {
    expect(await seeds(await openNdtiff(folder(build(images))), upTo(4))).toEqual(upTo(4));
  }
});

test("an index cut anywhere is made good by the TIFFs", async () => {
  const images = lapse(7).map((one, at) => ({ ...one, stack: at < 4 ? 0 : 1 }));
  const built = build(images);
  for (let cut = 0; cut <= built.index.length; cut++) {
    const movie = await openNdtiff(folder({ index: built.index.subarray(0, cut), stacks: built.stacks }));
    expect(movie.frames).toBe(7);
    expect(await seeds(movie, upTo(7))).toEqual(upTo(7));
    expect([...movie.time_s!].map((time) => Math.round(1000 * time))).toEqual(upTo(7).map((at) => 250 * at));
    const at = built.entryAt.indexOf(cut);
    const words =
      at < 0
        ? /cut off inside its entry \d, at byte \d+: \d images? beyond/
        : at < 7
          ? /interrupted|no NDTiff.index/
          : /^$/;
    expect(movie.warnings.join()).toMatch(words);
  }
  const missing = await openNdtiff(folder({ index: null, stacks: built.stacks }));
  expect(await seeds(missing, upTo(7))).toEqual(upTo(7));
  expect(missing.warnings.join()).toMatch(/has no NDTiff\.index: 7 images were found/);
  const unclosed = joined([built.index, new Uint8Array(100)]);
  const open = await openNdtiff(folder({ index: unclosed, stacks: built.stacks }));
  expect(open.warnings).toEqual([expect.stringMatching(/was not closed.*no image beyond it/)]);
});

test("without index and axes, images are frames in their order", async () => {
  const movie = await openNdtiff(folder({ index: null, stacks: build(lapse(4), { axesUntold: true }).stacks }));
  expect(await seeds(movie, upTo(4))).toEqual(upTo(4));
  expect(movie.warnings.join()).toMatch(/images do not tell their axes: they are taken as frames in the order/);
});

test("TIFFs that are empty, cut, missing or renamed are told, never shown as black", async () => {
  const images = lapse(6).map((one, at) => ({ ...one, stack: Math.floor(at / 2) }));
  const { index, stacks } = build(images);
  const [first, second, third] = [0, 1, 2].map((number) => stacks[stackName(number)]!) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  const name = stackName(1);
  const others = { [stackName(0)]: first, [stackName(2)]: third };
  const empty = await openNdtiff(folder({ index, stacks: { ...others, [name]: new Uint8Array() } }));
  expect(await seeds(empty, upTo(6))).toEqual([0, 1, 4, 5]);
  expect(empty.warnings.join("\n")).toMatch(/cell_NDTiffStack_1\.tif is empty: 2 of 6 images are missing/);
  expect(empty.warnings.join("\n")).toMatch(/no image of times 2 to 3 of 6/);
  const gone = await openNdtiff(folder({ index, stacks: others }));
  expect(await seeds(gone, upTo(6))).toEqual([0, 1, 4, 5]);
  expect(gone.warnings.join("\n")).toMatch(/_1\.tif is not there: 2 of 6/);
  const cut = await openNdtiff(
    folder({ index, stacks: { ...others, [name]: second.subarray(0, second.length - 80) } }),
  );
  expect(await seeds(cut, upTo(6))).toEqual([0, 1, 2, 4, 5]);
  expect(cut.warnings.join("\n")).toMatch(/_1\.tif is cut off after \d+ bytes: 1 of 6/);
  const renamed = await openNdtiff(folder({ index, stacks: { ...others, "new_NDTiffStack_1.tif": second } }));
  expect(await seeds(renamed, upTo(6))).toEqual(upTo(6));
  expect(renamed.warnings.join("\n")).toMatch(/new_NDTiffStack_1\.tif is taken for it/);
});

test("a TIFF leads to its dataset", async () => {
  const images = lapse(4).map((one, at) => ({ ...one, stack: at % 2 }));
  const { index, stacks } = build(images);
  const whole = folder({ index, stacks });
  const dataset = await ndtiffDataset(await whole.open(stackName(1)));
  expect(dataset).toMatchObject({ files: [stackName(0), stackName(1)], missing: [], frames: 4 });
  expect(await seeds(await dataset!.open(), upTo(4))).toEqual(upTo(4));
  const { [stackName(0)]: _, ...rest } = stacks;
  const part = folder({ index, stacks: rest });
  expect(await ndtiffDataset(await part.open(stackName(1)))).toMatchObject({ missing: [stackName(0)], frames: 2 });
  expect(await ndtiffDataset(memorySource("a.tif", stacks[stackName(0)]!))).toBeNull();
  expect(await ndtiffDataset(await whole.open("display_settings.txt"))).toBeNull();
});

test("names in an index lead nowhere but into its folder", async () => {
  const { index, stacks } = build(lapse(2));
  const text = new TextDecoder("latin1").decode(index).replaceAll("cell_NDTiffStack.tif", "../../etc/passwd.tif");
  const wrong = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  const movie = await openNdtiff(folder({ index: wrong, stacks })).catch((error: unknown) => error);
  expect(movie instanceof FormatError ? movie.message : (movie as MovieFile).warnings.join()).toMatch(
    /passwd\.tif is not there/,
  );
});

test("a frame is one read, and tens of thousands of images are no burden", async () => {
  const count = 50_000;
  const one = build(lapse(1));
  const entry = new TextDecoder("latin1").decode(one.index);
  const text = upTo(count).map((time) => {
    const axes = `{"time":${time}}`;
    return String.fromCharCode(axes.length, 0, 0, 0) + axes + entry.slice(4 + '{"time":0}'.length);
  });
  const index = Uint8Array.from(text.join(""), (letter) => letter.charCodeAt(0));
  const stack = one.stacks[stackName(0)]!;
  let reads = 0;
  const base = folder({ index, stacks: one.stacks });
  const counted: FolderSource = {
    ...base,
    open: async (name): Promise<ByteSource> => {
      const source = await base.open(name);
      return {
        ...source,
        read: (offset, into) => {
          reads++;
          return source.read(offset, into);
        },
      };
    },
  };
  const begin = process.cpuUsage();
  const movie = await openNdtiff(counted);
  // The computing alone: what the machine does beside is not measured.
  expect(process.cpuUsage(begin).user / 1000).toBeLessThan(2000);
  expect(movie.frames).toBe(count);
  expect(stack.length).toBeLessThan(1000);
  reads = 0;
  expect(await frame(movie, count - 1)).toEqual(pixels(0));
  expect(reads).toBe(1);
});

test("damage gives a movie or a refusal, never more", async () => {
  const images = lapse(4).map((one, at) => ({
    ...one,
    stack: at % 2,
    axes: { ...one.axes, channel: ["a", "b"][at % 2]! },
  }));
  const built = build(images, { summary: { PixelSize_um: 1 } });
  const names = ["index", ...Object.keys(built.stacks)];
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.tuple(fc.constantFrom(...names), fc.nat(), fc.constantFrom(0, 1, 0x22, 0x7f, 0x80, 0xff), fc.boolean()),
        { minLength: 1, maxLength: 6 },
      ),
      fc.tuple(fc.constantFrom(...names), fc.double({ min: 0, max: 1.2, noNaN: true })),
      async (changes, [cutName, share]) => {
        const files: Record<string, Uint8Array> = Object.fromEntries(
          [["index", built.index] as const, ...Object.entries(built.stacks)].map(([name, bytes]) => [
            name,
            bytes.slice(),
          ]),
        );
        for (const [name, at, value, flip] of changes) {
          const bytes = files[name]!;
          const place = at % bytes.length;
          bytes[place] = flip ? bytes[place]! ^ (1 << (value % 8)) : value;
        }
        files[cutName] = files[cutName]!.subarray(0, Math.floor(share * files[cutName]!.length));
        const { index, ...stacks } = files;
        try {
          const movie = await openNdtiff(folder({ index: index!, stacks }));
          if (movie.width * movie.height < 1e6) for (const at of upTo(movie.frames)) await frame(movie, at);
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
          expect((error as FormatError).message).not.toMatch(/\n/);
        }
      },
    ),
    { numRuns: 400 },
  );
});

test.skipIf(dataFolder === null)(
  "real datasets of versions 2.0 to 3.2 give the pixels that were expected of them",
  async () => {
    const root = path.join(dataFolder!, "images", "ndtiff");
    for (const [name, inside, timeSource] of [
      ["ndtiffv2.0_test", "Full resolution", "NDTiff ElapsedTime-ms"],
      ["ndtiffv3.0_test", "", "NDTiff ElapsedTime-ms"],
      ["ndtiff3.2_monochrome", "", "NDTiff ElapsedTime-ms"],
      ["ndtiff3.2_11bit_1", "", "NDTiff TimeReceivedByCore"],
    ] as const) {
      const expected = JSON.parse(
        await readFile(path.join(root, name, inside, "NDTiff.expected.json"), "utf8"),
      ) as Record<string, number>;
      const movie = await openNdtiff(await openPath(path.join(root, name)));
      expect(movie).toMatchObject({
        frames: expected["entries"],
        width: expected["width"],
        height: expected["height"],
        timeSource,
      });
      expect([...movie.time_s!].every((time, at, all) => at === 0 || time >= all[at - 1]!)).toBe(true);
      const sums: number[] = [];
      for (const at of upTo(movie.frames)) sums.push((await frame(movie, at)).reduce((sum, value) => sum + value, 0));
      expect(sums.reduce((sum, value) => sum + value, 0)).toBe(expected["pixel_sum_all"]);
      expect([sums[0], sums.at(-1)]).toEqual([expected["first_image_sum"], expected["last_image_sum"]]);
      await movie.close();
    }
  },
);
