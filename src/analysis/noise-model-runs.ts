/** Frames that tell a movie's noise: runs of neighbours that lie nearly alike. */
import type { Drift } from "../model/experiment.js";
import type { Movie } from "../model/movie.js";

/** Runs of neighbouring frames that are compared, spread over the movie, and frames of each. */
const RUNS = 6;
const RUN = 8;

/** Runs of neighbouring frames that all have a place, spread over the movie; those that move least where there is a choice. */
export function runsOf(movie: Movie, drift: Drift): number[][] {
  const usable = (frame: number): boolean =>
    [drift.x_px, drift.y_px, drift.gain].every((course) => Number.isFinite(course[frame]!));
  const way = (from: number): number => {
    let most = 0;
    for (let frame = from; frame < from + RUN - 1; frame++) {
      const [dx, dy] = [drift.x_px[frame + 1]! - drift.x_px[frame]!, drift.y_px[frame + 1]! - drift.y_px[frame]!];
      most = Math.max(most, Math.hypot(dx, dy));
    }
    return most;
  };
  const starts = Array.from({ length: Math.max(0, movie.frames - RUN + 1) }, (_, frame) => frame).filter((frame) =>
    Array.from({ length: RUN }, (_, at) => frame + at).every(usable),
  );
  const runs: number[][] = [];
  for (let run = 0; run < RUNS; run++) {
    const own = starts
      .slice(Math.floor((run * starts.length) / RUNS), Math.floor(((run + 1) * starts.length) / RUNS))
      .filter((frame) => frame > (runs.at(-1)?.at(-1) ?? -1));
    if (own.length === 0) continue;
    const best = own.reduce((least, frame) => (way(frame) < way(least) ? frame : least));
    runs.push(Array.from({ length: RUN }, (_, at) => best + at));
  }
  return runs;
}
