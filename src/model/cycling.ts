/** What a cycler logged, and what is made of it: steps, half cycles, differential capacity. */

/** Columns of one length. In an experiment, positive current delithiates the imaged electrode. */
export interface Cycling {
  /** Seconds; from the record's own start in a file, from the movie's first frame in an experiment. */
  readonly time_s: Float64Array;
  readonly potential_V: Float64Array;
  readonly current_mA: Float64Array;
  /** Running charge from the first row; positive current raises it. */
  readonly charge_mAh: Float64Array;
}

/** One instruction of a cycler's programme, as its file tells it: names and units are the file's own. */
export type ProgrammeStep = Readonly<Record<string, string | number | null>>;

/** A cycler's record as its file tells it: signs and clock are the file's own. */
export interface CyclingFile extends Cycling {
  readonly name: string;
  /** "biologic-mpr" | "biologic-mpt" | "gamry-dta" | "csv" | "bdf-csv" ... */
  readonly format: string;
  /**
   * Civil time at which `time_s` is 0, ISO 8601; with a zone only where the file has one; null if absent.
   * It is the first row's where the record begins at 0; a linked technique's first row comes later.
   */
  readonly start: string | null;
  /** The file's column names, trimmed, as they stand. */
  readonly columns: readonly string[];
  /** Cycles done, as the file counts them (half cycles / 2 where it counts those); null where it does not. */
  readonly cycles: number | null;
  /** What the file says of cell and technique (names of people, hosts and paths left out); not to be trusted as facts. */
  readonly settings?: ProgrammeStep;
  /** The programme that the cycler followed, in order. */
  readonly programme?: readonly ProgrammeStep[];
  readonly warnings: readonly string[];
}

/** A file that is neither a movie nor a cycling record: a settings file, an impedance spectrum. */
export interface OtherFile {
  readonly name: string;
  readonly format: string;
  /** What it is, in a sentence. */
  readonly description: string;
  readonly start?: string | null;
  readonly rows?: number;
  readonly columns?: readonly string[];
  readonly settings?: ProgrammeStep;
  readonly programme?: readonly ProgrammeStep[];
  readonly warnings: readonly string[];
}

/** A stretch of the record driven in one way. */
export interface CyclingStep {
  readonly kind: "charge" | "discharge" | "rest" | "hold";
  /** First and last row, inclusive. */
  readonly first: number;
  readonly last: number;
  readonly start_s: number;
  readonly end_s: number;
  /** Charge passed, positive for charge (delithiation), negative for discharge. */
  readonly charge_mAh: number;
  readonly mean_current_mA: number;
}

/** A peak of dQ/dV in one half cycle. */
export interface CapacityPeak {
  /** "I" | "II" | "III" | "IV" as in the paper, or "" where it matches none. */
  readonly name: string;
  readonly potential_V: number;
  readonly t_s: number;
  /** When dQ/dV rises through half of the peak's height, and falls through it again. */
  readonly start_s: number;
  readonly end_s: number;
  readonly height_mAh_V: number;
}

/** One charge or discharge, from its first to its last driven row. */
export interface HalfCycle {
  readonly id: number;
  /** 1, 2, ...: a charge and the discharge after it share a number. */
  readonly cycle: number;
  readonly kind: "charge" | "discharge";
  readonly start_s: number;
  readonly end_s: number;
  /** Applied rate per hour: |mean current| / (nominal capacity); null where no nominal capacity is known. */
  readonly rate_C: number | null;
  readonly charge_mAh: number;
  /** Discharge capacity over that of the charge before it; null for a charge or where there is none. */
  readonly efficiency: number | null;
  readonly peaks: readonly CapacityPeak[];
}

/** dQ/dV of one half cycle, on its potential and on the clock; NaN where the potential does not move. */
export interface DifferentialCapacity {
  readonly halfCycle: number;
  readonly potential_V: Float64Array;
  readonly time_s: Float64Array;
  readonly dQdV_mAh_V: Float64Array;
}
