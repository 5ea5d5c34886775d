/**
 * Neware's records of one row, as they lie in .nda files up to version 29 and in .ndc streams of versions 2 and 5.
 *
 * All are little-endian. A record begins with a byte that tells its kind: 0x55 a row (0 in the oldest), 0x65 and 0x74
 * an auxiliary channel, 0xaa and 0xff the test's start and other events. Then, among bytes of unknown meaning: u32
 * number of the row, u32 cycle, u8 or u16 step, u8 status, time in the step, i32 potential in 0.1 mV, i32 current,
 * i64 charge and energy (in and out, or one for both), the date, i32 current range, checksum. Current, charge and
 * energy are counts whose unit follows from the range (neware-ranges.ts); charge is in A.s, energy in W.s thousandths.
 *
 * After NewareNDA and fastnda (BSD-3), and checked on files of versions 8, 22, 26 and 29 against the vendor's exports.
 */

/** Where a row's fields lie in its record, in bytes. */
export interface RowLayout {
  readonly bytes: number;
  /** First bytes of a row's record. */
  readonly kinds: readonly number[];
  readonly index: number;
  readonly cycle: number;
  readonly step: number;
  readonly stepBytes: 1 | 2;
  /** Counts the steps done, modulo 256; null where there is none. */
  readonly stepCount: number | null;
  readonly status: number;
  readonly time: number;
  readonly timeBytes: 4 | 8;
  /** Counts of time in a second. */
  readonly perSecond: 1 | 1000;
  readonly potential: number;
  readonly current: number;
  readonly charge: number;
  /** In and out one after the other, or one whose sign is the current's. */
  readonly charges: 2 | 1;
  readonly chargeBytes: 4 | 8;
  readonly date: number;
  /** u64 or u32 seconds since 1970 in UTC, or the civil date as u16 year, 5 x u8. */
  readonly dated: "u64" | "u32" | "civil";
  /** Null where the range of the whole file holds. */
  readonly range: number | null;
  /** Whether it has been compared with the vendor's own export. */
  readonly checked: boolean;
}

const row29: RowLayout = {
  bytes: 86,
  kinds: [0x55],
  index: 2,
  cycle: 6,
  step: 10,
  stepBytes: 2,
  stepCount: 13,
  status: 12,
  time: 14,
  timeBytes: 8,
  perSecond: 1000,
  potential: 22,
  current: 26,
  charge: 38,
  charges: 2,
  chargeBytes: 8,
  date: 70,
  dated: "civil",
  range: 78,
  checked: true,
};

const row22: RowLayout = { ...row29, dated: "u64" };

const row5: RowLayout = {
  bytes: 59,
  kinds: [0, 0x55],
  index: 1,
  cycle: 5,
  step: 9,
  stepBytes: 1,
  stepCount: null,
  status: 10,
  time: 11,
  timeBytes: 4,
  perSecond: 1,
  potential: 15,
  current: 19,
  charge: 31,
  charges: 1,
  chargeBytes: 8,
  date: 47,
  dated: "u64",
  range: null,
  checked: true,
};

const row9: RowLayout = {
  ...row5,
  bytes: 60,
  kinds: [0x55],
  index: 2,
  cycle: 6,
  step: 10,
  status: 11,
  time: 12,
  potential: 16,
  current: 20,
  charge: 32,
  date: 48,
  checked: false,
};

const row11: RowLayout = {
  ...row29,
  bytes: 69,
  stepCount: null,
  time: 13,
  potential: 21,
  current: 25,
  charge: 37,
  charges: 1,
  date: 53,
  dated: "u64",
  range: 61,
  checked: false,
};

const row25: RowLayout = { ...row11, bytes: 70 };

const row19: RowLayout = {
  ...row29,
  bytes: 68,
  index: 8,
  cycle: 12,
  step: 16,
  stepCount: null,
  status: 18,
  time: 24,
  timeBytes: 4,
  perSecond: 1,
  potential: 28,
  current: 32,
  charge: 44,
  chargeBytes: 4,
  date: 60,
  dated: "u32",
  range: null,
  checked: false,
};

/** By the version of an .nda file. Versions 1 to 4, without dates, and 10, whose unit of time is not sure, are none. */
export const ndaLayouts: ReadonlyMap<number, RowLayout> = new Map([
  ...[5, 6, 7, 8].map((version) => [version, row5] as const),
  [9, row9],
  ...[11, 12, 13, 15, 18].map((version) => [version, row11] as const),
  ...[14, 16, 17, 20, 22, 23, 24].map((version) => [version, row22] as const),
  [19, row19],
  ...[25, 27].map((version) => [version, row25] as const),
  ...[26, 28, 29].map((version) => [version, row29] as const),
]);

const stream5: RowLayout = {
  ...row29,
  bytes: 87,
  index: 1,
  cycle: 5,
  step: 9,
  stepBytes: 1,
  stepCount: null,
  status: 10,
  time: 16,
  potential: 24,
  current: 28,
  charge: 36,
  date: 68,
  range: 75,
};

const stream2: RowLayout = {
  ...stream5,
  bytes: 94,
  index: 8,
  cycle: 12,
  step: 16,
  status: 17,
  time: 23,
  potential: 31,
  current: 35,
  charge: 43,
  date: 75,
  range: 82,
};

/** By the version of an .ndc stream that holds whole rows. */
export const ndcRowLayouts: ReadonlyMap<number, RowLayout> = new Map([
  [2, stream2],
  [4, stream2],
  [5, stream5],
]);
