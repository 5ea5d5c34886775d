/** The phase field against what is known exactly, and against a run of another implementation where its file stands. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { quantile } from "../../src/kernels/stats.js";
import { lco } from "../../src/physics/materials/lco.js";
import { ladder, phaseFieldOf, type LadderRow } from "../phase-field-ladder.js";
import { drawCrystal, runCrystal } from "./particle.js";
import { seedsOf, seedText, type Group, type Row } from "./row.js";

/** What each part of the ladder compares, and with what. */
const PARTS: readonly (readonly [prefix: string, observable: string, exact: string])[] = [
  ["V1", "a boundary at rest: its profile and energy, cells of delta to delta / 4", "tanh(z / delta); (8/3) h delta"],
  ["V2", "growth of waves within the spinodal", "-M k² (f″ + kappa k²)"],
  ["V3", "a slab emptied at 2C through its end", "0.2 s + J s² / 2D = J t"],
  ["V4", "a disc emptied evenly through its rim", "quasi-steady shell"],
  ["V5", "the same particle on finer cells, boundary fixed", "cells of 0.075 um"],
  ["V6", "a closed particle from noise: energy and mean", "energy never rises; no drift"],
  ["V7", "a rim held at x = 0.65", "Stefan's front, 2 L √(D t)"],
];

/** The rows of the ladder. */
export const ladderRows: Group = {
  title: "The phase field against what is exact",
  about:
    "Errors are relative to the exact value, absolute where that is zero; each comparison has a gate of its own, some twice what a first implementation reached.",
  run: async (seed, tell) => {
    tell("the ladder V1 to V7");
    const reached = await ladder();
    const rows = PARTS.map(([prefix, observable, exact]) =>
      partRow(
        prefix,
        observable,
        exact,
        reached.filter(({ name }) => name.startsWith(prefix)),
      ),
    );
    tell("mass in full runs");
    rows.push(await massRow(seedsOf(seed, 1, 4)));
    tell("the reference run");
    rows.push(await goldenRow());
    return { rows, drawings: [] };
  },
};

/** By how much a comparison is off. */
export function errorOf({ exact, reached }: LadderRow): number {
  return exact === 0 ? Math.abs(reached) : Math.abs(reached / exact - 1);
}

function partRow(prefix: string, observable: string, exact: string, parts: readonly LadderRow[]): Row {
  const within = parts.filter((part) => errorOf(part) < part.gate);
  const worst = parts.reduce((most, part) => (errorOf(part) / part.gate > errorOf(most) / most.gate ? part : most));
  return {
    observable: `${prefix}: ${observable}`,
    paper: exact,
    ours: `${within.length} of ${parts.length} within their gates; nearest to its gate: ${percent(errorOf(worst))} of ${percent(worst.gate)}`,
    held: within.length === parts.length,
    how: `Nearest to its gate: ${worst.name.slice(prefix.length + 1)}, ${worst.reached.toPrecision(4)} for ${worst.exact.toPrecision(4)}.`,
    seeds: "none",
  };
}

function percent(share: number): string {
  return share < 1e-6 ? share.toExponential(0) : `${(100 * share).toPrecision(2)} %`;
}

/** V8: lithium is what the current brought, in full runs of drawn crystals. */
export async function massRow(seeds: readonly number[]): Promise<Row> {
  let most = 0;
  for (const [at, one] of seeds.entries()) {
    const direction = at % 2 === 0 ? "delithiation" : "lithiation";
    const { result } = await runCrystal(drawCrystal(one, 2), { direction, x_per_h: [[0, 2]] });
    most = Math.max(most, result.massError);
  }
  return {
    observable: "V8: mass in full runs of one transformation, both ways",
    paper: "what the current brought",
    ours: `${most.toExponential(0)} at most`,
    held: most < 1e-9,
    how: "Largest difference between the mean lithium and that which the current brought, at any step; below 1e-9.",
    seeds: seedText(seeds),
  };
}

interface Golden {
  readonly nx: number;
  readonly ny: number;
  readonly mask: readonly string[];
  readonly boundary: readonly { i: number; j: number; l: number; k: number; w: number }[];
  readonly t: readonly number[];
  readonly phi: readonly number[];
  readonly new_fraction: readonly number[];
  readonly arrival: readonly number[];
}

/** The delithiation of another implementation, cell by cell; said to be absent where its file is. */
async function goldenRow(): Promise<Row> {
  const row = {
    observable: "a delithiation at 4C by another implementation: fraction, potential, arrivals",
    paper: "within 2e-3, 0.02 kT, 1.5 s",
    seeds: "none",
  };
  const file = goldenFile();
  if (file === null) {
    return {
      ...row,
      ours: "not run",
      held: null,
      how: "The reference file is not on this machine: IONOSCOPE_DATA names the folder of sample data.",
    };
  }
  const golden = JSON.parse(readFileSync(file, "utf8")) as Golden;
  const mask = Uint8Array.from(golden.mask.join(""), (cell) => (cell === "#" ? 1 : 0));
  const raster = (value: (cell: Golden["boundary"][number]) => number): Float64Array => {
    const values = new Float64Array(mask.length);
    for (const cell of golden.boundary) values[cell.j * golden.nx + cell.i] = value(cell);
    return values;
  };
  const result = await phaseFieldOf({
    mask,
    width: golden.nx,
    height: golden.ny,
    h_um: 0.175,
    delta_um: 0.25,
    material: lco,
    drive: { kind: "current", x_per_h: [[0, 2]] },
    x0: 0.97,
    xStop: 0.715,
    boundary: { length_um: raster(({ l }) => 1e6 * l), k: raster(({ k }) => k), wetting: raster(({ w }) => w) },
  });
  const worst = (values: ArrayLike<number>, wanted: readonly number[]): number =>
    Math.max(...golden.t.map((t_s, at) => Math.abs(valueAt(result.t_s, values, t_s) - wanted[at]!)));
  const fraction = worst(result.fraction, golden.new_fraction);
  const phi = worst(result.phi, golden.phi);
  const late = [...mask.keys()]
    .filter((at) => mask[at] === 1)
    .map((at, cell) => Math.abs(result.arrival_s[at]! - golden.arrival[cell]!));
  const [middle, most] = [quantile(late, 0.5), Math.max(...late)];
  return {
    ...row,
    ours: `${fraction.toExponential(1)}, ${phi.toFixed(4)} kT, ${most.toFixed(2)} s (median ${middle.toExponential(0)} s)`,
    held: fraction < 2e-3 && phi < 0.02 && most < 1.5,
    how: "Largest difference at any of its moments, and of any cell's arrival, with its own rim.",
  };
}

function goldenFile(): string | null {
  const named = process.env["IONOSCOPE_DATA"];
  const folder = named ?? path.resolve("..", "shared", "data");
  const file = path.join(folder, "golden", "phasefield_delithiation_4C.json");
  return existsSync(file) ? file : null;
}

function valueAt(t_s: ArrayLike<number>, values: ArrayLike<number>, at_s: number): number {
  let after = 1;
  while (after < t_s.length - 1 && t_s[after]! < at_s) after++;
  const part = (at_s - t_s[after - 1]!) / (t_s[after]! - t_s[after - 1]!);
  return values[after - 1]! + Math.min(1, part) * (values[after]! - values[after - 1]!);
}
