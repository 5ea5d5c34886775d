/**
 * The two passes over a particle's cells that a stage of a phase-field step consists of, and what is read off the cells.
 *
 *     mu  = mu0(x) - kappa lap x                  pass 1, with the mobility M(x)
 *     dx/dt = div(M grad mu)                      pass 2, joined with the stage's sum
 *
 * Finite volumes on square cells; faces to cells outside carry nothing. The flux through a face is one number for the two
 * cells that share it, so lithium is kept to rounding. All arrays are rasters of a MaskedGrid. The passes are compiled where that
 * runs and the arrays lie there, the same to the last bit.
 */
import { compiledKernels, newArena, ordinaryArrays } from "../kernels/compiled.js";
import type { MaskedGrid } from "./masked-grid.js";
import type { StateTable } from "./state-table.js";

/** Arrays of one particle, made once. */
export interface PhaseFieldArrays {
  /** Lithium at the step's start, and at the last two stages. */
  start: Float64Array;
  last: Float64Array;
  before: Float64Array;
  /** Its rate of change at the start, 1/s. */
  readonly rate: Float64Array;
  readonly mu: Float64Array;
  readonly mobility: Float64Array;
  /** What passes the face below each cell. */
  readonly below: Float64Array;
  /** Where the grid and the table lie beside the arrays for the compiled passes; null where TypeScript serves. */
  readonly placed: Placed | null;
  /** Gives the memory back: the arrays are gone then. */
  release(): void;
}

/** A grid and a table in the compiled kernels' memory; addresses in bytes. */
interface Placed {
  readonly grid: MaskedGrid;
  readonly table: StateTable;
  readonly runs: number;
  readonly openBelow: number;
  readonly nodes: number;
}

/** Bytes of the compiled kernels' memory that particles may hold together; what goes beyond is ordinary, and plain. */
const MOST_HELD = 2 ** 28;
const ARRAYS = 7;
let held = 0;

/** Arrays for a grid, lithium everywhere `x0`; `table` is the one that chemicalPotential will be given. */
export function phaseFieldArrays(grid: MaskedGrid, table: StateTable, x0: number): PhaseFieldArrays {
  const { runs, openBelow } = grid;
  const bytes = 8 * ((ARRAYS + 1) * openBelow.length + table.nodes.length + runs.length);
  const compiled = compiledKernels() !== null && held + bytes <= MOST_HELD;
  const arena = compiled ? newArena() : ordinaryArrays;
  const make = (): Float64Array => arena.doubles(openBelow.length);
  const start = make();
  for (const cell of grid.cells) start[cell] = x0;
  let placed: Placed | null = null;
  if (compiled && typeof SharedArrayBuffer !== "undefined" && start.buffer instanceof SharedArrayBuffer) {
    const open = make();
    open.set(openBelow);
    const nodes = arena.doubles(table.nodes.length);
    nodes.set(table.nodes);
    const room = arena.doubles(Math.ceil(runs.length / 2));
    new Int32Array(room.buffer, room.byteOffset, runs.length).set(runs);
    placed = { grid, table, runs: room.byteOffset, openBelow: open.byteOffset, nodes: nodes.byteOffset };
    held += bytes;
  }
  let released = false;
  return {
    start,
    last: make(),
    before: make(),
    rate: make(),
    mu: make(),
    mobility: make(),
    below: make(),
    placed,
    release() {
      if (placed === null || released) return;
      released = true;
      held -= bytes;
      arena.release();
    },
  };
}

/**
 * Pass 1: chemical potential (kT) and mobility of each cell from its lithium `x`. `kappa` in um^2.
 * Cells right of a run are overwritten in x with the run's last value: a closed face has no gradient.
 */
export function chemicalPotential(
  grid: MaskedGrid,
  table: StateTable,
  kappa_um2: number,
  x: Float64Array,
  arrays: PhaseFieldArrays,
): void {
  const { placed, mu, mobility, below } = arrays;
  if (placed === null || placed.grid !== grid || placed.table !== table)
    return chemicalPotentialPlain(grid, table, kappa_um2, x, arrays);
  compiledKernels()!.run.chemicalPotential(
    placed.runs,
    grid.runs.length >> 1,
    grid.stride,
    placed.openBelow,
    placed.nodes,
    (table.nodes.length >> 1) - 2,
    table.least_x,
    1 / table.step_x,
    kappa_um2 / (grid.h_um * grid.h_um),
    x.byteOffset,
    mu.byteOffset,
    mobility.byteOffset,
    below.byteOffset,
  );
}

/** The same in TypeScript. */
export function chemicalPotentialPlain(
  grid: MaskedGrid,
  table: StateTable,
  kappa_um2: number,
  x: Float64Array,
  { mu, mobility, below }: PhaseFieldArrays,
): void {
  const { runs, openBelow, stride } = grid;
  const { nodes, least_x } = table;
  const perStep = 1 / table.step_x;
  const stiffness = kappa_um2 / (grid.h_um * grid.h_um);
  const lastNode = (nodes.length >> 1) - 2;
  for (let run = 0; run < runs.length; run += 2) {
    const from = runs[run]!;
    const to = runs[run + 1]!;
    x[to] = x[to - 1]!;
    let left = 0;
    let here = x[from]!;
    for (let at = from; at < to; at++) {
      const next = x[at + 1]!;
      const right = next - here;
      const down = openBelow[at]! * (x[at + stride]! - here);
      const lap = right - left + down - below[at - stride]!;
      below[at] = down;
      left = right;
      const place = (here - least_x) * perStep;
      // Beyond the whole numbers of 32 bits | 0 is no floor.
      let node = place < 0 ? 0 : place >= lastNode ? lastNode : place | 0;
      const part = place - node;
      node <<= 1;
      const m = nodes[node]!;
      const d = nodes[node + 1]!;
      mu[at] = m + part * (nodes[node + 2]! - m) - stiffness * lap;
      mobility[at] = d + part * (nodes[node + 3]! - d);
      here = next;
    }
  }
}

/** Pass 2 of the first stage: the rate of change into `rate`, and `last` = start + weight_s rate. */
export function firstStage(grid: MaskedGrid, arrays: PhaseFieldArrays, weight_s: number): void {
  const { placed, mu, mobility, below, rate, start, last } = arrays;
  if (placed === null || placed.grid !== grid) return firstStagePlain(grid, arrays, weight_s);
  compiledKernels()!.run.firstStage(
    placed.runs,
    grid.runs.length >> 1,
    grid.stride,
    placed.openBelow,
    mu.byteOffset,
    mobility.byteOffset,
    below.byteOffset,
    0.5 / (grid.h_um * grid.h_um),
    weight_s,
    rate.byteOffset,
    start.byteOffset,
    last.byteOffset,
  );
}

/** The same in TypeScript. */
export function firstStagePlain(grid: MaskedGrid, arrays: PhaseFieldArrays, weight_s: number): void {
  const { runs, openBelow, stride } = grid;
  const { mu, mobility, below, rate, start, last } = arrays;
  const perArea = 0.5 / (grid.h_um * grid.h_um);
  for (let run = 0; run < runs.length; run += 2) {
    const from = runs[run]!;
    const to = runs[run + 1]!;
    mu[to] = mu[to - 1]!;
    let left = 0;
    let muHere = mu[from]!;
    let mHere = mobility[from]!;
    for (let at = from; at < to; at++) {
      const muNext = mu[at + 1]!;
      const mNext = mobility[at + 1]!;
      const right = (mHere + mNext) * (muNext - muHere);
      const down = openBelow[at]! * (mHere + mobility[at + stride]!) * (mu[at + stride]! - muHere);
      const change = perArea * (right - left + down - below[at - stride]!);
      below[at] = down;
      left = right;
      muHere = muNext;
      mHere = mNext;
      rate[at] = change;
      last[at] = start[at]! + weight_s * change;
    }
  }
}

/**
 * Pass 2 of a later stage: `before` becomes
 * onLast last + onBefore before + onStart start + onNow_s (rate of change now) + onRate_s rate. The caller swaps the two.
 */
export function nextStage(
  grid: MaskedGrid,
  arrays: PhaseFieldArrays,
  onLast: number,
  onBefore: number,
  onStart: number,
  onNow_s: number,
  onRate_s: number,
): void {
  const { placed, mu, mobility, below, rate, start, last, before } = arrays;
  if (placed === null || placed.grid !== grid)
    return nextStagePlain(grid, arrays, onLast, onBefore, onStart, onNow_s, onRate_s);
  compiledKernels()!.run.nextStage(
    placed.runs,
    grid.runs.length >> 1,
    grid.stride,
    placed.openBelow,
    mu.byteOffset,
    mobility.byteOffset,
    below.byteOffset,
    onLast,
    onBefore,
    onStart,
    onRate_s,
    (0.5 * onNow_s) / (grid.h_um * grid.h_um),
    last.byteOffset,
    before.byteOffset,
    start.byteOffset,
    rate.byteOffset,
  );
}

/** The same in TypeScript. */
export function nextStagePlain(
  grid: MaskedGrid,
  arrays: PhaseFieldArrays,
  onLast: number,
  onBefore: number,
  onStart: number,
  onNow_s: number,
  onRate_s: number,
): void {
  const { runs, openBelow, stride } = grid;
  const { mu, mobility, below, rate, start, last, before } = arrays;
  const onFlux = (0.5 * onNow_s) / (grid.h_um * grid.h_um);
  for (let run = 0; run < runs.length; run += 2) {
    const from = runs[run]!;
    const to = runs[run + 1]!;
    mu[to] = mu[to - 1]!;
    let left = 0;
    let muHere = mu[from]!;
    let mHere = mobility[from]!;
    for (let at = from; at < to; at++) {
      const muNext = mu[at + 1]!;
      const mNext = mobility[at + 1]!;
      const right = (mHere + mNext) * (muNext - muHere);
      const down = openBelow[at]! * (mHere + mobility[at + stride]!) * (mu[at + stride]! - muHere);
      const flux = right - left + down - below[at - stride]!;
      below[at] = down;
      left = right;
      muHere = muNext;
      mHere = mNext;
      before[at] =
        onLast * last[at]! + onBefore * before[at]! + onStart * start[at]! + onRate_s * rate[at]! + onFlux * flux;
    }
  }
}

/** An upper bound of the fastest rate of decay within the particle, 1/s: M (mu0' k^2 + kappa k^4) at k^2 = 8 / h^2. */
export function fastestDecay(
  grid: MaskedGrid,
  table: StateTable,
  kappa_um2: number,
  x: Float64Array,
  mobility: Float64Array,
): number {
  const { cells } = grid;
  const { nodes, least_x } = table;
  const perStep = 1 / table.step_x;
  const lastNode = (nodes.length >> 1) - 2;
  const k2 = 8 / (grid.h_um * grid.h_um);
  const stiffness = kappa_um2 * k2;
  let fastest = 0;
  for (let index = 0; index < cells.length; index++) {
    const at = cells[index]!;
    let node = ((x[at]! - least_x) * perStep) | 0;
    if (node < 0) node = 0;
    else if (node > lastNode) node = lastNode;
    const slope = (nodes[2 * node + 2]! - nodes[2 * node]!) * perStep;
    const rate = mobility[at]! * ((slope > 0 ? slope : 0) + stiffness) * k2;
    if (rate > fastest) fastest = rate;
  }
  return fastest;
}

/** Mean lithium, summed with compensation (Neumaier), so that rounding does not hide a leak. */
export function meanLithium(grid: MaskedGrid, x: Float64Array): number {
  const { cells } = grid;
  let sum = 0;
  let lost = 0;
  for (let index = 0; index < cells.length; index++) {
    const value = x[cells[index]!]!;
    const total = sum + value;
    lost += Math.abs(sum) >= Math.abs(value) ? sum - total + value : value - total + sum;
    sum = total;
  }
  return (sum + lost) / cells.length;
}
