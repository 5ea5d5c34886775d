/** Fronts simulated with a diffusivity that is then sought again from their arrival maps. */
import { singleParticleCRate } from "../../src/analysis/phase-fraction.js";
import { frontVelocity } from "../../src/analysis/velocity.js";
import { boundDiffusivity, type DiffusivityOptions } from "../../src/inference/diffusivity.js";
import { frontCurrent, type FrontDrive } from "../../src/inference/simulated-front.js";
import { random } from "../../src/kernels/random.js";
import type { DiffusivityBound, FrontMap } from "../../src/model/experiment.js";
import { outlineGrid } from "../../src/physics/masked-grid.js";
import { lco } from "../../src/physics/materials/lco.js";
import { withTransport } from "../../src/physics/materials/library.js";
import { outlineOf } from "../../src/physics/outline.js";
import { phaseFieldOf } from "../phase-field-ladder.js";

/** A particle drawn by seed, its diffusivity, and what was found of it. */
export interface Planted {
  readonly seed: number;
  readonly D_cm2_s: number;
  readonly velocity_um_s: number;
  readonly bound: DiffusivityBound;
}

/** How a planted particle's drive is known to the search. */
export type KnownBy = "current" | "front" | "potential";

/**
 * Draws a crystal of 3 to 4.5 um, a rim, a current of two or three stages and D from 1e-10 to 4e-9 cm2/s; simulates it on
 * finer cells than the search does; and seeks D from the map's velocity, the drive being the true current, the front's own
 * or the particle's potential.
 */
export async function plant(seed: number, knownBy: KnownBy, options: DiffusivityOptions = {}): Promise<Planted> {
  const dice = random(seed);
  const within = (least: number, most: number): number => least + (most - least) * dice.uniform();
  const D_cm2_s = 1e-10 * 40 ** dice.uniform();
  const outline_um = outlineOf({
    kind: "crystal",
    centre_um: [0, 0],
    radius_um: within(3, 4.5),
    corners: 5 + Math.floor(3 * dice.uniform()),
    seed,
  });
  const slow = within(0.3, 1.5);
  const x_per_h: [number, number][] = [
    [0, slow],
    [100, slow],
    [within(250, 400), within(2, 5)],
  ];
  const grid = outlineGrid(outline_um, 0.14);
  const own = { rim: 1000 + seed, exchange_A_m2: knownBy === "potential" ? 100 : 1 };
  const result = await phaseFieldOf({
    ...grid,
    delta_um: 0.2,
    material: withTransport(lco, { D_um2_s: 1e8 * D_cm2_s, exchange_A_m2: own.exchange_A_m2 }, "planted"),
    edge: { seed: own.rim },
    drive: { kind: "current", x_per_h },
    x0: 0.97,
    xStop: 0.65,
    snapshots_s: [],
  });
  const map = mapOf(grid, result.arrival_s);
  const velocity_um_s = frontVelocity(map)!.value;
  const drive = ((): FrontDrive => {
    if (knownBy === "current") return { kind: "current", x_per_h, error: 0.05 };
    if (knownBy === "front") {
      const rate = singleParticleCRate(map, { c_rate_factor: 0.353 });
      return frontCurrent(rate, 0.2 / 0.353, 0.2);
    }
    const start_s = Math.min(...result.arrival_s.filter((t_s) => t_s >= 0));
    const E_V = Array.from(result.t_s, (t_s, at): [number, number] => [t_s - start_s, result.potential_V[at]!]);
    return { kind: "potential", E_V: E_V.filter(([t_s]) => t_s >= 0) };
  })();
  const bound = await boundDiffusivity({ outline_um, velocity_um_s: { value: velocity_um_s, sd: 0 } }, drive, options);
  return { seed, D_cm2_s, velocity_um_s, bound };
}

/** Whether the interval of a bound holds the planted diffusivity. */
export function covers({ D_cm2_s, bound }: Planted): boolean {
  return D_cm2_s >= (bound.atLeast_cm2_s ?? 0) && D_cm2_s <= (bound.atMost_cm2_s ?? Infinity);
}

/** An arrival map as a movie would give it, without noise. */
export function mapOf(
  grid: { mask: Uint8Array; width: number; height: number; h_um: number },
  arrival_s: Float32Array,
): FrontMap {
  return {
    particle: 0,
    transition: 0,
    width: grid.width,
    height: grid.height,
    pixelSize_um: grid.h_um,
    origin_px: [0, 0],
    mask: grid.mask,
    arrival_s,
    sd_s: arrival_s.map((t_s) => (Number.isNaN(t_s) ? NaN : 0)),
    blur_um: 0,
    step: new Float32Array(arrival_s.length),
    unchanged: grid.mask.map((inside, at) => (inside !== 0 && Number.isNaN(arrival_s[at]!) ? 1 : 0)),
    estimator: "step+line",
    bias_s: 0,
    covered: 1,
    lag_s: 0,
    localisation_nm_per_segment_um: null,
  };
}

/** Of so many planted particles, those whose interval holds the truth, and those whose lower end does; some 4 s of one core each. */
export async function coverage(
  seeds: readonly number[],
  knownBy: KnownBy,
): Promise<{ readonly planted: readonly Planted[]; readonly inside: number; readonly above: number }> {
  const planted: Planted[] = [];
  for (const seed of seeds) planted.push(await plant(seed, knownBy));
  return {
    planted,
    inside: planted.filter(covers).length,
    above: planted.filter(({ D_cm2_s, bound }) => D_cm2_s >= (bound.atLeast_cm2_s ?? 0)).length,
  };
}
