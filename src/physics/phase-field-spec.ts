/** What a phase field is asked for and what it answers. */
import type { Material } from "../model/material.js";
import type { PhaseFieldDrive, RimSpec } from "./phase-field-drive.js";
import type { EnsembleResult } from "./phase-field-ensemble.js";

/** A phase field to be run. */
export interface PhaseFieldSpec extends RimSpec {
  /** 1 for the particle's cells, row by row. */
  readonly mask: ArrayLike<number>;
  readonly width: number;
  readonly height: number;
  /** Side of a cell; at most delta_um, better 0.7 of it. */
  readonly h_um: number;
  readonly material: Material;
  /** Half width of the boundary between the phases: x = middle + half gap tanh(z / delta). Far wider than in nature. */
  readonly delta_um: number;
  readonly drive: PhaseFieldDrive;
  /** Lithium everywhere at the beginning, and the mean at which the run ends. */
  readonly x0: number;
  readonly xStop: number;
  /** When states are wanted: at these times, or every so many seconds. Left out: a hundred on the way. */
  readonly snapshots_s?: ArrayLike<number> | number | undefined;
  /** Ends the run at this time at the latest. */
  readonly until_s?: number | undefined;
  /** Largest change of a cell's lithium in a step; 0.003 where left out. Smaller is slower and nearer. */
  readonly stepChange_x?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A particle at one moment. */
export interface PhaseFieldState {
  readonly t_s: number;
  readonly x_mean: number;
  /** Share of cells beyond the middle of the gap, on the side of xStop. */
  readonly fraction: number;
  readonly potential_V: number;
  /** The same above the plateau, in kT/e. */
  readonly phi: number;
  /** Rate of the mean lithium, signed. */
  readonly x_per_h: number;
  /** Whether the potential is held at a limit. */
  readonly limited: boolean;
  /** Share of the way from x0 to xStop. */
  readonly progress: number;
  /** Lithium of each cell of the mask, NaN outside. */
  readonly x: Float64Array;
}

/** Why a run ended: xStop was passed; the drive's record ended short of it; a held potential brings it no nearer; until_s came. */
export type PhaseFieldEnd = "xStop" | "drive" | "stalled" | "until";

/**
 * What a run leaves. The first six are columns, one entry a step: `t_s` rises throughout, from 0 to the end, and what stands
 * between two entries lies straight between them. Where the drive jumps, one entry stands a hair before the jump.
 */
export interface PhaseFieldResult {
  readonly t_s: Float64Array;
  readonly x_mean: Float64Array;
  readonly fraction: Float64Array;
  readonly potential_V: Float64Array;
  readonly phi: Float64Array;
  readonly x_per_h: Float64Array;
  /** When each cell of the mask passed the middle of the gap, straight in time within a step; NaN outside and where it did not. */
  readonly arrival_s: Float32Array;
  /** Lithium of each cell of the mask at the end, NaN outside. */
  readonly x: Float64Array;
  /** Largest difference between the mean lithium and that which the current brought. */
  readonly massError: number;
  readonly ended: PhaseFieldEnd;
  /** First time at which the potential was held at a limit, null if it never was. */
  readonly limited_s: number | null;
  /** Each particle by itself, where the drive is an ensemble. */
  readonly ensemble: EnsembleResult | null;
}
