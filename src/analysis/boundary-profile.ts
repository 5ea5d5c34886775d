/** What the boundary looks like, the same at every pixel: how wide it is and how bright its line. */
import { median } from "../kernels/stats.js";
import { STRETCH } from "./arrival-fit.js";
import { invertSymmetric, timesVector } from "../kernels/normal-equations.js";
import { glow, rise, turn, type Shape } from "./passing-shape.js";
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

/** Width, kink, line and width of the line, with the moments of the sample's passings in widths after those of the sample. */
interface State {
  readonly logScale: number;
  readonly kink_per_s: number;
  readonly line: number;
  readonly lineWidth: number;
  readonly offset: Float64Array;
}

/** Frames about a passing without which level, slope, step and moment of its course leave nothing to judge the shape by. */
const FEWEST_FRAMES = 6;
/** What is expected before looking: the width as told, give or take; a line of any sign; a line about as wide. */
const PRIOR = {
  logScale: { mean: 0, sd: 0.2 },
  kink_per_s: { mean: 0, sd: 0.003 },
  line: { mean: 0, sd: 1 },
  lineWidth: { mean: 1.1, sd: 0.15 },
} as const;
/** The shared parameters in the order of their columns; the first two without a line. */
const PARAMETERS = ["logScale", "kink_per_s", "line", "lineWidth"] as const;
const TERMS = { plain: 2, all: 4 } as const;
/** Lines, as shares of the step, from which the search goes out. */
const STARTS = [-0.4, 0.4];
/**
 * A line is believed where it explains so much more, in variances of the noise, and more than a misfit of some
 * thousandths of the step could: the square of that share, a course.
 */
const BELIEF = 12;
const BELIEF_STEP2 = 3e-5;
/** Share of what a line of unknown height could move all arrivals by that is left in doubt where none is believed. */
const DOUBT = 0.15;
/** The square of the share of a step by which passings differ from the model's. */
const MISFIT_STEP2 = 6e-6;
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
  const { state, left, freedom, offsetSd, steps2 } =
    alike.length === told.length || alike.length < FEWEST
      ? first
      : look(sampleOf(courses, arrival_s, expected, alike), shared, before);
  // Passings that are not quite those of the model count as noise that does not average.
  const scatter = Math.max(1, left / Math.max(1, freedom)) + MISFIT_STEP2 * steps2;
  return {
    shape: { line: state.line, lineWidth: state.lineWidth, kink_per_s: state.kink_per_s },
    scale: Math.exp(state.logScale),
    offsetSd: offsetSd * Math.sqrt(scatter * shared),
  };
}

/** The better of a boundary without a line and one with a line, if the line explains enough. */
function look(sample: Sample, shared: number, before: BoundaryProfile | null): Refined {
  const used = before?.shape.line ?? 0;
  const none = { logScale: 0, kink_per_s: before?.shape.kink_per_s ?? 0, line: 0, lineWidth: PRIOR.lineWidth.mean };
  const plain = refine(sample, none, used, false);
  let best = plain;
  const starts =
    before === null || used === 0
      ? STARTS.map((line) => ({ ...plain.state, line, lineWidth: PRIOR.lineWidth.mean }))
      : [{ logScale: Math.log(before.scale), ...before.shape }];
  for (const start of starts) {
    const tried = refine(sample, start, used, true);
    if (tried.cost < best.cost) best = tried;
  }
  const scatter = Math.max(1, best.left / Math.max(1, best.freedom));
  const believed = BELIEF * scatter * shared;
  if (plain.cost - best.cost > believed + BELIEF_STEP2 * plain.steps2) return best;
  // A line too faint to be believed may still be there.
  const unseen = offsetSd(linearise(sample, plain.state, true), true);
  return { ...plain, offsetSd: Math.hypot(plain.offsetSd, DOUBT * unseen) };
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

/** Normal equations of the shared parameters (width, kink, line, width of line), the courses' own projected out. */
interface Linearised {
  readonly cost: number;
  readonly left: number;
  /** The same of each course, by its frames. */
  readonly leftOf: Float64Array;
  readonly steps2: number;
  /** 4 x 4 and 4, priors included. */
  readonly normal: Float64Array;
  readonly gradient: Float64Array;
  /** Per course: by how much its moment moves for itself, and for each shared parameter. */
  readonly own: Float64Array;
  readonly coupling: Float64Array;
}

/** Columns of one course: level, slope, step, moment; width, kink, line, width of line; what is left of the values. */
const COLUMNS = 9;
const SHARED = 4;
const VALUES = 8;

function linearise(sample: Sample, state: State, withLine: boolean): Linearised {
  const { line, lineWidth, kink_per_s } = state;
  const scale = Math.exp(state.logScale);
  const courses = sample.arrival_s.length;
  const terms = TERMS.all;
  const normal = new Float64Array(terms * terms);
  const gradient = new Float64Array(terms);
  const leftOf = new Float64Array(courses);
  const own = new Float64Array(courses);
  const coupling = new Float64Array(terms * courses);
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
      const turning = width_s * turn(u);
      // The kink is far smaller than the step: where it stands moves nothing.
      const rate = rising.byU + line * shining.byU;
      column[0]![k] = 1;
      column[1]![k] = u;
      column[2]![k] = rising.value + line * shining.value + kink_per_s * turning;
      column[3]![k] = -rate / scale;
      column[4]![k] = -rate * u;
      column[5]![k] = turning;
      column[6]![k] = shining.value;
      column[7]![k] = line * shining.byWidth;
      column[8]![k] = sample.value[from + k]!;
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
    for (let a = 0; a < terms; a++) {
      const ca = column[SHARED + a]!;
      const moved = dot(column[3]!, ca, n) / held;
      coupling[terms * i + a] = moved;
      gradient[a] = gradient[a]! + weight * (dot(ca, column[VALUES]!, n) - moved * dot(column[3]!, column[VALUES]!, n));
      for (let b = 0; b <= a; b++) {
        const cb = column[SHARED + b]!;
        const product = weight * (dot(ca, cb, n) - moved * dot(column[3]!, cb, n));
        normal[terms * a + b] = normal[terms * a + b]! + product;
        if (b < a) normal[terms * b + a] = normal[terms * b + a]! + product;
      }
    }
  }
  let cost = left;
  for (const [a, name] of PARAMETERS.entries()) {
    const { mean, sd } = PRIOR[name];
    normal[(terms + 1) * a] = normal[(terms + 1) * a]! + 1 / (sd * sd);
    gradient[a] = gradient[a]! + (mean - state[name]) / (sd * sd);
    if (a < TERMS.plain || withLine) cost += ((mean - state[name]) / sd) ** 2;
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
  const terms = withLine ? TERMS.all : TERMS.plain;
  const damped = inverseOf(now.normal, terms, damping);
  const move = damped === null ? new Float64Array(terms) : timesVector(damped, now.gradient, terms);
  const limited = (value: number, most: number): number => Math.max(-most, Math.min(most, value));
  const logScale = limited(state.logScale + limited(move[0]!, 0.15), 1);
  const kink_per_s = limited(state.kink_per_s + move[1]!, 0.02);
  const line = limited(state.line + limited(move[2] ?? 0, 0.2), 4);
  // No line is seen narrower than the lens makes it.
  const lineWidth = Math.max(1, Math.min(2, state.lineWidth + limited(move[3] ?? 0, 0.15)));
  const taken = [
    logScale - state.logScale,
    kink_per_s - state.kink_per_s,
    line - state.line,
    lineWidth - state.lineWidth,
  ];
  const offset = state.offset.map((value, i) => {
    let moved = now.own[i]! / (1 + damping);
    for (let s = 0; s < terms; s++) moved -= now.coupling[TERMS.all * i + s]! * taken[s]!;
    return value + limited(moved, 1);
  });
  return { logScale, kink_per_s, line, lineWidth, offset };
}

/** Standard error of the mean moment that comes from the shared parameters. */
function offsetSd({ normal, coupling }: Linearised, withLine: boolean): number {
  const terms = withLine ? TERMS.all : TERMS.plain;
  const mean = new Float64Array(terms);
  const courses = coupling.length / TERMS.all;
  for (let i = 0; i < courses; i++) {
    for (let s = 0; s < terms; s++) mean[s] = mean[s]! + coupling[TERMS.all * i + s]! / courses;
  }
  const inverse = inverseOf(normal, terms, 0);
  if (inverse === null) return Infinity;
  const x = timesVector(inverse, mean, terms);
  return Math.sqrt(
    Math.max(
      0,
      mean.reduce((sum, value, s) => sum + value * x[s]!, 0),
    ),
  );
}

/** The inverse of the first `terms` rows and columns, the diagonal made longer by `damping`. */
function inverseOf(normal: Float64Array, terms: number, damping: number): Float64Array | null {
  const part = new Float64Array(terms * terms);
  for (let i = 0; i < terms; i++) {
    for (let j = 0; j < terms; j++) part[i * terms + j] = normal[i * TERMS.all + j]! * (i === j ? 1 + damping : 1);
  }
  return invertSymmetric(part, terms);
}
