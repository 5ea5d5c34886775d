/** One crystal under a current of its own: drawn by seed, run, and its front measured by the code that measures movies. */
import { classifyMechanism } from "../../src/analysis/mechanisms.js";
import { mapNoise } from "../../src/analysis/map-noise.js";
import { applySlopes } from "../../src/analysis/slopes.js";
import { velocityField } from "../../src/analysis/velocity-field.js";
import { frontVelocity } from "../../src/analysis/velocity.js";
import { distanceTransform } from "../../src/kernels/distance.js";
import { mean, median } from "../../src/kernels/stats.js";
import { random } from "../../src/kernels/random.js";
import type { FrontMap, Mechanism } from "../../src/model/experiment.js";
import type { Material } from "../../src/model/material.js";
import { outlineGrid, type OutlineGrid } from "../../src/physics/masked-grid.js";
import { lco } from "../../src/physics/materials/lco.js";
import { outlineOf, type Place } from "../../src/physics/outline.js";
import type { Series } from "../../src/physics/phase-field-drive.js";
import type { EdgeSpec } from "../../src/physics/phase-field-edge.js";
import type { PhaseFieldResult, PhaseFieldState } from "../../src/physics/phase-field-spec.js";
import { simulatePhaseField } from "../../src/physics/phase-field.js";
import { finish } from "../phase-field-ladder.js";
import { mapOf } from "./planted-diffusivity.js";

/** Lithium per site and hour of 1C: 155 mAh/g of 273.8. */
export const PER_C = 155 / 273.84;

/** A crystal and its rim. */
export interface Crystal {
  readonly seed: number;
  readonly outline_um: readonly Place[];
  readonly edge: EdgeSpec;
}

/** Draws a crystal of five to seven corners, 3 to 4.5 um from its middle to the farthest, and its rim with so many nuclei. */
export function drawCrystal(seed: number, hotSpots: number): Crystal {
  const dice = random(seed);
  const radius_um = 3 + 1.5 * dice.uniform();
  const corners = 5 + dice.integer(3);
  return {
    seed,
    outline_um: outlineOf({ kind: "crystal", centre_um: [0, 0], radius_um, corners, seed }),
    edge: { seed, hotSpots },
  };
}

/** A way through the transition. */
export interface Way {
  readonly direction: "delithiation" | "lithiation";
  readonly x_per_h: Series;
  readonly material?: Material;
  readonly h_um?: number;
  readonly delta_um?: number;
  /** Mean lithium at the end, where it is not the usual one. */
  readonly xStop?: number;
  /** Shares of the particle that have turned at which its lithium is kept. */
  readonly shown?: readonly number[];
}

/** What a run left. */
export interface Run {
  readonly grid: OutlineGrid;
  readonly map: FrontMap;
  readonly result: PhaseFieldResult;
  readonly states: readonly PhaseFieldState[];
}

/** Runs a crystal from 0.97 down to 0.715, or from 0.72 up to 0.955. */
export async function runCrystal({ outline_um, edge }: Crystal, way: Way): Promise<Run> {
  const { direction, x_per_h, material = lco, h_um = 0.175, delta_um = 0.25, shown = [] } = way;
  const xStop = way.xStop ?? (direction === "delithiation" ? 0.715 : 0.955);
  const grid = outlineGrid(outline_um, h_um);
  const spec = {
    ...grid,
    delta_um,
    material,
    edge,
    drive: { kind: "current" as const, x_per_h },
    x0: direction === "delithiation" ? 0.97 : 0.72,
    xStop,
  };
  const { result } = await finish(simulatePhaseField({ ...spec, snapshots_s: [] }));
  const map = mapOf(grid, result.arrival_s);
  const times = turnedAt(map, shown);
  const states =
    shown.length === 0
      ? []
      : (await finish(simulatePhaseField({ ...spec, snapshots_s: times, until_s: times.at(-1)! + 1e-6 }))).states;
  return { grid, map, result, states };
}

/** When shares of a particle's cells had turned; the last time for what never came. */
export function turnedAt({ arrival_s, mask }: FrontMap, shares: readonly number[]): number[] {
  const sorted = arrival_s.filter((t_s) => t_s >= 0).sort();
  const cells = mask.reduce((sum, one) => sum + one, 0);
  return shares.map((share) => sorted[Math.min(sorted.length - 1, Math.floor(share * cells))]!);
}

/** How much of the rim has turned when half and when 80 % of the area has, and how deep the last 3 % lie, in inradii. */
export interface RimMetrics {
  readonly E50: number;
  readonly E80: number;
  readonly CI: number;
}

/** Rim metrics of a map. */
export function rimMetrics(map: FrontMap): RimMetrics {
  const { arrival_s, mask, width, height } = map;
  const depth = distanceTransform(mask, width, height);
  const cells = [...mask.keys()].filter((at) => mask[at] === 1);
  const time = (at: number): number => (Number.isNaN(arrival_s[at]!) ? Infinity : arrival_s[at]!);
  const sorted = Float64Array.from(cells, time).sort();
  const rim = cells.filter((at) => depth[at]! <= 1.5);
  const passed = (share: number): number => {
    const until_s = sorted[Math.floor(share * (cells.length - 1))]!;
    return rim.filter((at) => time(at) <= until_s).length / rim.length;
  };
  const last_s = sorted[Math.floor(0.97 * (cells.length - 1))]!;
  const inradius = cells.reduce((most, at) => Math.max(most, depth[at]!), 0);
  const last = cells.filter((at) => time(at) >= last_s).map((at) => depth[at]! / inradius);
  return { E50: passed(0.5), E80: passed(0.8), CI: mean(last) };
}

/** The kind of a front as the analysis calls it. */
export function kindOf(map: FrontMap): Mechanism["kind"] {
  return classifyMechanism(map).kind;
}

/** A front's median and mean velocity, nm/s; those of arrivals before `since_s` left out. */
export function speeds(map: FrontMap, since_s = 0): { readonly median: number; readonly mean: number } {
  const arrival_s = map.arrival_s.map((t_s) => (t_s >= since_s ? t_s : NaN));
  const found = frontVelocity({ ...map, arrival_s });
  return { median: 1000 * (found?.value ?? NaN), mean: 1000 * (found?.mean_um_s.value ?? NaN) };
}

/** Median velocity, nm/s, of the pixels passed while the share that has turned goes from one to another. */
export function speedBetween(map: FrontMap, from: number, to: number): number {
  const field = velocityField(map, 0.118, mapNoise(map, 0.118));
  if (field === null) return NaN;
  const [from_s, to_s] = turnedAt(map, [from, to]) as [number, number];
  const slope = applySlopes(field.operator, field.map.arrival_s);
  const inside: number[] = [];
  field.operator.pixels.forEach((at, entry) => {
    const t_s = field.map.arrival_s[at]!;
    const steepness = Math.hypot(slope.x[entry]!, slope.y[entry]!) / field.map.pixelSize_um;
    if (field.clear[entry] === 1 && t_s >= from_s && t_s <= to_s && steepness > 0) inside.push(1000 / steepness);
  });
  return median(inside);
}
