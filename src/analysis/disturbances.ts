/** What the microscope itself does to an image of a particle: it drifts a little, it defocuses. */
import { gaussianBlur } from "../kernels/filter.js";

/**
 * What a shift adds to each sample (the gradient of the mean image over its light) and what a wider PSF does (its
 * Laplacian), smoothed as the light is.
 */
export function disturbancesOf(
  reference: Float32Array,
  inside: Uint8Array,
  samples: Int32Array,
  width: number,
  height: number,
  sigma_px: number,
): Float32Array[] {
  const whole = blurInside(reference, inside, width, height, sigma_px);
  const seen = (of: (ahead: (step: number) => number, middle: number) => number): Float32Array => {
    const image = reference.map((middle, at) => {
      if (inside[at] === 0) return 0;
      // Beyond the image, or where nothing is known, the light goes on as it is.
      const ahead = (step: number): number => {
        const other = reference[at + step] ?? NaN;
        return Number.isFinite(other) ? other : middle;
      };
      return of(ahead, middle);
    });
    const smooth = blurInside(image, inside, width, height, sigma_px);
    return Float32Array.from(samples, (at) => smooth[at]! / whole[at]!);
  };
  const patterns = [
    seen((ahead) => ahead(1) - ahead(-1)),
    seen((ahead) => ahead(width) - ahead(-width)),
    seen((ahead, middle) => ahead(1) + ahead(-1) + ahead(width) + ahead(-width) - 4 * middle),
  ];
  return orthonormal(patterns, new Float32Array(samples.length));
}

/**
 * Takes the mean and what a small shift or defocus of the scene would give out of a differential image, in place, by least
 * squares; returns the mean, or null where less than half of the samples are known. The disturbances are orthonormal and
 * without mean; where samples are unknown they are made so again over the others.
 */
export function removeEven(field: Float32Array, disturbances: readonly Float32Array[]): number | null {
  let n = 0;
  let even = 0;
  for (let at = 0; at < field.length; at++) {
    const one = field[at]!;
    if (Number.isNaN(one)) continue;
    n++;
    even += one;
  }
  if (n < 0.5 * field.length) return null;
  even /= n;
  for (let at = 0; at < field.length; at++) field[at] = field[at]! - even;
  if (n < field.length) for (const pattern of orthonormal(disturbances, field)) subtractAlong(field, pattern);
  else if (disturbances.length === 3) subtractThree(field, disturbances[0]!, disturbances[1]!, disturbances[2]!);
  else for (const pattern of disturbances) subtractAlong(field, pattern);
  return even;
}

/** Takes the parts along three orthonormal patterns out of a field that is known all over. */
function subtractThree(field: Float32Array, one: Float32Array, two: Float32Array, three: Float32Array): void {
  let [a, b, c] = [0, 0, 0];
  for (let at = 0; at < field.length; at++) {
    const value = field[at]!;
    a += value * one[at]!;
    b += value * two[at]!;
    c += value * three[at]!;
  }
  for (let at = 0; at < field.length; at++) {
    field[at] = field[at]! - a * one[at]! - b * two[at]! - c * three[at]!;
  }
}

/** Patterns freed of their mean and of each other, of unit length, over the samples that `known` knows. */
function orthonormal(patterns: readonly Float32Array[], known: Float32Array): Float32Array[] {
  const found: Float32Array[] = [];
  for (const pattern of patterns) {
    let n = 0;
    let mean = 0;
    for (let at = 0; at < pattern.length; at++) {
      if (Number.isNaN(known[at]!)) continue;
      n++;
      mean += pattern[at]!;
    }
    mean /= n;
    const free = new Float32Array(pattern.length);
    for (let at = 0; at < pattern.length; at++) free[at] = Number.isNaN(known[at]!) ? 0 : pattern[at]! - mean;
    const before = length(free);
    for (const other of found) subtractAlong(free, other);
    const after = length(free);
    if (!(after > 1e-3 * before)) continue;
    for (let at = 0; at < free.length; at++) free[at] = free[at]! / after;
    found.push(free);
  }
  return found;
}

/** Euclidean length of values taken as one vector, in their own unit. */
export function length(values: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < values.length; at++) sum += values[at]! * values[at]!;
  return Math.sqrt(sum);
}

/** Takes the part along a pattern of unit length out of some values; values that are NaN stay so. */
function subtractAlong(values: Float32Array, pattern: Float32Array): void {
  let along = 0;
  for (let at = 0; at < values.length; at++) {
    const one = values[at]!;
    if (!Number.isNaN(one)) along += one * pattern[at]!;
  }
  for (let at = 0; at < values.length; at++) values[at] = values[at]! - along * pattern[at]!;
}

/** The image blurred with nothing outside; not normalised, as only ratios of two such images are taken. */
export function blurInside(
  image: Float32Array,
  inside: Uint8Array,
  width: number,
  height: number,
  sigma_px: number,
): Float32Array {
  const masked = image.map((value, at) => (inside[at] !== 0 && Number.isFinite(value) ? value : 0));
  return gaussianBlur(masked, width, height, sigma_px);
}
