/** The record's half cycles: alternating charges and discharges. */
import type { Cycling, CyclingStep, HalfCycle } from "../model/cycling.js";
import type { CellFacts } from "../model/experiment.js";
import { SECONDS_PER_HOUR } from "../model/units.js";
import { directionOf, knownCurrent } from "./cycling-steps.js";

export { findSteps } from "./cycling-steps.js";

/**
 * A stretch against its neighbours that passes less than this share of either's charge is a pulse, not a half cycle:
 * had it been one, the next could not have passed so much more.
 */
const PULSE_SHARE = 0.05;
/** Rows further apart than so many usual intervals have a pause between them. */
const PAUSE_INTERVALS = 5;
/** Driven stretches that pass less than this share of the largest are none. */
const TRACE_SHARE = 0.001;

/**
 * Half cycles: alternating charges and discharges, each from its first to its last driven row, its hold included. Where
 * the current changed between two rows, the charge that passed between them tells when.
 *
 * Rests between stretches of one direction do not part them, nor do pulses the other way that pass less than 5 % of
 * either neighbour's charge. A charge begins a new cycle; a discharge shares the number of the charge before it; a
 * record that begins with a discharge has it alone in cycle 1. `charge_mAh` is a magnitude, pulses deducted. `rate_C`
 * is the mean current while it was imposed (not while the potential was held) over the nominal capacity: `nominal_mAh`,
 * else active mass times `nominal_mAh_g`.
 */
export function findHalfCycles(
  cycling: Cycling,
  steps: readonly CyclingStep[],
  cell: Pick<CellFacts, "active_mass_mg" | "nominal_mAh_g" | "nominal_mAh">,
): HalfCycle[] {
  const nominal_mAh =
    cell.nominal_mAh ?? (cell.active_mass_mg === null ? null : (cell.active_mass_mg / 1000) * cell.nominal_mAh_g);
  const current_mA = knownCurrent(cycling) ?? new Float64Array(cycling.time_s.length);
  const halfCycles: HalfCycle[] = [];
  for (const group of alternating(steps)) {
    const kind = group.sign > 0 ? "charge" : "discharge";
    const own = group.steps;
    const imposed = own.filter(({ kind }) => kind !== "hold");
    const before = halfCycles.at(-1);
    const [first, last] = [steps.indexOf(own[0]!), steps.indexOf(own.at(-1)!)];
    const start = change(cycling, current_mA, steps[first - 1], steps[first]!) ?? rowOf(cycling, own[0]!.first);
    const end = change(cycling, current_mA, steps[last]!, steps[last + 1]) ?? rowOf(cycling, own.at(-1)!.last);
    const passed_mAh = end.charge_mAh - start.charge_mAh;
    const charge_mAh = Math.abs(Number.isFinite(passed_mAh) ? passed_mAh : group.charge_mAh);
    halfCycles.push({
      id: halfCycles.length,
      cycle: before === undefined ? 1 : before.cycle + (kind === "charge" ? 1 : 0),
      kind,
      start_s: start.time_s,
      end_s: end.time_s,
      rate_C: nominal_mAh === null ? null : meanCurrent_mA(imposed.length > 0 ? imposed : own) / nominal_mAh,
      charge_mAh,
      efficiency: kind === "discharge" && before?.kind === "charge" ? charge_mAh / before.charge_mAh : null,
      peaks: [],
    });
  }
  return halfCycles;
}

/** Time and charge at one moment of the record. */
interface Moment {
  readonly time_s: number;
  readonly charge_mAh: number;
}

function rowOf({ time_s, charge_mAh }: Cycling, row: number): Moment {
  return { time_s: time_s[row]!, charge_mAh: charge_mAh[row]! };
}

/**
 * When the current changed between the last row of one step and the first of the next, from the charge between the two:
 *
 *     dQ = I_before a + I_after b,  a + b = dt
 *
 * A charge that was integrated from sampled currents puts it midway. Null at the record's ends, across a pause, and
 * where the charge is not known.
 */
function change(
  { time_s, charge_mAh }: Cycling,
  current_mA: Float64Array,
  before: CyclingStep | undefined,
  after: CyclingStep | undefined,
): Moment | null {
  if (before === undefined || after === undefined) return null;
  const gap_s = time_s[after.first]! - time_s[before.last]!;
  const usual_s = Math.max(usualInterval_s(time_s, before), usualInterval_s(time_s, after));
  if (!(gap_s > 0 && gap_s <= PAUSE_INTERVALS * usual_s)) return null;
  const before_mA = before.kind === "rest" ? 0 : current_mA[before.last]!;
  // The first row's current may be the mean over the change.
  const after_mA = after.kind === "rest" ? 0 : current_mA[Math.min(after.first + 1, after.last)]!;
  const passed_mAs = SECONDS_PER_HOUR * (charge_mAh[after.first]! - charge_mAh[before.last]!);
  const since_s = (passed_mAs - before_mA * gap_s) / (after_mA - before_mA);
  if (!Number.isFinite(since_s)) return null;
  const driven_s = Math.min(gap_s, Math.max(0, since_s));
  return {
    time_s: time_s[after.first]! - driven_s,
    charge_mAh: charge_mAh[after.first]! - (after_mA * driven_s) / SECONDS_PER_HOUR,
  };
}

function usualInterval_s(time_s: Float64Array, { first, last }: CyclingStep): number {
  return last > first ? (time_s[last]! - time_s[first]!) / (last - first) : 0;
}

interface Group {
  sign: -1 | 1;
  steps: CyclingStep[];
  charge_mAh: number;
}

/**
 * Driven steps gathered into groups of alternating direction; pulses and traces of charge are no groups of their own.
 */
function alternating(steps: readonly CyclingStep[]): Group[] {
  const driven: Group[] = [];
  for (const step of steps) {
    const sign = directionOf(step);
    if (sign !== 0) driven.push({ sign, steps: [step], charge_mAh: step.charge_mAh });
  }
  let groups = joined(driven);
  const largest_mAh = Math.max(0, ...groups.map(({ charge_mAh }) => Math.abs(charge_mAh)));
  const size = (group: Group | undefined): number => (group === undefined ? 0 : Math.abs(group.charge_mAh));
  for (;;) {
    const pulse = groups.findIndex((group, at) => {
      if (size(group) <= TRACE_SHARE * largest_mAh) return true;
      return size(group) < PULSE_SHARE * Math.min(size(groups[at - 1]), size(groups[at + 1]));
    });
    if (pulse < 0) return groups;
    groups = joined(groups.filter((_, at) => at !== pulse));
  }
}

function joined(groups: readonly Group[]): Group[] {
  const all: Group[] = [];
  for (const group of groups) {
    const before = all.at(-1);
    if (before === undefined || before.sign !== group.sign) all.push({ ...group, steps: [...group.steps] });
    else {
      before.steps.push(...group.steps);
      before.charge_mAh += group.charge_mAh;
    }
  }
  return all;
}

function meanCurrent_mA(steps: readonly CyclingStep[]): number {
  let sum = 0;
  let weight = 0;
  for (const { start_s, end_s, mean_current_mA } of steps) {
    sum += mean_current_mA * (end_s - start_s);
    weight += end_s - start_s;
  }
  return Math.abs(weight > 0 ? sum / weight : steps[0]!.mean_current_mA);
}
