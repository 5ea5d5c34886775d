/**
 * The ordering of lithium at x = 1/2: three variants of one phase, each along its own direction of the lattice, that grow
 * from nuclei into domains and meet in walls; and their disordering.
 *
 * The transition is taken as of first order, since both phases are seen together. Lithium moves no farther than a site,
 * so composition is even and only drives. Walls between equal variants shifted against each other are left out.
 */
import { record, refuse, seeded, stoppable, within } from "./check.js";
import { wallAnisotropy } from "./ordering-anisotropy.js";
import { orderingCells } from "./ordering-cells.js";
import { orderingEnergy, wallCoefficient, weightOf, type OrderingLaw } from "./ordering-kernel.js";
import { undercoolingOf, type Undercooling } from "./ordering-drive.js";
import {
  disorderNuclei,
  maskPlace,
  orderNuclei,
  plant,
  type OrderingNucleus,
  type WaitingNucleus,
} from "./ordering-nuclei.js";
import { frontsCollided, originsOf } from "./ordering-origins.js";
import {
  checkWalls,
  type OrderingResult,
  type OrderingSpec,
  type OrderingState,
  type OrderingTransition,
} from "./ordering-spec.js";
import {
  noteJump,
  notePassage,
  orderedFraction,
  orderingStepper,
  stepOrdering,
  type OrderingStepper,
} from "./ordering-stepper.js";
import { orderingDomains, type OrderingDomains } from "./ordering-walls.js";
import { maskedGrid } from "./masked-grid.js";
import { checkWidth } from "./phase-field-particle.js";
import { breathe, snapshotTimes, type Breath } from "./phase-field-pace.js";

/** D / W at full undercooling: below 5/24, where one variant would turn into another by itself. */
const FULL_DRIVE = 0.13;
const DELTA_um = 0.15;
const FRONT_um_s = 0.075;
/** Time in which a wall with its default mobility sweeps the particle's area over pi, and in which walls settle. */
const WALL_SWEEP_s = 80;
const SETTLING_s = 60;
const NUCLEATION = 0.9;
/** Cells slow a front by about this times (h / delta)^2: 4 % at two thirds, 11 % at 1. */
const CELLS_SLOW = 0.1;
/** Less order than this is none. */
const NONE = 1e-9;

/** No front (um/s) and no wall (um^2/s) is faster. */
const FASTEST = 1e6;
/** Undercooling that is told from equilibrium. */
const EQUILIBRIUM = 1e-9;

/** A stretch in which the drive orders or disorders. */
interface Stretch {
  readonly kind: "ordering" | "disordering";
  readonly start_s: number;
  readonly end_s: number;
}

/** A stretch under way. */
interface Passage extends Stretch {
  readonly waiting: { readonly at: number; readonly nucleus: WaitingNucleus; readonly due_s: number }[];
  readonly nuclei: OrderingNucleus[];
  readonly arrival_s: Float64Array;
  /** Before disordering. */
  readonly domains: OrderingDomains | null;
}

/**
 * Runs the order of a particle of any shape, disordered at first, through all passages of its drive. Yields states as it
 * goes. Results depend on nothing but the specification.
 * Throws ParameterError, before anything is run, for numbers that cannot be: no cell inside, h_um > delta_um, NaN, a nucleus
 * outside; the signal's reason when aborted.
 */
export async function* simulateOrdering(spec: OrderingSpec): AsyncGenerator<OrderingState, OrderingResult> {
  record("specification", spec, "Give mask, width, height, h_um, drive, nuclei, walls and seed");
  stoppable(spec.signal);
  const cells = orderingCells(maskedGrid(spec.mask, spec.width, spec.height, spec.h_um));
  const law = lawOf(spec, cells.grid.area_um2);
  const drive = undercoolingOf(spec.drive);
  const nucleationAt = spec.nucleationAt ?? NUCLEATION;
  const barrier = "Give the undercooling from which nuclei come, above 0 and at most 1";
  within("nucleationAt", nucleationAt, Number.MIN_VALUE, 1, barrier);
  seeded("seed", spec.seed);
  const start_s = Math.min(0, drive.pieces_s[0]!);
  const until_s = spec.until_s ?? drive.pieces_s.at(-1)!;
  if (!(typeof until_s === "number" && until_s > start_s && until_s < Infinity)) {
    refuse("until_s", until_s, "Give the end of the run in s, or a drive that lasts longer");
  }
  orderNuclei(cells, spec.nuclei, spec.walls, spec.seed, 0);
  disorderNuclei(cells, spec.disorderNuclei ?? [], new Int32Array(0), spec.seed, 0);
  const settling_s = spec.wallSettling_s ?? SETTLING_s;
  const ever = "Give seconds above 0, Infinity for walls that never settle";
  within("wallSettling_s", settling_s, Number.MIN_VALUE, Infinity, ever);
  const snapshots = snapshotTimes(spec.snapshots_s ?? (until_s - start_s) / 100);

  const stepper = orderingStepper(cells, law, start_s);
  const passages = stretches(drive, start_s, until_s);
  const transitions: OrderingTransition[] = [];
  const breath: Breath = { since: performance.now() };
  const driveAt = (t_s: number): number => FULL_DRIVE * drive.at(t_s);
  const progress = (): number => (stepper.t_s - start_s) / (until_s - start_s);
  let passage: Passage | null = null;
  // When the last cell of the particle was ordered.
  let whole_s = NaN;
  for (;;) {
    spec.signal?.throwIfAborted();
    if (passage !== null && stepper.t_s >= passage.end_s) {
      transitions.push(ended(stepper, passage));
      passage = null;
    }
    const next = passages[transitions.length];
    if (passage === null && next !== undefined && stepper.t_s >= next.start_s) {
      passage = begun(stepper, spec, drive, next, transitions.length);
      if (passage.kind === "ordering") whole_s = NaN;
    }
    if (passage !== null) fire(stepper, passage);
    if (snapshots.due(stepper.t_s)) yield stateOf(stepper, drive, progress());
    if (stepper.t_s >= until_s) break;
    const landing_s = Math.min(
      until_s,
      passage?.end_s ?? next?.start_s ?? Infinity,
      snapshots.next(stepper.t_s),
      ...(passage?.waiting.map(({ due_s }) => due_s).filter((due_s) => due_s > stepper.t_s) ?? []),
      drive.pieces_s.find((t_s) => t_s > stepper.t_s) ?? Infinity,
    );
    const from_s = stepper.t_s;
    if (Number.isNaN(whole_s) && orderedFraction(cells.count, stepper.eta) === 1) whole_s = from_s;
    const settled = Number.isNaN(whole_s) ? 1 : Math.exp((whole_s - from_s) / settling_s);
    stepper.law = { ...law, wall_per_s: settled * law.wall_per_s };
    if (stepper.eta.every((value) => Math.abs(value) < NONE)) {
      stepper.t_s = landing_s;
    } else {
      stepOrdering(stepper, driveAt, landing_s);
      if (passage !== null) notePassage(stepper, from_s, passage.kind === "ordering", passage.arrival_s);
    }
    await breathe(breath);
  }
  return {
    transitions,
    last: stateOf(stepper, drive, progress()),
    delta_um: law.delta_um,
    frontVelocity_um_s: spec.frontVelocity_um_s ?? FRONT_um_s,
    kinetic_per_s: law.front_per_s,
  };
}

function lawOf(spec: OrderingSpec, area_um2: number): OrderingLaw {
  const { delta_um = DELTA_um, frontVelocity_um_s = FRONT_um_s, walls } = spec;
  const wallMobility_um2_s = spec.wallMobility_um2_s ?? area_um2 / (Math.PI * WALL_SWEEP_s);
  checkWidth(delta_um, spec.h_um);
  within("frontVelocity_um_s", frontVelocity_um_s, 1 / FASTEST, FASTEST, "Give um/s above 0, such as 0.075");
  within("wallMobility_um2_s", wallMobility_um2_s, 0, FASTEST, "Give um^2/s, such as 0.1");
  checkWalls("walls", walls);
  const wall_per_s = walls.kind === "pinned" ? 0 : wallCoefficient(wallMobility_um2_s, delta_um);
  let strength = 0;
  let angle_deg = 0;
  if (walls.kind === "lattice") {
    strength = walls.strength ?? 1;
    angle_deg = walls.angle_deg;
  }
  return {
    delta_um,
    front_per_s: frontVelocity_um_s / (3 * FULL_DRIVE * delta_um * (1 - CELLS_SLOW * (spec.h_um / delta_um) ** 2)),
    wall_per_s,
    anisotropy: wallAnisotropy(angle_deg, weightOf(strength, delta_um)),
  };
}

/** Stretches of one kind of drive, in turn; the first orders. */
function stretches(drive: Undercooling, from_s: number, until_s: number): Stretch[] {
  const found: Stretch[] = [];
  let start_s = drive.reaches(EQUILIBRIUM, true, from_s);
  while (start_s < until_s) {
    const kind = found.length % 2 === 0 ? "ordering" : "disordering";
    const turn_s = drive.reaches(kind === "ordering" ? -EQUILIBRIUM : EQUILIBRIUM, kind === "disordering", start_s);
    found.push({ kind, start_s, end_s: Math.min(turn_s, until_s) });
    start_s = turn_s;
  }
  return found;
}

function begun(
  stepper: OrderingStepper,
  spec: OrderingSpec,
  drive: Undercooling,
  stretch: Stretch,
  number: number,
): Passage {
  const { cells, eta, law } = stepper;
  const { kind, start_s } = stretch;
  const nucleationAt = spec.nucleationAt ?? NUCLEATION;
  const ordering = kind === "ordering";
  const read = ordering ? null : orderingDomains(cells, law.delta_um, start_s, eta);
  const drawn =
    read === null
      ? orderNuclei(cells, spec.nuclei, spec.walls, spec.seed, number)
      : disorderNuclei(cells, spec.disorderNuclei, read.domainOf, spec.seed, number);
  const passed_s = drive.reaches(ordering ? nucleationAt : -nucleationAt, ordering, start_s);
  return {
    ...stretch,
    waiting: drawn.map((nucleus, at) => ({ at, nucleus, due_s: passed_s + nucleus.delay_s })),
    nuclei: drawn.map(({ at_um, variant }) => ({ at_um, variant, fired_s: null })),
    arrival_s: new Float64Array(cells.count).fill(NaN),
    domains: read?.domains ?? null,
  };
}

/** Plants the nuclei whose time has come. */
function fire({ cells, law, eta, t_s }: OrderingStepper, passage: Passage): void {
  const due = passage.waiting.filter(({ due_s }) => due_s <= t_s && t_s < passage.end_s);
  for (const one of due) {
    passage.waiting.splice(passage.waiting.indexOf(one), 1);
    const before = eta.slice();
    if (!plant(cells, law.delta_um, one.nucleus, eta)) continue;
    passage.nuclei[one.at] = { ...passage.nuclei[one.at]!, fired_s: t_s };
    noteJump(before, eta, t_s, passage.kind === "ordering", passage.arrival_s);
  }
}

function ended({ cells, law, eta, t_s }: OrderingStepper, passage: Passage): OrderingTransition {
  const { kind, start_s, end_s, nuclei, arrival_s } = passage;
  const origin = originsOf(cells, arrival_s, nuclei);
  const { grid } = cells;
  const arrivals = new Float32Array(grid.width * grid.height).fill(NaN);
  const origins = new Int32Array(grid.width * grid.height);
  for (let cell = 0; cell < cells.count; cell++) {
    const place = maskPlace(grid, cell);
    arrivals[place] = arrival_s[cell]!;
    origins[place] = origin[cell]!;
  }
  return {
    kind,
    start_s,
    end_s,
    nuclei,
    arrival_s: arrivals,
    origin: origins,
    collision: frontsCollided(cells, origin, nuclei, law.delta_um),
    domains: passage.domains ?? orderingDomains(cells, law.delta_um, t_s, eta).domains,
  };
}

function stateOf({ cells, law, eta, t_s }: OrderingStepper, drive: Undercooling, progress: number): OrderingState {
  const { grid, count } = cells;
  const undercooling = drive.at(t_s);
  const order = [0, 1, 2].map((field) => {
    const raster = new Float64Array(grid.width * grid.height).fill(NaN);
    for (let cell = 0; cell < count; cell++) raster[maskPlace(grid, cell)] = eta[field * count + cell]!;
    return raster;
  }) as [Float64Array, Float64Array, Float64Array];
  return {
    t_s,
    undercooling,
    fraction: orderedFraction(count, eta),
    progress,
    order,
    energy: orderingEnergy(cells, law, FULL_DRIVE * undercooling, eta),
  };
}
