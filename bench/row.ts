/** What a bench finds: figures of one piece of work in this run, beside what others take for the same. */

/** A bound that a figure was wanted to keep. */
export interface Bound {
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** The same work on the same data in the same run, done otherwise. */
export interface Peer {
  readonly name: string;
  /** One value a run, in the row's unit; null where it is not installed. */
  readonly values: readonly number[] | null;
  /** Times as quick as the peer that we should be. */
  readonly wanted?: Bound;
}

/** One piece of work. */
export interface Row {
  readonly what: string;
  /** Of the values; rates end in "/s" and are better when large, all else when small. */
  readonly unit: string;
  /** One value a run. */
  readonly values: readonly number[];
  readonly wanted?: Bound;
  readonly peers?: readonly Peer[];
  readonly note?: string;
}

/** A bench: what it measures, and how. */
export interface Bench {
  readonly about: string;
  /** `quick` takes smaller work and fewer runs, to see that all is well. */
  rows(quick: boolean): Promise<Row[]>;
}

/** Something that was wanted, and whether it was reached. */
export interface Wish {
  readonly what: string;
  readonly wanted: string;
  /** Null where the peer is not installed. */
  readonly measured: string | null;
  readonly held: boolean | null;
}

/** The value in the middle; the mean of two where there are two. */
export function middle(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(half)]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** Times as quick as a peer, by the runs in the middle; null where there is none. */
export function ratioTo(row: Row, peer: Peer): number | null {
  if (peer.values === null || peer.values.length === 0) return null;
  const [ours, theirs] = [middle(row.values), middle(peer.values)];
  return row.unit.endsWith("/s") ? ours / theirs : theirs / ours;
}

/** All that was wanted of rows. */
export function wishesOf(rows: readonly Row[]): Wish[] {
  return rows.flatMap((row) => {
    const wishes: Wish[] = [];
    if (row.wanted !== undefined) {
      const measured = middle(row.values);
      wishes.push({
        what: row.what,
        wanted: `${boundText(row.wanted)} ${row.unit}`,
        measured: `${figure(measured)} ${row.unit}`,
        held: holds(row.wanted, measured),
      });
    }
    for (const peer of row.peers ?? []) {
      if (peer.wanted === undefined) continue;
      const ratio = ratioTo(row, peer);
      wishes.push({
        what: `${row.what}, beside ${peer.name}`,
        wanted: `${boundText(peer.wanted)} times as quick`,
        measured: ratio === null ? null : `${figure(ratio)} times`,
        held: ratio === null ? null : holds(peer.wanted, ratio),
      });
    }
    return wishes;
  });
}

function holds({ atLeast = -Infinity, atMost = Infinity }: Bound, value: number): boolean {
  return value >= atLeast && value <= atMost;
}

function boundText({ atLeast, atMost }: Bound): string {
  if (atLeast !== undefined && atMost !== undefined) return `${figure(atLeast)} to ${figure(atMost)}`;
  return atLeast === undefined ? `at most ${figure(atMost!)}` : `at least ${figure(atLeast)}`;
}

/** A number with three figures, whole where it has more. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en-US");
  if (value !== 0 && Math.abs(value) < 1e-4) return value.toExponential(1);
  return String(Number(value.toPrecision(3)));
}
