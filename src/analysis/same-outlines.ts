/** Crystals known again by the shape of their outlines. */
import { maskOfPolygon, polygonArea, polygonCentroid } from "../kernels/polygon.js";

/** Corners x, y of a closed outline. */
export type Outline = readonly (readonly [number, number])[];

/** Two outlines of the same crystal, by their places in the lists. */
export interface OutlineMatch {
  readonly first: number;
  readonly second: number;
  /** Shared over joint area, centroids laid on each other. */
  readonly iou: number;
}

/** Outlines less alike than this are of other crystals; and so are those that two others match nearly as well. */
const SAME_IOU = 0.85;
const CLEARLY = 0.05;
/** Cells along a crystal on which outlines are laid on each other. */
const CELLS = 120;

/**
 * Pairs of outlines, in one unit of length, that are of the same crystal: centroids laid on each other, not turned and not scaled, they
 * share 85 % of their joint area, and no other outline of either list matches within 0.05 of that.
 */
export function matchOutlines(first: readonly Outline[], second: readonly Outline[]): OutlineMatch[] {
  const one = first.map(centred);
  const other = second.map(centred);
  const iou = one.map((a) => other.map((b) => sharedArea(a, b)));
  return iou.flatMap((row, at) =>
    row.flatMap((value, to): OutlineMatch[] => {
      if (value < SAME_IOU) return [];
      const rivals = [...row.filter((_, index) => index !== to), ...column(iou, to).filter((_, index) => index !== at)];
      return rivals.some((rival) => value - rival < CLEARLY) ? [] : [{ first: at, second: to, iou: value }];
    }),
  );
}

interface Centred {
  readonly corners: Outline;
  readonly area: number;
  /** Greatest distance from the centroid along x or y. */
  readonly reach: number;
}

function centred(outline: Outline): Centred {
  const [cx, cy] = polygonCentroid(outline);
  const corners = outline.map(([x, y]) => [x - cx, y - cy] as const);
  return { corners, area: polygonArea(outline), reach: Math.max(...corners.flat().map(Math.abs)) };
}

/** Shared over joint area; 0 where the areas alone say that they are too unlike to matter. */
function sharedArea(a: Centred, b: Centred): number {
  const [less, more] = [Math.min(a.area, b.area), Math.max(a.area, b.area)];
  if (!(less > (SAME_IOU - 2 * CLEARLY) * more)) return 0;
  const reach = Math.max(a.reach, b.reach);
  const scale = CELLS / (2.05 * reach);
  const mask = ({ corners }: Centred): Uint8Array =>
    maskOfPolygon(
      corners.map(([x, y]) => [(x + 1.02 * reach) * scale, (y + 1.02 * reach) * scale] as const),
      CELLS,
      CELLS,
    );
  const [one, other] = [mask(a), mask(b)];
  let [shared, joint] = [0, 0];
  for (let at = 0; at < one.length; at++) {
    shared += one[at]! & other[at]!;
    joint += one[at]! | other[at]!;
  }
  return joint === 0 ? 0 : shared / joint;
}

function column(rows: readonly (readonly number[])[], at: number): number[] {
  return rows.map((row) => row[at]!);
}
