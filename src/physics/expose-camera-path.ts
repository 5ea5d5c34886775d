/** When a camera's frames come, and where the sample, the focus and the lamp are at any moment between them. */
import type { DriftSpec, LampSpec, MovieSpec } from "./acquisition.js";
import { record, within } from "./check.js";
import { stream } from "./streams.js";

/** When frames were planned and which of them came. */
export type TimingSpec = Pick<MovieSpec, "frames" | "interval_s" | "dropped" | "droppedFraction" | "late_s">;

/** Distance from best focus, um; positive and negative blur alike. */
export interface FocusSpec {
  readonly start_um: number;
  /** Even drift over the whole movie. */
  readonly linear_um: number;
  /** Random walk: standard deviation at the movie's end. */
  readonly walk_um: number;
  /** Breathing: amplitude and period of a sine. */
  readonly breathing_um: number;
  readonly breathingPeriod_s: number;
}

/** Throws a ParameterError, its names after `name`, for a focus that cannot be. */
export function checkFocus(name: string, focus: FocusSpec): void {
  record(name, focus, "Give start_um, linear_um, walk_um, breathing_um and breathingPeriod_s");
  within(`${name}.start_um`, focus.start_um, -100, 100);
  within(`${name}.linear_um`, focus.linear_um, -100, 100);
  within(`${name}.walk_um`, focus.walk_um, 0, 100);
  within(`${name}.breathing_um`, focus.breathing_um, 0, 100);
  within(`${name}.breathingPeriod_s`, focus.breathingPeriod_s, 1e-6, 1e9);
}

/** Where things are in time; `time_s` counts from the first frame's stamp. */
export interface CameraPath {
  /** Middle of the burst of each frame that came. */
  readonly time_s: Float64Array;
  /** Its number among the frames planned. */
  readonly planned: Int32Array;
  /** Light of each frame that came, 1 on average. */
  readonly lamp: Float64Array;
  /** Where the scene of the first frame's middle lies. */
  x_um(time_s: number): number;
  y_um(time_s: number): number;
  focus_um(time_s: number): number;
  /** The farthest that the scene ever goes along an axis, and the focus from its best. */
  readonly reach_um: number;
  readonly focusReach_um: number;
}

/**
 * Draws times, drift, focus and lamp. The first frame is always there, on time and unshifted; each planned frame draws its
 * numbers whether it comes or not, so that dropping one leaves the others as they were. Random walks are straight between
 * the planned times.
 */
export function cameraPath(
  timing: TimingSpec,
  drift: DriftSpec,
  focus: FocusSpec,
  lamp: LampSpec,
  seed: number,
): CameraPath {
  const { frames, interval_s } = timing;
  const chance = stream(seed, "frames");
  const jitter = stream(seed, "late");
  const light = stream(seed, "lamp");
  const dropped = new Set(timing.dropped);
  const duration_s = Math.max(interval_s, (frames - 1) * interval_s);
  const rows: { time_s: number; planned: number; lamp: number }[] = [];
  for (let frame = 0; frame < frames; frame++) {
    const gone = chance.uniform() < timing.droppedFraction || dropped.has(frame);
    const late_s = timing.late_s * jitter.uniform();
    const flicker = lamp.flicker * light.normal();
    if (gone && frame > 0) continue;
    const time_s = frame * interval_s + (frame === 0 ? 0 : late_s);
    rows.push({ time_s, planned: frame, lamp: Math.max(0, 1 + flicker + (lamp.fading * time_s) / duration_s) });
  }
  const phases = stream(seed, "phases");
  const [phaseX, phaseY, phaseZ] = [phases.uniform(), phases.uniform(), phases.uniform()].map((u) => 2 * Math.PI * u);
  const walkX = walk(frames, drift.walk_um, seed, "walk x");
  const walkY = walk(frames, drift.walk_um, seed, "walk y");
  const walkZ = walk(frames, focus.walk_um, seed, "walk z");
  const along = (knots: Float64Array, time_s: number): number => {
    const place = Math.min(frames - 1, Math.max(0, time_s / interval_s));
    const knot = Math.min(Math.max(0, frames - 2), Math.floor(place));
    const next = Math.min(frames - 1, knot + 1);
    return knots[knot]! + (place - knot) * (knots[next]! - knots[knot]!);
  };
  const sine = (phase: number, period_s: number, time_s: number): number =>
    Math.sin(phase + (2 * Math.PI * time_s) / period_s) - Math.sin(phase);
  const x_um = (t: number): number =>
    (drift.linear_um[0] * t) / duration_s + along(walkX, t) + drift.wobble_um * sine(phaseX!, drift.wobblePeriod_s, t);
  const y_um = (t: number): number =>
    (drift.linear_um[1] * t) / duration_s + along(walkY, t) + drift.wobble_um * sine(phaseY!, drift.wobblePeriod_s, t);
  const focus_um = (t: number): number =>
    focus.start_um +
    (focus.linear_um * t) / duration_s +
    along(walkZ, t) +
    focus.breathing_um * sine(phaseZ!, focus.breathingPeriod_s, t);
  const far = (knots: Float64Array): number => knots.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  // The last burst may run over the last planned time by as much as an interval.
  const whole = (duration_s + interval_s) / duration_s;
  const linear_um = Math.max(Math.abs(drift.linear_um[0]), Math.abs(drift.linear_um[1]));
  return {
    time_s: Float64Array.from(rows, (row) => row.time_s),
    planned: Int32Array.from(rows, (row) => row.planned),
    lamp: Float64Array.from(rows, (row) => row.lamp),
    x_um,
    y_um,
    focus_um,
    reach_um: whole * linear_um + Math.max(far(walkX), far(walkY)) + 2 * drift.wobble_um,
    focusReach_um: Math.abs(focus.start_um) + whole * Math.abs(focus.linear_um) + far(walkZ) + 2 * focus.breathing_um,
  };
}

/** A random walk from 0 whose last entry has the given standard deviation. */
function walk(frames: number, sd: number, seed: number, name: string): Float64Array {
  const random = stream(seed, name);
  const step = sd / Math.sqrt(Math.max(1, frames - 1));
  const knots = new Float64Array(frames);
  for (let frame = 1; frame < frames; frame++) knots[frame] = knots[frame - 1]! + step * random.normal();
  return knots;
}
