/**
 * The phase field held against what is known exactly, row by row. `fine` is the set for the paper's table (minutes); the quick
 * set is what the suite runs.
 */
import {
  settle,
  advance,
  massErrorOf,
  phaseFieldSolver,
  type PhaseFieldSolver,
} from "../src/physics/phase-field-solver.js";
import { particleEnergy, phaseFieldParticle, type PhaseFieldParticle } from "../src/physics/phase-field-particle.js";
import { simulatePhaseField } from "../src/physics/phase-field.js";
import type { PhaseFieldResult, PhaseFieldSpec } from "../src/physics/phase-field-spec.js";
import { freeEnergyAt } from "../src/physics/state-table.js";
import { outlineGrid, maskedGrid } from "../src/physics/masked-grid.js";
import { lco } from "../src/physics/materials/lco.js";
import { withTransport } from "../src/physics/materials/library.js";
import { random } from "../src/kernels/random.js";
import type { Material } from "../src/model/material.js";

/** One comparison with what is exact. */
export interface LadderRow {
  readonly name: string;
  readonly exact: number;
  readonly reached: number;
  /** Largest error that is allowed, relative to `exact` (absolute where that is 0). */
  readonly gate: number;
}

/** Runs a generator to its end. */
export async function finish<State, Result>(
  run: AsyncGenerator<State, Result>,
): Promise<{ readonly states: State[]; readonly result: Result }> {
  const states: State[] = [];
  for (;;) {
    const turn = await run.next();
    if (turn.done === true) return { states, result: turn.value };
    states.push(turn.value);
  }
}

/** A phase field's result. */
export async function phaseFieldOf(spec: PhaseFieldSpec): Promise<PhaseFieldResult> {
  return (await finish(simulatePhaseField(spec))).result;
}

const steady = withTransport(lco, { D_um2_s: 1 }, "test");
const closed = (): {
  readonly kind: "rate";
  readonly rate_per_s: 0;
  readonly least_phi: number;
  readonly most_phi: number;
} => ({
  kind: "rate",
  rate_per_s: 0,
  least_phi: -Infinity,
  most_phi: Infinity,
});

function strip(cells: number, h_um: number, delta_um: number, material: Material): PhaseFieldParticle {
  const mask = new Uint8Array(cells).fill(1);
  return phaseFieldParticle({ mask, width: cells, height: 1, h_um, delta_um, material }, 0.85, "delithiation");
}

/** A solver for a particle that is closed: its rim is there, its reaction next to none. */
function solverOf(particle: PhaseFieldParticle, aim?: number): PhaseFieldSolver {
  particle.rim.k_um_s.fill(1e-20);
  return phaseFieldSolver([particle], [1], new Float64Array(1), aim);
}

function run(solver: PhaseFieldSolver, until_s: number, each?: () => void): void {
  for (;;) {
    settle(solver, closed);
    each?.();
    if (solver.t_s >= until_s) return;
    advance(solver, closed, until_s);
  }
}

/** V1: a boundary at rest is 0.85 + 0.1 tanh(z / delta), and costs (8/3) h delta. */
export function equilibrium(perDelta: number): LadderRow[] {
  const delta = 0.2;
  const h = delta / perDelta;
  const cells = 2 * Math.round((8 * delta) / h);
  const particle = strip(cells, h, delta, steady);
  const { grid, arrays, table } = particle;
  grid.cells.forEach((cell, at) => {
    arrays.start[cell] = at < cells / 2 ? 0.75 : 0.95;
  });
  const solver = solverOf(particle);
  run(solver, 20);
  let square = 0;
  grid.cells.forEach((cell, at) => {
    const z = (at + 0.5 - cells / 2) * h;
    square += (solver.particles[0]!.arrays.start[cell]! - 0.85 - 0.1 * Math.tanh(z / delta)) ** 2;
  });
  const bulk = cells * h * h * freeEnergyAt(table, 0.75);
  const gates: Record<string, readonly [number, number]> = {
    1: [6.4e-2, 0.114],
    1.5: [1.7e-2, 0.034],
    2: [8.2e-3, 0.018],
    3: [3.4e-3, 0.008],
    4: [1.9e-3, 0.004],
  };
  return [
    {
      name: `V1 profile of a boundary at rest, h = delta / ${perDelta}: rms error over half the gap`,
      exact: 0,
      reached: Math.sqrt(square / cells) / 0.1,
      gate: gates[perDelta]![0],
    },
    {
      name: `V1 energy of the boundary over (8/3) h delta, h = delta / ${perDelta}`,
      exact: 1,
      reached: (particleEnergy(particle) - bulk) / h / ((8 / 3) * 0.031 * delta),
      gate: gates[perDelta]![1],
    },
  ];
}

/** V2: within the spinodal a wave grows by -M k^2 (f'' + kappa k^2). */
export function spinodal(mode: number): LadderRow[] {
  const h = 0.05;
  const cells = 120;
  const particle = strip(cells, h, 0.25, steady);
  const k = (Math.PI * mode) / (cells * h);
  const wave = (at: number): number => Math.cos(k * (at + 0.5) * h);
  particle.grid.cells.forEach((cell, at) => {
    particle.arrays.start[cell] = 0.85 + 1e-5 * wave(at);
  });
  const solver = solverOf(particle, 1e-8);
  const amplitude = (): number => {
    let sum = 0;
    particle.grid.cells.forEach((cell, at) => {
      sum += (2 / cells) * wave(at) * (particle.arrays.start[cell]! - 0.85);
    });
    return sum;
  };
  const until_s = 0.02;
  run(solver, until_s);
  const reached = Math.log(amplitude() / 1e-5) / until_s;
  const discrete2 = ((2 / h) * Math.sin((k * h) / 2)) ** 2;
  const growth = (k2: number): number => -(1 / 24.8) * k2 * (-12.4 + particle.kappa_um2 * k2);
  return [
    {
      name: `V2 growth of mode ${mode} against the cells' own dispersion, 1/s`,
      exact: growth(discrete2),
      reached,
      gate: 1e-4,
    },
    { name: `V2 growth of mode ${mode} against the continuum's, 1/s`, exact: growth(k * k), reached, gate: 0.012 },
  ];
}

/** V3: a slab emptied through its end at 2C: 0.2 s + J s^2 / 2 D = J t. */
export async function slab(D_um2_s: number, h_um: number): Promise<LadderRow> {
  const width = Math.round(5 / h_um);
  const only = (value: number): Float64Array => Float64Array.from({ length: width }, (_, at) => (at === 0 ? value : 0));
  const result = await phaseFieldOf({
    mask: new Uint8Array(width).fill(1),
    width,
    height: 1,
    h_um,
    delta_um: 0.15,
    material: withTransport(lco, { poor_um2_s: D_um2_s }, "test"),
    boundary: { length_um: only(h_um), wetting: only(-0.1 / 0.15) },
    drive: { kind: "current", x_per_h: [[0, 1]], limits_V: null },
    x0: 0.95,
    xStop: 0.74,
  });
  const J = (1 / 3600) * width * h_um;
  const at = (place_um: number): number => {
    const cell = place_um / h_um - 0.5;
    const below = Math.floor(cell);
    const t = result.arrival_s;
    return t[below]! + (cell - below) * (t[below + 1]! - t[below]!);
  };
  const exact = (s: number): number => (0.2 * s) / J + (s * s) / (2 * D_um2_s);
  return {
    name: `V3 slab at 2C, D ${D_um2_s} um2/s: time from 1 to 4 um, s`,
    exact: exact(4) - exact(1),
    reached: at(4) - at(1),
    gate: 0.025,
  };
}

/** V4: a disc emptied evenly through its rim: the front's radius against the quasi-steady shell, in radii. */
export async function disc(radius_um: number, h_um: number, delta_um: number): Promise<LadderRow[]> {
  const grid = outlineGrid(circle(radius_um), h_um);
  const result = await phaseFieldOf({
    ...grid,
    delta_um,
    material: lco,
    drive: { kind: "current", x_per_h: [[0, 2]] },
    x0: 0.95,
    xStop: 0.735,
  });
  const { area_um2 } = maskedGrid(grid.mask, grid.width, grid.height, h_um);
  const R = Math.sqrt(area_um2 / Math.PI);
  const J = ((2 / 3600) * R) / 2;
  // The curved boundary lifts the poor phase by its energy over the radius (Gibbs and Thomson).
  const lift_um = ((8 / 3) * 0.031 * delta_um) / (0.2 * 24.8);
  const removed = (r: number): number =>
    (0.2 - lift_um / r) * (R * R - r * r) + J * R * (R * R * Math.log(R / r) - (R * R - r * r) / 2);
  const errors: number[] = [];
  result.t_s.forEach((t_s, at) => {
    const r = R * Math.sqrt(1 - result.fraction[at]!);
    if (r > 0.9 * R || r < 0.3 * R) return;
    let low = 1e-3 * R;
    let high = R;
    for (let turn = 0; turn < 60; turn++) {
      const middle = (low + high) / 2;
      if (removed(middle) > 2 * J * R * t_s) low = middle;
      else high = middle;
    }
    errors.push((r - low) / R);
  });
  return [
    {
      name: "V4 disc: mean error of the front's radius, radii",
      exact: 0,
      reached: errors.reduce((sum, error) => sum + error, 0) / errors.length,
      gate: 0.0012,
    },
    { name: "V4 disc: largest error, radii", exact: 0, reached: Math.max(...errors.map(Math.abs)), gate: 0.05 },
  ];
}

/** V5: the same particle on finer cells, delta fixed: phase fraction and potential at a time. */
export async function gridConvergence(
  h_um: number,
  scale: number,
  at_s: number,
): Promise<{ fraction: number; phi: number }> {
  const grid = outlineGrid(hexagon(scale), h_um);
  const wetting = Float64Array.from(grid.mask, (_, at) => {
    const x = grid.origin_um[0] + (at % grid.width) * h_um + 4.3 * scale;
    const y = grid.origin_um[1] + Math.floor(at / grid.width) * h_um;
    return (-0.1 / 0.25) * Math.exp(-0.5 * ((x * x + y * y) / (0.5 * 0.5)));
  });
  const result = await phaseFieldOf({
    ...grid,
    delta_um: 0.25,
    material: lco,
    boundary: { wetting },
    drive: { kind: "current", x_per_h: [[0, 2]] },
    x0: 0.97,
    xStop: 0.75,
    until_s: at_s,
    snapshots_s: [at_s],
  });
  return { fraction: result.fraction.at(-1)!, phi: result.phi.at(-1)! };
}

/** V6: a closed particle that starts from noise: energy after energy, and the drift of its mean. */
export function closedParticle(seed: number, until_s: number): { readonly energies: number[]; readonly drift: number } {
  const grid = outlineGrid(circle(1.5), 0.15);
  const particle = phaseFieldParticle(
    { ...grid, delta_um: 0.2, material: lco, edge: { seed, hotSpots: 2 } },
    0.85,
    "delithiation",
  );
  const noise = random(seed);
  for (const cell of particle.grid.cells) particle.arrays.start[cell] = 0.85 + 0.02 * noise.normal();
  const solver = solverOf(particle);
  const energies: number[] = [];
  run(solver, until_s, () => energies.push(particleEnergy(particle)));
  return { energies, drift: massErrorOf(solver) };
}

/** V7: a half space whose end is held at x_s: the front is at 2 L sqrt(D t), sqrt(pi) L exp(L^2) erf(L) = (0.75 - x_s) / 0.20. */
export async function stefan(x_s: number, delta_um: number): Promise<LadderRow> {
  const h_um = delta_um / 1.5;
  const width = Math.round(8 / h_um);
  const only = (value: number): Float64Array => Float64Array.from({ length: width }, (_, at) => (at === 0 ? value : 0));
  // One D everywhere: a boundary of low mobility and finite width is a resistance of its own.
  const material = withTransport(lco, { D_um2_s: 1, exchange_A_m2: 2e6 }, "test");
  const phi = 24.8 * (0.75 - x_s);
  const result = await phaseFieldOf({
    mask: new Uint8Array(width).fill(1),
    width,
    height: 1,
    h_um,
    delta_um,
    material,
    boundary: { length_um: only(h_um), wetting: only(-0.1 / delta_um) },
    drive: { kind: "potential", E_V: [[0, 3.92 + phi * 0.0256925797]] },
    x0: 0.95,
    xStop: 0.82,
    stepChange_x: 0.01,
  });
  // The held lithium is that of the first cell's middle; how the front came into being shifts the time alone.
  const [near, far] = [Math.round(1 / h_um), Math.round(4 / h_um)];
  const squares = h_um * h_um * (far * far - near * near);
  return {
    name: `V7 Stefan, x_s ${x_s}, delta ${delta_um} um: L of the front from 1 to 4 um`,
    exact: stefanNumber((0.75 - x_s) / 0.2),
    reached: Math.sqrt(squares / (4 * (result.arrival_s[far]! - result.arrival_s[near]!))),
    gate: 0.2 * delta_um,
  };
}

/** The L that solves sqrt(pi) L exp(L^2) erf(L) = drive. */
export function stefanNumber(drive: number): number {
  let low = 0;
  let high = 5;
  for (let turn = 0; turn < 100; turn++) {
    const middle = (low + high) / 2;
    if (Math.sqrt(Math.PI) * middle * Math.exp(middle * middle) * erf(middle) < drive) low = middle;
    else high = middle;
  }
  return low;
}

function erf(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

/** A regular polygon that is nearly a circle. */
export function circle(radius_um: number): [number, number][] {
  return Array.from({ length: 128 }, (_, at) => [
    radius_um * Math.cos((Math.PI * at) / 64),
    radius_um * Math.sin((Math.PI * at) / 64),
  ]);
}

/** An irregular hexagon, 9.6 x 6.8 um at scale 1, its sharpest corner at the left. */
export function hexagon(scale: number): [number, number][] {
  const corners = [
    [-4.8, 0],
    [-3.2, -2.6],
    [1.6, -3.4],
    [4.8, -0.4],
    [3.4, 2.4],
    [-1.4, 3.4],
  ] as const;
  return corners.map(([x, y]) => [scale * x, scale * y]);
}

/** All rows of the ladder at its fine settings; some minutes of one core. */
export async function ladder(): Promise<LadderRow[]> {
  const rows: LadderRow[] = [];
  for (const perDelta of [1, 1.5, 2, 3, 4]) rows.push(...equilibrium(perDelta));
  for (const mode of [1, 2, 3, 4]) rows.push(...spinodal(mode));
  for (const D of [0.1, 1]) rows.push(await slab(D, 0.1));
  rows.push(...(await disc(3, 0.1, 0.15)));
  const finest = await gridConvergence(0.075, 1, 200);
  for (const h of [0.2, 0.15, 0.1]) {
    const { fraction, phi } = await gridConvergence(h, 1, 200);
    rows.push({
      name: `V5 fraction at 200 s, h ${h} um against 0.075`,
      exact: finest.fraction,
      reached: fraction,
      gate: 0.03,
    });
    rows.push({ name: `V5 phi at 200 s, h ${h} um against 0.075`, exact: finest.phi, reached: phi, gate: 0.006 });
  }
  const { energies, drift } = closedParticle(1, 200);
  const rise = energies.reduce((worst, energy, at) => (at === 0 ? 0 : Math.max(worst, energy - energies[at - 1]!)), 0);
  rows.push({ name: "V6 closed particle: largest rise of energy", exact: 0, reached: rise, gate: 1e-12 });
  rows.push({ name: "V6 closed particle: drift of the mean", exact: 0, reached: drift, gate: 1e-12 });
  for (const delta of [0.15, 0.1]) rows.push(await stefan(0.65, delta));
  return rows;
}
