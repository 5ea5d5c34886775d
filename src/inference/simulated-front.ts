/** The speed of a simulated front, measured by the code that measures movies. */
import { frontVelocity } from "../analysis/velocity.js";
import { mean } from "../kernels/stats.js";
import { ParameterError } from "../model/errors.js";
import type { Curve, FrontMap } from "../model/experiment.js";
import type { Material } from "../model/material.js";
import { oneOf, potential, record, refuse, shown, within } from "../physics/check.js";
import { equilibriumPotential, thermodynamics, type Thermodynamics } from "../physics/free-energy.js";
import type { OutlineGrid } from "../physics/masked-grid.js";
import { withTransport } from "../physics/materials/library.js";
import { checkedSeries, type PhaseFieldDrive, type Series } from "../physics/phase-field-drive.js";
import type { EdgeSpec } from "../physics/phase-field-edge.js";
import { simulatePhaseField } from "../physics/phase-field.js";
import { CM2_PER_UM2 } from "./stefan.js";

/** What drives the particle of a movie while the front crosses it. */
export type FrontDrive =
  | {
      readonly kind: "current";
      /** Points [t_s, lithium per site and hour], from the front's beginning; the last is held. */
      readonly x_per_h: Series;
      /** Relative standard error of the whole current. */
      readonly error?: number;
      /** Whether it was read off the front itself: it then lacks what the phase behind the front goes on giving. */
      readonly fromFront?: boolean;
    }
  | {
      readonly kind: "potential";
      /** Points [t_s, V] of the electrode, from the front's beginning; the last is held. */
      readonly E_V: Series;
      /** What of it is lost on the way to the particle; 0 gives the lowest bound. */
      readonly ohmic_V?: number;
      /** Standard error of the potential against the material's plateau. */
      readonly error_V?: number;
      /** Exchange current density; left out, the reaction takes next to nothing, which gives the lowest bound. */
      readonly exchange_A_m2?: number;
    };

/** No front is followed longer. */
export const LATEST_s = 1e7;

/** Throws a ParameterError for a drive that is none. */
export function checkFrontDrive(drive: FrontDrive): void {
  record("drive", drive, "Give one, such as { kind: current, x_per_h: [[0, 2]] }");
  oneOf("drive.kind", drive.kind, ["current", "potential"]);
  const name = drive.kind === "current" ? "drive.x_per_h" : "drive.E_V";
  const { t_s } = checkedSeries(name, drive.kind === "current" ? drive.x_per_h : drive.E_V);
  for (const at_s of [t_s[0], t_s.at(-1)]) within(name, at_s, -LATEST_s, LATEST_s, `Give times within ${LATEST_s} s`);
  if (drive.kind === "current") {
    if (drive.error !== undefined) within("drive.error", drive.error, 0, 10);
    return;
  }
  for (const [, E_V] of drive.E_V) potential("drive.E_V", E_V);
  if (drive.ohmic_V !== undefined) within("drive.ohmic_V", drive.ohmic_V, 0, 1);
  if (drive.error_V !== undefined) within("drive.error_V", drive.error_V, 0, 1);
  if (drive.exchange_A_m2 !== undefined) within("drive.exchange_A_m2", drive.exchange_A_m2, 1e-9, 1e6);
}

/** A particle ready to be simulated again and again. */
export interface FrontSetting {
  readonly grid: OutlineGrid;
  readonly material: Material;
  readonly delta_um: number;
  readonly drive: FrontDrive;
  /** Lithium at the beginning. */
  readonly x0: number;
  /** Arrivals before this time count in no velocity. */
  readonly since_s: number;
  readonly until_s: number;
  readonly psf_um: number;
  readonly signal?: AbortSignal | undefined;
}

/** One simulation of a setting. */
export interface FrontVariant {
  readonly D_cm2_s: number;
  /** Rates and nuclei along the rim by seed; null for an even one. */
  readonly rim: EdgeSpec | null;
  /** The current as a multiple, and V taken off the potential. */
  readonly current?: number;
  readonly less_V?: number;
}

/** So many points of a measured rate drive a simulation: every one is the end of a step. */
const DRIVE_POINTS = 60;

/**
 * A current read off the front: its single-particle rate times the lithium that 1C moves in an hour, evened over a sixtieth
 * of its length, never backwards, and none after its end. Times count from its first sample; `error` is relative.
 * Throws ParameterError for a curve, a factor or an error that is none.
 */
export function frontCurrent(
  curve: Pick<Curve, "time_s" | "value">,
  x_per_C: number,
  error: number,
): Extract<FrontDrive, { kind: "current" }> {
  record("curve", curve, "Give time_s and value");
  const { time_s, value } = curve;
  for (const [name, column] of Object.entries({ time_s, value })) {
    if (!(column instanceof Float64Array)) refuse(name, column, "Give a Float64Array");
  }
  if (time_s.length !== value.length) refuse("time_s", time_s, `Give one for each of ${value.length} rates`);
  within("x_per_C", x_per_C, 0, 1e3);
  within("error", error, 0, 10);
  const n = value.length;
  const part = Math.max(1, Math.ceil(n / DRIVE_POINTS));
  const x_per_h: [number, number][] = [];
  for (let at = 0; at < n; at += part) {
    const to = Math.min(n, at + part);
    const rate = mean(value.subarray(at, to));
    x_per_h.push([mean(time_s.subarray(at, to)) - time_s[0]!, Math.max(0, rate) * x_per_C]);
  }
  const last_s = x_per_h.at(-1)?.[0] ?? 0;
  return { kind: "current", x_per_h: [...x_per_h, [last_s + 1, 0]], error, fromFront: true };
}

/** What a simulated front did. */
export interface SimulatedFront {
  readonly D_cm2_s: number;
  /** Median as of a movie's front; null where none could be followed. */
  readonly velocity_um_s: number | null;
  /** Share of the particle that was transformed. */
  readonly fraction: number;
  /** Lithium given by the two phases themselves, over that of the transformation. */
  readonly excess: number;
}

/** Reaction that takes next to nothing of the potential: below 4 mV at 10C. */
const FREE_A_m2 = 100;

/** Runs the particle with one diffusivity for all lithium contents; throws as `simulatePhaseField` does. */
export async function simulateFront(setting: FrontSetting, variant: FrontVariant): Promise<SimulatedFront> {
  const { grid, delta_um, drive, x0, until_s, signal } = setting;
  const { D_cm2_s, rim, current = 1, less_V = 0 } = variant;
  const of = thermodynamics(setting.material);
  const gap = gapOf(setting.material, of);
  const exchange_A_m2 = drive.kind === "potential" ? (drive.exchange_A_m2 ?? FREE_A_m2) : undefined;
  const material = withTransport(
    setting.material,
    { D_um2_s: D_cm2_s / CM2_PER_UM2, ...(exchange_A_m2 === undefined ? {} : { exchange_A_m2 }) },
    "tried",
  );
  const run = simulatePhaseField({
    mask: grid.mask,
    width: grid.width,
    height: grid.height,
    h_um: grid.h_um,
    delta_um,
    material,
    drive: asDrive(drive, current, less_V),
    x0,
    xStop: lastLithium(material, of),
    until_s,
    snapshots_s: [],
    ...(rim === null ? {} : { edge: rim }),
    signal,
  });
  let turn = await run.next();
  while (turn.done !== true) turn = await run.next();
  const { arrival_s, fraction, x_mean } = turn.value;
  const done = fraction[fraction.length - 1]!;
  const given = x0 - x_mean[x_mean.length - 1]!;
  return {
    D_cm2_s,
    velocity_um_s: velocityOf(setting, arrival_s),
    fraction: done,
    excess: done > 0 ? Math.max(0, given / (done * (gap.rich_x - gap.poor_x)) - 1) : 0,
  };
}

/** Lithium of the two phases. Throws ParameterError for a material without two phases. */
export function gapOf(
  material: Material,
  of: Thermodynamics = thermodynamics(material),
): { readonly poor_x: number; readonly rich_x: number } {
  if (of.gap !== null) return of.gap;
  throw new ParameterError(
    `material ${shown(material.name)} is a solid solution: it has no front. Give a material with two phases, such as lco.`,
    { parameter: "material", value: material.name },
  );
}

function velocityOf({ grid, since_s, psf_um }: FrontSetting, arrival_s: Float32Array): number | null {
  const { mask, width, height, h_um } = grid;
  const counted = arrival_s.map((t_s) => (t_s >= since_s ? t_s : NaN));
  const map: FrontMap = {
    particle: 0,
    transition: 0,
    width,
    height,
    pixelSize_um: h_um,
    origin_px: [0, 0],
    mask,
    arrival_s: counted,
    sd_s: counted.map((t_s) => (Number.isNaN(t_s) ? NaN : 0)),
    blur_um: 0,
    step: new Float32Array(mask.length).fill(NaN),
    unchanged: mask.map((inside, at) => (inside !== 0 && Number.isNaN(arrival_s[at]!) ? 1 : 0)),
    estimator: "step+line",
    bias_s: 0,
    covered: 1,
    lag_s: 0,
    localisation_nm_per_segment_um: null,
  };
  const found = frontVelocity(map, { psf_um })?.value ?? NaN;
  return found > 0 && found < Infinity ? found : null;
}

function asDrive(drive: FrontDrive, current: number, less_V: number): PhaseFieldDrive {
  if (drive.kind === "current") {
    return { kind: "current", x_per_h: drive.x_per_h.map(([t_s, rate]) => [t_s, rate * current] as const) };
  }
  const off_V = (drive.ohmic_V ?? 0) + less_V;
  return { kind: "potential", E_V: drive.E_V.map(([t_s, E_V]) => [t_s, E_V - off_V] as const) };
}

/** Mean lithium at which a run is long over: far behind the gap, where the material's potentials still lead. */
function lastLithium(material: Material, of: Thermodynamics): number {
  const { poor_x, rich_x } = gapOf(material, of);
  const least_V = equilibriumPotential(of, poor_x);
  const most_V = Math.max(least_V, material.most_V.value - 0.1 * (material.most_V.value - least_V));
  let low = Math.max(poor_x - 0.5 * (rich_x - poor_x), material.least_x.value, 1e-3);
  if (!(low < poor_x)) return 0.5 * poor_x;
  let high = poor_x;
  if (equilibriumPotential(of, low) <= most_V) return low;
  for (let halving = 0; halving < 30; halving++) {
    const middle = (low + high) / 2;
    if (equilibriumPotential(of, middle) > most_V) low = middle;
    else high = middle;
  }
  return high;
}
