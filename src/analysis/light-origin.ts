/** From where the light of each pixel comes: the point spread of the lens and a blur laid over it, cut off by an outline. */

/** Moments of the places from which a pixel's light comes, about the pixel (mean) and about their mean (the rest). */
export interface LightOrigin {
  readonly x_px: Float32Array;
  readonly y_px: Float32Array;
  readonly xx_px2: Float32Array;
  readonly xy_px2: Float32Array;
  readonly yy_px2: Float32Array;
  readonly xxx_px3: Float32Array;
  readonly xxy_px3: Float32Array;
  readonly xyy_px3: Float32Array;
  readonly yyy_px3: Float32Array;
}

/** Powers of x and y of the moments, in this order. */
const POWERS = [
  [0, 0],
  [1, 0],
  [0, 1],
  [2, 0],
  [1, 1],
  [0, 2],
  [3, 0],
  [2, 1],
  [1, 2],
  [0, 3],
] as const;
/** Gaussians are cut off here, in standard deviations. */
const CUT = 4;

/**
 * Moments up to the third of the light of the pixels `at`. The lens mixes into each pixel the light of a Gaussian of
 * `psf_px` about it as far as it lies in the mask; the blur averages pixels by a Gaussian of `blur_px` and their
 * `weight`. Deep inside, light comes evenly from all around with the variance psf^2 + blur^2; at the outline its
 * mean lies inward by about a point spread, its spread across the outline is smaller and skew.
 */
export function lightOrigin(
  mask: Uint8Array,
  weight: Float64Array,
  at: Int32Array,
  size: { readonly width: number; readonly height: number },
  { psf_px, blur_px }: { readonly psf_px: number; readonly blur_px: number },
): LightOrigin {
  const { width, height } = size;
  const lens = powerKernels(psf_px);
  const lit = Float64Array.from(mask, (one) => (one === 0 ? 0 : 1));
  const total = convolve(lit, width, height, lens[0]!, lens[0]!);
  // Raw moments of each pixel's light through the lens, times the pixel's weight in the blur.
  const seen = POWERS.map(([i, j]) => {
    const moment = convolve(lit, width, height, lens[i]!, lens[j]!);
    return moment.map((value, p) => (weight[p]! > 0 ? (weight[p]! * value) / total[p]! : 0));
  });
  const blur = powerKernels(blur_px);
  const under = convolve(weight, width, height, blur[0]!, blur[0]!);
  const raw = POWERS.map(([i, j]) => {
    // (d + xi)^i: the blur's shift and the lens's, by the binomial.
    const sum = new Float64Array(at.length);
    for (const [moment, [a, b]] of POWERS.entries()) {
      if (a > i || b > j) continue;
      const part = convolve(seen[moment]!, width, height, blur[i - a]!, blur[j - b]!);
      const times = choose(i, a) * choose(j, b);
      for (let k = 0; k < at.length; k++) sum[k] = sum[k]! + times * part[at[k]!]!;
    }
    return sum.map((value, k) => value / under[at[k]!]!);
  });
  const [, x, y, xx, xy, yy, xxx, xxy, xyy, yyy] = raw as unknown as readonly Float64Array[];
  const each = (of: (k: number) => number): Float32Array => Float32Array.from(at, (_, k) => of(k));
  return {
    x_px: each((k) => x![k]!),
    y_px: each((k) => y![k]!),
    xx_px2: each((k) => xx![k]! - x![k]! ** 2),
    xy_px2: each((k) => xy![k]! - x![k]! * y![k]!),
    yy_px2: each((k) => yy![k]! - y![k]! ** 2),
    xxx_px3: each((k) => xxx![k]! - 3 * x![k]! * xx![k]! + 2 * x![k]! ** 3),
    xxy_px3: each((k) => xxy![k]! - 2 * x![k]! * xy![k]! - y![k]! * xx![k]! + 2 * x![k]! ** 2 * y![k]!),
    xyy_px3: each((k) => xyy![k]! - 2 * y![k]! * xy![k]! - x![k]! * yy![k]! + 2 * y![k]! ** 2 * x![k]!),
    yyy_px3: each((k) => yyy![k]! - 3 * y![k]! * yy![k]! + 2 * y![k]! ** 3),
  };
}

/** Spread and skewness of the light along a direction of unit length. */
export function alongDirection(
  origin: LightOrigin,
  i: number,
  nx: number,
  ny: number,
): { readonly spread_px: number; readonly skewness: number } {
  const variance = nx * nx * origin.xx_px2[i]! + 2 * nx * ny * origin.xy_px2[i]! + ny * ny * origin.yy_px2[i]!;
  const third =
    nx ** 3 * origin.xxx_px3[i]! +
    3 * nx * nx * ny * origin.xxy_px3[i]! +
    3 * nx * ny * ny * origin.xyy_px3[i]! +
    ny ** 3 * origin.yyy_px3[i]!;
  return { spread_px: Math.sqrt(variance), skewness: third / variance ** 1.5 };
}

function choose(n: number, k: number): number {
  return k === 0 || k === n ? 1 : n === 3 ? 3 : 2;
}

/** Gaussian times the powers 0 to 3 of the place, from -reach to reach; the Gaussian sums to 1. */
function powerKernels(sigma_px: number): Float64Array[] {
  const reach = Math.ceil(CUT * sigma_px);
  const gauss = Float64Array.from({ length: 2 * reach + 1 }, (_, k) =>
    k === reach ? 1 : Math.exp(-0.5 * ((k - reach) / sigma_px) ** 2),
  );
  const sum = gauss.reduce((all, value) => all + value, 0);
  return [0, 1, 2, 3].map((power) => gauss.map((value, k) => (value / sum) * (k - reach) ** power));
}

/** Sum over neighbours times kernels along x and y, entry `reach` being the pixel itself; nothing beyond the image. */
function convolve(
  values: Float64Array,
  width: number,
  height: number,
  alongX: Float64Array,
  alongY: Float64Array,
): Float64Array {
  const reach = (alongX.length - 1) / 2;
  const rows = new Float64Array(values.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      const from = Math.max(0, x - reach);
      const to = Math.min(width - 1, x + reach);
      for (let other = from; other <= to; other++) sum += alongX[other - x + reach]! * values[y * width + other]!;
      rows[y * width + x] = sum;
    }
  }
  const result = new Float64Array(values.length);
  for (let y = 0; y < height; y++) {
    const from = Math.max(0, y - reach);
    const to = Math.min(height - 1, y + reach);
    for (let other = from; other <= to; other++) {
      const by = alongY[other - y + reach]!;
      for (let x = 0; x < width; x++) result[y * width + x] = result[y * width + x]! + by * rows[other * width + x]!;
    }
  }
  return result;
}
