/** What the boundary looks like, the same at every pixel: how wide it is and how bright its line. */
import { median } from "../kernels/stats.js";
import { STRETCH } from "./arrival-fit.js";
import { glow, rise, type Shape } from "./passing-shape.js";
import type { PixelCourses } from "./pixel-courses.js";

/** The common look of a boundary. */
export interface BoundaryProfile {
  readonly shape: Shape;
  /** Width relative to the one that was expected. */
  readonly scale: number;
  /** Standard error, in widths, that the shape leaves on the moment of every passing alike. */
  readonly offsetSd: number;
}

/** How each course's passing is expected to look: its width in time, its skew, and the part of it from changing speed. */
export interface Expected {
  readonly width_s: Float32Array;
  readonly skew: Float32Array;
  readonly bend: Float32Array;
}

/** Courses that stand for all, each with the frames about its passing. */
interface Sample {
  /** Where each course's frames begin in the lists below; one entry more. */
  readonly start: Int32Array;
  readonly time_s: Float64Array;
  readonly value: Float64Array;
  /** One entry a course: moment and width from which the search goes out, variance of its noise. */
  readonly arrival_s: Float64Array;
  readonly width_s: Float64Array;
  readonly variance: Float64Array;
  readonly skew: Float64Array;
  readonly bend: Float64Array;
}

/** Width, line and width of the line, with the moments of the sample's passings in widths after those of the sample. */
interface State {
  readonly logScale: number;
  readonly line: number;
  readonly lineWidth: number;
  readonly offset: Float64Array;
}

/** Frames about a passing without which level, slope, step and moment of its course leave nothing to judge the shape by. */
const FEWEST_FRAMES = 6;
/** What is expected before looking: the width as told, give or take; a line of any sign; a line about as wide. */
const PRIOR = {
  logScale: { mean: 0, sd: 0.2 },
  line: { mean: 0, sd: 1 },
  lineWidth: { mean: 1.1, sd: 0.15 },
} as const;
/** Lines, as shares of the step, from which the search goes out. */
const STARTS = [-0.4, 0.4];
/**
 * A line is believed where it explains so much more, in variances of the noise, and more than a misfit of some
 * thousandths of the step could: the square of that share, a course.
 */
const BELIEF = 12;
const BELIEF_STEP2 = 3e-5;
/** What a line of the step's height explains, a squared step over its variance and frame in a width: on synthetic movies. */
const LINE_INFORMATION = 0.05;
const FEWEST = 20;
/** A course that fits worse than the typical one by this factor does not count. */
const MISFIT = 2.5;

/**
 * The shape common to all passings, by least squares over the chosen courses together, each with its own level, slope,
 * step and moment (projected out), all with one width factor, line and width of line (Gauss and Newton, damped).
 *
 * In one course a bright line and an earlier step look alike: to first order a line is a step that is moved, so that
 * a line free at each pixel would leave the moment open. In thousands together they are told apart by their curvature.
 * A line that explains no more than chance could is taken for none; what one too faint to be believed could move is in the standard error. `before` is what an earlier
 * look told, by which the arrivals were found; with too few courses it stands. Each noise is that of `shared` courses.
 */
export function boundaryProfile(
  courses: PixelCourses,
  arrival_s: Float32Array,
  expected: Expected,
  { chosen, shared }: { readonly chosen: readonly number[]; readonly shared: number },
  before: BoundaryProfile | null,
): BoundaryProfile | null {
  const told = chosen.filter((i) => framesOf(courses, arrival_s, expected, i).length >= FEWEST_FRAMES);
  if (told.length < FEWEST) return before;
  const first = look(sampleOf(courses, arrival_s, expected, told), shared, before);
  // Courses where fronts met, or that a defect crosses, do not look like the others.
  const most = MISFIT * median(first.leftOf);
  const alike = told.filter((_, k) => first.leftOf[k]! <= most);
  const { state, left, freedom, offsetSd } =
    alike.length === told.length || alike.length < FEWEST
      ? first
      : look(sampleOf(courses, arrival_s, expected, alike), shared, before);
  const scatter = Math.max(1, left / Math.max(1, freedom));
  return {
    shape: { line: state.line, lineWidth: state.lineWidth },
    scale: Math.exp(state.logScale),
    offsetSd: offsetSd * Math.sqrt(scatter * shared),
  };
}

/** The better of a boundary without a line and one with a line, if the line explains enough. */
function look(sample: Sample, shared: number, before: BoundaryProfile | null): Refined {
  const used = before?.shape.line ?? 0;
  const plain = refine(sample, { logScale: 0, line: 0, lineWidth: PRIOR.lineWidth.mean }, used, false);
  let best = plain;
  const starts =
    before === null || used === 0
      ? STARTS.map((line) => ({ logScale: plain.state.logScale, line, lineWidth: PRIOR.lineWidth.mean }))
      : [{ logScale: Math.log(before.scale), ...before.shape }];
  for (const start of starts) {
    const tried = refine(sample, start, used, true);
    if (tried.cost < best.cost) best = tried;
  }
  const scatter = Math.max(1, best.left / Math.max(1, best.freedom));
  const believed = BELIEF * scatter * shared;
  if (plain.cost - best.cost > believed + BELIEF_STEP2 * plain.steps2) return best;
  // Lines up to this height would not have been believed; half of it is left in doubt, moving all arrivals.
  const framesPerWidth = sample.time_s.length / (2 * STRETCH * sample.arrival_s.length);
  const faintest = Math.sqrt(believed / (LINE_INFORMATION * plain.steps2 * framesPerWidth));
  const moved = 0.5 * Math.sqrt(2 * Math.PI) * faintest;
  return { ...plain, offsetSd: Math.hypot(plain.offsetSd, moved / Math.sqrt(scatter * shared)) };
}

/** Frames within STRETCH widths about one course's passing. */
function framesOf(
  { time_s, relative }: PixelCourses,
  arrival_s: Float32Array,
  { width_s }: Expected,
  course: number,
): number[] {
  const frames: number[] = [];
  for (let k = 0; k < time_s.length; k++) {
    const near = Math.abs(time_s[k]! - arrival_s[course]!) <= STRETCH * width_s[course]!;
    if (near && Number.isFinite(relative[course * time_s.length + k]!)) frames.push(k);
  }
  return frames;
}

/** The chosen courses about their passings. */
function sampleOf(
  courses: PixelCourses,
  arrival_s: Float32Array,
  expected: Expected,
  chosen: readonly number[],
): Sample {
  const { time_s, relative, noise } = courses;
  const { width_s, skew, bend } = expected;
  const start = [0];
  const times: number[] = [];
  const values: number[] = [];
  for (const i of chosen) {
    for (const k of framesOf(courses, arrival_s, expected, i)) {
      times.push(time_s[k]!);
      values.push(relative[i * time_s.length + k]! - 1);
    }
    start.push(times.length);
  }
  return {
    start: Int32Array.from(start),
    time_s: Float64Array.from(times),
    value: Float64Array.from(values),
    arrival_s: Float64Array.from(chosen, (i) => arrival_s[i]!),
    width_s: Float64Array.from(chosen, (i) => width_s[i]!),
    variance: Float64Array.from(chosen, (i) => noise[i]! ** 2),
    skew: Float64Array.from(chosen, (i) => skew[i]!),
    bend: Float64Array.from(chosen, (i) => bend[i]!),
  };
}

interface Refined {
  readonly state: State;
  /** Squares left over their variances, with and without what the prior adds. */
  readonly cost: number;
  readonly left: number;
  readonly freedom: number;
  readonly leftOf: Float64Array;
  /** Squares of the steps over the variances. */
  readonly steps2: number;
  readonly offsetSd: number;
}

function refine(sample: Sample, from: Omit<State, "offset">, used: number, withLine: boolean): Refined {
  const courses = sample.arrival_s.length;
  // A line of height b moves the step that fits best by b sqrt(2 pi) widths; the sample's moments know a line already.
  const offset = new Float64Array(courses).fill(Math.sqrt(2 * Math.PI) * (from.line - used));
  let state: State = { ...from, offset };
  let now = linearise(sample, state, withLine);
  let damping = 1e-3;
  for (let round = 0; round < 40 && damping < 1e6; round++) {
    const next = stepFrom(state, now, damping, withLine);
    const tried = linearise(sample, next, withLine);
    if (tried.cost < now.cost) {
      const gain = now.cost - tried.cost;
      state = next;
      now = tried;
      damping *= 0.2;
      if (gain < 0.05) break;
    } else damping *= 6;
  }
  return {
    state,
    cost: now.cost,
    left: now.left,
    leftOf: now.leftOf,
    steps2: now.steps2,
    freedom: sample.time_s.length - 4 * courses,
    offsetSd: offsetSd(now, withLine),
  };
}

/** Normal equations of the shared parameters (width, line, width of line), the courses' own projected out. */
interface Linearised {
  readonly cost: number;
  readonly left: number;
  /** The same of each course, by its frames. */
  readonly leftOf: Float64Array;
  readonly steps2: number;
  /** 3 x 3 and 3, priors included. */
  readonly normal: Float64Array;
  readonly gradient: Float64Array;
  /** Per course: by how much its moment moves for itself, and for each shared parameter. */
  readonly own: Float64Array;
  readonly coupling: Float64Array;
}

/** Columns of one course: level, slope, step, moment; width, line, width of line; what is left of the values. */
const COLUMNS = 8;
const SHARED = 4;
const VALUES = 7;

function linearise(sample: Sample, state: State, withLine: boolean): Linearised {
  const { line, lineWidth } = state;
  const scale = Math.exp(state.logScale);
  const courses = sample.arrival_s.length;
  const normal = new Float64Array(9);
  const gradient = new Float64Array(3);
  const leftOf = new Float64Array(courses);
  const own = new Float64Array(courses);
  const coupling = new Float64Array(3 * courses);
  let left = 0;
  let steps2 = 0;
  const longest = sample.start.reduce((most, at, i) => Math.max(most, at - (sample.start[i - 1] ?? 0)), 0);
  const column = Array.from({ length: COLUMNS }, () => new Float64Array(longest));
  for (let i = 0; i < courses; i++) {
    const from = sample.start[i]!;
    const n = sample.start[i + 1]! - from;
    const skew = sample.skew[i]!;
    const bend = sample.bend[i]!;
    const width_s = sample.width_s[i]! * scale;
    const arrival_s = sample.arrival_s[i]! + state.offset[i]! * sample.width_s[i]!;
    for (let k = 0; k < n; k++) {
      const u = (sample.time_s[from + k]! - arrival_s) / width_s;
      const shining = glow(u, lineWidth, bend);
      const rising = rise(u, skew);
      const rate = rising.byU + line * shining.byU;
      column[0]![k] = 1;
      column[1]![k] = u;
      column[2]![k] = rising.value + line * shining.value;
      column[3]![k] = -rate / scale;
      column[4]![k] = -rate * u;
      column[5]![k] = shining.value;
      column[6]![k] = line * shining.byWidth;
      column[7]![k] = sample.value[from + k]!;
    }
    // Gram and Schmidt: level, slope and step are taken out first; the height then scales the other columns.
    project(column, n, 0, 1);
    project(column, n, 1, 2);
    const stepNorm = squares(column[2]!, n);
    const height = dot(column[2]!, column[VALUES]!, n) / stepNorm;
    project(column, n, 2, 3);
    for (let c = 3; c < VALUES; c++) for (let k = 0; k < n; k++) column[c]![k] = column[c]![k]! * height;
    const momentNorm = squares(column[3]!, n);
    const weight = 1 / sample.variance[i]!;
    const own2 = weight * squares(column[VALUES]!, n);
    leftOf[i] = own2 / n;
    steps2 += weight * height * height;
    left += own2;
    // An undetermined moment (between frames) is held where it is.
    const held = momentNorm + 1e-3 * height * height;
    own[i] = dot(column[3]!, column[VALUES]!, n) / held;
    for (let a = 0; a < 3; a++) {
      const ca = column[SHARED + a]!;
      const moved = dot(column[3]!, ca, n) / held;
      coupling[3 * i + a] = moved;
      gradient[a] = gradient[a]! + weight * (dot(ca, column[VALUES]!, n) - moved * dot(column[3]!, column[VALUES]!, n));
      for (let b = 0; b <= a; b++) {
        const cb = column[SHARED + b]!;
        const product = weight * (dot(ca, cb, n) - moved * dot(column[3]!, cb, n));
        normal[3 * a + b] = normal[3 * a + b]! + product;
        if (b < a) normal[3 * b + a] = normal[3 * b + a]! + product;
      }
    }
  }
  let cost = left;
  for (const [a, name] of (["logScale", "line", "lineWidth"] as const).entries()) {
    const { mean, sd } = PRIOR[name];
    normal[4 * a] = normal[4 * a]! + 1 / (sd * sd);
    gradient[a] = gradient[a]! + (mean - state[name]) / (sd * sd);
    if (a === 0 || withLine) cost += ((mean - state[name]) / sd) ** 2;
  }
  return { cost, left, leftOf, steps2, normal, gradient, own, coupling };
}

/** Takes the column `by` out of all columns from `first` on. */
function project(column: readonly Float64Array[], n: number, by: number, first: number): void {
  const norm = squares(column[by]!, n);
  for (let c = first; c < COLUMNS; c++) {
    const share = dot(column[by]!, column[c]!, n) / norm;
    for (let k = 0; k < n; k++) column[c]![k] = column[c]![k]! - share * column[by]![k]!;
  }
}

function squares(a: Float64Array, n: number): number {
  return dot(a, a, n);
}

function dot(a: Float64Array, b: Float64Array, n: number): number {
  let sum = 0;
  for (let k = 0; k < n; k++) sum += a[k]! * b[k]!;
  return sum;
}

function stepFrom(state: State, now: Linearised, damping: number, withLine: boolean): State {
  const terms = withLine ? 3 : 1;
  const a = new Float64Array(9);
  for (let i = 0; i < 3; i++) {
    for (let j = 0; j < 3; j++) a[3 * i + j] = i < terms && j < terms ? now.normal[3 * i + j]! : 0;
    a[4 * i] = i < terms ? a[4 * i]! * (1 + damping) : 1;
  }
  const b = now.gradient.map((value, i) => (i < terms ? value : 0));
  const move = solve3(a, b);
  const limited = (value: number, most: number): number => Math.max(-most, Math.min(most, value));
  const logScale = limited(state.logScale + limited(move[0]!, 0.15), 1);
  const line = limited(state.line + limited(move[1]!, 0.2), 4);
  // No line is seen narrower than the lens makes it.
  const lineWidth = Math.max(1, Math.min(2, state.lineWidth + limited(move[2]!, 0.15)));
  const taken = [logScale - state.logScale, line - state.line, lineWidth - state.lineWidth];
  const offset = state.offset.map((value, i) => {
    let moved = now.own[i]! / (1 + damping);
    for (let s = 0; s < terms; s++) moved -= now.coupling[3 * i + s]! * taken[s]!;
    return value + limited(moved, 1);
  });
  return { logScale, line, lineWidth, offset };
}

/** Standard error of the mean moment that comes from the shared parameters. */
function offsetSd({ normal, coupling }: Linearised, withLine: boolean): number {
  const terms = withLine ? 3 : 1;
  const mean = new Float64Array(3);
  const courses = coupling.length / 3;
  for (let i = 0; i < courses; i++) {
    for (let s = 0; s < terms; s++) mean[s] = mean[s]! + coupling[3 * i + s]! / courses;
  }
  const a = normal.map((value, at) => (Math.floor(at / 3) < terms && at % 3 < terms ? value : at % 4 === 0 ? 1 : 0));
  const x = solve3(a, mean);
  return Math.sqrt(Math.max(0, mean[0]! * x[0]! + mean[1]! * x[1]! + mean[2]! * x[2]!));
}

/** Solution of a positive definite 3 x 3 system by Cramer's rule. */
function solve3(a: Float64Array, b: Float64Array): Float64Array {
  const determinant = (m: ArrayLike<number>): number =>
    m[0]! * (m[4]! * m[8]! - m[5]! * m[7]!) -
    m[1]! * (m[3]! * m[8]! - m[5]! * m[6]!) +
    m[2]! * (m[3]! * m[7]! - m[4]! * m[6]!);
  const whole = determinant(a);
  return Float64Array.from(
    [0, 1, 2],
    (column) =>
      determinant(Float64Array.from(a, (value, at) => (at % 3 === column ? b[Math.floor(at / 3)]! : value))) / whole,
  );
}
