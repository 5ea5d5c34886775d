/** How fast a front goes: a velocity that changes along its way, and stages with a pace of their own. */
import { ParameterError } from "../model/errors.js";

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

/** The velocity at the beginning and at the end. Throws ParameterError where it is not positive. */
export function endVelocities(spec: Pace, name: string): readonly [number, number] {
  const pair = typeof spec.velocity_um_s === "number" ? [spec.velocity_um_s, spec.velocity_um_s] : spec.velocity_um_s;
  const [first, last] = [pair[0]!, pair[1]!];
  if (!(first > 0 && last > 0 && first < Infinity && last < Infinity)) {
    throw new ParameterError(
      `${name}.velocity_um_s is ${JSON.stringify(spec.velocity_um_s)}. Give one or two positive velocities: 0.02 is 20 nm/s.`,
      { parameter: `${name}.velocity_um_s`, value: spec.velocity_um_s },
    );
  }
  return [first, last];
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
 * crystal evenly; `last_s`: the last of all. Throws ParameterError for stages that do not rise to 1 or take no time.
 */
export function clockOf(spec: Pace, phases: Float64Array, last_s: number, name: string): FrontClock {
  const knots: { phase_s: number; time_s: number; stretch: number }[] = [];
  let phase_s = 0;
  let time_s = spec.start_s;
  let before = 0;
  for (const [index, stage] of spec.stages.entries()) {
    const isLast = index === spec.stages.length - 1;
    if (!(stage.until > before && stage.until <= 1) || (isLast && stage.until !== 1)) {
      throw new ParameterError(
        `${name}.stages.${index}.until is ${stage.until} after ${before}. Let it rise from stage to stage and end at 1.`,
        { parameter: `${name}.stages.${index}.until`, value: stage.until },
      );
    }
    if (stage.lasts_s !== null && !(stage.lasts_s > 0 && stage.lasts_s < Infinity)) {
      throw new ParameterError(`${name}.stages.${index}.lasts_s is ${stage.lasts_s}. Give positive seconds, or null.`, {
        parameter: `${name}.stages.${index}.lasts_s`,
        value: stage.lasts_s,
      });
    }
    const end_s = isLast ? last_s : phases[Math.floor(stage.until * (phases.length - 1))]!;
    const own_s = Math.max(end_s - phase_s, 1e-6);
    knots.push({ phase_s, time_s, stretch: (stage.lasts_s ?? own_s) / own_s });
    phase_s += own_s;
    time_s += stage.lasts_s ?? own_s;
    before = stage.until;
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
