/** Fresnel's coefficients at normal incidence, for media that absorb. Fields go as exp(i (N z 2 pi / wavelength - w t)). */
import type { ComplexIndex } from "./refractive-index.js";

/** A complex amplitude. */
export interface Amplitude {
  readonly re: number;
  readonly im: number;
}

/**
 * Amplitude reflected where light passes from one medium into another, of the incident amplitude.
 *
 *     r = (N1 - N2) / (N1 + N2)
 *
 * Born and Wolf, Principles of Optics, 1.5 and 14.2.
 */
export function reflectedAmplitude(from: ComplexIndex, into: ComplexIndex): Amplitude {
  return ratio(from.n - into.n, from.k - into.k, from.n + into.n, from.k + into.k);
}

/** Amplitude that passes, t = 2 N1 / (N1 + N2) = 1 + r. */
export function transmittedAmplitude(from: ComplexIndex, into: ComplexIndex): Amplitude {
  const r = reflectedAmplitude(from, into);
  return { re: 1 + r.re, im: r.im };
}

/** Share of the light that is reflected, R = |r|^2; by energy 1 - R enters the second medium where the first is clear. */
export function reflectance(from: ComplexIndex, into: ComplexIndex): number {
  const r = reflectedAmplitude(from, into);
  return r.re * r.re + r.im * r.im;
}

/** Depth at which light in an absorbing medium has fallen to 1/e, um; infinite in a clear one. */
export function opticalDepth_um(medium: ComplexIndex, wavelength_um: number): number {
  return wavelength_um / (4 * Math.PI * medium.k);
}

function ratio(a: number, b: number, c: number, d: number): Amplitude {
  const size = c * c + d * d;
  return { re: (a * c + b * d) / size, im: (b * c - a * d) / size };
}
