/**
 * The unit of a Neware record's integer current, by the current range of its channel.
 *
 * Older formats store current, charge and energy as integers of a unit that follows from the range (mA). The ranges
 * that are known are those of NewareNDA and fastnda (BSD-3); a wrong unit would be wrong by powers of ten.
 */

interface RangeBand {
  readonly from: number;
  readonly to: number;
  /** mA, mA.s and mW.s of one count. */
  readonly unit: number;
}

/** Ranges of instruments that count in the unit of their range. */
const positive: readonly RangeBand[] = [
  { from: 1, to: 5, unit: 1e-4 },
  { from: 10, to: 50, unit: 1e-3 },
  { from: 100, to: 500, unit: 1e-2 },
  { from: 1000, to: 200_000, unit: 1e-1 },
];

/** Ranges that are stored negative: instruments with a finer count. */
const negative: readonly RangeBand[] = [
  { from: 1, to: 5, unit: 1e-5 },
  { from: 10, to: 50, unit: 1e-4 },
  { from: 100, to: 500, unit: 1e-3 },
  { from: 1000, to: 200_000, unit: 1e-2 },
  { from: 100_000_000, to: 100_000_000, unit: 10 },
];

/** mA of one count of current (mA.s of charge, mW.s of energy) in a current range; null where the range is unknown. */
export function countUnit_mA(range: number): number | null {
  const size = Math.abs(range);
  const bands = range > 0 ? positive : negative;
  return bands.find(({ from, to }) => size >= from && size <= to)?.unit ?? null;
}
