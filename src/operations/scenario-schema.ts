/** A scenario as JSON: what may stand in it, what each key means, and what it is when left out. */
import { z } from "zod";
import type { Scenario } from "../physics/scenario.js";
import { scenarios } from "../physics/scenarios.js";
import { materialSchema } from "./material-schema.js";

const place = z.tuple([z.number(), z.number()]).readonly();
const base = scenarios["plane"]!;

const outline = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("ellipse"),
    centre_um: place.describe("Centre x,y in um; (0, 0) is the centre of the top-left pixel."),
    radii_um: z.tuple([z.number().positive(), z.number().positive()]).readonly().describe("Semi-axes."),
    angle_deg: z.number().default(0).describe("Direction of the first semi-axis, from +x towards +y."),
  }),
  z.strictObject({
    kind: z.literal("hexagon"),
    centre_um: place.describe("Centre x,y in um."),
    radius_um: z.number().positive().describe("From the centre to a corner."),
    angle_deg: z.number().default(0).describe("Direction of the first corner, from +x towards +y."),
    corner_um: z.number().nonnegative().default(0).describe("Length over which a corner is rounded."),
  }),
  z.strictObject({
    kind: z.literal("crystal"),
    centre_um: place.describe("Centre x,y in um."),
    radius_um: z.number().positive().describe("From the centre to the farthest corner."),
    corners: z.number().int().min(3).max(40).default(7).describe("Number of corners."),
    seed: z.number().int().nonnegative().default(1).describe("Which irregular crystal."),
  }),
  z.strictObject({
    kind: z.literal("polygon"),
    points_um: z.array(place).min(3).max(2000).describe("Corners x,y in um, in order."),
    corner_um: z.number().nonnegative().default(0).describe("Length over which a corner is rounded."),
  }),
]);

const pace = {
  start_s: z.number().describe("When the front begins, on the movie's clock."),
  velocity_um_s: z
    .union([z.number(), z.tuple([z.number(), z.number()]).readonly()])
    .describe("One velocity, or that at the beginning and at the end of the way."),
  stages: z
    .array(
      z.strictObject({
        until: z.number().describe("Share of the area at which the stage ends; the last ends at 1."),
        lasts_s: z.number().nullable().default(null).describe("How long it takes; null: as the velocity asks for."),
      }),
    )
    .default([])
    .describe("A pace of the front's own: a burst, a lag."),
};

const front = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("plane"),
    angle_deg: z.number().default(0).describe("Direction of travel, from +x towards +y."),
    ...pace,
  }),
  z.strictObject({
    kind: z.literal("radial"),
    nuclei: z
      .array(
        z.union([
          z.strictObject({ at_um: place, delay_s: z.number().default(0) }),
          z.strictObject({ rim_deg: z.number(), delay_s: z.number().default(0) }),
        ]),
      )
      .min(1)
      .describe("Where it begins: at_um a place, rim_deg an angle on the rim seen from the crystal's centre."),
    ...pace,
  }),
  z.strictObject({ kind: z.literal("inward"), ...pace }),
]);

const change = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("front"),
    transition: z.enum(["biphasic", "ordering"]).default("biphasic"),
    direction: z.enum(["delithiation", "lithiation"]).default("delithiation"),
    front,
    to: z.number().describe("Light behind the front, as a ratio to that before all changes."),
    line: z
      .strictObject({
        height: z.number().default(0).describe("Light of the boundary itself, in the same ratio."),
        width_um: z.number().default(0.118).describe("Standard deviation across it."),
      })
      .prefault({}),
  }),
  z.strictObject({
    kind: z.literal("ramp"),
    start_s: z.number(),
    end_s: z.number(),
    to: z.number().describe("Light at its end, as a ratio to that before all changes."),
  }),
]);

const particle = z.strictObject({
  outline,
  brightness: z.number().default(3).describe("Light of its face; the carbon's is 1 on average."),
  texture: z.number().default(0.03).describe("Unevenness of its face, standard deviation."),
  textureScale_um: z.number().default(0.5).describe("Size of a patch of it."),
  changes: z.array(change).default([]).describe("Fronts and even ramps, in the order of their levels."),
});

const programme = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("rest"), lasts_s: z.number() }),
  ...(["charge", "discharge"] as const).map((kind) =>
    z.strictObject({
      kind: z.literal(kind),
      rate_C: z.number().describe("Times the nominal capacity in an hour."),
      until_V: z
        .number()
        .default(kind === "charge" ? 4.3 : 3)
        .describe("Ends at this potential."),
      lasts_s: z.number().default(1e6).describe("Ends after this time at the latest."),
    }),
  ),
] as const);

const series = z.array(z.tuple([z.number(), z.number()]).readonly()).min(1);
const paper = scenarios["fig3-delithiation"]!.phaseField!;
const optic = paper.microscope;
const crystal = paper.particles[0]!;

const way = z.strictObject({
  direction: z.enum(["delithiation", "lithiation"]),
  start_s: z.number().describe("On the movie's clock."),
  x0: z.number().describe("Lithium everywhere at its beginning."),
  until_x: z.number().describe("Mean lithium at its end."),
  x_per_h: series.describe("Lithium per site and hour at times from start_s on; 1C at 155 mAh/g is 0.566."),
  cycle: z.number().int().nonnegative().default(0).describe("Another cycle begins lithiation at other places."),
});

const seenParticle = z.strictObject({
  outline,
  edge: z
    .strictObject({
      seed: z.number().int().nonnegative().default(1).describe("Draws rates and hot spots along the rim."),
      lnRate_sd: z.number().nonnegative().optional().describe("Spread of ln k along the rim."),
      hotSpots: z.number().int().nonnegative().optional().describe("Places at which the rim holds the new phase."),
      hotSpot_um: z.number().positive().optional(),
      hotSpotsAt: z.enum(["corners", "anywhere"]).optional(),
      cycle: z.number().int().nonnegative().optional(),
    })
    .prefault({}),
  lithiationSpots: z
    .number()
    .int()
    .nonnegative()
    .nullable()
    .default(null)
    .describe("Places at which lithiation begins; null: as many as the edge has."),
  exchange_A_m2: z.number().nullable().default(null).describe("Exchange current density; null: the material's."),
  x0: z.number().default(crystal.x0).describe("Lithium at the beginning."),
  drive: z
    .union([
      z.strictObject({ kind: z.literal("current"), ways: z.array(way).max(1000) }),
      z.strictObject({ kind: z.enum(["electrode", "none"]) }),
    ])
    .describe("A current of its own, the electrode's potential, or none."),
  ordering: z
    .strictObject({
      nuclei: z.number().int().min(1).describe("1 makes one domain, 3 three."),
      walls: z.discriminatedUnion("kind", [
        z.strictObject({
          kind: z.literal("lattice"),
          angle_deg: z.number(),
          strength: z.number().optional().describe("0 to 1."),
        }),
        z.strictObject({ kind: z.literal("isotropic") }),
        z.strictObject({ kind: z.literal("pinned") }),
      ]),
      seed: z.number().int().nonnegative().default(1),
      window_x: z.tuple([z.number(), z.number()]).readonly().describe("Lithium between which order is stable."),
      nucleationAt: z.number().default(0.5).describe("Undercooling at which nuclei come, up to 1."),
      frontVelocity_um_s: z.number().default(0.07),
    })
    .nullable()
    .default(null),
  gap_fringes: z.number().default(crystal.gap_fringes).describe("Gap to the window, in fringes (wavelength / 2 n)."),
  tilt_deg: place.default(crystal.tilt_deg).describe("Slope of the face against the window along x,y."),
  roughness_nm: z.number().default(crystal.roughness_nm).describe("Roughness of the face."),
  thickness_um: z.number().default(crystal.thickness_um),
});

const phaseField = z.strictObject({
  material: z
    .union([z.string(), materialSchema])
    .default(paper.material)
    .describe("Name in the library of materials, or a material, every number with its source."),
  transport: z
    .strictObject({
      poor_um2_s: z.number().optional(),
      rich_um2_s: z.number().optional(),
      D_um2_s: z.number().optional(),
      blend: z.enum(["log", "linear", "divacancy"]).optional(),
      exchange_A_m2: z.number().optional(),
      rateLaw: z.enum(["constant", "lattice-gas", "excluded-site"]).optional(),
    })
    .nullable()
    .default(paper.transport)
    .describe("What of the material's transport is otherwise."),
  h_um: z.number().default(paper.h_um).describe("Side of a cell."),
  delta_um: z.number().default(paper.delta_um).describe("Half width of the boundary between the phases."),
  particles: z.array(seenParticle).max(200),
  electrode: z
    .strictObject({
      seed: z.number().int().nonnegative(),
      particles: z.number().int().min(1).max(500),
      radii_um: z.tuple([z.number().positive(), z.number().positive()]).readonly(),
      lnExchange_sd: z.number(),
      contact_ohm_m2: z.number(),
      window_V: z.number().default(0),
      h_um: z.number().positive(),
      delta_um: z.number().positive(),
    })
    .nullable()
    .default(null)
    .describe("Particles that share one potential and carry the cycler's current."),
  microscope: z
    .strictObject({
      wavelength_um: z.number().default(optic.wavelength_um),
      na: z.number().default(optic.na),
      visibility: z.number().default(optic.visibility).describe("Of the interference with the window's light."),
      imaging: z.enum(["coherent", "incoherent"]).default(optic.imaging),
      reflectance: z.number().default(optic.reflectance).describe("Of the face in the lithium-rich phase."),
      carbon: z.number().default(optic.carbon).describe("Light of the carbon in units of that face's."),
      swelling: z.number().default(optic.swelling).describe("Part of the swelling that goes towards the window."),
      boundary: z.number().nullable().default(optic.boundary).describe("Light of the boundary in units of the step."),
      order: z.number().default(optic.order).describe("Light that order adds."),
      wall: z.number().default(optic.wall).describe("Light of a wall between domains."),
      focus: z
        .strictObject({
          start_um: z.number().default(0),
          linear_um: z.number().default(0),
          walk_um: z.number().default(0),
          breathing_um: z.number().default(0),
          breathingPeriod_s: z.number().default(optic.focus.breathingPeriod_s),
        })
        .prefault({}),
      burst: z.number().int().default(optic.burst).describe("Short exposures whose mean is a frame."),
    })
    .prefault({}),
});

/** The schema of a scenario; what is left out is as in the scenario `plane`, and no cycler runs. */
export const scenarioSchema = z.strictObject({
  summary: z.string().default("A scenario of the user's own."),
  seed: z.number().default(base.seed).describe("Draws noise, speckle, faces, walk and lamp."),
  movie: z
    .strictObject({
      width: z.number().default(base.movie.width),
      height: z.number().default(base.movie.height),
      pixelSize_um: z.number().default(base.movie.pixelSize_um),
      frames: z.number().default(base.movie.frames).describe("Frames planned, those dropped counted."),
      interval_s: z.number().default(base.movie.interval_s),
      exposure_s: z.number().default(base.movie.exposure_s).describe("A frame is the mean over this time."),
      start: z.string().default(base.movie.start).describe("Civil time of the first frame, with its zone."),
      dropped: z.array(z.number()).default([]).describe("Frames that never came, by number."),
      droppedFraction: z.number().default(0).describe("Part of the frames dropped at random beside them."),
      late_s: z.number().default(0).describe("Frames come up to so much later, and say so."),
    })
    .prefault({}),
  optics: z
    .strictObject({
      psf_um: z.number().default(base.optics.psf_um).describe("Standard deviation of the point spread."),
      speckleContrast: z.number().default(base.optics.speckleContrast).describe("1 is fully developed speckle."),
    })
    .prefault({}),
  camera: z
    .strictObject({
      noise: z.number().default(base.camera.noise).describe("Relative noise of one pixel of one frame at noiseAt."),
      noiseAt: z.enum(["particle", "carbon"]).default(base.camera.noiseAt),
      level: z.number().default(base.camera.level).describe("Counts above black at the light of noiseAt."),
      blackLevel: z.number().default(base.camera.blackLevel),
      readNoise: z.number().default(base.camera.readNoise).describe("Standard deviation, counts."),
      bitDepth: z.number().default(base.camera.bitDepth),
      prnu: z.number().default(0).describe("Unevenness of the pixels' response, standard deviation."),
      vignette: z.number().default(0).describe("Loss of light in the corners."),
    })
    .prefault({}),
  drift: z
    .strictObject({
      linear_um: place.default([0, 0]).describe("Even drift over the whole movie, x,y."),
      walk_um: z.number().default(0).describe("Random walk, standard deviation at the end."),
      wobble_um: z.number().default(0).describe("Amplitude of a slow swinging."),
      wobblePeriod_s: z.number().default(base.drift.wobblePeriod_s),
    })
    .prefault({}),
  lamp: z
    .strictObject({
      flicker: z.number().default(0).describe("Frame to frame, standard deviation."),
      fading: z.number().default(0).describe("Even change of light over the whole movie."),
    })
    .prefault({}),
  particles: z.array(particle).max(1000).default([]),
  cycling: z
    .strictObject({
      before_s: z.number().default(0).describe("The record begins so long before the movie."),
      interval_s: z.number().default(1),
      active_mass_mg: z.number().default(0.812),
      nominal_mAh_g: z.number().default(155).describe("Capacity that 1C passes in an hour."),
      x0: z.number().default(0.9645).describe("Lithium in LixCoO2 at the beginning."),
      overpotential_V: z.number().default(0.045).describe("At 1C; it grows with the rate."),
      noise_V: z.number().default(2e-5),
      programme: z.array(programme).min(1),
    })
    .nullable()
    .default(null),
  phaseField: phaseField.optional().describe("A scene whose lithium a phase field moves, instead of particles."),
}) satisfies z.ZodType<Scenario>;
