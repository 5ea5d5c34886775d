/** Where fronts came from and whether two of them met. */
import type { OrderingCells } from "./ordering-cells.js";
import { placeOf, type OrderingNucleus } from "./ordering-nuclei.js";

/** Two fronts have met where they touch along so many half widths of a boundary. */
const LEAST_CONTACT = 2;

/**
 * Which nucleus each cell was reached from, numbered from 1, 0 where no front passed: that of its earliest neighbour,
 * or where it has none (in a nucleus) the nearest.
 */
export function originsOf(
  cells: OrderingCells,
  arrival_s: Float64Array,
  nuclei: readonly OrderingNucleus[],
): Int32Array {
  const { beside, count } = cells;
  const origin = new Int32Array(count);
  const fired = nuclei.flatMap(({ at_um, fired_s }, at) => (fired_s === null ? [] : [{ at_um, number: at + 1 }]));
  if (fired.length === 0) return origin;
  const away = new Float64Array(count);
  const nearest = new Int32Array(count);
  for (let cell = 0; cell < count; cell++) {
    const [x, y] = placeOf(cells, cell);
    away[cell] = Infinity;
    for (const { at_um, number } of fired) {
      const distance = Math.hypot(x - at_um[0], y - at_um[1]);
      if (distance >= away[cell]!) continue;
      away[cell] = distance;
      nearest[cell] = number;
    }
  }
  // All cells of a nucleus turn at one moment: from its middle outwards.
  const order = Array.from({ length: count }, (_, cell) => cell)
    .filter((cell) => !Number.isNaN(arrival_s[cell]!))
    .sort((one, other) => arrival_s[one]! - arrival_s[other]! || away[one]! - away[other]!);
  for (const cell of order) {
    let earliest = Infinity;
    origin[cell] = nearest[cell]!;
    for (let side = 0; side < 4; side++) {
      const other = beside[4 * cell + side]!;
      if (other === cell || origin[other] === 0 || arrival_s[other]! >= earliest) continue;
      const together = !(arrival_s[other]! < arrival_s[cell]!);
      if (together && nearest[other] !== nearest[cell]) continue;
      earliest = arrival_s[other]!;
      origin[cell] = origin[other]!;
    }
  }
  return origin;
}

/** Whether two fronts met and left no wall: both disorder, or both grew the same variant. */
export function frontsCollided(
  { beside, count, grid }: OrderingCells,
  origin: Int32Array,
  nuclei: readonly OrderingNucleus[],
  delta_um: number,
): boolean {
  let contacts = 0;
  for (let cell = 0; cell < count; cell++) {
    for (const side of [1, 3]) {
      const [one, other] = [origin[cell]!, origin[beside[4 * cell + side]!]!];
      if (one === 0 || other === 0 || one === other) continue;
      if (nuclei[one - 1]!.variant === nuclei[other - 1]!.variant) contacts++;
    }
  }
  return contacts * grid.h_um >= LEAST_CONTACT * delta_um;
}
