/** Each particle's neighbourhood as a small movie: cut raw in one pass, laid still when read. */
import { maskOfPolygon } from "../kernels/polygon.js";
import { resampleWindow } from "../kernels/resample.js";
import type { Crop, Drift } from "../model/experiment.js";
import type { Movie, Samples, Stack } from "../model/movie.js";
import type { Particle } from "../model/particle.js";
import { framesOf, samplesOf } from "./frames.js";

/** Raw pixels kept around a crop: of what lies farther off a cubic spline keeps less than a thousandth. */
const MARGIN_px = 6;

/** A crop being filled. */
interface Box extends Omit<Crop, "raw" | "outside"> {
  readonly raw: Samples;
  outside: Uint8Array | null;
}

/**
 * Cuts the neighbourhood of every particle out of every frame, in one pass through the movie.
 *
 * A crop spans the outline with ring_px of ground around it, as far as frame 0 shows that. The box that is kept follows
 * the scene by whole pixels, with a margin for the spline; samples are the camera's own. Frames without a shift are kept
 * where the scene was last seen and read as NaN.
 */
export async function cropParticles(
  movie: Movie,
  particles: readonly Particle[],
  drift: Drift,
  {
    blackLevel,
    ring_px,
    signal,
    onFrame,
  }: {
    readonly blackLevel: number | null;
    readonly ring_px: number;
    readonly signal?: AbortSignal;
    readonly onFrame?: (done: number) => void;
  },
): Promise<Crop[]> {
  const boxes = particles.map((particle) => boxOf(movie, particle, drift, blackLevel, ring_px));
  if (boxes.length === 0) return [];
  let [wholeX, wholeY] = [0, 0];
  for await (const { frame, samples } of framesOf(movie, signal)) {
    const [x, y] = [drift.x_px[frame]!, drift.y_px[frame]!];
    if (Number.isFinite(x) && Number.isFinite(y)) [wholeX, wholeY] = [Math.round(x), Math.round(y)];
    for (const box of boxes) {
      box.shiftX_px[frame] = x - wholeX;
      box.shiftY_px[frame] = y - wholeY;
      cut(movie, samples, box, frame, wholeX, wholeY);
    }
    onFrame?.(frame + 1);
  }
  return boxes;
}

/**
 * A crop laid still: frames from range.first to range.last (inclusive; all of them without a range), black level
 * subtracted, moved by what is left of the drift, divided by the frame's gain.
 *
 * NaN where the image ended, and for frames without a shift or a gain. A frame is the same whatever range it is read in.
 */
export function readStack(crop: Crop, range?: { readonly first: number; readonly last: number }): Stack {
  const { width, height, margin_px, raw, outside, gain } = crop;
  const first = Math.max(0, range?.first ?? 0);
  const last = Math.min(crop.time_s.length - 1, range?.last ?? crop.time_s.length - 1);
  const frames = Math.max(0, last - first + 1);
  const data = new Float32Array(frames * width * height);
  const stride = width + 2 * margin_px;
  const size = stride * (height + 2 * margin_px);
  const light = new Float64Array(size);
  const black = crop.blackLevel ?? 0;
  for (let frame = first; frame <= last; frame++) {
    const at = (frame - first) * width * height;
    const [x, y] = [crop.shiftX_px[frame]!, crop.shiftY_px[frame]!];
    const scale = 1 / gain[frame]!;
    if (!(Number.isFinite(x) && Number.isFinite(y) && scale > 0 && scale < Infinity)) {
      data.fill(NaN, at, at + width * height);
      continue;
    }
    const start = frame * size;
    for (let pixel = 0; pixel < size; pixel++)
      light[pixel] = outside !== null && outside[start + pixel] ? NaN : (raw[start + pixel]! - black) * scale;
    resampleWindow(light, stride, height + 2 * margin_px, margin_px + x, margin_px + y, data, at, width, height);
  }
  return { width, height, pixelSize_um: crop.pixelSize_um, time_s: crop.time_s.slice(first, first + frames), data };
}

function boxOf(movie: Movie, particle: Particle, drift: Drift, blackLevel: number | null, ring_px: number): Box {
  const xs = particle.outline_px.map(([x]) => x);
  const ys = particle.outline_px.map(([, y]) => y);
  const left = within(Math.floor(Math.min(...xs)) - ring_px, movie.width);
  const top = within(Math.floor(Math.min(...ys)) - ring_px, movie.height);
  const width = within(Math.ceil(Math.max(...xs)) + ring_px, movie.width) - left + 1;
  const height = within(Math.ceil(Math.max(...ys)) + ring_px, movie.height) - top + 1;
  const size = (width + 2 * MARGIN_px) * (height + 2 * MARGIN_px);
  return {
    particle: particle.id,
    origin_px: [left, top],
    width,
    height,
    margin_px: MARGIN_px,
    pixelSize_um: movie.pixelSize_um,
    time_s: movie.time_s,
    raw: samplesOf(movie.dtype, movie.frames * size),
    outside: null,
    shiftX_px: new Float64Array(movie.frames),
    shiftY_px: new Float64Array(movie.frames),
    gain: drift.gain,
    blackLevel,
    mask: maskOfPolygon(
      particle.outline_px.map(([x, y]) => [x - left, y - top] as const),
      width,
      height,
    ),
  };
}

/** Copies one frame's box, moved by whole pixels, and notes what of it lies outside the image. */
function cut(movie: Movie, samples: Samples, box: Box, frame: number, wholeX: number, wholeY: number): void {
  const width = box.width + 2 * MARGIN_px;
  const height = box.height + 2 * MARGIN_px;
  const left = box.origin_px[0] - MARGIN_px + wholeX;
  const top = box.origin_px[1] - MARGIN_px + wholeY;
  const first = Math.min(width, Math.max(0, -left));
  const end = Math.max(first, Math.min(width, movie.width - left));
  const start = frame * width * height;
  for (let y = 0; y < height; y++) {
    const row = start + y * width;
    const seen = top + y >= 0 && top + y < movie.height;
    if (seen && end > first) {
      const from = (top + y) * movie.width + left;
      box.raw.set(samples.subarray(from + first, from + end), row + first);
    }
    if (seen && first === 0 && end === width) continue;
    box.outside ??= new Uint8Array(box.raw.length);
    if (!seen) box.outside.fill(1, row, row + width);
    else {
      box.outside.fill(1, row, row + first);
      box.outside.fill(1, row + end, row + width);
    }
  }
}

function within(place: number, length: number): number {
  return Math.min(length - 1, Math.max(0, Math.round(place)));
}
