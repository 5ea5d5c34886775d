/**
 * The phase field of one particle: a Cahn-Hilliard equation in the plane that is seen, with Butler-Volmer at the rim.
 *
 *     dx/dt = div(M grad mu),  mu = mu0(x) - kappa lap x;   at the rim n . M grad mu = J,  n . grad x = wetting
 *
 * After Singh, Ceder and Bazant, Electrochim. Acta 53, 7599 (2008), and Bazant, Acc. Chem. Res. 46, 1144 (2013).
 */
import { SECONDS_PER_HOUR } from "../model/units.js";
import { MOST_V, pair, potential, record, refuse, stoppable, within } from "./check.js";
import { potentialFor, rateAt } from "./edge-reaction.js";
import { equilibriumPotential } from "./free-energy.js";
import { checkMaterial } from "./material-check.js";
import { checkedSeries, seriesAt, type PhaseFieldDrive } from "./phase-field-drive.js";
import { simulateAreas } from "./phase-field-areas.js";
import {
  checkEdge,
  checkLithium,
  evaluate,
  onMask,
  phaseFieldParticle,
  type PhaseFieldParticle,
} from "./phase-field-particle.js";
import { breathe, landingAfter, snapshotTimes, type Breath } from "./phase-field-pace.js";
import {
  advance,
  electrodeLithium,
  massErrorOf,
  phaseFieldSolver,
  retreat,
  settle,
  STEP_AIM,
  type Command,
  type PhaseFieldSolver,
  type Programme,
} from "./phase-field-solver.js";
import type { PhaseFieldEnd, PhaseFieldResult, PhaseFieldSpec, PhaseFieldState } from "./phase-field-spec.js";

/** A held potential that needs so long for the rest of the way is given up. */
const STALLED_s = 1e5;
/** xStop is met so nearly. */
const STOP_x = 1e-9;
/** A jump of the drive has a row before it too, which stands so long before it, as a share of its time. */
const BEFORE_JUMP = 1e-12;

/**
 * Runs the phase field of a particle of any shape from even lithium x0 to a mean of xStop. Yields states as it goes and
 * returns the columns, the arrival map and the end. Results depend on nothing but the specification.
 * Throws ParameterError, before anything is run, for numbers that cannot be: no cell inside, h_um > delta_um, D <= 0, NaN,
 * a current that the rim cannot pass; later where a current empties the rim; the signal's reason when aborted.
 */
export async function* simulatePhaseField(spec: PhaseFieldSpec): AsyncGenerator<PhaseFieldState, PhaseFieldResult> {
  checkParts(spec);
  checkMaterial(spec.material);
  checkWay(spec);
  const { drive } = spec;
  if (drive.kind === "ensemble") return yield* simulateAreas(spec, drive);
  const direction = spec.xStop < spec.x0 ? "delithiation" : "lithiation";
  const particle = phaseFieldParticle(spec, spec.x0, direction);
  try {
    return yield* transformation(spec, drive, particle);
  } finally {
    particle.arrays.release();
  }
}

/** A particle from even lithium to its end. */
async function* transformation(
  spec: PhaseFieldSpec,
  drive: Exclude<PhaseFieldDrive, { kind: "ensemble" }>,
  particle: PhaseFieldParticle,
): AsyncGenerator<PhaseFieldState, PhaseFieldResult> {
  const { programme, breaks_s, jumps_s, last_s } = commandOf(spec, drive, particle);
  const solver = phaseFieldSolver([particle], [1], new Float64Array(1), spec.stepChange_x ?? STEP_AIM);
  const snapshots = snapshotTimes(spec.snapshots_s);
  const until_s = spec.until_s ?? Infinity;
  const columns = { t_s: [], x_mean: [], fraction: [], potential_V: [], phi: [], x_per_h: [] } as Columns;
  const breath: Breath = { since: performance.now() };
  const sense = Math.sign(spec.xStop - spec.x0);
  let massError = 0;
  let limited_s: number | null = null;
  let shown = -1;
  let ended: PhaseFieldEnd | null = null;
  for (;;) {
    spec.signal?.throwIfAborted();
    settle(solver, programme);
    const x_mean = electrodeLithium(solver);
    const left = sense * (spec.xStop - x_mean);
    if (left <= STOP_x) ended = "xStop";
    else if (solver.t_s >= until_s) ended = "until";
    else if (solver.t_s >= last_s) {
      const toward = sense * solver.rate_per_s;
      const held = drive.kind === "potential" || solver.limited;
      if (held && toward * STALLED_s < left && solver.t_s > last_s) ended = "stalled";
      else if (!held && toward <= 0) ended = "drive";
    }
    note(columns, solver, solver.t_s, x_mean, sense);
    massError = Math.max(massError, massErrorOf(solver));
    if (solver.limited) limited_s ??= solver.t_s;
    const progress = Math.max(0, Math.min(1, (x_mean - spec.x0) / (spec.xStop - spec.x0)));
    const due = snapshots.due(solver.t_s) || (spec.snapshots_s === undefined && Math.floor(100 * progress) > shown);
    if (due || (ended !== null && spec.snapshots_s === undefined)) {
      shown = Math.floor(100 * progress);
      yield stateOf(solver, columns, progress);
    }
    if (ended !== null) break;
    const from_s = solver.t_s;
    advance(solver, programme, Math.min(until_s, snapshots.next(from_s), landingAfter(breaks_s, from_s)));
    stopAt(solver, programme, spec.xStop, sense, x_mean);
    if (jumps_s.has(solver.t_s)) {
      const before_s = solver.t_s * (1 - BEFORE_JUMP);
      settle(solver, () => programme(before_s));
      if (before_s > from_s) note(columns, solver, before_s, electrodeLithium(solver), sense);
    }
    await breathe(breath);
  }
  const n = spec.mask.length;
  const x = new Float64Array(n);
  const arrival_s = new Float32Array(n);
  onMask(particle.grid, particle.arrays.start, x);
  onMask(particle.grid, solver.arrival_s[0]!, arrival_s);
  return { ...asArrays(columns), arrival_s, x, massError, ended, limited_s, ensemble: null };
}

interface Columns {
  readonly t_s: number[];
  readonly x_mean: number[];
  readonly fraction: number[];
  readonly potential_V: number[];
  readonly phi: number[];
  readonly x_per_h: number[];
}

function asArrays(columns: Columns): { readonly [K in keyof Columns]: Float64Array } {
  return {
    t_s: Float64Array.from(columns.t_s),
    x_mean: Float64Array.from(columns.x_mean),
    fraction: Float64Array.from(columns.fraction),
    potential_V: Float64Array.from(columns.potential_V),
    phi: Float64Array.from(columns.phi),
    x_per_h: Float64Array.from(columns.x_per_h),
  };
}

function note(columns: Columns, solver: PhaseFieldSolver, t_s: number, x_mean: number, sense: number): void {
  const { grid, thermo } = solver.particles[0]!;
  const poor = solver.poorCells[0]! / grid.count;
  columns.t_s.push(t_s);
  columns.x_mean.push(x_mean);
  columns.fraction.push(sense < 0 ? poor : 1 - poor);
  columns.potential_V.push(thermo.reference_V + thermo.thermal_V * solver.phi);
  columns.phi.push(solver.phi);
  columns.x_per_h.push(SECONDS_PER_HOUR * solver.rate_per_s);
}

function stateOf(solver: PhaseFieldSolver, columns: Columns, progress: number): PhaseFieldState {
  const { grid, arrays } = solver.particles[0]!;
  const x = new Float64Array(grid.width * grid.height);
  onMask(grid, arrays.start, x);
  const last = columns.t_s.length - 1;
  return {
    t_s: columns.t_s[last]!,
    x_mean: columns.x_mean[last]!,
    fraction: columns.fraction[last]!,
    potential_V: columns.potential_V[last]!,
    phi: columns.phi[last]!,
    x_per_h: columns.x_per_h[last]!,
    limited: solver.limited,
    progress,
    x,
  };
}

/** Where the step passed xStop, takes it back and does it again so long that it meets it. */
function stopAt(solver: PhaseFieldSolver, programme: Programme, xStop: number, sense: number, from_x: number): void {
  for (let turn = 0; turn < 8; turn++) {
    const x = electrodeLithium(solver);
    if (sense * (x - xStop) <= STOP_x) return;
    retreat(solver, programme, (solver.last_s * (xStop - from_x)) / (x - from_x));
  }
}

/** Refuses what is not even of its kind. */
function checkParts(spec: PhaseFieldSpec): void {
  record("specification", spec, "Give mask, width, height, h_um, material, delta_um, drive, x0, xStop");
  const { drive, edge, signal } = spec;
  if (edge !== undefined) checkEdge("edge", edge);
  record("drive", drive, "Give one, such as { kind: current, x_per_h: [[0, 2]] }");
  stoppable(signal);
}

function checkWay({ x0, xStop, until_s, stepChange_x }: PhaseFieldSpec): void {
  checkLithium("x0", x0);
  checkLithium("xStop", xStop);
  if (x0 === xStop) refuse("xStop", xStop, "Give another than x0: towards less lithium, or more");
  if (until_s !== undefined && !(typeof until_s === "number" && until_s > 0)) {
    refuse("until_s", until_s, "Give a time after 0, in s");
  }
  if (stepChange_x !== undefined) within("stepChange_x", stepChange_x, 1e-6, 0.1);
}

interface Commanded {
  readonly programme: Programme;
  /** Times at which steps must end. */
  readonly breaks_s: readonly number[];
  /** Those of them at which the command jumps. */
  readonly jumps_s: ReadonlySet<number>;
  /** From here on the drive does not change. */
  readonly last_s: number;
}

/** The drive as commands in kT and 1/s. */
function commandOf(
  { x0, xStop, material }: PhaseFieldSpec,
  drive: Exclude<PhaseFieldDrive, { kind: "ensemble" }>,
  particle: PhaseFieldParticle,
): Commanded {
  const { reference_V, thermal_V } = particle.thermo;
  if (drive.kind === "potential") {
    const series = checkedSeries("drive.E_V", drive.E_V);
    for (const E_V of series.value) potential("drive.E_V", E_V);
    const command = { kind: "potential" as const, phi: 0 };
    const programme = (t_s: number): Command => {
      command.phi = (seriesAt(series, t_s) - reference_V) / thermal_V;
      return command;
    };
    const breaks_s = jumps(series.t_s);
    return { programme, breaks_s, jumps_s: new Set(breaks_s), last_s: series.t_s.at(-1)! };
  }
  if (drive.kind !== "current")
    refuse("drive.kind", (drive as { kind: unknown }).kind, "Give current, potential or ensemble");
  const series = checkedSeries("drive.x_per_h", drive.x_per_h);
  const first = series.value.find((value) => value !== 0);
  if (first === undefined) refuse("drive.x_per_h", 0, `Give a rate that leads from x0, ${x0}, to xStop, ${xStop}`);
  const sense = Math.sign(xStop - x0);
  const perSecond = (sense * Math.sign(first)) / SECONDS_PER_HOUR;
  const limits_V =
    drive.limits_V === undefined ? ([material.least_V.value, material.most_V.value] as const) : drive.limits_V;
  const command = { kind: "rate" as const, rate_per_s: 0, least_phi: -Infinity, most_phi: Infinity };
  if (limits_V !== null) {
    const cure = "Give the lower potential first, in V, such as [3, 4.3]";
    pair("drive.limits_V", limits_V, -MOST_V, MOST_V, cure);
    if (!(limits_V[0] < limits_V[1])) refuse("drive.limits_V", limits_V, cure);
    command.least_phi = (limits_V[0] - reference_V) / thermal_V;
    command.most_phi = (limits_V[1] - reference_V) / thermal_V;
    checkReach(particle, xStop, limits_V);
    checkCurrent(
      particle,
      series.value.map((value) => value * perSecond),
      command.least_phi,
      command.most_phi,
      limits_V,
    );
  }
  const programme = (t_s: number): Command => {
    command.rate_per_s = perSecond * seriesAt(series, t_s);
    return command;
  };
  return { programme, breaks_s: [...series.t_s], jumps_s: new Set(jumps(series.t_s)), last_s: series.t_s.at(-1)! };
}

/** Times that stand twice. */
function jumps(t_s: Float64Array): number[] {
  return [...t_s].filter((time_s, at) => at > 0 && time_s === t_s[at - 1]);
}

function checkReach({ thermo }: PhaseFieldParticle, xStop: number, limits_V: readonly [number, number]): void {
  const E_V = equilibriumPotential(thermo, xStop);
  if (E_V >= limits_V[0] && E_V <= limits_V[1]) return;
  refuse(
    "xStop",
    xStop,
    `At rest the particle then stands at ${E_V.toFixed(3)} V, beyond the limits of ${limits_V[0]} and ${limits_V[1]} V: a current within them cannot lead there. Give another xStop, or limits_V`,
  );
}

/** Refuses a current that the untouched rim cannot pass within the limits: it would empty or fill it at once. */
function checkCurrent(
  particle: PhaseFieldParticle,
  rates_per_s: Float64Array,
  least_phi: number,
  most_phi: number,
  limits_V: readonly [number, number],
): void {
  evaluate(particle, particle.arrays.start);
  const out_per_h = -SECONDS_PER_HOUR * rateAt(most_phi, particle.rates);
  const in_per_h = SECONDS_PER_HOUR * rateAt(least_phi, particle.rates);
  for (const rate_per_s of rates_per_s) {
    const phi = potentialFor(rate_per_s, particle.rates);
    if (rate_per_s < 0 ? phi <= most_phi : phi >= least_phi) continue;
    const most_per_h = rate_per_s < 0 ? out_per_h : in_per_h;
    const verb = rate_per_s < 0 ? "empty" : "overfill";
    refuse(
      "drive.x_per_h",
      Math.abs(rate_per_s) * SECONDS_PER_HOUR,
      `It would ${verb} the particle's rim at once: between ${limits_V[0]} and ${limits_V[1]} V it passes at most ${most_per_h.toPrecision(3)} lithium per site and hour. Give less`,
    );
  }
}
