/** What a boundary looks like as it passes a pixel: a step and a bright line, seen through the light's spread. */

/**
 * What a boundary of width 1 looks like as it passes at 0: an error function from 0 to 1, and a Gaussian line
 * of height `line` and standard deviation `lineWidth`. The line is even and the step odd about the passing.
 */
export interface Shape {
  readonly line: number;
  readonly lineWidth: number;
  /** Slope behind the boundary less that before it, as a share of the step per second: each phase brightens by itself. */
  readonly kink_per_s: number;
}

/** Steps in which a passing's skew is told apart, and the most that is believed. */
export const SKEW_STEP = 0.01;
const MOST_SKEW = 0.15;
/** The same for the narrowing of the light. */
export const NARROWING_STEP = 0.05;
const MOST_NARROWING = 0.55;

/** Half the range of the table below, and entries a unit. */
const TABLE_REACH = 12;
const TABLE_DENSITY = 64;

/** How a passing differs from that of a straight, even front deep inside. */
export interface Form {
  readonly skew: number;
  readonly bend: number;
  readonly narrowing: number;
}

/**
 * The shape as a function of time since passing over width, as a table. Where the light is narrowed by rho, a line
 * whose own width is sqrt(lineWidth^2 - 1) of the light's full spread stays as wide, and so is wider and higher than
 * the step. Without its kink, which is not the same at all widths.
 */
export function shapeTable(shape: Shape, { skew, bend, narrowing }: Form): Float64Array {
  const own = Math.sqrt(Math.max(0, shape.lineWidth * shape.lineWidth - 1));
  const lineWidth = shape.lineWidth < 1 ? shape.lineWidth : Math.hypot(narrowing, own) / narrowing;
  const line = (shape.line * shape.lineWidth) / (lineWidth * narrowing);
  const table = new Float64Array(2 * TABLE_REACH * TABLE_DENSITY + 2);
  for (let at = 0; at < table.length; at++) {
    const u = at / TABLE_DENSITY - TABLE_REACH;
    table[at] = rise(u, skew).value + (line === 0 ? 0 : line * glow(u, lineWidth, bend).value);
  }
  return table;
}

/** A passing of one width: its table, and its kink as a change of slope a width. */
export interface Course {
  readonly table: Float64Array;
  readonly kink: number;
  readonly width_s: number;
}

/**
 * A passing at `arrival_s` at times first ... last - 1, into the first places of `into`. The kink is taken evenly about the
 * passing: the slope is half-way between those of the two phases.
 */
export function courseAt(
  { table, kink, width_s }: Course,
  arrival_s: number,
  times: Float64Array,
  first: number,
  last: number,
  into: Float64Array,
): void {
  for (let k = first; k < last; k++) {
    const u = (times[k]! - arrival_s) / width_s;
    if (u <= -TABLE_REACH) into[k - first] = 0;
    else if (u >= TABLE_REACH) into[k - first] = 1;
    else {
      const place = (u + TABLE_REACH) * TABLE_DENSITY;
      const at = Math.floor(place);
      into[k - first] = table[at]! + (place - at) * (table[at + 1]! - table[at]!);
    }
  }
  if (kink === 0) return;
  turns ??= Float64Array.from({ length: TABLE_REACH * TABLE_DENSITY + 2 }, (_, at) => turn(at / TABLE_DENSITY));
  for (let k = first; k < last; k++) {
    const far = Math.abs((times[k]! - arrival_s) / width_s);
    const place = far * TABLE_DENSITY;
    const at = Math.floor(place);
    const more = far >= TABLE_REACH ? 0.5 * far : turns[at]! + (place - at) * (turns[at + 1]! - turns[at]!);
    into[k - first] = into[k - first]! + kink * more;
  }
}

/** Values of `turn` from 0 on, once they are wanted. */
let turns: Float64Array | null = null;

/** A step from 0 to 1 seen through light of spread 1, with its skew, and its derivative by u. */
export function rise(u: number, skew: number): { readonly value: number; readonly byU: number } {
  const density = Math.exp(-0.5 * u * u) / Math.sqrt(2 * Math.PI);
  return { value: normalCdf(u) - skew * u * u * density, byU: density * (1 - skew * (2 * u - u ** 3)) };
}

/** Half of |u| seen through light of spread 1: a change of slope by 1. */
export function turn(u: number): number {
  return u * (normalCdf(u) - 0.5) + Math.exp(-0.5 * u * u) / Math.sqrt(2 * Math.PI);
}

/**
 * A line of height 1 and its derivatives by u and by its width. A line of the width w in space, seen through light of
 * the spread sigma, is a Gaussian of the width k = sqrt(1 + w^2 / sigma^2); a change of speed adds to first order
 *
 *     2 bend k^-4 ((1 - 1 / 2k^2) u^3 - (3 / 2) (k^2 - 1) u)
 *
 * times it. (The derivative by the width leaves that part out.)
 */
export function glow(
  u: number,
  k: number,
  bend: number,
): { readonly value: number; readonly byU: number; readonly byWidth: number } {
  const k2 = k * k;
  const even = Math.exp((-0.5 * u * u) / k2);
  const cubic = (2 * bend * (1 - 0.5 / k2)) / (k2 * k2);
  const linear = (3 * bend * (k2 - 1)) / (k2 * k2);
  const value = even * (1 + cubic * u ** 3 - linear * u);
  return {
    value,
    byU: even * (3 * cubic * u * u - linear) - (u / k2) * value,
    byWidth: (even * u * u) / (k2 * k),
  };
}

/** The skew for which a template is made; 0 where it is not known. */
export function roundedSkew(skew: number): number {
  if (!Number.isFinite(skew)) return 0;
  return SKEW_STEP * Math.round(Math.max(-MOST_SKEW, Math.min(MOST_SKEW, skew)) / SKEW_STEP);
}

/** The narrowing for which a template is made. */
export function roundedNarrowing(narrowing: number): number {
  if (!Number.isFinite(narrowing)) return 1;
  return NARROWING_STEP * Math.round(Math.max(MOST_NARROWING, Math.min(1, narrowing)) / NARROWING_STEP);
}

/** The normal distribution's integral, to 1e-7: Abramowitz and Stegun 26.2.17. */
export function normalCdf(u: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(u));
  const tail =
    Math.exp(-0.5 * u * u) *
    0.3989422804014327 *
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return u > 0 ? 1 - tail : tail;
}
