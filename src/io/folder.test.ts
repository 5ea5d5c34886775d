import { encode } from "fast-png";
import { expect, test } from "vitest";
import { buildTiff } from "../../test/tiff-builder.js";
import { memoryFolder, memorySource, type FolderSource } from "./bytes.js";
import { openFolderMovie } from "./folder.js";
import { openMovie } from "./open.js";
import { openPng } from "./png.js";

/** A folder in memory; tells how many of its files are open. */
function folder(files: Record<string, Uint8Array>): FolderSource & { readonly opened: () => number } {
  let opened = 0;
  const inMemory = memoryFolder("frames", files);
  return {
    ...inMemory,
    async open(entry) {
      const source = await inMemory.open(entry);
      opened++;
      return { ...source, close: async () => void opened-- };
    },
    opened: () => opened,
  };
}

const tiff = (value: number, width = 2, bits = 16): Uint8Array =>
  buildTiff({ pages: [{ width, height: 1, bits, samples: Array.from({ length: width }, (_, x) => value + x) }] });

const png = (value: number, width = 2): Uint8Array =>
  encode({ width, height: 1, data: Uint8Array.from({ length: width }, (_, x) => value + x), depth: 8, channels: 1 });

const text = (words: string): Uint8Array => new TextEncoder().encode(words);

test("frames follow the natural order of their names; other files are counted, every file is closed again", async () => {
  const source = folder({ "f10.tif": tiff(10), "f9.tif": tiff(9), "f1.tif": tiff(1), "notes.txt": text("hello") });
  const movie = await openMovie(source);
  expect(movie).toMatchObject({ format: "folder", frames: 3, width: 2, dtype: "uint16", time_s: null });
  expect(movie.warnings).toEqual(["1 file is no image and passed over."]);
  const first: number[] = [];
  for (const index of [0, 1, 2]) {
    const into = new Uint16Array(2);
    await movie.read(index, into);
    first.push(into[0]!);
  }
  expect(first).toEqual([1, 9, 10]);
  expect(source.opened()).toBe(0);
});

test("images are told by their content; a name is only a name", async () => {
  const movie = await openMovie(folder({ "1.dat": png(7), "2.jpg": png(8), "3.png": text("a,b\n1,2") }));
  expect(movie).toMatchObject({ frames: 2, dtype: "uint8" });
});

test("a frame of another size or type is named", async () => {
  const odd: [string, Uint8Array, RegExp][] = [
    ["size", tiff(3, 3), /b\.tif is 3 x 1 px/],
    ["type", tiff(3, 2, 8), /b\.tif is uint8/],
    [
      "stack",
      buildTiff({ pages: [1, 2].map((n) => ({ width: 2, height: 1, bits: 16, samples: [n, n] })) }),
      /b\.tif holds 2 frames/,
    ],
    ["damaged", tiff(3).subarray(0, 9), /b\.tif/],
  ];
  for (const [, bytes, words] of odd) {
    await expect(openFolderMovie(folder({ "a.tif": tiff(1), "b.tif": bytes, "c.tif": tiff(2) }))).rejects.toThrow(
      words,
    );
  }
});

test("a folder without an image is refused with what it holds", async () => {
  await expect(openMovie(folder({ "a.txt": text("x"), "b.csv": text("y") }))).rejects.toThrow(/2 files and no image/);
  await expect(openMovie(folder({}))).rejects.toThrow(/0 files/);
});

test("a PNG of 8, 16 or 1 bits is one frame of its stored values", async () => {
  const deep = encode({ width: 2, height: 1, data: Uint16Array.from([4095, 7]), depth: 16, channels: 1 });
  const movie = await openMovie(memorySource("one.png", deep));
  expect(movie).toMatchObject({ format: "png", frames: 1, dtype: "uint16", width: 2, height: 1 });
  const into = new Uint16Array(2);
  await movie.read(0, into);
  expect([...into]).toEqual([4095, 7]);
  const bits = encode({ width: 9, height: 2, data: Uint8Array.from([0xaa, 0x80, 0x55, 0]), depth: 1, channels: 1 });
  const one = new Uint8Array(18);
  await (await openPng(memorySource("bits.png", bits))).read(0, one);
  expect([...one]).toEqual([1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0]);
});

test("a PNG in colour is told so; one that is cut, damaged or claims too much is refused", async () => {
  const colour = encode({ width: 1, height: 1, data: Uint8Array.from([1, 2, 3]), depth: 8, channels: 3 });
  const movie = await openPng(memorySource("colour.png", colour));
  expect(movie.samplesPerPixel).toBe(3);
  await expect(movie.read(0, new Uint8Array(1))).rejects.toThrow(/colour/);
  const whole = encode({
    width: 40,
    height: 40,
    data: new Uint8Array(1600).map((_, at) => at % 251),
    depth: 8,
    channels: 1,
  });
  for (const size of [20, 40, Math.floor(whole.length / 2), whole.length - 20]) {
    const read = openPng(memorySource("cut.png", whole.subarray(0, size))).then((cut) =>
      cut.read(0, new Uint8Array(1600)),
    );
    await expect(read).rejects.toThrow(/cut\.png: .*Export it again/);
  }
  const claim = whole.slice();
  new DataView(claim.buffer).setUint32(16, 100_000);
  new DataView(claim.buffer).setUint32(20, 100_000);
  await expect(openPng(memorySource("claim.png", claim))).rejects.toThrow(/100000 x 100000/);
});

test("an animated PNG says that only its still image is read", async () => {
  const still = png(7);
  const announced = new Uint8Array(still.length + 20);
  announced.set(still.subarray(0, 33));
  announced.set([0, 0, 0, 8, 0x61, 0x63, 0x54, 0x4c, 0, 0, 0, 3, 0, 0, 0, 0], 33);
  announced.set(still.subarray(33), 53);
  expect((await openPng(memorySource("moving.png", announced))).warnings.join()).toMatch(/is an animation/);
  expect((await openPng(memorySource("still.png", still))).warnings).toEqual([]);
});

/** Metadata of images in the order of their taking, as version 1 or 2 of Micro-Manager writes it. */
function metadata(
  version: 1 | 2,
  images: readonly { readonly file: string; readonly time: number; readonly channel: number; readonly ms: number }[],
): string {
  const summary = { Channels: 2, ChNames: ["Blue", "Red"], PixelSize_um: 0.08, UserData: { Comment: { text: "a}" } } };
  const entries: [string, unknown][] = [["Summary", summary]];
  for (const { file, time, channel, ms } of images) {
    const place = { FrameIndex: time, ChannelIndex: channel, SliceIndex: 0, PositionIndex: 0 };
    const note = { "ElapsedTime-ms": ms, PixelSizeUm: 0.08, Time: "2024-03-01 10:20:30 +0100", "Core-Camera": "C" };
    if (version === 1) {
      entries.push([`FrameKey-${time}-${channel}-0`, { FileName: file, Summary: summary, ...place, ...note }]);
    } else {
      entries.push([`Coords-Default/${file}`, place], [`Metadata-Default/${file}`, note]);
    }
  }
  return JSON.stringify(Object.fromEntries(entries), null, 2);
}

test("Micro-Manager's metadata beside single images tells their times, places and scale", async () => {
  const images = [0, 1, 2].flatMap((time) =>
    [0, 1].map((channel) => ({
      file: `c${channel}_t${time}.tif`,
      time,
      channel,
      ms: 500 + 1000 * time + 100 * channel,
    })),
  );
  const files = Object.fromEntries(images.map(({ file, time, channel }) => [file, tiff(10 * time + channel)]));
  for (const version of [1, 2] as const) {
    const whole = metadata(version, images);
    const beside = { ...files, "metadata.txt": text(whole) };
    const below = Object.fromEntries(Object.entries(beside).map(([name, bytes]) => [`Default/${name}`, bytes]));
    for (const source of [folder(beside), folder({ ...below, "display_settings.txt": text("{}") })]) {
      const movie = await openMovie(source);
      expect(movie).toMatchObject({ format: "folder", name: "frames", frames: 6, pixelSize_um: 0.08 });
      expect(movie).toMatchObject({ timeSource: "Micro-Manager ElapsedTime-ms", start: "2024-03-01T10:20:30+01:00" });
      expect(movie.channelNames).toEqual(["Blue", "Red"]);
      expect([...movie.time_s!].map((time) => Number(time.toFixed(6)))).toEqual([0, 0.1, 1, 1.1, 2, 2.1]);
      const seen: number[] = [];
      for (let index = 0; index < 6; index++) {
        const into = new Uint16Array(2);
        await movie.read(index, into);
        seen.push(into[0]!);
      }
      expect(seen).toEqual([0, 1, 10, 11, 20, 21]);
      await movie.close();
    }
    // What an interrupted acquisition has written is used: the last brace is not there, or the last images are not.
    const open = await openMovie(folder({ ...files, "metadata.txt": text(whole.slice(0, -2)) }));
    expect([...open.time_s!].at(-1)).toBeCloseTo(2.1, 9);
    for (let cut = 0; cut < whole.length; cut += 41) {
      const movie = await openMovie(folder({ ...files, "metadata.txt": text(whole.slice(0, cut)) }));
      expect(movie.frames).toBe(6);
    }
  }
  const partly = await openMovie(folder({ ...files, "metadata.txt": text(metadata(2, images.slice(0, 5))) }));
  expect(partly.planes).toBeUndefined();
  expect(partly.warnings.join()).toMatch(/does not place 1 of 6 images/);
  const foreign = await openMovie(folder({ ...files, "metadata.txt": text("exposure 3 ms") }));
  expect([foreign.time_s, foreign.warnings]).toEqual([null, ["1 file is no image and passed over."]]);
});
