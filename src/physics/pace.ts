/** How fast a front goes: a velocity that changes along its way, and stages with a pace of their own. */
import { pair, records, refuse, within } from "./check.js";

/** A stretch of the front's way, ended when this share of the crystal's area is transformed. */
export interface StageSpec {
  readonly until: number;
  /** How long it takes; null: as long as the velocity asks for. */
  readonly lasts_s: number | null;
}

/** How fast a front moves. */
export interface Pace {
  readonly start_s: number;
  /** One velocity, or that at the beginning and at the end of the way, linear in the way between. */
  readonly velocity_um_s: number | readonly [number, number];
  /** Stage by stage up to `until` 1; empty: the velocity alone. */
  readonly stages: readonly StageSpec[];
}

/** A piece of time on the front's own clock. */
export interface Phases {
  readonly from_s: number;
  readonly to_s: number;
  readonly weight: number;
}

/** No front is faster, no stage longer and none begins farther from the movie's first frame. */
const FASTEST_um_s = 1e6;
const LONGEST_s = 1e9;

/** Throws a ParameterError, its names after `name`, for a pace that is none: velocities, stages that rise to 1. */
export function checkPace(name: string, spec: Pace): void {
  within(`${name}.start_s`, spec.start_s, -LONGEST_s, LONGEST_s);
  const { velocity_um_s: given } = spec;
  const cure = "Give one or two positive velocities: 0.02 is 20 nm/s";
  if (typeof given === "number") within(`${name}.velocity_um_s`, given, 1 / FASTEST_um_s, FASTEST_um_s, cure);
  else pair(`${name}.velocity_um_s`, given, 1 / FASTEST_um_s, FASTEST_um_s, cure);
  records(`${name}.stages`, spec.stages, 0, 10_000, "Give a list of { until, lasts_s }, or an empty one");
  let before = 0;
  for (const [index, { until, lasts_s }] of spec.stages.entries()) {
    const isLast = index === spec.stages.length - 1;
    const least = isLast ? 1 : before;
    const rise = "Let it rise from stage to stage and end at 1";
    within(`${name}.stages.${index}.until`, until, least, 1, rise);
    if (!(until > before)) refuse(`${name}.stages.${index}.until`, until, rise);
    if (lasts_s !== null)
      within(`${name}.stages.${index}.lasts_s`, lasts_s, 1e-6, LONGEST_s, "Give positive seconds, or null");
    before = until;
  }
}

/** The velocity at the beginning and at the end. */
export function endVelocities({ velocity_um_s: given }: Pace): readonly [number, number] {
  return typeof given === "number" ? [given, given] : [given[0], given[1]];
}

/**
 * v(q) = first + (last - first) q / longest, so that tau(q) = ln(v(q) / first) (longest / (last - first)).
 * Before the beginning and past the end the velocity stays as it was there.
 */
export function velocityLaw(
  first: number,
  last: number,
  longest_um: number,
): { speed_um_s(q: number): number; duration_s(q: number): number } {
  const slope = (last - first) / longest_um;
  const speed_um_s = (q: number): number => first + slope * Math.min(longest_um, Math.max(0, q));
  // log1p(e) / e -> 1 as the velocity becomes even.
  const even = Math.abs(slope * longest_um) < 1e-9 * first;
  return {
    speed_um_s,
    duration_s(q) {
      if (q <= 0 || even) return q / first;
      const within = Math.min(q, longest_um);
      return Math.log1p((slope * within) / first) / slope + (q - within) / last;
    },
  };
}

/** A front's own clock and the movie's. */
export interface FrontClock {
  /** The movie's time at a moment of the front's own. */
  time_s(phase_s: number): number;
  /** Seconds of the movie for one of the front's own. */
  stretch(phase_s: number): number;
  /** A stretch of the movie's time in pieces in which the front's own clock runs evenly, weights summing to 1. */
  phases(from_s: number, to_s: number): Phases[];
}

/**
 * The clock of the movie against the front's own: even within a stage. `phases`: sorted passings of places that fill the
 * crystal evenly; `last_s`: the last of all.
 */
export function clockOf(spec: Pace, phases: Float64Array, last_s: number): FrontClock {
  const knots: { phase_s: number; time_s: number; stretch: number }[] = [];
  let phase_s = 0;
  let time_s = spec.start_s;
  for (const [index, stage] of spec.stages.entries()) {
    const isLast = index === spec.stages.length - 1;
    const end_s = isLast ? last_s : phases[Math.floor(stage.until * (phases.length - 1))]!;
    const own_s = Math.max(end_s - phase_s, 1e-6);
    knots.push({ phase_s, time_s, stretch: (stage.lasts_s ?? own_s) / own_s });
    phase_s += own_s;
    time_s += stage.lasts_s ?? own_s;
  }
  if (knots.length === 0) knots.push({ phase_s: 0, time_s: spec.start_s, stretch: 1 });
  const at = (known: (knot: (typeof knots)[number]) => boolean): (typeof knots)[number] =>
    knots.findLast(known) ?? knots[0]!;
  const phaseOf = (time: number): number => {
    const knot = at((candidate) => candidate.time_s <= time);
    return knot.phase_s + (time - knot.time_s) / knot.stretch;
  };
  return {
    time_s(phase) {
      const knot = at((candidate) => candidate.phase_s <= phase);
      return knot.time_s + (phase - knot.phase_s) * knot.stretch;
    },
    stretch: (phase) => at((candidate) => candidate.phase_s <= phase).stretch,
    phases(from_s, to_s) {
      const inner = knots.map((knot) => knot.time_s).filter((time) => time > from_s && time < to_s);
      const ends = [from_s, ...inner, to_s];
      if (to_s <= from_s) return [{ from_s: phaseOf(from_s), to_s: phaseOf(from_s), weight: 1 }];
      return ends.slice(1).map((end, index) => ({
        from_s: phaseOf(ends[index]!),
        to_s: phaseOf(end),
        weight: (end - ends[index]!) / (to_s - from_s),
      }));
    },
  };
}
