/** How precisely one frame places a micrometre of a front: kymographs of straight fronts drawn at random. */
import { mapFront } from "../../src/analysis/fronts.js";
import { kymograph } from "../../src/analysis/kymograph.js";
import { madSigma, median, quantile } from "../../src/kernels/stats.js";
import type { Polyline } from "../../src/model/experiment.js";
import { allowedSigmas, medianAtMost, shareAtLeast, sigmasRight } from "./allowance.js";
import { drawnFront } from "./drawn-front.js";
import type { AccuracyGroup, AccuracyRow } from "./group.js";

/** What came of one draw; null where too few frames showed the front. */
export interface LocalisationDraw {
  readonly step: number;
  readonly line: number;
  readonly found: {
    /** Of the places in single frames, about the front's true course: median and robust scatter. */
    readonly bias_nm: number;
    readonly scatter_nm: number;
    readonly places: number;
    readonly inside: number;
    /** As the front's finding states it for a micrometre. */
    readonly stated_nm: number;
    /** Error of the velocity along the line, and the same over its stated error. */
    readonly velocity: number;
    readonly velocity_z: number;
  } | null;
}

const DRAWS = 160;
const PSF_UM = 0.118;
const SEGMENT_UM = 1;
const FEWEST_PLACES = 6;
const LIMIT_NM = 5;
/** Limits of the step within which it is the paper's. */
const PAPERS = [0.1, 0.14] as const;
/** Steps for which the scatter is reported. */
const STEPS = [0.05, 0.08, 0.1, 0.14, 0.18, 0.25] as const;

export function localisationDraw(seed: number): LocalisationDraw {
  const drawn = drawnFront({
    seed,
    kinds: ["plane"],
    radius_um: [1.8, 2.4],
    speed_nm_s: [10, 60],
    faster: [1, 1.0001],
    psf_um: [0.11, 0.125],
    noise: 0.005,
    step: [0.05, 0.25],
    line: [0.2, 1],
    slope_per_s: [-3e-4, 5e-4],
  });
  const { stack, motion, window, mask, step, line, radius_um, speed_um_s } = drawn;
  const middle = stack.width / 2;
  const { nx, ny } = motion.passing(middle * stack.pixelSize_um, middle * stack.pixelSize_um);
  const reach = (0.6 * radius_um) / stack.pixelSize_um;
  const line_px: Polyline = [
    [middle - reach * nx, middle - reach * ny],
    [middle + reach * nx, middle + reach * ny],
  ];
  const place = { particle: 0, transition: 0 };
  const { ridge, velocity_um_s } = kymograph(stack, window, {
    ...place,
    line_px,
    width_um: SEGMENT_UM,
    lag_s: 20,
    psf_um: PSF_UM,
  });
  const front = mapFront(stack, window, {
    ...place,
    mask,
    origin_px: [0, 0],
    estimator: "step+line",
    lag_s: null,
    psf_um: PSF_UM,
  });
  if (ridge.length < FEWEST_PLACES || front === null || velocity_um_s === null) return { step, line, found: null };
  const start_s = motion.arrival_s(line_px[0]![0] * stack.pixelSize_um, line_px[0]![1] * stack.pixelSize_um);
  const errors_nm = ridge.map(({ time_s, distance_um }) => 1000 * (distance_um - speed_um_s * (time_s - start_s)));
  const inside = errors_nm.filter((error, k) => Math.abs(error) < 1000 * ridge[k]!.sd_um).length / ridge.length;
  return {
    step,
    line,
    found: {
      bias_nm: median(errors_nm),
      scatter_nm: madSigma(errors_nm),
      places: ridge.length,
      inside,
      stated_nm: front.localisation_nm_per_segment_um!.value,
      velocity: velocity_um_s.value / speed_um_s - 1,
      velocity_z: (velocity_um_s.value - speed_um_s) / velocity_um_s.sd!,
    },
  };
}

export const localisation: AccuracyGroup<LocalisationDraw> = {
  title: "Localisation of a front",
  about:
    "Straight fronts of one velocity, 10 to 60 nm/s in any direction, in crystals of 1.8 to 2.4 um radius, step 5 to 25 %, half of the boundaries bright, 0.5 % noise a frame, 80 nm pixels, 5 s frames. A line along the front's way, averaged over 1 um across it, is a kymograph; in each frame the front's place on it is held against its true one. The precision that the front's finding states for a micrometre is that of the formula (noise / step) sqrt(2 sqrt(pi) psf pixel^2 / length); the places of a kymograph have the errors of their levels and of the face's unevenness besides.",
  draws: DRAWS,
  sample: 8,
  cost_s: 1,
  draw: localisationDraw,
  rows(draws) {
    const sigmas = allowedSigmas(draws.length, DRAWS);
    const found = draws.flatMap((draw) => (draw.found === null ? [] : [{ ...draw, ...draw.found }]));
    const papers = found.filter(({ step }) => step >= PAPERS[0] && step <= PAPERS[1]);
    const places = found.reduce((sum, one) => sum + one.places, 0);
    const inside = found.reduce((sum, one) => sum + one.inside * one.places, 0) / places;
    const z = found.map(({ velocity_z }) => velocity_z);
    const zInside = z.filter((one) => Math.abs(one) < 1).length / z.length;
    const told = (values: readonly number[], digits: number): string =>
      values.length === 0
        ? "none"
        : `median ${median(values).toFixed(digits)}, 90 % within ${quantile(values.map(Math.abs), 0.9).toFixed(digits)} (${values.length} movies)`;
    const velocities = found.map(({ velocity }) => velocity);
    return [
      {
        what: "stated precision of 1 um of front in a frame, step 10 to 14 % / nm",
        wanted: `<= ${LIMIT_NM}`,
        ours: told(
          papers.map(({ stated_nm }) => stated_nm),
          2,
        ),
        held:
          papers.length === 0
            ? null
            : medianAtMost(
                papers.map(({ stated_nm }) => stated_nm),
                LIMIT_NM,
                sigmas,
              ),
        note: "",
      },
      {
        what: "scatter of the places in single frames about the true course, step 10 to 14 % / nm",
        wanted: `<= ${LIMIT_NM}`,
        ours: told(
          papers.map(({ scatter_nm }) => scatter_nm),
          2,
        ),
        held:
          papers.length === 0
            ? null
            : medianAtMost(
                papers.map(({ scatter_nm }) => scatter_nm),
                LIMIT_NM,
                sigmas,
              ),
        note: "",
      },
      ...STEPS.slice(1).map((to, at): AccuracyRow => {
        const some = found.filter(({ step }) => step >= STEPS[at]! && step < to);
        return {
          what: `the same, step ${Math.round(100 * STEPS[at]!)} to ${Math.round(100 * to)} % / nm`,
          wanted: "–",
          ours: `${told(
            some.map(({ scatter_nm }) => scatter_nm),
            2,
          )}; stated ${some.length === 0 ? "none" : median(some.map(({ stated_nm }) => stated_nm)).toFixed(2)}`,
          held: null,
          note: "",
        };
      }),
      {
        what: "bias of the places / nm",
        wanted: "–",
        ours: told(
          found.map(({ bias_nm }) => bias_nm),
          2,
        ),
        held: null,
        note: "",
      },
      {
        what: "standard error of a place: within one",
        wanted: "68 % +- 5",
        ours: `${(100 * inside).toFixed(1)} % of ${places}`,
        held: found.length === 0 ? null : sigmasRight(inside, 2 * found.length, 0.05, sigmas),
        note: "",
      },
      {
        what: "velocity of the kymograph within 1.5 %",
        wanted: ">= 90 % of movies",
        ours: told(velocities, 4),
        held:
          velocities.length === 0
            ? null
            : shareAtLeast(velocities.filter((one) => Math.abs(one) <= 0.015).length, velocities.length, 0.9, sigmas),
        note: "",
      },
      {
        what: "standard error of that velocity: within one",
        wanted: "68 % +- 5",
        ours: z.length === 0 ? "none" : `${(100 * zInside).toFixed(1)} % of ${z.length}`,
        held: z.length === 0 ? null : sigmasRight(zInside, z.length, 0.05, sigmas),
        note: "",
      },
      {
        what: "movies in which too few frames show the front on the line",
        wanted: "–",
        ours: `${draws.length - found.length} of ${draws.length}`,
        held: null,
        note: "",
      },
    ];
  },
};
