/** Places where a front began: valleys of the arrival map that no noise makes. */
import { orderOf } from "../kernels/order.js";

/** A valley: its deepest value and the pixels first reached in it. */
export interface Valley {
  readonly lowest_s: number;
  /** By how much the map rises from its bottom to the pass into a deeper valley; Infinity for the deepest. */
  readonly depth_s: number;
  /** Pixels that drained into it before it met a deeper one; all of them for the deepest. */
  readonly basin_px: number;
  /** Connected pixels about its bottom, not later than the bottom by more than the given rise. */
  readonly pixels: readonly number[];
}

/**
 * The valleys of a map deeper than `least_s`, the deepest first. Pixels are taken up in order of their time; where two
 * valleys meet, the shallower one ends there (a merge tree). `map`: NaN outside; `order`: its pixels in the order of their time, where that is at hand.
 */
export function valleysOf(
  map: Float32Array,
  width: number,
  height: number,
  least_s: number,
  order: Int32Array = orderOf(map),
): Valley[] {
  const size = width * height;
  const parent = new Int32Array(size).fill(-1);
  const bottom = new Int32Array(size);
  const area = new Int32Array(size);
  const rootOf = (at: number): number => {
    let root = at;
    while (parent[root] !== root) root = parent[root]!;
    for (let one = at; one !== root;) {
      const next = parent[one]!;
      parent[one] = root;
      one = next;
    }
    return root;
  };
  const found: { bottom: number; depth_s: number; basin_px: number }[] = [];
  for (let k = 0; k < order.length; k++) {
    const at = order[k]!;
    parent[at] = at;
    bottom[at] = at;
    area[at] = 1;
    let own = at;
    const x = at % width;
    const y = (at - x) / width;
    for (let ny = Math.max(0, y - 1); ny <= Math.min(height - 1, y + 1); ny++) {
      for (let nx = Math.max(0, x - 1); nx <= Math.min(width - 1, x + 1); nx++) {
        const other = ny * width + nx;
        if (other === at || parent[other] === -1) continue;
        const theirs = rootOf(other);
        if (own === theirs) continue;
        const isOwn = map[bottom[own]!]! <= map[bottom[theirs]!]!;
        const shallower = isOwn ? theirs : own;
        const deeper = isOwn ? own : theirs;
        const depth_s = map[at]! - map[bottom[shallower]!]!;
        if (depth_s >= least_s) found.push({ bottom: bottom[shallower]!, depth_s, basin_px: area[shallower]! });
        parent[shallower] = deeper;
        area[deeper] = area[deeper]! + area[shallower]!;
        own = deeper;
      }
    }
  }
  const roots = new Set<number>();
  for (let k = 0; k < order.length; k++) if (parent[order[k]!] === order[k]!) roots.add(order[k]!);
  for (const root of roots) found.push({ bottom: bottom[root]!, depth_s: Infinity, basin_px: area[root]! });
  return found
    .sort((a, b) => map[a.bottom]! - map[b.bottom]!)
    .map((valley) => ({
      lowest_s: map[valley.bottom]!,
      depth_s: valley.depth_s,
      basin_px: valley.basin_px,
      pixels: reached(map, width, height, valley.bottom, map[valley.bottom]! + 0.5 * least_s),
    }));
}

/** Pixels joined to the bottom that are not later than a moment. */
function reached(map: ArrayLike<number>, width: number, height: number, bottom: number, until_s: number): number[] {
  const seen = new Set([bottom]);
  const pixels = [bottom];
  for (let k = 0; k < pixels.length; k++) {
    for (const other of neighbours(pixels[k]!, width, height)) {
      if (seen.has(other) || !(map[other]! <= until_s)) continue;
      seen.add(other);
      pixels.push(other);
    }
  }
  return pixels;
}

/** The eight pixels around. */
function neighbours(at: number, width: number, height: number): number[] {
  const x = at % width;
  const y = Math.floor(at / width);
  const found: number[] = [];
  for (let ny = Math.max(0, y - 1); ny <= Math.min(height - 1, y + 1); ny++) {
    for (let nx = Math.max(0, x - 1); nx <= Math.min(width - 1, x + 1); nx++) {
      if (nx !== x || ny !== y) found.push(ny * width + nx);
    }
  }
  return found;
}
