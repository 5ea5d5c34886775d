/** Several analyses side by side: their fronts in one table, and which particles of them are the same. */
import { z } from "zod";
import { likenessOf } from "../analysis/likeness.js";
import { matchOutlines, type Outline } from "../analysis/same-outlines.js";
import { polygonCentroid } from "../kernels/polygon.js";
import type { FrontMap } from "../model/experiment.js";
import type { Table } from "./tables.js";

const estimate = z.object({ value: z.number(), sd: z.number().nullable() });
/** Null too where only the value is: what is not finite stands as null in a summary. */
const known = estimate
  .extend({ value: z.number().nullable() })
  .nullable()
  .transform((one) => (one === null || one.value === null ? null : { ...one, value: one.value }));

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
        explained_by: z.object({ cause: z.string() }).nullish(),
      }),
    )
    .default([]),
  kinetics: z
    .array(
      z.object({
        particle: z.number(),
        transition: z.number(),
        velocity_um_s: estimate,
        duration_s: known,
        c_rate_max: known,
        c_rate_mean: known,
      }),
    )
    .default([]),
  mechanisms: z.array(z.object({ transition: z.number().nullable(), kind: z.string() })).default([]),
});

/** One analysis as it is compared. */
export interface Compared {
  /** By which it is told from the others. */
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
  /** What else moved the light, where no front need have passed. */
  readonly explained_by: string | null;
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
    const known = all.slice(0, at).flatMap((earlier) => matchesOf(earlier, one));
    same.push(...known);
    for (const { id } of one.summary.particles) {
      const best = known
        .filter(({ particles }) => particles[1] === id)
        .reduce<SameParticle | null>((found, next) => (found === null || next.iou > found.iou ? next : found), null);
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
        explained_by:
          summary.fronts.find(({ transition }) => transition === found.transition)?.explained_by?.cause ?? null,
      };
    }),
  );
  const warnings: string[] = [];
  const unrated = fronts.filter(({ rate_C }) => rate_C === null).length;
  if (unrated > 0) {
    warnings.push(`${unrated} of ${fronts.length} fronts have no applied rate: no cycler's record, or no mass.`);
  }
  const explained = fronts.filter(({ explained_by }) => explained_by !== null).length;
  if (explained > 0) {
    warnings.push(
      `${explained} of ${fronts.length} fronts are explained by something else and are left out of the figure.`,
    );
  }
  return { fronts, same, paths: pathsOf(all, fronts), warnings };
}

function matchesOf(earlier: Compared, one: Compared): SameParticle[] {
  const [first, second] = [earlier.summary.particles, one.summary.particles];
  return matchOutlines(outlinesOf(earlier), outlinesOf(one)).map((match) => ({
    analyses: [earlier.name, one.name],
    particles: [first[match.first]!.id, second[match.second]!.id],
    iou: match.iou,
  }));
}

/** Outlines in um. */
function outlinesOf({ summary }: Compared): Outline[] {
  const { value } = summary.movie.pixelSize_um;
  return summary.particles.map(({ outline_px }) => outline_px.map(([x, y]) => [x * value, y * value] as const));
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
      explained_by: ({ explained_by }) => explained_by,
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
