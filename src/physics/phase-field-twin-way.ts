/** The way that a front took over a particle's cells, judged by rule on the exact arrivals: core, wave or hybrid. */
import { distanceTransform } from "../kernels/distance.js";
import { median } from "../kernels/stats.js";
import type { Place } from "./outline.js";
import type { ParticleRaster } from "./phase-field-twin-film.js";

/** The way of a front, and where it began (um in the image). */
export interface FrontWay {
  readonly kind: "core" | "wave" | "hybrid";
  readonly nuclei_um: readonly Place[];
  /** Share of the rim that is transformed when half and when 80 % of the area is. */
  readonly rim50: number;
  readonly rim80: number;
  /** Depth of the last 5 % of the area, in inradii. */
  readonly depth: number;
}

/** A place counts as a nucleus where arrivals rise by this share of the whole time before another is met, */
const RISE = 0.06;
/** and it fills this share of the area till then. */
const BASIN = 0.02;
const CORE_RIM = 0.9;
const CORE_DEPTH = 0.5;

/**
 * Judges a front. core: 90 % of the rim is transformed when 80 % of the area is, and the last 5 % lie deeper than half the
 * inradius. Of the others a wave has one nucleus, a hybrid several.
 */
export function frontWay(raster: ParticleRaster, arrival_s: Float32Array): FrontWay {
  const { mask, width, height, h_um, origin_um } = raster;
  const depth = distanceTransform(mask, width, height);
  const cells = [...mask.keys()].filter((at) => mask[at] === 1);
  const time = (at: number): number => (Number.isNaN(arrival_s[at]!) ? Infinity : arrival_s[at]!);
  const sorted = Float64Array.from(cells, time).sort();
  const turned = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))]!;
  const at80_s = turned(0.8);
  const last_s = turned(0.95);
  const rim = cells.filter((at) => depth[at]! <= 1.5);
  const passed = (until_s: number): number => rim.filter((at) => time(at) <= until_s).length / rim.length;
  const inradius = cells.reduce((most, at) => Math.max(most, depth[at]!), 0);
  const lastDepth = median(cells.filter((at) => time(at) >= last_s).map((at) => depth[at]!)) / inradius;
  const finite = sorted.filter(Number.isFinite);
  const whole_s = finite[Math.floor(0.95 * (finite.length - 1))]! - finite[Math.floor(0.05 * (finite.length - 1))]!;
  const nuclei = nucleiOf(cells, time, width, RISE * whole_s, BASIN * cells.length);
  const core = passed(at80_s) >= CORE_RIM && lastDepth > CORE_DEPTH;
  return {
    kind: core ? "core" : nuclei.length > 1 ? "hybrid" : "wave",
    nuclei_um: nuclei.map((at): Place => [
      origin_um[0] + (at % width) * h_um,
      origin_um[1] + Math.floor(at / width) * h_um,
    ]),
    rim50: passed(turned(0.5)),
    rim80: passed(at80_s),
    depth: lastDepth,
  };
}

/** First cells of the valleys of arrivals, by a merge tree: cells join in the order of their time. */
function nucleiOf(
  cells: readonly number[],
  time: (at: number) => number,
  width: number,
  least_s: number,
  leastCells: number,
): number[] {
  const parent = new Map<number, number>();
  const size = new Map<number, number>();
  const rootOf = (at: number): number => {
    let root = at;
    while (parent.get(root) !== root) root = parent.get(root)!;
    return root;
  };
  const nuclei: number[] = [];
  for (const at of cells.filter((cell) => time(cell) < Infinity).sort((a, b) => time(a) - time(b))) {
    parent.set(at, at);
    size.set(at, 1);
    for (const other of [
      at - 1,
      at + 1,
      at - width,
      at + width,
      at - width - 1,
      at - width + 1,
      at + width - 1,
      at + width + 1,
    ]) {
      if (!parent.has(other)) continue;
      const [one, two] = [rootOf(at), rootOf(other)];
      if (one === two) continue;
      // The root of a valley is its first cell.
      const [deeper, shallower] = time(one) <= time(two) ? [one, two] : [two, one];
      if (time(at) - time(shallower) >= least_s && size.get(shallower)! >= leastCells) nuclei.push(shallower);
      parent.set(shallower, deeper);
      size.set(deeper, size.get(deeper)! + size.get(shallower)!);
    }
  }
  const roots = new Set([...parent.keys()].map(rootOf));
  return [...roots, ...nuclei];
}
