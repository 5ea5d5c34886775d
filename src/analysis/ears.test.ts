import { expect, test } from "vitest";
import { random } from "../kernels/random.js";
import { polygonArea } from "../kernels/polygon.js";
import { withoutEars } from "./ears.js";

type Place = [number, number];

function ellipse(a: number, b: number, bulge: (angle: number) => number = () => 0): Place[] {
  return Array.from({ length: 240 }, (_, at): Place => {
    const angle = (2 * Math.PI * at) / 240;
    const out = 1 + bulge(angle);
    return [60 + a * out * Math.cos(angle), 50 + b * out * Math.sin(angle)];
  });
}

test("a narrow bulge is cut off at its foot, wherever it sits", () => {
  const { uniform } = random(5);
  for (let draw = 0; draw < 20; draw++) {
    const where = 2 * Math.PI * uniform();
    const a = 25 + 15 * uniform();
    const bulge = (angle: number): number => {
      const away = Math.abs(((angle - where + 3 * Math.PI) % (2 * Math.PI)) - Math.PI) * a;
      return away < 2 ? 6 / a : 0;
    };
    const plain = ellipse(a, 0.8 * a);
    const eared = ellipse(a, 0.8 * a, bulge);
    expect(polygonArea(eared)).toBeGreaterThan(polygonArea(plain) * 1.004);
    expect(Math.abs(polygonArea(withoutEars(eared, 3)) / polygonArea(plain) - 1)).toBeLessThan(0.003);
  }
});

test("a crystal's own corners stay: hexagons and rectangles are what they were", () => {
  for (const corners of [4, 6]) {
    for (const turn of [0, 0.3, 1]) {
      const outline: Place[] = [];
      for (let side = 0; side < corners; side++) {
        const [from, to] = [side, side + 1].map((at) => turn + (2 * Math.PI * at) / corners);
        for (let step = 0; step < 20; step++) {
          const t = step / 20;
          outline.push([
            60 + 30 * ((1 - t) * Math.cos(from!) + t * Math.cos(to!)),
            50 + 30 * ((1 - t) * Math.sin(from!) + t * Math.sin(to!)),
          ]);
        }
      }
      expect(withoutEars(outline, 3)).toEqual(outline);
    }
  }
});

test("a body too small for the disc is left as it is", () => {
  const small = ellipse(2, 2);
  expect(withoutEars(small, 4)).toEqual(small);
});
