/** Between areas of pixels and the polygons along their edges. */
import { maskOfPolygon } from "./polygon.js";

/** An area of one value, pixels joined by sides or corners. */
export interface ValueArea {
  readonly value: number;
  /** Its outer edge along the sides of pixels; corners only, (0, 0) at the centre of the first pixel; holes are not given. */
  readonly outline: [number, number][];
  readonly area_px: number;
}

/**
 * Areas of equal value in an image, those of value 0 left out, in the order of their first pixels; stops after `most` + 1.
 * Values are compared, so any number may be one.
 */
export function valueAreas(values: ArrayLike<number>, width: number, height: number, most: number): ValueArea[] {
  const seen = new Uint8Array(width * height);
  const queue = new Int32Array(width * height);
  const areas: ValueArea[] = [];
  for (let start = 0; start < seen.length && areas.length <= most; start++) {
    if (seen[start] === 1 || values[start] === 0) continue;
    const value = values[start]!;
    const area_px = visit(values, seen, queue, width, height, start);
    areas.push({ value, outline: outerEdge(values, width, height, start), area_px });
  }
  return areas;
}

/** Marks the area of a pixel as seen and counts it. */
function visit(
  values: ArrayLike<number>,
  seen: Uint8Array,
  queue: Int32Array,
  width: number,
  height: number,
  start: number,
): number {
  const value = values[start]!;
  let tail = 1;
  queue[0] = start;
  seen[start] = 1;
  for (let head = 0; head < tail; head++) {
    const at = queue[head]!;
    const x = at % width;
    const y = (at - x) / width;
    for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v++) {
      for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++) {
        const next = v * width + u;
        if (seen[next] === 1 || values[next] !== value) continue;
        seen[next] = 1;
        queue[tail++] = next;
      }
    }
  }
  return tail;
}

/** Right, down, left, up; and for each the pixels ahead on its left and on its right, from the corner reached. */
const steps = [
  { dx: 1, dy: 0, left: [0, -1], right: [0, 0] },
  { dx: 0, dy: 1, left: [0, 0], right: [-1, 0] },
  { dx: -1, dy: 0, left: [-1, 0], right: [-1, -1] },
  { dx: 0, dy: -1, left: [-1, -1], right: [0, -1] },
] as const;

/** From the top-left corner of an area's first pixel round it, the area on the right hand. */
function outerEdge(values: ArrayLike<number>, width: number, height: number, start: number): [number, number][] {
  const value = values[start]!;
  const inside = (x: number, y: number): boolean =>
    x >= 0 && y >= 0 && x < width && y < height && values[y * width + x] === value;
  // Corner (x, y) is the top-left one of pixel (x, y).
  const x0 = start % width;
  const y0 = (start - x0) / width;
  const outline: [number, number][] = [];
  let [x, y, way] = [x0, y0, 0];
  do {
    outline.push([x - 0.5, y - 0.5]);
    let turn: number;
    do {
      const { dx, dy } = steps[way]!;
      x += dx;
      y += dy;
      const { left, right } = steps[way]!;
      // Pixels that meet at a corner are one area, so the way to the left comes first.
      turn = inside(x + left[0], y + left[1]) ? 3 : inside(x + right[0], y + right[1]) ? 0 : 1;
    } while (turn === 0);
    way = (way + turn) % 4;
  } while (!(x === x0 && y === y0 && way === 0));
  return outline;
}

/**
 * The image in which each polygon's pixels, by their centres, have its number from 1; where polygons overlap the earlier
 * one keeps the pixel. `taken` counts such pixels, `empty` lists the polygons without one of their own.
 */
export function polygonLabels(
  polygons: readonly (readonly (readonly [number, number])[])[],
  width: number,
  height: number,
): { readonly labels: Int32Array; readonly taken: number; readonly empty: readonly number[] } {
  const labels = new Int32Array(width * height);
  const empty: number[] = [];
  let taken = 0;
  for (const [index, polygon] of polygons.entries()) {
    let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
    for (const [x, y] of polygon) {
      left = Math.min(left, x);
      top = Math.min(top, y);
      right = Math.max(right, x);
      bottom = Math.max(bottom, y);
    }
    const x0 = Math.max(0, Math.floor(left));
    const y0 = Math.max(0, Math.floor(top));
    const columns = Math.min(width - 1, Math.ceil(right)) - x0 + 1;
    const rows = Math.min(height - 1, Math.ceil(bottom)) - y0 + 1;
    let own = 0;
    if (columns > 0 && rows > 0) {
      const mask = maskOfPolygon(
        polygon.map(([x, y]): [number, number] => [x - x0, y - y0]),
        columns,
        rows,
      );
      for (let at = 0; at < mask.length; at++) {
        if (mask[at] === 0) continue;
        const pixel = (y0 + Math.floor(at / columns)) * width + x0 + (at % columns);
        if (labels[pixel] !== 0) taken++;
        else {
          labels[pixel] = index + 1;
          own++;
        }
      }
    }
    if (own === 0) empty.push(index);
  }
  return { labels, taken, empty };
}
