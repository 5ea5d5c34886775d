/** Planted diffusivities sought again from their fronts: how often the interval holds them. */
import { coverage, type KnownBy, type Planted } from "./planted-diffusivity.js";
import { seedsOf, seedText, type Group, type Row } from "./row.js";

/** Particles of each drive. */
const PARTICLES = 12;

/** The rows of coverage. */
export const coverageRows: Group = {
  title: "Planted diffusivities found again",
  about:
    "Crystals, rims, currents and D (1e-10 to 4e-9 cm²/s, even in its logarithm) are drawn; their fronts are simulated on finer cells (0.14 um, delta 0.2 um) than the search uses, and with other rims; D is sought from the front's median velocity alone. Each end is one-sided 95 %: the interval should hold 90 %, the lower end lie below 95 %. In brackets: the 95 % interval of the true share, by Wilson.",
  run: async (seed, tell) => {
    const rows: Row[] = [];
    for (const [at, knownBy] of (["current", "front", "potential"] as const).entries()) {
      const planted: Planted[] = [];
      for (const one of seedsOf(seed, 90 + at, PARTICLES)) {
        tell(`${knownBy}, ${one}`);
        planted.push(...(await coverage([one], knownBy)).planted);
      }
      rows.push(coverageRow(knownBy, planted));
    }
    return { rows, drawings: [] };
  },
};

const DRIVES: Readonly<Record<KnownBy, string>> = {
  current: "the true current",
  front: "the front's own rate",
  potential: "the particle's potential",
};

/** The row of one way to know the drive. */
export function coverageRow(knownBy: KnownBy, planted: readonly Planted[]): Row {
  const n = planted.length;
  const lower = planted.filter(({ D_cm2_s, bound }) => D_cm2_s >= (bound.atLeast_cm2_s ?? 0)).length;
  const inside = planted.filter(
    ({ D_cm2_s, bound }) => D_cm2_s >= (bound.atLeast_cm2_s ?? 0) && D_cm2_s <= (bound.atMost_cm2_s ?? Infinity),
  ).length;
  const found = planted.flatMap(({ D_cm2_s, bound }) => (bound.D_cm2_s === null ? [] : [bound.D_cm2_s / D_cm2_s]));
  const near = found.filter((ratio) => ratio > 1 / 3 && ratio < 3).length;
  return {
    observable: `planted D, drive known by ${DRIVES[knownBy]}`,
    paper: "90 % inside; 95 % above the lower end",
    ours: `inside ${shareText(inside, n)}; above the lower end ${shareText(lower, n)}; found within a factor of 3: ${near} of ${found.length}`,
    held: wilson(inside, n)[1] >= 0.9 && wilson(lower, n)[1] >= 0.95,
    how: "Held where neither count is too small for its share. An open end holds everything.",
    seeds: seedText(planted.map(({ seed }) => seed)),
  };
}

function shareText(count: number, n: number): string {
  const [low, high] = wilson(count, n);
  return `${count} of ${n} (${Math.round(100 * low)} to ${Math.round(100 * high)} %)`;
}

/** Wilson's interval of a share, 95 %. */
export function wilson(count: number, n: number): readonly [number, number] {
  const z2 = 1.96 ** 2;
  const middle = (count + z2 / 2) / (n + z2);
  const half = (Math.sqrt(z2) / (n + z2)) * Math.sqrt((count * (n - count)) / n + z2 / 4);
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}
