import { expect, test } from "vitest";
import { isoContours } from "./contour.js";
import { polygonArea } from "./polygon.js";

test("a cone is cut in circles about its own centre", () => {
  const size = 41;
  const [cx, cy] = [19.3, 20.6];
  const cone = Float64Array.from(
    { length: size * size },
    (_, at) => 20 - Math.hypot((at % size) - cx, Math.floor(at / size) - cy),
  );
  for (const radius of [4, 9.5, 15]) {
    const rings = isoContours(cone, size, size, 20 - radius);
    expect(rings).toHaveLength(1);
    for (const [x, y] of rings[0]!) expect(Math.abs(Math.hypot(x - cx, y - cy) - radius)).toBeLessThan(0.04);
    expect(Math.abs(polygonArea(rings[0]!) - Math.PI * radius ** 2)).toBeLessThan(0.04 * 2 * Math.PI * radius);
    expect(rings[0]![0]).not.toEqual(rings[0]!.at(-1));
  }
});

test("a slope is cut exactly where it meets the level, by linear interpolation", () => {
  const slope = Float64Array.from({ length: 30 }, (_, at) => (at % 6) * 10);
  const [ring] = isoContours(slope, 6, 5, 23);
  const left = Math.min(...ring!.map(([x]) => x));
  expect(left).toBeCloseTo(2.3, 12);
  expect(Math.max(...ring!.map(([x]) => x))).toBe(5.5);
});

test("rings around high values and around holes run in opposite senses", () => {
  const image = Float64Array.from({ length: 49 }, (_, at) => {
    const ring = Math.max(Math.abs((at % 7) - 3), Math.abs(Math.floor(at / 7) - 3));
    return ring === 1 || ring === 2 ? 1 : 0;
  });
  const signed = isoContours(image, 7, 7, 0.5).map((ring) =>
    ring.reduce((sum, [x, y], at) => {
      const [nextX, nextY] = ring[(at + 1) % ring.length]!;
      return sum + (x * nextY - nextX * y) / 2;
    }, 0),
  );
  expect(signed.map((area) => Math.abs(area)).sort((a, b) => a - b)).toEqual([0.5, 24.5]);
  expect(Math.sign(signed[0]!)).toBe(-Math.sign(signed[1]!));
});

test("nothing above the level, no ring; all above, one along the border", () => {
  expect(isoContours(new Float32Array(12), 4, 3, 1)).toEqual([]);
  const [ring] = isoContours(new Float32Array(12).fill(2), 4, 3, 1);
  expect(ring!.every(([x, y]) => x === -0.5 || x === 3.5 || y === -0.5 || y === 2.5)).toBe(true);
});
