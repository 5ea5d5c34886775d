/** Arrivals of fronts drawn at random: how far off, how scattered, and whether their standard errors say so. */
import { mapFront } from "../../src/analysis/fronts.js";
import { random } from "../../src/kernels/random.js";
import { madSigma, median, quantile } from "../../src/kernels/stats.js";
import type { Estimator, FrontMap } from "../../src/model/experiment.js";
import { allowedSigmas, shareAtLeast, sigmasRight } from "./allowance.js";
import { drawnFront, type DrawnFront, type FrontKind } from "./drawn-front.js";
import type { AccuracyGroup, AccuracyRow } from "./group.js";

/** What came of one draw; null where no front was found. */
export interface ArrivalDraw {
  readonly kind: FrontKind;
  readonly line: number;
  readonly noisy: boolean;
  readonly found: {
    readonly covered: number;
    readonly bias_frames: number;
    readonly mad_frames: number;
    /** Of the arrivals, by the pixel's own error. */
    readonly inside: number;
    readonly pixels: number;
    /** Bias of the other estimators as they are stated; null where they were not tried. */
    readonly others: Readonly<Record<string, number>> | null;
  } | null;
}

const DRAWS = 240;
const PSF_UM = 0.118;
const NOISY = 0.03;
/** Every so many movies the other ways to pick a moment are tried too. */
const TRY_OTHERS = 8;
const OTHERS = ["matched", "argmax", "half-rise"] as const;
/** Arrivals of one movie that err for themselves, as far as the share within an error goes. */
const INDEPENDENT = 4;
/** Of the movies, the share that must be within a limit. */
const MOST = 0.9;

export function arrivalDraw(seed: number): ArrivalDraw {
  const { uniform, integer } = random(seed);
  const noisy = uniform() < 0.2;
  const drawn = drawnFront({
    seed,
    kinds: ["plane", "wave", "core", "meet"],
    radius_um: integer(6) === 0 ? [2.2, 3.2] : [1.3, 2.2],
    speed_nm_s: [10, 100],
    faster: [0.6, 3],
    psf_um: [0.1, 0.14],
    noise: noisy ? NOISY : 0.005,
    step: 0.12,
    line: [0.2, 1],
    slope_per_s: [-3e-4, 5e-4],
  });
  const front = mapped(drawn, "step+line");
  const others = !noisy && front !== null && integer(TRY_OTHERS) === 0;
  return {
    kind: drawn.kind,
    line: drawn.line,
    noisy,
    found:
      front === null
        ? null
        : {
            covered: front.covered,
            ...errorsOf(drawn, front),
            others: others
              ? Object.fromEntries(OTHERS.map((one) => [one, errorsOf(drawn, mapped(drawn, one)!).bias_frames]))
              : null,
          },
  };
}

function mapped(drawn: DrawnFront, estimator: Estimator): FrontMap | null {
  return mapFront(drawn.stack, drawn.window, {
    particle: 0,
    transition: 0,
    mask: drawn.mask,
    origin_px: [0, 0],
    estimator,
    lag_s: null,
    psf_um: PSF_UM,
  });
}

function errorsOf(
  { arrival_s, interval_s }: DrawnFront,
  front: FrontMap,
): { bias_frames: number; mad_frames: number; inside: number; pixels: number } {
  const errors = front.arrival_s.map((t_s, at) => t_s - arrival_s[at]!);
  const scores = errors.map((error, at) => error / front.sd_s[at]!).filter(Number.isFinite);
  return {
    bias_frames: median(errors) / interval_s,
    mad_frames: madSigma(errors) / interval_s,
    inside: scores.filter((z) => Math.abs(z) < 1).length / scores.length,
    pixels: scores.length,
  };
}

export const arrival: AccuracyGroup<ArrivalDraw> = {
  title: "Arrivals",
  about:
    "One crystal of 1.3 to 3.2 um radius (5 to 7 corners, or an ellipse), step 12 %, 0.5 % noise a frame (3 % in a fifth of the movies), 80 nm pixels, 5 s frames. The front is straight, round from one place on the rim or from two or three that meet, or a closing ring; 10 to 100 nm/s, up to three times faster or slower at its end; half of the boundaries are bright, by 0.2 to 1 step and 50 to 150 nm wide. The point spread is 100 to 140 nm where 118 nm is said; the face brightens or darkens by up to 5e-4 a second, evenly, or before and after the front alone. The window is the truth's, a frame off. A movie's bias is the median error over the pixels, its scatter the median absolute deviation times 1.48.",
  draws: DRAWS,
  sample: 12,
  cost_s: 0.8,
  draw: arrivalDraw,
  rows(draws) {
    const sigmas = allowedSigmas(draws.length, DRAWS);
    const quiet = draws.filter(({ noisy }) => !noisy);
    const loud = draws.filter(({ noisy }) => noisy);
    const found = (some: readonly ArrivalDraw[]) => some.flatMap((draw) => (draw.found === null ? [] : [draw.found]));
    const dark = found(quiet.filter(({ line }) => line === 0));
    const bright = found(quiet.filter(({ line }) => line > 0));
    const within = (what: string, values: readonly number[], limit: number): AccuracyRow => ({
      what,
      wanted: `<= ${limit} in ${100 * MOST} % of movies`,
      ours: told(values),
      held:
        values.length === 0
          ? null
          : shareAtLeast(values.filter((v) => Math.abs(v) <= limit).length, values.length, MOST, sigmas),
      note: "",
    });
    const scores = found(quiet);
    const pixels = scores.reduce((sum, one) => sum + one.pixels, 0);
    const inside = scores.reduce((sum, one) => sum + one.inside * one.pixels, 0) / pixels;
    const mapped3 = found(loud).filter(({ covered }) => covered > 0.9);
    return [
      within(
        "bias of arrivals without a bright boundary / frame",
        dark.map(({ bias_frames }) => bias_frames),
        0.06,
      ),
      within(
        "bias of arrivals with a bright boundary / frame",
        bright.map(({ bias_frames }) => bias_frames),
        0.3,
      ),
      within(
        "scatter of arrivals (MAD) / frame",
        scores.map(({ mad_frames }) => mad_frames),
        0.35,
      ),
      {
        what: "standard error of an arrival: pixels within one",
        wanted: "68 % +- 5",
        ours: `${(100 * inside).toFixed(1)} % of ${pixels}`,
        held: scores.length === 0 ? null : sigmasRight(inside, INDEPENDENT * scores.length, 0.05, sigmas),
        note: "",
      },
      {
        what: "movies of 3 % noise with a map of more than 90 % of the outline",
        wanted: ">= 95 %",
        ours: `${mapped3.length} of ${loud.length}; scatter / frame ${told(mapped3.map(({ mad_frames }) => mad_frames))}`,
        held: loud.length === 0 ? null : shareAtLeast(mapped3.length, loud.length, 0.95, sigmas),
        note: "",
      },
      ...OTHERS.map((one): AccuracyRow => {
        const bias = (some: readonly { readonly others: Readonly<Record<string, number>> | null }[]): string =>
          told(some.flatMap(({ others }) => (others === null ? [] : [others[one]!])));
        return {
          what: `bias of ${one}, its stated bias taken off / frame`,
          wanted: "–",
          ours: `dark boundary ${bias(dark)}; bright ${bias(bright)}`,
          held: null,
          note: "",
        };
      }),
    ];
  },
};

/** Median, and the size that nine tenths do not pass. */
function told(values: readonly number[]): string {
  if (values.length === 0) return "none";
  return `median ${median(values).toFixed(3)}, 90 % within ${quantile(values.map(Math.abs), 0.9).toFixed(3)} (${values.length} movies)`;
}
