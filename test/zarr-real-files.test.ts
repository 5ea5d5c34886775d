/** OME-Zarr images of others: the facts known of each, or a refusal that says what is wrong. */
import path from "node:path";
import { expect, test } from "vitest";
import { openPath } from "../src/io/bytes.node.js";
import { openMovie } from "../src/io/open.js";
import { frameBuffer } from "../src/io/views.js";
import { FormatError } from "../src/model/errors.js";
import type { MovieFile, Samples } from "../src/model/movie.js";
import { dataFolder } from "./data-folder.js";

const withData = test.skipIf(dataFolder === null);

async function opened<T>(name: string, work: (movie: MovieFile) => Promise<T>): Promise<T> {
  const movie = await openMovie(await openPath(path.join(dataFolder!, name)));
  try {
    return await work(movie);
  } finally {
    await movie.close();
  }
}

async function framesOf(movie: MovieFile): Promise<Samples[]> {
  const frames: Samples[] = [];
  for (let frame = 0; frame < movie.frames; frame++) {
    const into = frameBuffer(movie);
    await movie.read(frame, into);
    frames.push(into);
  }
  return frames;
}

withData("each image has the shape, the pixels and the scale known of it", async () => {
  const cases = [
    ["blobs_image_v04.ome.zarr", [3, 12, 12], 0, 1, 234.0001472, null],
    ["blobs_image_v05.ome.zarr", [3, 12, 12], 0, 1, 234.0001472, null],
    ["examples_valid/image-01.zarr", [1, 1000, 1000], 0, 0, 0, 1],
    ["examples_valid/image-02.zarr", [1, 200, 200], 0.00723585, 999.987, 20_090_445.57, 1],
    ["examples_valid/image-03.zarr", [2, 100, 100], 0.114586, 999.983, 10_024_931.53, 1],
    ["examples_valid/image-04.zarr", [2, 64, 64], 0, 0, 0, 1],
  ] as const;
  for (const [name, shape, min, max, sum, pixelSize_um] of cases) {
    await opened(`images/ome_zarr/${name}`, async (movie) => {
      expect([movie.frames, movie.height, movie.width], name).toEqual(shape);
      expect(movie, name).toMatchObject({ format: "ome-zarr", dtype: "float64", pixelSize_um, time_s: null });
      const samples = (await framesOf(movie)).flatMap((frame) => [...frame]);
      expect(
        samples.reduce((a, b) => Math.min(a, b)),
        name,
      ).toBeCloseTo(min, 5);
      expect(
        samples.reduce((a, b) => Math.max(a, b)),
        name,
      ).toBeCloseTo(max, 3);
      expect(
        samples.reduce((a, b) => a + b),
        name,
      ).toBeCloseTo(sum, 2);
      if (sum === 0) expect(movie.warnings.join(), name).toMatch(/not one of its chunks is there/);
    });
  }
});

withData("the array that is also in other containers is the same here, with its times", async () => {
  await opened("images/derived_containers/bf16.ome.zarr", async (movie) => {
    expect(movie).toMatchObject({ frames: 16, width: 192, height: 192, dtype: "uint8", warnings: [] });
    expect(movie.pixelSize_um).toBe(0.1);
    expect([...movie.time_s!]).toEqual(Array.from({ length: 16 }, (_, frame) => frame * 0.5));
    const frames = await framesOf(movie);
    const wanted = await opened("images/derived_containers/bf16_expected.npy", framesOf);
    for (const [at, frame] of frames.entries()) expect(Buffer.compare(bytes(frame), bytes(wanted[at]!))).toBe(0);
  });
});

const bytes = ({ buffer }: Samples): Buffer => Buffer.from(buffer);

withData("invalid ones are refused, a single file of metadata too", async () => {
  const cases: [string, RegExp][] = [
    ["malformed/ome_zarr_invalid/image-01.zarr", /group without multiscales/],
    ["malformed/ome_zarr_invalid/image-03.zarr", /name "0", but there is no array in 0/],
    ["images/ome_zarr/examples_valid/image-03.zarr/labels", /labels/],
    ["images/ome_zarr/examples_valid/image-03.zarr/.zattrs", /metadata of a Zarr dataset.*Name the folder/],
    ["images/derived_containers/bf16.ome.zarr/0/.zarray", /metadata of a Zarr dataset.*Name the folder/],
    ["images/ome_zarr/blobs_image_v05.ome.zarr/zarr.json", /metadata of a Zarr dataset.*Name the folder/],
  ];
  for (const [name, words] of cases) {
    await expect(opened(name, framesOf), name).rejects.toThrow(words);
    await expect(opened(name, framesOf), name).rejects.toThrow(FormatError);
  }
});
