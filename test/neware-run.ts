/** Runs of a Neware cycler whose times, currents and charges are known, as rows to store and as numbers. */
import * as fc from "fast-check";
import type { NewareRow } from "./neware-builder.js";

/** One step of a run: rows at an even interval, the last one after another time. */
export interface RunStep {
  readonly kind: "charge" | "discharge" | "rest";
  /** At least 2. */
  readonly rows: number;
  readonly interval_ms: number;
  readonly last_ms: number;
  /** Counts of the current range, without sign. */
  readonly current: number;
  /** The test stands still for so long before the step's last row. */
  readonly pause_ms?: number;
}

export interface Run {
  readonly rows: readonly NewareRow[];
  /** Since the first row, on the wall clock. */
  readonly time_s: readonly number[];
  readonly potential_V: readonly number[];
  readonly current_mA: readonly number[];
  readonly charge_mAh: readonly number[];
  readonly cycles: number;
}

const statuses = { charge: 1, discharge: 2, rest: 4 } as const;

/** The rows of a run that starts at a time (ms since 1970), one count of current being so many mA. */
export function newareRun(steps: readonly RunStep[], start_ms: number, unit_mA: number): Run {
  const rows: NewareRow[] = [];
  const charge_mAh: number[] = [];
  let stamp_ms = start_ms;
  let total_ms = 0;
  let passed = 0;
  for (const [number, { kind, rows: count, interval_ms, last_ms, current, pause_ms = 0 }] of steps.entries()) {
    const sign = { charge: 1, discharge: -1, rest: 0 }[kind];
    let elapsed_ms = 0;
    let charge = 0;
    for (let row = 0; row < count; row++) {
      const gone_ms = row === 0 ? 0 : row === count - 1 ? last_ms : interval_ms;
      elapsed_ms += gone_ms;
      total_ms += gone_ms;
      stamp_ms += gone_ms + (row === count - 1 ? pause_ms : 0);
      charge += Math.round((current * gone_ms) / 1000);
      rows.push({
        index: rows.length + 1,
        cycle: Math.floor(number / 3),
        step: 1 + (number % 3),
        stepsBegun: number + 1,
        status: statuses[kind],
        elapsed_ms,
        total_ms,
        stamp_ms,
        potential_100uV: 36_000 + ((37 * rows.length) % 4000),
        current: sign * current,
        chargeIn: sign > 0 ? charge : 0,
        chargeOut: sign < 0 ? charge : 0,
      });
      charge_mAh.push(((passed + sign * charge) * unit_mA) / 3600);
    }
    passed += sign * charge;
  }
  return {
    rows,
    time_s: rows.map((row) => (row.stamp_ms - start_ms) / 1000),
    potential_V: rows.map(({ potential_100uV }) => potential_100uV / 10_000),
    current_mA: rows.map(({ current }) => current * unit_mA),
    charge_mAh,
    cycles: Math.floor((steps.length - 1) / 3) + 1,
  };
}

/** Steps of any kind; their intervals are whole seconds where the format knows no less. */
export function drawnSteps(wholeSeconds: boolean): fc.Arbitrary<RunStep[]> {
  const tick = wholeSeconds ? 1000 : 100;
  const step = fc.record({
    kind: fc.constantFrom("charge" as const, "discharge" as const, "rest" as const),
    rows: fc.integer({ min: 2, max: 30 }),
    interval_ms: fc.integer({ min: 1, max: 600 }).map((ticks) => tick * ticks),
    last_ms: fc.integer({ min: 1, max: 600 }).map((ticks) => tick * ticks),
    current: fc.integer({ min: 1, max: 20_000 }),
  });
  return fc.array(step, { minLength: 1, maxLength: 8 });
}
