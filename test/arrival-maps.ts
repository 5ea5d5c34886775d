/** Arrival maps written down instead of measured: the truth for tests of what is read off a map. */
import { gaussianBlur } from "../src/kernels/filter.js";
import { random } from "../src/kernels/random.js";
import type { FrontMap } from "../src/model/experiment.js";

export interface MapOptions {
  readonly semi_um?: readonly [number, number];
  readonly pixelSize_um?: number;
  /** Noise of each arrival, as correlated as a blur of `blur_um` makes it. */
  readonly sd_s?: number;
  readonly blur_um?: number;
  readonly seed?: number;
  readonly lag_s?: number;
}

/** A map of an ellipse by the moment at each place, in um from its middle; NaN is no arrival, Infinity is unchanged. */
export function arrivalMap(passing_s: (x_um: number, y_um: number) => number, options: MapOptions = {}): FrontMap {
  const { semi_um = [2.4, 2], pixelSize_um = 0.08, sd_s = 0, blur_um = 0.0885, seed = 1, lag_s = 6 } = options;
  const width = 2 * Math.ceil(semi_um[0] / pixelSize_um) + 5;
  const height = 2 * Math.ceil(semi_um[1] / pixelSize_um) + 5;
  const n = width * height;
  const dice = random(seed);
  const field = gaussianBlur(
    Float64Array.from({ length: n }, () => dice.normal()),
    width,
    height,
    blur_um / pixelSize_um,
  );
  const power = Math.sqrt(field.reduce((sum, value) => sum + value * value, 0) / n);
  const mask = new Uint8Array(n);
  const unchanged = new Uint8Array(n);
  const arrival_s = new Float32Array(n).fill(NaN);
  const sd = new Float32Array(n).fill(NaN);
  for (let at = 0; at < n; at++) {
    const x = ((at % width) - (width - 1) / 2) * pixelSize_um;
    const y = (Math.floor(at / width) - (height - 1) / 2) * pixelSize_um;
    if ((x / semi_um[0]) ** 2 + (y / semi_um[1]) ** 2 > 1) continue;
    mask[at] = 1;
    const moment_s = passing_s(x, y);
    if (moment_s === Infinity) unchanged[at] = 1;
    else if (Number.isFinite(moment_s)) {
      arrival_s[at] = moment_s + (sd_s * field[at]!) / power;
      sd[at] = sd_s;
    }
  }
  return {
    particle: 0,
    transition: 0,
    width,
    height,
    pixelSize_um,
    origin_px: [0, 0],
    mask,
    arrival_s,
    sd_s: sd,
    blur_um,
    step: arrival_s.map((t) => (Number.isFinite(t) ? 0.12 : NaN)),
    unchanged,
    estimator: "step+line",
    bias_s: 0,
    covered: 1,
    lag_s,
    localisation_nm_per_segment_um: null,
  };
}
