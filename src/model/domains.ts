/** What the ordering of lithium left in a particle: domains of one variant each, and the walls between them. */
import type { Estimate } from "./experiment.js";

/** A bright sharp line in the total contrast between two domains. Places in px of frame 0. */
export interface DomainWall {
  /** Numbers of the two domains in the map of domains. */
  readonly between: readonly [number, number];
  /**
   * Direction just off the meeting point, away from it, from +x towards +y, 0 to 360; of a wall from rim to rim its
   * direction, 0 to 180. Null for a wall too short to have one.
   */
  readonly angle_deg: Estimate | null;
  /** Number of the meeting point that it comes from; null for a wall from rim to rim. */
  readonly meeting: number | null;
  /** From the meeting point, where it has one, to its other end. */
  readonly line_px: readonly (readonly [number, number])[];
  readonly length_um: number;
  /** On its crest, beside what the order itself changes: share of the light before; positive where it is bright while ordered. */
  readonly contrast: Estimate;
  /** Standard deviation of its profile as it is seen. */
  readonly width_um: number;
}

/** Where three walls meet, px of frame 0. */
export interface WallMeeting {
  readonly x_px: Estimate;
  readonly y_px: Estimate;
}

/** How two total contrasts of one particle agree, mean and the microscope's part taken out. */
export interface DomainAgreement {
  readonly transition: number;
  /**
   * Correlation of what the two show, noise taken out by its measured size: 1 where domains and walls are the same. Of a
   * transition and one of the other direction, with the sign turned. Null where either shows nothing but noise.
   */
  readonly correlation: Estimate | null;
  /** Walls of one against the other, degrees modulo 60; null where either has none. */
  readonly turned_deg: Estimate | null;
}

/** Domains after ordering, or before disordering, of one transition of one particle. */
export interface Domains {
  readonly particle: number;
  readonly transition: number;
  /** 1 where order made one domain; null where it cannot be told, `because` says why. */
  readonly count: number | null;
  /** Of the walls that have one, with their standard errors. */
  readonly wall_angles_deg: readonly number[];
  readonly wall_angles_sd_deg: readonly number[];
  readonly walls: readonly DomainWall[];
  readonly meetings: readonly WallMeeting[];
  /**
   * |<exp(6 i theta)>| over the ridges' directions, weighted by their strength squared; along the walls where there are any.
   * p: chance of as much, be it from an image with the same power at each scale and no walls, or from as many walls in
   * directions of their own; the greater of the two. Null where nothing was measured.
   */
  readonly threefold: { readonly value: number | null; readonly p: number | null };
  /** Chance that an image with the same power at each scale has a crest as high as the lowest wall's; null without a wall. */
  readonly wall_p: number | null;
  /** Whether fronts met and left no wall; null where no front was followed. */
  readonly collision: boolean | null;
  /** Change of the mean light beside its course before and after, as a share: what order adds or takes. */
  readonly step: Estimate | null;
  /** Contrast of a sharp wall that would have been found in 19 of 20; null where nothing was measured. */
  readonly faintest_wall: number | null;
  /** Direction of the walls modulo 60 degrees, -30 to 30; null without walls. */
  readonly axis_deg: Estimate | null;
  /** Outline's straight edges: their direction modulo 60, and the walls' direction against it, -30 to 30; null where they share none. */
  readonly facets: { readonly axis_deg: Estimate; readonly walls_deg: Estimate | null } | null;
  /** How far the light came back: against the transition of the other direction that follows, or came before; null without one. */
  readonly reversibility: DomainAgreement | null;
  /** Against transitions of the same direction in other half cycles. */
  readonly repeats: readonly DomainAgreement[];
  readonly because: string;
  /** Where the maps lie in frame 0, and their size. */
  readonly origin_px: readonly [number, number];
  readonly width: number;
  readonly height: number;
  /** Total contrast, freed of what drift and defocus made; NaN outside the outline and where no light is known. */
  readonly contrast: Float32Array;
  /** Standard error of the contrast of one pixel, from frame to frame. */
  readonly noise: number | null;
  /** Strength of the ridges; NaN where none is sought. */
  readonly ridge: Float32Array;
  /** Number of each pixel's domain from 1; 0 outside. */
  readonly domain: Int32Array;
}
