/** What every registered shift is off by: what interpolation between pixels and the camera's own pattern pull. */
import type { Texture } from "../kernels/texture-shift.js";

/** Derivative of the fit at its end: sums of the pulls times the gradients. */
type Matrix = readonly [xx: number, xy: number, yx: number, yy: number];

/** Half the length of the filter that gives interpolation's error. */
const HORIZON = 16;
const ROLL_OFF = 2;
/** Steps of the integral over frequencies. */
const STEPS = 512;

/**
 * Amplitudes A of the error A sin(2 pi d) that cubic splines leave in a shift d along x and along y, px.
 *
 * Of a wave number k, the spline through the samples returns a share a(k) at k - 2 pi instead:
 *
 *     a(k) = ((2 pi - k)^-4 - (2 pi + k)^-4) / (k^-4 + (2 pi - k)^-4 + (2 pi + k)^-4),
 *
 * which moves against the content as the shift passes from pixel to pixel. A is the pull of the texture's own part
 * a(k), turned by a quarter of its wave. Derived from the Fourier transform (sin(k/2) / (k/2))^4 of the cubic B-spline.
 */
export function interpolationError(texture: Texture): readonly [number, number] {
  const filter = aliasFilter();
  const { width, height, pixels, pullX, pullY } = texture;
  const relative = Float64Array.from(texture.light, (value, at) => (value > 0 ? value / texture.slow[at]! - 1 : 0));
  const sums = [0, 0, 0, 0];
  for (let k = 0; k < pixels.length; k++) {
    const at = pixels[k]!;
    const x = at % width;
    const y = (at - x) / width;
    let [along, down] = [0, 0];
    for (let n = 1; n <= HORIZON; n++) {
      const weight = filter[n]!;
      along += weight * (relative[at - x + mirrored(x - n, width)]! - relative[at - x + mirrored(x + n, width)]!);
      down +=
        weight * (relative[mirrored(y - n, height) * width + x]! - relative[mirrored(y + n, height) * width + x]!);
    }
    sums[0]! += pullX[k]! * along;
    sums[1]! += pullY[k]! * along;
    sums[2]! += pullX[k]! * down;
    sums[3]! += pullY[k]! * down;
  }
  const matrix = matrixOf(texture);
  const [alongX] = solve(matrix, sums[0]!, sums[1]!);
  const [, downY] = solve(matrix, sums[2]!, sums[3]!);
  return [-alongX, -downY];
}

/**
 * Odd filter of frequency response -i sgn(k) a(k), entries 0 ... HORIZON of its one side. It fades to 0 from ROLL_OFF to
 * half a wave a pixel, where no texture is left behind a point spread, so that it is short.
 */
function aliasFilter(): Float64Array {
  const filter = new Float64Array(HORIZON + 1);
  for (let step = 0; step < STEPS; step++) {
    const k = (Math.PI * (step + 0.5)) / STEPS;
    const [own, lower, upper] = [k ** -4, (2 * Math.PI - k) ** -4, (2 * Math.PI + k) ** -4];
    const share = (lower - upper) / (own + lower + upper);
    const fading = k < ROLL_OFF ? 1 : 0.5 + 0.5 * Math.cos((Math.PI * (k - ROLL_OFF)) / (Math.PI - ROLL_OFF));
    for (let n = 1; n <= HORIZON; n++) filter[n] = filter[n]! + (fading * share * Math.sin(k * n)) / STEPS;
  }
  return filter;
}

/**
 * The error in a shift by a pattern of variance 1 that stands still in the camera, white from pixel to pixel, in every
 * frame and in the reference, which is the mean of frames that lay at `reference_px`:
 *
 *     -M^-1 W mean over i of u_i G(u_i) / sigma^2,   u_i = shift - reference_px[i],
 *
 * G the Gaussian of `sharp_px` that smooths the pulls, W the sum of the pixels' weights, M of the pulls times gradients.
 * It draws towards no shift, most at a shift of sigma, and no more where the texture has moved past it.
 */
export function patternError(
  texture: Texture,
  weight: ArrayLike<number>,
  reference_px: readonly (readonly [number, number])[],
  sharp_px: number,
): (x_px: number, y_px: number) => readonly [number, number] {
  const matrix = matrixOf(texture);
  const weights = texture.pixels.reduce((sum, at) => sum + weight[at]!, 0);
  const scale = weights / (2 * Math.PI * sharp_px ** 4 * reference_px.length);
  return (x_px, y_px) => {
    let [pullX, pullY] = [0, 0];
    for (const [atX, atY] of reference_px) {
      const [x, y] = [x_px - atX, y_px - atY];
      const gaussian = scale * Math.exp(-(x * x + y * y) / (2 * sharp_px * sharp_px));
      pullX += x * gaussian;
      pullY += y * gaussian;
    }
    const [x, y] = solve(matrix, pullX, pullY);
    return [-x, -y];
  };
}

function mirrored(place: number, n: number): number {
  const inside = place < 0 ? -place : place >= n ? 2 * n - 2 - place : place;
  return Math.min(n - 1, Math.max(0, inside));
}

function matrixOf({ gradientX, gradientY, pullX, pullY }: Texture): Matrix {
  let [xx, xy, yx, yy] = [0, 0, 0, 0];
  for (let k = 0; k < pullX.length; k++) {
    xx += pullX[k]! * gradientX[k]!;
    xy += pullX[k]! * gradientY[k]!;
    yx += pullY[k]! * gradientX[k]!;
    yy += pullY[k]! * gradientY[k]!;
  }
  return [xx, xy, yx, yy];
}

function solve([xx, xy, yx, yy]: Matrix, x: number, y: number): [number, number] {
  const determinant = xx * yy - xy * yx;
  return [(yy * x - xy * y) / determinant, (xx * y - yx * x) / determinant];
}
