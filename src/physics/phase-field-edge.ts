/** What makes one rim unlike another, by seed: rates that vary along it, and hot spots where the new phase begins. */
import type { Thermodynamics } from "./free-energy.js";
import type { MaskedGrid } from "./masked-grid.js";
import { stream } from "./streams.js";

/** A rim by its seed. */
export interface EdgeSpec {
  readonly seed: number;
  /** Standard deviation of ln k along the rim. */
  readonly lnRate_sd?: number;
  /** Places at which the rim holds the new phase. */
  readonly hotSpots?: number;
  /** Half width of such a place (standard deviation of the straight distance from its middle). */
  readonly hotSpot_um?: number;
  /** Chosen among the sharpest corners, or anywhere along the rim. */
  readonly hotSpotsAt?: "corners" | "anywhere";
  /** Lithiation begins elsewhere in another cycle, delithiation where it did. */
  readonly cycle?: number;
}

/** What an edge has where its specification says nothing. */
export const EDGE_DEFAULTS = { lnRate_sd: 0.3, hotSpots: 1, hotSpot_um: 0.5, hotSpotsAt: "corners" } as const;

const MODES = 6;
/** Within this distance a corner's sharpness is judged. */
const CORNER_um = 1;

/**
 * Factors on the rate constant, one entry a cell of `grid.rim`: exp(sd N), N a smooth random function of the angle seen from
 * the centroid, of six Fourier modes. Over the seeds N has mean 0 and variance 1, so the factors' mean is exp(sd^2 / 2).
 */
export function rateFactors(grid: MaskedGrid, spec: EdgeSpec): Float64Array {
  const sd = spec.lnRate_sd ?? EDGE_DEFAULTS.lnRate_sd;
  const random = stream(spec.seed, "edge rate");
  const waves = Array.from({ length: MODES }, () => [random.normal(), random.normal()] as const);
  const [x0, y0] = centroid(grid);
  return Float64Array.from(grid.rim, (cell) => {
    const angle = Math.atan2(Math.floor(cell / grid.stride) - y0, (cell % grid.stride) - x0);
    let sum = 0;
    for (const [mode, [a, b]] of waves.entries()) {
      sum += a * Math.cos((mode + 1) * angle) + b * Math.sin((mode + 1) * angle);
    }
    return Math.exp((sd * sum) / Math.sqrt(MODES));
  });
}

/**
 * Wetting, one entry a cell of `grid.rim`, n . grad x in 1/um: at the hot spots the rim holds the new phase with the steepest
 * gradient that a boundary of half width delta has, half the gap over delta, falling as a Gaussian of the straight distance;
 * negative on delithiation, zero in a solid solution.
 */
export function hotSpotWetting(
  grid: MaskedGrid,
  thermo: Thermodynamics,
  delta_um: number,
  spec: EdgeSpec,
  direction: "delithiation" | "lithiation",
): Float64Array {
  const wetting = new Float64Array(grid.rim.length);
  if (thermo.gap === null) return wetting;
  const sd_um = spec.hotSpot_um ?? EDGE_DEFAULTS.hotSpot_um;
  const steepest = (thermo.gap.rich_x - thermo.gap.poor_x) / 2 / delta_um;
  const round = direction === "delithiation" ? 0 : 1 + (spec.cycle ?? 0);
  for (const spot of hotSpots(grid, spec, round)) {
    for (const [at, cell] of grid.rim.entries()) {
      const share = Math.exp(-0.5 * (distance_um(grid, cell, grid.rim[spot]!) / sd_um) ** 2);
      wetting[at] = Math.max(wetting[at]!, steepest * share);
    }
  }
  return direction === "delithiation" ? wetting.map((value) => -value) : wetting;
}

/** Entries of the rim chosen as spots: drawn by sharpness or by length, each far from the others where there is room. */
function hotSpots(grid: MaskedGrid, spec: EdgeSpec, round: number): number[] {
  const random = stream(spec.seed, "hot spots", round);
  const count = Math.min(spec.hotSpots ?? EDGE_DEFAULTS.hotSpots, grid.rim.length);
  const byLength = (spec.hotSpotsAt ?? EDGE_DEFAULTS.hotSpotsAt) === "anywhere";
  const weights = byLength ? Float64Array.from(grid.rim_um) : sharpness(grid);
  const spots: number[] = [];
  while (spots.length < count) {
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    if (!(total > 0)) break;
    let left = random.uniform() * total;
    let spot = 0;
    while (spot < weights.length - 1 && left >= weights[spot]!) left -= weights[spot++]!;
    spots.push(spot);
    const apart_um = Math.sqrt(grid.area_um2 / Math.PI) / 2;
    for (const [at, cell] of grid.rim.entries()) {
      if (distance_um(grid, cell, grid.rim[spot]!) < apart_um) weights[at] = 0;
    }
  }
  return spots;
}

/** How sharp the rim is at each of its cells: the share of a disc around it that is outside, beyond one half, to the fourth. */
function sharpness(grid: MaskedGrid): Float64Array {
  const reach = Math.max(2, Math.min(Math.round(CORNER_um / grid.h_um), Math.round(0.3 * Math.sqrt(grid.count))));
  const inside = new Uint8Array(grid.openBelow.length);
  for (const cell of grid.cells) inside[cell] = 1;
  return Float64Array.from(grid.rim, (cell, at) => {
    const row = Math.floor(cell / grid.stride);
    const column = cell % grid.stride;
    let within = 0;
    let all = 0;
    for (let y = -reach; y <= reach; y++) {
      for (let x = -reach; x <= reach; x++) {
        if (x * x + y * y > reach * reach) continue;
        all++;
        const place = cell + y * grid.stride + x;
        if (row + y < 0 || column + x < 0 || column + x >= grid.stride) continue;
        within += inside[place] ?? 0;
      }
    }
    // A straight rim has half, and half its own row of cells more.
    const straight = 0.5 + (reach + 0.5) / all;
    return grid.rim_um[at]! * (1e-4 + Math.max(0, straight - within / all) ** 4);
  });
}

function centroid(grid: MaskedGrid): [number, number] {
  let x = 0;
  let y = 0;
  for (const cell of grid.cells) {
    x += cell % grid.stride;
    y += Math.floor(cell / grid.stride);
  }
  return [x / grid.count, y / grid.count];
}

function distance_um(grid: MaskedGrid, one: number, other: number): number {
  const dy = Math.floor(one / grid.stride) - Math.floor(other / grid.stride);
  const dx = (one % grid.stride) - (other % grid.stride);
  return grid.h_um * Math.hypot(dx, dy);
}
