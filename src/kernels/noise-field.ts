/** Noise that neighbours share: white noise under a Gaussian, drawn where it is wanted. */
import type { Random } from "./random.js";

/** Spacing of the white noise in standard deviations of the Gaussian: its neighbours then show by less than 1e-3. */
const SPACING = 1.1;
/** The Gaussian is cut off here, in standard deviations. */
const CUT = 4;

/** The Gaussian's weights along one axis, of unit square sum at each pixel, and the first piece of white noise of each. */
interface Weights {
  readonly count: number;
  readonly taps: number;
  readonly first: Int32Array;
  readonly weight: Float64Array;
}

/**
 * Draws of noise of mean 0 and mean square 1, alike as white noise is under a Gaussian of standard deviation `sigma_px`:
 * neighbours r px apart correlate by exp(-r^2 / 4 sigma^2). Where the mask is 0 so is the noise. White noise is drawn on a
 * grid as wide as the Gaussian allows, so that a draw costs little more than its pixels.
 */
export function noiseField(
  mask: Uint8Array,
  width: number,
  height: number,
  sigma_px: number,
): (dice: Random) => Float32Array {
  let [left, right, top, bottom] = [width, -1, height, -1];
  for (let at = 0; at < mask.length; at++) {
    if (mask[at] === 0) continue;
    const x = at % width;
    const y = (at - x) / width;
    if (x < left) left = x;
    if (x > right) right = x;
    if (y < top) top = y;
    if (y > bottom) bottom = y;
  }
  const columns = Math.max(0, right - left + 1);
  const rows = Math.max(0, bottom - top + 1);
  const alongX = weightsOf(columns, sigma_px);
  const alongY = weightsOf(rows, sigma_px);
  const white = new Float64Array(alongX.count);
  const blurred = new Float64Array(columns * alongY.count);
  return (dice) => {
    const field = new Float32Array(width * height);
    for (let piece = 0; piece < alongY.count; piece++) {
      for (let at = 0; at < white.length; at++) white[at] = dice.normal();
      for (let x = 0; x < columns; x++) {
        const from = alongX.first[x]!;
        const own = x * alongX.taps;
        let sum = 0;
        for (let tap = 0; tap < alongX.taps; tap++) sum += alongX.weight[own + tap]! * white[from + tap]!;
        blurred[piece * columns + x] = sum;
      }
    }
    for (let y = 0; y < rows; y++) {
      const from = alongY.first[y]! * columns;
      const own = y * alongY.taps;
      for (let x = 0, at = (top + y) * width + left; x < columns; x++, at++) {
        if (mask[at] === 0) continue;
        let sum = 0;
        for (let tap = 0, of = from + x; tap < alongY.taps; tap++, of += columns) {
          sum += alongY.weight[own + tap]! * blurred[of]!;
        }
        field[at] = sum;
      }
    }
    return field;
  };
}

function weightsOf(length: number, sigma_px: number): Weights {
  const spacing = Math.max(1, Math.floor(SPACING * sigma_px));
  const reach = Math.max(0, CUT * sigma_px);
  const taps = Math.floor((2 * reach) / spacing) + 1;
  const first = new Int32Array(length);
  const weight = new Float64Array(length * taps);
  const before = Math.ceil(reach / spacing);
  let count = 0;
  for (let x = 0; x < length; x++) {
    const from = Math.ceil((x - reach) / spacing);
    first[x] = from + before;
    count = Math.max(count, first[x]! + taps);
    let square = 0;
    for (let tap = 0; tap < taps; tap++) {
      const off = x - (from + tap) * spacing;
      const one = sigma_px > 0 ? Math.exp((-0.5 * off * off) / (sigma_px * sigma_px)) : 1;
      weight[x * taps + tap] = one;
      square += one * one;
    }
    for (let tap = 0; tap < taps; tap++) weight[x * taps + tap] = weight[x * taps + tap]! / Math.sqrt(square);
  }
  return { count, taps, first, weight };
}
