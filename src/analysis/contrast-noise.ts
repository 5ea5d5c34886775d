/** What noise a contrast image must have, from the camera's noise, and what it has on ground that stands still. */
import { grow } from "../kernels/distance.js";
import { madSigma, median } from "../kernels/stats.js";
import type { NoiseModel } from "../model/noise.js";
import { noiseKept, patternBetween, type Shifts } from "./camera-pattern.js";
import { varianceAt } from "./noise-model.js";

/** Point spreads around a crystal in which the ground shares its light. */
const APART_PSF = 3;
/** Pixels of ground from which a spread is told. */
const FEWEST = 60;

/** Standard deviations of one pixel of a contrast image, as fractions. */
export interface ContrastNoise {
  /** On the crystal: all that the camera adds, and what photons alone would; null where the two are not told apart. */
  readonly crystal: number;
  readonly photonLimit: number | null;
  /**
   * On the ground around it, at its median light, and what was found there: the robust spread of the pixels, each held
   * against the noise that its own light must have. Null where there is too little ground.
   */
  readonly ground: { readonly expected: number; readonly found: number } | null;
}

/**
 * Noise of a / b - 1, each the mean of frames that lay at `a_px` and `b_px`, laid on the scene by cubic splines:
 *
 *     (a / b)^2 (kept_a var(a) / a^2 + kept_b var(b) / b^2 + fixedPattern^2 shown),
 *
 * kept the variance that each mean keeps of a frame's, shown what moves of the camera's own pattern between the two; of
 * (a - b) / over_counts where that is given, the same times (b / over_counts)^2.
 * `before` is b's light in counts, `contrast` the image, `mask` 1 within the crystal: all height * width. The light of a
 * is that of b and the median contrast of crystal or ground.
 * Null where the model knows no level, or the crystal no light.
 */
export function contrastNoise(
  model: NoiseModel,
  {
    before,
    contrast,
    over_counts = null,
    mask,
    width,
    height,
    psf_px,
    a_px,
    b_px,
  }: {
    readonly before: ArrayLike<number>;
    readonly contrast: ArrayLike<number>;
    readonly over_counts?: number | null;
    readonly mask: Uint8Array;
    readonly width: number;
    readonly height: number;
    readonly psf_px: number;
    readonly a_px: Shifts;
    readonly b_px: Shifts;
  },
): ContrastNoise | null {
  if (model.levels.length === 0 || a_px.length === 0 || b_px.length === 0) return null;
  const [kept_a, kept_b] = [noiseKept(a_px), noiseKept(b_px)];
  const pattern = (model.fixedPattern?.value ?? 0) ** 2 * patternBetween(a_px, b_px);
  const near = grow(mask, width, height, APART_PSF * psf_px);
  const [inside, ground]: [number[], number[]] = [[], []];
  for (let at = 0; at < mask.length; at++) {
    if (!(before[at]! > 0) || !Number.isFinite(contrast[at]!)) continue;
    if (mask[at] !== 0) inside.push(at);
    else if (near[at] === 0) ground.push(at);
  }
  if (inside.length === 0) return null;
  const medianAt = (pixels: readonly number[], of: (at: number) => number): number => median(pixels.map(of));
  const unit = (b: number): number => over_counts ?? b;
  const risen = (pixels: readonly number[]): number =>
    Math.max(
      0,
      medianAt(pixels, (at) => 1 + (contrast[at]! * unit(before[at]!)) / before[at]!),
    );
  const sd = (b: number, rise: number, variance: (light: number) => number, fixed: number): number =>
    Math.sqrt(
      kept_a * variance(rise * b) +
        kept_b * variance(b) * (over_counts === null ? rise ** 2 : 1) +
        fixed * (rise * b) ** 2,
    ) / unit(b);
  const all = (light: number): number => varianceAt(model, light);
  const crystal = medianAt(inside, (at) => before[at]!);
  const rise = risen(inside);
  const { gain_counts_per_electron: gain, read_counts: read } = model;
  let around: ContrastNoise["ground"] = null;
  if (ground.length >= FEWEST) {
    const own = risen(ground);
    const expected = medianAt(ground, (at) => sd(before[at]!, own, all, pattern));
    around = {
      expected,
      found: expected * madSigma(ground.map((at) => contrast[at]! / sd(before[at]!, own, all, pattern))),
    };
  }
  return {
    crystal: sd(crystal, rise, all, pattern),
    photonLimit: gain === null || read === null ? null : sd(crystal, rise, (light) => gain.value * light, 0),
    ground: around,
  };
}
