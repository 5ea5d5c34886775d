/** Images that share an image's power at each scale and nothing else. */
import { fft2, fft2Real, nextFastSize } from "./fft.js";
import type { Random } from "./random.js";

/** How large an image's fluctuations are at each scale. */
export interface Spectrum {
  readonly width: number;
  readonly height: number;
  /** Size of the transform. */
  readonly wide: number;
  readonly high: number;
  /** Amplitude at each frequency of the transform, the same in all directions. */
  readonly amplitude: Float64Array;
}

/**
 * The spectrum of the pixels of an image that are known (finite), their mean taken out, averaged over directions, and
 * scaled up for the pixels that are not.
 */
export function spectrumOf(image: ArrayLike<number>, width: number, height: number): Spectrum {
  const wide = nextFastSize(width);
  const high = nextFastSize(height);
  let sum = 0;
  let known = 0;
  for (let at = 0; at < image.length; at++) {
    if (!Number.isFinite(image[at]!)) continue;
    sum += image[at]!;
    known++;
  }
  const re = new Float64Array(wide * high);
  const im = new Float64Array(wide * high);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const value = image[y * width + x]!;
      if (Number.isFinite(value)) re[y * wide + x] = value - sum / known;
    }
  }
  fft2Real(re, im, wide, high);
  const size = Math.max(wide, high);
  const ring = (u: number, v: number): number =>
    Math.round(size * Math.hypot(Math.min(u, wide - u) / wide, Math.min(v, high - v) / high));
  const power = new Float64Array(size + 2);
  const count = new Int32Array(size + 2);
  for (let v = 0; v < high; v++) {
    for (let u = 0; u < wide; u++) {
      const at = v * wide + u;
      power[ring(u, v)]! += re[at]! ** 2 + im[at]! ** 2;
      count[ring(u, v)]!++;
    }
  }
  const scale = known === 0 ? 0 : (wide * high) / known;
  const amplitude = new Float64Array(wide * high);
  for (let v = 0; v < high; v++) {
    for (let u = 0; u < wide; u++) {
      const bin = ring(u, v);
      amplitude[v * wide + u] = u + v === 0 ? 0 : Math.sqrt((scale * power[bin]!) / count[bin]!);
    }
  }
  return { width, height, wide, high, amplitude };
}

/** Two independent images with the given amplitudes and random phases, as large as the one that the spectrum was taken of. */
export function surrogatesOf(
  { width, height, wide, high, amplitude }: Spectrum,
  from: Random,
): readonly [Float32Array, Float32Array] {
  const re = new Float64Array(amplitude.length);
  const im = new Float64Array(amplitude.length);
  // Frequencies apart from their opposites make an image and another one times i.
  for (let at = 0; at < re.length; at++) {
    const phase = 2 * Math.PI * from.uniform();
    re[at] = amplitude[at]! * Math.cos(phase);
    im[at] = amplitude[at]! * Math.sin(phase);
  }
  fft2(re, im, wide, high, true);
  // Each has half of the power.
  const cut = (values: Float64Array): Float32Array =>
    Float32Array.from(
      { length: width * height },
      (_, at) => Math.SQRT2 * values[Math.floor(at / width) * wide + (at % width)]!,
    );
  return [cut(re), cut(im)];
}
