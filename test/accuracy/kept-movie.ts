/** A movie whose frames are drawn once, however often they are read: a twin draws them anew each time. */
import type { Movie, Samples } from "../../src/model/movie.js";

/** The movie with each frame kept after its first reading. */
export function keptMovie(movie: Movie): Movie {
  const frames = new Map<number, Samples>();
  return {
    ...movie,
    async read(index, into, signal) {
      const known = frames.get(index);
      if (known !== undefined) return void into.set(known);
      await movie.read(index, into, signal);
      frames.set(index, into.slice());
    },
  };
}
