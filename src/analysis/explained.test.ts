import { expect, test } from "vitest";
import { random } from "../kernels/random.js";
import type { FrontMap } from "../model/experiment.js";
import type { Stack } from "../model/movie.js";
import { explainFront, sharedCourses } from "./explained.js";

const [width, height, frames, interval_s] = [40, 36, 80, 5];
const pixelSize_um = 0.1;
const PSF_UM = 0.118;

/** A disc whose light at a place and time is `light`; noise of 0.5 %. */
function stackOf(
  light: (x: number, y: number, t_s: number) => number,
  seed: number,
): { stack: Stack; mask: Uint8Array } {
  const from = random(seed);
  const mask = Uint8Array.from({ length: width * height }, (_, at) =>
    Math.hypot((at % width) - 19.5, Math.floor(at / width) - 17.5) < 15 ? 1 : 0,
  );
  const data = Float32Array.from({ length: frames * width * height }, (_, k) => {
    const at = k % (width * height);
    const value = light(at % width, Math.floor(at / width), interval_s * Math.floor(k / (width * height)));
    return 1000 * value * (1 + 0.005 * from.normal());
  });
  const time_s = Float64Array.from({ length: frames }, (_, frame) => interval_s * frame);
  return { stack: { width, height, pixelSize_um, time_s, data }, mask };
}

function frontOf(mask: Uint8Array, arrival: (x: number, y: number) => number): FrontMap {
  const arrival_s = Float32Array.from(mask, (one, at) =>
    one === 1 ? arrival(at % width, Math.floor(at / width)) : NaN,
  );
  return {
    particle: 0,
    transition: 0,
    width,
    height,
    pixelSize_um,
    origin_px: [0, 0],
    mask,
    arrival_s,
    sd_s: arrival_s.map(() => 1),
    step: arrival_s.map(() => 0.12),
    unchanged: new Uint8Array(mask.length),
    estimator: "step+line",
    bias_s: 0,
    covered: 1,
    lag_s: 10,
    localisation_nm_per_segment_um: null,
  };
}

const slide = (x: number, y: number): number => 100 + 6 * x + 2 * y;

test("a fringe that slides over a tilted face is explained by height, whatever the tilt and the brightening beside it", () => {
  for (let seed = 1; seed <= 12; seed++) {
    const from = random(100 + seed);
    const [tilt, azimuth, gap] = [0.3 * from.uniform(), 6.28 * from.uniform(), 2 + 3 * from.uniform()];
    const even = 0.2 * from.uniform();
    const { stack, mask } = stackOf((x, y, t_s) => {
      const share = Math.min(1, Math.max(0, (t_s - 100) / 250));
      const phase = tilt * (x * Math.cos(azimuth) + y * Math.sin(azimuth));
      return (1 + even * share) * (1 + 0.3 * Math.cos(phase + gap * share));
    }, seed);
    const explained = explainFront(stack, frontOf(mask, slide), PSF_UM);
    expect(explained, `tilt ${tilt} rad/px`).toMatchObject({ cause: "height" });
    expect(explained!.because).toMatch(/^all places change at once/);
  }
});

test("a front is not, be it straight or closing, slow or quick, on a face that brightens", () => {
  for (let seed = 1; seed <= 12; seed++) {
    const from = random(200 + seed);
    const slow = 6 + 5 * from.uniform();
    const closing = from.uniform() < 0.5;
    const rising = 0.15 * from.uniform();
    const arrival = (x: number, y: number): number =>
      closing ? 100 + slow * (15 - Math.hypot(x - 19.5, y - 17.5)) : 100 + slow * 0.6 * (x + 0.3 * y);
    // The lens spreads the boundary over as long as the front takes for its width.
    const width_s = (slow * 0.6 * PSF_UM) / pixelSize_um;
    const { stack, mask } = stackOf(
      (x, y, t_s) => (1 + (rising * t_s) / 400) * (1 + 0.12 / (1 + Math.exp((-1.7 * (t_s - arrival(x, y))) / width_s))),
      seed,
    );
    const front = frontOf(mask, arrival);
    expect(explainFront(stack, front, PSF_UM)).toBeNull();
    const shares = sharedCourses(stack, front, PSF_UM)!;
    expect(shares.left / shares.ofFront).toBeGreaterThan(0.3);
  }
});

test("what too few frames or places show is not explained", () => {
  const { stack, mask } = stackOf(() => 1, 3);
  expect(
    sharedCourses(
      stack,
      frontOf(mask, () => 150),
      PSF_UM,
    ),
  ).toBeNull();
  expect(sharedCourses(stack, frontOf(new Uint8Array(mask.length), slide), PSF_UM)).toBeNull();
});
