/** What a pass through a movie costs as it grows longer and larger, and how much memory it holds. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { madeScene } from "./made-movie.js";
import { nodeProcess } from "./process.js";
import type { Row } from "./row.js";
import { writeShared } from "./sparse-tiff.js";

export const about =
  "One pass through a movie with two threads: frames read in order, drift estimated. The frames are the same 60 again and again, from the machine's memory, in a TIFF whose pages share strips. Rates are of the pass, opening left out.";

const DISTINCT = 60;

interface Pass {
  readonly frames: number;
  readonly lines: number;
  readonly wall_s: number;
  readonly peak_MB: number;
}

export async function rows(quick: boolean): Promise<Row[]> {
  const folder = mkdtempSync(path.join(tmpdir(), "ionoscope-bench-"));
  const pass = async (frames: number, width: number, lines: number, runs = 1): Promise<Pass> => {
    const file = path.join(folder, "movie.tif");
    writeShared(file, frames, width, lines, DISTINCT, madeScene(DISTINCT, width, lines, true).render);
    let [wall_s, peak_MB] = [Infinity, 0];
    for (let run = 0; run < runs; run++) {
      const took = await nodeProcess([path.join(import.meta.dirname, "stream.js"), file]);
      wall_s = Math.min(wall_s, (JSON.parse(took.stdout) as { wall_s: number }).wall_s);
      peak_MB = Math.max(peak_MB, took.peak_MB);
    }
    return { frames, lines, wall_s, peak_MB };
  };
  try {
    const long: Pass[] = [];
    for (const frames of quick ? [200, 400, 600] : [600, 5000, 20_000]) long.push(await pass(frames, 256, 256));
    const tall: Pass[] = [];
    for (const lines of [256, 512, 1200]) tall.push(await pass(quick ? 60 : 600, 512, lines, quick ? 1 : 3));
    // 4.6 MB a frame: 0.3 GB and 20 GB.
    const [small, great] = [await pass(65, 1920, 1200, 3), await pass(quick ? 200 : 4340, 1920, 1200)];
    const size = (frames: number): string => `${((frames * 1920 * 1200 * 2) / 1e9).toFixed(1)} GB`;
    const rate = ({ frames, wall_s }: Pass): number => frames / wall_s;
    return [
      ...long.map((one): Row => ({
        what: `pass, ${one.frames.toLocaleString("en-US")} x 256 x 256`,
        unit: "frames/s",
        values: [rate(one)],
        note: `${one.peak_MB.toFixed(0)} MB`,
      })),
      {
        what: `a further frame costs, up to ${long[2]!.frames.toLocaleString("en-US")} over up to ${long[1]!.frames.toLocaleString("en-US")}`,
        unit: "times",
        values: [growth(long)],
        wanted: { atMost: 1.1 },
      },
      ...tall.map((one): Row => ({
        what: `pass, ${one.frames} x 512 x ${one.lines}`,
        unit: "s",
        values: [one.wall_s],
        note: `${one.peak_MB.toFixed(0)} MB`,
      })),
      {
        what: "a pixel of 1200 lines costs, over one of 256",
        unit: "times",
        values: [(256 * tall[2]!.wall_s) / (1200 * tall[0]!.wall_s)],
        wanted: { atMost: 1.1 },
      },
      {
        what: `stream of 1920 x 1200, ${size(quick ? 200 : 4340)}`,
        unit: "frames/s",
        values: [rate(great)],
        wanted: { atLeast: 110 },
        note: `${((rate(great) * 1920 * 1200 * 2) / 1e6).toFixed(0)} MB/s`,
      },
      { what: `most memory resident, ${size(65)}`, unit: "MB", values: [small.peak_MB] },
      { what: `most memory resident, ${size(quick ? 200 : 4340)}`, unit: "MB", values: [great.peak_MB] },
      {
        what: "memory of the great stream over the small",
        unit: "times",
        values: [great.peak_MB / small.peak_MB],
        wanted: { atMost: 1.1 },
      },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What a frame of the second stretch of three passes costs, over one of the first stretch: 1 where cost is straight. */
function growth([a, b, c]: readonly Pass[]): number {
  const slope = (from: Pass, to: Pass): number => (to.wall_s - from.wall_s) / (to.frames - from.frames);
  return slope(b!, c!) / slope(a!, b!);
}
