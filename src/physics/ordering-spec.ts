/** What an ordering transition is asked for and what it answers. Rasters are those of the mask, row by row. */
import { finite, oneOf, record, within } from "./check.js";
import type { OrderingDrive } from "./ordering-drive.js";
import type { OrderingNucleus, OrderingNucleusSpec } from "./ordering-nuclei.js";
import type { OrderingDomains } from "./ordering-walls.js";

/** What gives walls their directions. */
export type WallSpec =
  | {
      /** The lattice: a wall along one of three rows, 60 degrees apart, is the cheapest. */
      readonly kind: "lattice";
      /** Of one row, from +x towards +y. */
      readonly angle_deg: number;
      /** 0 to 1: at 1, where it is left out, a wall between two rows costs 10 % more than one along a row. */
      readonly strength?: number;
    }
  /** Line tension alone: three walls meet at 120 degrees, in whatever direction. */
  | { readonly kind: "isotropic" }
  /** Walls stay where the fronts met, at whatever angles; drawn nuclei stray so far that no three-fold order is left. */
  | { readonly kind: "pinned" };

/** Throws a ParameterError, its names after `name`, for walls that cannot be. */
export function checkWalls(name: string, walls: WallSpec): void {
  record(name, walls, "Give { kind: lattice, angle_deg: 0 }, { kind: isotropic } or { kind: pinned }");
  oneOf(`${name}.kind`, walls.kind, ["lattice", "isotropic", "pinned"]);
  if (walls.kind !== "lattice") return;
  finite(`${name}.angle_deg`, walls.angle_deg, "Give the lattice's angle in degrees");
  within(`${name}.strength`, walls.strength ?? 1, 0, 1);
}

/** An ordering transition to be run. */
export interface OrderingSpec {
  /** 1 for the particle's cells, row by row. */
  readonly mask: ArrayLike<number>;
  readonly width: number;
  readonly height: number;
  /** Side of a cell; at most delta_um, better half of it. */
  readonly h_um: number;
  /** Half width of fronts and walls, 1/2 (1 - tanh(z / delta)); 0.15 where left out. Far wider than in nature. */
  readonly delta_um?: number;
  /**
   * Of a straight front at an undercooling of 1, whatever the cells; proportional to the undercooling. 0.075 where left out:
   * curvature slows the fronts of a particle of some um to 0.07.
   */
  readonly frontVelocity_um_s?: number;
  readonly drive: OrderingDrive;
  /** End of the run; the end of the drive's record where left out. */
  readonly until_s?: number;
  /**
   * Nuclei of order, or how many to draw about the rim: evenly but for a stray, and where walls follow the lattice from a
   * row of it, the corners of a crystal whose edges are rows; else from anywhere.
   */
  readonly nuclei: number | readonly OrderingNucleusSpec[];
  /** Nuclei of disorder; where left out on two opposite sides of a single domain, or one a domain. */
  readonly disorderNuclei?: readonly OrderingNucleusSpec[];
  /** |undercooling| from which nuclei come; 0.9 where left out. */
  readonly nucleationAt?: number;
  readonly walls: WallSpec;
  /**
   * Velocity of a wall over its curvature. Nothing is known of it; where left out the particle's area over 80 pi s, so that
   * walls straighten while a particle of any size orders, and settle before they leave it.
   */
  readonly wallMobility_um2_s?: number;
  /** Time in which the mobility falls by e once all is ordered; 60 where left out. */
  readonly wallSettling_s?: number;
  readonly seed: number;
  /** When states are wanted: at these times, or every so many seconds. Left out: a hundred on the way. */
  readonly snapshots_s?: ArrayLike<number> | number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A particle at one moment. */
export interface OrderingState {
  readonly t_s: number;
  readonly undercooling: number;
  /** Share of cells more ordered than not. */
  readonly fraction: number;
  /** Share of the run's time. */
  readonly progress: number;
  /** Amounts of the three variants, 0 to 1, NaN outside. Their sum is the order; the products of two are the walls, 1/4 in their middle. */
  readonly order: readonly [Float64Array, Float64Array, Float64Array];
  /** Free energy in units of the barrier between the phases times um^2. */
  readonly energy: number;
}

/** One passage of the drive through equilibrium and what came of it. */
export interface OrderingTransition {
  readonly kind: "ordering" | "disordering";
  /** When the drive passed equilibrium, and when it passed it again or the run ended. */
  readonly start_s: number;
  readonly end_s: number;
  readonly nuclei: readonly OrderingNucleus[];
  /** When each cell first passed half order, straight in time within a step; NaN outside and where it did not. */
  readonly arrival_s: Float32Array;
  /** Number of the nucleus, from 1, whose front passed each cell; 0 where none did. */
  readonly origin: Int32Array;
  /** Whether two fronts met and left no wall: of one variant, or of disorder, be it where a wall had been. */
  readonly collision: boolean;
  /** Domains and walls: after ordering at its end, before disordering at its beginning. */
  readonly domains: OrderingDomains;
}

/** What a run leaves. */
export interface OrderingResult {
  readonly transitions: readonly OrderingTransition[];
  /** The state at the end. */
  readonly last: OrderingState;
  /** Half width of fronts and walls, velocity of a front at an undercooling of 1, kinetic coefficient L of the order. */
  readonly delta_um: number;
  readonly frontVelocity_um_s: number;
  readonly kinetic_per_s: number;
}
