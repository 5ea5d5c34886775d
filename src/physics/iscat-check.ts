/** What an interferometric image is made of, looked at before it is made. */
import { ParameterError } from "../model/errors.js";
import { checkFace } from "./iscat-face.js";
import type { CellGrid, FaceMap, IscatOptics } from "./iscat.js";

/** Throws a ParameterError where a raster, a microscope or a matrix makes no sense. */
export function checkOptics(grid: CellGrid, optics: IscatOptics, matrix: ArrayLike<number> | null): void {
  const { width, height, cell_um } = grid;
  if (!(Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0)) {
    refuse("grid.width", [width, height], "Give whole numbers of cells above 0");
  }
  if (!(cell_um > 0 && cell_um < 10)) refuse("grid.cell_um", cell_um, "Give more than 0 and less than 10");
  if (!(optics.wavelength_um > 0.1 && optics.wavelength_um < 20)) {
    refuse("optics.wavelength_um", optics.wavelength_um, "Give it in um, 0.785 for 785 nm");
  }
  for (const [name, medium] of [["window", optics.window] as const, ["electrolyte", optics.electrolyte] as const]) {
    if (!(medium.n > 0 && medium.n < 20 && medium.k >= 0 && medium.k < 20)) {
      refuse(`optics.${name}`, medium, "Give n above 0 and k of at least 0");
    }
  }
  if (!(optics.visibility >= 0 && optics.visibility <= 1)) {
    refuse("optics.visibility", optics.visibility, "Give 0 to 1");
  }
  if (!Number.isFinite(optics.gouy_rad)) refuse("optics.gouy_rad", optics.gouy_rad, "Give a number");
  if (optics.line !== null && !(optics.line.width_um > 0 && Number.isFinite(optics.line.height))) {
    refuse("optics.line.width_um", optics.line.width_um, "Give more than 0");
  }
  if (optics.spread.kind === "gaussian" && !(optics.spread.psf_um > 0)) {
    refuse("optics.spread.psf_um", optics.spread.psf_um, "Give more than 0");
  }
  if (optics.spread.kind === "airy" && !(optics.spread.objective.na > 0)) {
    refuse("optics.spread.objective.na", optics.spread.objective.na, "Give more than 0");
  }
  checkFace(optics.face, optics.swelling);
  if (matrix === null) return;
  if (matrix.length !== width * height) {
    refuse("matrix", matrix.length, `Give one value for each of ${width * height} cells`);
  }
  for (let at = 0; at < matrix.length; at++) {
    if (!(matrix[at]! >= 0 && matrix[at]! < Infinity)) refuse("matrix", matrix[at], "Give light of at least 0");
  }
}

/** Throws a ParameterError where an array of a face is not that of the raster. */
export function checkMap(face: FaceMap, { width, height }: CellGrid): void {
  const arrays = {
    x: face.x,
    cover: face.cover,
    gap_um: face.gap_um,
    thickness_um: face.thickness_um,
    added: face.added,
  };
  for (const [name, values] of Object.entries(arrays)) {
    if (values === null || typeof values === "number" || values.length === width * height) continue;
    refuse(`face.${name}`, values.length, `Give one value for each of ${width * height} cells`);
  }
  if (!face.tilt.every(Number.isFinite)) refuse("face.tilt", face.tilt, "Give two numbers, um per um");
}

/** Throws a ParameterError that names a value and its cure. */
export function refuse(name: string, value: unknown, cure: string): never {
  const shown = typeof value === "number" ? String(value) : JSON.stringify(value);
  throw new ParameterError(`${name} is ${shown}. ${cure}.`, { parameter: name, value });
}
