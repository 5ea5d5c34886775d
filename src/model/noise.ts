/** What a camera adds to the light, told from a movie. */
import type { Estimate } from "./experiment.js";

/** Noise of one level of light. */
export interface NoiseLevel {
  /** Counts above the black level; above 0 where that is unknown. */
  readonly signal_counts: number;
  /** Variance of one pixel of one stored frame, counts squared, and its standard error. */
  readonly variance_counts2: number;
  readonly sd_counts2: number;
}

/**
 * variance = read^2 + gain * signal + (proportional * signal)^2 of a pixel from frame to frame, and (fixedPattern * signal)^2
 * from pixel to pixel. Numbers that the movie does not tell are null, and `because` says why.
 */
export interface NoiseModel {
  readonly levels: readonly NoiseLevel[];
  /** Counts. */
  readonly read_counts: Estimate | null;
  /** Counts a photo-electron of the stored frame: where it is a mean of a burst, of that mean. */
  readonly gain_counts_per_electron: Estimate | null;
  /** Noise in proportion to the light, as a fraction: what neither photons nor reading explain; 0 where none shows. */
  readonly proportional: number;
  /** Unevenness of the pixels' response, standard deviation as a fraction, fixed on the camera. */
  readonly fixedPattern: Estimate | null;
  /** On the still ground: its light, the noise of one pixel of one frame as a fraction of it, and what photons alone give. */
  readonly carrier: {
    readonly signal_counts: number;
    readonly noise: Estimate;
    readonly shotLimit: number | null;
  } | null;
  /** Threes of neighbouring frames that were compared. */
  readonly triples: number;
  readonly because: readonly string[];
}
