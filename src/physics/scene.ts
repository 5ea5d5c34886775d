/**
 * What the objective makes of carbon and crystals: light on the pixels of a camera, for any moment and any shift.
 *
 * A crystal's face is drawn on cells and gathered through the point spread anew for each frame, at the frame's own shift.
 * The carbon's speckle is an image already and does not change: it is sampled at the shifted places.
 */
import { gaussianBlur } from "../kernels/filter.js";
import { coverageOfPolygon } from "../kernels/polygon.js";
import { addCells, gridOf, inCells, throughPixel, throughSpread, type Cells, type Grid, type Pixels } from "./cells.js";
import type { Crystal, CrystalFront } from "./crystal.js";
import type { Phases } from "./pace.js";
import { frontLight, type LineSpec } from "./reflectivity.js";
import { stream } from "./streams.js";
import { smoothNoise, speckle } from "./texture.js";

/** The optics that a scene is seen through. */
export interface OpticsSpec {
  /** Standard deviation of the Gaussian point spread in the sample. */
  readonly psf_um: number;
  /** Contrast of the carbon's speckle: 1 is fully developed. */
  readonly speckleContrast: number;
}

/** The field that a camera sees. */
export interface Field {
  readonly width: number;
  readonly height: number;
  readonly pixelSize_um: number;
  /** The farthest that the scene is ever shifted, px. */
  readonly reach_px: number;
}

/** A scene that can be seen at any moment. */
export interface Scene {
  /**
   * Light on each pixel, height * width, in units of the carbon's mean: the mean over an exposure from `from_s` to `to_s`
   * of a scene shifted by dx, dy px (positive: to the right, down).
   */
  render(from_s: number, to_s: number, dx_px: number, dy_px: number, into: Float64Array): void;
}

/** A front on the cells of its crystal; times are of its own clock. */
interface FrontCells {
  readonly front: CrystalFront;
  readonly phase_s: Float64Array;
  /** How long it takes to pass along a cell's width, and along its height. */
  readonly alongX_s: Float32Array;
  readonly alongY_s: Float32Array;
  readonly speed_um_s: Float32Array;
  /** Before and after these no cell changes. */
  readonly firstPhase_s: number;
  readonly lastPhase_s: number;
  /** The line as wide as the mean over a cell makes it. */
  readonly line: LineSpec;
}

/** A crystal on its cells. */
interface CrystalCells {
  readonly crystal: Crystal;
  /** Share of each cell that the crystal covers. */
  readonly cover: Float32Array;
  /** Light before all changes. */
  readonly cells: Cells;
  readonly fronts: readonly FrontCells[];
}

/** Makes a scene ready: everything that does not change is computed once. `seed` draws speckle and faces. */
export function sceneOf(crystals: readonly Crystal[], field: Field, optics: OpticsSpec, seed: number): Scene {
  const grid = gridOf(field.pixelSize_um, optics.psf_um);
  const drawn = crystals.map((crystal, index) => crystalCells(crystal, grid, index, seed));
  const carbon = carbonCells(drawn, field, grid, optics.speckleContrast, seed);
  const pixels: Pixels = { ...field, perPixel: grid.perPixel, rows: new Float64Array(0) };
  const scratch = new Float32Array(Math.max(0, ...drawn.map(({ cover }) => cover.length)));
  return {
    render(from_s, to_s, dx_px, dy_px, into) {
      into.fill(0);
      addCells(carbon, 1, [throughPixel(grid, dx_px), throughPixel(grid, dy_px)], pixels, into);
      const along = [throughSpread(grid, dx_px), throughSpread(grid, dy_px)] as const;
      for (const one of drawn) {
        const { light, level } = lightAt(one, from_s, to_s, scratch);
        addCells({ ...one.cells, light }, level, along, pixels, into);
      }
    },
  };
}

function crystalCells(crystal: Crystal, grid: Grid, index: number, seed: number): CrystalCells {
  const points = inCells(crystal.outline_um, grid);
  const left = Math.floor(Math.min(...points.map(([x]) => x)) + 0.5);
  const top = Math.floor(Math.min(...points.map(([, y]) => y)) + 0.5);
  const width = Math.floor(Math.max(...points.map(([x]) => x)) + 0.5) - left + 1;
  const height = Math.floor(Math.max(...points.map(([, y]) => y)) + 0.5) - top + 1;
  const moved = points.map(([x, y]) => [x - left, y - top] as const);
  const cover = coverageOfPolygon(moved, width, height, 16);
  const { brightness, texture, textureScale_um } = crystal.spec;
  const face = stream(seed, "face", index);
  const rough = texture === 0 ? null : smoothNoise(width, height, textureScale_um / grid.cell_um, face);
  const light = cover.map((share, at) => share * brightness * (1 + texture * (rough?.[at] ?? 0)));
  const cells = { left, top, width, height, light };
  return { crystal, cover, cells, fronts: crystal.fronts.map((front) => frontCells(front, cells, cover, grid)) };
}

function frontCells(front: CrystalFront, cells: Cells, cover: Float32Array, { perPixel, cell_um }: Grid): FrontCells {
  const size = cover.length;
  const phase_s = new Float64Array(size);
  const alongX_s = new Float32Array(size);
  const alongY_s = new Float32Array(size);
  const speed_um_s = new Float32Array(size);
  let firstPhase_s = Infinity;
  let lastPhase_s = -Infinity;
  const middle = (perPixel - 1) / 2;
  for (let at = 0; at < size; at++) {
    if (cover[at] === 0) continue;
    const x_um = (cells.left + (at % cells.width) - middle) * cell_um;
    const y_um = (cells.top + Math.floor(at / cells.width) - middle) * cell_um;
    const passing = front.motion.passing(x_um, y_um);
    phase_s[at] = passing.phase_s;
    alongX_s[at] = (Math.abs(passing.nx) * cell_um) / passing.speed_um_s;
    alongY_s[at] = (Math.abs(passing.ny) * cell_um) / passing.speed_um_s;
    speed_um_s[at] = passing.speed_um_s;
    const reach_s = (5 * front.line.width_um + 2 * cell_um) / passing.speed_um_s;
    firstPhase_s = Math.min(firstPhase_s, passing.phase_s - reach_s);
    lastPhase_s = Math.max(lastPhase_s, passing.phase_s + reach_s);
  }
  const width_um = Math.hypot(front.line.width_um, cell_um / Math.sqrt(12));
  const line = { height: (front.line.height * front.line.width_um) / width_um, width_um };
  return { front, phase_s, alongX_s, alongY_s, speed_um_s, firstPhase_s, lastPhase_s, line };
}

/** Light of a crystal's cells through an exposure: an array, perhaps in `scratch`, and a level common to all of it. */
function lightAt(
  { crystal, cells, fronts }: CrystalCells,
  from_s: number,
  to_s: number,
  scratch: Float32Array,
): { light: Float32Array; level: number } {
  let level = crystal.evenLevel(from_s, to_s);
  const underWay: { cells: FrontCells; exposure: Phases[] }[] = [];
  for (const front of fronts) {
    const exposure = front.front.motion.phases(from_s, to_s);
    if (exposure[exposure.length - 1]!.to_s <= front.firstPhase_s) continue;
    if (exposure[0]!.from_s >= front.lastPhase_s) level += front.front.step;
    else underWay.push({ cells: front, exposure });
  }
  if (underWay.length === 0) return { light: cells.light, level };
  const light = scratch.subarray(0, cells.light.length);
  for (let at = 0; at < light.length; at++) {
    const before = cells.light[at]!;
    if (before === 0) {
      light[at] = 0;
      continue;
    }
    let i = level;
    for (const { cells: front, exposure } of underWay) {
      const cell = {
        phase_s: front.phase_s[at]!,
        alongX_s: front.alongX_s[at]!,
        alongY_s: front.alongY_s[at]!,
        speed_um_s: front.speed_um_s[at]!,
      };
      i += frontLight(cell, exposure, front.front.step, front.line);
    }
    light[at] = before * i;
  }
  return { light, level: 1 };
}

/** The carbon's image around and between the crystals, a margin wider than the farthest shift. */
function carbonCells(
  drawn: readonly CrystalCells[],
  field: Field,
  { perPixel, psf_cells }: Grid,
  contrast: number,
  seed: number,
): Cells {
  const margin = (Math.ceil(field.reach_px) + 4) * perPixel;
  const width = field.width * perPixel + 2 * margin;
  const height = field.height * perPixel + 2 * margin;
  const covered = new Float32Array(width * height);
  for (const { cover, cells } of drawn) {
    for (let at = 0; at < cover.length; at++) {
      const x = cells.left + (at % cells.width) + margin;
      const y = cells.top + Math.floor(at / cells.width) + margin;
      if (x >= 0 && x < width && y >= 0 && y < height) {
        covered[y * width + x] = covered[y * width + x]! + cover[at]!;
      }
    }
  }
  const shade = gaussianBlur(covered, width, height, psf_cells);
  const grains = speckle(width, height, psf_cells, stream(seed, "speckle"));
  const light = shade.map((share, at) => (1 - share) * (1 + contrast * (grains[at]! - 1)));
  return { left: -margin, top: -margin, width, height, light };
}
