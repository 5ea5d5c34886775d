/** Where order and disorder begin: nuclei on the rim or anywhere, as asked for, drawn by seed, or one a domain. */
import { ParameterError } from "../model/errors.js";
import { finite, pair, records, refuse, within } from "./check.js";
import type { MaskedGrid } from "./masked-grid.js";
import type { OrderingCells } from "./ordering-cells.js";
import type { WallSpec } from "./ordering-spec.js";
import { stream } from "./streams.js";

/** Orientation of the ordered phase: its rows along one of three directions 60 degrees apart. */
export type Variant = 1 | 2 | 3;

/** A nucleus, by its place or on the rim as seen from the centre of area. */
export type OrderingNucleusSpec = (
  | {
      /** In um, (0, 0) the centre of the mask's first cell. */
      readonly at_um: readonly [number, number];
    }
  | {
      /** From +x towards +y; the farthest cell in this direction. */
      readonly rim_deg: number;
    }
) & {
  /** What it grows; 1 where left out. Of no use to a nucleus of disorder. */
  readonly variant?: Variant;
  /** After the drive has passed the nucleus' barrier. */
  readonly delay_s?: number;
};

/** A nucleus as it was. */
export interface OrderingNucleus {
  readonly at_um: readonly [number, number];
  /** 0 grows disorder. */
  readonly variant: 0 | Variant;
  /** When it came; null where the drive never got so far, or its place had turned before. */
  readonly fired_s: number | null;
}

/** A nucleus that waits. */
export interface WaitingNucleus {
  readonly cell: number;
  readonly at_um: readonly [number, number];
  readonly variant: 0 | Variant;
  readonly delay_s: number;
}

/** Nuclei lie this many half widths of a boundary deep: more than twice what grows at full drive. */
const DEPTH = 2.5;
/** Drawn nuclei stand off their even places along the rim by up to this share of the way to the next, and come within so long. */
const STRAY = { lattice: 0.08, isotropic: 0.08, pinned: 0.4 } as const;
const LATEST_s = 4;
const MOST_DRAWN = 24;
const MOST_GIVEN = 10_000;
/** Later no nucleus comes, and farther from the image none lies. */
const MOST_DELAY_s = 1e9;
const MOST_um = 1e6;

/**
 * Nuclei of order: those given, or so many drawn about the rim, evenly but for a stray, the three variants in a drawn order,
 * the first on a row of the lattice, where walls follow one, or anywhere; most astray where walls are pinned.
 * `passage` counts the transitions of a run: each draws anew. Throws ParameterError for places outside the particle.
 */
export function orderNuclei(
  cells: OrderingCells,
  given: number | readonly OrderingNucleusSpec[],
  walls: WallSpec,
  seed: number,
  passage: number,
): WaitingNucleus[] {
  if (typeof given !== "number") {
    records("nuclei", given, 1, MOST_GIVEN, "Order begins somewhere: give at least one nucleus, or how many to draw");
    return given.map((spec, at) => ({ ...placed(cells, spec, `nuclei.${at}`), variant: spec.variant ?? 1 }));
  }
  if (!Number.isInteger(given) || given < 1 || given > MOST_DRAWN) {
    refuse("nuclei", given, `Give how many nuclei to draw, 1 to ${MOST_DRAWN}, or a list of them`);
  }
  const random = stream(seed, "ordering", passage);
  const drawn = random.uniform();
  const first_deg = walls.kind === "lattice" ? walls.angle_deg + 60 * Math.floor(6 * drawn) : 360 * drawn;
  const variants: Variant[] = [1, 2, 3];
  for (let at = 2; at > 0; at--) {
    const other = random.integer(at + 1);
    [variants[at], variants[other]] = [variants[other]!, variants[at]!];
  }
  return Array.from({ length: given }, (_, at) => {
    const rim_deg = first_deg + (360 * (at + STRAY[walls.kind] * (2 * random.uniform() - 1))) / given;
    const delay_s = given === 1 ? 0 : LATEST_s * random.uniform();
    return { ...placed(cells, { rim_deg, delay_s }, `nuclei.${at}`), variant: variants[at % 3]! };
  });
}

/**
 * Nuclei of disorder: those given; else from two opposite sides of a single domain, at a drawn angle, or one a domain,
 * on the rim and farthest from the walls. `domainOf` numbers the domain of each cell from 1, 0 where there is none.
 */
export function disorderNuclei(
  cells: OrderingCells,
  given: readonly OrderingNucleusSpec[] | undefined,
  domainOf: Int32Array,
  seed: number,
  passage: number,
): WaitingNucleus[] {
  if (given !== undefined) {
    records("disorderNuclei", given, 0, MOST_GIVEN, "Give a list of nuclei, such as { rim_deg: 0 }, or leave it out");
    return given.map((spec, at) => ({ ...placed(cells, spec, `disorderNuclei.${at}`), variant: 0 }));
  }
  const random = stream(seed, "disordering", passage);
  const domains = domainOf.reduce((most, domain) => Math.max(most, domain), 0);
  if (domains < 2) {
    const side_deg = 360 * random.uniform();
    return [side_deg, side_deg + 180].map((rim_deg, at) => ({
      ...placed(cells, { rim_deg, delay_s: at * LATEST_s * random.uniform() }, "disorderNuclei"),
      variant: 0,
    }));
  }
  return Array.from({ length: domains }, (_, at) => {
    const cell = farthestFromOthers(cells, domainOf, at + 1);
    return { cell, at_um: placeOf(cells, cell), variant: 0, delay_s: LATEST_s * random.uniform() };
  });
}

/** Sets a nucleus into the state: its variant, or disorder. Gives false where the place had turned before. */
export function plant(cells: OrderingCells, delta_um: number, nucleus: WaitingNucleus, eta: Float64Array): boolean {
  const { count } = cells;
  const { cell, variant } = nucleus;
  const ordered = eta[cell]! + eta[count + cell]! + eta[2 * count + cell]! > 0.5;
  if (ordered === (variant !== 0)) return false;
  const [x0, y0] = nucleus.at_um;
  for (let at = 0; at < count; at++) {
    const [x, y] = placeOf(cells, at);
    const depth = DEPTH - Math.hypot(x - x0, y - y0) / delta_um;
    // Beyond, a millionth is left.
    if (depth < -7) continue;
    const share = 0.5 * (1 + Math.tanh(depth));
    for (let field = 0; field < 3; field++) {
      const place = field * count + at;
      eta[place] = eta[place]! * (1 - share) + (field + 1 === variant ? share : 0);
    }
  }
  return true;
}

/** Where a cell stands in the mask's raster. */
export function maskPlace({ cells, stride, width }: MaskedGrid, cell: number): number {
  const at = cells[cell]!;
  return (Math.floor(at / stride) - 1) * width + (at % stride) - 1;
}

/** Centre of a cell, um from that of the mask's first cell. */
export function placeOf({ grid }: OrderingCells, cell: number): readonly [number, number] {
  const place = grid.cells[cell]!;
  return [((place % grid.stride) - 1) * grid.h_um, (Math.floor(place / grid.stride) - 1) * grid.h_um];
}

function placed(
  cells: OrderingCells,
  spec: OrderingNucleusSpec,
  name: string,
): { readonly cell: number; readonly at_um: readonly [number, number]; readonly delay_s: number } {
  const delay_s = spec.delay_s ?? 0;
  within(`${name}.delay_s`, delay_s, 0, MOST_DELAY_s);
  if (spec.variant !== undefined && ![1, 2, 3].includes(spec.variant)) {
    refuse(`${name}.variant`, spec.variant, "Give 1, 2 or 3");
  }
  if ("at_um" in spec) {
    pair(`${name}.at_um`, spec.at_um, -MOST_um, MOST_um, "Give a place x,y in um");
    const cell = nearest(cells, spec.at_um);
    const at_um = placeOf(cells, cell);
    if (!(Math.hypot(at_um[0] - spec.at_um[0], at_um[1] - spec.at_um[1]) <= cells.grid.h_um)) {
      throw new ParameterError(
        `${name}.at_um is ${spec.at_um.join(", ")}, outside the particle. The nearest place inside is ${at_um.map((value) => value.toFixed(2)).join(", ")}.`,
        { parameter: `${name}.at_um`, value: spec.at_um },
      );
    }
    return { cell, at_um, delay_s };
  }
  finite(`${name}.rim_deg`, spec.rim_deg, "Give an angle in degrees, or a place at_um");
  const cell = rimCell(cells, spec.rim_deg);
  return { cell, at_um: placeOf(cells, cell), delay_s };
}

function nearest(cells: OrderingCells, [x, y]: readonly [number, number]): number {
  let best = 0;
  let least = Infinity;
  for (let cell = 0; cell < cells.count; cell++) {
    const [cx, cy] = placeOf(cells, cell);
    const away = Math.hypot(cx - x, cy - y);
    if (away < least) {
      least = away;
      best = cell;
    }
  }
  return best;
}

/** The farthest cell from the centre of area in a direction, within a cell of the ray. */
function rimCell(cells: OrderingCells, rim_deg: number): number {
  const { count, grid } = cells;
  let sumX = 0;
  let sumY = 0;
  for (let cell = 0; cell < count; cell++) {
    const [x, y] = placeOf(cells, cell);
    sumX += x;
    sumY += y;
  }
  const cos = Math.cos((rim_deg * Math.PI) / 180);
  const sin = Math.sin((rim_deg * Math.PI) / 180);
  let best = 0;
  let farthest = -Infinity;
  for (let cell = 0; cell < count; cell++) {
    const [x, y] = placeOf(cells, cell);
    const along = (x - sumX / count) * cos + (y - sumY / count) * sin;
    const aside = Math.abs((y - sumY / count) * cos - (x - sumX / count) * sin);
    // Off the ray only where nothing lies on it.
    const rank = aside <= 0.75 * grid.h_um ? along : -1e6 - aside;
    if (rank > farthest) {
      farthest = rank;
      best = cell;
    }
  }
  return best;
}

/** The rim cell of a domain that is farthest from all cells of other domains. */
function farthestFromOthers(cells: OrderingCells, domainOf: Int32Array, domain: number): number {
  const { count, grid } = cells;
  const others: (readonly [number, number])[] = [];
  for (let cell = 0; cell < count; cell++) {
    const borders = [0, 1, 2, 3].some((at) => domainOf[cells.beside[4 * cell + at]!] === domain);
    if (borders && domainOf[cell] !== domain) others.push(placeOf(cells, cell));
  }
  const onRim = new Set(grid.rim);
  let best = domainOf.indexOf(domain);
  let farthest = -1;
  for (let cell = 0; cell < count; cell++) {
    if (domainOf[cell] !== domain || !onRim.has(grid.cells[cell]!)) continue;
    const [x, y] = placeOf(cells, cell);
    const away = others.reduce((least, [ox, oy]) => Math.min(least, Math.hypot(ox - x, oy - y)), Infinity);
    if (away > farthest) {
      farthest = away;
      best = cell;
    }
  }
  return best;
}
