/** How the scene turned and stretched beside its drift. */
import type { Estimate } from "./experiment.js";

export interface Motion {
  /** Moments at which it was looked at. */
  readonly time_s: Float64Array;
  /** Against the first frames: turned from +x towards +y, and longer by a share; NaN where too few blocks were seen. */
  readonly rotation_mrad: Float64Array;
  readonly scale: Float64Array;
  /** At the last of them. */
  readonly last: { readonly rotation_mrad: Estimate; readonly scale: Estimate };
  /** Blocks of carrier that were compared. */
  readonly blocks: number;
  /** By how much turn and stretch displace the particle that they displace most, px; not corrected. */
  readonly displaced_px: Estimate;
}
