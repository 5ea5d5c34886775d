/** Current and charge of a table of text held against each other, its states and its twins: signs and units that slipped. */
import { integrateCurrent, stepsBack } from "./cycling-record.js";

/**
 * The current with its sign: cyclers that log its size alone tell the direction by a state, -1 where they discharge.
 * A current that is negative anywhere has its sign already.
 */
export function signedCurrent(
  current_mA: Float64Array | null,
  state: Float64Array | null,
  say: (sentence: string) => void,
): Float64Array | null {
  if (current_mA === null || state === null || current_mA.some((value) => value < 0)) return current_mA;
  let discharging = 0;
  for (let row = 0; row < state.length; row++) if (state[row]! < 0 && current_mA[row]! > 0) discharging++;
  if (discharging === 0) return current_mA;
  say(`the current has no sign: it was made negative in the ${discharging} rows whose state is discharge.`);
  return current_mA.map((value, row) => (state[row]! < 0 ? -value : value));
}

/** Says where a file holds the same current twice, in different sizes: one of the units is wrong. */
export function compareCurrents(
  current_mA: Float64Array | null,
  second_mA: Float64Array | null,
  names: readonly [string, string],
  say: (sentence: string) => void,
): void {
  if (current_mA === null || second_mA === null) return;
  const ratio = slope(current_mA, second_mA);
  if (ratio === null || Math.abs(ratio - 1) < 0.01) return;
  const [first, second] = names;
  say(
    `the column ${second} holds ${Number(ratio.toPrecision(4))} times the current of ${first}: the unit of one is wrong. ` +
      `${first} was used; charge and C-rates scale with it.`,
  );
}

/** What a file counts of charge, in mAh; null where it does not. */
export interface CountedCharge {
  /** With a sign, through the whole record. */
  readonly running_mAh: Float64Array | null;
  /** Put in and taken out, each counted upwards and often from 0 again in each cycle. */
  readonly in_mAh: Float64Array | null;
  readonly out_mAh: Float64Array | null;
}

/**
 * The file's running charge where it runs with the current; null where the integral of the current is to be taken.
 * Says where what the file counts and the integral of its current differ by more than a factor of three.
 */
export function runningCharge(
  { running_mAh, in_mAh, out_mAh }: CountedCharge,
  time_s: Float64Array,
  current_mA: Float64Array | null,
  say: (sentence: string) => void,
): Float64Array | null {
  if (current_mA === null || stepsBack(time_s) > 0) return running_mAh;
  const counted = running_mAh ?? netCharge(in_mAh, out_mAh);
  if (counted === null) return null;
  const ratio = slope(risesOf(integrateCurrent(time_s, current_mA)), risesOf(counted));
  // Rows that are far apart blur the integral; a wrong unit or sign does more than that.
  if (ratio === null || (ratio > 1 / 3 && ratio < 3)) return running_mAh;
  const slip = Math.abs(Math.abs(Math.log10(Math.abs(ratio))) - 3) < 0.1;
  say(
    `the charge it counts is ${Number(ratio.toPrecision(3))} times the integral of its current` +
      (slip ? ": a unit is wrong by a factor of 1000" : "") +
      ". The integral was taken; check the units, C-rates scale with the current.",
  );
  return null;
}

/** Charge in minus charge out, each of which may begin anew at 0 with a cycle or a step. */
function netCharge(chargeIn: Float64Array | null, chargeOut: Float64Array | null): Float64Array | null {
  if (chargeIn === null || chargeOut === null) return null;
  const net = new Float64Array(chargeIn.length);
  for (let row = 1; row < net.length; row++) {
    net[row] = net[row - 1]! + gain(chargeIn, row) - gain(chargeOut, row);
  }
  return net;
}

function gain(column: Float64Array, row: number): number {
  const rise = column[row]! - column[row - 1]!;
  const passed = rise >= 0 ? rise : column[row]!;
  return Number.isNaN(passed) ? 0 : passed;
}

/** What a column gains over each of some two hundred stretches of rows. */
function risesOf(column: Float64Array): Float64Array {
  const stretch = Math.max(1, Math.floor(column.length / 200));
  const count = Math.floor((column.length - 1) / stretch);
  return Float64Array.from(
    { length: Math.max(0, count) },
    (_, at) => column[(at + 1) * stretch]! - column[at * stretch]!,
  );
}

/** The factor from one column to another by least squares; null where either is all zero or unknown. */
function slope(from: Float64Array, to: Float64Array): number | null {
  let xx = 0;
  let xy = 0;
  for (let at = 0; at < from.length; at++) {
    const [x, y] = [from[at]!, to[at]!];
    if (!Number.isFinite(x) || !Number.isFinite(y)) continue;
    xx += x * x;
    xy += x * y;
  }
  return xx === 0 || xy === 0 ? null : xy / xx;
}
