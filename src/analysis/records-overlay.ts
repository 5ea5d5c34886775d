/** Two cyclers' records laid over each other: capacity, peaks and polarisation of half cycles at the same rate. */
import type { Cycling, DifferentialCapacity, HalfCycle } from "../model/cycling.js";
import type { Estimate } from "../model/experiment.js";
import { SECONDS_PER_HOUR } from "../model/units.js";

/** One cell's record, made into half cycles. */
export interface OverlaidRecord {
  readonly name: string;
  readonly cycling: Cycling;
  readonly halfCycles: readonly HalfCycle[];
  readonly curves: readonly DifferentialCapacity[];
}

/** A half cycle of each record, of one kind and nearly one rate. */
export interface OverlaidPair {
  readonly kind: HalfCycle["kind"];
  /** Their numbers in each record. */
  readonly halfCycles: readonly [number, number];
  /** 1 / hours that each took: its rate by its own charge. */
  readonly rate_per_h: readonly [number, number];
  readonly charge_mAh: readonly [number, number];
  /** Second potential less first at equal shares of the charge passed: mean, and standard deviation along the way. */
  readonly offset_mV: number;
  readonly spread_mV: number;
  /** Peaks that both have. */
  readonly peaks: readonly { readonly name: string; readonly potential_V: readonly [number, number] }[];
}

/** One curve on its own share of charge. */
export interface ShareCurve {
  readonly share: Float64Array;
  readonly potential_V: Float64Array;
}

/** What an overlay says; every number is the second record's less, or over, the first's. */
export interface RecordsOverlay {
  readonly names: readonly [string, string];
  readonly pairs: readonly OverlaidPair[];
  /** Charge of the second over that of the first; without masses it says nothing of the material. */
  readonly capacity_ratio: Readonly<Record<HalfCycle["kind"], Estimate | null>>;
  /** By name and kind: "I", charge. */
  readonly peak_shift_mV: readonly {
    readonly name: string;
    readonly kind: HalfCycle["kind"];
    readonly shift: Estimate;
  }[];
  /** Half of what the mean potential of a charge lies above that of the discharge after it, of each record. */
  readonly polarisation_mV: readonly [Estimate | null, Estimate | null];
  /** Half cycles that have no partner at their rate. */
  readonly unmatched: readonly [number, number];
}

/** Rates whose ratio is farther off than this are not compared. */
const RATE_RATIO = 1.2;
/** Shares of the charge at which potentials are compared; the ends, where they run away, are left out. */
const SHARES = 101;
const [FIRST_SHARE, LAST_SHARE] = [0.05, 0.95];
/** A half cycle with less than this share of its record's greatest charge is none. */
const LEAST_CHARGE = 0.2;

/**
 * Lays a second record over a first. Half cycles of one kind whose rates (1 / hours each took) differ by no more than a
 * fifth are paired, in their order, each once, the nearest rate first. Potentials are compared at equal shares of the charge
 * of each half cycle, from 5 to 95 %. An estimate is the mean over pairs (over cycles for the polarisation), its sd the
 * scatter over the root of their number; one pair has none.
 */
export function overlayRecords(first: OverlaidRecord, second: OverlaidRecord): RecordsOverlay {
  const own = [full(first), full(second)] as const;
  const taken = new Set<number>();
  const pairs: OverlaidPair[] = [];
  for (const one of own[0]) {
    const other = own[1]
      .filter(({ id, kind }) => kind === one.kind && !taken.has(id))
      .map((candidate) => ({ candidate, apart: Math.abs(Math.log(rateOf(candidate) / rateOf(one))) }))
      .filter(({ apart }) => apart <= Math.log(RATE_RATIO))
      // Nearly the same rate: then the order of the cycles decides.
      .sort((a, b) => Math.round(a.apart / 0.05) - Math.round(b.apart / 0.05) || a.candidate.id - b.candidate.id)[0];
    if (other === undefined) continue;
    taken.add(other.candidate.id);
    const pair = compared(first, one, second, other.candidate);
    if (pair !== null) pairs.push(pair);
  }
  const ratio = (kind: HalfCycle["kind"]): Estimate | null =>
    meanOf(pairs.filter((pair) => pair.kind === kind).map(({ charge_mAh: [a, b] }) => b / a));
  const named = new Map<string, { name: string; kind: HalfCycle["kind"]; shifts: number[] }>();
  for (const { kind, peaks } of pairs) {
    for (const { name, potential_V } of peaks) {
      const at = named.get(`${name} ${kind}`) ?? { name, kind, shifts: [] };
      at.shifts.push(1000 * (potential_V[1] - potential_V[0]));
      named.set(`${name} ${kind}`, at);
    }
  }
  return {
    names: [first.name, second.name],
    pairs,
    capacity_ratio: { charge: ratio("charge"), discharge: ratio("discharge") },
    peak_shift_mV: [...named.values()].map(({ name, kind, shifts }) => ({ name, kind, shift: meanOf(shifts)! })),
    polarisation_mV: [
      polarisation(
        first,
        pairs.map((pair) => pair.halfCycles[0]),
      ),
      polarisation(
        second,
        pairs.map((pair) => pair.halfCycles[1]),
      ),
    ],
    unmatched: [own[0].length - pairs.length, own[1].length - pairs.length],
  };
}

function full({ halfCycles }: OverlaidRecord): HalfCycle[] {
  const most = Math.max(0, ...halfCycles.map(({ charge_mAh }) => charge_mAh));
  return halfCycles.filter(({ charge_mAh }) => charge_mAh >= LEAST_CHARGE * most && charge_mAh > 0);
}

/** Rate of a half cycle by its own charge, 1 / hours. */
export function rateOf({ start_s, end_s }: Pick<HalfCycle, "start_s" | "end_s">): number {
  return SECONDS_PER_HOUR / (end_s - start_s);
}

function compared(first: OverlaidRecord, a: HalfCycle, second: OverlaidRecord, b: HalfCycle): OverlaidPair | null {
  const [curveA, curveB] = [shareCurve(first.cycling, a), shareCurve(second.cycling, b)];
  if (curveA === null || curveB === null) return null;
  const differences: number[] = [];
  for (let at = 0; at < SHARES; at++) {
    const share = curveA.share[at]!;
    const difference = 1000 * (curveB.potential_V[at]! - curveA.potential_V[at]!);
    if (share >= FIRST_SHARE && share <= LAST_SHARE && Number.isFinite(difference)) differences.push(difference);
  }
  if (differences.length === 0) return null;
  const mean = differences.reduce((sum, one) => sum + one / differences.length, 0);
  return {
    kind: a.kind,
    halfCycles: [a.id, b.id],
    rate_per_h: [rateOf(a), rateOf(b)],
    charge_mAh: [a.charge_mAh, b.charge_mAh],
    offset_mV: mean,
    spread_mV: Math.sqrt(differences.reduce((sum, one) => sum + (one - mean) ** 2 / differences.length, 0)),
    peaks: a.peaks.flatMap(({ name, potential_V }) => {
      const other = b.peaks.find((peak) => peak.name === name);
      return name === "" || other === undefined
        ? []
        : [{ name, potential_V: [potential_V, other.potential_V] as const }];
    }),
  };
}

/** Potential at even shares of the charge of a half cycle; null where the record does not tell its charge. */
export function shareCurve({ time_s, potential_V, charge_mAh }: Cycling, half: HalfCycle): ShareCurve | null {
  const rows = [...time_s.keys()].filter(
    (row) =>
      time_s[row]! >= half.start_s &&
      time_s[row]! <= half.end_s &&
      Number.isFinite(charge_mAh[row]! + potential_V[row]!),
  );
  if (rows.length < 3) return null;
  const from = charge_mAh[rows[0]!]!;
  const span = charge_mAh[rows.at(-1)!]! - from;
  if (span === 0) return null;
  const share = Float64Array.from({ length: SHARES }, (_, at) => at / (SHARES - 1));
  const potential = new Float64Array(SHARES).fill(NaN);
  let row = 0;
  for (let at = 0; at < SHARES; at++) {
    const passed = (k: number): number => (charge_mAh[rows[k]!]! - from) / span;
    while (row + 1 < rows.length - 1 && passed(row + 1) < share[at]!) row++;
    const [low, high] = [passed(row), passed(row + 1)];
    const part = high > low ? Math.min(1, Math.max(0, (share[at]! - low) / (high - low))) : 0;
    potential[at] = potential_V[rows[row]!]! + part * (potential_V[rows[row + 1]!]! - potential_V[rows[row]!]!);
  }
  return { share, potential_V: potential };
}

function polarisation(record: OverlaidRecord, used: readonly number[]): Estimate | null {
  const halves: number[] = [];
  for (const charge of record.halfCycles) {
    const discharge = record.halfCycles.find(({ id, kind }) => id === charge.id + 1 && kind === "discharge");
    if (charge.kind !== "charge" || discharge === undefined) continue;
    if (!used.includes(charge.id) || !used.includes(discharge.id)) continue;
    const [up, down] = [shareCurve(record.cycling, charge), shareCurve(record.cycling, discharge)];
    if (up === null || down === null) continue;
    halves.push((1000 * (meanWithin(up) - meanWithin(down))) / 2);
  }
  return meanOf(halves);
}

/** Mean potential over the charge from 5 to 95 %. */
function meanWithin({ share, potential_V }: ShareCurve): number {
  const own = potential_V.filter((_, at) => share[at]! >= FIRST_SHARE && share[at]! <= LAST_SHARE);
  return own.reduce((sum, one) => sum + one / own.length, 0);
}

function meanOf(values: readonly number[]): Estimate | null {
  const n = values.length;
  if (n === 0) return null;
  const value = values.reduce((sum, one) => sum + one / n, 0);
  const variance = values.reduce((sum, one) => sum + (one - value) ** 2, 0) / (n - 1);
  return { value, sd: n < 2 ? null : Math.sqrt(variance / n), n };
}
