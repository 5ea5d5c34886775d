/** What repeats: paths of one particle from cycle to cycle, and how much numbers differ within and between particles. */
import type { Estimate, Transition } from "./experiment.js";

/** How alike two paths of one particle are, in transitions of one kind and direction. */
export interface Repeat {
  readonly particle: number;
  readonly transition: number;
  /** The later one. */
  readonly other: number;
  readonly kind: Transition["kind"];
  readonly direction: Transition["direction"];
  /** Rank correlation of the arrivals of the places that both passed; null where too few did. */
  readonly likeness: Estimate | null;
  /** The same with the second map turned by some angle or mirrored, the median: what the particle's shape alone gives. */
  readonly byShape: number | null;
  /** Share of the turned maps that are as like within two standard errors, or 0.05: near 1 for two cores in a round crystal. */
  readonly p: number | null;
}

/** How a number differs over the fronts of one kind and direction. */
export interface Spread {
  readonly kind: Transition["kind"];
  readonly direction: Transition["direction"];
  readonly quantity: "velocity_um_s" | "c_rate_max" | "duration_s";
  readonly particles: number;
  readonly fronts: number;
  /** Standard deviation over cycles of one particle, pooled over particles; null where none has two. */
  readonly within: number | null;
  /** Standard deviation over the particles' means; null for one particle. */
  readonly between: number | null;
}
