/** Controls: the river fed from spoiled springs, and what each finding comes to beside them. */
import { cropParticles } from "../analysis/crops.js";
import { referenceImage } from "../analysis/reference.js";
import { medianStep } from "../kernels/stats.js";
import type { Control, ControlKind, ControlledFinding } from "../model/control.js";
import type { Crop, Estimate, Experiment, Findings, Kinetics, Transition } from "../model/experiment.js";
import type { River } from "./operation.js";
import type { StepParams } from "./recipe.js";
import { inertPatch, movedOutline, shuffledCrop, stillMovie, type Patch } from "./spoiled.js";
import { steps, type StepName } from "./steps.js";

/** A number that moves by less than so many standard errors, or by less than this share, is the same number. */
const SAME_SD = 3;
const SAME_SHARE = 0.05;

/** How controls are watched and stopped. */
export interface ControlWatch {
  readonly signal?: AbortSignal | undefined;
  /** A word on the control that begins, those done, and how many there are. */
  readonly onControl?: ((now: string, done: number, total: number) => void) | undefined;
}

type Found = Required<Pick<Findings, "transitions" | "fronts" | "kinetics" | "mechanisms">>;

/**
 * Runs the controls of every front that has a velocity, with the recipe's own parameters.
 *
 * Nulls: the drift alone (the scene of the first frames moved, lit and with noise as measured, registered anew), the
 * particle's frames in random order, and still ground under its outline: a front found there makes the finding doubtful.
 * Variations: the outline a pixel in and out (same windows), and windows found with half and twice the lag: velocity must
 * stay within 3 standard errors or 5 %, and the mechanism as it was. `seed` draws noise, order and place.
 */
export async function runControls(
  params: StepParams,
  experiment: Experiment,
  findings: Findings,
  { seed, signal, onControl }: ControlWatch & { readonly seed: number },
): Promise<ControlledFinding[]> {
  const river = { experiment, ...findings } as unknown as River;
  const { kinetics = [], crops = [], particles = [] } = findings;
  if (kinetics.length === 0) return [];
  const own = particles.filter(({ id }) => kinetics.some(({ particle }) => particle === id));
  const total = 2 + own.length * 5;
  let done = 0;
  const told = async (now: string): Promise<void> => {
    onControl?.(now, done++, total);
    await new Promise((resolve) => setTimeout(resolve, 0));
    signal?.throwIfAborted();
  };

  await told("drift only");
  const still = await driftOnly(params, river, seed, signal);
  await told("inert patch");
  const ground = await inertGround(params, river, own, seed, signal);

  const all: ControlledFinding[] = [];
  for (const { id } of own) {
    const crop = crops.find(({ particle }) => particle === id)!;
    const on = (spoiled: Crop, from: StepName, more: Partial<StepParams> = {}): Promise<Found> =>
      through(from, { ...river, crops: [spoiled], ...windowsOf(river, id) }, { ...params, ...more }, signal);
    await told(`particle ${id}: shuffled frames`);
    const shuffled = await on(shuffledCrop(crop, seed + id), "transitions");
    await told(`particle ${id}: outline a pixel in`);
    const inner = await outlineMoved(crop, -1, on);
    await told(`particle ${id}: outline a pixel out`);
    const outer = await outlineMoved(crop, 1, on);
    await told(`particle ${id}: half the lag`);
    const half = await lagged(crop, 0.5, params, on);
    await told(`particle ${id}: twice the lag`);
    const twice = await lagged(crop, 2, params, on);
    for (const finding of kinetics.filter(({ particle }) => particle === id)) {
      const transition = findings.transitions!.find((one) => one.id === finding.transition)!;
      const compare = (kind: ControlKind, found: Found | string): Control =>
        typeof found === "string" ? impossible(kind, found) : variation(kind, finding, transition, river, found);
      const controls = [
        typeof still === "string" ? impossible("drift-only", still) : nothing("drift-only", still, id, ""),
        nothing("shuffled", shuffled, id, ""),
        groundControl(ground, id),
        compare("outline-in", inner),
        compare("outline-out", outer),
        compare("half-lag", half),
        compare("double-lag", twice),
      ];
      all.push({ particle: id, transition: transition.id, ...verdictOf(controls), controls });
    }
  }
  onControl?.("done", total, total);
  return all;
}

/** Steps from one on, each on what the ones before have given; their warnings are of the spoiled experiment and dropped. */
async function through(from: StepName, river: River, params: StepParams, signal?: AbortSignal): Promise<Found> {
  let now = river;
  const names = steps.map(({ name }) => name);
  for (const step of steps.slice(names.indexOf(from), names.indexOf("mechanisms") + 1)) {
    if (step.name === "intensity" || step.name === "clock" || step.name === "optics") continue;
    signal?.throwIfAborted();
    const given = await step.run(now, params[step.name] as never, { signal, progress() {}, warn() {} });
    now = { ...now, ...given };
  }
  return now;
}

/** The windows and fronts of one particle alone. */
function windowsOf({ transitions, fronts }: River, id: number): Pick<River, "transitions" | "fronts"> {
  return {
    transitions: transitions.filter(({ particle }) => particle === id),
    fronts: fronts.filter(({ particle }) => particle === id),
  };
}

/** The whole river on the scene of the first frames as the movie drifts; a sentence where no drift is known. */
async function driftOnly(
  params: StepParams,
  river: River,
  seed: number,
  signal: AbortSignal | undefined,
): Promise<Found | string> {
  const { experiment, drift } = river;
  if (!Number.isFinite(drift.noise)) return "the noise of the ground is unknown";
  const blackLevel = experiment.blackLevel?.value ?? null;
  const frames = Math.min(experiment.movie.frames, params.particles.reference_frames);
  const image = await referenceImage(experiment.movie, { frames, blackLevel, ...(signal ? { signal } : {}) });
  const movie = stillMovie(experiment.movie, image, drift, { blackLevel, seed });
  return through("drift", { ...river, experiment: { ...experiment, movie } }, params, signal);
}

interface Ground {
  readonly patches: ReadonlyMap<number, Patch>;
  readonly found: Found;
}

/** Still ground under every outline for which there is room, cut out in one pass. */
async function inertGround(
  params: StepParams,
  river: River,
  own: River["particles"],
  seed: number,
  signal: AbortSignal | undefined,
): Promise<Ground> {
  const { experiment, particles, drift } = river;
  const patches = new Map<number, Patch>();
  for (const particle of own) {
    const patch = inertPatch(particle, particles, drift, experiment.movie, seed + particle.id);
    if (patch !== null) patches.set(particle.id, patch);
  }
  const laid = [...patches.values()].map(({ particle }) => particle);
  const crops = await cropParticles(experiment.movie, laid, drift, {
    blackLevel: experiment.blackLevel?.value ?? null,
    ring_px: Math.ceil(params.crops.ring_um / experiment.movie.pixelSize_um),
    ...(signal ? { signal } : {}),
  });
  return { patches, found: await through("transitions", { ...river, particles: laid, crops }, params, signal) };
}

function groundControl({ patches, found }: Ground, id: number): Control {
  const patch = patches.get(id);
  if (patch === undefined) return impossible("inert-patch", "no place of the still ground is as large as the outline");
  return nothing("inert-patch", found, id, patch.size < 1 ? ` (a copy ${patch.size} times the size)` : "");
}

type On = (spoiled: Crop, from: StepName, more?: Partial<StepParams>) => Promise<Found>;

async function outlineMoved(crop: Crop, px: number, on: On): Promise<Found | string> {
  const spoiled = movedOutline(crop, px);
  if (!spoiled.mask.includes(1)) return "nothing is left of an outline a pixel smaller";
  return on(spoiled, "fronts");
}

async function lagged(crop: Crop, factor: number, params: StepParams, on: On): Promise<Found | string> {
  const lag_s = factor * params.transitions.lag_s;
  const frame_s = medianStep(crop.time_s);
  const lasts_s = crop.time_s.at(-1)! - crop.time_s[0]!;
  if (lag_s < frame_s)
    return `half of ${params.transitions.lag_s} s is less than a frame of ${frame_s.toPrecision(3)} s`;
  if (lag_s > 0.5 * lasts_s) return `twice ${params.transitions.lag_s} s is more than half of the movie`;
  const { lag_s: own_s } = params.fronts;
  return on(crop, "transitions", {
    transitions: { ...params.transitions, lag_s },
    fronts: { ...params.fronts, lag_s: own_s === null ? null : factor * own_s },
  });
}

function impossible(kind: ControlKind, because: string): Control {
  const nothing = { fronts: null, velocity_um_s: null, velocity_change: null, t50_s: null, mechanism: null };
  return { kind, holds: null, ...nothing, because: `not possible: ${because}` };
}

/** A null: no front may be found. */
function nothing(kind: ControlKind, { kinetics, mechanisms }: Found, id: number, where: string): Control {
  const fronts = kinetics.filter(({ particle }) => particle === id);
  const [first] = fronts;
  const mechanism = mechanisms.find(({ transition }) => first !== undefined && transition === first.transition);
  return {
    kind,
    holds: fronts.length === 0,
    fronts: fronts.length,
    velocity_um_s: first?.velocity_um_s ?? null,
    velocity_change: null,
    t50_s: first?.t50_s ?? null,
    mechanism: mechanism?.kind ?? null,
    because:
      first === undefined
        ? `no front${where}`
        : `${fronts.length === 1 ? "a front" : `${fronts.length} fronts`}${where}, the first at ${nm(first.velocity_um_s)}`,
  };
}

/** The same front from changed parameters: its number may not move, nor its mechanism change. */
function variation(kind: ControlKind, finding: Kinetics, transition: Transition, river: River, found: Found): Control {
  const fronts = found.kinetics.filter(({ particle }) => particle === finding.particle);
  const windows = found.transitions.filter(({ particle }) => particle === finding.particle);
  const mate = fronts
    .map((front) => ({
      front,
      shared: overlap(
        windows.find(({ id }) => id === front.transition)!,
        transition,
      ),
    }))
    .reduce<{ front: Kinetics | null; shared: number }>((best, next) => (next.shared > best.shared ? next : best), {
      front: null,
      shared: 0,
    }).front;
  if (mate === null) {
    return {
      kind,
      holds: false,
      fronts: fronts.length,
      velocity_um_s: null,
      velocity_change: null,
      t50_s: null,
      mechanism: null,
      because: "the front was not found again",
    };
  }
  const before = river.mechanisms.find((one) => one.transition === transition.id)?.kind ?? null;
  const after = found.mechanisms.find((one) => one.transition === mate.transition)?.kind ?? null;
  const change = mate.velocity_um_s.value - finding.velocity_um_s.value;
  const share = change / finding.velocity_um_s.value;
  const sd = finding.velocity_um_s.sd ?? 0;
  const same = Math.abs(share) <= SAME_SHARE || Math.abs(change) <= SAME_SD * sd;
  // What is undecided contradicts nothing.
  const alike = before === after || before === "undecided" || after === "undecided";
  const moved = `velocity ${signed(100 * share)} %${sd > 0 ? ` (${signed(change / sd)} sd)` : ""}, half time ${signed(mate.t50_s.value - finding.t50_s.value)} s`;
  return {
    kind,
    holds: same && alike,
    fronts: fronts.length,
    velocity_um_s: mate.velocity_um_s,
    velocity_change: share,
    t50_s: mate.t50_s,
    mechanism: after,
    because: alike ? moved : `${moved}, ${after} instead of ${before}`,
  };
}

/** Time that two windows share, of the shorter. */
function overlap(a: Transition, b: Transition): number {
  const shared_s = Math.min(a.end_s, b.end_s) - Math.max(a.start_s, b.start_s);
  return shared_s / Math.max(1e-9, Math.min(a.end_s - a.start_s, b.end_s - b.start_s));
}

const names: Readonly<Record<ControlKind, string>> = {
  "drift-only": "drift alone",
  shuffled: "shuffled frames",
  "inert-patch": "still ground",
  "outline-in": "an outline a pixel in",
  "outline-out": "an outline a pixel out",
  "half-lag": "half the lag",
  "double-lag": "twice the lag",
};

/** What the controls of one finding come to, in one line. */
export function verdictOf(controls: readonly Control[]): Pick<ControlledFinding, "verdict" | "because"> {
  const possible = controls.filter(({ holds }) => holds !== null);
  const against = possible.filter(({ holds }) => holds === false);
  const left = controls.filter(({ holds }) => holds === null).map(({ kind }) => names[kind]);
  const without = left.length === 0 ? "" : `; not possible: ${left.join(", ")}`;
  if (possible.length === 0) return { verdict: "untested", because: `no control was possible${without}` };
  if (against.length === 0) {
    return { verdict: "stands", because: `${possible.length} of ${controls.length} controls hold${without}` };
  }
  const why = against.map(({ kind, because }) => `${names[kind]}: ${because}`).join("; ");
  return { verdict: "doubtful", because: `${why}${without}` };
}

function nm({ value }: Estimate): string {
  return `${(1000 * value).toFixed(1)} nm/s`;
}

function signed(value: number): string {
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(1)}`;
}
