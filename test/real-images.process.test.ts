/** Real images of many makers: what is known of them is what we read, or they are refused by name. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { littleEndianBytes } from "../src/io/byte-order.js";
import { openPath } from "../src/io/bytes.node.js";
import { sampleStats } from "../src/io/frame-stats.js";
import { openMovie } from "../src/io/open.js";
import { FormatError } from "../src/model/errors.js";
import type { MovieFile, Samples } from "../src/model/movie.js";
import { dataFolder } from "./data-folder.js";
import { samplesFor } from "./tiff-builder.js";

const folder = dataFolder ?? "";
const withData = test.skipIf(dataFolder === null);

interface PageFacts {
  readonly min: number;
  readonly max: number;
  readonly sum: number;
  readonly sha256_le: string;
}

interface FileFacts {
  readonly ifds: number;
  readonly width: number;
  readonly height: number;
  readonly dtype: string;
  readonly flavour?: readonly string[];
  readonly first?: Partial<PageFacts>;
  readonly last?: Partial<PageFacts>;
}

/** Files of the table that are refused, and the word that says why. */
const refused = new Map([
  ["images/tiff_flavours/imagecodecs/gray.c8.tif", "complex64"],
  ["images/tiff_flavours/imagecodecs/gray.lerc.u1.tif", "LERC"],
  ["images/tiff_flavours/imagecodecs/gray.lzma.u2.tif", "LZMA"],
  ["images/tiff_flavours/imagecodecs/rgb.tiled.jpeg.u1.tif", "JPEG"],
]);

/** Files whose frames are not their pages, with the number of frames and of frames in a page. */
const otherFrames = new Map([
  ["images/derived_containers/bf16_imagej_single_ifd.tif", { frames: 16, inPage: 1 }],
  ["images/tiff_flavours/imagecodecs/gray.depth.u1.tif", { frames: 5, inPage: 5 }],
  ["images/tiff_flavours/imagecodecs/gray.separate.u1.tif", { frames: 10, inPage: 5 }],
  // Every other page is a small one in colour.
  ["images/tiff_flavours/imagecodecs/gray.series.u1.tif", { frames: 5, inPage: 1 }],
  ["images/tiff_flavours/shapes/shapes_multi_size.tif", { frames: 1, inPage: 1 }],
]);

async function samplesOf(movie: MovieFile, frames: readonly number[]): Promise<Samples> {
  const { dtype, width, height, samplesPerPixel = 1 } = movie;
  const format = dtype.startsWith("float") ? 3 : dtype.startsWith("int") ? 2 : 1;
  const size = width * height * samplesPerPixel;
  const all = samplesFor(Number(/\d+$/.exec(dtype)![0]), format, size * frames.length);
  for (const [at, frame] of frames.entries()) await movie.read(frame, all.subarray(at * size, (at + 1) * size));
  return all;
}

async function opened<T>(file: string, work: (movie: MovieFile) => Promise<T>): Promise<T> {
  const source = await openPath(path.join(folder, file));
  try {
    return await work(await openMovie(source));
  } finally {
    await source.close();
  }
}

function expectPage(samples: Samples, facts: Partial<PageFacts>, exact: boolean): void {
  const { min, max, sum } = sampleStats(samples);
  expect([min, max]).toEqual([facts.min, facts.max]);
  expect(Math.abs(sum - facts.sum!)).toBeLessThanOrEqual(1e-12 * Math.abs(facts.sum!));
  if (!exact) return;
  const hash = createHash("sha256").update(littleEndianBytes(samples)).digest("hex");
  expect(hash.slice(0, facts.sha256_le!.length)).toBe(facts.sha256_le);
}

withData("every TIFF of the table gives its known pixels, or is refused by name", async () => {
  const table = JSON.parse(readFileSync(path.join(folder, "images/tiff.expected.json"), "utf8")) as Record<
    string,
    FileFacts
  >;
  let [read, hashed, refusals] = [0, 0, 0];
  for (const [file, facts] of Object.entries(table)) {
    const why = refused.get(file);
    if (why !== undefined) {
      await expect(
        opened(file, async () => {}),
        file,
      ).rejects.toThrow(new RegExp(why));
      refusals++;
      continue;
    }
    await opened(file, async (movie) => {
      const { frames, inPage } = otherFrames.get(file) ?? { frames: facts.ifds, inPage: 1 };
      const dtype = facts.dtype === "bool" ? "uint8" : facts.dtype === "float16" ? "float32" : facts.dtype;
      expect(movie, file).toMatchObject({ width: facts.width, height: facts.height, dtype, frames });
      const format = facts.flavour?.includes("ome") ? "ome-tiff" : facts.flavour ? "imagej-tiff" : "tiff";
      expect(movie.format, file).toBe(format);
      // Bits and half floats are hashed in another width than ours.
      const exact = dtype === facts.dtype;
      const numbers = [...Array(frames).keys()];
      if (facts.first?.sum !== undefined && facts.first.sum !== null) {
        expectPage(await samplesOf(movie, numbers.slice(0, inPage)), facts.first, exact);
        if (exact) hashed++;
      }
      if (facts.last?.sum !== undefined && facts.last.sum !== null && frames > 1) {
        expectPage(await samplesOf(movie, numbers.slice(-inPage)), facts.last, exact);
      }
      read++;
    });
  }
  console.log(`real TIFFs: ${read} read (${hashed} to the last bit), ${refusals} refused by name`);
  expect(read + refusals).toBe(Object.keys(table).length);
  expect(refusals).toBe(refused.size);
});

withData("whatever container the frames are in, they are the same", async () => {
  const expected = await opened("images/derived_containers/bf16_expected.npy", (movie) => {
    expect(movie).toMatchObject({ format: "npy", frames: 16, width: 192, height: 192, dtype: "uint8" });
    return samplesOf(movie, [...Array(16).keys()]);
  });
  const files = readdirSync(path.join(folder, "images/derived_containers")).filter((name) => name.endsWith(".tif"));
  for (const file of files) {
    const factor = file === "bf16_u16_be.tif" ? 16 : 1;
    const samples = await opened(`images/derived_containers/${file}`, (movie) =>
      samplesOf(movie, [...Array(16).keys()]),
    );
    expect(samples.length).toBe(expected.length);
    expect(
      samples.every((value, at) => value === factor * expected[at]!),
      file,
    ).toBe(true);
  }
  expect(files.length).toBe(5);
});

withData("scale and clock stand in the file, under the name of where they stand", async () => {
  const clocks: [string, number | null, string, number | null, string][] = [
    ["images/derived_containers/bf16.ome.tif", 0.1, "OME PhysicalSizeX", 0.5, "OME DeltaT"],
    ["images/derived_containers/bf16_imagej.tif", 0.1, "ImageJ XResolution", 0.5, "ImageJ finterval"],
    ["images/derived_containers/bf16_imagej_single_ifd.tif", null, "missing", 0.5, "ImageJ finterval"],
    ["images/derived_containers/bf16_u16_be.tif", null, "missing", null, "missing"],
    ["images/tiff_flavours/image-js/stack.tif", 0.064, "ImageJ XResolution", 0.030588509514927864, "ImageJ finterval"],
    ["images/stacks/pims/tiff_stack.tif", null, "missing", null, "missing"],
    ["images/ome_tiff/time-series.ome.tif", null, "missing", null, "missing"],
  ];
  for (const [file, pixelSize_um, pixelSizeSource, interval_s, timeSource] of clocks) {
    await opened(file, async (movie) => {
      expect(movie, file).toMatchObject({ pixelSize_um, pixelSizeSource, timeSource });
      const last_s = interval_s === null ? undefined : (movie.frames - 1) * interval_s;
      if (last_s === undefined) expect(movie.time_s).toBeNull();
      else expect(movie.time_s!.at(-1)).toBeCloseTo(last_s, 9);
    });
  }
});

withData("real stacks and folders of frames are whole movies", async () => {
  for (const number of [0, 1]) {
    const known = await opened(`images/stacks/pims/stuck_frame${number}.npy`, (movie) => samplesOf(movie, [0]));
    for (const file of ["stuck.tif", "tiff_stack.tif"]) {
      const frame = await opened(`images/stacks/pims/${file}`, (movie) => samplesOf(movie, [number]));
      expect(Buffer.compare(littleEndianBytes(frame), littleEndianBytes(known))).toBe(0);
    }
  }
  await opened("images/stacks/foam", async (movie) => {
    expect(movie).toMatchObject({ format: "folder", frames: 9, width: 768, height: 768, dtype: "uint8" });
    expect(sampleStats(await samplesOf(movie, [0]))).toEqual({ min: 0, max: 255, sum: 118647782 });
    expect(sampleStats(await samplesOf(movie, [8])).sum).toBe(118714134);
  });
  await opened("images/stacks/brightfield_png", async (movie) => {
    expect(movie).toMatchObject({ format: "folder", frames: 24, width: 500, height: 500, dtype: "uint8" });
    const first = sampleStats(await samplesOf(movie, [0]));
    expect([first.min, first.max]).toEqual([63, 255]);
    expect(first.sum / 250_000).toBeCloseTo(142.094, 3);
    expect(sampleStats(await samplesOf(movie, [23])).sum / 250_000).toBeCloseTo(142.1011, 4);
  });
});

withData("malformed TIFFs are refused or read up to the cut, at once and in little memory", async () => {
  const names = ["malformed/tiff", "malformed/tiff/gofuzz"].flatMap((below) => {
    return readdirSync(path.join(folder, below)).map((name) => `${below}/${name}`);
  });
  const files = [...names, "malformed/truncated/time-series_cut60.ome.tif"].filter((name) => /\.tiff?$/.test(name));
  const before_MB = process.resourceUsage().maxRSS / 1024;
  let [read, refusals] = [0, 0];
  for (const file of files) {
    const start = performance.now();
    try {
      await opened(file, async (movie) => {
        await samplesOf(movie, [...Array(Math.min(movie.frames, 8)).keys()]);
        read++;
      });
    } catch (error) {
      expect(error, file).toBeInstanceOf(FormatError);
      expect((error as FormatError).message.split("\n").length).toBe(1);
      refusals++;
    }
    expect(performance.now() - start, file).toBeLessThan(2000);
  }
  expect(process.resourceUsage().maxRSS / 1024 - before_MB).toBeLessThan(200);
  console.log(`malformed TIFFs: ${refusals} refused, ${read} read`);
  expect(files.length).toBeGreaterThan(40);
});

withData("chains that loop and files that are cut say how far they are used", async () => {
  const said: [string, number, RegExp][] = [
    ["malformed/tiff/pillow_multipage_single_frame_loop.tiff", 1, /turns back/],
    ["malformed/tiff/pillow_multipage_multiple_frame_loop.tiff", 2, /turns back/],
    [
      "malformed/truncated/time-series_cut60.ome.tif",
      4,
      /cut off: at least 2 frames are missing, the first 4 are used/,
    ],
  ];
  for (const [file, frames, words] of said) {
    await opened(file, async (movie) => {
      expect(movie.frames, file).toBe(frames);
      expect(movie.warnings.join()).toMatch(words);
    });
  }
});

withData("the pages of an NDTiff stack are read as they stand, without scale and clock", async () => {
  const stacks = path.join("images", "ndtiff", "ndtiffv3.0_test", "ndtiffv3.0_test_NDTiffStack.tif");
  expect(existsSync(path.join(folder, stacks))).toBe(true);
  await opened(stacks, async (movie) => {
    expect(movie).toMatchObject({ frames: 10, width: 32, height: 32, dtype: "uint16", time_s: null });
    expect(movie.warnings.join()).toMatch(/NDTiff dataset are frames as they stand/);
    const { min, max } = sampleStats(await samplesOf(movie, [...Array(10).keys()]));
    expect([min, max]).toEqual([706, 5846]);
  });
});
