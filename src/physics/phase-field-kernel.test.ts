import { assert, constantFrom, integer, property } from "fast-check";
import { expect, test } from "vitest";
import "../../test/seed.js";
import { random } from "../kernels/random.js";
import { maskedGrid, type MaskedGrid } from "./masked-grid.js";
import * as kernel from "./phase-field-kernel.js";
import { phaseFieldArrays, type PhaseFieldArrays } from "./phase-field-kernel.js";
import { stateTable } from "./state-table.js";

const side = integer({ min: 1, max: 24 });
const seed = integer({ min: 1, max: 1e6 });
const table = stateTable(
  (x) => Math.log((x + 0.1) / (1.1 - x)) + 3 * (1 - 2 * x),
  (x) => 0.1 + x * (1 - x),
);

/** A mask of any shape, with runs of one cell, of odd and of even lengths. */
function drawnGrid(width: number, height: number, filled: number, draw: ReturnType<typeof random>): MaskedGrid {
  const mask = Uint8Array.from({ length: width * height }, () => (draw.uniform() < filled ? 1 : 0));
  mask[draw.integer(mask.length)] = 1;
  return maskedGrid(mask, width, height, 0.175);
}

/** Two sets of arrays with the same numbers in them, some beyond the table. */
function twins(grid: MaskedGrid, draw: ReturnType<typeof random>): [PhaseFieldArrays, PhaseFieldArrays] {
  const [ours, plain] = [phaseFieldArrays(grid, table, 0.5), phaseFieldArrays(grid, table, 0.5)];
  for (const cell of grid.cells) {
    ours.start[cell] = draw.uniform() < 0.05 ? 1e12 * draw.normal() : 0.5 + 0.4 * draw.normal();
    ours.last[cell] = 0.5 + 0.4 * draw.normal();
    ours.before[cell] = 0.5 + 0.4 * draw.normal();
    ours.rate[cell] = draw.normal();
  }
  for (const name of ["start", "last", "before", "rate"] as const) plain[name].set(ours[name]);
  return [ours, plain];
}

function expectSame(ours: PhaseFieldArrays, plain: PhaseFieldArrays, grid: MaskedGrid): void {
  for (const name of ["start", "last", "before", "rate", "mu", "mobility", "below"] as const) {
    const inside = (raster: Float64Array): Float64Array => Float64Array.from(grid.cells, (cell) => raster[cell]!);
    expect(inside(ours[name]), name).toEqual(inside(plain[name]));
  }
}

test("the compiled passes are those of TypeScript to the last bit, on a particle of any shape", () => {
  assert(
    property(side, side, constantFrom(0.3, 0.8, 1), seed, (width, height, filled, start) => {
      const draw = random(start);
      const grid = drawnGrid(width, height, filled, draw);
      const [ours, plain] = twins(grid, draw);
      expect(ours.placed).not.toBeNull();
      kernel.chemicalPotential(grid, table, 0.01, ours.start, ours);
      kernel.chemicalPotentialPlain(grid, table, 0.01, plain.start, plain);
      expectSame(ours, plain, grid);
      kernel.firstStage(grid, ours, 0.3);
      kernel.firstStagePlain(grid, plain, 0.3);
      expectSame(ours, plain, grid);
      kernel.chemicalPotential(grid, table, 0.01, ours.last, ours);
      kernel.chemicalPotentialPlain(grid, table, 0.01, plain.last, plain);
      kernel.nextStage(grid, ours, 1.3, -0.4, 0.1, 0.02, -0.01);
      kernel.nextStagePlain(grid, plain, 1.3, -0.4, 0.1, 0.02, -0.01);
      expectSame(ours, plain, grid);
      ours.release();
      plain.release();
    }),
  );
});

test("memory that is given back is used again, and begins as zeros", () => {
  const grid = maskedGrid(new Uint8Array(100).fill(1), 10, 10, 0.175);
  const first = phaseFieldArrays(grid, table, 0.7);
  first.rate.fill(1);
  const { byteOffset } = first.start;
  first.release();
  first.release();
  const second = phaseFieldArrays(grid, table, 0.7);
  expect(second.start.byteOffset).toBe(byteOffset);
  expect(second.rate.every((rate) => rate === 0)).toBe(true);
  second.release();
});

test("a raster too large for the kernels' memory, and another table, are left to TypeScript", () => {
  const width = 2200;
  const large = maskedGrid(new Uint8Array(width * width).fill(1), width, width, 0.175);
  expect(phaseFieldArrays(large, table, 0.5).placed).toBeNull();
  const grid = maskedGrid(new Uint8Array(9).fill(1), 3, 3, 0.175);
  const arrays = phaseFieldArrays(grid, table, 0.5);
  const even = stateTable(
    () => 2,
    () => 1,
  );
  kernel.chemicalPotential(grid, even, 0, arrays.start, arrays);
  for (const cell of grid.cells) expect(arrays.mu[cell]).toBe(2);
  arrays.release();
});
