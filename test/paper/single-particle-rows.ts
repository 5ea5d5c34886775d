/** One particle under a current of its own: the way its front takes by rate, and what the width of the boundary does to it. */
import { median } from "../../src/kernels/stats.js";
import { lco } from "../../src/physics/materials/lco.js";
import { withTransport } from "../../src/physics/materials/library.js";
import type { FrontMap } from "../../src/model/experiment.js";
import type { Material } from "../../src/model/material.js";
import { hexagon } from "../phase-field-ladder.js";
import { fig3Outline } from "./current-rows.js";
import { drawCrystal, kindOf, PER_C, rimMetrics, runCrystal, turnedAt, type RimMetrics, type Run } from "./particle.js";
import { LITHIUM, mapTable } from "./pictures.js";
import { seedOf, seedsOf, seedText, type Drawing, type Group, type Row, type Tell } from "./row.js";

/** Crystals of each row. */
const CRYSTALS = 6;
/** Nuclei on the rim: as many as the paper's charge began from; its discharge began in one place. */
const NUCLEI = { delithiation: 2, lithiation: 1 } as const;

/** A rate and the way the paper's particles took at the like. */
interface Wanted {
  readonly direction: "delithiation" | "lithiation";
  readonly rate_C: number;
  /** null: between, not held against anything. */
  readonly kind: "core" | "hybrid" | "wave" | null;
}

const WANTED: readonly Wanted[] = [
  { direction: "delithiation", rate_C: 6, kind: "core" },
  { direction: "delithiation", rate_C: 4, kind: "core" },
  { direction: "delithiation", rate_C: 2, kind: null },
  { direction: "delithiation", rate_C: 1, kind: null },
  { direction: "delithiation", rate_C: 0.5, kind: "hybrid" },
  { direction: "delithiation", rate_C: 0.25, kind: "hybrid" },
  { direction: "lithiation", rate_C: 4, kind: "wave" },
  { direction: "lithiation", rate_C: 2, kind: "wave" },
  { direction: "lithiation", rate_C: 1, kind: "wave" },
  { direction: "lithiation", rate_C: 0.5, kind: "wave" },
];

/** The rows of one particle under its own current. */
export const singleParticleRows: Group = {
  title: "One particle under its own current",
  about: `LixCoO2 with D_poor 1e-8, D_rich 5e-11 cm2/s and 1 A/m2; crystals of 3 to 4.5 um radius with five to seven corners and uneven rims, two nuclei on delithiation and one on lithiation; cells of 0.175 um, delta 0.25 um. 1C is 0.566 Li/h per site (155 mAh/g), and is the particle's own. Kinds are those of classifyMechanism on the arrival map. E50 and E80: share of the rim that has turned when half and 80 % of the area have; CI: mean depth of the last 3 %, in inradii; medians over crystals.`,
  run: async (seed, tell) => {
    const rows: Row[] = [];
    for (const [at, wanted] of WANTED.entries()) {
      tell(`${wanted.direction} at ${rateText(wanted.rate_C)}`);
      rows.push(await mechanismRow(wanted, seedsOf(seed, 10 + at, CRYSTALS)));
    }
    tell("the crystal of Fig. 3");
    for (const [at, rate_C] of [6, 4].entries()) {
      rows.push(await figure3Row(rate_C, seedsOf(seed, 34 + at, CRYSTALS)));
    }
    tell("the twins' reaction");
    rows.push(await twinLawRow(seedsOf(seed, 30, CRYSTALS)));
    for (const direction of ["delithiation", "lithiation"] as const) {
      tell(`width of the boundary, ${direction}`);
      rows.push(await widthRow(direction, seedOf(seed, 31)));
    }
    return { rows, drawings: [await cores(seedOf(seed, 32), tell), await waves(seedOf(seed, 33), tell)] };
  },
};

/** Runs crystals at a rate and counts the ways that their fronts take. */
export async function mechanismRow(wanted: Wanted, seeds: readonly number[], material = lco): Promise<Row> {
  const { direction, rate_C } = wanted;
  const maps: FrontMap[] = [];
  for (const one of seeds) maps.push((await runAt(one, direction, rate_C, material)).map);
  return countedRow(wanted, maps, seeds);
}

function countedRow({ direction, rate_C, kind }: Wanted, maps: readonly FrontMap[], seeds: readonly number[]): Row {
  const kinds = maps.map(kindOf);
  const metrics = maps.map(rimMetrics);
  const middle = (of: (one: RimMetrics) => number): string => median(metrics.map(of)).toFixed(2);
  return {
    observable: `${direction} at ${rateText(rate_C)}`,
    paper: kind ?? "hybrid to core",
    ours: `${countText(kinds)}; E50 ${middle(({ E50 }) => E50)}, E80 ${middle(({ E80 }) => E80)}, CI ${middle(({ CI }) => CI)}`,
    held: kind === null ? null : kinds.every((one) => one === kind),
    how:
      kind === null
        ? "The change from one to the other; what is neither is called undecided."
        : `Held where all are.${kind === "core" ? " What is none closed off the middle, nearer to the rim than half the inradius, or before its rim was full: nuclei and rates along a rim are uneven." : ""}`,
    seeds: seedText(seeds),
  };
}

/** Cores in the crystal of Fig. 3, 9.6 x 6.8 um, over rims. */
async function figure3Row(rate_C: number, seeds: readonly number[]): Promise<Row> {
  const maps: FrontMap[] = [];
  for (const one of seeds) {
    const crystal = { seed: one, outline_um: fig3Outline, edge: { seed: one, hotSpots: NUCLEI.delithiation } };
    maps.push((await runCrystal(crystal, { direction: "delithiation", x_per_h: [[0, rate_C * PER_C]] })).map);
  }
  const row = countedRow({ direction: "delithiation", rate_C, kind: "core" }, maps, seeds);
  return { ...row, observable: `${row.observable}, crystal of Fig. 3` };
}

async function runAt(
  seed: number,
  direction: "delithiation" | "lithiation",
  rate_C: number,
  material: Material,
  shown: readonly number[] = [],
): Promise<Run> {
  return runCrystal(drawCrystal(seed, NUCLEI[direction]), {
    direction,
    material,
    shown,
    x_per_h: [[0, rate_C * PER_C]],
  });
}

/** Delithiation with a reaction that a full rim shuts, as in the twins. */
async function twinLawRow(seeds: readonly number[]): Promise<Row> {
  const material = withTransport(lco, { rateLaw: "excluded-site" }, "the twins'");
  const row = await mechanismRow({ direction: "delithiation", rate_C: 6, kind: "core" }, seeds, material);
  return {
    ...row,
    observable: "delithiation at 6C, reaction as 4 (1 - x) (the twins')",
    how: `${row.how} This reaction is slow at a rich rim and so spreads along it: cores need higher rates than with a constant one.`,
  };
}

/** When a quarter, half and three quarters of the crystal of Fig. 3 have turned, at 4C, for boundaries from 0.25 to 0.13 um. */
async function widthRow(direction: "delithiation" | "lithiation", seed: number): Promise<Row> {
  const crystal = { seed, outline_um: hexagon(1), edge: { seed, hotSpots: 1 } };
  const found: { times: number[]; metrics: RimMetrics }[] = [];
  for (const delta_um of [0.25, 0.18, 0.13]) {
    const { map } = await runCrystal(crystal, {
      direction,
      x_per_h: [[0, 4 * PER_C]],
      h_um: 0.7 * delta_um,
      delta_um,
    });
    found.push({ times: turnedAt(map, [0.25, 0.5, 0.75]), metrics: rimMetrics(map) });
  }
  const finest = found.at(-1)!.times;
  const off = found[0]!.times.map((t_s, at) => Math.abs(t_s / finest[at]! - 1));
  return {
    observable: `${direction} at 4C: half width of the boundary 0.25, 0.18, 0.13 um`,
    paper: "no change (nature: some nm)",
    ours: `t25, t50, t75 ${found.map(({ times }) => times.map((t_s) => t_s.toFixed(0)).join(", ")).join(" / ")} s; off by ${off.map((share) => (100 * share).toFixed(1)).join(", ")} %; E80 ${found.map(({ metrics }) => metrics.E80.toFixed(2)).join(" / ")}, CI ${found.map(({ metrics }) => metrics.CI.toFixed(2)).join(" / ")}`,
    held: off[0]! < 0.06 && off[1]! < 0.03 && off[2]! < 0.03,
    how: `Cells of 0.7 delta, one nucleus. Held where 0.25 um is within 3 % of 0.13 um at t50 and t75, and within 6 % at t25: a thinner boundary covers the rim sooner.${direction === "lithiation" ? " The last tenth of a lithiation is not converged: E80 and CI are not held." : ""}`,
    seeds: String(seed),
  };
}

const SHOWN = [0.1, 0.3, 0.5, 0.7, 0.9];

async function snapshots(
  seed: number,
  direction: "delithiation" | "lithiation",
  rates_C: readonly number[],
): Promise<Parameters<typeof mapTable>[0]["rows"]> {
  const rows = [];
  for (const rate_C of rates_C) {
    const { grid, states, map } = await runAt(seed, direction, rate_C, lco, SHOWN);
    const { outline_um } = drawCrystal(seed, NUCLEI[direction]);
    const last_s = states.at(-1)!.t_s;
    const maps = states.map(({ x, t_s }, at) => ({
      map: { ...grid, data: x, outline_um },
      label: `${Math.round(100 * SHOWN[at]!)} %, ${timeText(t_s, last_s)}`,
    }));
    rows.push({ label: `${rateText(rate_C)}: ${kindOf(map)}`, maps });
  }
  return rows;
}

async function cores(seed: number, tell: Tell): Promise<Drawing> {
  tell("picture of delithiation");
  return {
    name: "delithiation-by-rate",
    figure: mapTable({
      title: "Delithiation by rate",
      subtitle: "Lithium when 10 to 90 % of the particle have turned, at three rates of the particle's own",
      rows: await snapshots(seed, "delithiation", [0.5, 2, 6]),
      ...LITHIUM,
      width: 120,
    }),
    caption: `Lithium on delithiation, as in Supplementary Fig. 6. Two nuclei on the rim; seed ${seed}.`,
  };
}

async function waves(seed: number, tell: Tell): Promise<Drawing> {
  tell("picture of lithiation");
  return {
    name: "lithiation-by-rate",
    figure: mapTable({
      title: "Lithiation by rate",
      subtitle: "Lithium when 10 to 90 % of the particle have turned, at four rates of the particle's own",
      rows: await snapshots(seed, "lithiation", [0.5, 1, 2, 4]),
      ...LITHIUM,
      width: 120,
    }),
    caption: `Lithium on lithiation, as in Supplementary Fig. 7. One nucleus on the rim; seed ${seed}.`,
  };
}

/** How often each kind came, the most frequent first. */
export function countText(kinds: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const kind of kinds) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([kind, count]) => `${kind} ${count} of ${kinds.length}`)
    .join(", ");
}

/** A rate as C/2 or 2C. */
export function rateText(rate_C: number): string {
  return rate_C < 1 ? `C/${+(1 / rate_C).toFixed(2)}` : `${rate_C}C`;
}

/** A time in the unit of the last one. */
function timeText(t_s: number, last_s: number): string {
  return last_s < 300 ? `${t_s.toFixed(0)} s` : `${(t_s / 60).toFixed(1)} min`;
}
