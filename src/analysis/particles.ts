/** Crystals in the field of view: found by their brightness against the carbon's speckle, or drawn by hand. */
import { grow } from "../kernels/distance.js";
import {
  clipPolygon,
  crossesItself,
  maskOfPolygon,
  polygonArea,
  polygonCentroid,
  simplifyPolygon,
} from "../kernels/polygon.js";
import { ParameterError } from "../model/errors.js";
import type { Image } from "../model/movie.js";
import type { Particle } from "../model/particle.js";
import { brightAreas, smoothed } from "./bright-areas.js";
import { withoutEars } from "./ears.js";
import { boxesOf, cellOf, halfHeightOutlines } from "./half-height.js";
import type { Outline } from "./outline-ring.js";
import { bodiesOf } from "./touching.js";

/** What is sought. */
export interface ParticleSearch {
  /** Smaller bright spots, by the diameter of a disc of their area, are not taken for crystals. */
  readonly minDiameter_um: number;
  /** Standard deviation of the point spread. */
  readonly psf_um: number;
  /** x, y, width, height within which centres must lie; null: anywhere. */
  readonly region_px: readonly [number, number, number, number] | null;
}

/** Blur at which crystals are sought, one after the other: strong speckle hides faint crystals from the finest. */
const BLURS_UM = [0.35, 0.35, 0.35, 0.6, 1];
/** Around a crystal that was found, its own light is no ground to seek others on. */
const HALO_PSF = 3;
/** A crystal's narrowest half-width, as a part of the least diameter. */
const NARROWEST = 0.25;
/** Half the width of a bulge that is no part of a crystal: about a grain of speckle and its blur. */
const EAR_UM = 0.25;
/** Image kept around a crystal to see whether it is two. */
const MARGIN_UM = 1.2;
/** Corners of an outline, and the farthest that leaving others out may move it. */
const MOST_CORNERS = 300;
const CORNER_PX = 0.03;

/**
 * The crystals of an image, the largest first, each by the polygon half-way up its blurred edge.
 *
 * Bright areas with a steep edge all around are sought in the image smoothed over the speckle (bright-areas.ts), outlined
 * in the image itself (half-height.ts), and parted where two touch (touching.ts). Nothing is found in speckle, noise or an
 * image without contrast. Crystals darker than what surrounds them are not sought.
 */
export function findParticles(image: Image, search: ParticleSearch): Particle[] {
  const { minDiameter_um, psf_um, region_px } = search;
  const { width, height, pixelSize_um } = image;
  const leastArea_um2 = (Math.PI / 4) * minDiameter_um ** 2;
  const labels = brightLabels(image, minDiameter_um, psf_um);
  const least = {
    depth_px: (NARROWEST * minDiameter_um) / pixelSize_um,
    area_px: leastArea_um2 / pixelSize_um ** 2,
  };
  return outlinesOf(image, labels, psf_um, least.area_px)
    .flatMap((outline) => partsOf(image, outline, least, psf_um))
    .map((outline) => withoutEars(outline, EAR_UM / pixelSize_um))
    .map((outline) => tidy(outline, width, height))
    .filter((outline) => polygonArea(outline) >= least.area_px)
    .sort((a, b) => polygonArea(b) - polygonArea(a))
    .map((outline) => particleOf(outline, image, "found", region_px))
    .filter(({ centre_px: [x, y] }) => region_px === null || isWithin(region_px, x, y))
    .map((particle, id) => ({ ...particle, id }));
}

/**
 * A particle by an outline drawn by hand, in px of the image; what lies beyond the image is cut off.
 * Throws ParameterError where nothing is left or the outline has no area.
 */
export function drawnParticle(outline_px: readonly (readonly [number, number])[], image: Image): Particle {
  const { width, height } = image;
  const refuse = (problem: string, cure: string): never => {
    const corner = outline_px[0]?.join(",") ?? "no corner";
    throw new ParameterError(`the outline drawn from ${corner} ${problem}. ${cure}`, {
      parameter: "drawn",
      value: outline_px,
    });
  };
  if (outline_px.length < 3 || !outline_px.every(([x, y]) => Number.isFinite(x) && Number.isFinite(y))) {
    refuse("is no polygon", "Give at least three corners x,y in px.");
  }
  if (polygonArea(outline_px) < 1) {
    refuse(`covers ${polygonArea(outline_px).toPrecision(2)} px^2`, "Give corners in px that go round a crystal.");
  }
  const seen = clipPolygon(outline_px, -0.5, -0.5, width - 0.5, height - 0.5);
  if (polygonArea(seen) < 1) {
    refuse(`lies outside the image of ${width} x ${height} px`, "Give corners in px of frame 0, not in um.");
  }
  return particleOf(seen, image, "drawn", null);
}

/** Labels of bright areas, pixel by pixel. */
function brightLabels(image: Image, minDiameter_um: number, psf_um: number): Int32Array {
  const { width, height, pixelSize_um } = image;
  const labels = new Int32Array(width * height);
  let count = 0;
  let ground = image;
  let empty_um = 0;
  for (const blur_um of BLURS_UM) {
    if (blur_um === empty_um) continue;
    const smooth = smoothed(ground, psf_um, Math.max(blur_um, 1.2 * psf_um));
    const areas = brightAreas(smooth, minDiameter_um);
    if (areas.count === 0) {
      empty_um = blur_um;
      continue;
    }
    for (let y = 0, at = 0; y < height; y++) {
      const row = Math.floor(y / smooth.bin) * smooth.width;
      for (let x = 0; x < width; x++, at++) {
        const label = areas.labels[row + Math.floor(x / smooth.bin)]!;
        if (label > 0 && labels[at] === 0) labels[at] = count + label;
      }
    }
    count += areas.count;
    const taken = new Uint8Array(labels.length);
    for (let at = 0; at < labels.length; at++) if (labels[at]! > 0) taken[at] = 1;
    const near = grow(taken, width, height, (HALO_PSF * psf_um) / pixelSize_um);
    ground = { ...image, data: image.data.map((value, at) => (near[at] === 1 ? NaN : value)) };
  }
  return labels;
}

function outlinesOf(image: Image, labels: Int32Array, psf_um: number, least_px: number): Outline[] {
  return boxesOf(labels, image.width).flatMap((box, at) =>
    halfHeightOutlines(image, labels, at + 1, box, { psf_um, least_px }),
  );
}

/** The outline, or those of the crystals that touch in it. */
function partsOf(
  image: Image,
  outline: Outline,
  least: { readonly depth_px: number; readonly area_px: number },
  psf_um: number,
): Outline[] {
  const { width, height, pixelSize_um, data } = image;
  const bin = cellOf(psf_um, pixelSize_um);
  const margin = Math.ceil(MARGIN_UM / pixelSize_um);
  const xs = outline.map(([x]) => x);
  const ys = outline.map(([, y]) => y);
  const left = Math.max(0, Math.floor(Math.min(...xs)) - margin);
  const top = Math.max(0, Math.floor(Math.min(...ys)) - margin);
  const columns = Math.ceil((Math.min(width, Math.ceil(Math.max(...xs)) + margin + 1) - left) / bin);
  const rows = Math.ceil((Math.min(height, Math.ceil(Math.max(...ys)) + margin + 1) - top) / bin);
  const light = new Float32Array(columns * rows);
  for (let row = 0, cell = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, cell++) {
      const right = Math.min(width, left + (column + 1) * bin);
      const bottom = Math.min(height, top + (row + 1) * bin);
      let sum = 0;
      let n = 0;
      for (let y = top + row * bin; y < bottom; y++) {
        for (let x = left + column * bin; x < right; x++) {
          const value = data[y * width + x]!;
          if (!Number.isFinite(value)) continue;
          sum += value;
          n++;
        }
      }
      light[cell] = sum / n;
    }
  }
  const inCells = outline.map(([x, y]): [number, number] => [
    (x - left + 0.5) / bin - 0.5,
    (y - top + 0.5) / bin - 0.5,
  ]);
  const patch = { width: columns, height: rows, pixelSize_um: bin * pixelSize_um, data: light };
  const mask = maskOfPolygon(inCells, columns, rows);
  const leastCells = { depth_px: least.depth_px / bin, area_px: least.area_px / bin ** 2 };
  const bodies = bodiesOf(patch, mask, leastCells);
  if (bodies.count < 2) return [outline];
  return outlinesOf(patch, bodies.labels, psf_um, leastCells.area_px).map((part) =>
    part.map(([x, y]) => [left + (x + 0.5) * bin - 0.5, top + (y + 0.5) * bin - 0.5]),
  );
}

/** The part within the image, with a few hundred corners at most. */
function tidy(outline: Outline, width: number, height: number): Outline {
  const seen = clipPolygon(outline, -0.5, -0.5, width - 0.5, height - 0.5);
  let tolerance = CORNER_PX;
  let simple = simplifyPolygon(seen, tolerance);
  for (; simple.length > MOST_CORNERS; tolerance *= 1.5) simple = simplifyPolygon(seen, tolerance);
  return crossesItself(simple) ? seen : simple;
}

function particleOf(
  outline_px: Outline,
  { width, height, pixelSize_um }: Image,
  source: Particle["source"],
  region_px: ParticleSearch["region_px"],
): Particle {
  const inner = (left: number, top: number, right: number, bottom: number): boolean =>
    outline_px.every(([x, y]) => x > left && y > top && x < right && y < bottom);
  const [left, top, across, down] = region_px ?? [0, 0, width, height];
  return {
    id: 0,
    centre_px: polygonCentroid(outline_px),
    area_um2: polygonArea(outline_px) * pixelSize_um ** 2,
    outline_px,
    source,
    touchesBorder: !inner(0, 0, width - 1, height - 1) || !inner(left, top, left + across - 1, top + down - 1),
  };
}

function isWithin(
  [left, top, width, height]: readonly [number, number, number, number],
  x: number,
  y: number,
): boolean {
  return x >= left - 0.5 && y >= top - 0.5 && x < left + width - 0.5 && y < top + height - 0.5;
}
