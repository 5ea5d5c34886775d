/** Every noun from experiment to findings: what goes down the river and what it leaves behind. */
import type { Cycling, CyclingStep, DifferentialCapacity, HalfCycle } from "./cycling.js";
import type { ControlledFinding } from "./control.js";
import type { Domains } from "./domains.js";
import type { Face } from "./face.js";
import type { Motion } from "./motion.js";
import type { Dtype, Movie, Samples } from "./movie.js";
import type { NoiseModel } from "./noise.js";
import type { Particle } from "./particle.js";
import type { Repeat, Spread } from "./repeat.js";

/** A number that was measured: `sd` is the standard error of the value, `n` the effective number of samples. */
export interface Estimate {
  readonly value: number;
  readonly sd: number | null;
  readonly n: number;
}

/** A number that was stated, and where it comes from: "flag", "OME PhysicalSizeX", "default". */
export interface Stated<T> {
  readonly value: T;
  readonly source: string;
}

/** How the movie's clock and the cycler's were joined: t_movie = t_cycler + offset_s. */
export interface Clock {
  readonly source: "shared" | "stated" | "steps" | "none";
  readonly offset_s: { readonly value: number; readonly sd: number | null };
  readonly drift_ppm: number;
}

/** What is stated of the imaged electrode; signs and rates follow from it. */
export interface CellFacts {
  readonly imaged: "working" | "counter";
  readonly role: "cathode" | "anode" | "unknown";
  readonly currentSign: "anodic-positive" | "cathodic-positive";
  /** "default" or "flag". */
  readonly source: string;
  readonly active_mass_mg: number | null;
  readonly nominal_mAh_g: number;
  /** Capacity of the cell that 1C passes in an hour, where it is stated instead of a mass. */
  readonly nominal_mAh: number | null;
}

/** The cell's record made into half cycles, on the movie's clock. */
export interface Cell extends CellFacts {
  readonly steps: readonly CyclingStep[];
  readonly halfCycles: readonly HalfCycle[];
  readonly differentialCapacity: readonly DifferentialCapacity[];
}

/** A movie and a cycling record, each on its own clock; the river joins them. */
export interface Experiment {
  readonly movie: Movie;
  /** Positive current delithiates the imaged electrode; seconds as in the record. */
  readonly cycling: Cycling | null;
  /** Civil time at which the record's time is 0; null where unknown. */
  readonly cyclingStart: string | null;
  /** Movie time minus cycler time as the user states it. */
  readonly statedOffset_s: number | null;
  readonly cellFacts: CellFacts;
  /** Camera counts at no light still to be subtracted; null where unknown, and contrasts then say so. */
  readonly blackLevel: Stated<number> | null;
  /** The dark frame's file, where the movie is already freed of it. */
  readonly darkFrame: string | null;
  /** Frames that the user struck out, numbered as in the file, with the reason; the movie has them no more. */
  readonly skipped: readonly SkippedFrames[];
  /** Number in the file of each of the movie's frames. */
  readonly frameNumber: Int32Array;
  /** Frames in the file. */
  readonly framesInFile: number;
  /** x, y, width, height in px within which particles and carrier are sought. */
  readonly region_px: readonly [number, number, number, number] | null;
  readonly warnings: readonly string[];
}

/** Frames left out of every measurement. */
export interface SkippedFrames {
  readonly first: number;
  readonly last: number;
  readonly because: string;
}

/** Where the scene of frame 0 lies in each frame, and how well that is known. */
export interface Drift {
  /** One entry a frame, px; positive x: the scene moved to the right. NaN for skipped frames. */
  readonly x_px: Float64Array;
  readonly y_px: Float64Array;
  /** Estimated error of one frame's shift (rms over x and y). */
  readonly residual_nm: Estimate;
  /** Cramer-Rao bound of the same, from the carrier's gradients and the measured noise. */
  readonly bound_nm: number;
  /** Light of each frame relative to the reference, on the carrier (flicker). */
  readonly gain: Float64Array;
  /** Contrast of the carrier's finest structure over that of the coarser, 1 in the first frames: less is out of focus. */
  readonly focus: Float64Array;
  /** Standard error of one frame's focus; NaN where the carrier does not tell it. */
  readonly focus_sd: number;
  /** Noise of one pixel of one frame on the carrier, as a fraction of the signal. */
  readonly noise: number;
  readonly final_um: readonly [number, number];
  /** 1 where a pixel of frame 0 served as still carrier. */
  readonly carrier: Uint8Array;
  /** Frames from which on another reference was used: the registered mean of those before. Empty as long as the first one serves. */
  readonly anchors: readonly number[];
  readonly warnings: readonly string[];
}

/** Frames of one size, kept in memory or on a disk. */
export interface RawFrames {
  /** Copies the samples of one frame. */
  read(frame: number, into: Samples): void;
}

/**
 * The neighbourhood of one particle, raw, frame by frame, with what is needed to lay it still.
 * The raw box follows the scene by whole pixels; `shift_px` is what is left.
 */
export interface Crop {
  readonly particle: number;
  /** Scene place (frame 0) of the top-left pixel of the still crop, margin not counted. */
  readonly origin_px: readonly [number, number];
  readonly width: number;
  readonly height: number;
  /** Raw pixels kept on each side beyond the still crop, for resampling. */
  readonly margin_px: number;
  readonly pixelSize_um: number;
  readonly time_s: Float64Array;
  readonly dtype: Dtype;
  /** Raw samples, (height + 2 margin) * (width + 2 margin) a frame; 0 where the box left the image. */
  readonly raw: RawFrames;
  /** Size of the image, and where in it the box lay beside its place in frame 0, one entry a frame. */
  readonly image_px: readonly [number, number];
  readonly wholeX_px: Int32Array;
  readonly wholeY_px: Int32Array;
  /** Scene shift within the raw box, |shift| <= 0.5 px, one entry a frame; NaN for frames left out. */
  readonly shiftX_px: Float64Array;
  readonly shiftY_px: Float64Array;
  /** Light of each frame relative to the reference. */
  readonly gain: Float64Array;
  /** Camera counts at no light, scalar, subtracted when read; null where unknown. */
  readonly blackLevel: number | null;
  /** height * width of the still crop: 1 inside the outline. */
  readonly mask: Uint8Array;
}

/** A window in time in which a particle changes unevenly. */
export interface Transition {
  readonly id: number;
  readonly particle: number;
  readonly kind: "biphasic" | "ordering" | "unknown";
  readonly direction: "delithiation" | "lithiation" | "brightening" | "darkening";
  readonly directionSource: "cycler" | "intensity";
  readonly halfCycle: number | null;
  readonly since_half_start_s: number | null;
  readonly rate_C: number | null;
  readonly start_s: number;
  readonly end_s: number;
  readonly sd_s: number;
  /** False where the window still runs at the movie's end (or ran at its beginning). */
  readonly closed: boolean;
  readonly order: "front" | "homogeneous" | "undecided";
  /** Window minus the peak of dQ/dV that it shares most time with: in time, and in charge passed between; negative before it. */
  readonly lag_to_dQdV: {
    /** "I" to "IV". */
    readonly peak: string;
    readonly start_s: Estimate | null;
    readonly centre_s: Estimate | null;
    readonly end_s: Estimate | null;
    readonly start_mAh: Estimate | null;
    readonly centre_mAh: Estimate | null;
    readonly end_mAh: Estimate | null;
  } | null;
}

/** How uneven one particle's differential image is, frame by frame. */
export interface Evenness {
  readonly particle: number;
  readonly time_s: Float64Array;
  /** Standard deviation over the particle of the smoothed differential image, its mean and the drift's part removed. */
  readonly unevenness: Float64Array;
  /** What noise alone would give. */
  readonly expected: Float64Array;
}

/** How much of what changes in a window a shift of the scene would explain. */
export interface ShiftShare {
  readonly particle: number;
  readonly transition: number;
  /** Part of the differential images' variance within the outline; 1 where drift is all there is. */
  readonly share: Estimate;
  /** The shift that would do it, root mean square of x and y together: an upper limit of what registration left. */
  readonly shift_nm: Estimate;
  /** Range of the carrier's focus through the window; null where it is not told. */
  readonly focus_change: Estimate | null;
  /** Of the image below, compared with the one a lag before. */
  readonly moment_s: number;
  readonly lag_s: number;
  readonly width: number;
  readonly height: number;
  readonly pixelSize_um: number;
  readonly origin_px: readonly [number, number];
  /** height * width: ln I(t) / I(t - lag) less its mean, smoothed by the point spread, and what the shift explains of it. */
  readonly contrast: Float32Array;
  readonly explained: Float32Array;
}

/** How the moment of passing is picked. */
export type Estimator = "step+line" | "matched" | "argmax" | "half-rise";

/** What moved the light where something passed like a front, and no lithium need have moved. */
export interface Explanation {
  readonly cause: "height";
  /** Share of the change that the courses of one moving gap leave, and that a front with the same arrivals would leave. */
  readonly left: number;
  readonly ofFront: number;
  readonly because: string;
}

/** When the phase boundary passed each pixel of a crop; NaN where it never did. */
export interface FrontMap {
  readonly particle: number;
  readonly transition: number;
  readonly width: number;
  readonly height: number;
  readonly pixelSize_um: number;
  readonly origin_px: readonly [number, number];
  /** 1 inside the outline. */
  readonly mask: Uint8Array;
  /** Seconds on the movie's clock, `bias_s` already subtracted. */
  readonly arrival_s: Float32Array;
  /** Standard error of each arrival, all causes together. */
  readonly sd_s: Float32Array;
  /** The part of it that comes from the camera's noise; all of it where this is not given. */
  readonly noise_sd_s?: Float32Array;
  /** Standard error that all arrivals share, from the shape of the fitted boundary: it moves t50 and no velocity. */
  readonly common_sd_s?: number;
  /** Standard deviation of the blur laid over the images before the fits: so far neighbouring arrivals share their noise. */
  readonly blur_um?: number;
  /** Standard deviation of the point spread as the width of the passings shows it. */
  readonly shown_psf_um?: number;
  /** Intensity step of each pixel as a fraction of its level before; NaN where none was found. */
  readonly step: Float32Array;
  /** 1 where a fit shows the pixel unchanged: it counts as untransformed. */
  readonly unchanged: Uint8Array;
  readonly estimator: Estimator;
  readonly bias_s: number;
  /** Share of the outline's pixels with an arrival of their own. */
  readonly covered: number;
  /** Time resolved: half the filter, or the width of the fitted step. */
  readonly lag_s: number;
  /** What else explains it; null where nothing else is known to. */
  readonly explained_by?: Explanation | null;
  readonly localisation_nm_per_segment_um: { readonly value: number; readonly segment_um: number } | null;
}

/** Places one after another, in px. */
export type Polyline = readonly (readonly [number, number])[];

/** Place of the front on a line at one frame. */
export interface RidgePlace {
  readonly time_s: number;
  readonly distance_um: number;
  readonly sd_um: number;
}

/** The light along a line in time, and the front's way through it. */
export interface Kymograph {
  readonly particle: number;
  readonly transition: number;
  /** In px of frame 0, or of the stack that was given; distances begin at its first place. */
  readonly line_px: Polyline;
  /** Averaged so far across the line. */
  readonly width_um: number;
  /** Time between the images of a differential one. */
  readonly lag_s: number;
  /** Rows and columns of the images. */
  readonly time_s: Float64Array;
  readonly distance_um: Float64Array;
  /** Times * distances: I / I before the window - 1, and I(t) / I(t - lag) - 1; NaN where nothing is known. */
  readonly intensity: Float32Array;
  readonly differential: Float32Array;
  /** The front's place in every frame that shows it away from the line's ends. */
  readonly ridge: readonly RidgePlace[];
  /** Along the line, from a robust straight line through the places; null where they are too few. */
  readonly velocity_um_s: Estimate | null;
}

/** A stretch of a transition at its own pace. */
export interface Stage {
  readonly kind: "burst" | "lag" | "steady" | "acceleration";
  readonly start_s: number;
  readonly end_s: number;
  /** Share of the particle transformed in it. */
  readonly fraction: number;
}

/** A curve in time with a band of one standard error. */
export interface Curve {
  readonly time_s: Float64Array;
  readonly value: Float64Array;
  readonly sd: Float64Array;
}

/** How fast and how far one transition went in one particle. */
export interface Kinetics {
  readonly particle: number;
  readonly transition: number;
  readonly velocity_um_s: Estimate;
  readonly velocity_mean_um_s: Estimate;
  readonly velocity_path_um_s: Estimate | null;
  readonly velocity_late_um_s: Estimate | null;
  /** The median from the distance between isochrones, which no local slope enters; null where they are too few. */
  readonly velocity_isochrone_um_s: Estimate | null;
  /** 5th and 95th percentile over pixels. */
  readonly velocity_range_um_s: readonly [number, number];
  readonly duration_s: Estimate | null;
  readonly t50_s: Estimate;
  readonly c_rate_max: Estimate | null;
  readonly c_rate_mean: Estimate | null;
  readonly c_rate_factor: number;
  readonly c_rate_bandwidth_s: number;
  /** Share of outline pixels whose arrival was extrapolated from neighbours. */
  readonly filled: number;
  readonly phaseFraction: Curve;
  /** Per hour; null where the transition is one of ordering. */
  readonly cRate: Curve | null;
  readonly stages: readonly Stage[];
  readonly systematic: { readonly pixelSize: number; readonly c_rate_factor: number; readonly clock_s: number | null };
}

/** The way the new phase took. */
export interface Mechanism {
  readonly particle: number;
  /** Null for a particle without a front. */
  readonly transition: number | null;
  readonly kind: "core" | "wave" | "hybrid" | "uniform" | "none" | "undecided";
  /** Probability of that kind. */
  readonly score: number;
  /** Of every kind that draws of the noise and of the thresholds gave; absent where no map was judged. */
  readonly probabilities?: Readonly<Partial<Record<Mechanism["kind"], number>>>;
  readonly nuclei_um: readonly (readonly [number, number])[];
  /** Why, in a sentence for the report. */
  readonly because: string;
}

/** What a front's speed says of diffusion under one drive. Diffusivities are chemical, the same at every lithium content. */
export interface DiffusivityBound {
  /** What the simulated particle was driven by: the measured current, or the electrode's potential. */
  readonly drive: "current" | "potential";
  /** "none": the speed tells no lower bound, `because` says why. */
  readonly kind: "bound" | "none";
  /** At which the simulated front is as fast as the measured one; null where it is at none that was tried. */
  readonly D_cm2_s: number | null;
  /** One-sided, 95 %: at less, the simulated front is too slow. */
  readonly atLeast_cm2_s: number | null;
  /** One-sided, 95 %; null where a greater one cannot be told. */
  readonly atMost_cm2_s: number | null;
  /** d ln velocity / d ln D there; null where there is no D. */
  readonly exponent: number | null;
  /** What ln velocity is uncertain by, standard errors by their cause. */
  readonly errors: Readonly<Record<string, number>>;
  /** Every simulation: velocity is null where no front could be followed; fraction of the particle transformed. */
  readonly tried: readonly {
    readonly D_cm2_s: number;
    readonly velocity_um_s: number | null;
    readonly fraction: number;
  }[];
  readonly because: string;
}

/** Diffusivity of the poor phase from the speed alone: a flat front fed by a rim of fixed lithium. */
export interface StefanEstimate {
  /** Lithium at the rim, and the potential that holds it there. */
  readonly surface_x: number;
  readonly potential_V: number;
  /** Where that potential comes from. */
  readonly source: string;
  /** One-phase Stefan problem, exact. */
  readonly D_cm2_s: number;
  /** The rule for slow fronts, velocity radius gap / (2 (x_poor - x_surface)). */
  readonly quasiSteady_cm2_s: number;
  /** One-sided, 95 %: from the error of the velocity and the scale. */
  readonly atLeast_cm2_s: number;
}

/** A dimensionless number between what is known of it; `value` is with the material's own diffusivity. */
export interface NumberRange {
  readonly value: number;
  readonly least: number;
  readonly most: number;
}

/** What limits one transition of one particle. */
export interface Regime {
  readonly particle: number;
  readonly transition: number;
  readonly direction: Transition["direction"];
  readonly kind: "diffusion-limited" | "reaction-limited" | "mixed" | "undecided";
  readonly because: string;
  /** Flux over what diffusion takes from the rim of each phase before it is unstable; null where the rate is unknown. */
  readonly damkohler_rich: NumberRange | null;
  readonly damkohler_poor: NumberRange | null;
  /** Reaction over diffusion in the poor phase. */
  readonly biot: NumberRange;
  /** What the way of the front says of a diffusivity; null where it says nothing. */
  readonly implied: {
    readonly phase: "poor" | "rich";
    readonly atLeast_cm2_s: number | null;
    readonly atMost_cm2_s: number | null;
  } | null;
  readonly bounds: readonly DiffusivityBound[];
  readonly stefan: StefanEstimate | null;
}

/** The mean intensity of one particle through one half cycle. */
export interface Optics {
  readonly particle: number;
  readonly halfCycle: number;
  /** Intensity at its end over that at its beginning. */
  readonly ratio: Estimate;
  /** Intensity after charge and discharge over that before, minus one; null for a charge. */
  readonly return_error: Estimate | null;
  /** Where the intensity changes along a straight line; null where no stretch of the half cycle does. */
  readonly solid_solution: SolidSolution | null;
  /** Charge passed since the half cycle's start at which the intensity has its peak within the two-phase step; null without one. */
  readonly peak_at_mAh: Estimate | null;
}

/** The straight part of a particle's intensity in one half cycle. */
export interface SolidSolution {
  /** Change of the trace (its first frames are 1) per hour. */
  readonly slope_per_h: Estimate;
  readonly r2: number;
  readonly start_s: number;
  readonly end_s: number;
  /** Intensity on discharge minus that on charge at equal charge, where both are straight; null where either is not. */
  readonly hysteresis: Estimate | null;
}

/** Mean intensity over a particle, divided by its value in the first frames; NaN for frames left out. */
export interface Trace {
  readonly particle: number;
  readonly time_s: Float64Array;
  readonly intensity: Float64Array;
}

/** All that was found; a key is absent until its step has run. Lists run along. */
export interface Findings {
  readonly particles?: readonly Particle[];
  readonly drift?: Drift;
  /** Null where too little carrier tells it. */
  readonly motion?: Motion | null;
  readonly noise?: NoiseModel;
  readonly crops?: readonly Crop[];
  readonly faces?: readonly Face[];
  readonly traces?: readonly Trace[];
  readonly clock?: Clock;
  /** The cycler's record on the movie's clock; null where there is none. */
  readonly cycling?: Cycling | null;
  readonly cell?: Cell | null;
  readonly optics?: readonly Optics[];
  readonly evenness?: readonly Evenness[];
  readonly transitions?: readonly Transition[];
  readonly shiftShares?: readonly ShiftShare[];
  readonly fronts?: readonly FrontMap[];
  readonly kinetics?: readonly Kinetics[];
  readonly kymographs?: readonly Kymograph[];
  readonly mechanisms?: readonly Mechanism[];
  readonly repeats?: readonly Repeat[];
  readonly spreads?: readonly Spread[];
  readonly domains?: readonly Domains[];
  /** Empty unless it was asked for. */
  readonly regime?: readonly Regime[];
  /** Absent unless they were asked for; one entry for each front with a velocity. */
  readonly controls?: readonly ControlledFinding[];
}
