/** Three-fold order of walls, and their direction against the outline's straight edges. */
import { polygonArea, simplifyPolygon } from "../kernels/polygon.js";
import type { Random } from "../kernels/random.js";
import { ridges, type Ridges } from "../kernels/ridges.js";
import type { DomainWall } from "../model/domains.js";
import type { Estimate } from "../model/experiment.js";

/** Directions drawn to tell chance. */
const DRAWS = 4000;
/** Images without walls that its mean square in them is taken from. */
const IMAGES = 30;
/** An outline is drawn with corners that stray from it no farther than this part of the root of its area. */
const CORNERS = 0.03;
/** Chance below which edges have a direction in common. */
const EDGES_P = 0.05;

/** Mean of exp(6 i theta), which is the same for directions 60 degrees apart, weighted. */
interface SixFold {
  readonly re: number;
  readonly im: number;
  readonly share: number;
}

function sixFold(angles_rad: ArrayLike<number>, weights: ArrayLike<number>): SixFold {
  let [re, im, sum] = [0, 0, 0];
  for (let at = 0; at < angles_rad.length; at++) {
    re += weights[at]! * Math.cos(6 * angles_rad[at]!);
    im += weights[at]! * Math.sin(6 * angles_rad[at]!);
    sum += weights[at]!;
  }
  return { re: re / sum, im: im / sum, share: sum > 0 ? Math.hypot(re, im) / sum : NaN };
}

/**
 * Three-fold order of the ridges on the marked pixels, each counted by its strength squared, and its chance: in images without
 * walls, where the square of this score falls off as exp(-R^2 / <R^2>), and of as many walls in directions of their own.
 */
export function threefoldOrder(
  found: Ridges,
  marked: Uint8Array,
  walls: readonly DomainWall[],
  size: { readonly width: number; readonly height: number; readonly scale_px: number },
  surrogates: readonly Float32Array[],
  from: Random,
): { readonly value: number | null; readonly p: number | null } {
  const value = ridgeOrder(found, marked);
  if (!Number.isFinite(value)) return { value: null, p: null };
  const squares = surrogates
    .slice(0, IMAGES)
    .map((image) => ridgeOrder(ridges(image, size.width, size.height, size.scale_px), marked));
  const known = squares.filter(Number.isFinite);
  if (known.length < 10) return { value, p: null };
  const square = known.reduce((sum, one) => sum + one * one, 0) / known.length;
  const inNoise = Math.exp(-(value * value) / square);
  if (walls.length === 0) return { value, p: inNoise };
  return { value, p: Math.max(inNoise, chanceOfDirections(walls, from)) };
}

function ridgeOrder({ strength, angle_rad }: Ridges, marked: Uint8Array): number {
  const weights = strength.map((value, at) => (marked[at] === 1 && value > 0 ? value * value : 0));
  return sixFold(angle_rad, weights).share;
}

/** Chance that as many walls in independent directions are as well in three-fold order as these. */
function chanceOfDirections(walls: readonly DomainWall[], from: Random): number {
  const directed = walls.filter(({ angle_deg }) => angle_deg !== null);
  if (directed.length < 2) return 1;
  const weights = directed.map(({ length_um }) => length_um);
  const own = sixFold(
    directed.map(({ angle_deg }) => (angle_deg!.value * Math.PI) / 180),
    weights,
  ).share;
  let as = 0;
  const drawn = new Float64Array(directed.length);
  for (let draw = 0; draw < DRAWS; draw++) {
    for (let at = 0; at < drawn.length; at++) drawn[at] = 2 * Math.PI * from.uniform();
    if (sixFold(drawn, weights).share >= own) as++;
  }
  return (as + 1) / (DRAWS + 1);
}

/** Direction of walls modulo 60 degrees, weighted by their lengths; its error from those of the angles and their spread. */
export function wallAxis(walls: readonly DomainWall[]): Estimate | null {
  const directed = walls.filter(({ angle_deg }) => angle_deg !== null);
  if (directed.length === 0) return null;
  const weights = directed.map(({ length_um }) => length_um);
  const { re, im } = sixFold(
    directed.map(({ angle_deg }) => (angle_deg!.value * Math.PI) / 180),
    weights,
  );
  const value = (Math.atan2(im, re) * 180) / Math.PI / 6;
  const sum = weights.reduce((all, one) => all + one, 0);
  let own = 0;
  let spread = 0;
  for (const [at, { angle_deg }] of directed.entries()) {
    const share = (weights[at]! / sum) ** 2;
    own += share * angle_deg!.sd! ** 2;
    spread += share * modulo60(angle_deg!.value - value) ** 2;
  }
  const n = directed.length;
  return { value, sd: Math.sqrt(Math.max(own, n > 1 ? (spread * n) / (n - 1) : 0)), n };
}

/** The straight edges' common direction, if they share one, and the walls' against it; null where they share none. */
export function againstFacets(
  outline_px: readonly (readonly [number, number])[],
  axis: Estimate | null,
): { readonly axis_deg: Estimate; readonly walls_deg: Estimate | null } | null {
  const corners = simplifyPolygon(outline_px, CORNERS * Math.sqrt(Math.abs(polygonArea(outline_px))));
  const edges = corners.map(([x, y], at) => {
    const [nx, ny] = corners[(at + 1) % corners.length]!;
    return { angle_rad: Math.atan2(ny - y, nx - x), length: Math.hypot(nx - x, ny - y) };
  });
  const weights = edges.map(({ length }) => length);
  const angles = edges.map(({ angle_rad }) => angle_rad);
  const { re, im, share } = sixFold(angles, weights);
  const sum = weights.reduce((all, one) => all + one, 0);
  const n = (sum * sum) / weights.reduce((all, one) => all + one * one, 0);
  // Rayleigh's test.
  if (!(n >= 3) || Math.exp(-n * share * share) > EDGES_P) return null;
  const value = (Math.atan2(im, re) * 180) / Math.PI / 6;
  const spread = edges.reduce(
    (all, { angle_rad, length }) => all + length * modulo60((angle_rad * 180) / Math.PI - value) ** 2,
    0,
  );
  const axis_deg = { value, sd: Math.sqrt(spread / sum / Math.max(1, n - 1)), n };
  const walls_deg =
    axis === null
      ? null
      : { value: modulo60(axis.value - value), sd: Math.hypot(axis.sd ?? 0, axis_deg.sd), n: axis.n };
  return { axis_deg, walls_deg };
}

/** -30 to 30. */
export function modulo60(angle_deg: number): number {
  return angle_deg - 60 * Math.round(angle_deg / 60);
}
