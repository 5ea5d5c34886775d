/** A cycler with a LiCoO2 half cell on it: records whose steps and charges are known, for tests. */
import { openCircuit } from "../src/physics/cycler.js";
import { random } from "../src/kernels/random.js";
import type { Cycling } from "../src/model/cycling.js";

/** One order to the cycler: rest for a time, or drive until a potential or a time is reached, then hold it. */
export interface Order {
  readonly current_mA: number;
  readonly until_V?: number;
  readonly for_s?: number;
  readonly hold_s?: number;
}

export interface CyclerOptions {
  readonly interval_s: number;
  readonly seed?: number;
  readonly noise_V?: number;
  readonly noise_mA?: number;
  /** Capacity of a whole unit of lithium, mAh. */
  readonly capacity_mAh?: number;
  readonly resistance_kOhm?: number;
  /** Lithium at the start. */
  readonly x0?: number;
  /** A current at its stamp, or that since the stamp before, with a row at each change of step (EC-Lab's GCPL). */
  readonly logging?: "sampled" | "derived";
}

export interface Truth {
  readonly kind: "charge" | "discharge" | "rest" | "hold";
  readonly start_s: number;
  readonly end_s: number;
  readonly charge_mAh: number;
}

/** Open-circuit potential of LixCoO2 (the Dualfoil fit as used by Marquis 2019), level beyond its range. */
export function lcoPotential_V(x: number): number {
  return openCircuit(Math.min(Math.max(x, 0.42), 0.97));
}

/** Runs the orders one after another and logs them. */
export function cycler(
  orders: readonly Order[],
  options: CyclerOptions,
): { cycling: Cycling; truth: Truth[]; x: Float64Array } {
  const { interval_s, seed = 1, noise_V = 0, noise_mA = 0, capacity_mAh = 0.2, resistance_kOhm = 0.3 } = options;
  const derived = options.logging === "derived";
  const source = random(seed);
  const [time_s, potential_V, current_mA, charge_mAh, lithium]: number[][] = [[], [], [], [], []];
  const truth: Truth[] = [];
  const tick_s = interval_s / Math.max(1, Math.ceil(interval_s / 0.5));
  let x = options.x0 ?? 0.95;
  let now_s = 0;
  let charge = 0;
  let next_s = 0;
  let logged_s = 0;
  let loggedCharge = 0;
  const log = (current: number): void => {
    const mean = now_s > logged_s ? (3600 * (charge - loggedCharge)) / (now_s - logged_s) : 0;
    time_s!.push(now_s);
    potential_V!.push(lcoPotential_V(x) + resistance_kOhm * current + noise_V * source.normal());
    current_mA!.push((derived ? mean : current) + noise_mA * source.normal());
    charge_mAh!.push(charge);
    lithium!.push(x);
    logged_s = now_s;
    loggedCharge = charge;
  };
  const pass = (current: number): void => {
    if (now_s >= next_s - 1e-9) {
      log(current);
      next_s += interval_s;
    }
    charge += (current * tick_s) / 3600;
    x -= (current * tick_s) / 3600 / capacity_mAh;
    now_s += tick_s;
  };
  for (const order of orders) {
    const start_s = now_s;
    const startCharge = charge;
    const rest = order.current_mA === 0;
    const reached = (): boolean => {
      if (order.for_s !== undefined && now_s - start_s >= order.for_s - 1e-9) return true;
      if (order.until_V === undefined) return false;
      return order.current_mA * (lcoPotential_V(x) + resistance_kOhm * order.current_mA - order.until_V) >= 0;
    };
    while (!reached()) pass(order.current_mA);
    if (derived) log(order.current_mA);
    const kind = rest ? "rest" : order.current_mA > 0 ? "charge" : "discharge";
    truth.push({ kind, start_s, end_s: now_s, charge_mAh: charge - startCharge });
    if (order.hold_s === undefined) continue;
    const hold_s = now_s;
    const holdCharge = charge;
    while (now_s - hold_s < order.hold_s) pass((order.until_V! - lcoPotential_V(x)) / resistance_kOhm);
    if (derived) log((order.until_V! - lcoPotential_V(x)) / resistance_kOhm);
    truth.push({ kind: "hold", start_s: hold_s, end_s: now_s, charge_mAh: charge - holdCharge });
  }
  return {
    cycling: {
      time_s: Float64Array.from(time_s!),
      potential_V: Float64Array.from(potential_V!),
      current_mA: Float64Array.from(current_mA!),
      charge_mAh: Float64Array.from(charge_mAh!),
    },
    truth,
    x: Float64Array.from(lithium!),
  };
}
