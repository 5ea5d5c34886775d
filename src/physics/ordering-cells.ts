/** A particle's cells as the order's kernel walks over them: numbered, each with its neighbours. */
import type { MaskedGrid } from "./masked-grid.js";

/** Where p is less there is no wall: a round front bears a trace of the other variants. */
const NO_WALL = 3e-3;

/** The cells of a particle in the order of `grid.cells`, with their neighbours; arrays of three fields one after another. */
export interface OrderingCells {
  readonly grid: MaskedGrid;
  readonly count: number;
  /** Left, right, upper, lower neighbour of each cell, four entries a cell; the cell itself where the face is closed. */
  readonly beside: Int32Array;
  /** Cells around each corner that lies inside, four entries a corner: upper left, upper right, lower left, lower right. */
  readonly corners: Int32Array;
  /** The corners that lay in walls when last looked for, as places in `corners`, and how many. */
  readonly walls: Int32Array;
  wallCount: number;
  /** Largest p there. */
  wallMost: number;
  /** What the walls' anisotropy pushes each field to. */
  readonly push: Float64Array;
}

/** Cells of a grid ready for the kernel. */
export function orderingCells(grid: MaskedGrid): OrderingCells {
  const { cells, stride, openBelow } = grid;
  const numbers = new Int32Array(openBelow.length).fill(-1);
  cells.forEach((place, cell) => (numbers[place] = cell));
  const beside = new Int32Array(4 * cells.length);
  const corners: number[] = [];
  cells.forEach((place, cell) => {
    for (const [at, step] of [-1, 1, -stride, stride].entries()) {
      const other = numbers[place + step]!;
      beside[4 * cell + at] = other < 0 ? cell : other;
    }
    const around = [place, place + 1, place + stride, place + stride + 1].map((at) => numbers[at]!);
    if (!around.includes(-1)) corners.push(...around);
  });
  return {
    grid,
    count: cells.length,
    beside,
    corners: Int32Array.from(corners),
    walls: new Int32Array(corners.length / 4),
    wallCount: 0,
    wallMost: 0,
    push: new Float64Array(3 * cells.length),
  };
}

/** Looks for walls: corners around which two variants overlap. */
export function findWalls(cells: OrderingCells, eta: Float64Array): void {
  const { corners, count, walls } = cells;
  let found = 0;
  let most = 0;
  for (let corner = 0; corner < corners.length; corner += 4) {
    let a = 0;
    let b = 0;
    let c = 0;
    for (let at = corner; at < corner + 4; at++) {
      a += eta[corners[at]!]!;
      b += eta[count + corners[at]!]!;
      c += eta[2 * count + corners[at]!]!;
    }
    const p = (a * b + b * c + c * a) / 16;
    if (p > most) most = p;
    if (p > NO_WALL) walls[found++] = corner;
  }
  cells.wallMost = most;
  cells.wallCount = found;
}
