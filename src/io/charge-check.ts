/**
 * What a record counts of charge, energy and power, held against the integral of its current over its time.
 *
 * A unit that slipped shows as one factor throughout: 1000 (A for mA), 3600 (hours for seconds), 60 (minutes),
 * 3.6 (coulombs for mAh). Counters may begin anew with a step or a cycle and may count upwards both ways.
 */

/** What a column counts. */
export type CountedKind =
  /** Charge or energy with its sign, through the record. */
  | "running charge"
  | "running energy"
  /** Put in, taken out: counted upwards, often anew with a cycle or a step. */
  | "charge in"
  | "charge out"
  | "energy in"
  | "energy out"
  /** Charge since a step or a cycle began, with or without its sign. */
  | "step charge"
  /** Potential times current, at the row. */
  | "power";

/** A column that counts: mAh, mWh or mW, by its kind. */
export interface CountedColumn {
  readonly name: string;
  readonly kind: CountedKind;
  readonly values: Float64Array;
  /** False where the head names no unit and the usual one was taken. */
  readonly unitStated?: boolean;
}

/** What the current's own integral is made of. Rows in the order of time. */
export interface Measured {
  readonly time_s: Float64Array;
  readonly potential_V: Float64Array;
  readonly current_mA: Float64Array;
}

/** How a counter goes with the current. */
export interface ChargeVerdict {
  /** Counted over integral, by least squares over some two hundred stretches of rows. */
  readonly ratio: number;
  /** Part of the stretches with a current in which the factor is this one, within a half: a wrong unit is one throughout. */
  readonly follows: number;
}

// Rows that are far apart blur an integral; a wrong unit or sign does more than that.
const TOLERANCE = 3;
const FOLLOWS = 0.7;

/** Says where counters and the current's integral do not go together, over the whole record and in single steps. */
export function checkCharge(
  measured: Measured,
  counted: readonly CountedColumn[],
  say: (sentence: string) => void,
): void {
  const slipped = new Map<string, Slipped[]>();
  for (const column of counted) {
    const pairs = pairsOf(measured, column);
    const pair = pairs[bestIndex(pairs)]!;
    const verdict = verdictOf(pair);
    if (verdict === null || verdict.follows < FOLLOWS) continue;
    if (!agrees(verdict)) {
      const slip = slipOf(verdict.ratio);
      slipped.set(slip, [...(slipped.get(slip) ?? []), { column, ratio: verdict.ratio }]);
    } else if (column.kind !== "power") {
      const odd = oddSteps(measured, pair);
      if (odd !== null) say(`what ${column.name} counts and what the current passes differ ${odd}.`);
    }
  }
  for (const [slip, columns] of slipped) {
    const names = columns.map(({ column }) => column.name);
    const last = names.pop()!;
    const count = names.length === 0 ? `${last} counts` : `${names.join(", ")} and ${last} count`;
    const unitless = columns.every(({ column }) => column.unitStated === false)
      ? ", in the unit usual where a head names none,"
      : "";
    const factors = [...new Set(columns.map(({ ratio }) => short(ratio)))].join(", ");
    say(
      `${count}${unitless} ${factors} times what the current passes${slip}. ` +
        "The numbers are left as they are; check the units, charge and C-rates scale with the current.",
    );
  }
}

interface Slipped {
  readonly column: CountedColumn;
  readonly ratio: number;
}

/** How a running charge goes with the current; null where either is all zero, unknown, or there are too few rows. */
export function chargeVerdict(measured: Measured, charge_mAh: Float64Array): ChargeVerdict | null {
  return bestOf(pairsOf(measured, { name: "", kind: "running charge", values: charge_mAh }));
}

/** Whether a counter is the current's, to a factor that rows far apart may make. */
export function agrees({ ratio, follows }: ChargeVerdict): boolean {
  return follows > 0.5 && ratio > 1 / TOLERANCE && ratio < TOLERANCE;
}

/** One reading of a counter: what it gained and what the current passed, up to each row. */
interface Pair {
  readonly counted: Float64Array;
  readonly passed: Float64Array;
  /** Compared row by row and not by what is gained. */
  readonly direct?: boolean;
}

function pairsOf({ time_s, potential_V, current_mA }: Measured, { kind, values }: CountedColumn): Pair[] {
  const integral = (of: (row: number) => number): Float64Array => {
    const sum = new Float64Array(time_s.length);
    for (let row = 1; row < sum.length; row++) {
      const passed = (0.5 * (of(row - 1) + of(row)) * (time_s[row]! - time_s[row - 1]!)) / 3600;
      sum[row] = sum[row - 1]! + (Number.isFinite(passed) ? passed : 0);
    }
    return sum;
  };
  const current = (row: number): number => current_mA[row]!;
  const power = (row: number): number => current_mA[row]! * potential_V[row]!;
  const positive = (of: (row: number) => number, sign: number) => (row: number) => Math.max(0, sign * of(row));
  switch (kind) {
    case "running charge":
      return [{ counted: values, passed: integral(current) }];
    case "running energy":
      return [{ counted: values, passed: integral(power) }];
    case "charge in":
    case "charge out":
      return [{ counted: gained(values), passed: integral(positive(current, kind === "charge in" ? 1 : -1)) }];
    case "energy in":
    case "energy out":
      return [{ counted: gained(values), passed: integral(positive(power, kind === "energy in" ? 1 : -1)) }];
    case "step charge":
      return [
        { counted: gained(values), passed: integral((row) => Math.abs(current_mA[row]!)) },
        { counted: signedGains(values), passed: integral(current) },
      ];
    case "power":
      return [{ counted: values, passed: Float64Array.from(time_s, (_, row) => power(row)), direct: true }];
  }
}

/** The sum of a counter's rises; what falls began anew at 0. */
function gained(column: Float64Array): Float64Array {
  const sum = new Float64Array(column.length);
  for (let row = 1; row < sum.length; row++) {
    const rise = column[row]! - column[row - 1]!;
    const passed = rise >= 0 ? rise : column[row]!;
    sum[row] = sum[row - 1]! + (Number.isFinite(passed) ? passed : 0);
  }
  return sum;
}

/** The sum of a counter's steps either way; what jumps to nearly 0 began anew. */
function signedGains(column: Float64Array): Float64Array {
  const sum = new Float64Array(column.length);
  for (let row = 1; row < sum.length; row++) {
    const [before, value] = [column[row - 1]!, column[row]!];
    const anew = Math.abs(value) < 0.05 * Math.abs(before);
    const passed = anew ? value : value - before;
    sum[row] = sum[row - 1]! + (Number.isFinite(passed) ? passed : 0);
  }
  return sum;
}

const STRETCHES = 200;
const ALIKE = 1.5;
// Of fewer stretches with a current nothing is said: one row's noise would speak.
const DRIVEN = 5;

function verdictOf({ counted, passed, direct }: Pair): ChargeVerdict | null {
  const stretch = direct === true ? 1 : Math.max(1, Math.floor(counted.length / STRETCHES));
  const gains = (column: Float64Array): Float64Array =>
    direct === true
      ? column
      : Float64Array.from({ length: Math.max(0, Math.floor((column.length - 1) / stretch)) }, (_, at) => {
          return column[(at + 1) * stretch]! - column[at * stretch]!;
        });
  const [x, y] = [gains(passed), gains(counted)];
  let [xx, xy, driven, alike] = [0, 0, 0, 0];
  const use = (at: number): boolean => Number.isFinite(x[at]!) && Number.isFinite(y[at]!) && x[at] !== 0;
  for (let at = 0; at < x.length; at++) {
    if (!use(at)) continue;
    driven++;
    xx += x[at]! * x[at]!;
    xy += x[at]! * y[at]!;
  }
  const ratio = xy / xx;
  if (driven < DRIVEN || !Number.isFinite(ratio) || ratio === 0) return null;
  for (let at = 0; at < x.length; at++) {
    if (!use(at)) continue;
    const relative = y[at]! / x[at]! / ratio;
    if (relative > 1 / ALIKE && relative < ALIKE) alike++;
  }
  return { ratio, follows: alike / driven };
}

function bestIndex(pairs: readonly Pair[]): number {
  const follows = pairs.map((pair) => verdictOf(pair)?.follows ?? -1);
  return follows.indexOf(Math.max(...follows));
}

function bestOf(pairs: readonly Pair[]): ChargeVerdict | null {
  return verdictOf(pairs[bestIndex(pairs)]!);
}

const slips: readonly (readonly [factor: number, more: string, less: string])[] = [
  [
    1000,
    "a unit is wrong by a factor of 1000: the current is 1000 times too small, as where A was written for mA, or the count too large",
    "a unit is wrong by a factor of 1000: the current is 1000 times too large, as where mA was written for A, or the count too small",
  ],
  [1e6, "a unit is wrong by a factor of a million (A for µA)", "a unit is wrong by a factor of a million (µA for A)"],
  [
    3600,
    "a unit is wrong by a factor of 3600: time was counted in hours, or the count in ampere-seconds",
    "a unit is wrong by a factor of 3600: time is 3600 times too long, as where seconds were taken for hours",
  ],
  [
    60,
    "a unit is wrong by a factor of 60: time was counted in minutes",
    "a unit is wrong by a factor of 60: time is 60 times too long, as where seconds were taken for minutes",
  ],
  [3.6, "coulombs may have been written for mAh (3.6)", "mAh may have been written for coulombs (3.6)"],
];

/** What a factor says of the units; "" where it is none that is known. */
function slipOf(ratio: number): string {
  const size = Math.abs(ratio);
  const found = slips.find(([factor]) => Math.abs(Math.max(size, 1 / size) / factor - 1) < (factor < 10 ? 0.1 : 0.2));
  const slip = found === undefined ? "" : `: ${size >= 1 ? found[1] : found[2]}`;
  return ratio < 0 ? `, and with the other sign${slip}` : slip;
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}

const STEP_ROWS = 10;

/** Steps of one direction in which a counter and the integral differ threefold; null where none does. */
function oddSteps({ time_s, current_mA }: Measured, { counted, passed }: Pair): string | null {
  const steps: { first: number; last: number }[] = [];
  let first = 0;
  for (let row = 1; row <= current_mA.length; row++) {
    if (row < current_mA.length && Math.sign(current_mA[row]!) === Math.sign(current_mA[first]!)) continue;
    if (row - first >= STEP_ROWS) steps.push({ first, last: row - 1 });
    first = row;
  }
  const gain = (column: Float64Array, step: { first: number; last: number }): number =>
    column[step.last]! - column[step.first]!;
  const size = (step: { first: number; last: number }): number =>
    Math.max(Math.abs(gain(passed, step)), Math.abs(gain(counted, step)));
  const largest = steps.reduce((most, step) => Math.max(most, size(step)), 0);
  const large = steps.filter((step) => size(step) > 0.1 * largest);
  const differ = (c: number, p: number): boolean => !(c / p > 1 / TOLERANCE && c / p < TOLERANCE);
  const odd = large.filter((step) => {
    if (!differ(gain(counted, step), gain(passed, step))) return false;
    // What passed between two rows, unlogged, is no wrong unit: that would differ between all of them.
    const [c, p] = withoutWorst(counted, passed, step);
    return Math.max(Math.abs(c), Math.abs(p)) > 0.1 * size(step) && differ(c, p);
  });
  if (odd.length === 0 || large.length < 2) return null;
  const from = Number(time_s[odd[0]!.first]!.toPrecision(7));
  return `more than ${TOLERANCE}-fold in ${odd.length} of ${large.length} steps, first in that from ${from} s`;
}

/** What was counted and passed in a step but for the two rows between which they differ most. */
function withoutWorst(
  counted: Float64Array,
  passed: Float64Array,
  { first, last }: { first: number; last: number },
): [counted: number, passed: number] {
  let worst = { c: 0, p: 0 };
  for (let row = first + 1; row <= last; row++) {
    const [c, p] = [counted[row]! - counted[row - 1]!, passed[row]! - passed[row - 1]!];
    if (Math.abs(c - p) > Math.abs(worst.c - worst.p)) worst = { c, p };
  }
  return [counted[last]! - counted[first]! - worst.c, passed[last]! - passed[first]! - worst.p];
}
