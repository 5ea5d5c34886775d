/**
 * A particle on square cells: which cells are inside, which faces are open, and how much rim each boundary cell has.
 *
 * Cells lie in a raster with one empty cell around it, so that the neighbours of a cell are at fixed distances.
 */
import { distanceTransform } from "../kernels/distance.js";
import { gaussianBlur } from "../kernels/filter.js";
import { coverageOfPolygon, crossesItself } from "../kernels/polygon.js";
import { ParameterError } from "../model/errors.js";
import { refuse } from "./check.js";

/** A mask as the phase field uses it. */
export interface MaskedGrid {
  /** Of the mask as given. */
  readonly width: number;
  readonly height: number;
  readonly h_um: number;
  /** Cells in a row of the raster: width + 2. */
  readonly stride: number;
  /** Cells inside. */
  readonly count: number;
  readonly area_um2: number;
  /** Places in the raster of all cells inside, row by row. */
  readonly cells: Int32Array;
  /** First cell of each unbroken row of cells and the one after its last, in turn. */
  readonly runs: Int32Array;
  /** 1 where the face below a cell is open, else 0; one entry a cell of the raster. */
  readonly openBelow: Float64Array;
  /** Places in the raster of the cells with at least one closed face, row by row. */
  readonly rim: Int32Array;
  /** Length of rim in each of them. */
  readonly rim_um: Float64Array;
}

/** Sides of cells that make sense: from less than an atom to a millimetre. */
const LEAST_um = 1e-5;
const MOST_um = 1000;
/** Standard deviation, in cells, by which the distance to the rim is smoothed before its normals are taken. */
const NORMAL_BLUR = 1.5;

/**
 * The grid of a mask (1 inside; row by row). Each closed face adds |n . e| h to its cell's rim, n the rim's normal from the
 * smoothed signed distance: the lengths sum to the true perimeter, as sum |n_x|^2 + |n_y|^2 = 1, where the staircase
 * itself is up to 27 % (disc) or 41 % (diagonal) too long.
 * Throws ParameterError for a mask of another size than stated, one without a cell, or h that is no length.
 */
export function maskedGrid(mask: ArrayLike<number>, width: number, height: number, h_um: number): MaskedGrid {
  checkRaster(mask, width, height);
  checkCell(h_um);
  const stride = width + 2;
  const inside = new Uint8Array(stride * (height + 2));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) inside[(y + 1) * stride + x + 1] = mask[y * width + x] ? 1 : 0;
  }
  const cells: number[] = [];
  const runs: number[] = [];
  const rim: number[] = [];
  const openBelow = new Float64Array(inside.length);
  for (let at = 0; at < inside.length; at++) {
    if (inside[at] === 0) continue;
    cells.push(at);
    if (inside[at - 1] === 0) runs.push(at);
    if (inside[at + 1] === 0) runs.push(at + 1);
    openBelow[at] = inside[at + stride]!;
    if (inside[at - 1]! + inside[at + 1]! + inside[at - stride]! + inside[at + stride]! < 4) rim.push(at);
  }
  if (cells.length === 0) {
    throw new ParameterError("mask has no cell inside. Give 1 for the particle's cells, or smaller cells (h_um).", {
      parameter: "mask",
      value: 0,
    });
  }
  return {
    width,
    height,
    h_um,
    stride,
    count: cells.length,
    area_um2: cells.length * h_um * h_um,
    cells: Int32Array.from(cells),
    runs: Int32Array.from(runs),
    openBelow,
    rim: Int32Array.from(rim),
    rim_um: rimLengths(inside, stride, height + 2, Int32Array.from(rim), h_um),
  };
}

/** Throws ParameterError for a mask that is not one number of at least 0 for each of width x height cells. */
export function checkRaster(mask: ArrayLike<number>, width: number, height: number): void {
  for (const [name, value] of [
    ["width", width],
    ["height", height],
  ] as const) {
    if (!Number.isInteger(value) || value < 1) {
      const found = typeof value === "number" ? value : typeof value;
      throw new ParameterError(`${name} is ${found}. Give the mask's ${name} in cells.`, { parameter: name, value });
    }
  }
  const given: unknown = mask;
  if (typeof given !== "object" || given === null || !Number.isInteger(mask.length)) {
    throw new ParameterError(
      `mask is ${given === null ? "null" : typeof given}. Give an array of 1 inside and 0 outside.`,
      { parameter: "mask", value: given },
    );
  }
  if (mask.length !== width * height) {
    throw new ParameterError(
      `mask has ${mask.length} cells, but width x height is ${width} x ${height}, ${width * height}. Give one entry a cell, row by row.`,
      { parameter: "mask", value: mask.length },
    );
  }
  for (let at = 0; at < mask.length; at++) {
    const cell: unknown = mask[at];
    if ((typeof cell === "number" && cell >= 0 && cell < Infinity) || typeof cell === "boolean") continue;
    throw new ParameterError(
      `mask is ${typeof cell === "number" ? cell : typeof cell} at cell ${at}. Give 1 inside and 0 outside.`,
      { parameter: "mask", value: cell },
    );
  }
}

function checkCell(h_um: number): void {
  if (typeof h_um === "number" && h_um >= LEAST_um && h_um <= MOST_um) return;
  throw new ParameterError(
    `h_um is ${typeof h_um === "number" ? h_um : typeof h_um}. Give the side of a cell in um, ${LEAST_um} to ${MOST_um}, such as 0.175.`,
    { parameter: "h_um", value: h_um },
  );
}

function rimLengths(inside: Uint8Array, stride: number, rows: number, rim: Int32Array, h_um: number): Float64Array {
  // Room for the blur, so that it meets no border of the image.
  const margin = Math.ceil(4 * NORMAL_BLUR) + 1;
  const wide = stride + 2 * margin;
  const tall = rows + 2 * margin;
  const one = new Uint8Array(wide * tall);
  for (let y = 0; y < rows; y++) {
    one.set(inside.subarray(y * stride, (y + 1) * stride), (y + margin) * wide + margin);
  }
  const other = one.map((value) => 1 - value);
  const within = distanceTransform(one, wide, tall);
  const without = distanceTransform(other, wide, tall);
  const signed = within.map((distance, at) => distance - without[at]!);
  const smooth = gaussianBlur(signed, wide, tall, NORMAL_BLUR);
  return Float64Array.from(rim, (at) => {
    const place = (Math.floor(at / stride) + margin) * wide + (at % stride) + margin;
    let length = 0;
    for (const [step, across] of [
      [1, wide],
      [-1, wide],
      [wide, 1],
      [-wide, 1],
    ] as const) {
      if (one[place + step] !== 0) continue;
      // The gradient at the face: along the face's own direction between its two cells, across it on both sides.
      const along = smooth[place + step]! - smooth[place]!;
      const beside =
        (smooth[place + across]! +
          smooth[place + step + across]! -
          smooth[place - across]! -
          smooth[place + step - across]!) /
        4;
      const norm = Math.hypot(along, beside);
      length += norm === 0 ? h_um : (h_um * Math.abs(along)) / norm;
    }
    return length;
  });
}

/** Cells of the largest raster of a particle. */
const MOST_CELLS = 2 ** 26;

/** Throws a ParameterError, named `name`, for an outline over more cells than a particle may have. */
export function checkExtent(name: string, width: number, height: number): void {
  if (width * height <= MOST_CELLS) return;
  refuse(name, `${width} x ${height} cells`, "Give places in um, and larger cells (h_um)");
}

/** An outline laid on square cells. */
export interface OutlineGrid {
  readonly mask: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly h_um: number;
  /** Centre of the mask's first cell, in the outline's own um. */
  readonly origin_um: readonly [number, number];
}

/**
 * A closed outline (um, first point not repeated) as a mask: cells more than half inside, one empty cell around.
 * Throws ParameterError for fewer than three corners, one that is no place, an outline that crosses itself, or one without
 * a cell inside.
 */
export function outlineGrid(outline_um: readonly (readonly [number, number])[], h_um: number): OutlineGrid {
  checkCell(h_um);
  if (!Array.isArray(outline_um)) {
    throw new ParameterError("outline is no list. Give at least three corners, each x,y in um.", {
      parameter: "outline",
      value: outline_um,
    });
  }
  const lost = outline_um.findIndex(
    (corner: unknown) => !Array.isArray(corner) || corner.length !== 2 || !corner.every(Number.isFinite),
  );
  if (outline_um.length < 3 || lost >= 0) {
    const what = lost < 0 ? `${outline_um.length} corners` : `no place at corner ${lost}`;
    throw new ParameterError(`outline has ${what}. Give at least three corners, each x,y in um.`, {
      parameter: "outline",
      value: lost < 0 ? outline_um.length : outline_um[lost],
    });
  }
  if (crossesItself(outline_um)) {
    throw new ParameterError("outline crosses itself. Put its corners in order.", {
      parameter: "outline",
      value: outline_um.length,
    });
  }
  const xs = outline_um.map(([x]) => x);
  const ys = outline_um.map(([, y]) => y);
  const left = Math.min(...xs) - h_um;
  const top = Math.min(...ys) - h_um;
  const width = Math.ceil((Math.max(...xs) - left) / h_um) + 2;
  const height = Math.ceil((Math.max(...ys) - top) / h_um) + 2;
  checkExtent("outline", width, height);
  const points = outline_um.map(([x, y]): [number, number] => [(x - left) / h_um, (y - top) / h_um]);
  const mask = Uint8Array.from(coverageOfPolygon(points, width, height, 8), (share) => (share > 0.5 ? 1 : 0));
  if (!mask.includes(1)) {
    throw new ParameterError(`outline has no cell of ${h_um} um inside. Give smaller cells, or places in um.`, {
      parameter: "outline",
      value: outline_um.length,
    });
  }
  return { mask, width, height, h_um, origin_um: [left, top] };
}
