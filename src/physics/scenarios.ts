/** Scenarios by name. */
import type { DriftSpec, LampSpec, MovieSpec } from "./acquisition.js";
import type { CameraSpec } from "./camera.js";
import type { CrystalSpec } from "./crystal.js";
import type { CyclingSpec } from "./cycler.js";
import type { OutlineSpec } from "./outline.js";
import { paperScenarios } from "./paper-scenarios.js";
import type { StageSpec } from "./pace.js";
import type { FrontSpec } from "./prescribed-front.js";
import type { ChangeSpec, LineSpec } from "./reflectivity.js";
import type { Scenario } from "./scenario.js";
import type { OpticsSpec } from "./scene.js";

const movie: MovieSpec = {
  width: 192,
  height: 192,
  pixelSize_um: 0.08,
  frames: 240,
  interval_s: 5,
  exposure_s: 1,
  start: "2020-10-26T12:49:58.000Z",
  dropped: [],
  droppedFraction: 0,
  late_s: 0,
};
const optics: OpticsSpec = { psf_um: 0.118, speckleContrast: 0.3 };
const camera: CameraSpec = {
  noise: 0.01,
  noiseAt: "particle",
  level: 12000,
  blackLevel: 100,
  readNoise: 3,
  bitDepth: 16,
  prnu: 0,
  vignette: 0,
};
/** About 1 um from the first frame to the last. */
const drift: DriftSpec = { linear_um: [0.8, -0.6], walk_um: 0.06, wobble_um: 0.03, wobblePeriod_s: 420 };
const lamp: LampSpec = { flicker: 0.01, fading: 0 };
const line: LineSpec = { height: 0.06, width_um: 0.118 };

/** The crystal of the paper's Figs 2 to 5, about 9.6 x 6.8 um, in the middle of the field. */
const paperOutline: OutlineSpec = { kind: "ellipse", centre_um: [7.64, 7.64], radii_um: [4.8, 3.4], angle_deg: 20 };

function crystal(outline: OutlineSpec, changes: readonly ChangeSpec[], brightness = 3): CrystalSpec {
  return { outline, brightness, texture: 0.03, textureScale_um: 0.5, changes };
}

function brightening(front: FrontSpec, to = 1.15): ChangeSpec {
  return { kind: "front", transition: "biphasic", direction: "delithiation", front, to, line };
}

function darkening(front: FrontSpec, to = 1): ChangeSpec {
  return { kind: "front", transition: "biphasic", direction: "lithiation", front, to, line };
}

function inward(
  start_s: number,
  velocity_um_s: FrontSpec["velocity_um_s"],
  stages: readonly StageSpec[] = [],
): FrontSpec {
  return { kind: "inward", start_s, velocity_um_s, stages };
}

function fromRim(start_s: number, velocity_um_s: number, ...rim_deg: number[]): FrontSpec {
  const nuclei = rim_deg.map((angle) => ({ rim_deg: angle, delay_s: 0 }));
  return { kind: "radial", nuclei, start_s, velocity_um_s, stages: [] };
}

function across(start_s: number, velocity_um_s: number, angle_deg: number): FrontSpec {
  return { kind: "plane", angle_deg, start_s, velocity_um_s, stages: [] };
}

/** One cycle at 2C between 3.0 and 4.3 V; the record begins a minute before the movie, the charge half a minute into it. */
const cycling: CyclingSpec = {
  before_s: 60,
  interval_s: 1,
  active_mass_mg: 0.812,
  nominal_mAh_g: 155,
  x0: 0.9645,
  overpotential_V: 0.045,
  noise_V: 2e-5,
  programme: [
    { kind: "rest", lasts_s: 90 },
    { kind: "charge", rate_C: 2, until_V: 4.3, lasts_s: 3600 },
    { kind: "discharge", rate_C: 2, until_V: 3, lasts_s: 3600 },
    { kind: "rest", lasts_s: 60 },
  ],
};

/** The first part of the same charge, as long as the short movies last. */
const charging: CyclingSpec = {
  ...cycling,
  programme: [
    { kind: "rest", lasts_s: 90 },
    { kind: "charge", rate_C: 2, until_V: 4.3, lasts_s: 1140 },
  ],
};

function scenario(
  summary: string,
  seed: number,
  particles: readonly CrystalSpec[],
  given: Partial<Scenario> = {},
): Scenario {
  return { summary, seed, movie, optics, camera, drift, lamp, particles, cycling: charging, ...given };
}

/**
 * The paper's 2C cycle in one crystal: on charge a tenth of it turns at the edge, little moves for some minutes, then a ring
 * shrinks ever faster; the solid solution brightens evenly to 1.6; on discharge a wave enters at the top right.
 */
const paperChanges: readonly ChangeSpec[] = [
  brightening(
    inward(
      210,
      [0.008, 0.037],
      [
        { until: 0.1, lasts_s: 78 },
        { until: 0.14, lasts_s: 180 },
        { until: 1, lasts_s: null },
      ],
    ),
  ),
  { kind: "ramp", start_s: 750, end_s: 1530, to: 1.6 },
  { kind: "ramp", start_s: 1530, end_s: 2340, to: 1.15 },
  darkening(fromRim(2370, 0.02, 300)),
];

function ordering(front: FrontSpec, to: number, direction: "delithiation" | "lithiation"): ChangeSpec {
  return {
    kind: "front",
    transition: "ordering",
    direction,
    front,
    to,
    line: { height: 0.01, width_um: 0.118 },
  };
}

/** The scenarios that come with ionoscope. */
export const scenarios: Readonly<Record<string, Scenario>> = {
  "paper-cycle": scenario(
    "A 2C cycle as in the paper: a shrinking core on charge, a wave on discharge, with the cycler's record.",
    4,
    [crystal(paperOutline, paperChanges)],
    { movie: { ...movie, frames: 620 }, cycling },
  ),
  "paper-cycle-ordering": scenario(
    "The same cycle with the short ordering transitions near Li0.5, fronts of 70 nm/s.",
    4,
    [
      crystal(paperOutline, [
        paperChanges[0]!,
        { kind: "ramp", start_s: 750, end_s: 1400, to: 1.54 },
        ordering(across(1410, 0.07, 60), 1.57, "delithiation"),
        { kind: "ramp", start_s: 1520, end_s: 1530, to: 1.6 },
        { kind: "ramp", start_s: 1530, end_s: 1640, to: 1.57 },
        ordering(across(1650, 0.07, 240), 1.54, "lithiation"),
        { kind: "ramp", start_s: 1770, end_s: 2340, to: 1.15 },
        paperChanges[3]!,
      ]),
    ],
    { movie: { ...movie, frames: 620 }, cycling },
  ),
  plane: scenario("A straight front of 20 nm/s across one crystal.", 1, [
    crystal(paperOutline, [brightening(across(300, 0.02, 30))]),
  ]),
  core: scenario("A ring that shrinks from the outline, 14 nm/s at the edge and 37 nm/s in the middle.", 2, [
    crystal(paperOutline, [brightening(inward(300, [0.014, 0.037]))]),
  ]),
  inert: scenario("A crystal that does nothing, in a scene that drifts and a lamp that flickers.", 3, [
    crystal(paperOutline, []),
  ]),
  "wave-from-corner": scenario("A wave of 20 nm/s from one corner of a hexagonal crystal.", 5, [
    crystal({ kind: "hexagon", centre_um: [7.64, 7.64], radius_um: 4.2, angle_deg: 10, corner_um: 0.5 }, [
      brightening(fromRim(300, 0.02, 310)),
    ]),
  ]),
  hybrid: scenario("Two waves of 20 nm/s from two corners, that meet in a line.", 6, [
    crystal({ kind: "hexagon", centre_um: [7.64, 7.64], radius_um: 4.2, angle_deg: 10, corner_um: 0.5 }, [
      brightening({
        kind: "radial",
        nuclei: [
          { rim_deg: 70, delay_s: 0 },
          { rim_deg: 190, delay_s: 40 },
        ],
        start_s: 300,
        velocity_um_s: 0.02,
        stages: [],
      }),
    ]),
  ]),
  many: scenario(
    "Six crystals of 3 to 6 um in one field, one of them inert, each with its own front and time.",
    7,
    [
      crystal({ kind: "crystal", centre_um: [5, 5], radius_um: 3, corners: 6, seed: 1 }, [
        brightening(inward(200, [0.014, 0.037])),
      ]),
      crystal(
        { kind: "ellipse", centre_um: [13, 4.6], radii_um: [2.4, 1.7], angle_deg: -30 },
        [brightening(across(260, 0.02, 150), 1.2)],
        2.5,
      ),
      crystal({ kind: "hexagon", centre_um: [20.4, 5.6], radius_um: 2.6, angle_deg: 0, corner_um: 0.3 }, []),
      crystal(
        { kind: "crystal", centre_um: [5.4, 19.2], radius_um: 2.8, corners: 7, seed: 2 },
        [brightening(fromRim(320, 0.025, 200), 1.12)],
        3.5,
      ),
      crystal({ kind: "ellipse", centre_um: [13.2, 13.2], radii_um: [2.9, 2.1], angle_deg: 60 }, [
        brightening(fromRim(180, 0.015, 10, 190)),
      ]),
      crystal(
        { kind: "crystal", centre_um: [20, 18.6], radius_um: 2.7, corners: 5, seed: 3 },
        [brightening(inward(380, [0.01, 0.02]), 1.18)],
        2.8,
      ),
    ],
    { movie: { ...movie, width: 320, height: 320, frames: 180 } },
  ),
  "dropped-frames": scenario(
    "A wave filmed with one frame in twenty dropped, a gap of a minute, and frames that come late.",
    8,
    [crystal(paperOutline, [brightening(fromRim(300, 0.02, 45))])],
    {
      movie: {
        ...movie,
        dropped: [90, 91, 92, 93, 94, 95, 96, 97, 98, 99, 100, 101],
        droppedFraction: 0.05,
        late_s: 1.5,
      },
    },
  ),
  ...paperScenarios,
};

/** The scenario that shows what ionoscope does. */
export const standardScenario = "paper-cycle";
