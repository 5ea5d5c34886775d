/** Random numbers that are the same on every machine for the same seed. */

/** A stream of random numbers. */
export interface Random {
  /** Uniform in [0, 1), 53 bits. */
  uniform(): number;
  /** Normal with mean 0 and standard deviation 1. */
  normal(): number;
  /** Poisson with the given mean; NaN for a mean that is negative or not finite. */
  poisson(mean: number): number;
  /** An integer, uniform in 0 ... n - 1. */
  integer(n: number): number;
}

/**
 * A stream of random numbers from a seed: xoshiro128** (Blackman and Vigna 2021), its state filled by splitmix32.
 * Seeds that differ in any of their 32 low bits give unrelated streams.
 */
export function random(seed: number): Random {
  let fill = seed | 0;
  const splitmix = (): number => {
    fill = (fill + 0x9e3779b9) | 0;
    let z = Math.imul(fill ^ (fill >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return z ^ (z >>> 15);
  };
  let a = splitmix();
  let b = splitmix();
  let c = splitmix();
  let d = splitmix();
  if ((a | b | c | d) === 0) a = 1;

  const bits = (): number => {
    const times5 = Math.imul(b, 5);
    const result = Math.imul((times5 << 7) | (times5 >>> 25), 9);
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    return result >>> 0;
  };
  const uniform = (): number => ((bits() >>> 5) * 67108864 + (bits() >>> 6)) / 9007199254740992;

  let spare = NaN;
  const normal = (): number => {
    if (!Number.isNaN(spare)) {
      const value = spare;
      spare = NaN;
      return value;
    }
    // Marsaglia's polar form of Box and Muller.
    let u: number;
    let v: number;
    let s: number;
    do {
      u = 2 * uniform() - 1;
      v = 2 * uniform() - 1;
      s = u * u + v * v;
    } while (s >= 1 || s === 0);
    const scale = Math.sqrt((-2 * Math.log(s)) / s);
    spare = v * scale;
    return u * scale;
  };

  const poisson = (mean: number): number => {
    if (!(mean >= 0) || mean === Infinity) return NaN;
    if (mean < 10) return poissonByProducts(mean, uniform);
    if (mean < 1e8) return poissonByRejection(mean, uniform);
    return Math.round(mean + Math.sqrt(mean) * normal());
  };

  return { uniform, normal, poisson, integer: (n) => Math.floor(uniform() * n) };
}

/** Knuth: uniforms are multiplied until their product falls below exp(-mean). */
function poissonByProducts(mean: number, uniform: () => number): number {
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = uniform(); product > limit; product *= uniform()) count++;
  return count;
}

/** Transformed rejection with squeeze (PTRS), exact for mean >= 10: Hoermann, Insurance Math. Econ. 12, 39 (1993). */
function poissonByRejection(mean: number, uniform: () => number): number {
  const root = Math.sqrt(mean);
  const logMean = Math.log(mean);
  const b = 0.931 + 2.53 * root;
  const a = -0.059 + 0.02483 * b;
  const inverseAlpha = 1.1239 + 1.1328 / (b - 3.4);
  const squeeze = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    const u = uniform() - 0.5;
    const v = uniform();
    const us = 0.5 - Math.abs(u);
    const k = Math.floor(((2 * a) / us + b) * u + mean + 0.43);
    if (us >= 0.07 && v <= squeeze) return k;
    if (k < 0 || (us < 0.013 && v > us)) continue;
    if (Math.log(v * inverseAlpha) - Math.log(a / (us * us) + b) <= k * logMean - mean - logFactorial(k)) return k;
  }
}

/** ln k!, by Stirling's series above 9. */
function logFactorial(k: number): number {
  if (k < 10) {
    let product = 1;
    for (let factor = 2; factor <= k; factor++) product *= factor;
    return Math.log(product);
  }
  const k2 = k * k;
  return (k + 0.5) * Math.log(k) - k + 0.9189385332046727 + (1 / 12 - (1 / 360 - 1 / (1260 * k2)) / k2) / k;
}
