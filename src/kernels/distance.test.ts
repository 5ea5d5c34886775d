import * as fc from "fast-check";
import { expect, test } from "vitest";
import { distanceTransform, grow, shrink } from "./distance.js";

const masks = fc
  .tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20 }), fc.constantFrom(0, 0.1, 0.5, 0.97, 1))
  .chain(([width, height, share]) =>
    fc
      .array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: width * height, maxLength: width * height })
      .map((draws) => ({ width, height, mask: Uint8Array.from(draws, (draw) => (draw < share ? 1 : 0)) })),
  );

/** Squared distance from a pixel to the nearest place at which `is` holds, the ring of pixels around the image included. */
function nearest2(width: number, height: number, at: number, is: (x: number, y: number) => boolean): number {
  let best = Infinity;
  for (let y = -1; y <= height; y++) {
    for (let x = -1; x <= width; x++) {
      if (is(x, y)) best = Math.min(best, (x - (at % width)) ** 2 + (y - Math.floor(at / width)) ** 2);
    }
  }
  return best;
}

test("distance to the outside is that of a search through every pixel", () => {
  fc.assert(
    fc.property(masks, ({ mask, width, height }) => {
      const outside = (x: number, y: number) =>
        x < 0 || y < 0 || x === width || y === height || mask[y * width + x] === 0;
      const distance = distanceTransform(mask, width, height);
      for (let at = 0; at < mask.length; at++) {
        expect(distance[at]).toBe(Math.sqrt(nearest2(width, height, at, outside)));
      }
    }),
  );
});

test("growing and shrinking follow from the distance to the mask and to its outside", () => {
  fc.assert(
    fc.property(masks, fc.double({ min: 0, max: 6, noNaN: true }), ({ mask, width, height }, radius) => {
      const inside = (x: number, y: number) => x >= 0 && y >= 0 && x < width && y < height && mask[y * width + x] === 1;
      const grown = grow(mask, width, height, radius);
      const shrunk = shrink(mask, width, height, radius);
      for (let at = 0; at < mask.length; at++) {
        expect(grown[at]).toBe(nearest2(width, height, at, inside) <= radius * radius ? 1 : 0);
        const away2 = nearest2(width, height, at, (x, y) => !inside(x, y));
        expect(shrunk[at]).toBe(away2 > radius * radius ? 1 : 0);
      }
    }),
  );
});

test("half a pixel grown, half a pixel shrunk: the mask is as it was", () => {
  fc.assert(
    fc.property(masks, ({ mask, width, height }) => {
      expect(grow(mask, width, height, 0.5)).toEqual(mask);
      expect(shrink(mask, width, height, 0.5)).toEqual(mask);
    }),
  );
});
