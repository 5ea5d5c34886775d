/** An electrode of many particles: one potential for all, and a galvanostatic programme that turns round at its limits. */
import type { Material } from "../model/material.js";
import { SECONDS_PER_HOUR } from "../model/units.js";
import { record, records, stoppable, within } from "./check.js";
import { rewet } from "./edge-reaction.js";
import { checkMaterial } from "./material-check.js";
import { checkSteps, type ElectrodeStep, type RimSpec } from "./phase-field-drive.js";
import { hotSpotWetting } from "./phase-field-edge.js";
import { breathe, snapshotTimes, type Breath } from "./phase-field-pace.js";
import { checkLithium, onMask, phaseFieldParticle } from "./phase-field-particle.js";
import {
  advance,
  electrodeLithium,
  massErrorOf,
  phaseFieldSolver,
  settle,
  STEP_AIM,
  type Command,
  type PhaseFieldSolver,
} from "./phase-field-solver.js";
import { meanLithium } from "./phase-field-kernel.js";

/** One particle of an electrode. */
export interface EnsembleParticle extends RimSpec {
  readonly mask: ArrayLike<number>;
  readonly width: number;
  readonly height: number;
  readonly h_um: number;
  /** How many of its kind it stands for; 1 where left out. Its share in the current goes with its area. */
  readonly weight?: number | undefined;
  /** Resistance between it and the electrode, referred to its rim: 0.01 ohm m2 takes 0.13 V at 13 A/m2. */
  readonly contact_ohm_m2?: number | undefined;
  /**
   * What is lost on the current's way through the electrode to it, V for an electrode rate of one lithium per site and hour.
   * The way carries the whole electrode's current, the contact the particle's own.
   */
  readonly way_V_h?: number | undefined;
  /** Its own exchange current density, where it is not the material's. */
  readonly exchange_A_m2?: number | undefined;
  /** Its own lithium at the beginning. */
  readonly x0?: number | undefined;
}

/** An electrode to be cycled. */
export interface EnsembleSpec {
  readonly particles: readonly EnsembleParticle[];
  readonly material: Material;
  readonly delta_um: number;
  readonly x0: number;
  readonly steps: readonly ElectrodeStep[];
  /** When states are wanted: at these times, or every so many seconds. Left out: every hundredth of lithium per site. */
  readonly snapshots_s?: ArrayLike<number> | number | undefined;
  readonly stepChange_x?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** An electrode at one moment; lists run along the particles. */
export interface EnsembleState {
  readonly t_s: number;
  /** Index of the programme's step. */
  readonly step: number;
  readonly x_mean: number;
  readonly potential_V: number;
  readonly phi: number;
  readonly x_per_h: number;
  readonly particles: readonly {
    readonly x_mean: number;
    /** Share of cells below the middle of the gap. */
    readonly poor: number;
    readonly x_per_h: number;
    /** Lithium of each cell of its mask, NaN outside. */
    readonly x: Float64Array;
  }[];
}

/** One particle's way through one step of the programme. */
export interface ParticleHalfCycle {
  readonly step: number;
  readonly direction: "delithiation" | "lithiation";
  readonly start_s: number;
  readonly end_s: number;
  /** When each cell of the mask passed the middle of the gap; NaN outside and where it did not. */
  readonly arrival_s: Float32Array;
}

/** What a cycled electrode leaves; columns have one entry a step in time. */
export interface EnsembleResult {
  readonly t_s: Float64Array;
  /** Index of the programme's step. */
  readonly step: Int32Array;
  readonly x_mean: Float64Array;
  readonly potential_V: Float64Array;
  readonly phi: Float64Array;
  readonly x_per_h: Float64Array;
  readonly particles: readonly {
    readonly x_mean: Float64Array;
    readonly poor: Float64Array;
    readonly x_per_h: Float64Array;
    readonly halfCycles: readonly ParticleHalfCycle[];
    readonly x: Float64Array;
  }[];
  /** How each step of the programme ended. */
  readonly ends: readonly ("potential" | "lithium" | "time")[];
  readonly massError: number;
}

/** A step's lithium is met so nearly. */
const STOP_x = 1e-9;

/**
 * Cycles an electrode of particles that share one potential: in every stage of every step the potential is found at which
 * their currents, each behind its contact, sum to the electrode's. A step of the programme ends at its potential, its
 * lithium or its time; the next follows at once. Yields states as it goes.
 * Throws ParameterError for numbers that cannot be, and the signal's reason when aborted.
 */
export async function* simulateEnsemble(spec: EnsembleSpec): AsyncGenerator<EnsembleState, EnsembleResult> {
  checkEnsemble(spec);
  const snapshots = snapshotTimes(spec.snapshots_s);
  const solver = solverOf(spec);
  try {
    return yield* cycled(spec, solver, snapshots);
  } finally {
    for (const { arrays } of solver.particles) arrays.release();
  }
}

/** An electrode's programme from its first step to its last. */
async function* cycled(
  spec: EnsembleSpec,
  solver: PhaseFieldSolver,
  snapshots: ReturnType<typeof snapshotTimes>,
): AsyncGenerator<EnsembleState, EnsembleResult> {
  const { particles } = solver;
  const { reference_V, thermal_V } = particles[0]!.thermo;
  const columns: number[][] = Array.from({ length: 6 + 3 * particles.length }, () => []);
  const halfCycles: ParticleHalfCycle[][] = particles.map(() => []);
  const ends: EnsembleResult["ends"][number][] = [];
  const breath: Breath = { since: performance.now() };
  let massError = 0;
  let cycle = -1;
  let shown_x = NaN;
  for (const [index, step] of spec.steps.entries()) {
    const start_s = solver.t_s;
    if (step.kind === "lithiation") cycle++;
    if (step.kind !== "rest") begin(solver, spec, step.kind, Math.max(0, cycle));
    const command = commandOf(step, spec.material, reference_V, thermal_V);
    const programme = (): Command => command;
    const end_s = start_s + (step.lasts_s ?? Infinity);
    for (;;) {
      spec.signal?.throwIfAborted();
      settle(solver, programme);
      const x_mean = electrodeLithium(solver);
      massError = Math.max(massError, massErrorOf(solver));
      note(columns, solver, index, x_mean);
      const end = endOf(solver, step, x_mean, end_s);
      if (end !== null) ends.push(end);
      const byItself = spec.snapshots_s === undefined && (end !== null || !(Math.abs(x_mean - shown_x) < 0.01));
      if (snapshots.due(solver.t_s) || byItself) {
        shown_x = x_mean;
        yield stateOf(solver, index, x_mean);
      }
      if (end !== null) break;
      advance(solver, programme, Math.min(end_s, snapshots.next(solver.t_s), lithiumIn(solver, step, x_mean)));
      await breathe(breath);
    }
    if (step.kind === "rest") continue;
    for (const [at, { grid }] of particles.entries()) {
      const arrival_s = new Float32Array(grid.width * grid.height);
      onMask(grid, solver.arrival_s[at]!, arrival_s);
      halfCycles[at]!.push({ step: index, direction: step.kind, start_s, end_s: solver.t_s, arrival_s });
    }
  }
  const column = (number: number): Float64Array => Float64Array.from(columns[number]!);
  return {
    t_s: column(0),
    step: Int32Array.from(columns[1]!),
    x_mean: column(2),
    potential_V: column(3),
    phi: column(4),
    x_per_h: column(5),
    particles: particles.map(({ grid, arrays }, at) => {
      const x = new Float64Array(grid.width * grid.height);
      onMask(grid, arrays.start, x);
      const first = 6 + 3 * at;
      return {
        x_mean: column(first),
        poor: column(first + 1),
        x_per_h: column(first + 2),
        halfCycles: halfCycles[at]!,
        x,
      };
    }),
    ends,
    massError,
  };
}

function solverOf(spec: EnsembleSpec): PhaseFieldSolver {
  const first = spec.steps.find(({ kind }) => kind !== "rest");
  const direction = first?.kind === "lithiation" ? "lithiation" : "delithiation";
  const particles = spec.particles.map((own) =>
    phaseFieldParticle({ ...own, material: spec.material, delta_um: spec.delta_um }, own.x0 ?? spec.x0, direction),
  );
  const weights = spec.particles.map(({ weight = 1 }) => weight);
  const contacts = Float64Array.from(
    particles,
    ({ current_A_m2_s, thermo }, at) => ((spec.particles[at]!.contact_ohm_m2 ?? 0) * current_A_m2_s) / thermo.thermal_V,
  );
  const ways = Float64Array.from(
    particles,
    ({ thermo }, at) => ((spec.particles[at]!.way_V_h ?? 0) * SECONDS_PER_HOUR) / thermo.thermal_V,
  );
  return phaseFieldSolver(particles, weights, contacts, spec.stepChange_x ?? STEP_AIM, ways);
}

/** A new half cycle: its own hot spots, and arrivals not yet known. */
function begin(
  solver: PhaseFieldSolver,
  spec: EnsembleSpec,
  direction: "delithiation" | "lithiation",
  cycle: number,
): void {
  for (const [at, { grid, thermo, rim }] of solver.particles.entries()) {
    solver.arrival_s[at]!.fill(NaN);
    const { edge, boundary } = spec.particles[at]!;
    if (edge === undefined || boundary?.wetting !== undefined) continue;
    rewet(
      rim,
      grid,
      hotSpotWetting(grid, thermo, spec.delta_um, { ...edge, cycle: cycle + (edge.cycle ?? 0) }, direction),
    );
  }
}

function commandOf(step: ElectrodeStep, material: Material, reference_V: number, thermal_V: number): Command {
  if (step.kind === "rest") return { kind: "rate", rate_per_s: 0, least_phi: -Infinity, most_phi: Infinity };
  const rate_per_s = (step.x_per_h ?? 0) / SECONDS_PER_HOUR;
  return step.kind === "delithiation"
    ? {
        kind: "rate",
        rate_per_s: -rate_per_s,
        least_phi: -Infinity,
        most_phi: ((step.until_V ?? material.most_V.value) - reference_V) / thermal_V,
      }
    : {
        kind: "rate",
        rate_per_s,
        least_phi: ((step.until_V ?? material.least_V.value) - reference_V) / thermal_V,
        most_phi: Infinity,
      };
}

function endOf(
  solver: PhaseFieldSolver,
  step: ElectrodeStep,
  x_mean: number,
  end_s: number,
): "potential" | "lithium" | "time" | null {
  if (solver.limited) return "potential";
  if (step.until_x !== undefined && step.kind !== "rest") {
    const beyond = step.kind === "delithiation" ? step.until_x - x_mean : x_mean - step.until_x;
    if (beyond >= -STOP_x) return "lithium";
  }
  return solver.t_s >= end_s ? "time" : null;
}

/** When the step's lithium is met at the rate that flows, which is steady while no limit holds it. */
function lithiumIn({ t_s, rate_per_s }: PhaseFieldSolver, { until_x }: ElectrodeStep, x_mean: number): number {
  const wait_s = until_x === undefined ? Infinity : (until_x - x_mean) / rate_per_s;
  return wait_s > 0 ? t_s + wait_s : Infinity;
}

function note(columns: number[][], solver: PhaseFieldSolver, step: number, x_mean: number): void {
  const { reference_V, thermal_V } = solver.particles[0]!.thermo;
  columns[0]!.push(solver.t_s);
  columns[1]!.push(step);
  columns[2]!.push(x_mean);
  columns[3]!.push(reference_V + thermal_V * solver.phi);
  columns[4]!.push(solver.phi);
  columns[5]!.push(SECONDS_PER_HOUR * solver.rate_per_s);
  for (const [at, { grid, arrays }] of solver.particles.entries()) {
    const first = 6 + 3 * at;
    columns[first]!.push(meanLithium(grid, arrays.start));
    columns[first + 1]!.push(solver.poorCells[at]! / grid.count);
    columns[first + 2]!.push(SECONDS_PER_HOUR * solver.rateOf[at]!);
  }
}

function stateOf(solver: PhaseFieldSolver, step: number, x_mean: number): EnsembleState {
  const { reference_V, thermal_V } = solver.particles[0]!.thermo;
  return {
    t_s: solver.t_s,
    step,
    x_mean,
    potential_V: reference_V + thermal_V * solver.phi,
    phi: solver.phi,
    x_per_h: SECONDS_PER_HOUR * solver.rate_per_s,
    particles: solver.particles.map(({ grid, arrays }, at) => {
      const x = new Float64Array(grid.width * grid.height);
      onMask(grid, arrays.start, x);
      return {
        x_mean: meanLithium(grid, arrays.start),
        poor: solver.poorCells[at]! / grid.count,
        x_per_h: SECONDS_PER_HOUR * solver.rateOf[at]!,
        x,
      };
    }),
  };
}

/** No contact and no way through an electrode resists more: at 1 A/m2, or 1 lithium per site and hour, a million volts. */
const MOST_RESISTANCE = 1e6;
/** One particle stands for no more of its kind, and for no smaller part of one. */
const MOST_WEIGHT = 1e12;

function checkEnsemble(spec: EnsembleSpec): void {
  record("specification", spec, "Give particles, material, delta_um, x0 and steps");
  const { particles, steps, x0, stepChange_x, material, signal } = spec;
  checkMaterial(material);
  records("particles", particles, 1, 1e5, "Give at least one, each with mask, width, height and h_um");
  for (const [at, own] of particles.entries()) {
    const name = `particles.${at}`;
    const { weight = 1, contact_ohm_m2 = 0, way_V_h = 0 } = own;
    within(`${name}.weight`, weight, 1 / MOST_WEIGHT, MOST_WEIGHT, "Give how many particles it stands for");
    within(`${name}.contact_ohm_m2`, contact_ohm_m2, 0, MOST_RESISTANCE, "Give at least 0, such as 0.01");
    within(`${name}.way_V_h`, way_V_h, 0, MOST_RESISTANCE, "Give at least 0, such as 0.01");
    if (own.x0 !== undefined) checkLithium(`${name}.x0`, own.x0);
  }
  checkSteps("steps", steps);
  checkLithium("x0", x0);
  if (stepChange_x !== undefined) within("stepChange_x", stepChange_x, 1e-6, 0.1);
  stoppable(signal);
}
