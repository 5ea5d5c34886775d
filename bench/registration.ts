/**
 * Registration: frames a second and error against truth, for a crystal on speckle with 1 % noise, 1 % pixel gains,
 * 20 % vignette, 1 % flicker and 1 um of drift.
 *
 *     npx rolldown bench/registration.ts --platform node -o dist/bench/registration.mjs && node dist/bench/registration.mjs
 */
import { cropParticles, readStack } from "../src/analysis/crops.js";
import { estimateDrift } from "../src/analysis/drift.js";
import { driftingCarrier } from "../test/drifting-carrier.js";

const RUNS = 5;
const SEED = 7;

interface Line {
  readonly what: string;
  readonly frames: number;
  readonly seconds: readonly number[];
  readonly note: string;
}

async function timed(frames: number, what: string, run: () => Promise<string> | string): Promise<Line> {
  let note = await run();
  const seconds: number[] = [];
  for (let count = 0; count < RUNS; count++) {
    const start = performance.now();
    note = await run();
    seconds.push((performance.now() - start) / 1000);
  }
  return { what, frames, seconds, note };
}

const lines: Line[] = [];
for (const { side, frames } of [
  { side: 192, frames: 300 },
  { side: 512, frames: 120 },
]) {
  const made = driftingCarrier({
    seed: SEED,
    width: side,
    height: side,
    frames,
    prnu: 0.01,
    vignette: 0.2,
    flicker: 0.01,
    drift_px: (frame) => [
      (10 * frame) / (frames - 1) + 0.05 * Math.sin(7 * frame),
      7.5 * (frame / (frames - 1)) ** 2 + 0.05 * Math.cos(5 * frame),
    ],
  });
  const options = { blackLevel: made.blackLevel, region_px: null, psf_um: 0.118 };
  let drift = await estimateDrift(made.movie, made.particles, options);
  lines.push(
    await timed(frames, `drift, ${side} x ${side} px`, async () => {
      drift = await estimateDrift(made.movie, made.particles, options);
      let squares = 0;
      for (const [frame, [x, y]] of made.drift_px.entries()) {
        const [x0, y0] = made.drift_px[0]!;
        squares += (drift.x_px[frame]! - x + x0) ** 2 + (drift.y_px[frame]! - y + y0) ** 2;
      }
      const rms_px = Math.sqrt(squares / (2 * frames));
      const stated_px = drift.residual_nm.value / (1000 * made.movie.pixelSize_um);
      return `error ${rms_px.toFixed(4)} px rms, stated ${stated_px.toFixed(4)}`;
    }),
  );
  let [crop] = await cropParticles(made.movie, made.particles, drift, { blackLevel: made.blackLevel, ring_px: 10 });
  lines.push(
    await timed(frames, `crops, ${side} x ${side} px`, async () => {
      [crop] = await cropParticles(made.movie, made.particles, drift, { blackLevel: made.blackLevel, ring_px: 10 });
      return `one particle, ${crop!.width} x ${crop!.height} px`;
    }),
    await timed(frames, "crop laid still", () => `${readStack(crop!).data.length / frames} px a frame`),
  );
}

console.log("what".padEnd(26), "frames/s (best, worst)".padEnd(24), "note");
for (const { what, frames, seconds, note } of lines) {
  const [best, worst] = [frames / Math.min(...seconds), frames / Math.max(...seconds)];
  console.log(what.padEnd(26), `${best.toFixed(0)}, ${worst.toFixed(0)}`.padEnd(24), note);
}
