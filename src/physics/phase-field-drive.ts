/** What drives a particle or an electrode: a current or a potential through time, or a cycler's programme. */
import { ParameterError } from "../model/errors.js";
import { positive, potential, records, refuse, shown } from "./check.js";
import { checkLithium } from "./phase-field-particle.js";
import type { PhaseFieldBoundary } from "./phase-field-particle.js";
import type { EdgeSpec } from "./phase-field-edge.js";

/** Points [t_s, value], straight between, held before the first and after the last; two at one time are a jump. */
export type Series = readonly (readonly [number, number])[];

/** One step of a galvanostatic programme. */
export interface ElectrodeStep {
  readonly kind: "delithiation" | "lithiation" | "rest";
  /** Lithium per site and hour of the whole electrode, at least 0; not used in a rest. */
  readonly x_per_h?: number;
  /** Ends at this potential; the material's own limit where it is left out. */
  readonly until_V?: number;
  /** Ends when the electrode's mean lithium passes this. */
  readonly until_x?: number;
  /** Ends after this time at the latest. */
  readonly lasts_s?: number;
}

/** Particles under one electrode potential, whose currents together are the electrode's. */
export interface EnsembleDrive {
  readonly kind: "ensemble";
  readonly steps: readonly ElectrodeStep[];
  /** How many particles of its kind each stands for; one each where left out. Along the mask's areas, in order of their first cells. */
  readonly weights?: ArrayLike<number>;
  /** Contact resistance of each, referred to its rim. */
  readonly contact_ohm_m2?: ArrayLike<number>;
}

/** The drive of a phase field. */
export type PhaseFieldDrive =
  | {
      readonly kind: "current";
      /**
       * Lithium per site and hour of the whole particle (LiCoO2: 1C of 137 mAh/g is 0.5). The first rate that is not zero goes
       * from x0 towards xStop, whatever its sign; an opposite one goes back.
       */
      readonly x_per_h: Series;
      /** Where the current would pass these potentials, they are held; the material's own where left out, none for null. */
      readonly limits_V?: readonly [number, number] | null;
    }
  | { readonly kind: "potential"; readonly E_V: Series }
  | EnsembleDrive;

/** What a rim can be told: its seed, or what it is. */
export interface RimSpec {
  /** Rates and hot spots by seed; without it the rim is even and has no hot spot. */
  readonly edge?: EdgeSpec | undefined;
  /** Overrides, key by key, what mask, material and seed give. */
  readonly boundary?: PhaseFieldBoundary | undefined;
}

/** A series as arrays. Throws ParameterError for one without points, out of order or with a number that is none. */
export function checkedSeries(
  name: string,
  series: Series,
): { readonly t_s: Float64Array; readonly value: Float64Array } {
  const wrong = (what: string): never => {
    throw new ParameterError(`${name} ${what}. Give points [t_s, value] in the order of time, such as [[0, 2]].`, {
      parameter: name,
      value: series,
    });
  };
  if (!Array.isArray(series) || series.length === 0) return wrong("has no points");
  for (const [at, point] of series.entries()) {
    if (!Array.isArray(point) || point.length !== 2) return wrong(`has no pair at point ${at}`);
    if (!Number.isFinite(point[0]) || !Number.isFinite(point[1])) {
      return wrong(`is ${shown(point)} at point ${at}`);
    }
    if (at > 0 && point[0] < series[at - 1]![0]) return wrong(`goes back in time at point ${at}, to ${point[0]} s`);
  }
  return {
    t_s: Float64Array.from(series, ([t_s]) => t_s),
    value: Float64Array.from(series, ([, value]) => value),
  };
}

/** Throws a ParameterError for a programme that is none, its first step that cannot be named `steps.0` after `name`. */
export function checkSteps(name: string, steps: readonly ElectrodeStep[]): void {
  const cure = "Give at least one step, such as { kind: delithiation, x_per_h: 1 }";
  records(name, steps, 1, MOST_STEPS, cure);
  for (const [index, step] of steps.entries()) {
    const at = `${name}.${index}`;
    if (step.lasts_s !== undefined) positive(`${at}.lasts_s`, step.lasts_s, "Give a duration in s");
    if (step.kind === "rest") {
      if (step.lasts_s === undefined) refuse(`${at}.lasts_s`, null, "Say how long the rest lasts, in s");
      continue;
    }
    if (step.kind !== "delithiation" && step.kind !== "lithiation") {
      refuse(`${at}.kind`, (step as { kind: unknown }).kind, "Give delithiation, lithiation or rest");
    }
    positive(`${at}.x_per_h`, step.x_per_h, "Give lithium per site and hour, above 0");
    if (step.until_x !== undefined) checkLithium(`${at}.until_x`, step.until_x);
    if (step.until_V !== undefined) potential(`${at}.until_V`, step.until_V);
  }
}

/** No cycler runs a longer programme. */
const MOST_STEPS = 1e6;

/** The value at a time; at a jump the one after it. */
export function seriesAt(
  { t_s, value }: { readonly t_s: Float64Array; readonly value: Float64Array },
  at_s: number,
): number {
  const last = t_s.length - 1;
  if (at_s >= t_s[last]!) return value[last]!;
  if (at_s < t_s[0]!) return value[0]!;
  let low = 0;
  let high = last;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (t_s[middle]! <= at_s) low = middle;
    else high = middle;
  }
  return value[low]! + ((value[high]! - value[low]!) * (at_s - t_s[low]!)) / (t_s[high]! - t_s[low]!);
}
