/** What the paper's table is made of: rows, pictures, and groups of them that one process runs. */
import type { Figure } from "../../src/figures/spec.js";

/** One line of the table: what the paper has, and what comes out here. */
export interface Row {
  readonly observable: string;
  /** The paper's value, or what is exact. */
  readonly paper: string;
  readonly ours: string;
  /** Whether ours is within what the row allows; null where there is nothing to be held against. */
  readonly held: boolean | null;
  /** How it was measured: definition, settings, what the row allows, and why it is missed where it is. */
  readonly how: string;
  readonly seeds: string;
}

/** A figure that stands under its group's rows. */
export interface Drawing {
  /** File name without ending. */
  readonly name: string;
  readonly figure: Figure;
  readonly caption: string;
}

/** What a group answers. */
export interface Answer {
  readonly rows: readonly Row[];
  readonly drawings: readonly Drawing[];
}

/** Tells how far a group is: a word on what is done now. */
export type Tell = (now: string) => void;

/** Rows that belong together. */
export interface Group {
  readonly title: string;
  /** What all its rows share. */
  readonly about: string;
  readonly run: (seed: number, tell: Tell) => Promise<Answer>;
}

/** A seed of a row of its own: far from those of other rows and of other tables. */
export function seedOf(seed: number, row: number, count = 0): number {
  return 10_000 * seed + 100 * row + count;
}

/** So many seeds in turn. */
export function seedsOf(seed: number, row: number, count: number): number[] {
  return Array.from({ length: count }, (_, at) => seedOf(seed, row, at));
}

/** Seeds as a reader wants them. */
export function seedText(seeds: readonly number[]): string {
  return seeds.length === 1 ? `${seeds[0]}` : `${seeds[0]} to ${seeds.at(-1)}`;
}
