/** The river, top to bottom: every step with its parameters, what it takes and what it gives. */
import { z } from "zod";
import { blockMotion } from "../analysis/block-motion.js";
import { alignClocks, shiftCycling } from "../analysis/clock.js";
import { beginCuts, cropParticles, cropsOf, cutFrame, type Cuts, readStack, stretchesOf } from "../analysis/crops.js";
import { differentialCapacity } from "../analysis/differential-capacity.js";
import { relateDomains } from "../analysis/domains.js";
import { framesBeside } from "../analysis/domains-frames.js";
import { focusChange, leastChange } from "../analysis/focus-course.js";
import { estimateDrift } from "../analysis/drift.js";
import { describeFace } from "../analysis/faces.js";
import { LAG_WAY_UM } from "../analysis/fronts.js";
import { noiseModel } from "../analysis/noise-model.js";
import { measureRepeats, spreadsOf } from "../analysis/likeness.js";
import { findHalfCycles, findSteps } from "../analysis/half-cycles.js";
import { meanIntensity } from "../analysis/intensity.js";
import { disagreement } from "../analysis/isochrones.js";
import { crossesParticle, steepestLine } from "../analysis/kymograph.js";
import { withoutFront } from "../analysis/mechanisms.js";
import { measureOptics } from "../analysis/optics.js";
import { drawnParticle, findParticles } from "../analysis/particles.js";
import { referenceImage } from "../analysis/reference.js";
import { nameTransitions } from "../analysis/transitions.js";
import { framesAround } from "../analysis/windows.js";
import { containsPoint } from "../kernels/polygon.js";
import { measureRegimes } from "../inference/measured-regime.js";
import { medianStep } from "../kernels/stats.js";
import { ParameterError } from "../model/errors.js";
import type { Domains } from "../model/domains.js";
import type { Face } from "../model/face.js";
import type { Material } from "../model/material.js";
import type { Movie, Stack } from "../model/movie.js";
import type { Particle } from "../model/particle.js";
import type { Crop, Drift, FrontMap, Kymograph, Mechanism, ShiftShare, Transition } from "../model/experiment.js";
import { checkMaterial } from "../physics/material-check.js";
import { materials } from "../physics/materials/library.js";
import { materialSchema } from "./material-schema.js";
import { type Context, operation } from "./operation.js";
import { type DoTask, doHere } from "./tasks.js";

const psf_um = z
  .number()
  .positive()
  .default(0.118)
  .describe("Standard deviation of the point spread in the sample: 0.21 wavelengths / NA, 785 nm at NA 1.4.");

const particles = operation({
  name: "particles",
  summary: "Crystals in the field of view, by brightness against the carbon's speckle, or drawn by hand.",
  params: z.strictObject({
    min_diameter_um: z.number().positive().default(1.5).describe("Smaller bright spots are not taken for crystals."),
    reference_frames: z.number().int().positive().default(8).describe("First frames averaged to look for crystals."),
    psf_um,
    find: z.boolean().default(true).describe("Look for crystals; switched off, only drawn outlines count."),
    drawn: z
      .array(
        z.strictObject({
          outline_px: z
            .array(z.tuple([z.number(), z.number()]))
            .min(3)
            .describe("Corners x,y in px of frame 0."),
          because: z.string().min(1).describe("Why it was drawn."),
        }),
      )
      .default([])
      .describe("Outlines drawn by hand, each with its reason."),
    struck: z
      .array(
        z.strictObject({
          near_px: z.tuple([z.number(), z.number()]).describe("A place x,y inside the crystal."),
          because: z.string().min(1).describe("Why it is left out."),
        }),
      )
      .default([])
      .describe("Found crystals left out, each with its reason."),
  }),
  takes: ["experiment"],
  gives: ["particles"],
  async run({ experiment }, params, context) {
    const { movie, blackLevel, region_px } = experiment;
    const image = await referenceImage(movie, {
      frames: Math.min(params.reference_frames, movie.frames),
      blackLevel: blackLevel?.value ?? null,
      signal: context.signal,
    });
    const found = params.find
      ? findParticles(image, { minDiameter_um: params.min_diameter_um, psf_um: params.psf_um, region_px })
      : [];
    const kept = found.filter(
      ({ outline_px }) => !params.struck.some(({ near_px }) => containsPoint(outline_px, near_px[0], near_px[1])),
    );
    const drawn = params.drawn.map(({ outline_px }) => drawnParticle(outline_px, image));
    const all = [...drawn, ...kept].map((particle, id) => ({ ...particle, id }));
    if (all.length === 0) {
      context.warn(
        "no crystal was found against the background: there is nothing to follow. Draw one with --outlines.",
      );
    }
    for (const { id, touchesBorder } of all) {
      if (touchesBorder)
        context.warn(`particle ${id} touches the border of the image: its fractions are of what is seen.`);
    }
    return { particles: all };
  },
});

/** What was cut out of the frames as they passed while a drift was measured: a movie of 40 GB is not read twice. */
const cutWith = new WeakMap<Drift, { readonly particles: readonly Particle[]; readonly cuts: Cuts }>();

function ringIn(ring_um: number, { pixelSize_um }: Movie): number {
  return Math.ceil(ring_um / pixelSize_um);
}

const drift = operation({
  name: "drift",
  summary: "Where the scene lies in each frame, from the still carbon, with one reference for all.",
  params: z.strictObject({ psf_um }),
  takes: ["experiment", "particles"],
  gives: ["drift"],
  async run({ experiment, particles }, params, context) {
    const { movie } = experiment;
    const { hire, store } = context.workshop ?? {};
    const { ring_um } = context;
    const cuts = ring_um === undefined ? null : beginCuts(movie, particles, { ring_px: ringIn(ring_um, movie), store });
    const found = await estimateDrift(movie, particles, {
      blackLevel: experiment.blackLevel?.value ?? null,
      region_px: experiment.region_px,
      psf_um: params.psf_um,
      signal: context.signal,
      onFrame: (done) => context.progress(done, movie.frames),
      onSamples: (frame, samples, place_px) => {
        if (cuts !== null) cutFrame(cuts, movie, frame, samples, place_px);
      },
      ...(hire === undefined ? {} : { hire }),
    });
    if (cuts !== null) cutWith.set(found, { particles, cuts });
    for (const sentence of found.warnings) context.warn(sentence);
    return { drift: found };
  },
});

/** Turn and stretch that displace a particle so far, px, and by so many standard errors, are worth a warning. */
const DISPLACED_px = 0.1;
const DISPLACED_SDS = 3;

const motion = operation({
  name: "motion",
  summary: "Whether the scene turns or stretches beside its drift, from blocks of carrier; reported, not corrected.",
  params: z.strictObject({ psf_um }),
  takes: ["experiment", "particles", "drift"],
  gives: ["motion"],
  async run({ experiment, particles, drift }, params, context) {
    const found = await blockMotion(experiment.movie, particles, drift, {
      blackLevel: experiment.blackLevel?.value ?? null,
      psf_um: params.psf_um,
      ...(context.signal === undefined ? {} : { signal: context.signal }),
    });
    const { value = 0, sd = null } = found?.displaced_px ?? {};
    if (found !== null && value > DISPLACED_px && sd !== null && value > DISPLACED_SDS * sd) {
      const { rotation_mrad, scale } = found.last;
      context.warn(
        `the scene turns and stretches: by ${rotation_mrad.value.toPrecision(2)} mrad and ${(1e6 * scale.value).toPrecision(2)} ppm at the end, which carries a particle up to ${value.toFixed(2)} px from where it is looked for. It is not corrected: --roi around one particle follows that one better.`,
      );
    }
    return { motion: found };
  },
});

/** Noise so many times that of photons and reading has another cause worth a warning. */
const MUCH_NOISE = 1.5;

const noise = operation({
  name: "noise",
  summary: "The camera's noise from the movie itself: reading, photons, and the pattern that does not move.",
  params: z.strictObject({ psf_um }),
  takes: ["experiment", "particles", "drift"],
  gives: ["noise"],
  async run({ experiment, particles, drift }, params, context) {
    const found = await noiseModel(experiment.movie, drift, {
      blackLevel: experiment.blackLevel?.value ?? null,
      psf_um: params.psf_um,
      around_px: particles[0]?.centre_px ?? null,
      ...(context.signal === undefined ? {} : { signal: context.signal }),
    });
    const { carrier } = found;
    if (carrier?.ratio != null && carrier.ratio.value > MUCH_NOISE) {
      context.warn(
        `a pixel's noise on the still ground is ${(100 * carrier.noise.value).toPrecision(2)} %, ${carrier.ratio.value.toPrecision(3)} times what photons and reading give: look for light that flickers in places, a stage that shakes within a frame, or a pattern fixed to the camera.`,
      );
    }
    return { noise: found };
  },
});

const crops = operation({
  name: "crops",
  summary: "Each particle's neighbourhood as a small movie, laid still and freed of flicker when read.",
  params: z.strictObject({
    ring_um: z.number().nonnegative().default(0.8).describe("Ground kept around the outline."),
  }),
  takes: ["experiment", "particles", "drift"],
  gives: ["crops"],
  async run({ experiment, particles, drift }, params, context) {
    const { movie } = experiment;
    const blackLevel = experiment.blackLevel?.value ?? null;
    const ring_px = ringIn(params.ring_um, movie);
    const had = cutWith.get(drift);
    if (had?.particles === particles && had.cuts.ring_px === ring_px)
      return { crops: cropsOf(movie, had.cuts, drift, blackLevel) };
    const found = await cropParticles(movie, particles, drift, {
      blackLevel,
      ring_px,
      store: context.workshop?.store,
      signal: context.signal,
      onFrame: (done) => context.progress(done, movie.frames),
    });
    return { crops: found };
  },
});

const faces = operation({
  name: "faces",
  summary: "Whether each face is flat and seen along c, so that its area may stand for its volume.",
  params: z.strictObject({ psf_um }),
  takes: ["particles", "crops"],
  gives: ["faces"],
  async run({ particles, crops }, params, context) {
    const all: Face[] = [];
    for (const crop of crops) {
      const [left, top] = crop.origin_px;
      const found = describeFace(readStack(crop, { first: 0, last: 9 }), {
        particle: crop.particle,
        mask: crop.mask,
        outline_px: particles
          .find(({ id }) => id === crop.particle)!
          .outline_px.map(([x, y]) => [x - left, y - top] as const),
        psf_um: params.psf_um,
      });
      if (found === null) continue;
      all.push(found);
      if (found.kind === "uneven") {
        context.warn(
          `particle ${crop.particle}: its face is not evenly lit, as a flat one would be: its area may not stand for its volume (${found.because}).`,
        );
      }
      await turn(context.signal);
    }
    return { faces: all };
  },
});

const intensity = operation({
  name: "intensity",
  summary: "Mean intensity of each particle, relative to the first frames.",
  params: z.strictObject({}),
  takes: ["crops"],
  gives: ["traces"],
  async run({ crops }, _, context) {
    const traces = [];
    for (const crop of crops) {
      traces.push(meanIntensity(stretchesOf(crop), crop.mask, crop.particle));
      await turn(context.signal);
    }
    return { traces };
  },
});

const clock = operation({
  name: "clock",
  summary: "The movie's clock and the cycler's joined; half cycles, rates and dQ/dV on the movie's time.",
  params: z.strictObject({
    dV_mV: z.number().positive().default(4).describe("Potential step at which dQ/dV is taken, in mV."),
  }),
  takes: ["experiment", "traces"],
  gives: ["clock", "cycling", "cell"],
  run({ experiment, traces }, params, context) {
    if (experiment.cycling === null) {
      return {
        clock: { source: "none", offset_s: { value: 0, sd: null }, drift_ppm: 0 },
        cycling: null,
        cell: null,
      };
    }
    const { clock, warnings } = alignClocks({
      movie: experiment.movie,
      cycling: experiment.cycling,
      cyclingStart: experiment.cyclingStart,
      statedOffset_s: experiment.statedOffset_s,
      trace: traces[0] ?? null,
    });
    for (const sentence of warnings) context.warn(sentence);
    const cycling = shiftCycling(experiment.cycling, clock.offset_s.value);
    const steps = findSteps(cycling);
    const { halfCycles, curves } = differentialCapacity(cycling, findHalfCycles(cycling, steps, experiment.cellFacts), {
      dV_V: params.dV_mV / 1000,
      role: experiment.cellFacts.role,
    });
    return { clock, cycling, cell: { ...experiment.cellFacts, steps, halfCycles, differentialCapacity: curves } };
  },
});

const optics = operation({
  name: "optics",
  summary: "How much each particle brightens through a half cycle, and whether it comes back.",
  params: z.strictObject({}),
  takes: ["traces", "cycling", "cell", "clock"],
  gives: ["optics"],
  run: ({ traces, cycling, cell, clock }) => ({
    // Without a common clock nothing says which half cycle a frame belongs to.
    optics:
      clock.source === "none" || cell === null
        ? []
        : traces.flatMap((trace) => measureOptics(trace, cell.halfCycles, cycling)),
  }),
});

const transitions = operation({
  name: "transitions",
  summary: "Windows in time in which a particle changes unevenly, each named by direction and kind.",
  params: z.strictObject({
    lag_s: z.number().positive().default(20).describe("Time over which images are compared to look for unevenness."),
    threshold: z.number().positive().default(5).describe("Unevenness above noise that counts, in standard deviations."),
    psf_um,
  }),
  takes: ["experiment", "crops", "clock", "cycling", "cell"],
  gives: ["transitions", "evenness"],
  async run({ experiment, crops, clock, cycling, cell }, params, context) {
    const all: Transition[] = [];
    const stamp_sd_s = stampError_s(experiment.movie);
    const evenness = [];
    const halfCycles = cell?.halfCycles ?? [];
    const everyWindow = await each(crops, context, (crop, doTask) =>
      doTask("windows", {
        stack: stackOf(crop, undefined, context),
        mask: crop.mask,
        options: {
          particle: crop.particle,
          lag_s: params.lag_s,
          threshold: params.threshold,
          psf_um: params.psf_um,
          splits_s: clock.source === "none" ? [] : halfCycles.map(({ start_s }) => start_s),
        },
      }),
    );
    for (const [index, crop] of crops.entries()) {
      const found = everyWindow[index]!;
      evenness.push(found.evenness);
      for (const sentence of found.warnings) context.warn(`particle ${crop.particle}: ${sentence}`);
      const named = nameTransitions(found.windows, { particle: crop.particle, clock, cycling, cell });
      all.push(
        ...named.map((transition, at) => ({
          ...transition,
          id: all.length + at,
          sd_s: Math.hypot(transition.sd_s, stamp_sd_s),
        })),
      );
    }
    return { transitions: all, evenness };
  },
});

/** A window is in doubt where a shift of the scene would explain so much of its change. */
const DOUBTED_SHARE = 0.5;

const shift = operation({
  name: "shift",
  summary:
    "How much of each window's change a shift of the scene would explain, and by how far it would have to shift.",
  params: z.strictObject({
    lag_s: z.number().positive().default(20).describe("Time between the images compared; at least one interval."),
    psf_um,
  }),
  takes: ["crops", "transitions", "drift", "cell", "clock"],
  gives: ["shiftShares"],
  async run({ crops, transitions, drift, cell, clock }, params, context) {
    const all: ShiftShare[] = [];
    const limits = { others: transitions, halfCycles: clock.source === "none" ? [] : (cell?.halfCycles ?? []) };
    const everyShare = await each(transitions, context, (transition, doTask) => {
      const crop = cropOf(crops, transition.particle);
      return doTask("share", {
        stack: stackOf(crop, framesAround(crop.time_s, transition, limits), context),
        transition,
        options: { mask: crop.mask, lag_s: Math.max(params.lag_s, medianStep(crop.time_s)), psf_um: params.psf_um },
      });
    });
    for (const [index, transition] of transitions.entries()) {
      const crop = cropOf(crops, transition.particle);
      const found = everyShare[index]!;
      if (found !== null) {
        const { particle, id } = transition;
        const focus_change = focusChange(drift, crop.time_s, transition);
        all.push({ ...found, particle, transition: id, origin_px: crop.origin_px, focus_change });
        if (focus_change !== null && focus_change.value > leastChange(drift.focus_sd)) {
          context.warn(
            `particle ${particle}, transition ${id}: focus changes by ${(100 * focus_change.value).toFixed(0)} % within its window, from ${transition.start_s.toFixed(0)} to ${transition.end_s.toFixed(0)} s: what is seen there mixes focus and lithium.`,
          );
        }
        if (found.share.value > DOUBTED_SHARE) {
          const nm = (value: number): string => `${value.toPrecision(2)} nm`;
          context.warn(
            `particle ${particle}, transition ${id}: ${(100 * found.share.value).toFixed(0)} % of the change looks like a shift of the scene by ${nm(found.shift_nm.value)}, and registration leaves ${nm(drift.residual_nm.value)}: it may be no change of the particle.`,
          );
        }
      }
    }
    return { shiftShares: all };
  },
});

const fronts = operation({
  name: "fronts",
  summary: "When the phase boundary passed each pixel.",
  params: z.strictObject({
    lag_s: z
      .number()
      .positive()
      .nullable()
      .default(null)
      .describe("Time compared before and after by matched and argmax; by default the time a front takes for 0.35 um."),
    estimator: z
      .enum(["step+line", "matched", "argmax", "half-rise"])
      .default("step+line")
      .describe("How the moment of passing is picked."),
    psf_um,
  }),
  takes: ["crops", "transitions", "cell", "clock"],
  gives: ["fronts"],
  async run({ crops, transitions, cell, clock }, params, context) {
    const all: FrontMap[] = [];
    const limits = { others: transitions, halfCycles: clock.source === "none" ? [] : (cell?.halfCycles ?? []) };
    const followed = transitions.filter(({ order }) => order !== "homogeneous");
    const maps = await each(followed, context, (transition, doTask) => {
      const crop = cropOf(crops, transition.particle);
      return doTask("front", {
        stack: stackOf(crop, framesAround(crop.time_s, transition, limits), context),
        transition,
        options: {
          particle: crop.particle,
          transition: transition.id,
          mask: crop.mask,
          origin_px: crop.origin_px,
          estimator: params.estimator,
          lag_s: params.lag_s,
          psf_um: params.psf_um,
        },
      });
    });
    for (const [index, { id, particle, start_s, end_s }] of followed.entries()) {
      const map = maps[index]!;
      if (map === null) {
        context.warn(
          `particle ${particle}: no front could be followed in the window from ${start_s.toFixed(0)} to ${end_s.toFixed(0)} s.`,
        );
        continue;
      }
      if (map.explained_by != null) {
        context.warn(
          `particle ${particle}, transition ${id}: the front is explained by ${map.explained_by.cause}: ${map.explained_by.because}.`,
        );
      }
      all.push(map);
    }
    return { fronts: all };
  },
});

const kinetics = operation({
  name: "kinetics",
  summary: "Phase fraction, single-particle C-rate and velocity of every front.",
  params: z.strictObject({
    c_rate_factor: z
      .number()
      .positive()
      .default(0.353)
      .describe("Charge of the whole transition in units of 1C: dx Q_theory / Q_1C, 0.20 * 273.8 / 155 for LiCoO2."),
    bandwidth_s: z.number().positive().default(20).describe("Time over which the C-rate is smoothed."),
    psf_um,
  }),
  takes: ["experiment", "fronts", "transitions", "clock"],
  gives: ["kinetics"],
  async run({ experiment, fronts, transitions, clock }, params, context) {
    const all = [];
    const stamp_sd_s = stampError_s(experiment.movie);
    const everyOne = await each(fronts, context, (front, doTask) =>
      doTask("kinetics", {
        front,
        options: {
          kind: transitions.find(({ id }) => id === front.transition)!.kind,
          c_rate_factor: params.c_rate_factor,
          bandwidth_s: params.bandwidth_s,
          psf_um: params.psf_um,
          clock_sd_s: clock.offset_s.sd,
        },
      }),
    );
    for (const [index, front] of fronts.entries()) {
      const found = everyOne[index]!;
      if (found === null) {
        context.warn(
          `particle ${front.particle}: the front of transition ${front.transition} is too incomplete for a velocity and a half time.`,
        );
      } else {
        const differ = disagreement(found);
        if (differ !== null) context.warn(`particle ${front.particle}, transition ${front.transition}: ${differ}`);
        const sd = found.t50_s.sd === null ? null : Math.hypot(found.t50_s.sd, stamp_sd_s);
        all.push({ ...found, t50_s: { ...found.t50_s, sd } });
      }
    }
    return { kinetics: all };
  },
});

/** Lag of differential images where no speed is known, as in the paper. */
const PAPERS_LAG_S = 20;

const kymographs = operation({
  name: "kymographs",
  summary: "Light along the front's way in time, and the front's place on it in every frame.",
  params: z.strictObject({
    lines: z
      .array(z.strictObject({ line_px: z.array(z.tuple([z.number(), z.number()])).min(2) }))
      .default([])
      .describe("Lines drawn in px of frame 0; by default the steepest way through each arrival map."),
    width_um: z.number().positive().default(0.5).describe("Light is averaged so far across the line."),
    lag_s: z
      .number()
      .positive()
      .nullable()
      .default(null)
      .describe("Time between differential images; by default the time the front takes for 0.35 um."),
    psf_um,
  }),
  takes: ["crops", "fronts", "transitions", "kinetics", "cell", "clock"],
  gives: ["kymographs"],
  async run({ crops, fronts, transitions, kinetics, cell, clock }, params, context) {
    const limits = { others: transitions, halfCycles: clock.source === "none" ? [] : (cell?.halfCycles ?? []) };
    const ofFronts = await each(fronts, context, async (front, doTask) => {
      const transition = transitions.find(({ id }) => id === front.transition)!;
      const crop = cropOf(crops, front.particle);
      const [left, top] = crop.origin_px;
      const drawn = params.lines
        .map(({ line_px }) => line_px.map(([x, y]) => [x - left, y - top] as const))
        .filter((line_px) => crossesParticle(line_px, crop));
      const steepest = params.lines.length > 0 ? null : steepestLine(front, params.psf_um);
      const stack = stackOf(crop, framesAround(crop.time_s, transition, limits), context);
      const speed_um_s = kinetics.find((one) => one.transition === front.transition)?.velocity_um_s.value;
      const lag_s = params.lag_s ?? (speed_um_s === undefined ? PAPERS_LAG_S : LAG_WAY_UM / speed_um_s);
      const found: Kymograph[] = [];
      for (const line_px of steepest === null ? drawn : [steepest]) {
        const one = await doTask("kymograph", {
          stack,
          transition,
          options: {
            particle: front.particle,
            transition: front.transition,
            line_px,
            width_um: params.width_um,
            lag_s: Math.max(lag_s, medianStep(stack.time_s)),
            psf_um: params.psf_um,
          },
        });
        found.push({ ...one, line_px: line_px.map(([x, y]) => [x + left, y + top] as const) });
      }
      return found;
    });
    const all = ofFronts.flat();
    return { kymographs: all };
  },
});

const mechanisms = operation({
  name: "mechanisms",
  summary: "Shrinking core, intercalation wave, a hybrid, uniform, or none.",
  params: z.strictObject({ psf_um }),
  takes: ["fronts", "transitions", "crops"],
  gives: ["mechanisms"],
  async run({ fronts, transitions, crops }, params, context) {
    const all: Mechanism[] = [];
    const judged = await each(fronts, context, (front, doTask) =>
      doTask("mechanism", { front, psf_um: params.psf_um }),
    );
    for (const crop of crops) {
      const own = fronts.filter(({ particle }) => particle === crop.particle);
      const others = transitions.filter(
        ({ particle, id }) => particle === crop.particle && !own.some(({ transition }) => transition === id),
      );
      for (const front of own) all.push(judged[fronts.indexOf(front)]!);
      // A window in which nothing could be followed says something only beside a front, or where it is even.
      const telling = own.length > 0 ? others : others.filter(({ order }) => order === "homogeneous");
      for (const window of telling) all.push(withoutFront(crop.particle, window));
      if (own.length === 0 && telling.length === 0) all.push(withoutFront(crop.particle, null));
    }
    return { mechanisms: all };
  },
});

const repeats = operation({
  name: "repeats",
  summary:
    "How alike the paths of each particle are from cycle to cycle, and how numbers spread within and between particles.",
  params: z.strictObject({}),
  takes: ["fronts", "transitions", "kinetics"],
  gives: ["repeats", "spreads"],
  run({ fronts, transitions, kinetics }) {
    // Where something else moved the light, there is neither a path nor a velocity of lithium.
    const own = fronts.filter(({ explained_by = null }) => explained_by === null);
    return {
      repeats: measureRepeats(own, transitions),
      spreads: spreadsOf(
        kinetics.filter(({ transition }) => own.some((front) => front.transition === transition)),
        transitions,
      ),
    };
  },
});

const domains = operation({
  name: "domains",
  summary: "Domains that lithium ordering leaves, the directions of their walls, and whether they come back.",
  params: z.strictObject({
    least_contrast: z
      .number()
      .positive()
      .default(0.02)
      .describe("Where walls of this contrast could not be seen, nothing is said of their absence."),
    unnamed: z
      .boolean()
      .default(false)
      .describe("Look for domains in windows of unknown kind too, not in those of ordering alone."),
    psf_um,
  }),
  takes: ["experiment", "particles", "crops", "transitions", "fronts", "cell", "clock"],
  gives: ["domains"],
  async run({ experiment, particles, crops, transitions, fronts, cell, clock }, params, context) {
    const ordering = transitions.filter(({ kind }) => kind === "ordering" || (params.unnamed && kind === "unknown"));
    const halfCycles = clock.source === "none" ? [] : (cell?.halfCycles ?? []);
    const all: Domains[] = [];
    const everyOne = await each(ordering, context, (transition, doTask) => {
      const crop = cropOf(crops, transition.particle);
      return doTask("domains", {
        stack: stackOf(crop, framesBeside(crop.time_s, transition, { others: transitions, halfCycles }), context),
        options: {
          transition,
          mask: crop.mask,
          origin_px: crop.origin_px,
          outline_px: particles.find(({ id }) => id === transition.particle)!.outline_px,
          front: fronts.find((front) => front.transition === transition.id) ?? null,
          psf_um: params.psf_um,
          least_contrast: params.least_contrast,
        },
      });
    });
    for (const [index, transition] of ordering.entries()) {
      const found = everyOne[index]!;
      if (found.count === null) {
        context.warn(
          `particle ${transition.particle}, transition ${transition.id}: domains unknown, ${found.because}.`,
        );
      }
      all.push(found);
    }
    return {
      domains: relateDomains(all, ordering, { psf_um: params.psf_um, pixelSize_um: experiment.movie.pixelSize_um }),
    };
  },
});

const regime = operation({
  name: "regime",
  summary:
    "Least diffusivity that each delithiation front needs, and whether diffusion or reaction limits; simulated, if asked for.",
  params: z.strictObject({
    bound: z
      .boolean()
      .default(false)
      .describe("Simulate each delithiation over diffusivities from 1e-11 to 1e-8 cm2/s; some ten seconds a front."),
    material: z
      .union([z.enum(twoPhaseMaterials()), materialSchema])
      .default("lco")
      .describe("Material with two phases whose numbers the simulation takes: its name, or a JSON file with one."),
    ohmic_mV: z
      .number()
      .nonnegative()
      .default(0)
      .describe("Part of the recorded potential that is lost before the particle; 0 gives the lowest bound."),
    psf_um,
  }),
  takes: ["experiment", "particles", "clock", "cycling", "transitions", "kinetics", "mechanisms"],
  gives: ["regime"],
  check: ({ material }) => void twoPhaseMaterial(material),
  async run({ experiment, particles, clock, cycling, transitions, kinetics, mechanisms }, params, context) {
    if (!params.bound) return { regime: [] };
    const material = twoPhaseMaterial(params.material);
    const seen = clock.source !== "none" && experiment.cellFacts.imaged === "working";
    const found = await measureRegimes(
      {
        particles,
        transitions,
        kinetics,
        mechanisms,
        pixelSize_um: experiment.movie.pixelSize_um,
        cycling: seen ? cycling : null,
      },
      {
        material,
        ohmic_V: params.ohmic_mV / 1000,
        psf_um: params.psf_um,
        signal: context.signal,
        onProgress: context.progress,
      },
    );
    for (const { particle, transition, bounds } of found) {
      for (const { kind, drive, because } of bounds) {
        if (kind === "none") context.warn(`particle ${particle}, transition ${transition}, by ${drive}: ${because}`);
      }
    }
    return { regime: found };
  },
});

/** The table: steps in the order in which they run. */
export const steps = [
  particles,
  drift,
  motion,
  noise,
  crops,
  faces,
  intensity,
  clock,
  optics,
  transitions,
  shift,
  fronts,
  kinetics,
  kymographs,
  mechanisms,
  repeats,
  domains,
  regime,
] as const;

/** The name of a step. */
export type StepName = (typeof steps)[number]["name"];

/** Standard error of every absolute time where it is unknown which moment of the exposure a stamp means. */
function stampError_s({ frameStamp, time_s }: Movie): number {
  if (frameStamp === "middle" || time_s.length < 2) return 0;
  return medianStep(time_s) / Math.sqrt(12);
}

/** Names of the materials that have a front. */
function twoPhaseMaterials(): string[] {
  return Object.keys(materials).filter((name) => materials[name]!.freeEnergy.kind !== "open-circuit");
}

function twoPhaseMaterial(given: string | Material): Material {
  const material = typeof given === "string" ? materials[given]! : given;
  checkMaterial(material);
  if (material.freeEnergy.kind !== "open-circuit") return material;
  throw new ParameterError(
    `regime.material is ${material.name}, a solid solution: it has no front. Give a material with two phases.`,
    { parameter: "regime.material", value: material.name },
  );
}

function cropOf(crops: readonly Crop[], particle: number): Crop {
  const found = crops.find((crop) => crop.particle === particle);
  if (found === undefined) throw new Error(`particle ${particle} has no crop`);
  return found;
}

/** A crop laid still, where those who do tasks can see it. */
function stackOf(crop: Crop, range: Parameters<typeof readStack>[1], { workshop }: Context): Stack {
  return readStack(crop, range, workshop?.doTask !== undefined);
}

/**
 * Does something for each of some things by tasks, as many at once as the workshop has hands; what comes out is in their
 * order.
 */
async function each<Item, Result>(
  items: readonly Item[],
  context: Context,
  work: (item: Item, doTask: DoTask) => Promise<Result>,
): Promise<Result[]> {
  const { doTask = doHere, hands = 1 } = context.workshop ?? {};
  const results: Result[] = [];
  let [next, done] = [0, 0];
  const hand = async (): Promise<void> => {
    while (next < items.length) {
      const at = next++;
      await turn(context.signal);
      results[at] = await work(items[at]!, (name, given) => doTask(name, given, context.signal));
      context.progress(++done, items.length);
    }
  };
  await Promise.all(Array.from({ length: hands }, hand));
  await turn(context.signal);
  return results;
}

/** Lets the event loop turn, so that Ctrl-C is heard between particles. */
async function turn(signal?: AbortSignal): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
  signal?.throwIfAborted();
}
