/** Areas parted by crests: a map flooded from its hollows, and areas joined where the crest between them is low. */

/** The areas of a map, and the crests between them. */
export interface Watersheds {
  /** Number of each pixel's area from 1; 0 outside. */
  readonly labels: Int32Array;
  readonly count: number;
  /** Lowest crest between two areas that are left; Infinity where one is left. */
  readonly lowest: number;
  /** The highest crest that was taken away; -Infinity where none was. */
  readonly taken: number;
}

/** Two areas side by side. */
interface Border {
  alive: boolean;
  a: number;
  b: number;
  heights: number[];
  crest: number;
}

/**
 * Floods a map from its hollows (Meyer 1994), then joins areas. First those smaller than `least_px`, each over its lowest
 * border; then, border after border from the lowest, those whose crest is below `least`. The height of a crest is the mean
 * of the lower half of its pixels' heights: a crest must hold along its whole way, and a single peak does not make one.
 * `map`: NaN outside.
 */
export function watersheds(
  map: ArrayLike<number>,
  width: number,
  height: number,
  { least, least_px }: { readonly least: number; readonly least_px: number },
): Watersheds {
  const { labels, count } = flood(map, width, height);
  const area_px = new Int32Array(count + 1);
  for (const label of labels) if (label > 0) area_px[label]!++;
  const { borders, ofArea } = bordersOf(map, labels, width, height, count);
  const parent = Int32Array.from({ length: count + 1 }, (_, at) => at);
  const alive = new Set<number>();
  for (let label = 1; label <= count; label++) alive.add(label);

  const join = (border: Border): void => {
    const { a, b } = border;
    border.alive = false;
    parent[b] = a;
    area_px[a]! += area_px[b]!;
    alive.delete(b);
    const mine = ofArea[a]!;
    mine.delete(b);
    for (const [other, its] of ofArea[b]!) {
      if (other === a) continue;
      ofArea[other]!.delete(b);
      const known = mine.get(other);
      if (known !== undefined) {
        for (const one of its.heights) known.heights.push(one);
        known.crest = crestOf(known.heights);
        its.alive = false;
        continue;
      }
      its.a = Math.min(a, other);
      its.b = Math.max(a, other);
      mine.set(other, its);
      ofArea[other]!.set(a, its);
    }
    ofArea[b]!.clear();
  };
  const lowestOf = (all: Iterable<Border>): Border | null => {
    let lowest: Border | null = null;
    for (const border of all) if (border.alive && (lowest === null || border.crest < lowest.crest)) lowest = border;
    return lowest;
  };

  const small = [...alive].filter((label) => area_px[label]! < least_px);
  for (;;) {
    let smallest = -1;
    for (const label of small) {
      if (!alive.has(label) || area_px[label]! >= least_px || ofArea[label]!.size === 0) continue;
      if (smallest < 0 || area_px[label]! < area_px[smallest]!) smallest = label;
    }
    if (smallest < 0) break;
    join(lowestOf(ofArea[smallest]!.values())!);
  }
  let taken = -Infinity;
  let open = borders.filter((border) => border.alive);
  let next = lowestOf(open);
  while (next !== null && next.crest < least) {
    taken = Math.max(taken, next.crest);
    join(next);
    open = open.filter((border) => border.alive);
    next = lowestOf(open);
  }
  const number = new Int32Array(count + 1);
  [...alive].sort((a, b) => a - b).forEach((label, at) => (number[label] = at + 1));
  const rootOf = (label: number): number => {
    let root = label;
    while (parent[root] !== root) root = parent[root]!;
    return root;
  };
  const roots = Int32Array.from(parent, (_, label) => number[rootOf(label)]!);
  return {
    labels: labels.map((label) => (label > 0 ? roots[label]! : 0)),
    count: alive.size,
    lowest: next?.crest ?? Infinity,
    taken,
  };
}

/** Mean of the lower half. */
export function crestOf(heights: readonly number[]): number {
  const sorted = Float64Array.from(heights).sort();
  const half = Math.ceil(sorted.length / 2);
  let sum = 0;
  for (let at = 0; at < half; at++) sum += sorted[at]!;
  return sum / half;
}

/** Every pixel goes to the area of its lowest neighbour that was flooded before it. */
function flood(map: ArrayLike<number>, width: number, height: number): { labels: Int32Array; count: number } {
  const order = inOrder(map);
  const labels = new Int32Array(width * height);
  let count = 0;
  for (const at of order) {
    const x = at % width;
    const y = (at - x) / width;
    let lowest = -1;
    for (let ny = Math.max(0, y - 1); ny <= Math.min(height - 1, y + 1); ny++) {
      for (let nx = Math.max(0, x - 1); nx <= Math.min(width - 1, x + 1); nx++) {
        const other = ny * width + nx;
        if (labels[other]! > 0 && (lowest < 0 || map[other]! < map[lowest]!)) lowest = other;
      }
    }
    labels[at] = lowest < 0 ? ++count : labels[lowest]!;
  }
  return { labels, count };
}

/** Heights are told apart by so many steps from the lowest to the highest. */
const LEVELS = 65536;

/** Known pixels from the lowest to the highest, those of one level in the order of rows. */
function inOrder(map: ArrayLike<number>): Int32Array {
  let [low, high] = [Infinity, -Infinity];
  for (let at = 0; at < map.length; at++) {
    const value = map[at]!;
    if (!Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const scale = high > low ? (LEVELS - 1) / (high - low) : 0;
  const first = new Int32Array(LEVELS + 1);
  const level = new Int32Array(map.length).fill(-1);
  let known = 0;
  for (let at = 0; at < map.length; at++) {
    if (!Number.isFinite(map[at]!)) continue;
    level[at] = Math.floor((map[at]! - low) * scale);
    first[level[at]! + 1]!++;
    known++;
  }
  for (let one = 0; one < LEVELS; one++) first[one + 1]! += first[one]!;
  const order = new Int32Array(known);
  for (let at = 0; at < map.length; at++) if (level[at]! >= 0) order[first[level[at]!]!++] = at;
  return order;
}

function bordersOf(
  map: ArrayLike<number>,
  labels: Int32Array,
  width: number,
  height: number,
  count: number,
): { borders: Border[]; ofArea: Map<number, Border>[] } {
  const borders: Border[] = [];
  const ofArea = Array.from({ length: count + 1 }, () => new Map<number, Border>());
  const meet = (p: number, q: number): void => {
    const [a, b] = [Math.min(labels[p]!, labels[q]!), Math.max(labels[p]!, labels[q]!)];
    if (a === 0 || a === b) return;
    let border = ofArea[a]!.get(b);
    if (border === undefined) {
      border = { alive: true, a, b, heights: [], crest: 0 };
      borders.push(border);
      ofArea[a]!.set(b, border);
      ofArea[b]!.set(a, border);
    }
    border.heights.push(Math.max(map[p]!, map[q]!));
  };
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = y * width + x;
      if (x + 1 < width) meet(at, at + 1);
      if (y + 1 < height) meet(at, at + width);
    }
  }
  for (const border of borders) border.crest = crestOf(border.heights);
  return { borders, ofArea };
}
