/** A movie's frames one after the other. */
import type { Dtype, Movie, Samples } from "../model/movie.js";

const arrays = {
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  float32: Float32Array,
  float64: Float64Array,
} satisfies Record<Dtype, new (buffer: ArrayBufferLike) => Samples>;

/** An array for samples of a movie's type, zero; in memory that threads share, if asked for. */
export function samplesOf(dtype: Dtype, length: number, shared = false): Samples {
  const make: new (buffer: ArrayBufferLike) => Samples = arrays[dtype];
  const bytes = length * arrays[dtype].BYTES_PER_ELEMENT;
  return new make(shared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes));
}

/** Frames between two turns of the event loop, so that Ctrl-C is heard in a movie that is read without waiting. */
const FRAMES_A_TURN = 16;

/**
 * Frames in order, each while the next is being read. What is given holds until the next is asked for.
 */
export async function* framesOf(
  movie: Movie,
  signal?: AbortSignal,
): AsyncGenerator<{ readonly frame: number; readonly samples: Samples }> {
  const size = movie.width * movie.height;
  const buffers = [samplesOf(movie.dtype, size), samplesOf(movie.dtype, size)] as const;
  const start = (frame: number): Promise<void> => {
    const reading = movie.read(frame, buffers[frame % 2 === 0 ? 0 : 1], signal);
    // Whoever awaits it hears of a failure; this keeps one that nobody awaits from ending the process.
    reading.catch(() => undefined);
    return reading;
  };
  let next = movie.frames > 0 ? start(0) : null;
  try {
    for (let frame = 0; frame < movie.frames; frame++) {
      signal?.throwIfAborted();
      await next;
      next = frame + 1 < movie.frames ? start(frame + 1) : null;
      yield { frame, samples: buffers[frame % 2 === 0 ? 0 : 1] };
      if (frame % FRAMES_A_TURN === FRAMES_A_TURN - 1) await new Promise((resolve) => setTimeout(resolve, 0));
    }
  } finally {
    await next?.catch(() => undefined);
  }
}
