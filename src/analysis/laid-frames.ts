/** What is measured on each frame as it is laid on the carrier, a few frames in a row: work for one thread. */
import { newArena, type Arena } from "../kernels/compiled.js";
import type { CorrelationReference } from "../kernels/phase-correlation.js";
import { splineNoiseGain } from "../kernels/resample.js";
import { madSigma, quantileInPlace } from "../kernels/stats.js";
import type { Texture } from "../kernels/texture-shift.js";
import { lightSums } from "../kernels/texture-sums.js";
import type { Samples } from "../model/movie.js";
import { whiteNoise } from "./carrier.js";
import { focusOf, type Probe } from "./focus-course.js";
import { locate, type Place, type Sight, stay, type View, viewOf } from "./registration.js";

/** What frames are laid on, as plain data, which threads may hand on. */
export interface Ground {
  /** Tells one ground of a movie from the others. */
  readonly id: number;
  readonly texture: Texture;
  readonly coarse: CorrelationReference;
  readonly probe: Probe | null;
  /** Whether frames are taken as they lie, since nothing can be laid on it. */
  readonly blind: boolean;
}

/** A frame to be laid. */
export interface Wanted {
  readonly samples: Samples;
  /** Whether the camera's own pattern is asked for, and whether the two halves of the carrier are compared. */
  readonly asked: boolean;
  readonly split: boolean;
}

/** What was measured on a frame that could be laid. */
export interface LaidFrame extends Place {
  /** Light over the reference's. */
  readonly gain: number;
  /** Focus and its standard error, and the part of the coarser structure that is left; NaN without a probe. */
  readonly focus: number;
  readonly focusSd: number;
  readonly coarse: number;
  /** White noise beside the reference, where it was asked for, else NaN. */
  readonly sharp: number;
  /** Noise of a pixel from this frame and the one before it in the row, NaN for the first. */
  readonly noise: number;
}

/** Lays frames; holds the arrays of one thread. */
export interface Layer {
  readonly view: View;
  ground: { readonly own: Ground; readonly arena: Arena } | null;
  readonly earlier: Float32Array;
  readonly arena: Arena;
}

/** Residuals beyond so many standard deviations are not the carrier's light. */
const REJECT = 6;
/** Where a robust spread is wanted, about so many pixels tell it. */
const SAMPLED = 1024;

export function newLayer(sight: Sight): Layer {
  const arena = newArena();
  const view = viewOf(sight, arena);
  return { view, ground: null, earlier: new Float32Array(view.laid.ratio.length), arena };
}

/** Gives back what a layer holds. */
export function releaseLayer(layer: Layer): void {
  layer.ground?.arena.release();
  layer.arena.release();
}

/**
 * Lays frames that follow each other on the ground, each sought about the same guess; null for one that cannot be laid. What
 * is found depends on these frames alone.
 */
export function layFrames(
  layer: Layer,
  given: Ground,
  frames: readonly Wanted[],
  guess: readonly [number, number],
): (LaidFrame | null)[] {
  const ground = groundIn(layer, given);
  const { view, earlier } = layer;
  let before: Place | null = null;
  return frames.map(({ samples, asked, split }) => {
    const place = ground.blind ? stay(view, samples, ground) : locate(view, samples, ground, guess, split);
    let noise = NaN;
    if (place !== null) {
      if (before !== null) noise = noiseBetween(ground.texture, earlier, before, view.laid.ratio, place);
      earlier.set(view.laid.ratio);
    }
    before = place;
    return place === null ? null : { ...place, ...measured(view, ground, place, asked), noise };
  });
}

/** The ground with its maps where this thread's kernels work. */
function groundIn(layer: Layer, given: Ground): Ground {
  if (layer.ground?.own.id === given.id) return layer.ground.own;
  layer.ground?.arena.release();
  const arena = newArena();
  const own = (map: Float32Array): Float32Array => {
    const copy = arena.floats(map.length);
    copy.set(map);
    return copy;
  };
  const { maps } = given.texture;
  const ground = {
    ...given,
    texture: {
      ...given.texture,
      maps: {
        value: own(maps.value),
        gradientX: own(maps.gradientX),
        gradientY: own(maps.gradientY),
        pullX: own(maps.pullX),
        pullY: own(maps.pullY),
        slow: own(maps.slow),
        half: own(maps.half),
        light: own(maps.light),
      },
    },
    probe:
      given.probe === null ? null : { ...given.probe, fine: own(given.probe.fine), coarse: own(given.probe.coarse) },
  };
  layer.ground = { own: ground, arena };
  return ground;
}

function measured(
  view: View,
  { texture, probe }: Ground,
  place: Place,
  asked: boolean,
): Omit<LaidFrame, keyof Place | "noise"> {
  const { maps } = texture;
  const { moved, share, ratio } = view.laid;
  const limit = REJECT * place.residual;
  const structure = { fine: probe?.fine ?? maps.light, coarse: probe?.coarse ?? maps.light };
  const lights = { light: maps.light, counted: maps.light, ...structure };
  const found = lightSums(maps, lights, moved, share, ratio, limit, usualShare(texture, share));
  const focus = probe === null ? null : focusOf(probe, found, place.residual);
  return {
    gain: found.light > 0 ? found.moved / found.light : NaN,
    focus: focus?.value ?? NaN,
    focusSd: focus?.sd ?? NaN,
    coarse: focus?.coarse ?? NaN,
    sharp: asked && probe !== null ? sharpResidual(view, texture) : NaN,
  };
}

let sampled = new Float64Array(2 * SAMPLED);
let sorted = new Float64Array(2 * SAMPLED);

/** By what the slow light of most pixels changed, and how far another's may be from that and still be the lamp's. */
function usualShare({ pixels }: Texture, share: Float32Array): readonly [number, number] {
  const stride = Math.max(1, Math.floor(pixels.length / SAMPLED));
  const asked = Math.ceil(pixels.length / stride);
  if (sampled.length < asked) [sampled, sorted] = [new Float64Array(asked), new Float64Array(asked)];
  let n = 0;
  for (let k = 0; k < pixels.length; k += stride) {
    const value = share[pixels[k]!]!;
    if (value - value === 0) sampled[n++] = value;
  }
  let [usual, spread] = [NaN, NaN];
  for (let round = 0; round < 2; round++) {
    sorted.set(sampled.subarray(0, n));
    usual = quantileInPlace(sorted, n, 0.5);
    for (let k = 0; k < n; k++) sorted[k] = Math.abs(sampled[k]! - usual);
    spread = Math.max(3 * 1.4826 * quantileInPlace(sorted, n, 0.5), 0.002 * usual);
    let kept = 0;
    for (let k = 0; k < n; k++) if (Math.abs(sampled[k]! - usual) <= spread) sampled[kept++] = sampled[k]!;
    n = kept;
  }
  return [usual, spread];
}

/** Noise of a pixel, from two frames laid on the same place; what interpolation took of it is given back. */
function noiseBetween({ pixels }: Texture, a: Float32Array, placeA: Place, b: Float32Array, placeB: Place): number {
  const stride = Math.max(1, Math.floor(pixels.length / SAMPLED));
  const differences = new Float64Array(Math.ceil(pixels.length / stride));
  for (let k = 0, n = 0; k < pixels.length; k += stride, n++) differences[n] = a[pixels[k]!]! - b[pixels[k]!]!;
  return madSigma(differences) / Math.sqrt(splineNoiseGain(placeA.x, placeA.y) + splineNoiseGain(placeB.x, placeB.y));
}

/** White noise of a frame laid on the carrier, less the reference's: what is sharper than any texture. */
function sharpResidual({ carrier, laid }: View, { maps, light }: Texture): number {
  const change = new Float64Array(carrier.width * carrier.height);
  for (let at = 0; at < change.length; at++) change[at] = light[at]! > 0 ? laid.ratio[at]! - maps.value[at]! : NaN;
  return whiteNoise(change, carrier.weight, carrier.width, carrier.height);
}
