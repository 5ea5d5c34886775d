/**
 * The calibrated light law of a crystal's face: i = 1 before, another level after each change.
 *
 * Metallisation makes LiCoO2 brighter as lithium leaves; how much is a parameter, not a prediction: about 1.10 to 1.25
 * across the biphasic transition, then linear in the solid solution up to 1.6 (Merryweather et al. 2021, Fig. 2a).
 * The boundary itself scatters: a line on top of the step.
 */
import { windowedGaussian } from "./gaussian.js";
import type { Phases } from "./pace.js";
import type { FrontSpec } from "./prescribed-front.js";

/** Light of the boundary itself, beside that of the two phases. */
export interface LineSpec {
  /** At its crest, in units of the crystal's light before; may be negative. */
  readonly height: number;
  /** Standard deviation across the boundary. */
  readonly width_um: number;
}

/** A change of a crystal's light: with a boundary that passes, or evenly all over. Levels are ratios to the light before all. */
export type ChangeSpec =
  | {
      readonly kind: "front";
      readonly transition: "biphasic" | "ordering";
      readonly direction: "delithiation" | "lithiation";
      readonly front: FrontSpec;
      /** Level behind the front. */
      readonly to: number;
      readonly line: LineSpec;
    }
  | { readonly kind: "ramp"; readonly start_s: number; readonly end_s: number; readonly to: number };

/** Mean over an exposure of a ramp that rises from 0 at `start_s` to 1 at `end_s`; a step where they are the same. */
export function rampShare(start_s: number, end_s: number, from_s: number, to_s: number): number {
  if (to_s <= from_s) {
    if (end_s <= start_s) return from_s >= start_s ? 1 : 0;
    return Math.min(1, Math.max(0, (from_s - start_s) / (end_s - start_s)));
  }
  // Integral of the ramp up to t: 0, a parabola, a straight line.
  const integral = (t: number): number => {
    if (t <= start_s) return 0;
    if (t >= end_s) return t - (start_s + end_s) / 2;
    return (t - start_s) ** 2 / (2 * (end_s - start_s));
  };
  return (integral(to_s) - integral(from_s)) / (to_s - from_s);
}

/**
 * Share of a small square cell that lies behind a straight front, in the mean over an exposure: a step seen through
 * three windows, the cell's width along x and along y and the exposure, all in seconds of the front's own clock.
 *
 *     sum over the eight corners of (+-)(lead +- a/2 +- b/2 +- c/2)_+^3 / (6 a b c)
 *
 * `lead_s`: how long ago the front passed the cell's centre, in the middle of the exposure.
 */
export function shareBehind(lead_s: number, a_s: number, b_s: number, c_s: number): number {
  const widest = Math.max(a_s, b_s, c_s);
  if (widest === 0) return lead_s > 0 ? 1 : lead_s < 0 ? 0 : 0.5;
  // Windows far narrower than the widest are widened a little: the formula divides by each.
  const a = Math.max(a_s, 1e-3 * widest) / 2;
  const b = Math.max(b_s, 1e-3 * widest) / 2;
  const c = Math.max(c_s, 1e-3 * widest) / 2;
  if (lead_s >= a + b + c) return 1;
  if (lead_s <= -a - b - c) return 0;
  const sum =
    cube(lead_s + a + b + c) -
    cube(lead_s - a + b + c) -
    cube(lead_s + a - b + c) -
    cube(lead_s + a + b - c) +
    cube(lead_s - a - b + c) +
    cube(lead_s - a + b - c) +
    cube(lead_s + a - b - c) -
    cube(lead_s - a - b - c);
  return sum / (48 * a * b * c);
}

function cube(value: number): number {
  return value > 0 ? value * value * value : 0;
}

/** A cell as a front sees it. */
export interface FrontCell {
  /** When the front passes its centre, on the front's own clock. */
  readonly phase_s: number;
  /** Time that the front needs along the cell's width, and along its height. */
  readonly alongX_s: number;
  readonly alongY_s: number;
  readonly speed_um_s: number;
}

/**
 * Light that a front adds to a cell in the mean over an exposure, in units of the light before: `step` behind it, and
 * its own line height * exp(-d^2 / 2 width^2), d the distance from the boundary. `line.width_um` is that of the line
 * already averaged over the cell.
 */
export function frontLight(cell: FrontCell, exposure: readonly Phases[], step: number, line: LineSpec): number {
  let light = 0;
  for (const { from_s, to_s, weight } of exposure) {
    const lead_s = (from_s + to_s) / 2 - cell.phase_s;
    const c_s = to_s - from_s;
    light += weight * step * shareBehind(lead_s, cell.alongX_s, cell.alongY_s, c_s);
    const d_um = lead_s * cell.speed_um_s;
    const reach_um = 5 * line.width_um + 0.5 * c_s * cell.speed_um_s;
    if (line.height !== 0 && Math.abs(d_um) < reach_um) {
      light += weight * line.height * windowedGaussian(d_um, c_s * cell.speed_um_s, line.width_um);
    }
  }
  return light;
}
