import * as fc from "fast-check";
import { expect, test } from "vitest";
import { random } from "./random.js";

/** Chi-square per degree of freedom has mean 1 and sd sqrt(2 / bins); five of them never come by chance. */
function chiSquareIsCredible(observed: readonly number[], expected: readonly number[]): void {
  const chi2 = observed.reduce((sum, count, bin) => sum + (count - expected[bin]!) ** 2 / expected[bin]!, 0);
  const freedom = observed.length - 1;
  expect(Math.abs(chi2 - freedom)).toBeLessThan(5 * Math.sqrt(2 * freedom));
}

test("a seed gives the same numbers each time, another seed others", () => {
  const draw = (seed: number) => {
    const source = random(seed);
    return [source.uniform(), source.normal(), source.poisson(3), source.poisson(300), source.integer(1000)];
  };
  expect(draw(7)).toEqual(draw(7));
  expect(new Set(Array.from({ length: 1000 }, (_, seed) => draw(seed)[0])).size).toBe(1000);
  expect(random(0).uniform()).not.toBe(random(0x1_0000_0001).uniform());
});

test("uniform numbers fill [0, 1) evenly, and neighbours in the stream are unrelated", () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const source = random(seed);
      const cells = Array.from({ length: 400 }, () => 0);
      for (let at = 0; at < 40_000; at++) {
        const x = source.uniform();
        const y = source.uniform();
        if (x < 0 || x >= 1) return false;
        cells[Math.floor(x * 20) * 20 + Math.floor(y * 20)]!++;
      }
      chiSquareIsCredible(
        cells,
        cells.map(() => 100),
      );
      return true;
    }),
    { numRuns: 5, seed: 1 },
  );
});

test("integers are even", () => {
  const source = random(3);
  const counts = Array.from({ length: 7 }, () => 0);
  for (let at = 0; at < 70_000; at++) counts[source.integer(7)]!++;
  chiSquareIsCredible(
    counts,
    counts.map(() => 10_000),
  );
});

test("normal numbers have mean 0, variance 1, no skew and a kurtosis of 3", () => {
  const source = random(11);
  const n = 400_000;
  const moments = [0, 0, 0, 0];
  for (let at = 0; at < n; at++) {
    const z = source.normal();
    for (let power = 1; power <= 4; power++) moments[power - 1]! += z ** power / n;
  }
  const sd = [1, 2, 15, 96].map((variance) => Math.sqrt(variance / n));
  for (const [at, truth] of [0, 1, 0, 3].entries()) expect(Math.abs(moments[at]! - truth)).toBeLessThan(5 * sd[at]!);
});

test.each([0.5, 5, 9.99, 10, 50, 900])("counts of mean %d follow Poisson's law bin by bin", (mean) => {
  const source = random(Math.round(mean * 100));
  const n = 100_000;
  const counts = new Map<number, number>();
  for (let at = 0; at < n; at++) {
    const k = source.poisson(mean);
    counts.set(k, (counts.get(k) ?? 0) + 1);
  }
  let logFactorial = 0;
  const observed: number[] = [];
  const expected: number[] = [];
  let restObserved = n;
  let restExpected = n;
  for (let k = 0; k < 2 * mean + 30; k++) {
    if (k > 0) logFactorial += Math.log(k);
    const awaited = n * Math.exp(k * Math.log(mean) - mean - logFactorial);
    if (awaited < 20) continue;
    observed.push(counts.get(k) ?? 0);
    expected.push(awaited);
    restObserved -= counts.get(k) ?? 0;
    restExpected -= awaited;
  }
  chiSquareIsCredible([...observed, restObserved], [...expected, restExpected]);
});

test.each([0.5, 5, 50, 5e4, 1e9])("counts of mean %d have that mean, that variance and their skew", (mean) => {
  const source = random(5);
  const n = 200_000;
  let first = 0;
  let second = 0;
  let third = 0;
  for (let at = 0; at < n; at++) {
    const z = (source.poisson(mean) - mean) / Math.sqrt(mean);
    first += z / n;
    second += z ** 2 / n;
    third += z ** 3 / n;
  }
  expect(Math.abs(first)).toBeLessThan(5 / Math.sqrt(n));
  expect(Math.abs(second - 1)).toBeLessThan(5 * Math.sqrt((2 + 1 / mean) / n));
  expect(Math.abs(third - 1 / Math.sqrt(mean))).toBeLessThan(
    5 * Math.sqrt((15 + 25 / mean + 1 / mean ** 2) / n) + 0.001,
  );
});

test("a mean of nothing gives nothing, and a mean that is none gives NaN", () => {
  const source = random(1);
  expect(source.poisson(0)).toBe(0);
  expect(source.poisson(-1)).toBeNaN();
  expect(source.poisson(NaN)).toBeNaN();
  expect(source.poisson(Infinity)).toBeNaN();
});
