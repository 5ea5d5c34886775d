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
  /** Variance that the fit gives no counts: read^2, less gain times the black level where that is unknown; null without a fit. */
  readonly intercept_counts2: number | null;
  /** Noise in proportion to the light, as a fraction: what neither photons nor reading explain; 0 where none shows. */
  readonly proportional: number;
  /** Unevenness of the pixels' response, standard deviation as a fraction, fixed on the camera. */
  readonly fixedPattern: Estimate | null;
  /** On the still ground; fractions of its light. */
  readonly carrier: {
    readonly signal_counts: number;
    /** What one pixel of one frame is found to scatter, whatever the cause. */
    readonly noise: Estimate;
    /** What photons alone give; null where they are not told from reading. */
    readonly photonLimit: number | null;
    /** What photons and reading give. */
    readonly shotLimit: number | null;
    /** Found over that. */
    readonly ratio: Estimate | null;
  } | null;
  /** Threes of neighbouring frames that were compared. */
  readonly triples: number;
  readonly because: readonly string[];
}
