/** Controls and false fronts of movies drawn at random: how often something is found where there is nothing. */
import { random, type Random } from "../../src/kernels/random.js";
import type { Findings } from "../../src/model/experiment.js";
import { analyseExperiment } from "../../src/operations/analyse.js";
import { completeRecipe } from "../../src/operations/recipe.js";
import { checkScenario, experimentOf, runTwin } from "../../src/operations/twin.js";
import { disturbed, type Disturbance } from "./disturbed.js";
import type { AccuracyGroup, AccuracyRow } from "./group.js";

type Between = (low: number, high: number) => number;

/** A field of 11 x 7 um with one crystal of 3.2 to 4.8 um in its middle; 110 frames, one in 5 s. */
function fieldOf(seed: number, u: Between, changes: readonly object[]): Record<string, unknown> {
  const radius_um = u(1.6, 2.4);
  const turn = u(0, 1);
  const points_um = Array.from({ length: 6 }, (_, corner) => {
    const angle = ((corner + turn + 0.3 * u(-1, 1)) * Math.PI) / 3;
    return [5.6 + radius_um * u(0.9, 1.1) * Math.cos(angle), 3.6 + radius_um * u(0.9, 1.1) * Math.sin(angle)];
  });
  return {
    seed,
    movie: { width: 112, height: 72, pixelSize_um: 0.1, frames: 110, interval_s: 5 },
    drift: { linear_um: [u(-0.3, 0.3), u(-0.3, 0.3)], walk_um: 0.02 },
    lamp: { flicker: 0.005, fading: 0 },
    camera: { noise: 0.005, prnu: 0.005, level: 8000 },
    particles: [{ outline: { kind: "polygon", points_um }, brightness: u(1.5, 4), changes }],
  };
}

function drawOf(seed: number): { readonly from: Random; readonly u: Between } {
  const from = random(seed);
  return { from, u: (low, high) => low + (high - low) * from.uniform() };
}

/** One real front and its controls. */
export interface ControlDraw {
  readonly seed: number;
  readonly front: string;
  /** Fronts that were found; of each null those found in it, null where it was not possible. */
  readonly found: number;
  readonly nulls: Readonly<Record<"drift-only" | "shuffled" | "inert-patch", number | null>>;
  readonly verdict: string | null;
  readonly because: string;
  /** Whether the front was taken for one that height explains. */
  readonly explained: boolean;
}

const recipe = completeRecipe({ twin: { scenario: "plane" }, controls: true });

async function controlDraw(seed: number): Promise<ControlDraw> {
  const { from, u } = drawOf(seed);
  const velocity_um_s = Math.exp(u(Math.log(0.012), Math.log(0.06)));
  const start_s = u(100, 180);
  const kind = (["plane", "radial", "inward"] as const)[from.integer(3)]!;
  const front = {
    kind,
    start_s,
    velocity_um_s,
    ...(kind === "plane" ? { angle_deg: u(0, 360) } : {}),
    ...(kind === "radial" ? { nuclei: [{ rim_deg: u(0, 360) }, { rim_deg: u(0, 360) }] } : {}),
  };
  const changes = [{ kind: "front", to: 1 + u(0.08, 0.18), front }];
  const made = await runTwin(fieldOf(from.integer(2 ** 31), u, changes));
  const { findings } = await analyseExperiment(recipe, experimentOf(made));
  const [finding] = findings.controls!;
  const of = (name: string): number | null => finding?.controls.find((one) => one.kind === name)?.fronts ?? null;
  return {
    seed,
    front: `${kind}, ${(1000 * velocity_um_s).toFixed(0)} nm/s`,
    found: findings.kinetics!.length,
    nulls: { "drift-only": of("drift-only"), shuffled: of("shuffled"), "inert-patch": of("inert-patch") },
    verdict: finding?.verdict ?? null,
    because: finding?.because ?? "",
    explained: explained(findings),
  };
}

function explained({ fronts = [] }: Findings): boolean {
  return fronts.some(({ explained_by }) => explained_by !== null && explained_by !== undefined);
}

/** Real fronts beside experiments spoiled on purpose. */
export const controls: AccuracyGroup<ControlDraw> = {
  title: "Controls",
  about:
    "Crystals of 3.2 to 4.8 um passed by a front drawn at random (plane, from two places of the rim, or inward; 12 to 60 nm/s; step 8 to 18 %), 0.5 % noise, 0.5 % fixed pattern, drift and flicker; 110 frames of 100 nm pixels. Each movie is analysed with its controls: the drift alone, its frames in random order, still ground under its outline. A null's finding is a front with a velocity.",
  draws: 100,
  sample: 1,
  cost_s: 6,
  draw: controlDraw,
  rows: (draws) => {
    const nulls = (["drift-only", "shuffled", "inert-patch"] as const).map((name): AccuracyRow => {
      const possible = draws.flatMap(({ nulls }) => (nulls[name] === null ? [] : [nulls[name]]));
      const found = possible.filter((fronts) => fronts > 0).length;
      return {
        what: `${name}: movies with a front`,
        wanted: "0",
        ours: `${found} of ${possible.length}`,
        held: possible.length === 0 ? null : found === 0,
        note: possible.length < draws.length ? `Not possible in ${draws.length - possible.length}.` : "",
      };
    });
    const judged = draws.filter(({ verdict }) => verdict !== null);
    const doubtful = judged.filter(({ verdict }) => verdict !== "stands");
    return [
      ...nulls,
      {
        what: "real fronts that are called doubtful",
        wanted: "told",
        ours: `${doubtful.length} of ${judged.length}`,
        held: null,
        note: doubtful
          .slice(0, 5)
          .map(({ front, because }) => `${front}: ${because}`)
          .join("; "),
      },
      {
        what: "real fronts that are taken for height",
        wanted: "0",
        ours: `${draws.filter((one) => one.explained).length} of ${draws.length}`,
        held: draws.every((one) => !one.explained),
        note: "",
      },
    ];
  },
};

/** One movie without lithium's help. */
export interface FalseFrontDraw {
  readonly seed: number;
  readonly kind: Disturbance["kind"];
  readonly how: string;
  /** Fronts with an arrival map, and those of them that height explains. */
  readonly fronts: number;
  readonly explained: number;
  /** Fronts with a velocity that nothing explains. */
  readonly unexplained: number;
}

async function falseFrontDraw(seed: number): Promise<FalseFrontDraw> {
  const { from, u } = drawOf(seed);
  const kinds = ["height", "height", "focus-ramp", "refocus", "lamp-step"] as const;
  const kind = kinds[from.integer(kinds.length)]!;
  const what: Disturbance =
    kind === "height"
      ? { kind, gap_nm: 150 * (from.uniform() < 0.5 ? -1 : 1), tilt_deg: u(0, 3), azimuth_deg: u(0, 360) }
      : kind === "lamp-step"
        ? { kind, factor: u(0.85, 1.15), slope: u(-0.1, 0.1) }
        : { kind, blur_px: u(0.5, 1.5) };
  const scenario = checkScenario(fieldOf(from.integer(2 ** 31), u, []));
  const course = { start_s: u(100, 200), lasts_s: u(60, 300) };
  const { findings } = await analyseExperiment(
    { ...recipe, controls: false },
    disturbed(scenario, what, course, 0.005),
  );
  const { fronts = [], kinetics = [] } = findings;
  const plain = fronts.filter(({ explained_by }) => explained_by === null || explained_by === undefined);
  return {
    seed,
    kind,
    how: JSON.stringify(what),
    fronts: fronts.length,
    explained: fronts.length - plain.length,
    unexplained: kinetics.filter(({ transition }) => plain.some((front) => front.transition === transition)).length,
  };
}

/** Movies whose light moves and whose lithium does not. */
export const falseFronts: AccuracyGroup<FalseFrontDraw> = {
  title: "False fronts of interferometry",
  about:
    "The same fields with a crystal that does nothing. Two of five draws: the gap under its face moves by 150 nm within 60 to 300 s under a tilt of 0 to 3 degrees (light 1 + 0.3 cos of the gap's phase); the others: focus is lost slowly or at once (blur of 0.5 to 1.5 px), or the lamp steps by up to 15 % and tilts by up to 10 % across the field.",
  draws: 150,
  sample: 3,
  cost_s: 2,
  draw: falseFrontDraw,
  rows: (draws) =>
    (["height", "focus-ramp", "refocus", "lamp-step"] as const).flatMap((kind): AccuracyRow[] => {
      const own = draws.filter((draw) => draw.kind === kind);
      if (own.length === 0) return [];
      const count = (of: (draw: FalseFrontDraw) => number): number => own.reduce((sum, draw) => sum + of(draw), 0);
      return [
        {
          what: `${kind}: fronts with a velocity that nothing explains`,
          wanted: "0",
          ours: `${count(({ unexplained }) => unexplained)} in ${own.length} movies`,
          held: count(({ unexplained }) => unexplained) === 0,
          note: `${count(({ fronts }) => fronts)} arrival maps, ${count((draw) => draw.explained)} of them explained by height.`,
        },
      ];
    }),
};
