import { expect, test } from "vitest";
import { random } from "../kernels/random.js";
import { matchOutlines, type Outline } from "./same-outlines.js";

/** An irregular crystal of some 3 um, drawn from a seed. */
function crystal(seed: number): Outline {
  const from = random(seed);
  const waves = [2, 3, 4, 5].map((turns) => [turns, 0.25 * from.normal(), 2 * Math.PI * from.uniform()] as const);
  return Array.from({ length: 90 }, (_, at) => {
    const angle = (2 * Math.PI * at) / 90;
    const r = 1.5 + waves.reduce((sum, [turns, height, phase]) => sum + height * Math.sin(turns * angle + phase), 0);
    return [r * Math.cos(angle), r * Math.sin(angle)] as const;
  });
}

/** The outline as another movie would show it: elsewhere, its corners off by 40 nm. */
function again(outline: Outline, seed: number): Outline {
  const from = random(seed);
  const [x0, y0] = [20 * from.uniform(), 20 * from.uniform()];
  return outline.map(([x, y]) => [x + x0 + 0.04 * from.normal(), y + y0 + 0.04 * from.normal()] as const);
}

test("irregular crystals are known again in another field, in any order, and nothing else is taken for them", () => {
  const seeds = Array.from({ length: 30 }, (_, at) => at + 1);
  const first = seeds.map(crystal);
  // Half of them are seen again, from the last to the first, among thirty that are not.
  const second = [
    ...seeds.filter((seed) => seed % 2 === 0).map((seed) => again(crystal(seed), 1000 + seed)),
    ...seeds.map((seed) => crystal(500 + seed)),
  ].reverse();
  const found = matchOutlines(first, second);
  const right = found.filter(
    (one) => seeds[one.first]! % 2 === 0 && second.length - one.second === seeds[one.first]! / 2,
  );
  expect(found.length - right.length).toBe(0);
  expect(right.length).toBeGreaterThanOrEqual(14);
  for (const { iou } of right) expect(iou).toBeGreaterThan(0.93);
});

test("two that both look like one are neither; another size or a quarter turn is another crystal", () => {
  const one = crystal(7);
  const scaled = (factor: number): Outline => one.map(([x, y]) => [factor * x, factor * y] as const);
  const turned: Outline = one.map(([x, y]) => [-y, x] as const);
  expect(matchOutlines([one], [again(one, 1)])).toHaveLength(1);
  expect(matchOutlines([one], [again(one, 1), again(one, 2)])).toEqual([]);
  expect(matchOutlines([again(one, 2), again(one, 3)], [one])).toEqual([]);
  expect(matchOutlines([one], [scaled(1.1)])).toEqual([]);
  expect(matchOutlines([one], [turned])).toEqual([]);
  expect(matchOutlines([], [one])).toEqual([]);
});

test("the stated share is that of areas: an ellipse beside one that is a tenth longer", () => {
  const ellipse = (a: number): Outline =>
    Array.from(
      { length: 200 },
      (_, at) => [a * Math.cos((Math.PI * at) / 100), Math.sin((Math.PI * at) / 100)] as const,
    );
  const [match] = matchOutlines([ellipse(2)], [ellipse(2.2)]);
  expect(match!.iou).toBeCloseTo(2 / 2.2, 2);
});
