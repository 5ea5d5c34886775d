/** Rows of a Neware file with whole records, decoded one after another by their layout. */
import { FormatError } from "../model/errors.js";
import type { RowLayout } from "./neware-layouts.js";
import { countUnit_mA } from "./neware-ranges.js";
import type { NewareRows } from "./neware-record.js";
import { statusDirection } from "./neware-status.js";

/** Rows that are being collected. */
export interface RowTable {
  /** Decodes the record at a place and takes it where it is a row; `where` is its offset in the file, for messages. */
  take(view: DataView, at: number, where: number): void;
  /** The rows taken so far. */
  rows(): NewareRows;
  /** Rows whose range is 0 though they count a current: it is not known. */
  readonly unranged: number;
}

export interface TableOptions {
  readonly name: string;
  readonly layout: RowLayout;
  /** At most so many rows are taken. */
  readonly room: number;
  /** Current range of the whole file; null where it is not told. */
  readonly fileRange: number | null;
  /** Added to the file's cycles to count from 1. */
  readonly cycleShift: 0 | 1;
  /** Bytes of a current range that is not known are told by this. */
  readonly cure: string;
}

const FIRST_YEAR = 1990;
const LAST_YEAR = 2100;

/**
 * A table for rows of one layout: potential in V, current in mA, charge in mAh. `take` throws FormatError for a row
 * with a current range of unknown unit. Memory: 64 bytes for each row of `room`.
 */
export function rowTable({ name, layout, room, fileRange, cycleShift, cure }: TableOptions): RowTable {
  const column = (): Float64Array => new Float64Array(room);
  const [index, step, cycle, stamp_s] = [column(), column(), column(), column()];
  const [elapsed_s, potential_V, current_mA, stepCharge_mAh] = [column(), column(), column(), column()];
  const units = new Map<number, number | null>();
  let count = 0;
  let unranged = 0;
  const unitOf = (range: number, where: number): number => {
    let unit = units.get(range);
    if (unit === undefined) {
      unit = range === 0 ? 0 : countUnit_mA(range);
      units.set(range, unit);
    }
    if (unit === null) {
      throw new FormatError(
        `${name}: row ${index[count]} (at byte ${where}) has the current range ${range}, whose unit is not known. ${cure}`,
        { path: name, offset: where },
      );
    }
    return unit;
  };
  const chargeOf = (view: DataView, at: number, current: number): number => {
    const bytes = layout.chargeBytes;
    const read = (place: number): number =>
      bytes === 4 ? view.getInt32(place, true) : Number(view.getBigInt64(place, true));
    const first = read(at + layout.charge);
    if (layout.charges === 2) return Math.abs(first) - Math.abs(read(at + layout.charge + bytes));
    const direction = statusDirection(view.getUint8(at + layout.status));
    return (direction === 0 ? Math.sign(current) : direction) * Math.abs(first);
  };
  return {
    take(view, at, where) {
      if (count >= room || !layout.kinds.includes(view.getUint8(at))) return;
      const number = view.getUint32(at + layout.index, true);
      if (number === 0) return;
      index[count] = number;
      cycle[count] = view.getUint32(at + layout.cycle, true) + cycleShift;
      const inProgramme =
        layout.stepBytes === 1 ? view.getUint8(at + layout.step) : view.getUint16(at + layout.step, true);
      step[count] = inProgramme + (layout.stepCount === null ? 0 : 65_536 * view.getUint8(at + layout.stepCount));
      stamp_s[count] = stampAt(view, at + layout.date, layout.dated);
      const time =
        layout.timeBytes === 4
          ? view.getUint32(at + layout.time, true)
          : Number(view.getBigUint64(at + layout.time, true));
      elapsed_s[count] = time / layout.perSecond;
      potential_V[count] = view.getInt32(at + layout.potential, true) / 10_000;
      const current = view.getInt32(at + layout.current, true);
      const charge = chargeOf(view, at, current);
      const own = layout.range === null ? 0 : view.getInt32(at + layout.range, true);
      const unit = unitOf(own === 0 ? (fileRange ?? 0) : own, where);
      if (unit === 0 && current !== 0) unranged++;
      current_mA[count] = current * unit + 0;
      stepCharge_mAh[count] = (charge * unit) / 3600;
      count++;
    },
    rows: () => ({
      index: index.subarray(0, count),
      step: step.subarray(0, count),
      cycle: cycle.subarray(0, count),
      stamp_s: stamp_s.subarray(0, count),
      elapsed_s: elapsed_s.subarray(0, count),
      potential_V: potential_V.subarray(0, count),
      current_mA: current_mA.subarray(0, count),
      stepCharge_mAh: stepCharge_mAh.subarray(0, count),
    }),
    get unranged() {
      return unranged;
    },
  };
}

/** A row's date in seconds since 1970 (of its own clock); NaN where it is none. */
export function stampAt(view: DataView, at: number, dated: RowLayout["dated"]): number {
  if (dated !== "civil") {
    const seconds = dated === "u32" ? view.getUint32(at, true) : Number(view.getBigUint64(at, true));
    return seconds > Date.UTC(FIRST_YEAR) / 1000 && seconds < Date.UTC(LAST_YEAR) / 1000 ? seconds : NaN;
  }
  const year = view.getUint16(at, true);
  const [month, day, hour, minute, second] = [2, 3, 4, 5, 6].map((byte) => view.getUint8(at + byte));
  if (year < FIRST_YEAR || year > LAST_YEAR || hour! > 23 || minute! > 59 || second! > 60) return NaN;
  const midnight = new Date(Date.UTC(year, month! - 1, day));
  if (midnight.getUTCMonth() !== month! - 1 || midnight.getUTCDate() !== day) return NaN;
  return midnight.getTime() / 1000 + 3600 * hour! + 60 * minute! + second!;
}
