/** Where the scene lies in each frame, from the still carrier, with one reference for the whole movie. */
import { median } from "../kernels/stats.js";
import { shiftBound } from "../kernels/texture-shift.js";
import { floatsOfSquares } from "../kernels/window.js";
import type { Drift, Estimate } from "../model/experiment.js";
import type { Movie, Samples } from "../model/movie.js";
import type { Particle } from "../model/particle.js";
import { NM_PER_UM } from "../model/units.js";
import { type Carrier, chooseCarrier, psfIn, relativeNoise, whiteNoise } from "./carrier.js";
import { alone, type Hire } from "./crew.js";
import { defocused, type Defocus } from "./focus-course.js";
import { followScene } from "./follow-scene.js";
import { framesOf, samplesOf } from "./frames.js";
import { type Epoch, takeErrors } from "./registration-epochs.js";
import { makeReference, type Reference, viewOf } from "./registration.js";

/** Share of the camera's pattern in what pulls beyond which a warning says so. */
const DRAWN = 0.01;
/** Frames that are asked for the camera's own pattern, at most. */
const MOST_ASKED = 64;
/** Frames in which the two halves of the carrier are compared, at most: so many tell the residual to 3 %. */
const MOST_SPLIT = 256;
/** Pixels to a point spread's standard deviation that are enough: cubic splines render what it lets through. */
const SAMPLED = 1.1;

/**
 * Drift of a movie: where the scene of frame 0 lies in each frame.
 *
 * Each frame is divided by its own slow light, so that vignette and lamp do not count, and compared with one reference
 * made of the first frames: by phase correlation to a fraction of a pixel, then by robust least squares on the carrier.
 * The window that is watched follows the scene by whole pixels; crystals and their surroundings are left out and move
 * along. What interpolation and the camera's own pattern pull is taken off at the end; else nothing looks ahead: a
 * frame's shift does not depend on later frames, but for the first eight. The movie is read once, in order, by a crew that may
 * be several threads (`hire`); what comes out is the same for any. Where less than 85 % of the
 * reference's coarser structure is left through 50 frames, as on long runs whose carbon slowly changes, their registered
 * mean becomes the reference; `anchors` lists the frames from which on it did.
 *
 * `residual_nm` comes from the two halves of the carrier, dealt out like a chessboard: half of the rms difference of
 * their shifts about its mean, rms over x and y. `bound_nm` is the Cramer-Rao bound for the measured noise. `gain` is
 * the ratio of sums over registered carrier pixels: the lamp, and what the carrier sees of the camera's uneven light as
 * it drifts. `focus` is that of focus-course.ts; a warning says where it leaves that of the first frames. A frame that cannot be laid on the reference is NaN and named in a warning. A carrier without texture
 * gives no drift and a residual of NaN, and a warning says so.
 */
export async function estimateDrift(
  movie: Movie,
  particles: readonly Particle[],
  {
    blackLevel,
    region_px,
    psf_um,
    signal,
    onFrame,
    onSamples,
    hire = alone,
  }: {
    readonly blackLevel: number | null;
    readonly region_px: readonly [number, number, number, number] | null;
    readonly psf_um: number;
    readonly signal?: AbortSignal | undefined;
    readonly onFrame?: (done: number) => void;
    /** Sees every frame as it passes, with where the scene lies in it as far as is known then; null where it is not. */
    readonly onSamples?: (frame: number, samples: Samples, place_px: readonly [number, number] | null) => void;
    readonly hire?: Hire;
  },
): Promise<Drift> {
  const psf_px = psfIn(movie.pixelSize_um, psf_um);
  const buffer = samplesOf(movie.dtype, movie.width * movie.height);
  await movie.read(0, buffer, signal);
  const bin = binFor(psf_px);
  const [width, height] = [Math.floor(movie.width / bin), Math.floor(movie.height / bin)];
  const light = new Float32Array(width * height);
  floatsOfSquares(buffer, movie.width, bin, width, blackLevel ?? 0, light);
  const carrier = chooseCarrier(Float64Array.from(light), width, height, particles.map(inSquares(bin)), {
    psf_px: psf_px / bin,
    region_px: region_px === null ? null : regionIn(region_px, bin),
    bin,
    noise: relativeNoise(buffer, movie.width, movie.height, blackLevel ?? 0) / bin,
  });
  if (carrier.weight.every((weight) => weight === 0)) {
    if (onSamples !== undefined)
      for await (const { frame, samples } of framesOf(movie, signal)) onSamples(frame, samples, [0, 0]);
    return withoutCarrier(movie);
  }
  const sight = {
    width,
    height,
    bin,
    stride: movie.width,
    carrier,
    psf_px: psf_px / bin,
    blackLevel: blackLevel ?? 0,
  };
  const view = viewOf(sight);
  const reference = await makeReference(movie, view, buffer, signal);

  const x_px = new Float64Array(movie.frames).fill(NaN);
  const y_px = x_px.slice();
  const gain = x_px.slice();
  const sharp = x_px.slice();
  const focus = x_px.slice();
  const focusSds: number[] = [];
  const splits: (readonly [number, number])[] = [];
  const noises: number[] = [];
  const asked = Math.ceil(movie.frames / MOST_ASKED);
  const every = Math.ceil(movie.frames / MOST_SPLIT);
  const epochs = await followScene(movie, view, reference, {
    hire,
    asked: (frame) => frame % asked === 0,
    split: (frame) => frame % every === 0,
    signal,
    onFrame(frame, samples, laid, epoch) {
      if (laid !== null) {
        [x_px[frame], y_px[frame]] = [laid.x, laid.y];
        if (Number.isFinite(laid.splitX)) splits.push([laid.splitX, laid.splitY]);
        gain[frame] = laid.gain;
        sharp[frame] = laid.sharp;
        if (Number.isFinite(laid.noise)) noises.push(laid.noise);
        if (Number.isFinite(laid.focusSd)) focusSds.push(laid.focusSd);
        // Another texture has no focus to be compared with.
        if (epoch === 0) focus[frame] = laid.focus;
      }
      onSamples?.(frame, samples, laid === null ? null : [bin * laid.x, bin * laid.y]);
      onFrame?.(frame + 1);
    },
  });
  const nm_px = bin * movie.pixelSize_um * NM_PER_UM;
  const noise =
    noises.length > 0 ? median(noises) : whiteNoise(reference.relative, carrier.weight, carrier.width, carrier.height);
  if (reference.blind === null) takeErrors(x_px, y_px, epochs, { sight, sharp, noise });
  countFromAnchor(x_px, y_px, reference.anchor);
  for (const axis of [x_px, y_px]) for (let frame = 0; frame < axis.length; frame++) axis[frame] = bin * axis[frame]!;
  const focus_sd = focusSds.length > 0 ? median(focusSds) : NaN;
  const [boundX, boundY] = shiftBound(reference.texture, noise, noise / Math.sqrt(reference.shifts_px.length));
  const last = x_px.findLastIndex((value) => Number.isFinite(value));
  return {
    x_px,
    y_px,
    residual_nm: reference.blind === null ? residualOf(splits, nm_px) : { value: NaN, sd: null, n: 0 },
    bound_nm: reference.blind === null ? nm_px * Math.SQRT1_2 * Math.hypot(boundX, boundY) : NaN,
    gain,
    focus,
    focus_sd,
    // White from pixel to pixel.
    noise: bin * noise,
    final_um: last < 0 ? [0, 0] : [x_px[last]! * movie.pixelSize_um, y_px[last]! * movie.pixelSize_um],
    carrier: maskOf(movie, carrier, bin),
    anchors: epochs.slice(1).map(({ from }) => from),
    warnings: [
      ...warningsOf(x_px, reference),
      ...(epochs.length === 1 ? focusWarnings(movie, focus, focus_sd) : []),
      ...renewalWarnings(epochs, nm_px),
    ],
  };
}

/** Shifts become those against the anchor's. */
function countFromAnchor(x_px: Float64Array, y_px: Float64Array, anchor: number): void {
  for (const axis of [x_px, y_px]) {
    const start = axis[anchor]!;
    if (Number.isFinite(start)) for (let frame = 0; frame < axis.length; frame++) axis[frame] = axis[frame]! - start;
  }
}

function withoutCarrier(movie: Movie): Drift {
  return {
    x_px: new Float64Array(movie.frames),
    y_px: new Float64Array(movie.frames),
    residual_nm: { value: NaN, sd: null, n: 0 },
    bound_nm: NaN,
    gain: new Float64Array(movie.frames).fill(1),
    focus: new Float64Array(movie.frames).fill(NaN),
    focus_sd: NaN,
    noise: NaN,
    final_um: [0, 0],
    carrier: new Uint8Array(movie.width * movie.height),
    anchors: [],
    warnings: ["no carrier lies around the crystals: neither drift nor lamp can be measured; both are taken as still."],
  };
}

function residualOf(splits: readonly (readonly [number, number])[], nm_px: number): Estimate {
  const n = splits.length;
  if (n < 2) return { value: NaN, sd: null, n };
  let squares = 0;
  for (const axis of [0, 1] as const) {
    const mean = splits.reduce((sum, split) => sum + split[axis], 0) / n;
    for (const split of splits) squares += (split[axis] - mean) ** 2 / (n - 1);
  }
  // Each half has twice the whole's variance, so their difference has four times.
  const value = (nm_px * Math.sqrt(squares / 2)) / 2;
  return { value, sd: value / Math.sqrt(4 * (n - 1)), n };
}

function maskOf(movie: Movie, carrier: Carrier, bin: number): Uint8Array {
  const mask = new Uint8Array(movie.width * movie.height);
  for (let y = 0; y < bin * carrier.height; y++) {
    for (let x = 0; x < bin * carrier.width; x++) {
      if (!(carrier.weight[Math.floor(y / bin) * carrier.width + Math.floor(x / bin)]! > 0)) continue;
      mask[(bin * carrier.top + y) * movie.width + bin * carrier.left + x] = 1;
    }
  }
  return mask;
}

/** Pixels along a side that are taken as one: as many as leave the point spread resolved, SAMPLED of them to its deviation. */
function binFor(psf_px: number): number {
  return Math.max(1, Math.floor(psf_px / SAMPLED));
}

function inSquares(bin: number): (particle: Particle) => Particle {
  return (particle) => ({
    ...particle,
    // The middle of the first of bin pixels is not that of them all.
    outline_px: particle.outline_px.map(([x, y]) => [(x + 0.5) / bin - 0.5, (y + 0.5) / bin - 0.5] as const),
  });
}

function regionIn(
  [x, y, width, height]: readonly [number, number, number, number],
  bin: number,
): [number, number, number, number] {
  const [left, top] = [Math.ceil(x / bin), Math.ceil(y / bin)];
  return [left, top, Math.floor((x + width) / bin) - left, Math.floor((y + height) / bin) - top];
}

function warningsOf(x_px: Float64Array, { blind, anchor, cameraPull }: Reference): string[] {
  const warnings: string[] = [];
  if (blind !== null) warnings.push(`${blind}: drift cannot be measured and is taken as none.`);
  else if (cameraPull > DRAWN) {
    warnings.push(
      `the carrier's texture is faint beside noise and the camera's own pattern, which may draw a drift of a pixel ` +
        `or two towards none by ${(100 * cameraPull).toFixed(0)} %.`,
    );
  }
  const lost = [...x_px.keys()].filter((frame) => Number.isNaN(x_px[frame]!));
  if (lost.length > 0) {
    const what = lost.length === 1 ? "frame" : "frames";
    const why = blind === null ? "cannot be laid on the carrier of the first ones" : "show no light";
    warnings.push(
      `${what} ${rangesOf(lost)} of ${x_px.length} ${why} and ${lost.length === 1 ? "is" : "are"} left out.`,
    );
  }
  if (anchor > 0)
    warnings.push(`drift is counted from frame ${anchor}: no other frame can be laid on those before it.`);
  return warnings;
}

function renewalWarnings(epochs: readonly Epoch[], nm_px: number): string[] {
  if (epochs.length < 2) return [];
  const { from, off_px } = epochs.at(-1)!;
  const off = Number.isFinite(off_px)
    ? `compared outright, the last of them lies ${(nm_px * off_px).toPrecision(2)} nm from the first`
    : "the last of them has too little in common with the first to be compared outright";
  const times = epochs.length === 2 ? "once" : `${epochs.length - 1} times`;
  return [
    `the carrier's texture slowly becomes another: the reference was renewed ${times}, from a registered mean, last at frame ${from}; ${off}.`,
  ];
}

function focusWarnings({ time_s }: Movie, focus: Float64Array, sd: number): string[] {
  const found = defocused(focus, sd);
  const worst = found.reduce<Defocus | null>(
    (most, one) => (most === null || Math.abs(one.change) > Math.abs(most.change) ? one : most),
    null,
  );
  if (worst === null) return [];
  const [first, last] = [found[0]!, found.at(-1)!];
  const when = found.length === 1 ? "" : `, in ${found.length} stretches`;
  return [
    `focus is not that of the first frames between ${time_s[first.first]!.toFixed(0)} and ${time_s[last.last]!.toFixed(0)} s${when}: the carrier's finest structure has up to ${Math.abs(100 * worst.change).toFixed(0)} % ${worst.change < 0 ? "less" : "more"} contrast. Intensities there mix focus and lithium.`,
  ];
}

/** "3, 7-9": at most twelve stretches of whole numbers that rise. */
function rangesOf(numbers: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const number of numbers) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === number - 1) last[1] = number;
    else ranges.push([number, number]);
  }
  const shown = ranges.slice(0, 12).map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`));
  return shown.join(", ") + (ranges.length > 12 ? " and others" : "");
}
