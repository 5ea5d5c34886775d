/** The order through time: steps of RKL2 that control their length, and the passage of fronts. */
import { refuse } from "./check.js";
import { findWalls, type OrderingCells } from "./ordering-cells.js";
import { fastestOrdering, orderingRate, type OrderingLaw } from "./ordering-kernel.js";
import { MOST_STAGES, rkl2, stableStep, stagesFor } from "./super-time-stepping.js";

/** Orders of a particle and where they are in time. Fields stand one after another. */
export interface OrderingStepper {
  readonly cells: OrderingCells;
  law: OrderingLaw;
  t_s: number;
  eta: Float64Array;
  last: Float64Array;
  before: Float64Array;
  readonly rate: Float64Array;
  readonly now: Float64Array;
  /** Length of the next step, s. */
  next_s: number;
}

/** Largest change of an order that a step aims at; at four times as much it is done again, half as long. */
const AIM = 0.1;
const REDO = 4;
const FIRST_STEP_s = 0.01;
/** A step that is shorter, as a share of the fastest decay's time, moves nothing: what it gave is no number. */
const LEAST_SHARE = 1e-9;

/** A stepper at t_s, all disordered. */
export function orderingStepper(cells: OrderingCells, law: OrderingLaw, t_s: number): OrderingStepper {
  const make = (): Float64Array => new Float64Array(3 * cells.count);
  return {
    cells,
    law,
    t_s,
    eta: make(),
    last: make(),
    before: make(),
    rate: make(),
    now: make(),
    next_s: FIRST_STEP_s,
  };
}

/**
 * One step under the drive D / W through time, which ends at until_s at the latest; `last` keeps the orders before it.
 * Throws ParameterError where the orders are no numbers.
 */
export function stepOrdering(stepper: OrderingStepper, driveAt: (t_s: number) => number, until_s: number): void {
  const { cells, law, rate } = stepper;
  const from_s = stepper.t_s;
  findWalls(cells, stepper.eta);
  let dt_s = Math.min(stepper.next_s, until_s - from_s);
  for (;;) {
    const drive = driveAt(from_s + dt_s / 2);
    orderingRate(cells, law, drive, stepper.eta, rate);
    const lambda = fastestOrdering(cells, law, drive);
    dt_s = Math.min(dt_s, stableStep(lambda, MOST_STAGES));
    stride(stepper, drive, dt_s, stagesFor(lambda, dt_s));
    const change = largestChange(stepper.last, stepper.eta);
    if (change <= REDO * AIM) {
      const wished_s = dt_s * Math.min(2, (0.9 * AIM) / Math.max(change, 1e-300));
      // A step cut short by until_s says little about the next.
      stepper.next_s = dt_s < stepper.next_s ? Math.max(wished_s, Math.min(stepper.next_s, 2 * wished_s)) : wished_s;
      break;
    }
    if (!(dt_s * lambda > LEAST_SHARE)) {
      refuse("delta_um", law.delta_um, "The order moves too fast to be followed. Give a wider front, or slower ones");
    }
    dt_s /= 2;
    stepper.next_s = dt_s;
  }
  const { eta, last } = stepper;
  stepper.eta = last;
  stepper.last = eta;
  stepper.t_s = dt_s === until_s - from_s ? until_s : from_s + dt_s;
}

/** The stages of one step from `eta`; the result stands in `last`. */
function stride(stepper: OrderingStepper, drive: number, dt_s: number, stages: number): void {
  const { cells, law, eta, rate, now } = stepper;
  const { mu, nu, muTilde, gammaTilde } = rkl2(stages);
  let last = stepper.last;
  let before = stepper.before;
  const first_s = muTilde[1]! * dt_s;
  for (let at = 0; at < eta.length; at++) {
    before[at] = eta[at]!;
    last[at] = eta[at]! + first_s * rate[at]!;
  }
  for (let stage = 2; stage <= stages; stage++) {
    orderingRate(cells, law, drive, last, now);
    const onLast = mu[stage]!;
    const onBefore = nu[stage]!;
    const onStart = 1 - onLast - onBefore;
    const onNow_s = muTilde[stage]! * dt_s;
    const onRate_s = gammaTilde[stage]! * dt_s;
    for (let at = 0; at < eta.length; at++) {
      before[at] =
        onLast * last[at]! + onBefore * before[at]! + onStart * eta[at]! + onNow_s * now[at]! + onRate_s * rate[at]!;
    }
    [last, before] = [before, last];
  }
  stepper.last = last;
  stepper.before = before;
}

function largestChange(one: Float64Array, other: Float64Array): number {
  let largest = 0;
  for (let at = 0; at < one.length; at++) {
    const change = Math.abs(one[at]! - other[at]!);
    // Not a number is larger than any.
    if (!(change <= largest)) largest = change;
  }
  return largest;
}

/**
 * Notes the first passage of half order, upwards or downwards, of each cell that has none yet, straight in time between
 * `from_s` and the stepper's time; `last` holds the orders before, `eta` those after.
 */
export function notePassage(
  { cells: { count }, last, eta, t_s }: OrderingStepper,
  from_s: number,
  upwards: boolean,
  arrival_s: Float64Array,
): void {
  for (let at = 0; at < count; at++) {
    if (!Number.isNaN(arrival_s[at]!)) continue;
    const before = last[at]! + last[count + at]! + last[2 * count + at]!;
    const after = eta[at]! + eta[count + at]! + eta[2 * count + at]!;
    if (upwards ? before < 0.5 && after >= 0.5 : before >= 0.5 && after < 0.5) {
      arrival_s[at] = from_s + ((0.5 - before) / (after - before)) * (t_s - from_s);
    }
  }
}

/** Notes the cells that a change at one moment, of a planted nucleus, has taken past half order. */
export function noteJump(
  before: Float64Array,
  after: Float64Array,
  t_s: number,
  upwards: boolean,
  arrival_s: Float64Array,
): void {
  const count = arrival_s.length;
  for (let at = 0; at < count; at++) {
    const was = before[at]! + before[count + at]! + before[2 * count + at]! >= 0.5;
    const is = after[at]! + after[count + at]! + after[2 * count + at]! >= 0.5;
    if (was !== is && is === upwards && Number.isNaN(arrival_s[at]!)) arrival_s[at] = t_s;
  }
}

/** Share of cells that are more ordered than not. */
export function orderedFraction(count: number, eta: Float64Array): number {
  let ordered = 0;
  for (let at = 0; at < count; at++) if (eta[at]! + eta[count + at]! + eta[2 * count + at]! >= 0.5) ordered++;
  return ordered / count;
}
