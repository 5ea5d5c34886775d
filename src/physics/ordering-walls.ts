/** What the order has become: which variant holds each place, its domains, and the walls between them. */
import { labelComponents } from "../kernels/label.js";
import type { OrderingCells } from "./ordering-cells.js";
import { maskPlace } from "./ordering-nuclei.js";

/** A wall between two domains of different variants. Places in um, (0, 0) the centre of the mask's first cell. */
export interface DomainWall {
  /** The two variants, the lower first. */
  readonly variants: readonly [number, number];
  /** From the meeting point, where it has one, to its other end. */
  readonly line_um: readonly (readonly [number, number])[];
  readonly length_um: number;
  /** Direction of the whole wall away from its first point, from +x towards +y, 0 to 360. */
  readonly angle_deg: number;
  /** Where three variants meet at its first point; null for a wall from rim to rim. */
  readonly meeting_um: readonly [number, number] | null;
  /** Its direction just off the meeting point; null where it has none. */
  readonly meeting_deg: number | null;
}

/** The ordered state at one moment. */
export interface OrderingDomains {
  readonly t_s: number;
  /** 1 to 3, 0 where disordered, -1 outside the mask; row by row. */
  readonly variant: Int8Array;
  /** Number of each cell's domain from 1, else 0: touching cells of one variant, larger than the width of a boundary. */
  readonly domain: Int32Array;
  readonly count: number;
  readonly walls: readonly DomainWall[];
}

/** A wall's direction is taken where its ends no longer bend it, in half widths of a boundary; at its meeting point up to the second. */
const ENDS = 2;
const MEETING = 5;

/** Domains and walls as the three orders have them, and the domain of each of the kernel's cells. */
export function orderingDomains(
  cells: OrderingCells,
  delta_um: number,
  t_s: number,
  eta: Float64Array,
): { readonly domains: OrderingDomains; readonly domainOf: Int32Array } {
  const { grid, count } = cells;
  const { width, height, h_um } = grid;
  const variant = new Int8Array(width * height).fill(-1);
  const places = grid.cells.map((_, cell) => maskPlace(grid, cell));
  for (let cell = 0; cell < count; cell++) variant[places[cell]!] = variantOf(eta, count, cell);
  const domain = new Int32Array(width * height);
  const least = Math.PI * (delta_um / h_um) ** 2;
  let domains = 0;
  for (const one of [1, 2, 3]) {
    const {
      labels,
      area_px,
      count: areas,
    } = labelComponents(
      Uint8Array.from(variant, (value) => (value === one ? 1 : 0)),
      width,
      height,
    );
    const numbers = Array.from({ length: areas + 1 }, (_, label) =>
      label > 0 && area_px[label]! >= least ? ++domains : 0,
    );
    labels.forEach((label, at) => {
      if (label > 0) domain[at] = numbers[label]!;
    });
  }
  return {
    domains: { t_s, variant, domain, count: domains, walls: wallLines(cells, eta, delta_um) },
    domainOf: Int32Array.from(places, (at) => domain[at]!),
  };
}

/** The strongest variant of a cell that is more ordered than not, else 0. */
function variantOf(eta: Float64Array, count: number, cell: number): number {
  const [a, b, c] = [eta[cell]!, eta[count + cell]!, eta[2 * count + cell]!];
  if (a + b + c < 0.5) return 0;
  return a >= b && a >= c ? 1 : b >= c ? 2 : 3;
}

interface Piece {
  readonly ends: readonly [string, string];
  readonly variants: readonly [number, number];
}

/** Lines along which two variants are equally strong, by marching over the squares between four cell centres. */
function wallLines(cells: OrderingCells, eta: Float64Array, delta_um: number): DomainWall[] {
  const { corners, count } = cells;
  const points = new Map<string, readonly [number, number]>();
  const pieces: Piece[] = [];
  const meetings = new Set<string>();
  for (let corner = 0; corner < corners.length; corner += 4) {
    // Around the square.
    const ring = [corners[corner]!, corners[corner + 1]!, corners[corner + 3]!, corners[corner + 2]!];
    const kinds = ring.map((cell) => variantOf(eta, count, cell));
    const crossings = [0, 1, 2, 3].flatMap((side) => {
      const next = (side + 1) % 4;
      const [one, other] = [kinds[side]!, kinds[next]!];
      if (one === other) return [];
      const [from, to] = [ring[side]!, ring[next]!];
      const key = from < to ? `${from},${to}` : `${to},${from}`;
      const wall = one > 0 && other > 0;
      if (wall) points.set(key, crossing(cells, eta, from, to, one, other));
      return [{ key, wall, variants: [Math.min(one, other), Math.max(one, other)] as const }];
    });
    const walls = crossings.filter(({ wall }) => wall);
    if (walls.length === 0) continue;
    if (crossings.length === 2 || (crossings.length === 4 && new Set(kinds).size === 2)) {
      for (let at = 0; at + 1 < walls.length; at += 2) {
        pieces.push({ ends: [walls[at]!.key, walls[at + 1]!.key], variants: walls[at]!.variants });
      }
      continue;
    }
    const middle = `m${corner}`;
    const mean = (axis: 0 | 1): number =>
      walls.reduce((sum, { key }) => sum + points.get(key)![axis], 0) / walls.length;
    points.set(middle, [mean(0), mean(1)]);
    if (walls.length > 2) meetings.add(middle);
    for (const { key, variants } of walls) pieces.push({ ends: [middle, key], variants });
  }
  return chains(pieces).map(({ keys, variants }) => wallOf(keys, variants, points, meetings, delta_um));
}

/** Where two variants are equal between two cells. */
function crossing(
  { grid, count }: OrderingCells,
  eta: Float64Array,
  from: number,
  to: number,
  one: number,
  other: number,
): readonly [number, number] {
  const ahead = (cell: number): number => eta[(one - 1) * count + cell]! - eta[(other - 1) * count + cell]!;
  const [start, end] = [ahead(from), ahead(to)];
  const share = start === end ? 0.5 : start / (start - end);
  const place = (cell: number): readonly [number, number] => {
    const at = grid.cells[cell]!;
    return [(at % grid.stride) - 1, Math.floor(at / grid.stride) - 1];
  };
  const [a, b] = [place(from), place(to)];
  return [grid.h_um * (a[0] + share * (b[0] - a[0])), grid.h_um * (a[1] + share * (b[1] - a[1]))];
}

/** Pieces of one pair of variants joined end to end. */
function chains(pieces: readonly Piece[]): { keys: string[]; variants: readonly [number, number] }[] {
  const name = (key: string, { variants }: Piece): string => `${key} ${variants[0]}${variants[1]}`;
  const at = new Map<string, Piece[]>();
  for (const piece of pieces) {
    for (const end of piece.ends) {
      const known = at.get(name(end, piece));
      if (known === undefined) at.set(name(end, piece), [piece]);
      else known.push(piece);
    }
  }
  const used = new Set<Piece>();
  const walk = (start: string, piece: Piece): string[] => {
    const keys = [start];
    let here = start;
    let next: Piece | undefined = piece;
    while (next !== undefined) {
      used.add(next);
      here = next.ends[0] === here ? next.ends[1] : next.ends[0];
      keys.push(here);
      const around: Piece[] = at.get(name(here, next))!;
      next = around.length === 2 ? around.find((one) => !used.has(one)) : undefined;
    }
    return keys;
  };
  const found: { keys: string[]; variants: readonly [number, number] }[] = [];
  // From loose ends first; what is left is closed.
  for (const loose of [true, false]) {
    for (const piece of pieces) {
      for (const end of piece.ends) {
        if (used.has(piece) || (loose && at.get(name(end, piece))!.length === 2)) continue;
        found.push({ keys: walk(end, piece), variants: piece.variants });
      }
    }
  }
  return found;
}

function wallOf(
  keys: readonly string[],
  variants: readonly [number, number],
  points: ReadonlyMap<string, readonly [number, number]>,
  meetings: ReadonlySet<string>,
  delta_um: number,
): DomainWall {
  const ordered = !meetings.has(keys[0]!) && meetings.has(keys.at(-1)!) ? keys.toReversed() : keys;
  const line_um = ordered.map((key) => points.get(key)!);
  const way = [0];
  for (let at = 1; at < line_um.length; at++) {
    const [from, to] = [line_um[at - 1]!, line_um[at]!];
    way.push(way[at - 1]! + Math.hypot(to[0] - from[0], to[1] - from[1]));
  }
  const length_um = way.at(-1)!;
  const meets = meetings.has(ordered[0]!);
  const between = (from_um: number, to_um: number): number => {
    const part = line_um.filter((_, at) => way[at]! >= from_um && way[at]! <= to_um);
    return direction(part.length >= 2 ? part : line_um);
  };
  const margin = length_um > 3 * ENDS * delta_um ? ENDS * delta_um : 0;
  return {
    variants,
    line_um,
    length_um,
    angle_deg: between(margin, length_um - margin),
    meeting_um: meets ? line_um[0]! : null,
    meeting_deg: meets ? between(margin, Math.min(length_um - margin, MEETING * delta_um + margin)) : null,
  };
}

/** Direction of the straight line of least squares through places, from the first to the last. */
function direction(places: readonly (readonly [number, number])[]): number {
  const n = places.length;
  const mx = places.reduce((sum, [x]) => sum + x, 0) / n;
  const my = places.reduce((sum, [, y]) => sum + y, 0) / n;
  let xx = 0;
  let xy = 0;
  let yy = 0;
  for (const [x, y] of places) {
    xx += (x - mx) * (x - mx);
    xy += (x - mx) * (y - my);
    yy += (y - my) * (y - my);
  }
  let angle = Math.atan2(2 * xy, xx - yy) / 2;
  const [first, last] = [places[0]!, places.at(-1)!];
  if (Math.cos(angle) * (last[0] - first[0]) + Math.sin(angle) * (last[1] - first[1]) < 0) angle += Math.PI;
  const degrees = (angle * 180) / Math.PI;
  return ((degrees % 360) + 360) % 360;
}
