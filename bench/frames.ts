/** Frames: how many a second come out of an uncompressed stack, beside geotiff and tifffile; and how soon large files open. */
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fromFile } from "geotiff";
import { openFile } from "../src/io/bytes.node.js";
import { writeOmeTiff } from "../src/io/ome-tiff-write.js";
import { openMovie } from "../src/io/open.js";
import { wallTimes } from "./measure.js";
import { python } from "./peers.js";
import type { Row } from "./row.js";
import { writeSparse } from "./sparse-tiff.js";

export const about =
  "Frames of an uncompressed OME-TIFF of 600 x 512 x 512 uint16, read one after another from a warm file; and large BigTIFFs opened, each frame behind its directory.";

const SIDE = 512;

export async function rows(quick: boolean): Promise<Row[]> {
  const frames = quick ? 100 : 600;
  const runs = quick ? 2 : 5;
  const folder = mkdtempSync(path.join(tmpdir(), "ionoscope-bench-"));
  try {
    const file = path.join(folder, "stack.ome.tif");
    await stack(file, frames);
    const rate = (ms: readonly number[]): number[] => ms.map((one) => (1000 * frames) / one);
    const ours = await wallTimes(runs + 1, () => read(file));
    const theirs = await wallTimes(quick ? 1 : 2, () => readByGeotiff(file, frames));
    const python_ms = (await python("frames.py", [file, String(runs)])) as number[] | null;
    const sparse = async (what: string, count: number, side: number): Promise<Row> => {
      const large = path.join(folder, "large.tif");
      writeSparse(large, count, side, side);
      const values = await wallTimes(runs, async () => (await openMovie(await openFile(large))).close());
      rmSync(large);
      return { what, unit: "ms", values };
    };
    return [
      {
        what: `frames of ${SIDE} x ${SIDE} read`,
        unit: "frames/s",
        values: rate(ours.slice(1)),
        peers: [
          { name: "geotiff readRasters", values: rate(theirs) },
          { name: "tifffile asarray", values: python_ms === null ? null : rate(python_ms) },
        ],
      },
      await sparse("open 768 frames of 2048 x 2048, 6 GiB", 768, 2048),
      await sparse("open 100,000 scattered frames of 128 x 128", quick ? 10_000 : 100_000, 128),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function stack(file: string, frames: number): Promise<void> {
  const descriptor = openSync(file, "w");
  const frame = Uint16Array.from({ length: SIDE * SIDE }, (_, at) => (Math.imul(at, 2654435761) >>> 20) & 4095);
  await writeOmeTiff({
    width: SIDE,
    height: SIDE,
    dtype: "uint16",
    pixelSize_um: 0.08,
    time_s: Float64Array.from({ length: frames }, (_, at) => 5 * at),
    start: null,
    frameStamp: "middle",
    frames: Array.from({ length: frames }, () => frame),
    sink: { write: async (bytes, position) => void writeSync(descriptor, bytes, 0, bytes.length, position) },
  });
  closeSync(descriptor);
}

async function read(file: string): Promise<void> {
  const movie = await openMovie(await openFile(file));
  const into = new Uint16Array(SIDE * SIDE);
  for (let number = 0; number < movie.frames; number++) await movie.read(number, into);
  await movie.close();
}

async function readByGeotiff(file: string, frames: number): Promise<void> {
  const tiff = await fromFile(file);
  for (let number = 0; number < frames; number++) await (await tiff.getImage(number)).readRasters();
  tiff.close();
}
