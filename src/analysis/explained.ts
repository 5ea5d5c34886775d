/** Whether what passed as a front is a face that changed all at once: a gap, a focus or a lamp that moved. */
import { gaussianBlur } from "../kernels/filter.js";
import type { Explanation, FrontMap } from "../model/experiment.js";
import type { Stack } from "../model/movie.js";

/** Moments that a window is divided into; each needs two frames. */
const MOST_MOMENTS = 24;
const LEAST_MOMENTS = 8;
/** Courses that an interferometer gives a face with one gap: its light, and the cosine and sine of the phase times it. */
const COURSES = 3;

/** Fronts leave 0.3 times and more of what theirs should, faces under a moving gap a hundredth. */
const LEAST_OF_FRONT = 0.1;

/** How many courses in time a window needs. */
export interface CourseShare {
  /** Share of the change that three common courses in time leave over. */
  readonly left: number;
  /** The same of a front with the arrivals found, all of it one step. */
  readonly ofFront: number;
}

/**
 * What explains a front without any lithium having moved behind it: "height", where all places follow the courses of one gap
 * (see sharedCourses) and a front with these arrivals would leave ten times as much beside them. A focus or a lamp that
 * moves does the same to a face and is named so too. Null where a front is the better word, or where it cannot be told.
 */
export function explainFront(stack: Stack, front: FrontMap, psf_um: number): Explanation | null {
  const shares = sharedCourses(stack, front, psf_um);
  if (shares === null || !(shares.left < LEAST_OF_FRONT * shares.ofFront)) return null;
  const percent = (share: number): string => `${(100 * share).toPrecision(2)} %`;
  return {
    cause: "height",
    left: shares.left,
    ofFront: shares.ofFront,
    because: `all places change at once, along the courses of one moving gap (${percent(shares.left)} of the change is left; a front with these arrivals would leave ${percent(shares.ofFront)})`,
  };
}

/**
 * Where light only moves because the gap d(t) under a face does, or focus, or lamp, every place follows the same few courses:
 *
 *     I(r, t) = i(t) [ A(r) + B(r) cos psi(t) + C(r) sin psi(t) ],   psi = 4 pi n d(t) / wavelength
 *
 * three of them, whatever the tilt. Behind a front every place has a step of its own time: steps at evenly spread times leave
 * 1 / (pi^2 (k - 1/2)^2) summed over k > 3, 7 % of their change, beside any three courses. Frames are divided into moments, each
 * into two halves of its frames, so that noise, which the halves do not share, adds nothing to their products.
 *
 * `stack` holds the frames of the window and some around it. Null where there are too few frames or arrivals to tell.
 */
export function sharedCourses(stack: Stack, front: FrontMap, psf_um: number): CourseShare | null {
  const { width, height, time_s, data, pixelSize_um } = stack;
  const { arrival_s, mask } = front;
  const pixels = [...arrival_s.keys()].filter((at) => mask[at] === 1 && Number.isFinite(arrival_s[at]!));
  if (pixels.length < 30 || width * height !== arrival_s.length) return null;
  const times = pixels.map((at) => arrival_s[at]!).sort((a, b) => a - b);
  const [from_s, to_s] = [times[0]!, times.at(-1)!];
  const around_s = 0.15 * (to_s - from_s);
  const frames = [...time_s.keys()].filter(
    (frame) => time_s[frame]! >= from_s - around_s && time_s[frame]! <= to_s + around_s,
  );
  const moments = Math.min(MOST_MOMENTS, Math.floor(frames.length / 2));
  if (moments < LEAST_MOMENTS) return null;
  const psf_px = psf_um / pixelSize_um;
  const inside = Float32Array.from(mask, (one) => (one === 1 ? 1 : 0));
  const smoothBy = (sigma_px: number): ((image: Float32Array) => Float32Array) => {
    const under = gaussianBlur(inside, width, height, sigma_px);
    return (image) => {
      const seen = gaussianBlur(image, width, height, sigma_px);
      return Float32Array.from(pixels, (at) => seen[at]! / under[at]!);
    };
  };
  // The frames have been through the lens already.
  const smooth = smoothBy(psf_px);
  const smoothTwice = smoothBy(Math.SQRT2 * psf_px);
  const halves: [Float32Array[], Float32Array[]] = [[], []];
  const model: Float32Array[] = [];
  for (let moment = 0; moment < moments; moment++) {
    const own = frames.slice(
      Math.floor((moment * frames.length) / moments),
      Math.floor(((moment + 1) * frames.length) / moments),
    );
    for (const half of [0, 1] as const) {
      const mean = meanOf(
        data,
        own.filter((_, at) => at % 2 === half),
        mask,
      );
      if (mean === null) return null;
      halves[half].push(smooth(mean));
    }
    const step = new Float32Array(mask.length);
    for (const at of pixels) {
      step[at] = own.reduce((sum, frame) => sum + (time_s[frame]! > arrival_s[at]! ? 1 : 0), 0) / own.length;
    }
    model.push(smoothTwice(step));
  }
  const level = halves[0][0]!.map((value, at) => 0.5 * (value + halves[1][0]![at]!));
  const relative = (fields: readonly Float32Array[]): Float32Array[] =>
    fields.map((field) => field.map((value, at) => value / level[at]!));
  const left = leftOver(relative(halves[0]), relative(halves[1]));
  const ofFront = leftOver(model, model);
  return left === null || ofFront === null ? null : { left, ofFront };
}

/** Mean of frames inside the mask, 0 outside; null where a pixel is unknown in one of them. */
function meanOf(data: Float32Array, frames: readonly number[], mask: Uint8Array): Float32Array | null {
  const mean = new Float32Array(mask.length);
  for (let at = 0; at < mask.length; at++) {
    if (mask[at] === 0) continue;
    let sum = 0;
    let known = 0;
    for (const frame of frames) {
      const value = data[frame * mask.length + at]!;
      if (Number.isNaN(value)) continue;
      sum += value;
      known++;
    }
    if (known === 0) return null;
    mean[at] = sum / known;
  }
  return mean;
}

/** Share of the change between moments that the strongest courses leave, from products of the two halves. */
function leftOver(a: readonly Float32Array[], b: readonly Float32Array[]): number | null {
  const moments = a.length;
  const change = (fields: readonly Float32Array[]): Float64Array[] => {
    const count = fields[0]!.length;
    const middle = Float64Array.from({ length: count }, (_, at) =>
      fields.reduce((sum, field) => sum + field[at]! / moments, 0),
    );
    return fields.map((field) => Float64Array.from(field, (value, at) => value - middle[at]!));
  };
  const [first, second] = [change(a), change(b)];
  const product = Array.from({ length: moments }, (_, i) =>
    Float64Array.from({ length: moments }, (__, j) => {
      let sum = 0;
      for (let at = 0; at < first[i]!.length; at++) {
        sum += first[i]![at]! * second[j]![at]! + first[j]![at]! * second[i]![at]!;
      }
      return 0.5 * sum;
    }),
  );
  const total = product.reduce((sum, row, i) => sum + row[i]!, 0);
  if (!(total > 0)) return null;
  let strongest = 0;
  for (let course = 0; course < COURSES; course++) strongest += deflate(product);
  return Math.max(0, 1 - strongest / total);
}

/** The greatest eigenvalue of a symmetric matrix, whose part is taken out of it. By powers. */
function deflate(matrix: Float64Array[]): number {
  const size = matrix.length;
  let vector = Float64Array.from({ length: size }, (_, at) => 1 + 0.1 * Math.cos(3 * at) + at / size);
  let value = 0;
  for (let turn = 0; turn < 200; turn++) {
    const next = Float64Array.from(matrix, (row) => row.reduce((sum, one, at) => sum + one * vector[at]!, 0));
    const length = Math.hypot(...next);
    if (length === 0) return 0;
    vector = next.map((one) => one / length);
    value = matrix.reduce(
      (sum, row, i) => sum + vector[i]! * row.reduce((inner, one, j) => inner + one * vector[j]!, 0),
      0,
    );
  }
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) matrix[i]![j] = matrix[i]![j]! - value * vector[i]! * vector[j]!;
  }
  return value;
}
