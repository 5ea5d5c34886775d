/** What the same measurement says of an experiment that was spoiled on purpose. */
import type { Estimate, Mechanism } from "./experiment.js";

/**
 * - "drift-only": the scene of the beginning, moved as the movie drifts, with its lamp and its noise, and nothing else;
 * - "shuffled": the particle's own frames in random order;
 * - "inert-patch": a piece of still ground under the particle's outline;
 * - "outline-in", "outline-out": the outline one pixel smaller and larger;
 * - "half-lag", "double-lag": images compared over half and twice the time.
 */
export type ControlKind =
  "drift-only" | "shuffled" | "inert-patch" | "outline-in" | "outline-out" | "half-lag" | "double-lag";

/** One control of one finding. */
export interface Control {
  readonly kind: ControlKind;
  /** Whether the finding stands against it; null where the control was not possible. */
  readonly holds: boolean | null;
  /** Fronts found in the spoiled particle; null where the control was not possible. */
  readonly fronts: number | null;
  /** The same numbers from the spoiled experiment; null where it has none. */
  readonly velocity_um_s: Estimate | null;
  /** Its change, as a share of the finding's; null for the first three kinds. */
  readonly velocity_change: number | null;
  readonly t50_s: Estimate | null;
  readonly mechanism: Mechanism["kind"] | null;
  /** What was seen, or why it was not possible. */
  readonly because: string;
}

/** All controls of one front, and what they come to. */
export interface ControlledFinding {
  readonly particle: number;
  readonly transition: number;
  /** "stands": every control that was possible holds. "doubtful": one does not. "untested": none was possible. */
  readonly verdict: "stands" | "doubtful" | "untested";
  /** One line. */
  readonly because: string;
  readonly controls: readonly Control[];
}
