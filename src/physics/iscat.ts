/**
 * What an interferometric microscope sees of a particle behind a window: |E_r + E_s|^2.
 *
 *     I = |r|^2 + |s|^2 + 2 v |r| |s| cos psi,     psi = 4 pi n_e d / wavelength + Gouy + arg s - arg r
 *
 * r: reflection of window and electrolyte; s: that of the particle's face at x; d: gap between them; v: visibility. All in
 * units of the light sent in. For a crystal of microns |s| is five to ten times |r|: the image is the face's reflectance,
 * and the gap modulates it by about a third, once for every wavelength / 2 n_e. So a face that swells or tilts shows
 * fringes that slide although no lithium moves.
 *
 * Light that goes to and fro in the gap more than once (3 % at most) and that which comes from the particle's back are left out:
 * the face must be of a crystal thicker than a few optical depths, and seen at right angles.
 */
import { ParameterError } from "../model/errors.js";
import { reflectedAmplitude } from "./fresnel.js";
import { boundaryDistance2 } from "./iscat-boundary.js";
import { entries, refuse, within } from "./check.js";
import { checkGrid, checkMap, checkMicroscope, checkOptics } from "./iscat-check.js";
import { faceAmplitude, swellingOf, type FaceLaw, type Swelling } from "./iscat-face.js";
import { spreading, type Spread, type Spreading } from "./point-spread.js";
import type { LineSpec } from "./reflectivity.js";
import type { ComplexIndex } from "./refractive-index.js";

/** The microscope, the media and the law of the particle's face. */
export interface IscatOptics {
  /** In vacuum. */
  readonly wavelength_um: number;
  readonly window: ComplexIndex;
  readonly electrolyte: ComplexIndex;
  /** Phase that focusing adds to the particle's light against the reference. */
  readonly gouy_rad: number;
  /** Visibility of the interference, 0 to 1: 0 leaves the two lights to add up. */
  readonly visibility: number;
  readonly face: FaceLaw;
  /** null: the face stays where it is whatever x. */
  readonly swelling: Swelling | null;
  /** Light of the boundary itself on the face, in units of the reference phase's, before the point spread; null: none. */
  readonly line: (LineSpec & { readonly x: number }) | null;
  /** Whether the fields of neighbouring places add up before they are squared, as under a laser, or their lights after. */
  readonly imaging: "coherent" | "incoherent";
  readonly spread: Spread;
}

/** A raster of square cells; (0, 0) is the centre of the first, x right, y down. */
export interface CellGrid {
  readonly width: number;
  readonly height: number;
  readonly cell_um: number;
}

/** The face of one or more particles on a raster, at one moment. */
export interface FaceMap {
  /** Lithium fraction of each cell; NaN where there is no particle. */
  readonly x: ArrayLike<number>;
  /** Share of each cell that particles cover; null: 1 wherever x is a number. */
  readonly cover: ArrayLike<number> | null;
  /** Gap between window and face where x is that at rest, in the middle of the raster: one for all, or of each cell. */
  readonly gap_um: number | ArrayLike<number>;
  /** Growth of the gap along x and along y, um per um. */
  readonly tilt: readonly [number, number];
  /** Height of the particle: the longer it is, the more it swells. */
  readonly thickness_um: number | ArrayLike<number>;
  /** Light beside all this (ordered domains and their walls, say), in units of the reference phase's; null: none. */
  readonly added: ArrayLike<number> | null;
}

/** A microscope made ready for one raster: what does not change, and its memory, are made once. */
export interface IscatImager {
  readonly grid: CellGrid;
  /** Reflected light of each cell in best focus, height * width, as a share of what was sent. */
  render(face: FaceMap, into: Float64Array): void;
}

/**
 * Reflected light of each cell in best focus, height * width, as a share of the light sent in: particles, and the
 * matrix's own light (of `matrixLight`) around and between them; null: the bare window.
 * Throws ParameterError for optics or a face that make no sense.
 */
export function iscatIntensity(
  face: FaceMap,
  grid: CellGrid,
  optics: IscatOptics,
  matrix: ArrayLike<number> | null = null,
): Float64Array {
  checkGrid(grid);
  const image = new Float64Array(grid.width * grid.height);
  iscatImager(grid, optics, matrix).render(face, image);
  return image;
}

/** Light of a large flat face at x behind a gap: the formula above. Throws ParameterError for optics that make no sense. */
export function flatFaceIntensity(optics: IscatOptics, x: number, gap_um: number): number {
  checkMicroscope(optics);
  within("x", x, 0, 1);
  within("gap_um", gap_um, 0, 1e6);
  const r = reflectedAmplitude(optics.window, optics.electrolyte);
  const referenceLight = r.re * r.re + r.im * r.im;
  const s = new Float64Array(2);
  faceAmplitude(optics.face, optics.electrolyte, referenceLight, x, s);
  const [re, im] = [s[0]!, s[1]!];
  const phase = 2 * Math.PI * (gap_um / fringe_um(optics)) + optics.gouy_rad;
  const cross = (r.re * re + r.im * im) * Math.cos(phase) - (r.re * im - r.im * re) * Math.sin(phase);
  return referenceLight + re * re + im * im + 2 * optics.visibility * cross;
}

/** Change of the gap that takes the light through one fringe: wavelength / 2 n_e. */
export function fringe_um({ wavelength_um, electrolyte }: IscatOptics): number {
  return wavelength_um / (2 * electrolyte.n);
}

/** Makes a microscope ready. Throws ParameterError for optics that make no sense. */
export function iscatImager(grid: CellGrid, optics: IscatOptics, matrix: ArrayLike<number> | null = null): IscatImager {
  checkOptics(grid, optics, matrix);
  const { width, height, cell_um } = grid;
  const { electrolyte, face: law, swelling, line } = optics;
  const r = reflectedAmplitude(optics.window, electrolyte);
  const referenceLight = r.re * r.re + r.im * r.im;
  const s = new Float64Array(2);
  faceAmplitude(law, electrolyte, referenceLight, law.xReference, s);
  const unit = referenceLight + s[0]! ** 2 + s[1]! ** 2;
  const perUm = (2 * Math.PI) / fringe_um(optics);
  const coherent = optics.imaging === "coherent";
  const margin = marginOf(optics.spread, cell_um);
  let box = boxOf(0, 0, 0, 0, optics.spread, cell_um);
  return {
    grid,
    render(face, into) {
      checkMap(face, grid);
      entries("into", into, width * height, "Give an array with room for each cell");
      const found = coveredBox(face, width, height, margin);
      if (found.width * found.height === 0) {
        for (let at = 0; at < width * height; at++) into[at] = matrix === null ? referenceLight : matrix[at]!;
        return;
      }
      if (found.width !== box.width || found.height !== box.height) {
        box = boxOf(found.left, found.top, found.width, found.height, optics.spread, cell_um);
      } else box = { ...box, left: found.left, top: found.top };
      const { light, re, im, cover, lastCover, shade, x, distance2 } = box;
      light.fill(0);
      re.fill(0);
      im.fill(0);
      cover.fill(0);
      copyBox(face.x, width, box, x);
      if (line !== null) {
        boundaryDistance2(x, box.width, box.height, line.x, (4.5 * line.width_um) / cell_um, distance2);
      }
      for (let row = 0, at = 0; row < box.height; row++) {
        for (let column = 0; column < box.width; column++, at++) {
          const cell = (box.top + row) * width + box.left + column;
          const lithium = x[at]!;
          const share = face.cover === null ? (Number.isNaN(lithium) ? 0 : 1) : face.cover[cell]!;
          if (share === 0) continue;
          if (!(share > 0 && share <= 1.000001)) refuse("face.cover", share, "Give 0 to 1");
          faceAmplitude(law, electrolyte, referenceLight, lithium, s);
          const sRe = s[0]!;
          const sIm = s[1]!;
          const gap_um = gapOf(face, swelling, grid, cell, lithium);
          const phase = perUm * gap_um + optics.gouy_rad;
          const cos = Math.cos(phase);
          const sin = Math.sin(phase);
          const fieldRe = sRe * cos - sIm * sin;
          const fieldIm = sRe * sin + sIm * cos;
          let beside = face.added === null ? 0 : face.added[cell]!;
          if (line !== null && distance2[at]! !== Infinity) {
            beside += line.height * Math.exp(-0.5 * distance2[at]! * (cell_um / line.width_um) ** 2);
          }
          if (!Number.isFinite(beside))
            refuse("face.added", beside, "Give a number in each cell that a particle covers");
          cover[at] = share;
          light[at] = share * unit * beside;
          if (coherent) {
            re[at] = share * fieldRe;
            im[at] = share * fieldIm;
          } else {
            const cross = r.re * fieldRe + r.im * fieldIm;
            light[at] = light[at]! + share * (sRe * sRe + sIm * sIm + 2 * optics.visibility * cross);
          }
        }
      }
      box.spread(light, null);
      if (!same(cover, lastCover)) {
        lastCover.set(cover);
        shade.set(cover);
        box.spread(shade, null);
      }
      if (coherent) {
        box.spread(re, im);
        for (let at = 0; at < light.length; at++) {
          const cross = r.re * re[at]! + r.im * im[at]!;
          light[at] = light[at]! + re[at]! * re[at]! + im[at]! * im[at]! + 2 * optics.visibility * cross;
        }
      }
      for (let at = 0; at < width * height; at++) into[at] = matrix === null ? referenceLight : matrix[at]!;
      for (let row = 0, at = 0; row < box.height; row++) {
        for (let column = 0; column < box.width; column++, at++) {
          const cell = (box.top + row) * width + box.left + column;
          into[cell] = Math.max(0, into[cell]! * (1 - shade[at]!) + referenceLight * shade[at]! + light[at]!);
        }
      }
    },
  };
}

/** The part of the raster that particles and their spread reach, and its memory. */
interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly light: Float64Array;
  readonly re: Float64Array;
  readonly im: Float64Array;
  readonly cover: Float64Array;
  /** That of the last image as it was, and spread. */
  readonly lastCover: Float64Array;
  readonly shade: Float64Array;
  readonly x: Float64Array;
  readonly distance2: Float64Array;
  readonly spread: Spreading;
}

function boxOf(left: number, top: number, width: number, height: number, spread: Spread, cell_um: number): Box {
  const plane = (): Float64Array => new Float64Array(width * height);
  return {
    left,
    top,
    width,
    height,
    light: plane(),
    re: plane(),
    im: plane(),
    cover: plane(),
    lastCover: plane(),
    shade: plane(),
    x: plane(),
    distance2: plane(),
    spread: width * height === 0 ? () => undefined : spreading(spread, width, height, cell_um),
  };
}

function same(one: Float64Array, other: Float64Array): boolean {
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) return false;
  return true;
}

function marginOf(spread: Spread, cell_um: number): number {
  const reach_um =
    spread.kind === "gaussian"
      ? 5 * Math.SQRT2 * spread.psf_um
      : (3 * spread.objective.wavelength_um) / spread.objective.na;
  return Math.ceil(reach_um / cell_um) + 2;
}

function coveredBox(
  face: FaceMap,
  width: number,
  height: number,
  margin: number,
): { left: number; top: number; width: number; height: number } {
  let [left, right, top, bottom] = [width, -1, height, -1];
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      if (face.cover === null ? Number.isNaN(face.x[at]!) : face.cover[at] === 0) continue;
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < top) top = y;
      if (y > bottom) bottom = y;
    }
  }
  if (right < 0) return { left: 0, top: 0, width: 0, height: 0 };
  left = Math.max(0, left - margin);
  top = Math.max(0, top - margin);
  right = Math.min(width - 1, right + margin);
  bottom = Math.min(height - 1, bottom + margin);
  return { left, top, width: right - left + 1, height: bottom - top + 1 };
}

function copyBox(from: ArrayLike<number>, width: number, box: Box, into: Float64Array): void {
  for (let row = 0, at = 0; row < box.height; row++) {
    const start = (box.top + row) * width + box.left;
    for (let column = 0; column < box.width; column++, at++) into[at] = from[start + column]!;
  }
}

/** Gap of a cell: as given, tilted, and less what the particle has grown towards the window. */
function gapOf(face: FaceMap, swelling: Swelling | null, grid: CellGrid, cell: number, x: number): number {
  const column = cell % grid.width;
  const row = (cell - column) / grid.width;
  let gap_um = typeof face.gap_um === "number" ? face.gap_um : face.gap_um[cell]!;
  gap_um += face.tilt[0] * (column - (grid.width - 1) / 2) * grid.cell_um;
  gap_um += face.tilt[1] * (row - (grid.height - 1) / 2) * grid.cell_um;
  if (swelling !== null) {
    const thickness_um = typeof face.thickness_um === "number" ? face.thickness_um : face.thickness_um[cell]!;
    gap_um -= swelling.towardsWindow * thickness_um * swellingOf(swelling, x);
  }
  if (gap_um >= 0 && gap_um < Infinity && x >= 0 && x <= 1) return gap_um;
  if (!(x >= 0 && x <= 1)) {
    throw new ParameterError(`face.x is ${x} in column ${column}, row ${row}, which a particle covers. Give 0 to 1.`, {
      parameter: "face.x",
      value: x,
    });
  }
  if (Number.isNaN(gap_um) || gap_um === Infinity)
    refuse("face.gap_um", gap_um, "Give numbers for the gap and the thickness of every covered cell");
  throw new ParameterError(
    `face.gap_um comes to ${gap_um.toPrecision(3)} in column ${column}, row ${row}, tilt and swelling counted: the face would touch the window. Widen it.`,
    { parameter: "face.gap_um", value: gap_um },
  );
}
