/** Registration: frames a second and error against truth, beside what others have for it, on the same frames. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { BLACK, madeScene } from "./made-movie.js";
import { python } from "./peers.js";
import { nodeProcess } from "./process.js";
import type { Row } from "./row.js";
import { writeShared } from "./sparse-tiff.js";

export const about =
  "Drift of a made movie of uint16 frames, 0.9 % noise, 1 % pixel gains, 1 % flicker, uneven light and 5 px of drift, with two crystals that change; two threads, from the file, opening left out. rms is that of both shifts against truth, the first frame's taken off. Python reads the same file.";

interface Shifts {
  readonly x_px: readonly number[];
  readonly y_px: readonly number[];
}

export async function rows(quick: boolean): Promise<Row[]> {
  const folder = mkdtempSync(path.join(tmpdir(), "ionoscope-bench-"));
  const found: Row[] = [];
  try {
    for (const { side, frames } of quick
      ? [{ side: 256, frames: 200 }]
      : [
          { side: 256, frames: 2000 },
          { side: 512, frames: 600 },
        ]) {
      const scene = madeScene(frames, side, side);
      const file = path.join(folder, `${side}.tif`);
      writeShared(file, frames, side, side, frames, scene.render);
      const rms = ({ x_px, y_px }: Shifts): number => {
        let squares = 0;
        for (let frame = 0; frame < x_px.length; frame++) {
          const [x, y] = scene.drift_px[frame]!;
          const [x0, y0] = scene.drift_px[0]!;
          squares += (x_px[frame]! - x_px[0]! - x + x0) ** 2 + (y_px[frame]! - y_px[0]! - y + y0) ** 2;
        }
        return Math.sqrt(squares / (2 * x_px.length));
      };
      const rates: number[] = [];
      const warm: number[] = [];
      let error_px = NaN;
      for (let run = 0; run < (quick ? 1 : 3); run++) {
        const { stdout } = await nodeProcess([path.join(import.meta.dirname, "stream.js"), file]);
        const said = JSON.parse(stdout) as Shifts & { readonly wall_s: number; readonly warm_s: number };
        rates.push(frames / said.wall_s);
        warm.push(frames / 2 / said.warm_s);
        error_px = rms(said);
      }
      const peers = (await python("registration.py", [file, String(BLACK), "60"])) as Record<
        string,
        Shifts & { readonly wall_s: number }
      > | null;
      const names = ["skimage phase_cross_correlation", "the same, not normalised", "OpenCV phaseCorrelate"];
      const wanted = side === 256;
      found.push(
        {
          what: `registration, ${frames} x ${side} x ${side}`,
          unit: "frames/s",
          values: rates,
          peers: names.map((name) => ({
            name,
            values: peers?.[name] === undefined ? null : [peers[name].x_px.length / peers[name].wall_s],
          })),
        },
        {
          what: `registration once warm, ${side} x ${side}`,
          unit: "frames/s",
          values: warm,
          ...(wanted ? { wanted: { atLeast: 1500 } } : {}),
          note: "the second half of the frames",
        },
        {
          what: `error of registration, ${side} x ${side}`,
          unit: "px rms",
          values: [error_px],
          ...(wanted ? { wanted: { atMost: 0.01 } } : {}),
          peers: names.map((name) => ({ name, values: peers?.[name] === undefined ? null : [rms(peers[name])] })),
        },
      );
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return found;
}
