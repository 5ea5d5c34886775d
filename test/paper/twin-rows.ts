/** The rows of the paper's table that twins answer by their truth: minutes of work, so not of the suite. */
import { paperScenarios } from "../../src/physics/paper-scenarios.js";
import { phaseFieldTwin, type PhaseFieldTwin } from "../../src/physics/phase-field-twin.js";
import { truthOf, type Truth } from "../../src/physics/truth.js";

/** One row: what the paper saw, and what the twins give. */
export interface PaperRow {
  readonly observable: string;
  readonly paper: string;
  readonly ours: string;
}

/** Runs the twins of Figs 3, 4 and 5 with a seed of their own and tells the rows. About 40 CPU s. */
export async function paperTwinRows(seed: number): Promise<PaperRow[]> {
  const core = truthOf(await phaseFieldTwin(paperScenarios["fig3-delithiation"]!, seed));
  const wave = truthOf(await phaseFieldTwin(paperScenarios["fig3-lithiation"]!, seed));
  const rates = await phaseFieldTwin(paperScenarios["fig4-rates"]!, seed);
  const three = truthOf(await phaseFieldTwin(paperScenarios["fig5-three-domains"]!, seed));
  const one = truthOf(await phaseFieldTwin(paperScenarios["fig5-one-domain"]!, seed));
  const many = truthOf(rates);
  const of = (direction: string): Truth["transitions"][number][] =>
    many.transitions.filter((transition) => transition.direction === direction);
  const perRate = (direction: string, tell: (transition: number) => string): string =>
    of(direction)
      .map(({ id, rate_C }) => `${rate_C}C ${tell(id)}`)
      .join(", ");
  const kind = (id: number): string => many.mechanisms.find(({ transition }) => transition === id)!.kind;
  const peak = (id: number): string => {
    const most = many.kinetics.find(({ transition }) => transition === id)?.c_rate_max;
    return most === undefined || most === null ? "incomplete" : `${most.toFixed(1)}C`;
  };
  const nm = (um: number | null | undefined): string =>
    um === null || um === undefined ? "-" : (1000 * um).toFixed(1);
  const [c, w] = [core.kinetics[0]!, wave.kinetics[0]!];
  return [
    {
      observable: "Fig. 3a, c: mechanism; front median, mean, late",
      paper: "core; about 20, up to 37 nm/s",
      ours: `${core.mechanisms[0]!.kind}; ${nm(c.velocity_um_s)}, ${nm(c.velocity_mean_um_s)}, ${nm(c.velocity_late_um_s)} nm/s`,
    },
    { observable: "Fig. 3c: greatest C-rate", paper: "almost 10C", ours: `${c.c_rate_max!.toFixed(1)}C` },
    {
      observable: "Fig. 3b, d: mechanism; front median; C-rate",
      paper: "wave; about 20 nm/s; 2C to 4C",
      ours: `${wave.mechanisms[0]!.kind}; ${nm(w.velocity_um_s)} nm/s; ${w.c_rate_max!.toFixed(1)}C at most`,
    },
    {
      observable: "Fig. 4: charge at C/2 to 6C",
      paper: "hybrid, hybrid, core, core, core",
      ours: perRate("delithiation", kind),
    },
    { observable: "Fig. 4: discharge at C/2 to 6C", paper: "wave at all", ours: perRate("lithiation", kind) },
    {
      observable: "greatest single-particle C-rate on charge",
      paper: "10C at 2C, 25C at 6C",
      ours: perRate("delithiation", peak),
    },
    { observable: "the same on discharge", paper: "17C at 6C", ours: perRate("lithiation", peak) },
    {
      observable: "charge passed when half of the particle has turned (charge)",
      paper: "rises with the rate",
      ours: perRate("delithiation", (id) => `${passedAt(rates, many, id).toFixed(0)} mAh/g`),
    },
    {
      observable: "charge left when half of the particle has turned back (discharge)",
      paper: "falls with the rate",
      ours: perRate("lithiation", (id) => `${passedAt(rates, many, id).toFixed(0)} mAh/g`),
    },
    {
      observable: "Fig. 5: domains; velocity of ordering; walls",
      paper: "1 or 3; 70 nm/s; 120 degrees",
      ours: `${one.domains![0]!.count} and ${three.domains![0]!.count}; ${nm(one.kinetics[0]!.velocity_um_s)} nm/s; ${three.domains![0]!.wall_angles_deg.map((angle) => angle.toFixed(0)).join(", ")} degrees`,
    },
  ];
}

/** Charge in the cell, mAh/g above that at the beginning, when half of a particle has turned. */
function passedAt(made: PhaseFieldTwin, truth: Truth, transition: number): number {
  const { t50_s } = truth.kinetics.find((kinetics) => kinetics.transition === transition) ?? { t50_s: NaN };
  const { before_s, active_mass_mg } = made.scenario.cycling!;
  const { time_s, charge_mAh } = made.cycling!;
  const row = time_s.findIndex((at_s) => at_s >= t50_s + before_s);
  return row < 0 ? NaN : charge_mAh[row]! / (active_mass_mg / 1000);
}
