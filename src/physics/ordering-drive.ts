/** What drives the order: an undercooling through time, or lithium that moves through the window of the ordered phase. */
import { oneOf, pair, record, refuse, within } from "./check.js";
import { checkedSeries, seriesAt, type Series } from "./phase-field-drive.js";

/** The drive of an ordering transition. */
export type OrderingDrive =
  | {
      readonly kind: "undercooling";
      /** From -1 (fronts disorder at full velocity) through 0 (both phases in equilibrium) to 1 (fronts order at full velocity). */
      readonly u: Series;
    }
  | {
      readonly kind: "lithium";
      /** Lithium per site. */
      readonly x: Series;
      /** Between which the ordered phase is stable; 0.48 and 0.52 where left out. */
      readonly window_x?: readonly [number, number];
    };

/** The window about LiCoO2's ordered composition of one half. */
export const ORDERED_WINDOW_x = [0.48, 0.52] as const;

/** A drive as a function of time. */
export interface Undercooling {
  readonly at: (t_s: number) => number;
  /** First time from from_s on at which it is at least (rising) or at most `level`; Infinity if it never is. */
  readonly reaches: (level: number, rising: boolean, from_s: number) => number;
  /** Times between which it runs one way, rising; the last is the end of the record. */
  readonly pieces_s: readonly number[];
}

/**
 * The undercooling of a drive; lithium x in a window of middle x_m and half width w gives 1 - ((x - x_m) / w)^2, not below -1.
 * Throws ParameterError for points out of order, |u| above 1 or a window that is none.
 */
export function undercoolingOf(drive: OrderingDrive): Undercooling {
  record("drive", drive, "Give one, such as { kind: undercooling, u: [[0, 1]] }");
  oneOf("drive.kind", drive.kind, ["undercooling", "lithium"]);
  if (drive.kind === "undercooling") {
    const series = checkedSeries("drive.u", drive.u);
    for (const u of series.value) within("drive.u", u, -1, 1, "Keep it between -1 and 1, or raise frontVelocity_um_s");
    return piecewise((t_s) => seriesAt(series, t_s), [...series.t_s]);
  }
  const series = checkedSeries("drive.x", drive.x);
  const window_x = drive.window_x ?? ORDERED_WINDOW_x;
  checkWindow("drive.window_x", window_x);
  const [lower, upper] = window_x;
  for (const x of series.value) {
    if (!(x > 0 && x <= 1)) refuse("drive.x", x, "Give lithium per site, above 0 and at most 1");
  }
  const middle = (lower + upper) / 2;
  const half = (upper - lower) / 2;
  // Between its points the lithium passes the middle, where the undercooling turns.
  const times: number[] = [];
  series.t_s.forEach((t_s, at) => {
    if (at > 0) {
      const share = (middle - series.value[at - 1]!) / (series.value[at]! - series.value[at - 1]!);
      if (share > 0 && share < 1) times.push(series.t_s[at - 1]! + share * (t_s - series.t_s[at - 1]!));
    }
    times.push(t_s);
  });
  return piecewise((t_s) => Math.max(-1, 1 - ((seriesAt(series, t_s) - middle) / half) ** 2), times);
}

/** Throws a ParameterError, named `name`, for a window of lithium that is none. */
export function checkWindow(name: string, window_x: readonly [number, number]): void {
  const cure = "Give two compositions between 0 and 1, the lower first";
  pair(name, window_x, 0, 1, cure);
  if (!(window_x[0] < window_x[1] && window_x[0] > 0 && window_x[1] < 1)) refuse(name, window_x, cure);
}

function piecewise(at: (t_s: number) => number, pieces_s: readonly number[]): Undercooling {
  const reaches = (level: number, rising: boolean, from_s: number): number => {
    const reached = (t_s: number): boolean => (rising ? at(t_s) >= level : at(t_s) <= level);
    if (reached(from_s)) return from_s;
    let low = from_s;
    for (const end_s of pieces_s) {
      if (end_s <= from_s) continue;
      if (!reached(end_s)) {
        low = end_s;
        continue;
      }
      let high = end_s;
      for (let halving = 0; halving < 60 && high - low > 1e-9 * (1 + high); halving++) {
        const middle = (low + high) / 2;
        if (reached(middle)) high = middle;
        else low = middle;
      }
      return high;
    }
    return Infinity;
  };
  return { at, reaches, pieces_s };
}
