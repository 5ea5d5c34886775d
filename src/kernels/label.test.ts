import * as fc from "fast-check";
import { expect, test } from "vitest";
import { fillHoles, labelComponents } from "./label.js";

const masks = fc
  .tuple(fc.integer({ min: 1, max: 16 }), fc.integer({ min: 1, max: 16 }), fc.constantFrom(0.2, 0.5, 0.65, 0.9))
  .chain(([width, height, share]) =>
    fc
      .array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: width * height, maxLength: width * height })
      .map((draws) => ({ width, height, mask: Uint8Array.from(draws, (draw) => (draw < share ? 1 : 0)) })),
  );

function neighbours(at: number, width: number, height: number): number[] {
  const x = at % width;
  const y = Math.floor(at / width);
  return [
    ...(x > 0 ? [at - 1] : []),
    ...(x < width - 1 ? [at + 1] : []),
    ...(y > 0 ? [at - width] : []),
    ...(y < height - 1 ? [at + width] : []),
  ];
}

/** The smallest label spreads to the neighbours until nothing changes. */
function slowLabels(mask: Uint8Array, width: number, height: number): number[] {
  const labels = Array.from(mask, (on, at) => (on ? at + 1 : 0));
  for (let changed = true; changed;) {
    changed = false;
    for (let at = 0; at < labels.length; at++) {
      for (const to of neighbours(at, width, height)) {
        if (labels[at]! > 0 && labels[to]! > labels[at]!) {
          labels[to] = labels[at]!;
          changed = true;
        }
      }
    }
  }
  return labels;
}

test("pixels bear one label exactly when a way by their sides joins them", () => {
  fc.assert(
    fc.property(masks, ({ mask, width, height }) => {
      const { labels, count, area_px } = labelComponents(mask, width, height);
      const truth = slowLabels(mask, width, height);
      const names = [...new Set(truth.filter((label) => label > 0))].sort((a, b) => a - b);
      expect([...labels]).toEqual(truth.map((label) => (label === 0 ? 0 : names.indexOf(label) + 1)));
      expect(count).toBe(names.length);
      expect([...area_px]).toEqual([0, ...names.map((name) => truth.filter((label) => label === name).length)]);
    }),
  );
});

test("holes are filled, bays are not, and filling twice is filling once", () => {
  fc.assert(
    fc.property(masks, ({ mask, width, height }) => {
      const filled = fillHoles(mask, width, height);
      const ground = slowLabels(
        Uint8Array.from(mask, (on) => 1 - on),
        width,
        height,
      );
      const open = new Set<number>();
      ground.forEach((label, at) => {
        if (label > 0 && neighbours(at, width, height).length < 4) open.add(label);
      });
      expect([...filled]).toEqual(ground.map((label) => (label > 0 && open.has(label) ? 0 : 1)));
      expect(fillHoles(filled, width, height)).toEqual(filled);
    }),
  );
});

test("a line along one row or one column is ground open to the border", () => {
  expect(fillHoles(Uint8Array.of(1, 0, 1), 3, 1)).toEqual(Uint8Array.of(1, 0, 1));
  expect(fillHoles(Uint8Array.of(1, 0, 1), 1, 3)).toEqual(Uint8Array.of(1, 0, 1));
});
