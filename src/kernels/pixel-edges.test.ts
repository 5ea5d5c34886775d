import * as fc from "fast-check";
import { expect, test } from "vitest";
import { fillHoles, labelComponents } from "./label.js";
import { polygonLabels, valueAreas } from "./pixel-edges.js";
import { polygonArea } from "./polygon.js";

/** Rows of digits as an image. */
function picture(...rows: string[]): { values: number[]; width: number; height: number } {
  return { values: rows.flatMap((row) => [...row].map(Number)), width: rows[0]!.length, height: rows.length };
}

test("an area's outline runs along the sides of its pixels, corners only", () => {
  const { values, width, height } = picture("0000", "0110", "0100");
  expect(valueAreas(values, width, height, 10)).toEqual([
    {
      value: 1,
      area_px: 3,
      outline: [
        [0.5, 0.5],
        [2.5, 0.5],
        [2.5, 1.5],
        [1.5, 1.5],
        [1.5, 2.5],
        [0.5, 2.5],
      ],
    },
  ]);
});

test("pixels that meet at a corner are one area with one outline; another value between them is not", () => {
  const { values, width, height } = picture("1020", "0100", "2001");
  const areas = valueAreas(values, width, height, 10);
  expect(areas.map(({ value, area_px, outline }) => [value, area_px, polygonArea(outline)])).toEqual([
    [1, 2, 2],
    [2, 1, 1],
    [2, 1, 1],
    [1, 1, 1],
  ]);
});

test("more areas than asked for are not walked through", () => {
  const values = Float64Array.from({ length: 1_000_000 }, (_, at) => 1 + (at % 977));
  expect(valueAreas(values, 1000, 1000, 100)).toHaveLength(101);
});

test("labels of areas without holes come back from their outlines", () => {
  const image = fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 })).chain(([width, height]) =>
    fc.record({
      width: fc.constant(width),
      height: fc.constant(height),
      mask: fc.uint8Array({ minLength: width * height, maxLength: width * height, max: 2 }),
    }),
  );
  fc.assert(
    fc.property(image, ({ width, height, mask }) => {
      const full = fillHoles(
        mask.map((value) => Math.min(1, value)),
        width,
        height,
      );
      // Areas that touch at corners alone are kept apart by their labels.
      const { labels, count } = labelComponents(full, width, height);
      const areas = valueAreas(labels, width, height, 1000);
      expect(areas).toHaveLength(count);
      const back = polygonLabels(
        areas.map(({ outline }) => outline),
        width,
        height,
      );
      expect([...back.labels]).toEqual([...labels]);
      expect(back).toMatchObject({ taken: 0, empty: [] });
      for (const { area_px, outline } of areas) expect(polygonArea(outline)).toBe(area_px);
    }),
  );
});

test("an outline beyond the image or between pixel centres has no label, and an overlap is the earlier one's", () => {
  const box = (x: number, y: number, side: number): [number, number][] => [
    [x, y],
    [x + side, y],
    [x + side, y + side],
    [x, y + side],
  ];
  const made = polygonLabels([box(0.5, 0.5, 3), box(2.5, 2.5, 9), box(50, 50, 9), box(1.2, 1.2, 0.5)], 6, 6);
  expect(made.empty).toEqual([2, 3]);
  expect(made.taken).toBe(1);
  expect(made.labels[2 * 6 + 2]).toBe(1);
  expect(made.labels[5 * 6 + 5]).toBe(2);
});
