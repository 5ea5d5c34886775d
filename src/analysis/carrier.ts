/** The still carrier: which pixels of the first frame are watched for drift. */
import { distanceTransform, grow } from "../kernels/distance.js";
import { gaussianBlur } from "../kernels/filter.js";
import { maskOfPolygon } from "../kernels/polygon.js";
import { slowRatio } from "../kernels/slow-ratio.js";
import { madSigma } from "../kernels/stats.js";
import type { Particle } from "../model/particle.js";

/** A window on the scene of frame 0, and what in it is carrier. */
export interface Carrier {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  /** height * width: 0 on crystals and around them, rising to 1 a few px away. */
  readonly weight: Float64Array;
  /** Pixels kept around the window. */
  readonly margin: number;
  /** (height + 2 margin) * (width + 2 margin): 0 on crystals and around them. */
  readonly open: Uint8Array;
}

/** Sides of the window, px of the camera; the first is taken whose Cramer-Rao bound is below BOUND_px. */
const SIDES = [256, 384, 512];
const BOUND_px = 0.003;
/** Where there is room, the window keeps away from the border, so that drift does not carry it out. */
const ROOM_px = 32;
export const MARGIN_px = 4;

/** Slow light is what varies over this many point spreads. */
export const SLOW_PSF = 5.5;

/** Standard deviation of the point spread in px, no smaller than a pixel can tell. */
export function psfIn(pixelSize_um: number, psf_um: number): number {
  return Math.max(0.8, psf_um / pixelSize_um);
}

/**
 * Chooses the window with most gradient of the carrier in it, no larger than its noise calls for, and weighs its pixels.
 *
 * Crystals are left out with four point spreads around them, since their edges change with them. `light` is the first
 * frame, black level subtracted.
 */
export function chooseCarrier(
  light: Float64Array,
  width: number,
  height: number,
  particles: readonly Particle[],
  {
    psf_px,
    region_px,
    bin,
    noise,
  }: {
    readonly psf_px: number;
    readonly region_px: readonly [number, number, number, number] | null;
    /** Pixels of the camera along a side of one of these. */
    readonly bin: number;
    /** White noise of a pixel over its light. */
    readonly noise: number;
  },
): Carrier {
  const crystals = new Uint8Array(width * height);
  for (const { outline_px } of particles) {
    const mask = maskOfPolygon(outline_px, width, height);
    for (let at = 0; at < mask.length; at++) if (mask[at]) crystals[at] = 1;
  }
  const blocked = grow(crystals, width, height, 4 * psf_px + 1);
  const allowed = new Uint8Array(width * height);
  const [x0, y0, w, h] = region_px ?? [0, 0, width, height];
  for (let y = Math.max(0, y0); y < Math.min(height, y0 + h); y++) {
    for (let x = Math.max(0, x0); x < Math.min(width, x0 + w); x++)
      allowed[y * width + x] = blocked[y * width + x] ? 0 : 1;
  }
  const depth = distanceTransform(allowed, width, height);
  const ramp = 2 * psf_px + 1;
  const weight = depth.map((distance) => Math.min(1, distance / ramp));

  const [left, top, side] = chooseWindow(light, blocked, weight, { width, height, psf_px, bin, noise });
  const own = { left, top, width: Math.min(side, width), height: Math.min(side, height) };
  const open = new Uint8Array((own.width + 2 * MARGIN_px) * (own.height + 2 * MARGIN_px)).fill(1);
  for (let y = 0, at = 0; y < own.height + 2 * MARGIN_px; y++) {
    for (let x = 0; x < own.width + 2 * MARGIN_px; x++, at++) {
      const [sceneX, sceneY] = [left + x - MARGIN_px, top + y - MARGIN_px];
      if (sceneX >= 0 && sceneX < width && sceneY >= 0 && sceneY < height && blocked[sceneY * width + sceneX])
        open[at] = 0;
    }
  }
  return {
    ...own,
    weight: Float64Array.from({ length: own.width * own.height }, (_, at) => {
      const x = at % own.width;
      return weight[(top + (at - x) / own.width) * width + left + x]!;
    }),
    margin: MARGIN_px,
    open,
  };
}

/** Left, top and side of the window. */
function chooseWindow(
  light: Float64Array,
  blocked: Uint8Array,
  weight: Float64Array,
  {
    width,
    height,
    psf_px,
    bin,
    noise,
  }: {
    readonly width: number;
    readonly height: number;
    readonly psf_px: number;
    readonly bin: number;
    readonly noise: number;
  },
): [number, number, number] {
  const sides = SIDES.map((side) => Math.round(side / bin));
  if (width <= sides[0]! && height <= sides[0]!) return [0, 0, sides[0]!];
  const mean = new Float64Array(light.length);
  const open = blocked.map((value) => 1 - value);
  slowRatio(light, open, width, height, SLOW_PSF * psf_px, mean);
  const relative = Float64Array.from(light, (value, at) => (open[at] ? value / mean[at]! : NaN));
  const smooth = gaussianBlur(relative, width, height, psf_px);
  // energy[(y, x)]: sum of squared gradients over the rectangle above and to the left of pixel (x, y).
  const stride = width + 1;
  const energy = new Float64Array(stride * (height + 1));
  for (let y = 0; y < height; y++) {
    let row = 0;
    for (let x = 0; x < width; x++) {
      const at = y * width + x;
      if (weight[at]! > 0 && x > 0 && y > 0 && x < width - 1 && y < height - 1) {
        const squares =
          ((smooth[at + 1]! - smooth[at - 1]!) / 2) ** 2 + ((smooth[at + width]! - smooth[at - width]!) / 2) ** 2;
        if (Number.isFinite(squares)) row += weight[at]! * squares;
      }
      energy[(y + 1) * stride + x + 1] = energy[y * stride + x + 1]! + row;
    }
  }
  let chosen: [number, number, number] = [0, 0, sides[0]!];
  for (const side of sides) {
    const w = Math.min(side, width);
    const h = Math.min(side, height);
    let most = -1;
    for (const top of places(height, h, bin)) {
      for (const left of places(width, w, bin)) {
        const sum =
          energy[(top + h) * stride + left + w]! -
          energy[top * stride + left + w]! -
          energy[(top + h) * stride + left]! +
          energy[top * stride + left]!;
        if (sum > most) {
          most = sum;
          chosen = [left, top, side];
        }
      }
    }
    // Half of the squares lie along x, half along y.
    if (noise * Math.sqrt(2 / most) <= BOUND_px / bin) break;
  }
  return chosen;
}

/** Where a window of some extent may begin along a side, every 8 px. */
function places(length: number, extent: number, bin: number): number[] {
  const room = Math.min(Math.round(ROOM_px / bin), Math.floor((length - extent) / 2));
  const found: number[] = [];
  for (let place = room; place <= length - extent - room; place += 8) found.push(place);
  return found;
}

/** White noise of a pixel over its light, in an image of light on a pedestal, whose slow light need not be known. */
export function relativeNoise(samples: ArrayLike<number>, width: number, height: number, pedestal: number): number {
  const step = Math.max(1, Math.floor((width * height) / MANY));
  const found = new Float64Array(Math.max(0, width - 2) * Math.ceil(Math.max(0, height - 2) / step));
  let n = 0;
  for (let y = 1; y < height - 1; y += step) {
    for (let at = y * width + 1; at < (y + 1) * width - 1; at++) {
      const above = samples[at - width - 1]! + samples[at - width + 1]!;
      const corners = above + samples[at + width - 1]! + samples[at + width + 1]!;
      const sides = samples[at - width]! + samples[at + width]! + samples[at - 1]! + samples[at + 1]!;
      const mean = (corners + sides + samples[at]!) / 9 - pedestal;
      if (mean > 0) found[n++] = (corners - 2 * sides + 4 * samples[at]!) / (6 * mean);
    }
  }
  return madSigma(found.subarray(0, n));
}

/** From so many pixels on, white noise is told by rows apart from each other. */
const MANY = 16_384;

/**
 * Standard deviation of what is white in an image, from the residual of a plane through each 3 x 3 neighbourhood whose
 * pixels count (Immerkaer 1996), by the median absolute value; of large images, some rows tell it.
 */
export function whiteNoise(image: Float64Array, weight: Float64Array, width: number, height: number): number {
  const step = Math.max(1, Math.floor((width * height) / MANY));
  const found = new Float64Array(Math.max(0, width - 2) * Math.ceil(Math.max(0, height - 2) / step));
  let n = 0;
  for (let y = 1; y < height - 1; y += step) {
    for (let x = 1; x < width - 1; x++) {
      const at = y * width + x;
      if (!(weight[at]! > 0)) continue;
      const corners = image[at - width - 1]! + image[at - width + 1]! + image[at + width - 1]! + image[at + width + 1]!;
      const sides = image[at - width]! + image[at + width]! + image[at - 1]! + image[at + 1]!;
      found[n++] = (corners - 2 * sides + 4 * image[at]!) / 6;
    }
  }
  return madSigma(found.subarray(0, n));
}
