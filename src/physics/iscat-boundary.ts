/** Where the boundary between two phases runs through a map of lithium, and how far each cell lies from it. */

/**
 * Distance of each cell's centre from the nearest line x = `level`, in cells, as far as `reach`; Infinity beyond. The line
 * is straight between the places where it crosses the edges of the triangles that cell centres span; cells without a
 * particle are NaN and bound no line. `into` is as large as the map.
 */
export function boundaryDistance(
  x: ArrayLike<number>,
  width: number,
  height: number,
  level: number,
  reach: number,
  into: Float64Array,
): void {
  into.fill(Infinity);
  const crossings = new Float64Array(4);
  for (let row = 0; row + 1 < height; row++) {
    for (let column = 0; column + 1 < width; column++) {
      const at = row * width + column;
      const a = x[at]! - level;
      const b = x[at + 1]! - level;
      const c = x[at + width]! - level;
      const d = x[at + width + 1]! - level;
      if ((a < 0 && b < 0 && c < 0 && d < 0) || (a >= 0 && b >= 0 && c >= 0 && d >= 0)) continue;
      if (triangle(a, 0, 0, b, 1, 0, c, 0, 1, crossings)) mark(into, width, height, column, row, crossings, reach);
      if (triangle(d, 1, 1, b, 1, 0, c, 0, 1, crossings)) mark(into, width, height, column, row, crossings, reach);
    }
  }
}

/** The line through a triangle with values a, b, c at its corners, if it runs through; into x1, y1, x2, y2. */
function triangle(
  a: number,
  ax: number,
  ay: number,
  b: number,
  bx: number,
  by: number,
  c: number,
  cx: number,
  cy: number,
  into: Float64Array,
): boolean {
  let found = 0;
  if (a < 0 !== b < 0 && Number.isFinite(a + b)) found = cross(a, ax, ay, b, bx, by, into, found);
  if (b < 0 !== c < 0 && Number.isFinite(b + c)) found = cross(b, bx, by, c, cx, cy, into, found);
  if (a < 0 !== c < 0 && Number.isFinite(a + c)) found = cross(a, ax, ay, c, cx, cy, into, found);
  return found === 2 && Number.isFinite(a + b + c);
}

function cross(
  a: number,
  ax: number,
  ay: number,
  b: number,
  bx: number,
  by: number,
  into: Float64Array,
  found: number,
): number {
  const share = a / (a - b);
  into[2 * found] = ax + share * (bx - ax);
  into[2 * found + 1] = ay + share * (by - ay);
  return found + 1;
}

function mark(
  into: Float64Array,
  width: number,
  height: number,
  column: number,
  row: number,
  [x1, y1, x2, y2]: Float64Array,
  reach: number,
): void {
  const [px, py] = [column + x1!, row + y1!];
  const [ux, uy] = [x2! - x1!, y2! - y1!];
  const length2 = ux * ux + uy * uy;
  const far = Math.ceil(reach) + 1;
  const bottom = Math.min(height - 1, row + far);
  const right = Math.min(width - 1, column + far);
  for (let y = Math.max(0, row - far); y <= bottom; y++) {
    for (let xx = Math.max(0, column - far); xx <= right; xx++) {
      const share = length2 === 0 ? 0 : Math.min(1, Math.max(0, ((xx - px) * ux + (y - py) * uy) / length2));
      const distance = Math.hypot(xx - px - share * ux, y - py - share * uy);
      if (distance <= reach && distance < into[y * width + xx]!) into[y * width + xx] = distance;
    }
  }
}
