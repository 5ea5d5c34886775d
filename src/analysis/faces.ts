/** Whether a crystal's face is flat and seen along c: on that rests that its area stands for its volume. */
import { shrink } from "../kernels/distance.js";
import { invertSymmetric, timesVector } from "../kernels/normal-equations.js";
import { simplifyPolygon } from "../kernels/polygon.js";
import type { Estimate } from "../model/experiment.js";
import type { Face } from "../model/face.js";
import type { Stack } from "../model/movie.js";

/** Point spreads from the outline at which its light is the face's own. */
const INNER_PSF = 3;
/** Frames at the beginning that are averaged. */
const FRAMES = 10;
/** Side of the patches that roughness is told over. */
const PATCH_UM = 0.6;
/** Patches that must lie on the face. */
const FEWEST_PATCHES = 8;
/** Variance of coarse roughness over what is left of it beside a fitted surface, found on drawn faces. */
const HIDDEN = 2.2;
/** Light that is even within this share is that of a flat face: a gap that varies by some 25 nm. */
const EVEN = 0.05;
/** Unevenness and roughness together beyond which fringes run over the face. */
const ROUGH = 0.08;
/** Outlines are made polygons within this distance. */
const STRAIGHT_UM = 0.15;
/** Chance at which three directions are believed, and at which they are not. */
const BELIEVED = 0.02;
const DOUBTED = 0.2;

/**
 * The face of one particle in the first frames of its crop; null where too little of it lies away from the outline.
 *
 * ln I over the face is fitted by a surface of second order. An interferometer shows the height of a face as light, so a
 * flat face seen face on is even; one that is tilted or domed has a slope or fringes. `unevenness` is the rms of the
 * surface about its mean, less what roughness of patches (0.6 um) gives by chance; the face is flat where it is below 5 %
 * by two standard errors, uneven where it is above by as much, or where patches differ by more than 8 % in all.
 *
 * The outline is made a polygon (0.15 um). With lengths L and directions theta of its edges,
 *
 *     sixfold = |sum L exp(6 i theta)| / sum L
 *
 * is 1 for the hexagonal plates of layered oxides seen along c, and by chance exceeds r with probability exp(-n r^2), n the
 * effective number of edges, (sum L)^2 / sum L^2 (Rayleigh).
 */
export function describeFace(
  stack: Stack,
  {
    particle,
    mask,
    outline_px,
    psf_um,
  }: {
    readonly particle: number;
    readonly mask: Uint8Array;
    /** In px of the stack. */
    readonly outline_px: readonly (readonly [number, number])[];
    readonly psf_um: number;
  },
): Face | null {
  const { width, height, pixelSize_um, time_s, data } = stack;
  const size = width * height;
  const frames = Math.min(FRAMES, time_s.length);
  const inner = shrink(mask, width, height, (INNER_PSF * psf_um) / pixelSize_um);
  const light = new Float64Array(size);
  for (let at = 0; at < size; at++) {
    let n = 0;
    for (let frame = 0; frame < frames; frame++) {
      const value = data[frame * size + at]!;
      if (!Number.isFinite(value)) continue;
      light[at] = light[at]! + value;
      n++;
    }
    light[at] = light[at]! / n;
  }
  const pixels = [...inner.keys()].filter((at) => inner[at] !== 0 && light[at]! > 0);
  const patches = (pixels.length * pixelSize_um ** 2) / PATCH_UM ** 2;
  if (patches < FEWEST_PATCHES) return null;
  const surface = fitSurface(pixels, light, width, pixelSize_um);
  if (surface === null) return null;
  const { coefficients, inverse, residual, fitted } = surface;
  const side_px = PATCH_UM / pixelSize_um;
  const patch = patchVariance(pixels, residual, width, side_px);
  const roughness = Math.sqrt(patch);
  // Variance times area of patches that are each their own: roughness may be coarser than one of them.
  const own_px2 = Math.max(...[1, 2].map((times) => ownArea(pixels, residual, width, times * side_px)));
  const unit = own_px2 / pixels.length;
  const square = fitted.reduce((sum, one) => sum + one * one, 0) / pixels.length;
  const unevenness = rootOf(square - 5 * unit, Math.sqrt(10 * unit ** 2 + 4 * unit * square), Math.round(patches));
  const slope = Math.hypot(coefficients[1]!, coefficients[2]!);
  const slopeSd = Math.sqrt(own_px2 * Math.max(inverse[7]!, inverse[14]!));
  const kind =
    Math.hypot(roughness, unevenness.value) > ROUGH || unevenness.value - 2 * unevenness.sd! > EVEN
      ? "uneven"
      : unevenness.value + 2 * unevenness.sd! <= EVEN
        ? "flat"
        : "undecided";
  const sixfold = sixfoldOf(outline_px, STRAIGHT_UM / pixelSize_um);
  const view = sixfold.p < BELIEVED ? "along c" : sixfold.p > DOUBTED ? "other" : "undecided";
  const percent = (share: number): string => `${(100 * share).toPrecision(2)} %`;
  return {
    particle,
    unevenness,
    roughness,
    slope_per_um: { value: slope, sd: slopeSd, n: Math.round(patches) },
    slope_deg: (Math.atan2(coefficients[2]!, coefficients[1]!) * 180) / Math.PI,
    kind,
    sixfold,
    view,
    because: `the light of the face varies by ${percent(unevenness.value)} over it and by ${percent(roughness)} from patch to patch; ${sixfold.edges} edges lie along three directions to ${percent(sixfold.value)} (chance ${sixfold.p.toPrecision(2)})`,
  };
}

interface Surface {
  /** Of 1, x, y, x^2, x y, y^2 about the middle, um. */
  readonly coefficients: Float64Array;
  readonly inverse: Float64Array;
  /** One entry a pixel: ln I less the surface, and the surface less its mean. */
  readonly residual: Float64Array;
  readonly fitted: Float64Array;
}

function fitSurface(
  pixels: readonly number[],
  light: Float64Array,
  width: number,
  pixelSize_um: number,
): Surface | null {
  const n = pixels.length;
  const [x0, y0] = [0, 1].map(
    (axis) => pixels.reduce((sum, at) => sum + (axis === 0 ? at % width : Math.floor(at / width)), 0) / n,
  ) as [number, number];
  const terms = pixels.map((at) => {
    const [x, y] = [((at % width) - x0) * pixelSize_um, (Math.floor(at / width) - y0) * pixelSize_um];
    return [1, x, y, x * x, x * y, y * y];
  });
  const matrix = new Float64Array(36);
  const right = new Float64Array(6);
  pixels.forEach((at, k) => {
    for (let i = 0; i < 6; i++) {
      right[i] = right[i]! + terms[k]![i]! * Math.log(light[at]!);
      for (let j = 0; j < 6; j++) matrix[6 * i + j] = matrix[6 * i + j]! + terms[k]![i]! * terms[k]![j]!;
    }
  });
  const inverse = invertSymmetric(matrix, 6);
  if (inverse === null) return null;
  const coefficients = timesVector(inverse, right, 6);
  const surface = Float64Array.from(terms, (own) => own.reduce((sum, one, i) => sum + one * coefficients[i]!, 0));
  const mean = surface.reduce((sum, one) => sum + one, 0) / n;
  return {
    coefficients,
    inverse,
    residual: Float64Array.from(pixels, (at, k) => Math.log(light[at]!) - surface[k]!),
    fitted: surface.map((one) => one - mean),
  };
}

/** Variance of means over patches of a square grid that are at least half full. */
function patchVariance(pixels: readonly number[], residual: Float64Array, width: number, side_px: number): number {
  const sums = new Map<string, [number, number]>();
  pixels.forEach((at, k) => {
    const key = `${Math.floor((at % width) / side_px)},${Math.floor(Math.floor(at / width) / side_px)}`;
    const own = sums.get(key) ?? [0, 0];
    sums.set(key, [own[0] + residual[k]!, own[1] + 1]);
  });
  const means = [...sums.values()].filter(([, n]) => n >= 0.5 * side_px * side_px).map(([sum, n]) => sum / n);
  return means.reduce((sum, one) => sum + one * one, 0) / Math.max(1, means.length);
}

/** Variance of patches times their area, px squared, with what the surface's six numbers took of it given back. */
function ownArea(pixels: readonly number[], residual: Float64Array, width: number, side_px: number): number {
  const patches = pixels.length / side_px ** 2;
  return (HIDDEN * patchVariance(pixels, residual, width, side_px) * side_px ** 2 * patches) / Math.max(1, patches - 6);
}

/** The root of a square that is known with an error, and its own. */
function rootOf(square: number, sd: number, n: number): Estimate {
  const value = Math.sqrt(Math.max(0, square));
  return { value, sd: value > 0 ? Math.min(sd / (2 * value), Math.sqrt(sd)) : Math.sqrt(sd), n };
}

function sixfoldOf(outline_px: readonly (readonly [number, number])[], tolerance_px: number): Face["sixfold"] {
  const corners = simplifyPolygon(outline_px, tolerance_px);
  let [along, across, length, squares] = [0, 0, 0, 0];
  corners.forEach(([x, y], at) => {
    const [u, v] = corners[(at + 1) % corners.length]!;
    const own = Math.hypot(u - x, v - y);
    const angle = 6 * Math.atan2(v - y, u - x);
    along += own * Math.cos(angle);
    across += own * Math.sin(angle);
    length += own;
    squares += own * own;
  });
  if (!(length > 0)) return { value: 0, p: 1, edges: 0 };
  const value = Math.hypot(along, across) / length;
  return { value, p: Math.exp(-((length * length) / squares) * value * value), edges: corners.length };
}
