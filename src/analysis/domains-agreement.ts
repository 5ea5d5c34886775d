/** How the domains of one particle agree from one transition to the next: reversed, and repeated over cycles. */
import { gaussianBlur } from "../kernels/filter.js";
import { madSigma } from "../kernels/stats.js";
import type { DomainAgreement, Domains } from "../model/domains.js";
import type { Transition } from "../model/experiment.js";
import { modulo60 } from "./domains-order.js";

/** Tiles along each side that the error comes from, each left out in turn. */
const TILES = 5;
/** Variance beside noise from which on there is something to agree, in standard errors of the noise's. */
const SIGNAL = 4;

/**
 * Domains with what each says of the others of its particle: reversibility against the transition of the other direction that
 * follows (or came before, where none follows), and repeats against all of its own direction. `transitions` holds those of
 * the domains.
 */
export function relateDomains(
  all: readonly Domains[],
  transitions: readonly Transition[],
  { psf_um, pixelSize_um }: { readonly psf_um: number; readonly pixelSize_um: number },
): Domains[] {
  const of = ({ transition }: Domains): Transition => transitions.find(({ id }) => id === transition)!;
  const outward = ({ direction }: Transition): boolean => direction === "delithiation" || direction === "brightening";
  return all.map((one) => {
    const mine = of(one);
    const others = all.filter(({ particle, transition }) => particle === one.particle && transition !== one.transition);
    const reverse = others.filter((other) => outward(of(other)) !== outward(mine));
    const after = reverse.filter((other) => of(other).start_s > mine.start_s);
    const [partner] =
      after.length > 0
        ? after.sort((a, b) => of(a).start_s - of(b).start_s)
        : reverse.sort((a, b) => of(b).start_s - of(a).start_s);
    const against = (other: Domains, sign: 1 | -1): DomainAgreement =>
      agreement(one, other, sign, psf_um / pixelSize_um);
    return {
      ...one,
      reversibility: partner === undefined ? null : against(partner, -1),
      repeats: others.filter((other) => outward(of(other)) === outward(mine)).map((other) => against(other, 1)),
    };
  });
}

/** One total contrast against another times `sign`. */
function agreement(one: Domains, other: Domains, sign: 1 | -1, psf_px: number): DomainAgreement {
  const turned =
    one.axis_deg === null || other.axis_deg === null
      ? null
      : {
          value: modulo60(other.axis_deg.value - one.axis_deg.value),
          sd: Math.hypot(one.axis_deg.sd ?? 0, other.axis_deg.sd ?? 0),
          n: Math.min(one.axis_deg.n, other.axis_deg.n),
        };
  return { transition: other.transition, correlation: correlationOf(one, other, sign, psf_px), turned_deg: turned };
}

function correlationOf(one: Domains, other: Domains, sign: 1 | -1, psf_px: number): DomainAgreement["correlation"] {
  const { width, height } = one;
  if (other.width !== width || other.height !== height || one.noise === null || other.noise === null) return null;
  const sigma_px = Math.max(0.7, psf_px);
  const inside = (at: number): boolean => one.domain[at]! > 0 && other.domain[at]! > 0;
  const smooth = ({ contrast }: Domains): Float32Array =>
    gaussianBlur(
      contrast.map((value, at) => (inside(at) ? value : NaN)),
      width,
      height,
      sigma_px,
    );
  const [a, b] = [smooth(one), smooth(other)];
  const pixels = Array.from(a.keys()).filter((at) => inside(at) && Number.isFinite(a[at]! + b[at]!));
  // White noise through a Gaussian.
  const area_px = 4 * Math.PI * sigma_px * sigma_px;
  const [noiseA, noiseB] = [one, other].map((each) => roughness(each, inside) ** 2 / area_px) as [number, number];
  const n = pixels.length / area_px;
  if (n < 10) return null;
  const tile = (at: number): number =>
    Math.floor((TILES * (at % width)) / width) + TILES * Math.floor((TILES * Math.floor(at / width)) / height);
  const whole = moments(pixels, a, b);
  const signal = (variance: number, noise: number): boolean => variance - noise > SIGNAL * noise * Math.sqrt(2 / n);
  if (!signal(whole.aa, noiseA) || !signal(whole.bb, noiseB)) return null;
  const value = (from: typeof whole): number =>
    (sign * from.ab) / Math.sqrt(Math.max(0.1 * noiseA, from.aa - noiseA) * Math.max(0.1 * noiseB, from.bb - noiseB));
  const tiles = new Set(pixels.map(tile));
  const parts = [...tiles].map((left) =>
    value(
      moments(
        pixels.filter((at) => tile(at) !== left),
        a,
        b,
      ),
    ),
  );
  const mean = parts.reduce((sum, part) => sum + part, 0) / parts.length;
  const spread = parts.reduce((sum, part) => sum + (part - mean) ** 2, 0);
  return { value: value(whole), sd: Math.sqrt(((parts.length - 1) / parts.length) * spread), n };
}

/**
 * Noise of a pixel of the total contrast: from frame to frame, or from pixel to pixel, if that is more, as where the camera's own
 * pattern lies otherwise after than before. What the lens shows changes less from a pixel to its neighbours' mean.
 */
function roughness({ contrast, noise, width }: Domains, inside: (at: number) => boolean): number {
  const rough: number[] = [];
  for (let at = width; at < contrast.length - width; at++) {
    const around = [at - 1, at + 1, at - width, at + width];
    if (!inside(at) || !around.every(inside)) continue;
    rough.push(contrast[at]! - around.reduce((sum, other) => sum + contrast[other]!, 0) / 4);
  }
  return Math.max(noise ?? 0, madSigma(rough) / Math.sqrt(1.25));
}

function moments(
  pixels: readonly number[],
  a: Float32Array,
  b: Float32Array,
): { readonly aa: number; readonly ab: number; readonly bb: number } {
  let [sumA, sumB, aa, ab, bb] = [0, 0, 0, 0, 0];
  for (const at of pixels) {
    sumA += a[at]!;
    sumB += b[at]!;
  }
  const [meanA, meanB] = [sumA / pixels.length, sumB / pixels.length];
  for (const at of pixels) {
    aa += (a[at]! - meanA) ** 2;
    ab += (a[at]! - meanA) * (b[at]! - meanB);
    bb += (b[at]! - meanB) ** 2;
  }
  return { aa: aa / pixels.length, ab: ab / pixels.length, bb: bb / pixels.length };
}
