import * as fc from "fast-check";
import { expect, test } from "vitest";
import { random } from "./random.js";
import { bootstrap, isotonic, linearFit, madSigma, mean, median, otsu, quantile, theilSen } from "./stats.js";

const numbers = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 60 });

test("quantiles are those of the sorted values, with gaps left out", () => {
  fc.assert(
    fc.property(numbers, fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(5), (values, q, gaps) => {
      const sorted = [...values].sort((a, b) => a - b);
      const rank = q * (values.length - 1);
      const [lower, upper] = [sorted[Math.floor(rank)]!, sorted[Math.ceil(rank)]!];
      const truth = lower + (rank % 1) * (upper - lower);
      const withGaps = [...Array.from({ length: gaps }, () => NaN), ...values, Infinity];
      expect(quantile(withGaps, q)).toBeCloseTo(truth, 6);
      expect(mean(withGaps)).toBeCloseTo(values.reduce((a, b) => a + b, 0) / values.length, 5);
    }),
  );
});

test("many equal values are no trouble", () => {
  expect(median(new Float32Array(100_000).fill(3))).toBe(3);
  expect(
    quantile(
      Uint16Array.from({ length: 100_001 }, (_, at) => at % 2),
      0.5,
    ),
  ).toBe(0);
});

test("of nothing, nothing is known", () => {
  for (const statistic of [mean, median, madSigma, otsu]) expect(statistic([NaN])).toBeNaN();
  expect(theilSen([1, 1], [2, 3])).toEqual({ slope: NaN, intercept: NaN });
  expect(linearFit([1, 1], [2, 3]).slope).toBeNaN();
  expect(linearFit([1, 2], [2, 3]).slopeSd).toBeNaN();
});

test("the spread of a normal sample is found, also with a fifth of it spoiled", () => {
  const source = random(4);
  const sample = Float64Array.from({ length: 20_000 }, () => 7 + 3 * source.normal());
  expect(Math.abs(madSigma(sample) - 3)).toBeLessThan(0.1);
  for (let at = 0; at < 4000; at++) sample[at] = 1000;
  expect(Math.abs(madSigma(sample) - 3)).toBeLessThan(1.2);
});

test("Theil and Sen find a line in spite of a fifth of wild points, few or many, in any order", () => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.constantFrom(30, 400, 4001),
      fc.double({ min: -5, max: 5, noNaN: true }),
      (seed, n, slope) => {
        const source = random(seed);
        const x = Float64Array.from({ length: n }, () => 10 * source.uniform());
        const y = x.map(
          (value) => 2 + slope * value + (source.uniform() < 0.2 ? 500 * source.normal() : 0.01 * source.normal()),
        );
        y[0] = NaN;
        const line = theilSen(x, y);
        expect(Math.abs(line.slope - slope)).toBeLessThan(0.1 / Math.sqrt(n));
        expect(Math.abs(line.intercept - 2)).toBeLessThan(0.5 / Math.sqrt(n));
      },
    ),
    { numRuns: 12, seed: 5 },
  );
});

test("the slope of few points is the median of all pairs", () => {
  expect(theilSen([0, 1, 2], [0, 1, 10])).toEqual({ slope: 5, intercept: 0 });
});

test("a least-squares line leaves rests that neither tilt nor shift", () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 3, max: 50 }), (seed, n) => {
      const source = random(seed);
      const x = Float64Array.from({ length: n }, () => source.normal());
      const y = Float64Array.from({ length: n }, () => source.normal());
      const weights = Float64Array.from({ length: n }, () => 0.1 + source.uniform());
      const { slope, intercept } = linearFit(x, y, weights);
      const rest = y.map((value, at) => weights[at]! * (value - intercept - slope * x[at]!));
      expect(rest.reduce((a, b) => a + b, 0)).toBeCloseTo(0, 8);
      expect(rest.reduce((a, b, at) => a + b * x[at]!, 0)).toBeCloseTo(0, 8);
      const doubled = linearFit(
        x,
        y,
        weights.map((weight) => 2 * weight),
      );
      expect(doubled.slopeSd).toBeCloseTo(linearFit(x, y, weights).slopeSd, 10);
    }),
  );
});

test("the standard errors of a line are the scatter of its repeats", () => {
  const source = random(8);
  const x = Float64Array.from({ length: 12 }, (_, at) => at);
  const sd = x.map((value) => 0.5 + 0.1 * value);
  const weights = sd.map((value) => 1 / value ** 2);
  const fits = Array.from({ length: 4000 }, () =>
    linearFit(
      x,
      x.map((value, at) => 1 + 2 * value + sd[at]! * source.normal()),
      weights,
    ),
  );
  const rms = (values: number[]) => Math.sqrt(mean(values.map((value) => value ** 2)));
  expect(rms(fits.map((fit) => fit.slope - 2)) / rms(fits.map((fit) => fit.slopeSd))).toBeCloseTo(1, 1);
  expect(rms(fits.map((fit) => fit.intercept - 1)) / rms(fits.map((fit) => fit.interceptSd))).toBeCloseTo(1, 1);
});

test("Otsu's level parts two heaps, and no other level parts them better", () => {
  fc.assert(
    fc.property(fc.integer(), fc.double({ min: 0.1, max: 0.9, noNaN: true }), (seed, share) => {
      const source = random(seed);
      const values = Float64Array.from({ length: 2000 }, () => (source.uniform() < share ? 10 : 30) + source.normal());
      const parted = (level: number): number => {
        const below = values.filter((value) => value < level);
        const above = values.filter((value) => value >= level);
        return below.length * above.length * (mean(below) - mean(above)) ** 2;
      };
      const level = otsu(values);
      expect(level).toBeGreaterThan(14);
      expect(level).toBeLessThan(26);
      const best = Math.max(
        ...Array.from({ length: 60 }, (_, at) => 8 + at * 0.4)
          .map(parted)
          .filter(Number.isFinite),
      );
      expect(parted(level)).toBeGreaterThan(0.999 * best);
    }),
    { numRuns: 20 },
  );
});

test("the nearest rising sequence rises, keeps the sum, and is itself where it already rose", () => {
  fc.assert(
    fc.property(numbers, fc.integer(), (values, seed) => {
      const source = random(seed);
      const weights = values.map(() => 0.1 + source.uniform());
      const rising = isotonic(values, weights);
      for (let at = 1; at < rising.length; at++) expect(rising[at]).toBeGreaterThanOrEqual(rising[at - 1]!);
      const sum = (list: ArrayLike<number>) => weights.reduce((total, weight, at) => total + weight * list[at]!, 0);
      expect(Math.abs(sum(rising) - sum(values))).toBeLessThan(1e-4);
      // The nearest point of a cone: what is left is perpendicular to it.
      const across = weights.reduce(
        (total, weight, at) => total + weight * rising[at]! * (values[at]! - rising[at]!),
        0,
      );
      expect(Math.abs(across)).toBeLessThan(1e-9 * sum(values.map((value) => value ** 2)) + 1e-6);
      const sorted = [...values].sort((a, b) => a - b);
      expect([...isotonic(sorted)]).toEqual(sorted);
    }),
  );
  expect([...isotonic([3, NaN, 1, 5])]).toEqual([2, NaN, 2, 5]);
});

test("the bootstrap of a mean scatters by the standard error, and repeats itself from its seed", () => {
  const source = random(2);
  const sample = Float64Array.from({ length: 400 }, () => source.normal());
  const average = (indices: Int32Array) => mean(Array.from(indices, (at) => sample[at]!));
  const draws = bootstrap(400, average, 1000, 9);
  expect(madSigma(draws)).toBeGreaterThan(0.8 / 20);
  expect(madSigma(draws)).toBeLessThan(1.2 / 20);
  expect(Math.abs(mean(draws) - mean(sample))).toBeLessThan(0.01);
  expect(bootstrap(400, average, 5, 9)).toEqual(draws.slice(0, 5));
});
