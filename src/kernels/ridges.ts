/** Bright lines in an image, by the second derivative of a Gaussian steered to where it answers most. */

/** The answer of a ridge filter at each pixel. */
export interface Ridges {
  /**
   * -sigma^2 times the second derivative across the line, in the unit of the image: 0 on a plane, and for a line of height A
   * and standard deviation sigma A / 2^1.5 on its crest; negative in a hollow.
   */
  readonly strength: Float32Array;
  /** Direction of the line, from +x towards +y, 0 to pi. */
  readonly angle_rad: Float32Array;
}

/** Gaussians are cut off here, in standard deviations. */
const CUT = 4;

/**
 * Ridges of a line width `sigma_px`. The second derivative in any direction follows from three (Freeman and Adelson 1991), and
 * is least across the line: at the lower eigenvalue of the Hessian. Beyond the image, and where it is not finite, the image
 * is taken as 0.
 */
export function ridges(image: ArrayLike<number>, width: number, height: number, sigma_px: number): Ridges {
  const { xx, xy, yy } = secondDerivatives(image, width, height, sigma_px);
  const angle_rad = new Float32Array(xx.length);
  for (let at = 0; at < xx.length; at++) {
    // Along the line the second derivative is greatest.
    const angle = 0.5 * Math.atan2(xy[at]!, 0.5 * (xx[at]! - yy[at]!));
    angle_rad[at] = angle < 0 ? angle + Math.PI : angle;
  }
  return { strength: strengthOf({ xx, xy, yy }), angle_rad };
}

/** The strength alone. */
export function ridgeStrength(image: ArrayLike<number>, width: number, height: number, sigma_px: number): Float32Array {
  return strengthOf(secondDerivatives(image, width, height, sigma_px));
}

/** sigma^2 times the second derivatives of the image blurred by a Gaussian. */
interface Hessian {
  readonly xx: Float64Array;
  readonly xy: Float64Array;
  readonly yy: Float64Array;
}

function strengthOf({ xx, xy, yy }: Hessian): Float32Array {
  const strength = new Float32Array(xx.length);
  for (let at = 0; at < xx.length; at++) {
    const half = 0.5 * (xx[at]! - yy[at]!);
    strength[at] = Math.sqrt(half * half + xy[at]! * xy[at]!) - 0.5 * (xx[at]! + yy[at]!);
  }
  return strength;
}

function secondDerivatives(image: ArrayLike<number>, width: number, height: number, sigma_px: number): Hessian {
  const reach = Math.ceil(CUT * sigma_px);
  const gauss = new Float64Array(2 * reach + 1);
  let sum = 0;
  for (let at = 0; at < gauss.length; at++) sum += gauss[at] = Math.exp(-0.5 * ((at - reach) / sigma_px) ** 2);
  for (let at = 0; at < gauss.length; at++) gauss[at] = gauss[at]! / sum;
  const slope = gauss.map((value, at) => (-(at - reach) / sigma_px) * value);
  const bend = gauss.map((value, at) => (((at - reach) / sigma_px) ** 2 - 1) * value);
  // What is cut off and sampled must not answer to an even image.
  const rest = bend.reduce((all, value) => all + value, 0);
  for (let at = 0; at < bend.length; at++) bend[at] = bend[at]! - rest * gauss[at]!;

  const known = Float64Array.from(image, (value) => (Number.isFinite(value) ? value : 0));
  const soft = alongRows(known, width, height, gauss);
  const xx = along(alongRows(known, width, height, bend), width, height, gauss);
  const yy = along(soft, width, height, bend);
  const xy = along(alongRows(known, width, height, slope), width, height, slope);
  return { xx, xy, yy };
}

function alongRows(values: Float64Array, width: number, height: number, kernel: Float64Array): Float64Array {
  const reach = (kernel.length - 1) / 2;
  const result = new Float64Array(values.length);
  const row = new Float64Array(width + 2 * reach);
  for (let y = 0; y < height; y++) {
    row.set(values.subarray(y * width, (y + 1) * width), reach);
    for (let x = 0; x < width; x++) {
      let sum = 0;
      // Correlated, not convolved: odd kernels come in pairs, so that their sign does not matter.
      for (let k = 0; k < kernel.length; k++) sum += kernel[k]! * row[x + k]!;
      result[y * width + x] = sum;
    }
  }
  return result;
}

function along(values: Float64Array, width: number, height: number, kernel: Float64Array): Float64Array {
  const reach = (kernel.length - 1) / 2;
  const result = new Float64Array(values.length);
  for (let y = 0; y < height; y++) {
    const from = Math.max(0, y - reach);
    const to = Math.min(height - 1, y + reach);
    for (let other = from; other <= to; other++) {
      const by = kernel[other - y + reach]!;
      for (let x = 0; x < width; x++) result[y * width + x]! += by * values[other * width + x]!;
    }
  }
  return result;
}
