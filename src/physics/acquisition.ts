/** How a movie is taken: when its frames come, where the scene lies in them, how bright the lamp is. */
import { stream } from "./streams.js";

/** The frames of a movie. */
export interface MovieSpec {
  readonly width: number;
  readonly height: number;
  readonly pixelSize_um: number;
  /** Frames that were planned, those dropped counted. */
  readonly frames: number;
  readonly interval_s: number;
  /** A frame is the mean over this time; its stamp is the middle. */
  readonly exposure_s: number;
  /** Civil time of the first frame's stamp, ISO 8601 with a zone. */
  readonly start: string;
  /** Planned frames that never came, by number from 0. */
  readonly dropped: readonly number[];
  /** Part of the frames that is dropped at random beside them. */
  readonly droppedFraction: number;
  /** Frames come up to so much later than planned, and say so. */
  readonly late_s: number;
}

/** How the sample moves under the objective; along x and y alike where there is one number. */
export interface DriftSpec {
  /** Even drift over the whole movie. */
  readonly linear_um: readonly [number, number];
  /** Random walk: standard deviation at the movie's end. */
  readonly walk_um: number;
  /** Slow swinging: amplitude and period. */
  readonly wobble_um: number;
  readonly wobblePeriod_s: number;
}

/** How the light of the lamp varies. */
export interface LampSpec {
  /** Frame to frame, standard deviation. */
  readonly flicker: number;
  /** Even change over the whole movie. */
  readonly fading: number;
}

/** The frames that came. */
export interface Acquisition {
  /** Middle of each exposure, seconds from the first. */
  readonly time_s: Float64Array;
  /** Where the scene of frame 0 lies in each frame. */
  readonly x_px: Float64Array;
  readonly y_px: Float64Array;
  /** Light of each frame, 1 on average. */
  readonly gain: Float64Array;
}

/** Draws times, drift and lamp for every frame; the first frame is always there, on time and unshifted. */
export function acquire(movie: MovieSpec, drift: DriftSpec, lamp: LampSpec, seed: number): Acquisition {
  const chance = stream(seed, "frames");
  const jitter = stream(seed, "late");
  const light = stream(seed, "lamp");
  const walk = stream(seed, "walk");
  const [phaseX, phaseY] = [2 * Math.PI * walk.uniform(), 2 * Math.PI * walk.uniform()];
  const step_um = drift.walk_um / Math.sqrt(Math.max(1, movie.frames - 1));
  const dropped = new Set(movie.dropped);
  const duration_s = Math.max(movie.interval_s, (movie.frames - 1) * movie.interval_s);
  const swing = (phase: number, time_s: number): number =>
    drift.wobble_um * (Math.sin(phase + (2 * Math.PI * time_s) / drift.wobblePeriod_s) - Math.sin(phase));
  const rows: [number, number, number, number][] = [];
  let walkX = 0;
  let walkY = 0;
  for (let frame = 0; frame < movie.frames; frame++) {
    // Every frame draws its numbers, there or not: dropping one leaves the others as they were.
    const gone = chance.uniform() < movie.droppedFraction || dropped.has(frame);
    const late_s = frame === 0 ? 0 : movie.late_s * jitter.uniform();
    const flicker = lamp.flicker * light.normal();
    if (frame > 0) {
      walkX += step_um * walk.normal();
      walkY += step_um * walk.normal();
    }
    if (gone && frame > 0) continue;
    const time_s = frame * movie.interval_s + late_s;
    const share = time_s / duration_s;
    rows.push([
      time_s,
      (drift.linear_um[0] * share + walkX + swing(phaseX, time_s)) / movie.pixelSize_um,
      (drift.linear_um[1] * share + walkY + swing(phaseY, time_s)) / movie.pixelSize_um,
      1 + flicker + lamp.fading * share,
    ]);
  }
  const column = (at: 0 | 1 | 2 | 3): Float64Array => Float64Array.from(rows, (row) => row[at]);
  return { time_s: column(0), x_px: column(1), y_px: column(2), gain: column(3) };
}
