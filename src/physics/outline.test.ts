import * as fc from "fast-check";
import { expect, test } from "vitest";
import { containsPoint, polygonArea, polygonCentroid } from "../kernels/polygon.js";
import { ParameterError } from "../model/errors.js";
import { outlineOf, overlap, placesInside, rimPlace, type Place } from "./outline.js";

test("an ellipse has its area and its centre", () => {
  const points = outlineOf({ kind: "ellipse", centre_um: [3, -2], radii_um: [4.8, 3.4], angle_deg: 20 });
  expect(polygonArea(points)).toBeCloseTo(Math.PI * 4.8 * 3.4, 9);
  const [x, y] = polygonCentroid(points);
  expect(x).toBeCloseTo(3, 9);
  expect(y).toBeCloseTo(-2, 9);
  const far = points.reduce((a, b) => (Math.hypot(b[0] - 3, b[1] + 2) > Math.hypot(a[0] - 3, a[1] + 2) ? b : a));
  // The long axis is turned from +x towards +y; both of its ends count.
  const turned = (Math.atan2(far[1] + 2, far[0] - 3) * 180) / Math.PI;
  expect(((turned % 180) + 180) % 180).toBeCloseTo(20, 0);
});

test("a hexagon has the area of its radius, less when its corners are rounded", () => {
  const sharp = outlineOf({ kind: "hexagon", centre_um: [0, 0], radius_um: 2, angle_deg: 0, corner_um: 0 });
  expect(sharp).toHaveLength(6);
  expect(polygonArea(sharp)).toBeCloseTo(1.5 * Math.sqrt(3) * 4, 9);
  const round = outlineOf({ kind: "hexagon", centre_um: [0, 0], radius_um: 2, angle_deg: 0, corner_um: 0.5 });
  expect(polygonArea(round)).toBeLessThan(polygonArea(sharp));
  expect(polygonArea(round)).toBeGreaterThan(0.97 * polygonArea(sharp));
});

test("every irregular crystal is one simple outline about its centre, and a seed is always the same one", () => {
  fc.assert(
    fc.property(
      fc.nat(),
      fc.integer({ min: 3, max: 40 }),
      fc.double({ min: 1, max: 6, noNaN: true }),
      (seed, corners, radius_um) => {
        const spec = { kind: "crystal", centre_um: [1, 2], radius_um, corners, seed } as const;
        const points = outlineOf(spec);
        expect(outlineOf(spec)).toEqual(points);
        for (const [x, y] of points) expect(Math.hypot(x - 1, y - 2)).toBeLessThanOrEqual(radius_um + 1e-9);
      },
    ),
  );
});

test("an outline that crosses itself, is tiny, or is no polygon is refused with its name", () => {
  const bow: Place[] = [
    [0, 0],
    [4, 4],
    [4, 0],
    [0, 4],
  ];
  const polygon = (points_um: readonly Place[]): (() => Place[]) => {
    return () => outlineOf({ kind: "polygon", points_um, corner_um: 0 }, "particles.2.outline");
  };
  expect(polygon(bow)).toThrow(/particles\.2\.outline crosses itself near 2\.00,2\.00 um/);
  expect(
    polygon([
      [0, 0],
      [5, 0],
      [5, 5],
      [2, -1],
      [0, 5],
    ]),
  ).toThrow(/particles\.2\.outline crosses itself near/);
  expect(
    polygon([
      [0, 0],
      [0.3, 0],
      [0, 0.3],
    ]),
  ).toThrow(/covers 0\.0450 um\^2: too small/);
  expect(
    polygon([
      [0, 0],
      [3, 0],
    ]),
  ).toThrow(ParameterError);
  expect(
    polygon([
      [0, 0],
      [3, NaN],
      [3, 3],
    ]),
  ).toThrow(ParameterError);
});

test("a polygon written closed, or with a corner twice, is the same outline", () => {
  const corners: Place[] = [
    [0, 0],
    [3, 0],
    [3, 2],
  ];
  const twice: Place[] = [corners[0]!, corners[0]!, corners[1]!, corners[2]!, corners[2]!, corners[0]!];
  const outline = outlineOf({ kind: "polygon", points_um: twice, corner_um: 0 });
  expect(outline).toHaveLength(3);
  expect(polygonArea(outline)).toBeCloseTo(3, 12);
});

test("counted places measure area to a part in a thousand, along lines too", () => {
  const outline = outlineOf({ kind: "crystal", centre_um: [0, 0], radius_um: 3, corners: 6, seed: 9 });
  const places = placesInside(outline, 20_000);
  const box =
    (Math.max(...outline.map(([x]) => x)) - Math.min(...outline.map(([x]) => x))) *
    (Math.max(...outline.map(([, y]) => y)) - Math.min(...outline.map(([, y]) => y)));
  expect(Math.abs(((places.length / 20_000) * box) / polygonArea(outline) - 1)).toBeLessThan(1e-3);
  const left = places.filter(([x]) => x < 0.3).length / places.length;
  const exact = polygonArea(cutAt(outline, 0.3)) / polygonArea(outline);
  expect(Math.abs(left - exact)).toBeLessThan(1e-3);
});

test("outlines that touch, cross or hold one another overlap", () => {
  const at = (x: number, radius: number): Place[] =>
    outlineOf({ kind: "ellipse", centre_um: [x, 0], radii_um: [radius, radius], angle_deg: 0 });
  expect(overlap(at(0, 2), at(3, 2))).toBe(true);
  expect(overlap(at(0, 2), at(0.1, 0.5))).toBe(true);
  expect(overlap(at(0.1, 0.5), at(0, 2))).toBe(true);
  expect(overlap(at(0, 2), at(4.1, 2))).toBe(false);
});

test("a place on the rim is the last of the crystal on its ray", () => {
  fc.assert(
    fc.property(fc.nat(), fc.double({ min: 0, max: 360, noNaN: true }), (seed, angle_deg) => {
      const outline = outlineOf({ kind: "crystal", centre_um: [5, 5], radius_um: 3, corners: 7, seed });
      const centre = polygonCentroid(outline);
      const rim = rimPlace(outline, angle_deg);
      const beyond = (share: number): Place => [
        centre[0] + share * (rim[0] - centre[0]),
        centre[1] + share * (rim[1] - centre[1]),
      ];
      expect(containsPoint(outline, ...beyond(0.999))).toBe(true);
      expect(containsPoint(outline, ...beyond(1.001))).toBe(false);
      expect(Math.cos(Math.atan2(rim[1] - centre[1], rim[0] - centre[0]) - (angle_deg * Math.PI) / 180)).toBeCloseTo(
        1,
        9,
      );
    }),
    { numRuns: 50 },
  );
});

/** The part of a polygon with x below a value. */
function cutAt(points: readonly Place[], most: number): Place[] {
  return points.flatMap((point, at): Place[] => {
    const next = points[(at + 1) % points.length]!;
    const crosses = point[0] < most !== next[0] < most;
    const share = (most - point[0]) / (next[0] - point[0]);
    const own: Place[] = point[0] < most ? [point] : [];
    return crosses ? [...own, [most, point[1] + share * (next[1] - point[1])]] : own;
  });
}
