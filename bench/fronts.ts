/**
 * Fronts: pixels a second from a crystal's frames to its arrival map, and to all that is read off the map, with the errors
 * against truth; a front of 20 nm/s under a bright line, 1 % noise, 15 % texture.
 *
 *     npx rolldown bench/fronts.ts --platform node -o dist/bench/fronts.mjs && node dist/bench/fronts.mjs
 */
import { mapFront } from "../src/analysis/fronts.js";
import { measureKinetics } from "../src/analysis/kinetics.js";
import { classifyMechanism } from "../src/analysis/mechanisms.js";
import { madSigma, median } from "../src/kernels/stats.js";
import { movingFront, planeFront, withNoise } from "../test/moving-front.js";

const RUNS = 5;
const cases = [
  { name: "6 x 5 um, 80 nm, 5 s", semi_um: [3, 2.4], pixelSize_um: 0.08, interval_s: 5 },
  { name: "10 x 8 um, 80 nm, 3 s", semi_um: [5, 4], pixelSize_um: 0.08, interval_s: 3 },
  { name: "4 x 3 um, 35 nm, 5 s", semi_um: [2, 1.5], pixelSize_um: 0.035, interval_s: 5 },
  { name: "6 x 5 um, 80 nm, 1 s", semi_um: [3, 2.4], pixelSize_um: 0.08, interval_s: 1 },
] as const;

console.log("case                    pixels frames   map ms (spread)   px/s   rest ms   velocity   arrival bias, MAD");
for (const { name, ...scene } of cases) {
  const made = movingFront({ ...scene, ...planeFront(0.02, 30), line: 0.5, seed: 7 });
  const stack = withNoise(made.clean, 0.01, 7);
  const map = () =>
    mapFront(stack, made.window, {
      particle: 0,
      transition: 0,
      mask: made.mask,
      origin_px: [0, 0],
      estimator: "step+line",
      lag_s: null,
      psf_um: made.psf_um,
    })!;
  const read = (front: ReturnType<typeof map>) => {
    classifyMechanism(front);
    return measureKinetics(front, {
      kind: "biphasic",
      c_rate_factor: 0.353,
      bandwidth_s: 20,
      psf_um: made.psf_um,
      clock_sd_s: null,
    })!;
  };
  read(map());
  const mapped_ms: number[] = [];
  const read_ms: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const from = performance.now();
    const front = map();
    const between = performance.now();
    read(front);
    mapped_ms.push(between - from);
    read_ms.push(performance.now() - between);
  }
  const front = map();
  const { velocity_um_s } = read(front);
  const errors = front.arrival_s.map((t_s, at) => t_s - made.passing_s[at]!);
  const pixels = made.mask.reduce((sum, one) => sum + one, 0);
  const least = Math.min(...mapped_ms);
  console.log(
    [
      name.padEnd(23),
      String(pixels).padStart(6),
      String(stack.time_s.length).padStart(6),
      `${least.toFixed(0)} (+${(Math.max(...mapped_ms) - least).toFixed(0)})`.padStart(16),
      ((1000 * pixels) / least).toFixed(0).padStart(7),
      Math.min(...read_ms)
        .toFixed(0)
        .padStart(9),
      `${(100 * (velocity_um_s.value / 0.02 - 1)).toFixed(2)} %`.padStart(10),
      `${median(errors).toFixed(2)}, ${madSigma(errors).toFixed(2)} s`.padStart(16),
    ].join(" "),
  );
}
