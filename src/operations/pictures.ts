/** The figures of an analysis, each an SVG with its caption. */
import type { Findings, Transition } from "../model/experiment.js";
import type { Image } from "../model/movie.js";
import type { ContrastNoise } from "../analysis/contrast-noise.js";
import { contrastFigure } from "../figures/contrast-figure.js";
import { cyclingFigure } from "../figures/cycling-figure.js";
import { driftFigure } from "../figures/drift-figure.js";
import { evennessFigure } from "../figures/evenness-figure.js";
import { frontMapFigure } from "../figures/front-map-figure.js";
import { kineticsFigure } from "../figures/kinetics-figure.js";
import { kymographFigure } from "../figures/kymograph-figure.js";
import { noiseFigure } from "../figures/noise-figure.js";
import { renderSvg } from "../figures/render.js";
import type { Analysis } from "./analyse.js";
import { percentText, valueText } from "./table-text.js";
import { contrastViews, timeLabel } from "./views.js";

/** A figure as it is written and shown. */
export interface Picture {
  /** File name without ending. */
  readonly name: string;
  readonly svg: string;
  readonly caption: string;
}

/** Images in a row of contrasts, as in the paper's Fig. 3a. */
const IMAGES = 5;

/** Draws the figures of the particles named, and those of the whole experiment. */
export async function drawFigures(
  { recipe, experiment, findings }: Analysis,
  particles: ReadonlySet<number>,
  signal?: AbortSignal,
): Promise<Picture[]> {
  const drawn: Picture[] = [];
  const add = async (name: string, spec: Parameters<typeof renderSvg>[0], caption: string): Promise<void> => {
    signal?.throwIfAborted();
    drawn.push({ name, svg: await renderSvg(spec), caption });
    // Rendering is long and of one piece: let Ctrl-C be heard between figures.
    await new Promise((resolve) => setTimeout(resolve, 0));
  };
  const {
    traces = [],
    transitions = [],
    fronts = [],
    kinetics = [],
    crops = [],
    evenness = [],
    kymographs = [],
  } = findings;
  const own = transitions.filter(({ particle }) => particles.has(particle));
  if (findings.traces !== undefined) {
    await add(
      "intensity-and-cycling",
      cyclingFigure({
        traces: traces.filter(({ particle }) => particles.has(particle)),
        cycling: findings.cycling ?? null,
        cell: findings.cell ?? null,
        transitions: own,
      }),
      "Intensity of each particle beside the cell's potential and differential capacity. Shaded: windows in which the particle changes unevenly, found from the images alone.",
    );
  }
  for (const transition of own) {
    const { particle, id } = transition;
    const crop = crops.find((one) => one.particle === particle)!;
    const outline = outlineIn(findings, particle, crop.origin_px);
    const views = contrastViews(crop, transition, {
      count: IMAGES,
      drift: findings.drift!,
      noise: findings.noise ?? null,
      psf_um: recipe.steps.noise.psf_um,
      halfCycles: findings.clock?.source === "none" ? [] : (findings.cell?.halfCycles ?? []),
    });
    const where = `Particle ${particle}, ${windowText(transition)}`;
    await add(
      `sequential-${id}`,
      contrastFigure({
        title: `Sequential contrast over ${views.lag_s.toPrecision(3)} s`,
        images: views.sequential.images,
        outline,
      }),
      `${where}. Sequential contrast, I(t) / I(t − ${views.lag_s.toPrecision(3)} s) − 1.${noiseText("One pixel", views.sequential.noise)}${pedestal(experiment.blackLevel === null)}`,
    );
    const [title, since] = views.sinceCycle
      ? ["Intensity since the cycle began", "as the cycle begins"]
      : ["Intensity since before the window", "before the window"];
    await add(
      `background-${id}`,
      contrastFigure({
        title,
        images: [...views.background.images, ...(views.total === null ? [] : views.total.images)],
        outline,
      }),
      `${where}. Intensity minus that ${since} (at ${timeLabel(views.since_s)}), over the particle's mean then${views.total === null ? "" : "; last, the total contrast of the window"}.${noiseText("One pixel", views.background.noise)}${noiseText("Of the total contrast", views.total?.noise ?? null)}${pedestal(experiment.blackLevel === null)}`,
    );
    const shift = findings.shiftShares?.find((one) => one.transition === id);
    if (shift !== undefined) {
      const image = (data: Float32Array): Image => ({ ...shift, data });
      await add(
        `shift-${id}`,
        contrastFigure({
          title: `Change over ${shift.lag_s.toPrecision(3)} s, and what a shift explains of it`,
          images: [
            { image: image(shift.contrast), label: timeLabel(shift.moment_s) },
            { image: image(shift.explained), label: "as a shift" },
          ],
          outline,
        }),
        `${where}. Left: the change where it is greatest, its mean taken off and smoothed by the point spread. Right: what a shift of the scene explains of it. Through the window a shift explains ${valueText(shift.share, 100)} % of the change, if it is ${valueText(shift.shift_nm)} nm.`,
      );
    }
    const front = fronts.find((one) => one.transition === id);
    if (front !== undefined) {
      await add(
        `front-${id}`,
        frontMapFigure(front, transition),
        `${where}. When the phase boundary passed each pixel, as a fraction of the window (estimator ${front.estimator}; ${(100 * front.covered).toFixed(0)} % of the outline's pixels have an arrival of their own).`,
      );
    }
    const speeds = kinetics.find((one) => one.transition === id);
    if (speeds !== undefined) {
      await add(
        `kinetics-${id}`,
        kineticsFigure(speeds, transition),
        `${where}. Phase fraction and single-particle C-rate (factor ${speeds.c_rate_factor}); front velocity ${valueText(speeds.velocity_um_s, 1000)} nm/s. Bands: one standard error.`,
      );
    }
  }
  for (const [at, one] of kymographs.filter(({ particle }) => particles.has(particle)).entries()) {
    const where = `Particle ${one.particle}, ${windowText(transitions.find(({ id }) => id === one.transition)!)}`;
    await add(
      `kymograph-${at}`,
      kymographFigure(one),
      `${where}. Light along the front's way, downward in time; dots: the front's place in each frame; line: its velocity, ${one.velocity_um_s === null ? "not told" : `${valueText(one.velocity_um_s, 1000)} nm/s`}.`,
    );
  }
  for (const curve of evenness.filter(({ particle }) => particles.has(particle))) {
    await add(
      `evenness-${curve.particle}`,
      evennessFigure(
        curve,
        own.filter(({ particle }) => particle === curve.particle),
      ),
      `Particle ${curve.particle}. How uneven the differential image is, and what noise alone would give.`,
    );
  }
  if (findings.noise !== undefined) {
    await add(
      "noise",
      noiseFigure(findings.noise),
      "Variance of one pixel from frame to frame against its light, from threes of neighbouring frames; bars: one standard error.",
    );
  }
  if (findings.drift !== undefined) {
    await add(
      "drift",
      driftFigure(experiment.movie.time_s, findings.drift, experiment.movie.pixelSize_um),
      "Where the scene of the first frame lies in each frame, and the lamp's light on the still ground.",
    );
  }
  return drawn;
}

function outlineIn(
  findings: Findings,
  particle: number,
  [x0, y0]: readonly [number, number],
): readonly (readonly [number, number])[] {
  const found = findings.particles?.find(({ id }) => id === particle);
  return (found?.outline_px ?? []).map(([x, y]) => [x - x0, y - y0] as const);
}

/** What noise an image must have, and has: for its caption. */
function noiseText(of: string, noise: ContrastNoise | null): string {
  if (noise === null) return "";
  const { crystal, photonLimit, ground } = noise;
  const limit = photonLimit === null ? "" : ` (photons alone: ${percentText(photonLimit)})`;
  const check =
    ground === null
      ? ""
      : `; on the ground beside it ${percentText(ground.expected)} expected, ${percentText(ground.found)} found`;
  return ` ${of}: noise of ${percentText(crystal)} expected on the crystal${limit}${check}.`;
}

function windowText({ direction, kind, start_s, end_s }: Transition): string {
  return `${kind === "unknown" ? "" : `${kind} `}${direction}, ${start_s.toFixed(0)} to ${end_s.toFixed(0)} s`;
}

function pedestal(unknown: boolean): string {
  return unknown ? " Pedestal unknown: contrasts are too small by an unknown factor." : "";
}
