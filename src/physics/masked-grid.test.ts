import { expect, test } from "vitest";
import { circle, hexagon } from "../../test/phase-field-ladder.js";
import { ParameterError } from "../model/errors.js";
import { maskedGrid, outlineGrid } from "./masked-grid.js";

type Outline = readonly (readonly [number, number])[];

function perimeter(outline: Outline): number {
  return outline.reduce((sum, [x, y], at) => {
    const [u, v] = outline[(at + 1) % outline.length]!;
    return sum + Math.hypot(x - u, y - v);
  }, 0);
}

function turned(outline: Outline, angle: number): [number, number][] {
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  return outline.map(([x, y]) => [c * x - s * y, s * x + c * y]);
}

test.each([
  ["disc", circle(3), 0.012],
  ["hexagon", hexagon(1), 0.03],
] as const)("%s: the rim's pieces sum to its perimeter, whatever way it lies", (_, outline, gate) => {
  for (const angle of [0, 0.3, 0.785, 1.2]) {
    for (const h_um of [0.1, 0.175]) {
      const laid = outlineGrid(turned(outline, angle), h_um);
      const grid = maskedGrid(laid.mask, laid.width, laid.height, h_um);
      const rim_um = grid.rim_um.reduce((sum, length) => sum + length, 0);
      expect(Math.abs(rim_um / perimeter(outline) - 1)).toBeLessThan(gate);
    }
  }
});

test("cells, runs and open faces describe the mask", () => {
  const mask = Uint8Array.from([..."0110011101000111"], Number);
  const grid = maskedGrid(mask, 4, 4, 0.5);
  expect(grid.count).toBe(9);
  expect(grid.area_um2).toBe(2.25);
  const inside = new Set(grid.cells);
  let covered = 0;
  for (let run = 0; run < grid.runs.length; run += 2) {
    expect(inside.has(grid.runs[run]! - 1)).toBe(false);
    expect(inside.has(grid.runs[run + 1]!)).toBe(false);
    for (let at = grid.runs[run]!; at < grid.runs[run + 1]!; at++, covered++) expect(inside.has(at)).toBe(true);
  }
  expect(covered).toBe(9);
  for (const cell of grid.cells) expect(grid.openBelow[cell]).toBe(inside.has(cell + grid.stride) ? 1 : 0);
});

test("a mask without a cell, of another size or an outline that is none is refused", () => {
  expect(() => maskedGrid(new Uint8Array(9), 3, 3, 0.1)).toThrow(ParameterError);
  expect(() => maskedGrid(new Uint8Array(9), 3, 4, 0.1)).toThrow("3 x 4");
  expect(() => maskedGrid(new Uint8Array(9).fill(1), 3, 3, -1)).toThrow("h_um is -1");
  const bow = [
    [0, 0],
    [2, 2],
    [2, 0],
    [0, 2],
  ] as const;
  expect(() => outlineGrid(bow, 0.2)).toThrow("crosses itself");
  expect(() => outlineGrid(bow.slice(0, 2), 0.2)).toThrow("2 corners");
  expect(() => outlineGrid(circle(0.01), 0.2)).toThrow("no cell");
  expect(() =>
    outlineGrid(
      [
        [0, 0],
        [NaN, 1],
        [1, 1],
      ],
      0.2,
    ),
  ).toThrow(ParameterError);
});
