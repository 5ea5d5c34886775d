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
  readonly shotLimit: number | null;
  /** On the ground around it, and what was found there; null where there is too little of it. */
  readonly ground: { readonly expected: number; readonly found: number } | null;
}

/**
 * Noise of a / b - 1, each the mean of frames that lay at `a_px` and `b_px`, laid on the scene by cubic splines:
 *
 *     var / signal^2 (kept_a + kept_b) + fixedPattern^2 shown,
 *
 * kept the variance that each mean keeps of a frame's, shown what moves of the camera's own pattern between the two.
 * `before` is b's light in counts, `contrast` the image, `mask` 1 within the crystal: all height * width.
 * Null where the model knows no level, or the crystal no light.
 */
export function contrastNoise(
  model: NoiseModel,
  {
    before,
    contrast,
    mask,
    width,
    height,
    psf_px,
    a_px,
    b_px,
  }: {
    readonly before: ArrayLike<number>;
    readonly contrast: ArrayLike<number>;
    readonly mask: Uint8Array;
    readonly width: number;
    readonly height: number;
    readonly psf_px: number;
    readonly a_px: Shifts;
    readonly b_px: Shifts;
  },
): ContrastNoise | null {
  if (model.levels.length === 0 || a_px.length === 0 || b_px.length === 0) return null;
  const kept = noiseKept(a_px) + noiseKept(b_px);
  const pattern = (model.fixedPattern?.value ?? 0) ** 2 * patternBetween(a_px, b_px);
  const variance = (light: number): number => (kept * varianceAt(model, light)) / light ** 2 + pattern;
  const near = grow(mask, width, height, APART_PSF * psf_px);
  const inside: number[] = [];
  const ground: number[] = [];
  const seen: number[] = [];
  for (let at = 0; at < mask.length; at++) {
    const light = before[at]!;
    if (!(light > 0)) continue;
    if (mask[at] !== 0) inside.push(light);
    else if (near[at] === 0 && Number.isFinite(contrast[at]!)) {
      ground.push(variance(light));
      seen.push(contrast[at]!);
    }
  }
  if (inside.length === 0) return null;
  const light = median(inside);
  const { gain_counts_per_electron: gain, read_counts: read } = model;
  return {
    crystal: Math.sqrt(variance(light)),
    shotLimit: gain === null || read === null ? null : Math.sqrt((kept * gain.value) / light),
    ground: ground.length < FEWEST ? null : { expected: Math.sqrt(median(ground)), found: madSigma(seen) },
  };
}
