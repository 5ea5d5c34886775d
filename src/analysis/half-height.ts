/** The outline of a bright area: half-way up its blurred edge, against the levels just inside and just outside. */
import { isoContours } from "../kernels/contour.js";
import { distanceTransform } from "../kernels/distance.js";
import { gaussianBlur } from "../kernels/filter.js";
import { fillHoles, labelComponents } from "../kernels/label.js";
import { crossesItself, distanceToPolygon, maskOfPolygon } from "../kernels/polygon.js";
import { madSigma, median } from "../kernels/stats.js";
import type { Image } from "../model/movie.js";
import { movedOutwards, type Outline, smoothRing } from "./outline-ring.js";

/** Blur of the light besides the point spread, as a part of it. */
const SOFT_PSF = 0.5;
/** Bands that tell the level of the face and of the ground: how far from the edge in point spreads they begin, and how wide. */
const FACE = { from_psf: 1.7, width_um: 0.15 };
/** Wider, as speckle asks, and nearer, so that the edge's blur takes from it what it takes from the face. */
const GROUND = { from_psf: 1.4, width_um: 0.5 };
/** Standard deviations over which their levels are averaged along the edge. */
const FACE_ALONG_UM = 0.4;
const GROUND_ALONG_UM = 0.5;
/** Smoothing of the outline along itself. */
const ALONG_UM = 0.15;
/** A face is taken to vary by so much of the step at least: no rim is quite even. */
const LEAST_ROUGH = 0.03;
/** Weight of the term that draws the edge towards the blurred area, where speckle is strongest, and how often it is applied. */
const STIFFEST = 3.75;
const TURNS = 6;
/** How far each pass may move the edge; after the last of them, by LAST_UM. */
const PASSES_UM = [0.5, 0.4, 0.35];
const LAST_UM = 0.12;
/** Places along an edge that its median distance is taken over, at most. */
const MEDIAN_OF = 400;
/** Image kept around an area, and gone on with beyond the image's border. */
const MARGIN_UM = 1.6;
const BEYOND_UM = 0.8;

/** A part of the image on which one outline is sought; beyond the image it goes on as at the border. */
interface Patch {
  /** Pixel of the image at its top left, and pixels along the side of a cell. */
  readonly left: number;
  readonly top: number;
  readonly bin: number;
  readonly width: number;
  readonly height: number;
  readonly cell_um: number;
  readonly light: Float64Array;
  /** 1 in the area, 2 in another one, 0 elsewhere. */
  readonly owner: Uint8Array;
}

/** Where an area lies in the image: first and last column and row. */
export interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** The boxes of areas labelled from 1. */
export function boxesOf(labels: Int32Array, width: number): Box[] {
  const boxes: Box[] = [];
  for (let at = 0; at < labels.length; at++) {
    const label = labels[at]!;
    while (boxes.length < label) boxes.push({ left: Infinity, top: Infinity, right: -1, bottom: -1 });
    if (label === 0) continue;
    const box = boxes[label - 1]!;
    const x = at % width;
    const y = (at - x) / width;
    if (x < box.left) box.left = x;
    if (x > box.right) box.right = x;
    if (y < box.top) box.top = y;
    if (y > box.bottom) box.bottom = y;
  }
  return boxes;
}

/**
 * The outline of the area `label`, or several if it falls apart into areas of at least `least_px`; none where there is no
 * step up to it. An outline may leave the image where the area does.
 *
 * Light I is compared with the mean light F in a band just inside the edge and B in one just outside, each averaged along
 * the edge; the outline is where (I - B) / (F - B) is one half. So neither uneven light nor a dim rim moves it, and I need
 * be smoothed by no more than half a point spread. The bands follow the outline as it settles. Blur draws the half-height of
 * a round edge inwards by sigma^2 / 2R; that is given back.
 *
 * A crystal covers the carbon, so the inner part of its edge knows less of the speckle than the outer part: where the carbon
 * is rougher than the face, the outline is drawn at a higher level and moved outwards as a whole to where half-height lies.
 *
 * Where the carbon's speckle is strong against the step, single bright grains hang on to the crystal. Then the edge is
 * first made to settle with a term that draws it towards the blurred area (the scheme of Merriman, Bence and Osher), and
 * follows the light only within LAST_UM of that.
 */
export function halfHeightOutlines(
  image: Image,
  labels: Int32Array,
  label: number,
  box: Box,
  { psf_um, least_px }: { readonly psf_um: number; readonly least_px: number },
): Outline[] {
  if (box.right < box.left) return [];
  const patch = patchOf(image, labels, label, box, psf_um);
  const { width, height, cell_um, owner } = patch;
  const soft = gaussianBlur(patch.light, width, height, (SOFT_PSF * psf_um) / cell_um);
  const least = least_px / patch.bin ** 2;
  let mask: Uint8Array = owner.map((who) => (who === 1 ? 1 : 0));
  let [level, outward] = [0.5, 0];
  for (const reach_um of PASSES_UM) {
    const step = shareOf(patch, soft, mask, psf_um, { reach_um, inset: outward });
    if (step === null) return [];
    level = bestLevel(step);
    const stiffness = STIFFEST * Math.min(1, Math.max(0, (step.noise - 0.07) / 0.18));
    let body = bodiesOver(step.share, width, height, least, level);
    if (stiffness > 0) {
      const radius_um = Math.sqrt(mask.reduce((sum, value) => sum + value, 0) / Math.PI) * cell_um;
      const round_um = Math.min(0.3 + Math.max(0, step.noise - 0.3), 0.17 * radius_um);
      body = mask;
      for (let turn = 0; turn < TURNS; turn++) {
        const round = gaussianBlur(body, width, height, round_um / cell_um);
        const pulled = step.share.map((value, at) => value + stiffness * (round[at]! - 0.5));
        body = bodiesOver(pulled, width, height, least, level);
      }
    }
    const rings = ringsAt(patch, step.share, body, level);
    outward = toHalfHeight(patch, step.share, rings);
    mask = maskOf(
      rings.map((ring) => settled(patch, ring, outward, psf_um)),
      width,
      height,
    );
  }
  const last = shareOf(patch, soft, mask, psf_um, { reach_um: LAST_UM, inset: outward });
  if (last === null) return [];
  // What hangs on by nothing, and holes, are no part of it.
  const body = bodiesOver(last.share, width, height, least, level);
  return ringsAt(patch, last.share, body, level).map((ring) =>
    settled(patch, ring, outward, psf_um).map(([x, y]) => [
      patch.left + (x + 0.5) * patch.bin - 0.5,
      patch.top + (y + 0.5) * patch.bin - 0.5,
    ]),
  );
}

/** Rings around a body where its share passes a level. */
function ringsAt({ width, height }: Patch, share: Float32Array, body: Uint8Array, level: number): Outline[] {
  const limited = share.map((value, at) =>
    body[at] === 1 ? Math.max(value, level + 0.001) : Math.min(value, level - 0.001),
  );
  return isoContours(limited, width, height, level);
}

/** Distance in cells from rings to half-height, the median along them; 0 where they meet other areas all around. */
function toHalfHeight(patch: Patch, share: Float32Array, rings: readonly Outline[]): number {
  const half = isoContours(share, patch.width, patch.height, 0.5);
  const open = rings.flat().filter((place) => isOpen(patch, place));
  const every = Math.ceil(open.length / MEDIAN_OF);
  const away: number[] = [];
  for (let at = 0; at < open.length; at += every) {
    const [x, y] = open[at]!;
    let nearest = Infinity;
    for (const ring of half) nearest = Math.min(nearest, distanceToPolygon(ring, x, y));
    away.push(nearest);
  }
  return away.length === 0 ? 0 : median(away);
}

/** A ring smoothed, freed of the blur's shift and moved outwards, but not into another area. */
function settled(patch: Patch, ring: Outline, outward: number, psf_um: number): Outline {
  const blur = (Math.hypot(1, SOFT_PSF) * psf_um) / patch.cell_um;
  const smooth = smoothRing(ring, ALONG_UM / patch.cell_um, blur);
  return movedOutwards(crossesItself(smooth) ? ring : smooth, outward, (place) => isOpen(patch, place));
}

/** Whether a place lies within the patch and beside no cell of another area. */
function isOpen({ width, height, owner }: Patch, [x, y]: readonly [number, number]): boolean {
  const [u, v] = [Math.floor(x), Math.floor(y)];
  if (u < 0 || v < 0 || u >= width - 1 || v >= height - 1) return false;
  const at = v * width + u;
  return owner[at] !== 2 && owner[at + 1] !== 2 && owner[at + width] !== 2 && owner[at + width + 1] !== 2;
}

function maskOf(rings: readonly Outline[], width: number, height: number): Uint8Array {
  const mask = new Uint8Array(width * height);
  for (const ring of rings) {
    const one = maskOfPolygon(ring, width, height);
    for (let at = 0; at < mask.length; at++) if (one[at] === 1) mask[at] = 1;
  }
  return mask;
}

/**
 * The level at which the edge is seen best. In a profile that rises as the normal distribution's, a level q lies where the slope
 * is its density n(q); carbon of spread s is covered there but for 1 - q, a face of spread t shows as q. The variance of the
 * place is ((1 - q)^2 s^2 + q^2 t^2) / n(q)^2, and q is where it is least, from one half on.
 */
function bestLevel({ noise, rough }: { readonly noise: number; readonly rough: number }): number {
  const face = Math.max(LEAST_ROUGH, rough);
  let best = 0.5;
  let least = Infinity;
  for (const { level, density } of PROFILE) {
    const variance = (((1 - level) * noise) ** 2 + (level * face) ** 2) / density ** 2;
    if (variance >= least) continue;
    least = variance;
    best = level;
  }
  return best;
}

/** Levels of a normal distribution and its density there, up to the highest level at which an edge is sought. */
const PROFILE = Array.from({ length: 23 }, (_, at) => {
  const place = 0.05 * at;
  return { level: 1 / (1 + Math.exp(-1.5976 * place - 0.07056 * place ** 3)), density: Math.exp(-0.5 * place ** 2) };
});

/** Pixels along the side of a cell: as many as the point spread leaves without loss. */
export function cellOf(psf_um: number, pixelSize_um: number): number {
  return Math.max(1, Math.floor((0.8 * psf_um) / pixelSize_um));
}

function patchOf(image: Image, labels: Int32Array, label: number, box: Box, psf_um: number): Patch {
  const { width, height, pixelSize_um, data } = image;
  const bin = cellOf(psf_um, pixelSize_um);
  const margin = Math.ceil(MARGIN_UM / pixelSize_um);
  const beyond = Math.ceil(BEYOND_UM / pixelSize_um);
  const left = Math.max(-beyond, box.left - margin);
  const top = Math.max(-beyond, box.top - margin);
  const columns = Math.ceil((Math.min(width - 1 + beyond, box.right + margin) + 1 - left) / bin);
  const rows = Math.ceil((Math.min(height - 1 + beyond, box.bottom + margin) + 1 - top) / bin);
  const light = new Float64Array(columns * rows);
  const owner = new Uint8Array(columns * rows);
  for (let row = 0, cell = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, cell++) {
      let sum = 0;
      let n = 0;
      for (let v = 0; v < bin; v++) {
        const y = Math.min(height - 1, Math.max(0, top + row * bin + v));
        for (let u = 0; u < bin; u++) {
          const at = y * width + Math.min(width - 1, Math.max(0, left + column * bin + u));
          if (labels[at] !== 0) owner[cell] = labels[at] === label ? 1 : 2;
          if (!Number.isFinite(data[at]!)) continue;
          sum += data[at]!;
          n++;
        }
      }
      light[cell] = sum / n;
    }
  }
  return { left, top, bin, width: columns, height: rows, cell_um: bin * pixelSize_um, light, owner };
}

/**
 * (I - B) / (F - B) within `reach_um` of a line `inset` cells inside the mask's edge, 1 farther inside and 0 farther outside;
 * and the noise of the ground and the unevenness of the face as parts of the step. Null where the step is not upwards. Where one area meets another of the same light, the
 * line between them stays.
 */
function shareOf(
  { width, height, cell_um, light, owner }: Patch,
  soft: Float32Array,
  mask: Uint8Array,
  psf_um: number,
  { reach_um, inset }: { readonly reach_um: number; readonly inset: number },
): { share: Float32Array; noise: number; rough: number } | null {
  const n = width * height;
  const inside = distanceTransform(mask, width, height);
  const outside = distanceTransform(
    mask.map((value) => 1 - value),
    width,
    height,
  );
  let deepest = 0;
  for (let at = 0; at < n; at++) if (inside[at]! > deepest) deepest = inside[at]!;
  const faceFrom = Math.min((FACE.from_psf * psf_um) / cell_um, 0.7 * deepest);
  const faceTo = Math.max(faceFrom + FACE.width_um / cell_um, faceFrom + 1.5);
  const groundFrom = (GROUND.from_psf * psf_um) / cell_um;
  const groundTo = groundFrom + GROUND.width_um / cell_um;
  const inner = new Uint8Array(n);
  const outer = new Uint8Array(n);
  for (let at = 0; at < n; at++) {
    if (inside[at]! > faceFrom && inside[at]! <= faceTo) inner[at] = 1;
    if (outside[at]! > groundFrom && outside[at]! <= groundTo) outer[at] = 1;
  }
  const face = bandMean(light, inner, width, height, FACE_ALONG_UM / cell_um);
  const ground = bandMean(light, outer, width, height, GROUND_ALONG_UM / cell_um);
  const rises: number[] = [];
  for (let at = 0; at < n; at++) if (inside[at]! + outside[at]! <= 1.5) rises.push(face[at]! - ground[at]!);
  const step = median(rises);
  if (!(step > 0)) return null;
  const reach = reach_um / cell_um;
  const share = new Float32Array(n);
  let squares = 0;
  let known = 0;
  const faces: number[] = [];
  for (let at = 0; at < n; at++) {
    if (inner[at] === 1 && Number.isFinite(light[at]!)) {
      faces.push((light[at]! - face[at]!) / step);
    }
    const rise = face[at]! - ground[at]!;
    if (outer[at] === 1 && Number.isFinite(light[at]!)) {
      squares += ((light[at]! - ground[at]!) / step) ** 2;
      known++;
    }
    // Distances are to the centres of the nearest cells beyond the edge, so half a cell more than to the edge itself.
    const depth = inside[at]! > 0 ? inside[at]! - 0.5 : 0.5 - outside[at]!;
    if (depth - inset > reach) share[at] = 1;
    else if (inset - depth > reach || Number.isNaN(soft[at]!) || (owner[at] === 2 && outside[at]! > 0)) share[at] = 0;
    else if (Math.abs(rise) < 0.3 * step) share[at] = mask[at]!;
    else share[at] = Math.min(1, Math.max(0, (soft[at]! - ground[at]!) / rise));
  }
  return { share, noise: Math.sqrt(squares / known), rough: madSigma(faces) };
}

/**
 * Mean light about each cell over the finite cells of a band, weighted by a Gaussian; far from the band, its mean.
 * Blocks half a sigma wide are blurred and interpolated.
 */
function bandMean(light: Float64Array, band: Uint8Array, width: number, height: number, sigma: number): Float64Array {
  const side = Math.max(1, Math.round(sigma / 2));
  const columns = Math.ceil(width / side);
  const rows = Math.ceil(height / side);
  const sums = new Float64Array(columns * rows);
  const counts = new Float64Array(columns * rows);
  let total = 0;
  let known = 0;
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      if (band[at] === 0 || !Number.isFinite(light[at]!)) continue;
      const block = Math.floor(y / side) * columns + Math.floor(x / side);
      sums[block] = sums[block]! + light[at]!;
      counts[block] = counts[block]! + 1;
      total += light[at]!;
      known++;
    }
  }
  const weight = gaussianBlur(counts, columns, rows, sigma / side);
  const least = 1e-3 * side * side;
  const means = gaussianBlur(sums, columns, rows, sigma / side).map(
    (sum, at) => (sum + (least * total) / known) / (weight[at]! + least),
  );
  const result = new Float64Array(width * height);
  for (let y = 0, at = 0; y < height; y++) {
    const v = Math.min(Math.max((y + 0.5) / side - 0.5, 0), rows - 1);
    const above = Math.floor(v) * columns;
    const below = Math.min(Math.floor(v) + 1, rows - 1) * columns;
    const down = v - Math.floor(v);
    for (let x = 0; x < width; x++, at++) {
      const u = Math.min(Math.max((x + 0.5) / side - 0.5, 0), columns - 1);
      const left = Math.floor(u);
      const right = Math.min(left + 1, columns - 1);
      const across = u - left;
      const upper = (1 - across) * means[above + left]! + across * means[above + right]!;
      const lower = (1 - across) * means[below + left]! + across * means[below + right]!;
      result[at] = (1 - down) * upper + down * lower;
    }
  }
  return result;
}

/** The areas of at least `least` cells where the share is over one half, holes filled; the largest, if all are less. */
function bodiesOver(share: Float32Array, width: number, height: number, least: number, level: number): Uint8Array {
  const bodies = new Uint8Array(share.length);
  for (let at = 0; at < share.length; at++) if (share[at]! > level) bodies[at] = 1;
  const { labels, area_px } = labelComponents(bodies, width, height);
  const largest = area_px.reduce((most, area) => Math.max(most, area), 0);
  for (let at = 0; at < labels.length; at++) if (area_px[labels[at]!]! < Math.min(least, largest)) bodies[at] = 0;
  return fillHoles(bodies, width, height);
}
