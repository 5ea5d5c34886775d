/** Chemical potential, mobility and free energy against lithium as tables, for the loops that ask a thousand million times. */

/** Values at evenly spaced lithium, straight between them and beyond. */
export interface StateTable {
  readonly least_x: number;
  readonly step_x: number;
  /** mu (kT) and mobility (um^2/s per kT) in turn. */
  readonly nodes: Float64Array;
  /** Free energy at the nodes, kT: the integral of mu as the table has it, exactly. */
  readonly energy: Float64Array;
}

/** Intervals of a table: the quartic gap of LiCoO2 is met within 1.5e-6 kT. */
const INTERVALS = 8192;

/** Tables of a chemical potential (kT) and a mobility (um^2/s per kT) from `least_x` to `most_x`. */
export function stateTable(
  mu: (x: number) => number,
  mobility: (x: number) => number,
  least_x = -0.02,
  most_x = 1.02,
): StateTable {
  const step_x = (most_x - least_x) / INTERVALS;
  const nodes = new Float64Array(2 * INTERVALS + 2);
  const energy = new Float64Array(INTERVALS + 1);
  for (let node = 0; node <= INTERVALS; node++) {
    const x = least_x + node * step_x;
    nodes[2 * node] = mu(x);
    nodes[2 * node + 1] = mobility(x);
    if (node > 0) energy[node] = energy[node - 1]! + (step_x * (nodes[2 * node - 2]! + nodes[2 * node]!)) / 2;
  }
  return { least_x, step_x, nodes, energy };
}

/** Free energy at x, kT above that at the table's least lithium. */
export function freeEnergyAt(table: StateTable, x: number): number {
  const place = (x - table.least_x) / table.step_x;
  const node = Math.max(0, Math.min(table.energy.length - 2, Math.floor(place)));
  const part = place - node;
  const here = table.nodes[2 * node]!;
  return table.energy[node]! + table.step_x * part * (here + 0.5 * part * (table.nodes[2 * node + 2]! - here));
}

/** d mu / dx of the table at x, kT per unit of x; even within an interval. */
export function muSlopeAt(table: StateTable, x: number): number {
  const node = Math.max(0, Math.min(table.energy.length - 2, Math.floor((x - table.least_x) / table.step_x)));
  return (table.nodes[2 * node + 2]! - table.nodes[2 * node]!) / table.step_x;
}
