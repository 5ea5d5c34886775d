/** Where raw boxes of frames are kept while they are wanted. */
import type { RawFrames } from "../model/experiment.js";
import type { Dtype, Samples } from "../model/movie.js";
import { samplesOf } from "./frames.js";

/** Boxes of all frames, written frame by frame. */
export interface RawStore {
  /** Keeps what `cut` puts into one array a box; box after box in the order of their sizes. */
  write(frame: number, boxes: readonly Samples[]): void;
  /** One box through all frames. */
  box(which: number): RawFrames;
}

/** Makes a store for so many frames of boxes of so many samples each. */
export type MakeStore = (frames: number, sizes: readonly number[], dtype: Dtype) => RawStore;

/** Keeps boxes in memory. */
export const inMemory: MakeStore = (frames, sizes, dtype) => {
  const kept = sizes.map((size) => samplesOf(dtype, frames * size));
  return {
    write(frame, boxes) {
      for (const [which, samples] of boxes.entries()) kept[which]!.set(samples, frame * sizes[which]!);
    },
    box: (which) => ({
      read: (frame, into) => into.set(kept[which]!.subarray(frame * sizes[which]!, (frame + 1) * sizes[which]!)),
    }),
  };
};
