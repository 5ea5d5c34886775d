/** Laying frames on a reference made of the first ones. */
import { ordinaryArrays, type Arena } from "../kernels/compiled.js";
import { nextFastSize } from "../kernels/fft.js";
import {
  type CorrelationReference,
  correlationReference,
  correlationScratch,
  type CorrelationScratch,
  phaseCorrelation,
} from "../kernels/phase-correlation.js";
import { splineCoefficients } from "../kernels/resample.js";
import { slowRatio } from "../kernels/slow-ratio.js";
import {
  compareLight,
  type Laid,
  newLaid,
  prepareTexture,
  residualSpread,
  type Texture,
  textureShift,
} from "../kernels/texture-shift.js";
import { coarseLight, fillLight, floatsOfSquares, floatsOfWords, openLight } from "../kernels/window.js";
import type { Movie, Samples } from "../model/movie.js";
import { type Carrier, SLOW_PSF, whiteNoise } from "./carrier.js";

/**
 * What is looked at: frames, of which `bin` pixels along each side are taken as one, the carrier in them, and how. All places
 * and lengths are in such pixels. Plain data, which threads may hand on.
 */
export interface Sight {
  /** Whole pixels of a frame so taken, and samples in a row of it. */
  readonly width: number;
  readonly height: number;
  readonly bin: number;
  readonly stride: number;
  readonly carrier: Carrier;
  readonly psf_px: number;
  readonly blackLevel: number;
}

/** A window that looks at frames, and the arrays it looks with. */
export interface View extends Sight {
  /** Window with its margin, of the frame looked at: light, then its spline; and slow light. */
  readonly light: Float32Array;
  readonly slow: Float32Array;
  /** 1 where the window and its margin are open. */
  readonly open: Float32Array;
  /** Samples of the window with its margin. */
  readonly words: Uint16Array;
  /** Window, of the frame laid on the reference; NaN where the frame ends. */
  readonly laid: Laid;
  /** Pixels of the window in one of the coarse image, and that image's size. */
  readonly binning: number;
  readonly coarseWidth: number;
  readonly coarseHeight: number;
  readonly coarse: Float32Array;
  readonly scratch: CorrelationScratch;
  /** height * width of the window: weight of a pixel in the coarse image. */
  readonly taper: Float32Array;
  /** Pixels of the window and its margin that are open. */
  readonly opening: number;
}

/** Where the scene lies in a frame. */
export interface Place {
  readonly x: number;
  readonly y: number;
  /** Shift by one half of the carrier minus that by the other; NaN where it was not asked for. */
  readonly splitX: number;
  readonly splitY: number;
  /** Robust spread of the ratio about the reference's. */
  readonly residual: number;
}

/** What frames are laid on. */
export interface Reference {
  readonly texture: Texture;
  readonly coarse: CorrelationReference;
  /** height * width of the window: mean light of the frames used, and the same over its slow part. */
  readonly light: Float64Array;
  readonly relative: Float64Array;
  /** Where the scene of the anchor lay in each of them. */
  readonly shifts_px: readonly (readonly [number, number])[];
  /** The frame whose scene it shows: the first that others can be laid on. */
  readonly anchor: number;
  /** Why nothing can be laid on it; null where it can. */
  readonly blind: string | null;
  /** Share of the pull that the camera's own pattern may have, towards no shift. */
  readonly cameraPull: number;
}

/** First frames that make the reference. */
const REFERENCE_FRAMES = 8;
/** Carrier pixels below which no shift is sought. */
const LEAST_PIXELS = 400;
/** Height of a correlation peak over the rms of the surface; chance reaches 4.5. */
const SIGNIFICANT = 6;
/** Share of the camera's pattern in what pulls beyond which there may be nothing else. */
const FAINT = 0.25;
/** Share of the carrier that must be seen in a frame. */
const LEAST_SEEN = 0.25;
/** Side of the blocks that are dealt to the two halves of the carrier, in point spreads. */
const BLOCK_PSF = 12;
/** Pixels at a frame's border that the spline through it does not render well. */
const BORDER_px = 4;
/** A window that lies farther off than this is moved and looks again. */
const OFF_px = 0.75;

/** A view through the carrier's window. */
export function viewOf(sight: Sight, arena: Arena = ordinaryArrays): View {
  const { carrier, psf_px } = sight;
  const { width, height, margin, weight } = carrier;
  const padded = (width + 2 * margin) * (height + 2 * margin);
  const binning = Math.max(1, Math.min(Math.floor(psf_px / 0.7), Math.floor(Math.min(width, height) / 48)));
  const taper = arena.floats(width * height);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) taper[at] = weight[at]! * edge(x, width) * edge(y, height);
  }
  const open = arena.floats(padded);
  open.set(carrier.open);
  const [coarseWidth, coarseHeight] = [
    nextFastSize(Math.ceil(width / binning)),
    nextFastSize(Math.ceil(height / binning)),
  ];
  return {
    ...sight,
    light: arena.floats(padded),
    slow: arena.floats(padded),
    open,
    words: arena.words(padded * sight.bin ** 2),
    laid: newLaid(width, height, arena),
    binning,
    coarseWidth,
    coarseHeight,
    coarse: arena.floats(coarseWidth * coarseHeight),
    scratch: correlationScratch(coarseWidth, coarseHeight, arena),
    taper,
    opening: carrier.open.reduce((sum, value) => sum + value, 0),
  };
}

/** The light of the frame that was laid last, pixel by pixel of the window. */
export function lightLaid({ carrier: { width, height }, laid }: View): Float64Array {
  return Float64Array.from(laid.moved.subarray(0, width * height));
}

/**
 * The reference: the first frames, laid on the first of them that most can be laid on. `buffer` holds one frame.
 */
export async function makeReference(
  movie: Movie,
  view: View,
  buffer: Samples,
  signal?: AbortSignal,
): Promise<Reference> {
  const first = Math.min(REFERENCE_FRAMES, movie.frames);
  let blind = "the carrier's texture is not the same in any two of the first frames";
  for (let anchor = 0; anchor < first; anchor++) {
    await movie.read(anchor, buffer, signal);
    if (stay(view, buffer, null) === null) continue;
    const lights = [lightLaid(view)];
    const shifts: [number, number][] = [[0, 0]];
    const anchored = referenceOf(view, lights, shifts, anchor);
    if (anchored.texture.pixels.length * view.bin ** 2 < LEAST_PIXELS) {
      return {
        ...anchored,
        blind: `only ${anchored.texture.pixels.length * view.bin ** 2} px of carrier lie around the crystals`,
      };
    }
    for (let frame = 0; frame < first; frame++) {
      if (frame === anchor) continue;
      await movie.read(frame, buffer, signal);
      const place = locate(view, buffer, anchored, [0, 0]);
      if (place === null) continue;
      lights.push(lightLaid(view));
      shifts.push([place.x, place.y]);
    }
    if (lights.length < first / 2) continue;
    const reference = referenceOf(view, lights, shifts, anchor);
    if (reference.cameraPull < FAINT) return reference;
    blind = "the carrier shows no texture beside the camera's own";
    break;
  }
  const lights = await lightsAsTheyLie(movie, view, buffer, signal);
  return {
    ...referenceOf(
      view,
      lights,
      lights.map(() => [0, 0]),
      0,
    ),
    blind,
  };
}

async function lightsAsTheyLie(
  movie: Movie,
  view: View,
  buffer: Samples,
  signal?: AbortSignal,
): Promise<Float64Array[]> {
  const lights: Float64Array[] = [];
  for (let frame = 0; frame < Math.min(REFERENCE_FRAMES, movie.frames); frame++) {
    await movie.read(frame, buffer, signal);
    if (stay(view, buffer, null) !== null) lights.push(lightLaid(view));
  }
  return lights;
}

/** A reference of images laid on the scene of the anchor, their frames' shifts beside them. */
export function referenceOf(
  view: View,
  lights: readonly Float64Array[],
  shifts_px: readonly (readonly [number, number])[],
  anchor: number,
): Reference {
  const { width, height, weight } = view.carrier;
  const light = meanOf(lights, width * height);
  const block = BLOCK_PSF * view.psf_px;
  const half = Uint8Array.from({ length: width * height }, (_, at) => {
    const x = at % width;
    return (Math.floor(x / block) + Math.floor((at - x) / width / block)) % 2;
  });
  const slow_px = SLOW_PSF * view.psf_px;
  const texture = prepareTexture(light, width, height, weight, half, {
    sharp_px: view.psf_px,
    slow_px,
  });
  const relative = light.map((value, at) => value / texture.slow[at]!);
  const [sharp, slow] = [view.psf_px / view.binning, slow_px / view.binning];
  const { binning, coarseWidth, coarseHeight, coarse, taper } = view;
  const shape = { stride: width, margin: 0, width, height, binning, coarseWidth, coarseHeight };
  coarseLight(Float32Array.from(light), Float32Array.from(texture.slow), taper, shape, coarse);
  return {
    texture,
    coarse: correlationReference(
      coarse,
      coarseWidth,
      coarseHeight,
      (k) => Math.exp(-0.5 * (k * sharp) ** 2) - Math.exp(-0.5 * (k * slow) ** 2),
    ),
    light,
    relative,
    shifts_px,
    anchor,
    blind: null,
    cameraPull: cameraPullOf(view, texture, relative),
  };
}

/**
 * How hard what is white in the reference pulls, over all that pulls: no texture seen through a point spread is white.
 * White noise of variance 1 pulls by 1 / (pi sigma^4) a pixel, sigma the Gaussian that smooths.
 */
function cameraPullOf(view: View, texture: Texture, relative: Float64Array): number {
  const { width, height, weight } = view.carrier;
  let pull = 0;
  let weights = 0;
  for (let k = 0; k < texture.pixels.length; k++) {
    pull += texture.pullX[k]! * texture.gradientX[k]! + texture.pullY[k]! * texture.gradientY[k]!;
    weights += weight[texture.pixels[k]!]!;
  }
  if (!(pull > 0)) return 1;
  return (whiteNoise(relative, weight, width, height) ** 2 * weights) / (Math.PI * view.psf_px ** 4 * pull);
}

/**
 * Where the scene lies in a frame, sought about a guess; `view.laid` is then the frame laid on the reference. Null where it
 * cannot be laid there. The two halves of the carrier are compared only where `split` is asked for.
 */
export function locate(
  view: View,
  samples: Samples,
  reference: Pick<Reference, "texture" | "coarse">,
  guess: readonly [number, number],
  split = true,
): Place | null {
  const { carrier, binning, coarse, coarseWidth, coarseHeight, scratch } = view;
  const { width, height, margin } = carrier;
  const stride = width + 2 * margin;
  const shape = { stride, margin, width, height, binning, coarseWidth, coarseHeight };
  let [windowX, windowY] = [Math.round(guess[0]), Math.round(guess[1])];
  let [offX, offY] = [0, 0];
  for (let looks = 0; looks < 3; looks++) {
    if (!look(view, samples, windowX, windowY)) return null;
    coarseLight(view.light, view.slow, view.taper, shape, coarse);
    const peak = phaseCorrelation(reference.coarse, coarse, scratch);
    if (!(peak.significance >= SIGNIFICANT)) return null;
    [offX, offY] = [peak.dx_px * binning, peak.dy_px * binning];
    if (Math.abs(offX) <= OFF_px && Math.abs(offY) <= OFF_px) break;
    if (looks === 2) return null;
    windowX += Math.round(offX);
    windowY += Math.round(offY);
  }
  splineCoefficients(view.light, stride, height + 2 * margin);
  const [x0, y0] = [carrier.left + windowX - margin, carrier.top + windowY - margin];
  const shift = textureShift(
    reference.texture,
    view.light,
    stride,
    height + 2 * margin,
    margin,
    margin,
    [
      x0 < 0 ? BORDER_px - x0 : 0,
      y0 < 0 ? BORDER_px - y0 : 0,
      x0 + stride > view.width ? view.width - 1 - BORDER_px - x0 : stride - 1,
      y0 + height + 2 * margin > view.height ? view.height - 1 - BORDER_px - y0 : height + 2 * margin - 1,
    ],
    offX,
    offY,
    view.laid,
    split,
  );
  if (!(shift.seen >= LEAST_SEEN)) return null;
  return {
    x: windowX + shift.dx_px,
    y: windowY + shift.dy_px,
    splitX: shift.splitX_px,
    splitY: shift.splitY_px,
    residual: shift.residual,
  };
}

/** A frame taken as it lies, into `view.laid`, compared with the reference's texture if there is one; null where it shows no carrier. */
export function stay(view: View, samples: Samples, reference: Pick<Reference, "texture"> | null): Place | null {
  const { width, height, margin } = view.carrier;
  if (!look(view, samples, 0, 0)) return null;
  for (let y = 0; y < height; y++) {
    const row = (y + margin) * (width + 2 * margin) + margin;
    view.laid.moved.set(view.light.subarray(row, row + width), y * width);
  }
  if (reference === null) return { x: 0, y: 0, splitX: 0, splitY: 0, residual: NaN };
  compareLight(reference.texture, view.laid);
  return { x: 0, y: 0, splitX: 0, splitY: 0, residual: residualSpread(reference.texture, view.laid).sigma };
}

/** Fills light and slow light of a frame through the window moved by whole pixels; false if it is dark. */
function look(view: View, samples: Samples, windowX: number, windowY: number): boolean {
  const { carrier, light, slow, open } = view;
  const { margin } = carrier;
  const width = carrier.width + 2 * margin;
  const height = carrier.height + 2 * margin;
  const [x0, y0] = [carrier.left + windowX - margin, carrier.top + windowY - margin];
  cutLight(view, samples, x0, y0, width, height);
  const { total, known } = openLight(light, open);
  if (known < Math.max(1, LEAST_SEEN * view.opening) || !(total > 0)) return false;
  slowRatio(light, open, width, height, SLOW_PSF * view.psf_px, slow);
  // What is not known is taken as even light: the spline and the transform need a number everywhere.
  fillLight(light, slow, (0.02 * total) / known);
  return true;
}

/** Light of the part of a frame that begins at x0, y0; NaN beyond the frame. */
function cutLight(view: View, samples: Samples, x0: number, y0: number, width: number, height: number): void {
  const { light, words, blackLevel, bin, stride } = view;
  const first = Math.min(width, Math.max(0, -x0));
  const end = Math.max(first, Math.min(width, view.width - x0));
  const top = Math.min(height, Math.max(0, -y0));
  const bottom = Math.max(top, Math.min(height, view.height - y0));
  // Wider samples than words, and signed ones, are few movies' and take the plain way.
  const target = samples instanceof Uint16Array ? words : sameKind(samples, words.length);
  for (let y = top * bin; y < bottom * bin; y++) {
    const from = (y0 * bin + y) * stride + x0 * bin;
    target.set(samples.subarray(from + first * bin, from + end * bin), y * width * bin + first * bin);
  }
  if (bin === 1 && target instanceof Uint16Array) floatsOfWords(target, blackLevel, light);
  else floatsOfSquares(target, width * bin, bin, width, blackLevel, light);
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

let otherSamples: Samples = new Float32Array(0);

/** An array of the same kind of samples, so long, used again and again. */
function sameKind(samples: Samples, length: number): Samples {
  if (otherSamples.constructor === samples.constructor && otherSamples.length === length) return otherSamples;
  const Kind = samples.constructor as new (length: number) => Samples;
  otherSamples = new Kind(length);
  return otherSamples;
}

/** Mean of images, NaN left out. */
function meanOf(images: readonly Float64Array[], size: number): Float64Array {
  const sum = new Float64Array(size);
  const count = new Int32Array(size);
  for (const image of images) {
    for (let at = 0; at < size; at++) {
      const value = image[at]!;
      if (Number.isNaN(value)) continue;
      sum[at] = sum[at]! + value;
      count[at] = count[at]! + 1;
    }
  }
  for (let at = 0; at < size; at++) sum[at] = sum[at]! / count[at]!;
  return sum;
}

/** Share of a taper of a tenth of the length at both ends. */
function edge(place: number, length: number): number {
  const depth = (Math.min(place, length - 1 - place) + 0.5) / (0.1 * length);
  return depth >= 1 ? 1 : 0.5 - 0.5 * Math.cos(Math.PI * depth);
}
