/** Places where a front began: valleys of the arrival map that no noise makes. */

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
 * valleys meet, the shallower one ends there (a merge tree). `map`: NaN outside.
 */
export function valleysOf(map: ArrayLike<number>, width: number, height: number, least_s: number): Valley[] {
  const order: number[] = [];
  for (let at = 0; at < map.length; at++) if (Number.isFinite(map[at]!)) order.push(at);
  order.sort((a, b) => map[a]! - map[b]!);
  const parent = new Int32Array(width * height).fill(-1);
  const bottom = new Int32Array(width * height);
  const size = new Int32Array(width * height);
  const rootOf = (at: number): number => {
    let root = at;
    while (parent[root] !== root) root = parent[root]!;
    while (parent[at] !== root) [parent[at], at] = [root, parent[at]!];
    return root;
  };
  const found: { bottom: number; depth_s: number; basin_px: number }[] = [];
  for (const at of order) {
    parent[at] = at;
    bottom[at] = at;
    size[at] = 1;
    for (const other of neighbours(at, width, height)) {
      if (parent[other] === -1) continue;
      const [one, two] = [rootOf(at), rootOf(other)];
      if (one === two) continue;
      const [deeper, shallower] = map[bottom[one]!]! <= map[bottom[two]!]! ? [one, two] : [two, one];
      const depth_s = map[at]! - map[bottom[shallower]!]!;
      if (depth_s >= least_s) found.push({ bottom: bottom[shallower]!, depth_s, basin_px: size[shallower]! });
      parent[shallower] = deeper;
      size[deeper]! += size[shallower]!;
    }
  }
  const roots = new Set(order.map(rootOf));
  for (const root of roots) found.push({ bottom: bottom[root]!, depth_s: Infinity, basin_px: size[root]! });
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
