/** Likeness of paths, and spread of numbers, over cycles and particles. */
import { median } from "../kernels/stats.js";
import type { Estimate, FrontMap, Kinetics, Transition } from "../model/experiment.js";
import type { Repeat, Spread } from "../model/repeat.js";

/** Tiles along each side that the error comes from, each left out in turn. */
const TILES = 5;
/** Fewer places say nothing. */
const LEAST_PLACES = 30;
/** Turns of the second map that chance is told by; those nearer to none than this are no other map. */
const TURNS = 24;
const NEAR_DEG = 40;
/** A turned map falls on whole pixels: it is as like where it is less so by no more than this. */
const ALIKE = 0.05;

/** Every pair of fronts of one particle with the same kind and direction, the earlier first. */
export function measureRepeats(fronts: readonly FrontMap[], transitions: readonly Transition[]): Repeat[] {
  const of = ({ transition }: FrontMap): Transition => transitions.find(({ id }) => id === transition)!;
  const all: Repeat[] = [];
  const ordered = [...fronts].sort((a, b) => a.particle - b.particle || of(a).start_s - of(b).start_s);
  for (const [at, first] of ordered.entries()) {
    const { kind, direction } = of(first);
    for (const second of ordered.slice(at + 1)) {
      if (second.particle !== first.particle || of(second).kind !== kind || of(second).direction !== direction)
        continue;
      all.push({
        particle: first.particle,
        transition: first.transition,
        other: second.transition,
        kind,
        direction,
        ...likenessOf(first, second),
      });
    }
  }
  return all;
}

/**
 * Spearman's rank correlation of two arrival maps over the places that both know, laid on each other by their places in
 * frame 0. Its error: tiles of the particle left out in turn (jackknife), since neighbouring arrivals hang together. Its chance:
 * the second map turned about the middle of the particle by 40 degrees and more, and mirrored.
 */
export function likenessOf(first: FrontMap, second: FrontMap): Pick<Repeat, "likeness" | "byShape" | "p"> {
  const places = placesOf(first);
  const same = pairs(places, second, ([x, y]) => [x, y]);
  if (same.length < LEAST_PLACES) return { likeness: null, byShape: null, p: null };
  const value = rankCorrelation(same);
  const xs = same.map(({ x }) => x);
  const ys = same.map(({ y }) => y);
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  const side = Math.max(Math.max(...xs) - left, Math.max(...ys) - top) + 1;
  const tileOf = ({ x, y }: Pair): number =>
    Math.floor((TILES * (y - top)) / side) * TILES + Math.floor((TILES * (x - left)) / side);
  const without = [...new Set(same.map(tileOf))].map((tile) =>
    rankCorrelation(same.filter((pair) => tileOf(pair) !== tile)),
  );
  const likeness: Estimate = { value, sd: jackknife(without), n: without.length };

  const [cx, cy] = [mean(xs), mean(ys)];
  const turned: number[] = [];
  for (const mirror of [1, -1]) {
    for (let turn = 0; turn < TURNS; turn++) {
      const angle_deg = (360 * turn) / TURNS;
      if (mirror === 1 && Math.min(angle_deg, 360 - angle_deg) < NEAR_DEG) continue;
      const [c, s] = [Math.cos((angle_deg * Math.PI) / 180), Math.sin((angle_deg * Math.PI) / 180)];
      const other = pairs(places, second, ([x, y]) => [
        Math.round(cx + c * mirror * (x - cx) - s * (y - cy)),
        Math.round(cy + s * mirror * (x - cx) + c * (y - cy)),
      ]);
      if (other.length < Math.max(LEAST_PLACES, 0.5 * same.length)) continue;
      turned.push(rankCorrelation(other));
    }
  }
  if (turned.length === 0) return { likeness, byShape: null, p: null };
  const asLike = turned.filter((one) => one >= value - Math.max(ALIKE, 2 * (likeness.sd ?? 0))).length;
  return { likeness, byShape: median(turned), p: (1 + asLike) / (1 + turned.length) };
}

/** Standard deviations of numbers within particles and between them, for each kind and direction of fronts. */
export function spreadsOf(kinetics: readonly Kinetics[], transitions: readonly Transition[]): Spread[] {
  const groups = new Map<string, { readonly window: Transition; readonly own: Kinetics[] }>();
  for (const one of kinetics) {
    const window = transitions.find(({ id }) => id === one.transition)!;
    const name = `${window.kind} ${window.direction}`;
    const group = groups.get(name) ?? { window, own: [] };
    group.own.push(one);
    groups.set(name, group);
  }
  return [...groups.values()].flatMap(({ window: { kind, direction }, own }) =>
    (["velocity_um_s", "c_rate_max", "duration_s"] as const).flatMap((quantity): Spread[] => {
      const known = own.flatMap((one) => {
        const found = one[quantity];
        return found === null ? [] : [{ particle: one.particle, value: found.value }];
      });
      if (known.length < 2) return [];
      const each = [...new Set(known.map(({ particle }) => particle))].map((particle) =>
        known.filter((one) => one.particle === particle).map(({ value }) => value),
      );
      const freedom = known.length - each.length;
      const squares = each.reduce((sum, values) => sum + variance(values) * (values.length - 1), 0);
      const means = each.map(mean);
      return [
        {
          kind,
          direction,
          quantity,
          particles: each.length,
          fronts: known.length,
          within: freedom > 0 ? Math.sqrt(squares / freedom) : null,
          between: means.length > 1 ? Math.sqrt(variance(means)) : null,
        },
      ];
    }),
  );
}

type Place = readonly [number, number];

interface Pair {
  readonly x: number;
  readonly y: number;
  readonly first_s: number;
  readonly second_s: number;
}

/** Places of frame 0 with an arrival. */
function placesOf({ arrival_s, width, origin_px }: FrontMap): { readonly place: Place; readonly t_s: number }[] {
  return [...arrival_s.entries()].flatMap(([at, t_s]) =>
    Number.isFinite(t_s)
      ? [{ place: [origin_px[0] + (at % width), origin_px[1] + Math.floor(at / width)] as const, t_s }]
      : [],
  );
}

function pairs(
  places: readonly { readonly place: Place; readonly t_s: number }[],
  { arrival_s, width, height, origin_px }: FrontMap,
  to: (place: Place) => Place,
): Pair[] {
  return places.flatMap(({ place, t_s }) => {
    const [x, y] = to(place);
    const [column, row] = [x - origin_px[0], y - origin_px[1]];
    if (column < 0 || row < 0 || column >= width || row >= height) return [];
    const second_s = arrival_s[row * width + column]!;
    return Number.isFinite(second_s) ? [{ x: place[0], y: place[1], first_s: t_s, second_s }] : [];
  });
}

function rankCorrelation(all: readonly Pair[]): number {
  const first = ranks(all.map(({ first_s }) => first_s));
  const second = ranks(all.map(({ second_s }) => second_s));
  const [a, b] = [mean(first), mean(second)];
  let [both, one, other] = [0, 0, 0];
  for (const [at, rank] of first.entries()) {
    both += (rank - a) * (second[at]! - b);
    one += (rank - a) ** 2;
    other += (second[at]! - b) ** 2;
  }
  return one > 0 && other > 0 ? both / Math.sqrt(one * other) : 0;
}

/** Ranks from 1; equal values share the mean of theirs. */
function ranks(values: readonly number[]): Float64Array {
  const order = [...values.keys()].sort((a, b) => values[a]! - values[b]!);
  const found = new Float64Array(values.length);
  for (let from = 0; from < order.length;) {
    let end = from + 1;
    while (end < order.length && values[order[end]!] === values[order[from]!]) end++;
    for (let at = from; at < end; at++) found[order[at]!] = (from + end + 1) / 2;
    from = end;
  }
  return found;
}

function jackknife(without: readonly number[]): number | null {
  const n = without.length;
  if (n < 3) return null;
  const middle = mean(without);
  return Math.sqrt(((n - 1) / n) * without.reduce((sum, value) => sum + (value - middle) ** 2, 0));
}

function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let at = 0; at < values.length; at++) sum += values[at]!;
  return sum / values.length;
}

function variance(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const middle = mean(values);
  return values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1);
}
