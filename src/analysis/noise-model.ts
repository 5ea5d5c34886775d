/** The camera's noise from the movie itself: photon transfer on pairs of frames, and the pattern that does not move. */
import { gaussianBlur } from "../kernels/filter.js";
import { invertSymmetric, timesVector } from "../kernels/normal-equations.js";
import { resampleWindow } from "../kernels/resample.js";
import { madSigma, median, quantile } from "../kernels/stats.js";
import type { Drift, Estimate } from "../model/experiment.js";
import type { Movie, Samples } from "../model/movie.js";
import type { NoiseLevel, NoiseModel } from "../model/noise.js";
import { noiseKept, patternBetween } from "./camera-pattern.js";
import { samplesOf } from "./frames.js";

/** Runs of neighbouring frames that are compared, spread over the movie, and frames of each. */
const RUNS = 6;
const RUN = 8;
/** Side of the window that is looked at, and what is left out at its border. */
const SIDE_px = 256;
const RIM_px = 6;
const LEVELS = 14;
/** Variance of a second difference of white noise, and by how much the squares of overlapping ones are less than independent. */
const BEND_VARIANCE = 6;
const BEND_SHARED = 1 + 2 * ((4 / 6) ** 2 + (1 / 6) ** 2);
/** Share of each level's pixels that is looked at, the flattest, and a smaller one that tells what steepness does. */
const FLATTER = 0.5;
const FLATTEST = 0.2;
/** Second differences that a level needs. */
const FEWEST = 400;
/** Differences beyond so many standard deviations are something that happened. */
const CLIP = 4;
/** What a Gaussian's variance loses by that. */
const CLIPPED_VARIANCE = 0.99893;
/** Brightest level over darkest from which slope and intercept can be told apart. */
const LEAST_RANGE = 1.25;
/** Frames of each of the two groups that show the pattern, and how much of it must show between them. */
const GROUP = 8;
const LEAST_SHOWN = 0.8;
/** Error of the noise that is taken from what is between the groups, as a part of it. */
const NOISE_ERROR = 0.02;
/** Slow light between the groups: what varies over so many point spreads. */
const SLOW_PSF = 6;

/**
 * Noise of a movie's camera.
 *
 * Of three neighbouring frames, each divided by its own light, the second difference is taken where they lie: what is
 * fixed to the camera falls out, and so does light that changes steadily. What the scene's known steps make of its mean
 * image is taken off. A sixth of the variance of these differences, outliers clipped, against the signal gives
 *
 *     variance = read^2 + gain signal + (proportional signal)^2
 *
 * by weighted least squares; the last term only where it improves the fit by three standard deviations (EMVA 1288, photon
 * transfer). The pattern fixed to the camera is what is left between two groups of frames, laid on each other where the
 * scene lay at different places, beyond that noise, on the still carrier.
 *
 * Counts are those above the black level; where that is unknown (null) the gain is still told and reading is not.
 * Standard errors count each pixel of each three once, less what overlapping threes share, widened by the fit's scatter.
 */
export async function noiseModel(
  movie: Movie,
  drift: Drift,
  {
    blackLevel,
    psf_um,
    around_px = null,
    signal,
  }: {
    readonly blackLevel: number | null;
    readonly psf_um: number;
    /** A place within a crystal of frame 0. */
    readonly around_px?: readonly [number, number] | null;
    readonly signal?: AbortSignal;
  },
): Promise<NoiseModel> {
  const black = blackLevel ?? 0;
  const psf_px = psf_um / movie.pixelSize_um;
  const because: string[] = [];
  const { found, triples } = await differences(movie, drift, around_px, {
    black,
    ...(signal === undefined ? {} : { signal }),
  });
  const levels = levelsOf(found, FLATTER);
  const fit = withDoubt(
    fitLevels(levels, blackLevel !== null),
    fitLevels(levelsOf(found, FLATTEST), blackLevel !== null),
  );
  if (levels.length === 0) because.push("no two neighbouring frames show enough of the scene to compare");
  else if (fit.gain === null) {
    because.push(
      `the light ranges over a factor of ${rangeOf(levels).toPrecision(3)} only: photons and reading are not told apart`,
    );
  } else if (blackLevel === null) because.push("the black level is unknown: noise of reading is not told");
  const fixedPattern =
    levels.length === 0 ? null : await patternOf(movie, drift, fit, { black, psf_px, signal, because });
  return {
    levels,
    read_counts: fit.read,
    gain_counts_per_electron: fit.gain,
    proportional: fit.proportional,
    fixedPattern,
    carrier: await carrierNoise(movie, drift, fit, black, signal),
    triples,
    because,
  };
}

/** Variance of one pixel of one frame at a signal, counts squared. */
export function varianceAt(model: NoiseModel, signal_counts: number): number {
  return varianceOf(
    {
      offset: (model.read_counts?.value ?? 0) ** 2,
      slope: model.gain_counts_per_electron?.value ?? 0,
      proportional: model.proportional,
      levels: model.levels,
    },
    signal_counts,
  );
}

/** Signal, second difference and steepness of the scene in turn. */
type Differences = Float64Array;

async function differences(
  movie: Movie,
  drift: Drift,
  around: readonly [number, number] | null,
  { black, signal }: { readonly black: number; readonly signal?: AbortSignal },
): Promise<{ found: Differences; triples: number }> {
  const box = windowOf(movie, around);
  const { left, top, width, height } = box;
  const size = width * height;
  const samples = samplesOf(movie.dtype, movie.width * movie.height);
  const all: number[] = [];
  let triples = 0;
  for (const run of runsOf(movie, drift)) {
    const lights: Float64Array[] = [];
    const scene = new Float64Array(size);
    const moved = new Float32Array(size);
    const off = run.map((frame): [number, number] => [
      drift.x_px[frame]! - drift.x_px[run[0]!]!,
      drift.y_px[frame]! - drift.y_px[run[0]!]!,
    ]);
    let most = Infinity;
    for (const [turn, frame] of run.entries()) {
      await movie.read(frame, samples, signal);
      signal?.throwIfAborted();
      most = Math.min(most, (saturation(samples) - black) / drift.gain[frame]!);
      const light = new Float64Array(size);
      for (let y = 0; y < height; y++) {
        const row = (top + y) * movie.width + left;
        for (let x = 0; x < width; x++) light[y * width + x] = (samples[row + x]! - black) / drift.gain[frame]!;
      }
      lights.push(light);
      resampleWindow(light.slice(), width, height, off[turn]![0], off[turn]![1], moved, 0, width, height);
      for (let at = 0; at < size; at++) scene[at] = scene[at]! + moved[at]! / run.length;
    }
    // What the scene alone gives in each frame, from the mean of the run.
    const alone = off.map(([x, y]) => {
      const image = new Float32Array(size);
      resampleWindow(scene.slice(), width, height, -x, -y, image, 0, width, height);
      return image;
    });
    for (let turn = 1; turn + 1 < run.length; turn++, triples++) {
      const own = [turn - 1, turn, turn + 1] as const;
      const [before, here, after] = own.map((at) => lights[at]!) as [Float64Array, Float64Array, Float64Array];
      const [was, is, will] = own.map((at) => alone[at]!) as [Float32Array, Float32Array, Float32Array];
      for (let y = RIM_px; y < height - RIM_px; y++) {
        for (let x = RIM_px; x < width - RIM_px; x++) {
          const at = y * width + x;
          if (before[at]! >= most || here[at]! >= most || after[at]! >= most) continue;
          const bend = before[at]! - 2 * here[at]! + after[at]! - (was[at]! - 2 * is[at]! + will[at]!);
          const slope = Math.hypot(is[at + 1]! - is[at - 1]!, is[at + width]! - is[at - width]!);
          if (Number.isFinite(bend) && Number.isFinite(slope)) all.push(is[at]!, bend, slope);
        }
      }
    }
  }
  return { found: Float64Array.from(all), triples };
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** A window of at most SIDE_px about a crystal, or the middle: crystal and ground give a range of light. */
function windowOf({ width, height }: Movie, around: readonly [number, number] | null): Box {
  const [x, y] = around ?? [width / 2, height / 2];
  const start = (middle: number, length: number): number =>
    Math.max(0, Math.min(length - SIDE_px, Math.round(middle - SIDE_px / 2)));
  return {
    left: start(x, width),
    top: start(y, height),
    width: Math.min(SIDE_px, width),
    height: Math.min(SIDE_px, height),
  };
}

/** Runs of neighbouring frames that all have a place, spread over the movie; those that move least where there is a choice. */
function runsOf(movie: Movie, drift: Drift): number[][] {
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

/** The greatest value of the camera, where some pixels stand at it; Infinity where none does. */
function saturation(samples: Samples): number {
  let most = -Infinity;
  let count = 0;
  for (let at = 0; at < samples.length; at++) {
    const value = samples[at]!;
    if (value > most) [most, count] = [value, 0];
    if (value === most) count++;
  }
  return count > 3 ? most : Infinity;
}

function levelsOf(found: Differences, flattest: number): NoiseLevel[] {
  const n = found.length / 3;
  const stride = Math.max(1, Math.floor(n / 50_000));
  const some = Float64Array.from({ length: Math.floor(n / stride) }, (_, k) => found[3 * stride * k]!);
  if (some.length === 0) return [];
  const [low, high] = [quantile(some, 0.002), quantile(some, 0.998)];
  // Even steps between the extremes, so that the few bright pixels have levels of their own.
  const bends: number[][] = Array.from({ length: LEVELS }, () => []);
  const slopes: number[][] = Array.from({ length: LEVELS }, () => []);
  const sums = new Float64Array(LEVELS);
  const counts = new Float64Array(LEVELS);
  for (let k = 0; k < n; k++) {
    const level = Math.floor((LEVELS * (found[3 * k]! - low)) / (high - low));
    if (!(level >= 0 && level < LEVELS)) continue;
    bends[level]!.push(found[3 * k + 1]!);
    slopes[level]!.push(found[3 * k + 2]!);
  }
  // Where the scene is steep, what it does alone is told worst.
  const limits = slopes.map((own) => (own.length > 0 ? quantile(own, flattest) : 0));
  for (let k = 0; k < n; k++) {
    const level = Math.floor((LEVELS * (found[3 * k]! - low)) / (high - low));
    if (!(level >= 0 && level < LEVELS) || found[3 * k + 2]! > limits[level]!) continue;
    sums[level] = sums[level]! + found[3 * k]!;
    counts[level] = counts[level]! + 1;
  }
  return bends.flatMap((all, level): NoiseLevel[] => {
    const own = all.filter((_, k) => slopes[level]![k]! <= limits[level]!);
    if (own.length < FEWEST) return [];
    const variance = clippedVariance(own) / BEND_VARIANCE;
    return [
      {
        signal_counts: sums[level]! / counts[level]!,
        variance_counts2: variance,
        sd_counts2: variance * Math.sqrt((2 * BEND_SHARED) / own.length),
      },
    ];
  });
}

/** Variance about the mean of what lies within CLIP standard deviations, made that of the whole Gaussian. */
function clippedVariance(values: readonly number[]): number {
  let middle = median(values);
  let sigma = Math.max(madSigma(values), 1e-9);
  for (let round = 0; round < 4; round++) {
    let [n, sum, squares] = [0, 0, 0];
    for (const value of values) {
      if (Math.abs(value - middle) > CLIP * sigma) continue;
      n++;
      sum += value - middle;
      squares += (value - middle) ** 2;
    }
    const shift = sum / n;
    sigma = Math.sqrt(Math.max(1e-18, squares / n - shift * shift) / CLIPPED_VARIANCE);
    middle += shift;
  }
  return sigma * sigma;
}

/** A fit whose errors take in what another choice of pixels makes of it: how much the scene's own steps still show. */
function withDoubt(fit: Fit, other: Fit): Fit {
  const wider = (one: Estimate | null, two: Estimate | null): Estimate | null =>
    one === null || two === null ? one : { ...one, sd: Math.hypot(one.sd!, one.value - two.value) };
  return { ...fit, gain: wider(fit.gain, other.gain), read: wider(fit.read, other.read) };
}

interface Fit {
  /** Variance at no signal, counts squared; with an unknown black level only a line's end. */
  readonly offset: number;
  readonly slope: number;
  readonly proportional: number;
  readonly read: Estimate | null;
  readonly gain: Estimate | null;
  readonly levels: readonly NoiseLevel[];
}

function rangeOf(levels: readonly NoiseLevel[]): number {
  return levels.at(-1)!.signal_counts / levels[0]!.signal_counts;
}

function fitLevels(levels: readonly NoiseLevel[], blackKnown: boolean): Fit {
  const none = { offset: 0, slope: 0, proportional: 0, read: null, gain: null, levels };
  if (levels.length < 3 || !(rangeOf(levels) >= LEAST_RANGE || !blackKnown)) return none;
  const plain = leastSquares(levels, [0, 1]);
  if (plain === null) return none;
  const curved = levels.length >= 5 ? leastSquares(levels, [0, 1, 2]) : null;
  const bends =
    curved !== null && curved.value[2]! > 3 * curved.sd[2]! && curved.value[1]! > 0 && curved.chi2 < plain.chi2 - 9;
  let best = bends ? curved : plain;
  // No variance below none: the line then goes through the origin.
  if (blackKnown && best.value[0]! < 0) {
    const through = leastSquares(levels, bends ? [1, 2] : [1]);
    if (through !== null) best = { ...through, value: [0, ...through.value], sd: [best.sd[0]!, ...through.sd] };
  }
  const slope = best.value[1]!;
  if (!(slope > 2 * best.sd[1]!)) return none;
  const n = levels.length;
  const read = Math.sqrt(Math.max(0, best.value[0]!));
  // Where reading does not show, its error is that of the variance's root.
  const readSd = read > 0 ? Math.min(best.sd[0]! / (2 * read), Math.sqrt(best.sd[0]!)) : Math.sqrt(best.sd[0]!);
  return {
    offset: best.value[0]!,
    slope,
    proportional: bends ? Math.sqrt(Math.max(0, best.value[2]!)) : 0,
    gain: { value: slope, sd: best.sd[1]!, n },
    read: blackKnown ? { value: read, sd: readSd, n } : null,
    levels,
  };
}

/** Variance as a sum of powers of the signal, weighted; errors widened where the levels scatter more than they should. */
function leastSquares(
  levels: readonly NoiseLevel[],
  powers: readonly number[],
): { value: number[]; sd: number[]; chi2: number } | null {
  const n = powers.length;
  const scale = levels.at(-1)!.signal_counts;
  const matrix = new Float64Array(n * n);
  const right = new Float64Array(n);
  const terms = (signal: number): number[] => powers.map((power) => (signal / scale) ** power);
  for (const { signal_counts, variance_counts2, sd_counts2 } of levels) {
    const own = terms(signal_counts);
    for (let i = 0; i < n; i++) {
      right[i] = right[i]! + (own[i]! * variance_counts2) / sd_counts2 ** 2;
      for (let j = 0; j < n; j++) matrix[i * n + j] = matrix[i * n + j]! + (own[i]! * own[j]!) / sd_counts2 ** 2;
    }
  }
  const inverse = invertSymmetric(matrix, n);
  if (inverse === null) return null;
  const value = timesVector(inverse, right, n);
  let chi2 = 0;
  for (const { signal_counts, variance_counts2, sd_counts2 } of levels) {
    const model = terms(signal_counts).reduce((sum, one, i) => sum + one * value[i]!, 0);
    chi2 += ((variance_counts2 - model) / sd_counts2) ** 2;
  }
  const wider = Math.sqrt(Math.max(1, chi2 / Math.max(1, levels.length - n)));
  return {
    value: Array.from(value, (one, i) => one / scale ** powers[i]!),
    sd: powers.map((power, i) => (wider * Math.sqrt(inverse[i * n + i]!)) / scale ** power),
    chi2,
  };
}

/** Variance at a signal: from the fit where there is one, else from the nearest level in proportion to the light. */
function varianceOf(fit: Pick<Fit, "offset" | "slope" | "proportional" | "levels">, signal_counts: number): number {
  if (fit.slope > 0) return fit.offset + fit.slope * signal_counts + (fit.proportional * signal_counts) ** 2;
  const nearest = fit.levels.reduce((best, level) =>
    Math.abs(level.signal_counts - signal_counts) < Math.abs(best.signal_counts - signal_counts) ? level : best,
  );
  return (nearest.variance_counts2 * signal_counts) / nearest.signal_counts;
}

async function carrierNoise(
  movie: Movie,
  { carrier }: Drift,
  fit: Fit,
  black: number,
  signal?: AbortSignal,
): Promise<NoiseModel["carrier"]> {
  if (fit.levels.length === 0) return null;
  const samples = samplesOf(movie.dtype, movie.width * movie.height);
  await movie.read(0, samples, signal);
  const light: number[] = [];
  for (let at = 0; at < samples.length; at++) if (carrier[at] === 1) light.push(samples[at]! - black);
  const signal_counts = light.length > 0 ? median(light) : NaN;
  if (!(signal_counts > 0)) return null;
  const value = Math.sqrt(varianceOf(fit, signal_counts)) / signal_counts;
  // Half the relative error of the variance of the level nearest to it.
  const nearest = fit.levels.reduce((best, level) =>
    Math.abs(level.signal_counts - signal_counts) < Math.abs(best.signal_counts - signal_counts) ? level : best,
  );
  return {
    signal_counts,
    noise: {
      value,
      sd: (0.5 * value * nearest.sd_counts2) / nearest.variance_counts2,
      n: Math.round(2 * (nearest.variance_counts2 / nearest.sd_counts2) ** 2),
    },
    shotLimit: fit.gain === null || fit.read === null ? null : Math.sqrt(fit.gain.value / signal_counts),
  };
}

/** Frames of a group, laid on the scene of frame 0, their mean over their own light. */
interface Group {
  readonly image: Float64Array;
  readonly shifts: [number, number][];
}

async function patternOf(
  movie: Movie,
  drift: Drift,
  fit: Fit,
  {
    black,
    psf_px,
    signal,
    because,
  }: {
    readonly black: number;
    readonly psf_px: number;
    readonly signal: AbortSignal | undefined;
    readonly because: string[];
  },
): Promise<Estimate | null> {
  const { x_px, y_px, carrier } = drift;
  const known = [...x_px.keys()].filter((frame) => Number.isFinite(x_px[frame]! + y_px[frame]! + drift.gain[frame]!));
  const first = known.slice(0, GROUP);
  if (first.length === 0) return null;
  const place = (frame: number): [number, number] => [x_px[frame]!, y_px[frame]!];
  // The frames that show most of it beside the first ones.
  const from = known
    .slice(GROUP)
    .filter((_, at, all) => at + GROUP <= all.length)
    .reduce<number | null>((best, frame) => {
      const off = (one: number): number => Math.hypot(x_px[one]! - x_px[first[0]!]!, y_px[one]! - y_px[first[0]!]!);
      return best === null || off(frame) > off(best) ? frame : best;
    }, null);
  const second = from === null ? [] : known.filter((frame) => frame >= from).slice(0, GROUP);
  const shows = second.length === 0 ? 0 : patternBetween(first.map(place), second.map(place));
  // Two means of GROUP frames that moved little within themselves show nearly 2.
  if (!(shows >= LEAST_SHOWN)) {
    because.push("the scene moved too little to tell a pattern fixed to the camera from its own");
    return null;
  }
  const [early, late] = [
    await groupOf(movie, drift, first, black, signal),
    await groupOf(movie, drift, second, black, signal),
  ];
  const { width, height } = movie;
  const ratio = Float64Array.from(early.image, (value, at) =>
    carrier[at] === 1 && value > 0 ? late.image[at]! / value : NaN,
  );
  const slow = gaussianBlur(ratio, width, height, SLOW_PSF * psf_px);
  const kept = noiseKept(early.shifts) + noiseKept(late.shifts);
  const squares: number[] = [];
  const residuals: number[] = [];
  const expected: number[] = [];
  // Where the scene is steep, a place told a little wrong looks like a pattern: the flatter half tells it.
  const steepness = (at: number): number =>
    Math.hypot(early.image[at + 1]! - early.image[at - 1]!, early.image[at + width]! - early.image[at - width]!) /
    early.image[at]!;
  const steep = ratio.map((one, at) => (Number.isFinite(one) ? steepness(at) : NaN));
  const limit = median(steep);
  for (let at = 0; at < ratio.length; at++) {
    const one = ratio[at]! / slow[at]! - 1;
    if (!Number.isFinite(one) || !(steep[at]! <= limit)) continue;
    const light = early.image[at]!;
    residuals.push(one);
    expected.push((kept * varianceOf(fit, light)) / light ** 2);
  }
  if (residuals.length < FEWEST) {
    because.push("too few pixels of still carrier to tell the pattern fixed to the camera");
    return null;
  }
  const most = CLIP * madSigma(residuals);
  residuals.forEach((one, k) => {
    if (Math.abs(one) <= most) squares.push((one * one) / CLIPPED_VARIANCE - expected[k]!);
  });
  const n = squares.length;
  const mean = squares.reduce((sum, one) => sum + one / n, 0);
  const scatter = Math.sqrt(squares.reduce((sum, one) => sum + (one - mean) ** 2 / n, 0));
  const variance = Math.max(0, mean) / shows;
  // The noise that is taken off is itself known to some hundredths only.
  const taken = expected.reduce((sum, one) => sum + one / expected.length, 0);
  const sd2 = Math.hypot(scatter / Math.sqrt(n), NOISE_ERROR * taken) / shows;
  const value = Math.sqrt(variance);
  return { value, sd: value > 0 ? Math.min(sd2 / (2 * value), Math.sqrt(sd2)) : Math.sqrt(sd2), n };
}

async function groupOf(
  movie: Movie,
  { x_px, y_px, gain }: Drift,
  frames: readonly number[],
  black: number,
  signal?: AbortSignal,
): Promise<Group> {
  const { width, height } = movie;
  const size = width * height;
  const samples = samplesOf(movie.dtype, size);
  const image = new Float64Array(size);
  const moved = new Float32Array(size);
  const shifts: [number, number][] = [];
  for (const frame of frames) {
    await movie.read(frame, samples, signal);
    signal?.throwIfAborted();
    const light = Float64Array.from(samples, (value) => (value - black) / gain[frame]!);
    const [x, y] = [x_px[frame]!, y_px[frame]!];
    resampleWindow(light, width, height, x, y, moved, 0, width, height);
    for (let at = 0; at < size; at++) image[at] = image[at]! + moved[at]! / frames.length;
    shifts.push([x, y]);
  }
  return { image, shifts };
}
