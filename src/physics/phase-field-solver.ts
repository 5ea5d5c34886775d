/** Particles at one electrode potential, stepped together: the potential is solved in every stage, steps control themselves. */
import { refuse } from "./check.js";
import { fastestReaction, react, type RimRates } from "./edge-reaction.js";
import { settlePotential } from "./phase-field-ensemble-potential.js";
import { fastestDecay, firstStage, meanLithium, nextStage } from "./phase-field-kernel.js";
import { evaluate, type PhaseFieldParticle } from "./phase-field-particle.js";
import { MOST_STAGES, rkl2, stableStep, stagesFor } from "./super-time-stepping.js";

/** What the electrode is made to do at a time: a rate of its mean lithium (1/s) within potentials (kT), or a potential. */
export type Command =
  | { readonly kind: "rate"; readonly rate_per_s: number; readonly least_phi: number; readonly most_phi: number }
  | { readonly kind: "potential"; readonly phi: number };

/** The command through time. */
export type Programme = (t_s: number) => Command;

/** Particles and where they are in time. Entries of the lists run along the particles. */
export interface PhaseFieldSolver {
  readonly particles: readonly PhaseFieldParticle[];
  /** Share of each in the electrode's lithium; they sum to 1. */
  readonly shares: Float64Array;
  /** Contact resistance: kT by which a rate of 1/s moves a particle from the electrode. */
  readonly contact_kT_s: Float64Array;
  /** Resistance of the way to it: kT by which a rate of 1/s of the whole electrode moves the potential that it sees. */
  readonly way_kT_s: Float64Array;
  t_s: number;
  /** Potential of the electrode above the plateau, kT, and whether the command's limit holds it. */
  phi: number;
  limited: boolean;
  /** d<x>/dt of the electrode, 1/s. */
  rate_per_s: number;
  /** Of each particle: its potential behind its contact, and its rate. */
  readonly phiOf: Float64Array;
  readonly rateOf: Float64Array;
  /** Lithium that has entered each particle by the rates, and last the electrode. */
  charge: Float64Array;
  chargeLast: Float64Array;
  chargeBefore: Float64Array;
  readonly chargeRate: Float64Array;
  /** Lithium of each particle at the beginning, and last the electrode's. */
  readonly x0: Float64Array;
  /** When the middle of the gap was first met, s; rasters of the grids, NaN before. */
  readonly arrival_s: Float64Array[];
  /** Cells below the middle of the gap. */
  readonly poorCells: Int32Array;
  /** Length of the next step and of the last, s. */
  next_s: number;
  last_s: number;
  /** Largest change of any cell's lithium that a step aims at. */
  readonly aim: number;
  /** Stages computed so far. */
  stages: number;
  readonly total: RimRates;
}

/**
 * Largest change of lithium in a cell that a step aims at; at four times as much it is done again, half as long. With twice as
 * much a nucleus came up to 2.5 s late, and 0.15 kT amiss; with half as much 0.07 s.
 */
export const STEP_AIM = 0.003;
const REDO = 4;
const FIRST_STEP_s = 1e-3;
const LEAST_STEP_s = 1e-9;
/** A place so near to empty or full that would go on is there. */
const SPENT_x = 1e-6;

/** A solver at t = 0; the particles hold their starting lithium. */
export function phaseFieldSolver(
  particles: readonly PhaseFieldParticle[],
  weights: ArrayLike<number>,
  contact_kT_s: Float64Array,
  aim = STEP_AIM,
  way_kT_s = new Float64Array(particles.length),
): PhaseFieldSolver {
  const n = particles.length;
  const shares = Float64Array.from(particles, ({ grid }, at) => weights[at]! * grid.area_um2);
  const sum = shares.reduce((total, share) => total + share, 0);
  for (let at = 0; at < n; at++) shares[at] = shares[at]! / sum;
  const x0 = new Float64Array(n + 1);
  particles.forEach(({ grid, arrays }, at) => {
    x0[at] = meanLithium(grid, arrays.start);
    x0[n] = x0[n]! + shares[at]! * x0[at]!;
  });
  const solver: PhaseFieldSolver = {
    particles,
    shares,
    contact_kT_s,
    way_kT_s,
    t_s: 0,
    phi: 0,
    limited: false,
    rate_per_s: 0,
    phiOf: new Float64Array(n),
    rateOf: new Float64Array(n),
    charge: new Float64Array(n + 1),
    chargeLast: new Float64Array(n + 1),
    chargeBefore: new Float64Array(n + 1),
    chargeRate: new Float64Array(n + 1),
    x0,
    arrival_s: particles.map(({ grid }) => new Float64Array(grid.openBelow.length).fill(NaN)),
    poorCells: new Int32Array(n),
    next_s: FIRST_STEP_s,
    last_s: 0,
    aim,
    stages: 0,
    total: { into: 0, outOf: 0 },
  };
  countPoor(solver);
  return solver;
}

/** Evaluates the state as it stands under the programme: potential, rates and, in the kernels' arrays, mu and mobility. */
export function settle(solver: PhaseFieldSolver, programme: Programme): void {
  for (const particle of solver.particles) evaluate(particle, particle.arrays.start);
  settlePotential(solver, programme(solver.t_s));
}

/**
 * One step, after `settle`; it ends at `until_s` at the latest.
 * Throws ParameterError where the rim of a particle is emptied or overfilled.
 */
export function advance(solver: PhaseFieldSolver, programme: Programme, until_s: number): void {
  const { particles } = solver;
  const n = particles.length;
  let lambda = 0;
  for (let at = 0; at < n; at++) {
    const { grid, table, kappa_um2, arrays, rim } = particles[at]!;
    const bulk = fastestDecay(grid, table, kappa_um2, arrays.start, arrays.mobility);
    const gradient_kT = (8 * kappa_um2) / (grid.h_um * grid.h_um);
    const rim_per_s = fastestReaction(rim, solver.phiOf[at]!, grid.count, table, gradient_kT, arrays.start);
    lambda = Math.max(lambda, bulk + rim_per_s);
  }
  for (const { grid, arrays } of particles) firstStage(grid, arrays, 0);
  for (let at = 0; at < n; at++) {
    const { grid, arrays, rim } = particles[at]!;
    react(rim, solver.phiOf[at]!, 1, grid.count, arrays.rate);
    solver.chargeRate[at] = solver.rateOf[at]!;
  }
  solver.chargeRate[n] = solver.rate_per_s;

  const from_s = solver.t_s;
  const from_phi = solver.phi;
  let dt_s = Math.min(solver.next_s, until_s - from_s, stableStep(lambda, MOST_STAGES));
  for (;;) {
    const stages = stagesFor(lambda, dt_s);
    // The potential is sought from the last one, which a step that failed may have left without a number.
    solver.phi = from_phi;
    stride(solver, programme, dt_s, stages);
    const change = largestChange(particles);
    if (change <= REDO * solver.aim) {
      solver.last_s = dt_s;
      const wished_s = dt_s * Math.min(2, (0.9 * solver.aim) / Math.max(change, 1e-300));
      // A step cut short by until_s says little about the next.
      solver.next_s = dt_s < solver.next_s ? Math.max(wished_s, Math.min(solver.next_s, 2 * wished_s)) : wished_s;
      break;
    }
    if (dt_s < LEAST_STEP_s || (change === Infinity && particles.some(isSpent))) refuseState(solver);
    dt_s /= 2;
    solver.next_s = dt_s;
  }
  accept(solver, dt_s);
  solver.t_s = dt_s === until_s - from_s ? until_s : from_s + dt_s;
}

/** Undoes the last step, which becomes the shorter one of dt_s; the arrays still hold both ends. */
export function retreat(solver: PhaseFieldSolver, programme: Programme, dt_s: number): void {
  const from_s = solver.t_s - solver.last_s;
  for (let at = 0; at < solver.particles.length; at++) {
    const { grid, arrays } = solver.particles[at]!;
    const start = arrays.last;
    arrays.last = arrays.start;
    arrays.start = start;
    const arrival = solver.arrival_s[at]!;
    for (const cell of grid.cells) if (arrival[cell]! > from_s) arrival[cell] = NaN;
  }
  const charge = solver.chargeLast;
  solver.chargeLast = solver.charge;
  solver.charge = charge;
  solver.t_s = from_s;
  settle(solver, programme);
  solver.next_s = dt_s;
  advance(solver, programme, from_s + dt_s);
}

/** Mean lithium of the electrode. */
export function electrodeLithium(solver: PhaseFieldSolver): number {
  let mean = 0;
  for (let at = 0; at < solver.particles.length; at++) {
    const { grid, arrays } = solver.particles[at]!;
    mean += solver.shares[at]! * meanLithium(grid, arrays.start);
  }
  return mean;
}

/** Largest difference, over particles and electrode, between the lithium there is and that which the currents brought. */
export function massErrorOf(solver: PhaseFieldSolver): number {
  const n = solver.particles.length;
  let worst = Math.abs(electrodeLithium(solver) - solver.x0[n]! - solver.charge[n]!);
  for (let at = 0; at < n; at++) {
    const { grid, arrays } = solver.particles[at]!;
    worst = Math.max(worst, Math.abs(meanLithium(grid, arrays.start) - solver.x0[at]! - solver.charge[at]!));
  }
  return worst;
}

/** All stages of a step from `start`, into `last`. */
function stride(solver: PhaseFieldSolver, programme: Programme, dt_s: number, stages: number): void {
  const { particles, charge, chargeRate } = solver;
  const n = particles.length;
  const { mu, nu, muTilde, gammaTilde, time } = rkl2(stages);
  const first_s = muTilde[1]! * dt_s;
  for (const { grid, arrays } of particles) {
    const { cells } = grid;
    const { start, last, before, rate } = arrays;
    for (let index = 0; index < cells.length; index++) {
      const cell = cells[index]!;
      const x = start[cell]!;
      before[cell] = x;
      last[cell] = x + first_s * rate[cell]!;
    }
  }
  for (let at = 0; at <= n; at++) {
    solver.chargeBefore[at] = charge[at]!;
    solver.chargeLast[at] = charge[at]! + first_s * chargeRate[at]!;
  }
  for (let j = 2; j <= stages; j++) {
    for (const particle of particles) evaluate(particle, particle.arrays.last);
    settlePotential(solver, programme(solver.t_s + time[j - 1]! * dt_s));
    const onStart = 1 - mu[j]! - nu[j]!;
    const onNow_s = muTilde[j]! * dt_s;
    const onRate_s = gammaTilde[j]! * dt_s;
    for (let at = 0; at < n; at++) {
      const { grid, arrays, rim } = particles[at]!;
      nextStage(grid, arrays, mu[j]!, nu[j]!, onStart, onNow_s, onRate_s);
      react(rim, solver.phiOf[at]!, onNow_s, grid.count, arrays.before);
      const swapped = arrays.last;
      arrays.last = arrays.before;
      arrays.before = swapped;
    }
    const { chargeLast, chargeBefore } = solver;
    for (let at = 0; at <= n; at++) {
      const now = at < n ? solver.rateOf[at]! : solver.rate_per_s;
      chargeBefore[at] =
        mu[j]! * chargeLast[at]! +
        nu[j]! * chargeBefore[at]! +
        onStart * charge[at]! +
        onNow_s * now +
        onRate_s * chargeRate[at]!;
    }
    solver.chargeLast = chargeBefore;
    solver.chargeBefore = chargeLast;
  }
  solver.stages += stages;
}

/** Takes the new state, and notes where the middle of the gap was met, straight in time within the step. */
function accept(solver: PhaseFieldSolver, dt_s: number): void {
  for (let at = 0; at < solver.particles.length; at++) {
    const { grid, arrays, thermo } = solver.particles[at]!;
    const arrival = solver.arrival_s[at]!;
    const middle = thermo.middle_x;
    const { start, last } = arrays;
    const { cells } = grid;
    for (let index = 0; index < cells.length; index++) {
      const cell = cells[index]!;
      const x = start[cell]!;
      const next = last[cell]!;
      if (x < middle !== next < middle && Number.isNaN(arrival[cell]!)) {
        arrival[cell] = solver.t_s + (dt_s * (middle - x)) / (next - x);
      }
    }
    arrays.start = last;
    arrays.last = start;
  }
  const charge = solver.charge;
  solver.charge = solver.chargeLast;
  solver.chargeLast = charge;
  countPoor(solver);
}

function countPoor(solver: PhaseFieldSolver): void {
  for (let at = 0; at < solver.particles.length; at++) {
    const { grid, arrays, thermo } = solver.particles[at]!;
    const { cells } = grid;
    let poor = 0;
    for (let index = 0; index < cells.length; index++) {
      if (arrays.start[cells[index]!]! < thermo.middle_x) poor++;
    }
    solver.poorCells[at] = poor;
  }
}

/** Infinity where lithium is no share of its sites: such a step is done again, shorter. */
function largestChange(particles: readonly PhaseFieldParticle[]): number {
  let largest = 0;
  for (const { grid, arrays } of particles) {
    const { start, last } = arrays;
    const { cells } = grid;
    for (let index = 0; index < cells.length; index++) {
      const next = last[cells[index]!]!;
      if (!(next >= 0 && next <= 1)) return Infinity;
      const change = Math.abs(next - start[cells[index]!]!);
      if (change > largest) largest = change;
    }
  }
  return largest;
}

/** Whether the last step took a place that was all but empty or full beyond. */
function isSpent({ grid, arrays: { start, last } }: PhaseFieldParticle): boolean {
  return grid.cells.some((cell) => {
    const [x, next] = [start[cell]!, last[cell]!];
    return (x < SPENT_x && next < 0) || (x > 1 - SPENT_x && next > 1);
  });
}

function refuseState(solver: PhaseFieldSolver): never {
  return refuse(
    "drive",
    solver.rate_per_s * 3600,
    `At ${solver.t_s.toPrecision(4)} s this rate (1/h) empties or overfills the rim faster than lithium moves within. Give a smaller current, limits_V, or potentials nearer the material's`,
  );
}
