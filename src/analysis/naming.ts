/** Windows found in the images, named by what the cycler did meanwhile: direction, half cycle, kind, lag to dQ/dV. */
import { median } from "../kernels/stats.js";
import type { CapacityPeak, Cycling, HalfCycle } from "../model/cycling.js";
import type { Cell, Clock, Estimate, Transition } from "../model/experiment.js";
import { SECONDS_PER_HOUR } from "../model/units.js";
import type { FoundWindow } from "./transitions.js";

/** A mean current below this share of the usual one is no drive. */
const NO_DRIVE = 0.02;
/** Odds from which on a kind is named. */
const ODDS = 4;
/**
 * Where the two kinds lie and how long they last. Place: charge taken out since the lithiated end, over the nominal
 * capacity (155 mAh/g): the two-phase step from x = 0.95 to 0.75 is passed by then at 0.04 to 0.4, later at high
 * rates; ordering at x = 0.5 near 0.85. Duration in the same unit: 9 and about 1 of 25 min at 2C. Potential against
 * lithium on charge and on discharge at some C: the plateau of 3.92 V, and order that comes and goes between 4.05 and
 * 4.17 V. Step: change of the light, some times less where only order changes. After Merryweather et al., Figs 1d, 2a, 4a.
 */
const KINDS = {
  biphasic: {
    place: 0.3,
    placeSd: 0.22,
    nearPeakSd: 0.2,
    duration: 0.25,
    step: 0.12,
    peaks: ["I", "IV"],
    potential_V: { charge: 4, discharge: 3.83 },
  },
  ordering: {
    place: 0.87,
    placeSd: 0.09,
    nearPeakSd: 0.08,
    duration: 0.05,
    step: 0.04,
    peaks: ["II", "III"],
    potential_V: { charge: 4.18, discharge: 4.06 },
  },
} as const;
/** Spread of the potentials with rate and resistance, and the most that a potential says: other cells have others. */
const POTENTIAL = { sd_V: 0.09, most: 3 } as const;
/**
 * Potentials that tell a half cycle of LiCoO2 from a part of one. A charge from more than the first, at rest, does not begin
 * at the lithiated end; nor does a discharge end there that stops above the second. One stopped between the third did not
 * leave the plateau's neighbourhood; nor did a discharge begin outside it at rest between the fourth.
 */
const PART = {
  chargeFrom_V: 3.96,
  dischargeTo_V: 3.9,
  chargeTo_V: [3.85, 4.12],
  dischargeFrom_V: [3.85, 4.1],
} as const;
/** Rows before a half cycle whose potential is that of its beginning. */
const ROWS_BEFORE = 5;
/** Spread of the logarithm of a duration, and of a step, which other lenses and gaps show otherwise. */
const DURATION_SPREAD = 0.7;
const STEP_SPREAD = 0.8;

type Kind = Transition["kind"];

/**
 * Transitions from windows; `id` is 0, to be set by the caller.
 *
 * Direction is that of the cycler's mean current in the window (positive delithiates), where the clocks are joined or
 * the current has one sign as long as the movie runs, and the role of the imaged electrode is known; else it is what the
 * light does. Kind is named for a cathode where half cycle, place within it, duration, potential, step and the peaks of
 * dQ/dV together speak for one by four to one, else "unknown": a belief about LiCoO2 that no measured number depends on. A half
 * cycle of which the record holds a part (the turn of a cycle, say) tells no place. Lags are window minus peak, in time and in charge; their sd joins those of the window and of the clocks.
 */
export function nameTransitions(
  windows: readonly FoundWindow[],
  {
    particle,
    clock,
    cycling,
    cell,
  }: {
    readonly particle: number;
    readonly clock: Clock;
    readonly cycling: Cycling | null;
    readonly cell: Cell | null;
  },
): Transition[] {
  const halfCycleOf = (window: FoundWindow): HalfCycle | null => {
    if (clock.source === "none" || cell === null) return null;
    const middle_s = 0.5 * (window.start_s + window.end_s);
    return cell.halfCycles.find(({ start_s, end_s }) => middle_s >= start_s && middle_s <= end_s) ?? null;
  };
  const mates = windows.map(halfCycleOf);
  const scale = cell === null || cycling === null ? null : scaleOf(cell, cycling);
  return windows.map((window, at) => {
    const halfCycle = mates[at]!;
    const drive = cell === null || cycling === null || cell.role === "unknown" ? 0 : driveOf(window, clock, cycling);
    const neighbours = windows.filter((_, other) => other !== at && mates[other] === halfCycle);
    const kind = halfCycle === null ? "unknown" : kindOf(window, halfCycle, neighbours, cell!, cycling!, scale!);
    const { start_s, end_s, sd_s, closed, order } = window;
    return {
      id: 0,
      particle,
      kind,
      direction:
        drive !== 0 ? (drive > 0 ? "delithiation" : "lithiation") : window.step > 0 ? "brightening" : "darkening",
      directionSource: drive !== 0 ? "cycler" : "intensity",
      halfCycle: halfCycle?.id ?? null,
      since_half_start_s: halfCycle === null ? null : start_s - halfCycle.start_s,
      rate_C: halfCycle?.rate_C ?? null,
      start_s,
      end_s,
      sd_s,
      closed,
      order,
      lag_to_dQdV: lagTo(matchingPeak(window, kind, halfCycle), window, clock, cycling),
    };
  });
}

/** 1 where the cell was delithiated in the window, -1 where lithiated, 0 where it was at rest or the clocks do not tell. */
function driveOf({ start_s, end_s, movie_s }: FoundWindow, clock: Clock, cycling: Cycling): -1 | 0 | 1 {
  const [from_s, to_s] = clock.source === "none" ? movie_s : [start_s, end_s];
  const { time_s, current_mA } = cycling;
  const driven = current_mA.map(Math.abs).filter((current) => current > 0);
  const usual_mA = driven.length === 0 ? NaN : median(driven);
  if (clock.source === "none") {
    let forth = 0;
    let back = 0;
    for (let row = 0; row < time_s.length; row++) {
      if (time_s[row]! < from_s || time_s[row]! > to_s) continue;
      if (current_mA[row]! > NO_DRIVE * usual_mA) forth++;
      if (current_mA[row]! < -NO_DRIVE * usual_mA) back++;
    }
    return forth > 0 && back === 0 ? 1 : back > 0 && forth === 0 ? -1 : 0;
  }
  const mean_mA = meanCurrent(cycling, from_s, to_s);
  return Math.abs(mean_mA) > NO_DRIVE * usual_mA ? (mean_mA > 0 ? 1 : -1) : 0;
}

/** Mean over time of the current, each row's holding until the next; NaN where the record has no row near. */
function meanCurrent({ time_s, current_mA }: Cycling, from_s: number, to_s: number): number {
  let charge = 0;
  let duration_s = 0;
  for (let row = 0; row < time_s.length; row++) {
    const until_s = time_s[row + 1] ?? time_s[row]!;
    const share_s = Math.min(until_s, to_s) - Math.max(time_s[row]!, from_s);
    if (!(share_s > 0) || Number.isNaN(current_mA[row]!)) continue;
    charge += share_s * current_mA[row]!;
    duration_s += share_s;
  }
  if (duration_s > 0) return charge / duration_s;
  const row = time_s.findIndex((t_s) => t_s >= from_s);
  return row > 0 ? current_mA[row]! : NaN;
}

/** The kind for which place, duration, peaks and neighbours speak together; "unknown" below four to one. */
function kindOf(
  window: FoundWindow,
  halfCycle: HalfCycle,
  neighbours: readonly FoundWindow[],
  cell: Cell,
  cycling: Cycling,
  scale: Scale,
): Kind {
  if (cell.role !== "cathode") return "unknown";
  const middle_s = 0.5 * (window.start_s + window.end_s);
  const length_s = halfCycle.end_s - halfCycle.start_s;
  const { nominal_mAh } = scale;
  const place = placeOf(middle_s, halfCycle, cell, cycling, scale);
  const charge_mAh = (Math.max(window.end_s - window.start_s, 1) / length_s) * halfCycle.charge_mAh;
  const potential_V = potentialIn(cycling, window.start_s, window.end_s);
  const named = scale.ends.get(halfCycle)!.lithiated ? halfCycle.peaks : [];
  const evidence = (kind: "biphasic" | "ordering"): number => {
    const { place: expected, placeSd, nearPeakSd, duration, step, peaks, potential_V: usual_V } = KINDS[kind];
    const peak = named.find(({ name }) => (peaks as readonly string[]).includes(name));
    const placed =
      peak !== undefined
        ? logNormal((middle_s - peak.t_s) / length_s, nearPeakSd)
        : place === null
          ? 0
          : logNormal(place - expected, placeSd);
    const lasting =
      window.closed && nominal_mAh !== null
        ? logNormal(Math.log(charge_mAh / nominal_mAh / duration), DURATION_SPREAD)
        : 0;
    const off = (potential_V - usual_V[halfCycle.kind]) / POTENTIAL.sd_V;
    const bright = Math.abs(window.step) > 0 ? logNormal(Math.log(Math.abs(window.step) / step), STEP_SPREAD) : 0;
    return placed + lasting + bright - (Number.isNaN(off) ? 0 : Math.min(POTENTIAL.most, 0.5 * off * off));
  };
  // Of two in a charge the first is the two-phase step and the last is ordering; in a discharge the other way round.
  const sequence = neighbours.reduce((sum, other) => sum + Math.sign(window.start_s - other.start_s), 0);
  const inOrder = Math.sign(sequence) * (halfCycle.kind === "charge" ? 1 : -1);
  const forOrdering = evidence("ordering") - evidence("biphasic") + inOrder;
  if (forOrdering > Math.log(ODDS)) return "ordering";
  return forOrdering < -Math.log(ODDS) ? "biphasic" : "unknown";
}

/** What of a charge's range a half cycle reaches; both ends where its potentials do not speak against it. */
interface Ends {
  readonly lithiated: boolean;
  readonly delithiated: boolean;
}

/** What charges are measured by. */
interface Scale {
  readonly ends: ReadonlyMap<HalfCycle, Ends>;
  /** Stated, or what the largest half cycle that is whole passed where none is; null where there is none. */
  readonly nominal_mAh: number | null;
}

function scaleOf(cell: Cell, cycling: Cycling): Scale {
  const ends = new Map(cell.halfCycles.map((one): [HalfCycle, Ends] => [one, endsOf(one, cycling)]));
  const whole = cell.halfCycles.filter((one) => ends.get(one)!.lithiated && ends.get(one)!.delithiated);
  const nominal_mAh =
    cell.nominal_mAh ??
    (cell.active_mass_mg === null
      ? Math.max(0, ...whole.map(({ charge_mAh }) => charge_mAh))
      : (cell.active_mass_mg / 1000) * cell.nominal_mAh_g);
  return { ends, nominal_mAh: nominal_mAh > 0 ? nominal_mAh : null };
}

/**
 * Charge taken out of the cathode since its lithiated end, over the nominal capacity; null where the record does not tell.
 * A discharge begins where the charge before it ended, or at its own charge.
 */
function placeOf(
  t_s: number,
  halfCycle: HalfCycle,
  cell: Cell,
  cycling: Cycling,
  { ends, nominal_mAh }: Scale,
): number | null {
  const passed_mAh = Math.abs(chargeAt(cycling, t_s) - chargeAt(cycling, halfCycle.start_s));
  if (nominal_mAh === null || Number.isNaN(passed_mAh)) return null;
  const before = cell.halfCycles.find(({ id, kind }) => id === halfCycle.id - 1 && kind === "charge");
  const since = halfCycle.kind === "charge" ? halfCycle : (before ?? halfCycle);
  if (!ends.get(since)!.lithiated) return null;
  return (halfCycle.kind === "charge" ? passed_mAh : since.charge_mAh - passed_mAh) / nominal_mAh;
}

function endsOf({ kind, start_s, end_s }: HalfCycle, { time_s, potential_V }: Cycling): Ends {
  const first = rowsBefore(time_s, start_s);
  const until = Math.max(first, rowsBefore(time_s, end_s));
  const from_V = median(potential_V.subarray(Math.max(0, first - ROWS_BEFORE), first));
  const to_V = median(potential_V.subarray(Math.max(first, until - ROWS_BEFORE), until));
  const between = (value: number, [low, high]: readonly [number, number]): boolean => value > low && value < high;
  return kind === "charge"
    ? { lithiated: !(from_V > PART.chargeFrom_V), delithiated: !between(to_V, PART.chargeTo_V) }
    : { lithiated: !(to_V > PART.dischargeTo_V), delithiated: !between(from_V, PART.dischargeFrom_V) };
}

/** How many rows lie before a time. */
function rowsBefore(time_s: Float64Array, at_s: number): number {
  let low = 0;
  let high = time_s.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (time_s[middle]! < at_s) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Median potential between two times; NaN where the record has no row. */
function potentialIn({ time_s, potential_V }: Cycling, from_s: number, to_s: number): number {
  return median(potential_V.subarray(rowsBefore(time_s, from_s), rowsBefore(time_s, to_s) + 1));
}

function chargeAt({ time_s, charge_mAh, current_mA }: Cycling, t_s: number): number {
  let row = 0;
  while (row < time_s.length - 1 && time_s[row]! < t_s) row++;
  const at_mAh = charge_mAh[row]!;
  const since_s = time_s[row]! - t_s;
  return since_s > 0 && row > 0 ? at_mAh - (current_mA[row]! * since_s) / SECONDS_PER_HOUR : at_mAh;
}

function logNormal(difference: number, sd: number): number {
  return -0.5 * (difference / sd) ** 2 - Math.log(sd);
}

/** The peak of the window's own kind; where the kind is not known, the one that shares the most time with the window. */
function matchingPeak(window: FoundWindow, kind: Kind, halfCycle: HalfCycle | null): CapacityPeak | null {
  if (halfCycle === null) return null;
  if (kind !== "unknown") {
    const names: readonly string[] = KINDS[kind].peaks;
    return halfCycle.peaks.find(({ name }) => names.includes(name)) ?? null;
  }
  const shared_s = ({ start_s, end_s }: CapacityPeak): number =>
    Math.min(end_s, window.end_s) - Math.max(start_s, window.start_s);
  const [best] = halfCycle.peaks.filter(({ name }) => name !== "").sort((a, b) => shared_s(b) - shared_s(a));
  return best !== undefined && shared_s(best) > 0 ? best : null;
}

function lagTo(
  peak: CapacityPeak | null,
  window: FoundWindow,
  clock: Clock,
  cycling: Cycling | null,
): Transition["lag_to_dQdV"] {
  if (peak === null || clock.source === "none") return null;
  const clock_s = clock.offset_s.sd;
  const sd_s = clock_s === null ? null : Math.hypot(window.sd_s, clock_s);
  const lag = (at_s: number, peak_s: number, counts: boolean): Estimate | null =>
    counts && Number.isFinite(at_s - peak_s) ? { value: at_s - peak_s, sd: sd_s, n: 1 } : null;
  /** Charge between two moments, and that of the moments' error at the current about the window's. */
  const charge = (at_s: number, peak_s: number, counts: boolean): Estimate | null => {
    if (!counts || cycling === null) return null;
    const [from_s, to_s] = at_s < peak_s ? [at_s, peak_s] : [peak_s, at_s];
    const between_mA = to_s > from_s ? Math.abs(meanCurrent(cycling, from_s, to_s)) : 0;
    const value = (Math.sign(at_s - peak_s) * between_mA * (to_s - from_s)) / SECONDS_PER_HOUR;
    if (!Number.isFinite(value)) return null;
    const near_mA = Math.abs(meanCurrent(cycling, at_s - (sd_s ?? 0) - 1, at_s + (sd_s ?? 0) + 1));
    return { value, sd: sd_s === null ? null : (near_mA * sd_s) / SECONDS_PER_HOUR, n: 1 };
  };
  // What the movie cut off has no time of its own.
  const begins = window.closed || window.start_s > window.movie_s[0];
  const ends = window.closed || window.end_s < window.movie_s[1];
  const middle_s = 0.5 * (window.start_s + window.end_s);
  return {
    peak: peak.name,
    start_s: lag(window.start_s, peak.start_s, begins),
    centre_s: lag(middle_s, peak.t_s, begins && ends),
    end_s: lag(window.end_s, peak.end_s, ends),
    start_mAh: charge(window.start_s, peak.start_s, begins),
    centre_mAh: charge(middle_s, peak.t_s, begins && ends),
    end_mAh: charge(window.end_s, peak.end_s, ends),
  };
}
