/** A crystal in the field of view. */

/** A particle by its outline: places in px of frame 0, (0, 0) at the centre of the top-left pixel, x right, y down. */
export interface Particle {
  readonly id: number;
  /** Centroid of the outline's area. */
  readonly centre_px: readonly [number, number];
  readonly area_um2: number;
  /** Closed polygon, first point not repeated: the half-height of the blurred edge. */
  readonly outline_px: readonly (readonly [number, number])[];
  /** Where the outline comes from. */
  readonly source: "found" | "drawn";
  /** Whether the outline touches the border of the image or of the region of interest. */
  readonly touchesBorder: boolean;
}

/** An outline as a file holds it, whoever drew it; places as in `Particle`. */
export interface DrawnOutline {
  readonly outline_px: readonly (readonly [number, number])[];
  /** As it is called in the file; null where it has no name. */
  readonly name: string | null;
  /** Frame that it was drawn on, counted from 0; null where the file names none. */
  readonly frame: number | null;
}
