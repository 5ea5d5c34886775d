/** Outlines of crystals drawn at random: how far they are from the true ones, and whether each crystal is found once. */
import { findParticles } from "../../src/analysis/particles.js";
import { containsPoint, polygonArea, polygonCentroid } from "../../src/kernels/polygon.js";
import { random, type Random } from "../../src/kernels/random.js";
import { quantile } from "../../src/kernels/stats.js";
import { carbonScene, outlineError_px, overlapOf, strewn, type CarbonScene, type Outline } from "../carbon-scene.js";
import { allowedSigmas, rmsWithin, shareAtLeast } from "./allowance.js";
import type { AccuracyGroup, AccuracyRow } from "./group.js";

/** One crystal of an image, held against the outline that was found for it. */
export interface OutlineDraw {
  readonly diameter_um: number;
  /** Standard deviation of the carbon over the step from carbon to this crystal. */
  readonly speckle: number;
  /** Root mean square distance of the found outline from the true one; null where none was found, or one for several. */
  readonly rms_nm: number | null;
  /** Found area over the true one. */
  readonly area: number | null;
  readonly iou: number | null;
}

/** What came of one image. */
export interface OutlinesDraw {
  readonly seed: number;
  readonly crystals: readonly OutlineDraw[];
  readonly missed: number;
  /** Found where there is none, or twice. */
  readonly extra: number;
}

const PSF_UM = 0.118;

/** Outlines of an image against its truths. */
export function heldAgainst(scene: CarbonScene, seed: number): OutlinesDraw {
  const { width, height, pixelSize_um, crystals } = scene;
  const found = findParticles(carbonScene(scene), { minDiameter_um: 1.5, psf_um: PSF_UM, region_px: null });
  const taken = new Set<number>();
  const each = crystals.map(({ outline_px: truth, brightness }): OutlineDraw => {
    const speckle = scene.contrast / (brightness - 1);
    const [x, y] = polygonCentroid(truth);
    const at = found.findIndex(({ outline_px }, index) => !taken.has(index) && containsPoint(outline_px, x, y));
    const area_px = polygonArea(truth);
    const diameter_um = 2 * Math.sqrt(area_px / Math.PI) * pixelSize_um;
    if (at < 0) return { diameter_um, speckle, rms_nm: null, area: null, iou: null };
    taken.add(at);
    const { outline_px } = found[at]!;
    return {
      diameter_um,
      speckle,
      rms_nm: 1000 * pixelSize_um * outlineError_px(outline_px, truth, width, height),
      area: polygonArea(outline_px) / area_px,
      iou: overlapNearby(outline_px, truth),
    };
  });
  return {
    seed,
    crystals: each,
    missed: each.filter(({ rms_nm }) => rms_nm === null).length,
    extra: found.length - taken.size,
  };
}

/** Shared over joint area of two outlines that lie well within an image: only their surroundings are looked at. */
function overlapNearby(a: Outline, b: Outline): number {
  const corners = [...a, ...b];
  const left = Math.floor(Math.min(...corners.map(([x]) => x))) - 1;
  const top = Math.floor(Math.min(...corners.map(([, y]) => y))) - 1;
  const width = Math.ceil(Math.max(...corners.map(([x]) => x))) - left + 2;
  const height = Math.ceil(Math.max(...corners.map(([, y]) => y))) - top + 2;
  const near = (outline: Outline): Outline => outline.map(([x, y]) => [x - left, y - top]);
  return overlapOf(near(a), near(b), width, height);
}

/** An image of 24 x 20 um with one to six crystals whose carbon varies by `speckle` (from, to) of the step up to the faintest. */
export function outlineScene(seed: number, speckle: readonly [number, number]): CarbonScene {
  return sceneOf(seed, {
    across_um: 24,
    down_um: 20,
    count: (from) => 1 + from.integer(6),
    most_um: 12,
    speckle,
    pixel_um: [0.06, 0.1],
    texture: 0.05,
    rims: 0.3,
  });
}

/** An image of 76 x 64 um with forty crystals. */
export function crowdedScene(seed: number): CarbonScene {
  for (let turn = 0; ; turn++) {
    const scene = sceneOf((seed + 7919 * turn) % 2 ** 31, {
      across_um: 76,
      down_um: 64,
      count: () => CROWD,
      most_um: 9,
      speckle: [0.05, MOST_SPECKLE],
      pixel_um: [0.08, 0.1],
      texture: 0,
      rims: 0,
    });
    if (scene.crystals.length === CROWD) return scene;
  }
}

function sceneOf(
  seed: number,
  wish: {
    readonly across_um: number;
    readonly down_um: number;
    readonly count: (from: Random) => number;
    readonly most_um: number;
    readonly speckle: readonly [number, number];
    readonly pixel_um: readonly [number, number];
    /** The most that a face is uneven, and the share of the crystals whose rim is darker or brighter. */
    readonly texture: number;
    readonly rims: number;
  },
): CarbonScene {
  const from = random(seed);
  const between = (low: number, high: number): number => low + (high - low) * from.uniform();
  const pixelSize_um = between(...wish.pixel_um);
  const contrast = between(0.1, 0.6);
  const width = Math.round(wish.across_um / pixelSize_um);
  const height = Math.round(wish.down_um / pixelSize_um);
  const truths = strewn(
    { width, height, pixelSize_um, count: wish.count(from), diameter_um: [3.3, wish.most_um], gap_um: 0.6 },
    from,
  );
  const step = Math.max(0.3, contrast / between(...wish.speckle));
  return {
    width,
    height,
    pixelSize_um,
    psf_um: PSF_UM,
    contrast,
    speckle: from.uniform() < 0.5 ? "coherent" : "grainy",
    vignette: between(0, 0.3),
    noise: between(0.002, 0.01),
    pedestal: from.uniform() < 0.5 ? 0 : 100,
    seed,
    crystals: truths.map((outline_px) => ({
      outline_px,
      brightness: 1 + step * between(1, 1.3),
      texture: between(0, wish.texture),
      rim: from.uniform() < wish.rims ? between(-0.2, 0.2) : 0,
    })),
  };
}

const DRAWS = 240;
/** Carbon of up to so much of the step is what the statements are about; images go on to MOST_SPECKLE. */
const ROUGH = 0.3;
const MOST_SPECKLE = 0.45;
const BANDS = [
  [0, 0.1],
  [0.1, 0.2],
  [0.2, 0.3],
  [0.3, MOST_SPECKLE],
] as const;
const LIMIT_NM = 60;

export const outlines: AccuracyGroup<OutlinesDraw> = {
  title: "Outlines",
  about: `Images of one to six crystals on speckled carbon: convex, of five to eight corners and 3 to 12 um, faces uneven by up to 5 % and every third with a rim that is up to 20 % darker or brighter; carbon of developed or of grainy speckle whose standard deviation is 0.04 to ${MOST_SPECKLE} of the step from carbon to crystal; pixels of 60 to 100 nm, a point spread of 118 nm, noise of 0.2 to 1 %, up to 30 % vignette. A carbon of 0.3 about its mean beside crystals three times as bright is 0.15 of the step. Distance is that of the found outline's points from the true polygon.`,
  draws: DRAWS,
  sample: 8,
  cost_s: 0.5,
  draw: (seed) => heldAgainst(outlineScene(seed, [0.05, MOST_SPECKLE]), seed),
  rows(draws) {
    const sigmas = allowedSigmas(draws.length, DRAWS);
    const crystals = draws.flatMap((draw) => draw.crystals.filter(({ diameter_um }) => diameter_um >= 3));
    return [
      ...BANDS.flatMap(([low, high]) => {
        const own = crystals.filter(({ speckle, rms_nm }) => speckle > low && speckle <= high && rms_nm !== null);
        const rms_nm = own.map((one) => one.rms_nm!);
        if (own.length === 0) return [];
        const all_nm = Math.sqrt(rms_nm.reduce((sum, value) => sum + value ** 2 / own.length, 0));
        const beyond = rms_nm.filter((value) => value > LIMIT_NM).length;
        return [
          {
            what: `outlines of crystals >= 3 um, carbon ${low} to ${high} of the step, rms / nm`,
            wanted: high > ROUGH ? "–" : `<= ${LIMIT_NM}`,
            ours: `${all_nm.toFixed(0)} (median ${quantile(rms_nm, 0.5).toFixed(0)}, 95 % within ${quantile(rms_nm, 0.95).toFixed(0)}, worst ${Math.max(...rms_nm).toFixed(0)}; ${beyond} of ${own.length} beyond ${LIMIT_NM})`,
            held: high > ROUGH ? null : rmsWithin(all_nm, own.length / 4, LIMIT_NM, sigmas),
            note:
              high > ROUGH
                ? `Rougher than the statements are about: single bright grains that touch a crystal are taken for a part of it.`
                : "",
          },
          {
            what: `area, carbon ${low} to ${high} of the step, found over true`,
            wanted: "–",
            ours: `${quantile(
              own.map(({ area }) => area!),
              0.5,
            ).toFixed(3)} (${quantile(
              own.map(({ area }) => area!),
              0.05,
            ).toFixed(3)} to ${quantile(
              own.map(({ area }) => area!),
              0.95,
            ).toFixed(3)})`,
            held: null,
            note: "",
          },
        ];
      }),
      ...[false, true].flatMap((rough): AccuracyRow[] => {
        const large = crystals.filter(({ diameter_um, speckle }) => diameter_um >= 8 && speckle > ROUGH === rough);
        if (large.length === 0) return [];
        const least = Math.min(...large.map(({ iou }) => iou ?? 0));
        const good = large.filter(({ iou }) => (iou ?? 0) >= 0.97).length;
        return [
          {
            what: `shared over joint area of crystals >= 8 um, carbon ${rough ? "above" : "up to"} ${ROUGH} of the step, the least`,
            wanted: rough ? "–" : ">= 0.97",
            ours: `${least.toFixed(3)}; ${good} of ${large.length}`,
            held: rough ? null : shareAtLeast(good, large.length, sigmas === 0 ? 1 : 0.98, sigmas),
            note: "",
          },
        ];
      }),
      ...found(draws, sigmas),
    ];
  },
};

const CROWD = 40;
const CROWDED = 24;

export const crowds: AccuracyGroup<OutlinesDraw> = {
  title: "Many crystals",
  about: `Images of 76 x 64 um with ${CROWD} crystals of 3 to 9 um at least 0.6 um apart, their faces even; all else is drawn as for the outlines.`,
  draws: CROWDED,
  sample: 1,
  cost_s: 4,
  draw: (seed) => heldAgainst(crowdedScene(seed), seed),
  rows: (draws) => found(draws, allowedSigmas(draws.length, CROWDED)),
};

function found(draws: readonly OutlinesDraw[], sigmas: number): AccuracyRow[] {
  return [false, true].flatMap((rough): AccuracyRow[] => {
    const own = draws.filter(({ crystals }) => crystals.some(({ speckle }) => speckle > ROUGH) === rough);
    if (own.length === 0) return [];
    const crystals = own.reduce((sum, draw) => sum + draw.crystals.length, 0);
    const missed = own.reduce((sum, draw) => sum + draw.missed, 0);
    const extra = own.reduce((sum, draw) => sum + draw.extra, 0);
    const clean = own.filter((draw) => draw.missed === 0 && draw.extra === 0).length;
    return [
      {
        what: `images with each crystal found once and nothing else, carbon ${rough ? "above" : "up to"} ${ROUGH} of the step`,
        wanted: "all",
        ours: `${clean} of ${own.length}; ${missed} of ${crystals} crystals missed, ${extra} extra`,
        held: shareAtLeast(clean, own.length, sigmas === 0 ? 1 : 0.99, sigmas),
        note: "",
      },
    ];
  });
}
