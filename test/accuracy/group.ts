/** What the accuracy of a measurement is proved with: movies drawn at random with known truth, and what many of them say. */

/** One statement about many draws, held against what is wanted. */
export interface AccuracyRow {
  /** What was measured, with its unit: "arrival, |bias| without a bright boundary / frame". */
  readonly what: string;
  /** "<= 0.06". */
  readonly wanted: string;
  /** The measured figure as it is printed, with the number of draws where that is not all. */
  readonly ours: string;
  /** Null where nothing is wanted: a figure for the reader. */
  readonly held: boolean | null;
  /** Why it is missed, or what the reader must know; empty where nothing. */
  readonly note: string;
}

/** Draws of one measurement. `Draw` is plain data: it passes between processes as JSON (NaN is written null). */
export interface AccuracyGroup<Draw = unknown> {
  readonly title: string;
  /** What is drawn at random and within which limits, how the truth is known, what is counted. One paragraph. */
  readonly about: string;
  /** Draws of the full run and of the suite's sample. */
  readonly draws: number;
  readonly sample: number;
  /** About how many CPU seconds one draw costs. */
  readonly cost_s: number;
  /** Makes the movie of a seed, measures it with the river's own functions and holds it against its truth. */
  readonly draw: (seed: number) => Draw | Promise<Draw>;
  /** What the draws say together, full run or sample. */
  readonly rows: (draws: readonly Draw[]) => readonly AccuracyRow[];
}
