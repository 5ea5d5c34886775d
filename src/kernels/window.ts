/** A window of a frame made ready to be compared: its light, what is missing in it, and its coarse image. */
import { compiledKernels } from "./compiled.js";

/** `into` = samples - black, from a stretch of unsigned 16-bit samples as long. */
export function floatsOfWords(samples: Uint16Array, black: number, into: Float32Array): void {
  const compiled = compiledKernels();
  if (compiled === null) return floatsOfWordsPlain(samples, black, into);
  const [from, to] = compiled.lend(samples, into) as [number, number];
  compiled.run.floatsOfWords(from, samples.length, black, to);
  compiled.fetch(into, to);
}

export function floatsOfWordsPlain(samples: Uint16Array, black: number, into: Float32Array): void {
  for (let at = 0; at < samples.length; at++) into[at] = samples[at]! - black;
}

/**
 * Means of squares of `bin` pixels less `black`: `width` * height of them fill `into`, from rows of `stride` samples.
 */
export function floatsOfSquares(
  samples: Samples,
  stride: number,
  bin: number,
  width: number,
  black: number,
  into: Float32Array,
): void {
  const compiled = compiledKernels();
  if (compiled === null || !(samples instanceof Uint16Array))
    return floatsOfSquaresPlain(samples, stride, bin, width, black, into);
  const [from, to] = compiled.lend(samples, into) as [number, number];
  compiled.run.floatsOfSquares(from, stride, bin, width, into.length / width, black, to);
  compiled.fetch(into, to);
}

export function floatsOfSquaresPlain(
  samples: Samples,
  stride: number,
  bin: number,
  width: number,
  black: number,
  into: Float32Array,
): void {
  for (let at = 0; at < into.length; at++) {
    const x = at % width;
    const corner = ((at - x) / width) * bin * stride + x * bin;
    let sum = 0;
    for (let v = 0; v < bin; v++) for (let u = 0; u < bin; u++) sum += samples[corner + v * stride + u]!;
    into[at] = sum / (bin * bin) - black;
  }
}

type Samples =
  Uint16Array | Int16Array | Uint8Array | Int8Array | Uint32Array | Int32Array | Float32Array | Float64Array;

/** Sum and number of the finite values of `light` where `open` is above 0. */
export function openLight(light: Float32Array, open: Float32Array): { readonly total: number; readonly known: number } {
  const compiled = compiledKernels();
  if (compiled === null) return openLightPlain(light, open);
  const sums = new Float64Array(2);
  const [a, b, to] = compiled.lend(light, open, sums) as [number, number, number];
  compiled.run.openLight(a, b, light.length, to);
  compiled.fetch(sums, to);
  return { total: sums[0]!, known: sums[1]! };
}

export function openLightPlain(
  light: Float32Array,
  open: Float32Array,
): { readonly total: number; readonly known: number } {
  let [total, known] = [0, 0];
  for (let at = 0; at < light.length; at++) {
    const value = light[at]!;
    if (!(open[at]! > 0 && value - value === 0)) continue;
    total += value;
    known++;
  }
  return { total, known };
}

/** In place: slow light is no less than `least`, and light that is not finite becomes the slow light there. */
export function fillLight(light: Float32Array, slow: Float32Array, least: number): void {
  const compiled = compiledKernels();
  if (compiled === null) return fillLightPlain(light, slow, least);
  const [a, b] = compiled.lend(light, slow) as [number, number];
  compiled.run.fillLight(a, b, light.length, least);
  compiled.fetch(light, a);
  compiled.fetch(slow, b);
}

export function fillLightPlain(light: Float32Array, slow: Float32Array, least: number): void {
  for (let at = 0; at < light.length; at++) {
    if (!(slow[at]! >= least)) slow[at] = least;
    if (light[at]! - light[at]! !== 0) light[at] = slow[at]!;
  }
}

/** How a window becomes a coarse image. */
export interface Binning {
  /** Pixels of a row of light and slow light, and where the window begins in both directions. */
  readonly stride: number;
  readonly margin: number;
  readonly width: number;
  readonly height: number;
  /** Pixels of the window along a side of one of the coarse image. */
  readonly binning: number;
  readonly coarseWidth: number;
  readonly coarseHeight: number;
}

/**
 * The coarse image of a window: sums of taper * (light / slow - 1) over squares of pixels, the ratio less 1 kept within -1 to 1
 * and taken as 0 where it is not a number. `taper` has one value a pixel of the window.
 */
export function coarseLight(
  light: Float32Array,
  slow: Float32Array,
  taper: Float32Array,
  shape: Binning,
  coarse: Float32Array,
): void {
  const compiled = compiledKernels();
  if (compiled === null) return coarseLightPlain(light, slow, taper, shape, coarse);
  const { stride, margin, width, height, binning, coarseWidth, coarseHeight } = shape;
  const [a, b, c, to, line] = compiled.lend(light, slow, taper, coarse, 4 * width) as [
    number,
    number,
    number,
    number,
    number,
  ];
  compiled.run.coarseLight(a, b, stride, margin, c, width, height, binning, to, coarseWidth, coarseHeight, line);
  compiled.fetch(coarse, to);
}

export function coarseLightPlain(
  light: Float32Array,
  slow: Float32Array,
  taper: Float32Array,
  { stride, margin, width, height, binning, coarseWidth }: Binning,
  coarse: Float32Array,
): void {
  coarse.fill(0);
  for (let y = 0, at = 0; y < height; y++) {
    const row = (y + margin) * stride + margin;
    const into = Math.floor(y / binning) * coarseWidth;
    for (let x = 0; x < width; x++, at++) {
      const value = light[row + x]! / slow[row + x]! - 1;
      if (Number.isNaN(value)) continue;
      const place = into + Math.floor(x / binning);
      coarse[place] = coarse[place]! + taper[at]! * Math.min(1, Math.max(-1, value));
    }
  }
}
