/** The twins of Figs 3 and 4: single particles of an electrode, what their fronts do and what light they give. */
import { containsPoint } from "../../src/kernels/polygon.js";
import { linearFit, median } from "../../src/kernels/stats.js";
import { paperScenarios } from "../../src/physics/paper-scenarios.js";
import { phaseFieldTwin, type PhaseFieldTwin } from "../../src/physics/phase-field-twin.js";
import { mapAt } from "../../src/physics/phase-field-twin-film.js";
import type { Scenario } from "../../src/physics/scenario.js";
import { truthOf, type Truth } from "../../src/physics/truth.js";
import { mapTable } from "./pictures.js";
import { seedOf, seedsOf, seedText, type Drawing, type Group, type Row } from "./row.js";
import { countText, rateText } from "./single-particle-rows.js";

/** Electrodes of the rows by rate. */
const ELECTRODES = 8;

/** The rows of the twins. */
export const twinRows: Group = {
  title: "Twins of Figs 3 and 4",
  about:
    "Scenarios fig3-delithiation, fig3-lithiation and fig4-rates, their answers by the definitions that a measurement is held to (velocity: median over clear pixels; single-particle C-rate: greatest share turned within 20 s). In fig4-rates a particle follows the potential of an electrode of several particles; rates are the electrode's. 1C is 155 mAh/g.",
  run: async (seed, tell) => {
    tell("Fig. 3");
    const rows = await figure3Rows(seedsOf(seed, 70, 3));
    const found: Rates[] = [];
    for (const one of seedsOf(seed, 71, ELECTRODES)) {
      tell(`Fig. 4, electrode ${one}`);
      found.push(await ratesOf(one));
    }
    const seeds = seedText(seedsOf(seed, 71, ELECTRODES));
    tell("light");
    const charges = found.map((one) => peaksOf(one));
    return {
      rows: [
        ...rows,
        ...kindRows(found, seeds),
        ...rateRows(found, seeds),
        ...peakRows(charges, seeds),
        ...lightRows(found[0]!, seedOf(seed, 71)),
      ],
      drawings: [arrivals(found[0]!, seedOf(seed, 71))],
    };
  },
};

/** Figs 3a to 3d over a few rims. */
export async function figure3Rows(seeds: readonly number[]): Promise<Row[]> {
  const told = { seeds: seedText(seeds) };
  const answers = async (name: string): Promise<Truth[]> => {
    const truths: Truth[] = [];
    for (const seed of seeds) truths.push(truthOf(await phaseFieldTwin(paperScenarios[name]!, seed)));
    return truths;
  };
  const cores = await answers("fig3-delithiation");
  const waves = await answers("fig3-lithiation");
  const each = (truths: readonly Truth[], of: (truth: Truth) => number): string =>
    truths.map((truth) => of(truth).toFixed(1)).join(", ");
  const all = (truths: readonly Truth[], kind: string): boolean =>
    truths.every(({ mechanisms }) => mechanisms[0]!.kind === kind);
  const speed = ({ kinetics }: Truth): number => 1000 * kinetics[0]!.velocity_um_s!;
  const late = ({ kinetics }: Truth): number => 1000 * (kinetics[0]!.velocity_late_um_s ?? NaN);
  const rate = ({ kinetics }: Truth): number => kinetics[0]!.c_rate_max!;
  const near20 = (truths: readonly Truth[]): boolean => truths.every((truth) => Math.abs(speed(truth) / 20 - 1) <= 0.2);
  const within20 = "Every rim within 20 %.";
  return [
    {
      ...told,
      observable: "Fig. 3a: mechanism of the charge",
      paper: "core",
      ours: cores.map(({ mechanisms }) => mechanisms[0]!.kind).join(", "),
      held: all(cores, "core"),
      how: "Held where all rims are.",
    },
    {
      ...told,
      observable: "Fig. 3c: front of the charge, median",
      paper: "about 20 nm/s",
      ours: `${each(cores, speed)} nm/s`,
      held: near20(cores),
      how: within20,
    },
    {
      ...told,
      observable: "Fig. 3c: the same over the last tenth of its time",
      paper: "up to 37 nm/s",
      ours: `${each(cores, late)} nm/s`,
      held: cores.every((truth) => late(truth) > 30 && late(truth) < 50),
      how: "Every rim from 30 to 50 nm/s.",
    },
    {
      ...told,
      observable: "Fig. 3c: greatest single-particle C-rate",
      paper: "almost 10C",
      ours: `${each(cores, rate)} C`,
      held: cores.every((truth) => rate(truth) > 7.5 && rate(truth) < 12.5),
      how: "Every rim from 7.5C to 12.5C.",
    },
    {
      ...told,
      observable: "Fig. 3b: mechanism of the discharge",
      paper: "wave",
      ours: waves.map(({ mechanisms }) => mechanisms[0]!.kind).join(", "),
      held: all(waves, "wave"),
      how: "Held where all rims are.",
    },
    {
      ...told,
      observable: "Fig. 3d: front of the discharge, median; greatest C-rate",
      paper: "about 20 nm/s; 2C to 4C",
      ours: `${each(waves, speed)} nm/s; ${each(waves, rate)} C`,
      held: near20(waves) && waves.every((truth) => rate(truth) > 3 && rate(truth) < 5),
      how: `${within20} Greatest C-rate from 3C to 5C.`,
    },
  ];
}

/** A twin of Fig. 4 and its answers. */
interface Rates {
  readonly made: PhaseFieldTwin;
  readonly truth: Truth;
}

/** The rates of Fig. 4 without drift, lamp and defocus, so that a particle's light is that of its lithium. */
async function ratesOf(seed: number): Promise<Rates> {
  const made = await phaseFieldTwin(still(paperScenarios["fig4-rates"]!), seed);
  return { made, truth: truthOf(made) };
}

/** A scenario whose stage, lamp and focus stand still. */
export function still(scenario: Scenario): Scenario {
  const phaseField = scenario.phaseField!;
  const { focus } = phaseField.microscope;
  return {
    ...scenario,
    drift: { ...scenario.drift, linear_um: [0, 0], walk_um: 0, wobble_um: 0 },
    lamp: { flicker: 0, fading: 0 },
    phaseField: {
      ...phaseField,
      microscope: {
        ...phaseField.microscope,
        focus: { ...focus, start_um: 0, linear_um: 0, walk_um: 0, breathing_um: 0 },
      },
    },
  };
}

type Direction = "delithiation" | "lithiation";

function ways({ truth }: Rates, direction: Direction): Truth["transitions"] {
  return truth.transitions.filter((one) => one.kind === "biphasic" && one.direction === direction);
}

/** The half cycles of a direction by rate: of each electrode its way at that rate, null where it has none. */
function byRate(found: readonly Rates[], direction: Direction): { rate_C: number; ids: (number | null)[] }[] {
  const rates = [...new Set(found.flatMap((one) => ways(one, direction).map(({ rate_C }) => rate_C!)))];
  return rates
    .sort((a, b) => a - b)
    .map((rate_C) => ({
      rate_C,
      ids: found.map((one) => ways(one, direction).find((way) => way.rate_C === rate_C)?.id ?? null),
    }));
}

/** The paper's kinds on charge; on discharge all are waves. */
const CHARGE: Readonly<Record<number, string>> = { 0.5: "hybrid", 1: "hybrid", 2: "core", 4: "core", 6: "core" };

function kindRows(found: readonly Rates[], seeds: string): Row[] {
  return (["delithiation", "lithiation"] as const).flatMap((direction) =>
    byRate(found, direction).map(({ rate_C, ids }): Row => {
      const kinds = ids.map((id, at) =>
        id === null ? "none" : found[at]!.truth.mechanisms.find(({ transition }) => transition === id)!.kind,
      );
      const wanted = direction === "delithiation" ? CHARGE[rate_C]! : "wave";
      return {
        observable: `Fig. 4: ${direction === "delithiation" ? "charge" : "discharge"} of the cell at ${rateText(rate_C)}`,
        paper: wanted,
        ours: countText(kinds),
        held: kinds.every((kind) => kind === wanted),
        how: "Held where the particle of every electrode does so.",
        seeds,
      };
    }),
  );
}

function rateRows(found: readonly Rates[], seeds: string): Row[] {
  const rates = (direction: Direction): { rate_C: number; most: number[] }[] =>
    byRate(found, direction).map(({ rate_C, ids }) => ({
      rate_C,
      most: ids.map((id, at) => {
        const known = found[at]!.truth.kinetics.find(({ transition }) => transition === id);
        return known?.c_rate_max ?? NaN;
      }),
    }));
  const text = (all: readonly { rate_C: number; most: number[] }[]): string =>
    all
      .map(({ rate_C, most }) => {
        const complete = most.filter((rate) => !Number.isNaN(rate));
        const incomplete = most.length - complete.length;
        const range = `${Math.min(...complete).toFixed(1)} to ${Math.max(...complete).toFixed(1)}`;
        return `${rateText(rate_C)}: ${median(complete).toFixed(1)}C (${range}${incomplete > 0 ? `, ${incomplete} incomplete` : ""})`;
      })
      .join("; ");
  const at = (all: readonly { rate_C: number; most: number[] }[], rate_C: number): number =>
    median(all.find((one) => one.rate_C === rate_C)!.most);
  const [charge, discharge] = [rates("delithiation"), rates("lithiation")];
  const near = (value: number, wanted: number): boolean => value > 0.7 * wanted && value < 1.4 * wanted;
  return [
    {
      observable: "greatest single-particle C-rate on charge",
      paper: "10C at 2C, 25C at 6C",
      ours: text(charge),
      held: at(charge, 2) >= 10 && near(at(charge, 6), 25),
      how: "Median over electrodes (range) at least 10C at 2C, and 0.7 to 1.4 times 25C at 6C. All depends on how many particles of the electrode turn at once.",
      seeds,
    },
    {
      observable: "the same on discharge",
      paper: "17C at 6C",
      ours: text(discharge),
      held: near(at(discharge, 6), 17),
      how: "Median over electrodes (range) 0.7 to 1.4 times 17C at 6C. All depends on how many particles of the electrode turn at once.",
      seeds,
    },
  ];
}

/** Where a half cycle's two-phase peak lies, and where half of the particle had turned, mAh/g of charge in the cell. */
interface Peak {
  readonly rate_C: number;
  readonly direction: Direction;
  readonly peak_mAh_g: number;
  readonly half_mAh_g: number;
}

/** So many moments of a half cycle are looked at. */
const MOMENTS = 120;

/** The light that the boundary adds to the particle's mean, against charge: the centre of its peak in each half cycle. */
function peaksOf({ made, truth }: Rates): Peak[] {
  const { active_mass_mg, before_s } = made.scenario.cycling!;
  const { time_s, charge_mAh } = made.cycling!;
  const charge = (at_s: number): number => {
    const row = time_s.findIndex((t_s) => t_s >= at_s + before_s);
    return charge_mAh[row < 0 ? charge_mAh.length - 1 : row]! / (active_mass_mg / 1000);
  };
  const light = meanLight(made);
  return truth.transitions
    .filter(({ kind }) => kind === "biphasic")
    .map(({ id, rate_C, direction, start_s, end_s }) => {
      const around_s = 0.1 * (end_s - start_s);
      const moments = Array.from({ length: MOMENTS }, (_, moment) => {
        const at_s = start_s - around_s + ((end_s - start_s + 2 * around_s) * moment) / (MOMENTS - 1);
        const { mean, ofPhases } = light(at_s);
        return { charge: charge(at_s), added: mean - ofPhases };
      });
      // Before and after its front a particle has no boundary.
      const [before, after] = [moments[0]!.added, moments.at(-1)!.added];
      let sum = 0;
      let weighted = 0;
      for (const [at, moment] of moments.entries()) {
        const added = Math.max(0, moment.added - before - ((after - before) * at) / (MOMENTS - 1));
        sum += added;
        weighted += added * moment.charge;
      }
      const half_s = truth.kinetics.find(({ transition }) => transition === id)?.t50_s ?? NaN;
      return { rate_C: rate_C!, direction, peak_mAh_g: weighted / sum, half_mAh_g: charge(half_s) };
    });
}

/** A particle's mean light at a moment, relative to that of its first frame, and what its lithium alone would give. */
function meanLight(made: PhaseFieldTwin): (at_s: number) => { mean: number; ofPhases: number; x: number } {
  const outline = truthOf(made).particles[0]!.outline_px;
  const inside: number[] = [];
  for (let y = 0; y < made.height; y++) {
    for (let x = 0; x < made.width; x++) if (containsPoint(outline, x, y)) inside.push(y * made.width + x);
  }
  const image = new Float64Array(made.width * made.height);
  const meanOf = (frame: number): number => {
    made.light(frame, image);
    return inside.reduce((sum, at) => sum + image[at]!, 0) / inside.length;
  };
  const { raster, x: film } = made.lithium.particles[0]!;
  const { x: places, values } = made.lithium.material.optics!.intensity;
  const law = (x: number): number => {
    const after = Math.max(
      1,
      places.findIndex((place) => place >= x),
    );
    const share = Math.min(1, Math.max(0, (x - places[after - 1]!) / (places[after]! - places[after - 1]!)));
    return values[after - 1]! + share * (values[after]! - values[after - 1]!);
  };
  const cells = [...raster.mask.keys()].filter((at) => raster.mask[at] === 1);
  const map = new Float64Array(raster.mask.length);
  const first = meanOf(0);
  const frames = made.acquisition.time_s;
  return (at_s) => {
    const after = frames.findIndex((t_s) => t_s >= at_s);
    const frame = after < 0 ? frames.length - 1 : after;
    mapAt(film, frames[frame]!, map);
    return {
      mean: meanOf(frame) / first,
      ofPhases: cells.reduce((sum, at) => sum + law(map[at]!), 0) / cells.length,
      x: cells.reduce((sum, at) => sum + map[at]!, 0) / cells.length,
    };
  };
}

function peakRows(found: readonly (readonly Peak[])[], seeds: string): Row[] {
  return (["delithiation", "lithiation"] as const).map((direction): Row => {
    const of = (peaks: readonly Peak[]): Peak[] => peaks.filter((one) => one.direction === direction);
    const sign = direction === "delithiation" ? 1 : -1;
    const moves = (peaks: readonly Peak[]): boolean =>
      peaks.every((one, at) => at === 0 || sign * (one.peak_mAh_g - peaks[at - 1]!.peak_mAh_g) > 0);
    const shown = of(found[0]!);
    return {
      observable: `peak of i(Q) in the two-phase step, ${direction === "delithiation" ? "charge" : "discharge"}, C/2 to 6C`,
      paper: direction === "delithiation" ? "to higher Q with the rate" : "to lower Q with the rate",
      ours: `${shown.map(({ rate_C, peak_mAh_g, half_mAh_g }) => `${rateText(rate_C)} ${peak_mAh_g.toFixed(1)} (half turned ${half_mAh_g.toFixed(1)})`).join("; ")} mAh/g; ${found.filter((peaks) => moves(of(peaks))).length} of ${found.length} electrodes move so at every step of the rate`,
      held: 2 * found.filter((peaks) => moves(of(peaks))).length > found.length,
      how: "Held where most electrodes move so. Centre, over charge in the cell above that at the beginning, of the light that the boundary adds to the particle's mean: its rendered light less what its lithium alone would give, from before the front's first arrival to after its last. Numbers of the first electrode.",
      seeds,
    };
  });
}

/** How much the particle brightens through a charge, and how straight in its solid solution. */
function lightRows({ made, truth }: Rates, seed: number): Row[] {
  const half = made.lithium.electrode!.halfCycles.find(({ kind, rate_C }) => kind === "charge" && rate_C === 0.5)!;
  const first = truth.transitions.find(({ direction }) => direction === "delithiation")!;
  const light = meanLight(made);
  const from_s = first.end_s + 0.15 * (half.end_s - first.end_s);
  const rows = Array.from({ length: 60 }, (_, at) => light(from_s + ((half.end_s - from_s) * at) / 59));
  const clear = rows.filter(({ x }) => x < 0.74 && x > 0.46);
  const fit = linearFit(
    clear.map(({ x }) => x),
    clear.map(({ mean }) => mean),
  )!;
  const middle = clear.reduce((sum, { mean }) => sum + mean, 0) / clear.length;
  const rest = clear.reduce((sum, { mean, x }) => sum + (mean - fit.intercept - fit.slope * x) ** 2, 0);
  const r2 = 1 - rest / clear.reduce((sum, { mean }) => sum + (mean - middle) ** 2, 0);
  const most = rows.at(-1)!.mean;
  return [
    {
      observable: "light at the end of a C/2 charge over that at its beginning",
      paper: "1.6",
      ours: `${most.toFixed(3)} at x = ${rows.at(-1)!.x.toFixed(3)}`,
      held: Math.abs(most - 1.6) < 0.05,
      how: "Mean over the outline's pixels, rendered; within 0.05. The law is put in: what is tested is that the microscope gives it back.",
      seeds: String(seed),
    },
    {
      observable: "light against lithium in the solid solution",
      paper: "straight",
      ours: `r² ${r2.toFixed(4)}, ${fit.slope.toFixed(2)} per unit of x`,
      held: r2 > 0.995,
      how: "From x = 0.74 to 0.46 of a C/2 charge, after the front; r² above 0.995.",
      seeds: String(seed),
    },
  ];
}

/** Fig. 4d: arrival maps by rate, both ways. */
function arrivals({ truth }: Rates, seed: number): Drawing {
  const row = (direction: Direction, label: string): Parameters<typeof mapTable>[0]["rows"][number] => ({
    label,
    maps: truth.transitions
      .filter((one) => one.direction === direction && one.kind === "biphasic")
      .flatMap(({ id, rate_C, start_s, end_s }) => {
        const map = truth.maps.find(({ transition }) => transition === id);
        if (map === undefined) return [];
        const data = map.arrival_s.map((t_s) => (t_s - start_s) / (end_s - start_s));
        const span = end_s - start_s;
        return [
          {
            map: { ...map, h_um: 0.08, data, mask: map.arrival_s.map((t_s) => (Number.isNaN(t_s) ? 0 : 1)) },
            label: `${rateText(rate_C!)}, ${span < 300 ? `${span.toFixed(0)} s` : `${(span / 60).toFixed(1)} min`}`,
          },
        ];
      }),
  });
  return {
    name: "arrival-by-rate",
    figure: mapTable({
      title: "When the boundary passed, by the electrode's rate",
      subtitle: "Each map from its first arrival to its last, which are so far apart as stands above it",
      rows: [row("delithiation", "charge"), row("lithiation", "discharge")],
      colormap: "arrival",
      range: [0, 1],
      scale: "arrival / share of the transition's time",
      format: ".1f",
      width: 120,
    }),
    caption: `Arrival maps of one particle of an electrode, as in Fig. 4d; electrode ${seed}.`,
  };
}
