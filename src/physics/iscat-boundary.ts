/** Where the boundary between two phases runs through a map of lithium, and how far each cell lies from it. */

/**
 * Squared distance of each cell's centre from the nearest line x = `level`, in cells, as far as `reach`; Infinity beyond. The line
 * is straight between the places where it crosses the edges of the triangles that cell centres span; cells without a
 * particle are NaN and bound no line. `into` is as large as the map.
 */
export function boundaryDistance2(
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
  const px = column + x1!;
  const py = row + y1!;
  const ux = x2! - x1!;
  const uy = y2! - y1!;
  const length2 = ux * ux + uy * uy;
  const perLength2 = length2 > 0 ? 1 / length2 : 0;
  const far = Math.ceil(reach) + 1;
  const top = Math.max(0, row - far);
  const bottom = Math.min(height - 1, row + far);
  const left = Math.max(0, column - far);
  const right = Math.min(width - 1, column + far);
  const reach2 = reach * reach;
  for (let y = top; y <= bottom; y++) {
    const dy = y - py;
    for (let x = left; x <= right; x++) {
      const dx = x - px;
      const along = (dx * ux + dy * uy) * perLength2;
      const share = along < 0 ? 0 : along > 1 ? 1 : along;
      const ex = dx - share * ux;
      const ey = dy - share * uy;
      const distance2 = ex * ex + ey * ey;
      const at = y * width + x;
      if (distance2 <= reach2 && distance2 < into[at]!) into[at] = distance2;
    }
  }
}
