/** Velocities, half times, phase fractions and C-rates of fronts drawn at random, held against their exact course. */
import { mapFront } from "../../src/analysis/fronts.js";
import { measureKinetics } from "../../src/analysis/kinetics.js";
import { random } from "../../src/kernels/random.js";
import { median, quantile } from "../../src/kernels/stats.js";
import type { Estimate } from "../../src/model/experiment.js";
import { allowedSigmas, shareAtLeast, shareAtMost, sigmasRight } from "./allowance.js";
import { drawnFront, trueKinetics, type FrontKind } from "./drawn-front.js";
import type { AccuracyGroup, AccuracyRow } from "./group.js";

const NUMBERS = [
  "velocity",
  "velocity_mean",
  "velocity_path",
  "velocity_late",
  "velocity_isochrone",
  "t50",
  "duration",
  "c_rate_mean",
  "c_rate_max",
] as const;
type Name = (typeof NUMBERS)[number];

/** Error, in the truth (t50 and duration: in frames), and error over stated error; null where there is no such number. */
type Score = readonly [number, number | null] | null;

/** What came of one draw. */
export interface KineticsDraw {
  readonly kind: FrontKind;
  readonly radius_um: number;
  /** Whether the boundary has light of its own. */
  readonly bright: boolean;
  readonly found: boolean;
  readonly scores: Readonly<Record<Name, Score>>;
  /** Numbers that the truth has and the measurement leaves out. */
  readonly left: readonly Name[];
  /** Root mean square error of the phase fraction while it rises from 2 to 98 %, and some of its scores. */
  readonly fraction_rms: number | null;
  readonly fraction_z: readonly number[];
}

const KINDS: readonly FrontKind[] = ["plane", "plane", "wave", "wave", "core", "core", "core", "meet", "meet", "stall"];
const LARGE_UM: readonly [number, number] = [2.5, 4];
const SMALL_UM: readonly [number, number] = [1.2, 2];
const DRAWS = 1000;
const PSF_UM = 0.118;
const C_RATE_FACTOR = 0.353;
const BANDWIDTH_S = 20;
const MOST = 0.9;

export function kineticsDraw(seed: number): KineticsDraw {
  const { integer } = random(seed);
  const kind = KINDS[integer(KINDS.length)]!;
  // What closes on itself is drawn in crystals of the size in which it was seen, too; the others cost less in small ones.
  const large = kind === "stall" || integer(kind === "core" ? 2 : 10) === 0;
  const drawn = drawnFront({
    seed,
    kinds: [kind],
    radius_um: large ? LARGE_UM : SMALL_UM,
    speed_nm_s: [10, 100],
    faster: [0.6, 3],
    psf_um: [0.1, 0.14],
    noise: 0.005,
    step: 0.12,
    line: [0.2, 1],
    slope_per_s: [-3e-4, 5e-4],
  });
  const truth = trueKinetics(drawn, { c_rate_factor: C_RATE_FACTOR, bandwidth_s: BANDWIDTH_S });
  const front = mapFront(drawn.stack, drawn.window, {
    particle: 0,
    transition: 0,
    mask: drawn.mask,
    origin_px: [0, 0],
    estimator: "step+line",
    lag_s: null,
    psf_um: PSF_UM,
  });
  const found =
    front === null
      ? null
      : measureKinetics(front, {
          kind: "biphasic",
          c_rate_factor: C_RATE_FACTOR,
          bandwidth_s: BANDWIDTH_S,
          psf_um: PSF_UM,
          clock_sd_s: null,
        });
  const pairs: Record<Name, readonly [Estimate | null | undefined, number | null]> = {
    velocity: [found?.velocity_um_s, truth.velocity_um_s],
    velocity_mean: [found?.velocity_mean_um_s, truth.mean_um_s],
    velocity_path: [found?.velocity_path_um_s, truth.path_um_s],
    velocity_late: [found?.velocity_late_um_s, truth.late_um_s],
    velocity_isochrone: [found?.velocity_isochrone_um_s, truth.velocity_um_s],
    t50: [found?.t50_s, truth.t50_s],
    duration: [found?.duration_s, truth.duration_s],
    c_rate_mean: [found?.c_rate_mean, truth.c_rate_mean],
    c_rate_max: [found?.c_rate_max, truth.c_rate_max],
  };
  const scoreOf = (name: Name): Score => {
    const [estimate, known] = pairs[name];
    if (!estimate || known === null) return null;
    const error = estimate.value - known;
    const unit = name === "t50" || name === "duration" ? drawn.interval_s : known;
    return [error / unit, estimate.sd === null || estimate.sd === 0 ? null : error / estimate.sd];
  };
  const curve = found === null ? [] : Array.from(found.phaseFraction.time_s, (t_s) => truth.fraction(t_s));
  const rising = curve.flatMap((known, k) => {
    if (!(known > 0.02 && known < 0.98)) return [];
    return [{ error: found!.phaseFraction.value[k]! - known, sd: found!.phaseFraction.sd[k]! }];
  });
  return {
    kind: drawn.kind,
    radius_um: drawn.radius_um,
    bright: drawn.line > 0,
    found: found !== null,
    scores: Object.fromEntries(NUMBERS.map((name) => [name, scoreOf(name)])) as Record<Name, Score>,
    left: found === null ? [] : NUMBERS.filter((name) => pairs[name][1] !== null && !pairs[name][0]),
    fraction_rms:
      rising.length === 0 ? null : Math.sqrt(rising.reduce((sum, { error }) => sum + error * error, 0) / rising.length),
    fraction_z: [0.25, 0.5, 0.75].flatMap((share) => {
      const one = rising[Math.floor(share * rising.length)];
      return one === undefined || !(one.sd > 0) ? [] : [one.error / one.sd];
    }),
  };
}

export const kinetics: AccuracyGroup<KineticsDraw> = {
  title: "Kinetics",
  about:
    "Fronts as for the arrivals, at 0.5 % noise, in crystals of 1.2 to 2 um radius, a tenth of them of 2.5 to 4 um; half of the closing rings in the large ones. A tenth are closing rings in crystals of 2.5 to 4 um that burst through 8 to 20 % of the area, all but stand for one to three minutes, and go on. The truth follows from the front's exact course by the definitions of the measurement: velocities over pixels farther than a point spread from outline, nuclei and collision lines, the late one over the last tenth of the duration, the path from the last such place straight back to the first; fraction, duration and C-rate (20 s) over places that fill the outline evenly. Errors of velocities and rates are in the truth, of times in frames.",
  draws: DRAWS,
  sample: 24,
  cost_s: 0.8,
  draw: kineticsDraw,
  rows(draws) {
    const sigmas = allowedSigmas(draws.length, DRAWS);
    const errors = (name: Name, kinds: readonly FrontKind[], of = draws): number[] =>
      of.flatMap(({ kind, scores }) => {
        const score = scores[name];
        return score !== null && kinds.includes(kind) ? [score[0]] : [];
      });
    const within = (
      what: string,
      values: readonly number[],
      limit: number | null,
      digits = 3,
      note = "",
    ): AccuracyRow => ({
      what,
      wanted: limit === null ? "–" : `<= ${limit} in ${100 * MOST} % of movies`,
      ours:
        values.length === 0
          ? "none"
          : `median ${median(values).toFixed(digits)}, 68 % within ${quantile(values.map(Math.abs), 0.68).toFixed(digits)}, 90 % within ${quantile(values.map(Math.abs), 0.9).toFixed(digits)} (${values.length} movies)`,
      held:
        limit === null || values.length === 0
          ? null
          : shareAtLeast(values.filter((v) => Math.abs(v) <= limit).length, values.length, MOST, sigmas),
      note,
    });
    const open: readonly FrontKind[] = ["plane", "wave"];
    const closing: readonly FrontKind[] = ["core"];
    const all: readonly FrontKind[] = ["plane", "wave", "core", "meet"];
    const rms = (kinds: readonly FrontKind[], of = draws): number[] =>
      of.flatMap(({ kind, fraction_rms }) => (fraction_rms !== null && kinds.includes(kind) ? [fraction_rms] : []));
    const large = draws.filter(({ radius_um }) => radius_um >= LARGE_UM[0]);
    const small = draws.filter(({ radius_um }) => radius_um < LARGE_UM[0]);
    const right = (what: string, z: readonly number[], left: number): AccuracyRow => {
      const inside = z.filter((one) => Math.abs(one) < 1).length / z.length;
      return {
        what: `standard error of ${what}: within one`,
        wanted: "68 % +- 5",
        ours:
          z.length === 0
            ? "none"
            : `${(100 * inside).toFixed(1)} % of ${z.length}${left > 0 ? `; left out in ${left}` : ""}`,
        held: z.length === 0 ? null : sigmasRight(inside, z.length, 0.05, sigmas),
        note: "",
      };
    };
    const smooth = draws.filter(({ kind }) => kind !== "stall");
    const missing = smooth.filter(({ found }) => !found).length;
    const stalled = draws.filter(({ kind, found }) => kind === "stall" && !found).length;
    return [
      within("velocity of straight and round fronts, 10 to 100 nm/s, any angle", errors("velocity", open), 0.015),
      within(
        "the same from isochrones",
        errors("velocity_isochrone", open),
        0.015,
        3,
        "In small crystals a fast front leaves few ways between isochrones; the error says so.",
      ),
      within(
        "velocity of closing rings, crystals of 2.5 um radius and more",
        errors("velocity", closing, large),
        0.015,
      ),
      within("velocity of closing rings, smaller crystals", errors("velocity", closing, small), null),
      within("velocity of fronts that meet", errors("velocity", ["meet"]), null),
      within("velocity along the path", errors("velocity_path", all), null),
      within("velocity of the last tenth", errors("velocity_late", all), null),
      within("t50 / frame", errors("t50", all), 0.3),
      within("phase fraction of straight and round fronts, rms", rms(open), 0.01, 4),
      within("phase fraction of closing rings, crystals of 2.5 um radius and more, rms", rms(closing, large), 0.03, 4),
      within(
        "phase fraction of closing rings, smaller crystals, rms",
        rms(closing, small),
        0.03,
        4,
        "Rings in crystals of 1.2 to 2 um radius close within some five frames; a bright boundary moves all their arrivals alike.",
      ),
      within("peak of the single-particle C-rate", errors("c_rate_max", all), 0.08),
      within("duration of rings that burst and stall / frame", errors("duration", ["stall"]), null, 2),
      ...NUMBERS.map((name) =>
        right(
          name.replaceAll("_", " "),
          draws.flatMap(({ scores }) => scores[name]?.[1] ?? []),
          draws.filter(({ left }) => left.includes(name)).length,
        ),
      ),
      right(
        "the phase fraction",
        draws.flatMap(({ fraction_z }) => fraction_z),
        0,
      ),
      {
        what: "movies without kinetics, but for rings that stall",
        wanted: "<= 1 %",
        ours: `${missing} of ${smooth.length}; of rings that stall ${stalled} of ${draws.length - smooth.length}`,
        held: smooth.length === 0 ? null : shareAtMost(missing, smooth.length, 0.01, sigmas),
        note: "A burst thinner than a point spread is not seen as a step of its own: its pixels take the time of what follows, or none.",
      },
    ];
  },
};
