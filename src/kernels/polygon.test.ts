import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  clipPolygon,
  containsPoint,
  coverageOfPolygon,
  crossesItself,
  distanceToPolygon,
  maskOfPolygon,
  polygonArea,
  polygonCentroid,
  simplifyPolygon,
} from "./polygon.js";

type Points = [number, number][];

/** Star-shaped, so never crossing itself. */
const polygons = fc
  .record({
    x: fc.double({ min: 12, max: 28, noNaN: true }),
    y: fc.double({ min: 12, max: 28, noNaN: true }),
    radii: fc.array(fc.double({ min: 2, max: 11, noNaN: true }), { minLength: 3, maxLength: 12 }),
    turn: fc.double({ min: 0, max: 6, noNaN: true }),
  })
  .map(({ x, y, radii, turn }) =>
    radii.map((radius, at): [number, number] => {
      const angle = turn + (2 * Math.PI * at) / radii.length;
      return [x + radius * Math.cos(angle), y + radius * Math.sin(angle)];
    }),
  );

const moved = (points: Points, dx: number, dy: number, angle: number): Points =>
  points.map(([x, y]) => [
    dx + x * Math.cos(angle) - y * Math.sin(angle),
    dy + x * Math.sin(angle) + y * Math.cos(angle),
  ]);

test("a rectangle and a triangle have the area and the centre of the schoolbook", () => {
  const rectangle: Points = [
    [1, 2],
    [5, 2],
    [5, 4],
    [1, 4],
  ];
  expect(polygonArea(rectangle)).toBe(8);
  expect(polygonCentroid(rectangle)).toEqual([3, 3]);
  expect(polygonArea([...rectangle].reverse())).toBe(8);
  expect(
    polygonCentroid([
      [0, 0],
      [3, 0],
      [0, 6],
    ]),
  ).toEqual([1, 2]);
  expect(
    polygonCentroid([
      [0, 0],
      [2, 2],
    ]),
  ).toEqual([1, 1]);
  expect(polygonArea([])).toBe(0);
});

test("area and centre go with the polygon when it is moved, turned, or told from another corner or in the other sense", () => {
  fc.assert(
    fc.property(polygons, fc.double({ min: -9, max: 9, noNaN: true }), fc.nat(11), (points, by, from) => {
      const start = from % points.length;
      const turned = moved([...points.slice(start), ...points.slice(0, start)].reverse(), by, 1e3, by);
      expect(polygonArea(turned)).toBeCloseTo(polygonArea(points), 6);
      const [centre] = moved([polygonCentroid(points)], by, 1e3, by);
      const [x, y] = polygonCentroid(turned);
      expect(x).toBeCloseTo(centre![0], 6);
      expect(y).toBeCloseTo(centre![1], 6);
    }),
  );
});

test("the mask holds the pixels whose centres are inside; inside is where the angles to the corners add up to a turn", () => {
  fc.assert(
    fc.property(polygons, (points) => {
      const mask = maskOfPolygon(points, 40, 36);
      for (let at = 0; at < mask.length; at++) {
        const [x, y] = [at % 40, Math.floor(at / 40)];
        expect(mask[at] === 1).toBe(containsPoint(points, x, y));
        if (distanceToPolygon(points, x, y) < 1e-9) continue;
        let turn = 0;
        points.forEach(([ax, ay], corner) => {
          const [bx, by] = points[(corner + 1) % points.length]!;
          turn += Math.atan2((ax - x) * (by - y) - (bx - x) * (ay - y), (ax - x) * (bx - x) + (ay - y) * (by - y));
        });
        expect(mask[at] === 1).toBe(Math.abs(turn) > Math.PI);
      }
    }),
    { numRuns: 40 },
  );
});

test("covered pixels add up to the area, also of a polygon that leaves the image", () => {
  fc.assert(
    fc.property(polygons, (points) => {
      const coverage = coverageOfPolygon(points, 40, 40, 64);
      const sum = coverage.reduce((a, b) => a + b, 0);
      expect(Math.abs(sum - polygonArea(points))).toBeLessThan(0.004 * polygonArea(points) + 0.05);
      expect(Math.max(...coverage)).toBeLessThan(1 + 1e-6);
      const left = coverageOfPolygon(
        points.map(([x, y]) => [x - 15, y - 17]),
        25,
        23,
        64,
      );
      for (let y = 0; y < 23; y++) {
        for (let x = 0; x < 25; x++) expect(left[y * 25 + x]).toBeCloseTo(coverage[(y + 17) * 40 + x + 15]!, 5);
      }
    }),
    { numRuns: 40 },
  );
});

test("a rectangle covers its pixels by the share of each that lies in it", () => {
  const coverage = coverageOfPolygon(
    [
      [0.25, 0],
      [2, 0],
      [2, 1],
      [0.25, 1],
    ],
    4,
    2,
    8,
  );
  expect([...coverage]).toEqual([0.125, 0.5, 0.25, 0, 0.125, 0.5, 0.25, 0]);
});

test("distance is to the nearest of many points laid along the line", () => {
  fc.assert(
    fc.property(polygons, fc.double({ min: 0, max: 40, noNaN: true }), (points, x) => {
      let nearest = Infinity;
      points.forEach(([ax, ay], corner) => {
        const [bx, by] = points[(corner + 1) % points.length]!;
        for (let step = 0; step <= 400; step++) {
          const t = step / 400;
          nearest = Math.min(nearest, Math.hypot(ax + t * (bx - ax) - x, ay + t * (by - ay) - 20));
        }
      });
      expect(Math.abs(distanceToPolygon(points, x, 20) - nearest)).toBeLessThan(0.03);
      expect(distanceToPolygon(points, x, 20)).toBeLessThanOrEqual(nearest + 1e-12);
    }),
  );
});

test("the part within a rectangle holds what both hold", () => {
  fc.assert(
    fc.property(polygons, fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 40 }), (points, a, b) => {
      const [left, right] = [Math.min(a, b) + 0.5, Math.max(a, b) + 0.5];
      const [top, bottom] = [8.5, 22.5];
      const part = clipPolygon(points, left, top, right, bottom);
      const whole = coverageOfPolygon(points, 60, 60, 64);
      let shared = 0;
      for (let y = 9; y <= 22; y++) {
        for (let x = Math.ceil(left); x <= Math.floor(right); x++) shared += whole[y * 60 + x]!;
      }
      expect(Math.abs(polygonArea(part) - shared)).toBeLessThan(0.01 * shared + 0.05);
      expect(part.every(([x, y]) => x >= left && x <= right && y >= top && y <= bottom)).toBe(true);
    }),
  );
  const inside: Points = [
    [1, 1],
    [3, 1],
    [2, 4],
  ];
  expect(new Set(clipPolygon(inside, 0, 0, 9, 9).map(String))).toEqual(new Set(inside.map(String)));
  expect(clipPolygon(inside, 5, 5, 9, 9)).toEqual([]);
});

test("a star-shaped polygon does not cross itself; with two neighbouring corners swapped far enough, it does", () => {
  fc.assert(fc.property(polygons, (points) => !crossesItself(points)));
  const bow: Points = [
    [0, 0],
    [2, 2],
    [2, 0],
    [0, 2],
  ];
  expect(crossesItself(bow)).toBe(true);
  expect(crossesItself([bow[0]!, bow[2]!, bow[1]!, bow[3]!])).toBe(false);
});

test("a simpler polygon has some of the corners, and none of the others lies far from it", () => {
  fc.assert(
    fc.property(polygons, fc.double({ min: 0.01, max: 2, noNaN: true }), (points, tolerance) => {
      // Corners and nine points along each side.
      const dense = points.flatMap(([ax, ay], at) => {
        const [bx, by] = points[(at + 1) % points.length]!;
        return Array.from({ length: 10 }, (_, step): [number, number] => [
          ax + ((bx - ax) * step) / 10,
          ay + ((by - ay) * step) / 10,
        ]);
      });
      const simple = simplifyPolygon(dense, tolerance);
      const corners = new Set(dense.map(String));
      expect(simple.every((corner) => corners.has(String(corner)))).toBe(true);
      expect(simple.length).toBeLessThanOrEqual(points.length + 2);
      for (const [x, y] of dense) expect(distanceToPolygon(simple, x, y)).toBeLessThanOrEqual(tolerance + 1e-9);
    }),
  );
});
