/** Sums over the pixels of a texture that tell its shift, its lamp and its focus. */
import { compiledKernels } from "./compiled.js";

/** A texture pixel by pixel, all arrays as long, a multiple of four; 0 where a pixel says nothing. */
export interface TextureMaps {
  /** Light over slow light, its gradient, and what a residual says of the shift. */
  readonly value: Float32Array;
  readonly gradientX: Float32Array;
  readonly gradientY: Float32Array;
  readonly pullX: Float32Array;
  readonly pullY: Float32Array;
  /** Slow light of the texture itself, above 0 everywhere. */
  readonly slow: Float32Array;
  /** 0 for one half of the pixels, 1 for the other. */
  readonly half: Float32Array;
}

/** Sums of w P r along x, y and of w P gradient: xx, xy, yx, yy. */
export type Sums = readonly [x: number, y: number, xx: number, xy: number, yx: number, yy: number];

/**
 * `ratio` = moved / (share slow), r = ratio - value, and over the pixels with |r| < limit
 *
 *     sums of w P r and of w P grad,   w = (1 - (r / limit)^2)^2
 */
export function shiftSums(
  maps: TextureMaps,
  moved: Float32Array,
  share: Float32Array,
  limit: number,
  ratio: Float32Array,
): Sums {
  const compiled = compiledKernels();
  if (compiled === null) return shiftSumsPlain(maps, moved, share, limit, ratio);
  const { value, gradientX, gradientY, pullX, pullY, slow } = maps;
  const sums = new Float64Array(6);
  const at = compiled.lend(moved, share, slow, value, gradientX, gradientY, pullX, pullY, ratio, sums) as Ten;
  const [a, b, c, d, e, f, g, h, toRatio, to] = at;
  compiled.run.shiftSums(a, b, c, d, e, f, g, h, ratio.length, limit, toRatio, to);
  compiled.fetch(ratio, toRatio);
  compiled.fetch(sums, to);
  return Array.from(sums) as unknown as Sums;
}

export function shiftSumsPlain(
  { value, gradientX, gradientY, pullX, pullY, slow }: TextureMaps,
  moved: Float32Array,
  share: Float32Array,
  limit: number,
  ratio: Float32Array,
): Sums {
  const inverse = 1 / limit;
  let [x, y, xx, xy, yx, yy] = [0, 0, 0, 0, 0, 0];
  for (let at = 0; at < ratio.length; at++) {
    ratio[at] = moved[at]! / (share[at]! * slow[at]!);
    const r = ratio[at]! - value[at]!;
    const u = r * inverse;
    const left = 1 - u * u;
    // Also false for NaN.
    if (!(left > 0)) continue;
    const px = left * left * pullX[at]!;
    const py = left * left * pullY[at]!;
    x += px * r;
    y += py * r;
    xx += px * gradientX[at]!;
    xy += px * gradientY[at]!;
    yx += py * gradientX[at]!;
    yy += py * gradientY[at]!;
  }
  return [x, y, xx, xy, yx, yy];
}

type Ten = [number, number, number, number, number, number, number, number, number, number];

/**
 * The sums with the derivative of w(r) r, (1 - u^2)(1 - 5 u^2) with u = r / limit, in place of w beside the gradients, over
 * each half of the pixels: the shift at which a part of them alone would settle, to first order.
 */
export function influenceSums(maps: TextureMaps, ratio: Float32Array, limit: number): readonly [Sums, Sums] {
  const compiled = compiledKernels();
  if (compiled === null) return [influencesPlain(maps, ratio, limit, 0), influencesPlain(maps, ratio, limit, 1)];
  const { value, gradientX, gradientY, pullX, pullY, half } = maps;
  const sums = new Float64Array(12);
  const at = compiled.lend(ratio, value, half, gradientX, gradientY, pullX, pullY, sums);
  const [a, b, c, d, e, f, g, to] = at as [number, number, number, number, number, number, number, number];
  compiled.run.influenceSums(a, b, c, d, e, f, g, ratio.length, limit, to);
  compiled.fetch(sums, to);
  return [Array.from(sums.subarray(0, 6)), Array.from(sums.subarray(6))] as unknown as [Sums, Sums];
}

export function influencesPlain(
  { value, gradientX, gradientY, pullX, pullY, half }: TextureMaps,
  ratio: Float32Array,
  limit: number,
  side: number,
): Sums {
  const inverse = 1 / limit;
  let [x, y, xx, xy, yx, yy] = [0, 0, 0, 0, 0, 0];
  for (let at = 0; at < ratio.length; at++) {
    if (half[at] !== side) continue;
    const r = ratio[at]! - value[at]!;
    const u = r * inverse;
    const left = 1 - u * u;
    if (!(left > 0)) continue;
    x += left * left * pullX[at]! * r;
    y += left * left * pullY[at]! * r;
    const derivative = left * (1 - 5 * u * u);
    const px = derivative * pullX[at]!;
    const py = derivative * pullY[at]!;
    xx += px * gradientX[at]!;
    xy += px * gradientY[at]!;
    yx += py * gradientX[at]!;
    yy += py * gradientY[at]!;
  }
  return [x, y, xx, xy, yx, yy];
}

/** What light over a texture is measured with, beside its maps; as long as these, 0 where a pixel does not count. */
export interface LightMaps {
  readonly light: Float32Array;
  readonly counted: Float32Array;
  readonly fine: Float32Array;
  readonly coarse: Float32Array;
}

/** Products of what the ratio differs by with two structures, and the light of frame and texture. */
export interface LightSums {
  readonly alongFine: number;
  readonly alongCoarse: number;
  readonly moved: number;
  readonly light: number;
}

/**
 * Over the counted pixels with |ratio - value| <= limit: sums of (ratio - value) fine and (ratio - value) coarse; and, of those
 * whose slow share lies within `spread` of `usual`, of the light moved there and of the texture's.
 */
export function lightSums(
  { value }: Pick<TextureMaps, "value">,
  maps: LightMaps,
  moved: Float32Array,
  share: Float32Array,
  ratio: Float32Array,
  limit: number,
  [usual, spread]: readonly [number, number],
): LightSums {
  const compiled = compiledKernels();
  if (compiled === null) return lightSumsPlain({ value }, maps, moved, share, ratio, limit, [usual, spread]);
  const { light, counted, fine, coarse } = maps;
  const sums = new Float64Array(4);
  const at = compiled.lend(moved, share, ratio, value, light, counted, fine, coarse, sums);
  const [a, b, c, d, e, f, g, h, to] = at as [number, number, number, number, number, number, number, number, number];
  compiled.run.lightSums(a, b, c, d, e, f, g, h, ratio.length, limit, usual, spread, to);
  compiled.fetch(sums, to);
  return { alongFine: sums[0]!, alongCoarse: sums[1]!, moved: sums[2]!, light: sums[3]! };
}

export function lightSumsPlain(
  { value }: Pick<TextureMaps, "value">,
  { light, counted, fine, coarse }: LightMaps,
  moved: Float32Array,
  share: Float32Array,
  ratio: Float32Array,
  limit: number,
  [usual, spread]: readonly [number, number],
): LightSums {
  let [alongFine, alongCoarse, movedSum, lightSum] = [0, 0, 0, 0];
  for (let at = 0; at < ratio.length; at++) {
    const change = ratio[at]! - value[at]!;
    if (!(counted[at]! > 0 && Math.abs(change) <= limit)) continue;
    alongFine += change * fine[at]!;
    alongCoarse += change * coarse[at]!;
    if (!(Math.abs(share[at]! - usual) <= spread)) continue;
    movedSum += moved[at]!;
    lightSum += light[at]!;
  }
  return { alongFine, alongCoarse, moved: movedSum, light: lightSum };
}
