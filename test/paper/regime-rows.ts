/** What limits a transition: Biot and Damkoehler numbers, and the rates at which simulated fronts change their way. */
import { median } from "../../src/kernels/stats.js";
import { assessRegime, biotNumber, damkohlerNumber, particleSize } from "../../src/inference/regime.js";
import { lco } from "../../src/physics/materials/lco.js";
import { withTransport, type Transport } from "../../src/physics/materials/library.js";
import { drawCrystal, kindOf, PER_C, rimMetrics, runCrystal, type Crystal } from "./particle.js";
import { rateText } from "./single-particle-rows.js";
import { seedsOf, seedText, type Group, type Row, type Tell } from "./row.js";

/** Crystals of the sweeps. */
const CRYSTALS = 3;
/** Rates about the one at which a way is expected to change, by D in cm2/s. */
const DELITHIATION = [
  { D: 1e-9, rates_C: [1, 2, 4, 8] },
  { D: 2e-10, rates_C: [0.5, 1, 2, 4] },
  { D: 5e-11, rates_C: [0.25, 0.5, 1, 2] },
] as const;
const LITHIATION = [
  { D: 1e-8, rates_C: [2, 4, 8, 16] },
  { D: 3e-9, rates_C: [1, 2, 4, 8] },
  { D: 1e-9, rates_C: [0.5, 1, 2, 4] },
] as const;

/** The rows of the regime numbers. */
export const regimeRows: Group = {
  title: "What limits a transition",
  about:
    "Bi = k0 (dmu/dx) R / D_poor: below 1 the reaction limits the poor phase. Da = J R / (D dx): the mean flux at the rim over what diffusion passes across the inradius with the lithium up to the spinodal, 0.0423. Sweeps over rates of the particle's own and D, one nucleus a rim, medians over crystals; D_poor 1e-8, D_rich 5e-11 cm²/s where not swept.",
  run: async (seed, tell) => {
    const delithiation = await delithiationSweep(seedsOf(seed, 100, CRYSTALS), tell);
    const lithiation = await lithiationSweep(seedsOf(seed, 101, CRYSTALS), tell);
    return { rows: [...numberRows(), ...delithiation, ...lithiation], drawings: [] };
  },
};

/** The numbers of a particle of 3 um, from the formulas alone. */
export function numberRows(): Row[] {
  const biot = biotNumber(lco, 3);
  return [
    {
      observable: "Biot number of a particle with an inradius of 3 um",
      paper: "0.015 (1 A/m², D_poor 1e-8 cm²/s)",
      ours: biot.toPrecision(3),
      held: Math.abs(biot / 0.015 - 1) < 0.03,
      how: "Within 3 %. The poor phase is limited by its reaction.",
      seeds: "none",
    },
  ];
}

function flux(crystal: Crystal, rate_C: number, D_cm2_s: number): number {
  const size = particleSize(crystal.outline_um);
  return damkohlerNumber({ x_per_h: rate_C * PER_C, size, D_cm2_s, material: lco });
}

/** The rate at which the rim has turned by 3/4 when half of the area has, by D of the rich phase. */
async function delithiationSweep(seeds: readonly number[], tell: Tell): Promise<Row[]> {
  const crystals = seeds.map((one) => drawCrystal(one, 1));
  const found: { readonly D: number; readonly rate_C: number | null; readonly da: number | null }[] = [];
  for (const { D, rates_C } of DELITHIATION) {
    tell(`delithiation, D_rich ${D} cm2/s`);
    const E50: number[] = [];
    for (const rate_C of rates_C) {
      const rims = [];
      for (const crystal of crystals) {
        rims.push((await swept(crystal, "delithiation", rate_C, { rich_um2_s: 1e8 * D })).E50);
      }
      E50.push(median(rims));
    }
    const rate_C = crossing(rates_C, E50, 0.75);
    const da = rate_C === null ? null : median(crystals.map((crystal) => flux(crystal, rate_C, D)));
    found.push({ D, rate_C, da });
  }
  const text = found.map(({ D, rate_C, da }) =>
    rate_C === null || da === null
      ? `${D}: none`
      : `D_rich ${D}: ${rate_C.toPrecision(2)}C, Da_rich ${da.toPrecision(2)}`,
  );
  return [
    {
      observable: "delithiation leaves the wave: E50 passes 0.75",
      paper: "Da_rich 1 to 4, the more the slower the rich phase (another implementation, one crystal)",
      ours: text.join("; "),
      held: found.every(({ da }) => da !== null && da > 0.5 && da < 8),
      how: `D in cm²/s; rates in steps of two, straight between in the logarithm of the rate; within a factor of 2 of 1 to 4.`,
      seeds: seedText(seeds),
    },
  ];
}

async function swept(
  crystal: Crystal,
  direction: "delithiation" | "lithiation",
  rate_C: number,
  transport: Transport,
): Promise<{ readonly E50: number; readonly E80: number; readonly kind: string }> {
  const { map } = await runCrystal(crystal, {
    direction,
    x_per_h: [[0, rate_C * PER_C]],
    material: withTransport(lco, transport, "swept"),
  });
  return { ...rimMetrics(map), kind: kindOf(map) };
}

/** Where a curve over rates first passes a value upwards; null where it does not. */
function crossing(rates: readonly number[], values: readonly number[], level: number): number | null {
  const after = values.findIndex((value) => value >= level);
  if (after <= 0) return null;
  const share = (level - values[after - 1]!) / (values[after]! - values[after - 1]!);
  return rates[after - 1]! * (rates[after]! / rates[after - 1]!) ** share;
}

/** Waves on lithiation by D of the poor phase: their end in Da, and what a wave at 4C says of D. */
async function lithiationSweep(seeds: readonly number[], tell: Tell): Promise<Row[]> {
  const crystals = seeds.map((one) => drawCrystal(one, 1));
  const ends: { readonly D: number; readonly last: number; readonly first: number | null }[] = [];
  const at4C: { readonly D: number; readonly waves: number }[] = [];
  for (const { D, rates_C } of LITHIATION) {
    let last = 0;
    let first: number | null = null;
    for (const rate_C of rates_C) {
      tell(`lithiation, D_poor ${D} cm2/s, ${rateText(rate_C)}`);
      let waves = 0;
      for (const crystal of crystals) {
        const { kind } = await swept(crystal, "lithiation", rate_C, { poor_um2_s: 1e8 * D });
        if (kind === "wave") waves++;
      }
      if (rate_C === 4) at4C.push({ D, waves });
      const da = median(crystals.map((crystal) => flux(crystal, rate_C, D)));
      if (2 * waves > crystals.length) last = da;
      else first ??= da;
    }
    ends.push({ D, last, first });
  }
  const least = Math.min(...at4C.filter(({ waves }) => 2 * waves > crystals.length).map(({ D }) => D));
  const implied = median(
    crystals.map(
      ({ outline_um }) =>
        assessRegime({
          direction: "lithiation",
          size: particleSize(outline_um),
          x_per_h: 4 * PER_C,
          material: lco,
          mechanism: "wave",
        }).implied!.atLeast_cm2_s!,
    ),
  );
  return [
    {
      observable: "lithiation leaves the wave",
      paper: "Da_poor 0.08 to 0.16 (another implementation, one crystal)",
      ours: ends
        .map(
          ({ D, last, first }) =>
            `D_poor ${D}: waves to ${last.toPrecision(2)}, none from ${first === null ? "beyond" : first.toPrecision(2)}`,
        )
        .join("; "),
      held: ends.every(({ last, first }) => last < 0.32 && first !== null && first > 0.04),
      how: "Da_poor at the last rate at which most crystals show a wave (classifyMechanism), and at the first at which they do not; rates in steps of two; within a factor of 2.",
      seeds: seedText(seeds),
    },
    {
      observable: "least D_poor for waves at 4C, beside that for fronts of 20 nm/s",
      paper: "lithiation bounds D_poor more sharply",
      ours: `${at4C.map(({ D, waves }) => `${D}: wave ${waves} of ${crystals.length}`).join("; ")}; from Da_poor: at least ${implied.toExponential(1)} cm²/s, delithiation at least 1e-9`,
      held: least > 1e-9 && implied > 1e-9,
      how: "Lithiation at the particle's 4C with D_poor in cm²/s; held where 1e-9, enough for the speed of the paper's delithiation, shows no waves.",
      seeds: seedText(seeds),
    },
  ];
}
