/** What a pass through a movie costs as it grows longer and larger, and how much memory it holds. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { madeScene } from "./made-movie.js";
import { nodeProcess } from "./process.js";
import { middle, type Row } from "./row.js";
import { writeShared } from "./sparse-tiff.js";

export const about =
  "One pass through a movie with two threads: frames read in order, drift estimated. The frames are the same 60 again and again, from the machine's memory, in a TIFF whose pages share strips. Rates are of the pass, opening left out.";

const DISTINCT = 60;

interface Pass {
  /** Frames a second, ns a pixel. */
  readonly rate: number;
  readonly ns: number;
  readonly peak_MB: number;
}

export async function rows(quick: boolean): Promise<Row[]> {
  const folder = mkdtempSync(path.join(tmpdir(), "ionoscope-bench-"));
  const pass = async (frames: number, width: number, height: number): Promise<Pass> => {
    const file = path.join(folder, "movie.tif");
    writeShared(file, frames, width, height, DISTINCT, madeScene(DISTINCT, width, height, true).render);
    const { stdout, peak_MB } = await nodeProcess([path.join(import.meta.dirname, "stream.js"), file]);
    const { wall_s } = JSON.parse(stdout) as { wall_s: number };
    return { rate: frames / wall_s, ns: (1e9 * wall_s) / (frames * width * height), peak_MB };
  };
  try {
    const lengths = quick ? [200, 600] : [600, 3000, 20_000];
    const long: Pass[] = [];
    for (const frames of lengths) long.push(await pass(frames, 256, 256));
    const heights = quick ? [256, 512] : [256, 512, 1200];
    const tall: Pass[] = [];
    for (const height of heights) tall.push(await pass(quick ? 120 : 600, 512, height));
    // 4.6 MB a frame: 0.3 GB and 20 GB.
    const [small, great] = [await pass(65, 1920, 1200), await pass(quick ? 200 : 4340, 1920, 1200)];
    const size = (frames: number): string => `${((frames * 1920 * 1200 * 2) / 1e9).toFixed(1)} GB`;
    return [
      ...lengths.map((frames, at): Row => ({
        what: `pass, ${frames.toLocaleString("en-US")} x 256 x 256`,
        unit: "frames/s",
        values: [long[at]!.rate],
        note: `${long[at]!.peak_MB.toFixed(0)} MB`,
      })),
      {
        what: `a frame of ${lengths.at(-1)!.toLocaleString("en-US")} costs, over one of ${lengths[0]}`,
        unit: "times",
        values: [long[0]!.rate / long.at(-1)!.rate],
        wanted: { atMost: 1.1 },
      },
      ...heights.map((height, at): Row => ({
        what: `pass, 512 x ${height}`,
        unit: "ns a pixel",
        values: [tall[at]!.ns],
        note: `${tall[at]!.peak_MB.toFixed(0)} MB`,
      })),
      {
        what: `a pixel of ${heights.at(-1)} lines costs, over one of ${heights[0]}`,
        unit: "times",
        values: [tall.at(-1)!.ns / tall[0]!.ns],
        wanted: { atMost: 1.1 },
      },
      {
        what: `stream of 1920 x 1200, ${size(quick ? 200 : 4340)}`,
        unit: "frames/s",
        values: [great.rate],
        wanted: { atLeast: 110 },
        note: `${((great.rate * 1920 * 1200 * 2) / 1e6).toFixed(0)} MB/s`,
      },
      { what: `most memory resident, ${size(65)}`, unit: "MB", values: [small.peak_MB] },
      { what: `most memory resident, ${size(quick ? 200 : 4340)}`, unit: "MB", values: [great.peak_MB] },
      {
        what: "memory of the great stream over the small",
        unit: "times",
        values: [middle([great.peak_MB]) / small.peak_MB],
        wanted: { atMost: 1.1 },
      },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
