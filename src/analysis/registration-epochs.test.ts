import { expect, test } from "vitest";
import { random } from "../kernels/random.js";
import type { Movie } from "../model/movie.js";
import { estimateDrift } from "./drift.js";

const N = 160;
const PSF_UM = 0.118;
const SIGMA = PSF_UM / 0.08;

/** Carbon whose grains brighten and fade, each at its own pace: after `memory` frames little of the first is left. */
function changing(
  seed: number,
  frames: number,
  memory: number,
  at: (frame: number) => readonly [number, number],
): Movie {
  const draw = random(seed);
  const grains = Array.from({ length: 4000 }, () => ({
    x: draw.uniform() * (N + 24) - 12,
    y: draw.uniform() * (N + 24) - 12,
    phase: 2 * Math.PI * draw.uniform(),
    pace: draw.normal() / memory,
  }));
  return {
    name: "changing",
    format: "memory",
    start: null,
    width: N,
    height: N,
    frames,
    dtype: "uint16",
    pixelSize_um: 0.08,
    pixelSizeSource: "test",
    time_s: Float64Array.from({ length: frames }, (_, frame) => 5 * frame),
    timeSource: "test",
    frameStamp: "middle",
    warnings: [],
    read: (frame, into) => {
      const [dx, dy] = at(frame);
      const image = new Float64Array(N * N).fill(4000);
      const reach = 6;
      for (const { x, y, phase, pace } of grains) {
        const a = 1200 * (0.5 + 0.5 * Math.cos(phase + pace * frame)) ** 2;
        const [cx, cy] = [x + dx, y + dy];
        const [left, top] = [Math.round(cx) - reach, Math.round(cy) - reach];
        const along = Array.from({ length: 2 * reach + 1 }, (_, k) =>
          Math.exp(-((left + k - cx) ** 2) / (2 * SIGMA * SIGMA)),
        );
        for (let v = Math.max(0, top); v <= Math.min(N - 1, top + 2 * reach); v++) {
          const down = a * Math.exp(-((v - cy) ** 2) / (2 * SIGMA * SIGMA));
          for (let u = Math.max(0, left); u <= Math.min(N - 1, left + 2 * reach); u++)
            image[v * N + u]! += down * along[u - left]!;
        }
      }
      const noises = random(seed * 100_003 + frame);
      for (let k = 0; k < image.length; k++) into[k] = image[k]! * (1 + 0.007 * noises.normal());
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  };
}

const wander = (frame: number): readonly [number, number] => [
  2.5 * Math.sin(frame / 170) + 0.002 * frame,
  1.5 * Math.cos(frame / 230) - 1.5,
];

test("carbon that becomes another through a long run is followed by renewed references, as far as its grains allow", async () => {
  const movie = changing(3, 500, 220, wander);
  const drift = await estimateDrift(movie, [], { blackLevel: 0, region_px: null, psf_um: PSF_UM });
  expect(drift.anchors.length).toBeGreaterThanOrEqual(2);
  expect(drift.warnings.join(" ")).toContain("texture slowly becomes another");
  let worst = 0;
  for (let frame = 0; frame < movie.frames; frame++) {
    const [x, y] = wander(frame);
    const [x0, y0] = wander(0);
    worst = Math.max(worst, Math.hypot(drift.x_px[frame]! - (x - x0), drift.y_px[frame]! - (y - y0)));
  }
  // A scene that becomes another is known no better than a grain over the root of their number: 0.05 px here.
  expect(worst).toBeLessThan(SIGMA / Math.sqrt(N ** 2 / (4 * Math.PI * SIGMA ** 2)));
}, 60_000);

test("carbon that stays is never given another reference", async () => {
  const movie = changing(4, 160, 1e9, wander);
  const drift = await estimateDrift(movie, [], { blackLevel: 0, region_px: null, psf_um: PSF_UM });
  expect(drift.anchors).toEqual([]);
  expect(drift.warnings).toEqual([]);
});
