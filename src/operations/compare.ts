/** Several analyses side by side: their fronts in one table, and which particles of them are the same. */
import { z } from "zod";
import { likenessOf } from "../analysis/likeness.js";
import { maskOfPolygon, polygonCentroid } from "../kernels/polygon.js";
import type { FrontMap } from "../model/experiment.js";
import type { Table } from "./tables.js";

const estimate = z.object({ value: z.number(), sd: z.number().nullable(), n: z.number() });

/** What a comparison reads of a summary.json; more keys may stand in it. */
export const comparedSchema = z.object({
  ionoscope: z.string(),
  movie: z.object({ pixelSize_um: z.object({ value: z.number() }) }),
  particles: z.array(z.object({ id: z.number(), outline_px: z.array(z.tuple([z.number(), z.number()])) })).default([]),
  transitions: z
    .array(
      z.object({
        id: z.number(),
        particle: z.number(),
        kind: z.string(),
        direction: z.string(),
        halfCycle: z.number().nullable(),
        rate_C: z.number().nullable(),
        start_s: z.number(),
      }),
    )
    .default([]),
  fronts: z
    .array(
      z.object({
        transition: z.number(),
        map: z.string(),
        origin_px: z.tuple([z.number(), z.number()]),
        width: z.number(),
        height: z.number(),
      }),
    )
    .default([]),
  kinetics: z
    .array(
      z.object({
        particle: z.number(),
        transition: z.number(),
        velocity_um_s: estimate,
        t50_s: estimate,
        duration_s: estimate.nullable(),
        c_rate_max: estimate.nullable(),
        c_rate_mean: estimate.nullable(),
      }),
    )
    .default([]),
  mechanisms: z.array(z.object({ transition: z.number().nullable(), kind: z.string(), score: z.number() })).default([]),
});

/** One analysis as it is compared. */
export interface Compared {
  /** As named by the user. */
  readonly name: string;
  readonly summary: z.infer<typeof comparedSchema>;
  /** Arrivals of each front by its transition; what likeness is told from. */
  readonly maps: ReadonlyMap<number, Float32Array>;
}

/** One front of one analysis. */
export interface ComparedFront {
  readonly analysis: string;
  readonly particle: number;
  /** Number of the particle over all analyses: those that are the same share it. */
  readonly same: number;
  readonly transition: number;
  readonly halfCycle: number | null;
  readonly kind: string;
  readonly direction: string;
  readonly rate_C: number | null;
  readonly velocity_um_s: { readonly value: number; readonly sd: number | null };
  readonly c_rate_max: { readonly value: number; readonly sd: number | null } | null;
  readonly c_rate_mean: { readonly value: number; readonly sd: number | null } | null;
  readonly duration_s: { readonly value: number; readonly sd: number | null } | null;
  readonly mechanism: string;
}

/** Two particles of two analyses, and how alike their outlines are. */
export interface SameParticle {
  readonly analyses: readonly [string, string];
  readonly particles: readonly [number, number];
  /** Shared over joint area, centroids laid on each other. */
  readonly iou: number;
}

/** Two paths of the same particle in two analyses. */
export interface ComparedPaths {
  readonly analyses: readonly [string, string];
  readonly transitions: readonly [number, number];
  readonly same: number;
  readonly kind: string;
  readonly direction: string;
  readonly likeness: { readonly value: number; readonly sd: number | null } | null;
  readonly byShape: number | null;
  readonly p: number | null;
}

/** What a comparison finds. */
export interface Comparison {
  readonly fronts: readonly ComparedFront[];
  readonly same: readonly SameParticle[];
  readonly paths: readonly ComparedPaths[];
  readonly warnings: readonly string[];
}

/** Outlines less alike than this are of other particles; and so are those that two others match nearly as well. */
const SAME_IOU = 0.85;
const CLEARLY = 0.05;
/** Cells along a particle on which outlines are laid on each other. */
const CELLS = 120;

/**
 * Compares analyses in the order in which they are given. A particle is the same as one of an earlier analysis where their
 * outlines, in um and with their centroids laid on each other, share 85 % of their joint area, and where no other particle of either
 * analysis matches within 0.05 of that: when in doubt it is another one. Paths are compared where pixels are of one size.
 */
export function compareAnalyses(all: readonly Compared[]): Comparison {
  const same: SameParticle[] = [];
  const numbers = new Map<string, number>();
  const nameOf = (name: string, particle: number): string => `${name}\n${particle}`;
  let count = 0;
  for (const [at, one] of all.entries()) {
    for (const { id } of one.summary.particles) {
      const known = all.slice(0, at).flatMap((earlier) => matchOf(earlier, one, id) ?? []);
      const best = known.reduce<SameParticle | null>(
        (found, next) => (found === null || next.iou > found.iou ? next : found),
        null,
      );
      same.push(...known);
      const number = best === null ? undefined : numbers.get(nameOf(best.analyses[0], best.particles[0]));
      numbers.set(nameOf(one.name, id), number ?? count++);
    }
  }
  const numberOf = (name: string, particle: number): number => numbers.get(nameOf(name, particle)) ?? -1;
  const fronts = all.flatMap(({ name, summary }) =>
    summary.kinetics.map((found): ComparedFront => {
      const window = summary.transitions.find(({ id }) => id === found.transition);
      return {
        analysis: name,
        particle: found.particle,
        same: numberOf(name, found.particle),
        transition: found.transition,
        halfCycle: window?.halfCycle ?? null,
        kind: window?.kind ?? "unknown",
        direction: window?.direction ?? "unknown",
        rate_C: window?.rate_C ?? null,
        velocity_um_s: found.velocity_um_s,
        c_rate_max: found.c_rate_max,
        c_rate_mean: found.c_rate_mean,
        duration_s: found.duration_s,
        mechanism: summary.mechanisms.find(({ transition }) => transition === found.transition)?.kind ?? "undecided",
      };
    }),
  );
  const unrated = fronts.filter(({ rate_C }) => rate_C === null).length;
  return {
    fronts,
    same,
    paths: pathsOf(all, fronts),
    warnings:
      unrated === 0
        ? []
        : [`${unrated} of ${fronts.length} fronts have no applied rate: no cycler's record, or no mass.`],
  };
}

/** The particle of an earlier analysis that a particle is; null where there is none, or more than one. */
function matchOf(earlier: Compared, one: Compared, id: number): SameParticle | null {
  const alike = (a: Compared, b: Compared, of: number): { readonly id: number; readonly iou: number }[] =>
    a.summary.particles
      .map((other) => ({ id: other.id, iou: sharedArea(outlineOf(a, other.id), outlineOf(b, of)) }))
      .sort((x, y) => y.iou - x.iou);
  const [best, second] = alike(earlier, one, id);
  if (best === undefined || best.iou < SAME_IOU || (second !== undefined && best.iou - second.iou < CLEARLY))
    return null;
  const [back, other] = alike(one, earlier, best.id);
  if (back!.id !== id || (other !== undefined && back!.iou - other.iou < CLEARLY)) return null;
  return { analyses: [earlier.name, one.name], particles: [best.id, id], iou: best.iou };
}

type Outline = readonly (readonly [number, number])[];

/** Outline in um about its centroid. */
function outlineOf({ summary }: Compared, id: number): Outline {
  const { outline_px } = summary.particles.find((one) => one.id === id)!;
  const [cx, cy] = polygonCentroid(outline_px);
  const { value } = summary.movie.pixelSize_um;
  return outline_px.map(([x, y]) => [(x - cx) * value, (y - cy) * value] as const);
}

function sharedArea(a: Outline, b: Outline): number {
  const far_um = Math.max(...[...a, ...b].flat().map(Math.abs));
  const scale = CELLS / (2.05 * far_um);
  const mask = (outline: Outline): Uint8Array =>
    maskOfPolygon(
      outline.map(([x, y]) => [(x + 1.02 * far_um) * scale, (y + 1.02 * far_um) * scale] as const),
      CELLS,
      CELLS,
    );
  const [one, other] = [mask(a), mask(b)];
  let [shared, joint] = [0, 0];
  for (let at = 0; at < one.length; at++) {
    shared += one[at]! & other[at]!;
    joint += one[at]! | other[at]!;
  }
  return joint === 0 ? 0 : shared / joint;
}

function pathsOf(all: readonly Compared[], fronts: readonly ComparedFront[]): ComparedPaths[] {
  return fronts.flatMap((first, at) =>
    fronts.slice(at + 1).flatMap((second): ComparedPaths[] => {
      if (
        first.analysis === second.analysis ||
        first.same !== second.same ||
        first.kind !== second.kind ||
        first.direction !== second.direction
      ) {
        return [];
      }
      const [a, b] = [mapOf(all, first), mapOf(all, second)];
      if (a === null || b === null || Math.abs(a.pixelSize_um / b.pixelSize_um - 1) > 0.01) return [];
      return [
        {
          analyses: [first.analysis, second.analysis],
          transitions: [first.transition, second.transition],
          same: first.same,
          kind: first.kind,
          direction: first.direction,
          ...likenessOf(a, b),
        },
      ];
    }),
  );
}

/** A front's map about its particle's centroid, to the whole pixel. */
function mapOf(all: readonly Compared[], { analysis, particle, transition }: ComparedFront): FrontMap | null {
  const { summary, maps } = all.find(({ name }) => name === analysis)!;
  const front = summary.fronts.find((one) => one.transition === transition);
  const arrival_s = maps.get(transition);
  if (front === undefined || arrival_s === undefined) return null;
  const [cx, cy] = polygonCentroid(summary.particles.find(({ id }) => id === particle)!.outline_px);
  return {
    particle,
    transition,
    width: front.width,
    height: front.height,
    pixelSize_um: summary.movie.pixelSize_um.value,
    origin_px: [front.origin_px[0] - Math.round(cx), front.origin_px[1] - Math.round(cy)],
    mask: Uint8Array.from(arrival_s, (t_s) => (Number.isFinite(t_s) ? 1 : 0)),
    arrival_s,
    sd_s: new Float32Array(arrival_s.length),
    step: new Float32Array(arrival_s.length),
    unchanged: new Uint8Array(arrival_s.length),
    estimator: "step+line",
    bias_s: 0,
    covered: 1,
    lag_s: 0,
    localisation_nm_per_segment_um: null,
  };
}

/** The comparison's tables by file name without ending. */
export function comparisonTables({ fronts, same, paths }: Comparison): Record<string, Table> {
  const columns = <Row>(
    rows: readonly Row[],
    cells: Readonly<Record<string, (row: Row) => number | string | null>>,
  ): Table => Object.fromEntries(Object.entries(cells).map(([name, read]) => [name, rows.map(read)]));
  return {
    fronts: columns(fronts, {
      analysis: ({ analysis }) => analysis,
      particle: ({ particle }) => particle,
      same_particle: ({ same: number }) => number,
      transition: ({ transition }) => transition,
      half_cycle: ({ halfCycle }) => halfCycle,
      kind: ({ kind }) => kind,
      direction: ({ direction }) => direction,
      rate_C: ({ rate_C }) => rate_C,
      velocity_um_s: ({ velocity_um_s }) => velocity_um_s.value,
      velocity_sd_um_s: ({ velocity_um_s }) => velocity_um_s.sd,
      c_rate_max: ({ c_rate_max }) => c_rate_max?.value ?? null,
      c_rate_max_sd: ({ c_rate_max }) => c_rate_max?.sd ?? null,
      c_rate_mean: ({ c_rate_mean }) => c_rate_mean?.value ?? null,
      duration_s: ({ duration_s }) => duration_s?.value ?? null,
      mechanism: ({ mechanism }) => mechanism,
    }),
    same_particles: columns(same, {
      analysis: ({ analyses }) => analyses[0],
      particle: ({ particles }) => particles[0],
      other_analysis: ({ analyses }) => analyses[1],
      other_particle: ({ particles }) => particles[1],
      shared_over_joint_area: ({ iou }) => iou,
    }),
    paths: columns(paths, {
      analysis: ({ analyses }) => analyses[0],
      transition: ({ transitions }) => transitions[0],
      other_analysis: ({ analyses }) => analyses[1],
      other_transition: ({ transitions }) => transitions[1],
      same_particle: ({ same: number }) => number,
      direction: ({ direction }) => direction,
      likeness: ({ likeness }) => likeness?.value ?? null,
      likeness_sd: ({ likeness }) => likeness?.sd ?? null,
      by_shape: ({ byShape }) => byShape,
      p: ({ p }) => p,
    }),
  };
}
