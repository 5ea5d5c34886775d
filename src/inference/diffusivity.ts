/** The least diffusivity with which a front can be as fast as it was seen to be. */
import { isotonic } from "../kernels/stats.js";
import type { DiffusivityBound, Estimate } from "../model/experiment.js";
import type { Material } from "../model/material.js";
import { callable, pair, positive, record, refuse, stoppable, within } from "../physics/check.js";
import { outlineGrid } from "../physics/masked-grid.js";
import { checkMaterial } from "../physics/material-check.js";
import { lco } from "../physics/materials/lco.js";
import type { EdgeSpec } from "../physics/phase-field-edge.js";
import { checkPlaces, outlineOf } from "../physics/outline.js";
import { checkEdge } from "../physics/phase-field-particle.js";
import {
  checkFrontDrive,
  gapOf,
  LATEST_s,
  simulateFront,
  type FrontDrive,
  type FrontSetting,
  type SimulatedFront,
} from "./simulated-front.js";

/** A front as it was measured: delithiation of one particle. */
export interface MeasuredFront {
  /** Closed outline, first point not repeated. */
  readonly outline_um: readonly (readonly [number, number])[];
  /** Median as `frontVelocity` gives it. */
  readonly velocity_um_s: Pick<Estimate, "value" | "sd">;
  /** Arrivals before this time of the drive were left out of the velocity; 0 for none. */
  readonly since_s?: number;
}

export interface DiffusivityOptions {
  readonly material?: Material;
  /** Least and greatest diffusivity tried. */
  readonly range_cm2_s?: readonly [number, number];
  /** Diffusivities tried in a decade, before those near the answer. */
  readonly perDecade?: number;
  /** Relative standard error of the pixel size, which moves velocity and outline together. */
  readonly scale_error?: number;
  /** Relative standard error of the outline's size alone. */
  readonly size_error?: number;
  /** Rims tried, the first for all diffusivities, the others for what the rim does to the speed; null is an even one. */
  readonly rims?: readonly (EdgeSpec | null)[];
  readonly h_um?: number;
  readonly delta_um?: number;
  readonly psf_um?: number;
  readonly signal?: AbortSignal | undefined;
  /** Simulations done, and how many it will be. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** The range of the paper's Supplementary Figures 8 to 10. */
const RANGE_CM2_S = [1e-11, 1e-8] as const;
/** Two with one nucleus, which waves may leave; one with four, which is a core sooner. */
const RIMS: readonly EdgeSpec[] = [{ seed: 1 }, { seed: 2 }, { seed: 3, hotSpots: 4 }];
/** One-sided, 95 %. */
const SIDE = 1.645;
/**
 * What cells and boundary of the usual size leave in ln velocity: against half of both they moved it by -6 to 8 % under a
 * current; under a potential they raised it by 8 to 15 %, which lowers the bound.
 */
const GRID_SD = { current: 0.08, potential: 0.15 } as const;
const C_RATE_ERROR = 0.2;
const POTENTIAL_ERROR_V = 0.01;
/** A curve that rises less steeply at its upper end does not rise any more. */
const FLAT = 0.1;
/** Decades beyond the range within which it may still lead to the measured speed. */
const BEYOND = 1;
/** Simulations near the answer, and near its lower end. */
const REFINED = [2, 1] as const;

/**
 * Simulates the particle's delithiation with one diffusivity for all lithium contents, over a range of them, and measures
 * each front's speed by `frontVelocity`, as in Merryweather et al. (2021), Supplementary Figures 8 to 11. The bound is where
 * the simulated speed comes within 1.645 standard errors of the measured one; what is uncertain (velocity, scale, size,
 * current or potential, rim, cells) enters through its effect on the speed there, found by simulation. The speed rises
 * with about the third root of D under a current: 8 % in it are 28 % in D.
 *
 * A current that was read off the front itself lacks what the phase behind it goes on giving; the lower end is then taken
 * with the current raised by as much as the simulation shows. "none" where the least diffusivity tried is as fast, or where
 * the speed does not rise to the measured one.
 * Throws ParameterError for an outline that crosses itself, a velocity, range or drive that is none, a material without two
 * phases, a current that the rim cannot pass; the signal's reason when aborted.
 */
export async function boundDiffusivity(
  measured: MeasuredFront,
  drive: FrontDrive,
  options: DiffusivityOptions = {},
): Promise<DiffusivityBound> {
  checkMeasured(measured);
  checkFrontDrive(drive);
  checkOptions(options);
  const { material = lco, perDecade = 2, rims = RIMS, onProgress } = options;
  const [least, most] = options.range_cm2_s ?? RANGE_CM2_S;
  const setting = settingOf(measured, drive, options, material);
  const points = Math.max(2, 1 + Math.round(perDecade * Math.log10(most / least)));
  const total = points + REFINED[0] + REFINED[1] + rims.length + 1;
  const first = rims[0]!;
  const speed = Math.log(measured.velocity_um_s.value);
  let done = 0;
  const simulate = async (D_cm2_s: number, variant: object = {}): Promise<SimulatedFront> => {
    options.signal?.throwIfAborted();
    const front = await simulateFront(setting, { D_cm2_s, rim: first, ...variant });
    done++;
    onProgress?.(done, Math.max(done, total));
    return front;
  };

  const tried: SimulatedFront[] = [];
  const extend = async (D_cm2_s: number): Promise<void> => {
    tried.push(await simulate(D_cm2_s));
    tried.sort((a, b) => a.D_cm2_s - b.D_cm2_s);
  };
  for (let at = 0; at < points; at++) await extend(least * (most / least) ** (at / (points - 1)));
  for (let turn = 0; turn < REFINED[0]; turn++) await refine(tried, speed, extend);

  const found = crossing(tried, speed);
  const at_cm2_s = found ?? (curveOf(tried).at(-1)!.lnSpeed < speed ? most : least);
  const exponent = slopeAt(tried, at_cm2_s);
  const there = Math.log(speedAt(tried, at_cm2_s));
  /** By how much ln velocity changes with a variant. */
  const effect = async (variant: object): Promise<number> => {
    const { velocity_um_s } = await simulate(at_cm2_s, variant);
    return velocity_um_s === null || !Number.isFinite(there) ? 0 : Math.log(velocity_um_s) - there;
  };
  const errors: Record<string, number> = {
    velocity: (measured.velocity_um_s.sd ?? 0) / measured.velocity_um_s.value,
    // Lengths enter as R F(D / R^2), with the measured speed or without.
    scale: 2 * exponent * (options.scale_error ?? 0.01),
    size: Math.abs(1 - 2 * exponent) * (options.size_error ?? 0.02),
    grid: GRID_SD[drive.kind],
  };
  let lack = 0;
  if (drive.kind === "current") {
    const error = drive.error ?? C_RATE_ERROR;
    if (error > 0) errors["current"] = Math.abs(await effect({ current: 1 + error }));
    const { excess } = nearest(tried, at_cm2_s);
    if (drive.fromFront === true && excess > 0.01) lack = Math.max(0, await effect({ current: 1 + excess }));
  } else {
    const less_V = drive.error_V ?? POTENTIAL_ERROR_V;
    if (less_V > 0) errors["potential"] = Math.abs(await effect({ less_V }));
  }
  const others: number[] = [];
  for (const rim of rims.slice(1)) others.push(await effect({ rim }));
  if (others.length > 0) errors["rim"] = Math.sqrt(others.reduce((sum, one) => sum + one * one, 0) / others.length);

  const sd = Math.hypot(...Object.values(errors));
  const low = speed - SIDE * sd - lack;
  for (let turn = 0; turn < REFINED[1]; turn++) await refine(tried, low, extend);
  const curve = curveOf(tried);
  const atLeast_cm2_s = crossing(tried, low);
  const bottom = curve[0]!.lnSpeed;
  const beyond = atLeast_cm2_s === null && bottom < low;
  const top = curve.at(-1)!.lnSpeed;
  const steepness = slopeAt(tried, most);
  const rising = steepness > FLAT && low - top < BEYOND * Math.LN10 * steepness;
  const common = {
    drive: drive.kind,
    D_cm2_s: found,
    atMost_cm2_s: crossing(tried, speed + SIDE * sd),
    exponent: found === null ? null : exponent,
    errors,
    tried: tried.map(({ D_cm2_s, velocity_um_s, fraction }) => ({ D_cm2_s, velocity_um_s, fraction })),
  };
  const seen = `${(1000 * Math.exp(speed)).toPrecision(3)} nm/s`;
  if (bottom >= low) {
    return {
      ...common,
      kind: "none",
      atLeast_cm2_s: null,
      because: `No bound: a front with ${text(least)} cm2/s, the least tried, is within the errors already as fast as ${seen}.`,
    };
  }
  if (beyond && !rising) {
    return {
      ...common,
      kind: "none",
      atLeast_cm2_s: null,
      because:
        top > -Infinity
          ? `No bound: under this ${drive.kind} the speed does not rise with D to ${seen}; it is ${(1000 * Math.exp(top)).toPrecision(3)} nm/s with ${text(most)} cm2/s, the most tried.`
          : `No bound: under this ${drive.kind} no front runs at any D.`,
    };
  }
  if (beyond) {
    return {
      ...common,
      kind: "bound",
      atLeast_cm2_s: most,
      because: `Even with ${text(most)} cm2/s, the most tried, the simulated front is slower than ${seen}, and it still rises with D.`,
    };
  }
  return {
    ...common,
    kind: "bound",
    atLeast_cm2_s,
    because:
      found === null
        ? `With less than ${text(atLeast_cm2_s!)} cm2/s the simulated front is slower than ${seen} by more than the errors.`
        : `The simulated front is as fast as ${seen} with ${text(found)} cm2/s; with less than ${text(atLeast_cm2_s!)} cm2/s it is slower by more than the errors.`,
  };
}

function settingOf(
  { outline_um, since_s = 0 }: MeasuredFront,
  drive: FrontDrive,
  options: DiffusivityOptions,
  material: Material,
): FrontSetting {
  const { rich_x } = gapOf(material);
  const points = outlineOf({ kind: "polygon", points_um: outline_um, corner_um: 0 });
  const series = drive.kind === "current" ? drive.x_per_h : drive.E_V;
  const last_s = series.at(-1)?.[0] ?? 0;
  // Beside its phases a current's first lithium comes from the solid solution above, unless the front's own is meant.
  const fresh = drive.kind === "current" && drive.fromFront !== true;
  return {
    grid: outlineGrid(points, options.h_um ?? 0.175),
    material,
    delta_um: options.delta_um ?? 0.25,
    drive,
    x0: fresh ? rich_x + 0.4 * (1 - rich_x) : rich_x,
    since_s,
    until_s: Math.max(last_s, 1) + 3600,
    psf_um: options.psf_um ?? 0.118,
    signal: options.signal,
  };
}

interface CurvePoint {
  readonly lnD: number;
  /** -Infinity where no front ran. */
  readonly lnSpeed: number;
}

/** The simulated speeds, made to rise with D as they must but for the noise of cells. */
function curveOf(tried: readonly SimulatedFront[]): CurvePoint[] {
  const running = tried.filter(({ velocity_um_s }) => velocity_um_s !== null);
  const even = isotonic(running.map(({ velocity_um_s }) => Math.log(velocity_um_s!)));
  const firstRunning = running[0]?.D_cm2_s ?? Infinity;
  const still = tried
    .filter(({ D_cm2_s }) => D_cm2_s < firstRunning)
    .map(({ D_cm2_s }) => ({ lnD: Math.log(D_cm2_s), lnSpeed: -Infinity }));
  return [...still, ...running.map(({ D_cm2_s }, at) => ({ lnD: Math.log(D_cm2_s), lnSpeed: even[at]! }))];
}

/** The D at which the curve first meets a speed; null where it lies above or below throughout. */
function crossing(tried: readonly SimulatedFront[], lnSpeed: number): number | null {
  const curve = curveOf(tried);
  const after = curve.findIndex((point) => point.lnSpeed >= lnSpeed);
  if (after <= 0) return null;
  const [a, b] = [curve[after - 1]!, curve[after]!];
  if (a.lnSpeed === -Infinity) return Math.exp(b.lnD);
  return Math.exp(a.lnD + ((lnSpeed - a.lnSpeed) / (b.lnSpeed - a.lnSpeed)) * (b.lnD - a.lnD));
}

/** One more simulation where the curve meets a speed, unless there is one close by. */
async function refine(
  tried: readonly SimulatedFront[],
  lnSpeed: number,
  extend: (D_cm2_s: number) => Promise<void>,
): Promise<void> {
  const at_cm2_s = crossing(tried, lnSpeed);
  if (at_cm2_s === null) return;
  if (Math.abs(Math.log(nearest(tried, at_cm2_s).D_cm2_s / at_cm2_s)) > 0.1) await extend(at_cm2_s);
}

function nearest(tried: readonly SimulatedFront[], D_cm2_s: number): SimulatedFront {
  const off = (one: SimulatedFront): number => Math.abs(Math.log(one.D_cm2_s / D_cm2_s));
  return tried.reduce((best, one) => (off(one) < off(best) ? one : best));
}

function speedAt(tried: readonly SimulatedFront[], D_cm2_s: number): number {
  const curve = curveOf(tried).filter(({ lnSpeed }) => lnSpeed !== -Infinity);
  const lnD = Math.log(D_cm2_s);
  const after = curve.findIndex((point) => point.lnD >= lnD);
  if (curve.length === 0) return 0;
  if (after === 0) return Math.exp(curve[0]!.lnSpeed);
  if (after < 0) return Math.exp(curve.at(-1)!.lnSpeed);
  const [a, b] = [curve[after - 1]!, curve[after]!];
  return Math.exp(a.lnSpeed + ((lnD - a.lnD) / (b.lnD - a.lnD)) * (b.lnSpeed - a.lnSpeed));
}

/** d ln velocity / d ln D over about half a decade on both sides. */
function slopeAt(tried: readonly SimulatedFront[], D_cm2_s: number): number {
  const curve = curveOf(tried).filter(({ lnSpeed }) => lnSpeed !== -Infinity);
  if (curve.length < 2) return 0;
  const half = Math.sqrt(10);
  const low = Math.max(Math.log(D_cm2_s / half), curve[0]!.lnD);
  const high = Math.min(Math.log(D_cm2_s * half), curve.at(-1)!.lnD);
  if (!(high > low)) return 0;
  return Math.log(speedAt(tried, Math.exp(high)) / speedAt(tried, Math.exp(low))) / (high - low);
}

function checkMeasured(measured: MeasuredFront): void {
  record("measured", measured, "Give outline_um, velocity_um_s and, where it is not 0, since_s");
  const { outline_um, velocity_um_s, since_s = 0 } = measured;
  checkPlaces("outline", outline_um);
  record("velocity_um_s", velocity_um_s, "Give { value, sd }, such as { value: 0.02, sd: 0.001 }");
  const { value, sd } = velocity_um_s;
  within("velocity_um_s", value, 1e-9, 1e6, "Give a front's velocity in um/s, such as 0.02");
  if (sd !== null && sd !== undefined)
    within("velocity_um_s.sd", sd, 0, 1e6, "Give its standard error in um/s, or null");
  within("since_s", since_s, -LATEST_s, LATEST_s);
}

/** Diffusivities that a solid may have, cm2/s. */
const LEAST_CM2_S = 1e-20;
const MOST_CM2_S = 1e-1;
/** So many diffusivities are tried in a decade at the most, and so many rims. */
const MOST_PER_DECADE = 100;
const MOST_RIMS = 100;

/** Throws a ParameterError with the first option that makes no sense. */
export function checkOptions(options: DiffusivityOptions): void {
  record("options", options, "Give a record, or leave it out");
  const { material = lco, range_cm2_s = RANGE_CM2_S, perDecade = 2, rims = RIMS } = options;
  checkMaterial(material);
  const cure = "Give the lesser first, in cm2/s, such as [1e-11, 1e-8]";
  pair("range_cm2_s", range_cm2_s, LEAST_CM2_S, MOST_CM2_S, cure);
  if (!(range_cm2_s[1] > range_cm2_s[0])) refuse("range_cm2_s", range_cm2_s, cure);
  within("perDecade", perDecade, 0, MOST_PER_DECADE);
  within("scale_error", options.scale_error ?? 0, 0, 10);
  within("size_error", options.size_error ?? 0, 0, 10);
  within("h_um", options.h_um ?? 0.175, 1e-3, 100, "Give the side of a cell in um, such as 0.175");
  positive("delta_um", options.delta_um ?? 0.25, "Give the half width of a phase boundary in um, such as 0.25");
  within("psf_um", options.psf_um ?? 0.118, 0, 100);
  if (!Array.isArray(rims) || rims.length === 0 || rims.length > MOST_RIMS) {
    refuse("rims", rims, "Give a list of at least one, such as [{ seed: 1 }]; null is an even one");
  }
  for (const [at, rim] of rims.entries()) if (rim !== null) checkEdge(`rims.${at}`, rim);
  stoppable(options.signal);
  callable("onProgress", options.onProgress);
}

function text(D_cm2_s: number): string {
  return D_cm2_s.toExponential(1);
}
