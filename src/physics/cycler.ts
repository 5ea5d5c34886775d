/** The twin's potentiostat: a galvanostatic record of the whole electrode. */
import type { Cycling } from "../model/cycling.js";
import { LCO_THEORETICAL_MAH_G, SECONDS_PER_HOUR } from "../model/units.js";
import { oneOf, record, records, refuse, within } from "./check.js";
import { stream } from "./streams.js";

/** A step of the programme. */
export type ProgrammeStep =
  | { readonly kind: "rest"; readonly lasts_s: number }
  | {
      readonly kind: "charge" | "discharge";
      /** Times the nominal capacity in an hour. */
      readonly rate_C: number;
      /** Ends at this potential. */
      readonly until_V: number;
      /** Ends after this time at the latest. */
      readonly lasts_s: number;
    };

/** A cycler and its cell. */
export interface CyclingSpec {
  /** The record begins so long before the movie's first frame. */
  readonly before_s: number;
  readonly interval_s: number;
  readonly active_mass_mg: number;
  /** Capacity that 1C passes in an hour. */
  readonly nominal_mAh_g: number;
  /** Lithium in LixCoO2 at the beginning. */
  readonly x0: number;
  /** Overpotential at 1C; it grows with the rate. */
  readonly overpotential_V: number;
  /** Noise of the potential, standard deviation. */
  readonly noise_V: number;
  readonly programme: readonly ProgrammeStep[];
}

/** No record has more rows. */
const MOST_ROWS = 1e7;

/**
 * Throws a ParameterError, its names after `name`, for a cycler, a cell or a programme that cannot be. What lithium a
 * material has at the beginning is left to it.
 */
export function checkCycling(name: string, cycling: CyclingSpec): void {
  record(name, cycling, "Give interval_s, active_mass_mg, nominal_mAh_g, x0 and a programme");
  within(`${name}.before_s`, cycling.before_s, -1e6, 1e6);
  within(`${name}.interval_s`, cycling.interval_s, 1e-3, 1e5);
  within(`${name}.active_mass_mg`, cycling.active_mass_mg, 1e-9, 1e9);
  within(`${name}.nominal_mAh_g`, cycling.nominal_mAh_g, 1, 1000);
  within(`${name}.x0`, cycling.x0, 1e-3, 0.9999);
  within(`${name}.overpotential_V`, cycling.overpotential_V, 0, 1);
  within(`${name}.noise_V`, cycling.noise_V, 0, 0.1);
  const cure = "Give at least one step, such as { kind: rest, lasts_s: 60 }";
  records(`${name}.programme`, cycling.programme, 1, 10_000, cure);
  let rows = 0;
  for (const [index, step] of cycling.programme.entries()) {
    const at = `${name}.programme.${index}`;
    oneOf(`${at}.kind`, step.kind, ["charge", "discharge", "rest"]);
    within(`${at}.lasts_s`, step.lasts_s, cycling.interval_s, 1e7);
    rows += step.lasts_s / cycling.interval_s;
    if (rows > MOST_ROWS)
      refuse(`${name}.interval_s`, cycling.interval_s, `Give so much that rows stay below ${MOST_ROWS}`);
    if (step.kind === "rest") continue;
    within(`${at}.rate_C`, step.rate_C, 1e-4, 1000);
    within(`${at}.until_V`, step.until_V, -10, 10);
  }
}

/** Share of the overpotential that follows the current at once; the rest takes a time constant. */
const OHMIC = 0.4;
const RELAXATION_s = 15;

/**
 * The record from its own first row: positive current charges, which delithiates LiCoO2. Potential is the open-circuit
 * potential at the electrode's mean lithium, plus an overpotential that follows the current; lithium by counting charge.
 */
export function cyclerRecord(spec: CyclingSpec, seed: number): Cycling {
  const random = stream(seed, "cycler");
  const mass_g = spec.active_mass_mg / 1000;
  const dt_s = spec.interval_s;
  const rows = { time_s: [0], potential_V: [] as number[], current_mA: [0], charge_mAh: [0] };
  let x = spec.x0;
  let slow_V = 0;
  let charge_mAh = 0;
  rows.potential_V.push(openCircuit(x) + spec.noise_V * random.normal());
  for (const step of spec.programme) {
    const rate_C = step.kind === "rest" ? 0 : step.kind === "charge" ? step.rate_C : -step.rate_C;
    const current_mA = rate_C * spec.nominal_mAh_g * mass_g;
    const full_V = spec.overpotential_V * rate_C;
    const steps = Math.round(step.lasts_s / dt_s);
    for (let at = 0; at < steps; at++) {
      const passed_mAh = (current_mA * dt_s) / SECONDS_PER_HOUR;
      charge_mAh += passed_mAh;
      x -= passed_mAh / (LCO_THEORETICAL_MAH_G * mass_g);
      slow_V += (1 - Math.exp(-dt_s / RELAXATION_s)) * ((1 - OHMIC) * full_V - slow_V);
      const potential_V = openCircuit(x) + OHMIC * full_V + slow_V;
      rows.time_s.push(rows.time_s.length * dt_s);
      rows.potential_V.push(potential_V + spec.noise_V * random.normal());
      rows.current_mA.push(current_mA);
      rows.charge_mAh.push(charge_mAh);
      if (step.kind === "charge" && potential_V >= step.until_V) break;
      if (step.kind === "discharge" && potential_V <= step.until_V) break;
    }
  }
  return {
    time_s: Float64Array.from(rows.time_s),
    potential_V: Float64Array.from(rows.potential_V),
    current_mA: Float64Array.from(rows.current_mA),
    charge_mAh: Float64Array.from(rows.charge_mAh),
  };
}

/**
 * Open-circuit potential of LixCoO2 against lithium, V, for x from 0.4 to 0.98: a plateau at 3.91 V between 0.75 and 0.92,
 * above which the form dives (3.72 V at 0.95), and weak steps near x = 1/2. Fit of Dualfoil (Doyle and Newman) as printed by
 * Marquis et al., J. Electrochem. Soc. 166, A3693 (2019); s = 1.062 x.
 */
export function openCircuit(x: number): number {
  const s = 1.062 * x;
  return (
    2.16216 +
    0.07645 * Math.tanh(30.834 - 54.4806 * s) +
    2.1581 * Math.tanh(52.294 - 50.294 * s) -
    0.14169 * Math.tanh(11.0923 - 19.8543 * s) +
    0.2051 * Math.tanh(1.4684 - 5.4888 * s) +
    0.2531 * Math.tanh((0.56478 - s) / 0.1316) -
    0.02167 * Math.tanh((s - 0.525) / 0.006)
  );
}
