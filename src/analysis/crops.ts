/** Each particle's neighbourhood as a small movie of its own: cut raw in one pass, laid still when it is read. */
import { resampleWindow } from "../kernels/resample.js";
import { maskOfPolygon } from "../kernels/polygon.js";
import type { Crop, Drift } from "../model/experiment.js";
import type { Movie, Samples, Stack } from "../model/movie.js";
import type { Particle } from "../model/particle.js";
import { framesOf, samplesOf } from "./frames.js";

/** Raw pixels kept beyond the still crop: where a cubic spline's prefilter has forgotten the border to 1e-3. */
const MARGIN_px = 6;

/**
 * Crops of all particles in one pass through the movie: the outline's bounding box and `ring_px` of ground around it.
 *
 * The raw box follows the scene by whole pixels, so that the rest is at most half a pixel; frames whose drift is unknown
 * are cut where the last known one was and marked NaN. Samples stay as stored: nothing is subtracted or divided.
 */
export async function cropParticles(
  movie: Movie,
  particles: readonly Particle[],
  drift: Drift,
  options: {
    readonly blackLevel: number | null;
    readonly ring_px: number;
    readonly signal?: AbortSignal | undefined;
    readonly onFrame?: (done: number) => void;
  },
): Promise<Crop[]> {
  const cuts = particles.map((particle) => beginCut(movie, particle, drift, options));
  if (cuts.length === 0) return [];
  for await (const { frame, samples } of framesOf(movie, options.signal)) {
    for (const cut of cuts) copyBox(movie, samples, cut, frame);
    options.onFrame?.(frame + 1);
  }
  return cuts.map(({ crop, outside }) => ({ ...crop, outside: outside.includes(1) ? outside : null }));
}

interface Cut {
  readonly crop: Crop;
  readonly outside: Uint8Array;
  /** Whole-pixel place of the raw box's top-left pixel in each frame. */
  readonly left_px: Int32Array;
  readonly top_px: Int32Array;
}

function beginCut(
  movie: Movie,
  { id, outline_px }: Particle,
  drift: Drift,
  { blackLevel, ring_px }: { readonly blackLevel: number | null; readonly ring_px: number },
): Cut {
  const xs = outline_px.map(([x]) => x);
  const ys = outline_px.map(([, y]) => y);
  const x0 = Math.floor(Math.min(...xs)) - ring_px;
  const y0 = Math.floor(Math.min(...ys)) - ring_px;
  const width = Math.ceil(Math.max(...xs)) + ring_px - x0 + 1;
  const height = Math.ceil(Math.max(...ys)) + ring_px - y0 + 1;
  const { frames } = movie;
  const size = (width + 2 * MARGIN_px) * (height + 2 * MARGIN_px);
  const left_px = new Int32Array(frames);
  const top_px = new Int32Array(frames);
  const shiftX_px = new Float64Array(frames);
  const shiftY_px = new Float64Array(frames);
  let [wholeX, wholeY] = [0, 0];
  for (let frame = 0; frame < frames; frame++) {
    const [x, y] = [drift.x_px[frame]!, drift.y_px[frame]!];
    if (Number.isFinite(x) && Number.isFinite(y)) [wholeX, wholeY] = [Math.round(x), Math.round(y)];
    left_px[frame] = x0 + wholeX - MARGIN_px;
    top_px[frame] = y0 + wholeY - MARGIN_px;
    shiftX_px[frame] = x - wholeX;
    shiftY_px[frame] = y - wholeY;
  }
  const moved = outline_px.map(([x, y]) => [x - x0, y - y0] as [number, number]);
  return {
    left_px,
    top_px,
    outside: new Uint8Array(frames * size),
    crop: {
      particle: id,
      origin_px: [x0, y0],
      width,
      height,
      margin_px: MARGIN_px,
      pixelSize_um: movie.pixelSize_um,
      time_s: movie.time_s,
      raw: samplesOf(movie.dtype, frames * size),
      outside: null,
      shiftX_px,
      shiftY_px,
      gain: drift.gain,
      blackLevel,
      mask: maskOfPolygon(moved, width, height),
    },
  };
}

function copyBox(movie: Movie, samples: Samples, { crop, outside, left_px, top_px }: Cut, frame: number): void {
  const width = crop.width + 2 * crop.margin_px;
  const height = crop.height + 2 * crop.margin_px;
  const left = left_px[frame]!;
  const top = top_px[frame]!;
  const first = Math.min(width, Math.max(0, -left));
  const end = Math.max(first, Math.min(width, movie.width - left));
  for (let row = 0; row < height; row++) {
    const at = (frame * height + row) * width;
    const y = top + row;
    if (y < 0 || y >= movie.height || end === first) {
      outside.fill(1, at, at + width);
      continue;
    }
    const from = y * movie.width + left;
    crop.raw.set(samples.subarray(from + first, from + end) as never, at + first);
    outside.fill(1, at, at + first);
    outside.fill(1, at + end, at + width);
  }
}

/**
 * A crop, or a stretch of it from frame `first` to `last` (inclusive), as a still stack: the rest of the shift undone by a
 * cubic spline, the black level subtracted, the lamp's gain divided out.
 *
 *     I(p, t) = (raw(p + shift(t), t) - black level) / gain(t)
 *
 * NaN where the image ended and in frames whose drift or gain is unknown. A frame is the same in whatever stretch it is read.
 */
export function readStack(crop: Crop, range: { readonly first: number; readonly last: number } | null = null): Stack {
  const first = range?.first ?? 0;
  const last = range?.last ?? crop.time_s.length - 1;
  const { width, height, margin_px, raw, outside, pixelSize_um } = crop;
  const rawWidth = width + 2 * margin_px;
  const rawHeight = height + 2 * margin_px;
  const rawSize = rawWidth * rawHeight;
  const black = crop.blackLevel ?? 0;
  const data = new Float32Array((last - first + 1) * width * height);
  const image = new Float64Array(rawSize);
  for (let frame = first, at = 0; frame <= last; frame++, at += width * height) {
    const gain = crop.gain[frame]!;
    const x = crop.shiftX_px[frame]!;
    const y = crop.shiftY_px[frame]!;
    if (!(gain > 0) || !Number.isFinite(x) || !Number.isFinite(y)) {
      data.fill(NaN, at, at + width * height);
      continue;
    }
    for (let pixel = 0, from = frame * rawSize; pixel < rawSize; pixel++, from++) {
      image[pixel] = outside !== null && outside[from] === 1 ? NaN : (raw[from]! - black) / gain;
    }
    resampleWindow(image, rawWidth, rawHeight, margin_px + x, margin_px + y, data, at, width, height);
  }
  return { width, height, pixelSize_um, time_s: crop.time_s.slice(first, last + 1), data };
}
