/** The ordering transition near x = 1/2: domains, walls and their angles, against controls without the lattice. */
import { median } from "../../src/kernels/stats.js";
import { outlineGrid } from "../../src/physics/masked-grid.js";
import { simulateOrdering } from "../../src/physics/ordering.js";
import type { OrderingResult, OrderingState, WallSpec } from "../../src/physics/ordering-spec.js";
import { paperScenarios } from "../../src/physics/paper-scenarios.js";
import { phaseFieldTwin } from "../../src/physics/phase-field-twin.js";
import { truthOf } from "../../src/physics/truth.js";
import { finish, hexagon } from "../phase-field-ladder.js";
import { fig3Outline } from "./current-rows.js";
import { mapTable } from "./pictures.js";
import { seedOf, seedsOf, seedText, type Drawing, type Group, type Row } from "./row.js";

/** Particles of each kind of walls. */
const PARTICLES = 20;
/** Rows of the lattice in the pictures: along the crystal's lower edge. */
const LATTICE_DEG = 20;

/** The rows of the ordering transition. */
export const orderingRows: Group = {
  title: "Order at x = 1/2",
  about:
    "Three variants of one ordered phase grow from nuclei on the rim of a crystal of 4.8 x 3.4 um and meet in walls. Walls either follow the lattice (three rows, 60 degrees apart), or only their line tension (isotropic), or stay where fronts met (pinned): the last two are controls for angles of 120 degrees.",
  run: async (seed, tell) => {
    const rows: Row[] = [];
    tell("walls along the lattice");
    rows.push(await latticeRow(seedsOf(seed, 110, PARTICLES)));
    tell("control: line tension alone");
    rows.push(await isotropicRow(seedsOf(seed, 111, PARTICLES)));
    tell("control: pinned walls");
    rows.push(await pinnedRow(seedsOf(seed, 112, PARTICLES)));
    tell("twins of Fig. 5");
    rows.push(...(await twinRowsOf(seedsOf(seed, 113, 3))));
    tell("picture");
    return { rows, drawings: [await domains(seedOf(seed, 114))] };
  },
};

async function ordered(
  seed: number,
  walls: WallSpec,
  scale = 0.5,
  nuclei = 3,
  snapshots_s: readonly number[] = [],
): Promise<{ readonly result: OrderingResult; readonly states: readonly OrderingState[] }> {
  const outline = scale === 1 ? fig3Outline : hexagon(scale);
  return finish(
    simulateOrdering({
      ...outlineGrid(outline, 0.1),
      drive: { kind: "undercooling", u: [[0, 1]] },
      until_s: scale === 1 ? 150 : 100,
      nuclei,
      walls,
      seed,
      snapshots_s,
    }),
  );
}

/** Angles between neighbouring walls of a junction, degrees; empty where three did not meet. */
export function gapsOf({ transitions }: OrderingResult): number[] {
  const angles = transitions[0]!.domains.walls
    .flatMap(({ meeting_deg, angle_deg }) => (meeting_deg === null ? [] : [angle_deg]))
    .sort((a, b) => a - b);
  if (angles.length !== 3) return [];
  return angles.map((angle, at) => (angles[(at + 1) % 3]! - angle + 360) % 360);
}

function spread(gaps: readonly number[]): number {
  return Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - 120) ** 2, 0) / gaps.length);
}

/** Three domains whose walls follow the lattice, turned otherwise in each particle. */
export async function latticeRow(seeds: readonly number[]): Promise<Row> {
  let three = 0;
  const gaps: number[] = [];
  const off: number[] = [];
  for (const [at, seed] of seeds.entries()) {
    const angle_deg = (at * 37.3) % 60;
    const { result } = await ordered(seed, { kind: "lattice", angle_deg });
    if (result.transitions[0]!.domains.count === 3) three++;
    gaps.push(...gapsOf(result));
    for (const wall of result.transitions[0]!.domains.walls) {
      off.push(Math.abs(((((wall.angle_deg - angle_deg + 30) % 60) + 60) % 60) - 30));
    }
  }
  const near = off.filter((angle) => angle < 10).length;
  return {
    observable: "Fig. 5: three nuclei: domains, walls along the lattice, angles between them",
    paper: "3 domains; 120 degrees",
    ours: `3 domains in ${three} of ${seeds.length}; ${near} of ${off.length} walls within 10 degrees of a row; ${junctions(gaps)}`,
    held: three === seeds.length && near >= 0.9 * off.length && spread(gaps) < 15,
    how: "Directions of whole walls; rms of the angles about 120 degrees below 15; nine walls of ten along a row. The lattice is turned otherwise in every particle.",
    seeds: seedText(seeds),
  };
}

function junctions(gaps: readonly number[]): string {
  return `${gaps.length / 3} junctions, angles 120 ± ${spread(gaps).toFixed(0)} degrees`;
}

/** Control: tri-junctions of line tension have 120 degrees at the point, but no direction in common. */
async function isotropicRow(seeds: readonly number[]): Promise<Row> {
  const meetings: number[] = [];
  const directions: number[] = [];
  for (const seed of seeds) {
    const { result } = await ordered(seed, { kind: "isotropic" });
    const walls = result.transitions[0]!.domains.walls.filter(({ meeting_deg }) => meeting_deg !== null);
    const angles = walls.map(({ meeting_deg }) => meeting_deg!).sort((a, b) => a - b);
    if (angles.length !== 3) continue;
    meetings.push(...angles.map((angle, at) => (angles[(at + 1) % 3]! - angle + 360) % 360));
    directions.push(angles[0]!);
  }
  const p = rayleigh(directions, 6);
  return {
    observable: "control: line tension alone",
    paper: "120 degrees at the junction, in no direction of the lattice",
    ours: `${junctions(meetings)}; directions modulo 60 degrees: p = ${p.toFixed(2)} that they are random`,
    held: p > 0.01,
    how: "Rayleigh's test of one wall of each junction; p above 0.01. Angles of 120 degrees alone do not prove a lattice: directions do.",
    seeds: seedText(seeds),
  };
}

/** Probability that directions modulo 360 / fold degrees are as far from even by chance. */
export function rayleigh(angles_deg: readonly number[], fold: number): number {
  const mean = (part: (angle: number) => number): number =>
    angles_deg.reduce((sum, angle) => sum + part((fold * angle * Math.PI) / 180), 0) / angles_deg.length;
  return Math.exp(-angles_deg.length * (mean(Math.cos) ** 2 + mean(Math.sin) ** 2));
}

/** Control: walls that stay where fronts met have any angles. */
async function pinnedRow(seeds: readonly number[]): Promise<Row> {
  const gaps: number[] = [];
  for (const seed of seeds) gaps.push(...gapsOf((await ordered(seed, { kind: "pinned" })).result));
  return {
    observable: "control: walls where the fronts met",
    paper: "any angles",
    ours: junctions(gaps),
    held: gaps.length > 0 && spread(gaps) > 15,
    how: "rms about 120 degrees above 15.",
    seeds: seedText(seeds),
  };
}

/** Twins of Fig. 5: how many domains, and how fast order runs. */
export async function twinRowsOf(seeds: readonly number[]): Promise<Row[]> {
  const counts: Record<"one" | "three", number[]> = { one: [], three: [] };
  const speeds: number[] = [];
  for (const seed of seeds) {
    for (const name of ["one", "three"] as const) {
      const truth = truthOf(
        await phaseFieldTwin(paperScenarios[`fig5-${name}-domain${name === "one" ? "" : "s"}`]!, seed),
      );
      const ordering = truth.transitions.find(
        ({ kind, direction }) => kind === "ordering" && direction === "delithiation",
      );
      counts[name].push(truth.domains!.find(({ transition }) => transition === ordering?.id)?.count ?? 0);
      const speed = truth.kinetics.find(({ transition }) => transition === ordering?.id)?.velocity_um_s ?? null;
      if (speed !== null) speeds.push(1000 * speed);
    }
  }
  return [
    {
      observable: "Fig. 5: domains of the twins",
      paper: "1 and 3",
      ours: `${counts.one.join(", ")} and ${counts.three.join(", ")}`,
      held: counts.one.every((one) => one === 1) && counts.three.every((one) => one === 3),
      how: "Scenarios fig5-one-domain and fig5-three-domains.",
      seeds: seedText(seeds),
    },
    {
      observable: "Fig. 5: velocity of order",
      paper: "70 nm/s",
      ours: `median ${median(speeds).toFixed(1)} nm/s (${Math.min(...speeds).toFixed(1)} to ${Math.max(...speeds).toFixed(1)})`,
      held: Math.abs(median(speeds) / 70 - 1) < 0.15,
      how: "Median over clear pixels of either scenario; within 15 %. The kinetic coefficient is put in.",
      seeds: seedText(seeds),
    },
  ];
}

/** Light of order and walls, as the twins have it: 3 % for order, 6 % for a wall. */
function lightOf({ order }: OrderingState): Float64Array {
  return order[0].map((a, at) => {
    const [b, c] = [order[1][at]!, order[2][at]!];
    return 3 * (a + b + c) + 6 * 4 * (a * b + a * c + b * c);
  });
}

async function domains(seed: number): Promise<Drawing> {
  const grid = outlineGrid(fig3Outline, 0.1);
  const times = [20, 40, 60, 80, 140];
  const rows = [];
  for (const [label, walls, nuclei] of [
    ["one nucleus", { kind: "lattice", angle_deg: LATTICE_DEG }, 1],
    ["three nuclei, walls along the lattice", { kind: "lattice", angle_deg: LATTICE_DEG }, 3],
    ["three nuclei, control: walls where the fronts met", { kind: "pinned" }, 3],
  ] as const) {
    const { states } = await ordered(seed, walls, 1, nuclei, times);
    rows.push({
      label,
      maps: states.map((state) => ({
        map: { ...grid, data: lightOf(state), outline_um: fig3Outline },
        label: `${state.t_s.toFixed(0)} s`,
      })),
    });
  }
  return {
    name: "ordering-domains",
    figure: mapTable({
      title: "Order at x = 1/2: domains and the walls between them",
      subtitle: "Change of light: 3 % where ordered, 6 % more in the middle of a wall; before the microscope's blur",
      rows,
      colormap: "contrast",
      range: [-9, 9],
      scale: "change of light / %",
      format: "~r",
      width: 140,
    }),
    caption: `Growth of ordered domains in the crystal of Fig. 3, as in Fig. 5; seed ${seed}.`,
  };
}
