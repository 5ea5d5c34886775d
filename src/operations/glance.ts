/** A look at a movie in under a minute: some frames spread over it, their light, sharpness and place. */
import { fineContrast } from "../analysis/focus.js";
import { frameBuffer } from "../io/views.js";
import { nextFastSize } from "../kernels/fft.js";
import { correlationReference, phaseCorrelation, type CorrelationReference } from "../kernels/phase-correlation.js";
import { madSigma, medianStep } from "../kernels/stats.js";
import type { MovieFile, Samples } from "../model/movie.js";
import { frameLight, middleOf, smallImage, type FrameLight, type SmallImage } from "./glance-frame.js";
import { glanceWarnings } from "./glance-warnings.js";

/** Moments looked at, at most; at each a frame and the one after it. */
const MOMENTS = 100;
/** No further moment is begun when so much time would be used. */
const BUDGET_S = 30;
/** Small images are at most so wide and high, and so is the middle whose sharpness is measured. */
const SMALL_PX = 512;
/** A correlation's peak says where the scene is from so many times its rms on; far off, from this share of a full match. */
const SIGNIFICANT = 6;
const MATCH_FAR = 0.5;
/** Far off is beyond this share of the image's sides: chance peaks lie anywhere. */
const FAR = 0.1;
/** An interval longer than so many median ones is a gap; so many are listed. */
const GAP = 1.5;
const GAPS_LISTED = 20;
/** Registering a frame takes about so long for a million pixels: measured on one core of an EPYC processor. */
const REGISTRATION_S_MPX = 0.1;

/** What was seen at one moment. */
export interface Moment extends FrameLight {
  /** Null where the movie has no times. */
  readonly time_s: number | null;
  /** Mean of the next frame over this one's, less 1; NaN where there is none. */
  readonly step: number;
  /** Whether the next frame has the same samples. */
  readonly repeated: boolean;
  /** Rms contrast of fine structure; NaN where it cannot be told from noise. */
  readonly fineContrast: number;
  /** Where the scene of the first frame lies in this one; NaN where it is not found. */
  readonly x_px: number;
  readonly y_px: number;
  readonly small: SmallImage;
}

/** A pause between frames. */
export interface Gap {
  /** The frame before it. */
  readonly after: number;
  readonly interval_s: number;
}

/** What a glance found. Numbers that are not known are NaN. */
export interface Glance {
  readonly movie: MovieFile;
  /** In the order of frames. */
  readonly moments: readonly Moment[];
  /** Whether time ran out before all moments were looked at. */
  readonly stopped: boolean;
  readonly elapsed_s: number;
  readonly readFrame_s: number;
  /** The value at which the camera or the file's type is full; null where no frame reaches one. */
  readonly saturation: number | null;
  /** Standard deviation of the light between neighbouring frames, relative, and of how many pairs. */
  readonly flicker: { readonly value: number; readonly n: number };
  readonly time: {
    readonly first_s: number;
    readonly last_s: number;
    readonly median_interval_s: number;
    readonly longest_interval_s: number;
    readonly gaps: number;
    readonly longestGaps: readonly Gap[];
    /** Frames without a stamp, and frames stamped no later than the one before. */
    readonly unstamped: number;
    readonly backwards: number;
  } | null;
  /** What an analysis would have to go through: bytes of raw samples, one reading of all, one registration of all. */
  readonly expected: { readonly bytes: number; readonly read_s: number; readonly registration_s: number };
  readonly warnings: readonly string[];
}

/** How a glance is watched and stopped. */
export interface GlanceWatch {
  readonly signal?: AbortSignal | undefined;
  readonly onMoment?: ((done: number, total: number) => void) | undefined;
  readonly budget_s?: number;
}

/**
 * Looks at up to 100 moments of a movie of one series, two frames at each, so ordered that whenever the time is used up
 * they lie spread over the whole. Needs neither pixel size nor times. Reads frames one by one and holds small images only.
 * Throws FormatError as the movie's reader does, and the signal's reason when stopped.
 */
export async function glance(movie: MovieFile, watch: GlanceWatch = {}): Promise<Glance> {
  const { budget_s = BUDGET_S, signal, onMoment } = watch;
  const began = performance.now();
  const elapsed = (): number => (performance.now() - began) / 1000;
  const frames = momentsOf(movie.frames);
  const buffers = [frameBuffer(movie), frameBuffer(movie)] as const;
  const moments: Moment[] = [];
  let reference: Reference | null = null;
  let [read_s, reads] = [0, 0];
  const read = async (frame: number, into: Samples): Promise<void> => {
    const start = performance.now();
    await movie.read(frame, into, signal);
    read_s += (performance.now() - start) / 1000;
    reads++;
  };
  for (const place of spread(frames.length)) {
    signal?.throwIfAborted();
    const each_s = elapsed() / Math.max(1, moments.length);
    if (moments.length > 0 && elapsed() + each_s > budget_s) break;
    const frame = frames[place]!;
    const next = frame + 1 < movie.frames ? frame + 1 : null;
    await read(frame, buffers[0]);
    if (next !== null) await read(next, buffers[1]);
    const small = smallImage(buffers[0], movie, SMALL_PX);
    const isFirst = moments.length === 0;
    if (isFirst) reference = referenceOf(small);
    moments.push({
      ...lookAt(frame, next, movie, buffers),
      ...(isFirst ? { x_px: 0, y_px: 0 } : placeOf(small, reference)),
      time_s: movie.time_s?.[frame] ?? null,
      small,
    });
    onMoment?.(moments.length, frames.length);
    // Ctrl-C is heard in a movie that is read without waiting.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  moments.sort((a, b) => a.frame - b.frame);
  const steps = moments.map(({ step }) => step).filter((step) => Number.isFinite(step));
  const size = movie.width * movie.height * (movie.samplesPerPixel ?? 1);
  const readFrame_s = read_s / Math.max(1, reads);
  const found = {
    movie,
    moments,
    stopped: moments.length < frames.length,
    elapsed_s: elapsed(),
    readFrame_s,
    saturation: saturationOf(movie, moments),
    flicker: { value: steps.length < 3 ? NaN : madSigma(steps) / Math.SQRT2, n: steps.length },
    time: timeOf(movie),
    expected: {
      bytes: movie.frames * size * buffers[0].BYTES_PER_ELEMENT,
      read_s: movie.frames * readFrame_s,
      registration_s: (movie.frames * size * REGISTRATION_S_MPX) / 1e6,
    },
  };
  return { ...found, warnings: [...movie.warnings, ...glanceWarnings(found)] };
}

/** Frames looked at: all of few, else as many spread over the movie that a next one is there. */
function momentsOf(frames: number): number[] {
  if (frames <= MOMENTS) return Array.from({ length: frames }, (_, frame) => frame);
  return Array.from({ length: MOMENTS }, (_, at) => Math.round((at * (frames - 2)) / (MOMENTS - 1)));
}

/** Numbers below `count`: first, last, middle, and so on between them (van der Corput 1935). */
function spread(count: number): number[] {
  const order = count > 1 ? [0, count - 1] : [0];
  const taken = new Set(order);
  for (let at = 1; taken.size < count; at++) {
    let part = 0;
    for (let bit = at, weight = 0.5; bit > 0; bit >>= 1, weight /= 2) if ((bit & 1) === 1) part += weight;
    const place = Math.round(part * (count - 1));
    if (taken.has(place)) continue;
    taken.add(place);
    order.push(place);
  }
  return order;
}

function lookAt(
  frame: number,
  next: number | null,
  movie: MovieFile,
  [samples, after]: readonly [Samples, Samples],
): FrameLight & Pick<Moment, "step" | "repeated" | "fineContrast"> {
  const light = frameLight(frame, samples);
  if (next === null) return { ...light, step: NaN, repeated: false, fineContrast: NaN };
  const nextLight = frameLight(next, after);
  const middle = middleOf(samples, movie, SMALL_PX);
  const nextMiddle = middleOf(after, movie, SMALL_PX);
  return {
    ...light,
    step: light.mean > 0 ? nextLight.mean / light.mean - 1 : NaN,
    repeated: light.print === nextLight.print && light.max > light.min,
    fineContrast: fineContrast(middle.data, nextMiddle.data, middle.width, middle.height),
  };
}

interface Reference {
  readonly correlation: CorrelationReference;
  readonly width: number;
  readonly height: number;
  /** Of the first frame's peak with itself. */
  readonly significance: number;
}

/** The first frame's part of the correlation; null where the image is too small to be followed. */
function referenceOf(small: SmallImage): Reference | null {
  const [width, height] = [fastSize(small.width), fastSize(small.height)];
  if (width < 16 || height < 16) return null;
  // Noise and the camera's pattern are finer than what the optics let through, vignette and lamp coarser.
  const sharp = Math.max(0.7, 1.5 / small.cell_px);
  const band = (k: number): number => Math.exp(-0.5 * (k * sharp) ** 2) - Math.exp(-0.5 * (k * 8) ** 2);
  const correlation = correlationReference(windowed(small, width, height), width, height, band);
  const { significance } = phaseCorrelation(correlation, windowed(small, width, height));
  return { correlation, width, height, significance };
}

function fastSize(length: number): number {
  let size = length;
  while (size > 1 && nextFastSize(size) !== size) size--;
  return size;
}

/** The middle of a small image over its mean, less 1, without outliers, fading towards its edges. */
function windowed(small: SmallImage, width: number, height: number): Float32Array {
  const [left, top] = [(small.width - width) >> 1, (small.height - height) >> 1];
  let [sum, known] = [0, 0];
  for (const value of small.data) {
    if (!Number.isFinite(value)) continue;
    sum += value;
    known++;
  }
  const mean = sum / known;
  const image = new Float32Array(width * height);
  if (!(Math.abs(mean) > 0)) return image;
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      const value = small.data[(top + y) * small.width + left + x]! / mean - 1;
      image[at] = Number.isFinite(value) ? Math.max(-1, Math.min(1, value)) * fade(x, width) * fade(y, height) : 0;
    }
  }
  return image;
}

function fade(place: number, length: number): number {
  const depth = (Math.min(place, length - 1 - place) + 0.5) / (0.1 * length);
  return depth >= 1 ? 1 : 0.5 - 0.5 * Math.cos(Math.PI * depth);
}

function placeOf(small: SmallImage, reference: Reference | null): { readonly x_px: number; readonly y_px: number } {
  if (reference === null) return { x_px: NaN, y_px: NaN };
  const { correlation, width, height } = reference;
  const { dx_px, dy_px, significance } = phaseCorrelation(correlation, windowed(small, width, height));
  const far = Math.abs(dx_px) > FAR * width || Math.abs(dy_px) > FAR * height;
  if (!(significance >= Math.max(SIGNIFICANT, far ? MATCH_FAR * reference.significance : 0)))
    return { x_px: NaN, y_px: NaN };
  return { x_px: dx_px * small.cell_px, y_px: dy_px * small.cell_px };
}

/** Pixels at the highest value, in all moments, that make a pile. */
const PILED = 20;

/** Full values of cameras of 8, 10, 11, 12, 14 and 16 bits, stored from the lowest bit or from the highest. */
const fullValues = new Set([255, 1023, 2047, 4095, 16_383, 65_535, 65_472, 65_504, 65_520, 65_532, 65_280]);

/**
 * The highest value seen, where frames pile up at it: it is a camera's full value, or more pixels hold it than hold
 * the hundredth of the range below it together.
 */
function saturationOf({ dtype, width, height }: MovieFile, moments: readonly Moment[]): number | null {
  const highest = Math.max(...moments.map(({ max }) => (Number.isNaN(max) ? -Infinity : max)));
  const full = moments.filter(({ max }) => max === highest);
  const lowest = Math.min(...full.map(({ min }) => min));
  if (!Number.isFinite(highest) || highest - lowest < 16) return null;
  if (!dtype.startsWith("float") && fullValues.has(highest)) return highest;
  const sum = (key: "atMax" | "belowMax"): number => full.reduce((total, moment) => total + moment[key], 0);
  const pixels = sum("atMax") * width * height;
  return pixels > PILED && sum("atMax") > 3 * sum("belowMax") ? highest : null;
}

function timeOf({ time_s }: MovieFile): Glance["time"] {
  if (time_s === null || time_s.length === 0) return null;
  const stamped = time_s.filter((time) => !Number.isNaN(time));
  const median_interval_s = medianStep(time_s);
  const gaps: Gap[] = [];
  let backwards = 0;
  let longest_interval_s = NaN;
  for (let at = 1; at < time_s.length; at++) {
    const interval_s = time_s[at]! - time_s[at - 1]!;
    if (interval_s <= 0) backwards++;
    if (interval_s > GAP * median_interval_s) gaps.push({ after: at - 1, interval_s });
    if (!(interval_s <= longest_interval_s) && !Number.isNaN(interval_s)) longest_interval_s = interval_s;
  }
  return {
    first_s: stamped[0] ?? NaN,
    last_s: stamped.at(-1) ?? NaN,
    median_interval_s,
    longest_interval_s,
    gaps: gaps.length,
    longestGaps: gaps.sort((a, b) => b.interval_s - a.interval_s).slice(0, GAPS_LISTED),
    unstamped: time_s.length - stamped.length,
    backwards,
  };
}
