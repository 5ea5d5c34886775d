/**
 * Scenarios named after the figures of Merryweather et al., Nature 594, 522 (2021): lithium moved by a phase field, seen by
 * an interferometric microscope.
 *
 * One value of 1C throughout: 155 mAh/g, 0.566 lithium per site and hour, and x0 = 0.955 for the electrode.
 */
import type { DriftSpec, LampSpec, MovieSpec } from "./acquisition.js";
import type { CameraSpec } from "./camera.js";
import type { CyclingSpec } from "./cycler.js";
import type { ElectrodeSpec } from "./electrode.js";
import type { OutlineSpec } from "./outline.js";
import type { EdgeSpec } from "./phase-field-edge.js";
import type { Series } from "./phase-field-drive.js";
import type {
  LithiumWaySpec,
  ParticleOrderingSpec,
  PhaseFieldCrystalSpec,
  PhaseFieldOpticsSpec,
  PhaseFieldSceneSpec,
} from "./phase-field-twin-spec.js";
import type { Scenario } from "./scenario.js";
import type { OpticsSpec } from "./scene.js";

/** Lithium per site and hour of 1C. */
const C = 155 / 273.84;

const movie: MovieSpec = {
  width: 176,
  height: 144,
  pixelSize_um: 0.08,
  frames: 140,
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
  prnu: 0.005,
  vignette: 0.05,
};
const drift: DriftSpec = { linear_um: [0.5, -0.3], walk_um: 0.05, wobble_um: 0.02, wobblePeriod_s: 420 };
const lamp: LampSpec = { flicker: 0.005, fading: 0 };

const microscope: PhaseFieldOpticsSpec = {
  wavelength_um: 0.785,
  na: 1.4,
  visibility: 0.8,
  imaging: "incoherent",
  reflectance: 0.053,
  carbon: 1 / 3,
  swelling: 0,
  boundary: null,
  order: 0.03,
  wall: 0.06,
  focus: { start_um: 0, linear_um: 0, walk_um: 0.02, breathing_um: 0.02, breathingPeriod_s: 600 },
  burst: 16,
};

/** The crystal of Figs 2, 3 and 5: 9.6 x 6.8 um, an irregular hexagon. */
const firstOutline: OutlineSpec = {
  kind: "polygon",
  points_um: [
    [2.4, 6.3],
    [4.2, 3.0],
    [8.6, 2.3],
    [11.9, 4.4],
    [11.2, 7.6],
    [6.6, 9.1],
  ],
  corner_um: 0.6,
};

const rim: EdgeSpec = { seed: 4, lnRate_sd: 0.15, hotSpots: 2, hotSpot_um: 0.5, hotSpotsAt: "corners" };

const particle: PhaseFieldCrystalSpec = {
  outline: firstOutline,
  edge: rim,
  lithiationSpots: 1,
  exchange_A_m2: null,
  x0: 0.97,
  drive: { kind: "none" },
  ordering: null,
  gap_fringes: 1.25,
  tilt_deg: [0, 0],
  roughness_nm: 3,
  thickness_um: 4,
};

const scene: PhaseFieldSceneSpec = {
  material: "lco-measured",
  // A full rim shuts itself: the paper's reason for waves on lithiation. At 6C the rim stays poor until the wave comes only
  // where lithium leaves it as fast as with 2 um2/s; with 1 every other wave leaves a core behind.
  transport: { rateLaw: "excluded-site", poor_um2_s: 2 },
  h_um: 0.15,
  delta_um: 0.2,
  particles: [],
  electrode: null,
  microscope,
};

/** A 2C charge or discharge of the cell as long as the short movies last; it begins before them. */
function cyclingOf(kind: "charge" | "discharge", before_s: number, x0: number, lasts_s: number): CyclingSpec {
  return {
    before_s,
    interval_s: 1,
    active_mass_mg: 0.812,
    nominal_mAh_g: 155,
    x0,
    overpotential_V: 0.045,
    noise_V: 2e-5,
    programme: [
      { kind: "rest", lasts_s: 60 },
      { kind, rate_C: 2, until_V: kind === "charge" ? 4.3 : 3, lasts_s },
    ],
  };
}

function scenario(summary: string, seed: number, phaseField: PhaseFieldSceneSpec, given: Partial<Scenario>): Scenario {
  return { summary, seed, movie, optics, camera, drift, lamp, particles: [], cycling: null, ...given, phaseField };
}

/** Fig. 3c: near 2C until a tenth has turned, little for three minutes, then from 2C ever faster to 10C within two more. */
const fig3Charge: Series = [
  [0, 2 * C],
  [100, 2 * C],
  [100, 0.3 * C],
  [280, 0.3 * C],
  [280, 2 * C],
  [400, 10 * C],
];

/** Fig. 3d: 2C to 4C and back, once a minute and a half. */
const fig3Discharge: Series = Array.from({ length: 60 }, (_, at): readonly [number, number] => {
  return [10 * at, (3 - Math.cos((2 * Math.PI * at) / 9)) * C];
});

/**
 * The electrode behind one potential: twelve particles on coarse cells. Their exchange currents spread by a factor of eight
 * either way, so that its plateau slopes as a cell's does, near 4.0 V on charge and 3.8 V on discharge at 2C. 1C loses 15 mV
 * on its way through the electrode to the window, where the movies are taken: that is why a particle seen there lags the
 * more the higher the rate, and turns late, when the potential has risen and the others no longer take the current.
 */
const electrode: ElectrodeSpec = {
  seed: 5,
  particles: 12,
  radii_um: [1.8, 4.2],
  lnExchange_sd: 1.2,
  contact_ohm_m2: 0,
  window_V: 0.015,
  h_um: 0.36,
  delta_um: 0.5,
};

/** Exchange current of a particle that is watched, A/m2: clean, single and well wetted, 3.7 by Torchio et al. (2016). */
const WATCHED_A_m2 = 3.7;

/** The particle of Fig. 4. */
const secondOutline: OutlineSpec = {
  kind: "polygon",
  points_um: [
    [2.3, 4.9],
    [3.6, 2.4],
    [6.6, 2.1],
    [8.6, 4.2],
    [8.0, 6.6],
    [4.4, 7.4],
  ],
  corner_um: 0.5,
};

/** Charges and discharges at rates one after the other; the record begins with the movie. */
function ratesOf(rates_C: readonly number[], rest_s: number): CyclingSpec {
  return {
    ...cyclingOf("charge", 0, 0.955, 1),
    overpotential_V: 0.01,
    programme: [
      { kind: "rest", lasts_s: rest_s },
      ...rates_C.flatMap((rate_C): CyclingSpec["programme"] => [
        { kind: "charge", rate_C, until_V: 4.3, lasts_s: 8000 / rate_C },
        { kind: "discharge", rate_C, until_V: 3, lasts_s: 8000 / rate_C },
      ]),
      { kind: "rest", lasts_s: rest_s },
    ],
  };
}

/**
 * Light of the boundary in steps between the phases: from 3 on the particle's mean light has a peak within the transition at
 * C/2, as in Fig. 4a; a boundary of 0.4, as elsewhere, lifts it by half a per cent and makes none.
 */
const BRIGHT_BOUNDARY = 4;

function ratesScenario(
  rates_C: readonly number[],
  seed: number,
  frames: number,
  interval_s: number,
  boundary: number | null = null,
): Scenario {
  const rates = rates_C.map((rate) => (rate < 1 ? `C/${1 / rate}` : `${rate}C`)).join(", ");
  return scenario(
    `Fig. 4: a second particle through a cycle at ${rates}, driven by the potential of an electrode of twelve.`,
    seed,
    {
      ...scene,
      microscope: { ...microscope, boundary },
      electrode,
      particles: [
        {
          ...particle,
          outline: secondOutline,
          x0: 0.955,
          exchange_A_m2: WATCHED_A_m2,
          edge: { ...rim, seed: 9 },
          drive: { kind: "electrode" },
        },
      ],
    },
    {
      movie: { ...movie, width: 136, height: 120, frames, interval_s, exposure_s: Math.min(1, interval_s / 4) },
      cycling: ratesOf(rates_C, 60),
    },
  );
}

/**
 * Order comes below 0.502, after 24 min of 2C, and goes above 0.547, five minutes after the turn (the paper: 23 and three).
 * Nuclei wait for 0.8 of the full undercooling, so that fronts keep near their velocity while lithium moves on.
 */
const ordering: ParticleOrderingSpec = {
  nuclei: 3,
  walls: { kind: "lattice", angle_deg: 20 },
  seed: 3,
  window_x: [0.43, 0.53],
  nucleationAt: 0.8,
  frontVelocity_um_s: 0.075,
};

/** Fig. 5: the turn of a 2C cycle, from x = 0.58 to 0.46 and back, in which order comes and goes. */
function domainsScenario(summary: string, seed: number, given: ParticleOrderingSpec): Scenario {
  const lasts_s = (3600 * 0.12) / (2 * C);
  return scenario(
    summary,
    seed,
    {
      ...scene,
      particles: [
        {
          ...particle,
          x0: 0.58,
          ordering: given,
          drive: {
            kind: "current",
            ways: [
              { direction: "delithiation", start_s: 40, x0: 0.58, until_x: 0.46, x_per_h: [[0, 2 * C]], cycle: 0 },
              {
                direction: "lithiation",
                start_s: 40 + lasts_s,
                x0: 0.46,
                until_x: 0.58,
                x_per_h: [[0, 2 * C]],
                cycle: 0,
              },
            ],
          },
        },
      ],
    },
    {
      movie: { ...movie, frames: 170 },
      cycling: {
        ...cyclingOf("charge", 60, 0.58, 1),
        programme: [
          { kind: "rest", lasts_s: 100 },
          { kind: "charge", rate_C: 2, until_V: 4.5, lasts_s },
          { kind: "discharge", rate_C: 2, until_V: 3, lasts_s },
          { kind: "rest", lasts_s: 40 },
        ],
      },
    },
  );
}

/** Lithium between 0.74 and 0.46 at 2C, out and in again: below the gap, one phase. */
const EVEN_s = (3600 * 0.28) / (2 * C);
const evenWays: readonly LithiumWaySpec[] = [
  { direction: "delithiation", start_s: 60, x0: 0.74, until_x: 0.46, x_per_h: [[0, 2 * C]], cycle: 0 },
  { direction: "lithiation", start_s: 60 + EVEN_s, x0: 0.46, until_x: 0.74, x_per_h: [[0, 2 * C]], cycle: 0 },
];

/** Forty particles, five rows of eight, of 3.6 to 5.4 um; three have no contact. */
function crowd(): PhaseFieldCrystalSpec[] {
  return Array.from({ length: 40 }, (_, at) => {
    // A number without pattern between 0 and 1, another for each `turn`.
    const chance = (turn: number): number => (((at + 1) * 0.7548776662466927 + turn * 0.5698402909980532) * 7.13) % 1;
    return {
      ...particle,
      outline: {
        kind: "crystal",
        centre_um: [3.3 + 5.9 * (at % 8) + 0.4 * chance(1), 3.3 + 5.9 * Math.floor(at / 8) + 0.4 * chance(2)],
        radius_um: 1.8 + 0.9 * chance(3),
        corners: 6,
        seed: 100 + at,
      },
      edge: { ...rim, seed: 200 + at },
      exchange_A_m2: Math.exp(1.6 * (chance(4) - 0.4)),
      x0: 0.955,
      drive: [7, 18, 31].includes(at) ? { kind: "none" } : { kind: "electrode" },
    };
  });
}

/** The scenarios by name. */
export const paperScenarios: Readonly<Record<string, Scenario>> = {
  "fig3-delithiation": scenario(
    "Fig. 3a, c: a core shrinks in a crystal of 9.6 x 6.8 um, its current that of the paper: 2C, a lag, then 10C.",
    31,
    {
      ...scene,
      particles: [
        {
          ...particle,
          drive: {
            kind: "current",
            ways: [{ direction: "delithiation", start_s: 60, x0: 0.97, until_x: 0.7, x_per_h: fig3Charge, cycle: 0 }],
          },
        },
      ],
    },
    { cycling: cyclingOf("charge", 120, 0.955, 780) },
  ),
  "fig3-lithiation": scenario(
    "Fig. 3b, d: a wave runs through the same crystal from one corner, its current swinging between 2C and 4C.",
    32,
    {
      ...scene,
      particles: [
        {
          ...particle,
          x0: 0.72,
          drive: {
            kind: "current",
            ways: [{ direction: "lithiation", start_s: 60, x0: 0.72, until_x: 0.98, x_per_h: fig3Discharge, cycle: 1 }],
          },
        },
      ],
    },
    { cycling: cyclingOf("discharge", 120, 0.72, 780) },
  ),
  "fig2-2C-five-cycles": scenario(
    "Fig. 2: five cycles at 2C of a crystal of 9.6 x 6.8 um, with the two-phase and the ordering transition.",
    21,
    {
      ...scene,
      h_um: 0.2,
      delta_um: 0.26,
      electrode,
      particles: [
        {
          ...particle,
          edge: { ...rim, hotSpots: 3 },
          x0: 0.955,
          exchange_A_m2: WATCHED_A_m2,
          ordering,
          drive: { kind: "electrode" },
        },
      ],
    },
    {
      movie: { ...movie, frames: 2060, interval_s: 8 },
      cycling: ratesOf([2, 2, 2, 2, 2], 60),
    },
  ),
  "fig5-one-domain": domainsScenario(
    "Fig. 5a: order begins in one place near x = 1/2 and fills the crystal as one domain, and goes again.",
    51,
    { ...ordering, nuclei: 1 },
  ),
  "fig5-three-domains": domainsScenario(
    "Fig. 5b: order begins in three places, and its domains meet in bright walls about 120 degrees apart.",
    52,
    ordering,
  ),
  "fig5-null-junctions": domainsScenario(
    "A null of Fig. 5b: walls stay where the fronts of three stray nuclei met, and their junction has no three-fold order.",
    53,
    { ...ordering, walls: { kind: "pinned" } },
  ),
  "fig5-null-isotropic": domainsScenario(
    "A null of Fig. 5b: walls meet at 120 degrees by their tension alone and know no direction of the lattice.",
    54,
    { ...ordering, walls: { kind: "isotropic" } },
  ),
  "height-leak": scenario(
    "No front: lithium leaves a solid solution evenly and comes back; the face swells, tilted, and a fringe slides over it.",
    71,
    {
      ...scene,
      microscope: { ...microscope, swelling: 1 },
      particles: [
        {
          ...particle,
          x0: 0.74,
          gap_fringes: 1.82,
          tilt_deg: [0.5, 0.1],
          thickness_um: 5,
          drive: { kind: "current", ways: evenWays },
        },
      ],
    },
    {
      movie: { ...movie, frames: 200, interval_s: 10 },
      cycling: {
        ...cyclingOf("charge", 60, 0.74, 1),
        programme: [
          { kind: "rest", lasts_s: 120 },
          { kind: "charge", rate_C: 2, until_V: 4.5, lasts_s: EVEN_s },
          { kind: "discharge", rate_C: 2, until_V: 3, lasts_s: EVEN_s },
          { kind: "rest", lasts_s: 100 },
        ],
      },
    },
  ),
  "height-leak-wave": scenario(
    "The wave of Fig. 3b on a face that swells, tilted: the front is real, and a fringe lies over its light.",
    72,
    {
      ...scene,
      microscope: { ...microscope, swelling: 1 },
      particles: [
        {
          ...particle,
          x0: 0.72,
          tilt_deg: [0.3, 0.1],
          drive: {
            kind: "current",
            ways: [{ direction: "lithiation", start_s: 60, x0: 0.72, until_x: 0.98, x_per_h: fig3Discharge, cycle: 1 }],
          },
        },
      ],
    },
    { cycling: cyclingOf("discharge", 120, 0.72, 780) },
  ),
  "many-particles": scenario(
    "Forty particles in one field under one potential through a 2C charge, three of them without contact.",
    61,
    { ...scene, h_um: 0.2, delta_um: 0.26, electrode, particles: crowd() },
    {
      movie: { ...movie, width: 490, height: 316, pixelSize_um: 0.1, frames: 140, interval_s: 7 },
      optics: { ...optics, psf_um: 0.14 },
      cycling: {
        ...ratesOf([2], 60),
        programme: [
          { kind: "rest", lasts_s: 60 },
          { kind: "charge", rate_C: 2, until_V: 4.3, lasts_s: 920 },
        ],
      },
    },
  ),
  "fig4-rates": ratesScenario([0.5, 1, 2, 4, 6], 41, 2600, 10),
  "fig4-half": ratesScenario([0.5], 42, 460, 30),
  "fig4-half-bright": {
    ...ratesScenario([0.5], 42, 460, 30, BRIGHT_BOUNDARY),
    summary:
      "Fig. 4a: the same cycle at C/2 with a boundary so bright that the particle's mean light peaks as it passes.",
  },
  "fig4-2C": ratesScenario([2], 43, 420, 8),
  "fig4-6C": ratesScenario([6], 44, 380, 3),
};
