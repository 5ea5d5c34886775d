/** Bright areas with an edge all around, against the carbon's speckle. */
import { grow, shrink } from "../kernels/distance.js";
import { gaussianBlur } from "../kernels/filter.js";
import { fillHoles } from "../kernels/label.js";
import { madSigma, median, quantile } from "../kernels/stats.js";
import type { Image } from "../model/movie.js";

/** An image on cells of several pixels, smoothed until the speckle is faint. */
export interface SmoothImage {
  readonly width: number;
  readonly height: number;
  /** Pixels of the image along a cell's side. */
  readonly bin: number;
  readonly cell_um: number;
  /** Standard deviation of all blur in it. */
  readonly sigma_um: number;
  readonly data: Float32Array;
}

/** Levels at which the image is cut. */
const LEVELS = 96;
/** The least step from carbon to crystal, as a part of the carbon's light. */
const LEAST_STEP = 0.1;
/** An area may be so much smaller than the least disc, and so narrow, half its width over that disc's diameter. */
const LEAST_SHARE = 0.7;
const NARROWEST = 0.25;
/** Two joined areas are alike if the lesser slope is so much of the other's; then they are worth so much against one. */
const ALIKE = 0.5;
const AS_ONE = 0.6;
/** The largest share of the image that one crystal may cover. */
const LARGEST = 0.8;

/**
 * How much steeper than the carbon's slopes the edge of an area must be, by its diameter over the smoothing: small
 * bright heaps of speckle come often, large ones never. A sixth above the steepest in 240 images of nothing but speckle,
 * exponential and of many scatterers to a grain.
 */
function steeperThanSpeckle(diameter: number): number {
  return 1.85 + 75 / diameter ** 2;
}

/** An area brighter than a level. */
interface Area {
  readonly level: number;
  /** One of its cells. */
  readonly seed: number;
  readonly cells: number;
  /** Mean slope along its edge, and the edge's length in sides of cells. */
  readonly slope: number;
  readonly edge: number;
  /** The area it lies in, of the level below. */
  parent: number;
}

/**
 * The bright areas of an image, labelled 1 ... count, steep edges first.
 *
 * The image is cut at many levels. Of the areas that lie within one another, those are kept whose edges are steepest:
 * there a level stands half way up the edge of a crystal, whatever its brightness and however unevenly the field is lit.
 * An edge must stand out from the slopes that speckle makes elsewhere, and be a step that can be seen.
 */
export function brightAreas(smooth: SmoothImage, minDiameter_um: number): { labels: Int32Array; count: number } {
  const { width, height, data, cell_um, sigma_um } = smooth;
  const least = (LEAST_SHARE * (Math.PI / 4) * minDiameter_um ** 2) / cell_um ** 2;
  const narrowest = (NARROWEST * minDiameter_um) / cell_um;
  const labels = new Int32Array(width * height);
  const slope = slopeOf(smooth);
  const steps = levelsOf(smooth);
  const best = steepest(areasOf(smooth, steps, slope, least)).sort((a, b) => b.slope - a.slope);
  const toStep = Math.sqrt(2 * Math.PI) * (sigma_um / cell_um);
  let count = 0;
  let carbonSlope = median(slope);
  let carbon = median(data);
  for (let next = 0; next < best.length;) {
    const before = count;
    const steep = 0.6 * best[next]!.slope;
    for (; next < best.length && best[next]!.slope >= steep; next++) {
      const area = best[next]!;
      const diameter = (2 * Math.sqrt(area.cells / Math.PI) * cell_um) / sigma_um;
      if (area.slope < steeperThanSpeckle(diameter) * carbonSlope || area.slope * toStep < LEAST_STEP * carbon)
        continue;
      const cells = cellsOf(steps, width, height, area);
      if (shrink(cells, width, height, narrowest).every((value) => value === 0)) continue;
      count++;
      for (let at = 0; at < cells.length; at++) if (cells[at] === 1) labels[at] = count;
    }
    if (count === before) continue;
    // What is left is carbon, and tells how steep that is; with hardly any left, the last word stands.
    const taken = new Uint8Array(labels.length);
    for (let at = 0; at < labels.length; at++) if (labels[at]! > 0) taken[at] = 1;
    const near = grow(taken, width, height, (2 * sigma_um) / cell_um);
    const open = slope.map((value, at) => (near[at] === 1 ? NaN : value));
    if (open.reduce((n, value) => n + (Number.isNaN(value) ? 0 : 1), 0) < 0.02 * open.length) continue;
    carbonSlope = median(open);
    carbon = median(data.map((value, at) => (near[at] === 1 ? NaN : value)));
  }
  return { labels, count };
}

/** The image on cells well under `sigma_um`, blurred to `sigma_um` together with the point spread. */
export function smoothed(image: Image, psf_um: number, sigma_um: number): SmoothImage {
  const bin = Math.max(1, Math.floor(sigma_um / 1.7 / image.pixelSize_um));
  const width = Math.ceil(image.width / bin);
  const height = Math.ceil(image.height / bin);
  const sum = new Float64Array(width * height);
  const n = new Float64Array(width * height);
  for (let y = 0, at = 0; y < image.height; y++) {
    const row = Math.floor(y / bin) * width;
    for (let x = 0; x < image.width; x++, at++) {
      const value = image.data[at]!;
      if (!Number.isFinite(value)) continue;
      const cell = row + Math.floor(x / bin);
      sum[cell] = sum[cell]! + value;
      n[cell] = n[cell]! + 1;
    }
  }
  const cell_um = bin * image.pixelSize_um;
  const more_um = Math.sqrt(Math.max(sigma_um ** 2 - psf_um ** 2 - cell_um ** 2 / 12, 0));
  const means = sum.map((value, at) => value / n[at]!);
  const data = gaussianBlur(means, width, height, more_um / cell_um);
  for (let at = 0; at < data.length; at++) if (n[at] === 0) data[at] = NaN;
  return { width, height, bin, cell_um, sigma_um, data };
}

/** Length of the gradient, per cell; NaN where a neighbour is missing. */
function slopeOf({ width, height, data }: SmoothImage): Float64Array {
  const slope = new Float64Array(width * height);
  for (let y = 0, at = 0; y < height; y++) {
    const up = y > 0 ? width : 0;
    const down = y < height - 1 ? width : 0;
    for (let x = 0; x < width; x++, at++) {
      const left = x > 0 ? 1 : 0;
      const right = x < width - 1 ? 1 : 0;
      const alongX = (data[at + right]! - data[at - left]!) / Math.max(1, left + right);
      const alongY = ((data[at + down]! - data[at - up]!) * width) / Math.max(1, up + down);
      slope[at] = Math.sqrt(alongX * alongX + alongY * alongY);
    }
  }
  return slope;
}

/** The level that each cell reaches, close together near the carbon and wide apart where it is bright; 0: below all, or none. */
function levelsOf({ data }: SmoothImage): Uint8Array {
  const low = quantile(data, 0.02);
  const high = quantile(data, 0.9995);
  const zero = Math.min(0, low - 4 * madSigma(data));
  const first = Math.max(low - zero, 1e-3 * (high - zero));
  const scale = (LEVELS - 1) / Math.log((high - zero) / first);
  const levels = new Uint8Array(data.length);
  if (!(high > low)) return levels;
  for (let at = 0; at < data.length; at++) {
    const above = (data[at]! - zero) / first;
    if (above > 1) levels[at] = Math.min(LEVELS, 1 + Math.floor(scale * Math.log(above)));
  }
  return levels;
}

/** All areas of at least `least` cells, by adding cells from the brightest down and joining what meets (a max-tree). */
function areasOf({ width, height, data }: SmoothImage, steps: Uint8Array, slope: Float64Array, least: number): Area[] {
  const order = byLevel(steps);
  const most = LARGEST * data.reduce((n, value) => n + (Number.isFinite(value) ? 1 : 0), 0);
  const root = new Int32Array(width * height).fill(-1);
  const cells = new Int32Array(width * height);
  const edge = new Int32Array(width * height);
  const sum = new Float64Array(width * height);
  const find = (at: number): number => {
    let top = at;
    while (root[top] !== top) top = root[top]!;
    for (let to = at; root[to] !== top;) {
      const above = root[to]!;
      root[to] = top;
      to = above;
    }
    return top;
  };
  const meet = (at: number, to: number): void => {
    if (Number.isNaN(data[to]!)) return;
    // A side between two cells belongs to the edge as long as only one of them is in.
    const own = find(at);
    const steep = 0.5 * (slope[at]! + slope[to]!);
    const counts = Number.isNaN(steep) ? 0 : 1;
    if (root[to] === -1) {
      edge[own] = edge[own]! + counts;
      if (counts === 1) sum[own] = sum[own]! + steep;
      return;
    }
    const other = find(to);
    if (other !== own) {
      const [large, small] = cells[own]! >= cells[other]! ? [own, other] : [other, own];
      root[small] = large;
      cells[large] = cells[large]! + cells[small]!;
      edge[large] = edge[large]! + edge[small]!;
      sum[large] = sum[large]! + sum[small]!;
    }
    const joined = find(at);
    edge[joined] = edge[joined]! - counts;
    if (counts === 1) sum[joined] = sum[joined]! - steep;
  };
  const areas: Area[] = [];
  let above: number[] = [];
  let next = 0;
  for (let level = LEVELS; level >= 1; level--) {
    const start = next;
    for (; next < order.length && steps[order[next]!] === level; next++) {
      const at = order[next]!;
      const x = at % width;
      root[at] = at;
      cells[at] = 1;
      if (x > 0) meet(at, at - 1);
      if (x < width - 1) meet(at, at + 1);
      if (at >= width) meet(at, at - width);
      if (at < width * (height - 1)) meet(at, at + width);
    }
    // Areas that are large by now: those that were, and those that a new cell belongs to.
    const own = new Map<number, number>();
    const note = (at: number): number => {
      const top = find(at);
      const known = own.get(top);
      if (known !== undefined) return known;
      const fits = cells[top]! >= least && cells[top]! <= most && edge[top]! > 0;
      own.set(top, fits ? areas.length : -1);
      if (!fits) return -1;
      areas.push({
        level,
        seed: at,
        cells: cells[top]!,
        slope: sum[top]! / edge[top]!,
        edge: edge[top]!,
        parent: -1,
      });
      return areas.length - 1;
    };
    for (const inner of above) areas[inner]!.parent = note(areas[inner]!.seed);
    for (let at = start; at < next; at++) note(order[at]!);
    above = [...own.values()].filter((index) => index >= 0);
  }
  return areas;
}

/** Cells from the highest level down; those at level 0 are left out. */
function byLevel(steps: Uint8Array): Int32Array {
  const place = new Int32Array(LEVELS + 2);
  for (const level of steps) place[level] = place[level]! + 1;
  for (let level = LEVELS; level >= 1; level--) place[level] = place[level]! + place[level + 1]!;
  const order = new Int32Array(place[1]!);
  for (let at = 0; at < steps.length; at++) {
    const level = steps[at]!;
    if (level > 0) order[place[level + 1]!++] = at;
  }
  return order;
}

/**
 * Of areas within one another, those that give the largest sum of edge length times squared slope.
 *
 * Where two areas join one level below the one that was chosen for the fainter of them, that level was not its own choice:
 * it is left out, to be sought again when the brighter one is out of the way. Where it is so for both, they are like each
 * other and better taken as one, which is parted by its shape.
 */
function steepest(areas: readonly Area[]): Area[] {
  const children: number[][] = areas.map(() => []);
  const value = new Float64Array(areas.length);
  const whole = new Uint8Array(areas.length);
  const steep = new Float64Array(areas.length);
  const late = new Uint8Array(areas.length);
  // Children stand before their parents.
  for (const [at, { slope, edge, parent }] of areas.entries()) {
    if (parent >= 0) children[parent]!.push(at);
    const inner = children[at]!.sort((a, b) => steep[b]! - steep[a]!);
    let sum = inner.reduce((total, child) => total + value[child]!, 0);
    const [first, ...others] = inner;
    if (first !== undefined && others.length > 0) {
      const alike = steep[others[0]!]! > ALIKE * steep[first]!;
      if (whole[first] === 1 && alike) sum *= AS_ONE;
      else if (whole[first] === 0) for (const other of others) late[other] = whole[other]!;
    }
    const own = edge * slope * slope;
    whole[at] = own >= sum ? 1 : 0;
    value[at] = Math.max(own, sum);
    steep[at] = whole[at] === 1 ? slope : steep[first!]!;
  }
  const covered = new Uint8Array(areas.length);
  for (let at = areas.length - 1; at >= 0; at--) {
    const parent = areas[at]!.parent;
    if (parent >= 0 && (covered[parent] === 1 || whole[parent] === 1)) covered[at] = 1;
  }
  return areas.filter((_, at) => whole[at] === 1 && covered[at] === 0 && late[at] === 0);
}

/** The cells of an area, its holes filled, as a mask. */
function cellsOf(steps: Uint8Array, width: number, height: number, { level, seed }: Area): Uint8Array {
  const own = new Uint8Array(width * height);
  const queue = [seed];
  own[seed] = 1;
  const enter = (at: number): void => {
    if (own[at] === 1 || steps[at]! < level) return;
    own[at] = 1;
    queue.push(at);
  };
  for (const at of queue) {
    const x = at % width;
    if (x > 0) enter(at - 1);
    if (x < width - 1) enter(at + 1);
    if (at >= width) enter(at - width);
    if (at < width * (height - 1)) enter(at + width);
  }
  return fillHoles(own, width, height);
}
