/** What an interferometric image is made of, looked at before it is made. */
import { entries, finite, oneOf, pair, record, refuse, whole, within } from "./check.js";
import { checkFace } from "./iscat-face.js";
import type { CellGrid, FaceMap, IscatOptics } from "./iscat.js";
import type { Objective, Spread } from "./point-spread.js";
import type { ComplexIndex } from "./refractive-index.js";

/** Cells of the largest raster, and of the widest spread's standard deviation. */
const MOST_CELLS = 2 ** 26;
export const WIDEST_CELLS = 1000;
/** No index of a medium, no gap (um) and no light beside the face's is larger. */
const MOST_INDEX = 20;
const MOST_GAP_um = 1e6;
const MOST_LIGHT = 1e9;

/** Throws a ParameterError for a raster that is none. */
export function checkGrid(grid: CellGrid): void {
  record("grid", grid, "Give width, height and cell_um");
  whole("grid.width", grid.width, 1, MOST_CELLS);
  whole("grid.height", grid.height, 1, Math.floor(MOST_CELLS / grid.width));
  within("grid.cell_um", grid.cell_um, 1e-4, 10);
}

/** Throws a ParameterError where a raster, a microscope or a matrix makes no sense. */
export function checkOptics(grid: CellGrid, optics: IscatOptics, matrix: ArrayLike<number> | null): void {
  checkGrid(grid);
  const { width, height, cell_um } = grid;
  checkMicroscope(optics);
  checkSpread("optics.spread", optics.spread, cell_um);
  if (matrix === null) return;
  entries("matrix", matrix, width * height, `Give one value for each of ${width * height} cells, or null`);
  for (let at = 0; at < matrix.length; at++) {
    within("matrix", matrix[at], 0, MOST_LIGHT, "Give light of at least 0");
  }
}

/** Throws a ParameterError where media, phases, or the law of a face make no sense. */
export function checkMicroscope(optics: IscatOptics): void {
  record("optics", optics, "Give wavelength_um, window, electrolyte, face, spread and the others");
  within("optics.wavelength_um", optics.wavelength_um, 0.1, 20, "Give it in um, 0.785 for 785 nm");
  checkMedium("optics.window", optics.window);
  checkMedium("optics.electrolyte", optics.electrolyte);
  within("optics.visibility", optics.visibility, 0, 1);
  finite("optics.gouy_rad", optics.gouy_rad, "Give an angle in radians");
  oneOf("optics.imaging", optics.imaging, ["coherent", "incoherent"]);
  const { line } = optics;
  if (line !== null) {
    record("optics.line", line, "Give x, height and width_um, or null");
    within("optics.line.x", line.x, 0, 1);
    within("optics.line.height", line.height, -MOST_LIGHT, MOST_LIGHT);
    within("optics.line.width_um", line.width_um, 1e-4, 100);
  }
  checkFace(optics.face, optics.swelling);
}

function checkMedium(name: string, medium: ComplexIndex): void {
  record(name, medium, "Give n above 0 and k of at least 0");
  within(`${name}.n`, medium.n, 1e-3, MOST_INDEX);
  within(`${name}.k`, medium.k, 0, MOST_INDEX);
}

function checkSpread(name: string, spread: Spread, cell_um: number): void {
  record(name, spread, "Give { kind: gaussian, psf_um: 0.118 } or { kind: airy, objective }");
  oneOf(`${name}.kind`, spread.kind, ["gaussian", "airy"]);
  const most_um = WIDEST_CELLS * cell_um;
  if (spread.kind === "gaussian") {
    within(`${name}.psf_um`, spread.psf_um, 1e-4, most_um, `Give more than 0, and at most ${WIDEST_CELLS} cells`);
    return;
  }
  checkObjective(`${name}.objective`, spread.objective);
  const { wavelength_um, na } = spread.objective;
  if (wavelength_um / na > most_um) refuse(`${name}.objective.na`, na, `Give cells larger than ${cell_um} um for it`);
}

function checkObjective(name: string, objective: Objective): void {
  record(name, objective, "Give na, wavelength_um and medium_n");
  within(`${name}.na`, objective.na, 1e-2, 2);
  within(`${name}.wavelength_um`, objective.wavelength_um, 0.1, 20);
  within(`${name}.medium_n`, objective.medium_n, 1, 5);
}

/**
 * Throws a ParameterError where an array of a face is not that of the raster, or a number of it makes no sense. What the
 * cells of an array hold is looked at where a particle covers them.
 */
export function checkMap(face: FaceMap, { width, height }: CellGrid): void {
  const parts = "Give x, cover, gap_um, tilt, thickness_um and added";
  record("face", face, parts);
  const cure = `Give one value for each of ${width * height} cells`;
  entries("face.x", face.x, width * height, cure);
  for (const name of ["cover", "added"] as const) {
    if (face[name] !== null) entries(`face.${name}`, face[name], width * height, `${cure}, or null`);
  }
  for (const [name, least_um] of [["gap_um", -MOST_GAP_um] as const, ["thickness_um", 0] as const]) {
    const given = face[name];
    if (typeof given !== "number") entries(`face.${name}`, given, width * height, `${cure}, or one for all`);
    else within(`face.${name}`, given, least_um, MOST_GAP_um, "Give numbers for the gap and the thickness, in um");
  }
  pair("face.tilt", face.tilt, -10, 10, "Give two numbers, um per um");
}
