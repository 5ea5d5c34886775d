/** Fronts: pixels a second from a crystal's frames to its arrival map, and to all that is read off the map. */
import { mapFront } from "../src/analysis/fronts.js";
import { measureKinetics } from "../src/analysis/kinetics.js";
import { classifyMechanism } from "../src/analysis/mechanisms.js";
import { madSigma, median } from "../src/kernels/stats.js";
import { movingFront, planeFront, withNoise } from "../test/moving-front.js";
import { wallTimes } from "./measure.js";
import type { Row } from "./row.js";

export const about =
  "A front of 20 nm/s under a bright line, 1 % noise, 15 % texture: pixels of the crystal a second to the arrival map, one thread; then kinetics and mechanism from the map.";

const cases = [
  { name: "6 x 5 um, 80 nm, 5 s", semi_um: [3, 2.4], pixelSize_um: 0.08, interval_s: 5 },
  { name: "4 x 3 um, 35 nm, 5 s", semi_um: [2, 1.5], pixelSize_um: 0.035, interval_s: 5 },
] as const;

export async function rows(quick: boolean): Promise<Row[]> {
  const found: Row[] = [];
  for (const { name, ...scene } of quick ? cases.slice(0, 1) : cases) {
    const made = movingFront({ ...scene, ...planeFront(0.02, 30), line: 0.5, seed: 7 });
    const stack = withNoise(made.clean, 0.01, 7);
    const map = (): NonNullable<ReturnType<typeof mapFront>> =>
      mapFront(stack, made.window, {
        particle: 0,
        transition: 0,
        mask: made.mask,
        origin_px: [0, 0],
        estimator: "step+line",
        lag_s: null,
        psf_um: made.psf_um,
      })!;
    const front = map();
    const read = (): NonNullable<ReturnType<typeof measureKinetics>> => {
      classifyMechanism(front);
      return measureKinetics(front, {
        kind: "biphasic",
        c_rate_factor: 0.353,
        bandwidth_s: 20,
        psf_um: made.psf_um,
        clock_sd_s: null,
      })!;
    };
    const { velocity_um_s } = read();
    const mapped_ms = await wallTimes(quick ? 1 : 3, map);
    const read_ms = await wallTimes(quick ? 1 : 3, read);
    const errors_s = front.arrival_s.map((t_s, at) => t_s - made.passing_s[at]!);
    const pixels = made.mask.reduce((sum, one) => sum + one, 0);
    const bias = (100 * (velocity_um_s.value / 0.02 - 1)).toFixed(2);
    found.push(
      {
        what: `front mapped, ${name}`,
        unit: "px/s",
        values: mapped_ms.map((ms) => (1000 * pixels) / ms),
        note: `${pixels} px, ${stack.time_s.length} frames; bias ${median(errors_s).toFixed(2)} s, MAD ${madSigma(errors_s).toFixed(2)} s`,
      },
      { what: `kinetics and mechanism, ${name}`, unit: "ms", values: read_ms, note: `velocity ${bias} %` },
    );
  }
  return found;
}
