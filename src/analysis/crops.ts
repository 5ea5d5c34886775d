/** Each particle's neighbourhood as a small movie: cut raw as frames pass, laid still when read. */
import { newArena } from "../kernels/compiled.js";
import { maskOfPolygon } from "../kernels/polygon.js";
import { resampleWindow } from "../kernels/resample.js";
import type { Crop, Drift } from "../model/experiment.js";
import type { Movie, Samples, Stack } from "../model/movie.js";
import type { Particle } from "../model/particle.js";
import { framesOf, samplesOf } from "./frames.js";
import type { Stretches } from "./intensity.js";
import { inMemory, type MakeStore, type RawStore } from "./raw-store.js";

/** Raw pixels kept around a crop: of what lies farther off a cubic spline keeps less than a thousandth. */
const MARGIN_px = 6;

/** What is told of a crop before the movie is seen. */
type Box = Pick<Crop, "particle" | "origin_px" | "width" | "height" | "mask">;

/** Neighbourhoods being cut as frames pass. */
export interface Cuts {
  readonly ring_px: number;
  readonly boxes: readonly Box[];
  readonly store: RawStore;
  /** Where the boxes lay in each frame, beside their place in frame 0. */
  readonly wholeX_px: Int32Array;
  readonly wholeY_px: Int32Array;
  /** One frame of each box. */
  readonly room: readonly Samples[];
  last: readonly [number, number];
}

/**
 * Begins to cut the neighbourhood of every particle. A crop spans the outline with ring_px of ground around it, as far as
 * frame 0 shows that.
 */
export function beginCuts(
  movie: Movie,
  particles: readonly Particle[],
  { ring_px, store = inMemory }: { readonly ring_px: number; readonly store?: MakeStore | undefined },
): Cuts {
  const boxes = particles.map((particle) => boxOf(movie, particle, ring_px));
  const sizes = boxes.map(({ width, height }) => (width + 2 * MARGIN_px) * (height + 2 * MARGIN_px));
  return {
    ring_px,
    boxes,
    store: store(movie.frames, sizes, movie.dtype),
    wholeX_px: new Int32Array(movie.frames),
    wholeY_px: new Int32Array(movie.frames),
    room: sizes.map((size) => samplesOf(movie.dtype, size)),
    last: [0, 0],
  };
}

/**
 * Cuts one frame, the scene of frame 0 lying at `place_px` in it. The box that is kept follows the scene by whole pixels, with a
 * margin for the spline; samples are the camera's own. Frames without a place are cut where the scene was last seen.
 */
export function cutFrame(
  cuts: Cuts,
  { width, height }: Pick<Movie, "width" | "height">,
  frame: number,
  samples: Samples,
  place_px: readonly [number, number] | null,
): void {
  if (place_px !== null) cuts.last = [Math.round(place_px[0]), Math.round(place_px[1])];
  const [wholeX, wholeY] = cuts.last;
  cuts.wholeX_px[frame] = wholeX;
  cuts.wholeY_px[frame] = wholeY;
  for (const [which, box] of cuts.boxes.entries()) cut(samples, width, height, box, wholeX, wholeY, cuts.room[which]!);
  cuts.store.write(frame, cuts.room);
}

/** Crops of what was cut, once the drift is known; frames without a shift read as NaN. */
export function cropsOf(movie: Movie, cuts: Cuts, drift: Drift, blackLevel: number | null): Crop[] {
  const left = (of: Float64Array, whole: Int32Array): Float64Array => of.map((shift, frame) => shift - whole[frame]!);
  const shared = {
    margin_px: MARGIN_px,
    pixelSize_um: movie.pixelSize_um,
    time_s: movie.time_s,
    dtype: movie.dtype,
    image_px: [movie.width, movie.height] as const,
    wholeX_px: cuts.wholeX_px,
    wholeY_px: cuts.wholeY_px,
    shiftX_px: left(drift.x_px, cuts.wholeX_px),
    shiftY_px: left(drift.y_px, cuts.wholeY_px),
    gain: drift.gain,
    blackLevel,
  };
  return cuts.boxes.map((box, which) => ({ ...shared, ...box, raw: cuts.store.box(which) }));
}

/** Cuts the neighbourhood of every particle out of every frame, in a pass through the movie of its own. */
export async function cropParticles(
  movie: Movie,
  particles: readonly Particle[],
  drift: Drift,
  {
    blackLevel,
    ring_px,
    store,
    signal,
    onFrame,
  }: {
    readonly blackLevel: number | null;
    readonly ring_px: number;
    readonly store?: MakeStore | undefined;
    readonly signal?: AbortSignal | undefined;
    readonly onFrame?: (done: number) => void;
  },
): Promise<Crop[]> {
  if (particles.length === 0) return [];
  const cuts = beginCuts(movie, particles, { ring_px, store });
  for await (const { frame, samples } of framesOf(movie, signal)) {
    const [x, y] = [drift.x_px[frame]!, drift.y_px[frame]!];
    cutFrame(cuts, movie, frame, samples, Number.isFinite(x) && Number.isFinite(y) ? [x, y] : null);
    onFrame?.(frame + 1);
  }
  return cropsOf(movie, cuts, drift, blackLevel);
}

/**
 * A crop laid still: frames from range.first to range.last (inclusive; all of them without a range), black level
 * subtracted, moved by what is left of the drift, divided by the frame's gain.
 *
 * NaN where the image ended, and for frames without a shift or a gain. A frame is the same whatever range it is read in.
 * With `shared` the samples lie in memory that threads share.
 */
export function readStack(
  crop: Crop,
  range?: { readonly first: number; readonly last: number },
  shared = false,
): Stack {
  const { width, height, margin_px, gain } = crop;
  const first = Math.max(0, range?.first ?? 0);
  const last = Math.min(crop.time_s.length - 1, range?.last ?? crop.time_s.length - 1);
  const frames = Math.max(0, last - first + 1);
  const area = width * height;
  const data = samplesOf("float32", frames * area, shared) as Float32Array;
  const stride = width + 2 * margin_px;
  const rows = height + 2 * margin_px;
  const arena = newArena();
  const light = arena.floats(stride * rows);
  const window = arena.floats(area);
  const raw = samplesOf(crop.dtype, stride * rows);
  const black = crop.blackLevel ?? 0;
  for (let frame = first; frame <= last; frame++) {
    const at = (frame - first) * area;
    const [x, y] = [crop.shiftX_px[frame]!, crop.shiftY_px[frame]!];
    const scale = 1 / gain[frame]!;
    if (!(Number.isFinite(x) && Number.isFinite(y) && scale > 0 && scale < Infinity)) {
      data.fill(NaN, at, at + area);
      continue;
    }
    crop.raw.read(frame, raw);
    for (let pixel = 0; pixel < light.length; pixel++) light[pixel] = (raw[pixel]! - black) * scale;
    blankOutside(light, crop, frame);
    resampleWindow(light, stride, rows, margin_px + x, margin_px + y, window, 0, width, height);
    data.set(window, at);
  }
  arena.release();
  return { width, height, pixelSize_um: crop.pixelSize_um, time_s: crop.time_s.slice(first, first + frames), data };
}

/** A crop laid still, some frames at a time. */
export function stretchesOf(crop: Crop): Stretches {
  return {
    time_s: crop.time_s,
    *each() {
      for (let first = 0; first < crop.time_s.length; first += STRETCH)
        yield readStack(crop, { first, last: first + STRETCH - 1 });
    },
  };
}

/** Frames of a stretch. */
const STRETCH = 64;

/** NaN where a box left the image. */
function blankOutside(light: Float32Array, crop: Crop, frame: number): void {
  const { margin_px, origin_px, image_px, wholeX_px, wholeY_px } = crop;
  const width = crop.width + 2 * margin_px;
  const height = crop.height + 2 * margin_px;
  const { first, end, top, bottom } = seenOf(
    origin_px[0] - margin_px + wholeX_px[frame]!,
    origin_px[1] - margin_px + wholeY_px[frame]!,
    width,
    height,
    image_px,
  );
  if (first === 0 && end === width && top === 0 && bottom === height) return;
  for (let y = 0; y < height; y++) {
    const row = y * width;
    if (y < top || y >= bottom) light.fill(NaN, row, row + width);
    else {
      light.fill(NaN, row, row + first);
      light.fill(NaN, row + end, row + width);
    }
  }
}

/** Columns and rows of a box at left, top that an image shows. */
function seenOf(
  left: number,
  top: number,
  width: number,
  height: number,
  [imageWidth, imageHeight]: readonly [number, number],
): { readonly first: number; readonly end: number; readonly top: number; readonly bottom: number } {
  const first = Math.min(width, Math.max(0, -left));
  const above = Math.min(height, Math.max(0, -top));
  return {
    first,
    end: Math.max(first, Math.min(width, imageWidth - left)),
    top: above,
    bottom: Math.max(above, Math.min(height, imageHeight - top)),
  };
}

function boxOf(movie: Movie, particle: Particle, ring_px: number): Box {
  const xs = particle.outline_px.map(([x]) => x);
  const ys = particle.outline_px.map(([, y]) => y);
  const left = within(Math.floor(Math.min(...xs)) - ring_px, movie.width);
  const top = within(Math.floor(Math.min(...ys)) - ring_px, movie.height);
  const width = within(Math.ceil(Math.max(...xs)) + ring_px, movie.width) - left + 1;
  const height = within(Math.ceil(Math.max(...ys)) + ring_px, movie.height) - top + 1;
  return {
    particle: particle.id,
    origin_px: [left, top],
    width,
    height,
    mask: maskOfPolygon(
      particle.outline_px.map(([x, y]) => [x - left, y - top] as const),
      width,
      height,
    ),
  };
}

/** Copies one frame's box, moved by whole pixels; 0 where it lies outside the image. */
function cut(
  samples: Samples,
  imageWidth: number,
  imageHeight: number,
  box: Box,
  wholeX: number,
  wholeY: number,
  into: Samples,
): void {
  const width = box.width + 2 * MARGIN_px;
  const height = box.height + 2 * MARGIN_px;
  const left = box.origin_px[0] - MARGIN_px + wholeX;
  const above = box.origin_px[1] - MARGIN_px + wholeY;
  const { first, end, top, bottom } = seenOf(left, above, width, height, [imageWidth, imageHeight]);
  if (end - first < width || bottom - top < height) into.fill(0);
  for (let y = top; y < bottom; y++) {
    const from = (above + y) * imageWidth + left;
    into.set(samples.subarray(from + first, from + end), y * width + first);
  }
}

function within(place: number, length: number): number {
  return Math.min(length - 1, Math.max(0, Math.round(place)));
}
