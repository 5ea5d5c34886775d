/** One cycle of the twin of Fig. 2: the particle's light beside the cell's potential and dQ/dV. */
import { differentialCapacity } from "../../src/analysis/differential-capacity.js";
import { findHalfCycles, findSteps } from "../../src/analysis/half-cycles.js";
import { cyclingFigure } from "../../src/figures/cycling-figure.js";
import { containsPoint } from "../../src/kernels/polygon.js";
import type { Cell, CellFacts, Transition } from "../../src/model/experiment.js";
import type { Cycling } from "../../src/model/cycling.js";
import { paperScenarios } from "../../src/physics/paper-scenarios.js";
import { phaseFieldTwin, type PhaseFieldTwin } from "../../src/physics/phase-field-twin.js";
import type { Scenario } from "../../src/physics/scenario.js";
import { truthOf } from "../../src/physics/truth.js";
import { seedOf, type Group, type Row } from "./row.js";
import { still } from "./twin-rows.js";

/** The rows of one cycle. */
export const twinCycleRows: Group = {
  title: "One cycle at 2C",
  about:
    "The first cycle of scenario fig2-2C-five-cycles: a particle that follows the potential of an electrode, ordering included. Its light is noise-free and stands still; its windows are the truth's.",
  run: async (seed, tell) => {
    const own = seedOf(seed, 120);
    tell("one cycle");
    const made = await phaseFieldTwin(oneCycle(), own);
    tell("light");
    const time_s = made.acquisition.time_s;
    const intensity = lightOf(made);
    const truth = truthOf(made);
    const cycling = onMovieClock(made);
    const transitions = truth.transitions.map((one) => ({ ...one, particle: 0 }) as unknown as Transition);
    const figure = cyclingFigure({
      traces: [{ particle: 0, time_s: Float64Array.from(time_s), intensity }],
      cycling,
      cell: cellOf(cycling, made.scenario.cycling!.active_mass_mg),
      transitions,
    });
    const caption = `Mean light of the particle, potential of the cell and dQ/dV through one cycle at 2C, as in Fig. 2a. Shaded: from the first to the last arrival of each front. Seed ${own}.`;
    return { rows: rowsOf(made, own), drawings: [{ name: "one-cycle", figure, caption }] };
  },
};

/** The scenario's first cycle alone, standing still. */
function oneCycle(): Scenario {
  const scenario = still(paperScenarios["fig2-2C-five-cycles"]!);
  const { programme } = scenario.cycling!;
  const driven = programme.findIndex(({ kind }) => kind === "discharge");
  return {
    ...scenario,
    movie: { ...scenario.movie, frames: 430 },
    cycling: { ...scenario.cycling!, programme: programme.slice(0, driven + 1) },
  };
}

function lightOf(made: PhaseFieldTwin): Float64Array {
  const outline = truthOf(made).particles[0]!.outline_px;
  const inside: number[] = [];
  for (let y = 0; y < made.height; y++) {
    for (let x = 0; x < made.width; x++) if (containsPoint(outline, x, y)) inside.push(y * made.width + x);
  }
  const image = new Float64Array(made.width * made.height);
  const light = Float64Array.from(made.acquisition.time_s, (_, frame) => {
    made.light(frame, image);
    return inside.reduce((sum, at) => sum + image[at]!, 0) / inside.length;
  });
  return light.map((value) => value / light[0]!);
}

function onMovieClock(made: PhaseFieldTwin): Cycling {
  const { before_s } = made.scenario.cycling!;
  return { ...made.cycling!, time_s: made.cycling!.time_s.map((t_s) => t_s - before_s) };
}

function cellOf(cycling: Cycling, active_mass_mg: number): Cell {
  const facts: CellFacts = {
    imaged: "working",
    role: "cathode",
    currentSign: "anodic-positive",
    source: "the twin's",
    active_mass_mg,
    nominal_mAh_g: 155,
    nominal_mAh: null,
  };
  const steps = findSteps(cycling);
  const { halfCycles, curves } = differentialCapacity(cycling, findHalfCycles(cycling, steps, facts), { dV_V: 0.005 });
  return { ...facts, steps, halfCycles, differentialCapacity: curves };
}

function rowsOf(made: PhaseFieldTwin, seed: number): Row[] {
  const truth = truthOf(made);
  const { before_s } = made.scenario.cycling!;
  const charge = made.lithium.electrode!.halfCycles[0]!;
  const find = (kind: string, direction: string): number | null =>
    truth.transitions.find((one) => one.kind === kind && one.direction === direction)?.start_s ?? null;
  const order = find("ordering", "delithiation");
  const gone = find("ordering", "lithiation");
  const comes_min = order === null ? NaN : (order + before_s - charge.start_s) / 60;
  const goes_min = gone === null ? NaN : (gone + before_s - charge.end_s) / 60;
  return [
    {
      observable: "Fig. 2: order comes after so long of the charge, and begins to go after the turn",
      paper: "23 min; 3 min",
      ours: `${comes_min.toFixed(1)} min; ${goes_min.toFixed(1)} min`,
      held: Math.abs(comes_min - 23) < 2.5 && Math.abs(goes_min - 3) < 2,
      how: "First arrival of order; within 2.5 and 2 min.",
      seeds: String(seed),
    },
    {
      observable: "Fig. 2: windows of one cycle",
      paper: "two-phase, order, order, two-phase",
      ours: truth.transitions.map(({ kind }) => (kind === "biphasic" ? "two-phase" : "order")).join(", "),
      held: truth.transitions.map(({ kind }) => kind).join() === "biphasic,ordering,ordering,biphasic",
      how: "In the order of their first arrivals.",
      seeds: String(seed),
    },
  ];
}
