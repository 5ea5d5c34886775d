/** Outlines as rings of points: smoothed along themselves, freed of the blur's shift, moved. */
import { isoContours } from "../kernels/contour.js";
import { crossesItself, distanceToPolygon, maskOfPolygon } from "../kernels/polygon.js";

/** A closed polygon in px. */
export type Outline = [number, number][];

/** Distance between the points of a ring that is smoothed, in cells. */
const SPACING = 0.7;

/**
 * The ring smoothed along itself by 2 G - G*G, G a Gaussian, which leaves circles as large as they are, and freed of what
 * `blur` did to it: a shift inwards by blur^2 times half the curvature, which is what G does, but for the scale.
 */
export function smoothRing(ring: Outline, sigma: number, blur: number): Outline {
  const even = evenly(ring);
  const once = blurRing(even, sigma / SPACING);
  const twice = blurRing(once, sigma / SPACING);
  const back = 1 + (blur / sigma) ** 2;
  return once.map(([x, y], at) => [x + back * (x - twice[at]![0]), y + back * (y - twice[at]![1])]);
}

function evenly(ring: Outline): Outline {
  const lengths = ring.map(([x, y], at) => {
    const [u, v] = ring[(at + 1) % ring.length]!;
    return Math.hypot(u - x, v - y);
  });
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const n = Math.max(12, Math.round(total / SPACING));
  let corner = 0;
  let passed = 0;
  return Array.from({ length: n }, (_, at) => {
    const place = (at * total) / n;
    while (corner < ring.length - 1 && passed + lengths[corner]! < place) passed += lengths[corner++]!;
    const [x, y] = ring[corner]!;
    const [u, v] = ring[(corner + 1) % ring.length]!;
    const part = lengths[corner]! > 0 ? Math.min(1, (place - passed) / lengths[corner]!) : 0;
    return [x + part * (u - x), y + part * (v - y)];
  });
}

function blurRing(ring: Outline, sigma: number): Outline {
  const reach = Math.min(Math.ceil(4 * sigma), Math.floor((ring.length - 1) / 2));
  const weights = Float64Array.from({ length: 2 * reach + 1 }, (_, at) => Math.exp(-0.5 * ((at - reach) / sigma) ** 2));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const n = ring.length;
  return ring.map((_, at) => {
    let x = 0;
    let y = 0;
    for (let k = 0, of = (at - reach + n) % n; k < weights.length; k++, of = of + 1 === n ? 0 : of + 1) {
      const weight = weights[k]! / total;
      x += weight * ring[of]![0];
      y += weight * ring[of]![1];
    }
    return [x, y];
  });
}

/**
 * The ring with its points moved along its outward normal by a distance, those that would not stay open excepted. Where it is
 * bent inwards more tightly than that, and the moved ring would cross itself, the line at that distance from it is drawn anew.
 */
export function movedOutwards(
  ring: Outline,
  distance: number,
  isOpen: (place: readonly [number, number]) => boolean,
): Outline {
  if (distance === 0) return ring;
  let twiceArea = 0;
  for (const [at, [x, y]] of ring.entries()) {
    const [u, v] = ring[(at + 1) % ring.length]!;
    twiceArea += x * v - u * y;
  }
  const way = Math.sign(twiceArea) * distance;
  const moved = ring.map(([x, y], at): [number, number] => {
    const [px, py] = ring[(at + ring.length - 1) % ring.length]!;
    const [nx, ny] = ring[(at + 1) % ring.length]!;
    const length = Math.hypot(nx - px, ny - py);
    if (length === 0) return [x, y];
    const to: [number, number] = [x + (way * (ny - py)) / length, y - (way * (nx - px)) / length];
    return isOpen(to) ? to : [x, y];
  });
  return crossesItself(moved) ? lineAround(ring, distance, isOpen) : moved;
}

/** The longest line at a distance outside a ring, from the distances of the cells near it. */
function lineAround(ring: Outline, distance: number, isOpen: (place: readonly [number, number]) => boolean): Outline {
  const margin = Math.ceil(distance) + 2;
  const left = Math.floor(Math.min(...ring.map(([x]) => x))) - margin;
  const top = Math.floor(Math.min(...ring.map(([, y]) => y))) - margin;
  const width = Math.ceil(Math.max(...ring.map(([x]) => x))) + margin - left + 1;
  const height = Math.ceil(Math.max(...ring.map(([, y]) => y))) + margin - top + 1;
  const own = ring.map(([x, y]): [number, number] => [x - left, y - top]);
  const inside = maskOfPolygon(own, width, height);
  const far = distance + 2;
  const away = new Float64Array(width * height).fill(far);
  for (const [at, from] of own.entries()) {
    const side = [from, own[(at + 1) % own.length]!];
    const [x0, x1] = reachOf(side[0]![0], side[1]![0], far, width);
    const [y0, y1] = reachOf(side[0]![1], side[1]![1], far, height);
    for (let y = y0; y <= y1; y++) {
      for (let x = x0; x <= x1; x++) {
        away[y * width + x] = Math.min(away[y * width + x]!, distanceToPolygon(side, x, y));
      }
    }
  }
  const depth = away.map((cells, at) => {
    if (inside[at] === 1) return distance;
    return isOpen([left + (at % width), top + Math.floor(at / width)]) ? -cells : -far;
  });
  const [first, ...others] = isoContours(depth, width, height, -distance);
  const longest = others.reduce((long, one) => (one.length > long.length ? one : long), first ?? []);
  return longest.length < 3 ? ring : longest.map(([x, y]) => [left + x, top + y]);
}

/** First and last cell that a side may be near to, along one axis. */
function reachOf(a: number, b: number, far: number, size: number): [number, number] {
  return [Math.max(0, Math.ceil(Math.min(a, b) - far)), Math.min(size - 1, Math.floor(Math.max(a, b) + far))];
}
