/** Domains of the ordered phase: how many, and the walls between them, from the total contrast of one transition. */
import { random } from "../kernels/random.js";
import type { DomainWall, Domains } from "../model/domains.js";
import type { Estimate, FrontMap, Transition } from "../model/experiment.js";
import type { Stack } from "../model/movie.js";
import { frontsCollided } from "./domains-collision.js";
import { orderContrast, type OrderContrast } from "./domains-contrast.js";
import { wallLines } from "./domains-lines.js";
import { againstFacets, threefoldOrder, wallAxis } from "./domains-order.js";
import { borderPlaces, partByWalls, wallMarks, type Parted } from "./domains-walls.js";

export { relateDomains } from "./domains-agreement.js";

/** What is asked of a transition. */
export interface DomainOptions {
  readonly transition: Pick<Transition, "id" | "particle" | "direction" | "start_s" | "end_s" | "sd_s" | "closed">;
  /** 1 inside the outline, and where the stack lies in frame 0. */
  readonly mask: Uint8Array;
  readonly origin_px: readonly [number, number];
  /** Outline in px of frame 0; null where its edges do not matter. */
  readonly outline_px: readonly (readonly [number, number])[] | null;
  /** Arrivals of the same transition; null where no front was followed. */
  readonly front: FrontMap | null;
  readonly psf_um: number;
  /** Where walls of this contrast cannot be seen, nothing is said of their absence. */
  readonly least_contrast: number;
}

/** Change of the mean light, in standard errors, from which on something ordered; and a wall's contrast. */
const STEP_SD = 4;
const WALL_SD = 4;
/** A line wider than this is no wall but a shade. */
const SHARP_UM = 0.45;
/** New walls move for about as long as a front needs. */
const SETTLING_S = 60;
/** Images without walls are drawn from this seed, so that an analysis repeats to the last bit. */
const SEED = 120;

/**
 * Domains after ordering (on delithiation) or before disordering (on lithiation), from a stack that holds frames before and after
 * the window.
 *
 * Walls stay bright as long as the order lasts, so the total contrast I_after / I_before - 1 shows them and no line where fronts of
 * one variant met. The particle is parted along the crests of its ridges that no image without walls has (see partByWalls); each
 * wall is then fitted as a line. Where order brings no wall that could have been seen, there is one domain.
 * `count` is null, with the reason, where noise would hide walls, the window is cut off, or nothing changed.
 */
export function measureDomains(stack: Stack, options: DomainOptions): Domains {
  const { transition, mask, origin_px, outline_px, front, psf_um, least_contrast } = options;
  const { width, height, pixelSize_um } = stack;
  const sign = transition.direction === "lithiation" || transition.direction === "darkening" ? -1 : 1;
  const found = orderContrast(stack, mask, transition, { psf_um, wait_s: sign > 0 ? SETTLING_S : 0 });
  if (found === null) {
    return unmeasured(options, stack, "fewer than three frames, or too few pixels, show the particle before and after");
  }
  const psf_px = psf_um / pixelSize_um;
  const from = random(SEED);
  const parted = partByWalls(found.fine, width, height, psf_px, from);
  const { labels, walls, meetings, dropped } = sharpWalls(found, parted, stack, psf_px);
  const contrast = walls.map((wall): DomainWall => {
    const { value, sd, n } = wall.contrast;
    const move = ([x, y]: readonly [number, number]): readonly [number, number] => [x + origin_px[0], y + origin_px[1]];
    return { ...wall, line_px: wall.line_px.map(move), contrast: { value: sign * parted.sign * value, sd, n } };
  });
  const marked = wallMarks(labels, width, height, 1.5 * parted.scale_px);
  // Disorder heals wherever it meets, where a wall had been too.
  const stays = sign > 0 ? wallMarks(labels, width, height, 3 * parted.scale_px) : new Uint8Array(labels.length);
  const sought = walls.length > 0 ? marked : found.fine.map((value) => (Number.isFinite(value) ? 1 : 0));
  const axis_deg = wallAxis(walls);
  const directed = contrast.filter(({ angle_deg }) => angle_deg !== null);
  const areas = labels.reduce((most, label) => Math.max(most, label), 0);
  const { count, because } = verdict(areas, contrast, parted, found, dropped, options, least_contrast);
  return {
    particle: transition.particle,
    transition: transition.id,
    count,
    wall_angles_deg: directed.map(({ angle_deg }) => angle_deg!.value),
    wall_angles_sd_deg: directed.map(({ angle_deg }) => angle_deg!.sd!),
    walls: contrast,
    meetings: meetings.map(({ x_px, y_px }) => ({
      x_px: { ...x_px, value: x_px.value + origin_px[0] },
      y_px: { ...y_px, value: y_px.value + origin_px[1] },
    })),
    threefold: threefoldOrder(
      parted.ridges,
      Uint8Array.from(sought),
      walls,
      { width, height, scale_px: parted.scale_px },
      parted.surrogates,
      from,
    ),
    wall_p: walls.length > 0 ? parted.p : null,
    collision: front === null ? null : frontsCollided(front, stays, psf_px),
    step: found.step,
    faintest_wall: Number.isFinite(parted.faintest) ? parted.faintest : null,
    axis_deg,
    facets: outline_px === null ? null : againstFacets(outline_px, axis_deg),
    reversibility: null,
    repeats: [],
    because,
    origin_px,
    width,
    height,
    contrast: found.total,
    noise: found.noise,
    ridge: parted.ridges.strength.map((value, at) => (Number.isFinite(found.fine[at]!) ? value : NaN)),
    domain: labels,
  };
}

/** Walls that are bright and sharp all along; areas on both sides of what is neither are one. */
function sharpWalls(
  { fine }: OrderContrast,
  { sign, scale_px, areas }: Parted,
  { width, height, pixelSize_um }: Stack,
  psf_px: number,
): {
  readonly labels: Int32Array;
  readonly walls: readonly DomainWall[];
  readonly meetings: ReturnType<typeof wallLines>["meetings"];
  readonly dropped: number;
} {
  const scene = { image: fine.map((value) => sign * value), width, height, pixelSize_um, psf_px, scale_px };
  let labels = areas.labels;
  let dropped = 0;
  for (;;) {
    const { walls, meetings } = wallLines(scene, labels);
    const enclosed = enclosedArea(labels, width, height);
    const blunt = walls.find(
      ({ width_um, contrast: { value, sd } }) => width_um > SHARP_UM || (sd !== null && !(value > WALL_SD * sd)),
    );
    const joined: readonly [number, number] | null = enclosed ?? blunt?.between ?? null;
    if (joined === null) return { labels, walls, meetings, dropped };
    dropped++;
    labels = joinAreas(labels, joined);
  }
}

/** An area that touches one other and not the rim: a ring about a spot is no wall. */
function enclosedArea(labels: Int32Array, width: number, height: number): readonly [number, number] | null {
  const neighbours = new Map<number, Set<number>>();
  for (const [, , a, b] of borderPlaces(labels, width, height)) {
    for (const [one, other] of [
      [a, b],
      [b, a],
    ] as const) {
      const known = neighbours.get(one) ?? new Set<number>();
      neighbours.set(one, known.add(other));
    }
  }
  const atRim = new Set<number>();
  for (let at = 0; at < labels.length; at++) {
    if (labels[at] === 0) continue;
    const x = at % width;
    const edge = x === 0 || x === width - 1 || at < width || at >= labels.length - width;
    if (edge || labels[at - 1] === 0 || labels[at + 1] === 0 || labels[at - width] === 0 || labels[at + width] === 0)
      atRim.add(labels[at]!);
  }
  for (const [one, others] of neighbours) {
    if (others.size === 1 && !atRim.has(one)) return [one, [...others][0]!];
  }
  return null;
}

function joinAreas(labels: Int32Array, [a, b]: readonly [number, number]): Int32Array {
  const [kept, gone] = [Math.min(a, b), Math.max(a, b)];
  return labels.map((label) => (label === gone ? kept : label > gone ? label - 1 : label));
}

function verdict(
  areas: number,
  walls: readonly DomainWall[],
  parted: Parted,
  { step }: OrderContrast,
  dropped: number,
  { transition, front }: DomainOptions,
  least_contrast: number,
): { readonly count: number | null; readonly because: string } {
  const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
  if (!transition.closed) {
    return { count: null, because: "the movie does not hold the whole transition, so its total contrast is a part." };
  }
  if (walls.length > 0) {
    const contrasts = walls.map(({ contrast }) => Math.abs(contrast.value)).filter(Number.isFinite);
    const least = Math.min(...contrasts);
    const list = walls
      .flatMap(({ angle_deg }) => (angle_deg === null ? [] : [`${angle_deg.value.toFixed(0)}°`]))
      .join(", ");
    const found = `${walls.length === 1 ? "one line" : `${walls.length} lines`} (${list}) of ${percent(least)} and more ${walls.length === 1 ? "parts" : "part"} the particle into ${areas}, with a chance of ${parted.p!.toPrecision(1)} in an image without walls`;
    if (contrasts.length === 0 || least < parted.faintest) {
      return { count: null, because: `${found}; as faint walls may be missed, this is a least number.` };
    }
    return { count: areas, because: `${found}.` };
  }
  if (!(parted.faintest <= least_contrast)) {
    return {
      count: null,
      because: `walls fainter than ${percent(parted.faintest)} would be hidden, so that none is found says nothing.`,
    };
  }
  const stepped = step !== null && step.sd !== null && Math.abs(step.value) > STEP_SD * step.sd;
  if (!stepped && front === null) {
    return {
      count: null,
      because: "neither the mean light nor any line changed: nothing shows that order came or went.",
    };
  }
  const shades = dropped > 0 ? `, and ${dropped} that are too broad or too faint` : "";
  return {
    count: 1,
    because: `no line of ${percent(parted.faintest)} or more parts the particle${shades}: one domain.`,
  };
}

function unmeasured({ transition, origin_px }: DomainOptions, stack: Stack, why: string): Domains {
  const { width, height } = stack;
  const nothing = (): Float32Array => new Float32Array(width * height).fill(NaN);
  const none: Estimate | null = null;
  return {
    particle: transition.particle,
    transition: transition.id,
    count: null,
    wall_angles_deg: [],
    wall_angles_sd_deg: [],
    walls: [],
    meetings: [],
    threefold: { value: null, p: null },
    wall_p: null,
    collision: null,
    step: none,
    faintest_wall: null,
    axis_deg: none,
    facets: null,
    reversibility: null,
    repeats: [],
    because: `${why}.`,
    origin_px,
    width,
    height,
    contrast: nothing(),
    noise: null,
    ridge: nothing(),
    domain: new Int32Array(width * height),
  };
}
