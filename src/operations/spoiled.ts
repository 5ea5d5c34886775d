/** Experiments spoiled on purpose: springs in which the river must find nothing, or the same. */
import { containsPoint, polygonCentroid } from "../kernels/polygon.js";
import { grow, shrink } from "../kernels/distance.js";
import { random } from "../kernels/random.js";
import { resampleWindow } from "../kernels/resample.js";
import { median } from "../kernels/stats.js";
import type { Crop, Drift } from "../model/experiment.js";
import type { Image, Movie } from "../model/movie.js";
import type { Particle } from "../model/particle.js";

/** Rays of noise kept ready; frames begin anywhere among them. */
const NOISE_LENGTH = 1_048_573;
/** Sizes of the outline's copy that are tried on the ground, the greatest first. */
const SIZES = [1, 0.7, 0.5] as const;
/** Places tried, px apart. */
const STRIDE_px = 4;
/** Share of a patch's pixels that must be known as still ground. */
const STILL = 0.9;
/** Ground nearer to a crystal than this is lit by it. */
const CLEAR_um = 0.5;

/**
 * The scene of one image as the movie shows it: moved by the measured drift, under the measured lamp, with the noise that was
 * measured on the ground and grows as the root of the light. `image` is without the black level. Beyond its border it goes on
 * as in a mirror. Frames that were left out hold what the one before them holds. Seeded: frame k is the same in any order.
 */
export function stillMovie(
  movie: Movie,
  image: Image,
  drift: Drift,
  { blackLevel, seed }: { readonly blackLevel: number | null; readonly seed: number },
): Movie {
  const { width, height } = movie;
  const black = blackLevel ?? 0;
  const ground = image.data.filter((value, at) => drift.carrier[at] === 1 && Number.isFinite(value));
  const level = median(ground.length > 0 ? ground : image.data.filter(Number.isFinite));
  const reach = [...drift.x_px, ...drift.y_px].reduce((far, px) => (Math.abs(px) > far ? Math.abs(px) : far), 0);
  const margin = Math.ceil(reach) + 4;
  const padded = mirrored(image, margin, level);
  const wide = width + 2 * margin;
  const noise = Float32Array.from(
    { length: NOISE_LENGTH },
    (
      (from) => () =>
        from.normal()
    )(random(seed)),
  );
  const whole = !movie.dtype.startsWith("float");
  const [least, most] = rangeOf(movie.dtype);
  const light = new Float64Array(padded.length);
  const frame = new Float32Array(width * height);
  return {
    ...movie,
    read: (index, into) => {
      light.set(padded);
      const seen = lastSeen(drift, index);
      resampleWindow(
        light,
        wide,
        height + 2 * margin,
        margin - (drift.x_px[seen] ?? 0),
        margin - (drift.y_px[seen] ?? 0),
        frame,
        0,
        width,
        height,
      );
      const start = random(seed + 1 + index).integer(NOISE_LENGTH);
      const gain = drift.gain[seen] ?? 1;
      for (let at = 0; at < frame.length; at++) {
        const expected = frame[at]! * gain;
        const sd = drift.noise * Math.sqrt(Math.max(0, expected) * level);
        const value = black + expected + sd * noise[(start + at) % NOISE_LENGTH]!;
        into[at] = whole ? Math.min(most, Math.max(least, Math.round(value))) : value;
      }
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  };
}

/** A crop whose frames stand in random order under the same times. */
export function shuffledCrop(crop: Crop, seed: number): Crop {
  const frames = crop.time_s.length;
  const from = random(seed);
  const order = Array.from({ length: frames }, (_, at) => at);
  for (let at = frames - 1; at > 0; at--) {
    const other = from.integer(at + 1);
    [order[at], order[other]] = [order[other]!, order[at]!];
  }
  const inOrder = (values: Float64Array): Float64Array => Float64Array.from(order, (frame) => values[frame]!);
  return {
    ...crop,
    raw: { read: (frame, into) => crop.raw.read(order[frame]!, into) },
    wholeX_px: Int32Array.from(order, (frame) => crop.wholeX_px[frame]!),
    wholeY_px: Int32Array.from(order, (frame) => crop.wholeY_px[frame]!),
    shiftX_px: inOrder(crop.shiftX_px),
    shiftY_px: inOrder(crop.shiftY_px),
    gain: inOrder(crop.gain),
  };
}

/** A crop whose outline lies so many pixels farther out, or in where it is negative. */
export function movedOutline(crop: Crop, px: number): Crop {
  const { mask, width, height } = crop;
  return { ...crop, mask: px > 0 ? grow(mask, width, height, px) : shrink(mask, width, height, -px) };
}

/** A piece of ground under a particle's outline, and the size of the copy. */
export interface Patch {
  readonly particle: Particle;
  readonly size: number;
}

/**
 * The particle's outline laid on still ground away from all crystals: at its own size, else smaller. Null where the field has
 * no such place. `drift.carrier` tells the ground; places are tried in the order of the seed.
 */
export function inertPatch(
  particle: Particle,
  particles: readonly Particle[],
  drift: Drift,
  movie: Pick<Movie, "width" | "height" | "pixelSize_um">,
  seed: number,
): Patch | null {
  const { width, height, pixelSize_um } = movie;
  const taken = takenBy(particles, movie, CLEAR_um / pixelSize_um);
  const [cx, cy] = polygonCentroid(particle.outline_px);
  for (const size of SIZES) {
    const outline = particle.outline_px.map(([x, y]) => [(x - cx) * size, (y - cy) * size] as const);
    const inside = insideOf(outline);
    const xs = inside.map(([x]) => x);
    const ys = inside.map(([, y]) => y);
    const places: [number, number][] = [];
    for (let y = 2 - Math.min(...ys); y < height - 2 - Math.max(...ys); y += STRIDE_px) {
      for (let x = 2 - Math.min(...xs); x < width - 2 - Math.max(...xs); x += STRIDE_px) places.push([x, y]);
    }
    const from = random(seed);
    for (let left = places.length; left > 0; left--) {
      const chosen = from.integer(left);
      const [x, y] = places[chosen]!;
      places[chosen] = places[left - 1]!;
      const at = inside.map(([dx, dy]) => (y + dy) * width + x + dx);
      if (at.some((pixel) => taken[pixel] === 1)) continue;
      if (at.filter((pixel) => drift.carrier[pixel] === 1).length < STILL * at.length) continue;
      return {
        size,
        particle: {
          ...particle,
          centre_px: [x, y],
          area_um2: particle.area_um2 * size * size,
          outline_px: outline.map(([dx, dy]) => [x + dx, y + dy] as const),
          touchesBorder: false,
        },
      };
    }
  }
  return null;
}

/** Whole places inside an outline about the origin. */
function insideOf(outline: readonly (readonly [number, number])[]): [number, number][] {
  const far = Math.ceil(Math.max(...outline.flat().map(Math.abs)));
  const all: [number, number][] = [];
  for (let y = -far; y <= far; y++)
    for (let x = -far; x <= far; x++) if (containsPoint(outline, x, y)) all.push([x, y]);
  return all;
}

function takenBy(
  particles: readonly Particle[],
  { width, height }: Pick<Movie, "width" | "height">,
  clear_px: number,
): Uint8Array {
  const taken = new Uint8Array(width * height);
  for (const { outline_px } of particles) {
    const xs = outline_px.map(([x]) => x);
    const ys = outline_px.map(([, y]) => y);
    for (let y = Math.max(0, Math.floor(Math.min(...ys))); y <= Math.min(height - 1, Math.max(...ys)); y++) {
      for (let x = Math.max(0, Math.floor(Math.min(...xs))); x <= Math.min(width - 1, Math.max(...xs)); x++) {
        if (containsPoint(outline_px, x, y)) taken[y * width + x] = 1;
      }
    }
  }
  return grow(taken, width, height, clear_px);
}

function mirrored({ data, width, height }: Image, margin: number, level: number): Float64Array {
  const wide = width + 2 * margin;
  const padded = new Float64Array(wide * (height + 2 * margin));
  const within = (at: number, size: number): number => {
    const turn = ((at % (2 * size)) + 2 * size) % (2 * size);
    return turn < size ? turn : 2 * size - 1 - turn;
  };
  for (let y = 0; y < height + 2 * margin; y++) {
    for (let x = 0; x < wide; x++) {
      const value = data[within(y - margin, height) * width + within(x - margin, width)]!;
      padded[y * wide + x] = Number.isFinite(value) ? value : level;
    }
  }
  return padded;
}

function lastSeen({ x_px, y_px, gain }: Drift, index: number): number {
  for (let at = index; at > 0; at--) if (Number.isFinite(x_px[at]! + y_px[at]!) && gain[at]! > 0) return at;
  return 0;
}

function rangeOf(dtype: Movie["dtype"]): readonly [number, number] {
  const bits = Number(/\d+$/.exec(dtype)![0]);
  return dtype.startsWith("u") ? [0, 2 ** bits - 1] : [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
}
