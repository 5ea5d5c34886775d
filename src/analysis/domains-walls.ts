/** Walls by their crests: which lines part a particle, and what chance an image without walls has to show the like. */
import type { Random } from "../kernels/random.js";
import { ridges, ridgeStrength, type Ridges } from "../kernels/ridges.js";
import { madSigma, median, quantile } from "../kernels/stats.js";
import { spectrumOf, surrogatesOf } from "../kernels/surrogate.js";
import { watersheds, type Watersheds } from "../kernels/watershed.js";

/** A particle parted by its walls. */
export interface Parted {
  /** 1 where walls are bright in the image, -1 where they are dark. */
  readonly sign: 1 | -1;
  readonly scale_px: number;
  readonly ridges: Ridges;
  readonly areas: Watersheds;
  /** Crest from which on a line counts. */
  readonly least: number;
  /** Chance of a crest as high as the lowest wall's in an image without walls; null without a wall. */
  readonly p: number | null;
  /** Contrast of a wall as sharp as the point spread that would have been found in 19 of 20. */
  readonly faintest: number;
  /** Fluctuations of the ridge filter's answer without walls. */
  readonly fluctuation: number;
  /** Images without walls that the least crest comes from. */
  readonly surrogates: readonly Float32Array[];
}

/** Widths of the lines sought, in point spreads. */
const SCALES_PSF = [1, 1.5, 2.2];
/** No narrower than this: a line thinner than a pixel is noise. */
const LEAST_SCALE_PX = 1.1;
/** A domain is no smaller than this many squares of the filter's width. */
const LEAST_AREA = 25;
/** Images without walls that are drawn each time. */
const SURROGATES = 50;
/** Chance at which a crest counts. */
const CHANCE = 0.002;
/** A wall's mark in the image that is taken out before the next images without walls are drawn, in filter widths. */
const MARK = 2.5;
const ROUNDS = 3;

/**
 * Parts the known pixels of an image (NaN elsewhere) along its walls.
 *
 * A wall is the crest of a ridge filter that holds along its whole way from rim to rim or to other walls. How high it must
 * be is told by images with random phases and the image's own power at each scale, the same in all directions: the crests
 * that these show follow a Gumbel distribution, and one of chance 0.002 counts. So the face's roughness and all that noise
 * does is in the threshold, walls as well; they are taken out of the power once they are found, and fainter ones sought.
 */
export function partByWalls(fine: Float32Array, width: number, height: number, psf_px: number, from: Random): Parted {
  const inside = fine.map((value) => (Number.isFinite(value) ? 1 : 0));
  const { sign, scale_px } = plainest(fine, width, height, psf_px);
  const image = fine.map((value) => sign * value);
  const found = ridges(image, width, height, scale_px);
  const map = known(found.strength, inside);
  const least_px = LEAST_AREA * scale_px * scale_px;
  const part = (values: Float32Array, least: number): Watersheds =>
    watersheds(values, width, height, { least, least_px });

  let rest = image;
  let chance: Chance = { least: Infinity, p: () => 1, fluctuation: 0, surrogates: [] };
  let areas: Watersheds | null = null;
  for (let round = 0; round < ROUNDS; round++) {
    const drawn = chanceCrests(rest, inside, width, height, scale_px, least_px, from);
    // Taking walls out can only lower the power.
    if (drawn.least < chance.least) chance = drawn;
    const next = part(map, chance.least);
    const more = areas === null ? next.count > 1 : next.count > areas.count;
    areas = next;
    if (!more) break;
    const marked = wallMarks(next.labels, width, height, MARK * scale_px);
    rest = image.map((value, at) => (marked[at] === 1 ? NaN : value));
  }
  const { least, p, fluctuation, surrogates } = chance;
  // A line of the point spread's own width, seen by the filter; the mean of a lower half lies 0.8 sigma low.
  const answer = (scale_px ** 2 * psf_px) / (psf_px ** 2 + scale_px ** 2) ** 1.5;
  return {
    sign,
    scale_px,
    ridges: found,
    areas: areas!,
    least,
    p: areas!.count > 1 ? p(areas!.lowest) : null,
    faintest: (least + 1.3 * fluctuation) / answer,
    fluctuation,
    surrogates,
  };
}

/** The sign and width at which the strongest ridges stand out the most. */
function plainest(
  fine: Float32Array,
  width: number,
  height: number,
  psf_px: number,
): { readonly sign: 1 | -1; readonly scale_px: number } {
  let best = { sign: 1 as 1 | -1, scale_px: Math.max(LEAST_SCALE_PX, SCALES_PSF[1]! * psf_px), height: -Infinity };
  for (const scale of SCALES_PSF) {
    const scale_px = Math.max(LEAST_SCALE_PX, scale * psf_px);
    for (const sign of [1, -1] as const) {
      const strength = ridgeStrength(
        fine.map((value) => sign * value),
        width,
        height,
        scale_px,
      );
      const values = strength.filter((_, at) => Number.isFinite(fine[at]!));
      const standing = (quantile(values, 0.97) - median(values)) / madSigma(values);
      if (standing > best.height) best = { sign, scale_px, height: standing };
    }
  }
  return best;
}

function known(strength: Float32Array, inside: Float32Array): Float32Array {
  return strength.map((value, at) => (inside[at] === 1 ? value : NaN));
}

/** What images without walls show. */
interface Chance {
  readonly least: number;
  /** Chance of a crest as high as this. */
  readonly p: (crest: number) => number;
  readonly fluctuation: number;
  readonly surrogates: readonly Float32Array[];
}

/** Highest crests of images without walls: Gumbel's distribution by its first two moments. */
function chanceCrests(
  image: Float32Array,
  inside: Float32Array,
  width: number,
  height: number,
  scale_px: number,
  least_px: number,
  from: Random,
): Chance {
  const spectrum = spectrumOf(image, width, height);
  const surrogates: Float32Array[] = [];
  const crests: number[] = [];
  let spread = 0;
  for (let draw = 0; draw < SURROGATES; draw += 2) {
    for (const drawn of surrogatesOf(spectrum, from)) {
      const surrogate = known(drawn, inside);
      const map = known(ridgeStrength(surrogate, width, height, scale_px), inside);
      surrogates.push(surrogate);
      spread += madSigma(map) / SURROGATES;
      crests.push(watersheds(map, width, height, { least: Infinity, least_px }).taken);
    }
  }
  const finite = crests.filter(Number.isFinite);
  if (finite.length < SURROGATES / 2) return { least: Infinity, p: () => 1, fluctuation: spread, surrogates };
  const mean = finite.reduce((sum, crest) => sum + crest, 0) / finite.length;
  const variance = finite.reduce((sum, crest) => sum + (crest - mean) ** 2, 0) / (finite.length - 1);
  const beta = Math.sqrt(6 * variance) / Math.PI;
  const mode = mean - 0.5772 * beta;
  return {
    least: mode - beta * Math.log(-Math.log(1 - CHANCE)),
    p: (crest) => -Math.expm1(-Math.exp(-(crest - mode) / beta)),
    fluctuation: spread,
    surrogates,
  };
}

/** 1 on pixels within a distance of the border between two areas. */
export function wallMarks(labels: Int32Array, width: number, height: number, reach_px: number): Uint8Array {
  const marked = new Uint8Array(labels.length);
  const reach = Math.floor(reach_px);
  for (const [x, y] of borderPlaces(labels, width, height)) {
    for (let dy = -reach; dy <= reach + 1; dy++) {
      for (let dx = -reach; dx <= reach + 1; dx++) {
        const [px, py] = [Math.floor(x) + dx, Math.floor(y) + dy];
        if (px < 0 || py < 0 || px >= width || py >= height) continue;
        if ((px - x) ** 2 + (py - y) ** 2 <= reach_px * reach_px) marked[py * width + px] = 1;
      }
    }
  }
  return marked;
}

/** Middles of the sides between pixels of two areas, and the two. */
export function borderPlaces(
  labels: Int32Array,
  width: number,
  height: number,
): (readonly [x: number, y: number, a: number, b: number])[] {
  const places: [number, number, number, number][] = [];
  const meet = (x: number, y: number, one: number, other: number): void => {
    if (one > 0 && other > 0 && one !== other) places.push([x, y, Math.min(one, other), Math.max(one, other)]);
  };
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const label = labels[y * width + x]!;
      if (x + 1 < width) meet(x + 0.5, y, label, labels[y * width + x + 1]!);
      if (y + 1 < height) meet(x, y + 0.5, label, labels[(y + 1) * width + x]!);
    }
  }
  return places;
}
