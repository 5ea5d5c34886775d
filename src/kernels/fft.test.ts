import * as fc from "fast-check";
import { expect, test } from "vitest";
import { fft2, fft2Real, nextFastSize } from "./fft.js";
import { random } from "./random.js";

const lengths = fc.constantFrom(1, 2, 3, 4, 5, 6, 8, 9, 10, 12, 15, 16, 18, 20, 24, 25, 27, 30);
const draws = fc.record({ width: lengths, height: lengths, seed: fc.integer() });

function noise(n: number, seed: number): Float64Array {
  const source = random(seed);
  return Float64Array.from({ length: n }, () => source.normal());
}

/** The definition, one axis after the other. */
function slowTransform(re: Float64Array, im: Float64Array, width: number, height: number, sign: 1 | -1) {
  const line = (n: number, stride: number, start: number, a: Float64Array, b: Float64Array) => {
    const found: [number, number][] = [];
    for (let k = 0; k < n; k++) {
      let [x, y] = [0, 0];
      for (let at = 0; at < n; at++) {
        const angle = (sign * 2 * Math.PI * at * k) / n;
        x += a[start + at * stride]! * Math.cos(angle) - b[start + at * stride]! * Math.sin(angle);
        y += a[start + at * stride]! * Math.sin(angle) + b[start + at * stride]! * Math.cos(angle);
      }
      found.push([x, y]);
    }
    found.forEach(([x, y], k) => {
      a[start + k * stride] = x;
      b[start + k * stride] = y;
    });
  };
  const [a, b] = [re.slice(), im.slice()];
  for (let y = 0; y < height; y++) line(width, 1, y * width, a, b);
  for (let x = 0; x < width; x++) line(height, width, x, a, b);
  return [a, b] as const;
}

function farthest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let worst = 0;
  for (let at = 0; at < a.length; at++) worst = Math.max(worst, Math.abs(a[at]! - b[at]!));
  return worst;
}

test("the transform is its definition, forwards and backwards, for every product of 2, 3 and 5", () => {
  fc.assert(
    fc.property(draws, fc.boolean(), ({ width, height, seed }, inverse) => {
      const n = width * height;
      const re = noise(n, seed);
      const im = noise(n, seed + 1);
      const [slowRe, slowIm] = slowTransform(re, im, width, height, inverse ? 1 : -1);
      fft2(re, im, width, height, inverse);
      const factor = inverse ? n : 1;
      expect(
        farthest(
          re.map((value) => value * factor),
          slowRe,
        ),
      ).toBeLessThan(1e-11 * n);
      expect(
        farthest(
          im.map((value) => value * factor),
          slowIm,
        ),
      ).toBeLessThan(1e-11 * n);
    }),
    { numRuns: 60 },
  );
});

test("there and back is where it was, for images of real size", () => {
  for (const [width, height] of [
    [320, 256],
    [243, 125],
    [1, 1024],
    [600, 1],
  ] as const) {
    const re = noise(width * height, 3);
    const im = noise(width * height, 4);
    const [a, b] = [re.slice(), im.slice()];
    fft2(a, b, width, height, false);
    // Parseval: the power of the image is that of its spectrum over the number of pixels.
    const power = (x: Float64Array, y: Float64Array) => x.reduce((sum, value, at) => sum + value ** 2 + y[at]! ** 2, 0);
    expect(power(a, b) / (width * height) / power(re, im)).toBeCloseTo(1, 12);
    fft2(a, b, width, height, true);
    expect(farthest(a, re)).toBeLessThan(1e-13 * 50);
    expect(farthest(b, im)).toBeLessThan(1e-13 * 50);
  }
});

test("it is linear", () => {
  fc.assert(
    fc.property(draws, fc.double({ min: -3, max: 3, noNaN: true }), ({ width, height, seed }, factor) => {
      const n = width * height;
      const [p, q, r, s] = [noise(n, seed), noise(n, seed + 1), noise(n, seed + 2), noise(n, seed + 3)];
      const re = p.map((value, at) => value + factor * r[at]!);
      const im = q.map((value, at) => value + factor * s[at]!);
      for (const [a, b] of [
        [p, q],
        [r, s],
        [re, im],
      ] as const) {
        fft2(a, b, width, height, false);
      }
      expect(
        farthest(
          re,
          p.map((value, at) => value + factor * r[at]!),
        ),
      ).toBeLessThan(1e-11 * n);
    }),
    { numRuns: 30 },
  );
});

test("an image shifted round is its spectrum turned by a phase that grows with frequency", () => {
  fc.assert(
    fc.property(draws, fc.nat(29), fc.nat(29), ({ width, height, seed }, dx, dy) => {
      const n = width * height;
      const re = noise(n, seed);
      const im = new Float64Array(n);
      const shifted = re.map((_, at) => {
        const x = (((at % width) - dx) % width) + width;
        const y = ((Math.floor(at / width) - dy) % height) + height;
        return re[(y % height) * width + (x % width)]!;
      });
      const shiftedIm = new Float64Array(n);
      fft2(re, im, width, height, false);
      fft2(shifted, shiftedIm, width, height, false);
      for (let at = 0; at < n; at++) {
        const angle = -2 * Math.PI * (((at % width) * dx) / width + (Math.floor(at / width) * dy) / height);
        expect(Math.abs(re[at]! * Math.cos(angle) - im[at]! * Math.sin(angle) - shifted[at]!)).toBeLessThan(1e-11 * n);
      }
    }),
    { numRuns: 30 },
  );
});

test("a real image has the same transform by the shorter way", () => {
  fc.assert(
    fc.property(draws, fc.integer({ min: 1, max: 4 }), ({ width, height, seed }, tall) => {
      const n = width * height * tall;
      if (nextFastSize(height * tall) !== height * tall) return;
      const [re, im] = [noise(n, seed), new Float64Array(n)];
      const [shortRe, shortIm] = [re.slice(), noise(n, seed + 1)];
      fft2(re, im, width, height * tall, false);
      fft2Real(shortRe, shortIm, width, height * tall);
      expect(farthest(shortRe, re)).toBeLessThan(1e-11 * n);
      expect(farthest(shortIm, im)).toBeLessThan(1e-11 * n);
    }),
    { numRuns: 60 },
  );
});

test("the next fast size is the smallest that holds only 2, 3 and 5; others are refused", () => {
  const isFast = (n: number): boolean => n === 1 || [2, 3, 5].some((factor) => n % factor === 0 && isFast(n / factor));
  for (let n = 1; n < 700; n++) {
    let slow = n;
    while (!isFast(slow)) slow++;
    expect(nextFastSize(n)).toBe(slow);
  }
  expect(() => fft2(new Float64Array(7), new Float64Array(7), 7, 1, false)).toThrow("8");
});
