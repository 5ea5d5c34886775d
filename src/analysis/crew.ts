/** Who lays frames: this thread, or others beside it. What comes out is the same. */
import { type Ground, layFrames, type LaidFrame, newLayer, releaseLayer, type Wanted } from "./laid-frames.js";
import type { Sight } from "./registration.js";

/** Lays rows of frames on a ground; each row may be at work while others are. */
export interface Crew {
  lay(ground: Ground, frames: readonly Wanted[], guess: readonly [number, number]): Promise<(LaidFrame | null)[]>;
  /** Ends the crew's work and gives back what it holds. */
  dismiss(): void;
}

/** Makes a crew for a movie. */
export interface Hire {
  crew(sight: Sight): Crew;
  /** Whether frames have to lie in memory that threads share. */
  readonly shares: boolean;
}

/** A crew of this thread alone. */
export const alone: Hire = {
  crew(sight) {
    const layer = newLayer(sight);
    return {
      lay: (ground, frames, guess) => Promise.resolve(layFrames(layer, ground, frames, guess)),
      dismiss: () => releaseLayer(layer),
    };
  },
  shares: false,
};
