/** Movies in which nothing transforms, and light moves for another reason: the gap, the focus, the lamp. */
import { gaussianBlur } from "../../src/kernels/filter.js";
import { coverageOfPolygon } from "../../src/kernels/polygon.js";
import { random } from "../../src/kernels/random.js";
import type { Experiment } from "../../src/model/experiment.js";
import { experimentOf } from "../../src/operations/twin.js";
import { twin, type Twin } from "../../src/physics/twin.js";
import type { Scenario } from "../../src/physics/scenario.js";

/** What moves the light. */
export type Disturbance =
  | { readonly kind: "height"; readonly gap_nm: number; readonly tilt_deg: number; readonly azimuth_deg: number }
  | { readonly kind: "focus-ramp" | "refocus"; readonly blur_px: number }
  | { readonly kind: "lamp-step"; readonly factor: number; readonly slope: number };

/** When it begins and how long it takes; a step takes no time. */
export interface Course {
  readonly start_s: number;
  readonly lasts_s: number;
}

/** Half a wavelength of 785 nm in the electrolyte, n = 1.39: a gap that much wider shows the same light. */
const FRINGE_nm = 785 / (2 * 1.39);
/** Swing of the light over a fringe, as a share of its mean: |r| and |s| of a face in the electrolyte, visibility 0.8. */
const SWING = 0.3;
/** Counts of a light of one. */
const LEVEL = 8000;
const BLACK = 100;

/** The twin's scene under a disturbance, through a camera of its own with `noise` a pixel at a light of one. */
export function disturbed(scenario: Scenario, what: Disturbance, course: Course, noise: number): Experiment {
  const made = twin(scenario);
  const { width, height } = made;
  const experiment = experimentOf(made);
  const inside = facesOf(made);
  const light = new Float64Array(width * height);
  return {
    ...experiment,
    blackLevel: { value: BLACK, source: "twin" },
    movie: {
      ...experiment.movie,
      dtype: "uint16",
      read: (index, into) => {
        made.light(index, light);
        const t_s = made.acquisition.time_s[index]!;
        const share = Math.min(1, Math.max(0, (t_s - course.start_s) / Math.max(course.lasts_s, 1e-9)));
        const seen = apply(what, share, light, { made, inside, index });
        const from = random(scenario.seed * 65_537 + index);
        const gain = made.acquisition.gain[index]!;
        for (let at = 0; at < into.length; at++) {
          const one = Math.max(0, seen[at]! * gain);
          into[at] = Math.round(BLACK + LEVEL * (one + noise * Math.sqrt(one) * from.normal()));
        }
        return Promise.resolve();
      },
    },
  };
}

interface Seen {
  readonly made: Twin;
  readonly inside: Float32Array;
  readonly index: number;
}

function apply(what: Disturbance, share: number, light: Float64Array, { made, inside, index }: Seen): Float64Array {
  const { width, height, pixelSize_um } = made;
  switch (what.kind) {
    case "height": {
      // Phase of the gap, from the left upper corner on, falling along the tilt.
      const slope = (2 * Math.PI * 1000 * pixelSize_um * Math.tan((what.tilt_deg * Math.PI) / 180)) / FRINGE_nm;
      const along = [
        Math.cos((what.azimuth_deg * Math.PI) / 180),
        Math.sin((what.azimuth_deg * Math.PI) / 180),
      ] as const;
      const moved = (2 * Math.PI * what.gap_nm * share) / FRINGE_nm;
      const [dx, dy] = [made.acquisition.x_px[index]!, made.acquisition.y_px[index]!];
      const shift = Math.round(dy) * width + Math.round(dx);
      return light.map((one, at) => {
        const face = inside[at - shift] ?? 0;
        if (face === 0) return one;
        const phase =
          slope * ((at % width) * along[0] + Math.floor(at / width) * along[1] - dx * along[0] - dy * along[1]);
        const now = 1 + SWING * Math.cos(phase + moved);
        return one * (1 - face + face * now);
      });
    }
    case "focus-ramp":
    case "refocus": {
      const blur_px = what.blur_px * (what.kind === "refocus" ? (share > 0 ? 1 : 0) : share);
      return blur_px < 0.05 ? light : Float64Array.from(gaussianBlur(light, width, height, blur_px));
    }
    case "lamp-step": {
      if (share === 0) return light;
      return light.map((one, at) => one * what.factor * (1 + what.slope * ((at % width) / width - 0.5)));
    }
  }
}

/** Share of each pixel's light that comes from a crystal's face. */
function facesOf({ crystals, width, height, pixelSize_um, scenario }: Twin): Float32Array {
  const all = new Float32Array(width * height);
  for (const { outline_um } of crystals) {
    const outline = outline_um.map(([x, y]) => [x / pixelSize_um, y / pixelSize_um] as const);
    const covered = coverageOfPolygon(outline, width, height, 4);
    for (let at = 0; at < all.length; at++) all[at] = Math.max(all[at]!, covered[at]!);
  }
  return gaussianBlur(all, width, height, scenario.optics.psf_um / pixelSize_um);
}
