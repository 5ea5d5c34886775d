/**
 * What the objective makes of carbon and crystals: light on the pixels of a camera, for any moment and any shift.
 *
 * Crystals are drawn on cells, a few to a pixel, each holding the mean light of its square. A pixel gathers them through
 * the point spread and its own area; as cells tile the pixels, the weights along x and along y are the same for every pixel
 * and are computed for the very shift of a frame, so nothing is interpolated. The carbon's speckle is an image already:
 * it is sampled at the shifted places by Lagrange polynomials through six cells.
 */
import { coverageOfPolygon } from "../kernels/polygon.js";
import { gaussianBlur } from "../kernels/filter.js";
import type { Crystal, CrystalFront } from "./crystal.js";
import { windowedGaussian } from "./gaussian.js";
import type { Place } from "./outline.js";
import { frontLight } from "./reflectivity.js";
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

/** A rectangle of cells; cell 0 begins at the left edge of pixel 0. */
interface Cells {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly light: Float32Array;
}

/** Cells of a front, for as long as it is under way. */
interface FrontCells {
  readonly front: CrystalFront;
  readonly phase_s: Float64Array;
  readonly alongX_s: Float32Array;
  readonly alongY_s: Float32Array;
  readonly speed_um_s: Float32Array;
  /** Before and after these on its own clock no cell changes. */
  readonly firstPhase_s: number;
  readonly lastPhase_s: number;
  /** The line as wide as the mean over a cell makes it. */
  readonly line: { readonly height: number; readonly width_um: number };
}

interface CrystalCells {
  readonly crystal: Crystal;
  /** Light before all changes. */
  readonly cells: Cells;
  readonly fronts: readonly FrontCells[];
}

/** Makes a scene ready: everything that does not move is computed once. `seed` draws speckle and faces. */
export function sceneOf(crystals: readonly Crystal[], field: Field, optics: OpticsSpec, seed: number): Scene {
  const { width, height, pixelSize_um } = field;
  const perPixel = cellsPerPixel(pixelSize_um, optics.psf_um);
  const cell_um = pixelSize_um / perPixel;
  // A cell's own width already blurs by 1/12 of its square.
  const psf_cells = Math.sqrt((optics.psf_um / cell_um) ** 2 - 1 / 12);
  const drawn = crystals.map((crystal, index) => crystalCells(crystal, index, perPixel, cell_um, seed));
  const carbon = carbonCells(drawn, field, optics, perPixel, psf_cells, seed);
  const pixels: Pixels = { width, height, perPixel, rows: new Float64Array(0) };
  const scratch = new Float32Array(Math.max(0, ...drawn.map(({ cells }) => cells.light.length)));

  return {
    render(from_s, to_s, dx_px, dy_px, into) {
      into.fill(0);
      addCells(carbon, 1, [sixPoints(-dx_px * perPixel), sixPoints(-dy_px * perPixel)], pixels, into);
      const along = [gather(psf_cells, perPixel, dx_px), gather(psf_cells, perPixel, dy_px)] as const;
      for (const { crystal, cells, fronts } of drawn) {
        const lit = lightAt(crystal, cells, fronts, from_s, to_s, scratch);
        addCells({ ...cells, light: lit.light }, lit.level, along, pixels, into);
      }
    },
  };
}

/** So many that the point spread is at least two and a half cells wide. */
function cellsPerPixel(pixelSize_um: number, psf_um: number): number {
  return Math.max(1, Math.ceil((2.5 * pixelSize_um) / psf_um));
}

function crystalCells(crystal: Crystal, index: number, perPixel: number, cell_um: number, seed: number): CrystalCells {
  const points = inCells(crystal.outline_um, perPixel, cell_um);
  const left = Math.floor(Math.min(...points.map(([x]) => x)) + 0.5);
  const top = Math.floor(Math.min(...points.map(([, y]) => y)) + 0.5);
  const width = Math.floor(Math.max(...points.map(([x]) => x)) + 0.5) - left + 1;
  const height = Math.floor(Math.max(...points.map(([, y]) => y)) + 0.5) - top + 1;
  const cover = coverageOfPolygon(
    points.map(([x, y]) => [x - left, y - top]),
    width,
    height,
    16,
  );
  const { brightness, texture, textureScale_um } = crystal.spec;
  const rough =
    texture === 0 ? null : smoothNoise(width, height, textureScale_um / cell_um, stream(seed, "face", index));
  const light = cover.map((share, at) => share * brightness * (1 + texture * (rough?.[at] ?? 0)));
  const centre = (at: number, from: number): number => (from + at - (perPixel - 1) / 2) * cell_um;
  const fronts = crystal.fronts.map((front): FrontCells => {
    const phase_s = new Float64Array(light.length);
    const alongX_s = new Float32Array(light.length);
    const alongY_s = new Float32Array(light.length);
    const speed_um_s = new Float32Array(light.length);
    let firstPhase_s = Infinity;
    let lastPhase_s = -Infinity;
    for (let at = 0; at < light.length; at++) {
      if (cover[at] === 0) continue;
      const passing = front.motion.passing(centre(at % width, left), centre(Math.floor(at / width), top));
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
  });
  return { crystal, cells: { left, top, width, height, light }, fronts };
}

/** Places in cells, the centre of cell 0 at 0; that of pixel 0 lies at (perPixel - 1) / 2. */
function inCells(outline_um: readonly Place[], perPixel: number, cell_um: number): Place[] {
  const middle = (perPixel - 1) / 2;
  return outline_um.map(([x, y]) => [x / cell_um + middle, y / cell_um + middle]);
}

/** Light of a crystal's cells through an exposure: an array and a level common to all of it. */
function lightAt(
  crystal: Crystal,
  cells: Cells,
  fronts: readonly FrontCells[],
  from_s: number,
  to_s: number,
  scratch: Float32Array,
): { light: Float32Array; level: number } {
  let level = crystal.evenLevel(from_s, to_s);
  const underWay: { cells: FrontCells; exposure: ReturnType<CrystalFront["motion"]["phases"]> }[] = [];
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

/** Weights with which a pixel gathers cells along one axis: the point spread averaged over the pixel. */
interface Gather {
  /** First cell, counted from the pixel's own first one. */
  readonly first: number;
  readonly weights: Float64Array;
}

function gather(psf_cells: number, perPixel: number, shift_px: number): Gather {
  const centre = (0.5 - shift_px) * perPixel - 0.5;
  const reach = 4.5 * psf_cells + perPixel / 2;
  const first = Math.ceil(centre - reach);
  const weights = new Float64Array(Math.floor(centre + reach) - first + 1);
  let sum = 0;
  for (let at = 0; at < weights.length; at++) {
    weights[at] = windowedGaussian(first + at - centre, perPixel, psf_cells);
    sum += weights[at]!;
  }
  return { first, weights: weights.map((weight) => weight / sum) };
}

/** Pixels along one axis that gather any of `n` cells from `from`. */
function pixelsOf(
  from: number,
  n: number,
  { first, weights }: Gather,
  perPixel: number,
  size: number,
): [number, number] {
  const low = Math.ceil((from - first - weights.length + 1) / perPixel);
  const high = Math.floor((from + n - 1 - first) / perPixel);
  return [Math.max(0, low), Math.min(size - 1, high)];
}

/** The pixels that gather, and room for what they have gathered along x alone. */
interface Pixels {
  readonly width: number;
  readonly height: number;
  /** Cells along a pixel's side. */
  readonly perPixel: number;
  rows: Float64Array;
}

/** Adds to each pixel what it gathers of some cells, times a level: first along x, then along y. */
function addCells(
  cells: Cells,
  level: number,
  along: readonly [Gather, Gather],
  pixels: Pixels,
  into: Float64Array,
): void {
  const { width, perPixel } = pixels;
  const [left, right] = pixelsOf(cells.left, cells.width, along[0], perPixel, width);
  const [top, bottom] = pixelsOf(cells.top, cells.height, along[1], perPixel, pixels.height);
  const wide = right - left + 1;
  if (wide <= 0 || bottom < top) return;
  const first = Math.max(0, top * perPixel + along[1].first - cells.top);
  const last = Math.min(cells.height - 1, bottom * perPixel + along[1].first + along[1].weights.length - 1 - cells.top);
  if (pixels.rows.length < wide * cells.height) pixels.rows = new Float64Array(wide * cells.height);
  const { rows } = pixels;
  const { light } = cells;
  const alongX = along[0].weights;
  for (let row = first; row <= last; row++) {
    for (let x = left; x <= right; x++) {
      const start = x * perPixel + along[0].first - cells.left;
      const to = Math.min(alongX.length, cells.width - start);
      const origin = row * cells.width + start;
      let sum = 0;
      for (let at = Math.max(0, -start); at < to; at++) sum += alongX[at]! * light[origin + at]!;
      rows[row * wide + x - left] = sum;
    }
  }
  const alongY = along[1].weights;
  for (let y = top; y <= bottom; y++) {
    const start = y * perPixel + along[1].first - cells.top;
    const to = Math.min(alongY.length, cells.height - start);
    const pixel = y * width + left;
    for (let at = Math.max(0, -start); at < to; at++) {
      const weight = level * alongY[at]!;
      const row = (start + at) * wide;
      for (let x = 0; x < wide; x++) into[pixel + x] = into[pixel + x]! + weight * rows[row + x]!;
    }
  }
}

/** The carbon as pixels would see it, one value a cell: what a pixel gathers whose first cell this is. */
function carbonCells(
  drawn: readonly CrystalCells[],
  field: Field,
  optics: OpticsSpec,
  perPixel: number,
  psf_cells: number,
  seed: number,
): Cells {
  const margin = Math.ceil(field.reach_px) + 4;
  const left = -margin * perPixel;
  const width = (field.width + 2 * margin) * perPixel;
  const height = (field.height + 2 * margin) * perPixel;
  const cover = new Float32Array(width * height);
  for (const { crystal } of drawn) {
    const points = inCells(crystal.outline_um, perPixel, field.pixelSize_um / perPixel);
    const own = coverageOfPolygon(
      points.map(([x, y]) => [x - left, y - left]),
      width,
      height,
      16,
    );
    for (let at = 0; at < cover.length; at++) cover[at] = cover[at]! + own[at]!;
  }
  const shade = gaussianBlur(cover, width, height, psf_cells);
  const grains = speckle(width, height, psf_cells, stream(seed, "speckle"));
  const light = new Float32Array(width * height);
  for (let at = 0; at < light.length; at++) {
    light[at] = (1 - shade[at]!) * (1 + optics.speckleContrast * (grains[at]! - 1));
  }
  return { left, top: left, width, height, light: overPixels(light, width, height, perPixel) };
}

/** Mean over the square of cells that begins at each cell; the last ones repeat the edge. */
function overPixels(light: Float32Array, width: number, height: number, perPixel: number): Float32Array {
  const rows = new Float32Array(light.length);
  const both = new Float32Array(light.length);
  for (let at = 0; at < light.length; at++) {
    const x = at % width;
    let sum = 0;
    for (let step = 0; step < perPixel; step++) sum += light[at + Math.min(step, width - 1 - x)]!;
    rows[at] = sum / perPixel;
  }
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let step = 0; step < perPixel; step++) sum += rows[Math.min(y + step, height - 1) * width + x]!;
      both[y * width + x] = sum / perPixel;
    }
  }
  return both;
}

/** Lagrange weights of the six places about a fractional one. */
function sixPoints(place: number): Gather {
  const whole = Math.floor(place);
  const t = place - whole;
  const weights = new Float64Array(6);
  for (let at = 0; at < 6; at++) {
    let product = 1;
    for (let other = 0; other < 6; other++) {
      if (other !== at) product *= (t - (other - 2)) / (at - other);
    }
    weights[at] = product;
  }
  return { first: whole - 2, weights };
}
