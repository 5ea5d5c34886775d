/** The whole way from a movie's file to its findings, as the command line goes it, beside two chains in Python. */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { makeMovie } from "./made-movie.js";
import { python } from "./peers.js";
import { commandLine, nodeProcess, type Took } from "./process.js";
import type { Row } from "./row.js";

export const about =
  "`analyse` as a process with `--threads 2`, start-up and all, on a made movie of uint16 frames with two crystals of 8 % of the field, each crossed by a front; the file is warm. The usual chain in Python: imread, phase_cross_correlation (upsampled 20 times), ndimage.shift of order 3, flat and gain, background, differential, Otsu, half-level arrival, find_contours. The best assembly: rFFT correlation of a carrier of 256 x 256 with a parabola, OpenCV's cubic warp and a least-squares step by prefix sums in the crystals' boxes alone. They do a part of what `analyse` does.";

const THREADS = 2;
/** No run is begun after so long. */
const ENOUGH_S = 45;

interface Chain {
  readonly wall_s: readonly number[];
  readonly peak_MB: number;
}

export async function rows(quick: boolean): Promise<Row[]> {
  const main = commandLine();
  const [frames, side] = quick ? [120, 256] : [600, 512];
  const folder = mkdtempSync(path.join(tmpdir(), "ionoscope-bench-"));
  try {
    const made = await makeMovie(folder, frames, side);
    const from = performance.now();
    const took: Took[] = [];
    while (took.length < (quick ? 1 : 3) && (performance.now() - from) / 1000 < ENOUGH_S) {
      const out = path.join(folder, `out${took.length}`);
      const args = ["--out", out, "--figures", "none", "--threads", String(THREADS), "--quiet"];
      took.push(await nodeProcess([main, "analyse", made.movie, made.cycling, "--black-level", "100", ...args]));
    }
    const chains = (await python("river.py", [made.movie, JSON.stringify(made.boxes_px)])) as {
      usual?: Chain;
      best?: Chain;
    } | null;
    const rate = (wall_s: readonly number[]): number[] => wall_s.map((seconds) => frames / seconds);
    const of = (chain: Chain | undefined): number[] | null => (chain === undefined ? null : rate(chain.wall_s));
    const size = `${frames} x ${side} x ${side}, ${(statSync(made.movie).size / 1e6).toFixed(0)} MB`;
    const memory = (chain: Chain | undefined): number[] | null => (chain === undefined ? null : [chain.peak_MB]);
    return [
      {
        what: `the whole river, ${size}`,
        unit: "frames/s",
        values: rate(took.map(({ wall_s }) => wall_s)),
        ...(quick ? {} : { wanted: { atLeast: 1000 } }),
        peers: [
          { name: "the usual chain in Python", values: of(chains?.usual), wanted: { atLeast: 40 } },
          { name: "the best assembly in Python", values: of(chains?.best), wanted: { atLeast: 5 } },
        ],
      },
      {
        what: "most memory resident",
        unit: "MB",
        values: took.map(({ peak_MB }) => peak_MB),
        wanted: { atMost: 400 },
        peers: [
          { name: "the usual chain in Python", values: memory(chains?.usual) },
          { name: "the best assembly in Python", values: memory(chains?.best) },
        ],
      },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
