/** The bound on the diffusivity from a front's speed, and the pictures of fronts with one diffusivity for all lithium. */
import { boundDiffusivity } from "../../src/inference/diffusivity.js";
import type { FrontDrive } from "../../src/inference/simulated-front.js";
import { quasiSteadyDiffusivity, stefanDiffusivity } from "../../src/inference/stefan.js";
import { median } from "../../src/kernels/stats.js";
import { lineColours } from "../../src/figures/colormap.js";
import type { DiffusivityBound } from "../../src/model/experiment.js";
import { lco } from "../../src/physics/materials/lco.js";
import { withTransport } from "../../src/physics/materials/library.js";
import { fig3Current, fig3Outline, LAG_ENDS_s } from "./current-rows.js";
import { kindOf, PER_C, runCrystal, speeds } from "./particle.js";
import { linePlot, LITHIUM, mapTable, type Series } from "./pictures.js";
import { seedOf, seedsOf, seedText, type Drawing, type Group, type Row, type Tell } from "./row.js";

/** What the paper saw, um/s; known to 2 %. */
const SEEN = { value: 0.02, sd: 0.0004 };
const PAPER_CM2_S = 1e-9;
/** Sets of rims under the current, each a bound of its own; under a potential rims matter little. */
const SETS = 5;
const HELD_SETS = 2;
/** Potentials of the rim: 0.03 and 0.08 V above the plateau. */
const HELD_V = [3.95, 4] as const;

/** The rows of the bound. */
export const diffusivityRows: Group = {
  title: "The least diffusivity for a front of 20 nm/s",
  about:
    "As Supplementary Figs 8 to 11: delithiation with one diffusivity for all lithium contents, over a range of them; the bound is where the simulated front comes within 1.645 standard errors of the measured one (boundDiffusivity). The crystal and current are those of Fig. 3c; under a potential the rim is held 0.03 or 0.08 V above the plateau (x = 0.70 or 0.62), with a reaction that takes next to nothing.",
  run: async (seed, tell) => {
    const seeds = seedsOf(seed, 80, SETS);
    const current: DiffusivityBound[] = [];
    for (const one of seeds) {
      tell(`current, rims from ${one}`);
      current.push(await boundOf(one, { kind: "current", x_per_h: fig3Current(PER_C), error: 0.05 }));
    }
    const held: DiffusivityBound[][] = [];
    for (const E_V of HELD_V) {
      const bounds: DiffusivityBound[] = [];
      for (const one of seeds.slice(0, HELD_SETS)) {
        tell(`${E_V} V, rims from ${one}`);
        bounds.push(await boundOf(one, { kind: "potential", E_V: [[0, E_V]] }));
      }
      held.push(bounds);
    }
    const pictures = await fronts(seedOf(seed, 81), tell);
    return {
      rows: [
        boundRow("current of Fig. 3c", current, seeds),
        ...HELD_V.map((E_V, at) => boundRow(`rim held at ${E_V.toFixed(2)} V`, held[at]!, seeds.slice(0, HELD_SETS))),
        ...stefanRows(),
        ...pictures.rows,
      ],
      drawings: [...pictures.drawings, speedsByD(current, held, seeds)],
    };
  },
};

/** A bound with three rims drawn by seed, the third with four nuclei. */
export async function boundOf(seed: number, drive: FrontDrive, perDecade = 2): Promise<DiffusivityBound> {
  const since = drive.kind === "current" ? { since_s: LAG_ENDS_s } : {};
  return boundDiffusivity({ outline_um: fig3Outline, velocity_um_s: SEEN, ...since }, drive, {
    perDecade,
    rims: [{ seed, hotSpots: 2 }, { seed: seed + 1000 }, { seed: seed + 2000, hotSpots: 4 }],
  });
}

/** A row of bounds; judged by their median, since a front under a current saturates near the measured speed. */
export function boundRow(drive: string, bounds: readonly DiffusivityBound[], seeds: readonly number[]): Row {
  const text = (of: (bound: DiffusivityBound) => number | null): string =>
    bounds.map((bound) => cm2(of(bound))).join(", ");
  const found = bounds.map(({ D_cm2_s }) => D_cm2_s ?? Infinity);
  const middle = median(found);
  return {
    observable: `D at which a front runs 20 nm/s, ${drive}`,
    paper: "at least 1e-9 cm²/s",
    ours: `median ${cm2(middle)} of ${text(({ D_cm2_s }) => D_cm2_s)}; lower ends ${text(({ atLeast_cm2_s }) => atLeast_cm2_s)} cm²/s`,
    held: near(middle),
    how: `The median within a factor of 3 of 1e-9 (${found.filter(near).length} of ${found.length} are). The speed goes with D to the power ${bounds.map(({ exponent }) => exponent?.toFixed(2) ?? "-").join(", ")}.${drive.startsWith("rim") ? " No loss between cell and rim, and a core that closes is faster than a flat front: the lowest that D may be." : ""}`,
    seeds: seedText(seeds),
  };
}

function near(D_cm2_s: number): boolean {
  return D_cm2_s > PAPER_CM2_S / 3 && D_cm2_s < 3 * PAPER_CM2_S;
}

function cm2(D_cm2_s: number | null): string {
  return D_cm2_s === null ? "none" : D_cm2_s.toExponential(1);
}

/** Stefan's front from the speed alone, for rims held at several lithium contents. */
export function stefanRows(): Row[] {
  const held = [0.5, 0.6, 0.65, 0.7];
  const known = [3.7e-10, 5.6e-10, 7.9e-10, 1.5e-9];
  const of = (surface_x: number) => ({ velocity_um_s: 0.02, radius_um: 3.4, surface_x, poor_x: 0.75, rich_x: 0.95 });
  const exact = held.map((surface_x) => stefanDiffusivity(of(surface_x)));
  const slow = held.map((surface_x) => quasiSteadyDiffusivity(of(surface_x)));
  return [
    {
      observable: "the same from Stefan's flat front, rim held at x = 0.50, 0.60, 0.65, 0.70",
      paper: "at least 1e-9 cm²/s",
      ours: `${exact.map(cm2).join(", ")}; by the rule for slow fronts ${slow.map(cm2).join(", ")} cm²/s`,
      held: exact.every(near) && exact.every((D, at) => Math.abs(D / known[at]! - 1) < 0.04),
      how: `20 nm/s over 3.4 um. Every one within a factor of 3 of 1e-9 and within 4 % of ${known.map(cm2).join(", ")}, worked out apart.`,
      seeds: "none",
    },
  ];
}

/** Delithiation with one D, as in Supplementary Figs 8 to 10. */
async function fronts(seed: number, tell: Tell): Promise<{ rows: Row[]; drawings: Drawing[] }> {
  const shown = [0.1, 0.3, 0.5, 0.7, 0.9];
  const crystal = { seed, outline_um: fig3Outline, edge: { seed, hotSpots: 2 } };
  const rows = [];
  const found: { readonly D: number; readonly kind: string; readonly speed: number }[] = [];
  for (const D of [1e-10, 1e-9, 1e-8]) {
    tell(`fronts with ${cm2(D)} cm2/s`);
    const { grid, states, map } = await runCrystal(crystal, {
      direction: "delithiation",
      x_per_h: fig3Current(PER_C),
      material: withTransport(lco, { D_um2_s: 1e8 * D }, "tried"),
      xStop: 0.58,
      shown,
    });
    const speed = speeds(map, LAG_ENDS_s).median;
    found.push({ D, kind: kindOf(map), speed });
    rows.push({
      label: `D = ${powerText(D)} cm²/s: ${speed.toFixed(1)} nm/s`,
      maps: states.map(({ x, t_s }, at) => ({
        map: { ...grid, data: x, outline_um: fig3Outline },
        label: `${Math.round(100 * shown[at]!)} %, ${(t_s / 60).toFixed(1)} min`,
      })),
    });
  }
  return {
    rows: [
      {
        observable: "fronts with one D for all lithium, current of Fig. 3c",
        paper: "the faster the greater D",
        ours: found.map(({ D, kind, speed }) => `${cm2(D)}: ${kind}, ${speed.toFixed(1)} nm/s`).join("; "),
        held: found.every(({ speed }, at) => at === 0 || speed > found[at - 1]!.speed),
        how: "frontVelocity after the lag; kinds by classifyMechanism are told, not held.",
        seeds: String(seed),
      },
    ],
    drawings: [
      {
        name: "constant-diffusivity",
        figure: mapTable({
          title: "Delithiation with one diffusivity for all lithium contents",
          subtitle: "Lithium when 10 to 90 % of the particle have turned; the current is that of Fig. 3c",
          rows,
          ...LITHIUM,
          width: 140,
        }),
        caption: `Delithiation with three diffusivities, as in Supplementary Figs 8 to 10; speeds are medians after the lag; seed ${seed}.`,
      },
    ],
  };
}

function powerText(D: number): string {
  const digits = "⁰¹²³⁴⁵⁶⁷⁸⁹";
  return `10⁻${[...String(-Math.log10(D))].map((digit) => digits[Number(digit)]).join("")}`;
}

/** Supplementary Fig. 11: speed against D. */
function speedsByD(
  current: readonly DiffusivityBound[],
  held: readonly (readonly DiffusivityBound[])[],
  seeds: readonly number[],
): Drawing {
  const series = (name: string, { tried }: DiffusivityBound): Series => ({
    name,
    points: tried
      .filter(({ velocity_um_s }) => velocity_um_s !== null)
      .map(({ D_cm2_s, velocity_um_s }) => [D_cm2_s, 1000 * velocity_um_s!]),
  });
  return {
    name: "velocity-against-diffusivity",
    figure: linePlot({
      title: "Front velocity against diffusivity",
      subtitle: "Median over pixels, after the lag; one diffusivity for all lithium contents; a line for each rim",
      x: {
        title: "D / (cm²/s)",
        log: true,
        domain: [9e-12, 1.1e-8],
        values: [1e-11, 1e-10, 1e-9, 1e-8],
        format: ".0e",
      },
      y: {
        title: "front velocity / (nm/s)",
        log: true,
        domain: [0.2, 500],
        values: [0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500],
        format: "~r",
      },
      series: [
        ...current.map((bound) => series("current of Fig. 3c", bound)),
        ...held.flatMap((bounds, at) =>
          bounds.map((bound) => series(`rim held at ${HELD_V[at]!.toFixed(2)} V`, bound)),
        ),
      ],
      colours: lineColours,
      rules: [
        { axis: "y", at: 20, text: "measured: 20 nm/s" },
        { axis: "x", at: 1e-9, text: "paper: 10⁻⁹ cm²/s" },
      ],
    }),
    caption: `Velocity of simulated fronts against D, as in Supplementary Fig. 11; rims from seeds ${seedText(seeds)}.`,
  };
}
