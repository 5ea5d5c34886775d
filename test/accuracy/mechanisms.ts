/** Mechanisms of fronts drawn at random against the rule on their true arrivals, and whether stated probabilities are right. */
import { distanceTransform } from "../../src/kernels/distance.js";
import { median } from "../../src/kernels/stats.js";
import { random } from "../../src/kernels/random.js";
import { analyseExperiment } from "../../src/operations/analyse.js";
import { completeRecipe } from "../../src/operations/recipe.js";
import { experimentOf, runTwin } from "../../src/operations/twin.js";
import { truthOf, type Truth } from "../../src/physics/truth.js";
import { allowedSigmas, shareAtLeast, shareAtMost } from "./allowance.js";
import type { AccuracyGroup, AccuracyRow } from "./group.js";

/** One crystal and the way its front took. */
export interface MechanismDraw {
  readonly seed: number;
  readonly how: string;
  /** By the rule, from the true arrivals; "none" for a crystal that does nothing. */
  readonly truth: string;
  readonly found: string;
  readonly score: number;
  readonly rim80: number | null;
  readonly depth: number | null;
  /** Nuclei of the truth and found, and how far the found ones lie from the nearest true one, um. */
  readonly nuclei: number;
  readonly foundNuclei: number;
  readonly apart_um: readonly number[];
  readonly because: string;
}

const FULL = 200;
const recipe = completeRecipe({ twin: { scenario: "plane" } });
/** So near to a threshold the truth has no clear name. */
const NEAR_RIM = 0.03;
const NEAR_DEPTH = 0.06;

async function mechanismDraw(seed: number): Promise<MechanismDraw> {
  const from = random(seed);
  const u = (low: number, high: number): number => low + (high - low) * from.uniform();
  const radius_um = u(1.7, 2.8);
  const across_um = 2 * radius_um * 1.15 + 3.4;
  const corners = 5 + from.integer(4);
  const turn = u(0, 1);
  const points_um = Array.from({ length: corners }, (_, corner) => {
    const angle = ((corner + turn + 0.3 * u(-1, 1)) * 2 * Math.PI) / corners;
    const r = radius_um * u(0.85, 1.15);
    return [across_um / 2 + r * Math.cos(angle), across_um / 2 + r * Math.sin(angle)];
  });
  const drawn = (["inert", "plane", "radial", "radial", "radial", "crowded", "inward", "inward"] as const)[
    from.integer(8)
  ]!;
  const kind = drawn === "crowded" ? "radial" : drawn;
  const velocity_um_s = Math.exp(u(Math.log(0.012), Math.log(0.05)));
  const start_s = u(60, 120);
  const first_deg = u(0, 360);
  const count = drawn === "crowded" ? 5 + from.integer(5) : kind === "radial" ? 1 + from.integer(3) : 0;
  const crossing_s = (2 * radius_um) / velocity_um_s;
  const nuclei = Array.from({ length: count }, (_, at) => ({
    rim_deg: first_deg + (at * 360) / count + (at > 0 ? u(-75, 75) / count : 0),
    delay_s: at === 0 ? 0 : u(0, 0.12) * crossing_s,
  }));
  const front = {
    kind,
    start_s,
    velocity_um_s,
    ...(kind === "plane" ? { angle_deg: u(0, 360) } : {}),
    ...(kind === "radial" ? { nuclei } : {}),
  };
  const noise = from.uniform() < 0.75 ? 0.005 : u(0.005, 0.02);
  const pixelSize_um = 0.08;
  const pixels = Math.ceil(across_um / pixelSize_um);
  const made = await runTwin({
    seed: from.integer(2 ** 31),
    movie: {
      width: pixels,
      height: pixels,
      pixelSize_um,
      frames: Math.min(160, Math.ceil((start_s + 1.2 * crossing_s + 80) / 5)),
      interval_s: 5,
    },
    drift: { linear_um: [u(-0.3, 0.3), u(-0.3, 0.3)], walk_um: 0.02 },
    lamp: { flicker: 0.005, fading: 0 },
    camera: { noise, prnu: 0.005, level: 8000 },
    particles: [
      {
        outline: { kind: "polygon", points_um },
        brightness: u(1.5, 4),
        changes: kind === "inert" ? [] : [{ kind: "front", to: 1 + u(0.09, 0.16), front }],
      },
    ],
  });
  const truth = truthOf(made);
  const rule = kind === "inert" ? null : labelled(truth);
  const { findings } = await analyseExperiment(recipe, experimentOf(made));
  const [found] = findings.mechanisms!.filter(({ particle }) => particle === 0);
  const known = truth.mechanisms[0]!.nuclei_um;
  return {
    seed,
    how: `${kind}${count > 0 ? ` ${count}` : ""}, ${(1000 * velocity_um_s).toFixed(0)} nm/s, ${radius_um.toFixed(1)} um, noise ${(100 * noise).toFixed(1)} %`,
    truth: rule?.kind ?? "none",
    found: found?.kind ?? "no particle",
    score: found?.score ?? 0,
    rim80: rule?.rim80 ?? null,
    depth: rule?.depth ?? null,
    nuclei: drawn === "radial" ? count : NaN,
    foundNuclei: found?.nuclei_um.length ?? 0,
    apart_um:
      drawn === "radial"
        ? (found?.nuclei_um ?? []).map(([x, y]) => Math.min(...known.map(([a, b]) => Math.hypot(a - x, b - y))))
        : [],
    because: found?.because ?? "",
  };
}

/**
 * The rule on true arrivals. Core: the rim at least 90 % transformed when 80 % of the area is, and the last 5 % deeper than
 * half the inradius; wave: one nucleus, less than 90 % of the rim then, the last 5 % nearer the rim; hybrid: the same of
 * several nuclei; all else, and what lies near a threshold, is undecided.
 */
function labelled(truth: Truth): { readonly kind: string; readonly rim80: number; readonly depth: number } {
  const { arrival_s, width, height } = truth.maps[0]!;
  const mask = Uint8Array.from(arrival_s, (t_s) => (Number.isNaN(t_s) ? 0 : 1));
  const depth_px = distanceTransform(mask, width, height);
  const cells = [...mask.keys()].filter((at) => mask[at] === 1);
  const times = Float64Array.from(cells, (at) => arrival_s[at]!).sort();
  const turned = (share: number): number => times[Math.floor(share * (times.length - 1))]!;
  const rim = cells.filter((at) => depth_px[at]! <= 1.5);
  const rim80 = rim.filter((at) => arrival_s[at]! <= turned(0.8)).length / rim.length;
  const inradius_px = cells.reduce((most, at) => Math.max(most, depth_px[at]!), 0);
  const depth = median(cells.filter((at) => arrival_s[at]! >= turned(0.95)).map((at) => depth_px[at]!)) / inradius_px;
  const several = truth.mechanisms[0]!.nuclei_um.length > 1;
  const near = Math.abs(rim80 - 0.9) < NEAR_RIM || Math.abs(depth - 0.5) < NEAR_DEPTH;
  const full = rim80 >= 0.9;
  const kind = near
    ? "undecided"
    : full && depth > 0.5
      ? "core"
      : !full && depth < 0.5
        ? several
          ? "hybrid"
          : "wave"
        : "undecided";
  return { kind, rim80, depth };
}

/** Mechanisms of drawn movies, through the whole river. */
export const mechanisms: AccuracyGroup<MechanismDraw> = {
  title: "Mechanisms",
  about:
    "Crystals of 3.4 to 5.6 um with five to eight corners; fronts plane, from one to three or from five to nine places of the rim, or inward, 12 to 50 nm/s, step 9 to 16 %, 0.5 % noise (a quarter of them up to 2 %), 80 nm pixels, 5 s frames, drift, flicker, 0.5 % fixed pattern; one in eight does nothing. Through the whole river. The truth's name follows by the rule from its own arrivals; what lies within 0.03 of 90 % of the rim, or 0.06 of half the inradius, has none.",
  draws: FULL,
  sample: 6,
  cost_s: 3,
  draw: mechanismDraw,
  rows: (draws) => {
    const sigmas = allowedSigmas(draws.length, FULL);
    const lost = draws.filter(({ found }) => found === "no particle");
    const moving = draws.filter(({ truth, found }) => truth !== "none" && found !== "no particle");
    const clear = moving.filter(({ truth }) => truth !== "undecided");
    const decided = clear.filter(({ found }) => found !== "undecided");
    const right = decided.filter(({ truth, found }) => truth === found);
    const inert = draws.filter(({ truth, found }) => truth === "none" && found !== "no particle");
    const percent = (part: number, whole: number): string =>
      `${((100 * part) / Math.max(1, whole)).toFixed(1)} % (${part} of ${whole})`;
    const wrong = decided.filter(({ truth, found }) => truth !== found);
    const kinds = ["core", "wave", "hybrid"];
    const radial = clear.filter(({ nuclei }) => Number.isFinite(nuclei) && nuclei !== null);
    const counted = radial.filter(({ nuclei, foundNuclei }) => nuclei === foundNuclei);
    const apart = radial.flatMap(({ apart_um }) => apart_um);
    const bins = [
      [0, 0.7],
      [0.7, 0.9],
      [0.9, 0.98],
      [0.98, 1.01],
    ] as const;
    return [
      {
        what: "mechanism right, of those decided",
        wanted: ">= 95 %",
        ours: percent(right.length, decided.length),
        held: decided.length === 0 ? null : shareAtLeast(right.length, decided.length, 0.95, sigmas),
        note: wrong.map(({ how, truth, found }) => `${how}: ${found} for ${truth}`).join("; "),
      },
      {
        what: "undecided, of fronts whose truth has a name",
        wanted: "<= 10 %",
        ours: percent(clear.length - decided.length, clear.length),
        held: clear.length === 0 ? null : shareAtMost(clear.length - decided.length, clear.length, 0.1, sigmas),
        note: `${moving.length - clear.length} of ${moving.length} fronts have none by the rule.`,
      },
      {
        what: "none for crystals that do nothing",
        wanted: "all",
        ours: percent(inert.filter(({ found }) => found === "none").length, inert.length),
        held: inert.length === 0 ? null : inert.every(({ found }) => found === "none"),
        note: "",
      },
      {
        what: "crystals that were not found",
        wanted: "told",
        ours: `${lost.length} of ${draws.length}`,
        held: null,
        note: lost.map(({ how }) => how).join("; "),
      },
      ...kinds.map((kind): AccuracyRow => {
        const own = clear.filter(({ truth }) => truth === kind);
        const as = (name: string): number => own.filter(({ found }) => found === name).length;
        return {
          what: `${kind} called core / wave / hybrid / other`,
          wanted: "told",
          ours: `${as("core")} / ${as("wave")} / ${as("hybrid")} / ${own.length - as("core") - as("wave") - as("hybrid")}`,
          held: null,
          note: "",
        };
      }),
      ...bins.flatMap(([low, high]): AccuracyRow[] => {
        const own = decided.filter(({ score }) => score >= low && score < high);
        if (own.length === 0) return [];
        const stated = own.reduce((sum, { score }) => sum + score / own.length, 0);
        return [
          {
            what: `right where the stated probability is ${low.toFixed(2)} to ${Math.min(1, high).toFixed(2)}`,
            wanted: `${(100 * stated).toFixed(1)} % stated`,
            ours: percent(own.filter(({ truth, found }) => truth === found).length, own.length),
            held: null,
            note: "",
          },
        ];
      }),
      {
        what: "number of nuclei right, of fronts from places on the rim",
        wanted: "told",
        ours: percent(counted.length, radial.length),
        held: null,
        note: apart.length === 0 ? "" : `Found nuclei lie ${median(apart).toFixed(2)} um from a true one (median).`,
      },
    ];
  },
};
