/** A movie seen in part or freed of its dark signal; nothing is read until a frame is asked for. */
import { ParameterError } from "../model/errors.js";
import type { Image, Movie, MovieFile, Samples } from "../model/movie.js";

/** An array that holds one frame of a movie's own type, every sample of a colour one. */
export function frameBuffer(movie: Pick<MovieFile, "width" | "height" | "dtype" | "samplesPerPixel">): Samples {
  const size = movie.width * movie.height * (movie.samplesPerPixel ?? 1);
  switch (movie.dtype) {
    case "uint8":
      return new Uint8Array(size);
    case "int8":
      return new Int8Array(size);
    case "uint16":
      return new Uint16Array(size);
    case "int16":
      return new Int16Array(size);
    case "uint32":
      return new Uint32Array(size);
    case "int32":
      return new Int32Array(size);
    case "float32":
      return new Float32Array(size);
    case "float64":
      return new Float64Array(size);
  }
}

/** The movie with only the frames named, in order; their stamps stay as they are. */
export function selectFrames(movie: Movie, kept: Int32Array): Movie {
  return {
    ...movie,
    frames: kept.length,
    time_s: Float64Array.from(kept, (index) => movie.time_s[index]!),
    read: (index, into, signal) => movie.read(kept[index]!, into, signal),
    close: () => movie.close(),
  };
}

/** The movie with an image of its dark signal subtracted from every frame, as float32. Sizes must agree. */
export function subtractDark(movie: Movie, dark: Image): Movie {
  if (dark.width !== movie.width || dark.height !== movie.height) {
    throw new ParameterError(
      `the dark frame is ${dark.width} x ${dark.height} px but the movie is ${movie.width} x ${movie.height} px. ` +
        "Give a dark frame of the same camera settings.",
      { parameter: "blackLevel", value: `${dark.width}x${dark.height}` },
    );
  }
  const raw = frameBuffer(movie);
  // Frames share one raw buffer, so reads go one after another.
  let queue: Promise<unknown> = Promise.resolve();
  return {
    ...movie,
    dtype: "float32",
    read(index, into, signal) {
      const before = queue;
      const next = (async () => {
        await before;
        await movie.read(index, raw, signal);
        for (let at = 0; at < raw.length; at++) into[at] = raw[at]! - dark.data[at]!;
      })();
      queue = next.catch(() => undefined);
      return next;
    },
    close: () => movie.close(),
  };
}
