/** The crystal of Fig. 3 under a current of that figure's shape: how fast its front runs, and when. */
import { median } from "../../src/kernels/stats.js";
import { outlineOf } from "../../src/physics/outline.js";
import type { Series } from "../../src/physics/phase-field-drive.js";
import { hexagon } from "../phase-field-ladder.js";
import { kindOf, PER_C, rimMetrics, runCrystal, speedBetween, speeds, type RimMetrics } from "./particle.js";
import { seedsOf, seedText, type Group, type Row, type Tell } from "./row.js";

/** When the lag is over and the front speeds up. */
export const LAG_ENDS_s = 280;

/** Fig. 3c: 2C for 100 s, 0.3C for 180 s, and from 2C to 10C within two minutes; 10C till all has turned. */
export function fig3Current(x_per_C: number): Series {
  return [
    [0, 2 * x_per_C],
    [100, 2 * x_per_C],
    [100, 0.3 * x_per_C],
    [LAG_ENDS_s, 0.3 * x_per_C],
    [LAG_ENDS_s, 2 * x_per_C],
    [400, 10 * x_per_C],
  ];
}

/** An irregular hexagon of 9.6 x 6.8 um, its corners rounded, as large as the crystal of Fig. 3. */
export const fig3Outline = outlineOf({ kind: "polygon", points_um: hexagon(1), corner_um: 0.6 });

/** Rims of each row. */
const RIMS = 6;

/** The rows of Fig. 3c's current. */
export const currentRows: Group = {
  title: "The current of Fig. 3c",
  about:
    "A crystal of 9.6 x 6.8 um whose current is 2C for 100 s, 0.3C for 180 s, then 2C to 10C within two minutes; D_poor 1e-8, D_rich 5e-11 cm2/s, 1 A/m2; two nuclei. Velocities by frontVelocity on the arrival map (1 / slope, pixels clear of rim, nuclei and collisions), arrivals of the lag and before left out; by windows of the share that has turned; medians over rims.",
  run: async (seed, tell) => {
    const own = await currentRowsOf(PER_C, "1C = 0.566 Li/h (155 mAh/g)", seedsOf(seed, 50, RIMS), tell);
    const textbook = await currentRowsOf(0.5, "1C = 0.5 Li/h (137 mAh/g)", seedsOf(seed, 50, RIMS), tell);
    tell("a slower rise");
    return { rows: [...own, ...textbook.slice(1), await slowerRise(seedsOf(seed, 50, RIMS))], drawings: [] };
  },
};

/** What is measured of one rim. */
interface Front {
  readonly kind: string;
  readonly rim: RimMetrics;
  readonly after: { readonly median: number; readonly mean: number };
  /** Of 10-40, 40-80 and 80-95 %. */
  readonly windows: readonly number[];
}

async function frontOf(seed: number, x_per_h: Series): Promise<Front> {
  const crystal = { seed, outline_um: fig3Outline, edge: { seed, hotSpots: 2 } };
  const { map } = await runCrystal(crystal, { direction: "delithiation", x_per_h });
  const window = (from: number, to: number): number => speedBetween(map, from, to);
  return {
    kind: kindOf(map),
    rim: rimMetrics(map),
    after: speeds(map, LAG_ENDS_s),
    windows: [window(0.1, 0.4), window(0.4, 0.8), window(0.8, 0.95)],
  };
}

/** The same current without its jump to 2C: the front is as fast as it is fed. */
async function slowerRise(seeds: readonly number[]): Promise<Row> {
  const rise: Series = [...fig3Current(PER_C).slice(0, 4), [LAG_ENDS_s + 280, 10 * PER_C]];
  const fronts: Front[] = [];
  for (const seed of seeds) fronts.push(await frontOf(seed, rise));
  return {
    observable: "the same with a rise from 0.3C to 10C within 280 s",
    paper: "about 20 nm/s",
    ours: `median ${median(fronts.map(({ after }) => after.median)).toFixed(1)}, 80-95 % ${median(fronts.map(({ windows }) => windows[2]!)).toFixed(1)} nm/s`,
    held: null,
    how: "Not held: how the current rises decides the median. A front under a current is as fast as it is fed.",
    seeds: seedText(seeds),
  };
}

/** Mechanism, speed after the lag, and late speed, over rims. */
export async function currentRowsOf(
  x_per_C: number,
  unit: string,
  seeds: readonly number[],
  tell: Tell = () => {},
): Promise<Row[]> {
  const found: Front[] = [];
  for (const seed of seeds) {
    tell(`${unit}, rim ${seed}`);
    found.push(await frontOf(seed, fig3Current(x_per_C)));
  }
  const middle = (of: (one: Front) => number): number => median(found.map(of));
  const range = (of: (one: Front) => number): string => {
    const values = found.map(of);
    return `${Math.min(...values).toFixed(1)} to ${Math.max(...values).toFixed(1)}`;
  };
  const speed = middle(({ after }) => after.median);
  const late = middle(({ windows }) => windows[2]!);
  const cores = found.filter(({ kind }) => kind === "core").length;
  const all = { seeds: seedText(seeds) };
  return [
    {
      ...all,
      observable: "mechanism",
      paper: "core",
      ours: `core ${cores} of ${found.length}; E80 ${middle(({ rim }) => rim.E80).toFixed(2)}, CI ${middle(({ rim }) => rim.CI).toFixed(2)}`,
      held: cores === found.length,
      how: "classifyMechanism; held where all are.",
    },
    {
      ...all,
      observable: `front after the lag, ${unit}`,
      paper: "about 20 nm/s",
      ours: `median ${speed.toFixed(1)} (rims ${range(({ after }) => after.median)}), mean ${middle(({ after }) => after.mean).toFixed(1)} nm/s`,
      held: Math.abs(speed / 20 - 1) <= 0.2,
      how: "Median over pixels passed after 280 s; within 20 %. Another implementation, on a larger particle: 18.6 median, 23.9 mean.",
    },
    {
      ...all,
      observable: `front by windows, ${unit}`,
      paper: "faster to the end, up to 37 nm/s",
      ours: `10-40 %: ${middle(({ windows }) => windows[0]!).toFixed(1)}; 40-80 %: ${middle(({ windows }) => windows[1]!).toFixed(1)}; 80-95 %: ${late.toFixed(1)} nm/s (rims ${range(({ windows }) => windows[2]!)})`,
      held: late > 30,
      how: "Median over pixels passed in each; 80-95 % above 30 nm/s. Another implementation: 8.9, 18.5, 35.5.",
    },
  ];
}
