/** Closed polygons in an image: corners in px, (0, 0) at the centre of the first pixel, the first point not repeated. */

type Points = readonly (readonly [number, number])[];

/** Area inside, in px^2, whichever way the polygon runs. */
export function polygonArea(points: Points): number {
  return Math.abs(twiceSignedArea(points)) / 2;
}

/** Centre of the area inside; the mean of the corners where there is no area. */
export function polygonCentroid(points: Points): [number, number] {
  const twice = twiceSignedArea(points);
  const [x0, y0] = points[0] ?? [NaN, NaN];
  let x = 0;
  let y = 0;
  if (twice === 0) {
    for (const point of points) {
      x += point[0] / points.length;
      y += point[1] / points.length;
    }
    return points.length === 0 ? [NaN, NaN] : [x, y];
  }
  for (let at = 0, before = points.length - 1; at < points.length; before = at++) {
    const ax = points[before]![0] - x0;
    const ay = points[before]![1] - y0;
    const bx = points[at]![0] - x0;
    const by = points[at]![1] - y0;
    const cross = ax * by - bx * ay;
    x += (ax + bx) * cross;
    y += (ay + by) * cross;
  }
  return [x0 + x / (3 * twice), y0 + y / (3 * twice)];
}

function twiceSignedArea(points: Points): number {
  if (points.length < 3) return 0;
  const [x0, y0] = points[0]!;
  let twice = 0;
  for (let at = 0, before = points.length - 1; at < points.length; before = at++) {
    const [ax, ay] = points[before]!;
    const [bx, by] = points[at]!;
    twice += (ax - x0) * (by - y0) - (bx - x0) * (ay - y0);
  }
  return twice;
}

/** Whether a place lies inside, by the even-odd rule; a point on a left or upper edge is inside, on a right or lower one outside. */
export function containsPoint(points: Points, x: number, y: number): boolean {
  let inside = false;
  for (let at = 0, before = points.length - 1; at < points.length; before = at++) {
    const [ax, ay] = points[before]!;
    const [bx, by] = points[at]!;
    if (ay > y !== by > y && x < ax + ((bx - ax) * (y - ay)) / (by - ay)) inside = !inside;
  }
  return inside;
}

/** Distance in px from a place to the nearest point of the polygon's line, inside and outside alike. */
export function distanceToPolygon(points: Points, x: number, y: number): number {
  let nearest = Infinity;
  for (let at = 0, before = points.length - 1; at < points.length; before = at++) {
    const [ax, ay] = points[before]!;
    const dx = points[at]![0] - ax;
    const dy = points[at]![1] - ay;
    const length2 = dx * dx + dy * dy;
    const along = length2 === 0 ? 0 : Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / length2));
    const away2 = (x - ax - along * dx) ** 2 + (y - ay - along * dy) ** 2;
    if (away2 < nearest) nearest = away2;
  }
  return Math.sqrt(nearest);
}

/** 1 for each pixel whose centre lies inside. */
export function maskOfPolygon(points: Points, width: number, height: number): Uint8Array {
  const mask = new Uint8Array(width * height);
  const [first, last] = rowsOf(points, height);
  for (let y = first; y <= last; y++) {
    const crossings = crossingsAt(points, y);
    for (let pair = 0; pair + 1 < crossings.length; pair += 2) {
      const from = Math.max(0, Math.ceil(crossings[pair]!));
      const to = Math.min(width, Math.ceil(crossings[pair + 1]!));
      if (to > from) mask.fill(1, y * width + from, y * width + to);
    }
  }
  return mask;
}

/** The fraction of each pixel that lies inside: exact along x on each of `subsamples` lines within a pixel's height. */
export function coverageOfPolygon(points: Points, width: number, height: number, subsamples: number): Float32Array {
  const coverage = new Float32Array(width * height);
  const line = new Float64Array(width);
  const [first, last] = rowsOf(points, height);
  for (let y = Math.max(0, first - 1); y <= Math.min(height - 1, last + 1); y++) {
    line.fill(0);
    for (let sub = 0; sub < subsamples; sub++) {
      const crossings = crossingsAt(points, y - 0.5 + (sub + 0.5) / subsamples);
      for (let pair = 0; pair + 1 < crossings.length; pair += 2) {
        const from = Math.max(0, crossings[pair]! + 0.5);
        const to = Math.min(width, crossings[pair + 1]! + 0.5);
        if (to <= from) continue;
        const lastPixel = Math.min(width - 1, Math.floor(to));
        for (let x = Math.floor(from); x <= lastPixel; x++) {
          line[x] = line[x]! + Math.min(to, x + 1) - Math.max(from, x);
        }
      }
    }
    for (let x = 0; x < width; x++) coverage[y * width + x] = line[x]! / subsamples;
  }
  return coverage;
}

/** The part of a polygon within a rectangle, by cutting along each side in turn; empty where it lies outside. */
export function clipPolygon(
  points: Points,
  left: number,
  top: number,
  right: number,
  bottom: number,
): [number, number][] {
  let inside = points.map(([x, y]): [number, number] => [x, y]);
  for (const [axis, limit, sense] of [
    [0, left, 1],
    [0, right, -1],
    [1, top, 1],
    [1, bottom, -1],
  ] as const) {
    const from = inside;
    inside = [];
    for (const [at, point] of from.entries()) {
      const before = from[(at + from.length - 1) % from.length]!;
      const depth = sense * (point[axis] - limit);
      const depthBefore = sense * (before[axis] - limit);
      if (depth > 0 !== depthBefore > 0) {
        const part = depthBefore / (depthBefore - depth);
        const across = before[1 - axis]! + part * (point[1 - axis]! - before[1 - axis]!);
        inside.push(axis === 0 ? [limit, across] : [across, limit]);
      }
      if (depth > 0) inside.push(point);
    }
  }
  return inside;
}

/** Whether two sides of a polygon that are not neighbours meet. */
export function crossesItself(points: Points): boolean {
  const n = points.length;
  // Left and right end of each side.
  const left = Float64Array.from(points, ([x], at) => Math.min(x, points[(at + 1) % n]![0]));
  const right = Float64Array.from(points, ([x], at) => Math.max(x, points[(at + 1) % n]![0]));
  for (let at = 0; at < n; at++) {
    const a = points[at]!;
    const b = points[(at + 1) % n]!;
    const [from, to] = [left[at]!, right[at]!];
    for (let other = at + 2; other < (at === 0 ? n - 1 : n); other++) {
      if (left[other]! > to || right[other]! < from) continue;
      const c = points[other]!;
      const d = points[(other + 1) % n]!;
      if (turn(a, b, c) > 0 !== turn(a, b, d) > 0 && turn(c, d, a) > 0 !== turn(c, d, b) > 0) return true;
    }
  }
  return false;
}

function turn(a: readonly [number, number], b: readonly [number, number], c: readonly [number, number]): number {
  return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
}

/** The polygon with as few of its corners as leave none farther from it than `tolerance` (Douglas and Peucker 1973). */
export function simplifyPolygon(points: Points, tolerance: number): [number, number][] {
  if (points.length < 4) return points.map(([x, y]) => [x, y]);
  // The two ends of a long diagonal stay.
  const first = farthest(points, points[0]!);
  const second = farthest(points, points[first]!);
  const kept = new Uint8Array(points.length);
  kept[first] = 1;
  kept[second] = 1;
  const spans: [number, number][] = [
    [first, second],
    [second, first],
  ];
  for (let span = spans.pop(); span !== undefined; span = spans.pop()) {
    const [from, to] = span;
    let worst = tolerance;
    let corner = -1;
    for (let at = (from + 1) % points.length; at !== to; at = (at + 1) % points.length) {
      const away = distanceToPolygon([points[from]!, points[to]!], points[at]![0], points[at]![1]);
      if (away <= worst) continue;
      worst = away;
      corner = at;
    }
    if (corner === -1) continue;
    kept[corner] = 1;
    spans.push([from, corner], [corner, to]);
  }
  return points.filter((_, at) => kept[at] === 1).map(([x, y]) => [x, y]);
}

function farthest(points: Points, [x, y]: readonly [number, number]): number {
  let best = 0;
  points.forEach(([u, v], at) => {
    if ((u - x) ** 2 + (v - y) ** 2 > (points[best]![0] - x) ** 2 + (points[best]![1] - y) ** 2) best = at;
  });
  return best;
}

/** First and last row of the image that the polygon can touch. */
function rowsOf(points: Points, height: number): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const [, y] of points) {
    if (y < low) low = y;
    if (y > high) high = y;
  }
  return [Math.max(0, Math.ceil(low)), Math.min(height - 1, Math.floor(high))];
}

/** Where the polygon crosses a row, from left to right. */
function crossingsAt(points: Points, y: number): number[] {
  const crossings: number[] = [];
  for (let at = 0, before = points.length - 1; at < points.length; before = at++) {
    const [ax, ay] = points[before]!;
    const [bx, by] = points[at]!;
    if (ay > y !== by > y) crossings.push(ax + ((bx - ax) * (y - ay)) / (by - ay));
  }
  return crossings.sort((a, b) => a - b);
}
