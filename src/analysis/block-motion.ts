/** Whether the scene turned or stretched: shifts of blocks of carrier all over the field, beside the drift of the whole. */
import { grow } from "../kernels/distance.js";
import { invertSymmetric, timesVector } from "../kernels/normal-equations.js";
import { maskOfPolygon } from "../kernels/polygon.js";
import { resampleWindow, splineCoefficients } from "../kernels/resample.js";
import { median } from "../kernels/stats.js";
import { newLaid, prepareTexture, textureShift, type Texture } from "../kernels/texture-shift.js";
import type { Drift, Estimate } from "../model/experiment.js";
import type { Motion } from "../model/motion.js";
import type { Movie, Samples } from "../model/movie.js";
import type { Particle } from "../model/particle.js";
import { psfIn, SLOW_PSF } from "./carrier.js";
import { samplesOf } from "./frames.js";

/** Side of a block and what is kept around it, px. */
const BLOCK_px = 64;
const MARGIN_px = 6;
/** Blocks along each side of the field, and least share of carrier in one. */
const MOST_BLOCKS = 5;
const LEAST_OPEN = 0.5;
/** Frames averaged: at the beginning, and at each later moment. */
const FIRST = 8;
const LATER = 4;
const MOMENTS = 6;
/** Blocks without which turn and stretch are not told. */
const FEWEST = 4;
/** Point spreads around crystals that are left out. */
const APART_PSF = 4;
const MRAD = 1000;

interface Block {
  readonly left: number;
  readonly top: number;
  readonly weight: Float64Array;
}

/**
 * Turn and stretch of the scene at some moments of the movie, against its first frames.
 *
 * Blocks of 64 px of carrier from all over the field, each a mean of a few frames laid still by the drift of the whole, are
 * compared with themselves in the first frames (texture-shift.ts). Their shifts are fitted by
 *
 *     dx = a + s x - r y,   dy = b + r x + s y
 *
 * about the middle of the blocks, outliers weighed down (Tukey's biweight); r is the turn, s the stretch. Errors come from
 * the scatter of the blocks about the fit. Null where fewer than four blocks hold carrier, or the drift is not known.
 */
export async function blockMotion(
  movie: Movie,
  particles: readonly Particle[],
  drift: Drift,
  {
    blackLevel,
    psf_um,
    signal,
  }: { readonly blackLevel: number | null; readonly psf_um: number; readonly signal?: AbortSignal },
): Promise<Motion | null> {
  const psf_px = psfIn(movie.pixelSize_um, psf_um);
  if (!Number.isFinite(drift.residual_nm.value)) return null;
  const usable = [...drift.x_px.keys()].filter((frame) =>
    Number.isFinite(drift.x_px[frame]! + drift.y_px[frame]! + drift.gain[frame]!),
  );
  if (usable.length < FIRST + LATER) return null;
  const blocks = blocksOf(movie, particles, psf_px);
  if (blocks.length < FEWEST) return null;
  const read = reader(movie, drift, blackLevel ?? 0, signal);
  const early = await read(usable.slice(0, FIRST), blocks);
  const textures = blocks.map((block, at) => textureOf(early[at]!, block, psf_px));
  const later = usable.slice(FIRST);
  const moments = Math.min(MOMENTS, Math.floor(later.length / LATER));
  const fits: Fit[] = [];
  const time_s: number[] = [];
  for (let moment = 0; moment < moments; moment++) {
    const end = Math.round(((moment + 1) * later.length) / moments);
    const frames = later.slice(end - LATER, end);
    const seen = await read(frames, blocks);
    const shifts = blocks.map((_, at) => shiftOf(textures[at] ?? null, seen[at]!));
    fits.push(fitMotion(blocks, shifts));
    time_s.push(frames.reduce((sum, frame) => sum + movie.time_s[frame]! / frames.length, 0));
  }
  const last = fits.at(-1)!;
  return {
    time_s: Float64Array.from(time_s),
    rotation_mrad: Float64Array.from(fits, ({ turn }) => MRAD * turn.value),
    scale: Float64Array.from(fits, ({ stretch }) => stretch.value),
    last: {
      rotation_mrad: {
        value: MRAD * last.turn.value,
        sd: last.turn.sd === null ? null : MRAD * last.turn.sd,
        n: last.turn.n,
      },
      scale: last.stretch,
    },
    blocks: blocks.length,
    displaced_px: displacedMost(particles, drift, movie.width, fits),
  };
}

function blocksOf({ width, height }: Movie, particles: readonly Particle[], psf_px: number): Block[] {
  const crystals = new Uint8Array(width * height);
  for (const { outline_px } of particles) {
    const mask = maskOfPolygon(outline_px, width, height);
    for (let at = 0; at < mask.length; at++) if (mask[at]) crystals[at] = 1;
  }
  const blocked = grow(crystals, width, height, APART_PSF * psf_px);
  const found: Block[] = [];
  for (const top of places(height)) {
    for (const left of places(width)) {
      const weight = new Float64Array((BLOCK_px + 2 * MARGIN_px) ** 2);
      let open = 0;
      for (let y = 0; y < BLOCK_px; y++) {
        for (let x = 0; x < BLOCK_px; x++) {
          if (blocked[(top + y) * width + left + x] !== 0) continue;
          weight[(y + MARGIN_px) * (BLOCK_px + 2 * MARGIN_px) + x + MARGIN_px] = 1;
          open++;
        }
      }
      if (open >= LEAST_OPEN * BLOCK_px ** 2) found.push({ left, top, weight });
    }
  }
  return found;
}

/** First columns of blocks spread along a side, none nearer to the border than a block's margin twice. */
function places(length: number): number[] {
  const [first, last] = [2 * MARGIN_px, length - BLOCK_px - 2 * MARGIN_px];
  if (last < first) return [];
  const count = Math.min(MOST_BLOCKS, 1 + Math.floor((last - first) / BLOCK_px));
  return Array.from({ length: count }, (_, at) =>
    Math.round(count === 1 ? (first + last) / 2 : first + (at * (last - first)) / (count - 1)),
  );
}

type Reader = (frames: readonly number[], blocks: readonly Block[]) => Promise<Float64Array[]>;

/** Means of frames, laid still by the drift, of each block with its margin; NaN where a frame ended. */
function reader(movie: Movie, drift: Drift, black: number, signal?: AbortSignal): Reader {
  const side = BLOCK_px + 2 * MARGIN_px;
  const wide = side + 2 * MARGIN_px;
  const samples: Samples = samplesOf(movie.dtype, movie.width * movie.height);
  return async (frames, blocks) => {
    const sums = blocks.map(() => new Float64Array(side * side));
    const moved = new Float32Array(side * side);
    for (const frame of frames) {
      await movie.read(frame, samples, signal);
      signal?.throwIfAborted();
      const [x, y] = [drift.x_px[frame]!, drift.y_px[frame]!];
      const [wholeX, wholeY] = [Math.round(x), Math.round(y)];
      for (const [at, { left, top }] of blocks.entries()) {
        const raw = new Float64Array(wide * wide);
        const [x0, y0] = [left - 2 * MARGIN_px + wholeX, top - 2 * MARGIN_px + wholeY];
        for (let v = 0; v < wide; v++) {
          for (let u = 0; u < wide; u++) {
            const inside = x0 + u >= 0 && y0 + v >= 0 && x0 + u < movie.width && y0 + v < movie.height;
            const value = inside ? samples[(y0 + v) * movie.width + x0 + u]! - black : NaN;
            raw[v * wide + u] = value / drift.gain[frame]!;
          }
        }
        resampleWindow(raw, wide, wide, MARGIN_px + x - wholeX, MARGIN_px + y - wholeY, moved, 0, side, side);
        const sum = sums[at]!;
        for (let k = 0; k < sum.length; k++) sum[k] = sum[k]! + moved[k]! / frames.length;
      }
    }
    return sums;
  };
}

function textureOf(image: Float64Array, { weight }: Block, psf_px: number): Texture | null {
  if (image.some((value) => !Number.isFinite(value))) return null;
  const side = BLOCK_px + 2 * MARGIN_px;
  const half = Uint8Array.from(image, (_, at) => at % 2);
  return prepareTexture(image, side, side, weight, half, { sharp_px: psf_px, slow_px: SLOW_PSF * psf_px });
}

function shiftOf(texture: Texture | null, image: Float64Array): readonly [number, number] | null {
  if (texture === null || image.some((value) => !Number.isFinite(value))) return null;
  const side = BLOCK_px + 2 * MARGIN_px;
  const coefficients = Float32Array.from(image);
  splineCoefficients(coefficients, side, side);
  const within = [0, 0, side - 1, side - 1] as const;
  const { dx_px, dy_px } = textureShift(texture, coefficients, side, side, 0, 0, within, 0, 0, newLaid(side, side));
  return Number.isFinite(dx_px) ? [dx_px, dy_px] : null;
}

interface Fit {
  readonly turn: Estimate;
  readonly stretch: Estimate;
}

function fitMotion(blocks: readonly Block[], shifts: readonly (readonly [number, number] | null)[]): Fit {
  const none = { value: NaN, sd: null, n: 0 };
  const seen = blocks.flatMap(({ left, top }, at) => {
    const shift = shifts[at];
    return shift === null || shift === undefined ? [] : [{ x: left + BLOCK_px / 2, y: top + BLOCK_px / 2, shift }];
  });
  if (seen.length < FEWEST) return { turn: none, stretch: none };
  const [midX, midY] = [
    seen.reduce((sum, { x }) => sum + x / seen.length, 0),
    seen.reduce((sum, { y }) => sum + y / seen.length, 0),
  ];
  const weights = new Float64Array(seen.length).fill(1);
  let solved = new Float64Array(4);
  let inverse: Float64Array | null = null;
  let sigma = NaN;
  for (let round = 0; round < 8; round++) {
    const matrix = new Float64Array(16);
    const right = new Float64Array(4);
    seen.forEach(({ x, y, shift }, at) => {
      const rows = [
        [1, 0, -(y - midY), x - midX],
        [0, 1, x - midX, y - midY],
      ];
      rows.forEach((row, axis) => {
        for (let i = 0; i < 4; i++) {
          right[i] = right[i]! + weights[at]! * row[i]! * shift[axis]!;
          for (let j = 0; j < 4; j++) matrix[4 * i + j] = matrix[4 * i + j]! + weights[at]! * row[i]! * row[j]!;
        }
      });
    });
    inverse = invertSymmetric(matrix, 4);
    if (inverse === null) return { turn: none, stretch: none };
    solved = Float64Array.from(timesVector(inverse, right, 4));
    const off = seen.map(({ x, y, shift: [dx, dy] }) =>
      Math.hypot(
        dx - (solved[0]! - solved[2]! * (y - midY) + solved[3]! * (x - midX)),
        dy - (solved[1]! + solved[2]! * (x - midX) + solved[3]! * (y - midY)),
      ),
    );
    // The median length of two errors of sigma each is 1.177 sigma; four numbers were fitted to all of them.
    sigma = (median(off) / 1.177) * Math.sqrt((2 * seen.length) / Math.max(1, 2 * seen.length - 4));
    const limit = Math.max(6 * sigma, 1e-9);
    off.forEach((one, at) => (weights[at] = one < limit ? (1 - (one / limit) ** 2) ** 2 : 0));
  }
  const n = seen.length;
  return {
    turn: { value: solved[2]!, sd: sigma * Math.sqrt(inverse![10]!), n },
    stretch: { value: solved[3]!, sd: sigma * Math.sqrt(inverse![15]!), n },
  };
}

/** The farthest that any moment's turn and stretch carry a particle's middle from where the drift of the carrier puts it. */
function displacedMost(
  particles: readonly Particle[],
  { carrier }: Drift,
  width: number,
  fits: readonly Fit[],
): Estimate {
  let [sumX, sumY, n] = [0, 0, 0];
  for (let at = 0; at < carrier.length; at++) {
    if (carrier[at] === 0) continue;
    sumX += at % width;
    sumY += Math.floor(at / width);
    n++;
  }
  const away = Math.max(0, ...particles.map(({ centre_px: [x, y] }) => Math.hypot(x - sumX / n, y - sumY / n)));
  let most: Estimate = { value: 0, sd: null, n: 0 };
  for (const { turn, stretch } of fits) {
    const value = away * Math.hypot(turn.value, stretch.value);
    if (value >= most.value)
      most = { value, sd: turn.sd === null ? null : away * Math.hypot(turn.sd, stretch.sd!), n: turn.n };
  }
  return most;
}
