import { expect, test } from "vitest";
import { random } from "./random.js";
import { crestOf, watersheds } from "./watershed.js";

const [width, height] = [40, 30];

/** A crest along x = 15 and another along y = 12 to the right of it, in noise; NaN along the border. */
function map(seed: number, second: number): Float32Array {
  const from = random(seed);
  return Float32Array.from({ length: width * height }, (_, at) => {
    const x = at % width;
    const y = Math.floor(at / width);
    if (x === 0 || y === 0 || x === width - 1 || y === height - 1) return NaN;
    const crests = Math.exp(-0.5 * (x - 15) ** 2) + (x >= 15 ? second * Math.exp(-0.5 * (y - 12) ** 2) : 0);
    return crests + 0.05 * from.normal();
  });
}

test("two crests make three areas; where the second is below what counts, two", () => {
  const three = watersheds(map(1, 0.8), width, height, { least: 0.35, least_px: 30 });
  expect(three.count).toBe(3);
  const at = (x: number, y: number): number => three.labels[y * width + x]!;
  expect(new Set([at(5, 15), at(25, 5), at(25, 25)]).size).toBe(3);
  expect(at(0, 0)).toBe(0);
  expect(three.lowest).toBeGreaterThan(0.35);
  expect(three.taken).toBeLessThan(0.35);
  const two = watersheds(map(1, 0.2), width, height, { least: 0.35, least_px: 30 });
  expect(two.count).toBe(2);
});

test("areas smaller than the least are joined to a neighbour, and all to one where no crest is high enough", () => {
  const small = watersheds(map(2, 0.8), width, height, { least: -Infinity, least_px: 200 });
  const area = new Map<number, number>();
  for (const label of small.labels) if (label > 0) area.set(label, (area.get(label) ?? 0) + 1);
  expect(Math.min(...area.values())).toBeGreaterThanOrEqual(200);
  expect(watersheds(map(2, 0.8), width, height, { least: 2, least_px: 1 })).toMatchObject({
    count: 1,
    lowest: Infinity,
  });
});

test("a single peak does not make a crest", () => {
  expect(crestOf([0.1, 0.1, 9, 0.1])).toBeCloseTo(0.1, 12);
});
